/* What is left of a session when a statement was stopped in the middle: by its
 * deadline, by a cancel, or because nobody wanted the rest of its rows. */
#include "suite.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

/* Longest that stopping something may take. */
#define QUICK_MS 1500

#define RACES 1000

static void
sleep_us(long us)
{
  const struct timespec time = { .tv_sec = us / 1000000,
                                 .tv_nsec = us % 1000000 * 1000 };

  nanosleep(&time, NULL);
}

static int64_t
ms_since(int64_t start)
{
  return (tn_clock_now() - start) / 1000000;
}

static enum tn_code
run_until(tn_conn *conn, const char *sql, tn_deadline deadline, tn_err *err)
{
  const struct tn_query query = { .sql = sql, .deadline = deadline };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  enum tn_code rc = tn_conn_query(conn, &query, &result, err);

  while (rc == TN_OK) {
    rc = tn_result_next(result, &row, err);
    if (rc == TN_OK && row == NULL)
      break;
  }
  return rc;
}

static bool
owes(struct suite *suite, uint64_t caps, const char *query)
{
  return suite_owes(suite, caps | TN_CAP_EXPRESSIONS) &&
         quirk(suite, query)[0] != '\0';
}

/* ------------------------------------------------------------------ */
/* In a transaction                                                    */

static tn_conn *
open_transaction(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close)
  tn_conn *conn = suite_table(suite, "tn_stop", "v INTEGER");
  tn_conn *opened = conn;

  if (conn == NULL || !has_cap(suite, TN_CAP_TRANSACTION) ||
      !suite_begin(suite, conn) ||
      !suite_run(suite, conn, "INSERT INTO tn_stop VALUES (1)"))
    return NULL;
  conn = NULL;
  return opened;
}

/* The verdict of the error is the truth, and nothing that was not committed
 * stays. */
static void
check_transaction(struct suite *suite, tn_conn **conn, const tn_err *stopped)
{
  const uint32_t state = tn_conn_txn_state(*conn);
  const bool is_open = state == TN_TXN_OPEN;
  TN_CLEANUP(tn_conn_close) tn_conn *other = NULL;
  tn_err err = TN_ERR_INIT;

  CHECK(suite, tn_conn_verdict(*conn) == (uint32_t)stopped->connection,
        "the error says %s, the connection %s",
        tn_connection_verdict_name(stopped->connection),
        tn_connection_verdict_name((int32_t)tn_conn_verdict(*conn)));
  if (stopped->connection == TN_CONNECTION_DEAD) {
    tn_conn_close(conn);
  } else {
    CHECK(suite, is_open == (stopped->connection == TN_CONNECTION_USABLE),
          "verdict %s in state %u",
          tn_connection_verdict_name(stopped->connection), (unsigned)state);
    CHECK(suite, (tn_conn_commit(*conn, &err) == TN_OK) == is_open,
          "commit in state %u: %s", (unsigned)state, err.message);
    suite_rollback(suite, *conn);
    CHECK_USABLE(suite, *conn);
  }
  if ((other = suite_connect(suite)) == NULL)
    return;
  CHECK(suite,
        suite_number(suite, other, "SELECT count(*) FROM tn_stop") ==
            (stopped->connection == TN_CONNECTION_USABLE),
        "a row too many or too few");
  tn_conn_close(conn);
  suite_run(suite, other, "DROP TABLE tn_stop");
}

static void
deadline_leaves_the_transaction_as_the_verdict_says(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;

  if (!owes(suite, TN_CAP_DEADLINE, "slow.sql") ||
      (conn = open_transaction(suite)) == NULL)
    return;
  CHECK_CODE(suite,
             run_until(conn, quirk(suite, "slow.sql"),
                       tn_deadline_after_ms(200), &err),
             TN_E_TIMEOUT, &err, "a slow query");
  check_transaction(suite, &conn, &err);
}

/* One for all calls: the transaction ends in time, though its end is late. */
static void
deadline_of_the_connection_is_every_calls(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;

  if (!owes(suite, TN_CAP_DEADLINE, "slow.sql") ||
      (conn = open_transaction(suite)) == NULL)
    return;
  tn_conn_set_deadline(conn, tn_deadline_after_ms(200));
  CHECK_CODE(suite, run_until(conn, quirk(suite, "slow.sql"), 0, &err),
             TN_E_TIMEOUT, &err, "a slow query");
  if (err.connection != TN_CONNECTION_DEAD) {
    CHECK_CODE(suite, tn_conn_exec(conn, "SELECT 1", NULL, &err), TN_E_TIMEOUT,
               &err, "a query after it");
    CHECK_CODE(suite, tn_conn_rollback(conn, &err), TN_OK, &err,
               "a rollback after it");
    tn_conn_set_deadline(conn, 0);
    CHECK_USABLE(suite, conn);
  }
  tn_conn_close(&conn);
  if ((conn = suite_connect(suite)) == NULL)
    return;
  CHECK(suite, suite_number(suite, conn, "SELECT count(*) FROM tn_stop") == 0,
        "a row too many");
  suite_run(suite, conn, "DROP TABLE tn_stop");
}

struct canceler {
  tn_conn *conn;
  long after_us;
};

static void *
cancel_later(void *arg)
{
  const struct canceler *canceler = arg;

  sleep_us(canceler->after_us);
  tn_conn_cancel(canceler->conn);
  return NULL;
}

static void
cancel_leaves_the_transaction_as_the_verdict_says(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  struct canceler canceler = { .after_us = 200000 };
  pthread_t thread;
  int64_t start = tn_clock_now();
  tn_err err = TN_ERR_INIT;

  if (!owes(suite, TN_CAP_CANCEL, "slow.sql") ||
      (conn = open_transaction(suite)) == NULL)
    return;
  canceler.conn = conn;
  if (pthread_create(&thread, NULL, cancel_later, &canceler) != 0)
    return;
  start = tn_clock_now();
  CHECK_CODE(suite,
             run_until(conn, quirk(suite, "slow.sql"),
                       tn_deadline_after_ms(20000), &err),
             TN_E_CANCELED, &err, "a slow query");
  CHECK(suite, ms_since(start) < 200 + QUICK_MS, "it took %lld ms",
        (long long)ms_since(start));
  pthread_join(thread, NULL);
  check_transaction(suite, &conn, &err);
}

/* ------------------------------------------------------------------ */
/* Between rows                                                        */

/* Fetch `count` rows of the query of many. */
static tn_result *
read_some(struct suite *suite, tn_conn *conn, tn_deadline deadline, long count)
{
  const struct tn_query query = { .sql = quirk(suite, "many.sql"),
                                  .deadline = deadline };
  tn_result *result = NULL;
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;
  long i;

  if (!CHECK_CODE(suite, tn_conn_query(conn, &query, &result, &err), TN_OK,
                  &err, query.sql))
    return NULL;
  for (i = 0; i < count; i++)
    if (tn_result_next(result, &row, &err) != TN_OK || row == NULL ||
        row->as.int64 != i + 1) {
      CHECK(suite, false, "row %ld: %s", i, err.message);
      break;
    }
  return result;
}

/* The longest a result may take to close, in milliseconds, where 100,000 rows
 * took so long: on a busy machine everything is slower, but nothing may take as
 * long as reading the many times as many that are left. */
static int64_t
quick_ms(int64_t read_ms)
{
  return QUICK_MS + 5 * read_ms;
}

static void
the_rest_may_be_left_unread(struct suite *suite)
{
  static const long counts[] = { 100000, 0, 1, 1000 };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  int64_t limit_ms = 0;
  size_t i;

  if (!owes(suite, TN_CAP_STREAMING, "many.sql") ||
      (conn = suite_connect(suite)) == NULL)
    return;
  for (i = 0; i < sizeof counts / sizeof counts[0]; i++) {
    int64_t start = tn_clock_now();
    tn_result *result = read_some(suite, conn, 0, counts[i]);

    if (i == 0)
      limit_ms = quick_ms(ms_since(start));
    start = tn_clock_now();
    tn_result_close(&result);
    CHECK(suite, ms_since(start) < limit_ms,
          "closing after %ld rows took %lld ms", counts[i],
          (long long)ms_since(start));
    CHECK_USABLE(suite, conn);
  }
}

static void
the_rest_may_be_left_unread_in_a_transaction(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  tn_result *result;
  tn_err err = TN_ERR_INIT;

  if (!owes(suite, TN_CAP_STREAMING, "many.sql") ||
      (conn = open_transaction(suite)) == NULL)
    return;
  result = read_some(suite, conn, 0, 1000);
  tn_result_close(&result);
  CHECK(suite, tn_conn_txn_state(conn) == TN_TXN_OPEN,
        "closing a result ended the transaction");
  CHECK(suite, suite_number(suite, conn, "SELECT count(*) FROM tn_stop") == 1,
        "the row of before is gone");
  CHECK_CODE(suite, tn_conn_commit(conn, &err), TN_OK, &err, "commit");
  CHECK(suite, suite_number(suite, conn, "SELECT count(*) FROM tn_stop") == 1,
        "the row of before is gone");
  suite_run(suite, conn, "DROP TABLE tn_stop");
}

/* Rows that nobody wants hold nobody up, though in a transaction they cannot
 * always be stopped. */
static void
closing_takes_a_second_in_the_middle_of_a_transaction(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  tn_result *result;
  int64_t start;

  if (!owes(suite, TN_CAP_STREAMING, "many.sql") ||
      (conn = open_transaction(suite)) == NULL)
    return;
  result = read_some(suite, conn, 0, 1000);
  start = tn_clock_now();
  tn_conn_close(&conn);
  CHECK(suite, ms_since(start) < 2 * QUICK_MS, "it took %lld ms",
        (long long)ms_since(start));
  tn_result_close(&result);
  if ((conn = suite_connect(suite)) == NULL)
    return;
  CHECK(suite, suite_number(suite, conn, "SELECT count(*) FROM tn_stop") == 0,
        "a row too many");
  suite_run(suite, conn, "DROP TABLE tn_stop");
}

/* The last of what a fetch loop gets. */
static enum tn_code
read_on(tn_result *result, tn_err *err)
{
  const tn_value *row = NULL;
  enum tn_code rc;

  do
    rc = tn_result_next(result, &row, err);
  while (rc == TN_OK && row != NULL);
  return rc;
}

static void
deadline_is_also_that_of_fetching(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_deadline deadline = tn_deadline_after_ms(3000);
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;
  tn_err second = TN_ERR_INIT;

  if (!owes(suite, TN_CAP_STREAMING | TN_CAP_DEADLINE, "many.sql") ||
      (conn = suite_connect(suite)) == NULL ||
      (result = read_some(suite, conn, deadline, 10)) == NULL)
    return;
  while (tn_clock_now() <= deadline)
    sleep_us(10000);
  CHECK_CODE(suite, read_on(result, &err), TN_E_TIMEOUT, &err,
             "a fetch after the deadline");
  CHECK_CODE(suite, tn_result_next(result, &row, &second), TN_E_STATE, &second,
             "a fetch after that");
  tn_result_close(&result);
  if (err.connection != TN_CONNECTION_DEAD)
    CHECK_USABLE(suite, conn);
}

static void
cancel_stops_the_fetching(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  tn_err err = TN_ERR_INIT;
  int64_t start;

  if (!owes(suite, TN_CAP_STREAMING | TN_CAP_CANCEL, "many.sql") ||
      (conn = suite_connect(suite)) == NULL ||
      (result = read_some(suite, conn, 0, 10)) == NULL)
    return;
  tn_conn_cancel(conn);
  start = tn_clock_now();
  CHECK_CODE(suite, read_on(result, &err), TN_E_CANCELED, &err,
             "a fetch after a cancel");
  tn_result_close(&result);
  CHECK(suite, ms_since(start) < QUICK_MS, "it took %lld ms",
        (long long)ms_since(start));
  if (err.connection != TN_CONNECTION_DEAD)
    CHECK_USABLE(suite, conn);
}

/* ------------------------------------------------------------------ */
/* Races                                                               */

/* A thread that cancels once for each time it is asked, a while later. */
struct racer {
  tn_conn *_Atomic conn; /* NULL: there is none to be canceled */
  atomic_long asked;
  atomic_long done;
  atomic_bool is_over;
};

static void *
race(void *arg)
{
  struct racer *racer = arg;
  uint32_t state = 12345;

  while (!atomic_load(&racer->is_over)) {
    if (atomic_load(&racer->asked) == atomic_load(&racer->done)) {
      sleep_us(20);
      continue;
    }
    state = state * 1664525u + 1013904223u;
    sleep_us((long)(state >> 16) % 1500);
    tn_conn_cancel(atomic_load(&racer->conn));
    atomic_fetch_add(&racer->done, 1);
  }
  return NULL;
}

/* One statement that may be hit, and when the cancel is over one that must not
 * be. False if there is no use in going on. */
static bool
run_race(struct suite *suite, tn_conn **conn, struct racer *racer, int round)
{
  /* One in ten is there to be hit whenever the cancel comes. */
  const char *sql = round % 10 == 0 ? quirk(suite, "slow.sql") : "SELECT 1";
  tn_err err = TN_ERR_INIT;
  enum tn_code rc;

  atomic_store(&racer->conn, *conn);
  atomic_fetch_add(&racer->asked, 1);
  rc = run_until(*conn, sql, tn_deadline_after_ms(500), &err);
  while (atomic_load(&racer->done) != atomic_load(&racer->asked))
    sleep_us(20);
  if (rc != TN_OK && rc != TN_E_CANCELED && rc != TN_E_TIMEOUT)
    return CHECK_CODE(suite, rc, TN_E_CANCELED, &err, sql);
  if (rc != TN_OK && err.connection == TN_CONNECTION_DEAD) {
    tn_conn_close(conn);
    *conn = suite_connect(suite);
    return *conn != NULL;
  }
  rc = tn_conn_exec(*conn, "SELECT 1", NULL, &err);
  return rc == TN_OK ||
         CHECK_CODE(suite, rc, TN_OK, &err, "the statement after a cancel");
}

static void
cancel_never_hits_the_next_statement(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  struct racer racer = { .conn = NULL };
  pthread_t thread;
  int round;

  if (!owes(suite, TN_CAP_CANCEL, "slow.sql") ||
      (conn = suite_connect(suite)) == NULL ||
      pthread_create(&thread, NULL, race, &racer) != 0)
    return;
  for (round = 0; round < RACES; round++)
    if (!run_race(suite, &conn, &racer, round))
      break;
  atomic_store(&racer.is_over, true);
  pthread_join(thread, NULL);
  CHECK(suite, round == RACES, "broken off after %d races", round);
}

const struct suite_case cases_stop[] = {
  { "stop: after a deadline the transaction is as the verdict says",
    deadline_leaves_the_transaction_as_the_verdict_says },
  { "stop: a deadline of the connection is of all calls but the rollback",
    deadline_of_the_connection_is_every_calls },
  { "stop: after a cancel the transaction is as the verdict says",
    cancel_leaves_the_transaction_as_the_verdict_says },
  { "stop: rows may be left unread, and that is quick",
    the_rest_may_be_left_unread },
  { "stop: rows left unread leave the transaction alone",
    the_rest_may_be_left_unread_in_a_transaction },
  { "stop: closing takes a second in the middle of a transaction",
    closing_takes_a_second_in_the_middle_of_a_transaction },
  { "stop: the deadline is also that of fetching",
    deadline_is_also_that_of_fetching },
  { "stop: a cancel stops the fetching", cancel_stops_the_fetching },
  { "stop: a thousand cancels never hit the next statement",
    cancel_never_hits_the_next_statement },
  { NULL, NULL },
};
