/* A pool of sessions of the scripted plug-in. */
#ifndef TENON_TESTS_POOL_FIXTURE_H
#define TENON_TESTS_POOL_FIXTURE_H

#include "pool_priv.h"

#include "fixture.h"

static struct tn_pool_options pool_options = TN_POOL_OPTIONS_INIT;
static tn_pool *pool;
static atomic_uint connect_calls;
static atomic_uint connect_fails; /* so many calls from now on fail */
static enum tn_code connect_failure = TN_E_CONNECT; /* with this */
static atomic_int connecting_now;
static atomic_int connecting_most;
static long connect_ms;         /* how long each takes */
static bool connect_is_patient; /* whatever the deadline */
static tn_wait_fn pool_wait;    /* of its sessions */
static char log_text[4096];

static inline void
pause_ms(long ms)
{
  const struct timespec pause = { .tv_sec = ms / 1000,
                                  .tv_nsec = ms % 1000 * 1000000 };

  nanosleep(&pause, NULL);
}

static inline void
note_log(uint32_t level, const char *line, void *user)
{
  size_t used = strlen(log_text);

  (void)user;
  snprintf(log_text + used, sizeof log_text - used, "%s: %s\n",
           tn_log_level_name(level), line);
}

static const struct tn_log pool_log = { TN_LOG_DEBUG, 0, note_log, NULL };

/* Is the lock of the pool free? It is to be, whenever others are called. */
static inline void
expect_unlocked(const char *where)
{
  if (pool == NULL)
    return;
  cr_expect_eq(pthread_mutex_trylock(&pool->lock), 0, "locked in %s", where);
  pthread_mutex_unlock(&pool->lock);
}

static inline enum tn_code
pool_connect(void *user, tn_deadline deadline, tn_conn **ret, tn_err *failure)
{
  struct tn_conn_options options = { .deadline = deadline };
  char url[FAKE_URL_SIZE];
  int now = atomic_fetch_add(&connecting_now, 1) + 1;
  int most = atomic_load(&connecting_most);
  unsigned fails = atomic_load(&connect_fails);
  enum tn_code rc;

  (void)user;
  while (now > most &&
         !atomic_compare_exchange_weak(&connecting_most, &most, now))
    ;
  atomic_fetch_add(&connect_calls, 1);
  pause_ms(connect_ms);
  while (fails > 0 &&
         !atomic_compare_exchange_weak(&connect_fails, &fails, fails - 1))
    ;
  options.registry = registry;
  options.wait = pool_wait;
  if (connect_is_patient)
    options.deadline = TN_DEADLINE_NONE;
  fake_url(&script, url);
  rc = fails > 0 ? tn_err_set(failure, connect_failure, "fake: nobody is there")
                 : tn_conn_open(url, &options, ret, failure);
  atomic_fetch_sub(&connecting_now, 1);
  return rc;
}

/* Nothing but what a test sets: no times, one session. */
static inline void
pool_fixture_init(void)
{
  fixture_init();
  pool_options.connect = pool_connect;
  pool_options.log = &pool_log;
  pool_options.size = 1;
  pool_options.ping_after_ms = 0;
  pool_options.retry_min_ms = 0;
  pool_options.retry_max_ms = 0;
}

static inline void
open_pool(void)
{
  if (registry == NULL)
    fixture_registry(NULL);
  cr_assert_eq(tn_pool_open(&pool_options, &pool, &err), TN_OK, "%s",
               err.message);
}

static inline struct tn_pool_stats
stats_of(void)
{
  struct tn_pool_stats stats = { .struct_size = sizeof stats };

  tn_pool_stats(pool, &stats);
  return stats;
}

/* Close it, and see that no session and no slot is left. */
static inline void
close_pool(void)
{
  struct tn_pool_stats stats = stats_of();

  cr_expect_eq(stats.lent, 0, "%u lent", stats.lent);
  cr_expect_eq(stats.connecting, 0, "%u busy", stats.connecting);
  cr_expect_eq(stats.waiting, 0, "%u wait", stats.waiting);
  cr_expect_eq(pool->occupied, stats.idle, "%u slots", pool->occupied);
  cr_expect_eq(atomic_load(&pool->open), stats.idle);
  cr_expect_eq(pool->connecting, 0);
  cr_expect_eq(pool->users, 0, "%u users", pool->users);
  tn_pool_close(&pool);
  cr_expect_eq(pool, NULL);
  fixture_close();
}

/* Take within `ms`. */
static inline enum tn_code
take_within(uint64_t ms, const char *label, tn_conn **ret, tn_err *failure)
{
  const struct tn_loan loan = { .label = label,
                                .deadline = tn_deadline_after_ms(ms) };

  return tn_pool_take(pool, &loan, ret, failure);
}

static inline tn_conn *
take(void)
{
  tn_conn *taken = NULL;

  cr_assert_eq(take_within(10000, "test", &taken, &err), TN_OK, "%s %s",
               err.message, err.detail);
  return taken;
}

static inline unsigned
calls_of(enum fake_slot slot)
{
  return atomic_load(&script.calls[slot]);
}

/* Wait until so many wait. */
static inline void
await_waiting(uint32_t count)
{
  for (int i = 0; i < 5000 && stats_of().waiting != count; i++)
    pause_ms(1);
  cr_assert_eq(stats_of().waiting, count, "%u wait", stats_of().waiting);
}

#endif
