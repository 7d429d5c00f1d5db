/* Calling again what has failed and may work another time: how often, how long
 * apart, and after which errors.
 *
 * A call is repeated only if both agree: the error, whose verdict says that a
 * replay does no harm (err->replay), and the policy. What became of a commit
 * whose answer was lost is not known, so it is never repeated. */
#ifndef TENON_RETRY_H
#define TENON_RETRY_H

#include <tenon/engine.h>

TN_BEGIN_DECLS

/* A call that has failed and is to be repeated. */
struct tn_retry_attempt {
  uint64_t number;   /* of the call that failed, from 1 */
  uint64_t sleep_ms; /* before the next; the hook may change it */
  const tn_err *err; /* why it failed, borrowed for the hook's call */
};

/* Is an error, whose category is not among the policy's, one to repeat after
 * (not 0)? */
typedef int (*tn_retry_check_fn)(const tn_err *err, void *user);

/* Told before each sleep. Another code than TN_OK gives up, with the error of
 * the call. */
typedef enum tn_code (*tn_retry_hook_fn)(struct tn_retry_attempt *attempt,
                                         void *user);

/* For `categories`. */
#define TN_RETRY_ON(code) (UINT64_C(1) << (code))
#define TN_RETRY_ON_LOST  (TN_RETRY_ON(TN_E_CONNECT) | TN_RETRY_ON(TN_E_LOST))
#define TN_RETRY_ON_CONFLICT                                                   \
  (TN_RETRY_ON(TN_E_DEADLOCK) | TN_RETRY_ON(TN_E_SERIALIZATION) |              \
   TN_RETRY_ON(TN_E_LOCK_TIMEOUT) | TN_RETRY_ON(TN_E_BUSY))
#define TN_RETRY_USUAL (TN_RETRY_ON_LOST | TN_RETRY_ON_CONFLICT)

#define TN_RETRY_FOREVER (-1)

/* For `first_ms`: an interval of 0. */
#define TN_RETRY_AT_ONCE UINT64_MAX

/* Flags. */
#define TN_RETRY_EXACT UINT32_C(1) /* sleep for the interval, no less */
#define TN_RETRY_EXACT_BUT_DEADLOCK                                            \
  UINT32_C(2) /* likewise, unless the error is a deadlock */
#define TN_RETRY_CAP_LAST                                                      \
  UINT32_C(4) /* `max_ms` bounds the sleep that was drawn, not the interval    \
                 that it is drawn from */
#define TN_RETRY_FIRST_AT_ONCE                                                 \
  UINT32_C(8) /* no sleep before the second call; the intervals go on as if    \
                 there had been one */

/* All may be left zero but the size. Grows at its end. Not changed by a call,
 * so that threads may share one.
 *
 * The n-th interval is first_ms grown n - 1 times, max_ms at most; the sleep
 * is drawn evenly from 0 to the interval, also the first, so that those who
 * have hit each other do not do so again. */
struct tn_retry {
  size_t struct_size;      /* sizeof(struct tn_retry) */
  int64_t max_attempts;    /* calls in all; 0: 10; TN_RETRY_FOREVER; no other
                              negative number */
  uint64_t first_ms;       /* 0: 20; TN_RETRY_AT_ONCE */
  uint64_t max_ms;         /* 0: 10000 */
  uint64_t total_ms;       /* of all calls and sleeps: no sleep begins that
                              would end later; see tn_run() for what it runs.
                              0: no limit */
  uint64_t categories;     /* TN_RETRY_ON(…); 0: TN_RETRY_USUAL */
  uint32_t growth_percent; /* of an interval to the next; 0: 200; 100: none */
  uint32_t flags;          /* TN_RETRY_… */
  tn_retry_check_fn check; /* NULL: `categories` are all */
  tn_retry_hook_fn hook;   /* or NULL */
  void *user;              /* of both */
  tn_wait_fn wait;         /* as in struct tn_conn_options, with the descriptor
                              -1; NULL: tn_async_wait(), which stands still in
                              an asynchronous call and sleeps elsewhere */
  void *wait_user;
};

#define TN_RETRY_INIT                                                          \
  {                                                                            \
    .struct_size = sizeof(struct tn_retry), .max_attempts = 0, .first_ms = 0,  \
    .max_ms = 0, .total_ms = 0, .categories = 0, .growth_percent = 0,          \
    .flags = 0, .check = NULL, .hook = NULL, .user = NULL, .wait = NULL,       \
    .wait_user = NULL                                                          \
  }

/* As oslo.db's wrap_db_retry with its defaults: 20 repeats after 1, 2, 4, 8,
 * 10, 10 … seconds; drawn from those after a deadlock. What it says, not what
 * it does, counts: the first sleep is drawn and bounded like the others, and
 * TN_RETRY_FOREVER is without end. `categories`: TN_RETRY_ON_LOST for its
 * retry_on_disconnect, TN_RETRY_ON_CONFLICT for retry_on_deadlock; 0: both. */
TN_API struct tn_retry tn_retry_oslo(uint64_t categories);

/* As nameko_sqlalchemy's transaction_retry: `repeats` (at least one), the first
 * at once, the n-th after min(factor_ms · 2^(n-1), max_ms) exactly. `max_ms` 0:
 * no limit. */
TN_API struct tn_retry tn_retry_nameko(uint32_t repeats, uint64_t factor_ms,
                                       uint64_t max_ms);

/* What the engine's options say: db_max_retries, db_retry_interval,
 * db_inc_retry_interval, db_max_retry_interval; after a lost connection with
 * use_db_reconnect only. It waits as the engine does. */
TN_API struct tn_retry tn_retry_of_engine(const tn_engine *engine);

/* What is called. Returns TN_OK, or a code that `err` (never NULL, empty)
 * explains. */
typedef enum tn_code (*tn_retry_fn)(void *user, tn_err *err);

/* Call `call` until it succeeds, fails for good, or `policy` (NULL: all zero)
 * has had enough. It must be repeatable as a whole: a transaction from its
 * begin, not a part of one. Fails: as the last call; TN_E_CANCELED, the
 * asynchronous call that it sleeps in was canceled; TN_E_USAGE. */
TN_API TN_MUST_USE enum tn_code tn_retry_call(const struct tn_retry *policy,
                                              tn_retry_fn call, void *user,
                                              tn_err *err);

TN_END_DECLS

#endif
