/* Functions in transactions, from the begin again when that can help. */
#include <tenon/txn.h>

#include "base_priv.h"
#include "db_priv.h"
#include "session_priv.h"

/* ---- once ---- */

/* Is what a function says no more than that its transaction was gone? */
static bool
is_consequence(enum tn_code rc, const tn_err *err, const tn_err *cause)
{
  return rc == TN_OK || rc == TN_E_STATE || rc == TN_E_LOST ||
         err->connection >= TN_CONNECTION_ABORTED ||
         cause->replay == TN_REPLAY_SAFE ||
         cause->replay == TN_REPLAY_TRANSACTION;
}

/* A part of what was run may be there to stay, whatever it has failed with. */
static enum tn_code
fail_torn(enum tn_code rc, tn_err *err)
{
  if (rc == TN_OK)
    rc = tn_err_set(err, TN_E_STATE,
                    "transaction: it was over when the function that ran in it "
                    "returned");
  tn_err_verdicts(err, 0, TN_REPLAY_NEVER);
  tn_err_add(err, TN_ERR_DETAIL,
             "the transaction had been ended within, so a part of it may be "
             "committed; it is not run again");
  return rc;
}

/* A function may have caught the error that the server destroyed the
 * transaction for, and another one hides it: a lost savepoint, say. */
enum tn_code
tn_run__judge(const tn_txn *txn, enum tn_code rc, tn_err *err)
{
  const tn_err *cause = txn != NULL ? tn_txn_cause(txn) : NULL;

  if (rc != TN_OK && err->code == 0)
    rc = tn_err_set(err, rc, "transaction: the function that ran in it failed");
  if (cause != NULL && is_consequence(rc, err, cause)) {
    *err = *cause;
    rc = (enum tn_code)cause->code;
  }
  return txn != NULL && tn_txn__is_torn(txn) ? fail_torn(rc, err) : rc;
}

static enum tn_code
call_once(tn_txn *txn, tn_run_fn call, void *user, tn_err *err)
{
  return tn_run__judge(txn, call(txn, user, err), err);
}

enum tn_code
tn_run_in(tn_txn *outer, tn_run_fn call, void *user, tn_err *err)
{
  TN_CLEANUP(tn_txn_end) tn_txn *txn = NULL;
  tn_err own = TN_ERR_INIT;
  enum tn_code rc;

  if (outer == NULL || call == NULL)
    return tn_err_set(err, TN_E_USAGE, "run: %s is NULL",
                      call == NULL ? "the function" : "the outer transaction");
  if (err == NULL)
    err = &own;
  tn_err_clear(err);
  rc = tn_txn_nest(outer, &txn, err);
  if (rc == TN_OK)
    rc = call_once(txn, call, user, err);
  if (rc == TN_OK)
    rc = tn_txn_commit(txn, err);
  return rc;
}

/* ---- what became of it ---- */

struct question {
  tn_engine *engine;
  tn_txn_check_fn check;
  void *user;
  int is_committed;
};

/* tn_retry_fn */
static enum tn_code
ask(void *user, tn_err *err)
{
  TN_CLEANUP(tn_pool_give) tn_conn *conn = NULL;
  struct question *question = user;
  enum tn_code rc = tn_engine_take(question->engine, NULL, &conn, err);

  if (rc != TN_OK)
    return rc;
  rc = question->check(conn, question->user, &question->is_committed, err);

  /* Whether the question took effect, with a lock say, does not matter. That
   * the server does not know the answer is another thing. */
  if (rc != TN_OK && rc != TN_E_UNCERTAIN && err->replay == TN_REPLAY_UNKNOWN)
    tn_err_verdicts(err, 0, TN_REPLAY_SAFE);
  return rc;
}

enum tn_code
tn_txn__ask_server(tn_conn *conn, void *id, int *ret_is_committed, tn_err *err)
{
  const struct tn_txn_id *asked = id;

  return tn_conn__outcome(conn, asked->text, ret_is_committed, err);
}

enum tn_code
tn_txn_resolve(tn_engine *engine, const struct tn_retry *retry,
               tn_txn_check_fn check, void *user, int *ret_is_committed,
               tn_err *err)
{
  struct question question = { .engine = engine,
                               .check =
                                   check != NULL ? check : tn_txn__ask_server,
                               .user = user };
  struct tn_retry policy = retry != NULL ? *retry : tn_retry_of_engine(engine);
  enum tn_code rc;

  /* The connection was lost a moment ago. To ask again does no harm. */
  if (policy.categories != 0)
    policy.categories |= TN_RETRY_ON_LOST;
  rc = tn_retry_call(&policy, ask, &question, err);
  if (rc == TN_OK)
    *ret_is_committed = question.is_committed;
  return rc;
}

enum tn_code
tn_run__resolve(tn_engine *engine, const struct tn_run_options *options,
                void *user, struct tn_txn_id *id, tn_err *err)
{
  int is_committed = 0;
  tn_err own = TN_ERR_INIT;
  enum tn_code rc = TN_E_UNCERTAIN;

  if (id->text[0] != '\0')
    rc = tn_txn_resolve(engine, options->retry, NULL, id, &is_committed, &own);
  if (rc != TN_OK && options->check != NULL)
    rc = tn_txn_resolve(engine, options->retry, options->check, user,
                        &is_committed, &own);
  if (rc != TN_OK) {
    tn_err_add(err, TN_ERR_DETAIL, own.message);
    return TN_E_UNCERTAIN;
  }
  if (is_committed != 0) {
    tn_err_clear(err);
    return TN_OK;
  }
  err->code = TN_E_LOST;
  tn_err_verdicts(err, 0, TN_REPLAY_TRANSACTION);
  return TN_E_LOST;
}

/* ---- again and again ---- */

void
tn_run__spare_server(const tn_conn *conn, tn_txn_check_fn check,
                     struct tn_txn_options *txn)
{
  if (check != NULL && (tn_conn_caps(conn) & TN_CAP_OUTCOME) == 0)
    txn->flags &= ~TN_BEGIN_RESOLVABLE;
}

/* What is run ends, with its commit, when the policy's time does. */
static enum tn_code
attempt(tn_engine *engine, const struct tn_run_options *options,
        const struct tn_retry_run *run, tn_txn **ret, tn_err *err)
{
  const struct tn_loan loan = {
    .label = options->label != NULL ? options->label : "tn_run",
    .deadline = run->deadline != TN_DEADLINE_NONE ? run->deadline : 0,
  };
  struct tn_txn_options txn = options->txn;
  tn_conn *conn = NULL;
  enum tn_code rc = tn_engine_take(engine, &loan, &conn, err);

  if (rc != TN_OK)
    return rc;
  if (loan.deadline != 0)
    tn_conn__limit(conn, loan.deadline);
  tn_run__spare_server(conn, options->check, &txn);
  return tn_txn__begin_loan(conn, &txn, ret, err);
}

void
tn_run__settle(tn_err *err)
{
  if (err->connection == TN_CONNECTION_ABORTED)
    tn_err_verdicts(err, TN_CONNECTION_USABLE, 0);
  if (err->replay == TN_REPLAY_TRANSACTION)
    tn_err_verdicts(err, 0, TN_REPLAY_SAFE);
}

static enum tn_code
check(const tn_engine *engine, const struct tn_run_options *options,
      tn_run_fn call, tn_err *err)
{
  if (engine == NULL || call == NULL)
    return tn_err_set(err, TN_E_USAGE, "run: %s is NULL",
                      call == NULL ? "the function" : "the engine");
  if (options->struct_size != sizeof *options)
    return tn_err_set(err, TN_E_USAGE,
                      "run: begin the options with TN_RUN_OPTIONS_INIT");
  if (options->txn.global_id != NULL)
    return tn_err_set(err, TN_E_USAGE,
                      "run: what it runs is committed; begin by hand what is "
                      "to be prepared");
  return TN_OK;
}

enum tn_code
tn_run(tn_engine *engine, const struct tn_run_options *options, tn_run_fn call,
       void *user, tn_err *err)
{
  static const struct tn_run_options none = TN_RUN_OPTIONS_INIT;
  struct tn_retry of_engine;
  struct tn_retry_run run;
  tn_err own = TN_ERR_INIT;
  enum tn_code rc;

  if (options == NULL)
    options = &none;
  if (err == NULL)
    err = &own;
  rc = check(engine, options, call, err);
  if (rc != TN_OK)
    return rc;
  of_engine = tn_retry_of_engine(engine);
  rc = tn_retry__start(options->retry != NULL ? options->retry : &of_engine,
                       &run, err);
  if (rc != TN_OK)
    return rc;
  tn_err_clear(err);
  do {
    struct tn_txn_id id = { "" };
    tn_txn *txn = NULL;
    bool is_own = false; /* the commit that is uncertain is that of this run */

    rc = attempt(engine, options, &run, &txn, err);
    if (rc == TN_OK && tn_txn_identify(txn, &id, NULL) != TN_OK)
      id.text[0] = '\0';
    if (rc == TN_OK)
      rc = call_once(txn, call, user, err);
    if (rc == TN_OK) {
      rc = tn_txn_commit(txn, err);
      is_own = rc == TN_E_UNCERTAIN;
    }
    tn_txn_end(&txn);
    if (is_own)
      rc = tn_run__resolve(engine, options, user, &id, err);
    if (rc != TN_OK)
      tn_run__settle(err);
  } while (tn_retry__again(&run, &rc, err));
  return rc;
}
