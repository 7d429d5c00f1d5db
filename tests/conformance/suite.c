/* The harness: counts checks, prints what failed, and the few things that
 * every case needs. */
#include "suite.h"

#include <stdarg.h>

bool
has_cap(const struct suite *suite, uint64_t cap)
{
  return (suite->caps & cap) == cap;
}

void
suite_ask_caps(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  const struct tn_conn_options options = { .registry = suite->registry };

  suite->caps = suite->report.caps;
  if (tn_conn_open(suite->url, &options, &conn, NULL) == TN_OK)
    suite->caps = tn_conn_caps(conn);
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

/* A statement that is to stop within the 150 ms of grace needs a login, a
 * request, its confirmation and an empty statement; and may be asked a second
 * time. */
#define QUICK_LOGIN_MS 25

bool
suite_replace(struct suite *suite, tn_conn **conn)
{
  int64_t start;

  tn_conn_close(conn);
  start = tn_clock_now();
  *conn = suite_connect(suite);
  return tn_clock_now() - start > QUICK_LOGIN_MS * INT64_C(1000000);
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

enum tn_code
suite_exec(tn_conn *conn, const char *sql, const tn_value *values, size_t count,
           uint64_t *ret_affected, tn_err *err)
{
  const struct tn_query query = { .sql = sql,
                                  .values = values,
                                  .value_count = count };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  enum tn_code rc = tn_conn_query(conn, &query, &result, err);

  while (rc == TN_OK) {
    rc = tn_result_next(result, &row, err);
    if (rc == TN_OK && row == NULL)
      break;
  }
  if (rc == TN_OK && ret_affected != NULL)
    *ret_affected = tn_result_affected(result);
  return rc;
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

bool
suite_owes(struct suite *suite, uint64_t caps)
{
  CHECK(suite, true, "a backend that cannot do it owes nothing");
  return has_cap(suite, caps);
}

enum tn_code
suite_settings_code(const struct suite *suite)
{
  return (enum tn_code)tn_code_from_name(quirk(suite, "session.settings"));
}

uint32_t
suite_read_type(const struct suite *suite, uint32_t type)
{
  return type == TN_JSON ? tn_type_from_name(quirk(suite, "column.json"))
                         : type;
}

tn_conn *
suite_table(struct suite *suite, const char *table, const char *columns)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  tn_conn *opened;
  char sql[4096];

  if (!suite_owes(suite, TN_CAP_WRITE | TN_CAP_DDL) ||
      (conn = suite_connect(suite)) == NULL)
    return NULL;
  snprintf(sql, sizeof sql, "DROP TABLE IF EXISTS %s; CREATE TABLE %s (%s)",
           table, table, columns);
  if (!suite_run(suite, conn, sql))
    return NULL;
  opened = conn;
  conn = NULL;
  return opened;
}

bool
suite_begin(struct suite *suite, tn_conn *conn)
{
  tn_err err = TN_ERR_INIT;

  return CHECK_CODE(suite, tn_conn_begin(conn, NULL, &err), TN_OK, &err,
                    "begin");
}

void
suite_rollback(struct suite *suite, tn_conn *conn)
{
  tn_err err = TN_ERR_INIT;

  CHECK_CODE(suite, tn_conn_rollback(conn, &err), TN_OK, &err, "rollback");
  CHECK(suite, tn_conn_txn_state(conn) == TN_TXN_NONE,
        "a transaction is open after its rollback");
}

void
suite_check_usable(struct suite *suite, tn_conn *conn, const char *where)
{
  tn_err err = TN_ERR_INIT;

  check_that(suite, tn_conn_verdict(conn) == TN_CONNECTION_USABLE, where,
             "the verdict on the connection is %s",
             tn_connection_verdict_name((int32_t)tn_conn_verdict(conn)));
  check_code(suite, tn_conn_ping(conn, tn_deadline_after_ms(5000), &err), TN_OK,
             &err, where, "ping");
}

void
suite_check_value(struct suite *suite, const tn_value *got,
                  const tn_value *wanted, const char *where, const char *what)
{
  char got_text[160];
  char wanted_text[160];

  tn_value_print(got, got_text, sizeof got_text);
  tn_value_print(wanted, wanted_text, sizeof wanted_text);
  check_that(suite, got->type == wanted->type, where, "%s: came back as %s: %s",
             what, tn_type_name(got->type), got_text);
  check_that(suite, tn_value_equal(got, wanted), where,
             "%s: %s came back as %s", what, wanted_text, got_text);
}
