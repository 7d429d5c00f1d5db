/* Reading files, and telling which of them can be trusted.
 *
 * A shared object that we load runs with our rights, so whoever could have
 * put it there has our rights too. The walk below looks at every step of the
 * path through a descriptor of that very step: a check by name could be
 * answered by one file and the use by another. */
#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "strbuf.h"
#include "text.h"

/* As the kernel. */
#define LINKS_MAX 40

/* Bytes of all names of one folder. */
#define LIST_MAX ((size_t)16 << 20)

/* A path longer than this is told by its end, so that the cause fits as well.
 */
#define SHOWN_MAX 320

#define OPEN_READ_FLAGS (O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

/* Written by group or others. */
#define FOREIGN_WRITE (S_IWGRP | S_IWOTH)

/* Our words for what a path usually fails with; strerror() is not
 * thread-safe. */
struct errno_row {
  int number;
  enum tn_code code;
  const char *text;
};

static const struct errno_row errno_rows[] = {
  { ENOENT, TN_E_NOT_FOUND, "no such file or folder" },
  { ENOTDIR, TN_E_NOT_FOUND, "part of the path is not a folder" },
  { EACCES, TN_E_PERMISSION, "permission denied" },
  { EPERM, TN_E_PERMISSION, "not permitted" },
  { ELOOP, TN_E_IO, "too many symbolic links" },
  { ENAMETOOLONG, TN_E_IO, "the name is too long" },
  { EISDIR, TN_E_IO, "is a folder" },
  { EIO, TN_E_IO, "input/output error" },
  { EMFILE, TN_E_LIMIT, "this process has too many open files" },
  { ENFILE, TN_E_LIMIT, "the system has too many open files" },
  { ENOMEM, TN_E_MEMORY, "out of memory" },
};

static enum tn_code
fail(const char *path, enum tn_code code, const char *cause, tn_err *err)
{
  size_t size = strlen(path);
  const char *shown = path;

  if (size <= SHOWN_MAX)
    return tn_err_set(err, code, "%s: %s", path, cause);
  shown += size - SHOWN_MAX;
  while (((unsigned char)*shown & 0xC0) == 0x80) /* to a character's edge */
    shown++;
  return tn_err_set(err, code, "...%s: %s", shown, cause);
}

static enum tn_code
fail_errno(const char *path, int number, tn_err *err)
{
  char cause[32];

  for (size_t i = 0; i < TN_COUNT(errno_rows); i++) {
    if (errno_rows[i].number == number)
      return fail(path, errno_rows[i].code, errno_rows[i].text, err);
  }
  snprintf(cause, sizeof(cause), "error number %d", number);
  return fail(path, TN_E_IO, cause, err);
}

static void
close_fd(int *fd)
{
  if (*fd >= 0)
    close(*fd);
  *fd = -1;
}

static void
close_folder(DIR **folder)
{
  if (*folder != NULL)
    closedir(*folder);
  *folder = NULL;
}

/* ------------------------------------------------------------------ */
/* Trust                                                               */

/* Where the walk has come to. */
struct walk {
  int folder;              /* descriptor of the folder `done` */
  struct stat folder_stat; /* and what was checked of it */
  char done[PATH_MAX];     /* the folder, without links; "" is the root */
  char left[PATH_MAX];     /* what remains of the path */
  char name[NAME_MAX + 1]; /* the step being taken */
  char step[PATH_MAX];     /* its whole path, for messages */
  unsigned links;          /* followed so far */
};

static void
walk_end(struct walk *walk)
{
  close_fd(&walk->folder);
}

static bool
is_ours(uid_t owner)
{
  return owner == 0 || owner == geteuid();
}

static enum tn_code
refuse(const char *path, const struct stat *st, const char *problem,
       tn_err *err)
{
  char cause[160];

  snprintf(cause, sizeof(cause), "owner %lu, mode %04o: %s",
           (unsigned long)st->st_uid, (unsigned)st->st_mode & 07777, problem);
  return fail(path, TN_E_PERMISSION, cause, err);
}

static enum tn_code
check_owner(const char *path, const struct stat *st, tn_err *err)
{
  if (is_ours(st->st_uid))
    return TN_OK;
  return refuse(path, st,
                "belongs neither to root nor to the effective user; chown it",
                err);
}

static enum tn_code
check_mode(const char *path, const struct stat *st, tn_err *err)
{
  if ((st->st_mode & FOREIGN_WRITE) == 0)
    return TN_OK;
  return refuse(path, st,
                (st->st_mode & S_IWOTH) != 0
                    ? "others may write here; chmod go-w"
                    : "its group may write here; chmod go-w",
                err);
}

/* In root's folder with the sticky bit only the owner of an entry can replace
 * it, and each entry on our way is ours or root's. */
static bool
is_shared(const struct stat *st)
{
  return st->st_uid == 0 && (st->st_mode & S_ISVTX) != 0 &&
         (st->st_mode & FOREIGN_WRITE) != 0;
}

static enum tn_code
check_folder(const char *path, const struct stat *st, tn_err *err)
{
  enum tn_code rc = check_owner(path, st, err);

  if (rc != TN_OK || is_shared(st))
    return rc;
  return check_mode(path, st, err);
}

/* Make the folder behind `*fd`, which was checked, the one the walk is in. */
static void
enter(struct walk *walk, int *fd, const struct stat *st)
{
  close_fd(&walk->folder);
  walk->folder = *fd;
  walk->folder_stat = *st;
  *fd = -1;
}

static enum tn_code
enter_root(struct walk *walk, tn_err *err)
{
  TN_CLEANUP(close_fd)
  int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  struct stat st;
  enum tn_code rc;

  if (fd < 0 || fstat(fd, &st) != 0)
    return fail_errno("/", errno, err);
  rc = check_folder("/", &st, err);
  if (rc != TN_OK)
    return rc;
  enter(walk, &fd, &st);
  walk->done[0] = '\0';
  return TN_OK;
}

/* Move the next step of `left` to `name`, passing over "." and empty ones;
 * `name` is "" when there are no more. */
static enum tn_code
next_step(struct walk *walk, tn_err *err)
{
  const char *from = walk->left;
  size_t size;

  do {
    from += strspn(from, "/");
    size = strcspn(from, "/");
    if (size >= sizeof(walk->name))
      return fail_errno(walk->left, ENAMETOOLONG, err);
    memcpy(walk->name, from, size);
    walk->name[size] = '\0';
    from += size;
  } while (strcmp(walk->name, ".") == 0);

  memmove(walk->left, from, strlen(from) + 1);
  return TN_OK;
}

/* Put the path of `name` into `step`; ".." takes the last name away. */
static enum tn_code
name_step(struct walk *walk, tn_err *err)
{
  size_t done = strlen(walk->done), name = strlen(walk->name);

  if (strcmp(walk->name, "..") == 0) {
    const char *last = strrchr(walk->done, '/');

    done = last != NULL ? (size_t)(last - walk->done) : 0;
    memcpy(walk->step, walk->done, done);
    walk->step[done] = '\0';
    return TN_OK;
  }
  if (done + 1 + name >= sizeof(walk->step))
    return fail_errno(walk->done, ENAMETOOLONG, err);
  memcpy(walk->step, walk->done, done);
  walk->step[done] = '/';
  memcpy(walk->step + done + 1, walk->name, name + 1);
  return TN_OK;
}

/* Put the target of the link behind `fd` before what is left of the path. */
static enum tn_code
follow_link(struct walk *walk, int fd, const struct stat *st, tn_err *err)
{
  char target[PATH_MAX];
  size_t left = strlen(walk->left);
  ssize_t size;
  enum tn_code rc;

  /* The mode of a link means nothing; its owner may point it elsewhere. */
  rc = check_owner(walk->step, st, err);
  if (rc != TN_OK)
    return rc;
  if (++walk->links > LINKS_MAX)
    return fail_errno(walk->step, ELOOP, err);
  size = readlinkat(fd, "", target, sizeof(target));
  if (size < 0)
    return fail_errno(walk->step, errno, err);
  if ((size_t)size + 1 + left >= sizeof(walk->left))
    return fail_errno(walk->step, ENAMETOOLONG, err);

  memmove(walk->left + size + 1, walk->left, left + 1);
  memcpy(walk->left, target, (size_t)size);
  walk->left[size] = '/';
  return target[0] == '/' ? enter_root(walk, err) : TN_OK;
}

static bool
is_last(const struct walk *walk)
{
  return walk->left[strspn(walk->left, "/")] == '\0';
}

/* Open the file `name`, of which `checked` is known, for reading. Nobody but
 * those we trust could exchange it since; make sure all the same. */
static enum tn_code
open_checked(const struct walk *walk, const struct stat *checked, int *ret_fd,
             tn_err *err)
{
  static const char exchanged[] = "exchanged while it was being checked";
  TN_CLEANUP(close_fd)
  int fd = openat(walk->folder, walk->name, OPEN_READ_FLAGS | O_NOFOLLOW);
  struct stat st;
  int flags;

  if (fd < 0 && errno == EACCES)
    return refuse(walk->step, checked, "the effective user may not read it",
                  err);
  if (fd < 0 && errno == ELOOP) /* it was no link a moment ago */
    return refuse(walk->step, checked, exchanged, err);
  if (fd < 0 || fstat(fd, &st) != 0)
    return fail_errno(walk->step, errno, err);
  if (st.st_dev != checked->st_dev || st.st_ino != checked->st_ino)
    return refuse(walk->step, &st, exchanged, err);
  flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) != 0)
    return fail_errno(walk->step, errno, err);
  *ret_fd = fd;
  fd = -1;
  return TN_OK;
}

/* The last step: a file, in a folder where nobody else can put any. */
static enum tn_code
open_file(const struct walk *walk, const struct stat *st, int *ret_fd,
          tn_err *err)
{
  const char *folder = walk->done[0] != '\0' ? walk->done : "/";
  enum tn_code rc;

  if (!S_ISREG(st->st_mode))
    return fail(walk->step, TN_E_IO, "not a regular file", err);
  if (is_shared(&walk->folder_stat))
    return refuse(folder, &walk->folder_stat,
                  "everybody may put files here; use another folder", err);
  rc = check_owner(walk->step, st, err);
  if (rc == TN_OK)
    rc = check_mode(walk->step, st, err);
  if (rc != TN_OK)
    return rc;
  return open_checked(walk, st, ret_fd, err);
}

/* Take the step `name`: into a folder, along a link, or to the file, which
 * fills `*ret_fd`. */
static enum tn_code
take_step(struct walk *walk, int *ret_fd, tn_err *err)
{
  TN_CLEANUP(close_fd) int fd = -1;
  struct stat st;
  enum tn_code rc;

  rc = name_step(walk, err);
  if (rc != TN_OK)
    return rc;
  fd = openat(walk->folder, walk->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &st) != 0)
    return fail_errno(walk->step, errno, err);
  if (S_ISLNK(st.st_mode))
    return follow_link(walk, fd, &st, err);
  if (!S_ISDIR(st.st_mode) && is_last(walk))
    return open_file(walk, &st, ret_fd, err);
  if (!S_ISDIR(st.st_mode))
    return fail_errno(walk->step, ENOTDIR, err);

  rc = check_folder(walk->step[0] != '\0' ? walk->step : "/", &st, err);
  if (rc != TN_OK)
    return rc;
  enter(walk, &fd, &st);
  memcpy(walk->done, walk->step, strlen(walk->step) + 1);
  return TN_OK;
}

enum tn_code
tn_file_open_trusted(const char *path, int *ret_fd, tn_err *err)
{
  TN_CLEANUP(walk_end) struct walk walk = { .folder = -1 };
  size_t size = strlen(path);
  int fd = -1;
  enum tn_code rc;

  if (path[0] != '/')
    return fail(path, TN_E_USAGE, "not an absolute path", err);
  if (size >= sizeof(walk.left))
    return fail_errno(path, ENAMETOOLONG, err);
  memcpy(walk.left, path, size + 1);

  rc = enter_root(&walk, err);
  while (rc == TN_OK && fd < 0) {
    rc = next_step(&walk, err);
    if (rc == TN_OK && walk.name[0] == '\0')
      return fail(path, TN_E_IO, "a folder, not a regular file", err);
    if (rc == TN_OK)
      rc = take_step(&walk, &fd, err);
  }
  if (rc == TN_OK)
    *ret_fd = fd;
  return rc;
}

/* ------------------------------------------------------------------ */
/* Reading                                                             */

/* A file's bytes, which may be a secret: wiped before they are released. */
struct content {
  char *bytes;
  size_t size;
  size_t capacity;
};

static void
content_clear(struct content *content)
{
  if (content->bytes != NULL)
    tn_memory_wipe(content->bytes, content->capacity);
  tn_memory_free(content->bytes);
  content->bytes = NULL;
}

/* Not tn_memory_resize(), which would leave a copy of a secret behind. */
static bool
content_grow(struct content *content, size_t capacity)
{
  char *bytes = tn_memory_alloc(capacity);
  size_t size = content->size;

  if (bytes == NULL)
    return false;
  if (size > 0)
    memcpy(bytes, content->bytes, size);
  content_clear(content);
  *content = (struct content){ bytes, size, capacity };
  return true;
}

static enum tn_code
fail_limit(const char *name, size_t max, tn_err *err)
{
  char cause[64];

  snprintf(cause, sizeof(cause), "longer than %zu bytes", max);
  return fail(name, TN_E_LIMIT, cause, err);
}

/* Read to the end. There is always room for a byte more than the file seemed
 * to have: it tells whether the file has grown, and then holds the NUL. */
static enum tn_code
read_to_end(int fd, const char *name, size_t max, struct content *content,
            tn_err *err)
{
  for (;;) {
    size_t room = content->capacity - content->size;
    ssize_t got = read(fd, content->bytes + content->size, room);

    if (got == 0)
      return TN_OK;
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return fail_errno(name, errno, err);
    content->size += (size_t)got;
    if (content->size > max)
      return fail_limit(name, max, err);
    if (content->size < content->capacity)
      continue;
    if (!content_grow(content, max / 2 >= content->capacity
                                   ? content->capacity * 2
                                   : max + 1))
      return fail_errno(name, ENOMEM, err);
  }
}

enum tn_code
tn_file_read_fd(int fd, const char *name, size_t max, char **ret_text,
                size_t *ret_size, tn_err *err)
{
  TN_CLEANUP(content_clear) struct content content = { 0 };
  struct stat st;
  enum tn_code rc;

  if (max > PTRDIFF_MAX - 1)
    max = PTRDIFF_MAX - 1;
  if (fstat(fd, &st) != 0)
    return fail_errno(name, errno, err);
  if (!S_ISREG(st.st_mode))
    return fail(name, TN_E_IO, "not a regular file", err);
  if (st.st_size > 0 && (uint64_t)st.st_size > max)
    return fail_limit(name, max, err);
  if (!content_grow(&content, (size_t)st.st_size + 1))
    return fail_errno(name, ENOMEM, err);

  rc = read_to_end(fd, name, max, &content, err);
  if (rc != TN_OK)
    return rc;
  content.bytes[content.size] = '\0';
  *ret_text = content.bytes;
  *ret_size = content.size;
  content.bytes = NULL;
  return TN_OK;
}

enum tn_code
tn_file_read(const char *path, size_t max, char **ret_text, size_t *ret_size,
             tn_err *err)
{
  /* O_NONBLOCK: opening a fifo must not wait for somebody to write. */
  TN_CLEANUP(close_fd) int fd = open(path, OPEN_READ_FLAGS);

  if (fd < 0)
    return fail_errno(path, errno, err);
  return tn_file_read_fd(fd, path, max, ret_text, ret_size, err);
}

/* ------------------------------------------------------------------ */
/* Listing                                                             */

static bool
is_listed(const char *name, const char *suffix)
{
  size_t size = strlen(name), suffix_size = strlen(suffix);

  return name[0] != '.' && size >= suffix_size &&
         strcmp(name + size - suffix_size, suffix) == 0;
}

/* Add the names to `names`, each ended by NUL. */
static enum tn_code
collect(const char *path, const char *suffix, struct tn_strbuf *names,
        size_t *count, tn_err *err)
{
  TN_CLEANUP(close_folder) DIR *folder = opendir(path);
  const struct dirent *entry;

  if (folder == NULL && errno == ENOENT)
    return TN_OK;
  if (folder == NULL && errno == ENOTDIR)
    return fail(path, TN_E_IO, "not a folder", err);
  if (folder == NULL)
    return fail_errno(path, errno, err);

  while ((void)(errno = 0), (entry = readdir(folder)) != NULL) {
    if (!is_listed(entry->d_name, suffix))
      continue;
    tn_strbuf_add(names, entry->d_name, strlen(entry->d_name) + 1);
    ++*count;
  }
  if (errno != 0)
    return fail_errno(path, errno, err);
  return tn_strbuf_status(names, path, err);
}

static int
compare_names(const void *a, const void *b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

enum tn_code
tn_file_list(const char *path, const char *suffix, char ***ret_names,
             size_t *ret_count, tn_err *err)
{
  TN_CLEANUP(tn_strbuf_clear)
  struct tn_strbuf text = TN_STRBUF_INIT(LIST_MAX);
  size_t count = 0;
  char **names = NULL, *next;
  enum tn_code rc;

  rc = collect(path, suffix, &text, &count, err);
  if (rc != TN_OK)
    return rc;
  if (count > 0) {
    names = tn_memory_alloc(count * sizeof(*names) + text.size);
    if (names == NULL)
      return fail_errno(path, ENOMEM, err);
    next = memcpy(names + count, text.data, text.size);
    for (size_t i = 0; i < count; i++, next += strlen(next) + 1)
      names[i] = next;
    qsort(names, count, sizeof(*names), compare_names);
  }
  *ret_names = names;
  *ret_count = count;
  return TN_OK;
}
