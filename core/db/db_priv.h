/* What the files of this layer share: the structs behind tn_conn, tn_prepared
 * and tn_result, and the rule by which calls into the backend begin and end.
 *
 * An operation is what tn_conn_cancel() stops: one call, or a query from its
 * start until its result is closed. One operation runs on a connection at a
 * time; `activity` says so, and is all that another thread ever touches. */
#ifndef TENON_DB_PRIV_H
#define TENON_DB_PRIV_H

#include <tenon/bulk.h>
#include <tenon/conn.h>

#include "arena.h"
#include "backend.h"
#include "cache.h"
#include "kind.h"
#include "placeholder.h"
#include "strbuf.h"

/* States of tn_conn.activity. */
enum activity {
  ACTIVITY_IDLE = 0,
  ACTIVITY_RUNNING,   /* an operation runs and may be canceled */
  ACTIVITY_CANCELING, /* another thread is inside the backend's cancel() */
  ACTIVITY_CANCELED,  /* that is over; the operation has not ended yet */
};

/* What is left of a batch whose rows return rows: each is a set, which is gone
 * on to, or run by the core, when it is asked for. */
struct tn_batch_rest {
  const tn_value *values; /* of the next row; NULL: the backend runs them */
  uint64_t row_count;     /* 0: none is left */
  uint64_t row;           /* whose set is shown, from 1; 0: no batch */
};

/* What listeners are to be told of a statement (watch.h). */
struct tn_watched {
  int64_t began;   /* 0: nobody listens */
  int64_t run_ns;  /* until it was answered */
  bool is_cached;  /* it was found prepared */
  bool is_slow;    /* SLOW has been told */
  bool has_failed; /* while its rows were read, as has been told */
  char *values;    /* a note of the log's, of what the statement was run with;
                      NULL: none */
};

struct tn_result {
  tn_conn *conn; /* NULL: it was closed */
  tn_prepared *prepared;
  void *handle; /* the backend's; NULL when kept or not open */
  const struct tn_column *columns;
  uint32_t column_count;
  bool is_open;
  bool is_running;      /* its operation has not ended */
  bool is_at_end;       /* of the present set */
  bool has_next_set;    /* known at the end of the present one */
  bool owns_prepared;   /* a one-shot query: close the statement with it */
  bool is_on_loan;      /* so is the connection: give it back with it */
  struct tn_value *row; /* the cells of the current row */
  uint64_t row_count;   /* fetched so far */
  uint64_t rows_before; /* in the sets before this one */
  struct tn_watched watch;
  struct tn_result_info info;
  struct tn_host_call call;
  struct tn_arena arena;      /* what the result needs until it is closed */
  struct tn_arena row_arena;  /* what a row needs until the next one */
  struct kept_row *next_kept; /* rows that were fetched before (kept.c) */
  struct kept_set *next_set;  /* and the sets behind those rows */
  struct tn_batch_rest rest;
  tn_value *placed; /* the rows of a batch, put in order; NULL if they were */
};

struct tn_prepared {
  tn_conn *conn; /* NULL: it was closed */
  void *handle;
  bool returns_rows;        /* by what prepare() knew */
  uint32_t kind;            /* enum tn_sql_kind */
  bool touches;             /* the session, for whoever has it next */
  uint32_t boundary;        /* enum tn_sql_boundary */
  const char *text;         /* as it was given */
  struct tn_cached *cached; /* where the connection keeps it; NULL: it does
                               not */
  struct tn_sql sql;
  tn_value *places; /* sql.place_count values, put in order */
  tn_value *cells;  /* one row */
  uint32_t cell_count;
  tn_prepared *previous; /* of the connection's list */
  tn_prepared *next;
  struct tn_result result; /* one at a time, so it needs no allocation */
  struct tn_arena arena;
};

/* A flag of a query, of the core's own: the statement does not come again, and
 * is not kept by its text. */
#define TN_QUERY_ONCE (UINT32_C(1) << 31)

/* Bytes of a traceparent. */
#define TN_TRACEPARENT_SIZE 55

/* What a connection counts; its pool adds that up. First the statements, by
 * enum tn_sql_kind. */
enum tn_conn_count {
  CONN_BEGINS = TN_SQL_KIND_COUNT,
  CONN_COMMITS,
  CONN_ROLLBACKS,
  CONN_FAILURES,
  CONN_ROWS,
  CONN_CACHE_HITS,
  CONN_CACHE_MISSES,
  CONN_CACHE_EVICTED,
  CONN_TCP, /* 1: the two that follow are known */
  CONN_BYTES_RECEIVED,
  CONN_BYTES_SENT,
  CONN_COUNT_COUNT
};

/* What a scope that has begun a transaction (session/txn.c) is to know of what
 * becomes of it. */
struct tn_txn_watch {
  bool is_ending; /* by the scope itself */
  bool is_over;   /* it has been ended: the next statement would commit alone */
  bool is_torn;   /* a statement, or somebody else, has ended it, not the scope:
                     a part may be committed */
  bool is_aborted;  /* the server has said so, and may take it back */
  unsigned spoiled; /* depth of the scope that could not be undone, so that
                       nothing around it may be kept; 0: none */
  tn_err cause;     /* why the server has destroyed it; code 0: it has not */
};

/* What the kernel had counted of its bytes when it was last asked. */
struct tn_traffic {
  bool is_known;  /* it counts them */
  bool is_behind; /* it was not asked after the last loan */
  int64_t read_at;
  uint64_t received;
  uint64_t sent;
};

struct tn_conn {
  const struct tn_backend *backend;
  struct tn_dialect_table dialect; /* the backend's, or the session's own */
  void *handle;
  _Atomic uint32_t activity; /* enum activity */
  _Atomic uint32_t canceled; /* not 0: the running operation is to stop */
  int wake_fd; /* an eventfd, readable once `canceled` is set; -1 for a backend
                  that does not wait for a server */
  bool is_dead;
  bool is_lost;    /* dead, and not because a call of ours was stopped */
  bool is_used;    /* an operation has begun since the pool cleared it */
  bool is_touched; /* the session may not be what it was when it was opened */
  bool has_log;
  bool has_begun; /* tn_conn_begin() has begun the transaction that is open */
  uint32_t told;  /* listeners that are being told of it: it must stay */
  uint64_t timeout_ms;
  tn_deadline deadline; /* of calls that name none; 0: by timeout_ms */
  tn_deadline limit;    /* which they do not outlast either; 0: none */
  uint64_t caps;
  struct tn_log log;
  tn_wait_fn wait;
  void *wait_user;
  tn_prepared *statements; /* all that are open */
  struct tn_cache cache;
  tn_bulk *bulk;             /* the load that is open; or NULL */
  struct tn_arena arena;     /* what connect() made */
  struct tn_pool_slot *slot; /* of the pool that it belongs to; NULL: none */
  const _Atomic uint32_t *birth_now; /* of the pool; another one than `birth`:
                                        this is a child after fork */
  uint32_t birth;
  struct tn_listeners
      *listeners;          /* of the engine that it belongs to; or NULL */
  int64_t slow_ns;         /* from when on a statement is slow; 0: none is */
  const char *running;     /* text of the statement that runs; NULL: none */
  bool is_traced;          /* statements say where they come from: */
  const char *application; /* "": not said */
  char traceparent[TN_TRACEPARENT_SIZE + 1]; /* of the loan; "": none */
  struct tn_strbuf traced;                   /* the text with its comment */
  bool has_failed;          /* the operation, as is counted and told */
  tn_result *failed;        /* of the operation, by what it failed; or NULL */
  struct tn_txn_watch *txn; /* of the scope that has begun the transaction; or
                               NULL */
  bool is_severed;          /* the backend has abandoned it */
  char global_id[TN_GLOBAL_ID_SIZE]; /* that the last transaction was begun
                                        with; "": none */
  char txn_id[TN_TXN_ID_SIZE]; /* what tells it from others; "": not asked */
  uint64_t counts[CONN_COUNT_COUNT]; /* not collected yet */
  struct tn_cache_stats collected;   /* of the cache, at the last collection */
  struct tn_traffic traffic;
  tn_err scratch; /* when the caller passes no error object */
};

struct tn_target;

/* tn_conn_open() of a target that has been resolved. */
enum tn_code tn_conn__open(const struct tn_target *target,
                           const struct tn_conn_options *options, tn_conn **ret,
                           tn_err *err);

/* Does the row of the configuration, like "sqlite_synchronous", stand for an
 * option of that backend, like "synchronous" of "sqlite"? */
bool tn_conn__has_row(const struct tn_backend *backend,
                      const struct tn_config_row *row);

/* Without connecting: which backend it is, whether its options are right, and
 * whether the database ends with its session. */
enum tn_code tn_conn__inspect(const struct tn_target *target,
                              tn_registry *registry,
                              const struct tn_backend **ret_backend,
                              bool *ret_is_fleeting, tn_err *err);

/* Begin an operation and prepare its calls: `*err` becomes one that is never
 * NULL, if this succeeds. `deadline` 0: the connection's timeout from now.
 * `arena` may be NULL. Fails: TN_E_STATE, another operation runs, or a bulk
 * load is open; TN_E_LOST, the connection died. */
enum tn_code tn_conn__begin(tn_conn *conn, tn_deadline deadline,
                            struct tn_arena *arena, struct tn_host_call *call,
                            tn_err **err);

/* The same, but that a bulk load is open does not matter: it is the load. */
enum tn_code tn_conn__enter(tn_conn *conn, tn_deadline deadline,
                            struct tn_arena *arena, struct tn_host_call *call,
                            tn_err **err);

/* End it and return `code`, having noted what `err` says of the connection, or
 * what a listener has made of it. A cancel that is under way is waited for, so
 * that it can never hit the next operation. */
enum tn_code tn_conn__end(tn_conn *conn, enum tn_code code, tn_err *err);

/* The operation fails: count it, and tell listeners, the first time that this
 * is said of it. Returns what it fails with in the end. */
enum tn_code tn_conn__fail(tn_conn *conn, enum tn_code code, tn_err *err);

/* Note a failure inside an operation that goes on. */
void tn_conn__note(tn_conn *conn, enum tn_code code, const tn_err *err);

/* An operation whose deadline has passed, or that was canceled, is about to
 * make a call that ends it: give that call its own little time. */
void tn_conn__grace(const tn_conn *conn, struct tn_host_call *call);

/* Calls that name no deadline do not outlast this one, whatever else is set,
 * until the connection goes back to its pool. */
void tn_conn__limit(tn_conn *conn, tn_deadline limit);

/* Is it too late for a call that names no deadline, as that of its connection
 * has passed? */
bool tn_conn__is_late(const tn_conn *conn);

/* What the session is set to may have changed: a pool resets it before it is
 * lent again. */
void tn_conn__touch(tn_conn *conn);

/* tn_conn_rollback() and tn_conn_reset() until `deadline`, 0 as ever. */
enum tn_code tn_conn__rollback(tn_conn *conn, tn_deadline deadline,
                               tn_err *err);
enum tn_code tn_conn__reset(tn_conn *conn, tn_deadline deadline, tn_err *err);

/* Add what it has counted since the last time to `totals`. */
void tn_conn__collect(tn_conn *conn, _Atomic uint64_t totals[CONN_COUNT_COUNT]);

/* Count the bytes that it has received and sent since the last time; and the
 * same if the time is another one than then (traffic.c). */
void tn_traffic__read(tn_conn *conn);
void tn_traffic__note(tn_conn *conn, int64_t now);

/* Does nothing wait to be read from the socket, not even its end? */
bool tn_traffic__is_quiet(int fd);

/* Close everything that is open on it, but for the statements that it keeps by
 * their text; the objects stay, to be closed by their owners. A result whose
 * rows cannot be got rid of by `deadline` costs the session. */
void tn_conn__close_all(tn_conn *conn, tn_deadline deadline);

/* End what is under way on it, a result or a bulk load, likewise; statements
 * stay open. */
void tn_conn__stop_rows(tn_conn *conn, tn_deadline deadline);

/* Was it opened by the parent of this process? Then the backend must not be
 * called (pool_fork.c). */
static inline bool
tn_conn__is_inherited(const tn_conn *session)
{
  return session->birth_now != NULL &&
         atomic_load_explicit(session->birth_now, memory_order_relaxed) !=
             session->birth;
}

/* May the backend be called to close something of it? In a child after fork it
 * may once the session has been cut off from the server, which is done here. */
bool tn_conn__may_close(tn_conn *conn);

/* A listener is being told of it: it cannot be closed or given back now. This
 * is logged. */
void tn_conn__refuse_to_go(const tn_conn *conn);

/* Release a session that has no handle, or has it no more. */
void tn_conn__free(tn_conn *conn);

/* Begin, in an operation. After a failure there is no transaction, or the
 * session is dead. */
enum tn_code tn_conn__begin_txn(tn_conn *conn,
                                const struct tn_txn_request *request,
                                struct tn_host_call *call, tn_err *err);

/* Roll back the transaction that an operation has begun for itself, when it has
 * failed with `err` (or NULL), which stays but for its verdicts: they become
 * those of a call that had no effect. A session that cannot is dead. */
void tn_conn__undo(tn_conn *conn, tn_err *err);

/* Forget a savepoint that has been gone back to: in a second, where the time is
 * over. */
enum tn_code tn_conn__drop_savepoint(tn_conn *conn, const char *name,
                                     tn_err *err);

/* Commit, in an operation. Fails: TN_E_UNCERTAIN, the session died under it. */
enum tn_code tn_conn__commit(tn_conn *conn, struct tn_host_call *call,
                             tn_err *err);

/* What tn_conn_begin() has begun is not ended by a text, behind the back of
 * whoever commits, rolls back or runs it again: TN_E_STATE, with what to call
 * instead. Not for TN_SQL_INSIDE. */
enum tn_code tn_conn__refuse_boundary(uint32_t boundary, tn_err *err);

/* Prepare the transaction under the global id that it was begun with.
 * Fails: TN_E_STATE, there was none; TN_E_UNCERTAIN. */
enum tn_code tn_conn__prepare(tn_conn *conn, tn_err *err);

/* Refuse what is no global id, with TN_E_USAGE. */
enum tn_code tn_global_id__check(const char *global_id, tn_err *err);

/* Commit or roll back what was prepared.
 * Fails: TN_E_USAGE, TN_E_NOT_FOUND, TN_E_UNCERTAIN. */
enum tn_code tn_conn__end_prepared(tn_conn *conn, enum tn_global_action action,
                                   const char *global_id, tn_err *err);

/* What became of the transaction with that txn_id? Waits for its end, as long
 * as the connection's timeout, or half a minute.
 * Fails: TN_E_UNCERTAIN, the server cannot tell. */
enum tn_code tn_conn__outcome(tn_conn *conn, const char *txn_id,
                              int *ret_is_committed, tn_err *err);

/* How long closing something may take. */
#define TN_CONN_CLOSE_MS 1000

/* Prepare the call that closes something of `conn`: a second at most, not
 * canceled by anybody, the error in conn->scratch. */
void tn_conn__closing(tn_conn *conn, struct tn_host_call *call);

/* Let go of what belongs to a connection that closes; the objects stay, to be
 * closed by their owners. `deadline` is of a result that is still open, if its
 * own is not earlier. */
void tn_prepared__orphan(tn_prepared *prepared, tn_deadline deadline);

/* tn_conn_prepare() in an operation of `call`. */
enum tn_code tn_prepared__new(tn_conn *conn, const char *sql, uint32_t flags,
                              struct tn_host_call *call, tn_prepared **ret,
                              tn_err *err);

/* Run it, which returns no rows, for each of `rows`, whose values have been
 * checked, in an operation of `call`; prepared->result.info is what all did.
 * Fails with the row from 1 in err->row, as far as it is known. */
enum tn_code tn_batch__run(tn_prepared *prepared,
                           const struct tn_backend_batch *rows,
                           const struct tn_host_call *call, tn_err *err);

/* The values of a query as the backend takes them, borrowed from it where
 * nothing has to be put in order; else good until the next call.
 * Fails: TN_E_USAGE. */
enum tn_code tn_prepared__place(tn_prepared *prepared,
                                const struct tn_query *query,
                                const tn_value **ret, tn_err *err);

/* It is about to be run: what does that leave behind? */
void tn_prepared__note(const tn_prepared *prepared);

/* A refused value is told by its number and name in the statement. Returns
 * `code`. */
enum tn_code tn_prepared__name_parameter(const tn_prepared *prepared,
                                         enum tn_code code, tn_err *err);

/* In an operation, before a prepared statement runs: tell listeners. The
 * operation has ended when this fails, as a listener that refuses. */
enum tn_code tn_prepared__announce(tn_prepared *prepared,
                                   const tn_value *values, size_t count,
                                   uint64_t batch_rows, tn_err *err);

/* Its statement is about to run: note since when, if listeners want to know;
 * 0: now. */
void tn_result__watch(tn_result *result, int64_t since);

/* Open the result of an execute that went well, and keep its rows if asked
 * (TN_QUERY_BUFFERED). What belongs to it has been released when this fails,
 * and its operation has ended, if one was running for it. */
enum tn_code tn_result__start(tn_result *result, uint32_t flags, tn_err *err);

/* End the backend's result and the operation; the object stays. */
void tn_result__finish(tn_result *result);

/* Read all rows of all sets away. */
enum tn_code tn_result__drain(tn_result *result, tn_err *err);

/* End a result whose rows nobody waits for: by `deadline`, or its own if that
 * is earlier. */
void tn_result__stop(tn_result *result, tn_deadline deadline);

/* Fetch and keep all rows of all sets, and show the first set again. */
enum tn_code tn_result__keep(tn_result *result, tn_err *err);

/* The next of the rows that were kept, which there is. */
const tn_value *tn_result__next_kept(tn_result *result);

/* Show the next of the sets that were kept; false after the last one. */
bool tn_result__next_kept_set(tn_result *result);

/* End a load whose connection closes; the object stays. */
void tn_bulk__orphan(tn_bulk *bulk);

#endif
