/* Who gets a session next: the queue of those who wait, and the one place that
 * hands anything to them. */
#include "pool_priv.h"

#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "async_priv.h"

/* How often a thread that finds no session lets others run before it joins an
 * empty queue. Whoever has lost the processor while holding a session brings
 * it back by that; once there is a queue, every loan costs a change of
 * threads. */
#define TURNS 8

/* How often an asynchronous call looks for its turn if it has no descriptor. */
#define LOOK_NS (10 * NS_PER_MS)

/* How long a tick waits for a slot in which to connect for takes that have no
 * time to. */
#define RESERVE_NS (100 * NS_PER_MS)

/* ---- sleeping and waking ---- */

void
tn_pool__sleep(_Atomic uint32_t *word, uint32_t seen, tn_deadline until)
{
  struct timespec time = { .tv_sec = until / NS_PER_S,
                           .tv_nsec = until % NS_PER_S };

  /* Of this operation the time is absolute, on CLOCK_MONOTONIC. */
  syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, seen,
          until == TN_DEADLINE_NONE ? NULL : &time, NULL,
          FUTEX_BITSET_MATCH_ANY);
}

void
tn_pool__wake(_Atomic uint32_t *word)
{
  /* The word may be gone by now: then nobody is woken, or somebody for no
   * reason. */
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

void
tn_pool__unlock(tn_pool *pool, struct tn_pool_wakes *wakes)
{
  pthread_mutex_unlock(&pool->lock);
  for (unsigned i = 0; i < wakes->count; i++)
    tn_pool__wake(wakes->words[i]);
  wakes->count = 0;
}

/* Does waiting let something else run in this thread? */
static bool
is_cooperative(const tn_pool *pool)
{
  return tn_async__is_inside() || pool->options.wait != NULL;
}

/* ---- slots ---- */

struct tn_pool_iterator
tn_pool__first(const tn_pool *pool)
{
  struct tn_pool_iterator iterator = { .chunk = pool->first };

  iterator.left = atomic_load_explicit(&pool->used, memory_order_acquire);
  iterator.slot = iterator.left > 0 ? &pool->first->slots[0] : NULL;
  return iterator;
}

void
tn_pool__next(struct tn_pool_iterator *iterator)
{
  iterator->left--;
  iterator->at++;
  if (iterator->left == 0) {
    iterator->slot = NULL;
    return;
  }
  if (iterator->at == CHUNK_SLOTS) {
    iterator->chunk =
        atomic_load_explicit(&iterator->chunk->next, memory_order_acquire);
    iterator->at = 0;
  }
  iterator->slot = &iterator->chunk->slots[iterator->at];
}

struct tn_pool_slot *
tn_pool__claim_idle(const tn_pool *pool)
{
  struct tn_pool_iterator i;

  /* Always from the first: those that are not needed grow old. */
  for (i = tn_pool__first(pool); i.slot != NULL; tn_pool__next(&i))
    if (atomic_load(&i.slot->state) == SLOT_IDLE &&
        tn_pool__move(i.slot, SLOT_IDLE, SLOT_LENT))
      return i.slot;
  return NULL;
}

struct tn_pool_chunk *
tn_pool__new_chunk(void)
{
  void *memory = tn_memory_zalloc(sizeof(struct tn_pool_chunk) + 63);
  struct tn_pool_chunk *chunk;

  if (memory == NULL)
    return NULL;
  chunk = (void *)(((uintptr_t)memory + 63) & ~(uintptr_t)63);
  chunk->memory = memory;
  return chunk;
}

/* One slot more; NULL without memory. */
static struct tn_pool_slot *
add_slot(tn_pool *pool)
{
  uint32_t used = atomic_load(&pool->used);
  struct tn_pool_chunk *chunk = pool->first;
  struct tn_pool_slot *slot;
  uint32_t i;

  for (i = 0; i < used / CHUNK_SLOTS; i++) {
    struct tn_pool_chunk *next = atomic_load(&chunk->next);

    if (next == NULL) {
      next = tn_pool__new_chunk();
      if (next == NULL)
        return NULL;
      atomic_store_explicit(&chunk->next, next, memory_order_release);
    }
    chunk = next;
  }
  slot = &chunk->slots[used % CHUNK_SLOTS];
  slot->pool = pool;
  atomic_store_explicit(&pool->used, used + 1, memory_order_release);
  return slot;
}

static bool
is_full(const tn_pool *pool)
{
  return pool->occupied >= pool->limit;
}

/* There is room for one more. NULL: but no memory. */
static struct tn_pool_slot *
occupy(tn_pool *pool)
{
  struct tn_pool_iterator i = tn_pool__first(pool);

  while (i.slot != NULL && atomic_load(&i.slot->state) != SLOT_EMPTY)
    tn_pool__next(&i);
  if (i.slot == NULL)
    i.slot = add_slot(pool);
  if (i.slot == NULL)
    return NULL;
  atomic_store(&i.slot->state, SLOT_BUSY);
  pool->occupied++;
  pool->connecting++;
  atomic_fetch_add(&pool->open, 1);
  return i.slot;
}

/* Has it just refused one more session, for want of room? Those that there are
 * will come back. */
static bool
is_server_full(const tn_pool *pool)
{
  return pool->failure.code == TN_E_LIMIT &&
         atomic_load(&pool->open) > pool->connecting &&
         tn_clock_now() < pool->retry_at;
}

static bool
may_connect(const tn_pool *pool)
{
  uint32_t most = pool->options.connect_concurrency;

  return !is_full(pool) && (most == 0 || pool->connecting < most);
}

struct tn_pool_slot *
tn_pool__claim_empty(tn_pool *pool)
{
  return may_connect(pool) ? occupy(pool) : NULL;
}

bool
tn_pool__has_room(tn_pool *pool)
{
  bool has_room;

  pthread_mutex_lock(&pool->lock);
  has_room = pool->waiting == 0 &&
             (tn_pool__count_idle(pool) > 0 || may_connect(pool));
  pthread_mutex_unlock(&pool->lock);
  return has_room;
}

/* ---- the queue ---- */

static void
link_waiter(tn_pool *pool, struct tn_pool_waiter *waiter, bool is_first)
{
  struct tn_pool_waiter *next = is_first ? pool->head : NULL;
  struct tn_pool_waiter *previous = is_first ? NULL : pool->tail;

  waiter->next = next;
  waiter->previous = previous;
  *(next != NULL ? &next->previous : &pool->tail) = waiter;
  *(previous != NULL ? &previous->next : &pool->head) = waiter;
  pool->waiting++;
  atomic_fetch_add(&pool->guard->gate, GATE_WAITER);
}

void
tn_pool__join(tn_pool *pool, struct tn_pool_waiter *waiter)
{
  link_waiter(pool, waiter, false);
}

static void
unlink_waiter(tn_pool *pool, struct tn_pool_waiter *waiter)
{
  *(waiter->next != NULL ? &waiter->next->previous : &pool->tail) =
      waiter->previous;
  *(waiter->previous != NULL ? &waiter->previous->next : &pool->head) =
      waiter->next;
  pool->waiting--;
  atomic_fetch_sub(&pool->guard->gate, GATE_WAITER);
}

/* An asynchronous call is woken before it is told why, so that its descriptor
 * is still there: it does not go before. Until then it is woken again. */
static void
wake_call(const struct tn_pool_waiter *waiter)
{
  static const uint64_t one = 1;

  (void)!write(waiter->fd, &one, sizeof one);
}

/* Let the first one go. It may be gone at once. */
static void
grant(tn_pool *pool, enum grant what, struct tn_pool_slot *slot,
      struct tn_pool_wakes *wakes)
{
  struct tn_pool_waiter *waiter = pool->head;

  unlink_waiter(pool, waiter);
  waiter->slot = slot;
  if (waiter->fd >= 0) {
    wake_call(waiter);
  } else {
    if (wakes->count == WAKES) {
      for (unsigned i = 0; i < WAKES; i++)
        tn_pool__wake(wakes->words[i]);
      wakes->count = 0;
    }
    wakes->words[wakes->count++] = &waiter->grant;
  }
  atomic_store(&waiter->grant, what);
}

void
tn_pool__dismiss(tn_pool *pool, struct tn_pool_wakes *wakes)
{
  while (pool->head != NULL)
    grant(pool, GRANT_SHUT, NULL, wakes);
}

void
tn_pool__serve(tn_pool *pool, struct tn_pool_wakes *wakes)
{
  while (pool->head != NULL) {
    struct tn_pool_slot *slot = tn_pool__claim_idle(pool);

    if (slot != NULL) {
      grant(pool, GRANT_SESSION, slot, wakes);
      continue;
    }
    if (pool->occupied + pool->is_reserving >= pool->limit ||
        is_server_full(pool))
      break;
    if (tn_clock_now() < pool->retry_at) {
      grant(pool, GRANT_REFUSED, NULL, wakes);
      continue;
    }
    if (!may_connect(pool))
      break;
    slot = occupy(pool);
    grant(pool, slot != NULL ? GRANT_CONNECT : GRANT_MEMORY, slot, wakes);
  }
}

/* Under the lock, which is left meanwhile: takes that will have no time either
 * may be connecting in all slots, one after another. */
static void
wait_for_room(tn_pool *pool)
{
  tn_deadline until = tn_clock_now() + RESERVE_NS;

  pool->is_reserving = true;
  while (is_full(pool) && pool->connecting > 0 && tn_clock_now() < until) {
    uint32_t seen = atomic_load(&pool->drained);

    pthread_mutex_unlock(&pool->lock);
    tn_pool__sleep(&pool->drained, seen, until);
    pthread_mutex_lock(&pool->lock);
  }
  pool->is_reserving = false;
}

struct tn_pool_slot *
tn_pool__claim_reserved(tn_pool *pool)
{
  struct tn_pool_wakes wakes = { .count = 0 };
  struct tn_pool_slot *slot = NULL;

  pthread_mutex_lock(&pool->lock);
  if (tn_pool__count_idle(pool) >= pool->keep)
    pool->is_starved = false; /* no more */
  if (pool->is_starved && tn_clock_now() >= pool->retry_at) {
    pool->is_starved = false;
    if (!is_cooperative(pool)) /* else those that connect wait for us */
      wait_for_room(pool);
    if ((atomic_load(&pool->guard->gate) & (GATE_CLOSED | GATE_DRAINING)) ==
            0 &&
        !is_full(pool))
      slot = occupy(pool);
    if (slot == NULL)
      tn_pool__serve(pool, &wakes);
  }
  tn_pool__unlock(pool, &wakes);
  return slot;
}

/* ---- a take's turn ---- */

static enum tn_code
shut(tn_err *err)
{
  return tn_err_set(err, TN_E_STATE,
                    "pool: it is closed or drained and lends nothing");
}

static void
note_wait(tn_pool *pool, int64_t waited)
{
  int64_t bound = 100000;
  unsigned i = 0;

  for (; i < TN_POOL_WAIT_BUCKETS - 1 && waited >= bound; i++)
    bound *= 4;
  pool->histogram[i]++;
  pool->wait_ns += (uint64_t)waited;
}

/* Until when to sleep: to be served at all, or to see if the server has room
 * again. */
static tn_deadline
next_look(const struct tn_pool_taking *taking)
{
  tn_pool *pool = taking->pool;
  tn_deadline until = taking->patience;

  pthread_mutex_lock(&pool->lock);
  if (is_server_full(pool) && pool->retry_at < until)
    until = pool->retry_at;
  pthread_mutex_unlock(&pool->lock);
  return until;
}

static void
serve_again(tn_pool *pool)
{
  struct tn_pool_wakes wakes = { .count = 0 };

  pthread_mutex_lock(&pool->lock);
  tn_pool__serve(pool, &wakes);
  tn_pool__unlock(pool, &wakes);
}

/* Sleep until something was granted, or for no reason. False: the asynchronous
 * call that waits has been canceled, or the application's wait has failed. */
static bool
sleep_on(const tn_pool *pool, struct tn_pool_waiter *waiter, tn_deadline until)
{
  const struct tn_pool_options *options = &pool->options;
  tn_deadline look;

  if (!is_cooperative(pool)) {
    tn_pool__sleep(&waiter->grant, GRANT_NONE, until);
    return true;
  }
  look = tn_clock_now() + LOOK_NS;
  if (waiter->fd < 0 && look < until)
    until = look;
  return (options->wait != NULL
              ? options->wait(waiter->fd, TN_WAIT_READ, until,
                              options->wait_user)
              : tn_async_wait(waiter->fd, TN_WAIT_READ, until, NULL)) >= 0;
}

/* Sleep until something was granted or it is too late; then it no longer
 * stands in the queue. `*ret_is_canceled`: somebody has ended the sleep. */
static enum grant
wait_for_grant(struct tn_pool_taking *taking, struct tn_pool_waiter *waiter,
               bool *ret_is_canceled)
{
  tn_pool *pool = taking->pool;
  int64_t start = tn_clock_now();
  int64_t now = start;
  uint32_t what = atomic_load(&waiter->grant);
  bool may_wait = now < taking->patience;
  bool is_patient = true;

  if (what != GRANT_NONE)
    return (enum grant)what;
  if (may_wait)
    tn_pool__count(pool, COUNT_WAITS);
  while (what == GRANT_NONE && now < taking->patience && is_patient) {
    tn_deadline until = next_look(taking);

    is_patient = sleep_on(pool, waiter, until);
    now = tn_clock_now();
    if (now >= until && until < taking->patience)
      serve_again(pool);
    what = atomic_load(&waiter->grant);
  }
  pthread_mutex_lock(&pool->lock);
  what = atomic_load(&waiter->grant);
  if (what == GRANT_NONE)
    unlink_waiter(pool, waiter);
  if (may_wait)
    note_wait(pool, now - start);
  pthread_mutex_unlock(&pool->lock);
  *ret_is_canceled = !is_patient;
  return (enum grant)what;
}

/* The threads that hold sessions may only need a processor. */
static bool
look_around(struct tn_pool_taking *taking)
{
  tn_pool *pool = taking->pool;

  for (int i = 0; i < TURNS; i++) {
    if (atomic_load(&pool->guard->gate) != GATE_ALIVE ||
        atomic_load_explicit(&pool->open, memory_order_relaxed) < pool->limit)
      return false;
    taking->slot = tn_pool__claim_idle(pool);
    if (taking->slot != NULL)
      return true;
    sched_yield();
  }
  return false;
}

enum tn_code
tn_pool__acquire(struct tn_pool_taking *taking)
{
  struct tn_pool_wakes wakes = { .count = 0 };
  struct tn_pool_waiter waiter = { .fd = -1 };
  tn_pool *pool = taking->pool;
  bool is_canceled = false;
  enum grant what;

  taking->is_to_connect = false;
  if (!taking->is_served && look_around(taking))
    return TN_OK;
  pthread_mutex_lock(&pool->lock);
  if ((atomic_load(&pool->guard->gate) & (GATE_CLOSED | GATE_DRAINING)) != 0) {
    pthread_mutex_unlock(&pool->lock);
    return shut(taking->err);
  }
  if (is_cooperative(pool))
    waiter.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  link_waiter(pool, &waiter, taking->is_served);
  tn_pool__serve(pool, &wakes);
  tn_pool__unlock(pool, &wakes);
  what = wait_for_grant(taking, &waiter, &is_canceled);
  if (waiter.fd >= 0)
    close(waiter.fd);
  taking->is_served = true;
  taking->slot = waiter.slot;
  switch (what) {
  case GRANT_SESSION:
    return TN_OK;
  case GRANT_CONNECT:
    taking->is_to_connect = true;
    return TN_OK;
  case GRANT_REFUSED:
    return tn_pool__refusal(pool, taking->err);
  case GRANT_SHUT:
    return shut(taking->err);
  case GRANT_MEMORY:
    return tn_err_memory(taking->err, "pool");
  case GRANT_NONE:
    break;
  }
  if (is_canceled || tn_async__is_canceled())
    return tn_err_set(taking->err, TN_E_CANCELED, "pool: canceled");
  return tn_pool__timeout(pool, taking->err);
}
