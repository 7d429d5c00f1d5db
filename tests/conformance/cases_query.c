/* Statements, parameters and results. */
#include "suite.h"

#include <stdlib.h>

static enum tn_code
run_code(tn_conn *conn, const char *sql, const tn_value *values,
         const char *const *names, size_t count, tn_err *err)
{
  const struct tn_query query = {
    .sql = sql, .values = values, .names = names, .value_count = count
  };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  enum tn_code rc = tn_conn_query(conn, &query, &result, err);

  while (rc == TN_OK) {
    rc = tn_result_next(result, &row, err);
    if (rc == TN_OK && row == NULL)
      break;
  }
  return rc;
}

/* The sample query of a backend without expressions, or one that all have. */
static const char *
rows_sql(const struct suite *suite, long *ret_rows)
{
  if (!has_cap(suite, TN_CAP_EXPRESSIONS)) {
    *ret_rows = strtol(quirk(suite, "sample.rows"), NULL, 10);
    return quirk(suite, "sample.sql");
  }
  *ret_rows = 1000;
  return "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r "
         "WHERE n < 1000) SELECT n, n * 2 AS twice FROM r";
}

static void
count_rows(struct suite *suite, tn_conn *conn, uint32_t flags)
{
  long wanted = 0;
  const struct tn_query query = { .sql = rows_sql(suite, &wanted),
                                  .flags = flags };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;
  long rows = -1;

  if (!CHECK_CODE(suite, tn_conn_query(conn, &query, &result, &err), TN_OK,
                  &err, query.sql))
    return;
  CHECK(suite, tn_result_column_count(result) > 0, "no columns");
  CHECK(suite, tn_result_column_name(result, 0)[0] != '\0', "no name");
  CHECK(suite, tn_result_column_name(result, 9999) == NULL, "past the end");
  do {
    rows++;
    if (!CHECK_CODE(suite, tn_result_next(result, &row, &err), TN_OK, &err,
                    "next"))
      return;
  } while (row != NULL);
  CHECK(suite, rows == wanted, "%ld rows instead of %ld", rows, wanted);
  CHECK(suite, tn_result_next(result, &row, &err) == TN_OK && row == NULL,
        "the end is not the end");
}

static void
streams_all_rows(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = suite_connect(suite);

  if (conn != NULL)
    count_rows(suite, conn, 0);
}

static void
buffers_all_rows(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = suite_connect(suite);

  if (conn != NULL)
    count_rows(suite, conn, TN_QUERY_BUFFERED);
}

static void
closes_early_and_goes_on(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = suite_connect(suite);
  long wanted = 0;
  const char *sql = rows_sql(suite, &wanted);
  int i;

  if (conn == NULL)
    return;
  for (i = 0; i < 20; i++) {
    TN_CLEANUP(tn_result_close)
    tn_result *result = suite_query(suite, conn, sql, NULL, 0);
    const tn_value *row = NULL;
    tn_err err = TN_ERR_INIT;

    if (result == NULL)
      return;
    CHECK_CODE(suite, tn_result_next(result, &row, &err), TN_OK, &err, "next");
    CHECK(suite, row != NULL, "no row");
  }
  count_rows(suite, conn, 0);
}

static void
streaming_result_holds_the_connection(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = suite_connect(suite);
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  long wanted = 0;
  const char *sql = rows_sql(suite, &wanted);
  tn_err err = TN_ERR_INIT;

  if (conn == NULL)
    return;
  result = suite_query(suite, conn, sql, NULL, 0);
  CHECK_CODE(suite, run_code(conn, sql, NULL, NULL, 0, &err), TN_E_STATE, &err,
             "a second query");
  CHECK(suite, tn_conn_verdict(conn) == TN_CONNECTION_USABLE, "not usable");
}

static void
prepared_runs_many_times(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = suite_connect(suite);
  TN_CLEANUP(tn_prepared_close) tn_prepared *prepared = NULL;
  long wanted = 0;
  const char *sql = rows_sql(suite, &wanted);
  const struct tn_query query = { .sql = NULL };
  tn_err err = TN_ERR_INIT;
  int i;

  if (conn == NULL ||
      !CHECK_CODE(suite, tn_conn_prepare(conn, sql, 0, &prepared, &err), TN_OK,
                  &err, "prepare"))
    return;
  for (i = 0; i < 20; i++) {
    TN_CLEANUP(tn_result_close) tn_result *result = NULL;
    const tn_value *row = NULL;

    if (!CHECK_CODE(suite, tn_prepared_query(prepared, &query, &result, &err),
                    TN_OK, &err, "run"))
      return;
    CHECK_CODE(suite, tn_result_next(result, &row, &err), TN_OK, &err, "next");
    CHECK(suite, row != NULL, "no row in run %d", i);
  }
}

/* Three others to be closed between the rows: two that were prepared after the
 * statement, and a result that is in memory. */
struct others {
  tn_prepared *prepared[2];
  tn_result *result;
};

static bool
open_others(struct suite *suite, tn_conn *conn, struct others *others)
{
  long rows = 0;
  const struct tn_query query = { .sql = rows_sql(suite, &rows),
                                  .flags = TN_QUERY_BUFFERED };
  tn_err err = TN_ERR_INIT;
  size_t i;

  for (i = 0; i < 2; i++)
    if (!CHECK_CODE(
            suite,
            tn_conn_prepare(conn, query.sql, 0, &others->prepared[i], &err),
            TN_OK, &err, "prepare another"))
      return false;
  return CHECK_CODE(suite, tn_conn_query(conn, &query, &others->result, &err),
                    TN_OK, &err, "another result");
}

static void
close_others(struct others *others)
{
  tn_prepared_close(&others->prepared[1]);
  tn_result_close(&others->result);
  tn_prepared_close(&others->prepared[0]);
}

/* How many rows are read; the others are closed after the second one, and
 * reading ends after `most`. */
static long
read_and_close(struct suite *suite, tn_result *result, struct others *others,
               long most)
{
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;
  long rows = 0;

  while (rows < most) {
    if (!CHECK_CODE(suite, tn_result_next(result, &row, &err), TN_OK, &err,
                    "next"))
      return rows;
    if (row == NULL)
      break;
    rows++;
    if (has_cap(suite, TN_CAP_EXPRESSIONS) && row[0].as.int64 != rows) {
      CHECK(suite, false, "row %ld has %lld", rows, (long long)row[0].as.int64);
      return rows;
    }
    if (rows == 2)
      close_others(others);
  }
  return rows;
}

/* To the end of the rows, to one before it, to a close of the connection. */
static void
others_may_be_closed_between_rows(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = suite_connect(suite);
  const struct tn_query query = { .sql = NULL };
  tn_err err = TN_ERR_INIT;
  long wanted = 0;
  const char *sql = rows_sql(suite, &wanted);
  int round;

  for (round = 0; round < 3 && conn != NULL; round++) {
    TN_CLEANUP(tn_prepared_close) tn_prepared *prepared = NULL;
    TN_CLEANUP(tn_result_close) tn_result *result = NULL;
    struct others others = { .result = NULL };
    long most = round == 0 ? wanted + 1 : 2;

    CHECK_CODE(suite, tn_conn_prepare(conn, sql, 0, &prepared, &err), TN_OK,
               &err, "prepare");
    if (prepared != NULL && open_others(suite, conn, &others) &&
        CHECK_CODE(suite, tn_prepared_query(prepared, &query, &result, &err),
                   TN_OK, &err, "run")) {
      long rows = read_and_close(suite, result, &others, most);

      CHECK(suite, rows == (round == 0 ? wanted : 2), "%ld rows", rows);
    }
    close_others(&others);
    if (round == 2)
      tn_conn_close(&conn);
    tn_result_close(&result);
    if (conn != NULL)
      count_rows(suite, conn, 0);
  }
}

static void
connection_may_close_first(struct suite *suite)
{
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  TN_CLEANUP(tn_conn_close) tn_conn *conn = suite_connect(suite);
  long wanted = 0;
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;

  if (conn == NULL)
    return;
  result = suite_query(suite, conn, rows_sql(suite, &wanted), NULL, 0);
  tn_conn_close(&conn);
  if (result != NULL)
    CHECK_CODE(suite, tn_result_next(result, &row, &err), TN_E_STATE, &err,
               "next after close");
}

static void
bad_statements_are_refused(struct suite *suite)
{
  static const char *const none[] = { "", "   ", ";", "-- nothing\n",
                                      "/* nothing */ ;" };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = suite_connect(suite);
  long wanted = 0;
  char two[512];
  tn_err err = TN_ERR_INIT;
  size_t i;

  if (conn == NULL)
    return;
  for (i = 0; i < sizeof none / sizeof none[0]; i++)
    CHECK_CODE(suite, run_code(conn, none[i], NULL, NULL, 0, &err), TN_E_USAGE,
               &err, none[i]);
  snprintf(two, sizeof two, "%s; %s", rows_sql(suite, &wanted),
           rows_sql(suite, &wanted));
  CHECK_CODE(suite, run_code(conn, two, NULL, NULL, 0, &err), TN_E_USAGE, &err,
             "two statements");
  CHECK_CODE(suite,
             run_code(conn, quirk(suite, "sample.syntax"), NULL, NULL, 0, &err),
             TN_E_SYNTAX, &err, "no SQL");
  CHECK(suite, strcmp(err.backend, suite->report.name) == 0,
        "the error names backend \"%s\"", err.backend);
  count_rows(suite, conn, 0);
}

static void
parameters_must_match(struct suite *suite)
{
  static const char *const lo_hi[] = { "lo", "hi" };
  static const char *const lo_lo[] = { "lo", "lo" };
  const tn_value values[2] = { tn_int64(1), tn_int64(2) };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;

  CHECK(suite, true, "a backend without expressions owes none");
  if (!has_cap(suite, TN_CAP_EXPRESSIONS) ||
      (conn = suite_connect(suite)) == NULL)
    return;
  CHECK_CODE(suite, run_code(conn, "SELECT ?", values, NULL, 2, &err),
             TN_E_USAGE, &err, "one too many");
  CHECK_CODE(suite, run_code(conn, "SELECT ?, ?", values, NULL, 1, &err),
             TN_E_USAGE, &err, "one too few");
  CHECK_CODE(suite, run_code(conn, "SELECT :lo, :hi", values, NULL, 2, &err),
             TN_E_USAGE, &err, "names missing");
  CHECK_CODE(suite, run_code(conn, "SELECT ?, ?", values, lo_hi, 2, &err),
             TN_E_USAGE, &err, "names too many");
  CHECK_CODE(suite, run_code(conn, "SELECT :lo", values, lo_hi, 2, &err),
             TN_E_USAGE, &err, "a name that is not used");
  CHECK_CODE(suite, run_code(conn, "SELECT :lo, :mid", values, lo_hi, 2, &err),
             TN_E_USAGE, &err, "a name without a value");
  CHECK_CODE(suite, run_code(conn, "SELECT :lo, :hi", values, lo_lo, 2, &err),
             TN_E_USAGE, &err, "a name twice");
  CHECK_CODE(suite, run_code(conn, "SELECT ?, :hi", values, lo_hi, 2, &err),
             TN_E_USAGE, &err, "both kinds");
}

static void
named_parameters_find_their_values(struct suite *suite)
{
  static const char *const names[] = { "b", "a" };
  const tn_value values[2] = { tn_int64(20), tn_int64(1) };
  const struct tn_query query = {
    .sql = "SELECT 'a ? :b' AS x /* :c ? */, CAST(:a AS INTEGER) + "
           "CAST(:b AS INTEGER) + CAST(:a AS INTEGER) AS total",
    .values = values,
    .names = names,
    .value_count = 2,
  };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  int64_t total = 0;
  tn_err err = TN_ERR_INIT;

  CHECK(suite, true, "a backend without expressions owes none");
  if (!has_cap(suite, TN_CAP_EXPRESSIONS) ||
      (conn = suite_connect(suite)) == NULL)
    return;
  if (!CHECK_CODE(suite, tn_conn_query(conn, &query, &result, &err), TN_OK,
                  &err, query.sql) ||
      !CHECK_CODE(suite, tn_result_next(result, &row, &err), TN_OK, &err,
                  "next") ||
      row == NULL)
    return;
  CHECK_CODE(suite, tn_value_to_int64(&row[1], &total, &err), TN_OK, &err,
             "total");
  CHECK(suite, total == 22, "total %lld", (long long)total);
  CHECK(suite, strcmp(tn_result_column_name(result, 1), "total") == 0,
        "column \"%s\"", tn_result_column_name(result, 1));
  CHECK(suite,
        row[0].as.bytes.size == 6 &&
            memcmp(row[0].as.bytes.data, "a ? :b", 6) == 0,
        "a string was changed");
}

static void
affected_counts_matched_rows(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  uint64_t affected = 99;
  tn_err err = TN_ERR_INIT;

  CHECK(suite, true, "a backend that cannot write owes none");
  if (!has_cap(suite, TN_CAP_WRITE | TN_CAP_DDL) ||
      (conn = suite_connect(suite)) == NULL)
    return;
  suite_run(suite, conn,
            "DROP TABLE IF EXISTS tn_rows;"
            "CREATE TABLE tn_rows (id INTEGER PRIMARY KEY, v INTEGER);"
            "INSERT INTO tn_rows VALUES (1, 10), (2, 10), (3, 30)");
  CHECK_CODE(suite,
             tn_conn_exec(conn, "UPDATE tn_rows SET v = 10 WHERE id < 3",
                          &affected, &err),
             TN_OK, &err, "update");
  CHECK(suite, affected == 2, "update: %llu instead of 2 matched",
        (unsigned long long)affected);
  CHECK_CODE(
      suite,
      tn_conn_exec(conn, "DELETE FROM tn_rows WHERE id = 99", &affected, &err),
      TN_OK, &err, "delete");
  CHECK(suite, affected == 0, "delete: %llu", (unsigned long long)affected);
  CHECK_CODE(suite, tn_conn_exec(conn, "DROP TABLE tn_rows", &affected, &err),
             TN_OK, &err, "drop");
  CHECK(suite, affected == 0, "drop: %llu", (unsigned long long)affected);
}

static void
check_key_of_many_rows(struct suite *suite, tn_conn *conn)
{
  TN_CLEANUP(tn_result_close)
  tn_result *result = suite_query(
      suite, conn, "INSERT INTO tn_key (v) VALUES (3), (4), (5)", NULL, 0);
  const bool tells_none = quirk_is(suite, "key.of_many_rows", "none");
  int64_t key = 0;
  tn_err err = TN_ERR_INIT;

  if (result == NULL)
    return;
  CHECK_CODE(suite, tn_result_generated_key(result, &key, &err),
             tells_none ? TN_E_NOT_FOUND : TN_OK, &err, "key of many rows");
  if (!tells_none)
    CHECK(suite, key == (quirk_is(suite, "key.of_many_rows", "last") ? 5 : 3),
          "key of many rows %lld", (long long)key);
}

static void
generated_key_is_told(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  char create[256];
  int64_t key = 0;
  tn_err err = TN_ERR_INIT;

  CHECK(suite, true, "a backend without generated keys owes none");
  if (!has_cap(suite, TN_CAP_GENERATED_KEY | TN_CAP_DDL) ||
      (conn = suite_connect(suite)) == NULL)
    return;
  suite_run(suite, conn, "DROP TABLE IF EXISTS tn_key");
  snprintf(create, sizeof create, "CREATE TABLE tn_key (id %s, v INTEGER)",
           quirk(suite, "type.key"));
  suite_run(suite, conn, create);
  suite_run(suite, conn, "INSERT INTO tn_key (v) VALUES (1)");
  result =
      suite_query(suite, conn, "INSERT INTO tn_key (v) VALUES (2)", NULL, 0);
  if (result != NULL) {
    CHECK_CODE(suite, tn_result_generated_key(result, &key, &err), TN_OK, &err,
               "key");
    CHECK(suite, key == 2, "key %lld", (long long)key);
  }
  tn_result_close(&result);
  check_key_of_many_rows(suite, conn);
  result = suite_query(suite, conn, "UPDATE tn_key SET v = 3", NULL, 0);
  if (result != NULL)
    CHECK_CODE(suite, tn_result_generated_key(result, &key, &err),
               TN_E_NOT_FOUND, &err, "the key of an update");
  tn_result_close(&result);
  suite_run(suite, conn, "DROP TABLE tn_key");
}

static void
returning_gives_rows(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = suite_connect(suite);
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  int rows = -1;
  tn_err err = TN_ERR_INIT;

  if (conn == NULL || (tn_conn_caps(conn) & TN_CAP_RETURNING) == 0)
    return;
  suite_run(suite, conn,
            "DROP TABLE IF EXISTS tn_ret; CREATE TABLE tn_ret (v INTEGER)");
  result = suite_query(
      suite, conn, "INSERT INTO tn_ret VALUES (1), (2) RETURNING v", NULL, 0);
  while (result != NULL && tn_result_next(result, &row, &err) == TN_OK) {
    rows++;
    if (row == NULL)
      break;
  }
  CHECK(suite, rows == 2, "%d rows: %s", rows, err.message);
  tn_result_close(&result);
  suite_run(suite, conn, "DROP TABLE tn_ret");
}

static void
schema_change_is_seen_by_a_prepared_statement(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_prepared_close) tn_prepared *prepared = NULL;
  const struct tn_query query = { .sql = NULL };
  tn_err err = TN_ERR_INIT;
  int round;

  CHECK(suite, true, "a backend without DDL owes none");
  if (!has_cap(suite, TN_CAP_DDL) || (conn = suite_connect(suite)) == NULL)
    return;
  suite_run(suite, conn,
            "DROP TABLE IF EXISTS tn_alter; CREATE TABLE tn_alter (a INTEGER);"
            "INSERT INTO tn_alter VALUES (1)");
  CHECK_CODE(
      suite,
      tn_conn_prepare(conn, "SELECT a FROM tn_alter", 0, &prepared, &err),
      TN_OK, &err, "prepare");
  for (round = 0; round < 2 && prepared != NULL; round++) {
    TN_CLEANUP(tn_result_close) tn_result *result = NULL;
    const tn_value *row = NULL;

    CHECK_CODE(suite, tn_prepared_query(prepared, &query, &result, &err), TN_OK,
               &err, "run");
    if (result != NULL) {
      CHECK_CODE(suite, tn_result_next(result, &row, &err), TN_OK, &err,
                 "next");
      CHECK(suite, row != NULL && row[0].as.int64 == 1, "round %d", round);
    }
    tn_result_close(&result);
    if (round == 0)
      suite_run(suite, conn, "ALTER TABLE tn_alter ADD COLUMN b INTEGER");
  }
  tn_prepared_close(&prepared);
  suite_run(suite, conn, "DROP TABLE tn_alter");
}

static enum tn_code
run_prepared(tn_prepared *prepared, int64_t *ret_sum, tn_err *err)
{
  const tn_value one = tn_int64(1);
  const struct tn_query query = { .values = &one, .value_count = 1 };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  enum tn_code rc = tn_prepared_query(prepared, &query, &result, err);

  *ret_sum = 0;
  while (rc == TN_OK) {
    rc = tn_result_next(result, &row, err);
    if (rc == TN_OK && row == NULL)
      break;
    if (rc == TN_OK)
      *ret_sum += row[0].as.int64;
  }
  return rc;
}

/* Some are prepared anew after a reset, which may fail. */
static void
failure_is_not_the_next_runs(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_prepared_close) tn_prepared *prepared = NULL;
  int64_t sum = 0;
  tn_err err = TN_ERR_INIT;

  if (!suite_owes(suite, TN_CAP_WRITE | TN_CAP_DDL | TN_CAP_RESET) ||
      (conn = suite_connect(suite)) == NULL)
    return;
  suite_run(suite, conn,
            "DROP TABLE IF EXISTS tn_away; CREATE TABLE tn_away (a INTEGER)");
  CHECK_CODE(suite,
             tn_conn_prepare(conn, "SELECT a FROM tn_away WHERE a > ?", 0,
                             &prepared, &err),
             TN_OK, &err, "prepare");
  if (prepared == NULL)
    return;
  CHECK_CODE(suite, tn_conn_reset(conn, &err), TN_OK, &err, "reset");
  suite_run(suite, conn, "DROP TABLE tn_away");
  CHECK(suite, run_prepared(prepared, &sum, &err) != TN_OK,
        "it runs without its table");
  suite_run(suite, conn,
            "CREATE TABLE tn_away (a INTEGER);"
            "INSERT INTO tn_away VALUES (1), (2), (3)");
  CHECK_CODE(suite, run_prepared(prepared, &sum, &err), TN_OK, &err,
             "run it again");
  CHECK(suite, sum == 5, "sum %lld", (long long)sum);
  tn_prepared_close(&prepared);
  suite_run(suite, conn, "DROP TABLE tn_away");
}

const struct suite_case cases_query[] = {
  { "query: streams all rows", streams_all_rows },
  { "query: buffers all rows", buffers_all_rows },
  { "query: a result closed early leaves the connection usable",
    closes_early_and_goes_on },
  { "query: a streaming result holds the connection",
    streaming_result_holds_the_connection },
  { "query: a prepared statement runs many times", prepared_runs_many_times },
  { "query: others may be closed between the rows of a statement",
    others_may_be_closed_between_rows },
  { "query: the connection may close before the result",
    connection_may_close_first },
  { "query: no statement, several, or none that is SQL are refused",
    bad_statements_are_refused },
  { "query: parameters must match in number and name", parameters_must_match },
  { "query: named parameters find their values",
    named_parameters_find_their_values },
  { "query: affected rows are those that matched",
    affected_counts_matched_rows },
  { "query: the generated key is told", generated_key_is_told },
  { "query: RETURNING gives rows", returning_gives_rows },
  { "query: a prepared statement survives a schema change",
    schema_change_is_seen_by_a_prepared_statement },
  { "query: a prepared statement runs again once its table is back",
    failure_is_not_the_next_runs },
  { NULL, NULL },
};
