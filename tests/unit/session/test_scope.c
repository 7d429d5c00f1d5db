/* Scopes: what joins what, what ends how, and which engine is used. */
#include <tenon/event.h>

#include "facade_fixture.h"

TestSuite(scope, .timeout = 60);

static void
commit(tn_scope **scope)
{
  cr_expect_eq(tn_scope_commit(*scope, &err), TN_OK, "%s", err.message);
  tn_scope_end(scope);
  cr_expect_null(*scope);
}

static void
run_on(tn_scope *scope)
{
  cr_expect_eq(tn_conn_exec(tn_scope_conn(scope), "x", NULL, &err), TN_OK, "%s",
               err.message);
}

/* ---- the mode matrix ---- */

enum outcome { JOINS = 1, REFUSED, NEW };

/* spec: one row a combination of the table in tenon/scope.h. */
static const struct combination {
  uint32_t outer;
  uint32_t outer_flags;
  uint32_t inner;
  uint32_t inner_flags;
  enum outcome outcome;
} combinations[] = {
  { W, 0, W, 0, JOINS },       { W, 0, R, 0, JOINS },
  { W, 0, A, 0, JOINS },       { W, 0, R, ALLOW, JOINS },
  { R, 0, W, 0, REFUSED },     { R, 0, R, 0, JOINS },
  { R, 0, A, 0, JOINS },       { R, 0, R, ALLOW, JOINS },
  { A, 0, W, 0, REFUSED },     { A, 0, R, 0, REFUSED },
  { A, 0, A, 0, JOINS },       { A, 0, R, ALLOW, JOINS },
  { R, ALLOW, W, 0, REFUSED }, { R, ALLOW, R, 0, JOINS },
  { R, ALLOW, A, 0, JOINS },   { R, ALLOW, R, ALLOW, JOINS },
  { W, 0, W, ALONE, NEW },     { W, 0, R, ALONE, NEW },
  { W, 0, A, ALONE, NEW },     { W, 0, R, ALLOW | ALONE, NEW },
  { R, 0, W, ALONE, NEW },     { R, 0, R, ALONE, NEW },
  { R, 0, A, ALONE, NEW },     { R, 0, R, ALLOW | ALONE, NEW },
  { A, 0, W, ALONE, NEW },     { A, 0, R, ALONE, NEW },
  { A, 0, A, ALONE, NEW },     { A, 0, R, ALLOW | ALONE, NEW },
  { R, ALLOW, W, ALONE, NEW }, { R, ALLOW, R, ALONE, NEW },
  { R, ALLOW, A, ALONE, NEW }, { R, ALLOW, R, ALLOW | ALONE, NEW },
};

static void
check_joined(const struct combination *row, tn_scope *outer)
{
  unsigned begins = calls_of(FAKE_BEGIN) + replica_calls(FAKE_BEGIN);
  tn_scope *inner;

  if (row->outcome == REFUSED) {
    cr_expect_eq(try_as(row->inner, row->inner_flags), TN_E_USAGE);
    cr_expect_neq(strstr(err.message, "cannot join"), NULL, "%s", err.message);
    return;
  }
  inner = begin_as(row->inner, row->inner_flags);
  cr_expect_eq(tn_scope_conn(inner) == tn_scope_conn(outer),
               row->outcome == JOINS);
  cr_expect_eq(tn_scope_mode(inner),
               row->outcome == JOINS ? row->outer : row->inner);
  cr_expect_eq(calls_of(FAKE_BEGIN) + replica_calls(FAKE_BEGIN) - begins,
               row->outcome == NEW);
  commit(&inner);
}

Test(scope, joins_by_the_matrix)
{
  script.has_txn_each = 1;
  replica_script.has_txn_each = 1;
  for (int is_synchronous = 0; is_synchronous < 2; is_synchronous++) {
    open_facade(is_synchronous ? "" : "&synchronous_reader=off");
    for (size_t i = 0; i < TN_COUNT(combinations); i++) {
      const struct combination *row = &combinations[i];
      unsigned commits = calls_of(FAKE_COMMIT) + replica_calls(FAKE_COMMIT);
      tn_scope *outer = begin_as(row->outer, row->outer_flags);

      check_joined(row, outer);
      run_on(outer);
      commit(&outer);
      commits = calls_of(FAKE_COMMIT) + replica_calls(FAKE_COMMIT) - commits;
      cr_expect_eq(commits,
                   (row->outer == W) + (row->outcome == NEW && row->inner == W),
                   "row %zu: %u commits", i, commits);
    }
    tn_context_close(&context);
    tn_facade_close(&facade);
  }
  close_facade();
}

/* tn_event_fn */
static enum tn_code
end_inside(struct tn_event *event, void *user)
{
  tn_scope *const *there = user;
  tn_scope *ended = *there;

  if (event->kind == TN_EVENT_AFTER) {
    tn_scope_end(&ended);
    cr_expect_eq(ended, *there);
  }
  return TN_OK;
}

Test(scope, is_not_ended_by_a_listener_that_is_told_of_its_connection)
{
  tn_engine *writer = NULL;
  tn_scope *scope = NULL;

  open_facade("");
  cr_assert_eq(tn_facade_engine(facade, W, &writer, &err), TN_OK);
  cr_assert_eq(
      tn_engine_listen(writer, TN_EVENT_ALL, end_inside, &scope, NULL, &err),
      TN_OK);
  scope = begin_as(W, 0);
  run_on(scope);
  commit(&scope);
  cr_expect_eq(calls_of(FAKE_COMMIT), 1);
  close_facade();
}

Test(scope, one_after_another_are_unrelated)
{
  static const uint32_t modes[] = { R, W, A, R, W };

  open_facade("");
  for (size_t i = 0; i < TN_COUNT(modes); i++)
    cr_expect_eq(try_as(modes[i], 0), TN_OK);
  close_facade();
}

/* ---- what ends how ---- */

Test(scope, a_writer_commits_and_a_reader_rolls_back)
{
  tn_scope *scope;

  open_facade("");
  scope = begin_as(W, 0);
  commit(&scope);
  cr_expect_eq(calls_of(FAKE_COMMIT), 1);
  cr_expect_eq(calls_of(FAKE_ROLLBACK), 0);
  scope = begin_as(R, 0);
  commit(&scope);
  cr_expect_eq(calls_of(FAKE_COMMIT), 1);
  cr_expect_eq(calls_of(FAKE_ROLLBACK), 1);
  scope = begin_as(W, 0);
  tn_scope_end(&scope);
  tn_scope_end(&scope);
  tn_scope_end(NULL);
  cr_expect_eq(calls_of(FAKE_COMMIT), 1);
  cr_expect_eq(calls_of(FAKE_ROLLBACK), 2);
  close_facade();
}

Test(scope, is_over_after_a_commit)
{
  tn_scope *scope;
  tn_scope *inner;

  open_facade("");
  scope = begin_as(W, 0);
  inner = begin_as(W, 0);
  cr_expect_eq(tn_scope_commit(scope, &err), TN_E_STATE, "one inside is open");
  commit(&inner);
  cr_expect_eq(tn_scope_commit(scope, &err), TN_OK);
  cr_expect_eq(tn_scope_commit(scope, &err), TN_E_STATE);
  cr_expect_eq(try_as(W, 0), TN_E_STATE, "it is still there");
  tn_scope_end(&scope);
  cr_expect_eq(try_as(W, 0), TN_OK);
  close_facade();
}

Test(scope, runs_nothing_after_a_commit)
{
  static const uint32_t modes[] = { W, R };
  tn_scope *scope;
  tn_scope *inner;
  size_t i;

  open_facade("");
  for (i = 0; i < TN_COUNT(modes); i++) {
    unsigned executed;

    scope = begin_as(modes[i], 0);
    inner = begin_as(modes[i], TN_SCOPE_SAVEPOINT);
    run_on(inner);
    cr_expect_eq(tn_scope_commit(inner, &err), TN_OK);
    run_on(scope);
    tn_scope_end(&inner);
    cr_expect_eq(tn_scope_commit(scope, &err), TN_OK, "%s", err.message);
    executed = calls_of(FAKE_EXECUTE);
    cr_expect_eq(tn_conn_exec(tn_scope_conn(scope), "x", NULL, &err),
                 TN_E_STATE);
    cr_expect_str_eq(err.message,
                     "transaction: it is over; end its scope first");
    cr_expect_eq(tn_conn_begin(tn_scope_conn(scope), NULL, &err), TN_E_STATE);
    cr_expect_eq(calls_of(FAKE_EXECUTE), executed);
    tn_scope_end(&scope);
    cr_expect_eq(tn_scope_commit(scope = begin_as(W, 0), &err), TN_OK);
    tn_scope_end(&scope);
  }
  close_facade();
}

Test(scope, a_writer_that_joined_and_left_takes_the_outer_with_it)
{
  tn_scope *outer;
  tn_scope *inner;

  open_facade("");
  outer = begin_as(W, 0);
  inner = begin_as(W, 0);
  run_on(inner);
  tn_scope_end(&inner);
  cr_expect_eq(calls_of(FAKE_ROLLBACK), 0);
  run_on(outer);
  cr_expect_eq(tn_scope_commit(outer, &err), TN_E_STATE);
  cr_expect_eq(err.replay, TN_REPLAY_NEVER);
  tn_scope_end(&outer);
  cr_expect_eq(calls_of(FAKE_COMMIT), 0);
  cr_expect_eq(calls_of(FAKE_ROLLBACK), 1);
  close_facade();
}

Test(scope, a_reader_that_joined_may_be_just_left)
{
  tn_scope *outer;
  tn_scope *inner;

  open_facade("");
  outer = begin_as(W, 0);
  inner = begin_as(R, 0);
  tn_scope_end(&inner);
  commit(&outer);
  cr_expect_eq(calls_of(FAKE_COMMIT), 1);
  close_facade();
}

Test(scope, a_savepoint_is_left_alone)
{
  tn_scope *outer;
  tn_scope *inner;
  tn_scope *innermost;

  open_facade("");
  outer = begin_as(W, 0);
  inner = begin_as(W, TN_SCOPE_SAVEPOINT);
  innermost = begin_as(W, 0);
  tn_scope_end(&innermost);
  cr_expect_eq(tn_scope_commit(inner, &err), TN_E_STATE,
               "what has joined it was left");
  tn_scope_end(&inner);
  cr_expect_eq(calls_of(FAKE_ROLLBACK_SAVEPOINT), 1);
  inner = begin_as(W, TN_SCOPE_SAVEPOINT);
  commit(&inner);
  cr_expect_eq(calls_of(FAKE_ROLLBACK_SAVEPOINT), 1);
  commit(&outer);
  cr_expect_eq(calls_of(FAKE_COMMIT), 1);
  close_facade();
}

Test(scope, a_savepoint_outside_is_a_transaction)
{
  tn_scope *scope;

  open_facade("");
  scope = begin_as(W, TN_SCOPE_SAVEPOINT);
  commit(&scope);
  cr_expect_eq(calls_of(FAKE_BEGIN), 1);
  cr_expect_eq(calls_of(FAKE_COMMIT), 1);
  cr_expect_eq(calls_of(FAKE_SAVEPOINT), 0);
  scope = begin_as(R, TN_SCOPE_SAVEPOINT);
  commit(&scope);
  cr_expect_eq(calls_of(FAKE_COMMIT), 1, "a reader's");
  close_facade();
}

/* oslo.db ignores the savepoint of a session in a connection. */
Test(scope, a_savepoint_counts_in_every_mix)
{
  tn_scope *connection;
  tn_scope *writer;
  tn_scope *savepoint;

  open_facade("");
  connection = begin_as(W, TN_SCOPE_CONNECTION);
  cr_expect_eq(calls_of(FAKE_BEGIN), 0);
  writer = begin_as(W, TN_SCOPE_SAVEPOINT);
  cr_expect_eq(calls_of(FAKE_BEGIN), 1);
  cr_expect_eq(tn_scope_conn(writer), tn_scope_conn(connection));
  savepoint = begin_as(W, TN_SCOPE_SAVEPOINT);
  cr_expect_eq(calls_of(FAKE_SAVEPOINT), 1);
  tn_scope_end(&savepoint);
  savepoint = begin_as(W, TN_SCOPE_CONNECTION);
  commit(&savepoint);
  commit(&writer);
  cr_expect_eq(calls_of(FAKE_COMMIT), 1, "it was the outermost transaction");
  commit(&connection);
  cr_expect_eq(calls_of(FAKE_COMMIT), 1);
  cr_expect_eq(calls_of(FAKE_CONNECT), 1);
  close_facade();
}

Test(scope, those_inside_end_with_the_one_around)
{
  tn_scope *connection;
  tn_scope *inner;
  tn_scope *innermost;

  open_facade("");
  connection = begin_as(W, TN_SCOPE_CONNECTION);
  inner = begin_as(W, 0);
  innermost = begin_as(W, TN_SCOPE_SAVEPOINT);
  tn_scope_end(&connection);
  cr_expect_null(tn_scope_conn(inner));
  cr_expect_null(tn_scope_conn(innermost));
  cr_expect_eq(tn_scope_commit(inner, &err), TN_E_STATE);
  tn_scope_end(&inner);
  cr_expect_eq(tn_scope_commit(innermost, &err), TN_E_STATE);
  tn_scope_end(&innermost);
  cr_expect_eq(calls_of(FAKE_COMMIT), 0);
  cr_expect_eq(calls_of(FAKE_ROLLBACK), 1);
  cr_expect_eq(try_as(W, 0), TN_OK);
  close_facade();
}

/* The server has destroyed the transaction, and a function has caught it. */
Test(scope, knows_that_the_server_has_ended_it)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_EXECUTE,
      .nth = 1,
      .category = TN_E_DEADLOCK,
      .connection = TN_CONNECTION_ABORTED },
    { .slot = FAKE_EXECUTE,
      .category = TN_E_STATE,
      .connection = TN_CONNECTION_ABORTED },
  };
  tn_scope *outer;
  tn_scope *inner;

  SCRIPT_ANSWERS(answers);
  open_facade("");
  outer = begin_as(W, 0);
  inner = begin_as(W, 0);
  cr_expect_eq(tn_conn_exec(tn_scope_conn(inner), "x", NULL, &err),
               TN_E_DEADLOCK);
  script.txn_state = TN_TXN_ABORTED;
  cr_expect_eq(tn_scope_commit(inner, &err), TN_E_DEADLOCK);
  tn_scope_end(&inner);
  cr_expect_eq(tn_conn_exec(tn_scope_conn(outer), "x", NULL, &err), TN_E_STATE);
  cr_expect_eq(tn_scope_commit(outer, &err), TN_E_DEADLOCK);
  tn_scope_end(&outer);
  cr_expect_eq(calls_of(FAKE_COMMIT), 0);
  close_facade();
}

/* ---- who finds whom ---- */

Test(scope, without_a_context_nothing_joins)
{
  struct tn_scope_options how = TN_SCOPE_OPTIONS_INIT;
  tn_scope *one = NULL;
  tn_scope *two = NULL;

  script.has_txn_each = 1;
  open_facade("");
  how.mode = W;
  cr_assert_eq(tn_scope_begin(facade, NULL, &how, &one, &err), TN_OK);
  cr_assert_eq(tn_scope_begin(facade, NULL, &how, &two, &err), TN_OK);
  cr_expect_neq(tn_scope_conn(one), tn_scope_conn(two));
  tn_scope_end(&one);
  tn_scope_end(&two);
  close_facade();
}

/* oslo.db looks at the innermost scope only, and begins a second transaction
 * here, which waits for the first one's locks. */
Test(scope, finds_its_facade_behind_another)
{
  tn_facade *first;
  tn_facade *second = NULL;
  tn_scope *outer;
  tn_scope *between;
  tn_scope *inner;

  script.has_txn_each = 1;
  open_facade("");
  first = facade;
  cr_assert_eq(tn_facade_open(&facade_options, &second, &err), TN_OK);
  outer = begin_as(W, 0);
  facade = second;
  between = begin_as(R, 0);
  cr_expect_neq(tn_scope_conn(between), tn_scope_conn(outer));
  cr_expect_eq(tn_context_scope(context), between);
  facade = first;
  inner = begin_as(W, 0);
  cr_expect_eq(tn_scope_conn(inner), tn_scope_conn(outer));
  commit(&inner);
  tn_scope_end(&between);
  cr_expect_eq(tn_context_scope(context), outer);
  commit(&outer);
  cr_expect_null(tn_context_scope(context));
  tn_facade_close(&second);
  close_facade();
}

Test(scope, inside_an_independent_one_is_inside_that)
{
  tn_scope *outer;
  tn_scope *alone;
  tn_scope *inner;

  script.has_txn_each = 1;
  open_facade("");
  outer = begin_as(R, 0);
  alone = begin_as(W, ALONE);
  inner = begin_as(W, 0);
  cr_expect_eq(tn_scope_conn(inner), tn_scope_conn(alone));
  commit(&inner);
  commit(&alone);
  cr_expect_eq(try_as(W, 0), TN_E_USAGE, "the reader is around again");
  tn_scope_end(&outer);
  close_facade();
}

static void *
begin_elsewhere(void *user)
{
  tn_conn **seen = user;
  struct tn_scope_options how = TN_SCOPE_OPTIONS_INIT;
  tn_scope *scope = NULL;
  tn_err why = TN_ERR_INIT;

  how.mode = W;
  if (tn_scope_begin(facade, context, &how, &scope, &why) == TN_OK)
    *seen = tn_scope_conn(scope);
  tn_scope_end(&scope);
  return NULL;
}

static tn_conn *
conn_of_another_thread(void)
{
  pthread_t thread;
  tn_conn *seen = NULL;

  cr_assert_eq(pthread_create(&thread, NULL, begin_elsewhere, &seen), 0);
  pthread_join(thread, NULL);
  cr_expect_not_null(seen);
  return seen;
}

Test(scope, each_thread_has_its_own)
{
  tn_scope *scope;

  script.has_txn_each = 1;
  open_facade("");
  scope = begin_as(W, 0);
  cr_expect_neq(conn_of_another_thread(), tn_scope_conn(scope));
  commit(&scope);
  tn_context_close(&context);
  cr_assert_eq(tn_context_open(TN_CONTEXT_ANY_THREAD, &context, &err), TN_OK);
  scope = begin_as(R, 0);
  tn_scope_end(&scope);
  scope = begin_as(W, 0);
  cr_expect_eq(conn_of_another_thread(), tn_scope_conn(scope));
  tn_scope_end(&scope);
  cr_expect_eq(tn_context_open(6, &context, &err), TN_E_USAGE);
  close_facade();
}

Test(scope, outlives_its_context)
{
  tn_scope *scope;

  open_facade("");
  scope = begin_as(W, 0);
  tn_context_close(&context);
  tn_context_close(NULL);
  run_on(scope);
  commit(&scope);
  cr_expect_eq(calls_of(FAKE_COMMIT), 1);
  close_facade();
}

/* ---- positions ---- */

Test(scope, tells_a_position_that_has_its_commit)
{
  struct tn_scope_options how = TN_SCOPE_OPTIONS_INIT;
  tn_position position = TN_POSITION_INIT;
  tn_scope *scope = NULL;
  tn_scope *inner;

  open_facade("");
  scope = begin_as(W, 0);
  cr_expect_eq(tn_scope_position(scope, &position, &err), TN_E_STATE);
  inner = begin_as(W, 0);
  cr_expect_eq(tn_scope_commit(inner, &err), TN_OK);
  cr_expect_eq(tn_scope_position(inner, &position, &err), TN_E_STATE);
  tn_scope_end(&inner);
  cr_expect_eq(tn_scope_commit(scope, &err), TN_OK);
  cr_expect_eq(tn_scope_position(scope, &position, &err), TN_OK);
  cr_expect_str_eq(position.text, "fake:1");
  tn_scope_end(&scope);

  how.mode = W;
  how.ret_position = &position;
  snprintf(script.position, sizeof script.position, "fake:2");
  cr_assert_eq(tn_scope_begin(facade, context, &how, &scope, &err), TN_OK);
  cr_expect_str_eq(position.text, TN_POSITION_PRIMARY, "not committed yet");
  cr_expect_eq(tn_scope_commit(scope, &err), TN_OK);
  cr_expect_str_eq(position.text, "fake:2");
  tn_scope_end(&scope);
  close_facade();
}

Test(scope, without_a_history_only_the_primary_has_it)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_GET_POSITION, .category = TN_E_UNSUPPORTED },
  };
  tn_position position = TN_POSITION_INIT;
  tn_scope *scope;

  SCRIPT_ANSWERS(answers);
  open_facade("");
  scope = begin_as(W, 0);
  cr_expect_eq(tn_scope_commit(scope, &err), TN_OK);
  cr_expect_eq(tn_scope_position(scope, &position, &err), TN_OK);
  cr_expect_str_eq(position.text, TN_POSITION_PRIMARY);
  tn_scope_end(&scope);
  close_facade();
}

/* ---- without memory, and without an error to fill in ---- */

Test(scope, survives_without_memory)
{
  struct tn_scope_options how = TN_SCOPE_OPTIONS_INIT;
  long nth;

  open_facade("&pool_tick_time=0");
  cr_assert_eq(tn_facade_start(facade, TN_DEADLINE_NONE, &err), TN_OK);
  how.mode = W;
  for (nth = 1;; nth++) {
    long before;
    tn_scope *scope = NULL;
    tn_scope *inner = NULL;
    enum tn_code rc;

    oom_fail_nth(nth, false);
    before = oom_live();
    how.flags = 0;
    rc = tn_scope_begin(facade, context, &how, &scope, &err);
    how.flags = TN_SCOPE_SAVEPOINT;
    if (rc == TN_OK)
      rc = tn_scope_begin(facade, context, &how, &inner, &err);
    if (rc == TN_OK)
      rc = tn_scope_commit(inner, &err);
    tn_scope_end(&inner);
    tn_scope_end(&scope);
    cr_assert_eq(oom_live(), before, "allocation %ld", nth);
    if (oom_count() < nth)
      break;
    cr_assert_eq(rc, TN_E_MEMORY, "allocation %ld", nth);
  }
  oom_reset();
  cr_expect_gt(nth, 4);
  close_facade();
}

Test(scope, needs_no_error)
{
  struct tn_scope_options how = TN_SCOPE_OPTIONS_INIT;
  tn_scope *scope = NULL;

  replica_script.has_position = 0;
  open_facade("");
  how.mode = A;
  how.after = &(tn_position){ "fake:3" };
  how.after_ms = 1;
  cr_expect_eq(tn_scope_begin(facade, context, &how, &scope, NULL), TN_OK);
  cr_expect_eq(tn_scope_commit(scope, NULL), TN_OK);
  cr_expect_eq(tn_scope_commit(scope, NULL), TN_E_STATE);
  tn_scope_end(&scope);
  cr_expect_eq(tn_scope_begin(facade, context, NULL, &scope, NULL), TN_E_USAGE);
  close_facade();
}
