/* One session with a database.
 *
 * A connection is used by one thread at a time; a second one that calls in
 * while a call runs is refused with TN_E_STATE. Only tn_conn_cancel() is for
 * other threads. Every call that talks to the database ends at its deadline. */
#ifndef TENON_CONN_H
#define TENON_CONN_H

#include <tenon/clock.h>
#include <tenon/config.h>
#include <tenon/err.h>
#include <tenon/log.h>
#include <tenon/registry.h>
#include <tenon/result.h>
#include <tenon/url.h>
#include <tenon/value.h>

TN_BEGIN_DECLS

typedef struct tn_conn tn_conn;
typedef struct tn_prepared tn_prepared;

/* Wait for a descriptor in place of poll(2), e.g. by letting a scheduler run
 * something else: until `fd` (-1: none) is ready for `events` (TN_WAIT_… in
 * plugin.h) or `until` has come. Returns the events that are ready, 0 for none
 * (a spurious return is allowed), -1 on an error, which is TN_E_CANCELED with
 * ECANCELED in errno and TN_E_IO else. One that comes back after `until` loses
 * nothing: what has arrived by then counts. */
typedef int (*tn_wait_fn)(int fd, uint32_t events, tn_deadline until,
                          void *user);

/* All may be left zero. */
struct tn_conn_options {
  tn_deadline deadline; /* of the opening; 0: 30 seconds from now */
  uint64_t timeout_ms;  /* of each later call that names no deadline; 0: none */
  tn_registry *registry;    /* NULL: tn_registry_default() */
  const tn_config *config;  /* for targets like "@billing"; NULL: none */
  const struct tn_log *log; /* copied; NULL: silent */
  tn_wait_fn wait;          /* NULL: poll(2); tn_async_wait: see async.h */
  void *wait_user;
  uint32_t statement_cache; /* statements that tn_conn_query() keeps prepared,
                               found again by their text; 0: what `config` says
                               of the target, else 100; TN_CACHE_NONE */
  uint32_t reserved;
  uint64_t statement_cache_bytes; /* the most text of them; 0: likewise, else
                                     1 MiB */
};

#define TN_CACHE_NONE UINT32_MAX

/* Open a session. `target` is a URL, or "@name" for a database of
 * options->config. `options` may be NULL; its pointers must outlive the
 * connection, but for `config`. `*ret` is the caller's until tn_conn_close();
 * untouched on failure.
 * Fails: TN_E_USAGE, there is no target; TN_E_CONFIG, the URL or an option of
 * it; TN_E_NOT_FOUND, "@name" is
 * not configured, with the nearest name; TN_E_PLUGIN, no backend, or it does
 * not load, with every file tried in `detail`; TN_E_CONNECT, TN_E_AUTH,
 * TN_E_NO_DATABASE, TN_E_TIMEOUT and others of the backend. */
TN_API TN_MUST_USE enum tn_code tn_conn_open(
    const char *target, const struct tn_conn_options *options, tn_conn **ret,
    tn_err *err);

/* The same with a parsed URL, which is copied. */
TN_API TN_MUST_USE enum tn_code tn_conn_open_url(
    const tn_url *url, const struct tn_conn_options *options, tn_conn **ret,
    tn_err *err);

/* Close what is still open on it, then the session; an open transaction is
 * rolled back. Takes a second at most, whatever the server does. Stores NULL;
 * NULL in either place is a no-op. Prepared statements and results left open
 * become unusable but must still be closed. */
TN_API void tn_conn_close(tn_conn **conn);

/* Flags of a query. */
#define TN_QUERY_NATIVE   UINT32_C(1) /* placeholders are the backend's own */
#define TN_QUERY_BUFFERED UINT32_C(2) /* fetch all rows at once */

/* One statement with its parameters. In `sql` a value stands as `?`, or as
 * `:name`, not both; `??` is the operator `?`. Placeholders in strings, quoted
 * names and comments are none. */
struct tn_query {
  const char *sql;          /* UTF-8; NULL is refused with TN_E_USAGE */
  const tn_value *values;   /* borrowed for the call */
  const char *const *names; /* one a value for `:name`, without the colon, each
                               of them used; NULL for `?` */
  size_t value_count;
  uint32_t flags; /* TN_QUERY_… */
  uint32_t reserved;
  tn_deadline deadline; /* also of fetching the rows; 0: the connection's
                           timeout_ms from now */
};

/* Run one statement. `*ret` is the caller's until tn_result_close(); untouched
 * on failure. Fails: TN_E_USAGE, wrong number or name of parameters, more than
 * one statement or none; TN_E_STATE, a result is still open; TN_E_DATA,
 * TN_E_CHARSET, TN_E_LIMIT, TN_E_UNSUPPORTED, a value that the backend cannot
 * hold, with its number in err->parameter and nothing sent; others of the
 * backend. */
TN_API TN_MUST_USE enum tn_code tn_conn_query(tn_conn *conn,
                                              const struct tn_query *query,
                                              tn_result **ret, tn_err *err);

/* Run one statement without parameters for its effect, with the connection's
 * timeout; rows are dropped. `ret_affected` may be NULL.
 * Fails: as tn_conn_query(). */
TN_API TN_MUST_USE enum tn_code tn_conn_exec(tn_conn *conn, const char *sql,
                                             uint64_t *ret_affected,
                                             tn_err *err);

/* Run the statements of `sql` one after another, each with the connection's
 * timeout, and call `visit` (may be NULL) with each one's result, which it
 * does not close. Stops at the first failure: of a statement, whose number is
 * put into the message, or a code that `visit` returns. */
typedef enum tn_code (*tn_script_fn)(tn_result *result, void *user,
                                     tn_err *err);
TN_API TN_MUST_USE enum tn_code tn_conn_script(tn_conn *conn, const char *sql,
                                               tn_script_fn visit, void *user,
                                               tn_err *err);

/* What tn_conn_script() would find in a text, for who gets it line by line and
 * wants to know when to run it. */
struct tn_script_scan {
  uint64_t statement_count; /* also a last one that has not ended; 0: nothing
                               but blanks, comments and ';' */
  uint32_t is_complete;     /* each has ended by its ';', and nothing that a
                               further line could be part of is open */
  uint32_t reserved;
};

/* Look for the statements of `sql`, by the rules of the backend: a ';' in a
 * string, a comment or the body of a routine ends none. Runs nothing, allocates
 * nothing and never fails; a result may be open. */
TN_API void tn_conn_script_scan(const tn_conn *conn, const char *sql,
                                struct tn_script_scan *ret);

/* Compile a statement once, to be run many times. `flags`: TN_QUERY_NATIVE.
 * `*ret` is the caller's until tn_prepared_close() and belongs to `conn`.
 * Fails: TN_E_USAGE, more than one statement or none; TN_E_STATE, a result is
 * open; TN_E_SYNTAX, TN_E_NO_TABLE and others of the backend, which may tell of
 * them only when it is run. */
TN_API TN_MUST_USE enum tn_code tn_conn_prepare(tn_conn *conn, const char *sql,
                                                uint32_t flags,
                                                tn_prepared **ret, tn_err *err);

/* Run it; `query->sql` is not looked at. One result of a prepared statement is
 * open at a time. Other rules as tn_conn_query(). */
TN_API TN_MUST_USE enum tn_code tn_prepared_query(tn_prepared *prepared,
                                                  const struct tn_query *query,
                                                  tn_result **ret, tn_err *err);

/* Close it and an open result of it; stores NULL. */
TN_API void tn_prepared_close(tn_prepared **prepared);

/* Many runs of one prepared statement. */
struct tn_batch {
  const tn_value *values;   /* row_count rows of value_count values, one row
                               after another; borrowed until the result is
                               closed */
  const char *const *names; /* as in struct tn_query, of one row */
  size_t value_count;
  size_t row_count;
  uint32_t flags; /* none yet */
  uint32_t reserved;
  tn_deadline deadline; /* of all of it; 0: the connection's timeout_ms */
};

/* Run a prepared statement once for each row of values, which the backend
 * sends together where it can: many times faster than one by one.
 *
 * A statement that returns no rows runs to its end here, in a transaction of
 * its own if none is open and the backend has them: all rows or none.
 * tn_result_affected() is the sum. In an open transaction the rows before one
 * that fails have taken effect, until that transaction is rolled back.
 *
 * A statement that returns rows has one result set for each row of values, in
 * order: tn_result_next_set(). Outside a transaction each run commits by
 * itself where the backend runs them one by one.
 *
 * Fails: as tn_prepared_query(), with the row in err->row. */
TN_API TN_MUST_USE enum tn_code tn_prepared_batch(tn_prepared *prepared,
                                                  const struct tn_batch *batch,
                                                  tn_result **ret, tn_err *err);

/* How to begin a transaction; what is 0 is left to the session. */
struct tn_txn_options {
  uint32_t isolation; /* enum tn_isolation in plugin.h */
  uint32_t access;    /* enum tn_access */
  uint32_t lock_mode; /* enum tn_lock_mode */
  uint32_t flags;     /* TN_BEGIN_… in plugin.h */
  tn_deadline deadline;
  const char
      *global_id; /* two_phase.h; copied. NULL: it will not be prepared */
};

/* Begin, commit, roll back. `options` may be NULL. Begin inside a transaction
 * and commit outside one are refused with TN_E_STATE; a rollback outside one
 * does nothing. What was begun so is not ended by a text: BEGIN, START
 * TRANSACTION, COMMIT, END, ABORT, ROLLBACK (without TO), PREPARE TRANSACTION
 * and XA (but RECOVER) are refused with TN_E_STATE and not sent until it is
 * over; savepoints may be texts. So may be all of a transaction whose begin was
 * one.
 * Fails: TN_E_UNSUPPORTED, the backend cannot do what was asked;
 * TN_E_USAGE, TN_BEGIN_DEFERRABLE of one that is not serializable and read-only
 * by these options, or a global id that is none;
 * TN_E_BUSY at commit leaves the transaction open: commit again;
 * TN_E_UNCERTAIN, the answer to the commit was lost. */
TN_API TN_MUST_USE enum tn_code tn_conn_begin(
    tn_conn *conn, const struct tn_txn_options *options, tn_err *err);
TN_API TN_MUST_USE enum tn_code tn_conn_commit(tn_conn *conn, tn_err *err);
TN_API TN_MUST_USE enum tn_code tn_conn_rollback(tn_conn *conn, tn_err *err);

/* Savepoints of the open transaction. `name` is a letter or '_' followed by
 * up to 62 letters, digits and '_'.
 * Fails: TN_E_USAGE, another name; TN_E_STATE, there is no transaction;
 * TN_E_UNSUPPORTED; others of the backend. */
TN_API TN_MUST_USE enum tn_code tn_conn_savepoint(tn_conn *conn,
                                                  const char *name,
                                                  tn_err *err);
TN_API TN_MUST_USE enum tn_code tn_conn_release_savepoint(tn_conn *conn,
                                                          const char *name,
                                                          tn_err *err);
TN_API TN_MUST_USE enum tn_code tn_conn_rollback_savepoint(tn_conn *conn,
                                                           const char *name,
                                                           tn_err *err);

/* What the server says of the transaction (enum tn_txn_state). */
TN_API uint32_t tn_conn_txn_state(const tn_conn *conn);

/* Calls on `conn` that name no deadline end at this one, until it is set again;
 * 0: timeout_ms after each has begun, as before. So has a commit its own, and
 * everything between a begin and a commit has one together. A call after it
 * sends nothing and fails with TN_E_TIMEOUT, but a rollback, to a savepoint
 * too, has a second of its own then. A pool forgets it when it takes the
 * connection back. */
TN_API void tn_conn_set_deadline(tn_conn *conn, tn_deadline deadline);

/* Is the session still good? `deadline` 0: the connection's timeout_ms from
 * now. Fails: as the backend does, most often TN_E_LOST; TN_E_STATE, a result
 * is open; TN_E_TIMEOUT. */
TN_API TN_MUST_USE enum tn_code tn_conn_ping(tn_conn *conn,
                                             tn_deadline deadline, tn_err *err);

/* Bring the session back to what it was when it was opened.
 * Fails: TN_E_UNSUPPORTED, TN_E_STATE with a result open. */
TN_API TN_MUST_USE enum tn_code tn_conn_reset(tn_conn *conn, tn_err *err);

/* Of the session, for transactions to come. An sql-mode is in the server's
 * words: "" is none, which every backend has, "default" the server's own.
 * Fails: TN_E_UNSUPPORTED; TN_E_USAGE, NULL. */
TN_API TN_MUST_USE enum tn_code tn_conn_set_sql_mode(tn_conn *conn,
                                                     const char *mode,
                                                     tn_err *err);
TN_API TN_MUST_USE enum tn_code tn_conn_set_isolation(tn_conn *conn,
                                                      uint32_t isolation,
                                                      tn_err *err);
TN_API TN_MUST_USE enum tn_code tn_conn_get_isolation(tn_conn *conn,
                                                      uint32_t *ret,
                                                      tn_err *err);
TN_API TN_MUST_USE enum tn_code tn_conn_set_access(tn_conn *conn,
                                                   uint32_t access,
                                                   tn_err *err);

/* Stop the call that runs on `conn` in another thread; it fails with
 * TN_E_CANCELED. When nothing runs, nothing happens: a later call is never
 * hit. Thread-safe as long as `conn` is open. */
TN_API void tn_conn_cancel(tn_conn *conn);

/* What became of the statements that `conn` keeps by their text. Those are
 * closed when a statement runs that is not SELECT, INSERT, UPDATE, DELETE,
 * their kin or about a transaction: it may change what they mean. */
struct tn_cache_stats {
  uint64_t hits;    /* queries that found theirs */
  uint64_t misses;  /* that did not */
  uint64_t evicted; /* closed to make room */
  uint64_t kept;    /* at present */
  uint64_t bytes;   /* of their text */
};
TN_API void tn_conn_cache_stats(const tn_conn *conn,
                                struct tn_cache_stats *ret);

/* Look up in the catalogue what `about`, a duplicate or a foreign-key error of
 * this backend's, does not say or took out of a message: schema, table,
 * constraint, columns and the table at the other end; about->source tells.
 * Nothing changes where the catalogue has no such key, or more than one: of
 * which table it is a program that knows may add to `about` first. `conn` is
 * any that is free and has no transaction open; the one that failed is, once it
 * has rolled back. Fails: TN_E_USAGE, another kind of error or backend;
 * TN_E_STATE, a transaction is open; TN_E_UNSUPPORTED, the backend has no such
 * catalogue; others of a query. `about` is untouched then. */
TN_API TN_MUST_USE enum tn_code tn_conn_complete(tn_conn *conn, tn_err *about,
                                                 tn_deadline deadline,
                                                 tn_err *err);

/* What may still be done (enum tn_connection_verdict). */
TN_API uint32_t tn_conn_verdict(const tn_conn *conn);

/* Quote `name` by the backend's rule into `buffer`, as tn_value_print() does.
 * 0 if it cannot be a name: empty, too long, no UTF-8; or without memory. */
TN_API size_t tn_conn_quote_name(const tn_conn *conn, const char *name,
                                 char *buffer, size_t size);

/* Name of the plug-in; server and version; what this server can do (TN_CAP_…
 * in plugin.h). Borrowed from `conn`. */
TN_API const char *tn_conn_backend(const tn_conn *conn);
TN_API const char *tn_conn_server_version(const tn_conn *conn);
TN_API uint64_t tn_conn_caps(const tn_conn *conn);

TN_END_DECLS

#endif
