/* What happens to the connections and statements of an engine, told to whoever
 * listens.
 *
 * A listener is called in the thread that does what it is told of, without a
 * lock, in the order in which listeners were added. It may add and remove
 * listeners, itself among them. An engine that never had one measures nothing,
 * and each statement costs one branch more.
 *
 * Inside PREPARE, BEFORE, AFTER and ERROR the connection runs something: calls
 * on it fail with TN_E_STATE. Inside CONNECT, TAKE and RESET it may be used.
 * Nowhere can the connection that is told of be closed or given back, nor a
 * scope be ended that would do so: this is logged, and the pointer stays.
 * Bulk loads are no statements. What CONNECT sets, a reset takes away again:
 * set it in RESET as well.
 */
#ifndef TENON_EVENT_H
#define TENON_EVENT_H

#include <tenon/conn.h>

TN_BEGIN_DECLS

typedef struct tn_engine tn_engine;

enum tn_event_kind {
  TN_EVENT_CONNECT = 1, /* a session was opened, or could not be. If it was,
                           the listener may refuse it */
  TN_EVENT_TAKE,        /* it is about to be lent */
  TN_EVENT_GIVE,        /* it is no longer lent, and has been cleaned */
  TN_EVENT_RESET,       /* it was brought back to what it was; or `err` */
  TN_EVENT_INVALIDATE,  /* all that are open are to be replaced; no `conn` */
  TN_EVENT_CLOSE,       /* it is about to be closed */
  TN_EVENT_PREPARE,     /* tn_conn_prepare(): as BEFORE */
  TN_EVENT_BEFORE,      /* a statement is about to run: the listener may refuse
                           it or change its text */
  TN_EVENT_AFTER,       /* the server has answered; or `err`, also where it
                           could not be prepared and there is no DONE */
  TN_EVENT_DONE,        /* its result is closed, or its connection is given
                           back or closed before, and fails all calls */
  TN_EVENT_ERROR,       /* a call on a connection has failed: the listener may
                           change `err` */
  TN_EVENT_SLOW,        /* AFTER, of a statement that took slow_query_time */
  TN_EVENT_KIND_COUNT
};

/* For tn_engine_listen(): TN_EVENT_BIT(TN_EVENT_TAKE) | … */
#define TN_EVENT_BIT(kind) (UINT32_C(1) << (kind))
#define TN_EVENT_ALL       (~UINT32_C(0))

/* All pointers are borrowed for the call. What is not known is 0. Grows at its
 * end. */
struct tn_event {
  size_t struct_size;
  uint32_t kind;      /* enum tn_event_kind */
  uint32_t is_cached; /* AFTER, DONE: the statement was found prepared */
  tn_engine *engine;
  tn_conn *conn;
  const char *label;      /* of the loan; NULL: none */
  const char *sql;        /* as it was given. PREPARE and BEFORE may set another
                             one, which lives until the call returns. Of a
                             prepared statement it is what was prepared, and
                             stays */
  const tn_value *values; /* BEFORE, AFTER, SLOW: of the parameters. Not to be
                             logged without thought */
  size_t value_count;
  uint64_t batch_rows; /* of values; 0: no batch */
  uint64_t rows;       /* DONE: fetched in all */
  int64_t affected;    /* DONE: rows; -1: not known */
  int64_t run_ns;      /* AFTER, DONE: until the server had answered; with the
                          time of preparing it, if that was part of the call */
  int64_t total_ns;    /* DONE: until the result was closed */
  tn_err *err;         /* what failed. PREPARE, BEFORE and CONNECT: empty, to
                          be filled in by a listener that refuses. NULL: it
                          worked */
};

/* What is returned counts for CONNECT of an open session, PREPARE and BEFORE
 * only: another code than TN_OK, with event->err set, is what the caller's call
 * fails with; later listeners are not told. */
typedef enum tn_code (*tn_event_fn)(struct tn_event *event, void *user);

/* Be told of events of `kinds` (TN_EVENT_BIT()). `user` must live until
 * tn_engine_unlisten() has returned, or the engine is closed and its last loan
 * over. An engine keeps some
 * bytes for each listener that it ever had.
 * Fails: TN_E_MEMORY. */
TN_API TN_MUST_USE enum tn_code tn_engine_listen(tn_engine *engine,
                                                 uint32_t kinds,
                                                 tn_event_fn listener,
                                                 void *user, uint64_t *ret_id,
                                                 tn_err *err);

/* Be told no more. Waits until the listener has returned in all other threads;
 * inside a listener it does not wait. An unknown number is a no-op. */
TN_API void tn_engine_unlisten(tn_engine *engine, uint64_t id);

TN_END_DECLS

#endif
