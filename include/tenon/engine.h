/* What an application holds: a database by its name, and a pool of connections
 * to it.
 *
 *   tn_engine *db = NULL;
 *   tn_conn *conn = NULL;
 *
 *   if (tn_engine_open("postgresql:///shop?max_pool_size=8", NULL, &db, &err)
 *           == TN_OK &&
 *       tn_engine_take(db, NULL, &conn, &err) == TN_OK) {
 *     …
 *     tn_pool_give(&conn);
 *   }
 *
 * An engine connects when it is first needed, so it opens, and stays, whatever
 * the server does; tn_engine_start() is for a program that would rather know.
 *
 * Its options are those of conf/tenon.ini, wherever they are said: by the
 * program (struct tn_engine_options), in the URL behind '?', or in the
 * configuration; the first of these that says something of an option counts.
 * An option of another backend than the URL's, like sqlite_synchronous of
 * PostgreSQL, has no effect, which is logged once if it is given.
 *
 * All functions are thread-safe but tn_engine_close(). */
#ifndef TENON_ENGINE_H
#define TENON_ENGINE_H

#include <tenon/event.h>
#include <tenon/pool.h>

TN_BEGIN_DECLS

/* A key of conf/tenon.ini with its value, as it would stand there. */
struct tn_setting {
  const char *key;
  const char *value;
};

/* All may be left zero but the size. Grows at its end. */
struct tn_engine_options {
  size_t struct_size;       /* sizeof(struct tn_engine_options) */
  tn_registry *registry;    /* NULL: tn_registry_default() */
  const tn_config *config;  /* for targets like "@billing"; NULL: none */
  const struct tn_log *log; /* copied; NULL: silent */
  tn_wait_fn wait;          /* as in struct tn_conn_options, and for a turn at
                               the pool; also called in the pool's thread */
  void *wait_user;
  const struct tn_setting *settings; /* copied */
  size_t setting_count;
  uint32_t is_replica; /* not 0: a target like "@billing" is its
                          slave_connection */
};

#define TN_ENGINE_OPTIONS_INIT                                                 \
  {                                                                            \
    .struct_size = sizeof(struct tn_engine_options), .registry = NULL,         \
    .config = NULL, .log = NULL, .wait = NULL, .wait_user = NULL,              \
    .settings = NULL, .setting_count = 0, .is_replica = 0                      \
  }

/* Load the backend and check all options; nothing is connected. `target` is as
 * of tn_conn_open(), and is resolved anew for each connection, so that a
 * password in a file may change. `options` may be NULL; its pointers must
 * outlive the engine unless it says "copied". `*ret` is the caller's until
 * tn_engine_close(); untouched on failure.
 * Fails: TN_E_CONFIG, TN_E_NOT_FOUND, TN_E_PLUGIN as tn_conn_open();
 * TN_E_USAGE; TN_E_LIMIT, no thread; TN_E_MEMORY. */
TN_API TN_MUST_USE enum tn_code tn_engine_open(
    const char *target, const struct tn_engine_options *options,
    tn_engine **ret, tn_err *err);

/* Connect, as the options say: max_retries times, retry_interval apart, which
 * grows up to max_retry_interval. Each attempt that fails is logged. Only a
 * server that cannot be reached is tried again: what is wrong otherwise, a
 * password say, fails at once. No lock is held: other threads use the engine.
 * `deadline` ends it early, 0 and TN_DEADLINE_NONE do not; each attempt has
 * pool_timeout at most, or 30 seconds if that is 0.
 * Fails: as the last attempt; with start_degraded it does not, if the server
 * just cannot be reached, and the engine goes on trying when it is used. */
TN_API TN_MUST_USE enum tn_code tn_engine_start(tn_engine *engine,
                                                tn_deadline deadline,
                                                tn_err *err);

/* tn_pool_close() of its pool: what is lent goes on until it is given back.
 * Stores NULL; NULL in either place is a no-op. */
TN_API void tn_engine_close(tn_engine **engine);

/* A connection on loan: tn_pool_take(). Give it back with tn_pool_give(). */
TN_API TN_MUST_USE enum tn_code tn_engine_take(tn_engine *engine,
                                               const struct tn_loan *loan,
                                               tn_conn **ret, tn_err *err);

/* Run one statement on a connection of the pool's: take, tn_conn_query(), and
 * give when the result is closed. query->deadline is of all of it; 0: the
 * options pool_timeout and query_timeout, one after the other. */
TN_API TN_MUST_USE enum tn_code tn_engine_query(tn_engine *engine,
                                                const struct tn_query *query,
                                                tn_result **ret, tn_err *err);

/* Take, tn_conn_exec() and give. */
TN_API TN_MUST_USE enum tn_code tn_engine_exec(tn_engine *engine,
                                               const char *sql,
                                               uint64_t *ret_affected,
                                               tn_err *err);

/* Take, tn_conn_complete() and give: on another connection than the one that
 * failed, whose transaction may stay as it is. `deadline` is of all of it; 0:
 * the options pool_timeout and query_timeout, one after the other. */
TN_API TN_MUST_USE enum tn_code tn_engine_complete(tn_engine *engine,
                                                   tn_err *about,
                                                   tn_deadline deadline,
                                                   tn_err *err);

/* The pool, for what else can be done with it. Borrowed. */
TN_API tn_pool *tn_engine_pool(tn_engine *engine);

/* Name of the backend, and the target as a URL without its password. Borrowed.
 */
TN_API const char *tn_engine_backend(const tn_engine *engine);
TN_API const char *tn_engine_url(const tn_engine *engine);

/* The value that an option has in the end, as it was written. Borrowed. What
 * its backend does where nothing is said stands in the backend's manual page.
 * Fails: TN_E_NOT_FOUND, no such option of an engine, or it has no value. */
TN_API TN_MUST_USE enum tn_code tn_engine_option(const tn_engine *engine,
                                                 const char *key,
                                                 const char **ret, tn_err *err);

/* tn_pool_tick(), if pool_tick_time is 0. */
TN_API void tn_engine_tick(tn_engine *engine);

TN_END_DECLS

#endif
