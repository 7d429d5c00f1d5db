/* The journal of systemd as a sink of the log.
 *
 * Its native protocol is one datagram an entry, documented and kept stable
 * (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/): less than what it takes to
 * load a library for it, and no program depends on systemd. An entry too large
 * for a datagram would go in a file of memory; a line of the log is four
 * kilobytes at most, so there is none. */
#include "journal.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#define JOURNAL_PATH    "/run/systemd/journal/socket"
#define IDENTIFIER_SIZE 128
#define FIELDS_SIZE     512
#define SUBJECT_MAX     64

struct tn_journal {
  int fd;
  struct sockaddr_un address; /* named each time: journald may be started again
                                 with another socket of that name */
  char identifier[IDENTIFIER_SIZE];
  struct tn_log log;
  _Atomic uint64_t lost;
};

/* As syslog has them. */
static const unsigned char priorities[] = {
  [TN_LOG_ERROR] = 3,
  [TN_LOG_WARNING] = 4,
  [TN_LOG_INFO] = 6,
  [TN_LOG_DEBUG] = 7,
};

/* Bytes of "pool" in "pool: …" and of "statement" in "statement of …"; 0 if the
 * line does not begin like that. */
static size_t
subject_of(const char *line)
{
  size_t size = strspn(line, "abcdefghijklmnopqrstuvwxyz_-");

  if (size > SUBJECT_MAX ||
      (line[size] != ':' && strncmp(line + size, " of ", 4) != 0))
    return 0;
  return size;
}

/* All fields but the message, which end where its size has its place. */
static size_t
print_fields(const tn_journal *journal, uint32_t level, uint64_t lost,
             const char *line, char out[FIELDS_SIZE])
{
  size_t subject = subject_of(line);
  int size = snprintf(out, FIELDS_SIZE, "PRIORITY=%u\nSYSLOG_IDENTIFIER=%s\n",
                      (unsigned)priorities[level], journal->identifier);

  if (subject > 0)
    size += snprintf(out + size, FIELDS_SIZE - (size_t)size,
                     "TENON_SUBJECT=%.*s\n", (int)subject, line);
  if (lost > 0)
    size += snprintf(out + size, FIELDS_SIZE - (size_t)size,
                     "TENON_LOST=%llu\n", (unsigned long long)lost);
  size += snprintf(out + size, FIELDS_SIZE - (size_t)size, "MESSAGE\n");
  return (size_t)size;
}

/* Eight bytes, the lowest first. */
static void
put_size(unsigned char out[8], uint64_t size)
{
  int i;

  for (i = 0; i < 8; i++)
    out[i] = (unsigned char)(size >> 8 * i);
}

static bool
send_entry(tn_journal *journal, uint32_t level, uint64_t lost, const char *line)
{
  char fields[FIELDS_SIZE];
  char end[] = "\n";
  unsigned char size[8];
  struct iovec parts[] = {
    { fields, print_fields(journal, level, lost, line, fields) },
    { size, sizeof size },
    { (void *)(uintptr_t)line, strlen(line) },
    { end, 1 },
  };
  const struct msghdr message = { .msg_name = &journal->address,
                                  .msg_namelen = sizeof journal->address,
                                  .msg_iov = parts,
                                  .msg_iovlen = TN_COUNT(parts) };

  put_size(size, strlen(line));
  return sendmsg(journal->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

/* The sink's write(). Who logs must not see another errno afterwards. */
static void
write_line(uint32_t level, const char *line, void *user)
{
  tn_journal *journal = user;
  uint64_t lost = atomic_exchange(&journal->lost, 0);
  int saved = errno;

  if (!send_entry(journal, level, lost, line))
    atomic_fetch_add(&journal->lost, lost + 1);
  errno = saved;
}

static enum tn_code
refuse_socket(tn_err *err)
{
  char text[128];

  return tn_err_set(err, TN_E_LIMIT, "journal: no socket to be had: %s",
                    strerror_r(errno, text, sizeof text));
}

/* Is somebody there who reads? */
static enum tn_code
look(const tn_journal *journal, tn_err *err)
{
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  int failure = 0;
  char text[128];

  if (fd < 0)
    return refuse_socket(err);
  if (connect(fd, (const struct sockaddr *)&journal->address,
              sizeof journal->address) != 0)
    failure = errno;
  close(fd);
  if (failure == 0)
    return TN_OK;
  return tn_err_set(err, TN_E_CONNECT,
                    "journal: cannot write to %s: %s; is systemd-journald "
                    "running?",
                    journal->address.sun_path,
                    strerror_r(failure, text, sizeof text));
}

static enum tn_code
set_up(tn_journal *journal, const char *path, const char *identifier,
       tn_err *err)
{
  if (identifier == NULL)
    identifier = program_invocation_short_name;
  if (identifier[strcspn(identifier, "\n")] != '\0' ||
      strlen(identifier) >= sizeof journal->identifier)
    return tn_err_set(err, TN_E_USAGE,
                      "journal: the identifier must be one line of at most %d "
                      "bytes",
                      IDENTIFIER_SIZE - 1);
  memcpy(journal->identifier, identifier, strlen(identifier) + 1);
  journal->address.sun_family = AF_UNIX;
  if (strlen(path) >= sizeof journal->address.sun_path)
    return tn_err_set(err, TN_E_USAGE, "journal: %s is too long a path", path);
  memcpy(journal->address.sun_path, path, strlen(path) + 1);
  return look(journal, err);
}

enum tn_code
tn_journal__open(const char *path, const char *identifier, uint32_t level,
                 tn_journal **ret, tn_err *err)
{
  TN_CLEANUP(tn_journal_close) tn_journal *journal = NULL;
  enum tn_code rc;

  if (level < TN_LOG_ERROR || level > TN_LOG_DEBUG)
    return tn_err_set(err, TN_E_USAGE, "journal: %u is no level of the log",
                      (unsigned)level);
  journal = tn_memory_zalloc(sizeof *journal);
  if (journal == NULL)
    return tn_err_memory(err, "journal");
  journal->fd = -1;
  rc = set_up(journal, path, identifier, err);
  if (rc != TN_OK)
    return rc;
  journal->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (journal->fd < 0)
    return refuse_socket(err);
  journal->log = (struct tn_log){ level, 0, write_line, journal };
  *ret = journal;
  journal = NULL;
  return TN_OK;
}

enum tn_code
tn_journal_open(const char *identifier, uint32_t level, tn_journal **ret,
                tn_err *err)
{
  return tn_journal__open(JOURNAL_PATH, identifier, level, ret, err);
}

const struct tn_log *
tn_journal_log(const tn_journal *journal)
{
  return &journal->log;
}

void
tn_journal_close(tn_journal **journal)
{
  if (journal == NULL || *journal == NULL)
    return;
  if ((*journal)->fd >= 0)
    close((*journal)->fd);
  tn_memory_free(*journal);
  *journal = NULL;
}
