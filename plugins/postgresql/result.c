/* Results: rows as libpq hands them out, one by one or all at once.
 *
 * A result is the statement itself, which has one at a time, so that running a
 * statement allocates nothing here. Cells lie in libpq's memory. */
#include <stdlib.h>
#include <string.h>

#include "pg_priv.h"

void
pg__rows_clear(struct pg__statement *statement)
{
  PQclear(statement->rows);
  statement->rows = NULL;
  statement->row_at = -1;
  statement->row_count = 0;
}

void
pg__result_reset(struct pg__statement *statement)
{
  pg__rows_clear(statement);
  statement->state = PG__CLOSED;
  statement->is_checked = false;
  statement->flags = 0;
  statement->affected = 0;
  memset(&statement->batch, 0, sizeof statement->batch);
}

/* The tag that ends a statement counts its rows, whatever it did with them. */
void
pg__note_tag(struct pg__statement *statement, PGresult *result)
{
  const char *count = PQcmdTuples(result);

  if (count[0] == '\0')
    return;
  statement->flags |= TN_RESULT_HAS_AFFECTED;
  statement->affected += strtoull(count, NULL, 10);
}

/* The statement has run its course. Only what comes after its last result says
 * whether it has been committed. */
int32_t
pg__finish(struct pg__statement *statement)
{
  struct pg__conn *conn = statement->conn;
  PGresult *failed = NULL;
  int32_t rc = pg__drain(conn, &failed);

  statement->state = PG__DONE;
  if (rc == TN_OK && failed != NULL)
    rc = pg__settle(conn, pg__fail_sql(conn, failed, 0, statement->sql));
  PQclear(failed);
  return rc;
}

int32_t
pg__take_rows(struct pg__statement *statement, PGresult *result)
{
  statement->rows = result;
  statement->row_at = -1;
  statement->row_count = PQntuples(result);
  if (statement->is_checked)
    return TN_OK;
  statement->is_checked = true;
  return pg__is_described(statement, result)
             ? TN_OK
             : pg__describe_again(statement, result);
}

/* The command is over, and has no rows. */
static int32_t
take_command(struct pg__statement *statement, PGresult *result)
{
  struct pg__conn *conn = statement->conn;
  char tag[16] = "";
  int32_t rc;

  pg__note_tag(statement, result);
  if ((statement->text & PG__TEXT_COMMIT) != 0)
    snprintf(tag, sizeof tag, "%s", PQcmdStatus(result));
  PQclear(result);
  rc = pg__finish(statement);
  return rc == TN_OK && tag[0] != '\0' ? pg__check_commit(conn, tag) : rc;
}

int32_t
pg__take_failure(struct pg__statement *statement, PGresult *result,
                 uint64_t row)
{
  struct pg__conn *conn = statement->conn;
  int32_t rc;

  statement->state = PG__DONE;
  if (result == NULL)
    return pg__fail_lost(conn, NULL);
  rc = pg__fail_sql(conn, result, row, statement->sql);
  PQclear(result);
  return pg__settle(conn, rc);
}

/* The rows of a COPY are for bulk loads. */
static int32_t
refuse(struct pg__statement *statement, PGresult *result, int32_t category,
       const char *text)
{
  struct pg__conn *conn = statement->conn;
  ExecStatusType status = PQresultStatus(result);

  PQclear(result);
  statement->state = PG__DONE;
  category = tn_fail(conn->call, category, "postgresql: %s", text);
  if (status == PGRES_COPY_OUT && !conn->was_in_txn)
    (void)pg__cancel(conn);
  return pg__settle(conn, category);
}

int32_t
pg__take(struct pg__statement *statement, PGresult *result)
{
  switch (PQresultStatus(result)) { /* of NULL: PGRES_FATAL_ERROR */
  case PGRES_SINGLE_TUPLE:
    return pg__take_rows(statement, result);
  case PGRES_TUPLES_OK: {
    int32_t rc = pg__take_rows(statement, result);

    pg__note_tag(statement, result);
    return rc == TN_OK ? pg__finish(statement) : rc;
  }
  case PGRES_COMMAND_OK:
    return take_command(statement, result);
  case PGRES_FATAL_ERROR:
    return pg__take_failure(statement, result, statement->params.row);
  case PGRES_EMPTY_QUERY:
    return refuse(statement, result, TN_E_USAGE, "there is no statement");
  case PGRES_COPY_IN:
  case PGRES_COPY_OUT:
  case PGRES_COPY_BOTH:
    return refuse(statement, result, TN_E_UNSUPPORTED,
                  "a COPY from or to the client is no statement with rows; "
                  "load with the bulk interface");
  default:
    return refuse(statement, result, TN_E_OTHER,
                  "the server's answer is not understood");
  }
}

/* ------------------------------------------------------------------ */
/* The slots                                                            */

static int32_t
columns(void *handle, struct tn_call *call, const struct tn_column **ret,
        uint32_t *ret_count)
{
  const struct pg__statement *statement = handle;

  (void)call;
  *ret = statement->columns;
  *ret_count = statement->column_count;
  return TN_OK;
}

/* What is NULL has no bytes, so most cells need not be asked whether they
 * are. */
static int32_t
decode(struct pg__statement *statement, tn_value *cells, struct tn_call *call)
{
  const PGresult *rows = statement->rows;
  int at = statement->row_at;
  uint32_t i;

  for (i = 0; i < statement->column_count; i++) {
    struct pg__reader *reader = &statement->readers[i];
    int size = PQgetlength(rows, at, (int)i);
    int32_t rc;

    if (size == 0 && PQgetisnull(rows, at, (int)i)) {
      cells[i] = tn_null();
      continue;
    }
    rc = reader->decode(reader, PQgetvalue(rows, at, (int)i), (size_t)size,
                        call, &cells[i]);
    if (rc != TN_OK)
      return -rc;
  }
  return 1;
}

int32_t
pg__fetch_more(struct pg__statement *statement)
{
  struct pg__conn *conn = statement->conn;
  PGresult *result = NULL;
  int32_t rc;

  pg__rows_clear(statement);
  rc = pg__next(conn, &result);
  if (rc != TN_OK) {
    statement->state = PG__DONE; /* nothing is under way any more */
    return rc;
  }
  return pg__take(statement, result);
}

static int32_t
fetch(void *handle, tn_value *cells, struct tn_call *call)
{
  struct pg__statement *statement = handle;
  int32_t rc;

  pg__enter(statement->conn, call);
  while (++statement->row_at >= statement->row_count) {
    statement->row_at = statement->row_count - 1;
    if (statement->state != PG__READING || statement->batch.is_at_set_end)
      return 0;
    rc = statement->batch.is_on ? pg__batch_fetch(statement)
                                : pg__fetch_more(statement);
    if (rc != TN_OK)
      return -rc;
  }
  return decode(statement, cells, call);
}

void
pg__result_close(struct pg__statement *statement)
{
  pg__rows_clear(statement);
  if (statement->state == PG__READING)
    (void)pg__discard(statement->conn, (statement->text & PG__TEXT_READS) != 0);
  statement->state = PG__CLOSED;
}

static void
close_result(void *handle, struct tn_call *call)
{
  struct pg__statement *statement = handle;

  pg__enter(statement->conn, call);
  pg__result_close(statement);
}

static int32_t
info(void *handle, struct tn_result_info *ret)
{
  const struct pg__statement *statement = handle;

  ret->flags = statement->flags;
  ret->affected = statement->affected;
  return TN_OK;
}

static int32_t
next_set(void *handle, struct tn_call *call)
{
  struct pg__statement *statement = handle;

  pg__enter(statement->conn, call);
  if (statement->batch.is_single)
    return pg__batch_next_single(statement);
  if (!statement->batch.is_on || statement->state != PG__READING)
    return 0;
  return pg__batch_next_set(statement);
}

static int32_t
is_complete(void *handle)
{
  const struct pg__statement *statement = handle;

  return statement->state == PG__DONE && !statement->batch.is_single;
}

const struct tn_result_table pg__result_table = {
  .size = sizeof(struct tn_result_table),
  .columns = columns,
  .fetch = fetch,
  .close = close_result,
  .info = info,
  .next_set = next_set,
  .is_complete = is_complete,
};
