/* Asynchronous calls on a real server that are stopped in the middle: by a
 * cancel, by their deadline and by closing them. Each time nothing waits for
 * the server's own end, and the session serves the next statement. Then all of
 * it in sessions that are opened and closed in calls, half way too. The stacks
 * are the smallest there are: they suffice, for TLS as well.
 *
 *   async URL STATEMENT    which takes ten seconds */
#include <dirent.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <tenon/tenon.h>

/* Less than the statement takes. */
#define PATIENCE_MS 8000

/* How often one way to stop is tried: a session whose statement cannot be
 * stopped in time is given up, which may be so now and then. */
#define TIMES 3

struct work {
  const char *url;
  const char *sql;
  tn_conn *conn;
  uint64_t timeout_ms;
};

static int failures;

static void
expect(bool is_so, const char *what, const char *more)
{
  if (is_so)
    return;
  printf("not so: %s: %s\n", what, more);
  failures++;
}

static long
ms_since(int64_t start)
{
  return (long)((tn_clock_now() - start) / 1000000);
}

static enum tn_code
query(void *user, tn_err *err)
{
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const struct work *work = user;
  const struct tn_query asked = {
    .sql = work->sql,
    .deadline =
        tn_deadline_after_ms(work->timeout_ms != 0 ? work->timeout_ms : 30000),
  };
  const tn_value *row = NULL;
  enum tn_code rc = tn_conn_query(work->conn, &asked, &result, err);

  return rc == TN_OK ? tn_result_next(result, &row, err) : rc;
}

static enum tn_code
open_session(void *user, tn_err *err)
{
  const struct tn_conn_options options = { .wait = tn_async_wait };
  struct work *work = user;

  return tn_conn_open(work->url, &options, &work->conn, err);
}

static enum tn_code
close_session(void *user, tn_err *err)
{
  struct work *work = user;

  (void)err;
  tn_conn_close(&work->conn);
  return TN_OK;
}

static tn_async *
start(tn_async_fn call, struct work *work)
{
  struct tn_async_options options = TN_ASYNC_OPTIONS_INIT;
  tn_async *async = NULL;
  tn_err err = TN_ERR_INIT;

  options.stack_bytes = TN_ASYNC_STACK_MIN;
  expect(tn_async_start(call, work, &options, &async, &err) == TN_OK, "start",
         err.message);
  return async;
}

/* The event loop, until the end or so many milliseconds from now. */
static void
drive(tn_async *async, uint64_t ms)
{
  tn_deadline end = tn_deadline_after_ms(ms);
  tn_err err = TN_ERR_INIT;

  while (tn_async_state(async) == TN_ASYNC_WAITING && tn_clock_now() < end) {
    struct pollfd polled = { .fd = tn_async_fd(async) };
    uint32_t ready = 0;

    if ((tn_async_events(async) & TN_WAIT_READ) != 0)
      polled.events |= POLLIN;
    if ((tn_async_events(async) & TN_WAIT_WRITE) != 0)
      polled.events |= POLLOUT;
    if (poll(&polled, 1, tn_async_until(async) <= tn_clock_now() ? 0 : 10) > 0)
      ready = tn_async_events(async);
    else if (tn_async_until(async) > tn_clock_now())
      continue;
    expect(tn_async_continue(async, ready, &err) == TN_OK, "continue",
           err.message);
  }
}

static void
expect_end(tn_async **async, enum tn_code code, const char *what)
{
  tn_err err = TN_ERR_INIT;

  drive(*async, PATIENCE_MS);
  expect(tn_async_result(*async, &err) == code, what, err.message);
  tn_async_close(async);
}

static void
run_to_end(tn_async_fn call, struct work *work, const char *what)
{
  tn_async *async = start(call, work);

  expect_end(&async, TN_OK, what);
}

/* The session is good, in a call and outside. */
static void
expect_usable(struct work *work, const char *what)
{
  struct work small = { .sql = "SELECT 1", .conn = work->conn };
  tn_async *async = start(query, &small);
  tn_err err = TN_ERR_INIT;

  expect_end(&async, TN_OK, what);
  expect(tn_conn_exec(work->conn, "SELECT 2", NULL, &err) == TN_OK, what,
         err.message);
}

static void
cancel_call(struct work *work)
{
  tn_async *async = start(query, work);

  drive(async, 100);
  expect(tn_async_state(async) == TN_ASYNC_WAITING, "cancel", "it has ended");
  tn_async_cancel(async);
  expect_end(&async, TN_E_CANCELED, "cancel");
}

static void
pass_deadline(struct work *work)
{
  struct work hasty = *work;
  tn_async *async;

  hasty.timeout_ms = 150;
  async = start(query, &hasty);
  expect_end(&async, TN_E_TIMEOUT, "deadline");
}

static void
close_call(struct work *work)
{
  tn_async *async = start(query, work);

  drive(async, 100);
  tn_async_close(&async);
}

static void
cancel_connection(struct work *work)
{
  tn_async *async = start(query, work);

  drive(async, 100);
  tn_conn_cancel(work->conn);
  expect_end(&async, TN_E_CANCELED, "cancel of the connection");
}

/* Does the session outlive it? If not, there is a new one. */
static bool
outlives(struct work *work, void (*stop)(struct work *work), const char *what)
{
  int64_t began = tn_clock_now();

  stop(work);
  expect(ms_since(began) < PATIENCE_MS, what, "it takes too long");
  if (tn_conn_verdict(work->conn) != TN_CONNECTION_DEAD) {
    expect_usable(work, what);
    return true;
  }
  printf("%s: the session was given up\n", what);
  tn_conn_close(&work->conn);
  run_to_end(open_session, work, "open anew");
  return false;
}

static void
stop_queries(struct work *work)
{
  static const struct {
    const char *what;
    void (*stop)(struct work *work);
  } ways[] = {
    { "after a cancel", cancel_call },
    { "after a deadline", pass_deadline },
    { "after a close", close_call },
    { "after a cancel of the connection", cancel_connection },
  };

  for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
    bool is_good = false;

    for (int n = 0; n < TIMES && !is_good && work->conn != NULL; n++)
      is_good = outlives(work, ways[i].stop, ways[i].what);
    expect(is_good, ways[i].what, "no session outlives it");
  }
}

/* Close each time at a later wait of the opening. */
static void
stop_openings(struct work *work)
{
  bool is_open = false;
  int waits = 0;

  for (; !is_open && waits < 1000; waits++) {
    tn_async *async = start(open_session, work);
    tn_err err = TN_ERR_INIT;

    for (int i = 0; i < waits && tn_async_state(async) == TN_ASYNC_WAITING;
         i++) {
      struct pollfd polled = { .fd = tn_async_fd(async),
                               .events =
                                   (tn_async_events(async) & TN_WAIT_WRITE) != 0
                                       ? POLLOUT
                                       : POLLIN };

      (void)poll(&polled, 1, 1000);
      expect(tn_async_continue(async, tn_async_events(async), &err) == TN_OK,
             "continue", err.message);
    }
    is_open = tn_async_state(async) == TN_ASYNC_ENDED;
    expect((work->conn != NULL) == is_open, "opening", "half a session");
    tn_async_close(&async);
    if (!is_open)
      expect(work->conn == NULL, "opening", "it was not canceled");
  }
  expect(is_open && waits > 1, "opening", "it never waited, or never ended");
}

static int
count_descriptors(void)
{
  DIR *folder = opendir("/proc/self/fd");
  int count = 0;

  while (folder != NULL && readdir(folder) != NULL)
    count++;
  if (folder != NULL)
    closedir(folder);
  return count;
}

/* When it has not changed for a while: a thread of a call that is over may
 * still close something. */
static int
count_at_rest(void)
{
  int count = count_descriptors();

  for (int i = 0, same = 0; same < 20 && i < 200; i++) {
    int now;

    (void)poll(NULL, 0, 10);
    now = count_descriptors();
    same = now == count ? same + 1 : 0;
    count = now;
  }
  return count;
}

/* None are left but those there were after a first session: what libraries keep
 * for good is open by then. A login that was given up in a thread of its own
 * may end a little later. */
static void
expect_descriptors(int before)
{
  int after = count_at_rest();
  char counts[64];

  for (int i = 0; i < 10 && after > before; i++)
    after = count_at_rest();
  (void)snprintf(counts, sizeof(counts), "%d before, %d after", before, after);
  expect(after <= before, "descriptors", counts);
}

int
main(int argc, char **argv)
{
  struct work work = { .url = argc == 3 ? argv[1] : "",
                       .sql = argc == 3 ? argv[2] : "" };
  int descriptors;

  run_to_end(open_session, &work, "open");
  if (work.conn == NULL)
    return 1;
  run_to_end(close_session, &work, "close");
  expect(work.conn == NULL, "close", "it is open");
  descriptors = count_at_rest();

  run_to_end(open_session, &work, "open again");
  stop_queries(&work);
  tn_conn_close(&work.conn);
  stop_openings(&work);
  tn_conn_close(&work.conn);
  expect_descriptors(descriptors);
  printf("%d failures\n", failures);
  return failures != 0;
}
