/* The log of statements: what a line says, and what none says. */
#include "told_fixture.h"

#include "statement_text.h"

TestSuite(statement_log, .init = fixture_init, .timeout = 60);

static const struct tn_column columns[] = {
  { .name = "n", .type_name = "int", .type = TN_INT64 },
};
static const tn_value cells[] = {
  { .type = TN_INT64, .as.int64 = 1 },
  { .type = TN_INT64, .as.int64 = 2 },
};
static const struct fake_result results[] = {
  { .sql = "SELECT",
    .columns = columns,
    .column_count = 1,
    .rows = cells,
    .row_count = 2 },
  { .sql = "UPDATE", .info_flags = TN_RESULT_HAS_AFFECTED, .affected = 3 },
};

static void
run_some(void)
{
  const tn_value values[] = { tn_int64(42), tn_text("a secret"), tn_null() };
  tn_conn *taken = take_as("me");

  for (int i = 0; i < 2; i++)
    cr_expect_eq(run_with(taken, "SELECT ?,\n   ?, ?", values, 3), TN_OK, "%s",
                 err.message);
  cr_expect_eq(run_with(taken, "UPDATE t", NULL, 0), TN_OK);
  tn_pool_give(&taken);
}

Test(statement_log, below_50_nothing_is_written)
{
  SCRIPT_RESULTS(results);
  open_engine("&connection_debug=49");
  run_some();
  cr_expect_str_eq(log_text, "");
  close_engine();
}

Test(statement_log, from_50_on_each_statement_is_a_line_without_values)
{
  SCRIPT_RESULTS(results);
  open_engine("&connection_debug=50");
  run_some();
  cr_expect_str_eq(
      told_lines(),
      "info: statement of \"me\": T ms, 2 rows: SELECT ?, ?, ? "
      "[int64, text(8), null]\n"
      "info: statement of \"me\": T ms, 2 rows, cached: SELECT ?, ?, ? "
      "[int64, text(8), null]\n"
      "info: statement of \"me\": T ms, 3 affected: UPDATE t\n",
      "%s", told_text);
  close_engine();
}

Test(statement_log, values_are_written_if_that_is_asked_for)
{
  SCRIPT_RESULTS(results);
  open_engine("&connection_debug=50&statement_log_values=true");
  run_some();
  cr_expect_not_null(strstr(told_lines(), ", ? [42, 'a secret', null]\n"), "%s",
                     told_text);
  close_engine();
}

Test(statement_log, at_100_everything_is_written)
{
  const struct tn_query query = { .sql = NULL };
  tn_prepared *prepared = NULL;
  tn_result *result = NULL;
  tn_conn *taken;

  SCRIPT_RESULTS(results);
  open_engine("&connection_debug=100");
  taken = take_as(NULL);
  cr_assert_eq(tn_conn_prepare(taken, "SELECT 1", 0, &prepared, &err), TN_OK);
  cr_assert_eq(tn_prepared_query(prepared, &query, &result, &err), TN_OK);
  tn_result_close(&result);
  tn_prepared_close(&prepared);
  cr_expect_eq(tn_conn_exec(taken, "SET x", NULL, &err), TN_OK);
  tn_pool_give(&taken);
  tn_pool_invalidate(tn_engine_pool(engine));
  tn_pool_tick(tn_engine_pool(engine));
  cr_expect_str_eq(told_lines(),
                   "debug: connection: opened\n"
                   "debug: connection: lent\n"
                   "debug: prepare: SELECT 1\n"
                   "info: statement: T ms, 0 rows, cached: SELECT 1\n"
                   "info: statement: T ms, 0 rows: SET x\n"
                   "debug: connection: reset\n"
                   "debug: connection: given back\n"
                   "debug: connection: to be replaced, all that are open\n"
                   "debug: connection: about to be closed\n",
                   "%s", told_text);
  close_engine();
}

Test(statement_log, a_failure_is_one_line_with_its_category_and_no_message)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_CONNECT, .nth = 1, .category = TN_E_AUTH, .message = "no" },
    { .slot = FAKE_PREPARE, .nth = 1, .category = TN_E_SYNTAX },
    { .slot = FAKE_EXECUTE,
      .nth = 1,
      .category = TN_E_DUPLICATE,
      .message = "duplicate: Jane" },
    { .slot = FAKE_FETCH, .nth = 2, .category = TN_E_DATA },
  };
  const tn_value value = tn_text("Jane");
  tn_conn *taken = NULL;

  SCRIPT_ANSWERS(answers);
  SCRIPT_RESULTS(results);
  open_engine("&pool_retry_time=0&connection_debug=50");
  cr_expect_eq(tn_engine_take(engine, NULL, &taken, &err), TN_E_AUTH);
  taken = take_as("x");
  cr_expect_eq(run_with(taken, "a ?", &value, 1), TN_E_SYNTAX);
  cr_expect_eq(run_with(taken, "b ?", &value, 1), TN_E_DUPLICATE);
  cr_expect_eq(run_with(taken, "SELECT ?", &value, 1), TN_E_DATA);
  tn_pool_give(&taken);
  cr_expect_str_eq(
      told_lines(),
      "info: statement of \"x\": failed, syntax, after T ms: a ?\n"
      "info: statement of \"x\": failed, duplicate, after T ms: b ? "
      "[text(4)]\n"
      "info: statement of \"x\": failed, data, after T ms: SELECT ? "
      "[text(4)]\n",
      "%s", told_text);
  close_engine();
}

Test(statement_log, a_result_that_is_closed_too_late_has_its_line_all_the_same)
{
  const struct tn_query query = { .sql = "SELECT 1" };
  const tn_value *row = NULL;
  tn_result *result = NULL;
  tn_conn *taken;

  SCRIPT_RESULTS(results);
  open_engine("&connection_debug=50");
  taken = take_as("me");
  cr_assert_eq(tn_conn_query(taken, &query, &result, &err), TN_OK);
  cr_assert_eq(tn_result_next(result, &row, &err), TN_OK);
  tn_pool_give(&taken);
  cr_expect_str_eq(told_lines(),
                   "info: statement of \"me\": T ms, 1 row: SELECT 1\n", "%s",
                   told_text);
  tn_result_close(&result);
  cr_expect_str_eq(log_text, "");
  close_engine();
}

Test(statement_log, a_batch_is_one_line)
{
  const tn_value values[] = { tn_int64(1), tn_int64(2) };
  const struct tn_batch batch = { .values = values,
                                  .value_count = 1,
                                  .row_count = 2 };
  tn_prepared *prepared = NULL;
  tn_result *result = NULL;
  tn_conn *taken;

  SCRIPT_RESULTS(results);
  open_engine("&connection_debug=50");
  taken = take_as(NULL);
  cr_assert_eq(tn_conn_prepare(taken, "UPDATE ?", 0, &prepared, &err), TN_OK);
  cr_assert_eq(tn_prepared_batch(prepared, &batch, &result, &err), TN_OK);
  tn_result_close(&result);
  tn_prepared_close(&prepared);
  tn_pool_give(&taken);
  cr_expect_str_eq(told_lines(),
                   "info: statement: T ms, 6 affected, cached: UPDATE ? 2 "
                   "times, first [int64]\n",
                   "%s", told_text);
  close_engine();
}

Test(statement_log, a_log_that_takes_no_statements_is_told_of)
{
  static const struct tn_log quiet = { TN_LOG_WARNING, 0, note_log, NULL };

  fixture_registry(NULL);
  options.registry = registry;
  options.log = &quiet;
  cr_assert_eq(tn_engine_open(fixture_url("&connection_debug=50"), &options,
                              &engine, &err),
               TN_OK);
  cr_expect_str_eq(log_text,
                   "warning: engine: connection_debug = 50 has no effect: the "
                   "log takes no lines below warning\n",
                   "%s", log_text);
  close_engine();
}

/* ---- the text ---- */

static const struct tn_dialect_table *
dialect_of_fake(void)
{
  return fake_plugin_entry(NULL)->get_table(TN_TABLE_DIALECT);
}

Test(statement_log, strings_of_a_statement_about_secrets_are_hidden)
{
  static const struct {
    const char *sql;
    const char *text;
  } cases[] = {
    { "SELECT 'a', 1", "SELECT 'a', 1" },
    { "CREATE USER 'u' IDENTIFIED BY 'x y'",
      "CREATE USER 'u' IDENTIFIED BY ***" },
    { "create user u identified by 'x''y'", "create user u identified by ***" },
    { "ALTER ROLE u PASSWORD 'x'", "ALTER ROLE u PASSWORD ***" },
    { "UPDATE u SET \"user_password\" = 'x', a = 'y'",
      "UPDATE u SET \"user_password\" = ***, a = ***" },
    { "INSERT INTO u (token) VALUES ('x', 7)",
      "INSERT INTO u (token) VALUES (***, 7)" },
    { "SELECT\n\t 1  -- x\n", "SELECT 1 -- x " },
    { "SELECT 'passwords'", "SELECT 'passwords'" },
    { "", "" },
  };

  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    struct tn_strbuf out = TN_STRBUF_INIT(8192);

    tn_statement__add_text(&out, dialect_of_fake(), cases[i].sql);
    cr_expect_str_eq(tn_strbuf_text(&out), cases[i].text, "case %zu: \"%s\"", i,
                     tn_strbuf_text(&out));
    tn_strbuf_clear(&out);
  }
}

Test(statement_log, texts_and_values_are_bounded)
{
  static char sql[5000];
  struct tn_strbuf out = TN_STRBUF_INIT(16384);
  tn_value values[40];

  memset(sql, 'x', sizeof sql - 1);
  tn_statement__add_text(&out, dialect_of_fake(), sql);
  cr_expect_eq(out.size, 2048 + 3);
  tn_strbuf_clear(&out);
  for (size_t i = 0; i < TN_COUNT(values); i++)
    values[i] = tn_text(sql);
  tn_statement__add_values(&out, values, TN_COUNT(values), true);
  cr_expect_lt(out.size, 32 * 72 + 32);
  cr_expect_not_null(strstr(tn_strbuf_text(&out), "x...', and 8 more]"));
  tn_strbuf_clear(&out);
}

Test(statement_log, a_plan_shows_no_values)
{
  static const struct {
    const char *line;
    const char *text;
  } cases[] = {
    { "Seq Scan on t  (cost=0.00..35.50 rows=13 width=4)",
      "Seq Scan on t  (cost=0.00..35.50 rows=13 width=4)" },
    { "  Filter: ((a = 42) AND (b = 'Jane'::text))",
      "  Filter: ((a = ?) AND (b = ?::text))" },
    { "Index Cond: (id = ANY ('{1,2}'::integer[]))",
      "Index Cond: (id = ANY (?::integer[]))" },
    { "Filter: (a > 1.5)", "Filter: (a > ?)" },
    { "f(7, 8)", "f(?, ?)" },
  };

  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    struct tn_strbuf out = TN_STRBUF_INIT(8192);

    tn_statement__add_plan(&out, dialect_of_fake(), cases[i].line,
                           strlen(cases[i].line), false);
    cr_expect_str_eq(tn_strbuf_text(&out), cases[i].text, "case %zu: \"%s\"", i,
                     tn_strbuf_text(&out));
    tn_strbuf_clear(&out);
  }
}

/* ---- memory ---- */

/* How many runs fail when each allocation of them fails in turn. */
static unsigned
walk(const char *more)
{
  const tn_value value = tn_int64(1);
  unsigned failures = 0;
  tn_conn *taken;

  open_engine(more);
  taken = take_as("m");
  cr_expect_eq(run_with(taken, "SELECT ?", &value, 1), TN_OK);
  for (long nth = 1;; nth++) {
    oom_fail_nth(nth, false);
    failures += run_with(taken, "SELECT ?", &value, 1) != TN_OK;
    if (oom_count() < nth)
      break;
  }
  oom_reset();
  tn_pool_give(&taken);
  tn_engine_close(&engine);
  return failures;
}

Test(statement_log, without_memory_for_a_line_statements_run_all_the_same)
{
  SCRIPT_RESULTS(results);
  cr_expect_eq(walk("&statement_cache_size=0&connection_debug=50"),
               walk("&statement_cache_size=0"));
  close_engine();
}
