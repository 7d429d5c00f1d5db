/* What becomes of a session before and after a loan. */
#include <sys/socket.h>
#include <unistd.h>

#include "pool_fixture.h"

TestSuite(pool_session, .init = pool_fixture_init, .timeout = 60);

static void
use(tn_conn *taken)
{
  cr_assert_eq(tn_conn_exec(taken, "x", NULL, &err), TN_OK, "%s", err.message);
}

/* ---- before ---- */

Test(pool_session, is_pinged_only_if_it_was_unused_for_longer)
{
  tn_conn *taken;

  pool_options.ping_after_ms = 100;
  open_pool();
  taken = take();
  tn_pool_give(&taken);
  taken = take();
  tn_pool_give(&taken);
  cr_expect_eq(calls_of(FAKE_PING), 0);
  pause_ms(130);
  taken = take();
  cr_expect_eq(calls_of(FAKE_PING), 1);
  cr_expect_eq(stats_of().pings, 1);
  tn_pool_give(&taken);
  close_pool();
}

/* Of a server that has ended the session, or tells it something. */
Test(pool_session, is_pinged_at_once_if_something_has_come)
{
  tn_conn *taken;
  char byte = 0;
  int pair[2];

  cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  script.socket = &pair[0];
  open_pool();
  for (int i = 0; i < 3; i++) {
    taken = take();
    tn_pool_give(&taken);
  }
  cr_expect_eq(calls_of(FAKE_PING), 0);

  pause_ms(20);
  cr_assert_eq(write(pair[1], &byte, 1), 1);
  taken = take();
  cr_expect_eq(calls_of(FAKE_PING), 1);
  cr_assert_eq(read(pair[0], &byte, 1), 1); /* as the ping would have */
  tn_pool_give(&taken);
  taken = take();
  tn_pool_give(&taken);
  cr_expect_eq(calls_of(FAKE_PING), 1);

  pause_ms(20);
  close(pair[1]);
  taken = take();
  cr_expect_eq(calls_of(FAKE_PING), 2);
  tn_pool_give(&taken);
  close_pool();
  close(pair[0]);
}

static void
open_many(unsigned count)
{
  tn_conn *taken[20];
  unsigned i;

  pool_options.size = count;
  open_pool();
  for (i = 0; i < count; i++)
    taken[i] = take();
  for (i = 0; i < count; i++)
    tn_pool_give(&taken[i]);
  cr_assert_eq(connect_calls, count);
}

Test(pool_session, one_lost_ping_replaces_all_of_that_age_without_a_word)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_PING, .category = TN_E_LOST, .message = "gone" },
  };
  tn_conn *taken[20];
  int i;

  pool_options.ping_after_ms = 20;
  open_many(20);
  SCRIPT_ANSWERS(answers);
  pause_ms(50);
  for (i = 0; i < 20; i++)
    taken[i] = take();
  cr_expect_eq(calls_of(FAKE_PING), 1, "%u pings", calls_of(FAKE_PING));
  cr_expect_eq(stats_of().ping_failures, 1);
  cr_expect_eq(stats_of().invalidated, 19);
  cr_expect_eq(connect_calls, 40);
  for (i = 0; i < 20; i++)
    tn_pool_give(&taken[i]);
  close_pool();
}

Test(pool_session, a_ping_that_fails_otherwise_costs_that_one_alone)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_PING, .nth = 1, .category = TN_E_CANCELED },
  };
  tn_conn *taken;

  pool_options.ping_after_ms = 20;
  open_many(2);
  SCRIPT_ANSWERS(answers);
  pause_ms(50);
  taken = take();
  cr_expect_eq(calls_of(FAKE_PING), 2);
  cr_expect_eq(connect_calls, 2);
  cr_expect_eq(stats_of().idle, 0);
  cr_expect_eq(stats_of().lent, 1);
  tn_pool_give(&taken);
  close_pool();
}

Test(pool_session, a_silent_ping_leaves_time_to_connect)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_PING, .wait_ms = 60000 },
  };
  tn_conn *taken = NULL;
  int64_t start;

  pool_options.ping_after_ms = 20;
  open_many(1);
  SCRIPT_ANSWERS(answers);
  pause_ms(50);
  start = tn_clock_now();
  cr_expect_eq(take_within(4000, NULL, &taken, &err), TN_OK, "%s", err.message);
  cr_expect_lt(tn_clock_now() - start, 3600 * NS_PER_MS);
  cr_expect_eq(connect_calls, 2);
  tn_pool_give(&taken);
  close_pool();
}

Test(pool_session, a_lost_ping_and_no_server_fail_within_the_deadline)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_PING, .category = TN_E_LOST },
  };
  tn_conn *taken = NULL;

  pool_options.ping_after_ms = 20;
  open_many(3);
  SCRIPT_ANSWERS(answers);
  pause_ms(50);
  connect_fails = 1;
  cr_expect_eq(take_within(1000, NULL, &taken, &err), TN_E_CONNECT);
  cr_expect_eq(stats_of().idle, 0, "all were outdated");
  close_pool();
}

Test(pool_session, invalidation_replaces_what_is_idle_and_what_is_lent)
{
  tn_conn *lent;
  tn_conn *other;

  open_many(2);
  lent = take();
  tn_pool_invalidate(pool);
  use(lent);
  other = take();
  cr_expect_eq(connect_calls, 3, "the idle one was replaced when lent");
  tn_pool_give(&lent);
  cr_expect_eq(script.open_connections, 1, "the lent one was closed at give");
  tn_pool_give(&other);
  cr_expect_eq(script.open_connections, 1, "the new one stays");
  cr_expect_eq(stats_of().invalidated, 2);
  close_pool();
}

Test(pool_session, is_replaced_when_lent_after_recycle_and_given_after_lifetime)
{
  tn_conn *taken;

  pool_options.recycle_ms = 100;
  open_many(1);
  pause_ms(130);
  taken = take();
  cr_expect_eq(connect_calls, 2);
  cr_expect_eq(stats_of().recycled, 1);
  pause_ms(130);
  tn_pool_give(&taken);
  cr_expect_eq(script.open_connections, 1, "recycle does not close at give");
  close_pool();

  pool_options.recycle_ms = 0;
  pool_options.lifetime_ms = 100;
  open_pool();
  taken = take();
  pause_ms(130);
  tn_pool_give(&taken);
  cr_expect_eq(script.open_connections, 0, "lifetime does");
  close_pool();
}

Test(pool_session, lifetimes_are_spread)
{
  tn_conn *taken[20];
  int64_t first = INT64_MAX;
  int64_t last = 0;
  int64_t now = tn_clock_now();
  int i;

  pool_options.size = 20;
  pool_options.lifetime_ms = 1000000;
  open_pool();
  for (i = 0; i < 20; i++) {
    int64_t ends;

    taken[i] = take();
    ends = taken[i]->slot->expires_at - now;
    first = ends < first ? ends : first;
    last = ends > last ? ends : last;
  }
  cr_expect_geq(first, 899 * NS_PER_S);
  cr_expect_leq(last, 1001 * NS_PER_S);
  cr_expect_geq(last - first, 25 * NS_PER_S, "spread over %d s",
                (int)((last - first) / NS_PER_S));
  for (i = 0; i < 20; i++)
    tn_pool_give(&taken[i]);
  close_pool();
}

/* ---- after ---- */

static const struct tn_column columns[] = {
  { .name = "n", .type_name = "int", .type = TN_INT64 },
};
static const tn_value cells[] = {
  { .type = TN_INT64, .as.int64 = 1 },
  { .type = TN_INT64, .as.int64 = 2 },
};
static const struct fake_result two_rows[] = {
  { .columns = columns, .column_count = 1, .rows = cells, .row_count = 2 },
};

Test(pool_session, what_is_open_at_give_is_closed)
{
  static const char *const names[] = { "n" };
  const struct tn_query query = { .sql = "rows" };
  const struct tn_bulk_options load = { .table = "t",
                                        .columns = names,
                                        .column_count = 1 };
  tn_result *result = NULL;
  tn_bulk *bulk = NULL;
  tn_prepared *prepared = NULL;
  const tn_value *row = NULL;
  tn_conn *taken;

  fixture_enrich();
  open_pool();
  SCRIPT_RESULTS(two_rows);
  taken = take();
  cr_assert_eq(tn_conn_query(taken, &query, &result, &err), TN_OK, "%s",
               err.message);
  cr_assert_eq(tn_result_next(result, &row, &err), TN_OK);
  tn_pool_give(&taken);
  cr_expect_eq(script.open_results, 0);
  cr_expect_eq(script.open_statements, 0);
  cr_expect_eq(tn_result_next(result, &row, &err), TN_E_STATE);
  tn_result_close(&result);

  script.result_count = 0;
  taken = take();
  cr_expect_eq(connect_calls, 1, "it is lent again");
  cr_assert_eq(tn_conn_prepare(taken, "p", 0, &prepared, &err), TN_OK);
  cr_assert_eq(tn_bulk_open(taken, &load, &bulk, &err), TN_OK, "%s",
               err.message);
  tn_pool_give(&taken);
  cr_expect_eq(script.open_bulks, 0);
  cr_expect_eq(script.open_statements, 0);
  cr_expect_eq(script.txn_state, TN_TXN_NONE);
  tn_bulk_close(&bulk);
  tn_prepared_close(&prepared);
  taken = take();
  use(taken);
  tn_pool_give(&taken);
  close_pool();
}

Test(pool_session, an_open_transaction_is_rolled_back)
{
  tn_conn *taken;

  open_pool();
  taken = take();
  cr_assert_eq(tn_conn_begin(taken, NULL, &err), TN_OK);
  tn_pool_give(&taken);
  cr_expect_eq(calls_of(FAKE_ROLLBACK), 1);
  cr_expect_eq(stats_of().rollbacks, 1);
  taken = take();
  cr_expect_eq(tn_conn_txn_state(taken), TN_TXN_NONE);
  cr_expect_eq(connect_calls, 1);
  tn_pool_give(&taken);
  cr_expect_eq(calls_of(FAKE_ROLLBACK), 1);
  close_pool();
}

static int32_t
lie_about_rollback(void *handle, struct tn_call *call)
{
  (void)handle;
  (void)call;
  return TN_OK;
}

Test(pool_session, a_rollback_is_verified)
{
  static struct tn_txn_table txn;
  tn_conn *taken;

  memcpy(&txn, fixture_table(TN_TABLE_TXN), sizeof txn);
  txn.rollback = lie_about_rollback;
  tables[TN_TABLE_TXN] = &txn;
  open_pool();
  taken = take();
  cr_assert_eq(tn_conn_begin(taken, NULL, &err), TN_OK);
  tn_pool_give(&taken);
  cr_expect_eq(script.open_connections, 0, "it was not trusted");
  cr_expect_eq(stats_of().give_failures, 1);
  script.txn_state = 0;
  close_pool();
}

struct give_case {
  const char *name;
  enum fake_slot slot; /* what fails at give */
  int32_t category;
  uint64_t wait_ms;
};

Test(pool_session, a_failure_at_give_closes_it_and_frees_the_slot)
{
  static const struct give_case cases[] = {
    { "rollback", FAKE_ROLLBACK, TN_E_IO, 0 },
    { "rollback, lost", FAKE_ROLLBACK, TN_E_LOST, 0 },
    { "rollback, canceled", FAKE_ROLLBACK, TN_E_CANCELED, 0 },
    { "rollback, silent", FAKE_ROLLBACK, TN_OK, 60000 },
    { "reset", FAKE_RESET, TN_E_IO, 0 },
    { "reset, not to be had", FAKE_RESET, TN_E_UNSUPPORTED, 0 },
    { "reset, lost", FAKE_RESET, TN_E_LOST, 0 },
    { "reset, silent", FAKE_RESET, TN_OK, 60000 },
  };
  size_t i;

  pool_options.give_ms = 50;
  open_pool();
  for (i = 0; i < TN_COUNT(cases); i++) {
    const struct fake_answer answer = { .slot = cases[i].slot,
                                        .category = cases[i].category,
                                        .wait_ms = cases[i].wait_ms };
    tn_conn *taken = take();

    cr_assert_eq(tn_conn_begin(taken, NULL, &err), TN_OK);
    tn_conn__touch(taken);
    script.answers = &answer;
    script.answer_count = 1;
    tn_pool_give(&taken);
    script.answer_count = 0;
    script.txn_state = 0;
    cr_expect_eq(script.open_connections, 0, "case %zu: %s", i, cases[i].name);
    cr_expect_eq(stats_of().give_failures, i + 1, "case %zu: %s", i,
                 cases[i].name);
  }
  close_pool();
}

static enum tn_code
set_mode(tn_conn *of)
{
  return tn_conn_set_sql_mode(of, "strict", &err);
}

static enum tn_code
set_isolation(tn_conn *of)
{
  return tn_conn_set_isolation(of, TN_ISOLATION_SERIALIZABLE, &err);
}

static enum tn_code
set_access(tn_conn *of)
{
  return tn_conn_set_access(of, TN_ACCESS_READ_ONLY, &err);
}

static enum tn_code
touch(tn_conn *of)
{
  tn_conn__touch(of);
  return tn_conn_exec(of, "x", NULL, &err);
}

static enum tn_code
only_use(tn_conn *of)
{
  return tn_conn_exec(of, "SELECT 1", NULL, &err);
}

static enum tn_code
use_another(tn_conn *of)
{
  return tn_conn_exec(of, "SET x = 1", NULL, &err);
}

static enum tn_code
set_and_reset(tn_conn *of)
{
  enum tn_code rc = tn_conn_set_sql_mode(of, "strict", &err);

  return rc != TN_OK ? rc : tn_conn_reset(of, &err);
}

static enum tn_code
nothing(tn_conn *of)
{
  (void)of;
  return TN_OK;
}

struct reset_case {
  const char *name;
  enum tn_code (*run)(tn_conn *of);
  uint32_t reset;
  unsigned resets;
};

Test(pool_session, is_reset_if_it_was_touched_or_as_the_option_says)
{
  static const struct reset_case cases[] = {
    { "sql mode", set_mode, TN_RESET_TOUCHED, 1 },
    { "isolation", set_isolation, TN_RESET_TOUCHED, 1 },
    { "access", set_access, TN_RESET_TOUCHED, 1 },
    { "touch", touch, TN_RESET_TOUCHED, 1 },
    { "use", only_use, TN_RESET_TOUCHED, 0 },
    { "a statement of another kind", use_another, TN_RESET_TOUCHED, 1 },
    { "nothing", nothing, TN_RESET_TOUCHED, 0 },
    { "by itself", set_and_reset, TN_RESET_TOUCHED, 1 },
    { "never", set_mode, TN_RESET_NEVER, 0 },
    { "always", only_use, TN_RESET_ALWAYS, 1 },
    { "always, unused", nothing, TN_RESET_ALWAYS, 0 },
  };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    unsigned before = calls_of(FAKE_RESET);
    tn_conn *taken;

    pool_options.reset = cases[i].reset;
    open_pool();
    taken = take();
    cr_expect_eq(cases[i].run(taken), TN_OK);
    tn_pool_give(&taken);
    taken = take(); /* not once more */
    tn_pool_give(&taken);
    cr_expect_eq(calls_of(FAKE_RESET) - before, cases[i].resets,
                 "case %zu: %s: %u resets", i, cases[i].name,
                 calls_of(FAKE_RESET) - before);
    tn_pool_close(&pool);
  }
  fixture_close();
}

Test(pool_session, a_loss_at_give_has_the_others_pinged_before_they_are_lent)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_EXECUTE, .nth = 1, .category = TN_E_LOST },
  };
  tn_conn *first;
  tn_conn *second;

  open_many(2);
  SCRIPT_ANSWERS(answers);
  first = take();
  cr_expect_eq(tn_conn_exec(first, "x", NULL, &err), TN_E_LOST);
  tn_pool_give(&first);
  cr_expect_eq(script.open_connections, 1);
  cr_expect_eq(calls_of(FAKE_PING), 0);
  first = take();
  cr_expect_eq(calls_of(FAKE_PING), 1, "the other one is asked");
  second = take();
  cr_expect_eq(calls_of(FAKE_PING), 1, "a new one is not");
  cr_expect_eq(connect_calls, 3);
  tn_pool_give(&first);
  tn_pool_give(&second);
  first = take();
  cr_expect_eq(calls_of(FAKE_PING), 1, "once is enough");
  tn_pool_give(&first);
  close_pool();
}

Test(pool_session, one_that_died_of_its_own_deadline_says_nothing_of_others)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_EXECUTE,
      .nth = 1,
      .category = TN_E_TIMEOUT,
      .connection = TN_CONNECTION_DEAD },
  };
  tn_conn *taken;

  open_many(2);
  SCRIPT_ANSWERS(answers);
  taken = take();
  cr_expect_eq(tn_conn_exec(taken, "x", NULL, &err), TN_E_TIMEOUT);
  tn_pool_give(&taken);
  cr_expect_eq(script.open_connections, 1);
  taken = take();
  cr_expect_eq(calls_of(FAKE_PING), 0);
  tn_pool_give(&taken);
  close_pool();
}

Test(pool_session, a_deadline_that_was_set_is_the_borrowers_alone)
{
  tn_conn *taken;

  open_pool();
  taken = take();
  tn_conn_set_deadline(taken, 1);
  tn_pool_give(&taken);
  taken = take();
  cr_expect_eq(tn_conn_exec(taken, "SELECT 1", NULL, &err), TN_OK, "%s",
               err.message);
  tn_pool_give(&taken);
  close_pool();
}

/* What the borrower left open is closed; what the connection keeps by its text
 * is the next borrower's as well. */
Test(pool_session, kept_statements_outlive_a_loan)
{
  struct tn_cache_stats stats;
  const struct tn_query query = { .sql = "SELECT 2",
                                  .flags = TN_QUERY_BUFFERED };
  tn_result *result = NULL;
  tn_conn *taken;

  open_pool();
  taken = take();
  taken->cache.max_count = 10;
  taken->cache.max_bytes = 1000;
  cr_expect_eq(tn_conn_exec(taken, "SELECT 1", NULL, &err), TN_OK);
  cr_expect_eq(tn_conn_query(taken, &query, &result, &err), TN_OK);
  tn_pool_give(&taken);
  tn_result_close(&result);
  taken = take();
  cr_expect_eq(tn_conn_exec(taken, "SELECT 1", NULL, &err), TN_OK);
  tn_conn_cache_stats(taken, &stats);
  cr_expect_eq(stats.hits, 1);
  cr_expect_eq(stats.kept, 1);
  tn_pool_give(&taken);
  tn_pool_close(&pool);
  fixture_close();
}
