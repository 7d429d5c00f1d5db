/* The session's own settings. */
#include "odbc_priv.h"

static int32_t
check(struct odbc__conn *conn, struct tn_call *call)
{
  int32_t rc = odbc__ready(conn, call);

  if (rc == TN_OK && conn->in_txn)
    rc = tn_fail(call, TN_E_STATE,
                 "odbc: a transaction is open, and keeps its settings");
  return rc;
}

static int32_t
set_isolation(void *handle, uint32_t isolation, struct tn_call *call)
{
  int32_t rc = check(handle, call);

  return rc == TN_OK ? odbc__set_isolation(handle, isolation, call) : rc;
}

static int32_t
get_isolation(void *handle, uint32_t *ret, struct tn_call *call)
{
  int32_t rc = odbc__ready(handle, call);

  return rc == TN_OK ? odbc__get_isolation(handle, ret, call) : rc;
}

static int32_t
set_access(void *handle, uint32_t access, struct tn_call *call)
{
  struct odbc__conn *conn = handle;
  const char *sql = conn->family->access[access == TN_ACCESS_READ_ONLY];
  int32_t rc = check(conn, call);

  if (rc != TN_OK)
    return rc;
  if (sql == NULL)
    return tn_fail(call, TN_E_UNSUPPORTED,
                   "odbc: the driver has no way to enforce an access");
  rc = odbc__exec(conn, sql, call);
  if (rc == TN_OK)
    conn->access = access;
  return rc;
}

const struct tn_session_table odbc__session_table = {
  .size = sizeof(struct tn_session_table),
  .set_isolation = set_isolation,
  .get_isolation = get_isolation,
  .set_access = set_access,
};
