/* The program of the README, whole: open, ask, read typed rows. */
#include <inttypes.h>
#include <stdio.h>
#include <tenon/tenon.h>

static int
report(const tn_err *err)
{
  fprintf(stderr, "%s: %s\n", tn_code_name(err->code), err->message);
  if (err->detail[0] != '\0')
    fprintf(stderr, "%s\n", err->detail);
  return 1;
}

int
main(int argc, char **argv)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value low = tn_int64(1000);
  const struct tn_query query = {
    .sql = "SELECT name, kib FROM package WHERE kib > ? ORDER BY kib",
    .values = &low,
    .value_count = 1,
    .deadline = tn_deadline_after_ms(2000),
  };
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;
  enum tn_code rc;

  if (tn_conn_open(argc > 1 ? argv[1] : "sqlite://", NULL, &conn, &err) !=
          TN_OK ||
      tn_conn_script(conn,
                     "CREATE TEMP TABLE package (name TEXT, kib BIGINT);"
                     "INSERT INTO package VALUES ('small', 12);"
                     "INSERT INTO package VALUES ('large', 4096)",
                     NULL, NULL, &err) != TN_OK ||
      tn_conn_query(conn, &query, &result, &err) != TN_OK)
    return report(&err);
  while ((rc = tn_result_next(result, &row, &err)) == TN_OK && row != NULL)
    printf("%.*s %" PRId64 "\n", (int)row[0].as.bytes.size,
           row[0].as.bytes.data, row[1].as.int64);
  return rc == TN_OK ? 0 : report(&err);
}
