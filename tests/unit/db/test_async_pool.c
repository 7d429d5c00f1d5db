/* Calls that wait for a connection of a pool: in its queue, like threads, but
 * without one. */
#include "async_fixture.h"

#include <sys/resource.h>

TestSuite(async_pool, .init = async_fixture_init, .timeout = 60);

static enum tn_code
take_ping_give(void *user, tn_err *why)
{
  tn_conn *taken = NULL;
  enum tn_code rc = take_within(*(uint64_t *)user, "call", &taken, why);

  if (rc == TN_OK)
    rc = tn_conn_ping(taken, 0, why);
  tn_pool_give(&taken);
  return rc;
}

/* A call that waits for what another one has on loan. */
static tn_conn *
start_in_queue(uint64_t *ms)
{
  tn_conn *taken;

  open_pool();
  taken = take();
  start(take_ping_give, ms);
  cr_assert(is_waiting());
  cr_assert_eq(stats_of().waiting, 1);
  return taken;
}

Test(async_pool, a_take_waits_in_its_turn_without_the_thread)
{
  uint64_t ms = 20000;
  tn_conn *taken = start_in_queue(&ms);
  int fd = tn_async_fd(async);

  cr_assert_geq(fd, 0);
  cr_expect_eq(tn_async_events(async), TN_WAIT_READ);
  cr_expect_gt(tn_async_until(async), tn_clock_now() + 10000 * NS_PER_MS);
  cr_expect_eq(tn_host_poll(fd, -1, TN_WAIT_READ, 1), 0);
  go_on(0);
  cr_assert(is_waiting());
  tn_pool_give(&taken);
  cr_expect_eq(stats_of().waiting, 0);
  cr_expect_eq(stats_of().lent, 1);
  cr_expect_eq(drive(), 1);
  cr_expect_eq(fcntl(fd, F_GETFD), -1, "the descriptor is still there");
  cr_expect_eq(tn_async_result(async, &err), TN_OK, "%s", err.message);
  close_all();
}

Test(async_pool, a_take_that_waits_for_too_long_says_so)
{
  uint64_t ms = 30;
  tn_conn *taken = start_in_queue(&ms);

  drive();
  cr_expect_eq(tn_async_result(async, &err), TN_E_TIMEOUT);
  tn_pool_give(&taken);
  close_all();
}

Test(async_pool, a_take_that_waits_can_be_canceled)
{
  uint64_t ms = 20000;
  tn_conn *taken = start_in_queue(&ms);

  tn_async_cancel(async);
  go_on(0);
  cr_expect_eq(tn_async_result(async, &err), TN_E_CANCELED);
  cr_expect_str_eq(err.message, "pool: canceled");
  cr_expect_eq(stats_of().waiting, 0);
  tn_pool_give(&taken);
  close_all();
}

Test(async_pool, a_take_that_waits_is_closed_without_a_loan)
{
  uint64_t ms = 20000;
  tn_conn *taken = start_in_queue(&ms);

  tn_async_close(&async);
  cr_expect_eq(stats_of().waiting, 0);
  tn_pool_give(&taken);
  cr_expect_eq(stats_of().idle, 1);
  close_all();
}

Test(async_pool, a_take_without_a_descriptor_looks_now_and_then)
{
  uint64_t ms = 20000;
  struct rlimit before;
  struct rlimit none;
  tn_conn *taken;

  open_pool();
  taken = take();
  getrlimit(RLIMIT_NOFILE, &before);
  none = before;
  none.rlim_cur = 0;
  setrlimit(RLIMIT_NOFILE, &none);
  start(take_ping_give, &ms);
  setrlimit(RLIMIT_NOFILE, &before);
  cr_assert(is_waiting());
  cr_expect_eq(tn_async_fd(async), -1);
  cr_expect_leq(tn_async_until(async), tn_clock_now() + 10 * NS_PER_MS);
  tn_pool_give(&taken);
  cr_expect_eq(drive(), 1);
  cr_expect_eq(tn_async_result(async, &err), TN_OK, "%s", err.message);
  close_all();
}

Test(async_pool, a_pool_that_is_drained_wakes_those_who_wait)
{
  uint64_t ms = 20000;
  tn_conn *taken = start_in_queue(&ms);

  cr_expect_eq(tn_pool_drain(pool, 0, &err), TN_E_TIMEOUT);
  cr_expect_eq(drive(), 1);
  cr_expect_eq(tn_async_result(async, &err), TN_E_STATE);
  tn_pool_give(&taken);
  close_all();
}

#define TAKERS 60

Test(async_pool, more_calls_than_sessions_take_turns_in_one_thread)
{
  static const struct fake_answer slow[] = {
    { .slot = FAKE_CONNECT, .wait_ms = 3 },
    { .slot = FAKE_PING, .wait_ms = 2 },
  };
  static tn_async *calls[TAKERS];
  uint64_t ms = 20000;
  int waiting = TAKERS;

  SCRIPT_ANSWERS(slow);
  pool_options.size = 4;
  pool_options.connect_concurrency = 2;
  open_pool();
  for (int i = 0; i < TAKERS; i++)
    cr_assert_eq(tn_async_start(take_ping_give, &ms, NULL, &calls[i], &err),
                 TN_OK);
  cr_expect_eq(stats_of().waiting, TAKERS - 2);
  while (waiting > 0)
    for (int i = 0; i < TAKERS; i++) {
      int ready;

      if (tn_async_state(calls[i]) != TN_ASYNC_WAITING)
        continue;
      ready =
          tn_host_poll(tn_async_fd(calls[i]), -1, tn_async_events(calls[i]), 1);
      if (ready == 0 && tn_async_until(calls[i]) > tn_clock_now())
        continue;
      cr_assert_eq(tn_async_continue(calls[i], (uint32_t)ready, &err), TN_OK);
      waiting -= tn_async_state(calls[i]) == TN_ASYNC_ENDED;
    }
  for (int i = 0; i < TAKERS; i++) {
    cr_expect_eq(tn_async_result(calls[i], &err), TN_OK, "call %d: %s", i,
                 err.message);
    tn_async_close(&calls[i]);
  }
  cr_expect_leq(script.calls[FAKE_CONNECT], 4);
  cr_expect_eq(script.calls[FAKE_PING], TAKERS);
  cr_expect_eq(stats_of().timeouts, 0);
  close_all();
}
