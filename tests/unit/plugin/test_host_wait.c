/* What a plug-in may ask of the core about time: to wait, whether it may go on,
 * and a moment to bring things in order. */
#include "host.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "fake_plugin.h"

#define NS_PER_MS INT64_C(1000000)

static tn_err err;
static struct tn_host_call call;
static const struct tn_host *host;

static void
set_up(void)
{
  memset(&err, 0, sizeof(err));
  tn_host_call_init(&call, 0, NULL, &err);
  call.backend = "fake";
  call.dialect = fake_plugin_entry(NULL)->get_table(TN_TABLE_DIALECT);
  host = tn_host_table();
}

TestSuite(host_wait, .init = set_up);

/* ---- check() ---- */

Test(host_wait, check_lets_a_call_go_on_until_its_deadline)
{
  cr_expect_eq(host->check(&call.call), TN_OK);
  call.call.deadline = host->now() + 3600 * 1000 * NS_PER_MS;
  cr_expect_eq(host->check(&call.call), TN_OK);
  cr_expect_eq(err.code, TN_OK);
  cr_expect_eq(call.failed, TN_OK);

  call.call.deadline = host->now();
  cr_expect_eq(host->check(&call.call), TN_E_TIMEOUT);
  cr_expect_eq(err.code, TN_E_TIMEOUT);
  cr_expect_eq(call.failed, TN_E_TIMEOUT);
  cr_expect_str_eq(err.backend, "fake");
  cr_expect_str_eq(err.message, "fake: the deadline has passed");
}

Test(host_wait, check_tells_of_a_cancel_before_the_deadline)
{
  _Atomic uint32_t canceled = 0;

  call.canceled = &canceled;
  cr_expect_eq(host->check(&call.call), TN_OK);
  canceled = 1;
  call.call.deadline = 1;
  cr_expect_eq(host->check(&call.call), TN_E_CANCELED);
  cr_expect_str_eq(err.message, "fake: canceled");
}

/* ---- wait() ---- */

static int pipe_fds[2];

static void
open_pipe(void)
{
  cr_assert_eq(pipe(pipe_fds), 0);
}

Test(host_wait, wait_tells_which_events_are_ready)
{
  uint32_t events = 99;

  open_pipe();
  cr_expect_eq(host->wait(&call.call, pipe_fds[1], TN_WAIT_READ | TN_WAIT_WRITE,
                          TN_DEADLINE_NONE, &events),
               TN_OK);
  cr_expect_eq(events, TN_WAIT_WRITE);
  cr_assert_eq(write(pipe_fds[1], "x", 1), 1);
  cr_expect_eq(host->wait(&call.call, pipe_fds[0], TN_WAIT_READ,
                          TN_DEADLINE_NONE, &events),
               TN_OK);
  cr_expect_eq(events, TN_WAIT_READ);
  cr_expect_eq(
      host->wait(&call.call, pipe_fds[0], TN_WAIT_READ, TN_DEADLINE_NONE, NULL),
      TN_OK);
}

Test(host_wait, a_time_that_is_over_still_looks_at_the_descriptor_once)
{
  uint32_t events = 99;

  open_pipe();
  cr_expect_eq(host->wait(&call.call, pipe_fds[0], TN_WAIT_READ, 0, &events),
               TN_OK);
  cr_expect_eq(events, 0);
  cr_assert_eq(write(pipe_fds[1], "x", 1), 1);
  cr_expect_eq(
      host->wait(&call.call, pipe_fds[0], TN_WAIT_READ, INT64_MIN, &events),
      TN_OK);
  cr_expect_eq(events, TN_WAIT_READ);
}

Test(host_wait, wait_returns_no_events_when_its_time_has_come)
{
  uint32_t events = 99;
  int64_t until;

  open_pipe();
  until = host->now() + 30 * NS_PER_MS;
  cr_expect_eq(
      host->wait(&call.call, pipe_fds[0], TN_WAIT_READ, until, &events), TN_OK);
  cr_expect_eq(events, 0);
  cr_expect_geq(host->now(), until);

  until = host->now() + 30 * NS_PER_MS;
  cr_expect_eq(host->wait(&call.call, -1, 0, until, NULL), TN_OK);
  cr_expect_geq(host->now(), until);
}

Test(host_wait, wait_fails_at_the_deadline_of_the_call)
{
  uint32_t events = 99;

  open_pipe();
  call.call.deadline = host->now() + 30 * NS_PER_MS;
  cr_expect_eq(host->wait(&call.call, pipe_fds[0], TN_WAIT_READ,
                          TN_DEADLINE_NONE, &events),
               TN_E_TIMEOUT);
  cr_expect_eq(events, 99);
  cr_expect_geq(host->now(), call.call.deadline);
  cr_expect_eq(err.code, TN_E_TIMEOUT);
}

static void *
cancel_soon(void *user)
{
  struct timespec pause = { .tv_nsec = 20 * NS_PER_MS };

  nanosleep(&pause, NULL);
  atomic_store((_Atomic uint32_t *)user, 1);
  return NULL;
}

Test(host_wait, a_cancel_from_another_thread_ends_a_wait_soon)
{
  static _Atomic uint32_t canceled;
  pthread_t thread;
  int64_t start = host->now();

  open_pipe();
  call.canceled = &canceled;
  pthread_create(&thread, NULL, cancel_soon, &canceled);
  cr_expect_eq(host->wait(&call.call, pipe_fds[0], TN_WAIT_READ,
                          start + 20000 * NS_PER_MS, NULL),
               TN_E_CANCELED);
  pthread_join(thread, NULL);
  cr_expect_lt(host->now() - start, 5000 * NS_PER_MS);
}

static volatile sig_atomic_t alarms;

static void
count_alarm(int number)
{
  (void)number;
  alarms++;
}

Test(host_wait, a_signal_does_not_end_a_wait)
{
  struct sigaction action = { .sa_handler = count_alarm };
  struct itimerval every = { { 0, 5000 }, { 0, 5000 } };
  int64_t until = host->now() + 60 * NS_PER_MS;
  uint32_t events = 99;

  sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &every, NULL);
  open_pipe();
  cr_expect_eq(
      host->wait(&call.call, pipe_fds[0], TN_WAIT_READ, until, &events), TN_OK);
  memset(&every, 0, sizeof(every));
  setitimer(ITIMER_REAL, &every, NULL);
  cr_expect_eq(events, 0);
  cr_expect_geq(host->now(), until);
  cr_expect_gt(alarms, 1);
}

/* tn_wait_fn, of an application whose scheduler has other things to do. */
static int
come_late(int fd, uint32_t events, tn_deadline until, void *user)
{
  (void)fd;
  (void)events;
  (void)user;
  while (tn_clock_now() <= until + 20 * NS_PER_MS)
    (void)poll(NULL, 0, 1);
  return 0;
}

Test(host_wait, what_has_arrived_counts_when_the_application_comes_late)
{
  uint32_t events = 0;

  open_pipe();
  call.wait = come_late;
  call.call.deadline = tn_deadline_after_ms(10);
  cr_assert_eq(write(pipe_fds[1], "x", 1), 1);
  cr_expect_eq(host->wait(&call.call, pipe_fds[0], TN_WAIT_READ,
                          TN_DEADLINE_NONE, &events),
               TN_OK, "%s", err.message);
  cr_expect_eq(events, TN_WAIT_READ);

  /* Nothing has. */
  call.call.deadline = tn_deadline_after_ms(10);
  cr_expect_eq(host->wait(&call.call, pipe_fds[1], TN_WAIT_READ,
                          TN_DEADLINE_NONE, &events),
               TN_E_TIMEOUT);
}

/* tn_wait_fn, of an application that passes tn_async_wait() on. */
static int
fail_canceled(int fd, uint32_t events, tn_deadline until, void *user)
{
  (void)fd;
  (void)events;
  (void)until;
  (void)user;
  errno = ECANCELED;
  return -1;
}

Test(host_wait, a_wait_of_the_applications_may_say_that_it_was_canceled)
{
  call.wait = fail_canceled;
  cr_expect_eq(host->wait(&call.call, -1, 0, TN_DEADLINE_NONE, NULL),
               TN_E_CANCELED);
  cr_expect_str_eq(err.message, "fake: canceled");
}

Test(host_wait, wait_on_a_closed_descriptor_fails)
{
  open_pipe();
  close(pipe_fds[0]);
  cr_expect_eq(
      host->wait(&call.call, pipe_fds[0], TN_WAIT_READ, TN_DEADLINE_NONE, NULL),
      TN_E_IO);
  cr_expect(strstr(err.message, "Bad file descriptor") != NULL, "%s",
            err.message);
  cr_expect_str_eq(err.backend, "fake");
}

Test(host_wait, a_peer_that_is_gone_makes_the_descriptor_ready)
{
  uint32_t events = 0;

  open_pipe();
  close(pipe_fds[1]);
  cr_expect_eq(host->wait(&call.call, pipe_fds[0], TN_WAIT_READ,
                          TN_DEADLINE_NONE, &events),
               TN_OK);
  cr_expect_eq(events, TN_WAIT_READ);
}

/* An application's own wait. */
struct own_wait {
  int calls;
  int fd;
  uint32_t events;
  tn_deadline until;
  int answers[3];
};

static int
wait_own(int fd, uint32_t events, tn_deadline until, void *user)
{
  struct own_wait *own = user;

  own->fd = fd;
  own->events = events;
  own->until = until;
  return own->answers[own->calls++];
}

Test(host_wait, an_application_waits_by_itself_and_may_return_too_early)
{
  struct own_wait own = { .answers = { 0, 0, TN_WAIT_WRITE | 64 } };
  int64_t until = host->now() + 3600 * 1000 * NS_PER_MS;
  uint32_t events = 0;

  call.wait = wait_own;
  call.wait_user = &own;
  cr_expect_eq(host->wait(&call.call, 1234, TN_WAIT_WRITE, until, &events),
               TN_OK);
  cr_expect_eq(own.calls, 3);
  cr_expect_eq(own.fd, 1234);
  cr_expect_eq(own.events, TN_WAIT_WRITE);
  cr_expect_eq(own.until, until);
  cr_expect_eq(events, TN_WAIT_WRITE);
}

Test(host_wait, an_application_that_cannot_wait_fails_the_call)
{
  struct own_wait own = { .answers = { -1 } };

  call.wait = wait_own;
  call.wait_user = &own;
  cr_expect_eq(host->wait(&call.call, 1, TN_WAIT_READ, TN_DEADLINE_NONE, NULL),
               TN_E_IO);
  cr_expect_eq(own.until, TN_DEADLINE_NONE);
}

Test(host_wait, an_application_waits_in_short_pieces_where_a_cancel_may_come)
{
  _Atomic uint32_t canceled = 0;
  struct own_wait own = { .answers = { TN_WAIT_READ } };

  call.canceled = &canceled;
  call.wait = wait_own;
  call.wait_user = &own;
  cr_expect_eq(host->wait(&call.call, 1, TN_WAIT_READ, TN_DEADLINE_NONE, NULL),
               TN_OK);
  cr_expect_leq(own.until, host->now() + 50 * NS_PER_MS);

  /* Of the descriptor its function knows nothing. */
  own.calls = 0;
  call.wake_fd = 7;
  cr_expect_eq(host->wait(&call.call, 1, TN_WAIT_READ, TN_DEADLINE_NONE, NULL),
               TN_OK);
  cr_expect_leq(own.until, host->now() + 50 * NS_PER_MS);
}

/* ---- waking a wait ---- */

static int wake_fds[2];
static _Atomic uint32_t is_canceled;

/* Cancel as tn_conn_cancel() does. */
static void *
cancel_and_wake(void *user)
{
  const int *pause_ms = user;
  struct timespec pause = { .tv_nsec = *pause_ms * NS_PER_MS };

  nanosleep(&pause, NULL);
  atomic_store(&is_canceled, 1);
  if (write(wake_fds[1], "x", 1) != 1)
    abort();
  return NULL;
}

static void
open_wake(void)
{
  open_pipe();
  cr_assert_eq(pipe(wake_fds), 0);
  call.canceled = &is_canceled;
  call.wake_fd = wake_fds[0];
}

Test(host_wait, a_cancel_wakes_a_wait_at_once)
{
  int64_t longest = 0;

  open_wake();
  for (int i = 0; i < 10; i++) {
    int pause_ms = 1 + i;
    int64_t start = host->now();
    pthread_t thread;
    int64_t took;
    char byte;

    atomic_store(&is_canceled, 0);
    pthread_create(&thread, NULL, cancel_and_wake, &pause_ms);
    cr_expect_eq(host->wait(&call.call, pipe_fds[0], TN_WAIT_READ,
                            start + 20000 * NS_PER_MS, NULL),
                 TN_E_CANCELED);
    took = host->now() - start - pause_ms * NS_PER_MS;
    pthread_join(thread, NULL);
    cr_assert_eq(read(wake_fds[0], &byte, 1), 1);
    longest = took > longest ? took : longest;
  }
  cr_expect_lt(longest, 1000 * NS_PER_MS);
}

Test(host_wait, a_wait_that_can_be_woken_does_not_look_every_now_and_then)
{
  struct rusage before;
  struct rusage after;

  open_wake();
  getrusage(RUSAGE_SELF, &before);
  cr_expect_eq(host->wait(&call.call, pipe_fds[0], TN_WAIT_READ,
                          host->now() + 1000 * NS_PER_MS, NULL),
               TN_OK);
  getrusage(RUSAGE_SELF, &after);

  /* Twenty times without the descriptor. */
  cr_expect_lt(after.ru_nvcsw - before.ru_nvcsw, 10);
}

Test(host_wait, the_descriptor_of_a_cancel_is_none_of_the_plugins_events)
{
  uint32_t events = 99;

  open_wake();
  cr_assert_eq(write(pipe_fds[1], "x", 1), 1);
  cr_expect_eq(host->wait(&call.call, pipe_fds[0], TN_WAIT_READ,
                          TN_DEADLINE_NONE, &events),
               TN_OK);
  cr_expect_eq(events, TN_WAIT_READ);
  cr_expect_eq(host->wait(&call.call, pipe_fds[1], TN_WAIT_WRITE,
                          TN_DEADLINE_NONE, &events),
               TN_OK);
  cr_expect_eq(events, TN_WAIT_WRITE);
  cr_expect_eq(
      host->wait(&call.call, -1, 0, host->now() + 5 * NS_PER_MS, &events),
      TN_OK);
  cr_expect_eq(events, 0);
}

/* ---- grace() ---- */

Test(host_wait, grace_is_a_deadline_of_its_own)
{
  _Atomic uint32_t canceled = 1;
  int64_t start = host->now();

  call.canceled = &canceled;
  call.call.deadline = start - 1;
  cr_expect_eq(host->check(&call.call), TN_E_CANCELED);
  host->grace(&call.call, 30 * NS_PER_MS);
  cr_expect_eq(host->check(&call.call), TN_OK);
  cr_expect_geq(call.call.deadline, start + 30 * NS_PER_MS);

  /* An end that is the call's deadline is the end of the grace. */
  cr_expect_eq(host->wait(&call.call, -1, 0, call.call.deadline, NULL),
               TN_E_TIMEOUT);
  cr_expect_geq(host->now(), start + 30 * NS_PER_MS);
  cr_expect_eq(host->check(&call.call), TN_E_TIMEOUT);
  cr_expect_eq(err.code, TN_E_CANCELED);
  cr_expect_eq(call.failed, TN_E_CANCELED);

  /* There is no more of it. */
  host->grace(&call.call, TN_GRACE_MAX);
  cr_expect_eq(host->check(&call.call), TN_E_TIMEOUT);
}

Test(host_wait, grace_is_not_longer_than_its_maximum)
{
  static const struct {
    int64_t asked;
    int64_t given;
  } cases[] = {
    { 0, 0 },
    { -1, 0 },
    { INT64_MIN, 0 },
    { 1, 1 },
    { TN_GRACE_MAX, TN_GRACE_MAX },
    { TN_GRACE_MAX + 1, TN_GRACE_MAX },
    { INT64_MAX, TN_GRACE_MAX },
  };

  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    int64_t before;
    int64_t after;

    set_up();
    before = host->now();
    host->grace(&call.call, cases[i].asked);
    after = host->now();
    cr_expect_geq(call.call.deadline, before + cases[i].given, "case %zu", i);
    cr_expect_leq(call.call.deadline, after + cases[i].given, "case %zu", i);
  }
}

Test(host_wait, a_wait_in_grace_takes_no_notice_of_a_cancel)
{
  struct own_wait own = { .answers = { 0, TN_WAIT_READ } };
  uint32_t events = 0;

  open_wake();
  atomic_store(&is_canceled, 1);
  cr_assert_eq(write(wake_fds[1], "x", 1), 1);
  host->grace(&call.call, 20 * NS_PER_MS);
  cr_expect_eq(host->wait(&call.call, pipe_fds[1], TN_WAIT_WRITE,
                          TN_DEADLINE_NONE, &events),
               TN_OK);
  cr_expect_eq(events, TN_WAIT_WRITE);
  cr_expect_eq(
      host->wait(&call.call, pipe_fds[0], TN_WAIT_READ, TN_DEADLINE_NONE, NULL),
      TN_E_TIMEOUT);
  cr_expect_eq(err.code, TN_E_TIMEOUT);

  /* An application's function gets all of the time that is left. */
  set_up();
  call.canceled = &is_canceled;
  call.wait = wait_own;
  call.wait_user = &own;
  host->grace(&call.call, TN_GRACE_MAX);
  cr_expect_eq(host->wait(&call.call, 5, TN_WAIT_READ, TN_DEADLINE_NONE, NULL),
               TN_OK);
  cr_expect_eq(own.until, call.call.deadline);
}

Test(host_wait, a_failure_in_grace_covers_nothing_up)
{
  struct tn_failure failure = { .size = sizeof(failure),
                                .native = 2013,
                                .message = "gone",
                                .detail = "at all",
                                .row = 3 };

  call.call.deadline = 1;
  cr_expect_eq(host->check(&call.call), TN_E_TIMEOUT);
  host->grace(&call.call, TN_GRACE_MAX);
  cr_expect_eq(host->fail(&call.call, &failure), TN_E_LOST);
  host->fail_field(&call.call, TN_ERR_TABLE, "t", 1);
  cr_expect_eq(tn_fail(&call.call, TN_E_DATA, "bad"), TN_E_DATA);
  cr_expect_eq(host->wait(&call.call, -2, TN_WAIT_READ, 0, NULL), TN_OK);
  cr_expect_eq(err.code, TN_E_TIMEOUT);
  cr_expect_str_eq(err.message, "fake: the deadline has passed");
  cr_expect_str_eq(err.detail, "");
  cr_expect_str_eq(err.table, "");
  cr_expect_eq(err.native, 0);
  cr_expect_eq(err.row, 0);
  cr_expect_eq(call.failed, TN_E_TIMEOUT);
  cr_expect_eq(err.connection, TN_CONNECTION_USABLE);

  /* What it means for the session is still told. */
  host->fail_verdicts(&call.call, TN_CONNECTION_DEAD, 0);
  cr_expect_eq(err.connection, TN_CONNECTION_DEAD);
}

Test(host_wait, without_an_error_the_first_failure_in_grace_is_one)
{
  host->grace(&call.call, TN_GRACE_MAX);
  cr_expect_eq(tn_fail(&call.call, TN_E_LOST, "gone"), TN_E_LOST);
  host->fail_field(&call.call, TN_ERR_TABLE, "t", 1);
  cr_expect_eq(tn_fail(&call.call, TN_E_DATA, "bad"), TN_E_DATA);
  host->fail_field(&call.call, TN_ERR_TABLE, "u", 1);
  cr_expect_eq(err.code, TN_E_LOST);
  cr_expect_str_eq(err.message, "gone");
  cr_expect_str_eq(err.table, "t");
  cr_expect_eq(call.failed, TN_E_LOST);
}
