/* Statements that are found again by their text: they mean what they would mean
 * if they were prepared anew each time. */
#include "suite.h"

static const char rows_sql[] = "SELECT * FROM tn_cache ORDER BY a";

static uint64_t
hits(const tn_conn *conn)
{
  struct tn_cache_stats stats;

  tn_conn_cache_stats(conn, &stats);
  return stats.hits;
}

/* The columns of the table's rows, and their number. */
static void
check_rows(struct suite *suite, tn_conn *conn, size_t columns, long rows)
{
  TN_CLEANUP(tn_result_close)
  tn_result *result = suite_query(suite, conn, rows_sql, NULL, 0);
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;
  long count = -1;

  if (result == NULL)
    return;
  CHECK(suite, tn_result_column_count(result) == columns,
        "%zu columns instead of %zu", tn_result_column_count(result), columns);
  do {
    count++;
    if (!CHECK_CODE(suite, tn_result_next(result, &row, &err), TN_OK, &err,
                    "next"))
      return;
  } while (row != NULL);
  CHECK(suite, count == rows, "%ld rows instead of %ld", count, rows);
}

static void
is_found_by_its_text(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close)
  tn_conn *conn = suite_table(suite, "tn_cache", "a INTEGER");
  uint64_t before;
  int64_t i;

  if (conn == NULL)
    return;
  for (i = 0; i < 5; i++) {
    const tn_value value = tn_int64(i);
    tn_err err = TN_ERR_INIT;

    CHECK_CODE(suite,
               suite_exec(conn, "INSERT INTO tn_cache VALUES (?)", &value, 1,
                          NULL, &err),
               TN_OK, &err, "insert");
    check_rows(suite, conn, 1, (long)i + 1);
  }
  before = hits(conn);
  CHECK(suite, before == 8, "%d queries found their statement instead of 8",
        (int)before);
  suite_run(suite, conn, "DROP TABLE tn_cache");
}

/* By the session itself, and by another one. */
static void
follows_the_schema(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close)
  tn_conn *conn = suite_table(suite, "tn_cache", "a INTEGER");
  TN_CLEANUP(tn_conn_close) tn_conn *other = NULL;

  if (conn == NULL || (other = suite_connect(suite)) == NULL)
    return;
  suite_run(suite, conn, "INSERT INTO tn_cache VALUES (1)");
  check_rows(suite, conn, 1, 1);
  check_rows(suite, conn, 1, 1);
  suite_run(suite, conn, "ALTER TABLE tn_cache ADD COLUMN b INTEGER");
  check_rows(suite, conn, 2, 1);
  check_rows(suite, conn, 2, 1);
  suite_run(suite, other, "ALTER TABLE tn_cache ADD COLUMN c INTEGER");
  check_rows(suite, conn, 3, 1);
  suite_run(suite, other, "DROP TABLE tn_cache");
  suite_run(suite, other, "CREATE TABLE tn_cache (a INTEGER, b VARCHAR(9))");
  check_rows(suite, conn, 2, 0);
  suite_run(suite, conn, "DROP TABLE tn_cache");
}

/* The text is good again when the table is there again. */
static void
forgets_what_fails(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close)
  tn_conn *conn = suite_table(suite, "tn_cache", "a INTEGER");
  tn_err err = TN_ERR_INIT;

  if (conn == NULL)
    return;
  check_rows(suite, conn, 1, 0);
  suite_run(suite, conn, "DROP TABLE tn_cache");
  CHECK_CODE(suite, suite_exec(conn, rows_sql, NULL, 0, NULL, &err),
             TN_E_NO_TABLE, &err, "without its table");
  suite_run(suite, conn, "CREATE TABLE tn_cache (a INTEGER, b INTEGER)");
  check_rows(suite, conn, 2, 0);
  suite_run(suite, conn, "DROP TABLE tn_cache");
}

static void
survives_a_reset(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;

  if (!suite_owes(suite, TN_CAP_RESET) ||
      (conn = suite_table(suite, "tn_cache", "a INTEGER")) == NULL)
    return;
  check_rows(suite, conn, 1, 0);
  CHECK_CODE(suite, tn_conn_reset(conn, &err), TN_OK, &err, "reset");
  check_rows(suite, conn, 1, 0);
  suite_run(suite, conn, "DROP TABLE tn_cache");
}

/* More texts than are kept. */
static void
has_room_for_all(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = suite_connect(suite);
  char sql[64];
  int i;

  if (!suite_owes(suite, TN_CAP_EXPRESSIONS) || conn == NULL)
    return;
  for (i = 0; i < 300; i++) {
    snprintf(sql, sizeof sql, "SELECT %d", i % 150);
    CHECK(suite, suite_number(suite, conn, sql) == i % 150, "%s", sql);
  }
}

const struct suite_case cases_cache[] = {
  { "cache: a statement is found again by its text", is_found_by_its_text },
  { "cache: it follows changes of the schema", follows_the_schema },
  { "cache: what fails is forgotten", forgets_what_fails },
  { "cache: it survives a reset", survives_a_reset },
  { "cache: there is room for any number of texts", has_room_for_all },
  { NULL, NULL },
};
