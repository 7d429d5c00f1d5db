/* Waiting: in order, woken for any reason, and never for nothing. */
#include <poll.h>

#include "pool_fixture.h"

#include <stdlib.h>

TestSuite(pool_queue, .init = pool_fixture_init, .timeout = 60);

#define WAITERS 20

struct taker {
  pthread_t thread;
  uint64_t ms;
  enum tn_code rc;
  int64_t took;
  int place; /* in which it was served, from 1 */
  tn_err err;
};

static struct taker takers[WAITERS];
static atomic_int places;

static void *
take_and_give(void *arg)
{
  struct taker *taker = arg;
  int64_t start = tn_clock_now();
  tn_conn *taken = NULL;

  taker->rc = take_within(taker->ms, "taker", &taken, &taker->err);
  taker->place = atomic_fetch_add(&places, 1) + 1;
  taker->took = tn_clock_now() - start;
  tn_pool_give(&taken);
  return NULL;
}

static void
start_taker(int i, uint64_t ms)
{
  takers[i].ms = ms;
  cr_assert_eq(
      pthread_create(&takers[i].thread, NULL, take_and_give, &takers[i]), 0);
}

static void *
barge(void *arg)
{
  while (!atomic_load((atomic_bool *)arg)) {
    tn_conn *taken = NULL;

    if (take_within(2, "newcomer", &taken, NULL) == TN_OK) {
      /* Nobody of those who wait may still be there. */
      cr_expect_eq(atomic_load(&places), WAITERS, "overtook %d",
                   WAITERS - atomic_load(&places));
      tn_pool_give(&taken);
    }
  }
  return NULL;
}

Test(pool_queue, serves_strictly_in_the_order_of_joining)
{
  atomic_bool is_over = false;
  pthread_t newcomers[2];
  tn_conn *taken;
  int i;

  open_pool();
  taken = take();
  for (i = 0; i < WAITERS; i++) {
    start_taker(i, 30000);
    await_waiting((uint32_t)i + 1);
  }
  for (i = 0; i < 2; i++)
    cr_assert_eq(pthread_create(&newcomers[i], NULL, barge, &is_over), 0);
  pause_ms(20);
  tn_pool_give(&taken);
  for (i = 0; i < WAITERS; i++) {
    pthread_join(takers[i].thread, NULL);
    cr_expect_eq(takers[i].rc, TN_OK);
    cr_expect_eq(takers[i].place, i + 1, "waiter %d was served as number %d",
                 i + 1, takers[i].place);
  }
  pause_ms(10);
  atomic_store(&is_over, true);
  for (i = 0; i < 2; i++)
    pthread_join(newcomers[i], NULL);
  cr_expect_geq(stats_of().waits, WAITERS);
  close_pool();
}

/* The moment between a give and the hand-over, held still. */
Test(pool_queue, a_newcomer_leaves_what_is_idle_to_who_waits)
{
  struct tn_pool_waiter waiter = { .fd = -1 };
  tn_conn *taken;

  open_pool();
  taken = take();
  tn_pool_give(&taken);
  pthread_mutex_lock(&pool->lock);
  tn_pool__join(pool, &waiter);
  pthread_mutex_unlock(&pool->lock);
  cr_expect_eq(stats_of().idle, 1);
  cr_expect_eq(take_within(20, NULL, &taken, NULL), TN_E_TIMEOUT);
  cr_expect_eq(waiter.grant, GRANT_SESSION);
  taken = waiter.slot->conn;
  tn_pool_give(&taken);
  close_pool();
}

/* Who joins after a giver has looked at the gate, and looks for idle slots
 * before there is one, is seen by the giver's second look. */
Test(pool_queue, a_giver_sees_who_has_joined_meanwhile)
{
  struct tn_pool_waiter waiter = { .fd = -1 };
  struct tn_pool_slot *slot;
  tn_conn *taken;

  open_pool();
  taken = take();
  slot = taken->slot;
  pthread_mutex_lock(&pool->lock);
  tn_pool__join(pool, &waiter);
  pthread_mutex_unlock(&pool->lock);
  tn_pool__make_idle(slot, tn_pool__now());
  cr_expect_eq(waiter.grant, GRANT_SESSION);
  cr_expect_eq(waiter.slot, slot);
  tn_pool_give(&taken);

  /* And that the pool lends nothing any more. */
  taken = take();
  cr_expect_eq(tn_pool_drain(pool, 0, NULL), TN_E_TIMEOUT);
  tn_pool__make_idle(slot, tn_pool__now());
  cr_expect_eq(script.open_connections, 0);
  cr_expect_eq(tn_pool_drain(pool, 0, NULL), TN_OK);
  close_pool();
}

/* ---- what wakes ---- */

static void
by_give(tn_conn **taken)
{
  tn_pool_give(taken);
}

static void
by_discard(tn_conn **taken)
{
  tn_pool_discard(taken);
}

static void
by_close(tn_conn **taken)
{
  tn_conn_close(taken);
}

static void
by_invalidation(tn_conn **taken)
{
  tn_pool_invalidate(pool);
  tn_pool_give(taken);
}

static void
by_failed_reset(tn_conn **taken)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_RESET, .category = TN_E_IO },
  };

  tn_conn__touch(*taken);
  cr_expect_eq(tn_conn_exec(*taken, "x", NULL, NULL), TN_OK);
  SCRIPT_ANSWERS(answers);
  tn_pool_give(taken);
}

static void
by_failed_rollback(tn_conn **taken)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_ROLLBACK, .nth = 1, .category = TN_E_IO },
  };

  cr_expect_eq(tn_conn_begin(*taken, NULL, NULL), TN_OK);
  SCRIPT_ANSWERS(answers);
  tn_pool_give(taken);
  script.txn_state = 0;
}

struct waking {
  const char *name;
  void (*free_slot)(tn_conn **taken);
};

Test(pool_queue, a_waiter_wakes_when_a_slot_frees_for_any_reason)
{
  static const struct waking cases[] = {
    { "give", by_give },
    { "discard", by_discard },
    { "close", by_close },
    { "invalidation", by_invalidation },
    { "failed reset", by_failed_reset },
    { "failed rollback", by_failed_rollback },
  };
  size_t i;

  open_pool();
  for (i = 0; i < TN_COUNT(cases); i++) {
    tn_conn *taken = take();

    start_taker(0, 20000);
    await_waiting(1);
    cases[i].free_slot(&taken);
    pthread_join(takers[0].thread, NULL);
    script.answer_count = 0;
    script.txn_state = 0;
    cr_expect_eq(takers[0].rc, TN_OK, "case %zu: %s", i, cases[i].name);
    cr_expect_lt(takers[0].took, 10 * NS_PER_S, "case %zu: %s", i,
                 cases[i].name);
  }
  close_pool();
}

Test(pool_queue, a_failed_connect_lets_the_next_one_try)
{
  int i;

  open_pool();
  connect_ms = 50;
  connect_fails = 2;
  for (i = 0; i < 4; i++) {
    start_taker(i, 20000);
    pause_ms(5);
  }
  for (i = 0; i < 4; i++) {
    pthread_join(takers[i].thread, NULL);
    cr_expect_lt(takers[i].took, 10 * NS_PER_S);
  }
  cr_expect_eq(connect_calls, 3);
  cr_expect_eq(stats_of().connect_failures, 2);
  cr_expect_eq(connecting_most, 1, "the pool has one slot");
  close_pool();
}

Test(pool_queue, who_waits_while_connecting_fails_is_told_at_once)
{
  int i;

  pool_options.retry_min_ms = 5000;
  pool_options.retry_max_ms = 5000;
  open_pool();
  connect_ms = 50;
  connect_fails = 1;
  for (i = 0; i < 4; i++)
    start_taker(i, 20000);
  for (i = 0; i < 4; i++) {
    pthread_join(takers[i].thread, NULL);
    cr_expect_eq(takers[i].rc, TN_E_CONNECT);
    cr_expect_lt(takers[i].took, 4 * NS_PER_S);
  }
  cr_expect_eq(connect_calls, 1);
  cr_expect_eq(stats_of().refused, 3);
  close_pool();
}

Test(pool_queue, opens_no_more_at_once_than_it_may)
{
  int i;

  pool_options.size = 10;
  pool_options.connect_concurrency = 2;
  open_pool();
  connect_ms = 30;
  for (i = 0; i < 10; i++)
    start_taker(i, 20000);
  for (i = 0; i < 10; i++) {
    pthread_join(takers[i].thread, NULL);
    cr_expect_eq(takers[i].rc, TN_OK, "%s", takers[i].err.message);
  }
  cr_expect_leq(connecting_most, 2, "%d at once", connecting_most);
  close_pool();
}

Test(pool_queue, a_drain_and_a_close_send_those_away_who_wait)
{
  tn_conn *taken;

  open_pool();
  taken = take();
  start_taker(0, 20000);
  await_waiting(1);
  cr_expect_eq(tn_pool_drain(pool, 0, NULL), TN_E_TIMEOUT);
  pthread_join(takers[0].thread, NULL);
  cr_expect_eq(takers[0].rc, TN_E_STATE);
  cr_expect_lt(takers[0].took, 10 * NS_PER_S);
  tn_pool_give(&taken);
  tn_pool_close(&pool);

  open_pool();
  taken = take();
  start_taker(1, 20000);
  await_waiting(1);
  tn_pool_close(&pool);
  pthread_join(takers[1].thread, NULL);
  cr_expect_eq(takers[1].rc, TN_E_STATE);
  tn_pool_give(&taken);
  fixture_close();
}

static void *
give_later(void *arg)
{
  pause_ms(50);
  tn_pool_give(arg);
  return NULL;
}

Test(pool_queue, a_drain_waits_for_what_is_lent)
{
  tn_conn *taken;
  pthread_t thread;
  int64_t start = tn_clock_now();

  open_pool();
  taken = take();
  cr_assert_eq(pthread_create(&thread, NULL, give_later, &taken), 0);
  cr_expect_eq(tn_pool_drain(pool, tn_deadline_after_ms(20000), &err), TN_OK);
  cr_expect_geq(tn_clock_now() - start, 40 * NS_PER_MS);
  cr_expect_lt(tn_clock_now() - start, 10 * NS_PER_S);
  pthread_join(thread, NULL);
  close_pool();
}

/* ---- all at once ---- */

#define ROUNDS 400

static atomic_int failures;

static void *
work(void *arg)
{
  unsigned seed = (unsigned)(uintptr_t)arg;
  int i;

  for (i = 0; i < ROUNDS; i++) {
    tn_conn *taken = NULL;
    bool is_short = rand_r(&seed) % 20 == 0;
    enum tn_code rc = take_within(is_short ? 0 : 20000, "worker", &taken, NULL);

    if (rc == TN_OK && rand_r(&seed) % 10 == 0)
      tn_pool_discard(&taken);
    if (rand_r(&seed) % 20 == 0)
      atomic_store(&connect_fails, 1);
    if (rc != TN_OK && rc != TN_E_CONNECT && rc != TN_E_TIMEOUT)
      atomic_fetch_add(&failures, 1);
    if (script.open_connections > 4)
      atomic_fetch_add(&failures, 1);
    tn_pool_give(&taken);
  }
  return NULL;
}

Test(pool_queue, no_slot_is_lost_whatever_fails_and_the_limit_holds)
{
  pthread_t threads[16];
  tn_conn *taken[4];
  size_t i;

  pool_options.size = 2;
  pool_options.overflow = 2;
  open_pool();
  for (i = 0; i < 16; i++)
    cr_assert_eq(pthread_create(&threads[i], NULL, work, (void *)(i + 1)), 0);
  for (i = 0; i < 16; i++)
    pthread_join(threads[i], NULL);
  cr_expect_eq(failures, 0);
  cr_expect_leq(script.open_connections, 2);
  connect_fails = 0;
  for (i = 0; i < 4; i++)
    taken[i] = take();
  for (i = 0; i < 4; i++)
    tn_pool_give(&taken[i]);
  close_pool();
}

/* ---- a server that is full ---- */

/* A pool of five, whose server will say that it has no room. */
static void
open_unlucky_pool(uint64_t retry_ms)
{
  pool_options.size = 5;
  pool_options.retry_min_ms = retry_ms;
  pool_options.retry_max_ms = retry_ms;
  connect_failure = TN_E_LIMIT;
  open_pool();
}

Test(pool_queue, who_finds_a_full_server_waits_for_what_there_is)
{
  tn_conn *first;

  open_unlucky_pool(60000);
  first = take();
  connect_fails = 100;
  for (int i = 0; i < 3; i++) {
    start_taker(i, 10000);
    await_waiting((uint32_t)i + 1);
  }
  cr_expect_eq(atomic_load(&connect_calls), 2);
  tn_pool_give(&first);
  for (int i = 0; i < 3; i++) {
    pthread_join(takers[i].thread, NULL);
    cr_expect_eq(takers[i].rc, TN_OK, "%s", takers[i].err.message);
    cr_expect_eq(takers[i].place, i + 1);
  }
  cr_expect_eq(stats_of().refused, 0);
  close_pool();
}

Test(pool_queue, a_full_server_is_asked_again)
{
  tn_conn *first;
  tn_conn *second;

  open_unlucky_pool(50);
  first = take();
  connect_fails = 2;
  second = take();
  cr_expect_eq(atomic_load(&connect_calls), 4);
  tn_pool_give(&second);
  tn_pool_give(&first);
  close_pool();
}

Test(pool_queue, a_full_server_is_told_when_time_is_over)
{
  tn_conn *first;
  tn_conn *second = NULL;

  open_unlucky_pool(60000);
  first = take();
  connect_fails = 100;
  cr_expect_eq(take_within(50, "late", &second, &err), TN_E_TIMEOUT);
  cr_expect_not_null(strstr(err.detail, "fake: nobody is there"), "%s",
                     err.detail);
  tn_pool_give(&first);
  close_pool();
}

Test(pool_queue, a_server_that_is_full_of_others_is_told_at_once)
{
  tn_conn *taken = NULL;

  open_unlucky_pool(60000);
  connect_fails = 100;
  cr_expect_eq(take_within(10000, "first", &taken, &err), TN_E_LIMIT);
  cr_expect_eq(take_within(10000, "second", &taken, &err), TN_E_LIMIT);
  cr_expect_eq(atomic_load(&connect_calls), 1);
  close_pool();
}

/* ---- an application that has its own way to wait ---- */

static tn_conn *held; /* by something else that runs in this thread */

static int
run_something_else(int fd, uint32_t events, tn_deadline until, void *user)
{
  struct pollfd polled = { .fd = fd, .events = POLLIN };
  unsigned *turns = user;

  (void)until;
  cr_assert_eq(events, TN_WAIT_READ);
  if (++*turns == 3)
    tn_pool_give(&held);
  return poll(&polled, 1, 0) == 1 ? TN_WAIT_READ : 0;
}

static int
refuse_to_wait(int fd, uint32_t events, tn_deadline until, void *user)
{
  (void)fd;
  (void)events;
  (void)until;
  (void)user;
  return -1;
}

Test(pool_queue, waits_for_a_turn_as_the_application_does)
{
  tn_conn *taken = NULL;
  unsigned turns = 0;

  pool_options.wait = run_something_else;
  pool_options.wait_user = &turns;
  open_pool();
  held = take();
  cr_expect_eq(take_within(10000, NULL, &taken, &err), TN_OK, "%s",
               err.message);
  cr_expect_geq(turns, 3);
  cr_expect_null(held);
  tn_pool_give(&taken);
  close_pool();
}

Test(pool_queue, the_applications_wait_may_end_it)
{
  tn_conn *taken = NULL;

  pool_options.wait = refuse_to_wait;
  open_pool();
  held = take();
  cr_expect_eq(take_within(10000, NULL, &taken, &err), TN_E_CANCELED);
  cr_expect_eq(stats_of().waiting, 0);
  tn_pool_give(&held);
  close_pool();
}
