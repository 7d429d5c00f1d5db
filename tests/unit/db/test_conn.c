/* One session: operations, their deadlines, and how they are canceled. */
#include "fixture.h"

#include <pthread.h>
#include <time.h>

TestSuite(conn, .init = fixture_init, .timeout = 60);

static void
pause_ms(long ms)
{
  const struct timespec pause = { .tv_sec = ms / 1000,
                                  .tv_nsec = ms % 1000 * 1000000 };

  nanosleep(&pause, NULL);
}

static enum tn_code
call_ping(tn_err *ret)
{
  return tn_conn_ping(conn, 0, ret);
}

static enum tn_code
call_reset(tn_err *ret)
{
  return tn_conn_reset(conn, ret);
}

static enum tn_code
call_set_sql_mode(tn_err *ret)
{
  return tn_conn_set_sql_mode(conn, "strict", ret);
}

static enum tn_code
call_set_isolation(tn_err *ret)
{
  return tn_conn_set_isolation(conn, TN_ISOLATION_SERIALIZABLE, ret);
}

static enum tn_code
call_get_isolation(tn_err *ret)
{
  uint32_t isolation = 77;
  enum tn_code rc = tn_conn_get_isolation(conn, &isolation, ret);

  if (rc != TN_OK)
    cr_expect_eq(isolation, 77);
  return rc;
}

static enum tn_code
call_set_access(tn_err *ret)
{
  return tn_conn_set_access(conn, TN_ACCESS_READ_ONLY, ret);
}

static enum tn_code
call_begin(tn_err *ret)
{
  return tn_conn_begin(conn, NULL, ret);
}

static enum tn_code
call_commit(tn_err *ret)
{
  script.txn_state = TN_TXN_OPEN;
  return tn_conn_commit(conn, ret);
}

static enum tn_code
call_rollback(tn_err *ret)
{
  script.txn_state = TN_TXN_OPEN;
  return tn_conn_rollback(conn, ret);
}

static enum tn_code
call_savepoint(tn_err *ret)
{
  script.txn_state = TN_TXN_OPEN;
  return tn_conn_savepoint(conn, "a", ret);
}

static enum tn_code
call_release_savepoint(tn_err *ret)
{
  script.txn_state = TN_TXN_OPEN;
  return tn_conn_release_savepoint(conn, "a", ret);
}

static enum tn_code
call_rollback_savepoint(tn_err *ret)
{
  script.txn_state = TN_TXN_OPEN;
  return tn_conn_rollback_savepoint(conn, "a", ret);
}

static enum tn_code
call_exec(tn_err *ret)
{
  uint64_t affected = 77;
  enum tn_code rc = tn_conn_exec(conn, "x", &affected, ret);

  cr_expect_eq(affected, rc == TN_OK ? 0 : 77);
  return rc;
}

static enum tn_code
call_prepare(tn_err *ret)
{
  TN_CLEANUP(tn_prepared_close) tn_prepared *prepared = NULL;
  enum tn_code rc = tn_conn_prepare(conn, "x", 0, &prepared, ret);

  cr_expect_eq(prepared == NULL, rc != TN_OK);
  return rc;
}

static enum tn_code
call_script(tn_err *ret)
{
  return tn_conn_script(conn, "x; y", NULL, NULL, ret);
}

/* Every call that is an operation, with the slot of the plug-in behind it. */
static const struct {
  const char *name;
  enum tn_code (*run)(tn_err *ret);
  enum fake_slot slot;
} calls[] = {
  { "ping", call_ping, FAKE_PING },
  { "reset", call_reset, FAKE_RESET },
  { "set_sql_mode", call_set_sql_mode, FAKE_SET_SQL_MODE },
  { "set_isolation", call_set_isolation, FAKE_SET_ISOLATION },
  { "get_isolation", call_get_isolation, FAKE_GET_ISOLATION },
  { "set_access", call_set_access, FAKE_SET_ACCESS },
  { "begin", call_begin, FAKE_BEGIN },
  { "commit", call_commit, FAKE_COMMIT },
  { "rollback", call_rollback, FAKE_ROLLBACK },
  { "savepoint", call_savepoint, FAKE_SAVEPOINT },
  { "release_savepoint", call_release_savepoint, FAKE_RELEASE_SAVEPOINT },
  { "rollback_savepoint", call_rollback_savepoint, FAKE_ROLLBACK_SAVEPOINT },
  { "exec, prepare", call_exec, FAKE_PREPARE },
  { "exec, execute", call_exec, FAKE_EXECUTE },
  { "exec, columns", call_exec, FAKE_COLUMNS },
  { "prepare", call_prepare, FAKE_PREPARE },
  { "script", call_script, FAKE_EXECUTE },
};

/* ---- what every operation owes ---- */

Test(conn, a_failure_keeps_category_verdicts_and_cause_and_frees_the_session)
{
  for (size_t i = 0; i < TN_COUNT(calls); i++) {
    const struct fake_answer answers[] = {
      { .slot = calls[i].slot,
        .category = -1,
        .native = 1213,
        .sqlstate = "40P01",
        .message = "deadlock detected",
        .detail = "process 7",
        .constraint = "c",
        .replay = TN_REPLAY_NEVER },
    };

    script.txn_state = 0;
    fixture_open();
    SCRIPT_ANSWERS(answers);
    cr_expect_eq(calls[i].run(&err), TN_E_DEADLOCK, "%s", calls[i].name);
    cr_expect_eq(err.code, TN_E_DEADLOCK, "%s", calls[i].name);
    cr_expect_eq(err.native, 1213, "%s", calls[i].name);
    cr_expect_eq(err.connection, TN_CONNECTION_ABORTED, "%s", calls[i].name);
    cr_expect_eq(err.replay, TN_REPLAY_NEVER, "%s", calls[i].name);
    cr_expect_str_eq(err.sqlstate, "40P01", "%s", calls[i].name);
    cr_expect_str_eq(err.backend, "fake", "%s", calls[i].name);
    cr_expect_str_eq(err.detail, "process 7", "%s", calls[i].name);
    cr_expect_str_eq(err.constraint, "c", "%s", calls[i].name);
    cr_expect(strstr(err.message, "deadlock detected") != NULL, "%s: %s",
              calls[i].name, err.message);
    cr_expect_eq(calls[i].run(NULL), TN_E_DEADLOCK, "%s, no error object",
                 calls[i].name);
    script.answer_count = 0;
    fixture_expect_usable(calls[i].name);
    tn_conn_close(&conn);
  }
  fixture_close();
}

Test(conn, succeeds_without_an_error_object_and_leaves_one_alone)
{
  for (size_t i = 0; i < TN_COUNT(calls); i++) {
    script.txn_state = 0;
    script.isolation = TN_ISOLATION_SERIALIZABLE;
    fixture_open();
    cr_expect_eq(calls[i].run(NULL), TN_OK, "%s", calls[i].name);
    script.txn_state = 0;
    tn_err_clear(&err);
    cr_expect_eq(calls[i].run(&err), TN_OK, "%s: %s", calls[i].name,
                 err.message);
    cr_expect_eq(err.code, TN_OK, "%s", calls[i].name);
    tn_conn_close(&conn);
  }
  fixture_close();
}

Test(conn, a_session_that_died_is_lost_for_every_later_call)
{
  static const struct fake_answer dies[] = {
    { .slot = FAKE_PING, .nth = 1, .category = -1, .native = 2013 },
  };

  SCRIPT_ANSWERS(dies);
  for (size_t i = 0; i < TN_COUNT(calls); i++) {
    atomic_store(&script.calls[FAKE_PING], 0);
    script.txn_state = 0;
    fixture_open();
    cr_assert_eq(tn_conn_ping(conn, 0, &err), TN_E_LOST);
    cr_expect_eq(err.replay, TN_REPLAY_UNKNOWN);
    cr_expect_eq(tn_conn_verdict(conn), TN_CONNECTION_DEAD);
    atomic_store(&script.calls[calls[i].slot], 0);
    cr_expect_eq(calls[i].run(&err), TN_E_LOST, "%s", calls[i].name);
    cr_expect_eq(err.connection, TN_CONNECTION_DEAD, "%s", calls[i].name);
    cr_expect_eq(calls[i].run(NULL), TN_E_LOST, "%s", calls[i].name);
    cr_expect_eq(script.calls[calls[i].slot], 0, "%s", calls[i].name);
    tn_conn_close(&conn);
  }
  cr_expect_eq(script.calls[FAKE_DISCONNECT], TN_COUNT(calls),
               "a dead session is disconnected as well");
  fixture_close();
}

Test(conn, is_refused_to_all_while_a_result_is_open)
{
  static const struct tn_column columns[] = { { "a", "int", TN_INT64, 0 } };
  static const struct fake_result results[] = {
    { .sql = "rows", .columns = columns, .column_count = 1 },
  };
  const struct tn_query query = { .sql = "rows" };
  tn_result *result = NULL;

  SCRIPT_RESULTS(results);
  for (size_t i = 0; i < TN_COUNT(calls); i++) {
    script.txn_state = 0;
    fixture_open();
    cr_assert_eq(tn_conn_query(conn, &query, &result, &err), TN_OK);
    cr_expect_eq(calls[i].run(&err), TN_E_STATE, "%s", calls[i].name);
    cr_expect_eq(err.connection, TN_CONNECTION_USABLE, "%s", calls[i].name);
    cr_expect(strstr(err.message, "result is still open") != NULL, "%s",
              err.message);
    cr_expect_eq(calls[i].run(NULL), TN_E_STATE, "%s", calls[i].name);
    tn_result_close(&result);
    fixture_expect_usable(calls[i].name);
    tn_conn_close(&conn);
  }
  fixture_close();
}

/* ---- deadlines ---- */

Test(conn, a_deadline_that_has_passed_sends_nothing)
{
  const tn_deadline past[] = { 1, -1, INT64_MIN, tn_clock_now() };
  struct tn_query query = { .sql = "x" };
  tn_result *result = UNTOUCHED(tn_result);

  fixture_open();
  for (size_t i = 0; i < TN_COUNT(past); i++) {
    cr_expect_eq(tn_conn_ping(conn, past[i], &err), TN_E_TIMEOUT, "case %zu",
                 i);
    cr_expect_eq(err.code, TN_E_TIMEOUT);
    cr_expect_eq(err.connection, TN_CONNECTION_USABLE);
    query.deadline = past[i];
    cr_expect_eq(tn_conn_query(conn, &query, &result, NULL), TN_E_TIMEOUT,
                 "case %zu", i);
  }
  cr_expect_eq(result, UNTOUCHED(tn_result));
  cr_expect_eq(script.calls[FAKE_PING], 0);
  cr_expect_eq(script.calls[FAKE_PREPARE], 0);
  fixture_expect_usable("a deadline");
  fixture_close();
}

Test(conn, timeout_ms_bounds_calls_that_name_no_deadline)
{
  static const struct fake_answer slow[] = {
    { .slot = FAKE_PING, .wait_ms = 120 },
  };

  SCRIPT_ANSWERS(slow);
  fixture_open_timed(20);
  cr_expect_eq(tn_conn_ping(conn, 0, &err), TN_E_TIMEOUT);
  cr_expect_str_eq(err.backend, "fake");
  cr_expect_eq(tn_conn_ping(conn, tn_deadline_after_ms(50000), &err), TN_OK,
               "a deadline of its own counts instead");
  cr_expect_eq(tn_conn_ping(conn, TN_DEADLINE_NONE, &err), TN_OK);
  fixture_expect_usable("a time-out");
  fixture_close();
}

Test(conn, without_timeout_ms_a_call_takes_what_it_takes)
{
  static const struct fake_answer slow[] = {
    { .slot = FAKE_PING, .wait_ms = 60 },
  };

  SCRIPT_ANSWERS(slow);
  fixture_open();
  cr_expect_eq(tn_conn_ping(conn, 0, &err), TN_OK);
  fixture_close();
  fixture_open_timed(UINT64_MAX);
  cr_expect_eq(tn_conn_ping(conn, 0, &err), TN_OK);
  fixture_close();
}

static int
count_waits(int fd, uint32_t events, tn_deadline until, void *user)
{
  (void)fd;
  (void)events;
  (void)until;
  ++*(unsigned *)user;
  return -1;
}

Test(conn, waits_as_the_application_does)
{
  static const struct fake_answer slow[] = {
    { .slot = FAKE_PING, .wait_ms = 1000 },
  };
  struct tn_conn_options options = fixture_options();
  unsigned waits = 0;

  options.wait = count_waits;
  options.wait_user = &waits;
  SCRIPT_ANSWERS(slow);
  cr_assert_eq(tn_conn_open(fixture_url(""), &options, &conn, &err), TN_OK);
  cr_expect_eq(tn_conn_ping(conn, 0, &err), TN_E_IO);
  cr_expect_eq(waits, 1);
  fixture_close();
}

/* ---- cancel ---- */

Test(conn, a_cancel_of_nothing_hits_nothing)
{
  fixture_open();
  tn_conn_cancel(conn);
  cr_expect_eq(script.calls[FAKE_CANCEL], 0);
  cr_expect_eq(tn_conn_ping(conn, tn_deadline_after_ms(1000), &err), TN_OK);
  cr_expect_eq(tn_conn_exec(conn, "x", NULL, &err), TN_OK);
  tn_conn_cancel(conn);
  cr_expect_eq(tn_conn_exec(conn, "x", NULL, &err), TN_OK);
  fixture_close();
}

static void *
cancel_soon(void *arg)
{
  (void)arg;
  pause_ms(30);
  tn_conn_cancel(conn);
  return NULL;
}

static enum tn_code
ping_canceled(void)
{
  pthread_t thread;
  enum tn_code rc;

  cr_assert_eq(pthread_create(&thread, NULL, cancel_soon, NULL), 0);
  rc = tn_conn_ping(conn, 0, &err);
  pthread_join(thread, NULL);
  return rc;
}

Test(conn, a_cancel_stops_the_call_that_runs_and_no_later_one)
{
  static const struct fake_answer slow[] = {
    { .slot = FAKE_PING, .nth = 1, .wait_ms = 20000 },
  };

  SCRIPT_ANSWERS(slow);
  fixture_open();
  cr_expect_eq(ping_canceled(), TN_E_CANCELED);
  cr_expect_eq(err.code, TN_E_CANCELED);
  cr_expect_eq(err.connection, TN_CONNECTION_USABLE);
  cr_expect_eq(script.calls[FAKE_CANCEL], 1);
  cr_expect_eq(tn_conn_ping(conn, tn_deadline_after_ms(10000), &err), TN_OK);
  fixture_expect_usable("a cancel");
  fixture_close();
}

static void *
ping_in_thread(void *arg)
{
  (void)arg;
  (void)ping_canceled();
  return NULL;
}

static struct tn_connection_table slow_cancel;
static atomic_int canceling;

/* A cancel that takes its time, such as one over a second connection. */
static void
cancel_slowly(void *handle)
{
  (void)handle;
  atomic_store(&canceling, 1);
  pause_ms(60);
  atomic_store(&canceling, 2);
}

static int32_t
ping_until_canceling(void *handle, struct tn_call *call)
{
  (void)handle;
  while (atomic_load(&canceling) == 0)
    pause_ms(1);
  return call->host->check(call) == TN_OK ? TN_OK : TN_E_CANCELED;
}

Test(conn, a_late_cancel_is_over_before_the_call_returns)
{
  pthread_t thread;

  slow_cancel =
      *(const struct tn_connection_table *)fake_plugin_entry(NULL)->get_table(
          TN_TABLE_CONNECTION);
  slow_cancel.cancel = cancel_slowly;
  slow_cancel.ping = ping_until_canceling;
  tables[TN_TABLE_CONNECTION] = &slow_cancel;
  fixture_open();
  cr_assert_eq(pthread_create(&thread, NULL, cancel_soon, NULL), 0);
  cr_expect_eq(tn_conn_ping(conn, 0, &err), TN_E_CANCELED);
  cr_expect_eq(atomic_load(&canceling), 2, "the cancel still runs");
  pthread_join(thread, NULL);
  fixture_expect_usable("a late cancel");
  fixture_close();
}

Test(conn, a_second_thread_is_refused_and_the_first_goes_on)
{
  static const struct fake_answer slow[] = {
    { .slot = FAKE_PING, .nth = 1, .wait_ms = 20000 },
  };
  const struct tn_query query = { .sql = "x" };
  tn_result *result = UNTOUCHED(tn_result);
  pthread_t thread;

  SCRIPT_ANSWERS(slow);
  fixture_open();
  cr_assert_eq(pthread_create(&thread, NULL, ping_in_thread, NULL), 0);
  while (script.calls[FAKE_PING] == 0)
    pause_ms(1);
  cr_expect_eq(tn_conn_query(conn, &query, &result, NULL), TN_E_STATE);
  cr_expect_eq(result, UNTOUCHED(tn_result));
  pthread_join(thread, NULL);
  cr_expect_eq(err.code, TN_E_CANCELED, "%s", err.message);
  fixture_close();
}

/* ---- closing ---- */

Test(conn, close_takes_null_and_closes_what_is_open)
{
  static const struct tn_column columns[] = { { "a", "int", TN_INT64, 0 } };
  static const struct fake_result results[] = {
    { .sql = "rows", .columns = columns, .column_count = 1 },
  };
  const struct tn_query query = { .sql = "rows" };
  tn_prepared *prepared[3] = { NULL };
  tn_result *result = NULL;

  tn_conn_close(NULL);
  tn_conn_close(&conn);
  script.has_trace = 1;
  SCRIPT_RESULTS(results);
  fixture_open();
  for (size_t i = 0; i < TN_COUNT(prepared); i++)
    cr_assert_eq(tn_conn_prepare(conn, "rows", 0, &prepared[i], &err), TN_OK);
  cr_assert_eq(tn_conn_query(conn, &query, &result, &err), TN_OK);
  tn_prepared_close(&prepared[1]);
  script.trace[0] = '\0';
  tn_conn_close(&conn);
  cr_expect_eq(conn, NULL);
  cr_expect_str_eq(script.trace, "close_result close_statement close_statement "
                                 "close_statement disconnect");
  tn_result_close(&result);
  tn_prepared_close(&prepared[0]);
  tn_prepared_close(&prepared[2]);
  fixture_close();
}

/* Some backends cannot let go of a statement while another's rows come. */
Test(conn, close_ends_rows_before_it_closes_statements)
{
  static const struct tn_column columns[] = { { "a", "int", TN_INT64, 0 } };
  static const struct fake_result results[] = {
    { .sql = "rows", .columns = columns, .column_count = 1 },
  };
  const struct tn_query query = { .sql = "rows" };
  tn_prepared *prepared[2] = { NULL };
  tn_result *result = NULL;

  script.has_trace = 1;
  SCRIPT_RESULTS(results);
  fixture_open();
  for (size_t i = 0; i < TN_COUNT(prepared); i++)
    cr_assert_eq(tn_conn_prepare(conn, "rows", 0, &prepared[i], &err), TN_OK);
  cr_assert_eq(tn_prepared_query(prepared[0], &query, &result, &err), TN_OK);
  script.trace[0] = '\0';
  tn_conn_close(&conn);
  cr_expect_str_eq(script.trace, "close_result close_statement close_statement "
                                 "disconnect");
  tn_result_close(&result);
  tn_prepared_close(&prepared[0]);
  tn_prepared_close(&prepared[1]);
  fixture_close();
}

/* The rows of a result without a deadline might come for ever. */
Test(conn, close_gives_what_is_open_a_second)
{
  static const struct tn_column columns[] = { { "a", "int", TN_INT64, 0 } };
  static const struct fake_result results[] = {
    { .sql = "rows", .columns = columns, .column_count = 1 },
  };
  static const struct fake_answer answers[] = {
    { .slot = FAKE_CLOSE_RESULT, .wait_ms = 50000 },
  };
  const struct tn_query query = { .sql = "rows" };
  tn_result *result = NULL;
  int64_t began;

  SCRIPT_RESULTS(results);
  SCRIPT_ANSWERS(answers);
  fixture_open();
  cr_assert_eq(tn_conn_query(conn, &query, &result, &err), TN_OK);
  began = tn_clock_now();
  tn_conn_close(&conn);
  cr_expect_lt(tn_clock_now() - began, INT64_C(20000000000));
  cr_expect_eq(script.open_connections, 0);
  tn_result_close(&result);
  fixture_close();
}

Test(conn, close_disconnects_however_short_the_timeout_is)
{
  for (int i = 0; i < 200; i++) {
    fixture_open_timed(1);
    tn_conn_close(&conn);
    cr_assert_eq(script.open_connections, 0, "round %d", i);
  }
  fixture_close();
}

/* ---- what a session tells ---- */

Test(conn, tells_backend_server_and_capabilities)
{
  script.server_caps = TN_CAP_WRITE | TN_CAP_RETURNING;
  script.server_version = "Fake 9";
  fixture_open();
  cr_expect_str_eq(tn_conn_backend(conn), "fake");
  cr_expect_str_eq(tn_conn_server_version(conn), "Fake 9");
  cr_expect_eq(tn_conn_caps(conn), TN_CAP_WRITE,
               "only what descriptor and server both have");
  cr_expect_eq(tn_conn_verdict(conn), TN_CONNECTION_USABLE);
  script.txn_state = TN_TXN_ABORTED;
  cr_expect_eq(tn_conn_verdict(conn), TN_CONNECTION_ABORTED);
  fixture_close();
}

Test(conn, quotes_names_into_any_buffer)
{
  static const struct {
    const char *name;
    size_t size;
    size_t wanted;
    const char *text;
  } cases[] = {
    { "a", 10, 3, "\"a\"" },
    { "a\"b", 10, 6, "\"a\"\"b\"" },
    { "a", 4, 3, "\"a\"" },
    { "a", 3, 3, "\"a" },
    { "a", 1, 3, "" },
    { "", 10, 0, "kept" },
    { "\xff", 10, 0, "kept" },
    { "a", 0, 3, "kept" },
    { "sp ace;", 20, 9, "\"sp ace;\"" },
  };
  char long_name[65];

  fixture_open();
  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    char buffer[32] = "kept";

    cr_expect_eq(tn_conn_quote_name(conn, cases[i].name, buffer, cases[i].size),
                 cases[i].wanted, "case %zu: \"%s\"", i, cases[i].name);
    cr_expect_str_eq(buffer, cases[i].text, "case %zu: \"%s\"", i,
                     cases[i].name);
  }
  cr_expect_eq(tn_conn_quote_name(conn, "a", NULL, 0), 3);
  memset(long_name, 'x', 64);
  long_name[64] = '\0';
  cr_expect_eq(tn_conn_quote_name(conn, long_name, NULL, 0), 0);
  cr_expect_eq(tn_conn_quote_name(conn, long_name + 1, NULL, 0), 65);
  fixture_close();
}

static struct tn_dialect_table own_dialect;

static const struct tn_dialect_table *
tell_dialect(void *handle)
{
  (void)handle;
  return &own_dialect;
}

static void
let_sessions_tell(struct tn_connection_table *connection)
{
  memcpy(connection, fake_plugin_entry(NULL)->get_table(TN_TABLE_CONNECTION),
         sizeof *connection);
  connection->dialect = tell_dialect;
  memcpy(&own_dialect, fake_plugin_entry(NULL)->get_table(TN_TABLE_DIALECT),
         sizeof own_dialect);
  tables[TN_TABLE_CONNECTION] = connection;
}

Test(conn, a_session_may_have_a_dialect_of_its_own)
{
  struct tn_connection_table connection;
  char buffer[32];

  let_sessions_tell(&connection);
  own_dialect.quote_open = '[';
  own_dialect.quote_close = ']';
  own_dialect.lexer |= TN_LEX_HASH_COMMENT;
  fixture_open();
  cr_expect_eq(tn_conn_quote_name(conn, "a", buffer, sizeof buffer), 3);
  cr_expect_str_eq(buffer, "[a]");
  cr_expect_eq(tn_conn_exec(conn, "# nothing ?", NULL, &err), TN_E_USAGE);
  fixture_close();
}

Test(conn, a_sessions_dialect_that_is_none_is_refused)
{
  struct tn_connection_table connection;
  struct tn_conn_options options;

  let_sessions_tell(&connection);
  own_dialect.placeholder = 0;
  options = fixture_options();
  cr_expect_eq(tn_conn_open(fixture_url(""), &options, &conn, &err),
               TN_E_PLUGIN);
  cr_expect_str_eq(err.message, "fake: the session's dialect has no "
                                "placeholder or no types");
  cr_expect_eq(script.open_connections, 0);
  fixture_close();
}

Test(conn, session_calls_reach_the_plug_in)
{
  uint32_t isolation = 0;

  fixture_open();
  cr_expect_eq(tn_conn_set_sql_mode(conn, "traditional", &err), TN_OK);
  cr_expect_str_eq(script.sql_mode, "traditional");
  cr_expect_eq(tn_conn_set_isolation(conn, TN_ISOLATION_REPEATABLE_READ, &err),
               TN_OK);
  cr_expect_eq(tn_conn_get_isolation(conn, &isolation, &err), TN_OK);
  cr_expect_eq(isolation, TN_ISOLATION_REPEATABLE_READ);
  cr_expect_eq(tn_conn_set_access(conn, TN_ACCESS_READ_ONLY, &err), TN_OK);
  cr_expect_eq(script.access, TN_ACCESS_READ_ONLY);
  script.txn_state = TN_TXN_OPEN;
  cr_expect_eq(tn_conn_reset(conn, &err), TN_OK);
  cr_expect_eq(tn_conn_txn_state(conn), TN_TXN_NONE);
  cr_expect_eq(tn_conn_set_sql_mode(conn, NULL, &err), TN_E_USAGE);
  cr_expect_str_eq(err.message, "fake: the sql-mode is NULL");
  cr_expect_str_eq(script.sql_mode, "traditional");
  cr_expect_eq(tn_conn_set_isolation(conn, 0, &err), TN_E_USAGE);
  cr_expect_eq(tn_conn_set_isolation(conn, 5, &err), TN_E_USAGE);
  cr_expect_eq(tn_conn_set_access(conn, 3, &err), TN_E_USAGE);
  fixture_expect_usable("refusals");
  fixture_close();
}

Test(conn, what_a_backend_has_not_is_unsupported)
{
  lacks = UINT32_C(1) << TN_TABLE_SESSION;
  plugin.caps &= ~(TN_CAP_RESET | TN_CAP_SQL_MODE | TN_CAP_READ_ONLY);
  fixture_open();
  for (size_t i = 1; i < 6; i++) {
    cr_expect_eq(calls[i].run(&err), TN_E_UNSUPPORTED, "%s", calls[i].name);
    cr_expect_eq(err.code, TN_E_UNSUPPORTED, "%s", calls[i].name);
    cr_expect_eq(calls[i].run(NULL), TN_E_UNSUPPORTED, "%s", calls[i].name);
  }
  cr_expect_eq(tn_conn_set_sql_mode(conn, "", &err), TN_OK);
  fixture_expect_usable("refusals");
  fixture_close();
}

Test(conn, operations_get_by_without_memory)
{
  for (size_t i = 0; i < TN_COUNT(calls); i++) {
    script.txn_state = 0;
    script.isolation = TN_ISOLATION_SERIALIZABLE;
    fixture_open();
    for (long nth = 1;; nth++) {
      enum tn_code rc;
      long live;

      oom_fail_nth(nth, false);
      live = oom_live();
      rc = calls[i].run(&err);
      cr_assert(oom_live() <= live, "%s, allocation %ld", calls[i].name, nth);
      if (oom_count() < nth)
        break;
      cr_expect_eq(rc, TN_E_MEMORY, "%s, allocation %ld: %s", calls[i].name,
                   nth, tn_code_name(rc));
      cr_expect_eq(err.code, TN_E_MEMORY);
      oom_reset();
      fixture_expect_usable(calls[i].name);
    }
    oom_reset();
    tn_conn_close(&conn);
  }
  fixture_close();
}
