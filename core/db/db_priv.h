/* What the files of this layer share: the structs behind tn_conn, tn_prepared
 * and tn_result, and the rule by which calls into the backend begin and end.
 *
 * An operation is what tn_conn_cancel() stops: one call, or a query from its
 * start until its result is closed. One operation runs on a connection at a
 * time; `activity` says so, and is all that another thread ever touches. */
#ifndef TENON_DB_PRIV_H
#define TENON_DB_PRIV_H

#include <tenon/conn.h>

#include "arena.h"
#include "backend.h"
#include "placeholder.h"

/* States of tn_conn.activity. */
enum activity {
  ACTIVITY_IDLE = 0,
  ACTIVITY_RUNNING,   /* an operation runs and may be canceled */
  ACTIVITY_CANCELING, /* another thread is inside the backend's cancel() */
  ACTIVITY_CANCELED,  /* that is over; the operation has not ended yet */
};

struct tn_result {
  tn_conn *conn; /* NULL: it was closed */
  tn_prepared *prepared;
  void *handle; /* the backend's; NULL when buffered or not open */
  const struct tn_column *columns;
  uint32_t column_count;
  bool is_open;
  bool is_at_end;
  bool owns_prepared;   /* a one-shot query: close the statement with it */
  struct tn_value *row; /* the cells of the current row */
  uint64_t row_count;   /* fetched so far */
  struct tn_result_info info;
  struct tn_host_call call;
  struct tn_arena arena;     /* what the result needs until it is closed */
  struct tn_arena row_arena; /* what a row needs until the next one */
  struct buffered_row *next_buffered; /* of a buffered result */
};

struct tn_prepared {
  tn_conn *conn; /* NULL: it was closed */
  void *handle;
  struct tn_sql sql;
  tn_value *places; /* sql.place_count values, put in order */
  tn_value *cells;  /* one row */
  uint32_t cell_count;
  tn_prepared *previous; /* of the connection's list */
  tn_prepared *next;
  struct tn_result result; /* one at a time, so it needs no allocation */
  struct tn_arena arena;
};

struct tn_conn {
  const struct tn_backend *backend;
  void *handle;
  _Atomic uint32_t activity; /* enum activity */
  _Atomic uint32_t canceled; /* not 0: the running operation is to stop */
  bool is_dead;
  bool has_log;
  uint64_t timeout_ms;
  uint64_t caps;
  struct tn_log log;
  tn_wait_fn wait;
  void *wait_user;
  tn_prepared *statements; /* all that are open */
  struct tn_arena arena;   /* what connect() made */
  tn_err scratch;          /* when the caller passes no error object */
};

/* Begin an operation and prepare its calls: `*err` becomes one that is never
 * NULL, if this succeeds. `deadline` 0: the connection's timeout from now.
 * `arena` may be NULL. Fails: TN_E_STATE, another operation runs; TN_E_LOST,
 * the connection died. */
enum tn_code tn_conn__begin(tn_conn *conn, tn_deadline deadline,
                            struct tn_arena *arena, struct tn_host_call *call,
                            tn_err **err);

/* End it and pass `code` through, having noted what `err` says of the
 * connection. A cancel that is under way is waited for, so that it can never
 * hit the next operation. */
enum tn_code tn_conn__end(tn_conn *conn, enum tn_code code, const tn_err *err);

/* Note a failure inside an operation that goes on. */
void tn_conn__note(tn_conn *conn, enum tn_code code, const tn_err *err);

/* Let go of what belongs to a connection that closes; the objects stay, to be
 * closed by their owners. */
void tn_prepared__orphan(tn_prepared *prepared);

/* Open the result of an execute that went well, and buffer it if asked. The
 * operation has ended when this fails. */
enum tn_code tn_result__start(tn_result *result, uint32_t flags, tn_err *err);

/* End the backend's result and the operation; the object stays. */
void tn_result__finish(tn_result *result);

#endif
