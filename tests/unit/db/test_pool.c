/* Lending and giving back, without waiting. */
#include "pool_fixture.h"

#include <stddef.h>

TestSuite(pool, .init = pool_fixture_init, .timeout = 60);

Test(pool, lends_the_same_connection_again)
{
  tn_conn *first;
  tn_conn *second;

  open_pool();
  cr_expect_eq(connect_calls, 0, "it opens none before one is wanted");
  first = take();
  second = first;
  tn_pool_give(&first);
  cr_expect_eq(first, NULL);
  first = take();
  cr_expect_eq(first, second);
  cr_expect_eq(connect_calls, 1);
  cr_expect_eq(calls_of(FAKE_PING), 0);
  cr_expect_eq(stats_of().takes, 2);
  cr_expect_eq(stats_of().lent, 1);
  tn_pool_give(&first);
  close_pool();
}

static void *
take_in_thread(void *arg)
{
  tn_conn *taken = take();

  *(tn_conn **)arg = taken;
  tn_pool_give(&taken);
  return NULL;
}

Test(pool, uses_the_first_slots_so_that_others_grow_old)
{
  tn_conn *taken[3];
  tn_conn *first;
  tn_conn *found = NULL;
  pthread_t thread;
  int i;

  pool_options.size = 3;
  open_pool();
  for (i = 0; i < 3; i++)
    taken[i] = take();
  first = taken[0];
  for (i = 2; i >= 0; i--)
    tn_pool_give(&taken[i]);

  /* A thread that has had none before: this one gets its last one again. */
  cr_assert_eq(pthread_create(&thread, NULL, take_in_thread, &found), 0);
  pthread_join(thread, NULL);
  cr_expect_eq(found, first);
  close_pool();
}

Test(pool, never_has_more_than_size_and_overflow_and_keeps_size)
{
  tn_conn *taken[5];
  tn_conn *sixth = UNTOUCHED(tn_conn);
  int i;

  pool_options.size = 2;
  pool_options.overflow = 3;
  open_pool();
  for (i = 0; i < 5; i++)
    taken[i] = take();
  cr_expect_eq(take_within(20, NULL, &sixth, &err), TN_E_TIMEOUT);
  cr_expect_eq(sixth, UNTOUCHED(tn_conn));
  cr_expect_eq(script.open_connections, 5);
  for (i = 0; i < 5; i++)
    tn_pool_give(&taken[i]);
  cr_expect_eq(script.open_connections, 2);
  cr_expect_eq(stats_of().idle, 2);
  close_pool();
}

Test(pool, keeps_what_is_given_back_until_size_others_are_idle)
{
  tn_conn *taken[4];
  int i;

  pool_options.size = 2;
  pool_options.overflow = 2;
  open_pool();
  for (i = 0; i < 4; i++)
    taken[i] = take();

  /* More are open than are kept, but nobody has to connect again. */
  for (i = 0; i < 20; i++) {
    tn_pool_give(&taken[i % 4]);
    taken[i % 4] = take();
  }
  cr_expect_eq(connect_calls, 4, "%u", connect_calls);
  cr_expect_eq(stats_of().closes, 0);
  tn_pool_give(&taken[0]);
  tn_pool_give(&taken[1]);
  cr_expect_eq(stats_of().idle, 2);
  cr_expect_eq(stats_of().closes, 0);
  tn_pool_give(&taken[2]);
  cr_expect_eq(stats_of().closes, 1);
  cr_expect_eq(stats_of().idle, 2);
  taken[2] = take();
  tn_pool_give(&taken[3]);
  cr_expect_eq(stats_of().closes, 1);
  cr_expect_eq(stats_of().idle, 2);
  tn_pool_give(&taken[2]);
  cr_expect_eq(stats_of().closes, 2);
  close_pool();
}

Test(pool, grows_without_a_limit_if_it_has_none)
{
  static tn_conn *taken[100];
  int i;

  pool_options.size = 0;
  open_pool();
  for (i = 0; i < 100; i++)
    taken[i] = take();
  for (i = 0; i < 100; i++)
    tn_pool_give(&taken[i]);
  cr_expect_eq(stats_of().idle, 100);
  close_pool();
}

Test(pool, null_kind_opens_at_take_and_closes_at_give)
{
  tn_conn *taken;
  unsigned i;

  pool_options.kind = TN_POOL_NULL;
  open_pool();
  for (i = 1; i <= 3; i++) {
    taken = take();
    cr_expect_eq(connect_calls, i);
    tn_pool_give(&taken);
    cr_expect_eq(script.open_connections, 0);
  }
  close_pool();
}

Test(pool, static_kind_has_one_and_never_replaces_it_for_its_age)
{
  tn_conn *taken;
  tn_conn *other = NULL;

  pool_options.kind = TN_POOL_STATIC;
  pool_options.size = 5;
  pool_options.idle_ms = 1;
  pool_options.lifetime_ms = 1;
  pool_options.recycle_ms = 1;
  open_pool();
  taken = take();
  cr_expect_eq(take_within(10, NULL, &other, NULL), TN_E_TIMEOUT);
  tn_pool_give(&taken);
  pause_ms(20);
  tn_pool_tick(pool);
  taken = take();
  cr_expect_eq(connect_calls, 1);
  tn_pool_give(&taken);
  close_pool();
}

struct bad_option {
  const char *name;
  size_t offset;
  size_t size;
  uint64_t value;
};

#define BAD(field, value)                                                      \
  {                                                                            \
#field, offsetof(struct tn_pool_options, field),                           \
        sizeof pool_options.field, value                                       \
  }

Test(pool, refuses_each_bad_option_by_its_name)
{
  static const struct bad_option rows[] = {
    BAD(struct_size, 0),
    BAD(struct_size, 8),
    BAD(connect, 0),
    BAD(kind, 0),
    BAD(kind, 4),
    BAD(reset, 0),
    BAD(reset, 4),
    BAD(overflow, (uint32_t)-2),
    BAD(size, UINT32_MAX),
    BAD(min_idle, 2),
    BAD(wait_ms, UINT64_MAX),
    BAD(give_ms, 0),
    BAD(idle_ms, UINT64_MAX),
    BAD(lifetime_ms, UINT64_MAX),
    BAD(recycle_ms, UINT64_MAX),
    BAD(ping_after_ms, UINT64_MAX),
    BAD(leak_ms, UINT64_MAX),
    BAD(retry_min_ms, 1),
    BAD(retry_max_ms, UINT64_MAX),
    BAD(tick_ms, UINT64_MAX),
  };
  size_t i;

  for (i = 0; i < TN_COUNT(rows); i++) {
    struct tn_pool_options options = pool_options;
    tn_pool *none = UNTOUCHED(tn_pool);
    char wanted[64];

    memcpy((char *)&options + rows[i].offset, &rows[i].value, rows[i].size);
    snprintf(wanted, sizeof wanted, "option %s:", rows[i].name);
    cr_expect_eq(tn_pool_open(&options, &none, &err), TN_E_USAGE,
                 "case %zu: %s", i, rows[i].name);
    cr_expect_neq(strstr(err.message, wanted), NULL, "case %zu: \"%s\"", i,
                  err.message);
    cr_expect_eq(none, UNTOUCHED(tn_pool));
  }
  cr_expect_eq(tn_pool_open(NULL, &pool, &err), TN_E_USAGE);
}

Test(pool, lends_nothing_after_the_deadline)
{
  tn_conn *taken;
  tn_conn *late = UNTOUCHED(tn_conn);
  const struct tn_loan loan = { .deadline = 1 };

  open_pool();
  taken = take();
  tn_pool_give(&taken);
  cr_expect_eq(tn_pool_take(pool, &loan, &late, &err), TN_E_TIMEOUT);
  cr_expect_eq(late, UNTOUCHED(tn_conn));
  cr_expect_eq(stats_of().idle, 1);

  /* Nor a connection that came too late, which stays for others. */
  tn_pool_invalidate(pool);
  connect_ms = 60;
  connect_is_patient = true;
  cr_expect_eq(take_within(30, NULL, &late, &err), TN_E_TIMEOUT);
  cr_expect_eq(late, UNTOUCHED(tn_conn));
  cr_expect_eq(stats_of().idle, 1);

  /* Nor one that did not come. */
  tn_pool_invalidate(pool);
  connect_is_patient = false;
  cr_expect_eq(take_within(30, NULL, &late, &err), TN_E_TIMEOUT);
  cr_expect_eq(stats_of().idle, 0);
  cr_expect_eq(stats_of().timeouts, 3);
  close_pool();
}

Test(pool, waits_for_nobody_where_it_is_told_so_but_connects)
{
  int64_t start = tn_clock_now();
  tn_conn *first = NULL;
  tn_conn *second = NULL;

  pool_options.wait_ms = 0;
  connect_ms = 50;
  open_pool();
  cr_expect_eq(tn_pool_take(pool, NULL, &first, &err), TN_OK, "%s",
               err.message);
  cr_expect_eq(tn_pool_take(pool, NULL, &second, &err), TN_E_TIMEOUT);
  cr_expect_lt(tn_clock_now() - start, 20 * NS_PER_S);
  cr_expect_eq(stats_of().timeouts, 1);
  cr_expect_eq(stats_of().waits, 0);
  tn_pool_give(&first);
  cr_expect_eq(tn_pool_take(pool, NULL, &second, &err), TN_OK, "%s",
               err.message);
  tn_pool_give(&second);
  close_pool();
}

Test(pool, timeout_tells_counts_the_longest_holder_and_the_last_failure)
{
  tn_conn *taken = NULL;
  tn_conn *other = NULL;

  open_pool();
  connect_fails = 1;
  cr_expect_eq(take_within(1000, "first", &taken, &err), TN_E_CONNECT);
  cr_expect_eq(take_within(1000, "report", &taken, &err), TN_OK);
  cr_expect_eq(take_within(120, "second", &other, &err), TN_E_TIMEOUT);
  cr_expect_neq(strstr(err.message, "1 of 1 lent"), NULL, "%s", err.message);
  cr_expect_neq(strstr(err.message, "\"report\""), NULL, "%s", err.message);
  cr_expect_neq(strstr(err.message, " for 0."), NULL, "%s", err.message);
  cr_expect_neq(strstr(err.message, "0 idle"), NULL, "%s", err.message);
  cr_expect_neq(strstr(err.detail, "s ago: fake: nobody is there"), NULL, "%s",
                err.detail);
  cr_expect_eq(err.replay, TN_REPLAY_SAFE);
  cr_expect_eq(strchr(err.message, '\n'), NULL);
  cr_expect_eq(stats_of().timeouts, 1);
  tn_pool_give(&taken);
  close_pool();
}

/* Whoever comes too late is told of those who have one, not of who had one. */
Test(pool, timeout_with_one_idle_names_no_holder)
{
  tn_conn *taken = NULL;

  open_pool();
  cr_expect_eq(take_within(1000, "earlier", &taken, &err), TN_OK);
  tn_pool_give(&taken);
  cr_expect_eq(take_within(0, "late", &taken, &err), TN_E_TIMEOUT);
  cr_expect_neq(strstr(err.message, "0 of 1 lent"), NULL, "%s", err.message);
  cr_expect_neq(strstr(err.message, "1 idle"), NULL, "%s", err.message);
  cr_expect_eq(strstr(err.message, "earlier"), NULL, "%s", err.message);
  close_pool();
}

Test(pool, timeout_in_connecting_tells_the_same)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_CONNECT, .nth = 2, .wait_ms = 2000 },
  };
  tn_conn *taken = NULL;
  tn_conn *other = NULL;
  int i;

  pool_options.size = 2;
  pool_options.retry_min_ms = 60000;
  pool_options.retry_max_ms = 60000;
  SCRIPT_ANSWERS(answers);
  open_pool();
  cr_expect_eq(take_within(1000, "report", &taken, &err), TN_OK);

  /* The second time it is known, since it took so long, and not tried. */
  for (i = 0; i < 2; i++) {
    cr_expect_eq(take_within(1100, "second", &other, &err), TN_E_TIMEOUT);
    cr_expect_neq(strstr(err.message, "1 of 2 lent, the longest to \"report\""),
                  NULL, "%d: %s", i, err.message);
    cr_expect_neq(strstr(err.message, "0 idle"), NULL, "%s", err.message);
    cr_expect_neq(strstr(err.detail, "last connect error, 0.0 s ago: "), NULL,
                  "%d: %s", i, err.detail);
    cr_expect_eq(err.replay, TN_REPLAY_SAFE);
  }
  cr_expect_eq(stats_of().timeouts, 2);
  cr_expect_eq(stats_of().refused, 1);
  cr_expect_eq(stats_of().connect_failures, 1);
  tn_pool_give(&taken);
  close_pool();
}

Test(pool, a_failed_connect_fails_the_next_ones_at_once_for_a_growing_while)
{
  tn_conn *taken = NULL;

  pool_options.retry_min_ms = 1000;
  pool_options.retry_max_ms = 3000;
  open_pool();
  connect_fails = 3;
  cr_expect_eq(take_within(1000, NULL, &taken, &err), TN_E_CONNECT);
  cr_expect_eq(take_within(1000, NULL, &taken, &err), TN_E_CONNECT);
  cr_expect_eq(connect_calls, 1, "the second one was not tried");
  cr_expect_str_eq(err.message, "fake: nobody is there");
  cr_expect_neq(strstr(err.detail, "this was 0."), NULL, "%s", err.detail);
  cr_expect_eq(stats_of().refused, 1);

  pause_ms(1100);
  cr_expect_eq(take_within(1000, NULL, &taken, &err), TN_E_CONNECT);
  cr_expect_eq(connect_calls, 2, "tried again after a second");
  pause_ms(1100);
  cr_expect_eq(take_within(1000, NULL, &taken, &err), TN_E_CONNECT);
  cr_expect_eq(connect_calls, 2, "not tried for twice the time");
  pause_ms(1100);
  cr_expect_eq(take_within(1000, NULL, &taken, &err), TN_E_CONNECT);
  cr_expect_eq(connect_calls, 3);
  pause_ms(3100);
  taken = take();
  cr_expect_eq(connect_calls, 4, "the time grows no further than its limit");
  tn_pool_discard(&taken);

  connect_fails = 1;
  cr_expect_eq(take_within(1000, NULL, &taken, &err), TN_E_CONNECT);
  pause_ms(1100);
  taken = take();
  tn_pool_give(&taken);
  close_pool();
}

Test(pool, a_takers_own_short_time_says_nothing_of_the_server)
{
  tn_conn *taken = NULL;
  static const struct fake_answer answers[] = {
    { .slot = FAKE_CONNECT, .nth = 1, .wait_ms = 500 },
  };

  pool_options.retry_min_ms = 1000;
  pool_options.retry_max_ms = 1000;
  open_pool();
  SCRIPT_ANSWERS(answers);
  cr_expect_eq(take_within(20, NULL, &taken, &err), TN_E_TIMEOUT);
  taken = take();
  tn_pool_give(&taken);
  close_pool();
}

/* ---- misuse ---- */

Test(pool, releases_are_no_ops_for_null)
{
  tn_conn *none = NULL;
  tn_pool *no_pool = NULL;

  tn_pool_give(NULL);
  tn_pool_give(&none);
  tn_pool_discard(NULL);
  tn_pool_discard(&none);
  tn_pool_close(NULL);
  tn_pool_close(&no_pool);
}

Test(pool, a_second_give_is_logged_and_does_nothing)
{
  tn_conn *taken;
  tn_conn *again;

  open_pool();
  taken = take();
  again = taken;
  tn_pool_give(&taken);
  tn_pool_give(&again);
  cr_expect_eq(again, NULL);
  cr_expect_neq(strstr(log_text, "not lent"), NULL, "%s", log_text);
  cr_expect_eq(stats_of().idle, 1);
  close_pool();
}

Test(pool, a_connection_of_no_pool_is_closed)
{
  tn_conn *taken;

  open_pool();
  fixture_open();
  tn_pool_give(&conn);
  cr_expect_eq(conn, NULL);
  cr_expect_eq(script.open_connections, 0);
  fixture_open();
  tn_pool_discard(&conn);
  cr_expect_eq(script.open_connections, 0);

  /* Closing one that is lent loses no slot. */
  taken = take();
  tn_conn_close(&taken);
  cr_expect_eq(taken, NULL);
  cr_expect_eq(script.open_connections, 0);
  taken = take();
  tn_pool_give(&taken);
  close_pool();
}

Test(pool, what_is_lent_is_closed_when_it_comes_back_after_close)
{
  tn_conn *first;
  tn_conn *second;
  tn_conn *third;

  oom_fail_nth(0, false);
  pool_options.size = 3;
  open_pool();
  first = take();
  second = take();
  third = take();
  tn_pool_give(&third);
  tn_pool_close(&pool);
  cr_expect_eq(script.open_connections, 2);
  tn_pool_give(&first);
  cr_expect_eq(script.open_connections, 1);
  cr_expect_eq(tn_conn_exec(second, "still", NULL, &err), TN_OK, "%s",
               err.message);
  tn_pool_discard(&second);
  fixture_close();
  cr_expect_eq(oom_live(), 0, "%ld blocks left", oom_live());
  oom_reset();
}

Test(pool, lends_nothing_after_a_drain_and_tells_who_holds_what)
{
  tn_conn *taken = NULL;
  tn_conn *other = NULL;

  pool_options.size = 2;
  open_pool();
  cr_expect_eq(take_within(1000, "holder", &taken, &err), TN_OK);
  cr_expect_eq(tn_pool_drain(pool, 0, &err), TN_E_TIMEOUT);
  cr_expect_neq(strstr(err.message, "1 lent"), NULL, "%s", err.message);
  cr_expect_neq(strstr(err.detail, "\"holder\""), NULL, "%s", err.detail);
  cr_expect_eq(take_within(1000, NULL, &other, &err), TN_E_STATE);
  tn_pool_give(&taken);
  cr_expect_eq(tn_pool_drain(pool, tn_deadline_after_ms(1000), &err), TN_OK);
  cr_expect_eq(take_within(1000, NULL, &other, &err), TN_E_STATE);
  close_pool();
}

/* ---- events and numbers ---- */

static char events[256];
static unsigned unlocked_calls;

static void
note_event(void *user, enum tn_pool_event event, tn_conn *of, const tn_err *why)
{
  static const char letters[] = "?CTGRIX";
  size_t used = strlen(events);

  (void)user;
  (void)of;
  expect_unlocked("a hook");
  snprintf(events + used, sizeof events - used, "%c%s", letters[event],
           why != NULL ? "!" : "");
}

static int32_t
ping_unlocked(void *handle, struct tn_call *call)
{
  (void)handle;
  (void)call;
  expect_unlocked("a ping");
  unlocked_calls++;
  return TN_OK;
}

static void
disconnect_unlocked(void *handle, struct tn_call *call)
{
  const struct tn_connection_table *own =
      fake_plugin_entry(NULL)->get_table(TN_TABLE_CONNECTION);

  expect_unlocked("a disconnect");
  unlocked_calls++;
  own->disconnect(handle, call);
}

static int32_t
reset_unlocked(void *handle, struct tn_call *call)
{
  (void)handle;
  (void)call;
  expect_unlocked("a reset");
  unlocked_calls++;
  return TN_OK;
}

static enum tn_code
connect_unlocked(void *user, tn_deadline deadline, tn_conn **ret,
                 tn_err *failure)
{
  expect_unlocked("a connect");
  unlocked_calls++;
  return pool_connect(user, deadline, ret, failure);
}

Test(pool, calls_hooks_and_plugins_in_order_and_without_its_lock)
{
  static struct tn_connection_table connection;
  static struct tn_session_table session;
  tn_conn *taken = NULL;

  memcpy(&connection, fixture_table(TN_TABLE_CONNECTION), sizeof connection);
  memcpy(&session, fixture_table(TN_TABLE_SESSION), sizeof session);
  connection.ping = ping_unlocked;
  connection.disconnect = disconnect_unlocked;
  session.reset = reset_unlocked;
  tables[TN_TABLE_CONNECTION] = &connection;
  tables[TN_TABLE_SESSION] = &session;
  pool_options.connect = connect_unlocked;
  pool_options.ping_after_ms = 1;
  open_pool();
  tn_pool__set_hook(pool, note_event, NULL);
  connect_fails = 1;
  cr_expect_eq(take_within(1000, NULL, &taken, &err), TN_E_CONNECT);
  taken = take();
  tn_conn__touch(taken);
  cr_expect_eq(tn_conn_exec(taken, "x", NULL, &err), TN_OK);
  tn_pool_give(&taken);
  pause_ms(20);
  taken = take();
  tn_pool_invalidate(pool);
  tn_pool_give(&taken);
  cr_expect_str_eq(events, "C!CTRGTIGX");
  cr_expect_eq(unlocked_calls, 5);
  close_pool();
}

Test(pool, fills_in_as_much_of_the_numbers_as_is_asked_for)
{
  struct tn_pool_stats stats;
  tn_conn *taken;

  open_pool();
  taken = take();
  memset(&stats, 0x5A, sizeof stats);
  stats.struct_size = offsetof(struct tn_pool_stats, connecting);
  tn_pool_stats(pool, &stats);
  cr_expect_eq(stats.lent, 1);
  cr_expect_eq(stats.connecting, 0x5A5A5A5A);
  cr_expect_eq(stats.leaks, 0x5A5A5A5A5A5A5A5A);
  tn_pool_give(&taken);
  close_pool();
}

Test(pool, out_of_memory_is_an_error_and_loses_nothing)
{
  enum tn_code rc;
  long live;
  long nth;

  pool_options.size = 0;
  fixture_registry(NULL);
  oom_fail_nth(0, false);
  live = oom_live();
  for (nth = 1;; nth++) {
    static tn_conn *taken[40];
    int i;

    oom_fail_nth(nth, false);
    pool = NULL;
    rc = tn_pool_open(&pool_options, &pool, &err);
    for (i = 0; i < 40 && rc == TN_OK; i++)
      rc = take_within(1000, NULL, &taken[i], &err);
    if (pool != NULL)
      tn_pool_tick(pool);
    for (i = 0; i < 40; i++)
      tn_pool_give(&taken[i]);
    if (pool != NULL) {
      cr_expect_eq(pool->occupied, stats_of().idle, "allocation %ld", nth);
      cr_expect_eq(stats_of().lent, 0, "allocation %ld", nth);
    }
    tn_pool_close(&pool);
    cr_assert_eq(oom_live(), live, "allocation %ld: %ld left", nth,
                 oom_live() - live);
    cr_assert(rc == TN_OK || rc == TN_E_MEMORY, "allocation %ld: %s", nth,
              err.message);
    if (oom_count() < nth)
      break;
    cr_assert_eq(rc, TN_E_MEMORY, "allocation %ld went unnoticed", nth);
  }
  cr_expect_gt(nth, 40);
  oom_fail_nth(0, false);
  fixture_close();
  oom_reset();
}
