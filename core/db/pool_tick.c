/* What falls due without anybody's call: sessions grow old, or are to be ready
 * before they are wanted. */
#include "pool_priv.h"

#include <string.h>

uint32_t
tn_pool__count_idle(const tn_pool *pool)
{
  struct tn_pool_iterator i;
  uint32_t count = 0;

  for (i = tn_pool__first(pool); i.slot != NULL; tn_pool__next(&i))
    count += atomic_load(&i.slot->state) == SLOT_IDLE;
  return count;
}

/* Why is the slot's session to be closed? COUNT_COUNT: it is not. The slot is
 * the caller's. */
static enum tn_pool_count
due(const tn_pool *pool, const struct tn_pool_slot *slot, bool may_idle)
{
  int64_t now = tn_pool__now();
  int64_t unused =
      now - atomic_load_explicit(&slot->since, memory_order_relaxed);

  if (slot->generation != atomic_load(&pool->generation))
    return COUNT_INVALIDATED;
  if (now >= slot->expires_at)
    return COUNT_RECYCLED;
  if (may_idle && pool->options.idle_ms > 0 &&
      unused >= (int64_t)pool->options.idle_ms * NS_PER_MS)
    return COUNT_IDLED;
  return COUNT_COUNT;
}

/* Between loans nobody asks how many bytes a session has received and sent. The
 * slot is BUSY, and the lock is left meanwhile: a plug-in is called. True: the
 * pool does not keep the session any more. */
static bool
count_bytes(tn_pool *pool, struct tn_pool_slot *slot)
{
  pthread_mutex_unlock(&pool->lock);
  tn_traffic__read(slot->conn);
  tn_conn__collect(slot->conn, pool->conn_counts);
  pthread_mutex_lock(&pool->lock);
  return (atomic_load(&pool->guard->gate) & (GATE_CLOSED | GATE_DRAINING)) != 0;
}

/* Does it look worth taking an idle slot out for a closer look? Those of other
 * threads' are not read but for what is atomic. */
static void
sweep_slot(tn_pool *pool, struct tn_pool_slot *slot, uint32_t *idle)
{
  struct tn_pool_wakes wakes = { .count = 0 };
  enum tn_pool_count reason;
  bool is_shut = false;

  /* Not once the pool is shut: whoever drains it counts what is not idle, and
   * nobody would tell him. */
  pthread_mutex_lock(&pool->lock);
  if ((atomic_load(&pool->guard->gate) & (GATE_CLOSED | GATE_DRAINING)) != 0 ||
      !tn_pool__move(slot, SLOT_IDLE, SLOT_BUSY)) {
    pthread_mutex_unlock(&pool->lock);
    return;
  }
  if (slot->conn->traffic.is_behind)
    is_shut = count_bytes(pool, slot);
  reason = due(pool, slot, *idle > pool->options.min_idle);
  if (reason == COUNT_COUNT && !is_shut) {
    atomic_store(&slot->state, SLOT_IDLE);
    tn_pool__serve(pool, &wakes);
    tn_pool__unlock(pool, &wakes);
    return;
  }
  atomic_fetch_sub(&pool->open, 1);
  pthread_mutex_unlock(&pool->lock);
  *idle -= *idle > 0;
  if (reason != COUNT_COUNT)
    tn_pool__count(pool, reason);
  tn_pool__retire(pool, slot);
}

/* The last ones first: takes find the first ones. */
static void
sweep(tn_pool *pool)
{
  uint32_t idle = tn_pool__count_idle(pool);
  uint32_t at = atomic_load(&pool->used);

  while (at-- > 0) {
    struct tn_pool_iterator i = tn_pool__first(pool);

    for (uint32_t skip = at; skip > 0; skip--)
      tn_pool__next(&i);
    if (atomic_load(&i.slot->state) == SLOT_IDLE)
      sweep_slot(pool, i.slot, &idle);
  }
}

/* A slot for a session that nobody waits for, as long as there are fewer than
 * `most`; or NULL. A patient one waits until it is time to connect again. */
static struct tn_pool_slot *
claim_spare(tn_pool *pool, uint32_t most, bool is_patient)
{
  struct tn_pool_slot *slot = NULL;

  pthread_mutex_lock(&pool->lock);
  if (atomic_load(&pool->guard->gate) == GATE_ALIVE &&
      atomic_load(&pool->open) < most &&
      (!is_patient || tn_clock_now() >= pool->retry_at))
    slot = tn_pool__claim_empty(pool);
  pthread_mutex_unlock(&pool->lock);
  return slot;
}

/* Open a session in the slot, which nobody waits for. */
static bool
open_spare(tn_pool *pool, struct tn_pool_slot *slot, tn_deadline until)
{
  tn_err err;

  if (tn_pool__connect(pool, slot, until, &err) != TN_OK)
    return false;
  tn_pool__put_back(pool, slot, true);
  return true;
}

/* Open one if more are to be idle. */
static bool
fill_one(tn_pool *pool)
{
  struct tn_pool_slot *slot;

  if (tn_pool__count_idle(pool) >= pool->options.min_idle)
    return false;
  slot = claim_spare(pool, pool->keep, true);
  return slot != NULL && open_spare(pool, slot, tn_pool__deadline(pool));
}

/* How many sessions one tick opens for takes that have no time to; and how long
 * each may take: while nothing answers, it has a slot that others could use,
 * and nothing else is done. */
#define RESCUES   8
#define RESCUE_MS (TN_POOL_LATE_MS - 200)

/* Whoever borrows for less time than connecting takes would never have a
 * session: each is thrown away when it is too late. Open one for them. */
static bool
rescue(tn_pool *pool)
{
  struct tn_pool_slot *slot = tn_pool__claim_reserved(pool);
  tn_deadline usual = tn_pool__deadline(pool);
  tn_deadline until = tn_deadline_after_ms(RESCUE_MS);

  return slot != NULL && open_spare(pool, slot, usual < until ? usual : until);
}

enum tn_code
tn_pool__warm(tn_pool *pool, tn_deadline deadline, tn_err *err)
{
  const struct tn_loan loan = { .label = "tn_engine_start",
                                .deadline = deadline };
  struct tn_pool_slot *slot = NULL;
  tn_conn *conn = NULL;
  enum tn_code rc;

  tn_pool__revive(pool);
  tn_pool__enter(pool);
  if (tn_pool__count_idle(pool) == 0)
    slot = claim_spare(pool, pool->limit, false);
  if (slot != NULL) {
    rc = tn_pool__connect(pool, slot, deadline, err);
    if (rc == TN_OK)
      tn_pool__put_back(pool, slot, true);
  } else {
    rc = tn_pool_take(pool, &loan, &conn, err);
    tn_pool_give(&conn);
  }
  tn_pool__leave(pool);
  return rc;
}

void
tn_pool_tick(tn_pool *pool)
{
  tn_pool_tick_fn tick;

  tn_pool__revive(pool);
  tn_pool__enter(pool);
  tn_pool__tell_leaks(pool);
  sweep(pool);
  while (fill_one(pool))
    ;
  for (int i = 0; i < RESCUES && rescue(pool); i++)
    ;
  tick = atomic_load(&pool->tick);
  if (tick != NULL)
    tick(atomic_load(&pool->tick_user));
  tn_pool__leave(pool);
}

/* ---- the pool's own thread ---- */

/* How late the time may be by which takes go. */
#define CLOCK_MS 1000

/* While a tick lasts, which may connect, everybody looks at the clock; so it is
 * too if leaks are to be told to the millisecond. */
static void
set_clock(tn_pool *pool, bool is_kept)
{
  is_kept = is_kept && pool->options.leak_ms == 0;
  atomic_store_explicit(&pool->clock, is_kept ? tn_pool__now() : 0,
                        memory_order_relaxed);
}

static void *
run(void *arg)
{
  tn_pool *pool = arg;
  tn_deadline next = tn_deadline_after_ms(pool->options.tick_ms);

  while (atomic_load(&pool->is_stopping) == 0) {
    tn_deadline until = tn_deadline_after_ms(CLOCK_MS);

    set_clock(pool, true);
    tn_pool__sleep(&pool->is_stopping, 0, until < next ? until : next);
    if (atomic_load(&pool->is_stopping) != 0 || tn_clock_now() < next)
      continue;
    set_clock(pool, false);
    tn_pool_tick(pool);
    next = tn_deadline_after_ms(pool->options.tick_ms);
  }
  return NULL;
}

enum tn_code
tn_pool__start_thread(tn_pool *pool, tn_err *err)
{
  int rc = pthread_create(&pool->thread, NULL, run, pool);

  if (rc != 0)
    return tn_err_set(err, TN_E_LIMIT, "pool: no thread to be had (%d)", rc);
  pool->has_thread = true;
  return TN_OK;
}

void
tn_pool__stop_thread(tn_pool *pool)
{
  if (!pool->has_thread)
    return;
  pool->has_thread = false;
  atomic_store(&pool->is_stopping, 1);
  tn_pool__wake(&pool->is_stopping);

  /* It may itself close the pool, from a hook. */
  if (pthread_equal(pthread_self(), pool->thread))
    pthread_detach(pool->thread);
  else
    pthread_join(pool->thread, NULL);
}
