/* Results. A result is the statement itself, which has one at a time. */
#include "odbc_priv.h"

static int32_t
columns(void *handle, struct tn_call *call, const struct tn_column **ret,
        uint32_t *ret_count)
{
  const struct odbc__statement *statement = handle;

  (void)call;
  *ret = statement->columns;
  *ret_count = (uint32_t)statement->column_count;
  return TN_OK;
}

/* The next block, if there is one. */
static int32_t
read_on(struct odbc__statement *statement, struct tn_call *call)
{
  SQLRETURN status = SQL_ERROR;
  int32_t rc = odbc__ready(statement->conn, call);

  if (rc == TN_OK)
    rc = odbc__run(statement->conn, call, odbc__read_block, statement,
                   statement->stmt, &status);
  if (rc == TN_OK && !SQL_SUCCEEDED(status))
    rc = odbc__fail_run(statement, call);
  return rc;
}

static int32_t
fetch(void *handle, tn_value *cells, struct tn_call *call)
{
  struct odbc__statement *statement = handle;
  int32_t rc = call->host->check(call);

  if (rc == TN_OK && statement->row == statement->rows && !statement->is_at_end)
    rc = read_on(statement, call);
  if (rc != TN_OK) {
    statement->is_at_end = true;
    statement->row = statement->rows;
    return -rc;
  }
  if (statement->row == statement->rows)
    return 0;
  rc = odbc__decode(statement, cells);
  return rc == TN_OK ? 1 : -odbc__fail_memory(call);
}

static void
close_result(void *handle, struct tn_call *call)
{
  odbc__close_cursor(handle, call);
}

static int32_t
info(void *handle, struct tn_result_info *ret)
{
  const struct odbc__statement *statement = handle;

  ret->flags = statement->has_affected ? TN_RESULT_HAS_AFFECTED : 0;
  ret->affected = (uint64_t)statement->affected;
  return TN_OK;
}

/* In the thread. */
static SQLRETURN
run_next_set(void *user)
{
  struct odbc__statement *statement = user;
  SQLRETURN rc = SQLMoreResults(statement->stmt);

  /* What tables said was of the columns before, or will be in the next run. */
  odbc__forget_answers(statement);
  if (SQL_SUCCEEDED(rc))
    rc = odbc__take_result(statement);
  odbc__forget_answers(statement);
  return rc;
}

static int32_t
next_set(void *handle, struct tn_call *call)
{
  struct odbc__statement *statement = handle;
  SQLRETURN status = SQL_ERROR;
  int32_t rc = odbc__ready(statement->conn, call);

  if (rc == TN_OK && !statement->is_open)
    return 0;
  if (rc == TN_OK)
    rc = odbc__run(statement->conn, call, run_next_set, statement,
                   statement->stmt, &status);
  if (rc == TN_OK && status == SQL_NO_DATA)
    return 0;
  if (rc == TN_OK && !SQL_SUCCEEDED(status))
    rc = odbc__fail_run(statement, call);
  return rc == TN_OK ? 1 : -rc;
}

const struct tn_result_table odbc__result_table = {
  .size = sizeof(struct tn_result_table),
  .columns = columns,
  .fetch = fetch,
  .close = close_result,
  .info = info,
  .next_set = next_set,
};
