/* The harness: counts checks, prints what failed, and the few things that
 * every case needs. */
#include "suite.h"

#include <stdarg.h>

bool
has_cap(const struct suite *suite, uint64_t cap)
{
  return (suite->report.caps & cap) == cap;
}

void
check_that(struct suite *suite, bool is_good, const char *where,
           const char *fmt, ...)
{
  va_list values;

  suite->checks++;
  if (is_good)
    return;
  suite->failed_checks++;
  printf("# %s: %s: ", where, suite->case_name);
  va_start(values, fmt);
  vprintf(fmt, values);
  va_end(values);
  putchar('\n');
}

bool
check_code(struct suite *suite, enum tn_code got, enum tn_code wanted,
           const tn_err *err, const char *where, const char *what)
{
  const char *message = got == TN_OK || err == NULL ? "" : err->message;

  check_that(suite, got == wanted, where, "%s: %s instead of %s: %s", what,
             tn_code_name(got), tn_code_name(wanted), message);
  return got == wanted;
}

tn_conn *
suite_connect(struct suite *suite)
{
  const struct tn_conn_options options = { .registry = suite->registry };
  tn_err err = TN_ERR_INIT;
  tn_conn *conn = NULL;
  enum tn_code rc = tn_conn_open(suite->url, &options, &conn, &err);

  CHECK_CODE(suite, rc, TN_OK, &err, "open");
  return conn;
}

bool
suite_run(struct suite *suite, tn_conn *conn, const char *sql)
{
  tn_err err = TN_ERR_INIT;

  return CHECK_CODE(suite, tn_conn_script(conn, sql, NULL, NULL, &err), TN_OK,
                    &err, sql);
}

tn_result *
suite_query(struct suite *suite, tn_conn *conn, const char *sql,
            const tn_value *values, size_t count)
{
  const struct tn_query query = { .sql = sql,
                                  .values = values,
                                  .value_count = count };
  tn_err err = TN_ERR_INIT;
  tn_result *result = NULL;

  CHECK_CODE(suite, tn_conn_query(conn, &query, &result, &err), TN_OK, &err,
             sql);
  return result;
}

int64_t
suite_number(struct suite *suite, tn_conn *conn, const char *sql)
{
  TN_CLEANUP(tn_result_close)
  tn_result *result = suite_query(suite, conn, sql, NULL, 0);
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;
  int64_t number = -1;

  if (result == NULL ||
      !CHECK_CODE(suite, tn_result_next(result, &row, &err), TN_OK, &err, sql))
    return -1;
  CHECK(suite, row != NULL, "%s: no row", sql);
  if (row != NULL)
    CHECK_CODE(suite, tn_value_to_int64(&row[0], &number, &err), TN_OK, &err,
               sql);
  return number;
}
