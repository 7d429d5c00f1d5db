/* Loans for which there is more to do than to move a slot, and the calls that
 * are rare. */
#include "pool_priv.h"
#include "probe.h"
#include "trace.h"

#include <sys/syscall.h>
#include <unistd.h>

/* What connecting may take where neither the loan nor the pool says. */
#define CONNECT_MS 30000

_Thread_local struct tn_pool_hint tn_pool__hints[TN_POOL_HINTS];

void
tn_pool__forget_thread(void)
{
  memset(tn_pool__hints, 0, sizeof tn_pool__hints);
}

/* ---- taking ---- */

static void
lend(tn_pool *pool, struct tn_pool_slot *slot, const struct tn_loan *loan,
     int64_t now, tn_conn **ret)
{
  struct tn_pool_hint *hint = &tn_pool__hints[pool->hint];

  hint->pool = pool;
  hint->id = pool->id;
  hint->slot = slot;
  if (hint->thread == 0)
    hint->thread = (uint32_t)syscall(SYS_gettid);
  tn_pool__note_loan(slot, loan, now, hint->thread);

  /* Whoever gives it back after use forgets it again. */
  if (loan != NULL && loan->traceparent != NULL) {
    memcpy(slot->conn->traceparent, loan->traceparent, TN_TRACEPARENT_SIZE);
    slot->conn->is_used = true;
  }
  tn_pool__tell(pool, TN_POOL_EVENT_TAKE, slot->conn, NULL);
  *ret = slot->conn;
  TN_PROBE3(take_end, pool, slot->conn, TN_OK);
}

/* Connecting has failed. Whatever a take had no time for, it says what the pool
 * knows, and that nothing was run. */
static enum tn_code
fail_to_connect(tn_pool *pool, enum tn_code rc, tn_err *err)
{
  tn_err cause;

  if (rc != TN_E_TIMEOUT)
    return rc;
  pthread_mutex_lock(&pool->lock);
  pool->is_starved = true;
  pthread_mutex_unlock(&pool->lock);
  cause = *err;
  rc = tn_pool__timeout(pool, err);
  if (cause.detail[0] != '\0')
    tn_err_add(err, TN_ERR_DETAIL, cause.detail);
  return rc;
}

/* A session that can be lent, in `taking->slot`. */
static enum tn_code
obtain(struct tn_pool_taking *taking)
{
  tn_pool *pool = taking->pool;
  enum tn_code rc;

  for (;;) {
    if (taking->slot == NULL) {
      rc = tn_pool__acquire(taking);
      if (rc != TN_OK)
        return rc;
    }
    if (taking->is_to_connect) {
      rc = tn_pool__connect(pool, taking->slot, taking->deadline, taking->err);

      /* The server has no room for one more: those there are will do. */
      if (rc != TN_E_LIMIT || atomic_load(&pool->open) == 0 ||
          pool->options.retry_max_ms == 0)
        return fail_to_connect(pool, rc, taking->err);
      tn_err_clear(taking->err);
    } else if (tn_pool__examine(pool, taking->slot, taking->deadline)) {
      return TN_OK;
    }
    taking->slot = NULL;
    taking->is_served = true;
  }
}

static enum tn_code
obtain_in_time(struct tn_pool_taking *taking)
{
  tn_pool *pool = taking->pool;
  enum tn_code rc = obtain(taking);

  if (rc != TN_OK)
    return rc;
  if ((atomic_load(&pool->guard->gate) & (GATE_CLOSED | GATE_DRAINING)) != 0)
    rc = TN_E_STATE;
  else if (tn_clock_now() >= taking->deadline)
    rc = TN_E_TIMEOUT;
  if (rc == TN_OK)
    return rc;

  /* It is not among those that are told of as lent. */
  tn_pool__put_back(pool, taking->slot, true);
  if (rc == TN_E_TIMEOUT)
    return tn_pool__timeout(pool, taking->err);
  return tn_err_set(taking->err, rc,
                    "pool: it is closed or drained and lends nothing");
}

tn_deadline
tn_pool__deadline(const tn_pool *pool)
{
  uint64_t ms = pool->options.wait_ms;

  return tn_deadline_after_ms(ms != 0 ? ms : CONNECT_MS);
}

static void
set_times(struct tn_pool_taking *taking, const struct tn_loan *loan)
{
  const tn_pool *pool = taking->pool;
  bool has_own = loan != NULL && loan->deadline != 0;

  taking->deadline = has_own ? loan->deadline : tn_pool__deadline(pool);
  taking->patience =
      has_own || pool->options.wait_ms != 0 ? taking->deadline : tn_clock_now();
}

enum tn_code
tn_pool__take_slowly(tn_pool *pool, struct tn_pool_slot *slot,
                     const struct tn_loan *loan, tn_conn **ret, tn_err *err)
{
  struct tn_pool_taking taking = { .pool = pool, .slot = slot, .err = err };
  tn_err own;
  enum tn_code rc;

  tn_pool__revive(pool);
  tn_pool__enter(pool);
  set_times(&taking, loan);
  if (err == NULL)
    taking.err = &own;
  rc = obtain_in_time(&taking);
  if (rc == TN_OK) {
    taking.slot->conn->is_used = false;
    lend(pool, taking.slot, loan, tn_pool__now(), ret);
  } else {
    TN_PROBE3(take_end, pool, NULL, rc);
    if (rc == TN_E_TIMEOUT)
      tn_pool__count(pool, COUNT_TIMEOUTS);
  }
  tn_pool__leave(pool);
  return rc;
}

/* The thread's last slot, or the first that is idle, LENT to it. */
static struct tn_pool_slot *
claim(const tn_pool *pool)
{
  const struct tn_pool_hint *hint = &tn_pool__hints[pool->hint];

  if (hint->pool == pool && hint->id == pool->id &&
      tn_pool__move(hint->slot, SLOT_IDLE, SLOT_LENT))
    return hint->slot;
  return tn_pool__claim_idle(pool);
}

enum tn_code
tn_pool__take_claimed(tn_pool *pool, struct tn_pool_slot *slot,
                      const struct tn_loan *loan, tn_conn **ret, tn_err *err)
{
  tn_deadline deadline = loan != NULL ? loan->deadline : 0;
  int64_t now = deadline != 0 ? tn_clock_now() : tn_pool__hot_now(pool);

  if (!tn_pool__is_fresh(pool, slot, now) || (deadline != 0 && now >= deadline))
    return tn_pool__take_slowly(pool, slot, loan, ret, err);
  lend(pool, slot, loan, now, ret);
  return TN_OK;
}

enum tn_code
tn_pool__take_any(tn_pool *pool, const struct tn_loan *loan, tn_conn **ret,
                  tn_err *err)
{
  struct tn_pool_slot *slot = NULL;

  if (loan != NULL && loan->traceparent != NULL &&
      tn_trace__check(loan->traceparent, err) != TN_OK) {
    TN_PROBE3(take_end, pool, NULL, TN_E_USAGE);
    return TN_E_USAGE;
  }
  if (atomic_load(&pool->guard->gate) == GATE_ALIVE)
    slot = claim(pool);
  if (slot == NULL)
    return tn_pool__take_slowly(pool, slot, loan, ret, err);
  return tn_pool__take_claimed(pool, slot, loan, ret, err);
}

/* ---- giving ---- */

void
tn_pool__look_again(struct tn_pool_slot *slot)
{
  tn_pool *pool = slot->pool;
  struct tn_pool_wakes wakes = { .count = 0 };
  uint32_t gate;
  bool is_mine = false;

  pthread_mutex_lock(&pool->lock);
  gate = atomic_load(&pool->guard->gate);
  if ((gate & (GATE_CLOSED | GATE_DRAINING)) != 0)
    is_mine = tn_pool__move(slot, SLOT_IDLE, SLOT_LENT);
  else
    tn_pool__serve(pool, &wakes);
  tn_pool__unlock(pool, &wakes);

  /* From here on the slot, if it is ours, keeps the pool. */
  atomic_store(&slot->is_inside, 0);
  if (is_mine)
    tn_pool__put_back(pool, slot, true);
}

/* LENT to IDLE, where that is all there is to it. */
static bool
give_quickly(tn_pool *pool, struct tn_pool_slot *slot, int64_t now)
{
  if (atomic_load(&pool->guard->gate) != GATE_ALIVE ||
      atomic_load_explicit(&slot->epoch, memory_order_relaxed) !=
          atomic_load(&pool->epoch) ||
      atomic_load(&pool->open) > pool->keep || now >= slot->expires_at ||
      atomic_load(&slot->is_inside) != 0)
    return false;
  if (slot->socket >= 0)
    slot->rested_at = tn_pool__now();
  tn_pool__make_idle(slot, now);
  return true;
}

/* The slot of a connection that the caller has on loan; NULL: there was
 * something wrong with it, and it has been dealt with. */
static struct tn_pool_slot *
returned(tn_conn *conn)
{
  struct tn_pool_slot *slot = conn->slot;
  tn_pool *pool;

  if (slot == NULL) {
    tn_conn_close(&conn);
    return NULL;
  }
  pool = slot->pool;
  if (atomic_load_explicit(&pool->guard->gate, memory_order_relaxed) !=
      GATE_ALIVE)
    tn_pool__revive(pool);
  if (tn_conn__is_inherited(conn)) {
    tn_pool__give_inherited(pool, conn);
    return NULL;
  }
  if (atomic_load_explicit(&slot->state, memory_order_relaxed) == SLOT_LENT)
    return slot;
  if (pool->has_log)
    tn_log_write(&pool->log, TN_LOG_ERROR,
                 "pool: a connection was given back that is not lent");
  return NULL;
}

void
tn_pool__give_slowly(tn_conn *conn)
{
  struct tn_pool_slot *slot = returned(conn);
  tn_pool *pool;
  bool is_good = true;

  if (slot == NULL)
    return;
  pool = slot->pool;
  if (conn->is_used) {
    is_good = tn_pool__clean(pool, slot);
    tn_traffic__note(conn, tn_pool__hot_now(pool));
    tn_conn__collect(conn, pool->conn_counts);
    conn->traceparent[0] = '\0';
  }
  tn_pool__tell(pool, TN_POOL_EVENT_GIVE, conn, NULL);
  if (!is_good || !give_quickly(pool, slot, tn_pool__hot_now(pool)))
    tn_pool__put_back(pool, slot, is_good);
}

void
tn_pool_discard(tn_conn **conn)
{
  struct tn_pool_slot *slot;

  if (conn == NULL || *conn == NULL)
    return;
  if ((*conn)->told > 0) {
    tn_conn__refuse_to_go(*conn);
    return;
  }
  TN_PROBE1(give, *conn);
  slot = returned(*conn);
  *conn = NULL;
  if (slot == NULL)
    return;
  if (slot->conn->is_lost)
    tn_pool__suspect(slot->pool, slot);
  tn_pool__tell(slot->pool, TN_POOL_EVENT_GIVE, slot->conn, NULL);
  tn_pool__put_back(slot->pool, slot, false);
}

void
tn_pool_invalidate(tn_pool *pool)
{
  tn_pool__revive(pool);
  atomic_fetch_add(&pool->generation, 1);
  atomic_fetch_add(&pool->epoch, 1);
  tn_pool__tell(pool, TN_POOL_EVENT_INVALIDATE, NULL, NULL);
}
