/* What a pool tells of itself: numbers, leaks, and why a take was in vain. */
#include "pool_priv.h"

#include <stdio.h>
#include <string.h>

#define NS_PER_US 1000

/* The counts by state, and the loan that has lasted longest. */
struct census {
  uint32_t states[4];
  uint64_t takes;
  int64_t longest_since; /* INT64_MAX: nothing is lent */
  const char *label;
  uint32_t thread;
};

static double
seconds(int64_t ns)
{
  return ns > 0 ? (double)ns / (double)NS_PER_S : 0;
}

static const char *
shown(const char *label)
{
  return label != NULL ? label : "(no label)";
}

static struct census
take_census(const tn_pool *pool)
{
  struct census census = { .longest_since = INT64_MAX };
  struct tn_pool_iterator i;

  for (i = tn_pool__first(pool); i.slot != NULL; tn_pool__next(&i)) {
    uint32_t state = atomic_load(&i.slot->state);
    int64_t since = atomic_load_explicit(&i.slot->since, memory_order_relaxed);

    census.states[state]++;
    census.takes += atomic_load_explicit(&i.slot->takes, memory_order_relaxed);
    if (state != SLOT_LENT || since >= census.longest_since)
      continue;
    census.longest_since = since;
    census.label = atomic_load_explicit(&i.slot->label, memory_order_relaxed);
    census.thread = atomic_load_explicit(&i.slot->thread, memory_order_relaxed);
  }
  return census;
}

/* The last failure to connect as a line of the detail, if there was one. */
static void
add_failure(tn_pool *pool, tn_err *err)
{
  char line[sizeof err->message + 64];

  pthread_mutex_lock(&pool->lock);
  line[0] = '\0';
  if (pool->failed_at != 0)
    snprintf(line, sizeof line, "last connect error, %.1f s ago: %s",
             seconds(tn_clock_now() - pool->failed_at), pool->failure.message);
  pthread_mutex_unlock(&pool->lock);
  if (line[0] != '\0')
    tn_err_add(err, TN_ERR_DETAIL, line);
}

/* ", the longest to "x" for 1.2 s", or nothing. */
static void
describe_longest(const struct census *census, char *out, size_t size)
{
  out[0] = '\0';
  if (census->longest_since != INT64_MAX)
    snprintf(out, size, ", the longest to \"%.100s\" (thread %u) for %.1f s",
             shown(census->label), census->thread,
             seconds(tn_pool__now() - census->longest_since));
}

enum tn_code
tn_pool__timeout(tn_pool *pool, tn_err *err)
{
  struct census census = take_census(pool);
  uint32_t waiting = atomic_load(&pool->guard->gate) / GATE_WAITER;
  char longest[192];
  char most[32] = "";

  describe_longest(&census, longest, sizeof longest);
  if (pool->limit != UINT32_MAX)
    snprintf(most, sizeof most, " of %u", pool->limit);
  (void)tn_err_set(err, TN_E_TIMEOUT,
                   "pool: no connection in time: %u%s lent%s; %u idle, %u "
                   "connecting or closing, %u waiting",
                   census.states[SLOT_LENT], most, longest,
                   census.states[SLOT_IDLE], census.states[SLOT_BUSY], waiting);
  tn_err_verdicts(err, 0, TN_REPLAY_SAFE);
  add_failure(pool, err);
  return TN_E_TIMEOUT;
}

enum tn_code
tn_pool__undrained(tn_pool *pool, tn_err *err)
{
  struct census census = take_census(pool);
  struct tn_pool_iterator i;
  char line[192];

  (void)tn_err_set(err, TN_E_TIMEOUT,
                   "pool: not drained in time: %u lent, %u connecting or "
                   "closing",
                   census.states[SLOT_LENT], census.states[SLOT_BUSY]);
  for (i = tn_pool__first(pool); i.slot != NULL; tn_pool__next(&i)) {
    const char *label =
        atomic_load_explicit(&i.slot->label, memory_order_relaxed);
    uint32_t thread =
        atomic_load_explicit(&i.slot->thread, memory_order_relaxed);
    int64_t since = atomic_load_explicit(&i.slot->since, memory_order_relaxed);

    if (atomic_load(&i.slot->state) != SLOT_LENT)
      continue;
    snprintf(line, sizeof line, "lent to \"%.100s\" (thread %u) for %.1f s",
             shown(label), thread, seconds(tn_pool__now() - since));
    tn_err_add(err, TN_ERR_DETAIL, line);
  }
  return TN_E_TIMEOUT;
}

enum tn_code
tn_pool__refusal(tn_pool *pool, tn_err *err)
{
  char line[96];
  int64_t age;

  tn_pool__count(pool, COUNT_REFUSED);
  pthread_mutex_lock(&pool->lock);
  *err = pool->failure;
  age = tn_clock_now() - pool->failed_at;
  pthread_mutex_unlock(&pool->lock);
  if (err->code == TN_E_TIMEOUT)
    (void)tn_pool__timeout(pool, err);
  snprintf(line, sizeof line,
           "pool: this was %.3f s ago; it is not yet tried again",
           seconds(age));
  tn_err_add(err, TN_ERR_DETAIL, line);
  return (enum tn_code)err->code;
}

void
tn_pool__tell_leaks(tn_pool *pool)
{
  int64_t now = tn_pool__now();
  int64_t most = (int64_t)pool->options.leak_ms * NS_PER_MS;
  struct tn_pool_iterator i;

  if (most == 0)
    return;
  for (i = tn_pool__first(pool); i.slot != NULL; tn_pool__next(&i)) {
    struct tn_pool_slot *slot = i.slot;
    int64_t since = atomic_load_explicit(&slot->since, memory_order_relaxed);
    uint64_t takes = atomic_load_explicit(&slot->takes, memory_order_relaxed);

    if (atomic_load(&slot->state) != SLOT_LENT || now - since < most ||
        since != atomic_load_explicit(&slot->since, memory_order_relaxed) ||
        atomic_exchange(&slot->told, takes) == takes)
      continue;
    tn_pool__count(pool, COUNT_LEAKS);
    tn_log_write(
        pool->has_log ? &pool->log : NULL, TN_LOG_WARNING,
        "pool: lent to \"%.100s\" (thread %u) for %.1f s and not given "
        "back",
        shown(atomic_load_explicit(&slot->label, memory_order_relaxed)),
        atomic_load_explicit(&slot->thread, memory_order_relaxed),
        seconds(now - since));
  }
}

/* ---- numbers ---- */

struct count_row {
  enum tn_pool_count count;
  size_t offset;
};

#define ROW(count, field)                                                      \
  {                                                                            \
    count, offsetof(struct tn_pool_stats, field)                               \
  }

static const struct count_row rows[] = {
  ROW(COUNT_WAITS, waits),
  ROW(COUNT_TIMEOUTS, timeouts),
  ROW(COUNT_REFUSED, refused),
  ROW(COUNT_CONNECTS, connects),
  ROW(COUNT_CONNECT_FAILURES, connect_failures),
  ROW(COUNT_CLOSES, closes),
  ROW(COUNT_PINGS, pings),
  ROW(COUNT_PING_FAILURES, ping_failures),
  ROW(COUNT_ROLLBACKS, rollbacks),
  ROW(COUNT_RESETS, resets),
  ROW(COUNT_GIVE_FAILURES, give_failures),
  ROW(COUNT_RECYCLED, recycled),
  ROW(COUNT_IDLED, idled),
  ROW(COUNT_INVALIDATED, invalidated),
  ROW(COUNT_LEAKS, leaks),
};

_Static_assert(TN_COUNT(rows) == COUNT_COUNT, "one row per count");

void
tn_pool_stats(tn_pool *pool, struct tn_pool_stats *stats)
{
  struct tn_pool_stats all = { .struct_size = stats->struct_size };
  struct census census;
  size_t size = stats->struct_size;

  tn_pool__revive(pool);
  census = take_census(pool);
  all.idle = census.states[SLOT_IDLE];
  all.lent = census.states[SLOT_LENT];
  all.connecting = census.states[SLOT_BUSY];
  all.takes = census.takes;
  for (size_t i = 0; i < TN_COUNT(rows); i++) {
    uint64_t count = atomic_load_explicit(&pool->counts[rows[i].count],
                                          memory_order_relaxed);

    memcpy((char *)&all + rows[i].offset, &count, sizeof count);
  }
  pthread_mutex_lock(&pool->lock);
  all.waiting = pool->waiting;
  all.wait_us = pool->wait_ns / NS_PER_US;
  memcpy(all.wait_histogram, pool->histogram, sizeof all.wait_histogram);
  pthread_mutex_unlock(&pool->lock);
  if (size > sizeof all)
    size = sizeof all;
  memcpy(stats, &all, size);
}
