/* Deadlines and cancellation: on time, and never at the wrong statement. */
#include "suite.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

/* A deadline is kept if the answer comes within this much after it. */
#define LATE_MS 250

/* How often a slow statement, which takes minutes, is stopped; and in how many
 * of these rounds at least in time. In the others, which are printed, the
 * machine may have stood still, but not for long. */
#define ROUNDS     5
#define TIMELY     4
#define STALLED_MS 2000

static void
sleep_ms(long ms)
{
  struct timespec left = { .tv_sec = ms / 1000,
                           .tv_nsec = ms % 1000 * 1000000 };

  while (nanosleep(&left, &left) != 0 && errno == EINTR)
    continue;
}

static enum tn_code
run_slow(struct suite *suite, tn_conn *conn, tn_deadline deadline, tn_err *err)
{
  const struct tn_query query = { .sql = quirk(suite, "slow.sql"),
                                  .deadline = deadline };
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
owes(struct suite *suite, uint64_t cap)
{
  CHECK(suite, true, "a backend that cannot stop a statement owes none");
  return has_cap(suite, cap) && quirk(suite, "slow.sql")[0] != '\0';
}

/* Is the connection still of use after a statement was stopped, or with reason
 * not? Now and then one is given up that could not be brought in order in time;
 * then there is a new one, or NULL. */
static bool
outlives(struct suite *suite, tn_conn **conn, const tn_err *err)
{
  if (err->connection == TN_CONNECTION_DEAD)
    return suite_replace(suite, conn);
  CHECK(suite, suite_number(suite, *conn, "SELECT 1") == 1,
        "the connection is of no use any more");
  return true;
}

/* Counts an answer that came in time. */
static void
note_time(struct suite *suite, int64_t late_ms, int *timely)
{
  CHECK(suite, late_ms >= 0 && late_ms < STALLED_MS, "%lld ms late",
        (long long)late_ms);
  if (late_ms <= LATE_MS)
    ++*timely;
  else
    printf("# %s: %lld ms late\n", suite->case_name, (long long)late_ms);
}

static void
deadline_is_kept(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  int survived = 0;
  int timely = 0;
  int i;

  if (!owes(suite, TN_CAP_DEADLINE) || (conn = suite_connect(suite)) == NULL)
    return;
  for (i = 0; i < ROUNDS && conn != NULL; i++) {
    const tn_deadline deadline = tn_deadline_after_ms(100);
    tn_err err = TN_ERR_INIT;

    CHECK_CODE(suite, run_slow(suite, conn, deadline, &err), TN_E_TIMEOUT, &err,
               "a slow query");
    note_time(suite, (tn_clock_now() - deadline) / 1000000, &timely);
    survived += outlives(suite, &conn, &err);
  }
  CHECK(suite, timely >= TIMELY, "%d of %d in time", timely, ROUNDS);
  CHECK(suite, survived > 0, "no connection outlives a deadline");
}

static void
past_deadline_runs_nothing(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = suite_connect(suite);
  const char *sql = has_cap(suite, TN_CAP_EXPRESSIONS)
                        ? "SELECT 1"
                        : quirk(suite, "sample.sql");
  const struct tn_query query = { .sql = sql, .deadline = 1 };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  tn_err err = TN_ERR_INIT;

  if (conn == NULL)
    return;
  CHECK_CODE(suite, tn_conn_query(conn, &query, &result, &err), TN_E_TIMEOUT,
             &err, "a query whose deadline has passed");
  CHECK_CODE(suite, tn_conn_ping(conn, 1, &err), TN_E_TIMEOUT, &err,
             "a ping whose deadline has passed");
  CHECK(suite, tn_conn_verdict(conn) == TN_CONNECTION_USABLE, "not usable");
}

struct canceler {
  tn_conn *conn;
  long after_ms;
  atomic_bool is_over;
};

static void *
cancel_later(void *arg)
{
  struct canceler *canceler = arg;

  sleep_ms(canceler->after_ms);
  tn_conn_cancel(canceler->conn);
  return NULL;
}

static void
cancel_stops_a_statement(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  struct canceler canceler = { .after_ms = 100 };
  int survived = 0;
  int timely = 0;
  int i;

  if (!owes(suite, TN_CAP_CANCEL) || (conn = suite_connect(suite)) == NULL)
    return;
  for (i = 0; i < ROUNDS && conn != NULL; i++) {
    const int64_t start = tn_clock_now();
    pthread_t thread;
    tn_err err = TN_ERR_INIT;

    canceler.conn = conn;
    if (pthread_create(&thread, NULL, cancel_later, &canceler) != 0)
      return;
    CHECK_CODE(suite, run_slow(suite, conn, tn_deadline_after_ms(20000), &err),
               TN_E_CANCELED, &err, "a slow query");
    note_time(suite, (tn_clock_now() - start) / 1000000 - canceler.after_ms,
              &timely);
    pthread_join(thread, NULL);
    survived += outlives(suite, &conn, &err);
  }
  CHECK(suite, timely >= TIMELY, "%d of %d in time", timely, ROUNDS);
  CHECK(suite, survived > 0, "no connection outlives a cancel");
}

static void *
cancel_all_the_time(void *arg)
{
  struct canceler *canceler = arg;

  while (!atomic_load(&canceler->is_over))
    tn_conn_cancel(canceler->conn);
  return NULL;
}

/* While another thread cancels as fast as it can, each statement either runs
 * whole or is canceled. How many were begun; the last one may have been
 * canceled at the price of the connection. */
static int
run_under_cancels(struct suite *suite, tn_conn *conn, int count)
{
  struct canceler canceler = { .conn = conn };
  pthread_t thread;
  int i;

  atomic_init(&canceler.is_over, false);
  if (pthread_create(&thread, NULL, cancel_all_the_time, &canceler) != 0)
    return count;
  for (i = 0; i < count && tn_conn_verdict(conn) == TN_CONNECTION_USABLE; i++) {
    tn_err err = TN_ERR_INIT;
    enum tn_code rc = tn_conn_exec(conn, "SELECT 1", NULL, &err);

    if (rc != TN_OK &&
        !CHECK_CODE(suite, rc, TN_E_CANCELED, &err, "a statement in between"))
      break;
  }
  atomic_store(&canceler.is_over, true);
  pthread_join(thread, NULL);
  return i;
}

/* Once the cancels have stopped, no statement is hit any more. */
static void
late_cancel_hits_nothing(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  int begun = 0;
  int i;

  if (!owes(suite, TN_CAP_CANCEL) || (conn = suite_connect(suite)) == NULL)
    return;
  tn_conn_cancel(conn);
  CHECK(suite, suite_number(suite, conn, "SELECT 1") == 1,
        "a cancel of nothing hit the next statement");
  while (begun < 2000) {
    begun += run_under_cancels(suite, conn, 2000 - begun);
    for (i = 0; i < 100 && tn_conn_verdict(conn) == TN_CONNECTION_USABLE; i++)
      suite_number(suite, conn, "SELECT 1");
    if (i == 100)
      continue;
    tn_conn_close(&conn);
    if ((conn = suite_connect(suite)) == NULL)
      return;
  }
}

const struct suite_case cases_time[] = {
  { "time: a deadline inside a statement is kept", deadline_is_kept },
  { "time: a deadline that has passed runs nothing",
    past_deadline_runs_nothing },
  { "time: a cancel stops the running statement", cancel_stops_a_statement },
  { "time: a late cancel hits nothing", late_cancel_hits_nothing },
  { NULL, NULL },
};
