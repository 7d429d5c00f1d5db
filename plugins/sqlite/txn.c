/* Transactions and savepoints, as SQLite really has them.
 *
 * BEGIN is sent, never implied, so that reads belong to the transaction as
 * well and DDL can be rolled back. SQLite may end a transaction by itself (disk
 * full, an I/O error, no memory, an interrupted write); it then says that none
 * is open, and the next statement would commit alone. The connection remembers
 * that one was begun and refuses everything until it is rolled back. */
#include "sqlite_priv.h"

int
sqlite__apply_isolation(struct sqlite__conn *conn, bool is_uncommitted)
{
  int code;

  if (is_uncommitted == conn->is_uncommitted_now)
    return SQLITE_OK;
  code = sqlite__exec(conn, is_uncommitted ? "PRAGMA read_uncommitted=1"
                                           : "PRAGMA read_uncommitted=0");
  if (code == SQLITE_OK)
    conn->is_uncommitted_now = is_uncommitted;
  return code;
}

/* A transaction has ended: its own settings go with it. If the isolation
 * cannot be put back now, for want of memory, the next begin does. */
static void
forget(struct sqlite__conn *conn)
{
  conn->in_txn = false;
  conn->is_aborted = false;
  conn->is_txn_read_only = false;
  sqlite__apply_isolation(conn, conn->is_uncommitted);
}

void
sqlite__txn_sync(struct sqlite__conn *conn)
{
  if (sqlite3_get_autocommit(conn->db))
    forget(conn);
  else
    conn->in_txn = true;
}

/* SQLite's transactions are serializable, and nothing else; with a shared
 * cache they may also see what others have not committed. */
int32_t
sqlite__check_isolation(struct sqlite__conn *conn, uint32_t isolation)
{
  if (isolation == TN_ISOLATION_SERIALIZABLE ||
      (isolation == TN_ISOLATION_READ_UNCOMMITTED && conn->has_shared_cache))
    return TN_OK;
  return tn_fail(conn->call, TN_E_UNSUPPORTED,
                 "sqlite: isolation: transactions are serializable; reading "
                 "uncommitted rows needs the option cache=shared");
}

/* Before BEGIN, because afterwards it is too late for the first read. */
static int32_t
set_isolation(struct sqlite__conn *conn, uint32_t isolation)
{
  bool is_uncommitted = conn->is_uncommitted;
  int32_t rc;
  int code;

  if (isolation != 0) {
    rc = sqlite__check_isolation(conn, isolation);
    if (rc != TN_OK)
      return rc;
    is_uncommitted = isolation == TN_ISOLATION_READ_UNCOMMITTED;
  }
  code = sqlite__apply_isolation(conn, is_uncommitted);
  return code == SQLITE_OK ? TN_OK : sqlite__fail(conn, code, NULL);
}

/* A read-only transaction refuses every statement that SQLite does not call
 * read-only. PRAGMA query_only would do the same, but makes SQLite compile all
 * the connection's statements anew each time it is switched. */
static int32_t
begin(void *handle, const struct tn_txn_request *request, struct tn_call *call)
{
  struct sqlite__conn *conn = handle;
  uint32_t lock_mode = request->lock_mode;
  int32_t rc;
  int code;

  sqlite__enter(conn, call);
  if (conn->is_aborted)
    return sqlite__fail_aborted(call);
  if (!sqlite3_get_autocommit(conn->db))
    return tn_fail(call, TN_E_STATE, "sqlite: a transaction is open already");
  if (lock_mode == 0)
    lock_mode = conn->lock_mode;
  if (lock_mode < TN_LOCK_DEFERRED || lock_mode > TN_LOCK_EXCLUSIVE)
    return tn_fail(call, TN_E_UNSUPPORTED, "sqlite: lock mode: %u is unknown",
                   (unsigned)lock_mode);
  rc = set_isolation(conn, request->isolation);
  if (rc != TN_OK)
    return rc;
  code = sqlite__control(conn,
                         (enum sqlite__control)(SQLITE__BEGIN_DEFERRED +
                                                lock_mode - TN_LOCK_DEFERRED));
  if (code != SQLITE_OK) {
    rc = sqlite__fail(conn, code, NULL);
    sqlite__txn_sync(conn);
    return rc;
  }
  conn->in_txn = true;
  conn->is_txn_read_only = request->access == TN_ACCESS_READ_ONLY;
  return TN_OK;
}

static int32_t
commit(void *handle, struct tn_call *call)
{
  static const struct sqlite__where where = { .at = SQLITE__AT_COMMIT };
  struct sqlite__conn *conn = handle;
  int code;

  sqlite__enter(conn, call);
  if (conn->is_aborted)
    return sqlite__fail_aborted(call);
  code = sqlite__control(conn, SQLITE__COMMIT);
  if (code != SQLITE_OK)
    return sqlite__fail(conn, code, &where);
  forget(conn);
  return TN_OK;
}

static int32_t
rollback(void *handle, struct tn_call *call)
{
  struct sqlite__conn *conn = handle;
  int32_t rc = TN_OK;
  int code = SQLITE_OK;

  sqlite__enter(conn, call);
  if (!sqlite3_get_autocommit(conn->db))
    code = sqlite__control(conn, SQLITE__ROLLBACK);
  if (code != SQLITE_OK)
    rc = sqlite__fail(conn, code, NULL);
  sqlite__txn_sync(conn);
  return rc;
}

static uint32_t
state(void *handle)
{
  const struct sqlite__conn *conn = handle;

  if (conn->is_aborted)
    return TN_TXN_ABORTED;
  return sqlite3_get_autocommit(conn->db) ? TN_TXN_NONE : TN_TXN_OPEN;
}

/* Outside a transaction SAVEPOINT would begin one, and RELEASE commit it. */
static int32_t
run_savepoint(struct sqlite__conn *conn, const char *verb, const char *name,
              struct tn_call *call)
{
  char sql[256];
  int code;

  sqlite__enter(conn, call);
  if (conn->is_aborted)
    return sqlite__fail_aborted(call);
  if (sqlite3_get_autocommit(conn->db))
    return tn_fail(call, TN_E_STATE,
                   "sqlite: savepoint %s: no transaction is open", name);
  sqlite3_snprintf((int)sizeof sql, sql, "%s \"%.128w\"", verb, name);
  code = sqlite__exec(conn, sql);
  return code == SQLITE_OK ? TN_OK : sqlite__fail(conn, code, NULL);
}

static int32_t
savepoint(void *handle, const char *name, struct tn_call *call)
{
  return run_savepoint(handle, "SAVEPOINT", name, call);
}

static int32_t
release_savepoint(void *handle, const char *name, struct tn_call *call)
{
  return run_savepoint(handle, "RELEASE", name, call);
}

static int32_t
rollback_savepoint(void *handle, const char *name, struct tn_call *call)
{
  return run_savepoint(handle, "ROLLBACK TO", name, call);
}

const struct tn_txn_table sqlite__txn_table = {
  .size = sizeof(struct tn_txn_table),
  .begin = begin,
  .commit = commit,
  .rollback = rollback,
  .state = state,
  .savepoint = savepoint,
  .release_savepoint = release_savepoint,
  .rollback_savepoint = rollback_savepoint,
};
