/* Buffered results: rows that are here already, whatever else is done. */
#include "suite.h"

#include <stdlib.h>

/* How many are open at once. */
#define RESULTS 5

/* Numbers from 1 with a text each, or the sample of a backend that has no
 * such query. */
static const char *
numbers_sql(const struct suite *suite, long *ret_rows)
{
  if (!has_cap(suite, TN_CAP_EXPRESSIONS)) {
    *ret_rows = strtol(quirk(suite, "sample.rows"), NULL, 10);
    return quirk(suite, "sample.sql");
  }
  *ret_rows = 900;
  return "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r "
         "WHERE n < 900) SELECT n, 'some text' AS t FROM r";
}

static tn_result *
buffer(struct suite *suite, tn_conn *conn, long *ret_rows)
{
  const struct tn_query query = { .sql = numbers_sql(suite, ret_rows),
                                  .flags = TN_QUERY_BUFFERED };
  tn_result *result = NULL;
  tn_err err = TN_ERR_INIT;

  CHECK_CODE(suite, tn_conn_query(conn, &query, &result, &err), TN_OK, &err,
             query.sql);
  return result;
}

/* The rows that are left. */
static long
count_rest(struct suite *suite, tn_result *result)
{
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;
  long rows = -1;

  do {
    rows++;
    if (!CHECK_CODE(suite, tn_result_next(result, &row, &err), TN_OK, &err,
                    "next"))
      return -1;
  } while (row != NULL);
  return rows;
}

static void
leaves_the_connection_free(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = suite_connect(suite);
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;
  long wanted = 0;
  long other = 0;
  long rows;

  if (conn == NULL || (result = buffer(suite, conn, &wanted)) == NULL)
    return;
  for (rows = 0; rows < wanted; rows++) {
    TN_CLEANUP(tn_result_close) tn_result *second = NULL;

    if (rows % 100 == 0)
      second = buffer(suite, conn, &other);
    if (!CHECK_CODE(suite, tn_result_next(result, &row, &err), TN_OK, &err,
                    "next") ||
        row == NULL)
      break;
    if (has_cap(suite, TN_CAP_EXPRESSIONS) && row->as.int64 != rows + 1) {
      CHECK(suite, false, "row %ld is %lld", rows, (long long)row->as.int64);
      break;
    }
  }
  CHECK(suite, rows == wanted, "%ld rows instead of %ld", rows, wanted);
  CHECK(suite, count_rest(suite, result) == 0, "and more");
  CHECK(suite, tn_result_affected(result) == (uint64_t)wanted, "affected %llu",
        (unsigned long long)tn_result_affected(result));
  CHECK_USABLE(suite, conn);
}

static void
several_may_be_open_and_closed_in_any_order(struct suite *suite)
{
  static const int orders[][RESULTS] = {
    { 0, 1, 2, 3, 4 },
    { 4, 3, 2, 1, 0 },
    { 2, 0, 4, 1, 3 },
  };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = suite_connect(suite);
  size_t order;
  int i;

  for (order = 0; conn != NULL && order < sizeof orders / sizeof orders[0];
       order++) {
    tn_result *results[RESULTS] = { NULL };
    long wanted = 0;

    for (i = 0; i < RESULTS; i++)
      results[i] = buffer(suite, conn, &wanted);
    for (i = 0; i < RESULTS; i++) {
      tn_result **closing = &results[orders[order][i]];

      if (*closing != NULL && i % 2 == 0)
        CHECK(suite, count_rest(suite, *closing) == wanted,
              "order %zu: a row is missing", order);
      tn_result_close(closing);
    }
    CHECK_USABLE(suite, conn);
  }
}

static void
a_streamed_one_does_not_disturb_it(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = suite_connect(suite);
  TN_CLEANUP(tn_result_close) tn_result *kept = NULL;
  TN_CLEANUP(tn_result_close) tn_result *streamed = NULL;
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;
  long wanted = 0;

  if (conn == NULL || (kept = buffer(suite, conn, &wanted)) == NULL)
    return;
  streamed = suite_query(suite, conn, numbers_sql(suite, &wanted), NULL, 0);
  if (streamed == NULL)
    return;
  CHECK_CODE(suite, tn_result_next(streamed, &row, &err), TN_OK, &err, "next");
  CHECK(suite, count_rest(suite, kept) == wanted, "a row is missing");
  CHECK(suite, count_rest(suite, streamed) == wanted - 1, "a row is missing");
}

static void
the_connection_may_close_first(struct suite *suite)
{
  TN_CLEANUP(tn_result_close) tn_result *first = NULL;
  TN_CLEANUP(tn_result_close) tn_result *second = NULL;
  TN_CLEANUP(tn_conn_close) tn_conn *conn = suite_connect(suite);
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;
  long wanted = 0;

  if (conn == NULL || (first = buffer(suite, conn, &wanted)) == NULL ||
      (second = buffer(suite, conn, &wanted)) == NULL)
    return;
  CHECK_CODE(suite, tn_result_next(first, &row, &err), TN_OK, &err, "next");
  tn_conn_close(&conn);
  CHECK_CODE(suite, tn_result_next(first, &row, &err), TN_E_STATE, &err,
             "next after close");
  CHECK_CODE(suite, tn_result_next(second, &row, &err), TN_E_STATE, &err,
             "next after close");
}

static void
of_a_prepared_statement_is_one_at_a_time(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = suite_connect(suite);
  TN_CLEANUP(tn_prepared_close) tn_prepared *prepared = NULL;
  const struct tn_query query = { .flags = TN_QUERY_BUFFERED };
  tn_err err = TN_ERR_INIT;
  long wanted = 0;
  int round;

  if (conn == NULL ||
      !CHECK_CODE(suite,
                  tn_conn_prepare(conn, numbers_sql(suite, &wanted), 0,
                                  &prepared, &err),
                  TN_OK, &err, "prepare"))
    return;
  for (round = 0; round < 3; round++) {
    TN_CLEANUP(tn_result_close) tn_result *result = NULL;
    TN_CLEANUP(tn_result_close) tn_result *second = NULL;

    if (!CHECK_CODE(suite, tn_prepared_query(prepared, &query, &result, &err),
                    TN_OK, &err, "run"))
      return;
    CHECK_CODE(suite, tn_prepared_query(prepared, &query, &second, &err),
               TN_E_STATE, &err, "run with a result open");
    CHECK(suite, count_rest(suite, result) == wanted, "a row is missing");
  }
  CHECK_USABLE(suite, conn);
}

static void
sees_nothing_of_later_changes(struct suite *suite)
{
  const struct tn_query query = { .sql = "SELECT v FROM tn_buffer ORDER BY v",
                                  .flags = TN_QUERY_BUFFERED };
  TN_CLEANUP(tn_conn_close)
  tn_conn *conn = suite_table(suite, "tn_buffer", "v INTEGER");
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  tn_err err = TN_ERR_INIT;

  if (conn == NULL ||
      !suite_run(suite, conn, "INSERT INTO tn_buffer VALUES (1), (2), (3)") ||
      !CHECK_CODE(suite, tn_conn_query(conn, &query, &result, &err), TN_OK,
                  &err, "query"))
    return;
  suite_run(suite, conn,
            "DELETE FROM tn_buffer; DROP TABLE tn_buffer;"
            "CREATE TABLE tn_buffer (t VARCHAR(10)); DROP TABLE tn_buffer");
  CHECK(suite, strcmp(tn_result_column_name(result, 0), "v") == 0,
        "column \"%s\"", tn_result_column_name(result, 0));
  CHECK(suite, count_rest(suite, result) == 3, "a row is missing");
}

const struct suite_case cases_buffer[] = {
  { "buffered: leaves the connection free", leaves_the_connection_free },
  { "buffered: several may be open and closed in any order",
    several_may_be_open_and_closed_in_any_order },
  { "buffered: a streamed result does not disturb it",
    a_streamed_one_does_not_disturb_it },
  { "buffered: the connection may close first",
    the_connection_may_close_first },
  { "buffered: of a prepared statement one at a time",
    of_a_prepared_statement_is_one_at_a_time },
  { "buffered: sees nothing of later changes", sees_nothing_of_later_changes },
  { NULL, NULL },
};
