/* Ending on a signal: the handler makes a descriptor readable, and whatever
 * waits looks at that too. */
#include "stop.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <tenon/plugin.h>
#include <unistd.h>

#define NS_PER_MS 1000000

static const int numbers[STOP_SIGNALS] = { SIGINT, SIGTERM };

/* A handler is given nothing else. */
static volatile sig_atomic_t handler_fd = -1;

static void
tell(int number)
{
  const uint64_t one = 1;
  int saved = errno;

  (void)number;
  (void)!write(handler_fd, &one, sizeof one);
  errno = saved;
}

enum tn_code
stop_begin(struct stop *stop, tn_err *err)
{
  struct sigaction action = { .sa_handler = tell,
                              .sa_flags = SA_RESTART | (int)SA_RESETHAND };
  size_t i;

  memset(stop, 0, sizeof *stop);
  stop->owner = pthread_self();
  stop->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (stop->fd < 0)
    return tn_err_set(err, TN_E_INTERNAL, "signals: %s", strerror(errno));
  handler_fd = stop->fd;
  (void)sigemptyset(&action.sa_mask);
  for (i = 0; i < STOP_SIGNALS; i++) {
    (void)sigaction(numbers[i], NULL, &stop->usual[i]);
    if (stop->usual[i].sa_handler != SIG_IGN)
      (void)sigaction(numbers[i], &action, NULL);
  }
  return TN_OK;
}

void
stop_end(struct stop *stop)
{
  size_t i;

  for (i = 0; i < STOP_SIGNALS; i++)
    (void)sigaction(numbers[i], &stop->usual[i], NULL);
  handler_fd = -1;
  (void)close(stop->fd);
  stop->fd = -1;
}

/* For poll(2): rounded up, -1 for no end. */
static int
rest_ms(tn_deadline until)
{
  int64_t rest;

  if (until == TN_DEADLINE_NONE)
    return -1;
  rest = until - tn_clock_now();
  if (rest <= 0)
    return 0;
  rest = (rest - 1) / NS_PER_MS + 1;
  return rest < INT_MAX ? (int)rest : INT_MAX;
}

bool
stop_sleep(const struct stop *stop, tn_deadline until)
{
  struct pollfd polled = { .fd = stop->fd, .events = POLLIN };
  int ready;

  do
    ready = poll(&polled, 1, rest_ms(until));
  while (ready < 0 || (ready == 0 && tn_clock_now() < until));
  return ready > 0;
}

int
stop_wait(int fd, uint32_t events, tn_deadline until, void *user)
{
  const struct stop *stop = user;
  bool heeds =
      pthread_equal(stop->owner, pthread_self()) == 0 || !stop->is_closing;
  struct pollfd polled[] = {
    { .fd = fd }, { .fd = heeds ? stop->fd : -1, .events = POLLIN }
  };
  int ready = 0;

  if ((events & TN_WAIT_READ) != 0)
    polled[0].events |= POLLIN;
  if ((events & TN_WAIT_WRITE) != 0)
    polled[0].events |= POLLOUT;
  if (poll(polled, 2, rest_ms(until)) < 0)
    return errno == EINTR ? 0 : -1;
  if (polled[1].revents != 0 || (polled[0].revents & POLLNVAL) != 0) {
    errno = polled[1].revents != 0 ? ECANCELED : EBADF;
    return -1;
  }
  if ((polled[0].revents & POLLIN) != 0)
    ready |= TN_WAIT_READ;
  if ((polled[0].revents & POLLOUT) != 0)
    ready |= TN_WAIT_WRITE;

  /* What is wrong is found by reading or writing. */
  if ((polled[0].revents & (POLLERR | POLLHUP)) != 0)
    ready |= (int)events;
  return ready;
}
