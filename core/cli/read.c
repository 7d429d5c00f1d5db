/* A whole file or standard input as text, within the command's deadline: a
 * pipe whose writer hangs, or never comes, must not hang the tool. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "display.h"

#define PIECE ((size_t)64 << 10)

static void
close_input(int *fd)
{
  if (*fd > STDIN_FILENO)
    (void)close(*fd);
  *fd = -1;
}

/* Wait until a read would not block, or the deadline. A named pipe is not ready
 * before its first writer has come, though reading it would say that it is at
 * its end. */
static enum tn_code
wait_readable(int fd, const char *name, tn_deadline deadline, tn_err *err)
{
  struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
  struct timespec left;

  for (;;) {
    int64_t rest = deadline - tn_clock_now();
    int ready;

    if (rest < 0)
      rest = 0;
    left.tv_sec = rest / 1000000000;
    left.tv_nsec = rest % 1000000000;
    ready = ppoll(&poll_fd, 1, deadline == 0 ? NULL : &left, NULL);
    if (ready > 0)
      return TN_OK;
    if (ready == 0)
      return tn_err_set(err, TN_E_TIMEOUT,
                        "%.200s: the deadline passed while reading", name);
    if (errno != EINTR)
      return tn_err_set(err, TN_E_IO, "%.200s: %s", name, strerror(errno));
  }
}

static enum tn_code
read_all(int fd, const char *name, tn_deadline deadline, struct display *text,
         tn_err *err)
{
  char *piece = malloc(PIECE);
  enum tn_code rc = TN_OK;
  ssize_t size = 1;

  if (piece == NULL)
    text->failed = true;
  while (rc == TN_OK && !text->failed && size > 0) {
    rc = wait_readable(fd, name, deadline, err);
    if (rc != TN_OK)
      break;
    size = read(fd, piece, PIECE);
    if (size >= 0)
      display_add(text, piece, (size_t)size);
    else if (errno == EINTR || errno == EAGAIN)
      size = 1;
    else
      rc = tn_err_set(err, TN_E_IO, "%.200s: %s", name, strerror(errno));
  }
  free(piece);
  if (text->failed)
    return tn_err_set(err, TN_E_MEMORY, "%.200s: out of memory", name);
  return rc;
}

enum tn_code
read_text(const char *path, tn_deadline deadline, char **ret, tn_err *err)
{
  TN_CLEANUP(display_clear) struct display text = { .data = NULL };
  TN_CLEANUP(close_input) int fd = STDIN_FILENO;
  const char *name = path;
  enum tn_code rc;

  if (strcmp(path, "-") == 0)
    name = "standard input";
  else
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0)
    return tn_err_set(err, TN_E_USAGE, "%.200s: %s", name, strerror(errno));
  rc = read_all(fd, name, deadline, &text, err);
  if (rc != TN_OK)
    return rc;
  if (text.data == NULL)
    return tn_err_set(err, TN_E_MEMORY, "%.200s: out of memory", name);
  if (memchr(text.data, '\0', text.size) != NULL)
    return tn_err_set(err, TN_E_USAGE,
                      "%.200s: holds a NUL byte; statements are text", name);
  *ret = text.data;
  text.data = NULL;
  return TN_OK;
}
