/* Two sessions in each other's way: who waits, for how long, and what the one
 * is told that has to give up. */
#include "suite.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

/* A limit is kept if the answer comes within this much after it. */
#define LATE_MS 1000

/* Until a statement in another thread has come to its lock. */
#define REACH_MS 200

static void
sleep_ms(long ms)
{
  struct timespec left = { .tv_sec = ms / 1000,
                           .tv_nsec = ms % 1000 * 1000000 };

  while (nanosleep(&left, &left) != 0 && errno == EINTR)
    continue;
}

static const char UPDATE_1[] = "UPDATE tn_lock SET v = v + 1 WHERE id = 1";
static const char UPDATE_2[] = "UPDATE tn_lock SET v = v + 1 WHERE id = 2";

/* Two sessions and a table of two rows. */
struct pair {
  tn_conn *first;
  tn_conn *second;
};

static bool
open_pair(struct suite *suite, struct pair *pair)
{
  pair->first = suite_table(suite, "tn_lock",
                            "id INTEGER NOT NULL PRIMARY KEY, v INTEGER");
  return pair->first != NULL && has_cap(suite, TN_CAP_TRANSACTION) &&
         suite_run(suite, pair->first,
                   "INSERT INTO tn_lock VALUES (1, 0), (2, 0)") &&
         (pair->second = suite_connect(suite)) != NULL;
}

static void
close_pair(struct pair *pair)
{
  tn_conn_close(&pair->first);
  tn_conn_close(&pair->second);
}

static void
drop_pair(struct suite *suite, struct pair *pair)
{
  tn_conn_close(&pair->second);
  suite_run(suite, pair->first, "DROP TABLE tn_lock");
}

static enum tn_code
run_until(tn_conn *conn, const char *sql, tn_deadline deadline, tn_err *err)
{
  const struct tn_query query = { .sql = sql, .deadline = deadline };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;

  return tn_conn_query(conn, &query, &result, err);
}

/* A statement in a thread of its own. */
struct runner {
  tn_conn *conn;
  const char *sql;
  enum tn_code code;
  tn_err err;
  atomic_bool has_begun;
  atomic_bool has_ended;
};

static void *
run_there(void *arg)
{
  struct runner *runner = arg;

  atomic_store(&runner->has_begun, true);
  runner->code = tn_conn_exec(runner->conn, runner->sql, NULL, &runner->err);
  atomic_store(&runner->has_ended, true);
  return NULL;
}

/* ------------------------------------------------------------------ */
/* Waiting                                                             */

/* The first session holds row 1; a second one that wants it ends as `how` says,
 * and both go on. Where the second one had to be given up, the server may still
 * wait in its name. */
static void
check_wait(struct suite *suite, struct pair *pair,
           void (*how)(struct suite *suite, struct pair *pair))
{
  tn_err err = TN_ERR_INIT;

  suite_begin(suite, pair->first);
  suite_run(suite, pair->first, UPDATE_1);
  how(suite, pair);
  if (tn_conn_verdict(pair->second) == TN_CONNECTION_DEAD) {
    CHECK(suite, suite_replace(suite, &pair->second),
          "the session that waited was given up");
    suite_rollback(suite, pair->first);
    return;
  }
  CHECK_USABLE(suite, pair->second);
  CHECK_CODE(suite, tn_conn_commit(pair->first, &err), TN_OK, &err,
             "commit of the one that held the lock");
  CHECK(suite, suite_run(suite, pair->second, UPDATE_1),
        "the row is still locked");
  CHECK(suite,
        suite_number(suite, pair->second,
                     "SELECT v FROM tn_lock WHERE id = 1") == 2,
        "an update is lost, or was made twice");
}

static void
until_the_deadline(struct suite *suite, struct pair *pair)
{
  const tn_deadline deadline = tn_deadline_after_ms(300);
  tn_err err = TN_ERR_INIT;
  int64_t late_ms;

  CHECK_CODE(suite, run_until(pair->second, UPDATE_1, deadline, &err),
             TN_E_TIMEOUT, &err, "a statement that waits for a lock");
  late_ms = (tn_clock_now() - deadline) / 1000000;
  CHECK(suite, late_ms >= 0 && late_ms <= LATE_MS, "%lld ms late",
        (long long)late_ms);
}

static void
until_the_servers_limit(struct suite *suite, struct pair *pair)
{
  tn_err err = TN_ERR_INIT;

  if (!CHECK_CODE(
          suite,
          tn_conn_exec(pair->second, quirk(suite, "locks.wait"), NULL, &err),
          TN_OK, &err, quirk(suite, "locks.wait")))
    return;
  CHECK_CODE(
      suite,
      run_until(pair->second, UPDATE_1, tn_deadline_after_ms(20000), &err),
      (enum tn_code)tn_code_from_name(quirk(suite, "locks.timeout")), &err,
      "a statement that waits for a lock");
  CHECK(suite, err.connection == TN_CONNECTION_USABLE, "verdict %s",
        tn_connection_verdict_name(err.connection));
  CHECK(suite,
        err.replay == TN_REPLAY_SAFE || err.replay == TN_REPLAY_TRANSACTION,
        "replay %s", tn_replay_verdict_name(err.replay));
}

static void
until_it_is_canceled(struct suite *suite, struct pair *pair)
{
  struct runner runner = { .conn = pair->second, .sql = UPDATE_1 };
  pthread_t thread;
  int64_t start;
  int ms;

  if (pthread_create(&thread, NULL, run_there, &runner) != 0)
    return;
  while (!atomic_load(&runner.has_begun))
    sleep_ms(1);
  sleep_ms(REACH_MS);
  start = tn_clock_now();

  /* One that comes before the statement hits nothing. */
  for (ms = 0; !atomic_load(&runner.has_ended); ms++) {
    if (ms % REACH_MS == 0)
      tn_conn_cancel(pair->second);
    sleep_ms(1);
  }
  pthread_join(thread, NULL);
  CHECK_CODE(suite, runner.code, TN_E_CANCELED, &runner.err,
             "a statement that waits for a lock");
  CHECK(suite, (tn_clock_now() - start) / 1000000 < LATE_MS, "%lld ms late",
        (long long)((tn_clock_now() - start) / 1000000));
}

static void
wait_for(struct suite *suite, uint64_t cap,
         void (*how)(struct suite *suite, struct pair *pair))
{
  TN_CLEANUP(close_pair) struct pair pair = { NULL, NULL };

  if (!suite_owes(suite, cap) || !open_pair(suite, &pair))
    return;
  check_wait(suite, &pair, how);
  drop_pair(suite, &pair);
}

static void
is_waited_for_until_the_deadline(struct suite *suite)
{
  wait_for(suite, TN_CAP_DEADLINE, until_the_deadline);
}

static void
is_waited_for_until_the_servers_limit(struct suite *suite)
{
  wait_for(suite, TN_CAP_TRANSACTION, until_the_servers_limit);
}

static void
is_waited_for_until_canceled(struct suite *suite)
{
  wait_for(suite, TN_CAP_CANCEL, until_it_is_canceled);
}

/* ------------------------------------------------------------------ */
/* Rows                                                                */

static void
is_of_a_row_or_of_all(struct suite *suite)
{
  const bool is_of_rows = quirk_is(suite, "locks.rows", "yes");
  TN_CLEANUP(close_pair) struct pair pair = { NULL, NULL };
  enum tn_code rc;
  tn_err err = TN_ERR_INIT;

  if (!open_pair(suite, &pair))
    return;
  suite_begin(suite, pair.first);
  suite_run(suite, pair.first, UPDATE_1);
  CHECK(suite,
        suite_number(suite, pair.second,
                     "SELECT v FROM tn_lock WHERE id = 1") == 0,
        "a reader waits, or sees too much");
  rc = run_until(pair.second, UPDATE_2,
                 tn_deadline_after_ms(is_of_rows ? 10000 : 300), &err);
  CHECK_CODE(suite, rc, is_of_rows ? TN_OK : TN_E_TIMEOUT, &err,
             "an update of another row");
  suite_rollback(suite, pair.first);
  drop_pair(suite, &pair);
}

/* ------------------------------------------------------------------ */
/* Deadlocks                                                           */

/* What the one is owed that was chosen. */
static void
check_victim(struct suite *suite, tn_conn *conn, const tn_err *err)
{
  tn_err second = TN_ERR_INIT;

  CHECK(suite, err->connection == TN_CONNECTION_ABORTED, "verdict %s",
        tn_connection_verdict_name(err->connection));
  CHECK(suite, err->replay == TN_REPLAY_TRANSACTION, "replay %s",
        tn_replay_verdict_name(err->replay));
  CHECK(suite, tn_conn_exec(conn, UPDATE_1, NULL, &second) != TN_OK,
        "a statement ran in the transaction that is over, or without one");
  CHECK(suite, tn_conn_commit(conn, &second) != TN_OK,
        "the transaction that is over was committed");
  suite_rollback(suite, conn);
  CHECK_USABLE(suite, conn);
}

/* With a global id, unless that is NULL. */
static void
begin_as(struct suite *suite, tn_conn *conn, const char *global_id)
{
  const struct tn_txn_options options = { .global_id = global_id };
  tn_err err = TN_ERR_INIT;

  CHECK_CODE(suite, tn_conn_begin(conn, &options, &err), TN_OK, &err, "begin");
}

static void
meet(struct suite *suite, struct pair *pair, bool is_global)
{
  struct runner runner = { .conn = pair->second, .sql = UPDATE_1 };
  tn_err err = TN_ERR_INIT;
  enum tn_code rc;
  pthread_t thread;

  begin_as(suite, pair->first, is_global ? "tn-first" : NULL);
  begin_as(suite, pair->second, is_global ? "tn-second" : NULL);
  suite_run(suite, pair->first, UPDATE_1);
  suite_run(suite, pair->second, UPDATE_2);
  if (pthread_create(&thread, NULL, run_there, &runner) != 0)
    return;
  sleep_ms(REACH_MS);
  rc = run_until(pair->first, UPDATE_2, tn_deadline_after_ms(20000), &err);
  if (rc == TN_E_DEADLOCK)
    check_victim(suite, pair->first, &err);
  pthread_join(thread, NULL);
  if (runner.code == TN_E_DEADLOCK)
    check_victim(suite, pair->second, &runner.err);
  CHECK(suite, (rc == TN_E_DEADLOCK) != (runner.code == TN_E_DEADLOCK),
        "%s and %s: %s", tn_code_name((int32_t)rc),
        tn_code_name((int32_t)runner.code), err.message);
  if (rc != TN_E_DEADLOCK)
    CHECK_CODE(suite, tn_conn_commit(pair->first, &err), TN_OK, &err,
               "commit of the other");
  else
    CHECK_CODE(suite, tn_conn_commit(pair->second, &err), TN_OK, &err,
               "commit of the other");
}

static void
check_cycle(struct suite *suite, bool is_global)
{
  TN_CLEANUP(close_pair) struct pair pair = { NULL, NULL };

  CHECK(suite, true, "a backend without locks of rows has no cycles");
  if (!quirk_is(suite, "locks.rows", "yes") || !open_pair(suite, &pair))
    return;
  meet(suite, &pair, is_global);
  CHECK(suite,
        suite_number(suite, pair.first, "SELECT sum(v) FROM tn_lock") == 2,
        "not the one transaction and all of it");
  drop_pair(suite, &pair);
}

static void
cycle_has_one_victim(struct suite *suite)
{
  check_cycle(suite, false);
}

static void
cycle_of_what_may_be_prepared_has_one(struct suite *suite)
{
  if (suite_owes(suite, TN_CAP_TWO_PHASE))
    check_cycle(suite, true);
}

const struct suite_case cases_lock[] = {
  { "lock: waited for until the deadline", is_waited_for_until_the_deadline },
  { "lock: waited for until the server's limit",
    is_waited_for_until_the_servers_limit },
  { "lock: waited for until canceled", is_waited_for_until_canceled },
  { "lock: of a row, or of all", is_of_a_row_or_of_all },
  { "lock: a cycle has one victim", cycle_has_one_victim },
  { "lock: a cycle of what may be prepared has one",
    cycle_of_what_may_be_prepared_has_one },
  { NULL, NULL },
};
