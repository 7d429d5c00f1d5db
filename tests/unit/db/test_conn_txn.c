/* Transactions and savepoints: the order of calls, and whose word counts. */
#include "fixture.h"

TestSuite(conn_txn, .init = fixture_init, .timeout = 60);

static void
expect_state(enum tn_code rc, const char *message)
{
  cr_expect_eq(rc, TN_E_STATE, "%s: %s", message, tn_code_name(rc));
  cr_expect_eq(err.code, TN_E_STATE, "%s", message);
  cr_expect(strstr(err.message, message) != NULL, "%s", err.message);
}

/* ---- order ---- */

Test(conn_txn, begins_and_ends_in_order)
{
  fixture_open();
  cr_expect_eq(tn_conn_txn_state(conn), TN_TXN_NONE);
  cr_expect_eq(tn_conn_begin(conn, NULL, &err), TN_OK);
  cr_expect_eq(tn_conn_txn_state(conn), TN_TXN_OPEN);
  expect_state(tn_conn_begin(conn, NULL, &err), "one is open already");
  cr_expect_eq(script.calls[FAKE_BEGIN], 1);
  cr_expect_eq(tn_conn_commit(conn, &err), TN_OK);
  cr_expect_eq(tn_conn_txn_state(conn), TN_TXN_NONE);

  cr_expect_eq(tn_conn_begin(conn, NULL, &err), TN_OK);
  cr_expect_eq(tn_conn_rollback(conn, &err), TN_OK);
  cr_expect_eq(tn_conn_txn_state(conn), TN_TXN_NONE);
  cr_expect_eq(script.calls[FAKE_COMMIT], 1);
  cr_expect_eq(script.calls[FAKE_ROLLBACK], 1);
  fixture_close();
}

Test(conn_txn, outside_one_commit_is_refused_and_rollback_does_nothing)
{
  fixture_open();
  expect_state(tn_conn_commit(conn, &err), "none is open");
  cr_expect_eq(err.connection, TN_CONNECTION_USABLE);
  cr_expect_eq(tn_conn_commit(conn, NULL), TN_E_STATE);
  cr_expect_eq(tn_conn_rollback(conn, &err), TN_OK);
  cr_expect_eq(script.calls[FAKE_COMMIT], 0);
  cr_expect_eq(script.calls[FAKE_ROLLBACK], 0);
  fixture_expect_usable("refusals");
  fixture_close();
}

Test(conn_txn, one_that_the_database_has_ended_is_only_rolled_back)
{
  fixture_open();
  script.txn_state = TN_TXN_ABORTED;
  expect_state(tn_conn_begin(conn, NULL, &err), "roll back first");
  cr_expect_eq(err.connection, TN_CONNECTION_ABORTED);
  cr_expect_eq(err.replay, TN_REPLAY_TRANSACTION);
  expect_state(tn_conn_commit(conn, &err), "roll back first");
  expect_state(tn_conn_savepoint(conn, "a", &err), "roll back first");
  expect_state(tn_conn_release_savepoint(conn, "a", &err), "roll back first");
  cr_expect_eq(tn_conn_verdict(conn), TN_CONNECTION_ABORTED);
  cr_expect_eq(script.calls[FAKE_BEGIN] + script.calls[FAKE_COMMIT] +
                   script.calls[FAKE_SAVEPOINT] +
                   script.calls[FAKE_RELEASE_SAVEPOINT],
               0);
  cr_expect_eq(tn_conn_rollback(conn, &err), TN_OK);
  cr_expect_eq(tn_conn_verdict(conn), TN_CONNECTION_USABLE);
  cr_expect_eq(tn_conn_begin(conn, NULL, &err), TN_OK);
  fixture_close();
}

Test(conn_txn, a_state_that_is_none_counts_as_aborted)
{
  fixture_open();
  script.txn_state = 99;
  cr_expect_eq(tn_conn_txn_state(conn), TN_TXN_ABORTED);
  cr_expect_eq(tn_conn_rollback(conn, &err), TN_OK);
  cr_expect_eq(script.calls[FAKE_ROLLBACK], 1);
  fixture_close();
}

/* ---- texts that begin and end one ---- */

static const struct {
  const char *text;
  const char *instead;
} ends[] = {
  { "BEGIN", "tn_conn_savepoint()" },
  { "/* a */ start transaction", "tn_txn_nest()" },
  { "COMMIT", "tn_conn_commit()" },
  { "commit and chain", "tn_scope_commit()" },
  { "END", "tn_txn_commit()" },
  { "ABORT", "tn_conn_rollback()" },
  { "ROLLBACK;", "tn_txn_rollback()" },
  { "PREPARE TRANSACTION 'x'", "tn_txn_prepare()" },
  { "XA END 'x'", "tn_txn_prepare()" },
};

Test(conn_txn, what_a_call_has_begun_no_text_ends)
{
  tn_prepared *prepared[TN_COUNT(ends)] = { NULL };
  const struct tn_query query = { .flags = 0 };
  tn_result *result = NULL;
  unsigned prepares;
  size_t i;

  fixture_open();
  for (i = 0; i < TN_COUNT(ends); i++)
    cr_assert_eq(tn_conn_prepare(conn, ends[i].text, 0, &prepared[i], &err),
                 TN_OK, "%s", err.message);
  cr_assert_eq(tn_conn_begin(conn, NULL, &err), TN_OK);
  prepares = script.calls[FAKE_PREPARE];
  for (i = 0; i < TN_COUNT(ends); i++) {
    expect_state(tn_conn_exec(conn, ends[i].text, NULL, &err), ends[i].instead);
    cr_expect_eq(err.connection, TN_CONNECTION_USABLE);
    cr_expect_null(strchr(err.message, '\n'));
    expect_state(tn_conn_script(conn, ends[i].text, NULL, NULL, &err),
                 ends[i].instead);
    expect_state(tn_prepared_query(prepared[i], &query, &result, &err),
                 ends[i].instead);
  }
  cr_expect_eq(script.calls[FAKE_PREPARE], prepares, "nothing was sent");
  cr_expect_eq(script.calls[FAKE_EXECUTE], 0);

  /* Also when the database has ended it; savepoints are another matter. */
  script.txn_state = TN_TXN_ABORTED;
  expect_state(tn_conn_exec(conn, "ROLLBACK", NULL, &err), "was begun by a");
  cr_expect_eq(tn_conn_exec(conn, "ROLLBACK TO a", NULL, &err), TN_OK);
  script.txn_state = TN_TXN_OPEN;
  cr_expect_eq(tn_conn_exec(conn, "BEGIN NOT ATOMIC x END", NULL, &err), TN_OK,
               "%s", err.message);
  cr_expect_eq(tn_conn_commit(conn, &err), TN_OK);
  for (i = 0; i < TN_COUNT(ends); i++)
    tn_prepared_close(&prepared[i]);
  fixture_close();
}

Test(conn_txn, what_a_text_has_begun_a_text_ends)
{
  fixture_open();
  script.txn_state = TN_TXN_OPEN;
  cr_expect_eq(tn_conn_exec(conn, "BEGIN", NULL, &err), TN_OK);
  cr_expect_eq(tn_conn_exec(conn, "COMMIT", NULL, &err), TN_OK);

  /* And after one that a call had begun is over, by whatever. */
  script.txn_state = TN_TXN_NONE;
  cr_assert_eq(tn_conn_begin(conn, NULL, &err), TN_OK);
  script.txn_state = TN_TXN_NONE;
  cr_expect_eq(tn_conn_exec(conn, "CREATE TABLE t", NULL, &err), TN_OK);
  script.txn_state = TN_TXN_OPEN;
  cr_expect_eq(tn_conn_exec(conn, "BEGIN", NULL, &err), TN_OK);
  cr_expect_eq(tn_conn_exec(conn, "ROLLBACK", NULL, &err), TN_OK);
  script.txn_state = TN_TXN_NONE;
  fixture_close();
}

/* ---- wishes ---- */

Test(conn_txn, hands_the_wishes_on)
{
  const struct tn_txn_options options = { .isolation =
                                              TN_ISOLATION_SERIALIZABLE,
                                          .access = TN_ACCESS_READ_ONLY,
                                          .lock_mode = TN_LOCK_IMMEDIATE };

  fixture_open();
  cr_expect_eq(tn_conn_begin(conn, &options, &err), TN_OK);
  cr_expect_eq(script.isolation, TN_ISOLATION_SERIALIZABLE);
  cr_expect_eq(script.access, TN_ACCESS_READ_ONLY);
  cr_expect_eq(script.lock_mode, TN_LOCK_IMMEDIATE);
  cr_expect_eq(tn_conn_commit(conn, &err), TN_OK);
  cr_expect_eq(tn_conn_begin(conn, NULL, &err), TN_OK);
  cr_expect_eq(script.isolation + script.access + script.lock_mode, 0);
  fixture_close();
}

Test(conn_txn, refuses_wishes_that_are_none)
{
  static const struct tn_txn_options cases[] = {
    { .isolation = TN_ISOLATION_SERIALIZABLE + 1 },
    { .access = TN_ACCESS_READ_ONLY + 1 },
    { .lock_mode = TN_LOCK_EXCLUSIVE + 1 },
    { .isolation = UINT32_MAX },
  };

  fixture_open();
  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    cr_expect_eq(tn_conn_begin(conn, &cases[i], &err), TN_E_USAGE, "case %zu",
                 i);
    cr_expect_eq(tn_conn_begin(conn, &cases[i], NULL), TN_E_USAGE, "case %zu",
                 i);
  }
  cr_expect_eq(script.calls[FAKE_BEGIN], 0);
  fixture_expect_usable("refusals");
  fixture_close();
}

Test(conn_txn, begin_has_a_deadline_of_its_own)
{
  static const struct fake_answer slow[] = {
    { .slot = FAKE_BEGIN, .wait_ms = 60 },
  };
  struct tn_txn_options options = { .deadline = 1 };

  SCRIPT_ANSWERS(slow);
  fixture_open_timed(10);
  cr_expect_eq(tn_conn_begin(conn, &options, &err), TN_E_TIMEOUT);
  cr_expect_eq(script.calls[FAKE_BEGIN], 0);
  cr_expect_eq(tn_conn_begin(conn, NULL, &err), TN_E_TIMEOUT);
  cr_expect_eq(script.calls[FAKE_BEGIN], 1);
  options.deadline = TN_DEADLINE_NONE;
  cr_expect_eq(tn_conn_begin(conn, &options, &err), TN_OK, "%s", err.message);
  fixture_close();
}

Test(conn_txn, a_deadline_that_is_set_bounds_all_but_the_rollback)
{
  static const struct fake_answer slow[] = {
    { .slot = FAKE_COMMIT, .wait_ms = 60 },
  };

  SCRIPT_ANSWERS(slow);
  fixture_open();
  cr_assert_eq(tn_conn_begin(conn, NULL, &err), TN_OK);
  tn_conn_set_deadline(conn, 1);
  cr_expect_eq(tn_conn_exec(conn, "INSERT", NULL, &err), TN_E_TIMEOUT);
  cr_expect_eq(tn_conn_commit(conn, &err), TN_E_TIMEOUT);
  cr_expect_eq(script.calls[FAKE_COMMIT], 0);
  tn_conn_set_deadline(conn, tn_deadline_after_ms(10));
  cr_expect_eq(tn_conn_commit(conn, &err), TN_E_TIMEOUT);
  cr_expect_eq(script.calls[FAKE_COMMIT], 1);
  cr_expect_eq(tn_conn_rollback(conn, &err), TN_OK, "%s", err.message);
  tn_conn_set_deadline(conn, 0);
  fixture_expect_usable("deadlines");
  fixture_close();
}

Test(conn_txn, without_transactions_a_backend_refuses_them)
{
  lacks = UINT32_C(1) << TN_TABLE_TXN;
  plugin.caps &= ~(TN_CAP_TRANSACTION | TN_CAP_SAVEPOINT);
  fixture_open();
  cr_expect_eq(tn_conn_begin(conn, NULL, &err), TN_E_UNSUPPORTED);
  cr_expect_str_eq(err.backend, "fake");
  cr_expect_eq(tn_conn_begin(conn, NULL, NULL), TN_E_UNSUPPORTED);
  expect_state(tn_conn_commit(conn, &err), "none is open");
  cr_expect_eq(tn_conn_rollback(conn, &err), TN_OK);
  cr_expect_eq(tn_conn_verdict(conn), TN_CONNECTION_USABLE);
  fixture_expect_usable("refusals");
  fixture_close();
}

/* ---- how a begin fails ---- */

/* Its answer comes when the call is over. */
static void
begin_late(const struct fake_answer *answers, size_t count)
{
  script.answers = answers;
  script.answer_count = count;
  script.begins_late = 1;
  fixture_open();
  cr_expect_eq(tn_conn_begin(conn, NULL, &err), TN_E_TIMEOUT);
}

Test(conn_txn, a_begin_that_fails_leaves_no_transaction)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_BEGIN, .nth = 1, .category = TN_E_TIMEOUT },
  };

  begin_late(answers, TN_COUNT(answers));
  cr_expect_eq(script.calls[FAKE_ROLLBACK], 1);
  cr_expect_eq(tn_conn_txn_state(conn), TN_TXN_NONE);
  cr_expect_eq(tn_conn_begin(conn, NULL, &err), TN_OK, "%s", err.message);
  cr_expect_eq(tn_conn_commit(conn, &err), TN_OK);
  fixture_close();
}

Test(conn_txn, a_begin_that_cannot_be_undone_costs_the_session)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_BEGIN, .category = TN_E_TIMEOUT },
    { .slot = FAKE_ROLLBACK, .category = TN_E_IO },
  };

  begin_late(answers, TN_COUNT(answers));
  cr_expect_eq(err.connection, TN_CONNECTION_DEAD);
  cr_expect_eq(tn_conn_verdict(conn), TN_CONNECTION_DEAD);
  fixture_close();
}

/* ---- how a commit fails ---- */

Test(conn_txn, a_busy_commit_leaves_it_open_to_commit_again)
{
  static const struct fake_answer busy[] = {
    { .slot = FAKE_COMMIT, .nth = 1, .category = TN_E_BUSY },
  };

  SCRIPT_ANSWERS(busy);
  fixture_open();
  cr_assert_eq(tn_conn_begin(conn, NULL, &err), TN_OK);
  cr_expect_eq(tn_conn_commit(conn, &err), TN_E_BUSY);
  cr_expect_eq(tn_conn_txn_state(conn), TN_TXN_OPEN);
  cr_expect_eq(tn_conn_commit(conn, &err), TN_OK);
  fixture_close();
}

Test(conn_txn, an_uncertain_commit_is_the_end_of_the_session)
{
  static const struct fake_answer uncertain[] = {
    { .slot = FAKE_COMMIT, .category = TN_E_UNCERTAIN },
  };

  SCRIPT_ANSWERS(uncertain);
  fixture_open();
  cr_assert_eq(tn_conn_begin(conn, NULL, &err), TN_OK);
  cr_expect_eq(tn_conn_commit(conn, &err), TN_E_UNCERTAIN);
  cr_expect_eq(err.connection, TN_CONNECTION_DEAD);
  cr_expect_eq(err.replay, TN_REPLAY_UNKNOWN);
  cr_expect_eq(tn_conn_verdict(conn), TN_CONNECTION_DEAD);
  cr_expect_eq(tn_conn_rollback(conn, &err), TN_E_LOST);
  cr_expect_eq(script.calls[FAKE_ROLLBACK], 0);
  fixture_close();
}

Test(conn_txn, a_connection_lost_in_a_commit_leaves_its_outcome_unknown)
{
  static const struct fake_answer lost[] = {
    { .slot = FAKE_COMMIT, .category = -1, .native = 2013 },
  };

  SCRIPT_ANSWERS(lost);
  fixture_open();
  cr_assert_eq(tn_conn_begin(conn, NULL, &err), TN_OK);
  cr_expect_eq(tn_conn_commit(conn, &err), TN_E_UNCERTAIN);
  cr_expect_eq(err.code, TN_E_UNCERTAIN);
  cr_expect_eq(err.native, 2013);
  cr_expect_eq(err.replay, TN_REPLAY_UNKNOWN);
  cr_expect_eq(tn_conn_verdict(conn), TN_CONNECTION_DEAD);
  fixture_close();
}

Test(conn_txn, a_backend_may_know_that_a_commit_did_nothing)
{
  static const struct fake_answer moved[] = {
    { .slot = FAKE_COMMIT,
      .category = TN_E_IO,
      .connection = TN_CONNECTION_DEAD,
      .replay = TN_REPLAY_SAFE },
  };

  SCRIPT_ANSWERS(moved);
  fixture_open();
  cr_assert_eq(tn_conn_begin(conn, NULL, &err), TN_OK);
  cr_expect_eq(tn_conn_commit(conn, &err), TN_E_IO);
  cr_expect_eq(err.code, TN_E_IO);
  cr_expect_eq(err.connection, TN_CONNECTION_DEAD);
  cr_expect_eq(err.replay, TN_REPLAY_TRANSACTION);
  fixture_close();
}

Test(conn_txn, a_failure_without_an_error_object_still_ends_the_session)
{
  static const struct fake_answer lost[] = {
    { .slot = FAKE_ROLLBACK, .category = -1, .native = 2013 },
  };

  SCRIPT_ANSWERS(lost);
  fixture_open();
  cr_assert_eq(tn_conn_begin(conn, NULL, NULL), TN_OK);
  cr_expect_eq(tn_conn_rollback(conn, NULL), TN_E_LOST);
  cr_expect_eq(tn_conn_verdict(conn), TN_CONNECTION_DEAD);
  cr_expect_eq(tn_conn_begin(conn, NULL, NULL), TN_E_LOST);
  fixture_close();
}

/* ---- savepoints ---- */

typedef enum tn_code (*savepoint_fn)(tn_conn *, const char *, tn_err *);

static const struct {
  savepoint_fn run;
  enum fake_slot slot;
} savepoints[] = {
  { tn_conn_savepoint, FAKE_SAVEPOINT },
  { tn_conn_release_savepoint, FAKE_RELEASE_SAVEPOINT },
  { tn_conn_rollback_savepoint, FAKE_ROLLBACK_SAVEPOINT },
};

Test(conn_txn, savepoints_take_names_by_the_rule)
{
  static const struct {
    const char *name;
    bool is_name;
  } cases[] = {
    { "a", true },
    { "_", true },
    { "Z9_", true },
    { "_1", true },
    { "a23456789012345678901234567890123456789012345678901234567890123", true },
    { "a234567890123456789012345678901234567890123456789012345678901234",
      false },
    { "", false },
    { "1a", false },
    { "a b", false },
    { "a;", false },
    { "a-b", false },
    { "\"a\"", false },
    { "a\n", false },
    { "\xc3\xa4", false },
    { "a\xc3\xa4", false },
  };

  fixture_open();
  cr_assert_eq(tn_conn_begin(conn, NULL, &err), TN_OK);
  for (size_t i = 0; i < TN_COUNT(savepoints) * TN_COUNT(cases); i++) {
    const char *name = cases[i % TN_COUNT(cases)].name;
    savepoint_fn run = savepoints[i / TN_COUNT(cases)].run;
    enum tn_code wanted =
        cases[i % TN_COUNT(cases)].is_name ? TN_OK : TN_E_USAGE;

    script.savepoint[0] = '\0';
    cr_expect_eq(run(conn, name, &err), wanted, "case %zu: \"%s\"", i, name);
    cr_expect_eq(run(conn, name, NULL), wanted, "case %zu: \"%s\"", i, name);
    cr_expect_str_eq(script.savepoint, wanted == TN_OK ? name : "",
                     "case %zu: \"%s\"", i, name);
    if (wanted != TN_OK)
      cr_expect(strstr(err.message, "is no name") != NULL, "%s", err.message);
  }
  fixture_expect_usable("refusals");
  fixture_close();
}

Test(conn_txn, each_savepoint_call_has_its_slot_and_needs_a_transaction)
{
  fixture_open();
  for (size_t i = 0; i < TN_COUNT(savepoints); i++) {
    script.txn_state = TN_TXN_NONE;
    expect_state(savepoints[i].run(conn, "a", &err), "none is open");
    cr_expect_eq(script.calls[savepoints[i].slot], 0, "case %zu", i);
    script.txn_state = TN_TXN_OPEN;
    cr_expect_eq(savepoints[i].run(conn, "a", &err), TN_OK, "case %zu", i);
    cr_expect_eq(script.calls[savepoints[i].slot], 1, "case %zu", i);
  }
  fixture_close();
}

Test(conn_txn, going_back_to_a_savepoint_is_allowed_when_aborted)
{
  fixture_open();
  script.txn_state = TN_TXN_ABORTED;
  cr_expect_eq(tn_conn_rollback_savepoint(conn, "a", &err), TN_OK, "%s",
               err.message);
  cr_expect_eq(script.calls[FAKE_ROLLBACK_SAVEPOINT], 1);
  fixture_close();
}

Test(conn_txn, without_savepoints_a_backend_refuses_them)
{
  static struct tn_txn_table txn;

  txn = *(const struct tn_txn_table *)fake_plugin_entry(NULL)->get_table(
      TN_TABLE_TXN);
  txn.savepoint = NULL;
  txn.release_savepoint = NULL;
  txn.rollback_savepoint = NULL;
  tables[TN_TABLE_TXN] = &txn;
  plugin.caps &= ~TN_CAP_SAVEPOINT;
  fixture_open();
  cr_assert_eq(tn_conn_begin(conn, NULL, &err), TN_OK);
  for (size_t i = 0; i < TN_COUNT(savepoints); i++) {
    cr_expect_eq(savepoints[i].run(conn, "a", &err), TN_E_UNSUPPORTED);
    cr_expect_eq(savepoints[i].run(conn, "a", NULL), TN_E_UNSUPPORTED);
  }
  fixture_expect_usable("refusals");
  fixture_close();
}
