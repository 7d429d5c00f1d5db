/* Scopes, and the contexts in which they find each other. */
#include <tenon/scope.h>

#include "base_priv.h"
#include "db_priv.h"
#include "scope_priv.h"

struct tn_context {
  pthread_mutex_t lock;
  uint32_t flags;
  tn_scope *scopes; /* that are open, the last to be begun first */
};

/* ---- contexts ---- */

enum tn_code
tn_context_open(uint32_t flags, tn_context **ret, tn_err *err)
{
  tn_context *context;

  if ((flags & ~TN_CONTEXT_ANY_THREAD) != 0)
    return tn_err_set(err, TN_E_USAGE, "context: unknown flags 0x%x",
                      (unsigned)(flags & ~TN_CONTEXT_ANY_THREAD));
  context = tn_memory_zalloc(sizeof *context);
  if (context == NULL)
    return tn_err_memory(err, "context");
  pthread_mutex_init(&context->lock, NULL);
  context->flags = flags;
  *ret = context;
  return TN_OK;
}

void
tn_context_close(tn_context **context)
{
  tn_context *closed = context != NULL ? *context : NULL;
  tn_scope *scope;

  if (closed == NULL)
    return;
  *context = NULL;
  for (scope = closed->scopes; scope != NULL; scope = scope->next)
    scope->context = NULL;
  pthread_mutex_destroy(&closed->lock);
  tn_memory_free(closed);
}

/* The first one that is the caller's, of `facade` or, NULL, of any. */
static tn_scope *
find(tn_context *context, const tn_facade *facade)
{
  bool is_any = (context->flags & TN_CONTEXT_ANY_THREAD) != 0;
  tn_scope *scope;

  pthread_mutex_lock(&context->lock);
  for (scope = context->scopes; scope != NULL; scope = scope->next)
    if ((facade == NULL || scope->facade == facade) &&
        (is_any || pthread_equal(scope->thread, pthread_self())))
      break;
  pthread_mutex_unlock(&context->lock);
  return scope;
}

tn_scope *
tn_context_scope(tn_context *context)
{
  return find(context, NULL);
}

tn_scope *
tn_scope__around(tn_context *context, const tn_facade *facade)
{
  return context != NULL ? find(context, facade) : NULL;
}

static void
enter(tn_scope *scope)
{
  tn_context *context = scope->context;

  if (context == NULL)
    return;
  pthread_mutex_lock(&context->lock);
  scope->next = context->scopes;
  context->scopes = scope;
  pthread_mutex_unlock(&context->lock);
}

static void
leave_context(tn_scope *scope)
{
  tn_context *context = scope->context;
  tn_scope **at;

  if (context == NULL)
    return;
  pthread_mutex_lock(&context->lock);
  for (at = &context->scopes; *at != NULL; at = &(*at)->next)
    if (*at == scope) {
      *at = scope->next;
      break;
    }
  pthread_mutex_unlock(&context->lock);
}

/* ---- beginning ---- */

static enum tn_code
open_scope(tn_scope *scope, const struct tn_scope_options *options, tn_err *err)
{
  tn_scope *around = scope->joined;

  if (around == NULL)
    return tn_scope__open(scope, options, err);
  if (around->is_done)
    return tn_err_set(err, TN_E_STATE,
                      "scope: the one around is over; end it first");
  return tn_scope__join(scope, options, err);
}

enum tn_code
tn_scope_begin(tn_facade *facade, tn_context *context,
               const struct tn_scope_options *options, tn_scope **ret,
               tn_err *err)
{
  enum tn_code rc = tn_scope__check(options, err);
  tn_scope *scope;

  if (rc != TN_OK)
    return rc;
  scope = tn_memory_zalloc(sizeof *scope);
  if (scope == NULL)
    return tn_err_memory(err, "scope");
  scope->facade = facade;
  scope->context = context;
  scope->thread = pthread_self();
  scope->mode = options->mode;
  scope->flags = options->flags;
  if ((scope->flags & TN_SCOPE_INDEPENDENT) == 0)
    scope->joined = tn_scope__around(context, facade);
  rc = open_scope(scope, options, err);
  if (rc != TN_OK) {
    tn_memory_free(scope);
    return rc;
  }
  if (scope->joined != NULL)
    scope->joined->inner = scope;
  enter(scope);
  *ret = scope;
  return TN_OK;
}

/* ---- what it is ---- */

static const tn_scope *
outermost(const tn_scope *scope)
{
  while (scope->joined != NULL)
    scope = scope->joined;
  return scope;
}

tn_conn *
tn_scope_conn(const tn_scope *scope)
{
  return scope->conn;
}

enum tn_scope_mode
tn_scope_mode(const tn_scope *scope)
{
  return (enum tn_scope_mode)outermost(scope)->mode;
}

int
tn_scope_is_replica(const tn_scope *scope)
{
  return outermost(scope)->is_replica;
}

/* ---- done, and well ---- */

/* The scope whose transaction or savepoint this one is in; or NULL. */
static tn_scope *
owner(tn_scope *scope)
{
  while (scope != NULL && scope->txn == NULL)
    scope = scope->joined;
  return scope;
}

tn_txn *
tn_scope__txn(const tn_scope *scope)
{
  while (scope != NULL && scope->txn == NULL)
    scope = scope->joined;
  return scope != NULL ? scope->txn : NULL;
}

/* Its transaction is over, so that all others are refused. */
static void
ask_position(const tn_scope *scope, tn_position *ret)
{
  struct tn_txn_watch *watch = scope->conn->txn;

  if (watch != NULL)
    watch->is_ending = true;
  if (tn_conn_position(scope->conn, ret, NULL) != TN_OK)
    *ret = (tn_position){ TN_POSITION_PRIMARY };
  if (watch != NULL)
    watch->is_ending = false;
}

/* A scope inside was left. Where it could be all run again, what that one
 * failed with is what this one fails with. */
static enum tn_code
fail_as_doomed(const tn_scope *scope, tn_err *err)
{
  const tn_err *doom = &scope->doom;

  if (doom->replay == TN_REPLAY_SAFE || doom->replay == TN_REPLAY_TRANSACTION) {
    if (err != NULL)
      *err = *doom;
    return (enum tn_code)doom->code;
  }
  tn_err_set(err, TN_E_STATE,
             "scope: one inside was left without a commit, so this one can "
             "only be rolled back");
  tn_err_add(err, TN_ERR_DETAIL, doom->code != 0 ? doom->message : NULL);
  return TN_E_STATE;
}

/* It is done well only if the transaction is still there. */
static enum tn_code
check_cause(const tn_scope *scope, tn_err *err)
{
  const tn_txn *txn = tn_scope__txn(scope);
  const tn_err *cause = txn != NULL ? tn_txn_cause(txn) : NULL;

  if (cause == NULL)
    return TN_OK;
  if (err != NULL)
    *err = *cause;
  return (enum tn_code)cause->code;
}

static enum tn_code
commit(tn_scope *scope, tn_err *err)
{
  enum tn_code rc = check_cause(scope, err);

  if (rc != TN_OK)
    return rc;
  if (scope->is_doomed)
    return fail_as_doomed(scope, err);
  if (scope->txn == NULL)
    return TN_OK;
  if (scope->is_savepoint || tn_scope_mode(scope) == TN_SCOPE_WRITER)
    return tn_txn_commit(scope->txn, err);
  return tn_txn_rollback(scope->txn, err);
}

enum tn_code
tn_scope_commit(tn_scope *scope, tn_err *err)
{
  enum tn_code rc;

  if (scope->is_done)
    return tn_err_set(err, TN_E_STATE, "scope: it is over");
  if (scope->inner != NULL)
    return tn_err_set(err, TN_E_STATE,
                      "scope: one inside is open; end it first");
  rc = commit(scope, err);
  if (rc == TN_OK || rc == TN_E_UNCERTAIN)
    scope->is_done = true;
  if (rc != TN_OK)
    return rc;
  scope->is_committed = true;
  if (scope->joined == NULL && scope->ret_position != NULL)
    ask_position(scope, scope->ret_position);
  return TN_OK;
}

enum tn_code
tn_scope_position(tn_scope *scope, tn_position *ret, tn_err *err)
{
  if (!scope->is_committed || scope->conn == NULL || scope->joined != NULL ||
      scope->mode != TN_SCOPE_WRITER)
    return tn_err_set(err, TN_E_STATE,
                      "scope: only an outermost writer that has committed, and "
                      "was not ended, has a position");
  ask_position(scope, ret);
  return TN_OK;
}

/* ---- ending ---- */

/* What has joined is over with the scope around. */
static void
end_inner(tn_scope *scope)
{
  tn_scope *inner = scope->inner;

  if (inner == NULL)
    return;
  end_inner(inner);
  tn_txn_end(&inner->txn);
  inner->is_done = true;
  inner->conn = NULL;
  inner->joined = NULL;
  scope->inner = NULL;
}

/* A writer that has joined goes, and what it has done cannot be undone without
 * what was done around it. */
static void
doom(tn_scope *scope, const tn_err *why)
{
  tn_scope *around = owner(scope->joined);

  if (around == NULL || around->is_doomed)
    return;
  around->is_doomed = true;
  if (why != NULL)
    around->doom = *why;
}

void
tn_scope__leave(tn_scope **scope, const tn_err *why)
{
  tn_scope *left = *scope;

  if (left->joined == NULL && left->conn != NULL && left->conn->told > 0) {
    tn_conn__refuse_to_go(left->conn);
    return;
  }
  *scope = NULL;
  leave_context(left);
  end_inner(left);
  if (left->joined != NULL && left->txn == NULL && !left->is_committed &&
      left->mode == TN_SCOPE_WRITER)
    doom(left, why);
  tn_txn_end(&left->txn);
  if (left->joined != NULL)
    left->joined->inner = NULL;
  else
    tn_pool_give(&left->conn);
  tn_memory_free(left);
}

void
tn_scope_end(tn_scope **scope)
{
  if (scope != NULL && *scope != NULL)
    tn_scope__leave(scope, NULL);
}
