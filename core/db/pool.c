/* Connections that are lent: what an application calls. The way of a take and
 * a give that meet nobody is here, in one compare-and-swap each; what else can
 * happen is in pool_queue.c and pool_session.c. pool_priv.h has the rules. */
#include "pool_priv.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A thread's last slot of a pool, which is likely idle and in its cache. */
struct hint {
  const tn_pool *pool;
  uint64_t id;
  struct tn_pool_slot *slot;
};

#define HINTS 4

static _Thread_local struct hint hints[HINTS];
static _Thread_local uint32_t thread_number;

uint32_t
tn_pool__thread(void)
{
  if (thread_number == 0)
    thread_number = (uint32_t)syscall(SYS_gettid);
  return thread_number;
}

void
tn_pool__forget_thread(void)
{
  thread_number = 0;
}

/* ---- opening ---- */

static enum tn_code
refuse(const char *option, const char *why, tn_err *err)
{
  return tn_err_set(err, TN_E_USAGE, "pool: option %s: %s", option, why);
}

struct time_row {
  const char *name;
  size_t offset;
  uint64_t least;
};

#define TIME(field, least)                                                     \
  {                                                                            \
#field, offsetof(struct tn_pool_options, field), least                     \
  }

static const struct time_row times[] = {
  TIME(wait_ms, 1),    TIME(idle_ms, 0),       TIME(lifetime_ms, 0),
  TIME(recycle_ms, 0), TIME(ping_after_ms, 0), TIME(leak_ms, 0),
  TIME(give_ms, 1),    TIME(retry_min_ms, 0),  TIME(retry_max_ms, 0),
  TIME(tick_ms, 0),
};

/* A hundred years, as of every duration. */
#define TIME_MAX_MS UINT64_C(3155760000000)

static enum tn_code
check_times(const struct tn_pool_options *options, tn_err *err)
{
  for (size_t i = 0; i < TN_COUNT(times); i++) {
    uint64_t ms;

    memcpy(&ms, (const char *)options + times[i].offset, sizeof ms);
    if (ms < times[i].least)
      return refuse(times[i].name, "must not be 0", err);
    if (ms > TIME_MAX_MS)
      return refuse(times[i].name, "longer than a hundred years", err);
  }
  if (options->retry_min_ms > options->retry_max_ms)
    return refuse("retry_min_ms", "more than retry_max_ms", err);
  return TN_OK;
}

static enum tn_code
check_options(const struct tn_pool_options *options, tn_err *err)
{
  if (options == NULL || options->struct_size != sizeof *options)
    return refuse("struct_size", "begin with TN_POOL_OPTIONS_INIT", err);
  if (options->connect == NULL)
    return refuse("connect", "a function is needed", err);
  if (options->kind < TN_POOL_QUEUE || options->kind > TN_POOL_STATIC)
    return refuse("kind", "no number of enum tn_pool_kind", err);
  if (options->reset < TN_RESET_TOUCHED || options->reset > TN_RESET_ALWAYS)
    return refuse("reset", "no number of enum tn_pool_reset", err);
  if (options->overflow < -1)
    return refuse("overflow", "less than -1", err);
  if (options->size > INT32_MAX)
    return refuse("size", "more than 2147483647", err);
  if (options->size != 0 && options->min_idle > options->size)
    return refuse("min_idle", "more than size", err);
  return check_times(options, err);
}

/* The numbers that the hot path needs, by what the options say. */
static void
settle(tn_pool *pool)
{
  struct tn_pool_options *options = &pool->options;

  pool->keep = options->size == 0 ? UINT32_MAX : options->size;
  pool->limit = options->size == 0 || options->overflow < 0
                    ? UINT32_MAX
                    : options->size + (uint32_t)options->overflow;
  pool->ping_after = options->ping_after_ms == 0
                         ? INT64_MAX
                         : (int64_t)options->ping_after_ms * NS_PER_MS;
  if (options->kind == TN_POOL_QUEUE)
    return;
  options->min_idle = 0;
  if (options->kind == TN_POOL_NULL) {
    pool->keep = 0;
    return;
  }
  pool->keep = 1;
  pool->limit = 1;
  options->idle_ms = 0;
  options->lifetime_ms = 0;
  options->recycle_ms = 0;
}

static tn_pool *
new_pool(const struct tn_pool_options *options)
{
  void *memory = tn_memory_zalloc(sizeof(tn_pool) + 63);
  tn_pool *pool;

  if (memory == NULL)
    return NULL;
  pool = (void *)(((uintptr_t)memory + 63) & ~(uintptr_t)63);
  pool->memory = memory;
  pool->options = *options;
  pool->id = (uint64_t)tn_clock_now();
  pool->seed = pool->id ^ (uintptr_t)memory ^ UINT64_C(0x9E3779B97F4A7C15);
  pool->hint = (unsigned)(((uintptr_t)memory >> 4) * 2654435761u >> 16) % HINTS;
  if (options->log != NULL) {
    pool->log = *options->log;
    pool->has_log = true;
  }
  settle(pool);
  return pool;
}

static void
free_pool(tn_pool *pool)
{
  struct tn_pool_chunk *chunk = pool->first;

  while (chunk != NULL) {
    struct tn_pool_chunk *next = atomic_load(&chunk->next);

    tn_memory_free(chunk->memory);
    chunk = next;
  }
  tn_pool__unguard(pool);
  pthread_mutex_destroy(&pool->lock);
  tn_memory_free(pool->memory);
}

enum tn_code
tn_pool_open(const struct tn_pool_options *options, tn_pool **ret, tn_err *err)
{
  enum tn_code rc = check_options(options, err);
  tn_pool *pool;

  if (rc != TN_OK)
    return rc;
  pool = new_pool(options);
  if (pool == NULL)
    return tn_err_memory(err, "pool");
  pthread_mutex_init(&pool->lock, NULL);
  pool->first = tn_pool__new_chunk();
  rc = pool->first == NULL ? tn_err_memory(err, "pool")
                           : tn_pool__guard(pool, err);
  if (rc == TN_OK && options->tick_ms > 0)
    rc = tn_pool__start_thread(pool, err);
  if (rc != TN_OK) {
    free_pool(pool);
    return rc;
  }
  *ret = pool;
  return TN_OK;
}

void
tn_pool__set_hook(tn_pool *pool, tn_pool_hook_fn hook, void *user)
{
  pool->hook = hook;
  pool->hook_user = user;
}

/* ---- closing ---- */

void
tn_pool__enter(tn_pool *pool)
{
  pthread_mutex_lock(&pool->lock);
  pool->users++;
  pthread_mutex_unlock(&pool->lock);
}

void
tn_pool__leave(tn_pool *pool)
{
  bool is_last;

  pthread_mutex_lock(&pool->lock);
  pool->users--;
  is_last = pool->is_closed && pool->users == 0 && pool->occupied == 0 &&
            pool->inherited == 0;
  pthread_mutex_unlock(&pool->lock);
  if (is_last)
    free_pool(pool);
}

/* Lend nothing more, and let nobody wait. */
static void
shut(tn_pool *pool, uint32_t flag)
{
  struct tn_pool_wakes wakes = { .count = 0 };

  pthread_mutex_lock(&pool->lock);
  atomic_fetch_or(&pool->guard->gate, flag);
  tn_pool__dismiss(pool, &wakes);
  tn_pool__unlock(pool, &wakes);
}

static void
close_idle(tn_pool *pool)
{
  struct tn_pool_iterator i;

  for (i = tn_pool__first(pool); i.slot != NULL; tn_pool__next(&i)) {
    if (!tn_pool__move(i.slot, SLOT_IDLE, SLOT_BUSY))
      continue;
    atomic_fetch_sub(&pool->open, 1);
    tn_pool__retire(pool, i.slot);
  }

  /* A few instructions, if their thread has its processor. */
  for (i = tn_pool__first(pool); i.slot != NULL; tn_pool__next(&i))
    while (atomic_load(&i.slot->is_inside) != 0)
      sched_yield();
}

void
tn_pool_close(tn_pool **pool)
{
  tn_pool *closing;

  if (pool == NULL || *pool == NULL)
    return;
  closing = *pool;
  *pool = NULL;
  tn_pool__revive(closing);
  tn_pool__enter(closing);
  shut(closing, GATE_CLOSED);
  tn_pool__stop_thread(closing);
  close_idle(closing);
  pthread_mutex_lock(&closing->lock);
  closing->is_closed = true;
  pthread_mutex_unlock(&closing->lock);
  tn_pool__leave(closing);
}

static uint32_t
count_away(tn_pool *pool)
{
  struct tn_pool_iterator i;
  uint32_t count = 0;

  for (i = tn_pool__first(pool); i.slot != NULL; tn_pool__next(&i)) {
    uint32_t state = atomic_load(&i.slot->state);

    count += state == SLOT_LENT || state == SLOT_BUSY;
  }
  return count;
}

enum tn_code
tn_pool_drain(tn_pool *pool, tn_deadline deadline, tn_err *err)
{
  enum tn_code rc = TN_OK;

  tn_pool__revive(pool);
  tn_pool__enter(pool);
  shut(pool, GATE_DRAINING);
  for (;;) {
    uint32_t seen = atomic_load(&pool->drained);

    if (count_away(pool) == 0)
      break;
    if (tn_clock_now() >= deadline) {
      rc = tn_pool__undrained(pool, err);
      break;
    }
    tn_pool__sleep(&pool->drained, seen, deadline);
  }
  tn_pool__leave(pool);
  return rc;
}

/* ---- taking ---- */

/* Where something is stored for each loan it is compared first, if it is likely
 * the same as for the last one. */
static inline void
lend(tn_pool *pool, struct tn_pool_slot *slot, const struct tn_loan *loan,
     int64_t now, tn_conn **ret)
{
  struct hint *hint = &hints[pool->hint];
  const char *label = loan != NULL ? loan->label : NULL;
  uint32_t thread = tn_pool__thread();

  if (hint->slot != slot) {
    hint->pool = pool;
    hint->id = pool->id;
    hint->slot = slot;
  }
  atomic_store_explicit(&slot->since, now, memory_order_relaxed);
  atomic_store_explicit(&slot->label, label, memory_order_relaxed);
  atomic_store_explicit(&slot->thread, thread, memory_order_relaxed);
  atomic_store_explicit(
      &slot->takes,
      atomic_load_explicit(&slot->takes, memory_order_relaxed) + 1,
      memory_order_relaxed);
  tn_pool__tell(pool, TN_POOL_EVENT_TAKE, slot->conn, NULL);
  *ret = slot->conn;
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
    if (taking->is_to_connect)
      return tn_pool__connect(pool, taking->slot, taking->deadline,
                              taking->err);
    if (tn_pool__examine(pool, taking->slot, taking->deadline))
      return TN_OK;
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
    rc = tn_err_set(taking->err, TN_E_STATE,
                    "pool: it is closed or drained and lends nothing");
  else if (tn_clock_now() >= taking->deadline)
    rc = tn_pool__timeout(pool, taking->err);
  if (rc != TN_OK)
    tn_pool__put_back(pool, taking->slot, true);
  return rc;
}

/* Whatever is the matter. `slot` may be one that is LENT to the caller. */
static __attribute__((noinline)) enum tn_code
take_slowly(tn_pool *pool, struct tn_pool_slot *slot,
            const struct tn_loan *loan, tn_conn **ret, tn_err *err)
{
  struct tn_pool_taking taking = { .pool = pool, .slot = slot, .err = err };
  tn_err own;
  enum tn_code rc;

  tn_pool__revive(pool);
  tn_pool__enter(pool);
  taking.deadline = loan != NULL && loan->deadline != 0
                        ? loan->deadline
                        : tn_deadline_after_ms(pool->options.wait_ms);
  if (err == NULL)
    taking.err = &own;
  rc = obtain_in_time(&taking);
  if (rc == TN_OK) {
    taking.slot->conn->is_used = false;
    lend(pool, taking.slot, loan, tn_pool__now(), ret);
  }
  tn_pool__leave(pool);
  return rc;
}

/* The thread's last slot, or the first that is idle, LENT to it. */
static struct tn_pool_slot *
claim(const tn_pool *pool)
{
  const struct hint *hint = &hints[pool->hint];

  if (hint->pool == pool && hint->id == pool->id &&
      tn_pool__move(hint->slot, SLOT_IDLE, SLOT_LENT))
    return hint->slot;
  return tn_pool__claim_idle(pool);
}

/* Nothing of it needs a look. */
static bool
is_fresh(const tn_pool *pool, const struct tn_pool_slot *slot, int64_t now)
{
  return atomic_load_explicit(&slot->epoch, memory_order_relaxed) ==
             atomic_load_explicit(&pool->epoch, memory_order_acquire) &&
         now < slot->renew_at &&
         now - atomic_load_explicit(&slot->since, memory_order_relaxed) <
             pool->ping_after;
}

enum tn_code
tn_pool_take(tn_pool *pool, const struct tn_loan *loan, tn_conn **ret,
             tn_err *err)
{
  struct tn_pool_slot *slot = NULL;
  int64_t now;

  if (atomic_load(&pool->guard->gate) == GATE_ALIVE)
    slot = claim(pool);
  if (slot == NULL)
    return take_slowly(pool, slot, loan, ret, err);
  now = loan != NULL && loan->deadline != 0 ? tn_clock_now()
                                            : tn_pool__hot_now(pool);
  if (!is_fresh(pool, slot, now) ||
      (loan != NULL && loan->deadline != 0 && now >= loan->deadline))
    return take_slowly(pool, slot, loan, ret, err);
  lend(pool, slot, loan, now, ret);
  return TN_OK;
}

/* ---- giving ---- */

/* The slot is idle, and something was the matter: those who wait may not have
 * seen it, and a pool that is closed does not keep it. */
static void
look_again(tn_pool *pool, struct tn_pool_slot *slot)
{
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
  uint32_t gate =
      atomic_load_explicit(&pool->guard->gate, memory_order_relaxed);

  if (gate != GATE_ALIVE ||
      atomic_load_explicit(&slot->epoch, memory_order_relaxed) !=
          atomic_load_explicit(&pool->epoch, memory_order_relaxed) ||
      atomic_load_explicit(&pool->open, memory_order_relaxed) > pool->keep ||
      now >= slot->expires_at ||
      atomic_load_explicit(&slot->is_inside, memory_order_acquire) != 0)
    return false;
  atomic_store_explicit(&slot->since, now, memory_order_relaxed);
  atomic_store_explicit(&slot->is_inside, 1, memory_order_relaxed);
  atomic_store(&slot->state, SLOT_IDLE);
  if (atomic_load(&pool->guard->gate) != GATE_ALIVE)
    look_again(pool, slot);
  else
    atomic_store_explicit(&slot->is_inside, 0, memory_order_release);
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
tn_pool_give(tn_conn **conn)
{
  struct tn_pool_slot *slot;
  tn_pool *pool;
  bool is_good = true;

  if (conn == NULL || *conn == NULL)
    return;
  slot = returned(*conn);
  *conn = NULL;
  if (slot == NULL)
    return;
  pool = slot->pool;
  if (slot->conn->is_used)
    is_good = tn_pool__clean(pool, slot);
  tn_pool__tell(pool, TN_POOL_EVENT_GIVE, slot->conn, NULL);
  if (!is_good || !give_quickly(pool, slot, tn_pool__hot_now(pool)))
    tn_pool__put_back(pool, slot, is_good);
}

void
tn_pool_discard(tn_conn **conn)
{
  struct tn_pool_slot *slot;

  if (conn == NULL || *conn == NULL)
    return;
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
