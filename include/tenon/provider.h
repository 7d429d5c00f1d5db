/* Databases for the requests of a service: one provider a service, one worker a
 * request, which has sessions in three ways and ends with nothing left open.
 *
 *   rc = tn_provider_open(&options, &provider, &err);      // at start
 *   …
 *   rc = tn_worker_begin(provider, "orders.get", &worker, &err);
 *
 *   // one scope, which commits or rolls back
 *   rc = tn_worker_run(worker, NULL, place, &order, &err);
 *   // one of several
 *   rc = tn_worker_open(worker, NULL, &session, &err);
 *   // the worker's own, the same each time
 *   rc = tn_worker_session(worker, &session, &err);
 *
 *   rc = tn_worker_end(&worker, &err);
 *
 * A session takes a connection and begins a transaction when it is first asked
 * for one, and gives the connection back with a commit or a rollback, after
 * which it may be asked again. What is not committed is rolled back; nothing is
 * ever committed by an end.
 *
 * The service finds its database by its name: the section
 * [database:SERVICE.BASE] of the configuration, else [database:SERVICE].
 *
 * What nameko_sqlalchemy's Database gives a service. A provider is used by many
 * threads, a worker and its sessions by one at a time. */
#ifndef TENON_PROVIDER_H
#define TENON_PROVIDER_H

#include <tenon/txn.h>

TN_BEGIN_DECLS

typedef struct tn_provider tn_provider;
typedef struct tn_worker tn_worker;
typedef struct tn_session tn_session;

/* ---- of a service ---- */

/* Begin with TN_PROVIDER_OPTIONS_INIT; set `service` and engine.config. Grows
 * at its end. */
struct tn_provider_options {
  size_t struct_size; /* sizeof(struct tn_provider_options) */
  const char *service;
  const char *base; /* of several databases of the service, which; or NULL */
  struct tn_engine_options engine;
};

#define TN_PROVIDER_OPTIONS_INIT                                               \
  {                                                                            \
    .struct_size = sizeof(struct tn_provider_options), .service = NULL,        \
    .base = NULL, .engine = TN_ENGINE_OPTIONS_INIT                             \
  }

/* Find the database and open its engine; nothing is connected: who would rather
 * know calls tn_engine_start(). `options` is as of tn_engine_open(). `*ret` is
 * the caller's until tn_provider_close().
 * Fails: TN_E_NOT_FOUND, no section of that name; TN_E_USAGE, no service or no
 * configuration; as tn_engine_open(). */
TN_API TN_MUST_USE enum tn_code tn_provider_open(
    const struct tn_provider_options *options, tn_provider **ret, tn_err *err);

/* Its engine. Borrowed. */
TN_API tn_engine *tn_provider_engine(tn_provider *provider);

/* Close its engine: what workers have taken is closed when they give it back.
 * Who would wait for that calls tn_pool_drain() before. Stores NULL; NULL in
 * either place is a no-op. */
TN_API void tn_provider_close(tn_provider **provider);

/* ---- of a request ---- */

/* `label` is for reports on its loans, static; NULL: "worker". `*ret` is the
 * caller's until tn_worker_end(), and that before tn_provider_close(). Fails:
 * TN_E_MEMORY. */
TN_API TN_MUST_USE enum tn_code tn_worker_begin(tn_provider *provider,
                                                const char *label,
                                                tn_worker **ret, tn_err *err);

/* Close all of its sessions, each whatever became of those before. Stores NULL;
 * NULL in either place is a no-op. Fails: as the first rollback that did; its
 * connection was closed, so that nothing is left of it. TN_E_STATE: one of them
 * runs a function; all stays as it is. */
TN_API TN_MUST_USE enum tn_code tn_worker_end(tn_worker **worker, tn_err *err);

/* All may be left zero but the size. Grows at its end. */
struct tn_session_options {
  size_t struct_size;           /* sizeof(struct tn_session_options) */
  struct tn_txn_options txn;    /* of each transaction */
  const struct tn_retry *retry; /* of tn_worker_run(), as in tn_run(); NULL: it
                                   is called once */
};

#define TN_SESSION_OPTIONS_INIT                                                \
  {                                                                            \
    .struct_size = sizeof(struct tn_session_options),                          \
    .txn = { .isolation = 0 }, .retry = NULL                                   \
  }

/* Run `call` in a session of its own: tn_run(). `options` may be NULL. */
TN_API TN_MUST_USE enum tn_code tn_worker_run(
    tn_worker *worker, const struct tn_session_options *options, tn_run_fn call,
    void *user, tn_err *err);

/* A session more. `options` may be NULL. `*ret` is the caller's until
 * tn_session_close(), or the worker's end, which closes it. Fails: TN_E_USAGE;
 * TN_E_MEMORY. */
TN_API TN_MUST_USE enum tn_code tn_worker_open(
    tn_worker *worker, const struct tn_session_options *options,
    tn_session **ret, tn_err *err);

/* The worker's own session, made when it is first asked for. Borrowed until the
 * worker's end. Fails: TN_E_MEMORY. */
TN_API TN_MUST_USE enum tn_code tn_worker_session(tn_worker *worker,
                                                  tn_session **ret,
                                                  tn_err *err);

/* ---- sessions ---- */

/* Its transaction, begun if there is none. Borrowed until the next commit,
 * rollback or close. Fails: as tn_txn_take(). */
TN_API TN_MUST_USE enum tn_code tn_session_txn(tn_session *session,
                                               tn_txn **ret, tn_err *err);

/* End the transaction and give its connection back; without one a no-op. What
 * cannot be committed is rolled back, but after TN_E_BUSY: commit again.
 * Fails: as tn_txn_commit(), tn_txn_rollback(). */
TN_API TN_MUST_USE enum tn_code tn_session_commit(tn_session *session,
                                                  tn_err *err);
TN_API TN_MUST_USE enum tn_code tn_session_rollback(tn_session *session,
                                                    tn_err *err);

/* Run `call` once in its transaction; commit, or roll back if it fails. The
 * session may be used again; by `call` itself only for what its transaction
 * does: to end or run it there is TN_E_STATE, and to close it nothing happens.
 */
TN_API TN_MUST_USE enum tn_code tn_session_run(tn_session *session,
                                               tn_run_fn call, void *user,
                                               tn_err *err);

/* Roll back and release before the worker's end; not the worker's own. Stores
 * NULL; NULL in either place is a no-op. */
TN_API void tn_session_close(tn_session **session);

TN_END_DECLS

#endif
