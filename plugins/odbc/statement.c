/* Statements: compiled, run, released. */
#include "odbc_priv.h"

#include <string.h>

/* MariaDB's number for a result of other columns than were compiled. */
#define NEW_COLUMNS 2057

/* ---- prepare ---- */

/* SQLite learns only from running something that another session has changed
 * the schema; what is compiled before that has the columns of before. */
static void
refresh_schema(struct odbc__conn *conn)
{
  static SQLCHAR sql[] = "SELECT 1 FROM sqlite_master LIMIT 1";
  SQLHSTMT stmt = SQL_NULL_HSTMT;

  if (!SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_STMT, conn->dbc, &stmt)))
    return;
  SQLExecDirect(stmt, sql, SQL_NTS);
  SQLFreeHandle(SQL_HANDLE_STMT, stmt);
}

static SQLRETURN
prepare_now(struct odbc__statement *statement)
{
  const struct odbc__text *sql = &statement->sql;

  odbc__forget_answers(statement);
  if ((statement->conn->family->flags & ODBC__RECOMPILE) != 0)
    refresh_schema(statement->conn);
  if ((statement->conn->family->flags & ODBC__UTF8) != 0)
    return SQLPrepare(statement->stmt, sql->data, (SQLINTEGER)sql->units);
  return SQLPrepareW(statement->stmt, sql->data, (SQLINTEGER)sql->units);
}

/* In the thread. */
static SQLRETURN
run_prepare(void *user)
{
  struct odbc__statement *statement = user;
  SQLRETURN rc = prepare_now(statement);

  if (!SQL_SUCCEEDED(rc))
    return rc;
  rc = SQLNumParams(statement->stmt, &statement->parameter_count);
  if (SQL_SUCCEEDED(rc) && (statement->conn->family->flags & ODBC__GUESS) == 0)
    rc = SQLNumResultCols(statement->stmt, &statement->column_guess);
  return rc;
}

static void
link_statement(struct odbc__statement *statement)
{
  statement->next = statement->conn->statements;
  statement->conn->statements = statement;
}

static void
unlink_statement(struct odbc__statement *statement)
{
  struct odbc__statement **at = &statement->conn->statements;

  while (*at != NULL && *at != statement)
    at = &(*at)->next;
  if (*at != NULL)
    *at = statement->next;
}

/* What has to be done even if the call is stopped before it has begun: a cursor
 * that stays open keeps locks. Else the connection is of no use. */
static void
run_surely(struct odbc__statement *statement, struct tn_call *call,
           SQLRETURN (*run)(void *user), SQLHSTMT stmt)
{
  struct odbc__conn *conn = statement->conn;
  SQLRETURN status;

  if (odbc__run(conn, call, run, statement, stmt, &status) == TN_OK ||
      conn->is_dead)
    return;
  conn->host->grace(call, TN_GRACE_MAX);
  if (odbc__run(conn, call, run, statement, stmt, &status) == TN_OK ||
      conn->is_dead)
    return;
  conn->is_dead = true;
  conn->host->fail_verdicts(call, TN_CONNECTION_DEAD, 0);
}

static SQLRETURN
run_free(void *user)
{
  struct odbc__statement *statement = user;

  if (statement->stmt != SQL_NULL_HSTMT)
    SQLFreeHandle(SQL_HANDLE_STMT, statement->stmt);
  statement->stmt = SQL_NULL_HSTMT;
  return SQL_SUCCESS;
}

/* PostgreSQL's driver names a plan by the address of its statement, and while a
 * transaction is aborted the server cannot be made to forget one: the next
 * statement at that address would find its name taken. */
static bool
has_to_wait(const struct odbc__conn *conn)
{
  return conn->is_aborted && conn->in_txn && !conn->is_savepoint &&
         (conn->family->flags & ODBC__FAILURE_ABORTS) != 0;
}

/* One of a dead connection goes with that: the thread may be using it. */
static void
release_statement(struct odbc__statement *statement, struct tn_call *call)
{
  struct odbc__conn *conn = statement->conn;

  if (conn->is_dead)
    return;
  statement->is_left = has_to_wait(conn);
  if (statement->is_left)
    return;
  if (statement->stmt != SQL_NULL_HSTMT)
    run_surely(statement, call, run_free, SQL_NULL_HSTMT);
  if (conn->is_dead)
    return;
  unlink_statement(statement);
  odbc__statement_free(statement);
}

/* Those that had to wait for the end of their transaction. */
static void
release_left(struct odbc__conn *conn, struct tn_call *call)
{
  struct odbc__statement *statement = conn->statements;

  while (statement != NULL && !conn->is_dead) {
    struct odbc__statement *next = statement->next;

    if (statement->is_left)
      release_statement(statement, call);
    statement = next;
  }
}

static bool
keep_source(struct odbc__statement *statement, const char *sql, size_t size)
{
  char *copy = statement->conn->host->alloc(size + 1);

  if (copy == NULL)
    return false;
  memcpy(copy, sql, size);
  copy[size] = '\0';
  statement->source.data = copy;
  statement->source.units = size;
  return true;
}

static int32_t
compile(struct odbc__statement *statement, const char *sql, size_t sql_size,
        struct tn_call *call)
{
  struct odbc__conn *conn = statement->conn;
  SQLRETURN status;
  size_t count;
  int32_t rc;

  if (!SQL_SUCCEEDED(
          SQLAllocHandle(SQL_HANDLE_STMT, conn->dbc, &statement->stmt)))
    return odbc__fail(conn, call, SQL_HANDLE_DBC, conn->dbc);
  if (!odbc__text_make(conn, sql, sql_size, &statement->sql))
    return odbc__fail_memory(call);
  odbc__hide_marks(conn->family->dialect->lexer, &statement->sql,
                   (conn->family->flags & ODBC__UTF8) != 0);
  if (conn->family->casts != NULL && !keep_source(statement, sql, sql_size))
    return odbc__fail_memory(call);
  rc = odbc__run(conn, call, run_prepare, statement, statement->stmt, &status);
  if (rc != TN_OK)
    return rc;
  if (!SQL_SUCCEEDED(status))
    return odbc__fail(conn, call, SQL_HANDLE_STMT, statement->stmt);
  count =
      statement->parameter_count > 0 ? (size_t)statement->parameter_count : 0;
  statement->parameters =
      conn->host->alloc((count + 1) * sizeof *statement->parameters);
  if (statement->parameters == NULL) {
    statement->parameter_count = 0;
    return odbc__fail_memory(call);
  }
  memset(statement->parameters, 0, (count + 1) * sizeof *statement->parameters);
  return TN_OK;
}

static int32_t
prepare(void *handle, const char *sql, size_t sql_size, struct tn_call *call,
        void **ret, struct tn_statement_info *info)
{
  struct odbc__conn *conn = handle;
  struct odbc__statement *statement;
  int32_t rc = odbc__ready(conn, call);

  if (rc == TN_OK && conn->family->lost != NULL &&
      odbc__may_begin_with(sql, conn->family->lost))
    rc = tn_fail(call, TN_E_UNSUPPORTED,
                 "odbc: the driver would lose the rows of such a statement");
  if (rc != TN_OK)
    return rc;
  if (!conn->is_aborted)
    release_left(conn, call);
  if (conn->is_dead)
    return odbc__ready(conn, call);
  statement = conn->host->alloc(sizeof *statement);
  if (statement == NULL)
    return odbc__fail_memory(call);
  memset(statement, 0, sizeof *statement);
  statement->conn = conn;
  statement->may_end_txn =
      (conn->family->flags & ODBC__IMPLICIT) != 0 && odbc__may_end_txn(sql);
  link_statement(statement);
  rc = compile(statement, sql, sql_size, call);
  if (rc != TN_OK) {
    release_statement(statement, call);
    return rc;
  }
  statement->is_read = statement->column_guess > 0;
  if (!statement->is_read && (conn->family->caps & TN_CAP_RETURNING) != 0)
    statement->column_guess = odbc__looks_like_query(sql);
  info->parameter_count = (uint32_t)statement->parameter_count;
  info->column_count =
      statement->column_guess > 0 ? (uint32_t)statement->column_guess : 0;
  *ret = statement;
  return TN_OK;
}

/* ---- execute ---- */

/* Has the schema changed since it was compiled? Then nothing has run, or what
 * can run again. */
static bool
is_stale(const struct odbc__statement *statement)
{
  uint32_t flags = statement->conn->family->flags;
  SQLCHAR state[6] = "";
  SQLINTEGER native;
  SQLSMALLINT units;

  if (!statement->has_run ||
      !SQL_SUCCEEDED(SQLGetDiagRec(SQL_HANDLE_STMT, statement->stmt, 1, state,
                                   &native, NULL, 0, &units)))
    return false;
  if ((flags & ODBC__STALE_PLANS) != 0)
    return strcmp((const char *)state, "0A000") == 0;
  return (flags & ODBC__STALE_COLUMNS) != 0 && native == NEW_COLUMNS &&
         statement->is_read;
}

/* Is it to be compiled before it runs? A write that returns rows is, where they
 * would be lost if its columns were not those of before. */
static bool
is_outdated(const struct odbc__statement *statement)
{
  uint32_t flags = statement->conn->family->flags;

  if (statement->is_outdated || !statement->has_run)
    return statement->is_outdated;
  return (flags & ODBC__RECOMPILE) != 0 ||
         ((flags & ODBC__STALE_COLUMNS) != 0 && !statement->is_read &&
          statement->column_guess > 0);
}

/* In the thread: what has come of it, and the first rows. */
static SQLRETURN
run_execute(void *user)
{
  struct odbc__statement *statement = user;
  SQLRETURN rc = SQL_SUCCESS;

  if (is_outdated(statement))
    rc = prepare_now(statement);
  if (!SQL_SUCCEEDED(rc))
    return rc;
  statement->is_outdated = false;
  rc = SQLExecute(statement->stmt);
  if (rc == SQL_ERROR && is_stale(statement)) {
    rc = prepare_now(statement);
    if (SQL_SUCCEEDED(rc))
      rc = SQLExecute(statement->stmt);
  }
  statement->has_run = true;
  if (!SQL_SUCCEEDED(rc) && rc != SQL_NO_DATA)
    return rc;
  return odbc__take_result(statement);
}

SQLRETURN
odbc__take_result(struct odbc__statement *statement)
{
  SQLRETURN rc = odbc__describe(statement);

  statement->rows = 0;
  statement->row = 0;
  statement->rows_wanted = 8;
  statement->is_at_end = statement->column_count == 0;
  statement->affected = 0;
  statement->has_affected = statement->column_count == 0;
  if (!SQL_SUCCEEDED(rc))
    return rc;
  if (statement->column_count > 0)
    return odbc__read_block(statement);
  if (!SQL_SUCCEEDED(SQLRowCount(statement->stmt, &statement->affected)) ||
      statement->affected < 0)
    statement->affected = 0;
  return SQL_SUCCESS;
}

static SQLRETURN
run_close_cursor(void *user)
{
  struct odbc__statement *statement = user;
  SQLRETURN rc = SQLFreeStmt(statement->stmt, SQL_CLOSE);

  odbc__ask_txn(statement);
  return rc;
}

void
odbc__close_cursor(struct odbc__statement *statement, struct tn_call *call)
{
  if (!statement->is_open || statement->conn->is_dead)
    return;
  statement->is_open = false;
  run_surely(statement, call, run_close_cursor, statement->stmt);
  odbc__note_txn(statement->conn, call);
}

int32_t
odbc__fail_run(struct odbc__statement *statement, struct tn_call *call)
{
  if (statement->is_out_of_memory)
    return odbc__fail_memory(call);
  return odbc__fail(statement->conn, call, SQL_HANDLE_STMT, statement->stmt);
}

/* Stopped in the middle. Some databases roll all of a transaction back of
 * which a write was stopped, and whether it was one the driver does not say. */
static void
note_stop(struct odbc__statement *statement, struct tn_call *call)
{
  struct odbc__conn *conn = statement->conn;

  if (!conn->in_txn || conn->is_dead ||
      (conn->family->flags & (ODBC__WRITE_ABORTS | ODBC__FAILURE_ABORTS)) == 0)
    return;
  conn->is_aborted = true;
  conn->host->fail_verdicts(call, TN_CONNECTION_ABORTED, 0);
}

static int32_t
execute(void *handle, const tn_value *values, uint32_t count,
        struct tn_call *call, void **ret)
{
  struct odbc__statement *statement = handle;
  struct odbc__conn *conn = statement->conn;
  SQLRETURN status = SQL_ERROR;
  int32_t rc = odbc__ready(conn, call);

  if (rc == TN_OK && conn->is_aborted && !conn->is_savepoint)
    rc = odbc__fail_aborted(call);
  if (rc == TN_OK && conn->family->casts != NULL)
    rc = odbc__cast(statement, values, count, call);
  if (rc == TN_OK)
    rc = odbc__bind(statement, values, count, call);
  if (rc != TN_OK)
    return rc;
  statement->is_out_of_memory = false;
  statement->is_open = true;
  rc = odbc__run_patiently(conn, call, run_execute, statement, statement->stmt,
                           &status);
  if (rc != TN_OK)
    note_stop(statement, call);
  else if (!SQL_SUCCEEDED(status))
    rc = odbc__fail_run(statement, call);
  if (rc != TN_OK) {
    odbc__close_cursor(statement, call);
    return rc;
  }
  *ret = statement;
  return TN_OK;
}

static void
close_statement(void *handle, struct tn_call *call)
{
  release_statement(handle, call);
}

/* ---- statements of our own ---- */

int32_t
odbc__exec(struct odbc__conn *conn, const char *sql, struct tn_call *call)
{
  struct tn_statement_info info = { .size = sizeof info };
  void *statement = NULL;
  void *result = NULL;
  int32_t rc = prepare(conn, sql, strlen(sql), call, &statement, &info);

  if (rc != TN_OK || statement == NULL)
    return rc;
  rc = execute(statement, NULL, 0, call, &result);
  if (rc == TN_OK)
    odbc__close_cursor(statement, call);
  release_statement(statement, call);
  return rc;
}

const struct tn_statement_table odbc__statement_table = {
  .size = sizeof(struct tn_statement_table),
  .prepare = prepare,
  .execute = execute,
  .close = close_statement,
};
