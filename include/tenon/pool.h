/* Connections that are lent, one thread at a time, and kept open in between.
 *
 * A pool opens connections by a function of the caller's, so it knows neither
 * URLs nor configuration. All functions are thread-safe but tn_pool_close().
 *
 * Whoever finds no connection joins a queue, and is served strictly in the
 * order of joining: nobody who comes later gets a connection before. Before it
 * joins an empty queue, a thread looks around for a few turns of the
 * processor, in which it is no waiter yet.
 *
 * After fork() the pool is empty in the child and goes on in the parent. The
 * child's first use of it starts a thread there, if the pool has one, which
 * calls the log and hooks: none of their locks may be held at the fork. A
 * connection that is lent to the forking thread cannot be used in the child:
 * calls fail with TN_E_LOST. Nothing of what the parent has opened is closed
 * on the wire by a child. Rows of a result that was open must not be read
 * there. Memory and descriptors of what other threads had on loan stay. */
#ifndef TENON_POOL_H
#define TENON_POOL_H

#include <tenon/conn.h>

TN_BEGIN_DECLS

typedef struct tn_pool tn_pool;

/* What becomes of a connection that is given back. */
enum tn_pool_kind {
  TN_POOL_QUEUE = 1, /* it is kept, and lent again */
  TN_POOL_NULL,      /* it is closed; each loan opens one */
  TN_POOL_STATIC,    /* there is one, lent to one at a time and never replaced
                        for its age: a database in memory lives in it */
};

/* When the session is reset at give: tn_conn_reset(). */
enum tn_pool_reset {
  TN_RESET_TOUCHED = 1, /* if a setter of tn_conn was called, or a statement
                           ran that is not SELECT, INSERT, UPDATE, DELETE, their
                           kin or about a transaction; or such a one that has
                           SELECT … INTO, `:=` or the name of a function that
                           the backend knows to lock or to set something. What
                           other functions change needs TN_RESET_ALWAYS */
  TN_RESET_NEVER,
  TN_RESET_ALWAYS, /* if it was used at all */
};

/* Open a connection until `deadline`, TN_DEADLINE_NONE for none. It is the
 * pool's then. Called without a lock, by several threads at once. */
typedef enum tn_code (*tn_pool_connect_fn)(void *user, tn_deadline deadline,
                                           tn_conn **ret, tn_err *err);

/* Begin with TN_POOL_OPTIONS_INIT and set `connect`. Times are milliseconds;
 * 0 switches off what a time is for. Grows at its end. */
struct tn_pool_options {
  size_t struct_size; /* sizeof(struct tn_pool_options) */
  tn_pool_connect_fn connect;
  void *user;
  const struct tn_log *log;     /* copied; NULL: silent */
  uint32_t kind;                /* enum tn_pool_kind */
  uint32_t reset;               /* enum tn_pool_reset */
  uint32_t size;                /* connections that are kept while nobody has
                                   them; 0: no limit */
  int32_t overflow;             /* how many more may be open while all are lent;
                                   one that is given back is closed if `size`
                                   others are kept by then and nobody waits;
                                   -1: no limit */
  uint32_t min_idle;            /* how many tn_pool_tick() keeps ready */
  uint32_t connect_concurrency; /* opened at once; 0: no limit */
  uint64_t wait_ms;             /* of a loan that names no deadline: for others
                                   to give back, and for connecting; 0: waits
                                   for nobody, and connects within 30 seconds */
  uint64_t idle_ms;       /* closed by tn_pool_tick() when unused for so long,
                             down to min_idle */
  uint64_t lifetime_ms;   /* each lives 0 to 10 % shorter, so that they do not
                             end together */
  uint64_t recycle_ms;    /* older ones are replaced when next lent */
  uint64_t ping_after_ms; /* see if it is alive when unused for so long, or if
                             something waits on its socket, such as its end;
                             1: always, or nearly */
  uint64_t leak_ms;       /* tell of a loan that lasts longer */
  uint64_t give_ms;       /* at most, for rollback and reset at give; not 0 */
  uint64_t retry_min_ms;  /* after connecting has failed, who would have to
                             connect fails at once, with the same error, for so
                             long; doubled by each further failure */
  uint64_t retry_max_ms;  /* up to this */
  uint64_t tick_ms;       /* a thread of the pool calls tn_pool_tick() this
                             often; else the application does */
  tn_wait_fn wait;        /* for a turn, as in struct tn_conn_options; `connect`
                             has its own */
  void *wait_user;
};

#define TN_POOL_OPTIONS_INIT                                                   \
  {                                                                            \
    .struct_size = sizeof(struct tn_pool_options), .connect = NULL,            \
    .user = NULL, .log = NULL, .kind = TN_POOL_QUEUE,                          \
    .reset = TN_RESET_TOUCHED, .size = 5, .overflow = 0, .min_idle = 0,        \
    .connect_concurrency = 8, .wait_ms = 30000, .idle_ms = 600000,             \
    .lifetime_ms = 1800000, .recycle_ms = 0, .ping_after_ms = 30000,           \
    .leak_ms = 0, .give_ms = 5000, .retry_min_ms = 100, .retry_max_ms = 1000,  \
    .tick_ms = 0, .wait = NULL, .wait_user = NULL                              \
  }

/* A pool without a connection yet. `options` is copied, its `user` must
 * outlive the pool. `*ret` is the caller's until tn_pool_close().
 * Fails: TN_E_USAGE, naming the option; TN_E_MEMORY; TN_E_LIMIT, no thread. */
TN_API TN_MUST_USE enum tn_code tn_pool_open(
    const struct tn_pool_options *options, tn_pool **ret, tn_err *err);

/* Close what is not lent; what is lent is closed when it is given back, at any
 * time later. Who waits fails with TN_E_STATE. Waits for nobody, but for the
 * pool's own thread if that is just opening a connection or asking for a plan.
 * Stores NULL; NULL in either place is a no-op.
 * No other thread may be about to call in, other than to give back: call
 * tn_pool_drain() first where that is not known. */
TN_API void tn_pool_close(tn_pool **pool);

/* Lend nothing from now on, and wait until all is given back: who waits, and
 * every later take, fails with TN_E_STATE. `deadline` 0: do not wait.
 * Fails: TN_E_TIMEOUT, some are still lent: `detail` says to whom and for how
 * long. May be called again. */
TN_API TN_MUST_USE enum tn_code tn_pool_drain(tn_pool *pool,
                                              tn_deadline deadline,
                                              tn_err *err);

/* Who borrows, and until when that must have been granted. */
struct tn_loan {
  const char *label;    /* for reports: a literal, or else it outlives the
                           pool; NULL: none */
  tn_deadline deadline; /* of waiting, connecting and pinging together; 0: the
                           pool's wait_ms from now */
  const char *traceparent; /* OpenTelemetry's, as in the HTTP header of that
                              name: for the comments of connection_trace;
                              copied; NULL: none. Each statement is prepared
                              anew with it: some 10 us with SQLite, some trips
                              to a server */
};

/* Lend a connection. When the server has no room for one more (TN_E_LIMIT),
 * what is open must do: the take waits for one of those, and the server is
 * asked again now and then. `loan` may be NULL. `*ret` is the caller's until
 * tn_pool_give() or tn_pool_discard(); tn_conn_close() is the latter. Dead and
 * outdated ones are replaced without a word.
 * Fails: TN_E_TIMEOUT, in the queue or in connecting, with the counts and the
 * longest holder in the message and the last failure to connect in `detail`:
 * nothing was run, so it may be taken again; TN_E_STATE, after a drain or
 * close; TN_E_USAGE, the traceparent is none; what the pool's `connect`
 * returns, perhaps of a moment ago. */
TN_API TN_MUST_USE enum tn_code tn_pool_take(tn_pool *pool,
                                             const struct tn_loan *loan,
                                             tn_conn **ret, tn_err *err);

/* Give a connection back, from any thread, and store NULL; NULL in either
 * place is a no-op. What is open on it is closed, an open transaction is
 * rolled back, and what was set is reset, in give_ms at most; a connection
 * with which that fails is closed. Prepared statements and results become
 * unusable but must still be closed; nobody may cancel it any more.
 * Once more by another pointer: a no-op that is logged, while the connection
 * waits to be lent again; later it is the next borrower's. A connection that
 * no pool has lent is closed. */
TN_API void tn_pool_give(tn_conn **conn);

/* The same, but close it. */
TN_API void tn_pool_discard(tn_conn **conn);

/* Replace everything that is open now: what is lent when it is given back, the
 * rest when it is next to be lent, or by tn_pool_tick(). */
TN_API void tn_pool_invalidate(tn_pool *pool);

/* Do what is due: close what is unused for too long, too old or invalidated,
 * open up to min_idle, tell of leaks. Where the deadline of a take has ended
 * while it was connecting, connect for it, for as long as a take that names no
 * deadline but at most a second, so that those who have less time find it. Call
 * it every second or so, if no tick_ms was given. May connect. */
TN_API void tn_pool_tick(tn_pool *pool);

/* Waits by length: of bucket i, those under 0.1 ms * 4^i that are in none
 * before; the last has all that are longer. */
#define TN_POOL_WAIT_BUCKETS 12

struct tn_pool_stats {
  size_t struct_size; /* in: sizeof(struct tn_pool_stats) */

  /* Now. */
  uint32_t idle;
  uint32_t lent;       /* or being pinged before, or reset after that */
  uint32_t connecting; /* or being closed */
  uint32_t waiting;

  /* Since the pool was opened. */
  uint64_t takes;    /* that were granted */
  uint64_t waits;    /* takes that had to queue */
  uint64_t wait_us;  /* all of them together */
  uint64_t timeouts; /* takes that failed with TN_E_TIMEOUT */
  uint64_t refused;  /* at once, because connecting had just failed */
  uint64_t connects;
  uint64_t connect_failures;
  uint64_t closes;
  uint64_t pings;
  uint64_t ping_failures;
  uint64_t rollbacks;
  uint64_t resets;
  uint64_t give_failures; /* closed: rollback or reset did not work */
  uint64_t recycled;      /* closed for their age */
  uint64_t idled;         /* closed as unused */
  uint64_t invalidated;   /* closed after an invalidation */
  uint64_t leaks;         /* loans that were told of */
  uint64_t wait_histogram[TN_POOL_WAIT_BUCKETS];
};

/* Fill in `stats`, as much as it is large. The numbers of one moment, or
 * nearly. */
TN_API void tn_pool_stats(tn_pool *pool, struct tn_pool_stats *stats);

TN_END_DECLS

#endif
