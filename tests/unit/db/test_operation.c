/* How operations of a session with a server are stopped: what wakes their
 * waits, and the time that is left to bring things in order. */
#include "fixture.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "db_priv.h"

#define NS_PER_MS INT64_C(1000000)

static struct tn_connection_table connection_table;
static struct tn_statement_table statement_table;
static struct tn_result_table result_table;

/* Tables to change, of a backend that talks to a server. */
static void
set_up(void)
{
  fixture_init();
  plugin.caps |= TN_CAP_NETWORK;
  memcpy(&connection_table, fixture_table(TN_TABLE_CONNECTION),
         sizeof connection_table);
  memcpy(&statement_table, fixture_table(TN_TABLE_STATEMENT),
         sizeof statement_table);
  memcpy(&result_table, fixture_table(TN_TABLE_RESULT), sizeof result_table);
  tables[TN_TABLE_CONNECTION] = &connection_table;
  tables[TN_TABLE_STATEMENT] = &statement_table;
  tables[TN_TABLE_RESULT] = &result_table;
}

TestSuite(operation, .init = set_up, .timeout = 60);

static void
pause_ms(long ms)
{
  const struct timespec pause = { .tv_nsec = ms * NS_PER_MS };

  nanosleep(&pause, NULL);
}

static bool
is_readable(int fd)
{
  struct pollfd polled = { .fd = fd, .events = POLLIN };

  return poll(&polled, 1, 0) == 1 && (polled.revents & POLLIN) != 0;
}

/* ---- waking ---- */

Test(operation, a_session_with_a_server_has_a_descriptor_until_it_is_closed)
{
  int fd;

  fixture_open();
  fd = conn->wake_fd;
  cr_assert_geq(fd, 0);
  cr_expect_neq(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
  cr_expect_neq(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
  cr_expect_not(is_readable(fd));
  fixture_close();
  cr_expect_eq(fcntl(fd, F_GETFD), -1);
}

Test(operation, a_session_without_a_server_needs_none)
{
  plugin.caps &= ~TN_CAP_NETWORK;
  fixture_open();
  cr_expect_eq(conn->wake_fd, -1);
  tn_conn_cancel(conn);
  fixture_expect_usable("a cancel of nothing");
  fixture_close();
}

Test(operation, a_session_that_is_refused_leaves_no_descriptor)
{
  static const struct fake_answer refused[] = {
    { .slot = FAKE_CONNECT, .category = TN_E_CONNECT, .message = "no" },
  };
  struct tn_conn_options options = fixture_options();
  int before = dup(0);
  int after;

  close(before);
  SCRIPT_ANSWERS(refused);
  cr_expect_eq(tn_conn_open(fixture_url(""), &options, &conn, &err),
               TN_E_CONNECT);
  after = dup(0);
  close(after);
  cr_expect_eq(after, before);
  fixture_close();
}

Test(operation, without_a_descriptor_there_is_no_session)
{
  struct tn_conn_options options = fixture_options();
  struct rlimit before;
  struct rlimit none;
  enum tn_code rc;
  long live;

  oom_fail_nth(0, false);
  live = oom_live();
  getrlimit(RLIMIT_NOFILE, &before);
  none = before;
  none.rlim_cur = 0;
  setrlimit(RLIMIT_NOFILE, &none);
  rc = tn_conn_open(fixture_url(""), &options, &conn, &err);
  setrlimit(RLIMIT_NOFILE, &before);
  cr_expect_eq(rc, TN_E_LIMIT);
  cr_expect_str_eq(err.message,
                   "conn: no descriptor to be had: Too many open files");
  cr_expect_eq(conn, NULL);
  cr_expect_eq(script.calls[FAKE_CONNECT], 0);
  cr_expect_eq(oom_live(), live);
  oom_reset();
  fixture_close();
}

static atomic_int readable_when_canceled;
static long switches;

static int32_t
ping_for_long(void *handle, struct tn_call *call)
{
  struct rusage before;
  struct rusage after;
  int32_t rc;

  (void)handle;
  getrusage(RUSAGE_THREAD, &before);
  rc = call->host->wait(call, -1, 0, call->host->now() + 50000 * NS_PER_MS,
                        NULL);
  getrusage(RUSAGE_THREAD, &after);
  switches = after.ru_nvcsw - before.ru_nvcsw;
  atomic_store(&readable_when_canceled, is_readable(conn->wake_fd));
  return rc;
}

static void *
cancel_later(void *arg)
{
  (void)arg;
  pause_ms(500);
  tn_conn_cancel(conn);
  return NULL;
}

Test(operation, a_cancel_wakes_the_wait_and_not_the_next_one)
{
  int64_t start = tn_clock_now();
  pthread_t thread;

  connection_table.ping = ping_for_long;
  fixture_open();
  pthread_create(&thread, NULL, cancel_later, NULL);
  cr_expect_eq(tn_conn_ping(conn, 0, &err), TN_E_CANCELED);
  pthread_join(thread, NULL);
  cr_expect_lt(tn_clock_now() - start, 20000 * NS_PER_MS);
  cr_expect(atomic_load(&readable_when_canceled));

  /* Looking at the flag every 50 ms would have been ten times. */
  cr_expect_lt(switches, 8, "%ld", switches);
  cr_expect_not(is_readable(conn->wake_fd));

  cr_expect_eq(tn_conn_ping(conn, tn_deadline_after_ms(100), &err),
               TN_E_TIMEOUT);
  cr_expect_lt(switches, 8, "%ld", switches);
  fixture_expect_usable("a cancel");
  fixture_close();
}

/* ---- a result that is closed after its time ---- */

/* What close() of a result found. */
static struct {
  int32_t check;
  int64_t left_ns;
  int calls;
} closed;
static int32_t close_fails;

static int32_t
fetch_until_stopped(void *handle, tn_value *cells, struct tn_call *call)
{
  (void)handle;
  (void)cells;
  return -call->host->wait(call, -1, 0, INT64_MAX, NULL);
}

static void (*close_of_fake)(void *handle, struct tn_call *call);

static void
close_and_look(void *handle, struct tn_call *call)
{
  closed.calls++;
  closed.check = call->host->check(call);
  closed.left_ns = call->deadline - call->host->now();
  if (close_fails != TN_OK) {
    (void)tn_fail(call, close_fails, "cannot be brought in order");
    call->host->fail_verdicts(call, TN_CONNECTION_DEAD, 0);
  }
  close_of_fake(handle, call);
}

static const struct tn_column columns[] = { { "n", "", TN_INT64, 0 } };
static const tn_value rows[1] = { { .type = TN_INT64 } };
static const struct fake_result answers[] = {
  { .sql = "select",
    .columns = columns,
    .column_count = 1,
    .rows = rows,
    .row_count = 1 },
};

/* Run a query that may take so long; 0: any time. */
static tn_result *
run(uint64_t ms)
{
  struct tn_query query = { .sql = "select" };
  tn_result *result = NULL;

  close_of_fake = result_table.close;
  result_table.close = close_and_look;
  SCRIPT_RESULTS(answers);
  fixture_open();
  if (ms > 0)
    query.deadline = tn_deadline_after_ms(ms);
  cr_assert_eq(tn_conn_query(conn, &query, &result, &err), TN_OK, "%s",
               err.message);
  return result;
}

static void
expect_grace(void)
{
  cr_expect_eq(closed.calls, 1);
  cr_expect_eq(closed.check, TN_OK);
  cr_expect_gt(closed.left_ns, 0);
  cr_expect_leq(closed.left_ns, TN_GRACE_MAX);
}

Test(operation, a_result_that_is_closed_in_time_has_the_querys_deadline)
{
  tn_result *result = run(50000);

  tn_result_close(&result);
  cr_expect_eq(closed.calls, 1);
  cr_expect_eq(closed.check, TN_OK);
  cr_expect_gt(closed.left_ns, TN_GRACE_MAX);
  fixture_expect_usable("a result in time");
  fixture_close();
}

Test(operation, after_the_deadline_closing_has_a_little_time_of_its_own)
{
  const tn_value *row = NULL;
  tn_result *result;

  result_table.fetch = fetch_until_stopped;
  result = run(200);
  cr_expect_eq(tn_result_next(result, &row, &err), TN_E_TIMEOUT);
  expect_grace();
  cr_expect_eq(err.code, TN_E_TIMEOUT);
  tn_result_close(&result);
  cr_expect_eq(closed.calls, 1);
  fixture_expect_usable("a deadline");
  fixture_close();
}

Test(operation, a_result_that_nobody_read_for_too_long_is_closed_likewise)
{
  tn_result *result = run(200);

  pause_ms(250);
  tn_result_close(&result);
  expect_grace();
  fixture_expect_usable("a deadline");
  fixture_close();
}

Test(operation, after_a_cancel_closing_has_a_little_time_of_its_own)
{
  const tn_value *row = NULL;
  tn_result *result;
  pthread_t thread;

  result_table.fetch = fetch_until_stopped;
  result = run(0);
  pthread_create(&thread, NULL, cancel_later, NULL);
  cr_expect_eq(tn_result_next(result, &row, &err), TN_E_CANCELED);
  pthread_join(thread, NULL);
  expect_grace();
  tn_result_close(&result);
  fixture_expect_usable("a cancel");
  fixture_close();
}

Test(operation, a_canceled_result_is_closed_with_it_too)
{
  tn_result *result = run(0);

  tn_conn_cancel(conn);
  tn_result_close(&result);
  expect_grace();
  fixture_expect_usable("a cancel between two rows");
  fixture_close();
}

Test(operation, a_failure_to_tidy_up_ends_the_session_and_not_the_explanation)
{
  const tn_value *row = NULL;
  tn_result *result;

  result_table.fetch = fetch_until_stopped;
  close_fails = TN_E_LOST;
  result = run(200);
  cr_expect_eq(tn_result_next(result, &row, &err), TN_E_TIMEOUT);
  expect_grace();
  cr_expect_eq(err.code, TN_E_TIMEOUT);
  cr_expect_str_eq(err.message, "fake: the deadline has passed");
  cr_expect_eq(tn_conn_verdict(conn), TN_CONNECTION_DEAD);
  tn_result_close(&result);
  cr_expect_eq(tn_conn_ping(conn, 0, &err), TN_E_LOST);
  fixture_close();
}

/* A plug-in that has begun to tidy up in fetch() goes on with it in close(). */
static int32_t
fetch_and_tidy(void *handle, tn_value *cells, struct tn_call *call)
{
  int32_t rc = fetch_until_stopped(handle, cells, call);

  call->host->grace(call, 40 * NS_PER_MS);
  return rc;
}

Test(operation, there_is_one_grace_for_a_query)
{
  const tn_value *row = NULL;
  tn_result *result;

  result_table.fetch = fetch_and_tidy;
  result = run(200);
  cr_expect_eq(tn_result_next(result, &row, &err), TN_E_TIMEOUT);
  cr_expect_leq(closed.left_ns, 40 * NS_PER_MS);
  tn_result_close(&result);
  fixture_expect_usable("a deadline");
  fixture_close();
}
