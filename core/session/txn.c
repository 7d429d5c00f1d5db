/* Scopes of transactions and savepoints. The connection tells what becomes of
 * the transaction (struct tn_txn_watch), whoever ends it. */
#include <tenon/two_phase.h>

#include <stdio.h>
#include <string.h>

#include "db_priv.h"
#include "session_priv.h"

struct tn_txn {
  tn_conn *conn; /* NULL: the transaction has ended with a scope around */
  tn_txn *outer; /* NULL: this is the transaction */
  tn_txn *inner; /* the scope inside that is open */
  unsigned depth;
  bool is_loan;
  bool is_done;        /* committed, prepared or rolled back */
  bool is_committed;   /* the outermost, or that is not known */
  bool is_left;        /* the outermost, whose rollback has failed */
  struct tn_txn_id id; /* "": it was not asked for */
  struct tn_txn_watch watch;
};

#define NAME_SIZE 24

static void
print_name(const tn_txn *txn, char name[NAME_SIZE])
{
  snprintf(name, NAME_SIZE, "tn_scope_%u", txn->depth);
}

tn_conn *
tn_txn_conn(const tn_txn *txn)
{
  return txn->conn;
}

const tn_err *
tn_txn_cause(const tn_txn *txn)
{
  const struct tn_txn_watch *watch = txn->conn != NULL && txn->conn->txn != NULL
                                         ? txn->conn->txn
                                         : &txn->watch;

  return watch->cause.code != 0 ? &watch->cause : NULL;
}

bool
tn_txn__is_torn(const tn_txn *txn)
{
  const struct tn_txn_watch *watch = txn->conn != NULL ? txn->conn->txn : NULL;

  return txn->is_committed || (watch != NULL && watch->is_torn);
}

enum tn_code
tn_txn_identify(const tn_txn *txn, struct tn_txn_id *ret, tn_err *err)
{
  while (txn->outer != NULL)
    txn = txn->outer;
  if (txn->id.text[0] == '\0')
    return tn_err_set(err, TN_E_STATE,
                      "transaction: begin it with TN_BEGIN_RESOLVABLE for the "
                      "server to be asked");
  *ret = txn->id;
  return TN_OK;
}

/* Fail as the server did when it destroyed the transaction. */
static enum tn_code
fail_as_cause(const tn_txn *txn, tn_err *err)
{
  const tn_err *cause = tn_txn_cause(txn);

  if (err != NULL)
    *err = *cause;
  return (enum tn_code)cause->code;
}

static enum tn_code
require_open(const tn_txn *txn, tn_err *err)
{
  if (txn->is_done)
    return tn_err_set(err, TN_E_STATE, "transaction: its scope is over");
  if (txn->inner != NULL)
    return tn_err_set(err, TN_E_STATE,
                      "transaction: a scope inside is open; end it first");
  return TN_OK;
}

/* ---- beginning ---- */

static enum tn_code
begin(tn_txn *txn, const struct tn_txn_options *options, tn_err *err)
{
  enum tn_code rc;

  if (txn->conn->txn != NULL)
    return tn_err_set(err, TN_E_STATE,
                      "transaction: the connection is in a scope; nest one");
  rc = tn_conn_begin(txn->conn, options, err);
  if (rc != TN_OK)
    return rc;
  txn->conn->txn = &txn->watch;
  _Static_assert(sizeof txn->id.text == sizeof txn->conn->txn_id, "one size");
  snprintf(txn->id.text, sizeof txn->id.text, "%s", txn->conn->txn_id);
  return TN_OK;
}

enum tn_code
tn_txn_begin(tn_conn *conn, const struct tn_txn_options *options, tn_txn **ret,
             tn_err *err)
{
  tn_txn *txn = tn_memory_zalloc(sizeof *txn);
  enum tn_code rc;

  if (txn == NULL)
    return tn_err_memory(err, "transaction");
  txn->conn = conn;
  rc = begin(txn, options, err);
  if (rc == TN_OK)
    *ret = txn;
  else
    tn_memory_free(txn);
  return rc;
}

enum tn_code
tn_txn_take(tn_engine *engine, const struct tn_loan *loan,
            const struct tn_txn_options *options, tn_txn **ret, tn_err *err)
{
  tn_conn *conn = NULL;
  enum tn_code rc = tn_engine_take(engine, loan, &conn, err);

  return rc == TN_OK ? tn_txn__begin_loan(conn, options, ret, err) : rc;
}

enum tn_code
tn_txn__begin_loan(tn_conn *conn, const struct tn_txn_options *options,
                   tn_txn **ret, tn_err *err)
{
  tn_txn *txn = NULL;
  enum tn_code rc = tn_txn_begin(conn, options, &txn, err);

  if (txn == NULL) {
    tn_pool_give(&conn);
    return rc;
  }
  txn->is_loan = true;
  *ret = txn;
  return TN_OK;
}

enum tn_code
tn_txn_nest(tn_txn *outer, tn_txn **ret, tn_err *err)
{
  char name[NAME_SIZE];
  enum tn_code rc = require_open(outer, err);
  tn_txn *txn;

  if (rc != TN_OK)
    return rc;
  txn = tn_memory_zalloc(sizeof *txn);
  if (txn == NULL)
    return tn_err_memory(err, "transaction");
  txn->conn = outer->conn;
  txn->outer = outer;
  txn->depth = outer->depth + 1;
  print_name(txn, name);
  rc = tn_conn_savepoint(txn->conn, name, err);
  if (rc != TN_OK) {
    tn_memory_free(txn);
    return rc;
  }
  outer->inner = txn;
  *ret = txn;
  return TN_OK;
}

/* ---- ending ---- */

/* Is one of its statements under way, and this a listener that is told of it?
 */
static bool
is_told(const tn_txn *txn)
{
  return txn->conn != NULL && txn->conn->told > 0 &&
         atomic_load_explicit(&txn->conn->activity, memory_order_relaxed) !=
             ACTIVITY_IDLE;
}

/* The scope around, if there is one, can go on. */
static void
finish(tn_txn *txn)
{
  tn_txn *inner = txn->inner;

  txn->is_done = true;
  txn->inner = NULL;
  if (txn->outer != NULL)
    txn->outer->inner = NULL;
  for (; inner != NULL; inner = inner->inner) {
    inner->is_done = true;
    inner->outer = NULL;
    inner->conn = NULL;
  }
}

static enum tn_code
commit_outermost(tn_txn *txn, tn_err *err)
{
  enum tn_code rc;

  /* One that is over by now is none that we end. */
  txn->watch.is_ending = !txn->watch.is_over;
  rc = tn_conn_commit(txn->conn, err);
  txn->watch.is_ending = false;
  txn->is_committed = rc == TN_OK || rc == TN_E_UNCERTAIN;
  if (txn->is_committed)
    finish(txn);
  return rc;
}

enum tn_code
tn_txn_commit(tn_txn *txn, tn_err *err)
{
  char name[NAME_SIZE];
  enum tn_code rc = require_open(txn, err);

  if (rc != TN_OK)
    return rc;
  if (tn_txn_cause(txn) != NULL)
    return fail_as_cause(txn, err);
  if (txn->outer == NULL)
    return commit_outermost(txn, err);
  print_name(txn, name);
  rc = tn_conn_release_savepoint(txn->conn, name, err);
  if (rc == TN_OK)
    finish(txn);
  return rc;
}

/* What was to be undone is still there, so nothing around it may be committed
 * any more; nor can it be where the transaction has gone. */
static void
spoil(const tn_txn *txn, const tn_err *err)
{
  struct tn_txn_watch *watch = txn->conn->txn;

  if (watch->is_over)
    return;
  if (watch->spoiled == 0 || txn->depth < watch->spoiled)
    watch->spoiled = txn->depth;
  if (watch->cause.code != TN_OK)
    return;
  watch->cause = *err;
  tn_err_verdicts(&watch->cause, TN_CONNECTION_ABORTED, TN_REPLAY_TRANSACTION);
}

/* All that was done inside is undone, and what was wrong with it forgotten; but
 * not what a scope has left behind that was beside this one. */
static void
mend(const tn_txn *txn)
{
  struct tn_txn_watch *watch = txn->conn->txn;

  if (watch->spoiled != 0 && watch->spoiled <= txn->depth)
    return;
  watch->spoiled = 0;
  watch->cause.code = TN_OK;
}

/* On failure of what belongs to a transaction that the server has destroyed,
 * the savepoint has gone with it: why is what counts. */
static enum tn_code
rollback_inner(tn_txn *txn, tn_err *err)
{
  tn_err own = TN_ERR_INIT;
  char name[NAME_SIZE];
  enum tn_code rc;

  if (err == NULL)
    err = &own;
  print_name(txn, name);
  rc = tn_conn_rollback_savepoint(txn->conn, name, err);
  if (rc == TN_OK) {
    mend(txn);
    rc = tn_conn__drop_savepoint(txn->conn, name, err);
  } else {
    spoil(txn, err);
  }
  finish(txn);
  if (rc != TN_OK && tn_txn_cause(txn) != NULL)
    return fail_as_cause(txn, err);
  return rc;
}

static enum tn_code
undo(tn_txn *txn, tn_err *err)
{
  enum tn_code rc;

  if (txn->is_done)
    return TN_OK;
  if (!is_told(txn))
    tn_conn__stop_rows(txn->conn, tn_deadline_after_ms(TN_CONN_CLOSE_MS));
  if (txn->outer != NULL)
    return rollback_inner(txn, err);
  txn->watch.is_ending = true;
  rc = tn_conn_rollback(txn->conn, err);
  txn->watch.is_ending = false;
  txn->is_left = rc != TN_OK;
  finish(txn);
  return rc;
}

enum tn_code
tn_txn_prepare(tn_txn *txn, tn_err *err)
{
  enum tn_code rc = require_open(txn, err);

  if (rc != TN_OK)
    return rc;
  if (txn->outer != NULL)
    return tn_err_set(err, TN_E_STATE,
                      "transaction: a scope inside cannot be prepared");
  if (tn_txn_cause(txn) != NULL)
    return fail_as_cause(txn, err);
  if (txn->conn->global_id[0] == '\0')
    return tn_err_set(err, TN_E_STATE,
                      "transaction: begin it with a global_id to prepare it");
  txn->watch.is_ending = !txn->watch.is_over;
  rc = tn_conn__prepare(txn->conn, err);
  txn->watch.is_ending = false;
  if (rc == TN_OK || rc == TN_E_UNCERTAIN)
    finish(txn);
  else
    (void)undo(txn, NULL);
  return rc;
}

enum tn_code
tn_txn_rollback(tn_txn *txn, tn_err *err)
{
  return undo(txn, err);
}

void
tn_txn_end(tn_txn **txn)
{
  tn_txn *ended = txn != NULL ? *txn : NULL;
  tn_conn *conn;

  if (ended == NULL)
    return;
  if ((ended->is_loan && ended->conn->told > 0) || is_told(ended)) {
    tn_conn__refuse_to_go(ended->conn);
    return;
  }
  *txn = NULL;
  (void)undo(ended, NULL);
  conn = ended->conn;
  if (conn != NULL && conn->txn == &ended->watch) {
    conn->txn = NULL;
    if (ended->is_loan)
      tn_pool_give(&conn); /* which rolls back, or closes it */
    else if (ended->is_left)
      tn_conn__undo(conn, NULL);
  }
  tn_memory_free(ended);
}
