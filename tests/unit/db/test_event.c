/* Listeners: when they are called, in which order, and what they may change. */
#include "engine_fixture.h"

#include <pthread.h>
#include <time.h>

TestSuite(event, .init = fixture_init, .timeout = 60);

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

/* ---- a listener that writes down what it is told ---- */

static char told[2048];

static void
note(const char *before, const char *text)
{
  size_t used = strlen(told);

  snprintf(told + used, sizeof told - used, "%s%s", before, text);
}

/* "TAKE@label BEFORE:sql …", with '!' for what failed. */
static enum tn_code
write_down(struct tn_event *event, void *user)
{
  static const char *const names[] = {
    [TN_EVENT_CONNECT] = "CONNECT",
    [TN_EVENT_TAKE] = "TAKE",
    [TN_EVENT_GIVE] = "GIVE",
    [TN_EVENT_RESET] = "RESET",
    [TN_EVENT_INVALIDATE] = "INVALIDATE",
    [TN_EVENT_CLOSE] = "CLOSE",
    [TN_EVENT_PREPARE] = "PREPARE",
    [TN_EVENT_BEFORE] = "BEFORE",
    [TN_EVENT_AFTER] = "AFTER",
    [TN_EVENT_DONE] = "DONE",
    [TN_EVENT_ERROR] = "ERROR",
    [TN_EVENT_SLOW] = "SLOW",
  };

  (void)user;
  cr_expect_eq(event->struct_size, sizeof *event);
  cr_expect_eq(event->engine, engine);
  cr_expect_eq(event->conn == NULL,
               event->kind == TN_EVENT_INVALIDATE ||
                   (event->kind == TN_EVENT_CONNECT && event->err->code != 0));
  note("", names[event->kind]);
  if (event->err != NULL && event->err->code != 0)
    note("", "!");
  if (event->label != NULL)
    note("@", event->label);
  if (event->sql != NULL)
    note(":", event->sql);
  note("", " ");
  return TN_OK;
}

static uint64_t
listen_to(uint32_t kinds, tn_event_fn listener, void *user)
{
  uint64_t id = 0;

  cr_assert_eq(tn_engine_listen(engine, kinds, listener, user, &id, &err),
               TN_OK, "%s", err.message);
  cr_expect_neq(id, 0);
  return id;
}

static tn_conn *
take_named(const char *label)
{
  const struct tn_loan loan = { .label = label };
  tn_conn *taken = NULL;

  cr_assert_eq(tn_engine_take(engine, &loan, &taken, &err), TN_OK, "%s",
               err.message);
  return taken;
}

/* A letter for each kind, of an engine that is no longer the test's. */
static enum tn_code
note_kind(struct tn_event *event, void *user)
{
  static const char letters[][2] = {
    [TN_EVENT_GIVE] = "G",  [TN_EVENT_CLOSE] = "C", [TN_EVENT_BEFORE] = "B",
    [TN_EVENT_AFTER] = "A", [TN_EVENT_DONE] = "D",
  };

  (void)user;
  cr_assert_lt(event->kind, TN_COUNT(letters));
  note("", letters[event->kind]);
  return TN_OK;
}

/* ---- what is told ---- */

Test(event, everything_is_told_in_order)
{
  tn_conn *taken;

  SCRIPT_RESULTS(results);
  open_engine("");
  listen_to(TN_EVENT_ALL, write_down, NULL);
  taken = take_named("me");
  cr_expect_eq(tn_conn_exec(taken, "UPDATE t", NULL, &err), TN_OK);
  cr_expect_eq(tn_conn_exec(taken, "SET x", NULL, &err), TN_OK);
  tn_pool_give(&taken);
  tn_pool_invalidate(tn_engine_pool(engine));
  taken = take_named(NULL);
  tn_pool_discard(&taken);
  cr_expect_str_eq(told,
                   "CONNECT TAKE@me "
                   "BEFORE@me:UPDATE t AFTER@me:UPDATE t "
                   "DONE@me:UPDATE t "
                   "BEFORE@me:SET x AFTER@me:SET x DONE@me:SET x "
                   "RESET@me GIVE@me INVALIDATE CLOSE CONNECT TAKE "
                   "GIVE CLOSE ",
                   "%s", told);
  close_engine();
}

Test(event, a_failure_is_told_once)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_CONNECT, .nth = 1, .category = TN_E_AUTH, .message = "no" },
    { .slot = FAKE_PREPARE, .nth = 1, .category = TN_E_SYNTAX },
    { .slot = FAKE_EXECUTE, .nth = 1, .category = TN_E_DEADLOCK },
    { .slot = FAKE_FETCH, .nth = 2, .category = TN_E_DATA },
    { .slot = FAKE_BEGIN, .nth = 1, .category = TN_E_BUSY },
  };
  const struct tn_query query = { .sql = "SELECT" };
  const tn_value *row = NULL;
  tn_result *result = NULL;
  tn_conn *taken = NULL;

  SCRIPT_ANSWERS(answers);
  SCRIPT_RESULTS(results);
  open_engine("&pool_retry_time=0");
  listen_to(TN_EVENT_ALL & ~TN_EVENT_BIT(TN_EVENT_TAKE), write_down, NULL);
  cr_expect_eq(tn_engine_take(engine, NULL, &taken, &err), TN_E_AUTH);
  taken = take_named(NULL);
  cr_expect_eq(tn_conn_exec(taken, "a", NULL, &err), TN_E_SYNTAX);
  cr_expect_eq(tn_conn_exec(taken, "b", NULL, &err), TN_E_DEADLOCK);
  cr_expect_eq(tn_conn_query(taken, &query, &result, &err), TN_OK);
  cr_expect_eq(tn_result_next(result, &row, &err), TN_OK);
  cr_expect_eq(tn_result_next(result, &row, &err), TN_E_DATA);
  tn_result_close(&result);
  cr_expect_eq(tn_conn_begin(taken, NULL, &err), TN_E_BUSY);
  tn_pool_give(&taken);
  cr_expect_str_eq(told,
                   "CONNECT! CONNECT BEFORE:a AFTER!:a ERROR!:a "
                   "BEFORE:b AFTER!:b ERROR!:b "
                   "BEFORE:SELECT AFTER:SELECT ERROR!:SELECT "
                   "DONE:SELECT ERROR! RESET GIVE ",
                   "%s", told);
  close_engine();
}

Test(event, prepared_statements_and_batches_are_told)
{
  const tn_value values[] = { tn_int64(1), tn_int64(2) };
  const struct tn_batch batch = { .values = values,
                                  .value_count = 1,
                                  .row_count = 2 };
  const struct tn_query query = { .values = values, .value_count = 1 };
  tn_prepared *prepared = NULL;
  tn_result *result = NULL;
  tn_conn *taken;

  SCRIPT_RESULTS(results);
  open_engine("");
  taken = take_named(NULL);
  listen_to(TN_EVENT_ALL, write_down, NULL);
  cr_assert_eq(tn_conn_prepare(taken, "UPDATE ?", 0, &prepared, &err), TN_OK);
  cr_assert_eq(tn_prepared_query(prepared, &query, &result, &err), TN_OK);
  tn_result_close(&result);
  cr_assert_eq(tn_prepared_batch(prepared, &batch, &result, &err), TN_OK, "%s",
               err.message);
  tn_result_close(&result);
  tn_prepared_close(&prepared);
  tn_pool_give(&taken);
  cr_expect_str_eq(told,
                   "PREPARE:UPDATE ? "
                   "BEFORE:UPDATE ? AFTER:UPDATE ? DONE:UPDATE ? "
                   "BEFORE:UPDATE ? AFTER:UPDATE ? DONE:UPDATE ? GIVE ",
                   "%s", told);
  close_engine();
}

static struct tn_event last[TN_EVENT_KIND_COUNT];
static int64_t first_value;

static enum tn_code
keep_last(struct tn_event *event, void *user)
{
  (void)user;
  last[event->kind] = *event;
  if (event->value_count > 0)
    first_value = event->values[0].as.int64;
  return TN_OK;
}

Test(event, a_statement_is_told_with_its_numbers)
{
  static const struct fake_answer slow[] = {
    { .slot = FAKE_EXECUTE, .wait_ms = 20 },
  };
  const tn_value value = tn_int64(42);
  const struct tn_query query = { .sql = "SELECT ?",
                                  .values = &value,
                                  .value_count = 1 };
  tn_result *result = NULL;

  SCRIPT_RESULTS(results);
  SCRIPT_ANSWERS(slow);
  open_engine("");
  listen_to(TN_EVENT_ALL, keep_last, NULL);
  for (uint32_t is_cached = 0; is_cached < 2; is_cached++) {
    const tn_value *row = NULL;

    first_value = 0;
    cr_assert_eq(tn_engine_query(engine, &query, &result, &err), TN_OK);
    cr_expect_eq(first_value, 42);
    do
      cr_assert_eq(tn_result_next(result, &row, &err), TN_OK);
    while (row != NULL);
    tn_result_close(&result);
    cr_expect_eq(last[TN_EVENT_BEFORE].value_count, 1);
    cr_expect_eq(last[TN_EVENT_AFTER].value_count, 1);
    cr_expect_null(last[TN_EVENT_AFTER].err);
    cr_expect_geq(last[TN_EVENT_AFTER].run_ns, 20 * NS_PER_MS);
    cr_expect_eq(last[TN_EVENT_DONE].run_ns, last[TN_EVENT_AFTER].run_ns);
    cr_expect_geq(last[TN_EVENT_DONE].total_ns, last[TN_EVENT_DONE].run_ns);
    cr_expect_eq(last[TN_EVENT_DONE].rows, 2);
    cr_expect_eq(last[TN_EVENT_DONE].affected, -1);
    cr_expect_eq(last[TN_EVENT_DONE].value_count, 0);
    cr_expect_eq(last[TN_EVENT_DONE].is_cached, is_cached);
    cr_expect_eq(last[TN_EVENT_AFTER].is_cached, is_cached);
  }
  cr_expect_eq(tn_engine_exec(engine, "UPDATE t", NULL, &err), TN_OK);
  cr_expect_eq(last[TN_EVENT_DONE].affected, 3);
  cr_expect_eq(last[TN_EVENT_DONE].rows, 0);
  cr_expect_eq(last[TN_EVENT_SLOW].kind, 0);
  close_engine();
}

Test(event, a_slow_statement_is_told_of)
{
  static const struct fake_answer slow[] = {
    { .slot = FAKE_EXECUTE, .nth = 2, .wait_ms = 1100 },
  };

  SCRIPT_ANSWERS(slow);
  open_engine("&slow_query_time=1");
  listen_to(TN_EVENT_BIT(TN_EVENT_SLOW), write_down, NULL);
  for (int i = 0; i < 3; i++)
    cr_expect_eq(tn_engine_exec(engine, i == 1 ? "slow" : "x", NULL, &err),
                 TN_OK);
  cr_expect_str_eq(told, "SLOW@tn_engine_exec:slow ", "%s", told);
  close_engine();
}

static enum tn_code
run_in_done(struct tn_event *event, void *user)
{
  (void)user;
  note(event->kind == TN_EVENT_DONE ? "DONE " : "GIVE ", "");
  if (event->kind == TN_EVENT_DONE)
    cr_expect_eq(tn_conn_exec(event->conn, "x", NULL, NULL), TN_E_STATE);
  return TN_OK;
}

Test(event, a_connection_that_is_given_back_ends_what_is_open)
{
  const struct tn_query query = { .sql = "SELECT" };
  tn_result *result = NULL;
  tn_conn *taken;

  SCRIPT_RESULTS(results);
  open_engine("");
  listen_to(TN_EVENT_BIT(TN_EVENT_DONE) | TN_EVENT_BIT(TN_EVENT_GIVE),
            run_in_done, NULL);
  taken = take_named("me");
  cr_assert_eq(tn_conn_query(taken, &query, &result, &err), TN_OK);
  tn_pool_give(&taken);
  tn_result_close(&result);
  cr_expect_str_eq(told, "DONE GIVE ", "%s", told);
  close_engine();
}

/* ---- what a listener may change ---- */

static const char *new_text = "other";

static enum tn_code
rewrite(struct tn_event *event, void *user)
{
  (void)user;
  event->sql = new_text;
  return TN_OK;
}

static enum tn_code
append_mark(struct tn_event *event, void *user)
{
  static char text[128];

  (void)user;
  snprintf(text, sizeof text, "%s !", event->sql);
  event->sql = text;
  return TN_OK;
}

Test(event, a_statement_may_be_rewritten_by_one_listener_after_another)
{
  open_engine("");
  listen_to(TN_EVENT_BIT(TN_EVENT_BEFORE), rewrite, NULL);
  listen_to(TN_EVENT_BIT(TN_EVENT_BEFORE), append_mark, NULL);
  listen_to(TN_EVENT_BIT(TN_EVENT_AFTER), write_down, NULL);
  cr_expect_eq(tn_engine_exec(engine, "x", NULL, &err), TN_OK);
  cr_expect_str_eq(script.sql, "other !");
  cr_expect_str_eq(told, "AFTER@tn_engine_exec:other ! ");
  close_engine();
}

Test(event, what_is_prepared_may_be_rewritten_what_was_may_not)
{
  const struct tn_query query = { .sql = NULL };
  tn_prepared *prepared = NULL;
  tn_result *result = NULL;
  tn_conn *taken;

  open_engine("");
  taken = take_named(NULL);
  listen_to(TN_EVENT_BIT(TN_EVENT_PREPARE), rewrite, NULL);
  cr_assert_eq(tn_conn_prepare(taken, "x", 0, &prepared, &err), TN_OK);
  cr_expect_str_eq(script.sql, "other");
  new_text = "third";
  listen_to(TN_EVENT_BIT(TN_EVENT_BEFORE), rewrite, NULL);
  listen_to(TN_EVENT_BIT(TN_EVENT_AFTER), write_down, NULL);
  cr_assert_eq(tn_prepared_query(prepared, &query, &result, &err), TN_OK);
  tn_result_close(&result);
  cr_expect_str_eq(told, "AFTER:other ");
  tn_prepared_close(&prepared);
  tn_pool_give(&taken);
  close_engine();
}

static enum tn_code
refuse(struct tn_event *event, void *user)
{
  if (user != NULL)
    return tn_err_set(event->err, TN_E_PERMISSION, "%s", (const char *)user);
  return TN_E_READ_ONLY;
}

Test(event, a_statement_may_be_refused)
{
  static char words[] = "not on a Sunday";
  const struct tn_query query = { .sql = NULL };
  tn_prepared *prepared = NULL;
  tn_result *result = NULL;
  tn_conn *taken;
  uint64_t id;

  open_engine("");
  taken = take_named(NULL);
  cr_assert_eq(tn_conn_prepare(taken, "x", 0, &prepared, &err), TN_OK);
  id = listen_to(TN_EVENT_BIT(TN_EVENT_BEFORE) | TN_EVENT_BIT(TN_EVENT_PREPARE),
                 refuse, words);
  cr_expect_eq(tn_conn_exec(taken, "x", NULL, &err), TN_E_PERMISSION);
  cr_expect_str_eq(err.message, words);
  cr_expect_eq(tn_conn_exec(taken, "x", NULL, NULL), TN_E_PERMISSION);
  cr_expect_eq(tn_prepared_query(prepared, &query, &result, &err),
               TN_E_PERMISSION);
  tn_prepared_close(&prepared);
  cr_expect_eq(tn_conn_prepare(taken, "x", 0, &prepared, &err),
               TN_E_PERMISSION);
  tn_engine_unlisten(engine, id);
  id = listen_to(TN_EVENT_BIT(TN_EVENT_BEFORE), refuse, NULL);
  listen_to(TN_EVENT_BIT(TN_EVENT_BEFORE), write_down, NULL);
  cr_expect_eq(tn_conn_exec(taken, "x", NULL, &err), TN_E_READ_ONLY);
  cr_expect_str_eq(err.message, "engine: a listener refused the statement");
  cr_expect_str_eq(told, "");
  tn_engine_unlisten(engine, id);
  cr_expect_eq(calls_of(FAKE_EXECUTE), 0);
  cr_expect_eq(tn_conn_exec(taken, "x", NULL, &err), TN_OK);
  tn_pool_give(&taken);
  close_engine();
}

Test(event, what_was_refused_is_told_by_its_text)
{
  static char words[] = "no";
  tn_prepared *prepared = NULL;
  tn_conn *taken;

  open_engine("");
  taken = take_named(NULL);
  listen_to(TN_EVENT_BIT(TN_EVENT_BEFORE) | TN_EVENT_BIT(TN_EVENT_PREPARE),
            refuse, words);
  listen_to(TN_EVENT_BIT(TN_EVENT_ERROR), write_down, NULL);
  cr_expect_eq(tn_conn_exec(taken, "x", NULL, &err), TN_E_PERMISSION);
  cr_expect_eq(tn_conn_prepare(taken, "y", 0, &prepared, &err),
               TN_E_PERMISSION);
  cr_expect_str_eq(told, "ERROR!:x ERROR!:y ", "%s", told);
  tn_pool_give(&taken);
  close_engine();
}

/* Make it TN_E_NOT_FOUND, or none at all. */
static enum tn_code
substitute(struct tn_event *event, void *user)
{
  tn_err_clear(event->err);
  if (user != NULL)
    (void)tn_err_set(event->err, TN_E_NOT_FOUND, "another");
  return TN_OK;
}

Test(event, an_error_may_be_another_but_not_none)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_EXECUTE, .category = TN_E_SYNTAX, .message = "no" },
    { .slot = FAKE_BEGIN, .category = TN_E_BUSY, .message = "no" },
  };
  tn_conn *taken;
  uint64_t id;

  SCRIPT_ANSWERS(answers);
  open_engine("");
  taken = take_named(NULL);
  id = listen_to(TN_EVENT_BIT(TN_EVENT_ERROR), substitute, told);
  cr_expect_eq(tn_conn_exec(taken, "x", NULL, &err), TN_E_NOT_FOUND);
  cr_expect_str_eq(err.message, "another");
  cr_expect_eq(tn_conn_begin(taken, NULL, &err), TN_E_NOT_FOUND);
  tn_engine_unlisten(engine, id);
  listen_to(TN_EVENT_BIT(TN_EVENT_ERROR), substitute, NULL);
  cr_expect_eq(tn_conn_exec(taken, "x", NULL, &err), TN_E_SYNTAX);
  cr_expect_str_eq(err.message, "no");
  tn_pool_give(&taken);
  close_engine();
}

Test(event, another_error_is_no_better_for_the_connection)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_EXECUTE,
      .category = TN_E_LOST,
      .message = "gone",
      .connection = TN_CONNECTION_DEAD,
      .replay = TN_REPLAY_UNKNOWN },
  };
  tn_conn *taken;

  SCRIPT_ANSWERS(answers);
  open_engine("");
  taken = take_named(NULL);
  listen_to(TN_EVENT_BIT(TN_EVENT_ERROR), substitute, told);
  cr_expect_eq(tn_conn_exec(taken, "x", NULL, &err), TN_E_NOT_FOUND);
  cr_expect_eq(err.connection, TN_CONNECTION_DEAD);
  cr_expect_eq(err.replay, TN_REPLAY_UNKNOWN);
  tn_pool_give(&taken);
  close_engine();
}

/* A session of its own: "SET" is run when it is opened, and after a reset. */
static enum tn_code
set_up(struct tn_event *event, void *user)
{
  (void)user;
  if (event->conn == NULL)
    return TN_OK;
  return tn_conn_exec(event->conn, "SET x", NULL, event->err);
}

Test(event, a_listener_may_set_a_session_up)
{
  open_engine("");
  listen_to(TN_EVENT_BIT(TN_EVENT_CONNECT) | TN_EVENT_BIT(TN_EVENT_RESET),
            set_up, NULL);
  use_once();
  cr_expect_eq(calls_of(FAKE_EXECUTE), 1);
  cr_expect_eq(calls_of(FAKE_RESET), 0);
  cr_expect_eq(tn_engine_exec(engine, "SET y", NULL, &err), TN_OK);
  cr_expect_eq(calls_of(FAKE_EXECUTE), 3);
  cr_expect_eq(calls_of(FAKE_RESET), 1);

  /* What the listener sets is no reason to reset it again. */
  cr_expect_eq(tn_engine_exec(engine, "SELECT 1", NULL, &err), TN_OK);
  cr_expect_eq(calls_of(FAKE_RESET), 1);
  close_engine();
}

Test(event, a_session_may_be_refused)
{
  static char words[] = "not this server";
  tn_conn *taken = NULL;

  open_engine("&pool_retry_time=0");
  listen_to(TN_EVENT_BIT(TN_EVENT_CONNECT), refuse, words);
  cr_expect_eq(tn_engine_take(engine, NULL, &taken, &err), TN_E_PERMISSION);
  cr_expect_str_eq(err.message, words);
  cr_expect_eq(script.open_connections, 0);
  close_engine();
}

static enum tn_code
use_inside(struct tn_event *event, void *user)
{
  uint32_t *refused = user;

  *refused += tn_conn_exec(event->conn, "inside", NULL, NULL) == TN_E_STATE;
  return TN_OK;
}

Test(event, a_connection_is_not_used_inside_its_statements)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_EXECUTE, .category = TN_E_SYNTAX },
  };
  uint32_t refused = 0;

  SCRIPT_ANSWERS(answers);
  open_engine("");
  listen_to(TN_EVENT_BIT(TN_EVENT_BEFORE) | TN_EVENT_BIT(TN_EVENT_AFTER) |
                TN_EVENT_BIT(TN_EVENT_ERROR),
            use_inside, &refused);
  cr_expect_eq(tn_engine_exec(engine, "x", NULL, &err), TN_E_SYNTAX);
  cr_expect_eq(refused, 3);
  close_engine();
}

/* In each way in turn, whatever it is told of. */
static enum tn_code
go_inside(struct tn_event *event, void *user)
{
  tn_conn *const there = event->conn;
  tn_conn *gone = there;

  if (there == NULL)
    return TN_OK;
  ++*(unsigned *)user;
  tn_pool_give(&gone);
  cr_expect_eq(gone, there, "give in %u", event->kind);
  tn_pool_discard(&gone);
  cr_expect_eq(gone, there, "discard in %u", event->kind);
  tn_conn_close(&gone);
  cr_expect_eq(gone, there, "close in %u", event->kind);
  return TN_OK;
}

Test(event, a_connection_stays_while_a_listener_is_told_of_it)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_EXECUTE, .nth = 2, .category = TN_E_SYNTAX },
  };
  unsigned times = 0;
  tn_conn *taken = NULL;
  tn_prepared *prepared = NULL;

  script.results = results;
  script.result_count = TN_COUNT(results);
  SCRIPT_ANSWERS(answers);
  open_engine("&max_pool_size=1&max_overflow=0&pool_reset=always");
  listen_to(TN_EVENT_ALL, go_inside, &times);
  cr_assert_eq(tn_engine_take(engine, NULL, &taken, &err), TN_OK, "%s",
               err.message);
  cr_expect_eq(tn_conn_exec(taken, "SELECT", NULL, &err), TN_OK, "%s",
               err.message);
  cr_expect_eq(tn_conn_exec(taken, "UPDATE", NULL, &err), TN_E_SYNTAX);
  cr_expect_eq(tn_conn_prepare(taken, "SELECT", 0, &prepared, &err), TN_OK);
  tn_prepared_close(&prepared);
  tn_pool_give(&taken);
  cr_expect_null(taken);
  cr_expect_eq(script.open_connections, 1);
  cr_assert_eq(tn_engine_take(engine, NULL, &taken, &err), TN_OK, "%s",
               err.message);
  tn_pool_discard(&taken);
  cr_expect_eq(script.open_connections, 0);
  cr_expect_geq(times, 12, "%u", times);
  cr_expect_not_null(strstr(log_text, "a listener cannot give back"), "%s",
                     log_text);
  close_engine();
}

/* ---- the end ---- */

Test(event, what_is_lent_outlives_its_engine)
{
  tn_conn *taken;

  open_engine("");
  taken = take_named("late");
  listen_to(TN_EVENT_ALL, note_kind, NULL);
  tn_engine_close(&engine);
  cr_expect_eq(tn_conn_exec(taken, "UPDATE t", NULL, &err), TN_OK, "%s",
               err.message);
  tn_pool_give(&taken);
  cr_expect_str_eq(told, "BADGC");
  close_engine();
}

/* ---- the list ---- */

static uint64_t other_id;

static enum tn_code
remove_other(struct tn_event *event, void *user)
{
  note("", user);
  tn_engine_unlisten(event->engine, other_id);
  return TN_OK;
}

static enum tn_code
note_letter(struct tn_event *event, void *user)
{
  (void)event;
  note("", user);
  return TN_OK;
}

static enum tn_code
add_another(struct tn_event *event, void *user)
{
  note("", user);
  return tn_engine_listen(event->engine, TN_EVENT_BIT(TN_EVENT_TAKE),
                          note_letter, "n", NULL, NULL);
}

Test(event, listeners_come_and_go_while_they_are_called)
{
  const uint32_t kinds = TN_EVENT_BIT(TN_EVENT_TAKE);
  uint64_t self;

  open_engine("");
  listen_to(kinds, note_letter, "a");
  listen_to(kinds, remove_other, "b");
  other_id = listen_to(kinds, note_letter, "c");
  self = listen_to(kinds, add_another, "d");
  listen_to(TN_EVENT_BIT(TN_EVENT_CLOSE), note_letter, "x");
  use_once();
  cr_expect_str_eq(told, "abdn");
  other_id = self;
  told[0] = '\0';
  use_once();
  cr_expect_str_eq(told, "abn");
  tn_engine_unlisten(engine, 4711);
  tn_engine_unlisten(engine, self);
  close_engine();
}

static atomic_int inside;
static atomic_bool may_go;

static enum tn_code
stay_inside(struct tn_event *event, void *user)
{
  (void)event;
  (void)user;
  atomic_store(&inside, 1);
  while (!atomic_load(&may_go))
    ;
  atomic_store(&inside, 0);
  return TN_OK;
}

static void *
use_in_thread(void *arg)
{
  use_once();
  return arg;
}

static void *
let_go(void *arg)
{
  const struct timespec pause = { .tv_nsec = 50000000 };

  nanosleep(&pause, NULL);
  atomic_store(&may_go, true);
  return arg;
}

Test(event, removing_waits_for_other_threads)
{
  pthread_t threads[2];
  uint64_t id;

  open_engine("");
  id = listen_to(TN_EVENT_BIT(TN_EVENT_TAKE), stay_inside, NULL);
  cr_assert_eq(pthread_create(&threads[0], NULL, use_in_thread, NULL), 0);
  while (atomic_load(&inside) == 0)
    ;
  cr_assert_eq(pthread_create(&threads[1], NULL, let_go, NULL), 0);
  tn_engine_unlisten(engine, id);
  cr_expect_eq(atomic_load(&inside), 0);
  pthread_join(threads[0], NULL);
  pthread_join(threads[1], NULL);
  close_engine();
}

Test(event, no_memory_for_a_listener_is_an_error)
{
  uint64_t id = 77;

  open_engine("&pool_tick_time=0");
  oom_fail_nth(1, false);
  cr_expect_eq(
      tn_engine_listen(engine, TN_EVENT_ALL, write_down, NULL, &id, &err),
      TN_E_MEMORY);
  oom_reset();
  cr_expect_eq(id, 77);
  use_once();
  cr_expect_str_eq(told, "");
  close_engine();
}
