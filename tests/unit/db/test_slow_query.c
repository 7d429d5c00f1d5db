/* The report of slow statements, and when there is a plan. */
#include "told_fixture.h"

TestSuite(slow_query, .init = fixture_init, .timeout = 60);

static const struct tn_column columns[] = {
  { .name = "n", .type_name = "int", .type = TN_INT64 },
};
static const struct tn_column plan_columns[] = {
  { .name = "id", .type_name = "int", .type = TN_INT64 },
  { .name = "what", .type_name = "text", .type = TN_TEXT },
};
static const tn_value cells[] = {
  { .type = TN_INT64, .as.int64 = 1 },
  { .type = TN_INT64, .as.int64 = 2 },
};
static const tn_value plan_cells[] = {
  { .type = TN_INT64, .as.int64 = 1 },
  { .type = TN_TEXT, .as.bytes = { "SCAN t", 6 } },
  { .type = TN_NULL },
  { .type = TN_TEXT, .as.bytes = { "(a = 'Jane')", 12 } },
};
static const struct fake_result results[] = {
  { .sql = "SELECT",
    .columns = columns,
    .column_count = 1,
    .rows = cells,
    .row_count = 2 },
  { .sql = "EXPLAIN",
    .columns = plan_columns,
    .column_count = 2,
    .rows = plan_cells,
    .row_count = 2 },
};

static struct tn_dialect_table dialect;

/* An engine for which every statement is slow, on a backend with plans. */
static void
open_slow(const char *more)
{
  char all[200];

  SCRIPT_RESULTS(results);
  dialect =
      *(const struct tn_dialect_table *)fake_plugin_entry(NULL)->get_table(
          TN_TABLE_DIALECT);
  dialect.explain_prefix = "EXPLAIN ";
  dialect.max_value_bytes = 0;
  tables[TN_TABLE_DIALECT] = &dialect;
  snprintf(all, sizeof all, "&slow_query_time=1&pool_tick_time=0%s", more);
  open_engine(all);
  engine->slow_ns = 1;
}

static void
run_slow(const char *sql)
{
  const tn_value value = tn_text("Jane");
  tn_conn *taken = take_as("me");

  cr_expect_eq(run_with(taken, sql, &value, strchr(sql, '?') != NULL), TN_OK,
               "%s: %s", sql, err.message);
  tn_pool_give(&taken);
}

Test(slow_query, a_slow_statement_is_a_warning)
{
  open_slow("");
  run_slow("SELECT ?");
  cr_expect_str_eq(told_lines(),
                   "warning: slow statement of \"me\": T ms, 2 rows: SELECT ? "
                   "[text(4)]\n",
                   "%s", told_text);
  tn_engine_tick(engine);
  cr_expect_str_eq(log_text, "");
  close_engine();
}

Test(slow_query, others_are_not)
{
  static const struct fake_answer slow[] = {
    { .slot = FAKE_EXECUTE, .nth = 2, .wait_ms = 1100 },
  };

  SCRIPT_ANSWERS(slow);
  open_slow("");
  engine->slow_ns = NS_PER_S;
  run_slow("SELECT 1");
  cr_expect_str_eq(log_text, "");
  run_slow("SELECT 2");
  run_slow("SELECT 3");
  cr_expect_str_eq(told_lines(),
                   "warning: slow statement of \"me\": T ms, 2 rows: "
                   "SELECT 2\n",
                   "%s", told_text);
  close_engine();
}

Test(slow_query, one_that_fails_is_told_at_once)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_EXECUTE, .category = TN_E_DEADLOCK },
  };

  SCRIPT_ANSWERS(answers);
  open_slow("&slow_query_plan=true");
  cr_expect_eq(tn_engine_exec(engine, "SELECT 1", NULL, &err), TN_E_DEADLOCK);
  tn_engine_tick(engine);
  cr_expect_str_eq(told_lines(),
                   "warning: slow statement of \"tn_engine_exec\": failed, "
                   "deadlock, after T ms: SELECT 1\n",
                   "%s", told_text);
  close_engine();
}

Test(slow_query, the_tick_asks_for_the_plan_with_the_values)
{
  open_slow("&slow_query_plan=true");
  run_slow("SELECT ?");
  (void)told_lines();
  tn_engine_tick(engine);
  cr_expect_str_eq(told_lines(),
                   "warning: plan of \"me\": SELECT ?\n"
                   "warning: plan of \"me\":   id=1 what=SCAN t\n"
                   "warning: plan of \"me\":   what=(a = ?)\n"
                   "warning: slow statement of \"plan of a slow statement\": "
                   "T ms, 2 rows: EXPLAIN SELECT ? [text(4)]\n",
                   "%s", told_text);
  cr_expect_eq(calls_of(FAKE_BEGIN), 1);
  cr_expect_eq(calls_of(FAKE_ROLLBACK), 1);
  tn_engine_tick(engine);
  cr_expect_str_eq(log_text, "");
  close_engine();
}

Test(slow_query, names_and_repeated_ones_are_the_backend_s_places)
{
  static const char *const names[] = { "b", "a" };
  const tn_value values[] = { tn_text("bb"), tn_text("aaa") };
  const struct tn_query query = { .sql = "SELECT :a, :b, :a",
                                  .values = values,
                                  .names = names,
                                  .value_count = 2 };
  tn_result *result = NULL;

  open_slow("&slow_query_plan=true");
  cr_assert_eq(tn_engine_query(engine, &query, &result, &err), TN_OK, "%s",
               err.message);
  tn_result_close(&result);
  tn_engine_tick(engine);
  cr_expect_not_null(strstr(told_lines(), ": EXPLAIN SELECT "), "%s",
                     told_text);
  cr_expect_not_null(strstr(told_text, " [text(3), text(2), text(3)]\n"), "%s",
                     told_text);
  close_engine();
}

Test(slow_query, of_a_prepared_statement_the_text_may_be_gone)
{
  const tn_value value = tn_int64(7);
  const struct tn_query query = { .values = &value, .value_count = 1 };
  char *text = tn_memory_text("SELECT ?", 8);
  tn_prepared *prepared = NULL;
  tn_result *result = NULL;
  tn_conn *taken;

  open_slow("&slow_query_plan=true");
  taken = take_as(NULL);
  cr_assert_eq(tn_conn_prepare(taken, text, 0, &prepared, &err), TN_OK);
  tn_memory_free(text);
  cr_assert_eq(tn_prepared_query(prepared, &query, &result, &err), TN_OK);
  tn_result_close(&result);
  tn_prepared_close(&prepared);
  tn_pool_give(&taken);
  tn_engine_tick(engine);
  cr_expect_not_null(strstr(log_text, ": EXPLAIN SELECT ? [int64]\n"), "%s",
                     log_text);
  close_engine();
}

Test(slow_query, without_a_free_connection_there_is_no_plan)
{
  tn_conn *taken;

  open_slow("&slow_query_plan=true&max_pool_size=1&max_overflow=0");
  run_slow("SELECT ?");
  taken = take_as("other");
  (void)told_lines();
  tn_engine_tick(engine);
  cr_expect_str_eq(told_lines(),
                   "warning: plan of \"me\": none, no connection is free: "
                   "SELECT ?\n",
                   "%s", told_text);
  tn_pool_give(&taken);
  close_engine();
}

Test(slow_query, a_plan_may_have_a_connection_opened)
{
  tn_conn *taken;

  open_slow("&slow_query_plan=true&max_pool_size=1&max_overflow=1");
  run_slow("SELECT ?");
  taken = take_as("other");
  (void)told_lines();
  tn_engine_tick(engine);
  (void)told_lines();
  cr_expect_null(strstr(told_text, "none"), "%s", told_text);
  cr_expect_neq(strstr(told_text, "plan of"), NULL, "%s", told_text);
  tn_pool_give(&taken);
  close_engine();
}

/* It may wait for a lock while it is prepared. */
Test(slow_query, the_time_of_preparing_counts)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_PREPARE, .nth = 1, .wait_ms = 1100 },
    { .slot = FAKE_PREPARE, .nth = 2, .wait_ms = 1100, .category = TN_E_DATA },
  };

  SCRIPT_ANSWERS(answers);
  open_slow("");
  engine->slow_ns = NS_PER_S;
  run_slow("SELECT 1");
  cr_expect_str_eq(told_lines(),
                   "warning: slow statement of \"me\": T ms, 2 rows: "
                   "SELECT 1\n",
                   "%s", told_text);
  cr_expect_eq(tn_engine_exec(engine, "SELECT 2", NULL, &err), TN_E_DATA);
  cr_expect_str_eq(told_lines(),
                   "warning: slow statement of \"tn_engine_exec\": failed, "
                   "data, after T ms: SELECT 2\n",
                   "%s", told_text);
  close_engine();
}

Test(slow_query, a_plan_that_fails_harms_nobody)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_PREPARE, .nth = 2, .category = TN_E_PERMISSION },
  };

  SCRIPT_ANSWERS(answers);
  open_slow("&slow_query_plan=true");
  run_slow("SELECT ?");
  (void)told_lines();
  tn_engine_tick(engine);
  cr_expect_str_eq(told_lines(),
                   "warning: slow statement of \"plan of a slow statement\": "
                   "failed, permission, after T ms: EXPLAIN SELECT ?\n"
                   "warning: plan: none, permission: SELECT ?\n",
                   "%s", told_text);
  run_slow("SELECT ?");
  close_engine();
}

/* Is there a plan after it? */
static bool
has_plan_of(const char *sql)
{
  unsigned before = calls_of(FAKE_BEGIN);

  atomic_store(&engine->planned_at, 0);
  run_slow(sql);
  tn_engine_tick(engine);
  return calls_of(FAKE_BEGIN) > before;
}

Test(slow_query, only_what_can_be_planned_is)
{
  open_slow("&slow_query_plan=true");
  cr_expect(has_plan_of("SELECT 1"));
  cr_expect(has_plan_of(" -- x\n INSERT INTO t VALUES (?)"));
  cr_expect(has_plan_of("update t"));
  cr_expect(has_plan_of("DELETE FROM t"));
  cr_expect_not(has_plan_of("CREATE TABLE t"));
  cr_expect_not(has_plan_of("EXPLAIN SELECT 1"));
  cr_expect_not(has_plan_of("CALL f()"));
  cr_expect_not(has_plan_of("BEGIN"));
  close_engine();
}

Test(slow_query, a_storm_of_slow_statements_is_one_plan)
{
  open_slow("&slow_query_plan=true");
  for (int i = 0; i < 20; i++) {
    run_slow("SELECT ?");
    tn_engine_tick(engine);
    log_text[0] = '\0';
  }
  cr_expect_eq(calls_of(FAKE_BEGIN), 1);
  close_engine();
}

Test(slow_query, large_values_are_not_copied_for_a_plan)
{
  static char large[70000];
  const tn_value value = tn_bytes(TN_TEXT, large, sizeof large);
  tn_conn *taken;

  memset(large, 'x', sizeof large);
  open_slow("&slow_query_plan=true");
  taken = take_as("me");
  cr_expect_eq(run_with(taken, "SELECT ?", &value, 1), TN_OK, "%s",
               err.message);
  tn_pool_give(&taken);
  tn_engine_tick(engine);
  cr_expect_eq(calls_of(FAKE_BEGIN), 0);
  close_engine();
}

Test(slow_query, a_backend_without_plans_has_none)
{
  open_slow("&slow_query_plan=true");
  close_engine();
  registry = NULL;
  tables[TN_TABLE_DIALECT] = NULL;
  open_engine("&slow_query_time=1&pool_tick_time=0&slow_query_plan=true");
  engine->slow_ns = 1;
  cr_expect_not(has_plan_of("SELECT 1"));
  close_engine();
}

/* The sanitizer sees that it is released. */
Test(slow_query, a_plan_that_nobody_makes_goes_with_the_engine)
{
  open_slow("&slow_query_plan=true");
  run_slow("SELECT ?");
  close_engine();
}
