/* What the files of the pool share.
 *
 * A session stands in a slot, whose state says who may touch it:
 *
 *   EMPTY  nobody: there is no session. Changed under the lock only.
 *   IDLE   nobody: whoever turns it into LENT or BUSY has it.
 *   LENT   the borrower
 *   BUSY   the thread that connects or closes it
 *
 * Taking is IDLE to LENT, giving LENT to IDLE, each one compare-and-swap and no
 * lock, as long as the gate says that nothing is the matter. A giver looks at
 * the gate once more when the slot is IDLE; a waiter is counted in the gate
 * first and looks for idle slots afterwards. So one of them sees the other, and
 * no slot stays idle while somebody sleeps.
 *
 * The lock guards the queue and all counts. It is never held while the backend,
 * the application or the network is called. */
#ifndef TENON_POOL_PRIV_H
#define TENON_POOL_PRIV_H

#include <pthread.h>
#include <tenon/pool.h>
#include <time.h>

#include "db_priv.h"

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S  INT64_C(1000000000)

enum slot_state {
  SLOT_EMPTY = 0,
  SLOT_IDLE,
  SLOT_LENT,
  SLOT_BUSY,
};

/* The gate: nothing but ALIVE is the matter, or what is, or how many wait. It
 * reads 0 in a child after fork, whose pool is to be born again first. */
#define GATE_ALIVE    1u
#define GATE_CLOSED   2u
#define GATE_DRAINING 4u
#define GATE_BIRTH    8u  /* another thread is at it */
#define GATE_UNSURE   16u /* the page is not wiped: never go the short way */
#define GATE_WAITER   256u

/* In a page that the kernel wipes in a child. */
struct tn_pool_guard {
  _Atomic uint32_t gate;
  _Atomic uint32_t birth; /* not 0: which process' sessions are good */
};

/* What a take and a give touch stands in the first line of the cache. */
struct tn_pool_slot {
  _Alignas(64) _Atomic uint32_t state;
  _Atomic uint32_t thread; /* the borrower's */
  tn_conn *conn;
  tn_pool *pool;
  _Atomic int64_t since; /* idle or lent */
  _Atomic(const char *) label;
  _Atomic uint64_t takes;
  int64_t renew_at;       /* replaced when next lent */
  int64_t expires_at;     /* closed when next given; INT64_MAX: never */
  _Atomic uint32_t epoch; /* pool->epoch when it was last known to be good */
  uint32_t generation;    /* pool->generation when it was opened */
  _Atomic uint32_t is_inside; /* a giver has yet to look at the gate; until
                                 then the pool must stay */
  int32_t socket;             /* of the session; -1: none */
  int64_t rested_at;          /* when it became idle, if it has one */
  _Atomic uint64_t told;      /* `takes` of the loan that was last told of as a
                                 leak */
};

/* A connect that was given up after that long was the server's fault. What the
 * pool tries for its own ends has less, and is nobody's. */
#define TN_POOL_LATE_MS 1000

#define CHUNK_SLOTS 32

/* Slots are made as they are needed, and stay. */
struct tn_pool_chunk {
  struct tn_pool_slot slots[CHUNK_SLOTS];
  struct tn_pool_chunk *_Atomic next;
  void *memory;
};

/* How the wait of a take ended. */
enum grant {
  GRANT_NONE = 0, /* not yet */
  GRANT_SESSION,  /* `slot` is LENT to it */
  GRANT_CONNECT,  /* `slot` is BUSY: connect */
  GRANT_REFUSED,  /* connecting has failed a moment ago */
  GRANT_SHUT,     /* the pool is closed or drained */
  GRANT_MEMORY,   /* there is none for a slot */
};

struct tn_pool_waiter {
  struct tn_pool_waiter *next;
  struct tn_pool_waiter *previous;
  struct tn_pool_slot *slot;
  _Atomic uint32_t grant; /* enum grant; it sleeps on this */
  int fd; /* of an asynchronous call: an eventfd in place of that; or -1 */
};

/* Who is to be woken once the lock has been left. */
#define WAKES 16
struct tn_pool_wakes {
  _Atomic uint32_t *words[WAKES];
  unsigned count;
};

enum tn_pool_count {
  COUNT_WAITS,
  COUNT_TIMEOUTS,
  COUNT_REFUSED,
  COUNT_CONNECTS,
  COUNT_CONNECT_FAILURES,
  COUNT_CLOSES,
  COUNT_PINGS,
  COUNT_PING_FAILURES,
  COUNT_ROLLBACKS,
  COUNT_RESETS,
  COUNT_GIVE_FAILURES,
  COUNT_RECYCLED,
  COUNT_IDLED,
  COUNT_INVALIDATED,
  COUNT_LEAKS,
  COUNT_COUNT
};

enum tn_pool_event {
  TN_POOL_EVENT_CONNECT = 1, /* `conn` NULL: it failed with `err` */
  TN_POOL_EVENT_TAKE,        /* about to be lent */
  TN_POOL_EVENT_GIVE,        /* no longer lent */
  TN_POOL_EVENT_RESET,       /* `err` NULL: it worked */
  TN_POOL_EVENT_INVALIDATE,  /* without a connection */
  TN_POOL_EVENT_CLOSE,       /* about to be closed */
};

/* Called in the thread that does it, without a lock. */
typedef void (*tn_pool_hook_fn)(void *user, enum tn_pool_event event,
                                tn_conn *conn, const tn_err *err);

/* Called by tn_pool_tick() at its end, without a lock. */
typedef void (*tn_pool_tick_fn)(void *user);

struct tn_pool {
  /* Read by every take and give, written rarely. */
  struct tn_pool_guard *guard;
  uint64_t id;    /* with the address: not that of an earlier pool */
  unsigned hint;  /* which of a thread's hints is this pool's */
  uint32_t keep;  /* sessions kept open while nobody has them */
  uint32_t limit; /* slots at most */
  int64_t ping_after;
  _Atomic(tn_pool_hook_fn) hook;
  void *_Atomic hook_user;
  void (*end)(void *user); /* when the pool is released; NULL: none */
  void *end_user;
  _Atomic uint32_t open;  /* sessions there are and that are to stay; written
                             under the lock */
  _Atomic uint32_t used;  /* slots there are */
  _Atomic uint32_t epoch; /* counts invalidations and suspicions */
  _Atomic uint32_t generation; /* counts invalidations */
  struct tn_pool_chunk *first;
  _Atomic int64_t clock; /* the time as the pool's thread last saw it, a second
                            ago at most; 0: look yourself */

  _Alignas(64) pthread_mutex_t lock;
  struct tn_pool_waiter *head;
  struct tn_pool_waiter *tail;
  uint32_t waiting;
  uint32_t connecting; /* of connect_concurrency */
  uint32_t occupied;   /* slots that are not EMPTY */
  uint32_t inherited;  /* loans of the parent that may come back */
  uint32_t users;      /* threads that are inside a slow call */
  bool is_closed;
  bool is_starved;   /* a take had no time to connect; until a tick looks */
  bool is_reserving; /* the next slot that becomes empty is a tick's */
  _Atomic uint32_t drained; /* changes when something comes back; drains sleep
                               on it */
  uint32_t birth;           /* a copy of guard->birth, not wiped */
  int64_t failed_at;        /* when connecting last failed; 0: never */
  int64_t retry_at;
  uint64_t retry_ms; /* the present window; 0: connecting last worked */
  tn_err failure;
  uint64_t seed;
  uint64_t wait_ns;
  uint64_t histogram[TN_POOL_WAIT_BUCKETS];
  struct tn_pool_options options;
  struct tn_log log;
  bool has_log;
  bool is_wiped; /* the page is really wiped; else `process` tells a child */
  int process;
  _Atomic uint64_t counts[COUNT_COUNT];
  _Atomic uint64_t conn_counts[CONN_COUNT_COUNT]; /* of all its sessions */

  /* The pool's own thread. */
  _Atomic(tn_pool_tick_fn) tick; /* NULL: none */
  void *_Atomic tick_user;
  bool has_thread;
  pthread_t thread;
  _Atomic uint32_t is_stopping;
  void *memory; /* what was allocated */
};

/* A take in its slow part. */
struct tn_pool_taking {
  tn_pool *pool;
  tn_deadline deadline;
  tn_deadline patience;      /* until then it waits for others to give back */
  struct tn_pool_slot *slot; /* NULL: none yet */
  bool is_to_connect;        /* the slot is BUSY */
  bool is_served;            /* it had its turn; it goes back to the front */
  tn_err *err;               /* never NULL */
};

/* CLOCK_MONOTONIC, late by some milliseconds at most, for very little. */
static inline int64_t
tn_pool__now(void)
{
  struct timespec now = { 0 };

  clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* The same for a take and a give, of whose time reading a clock would be half.
 * The pool's thread, if it has one, does it for all. */
static inline int64_t
tn_pool__hot_now(const tn_pool *pool)
{
  int64_t now = atomic_load_explicit(&pool->clock, memory_order_relaxed);

  return now != 0 ? now : tn_pool__now();
}

static inline void
tn_pool__count(tn_pool *pool, enum tn_pool_count count)
{
  atomic_fetch_add_explicit(&pool->counts[count], 1, memory_order_relaxed);
}

static inline void
tn_pool__tell(const tn_pool *pool, enum tn_pool_event event, tn_conn *conn,
              const tn_err *err)
{
  tn_pool_hook_fn hook = atomic_load(&pool->hook);

  if (hook != NULL)
    hook(atomic_load(&pool->hook_user), event, conn, err);
}

static inline bool
tn_pool__move(struct tn_pool_slot *slot, uint32_t from, uint32_t to)
{
  return atomic_compare_exchange_strong(&slot->state, &from, to);
}

/* All slots, in order: `for (i = TN_POOL_FIRST(pool); i.slot != NULL;
 * tn_pool__next(&i))`. */
struct tn_pool_iterator {
  struct tn_pool_chunk *chunk;
  uint32_t at;   /* in the chunk */
  uint32_t left; /* slots from here on */
  struct tn_pool_slot *slot;
};
struct tn_pool_iterator tn_pool__first(const tn_pool *pool);
void tn_pool__next(struct tn_pool_iterator *iterator);

/* A thread's last slot of a pool, which is likely idle and in its cache. */
struct tn_pool_hint {
  const tn_pool *pool;
  uint64_t id;
  struct tn_pool_slot *slot;
  uint32_t thread; /* its number, if there was a loan */
};

#define TN_POOL_HINTS 4

extern _Thread_local struct tn_pool_hint tn_pool__hints[TN_POOL_HINTS];

/* ---- pool_open.c ---- */

/* Call `end(user)` when the pool is released, which is when it was closed and
 * its last loan is over. Before anything is lent. */
void tn_pool__set_end(tn_pool *pool, void (*end)(void *user), void *user);

/* See events from now on. */
void tn_pool__set_hook(tn_pool *pool, tn_pool_hook_fn hook, void *user);

/* Have it called by each tick from now on. */
void tn_pool__set_tick(tn_pool *pool, tn_pool_tick_fn tick, void *user);

/* A slow call begins and ends; the last one out releases a closed pool. */
void tn_pool__enter(tn_pool *pool);
void tn_pool__leave(tn_pool *pool);

/* ---- pool_loan.c: what a take and a give end with ---- */

/* tn_pool_take(), the same with a slot that is LENT to the caller, with one of
 * those that needs a look, and tn_pool_give(). */
enum tn_code tn_pool__take_any(tn_pool *pool, const struct tn_loan *loan,
                               tn_conn **ret, tn_err *err);
enum tn_code tn_pool__take_claimed(tn_pool *pool, struct tn_pool_slot *slot,
                                   const struct tn_loan *loan, tn_conn **ret,
                                   tn_err *err);
enum tn_code tn_pool__take_slowly(tn_pool *pool, struct tn_pool_slot *slot,
                                  const struct tn_loan *loan, tn_conn **ret,
                                  tn_err *err);
void tn_pool__give_slowly(tn_conn *conn);

/* The slot is idle, and something was the matter: those who wait may not have
 * seen it, and a pool that is closed does not keep it. */
void tn_pool__look_again(struct tn_pool_slot *slot);

/* The calling thread is another one: the process is new. */
void tn_pool__forget_thread(void);

/* ---- pool_queue.c: who is next ---- */

/* The two functions by which a thread waits for another. sleep() returns when
 * `*word` is no longer `seen`, at `until`, or for no reason. */
void tn_pool__sleep(_Atomic uint32_t *word, uint32_t seen, tn_deadline until);
void tn_pool__wake(_Atomic uint32_t *word);

/* NULL without memory. The first one is made with the pool. */
struct tn_pool_chunk *tn_pool__new_chunk(void);

/* An idle slot, the first there is, LENT to the caller; or NULL. */
struct tn_pool_slot *tn_pool__claim_idle(const tn_pool *pool);

/* Under the lock: be the last in the queue. */
void tn_pool__join(tn_pool *pool, struct tn_pool_waiter *waiter);

/* Under the lock: give what there is to those who wait, in order. */
void tn_pool__serve(tn_pool *pool, struct tn_pool_wakes *wakes);

/* Under the lock: nobody is to wait any more. */
void tn_pool__dismiss(tn_pool *pool, struct tn_pool_wakes *wakes);

/* Under the lock: a BUSY slot for a session that nobody waits for; or NULL. */
struct tn_pool_slot *tn_pool__claim_empty(tn_pool *pool);

/* If takes had no time to connect since the last call: a BUSY slot to do it for
 * them, whatever others are connecting; or NULL. Waits a moment for one. */
struct tn_pool_slot *tn_pool__claim_reserved(tn_pool *pool);

/* Could a session be lent now that nobody else waits for? */
bool tn_pool__has_room(tn_pool *pool);

/* Leave the lock and wake them. */
void tn_pool__unlock(tn_pool *pool, struct tn_pool_wakes *wakes);

/* Find a slot, in turn. Fails as tn_pool_take(). */
enum tn_code tn_pool__acquire(struct tn_pool_taking *taking);

/* From now on, of connecting where no deadline is named. */
tn_deadline tn_pool__deadline(const tn_pool *pool);

/* ---- pool_session.c: sessions of slots ---- */

/* Open a session for a slot that is BUSY: it is LENT afterwards, or EMPTY when
 * this fails. */
enum tn_code tn_pool__connect(tn_pool *pool, struct tn_pool_slot *slot,
                              tn_deadline deadline, tn_err *err);

/* Is the LENT slot's session fit to be lent? Else it has been closed. */
bool tn_pool__examine(tn_pool *pool, struct tn_pool_slot *slot,
                      tn_deadline deadline);

/* Bring a used session back to what it was. False: close it. */
bool tn_pool__clean(tn_pool *pool, struct tn_pool_slot *slot);

/* Close the session of a slot that is BUSY and not counted in `open` any more.
 * The pool may be gone afterwards, unless the caller is inside. */
void tn_pool__retire(tn_pool *pool, struct tn_pool_slot *slot);

/* LENT to IDLE or closed, whatever is the matter. */
void tn_pool__put_back(tn_pool *pool, struct tn_pool_slot *slot, bool is_good);

/* Others of that age may be dead as well: ping before lending. */
void tn_pool__suspect(tn_pool *pool, const struct tn_pool_slot *slot);

/* ---- pool_report.c ---- */

/* TN_E_TIMEOUT with all that is known. Without the lock. */
enum tn_code tn_pool__timeout(tn_pool *pool, tn_err *err);

/* The same of a drain. */
enum tn_code tn_pool__undrained(tn_pool *pool, tn_err *err);

/* Connecting failed a moment ago: the error of then. Without the lock. */
enum tn_code tn_pool__refusal(tn_pool *pool, tn_err *err);

/* Tell of loans that last too long. */
void tn_pool__tell_leaks(tn_pool *pool);

/* ---- pool_tick.c ---- */

/* The sessions that nobody has. */
uint32_t tn_pool__count_idle(const tn_pool *pool);

/* See that there is a session, whether connecting has failed a moment ago or
 * not. `err` is not NULL. */
enum tn_code tn_pool__warm(tn_pool *pool, tn_deadline deadline, tn_err *err);

enum tn_code tn_pool__start_thread(tn_pool *pool, tn_err *err);
void tn_pool__stop_thread(tn_pool *pool);

/* ---- pool_fork.c ---- */

/* The page of a pool that is opened. */
enum tn_code tn_pool__guard(tn_pool *pool, tn_err *err);
void tn_pool__unguard(tn_pool *pool);

/* If this is a child whose pool is still the parent's: empty it. Every call
 * that finds the gate other than GATE_ALIVE begins with this. */
void tn_pool__revive(tn_pool *pool);

/* A connection of the parent's is given back in a child. */
void tn_pool__give_inherited(tn_pool *pool, tn_conn *conn);

/* ---- what a take and a give are made of ---- */

/* Has something come on the socket of an idle session? It may be the end, or
 * harmless: a ping reads it, and says. Of one that became idle in this tick of
 * the clock, a few milliseconds, the kernel is not asked. */
static inline bool
tn_pool__has_news(const struct tn_pool_slot *slot)
{
  return slot->socket >= 0 && slot->rested_at != tn_pool__now() &&
         !tn_traffic__is_quiet(slot->socket);
}

/* It may be lent as it is, as far as its age tells. */
static inline bool
tn_pool__is_young(const tn_pool *pool, const struct tn_pool_slot *slot,
                  int64_t now)
{
  return atomic_load_explicit(&slot->epoch, memory_order_relaxed) ==
             atomic_load_explicit(&pool->epoch, memory_order_acquire) &&
         now < slot->renew_at &&
         now - atomic_load_explicit(&slot->since, memory_order_relaxed) <
             pool->ping_after;
}

/* Nothing of it needs a look. */
static inline bool
tn_pool__is_fresh(const tn_pool *pool, const struct tn_pool_slot *slot,
                  int64_t now)
{
  return tn_pool__is_young(pool, slot, now) && !tn_pool__has_news(slot);
}

static inline void
tn_pool__note_loan(struct tn_pool_slot *slot, const struct tn_loan *loan,
                   int64_t now, uint32_t thread)
{
  uint64_t takes = atomic_load_explicit(&slot->takes, memory_order_relaxed);

  atomic_store_explicit(&slot->since, now, memory_order_relaxed);
  atomic_store_explicit(&slot->label, loan != NULL ? loan->label : NULL,
                        memory_order_relaxed);
  atomic_store_explicit(&slot->thread, thread, memory_order_relaxed);
  atomic_store_explicit(&slot->takes, takes + 1, memory_order_relaxed);
}

/* LENT to IDLE. Once it is that, only `is_inside` keeps the pool there. */
static inline void
tn_pool__make_idle(struct tn_pool_slot *slot, int64_t now)
{
  const tn_pool *pool = slot->pool;

  atomic_store_explicit(&slot->since, now, memory_order_relaxed);
  atomic_store_explicit(&slot->is_inside, 1, memory_order_relaxed);
  atomic_store(&slot->state, SLOT_IDLE);
  if (atomic_load(&pool->guard->gate) != GATE_ALIVE)
    tn_pool__look_again(slot);
  else
    atomic_store_explicit(&slot->is_inside, 0, memory_order_release);
}

#endif
