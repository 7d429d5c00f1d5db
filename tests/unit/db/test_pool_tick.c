/* What falls due: old and unused sessions, those to be ready, leaks. */
#include "pool_fixture.h"

TestSuite(pool_tick, .init = pool_fixture_init, .timeout = 60);

static void
lend_all(int count)
{
  tn_conn *taken[8];
  int i;

  for (i = 0; i < count; i++)
    taken[i] = take();
  for (i = 0; i < count; i++)
    tn_pool_give(&taken[i]);
}

Test(pool_tick, closes_what_is_unused_for_too_long_but_for_the_ready_ones)
{
  pool_options.size = 4;
  pool_options.min_idle = 1;
  pool_options.idle_ms = 60;
  open_pool();
  lend_all(4);
  tn_pool_tick(pool);
  cr_expect_eq(stats_of().idle, 4);
  pause_ms(90);
  tn_pool_tick(pool);
  cr_expect_eq(stats_of().idle, 1);
  cr_expect_eq(stats_of().idled, 3);
  cr_expect_eq(script.open_connections, 1);
  close_pool();
}

Test(pool_tick, keeps_some_ready_and_replaces_the_old_and_the_invalid)
{
  pool_options.size = 4;
  pool_options.min_idle = 3;
  pool_options.lifetime_ms = 200;
  open_pool();
  tn_pool_tick(pool);
  cr_expect_eq(stats_of().idle, 3);
  cr_expect_eq(connect_calls, 3);
  tn_pool_tick(pool);
  cr_expect_eq(connect_calls, 3);
  tn_pool_invalidate(pool);
  tn_pool_tick(pool);
  cr_expect_eq(connect_calls, 6);
  cr_expect_eq(stats_of().idle, 3);
  pause_ms(230);
  tn_pool_tick(pool);
  cr_expect_eq(connect_calls, 9);
  cr_expect_eq(stats_of().recycled, 3);
  cr_expect_eq(script.open_connections, 3);
  close_pool();
}

Test(pool_tick, opens_nothing_while_the_server_is_known_to_be_gone)
{
  pool_options.size = 4;
  pool_options.min_idle = 3;
  pool_options.retry_min_ms = 5000;
  pool_options.retry_max_ms = 5000;
  open_pool();
  connect_fails = 100;
  tn_pool_tick(pool);
  tn_pool_tick(pool);
  cr_expect_eq(connect_calls, 1);
  close_pool();
}

Test(pool_tick, tells_of_a_loan_that_lasts_too_long_once_and_with_its_label)
{
  tn_conn *taken = NULL;

  pool_options.leak_ms = 50;
  open_pool();
  cr_assert_eq(take_within(1000, "forgetful", &taken, &err), TN_OK);
  tn_pool_tick(pool);
  cr_expect_eq(stats_of().leaks, 0);
  pause_ms(80);
  tn_pool_tick(pool);
  tn_pool_tick(pool);
  cr_expect_eq(stats_of().leaks, 1);
  cr_expect_neq(strstr(log_text, "warning: pool: lent to \"forgetful\""), NULL,
                "%s", log_text);
  cr_expect_eq(strstr(strstr(log_text, "lent to") + 1, "lent to"), NULL);
  tn_pool_give(&taken);
  cr_assert_eq(take_within(1000, "again", &taken, &err), TN_OK);
  pause_ms(80);
  tn_pool_tick(pool);
  cr_expect_eq(stats_of().leaks, 2, "another loan is another leak");
  tn_pool_give(&taken);
  close_pool();
}

/* ---- takes that have no time to connect ---- */

static atomic_bool is_enough;

static void *
take_for_too_short(void *arg)
{
  atomic_uint *granted = arg;

  while (!atomic_load(&is_enough)) {
    tn_conn *taken = NULL;

    if (take_within(5, "hasty", &taken, NULL) != TN_OK)
      continue;
    atomic_fetch_add(granted, 1);
    pause_ms(1);
    tn_pool_give(&taken);
  }
  return NULL;
}

/* A server that takes its time, whatever its client has. */
static struct fake_answer slow_login[] = {
  { .slot = FAKE_CONNECT, .wait_ms = 30 },
};

static void
starve(int threads)
{
  pthread_t thread[8];
  atomic_uint granted = 0;

  atomic_store(&is_enough, false);
  for (int i = 0; i < threads; i++)
    cr_assert_eq(pthread_create(&thread[i], NULL, take_for_too_short, &granted),
                 0);
  for (int i = 0; i < 200 && atomic_load(&granted) < 100; i++) {
    pause_ms(5);
    tn_pool_tick(pool);
  }
  atomic_store(&is_enough, true);
  for (int i = 0; i < threads; i++)
    pthread_join(thread[i], NULL);
  cr_expect_geq(granted, 100, "%u of %d threads were served",
                atomic_load(&granted), threads);
}

Test(pool_tick, connects_for_those_who_have_no_time_to)
{
  tn_conn *taken = NULL;

  SCRIPT_ANSWERS(slow_login);
  pool_options.size = 2;
  pool_options.overflow = 2;
  open_pool();
  cr_expect_eq(take_within(5, NULL, &taken, &err), TN_E_TIMEOUT);
  cr_expect_eq(stats_of().idle, 0);
  tn_pool_tick(pool);
  cr_expect_eq(stats_of().idle, 1);
  cr_expect_eq(take_within(5, NULL, &taken, &err), TN_OK, "%s", err.message);

  /* Once for what there was, and not for what is only lent. */
  tn_pool_tick(pool);
  cr_expect_eq(stats_of().connects, 1);
  tn_pool_give(&taken);
  close_pool();
}

Test(pool_tick, tries_once_for_each_time_that_somebody_had_none)
{
  static const struct fake_answer silence[] = {
    { .slot = FAKE_CONNECT, .wait_ms = 60000 },
  };
  tn_conn *taken = NULL;

  SCRIPT_ANSWERS(silence);
  pool_options.wait_ms = 50;
  open_pool();
  cr_expect_eq(take_within(5, NULL, &taken, &err), TN_E_TIMEOUT);
  cr_expect_eq(connect_calls, 1);
  tn_pool_tick(pool);
  cr_expect_eq(connect_calls, 2, "as long as a take has");
  tn_pool_tick(pool);
  cr_expect_eq(connect_calls, 2, "nobody asked again");
  close_pool();
}

Test(pool_tick, connects_for_a_crowd_that_leaves_no_slot)
{
  static const struct {
    uint32_t size;
    uint32_t at_once;
  } cases[] = { { 1, 8 }, { 2, 8 }, { 5, 1 } };

  SCRIPT_ANSWERS(slow_login);
  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    pool_options.size = cases[i].size;
    pool_options.connect_concurrency = cases[i].at_once;
    open_pool();
    starve(8);
    cr_expect_leq(stats_of().idle, cases[i].size);
    cr_expect_eq(pool->occupied, stats_of().idle, "case %zu", i);
    cr_expect_eq(pool->connecting, 0);
    tn_pool_close(&pool);
  }
  fixture_close();
}

Test(pool_tick, comes_back_after_the_server_has)
{
  tn_conn *taken;

  open_pool();
  taken = take();
  tn_pool_give(&taken);
  tn_pool_invalidate(pool);
  SCRIPT_ANSWERS(slow_login);
  starve(2);
  close_pool();
}

Test(pool_tick, the_pools_own_thread_does_it_and_ends_with_it)
{
  tn_conn *taken;
  int i;

  pool_options.size = 2;
  pool_options.min_idle = 1;
  pool_options.tick_ms = 10;
  pool_options.ping_after_ms = 100;
  open_pool();
  for (i = 0; i < 2000 && stats_of().idle != 1; i++)
    pause_ms(1);
  cr_expect_eq(stats_of().idle, 1);
  pause_ms(150);
  taken = take();
  cr_expect_eq(calls_of(FAKE_PING), 1, "its clock goes on");
  tn_pool_give(&taken);
  tn_pool_close(&pool);
  fixture_close();
}
