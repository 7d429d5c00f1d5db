/* Two threads cancel as fast as they can what a third one runs: each statement
 * runs whole or is canceled, and none is hit once they have stopped. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <tenon/tenon.h>

#define STATEMENTS 10000

static tn_conn *conn;
static atomic_bool is_over;

static void *
cancel_loop(void *arg)
{
  (void)arg;
  while (!atomic_load(&is_over))
    tn_conn_cancel(conn);
  return NULL;
}

static enum tn_code
run(int rows, int64_t *ret_sum, tn_err *err)
{
  const tn_value value = tn_int64(rows);
  const struct tn_query query = {
    .sql = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r "
           "WHERE n < ?) SELECT n FROM r",
    .values = &value,
    .value_count = 1,
  };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  enum tn_code rc = tn_conn_query(conn, &query, &result, err);

  *ret_sum = 0;
  while (rc == TN_OK) {
    rc = tn_result_next(result, &row, err);
    if (rc != TN_OK || row == NULL)
      break;
    *ret_sum += row[0].as.int64;
  }
  return rc;
}

int
main(void)
{
  pthread_t threads[2];
  tn_err err = TN_ERR_INIT;
  int canceled = 0;
  int bad = 0;
  int i;

  if (tn_conn_open("sqlite://", NULL, &conn, &err) != TN_OK) {
    fprintf(stderr, "%s\n", err.message);
    return 1;
  }
  for (i = 0; i < 2; i++)
    if (pthread_create(&threads[i], NULL, cancel_loop, NULL) != 0)
      return 1;
  for (i = 0; i < STATEMENTS; i++) {
    int rows = i % 50 + 1;
    int64_t sum = 0;
    enum tn_code rc = run(rows, &sum, &err);

    canceled += rc == TN_E_CANCELED;
    bad += rc != TN_OK && rc != TN_E_CANCELED;
    bad += rc == TN_OK && sum != (int64_t)rows * (rows + 1) / 2;
  }
  atomic_store(&is_over, true);
  for (i = 0; i < 2; i++)
    pthread_join(threads[i], NULL);
  for (i = 0; i < 1000; i++) {
    int64_t sum = 0;

    bad += run(3, &sum, &err) != TN_OK || sum != 6;
  }
  printf("%d statements, %d canceled, %d wrong\n", STATEMENTS, canceled, bad);
  tn_conn_close(&conn);
  return bad != 0;
}
