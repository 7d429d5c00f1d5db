/* Secrets that stand elsewhere: env:NAME and file:PATH.
 *
 * A configuration is copied, shown, kept under version control and mailed. A
 * password does better in a place of its own. This file finds it there, and
 * refuses a file that other users could have read all the time. */
#include "config_priv.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "text.h"

/* Bytes of a secret in a file: a URL may be one. */
#define FILE_MAX ((size_t)65536)

static const char env_prefix[] = "env:";
static const char file_prefix[] = "file:";

/* What follows the prefix; NULL: `text` does not start with it. */
static const char *
after(const char *text, const char *prefix)
{
  size_t size = strlen(prefix);

  return strncmp(text, prefix, size) == 0 ? text + size : NULL;
}

static enum tn_code
copy_out(const char *text, char **ret, tn_err *err)
{
  char *copy = tn_memory_text(text, strlen(text));

  if (copy == NULL)
    return tn_err_memory(err, "secret");
  *ret = copy;
  return TN_OK;
}

/* ------------------------------------------------------------------ */
/* env:                                                                */

static bool
is_variable_name(const char *name)
{
  if (!tn_text_is_alpha(*name) && *name != '_')
    return false;
  while (tn_text_is_alpha(*name) || tn_text_is_digit(*name) || *name == '_')
    name++;
  return *name == '\0';
}

static enum tn_code
from_environment(const char *name, char **ret, tn_err *err)
{
  const char *value;

  /* What is no name may be a password that starts like one: do not show it. */
  if (!is_variable_name(name))
    return tn_err_set(err, TN_E_CONFIG,
                      "secret: what follows \"env:\" is not the name of a "
                      "variable");

  /* Who starts a process with raised privileges must not choose its secrets. */
  value = secure_getenv(name);
  if (value == NULL)
    return tn_err_set(err, TN_E_CONFIG,
                      "secret: environment variable %s is not set, or not read "
                      "because the process has raised privileges",
                      name);
  return copy_out(value, ret, err);
}

/* ------------------------------------------------------------------ */
/* file:                                                               */

/* As libpq judges key files: nobody but its owner may read it, but for a group
 * that root chose. */
static enum tn_code
check_readers(const char *path, const struct stat *status, tn_err *err)
{
  mode_t mode = status->st_mode & 07777;

  if (!S_ISREG(status->st_mode))
    return tn_err_set(err, TN_E_CONFIG, "secret: %s is not a regular file",
                      path);
  if ((mode & S_IROTH) != 0)
    return tn_err_set(err, TN_E_CONFIG,
                      "secret: %s may be read by every user (mode %04o); run "
                      "chmod o= on it",
                      path, (unsigned)mode);
  if ((mode & S_IRGRP) != 0 && status->st_uid != 0)
    return tn_err_set(err, TN_E_CONFIG,
                      "secret: %s may be read by a group (mode %04o) and is "
                      "not root's; run chmod go= on it",
                      path, (unsigned)mode);
  return tn_config__check_writers(path, status, err);
}

/* Judge and read the file. `*ret` is released with tn_memory_free(). */
static enum tn_code
read_secret(const char *path, char **ret, size_t *ret_size, tn_err *err)
{
  TN_CLEANUP(tn_config__close) int fd = -1;
  struct stat status = { 0 };
  enum tn_code rc;

  rc = tn_config__open(path, &fd, &status, err);
  if (rc != TN_OK)
    return rc;
  rc = check_readers(path, &status, err);
  if (rc != TN_OK)
    return rc;
  return tn_file_read_fd(fd, path, FILE_MAX, ret, ret_size, err);
}

/* One newline at the end is the editor's, not the secret's. */
static size_t
without_newline(const char *text, size_t size)
{
  if (size > 0 && text[size - 1] == '\n')
    size--;
  if (size > 0 && text[size] == '\n' && text[size - 1] == '\r')
    size--;
  return size;
}

static enum tn_code
from_file(const char *path, char **ret, tn_err *err)
{
  tn_err cause = TN_ERR_INIT;
  char *text = NULL;
  size_t size = 0;
  enum tn_code rc;

  /* It may be a password as well; and which file a relative path names depends
   * on where the process was started. */
  if (*path != '/')
    return tn_err_set(err, TN_E_CONFIG,
                      "secret: what follows \"file:\" is not an absolute path");
  rc = read_secret(path, &text, &size, &cause);
  if (rc == TN_E_MEMORY)
    return tn_err_memory(err, "secret");
  if (rc == TN_E_CONFIG)
    return tn_err_set(err, rc, "%s", cause.message);
  if (rc != TN_OK)
    return tn_err_set(err, TN_E_CONFIG, "secret: cannot be read: %s",
                      cause.message);

  if (memchr(text, '\0', size) != NULL) {
    tn_memory_wipe(text, size);
    tn_memory_free(text);
    return tn_err_set(err, TN_E_CONFIG, "secret: %s has a NUL byte in it",
                      path);
  }
  text[without_newline(text, size)] = '\0';
  *ret = text;
  return TN_OK;
}

/* ------------------------------------------------------------------ */
/* Both                                                                */

bool
tn_secret__is_reference(const char *text)
{
  return after(text, env_prefix) != NULL || after(text, file_prefix) != NULL;
}

enum tn_code
tn_secret_resolve(const char *text, char **ret, tn_err *err)
{
  if (after(text, env_prefix) != NULL)
    return from_environment(after(text, env_prefix), ret, err);
  if (after(text, file_prefix) != NULL)
    return from_file(after(text, file_prefix), ret, err);
  return copy_out(text, ret, err);
}

void
tn_secret_free(char **secret)
{
  if (secret == NULL || *secret == NULL)
    return;
  tn_memory_wipe(*secret, strlen(*secret));
  tn_memory_free(*secret);
  *secret = NULL;
}
