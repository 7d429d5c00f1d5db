/* Rows: one at a time, all at once, and what becomes of them when something
 * fails, ends or is closed early. */
#include "fixture.h"

#include <time.h>

static const struct tn_column columns[] = {
  { "id", "int", TN_INT64, 0 },
  { "name", "", TN_TEXT, 0 },
};
static char name_bytes[] = "anna";
static tn_value rows[6];

static struct fake_result results[] = {
  { .sql = "select",
    .columns = columns,
    .column_count = 2,
    .rows = rows,
    .row_count = 3,
    .info_flags = TN_RESULT_HAS_KEY,
    .generated_key = 12 },
  { .sql = "none", .columns = columns, .column_count = 2 },
  { .sql = "update", .info_flags = TN_RESULT_HAS_AFFECTED, .affected = 5 },
};

static const struct tn_query streamed = { .sql = "select" };
static const struct tn_query buffered = { .sql = "select",
                                          .flags = TN_QUERY_BUFFERED };

static void
set_up(void)
{
  fixture_init();
  for (size_t i = 0; i < 3; i++) {
    rows[2 * i] = tn_int64((int64_t)i + 1);
    rows[2 * i + 1] = tn_bytes(TN_TEXT, name_bytes, 4);
  }
  SCRIPT_RESULTS(results);
}

static tn_result *
run(const struct tn_query *query)
{
  tn_result *result = NULL;

  cr_assert_eq(tn_conn_query(conn, query, &result, &err), TN_OK, "%s",
               err.message);
  return result;
}

/* The next row, which is to be that of `id`; 0: the end. */
static void
expect_next(tn_result *result, int64_t id)
{
  const tn_value *row = rows;

  cr_assert_eq(tn_result_next(result, &row, &err), TN_OK, "%s", err.message);
  if (id == 0)
    cr_expect_eq(row, NULL);
  else
    cr_expect_eq(row[0].as.int64, id);
}

static void
expect_no_more(tn_result *result, enum tn_code code, const char *message)
{
  const tn_value *row = rows;

  cr_expect_eq(tn_result_next(result, &row, &err), code, "%s", err.message);
  cr_expect_eq(err.code, (int32_t)code);
  cr_expect(strstr(err.message, message) != NULL, "%s", err.message);
  cr_expect_eq(row, rows, "the output was touched");
}

/* ---- streaming ---- */

TestSuite(result, .init = set_up, .timeout = 60);

Test(result, streams_its_rows_and_frees_the_session_after_the_last)
{
  tn_result *result;

  fixture_open();
  result = run(&streamed);
  for (int64_t id = 1; id <= 3; id++) {
    cr_expect_eq(script.calls[FAKE_FETCH], id - 1);
    expect_next(result, id);
    cr_expect_eq(tn_result_affected(result), (uint64_t)id);
  }
  cr_expect_eq(script.open_results, 1);
  expect_next(result, 0);
  cr_expect_eq(script.open_results, 0);
  fixture_expect_usable("the last row");
  expect_next(result, 0);
  cr_expect_eq(tn_result_next(result, &(const tn_value *){ NULL }, NULL),
               TN_OK);
  cr_expect_eq(tn_result_affected(result), 3);
  tn_result_close(&result);
  cr_expect_eq(result, NULL);
  tn_result_close(&result);
  tn_result_close(NULL);
  fixture_close();
}

Test(result, tells_its_columns_and_nothing_past_the_end)
{
  const struct tn_query none = { .sql = "update" };
  tn_result *result;

  fixture_open();
  result = run(&streamed);
  cr_expect_eq(tn_result_column_count(result), 2);
  cr_expect_str_eq(tn_result_column_name(result, 0), "id");
  cr_expect_eq(tn_result_column_type(result, 0), TN_INT64);
  cr_expect_str_eq(tn_result_column_type_name(result, 0), "int");
  cr_expect_str_eq(tn_result_column_type_name(result, 1), "");
  cr_expect_eq(tn_result_column_name(result, 2), NULL);
  cr_expect_eq(tn_result_column_type(result, 2), 0);
  cr_expect_eq(tn_result_column_type_name(result, SIZE_MAX), NULL);
  for (int64_t id = 1; id <= 4; id++)
    expect_next(result, id % 4);
  cr_expect_str_eq(tn_result_column_name(result, 1), "name",
                   "after the last row");
  tn_result_close(&result);

  result = run(&none);
  cr_expect_eq(tn_result_column_count(result), 0);
  cr_expect_eq(tn_result_column_name(result, 0), NULL);
  tn_result_close(&result);
  fixture_close();
}

Test(result, of_a_statement_without_rows_is_over_at_once)
{
  const struct tn_query update = { .sql = "update" };
  tn_result *result;
  int64_t key = 77;

  fixture_open();
  result = run(&update);
  fixture_expect_usable("an update");
  cr_expect_eq(tn_result_affected(result), 5);
  cr_expect_eq(tn_result_generated_key(result, &key, &err), TN_E_NOT_FOUND);
  cr_expect_eq(tn_result_generated_key(result, &key, NULL), TN_E_NOT_FOUND);
  cr_expect_eq(key, 77);
  expect_next(result, 0);
  tn_result_close(&result);
  fixture_close();
}

Test(result, tells_the_key_once_the_rows_are_read)
{
  const struct tn_query *queries[] = { &streamed, &buffered };
  int64_t key = 77;

  fixture_open();
  for (size_t i = 0; i < TN_COUNT(queries); i++) {
    tn_result *result = run(queries[i]);

    if (i == 0)
      cr_expect_eq(tn_result_generated_key(result, &key, &err), TN_E_NOT_FOUND);
    for (int64_t id = 1; id <= 4; id++)
      expect_next(result, id % 4);
    key = 77;
    cr_expect_eq(tn_result_generated_key(result, &key, &err), TN_OK);
    cr_expect_eq(key, 12);
    tn_result_close(&result);
  }
  fixture_close();
}

Test(result, closed_early_frees_the_session)
{
  tn_result *result;

  fixture_open();
  for (int64_t read = 0; read < 3; read++) {
    result = run(&streamed);
    for (int64_t id = 1; id <= read; id++)
      expect_next(result, id);
    tn_result_close(&result);
    cr_expect_eq(script.open_statements, 0);
    fixture_expect_usable("an early close");
  }
  fixture_close();
}

/* ---- failures ---- */

Test(result, a_row_that_fails_ends_it_with_the_cause)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_FETCH,
      .nth = 2,
      .category = -1,
      .sqlstate = "40001",
      .message = "try again" },
  };
  tn_result *result;

  SCRIPT_ANSWERS(answers);
  fixture_open();
  result = run(&streamed);
  expect_next(result, 1);
  expect_no_more(result, TN_E_SERIALIZATION, "try again");
  cr_expect_eq(err.connection, TN_CONNECTION_ABORTED);
  cr_expect_eq(err.replay, TN_REPLAY_TRANSACTION);
  cr_expect_str_eq(err.sqlstate, "40001");
  fixture_expect_usable("a row that failed");
  expect_no_more(result, TN_E_STATE, "has failed before");
  cr_expect_eq(tn_result_next(result, &(const tn_value *){ NULL }, NULL),
               TN_E_STATE);
  tn_result_close(&result);
  fixture_close();
}

Test(result, a_session_that_dies_between_rows_is_dead)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_FETCH, .nth = 2, .category = -1, .native = 2013 },
  };
  const tn_value *row = rows;
  tn_result *result;

  SCRIPT_ANSWERS(answers);
  fixture_open();
  result = run(&streamed);
  expect_next(result, 1);
  cr_expect_eq(tn_result_next(result, &row, NULL), TN_E_LOST);
  cr_expect_eq(row, rows);
  cr_expect_eq(tn_conn_verdict(conn), TN_CONNECTION_DEAD);
  cr_expect_eq(tn_conn_ping(conn, 0, &err), TN_E_LOST);
  tn_result_close(&result);
  fixture_close();
}

/* What can go wrong before there is a result, streamed and buffered. */
static const struct fake_answer early_failures[] = {
  { .slot = FAKE_PREPARE, .category = TN_E_SYNTAX },
  { .slot = FAKE_PREPARE, .flags = FAKE_NO_OUTPUT },
  { .slot = FAKE_EXECUTE, .category = TN_E_CHECK },
  { .slot = FAKE_EXECUTE, .flags = FAKE_NO_OUTPUT },
  { .slot = FAKE_EXECUTE, .category = TN_E_CHECK, .flags = FAKE_SILENT },
  { .slot = FAKE_COLUMNS, .category = TN_E_LIMIT },
  { .slot = FAKE_COLUMNS, .flags = FAKE_NO_OUTPUT },
  { .slot = FAKE_FETCH, .nth = 1, .category = TN_E_IO },
  { .slot = FAKE_FETCH, .nth = 3, .category = TN_E_IO },
  { .slot = FAKE_FETCH, .flags = FAKE_NO_OUTPUT },
  { .slot = FAKE_FETCH, .category = TN_E_IO, .flags = FAKE_SILENT },
  { .slot = FAKE_INFO, .category = TN_E_DATA },
};

Test(result, a_query_that_fails_leaves_the_output_and_the_session_alone)
{
  tn_result *result = UNTOUCHED(tn_result);

  for (size_t i = 0; i < TN_COUNT(early_failures); i++) {
    enum tn_code code =
        early_failures[i].category != TN_OK && early_failures[i].flags == 0
            ? (enum tn_code)early_failures[i].category
            : TN_E_INTERNAL;

    fixture_open();
    for (size_t slot = 0; slot < FAKE_SLOT_COUNT; slot++)
      atomic_store(&script.calls[slot], 0);
    script.answers = &early_failures[i];
    script.answer_count = 1;
    tn_err_clear(&err);
    cr_expect_eq(tn_conn_query(conn, &buffered, &result, &err), code,
                 "case %zu: %s", i, err.message);
    cr_expect_eq(err.code, (int32_t)code, "case %zu: %s", i, err.message);
    cr_expect_neq(err.message[0], '\0', "case %zu", i);
    cr_expect_eq(script.open_statements, 0, "case %zu", i);
    for (size_t slot = 0; slot < FAKE_SLOT_COUNT; slot++)
      atomic_store(&script.calls[slot], 0);
    cr_expect_eq(tn_conn_query(conn, &buffered, &result, NULL), code,
                 "case %zu", i);
    cr_expect_eq(result, UNTOUCHED(tn_result), "case %zu", i);
    script.answer_count = 0;
    fixture_expect_usable("a query that failed");
    tn_conn_close(&conn);
  }
  fixture_close();
}

Test(result, what_the_plug_in_cannot_tell_at_the_end_is_a_failure)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_INFO, .category = TN_E_DATA },
  };
  static const struct tn_query queries[] = { { .sql = "update" },
                                             { .sql = "none" } };
  tn_result *result = NULL;

  SCRIPT_ANSWERS(answers);
  fixture_open();

  /* An old explanation must not be taken for this failure's. */
  (void)tn_err_set(&err, TN_E_LOST, "of before");
  cr_expect_eq(tn_conn_query(conn, &queries[0], &result, &err), TN_E_DATA);
  cr_expect_eq(err.code, TN_E_DATA);
  cr_expect(strstr(err.message, "fake") != NULL, "%s", err.message);
  cr_expect_eq(result, NULL);
  cr_expect_eq(tn_conn_verdict(conn), TN_CONNECTION_USABLE);

  result = run(&queries[1]);
  (void)tn_err_set(&err, TN_E_LOST, "of before");
  expect_no_more(result, TN_E_DATA, "cannot tell");
  cr_expect_eq(tn_conn_verdict(conn), TN_CONNECTION_USABLE);
  expect_no_more(result, TN_E_STATE, "has failed before");
  tn_result_close(&result);
  script.answer_count = 0;
  fixture_expect_usable("the failures");
  fixture_close();
}

/* ---- deadlines and cancels ---- */

static void
pause_ms(long ms)
{
  const struct timespec pause = { .tv_nsec = ms * 1000000 };

  nanosleep(&pause, NULL);
}

Test(result, rows_end_at_the_deadline_of_the_query)
{
  struct tn_query query = { .sql = "select" };
  tn_result *result;

  fixture_open();
  query.deadline = tn_deadline_after_ms(200);
  result = run(&query);
  expect_next(result, 1);
  pause_ms(220);
  expect_no_more(result, TN_E_TIMEOUT, "deadline");
  cr_expect_eq(script.calls[FAKE_FETCH], 1);
  cr_expect_eq(err.connection, TN_CONNECTION_USABLE);
  fixture_expect_usable("a time-out");
  tn_result_close(&result);
  fixture_close();
}

Test(result, buffered_rows_outlive_the_deadline)
{
  struct tn_query query = buffered;
  tn_result *result;

  fixture_open();
  query.deadline = tn_deadline_after_ms(100);
  result = run(&query);
  pause_ms(120);
  for (int64_t id = 1; id <= 4; id++)
    expect_next(result, id % 4);
  tn_result_close(&result);
  fixture_close();
}

Test(result, a_cancel_between_rows_ends_it_and_nothing_later)
{
  tn_result *result;

  fixture_open();
  result = run(&streamed);
  expect_next(result, 1);
  tn_conn_cancel(conn);
  tn_conn_cancel(conn);
  cr_expect_eq(script.calls[FAKE_CANCEL], 1);
  expect_no_more(result, TN_E_CANCELED, "canceled");
  cr_expect_eq(script.calls[FAKE_FETCH], 1);
  cr_expect_eq(tn_conn_ping(conn, tn_deadline_after_ms(1000), &err), TN_OK);
  fixture_expect_usable("a cancel");
  tn_result_close(&result);

  result = run(&streamed);
  expect_next(result, 1);
  tn_conn_cancel(conn);
  tn_result_close(&result);
  cr_expect_eq(tn_conn_ping(conn, tn_deadline_after_ms(1000), &err), TN_OK);
  fixture_close();
}

Test(result, a_cancel_after_the_last_row_hits_nothing)
{
  const struct tn_query *queries[] = { &streamed, &buffered };

  fixture_open();
  for (size_t i = 0; i < TN_COUNT(queries); i++) {
    tn_result *result = run(queries[i]);

    for (int64_t id = 1; id <= 3; id++)
      expect_next(result, id);
    if (i == 0)
      expect_next(result, 0);
    tn_conn_cancel(conn);
    cr_expect_eq(script.calls[FAKE_CANCEL], 0);
    expect_next(result, 0);
    cr_expect_eq(tn_conn_ping(conn, tn_deadline_after_ms(1000), &err), TN_OK);
    tn_result_close(&result);
  }
  fixture_close();
}

/* ---- buffered ---- */

Test(result, buffered_frees_the_session_and_counts_what_is_read)
{
  tn_result *first;
  tn_result *second;

  fixture_open();
  first = run(&buffered);
  second = run(&buffered);
  fixture_expect_usable("two buffered queries");
  for (int64_t id = 1; id <= 3; id++) {
    cr_expect_eq(tn_result_affected(first), (uint64_t)id - 1);
    expect_next(first, id);
    expect_next(second, id);
  }
  expect_next(first, 0);
  expect_next(first, 0);
  tn_result_close(&first);
  expect_next(second, 0);
  tn_result_close(&second);
  fixture_close();
}

Test(result, buffered_without_rows_is_at_its_end)
{
  static const struct tn_query queries[] = {
    { .sql = "none", .flags = TN_QUERY_BUFFERED },
    { .sql = "update", .flags = TN_QUERY_BUFFERED },
  };

  fixture_open();
  for (size_t i = 0; i < TN_COUNT(queries); i++) {
    tn_result *result = run(&queries[i]);

    fixture_expect_usable("an empty result");
    expect_next(result, 0);
    expect_next(result, 0);
    tn_result_close(&result);
  }
  fixture_close();
}

Test(result, buffered_runs_that_are_closed_early_do_not_mix_or_grow)
{
  const struct tn_query query = { .flags = TN_QUERY_BUFFERED };
  tn_prepared *prepared = NULL;
  long live = 0;

  fixture_open();
  cr_assert_eq(tn_conn_prepare(conn, "select", 0, &prepared, &err), TN_OK);
  oom_fail_nth(0, false);
  for (int i = 0; i < 200; i++) {
    tn_result *result = NULL;

    cr_assert_eq(tn_prepared_query(prepared, &query, &result, &err), TN_OK);
    cr_expect_eq(tn_result_affected(result), 0);
    expect_next(result, 1);
    tn_result_close(&result);
    if (i == 0)
      live = oom_live();
  }
  cr_expect_eq(oom_live(), live);
  oom_reset();
  tn_prepared_close(&prepared);
  fixture_close();
}

/* Cells whose bytes live only until the next fetch. */
static char fleeting[8];
static char fleeting_type[8];
static const uint32_t byte_types[] = { TN_TEXT, TN_BLOB, TN_DECIMAL, TN_JSON,
                                       TN_OTHER };
static const struct tn_column byte_columns[] = {
  { "a", "", TN_TEXT, 0 },    { "b", "", TN_BLOB, 0 },
  { "c", "", TN_DECIMAL, 0 }, { "d", "", TN_JSON, 0 },
  { "e", "", TN_OTHER, 0 },   { "f", "", TN_BLOB, 0 },
  { "g", "", TN_ARRAY, 0 },
};
static tn_value fleeting_items[3];
static unsigned fetched;

static int32_t
fetch_bytes(void *result, tn_value *cells, struct tn_call *call)
{
  (void)result;
  (void)call;
  snprintf(fleeting, sizeof fleeting, "%u", fetched + 10);
  snprintf(fleeting_type, sizeof fleeting_type, "type%u", fetched);
  if (fetched == 3) {
    memset(fleeting, '?', sizeof fleeting);
    memset(fleeting_items, '?', sizeof fleeting_items);
    return 0;
  }
  for (size_t i = 0; i < TN_COUNT(byte_types); i++) {
    cells[i] = tn_bytes(byte_types[i], fleeting, 2);
    cells[i].more.type_name = byte_types[i] == TN_OTHER ? fleeting_type : NULL;
  }
  cells[5] = tn_bytes(TN_BLOB, "", 0);
  cells[5].as.bytes.data = NULL;
  fleeting_items[0] = tn_text(fleeting);
  fleeting_items[1] = tn_null();
  fleeting_items[2] = tn_array(TN_TEXT, fleeting_items, 2);
  cells[6] = tn_array(TN_ARRAY, &fleeting_items[2], 1);
  fetched++;
  return 1;
}

Test(result, buffered_keeps_every_byte)
{
  static struct tn_result_table table;
  const struct tn_query query = { .sql = "bytes", .flags = TN_QUERY_BUFFERED };
  const tn_value *row = NULL;
  tn_result *result;
  char wanted[24];
  char text[24];

  table = *(const struct tn_result_table *)fake_plugin_entry(NULL)->get_table(
      TN_TABLE_RESULT);
  table.fetch = fetch_bytes;
  tables[TN_TABLE_RESULT] = &table;
  results[0] = (struct fake_result){ .sql = "bytes",
                                     .columns = byte_columns,
                                     .column_count = TN_COUNT(byte_columns) };
  fixture_open();
  result = run(&query);
  for (unsigned i = 0; i < 3; i++) {
    cr_assert_eq(tn_result_next(result, &row, &err), TN_OK);
    snprintf(wanted, sizeof wanted, "%u", i + 10);
    for (size_t at = 0; at < TN_COUNT(byte_types); at++) {
      cr_expect_eq(row[at].type, byte_types[at]);
      cr_expect_eq(row[at].as.bytes.size, 2);
      cr_expect_str_eq(row[at].as.bytes.data, wanted, "row %u, cell %zu", i,
                       at);
    }
    snprintf(wanted, sizeof wanted, "type%u", i);
    cr_expect_str_eq(row[4].more.type_name, wanted);
    cr_expect_eq(row[5].as.bytes.size, 0);
    tn_value_print(&row[6], text, sizeof text);
    snprintf(wanted, sizeof wanted, "[[\"%u\",null]]", i + 10);
    cr_expect_str_eq(text, wanted);
  }
  cr_assert_eq(tn_result_next(result, &row, &err), TN_OK);
  cr_expect_eq(row, NULL);
  tn_result_close(&result);
  fixture_close();
}

Test(result, buffered_large_values_and_many_rows)
{
  static tn_value many[2000];
  static char large[5000];
  const tn_value *row = NULL;
  tn_result *result;

  memset(large, 'x', sizeof large);
  for (size_t i = 0; i < 1000; i++) {
    many[2 * i] = tn_int64((int64_t)i);
    many[2 * i + 1] = tn_bytes(TN_TEXT, large, i % 100 == 0 ? 5000 : i % 7);
  }
  results[0].rows = many;
  results[0].row_count = 1000;
  fixture_open();
  result = run(&buffered);
  for (size_t i = 0; i < 1000; i++) {
    cr_assert_eq(tn_result_next(result, &row, &err), TN_OK);
    cr_assert_eq(row[0].as.int64, (int64_t)i);
    cr_assert_eq(tn_value_equal(&row[1], &many[2 * i + 1]), 1, "row %zu", i);
  }
  expect_next(result, 0);
  tn_result_close(&result);
  fixture_close();
}

/* ---- without its session ---- */

Test(result, is_of_no_use_without_its_session_but_can_be_closed)
{
  const struct tn_query *queries[] = { &streamed, &buffered };

  for (size_t i = 0; i < TN_COUNT(queries); i++) {
    tn_result *result;

    fixture_open();
    result = run(queries[i]);
    expect_next(result, 1);
    fixture_close();
    expect_no_more(result, TN_E_STATE, "connection is closed");
    cr_expect_eq(tn_result_next(result, &(const tn_value *){ NULL }, NULL),
                 TN_E_STATE);
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
  bool has_failed;
  enum tn_code rc;
  long live;

  oom_fail_nth(nth, and_all_after);
  live = oom_live();
  rc = tn_conn_query(conn, query, &result, &err);
  while (rc == TN_OK) {
    rc = tn_result_next(result, &row, &err);
    if (row == NULL)
      break;
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

Test(result, gets_by_without_memory)
{
  const struct tn_query *queries[] = { &streamed, &buffered };

  fixture_open();
  for (size_t i = 0; i < 2 * TN_COUNT(queries); i++) {
    long nth = 1;

    while (walk(nth, i % 2 != 0, queries[i / 2]))
      nth++;
    cr_expect_gt(nth, 3, "case %zu", i);
  }
  fixture_close();
}
