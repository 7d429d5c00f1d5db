/* Commit in two phases: a transaction is prepared under a global id, which
 * outlives its session and the server, and is committed or rolled back later,
 * from any session with that database.
 *
 *   options.global_id = "order-17@shop";
 *   rc = tn_txn_take(engine, NULL, &options, &txn, &err);
 *   …
 *   rc = tn_txn_prepare(txn, &err);
 *   …
 *   rc = tn_two_phase_commit(conn, "order-17@shop", &err);
 *
 * A global id has 1 to 64 characters: printable ASCII, but no blank, no single
 * quote and no backslash. It names one transaction of the whole server, not of
 * a database. An id that is in use is TN_E_EXISTS, at the begin where the
 * server wants to know it then, else when it is prepared.
 *
 * What is prepared keeps its locks until it is ended. Whoever prepares must
 * look, when it starts, for what an earlier run has left, and when the server
 * was started anew: MariaDB may have forgotten the rollback of a moment ago, so
 * that it is prepared again. A commit is not forgotten.
 *
 * Backends without it (no TN_CAP_TWO_PHASE) fail with TN_E_UNSUPPORTED. */
#ifndef TENON_TWO_PHASE_H
#define TENON_TWO_PHASE_H

#include <tenon/txn.h>

TN_BEGIN_DECLS

/* Prepare the transaction of an outermost scope that was begun with a
 * global_id. The scope still has to be ended. Its connection is free for other
 * work, except on MariaDB, whose sessions belong to what they have prepared: it
 * is lost then, and a pool replaces it. A failure rolls back.
 * Fails: TN_E_STATE, it has no global id; TN_E_EXISTS, the id is in use;
 * TN_E_UNCERTAIN, the answer was lost: tn_two_phase_list() has it if it was
 * prepared; as the server did when it destroyed the transaction. */
TN_API TN_MUST_USE enum tn_code tn_txn_prepare(tn_txn *txn, tn_err *err);

/* End what was prepared. Not inside a transaction.
 * Fails: TN_E_NOT_FOUND, there is none of that id; TN_E_UNCERTAIN, the answer
 * was lost: it is ended once tn_two_phase_list() does not have it; TN_E_USAGE,
 * TN_E_STATE. */
TN_API TN_MUST_USE enum tn_code tn_two_phase_commit(tn_conn *conn,
                                                    const char *global_id,
                                                    tn_err *err);
TN_API TN_MUST_USE enum tn_code tn_two_phase_rollback(tn_conn *conn,
                                                      const char *global_id,
                                                      tn_err *err);

/* Told of each id, which is borrowed for the call. It may use the connection.
 * Another code than TN_OK ends the list, and is what that fails with. */
typedef enum tn_code (*tn_two_phase_fn)(const char *global_id, void *user,
                                        tn_err *err);

/* What is prepared at the moment of the call and can be ended on `conn`:
 * whoever has prepared it, of this database where the server tells that. What
 * has an id that is none of the above is left out. */
TN_API TN_MUST_USE enum tn_code tn_two_phase_list(tn_conn *conn,
                                                  tn_two_phase_fn visit,
                                                  void *user, tn_err *err);

TN_END_DECLS

#endif
