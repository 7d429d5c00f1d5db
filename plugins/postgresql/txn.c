/* Transactions and savepoints, in the server's own words: what state one is in
 * comes with each of its answers. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "pg_priv.h"

static uint32_t
state(void *handle)
{
  const struct pg__conn *conn = handle;

  switch (PQtransactionStatus(conn->pq)) {
  case PQTRANS_INTRANS:
    return TN_TXN_OPEN;
  case PQTRANS_INERROR:
    return TN_TXN_ABORTED;
  case PQTRANS_ACTIVE: /* rows of a result are still to come */
    return conn->was_in_txn ? TN_TXN_OPEN : TN_TXN_NONE;
  default:
    return TN_TXN_NONE;
  }
}

static int32_t
fail_aborted(struct tn_call *call)
{
  tn_fail(call, TN_E_STATE,
          "postgresql: the transaction was aborted by an earlier error; roll "
          "back before anything else");
  call->host->fail_verdicts(call, TN_CONNECTION_ABORTED, TN_REPLAY_TRANSACTION);
  return TN_E_STATE;
}

/* The server would only warn of what is out of order. */
static int32_t
require(struct pg__conn *conn, uint32_t wanted, const char *what)
{
  uint32_t now = state(conn);

  if (conn->pq == NULL)
    return pg__ready(conn, PG__READ);
  if (now == wanted)
    return TN_OK;
  if (now == TN_TXN_ABORTED)
    return fail_aborted(conn->call);
  return tn_fail(conn->call, TN_E_STATE, "postgresql: %s: %s", what,
                 now == TN_TXN_OPEN ? "a transaction is open already"
                                    : "no transaction is open");
}

const char *const pg__isolations[] = {
  [TN_ISOLATION_READ_UNCOMMITTED] = "read uncommitted",
  [TN_ISOLATION_READ_COMMITTED] = "read committed",
  [TN_ISOLATION_REPEATABLE_READ] = "repeatable read",
  [TN_ISOLATION_SERIALIZABLE] = "serializable",
};

static const char *const accesses[] = {
  [0] = "",
  [TN_ACCESS_READ_WRITE] = " READ WRITE",
  [TN_ACCESS_READ_ONLY] = " READ ONLY",
};

/* What a host of an older version does not know of is not there. */
static uint32_t
flags_of(const struct tn_txn_request *request)
{
  return request->size > offsetof(struct tn_txn_request, flags) ? request->flags
                                                                : 0;
}

static const char *
global_id_of(const struct tn_txn_request *request)
{
  return request->size > offsetof(struct tn_txn_request, global_id)
             ? request->global_id
             : NULL;
}

static int32_t
check_wishes(struct pg__conn *conn, const struct tn_txn_request *request)
{
  int32_t rc = require(conn, TN_TXN_NONE, "begin");

  if (rc == TN_OK && request->lock_mode > TN_LOCK_DEFERRED)
    return tn_fail(conn->call, TN_E_UNSUPPORTED,
                   "postgresql: lock mode: a transaction takes its locks with "
                   "the statements that need them");
  return rc == TN_OK && global_id_of(request) != NULL
             ? pg__two_phase_check(conn)
             : rc;
}

/* Locks are always taken by the first statement that needs them. */
static int32_t
begin(void *handle, const struct tn_txn_request *request, struct tn_call *call)
{
  struct pg__conn *conn = handle;
  uint32_t flags = flags_of(request);
  char sql[96];
  int32_t rc;

  pg__enter(conn, call);
  rc = check_wishes(conn, request);
  if (rc != TN_OK)
    return rc;
  snprintf(sql, sizeof sql, "BEGIN%s%s%s%s",
           request->isolation == 0 ? "" : " ISOLATION LEVEL ",
           request->isolation == 0 ? "" : pg__isolations[request->isolation],
           accesses[request->access],
           (flags & TN_BEGIN_DEFERRABLE) != 0 ? " DEFERRABLE" : "");
  if ((flags & TN_BEGIN_RESOLVABLE) != 0)
    return pg__begin_resolvable(conn, sql);
  return pg__exec(conn, sql, PG__READ, NULL, 0);
}

/* The server answers COMMIT with ROLLBACK, as if all were well, when the
 * transaction was aborted before. */
int32_t
pg__check_commit(struct pg__conn *conn, const char *tag)
{
  if (strcmp(tag, "ROLLBACK") != 0)
    return TN_OK;
  tn_fail(conn->call, TN_E_STATE,
          "postgresql: commit: the server has rolled back: the transaction "
          "was aborted by an earlier error");
  conn->host->fail_verdicts(conn->call, 0, TN_REPLAY_TRANSACTION);
  return TN_E_STATE;
}

/* End it for good, or prepare it. */
static int32_t
end(struct pg__conn *conn, const char *sql)
{
  char tag[32] = "";
  int32_t rc = pg__exec(conn, sql, PG__COMMIT, tag, sizeof tag);

  /* The answer came after the deadline, but it came. */
  if (rc != TN_OK && conn->pq != NULL && conn->has_ended_well)
    return TN_OK;
  return rc == TN_OK ? pg__check_commit(conn, tag) : rc;
}

static int32_t
commit(void *handle, struct tn_call *call)
{
  struct pg__conn *conn = handle;
  int32_t rc;

  pg__enter(conn, call);
  rc = require(conn, TN_TXN_OPEN, "commit");
  return rc == TN_OK ? end(conn, "COMMIT") : rc;
}

/* An id has nothing in it that would have to be quoted. */
static int32_t
prepare(void *handle, const char *global_id, struct tn_call *call)
{
  struct pg__conn *conn = handle;
  char sql[128];
  int32_t rc;

  pg__enter(conn, call);
  rc = require(conn, TN_TXN_OPEN, "prepare");
  snprintf(sql, sizeof sql, "PREPARE TRANSACTION '%.64s'", global_id);
  return rc == TN_OK ? end(conn, sql) : rc;
}

static int32_t
end_prepared(struct pg__conn *conn, const char *verb, const char *global_id)
{
  char sql[128];
  int32_t rc = require(conn, TN_TXN_NONE, "prepared transaction");

  snprintf(sql, sizeof sql, "%s PREPARED '%.64s'", verb, global_id);
  if (rc == TN_OK)
    rc = pg__exec(conn, sql, PG__COMMIT, NULL, 0);
  return rc != TN_OK && conn->pq != NULL && conn->has_ended_well ? TN_OK : rc;
}

static int32_t
commit_prepared(void *handle, const char *global_id, struct tn_call *call)
{
  pg__enter(handle, call);
  return end_prepared(handle, "COMMIT", global_id);
}

static int32_t
rollback_prepared(void *handle, const char *global_id, struct tn_call *call)
{
  pg__enter(handle, call);
  return end_prepared(handle, "ROLLBACK", global_id);
}

static int32_t
rollback(void *handle, struct tn_call *call)
{
  struct pg__conn *conn = handle;

  pg__enter(conn, call);
  if (state(conn) == TN_TXN_NONE && conn->pq != NULL)
    return TN_OK;
  return pg__exec(conn, "ROLLBACK", PG__READ, NULL, 0);
}

/* Back to a savepoint is the way out of an aborted transaction. */
static int32_t
run_savepoint(struct pg__conn *conn, const char *verb, const char *name,
              struct tn_call *call)
{
  char sql[128];
  int32_t rc = TN_OK;

  pg__enter(conn, call);
  if (state(conn) != TN_TXN_ABORTED || strcmp(verb, "ROLLBACK TO") != 0)
    rc = require(conn, TN_TXN_OPEN, "savepoint");
  if (rc != TN_OK)
    return rc;
  snprintf(sql, sizeof sql, "%s \"%.63s\"", verb, name);
  return pg__exec(conn, sql, PG__READ, NULL, 0);
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

const struct tn_txn_table pg__txn_table = {
  .size = sizeof(struct tn_txn_table),
  .begin = begin,
  .commit = commit,
  .rollback = rollback,
  .state = state,
  .savepoint = savepoint,
  .release_savepoint = release_savepoint,
  .rollback_savepoint = rollback_savepoint,
  .prepare = prepare,
  .commit_prepared = commit_prepared,
  .rollback_prepared = rollback_prepared,
  .list_prepared = pg__list_prepared,
  .identify = pg__identify,
  .outcome = pg__outcome,
};
