/* Many runs of one statement, sent without waiting for each other.
 *
 * So many of them are under way as keep both sides busy and neither waiting for
 * the other: results are read whenever the socket takes no more, and further
 * runs are sent when half of them have been answered. Runs without rows are
 * followed by one sync at the end, so that outside a transaction all take
 * effect or none. */
#include <string.h>

#include "pg_priv.h"

/* Runs that are under way at most, and bytes of their parameters. */
#define WINDOW_RUNS  256
#define WINDOW_BYTES 65536

static bool
send_one(struct pg__statement *statement)
{
  const struct pg__params *params = &statement->params;

  statement->conn->needs_sync = true;
  return PQsendQueryPrepared(statement->conn->pq, statement->name,
                             (int)params->count, params->values,
                             params->lengths, params->formats,
                             statement->format) != 0;
}

/* What was sent is one transaction, of which nothing may stay. */
static void
undo(struct pg__conn *conn)
{
  conn->unnamed = NULL;
  conn->needs_sync = true;
  (void)PQsendQueryParams(conn->pq, "ROLLBACK", 0, NULL, NULL, NULL, NULL,
                          PG__FORMAT_TEXT);
}

/* A value was refused after runs before it were sent. */
static int32_t
give_up(struct pg__statement *statement, int32_t category)
{
  struct pg__conn *conn = statement->conn;

  if (conn->pq == NULL || PQpipelineStatus(conn->pq) == PQ_PIPELINE_OFF)
    return category;
  if (!conn->was_in_txn && statement->column_count == 0)
    undo(conn);
  statement->state = PG__DONE;
  return pg__settle(conn, category);
}

static size_t
bytes_of(const struct pg__params *params)
{
  size_t bytes = 0;
  uint32_t i;

  for (i = 0; i < params->count; i++)
    bytes += (size_t)params->lengths[i];
  return bytes;
}

/* Encode and send runs while there is room for them. */
static int32_t
send_more(struct pg__statement *statement)
{
  struct pg__conn *conn = statement->conn;
  struct pg__batch *batch = &statement->batch;
  uint32_t count = statement->parameter_count;
  size_t bytes = 0;

  while (batch->sent < batch->rows && bytes < WINDOW_BYTES &&
         batch->sent - batch->received < WINDOW_RUNS) {
    int32_t rc;

    statement->params.row = batch->sent + 1;
    rc = pg__params_encode(
        &statement->params,
        batch->values == NULL ? NULL : batch->values + batch->sent * count,
        conn->call);
    statement->params.row = 0;
    if (rc != TN_OK)
      return give_up(statement, rc);
    if (!send_one(statement))
      return pg__fail_send(conn);
    batch->sent++;
    bytes += bytes_of(&statement->params);
  }
  if (batch->sent < batch->rows ? !PQsendFlushRequest(conn->pq)
                                : !pg__sync(conn))
    return pg__fail_send(conn);
  pg__push(conn);
  return TN_OK;
}

/* Half of the runs under way have been answered. */
static bool
wants_more(const struct pg__batch *batch)
{
  return batch->sent < batch->rows &&
         batch->sent - batch->received <= WINDOW_RUNS / 2;
}

/* A run is over: its results have been read to their end. */
static int32_t
end_run(struct pg__statement *statement)
{
  struct pg__batch *batch = &statement->batch;

  batch->received++;
  batch->is_at_set_end = true;
  if (batch->received == batch->rows)
    return pg__finish(statement);
  return wants_more(batch) ? send_more(statement) : TN_OK;
}

static int32_t
fail_run(struct pg__statement *statement, PGresult *result)
{
  return pg__take_failure(statement, result, statement->batch.received + 1);
}

/* The next result of the present run; NULL has ended it. */
static int32_t
next_result(struct pg__statement *statement, PGresult **ret)
{
  int32_t rc = pg__next(statement->conn, ret);

  if (rc != TN_OK)
    statement->state = PG__DONE; /* nothing is under way any more */
  else if (*ret == NULL && PQstatus(statement->conn->pq) == CONNECTION_BAD)
    rc = fail_run(statement, NULL);
  else if (*ret == NULL)
    rc = end_run(statement);
  return rc;
}

/* Read one result of a run. */
static int32_t
take_result(struct pg__statement *statement)
{
  PGresult *result = NULL;
  int32_t rc = next_result(statement, &result);

  if (rc != TN_OK || result == NULL)
    return rc;
  switch (PQresultStatus(result)) {
  case PGRES_SINGLE_TUPLE:
    return pg__take_rows(statement, result);
  case PGRES_TUPLES_OK:
    pg__note_tag(statement, result);
    return pg__take_rows(statement, result);
  case PGRES_COMMAND_OK:
    pg__note_tag(statement, result);
    PQclear(result);
    return TN_OK;
  default:
    return fail_run(statement, result);
  }
}

int32_t
pg__batch_fetch(struct pg__statement *statement)
{
  pg__rows_clear(statement);
  return take_result(statement);
}

/* Read up to the first row of a run, or to its end if it has none. */
static int32_t
begin_set(struct pg__statement *statement)
{
  int32_t rc = TN_OK;

  statement->batch.is_at_set_end = false;
  pg__rows_clear(statement);
  (void)PQsetSingleRowMode(statement->conn->pq);
  while (rc == TN_OK && statement->row_count == 0 &&
         !statement->batch.is_at_set_end)
    rc = pg__batch_fetch(statement);
  return rc;
}

int32_t
pg__batch_next_set(struct pg__statement *statement)
{
  int32_t rc = TN_OK;

  while (rc == TN_OK && !statement->batch.is_at_set_end)
    rc = pg__batch_fetch(statement);
  if (rc == TN_OK && statement->batch.received == statement->batch.rows) {
    pg__rows_clear(statement);
    return 0;
  }
  if (rc != TN_OK)
    return -rc;
  statement->flags = 0;
  statement->affected = 0;
  rc = begin_set(statement);
  return rc == TN_OK ? 1 : -rc;
}

/* Runs without rows are all over when this returns. */
static int32_t
run_all(struct pg__statement *statement)
{
  int32_t rc = TN_OK;

  while (rc == TN_OK && statement->state == PG__READING)
    rc = take_result(statement);
  statement->batch.is_on = false;
  return rc;
}

/* The result of a preparation that was sent along. */
static int32_t
receive_preparation(struct pg__statement *statement)
{
  struct pg__conn *conn = statement->conn;
  PGresult *result = NULL;
  int32_t rc = pg__next(conn, &result);

  if (rc != TN_OK)
    return rc;
  if (PQresultStatus(result) != PGRES_COMMAND_OK)
    return pg__take_failure(statement, result, 0);
  PQclear(result);
  pg__prepared(statement);
  return pg__next(conn, &result); /* its end */
}

static int32_t
begin_batch(struct pg__statement *statement)
{
  struct pg__conn *conn = statement->conn;
  bool is_there = pg__statement_is_there(statement);
  int32_t rc = pg__ready(conn, PG__WRITE);

  if (rc != TN_OK)
    return rc;
  if ((statement->text & PG__TEXT_COPY) != 0)
    return tn_fail(conn->call, TN_E_UNSUPPORTED,
                   "postgresql: a COPY cannot be run in a batch");
  if (!PQenterPipelineMode(conn->pq))
    return pg__fail_send(conn);
  statement->state = PG__READING;
  if (!is_there) {
    pg__statement_name(statement);
    if (!pg__send_prepare(statement, statement->types))
      return pg__fail_send(conn);
  }
  rc = send_more(statement);
  return rc == TN_OK && !is_there ? receive_preparation(statement) : rc;
}

/* ------------------------------------------------------------------ */
/* One by one                                                           */

/* Do the values of the batch make one type of each parameter? */
static bool
is_uniform(const tn_value *values, uint32_t count, uint64_t rows)
{
  uint64_t i;

  for (i = count; i < rows * count; i++)
    if (values[i].type != values[i % count].type ||
        pg__oid_of_value(&values[i]) != pg__oid_of_value(&values[i % count]))
      return false;
  return true;
}

/* Types that are taken from the values may be others in each row. */
static bool
must_be_single(const struct pg__statement *statement, const tn_value *values,
               uint64_t rows)
{
  return (statement->asked_types != NULL || statement->first_types != NULL) &&
         !is_uniform(values, statement->parameter_count, rows);
}

static int32_t
run_single(struct pg__statement *statement)
{
  struct pg__batch batch = statement->batch;
  const tn_value *values =
      batch.values + batch.sent * statement->parameter_count;
  int32_t rc;

  batch.sent++;
  statement->params.row = batch.sent;
  rc = pg__statement_run(statement, values, false);
  statement->params.row = 0;
  statement->batch = batch;
  return rc;
}

/* What a statement without rows has done is added up. */
static int32_t
begin_single(struct pg__statement *statement)
{
  uint64_t affected = 0;
  int32_t rc;

  statement->batch.is_single = true;
  do {
    rc = run_single(statement);
    affected += statement->affected;
  } while (rc == TN_OK && statement->column_count == 0 &&
           statement->batch.sent < statement->batch.rows);
  if (statement->column_count == 0) {
    statement->affected = affected;
    statement->batch.is_single = false;
  }
  return rc;
}

/* What a run that writes returns is read to its end, which may be an error. */
static int32_t
end_single(struct pg__statement *statement)
{
  int32_t rc = TN_OK;

  statement->params.row = statement->batch.sent;
  while (rc == TN_OK && statement->state == PG__READING &&
         (statement->text & PG__TEXT_READS) == 0)
    rc = pg__fetch_more(statement);
  statement->params.row = 0;
  pg__result_close(statement);
  return rc;
}

int32_t
pg__batch_next_single(struct pg__statement *statement)
{
  int32_t rc = end_single(statement);

  if (rc == TN_OK && statement->batch.sent == statement->batch.rows) {
    statement->batch.is_single = false;
    pg__rows_clear(statement);
    return 0;
  }
  if (rc == TN_OK)
    rc = run_single(statement);
  if (rc == TN_OK)
    return 1;
  statement->batch.is_single = false;
  return -rc;
}

/* ------------------------------------------------------------------ */

/* All at once. */
static int32_t
begin_piped(struct pg__statement *statement, const tn_value *values)
{
  int32_t rc = pg__retype(statement, values);

  statement->batch.is_on = true;
  statement->state = PG__DONE;
  if (rc == TN_OK && statement->is_outdated)
    rc = pg__statement_prepare(statement, statement->types);
  if (rc == TN_OK)
    rc = begin_batch(statement);
  if (rc == TN_OK)
    rc = statement->column_count == 0 ? run_all(statement)
                                      : begin_set(statement);
  if (rc != TN_OK)
    statement->batch.is_on = false;
  return rc;
}

int32_t
pg__execute_batch(void *handle, const tn_value *values, uint32_t count,
                  uint64_t rows, struct tn_call *call, void **ret)
{
  struct pg__statement *statement = handle;
  int32_t rc = TN_OK;

  (void)count;
  pg__enter(statement->conn, call);
  pg__result_reset(statement);
  statement->batch.values = values;
  statement->batch.rows = rows;
  statement->state = PG__DONE;
  if (rows > 0)
    rc = must_be_single(statement, values, rows)
             ? begin_single(statement)
             : begin_piped(statement, values);
  if (rc != TN_OK) {
    pg__result_close(statement);
    return rc;
  }
  *ret = statement;
  return TN_OK;
}
