/* Several result sets, as a procedure has them, and results that the backend
 * holds complete: streamed, copied, and complete they read the same. */
#include "fixture.h"

#include <time.h>

TestSuite(result_sets, .init = fixture_init, .timeout = 60);

static const struct tn_column one_column[] = { { "a", "int", TN_INT64, 0 } };
static const struct tn_column two_columns[] = { { "b", "int", TN_INT64, 0 },
                                                { "c", "", TN_INT64, 0 } };
static const tn_value numbers[] = {
  { .type = TN_INT64, .as.int64 = 1 },
  { .type = TN_INT64, .as.int64 = 2 },
  { .type = TN_INT64, .as.int64 = 3 },
  { .type = TN_INT64, .as.int64 = 4 },
};

/* "call" has two rows, one row of two columns, none, and at the end what it
 * did. "work" begins with a set that has no columns. */
static const struct fake_result done = {
  .info_flags = TN_RESULT_HAS_AFFECTED | TN_RESULT_HAS_KEY,
  .affected = 4,
  .generated_key = 12,
};
static const struct fake_result empty = { .columns = one_column,
                                          .column_count = 1,
                                          .next = &done };
static const struct fake_result second = { .columns = two_columns,
                                           .column_count = 2,
                                           .rows = numbers + 2,
                                           .row_count = 1,
                                           .next = &empty };
static const struct fake_result results[] = {
  { .sql = "call",
    .columns = one_column,
    .column_count = 1,
    .rows = numbers,
    .row_count = 2,
    .next = &second },
  { .sql = "work",
    .info_flags = TN_RESULT_HAS_AFFECTED,
    .affected = 7,
    .next = &second },
  { .sql = "plain",
    .columns = one_column,
    .column_count = 1,
    .rows = numbers,
    .row_count = 4 },
};

/* How the rows come. */
enum way { STREAMED, COPIED, COMPLETE, WAYS };
static const char *const way_names[] = { "streamed", "copied", "complete" };

static void
begin(enum way way)
{
  memset(&script, 0, sizeof script);
  script.has_trace = 1;
  script.is_complete = way == COMPLETE;
  fixture_enrich();
  plugin.caps |= TN_CAP_MULTI_RESULT | TN_CAP_PROCEDURE;
  SCRIPT_RESULTS(results);
  fixture_open();
}

static struct tn_query
query_of(enum way way, const char *sql)
{
  return (struct tn_query){ .sql = sql,
                            .flags = way == STREAMED ? 0 : TN_QUERY_BUFFERED };
}

static tn_result *
run(enum way way, const char *sql)
{
  const struct tn_query query = query_of(way, sql);
  tn_result *result = NULL;

  cr_assert_eq(tn_conn_query(conn, &query, &result, &err), TN_OK, "%s",
               err.message);
  return result;
}

/* The next row begins with that number; 0: the end. */
static void
expect_next(tn_result *result, int64_t number)
{
  const tn_value *row = numbers;

  cr_assert_eq(tn_result_next(result, &row, &err), TN_OK, "%s", err.message);
  if (number == 0)
    cr_expect_eq(row, NULL);
  else
    cr_expect_eq(row[0].as.int64, number);
}

static int
next_set(tn_result *result)
{
  int has_set = 77;

  cr_assert_eq(tn_result_next_set(result, &has_set, &err), TN_OK, "%s",
               err.message);
  return has_set;
}

static void
expect_refused(tn_result *result, const char *message)
{
  const tn_value *row = numbers;
  int has_set = 77;

  cr_expect_eq(tn_result_next(result, &row, &err), TN_E_STATE);
  cr_expect(strstr(err.message, message) != NULL, "%s", err.message);
  cr_expect_eq(tn_result_next_set(result, &has_set, &err), TN_E_STATE);
  cr_expect(strstr(err.message, message) != NULL, "%s", err.message);
  cr_expect_eq(tn_result_next(result, &row, NULL), TN_E_STATE);
  cr_expect_eq(tn_result_next_set(result, &has_set, NULL), TN_E_STATE);
  cr_expect_eq(row, numbers);
  cr_expect_eq(has_set, 77);
}

static void
pause_ms(long ms)
{
  const struct timespec pause = { .tv_nsec = ms * 1000000 };

  nanosleep(&pause, NULL);
}

/* ---- one after another ---- */

Test(result_sets, come_in_order_each_with_its_own_columns_and_counts)
{
  for (enum way way = STREAMED; way < WAYS; way++) {
    tn_result *result;
    int64_t key = 0;

    begin(way);
    result = run(way, "call");
    cr_expect_eq(tn_result_column_count(result), 1, "%s", way_names[way]);
    cr_expect_str_eq(tn_result_column_name(result, 0), "a");
    expect_next(result, 1);
    expect_next(result, 2);
    cr_expect_eq(tn_result_affected(result), 2);
    expect_next(result, 0);
    expect_next(result, 0);
    cr_expect_eq(tn_result_affected(result), 2);

    cr_assert_eq(next_set(result), 1, "%s", way_names[way]);
    cr_expect_eq(tn_result_column_count(result), 2);
    cr_expect_str_eq(tn_result_column_name(result, 1), "c");
    cr_expect_str_eq(tn_result_column_type_name(result, 0), "int");
    cr_expect_eq(tn_result_affected(result), 0);
    expect_next(result, 3);
    expect_next(result, 0);

    cr_assert_eq(next_set(result), 1);
    expect_next(result, 0);
    cr_assert_eq(next_set(result), 1);
    cr_expect_eq(tn_result_column_count(result), 0);
    expect_next(result, 0);
    cr_expect_eq(tn_result_affected(result), 4);
    cr_expect_eq(tn_result_generated_key(result, &key, &err), TN_OK);
    cr_expect_eq(key, 12);
    fixture_expect_usable("the last set");

    cr_expect_eq(next_set(result), 0);
    cr_expect_eq(next_set(result), 0);
    expect_next(result, 0);
    tn_result_close(&result);
    fixture_close();
  }
}

Test(result_sets, the_first_may_have_no_columns)
{
  for (enum way way = STREAMED; way < WAYS; way++) {
    tn_result *result;

    begin(way);
    result = run(way, "work");
    cr_expect_eq(tn_result_column_count(result), 0, "%s", way_names[way]);
    cr_expect_eq(tn_result_affected(result), 7);
    expect_next(result, 0);
    cr_expect_eq(next_set(result), 1);
    cr_expect_eq(tn_result_column_count(result), 2);
    cr_expect_eq(tn_result_affected(result), 0);
    expect_next(result, 3);
    tn_result_close(&result);
    fixture_expect_usable(way_names[way]);
    fixture_close();
  }
}

Test(result_sets, rows_that_are_not_read_are_dropped)
{
  for (size_t i = 0; i < 2 * WAYS; i++) {
    tn_result *result;

    begin(i % WAYS);
    result = run(i % WAYS, "call");
    if (i >= WAYS)
      expect_next(result, 1);
    cr_expect_eq(next_set(result), 1);
    expect_next(result, 3);
    cr_expect_eq(next_set(result), 1);
    cr_expect_eq(next_set(result), 1);
    cr_expect_eq(next_set(result), 0);
    expect_next(result, 0);
    fixture_expect_usable(way_names[i % WAYS]);
    tn_result_close(&result);

    /* also those of the only set */
    result = run(i % WAYS, "plain");
    expect_next(result, 1);
    cr_expect_eq(next_set(result), 0);
    expect_next(result, 0);
    fixture_expect_usable(way_names[i % WAYS]);
    tn_result_close(&result);
    fixture_close();
  }
}

Test(result_sets, a_plain_query_has_one)
{
  for (enum way way = STREAMED; way < WAYS; way++) {
    tn_result *result;

    begin(way);
    result = run(way, "plain");
    for (int64_t number = 1; number <= 5; number++)
      expect_next(result, number % 5);
    fixture_expect_usable("the last row");
    cr_expect_eq(next_set(result), 0, "%s", way_names[way]);
    tn_result_close(&result);
    fixture_close();
  }
}

Test(result_sets, are_not_asked_for_of_a_backend_that_never_has_them)
{
  tn_result *result;

  begin(STREAMED);
  fixture_close();
  plugin.caps &= ~(TN_CAP_MULTI_RESULT | TN_CAP_PROCEDURE);
  fixture_open();
  result = run(STREAMED, "plain");
  cr_expect_eq(next_set(result), 0);
  tn_result_close(&result);
  cr_expect_eq(tn_conn_exec(conn, "plain", NULL, &err), TN_OK);
  cr_expect_eq(script.calls[FAKE_NEXT_SET], 0);
  fixture_close();
}

Test(result_sets, streamed_hold_the_session_until_the_last_is_read)
{
  tn_result *result;

  begin(STREAMED);
  result = run(STREAMED, "call");
  cr_expect_eq(script.call_flags, 0);
  for (int set = 0; set < 4; set++) {
    cr_expect_eq(tn_conn_ping(conn, 0, &err), set < 3 ? TN_E_STATE : TN_OK,
                 "set %d", set);
    cr_expect_eq(next_set(result), set < 3);
  }
  tn_result_close(&result);
  for (int sets = 0; sets < 4; sets++) {
    result = run(STREAMED, "call");
    for (int set = 0; set < sets; set++)
      cr_expect_eq(next_set(result), 1);
    tn_result_close(&result);
    fixture_expect_usable("an early close");
  }
  fixture_close();
}

Test(result_sets, exec_and_scripts_run_to_the_last)
{
  static const struct fake_answer last_fails[] = {
    { .slot = FAKE_NEXT_SET, .nth = 3, .category = TN_E_CHECK },
  };
  uint64_t affected = 77;

  begin(STREAMED);
  cr_expect_eq(tn_conn_exec(conn, "call", &affected, &err), TN_OK);
  cr_expect_eq(affected, 4);
  cr_expect_eq(tn_conn_script(conn, "call; call", NULL, NULL, &err), TN_OK);
  cr_expect_eq(script.calls[FAKE_FETCH], 3 * (3 + 2 + 1));

  SCRIPT_ANSWERS(last_fails);
  atomic_store(&script.calls[FAKE_NEXT_SET], 0);
  affected = 77;
  cr_expect_eq(tn_conn_exec(conn, "call", &affected, &err), TN_E_CHECK);
  cr_expect_eq(affected, 77);
  atomic_store(&script.calls[FAKE_NEXT_SET], 0);
  cr_expect_eq(tn_conn_script(conn, "call", NULL, NULL, &err), TN_E_CHECK);
  fixture_expect_usable("a set that failed");
  fixture_close();
}

/* ---- failures ---- */

Test(result_sets, one_that_fails_ends_the_result_with_the_cause)
{
  static const struct {
    struct fake_answer answer;
    enum tn_code code;
  } cases[] = {
    { { .slot = FAKE_NEXT_SET, .category = TN_E_CHECK }, TN_E_CHECK },
    { { .slot = FAKE_NEXT_SET, .nth = 2, .category = TN_E_CHECK }, TN_E_CHECK },
    { { .slot = FAKE_NEXT_SET, .category = TN_E_CHECK, .flags = FAKE_SILENT },
      TN_E_INTERNAL },
    { { .slot = FAKE_NEXT_SET, .flags = FAKE_NO_OUTPUT }, TN_E_INTERNAL },
    { { .slot = FAKE_COLUMNS, .nth = 2, .category = TN_E_LIMIT }, TN_E_LIMIT },
    { { .slot = FAKE_INFO, .nth = 2, .category = TN_E_DATA }, TN_E_DATA },
    { { .slot = FAKE_FETCH, .nth = 5, .category = TN_E_IO }, TN_E_IO },
  };

  for (size_t i = 0; i < WAYS * TN_COUNT(cases); i++) {
    const size_t at = i / WAYS;
    const struct tn_query query = query_of(i % WAYS, "call");
    const tn_value *row = numbers;
    tn_result *result = NULL;
    int has_set = 1;
    enum tn_code rc;

    begin(i % WAYS);
    script.answers = &cases[at].answer;
    script.answer_count = 1;
    rc = tn_conn_query(conn, &query, &result, &err);
    while (rc == TN_OK && has_set) {
      row = numbers;
      while (rc == TN_OK && row != NULL)
        rc = tn_result_next(result, &row, &err);
      if (rc == TN_OK)
        rc = tn_result_next_set(result, &has_set, &err);
    }
    cr_expect_eq(rc, cases[at].code, "case %zu: %s: %s", i, tn_code_name(rc),
                 err.message);
    cr_expect_eq(err.code, (int32_t)cases[at].code, "case %zu", i);
    script.answer_count = 0;
    fixture_expect_usable("a set that failed");
    if (result != NULL)
      expect_refused(result, "failed before");
    tn_result_close(&result);
    fixture_close();
  }
}

Test(result_sets, a_session_that_dies_between_them_is_dead)
{
  static const struct fake_answer dies[] = {
    { .slot = FAKE_NEXT_SET, .nth = 2, .category = -1, .native = 2013 },
  };
  tn_result *result;
  int has_set = 77;

  begin(STREAMED);
  SCRIPT_ANSWERS(dies);
  result = run(STREAMED, "call");
  cr_expect_eq(next_set(result), 1);
  cr_expect_eq(tn_result_next_set(result, &has_set, NULL), TN_E_LOST);
  cr_expect_eq(has_set, 77);
  cr_expect_eq(tn_conn_verdict(conn), TN_CONNECTION_DEAD);
  tn_result_close(&result);
  fixture_close();
}

Test(result_sets, a_cancel_or_deadline_ends_them)
{
  for (int is_cancel = 0; is_cancel < 2; is_cancel++) {
    struct tn_query query = query_of(STREAMED, "call");
    tn_result *result = NULL;
    int has_set = 77;

    begin(STREAMED);
    query.deadline = is_cancel ? 0 : tn_deadline_after_ms(100);
    cr_assert_eq(tn_conn_query(conn, &query, &result, &err), TN_OK);
    cr_expect_eq(next_set(result), 1);
    if (is_cancel)
      tn_conn_cancel(conn);
    else
      pause_ms(120);
    cr_expect_eq(tn_result_next_set(result, &has_set, &err),
                 is_cancel ? TN_E_CANCELED : TN_E_TIMEOUT);
    cr_expect_eq(script.calls[FAKE_NEXT_SET], 1);
    fixture_expect_usable("the stop");
    expect_refused(result, "failed before");
    tn_result_close(&result);
    fixture_close();
  }
}

/* ---- complete ---- */

Test(result_sets, complete_rows_are_not_copied_and_the_session_is_free)
{
  tn_result *first;
  tn_result *second_result;

  begin(COMPLETE);
  first = run(COMPLETE, "plain");
  cr_expect_eq(script.call_flags, TN_CALL_BUFFER);
  cr_expect_eq(script.calls[FAKE_IS_COMPLETE], 1);
  cr_expect_eq(script.calls[FAKE_FETCH], 0);
  second_result = run(COMPLETE, "call");
  cr_expect_eq(tn_conn_exec(conn, "plain", NULL, &err), TN_OK);
  cr_expect_eq(script.call_flags, 0);
  cr_expect_eq(tn_conn_begin(conn, NULL, &err), TN_OK);
  cr_expect_eq(tn_conn_commit(conn, &err), TN_OK);
  cr_expect_eq(script.calls[FAKE_IS_COMPLETE], 2);
  cr_expect_eq(script.open_results, 2);
  for (int64_t number = 1; number <= 2; number++) {
    cr_expect_eq(tn_result_affected(first), (uint64_t)number - 1);
    expect_next(first, number);
    expect_next(second_result, number);
  }
  tn_result_close(&first);
  cr_expect_eq(script.open_results, 1);
  expect_next(second_result, 0);
  cr_expect_eq(next_set(second_result), 1);
  expect_next(second_result, 3);
  tn_result_close(&second_result);
  fixture_expect_usable("complete results");
  fixture_close();
}

Test(result_sets, complete_rows_are_read_while_another_result_streams)
{
  tn_result *complete;
  tn_result *streamed;

  begin(COMPLETE);
  complete = run(COMPLETE, "plain");
  streamed = run(STREAMED, "plain");
  for (int64_t number = 1; number <= 2; number++) {
    expect_next(complete, number);
    expect_next(streamed, number);
  }

  /* What stops the one leaves the other alone. */
  tn_conn_cancel(conn);
  expect_next(complete, 3);
  cr_expect_eq(tn_result_next(streamed, &(const tn_value *){ NULL }, &err),
               TN_E_CANCELED);
  expect_next(complete, 4);
  tn_result_close(&streamed);
  streamed = run(STREAMED, "plain");
  expect_next(complete, 0);
  tn_result_close(&complete);
  expect_next(streamed, 1);
  cr_expect_eq(tn_conn_ping(conn, 0, &err), TN_E_STATE);
  tn_result_close(&streamed);
  fixture_close();
}

Test(result_sets, complete_rows_outlive_deadline_and_cancel)
{
  struct tn_query query = query_of(COMPLETE, "plain");
  tn_result *result = NULL;

  begin(COMPLETE);
  query.deadline = tn_deadline_after_ms(80);
  cr_assert_eq(tn_conn_query(conn, &query, &result, &err), TN_OK);
  expect_next(result, 1);
  pause_ms(100);
  tn_conn_cancel(conn);
  cr_expect_eq(script.calls[FAKE_CANCEL], 0);
  for (int64_t number = 2; number <= 5; number++)
    expect_next(result, number % 5);
  tn_result_close(&result);
  fixture_close();
}

Test(result_sets, complete_rows_that_fail_after_all_leave_the_session_alone)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_FETCH, .nth = 2, .category = TN_E_DATA, .message = "bad" },
  };
  tn_result *result;

  begin(COMPLETE);
  SCRIPT_ANSWERS(answers);
  result = run(COMPLETE, "plain");
  expect_next(result, 1);
  cr_expect_eq(tn_result_next(result, &(const tn_value *){ NULL }, &err),
               TN_E_DATA);
  cr_expect_str_eq(err.message, "bad");
  expect_refused(result, "failed before");
  fixture_expect_usable("a row that failed");
  tn_result_close(&result);
  fixture_close();
}

Test(result_sets, complete_is_one_result_of_its_statement)
{
  const struct tn_query query = query_of(COMPLETE, NULL);
  tn_prepared *prepared = NULL;
  tn_result *result = NULL;

  begin(COMPLETE);
  cr_assert_eq(tn_conn_prepare(conn, "plain", 0, &prepared, &err), TN_OK);
  cr_assert_eq(tn_prepared_query(prepared, &query, &result, &err), TN_OK);
  expect_next(result, 1);
  cr_expect_eq(
      tn_prepared_query(prepared, &query, &(tn_result *){ NULL }, &err),
      TN_E_STATE);
  expect_next(result, 2);
  tn_prepared_close(&prepared);
  cr_expect_eq(script.open_results, 0);
  fixture_expect_usable("the close");
  fixture_close();
}

/* ---- without their session ---- */

Test(result_sets, are_of_no_use_without_their_session_but_can_be_closed)
{
  for (size_t i = 0; i < 3 * WAYS; i++) {
    tn_result *result;

    begin(i % WAYS);
    result = run(i % WAYS, "call");
    if (i / WAYS > 0)
      expect_next(result, 1);
    if (i / WAYS > 1)
      cr_expect_eq(next_set(result), 1);
    fixture_close();
    expect_refused(result, "connection is closed");
    cr_expect_eq(tn_result_column_count(result), 0);
    cr_expect_eq(tn_result_column_name(result, 0), NULL);
    tn_result_close(&result);
    cr_expect_eq(result, NULL);
  }
}

/* ---- memory ---- */

static bool
walk(long nth, bool and_all_after, const struct tn_query *query)
{
  tn_result *result = NULL;
  const tn_value *row = NULL;
  int has_set = 1;
  bool has_failed;
  enum tn_code rc;
  long live;

  oom_fail_nth(nth, and_all_after);
  live = oom_live();
  rc = tn_conn_query(conn, query, &result, &err);
  while (rc == TN_OK && has_set) {
    do
      rc = tn_result_next(result, &row, &err);
    while (rc == TN_OK && row != NULL);
    if (rc == TN_OK)
      rc = tn_result_next_set(result, &has_set, &err);
  }
  has_failed = oom_count() >= nth;
  cr_expect_eq(rc, has_failed ? TN_E_MEMORY : TN_OK, "allocation %ld: %s", nth,
               tn_code_name(rc));
  tn_result_close(&result);
  cr_assert_eq(oom_live(), live, "allocation %ld", nth);
  oom_reset();
  if (has_failed)
    fixture_expect_usable("out of memory");
  return has_failed;
}

Test(result_sets, get_by_without_memory)
{
  for (size_t i = 0; i < 2 * WAYS; i++) {
    const struct tn_query query = query_of(i % WAYS, "call");
    long nth = 1;

    begin(i % WAYS);
    while (walk(nth, i >= WAYS, &query))
      nth++;
    cr_expect_gt(nth, 3, "case %zu", i);
    fixture_close();
  }
}
