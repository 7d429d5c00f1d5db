/* Calls that stand still where they wait: what they tell meanwhile, how they go
 * on and end, and that nothing is left of them. */
#include "async_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

TestSuite(async, .init = async_fixture_init, .timeout = 60);

/* ---- what calls are made of ---- */

static enum tn_code
try_open_conn(uint64_t timeout_ms, tn_err *why)
{
  struct tn_conn_options options = fixture_options();

  options.timeout_ms = timeout_ms;
  options.wait = tn_async_wait;
  return tn_conn_open(fixture_url(""), &options, &conn, why);
}

static void
open_conn(uint64_t timeout_ms)
{
  cr_assert_eq(try_open_conn(timeout_ms, &err), TN_OK, "%s", err.message);
}

static int32_t
ping_pipe(void *handle, struct tn_call *call)
{
  (void)handle;
  return call->host->wait(call, pipe_fds[0], TN_WAIT_READ, INT64_MAX, NULL);
}

static enum tn_code
ping(void *user, tn_err *why)
{
  (void)user;
  return tn_conn_ping(conn, 0, why);
}

static enum tn_code
write_down(void *user, tn_err *why)
{
  (void)why;
  *(int *)user += 1;
  return TN_OK;
}

static enum tn_code
sleep_long(void *user, tn_err *why)
{
  int rc = tn_async_wait(-1, 0, tn_deadline_after_ms(20000), NULL);

  *(int *)user = rc < 0 ? errno : rc;
  return rc < 0 ? tn_err_set(why, TN_E_CANCELED, "test: canceled") : TN_OK;
}

static int64_t
ms_since(int64_t start)
{
  return (tn_clock_now() - start) / NS_PER_MS;
}

/* ---- going on ---- */

Test(async, a_call_that_does_not_wait_has_ended_at_once)
{
  int runs = 0;

  start(write_down, &runs);
  cr_expect_eq(runs, 1);
  cr_expect_eq(tn_async_state(async), TN_ASYNC_ENDED);
  cr_expect_eq(tn_async_fd(async), -1);
  cr_expect_eq(tn_async_events(async), 0);
  cr_expect_eq(tn_async_until(async), 0);
  cr_expect_eq(tn_async_result(async, &err), TN_OK);
  close_all();
  cr_expect_eq(runs, 1);
}

Test(async, a_wait_tells_its_descriptor_events_and_moment)
{
  int64_t now;

  connection_table.ping = ping_pipe;
  open_conn(0);
  now = tn_clock_now();
  start(ping, NULL);
  cr_assert(is_waiting());
  cr_expect_eq(tn_async_fd(async), pipe_fds[0]);
  cr_expect_eq(tn_async_events(async), TN_WAIT_READ);
  cr_expect_gt(tn_async_until(async), now);
  cr_expect_leq(tn_async_until(async), tn_clock_now() + 50 * NS_PER_MS);
  go_on(TN_WAIT_READ);
  cr_expect_eq(tn_async_state(async), TN_ASYNC_ENDED);
  cr_expect_eq(tn_async_result(async, &err), TN_OK);
  fixture_expect_usable("a wait");
  close_all();
}

Test(async, goes_on_waiting_until_what_it_asked_for_has_come)
{
  connection_table.ping = ping_pipe;
  open_conn(0);
  start(ping, NULL);
  for (int i = 0; i < 3; i++) {
    go_on(0);
    cr_assert(is_waiting());
    go_on(TN_WAIT_WRITE);
    cr_assert(is_waiting());
    cr_expect_eq(tn_async_fd(async), pipe_fds[0]);
  }
  cr_expect_eq(write(pipe_fds[1], "x", 1), 1);
  cr_expect_eq(drive(), 1);
  cr_expect_eq(tn_async_result(async, &err), TN_OK);
  close_all();
}

static enum tn_code
open_query_close(void *user, tn_err *why)
{
  const struct tn_query query = { .sql = "select" };
  tn_result *result = NULL;
  const tn_value *row = NULL;
  enum tn_code rc = try_open_conn(0, why);

  (void)user;
  if (rc == TN_OK)
    rc = tn_conn_query(conn, &query, &result, why);
  while (rc == TN_OK && (rc = tn_result_next(result, &row, why)) == TN_OK &&
         row != NULL)
    ;
  tn_result_close(&result);
  tn_conn_close(&conn);
  return rc;
}

Test(async, a_whole_session_fits_into_one_call)
{
  static const struct fake_answer slow[] = {
    { .slot = FAKE_CONNECT, .wait_ms = 5 },
    { .slot = FAKE_PREPARE, .wait_ms = 5 },
    { .slot = FAKE_EXECUTE, .wait_ms = 5 },
    { .slot = FAKE_FETCH, .wait_ms = 5 },
  };
  static const struct tn_column columns[] = { { "n", "", TN_INT64, 0 } };
  static const tn_value rows[2] = { { .type = TN_INT64 },
                                    { .type = TN_INT64 } };
  static const struct fake_result results[] = {
    { .columns = columns, .column_count = 1, .rows = rows, .row_count = 2 },
  };

  SCRIPT_ANSWERS(slow);
  SCRIPT_RESULTS(results);
  start(open_query_close, NULL);
  cr_expect_geq(drive(), 5);
  cr_expect_eq(tn_async_result(async, &err), TN_OK, "%s", err.message);
  cr_expect_geq(script.calls[FAKE_FETCH], 3);
  close_all();
}

Test(async, the_deadline_of_a_call_ends_it)
{
  int64_t began;

  connection_table.ping = ping_pipe;
  open_conn(200);
  began = tn_clock_now();
  start(ping, NULL);
  cr_expect_geq(drive(), 4); /* each 50 ms */
  cr_expect_geq(ms_since(began), 199);
  cr_expect_eq(tn_async_result(async, &err), TN_E_TIMEOUT);
  cr_expect_str_eq(err.message, "fake: the deadline has passed");
  fixture_expect_usable("a deadline");
  close_all();
}

Test(async, the_error_is_the_functions_own)
{
  static const struct fake_answer refused[] = {
    { .slot = FAKE_PING,
      .wait_ms = 1,
      .category = TN_E_LOST,
      .message = "gone" },
  };

  SCRIPT_ANSWERS(refused);
  open_conn(0);
  start(ping, NULL);
  cr_expect_eq(tn_async_result(async, &err), TN_E_STATE);
  cr_expect_str_eq(err.message, "async: the call has not ended");
  drive();
  cr_expect_eq(tn_async_result(async, NULL), TN_E_LOST);
  cr_expect_eq(tn_async_result(async, &err), TN_E_LOST);
  cr_expect_eq(err.code, TN_E_LOST);
  cr_expect_str_eq(err.message, "gone");
  close_all();
}

/* ---- being stopped ---- */

static int32_t tidied; /* how the wait after grace() ended */

static int32_t
ping_and_tidy(void *handle, struct tn_call *call)
{
  int32_t rc = ping_pipe(handle, call);

  if (rc != TN_OK) {
    call->host->grace(call, TN_GRACE_MAX);
    tidied =
        call->host->wait(call, -1, 0, call->host->now() + 20 * NS_PER_MS, NULL);
  }
  return rc;
}

Test(async, a_cancel_stops_it_and_lets_it_tidy_up)
{
  connection_table.ping = ping_and_tidy;
  tidied = -1;
  open_conn(0);
  start(ping, NULL);
  tn_async_cancel(async);
  cr_assert(is_waiting());
  cr_expect_leq(tn_async_until(async), tn_clock_now());
  go_on(0);
  cr_assert(is_waiting(), "it did not tidy up");
  cr_expect_eq(tn_async_fd(async), -1);
  cr_expect_eq(drive(), 1);
  cr_expect_eq(tidied, TN_OK);
  cr_expect_eq(tn_async_result(async, &err), TN_E_CANCELED);
  cr_expect_str_eq(err.message, "fake: canceled");
  fixture_expect_usable("a cancel");
  close_all();
}

static enum tn_code
ping_often(void *user, tn_err *why)
{
  enum tn_code *codes = user;

  for (int i = 0; i < 10; i++)
    codes[i] = tn_conn_ping(conn, 0, why);
  return TN_OK;
}

Test(async, a_cancel_holds_for_all_that_is_begun_later)
{
  enum tn_code codes[10] = { TN_OK };

  connection_table.ping = ping_pipe;
  open_conn(0);
  start(ping_often, codes);
  go_on(TN_WAIT_READ);
  tn_async_cancel(async);
  go_on(0);
  cr_expect_eq(tn_async_state(async), TN_ASYNC_ENDED);
  cr_expect_eq(codes[0], TN_OK);
  for (int i = 1; i < 10; i++)
    cr_expect_eq(codes[i], TN_E_CANCELED, "ping %d: %s", i,
                 tn_code_name(codes[i]));
  fixture_expect_usable("a cancel");
  close_all();
}

Test(async, what_is_ready_counts_though_it_was_canceled)
{
  connection_table.ping = ping_pipe;
  open_conn(0);
  start(ping, NULL);
  tn_async_cancel(async);
  go_on(TN_WAIT_READ);
  cr_expect_eq(tn_async_state(async), TN_ASYNC_ENDED);
  cr_expect_eq(tn_async_result(async, &err), TN_OK);
  close_all();
}

Test(async, connecting_can_be_canceled)
{
  static const struct fake_answer slow[] = {
    { .slot = FAKE_CONNECT, .wait_ms = 20000 },
  };

  SCRIPT_ANSWERS(slow);
  start(open_query_close, NULL);
  cr_assert(is_waiting());
  cr_expect_eq(script.calls[FAKE_CONNECT], 1);
  tn_async_cancel(async);
  go_on(0);
  cr_expect_eq(tn_async_result(async, &err), TN_E_CANCELED);
  cr_expect_str_eq(err.message, "fake: canceled");
  cr_expect_null(conn);
  cr_expect_eq(script.calls[FAKE_CANCEL], 0);
  close_all();
}

Test(async, another_thread_cancels_by_the_connection)
{
  connection_table.ping = ping_pipe;
  open_conn(0);
  start(ping, NULL);
  tn_conn_cancel(conn);
  cr_expect_eq(drive(), 1);
  cr_expect_eq(tn_async_result(async, &err), TN_E_CANCELED);
  close_all();
}

Test(async, a_sleep_of_the_applications_can_be_canceled)
{
  int cause = 0;

  start(sleep_long, &cause);
  cr_assert(is_waiting());
  cr_expect_eq(tn_async_fd(async), -1);
  cr_expect_gt(tn_async_until(async), tn_clock_now() + 10000 * NS_PER_MS);
  tn_async_cancel(async);
  go_on(0);
  cr_expect_eq(cause, ECANCELED);
  cr_expect_eq(tn_async_result(async, &err), TN_E_CANCELED);
  close_all();
}

Test(async, closing_one_that_waits_ends_it)
{
  int64_t began;

  connection_table.ping = ping_and_tidy;
  tidied = -1;
  open_conn(0);
  start(ping, NULL);
  began = tn_clock_now();
  tn_async_close(&async);
  cr_expect_null(async);
  cr_expect_lt(ms_since(began), 900);
  cr_expect_eq(tidied, TN_OK);
  fixture_expect_usable("a close");
  close_all();
}

/* One that uses all the time that it gets to tidy up. */
static int32_t
ping_slowly(void *handle, struct tn_call *call)
{
  int32_t rc = ping_pipe(handle, call);

  call->host->grace(call, TN_GRACE_MAX);
  (void)call->host->wait(call, -1, 0, INT64_MAX, NULL);
  return rc;
}

static void (*disconnect_of_fake)(void *handle, struct tn_call *call);

static void
disconnect_slowly(void *handle, struct tn_call *call)
{
  (void)call->host->wait(call, -1, 0, INT64_MAX, NULL); /* it gets a second */
  disconnect_of_fake(handle, call);
}

#define SLOW_PINGS 6 /* 0.9 s of grace */

static enum tn_code
ping_and_close(void *user, tn_err *why)
{
  enum tn_code *codes = user;

  for (int i = 0; i < SLOW_PINGS; i++)
    codes[i] = tn_conn_ping(conn, 0, why);
  tn_conn_close(&conn);
  return TN_OK;
}

/* How long it takes. */
static int64_t
close_slow_one(void)
{
  enum tn_code codes[SLOW_PINGS] = { TN_OK };
  int64_t began;
  int64_t ms;

  open_conn(0);
  start(ping_and_close, codes);
  began = tn_clock_now();
  tn_async_close(&async);
  ms = ms_since(began);
  cr_expect_geq(ms, 900);
  for (int i = 0; i < SLOW_PINGS; i++)
    cr_expect_eq(codes[i], TN_E_CANCELED, "ping %d: %s", i,
                 tn_code_name(codes[i]));
  cr_expect_null(conn);
  return ms;
}

/* Unless the machine does something else: what takes longer by itself does so
 * each time. */
Test(async, closing_takes_a_second_at_most)
{
  int64_t ms;

  disconnect_of_fake = connection_table.disconnect;
  connection_table.disconnect = disconnect_slowly;
  connection_table.ping = ping_slowly;
  ms = close_slow_one();
  for (int i = 0; i < 5 && ms >= 1500; i++)
    ms = close_slow_one();
  cr_expect_lt(ms, 1500);
  close_all();
}

Test(async, closing_nothing_is_a_no_op)
{
  tn_async_close(NULL);
  tn_async_close(&async);
  cr_expect_null(async);
  close_all();
}

/* ---- what is refused ---- */

static tn_async *other;

static enum tn_code
start_another(void *user, tn_err *why)
{
  int runs = 0;
  enum tn_code rc = tn_async_start(write_down, &runs, NULL, &other, why);

  cr_expect_eq(runs, 0);
  *(enum tn_code *)user = tn_async_continue(async, 0, NULL);
  return rc;
}

Test(async, inside_a_call_no_other_is_started_or_continued)
{
  enum tn_code continued = TN_OK;
  int cause = 0;
  tn_async *nested = NULL;

  start(sleep_long, &cause);
  cr_assert_eq(tn_async_start(start_another, &continued, NULL, &nested, &err),
               TN_OK);
  cr_expect_eq(tn_async_result(nested, &err), TN_E_STATE);
  cr_expect_str_eq(err.message,
                   "async: inside a call no other is started or continued");
  cr_expect_eq(continued, TN_E_STATE);
  cr_expect_null(other);
  cr_expect(is_waiting());
  tn_async_close(&nested);
  close_all();
}

static enum tn_code
close_other(void *user, tn_err *why)
{
  (void)user;
  (void)why;
  tn_async_close(&other);
  return tn_async_wait(-1, 0, tn_deadline_after_ms(1), NULL) < 0 ? TN_E_IO
                                                                 : TN_OK;
}

Test(async, a_call_may_close_another)
{
  int cause = 0;

  cr_assert_eq(tn_async_start(sleep_long, &cause, NULL, &other, &err), TN_OK);
  start(close_other, NULL);
  cr_expect_eq(cause, ECANCELED);
  cr_expect_null(other);
  cr_expect_eq(drive(), 1);
  cr_expect_eq(tn_async_result(async, &err), TN_OK);
  close_all();
}

static void *
continue_elsewhere(void *user)
{
  *(enum tn_code *)user = tn_async_continue(async, TN_WAIT_READ, &err);
  return NULL;
}

Test(async, is_continued_by_its_own_thread_only)
{
  enum tn_code rc = TN_OK;
  pthread_t thread;

  connection_table.ping = ping_pipe;
  open_conn(0);
  start(ping, NULL);
  cr_assert_eq(pthread_create(&thread, NULL, continue_elsewhere, &rc), 0);
  pthread_join(thread, NULL);
  cr_expect_eq(rc, TN_E_STATE);
  cr_expect_str_eq(err.message,
                   "async: the call was started by another thread");
  cr_expect(is_waiting());
  go_on(TN_WAIT_READ);
  cr_expect_eq(tn_async_result(async, &err), TN_OK);
  cr_expect_eq(tn_async_continue(async, 0, &err), TN_E_STATE);
  cr_expect_str_eq(err.message, "async: the call has ended");
  tn_async_cancel(async);
  cr_expect_eq(tn_async_result(async, &err), TN_OK);
  close_all();
}

/* ---- stacks and memory ---- */

Test(async, options_are_checked)
{
  struct tn_async_options options = TN_ASYNC_OPTIONS_INIT;
  int runs = 0;

  options.struct_size = 0;
  cr_expect_eq(tn_async_start(write_down, &runs, &options, &async, &err),
               TN_E_USAGE);
  options.struct_size = sizeof options;
  options.stack_bytes = TN_ASYNC_STACK_MIN - 1;
  cr_expect_eq(tn_async_start(write_down, &runs, &options, &async, &err),
               TN_E_USAGE);
  cr_expect_str_eq(err.message,
                   "async: stack_bytes: 65535 is too small, it takes 65536");
  options.stack_bytes = SIZE_MAX;
  cr_expect_eq(tn_async_start(write_down, &runs, &options, &async, &err),
               TN_E_MEMORY);
  options.stack_bytes = SIZE_MAX / 4;
  cr_expect_eq(tn_async_start(write_down, &runs, &options, &async, &err),
               TN_E_MEMORY);
  cr_expect_eq(runs, 0);
  cr_expect_null(async);
  options.stack_bytes = TN_ASYNC_STACK_MIN + 1;
  cr_expect_eq(tn_async_start(write_down, &runs, &options, &async, &err),
               TN_OK);
  cr_expect_eq(runs, 1);
  close_all();
}

static enum tn_code
fill_a_mebibyte(void *user, tn_err *why)
{
  volatile char large[1 << 20];

  (void)why;
  for (size_t i = 0; i < sizeof large; i++)
    large[i] = (char)i;
  if (tn_async_wait(-1, 0, tn_deadline_after_ms(1), NULL) < 0)
    return TN_E_IO;
  for (size_t i = 0; i < sizeof large; i++)
    *(long *)user += large[i] == (char)i;
  return TN_OK;
}

Test(async, a_stack_is_as_large_as_was_asked_for)
{
  struct tn_async_options options = TN_ASYNC_OPTIONS_INIT;
  long same = 0;

  options.stack_bytes = (1 << 20) + TN_ASYNC_STACK_MIN;
  cr_assert_eq(tn_async_start(fill_a_mebibyte, &same, &options, &async, &err),
               TN_OK);
  drive();
  cr_expect_eq(same, 1 << 20);
  close_all();
}

static void
never_run(void)
{
  abort();
}

Test(async, below_a_stack_is_a_page_that_cannot_be_touched)
{
  struct tn_async_stack stack = { .memory = NULL };

  cr_assert(tn_async__map(&stack, TN_ASYNC_STACK_MIN, never_run));
  errno = 0;
  cr_expect_eq(write(pipe_fds[1], stack.memory + stack.guard - 1, 1), -1);
  cr_expect_eq(errno, EFAULT);
  cr_expect_eq(write(pipe_fds[1], stack.memory, 1), -1);
  cr_expect_eq(write(pipe_fds[1], stack.memory + stack.guard, 1), 1);
  cr_expect_eq(stack.size - stack.guard, TN_ASYNC_STACK_MIN);
  tn_async__unmap(&stack);
  cr_expect_null(stack.memory);
  tn_async__unmap(&stack);
  close_all();
}

static enum tn_code
tell_where(void *user, tn_err *why)
{
  char here = 'x';

  *(uintptr_t *)user = (uintptr_t)&here;
  return tn_async_wait(-1, 0, tn_deadline_after_ms(1), NULL) < 0
             ? tn_err_set(why, TN_E_CANCELED, "test: canceled")
             : TN_OK;
}

Test(async, a_stack_goes_with_the_end)
{
  uintptr_t where = 0;

  start(tell_where, &where);
  cr_expect_eq(write(pipe_fds[1], (const void *)where, 1), 1);
  drive();
  cr_expect_eq(tn_async_result(async, &err), TN_OK);
  cr_expect_eq(write(pipe_fds[1], (const void *)where, 1), -1);
  close_all();
}

Test(async, without_memory_nothing_is_run)
{
  long nth;

  for (nth = 1; nth < 10; nth++) {
    enum tn_code rc;
    int runs = 0;

    oom_fail_nth(nth, false);
    rc = tn_async_start(write_down, &runs, NULL, &async, &err);
    if (oom_count() < nth)
      break;
    cr_expect_eq(rc, TN_E_MEMORY, "allocation %ld", nth);
    cr_expect_eq(runs, 0);
    cr_expect_null(async);
    cr_expect_eq(oom_live(), live);
  }
  cr_expect_eq(nth, 2);
  close_all();
}

#define MANY 1000

static enum tn_code
sleep_for_ms(void *user, tn_err *why)
{
  static char marks[MANY];
  const long i = *(long *)user;
  char own[64];

  (void)why;
  memset(own, (int)(i % 100), sizeof own);
  for (int round = 0; round < 3; round++)
    if (tn_async_wait(-1, 0, tn_deadline_after_ms((uint64_t)(i * 7 % 20)),
                      NULL) < 0)
      return TN_E_IO;
  if (own[0] != i % 100 || own[sizeof own - 1] != i % 100 || marks[i]++ != 0)
    return TN_E_DATA;
  *(long *)user = -i;
  return TN_OK;
}

Test(async, many_run_at_once)
{
  static tn_async *calls[MANY];
  static long numbers[MANY];
  int waiting = MANY;

  for (int i = 0; i < MANY; i++) {
    numbers[i] = i;
    cr_assert_eq(
        tn_async_start(sleep_for_ms, &numbers[i], NULL, &calls[i], &err),
        TN_OK);
    cr_assert_eq(tn_async_state(calls[i]), TN_ASYNC_WAITING);
  }
  while (waiting > 0)
    for (int i = 0; i < MANY; i++) {
      if (tn_async_state(calls[i]) != TN_ASYNC_WAITING ||
          tn_async_until(calls[i]) > tn_clock_now())
        continue;
      cr_assert_eq(tn_async_continue(calls[i], 0, &err), TN_OK);
      waiting -= tn_async_state(calls[i]) == TN_ASYNC_ENDED;
    }
  for (int i = 0; i < MANY; i++) {
    cr_expect_eq(tn_async_result(calls[i], NULL), TN_OK, "call %d", i);
    cr_expect_eq(numbers[i], -i);
    tn_async_close(&calls[i]);
  }
  close_all();
}

/* ---- outside of a call ---- */

Test(async, outside_of_a_call_a_wait_is_poll)
{
  int64_t began = tn_clock_now();

  cr_expect_eq(tn_async_wait(-1, 0, tn_deadline_after_ms(20), NULL), 0);
  cr_expect_geq(ms_since(began), 20);
  cr_expect_eq(tn_async_wait(pipe_fds[0], TN_WAIT_READ, 1, NULL), 0);
  cr_expect_eq(tn_async_wait(pipe_fds[1], TN_WAIT_READ | TN_WAIT_WRITE,
                             TN_DEADLINE_NONE, NULL),
               TN_WAIT_WRITE);
  cr_expect_eq(write(pipe_fds[1], "x", 1), 1);
  connection_table.ping = ping_pipe;
  open_conn(0);
  cr_expect_eq(tn_conn_ping(conn, 0, &err), TN_OK);
  close_all();
}
