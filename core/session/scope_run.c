/* Functions in scopes, from the begin again when that can help. */
#include <tenon/scope.h>

#include "db_priv.h"
#include "scope_priv.h"
#include "session_priv.h"

/* What is to be run, and where. */
struct piece {
  tn_facade *facade;
  tn_context *context;
  struct tn_scope_options options;
  tn_scope_fn call;
  void *user;
  tn_deadline limit;   /* of all attempts; 0: none */
  tn_engine *engine;   /* of the last time; NULL: it did not begin */
  struct tn_txn_id id; /* likewise; "": the server cannot be asked */
  bool is_uncertain;   /* likewise: whether its own commit has taken effect */
};

/* Once, to the end. */
static enum tn_code
run_once(struct piece *piece, tn_err *err)
{
  tn_scope *scope = NULL;
  tn_txn *txn;
  enum tn_code rc = tn_scope_begin(piece->facade, piece->context,
                                   &piece->options, &scope, err);

  piece->engine = NULL;
  piece->id.text[0] = '\0';
  piece->is_uncertain = false;
  if (scope == NULL)
    return rc;
  piece->engine = scope->engine;
  if (piece->limit != 0)
    tn_conn__limit(scope->conn, piece->limit);
  txn = tn_scope__txn(scope);
  if (txn != NULL && tn_txn_identify(txn, &piece->id, NULL) != TN_OK)
    piece->id.text[0] = '\0';
  rc = tn_run__judge(txn, piece->call(scope, piece->user, err), err);
  if (rc == TN_OK) {
    rc = tn_scope_commit(scope, err);
    piece->is_uncertain = rc == TN_E_UNCERTAIN;
  }
  tn_scope__leave(&scope, rc != TN_OK ? err : NULL);
  return rc;
}

/* What begins and ends with the scope can be run again. */
static bool
is_whole(const struct piece *piece)
{
  uint32_t flags = piece->options.flags;

  if ((flags & TN_SCOPE_CONNECTION) != 0)
    return false;
  return (flags & TN_SCOPE_INDEPENDENT) != 0 ||
         tn_scope__around(piece->context, piece->facade) == NULL;
}

static enum tn_code
start(const struct piece *piece, struct tn_retry_run *ret, tn_err *err)
{
  const struct tn_scope_options *options = &piece->options;
  struct tn_retry of_engine;
  tn_engine *engine = NULL;
  enum tn_code rc;

  if (options->retry != NULL)
    return tn_retry__start(options->retry, ret, err);
  rc = tn_facade_engine(piece->facade, (enum tn_scope_mode)options->mode,
                        &engine, err);
  if (rc != TN_OK)
    return rc;
  of_engine = tn_retry_of_engine(engine);
  return tn_retry__start(&of_engine, ret, err);
}

/* From the begin again, as long as the policy says. Its total time bounds each
 * attempt, with its commit. */
static enum tn_code
run_whole(struct piece *piece, tn_err *err)
{
  struct tn_scope_options *options = &piece->options;
  struct tn_run_options question = TN_RUN_OPTIONS_INIT;
  struct tn_retry_run run;
  enum tn_code rc = start(piece, &run, err);

  if (rc != TN_OK)
    return rc;
  question.retry = options->retry;
  question.check = options->check;
  if (run.deadline != TN_DEADLINE_NONE)
    piece->limit = run.deadline;
  if (piece->limit != 0 &&
      (options->deadline == 0 || run.deadline < options->deadline))
    options->deadline = run.deadline;
  tn_err_clear(err);
  do {
    rc = run_once(piece, err);
    if (piece->is_uncertain)
      rc = tn_run__resolve(piece->engine, &question, piece->user, &piece->id,
                           err);
    if (rc != TN_OK)
      tn_run__settle(err);
  } while (tn_retry__again(&run, &rc, err));
  return rc;
}

enum tn_code
tn_scope_run(tn_facade *facade, tn_context *context,
             const struct tn_scope_options *options, tn_scope_fn call,
             void *user, tn_err *err)
{
  struct piece piece = {
    .facade = facade, .context = context, .call = call, .user = user
  };
  tn_err own = TN_ERR_INIT;
  enum tn_code rc;

  if (err == NULL)
    err = &own;
  if (facade == NULL || call == NULL)
    return tn_err_set(err, TN_E_USAGE, "scope: %s is NULL",
                      call == NULL ? "the function" : "the facade");
  rc = tn_scope__check(options, err);
  if (rc != TN_OK)
    return rc;
  piece.options = *options;
  if (is_whole(&piece))
    return run_whole(&piece, err);
  tn_err_clear(err);
  return run_once(&piece, err);
}

static enum tn_code
run_in(enum tn_scope_mode mode, tn_facade *facade, tn_context *context,
       tn_scope_fn call, void *user, tn_err *err)
{
  struct tn_scope_options options = TN_SCOPE_OPTIONS_INIT;

  options.mode = mode;
  return tn_scope_run(facade, context, &options, call, user, err);
}

enum tn_code
tn_read(tn_facade *facade, tn_context *context, tn_scope_fn call, void *user,
        tn_err *err)
{
  return run_in(TN_SCOPE_READER, facade, context, call, user, err);
}

enum tn_code
tn_write(tn_facade *facade, tn_context *context, tn_scope_fn call, void *user,
         tn_err *err)
{
  return run_in(TN_SCOPE_WRITER, facade, context, call, user, err);
}
