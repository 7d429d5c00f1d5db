/* Preparing a statement on the server.
 *
 * One that was just prepared stands there without a name, which costs nothing
 * to let go: most statements are run once. When the server needs that place for
 * another and the statement is run again, it is prepared anew under a name, in
 * the same round trip as the run. Names are let go with a later preparation,
 * outside of transactions, where a name that is gone already does no harm. */
#include <stdio.h>
#include <string.h>

#include "pg_priv.h"

void
pg__name_set(struct pg__statement *statement, uint32_t number)
{
  statement->number = number;
  statement->name[0] = '\0';
  if (number != 0)
    snprintf(statement->name, sizeof statement->name, "tenon_%u",
             (unsigned)number);
}

void
pg__name_drop(struct pg__statement *statement)
{
  struct pg__conn *conn = statement->conn;
  uint32_t capacity = conn->idle_capacity == 0 ? 16 : conn->idle_capacity * 2;
  uint32_t *names = conn->idle_names;

  if (conn->unnamed == statement)
    conn->unnamed = NULL;
  if (!statement->is_named)
    return;
  statement->is_named = false;
  if (conn->idle_count == conn->idle_capacity) {
    names = conn->host->resize(names, capacity * sizeof *names);
    if (names == NULL)
      return; /* the server keeps it as long as the session */
    conn->idle_names = names;
    conn->idle_capacity = capacity;
  }
  names[conn->idle_count++] = statement->number;
}

/* Let names go. A failure is of no interest: the server has none of them. */
static bool
send_deallocate(struct pg__conn *conn)
{
  uint32_t i;

  for (i = 0; i < conn->idle_count; i++) {
    char sql[PG__NAME_SIZE + 16];

    snprintf(sql, sizeof sql, "DEALLOCATE tenon_%u",
             (unsigned)conn->idle_names[i]);
    if (!PQsendQueryParams(conn->pq, sql, 0, NULL, NULL, NULL, NULL,
                           PG__FORMAT_TEXT))
      return false;
  }
  conn->unnamed = NULL;
  conn->idle_count = 0;
  return pg__sync(conn);
}

/* A statement without parameters or rows. */
static bool
send_plain(struct pg__conn *conn, const char *sql)
{
  conn->unnamed = NULL;
  conn->needs_sync = true;
  return PQsendQueryParams(conn->pq, sql, 0, NULL, NULL, NULL, NULL,
                           PG__FORMAT_TEXT) != 0;
}

bool
pg__send_prepare(struct pg__statement *statement, const Oid *types)
{
  struct pg__conn *conn = statement->conn;

  conn->unnamed = statement->number == 0 ? NULL : conn->unnamed;
  conn->needs_sync = true;
  return PQsendPrepare(conn->pq, statement->name, statement->sql,
                       types == NULL ? 0 : (int)statement->parameter_count,
                       types) != 0;
}

void
pg__prepared(struct pg__statement *statement)
{
  if (statement->number == 0)
    statement->conn->unnamed = statement;
  else
    statement->is_named = true;
}

static bool
send_all(struct pg__statement *statement, const struct pg__preparation *how)
{
  struct pg__conn *conn = statement->conn;
  bool is_outside = PQtransactionStatus(conn->pq) == PQTRANS_IDLE;

  if (!PQenterPipelineMode(conn->pq))
    return false;
  if (conn->idle_count > 0 && is_outside && !send_deallocate(conn))
    return false;
  if (how->is_guarded && !send_plain(conn, "SAVEPOINT tenon_prepare"))
    return false;
  if (!pg__send_prepare(statement, how->types) ||
      !PQsendDescribePrepared(conn->pq, statement->name))
    return false;
  if (how->is_guarded && !send_plain(conn, "RELEASE tenon_prepare"))
    return false;
  return pg__sync(conn);
}

/* Take a result of those that count: the `wanted`th that is none of a failure
 * is the description, from 0. False: the server is out of its mind, or closes
 * the connection. */
static bool
take_result(struct pg__preparation *how, PGresult *result, int *wanted)
{
  ExecStatusType status = PQresultStatus(result);
  bool goes_on = true;

  if (status == PGRES_FATAL_ERROR && how->failed == NULL) {
    goes_on = !pg__is_fatal(result);
    how->failed = result;
  } else if (status == PGRES_COMMAND_OK && (*wanted)-- == 0) {
    how->description = result;
  } else {
    goes_on = !pg__is_copy(result);
    PQclear(result);
  }
  return goes_on;
}

static int32_t
receive_all(struct pg__statement *statement, struct pg__preparation *how,
            bool had_idle)
{
  struct pg__conn *conn = statement->conn;
  int wanted = how->is_guarded ? 2 : 1;
  bool goes_on = true;

  while (conn->syncs > 0 && goes_on) {
    PGresult *result = NULL;
    int32_t rc = pg__next(conn, &result);

    if (rc != TN_OK)
      return rc;
    if (result == NULL) {
      goes_on = PQstatus(conn->pq) != CONNECTION_BAD;
    } else if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
      PQclear(result);
      conn->syncs--;
      had_idle = false;
    } else if (had_idle) {
      goes_on = !pg__is_copy(result);
      PQclear(result);
    } else {
      goes_on = take_result(how, result, &wanted);
    }
  }
  return TN_OK;
}

static int32_t
leave(struct pg__conn *conn)
{
  if (PQstatus(conn->pq) == CONNECTION_BAD || PQexitPipelineMode(conn->pq))
    return TN_OK;
  return pg__fail_lost(conn, NULL);
}

int32_t
pg__prepare(struct pg__statement *statement, struct pg__preparation *how)
{
  struct pg__conn *conn = statement->conn;
  int32_t rc = pg__ready(conn, PG__READ);
  bool had_idle;

  if (rc != TN_OK)
    return rc;
  had_idle = conn->idle_count > 0 && !conn->was_in_txn;
  if (!send_all(statement, how))
    return pg__fail_send(conn);
  pg__push(conn);
  rc = receive_all(statement, how, had_idle);
  if (rc != TN_OK || how->failed != NULL)
    return rc == TN_OK && conn->syncs == 0 ? leave(conn) : rc;
  if (how->description == NULL || conn->syncs > 0)
    return pg__fail_lost(conn, NULL);
  pg__prepared(statement);
  return leave(conn);
}
