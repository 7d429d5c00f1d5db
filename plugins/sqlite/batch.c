/* Many runs of one statement in one call.
 *
 * SQLite has no such thing, so a run is a run; what is saved is all that stands
 * around it. Without columns all are run at once; otherwise each is
 * run when its result set is asked for, since the rows of a statement can only
 * be read before it is run again. */
#include "sqlite_priv.h"

/* Run all rows of values; what they did is added up. Statements that are
 * rarely run in batches, such as a PRAGMA, take the long way. */
static int32_t
run_all(struct sqlite__statement *statement, const tn_value *values,
        uint32_t count, uint64_t rows)
{
  struct sqlite__conn *conn = statement->conn;
  uint64_t affected = 0;
  uint32_t flags = 0;

  if (statement->is_dml)
    return sqlite__run_plain(statement, values, count, rows);
  for (conn->batch_row = 1; conn->batch_row <= rows; conn->batch_row++) {
    int32_t rc = sqlite__check_row(conn, conn->batch_row);

    if (rc == TN_OK)
      rc = sqlite__run(statement, values, count);
    if (rc != TN_OK)
      return rc;
    values += count;
    affected += statement->affected;
    flags |= statement->flags; /* the key is that of the last which made one */
  }
  statement->affected = affected;
  statement->flags = flags;
  return TN_OK;
}

/* Run the next row of values, of which there is one. */
static int32_t
run_next(struct sqlite__statement *statement)
{
  const tn_value *values = statement->batch;

  statement->batch += statement->parameter_count;
  statement->batch_left--;
  statement->batch_row++;
  statement->conn->batch_row = statement->batch_row;
  return sqlite__run(statement, values, statement->parameter_count);
}

int32_t
sqlite__execute_batch(void *handle, const tn_value *values, uint32_t count,
                      uint64_t rows, struct tn_call *call, void **ret)
{
  struct sqlite__statement *statement = handle;
  int32_t rc;

  sqlite__enter(statement->conn, call);
  if (statement->column_count == 0) {
    rc = run_all(statement, values, count, rows);
  } else {
    statement->batch = values;
    statement->batch_left = rows;
    rc = run_next(statement);
  }
  if (rc == TN_OK)
    *ret = statement;
  else
    sqlite__batch_rest(statement);
  return rc;
}

int32_t
sqlite__next_set(void *handle, struct tn_call *call)
{
  struct sqlite__statement *statement = handle;
  int32_t rc;

  statement->state = SQLITE__DONE;
  if (statement->batch_left == 0)
    return 0;
  sqlite__enter(statement->conn, call);
  sqlite__statement_rest(statement);
  rc = run_next(statement);
  if (rc == TN_OK)
    return 1;
  statement->state = SQLITE__DONE;
  statement->batch_left = 0;
  return -rc;
}

void
sqlite__batch_rest(struct sqlite__statement *statement)
{
  statement->batch_left = 0;
  statement->batch_row = 0;
}
