/* Batches: one statement, many rows of values.
 *
 * MariaDB takes an array of rows in one request, which is many times faster
 * than row by row, but says only that one of them failed. So each array is sent
 * behind a savepoint: when it fails, it is undone and its rows are run one by
 * one, up to the one that fails. In that way the rows before it have taken
 * effect, and its number is known. Where there is no savepoint, outside a
 * transaction or once a table of an engine without them was touched, rows are
 * run one by one. */
#include "my_priv.h"

#include <string.h>

/* Fewer rows do not pay for the savepoint. */
#define ARRAY_ROWS_MIN 8

/* One request: more is no faster. */
#define ARRAY_BYTES ((size_t)1 << 20)

struct sum {
  uint64_t affected;
  int64_t key;
  uint32_t flags;
};

static const tn_value *
row_of(const struct mysql__statement *statement, const tn_value *values,
       uint64_t index)
{
  return values == NULL ? NULL : values + index * statement->parameter_count;
}

/* ------------------------------------------------------------------ */
/* Row by row                                                           */

/* A value was refused: have the error say of which row. */
static void
name_row(struct mysql__statement *statement, const tn_value *values,
         uint64_t row)
{
  struct mysql__array array = { .params = &statement->params,
                                .values = values,
                                .first_row = row };

  (void)mysql__array_take(&array, 1, ARRAY_BYTES, statement->conn->call);
  mysql__array_unbind(&array, statement->stmt);
}

/* Add up what the last run did, and what those before it did. */
static void
add(struct mysql__statement *statement, const struct sum *before)
{
  statement->affected += before->affected;
  if ((statement->flags & TN_RESULT_HAS_KEY) == 0)
    statement->key = before->key;
  statement->flags |= before->flags;
}

static struct sum
sum_of(const struct mysql__statement *statement)
{
  const struct sum sum = { statement->affected, statement->key,
                           statement->flags };

  return sum;
}

static int32_t
run_row(struct mysql__statement *statement, const tn_value *values,
        uint64_t row)
{
  const struct sum before = sum_of(statement);
  int32_t rc = mysql__stmt_execute(statement, values, row);

  if (statement->is_refused)
    name_row(statement, values, row);
  add(statement, &before);
  return rc;
}

/* From row `first` (from 0) on, until one returns rows of its own. */
static int32_t
run_rows(struct mysql__statement *statement, uint64_t first, uint64_t rows,
         const tn_value *values)
{
  uint64_t i;
  int32_t rc = TN_OK;

  for (i = first; i < rows && rc == TN_OK; i++) {
    rc = run_row(statement, row_of(statement, values, i), i + 1);
    statement->batch_at = i + 1;
    if (rc == TN_OK && statement->state == MYSQL__READING)
      break;
    if (rc == TN_OK)
      rc = statement->conn->host->check(statement->conn->call);
  }
  return rc;
}

int32_t
mysql__batch_next(struct mysql__statement *statement)
{
  int32_t rc;

  if (statement->batch_at >= statement->batch_rows)
    return 0;
  rc = run_rows(statement, statement->batch_at, statement->batch_rows,
                statement->batch);
  if (rc == TN_OK)
    return statement->state == MYSQL__READING;
  statement->batch_rows = 0;
  return -rc;
}

/* ------------------------------------------------------------------ */
/* Arrays                                                               */

static bool
can_send_arrays(const struct mysql__statement *statement, uint64_t rows)
{
  return statement->conn->has_arrays && statement->conn->in_txn &&
         rows >= ARRAY_ROWS_MIN && statement->parameter_count != 0 &&
         statement->is_writing && !statement->is_returning;
}

/* After these the statement alone has failed, and can be tried in pieces. */
static bool
is_of_values(int32_t category)
{
  return (category >= TN_E_DUPLICATE && category <= TN_E_CHARSET) ||
         category == TN_E_UNSUPPORTED;
}

/* Undo the array that has failed. `*ret_is_undone` false: a table that knows no
 * transactions keeps some of its rows. */
static int32_t
undo(struct mysql__conn *conn, bool *ret_is_undone)
{
  int32_t rc = mysql__exec_savepoint(conn, "ROLLBACK TO SAVEPOINT tn_batch",
                                     ret_is_undone);

  if (*ret_is_undone)
    *ret_is_undone = mysql_warning_count(conn->mysql) == 0;
  return rc;
}

static int32_t
run_each(struct mysql__statement *statement, const struct mysql__array *array)
{
  int32_t rc = TN_OK;
  uint64_t row;

  for (row = 0; row < array->rows && rc == TN_OK; row++)
    rc = run_row(statement, row_of(statement, array->values, row),
                 array->first_row + row);
  return rc;
}

/* Send what `array` holds; row by row when that fails. */
static int32_t
send_array(struct mysql__statement *statement, struct mysql__array *array)
{
  const struct sum before = sum_of(statement);
  struct mysql__conn *conn = statement->conn;
  bool can_undo = false;
  int32_t rc = mysql__exec_savepoint(conn, "SAVEPOINT tn_batch", &can_undo);

  if (rc != TN_OK)
    return rc;
  if (!can_undo) {
    mysql__array_unbind(array, statement->stmt);
    return run_each(statement, array);
  }
  rc = mysql__array_bind(array, statement->stmt, conn->call);
  if (rc != TN_OK)
    return rc;
  rc = mysql__stmt_send(statement, 0);
  mysql__array_unbind(array, statement->stmt);
  if (rc == TN_OK) {
    rc = mysql__set_open(statement);
    add(statement, &before);
    return rc;
  }
  if (!is_of_values(rc) || undo(conn, &can_undo) != TN_OK || !can_undo)
    return rc;
  return run_each(statement, array);
}

/* Too few for an array. */
static int32_t
run_few(struct mysql__statement *statement, struct mysql__array *array,
        const tn_value *values)
{
  mysql__array_unbind(array, statement->stmt);
  return run_rows(statement, array->first_row - 1,
                  array->first_row - 1 + array->rows, values);
}

static int32_t
send_arrays(struct mysql__statement *statement, const tn_value *values,
            uint64_t rows)
{
  struct mysql__array array = { .params = &statement->params };
  uint64_t at = 0;
  int32_t rc = TN_OK;

  while (at < rows && rc == TN_OK) {
    array.values = row_of(statement, values, at);
    array.first_row = at + 1;
    rc = mysql__array_take(&array, rows - at, ARRAY_BYTES,
                           statement->conn->call);
    if (rc == TN_OK && array.rows < ARRAY_ROWS_MIN)
      rc = run_few(statement, &array, values);
    else if (rc == TN_OK)
      rc = send_array(statement, &array);
    if (rc == TN_OK)
      rc = statement->conn->host->check(statement->conn->call);
    at += array.rows;
  }
  return rc;
}

/* ------------------------------------------------------------------ */

int32_t
mysql__execute_batch(void *handle, const tn_value *values, uint32_t count,
                     uint64_t rows, struct tn_call *call, void **ret)
{
  struct mysql__statement *statement = handle;
  int32_t rc;

  (void)count; /* parameter_count */
  mysql__enter(statement->conn, call);
  rc = mysql__stmt_ready(statement);
  if (rc != TN_OK)
    return rc;
  if (can_send_arrays(statement, rows)) {
    rc = send_arrays(statement, values, rows);
  } else {
    statement->batch = values;
    statement->batch_rows = rows;
    rc = run_rows(statement, 0, rows, values);
  }
  if (rc == TN_OK)
    *ret = statement;
  return rc;
}
