/* Which files make up a configuration, and whether they can be trusted.
 *
 * A package ships a file, an administrator adds a folder of overrides to it,
 * and a container brings its own path. Whoever can write one of these decides
 * which server gets our data and our password, so files that others may write
 * are refused; and since an override that is not read is as bad as a wrong
 * one, a file that cannot be read is an error, never skipped. */
#include "config_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "strbuf.h"

#ifndef TN_SYSCONFDIR
#error "TN_SYSCONFDIR must be defined as the folder of configurations, a string"
#endif

/* Two of the longest that the kernel takes, so that it is the kernel who
 * refuses. */
#define PATH_BYTES 8192

/* Bytes of one file. A sample nova.conf with all its comments has half of one
 * megabyte. */
#define FILE_MAX ((size_t)16 << 20)

static const char usual_path[] = TN_SYSCONFDIR "/tenon/tenon.ini";
static const char path_variable[] = "TENON_CONFIG";
static const char common_folder[] = "conf.d";
static const char own_suffix[] = ".d";
static const char part_suffix[] = ".conf";

struct loading {
  tn_config *config;
  const struct tn_log *log;
};

/* ------------------------------------------------------------------ */
/* Opening and judging                                                 */

static enum tn_code
fail_errno(const char *path, int number, tn_err *err)
{
  char text[128];

  return tn_err_set(err, number == ENOENT ? TN_E_NOT_FOUND : TN_E_IO, "%s: %s",
                    path, strerror_r(number, text, sizeof(text)));
}

void
tn_config__close(int *fd)
{
  if (fd == NULL || *fd < 0)
    return;
  (void)close(*fd);
  *fd = -1;
}

enum tn_code
tn_config__open(const char *path, int *ret_fd, struct stat *ret_status,
                tn_err *err)
{
  int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  enum tn_code rc;

  if (fd < 0)
    return fail_errno(path, errno, err);
  if (fstat(fd, ret_status) != 0) {
    rc = fail_errno(path, errno, err);
    tn_config__close(&fd);
    return rc;
  }
  *ret_fd = fd;
  return TN_OK;
}

enum tn_code
tn_config__check_writers(const char *path, const struct stat *status,
                         tn_err *err)
{
  mode_t mode = status->st_mode & 07777;

  if (status->st_uid != 0 && status->st_uid != geteuid())
    return tn_err_set(err, TN_E_CONFIG,
                      "%s: belongs to user %lu, who may change it; it must be "
                      "root's or user %lu's",
                      path, (unsigned long)status->st_uid,
                      (unsigned long)geteuid());
  if ((mode & S_IWOTH) != 0)
    return tn_err_set(err, TN_E_CONFIG,
                      "%s: may be written by every user (mode %04o); run chmod "
                      "o-w on it",
                      path, (unsigned)mode);
  if ((mode & S_IWGRP) != 0 && status->st_gid != 0)
    return tn_err_set(err, TN_E_CONFIG,
                      "%s: may be written by group %lu (mode %04o); run chmod "
                      "g-w on it",
                      path, (unsigned long)status->st_gid, (unsigned)mode);
  return TN_OK;
}

/* The header promises few codes: what is neither memory nor a matter of the
 * configuration is TN_E_IO. */
static enum tn_code
as_promised(enum tn_code code, const tn_err *cause, tn_err *err)
{
  if (code == TN_OK)
    return TN_OK;
  if (code != TN_E_MEMORY && code != TN_E_CONFIG)
    code = TN_E_IO;
  return tn_err_set(err, code, "config: %s", cause->message);
}

/* ------------------------------------------------------------------ */
/* One file                                                            */

static enum tn_code
read_text(struct loading *loading, const char *path, const struct stat *status,
          const char *text, size_t size, tn_err *err)
{
  struct tn_config_file *file = tn_config__add_file(loading->config, path);
  enum tn_code rc;

  if (file == NULL)
    return tn_err_memory(err, "config");
  rc = tn_config__read(loading->config, text, size, file, loading->log, err);
  if (rc == TN_OK && file->has_secret && (status->st_mode & S_IROTH) != 0)
    tn_log_write(loading->log, TN_LOG_WARNING,
                 "%s: a secret stands in it and every user may read it (mode "
                 "%04o); run chmod o-r on it",
                 path, (unsigned)(status->st_mode & 07777));
  return rc;
}

static enum tn_code
read_open(struct loading *loading, const char *path, int fd,
          const struct stat *status, tn_err *err)
{
  tn_err cause = TN_ERR_INIT;
  char *text = NULL;
  size_t size = 0;
  enum tn_code rc;

  rc = tn_config__check_writers(path, status, &cause);
  if (rc == TN_OK)
    rc = tn_file_read_fd(fd, path, FILE_MAX, &text, &size, &cause);
  if (rc != TN_OK)
    return as_promised(rc, &cause, err);

  rc = read_text(loading, path, status, text, size, err);
  tn_memory_wipe(text, size);
  tn_memory_free(text);
  return rc;
}

/* The file the configuration begins with. */
static enum tn_code
read_main(struct loading *loading, const char *path, bool may_be_absent,
          tn_err *err)
{
  TN_CLEANUP(tn_config__close) int fd = -1;
  tn_err cause = TN_ERR_INIT;
  struct stat status = { 0 };
  enum tn_code rc;

  rc = tn_config__open(path, &fd, &status, &cause);
  if (rc == TN_E_NOT_FOUND && may_be_absent)
    return TN_OK;
  if (rc != TN_OK)
    return as_promised(rc, &cause, err);
  if (!S_ISREG(status.st_mode))
    return tn_err_set(err, TN_E_IO, "config: %s: not a regular file", path);
  return read_open(loading, path, fd, &status, err);
}

/* A file of the folder. */
static enum tn_code
read_part(struct loading *loading, const char *path, tn_err *err)
{
  TN_CLEANUP(tn_config__close) int fd = -1;
  tn_err cause = TN_ERR_INIT;
  struct stat status = { 0 };
  enum tn_code rc;

  rc = tn_config__open(path, &fd, &status, &cause);
  if (rc != TN_OK)
    return as_promised(rc, &cause, err);
  if (S_ISREG(status.st_mode))
    return read_open(loading, path, fd, &status, err);
  tn_log_write(loading->log, TN_LOG_INFO, "%s: not a regular file, not read",
               path);
  return TN_OK;
}

/* ------------------------------------------------------------------ */
/* The folder beside it                                                */

/* Is there anything of that name? */
static enum tn_code
look(const char *path, bool *ret_is_there, struct stat *ret, tn_err *err)
{
  tn_err cause = TN_ERR_INIT;

  *ret_is_there = stat(path, ret) == 0;
  if (*ret_is_there || errno == ENOENT || errno == ENOTDIR)
    return TN_OK;
  return as_promised(fail_errno(path, errno, &cause), &cause, err);
}

static bool
is_same_file(const struct stat *a, const struct stat *b)
{
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Of `own` and `common`, the one that is there; NULL: neither. Its status goes
 * to `*ret_status`. */
static enum tn_code
choose_folder(const char *own, const char *common, const char **ret,
              struct stat *ret_status, tn_err *err)
{
  struct stat of_common;
  bool has_own, has_common;
  enum tn_code rc;

  *ret = NULL;
  rc = look(own, &has_own, ret_status, err);
  if (rc == TN_OK)
    rc = look(common, &has_common, &of_common, err);
  if (rc != TN_OK)
    return rc;
  if (has_own && has_common && !is_same_file(ret_status, &of_common))
    return tn_err_set(err, TN_E_CONFIG,
                      "config: both %s and %s are there; keep the first, and "
                      "move the files of the second into it",
                      own, common);
  if (has_own)
    *ret = own;
  else if (has_common) {
    *ret = common;
    *ret_status = of_common;
  }
  return TN_OK;
}

/* "#NAME.conf" is an editor's; tn_file_list() leaves out the others. */
static enum tn_code
read_parts(struct loading *loading, const char *folder, char **names,
           size_t count, tn_err *err)
{
  size_t i;

  for (i = 0; i < count; i++) {
    struct tn_strbuf path = TN_STRBUF_INIT(PATH_BYTES);
    enum tn_code rc;

    if (*names[i] == '#')
      continue;
    tn_strbuf_add_format(&path, "%s/%s", folder, names[i]);
    rc = tn_strbuf_status(&path, "config: path", err);
    if (rc == TN_OK)
      rc = read_part(loading, tn_strbuf_text(&path), err);
    tn_strbuf_clear(&path);
    if (rc != TN_OK)
      return rc;
  }
  return TN_OK;
}

static enum tn_code
read_folder(struct loading *loading, const char *folder,
            const struct stat *status, tn_err *err)
{
  tn_err cause = TN_ERR_INIT;
  char **names = NULL;
  size_t count = 0;
  enum tn_code rc;

  if (!S_ISDIR(status->st_mode))
    return tn_err_set(err, TN_E_IO, "config: %s: not a folder", folder);
  rc = tn_config__check_writers(folder, status, &cause);
  if (rc == TN_OK)
    rc = tn_file_list(folder, part_suffix, &names, &count, &cause);
  if (rc != TN_OK)
    return as_promised(rc, &cause, err);

  rc = read_parts(loading, folder, names, count, err);
  tn_memory_free(names);
  return rc;
}

static enum tn_code
read_beside(struct loading *loading, const char *path, tn_err *err)
{
  TN_CLEANUP(tn_strbuf_clear)
  struct tn_strbuf own = TN_STRBUF_INIT(PATH_BYTES);
  TN_CLEANUP(tn_strbuf_clear)
  struct tn_strbuf common = TN_STRBUF_INIT(PATH_BYTES);
  const char *slash = strrchr(path, '/');
  struct stat status = { 0 };
  const char *folder;
  enum tn_code rc;

  tn_strbuf_add_format(&own, "%s%s", path, own_suffix);
  if (slash != NULL)
    tn_strbuf_add(&common, path, (size_t)(slash - path) + 1);
  tn_strbuf_add_text(&common, common_folder);
  rc = tn_strbuf_status(&own, "config: path", err);
  if (rc == TN_OK)
    rc = tn_strbuf_status(&common, "config: path", err);
  if (rc != TN_OK)
    return rc;

  rc = choose_folder(tn_strbuf_text(&own), tn_strbuf_text(&common), &folder,
                     &status, err);
  if (rc != TN_OK || folder == NULL)
    return rc;
  return read_folder(loading, folder, &status, err);
}

/* ------------------------------------------------------------------ */
/* All of it                                                           */

/* Where to begin, if the caller does not say. */
static const char *
find_path(bool *ret_may_be_absent)
{
  const char *path = secure_getenv(path_variable);

  *ret_may_be_absent = path == NULL || *path == '\0';
  return *ret_may_be_absent ? usual_path : path;
}

enum tn_code
tn_config_load(const char *path, const struct tn_log *log, tn_config **ret,
               tn_err *err)
{
  TN_CLEANUP(tn_config_free) tn_config *config = tn_config__new();
  struct loading loading = { .config = config, .log = log };
  bool may_be_absent = false;
  enum tn_code rc;

  if (config == NULL)
    return tn_err_memory(err, "config");
  if (path == NULL)
    path = find_path(&may_be_absent);
  rc = read_main(&loading, path, may_be_absent, err);
  if (rc == TN_OK)
    rc = read_beside(&loading, path, err);
  if (rc == TN_OK)
    rc = tn_config__finish(config, log, err);
  if (rc != TN_OK)
    return rc;
  *ret = config;
  config = NULL;
  return TN_OK;
}
