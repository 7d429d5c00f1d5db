/* A pool's beginning and end: its options, and who releases it last. */
#include "pool_priv.h"

#include <sched.h>
#include <tenon/async.h>

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
  TIME(wait_ms, 0),    TIME(idle_ms, 0),       TIME(lifetime_ms, 0),
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
  if (options->wait == tn_async_wait)
    options->wait = NULL; /* as is done without, and `wait_user` is not its */
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
  pool->hint =
      (unsigned)(((uintptr_t)memory >> 4) * 2654435761u >> 16) % TN_POOL_HINTS;
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
  void (*end)(void *user) = pool->end;
  void *end_user = pool->end_user;

  while (chunk != NULL) {
    struct tn_pool_chunk *next = atomic_load(&chunk->next);

    tn_memory_free(chunk->memory);
    chunk = next;
  }
  tn_pool__unguard(pool);
  pthread_mutex_destroy(&pool->lock);
  tn_memory_free(pool->memory);
  if (end != NULL)
    end(end_user);
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
tn_pool__set_end(tn_pool *pool, void (*end)(void *user), void *user)
{
  pool->end = end;
  pool->end_user = user;
}

void
tn_pool__set_hook(tn_pool *pool, tn_pool_hook_fn hook, void *user)
{
  atomic_store(&pool->hook_user, user);
  atomic_store(&pool->hook, hook);
}

void
tn_pool__set_tick(tn_pool *pool, tn_pool_tick_fn tick, void *user)
{
  atomic_store(&pool->tick_user, user);
  atomic_store(&pool->tick, tick);
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
