/* Reader and writer scopes: one transaction for all that belongs to one piece
 * of work, whoever does it.
 *
 *   static enum tn_code
 *   place_order(tn_scope *scope, void *user, tn_err *err)
 *   {
 *     return tn_conn_exec(tn_scope_conn(scope), "INSERT …", NULL, err);
 *   }
 *
 *   rc = tn_write(facade, context, place_order, &order, &err);
 *
 * or, with the same rules but that nothing is repeated,
 *
 *   TN_CLEANUP(tn_scope_end) tn_scope *scope = NULL;
 *
 *   options.mode = TN_SCOPE_WRITER;
 *   rc = tn_scope_begin(facade, context, &options, &scope, &err);
 *   …
 *   if (rc == TN_OK)
 *     rc = tn_scope_commit(scope, &err);
 *
 * A context stands for the piece of work, a request say. A scope that is begun
 * while one of the same facade is open in the same context and thread joins
 * that one: it uses its connection and its transaction, which ends with the
 * outermost. What may join what:
 *
 *   around            writer  reader   async reader  reader, ALLOW_ASYNC
 *   writer            joins   joins    joins         joins
 *   reader            refused joins    joins         joins
 *   async reader      refused refused  joins         joins
 *
 * INDEPENDENT scopes join nothing. Where one joins, the mode around stays in
 * force: of a reader inside a writer all is committed.
 *
 * A writer ends with a commit, a reader with a rollback. A scope that is left
 * in any other way than by tn_scope_commit() is rolled back. If it had joined,
 * that cannot be done to it alone: the scope around can then only be rolled
 * back either, and its commit fails with TN_E_STATE. (oslo.db would commit
 * half of it.) With SAVEPOINT it can be done to it alone.
 *
 * A scope is used by the thread that has begun it; a context by any. */
#ifndef TENON_SCOPE_H
#define TENON_SCOPE_H

#include <tenon/facade.h>
#include <tenon/position.h>
#include <tenon/txn.h>

TN_BEGIN_DECLS

typedef struct tn_context tn_context;
typedef struct tn_scope tn_scope;

/* ---- contexts ---- */

/* Flags. By default each thread has its own scopes in a context. */
#define TN_CONTEXT_ANY_THREAD                                                  \
  UINT32_C(1) /* for work that moves between threads, as coroutines do, and is \
                 in one at a time: its scopes are those of the context */

/* `*ret` is the caller's until tn_context_close(). Fails: TN_E_MEMORY;
 * TN_E_USAGE, no such flag. */
TN_API TN_MUST_USE enum tn_code tn_context_open(uint32_t flags,
                                                tn_context **ret, tn_err *err);

/* Stores NULL; NULL in either place is a no-op. Scopes that are open go on by
 * themselves; nothing joins them any more. */
TN_API void tn_context_close(tn_context **context);

/* The innermost scope that the calling thread has open in it, of any facade;
 * NULL: none. Borrowed. */
TN_API tn_scope *tn_context_scope(tn_context *context);

/* ---- scopes ---- */

/* Flags of a scope. Their order says nothing, and all of them count. */
#define TN_SCOPE_INDEPENDENT                                                   \
  UINT32_C(1) /* a transaction of its own, on another connection */
#define TN_SCOPE_SAVEPOINT                                                     \
  UINT32_C(2) /* where it joins a transaction: a savepoint of it */
#define TN_SCOPE_CONNECTION                                                    \
  UINT32_C(4) /* only the connection: no transaction is begun, each statement  \
                 commits by itself unless one is open around */
#define TN_SCOPE_ALLOW_ASYNC                                                   \
  UINT32_C(8) /* a reader that may join an async reader */
#define TN_SCOPE_SYNCHRONOUS                                                   \
  UINT32_C(16) /* a reader on the primary, whatever synchronous_reader says */
#define TN_SCOPE_FALL_BACK                                                     \
  UINT32_C(32) /* a reader that uses the primary when no connection to the     \
                  replica can be had */

/* All may be left zero but the size and, for tn_scope_begin(), the mode. What
 * says how to begin is refused with TN_E_USAGE in a scope that joins: `txn` and
 * `after`. Grows at its end. */
struct tn_scope_options {
  size_t struct_size;        /* sizeof(struct tn_scope_options) */
  uint32_t mode;             /* enum tn_scope_mode */
  uint32_t flags;            /* TN_SCOPE_… */
  const char *label;         /* of the loan; static */
  struct tn_txn_options txn; /* a writer's lock_mode, if it is 0, is
                                TN_LOCK_IMMEDIATE where there are such; a
                                reader's access is read-only with the option
                                reader_read_only, and so is the session of one
                                that begins none; TN_E_UNSUPPORTED where a
                                proxy leaves sessions no settings. No global_id,
                                and TN_BEGIN_RESOLVABLE for writers only */
  tn_deadline deadline;     /* of the connection, catching up, and begin; 0: the
                               option pool_timeout */
  const tn_position *after; /* the reader is to see all up to there: wait for
                               the replica to catch up, then use the primary */
  uint64_t after_ms;        /* how long to wait for that; 0: 1000; half of the
                               time until `deadline` at most */
  tn_position *ret_position; /* stored by a commit of the outermost scope; see
                                tn_scope_position() */
  const struct tn_retry *retry; /* of tn_scope_run(): as in tn_run() */
  tn_txn_check_fn check;        /* likewise */
};

#define TN_SCOPE_OPTIONS_INIT                                                  \
  {                                                                            \
    .struct_size = sizeof(struct tn_scope_options), .mode = 0, .flags = 0,     \
    .label = NULL, .txn = { .isolation = 0 }, .deadline = 0, .after = NULL,    \
    .after_ms = 0, .ret_position = NULL, .retry = NULL, .check = NULL          \
  }

/* Open a scope, in no context if `context` is NULL. `*ret` is the caller's
 * until tn_scope_end(); untouched on failure, which leaves a scope around as it
 * was. Fails: TN_E_USAGE, the options contradict each other, or it may not join
 * the scope around; TN_E_STATE, that one is over; as tn_facade_engine(),
 * tn_engine_take(), tn_conn_begin(), tn_conn_savepoint(). */
TN_API TN_MUST_USE enum tn_code tn_scope_begin(
    tn_facade *facade, tn_context *context,
    const struct tn_scope_options *options, tn_scope **ret, tn_err *err);

/* Done, and well: an outermost writer commits, a savepoint is kept; of what has
 * joined, nothing happens now. The scope still has to be ended; until then,
 * statements are refused with TN_E_STATE where its transaction is over.
 * Fails: as tn_txn_commit(); TN_E_STATE, a scope inside was left without it,
 * which err->detail tells of, or it is over. */
TN_API TN_MUST_USE enum tn_code tn_scope_commit(tn_scope *scope, tn_err *err);

/* Undo what was not committed, give the connection back, release. Scopes inside
 * that are still there become unusable, but must be ended too. Stores NULL;
 * NULL in either place is a no-op. */
TN_API void tn_scope_end(tn_scope **scope);

/* What statements run on; NULL after the scope around has ended. Borrowed. */
TN_API tn_conn *tn_scope_conn(const tn_scope *scope);

/* The mode in force: that of the outermost scope. */
TN_API enum tn_scope_mode tn_scope_mode(const tn_scope *scope);

/* Does it use the replica? 0: the primary, or there is no replica. */
TN_API int tn_scope_is_replica(const tn_scope *scope);

/* A position that has all that the scope has committed. TN_POSITION_PRIMARY
 * where none can be had, so that it is always safe to wait for. Between
 * tn_scope_commit() and tn_scope_end() of an outermost writer, one round trip.
 * Fails: TN_E_STATE, at another time. */
TN_API TN_MUST_USE enum tn_code tn_scope_position(tn_scope *scope,
                                                  tn_position *ret,
                                                  tn_err *err);

/* ---- functions in scopes ---- */

/* What is run. TN_OK commits; another code, which `err` (never NULL, empty)
 * explains, rolls back. It may be called many times, so what it changes outside
 * of the database it must set up anew. */
typedef enum tn_code (*tn_scope_fn)(tn_scope *scope, void *user, tn_err *err);

/* Run `call` in a scope, from its begin again as tn_run() does; but once only,
 * where it joins or is a savepoint: what was around would be lost.
 * Fails: as `call`, tn_scope_begin(), tn_scope_commit(). */
TN_API TN_MUST_USE enum tn_code tn_scope_run(
    tn_facade *facade, tn_context *context,
    const struct tn_scope_options *options, tn_scope_fn call, void *user,
    tn_err *err);

/* The same with the mode and nothing else. */
TN_API TN_MUST_USE enum tn_code tn_read(tn_facade *facade, tn_context *context,
                                        tn_scope_fn call, void *user,
                                        tn_err *err);
TN_API TN_MUST_USE enum tn_code tn_write(tn_facade *facade, tn_context *context,
                                         tn_scope_fn call, void *user,
                                         tn_err *err);

TN_END_DECLS

#endif
