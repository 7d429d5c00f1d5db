/* Threads cancel what a batch or a load does, and call in where they must not:
 * all of it takes effect or nothing does, and whoever calls in is refused. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <tenon/tenon.h>
#include <time.h>

#define RUNS  600
#define ROWS  500
#define PAUSE 200000 /* nanoseconds between two cancels: some runs end well */

static tn_conn *conn;
static tn_prepared *insert;
static tn_value values[ROWS];
static atomic_bool is_over;
static atomic_int wrong;

static void *
cancel_loop(void *arg)
{
  const struct timespec pause = { .tv_nsec = PAUSE };

  (void)arg;
  while (!atomic_load(&is_over)) {
    tn_conn_cancel(conn);
    nanosleep(&pause, NULL);
  }
  return NULL;
}

/* Its statement would be in the middle of another's transaction. */
static void *
intrude_loop(void *arg)
{
  const struct timespec pause = { .tv_nsec = PAUSE };

  (void)arg;
  while (!atomic_load(&is_over)) {
    if (tn_conn_exec(conn, "INSERT INTO t VALUES (-1)", NULL, NULL) !=
        TN_E_STATE)
      atomic_fetch_add(&wrong, 1);
    nanosleep(&pause, NULL);
  }
  return NULL;
}

/* All ROWS numbers in a batch. */
static enum tn_code
run_batch(tn_err *err)
{
  const struct tn_batch batch = { .values = values,
                                  .value_count = 1,
                                  .row_count = ROWS };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;

  return tn_prepared_batch(insert, &batch, &result, err);
}

/* The same as a load; one thread must not get in between its calls. */
static enum tn_code
run_load(bool is_intruded, tn_err *err)
{
  static const char *const columns[] = { "n" };
  const struct tn_bulk_options options = { .table = "t",
                                           .columns = columns,
                                           .column_count = 1 };
  TN_CLEANUP(tn_bulk_close) tn_bulk *bulk = NULL;
  pthread_t thread;
  enum tn_code rc = tn_bulk_open(conn, &options, &bulk, err);
  bool has_thread = rc == TN_OK && is_intruded &&
                    pthread_create(&thread, NULL, intrude_loop, NULL) == 0;
  int i;

  for (i = 0; i < ROWS && rc == TN_OK; i += 50)
    do
      rc = tn_bulk_write(bulk, values + i, 50, err);
    while (rc == TN_E_STATE && is_intruded); /* the other was inside */
  if (has_thread) {
    atomic_store(&is_over, true);
    pthread_join(thread, NULL);
    atomic_store(&is_over, false);
  }
  return rc == TN_OK ? tn_bulk_finish(bulk, NULL, err) : rc;
}

/* How many rows there are; then none. */
static uint64_t
take_rows(void)
{
  uint64_t count = 0;
  tn_err err = TN_ERR_INIT;
  enum tn_code rc;

  do
    rc = tn_conn_exec(conn, "DELETE FROM t", &count, &err);
  while (rc == TN_E_CANCELED);
  if (rc != TN_OK || tn_conn_txn_state(conn) != TN_TXN_NONE)
    atomic_fetch_add(&wrong, 1);
  return count;
}

static void
set_up(void)
{
  tn_err err = TN_ERR_INIT;
  int i;

  for (i = 0; i < ROWS; i++)
    values[i] = tn_int64(i);
  if (tn_conn_open("sqlite://", NULL, &conn, &err) != TN_OK ||
      tn_conn_exec(conn, "CREATE TABLE t (n INTEGER)", NULL, &err) != TN_OK ||
      tn_conn_prepare(conn, "INSERT INTO t VALUES (?)", 0, &insert, &err) !=
          TN_OK) {
    fprintf(stderr, "%s\n", err.message);
    exit(1);
  }
}

int
main(void)
{
  pthread_t thread;
  tn_err err = TN_ERR_INIT;
  int canceled = 0;
  int i;

  set_up();
  for (i = 0; i < 20; i++)
    if (run_load(true, &err) != TN_OK || take_rows() != ROWS)
      atomic_fetch_add(&wrong, 1);
  if (pthread_create(&thread, NULL, cancel_loop, NULL) != 0)
    return 1;
  for (i = 0; i < RUNS; i++) {
    enum tn_code rc = i % 2 == 0 ? run_batch(&err) : run_load(false, &err);
    uint64_t rows = take_rows();

    canceled += rc == TN_E_CANCELED;
    if ((rc != TN_OK && rc != TN_E_CANCELED) ||
        rows != (rc == TN_OK ? (uint64_t)ROWS : 0)) {
      printf("run %d: %s, %d rows\n", i, tn_code_name(rc), (int)rows);
      atomic_fetch_add(&wrong, 1);
    }
  }
  atomic_store(&is_over, true);
  pthread_join(thread, NULL);
  if (run_batch(&err) != TN_OK || take_rows() != ROWS)
    atomic_fetch_add(&wrong, 1);
  printf("%d runs, %d canceled, %d wrong\n", RUNS, canceled,
         atomic_load(&wrong));
  tn_prepared_close(&insert);
  tn_conn_close(&conn);
  return atomic_load(&wrong) != 0;
}
