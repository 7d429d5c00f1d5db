/* Results: the rows of a statement, one by one.
 *
 * A result is the statement itself, which has one at a time, so that running a
 * statement allocates nothing. */
#include "sqlite_priv.h"

static int32_t
columns(void *handle, struct tn_call *call, const struct tn_column **ret,
        uint32_t *ret_count)
{
  const struct sqlite__statement *statement = handle;

  (void)call;
  *ret = statement->columns;
  *ret_count = statement->column_count;
  return TN_OK;
}

/* On to the next row of those that were kept. */
static bool
next_kept(struct sqlite__statement *statement)
{
  statement->kept_at++;
  return statement->kept_at < statement->kept_rows;
}

/* 1, 0, or a category with its sign changed. */
static int32_t
step(struct sqlite__statement *statement)
{
  int code;

  if (!statement->is_query)
    return next_kept(statement);
  code = sqlite__step_on(statement->conn, statement->stmt);
  if (code == SQLITE_ROW)
    return 1;
  if (code == SQLITE_DONE)
    return 0;
  statement->conn->batch_row = statement->batch_row;
  return -sqlite__fail(statement->conn, code, NULL);
}

static int32_t
fetch(void *handle, tn_value *cells, struct tn_call *call)
{
  struct sqlite__statement *statement = handle;
  int32_t rc = 1;

  sqlite__enter(statement->conn, call);
  if (statement->state == SQLITE__DONE)
    return 0;
  if (statement->state == SQLITE__READING)
    rc = step(statement);
  statement->state = SQLITE__READING;
  if (rc == 1 && sqlite__decode_row(statement, cells) != TN_OK)
    rc = -TN_E_MEMORY;
  if (rc != 1)
    statement->state = SQLITE__DONE;
  return rc;
}

static void
close_result(void *handle, struct tn_call *call)
{
  struct sqlite__statement *statement = handle;

  (void)call;
  statement->conn->call = NULL; /* nobody to wait for, or to tell */
  sqlite__statement_rest(statement);
  sqlite__batch_rest(statement);
}

static int32_t
info(void *handle, struct tn_result_info *ret)
{
  const struct sqlite__statement *statement = handle;

  ret->flags = statement->flags;
  ret->affected = statement->affected;
  ret->generated_key = statement->key;
  return TN_OK;
}

/* The rows of a writer were kept when it ran (run.c). */
static int32_t
is_complete(void *handle)
{
  const struct sqlite__statement *statement = handle;

  return !statement->is_query;
}

const struct tn_result_table sqlite__result_table = {
  .size = sizeof(struct tn_result_table),
  .columns = columns,
  .fetch = fetch,
  .close = close_result,
  .info = info,
  .next_set = sqlite__next_set,
  .is_complete = is_complete,
};
