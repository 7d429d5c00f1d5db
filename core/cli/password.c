/* A password that does not stand on the command line: from a file, from the
 * environment, or typed in without being seen. */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* Longest that is typed in; more than any server takes. */
#define TYPED_MAX 4096

#define CONTROL_C 3

static void
close_terminal(int *fd)
{
  if (*fd >= 0)
    (void)close(*fd);
  *fd = -1;
}

/* Read a line without an echo. Signals are switched off for its time, or an
 * interrupt would leave the terminal silent; Ctrl-C ends the line instead and
 * stays its last character. */
static ssize_t
read_unseen(int fd, char *line, size_t size)
{
  struct termios usual;
  struct termios unseen;
  ssize_t got;

  if (tcgetattr(fd, &usual) != 0)
    return -1;
  unseen = usual;
  unseen.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
  unseen.c_lflag |= ICANON;
  unseen.c_cc[VEOL] = CONTROL_C;
  if (tcsetattr(fd, TCSAFLUSH, &unseen) != 0)
    return -1;
  do
    got = read(fd, line, size);
  while (got < 0 && errno == EINTR);
  (void)tcsetattr(fd, TCSAFLUSH, &usual);
  return got;
}

static enum tn_code
take_typed(char *line, ssize_t size, tn_url *url, tn_err *err)
{
  if (size < 0)
    return tn_err_set(err, TN_E_USAGE, "--password prompt: %s",
                      strerror(errno));
  if (size > 0 && line[size - 1] == CONTROL_C)
    return tn_err_set(err, TN_E_CANCELED, "--password prompt: interrupted");
  if (size > 0 && line[size - 1] == '\n')
    size--;
  line[size] = '\0';
  return tn_url_set_password(url, line, err);
}

static enum tn_code
ask(tn_url *url, tn_err *err)
{
  static const char question[] = "Password: ";
  TN_CLEANUP(close_terminal)
  int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  char line[TYPED_MAX + 1];
  enum tn_code rc;
  ssize_t size;

  if (fd < 0)
    return tn_err_set(err, TN_E_USAGE,
                      "--password prompt: there is no terminal to ask on; "
                      "take file:PATH or env:NAME");
  if (write(fd, question, sizeof question - 1) < 0)
    return tn_err_set(err, TN_E_USAGE, "--password prompt: %s",
                      strerror(errno));
  size = read_unseen(fd, line, TYPED_MAX);
  (void)!write(fd, "\n", 1);
  rc = take_typed(line, size, url, err);
  explicit_bzero(line, sizeof line);
  return rc;
}

enum tn_code
password_give(const char *source, tn_url *url, tn_err *err)
{
  TN_CLEANUP(tn_secret_free) char *password = NULL;
  enum tn_code rc;

  if (strcmp(source, "prompt") == 0)
    return ask(url, err);

  /* The text itself may be the password: it is not repeated. */
  if (strncmp(source, "file:", 5) != 0 && strncmp(source, "env:", 4) != 0)
    return tn_err_set(err, TN_E_USAGE,
                      "--password: must be file:PATH, env:NAME or prompt; an "
                      "argument can be read by every user of this machine");
  rc = tn_secret_resolve(source, &password, err);
  return rc == TN_OK ? tn_url_set_password(url, password, err) : rc;
}
