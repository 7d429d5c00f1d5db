/* Transactions and savepoints, as the server really has them.
 *
 * Each answer of the server's says whether a transaction is open; an error does
 * not, and then the server is asked (fail.c). When it has rolled one back by
 * itself, the connection refuses everything until it is told to roll back: the
 * next statement would commit alone. DDL commits what was open before it. */
#include "my_priv.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

int32_t
mysql__fail_aborted(struct mysql__conn *conn)
{
  tn_fail(conn->call, TN_E_STATE,
          "mysql: the transaction was rolled back by an earlier error; roll "
          "back before anything else");
  conn->host->fail_verdicts(conn->call, TN_CONNECTION_ABORTED, 0);
  return TN_E_STATE;
}

/* In the order of enum tn_isolation. */
static const char *const levels[] = { NULL, "READ UNCOMMITTED",
                                      "READ COMMITTED", "REPEATABLE READ",
                                      "SERIALIZABLE" };

const char *
mysql__isolation_name(uint32_t isolation)
{
  return isolation < MYSQL__COUNT(levels) ? levels[isolation] : NULL;
}

/* ------------------------------------------------------------------ */
/* Clusters                                                             */

/* A node that rolls back, for the sake of another's commit, a transaction which
 * holds locks and has not written yet may forget to say so: the first write
 * would commit by itself. So nothing does, and whether it is still the same
 * transaction a savepoint tells that only this one has. */
static int32_t
guard(struct mysql__conn *conn)
{
  int32_t rc = mysql__exec(conn, "SET autocommit = 0");

  conn->is_guarded = rc == TN_OK;
  return rc == TN_OK ? mysql__exec(conn, "SAVEPOINT tn_begin") : rc;
}

int32_t
mysql__unguard(struct mysql__conn *conn)
{
  int32_t rc;

  if (!conn->is_guarded || conn->in_txn)
    return TN_OK;
  rc = mysql__exec(conn, "SET autocommit = 1");
  conn->is_guarded = rc != TN_OK;
  return rc;
}

static int32_t
fail_evicted(struct mysql__conn *conn)
{
  conn->is_aborted = true;
  tn_fail(conn->call, TN_E_DEADLOCK,
          "mysql: the cluster has rolled the transaction back");
  conn->host->fail_verdicts(conn->call, TN_CONNECTION_ABORTED,
                            TN_REPLAY_TRANSACTION);
  return TN_E_DEADLOCK;
}

/* Is it still the transaction that was begun? */
static int32_t
check_guard(struct mysql__conn *conn)
{
  static const char sql[] = "RELEASE SAVEPOINT tn_begin";
  struct mysql__op op;
  int32_t rc;

  if (!conn->is_guarded)
    return TN_OK;
  rc = mysql__query(conn, sql, sizeof sql - 1, &op);
  if (rc != TN_OK || op.status == 0)
    return rc;
  if (mysql_errno(conn->mysql) != MYSQL__ER_NO_SUCH_SAVEPOINT)
    return mysql__fail(conn, NULL);
  rc = mysql__exec(conn, "ROLLBACK");
  return rc == TN_OK ? fail_evicted(conn) : rc;
}

/* ------------------------------------------------------------------ */

static int32_t
check_begin(struct mysql__conn *conn, const struct tn_txn_request *request)
{
  int32_t rc = mysql__ready(conn);

  if (rc != TN_OK)
    return rc;
  if (conn->is_aborted)
    return mysql__fail_aborted(conn);
  if (conn->in_txn)
    return tn_fail(conn->call, TN_E_STATE,
                   "mysql: a transaction is open already");
  if (request->lock_mode > TN_LOCK_DEFERRED)
    return tn_fail(conn->call, TN_E_UNSUPPORTED,
                   "mysql: lock mode: locks are taken by the statements that "
                   "need them");
  if (request->isolation != 0 &&
      mysql__isolation_name(request->isolation) == NULL)
    return tn_fail(conn->call, TN_E_UNSUPPORTED,
                   "mysql: isolation: %u is unknown",
                   (unsigned)request->isolation);
  return TN_OK;
}

static int32_t
set_isolation(struct mysql__conn *conn, uint32_t isolation)
{
  char sql[96];

  if (isolation == 0)
    return TN_OK;
  snprintf(sql, sizeof sql, "SET TRANSACTION ISOLATION LEVEL %s",
           mysql__isolation_name(isolation));
  return mysql__exec(conn, sql);
}

/* What a host of an older version does not know of is not there. */
static const char *
global_id_of(const struct tn_txn_request *request)
{
  return request->size > offsetof(struct tn_txn_request, global_id)
             ? request->global_id
             : NULL;
}

/* XA START says nothing of it. */
static int32_t
begin_xa(struct mysql__conn *conn, const struct tn_txn_request *request)
{
  int32_t rc = TN_OK;

  if (request->access == TN_ACCESS_READ_ONLY)
    rc = mysql__exec(conn, "SET TRANSACTION READ ONLY");
  else if (request->access == TN_ACCESS_READ_WRITE)
    rc = mysql__exec(conn, "SET TRANSACTION READ WRITE");
  return rc == TN_OK ? mysql__xa_begin(conn, global_id_of(request)) : rc;
}

static int32_t
start(struct mysql__conn *conn, const struct tn_txn_request *request)
{
  const char *access = "";
  char sql[96];
  int32_t rc = set_isolation(conn, request->isolation);

  if (rc != TN_OK)
    return rc;
  if (global_id_of(request) != NULL)
    return begin_xa(conn, request);
  if (request->access == TN_ACCESS_READ_ONLY)
    access = " READ ONLY";
  else if (request->access == TN_ACCESS_READ_WRITE)
    access = " READ WRITE";
  snprintf(sql, sizeof sql, "START TRANSACTION%s", access);
  rc = mysql__exec(conn, sql);
  return rc == TN_OK && conn->is_cluster ? guard(conn) : rc;
}

/* The begin has failed, and has said why. */
static bool
run_quietly(struct mysql__conn *conn, const char *sql)
{
  struct mysql__op op;

  if (mysql__query(conn, sql, strlen(sql), &op) != TN_OK || op.status != 0)
    return false;
  mysql__sync(conn);
  return true;
}

/* What SET TRANSACTION has told is of the session's next one, whoever begins
 * it: so that is one that does nothing. */
static void
undo_begin(struct mysql__conn *conn, const struct tn_txn_request *request)
{
  bool has_set = request->isolation != 0 ||
                 (global_id_of(request) != NULL && request->access != 0);
  bool is_done = true;

  if (conn->is_dead || conn->is_aborted || (!has_set && !conn->in_txn))
    return;
  conn->host->grace(conn->call, TN_GRACE_MAX);
  if (!conn->in_txn)
    is_done = run_quietly(conn, "START TRANSACTION");
  if (is_done && run_quietly(conn, "ROLLBACK") && mysql__unguard(conn) == TN_OK)
    return;
  mysql__bury(conn);
  conn->host->fail_verdicts(conn->call, TN_CONNECTION_DEAD, 0);
}

static int32_t
begin(void *handle, const struct tn_txn_request *request, struct tn_call *call)
{
  struct mysql__conn *conn = handle;
  int32_t rc;

  mysql__enter(conn, call);
  rc = check_begin(conn, request);
  if (rc != TN_OK)
    return rc;
  rc = start(conn, request);
  if (rc != TN_OK)
    undo_begin(conn, request);
  return rc;
}

/* What has been committed is, whatever becomes of the session. */
static int32_t
unguard_committed(struct mysql__conn *conn)
{
  if (mysql__unguard(conn) != TN_OK)
    mysql__bury(conn);
  return TN_OK;
}

/* An answer that does not come leaves the outcome open. */
int32_t
mysql__commit(struct mysql__conn *conn)
{
  int32_t rc;

  if (conn->xa[0] != '\0')
    return mysql__xa_commit(conn);
  conn->is_committing = true;
  rc = mysql__exec(conn, "COMMIT");
  conn->is_committing = false;
  return rc;
}

static int32_t
commit(void *handle, struct tn_call *call)
{
  struct mysql__conn *conn = handle;
  int32_t rc;

  mysql__enter(conn, call);
  rc = mysql__ready(conn);
  if (rc != TN_OK)
    return rc;
  if (conn->is_aborted)
    return mysql__fail_aborted(conn);
  if (!conn->in_txn)
    return tn_fail(call, TN_E_STATE, "mysql: no transaction is open");
  rc = check_guard(conn);
  if (rc == TN_OK)
    rc = mysql__commit(conn);
  return rc == TN_OK ? unguard_committed(conn) : rc;
}

static int32_t
rollback(void *handle, struct tn_call *call)
{
  struct mysql__conn *conn = handle;
  int32_t rc;

  mysql__enter(conn, call);
  rc = mysql__ready(conn);
  if (rc == TN_OK && conn->xa[0] != '\0')
    rc = mysql__xa_rollback(conn);
  else if (rc == TN_OK && conn->in_txn)
    rc = mysql__exec(conn, "ROLLBACK");
  if (rc == TN_OK)
    rc = mysql__unguard(conn);
  if (rc == TN_OK)
    conn->is_aborted = false;
  return rc;
}

static uint32_t
state(void *handle)
{
  const struct mysql__conn *conn = handle;

  if (conn->is_aborted)
    return TN_TXN_ABORTED;
  return conn->in_txn ? TN_TXN_OPEN : TN_TXN_NONE;
}

/* Outside a transaction the server takes a savepoint, and forgets it at
 * once. */
static int32_t
run_savepoint(struct mysql__conn *conn, const char *verb, const char *name,
              struct tn_call *call)
{
  struct mysql__op op;
  char sql[256];
  int32_t rc;

  mysql__enter(conn, call);
  rc = mysql__ready(conn);
  if (rc != TN_OK)
    return rc;
  if (conn->is_aborted)
    return mysql__fail_aborted(conn);
  if (!conn->in_txn)
    return tn_fail(call, TN_E_STATE,
                   "mysql: savepoint %s: no transaction is open", name);
  snprintf(sql, sizeof sql, "%s `%.128s`", verb, name);
  rc = mysql__query(conn, sql, strlen(sql), &op);
  if (rc != TN_OK)
    return rc;
  if (op.status == 0)
    mysql__sync(conn);
  else if (mysql_errno(conn->mysql) == MYSQL__ER_NO_SUCH_SAVEPOINT)
    rc = mysql__fail_as(conn, TN_E_STATE);
  else
    rc = mysql__fail(conn, NULL);
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

const struct tn_txn_table mysql__txn_table = {
  .size = sizeof(struct tn_txn_table),
  .begin = begin,
  .commit = commit,
  .rollback = rollback,
  .state = state,
  .savepoint = savepoint,
  .release_savepoint = release_savepoint,
  .rollback_savepoint = rollback_savepoint,
  .prepare = mysql__xa_prepare,
  .commit_prepared = mysql__commit_prepared,
  .rollback_prepared = mysql__rollback_prepared,
  .list_prepared = mysql__list_prepared,
};
