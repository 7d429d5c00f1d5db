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
