/* Functions in transactions: what is repeated, and what is not. */
#include <tenon/txn.h>

#include "engine_fixture.h"

/* What the function returns, by call; it says so itself. */
struct job {
  unsigned calls;
  bool hides;              /* what its statement fails with */
  bool has_savepoint;      /* the statement runs in a scope inside */
  enum tn_code made_of_it; /* instead of what its statement fails with */
  uint32_t state;          /* of the transaction after a statement that fails */
  unsigned asked;          /* what became of a commit */
  int is_committed;        /* what is answered then */
  enum tn_code answer;
  unsigned lost_answers;
};

static struct job job;
static struct tn_retry policy = TN_RETRY_INIT;
static struct tn_run_options run_options = TN_RUN_OPTIONS_INIT;

static void
init(void)
{
  fixture_init();
  policy.first_ms = TN_RETRY_AT_ONCE;
  policy.max_attempts = 4;
  run_options.retry = &policy;
  open_engine("&max_pool_size=1&max_overflow=0&pool_timeout=1");
}

TestSuite(txn_run, .init = init, .timeout = 60);

static enum tn_code
statement(tn_txn *txn, void *user, tn_err *why)
{
  struct job *mine = user;
  enum tn_code rc = tn_conn_exec(tn_txn_conn(txn), "x", NULL, why);

  if (rc != TN_OK && mine->state != 0)
    script.txn_state = mine->state;
  return rc;
}

static enum tn_code
work(tn_txn *txn, void *user, tn_err *why)
{
  struct job *mine = user;
  enum tn_code rc;

  cr_expect_eq(why->code, 0);
  mine->calls++;
  rc = mine->has_savepoint ? tn_run_in(txn, statement, mine, why)
                           : statement(txn, mine, why);
  if (rc != TN_OK && mine->made_of_it != TN_OK)
    return tn_err_set(why, mine->made_of_it, "made of it");
  return mine->hides ? TN_OK : rc;
}

static enum tn_code
check(tn_conn *asked, void *user, int *ret_is_committed, tn_err *why)
{
  struct job *mine = user;

  cr_expect_not_null(asked);
  mine->asked++;
  script.txn_state = TN_TXN_NONE; /* it went with its session */
  if (mine->asked <= mine->lost_answers) {
    tn_err_set(why, TN_E_LOST, "gone");
    tn_err_verdicts(why, 0, TN_REPLAY_UNKNOWN);
    return TN_E_LOST;
  }
  *ret_is_committed = mine->is_committed;
  return mine->answer == TN_OK ? TN_OK
                               : tn_err_set(why, mine->answer, "not known");
}

static enum tn_code
run(void)
{
  return tn_run(engine, &run_options, work, &job, &err);
}

Test(txn_run, commits_what_returns_well)
{
  cr_expect_eq(run(), TN_OK);
  cr_expect_eq(job.calls, 1);
  cr_expect_eq(calls_of(FAKE_COMMIT), 1);
  cr_expect_eq(calls_of(FAKE_ROLLBACK), 0);
  cr_expect_eq(tn_run(engine, NULL, work, &job, NULL), TN_OK);
  close_engine();
}

Test(txn_run, begins_as_it_is_told)
{
  run_options.txn.isolation = TN_ISOLATION_SERIALIZABLE;
  run_options.txn.access = TN_ACCESS_READ_ONLY;
  cr_expect_eq(run(), TN_OK);
  cr_expect_eq(script.isolation, TN_ISOLATION_SERIALIZABLE);
  cr_expect_eq(script.access, TN_ACCESS_READ_ONLY);
  close_engine();
}

Test(txn_run, runs_the_whole_again_after_a_deadlock)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_EXECUTE, .nth = 1, .category = TN_E_DEADLOCK },
    { .slot = FAKE_COMMIT, .nth = 1, .category = TN_E_SERIALIZATION },
    { .slot = FAKE_BEGIN, .nth = 3, .category = TN_E_BUSY },
  };

  SCRIPT_ANSWERS(answers);
  job.state = TN_TXN_ABORTED;
  cr_expect_eq(run(), TN_OK, "%s", err.message);
  cr_expect_eq(job.calls, 3);
  cr_expect_eq(calls_of(FAKE_BEGIN), 4);
  cr_expect_eq(calls_of(FAKE_ROLLBACK), 2);
  cr_expect_eq(calls_of(FAKE_COMMIT), 2);
  cr_expect_eq(err.code, 0);
  close_engine();
}

Test(txn_run, rolls_back_and_fails_with_what_is_for_good)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_EXECUTE, .category = TN_E_DUPLICATE },
  };

  SCRIPT_ANSWERS(answers);
  cr_expect_eq(run(), TN_E_DUPLICATE);
  cr_expect_eq(job.calls, 1);
  cr_expect_eq(calls_of(FAKE_ROLLBACK), 1);
  cr_expect_eq(calls_of(FAKE_COMMIT), 0);
  close_engine();
}

Test(txn_run, fails_with_the_last_error_of_what_had_no_effect)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_EXECUTE, .category = TN_E_DEADLOCK },
  };

  SCRIPT_ANSWERS(answers);
  cr_expect_eq(run(), TN_E_DEADLOCK);
  cr_expect_eq(job.calls, 4);
  cr_expect_eq(err.connection, TN_CONNECTION_USABLE);
  cr_expect_eq(err.replay, TN_REPLAY_SAFE);
  close_engine();
}

Test(txn_run, a_deadlock_that_was_caught_is_not_committed)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_EXECUTE, .nth = 1, .category = TN_E_DEADLOCK },
  };

  SCRIPT_ANSWERS(answers);
  job.hides = true;
  job.state = TN_TXN_ABORTED;
  cr_expect_eq(run(), TN_OK);
  cr_expect_eq(job.calls, 2);
  cr_expect_eq(calls_of(FAKE_COMMIT), 1);
  close_engine();
}

Test(txn_run, what_a_function_makes_of_a_deadlock_does_not_hide_it)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_EXECUTE, .nth = 1, .category = TN_E_DEADLOCK },
  };

  SCRIPT_ANSWERS(answers);
  job.made_of_it = TN_E_OTHER;
  job.state = TN_TXN_ABORTED;
  cr_expect_eq(run(), TN_OK, "%s", err.message);
  cr_expect_eq(job.calls, 2);
  close_engine();
}

Test(txn_run, what_a_function_makes_of_an_error_for_good_is_its_own)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_EXECUTE,
      .category = TN_E_DUPLICATE,
      .connection = TN_CONNECTION_ABORTED },
  };

  SCRIPT_ANSWERS(answers);
  job.made_of_it = TN_E_CONFLICT;
  cr_expect_eq(run(), TN_E_CONFLICT);
  cr_expect_eq(job.calls, 1);
  close_engine();
}

Test(txn_run, an_error_that_was_caught_and_aborted_all_is_what_it_fails_with)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_EXECUTE,
      .category = TN_E_DUPLICATE,
      .connection = TN_CONNECTION_ABORTED },
  };

  SCRIPT_ANSWERS(answers);
  job.hides = true;
  cr_expect_eq(run(), TN_E_DUPLICATE);
  cr_expect_eq(job.calls, 1);
  cr_expect_eq(calls_of(FAKE_COMMIT), 0);
  close_engine();
}

Test(txn_run, a_deadlock_behind_a_lost_savepoint_is_run_again_as_a_whole)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_EXECUTE, .nth = 1, .category = TN_E_DEADLOCK },
    { .slot = FAKE_ROLLBACK_SAVEPOINT,
      .category = TN_E_NO_FUNCTION,
      .native = 1305 },
  };

  SCRIPT_ANSWERS(answers);
  job.has_savepoint = true;
  job.state = TN_TXN_ABORTED;
  cr_expect_eq(run(), TN_OK, "%s", err.message);
  cr_expect_eq(job.calls, 2);
  cr_expect_eq(calls_of(FAKE_BEGIN), 2);
  cr_expect_eq(calls_of(FAKE_SAVEPOINT), 2);
  close_engine();
}

/* ---- ended within ---- */

/* How a transaction ends in the midst of what runs in it. */
enum end { BY_STATEMENT, BY_CALL, BY_SCOPE };

static struct {
  unsigned calls;
  enum end end;
  enum tn_code returns;
} torn;

/* What it returns could be run again, if it were not for that. */
static enum tn_code
tear(tn_txn *txn, void *user, tn_err *why)
{
  tn_conn *on = tn_txn_conn(txn);
  enum tn_code rc;

  (void)user;
  torn.calls++;
  rc = tn_conn_exec(on, "UPDATE", NULL, why);
  if (rc != TN_OK)
    return rc;
  if (torn.end == BY_STATEMENT) {
    script.txn_state = TN_TXN_NONE;
    rc = tn_conn_exec(on, "CREATE TABLE t", NULL, why);
  } else {
    rc =
        torn.end == BY_CALL ? tn_conn_commit(on, why) : tn_txn_commit(txn, why);
  }
  cr_expect_eq(rc, TN_OK, "%s", why->message);
  if (torn.returns == TN_OK)
    return TN_OK;
  tn_err_set(why, torn.returns, "from elsewhere");
  tn_err_verdicts(why, 0, TN_REPLAY_SAFE);
  return torn.returns;
}

Test(txn_run, what_was_ended_within_is_never_run_again)
{
  static const enum tn_code codes[] = { TN_E_DEADLOCK, TN_E_LOST, TN_OK };

  for (int end = BY_STATEMENT; end <= BY_SCOPE; end++)
    for (size_t i = 0; i < TN_COUNT(codes); i++) {
      torn.calls = 0;
      torn.end = (enum end)end;
      torn.returns = codes[i];
      cr_expect_eq(tn_run(engine, &run_options, tear, NULL, &err),
                   codes[i] != TN_OK ? codes[i] : TN_E_STATE, "end %d: %s", end,
                   err.message);
      cr_expect_eq(torn.calls, 1, "end %d, case %zu: %u calls", end, i,
                   torn.calls);
      cr_expect_eq(err.replay, TN_REPLAY_NEVER, "end %d, case %zu", end, i);
      cr_expect_not_null(strstr(err.detail, "a part of it may be committed"),
                         "end %d, case %zu: %s", end, i, err.detail);
    }
  close_engine();
}

static enum tn_code
fail_at_ddl(tn_txn *txn, void *user, tn_err *why)
{
  enum tn_code rc = tn_conn_exec(tn_txn_conn(txn), "ALTER", NULL, why);

  (void)user;
  torn.calls++;
  if (torn.returns == TN_OK)
    return rc;
  tn_err_set(why, torn.returns, "from elsewhere");
  tn_err_verdicts(why, 0, TN_REPLAY_SAFE);
  return torn.returns;
}

Test(txn_run, of_which_nobody_knows_what_was_committed_is_never_run_again)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_EXECUTE,
      .category = TN_E_LOCK_TIMEOUT,
      .connection = TN_CONNECTION_ABORTED,
      .replay = TN_REPLAY_UNKNOWN },
  };
  static const enum tn_code codes[] = { TN_OK, TN_E_BUSY };

  SCRIPT_ANSWERS(answers);
  for (size_t i = 0; i < TN_COUNT(codes); i++) {
    torn.calls = 0;
    torn.returns = codes[i];
    cr_expect_eq(tn_run(engine, &run_options, fail_at_ddl, NULL, &err),
                 codes[i] == TN_OK ? TN_E_LOCK_TIMEOUT : codes[i]);
    cr_expect_eq(torn.calls, 1, "case %zu: %u calls", i, torn.calls);
    cr_expect_not_null(strstr(err.detail, "a part of it may be committed"),
                       "case %zu: %s", i, err.detail);
  }
  close_engine();
}

Test(txn_run, the_part_inside_is_never_repeated_by_itself)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_EXECUTE, .category = TN_E_LOCK_TIMEOUT },
  };

  SCRIPT_ANSWERS(answers);
  job.has_savepoint = true;
  job.hides = true;
  cr_expect_eq(run(), TN_OK);
  cr_expect_eq(calls_of(FAKE_EXECUTE), 1);
  cr_expect_eq(calls_of(FAKE_ROLLBACK_SAVEPOINT), 1);
  cr_expect_eq(calls_of(FAKE_COMMIT), 1);
  close_engine();
}

Test(txn_run, a_connection_that_was_lost_is_another_one_then)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_EXECUTE, .nth = 1, .category = TN_E_LOST },
    { .slot = FAKE_CONNECT, .nth = 2, .category = TN_E_CONNECT },
  };

  SCRIPT_ANSWERS(answers);
  policy.max_attempts = TN_RETRY_FOREVER;
  job.state = TN_TXN_NONE; /* it went with its session */
  cr_expect_eq(run(), TN_OK, "%s", err.message);
  cr_expect_eq(job.calls, 2);
  close_engine();
}

/* ---- a commit whose answer is lost ---- */

static const struct fake_answer lost_commit[] = {
  { .slot = FAKE_COMMIT, .nth = 1, .category = TN_E_LOST, .message = "gone" },
};

Test(txn_run, an_uncertain_commit_is_not_repeated)
{
  SCRIPT_ANSWERS(lost_commit);
  cr_expect_eq(run(), TN_E_UNCERTAIN);
  cr_expect_eq(job.calls, 1);
  cr_expect_eq(err.replay, TN_REPLAY_UNKNOWN);
  close_engine();
}

Test(txn_run, a_commit_that_took_effect_is_a_success)
{
  SCRIPT_ANSWERS(lost_commit);
  run_options.check = check;
  job.is_committed = 1;
  cr_expect_eq(run(), TN_OK);
  cr_expect_eq(err.code, 0);
  cr_expect_eq(job.calls, 1);
  cr_expect_eq(job.asked, 1);
  close_engine();
}

Test(txn_run, a_commit_that_did_not_is_run_again)
{
  SCRIPT_ANSWERS(lost_commit);
  run_options.check = check;
  cr_expect_eq(run(), TN_OK, "%s", err.message);
  cr_expect_eq(job.calls, 2);
  cr_expect_eq(job.asked, 1);
  close_engine();
}

/* It says so of another transaction than the one that asking is about. */
Test(txn_run, what_is_uncertain_in_a_function_is_not_run_again)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_EXECUTE, .category = TN_E_CONFLICT },
  };

  SCRIPT_ANSWERS(answers);
  run_options.check = check;
  job.made_of_it = TN_E_UNCERTAIN;
  cr_expect_eq(run(), TN_E_UNCERTAIN);
  cr_expect_eq(err.replay, TN_REPLAY_UNKNOWN);
  cr_expect_eq(job.calls, 1);
  cr_expect_eq(job.asked, 0);
  close_engine();
}

Test(txn_run, a_question_whose_answer_is_lost_is_asked_again)
{
  SCRIPT_ANSWERS(lost_commit);
  run_options.check = check;
  job.is_committed = 1;
  job.lost_answers = 2;
  cr_expect_eq(run(), TN_OK, "%s", err.message);
  cr_expect_eq(job.asked, 3);
  cr_expect_eq(job.calls, 1);
  close_engine();
}

Test(txn_run, a_commit_of_which_nobody_knows_stays_uncertain)
{
  SCRIPT_ANSWERS(lost_commit);
  run_options.check = check;
  job.answer = TN_E_NO_TABLE;
  cr_expect_eq(run(), TN_E_UNCERTAIN);
  cr_expect_eq(job.calls, 1);
  cr_expect_not_null(strstr(err.detail, "not known"), "%s", err.detail);
  close_engine();
}

/* ---- the server's own word ---- */

/* With the capability and each session's own transaction. */
static void
open_resolvable(uint64_t caps)
{
  close_engine();
  plugin.caps |= caps;
  script.has_txn_each = 1;
  script.has_trace = 1;
  script.outcome = TN_OUTCOME_COMMITTED;
  run_options.txn.flags = TN_BEGIN_RESOLVABLE;
  open_engine("&max_pool_size=1&max_overflow=0&pool_timeout=1");
}

Test(txn_run, the_server_is_asked_first)
{
  open_resolvable(TN_CAP_OUTCOME);
  SCRIPT_ANSWERS(lost_commit);
  run_options.check = check;
  cr_expect_eq(run(), TN_OK, "%s", err.message);
  cr_expect_eq(job.calls, 1);
  cr_expect_eq(job.asked, 0);
  cr_expect_eq(calls_of(FAKE_OUTCOME), 1);
  cr_expect_str_eq(script.asked, "fake-1");
  cr_expect_eq(script.begin_flags, TN_BEGIN_RESOLVABLE);
  close_engine();
}

Test(txn_run, what_the_server_has_rolled_back_is_run_again)
{
  open_resolvable(TN_CAP_OUTCOME);
  SCRIPT_ANSWERS(lost_commit);
  script.outcome = TN_OUTCOME_ROLLED_BACK;
  cr_expect_eq(run(), TN_OK, "%s", err.message);
  cr_expect_eq(job.calls, 2);
  cr_expect_eq(calls_of(FAKE_OUTCOME), 1);
  cr_expect_eq(calls_of(FAKE_IDENTIFY), 2, "each begin has a number");
  close_engine();
}

Test(txn_run, what_the_server_cannot_tell_the_function_is_asked)
{
  open_resolvable(TN_CAP_OUTCOME);
  SCRIPT_ANSWERS(lost_commit);
  script.outcome = TN_OUTCOME_UNKNOWN;
  run_options.check = check;
  job.is_committed = 1;
  cr_expect_eq(run(), TN_OK, "%s", err.message);
  cr_expect_eq(job.calls, 1);
  cr_expect_eq(job.asked, 1);
  cr_expect_eq(calls_of(FAKE_OUTCOME), 1, "it is not asked again");
  close_engine();
}

Test(txn_run, what_nobody_can_tell_stays_uncertain)
{
  open_resolvable(TN_CAP_OUTCOME);
  SCRIPT_ANSWERS(lost_commit);
  script.outcome = 77;
  cr_expect_eq(run(), TN_E_UNCERTAIN);
  cr_expect_eq(job.calls, 1);
  cr_expect_eq(err.replay, TN_REPLAY_UNKNOWN);
  cr_expect_not_null(strstr(err.detail, "cannot tell"), "%s", err.detail);
  close_engine();
}

Test(txn_run, a_server_that_is_lost_while_it_is_asked_is_asked_again)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_COMMIT, .nth = 1, .category = TN_E_LOST },
    { .slot = FAKE_OUTCOME, .nth = 1, .category = TN_E_LOST },
  };

  open_resolvable(TN_CAP_OUTCOME);
  SCRIPT_ANSWERS(answers);
  cr_expect_eq(run(), TN_OK, "%s", err.message);
  cr_expect_eq(job.calls, 1);
  cr_expect_eq(calls_of(FAKE_OUTCOME), 2);
  close_engine();
}

Test(txn_run, where_no_server_can_tell_it_is_refused_without_a_function)
{
  open_resolvable(0);
  cr_expect_eq(run(), TN_E_UNSUPPORTED);
  cr_expect_eq(job.calls, 0);
  cr_expect_eq(calls_of(FAKE_BEGIN), 0);
  close_engine();
}

Test(txn_run, where_no_server_can_tell_the_function_is_enough)
{
  struct tn_pool_stats stats = { .struct_size = sizeof stats };

  open_resolvable(0);
  SCRIPT_ANSWERS(lost_commit);
  run_options.check = check;
  job.is_committed = 1;
  cr_expect_eq(run(), TN_OK, "%s", err.message);
  cr_expect_eq(job.asked, 1);
  cr_expect_eq(script.begin_flags, 0);
  cr_expect_eq(calls_of(FAKE_OUTCOME), 0);
  tn_pool_stats(tn_engine_pool(engine), &stats);
  cr_expect_eq(stats.takes, 2, "one for the run, one for the question");
  close_engine();
}

Test(txn_run, a_number_that_cannot_be_had_is_no_begin)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_IDENTIFY, .nth = 1, .category = TN_E_DEADLOCK },
  };

  open_resolvable(TN_CAP_OUTCOME);
  SCRIPT_ANSWERS(answers);
  cr_expect_eq(run(), TN_OK, "%s", err.message);
  cr_expect_eq(job.calls, 1);
  cr_expect_eq(calls_of(FAKE_BEGIN), 2);
  cr_expect_eq(calls_of(FAKE_ROLLBACK), 1);
  close_engine();
}

/* Of the policy. The statement knows no other, nor does the commit. */
static void
expect_end_in_time(enum fake_slot slot, unsigned commits)
{
  const struct fake_answer answers[] = { { .slot = slot, .wait_ms = 60000 } };
  int64_t start = tn_clock_now();

  SCRIPT_ANSWERS(answers);
  policy.total_ms = 200;
  cr_expect_eq(run(), TN_E_TIMEOUT, "%s", err.message);
  cr_expect_lt(tn_clock_now() - start, INT64_C(30000000000));
  cr_expect_eq(job.calls, 1);
  cr_expect_eq(calls_of(FAKE_COMMIT), commits);
  close_engine();
}

Test(txn_run, what_it_runs_ends_when_its_time_does)
{
  expect_end_in_time(FAKE_EXECUTE, 0);
}

Test(txn_run, its_commit_ends_when_its_time_does)
{
  expect_end_in_time(FAKE_COMMIT, 1);
}

Test(txn_run, once_its_time_is_over_no_commit_is_sent)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_EXECUTE, .wait_ms = 1100 },
  };

  SCRIPT_ANSWERS(answers);
  policy.total_ms = 1000;
  policy.categories = TN_RETRY_ON(TN_E_TIMEOUT);
  cr_expect_eq(run(), TN_E_TIMEOUT, "%s", err.message);
  cr_expect_eq(calls_of(FAKE_COMMIT), 0);
  cr_expect_eq(calls_of(FAKE_ROLLBACK), 1, "in a time of its own");
  cr_expect_eq(err.replay, TN_REPLAY_SAFE);
  close_engine();
}

Test(txn_run, it_has_no_more_time_than_its_connection_gives)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_COMMIT, .wait_ms = 3600000 },
  };

  close_engine();
  open_engine("&max_pool_size=1&query_timeout=1");
  SCRIPT_ANSWERS(answers);
  policy.total_ms = 3600000;
  policy.max_attempts = 1;
  cr_expect_eq(run(), TN_E_TIMEOUT, "%s", err.message);
  close_engine();
}

Test(txn_run, its_time_is_not_that_of_the_next_loan)
{
  const struct fake_answer answers[] = {
    { .slot = FAKE_EXECUTE, .nth = 2, .wait_ms = 2200 }
  };
  TN_CLEANUP(tn_pool_give) tn_conn *next = NULL;

  SCRIPT_ANSWERS(answers);
  policy.total_ms = 2000;
  cr_expect_eq(run(), TN_OK, "%s", err.message);
  cr_expect_eq(tn_engine_take(engine, NULL, &next, &err), TN_OK);
  cr_expect_eq(tn_conn_exec(next, "x", NULL, &err), TN_OK, "%s", err.message);
  tn_pool_give(&next);
  close_engine();
}

Test(txn_run, what_it_runs_is_not_prepared)
{
  run_options.txn.global_id = "g";
  cr_expect_eq(run(), TN_E_USAGE);
  cr_expect_eq(job.calls, 0);
  close_engine();
}

Test(txn_run, out_of_memory_never_lets_it_commit_twice)
{
  long nth;

  open_resolvable(TN_CAP_OUTCOME);
  SCRIPT_ANSWERS(lost_commit);
  policy.max_attempts = 1;
  for (nth = 1;; nth++) {
    enum tn_code rc;

    script.calls[FAKE_COMMIT] = 0;
    oom_fail_nth(nth, false);
    rc = run();
    cr_assert(rc == TN_OK || rc == TN_E_MEMORY || rc == TN_E_UNCERTAIN,
              "allocation %ld: %s", nth, tn_code_name(rc));
    cr_assert_leq(calls_of(FAKE_COMMIT), 1, "allocation %ld", nth);
    if (oom_count() < nth)
      break;
  }
  oom_reset();
  cr_expect_gt(nth, 4);
  close_engine();
}

/* ---- a transaction of its own ---- */

static enum tn_code
nest(tn_txn *txn, void *user, tn_err *why)
{
  (void)txn;
  return tn_run(user, &run_options, work, &job, why);
}

Test(txn_run, a_run_inside_another_is_a_transaction_of_its_own)
{
  policy.max_attempts = 1;
  cr_expect_eq(tn_run(engine, &run_options, nest, engine, &err), TN_E_TIMEOUT,
               "there is one connection");
  cr_expect_eq(job.calls, 0);
  close_engine();
}

Test(txn_run, refuses_what_is_null)
{
  cr_expect_eq(tn_run(NULL, NULL, work, &job, NULL), TN_E_USAGE);
  cr_expect_eq(tn_run(engine, NULL, NULL, &job, &err), TN_E_USAGE);
  cr_expect_str_eq(err.message, "run: the function is NULL");
  cr_expect_eq(tn_run_in(NULL, work, &job, &err), TN_E_USAGE);
  cr_expect_str_eq(err.message, "run: the outer transaction is NULL");
  close_engine();
}

Test(txn_run, refuses_options_that_were_not_begun)
{
  run_options.struct_size = 0;
  cr_expect_eq(run(), TN_E_USAGE);
  run_options.struct_size = sizeof run_options;
  policy.struct_size = 0;
  cr_expect_eq(run(), TN_E_USAGE);
  cr_expect_eq(job.calls, 0);
  close_engine();
}
