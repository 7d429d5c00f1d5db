/* Two phases, on the scripted plug-in: what is sent, what becomes of the scope,
 * and who is told of what. */
#include <tenon/two_phase.h>

#include "engine_fixture.h"

static tn_txn *txn;
static const struct tn_txn_options named = { .global_id = "order-17@shop" };

static void
init(void)
{
  fixture_init();
  plugin.caps |= TN_CAP_TWO_PHASE;
  script.has_txn_each = 1;
}

TestSuite(two_phase, .init = init, .timeout = 60);

static void
begin(void)
{
  fixture_open();
  cr_assert_eq(tn_txn_begin(conn, &named, &txn, &err), TN_OK, "%s",
               err.message);
}

static void
end(void)
{
  tn_txn_end(&txn);
  fixture_close();
}

/* ---- preparing ---- */

Test(two_phase, prepares_under_the_id_of_the_begin)
{
  begin();
  cr_expect_str_eq(script.begin_id, "order-17@shop");
  cr_expect_eq(tn_txn_prepare(txn, &err), TN_OK, "%s", err.message);
  cr_expect_str_eq(script.global_id, "order-17@shop");
  cr_expect_eq(tn_txn_prepare(txn, &err), TN_E_STATE);
  cr_expect_eq(tn_txn_commit(txn, &err), TN_E_STATE);
  cr_expect_eq(tn_txn_rollback(txn, &err), TN_OK);
  tn_txn_end(&txn);
  fixture_expect_usable("prepare");
  end();
  cr_expect_eq(calls_of(FAKE_PREPARE_TXN), 1);
  cr_expect_eq(calls_of(FAKE_COMMIT), 0);
  cr_expect_eq(calls_of(FAKE_ROLLBACK), 0);
}

Test(two_phase, what_has_an_id_can_be_committed_at_once)
{
  begin();
  cr_expect_eq(tn_txn_commit(txn, &err), TN_OK);
  end();
  cr_expect_eq(calls_of(FAKE_COMMIT), 1);
  cr_expect_eq(calls_of(FAKE_PREPARE_TXN), 0);
}

Test(two_phase, what_has_no_id_is_not_prepared)
{
  begin();
  tn_txn_end(&txn);
  cr_assert_eq(tn_txn_begin(conn, NULL, &txn, &err), TN_OK);
  cr_expect_eq(tn_txn_prepare(txn, &err), TN_E_STATE, "the last id is over");
  cr_expect_eq(tn_txn_commit(txn, &err), TN_OK, "it has gone on");
  end();
  cr_expect_eq(calls_of(FAKE_PREPARE_TXN), 0);
}

Test(two_phase, a_scope_inside_is_not_prepared)
{
  tn_txn *inner = NULL;

  begin();
  cr_assert_eq(tn_txn_nest(txn, &inner, &err), TN_OK);
  cr_expect_eq(tn_txn_prepare(inner, &err), TN_E_STATE);
  cr_expect_eq(tn_txn_prepare(txn, &err), TN_E_STATE, "one inside is open");
  tn_txn_end(&inner);
  cr_expect_eq(tn_txn_prepare(txn, &err), TN_OK);
  end();
}

Test(two_phase, what_the_server_has_destroyed_fails_with_that)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_EXECUTE,
      .category = TN_E_DEADLOCK,
      .connection = TN_CONNECTION_ABORTED },
  };

  SCRIPT_ANSWERS(answers);
  begin();
  cr_expect_eq(tn_conn_exec(conn, "x", NULL, &err), TN_E_DEADLOCK);
  cr_expect_eq(tn_txn_prepare(txn, &err), TN_E_DEADLOCK);
  end();
  cr_expect_eq(calls_of(FAKE_PREPARE_TXN), 0);
  cr_expect_eq(calls_of(FAKE_ROLLBACK), 1);
}

Test(two_phase, a_failure_rolls_back)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_PREPARE_TXN, .category = TN_E_EXISTS },
  };

  SCRIPT_ANSWERS(answers);
  begin();
  cr_expect_eq(tn_txn_prepare(txn, &err), TN_E_EXISTS);
  cr_expect_eq(calls_of(FAKE_ROLLBACK), 1);
  cr_expect_eq(tn_txn_commit(txn, &err), TN_E_STATE, "it is over");
  end();
  cr_expect_eq(calls_of(FAKE_ROLLBACK), 1);
}

Test(two_phase, a_lost_answer_leaves_it_open)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_PREPARE_TXN, .category = TN_E_LOST },
  };

  SCRIPT_ANSWERS(answers);
  begin();
  cr_expect_eq(tn_txn_prepare(txn, &err), TN_E_UNCERTAIN);
  cr_expect_eq(err.replay, TN_REPLAY_UNKNOWN);
  end();
  cr_expect_eq(calls_of(FAKE_ROLLBACK), 0);
}

/* ---- ids ---- */

Test(two_phase, ids_are_checked_before_anything_is_sent)
{
  static const struct {
    const char *id;
    bool is_good;
  } cases[] = {
    { "a", true },
    { "!~\"#$%&()*+,-./:;<=>?@[]^_`{|}", true },
    { "0123456789012345678901234567890123456789012345678901234567890123",
      true },
    { "01234567890123456789012345678901234567890123456789012345678901234",
      false },
    { "", false },
    { "a b", false },
    { "a'b", false },
    { "a\\b", false },
    { "a\nb", false },
    { "a\x7f", false },
    { "\xc3\xa4", false },
  };

  fixture_open();
  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    enum tn_code wanted = cases[i].is_good ? TN_OK : TN_E_USAGE;
    struct tn_txn_options how = { .global_id = cases[i].id };

    cr_expect_eq(tn_two_phase_commit(conn, cases[i].id, &err), wanted,
                 "case %zu: \"%s\"", i, cases[i].id);
    cr_expect_eq(tn_two_phase_rollback(conn, cases[i].id, &err), wanted,
                 "case %zu: \"%s\"", i, cases[i].id);
    cr_expect_eq(tn_txn_begin(conn, &how, &txn, &err), wanted,
                 "case %zu: \"%s\"", i, cases[i].id);
    tn_txn_end(&txn);
  }
  cr_expect_eq(calls_of(FAKE_COMMIT_PREPARED), 3);
  cr_expect_eq(calls_of(FAKE_ROLLBACK_PREPARED), 3);
  cr_expect_eq(calls_of(FAKE_BEGIN), 3);
  fixture_close();
}

/* ---- the second phase ---- */

Test(two_phase, ends_what_was_prepared)
{
  fixture_open();
  cr_expect_eq(tn_two_phase_commit(conn, "one", &err), TN_OK);
  cr_expect_str_eq(script.global_id, "one");
  cr_expect_eq(tn_two_phase_rollback(conn, "two", &err), TN_OK);
  cr_expect_str_eq(script.global_id, "two");
  fixture_close();
  cr_expect_eq(calls_of(FAKE_COMMIT_PREPARED), 1);
  cr_expect_eq(calls_of(FAKE_ROLLBACK_PREPARED), 1);
}

Test(two_phase, nothing_is_ended_inside_a_transaction)
{
  begin();
  cr_expect_eq(tn_two_phase_commit(conn, "one", &err), TN_E_STATE);
  cr_expect_eq(tn_two_phase_rollback(conn, "one", &err), TN_E_STATE);
  end();
  cr_expect_eq(calls_of(FAKE_COMMIT_PREPARED), 0);
  cr_expect_eq(calls_of(FAKE_ROLLBACK_PREPARED), 0);
}

Test(two_phase, the_second_phase_says_what_is_not_known)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_COMMIT_PREPARED, .nth = 1, .category = TN_E_NOT_FOUND },
    { .slot = FAKE_COMMIT_PREPARED, .nth = 2, .category = TN_E_LOST },
  };

  SCRIPT_ANSWERS(answers);
  fixture_open();
  cr_expect_eq(tn_two_phase_commit(conn, "one", &err), TN_E_NOT_FOUND);
  cr_expect_eq(tn_two_phase_commit(conn, "one", &err), TN_E_UNCERTAIN);
  cr_expect_eq(err.replay, TN_REPLAY_UNKNOWN);
  fixture_close();
}

Test(two_phase, a_backend_without_it_says_so)
{
  plugin.caps &= ~TN_CAP_TWO_PHASE;
  fixture_open();
  cr_expect_eq(tn_txn_begin(conn, &named, &txn, &err), TN_E_UNSUPPORTED);
  cr_expect_eq(calls_of(FAKE_BEGIN), 0);
  fixture_close();
}

/* ---- what there is ---- */

static const char *const prepared[] = { "one", "not ours", "two", "", "three" };

struct visit {
  char seen[64];
  const char *until; /* fails there */
};

/* tn_two_phase_fn */
static enum tn_code
note(const char *global_id, void *user, tn_err *why)
{
  struct visit *visit = user;
  size_t used = strlen(visit->seen);

  snprintf(visit->seen + used, sizeof visit->seen - used, "%s ", global_id);
  if (visit->until != NULL && strcmp(global_id, visit->until) == 0)
    return tn_err_set(why, TN_E_OTHER, "enough");
  return tn_two_phase_commit(conn, global_id, why);
}

static void
have_prepared(void)
{
  script.prepared = prepared;
  script.prepared_count = TN_COUNT(prepared);
}

Test(two_phase, lists_what_can_be_ended_and_nothing_else)
{
  struct visit visit = { .until = NULL };

  have_prepared();
  fixture_open();
  cr_expect_eq(tn_two_phase_list(conn, note, &visit, &err), TN_OK, "%s",
               err.message);
  cr_expect_str_eq(visit.seen, "one two three ");
  cr_expect_eq(calls_of(FAKE_COMMIT_PREPARED), 3);
  fixture_close();
}

Test(two_phase, the_list_ends_where_its_function_fails)
{
  struct visit visit = { .until = "two" };

  have_prepared();
  fixture_open();
  cr_expect_eq(tn_two_phase_list(conn, note, &visit, &err), TN_E_OTHER);
  cr_expect_str_eq(visit.seen, "one two ");
  cr_expect_str_eq(err.message, "enough");
  fixture_close();
}

Test(two_phase, a_list_that_cannot_be_had_tells_nobody)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_LIST_PREPARED, .category = TN_E_PERMISSION },
  };
  struct visit visit = { .until = NULL };

  SCRIPT_ANSWERS(answers);
  have_prepared();
  fixture_open();
  cr_expect_eq(tn_two_phase_list(conn, note, &visit, &err), TN_E_PERMISSION);
  cr_expect_str_eq(visit.seen, "");
  cr_expect_eq(tn_two_phase_list(conn, note, &visit, NULL), TN_E_PERMISSION);
  fixture_close();
}

Test(two_phase, out_of_memory_begins_nothing_and_leaks_nothing)
{
  long nth;

  fixture_open();
  for (nth = 1;; nth++) {
    struct visit visit = { .until = NULL };
    enum tn_code rc;
    long before;

    oom_fail_nth(nth, false);
    before = oom_live();
    rc = tn_txn_begin(conn, &named, &txn, &err);
    if (rc == TN_OK)
      rc = tn_txn_prepare(txn, &err);
    if (rc == TN_OK)
      rc = tn_two_phase_list(conn, note, &visit, &err);
    tn_txn_end(&txn);
    cr_assert_eq(oom_live(), before, "allocation %ld", nth);
    if (oom_count() < nth)
      break;
    cr_assert_eq(rc, TN_E_MEMORY, "allocation %ld: %s", nth, tn_code_name(rc));
  }
  oom_reset();
  cr_expect_gt(nth, 1);
  fixture_close();
}
