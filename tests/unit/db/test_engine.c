/* What an application holds: where its options come from and what they do, and
 * how it starts. */
#include "engine_fixture.h"

#include <tenon/async.h>

#include <stdlib.h>
#include <unistd.h>

TestSuite(engine, .init = fixture_init, .timeout = 60);

/* ---- opening ---- */

Test(engine, connects_when_it_is_first_used)
{
  open_engine("");
  cr_expect_eq(calls_of(FAKE_CONNECT), 0);
  use_once();
  use_once();
  cr_expect_eq(calls_of(FAKE_CONNECT), 1);
  cr_expect_str_eq(tn_engine_backend(engine), "fake");
  close_engine();
}

Test(engine, needs_no_options)
{
  cr_expect_eq(tn_engine_open("nosuch://", NULL, &engine, &err), TN_E_PLUGIN);
  cr_expect_null(engine);
  tn_engine_close(&engine);
  tn_engine_close(NULL);
}

Test(engine, shows_its_url_without_the_password)
{
  char url[128];

  snprintf(url, sizeof url, "fake://u:hidden@h/db?script=%p", (void *)&script);
  cr_assert_eq(try_open(url), TN_OK, "%s", err.message);
  cr_expect_null(strstr(tn_engine_url(engine), "hidden"));
  cr_expect_not_null(strstr(tn_engine_url(engine), "@h/db"));
  close_engine();
}

Test(engine, refuses_at_open_what_is_wrong)
{
  static const struct {
    const char *url;
    enum tn_code code;
    const char *message;
  } cases[] = {
    { "fake://h/?max_pool_size=many", TN_E_CONFIG,
      "url: max_pool_size = \"many\": must be a whole number from 0 to "
      "2147483647" },
    { "fake://h/?pool_kind=lifo", TN_E_CONFIG,
      "url: pool_kind = \"lifo\": must be one of auto|queue|null|static" },
    { "fake://h/?connection_trace=si", TN_E_CONFIG,
      "url: connection_trace = \"si\": must be true or false (1 or 0, yes or "
      "no, on or off)" },
    { "fake://h/?lable=x", TN_E_CONFIG, NULL },
    { "fake://h/?size=-2", TN_E_CONFIG, NULL },
    { "fake://h/?max_overflow=1&max_overflow=2", TN_E_CONFIG, NULL },
    { "@nowhere", TN_E_CONFIG, NULL },
    { "nosuch://h/", TN_E_PLUGIN, NULL },
    { "no url", TN_E_CONFIG, NULL },
  };

  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    engine = UNTOUCHED(tn_engine);
    cr_expect_eq(try_open(cases[i].url), cases[i].code, "%s: %s", cases[i].url,
                 err.message);
    cr_expect_eq(engine, UNTOUCHED(tn_engine));
    if (cases[i].message != NULL)
      cr_expect_str_eq(err.message, cases[i].message);
  }
  engine = NULL;
  cr_expect_eq(calls_of(FAKE_CONNECT), 0);
  close_engine();
}

Test(engine, refuses_a_setting_that_there_is_not)
{
  static const struct {
    struct tn_setting setting;
    enum tn_code code;
    const char *message;
  } cases[] = {
    { { "max_pool_sise", "5" },
      TN_E_CONFIG,
      "engine: no option \"max_pool_sise\"; did you mean max_pool_size?" },
    { { "max_pool_size", "-1" },
      TN_E_CONFIG,
      "engine: max_pool_size = \"-1\": must be a whole number from 0 to "
      "2147483647" },
    { { "sqlite_synchronous", "maybe" }, TN_E_CONFIG, NULL },
    { { "connection", "fake://" },
      TN_E_CONFIG,
      "engine: option connection is for a configuration only" },
    { { "", "5" }, TN_E_CONFIG, "engine: no option \"\"" },
    { { NULL, "5" }, TN_E_USAGE, NULL },
    { { "max_pool_size", NULL }, TN_E_USAGE, NULL },
  };

  options.setting_count = 1;
  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    options.settings = &cases[i].setting;
    cr_expect_eq(try_open(fixture_url("")), cases[i].code, "case %zu: %s", i,
                 err.message);
    if (cases[i].message != NULL)
      cr_expect_str_eq(err.message, cases[i].message);
  }
  options.struct_size = 0;
  cr_expect_eq(try_open(fixture_url("")), TN_E_USAGE);
  close_engine();
}

/* ---- where an option comes from ---- */

static const char *
option(const char *key)
{
  const char *text = NULL;

  cr_assert_eq(tn_engine_option(engine, key, &text, &err), TN_OK, "%s",
               err.message);
  return text;
}

Test(engine, takes_an_option_from_the_program_then_the_url_then_the_file)
{
  const struct tn_setting settings[] = { { "max_overflow", "1" } };

  load_config("connection_parameters = max_overflow=2&pool_timeout=2\n"
              "max_overflow = 3\npool_timeout = 3\npool_idle_time = 3\n");
  options.settings = settings;
  options.setting_count = 1;
  cr_assert_eq(try_open("@database"), TN_OK, "%s", err.message);
  cr_expect_str_eq(option("max_overflow"), "1");
  cr_expect_str_eq(option("pool_timeout"), "2");
  cr_expect_str_eq(option("pool_idle_time"), "3");
  cr_expect_str_eq(option("max_pool_size"), "5");
  cr_expect_eq(engine->pool->options.overflow, 1);
  cr_expect_eq(engine->pool->options.wait_ms, 2000);
  cr_expect_eq(engine->pool->options.idle_ms, 3000);
  cr_expect_eq(engine->pool->options.size, 5);
  close_engine();
}

Test(engine, tells_of_options_that_there_are_not)
{
  const char *text = UNTOUCHED(char);

  open_engine("");
  cr_expect_eq(tn_engine_option(engine, "pool_sise", &text, &err),
               TN_E_NOT_FOUND);
  cr_expect_eq(tn_engine_option(engine, "password", &text, &err),
               TN_E_NOT_FOUND);
  cr_expect_eq(tn_engine_option(engine, "pool_timeout", &text, &err),
               TN_E_NOT_FOUND);
  cr_expect_str_eq(err.message,
                   "engine: option pool_timeout has no value and no default");
  cr_expect_eq(text, UNTOUCHED(char));
  close_engine();
}

Test(engine, keeps_its_own_options_from_the_backend)
{
  open_engine("&max_pool_size=2&label=x&pool_timeout=9&db_max_retries=3");
  use_once();
  cr_expect_str_eq(script.args, "dialect=fake host=h:0 database=db label=x");
  close_engine();

  /* A connection by itself has no pool, and takes the same URLs. */
  cr_assert_eq(tn_conn_open(fixture_url("&max_pool_size=2"),
                            &(struct tn_conn_options){ .registry = NULL },
                            &conn, &err),
               TN_E_PLUGIN);
  fixture_registry(NULL);
  cr_assert_eq(tn_conn_open(fixture_url("&max_pool_size=2"),
                            &(struct tn_conn_options){ .registry = registry },
                            &conn, &err),
               TN_OK, "%s", err.message);
  fixture_close();
}

/* ---- what the options do ---- */

#define POOL(field)                                                            \
  offsetof(struct tn_pool_options, field),                                     \
      sizeof(((struct tn_pool_options *)0)->field)

Test(engine, makes_the_pool_of_its_options)
{
  static const struct {
    const char *more;
    size_t offset;
    size_t size;
    int64_t value;
  } cases[] = {
    { "", POOL(kind), TN_POOL_QUEUE },
    { "", POOL(reset), TN_RESET_TOUCHED },
    { "", POOL(size), 5 },
    { "", POOL(overflow), 50 },
    { "", POOL(wait_ms), 30000 },
    { "", POOL(recycle_ms), 3600000 },
    { "", POOL(lifetime_ms), 1800000 },
    { "", POOL(idle_ms), 600000 },
    { "", POOL(ping_after_ms), 1000 },
    { "", POOL(leak_ms), 0 },
    { "", POOL(tick_ms), 1000 },
    { "", POOL(retry_min_ms), 100 },
    { "", POOL(retry_max_ms), 1000 },
    { "", POOL(connect_concurrency), 8 },
    { "", POOL(min_idle), 0 },
    { "&pool_kind=null", POOL(kind), TN_POOL_NULL },
    { "&pool_kind=static", POOL(kind), TN_POOL_STATIC },
    { "&pool_kind=queue", POOL(kind), TN_POOL_QUEUE },
    { "&pool_reset=always", POOL(reset), TN_RESET_ALWAYS },
    { "&pool_reset=never", POOL(reset), TN_RESET_NEVER },
    { "&max_pool_size=0", POOL(size), 0 },
    { "&max_pool_size=7", POOL(size), 7 },
    { "&max_overflow=-1", POOL(overflow), -1 },
    { "&pool_timeout=0", POOL(wait_ms), 0 },
    { "&pool_timeout=2", POOL(wait_ms), 2000 },
    { "&connection_recycle_time=-1", POOL(recycle_ms), 0 },
    { "&connection_recycle_time=0", POOL(recycle_ms), 1 },
    { "&connection_recycle_time=5", POOL(recycle_ms), 5000 },
    { "&pool_lifetime=6", POOL(lifetime_ms), 6000 },
    { "&pool_idle_time=0", POOL(idle_ms), 0 },
    { "&pool_ping_time=3", POOL(ping_after_ms), 3000 },
    { "&pool_leak_time=4", POOL(leak_ms), 4000 },
    { "&pool_tick_time=0", POOL(tick_ms), 0 },
    { "&pool_retry_time=0", POOL(retry_min_ms), 0 },
    { "&pool_retry_time=0", POOL(retry_max_ms), 0 },
    { "&pool_retry_time=9", POOL(retry_max_ms), 9000 },
    { "&pool_connects=2", POOL(connect_concurrency), 2 },
    { "&pool_min_idle=2", POOL(min_idle), 2 },
    { "&pool_min_idle=20", POOL(min_idle), 5 },
    { "&pool_min_idle=20&max_pool_size=0", POOL(min_idle), 20 },
  };

  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    int64_t value = 0;

    open_engine(cases[i].more);
    memcpy(&value, (char *)&engine->pool->options + cases[i].offset,
           cases[i].size);
    if (cases[i].size == 4)
      value = (int32_t)value;
    cr_expect_eq(value, cases[i].value, "case %zu: %s", i, cases[i].more);
    tn_engine_close(&engine);
  }
  close_engine();
}

static int32_t
say_fleeting(const struct tn_connect_args *args)
{
  return args->database != NULL && strcmp(args->database, "memory") == 0;
}

static void
let_databases_be_fleeting(void)
{
  static struct tn_connection_table table;

  memcpy(&table, fake_plugin_entry(NULL)->get_table(TN_TABLE_CONNECTION),
         sizeof table);
  table.is_fleeting = say_fleeting;
  tables[TN_TABLE_CONNECTION] = &table;
}

Test(engine, has_one_connection_to_a_database_that_ends_with_it)
{
  static const struct {
    const char *url;
    uint32_t kind;
  } cases[] = {
    { "fake://h/memory", TN_POOL_STATIC },
    { "fake://h/file", TN_POOL_QUEUE },
    { "fake://h/memory?pool_kind=queue", TN_POOL_QUEUE },
    { "fake://h/memory?pool_kind=auto", TN_POOL_STATIC },
  };

  let_databases_be_fleeting();
  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    cr_assert_eq(try_open(cases[i].url), TN_OK, "%s", err.message);
    cr_expect_eq(engine->pool->options.kind, cases[i].kind, "%s", cases[i].url);
    tn_engine_close(&engine);
  }
  close_engine();
}

Test(engine, says_once_which_options_have_no_effect)
{
  let_databases_be_fleeting();
  load_config("sqlite_synchronous = false\nmax_pool_size = 3\n");
  cr_assert_eq(try_open("@database"), TN_OK, "%s", err.message);
  use_once();
  cr_expect_not_null(strstr(log_text, "warning: engine: option "
                                      "sqlite_synchronous has no effect on "
                                      "fake://h/db"),
                     "%s", log_text);
  cr_expect_null(strstr(log_text, "max_pool_size"), "%s", log_text);
  cr_expect_null(strstr(log_text, "mysql_sql_mode"), "%s", log_text);
  close_engine();

  log_text[0] = '\0';
  cr_assert_eq(try_open("fake://h/memory?max_pool_size=2&pool_lifetime=3"),
               TN_OK, "%s", err.message);
  cr_expect_not_null(strstr(log_text, "option max_pool_size has no effect"));
  cr_expect_not_null(strstr(log_text, "option pool_lifetime has no effect"));
  cr_expect_null(strstr(log_text, "max_overflow"), "%s", log_text);
  close_engine();
}

Test(engine, an_option_of_another_backend_has_no_effect_wherever_it_is_said)
{
  static const struct tn_setting setting = { "mysql_sql_mode", "ANSI" };
  const char *text = NULL;

  options.settings = &setting;
  options.setting_count = 1;
  open_engine("&sqlite_synchronous=false");
  use_once();
  cr_expect_not_null(strstr(log_text, "option sqlite_synchronous has no"), "%s",
                     log_text);
  cr_expect_not_null(strstr(log_text, "option mysql_sql_mode has no effect"),
                     "%s", log_text);
  cr_expect_str_eq(option("mysql_sql_mode"), "ANSI");
  cr_expect_eq(tn_engine_option(engine, "mysql_wsrep_sync_wait", &text, &err),
               TN_E_NOT_FOUND);
  close_engine();
}

Test(engine, limits_the_time_of_a_statement)
{
  static const struct fake_answer slow[] = {
    { .slot = FAKE_EXECUTE, .wait_ms = 30000 },
  };
  int64_t began = tn_clock_now();

  SCRIPT_ANSWERS(slow);
  open_engine("&query_timeout=1");
  cr_expect_eq(tn_engine_exec(engine, "x", NULL, &err), TN_E_TIMEOUT, "%s",
               err.message);
  cr_expect_lt(tn_clock_now() - began, 20 * NS_PER_S);
  close_engine();
}

Test(engine, keeps_as_many_statements_as_it_is_told)
{
  static const struct {
    const char *more;
    unsigned prepares;
  } cases[] = {
    { "", 1 },
    { "&statement_cache_size=0", 3 },
    { "&statement_cache_bytes=3", 3 },
  };

  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    unsigned before = calls_of(FAKE_PREPARE);

    open_engine(cases[i].more);
    for (int k = 0; k < 3; k++)
      cr_assert_eq(tn_engine_exec(engine, "SELECT 1", NULL, &err), TN_OK);
    cr_expect_eq(calls_of(FAKE_PREPARE) - before, cases[i].prepares, "%s",
                 cases[i].more);
    tn_engine_close(&engine);
  }
  close_engine();
}

Test(engine, sees_a_password_that_has_changed)
{
  static const char name[] = "TENON_TEST_ENGINE_PASSWORD";

  setenv(name, "first", 1);
  load_config("password = env:TENON_TEST_ENGINE_PASSWORD\n"
              "pool_kind = null\n");
  cr_assert_eq(try_open("@database"), TN_OK, "%s", err.message);
  use_once();
  cr_expect_not_null(strstr(script.args, "password=first"), "%s", script.args);
  unsetenv(name);
  close_engine();
}

/* ---- statements ---- */

static const struct tn_column columns[] = {
  { .name = "n", .type_name = "int", .type = TN_INT64 },
};
static const tn_value cells[] = {
  { .type = TN_INT64, .as.int64 = 1 },
  { .type = TN_INT64, .as.int64 = 2 },
};
static const struct fake_result two_rows[] = {
  { .sql = "rows",
    .columns = columns,
    .column_count = 1,
    .rows = cells,
    .row_count = 2 },
};

static uint32_t
lent(void)
{
  struct tn_pool_stats stats = { .struct_size = sizeof stats };

  tn_pool_stats(tn_engine_pool(engine), &stats);
  return stats.lent;
}

Test(engine, has_a_connection_on_loan_as_long_as_a_result_is_open)
{
  static const char *const statements[] = { "rows", "SELECT rows" };
  const tn_value *row = NULL;
  tn_result *result = NULL;

  SCRIPT_RESULTS(two_rows);
  open_engine("");
  for (size_t i = 0; i < TN_COUNT(statements); i++) {
    const struct tn_query query = { .sql = statements[i] };

    cr_assert_eq(tn_engine_query(engine, &query, &result, &err), TN_OK, "%s",
                 err.message);
    cr_expect_eq(lent(), 1);
    cr_expect_eq(tn_result_next(result, &row, &err), TN_OK);
    tn_result_close(&result);
    cr_expect_eq(lent(), 0);
  }
  cr_expect_eq(calls_of(FAKE_CONNECT), 1);
  close_engine();
}

Test(engine, gives_back_what_a_failed_statement_had)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_EXECUTE, .category = TN_E_SYNTAX, .message = "no" },
  };
  const struct tn_query query = { .sql = "x" };
  tn_result *result = UNTOUCHED(tn_result);

  SCRIPT_ANSWERS(answers);
  open_engine("");
  cr_expect_eq(tn_engine_query(engine, &query, &result, &err), TN_E_SYNTAX);
  cr_expect_eq(result, UNTOUCHED(tn_result));
  cr_expect_eq(lent(), 0);
  cr_expect_eq(tn_engine_exec(engine, "x", NULL, &err), TN_E_SYNTAX);
  cr_expect_eq(lent(), 0);
  close_engine();
}

Test(engine, passes_on_why_there_is_no_connection)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_CONNECT, .category = TN_E_AUTH, .message = "no" },
  };
  const struct tn_query query = { .sql = "x" };
  tn_result *result = NULL;
  tn_conn *taken = NULL;

  SCRIPT_ANSWERS(answers);
  open_engine("&pool_retry_time=0");
  cr_expect_eq(tn_engine_take(engine, NULL, &taken, &err), TN_E_AUTH);
  cr_expect_eq(tn_engine_query(engine, &query, &result, &err), TN_E_AUTH);
  cr_expect_eq(tn_engine_exec(engine, "x", NULL, &err), TN_E_AUTH);
  close_engine();
}

Test(engine, ticks_when_it_is_told)
{
  open_engine("&pool_tick_time=0&pool_min_idle=2");
  tn_engine_tick(engine);
  cr_expect_eq(calls_of(FAKE_CONNECT), 2);
  close_engine();
}

/* ---- the start ---- */

static const struct fake_answer nobody[] = {
  { .slot = FAKE_CONNECT, .category = TN_E_CONNECT, .message = "nobody" },
};

static unsigned
count_of(const char *text)
{
  const char *at = log_text;
  unsigned count = 0;

  while ((at = strstr(at, text)) != NULL) {
    count++;
    at++;
  }
  return count;
}

Test(engine, starts_with_a_connection_that_is_used)
{
  open_engine("&retry_interval=0");
  cr_expect_eq(tn_engine_start(engine, TN_DEADLINE_NONE, &err), TN_OK, "%s",
               err.message);
  cr_expect_eq(calls_of(FAKE_CONNECT), 1);
  cr_expect_eq(tn_engine_start(engine, TN_DEADLINE_NONE, NULL), TN_OK);
  use_once();
  cr_expect_eq(calls_of(FAKE_CONNECT), 1);
  close_engine();
}

static void
expect_three_attempts(tn_deadline deadline)
{
  SCRIPT_ANSWERS(nobody);
  open_engine("&max_retries=3&retry_interval=0");
  cr_expect_eq(tn_engine_start(engine, deadline, &err), TN_E_CONNECT);
  cr_expect_str_eq(err.message, "nobody");
  cr_expect_eq(calls_of(FAKE_CONNECT), 3);
  cr_expect_eq(count_of("warning: engine: cannot connect to fake://h/db"), 3);
  cr_expect_eq(count_of("nobody; 2 attempts left"), 1, "%s", log_text);
  cr_expect_eq(count_of("nobody; 0 attempts left"), 1, "%s", log_text);
  close_engine();
}

Test(engine, tries_as_often_as_it_is_told)
{
  expect_three_attempts(TN_DEADLINE_NONE);
}

Test(engine, no_deadline_at_all_is_none_that_has_passed)
{
  expect_three_attempts(0);
}

Test(engine, does_not_try_if_there_are_no_attempts)
{
  SCRIPT_ANSWERS(nobody);
  open_engine("&max_retries=0");
  cr_expect_eq(tn_engine_start(engine, TN_DEADLINE_NONE, &err), TN_OK);
  cr_expect_eq(calls_of(FAKE_CONNECT), 0);
  close_engine();
}

Test(engine, goes_on_when_the_server_has_come)
{
  static const struct fake_answer twice[] = {
    { .slot = FAKE_CONNECT,
      .nth = 1,
      .category = TN_E_CONNECT,
      .message = "nobody" },
    { .slot = FAKE_CONNECT,
      .nth = 2,
      .category = TN_E_LIMIT,
      .message = "too many" },
  };

  SCRIPT_ANSWERS(twice);
  open_engine("&max_retries=-1&retry_interval=0");
  cr_expect_eq(tn_engine_start(engine, TN_DEADLINE_NONE, &err), TN_OK);
  cr_expect_eq(err.code, 0);
  cr_expect_eq(calls_of(FAKE_CONNECT), 3);
  cr_expect_eq(count_of("no end of attempts left"), 2, "%s", log_text);
  close_engine();
}

Test(engine, does_not_try_again_what_will_not_change)
{
  static const struct fake_answer wrong[] = {
    { .slot = FAKE_CONNECT, .category = TN_E_AUTH, .message = "wrong" },
  };

  SCRIPT_ANSWERS(wrong);
  open_engine("&max_retries=-1&retry_interval=0&start_degraded=yes");
  cr_expect_eq(tn_engine_start(engine, TN_DEADLINE_NONE, &err), TN_E_AUTH);
  cr_expect_eq(calls_of(FAKE_CONNECT), 1);
  close_engine();
}

Test(engine, begins_all_the_same_if_it_may)
{
  static const struct fake_answer once[] = {
    { .slot = FAKE_CONNECT,
      .nth = 1,
      .category = TN_E_CONNECT,
      .message = "nobody" },
  };

  SCRIPT_ANSWERS(once);
  open_engine("&max_retries=1&start_degraded=yes&pool_retry_time=0");
  cr_expect_eq(tn_engine_start(engine, TN_DEADLINE_NONE, &err), TN_OK, "%s",
               err.message);
  cr_expect_eq(err.code, 0);
  cr_expect_eq(count_of("going on without a connection to fake://h/db"), 1);
  use_once();
  close_engine();
}

static enum tn_code
start_engine(void *user, tn_err *why)
{
  return tn_engine_start(user, TN_DEADLINE_NONE, why);
}

Test(engine, waits_for_the_next_attempt_without_the_thread)
{
  tn_async *async = NULL;

  SCRIPT_ANSWERS(nobody);
  open_engine("&max_retries=-1&retry_interval=30");
  cr_assert_eq(tn_async_start(start_engine, engine, NULL, &async, &err), TN_OK);
  cr_assert_eq(tn_async_state(async), TN_ASYNC_WAITING);
  cr_expect_eq(tn_async_fd(async), -1);
  cr_expect_gt(tn_async_until(async), tn_deadline_after_ms(20000));
  cr_expect_eq(tn_async_continue(async, 0, &err), TN_OK);
  cr_expect_eq(tn_async_state(async), TN_ASYNC_WAITING, "too early");
  cr_expect_eq(calls_of(FAKE_CONNECT), 1);
  tn_async_cancel(async);
  cr_expect_eq(tn_async_continue(async, 0, &err), TN_OK);
  cr_expect_eq(tn_async_result(async, &err), TN_E_CANCELED);
  tn_async_close(&async);
  close_engine();
}

Test(engine, waits_longer_each_time_but_not_past_its_deadline)
{
  int64_t began = tn_clock_now();
  int64_t took;

  /* 1 s, 2 s; the next pause would be of 3 s, and end too late. */
  SCRIPT_ANSWERS(nobody);
  open_engine("&max_retries=9&retry_interval=1&max_retry_interval=3");
  cr_expect_eq(tn_engine_start(engine, tn_deadline_after_ms(5500), &err),
               TN_E_CONNECT);
  took = tn_clock_now() - began;
  cr_expect_eq(calls_of(FAKE_CONNECT), 3);
  cr_expect(took >= 3 * NS_PER_S && took < 5 * NS_PER_S, "%lld ms",
            (long long)(took / NS_PER_MS));
  close_engine();
}

/* ---- without memory ---- */

Test(engine, opens_with_whatever_memory_or_says_so)
{
  const struct tn_setting settings[] = { { "max_overflow", "1" } };
  char url[512];

  fixture_registry(NULL);
  snprintf(url, sizeof url, "%s", fixture_url("&pool_tick_time=0"));
  options.registry = registry;
  options.settings = settings;
  options.setting_count = 1;
  for (long nth = 1;; nth++) {
    long live;
    enum tn_code rc;

    oom_fail_nth(nth, false);
    live = oom_live();
    rc = tn_engine_open(url, &options, &engine, &err);
    cr_assert(rc == TN_OK || rc == TN_E_MEMORY, "allocation %ld: %s", nth,
              err.message);
    tn_engine_close(&engine);
    cr_assert_eq(oom_live(), live, "allocation %ld", nth);
    if (oom_count() < nth)
      break;
  }
  oom_reset();
  close_engine();
}
