/* The checked calls into a backend. */
#include "backend.h"

#include <criterion/criterion.h>
#include <string.h>

#include "fake_plugin.h"
#include "oom.h"

/* A descriptor like the fake plug-in's, to be spoiled. */
static struct tn_plugin plugin;

/* Tables to give instead of the fake plug-in's. */
static const void *others[8];
static bool lacks[8];

static struct tn_backend *backend;
static struct tn_host_call call;
static struct fake_script script;
static void *handle;
static tn_err err;

static const void *
fake_table(uint32_t id)
{
  return fake_plugin_entry(NULL)->get_table(id);
}

static const void *
get_table(uint32_t id)
{
  if (id >= TN_COUNT(others) || lacks[id])
    return NULL;
  return others[id] != NULL ? others[id] : fake_table(id);
}

static void
set_up(void)
{
  plugin = *fake_plugin_entry(NULL);
  plugin.get_table = get_table;
  tn_host_call_init(&call, 0, NULL, &err);
}

static void
tear_down(void)
{
  if (handle != NULL)
    tn_backend_disconnect(backend, handle, &call);
  tn_backend_free(&backend);
}

TestSuite(backend, .init = set_up, .fini = tear_down);

static enum tn_code
make(void)
{
  tn_backend_free(&backend);
  tn_err_clear(&err);
  return tn_backend_new(&plugin, "/lib/fake.so", &backend, &err);
}

/* Connect with `options`, behind the one that names the script. */
static enum tn_code
open_with(const struct tn_option *options, uint32_t count)
{
  struct tn_option all[16];
  char address[32];
  struct tn_connect_args args = { .size = sizeof(args),
                                  .dialect = "fake",
                                  .options = all,
                                  .option_count = count + 1 };
  void *opened = NULL;
  enum tn_code rc;

  snprintf(address, sizeof(address), "%p", (void *)&script);
  all[0] = (struct tn_option){ "script", address };
  for (uint32_t i = 0; i < count; i++)
    all[i + 1] = options[i];
  if (backend == NULL)
    cr_assert_eq(make(), TN_OK, "%s", err.message);
  call.backend = "fake";
  call.dialect = &backend->dialect;
  rc = tn_backend_connect(backend, &args, &call, &opened);
  if (opened != NULL && handle != NULL)
    tn_backend_disconnect(backend, handle, &call);
  if (opened != NULL)
    handle = opened;
  return rc;
}

static void
open_fake(void)
{
  cr_assert_eq(open_with(NULL, 0), TN_OK, "%s", err.message);
}

/* ---- connections ---- */

Test(backend, connect_passes_options_and_drops_those_of_other_drivers)
{
  static const struct tn_option options[] = {
    { "charset", "utf8" }, { "label", "a b" },     { "pool_size", "x" },
    { "size", "-1" },      { "timeout", "250ms" }, { "strict", "oN" },
    { "mode", "full" },
  };

  cr_assert_eq(open_with(options, TN_COUNT(options)), TN_OK, "%s", err.message);
  cr_expect_str_eq(script.args, "dialect=fake label=a b size=-1 timeout=250ms "
                                "strict=oN mode=full");
}

static char logged[4][256];
static size_t log_count;

static void
write_log(uint32_t level, const char *line, void *user)
{
  (void)user;
  if (log_count < TN_COUNT(logged))
    snprintf(logged[log_count], sizeof(logged[0]), "%s: %s",
             tn_log_level_name(level), line);
  log_count++;
}

Test(backend, options_of_other_drivers_are_told_in_one_line)
{
  static const struct tn_option options[] = { { "charset", "utf8" },
                                              { "pool_size", "5" } };
  const struct tn_log log = { .level = TN_LOG_DEBUG, .write = write_log };

  call.log = &log;
  open_fake();
  cr_expect_eq(log_count, 0);
  cr_assert_eq(open_with(options, 2), TN_OK);
  cr_expect_eq(log_count, 1);
  cr_expect_str_eq(
      logged[0],
      "info: fake: options of another driver are ignored: charset, pool_size");
  call.log = NULL;
}

Test(backend, an_option_that_is_refused_never_reaches_the_plugin)
{
  static const struct tn_option option = { "mod", "full" };

  cr_expect_eq(open_with(&option, 1), TN_E_CONFIG);
  cr_expect_str_eq(err.message,
                   "fake: option \"mod\": unknown; did you mean \"mode\"?");
  cr_expect_str_eq(err.backend, "fake");
  cr_expect_eq(script.calls[FAKE_CONNECT], 0);
  cr_expect_eq(handle, NULL);
}

Test(backend, connect_without_memory_fails)
{
  cr_assert_eq(make(), TN_OK);
  for (long nth = 1; nth <= 2; nth++) {
    oom_fail_nth(nth, false);
    cr_expect_eq(open_with(NULL, 0), TN_E_MEMORY, "allocation %ld", nth);
    cr_expect_eq(err.code, TN_E_MEMORY);
    cr_expect_eq(oom_live(), 0, "allocation %ld", nth);
  }
  oom_reset();
}

static void
script_answer(const struct fake_answer *answer)
{
  script.answers = answer;
  script.answer_count = 1;
}

Test(backend, a_failure_of_connect_comes_through)
{
  static const struct fake_answer answer = { .slot = FAKE_CONNECT,
                                             .category = TN_E_AUTH,
                                             .sqlstate = "28P01",
                                             .message = "wrong password" };

  script_answer(&answer);
  cr_expect_eq(open_with(NULL, 0), TN_E_AUTH);
  cr_expect_eq(err.code, TN_E_AUTH);
  cr_expect_str_eq(err.message, "wrong password");
  cr_expect_str_eq(err.sqlstate, "28P01");
  cr_expect_str_eq(err.backend, "fake");
  cr_expect_eq(handle, NULL);
}

Test(backend, a_failure_without_a_reason_is_the_plugins_fault)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_PING,
      .nth = 1,
      .category = TN_E_LOST,
      .message = "left from before" },
    { .slot = FAKE_PING, .category = TN_E_LOST, .flags = FAKE_SILENT },
  };

  open_fake();
  script.answers = answers;
  script.answer_count = 2;
  cr_expect_eq(tn_backend_ping(backend, handle, &call), TN_E_LOST);
  cr_expect_eq(tn_backend_ping(backend, handle, &call), TN_E_INTERNAL);
  cr_expect_str_eq(err.message, "fake: fault of the plug-in: ping() failed "
                                "without saying why");
  cr_expect_str_eq(err.backend, "fake");
}

Test(backend, a_failure_that_was_got_over_leaves_no_error)
{
  static const struct fake_answer answer = { .slot = FAKE_PING,
                                             .category = TN_E_LOST,
                                             .flags = FAKE_GET_OVER };

  open_fake();
  script_answer(&answer);
  cr_expect_eq(tn_backend_ping(backend, handle, &call), TN_OK);
  cr_expect_eq(err.code, TN_OK);
}

static int32_t
ping_two_faced(void *connection, struct tn_call *plain)
{
  (void)connection;
  (void)tn_fail(plain, TN_E_LOST, "the line is dead");
  return TN_E_OTHER;
}

Test(backend, code_and_explanation_never_differ)
{
  struct tn_connection_table connection;

  memcpy(&connection, fake_table(TN_TABLE_CONNECTION), sizeof(connection));
  connection.ping = ping_two_faced;
  others[TN_TABLE_CONNECTION] = &connection;
  open_fake();
  cr_expect_eq(tn_backend_ping(backend, handle, &call), TN_E_LOST);
  cr_expect_eq(err.code, TN_E_LOST);
}

Test(backend, success_without_output_is_the_plugins_fault)
{
  static const struct fake_answer answer = { .slot = FAKE_CONNECT,
                                             .nth = 1,
                                             .flags = FAKE_NO_OUTPUT };

  script_answer(&answer);
  cr_expect_eq(open_with(NULL, 0), TN_E_INTERNAL);
  cr_expect_str_eq(err.message, "fake: fault of the plug-in: connect() "
                                "succeeded without a handle");
}

Test(backend, caps_are_those_of_code_and_server)
{
  open_fake();
  cr_expect_eq(tn_backend_caps(backend, handle), plugin.caps);
  script.server_caps = TN_CAP_WRITE | TN_CAP_RETURNING;
  cr_expect_eq(tn_backend_caps(backend, handle), TN_CAP_WRITE);
}

Test(backend, optional_slots_of_a_connection_have_defaults)
{
  struct tn_connection_table connection;

  memcpy(&connection, fake_table(TN_TABLE_CONNECTION), sizeof(connection));
  connection.size = offsetof(struct tn_connection_table, ping);
  others[TN_TABLE_CONNECTION] = &connection;
  open_fake();
  tn_backend_cancel(backend, handle);
  cr_expect_eq(tn_backend_caps(backend, handle), plugin.caps);
  cr_expect_str_eq(tn_backend_server_version(backend, handle), "fakelib 1.0");
}

Test(backend, a_server_that_tells_no_version_is_shown_by_its_library)
{
  open_fake();
  cr_expect_str_eq(tn_backend_server_version(backend, handle), "Fake 1.0");
  script.server_version = "";
  cr_expect_str_eq(tn_backend_server_version(backend, handle), "fakelib 1.0");
}

/* ---- the default ping ---- */

static const struct tn_column columns[] = { { "a", "INT", TN_INT64, 0 },
                                            { "b", "", TN_TEXT, 0 } };

static struct tn_connection_table pingless;

static void
open_without_ping(void)
{
  memcpy(&pingless, fake_table(TN_TABLE_CONNECTION), sizeof(pingless));
  pingless.ping = NULL;
  others[TN_TABLE_CONNECTION] = &pingless;
  open_fake();
}

Test(backend, without_a_ping_a_statement_is_run_to_its_end)
{
  tn_value rows[4] = { tn_int64(1), tn_text("x"), tn_int64(2), tn_null() };
  const struct fake_result result = { .sql = "SELECT 1",
                                      .columns = columns,
                                      .column_count = 2,
                                      .rows = rows,
                                      .row_count = 2 };

  script.results = &result;
  script.result_count = 1;
  open_without_ping();
  cr_expect_eq(tn_backend_ping(backend, handle, &call), TN_OK, "%s",
               err.message);
  cr_expect_str_eq(script.sql, "SELECT 1");
  cr_expect_eq(script.calls[FAKE_FETCH], 3);
  cr_expect_eq(script.open_results, 0);
  cr_expect_eq(script.open_statements, 0);
  cr_expect_eq(call.call.arena, NULL);
}

Test(backend, the_default_ping_fails_as_its_statement_does)
{
  static const enum fake_slot slots[] = { FAKE_PREPARE, FAKE_EXECUTE,
                                          FAKE_COLUMNS, FAKE_FETCH };
  const struct fake_result result = { .columns = columns, .column_count = 2 };
  struct fake_answer answer = { .category = TN_E_LOST, .message = "gone" };

  script.results = &result;
  script.result_count = 1;
  open_without_ping();
  script_answer(&answer);
  for (size_t i = 0; i < TN_COUNT(slots); i++) {
    answer.slot = slots[i];
    tn_err_clear(&err);
    cr_expect_eq(tn_backend_ping(backend, handle, &call), TN_E_LOST, "case %zu",
                 i);
    cr_expect_str_eq(err.message, "gone", "case %zu", i);
    cr_expect_eq(script.open_results, 0, "case %zu", i);
    cr_expect_eq(script.open_statements, 0, "case %zu", i);
  }
}

Test(backend, each_allocation_of_the_default_ping_may_fail)
{
  tn_value rows[2] = { tn_int64(1), tn_text("x") };
  const struct fake_result result = {
    .columns = columns, .column_count = 2, .rows = rows, .row_count = 1
  };

  script.results = &result;
  script.result_count = 1;
  open_without_ping();
  for (long nth = 1;; nth++) {
    enum tn_code rc;

    oom_fail_nth(nth, false);
    rc = tn_backend_ping(backend, handle, &call);
    cr_assert_eq(oom_live(), 0, "allocation %ld", nth);
    if (oom_count() < nth)
      break;
    cr_expect_eq(rc, TN_E_MEMORY, "allocation %ld", nth);
    cr_expect_eq(err.code, TN_E_MEMORY, "allocation %ld", nth);
  }
  oom_reset();
}

/* ---- statements and results ---- */

static void *statement;
static void *result;

static void
run(const char *sql, const struct fake_result *answer)
{
  struct tn_statement_info info = { 0 };

  script.results = answer;
  script.result_count = answer != NULL;
  open_fake();
  cr_assert_eq(
      tn_backend_prepare(backend, handle, sql, &call, &statement, &info), TN_OK,
      "%s", err.message);
  cr_assert_eq(tn_backend_execute(backend, statement, NULL, 0, &call, &result),
               TN_OK, "%s", err.message);
}

static void
finish(void)
{
  tn_backend_close_result(backend, result, &call);
  tn_backend_close_statement(backend, statement, &call);
}

Test(backend, prepare_and_execute_need_their_outputs)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_PREPARE, .nth = 1, .flags = FAKE_NO_OUTPUT },
    { .slot = FAKE_EXECUTE, .nth = 1, .flags = FAKE_NO_OUTPUT },
  };
  struct tn_statement_info info = { .parameter_count = 77 };

  open_fake();
  script.answers = answers;
  script.answer_count = 2;
  cr_expect_eq(
      tn_backend_prepare(backend, handle, "SELECT ?", &call, &statement, &info),
      TN_E_INTERNAL);
  cr_expect_eq(statement, NULL);
  cr_expect_eq(info.parameter_count, 77);
  cr_assert_eq(
      tn_backend_prepare(backend, handle, "SELECT ?", &call, &statement, &info),
      TN_OK);
  cr_expect_eq(info.parameter_count, 1);
  cr_expect_eq(info.size, sizeof(info));
  cr_expect_eq(tn_backend_execute(backend, statement, NULL, 0, &call, &result),
               TN_E_INTERNAL);
  cr_expect_eq(result, NULL);
  tn_backend_close_statement(backend, statement, &call);
}

Test(backend, columns_need_names)
{
  static const struct tn_column nameless[] = { { "a", "", TN_TEXT, 0 },
                                               { "b", NULL, TN_TEXT, 0 } };
  static const struct fake_answer answer = { .slot = FAKE_COLUMNS,
                                             .nth = 1,
                                             .flags = FAKE_NO_OUTPUT };
  const struct fake_result told = { .columns = nameless, .column_count = 2 };
  const struct tn_column *found = NULL;
  uint32_t count = 9;

  run("SELECT", &told);
  script_answer(&answer);
  cr_expect_eq(tn_backend_columns(backend, result, &call, &found, &count),
               TN_E_INTERNAL);
  cr_expect_str_eq(err.message, "fake: fault of the plug-in: columns() "
                                "succeeded without columns");
  cr_expect_eq(tn_backend_columns(backend, result, &call, &found, &count),
               TN_E_INTERNAL);
  cr_expect_str_eq(err.message, "fake: fault of the plug-in: columns() left a "
                                "column without a name");
  cr_expect_eq(found, NULL);
  cr_expect_eq(count, 9);
  finish();
}

Test(backend, fetch_gives_rows_until_the_end)
{
  tn_value rows[2] = { tn_int64(1), tn_text("x") };
  const struct fake_result told = {
    .columns = columns, .column_count = 2, .rows = rows, .row_count = 1
  };
  tn_value cells[2];
  bool has_row = false;

  run("SELECT", &told);
  cr_expect_eq(tn_backend_fetch(backend, result, cells, &call, &has_row),
               TN_OK);
  cr_expect(has_row);
  cr_expect_eq(cells[0].as.int64, 1);
  for (int i = 0; i < 2; i++) {
    cr_expect_eq(tn_backend_fetch(backend, result, cells, &call, &has_row),
                 TN_OK);
    cr_expect(!has_row);
  }
  finish();
}

Test(backend, a_failure_of_fetch_comes_with_its_sign_changed)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_FETCH, .nth = 1, .category = TN_E_LOST, .message = "gone" },
    { .slot = FAKE_FETCH, .nth = 2, .flags = FAKE_NO_OUTPUT },
    { .slot = FAKE_FETCH,
      .nth = 3,
      .category = TN_E_LOST,
      .flags = FAKE_SILENT },
  };
  tn_value cells[2];
  bool has_row = true;

  run("SELECT", NULL);
  script.answers = answers;
  script.answer_count = 3;
  cr_expect_eq(tn_backend_fetch(backend, result, cells, &call, &has_row),
               TN_E_LOST);
  cr_expect_str_eq(err.message, "gone");
  cr_expect_eq(tn_backend_fetch(backend, result, cells, &call, &has_row),
               TN_E_INTERNAL);
  cr_expect_str_eq(err.message, "fake: fault of the plug-in: fetch() returned "
                                "a number above 1");
  cr_expect_eq(tn_backend_fetch(backend, result, cells, &call, &has_row),
               TN_E_INTERNAL);
  cr_expect(has_row, "the output is left alone");
  finish();
}

#ifndef NDEBUG
Test(backend, a_bad_cell_is_found_in_builds_for_development)
{
  tn_value rows[6] = { tn_int64(1), tn_bytes(TN_TEXT, "\xff", 1),
                       tn_null(),   tn_null(),
                       tn_null(),   tn_bytes(TN_DECIMAL, "1.2.3", 5) };
  const struct fake_result told = {
    .columns = columns, .column_count = 2, .rows = rows, .row_count = 3
  };
  tn_value cells[2];
  bool has_row;

  rows[2].type = 0;
  run("SELECT", &told);
  for (size_t i = 0; i < 3; i++) {
    cr_expect_eq(tn_backend_fetch(backend, result, cells, &call, &has_row),
                 TN_E_INTERNAL, "row %zu", i);
    cr_expect(strstr(err.message, i == 1 ? "column 1" : "column 2") != NULL,
              "row %zu: %s", i, err.message);
  }
  finish();
}

Test(backend, a_bad_item_of_an_array_is_found_too)
{
  const tn_value items[] = { tn_int64(1), tn_null(), tn_text("x") };
  tn_value rows[6] = { tn_array(TN_INT64, items, 2), tn_null(),
                       tn_array(TN_INT64, items, 3), tn_null(),
                       tn_array(0, NULL, 0),         tn_null() };
  const struct fake_result told = {
    .columns = columns, .column_count = 2, .rows = rows, .row_count = 3
  };
  tn_value cells[2];
  bool has_row = false;

  run("SELECT", &told);
  cr_expect_eq(tn_backend_fetch(backend, result, cells, &call, &has_row), TN_OK,
               "%s", err.message);
  cr_expect(has_row);
  for (size_t i = 1; i < 3; i++) {
    cr_expect_eq(tn_backend_fetch(backend, result, cells, &call, &has_row),
                 TN_E_INTERNAL, "row %zu", i);
    cr_expect(strstr(err.message, "bad cell in column 1: ") != NULL,
              "row %zu: %s", i, err.message);
  }
  finish();
}
#endif

Test(backend, info_tells_what_the_statement_did)
{
  const struct fake_result told = { .info_flags = TN_RESULT_HAS_AFFECTED | 64,
                                    .affected = 12 };
  static const struct fake_answer answers[] = {
    { .slot = FAKE_INFO, .nth = 2, .category = TN_E_DATA },
    { .slot = FAKE_INFO, .nth = 3, .category = -1 },
  };
  struct tn_result_info info = { 0 };

  run("UPDATE", &told);
  script.answers = answers;
  script.answer_count = 2;
  cr_expect_eq(tn_backend_info(backend, result, &info), TN_OK);
  cr_expect_eq(info.flags, TN_RESULT_HAS_AFFECTED);
  cr_expect_eq(info.affected, 12);
  cr_expect_eq(tn_backend_info(backend, result, &info), TN_E_DATA);
  cr_expect_eq(tn_backend_info(backend, result, &info), TN_E_INTERNAL);
  finish();
}

Test(backend, without_info_nothing_is_known)
{
  struct tn_result_table table;
  struct tn_result_info info = { .flags = 3 };

  memcpy(&table, fake_table(TN_TABLE_RESULT), sizeof(table));
  table.size = offsetof(struct tn_result_table, info);
  others[TN_TABLE_RESULT] = &table;
  run("UPDATE", NULL);
  cr_expect_eq(tn_backend_info(backend, result, &info), TN_OK);
  cr_expect_eq(info.flags, 0);
  finish();
}

/* ---- transactions and sessions ---- */

Test(backend, transactions_are_passed_on)
{
  struct tn_txn_request request = { .size = sizeof(request),
                                    .isolation = TN_ISOLATION_SERIALIZABLE,
                                    .access = TN_ACCESS_READ_ONLY,
                                    .lock_mode = TN_LOCK_IMMEDIATE };

  open_fake();
  cr_expect_eq(tn_backend_txn_state(backend, handle), TN_TXN_NONE);
  cr_expect_eq(tn_backend_begin(backend, handle, &request, &call), TN_OK);
  cr_expect_eq(script.isolation, TN_ISOLATION_SERIALIZABLE);
  cr_expect_eq(script.access, TN_ACCESS_READ_ONLY);
  cr_expect_eq(script.lock_mode, TN_LOCK_IMMEDIATE);
  cr_expect_eq(tn_backend_txn_state(backend, handle), TN_TXN_OPEN);
  cr_expect_eq(
      tn_backend_savepoint(backend, handle, TN_SAVEPOINT_SET, "s1", &call),
      TN_OK);
  cr_expect_eq(
      tn_backend_savepoint(backend, handle, TN_SAVEPOINT_RELEASE, "s1", &call),
      TN_OK);
  cr_expect_eq(
      tn_backend_savepoint(backend, handle, TN_SAVEPOINT_ROLLBACK, "s2", &call),
      TN_OK);
  cr_expect_str_eq(script.savepoint, "s2");
  cr_expect_eq(script.calls[FAKE_SAVEPOINT], 1);
  cr_expect_eq(script.calls[FAKE_RELEASE_SAVEPOINT], 1);
  cr_expect_eq(script.calls[FAKE_ROLLBACK_SAVEPOINT], 1);
  cr_expect_eq(tn_backend_commit(backend, handle, &call), TN_OK);
  cr_expect_eq(tn_backend_rollback(backend, handle, &call), TN_OK);
  cr_expect_eq(tn_backend_txn_state(backend, handle), TN_TXN_NONE);
}

Test(backend, a_state_that_is_none_counts_as_aborted)
{
  open_fake();
  script.txn_state = 4;
  cr_expect_eq(tn_backend_txn_state(backend, handle), TN_TXN_ABORTED);
  script.txn_state = UINT32_MAX;
  cr_expect_eq(tn_backend_txn_state(backend, handle), TN_TXN_ABORTED);
}

Test(backend, numbers_of_no_set_never_reach_the_plugin)
{
  const struct tn_txn_request bad[] = {
    { .size = sizeof(bad[0]), .isolation = 5 },
    { .size = sizeof(bad[0]), .access = 3 },
    { .size = sizeof(bad[0]), .lock_mode = 4 },
  };

  open_fake();
  for (size_t i = 0; i < TN_COUNT(bad); i++)
    cr_expect_eq(tn_backend_begin(backend, handle, &bad[i], &call), TN_E_USAGE,
                 "case %zu", i);
  cr_expect_eq(tn_backend_savepoint(backend, handle,
                                    (enum tn_savepoint_action)9, "s", &call),
               TN_E_USAGE);
  cr_expect_eq(tn_backend_set_isolation(backend, handle, 0, &call), TN_E_USAGE);
  cr_expect_eq(tn_backend_set_isolation(backend, handle, 5, &call), TN_E_USAGE);
  cr_expect_eq(tn_backend_set_access(backend, handle, 0, &call), TN_E_USAGE);
  cr_expect_eq(tn_backend_set_access(backend, handle, 3, &call), TN_E_USAGE);
  cr_expect_eq(err.code, TN_E_USAGE);
  cr_expect_eq(script.calls[FAKE_BEGIN], 0);
  cr_expect_eq(script.calls[FAKE_SET_ISOLATION], 0);
}

Test(backend, sessions_are_passed_on)
{
  uint32_t isolation = 0;

  open_fake();
  cr_expect_eq(tn_backend_reset(backend, handle, &call), TN_OK);
  cr_expect_eq(tn_backend_set_sql_mode(backend, handle, "STRICT", &call),
               TN_OK);
  cr_expect_str_eq(script.sql_mode, "STRICT");
  cr_expect_eq(tn_backend_set_isolation(backend, handle, 3, &call), TN_OK);
  cr_expect_eq(tn_backend_get_isolation(backend, handle, &isolation, &call),
               TN_OK);
  cr_expect_eq(isolation, 3);
  script.isolation = 5;
  cr_expect_eq(tn_backend_get_isolation(backend, handle, &isolation, &call),
               TN_E_INTERNAL);
  cr_expect_eq(isolation, 3);
  cr_expect_eq(tn_backend_set_access(backend, handle, 2, &call), TN_OK);
  cr_expect_eq(script.access, 2);
}

Test(backend, without_tables_transactions_and_sessions_are_unsupported)
{
  struct tn_txn_request request = { .size = sizeof(request) };
  uint32_t isolation = 0;

  lacks[TN_TABLE_TXN] = true;
  lacks[TN_TABLE_SESSION] = true;
  plugin.caps = TN_CAP_WRITE;
  open_fake();
  cr_expect_eq(tn_backend_begin(backend, handle, &request, &call),
               TN_E_UNSUPPORTED);
  cr_expect_str_eq(err.message, "fake: this backend has no transactions");
  cr_expect_str_eq(err.backend, "fake");
  cr_expect_eq(tn_backend_commit(backend, handle, &call), TN_E_UNSUPPORTED);
  cr_expect_eq(tn_backend_rollback(backend, handle, &call), TN_E_UNSUPPORTED);
  cr_expect_eq(tn_backend_txn_state(backend, handle), TN_TXN_NONE);
  for (int action = TN_SAVEPOINT_SET; action <= TN_SAVEPOINT_ROLLBACK; action++)
    cr_expect_eq(tn_backend_savepoint(backend, handle,
                                      (enum tn_savepoint_action)action, "s",
                                      &call),
                 TN_E_UNSUPPORTED);
  cr_expect_eq(tn_backend_reset(backend, handle, &call), TN_E_UNSUPPORTED);
  cr_expect_eq(tn_backend_set_isolation(backend, handle, 1, &call),
               TN_E_UNSUPPORTED);
  cr_expect_eq(tn_backend_get_isolation(backend, handle, &isolation, &call),
               TN_E_UNSUPPORTED);
  cr_expect_eq(tn_backend_set_access(backend, handle, 1, &call),
               TN_E_UNSUPPORTED);
  cr_expect_eq(tn_backend_set_sql_mode(backend, handle, "STRICT", &call),
               TN_E_UNSUPPORTED);
  tn_err_clear(&err);
  cr_expect_eq(tn_backend_set_sql_mode(backend, handle, "", &call), TN_OK);
}
