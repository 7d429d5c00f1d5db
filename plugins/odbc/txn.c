/* Transactions by SQLEndTran(), savepoints by SQL.
 *
 * ODBC has no way to ask whether a transaction is open, and SQL that begins or
 * ends one goes past the driver; so the state is what was done here. */
#include "odbc_priv.h"

#include <string.h>

static const SQLUINTEGER levels[] = {
  [TN_ISOLATION_READ_UNCOMMITTED] = SQL_TXN_READ_UNCOMMITTED,
  [TN_ISOLATION_READ_COMMITTED] = SQL_TXN_READ_COMMITTED,
  [TN_ISOLATION_REPEATABLE_READ] = SQL_TXN_REPEATABLE_READ,
  [TN_ISOLATION_SERIALIZABLE] = SQL_TXN_SERIALIZABLE,
};

static const uint64_t level_caps[] = {
  [TN_ISOLATION_READ_UNCOMMITTED] = TN_CAP_READ_UNCOMMITTED,
  [TN_ISOLATION_READ_COMMITTED] = TN_CAP_READ_COMMITTED,
  [TN_ISOLATION_REPEATABLE_READ] = TN_CAP_REPEATABLE_READ,
  [TN_ISOLATION_SERIALIZABLE] = TN_CAP_SERIALIZABLE,
};

/* ---- attributes, in the thread ---- */

static SQLRETURN
run_set_isolation(void *user)
{
  struct odbc__conn *conn = user;
  SQLUINTEGER now = 0;

  if (SQL_SUCCEEDED(SQLGetConnectAttr(conn->dbc, SQL_ATTR_TXN_ISOLATION, &now,
                                      sizeof now, NULL)) &&
      now == conn->wanted_isolation)
    return SQL_SUCCESS;
  return SQLSetConnectAttr(conn->dbc, SQL_ATTR_TXN_ISOLATION,
                           (SQLPOINTER)(uintptr_t)conn->wanted_isolation,
                           SQL_IS_UINTEGER);
}

static SQLRETURN
run_get_isolation(void *user)
{
  struct odbc__conn *conn = user;

  return SQLGetConnectAttr(conn->dbc, SQL_ATTR_TXN_ISOLATION,
                           &conn->wanted_isolation,
                           sizeof conn->wanted_isolation, NULL);
}

static SQLRETURN
run_begin(void *user)
{
  struct odbc__conn *conn = user;

  return SQLSetConnectAttr(conn->dbc, SQL_ATTR_AUTOCOMMIT,
                           (SQLPOINTER)SQL_AUTOCOMMIT_OFF, SQL_IS_UINTEGER);
}

static SQLRETURN
run_autocommit(void *user)
{
  struct odbc__conn *conn = user;

  return SQLSetConnectAttr(conn->dbc, SQL_ATTR_AUTOCOMMIT,
                           (SQLPOINTER)SQL_AUTOCOMMIT_ON, SQL_IS_UINTEGER);
}

static SQLRETURN
run_commit(void *user)
{
  struct odbc__conn *conn = user;

  return SQLEndTran(SQL_HANDLE_DBC, conn->dbc, SQL_COMMIT);
}

static SQLRETURN
run_rollback(void *user)
{
  struct odbc__conn *conn = user;

  return SQLEndTran(SQL_HANDLE_DBC, conn->dbc, SQL_ROLLBACK);
}

static int32_t
run_on(struct odbc__conn *conn, struct tn_call *call,
       SQLRETURN (*run)(void *user))
{
  SQLRETURN status = SQL_ERROR;
  int32_t rc =
      odbc__run_patiently(conn, call, run, conn, SQL_NULL_HSTMT, &status);

  if (rc == TN_OK && !SQL_SUCCEEDED(status))
    rc = odbc__fail(conn, call, SQL_HANDLE_DBC, conn->dbc);
  return rc;
}

/* ---- isolation ---- */

static int32_t
check_level(const struct odbc__conn *conn, uint32_t isolation,
            struct tn_call *call)
{
  if (isolation >= TN_ISOLATION_READ_UNCOMMITTED &&
      isolation <= TN_ISOLATION_SERIALIZABLE &&
      (conn->family->caps & level_caps[isolation]) != 0)
    return TN_OK;
  return tn_fail(call, TN_E_UNSUPPORTED,
                 "odbc: isolation: %u is none that this database has",
                 (unsigned)isolation);
}

int32_t
odbc__set_isolation(struct odbc__conn *conn, uint32_t isolation,
                    struct tn_call *call)
{
  int32_t rc = check_level(conn, isolation, call);

  if (rc != TN_OK)
    return rc;
  conn->wanted_isolation = levels[isolation];
  return run_on(conn, call, run_set_isolation);
}

int32_t
odbc__get_isolation(struct odbc__conn *conn, uint32_t *ret,
                    struct tn_call *call)
{
  int32_t rc = run_on(conn, call, run_get_isolation);
  uint32_t level = TN_ISOLATION_READ_UNCOMMITTED;

  if (rc != TN_OK)
    return rc;
  while (level < TN_ISOLATION_SERIALIZABLE &&
         levels[level] != conn->wanted_isolation)
    level++;
  if (levels[level] != conn->wanted_isolation)
    return tn_fail(call, TN_E_UNSUPPORTED,
                   "odbc: the driver does not tell the isolation");
  *ret = level;
  return TN_OK;
}

/* ---- begin and end ---- */

static int32_t
check_begin(struct odbc__conn *conn, const struct tn_txn_request *request,
            struct tn_call *call)
{
  int32_t rc = odbc__ready(conn, call);

  if (rc != TN_OK)
    return rc;
  if (conn->is_aborted)
    return odbc__fail_aborted(call);
  if (conn->in_txn)
    return tn_fail(call, TN_E_STATE, "odbc: a transaction is open already");
  if (request->lock_mode > TN_LOCK_DEFERRED)
    return tn_fail(call, TN_E_UNSUPPORTED,
                   "odbc: lock mode: ODBC has no way to ask for locks");
  if (request->access == TN_ACCESS_READ_ONLY &&
      (conn->family->caps & TN_CAP_READ_ONLY) == 0)
    return tn_fail(call, TN_E_UNSUPPORTED,
                   "odbc: read-only: the driver has no way to enforce it");
  return request->isolation == 0 ? TN_OK
                                 : check_level(conn, request->isolation, call);
}

/* The statements that make an access of the session's other. */
static const char *const *
access_of(const struct odbc__conn *conn, const struct tn_txn_request *request)
{
  static const char *const none[3] = { NULL, NULL, NULL };

  if (request->access == 0 || request->access == conn->access)
    return none;
  return request->access == TN_ACCESS_READ_ONLY ? conn->family->read_only
                                                : conn->family->read_write;
}

static int32_t
run_sql(struct odbc__conn *conn, const char *sql, struct tn_call *call)
{
  return sql == NULL ? TN_OK : odbc__exec(conn, sql, call);
}

/* What cannot be brought back to the session's own settings ends it. */
int32_t
odbc__txn_over(struct odbc__conn *conn, struct tn_call *call)
{
  const char *sql = conn->after;
  int32_t rc;

  conn->in_txn = false;
  conn->is_aborted = false;
  conn->after = NULL;
  rc = run_on(conn, call, run_autocommit);
  if (rc == TN_OK)
    rc = run_sql(conn, sql, call);
  if (rc == TN_OK && conn->txn_isolation != 0) {
    conn->wanted_isolation = conn->txn_isolation;
    rc = run_on(conn, call, run_set_isolation);
  }
  conn->txn_isolation = 0;
  if (rc != TN_OK) {
    conn->is_dead = true;
    conn->host->fail_verdicts(call, TN_CONNECTION_DEAD, 0);
  }
  return rc;
}

/* A begin that failed half-way leaves nothing behind. */
static int32_t
undo(struct odbc__conn *conn, struct tn_call *call, int32_t rc)
{
  SQLRETURN ignored;

  if (conn->is_dead)
    return rc;
  if (odbc__run(conn, call, run_rollback, conn, SQL_NULL_HSTMT, &ignored) ==
      TN_OK)
    (void)odbc__txn_over(conn, call);
  return rc;
}

static int32_t
begin(void *handle, const struct tn_txn_request *request, struct tn_call *call)
{
  struct odbc__conn *conn = handle;
  const char *const *sql = access_of(conn, request);
  int32_t rc = check_begin(conn, request, call);

  if (rc == TN_OK && request->isolation != 0)
    rc = run_on(conn, call, run_get_isolation);
  if (rc != TN_OK)
    return rc;
  if (request->isolation != 0) {
    conn->txn_isolation = conn->wanted_isolation;
    rc = odbc__set_isolation(conn, request->isolation, call);
  }
  conn->after = sql[2];
  if (rc == TN_OK)
    rc = run_sql(conn, sql[0], call);
  if (rc == TN_OK)
    rc = run_on(conn, call, run_begin);

  /* Else it would begin only with the first table, and could not be asked. */
  if (rc == TN_OK && (conn->family->flags & ODBC__IMPLICIT) != 0)
    rc = odbc__exec(conn, "START TRANSACTION", call);
  conn->in_txn = rc == TN_OK;
  if (rc == TN_OK)
    rc = run_sql(conn, sql[1], call);
  return rc == TN_OK ? TN_OK : undo(conn, call, rc);
}

static int32_t
commit(void *handle, struct tn_call *call)
{
  struct odbc__conn *conn = handle;
  int32_t rc = odbc__ready(conn, call);

  if (rc != TN_OK)
    return rc;
  if (conn->is_aborted)
    return odbc__fail_aborted(call);
  if (!conn->in_txn)
    return tn_fail(call, TN_E_STATE, "odbc: no transaction is open");
  rc = run_on(conn, call, run_commit);
  if (rc != TN_OK)
    return rc;

  /* What is committed is, whatever becomes of the session. */
  (void)odbc__txn_over(conn, call);
  return TN_OK;
}

static int32_t
rollback(void *handle, struct tn_call *call)
{
  struct odbc__conn *conn = handle;
  int32_t rc = odbc__ready(conn, call);

  if (rc != TN_OK || !conn->in_txn)
    return rc;
  rc = run_on(conn, call, run_rollback);
  return rc == TN_OK ? odbc__txn_over(conn, call) : rc;
}

static uint32_t
state(void *handle)
{
  const struct odbc__conn *conn = handle;

  if (conn->is_aborted)
    return TN_TXN_ABORTED;
  return conn->in_txn ? TN_TXN_OPEN : TN_TXN_NONE;
}

/* ---- savepoints ---- */

static int32_t
run_savepoint(struct odbc__conn *conn, const char *verb, const char *name,
              struct tn_call *call)
{
  bool is_rollback = strncmp(verb, "ROLLBACK", 8) == 0;
  char quote = conn->family->dialect->quote_open;
  char sql[256];
  int32_t rc = odbc__ready(conn, call);

  if (rc != TN_OK)
    return rc;
  if ((conn->family->caps & TN_CAP_SAVEPOINT) == 0)
    return tn_fail(call, TN_E_UNSUPPORTED,
                   "odbc: this database has no savepoints that are known");
  if (conn->is_aborted &&
      (!is_rollback || (conn->family->flags & ODBC__FAILURE_ABORTS) == 0))
    return odbc__fail_aborted(call);
  if (!conn->in_txn)
    return tn_fail(call, TN_E_STATE,
                   "odbc: savepoint %s: no transaction is open", name);
  if (quote == '\0')
    quote = '"';
  snprintf(sql, sizeof sql, "%s %c%.128s%c", verb, quote, name, quote);
  conn->is_savepoint = true;
  rc = odbc__exec(conn, sql, call);
  conn->is_savepoint = false;
  if (rc == TN_OK)
    conn->is_aborted = false;
  return rc;
}

static int32_t
savepoint(void *handle, const char *name, struct tn_call *call)
{
  return run_savepoint(handle, "SAVEPOINT", name, call);
}

static int32_t
release_savepoint(void *handle, const char *name, struct tn_call *call)
{
  return run_savepoint(handle, "RELEASE SAVEPOINT", name, call);
}

static int32_t
rollback_savepoint(void *handle, const char *name, struct tn_call *call)
{
  return run_savepoint(handle, "ROLLBACK TO SAVEPOINT", name, call);
}

const struct tn_txn_table odbc__txn_table = {
  .size = sizeof(struct tn_txn_table),
  .begin = begin,
  .commit = commit,
  .rollback = rollback,
  .state = state,
  .savepoint = savepoint,
  .release_savepoint = release_savepoint,
  .rollback_savepoint = rollback_savepoint,
};
