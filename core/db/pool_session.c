/* The sessions of a pool: opened, looked at before they are lent, brought back
 * to what they were, closed. Whatever is done here takes time, so nothing of it
 * is done under the lock but the counting. */
#include "pool_priv.h"
#include "probe.h"

/* A ping at take gets a part of the time, so that there is some left for a
 * connection that works. */
#define PING_PART 2
#define PING_MOST (5 * NS_PER_S)

/* A connect that fails as too late says something of the server only after so
 * long; else it was its taker who had no time. */
#define LATE_NS (TN_POOL_LATE_MS * NS_PER_MS)

/* ---- opening ---- */

static uint64_t
next_random(tn_pool *pool)
{
  pool->seed ^= pool->seed << 13;
  pool->seed ^= pool->seed >> 7;
  pool->seed ^= pool->seed << 17;
  return pool->seed;
}

/* `ms` from `now`, up to a tenth earlier. */
static int64_t
spread(int64_t now, uint64_t ms, uint64_t random)
{
  int64_t length = (int64_t)ms * NS_PER_MS;

  if (ms == 0)
    return INT64_MAX;
  return now + length - length / 10000 * (int64_t)(random % 1000);
}

static void
fill_slot(tn_pool *pool, struct tn_pool_slot *slot, tn_conn *conn, int socket)
{
  int64_t now = tn_pool__now();
  uint64_t random = next_random(pool);

  slot->conn = conn;
  slot->expires_at = spread(now, pool->options.lifetime_ms, random);
  slot->renew_at = spread(now, pool->options.recycle_ms, random);
  if (slot->renew_at > slot->expires_at)
    slot->renew_at = slot->expires_at;
  atomic_store_explicit(&slot->since, now, memory_order_relaxed);
  atomic_store_explicit(&slot->label, NULL, memory_order_relaxed);
  conn->slot = slot;
  slot->socket = socket;
  conn->birth_now = &pool->guard->birth;
  conn->birth = pool->birth;
}

static bool
is_of_the_server(enum tn_code code, int64_t took)
{
  switch (code) {
  case TN_E_USAGE:
  case TN_E_MEMORY:
  case TN_E_CANCELED:
    return false;
  case TN_E_TIMEOUT:
    return took >= LATE_NS;
  default:
    return true;
  }
}

static void
note_failure(tn_pool *pool, int64_t began, const tn_err *err)
{
  int64_t now = tn_clock_now();

  pool->failure = *err;
  pool->failed_at = now;
  if (!is_of_the_server((enum tn_code)err->code, now - began))
    return;
  pool->retry_ms =
      pool->retry_ms == 0 ? pool->options.retry_min_ms : pool->retry_ms * 2;
  if (pool->retry_ms > pool->options.retry_max_ms)
    pool->retry_ms = pool->options.retry_max_ms;
  pool->retry_at = now + (int64_t)pool->retry_ms * NS_PER_MS;
}

/* The callback is not ours: it may fail without a word. */
static enum tn_code
call_connect(tn_pool *pool, tn_deadline deadline, tn_conn **ret, tn_err *err)
{
  enum tn_code rc;

  tn_err_clear(err);
  rc = pool->options.connect(pool->options.user, deadline, ret, err);
  TN_PROBE3(connect, pool, *ret, rc);
  if (rc == TN_OK && (*ret == NULL || (*ret)->slot != NULL))
    return tn_err_set(err, TN_E_USAGE,
                      "pool: the application's connect brought no connection "
                      "of its own");
  if (rc != TN_OK && err->code != (int32_t)rc)
    return tn_err_set(err, rc, "pool: connecting failed: %s",
                      tn_code_summary((int32_t)rc));
  return rc;
}

/* Under the lock: there is no session in the slot any more. */
static void
vacate(tn_pool *pool, struct tn_pool_slot *slot)
{
  pool->occupied--;
  atomic_store(&slot->state, SLOT_EMPTY);
  atomic_fetch_add(&pool->drained, 1);
  tn_pool__wake(&pool->drained);
}

enum tn_code
tn_pool__connect(tn_pool *pool, struct tn_pool_slot *slot, tn_deadline deadline,
                 tn_err *err)
{
  struct tn_pool_wakes wakes = { .count = 0 };
  int64_t began = tn_clock_now();
  tn_conn *conn = NULL;
  int socket = -1;
  enum tn_code rc;

  /* Before it is opened, so that an invalidation meanwhile counts. */
  slot->generation = atomic_load(&pool->generation);
  atomic_store_explicit(&slot->epoch, atomic_load(&pool->epoch),
                        memory_order_relaxed);
  rc = call_connect(pool, deadline, &conn, err);
  tn_pool__count(pool, rc == TN_OK ? COUNT_CONNECTS : COUNT_CONNECT_FAILURES);
  tn_pool__tell(pool, TN_POOL_EVENT_CONNECT, rc == TN_OK ? conn : NULL,
                rc == TN_OK ? NULL : err);
  if (rc == TN_OK)
    socket = tn_backend_socket(conn->backend, conn->handle);
  pthread_mutex_lock(&pool->lock);
  pool->connecting--;
  if (rc == TN_OK) {
    pool->retry_ms = 0;
    pool->retry_at = 0;
    fill_slot(pool, slot, conn, socket);
    atomic_store(&slot->state, SLOT_LENT);
  } else {
    note_failure(pool, began, err);
    atomic_fetch_sub(&pool->open, 1);
    vacate(pool, slot);
  }
  tn_pool__serve(pool, &wakes);
  tn_pool__unlock(pool, &wakes);
  return rc;
}

/* ---- closing ---- */

void
tn_pool__retire(tn_pool *pool, struct tn_pool_slot *slot)
{
  struct tn_pool_wakes wakes = { .count = 0 };
  tn_conn *conn = slot->conn;

  slot->conn = NULL;
  tn_pool__enter(pool);
  conn->slot = NULL;
  tn_pool__count(pool, COUNT_CLOSES);
  tn_pool__tell(pool, TN_POOL_EVENT_CLOSE, conn, NULL);
  tn_traffic__read(conn);
  tn_conn__collect(conn, pool->conn_counts);
  tn_conn_close(&conn);
  pthread_mutex_lock(&pool->lock);
  vacate(pool, slot);
  tn_pool__serve(pool, &wakes);
  tn_pool__unlock(pool, &wakes);
  tn_pool__leave(pool);
}

/* Close the session of a slot that is LENT to the caller. */
static void
drop(tn_pool *pool, struct tn_pool_slot *slot, enum tn_pool_count reason)
{
  atomic_store(&slot->state, SLOT_BUSY);
  atomic_fetch_sub(&pool->open, 1);
  tn_pool__count(pool, reason);
  tn_pool__retire(pool, slot);
}

/* ---- before a loan ---- */

static bool
is_outdated(const tn_pool *pool, const struct tn_pool_slot *slot)
{
  return slot->generation != atomic_load(&pool->generation);
}

void
tn_pool__suspect(tn_pool *pool, const struct tn_pool_slot *slot)
{
  uint32_t epoch = atomic_load_explicit(&slot->epoch, memory_order_relaxed);

  /* Once for all of the same age. */
  atomic_compare_exchange_strong(&pool->epoch, &epoch, epoch + 1);
}

/* One proof that the server has lost a session: the others of that age are not
 * asked any more. */
static void
note_dead(tn_pool *pool, const struct tn_pool_slot *slot)
{
  if (!slot->conn->is_lost)
    tn_pool__suspect(pool, slot);
  else if (!is_outdated(pool, slot))
    tn_pool_invalidate(pool);
}

static bool
ping(tn_pool *pool, struct tn_pool_slot *slot, tn_deadline deadline)
{
  uint32_t epoch = atomic_load(&pool->epoch);
  int64_t now = tn_clock_now();
  int64_t left = deadline - now;
  tn_err err = TN_ERR_INIT;
  enum tn_code rc;

  if (left > PING_PART * PING_MOST)
    left = PING_PART * PING_MOST;
  tn_pool__count(pool, COUNT_PINGS);
  rc = tn_conn_ping(slot->conn, now + left / PING_PART, &err);
  slot->conn->is_used = false;
  if (rc == TN_OK && !slot->conn->is_dead) {
    atomic_store_explicit(&slot->epoch, epoch, memory_order_relaxed);
    return true;
  }
  note_dead(pool, slot);
  return false;
}

bool
tn_pool__examine(tn_pool *pool, struct tn_pool_slot *slot, tn_deadline deadline)
{
  int64_t now = tn_pool__now();

  if (is_outdated(pool, slot)) {
    drop(pool, slot, COUNT_INVALIDATED);
    return false;
  }
  if (now >= slot->renew_at) {
    drop(pool, slot, COUNT_RECYCLED);
    return false;
  }
  if (tn_pool__is_fresh(pool, slot, now))
    return true;
  if (ping(pool, slot, deadline))
    return true;
  drop(pool, slot, COUNT_PING_FAILURES);
  return false;
}

/* ---- after a loan ---- */

/* Mostly neither is needed, and clearing the error, which is four KiB, would be
 * the most of giving a session back: it is cleared when there is work to do. */
static bool
roll_back(tn_pool *pool, tn_conn *conn, tn_deadline deadline)
{
  tn_err err;

  if (tn_conn_txn_state(conn) == TN_TXN_NONE)
    return true;
  tn_err_clear(&err);
  tn_pool__count(pool, COUNT_ROLLBACKS);
  return tn_conn__rollback(conn, deadline, &err) == TN_OK && !conn->is_dead &&
         tn_conn_txn_state(conn) == TN_TXN_NONE;
}

static bool
reset(tn_pool *pool, tn_conn *conn, tn_deadline deadline)
{
  tn_err err;
  bool is_good;

  if (pool->options.reset == TN_RESET_NEVER ||
      (pool->options.reset == TN_RESET_TOUCHED && !conn->is_touched))
    return true;
  tn_err_clear(&err);
  tn_pool__count(pool, COUNT_RESETS);
  is_good = tn_conn__reset(conn, deadline, &err) == TN_OK && !conn->is_dead &&
            tn_conn_txn_state(conn) == TN_TXN_NONE;
  tn_pool__tell(pool, TN_POOL_EVENT_RESET, conn, is_good ? NULL : &err);

  /* What a listener has set again is how the session is to be. */
  conn->is_touched = conn->is_touched && !is_good;
  return is_good && !conn->is_dead;
}

bool
tn_pool__clean(tn_pool *pool, struct tn_pool_slot *slot)
{
  tn_conn *conn = slot->conn;
  tn_deadline deadline;

  conn->deadline = 0;
  conn->limit = 0;
  deadline = tn_deadline_after_ms(pool->options.give_ms);
  tn_conn__close_all(conn, deadline);
  if (!conn->is_dead) {
    if (roll_back(pool, conn, deadline) && reset(pool, conn, deadline)) {
      conn->is_used = false;
      return true;
    }
    tn_pool__count(pool, COUNT_GIVE_FAILURES);
  }
  if (conn->is_lost)
    tn_pool__suspect(pool, slot);
  return false;
}

/* Under the lock: why must it go? COUNT_COUNT: for no reason that is counted.
 * False: it may stay. */
static bool
must_go(const tn_pool *pool, const struct tn_pool_slot *slot,
        enum tn_pool_count *ret_reason)
{
  uint32_t gate = atomic_load(&pool->guard->gate);

  *ret_reason = COUNT_COUNT;
  if ((gate & (GATE_CLOSED | GATE_DRAINING)) != 0)
    return true;
  if (is_outdated(pool, slot)) {
    *ret_reason = COUNT_INVALIDATED;
    return true;
  }
  if (tn_pool__now() >= slot->expires_at) {
    *ret_reason = COUNT_RECYCLED;
    return true;
  }
  if (pool->options.kind == TN_POOL_NULL)
    return true;

  /* As long as no more are open than are kept, nobody has to count. Whoever
   * gives back when more are, does so under the lock. */
  return pool->head == NULL && atomic_load(&pool->open) > pool->keep &&
         tn_pool__count_idle(pool) >= pool->keep;
}

void
tn_pool__put_back(tn_pool *pool, struct tn_pool_slot *slot, bool is_good)
{
  struct tn_pool_wakes wakes = { .count = 0 };
  enum tn_pool_count reason = COUNT_COUNT;

  pthread_mutex_lock(&pool->lock);
  if (!is_good || must_go(pool, slot, &reason)) {
    atomic_fetch_sub(&pool->open, 1);
    atomic_store(&slot->state, SLOT_BUSY);
    pthread_mutex_unlock(&pool->lock);
    if (reason != COUNT_COUNT)
      tn_pool__count(pool, reason);
    tn_pool__retire(pool, slot);
    return;
  }
  atomic_store_explicit(&slot->since, tn_pool__now(), memory_order_relaxed);
  atomic_store(&slot->state, SLOT_IDLE);
  tn_pool__serve(pool, &wakes);
  tn_pool__unlock(pool, &wakes);
}
