/* Statements: preparing them, and running them.
 *
 * A run is one round trip, whether the server has the statement or must be
 * given it along. Rows come one by one, or all at once if all are wanted. */
#include <string.h>

#include "pg_priv.h"

/* ------------------------------------------------------------------ */
/* Preparing                                                            */

int32_t
pg__statement_take(struct pg__statement *statement, struct pg__preparation *how,
                   int32_t rc)
{
  struct pg__conn *conn = statement->conn;

  if (rc == TN_OK && how->failed != NULL)
    rc = pg__settle(conn, pg__fail_sql(conn, how->failed, statement->params.row,
                                       statement->sql));
  else if (rc == TN_OK)
    rc = pg__describe(statement, how->description);
  if (rc == TN_OK && how->types == NULL)
    rc = pg__free_look(statement, how->description);
  PQclear(how->failed);
  PQclear(how->description);
  return rc;
}

int32_t
pg__statement_prepare(struct pg__statement *statement, const Oid *types)
{
  struct pg__preparation how = { .types = types };

  pg__name_drop(statement);
  pg__name_set(statement, 0);
  return pg__statement_take(statement, &how, pg__prepare(statement, &how));
}

static void
release_statement(struct pg__statement *statement)
{
  const struct tn_host *host = statement->conn->host;

  pg__rows_clear(statement);
  pg__name_drop(statement);
  pg__describe_clear(statement);
  pg__params_clear(&statement->params);
  host->release(statement->first_types);
  host->release(statement->asked_types);
  host->release(statement);
}

static struct pg__statement *
new_statement(struct pg__conn *conn, const char *sql, size_t size)
{
  struct pg__statement *statement =
      conn->host->alloc(sizeof *statement + size + 1);

  if (statement == NULL)
    return NULL;
  memset(statement, 0, sizeof *statement);
  statement->conn = conn;
  statement->sql_size = size;
  memcpy(statement->sql, sql, size);
  statement->sql[size] = '\0';
  statement->text = pg__text_look(statement->sql);
  pg__params_init(&statement->params, conn->host);
  return statement;
}

static int32_t
prepare(void *handle, const char *sql, size_t sql_size, struct tn_call *call,
        void **ret, struct tn_statement_info *info)
{
  struct pg__conn *conn = handle;
  struct pg__statement *statement;
  int32_t rc;

  pg__enter(conn, call);
  if (memchr(sql, '\0', sql_size) != NULL)
    return tn_fail(call, TN_E_USAGE,
                   "postgresql: the statement has a NUL in it, where it would "
                   "end");
  statement = new_statement(conn, sql, sql_size);
  if (statement == NULL)
    return pg__fail_memory(call);
  if ((statement->text & PG__TEXT_BLANK) != 0)
    rc = tn_fail(call, TN_E_USAGE, "postgresql: there is no statement");
  else
    rc = pg__prepare_first(statement, info->parameter_count);
  if (rc != TN_OK) {
    release_statement(statement);
    return rc;
  }
  info->parameter_count = statement->parameter_count;
  info->column_count = statement->column_count;
  if (statement->types == NULL && pg__text_returns(statement->sql))
    info->column_count = 1; /* there are some */
  *ret = statement;
  return TN_OK;
}

static void
close_statement(void *handle, struct tn_call *call)
{
  struct pg__statement *statement = handle;

  pg__enter(statement->conn, call);
  release_statement(statement);
}

/* ------------------------------------------------------------------ */
/* Running                                                              */

/* What one run is about. */
struct run {
  bool wants_all; /* rows at once */
  bool is_piped;  /* a preparation goes before it */
  bool is_again;  /* the second try */
};

bool
pg__statement_is_there(const struct pg__statement *statement)
{
  const struct pg__conn *conn = statement->conn;

  return (statement->is_named || conn->unnamed == statement) &&
         !conn->has_proxy;
}

/* Behind a proxy that gives each transaction another session of the server, a
 * name would stay behind. */
void
pg__statement_name(struct pg__statement *statement)
{
  struct pg__conn *conn = statement->conn;

  pg__name_drop(statement);
  pg__name_set(statement, conn->has_proxy ? 0 : ++conn->names);
}

static bool
send_run(struct pg__statement *statement)
{
  const struct pg__params *params = &statement->params;

  return PQsendQueryPrepared(statement->conn->pq, statement->name,
                             (int)params->count, params->values,
                             params->lengths, params->formats,
                             statement->format) != 0;
}

/* Prepared, bound and run in one go, and so by one session of the server. */
static bool
send_whole(struct pg__statement *statement)
{
  const struct pg__params *params = &statement->params;

  statement->conn->unnamed = NULL;
  return PQsendQueryParams(statement->conn->pq, statement->sql,
                           (int)params->count, statement->types, params->values,
                           params->lengths, params->formats,
                           statement->format) != 0;
}

static bool
send_piped(struct pg__statement *statement)
{
  return PQenterPipelineMode(statement->conn->pq) &&
         pg__send_prepare(statement, statement->types) && send_run(statement) &&
         pg__sync(statement->conn);
}

static bool
send_as(struct pg__statement *statement, const struct run *run)
{
  if (statement->conn->has_proxy)
    return send_whole(statement);
  return run->is_piped ? send_piped(statement) : send_run(statement);
}

/* A COPY cannot be part of a pipeline. */
static int32_t
send(struct pg__statement *statement, struct run *run)
{
  struct pg__conn *conn = statement->conn;
  bool is_commit = (statement->text & PG__TEXT_COMMIT) != 0;
  int32_t rc;

  if (!conn->has_proxy && !pg__statement_is_there(statement)) {
    if ((statement->text & PG__TEXT_COPY) != 0) {
      rc = pg__statement_prepare(statement, statement->types);
      if (rc != TN_OK)
        return rc;
    } else {
      pg__statement_name(statement);
      run->is_piped = true;
    }
  }
  rc = pg__ready(conn, is_commit ? PG__COMMIT : PG__WRITE);
  if (rc != TN_OK)
    return rc;
  if (!send_as(statement, run))
    return pg__fail_send(conn);
  pg__push(conn);
  statement->state = PG__READING;
  return TN_OK;
}

/* The first result of the run itself. That of the preparation before it is
 * kept only if it is a failure. */
static int32_t
receive(struct pg__statement *statement, const struct run *run, PGresult **ret)
{
  struct pg__conn *conn = statement->conn;
  int32_t rc = TN_OK;

  if (run->is_piped) {
    rc = pg__next(conn, ret);
    if (rc != TN_OK || PQresultStatus(*ret) != PGRES_COMMAND_OK)
      return rc;
    PQclear(*ret);
    pg__prepared(statement);
    rc = pg__next(conn, ret); /* its end */
  }
  if (rc == TN_OK && statement->column_count > 0 && !run->wants_all)
    (void)PQsetSingleRowMode(conn->pq);
  return rc == TN_OK ? pg__next(conn, ret) : rc;
}

/* Has the server refused to run what it prepared, because it does not have it
 * any more or has prepared it for columns that are others now? Or to prepare
 * it, because the name is taken? Nothing took effect then. */
static bool
is_stale(const struct pg__statement *statement, const PGresult *result,
         const struct run *run)
{
  const char *function = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
  const char *sqlstate = pg__sqlstate(result);

  if (function == NULL)
    function = "";

  /* A PREPARE or an EXECUTE of the user's may say the same of another. */
  if (run->is_piped)
    return strcmp(sqlstate, "42P05") == 0 &&
           (statement->text & PG__TEXT_PREPARES) == 0;
  if (strcmp(sqlstate, "26000") == 0)
    return statement->is_named || strcmp(function, "exec_bind_message") == 0;
  return strcmp(sqlstate, "0A000") == 0 &&
         strcmp(function, "RevalidateCachedQuery") == 0;
}

/* Prepare anew what the server has lost. The parameters keep their types, since
 * that is what they were written for. */
static int32_t
refresh(struct pg__statement *statement, const PGresult *result)
{
  struct pg__conn *conn = statement->conn;
  int32_t rc = pg__drain(conn, NULL);

  if (rc != TN_OK)
    return rc;
  if (strcmp(pg__sqlstate(result), "26000") == 0) {
    /* Just prepared and gone already: somebody in between deals out sessions
     * of the server's. */
    conn->has_proxy = conn->unnamed == statement;
    statement->is_named = false;
  }
  if (strcmp(pg__sqlstate(result), "42P05") == 0)
    conn->has_proxy = true; /* somebody else has had that session */
  if (conn->has_proxy)
    return TN_OK;
  return pg__statement_prepare(statement, statement->types);
}

static int32_t
run_once(struct pg__statement *statement, struct run *run)
{
  PGresult *result = NULL;
  int32_t rc;

  run->is_piped = false;
  rc = send(statement, run);
  if (rc == TN_OK)
    rc = receive(statement, run, &result);
  if (rc != TN_OK) {
    statement->state = PG__CLOSED; /* nothing is under way any more */
    return rc;
  }
  if (!run->is_again && !statement->conn->was_in_txn &&
      PQresultStatus(result) == PGRES_FATAL_ERROR &&
      is_stale(statement, result, run)) {
    run->is_again = true;
    statement->state = PG__CLOSED;
    rc = refresh(statement, result);
    PQclear(result);
    return rc == TN_OK ? run_once(statement, run) : rc;
  }
  if (PQresultStatus(result) == PGRES_FATAL_ERROR &&
      is_stale(statement, result, run))
    pg__name_drop(statement); /* it is prepared anew for the next run */
  return pg__take(statement, result);
}

/* How often what only reads is run while its table changes between the times
 * that its columns are described and that its rows are sent. */
#define RUNS 5

/* Run it, and again if it has only read and its rows could not be read. */
static int32_t
run_until_read(struct pg__statement *statement, struct run *run)
{
  bool has_only_read = (statement->text & PG__TEXT_READS) != 0;
  int runs = 0;

  for (;;) {
    int32_t rc = TN_OK;

    if (statement->is_outdated)
      rc = pg__statement_prepare(statement, statement->types);
    if (rc == TN_OK)
      rc = run_once(statement, run);
    if (rc == TN_OK || !statement->is_outdated || !has_only_read ||
        ++runs == RUNS)
      return rc;
    pg__result_close(statement);
    pg__result_reset(statement);
  }
}

int32_t
pg__statement_run(struct pg__statement *statement, const tn_value *values,
                  bool wants_all)
{
  struct run run = { .wants_all = wants_all };
  int32_t rc;

  pg__result_reset(statement);
  statement->conn->has_prepared |= (statement->text & PG__TEXT_PREPARES) != 0;
  rc = pg__retype(statement, values);
  if (rc == TN_OK)
    rc = pg__params_encode(&statement->params, values, statement->conn->call);
  if (rc == TN_OK)
    rc = run_until_read(statement, &run);
  if (rc != TN_OK)
    pg__result_close(statement);
  return rc;
}

static int32_t
execute(void *handle, const tn_value *values, uint32_t count,
        struct tn_call *call, void **ret)
{
  struct pg__statement *statement = handle;
  int32_t rc;

  (void)count;
  pg__enter(statement->conn, call);
  rc =
      pg__statement_run(statement, values, (call->flags & TN_CALL_BUFFER) != 0);
  if (rc == TN_OK)
    *ret = statement;
  return rc;
}

const struct tn_statement_table pg__statement_table = {
  .size = sizeof(struct tn_statement_table),
  .prepare = prepare,
  .execute = execute,
  .close = close_statement,
  .execute_batch = pg__execute_batch,
};
