/* A program that ends: its exit handlers may still use a database, and a thread
 * that was left behind in the middle of a TLS handshake finds nothing torn down
 * under it.
 *
 * The client libraries' TLS library has an exit handler of its own, which takes
 * everything apart. Ours was registered first, so it runs after that one. */
#include "faults.h"

#include <stdlib.h>
#include <unistd.h>

static char url[512];
static const char *number_back;

/* exit() cannot be called again here, and a return changes no exit status. */
static void
use_late(void)
{
  const tn_value number = tn_int64(17);
  const struct tn_query query = { .sql = number_back,
                                  .values = &number,
                                  .value_count = 1 };
  tn_conn *conn = NULL;
  tn_result *result = NULL;
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;
  enum tn_code rc = tn_conn_open(url, NULL, &conn, &err);

  if (rc == TN_OK)
    rc = tn_conn_query(conn, &query, &result, &err);
  if (rc == TN_OK)
    rc = tn_result_next(result, &row, &err);
  if (rc == TN_OK && (row == NULL || row[0].as.int64 != 17))
    fail("late: the wrong answer");
  tn_result_close(&result);
  tn_conn_close(&conn);
  if (rc != TN_OK)
    fail("late: %s: %s", tn_code_name((int32_t)rc), err.message);
  _exit(faults_end());
}

int
main(int argc, char **argv)
{
  const struct words *words;
  tn_conn *conn;

  if (atexit(use_late) != 0)
    die("no exit handler to be had");
  words = faults_begin(argc, argv);
  number_back = words->number_back;
  faults_url(words, 0, "tls=require", url, sizeof url);
  conn = faults_open(url, 0);
  tn_conn_close(&conn);
  return 0;
}
