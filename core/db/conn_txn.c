/* Transactions and savepoints of one session: the state is always the
 * server's word, never what we sent. */
#include "db_priv.h"

#include <stdio.h>
#include <string.h>

#include "text.h"

/* How long the end of a transaction is waited for where nothing else says. */
#define OUTCOME_WAIT_MS 30000

/* What a rollback has once the connection's deadline has passed. */
#define LATE_ROLLBACK_MS 1000

/* Longest name of a savepoint, which every server takes. */
#define SAVEPOINT_NAME_MAX 63

uint32_t
tn_conn_txn_state(const tn_conn *conn)
{
  return tn_backend_txn_state(conn->backend, conn->handle);
}

static enum tn_code
require_state(const tn_conn *conn, uint32_t wanted, tn_err *err)
{
  uint32_t state = tn_conn_txn_state(conn);
  enum tn_code rc;

  if (state == wanted)
    return TN_OK;
  if (state == TN_TXN_ABORTED) {
    rc = tn_err_set(err, TN_E_STATE,
                    "transaction: the database has ended it; roll back first");
    tn_err_verdicts(err, TN_CONNECTION_ABORTED, TN_REPLAY_TRANSACTION);
    return rc;
  }
  if (wanted == TN_TXN_OPEN)
    return tn_err_set(err, TN_E_STATE, "transaction: none is open");
  return tn_err_set(err, TN_E_STATE, "transaction: one is open already");
}

enum tn_code
tn_global_id__check(const char *global_id, tn_err *err)
{
  size_t i;

  for (i = 0; global_id[i] != '\0' && i < TN_GLOBAL_ID_SIZE; i++)
    if (global_id[i] <= ' ' || global_id[i] > '~' || global_id[i] == '\'' ||
        global_id[i] == '\\')
      return tn_err_set(err, TN_E_USAGE,
                        "two-phase: byte %zu of a global id is 0x%02x; use "
                        "printable ASCII without blanks, ' and \\",
                        i + 1, (unsigned)(unsigned char)global_id[i]);
  if (i > 0 && i < TN_GLOBAL_ID_SIZE)
    return TN_OK;
  return tn_err_set(err, TN_E_USAGE,
                    "two-phase: a global id has 1 to %d bytes, not %s",
                    TN_GLOBAL_ID_SIZE - 1, i == 0 ? "0" : "more");
}

/* What a backend cannot do is refused here, so that one that knows nothing of
 * a later wish does not meet the others alone. */
static enum tn_code
require_cap(const tn_conn *conn, uint64_t cap, const char *what, tn_err *err)
{
  if ((conn->caps & cap) != 0)
    return TN_OK;
  return tn_err_set(err, TN_E_UNSUPPORTED, "transaction: %s has no %s",
                    tn_conn_backend(conn), what);
}

static enum tn_code
check_wishes(const tn_conn *conn, const struct tn_txn_request *request,
             tn_err *err)
{
  enum tn_code rc = TN_OK;

  if (request->global_id != NULL)
    rc = tn_global_id__check(request->global_id, err);
  if (rc == TN_OK && request->global_id != NULL)
    rc = require_cap(conn, TN_CAP_TWO_PHASE, "two-phase commit", err);
  if (rc == TN_OK && (request->flags & TN_BEGIN_RESOLVABLE) != 0)
    rc = require_cap(conn, TN_CAP_OUTCOME,
                     "way to tell what became of a commit", err);
  if (rc != TN_OK || (request->flags & TN_BEGIN_DEFERRABLE) == 0)
    return rc;
  if (request->isolation != TN_ISOLATION_SERIALIZABLE ||
      request->access != TN_ACCESS_READ_ONLY)
    return tn_err_set(err, TN_E_USAGE,
                      "transaction: only one that is serializable and "
                      "read-only can be deferrable");
  return require_cap(conn, TN_CAP_DEFERRABLE, "deferrable transactions", err);
}

/* Its answer may come although the call is over by then: whoever goes on would
 * be in a transaction that he knows nothing of. */
enum tn_code
tn_conn__begin_txn(tn_conn *conn, const struct tn_txn_request *request,
                   struct tn_host_call *call, tn_err *err)
{
  enum tn_code rc =
      tn_backend_begin(conn->backend, conn->handle, request, call);

  if (rc == TN_OK)
    return rc;
  tn_conn__note(conn, rc, err);
  if (!conn->is_dead && tn_conn_txn_state(conn) != TN_TXN_NONE)
    tn_conn__undo(conn, err);
  return rc;
}

static enum tn_code
begin(tn_conn *conn, const struct tn_txn_request *request,
      struct tn_host_call *call, tn_err *err)
{
  enum tn_code rc = tn_conn__begin_txn(conn, request, call, err);

  conn->global_id[0] = '\0';
  conn->txn_id[0] = '\0';
  if (rc == TN_OK && request->global_id != NULL)
    snprintf(conn->global_id, sizeof conn->global_id, "%s", request->global_id);
  if (rc != TN_OK || (request->flags & TN_BEGIN_RESOLVABLE) == 0)
    return rc;
  rc = tn_backend_identify(conn->backend, conn->handle, conn->txn_id, call);
  if (rc != TN_OK)
    tn_conn__undo(conn, err);
  return rc;
}

enum tn_code
tn_conn_begin(tn_conn *conn, const struct tn_txn_options *options, tn_err *err)
{
  struct tn_txn_request request = { .size = sizeof request };
  struct tn_host_call call;
  tn_deadline deadline = 0;
  enum tn_code rc;

  if (options != NULL) {
    request.isolation = options->isolation;
    request.access = options->access;
    request.lock_mode = options->lock_mode;
    request.flags = options->flags;
    request.global_id = options->global_id;
    deadline = options->deadline;
  }
  rc = tn_conn__begin(conn, deadline, NULL, &call, &err);
  if (rc != TN_OK)
    return rc;
  rc = require_state(conn, TN_TXN_NONE, err);
  if (rc == TN_OK)
    rc = check_wishes(conn, &request, err);
  if (rc == TN_OK)
    rc = begin(conn, &request, &call, err);
  conn->counts[CONN_BEGINS] += rc == TN_OK;
  conn->has_begun = rc == TN_OK || conn->has_begun;
  return tn_conn__end(conn, rc, err);
}

enum tn_code
tn_conn__refuse_boundary(uint32_t boundary, tn_err *err)
{
  static const struct {
    const char *what;
    const char *instead;
  } rows[] = {
    [TN_SQL_BEGINS] = { "begin another", "tn_conn_savepoint() or "
                                         "tn_txn_nest()" },
    [TN_SQL_COMMITS] = { "commit it", "tn_conn_commit(), tn_txn_commit() or "
                                      "tn_scope_commit()" },
    [TN_SQL_ROLLS_BACK] = { "roll it back", "tn_conn_rollback(), "
                                            "tn_txn_rollback() or "
                                            "tn_scope_end()" },
    [TN_SQL_PREPARES] = { "prepare it", "tn_txn_prepare()" },
  };

  return tn_err_set(err, TN_E_STATE,
                    "transaction: it was begun by a call, so a text cannot "
                    "%s; use %s",
                    rows[boundary].what, rows[boundary].instead);
}

/* A connection that died under a commit leaves its outcome unknown: in a third
 * of such cases the server had committed. Only the plug-in may know better. */
static enum tn_code
doubt_commit(enum tn_code code, tn_err *err)
{
  if (code != TN_E_LOST &&
      (code == TN_OK || err->connection != TN_CONNECTION_DEAD))
    return code;
  if (err->replay == TN_REPLAY_SAFE) {
    tn_err_verdicts(err, TN_CONNECTION_DEAD, TN_REPLAY_TRANSACTION);
    return code;
  }
  err->code = TN_E_UNCERTAIN;
  tn_err_verdicts(err, TN_CONNECTION_DEAD, TN_REPLAY_UNKNOWN);
  return TN_E_UNCERTAIN;
}

enum tn_code
tn_conn__commit(tn_conn *conn, struct tn_host_call *call, tn_err *err)
{
  enum tn_code rc = require_state(conn, TN_TXN_OPEN, err);

  if (rc != TN_OK)
    return rc;
  return doubt_commit(tn_backend_commit(conn->backend, conn->handle, call),
                      err);
}

/* In a little time of its own: the operation may have failed because its time
 * was over. */
void
tn_conn__undo(tn_conn *conn, tn_err *err)
{
  struct tn_host_call call;
  tn_err own = TN_ERR_INIT;

  if (conn->is_dead || tn_conn__is_inherited(conn))
    return;
  tn_conn__closing(conn, &call);
  call.err = &own;
  if (tn_conn_txn_state(conn) != TN_TXN_NONE &&
      tn_backend_rollback(conn->backend, conn->handle, &call) != TN_OK)
    conn->is_dead = tn_conn_txn_state(conn) != TN_TXN_NONE ||
                    own.connection == TN_CONNECTION_DEAD;
  conn->has_begun = conn->has_begun && !conn->is_dead &&
                    tn_conn_txn_state(conn) != TN_TXN_NONE;
  if (err == NULL || err == &conn->scratch)
    return;
  if (conn->is_dead)
    tn_err_verdicts(err, TN_CONNECTION_DEAD, 0);
  else if (err->connection == TN_CONNECTION_ABORTED)
    tn_err_verdicts(err, TN_CONNECTION_USABLE, 0);
  if (err->replay == TN_REPLAY_TRANSACTION)
    tn_err_verdicts(err, 0, TN_REPLAY_SAFE);
}

enum tn_code
tn_conn_commit(tn_conn *conn, tn_err *err)
{
  struct tn_host_call call;
  enum tn_code rc = tn_conn__begin(conn, 0, NULL, &call, &err);

  if (rc != TN_OK)
    return rc;
  rc = tn_conn__commit(conn, &call, err);
  conn->counts[CONN_COMMITS] += rc == TN_OK;
  return tn_conn__end(conn, rc, err);
}

/* What undoes has a second of its own where the time is over; 0: it is not. */
static tn_deadline
undo_deadline(const tn_conn *conn)
{
  return tn_conn__is_late(conn) ? tn_deadline_after_ms(LATE_ROLLBACK_MS) : 0;
}

enum tn_code
tn_conn__rollback(tn_conn *conn, tn_deadline deadline, tn_err *err)
{
  struct tn_host_call call;
  enum tn_code rc;

  if (deadline == 0)
    deadline = undo_deadline(conn);
  rc = tn_conn__begin(conn, deadline, NULL, &call, &err);
  if (rc != TN_OK)
    return rc;
  if (tn_conn_txn_state(conn) != TN_TXN_NONE)
    rc = tn_backend_rollback(conn->backend, conn->handle, &call);
  return tn_conn__end(conn, rc, err);
}

enum tn_code
tn_conn_rollback(tn_conn *conn, tn_err *err)
{
  enum tn_code rc = tn_conn__rollback(conn, 0, err);

  conn->counts[CONN_ROLLBACKS] += rc == TN_OK;
  return rc;
}

/* ---- two phases ---- */

enum tn_code
tn_conn__prepare(tn_conn *conn, tn_err *err)
{
  struct tn_host_call call;
  enum tn_code rc = tn_conn__begin(conn, 0, NULL, &call, &err);

  if (rc != TN_OK)
    return rc;
  rc = require_state(conn, TN_TXN_OPEN, err);
  if (rc == TN_OK && conn->global_id[0] == '\0')
    rc = tn_err_set(err, TN_E_STATE,
                    "transaction: it was begun without a global id, and cannot "
                    "be prepared");
  if (rc == TN_OK)
    rc = doubt_commit(tn_backend_global(conn->backend, conn->handle,
                                        TN_GLOBAL_PREPARE, conn->global_id,
                                        &call),
                      err);
  tn_conn__touch(conn); /* it may be over */
  return tn_conn__end(conn, rc, err);
}

enum tn_code
tn_conn__end_prepared(tn_conn *conn, enum tn_global_action action,
                      const char *global_id, tn_err *err)
{
  struct tn_host_call call;
  enum tn_code rc = tn_conn__begin(conn, 0, NULL, &call, &err);

  if (rc != TN_OK)
    return rc;
  rc = tn_global_id__check(global_id, err);
  if (rc == TN_OK)
    rc = require_state(conn, TN_TXN_NONE, err);
  if (rc == TN_OK)
    rc = doubt_commit(tn_backend_global(conn->backend, conn->handle, action,
                                        global_id, &call),
                      err);
  return tn_conn__end(conn, rc, err);
}

/* ---- afterwards ---- */

enum tn_code
tn_conn__outcome(tn_conn *conn, const char *txn_id, int *ret_is_committed,
                 tn_err *err)
{
  struct tn_host_call call;
  tn_deadline until = conn->timeout_ms == 0 && conn->deadline == 0
                          ? tn_deadline_after_ms(OUTCOME_WAIT_MS)
                          : 0;
  uint32_t outcome = TN_OUTCOME_UNKNOWN;
  enum tn_code rc = tn_conn__begin(conn, until, NULL, &call, &err);

  if (rc != TN_OK)
    return rc;
  rc = require_state(conn, TN_TXN_NONE, err);
  if (rc == TN_OK)
    rc = tn_backend_outcome(conn->backend, conn->handle, txn_id, &call,
                            &outcome);
  if (rc == TN_OK && outcome == TN_OUTCOME_UNKNOWN)
    rc = tn_err_set(err, TN_E_UNCERTAIN,
                    "transaction: the server cannot tell what became of it: it "
                    "has been started anew since, is another one, or has "
                    "forgotten");
  if (rc == TN_OK)
    *ret_is_committed = outcome == TN_OUTCOME_COMMITTED;
  return tn_conn__end(conn, rc, err);
}

/* ---- savepoints ---- */

static enum tn_code
check_name(const char *name, tn_err *err)
{
  size_t i;

  for (i = 0; name[i] != '\0' && i <= SAVEPOINT_NAME_MAX; i++)
    if (name[i] != '_' && !tn_text_is_alpha(name[i]) &&
        !(i > 0 && tn_text_is_digit(name[i])))
      break;
  if (i > 0 && i <= SAVEPOINT_NAME_MAX && name[i] == '\0')
    return TN_OK;
  return tn_err_set(err, TN_E_USAGE,
                    "savepoint: \"%.64s\" is no name; use a letter or '_', "
                    "then up to %d letters, digits and '_'",
                    name, SAVEPOINT_NAME_MAX - 1);
}

static enum tn_code
run_savepoint(tn_conn *conn, enum tn_savepoint_action action, const char *name,
              tn_deadline deadline, tn_err *err)
{
  struct tn_host_call call;
  enum tn_code rc = check_name(name, err);

  if (rc != TN_OK)
    return rc;
  rc = tn_conn__begin(conn, deadline, NULL, &call, &err);
  if (rc != TN_OK)
    return rc;

  /* Going back to a savepoint is how an aborted transaction is saved. */
  if (action != TN_SAVEPOINT_ROLLBACK || tn_conn_txn_state(conn) == TN_TXN_NONE)
    rc = require_state(conn, TN_TXN_OPEN, err);
  if (rc == TN_OK)
    rc = tn_backend_savepoint(conn->backend, conn->handle, action, name, &call);
  return tn_conn__end(conn, rc, err);
}

enum tn_code
tn_conn_savepoint(tn_conn *conn, const char *name, tn_err *err)
{
  return run_savepoint(conn, TN_SAVEPOINT_SET, name, 0, err);
}

enum tn_code
tn_conn_release_savepoint(tn_conn *conn, const char *name, tn_err *err)
{
  return run_savepoint(conn, TN_SAVEPOINT_RELEASE, name, 0, err);
}

enum tn_code
tn_conn_rollback_savepoint(tn_conn *conn, const char *name, tn_err *err)
{
  return run_savepoint(conn, TN_SAVEPOINT_ROLLBACK, name, undo_deadline(conn),
                       err);
}

enum tn_code
tn_conn__drop_savepoint(tn_conn *conn, const char *name, tn_err *err)
{
  return run_savepoint(conn, TN_SAVEPOINT_RELEASE, name, undo_deadline(conn),
                       err);
}
