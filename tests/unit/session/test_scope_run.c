/* Functions in scopes: what is repeated, what is not, and what becomes of what
 * was around. */
#include "facade_fixture.h"

static struct tn_retry policy = TN_RETRY_INIT;

static void
init(void)
{
  policy.first_ms = TN_RETRY_AT_ONCE;
  policy.max_attempts = 4;
  open_facade("&db_max_retries=3&db_retry_interval=0");
}

TestSuite(scope_run, .init = init, .fini = close_facade, .timeout = 60);

/* What the functions do, and have seen. */
static struct {
  unsigned outer;
  unsigned inner;
  uint32_t inner_mode;
  uint32_t inner_flags;
  uint32_t state; /* of the transaction after a statement that fails */
  bool hides;     /* the outer one, what the inner has failed with */
  enum tn_code made_of_it;
} job;

static enum tn_code
statement(tn_scope *scope, void *user, tn_err *why)
{
  enum tn_code rc;

  cr_expect_eq(user, &job);
  cr_expect_eq(why->code, 0);
  job.inner++;
  rc = tn_conn_exec(tn_scope_conn(scope), "x", NULL, why);
  if (rc != TN_OK && job.state != 0)
    script.txn_state = job.state;
  return rc;
}

static enum tn_code
nested(tn_scope *scope, void *user, tn_err *why)
{
  struct tn_scope_options how = TN_SCOPE_OPTIONS_INIT;
  enum tn_code rc;

  (void)scope;
  how.mode = job.inner_mode;
  how.flags = job.inner_flags;
  how.retry = &policy;
  job.outer++;
  rc = tn_scope_run(facade, context, &how, statement, user, why);
  if (rc != TN_OK && job.made_of_it != TN_OK)
    return tn_err_set(why, job.made_of_it, "made of it");
  return job.hides ? TN_OK : rc;
}

static enum tn_code
run(uint32_t mode, tn_scope_fn call)
{
  struct tn_scope_options how = TN_SCOPE_OPTIONS_INIT;

  how.mode = mode;
  how.retry = &policy;
  return tn_scope_run(facade, context, &how, call, &job, &err);
}

static enum tn_code
run_nested(uint32_t flags)
{
  job.inner_mode = TN_SCOPE_WRITER;
  job.inner_flags = flags;
  return run(TN_SCOPE_WRITER, nested);
}

static const struct fake_answer deadlock[] = {
  { .slot = FAKE_EXECUTE,
    .nth = 1,
    .category = TN_E_DEADLOCK,
    .connection = TN_CONNECTION_ABORTED },
};

static const struct fake_answer lock_timeout[] = {
  { .slot = FAKE_EXECUTE, .nth = 1, .category = TN_E_LOCK_TIMEOUT },
};

static const struct fake_answer duplicate[] = {
  { .slot = FAKE_EXECUTE, .nth = 1, .category = TN_E_DUPLICATE },
};

Test(scope_run, reads_and_writes)
{
  cr_expect_eq(tn_write(facade, context, statement, &job, &err), TN_OK, "%s",
               err.message);
  cr_expect_eq(calls_of(FAKE_COMMIT), 1);
  cr_expect_eq(tn_read(facade, NULL, statement, &job, &err), TN_OK);
  cr_expect_eq(calls_of(FAKE_COMMIT), 1);
  cr_expect_eq(calls_of(FAKE_ROLLBACK), 1);
  cr_expect_null(tn_context_scope(context));
}

Test(scope_run, repeats_what_is_outermost)
{
  SCRIPT_ANSWERS(deadlock);
  job.state = TN_TXN_NONE;
  cr_expect_eq(tn_write(facade, context, statement, &job, &err), TN_OK, "%s",
               err.message);
  cr_expect_eq(job.inner, 2);
  cr_expect_eq(calls_of(FAKE_BEGIN), 2);
  cr_expect_eq(calls_of(FAKE_COMMIT), 1);
  cr_expect_eq(err.code, 0);
}

Test(scope_run, repeats_readers_too)
{
  SCRIPT_ANSWERS(deadlock);
  job.state = TN_TXN_NONE;
  cr_expect_eq(tn_read(facade, context, statement, &job, &err), TN_OK);
  cr_expect_eq(job.inner, 2);
  cr_expect_eq(calls_of(FAKE_COMMIT), 0);
}

Test(scope_run, does_not_repeat_what_would_fail_again)
{
  SCRIPT_ANSWERS(duplicate);
  cr_expect_eq(run(TN_SCOPE_WRITER, statement), TN_E_DUPLICATE);
  cr_expect_eq(job.inner, 1);
  cr_expect_eq(calls_of(FAKE_ROLLBACK), 1);
  cr_expect_eq(calls_of(FAKE_COMMIT), 0);
}

/* oslo.db's decorator inside of a transaction repeats the inner part alone, and
 * what was done before it is lost without a word. */
Test(scope_run, never_repeats_an_inner_part_alone)
{
  SCRIPT_ANSWERS(deadlock);
  job.state = TN_TXN_NONE;
  cr_expect_eq(run_nested(0), TN_OK, "%s", err.message);
  cr_expect_eq(job.outer, 2);
  cr_expect_eq(job.inner, 2);
  cr_expect_eq(calls_of(FAKE_BEGIN), 2);
  cr_expect_eq(calls_of(FAKE_COMMIT), 1);
}

/* The outer function catches it and goes on as if nothing were. */
Test(scope_run, what_was_hidden_is_found)
{
  SCRIPT_ANSWERS(deadlock);
  job.state = TN_TXN_NONE;
  job.hides = true;
  cr_expect_eq(run_nested(0), TN_OK, "%s", err.message);
  cr_expect_eq(job.outer, 2);
  cr_expect_eq(calls_of(FAKE_COMMIT), 1);
}

Test(scope_run, a_deadlock_behind_a_savepoint_is_found)
{
  SCRIPT_ANSWERS(deadlock);
  job.state = TN_TXN_NONE;
  job.made_of_it = TN_E_STATE;
  cr_expect_eq(run_nested(TN_SCOPE_SAVEPOINT), TN_OK, "%s", err.message);
  cr_expect_eq(job.outer, 2);
  cr_expect_eq(calls_of(FAKE_COMMIT), 1);
}

/* A statement that failed by itself leaves the transaction as it is; half of
 * the inner part's work is in it. */
Test(scope_run, half_of_an_inner_part_is_never_committed)
{
  SCRIPT_ANSWERS(duplicate);
  job.hides = true;
  cr_expect_eq(run_nested(0), TN_E_STATE);
  cr_expect_eq(job.outer, 1);
  cr_expect_eq(calls_of(FAKE_COMMIT), 0);
  cr_expect_eq(calls_of(FAKE_ROLLBACK), 1);
  cr_expect_neq(strstr(err.message, "left without a commit"), NULL, "%s",
                err.message);
  cr_expect_neq(err.detail[0], '\0', "why is told");
}

Test(scope_run, what_can_be_run_again_is)
{
  SCRIPT_ANSWERS(lock_timeout);
  job.hides = true;
  cr_expect_eq(run_nested(0), TN_OK, "%s", err.message);
  cr_expect_eq(job.outer, 2);
  cr_expect_eq(calls_of(FAKE_COMMIT), 1);
}

Test(scope_run, a_savepoint_may_fail_alone)
{
  SCRIPT_ANSWERS(duplicate);
  job.hides = true;
  cr_expect_eq(run_nested(TN_SCOPE_SAVEPOINT), TN_OK, "%s", err.message);
  cr_expect_eq(job.outer, 1);
  cr_expect_eq(job.inner, 1);
  cr_expect_eq(calls_of(FAKE_ROLLBACK_SAVEPOINT), 1);
  cr_expect_eq(calls_of(FAKE_COMMIT), 1);
}

Test(scope_run, an_independent_part_is_repeated_by_itself)
{
  script.has_txn_each = 1;
  SCRIPT_ANSWERS(lock_timeout);
  cr_expect_eq(run_nested(TN_SCOPE_INDEPENDENT), TN_OK, "%s", err.message);
  cr_expect_eq(job.outer, 1);
  cr_expect_eq(job.inner, 2);
  cr_expect_eq(calls_of(FAKE_COMMIT), 2);
}

/* Whether it is outermost or has joined. */
static enum tn_code
tear(tn_scope *scope, void *user, tn_err *why)
{
  (void)user;
  job.inner++;
  script.txn_state = TN_TXN_NONE;
  cr_expect_eq(tn_conn_exec(tn_scope_conn(scope), "CREATE TABLE t", NULL, why),
               TN_OK);
  return tn_err_set(why, TN_E_DEADLOCK, "from elsewhere");
}

static enum tn_code
tear_inside(tn_scope *scope, void *user, tn_err *why)
{
  (void)scope;
  job.outer++;
  return tn_write(facade, context, tear, user, why);
}

static enum tn_code
commit_early(tn_scope *scope, void *user, tn_err *why)
{
  (void)user;
  job.inner++;
  cr_expect_eq(tn_scope_commit(scope, why), TN_OK);
  return tn_err_set(why, TN_E_DEADLOCK, "from elsewhere");
}

Test(scope_run, what_was_ended_within_is_never_run_again)
{
  static const tn_scope_fn calls[] = { tear, tear_inside, commit_early };

  for (size_t i = 0; i < TN_COUNT(calls); i++) {
    job.inner = 0;
    cr_expect_eq(run(TN_SCOPE_WRITER, calls[i]), TN_E_DEADLOCK);
    cr_expect_eq(job.inner, 1, "case %zu: %u calls", i, job.inner);
    cr_expect_eq(err.replay, TN_REPLAY_NEVER);
    cr_expect_not_null(strstr(err.detail, "a part of it may be committed"),
                       "case %zu: %s", i, err.detail);
  }
}

Test(scope_run, a_bare_connection_is_never_run_again)
{
  struct tn_scope_options how = TN_SCOPE_OPTIONS_INIT;

  SCRIPT_ANSWERS(lock_timeout);
  how.mode = TN_SCOPE_WRITER;
  how.flags = TN_SCOPE_CONNECTION;
  how.retry = &policy;
  cr_expect_eq(tn_scope_run(facade, context, &how, statement, &job, &err),
               TN_E_LOCK_TIMEOUT);
  cr_expect_eq(job.inner, 1);
  cr_expect_eq(calls_of(FAKE_BEGIN), 0);
}

Test(scope_run, a_lost_connection_is_replaced)
{
  static const struct fake_answer lost[] = {
    { .slot = FAKE_EXECUTE,
      .nth = 1,
      .category = TN_E_LOST,
      .connection = TN_CONNECTION_DEAD,
      .replay = TN_REPLAY_TRANSACTION },
  };

  SCRIPT_ANSWERS(lost);
  job.state = TN_TXN_NONE;
  cr_expect_eq(run(TN_SCOPE_WRITER, statement), TN_OK, "%s", err.message);
  cr_expect_eq(job.inner, 2);
  cr_expect_eq(calls_of(FAKE_CONNECT), 2);
}

Test(scope_run, all_ends_when_the_time_of_the_policy_does)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_COMMIT, .wait_ms = 60000 },
  };
  int64_t start = tn_clock_now();

  SCRIPT_ANSWERS(answers);
  policy.total_ms = 200;
  cr_expect_eq(run(TN_SCOPE_WRITER, statement), TN_E_TIMEOUT, "%s",
               err.message);
  cr_expect_lt(tn_clock_now() - start, INT64_C(30000000000));
  cr_expect_eq(calls_of(FAKE_COMMIT), 1);
}

/* ---- a commit whose answer was lost ---- */

static int is_committed;

static enum tn_code
check(tn_conn *asked, void *user, int *ret_is_committed, tn_err *why)
{
  (void)why;
  cr_expect_not_null(asked);
  cr_expect_eq(user, &job);
  *ret_is_committed = is_committed;
  script.txn_state = TN_TXN_NONE;
  return TN_OK;
}

static const struct fake_answer uncertain[] = {
  { .slot = FAKE_COMMIT,
    .nth = 1,
    .category = TN_E_UNCERTAIN,
    .connection = TN_CONNECTION_DEAD,
    .replay = TN_REPLAY_UNKNOWN },
};

static enum tn_code
run_checked(tn_txn_check_fn with)
{
  struct tn_scope_options how = TN_SCOPE_OPTIONS_INIT;

  SCRIPT_ANSWERS(uncertain);
  how.mode = TN_SCOPE_WRITER;
  how.retry = &policy;
  how.check = with;
  return tn_scope_run(facade, context, &how, statement, &job, &err);
}

Test(scope_run, what_is_not_known_is_said)
{
  cr_expect_eq(run_checked(NULL), TN_E_UNCERTAIN);
  cr_expect_eq(job.inner, 1);
}

Test(scope_run, what_was_committed_is_done)
{
  is_committed = 1;
  cr_expect_eq(run_checked(check), TN_OK, "%s", err.message);
  cr_expect_eq(job.inner, 1);
}

/* It says so of another transaction than the one that asking is about. */
static enum tn_code
say_uncertain(tn_scope *scope, void *user, tn_err *why)
{
  (void)scope;
  (void)user;
  job.inner++;
  return tn_err_set(why, TN_E_UNCERTAIN, "of another one");
}

Test(scope_run, what_is_uncertain_in_a_function_is_not_run_again)
{
  struct tn_scope_options how = TN_SCOPE_OPTIONS_INIT;

  how.mode = TN_SCOPE_WRITER;
  how.retry = &policy;
  how.check = check;
  cr_expect_eq(tn_scope_run(facade, context, &how, say_uncertain, &job, &err),
               TN_E_UNCERTAIN);
  cr_expect_eq(err.replay, TN_REPLAY_UNKNOWN);
  cr_expect_eq(job.inner, 1);
}

Test(scope_run, what_was_not_is_run_again)
{
  cr_expect_eq(run_checked(check), TN_OK, "%s", err.message);
  cr_expect_eq(job.inner, 2);
}

/* ---- the server's own word ---- */

static enum tn_code
run_resolvable(uint64_t caps, uint32_t mode, tn_txn_check_fn with)
{
  struct tn_scope_options how = TN_SCOPE_OPTIONS_INIT;

  close_facade();
  facade_caps |= caps;
  open_facade("");
  script.has_txn_each = 1;
  SCRIPT_ANSWERS(uncertain);
  how.mode = mode;
  how.retry = &policy;
  how.check = with;
  how.txn.flags = TN_BEGIN_RESOLVABLE;
  return tn_scope_run(facade, context, &how, statement, &job, &err);
}

Test(scope_run, what_the_server_has_committed_is_done)
{
  script.outcome = TN_OUTCOME_COMMITTED;
  cr_expect_eq(run_resolvable(TN_CAP_OUTCOME, TN_SCOPE_WRITER, NULL), TN_OK,
               "%s", err.message);
  cr_expect_eq(job.inner, 1);
  cr_expect_eq(calls_of(FAKE_OUTCOME), 1);
  cr_expect_str_eq(script.asked, "fake-1");
}

Test(scope_run, what_the_server_has_rolled_back_is_run_again)
{
  script.outcome = TN_OUTCOME_ROLLED_BACK;
  cr_expect_eq(run_resolvable(TN_CAP_OUTCOME, TN_SCOPE_WRITER, NULL), TN_OK,
               "%s", err.message);
  cr_expect_eq(job.inner, 2);
}

Test(scope_run, the_function_is_asked_only_where_the_server_cannot_tell)
{
  is_committed = 1;
  script.outcome = TN_OUTCOME_ROLLED_BACK;
  cr_expect_eq(run_resolvable(TN_CAP_OUTCOME, TN_SCOPE_WRITER, check), TN_OK);
  cr_expect_eq(job.inner, 2, "the server has said no");
  script.calls[FAKE_COMMIT] = 0;
  script.outcome = TN_OUTCOME_UNKNOWN;
  cr_expect_eq(run_resolvable(TN_CAP_OUTCOME, TN_SCOPE_WRITER, check), TN_OK);
  cr_expect_eq(job.inner, 3, "the function has said yes");
}

Test(scope_run, where_no_server_can_tell_the_function_must)
{
  is_committed = 1;
  cr_expect_eq(run_resolvable(0, TN_SCOPE_WRITER, NULL), TN_E_UNSUPPORTED);
  cr_expect_eq(job.inner, 0);
  cr_expect_eq(run_resolvable(0, TN_SCOPE_WRITER, check), TN_OK, "%s",
               err.message);
  cr_expect_eq(job.inner, 1);
  cr_expect_eq(script.begin_flags, 0);
}

Test(scope_run, a_reader_has_no_commit_that_could_be_lost)
{
  cr_expect_eq(run_resolvable(TN_CAP_OUTCOME, TN_SCOPE_READER, NULL),
               TN_E_USAGE);
  cr_expect_eq(job.inner, 0);
}

Test(scope_run, what_it_runs_is_not_prepared)
{
  struct tn_scope_options how = TN_SCOPE_OPTIONS_INIT;

  how.mode = TN_SCOPE_WRITER;
  how.txn.global_id = "g";
  cr_expect_eq(tn_scope_run(facade, context, &how, statement, &job, &err),
               TN_E_USAGE);
  cr_expect_eq(job.inner, 0);
}

Test(scope_run, refuses_bad_options)
{
  struct tn_scope_options how = TN_SCOPE_OPTIONS_INIT;

  cr_expect_eq(tn_scope_run(facade, context, &how, statement, &job, &err),
               TN_E_USAGE);
  cr_expect_eq(tn_scope_run(facade, context, NULL, statement, &job, NULL),
               TN_E_USAGE);
  cr_expect_eq(tn_scope_run(NULL, context, &how, statement, &job, &err),
               TN_E_USAGE);
  cr_expect_eq(tn_scope_run(facade, context, &how, NULL, &job, &err),
               TN_E_USAGE);
  cr_expect_str_eq(err.message, "scope: the function is NULL");
  how.mode = TN_SCOPE_READER;
  policy.struct_size = 1;
  how.retry = &policy;
  cr_expect_eq(tn_scope_run(facade, context, &how, statement, &job, &err),
               TN_E_USAGE);
  cr_expect_eq(job.inner, 0);
}
