/* Statements that a connection keeps by their text. */
#include "fixture.h"

TestSuite(cache, .init = fixture_init, .timeout = 60);

static void
open_with(uint32_t count, uint64_t bytes)
{
  struct tn_conn_options options = fixture_options();

  options.statement_cache = count;
  options.statement_cache_bytes = bytes;
  cr_assert_eq(tn_conn_open(fixture_url(""), &options, &conn, &err), TN_OK,
               "%s", err.message);
}

static tn_result *
query_with(const char *sql, uint32_t flags)
{
  const struct tn_query query = { .sql = sql, .flags = flags };
  tn_result *result = NULL;

  cr_assert_eq(tn_conn_query(conn, &query, &result, &err), TN_OK, "%s: %s", sql,
               err.message);
  return result;
}

static void
run_with(const char *sql, uint32_t flags)
{
  tn_result *result = query_with(sql, flags);

  tn_result_close(&result);
}

static void
run(const char *sql)
{
  run_with(sql, 0);
}

/* How often the plug-in has prepared a statement since the last time. */
static unsigned
prepared(void)
{
  static unsigned before;
  unsigned now = script.calls[FAKE_PREPARE];
  unsigned count = now - before;

  before = now;
  return count;
}

static struct tn_cache_stats
stats(void)
{
  struct tn_cache_stats now;

  tn_conn_cache_stats(conn, &now);
  return now;
}

#define FULL(count)                                                            \
  {                                                                            \
    .slot = FAKE_PREPARE, .nth = (count), .category = TN_E_LIMIT,              \
    .native = 1461, .replay = TN_REPLAY_SAFE                                   \
  }

Test(cache, stays_when_a_statement_goes_beyond_a_limit_of_its_own)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_PREPARE, .nth = 2, .category = TN_E_LIMIT },
  };
  const struct tn_query query = { .sql = "SELECT 2" };
  tn_result *result = NULL;

  SCRIPT_ANSWERS(answers);
  open_with(0, 0);
  run("SELECT 1");
  cr_expect_eq(tn_conn_query(conn, &query, &result, &err), TN_E_LIMIT);
  cr_expect_eq(stats().kept, 1);
  cr_expect_eq(script.calls[FAKE_PREPARE], 2);
}

/* The server's: it prepares no more. */
Test(cache, gives_way_when_the_server_keeps_no_more_statements)
{
  static const struct fake_answer answers[] = {
    FULL(3),
    FULL(5),
    FULL(6),
  };
  const struct tn_query query = { .sql = "SELECT 4" };
  tn_result *result = NULL;

  SCRIPT_ANSWERS(answers);
  open_with(0, 0);
  run("SELECT 1");
  run("SELECT 2");
  run("SELECT 3"); /* the third, and the fourth time */
  cr_expect_eq(script.open_statements, 1);
  cr_expect_eq(stats().kept, 1);
  cr_expect_eq(stats().evicted, 2);

  /* Room was made, and it was not enough. */
  cr_expect_eq(tn_conn_query(conn, &query, &result, &err), TN_E_LIMIT);
  cr_expect_eq(err.native, 1461);
  cr_expect_eq(script.open_statements, 0);
  run("SELECT 4");
}

/* One of the program's own, that the backend prepares again when it is run. */
Test(cache, gives_way_when_a_statement_finds_no_room_to_run)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_EXECUTE,
      .nth = 2,
      .category = TN_E_LIMIT,
      .native = 1461,
      .replay = TN_REPLAY_SAFE },
    { .slot = FAKE_EXECUTE,
      .nth = 4,
      .category = TN_E_LIMIT,
      .native = 1461,
      .replay = TN_REPLAY_SAFE },
    { .slot = FAKE_EXECUTE, .nth = 6, .category = TN_E_LIMIT },
  };
  const struct tn_query query = { .sql = NULL };
  tn_prepared *prepared = NULL;
  tn_result *result = NULL;

  SCRIPT_ANSWERS(answers);
  open_with(0, 0);
  cr_assert_eq(tn_conn_prepare(conn, "SELECT 1", 0, &prepared, &err), TN_OK);
  run("SELECT 2");
  cr_expect_eq(tn_prepared_query(prepared, &query, &result, &err), TN_OK, "%s",
               err.message);
  tn_result_close(&result);
  cr_expect_eq(script.calls[FAKE_EXECUTE], 3);
  cr_expect_eq(stats().evicted, 1);

  /* There is none to be made. */
  cr_expect_eq(tn_prepared_query(prepared, &query, &result, &err), TN_E_LIMIT);
  cr_expect_eq(script.calls[FAKE_EXECUTE], 4);

  /* It is not known that it did nothing. */
  run("SELECT 2");
  cr_expect_eq(tn_prepared_query(prepared, &query, &result, &err), TN_E_LIMIT);
  cr_expect_eq(script.calls[FAKE_EXECUTE], 6);
  cr_expect_eq(stats().evicted, 1);
  tn_prepared_close(&prepared);
  fixture_close();
}

Test(cache, a_text_is_prepared_once)
{
  open_with(0, 0);
  run("SELECT 1");
  cr_expect_eq(prepared(), 1);
  cr_expect_eq(script.open_statements, 1);
  run("SELECT 1");
  run("SELECT 1");
  cr_expect_eq(prepared(), 0);
  cr_expect_eq(script.calls[FAKE_EXECUTE], 3);
  cr_expect_eq(stats().hits, 2);
  cr_expect_eq(stats().misses, 1);
  cr_expect_eq(stats().kept, 1);
  cr_expect_eq(stats().bytes, strlen("SELECT 1"));
  fixture_close();
}

Test(cache, texts_that_differ_are_others)
{
  open_with(0, 0);
  run("SELECT 1");
  run("SELECT 2");
  run("SELECT 1 ");
  run("select 1");
  cr_expect_eq(prepared(), 4);
  cr_expect_eq(stats().kept, 4);
  fixture_close();
}

Test(cache, a_native_statement_is_another_than_the_portable_one)
{
  open_with(0, 0);
  run("SELECT 1");
  run_with("SELECT 1", TN_QUERY_NATIVE);
  cr_expect_eq(prepared(), 2);
  run("SELECT 1");
  run_with("SELECT 1", TN_QUERY_NATIVE);
  cr_expect_eq(prepared(), 0);
  fixture_close();
}

Test(cache, the_one_used_longest_ago_makes_room)
{
  open_with(2, 0);
  run("SELECT 1");
  run("SELECT 2");
  run("SELECT 1");
  run("SELECT 3");
  cr_expect_eq(script.open_statements, 2);
  cr_expect_eq(stats().evicted, 1);
  (void)prepared();
  run("SELECT 1");
  cr_expect_eq(prepared(), 0, "the one used last is gone");
  run("SELECT 2");
  cr_expect_eq(prepared(), 1);
  fixture_close();
}

Test(cache, its_text_is_bounded)
{
  open_with(0, 20);
  run("SELECT 1");
  run("SELECT 2");
  run("SELECT 3");
  cr_expect_eq(stats().kept, 2);
  cr_expect_eq(stats().bytes, 16);
  run("SELECT 'more than all that it holds'");
  cr_expect_eq(stats().kept, 2);
  cr_expect_eq(script.open_statements, 2);
  fixture_close();
}

Test(cache, it_can_be_switched_off)
{
  open_with(TN_CACHE_NONE, 0);
  run("SELECT 1");
  run("SELECT 1");
  cr_expect_eq(prepared(), 2);
  cr_expect_eq(script.open_statements, 0);
  cr_expect_eq(stats().misses, 0);
  fixture_close();
}

/* Of a database that is configured: the statements that two queries of one text
 * leave open. */
static int
kept_as_configured(const char *settings)
{
  struct tn_conn_options options = fixture_options();
  char text[1024];
  tn_config *config = NULL;
  int kept;

  snprintf(text, sizeof text, "[database:a]\nconnection = %s\n%s",
           fixture_url(""), settings);
  cr_assert_eq(tn_config_parse(text, strlen(text), "test", NULL, &config, &err),
               TN_OK, "%s", err.message);
  options.config = config;
  options.statement_cache = 0;
  cr_assert_eq(tn_conn_open("@a", &options, &conn, &err), TN_OK, "%s",
               err.message);
  run("SELECT 1");
  run("SELECT 'long'");
  kept = script.open_statements;
  tn_conn_close(&conn);
  tn_config_free(&config);
  return kept;
}

Test(cache, the_configuration_has_a_say)
{
  cr_expect_eq(kept_as_configured(""), 2);
  cr_expect_eq(kept_as_configured("statement_cache_size = 1\n"), 1);
  cr_expect_eq(kept_as_configured("statement_cache_size = 0\n"), 0);
  cr_expect_eq(kept_as_configured("statement_cache_bytes = 10\n"), 1);
  fixture_close();
}

static const char *const emptying[] = {
  "CREATE TABLE t (a int)",
  "ALTER TABLE t ADD b int",
  "DROP TABLE t",
  "SET search_path = a",
  "USE other",
  "DISCARD ALL",
  "DEALLOCATE ALL",
  "CALL p()",
};

Test(cache, what_may_change_the_session_empties_it)
{
  open_with(0, 0);
  for (size_t i = 0; i < TN_COUNT(emptying); i++) {
    run("SELECT 1");
    run(emptying[i]);
    cr_expect_eq(script.open_statements, 0, "%s: %d statements", emptying[i],
                 script.open_statements);
    cr_expect_eq(stats().kept, 0, "%s", emptying[i]);
  }
  fixture_close();
}

Test(cache, a_prepared_statement_that_may_change_the_session_empties_it)
{
  const struct tn_query query = { .flags = 0 };
  tn_prepared *ddl = NULL;
  tn_result *result = NULL;

  open_with(0, 0);
  cr_assert_eq(tn_conn_prepare(conn, "DROP TABLE t", 0, &ddl, &err), TN_OK);
  run("SELECT 1");
  cr_expect_eq(tn_prepared_query(ddl, &query, &result, &err), TN_OK);
  tn_result_close(&result);
  cr_expect_eq(stats().kept, 0);
  tn_prepared_close(&ddl);
  fixture_close();
}

Test(cache, a_reset_empties_it)
{
  open_with(0, 0);
  run("SELECT 1");
  cr_expect_eq(tn_conn_reset(conn, &err), TN_OK, "%s", err.message);
  cr_expect_eq(stats().kept, 0);
  fixture_close();
}

Test(cache, transactions_leave_it_alone)
{
  open_with(0, 0);
  run("SELECT 1");
  run("BEGIN");
  run("SAVEPOINT a");
  run("COMMIT");
  cr_expect_eq(stats().kept, 1);
  cr_expect_eq(script.open_statements, 1, "what ran once is kept");
  fixture_close();
}

/* A buffered result keeps its statement, but not the connection. */
Test(cache, a_statement_in_use_is_not_lent_twice)
{
  tn_result *first;
  tn_result *second;

  open_with(0, 0);
  first = query_with("SELECT 1", TN_QUERY_BUFFERED);
  second = query_with("SELECT 1", TN_QUERY_BUFFERED);
  cr_expect_neq(first, second);
  cr_expect_eq(prepared(), 2);
  tn_result_close(&second);
  tn_result_close(&first);
  cr_expect_eq(stats().kept, 1);
  cr_expect_eq(script.open_statements, 1);
  fixture_close();
}

Test(cache, a_statement_in_use_outlives_its_place)
{
  tn_result *result;

  open_with(0, 0);
  result = query_with("SELECT 1", TN_QUERY_BUFFERED);
  run("DROP TABLE t");
  cr_expect_eq(stats().kept, 0);
  cr_expect_eq(script.open_statements, 1);
  tn_result_close(&result);
  cr_expect_eq(script.open_statements, 0);
  fixture_close();
}

Test(cache, those_in_use_do_not_make_room)
{
  tn_result *result;

  open_with(1, 0);
  result = query_with("SELECT 1", TN_QUERY_BUFFERED);
  run("SELECT 2");
  cr_expect_eq(stats().kept, 1);
  cr_expect_eq(script.open_statements, 1);
  tn_result_close(&result);
  (void)prepared();
  run("SELECT 1");
  cr_expect_eq(prepared(), 0);
  fixture_close();
}

Test(cache, a_result_may_be_closed_after_its_connection)
{
  tn_result *result;

  open_with(0, 0);
  run("SELECT 2");
  result = query_with("SELECT 1", TN_QUERY_BUFFERED);
  tn_conn_close(&conn);
  tn_result_close(&result);
  fixture_close();
}

/* How a statement fails, and how many are kept then. */
static const struct {
  int32_t category;
  uint64_t kept;
} failures[] = {
  { TN_E_DUPLICATE, 1 }, { TN_E_DATA, 1 },     { TN_E_DEADLOCK, 1 },
  { TN_E_BUSY, 1 },      { TN_E_NO_TABLE, 0 }, { TN_E_STATE, 0 },
  { TN_E_TIMEOUT, 0 },   { TN_E_OTHER, 0 },    { TN_E_UNSUPPORTED, 0 },
};

Test(cache, a_statement_that_fails_for_its_rows_is_kept)
{
  for (size_t i = 0; i < TN_COUNT(failures); i++) {
    const struct fake_answer answer = { .slot = FAKE_EXECUTE,
                                        .category = failures[i].category,
                                        .message = "no" };
    const struct tn_query query = { .sql = "SELECT 1" };
    tn_result *result = NULL;

    open_with(0, 0);
    script.answers = &answer;
    script.answer_count = 1;
    cr_expect_eq((int32_t)tn_conn_query(conn, &query, &result, &err),
                 failures[i].category);
    script.answer_count = 0;
    cr_expect_eq(stats().kept, failures[i].kept, "category %s",
                 tn_code_name(failures[i].category));
    cr_expect_eq(script.open_statements, (int)failures[i].kept);
    tn_conn_close(&conn);
  }
  fixture_close();
}

Test(cache, what_cannot_be_prepared_is_not_kept)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_PREPARE, .category = TN_E_SYNTAX, .message = "no" },
  };
  const struct tn_query query = { .sql = "SELECT 1" };
  tn_result *result = NULL;

  open_with(0, 0);
  SCRIPT_ANSWERS(answers);
  cr_expect_eq(tn_conn_query(conn, &query, &result, &err), TN_E_SYNTAX);
  cr_expect_eq(stats().kept, 0);
  script.answer_count = 0;
  fixture_close();
}

Test(cache, without_memory_a_statement_is_just_not_kept)
{
  long nth;

  for (nth = 1;; nth++) {
    const struct tn_query query = { .sql = "SELECT 1" };
    tn_result *result = NULL;
    enum tn_code rc;

    open_with(0, 0);
    oom_fail_nth(nth, false);
    rc = tn_conn_query(conn, &query, &result, &err);
    cr_expect(rc == TN_OK || rc == TN_E_MEMORY, "allocation %ld: %s", nth,
              err.message);
    tn_result_close(&result);
    cr_expect_eq(script.open_statements, (int)stats().kept);
    tn_conn_close(&conn);
    cr_expect_eq(script.open_statements, 0, "allocation %ld", nth);
    if (oom_count() < nth)
      break;
    oom_reset();
  }
  oom_reset();
  cr_expect_gt(nth, 3);
  fixture_close();
}
