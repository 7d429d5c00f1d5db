/* Several sessions at once, each in a thread of its own. */
#include "suite.h"

#include <pthread.h>
#include <stdlib.h>

#define THREADS    8
#define STATEMENTS 100

struct worker {
  const struct suite *suite;
  int number;
  long good; /* statements that did as they should */
  enum tn_code code;
  tn_err err; /* of the first failure */
};

/* The suite counts without a lock: checks are made when all have ended. */
static void *
open_and_close(void *arg)
{
  struct worker *worker = arg;
  const struct tn_conn_options options = { .registry =
                                               worker->suite->registry };
  int i;

  for (i = 0; i < 10; i++) {
    TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;

    worker->code =
        tn_conn_open(worker->suite->url, &options, &conn, &worker->err);
    if (worker->code == TN_OK)
      worker->code =
          tn_conn_ping(conn, tn_deadline_after_ms(20000), &worker->err);
    if (worker->code != TN_OK)
      return NULL;
    worker->good++;
  }
  return NULL;
}

/* A value that only this thread and this turn has comes back. */
static enum tn_code
ask(tn_prepared *prepared, int64_t number, int64_t *ret, tn_err *err)
{
  const tn_value value = tn_int64(number);
  const struct tn_query query = { .values = &value, .value_count = 1 };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  enum tn_code rc = tn_prepared_query(prepared, &query, &result, err);

  if (rc == TN_OK)
    rc = tn_result_next(result, &row, err);
  if (rc == TN_OK && row != NULL)
    rc = tn_value_to_int64(row, ret, err);
  return rc;
}

static void *
ask_often(void *arg)
{
  struct worker *worker = arg;
  const struct tn_conn_options options = { .registry =
                                               worker->suite->registry };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_prepared_close) tn_prepared *prepared = NULL;
  int i;

  worker->code =
      tn_conn_open(worker->suite->url, &options, &conn, &worker->err);
  if (worker->code == TN_OK)
    worker->code =
        tn_conn_prepare(conn, "SELECT ?", 0, &prepared, &worker->err);
  for (i = 0; worker->code == TN_OK && i < STATEMENTS; i++) {
    const int64_t number = worker->number * 100000 + i;
    int64_t got = -1;

    worker->code = ask(prepared, number, &got, &worker->err);
    worker->good += got == number;
  }
  return NULL;
}

static void
run_workers(struct suite *suite, void *(*work)(void *), long wanted)
{
  struct worker *workers = calloc(THREADS, sizeof *workers);
  pthread_t threads[THREADS];
  int started = 0;
  int i;

  CHECK(suite, workers != NULL, "no memory");
  if (workers == NULL)
    return;
  for (i = 0; i < THREADS; i++, started++) {
    workers[i].suite = suite;
    workers[i].number = i;
    if (pthread_create(&threads[i], NULL, work, &workers[i]) != 0)
      break;
  }
  CHECK(suite, started == THREADS, "%d threads", started);
  for (i = 0; i < started; i++) {
    pthread_join(threads[i], NULL);
    CHECK_CODE(suite, workers[i].code, TN_OK, &workers[i].err, "a thread");
    CHECK(suite, workers[i].good == wanted, "thread %d: %ld of %ld", i,
          workers[i].good, wanted);
  }
  free(workers);
}

static void
may_open_and_close_at_once(struct suite *suite)
{
  run_workers(suite, open_and_close, 10);
}

static void
get_their_own_answers(struct suite *suite)
{
  if (suite_owes(suite, TN_CAP_EXPRESSIONS))
    run_workers(suite, ask_often, STATEMENTS);
}

/* All threads write one table. Where there is one lock for all, they wait. */
static void *
write_often(void *arg)
{
  struct worker *worker = arg;
  const struct tn_conn_options options = { .registry =
                                               worker->suite->registry };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  int i;

  worker->code =
      tn_conn_open(worker->suite->url, &options, &conn, &worker->err);
  for (i = 0; worker->code == TN_OK && i < 10; i++) {
    const tn_value values[] = { tn_int64(worker->number), tn_int64(i) };

    worker->code = suite_exec(conn, "INSERT INTO tn_thread VALUES (?, ?)",
                              values, 2, NULL, &worker->err);
    worker->good += worker->code == TN_OK;
  }
  return NULL;
}

static void
may_write_the_same_table(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close)
  tn_conn *conn = suite_table(suite, "tn_thread", "a INTEGER, b INTEGER");

  if (conn == NULL)
    return;
  run_workers(suite, write_often, 10);
  CHECK(suite,
        suite_number(suite, conn,
                     "SELECT count(*) FROM (SELECT DISTINCT a, b FROM "
                     "tn_thread) AS d") == 10 * THREADS,
        "a row is lost");
  suite_run(suite, conn, "DROP TABLE tn_thread");
}

const struct suite_case cases_thread[] = {
  { "thread: sessions may open and close at once", may_open_and_close_at_once },
  { "thread: sessions get their own answers", get_their_own_answers },
  { "thread: sessions may write the same table", may_write_the_same_table },
  { NULL, NULL },
};
