/* Results: the rows of a statement, one by one.
 *
 * A result is the statement itself, which has one at a time, so that running a
 * statement allocates nothing. */
#include "my_priv.h"

/* How many rows may go by without a look at the deadline: data that keeps
 * coming is never waited for. */
#define CHECK_ROWS 256

static int32_t
columns(void *handle, struct tn_call *call, const struct tn_column **ret,
        uint32_t *ret_count)
{
  const struct mysql__statement *statement = handle;

  (void)call;
  *ret = statement->has_rows ? statement->reader.columns : NULL;
  *ret_count = statement->has_rows ? statement->reader.count : 0;
  return TN_OK;
}

static int32_t
fetch_text(struct mysql__statement *statement, tn_value *cells)
{
  MYSQL_ROW row = mysql_fetch_row(statement->rows);

  if (row == NULL) {
    statement->state = MYSQL__DONE;
    return 0;
  }
  mysql__decode_text_row(&statement->reader, row,
                         mysql_fetch_lengths(statement->rows), cells);
  return 1;
}

/* A category, after which there are no more rows. */
static int32_t
end_with(struct mysql__statement *statement, int32_t category)
{
  mysql__set_over(statement);
  return -category;
}

static int32_t
look_at_time(struct mysql__statement *statement, struct mysql__op *op)
{
  struct mysql__conn *conn = statement->conn;
  int32_t rc = TN_OK;

  if (++statement->fetched % CHECK_ROWS == 0)
    rc = conn->host->check(conn->call);
  return rc == TN_OK ? TN_OK : mysql__settle(conn, op, rc);
}

static int32_t
fetch_row(struct mysql__statement *statement, tn_value *cells)
{
  struct mysql__conn *conn = statement->conn;
  struct mysql__op op = { .verb = MYSQL__FETCH, .stmt = statement->stmt };
  int32_t rc = mysql__run(conn, &op);

  if (rc != TN_OK)
    return end_with(statement, rc);
  if (op.status == MYSQL_NO_DATA) {
    mysql__set_ended(statement);
    return 0;
  }
  if (op.status != 0 && op.status != MYSQL_DATA_TRUNCATED)
    return end_with(statement, mysql__fail(conn, statement->stmt));
  rc = look_at_time(statement, &op);
  if (rc != TN_OK)
    return end_with(statement, rc);
  rc =
      mysql__decode_row(&statement->reader, statement->stmt, cells, conn->call);
  return rc == TN_OK ? 1 : -rc;
}

static int32_t
fetch(void *handle, tn_value *cells, struct tn_call *call)
{
  struct mysql__statement *statement = handle;

  if (statement->state != MYSQL__READING)
    return 0;
  mysql__enter(statement->conn, call);
  statement->conn->hold = statement->hold;
  return statement->rows != NULL ? fetch_text(statement, cells)
                                 : fetch_row(statement, cells);
}

static int32_t
next_set(void *handle, struct tn_call *call)
{
  struct mysql__statement *statement = handle;
  int32_t rc;

  mysql__enter(statement->conn, call);
  statement->conn->hold = statement->hold;
  rc = mysql__set_next(statement);
  return rc == 0 ? mysql__batch_next(statement) : rc;
}

static void
close_result(void *handle, struct tn_call *call)
{
  struct mysql__statement *statement = handle;

  mysql__enter(statement->conn, call);
  mysql__set_discard(statement);
  mysql_free_result(statement->rows);
  statement->rows = NULL;
  statement->batch_rows = 0;
  statement->state = MYSQL__CLOSED;
  mysql__reader_rest(&statement->reader);
  mysql__stmt_close_rest(statement->conn);
}

static int32_t
info(void *handle, struct tn_result_info *ret)
{
  const struct mysql__statement *statement = handle;

  ret->flags = statement->flags;
  ret->affected = statement->affected;
  ret->generated_key = statement->key;
  return TN_OK;
}

/* Rows are never kept here: the library would store a whole result without once
 * looking at the time. */
const struct tn_result_table mysql__result_table = {
  .size = sizeof(struct tn_result_table),
  .columns = columns,
  .fetch = fetch,
  .close = close_result,
  .info = info,
  .next_set = next_set,
};
