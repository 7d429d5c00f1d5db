/* Where the shell's history is kept: $XDG_STATE_HOME/tenon/history, by the rule
 * of https://specifications.freedesktop.org/basedir-spec. It holds what people
 * typed, so nobody else may read it. */
#include "history.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

static const char file_name[] = "tenon/history";

/* An absolute path from the environment; NULL if it is not given, or relative,
 * which the rule says to ignore. */
static const char *
folder_from(const char *variable)
{
  const char *path = secure_getenv(variable);

  return path != NULL && path[0] == '/' ? path : NULL;
}

static bool
make_folders(char *path)
{
  char *slash;

  for (slash = strchr(path + 1, '/'); slash != NULL;
       slash = strchr(slash + 1, '/')) {
    int status;

    *slash = '\0';
    status = mkdir(path, S_IRWXU);
    *slash = '/';
    if (status != 0 && errno != EEXIST)
      return false;
  }
  return true;
}

char *
history_path(void)
{
  const char *state = folder_from("XDG_STATE_HOME");
  const char *home = folder_from("HOME");
  char *path = NULL;
  int length = -1;

  if (getauxval(AT_SECURE) != 0)
    return NULL;
  if (state != NULL)
    length = asprintf(&path, "%s/%s", state, file_name);
  else if (home != NULL)
    length = asprintf(&path, "%s/.local/state/%s", home, file_name);
  if (length < 0)
    return NULL;
  if (make_folders(path))
    return path;
  free(path);
  return NULL;
}

/* A link, to /dev/null say, or a file that may not be written is somebody's
 * wish, and stays. */
static bool
is_ours(const char *path)
{
  struct stat status;

  if (lstat(path, &status) != 0)
    return errno == ENOENT;
  return S_ISREG(status.st_mode) && (status.st_mode & S_IWUSR) != 0;
}

static bool
write_all(int fd, history_write_fn write, void *user)
{
  FILE *stream = fdopen(fd, "w");
  bool is_written;

  if (stream == NULL) {
    (void)close(fd);
    return false;
  }
  is_written = write(stream, user);
  is_written = fflush(stream) == 0 && ferror(stream) == 0 && is_written;
  return fclose(stream) == 0 && is_written;
}

void
history_save(const char *path, history_write_fn write, void *user)
{
  char *fresh = NULL;
  int fd;

  if (!is_ours(path) || asprintf(&fresh, "%s.XXXXXX", path) < 0)
    return;
  fd = mkostemp(fresh, O_CLOEXEC);
  if (fd >= 0 && (!write_all(fd, write, user) || rename(fresh, path) != 0))
    (void)unlink(fresh);
  free(fresh);
}

bool
history_wants(const char *text)
{
  static const char *const secret[] = { "password", "passwd", "identified",
                                        "secret" };
  size_t i;

  if (text[0] == '\0' || text[0] == ' ' || text[0] == '\t')
    return false;
  for (i = 0; i < sizeof secret / sizeof secret[0]; i++)
    if (strcasestr(text, secret[i]) != NULL)
      return false;
  return true;
}
