/* What the files of this layer share. */
#ifndef TENON_SESSION_PRIV_H
#define TENON_SESSION_PRIV_H

#include <stdbool.h>
#include <tenon/retry.h>
#include <tenon/txn.h>

/* The calls under one policy. */
struct tn_retry_run {
  struct tn_retry policy; /* nothing left zero that stands for a value */
  uint64_t attempts;      /* that have ended */
  uint64_t interval_ms;   /* the next one, not bounded */
  tn_deadline deadline;
};

/* tn_txn_check_fn of the server's own word; `id` is a struct tn_txn_id. */
enum tn_code tn_txn__ask_server(tn_conn *conn, void *id, int *ret_is_committed,
                                tn_err *err);

/* As tn_txn_begin() on a connection that is on loan: the end of the scope gives
 * it back, or a failure here. */
enum tn_code tn_txn__begin_loan(tn_conn *conn,
                                const struct tn_txn_options *options,
                                tn_txn **ret, tn_err *err);

/* Fails: TN_E_USAGE. */
enum tn_code tn_retry__start(const struct tn_retry *policy,
                             struct tn_retry_run *ret, tn_err *err);

/* A call has ended with `*rc` and `err` (not NULL). True: it is time to call
 * again, after a sleep, and `err` is empty. False: `*rc` is the end. */
bool tn_retry__again(struct tn_retry_run *run, enum tn_code *rc, tn_err *err);

/* Has the transaction been ended before its scope was left: committed, or ended
 * by what the scope knows nothing of? Then a part of it may be there. */
bool tn_txn__is_torn(const tn_txn *txn);

/* ---- txn_run.c ---- */

/* What a function that ran in `txn` (may be NULL) has failed with in the end,
 * given what it says. */
enum tn_code tn_run__judge(const tn_txn *txn, enum tn_code rc, tn_err *err);

/* `err` says that a commit is uncertain, and goes on to say so unless somebody
 * knows better: the server, unless `id` is empty, or the function that the
 * caller has for that. */
enum tn_code tn_run__resolve(tn_engine *engine,
                             const struct tn_run_options *options, void *user,
                             struct tn_txn_id *id, tn_err *err);

/* A function that knows what became of a commit is as good as a server that can
 * tell: one that never can need not be asked. */
void tn_run__spare_server(const tn_conn *conn, tn_txn_check_fn check,
                          struct tn_txn_options *txn);

/* All of it is undone, so it may be run again as it was. */
void tn_run__settle(tn_err *err);

#endif
