/* Batches: one statement for many rows of values. */
#include "suite.h"

#include <stdlib.h>

static const char INSERT[] = "INSERT INTO tn_batch VALUES (?, ?)";
static const char COUNT[] = "SELECT count(*) FROM tn_batch";

/* Rows of the large batch. */
#define MANY 10000

static tn_conn *
open_table(struct suite *suite)
{
  return suite_table(suite, "tn_batch",
                     "id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(20)");
}

/* Prepare and run it, and close both; its code. */
static enum tn_code
run_batch(tn_conn *conn, const char *sql, const struct tn_batch *batch,
          uint64_t *ret_affected, tn_err *err)
{
  TN_CLEANUP(tn_prepared_close) tn_prepared *prepared = NULL;
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  enum tn_code rc = tn_conn_prepare(conn, sql, 0, &prepared, err);

  if (rc == TN_OK)
    rc = tn_prepared_batch(prepared, batch, &result, err);
  if (rc == TN_OK && ret_affected != NULL)
    *ret_affected = tn_result_affected(result);
  return rc;
}

static void
check_batch(struct suite *suite, tn_conn *conn, const char *sql,
            const struct tn_batch *batch, uint64_t wanted)
{
  uint64_t affected = 9999;
  tn_err err = TN_ERR_INIT;

  CHECK_CODE(suite, run_batch(conn, sql, batch, &affected, &err), TN_OK, &err,
             sql);
  CHECK(suite, affected == wanted, "%s: affected %llu instead of %llu", sql,
        (unsigned long long)affected, (unsigned long long)wanted);
}

static void
check_count(struct suite *suite, tn_conn *conn, int64_t wanted)
{
  int64_t count = suite_number(suite, conn, COUNT);

  CHECK(suite, count == wanted, "%lld rows instead of %lld", (long long)count,
        (long long)wanted);
}

static void
runs_for_each_row(struct suite *suite)
{
  const tn_value rows[] = {
    tn_int64(1), tn_text("one"),   tn_int64(2), tn_text(""),
    tn_int64(3), tn_text("three"), tn_int64(4), tn_null(),
  };
  const tn_value limits[] = { tn_int64(2), tn_int64(4), tn_int64(99) };
  const struct tn_batch insert = { .values = rows,
                                   .value_count = 2,
                                   .row_count = 4 };
  const struct tn_batch update = { .values = limits,
                                   .value_count = 1,
                                   .row_count = 3 };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = open_table(suite);

  if (conn == NULL)
    return;
  check_batch(suite, conn, INSERT, &insert, 4);
  check_count(suite, conn, 4);
  CHECK(suite,
        suite_number(suite, conn,
                     "SELECT id FROM tn_batch WHERE name = 'three'") == 3,
        "the values of a row do not belong together");
  CHECK(suite,
        suite_number(suite, conn,
                     "SELECT id FROM tn_batch WHERE name IS NULL") == 4,
        "NULL is not NULL");

  /* 3 rows match, then 1, then none. */
  check_batch(suite, conn, "UPDATE tn_batch SET name = 'x' WHERE id >= ?",
              &update, 4);
  CHECK(suite, tn_conn_txn_state(conn) == TN_TXN_NONE,
        "a transaction is left open");
  suite_run(suite, conn, "DROP TABLE tn_batch");
}

static void
of_names_finds_its_values(struct suite *suite)
{
  static const char *const names[] = { "name", "id" };
  const tn_value rows[] = { tn_text("one"), tn_int64(1), tn_text("two"),
                            tn_int64(2) };
  const struct tn_batch batch = {
    .values = rows, .names = names, .value_count = 2, .row_count = 2
  };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = open_table(suite);

  if (conn == NULL)
    return;
  check_batch(suite, conn, "INSERT INTO tn_batch VALUES (:id, :name)", &batch,
              2);
  CHECK(suite,
        suite_number(suite, conn,
                     "SELECT id FROM tn_batch WHERE name = 'two'") == 2,
        "the names were mixed up");
  suite_run(suite, conn, "DROP TABLE tn_batch");
}

static void
with_too_many_or_few_values_is_refused(struct suite *suite)
{
  const tn_value values[] = { tn_int64(1), tn_int64(2), tn_int64(3) };
  const struct tn_batch three = { .values = values,
                                  .value_count = 3,
                                  .row_count = 1 };
  const struct tn_batch one = { .values = values,
                                .value_count = 1,
                                .row_count = 3 };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = open_table(suite);
  tn_err err = TN_ERR_INIT;

  if (conn == NULL)
    return;
  CHECK_CODE(suite, run_batch(conn, INSERT, &three, NULL, &err), TN_E_USAGE,
             &err, "one too many");
  CHECK_CODE(suite, run_batch(conn, INSERT, &one, NULL, &err), TN_E_USAGE, &err,
             "one too few");
  check_count(suite, conn, 0);
  suite_run(suite, conn, "DROP TABLE tn_batch");
}

/* Five rows, the fourth of which is there already. */
static void
fill_with_duplicate(tn_value rows[10])
{
  static const int64_t ids[] = { 1, 2, 3, 2, 5 };
  int i;

  for (i = 0; i < 5; i++) {
    rows[2 * i] = tn_int64(ids[i]);
    rows[2 * i + 1] = tn_text("x");
  }
}

static void
check_error_row(struct suite *suite, const tn_err *err, uint64_t wanted)
{
  if (quirk_is(suite, "error.batch_row", "yes"))
    CHECK(suite, err->row == wanted, "row %llu instead of %llu: %s",
          (unsigned long long)err->row, (unsigned long long)wanted,
          err->message);
  else
    CHECK(suite, err->row == 0 || err->row == wanted, "the wrong row %llu",
          (unsigned long long)err->row);
}

static void
outside_a_transaction_is_all_or_none(struct suite *suite)
{
  tn_value rows[10] = { { .type = 0 } };
  const struct tn_batch batch = { .values = rows,
                                  .value_count = 2,
                                  .row_count = 5 };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;

  if (!suite_owes(suite, TN_CAP_TRANSACTION) ||
      (conn = open_table(suite)) == NULL)
    return;
  fill_with_duplicate(rows);
  CHECK_CODE(suite, run_batch(conn, INSERT, &batch, NULL, &err), TN_E_DUPLICATE,
             &err, "a duplicate");
  check_error_row(suite, &err, 4);
  CHECK(suite, tn_conn_txn_state(conn) == TN_TXN_NONE,
        "a transaction is left open");
  CHECK_USABLE(suite, conn);
  check_count(suite, conn, 0);
  rows[6] = tn_int64(4);
  check_batch(suite, conn, INSERT, &batch, 5);
  suite_run(suite, conn, "DROP TABLE tn_batch");
}

static void
inside_a_transaction_keeps_what_was_before(struct suite *suite)
{
  tn_value rows[10] = { { .type = 0 } };
  const struct tn_batch batch = { .values = rows,
                                  .value_count = 2,
                                  .row_count = 5 };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;

  if (!suite_owes(suite, TN_CAP_TRANSACTION) ||
      (conn = open_table(suite)) == NULL)
    return;
  fill_with_duplicate(rows);
  suite_begin(suite, conn);
  CHECK_CODE(suite, run_batch(conn, INSERT, &batch, NULL, &err), TN_E_DUPLICATE,
             &err, "a duplicate");
  check_error_row(suite, &err, 4);
  if (quirk_is(suite, "transaction.failed_statement", "goes on")) {
    CHECK(suite, tn_conn_txn_state(conn) == TN_TXN_OPEN,
          "the transaction is over");
    check_count(suite, conn, 3);
  } else {
    CHECK(suite, tn_conn_txn_state(conn) == TN_TXN_ABORTED,
          "the transaction goes on");
  }
  suite_rollback(suite, conn);
  check_count(suite, conn, 0);

  /* A good one belongs to the transaction as well. */
  rows[6] = tn_int64(4);
  suite_begin(suite, conn);
  check_batch(suite, conn, INSERT, &batch, 5);
  CHECK(suite, tn_conn_txn_state(conn) == TN_TXN_OPEN,
        "the batch ended the transaction");
  check_count(suite, conn, 5);
  suite_rollback(suite, conn);
  check_count(suite, conn, 0);
  suite_run(suite, conn, "DROP TABLE tn_batch");
}

static void
names_row_and_parameter_of_a_bad_value(struct suite *suite)
{
  const tn_value rows[] = { tn_int64(1),    tn_text("one"), tn_int64(2),
                            tn_text("two"), tn_int64(3),    tn_text("\xff") };
  const struct tn_batch batch = { .values = rows,
                                  .value_count = 2,
                                  .row_count = 3 };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = open_table(suite);
  tn_err err = TN_ERR_INIT;

  if (conn == NULL)
    return;
  CHECK_CODE(suite, run_batch(conn, INSERT, &batch, NULL, &err), TN_E_CHARSET,
             &err, "no UTF-8");
  CHECK(suite, err.row == 3, "row %llu", (unsigned long long)err.row);
  CHECK(suite, err.parameter == 2, "parameter %d", (int)err.parameter);
  CHECK_USABLE(suite, conn);
  check_count(suite, conn, 0);
  suite_run(suite, conn, "DROP TABLE tn_batch");
}

static void
of_no_rows_does_nothing(struct suite *suite)
{
  static const char *const statements[] = {
    "INSERT INTO tn_batch VALUES (?, ?)",
    "SELECT name FROM tn_batch WHERE id = ? OR name = ?",
  };
  const struct tn_batch batch = { .value_count = 2 };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = open_table(suite);
  size_t i;

  for (i = 0; conn != NULL && i < 2; i++) {
    TN_CLEANUP(tn_prepared_close) tn_prepared *prepared = NULL;
    TN_CLEANUP(tn_result_close) tn_result *result = NULL;
    const tn_value *row = NULL;
    tn_err err = TN_ERR_INIT;
    int has_set = 1;

    if (!CHECK_CODE(suite,
                    tn_conn_prepare(conn, statements[i], 0, &prepared, &err),
                    TN_OK, &err, statements[i]) ||
        !CHECK_CODE(suite, tn_prepared_batch(prepared, &batch, &result, &err),
                    TN_OK, &err, statements[i]))
      return;
    CHECK(suite, tn_result_affected(result) == 0, "affected");
    CHECK_CODE(suite, tn_result_next(result, &row, &err), TN_OK, &err, "next");
    CHECK(suite, row == NULL, "a row");
    CHECK_CODE(suite, tn_result_next_set(result, &has_set, &err), TN_OK, &err,
               "next set");
    CHECK(suite, has_set == 0, "a set");
    tn_result_close(&result);
    check_count(suite, conn, 0);
    suite_run(suite, conn, "DELETE FROM tn_batch");
  }
  if (conn != NULL)
    suite_run(suite, conn, "DROP TABLE tn_batch");
}

/* Is the cell of the next row the text? NULL: is there no row? */
static void
check_next(struct suite *suite, tn_result *result, const char *wanted)
{
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;

  if (!CHECK_CODE(suite, tn_result_next(result, &row, &err), TN_OK, &err,
                  "next"))
    return;
  if (wanted == NULL || row == NULL)
    CHECK(suite, (wanted == NULL) == (row == NULL), "%s",
          row == NULL ? "a row is missing" : "a row too many");
  else
    CHECK(suite,
          row->type == TN_TEXT && row->as.bytes.size == strlen(wanted) &&
              memcmp(row->as.bytes.data, wanted, strlen(wanted)) == 0,
          "not \"%s\"", wanted);
}

/* `sql` finds the name of an id, which it has twice. */
static void
check_sets(struct suite *suite, const char *sql)
{
  const tn_value ids[] = { tn_int64(2),  tn_int64(2), tn_int64(99),
                           tn_int64(99), tn_int64(1), tn_int64(1),
                           tn_int64(2),  tn_int64(2), tn_int64(98),
                           tn_int64(98) };
  static const char *const wanted[] = { "two", NULL, "one", "two", NULL };
  const struct tn_batch batch = { .values = ids,
                                  .value_count = 2,
                                  .row_count = 5 };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = open_table(suite);
  TN_CLEANUP(tn_prepared_close) tn_prepared *prepared = NULL;
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  tn_err err = TN_ERR_INIT;
  int has_set = 0;
  int i;

  if (conn == NULL ||
      !suite_run(suite, conn,
                 "INSERT INTO tn_batch VALUES (1, 'one'), (2, 'two')") ||
      !CHECK_CODE(suite, tn_conn_prepare(conn, sql, 0, &prepared, &err), TN_OK,
                  &err, "prepare") ||
      !CHECK_CODE(suite, tn_prepared_batch(prepared, &batch, &result, &err),
                  TN_OK, &err, "batch"))
    return;
  for (i = 0; i < 5; i++) {
    CHECK(suite, tn_result_column_count(result) == 1, "set %d has %zu columns",
          i, tn_result_column_count(result));

    /* The rows of the fourth are left unread. */
    if (i != 3 && wanted[i] != NULL)
      check_next(suite, result, wanted[i]);
    if (i != 3)
      check_next(suite, result, NULL);
    CHECK(suite, tn_result_affected(result) <= 1, "set %d: those before it", i);
    CHECK_CODE(suite, tn_result_next_set(result, &has_set, &err), TN_OK, &err,
               "next set");
    CHECK(suite, has_set == (i < 4), "after set %d: %d", i, has_set);
  }
  CHECK_CODE(suite, tn_result_next_set(result, &has_set, &err), TN_OK, &err,
             "next set");
  CHECK(suite, has_set == 0, "the end is not the end");
  tn_result_close(&result);
  CHECK_USABLE(suite, conn);
  tn_prepared_close(&prepared);
  suite_run(suite, conn, "DROP TABLE tn_batch");
}

static void
of_a_query_has_a_set_for_each_row(struct suite *suite)
{
  check_sets(suite, "SELECT name FROM tn_batch WHERE id = ? AND id = ?");
}

/* The second parameter's type comes from the first value alone. */
static void
of_a_query_may_have_types_by_its_values(struct suite *suite)
{
  check_sets(suite, "SELECT name FROM tn_batch WHERE id = ? AND ? IS NOT NULL");
}

/* Nor need these be of one type in all rows. */
static void
of_a_query_may_have_values_of_many_types(struct suite *suite)
{
  const tn_value values[] = { tn_int64(1),    tn_int64(2),    tn_double(0.5),
                              tn_int64(1),    tn_int64(1),    tn_double(0.25),
                              tn_double(0.5), tn_double(0.5), tn_int64(7),
                              tn_int64(-7) };
  static const double wanted[] = { 3, 1.5, 1.25, 1, 0 };
  const struct tn_batch batch = { .values = values,
                                  .value_count = 2,
                                  .row_count = 5 };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_prepared_close) tn_prepared *prepared = NULL;
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  tn_err err = TN_ERR_INIT;
  int has_set = 1;
  int i;

  if (!suite_owes(suite, TN_CAP_EXPRESSIONS) ||
      (conn = suite_connect(suite)) == NULL ||
      !CHECK_CODE(suite,
                  tn_conn_prepare(conn, "SELECT ? + ?", 0, &prepared, &err),
                  TN_OK, &err, "prepare") ||
      !CHECK_CODE(suite, tn_prepared_batch(prepared, &batch, &result, &err),
                  TN_OK, &err, "batch"))
    return;
  for (i = 0; i < 5; i++) {
    const tn_value *row = NULL;
    double number = 0;

    CHECK_CODE(suite, tn_result_next(result, &row, &err), TN_OK, &err, "next");
    CHECK(suite,
          row != NULL && tn_value_to_double(row, &number, NULL) == TN_OK &&
              number == wanted[i],
          "set %d is not %g", i, wanted[i]);
    CHECK_CODE(suite, tn_result_next_set(result, &has_set, &err), TN_OK, &err,
               "next set");
    CHECK(suite, has_set == (i < 4), "after set %d: %d", i, has_set);
  }
}

/* A backend with no tables of its own making owes that as well. */
static void
of_a_query_may_be_closed_midway(struct suite *suite)
{
  const char *sql = has_cap(suite, TN_CAP_EXPRESSIONS)
                        ? "SELECT 1 UNION ALL SELECT 2"
                        : quirk(suite, "sample.sql");
  const struct tn_batch batch = { .row_count = 100 };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = suite_connect(suite);
  TN_CLEANUP(tn_prepared_close) tn_prepared *prepared = NULL;
  tn_err err = TN_ERR_INIT;
  int round;

  if (conn == NULL ||
      !CHECK_CODE(suite, tn_conn_prepare(conn, sql, 0, &prepared, &err), TN_OK,
                  &err, sql))
    return;
  for (round = 0; round < 20; round++) {
    TN_CLEANUP(tn_result_close) tn_result *result = NULL;
    const tn_value *row = NULL;
    int has_set = 0;
    int i;

    if (!CHECK_CODE(suite, tn_prepared_batch(prepared, &batch, &result, &err),
                    TN_OK, &err, "batch"))
      return;
    for (i = 0; i < round * 5; i++)
      CHECK_CODE(suite, tn_result_next_set(result, &has_set, &err), TN_OK, &err,
                 "next set");
    if (round % 2 == 0) {
      CHECK_CODE(suite, tn_result_next(result, &row, &err), TN_OK, &err,
                 "next");
      CHECK(suite, row != NULL, "set %d has no row", i);
    }
    tn_result_close(&result);
    CHECK_USABLE(suite, conn);
  }
}

static void
of_a_query_may_return_what_it_wrote(struct suite *suite)
{
  const tn_value rows[] = { tn_int64(1),    tn_text("one"), tn_int64(2),
                            tn_text("two"), tn_int64(3),    tn_text("three") };
  const struct tn_batch batch = { .values = rows,
                                  .value_count = 2,
                                  .row_count = 3 };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = open_table(suite);
  TN_CLEANUP(tn_prepared_close) tn_prepared *prepared = NULL;
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  tn_err err = TN_ERR_INIT;
  int has_set = 0;
  int i;

  if (conn == NULL || (tn_conn_caps(conn) & TN_CAP_RETURNING) == 0)
    return;
  if (!CHECK_CODE(suite,
                  tn_conn_prepare(
                      conn, "INSERT INTO tn_batch VALUES (?, ?) RETURNING name",
                      0, &prepared, &err),
                  TN_OK, &err, "prepare") ||
      !CHECK_CODE(suite, tn_prepared_batch(prepared, &batch, &result, &err),
                  TN_OK, &err, "batch"))
    return;
  for (i = 0; i < 3; i++) {
    check_next(suite, result, rows[2 * i + 1].as.bytes.data);
    check_next(suite, result, NULL);
    CHECK_CODE(suite, tn_result_next_set(result, &has_set, &err), TN_OK, &err,
               "next set");
    CHECK(suite, has_set == (i < 2), "after set %d: %d", i, has_set);
  }
  tn_result_close(&result);
  check_count(suite, conn, 3);
  tn_prepared_close(&prepared);
  suite_run(suite, conn, "DROP TABLE tn_batch");
}

static void
of_many_rows_loses_none(struct suite *suite)
{
  tn_value *rows = calloc(2 * MANY, sizeof *rows);
  const struct tn_batch batch = { .values = rows,
                                  .value_count = 2,
                                  .row_count = MANY };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  int64_t i;

  CHECK(suite, rows != NULL, "no memory");
  if (rows == NULL)
    return;
  for (i = 0; i < MANY; i++) {
    rows[2 * i] = tn_int64(i);
    rows[2 * i + 1] = i % 7 == 0 ? tn_null() : tn_text("row");
  }
  conn = open_table(suite);
  if (conn != NULL) {
    check_batch(suite, conn, INSERT, &batch, MANY);
    check_count(suite, conn, MANY);
    CHECK(suite,
          suite_number(suite, conn, "SELECT sum(id) FROM tn_batch") ==
              (int64_t)MANY * (MANY - 1) / 2,
          "the sum is not right");
    CHECK(suite,
          suite_number(suite, conn,
                       "SELECT count(*) FROM tn_batch WHERE name IS NULL") ==
              (MANY + 6) / 7,
          "the NULLs are not where they were");
    suite_run(suite, conn, "DROP TABLE tn_batch");
  }
  free(rows);
}

static void
past_its_deadline_runs_nothing(struct suite *suite)
{
  const tn_value rows[] = { tn_int64(1), tn_text("one") };
  const struct tn_batch batch = {
    .values = rows, .value_count = 2, .row_count = 1, .deadline = 1
  };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = open_table(suite);
  tn_err err = TN_ERR_INIT;

  if (conn == NULL)
    return;
  CHECK_CODE(suite, run_batch(conn, INSERT, &batch, NULL, &err), TN_E_TIMEOUT,
             &err, "a batch whose deadline has passed");
  CHECK_USABLE(suite, conn);
  check_count(suite, conn, 0);
  suite_run(suite, conn, "DROP TABLE tn_batch");
}

const struct suite_case cases_batch[] = {
  { "batch: runs for each row and adds up", runs_for_each_row },
  { "batch: named parameters find their values", of_names_finds_its_values },
  { "batch: values must match in number",
    with_too_many_or_few_values_is_refused },
  { "batch: outside a transaction all rows or none",
    outside_a_transaction_is_all_or_none },
  { "batch: in a transaction the rows before the failing one stay",
    inside_a_transaction_keeps_what_was_before },
  { "batch: a bad value is named by row and parameter",
    names_row_and_parameter_of_a_bad_value },
  { "batch: no rows is nothing to do", of_no_rows_does_nothing },
  { "batch: a query has a set for each row",
    of_a_query_has_a_set_for_each_row },
  { "batch: a query may have types by its values",
    of_a_query_may_have_types_by_its_values },
  { "batch: a query may have values of many types",
    of_a_query_may_have_values_of_many_types },
  { "batch: a query's sets may be closed midway",
    of_a_query_may_be_closed_midway },
  { "batch: rows that are written may be returned",
    of_a_query_may_return_what_it_wrote },
  { "batch: of ten thousand rows none is lost", of_many_rows_loses_none },
  { "batch: a deadline that has passed runs nothing",
    past_its_deadline_runs_nothing },
  { NULL, NULL },
};
