/* What the files of the facade and its scopes share. */
#ifndef TENON_SCOPE_PRIV_H
#define TENON_SCOPE_PRIV_H

#include <pthread.h>
#include <stdbool.h>
#include <tenon/scope.h>

/* ---- facade.c ---- */

/* What scopes that are begun now use. */
struct tn_facade_ends {
  tn_engine *writer;
  tn_engine *reader; /* the same, if there is no replica */
  bool is_synchronous;
  bool is_read_only; /* readers are */
};

/* Starts the facade. Fails: as tn_engine_open(). */
enum tn_code tn_facade__ends(tn_facade *facade, struct tn_facade_ends *ret,
                             tn_err *err);

/* ---- scope.c ---- */

struct tn_scope {
  tn_facade *facade;
  tn_context *context; /* NULL: none, or it was closed */
  tn_scope *next;      /* of the context, the last to be begun first */
  pthread_t thread;
  tn_scope *joined; /* the scope around that it uses; NULL: it is outermost */
  tn_scope *inner;  /* the one that has joined this one */
  tn_engine *engine;
  tn_conn *conn;
  tn_txn *txn;    /* its transaction or savepoint; NULL: that around, if any */
  uint32_t mode;  /* asked for */
  uint32_t flags; /* TN_SCOPE_… */
  bool is_replica;
  bool is_read_only; /* the server refuses writes */
  bool is_savepoint; /* its `txn` is */
  bool is_done;      /* committed, or the scope around has ended */
  bool is_committed;
  bool is_doomed; /* a scope inside was left: `doom` says why */
  tn_position *ret_position;
  tn_err doom;
};

/* The innermost open scope of `facade` in `context` and this thread; or NULL.
 */
tn_scope *tn_scope__around(tn_context *context, const tn_facade *facade);

/* tn_scope_end(), for a reason that may be NULL. */
void tn_scope__leave(tn_scope **scope, const tn_err *why);

/* ---- scope_open.c ---- */

/* Fails: TN_E_USAGE, the options contradict each other. */
enum tn_code tn_scope__check(const struct tn_scope_options *options,
                             tn_err *err);

/* Give an outermost scope its engine, its connection and its transaction. */
enum tn_code tn_scope__open(tn_scope *scope,
                            const struct tn_scope_options *options,
                            tn_err *err);

/* The same to one that joins `scope->joined`. Fails: TN_E_USAGE, it may not. */
enum tn_code tn_scope__join(tn_scope *scope,
                            const struct tn_scope_options *options,
                            tn_err *err);

/* The transaction that a scope is in; or NULL. */
tn_txn *tn_scope__txn(const tn_scope *scope);

#endif
