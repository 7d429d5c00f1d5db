/* Batches of statements that return no rows: all or none, and which row it was.
 * Most of this is owed in both ways of a backend, and run twice. */
#include "batch_fixture.h"

TestSuite(batch, .init = fixture_init, .timeout = 60);

/* ---- statements without rows ---- */

Test(batch, runs_the_statement_for_each_row_in_one_transaction)
{
  static const char *const traces[] = {
    "begin execute columns info close_result execute columns info close_result "
    "execute columns info close_result commit",
    "begin execute_batch columns info close_result commit",
  };

  for (enum way way = LOOP; way < WAYS; way++) {
    const tn_value *row = rows;
    tn_result *result;
    int64_t key = 0;

    begin(way, "insert ?, ?");
    result = run(&three_pairs);
    cr_expect_str_eq(script.given, "1,2;3,4;5,6;", "%s", way_names[way]);
    cr_expect_eq(script.call_flags, 0);
    for (char *at = strstr(script.trace, "state "); at != NULL;
         at = strstr(script.trace, "state "))
      memmove(at, at + 6, strlen(at + 6) + 1);
    cr_expect_str_eq(script.trace, traces[way], "%s: %s", way_names[way],
                     script.trace);
    cr_expect_eq(tn_result_affected(result), 6, "%s", way_names[way]);
    cr_expect_eq(tn_result_generated_key(result, &key, &err), TN_OK);
    cr_expect_eq(key, 12);
    cr_expect_eq(tn_result_column_count(result), 0);
    cr_expect_eq(tn_result_next(result, &row, &err), TN_OK);
    cr_expect_eq(row, NULL);
    cr_expect_eq(next_set(result), 0);
    cr_expect_eq(tn_conn_txn_state(conn), TN_TXN_NONE);
    fixture_expect_usable(way_names[way]);
    tn_result_close(&result);
    end();
  }
}

Test(batch, begins_a_transaction_only_where_one_is_needed_and_to_be_had)
{
  static const struct {
    const char *sql;
    size_t row_count;
    uint32_t txn_state;
    uint64_t caps; /* that the plug-in lacks */
    unsigned begins;
  } cases[] = {
    { "insert ?", 3, TN_TXN_NONE, 0, 1 },
    { "insert ?", 1, TN_TXN_NONE, 0, 0 },
    { "insert ?", 3, TN_TXN_OPEN, 0, 0 },
    { "insert ?", 3, TN_TXN_NONE, TN_CAP_TRANSACTION, 0 },
    { "select ?", 3, TN_TXN_NONE, 0, 0 },
    { "other ?", 3, TN_TXN_NONE, 0, 1 },
  };

  for (size_t i = 0; i < WAYS * TN_COUNT(cases); i++) {
    const size_t at = i / WAYS;
    const struct tn_batch batch = { .values = six,
                                    .value_count = 1,
                                    .row_count = cases[at].row_count };
    tn_result *result;

    fixture_init();
    plugin.caps &= ~cases[at].caps;
    begin(i % WAYS, cases[at].sql);
    script.txn_state = cases[at].txn_state;
    result = run(&batch);
    cr_expect_eq(script.calls[FAKE_BEGIN], cases[at].begins, "case %zu", i);
    tn_result_close(&result);
    cr_expect_eq(script.calls[FAKE_COMMIT], cases[at].begins, "case %zu", i);
    cr_expect_eq(script.calls[FAKE_ROLLBACK], 0, "case %zu", i);
    cr_expect_eq(tn_conn_txn_state(conn), cases[at].txn_state, "case %zu", i);
    end();
  }
}

Test(batch, of_no_rows_does_nothing)
{
  static const struct tn_batch none = { .value_count = 2 };

  for (enum way way = LOOP; way < WAYS; way++) {
    static const char *const statements[] = { "insert ?, ?", "select ?, ?" };

    for (size_t i = 0; i < TN_COUNT(statements); i++) {
      const tn_value *row = rows;
      tn_result *result;
      int64_t key;

      begin(way, statements[i]);
      result = run(&none);
      cr_expect_eq(script.trace[0], '\0', "%s", script.trace);
      cr_expect_eq(tn_result_affected(result), 0);
      cr_expect_eq(tn_result_generated_key(result, &key, NULL), TN_E_NOT_FOUND);
      cr_expect_eq(tn_result_column_count(result), 0);
      cr_expect_eq(tn_result_next(result, &row, &err), TN_OK);
      cr_expect_eq(row, NULL);
      cr_expect_eq(next_set(result), 0);
      fixture_expect_usable("a batch of nothing");
      tn_result_close(&result);
      end();
    }
  }
}

Test(batch, shows_nothing_of_the_run_before_when_it_has_no_rows)
{
  static const struct tn_batch none = { .value_count = 1 };

  for (enum way way = LOOP; way < WAYS; way++) {
    tn_result *result;

    begin(way, "insert ?");
    result = run(&three);
    tn_result_close(&result);
    result = run(&none);
    cr_expect_eq(tn_result_affected(result), 0);
    tn_result_close(&result);
    end();
  }
}

/* A statement of whose rows prepare() knew nothing. */
Test(batch, of_rows_that_come_unexpected_runs_to_its_end)
{
  for (enum way way = LOOP; way < WAYS; way++) {
    tn_result *result;

    begin(way, "call ?");
    tn_prepared_close(&prepared);
    script.is_columns_late = 1;
    cr_assert_eq(tn_conn_prepare(conn, "select ?", 0, &prepared, &err), TN_OK);
    result = run(&three);
    cr_expect_str_eq(script.given, "1;2;3;", "%s", way_names[way]);
    cr_expect_eq(script.calls[FAKE_FETCH], 3 * (TN_COUNT(rows) + 1));
    cr_expect_eq(script.calls[FAKE_COMMIT], 1);
    cr_expect_eq(tn_conn_txn_state(conn), TN_TXN_NONE);
    fixture_expect_usable("unexpected rows");
    tn_result_close(&result);
    end();
  }
}

/* ---- values ---- */

Test(batch, values_are_put_in_order_row_by_row)
{
  static const struct {
    const char *sql;
    const char *names[3];
    const char *given;
  } cases[] = {
    { "insert :a, :b", { "a", "b" }, "1,2;3,4;5,6;" },
    { "insert :b, :a", { "a", "b" }, "2,1;4,3;6,5;" },
    { "insert :a, :b", { "b", "a" }, "2,1;4,3;6,5;" },
    { "insert :a, :b, :a", { "a", "b" }, "1,2,1;3,4,3;5,6,5;" },
    { "insert :b, :b, :a", { "a", "b" }, "2,2,1;4,4,3;6,6,5;" },
    { "insert ?, ?", { NULL }, "1,2;3,4;5,6;" },
  };

  for (size_t i = 0; i < WAYS * TN_COUNT(cases); i++) {
    struct tn_batch batch = three_pairs;
    tn_result *result;

    if (cases[i / WAYS].names[0] != NULL)
      batch.names = cases[i / WAYS].names;
    begin(i % WAYS, cases[i / WAYS].sql);
    result = run(&batch);
    cr_expect_str_eq(script.given, cases[i / WAYS].given, "case %zu", i);
    tn_result_close(&result);
    end();
  }
}

Test(batch, values_in_order_are_not_copied)
{
  static const char *const ab[] = { "a", "b" };
  static const char *const ba[] = { "b", "a" };
  static const struct {
    const char *sql;
    const char *const *names;
    bool is_copied;
  } cases[] = {
    { "insert ?, ?", NULL, false },    { "insert :a, :b", ab, false },
    { "insert :a, :b", ba, true },     { "insert :b, :a", ba, false },
    { "insert :a, :b, :a", ab, true },
  };

  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    struct tn_batch batch = three_pairs;
    tn_result *result;

    batch.names = cases[i].names;
    begin(OWN, cases[i].sql);
    result = run(&batch);
    cr_expect_eq(script.values_at != six, cases[i].is_copied, "case %zu", i);
    tn_result_close(&result);
    end();
  }
}

Test(batch, what_does_not_fit_the_statement_is_refused)
{
  static const char *const ab[] = { "a", "b" };
  static const char *const ac[] = { "a", "c" };
  const struct {
    const char *sql;
    struct tn_batch batch;
    const char *message;
  } cases[] = {
    { "insert ?, ?", three, "1 value for a statement with 2 parameters" },
    { "insert ?", three_pairs, "2 values for a statement with 1 parameter" },
    { "insert ?", { .value_count = 1, .row_count = 2 }, "2 rows without" },
    { "insert ?, ?",
      { .values = six, .names = ab, .value_count = 2, .row_count = 3 },
      "has no :name" },
    { "insert :a, :b", three_pairs, "each value needs a name" },
    { "insert :a, :b",
      { .values = six, .names = ac, .value_count = 2, .row_count = 3 },
      "\"c\" is not used" },
  };

  for (size_t i = 0; i < WAYS * TN_COUNT(cases); i++) {
    const size_t at = i / WAYS;

    begin(i % WAYS, cases[at].sql);
    expect_failure(&cases[at].batch, TN_E_USAGE, cases[at].message);
    cr_expect(strstr(err.message, cases[at].message) != NULL, "case %zu: %s", i,
              err.message);
    cr_expect_eq(script.calls[FAKE_BEGIN] + script.calls[FAKE_EXECUTE] +
                     script.calls[FAKE_EXECUTE_BATCH],
                 0, "case %zu", i);
    fixture_expect_usable("a refusal");
    end();
  }
}

Test(batch, a_flag_that_is_none_is_refused)
{
  const struct tn_batch flagged = {
    .values = six, .value_count = 1, .row_count = 3, .flags = 1u << 31
  };

  begin(LOOP, "insert ?");
  expect_failure(&flagged, TN_E_USAGE, "flags");
  fixture_expect_usable("a refusal");
  end();
}

Test(batch, a_bad_value_is_told_by_row_and_name_before_anything_is_sent)
{
  static const char *const names[] = { "a", "b" };
  static const struct {
    const char *sql;
    int32_t parameter;
    const char *message;
  } cases[] = {
    { "insert ?, ?", 2, "parameter 2: " },
    { "insert :a, :b", 2, "parameter :b: " },
    { "insert :b, :a", 1, "parameter :b: " },
    { "insert :a, :a, :b", 2, "parameter :b: " },
    { "select ?, ?", 2, "parameter 2: " },
  };

  for (size_t i = 0; i < WAYS * TN_COUNT(cases); i++) {
    const size_t at = i / WAYS;
    tn_value values[6];
    const struct tn_batch batch = { .values = values,
                                    .names = strchr(cases[at].sql, ':') == NULL
                                                 ? NULL
                                                 : names,
                                    .value_count = 2,
                                    .row_count = 3 };

    memcpy(values, six, sizeof values);
    values[5] = tn_text("\xff");
    begin(i % WAYS, cases[at].sql);
    expect_failure(&batch, TN_E_CHARSET, cases[at].sql);
    cr_expect_eq(err.row, 3, "case %zu: %d", i, (int)err.row);
    cr_expect_eq(err.parameter, cases[at].parameter, "case %zu: %d", i,
                 err.parameter);
    cr_expect(
        strncmp(err.message, cases[at].message, strlen(cases[at].message)) == 0,
        "case %zu: %s", i, err.message);
    cr_expect_eq(script.calls[FAKE_BEGIN] + script.calls[FAKE_EXECUTE] +
                     script.calls[FAKE_EXECUTE_BATCH],
                 0, "case %zu", i);
    cr_expect_eq(
        tn_prepared_batch(prepared, &batch, &(tn_result *){ NULL }, NULL),
        TN_E_CHARSET);
    fixture_expect_usable("a refusal");
    end();
  }
}

/* ---- failures ---- */

/* The second row is a duplicate, in either way. */
static const struct fake_answer second_fails[] = {
  { .slot = FAKE_EXECUTE,
    .nth = 2,
    .category = -1,
    .native = 2067,
    .parameter = 1,
    .message = "there already" },
  { .slot = FAKE_EXECUTE_BATCH,
    .category = -1,
    .native = 2067,
    .parameter = 1,
    .row = 2,
    .message = "there already" },
};

static void
expect_second_failed(const char *what)
{
  cr_expect_eq(err.row, 2, "%s: %d", what, (int)err.row);
  cr_expect_eq(err.native, 2067, "%s", what);
  cr_expect_str_eq(err.backend, "fake");
  cr_expect_str_eq(err.message, "there already");
}

Test(batch, a_row_that_fails_undoes_all_and_is_told)
{
  for (enum way way = LOOP; way < WAYS; way++) {
    begin(way, "insert :b, :a");
    tn_prepared_close(&prepared);
    cr_assert_eq(tn_conn_prepare(conn, "insert ?", 0, &prepared, &err), TN_OK);
    SCRIPT_ANSWERS(second_fails);
    expect_failure(&three, TN_E_DUPLICATE, way_names[way]);
    expect_second_failed(way_names[way]);
    cr_expect_eq(script.calls[FAKE_EXECUTE], way == LOOP ? 2 : 0);
    cr_expect_eq(script.calls[FAKE_COMMIT], 0);
    cr_expect_eq(script.calls[FAKE_ROLLBACK], 1);
    cr_expect_eq(tn_conn_txn_state(conn), TN_TXN_NONE);
    fixture_expect_usable("a failure");

    /* and once more without an error object */
    atomic_store(&script.calls[FAKE_EXECUTE], 0);
    cr_expect_eq(
        tn_prepared_batch(prepared, &three, &(tn_result *){ NULL }, NULL),
        TN_E_DUPLICATE);
    cr_expect_eq(script.calls[FAKE_ROLLBACK], 2);
    fixture_expect_usable("a failure nobody looks at");
    end();
  }
}

Test(batch, a_row_that_fails_leaves_an_open_transaction_to_its_owner)
{
  for (enum way way = LOOP; way < WAYS; way++) {
    begin(way, "insert ?");
    SCRIPT_ANSWERS(second_fails);
    cr_assert_eq(tn_conn_begin(conn, NULL, &err), TN_OK);
    expect_failure(&three, TN_E_DUPLICATE, way_names[way]);
    expect_second_failed(way_names[way]);
    cr_expect_eq(script.calls[FAKE_ROLLBACK], 0);
    cr_expect_eq(tn_conn_txn_state(conn), TN_TXN_OPEN);
    fixture_expect_usable("a failure");
    end();
  }
}

Test(batch, a_parameter_that_the_plug_in_refuses_is_named_as_it_was_given)
{
  static const char *const names[] = { "a", "b" };
  const struct tn_batch batch = {
    .values = six, .names = names, .value_count = 2, .row_count = 3
  };

  for (enum way way = LOOP; way < WAYS; way++) {
    begin(way, "insert :b, :a");
    SCRIPT_ANSWERS(second_fails);
    expect_failure(&batch, TN_E_DUPLICATE, way_names[way]);
    cr_expect_eq(err.parameter, 1);
    cr_expect(strstr(err.detail, ":b") != NULL, "%s", err.detail);
    end();
  }
}

/* What goes wrong around the rows. */
static const struct {
  struct fake_answer answer;
  enum tn_code code;
  unsigned rollbacks;
  uint32_t verdict; /* on the connection, afterwards */
} around_cases[] = {
  { { .slot = FAKE_BEGIN, .category = TN_E_BUSY },
    TN_E_BUSY,
    0,
    TN_CONNECTION_USABLE },
  { { .slot = FAKE_COLUMNS, .category = TN_E_LIMIT },
    TN_E_LIMIT,
    1,
    TN_CONNECTION_USABLE },
  { { .slot = FAKE_INFO, .category = TN_E_DATA },
    TN_E_DATA,
    1,
    TN_CONNECTION_USABLE },
  { { .slot = FAKE_COMMIT, .category = -1, .sqlstate = "40001" },
    TN_E_SERIALIZATION,
    1,
    TN_CONNECTION_USABLE },
  { { .slot = FAKE_COMMIT, .category = TN_E_BUSY },
    TN_E_BUSY,
    1,
    TN_CONNECTION_USABLE },
  { { .slot = FAKE_COMMIT, .category = -1, .native = 2013 },
    TN_E_UNCERTAIN,
    0,
    TN_CONNECTION_DEAD },
  { { .slot = FAKE_EXECUTE, .nth = 2, .category = -1, .native = 2013 },
    TN_E_LOST,
    0,
    TN_CONNECTION_DEAD },
  { { .slot = FAKE_EXECUTE_BATCH, .category = -1, .native = 2013 },
    TN_E_LOST,
    0,
    TN_CONNECTION_DEAD },
  { { .slot = FAKE_EXECUTE_BATCH, .flags = FAKE_NO_OUTPUT },
    TN_E_INTERNAL,
    1,
    TN_CONNECTION_USABLE },
  { { .slot = FAKE_CLOSE_RESULT, .category = -1, .native = 2013 },
    TN_OK,
    0,
    TN_CONNECTION_DEAD },
};

Test(batch, a_failure_around_the_rows_rolls_back_unless_the_session_died)
{
  for (size_t i = 0; i < WAYS * TN_COUNT(around_cases); i++) {
    const size_t at = i / WAYS;
    const struct fake_answer *answer = &around_cases[at].answer;

    if (!is_of(i % WAYS, answer->slot) || around_cases[at].code == TN_OK)
      continue;
    begin(i % WAYS, "insert ?");
    script.answers = answer;
    script.answer_count = 1;
    expect_failure(&three, around_cases[at].code, "around");
    cr_expect_eq(script.calls[FAKE_ROLLBACK], around_cases[at].rollbacks,
                 "case %zu: %u", i, script.calls[FAKE_ROLLBACK]);
    cr_expect_eq(tn_conn_verdict(conn), around_cases[at].verdict, "case %zu",
                 i);
    if (around_cases[at].code == TN_E_UNCERTAIN)
      cr_expect_eq(err.replay, TN_REPLAY_UNKNOWN);
    script.answer_count = 0;
    if (around_cases[at].verdict == TN_CONNECTION_USABLE) {
      cr_expect_eq(tn_conn_txn_state(conn), TN_TXN_NONE, "case %zu", i);
      fixture_expect_usable("a failure around the rows");
    }
    end();
  }
}

Test(batch, a_session_that_dies_while_a_result_is_closed_is_dead)
{
  static const struct fake_answer dies[] = {
    { .slot = FAKE_CLOSE_RESULT, .category = -1, .native = 2013 },
  };

  for (enum way way = LOOP; way < WAYS; way++) {
    tn_result *result = NULL;
    enum tn_code rc;

    begin(way, "insert ?");
    SCRIPT_ANSWERS(dies);
    rc = tn_prepared_batch(prepared, &three, &result, &err);
    cr_expect_eq(tn_conn_verdict(conn), TN_CONNECTION_DEAD, "%s: %s",
                 way_names[way], tn_code_name(rc));
    cr_expect_eq(tn_conn_ping(conn, 0, &err), TN_E_LOST);
    tn_result_close(&result);
    end();
  }
}

/* Nobody knows what is in the transaction that stays. */
Test(batch, a_session_that_cannot_roll_back_is_dead)
{
  static const struct fake_answer stuck[] = {
    { .slot = FAKE_EXECUTE, .nth = 2, .category = TN_E_CHECK, .message = "no" },
    { .slot = FAKE_EXECUTE_BATCH, .category = TN_E_CHECK, .message = "no" },
    { .slot = FAKE_ROLLBACK, .category = TN_E_TIMEOUT },
  };

  for (enum way way = LOOP; way < WAYS; way++) {
    begin(way, "insert ?");
    SCRIPT_ANSWERS(stuck);
    expect_failure(&three, TN_E_CHECK, way_names[way]);
    cr_expect_str_eq(err.message, "no");
    cr_expect_eq(err.connection, TN_CONNECTION_DEAD);
    cr_expect_eq(tn_conn_verdict(conn), TN_CONNECTION_DEAD);
    end();
  }
}

/* The database has rolled back by itself: there is nothing left to undo, and
 * the session is as good as before. */
Test(batch, a_transaction_of_its_own_that_was_chosen_as_victim_is_over)
{
  static const struct fake_answer victim[] = {
    { .slot = FAKE_EXECUTE, .nth = 2, .category = -1, .native = 1213 },
    { .slot = FAKE_EXECUTE_BATCH, .category = -1, .native = 1213 },
  };

  for (enum way way = LOOP; way < WAYS; way++) {
    begin(way, "insert ?");
    SCRIPT_ANSWERS(victim);
    expect_failure(&three, TN_E_DEADLOCK, way_names[way]);
    cr_expect_eq(err.connection, TN_CONNECTION_USABLE, "%s: %d", way_names[way],
                 err.connection);
    cr_expect_eq(err.replay, TN_REPLAY_SAFE, "%s: %d", way_names[way],
                 err.replay);
    fixture_expect_usable("a deadlock");
    end();
  }
}

/* ---- deadlines and cancels ---- */

Test(batch, ends_at_its_deadline_and_rolls_back)
{
  static const struct fake_answer slow[] = {
    { .slot = FAKE_EXECUTE, .nth = 2, .wait_ms = 20000 },
    { .slot = FAKE_EXECUTE_BATCH, .wait_ms = 20000 },
  };

  for (enum way way = LOOP; way < WAYS; way++) {
    struct tn_batch batch = three;

    begin(way, "insert ?");
    SCRIPT_ANSWERS(slow);
    batch.deadline = tn_deadline_after_ms(60);
    expect_failure(&batch, TN_E_TIMEOUT, way_names[way]);
    cr_expect_eq(script.calls[FAKE_ROLLBACK], 1);
    cr_expect_eq(tn_conn_txn_state(conn), TN_TXN_NONE);
    script.answer_count = 0;
    fixture_expect_usable("a deadline");
    batch.deadline = 1;
    expect_failure(&batch, TN_E_TIMEOUT, "a deadline that has passed");
    cr_expect_eq(script.calls[FAKE_BEGIN], 1);
    end();
  }
}

/* A backend whose calls never wait asks nobody. */
Test(batch, a_deadline_that_passes_between_rows_ends_it)
{
  static const struct fake_answer slow[] = {
    { .slot = FAKE_EXECUTE, .nth = 2, .wait_ms = 10 },
  };
  struct tn_batch batch = { .values = six, .value_count = 0 };

  begin(LOOP, "insert");
  SCRIPT_ANSWERS(slow);
  batch.row_count = SIZE_MAX / 2;
  batch.deadline = tn_deadline_after_ms(100);
  script.has_trace = 0;
  expect_failure(&batch, TN_E_TIMEOUT, "endless");
  cr_expect_gt(script.calls[FAKE_EXECUTE], 2);
  cr_expect_eq(err.row, script.calls[FAKE_EXECUTE] + 1, "%d, %u", (int)err.row,
               script.calls[FAKE_EXECUTE]);
  cr_expect_eq(tn_conn_txn_state(conn), TN_TXN_NONE);
  fixture_expect_usable("a deadline");
  end();
}

/* ---- memory ---- */

static bool
walk(long nth, bool and_all_after, const struct tn_batch *batch)
{
  tn_result *result = NULL;
  bool has_failed;
  enum tn_code rc;

  oom_fail_nth(nth, and_all_after);
  rc = tn_prepared_batch(prepared, batch, &result, &err);
  if (rc == TN_OK)
    rc = read_all(result);
  has_failed = oom_count() >= nth;
  cr_expect_eq(rc, has_failed ? TN_E_MEMORY : TN_OK, "allocation %ld: %s", nth,
               tn_code_name(rc));
  tn_result_close(&result);
  oom_reset();
  cr_expect_eq(tn_conn_txn_state(conn), TN_TXN_NONE, "allocation %ld", nth);
  if (has_failed)
    fixture_expect_usable("out of memory");
  return has_failed;
}

Test(batch, gets_by_without_memory)
{
  static const char *const names[] = { "a", "b" };
  static const char *const statements[] = { "insert :b, :a, :b",
                                            "select :b, :a, :b" };
  struct tn_batch batch = three_pairs;

  batch.names = names;
  for (size_t i = 0; i < 2 * WAYS * TN_COUNT(statements); i++) {
    long nth = 1;

    begin(i % WAYS, statements[i / (2 * WAYS)]);
    while (walk(nth, i / WAYS % 2 != 0, &batch))
      nth++;
    cr_expect_gt(nth, 1, "case %zu", i);
    end();
  }
}

/* Every run starts anew: nothing of the one before is kept. */
Test(batch, runs_do_not_grow)
{
  static const char *const names[] = { "a", "b" };
  static const char *const statements[] = { "insert :b, :a", "select :b, :a" };
  struct tn_batch batch = three_pairs;

  batch.names = names;
  for (size_t i = 0; i < WAYS * TN_COUNT(statements); i++) {
    long live = 0;

    begin(i % WAYS, statements[i / WAYS]);
    script.has_trace = 0;
    oom_fail_nth(0, false);
    for (int round = 0; round < 50; round++) {
      tn_result *result = run(&batch);

      if (round % 2 == 0)
        cr_expect_eq(read_all(result), TN_OK);
      tn_result_close(&result);
      if (round == 1)
        live = oom_live();
    }
    cr_expect_eq(oom_live(), live, "case %zu", i);
    oom_reset();
    end();
  }
}
