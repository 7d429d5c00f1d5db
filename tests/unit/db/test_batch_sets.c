/* Batches of statements that return rows: a set for each row of values. */
#include "batch_fixture.h"

#include <time.h>

TestSuite(batch_sets, .init = fixture_init, .timeout = 60);

/* ---- statements with rows ---- */

Test(batch_sets, has_a_set_for_each_row_of_values)
{
  for (enum way way = LOOP; way < WAYS; way++) {
    tn_result *result;

    begin(way, "select ?");
    result = run(&three);
    cr_expect_eq(tn_conn_ping(conn, 0, NULL), TN_E_STATE, "a result is open");
    for (int set = 1; set <= 3; set++) {
      expect_set(result, way_names[way]);
      cr_expect_eq(tn_result_affected(result), TN_COUNT(rows));
      cr_expect_eq(next_set(result), set < 3, "%s: set %d", way_names[way],
                   set);
    }
    cr_expect_str_eq(script.given, "1;2;3;");
    fixture_expect_usable("the last set");
    cr_expect_eq(next_set(result), 0);
    tn_result_close(&result);
    end();
  }
}

/* Their copy must last as long as there are sets to come. */
Test(batch_sets, of_values_that_were_put_in_order_are_many)
{
  static const char *const names[] = { "a", "b" };
  static tn_value many[2000];
  const struct tn_batch batch = {
    .values = many, .names = names, .value_count = 2, .row_count = 1000
  };

  for (size_t i = 0; i < TN_COUNT(many); i++)
    many[i] = tn_int64((int64_t)i);
  for (enum way way = LOOP; way < WAYS; way++) {
    tn_result *result;

    begin(way, "select :b, :a");
    script.has_trace = 0;
    result = run(&batch);
    for (int64_t set = 0; set < 1000; set++) {
      if (way == LOOP) {
        cr_assert_eq(script.values[0].as.int64, 2 * set + 1);
        cr_assert_eq(script.values[1].as.int64, 2 * set);
      }
      expect_set(result, way_names[way]);
      cr_assert_eq(next_set(result), set < 999);
    }
    tn_result_close(&result);
    end();
  }
}

Test(batch_sets, drops_the_rows_of_a_set_that_are_not_read)
{
  for (enum way way = LOOP; way < WAYS; way++) {
    const tn_value *row = rows;
    tn_result *result;

    begin(way, "select ?");
    result = run(&three);
    cr_expect_eq(next_set(result), 1);
    cr_assert_eq(tn_result_next(result, &row, &err), TN_OK);
    cr_expect_eq(next_set(result), 1);
    expect_set(result, "the third");
    cr_expect_eq(next_set(result), 0);
    cr_assert_eq(tn_result_next(result, &row, &err), TN_OK);
    cr_expect_eq(row, NULL);
    tn_result_close(&result);

    result = run(&three);
    for (int set = 1; set <= 3; set++)
      cr_expect_eq(next_set(result), set < 3);
    cr_assert_eq(tn_result_next(result, &row, &err), TN_OK);
    cr_expect_eq(row, NULL);
    fixture_expect_usable("sets that nobody reads");
    tn_result_close(&result);
    end();
  }
}

Test(batch_sets, runs_a_row_with_rows_when_it_is_asked_for)
{
  tn_result *result;

  begin(LOOP, "select ?");
  result = run(&three);
  expect_set(result, "the first");
  cr_expect_str_eq(script.given, "1;");
  cr_expect_str_eq(tn_result_column_name(result, 0), "a");
  cr_expect_eq(next_set(result), 1);
  cr_expect_str_eq(script.given, "1;2;");
  tn_result_close(&result);
  cr_expect_str_eq(script.given, "1;2;");
  fixture_expect_usable("an early close");
  end();
}

Test(batch_sets, sets_that_are_closed_early_leave_nothing_behind)
{
  const struct tn_query query = { .values = six, .value_count = 1 };

  for (enum way way = LOOP; way < WAYS; way++)
    for (int read = 0; read < 3; read++) {
      tn_result *result;

      begin(way, "select ?");
      result = run(&three);
      for (int set = 0; set < read; set++) {
        expect_set(result, "before");
        cr_expect_eq(next_set(result), 1);
      }
      tn_result_close(&result);
      fixture_expect_usable("an early close");

      /* a plain run has one set */
      cr_assert_eq(tn_prepared_query(prepared, &query, &result, &err), TN_OK);
      expect_set(result, "a plain run");
      cr_expect_eq(next_set(result), 0);
      tn_result_close(&result);
      end();
    }
}

Test(batch_sets, a_set_that_fails_ends_it_with_its_row)
{
  static const struct fake_answer answers[][2] = {
    { { .slot = FAKE_EXECUTE,
        .nth = 2,
        .category = TN_E_CHECK,
        .parameter = 1,
        .message = "no" },
      { .slot = FAKE_NEXT_SET,
        .nth = 1,
        .category = TN_E_CHECK,
        .parameter = 1,
        .row = 2,
        .message = "no" } },
    { { .slot = FAKE_FETCH,
        .nth = 4,
        .category = TN_E_CHECK,
        .parameter = 1,
        .row = 2,
        .message = "no" },
      { .slot = FAKE_PING, .category = TN_E_IO } },
  };
  static const char *const names[] = { "a" };
  const struct tn_batch batch = {
    .values = six, .names = names, .value_count = 1, .row_count = 3
  };
  const struct tn_query query = { .values = six,
                                  .names = names,
                                  .value_count = 1 };

  for (size_t i = 0; i < WAYS * TN_COUNT(answers); i++) {
    const tn_value *row = rows;
    tn_result *result;
    int has_set = 77;
    enum tn_code rc = TN_OK;

    begin(i % WAYS, "select :a");
    SCRIPT_ANSWERS(answers[i / WAYS]);
    result = run(&batch);
    tn_err_clear(&err);
    while (rc == TN_OK && has_set) {
      row = rows;
      while (rc == TN_OK && row != NULL)
        rc = tn_result_next(result, &row, &err);
      if (rc == TN_OK)
        rc = tn_result_next_set(result, &has_set, &err);
    }
    cr_expect_eq(rc, TN_E_CHECK, "case %zu", i);
    cr_expect_eq(err.row, 2, "case %zu: %d", i, (int)err.row);
    cr_expect_str_eq(err.message, "no", "case %zu", i);
    if (i / WAYS == 0)
      cr_expect(strstr(err.detail, ":a") != NULL, "case %zu: %s", i,
                err.detail);
    fixture_expect_usable("a set that failed");
    cr_expect_eq(tn_result_next_set(result, &has_set, &err), TN_E_STATE,
                 "case %zu", i);
    cr_expect_eq(tn_result_next_set(result, &has_set, NULL), TN_E_STATE);
    cr_expect_eq(tn_result_next(result, &row, &err), TN_E_STATE, "case %zu", i);
    tn_result_close(&result);
    script.answer_count = 0;
    cr_assert_eq(tn_prepared_query(prepared, &query, &result, &err), TN_OK);
    expect_set(result, "a plain run");
    cr_expect_eq(next_set(result), 0, "case %zu", i);
    tn_result_close(&result);
    end();
  }
}

Test(batch_sets, a_first_set_that_fails_leaves_the_statement_fit_for_the_next)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_EXECUTE, .category = TN_E_CHECK },
    { .slot = FAKE_EXECUTE_BATCH, .category = TN_E_CHECK, .row = 1 },
    { .slot = FAKE_COLUMNS, .category = TN_E_CHECK, .row = 1 },
  };
  const struct tn_query query = { .values = six, .value_count = 1 };

  for (size_t i = 0; i < WAYS * TN_COUNT(answers); i++) {
    tn_result *result = NULL;

    if (!is_of(i % WAYS, answers[i / WAYS].slot))
      continue;
    begin(i % WAYS, "select ?");
    script.answers = &answers[i / WAYS];
    script.answer_count = 1;
    expect_failure(&three, TN_E_CHECK, way_names[i % WAYS]);
    cr_expect_eq(err.row, 1, "case %zu: %d", i, (int)err.row);
    script.answer_count = 0;
    fixture_expect_usable("a first set that failed");
    cr_assert_eq(tn_prepared_query(prepared, &query, &result, &err), TN_OK);
    expect_set(result, "a plain run");
    cr_expect_eq(next_set(result), 0);
    fixture_expect_usable("a plain run");
    tn_result_close(&result);
    end();
  }
}

/* ---- deadlines and cancels ---- */

static void
pause_ms(long ms)
{
  const struct timespec pause = { .tv_nsec = ms * 1000000 };

  nanosleep(&pause, NULL);
}

Test(batch_sets, a_cancel_or_deadline_between_sets_ends_it_and_nothing_later)
{
  for (size_t i = 0; i < 2 * WAYS; i++) {
    struct tn_batch batch = three;
    tn_result *result;
    int has_set = 77;

    begin(i % WAYS, "select ?");
    batch.deadline = i < WAYS ? 0 : tn_deadline_after_ms(100);
    result = run(&batch);
    expect_set(result, "before");
    if (i < WAYS)
      tn_conn_cancel(conn);
    else
      pause_ms(120);
    cr_expect_eq(tn_result_next_set(result, &has_set, &err),
                 i < WAYS ? TN_E_CANCELED : TN_E_TIMEOUT, "case %zu", i);
    cr_expect_eq(has_set, 77);
    cr_expect_str_eq(script.given, i % WAYS == LOOP ? "1;" : "1;2;3;");
    cr_expect_eq(tn_conn_ping(conn, tn_deadline_after_ms(5000), &err), TN_OK);
    fixture_expect_usable("a cancel or deadline");
    tn_result_close(&result);
    end();
  }
}

/* ---- the life of its result ---- */

Test(batch_sets, one_result_of_a_statement_is_open_at_a_time)
{
  const struct tn_query query = { .values = six, .value_count = 1 };

  for (enum way way = LOOP; way < WAYS; way++) {
    tn_result *result;

    begin(way, "insert ?");
    result = run(&three);
    expect_failure(&three, TN_E_STATE, "a second batch");
    cr_expect_eq(
        tn_prepared_query(prepared, &query, &(tn_result *){ NULL }, &err),
        TN_E_STATE);
    cr_expect_eq(
        tn_prepared_batch(prepared, &three, &(tn_result *){ NULL }, NULL),
        TN_E_STATE);
    tn_result_close(&result);
    result = run(&three);
    tn_result_close(&result);
    end();
  }
}

Test(batch_sets, is_refused_while_another_result_streams)
{
  const struct tn_query query = { .sql = "select" };
  tn_result *other = NULL;

  begin(LOOP, "insert ?");
  cr_assert_eq(tn_conn_query(conn, &query, &other, &err), TN_OK);
  expect_failure(&three, TN_E_STATE, "streaming");
  tn_result_close(&other);
  fixture_expect_usable("a refusal");
  end();
}

Test(batch_sets, what_is_open_of_it_is_closed_with_the_statement)
{
  for (enum way way = LOOP; way < WAYS; way++) {
    tn_result *result;

    begin(way, "select ?");
    result = run(&three);
    expect_set(result, "the first");
    tn_prepared_close(&prepared);
    fixture_expect_usable("the close");
    end();
  }
}

Test(batch_sets, is_of_no_use_without_its_session_but_can_be_closed)
{
  for (enum way way = LOOP; way < WAYS; way++)
    for (int reads = 0; reads < 2; reads++) {
      tn_result *result;
      const tn_value *row = rows;
      int has_set = 77;

      begin(way, "select ?");
      result = run(&three);
      if (reads > 0)
        expect_set(result, "the first");
      fixture_close();
      cr_expect_eq(tn_result_next_set(result, &has_set, &err), TN_E_STATE);
      cr_expect(strstr(err.message, "connection is closed") != NULL, "%s",
                err.message);
      cr_expect_eq(tn_result_next_set(result, &has_set, NULL), TN_E_STATE);
      cr_expect_eq(tn_result_next(result, &row, &err), TN_E_STATE);
      cr_expect_eq(has_set, 77);
      cr_expect_eq(tn_result_column_count(result), 0);
      expect_failure(&three, TN_E_STATE, "no session");
      tn_result_close(&result);
      tn_prepared_close(&prepared);
    }
}
