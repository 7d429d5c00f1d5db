/* The session's own settings, and the way back to what connect() made.
 *
 * reset() runs each time a connection returns to a pool. The notes taken while
 * statements were compiled say what there is to undo, which for an ordinary
 * borrower is nothing. */
#include "sqlite_priv.h"

/* Run what `list` selects, statement by statement, until it selects no more.
 * One at a time: dropping one may take others along. */
static int
run_listed(struct sqlite__conn *conn, const char *list)
{
  char sql[1024];
  int code = SQLITE_OK;

  for (;;) {
    code = sqlite__query_text(conn, list, sql, sizeof sql);
    if (code != SQLITE_OK || sql[0] == '\0')
      return code;
    code = sqlite__exec(conn, sql);
    if (code != SQLITE_OK)
      return code;
  }
}

static const char temp_objects[] =
    "SELECT 'DROP '||type||' temp.\"'||replace(name,'\"','\"\"')||'\"' "
    "FROM temp.sqlite_master WHERE type IN ('table','view','trigger') "
    "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
    "ORDER BY type DESC, sql LIKE 'CREATE VIRTUAL%' DESC";

static const char attached[] =
    "SELECT 'DETACH \"'||replace(name,'\"','\"\"')||'\"' "
    "FROM pragma_database_list WHERE seq > 1";

static int
undo_settings(struct sqlite__conn *conn)
{
  int code = SQLITE_OK;

  if (conn->is_read_only)
    code = sqlite__exec(conn, "PRAGMA query_only=0");
  if (code != SQLITE_OK)
    return code;
  conn->is_read_only = false;
  conn->is_uncommitted = false;
  conn->busy_ns = conn->busy_initial_ns;
  code = sqlite__apply_isolation(conn, false);
  return code == SQLITE_OK ? sqlite__pragmas_restore(conn) : code;
}

static int
undo_objects(struct sqlite__conn *conn)
{
  int code = SQLITE_OK;

  if (conn->has_temp)
    code = run_listed(conn, temp_objects);
  if (code == SQLITE_OK && conn->has_attach)
    code = run_listed(conn, attached);
  if (code != SQLITE_OK)
    return code;
  conn->has_temp = false;
  conn->has_attach = false;
  return SQLITE_OK;
}

static int32_t
reset(void *handle, struct tn_call *call)
{
  struct sqlite__conn *conn = handle;
  int code = SQLITE_OK;

  sqlite__enter(conn, call);
  if (!sqlite3_get_autocommit(conn->db))
    code = sqlite__control(conn, SQLITE__ROLLBACK);
  if (code == SQLITE_OK) {
    sqlite__txn_sync(conn);
    code = undo_settings(conn);
  }
  if (code == SQLITE_OK)
    code = undo_objects(conn);
  if (code == SQLITE_OK)
    sqlite3_set_last_insert_rowid(conn->db, 0);
  return code == SQLITE_OK ? TN_OK : sqlite__fail(conn, code, NULL);
}

static int32_t
set_sql_mode(void *handle, const char *mode, struct tn_call *call)
{
  sqlite__enter(handle, call);
  if (mode[0] == '\0')
    return TN_OK;
  return tn_fail(call, TN_E_UNSUPPORTED, "sqlite has no sql-mode");
}

static int32_t
set_isolation(void *handle, uint32_t isolation, struct tn_call *call)
{
  struct sqlite__conn *conn = handle;
  bool is_uncommitted = isolation == TN_ISOLATION_READ_UNCOMMITTED;
  int code = SQLITE_OK;
  int32_t rc;

  sqlite__enter(conn, call);
  rc = sqlite__check_isolation(conn, isolation);
  if (rc != TN_OK)
    return rc;
  if (!conn->in_txn) /* else when it ends */
    code = sqlite__apply_isolation(conn, is_uncommitted);
  if (code != SQLITE_OK)
    return sqlite__fail(conn, code, NULL);
  conn->is_uncommitted = is_uncommitted;
  return TN_OK;
}

static int32_t
get_isolation(void *handle, uint32_t *ret, struct tn_call *call)
{
  struct sqlite__conn *conn = handle;

  sqlite__enter(conn, call);
  *ret = conn->is_uncommitted ? TN_ISOLATION_READ_UNCOMMITTED
                              : TN_ISOLATION_SERIALIZABLE;
  return TN_OK;
}

static int32_t
set_access(void *handle, uint32_t access, struct tn_call *call)
{
  struct sqlite__conn *conn = handle;
  bool is_read_only = access == TN_ACCESS_READ_ONLY;
  int code;

  sqlite__enter(conn, call);
  code = sqlite__exec(conn, is_read_only ? "PRAGMA query_only=1"
                                         : "PRAGMA query_only=0");
  if (code != SQLITE_OK)
    return sqlite__fail(conn, code, NULL);
  conn->is_read_only = is_read_only;
  return TN_OK;
}

const struct tn_session_table sqlite__session_table = {
  .size = sizeof(struct tn_session_table),
  .reset = reset,
  .set_sql_mode = set_sql_mode,
  .set_isolation = set_isolation,
  .get_isolation = get_isolation,
  .set_access = set_access,
};
