/* Transactions as scopes: what is not committed is rolled back when its scope
 * ends, a scope inside another is a savepoint, and a scope knows when the
 * server has destroyed its transaction, and why.
 *
 *   static enum tn_code
 *   transfer(tn_txn *txn, void *user, tn_err *err)
 *   {
 *     return tn_conn_exec(tn_txn_conn(txn), "UPDATE …", NULL, err);
 *   }
 *
 *   rc = tn_run(engine, NULL, transfer, &order, &err);
 *
 * Statements run on tn_txn_conn(). Once the server has ended the transaction (a
 * deadlock, an aborted state, a statement that commits by itself), they are
 * refused with TN_E_STATE, and the first error is told in err->detail and by
 * tn_txn_cause(). Going back to a savepoint saves the transaction where the
 * server lets it, and forgets the error. Texts that would begin or end a
 * transaction are refused before they are sent, as tn_conn_begin() says.
 *
 * A scope is used by the thread that uses its connection. */
#ifndef TENON_TXN_H
#define TENON_TXN_H

#include <tenon/retry.h>

TN_BEGIN_DECLS

typedef struct tn_txn tn_txn;

/* Begin on a connection, which is borrowed until tn_txn_end(). `options` may be
 * NULL. `*ret` is the caller's until tn_txn_end(); untouched on failure.
 * Fails: as tn_conn_begin(); TN_E_STATE, the connection is in a scope. */
TN_API TN_MUST_USE enum tn_code tn_txn_begin(
    tn_conn *conn, const struct tn_txn_options *options, tn_txn **ret,
    tn_err *err);

/* Take a connection and begin on it; it is given back by tn_txn_end(). `loan`
 * may be NULL. Fails: as tn_engine_take() and tn_conn_begin(). */
TN_API TN_MUST_USE enum tn_code tn_txn_take(
    tn_engine *engine, const struct tn_loan *loan,
    const struct tn_txn_options *options, tn_txn **ret, tn_err *err);

/* A scope inside another: a savepoint. The outer one can neither commit nor
 * nest another before it has ended.
 * Fails: TN_E_UNSUPPORTED, the backend has no savepoints; TN_E_STATE. */
TN_API TN_MUST_USE enum tn_code tn_txn_nest(tn_txn *outer, tn_txn **ret,
                                            tn_err *err);

/* Commit, or keep what a scope inside another has done. The scope still has to
 * be ended; once its transaction is over, statements are refused until then.
 * Fails: as the server did when it destroyed the transaction, with
 * that error; else as tn_conn_commit(): after TN_E_BUSY, commit again. */
TN_API TN_MUST_USE enum tn_code tn_txn_commit(tn_txn *txn, tn_err *err);

/* Undo what the scope has done; it still has to be ended. A no-op after a
 * commit. A result or a bulk load that is still open on the connection ends
 * first. Fails: if the savepoint went with the transaction, with the error that
 * the server destroyed that for. If it cannot go back to the savepoint, the
 * scope around can only be rolled back, and tn_txn_cause() says why. */
TN_API TN_MUST_USE enum tn_code tn_txn_rollback(tn_txn *txn, tn_err *err);

/* Roll back unless committed, and release. A connection that cannot be rolled
 * back is dead. A listener that is told of one of its statements cannot end it:
 * that is logged, and nothing happens. Stores NULL; NULL in either place is a
 * no-op. Scopes inside that are still there become unusable, but must be ended
 * too. */
TN_API void tn_txn_end(tn_txn **txn);

/* What statements run on; borrowed until the scope ends. */
TN_API tn_conn *tn_txn_conn(const tn_txn *txn);

/* The error for which the server has destroyed the transaction, borrowed from
 * the scope; NULL: it has not. */
TN_API const tn_err *tn_txn_cause(const tn_txn *txn);

/* Finds out whether a commit whose answer was lost has taken effect, e.g. by
 * looking for a row that it wrote. Asked on another connection. The server may
 * not have finished with the commit: what is asked must wait for it, as a
 * statement does that needs the same row's lock. It may be asked many times.
 * Returns TN_OK with `*ret_is_committed` 0 or 1; else it stays unknown. */
typedef enum tn_code (*tn_txn_check_fn)(tn_conn *conn, void *user,
                                        int *ret_is_committed, tn_err *err);

/* What tells a transaction from all others that the server has had. To be
 * copied as it is; it means something to this version of the backend only. */
struct tn_txn_id {
  char text[128];
};

/* Of a scope that was begun with TN_BEGIN_RESOLVABLE, at any time before its
 * end. (The begin asks for it in the same round trip. It gives the transaction
 * a number, also if it only reads, and takes its snapshot.)
 * Fails: TN_E_STATE, it was begun otherwise. */
TN_API TN_MUST_USE enum tn_code tn_txn_identify(const tn_txn *txn,
                                                struct tn_txn_id *ret,
                                                tn_err *err);

/* Ask it, on a connection of the engine's, as often as `retry` says (NULL: of
 * the engine) while that is lost. With a NULL `check` the server is asked by
 * its own books, and `user` is a struct tn_txn_id: it waits for the end of a
 * transaction that has none yet, as long as the engine's timeout, or 30 s.
 * Fails: as `check`, or tn_engine_take(). Without one: TN_E_UNCERTAIN, the
 * server cannot tell: it is another one (also one that was promoted), has been
 * started anew since and may have given the number again, or it was long ago;
 * TN_E_TIMEOUT, there is no end yet; TN_E_UNSUPPORTED. */
TN_API TN_MUST_USE enum tn_code tn_txn_resolve(
    tn_engine *engine, const struct tn_retry *retry, tn_txn_check_fn check,
    void *user, int *ret_is_committed, tn_err *err);

/* What is run in a transaction. TN_OK commits; another code, which `err` (never
 * NULL, empty) explains, rolls back. It may be called many times, so what it
 * changes outside of the database it must set up anew. */
typedef enum tn_code (*tn_run_fn)(tn_txn *txn, void *user, tn_err *err);

/* All may be left zero but the size. Grows at its end. */
struct tn_run_options {
  size_t struct_size;           /* sizeof(struct tn_run_options) */
  const struct tn_retry *retry; /* NULL: tn_retry_of_engine() */
  const char *label;            /* of the loans; static */
  struct tn_txn_options txn;
  tn_txn_check_fn check; /* is asked, with `user` of the run, after a commit
                            whose answer was lost. NULL: TN_E_UNCERTAIN is what
                            the run fails with. With TN_BEGIN_RESOLVABLE in
                            txn.flags the server is asked first, and `check`
                            only if that cannot tell; on backends that never
                            can the flag is TN_E_UNSUPPORTED without a `check`,
                            and passed over with one, which knows as well */
};

#define TN_RUN_OPTIONS_INIT                                                    \
  {                                                                            \
    .struct_size = sizeof(struct tn_run_options), .retry = NULL,               \
    .label = NULL, .txn = { .isolation = 0 }, .check = NULL                    \
  }

/* Run `call` in a transaction on a connection of the engine's, from its begin
 * again as long as the error and the policy allow it. `options` may be NULL.
 *
 * A `call` that returns TN_OK although the server has destroyed its transaction
 * has failed with the error that destroyed it; likewise one that returns what
 * came of that. A commit is never repeated unless it is known not to have taken
 * effect. A `call` whose transaction was ended while it ran (by DDL that
 * commits by itself, a call on the connection, tn_txn_commit()) has failed,
 * with TN_E_STATE if it returns TN_OK, and is never run again: err->detail says
 * that a part may be committed. A procedure that commits and begins anew is not
 * noticed. The policy's total time bounds all that is run on the connection and
 * names no deadline, the commit too: once it is over none is sent,
 * TN_E_TIMEOUT; one whose answer is still due is TN_E_UNCERTAIN, and what
 * became of it is asked with that time anew.
 *
 * Each run is a transaction of its own, also inside another: what is to be part
 * of the outer one uses tn_run_in(). (Which transaction a thread is in cannot
 * be told where schedulers run many functions in one.)
 *
 * Fails: as the last attempt, rolled back; TN_E_UNCERTAIN; TN_E_USAGE. */
TN_API TN_MUST_USE enum tn_code tn_run(tn_engine *engine,
                                       const struct tn_run_options *options,
                                       tn_run_fn call, void *user, tn_err *err);

/* Run `call` once in a scope inside `outer`. It is never repeated by itself:
 * the outer work that the server undid with it would be lost. When that was so
 * `outer` can only be rolled back, and fails with the same error. */
TN_API TN_MUST_USE enum tn_code tn_run_in(tn_txn *outer, tn_run_fn call,
                                          void *user, tn_err *err);

TN_END_DECLS

#endif
