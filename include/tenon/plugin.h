/* The backend's side of Tenon: the only header a plug-in needs.
 *
 * A plug-in is a shared object NAME.so with one exported symbol,
 * tn_plugin_entry(), beside a manifest NAME.ini that says which URL schemes it
 * serves. plugins/README.md is the guide and has a whole plug-in as its
 * example.
 *
 * Rules of the ABI, major 1:
 *  - Every struct here begins with its `size`. Whoever makes one stores
 *    sizeof; whoever reads one reads no further. Slots and fields are appended
 *    within a major version, never moved or reused. Rows of tables (struct
 *    tn_column, tn_error_row, tn_option_row) never change.
 *  - Numbers have fixed width; 0 is invalid in every numbered set. Categories
 *    (enum tn_code) and the like cross as int32_t or uint32_t.
 *  - A plug-in has no undefined symbols into the core (link with -z defs):
 *    all it needs comes in struct tn_host, so that two cores can share a
 *    process and a test can play the host. The entry may therefore be called
 *    more than once: keep the host in the objects you make, not in a static.
 *  - What comes in is borrowed for the call. What goes out is static, or lives
 *    in the object it was asked of, or in the call's arena. Nothing is
 *    allocated on one side and released on the other.
 *  - A slot that returns int32_t returns TN_OK, or a category after it has
 *    called host->fail() with it (tn_fail() below does both).
 *  - A connection and all that was made from it are used by one thread at a
 *    time; connect() runs in many at once. Only cancel() comes from another
 *    thread during a call.
 *  - Every call that may block ends at call->deadline: it waits through
 *    host->wait() or asks host->check() now and then.
 *  - A plug-in never prints, exits, aborts, installs a signal handler, changes
 *    the locale or the environment, or leaves a descriptor without FD_CLOEXEC.
 *    It is never unloaded.
 *
 * Compiles as C11 and as C++17. */
#ifndef TENON_PLUGIN_H
#define TENON_PLUGIN_H

#include <stdarg.h>
#include <stdio.h>
#include <tenon/capability.h>
#include <tenon/err.h>
#include <tenon/option.h>
#include <tenon/value.h>

TN_BEGIN_DECLS

#define TN_ABI_MAJOR 1
#define TN_ABI_MINOR 0

struct tn_arena;
struct tn_host;

/* ------------------------------------------------------------------ */
/* The host's side                                                     */

/* One call into a plug-in, made by the host and passed along unchanged. */
struct tn_call {
  uint32_t size;
  uint32_t flags;   /* TN_CALL_… */
  int64_t deadline; /* CLOCK_MONOTONIC in nanoseconds; INT64_MAX: none */
  const struct tn_host *host;
  struct tn_arena *arena; /* lives as long as what the call makes; NULL where
                             the slot makes nothing */
};

/* execute(): all rows are wanted at once. A result that fetches them now and
 * says so by is_complete() saves the core a copy. */
#define TN_CALL_BUFFER UINT32_C(1)

/* What went wrong, as the client library tells it. Zero what is not known.
 * The texts are copied and may point into the library. */
struct tn_failure {
  uint32_t size;
  int32_t category;  /* enum tn_code; 0: look `native` up in the dialect's
                        errors, then `fallback`, then `sqlstate`, then its
                        first two characters */
  int32_t native;    /* the backend's own number, kept as it is */
  int32_t fallback;  /* a more general number to look up, such as a primary
                        result code */
  int32_t position;  /* in the statement, in characters from 1 */
  int32_t parameter; /* from 1 */
  const char *sqlstate;
  const char *message; /* one line */
  const char *detail;
  uint64_t row;   /* of a batch or bulk load, from 1 */
  int32_t lookup; /* 0: `native`; else to be looked up in its place, where
                     servers disagree on a number (TN_ERROR_OTHERS) */
  int32_t reserved;
};

/* The longest that grace() gives, in nanoseconds; and how much of it a plug-in
 * should spend without a sign that the server is there, so that a network that
 * has gone makes nobody late by a tenth of a second. */
#define TN_GRACE_MAX  INT64_C(150000000)
#define TN_GRACE_SIGN INT64_C(85000000)

/* Descriptor events of wait(). */
#define TN_WAIT_READ  UINT32_C(1)
#define TN_WAIT_WRITE UINT32_C(2)

/* What a plug-in may ask of the core. All slots are filled. Thread-safe, but
 * for what a call's arena and error say of threads: they are the call's. */
struct tn_host {
  uint32_t size;
  uint16_t abi_major;
  uint16_t abi_minor;

  /* Memory, by the rules of malloc, realloc and free. The plug-in's own. */
  void *(*alloc)(size_t size);
  void *(*resize)(void *memory, size_t size);
  void (*release)(void *memory);

  /* Memory that lives as long as what the call makes; NULL when there is no
   * more. Aligned for any type, not zeroed. */
  void *(*arena_alloc)(struct tn_arena *arena, size_t size);

  /* Nanoseconds on CLOCK_MONOTONIC. */
  int64_t (*now)(void);

  /* TN_OK while the call may go on; else TN_E_TIMEOUT or TN_E_CANCELED, with
   * the error filled in. Cheap enough for every thousandth step of a loop. */
  int32_t (*check)(struct tn_call *call);

  /* Wait until `fd` is ready for one of `events`, or `until` (same clock as
   * the deadline) has come; fd -1 only waits. `*ret_events` (may be NULL) is
   * what the descriptor is ready for, 0 when `until` came first.
   * Fails as check() does when the call's deadline passes or it is canceled;
   * TN_E_IO. An application may have replaced it by its own scheduler. */
  int32_t (*wait)(struct tn_call *call, int32_t fd, uint32_t events,
                  int64_t until, uint32_t *ret_events);

  /* Fill in the call's error and return its category. Call it at the point of
   * failure, before any further call into the client library. */
  int32_t (*fail)(struct tn_call *call, const struct tn_failure *failure);

  /* After fail(): add `size` bytes of text as a field (enum tn_err_field). */
  void (*fail_field)(struct tn_call *call, uint32_t field, const char *text,
                     size_t size);

  /* After fail(): change the verdicts its row gave; 0 keeps one. */
  void (*fail_verdicts)(struct tn_call *call, int32_t connection,
                        int32_t replay);

  /* Write one line (enum tn_log_level). No secrets, no statement values. */
  void (*log)(struct tn_call *call, uint32_t level, const char *line);

  /* Text to value and back, as tn_value_parse() and tn_value_print() in
   * value.h, but that the reason of a refusal is not told. */
  int32_t (*value_parse)(uint32_t type, const char *text, size_t size,
                         tn_value *ret);
  size_t (*value_print)(const tn_value *value, char *buffer, size_t size);

  /* Run `run(job)`, which may block, in a thread of its own, and wait for its
   * end as wait() does, until `until` at most: what a client library can only
   * do blocking, such as getaddrinfo(). TN_OK: it is over and `job` is the
   * caller's again. Else run() may still be at work, and `job` is the host's,
   * which calls `release(job)`, in any thread, when run() has ended or was
   * never begun: TN_E_TIMEOUT, TN_E_CANCELED as check(), TN_E_TIMEOUT also
   * when `until` came first; TN_E_LIMIT, no thread to be had, or too many
   * are still at work that were given up (fewer after grace()); TN_E_MEMORY.
   * With `until` 0 run() is begun even if the call's time is over, and nobody
   * waits for it: TN_E_TIMEOUT at once. run() and release() use no tn_call. */
  int32_t (*offload)(struct tn_call *call, void (*run)(void *job),
                     void (*release)(void *job), void *job, int64_t until);

  /* Begin to bring in order what a deadline or a cancel has interrupted, e.g.
   * to stop the statement on the server and read its last answer. From now on
   * this call's check(), wait() and offload() take no notice of the deadline
   * and of cancels, fail with TN_E_TIMEOUT `nanoseconds` (TN_GRACE_MAX at
   * most) from now, which becomes call->deadline, and no failure changes the
   * error that is set; but fail_verdicts() still does. A second call does
   * nothing. */
  void (*grace)(struct tn_call *call, int64_t nanoseconds);

  /* After fail(): where its columns come from (enum tn_err_source). Without it
   * they are taken to be from the message. */
  void (*fail_source)(struct tn_call *call, uint32_t source);
};

/* ------------------------------------------------------------------ */
/* Table 1: connections. Required.                                     */

struct tn_address {
  const char *host; /* name, IPv4, IPv6 without brackets, or /directory */
  uint32_t port;    /* 0: the backend's usual one */
  uint32_t reserved;
};

struct tn_option {
  const char *name;
  const char *value;
};

/* How a session is to be protected. The core reads the URL's tls options for
 * every backend with TN_CAP_NETWORK, so that they mean the same on all:
 * README.md of plugins/ has them. */
enum tn_tls_mode {
  TN_TLS_OFF = 1,
  TN_TLS_PREFER,      /* if the server can; its certificate is not verified */
  TN_TLS_REQUIRE,     /* not verified either */
  TN_TLS_VERIFY_CA,   /* the chain */
  TN_TLS_VERIFY_FULL, /* the chain and the name */
};

struct tn_tls {
  uint32_t size;
  uint32_t mode;           /* enum tn_tls_mode */
  uint32_t min_version;    /* 0x0303 is TLS 1.2, 0x0304 TLS 1.3 */
  uint32_t clear_password; /* 1: a server may have the password in clear text,
                              once its certificate has been verified or the peer
                              is reached by a unix socket; 2: always */
  const char *ca;          /* files in PEM; NULL: the system's authorities */
  const char *cert;        /* ours, and its key; NULL: none */
  const char *key;
  const char *crl; /* NULL: none */
};

/* Whom to connect to. Parts that are absent are NULL. Option values have been
 * checked against the descriptor's rows; defaults are not filled in. */
struct tn_connect_args {
  uint32_t size;
  uint32_t address_count;
  const struct tn_address *addresses;
  const char *dialect; /* of the URL, lower case */
  const char *driver;
  const char *user;
  const char *password; /* wiped after the call: copy it no further */
  const char *database;
  uint32_t option_count;
  uint32_t reserved;
  const struct tn_option *options;
  const struct tn_tls *tls; /* NULL without TN_CAP_NETWORK */
};

struct tn_dialect_table;

struct tn_connection_table {
  uint32_t size;
  uint32_t reserved;

  /* Required. Open one session and prepare it for use. `*ret` is the handle
   * that the other slots take; written on success only. */
  int32_t (*connect)(const struct tn_connect_args *args, struct tn_call *call,
                     void **ret);

  /* Required. Release a handle, also one whose server is gone. Statements and
   * results made from it have been closed before. Bounded by the deadline,
   * which is never more than a second away. */
  void (*disconnect)(void *handle, struct tn_call *call);

  /* Optional. Is the session still good? Without it the core runs the
   * dialect's ping_sql. */
  int32_t (*ping)(void *handle, struct tn_call *call);

  /* Optional. Stop what runs on `handle`; called from another thread, during
   * a call on that handle or between two fetches of a result, after
   * host->check() has begun to say "canceled".
   * Without it the running call is stopped only where it asks the host. */
  void (*cancel)(void *handle);

  /* Optional. What this server can do. Without it: the descriptor's caps. */
  uint64_t (*server_caps)(void *handle);

  /* Optional. The server's name and version, living as long as the handle.
   * Without it the client library's name and version are shown. */
  const char *(*server_version)(void *handle);

  /* Optional. In a child after fork: cut the handle off from its server. What
   * was made from it is closed afterwards, then the handle, as ever; nothing of
   * that may send the server a byte, stop a statement on it, or drop a lock
   * that the parent holds. Without it, and when it fails with a category (no
   * error is to be filled in), all of that is leaked. */
  int32_t (*abandon)(void *handle);

  /* Optional. Not 0: a database that is connected to by these arguments ends
   * with the session, as one in memory does. A pool has one session of it, and
   * keeps that. Nothing is opened. Without it: 0. */
  int32_t (*is_fleeting)(const struct tn_connect_args *args);

  /* Optional. The descriptor of the session's socket, the same all its life, or
   * -1: a dead one may have none. Between operations the core asks the kernel
   * how many bytes went by, and if any wait. Without it: -1. */
  int32_t (*socket)(void *handle);

  /* Optional. How SQL is written for the server of this session, where that is
   * not always the same: a table as table 4 is one, static. Asked once. Types
   * and limits of values are table 4's all the same, which must be the widest.
   * Without it, or NULL: table 4. */
  const struct tn_dialect_table *(*dialect)(void *handle);
};

/* ------------------------------------------------------------------ */
/* Table 2: statements. Required.                                      */

/* What prepare() found out. */
struct tn_statement_info {
  uint32_t size;

  /* In: placeholders that the core has written, 0: unknown; out: seen. */
  uint32_t parameter_count;
  uint32_t column_count; /* 0: returns no rows, or not known yet */
  uint32_t reserved;
};

struct tn_statement_table {
  uint32_t size;
  uint32_t reserved;

  /* Required. Compile one statement. `sql` is `sql_size` bytes of UTF-8 ended
   * by a NUL, with the dialect's placeholders. More than one statement is
   * refused with TN_E_USAGE, none at all likewise. */
  int32_t (*prepare)(void *handle, const char *sql, size_t sql_size,
                     struct tn_call *call, void **ret,
                     struct tn_statement_info *info);

  /* Required. Run it with `count` == parameter_count values, which have passed
   * tn_value_check(), are of the dialect's value_types and borrowed for the
   * call. What the backend would alter is refused with the parameter's number
   * before anything is sent. The statement has no open result. `*ret` is the
   * new one. Errors of the whole statement are reported here where the backend
   * knows them by then. */
  int32_t (*execute)(void *statement, const tn_value *values, uint32_t count,
                     struct tn_call *call, void **ret);

  /* Required. Release a statement without an open result. If the session
   * cannot go on after that, the call says so as any other: host->fail() with
   * a verdict. */
  void (*close)(void *statement, struct tn_call *call);

  /* Optional. Run it once for each of `rows` rows of `count` values, which lie
   * one after another and are borrowed until the result is closed; sent
   * together if the backend can. A statement that returns no rows has one
   * result, whose info() adds up what all did. One that returns rows has a
   * result set for each row of values, in order, reached by next_set().
   * A failure tells its row in tn_failure.row; those before it have taken
   * effect, as far as the transaction they are in does not undo that. Without
   * the slot the core calls execute() for each row. */
  int32_t (*execute_batch)(void *statement, const tn_value *values,
                           uint32_t count, uint64_t rows, struct tn_call *call,
                           void **ret);
};

/* ------------------------------------------------------------------ */
/* Table 3: results. Required.                                         */

/* A column of a result. Texts are never NULL and live as long as the
 * statement. */
struct tn_column {
  const char *name;
  const char *type_name; /* as the backend spells it; "" if it does not say */
  uint32_t type;         /* enum tn_type that its values mostly have */
  uint32_t reserved;
};

#define TN_RESULT_HAS_AFFECTED UINT32_C(1)
#define TN_RESULT_HAS_KEY      UINT32_C(2)

struct tn_result_info {
  uint32_t size;
  uint32_t flags;        /* TN_RESULT_… */
  uint64_t affected;     /* rows matched, not rows changed */
  int64_t generated_key; /* of the last row inserted */
};

struct tn_result_table {
  uint32_t size;
  uint32_t reserved;

  /* Required. The columns; `*ret_count` 0 if the statement returns no rows.
   * Borrowed until they are asked for the next set, or the statement is run
   * again or closed; also after the result was closed. */
  int32_t (*columns)(void *result, struct tn_call *call,
                     const struct tn_column **ret, uint32_t *ret_count);

  /* Required. Write the next row's cells, one a column. Bytes in them live
   * until the next fetch or close. Returns 1 for a row, 0 after the last one
   * (and from then on), or a category with its sign changed. */
  int32_t (*fetch)(void *result, tn_value *cells, struct tn_call *call);

  /* Required. Release the result, read to its end or not; the session can be
   * used again after that, or the call fails with a verdict that says not. What
   * is still under way is stopped on the server, unless that would end a
   * transaction: then it is read to its end, as long as the deadline allows. */
  void (*close)(void *result, struct tn_call *call);

  /* Optional. Affected rows and generated key; complete once the rows are read
   * to their end. Without it neither is known. */
  int32_t (*info)(void *result, struct tn_result_info *info);

  /* Optional. Go on to the next result set of a procedure or a batch; rows of
   * the present one that were not fetched are dropped. Returns 1 if there is
   * one, whose columns() are asked anew, 0 after the last (and from then on),
   * or a category with its sign changed. Without it there is one. Outside
   * batches it is asked for only with TN_CAP_MULTI_RESULT or
   * TN_CAP_PROCEDURE. */
  int32_t (*next_set)(void *result, struct tn_call *call);

  /* Optional. 1: all rows of all sets are here, no further call on the result
   * talks to the server, and the session is free for other statements while it
   * stays open. Asked once, after an execute() with TN_CALL_BUFFER. Without it
   * the core fetches and copies the rows. */
  int32_t (*is_complete)(void *result);
};

/* ------------------------------------------------------------------ */
/* Table 4: dialect. Required. Data only.                              */

/* How the lexer finds the placeholders in a statement. */
#define TN_LEX_BACKSLASH        UINT32_C(0x001) /* '…\'…' */
#define TN_LEX_E_STRING         UINT32_C(0x002) /* E'…\'…' */
#define TN_LEX_DOLLAR_QUOTE     UINT32_C(0x004) /* $tag$…$tag$ */
#define TN_LEX_NESTED_COMMENT   UINT32_C(0x008) /* one inside the other */
#define TN_LEX_HASH_COMMENT     UINT32_C(0x010) /* # to the line's end */
#define TN_LEX_DASH_NEEDS_SPACE UINT32_C(0x020) /* "-- x" but not "--x" */
#define TN_LEX_BACKTICK_NAME    UINT32_C(0x040) /* `name` */
#define TN_LEX_BRACKET_NAME     UINT32_C(0x080) /* [name] */
#define TN_LEX_DOUBLE_STRING    UINT32_C(0x100) /* "…" is a string */
#define TN_LEX_AT_VARIABLE      UINT32_C(0x200) /* @x, @@x, @x := 1 */
#define TN_LEX_SLICE            UINT32_C(0x400) /* a[1:2] */
#define TN_LEX_TRIGGER_BODY                                                    \
  UINT32_C(0x800) /* CREATE TRIGGER … BEGIN a; b;                            \
                     END is one statement */
#define TN_LEX_CODE_COMMENT                                                    \
  UINT32_C(0x1000) /* the inside of a comment that                             \
                      starts with slash, star and                              \
                      '!' is executed */
#define TN_LEX_ATOMIC_BODY                                                     \
  UINT32_C(0x2000) /* CREATE FUNCTION … BEGIN ATOMIC a; b;                   \
                      END is one statement */

/* How the backend spells a placeholder. */
enum tn_placeholder {
  TN_PLACEHOLDER_QUESTION = 1,    /* ?, each its own value */
  TN_PLACEHOLDER_QUESTION_NUMBER, /* ?1, may be repeated */
  TN_PLACEHOLDER_DOLLAR_NUMBER,   /* $1, may be repeated */
};

/* Added to a native code, once or more, where not all servers that a plug-in
 * talks to mean the same by it: a row for each, found by tn_failure.lookup. */
#define TN_ERROR_OTHERS 100000

/* What one native code means. The first row that matches wins. */
struct tn_error_row {
  int32_t native;       /* 0: match by sqlstate */
  int32_t category;     /* enum tn_code */
  int32_t connection;   /* enum tn_connection_verdict; 0: the category's */
  int32_t replay;       /* enum tn_replay_verdict; 0: the category's */
  const char *sqlstate; /* five characters, or two for a class; or NULL */
  const char *name;     /* the backend's own name for it */
};

/* Which fields an error may have, and whence: TN_ERR_BIT() each. */
struct tn_error_fields {
  uint32_t protocol; /* the server sends them as such */
  uint32_t message;  /* they are taken out of its texts, or the statement's */
};

struct tn_dialect_table {
  uint32_t size;
  uint32_t lexer;                /* Required. TN_LEX_…; 0 is standard SQL */
  uint32_t placeholder;          /* Required. enum tn_placeholder */
  uint32_t value_types;          /* Required. Types a parameter may have: bit
                                    1 << enum tn_type each; others are refused */
  uint32_t max_parameters;       /* Optional. 0: 65535 */
  uint32_t max_identifier_bytes; /* Optional. 0: no limit */
  uint64_t max_value_bytes;      /* Optional. 0: no limit */
  uint64_t max_statement_bytes;  /* Optional. 0: no limit */
  char quote_open;               /* Optional. Around a name; 0: '"' */
  char quote_close;              /* Optional. Doubled inside a name; 0: '"' */
  char reserved[6];
  const char *ping_sql;              /* Optional. NULL: "SELECT 1" */
  const struct tn_error_row *errors; /* Optional. */
  uint64_t error_count;
  uint32_t bulk_rows; /* Optional. Rows that pay in one INSERT … VALUES of a
                         bulk load that the core makes; 0: 1 */
  uint32_t reserved_2;
  const char *explain_prefix; /* Optional. Before a SELECT, INSERT, UPDATE or
                                 DELETE, parameters and all, it makes a
                                 statement whose rows show the plan, in UTF-8,
                                 and that does not run it: "EXPLAIN ". NULL:
                                 no plans */
  const char *constraint_sql; /* Optional. A SELECT of one row a column of a key
                                 that was violated, in order: schema, table,
                                 constraint, column (NULL for an expression
                                 without a name), table at the other end of a
                                 foreign key, place; NULL for what is not known.
                                 It uses all of :category ("duplicate" or
                                 "reference"), :schema, :table, :constraint
                                 and :columns (between ", "), as far as the
                                 error has them, else "". NULL: no look-up */
  void (*error_fields)(const struct tn_error_row *row,
                       struct tn_error_fields *ret); /* Optional. A row of
                                 `errors`, perhaps with another category by the
                                 administrator; fills in the zeroed struct. For
                                 people only */

  /* Optional. Functions, between blanks, that lock or set for a session. */
  const char *session_words;
};

/* ------------------------------------------------------------------ */
/* Table 5: transactions. Optional; without it TN_E_UNSUPPORTED.       */

enum tn_isolation {
  TN_ISOLATION_READ_UNCOMMITTED = 1,
  TN_ISOLATION_READ_COMMITTED,
  TN_ISOLATION_REPEATABLE_READ,
  TN_ISOLATION_SERIALIZABLE,
};

enum tn_access {
  TN_ACCESS_READ_WRITE = 1,
  TN_ACCESS_READ_ONLY,
};

/* When a transaction takes its locks
 * (https://sqlite.org/lang_transaction.html). */
enum tn_lock_mode {
  TN_LOCK_DEFERRED = 1, /* with the first statement that needs one */
  TN_LOCK_IMMEDIATE,    /* the write lock at once */
  TN_LOCK_EXCLUSIVE,    /* all locks at once */
};

/* State of a session's transaction. */
enum tn_txn_state {
  TN_TXN_NONE = 1, /* each statement commits by itself */
  TN_TXN_OPEN,
  TN_TXN_ABORTED, /* only a rollback is accepted */
};

/* Flags of a begin. The core passes on what the capabilities allow. */
#define TN_BEGIN_DEFERRABLE                                                    \
  UINT32_C(1) /* serializable and read-only: wait for a snapshot with which    \
                 it can neither fail nor make others fail */
#define TN_BEGIN_RESOLVABLE                                                    \
  UINT32_C(2) /* outcome() may be asked what became of its commit */

/* What became of a transaction. */
enum tn_outcome {
  TN_OUTCOME_COMMITTED = 1,
  TN_OUTCOME_ROLLED_BACK,
  TN_OUTCOME_UNKNOWN, /* the server has forgotten, or is another one */
};

/* Bytes of what outcome() is asked about, with the NUL. */
#define TN_TXN_ID_SIZE 128

/* Bytes of a global id, with the NUL. */
#define TN_GLOBAL_ID_SIZE 65

/* How to begin; 0 in a field leaves it to the session. */
struct tn_txn_request {
  uint32_t size;
  uint32_t isolation; /* enum tn_isolation */
  uint32_t access;    /* enum tn_access */
  uint32_t lock_mode; /* enum tn_lock_mode */
  uint32_t flags;     /* TN_BEGIN_… */
  uint32_t reserved;
  const char *global_id; /* that it may be prepared under: 1 to 64 printable
                            characters of ASCII, but no blank, ' or \; NULL */
};

struct tn_txn_table {
  uint32_t size;
  uint32_t reserved;

  /* Required in this table. A wish that cannot be met is refused with
   * TN_E_UNSUPPORTED, never met by half. A commit whose answer was lost is
   * TN_E_UNCERTAIN; the core makes that of any failure that leaves a dead
   * connection, unless its replay is TN_REPLAY_SAFE: nothing took effect. */
  int32_t (*begin)(void *handle, const struct tn_txn_request *request,
                   struct tn_call *call);
  int32_t (*commit)(void *handle, struct tn_call *call);
  int32_t (*rollback)(void *handle, struct tn_call *call);

  /* Required in this table. What the server says, not what was sent. */
  uint32_t (*state)(void *handle);

  /* Optional, all three or none. `name` is a plain identifier. */
  int32_t (*savepoint)(void *handle, const char *name, struct tn_call *call);
  int32_t (*release_savepoint)(void *handle, const char *name,
                               struct tn_call *call);
  int32_t (*rollback_savepoint)(void *handle, const char *name,
                                struct tn_call *call);

  /* Optional, the four or none (TN_CAP_TWO_PHASE). Prepare the open transaction
   * under the global id that it was begun with: it outlives the session and
   * the server, and the session is free for others. When that fails and the
   * session lives, it is rolled back. Then end it, in any session:
   * TN_E_NOT_FOUND for an id that is none; TN_E_UNCERTAIN as commit(). List the
   * ids of this database, in the call's arena. */
  int32_t (*prepare)(void *handle, const char *global_id, struct tn_call *call);
  int32_t (*commit_prepared)(void *handle, const char *global_id,
                             struct tn_call *call);
  int32_t (*rollback_prepared)(void *handle, const char *global_id,
                               struct tn_call *call);
  int32_t (*list_prepared)(void *handle, struct tn_call *call,
                           const char *const **ret, uint32_t *ret_count);

  /* Optional, both or none (TN_CAP_OUTCOME). Copy what tells the transaction
   * that was begun with TN_BEGIN_RESOLVABLE from all others; nothing is sent.
   * Then tell, in another session, what became of it (enum tn_outcome), having
   * waited for its end if it has none yet. It is better not to know than to be
   * wrong: another server, or an earlier state of this one, may have given the
   * same number to another transaction. */
  int32_t (*identify)(void *handle, char id[TN_TXN_ID_SIZE],
                      struct tn_call *call);
  int32_t (*outcome)(void *handle, const char *id, struct tn_call *call,
                     uint32_t *ret);
};

#define TN_POSITION_SIZE 256

/* ------------------------------------------------------------------ */
/* Table 6: session. Optional; without a slot TN_E_UNSUPPORTED.        */

struct tn_session_table {
  uint32_t size;
  uint32_t reserved;

  /* Optional. Bring the session back to what connect() made: no transaction,
   * default isolation and access, no temporary objects. */
  int32_t (*reset)(void *handle, struct tn_call *call);

  /* Optional. How strictly the server treats values, in its own words. "" is
   * none and never refused, "default" the server's own. */
  int32_t (*set_sql_mode)(void *handle, const char *mode, struct tn_call *call);

  /* Optional, both or none. Of transactions to come. */
  int32_t (*set_isolation)(void *handle, uint32_t isolation,
                           struct tn_call *call);
  int32_t (*get_isolation)(void *handle, uint32_t *ret, struct tn_call *call);

  /* Optional. Refuse writes on this session (enum tn_access). */
  int32_t (*set_access)(void *handle, uint32_t access, struct tn_call *call);

  /* Optional, both or none: a moment in the history of a server's commits, so
   * that a reader of another server that follows it can wait for it.
   * get_position() writes one, not before the last commit of this session, as
   * text of its own form with a NUL into `size` (TN_POSITION_SIZE) bytes.
   * TN_E_UNSUPPORTED, this server keeps no history. */
  int32_t (*get_position)(void *handle, char *ret, uint32_t size,
                          struct tn_call *call);

  /* Wait until what this server shows is not older than `position`: `*ret` 1.
   * `*ret` 0: not until `until` (the clock of the deadline). Outside of a
   * transaction. TN_E_UNSUPPORTED, the position is none of this backend's. */
  int32_t (*wait_position)(void *handle, const char *position, int64_t until,
                           struct tn_call *call, uint32_t *ret);
};

/* ------------------------------------------------------------------ */
/* Table 7: bulk. Optional; without it the core inserts with VALUES.   */

struct tn_bulk_request {
  uint32_t size;
  uint32_t column_count;
  const char *schema; /* NULL: where the session looks */
  const char *table;
  const char *const *columns;
};

/* The fastest way into a table. The core has begun a transaction, or the
 * caller has. One bulk load is open at a time, and nothing else runs on the
 * session meanwhile. */
struct tn_bulk_table {
  uint32_t size;
  uint32_t reserved;

  /* All required in this table. */
  int32_t (*open)(void *handle, const struct tn_bulk_request *request,
                  struct tn_call *call, void **ret);

  /* Add `rows` rows of column_count values each, which have passed
   * tn_value_check() and are borrowed for the call. */
  int32_t (*write)(void *bulk, const tn_value *values, uint64_t rows,
                   struct tn_call *call);

  /* Send the rest and learn whether all rows went in; `*ret_rows` how many. */
  int32_t (*finish)(void *bulk, struct tn_call *call, uint64_t *ret_rows);

  /* Release it; before finish(), or after a failure, the load is given up and
   * the transaction is to be rolled back. As a result's close(). */
  void (*close)(void *bulk, struct tn_call *call);
};

/* ------------------------------------------------------------------ */
/* The descriptor                                                      */

enum tn_table_id {
  TN_TABLE_CONNECTION = 1,
  TN_TABLE_STATEMENT,
  TN_TABLE_RESULT,
  TN_TABLE_DIALECT,
  TN_TABLE_TXN,
  TN_TABLE_SESSION,
  TN_TABLE_BULK,
  /* 8 to 10 are kept for schema, provisioning and async. */
};

struct tn_plugin {
  uint32_t size;
  uint16_t abi_major;      /* TN_ABI_MAJOR */
  uint16_t abi_minor;      /* TN_ABI_MINOR */
  uint16_t min_host_minor; /* the oldest host it can work with */
  uint16_t reserved;
  uint32_t option_count;
  uint64_t caps;              /* TN_CAP_… that the code can do */
  const char *name;           /* as the file's and the manifest's */
  const char *version;        /* of the plug-in */
  const char *license;        /* SPDX expression */
  const char *const *schemes; /* dialect names it serves, ended by NULL */
  const char *client_library; /* "sqlite3" */
  const struct tn_option_row *options;

  /* Required. Version of the client library that is loaded. */
  const char *(*client_version)(void);

  /* Required. The table of that number (enum tn_table_id), as a pointer to the
   * struct above; NULL if the plug-in has none. The tables are static. */
  const void *(*get_table)(uint32_t id);

  /* Optional. When a registry that has loaded the plug-in is released: once for
   * each of several. Nothing that the plug-in made is left by then. */
  void (*shutdown)(void);
};

/* The one exported symbol. Returns a static descriptor, or NULL after
 * host->fail() has said why the plug-in cannot work here. Called without any
 * lock of the core held, once for each core in the process. */
TN_API const struct tn_plugin *tn_plugin_entry(struct tn_call *call);

/* ------------------------------------------------------------------ */
/* For plug-in authors: no code of the core, only calls of the host.   */

/* Fail with a category and a text of your own. Returns `category`. */
static inline int32_t tn_fail(struct tn_call *call, int32_t category,
                              const char *fmt, ...) TN_PRINTF(3, 4);

static inline int32_t
tn_fail(struct tn_call *call, int32_t category, const char *fmt, ...)
{
  char text[512];
  struct tn_failure failure;
  va_list values;

  va_start(values, fmt);
  vsnprintf(text, sizeof text, fmt, values);
  va_end(values);
  memset(&failure, 0, sizeof failure);
  failure.size = sizeof failure;
  failure.category = category;
  failure.message = text;
  return call->host->fail(call, &failure);
}

/* The value of an option; NULL if it was not given. */
static inline const char *
tn_connect_option(const struct tn_connect_args *args, const char *name)
{
  uint32_t i;

  for (i = 0; i < args->option_count; i++)
    if (strcmp(args->options[i].name, name) == 0)
      return args->options[i].value;
  return NULL;
}

/* Is the option given and on? Values were checked before connect(). */
static inline int
tn_connect_flag(const struct tn_connect_args *args, const char *name,
                int initial)
{
  const char *value = tn_connect_option(args, name);

  if (value == NULL)
    return initial;
  return value[0] == '1' || value[0] == 't' || value[0] == 'T' ||
         value[0] == 'y' || value[0] == 'Y' ||
         ((value[0] == 'o' || value[0] == 'O') &&
          (value[1] == 'n' || value[1] == 'N'));
}

/* The end of an attempt when `left` attempts (1 or more) share what remains
 * until the deadline: several hosts, one budget. */
static inline int64_t
tn_attempt_end(const struct tn_call *call, uint32_t left)
{
  int64_t now;

  if (call->deadline == INT64_MAX)
    return INT64_MAX;
  now = call->host->now();
  return call->deadline <= now ? now : now + (call->deadline - now) / left;
}

TN_END_DECLS

#include <tenon/turns.h>

#endif
