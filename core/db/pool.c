/* A take and a give that meet nobody, in one compare-and-swap each. They are
 * short on purpose, and call nothing but what they end with: whatever else can
 * happen is in pool_loan.c. */
#include "pool_priv.h"
#include "probe.h"

static inline bool
has_hook(const tn_pool *pool)
{
  return atomic_load_explicit(&pool->hook, memory_order_relaxed) != NULL;
}

enum tn_code
tn_pool_take(tn_pool *pool, const struct tn_loan *loan, tn_conn **ret,
             tn_err *err)
{
  const struct tn_pool_hint *hint = &tn_pool__hints[pool->hint];
  int64_t now = atomic_load_explicit(&pool->clock, memory_order_relaxed);
  struct tn_pool_slot *slot;

  TN_PROBE2(take_begin, pool, loan);
  if (atomic_load(&pool->guard->gate) != GATE_ALIVE || now == 0 ||
      hint->pool != pool || hint->id != pool->id || has_hook(pool) ||
      (loan != NULL && (loan->deadline != 0 || loan->traceparent != NULL)))
    return tn_pool__take_any(pool, loan, ret, err);
  slot = hint->slot;
  if (!tn_pool__move(slot, SLOT_IDLE, SLOT_LENT))
    return tn_pool__take_any(pool, loan, ret, err);
  if (slot->socket >= 0 || !tn_pool__is_young(pool, slot, now))
    return tn_pool__take_claimed(pool, slot, loan, ret, err);
  tn_pool__note_loan(slot, loan, now, hint->thread);
  *ret = slot->conn;
  TN_PROBE3(take_end, pool, slot->conn, TN_OK);
  return TN_OK;
}

/* Nothing is the matter with it, nor with the pool, and no time is noted. */
static inline bool
is_plain(const tn_conn *conn, const struct tn_pool_slot *slot, int64_t now)
{
  const tn_pool *pool = slot->pool;

  return slot->socket < 0 &&
         atomic_load_explicit(&pool->guard->gate, memory_order_relaxed) ==
             GATE_ALIVE &&
         !tn_conn__is_inherited(conn) &&
         atomic_load_explicit(&slot->state, memory_order_relaxed) ==
             SLOT_LENT &&
         !has_hook(pool) && now != 0 && now < slot->expires_at &&
         atomic_load_explicit(&slot->epoch, memory_order_relaxed) ==
             atomic_load_explicit(&pool->epoch, memory_order_relaxed) &&
         atomic_load_explicit(&pool->open, memory_order_relaxed) <=
             pool->keep &&
         atomic_load_explicit(&slot->is_inside, memory_order_acquire) == 0;
}

void
tn_pool_give(tn_conn **conn)
{
  struct tn_pool_slot *slot;
  tn_conn *given;
  int64_t now;

  if (conn == NULL || *conn == NULL)
    return;
  given = *conn;
  if (given->told > 0) {
    tn_conn__refuse_to_go(given);
    return;
  }
  TN_PROBE1(give, given);
  *conn = NULL;
  slot = given->slot;
  if (slot == NULL || given->is_used) {
    tn_pool__give_slowly(given);
    return;
  }
  now = atomic_load_explicit(&slot->pool->clock, memory_order_relaxed);
  if (is_plain(given, slot, now))
    tn_pool__make_idle(slot, now);
  else
    tn_pool__give_slowly(given);
}
