/* The process's own arguments: a copy to work with, and the original made safe
 * to be seen, since /proc shows it to every user of the machine.
 *
 * A URL's password and the values of its options are replaced by one '*', so
 * that not even their length is left. It is done before anything else; what
 * was visible until then, a few microseconds, no program can help. A secret is
 * better given as env:NAME or file:PATH. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

bool
args_copy(int argc, char *const *argv, char ***ret)
{
  char **copy = calloc((size_t)argc + 1, sizeof *copy);
  int i;

  for (i = 0; copy != NULL && i < argc; i++) {
    copy[i] = strdup(argv[i]);
    if (copy[i] == NULL)
      args_free(&copy);
  }
  if (copy == NULL)
    return false;
  *ret = copy;
  return true;
}

void
args_free(char ***args)
{
  char **arg;

  for (arg = *args; arg != NULL && *arg != NULL; arg++) {
    explicit_bzero(*arg, strlen(*arg));
    free(*arg);
  }
  free(*args);
  *args = NULL;
}

/* Put one '*' in the place of the bytes from `start` to `end`. */
static char *
squeeze(char *start, char *end)
{
  size_t rest = strlen(end);
  size_t gone;

  if (end <= start)
    return end;
  *start = '*';
  gone = (size_t)(end - start) - 1;
  memmove(start + 1, end, rest + 1);
  memset(start + 1 + rest, 0, gone + 1);
  return start + 1;
}

/* The password reaches to the last '@', since one may stand in it unescaped.
 * Whichever option is the secret one, none of the values is needed to tell
 * one process from another. */
static void
hide_url(char *rest)
{
  char *last_at = strrchr(rest, '@');
  char *colon = strchr(rest, ':');
  char *at;

  if (last_at != NULL && colon != NULL && colon < last_at)
    (void)squeeze(colon + 1, last_at);
  at = strpbrk(rest, "?&");
  while (at != NULL) {
    char *value = strchr(at, '=');

    if (value == NULL)
      return;
    value++;
    at = squeeze(value, value + strcspn(value, "&"));
    at = strchr(at, '&');
  }
}

void
args_hide(int argc, char **argv)
{
  int i;

  for (i = 1; i < argc; i++) {
    char *scheme_end = strstr(argv[i], "://");

    if (scheme_end != NULL)
      hide_url(scheme_end + 3);
  }
}
