/* Stopping a statement that runs. A thread waits for the signal, the deadline
 * or its end; tn_conn_cancel() is the one call that may come from it. */
#include "interrupt.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* A cancel that comes between two statements hits nothing, so a deadline that
 * has passed is enforced again and again. */
#define REPEAT_NS INT64_C(20000000)

/* Nanoseconds until the thread has something to do by itself; -1: never. */
static int64_t
rest_of(const struct interrupt *watch)
{
  int64_t rest;

  if (watch->deadline == 0 || watch->deadline == TN_DEADLINE_NONE)
    return -1;
  if (watch->has_expired)
    return REPEAT_NS;
  rest = watch->deadline - tn_clock_now();
  return rest < 0 ? 0 : rest;
}

static void
take_signal(struct interrupt *watch, bool *was_interrupted)
{
  struct signalfd_siginfo info;
  sigset_t set;

  if (read(watch->signal_fd, &info, sizeof info) != (ssize_t)sizeof info)
    return;
  if (*was_interrupted && watch->may_kill) {
    (void)signal(SIGINT, SIG_DFL);
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    (void)raise(SIGINT);
  }
  *was_interrupted = true;
  tn_conn_cancel(watch->conn);
}

static void *
run_watch(void *user)
{
  struct interrupt *watch = user;
  bool was_interrupted = false;

  for (;;) {
    struct pollfd fds[] = { { .fd = watch->wake_fd, .events = POLLIN },
                            { .fd = watch->signal_fd, .events = POLLIN } };
    int64_t rest = rest_of(watch);
    struct timespec left = { .tv_sec = rest / 1000000000,
                             .tv_nsec = rest % 1000000000 };
    int ready = ppoll(fds, 2, rest < 0 ? NULL : &left, NULL);

    if (ready > 0 && fds[0].revents != 0)
      return NULL;
    if (ready > 0)
      take_signal(watch, &was_interrupted);
    if (ready == 0) {
      watch->has_expired = true;
      tn_conn_cancel(watch->conn);
    }
  }
}

static bool
is_ignored(int number)
{
  struct sigaction action;

  return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static void
close_all(struct interrupt *watch)
{
  if (watch->wake_fd >= 0)
    (void)close(watch->wake_fd);
  if (watch->signal_fd >= 0)
    (void)close(watch->signal_fd);
  (void)pthread_sigmask(SIG_SETMASK, &watch->usual_mask, NULL);
}

enum tn_code
interrupt_start(struct interrupt *watch, tn_conn *conn, tn_deadline deadline,
                bool may_kill, tn_err *err)
{
  sigset_t set;
  int status = 0;

  memset(watch, 0, sizeof *watch);
  watch->conn = conn;
  watch->deadline = deadline;
  watch->may_kill = may_kill;
  (void)sigemptyset(&set);
  (void)sigaddset(&set, SIGINT);
  (void)pthread_sigmask(SIG_BLOCK, &set, &watch->usual_mask);
  watch->wake_fd = eventfd(0, EFD_CLOEXEC);
  watch->signal_fd =
      is_ignored(SIGINT) ? -1 : signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (watch->wake_fd < 0)
    status = errno;
  if (status == 0)
    status = pthread_create(&watch->thread, NULL, run_watch, watch);
  if (status != 0) {
    close_all(watch);
    return tn_err_set(err, TN_E_INTERNAL, "interrupt: %s", strerror(status));
  }
  watch->is_running = true;
  return TN_OK;
}

enum tn_code
interrupt_stop(struct interrupt *watch, enum tn_code code, tn_err *err)
{
  const uint64_t one = 1;

  if (!watch->is_running)
    return code;
  watch->is_running = false;
  while (write(watch->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
    continue;
  (void)pthread_join(watch->thread, NULL);
  close_all(watch);
  if (code != TN_E_CANCELED || !watch->has_expired)
    return code;

  /* Only the reason is another one: what the server said of the connection
   * still holds. */
  if (err != NULL) {
    err->code = TN_E_TIMEOUT;
    (void)snprintf(err->message, sizeof err->message, "%s",
                   "the deadline passed");
  }
  return TN_E_TIMEOUT;
}
