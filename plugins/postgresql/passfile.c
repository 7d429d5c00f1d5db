/* Files of passwords
 * (https://www.postgresql.org/docs/current/libpq-pgpass.html).
 *
 * libpq would read them itself, but also one of the home folder, and it prints
 * what it does not like on the standard error. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pg_priv.h"

/* More than any such file has. */
#define FILE_MAX_BYTES (1 << 20)

static int32_t
refuse(struct tn_call *call, const char *path, const char *cause)
{
  return tn_fail(call, TN_E_CONFIG, "postgresql: option \"passfile\": %s: %s",
                 path, cause);
}

/* A colon or a backslash in a field has a backslash before it. Returns what
 * follows the field, its colon included. */
static const char *
read_field(const char *at, const char *end, char *text, size_t size)
{
  size_t used = 0;

  while (at < end && *at != ':') {
    if (*at == '\\' && at + 1 < end)
      at++;
    if (used + 1 < size)
      text[used++] = *at;
    at++;
  }
  text[used] = '\0';
  return at;
}

static bool
field_fits(const char **at, const char *end, const char *wanted)
{
  char text[PG__PASSWORD_MAX];

  *at = read_field(*at, end, text, sizeof text);
  if (*at < end)
    (*at)++; /* the colon */
  return strcmp(text, "*") == 0 || strcmp(text, wanted) == 0;
}

/* A unix socket of the usual folder is called localhost in such files; its own
 * name does as well. */
static bool
host_fits(const char **at, const char *end, const char *host)
{
  const char *start = *at;

  if (field_fits(at, end, host))
    return true;
  if (host[0] != '/')
    return false;
  *at = start;
  return field_fits(at, end, "localhost");
}

static bool
line_fits(const char **at, const char *end, const struct pg__passkey *key)
{
  return host_fits(at, end, key->host) && field_fits(at, end, key->port) &&
         field_fits(at, end, key->database) && field_fits(at, end, key->user);
}

void
pg__passfile_find(const char *text, size_t size, const struct pg__passkey *key,
                  char password[PG__PASSWORD_MAX])
{
  const char *end = text + size;

  password[0] = '\0';
  while (text < end) {
    const char *next = memchr(text, '\n', (size_t)(end - text));
    const char *line_end = next == NULL ? end : next;
    const char *at = text;

    if (line_end > text && line_end[-1] == '\r')
      line_end--;
    if (*text != '#' && line_fits(&at, line_end, key)) {
      (void)read_field(at, line_end, password, PG__PASSWORD_MAX);
      return;
    }
    text = next == NULL ? end : next + 1;
  }
}

static bool
read_whole(int fd, char *text, size_t size)
{
  size_t got = 0;

  while (got < size) {
    ssize_t some = read(fd, text + got, size - got);

    if (some < 0 && errno == EINTR)
      continue;
    if (some <= 0)
      return false;
    got += (size_t)some;
  }
  return true;
}

static int32_t
search(struct tn_call *call, int fd, const char *path,
       const struct pg__passkey *key, char password[PG__PASSWORD_MAX])
{
  struct stat status;
  size_t size;
  char *text;
  int32_t rc = TN_OK;

  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
    return refuse(call, path, "it is not a file");
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return refuse(call, path,
                  "others can read or write it; take that right away");
  if (status.st_size > FILE_MAX_BYTES)
    return refuse(call, path, "it is too long");
  size = (size_t)status.st_size;
  text = call->host->alloc(size + 1);
  if (text == NULL)
    return pg__fail_memory(call);
  if (read_whole(fd, text, size))
    pg__passfile_find(text, size, key, password);
  else
    rc = refuse(call, path, "it cannot be read");
  pg__wipe(text, size);
  call->host->release(text);
  return rc;
}

int32_t
pg__passfile(struct tn_call *call, const char *path,
             const struct pg__passkey *key, char password[PG__PASSWORD_MAX])
{
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  char buffer[128];
  int32_t rc;

  password[0] = '\0';
  if (fd < 0)
    return refuse(call, path, strerror_r(errno, buffer, sizeof buffer));
  rc = search(call, fd, path, key, password);
  close(fd);
  return rc;
}

/* Not to be left out as a write that nobody reads. */
void
pg__wipe(void *secret, size_t size)
{
  explicit_bzero(secret, size);
}
