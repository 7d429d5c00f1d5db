/* Scopes, on the scripted plug-in: what is sent, and what they know of what
 * became of the transaction. */
#include <tenon/event.h>
#include <tenon/txn.h>

#include "engine_fixture.h"

TestSuite(txn, .init = fixture_init, .timeout = 60);

static tn_txn *txn;

static void
begin(void)
{
  fixture_open();
  cr_assert_eq(tn_txn_begin(conn, NULL, &txn, &err), TN_OK, "%s", err.message);
}

static void
end(void)
{
  tn_txn_end(&txn);
  cr_expect_null(txn);
  fixture_close();
}

Test(txn, commits_and_does_not_roll_back_then)
{
  begin();
  cr_expect_eq(tn_txn_conn(txn), conn);
  cr_expect_eq(tn_txn_commit(txn, &err), TN_OK);
  cr_expect_eq(tn_txn_commit(txn, &err), TN_E_STATE);
  cr_expect_eq(tn_txn_rollback(txn, &err), TN_OK);
  end();
  cr_expect_eq(calls_of(FAKE_COMMIT), 1);
  cr_expect_eq(calls_of(FAKE_ROLLBACK), 0);
}

Test(txn, rolls_back_what_is_not_committed)
{
  begin();
  end();
  cr_expect_eq(calls_of(FAKE_COMMIT), 0);
  cr_expect_eq(calls_of(FAKE_ROLLBACK), 1);
  tn_txn_end(&txn);
  tn_txn_end(NULL);
}

Test(txn, a_connection_has_one_scope_around)
{
  tn_txn *second = UNTOUCHED(tn_txn);

  begin();
  cr_expect_eq(tn_txn_begin(conn, NULL, &second, &err), TN_E_STATE);
  cr_expect_eq(second, UNTOUCHED(tn_txn));
  tn_txn_end(&txn);
  cr_expect_eq(tn_txn_begin(conn, NULL, &txn, &err), TN_OK);
  end();
}

Test(txn, is_identified_only_if_it_was_begun_so)
{
  struct tn_txn_options how = { .flags = TN_BEGIN_RESOLVABLE };
  struct tn_txn_id id = { "as it was" };
  tn_txn *inner = NULL;

  plugin.caps |= TN_CAP_OUTCOME;
  begin();
  cr_expect_eq(tn_txn_identify(txn, &id, &err), TN_E_STATE);
  cr_expect_str_eq(id.text, "as it was");
  tn_txn_end(&txn);
  cr_assert_eq(tn_txn_begin(conn, &how, &txn, &err), TN_OK, "%s", err.message);
  cr_assert_eq(tn_txn_nest(txn, &inner, &err), TN_OK);
  cr_expect_eq(tn_txn_identify(inner, &id, &err), TN_OK);
  cr_expect_str_eq(id.text, "fake-2");
  tn_txn_end(&inner);
  cr_expect_eq(tn_txn_commit(txn, &err), TN_OK);
  cr_expect_eq(tn_txn_identify(txn, &id, &err), TN_OK, "still, afterwards");
  end();
}

Test(txn, wishes_are_refused_where_the_backend_has_them_not)
{
  static const struct {
    struct tn_txn_options how;
    enum tn_code code;
  } cases[] = {
    { { .flags = TN_BEGIN_RESOLVABLE }, TN_E_UNSUPPORTED },
    { { .global_id = "g" }, TN_E_UNSUPPORTED },
    { { .flags = TN_BEGIN_DEFERRABLE }, TN_E_USAGE },
    { { .flags = TN_BEGIN_DEFERRABLE,
        .isolation = TN_ISOLATION_SERIALIZABLE,
        .access = TN_ACCESS_READ_ONLY },
      TN_E_UNSUPPORTED },
  };

  fixture_open();
  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    txn = UNTOUCHED(tn_txn);
    cr_expect_eq(tn_txn_begin(conn, &cases[i].how, &txn, &err), cases[i].code,
                 "case %zu: %s", i, err.message);
    cr_expect_eq(txn, UNTOUCHED(tn_txn), "case %zu", i);
  }
  cr_expect_eq(calls_of(FAKE_BEGIN), 0);
  fixture_close();
}

/* tn_event_fn */
static enum tn_code
end_inside(struct tn_event *event, void *user)
{
  tn_txn *const *there = user;
  tn_txn *ended = *there;

  if (event->kind == TN_EVENT_AFTER) {
    tn_txn_end(&ended);
    cr_expect_eq(ended, *there);
  }
  return TN_OK;
}

Test(txn, that_has_a_loan_is_not_ended_by_a_listener_that_is_told_of_it)
{
  open_engine("");
  cr_assert_eq(
      tn_engine_listen(engine, TN_EVENT_ALL, end_inside, &txn, NULL, &err),
      TN_OK);
  cr_assert_eq(tn_txn_take(engine, NULL, NULL, &txn, &err), TN_OK, "%s",
               err.message);
  cr_expect_eq(tn_conn_exec(tn_txn_conn(txn), "x", NULL, &err), TN_OK);
  cr_expect_eq(tn_txn_commit(txn, &err), TN_OK, "%s", err.message);
  tn_txn_end(&txn);
  cr_expect_null(txn);
  tn_engine_close(&engine);
  fixture_close();
}

/* tn_event_fn: the statement would run alone. */
static enum tn_code
end_before(struct tn_event *event, void *user)
{
  tn_txn *const *there = user;
  tn_txn *ended = *there;

  if (event->kind == TN_EVENT_BEFORE && ended != NULL) {
    tn_txn_end(&ended);
    cr_expect_eq(ended, *there);
  }
  return TN_OK;
}

Test(txn, on_a_borrowed_connection_is_not_ended_by_a_listener_either)
{
  tn_conn *taken = NULL;

  open_engine("");
  cr_assert_eq(
      tn_engine_listen(engine, TN_EVENT_ALL, end_before, &txn, NULL, &err),
      TN_OK);
  cr_assert_eq(tn_engine_take(engine, NULL, &taken, &err), TN_OK);
  cr_assert_eq(tn_txn_begin(taken, NULL, &txn, &err), TN_OK);
  cr_expect_eq(tn_conn_exec(taken, "x", NULL, &err), TN_OK);
  cr_expect_eq(calls_of(FAKE_ROLLBACK), 0);
  cr_expect_eq(tn_conn_txn_state(taken), TN_TXN_OPEN);
  cr_expect_eq(tn_txn_commit(txn, &err), TN_OK, "%s", err.message);
  tn_txn_end(&txn);
  cr_expect_null(txn);
  tn_pool_give(&taken);
  tn_engine_close(&engine);
  fixture_close();
}

Test(txn, gives_its_loan_back)
{
  open_engine("&max_pool_size=1&max_overflow=0&pool_timeout=0");
  for (int i = 0; i < 2; i++) {
    cr_assert_eq(tn_txn_take(engine, NULL, NULL, &txn, &err), TN_OK, "%s",
                 err.message);
    tn_txn_end(&txn);
  }
  use_once();
  cr_expect_eq(calls_of(FAKE_CONNECT), 1);
  cr_expect_eq(calls_of(FAKE_ROLLBACK), 2);
  close_engine();
}

Test(txn, a_loan_whose_rollback_fails_is_closed)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_ROLLBACK, .category = TN_E_OTHER },
  };

  SCRIPT_ANSWERS(answers);
  open_engine("");
  cr_assert_eq(tn_txn_take(engine, NULL, NULL, &txn, &err), TN_OK);
  tn_txn_end(&txn);
  cr_expect_eq(script.open_connections, 0);
  close_engine();
}

Test(txn, scopes_nest_as_savepoints)
{
  tn_txn *inner = NULL;
  tn_txn *innermost = NULL;

  begin();
  cr_assert_eq(tn_txn_nest(txn, &inner, &err), TN_OK);
  cr_expect_str_eq(script.savepoint, "tn_scope_1");
  cr_expect_eq(tn_txn_commit(txn, &err), TN_E_STATE, "a scope inside is open");
  cr_assert_eq(tn_txn_nest(inner, &innermost, &err), TN_OK);
  cr_expect_str_eq(script.savepoint, "tn_scope_2");
  cr_expect_eq(tn_txn_commit(innermost, &err), TN_OK);
  tn_txn_end(&innermost);
  tn_txn_end(&inner);
  cr_expect_eq(calls_of(FAKE_ROLLBACK_SAVEPOINT), 1);
  cr_expect_eq(calls_of(FAKE_RELEASE_SAVEPOINT), 2);
  cr_expect_eq(tn_txn_commit(txn, &err), TN_OK);
  end();
}

Test(txn, scopes_inside_end_with_the_one_around)
{
  tn_txn *inner = NULL;
  tn_txn *innermost = NULL;

  begin();
  cr_assert_eq(tn_txn_nest(txn, &inner, &err), TN_OK);
  cr_assert_eq(tn_txn_nest(inner, &innermost, &err), TN_OK);
  end();
  cr_expect_eq(tn_txn_commit(inner, &err), TN_E_STATE);
  tn_txn_end(&inner);
  tn_txn_end(&innermost);
  cr_expect_eq(calls_of(FAKE_ROLLBACK_SAVEPOINT), 0);
}

Test(txn, what_cannot_be_undone_is_not_committed)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_ROLLBACK_SAVEPOINT,
      .category = TN_E_IO,
      .message = "disk full" },
  };
  tn_txn *inner = NULL;

  SCRIPT_ANSWERS(answers);
  begin();
  cr_assert_eq(tn_txn_nest(txn, &inner, &err), TN_OK);
  tn_txn_end(&inner);
  cr_assert_not_null(tn_txn_cause(txn));
  cr_expect_eq(tn_txn_cause(txn)->code, TN_E_IO);
  cr_expect_eq(tn_txn_commit(txn, &err), TN_E_IO);
  cr_expect_not_null(strstr(err.message, "disk full"));
  cr_expect_eq(err.replay, TN_REPLAY_TRANSACTION);
  cr_expect_eq(calls_of(FAKE_COMMIT), 0);
  end();
  cr_expect_eq(calls_of(FAKE_ROLLBACK), 1);
}

/* Going back further undoes it after all. */
Test(txn, what_could_not_be_undone_is_undone_with_the_scope_around)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_ROLLBACK_SAVEPOINT, .nth = 1, .category = TN_E_IO },
  };
  tn_txn *inner = NULL;
  tn_txn *innermost = NULL;

  SCRIPT_ANSWERS(answers);
  begin();
  cr_assert_eq(tn_txn_nest(txn, &inner, &err), TN_OK);
  cr_assert_eq(tn_txn_nest(inner, &innermost, &err), TN_OK);
  tn_txn_end(&innermost);
  cr_expect_eq(tn_txn_commit(inner, &err), TN_E_IO);
  tn_txn_end(&inner);
  cr_expect_eq(tn_txn_commit(txn, &err), TN_OK, "%s", err.message);
  end();
}

/* One beside it does not: what was left behind is not undone by that. */
Test(txn, what_could_not_be_undone_is_not_forgotten_by_a_scope_beside_it)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_ROLLBACK_SAVEPOINT, .nth = 1, .category = TN_E_IO },
  };
  tn_txn *first = NULL;
  tn_txn *second = NULL;

  SCRIPT_ANSWERS(answers);
  begin();
  cr_assert_eq(tn_txn_nest(txn, &first, &err), TN_OK);
  tn_txn_end(&first);
  cr_assert_eq(tn_txn_nest(txn, &second, &err), TN_OK);
  cr_expect_eq(tn_txn_rollback(second, &err), TN_OK);
  tn_txn_end(&second);
  cr_expect_eq(tn_txn_commit(txn, &err), TN_E_IO);
  cr_expect_eq(calls_of(FAKE_COMMIT), 0);
  end();
}

Test(txn, a_borrowed_connection_does_not_stay_in_what_has_ended)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_ROLLBACK, .nth = 1, .category = TN_E_BUSY },
  };

  SCRIPT_ANSWERS(answers);
  begin();
  tn_txn_end(&txn);
  cr_expect_eq(calls_of(FAKE_ROLLBACK), 2);
  fixture_expect_usable("the scope");
  fixture_close();
}

Test(txn, a_borrowed_connection_that_cannot_be_rolled_back_is_dead)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_ROLLBACK, .category = TN_E_BUSY },
  };

  SCRIPT_ANSWERS(answers);
  begin();
  tn_txn_end(&txn);
  cr_expect_eq(tn_conn_verdict(conn), TN_CONNECTION_DEAD);
  fixture_close();
}

/* ---- the server has ended it ---- */

static const struct fake_answer deadlock[] = {
  { .slot = FAKE_EXECUTE,
    .nth = 1,
    .category = TN_E_DEADLOCK,
    .message = "victim" },
  { .slot = FAKE_EXECUTE,
    .category = TN_E_STATE,
    .connection = TN_CONNECTION_ABORTED,
    .message = "roll back first" },
  { .slot = FAKE_ROLLBACK_SAVEPOINT,
    .category = TN_E_STATE,
    .connection = TN_CONNECTION_ABORTED,
    .message = "no such savepoint" },
};

static void
fall(void)
{
  cr_assert_eq(tn_conn_exec(conn, "x", NULL, &err), TN_E_DEADLOCK);
  script.txn_state = TN_TXN_ABORTED;
}

Test(txn, what_follows_is_refused_with_the_first_error)
{
  tn_txn *inner = UNTOUCHED(tn_txn);

  SCRIPT_ANSWERS(deadlock);
  begin();
  cr_expect_null(tn_txn_cause(txn));
  fall();
  cr_expect_str_empty(err.detail);
  cr_assert_not_null(tn_txn_cause(txn));
  cr_expect_eq(tn_txn_cause(txn)->code, TN_E_DEADLOCK);

  cr_expect_eq(tn_conn_exec(conn, "y", NULL, &err), TN_E_STATE);
  cr_expect_not_null(strstr(err.detail, "victim"), "%s", err.detail);
  cr_expect_eq(tn_txn_nest(txn, &inner, &err), TN_E_STATE);
  cr_expect_not_null(strstr(err.detail, "victim"), "%s", err.detail);
  cr_expect_eq(tn_txn_commit(txn, &err), TN_E_DEADLOCK);
  cr_expect_not_null(strstr(err.message, "victim"));
  cr_expect_eq(calls_of(FAKE_COMMIT), 0);
  end();
  cr_expect_eq(calls_of(FAKE_ROLLBACK), 1);
}

Test(txn, a_savepoint_that_went_with_it_does_not_hide_why)
{
  tn_txn *inner = NULL;

  SCRIPT_ANSWERS(deadlock);
  begin();
  cr_assert_eq(tn_txn_nest(txn, &inner, &err), TN_OK);
  fall();
  cr_expect_eq(tn_txn_rollback(inner, &err), TN_E_DEADLOCK);
  cr_expect_eq(err.replay, TN_REPLAY_TRANSACTION);
  tn_txn_end(&inner);
  cr_expect_eq(tn_txn_commit(txn, &err), TN_E_DEADLOCK);
  end();
}

Test(txn, a_savepoint_saves_it_where_the_server_says_so)
{
  tn_txn *inner = NULL;

  script.answers = deadlock;
  script.answer_count = 1;
  begin();
  cr_assert_eq(tn_txn_nest(txn, &inner, &err), TN_OK);
  fall();
  script.txn_state = TN_TXN_ABORTED;
  cr_expect_eq(tn_conn_rollback_savepoint(conn, "tn_scope_1", &err), TN_OK);
  script.txn_state = TN_TXN_OPEN;
  cr_expect_eq(tn_txn_rollback(inner, &err), TN_OK);
  tn_txn_end(&inner);
  cr_expect_null(tn_txn_cause(txn));
  cr_expect_eq(tn_txn_commit(txn, &err), TN_OK);
  end();
}

/* By a savepoint of the application's own. */
Test(txn, what_the_server_takes_back_is_forgotten)
{
  script.answers = deadlock;
  script.answer_count = 1;
  begin();
  cr_assert_eq(tn_conn_savepoint(conn, "own", &err), TN_OK);
  fall();
  cr_expect_not_null(tn_txn_cause(txn));
  cr_expect_eq(tn_conn_exec(conn, "still aborted", NULL, &err), TN_OK);
  cr_expect_not_null(tn_txn_cause(txn));
  script.txn_state = TN_TXN_OPEN;
  cr_expect_eq(tn_conn_rollback_savepoint(conn, "own", &err), TN_OK);
  cr_expect_null(tn_txn_cause(txn));
  cr_expect_eq(tn_txn_commit(txn, &err), TN_OK);
  end();
}

/* A statement that commits by itself: the next one must not run alone. */
Test(txn, no_statement_runs_when_the_transaction_is_gone)
{
  unsigned executed;

  begin();
  script.txn_state = TN_TXN_NONE;
  cr_expect_eq(tn_conn_exec(conn, "CREATE TABLE t (v INTEGER)", NULL, &err),
               TN_OK);
  executed = calls_of(FAKE_EXECUTE);
  cr_expect_eq(tn_conn_exec(conn, "x", NULL, &err), TN_E_STATE);
  cr_expect_eq(err.replay, TN_REPLAY_NEVER);
  cr_expect_eq(calls_of(FAKE_EXECUTE), executed);
  cr_expect_eq(tn_txn_commit(txn, &err), TN_E_STATE);
  cr_expect_eq(calls_of(FAKE_COMMIT), 0);
  tn_txn_end(&txn);
  fixture_expect_usable("the scope");
  fixture_close();
}

Test(txn, a_lost_connection_is_why)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_EXECUTE, .category = TN_E_LOST, .message = "gone" },
  };

  SCRIPT_ANSWERS(answers);
  begin();
  cr_expect_eq(tn_conn_exec(conn, "x", NULL, &err), TN_E_LOST);
  cr_expect_eq(tn_conn_exec(conn, "x", NULL, &err), TN_E_LOST);
  cr_expect_not_null(strstr(err.detail, "gone"), "%s", err.detail);
  cr_expect_eq(tn_txn_commit(txn, &err), TN_E_LOST);
  cr_expect_not_null(strstr(err.message, "gone"));
  end();
}

Test(txn, a_commit_that_is_busy_may_be_tried_again)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_COMMIT, .nth = 1, .category = TN_E_BUSY },
  };

  SCRIPT_ANSWERS(answers);
  begin();
  cr_expect_eq(tn_txn_commit(txn, &err), TN_E_BUSY);
  cr_expect_eq(tn_txn_commit(txn, &err), TN_OK);
  end();
}

Test(txn, a_commit_whose_answer_is_lost_is_uncertain)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_COMMIT, .category = TN_E_LOST },
  };

  SCRIPT_ANSWERS(answers);
  begin();
  cr_expect_eq(tn_txn_commit(txn, &err), TN_E_UNCERTAIN);
  cr_expect_eq(err.replay, TN_REPLAY_UNKNOWN);
  end();
}

Test(txn, out_of_memory_is_an_error)
{
  tn_txn *inner = UNTOUCHED(tn_txn);

  fixture_open();
  oom_fail_nth(1, false);
  cr_expect_eq(tn_txn_begin(conn, NULL, &txn, &err), TN_E_MEMORY);
  oom_reset();
  cr_expect_eq(tn_txn_begin(conn, NULL, &txn, &err), TN_OK);
  oom_fail_nth(1, false);
  cr_expect_eq(tn_txn_nest(txn, &inner, &err), TN_E_MEMORY);
  oom_reset();
  cr_expect_eq(tn_txn_commit(txn, &err), TN_OK);
  end();
}
