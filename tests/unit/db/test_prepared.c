/* Statements and their parameters. */
#include "fixture.h"

TestSuite(prepared, .init = fixture_init, .timeout = 60);

/* One statement with its values, and what is to come of it. */
struct parameter_case {
  const char *sql;
  const char *names[4]; /* none: positional */
  uint32_t count;       /* of values, which are 1, 2, 3, … */
  uint32_t flags;
  enum tn_code code;
  const char *message; /* part of it */
  const char *sent;    /* the values that the plug-in gets, as digits */
};

static const struct parameter_case positional_cases[] = {
  { "x", { NULL }, 0, 0, TN_OK, "", "" },
  { "x ?", { NULL }, 1, 0, TN_OK, "", "1" },
  { "x ?, ?, ?", { NULL }, 3, 0, TN_OK, "", "123" },
  { "x ?",
    { NULL },
    0,
    0,
    TN_E_USAGE,
    "0 values for a statement with 1 parameter",
    "" },
  { "x ?",
    { NULL },
    2,
    0,
    TN_E_USAGE,
    "2 values for a statement with 1 parameter",
    "" },
  { "x",
    { NULL },
    1,
    0,
    TN_E_USAGE,
    "1 value for a statement with 0 parameters",
    "" },
  { "x ?",
    { "a" },
    1,
    0,
    TN_E_USAGE,
    "values have names (a), but the statement has no :name",
    "" },
  { "x",
    { "a" },
    1,
    0,
    TN_E_USAGE,
    "values have names (a), but the statement has no :name",
    "" },
  { "x '?'",
    { NULL },
    0,
    0,
    TN_E_USAGE,
    "0 placeholders are written as ? or :name, but the backend sees 1",
    "" },
  { "x ?1", { NULL }, 1, 0, TN_E_USAGE, "native flag", "" },
  { "x ?, :a", { NULL }, 2, 0, TN_E_USAGE, "cannot be mixed", "" },
  { "x; y", { NULL }, 0, 0, TN_E_USAGE, "a second one", "" },
  { " -- x", { NULL }, 0, 0, TN_E_USAGE, "there is none", "" },
  { "x '", { NULL }, 0, 0, TN_E_USAGE, "does not end", "" },
  { "x \xff", { NULL }, 0, 0, TN_E_CHARSET, "", "" },
};

static const struct parameter_case native_cases[] = {
  { "x :a, ?1", { NULL }, 1, TN_QUERY_NATIVE, TN_OK, "", "1" },
  { "x ?, ?", { NULL }, 2, TN_QUERY_NATIVE, TN_OK, "", "12" },
  { "x ?, ?",
    { NULL },
    1,
    TN_QUERY_NATIVE,
    TN_E_USAGE,
    "1 value for a statement with 2 parameters",
    "" },
  { "x ?",
    { "a" },
    1,
    TN_QUERY_NATIVE,
    TN_E_USAGE,
    "values have names (a)",
    "" },
  { "x; y", { NULL }, 0, TN_QUERY_NATIVE, TN_E_USAGE, "a second one", "" },
  { "", { NULL }, 0, TN_QUERY_NATIVE, TN_E_USAGE, "there is none", "" },
};

static const struct parameter_case named_cases[] = {
  { "x :a", { "a" }, 1, 0, TN_OK, "", "1" },
  { "x :a, :b", { "a", "b" }, 2, 0, TN_OK, "", "12" },
  { "x :a, :b", { "b", "a" }, 2, 0, TN_OK, "", "21" },
  { "x :a, :b, :a", { "a", "b" }, 2, 0, TN_OK, "", "121" },
  { "x :a, :a, :b", { "b", "a" }, 2, 0, TN_OK, "", "221" },
  { "x :a",
    { NULL },
    0,
    0,
    TN_E_USAGE,
    "0 values for a statement with 1 parameter",
    "" },
  { "x :a",
    { NULL },
    1,
    0,
    TN_E_USAGE,
    "names its parameters (:a), so each value needs a name",
    "" },
  { "x :a, :b", { "a" }, 1, 0, TN_E_USAGE, "no value is named \"b\"", "" },
  { "x :a",
    { "a", "b" },
    2,
    0,
    TN_E_USAGE,
    "the value named \"b\" is not used by the statement",
    "" },
  { "x :a",
    { "A" },
    1,
    0,
    TN_E_USAGE,
    "the value named \"A\" is not used",
    "" },
  { "x :a",
    { ":a" },
    1,
    0,
    TN_E_USAGE,
    "the value named \":a\" is not used",
    "" },
  { "x :a", { "" }, 1, 0, TN_E_USAGE, "the value named \"\" is not used", "" },
  { "x :a", { "a", "a" }, 2, 0, TN_E_USAGE, "two values are named \"a\"", "" },
  { "x :a, :b",
    { "b", "a", "b" },
    3,
    0,
    TN_E_USAGE,
    "two values are named \"b\"",
    "" },
  { "x :a, :b", { "a", "a" }, 2, 0, TN_E_USAGE, "no value is named \"b\"", "" },
};

static void
expect_sent(const char *digits, size_t i)
{
  cr_expect_eq(script.value_count, strlen(digits), "case %zu: %u values", i,
               (unsigned)script.value_count);
  for (size_t at = 0; digits[at] != '\0'; at++)
    cr_expect_eq(script.values[at].as.int64, digits[at] - '0',
                 "case %zu: value %zu", i, at + 1);
}

static void
run_case(const struct parameter_case *c, size_t i)
{
  const tn_value values[] = { tn_int64(1), tn_int64(2), tn_int64(3) };
  const struct tn_query query = { .sql = c->sql,
                                  .values = values,
                                  .names =
                                      c->names[0] != NULL ? c->names : NULL,
                                  .value_count = c->count,
                                  .flags = c->flags };
  tn_result *result = UNTOUCHED(tn_result);
  unsigned executed = script.calls[FAKE_EXECUTE];

  script.value_count = 0;
  cr_expect_eq(tn_conn_query(conn, &query, &result, &err), c->code,
               "case %zu: \"%s\": %s", i, c->sql, err.message);
  expect_sent(c->sent, i);
  if (c->code == TN_OK) {
    tn_result_close(&result);
    if ((c->flags & TN_QUERY_NATIVE) != 0)
      cr_expect_str_eq(script.sql, c->sql, "case %zu", i);
    return;
  }
  cr_expect_eq(err.code, (int32_t)c->code, "case %zu", i);
  cr_expect(strstr(err.message, c->message) != NULL, "case %zu: \"%s\": %s", i,
            c->sql, err.message);
  cr_expect_eq(tn_conn_query(conn, &query, &result, NULL), c->code, "case %zu",
               i);
  cr_expect_eq(result, UNTOUCHED(tn_result), "case %zu", i);
  cr_expect_eq(script.calls[FAKE_EXECUTE], executed, "case %zu", i);
  cr_expect_eq(script.open_statements, 0, "case %zu", i);
}

static void
run_cases(const struct parameter_case *cases, size_t count)
{
  fixture_open();
  for (size_t i = 0; i < count; i++)
    run_case(&cases[i], i);
  fixture_expect_usable("refusals");
  fixture_close();
}

/* ---- placing values ---- */

Test(prepared, positional_values_match_their_places)
{
  run_cases(positional_cases, TN_COUNT(positional_cases));
}

Test(prepared, native_statements_are_passed_as_they_are)
{
  run_cases(native_cases, TN_COUNT(native_cases));
}

Test(prepared, named_values_are_put_in_order)
{
  run_cases(named_cases, TN_COUNT(named_cases));
}

Test(prepared, names_without_values_are_not_looked_at)
{
  const char *const *names = (const char *const *)(void *)&names;
  const struct tn_query query = { .sql = "x ?", .names = names + 1 };
  tn_result *result = NULL;

  fixture_open();
  cr_expect_eq(tn_conn_query(conn, &query, &result, &err), TN_E_USAGE);
  cr_expect(strstr(err.message, "0 values") != NULL, "%s", err.message);
  fixture_close();
}

Test(prepared, a_name_that_is_null_is_none)
{
  const char *const names[] = { "a", NULL };
  const tn_value values[] = { tn_int64(1), tn_int64(2) };
  const struct tn_query query = {
    .sql = "x :a, :b", .values = values, .names = names, .value_count = 2
  };
  tn_result *result = NULL;

  fixture_open();
  cr_expect_eq(tn_conn_query(conn, &query, &result, &err), TN_E_USAGE);
  cr_expect(strstr(err.message, "named \"\" is not used") != NULL, "%s",
            err.message);
  fixture_close();
}

/* ---- values that are refused ---- */

static char long_text[1002];

/* What is refused of four values, the third being bad. */
static const struct {
  const char *sql;
  const char *names[4];
  int32_t parameter;
  const char *message;
  const char *from_plug_in; /* the same, when it refuses what is sent */
} refused_cases[] = {
  { "x ?, ?, ?, ?", { NULL }, 3, "parameter 3: ", "" },
  { "x :a, :b, :c, :d", { "a", "b", "c", "d" }, 3, "parameter :c: ", ":c" },
  { "x :d, :c, :b, :a", { "a", "b", "c", "d" }, 2, "parameter :c: ", ":b" },
  { "x :a, :a, :c, :b, :d", { "a", "b", "c", "d" }, 2, "parameter :c: ", ":c" },
  { "x :a, :b, :a, :d, :c", { "a", "b", "c", "d" }, 4, "parameter :c: ", ":a" },
};

static void
run_refused(size_t i, const tn_value *bad, enum tn_code code)
{
  tn_value values[4] = { tn_int64(1), tn_int64(2), *bad, tn_int64(4) };
  const struct tn_query query = { .sql = refused_cases[i].sql,
                                  .values = values,
                                  .names = refused_cases[i].names[0] != NULL
                                               ? refused_cases[i].names
                                               : NULL,
                                  .value_count = 4 };
  tn_result *result = UNTOUCHED(tn_result);

  cr_expect_eq(tn_conn_query(conn, &query, &result, &err), code,
               "case %zu: %s: %s", i, tn_code_name(code), err.message);
  cr_expect_eq(err.parameter, refused_cases[i].parameter, "case %zu: %d", i,
               err.parameter);
  cr_expect(strncmp(err.message, refused_cases[i].message,
                    strlen(refused_cases[i].message)) == 0,
            "case %zu: %s", i, err.message);
  cr_expect_str_eq(err.backend, "fake");
  cr_expect_eq(tn_conn_query(conn, &query, &result, NULL), code, "case %zu", i);
  cr_expect_eq(result, UNTOUCHED(tn_result));
}

Test(prepared, a_refused_value_is_named_and_nothing_is_sent)
{
  tn_value bad[] = { tn_time(1), tn_text("\xff"), tn_text(long_text),
                     tn_date(TN_DAYS_MAX + 1) };
  static const enum tn_code codes[] = { TN_E_UNSUPPORTED, TN_E_CHARSET,
                                        TN_E_LIMIT, TN_E_DATA };

  memset(long_text, 'x', sizeof long_text - 1);
  bad[2] = tn_text(long_text);
  fixture_open();
  for (size_t i = 0; i < TN_COUNT(refused_cases); i++)
    for (size_t j = 0; j < TN_COUNT(bad); j++)
      run_refused(i, &bad[j], codes[j]);
  cr_expect_eq(script.calls[FAKE_EXECUTE], 0);
  fixture_expect_usable("refusals");
  fixture_close();
}

Test(prepared, no_text_is_refused)
{
  const struct tn_query none = { .sql = NULL };
  tn_prepared *prepared = NULL;
  tn_result *result = NULL;

  fixture_open();
  cr_expect_eq(tn_conn_query(conn, &none, &result, &err), TN_E_USAGE);
  cr_expect_str_eq(err.message, "query: there is no text of a statement");
  cr_expect_null(result);
  cr_expect_eq(tn_conn_exec(conn, NULL, NULL, &err), TN_E_USAGE);
  cr_expect_eq(tn_conn_prepare(conn, NULL, 0, &prepared, &err), TN_E_USAGE);
  cr_expect_null(prepared);
  cr_expect_eq(tn_conn_query(conn, &none, &result, NULL), TN_E_USAGE);
  fixture_expect_usable("no text");
  fixture_close();
}

Test(prepared, a_parameter_that_the_plug_in_refuses_is_named_as_it_was_given)
{
  static const struct fake_answer third[] = {
    { .slot = FAKE_EXECUTE,
      .category = TN_E_DATA,
      .parameter = 3,
      .message = "parameter 3 is bad" },
  };
  static const int32_t parameters[] = { 3, 3, 3, 2, 1 };
  const tn_value values[] = { tn_int64(1), tn_int64(2), tn_int64(3),
                              tn_int64(4) };

  SCRIPT_ANSWERS(third);
  fixture_open();
  for (size_t i = 0; i < TN_COUNT(refused_cases); i++) {
    const struct tn_query query = { .sql = refused_cases[i].sql,
                                    .values = values,
                                    .names = refused_cases[i].names[0] != NULL
                                                 ? refused_cases[i].names
                                                 : NULL,
                                    .value_count = 4 };
    tn_result *result = NULL;

    cr_expect_eq(tn_conn_query(conn, &query, &result, &err), TN_E_DATA);
    cr_expect_eq(err.parameter, parameters[i], "case %zu: %d", i,
                 err.parameter);
    cr_expect_str_eq(err.message, "parameter 3 is bad", "case %zu", i);
    cr_expect(strstr(err.detail, refused_cases[i].from_plug_in) != NULL,
              "case %zu: %s", i, err.detail);
  }
  script.answer_count = 0;
  fixture_expect_usable("refusals");
  fixture_close();
}

Test(prepared, a_parameter_that_is_none_is_left_as_it_is)
{
  static const struct fake_answer far_off[] = {
    { .slot = FAKE_EXECUTE, .category = TN_E_DATA, .parameter = 9 },
  };
  const char *const names[] = { "a" };
  const tn_value values[] = { tn_int64(1) };
  const struct tn_query query = {
    .sql = "x :a, :a", .values = values, .names = names, .value_count = 1
  };
  tn_result *result = NULL;

  SCRIPT_ANSWERS(far_off);
  fixture_open();
  cr_expect_eq(tn_conn_query(conn, &query, &result, &err), TN_E_DATA);
  cr_expect_eq(err.parameter, 9);
  fixture_close();
}

/* ---- limits ---- */

Test(prepared, limits_of_the_backend_are_kept_before_anything_is_sent)
{
  static struct tn_dialect_table dialect;
  static const struct {
    const char *sql;
    uint32_t flags;
  } cases[] = {
    { "x ?, ?, ?", 0 },
    { "123456789012345678901", 0 },
    { "123456789012345678901", TN_QUERY_NATIVE },
    { "x ?, ?, ?", TN_QUERY_NATIVE },
  };
  const tn_value values[] = { tn_int64(1), tn_int64(2), tn_int64(3) };

  dialect =
      *(const struct tn_dialect_table *)fake_plugin_entry(NULL)->get_table(
          TN_TABLE_DIALECT);
  dialect.max_parameters = 2;
  dialect.max_statement_bytes = 20;
  tables[TN_TABLE_DIALECT] = &dialect;
  fixture_open();
  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    const struct tn_query query = { .sql = cases[i].sql,
                                    .values = values,
                                    .value_count =
                                        cases[i].sql[0] == 'x' ? 3 : 0,
                                    .flags = cases[i].flags };
    tn_result *result = NULL;

    cr_expect_eq(tn_conn_query(conn, &query, &result, &err), TN_E_LIMIT,
                 "case %zu: %s", i, err.message);
  }
  cr_expect_eq(script.calls[FAKE_EXECUTE], 0);
  cr_expect_eq(tn_conn_exec(conn, "12345678901234567890", NULL, &err), TN_OK);
  fixture_close();
}

/* ---- the life of a prepared statement ---- */

Test(prepared, runs_many_times_and_is_compiled_once)
{
  const char *const names[] = { "a", "b" };
  tn_value values[] = { tn_int64(1), tn_int64(2) };
  const struct tn_query query = { .values = values,
                                  .names = names,
                                  .value_count = 2 };
  tn_prepared *prepared = NULL;

  fixture_open();
  cr_assert_eq(tn_conn_prepare(conn, "x :b, :a, :b", 0, &prepared, &err),
               TN_OK);
  cr_expect_str_eq(script.sql, "x ?, ?, ?");
  for (int64_t i = 3; i < 9; i++) {
    tn_result *result = NULL;

    values[1].as.int64 = i;
    cr_assert_eq(tn_prepared_query(prepared, &query, &result, &err), TN_OK);
    cr_expect_eq(script.value_count, 3);
    cr_expect_eq(script.values[0].as.int64, i);
    cr_expect_eq(script.values[1].as.int64, 1);
    cr_expect_eq(script.values[2].as.int64, i);
    cr_expect_eq(tn_prepared_query(prepared, &query, &result, &err), TN_E_STATE,
                 "its last result is open");
    cr_expect_eq(tn_prepared_query(prepared, &query, &result, NULL),
                 TN_E_STATE);
    tn_result_close(&result);
  }
  cr_expect_eq(script.calls[FAKE_PREPARE], 1);
  cr_expect_eq(script.calls[FAKE_EXECUTE], 6);
  tn_prepared_close(&prepared);
  cr_expect_eq(prepared, NULL);
  tn_prepared_close(&prepared);
  tn_prepared_close(NULL);
  fixture_close();
}

static const struct tn_column columns[] = { { "a", "int", TN_INT64, 0 } };
static const tn_value rows[] = { { .type = TN_INT64, .as.int64 = 7 },
                                 { .type = TN_INT64, .as.int64 = 8 } };
static const struct fake_result results[] = {
  { .columns = columns, .column_count = 1, .rows = rows, .row_count = 2 },
};

Test(prepared, close_closes_its_open_result_and_frees_the_session)
{
  const struct tn_query query = { .flags = 0 };
  tn_prepared *prepared = NULL;
  tn_result *result = NULL;

  SCRIPT_RESULTS(results);
  fixture_open();
  cr_assert_eq(tn_conn_prepare(conn, "x", 0, &prepared, &err), TN_OK);
  cr_assert_eq(tn_prepared_query(prepared, &query, &result, &err), TN_OK);
  tn_prepared_close(&prepared);
  cr_expect_eq(script.open_statements, 0);
  fixture_expect_usable("the close");
  fixture_close();
}

Test(prepared, is_of_no_use_without_its_session_but_can_be_closed)
{
  const struct tn_query query = { .flags = 0 };
  tn_prepared *prepared = NULL;
  tn_result *result = UNTOUCHED(tn_result);

  fixture_open();
  cr_assert_eq(tn_conn_prepare(conn, "x", 0, &prepared, &err), TN_OK);
  fixture_close();
  cr_expect_eq(tn_prepared_query(prepared, &query, &result, &err), TN_E_STATE);
  cr_expect(strstr(err.message, "connection is closed") != NULL);
  cr_expect_eq(tn_prepared_query(prepared, &query, &result, NULL), TN_E_STATE);
  cr_expect_eq(result, UNTOUCHED(tn_result));
  tn_prepared_close(&prepared);
}

Test(prepared, can_run_again_after_a_failure)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_EXECUTE, .nth = 1, .category = -1, .sqlstate = "23505" },
    { .slot = FAKE_COLUMNS, .nth = 1, .category = TN_E_OTHER },
  };
  const struct tn_query query = { .flags = 0 };
  tn_prepared *prepared = NULL;
  tn_result *result = UNTOUCHED(tn_result);

  SCRIPT_ANSWERS(answers);
  SCRIPT_RESULTS(results);
  fixture_open();
  cr_assert_eq(tn_conn_prepare(conn, "x", 0, &prepared, &err), TN_OK);
  cr_expect_eq(tn_prepared_query(prepared, &query, &result, &err),
               TN_E_DUPLICATE);
  cr_expect_str_eq(err.sqlstate, "23505");
  cr_expect_eq(tn_prepared_query(prepared, &query, &result, &err), TN_E_OTHER);
  cr_expect_eq(result, UNTOUCHED(tn_result));
  cr_expect_eq(script.open_results, 0);
  cr_expect_eq(tn_prepared_query(prepared, &query, &result, &err), TN_OK);
  tn_result_close(&result);
  tn_prepared_close(&prepared);
  fixture_close();
}

static struct tn_statement_table wasteful;

/* An execute() that needs memory before it finds out that it cannot. */
static int32_t
execute_in_vain(void *statement, const tn_value *values, uint32_t count,
                struct tn_call *call, void **ret)
{
  (void)statement;
  (void)values;
  (void)count;
  (void)ret;
  if (call->host->arena_alloc(call->arena, 5000) == NULL)
    return tn_fail(call, TN_E_MEMORY, "fake: out of memory");
  return tn_fail(call, TN_E_DUPLICATE, "in vain");
}

Test(prepared, memory_of_failed_runs_does_not_grow)
{
  const struct tn_query query = { .flags = 0 };
  tn_prepared *prepared = NULL;
  tn_result *result = NULL;
  long live = 0;

  wasteful =
      *(const struct tn_statement_table *)fake_plugin_entry(NULL)->get_table(
          TN_TABLE_STATEMENT);
  wasteful.execute = execute_in_vain;
  tables[TN_TABLE_STATEMENT] = &wasteful;
  fixture_open();
  cr_assert_eq(tn_conn_prepare(conn, "x", 0, &prepared, &err), TN_OK);
  oom_fail_nth(0, false);
  for (int i = 0; i < 50; i++) {
    cr_expect_eq(tn_prepared_query(prepared, &query, &result, &err),
                 TN_E_DUPLICATE);
    if (i == 0)
      live = oom_live();
  }
  cr_expect_eq(oom_live(), live);
  oom_reset();
  tn_prepared_close(&prepared);
  fixture_close();
}

/* ---- exec ---- */

Test(prepared, exec_reads_to_the_end_and_tells_the_rows)
{
  static const struct fake_result told[] = {
    { .sql = "update", .info_flags = TN_RESULT_HAS_AFFECTED, .affected = 42 },
    { .sql = "select",
      .columns = columns,
      .column_count = 1,
      .rows = rows,
      .row_count = 2 },
  };
  uint64_t affected = 77;

  SCRIPT_RESULTS(told);
  fixture_open();
  cr_expect_eq(tn_conn_exec(conn, "update", &affected, &err), TN_OK);
  cr_expect_eq(affected, 42);
  cr_expect_eq(tn_conn_exec(conn, "select", &affected, &err), TN_OK);
  cr_expect_eq(affected, 2);
  cr_expect_eq(tn_conn_exec(conn, "create", &affected, NULL), TN_OK);
  cr_expect_eq(affected, 0);
  affected = 77;
  cr_expect_eq(tn_conn_exec(conn, "update ?", &affected, &err), TN_E_USAGE);
  cr_expect_eq(affected, 77);
  fixture_close();
}

Test(prepared, exec_fails_with_the_row_that_fails)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_FETCH, .nth = 2, .category = TN_E_CHECK, .message = "no" },
  };
  uint64_t affected = 77;

  SCRIPT_ANSWERS(answers);
  SCRIPT_RESULTS(results);
  fixture_open();
  cr_expect_eq(tn_conn_exec(conn, "select", &affected, &err), TN_E_CHECK);
  cr_expect_str_eq(err.message, "no");
  cr_expect_eq(affected, 77);
  fixture_expect_usable("a row that failed");
  fixture_close();
}

/* ---- memory ---- */

/* Prepare, run, read, close; false: no allocation failed. */
static bool
walk(long nth, uint32_t flags)
{
  const char *const names[] = { "a", "b" };
  const tn_value values[] = { tn_int64(1), tn_int64(2) };
  const struct tn_query query = {
    .values = values, .names = names, .value_count = 2, .flags = flags
  };
  tn_prepared *prepared = NULL;
  tn_result *result = NULL;
  const tn_value *row = NULL;
  bool has_failed;
  enum tn_code rc;
  long live;

  oom_fail_nth(nth, false);
  live = oom_live();
  rc = tn_conn_prepare(conn, "x :b, :a, :b", 0, &prepared, &err);
  if (rc == TN_OK)
    rc = tn_prepared_query(prepared, &query, &result, &err);
  while (rc == TN_OK) {
    rc = tn_result_next(result, &row, &err);
    if (row == NULL)
      break;
  }
  has_failed = oom_count() >= nth;
  if (has_failed)
    cr_expect_eq(rc, TN_E_MEMORY, "allocation %ld: %s", nth, tn_code_name(rc));
  else
    cr_expect_eq(rc, TN_OK, "allocation %ld: %s", nth, tn_code_name(rc));
  tn_result_close(&result);
  tn_prepared_close(&prepared);
  cr_assert_eq(oom_live(), live, "allocation %ld", nth);
  oom_reset();
  if (has_failed)
    fixture_expect_usable("out of memory");
  return has_failed;
}

Test(prepared, gets_by_without_memory)
{
  long nth = 1;

  SCRIPT_RESULTS(results);
  fixture_open();
  while (walk(nth, 0))
    nth++;
  cr_expect_gt(nth, 4);
  nth = 1;
  while (walk(nth, TN_QUERY_BUFFERED))
    nth++;
  cr_expect_gt(nth, 5);
  fixture_close();
}
