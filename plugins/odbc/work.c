/* Calls into a driver, in a thread of their own.
 *
 * ODBC blocks. A deadline or a cancel is kept by leaving such a thread to
 * itself: SQLCancel() asks the driver to stop what it does, and if it has not
 * within a moment, the connection is dead, and belongs to the thread, which
 * releases it whenever its call comes back. */
#include "odbc_priv.h"

#include <sys/eventfd.h>
#include <unistd.h>

/* SQLite's number for a lock, how long one is waited for, and how often it is
 * tried. */
#define BUSY_NATIVE   5
#define BUSY_MAX_NS   INT64_C(5000000000)
#define BUSY_PAUSE_NS INT64_C(5000000)

static void
release_statements(struct odbc__conn *conn)
{
  while (conn->statements != NULL) {
    struct odbc__statement *statement = conn->statements;

    conn->statements = statement->next;
    if (statement->stmt != SQL_NULL_HSTMT)
      SQLFreeHandle(SQL_HANDLE_STMT, statement->stmt);
    odbc__statement_free(statement);
  }
}

static void
free_conn(struct odbc__conn *conn)
{
  release_statements(conn);
  if (conn->idle != SQL_NULL_HSTMT)
    SQLFreeHandle(SQL_HANDLE_STMT, conn->idle);
  if (conn->is_connected) {
    if (conn->in_txn)
      SQLEndTran(SQL_HANDLE_DBC, conn->dbc, SQL_ROLLBACK);
    SQLDisconnect(conn->dbc);
  }
  if (conn->dbc != SQL_NULL_HDBC)
    SQLFreeHandle(SQL_HANDLE_DBC, conn->dbc);
  if (conn->env != SQL_NULL_HENV)
    SQLFreeHandle(SQL_HANDLE_ENV, conn->env);
  if (conn->done_fd >= 0)
    close(conn->done_fd);
  if (conn->text != NULL)
    explicit_bzero(conn->text, conn->text_units * sizeof *conn->text);
  conn->host->release(conn->text);
  conn->host->release(conn);
}

void
odbc__conn_drop(struct odbc__conn *conn)
{
  if (atomic_fetch_sub(&conn->refs, 1) == 1)
    free_conn(conn);
}

static void
run_it(void *job)
{
  struct odbc__conn *conn = job;

  conn->rc = conn->run(conn->user);
}

/* Nobody waited for the end, or does so now at the descriptor. */
static void
leave_it(void *job)
{
  struct odbc__conn *conn = job;
  static const uint64_t one = 1;

  /* Cannot fail: the counter is 0. */
  (void)!write(conn->done_fd, &one, sizeof one);
  odbc__conn_drop(conn);
}

/* ------------------------------------------------------------------ */
/* Stopping                                                            */

struct stop {
  struct odbc__conn *conn;
  SQLHSTMT stmt;
};

static void
run_stop(void *job)
{
  const struct stop *stop = job;

  SQLCancel(stop->stmt);
}

static void
release_stop(void *job)
{
  struct stop *stop = job;
  struct odbc__conn *conn = stop->conn;

  conn->host->release(stop);
  odbc__conn_drop(conn);
}

/* SQLCancel(), which may itself wait for a server. SQLite's driver interrupts
 * the session, and then closes the statement under the hands of its thread. */
static int32_t
stop_statement(struct odbc__conn *conn, struct tn_call *call, SQLHSTMT stmt)
{
  struct stop *stop = conn->host->alloc(sizeof *stop);
  int32_t rc;

  if (stop == NULL)
    return TN_E_MEMORY;
  stop->conn = conn;
  stop->stmt =
      (conn->family->flags & ODBC__CANCEL_FREES) != 0 ? conn->idle : stmt;
  atomic_fetch_add(&conn->refs, 1);
  rc = conn->host->offload(call, run_stop, release_stop, stop, call->deadline);
  if (rc == TN_OK)
    release_stop(stop);
  return rc;
}

/* Wait for the end of the thread that was left. */
static bool
has_ended(struct odbc__conn *conn, struct tn_call *call)
{
  uint32_t ready = 0;
  uint64_t count;

  if (conn->host->wait(call, conn->done_fd, TN_WAIT_READ, call->deadline,
                       &ready) != TN_OK ||
      ready == 0)
    return false;
  return read(conn->done_fd, &count, sizeof count) == sizeof count;
}

/* What a cancel that came too late may hit, instead of the next statement. */
static SQLRETURN
run_probe(void *user)
{
  struct odbc__conn *conn = user;
  static SQLCHAR sql[] = "SELECT 0";
  SQLHSTMT stmt = SQL_NULL_HSTMT;

  if (!SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_STMT, conn->dbc, &stmt)))
    return SQL_ERROR;
  SQLExecDirect(stmt, sql, SQL_NTS);
  SQLFreeHandle(SQL_HANDLE_STMT, stmt);
  return SQL_SUCCESS;
}

static int32_t
bury(struct odbc__conn *conn, struct tn_call *call, int32_t rc)
{
  conn->is_dead = true;
  conn->host->fail_verdicts(call, TN_CONNECTION_DEAD, 0);
  return rc;
}

/* The call was given up with `rc`, and its thread is still at it. */
static int32_t
stop_it(struct odbc__conn *conn, struct tn_call *call, SQLHSTMT stmt,
        int32_t rc)
{
  SQLRETURN ignored;

  conn->host->grace(call, TN_GRACE_MAX);
  if (stmt == SQL_NULL_HSTMT || stop_statement(conn, call, stmt) != TN_OK ||
      !has_ended(conn, call))
    return bury(conn, call, rc);
  if ((conn->family->flags & ODBC__CANCEL_LAGS) != 0 &&
      odbc__run(conn, call, run_probe, conn, SQL_NULL_HSTMT, &ignored) != TN_OK)
    return bury(conn, call, rc);
  return rc;
}

int32_t
odbc__run(struct odbc__conn *conn, struct tn_call *call,
          SQLRETURN (*run)(void *user), void *user, SQLHSTMT stmt,
          SQLRETURN *ret)
{
  uint64_t count;
  int32_t rc;

  conn->run = run;
  conn->user = user;
  atomic_fetch_add(&conn->refs, 1);
  rc = conn->host->offload(call, run_it, leave_it, conn, call->deadline);
  if (rc == TN_OK) {
    odbc__conn_drop(conn);
    *ret = conn->rc;
    return TN_OK;
  }

  /* Never begun, or over by now. */
  if (read(conn->done_fd, &count, sizeof count) == sizeof count)
    return rc;
  return stop_it(conn, call, stmt, rc);
}

/* Is it a lock that the call has met? */
static bool
is_busy(struct odbc__conn *conn, SQLHSTMT stmt)
{
  SQLCHAR state[6];
  SQLINTEGER native = 0;
  SQLSMALLINT units;
  bool is_session = stmt == SQL_NULL_HSTMT;

  return SQL_SUCCEEDED(
             SQLGetDiagRec(is_session ? SQL_HANDLE_DBC : SQL_HANDLE_STMT,
                           is_session ? conn->dbc : stmt, 1, state, &native,
                           NULL, 0, &units)) &&
         native == BUSY_NATIVE;
}

int32_t
odbc__run_patiently(struct odbc__conn *conn, struct tn_call *call,
                    SQLRETURN (*run)(void *user), void *user, SQLHSTMT stmt,
                    SQLRETURN *ret)
{
  const struct tn_host *host = conn->host;
  int64_t end = host->now() + BUSY_MAX_NS;
  int32_t rc = odbc__run(conn, call, run, user, stmt, ret);

  while (rc == TN_OK && *ret == SQL_ERROR &&
         (conn->family->flags & ODBC__BUSY) != 0 && host->now() < end &&
         is_busy(conn, stmt)) {
    rc = host->wait(call, -1, 0, host->now() + BUSY_PAUSE_NS, NULL);
    if (rc == TN_OK)
      rc = odbc__run(conn, call, run, user, stmt, ret);
  }
  return rc;
}
