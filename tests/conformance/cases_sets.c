/* Result sets: a procedure has several, all else has one. */
#include "suite.h"

static bool
next_set(struct suite *suite, tn_result *result)
{
  tn_err err = TN_ERR_INIT;
  int has_set = -1;

  CHECK_CODE(suite, tn_result_next_set(result, &has_set, &err), TN_OK, &err,
             "next set");
  return has_set == 1;
}

/* That the set has rows of these first cells. */
static void
check_rows(struct suite *suite, tn_result *result, const int64_t *wanted,
           size_t count)
{
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;
  size_t i;

  for (i = 0; i < count; i++) {
    if (!CHECK_CODE(suite, tn_result_next(result, &row, &err), TN_OK, &err,
                    "next"))
      return;
    CHECK(suite, row != NULL && row[0].as.int64 == wanted[i],
          "row %zu is not %lld", i, (long long)wanted[i]);
  }
  CHECK_CODE(suite, tn_result_next(result, &row, &err), TN_OK, &err, "next");
  CHECK(suite, row == NULL, "a row too many");
}

static void
check_columns(struct suite *suite, const tn_result *result, size_t count,
              const char *first)
{
  CHECK(suite, tn_result_column_count(result) == count,
        "%zu columns instead of %zu", tn_result_column_count(result), count);
  if (count > 0 && tn_result_column_count(result) > 0)
    CHECK(suite, strcmp(tn_result_column_name(result, 0), first) == 0,
          "column \"%s\" instead of \"%s\"", tn_result_column_name(result, 0),
          first);
}

static void
end_once_and_for_all(struct suite *suite, tn_result *result)
{
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;

  CHECK(suite, !next_set(suite, result), "a set too many");
  CHECK(suite, !next_set(suite, result), "the end is not the end");
  CHECK_CODE(suite, tn_result_next(result, &row, &err), TN_OK, &err,
             "a row after the last set");
  CHECK(suite, row == NULL, "a row after the last set");
}

static void
a_query_has_one(struct suite *suite)
{
  const char *sql = has_cap(suite, TN_CAP_EXPRESSIONS)
                        ? "SELECT 1 AS one UNION ALL SELECT 2"
                        : quirk(suite, "sample.sql");
  static const uint32_t flags[] = { 0, TN_QUERY_BUFFERED };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = suite_connect(suite);
  size_t i;
  int rows;

  for (i = 0; conn != NULL && i < 6; i++) {
    const struct tn_query query = { .sql = sql, .flags = flags[i % 2] };
    TN_CLEANUP(tn_result_close) tn_result *result = NULL;
    const tn_value *row = NULL;
    tn_err err = TN_ERR_INIT;

    if (!CHECK_CODE(suite, tn_conn_query(conn, &query, &result, &err), TN_OK,
                    &err, sql))
      return;

    /* None, one or all of the rows are read before. */
    for (rows = 0; rows < (int)i / 2 * 2; rows++)
      CHECK_CODE(suite, tn_result_next(result, &row, &err), TN_OK, &err,
                 "next");
    end_once_and_for_all(suite, result);
    tn_result_close(&result);
    CHECK_USABLE(suite, conn);
  }
}

static void
a_statement_without_rows_has_one(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close)
  tn_conn *conn = suite_table(suite, "tn_sets_rows", "n INTEGER");
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;

  if (conn == NULL)
    return;
  result = suite_query(suite, conn, "INSERT INTO tn_sets_rows VALUES (1), (2)",
                       NULL, 0);
  if (result == NULL)
    return;
  check_columns(suite, result, 0, NULL);
  CHECK(suite, tn_result_affected(result) == 2, "affected");
  end_once_and_for_all(suite, result);
  tn_result_close(&result);
  suite_run(suite, conn, "DROP TABLE tn_sets_rows");
}

/* A connection with the procedure: two sets with rows, then an INSERT of three
 * rows. */
static tn_conn *
open_procedure(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  tn_conn *opened = NULL;
  tn_err err = TN_ERR_INIT;

  if (!suite_owes(suite, TN_CAP_PROCEDURE) ||
      (conn = suite_table(suite, "tn_sets_rows", "n INTEGER")) == NULL ||
      !suite_run(suite, conn, "INSERT INTO tn_sets_rows VALUES (1), (2)") ||
      !CHECK_CODE(
          suite, tn_conn_exec(conn, quirk(suite, "procedure.drop"), NULL, &err),
          TN_OK, &err, "procedure.drop") ||
      !CHECK_CODE(
          suite,
          tn_conn_exec(conn, quirk(suite, "procedure.create"), NULL, &err),
          TN_OK, &err, "procedure.create"))
    return NULL;
  opened = conn;
  conn = NULL;
  return opened;
}

static void
drop_procedure(struct suite *suite, tn_conn *conn)
{
  tn_err err = TN_ERR_INIT;

  CHECK_CODE(suite,
             tn_conn_exec(conn, quirk(suite, "procedure.drop"), NULL, &err),
             TN_OK, &err, "procedure.drop");
  suite_run(suite, conn, "DROP TABLE tn_sets_rows");
}

static void
a_procedure_has_several(struct suite *suite)
{
  static const int64_t numbers[] = { 1, 2 };
  static const int64_t ten[] = { 10 };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = open_procedure(suite);
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;

  if (conn == NULL)
    return;
  result = suite_query(suite, conn, quirk(suite, "procedure.call"), NULL, 0);
  if (result == NULL)
    return;
  check_columns(suite, result, 2, "n");
  check_rows(suite, result, numbers, 2);
  CHECK(suite, next_set(suite, result), "no second set");
  check_columns(suite, result, 1, "ten");
  check_rows(suite, result, ten, 1);
  CHECK(suite, next_set(suite, result), "no set for what the call affected");
  check_columns(suite, result, 0, NULL);
  CHECK(suite, tn_result_affected(result) == 3, "affected %llu",
        (unsigned long long)tn_result_affected(result));
  end_once_and_for_all(suite, result);
  tn_result_close(&result);
  CHECK(suite,
        suite_number(suite, conn, "SELECT count(*) FROM tn_sets_rows") == 5,
        "the procedure did not run to its end");
  drop_procedure(suite, conn);
}

/* What is closed early has run all the same: the server does not stop. */
static void
sets_may_be_left_unread(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = open_procedure(suite);
  int read;

  for (read = 0; conn != NULL && read < 4; read++) {
    TN_CLEANUP(tn_result_close)
    tn_result *result =
        suite_query(suite, conn, quirk(suite, "procedure.call"), NULL, 0);
    const tn_value *row = NULL;
    tn_err err = TN_ERR_INIT;

    if (result == NULL)
      return;
    if (read % 2 == 1)
      CHECK_CODE(suite, tn_result_next(result, &row, &err), TN_OK, &err,
                 "next");
    if (read >= 2)
      CHECK(suite, next_set(suite, result), "no second set");
    tn_result_close(&result);
    CHECK_USABLE(suite, conn);
  }
  if (conn != NULL)
    drop_procedure(suite, conn);
}

static void
sets_of_a_procedure_may_be_buffered(struct suite *suite)
{
  static const int64_t numbers[] = { 1, 2 };
  static const int64_t ten[] = { 10 };
  const struct tn_query query = { .sql = quirk(suite, "procedure.call"),
                                  .flags = TN_QUERY_BUFFERED };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = open_procedure(suite);
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  tn_err err = TN_ERR_INIT;

  if (conn == NULL ||
      !CHECK_CODE(suite, tn_conn_query(conn, &query, &result, &err), TN_OK,
                  &err, "query"))
    return;
  CHECK(suite,
        suite_number(suite, conn, "SELECT count(*) FROM tn_sets_rows") == 5,
        "the procedure did not run to its end");
  check_columns(suite, result, 2, "n");
  check_rows(suite, result, numbers, 2);
  CHECK(suite, next_set(suite, result), "no second set");
  check_columns(suite, result, 1, "ten");
  check_rows(suite, result, ten, 1);
  tn_result_close(&result);
  drop_procedure(suite, conn);
}

const struct suite_case cases_sets[] = {
  { "sets: a query has one", a_query_has_one },
  { "sets: a statement without rows has one",
    a_statement_without_rows_has_one },
  { "sets: a procedure has several, and then what it affected",
    a_procedure_has_several },
  { "sets: those of a procedure may be left unread", sets_may_be_left_unread },
  { "sets: those of a procedure may be buffered",
    sets_of_a_procedure_may_be_buffered },
  { NULL, NULL },
};
