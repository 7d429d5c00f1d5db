/* What the files of the SQLite plug-in share.
 *
 * One connection is one sqlite3 handle opened without its mutex: the host
 * already promises one thread at a time. Whatever SQLite calls back (busy,
 * progress, a function) finds the running call in the connection. */
#ifndef TENON_SQLITE_PRIV_H
#define TENON_SQLITE_PRIV_H

#include <sqlite3.h>
#include <stdbool.h>
#include <tenon/plugin.h>

/* prepare_v3 needs 3.20, changes64 3.37, error_offset 3.38. */
#define SQLITE__VERSION_MIN 3038000

#define SQLITE__COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The longest wait for a lock that can be asked for: a day. */
#define SQLITE__BUSY_MAX_NS INT64_C(86400000000000)

/* Statements that a connection keeps prepared. */
enum sqlite__control {
  SQLITE__BEGIN_DEFERRED,
  SQLITE__BEGIN_IMMEDIATE,
  SQLITE__BEGIN_EXCLUSIVE,
  SQLITE__COMMIT,
  SQLITE__ROLLBACK,
  SQLITE__SAVEPOINT, /* around a statement; see run.c */
  SQLITE__UNDO,
  SQLITE__RELEASE,
  SQLITE__PING,
  SQLITE__CONTROL_COUNT
};

/* What the authorizer saw a statement do. */
#define SQLITE__NOTE_INSERT   UINT32_C(0x001)
#define SQLITE__NOTE_UPDATE   UINT32_C(0x002)
#define SQLITE__NOTE_DELETE   UINT32_C(0x004)
#define SQLITE__NOTE_SCHEMA   UINT32_C(0x008) /* CREATE, DROP, ALTER, … */
#define SQLITE__NOTE_TEMP     UINT32_C(0x010) /* of temporary objects */
#define SQLITE__NOTE_ATTACH   UINT32_C(0x020)
#define SQLITE__NOTE_PRAGMA   UINT32_C(0x040)
#define SQLITE__NOTE_TXN      UINT32_C(0x080) /* BEGIN, COMMIT, ROLLBACK */
#define SQLITE__NOTE_COMMIT   UINT32_C(0x100)
#define SQLITE__NOTE_ROLLBACK UINT32_C(0x200) /* not to a savepoint */

/* Rows of the table of pragmas that reset() restores. */
#define SQLITE__PRAGMA_MAX      40
#define SQLITE__PRAGMA_TEXT_MAX 24

/* Filled in by the authorizer while a statement of the user is compiled. */
struct sqlite__notes {
  bool is_on;
  bool has_failed; /* no memory for the targets */
  uint32_t flags;
  int pragma;      /* row of the pragma whose value must be saved first; -1 */
  int64_t busy_ms; /* that PRAGMA busy_timeout asked for; -1 */
  char *targets;   /* see struct sqlite__statement */
  size_t targets_size;
  size_t targets_capacity;
};

struct sqlite__conn {
  sqlite3 *db;
  const struct tn_host *host;
  struct tn_call *call;   /* that runs now; NULL in a slot that has none */
  int32_t stopped;        /* what the host said when it ended the call */
  sqlite3_stmt *stepping; /* inside sqlite3_step() */

  bool in_txn;             /* begun, and not ended by the user */
  bool is_aborted;         /* SQLite itself has rolled it back */
  bool is_txn_read_only;   /* until the transaction ends */
  bool is_read_only;       /* set_access() */
  bool is_uncommitted;     /* set_isolation(): reads uncommitted rows */
  bool is_uncommitted_now; /* and what SQLite was told last */
  bool has_shared_cache;
  bool has_temp;   /* a temporary object may be there */
  bool has_attach; /* a further database may be attached */

  uint32_t lock_mode; /* enum tn_lock_mode of a plain begin */
  int max_bytes;      /* of a value or a row */
  int64_t busy_ns;    /* how long to wait for a lock */
  int64_t busy_initial_ns;
  int64_t busy_since;
  int64_t inserted_key; /* see run.c */
  bool has_inserted;
  const char *insert_table;
  uint64_t batch_row; /* of a batch, which is run now, from 1; 0: none */

  struct sqlite__notes notes;
  sqlite3_stmt *control[SQLITE__CONTROL_COUNT];
  char pragmas[SQLITE__PRAGMA_MAX][SQLITE__PRAGMA_TEXT_MAX]; /* "": untouched */
  char version[32];
};

/* How the cells of a column are read. */
enum sqlite__decoder {
  SQLITE__AS_STORED,
  SQLITE__AS_BOOL,
  SQLITE__AS_DATE,
  SQLITE__AS_TIME,
  SQLITE__AS_TIMESTAMP,
  SQLITE__AS_DECIMAL,
  SQLITE__AS_UUID,
  SQLITE__AS_JSON,
};

/* "YYYY-MM-DD" as two words of eight characters, which overlap. No text has
 * what is there before the first: 0 and 1. */
struct sqlite__day {
  uint64_t front;
  uint64_t back;
  int64_t days; /* from 1970-01-01 */
};

struct sqlite__column {
  uint32_t decoder;
  uint32_t is_undeclared;      /* its type is that of the first row's cell */
  struct sqlite__day last_day; /* rows next to each other often share it */
  sqlite3_value *cell;         /* of the row that was read last */
  char scratch[TN_VALUE_PRINT_MAX];
};

enum sqlite__result_state {
  SQLITE__CLOSED,
  SQLITE__ROW, /* a row has been stepped to and not been fetched */
  SQLITE__READING,
  SQLITE__DONE,
};

/* A statement, and in it the one result that it may have open. */
struct sqlite__statement {
  struct sqlite__conn *conn;
  sqlite3_stmt *stmt;
  uint32_t notes;
  int32_t has_rowid; /* the table inserted into: 1 yes, 0 no, -1 not known */
  uint32_t parameter_count;
  uint32_t column_count;
  struct tn_column *columns;
  struct sqlite__column *decoders;
  int reprepares; /* SQLite's count when the columns were looked at */
  bool has_undeclared;
  bool is_writer; /* may change the database */
  bool is_query;  /* has rows, which are read one by one */
  bool is_dml;
  bool has_run;
  bool is_active;     /* stepped and not reset */
  bool has_copies;    /* of bytes, which SQLite holds for it */
  bool has_savepoint; /* is running within one */
  char *targets;      /* what it inserts into or updates: schema, table, column
                         (or "" for all), each ended by NUL */
  size_t targets_size;

  const tn_value *batch; /* the rows of values that are still to be run */
  uint64_t batch_left;
  uint64_t batch_row; /* that was run last, from 1; 0: no batch */

  uint32_t state; /* enum sqlite__result_state */
  uint32_t flags; /* TN_RESULT_… */
  uint64_t affected;
  int64_t key;
  sqlite3_value **kept; /* cells of a writer's rows, which were all stepped
                           through at once */
  size_t kept_rows;
  size_t kept_at;
  size_t kept_capacity;
};

/* ------------------------------------------------------------------ */
/* connect.c, statement.c, result.c, txn.c, session.c, dialect.c        */

extern const struct tn_connection_table sqlite__connection_table;
extern const struct tn_statement_table sqlite__statement_table;
extern const struct tn_result_table sqlite__result_table;
extern const struct tn_txn_table sqlite__txn_table;
extern const struct tn_session_table sqlite__session_table;
extern const struct tn_dialect_table sqlite__dialect_table;

/* All that SQLite can do. READ_UNCOMMITTED needs a shared cache. Errors name
 * the columns of a unique key, not its constraint, so CONSTRAINT_NAMES is
 * not among them. */
#define SQLITE__CAPS                                                           \
  (TN_CAP_WRITE | TN_CAP_DDL | TN_CAP_EXPRESSIONS | TN_CAP_TRANSACTION |       \
   TN_CAP_SAVEPOINT | TN_CAP_DDL_IN_TRANSACTION | TN_CAP_READ_ONLY |           \
   TN_CAP_READ_UNCOMMITTED | TN_CAP_SERIALIZABLE | TN_CAP_LOCK_MODES |         \
   TN_CAP_RETURNING | TN_CAP_UPSERT | TN_CAP_GENERATED_KEY | TN_CAP_CANCEL |   \
   TN_CAP_DEADLINE | TN_CAP_STREAMING | TN_CAP_RESET)

/* The rows of errors.c, for the dialect. */
#define SQLITE__ERROR_COUNT 101
extern const struct tn_error_row sqlite__errors[SQLITE__ERROR_COUNT];

/* Every slot that is given a call starts with this. */
static inline void
sqlite__enter(struct sqlite__conn *conn, struct tn_call *call)
{
  conn->call = call;
  conn->stopped = 0;
  conn->batch_row = 0;
}

/* ------------------------------------------------------------------ */
/* target.c                                                             */

/* What to open. `name` is the host's memory. */
struct sqlite__target {
  char *name;
  const char *shown; /* in messages; borrowed from the arguments */
  int flags;         /* SQLITE_OPEN_… */
  bool has_shared_cache;
  bool may_create; /* a file that is not there */
};

int32_t sqlite__target_init(const struct tn_connect_args *args,
                            struct tn_call *call, struct sqlite__target *ret);
void sqlite__target_clear(struct sqlite__target *target,
                          const struct tn_host *host);

/* The folder of the file, as far as it may be why opening failed. */
enum sqlite__folder {
  SQLITE__FOLDER_FINE,
  SQLITE__FOLDER_MISSING,
  SQLITE__FOLDER_READ_ONLY, /* and a file was to be created in it */
};

/* tn_connection_table.is_fleeting */
int32_t sqlite__is_fleeting(const struct tn_connect_args *args);

enum sqlite__folder sqlite__target_folder(const struct sqlite__target *target);

/* ------------------------------------------------------------------ */
/* guard.c                                                              */

/* Install the busy and the progress handler. */
void sqlite__guard(struct sqlite__conn *conn);

/* sqlite3_step(), waiting for the locks of a shared cache as the busy handler
 * does for those of a file. */
int sqlite__step(struct sqlite__conn *conn, sqlite3_stmt *stmt);

/* sqlite3_step() for the rows that follow the first. */
int sqlite__step_on(struct sqlite__conn *conn, sqlite3_stmt *stmt);

/* Between the rows of a batch, each of which is short: ask the host now and
 * then. Fails as its check(). */
int32_t sqlite__check_row(struct sqlite__conn *conn, uint64_t row);

/* sqlite3_prepare_v3(), likewise. */
int sqlite__compile(struct sqlite__conn *conn, const char *sql, int size,
                    sqlite3_stmt **ret, const char **ret_tail);

/* Statements of the plug-in's own, unseen by the authorizer. SQLite's code. */
int sqlite__exec(struct sqlite__conn *conn, const char *sql);

/* The first column of the first row as text; "" if there is none. */
int sqlite__query_text(struct sqlite__conn *conn, const char *sql, char *text,
                       size_t size);

/* Run one of the kept statements, compiled when first needed. */
int sqlite__control(struct sqlite__conn *conn, enum sqlite__control which);

/* ------------------------------------------------------------------ */
/* notes.c                                                              */

int sqlite__notes_install(struct sqlite__conn *conn);
void sqlite__notes_begin(struct sqlite__conn *conn);
void sqlite__notes_end(struct sqlite__conn *conn);

/* The row of a pragma that reset() restores; -1 for another. */
int sqlite__pragma_find(const char *name);

/* Keep the value that a pragma has now. SQLite's code. */
int sqlite__pragma_save(struct sqlite__conn *conn, int row);

/* Give back what was kept. SQLite's code. */
int sqlite__pragmas_restore(struct sqlite__conn *conn);

/* ------------------------------------------------------------------ */
/* errors.c, messages.c                                                 */

#define SQLITE__MOVED "the file of the database is not at its path any more"

#define SQLITE__AT_PREPARE UINT32_C(1)
#define SQLITE__AT_COMMIT  UINT32_C(2)
#define SQLITE__AT_CONNECT UINT32_C(4)

/* What was being done when SQLite failed. */
struct sqlite__where {
  uint32_t at;
  uint32_t reserved;
  const struct sqlite__statement *statement; /* or NULL */
  const char *sql;                           /* being prepared, or NULL */
  const struct sqlite__target *target;       /* being opened, or NULL */
};

/* Report SQLite's `code`, before any further call into it; `where` may be
 * NULL. Notices when SQLite has rolled the transaction back, and passes on
 * what the host said if it was the host that ended the call. */
int32_t sqlite__fail(struct sqlite__conn *conn, int code,
                     const struct sqlite__where *where);

/* Refuse a parameter (from 1) with a text of our own. */
int32_t sqlite__refuse(struct sqlite__conn *conn, int32_t category,
                       uint32_t parameter, const char *text);

/* The same for what may not be done while a transaction is aborted. */
int32_t sqlite__fail_aborted(struct tn_call *call);

/* The category that a message of SQLITE_ERROR tells, 0 if it does not. */
int32_t sqlite__message_category(const char *text);

/* A slot of tn_dialect_table. */
void sqlite__error_fields(const struct tn_error_row *row,
                          struct tn_error_fields *ret);

/* After host->fail(): the names that a message has. `where` may be NULL. */
void sqlite__message_fields(struct sqlite__conn *conn, int code,
                            const char *text,
                            const struct sqlite__where *where);

/* ------------------------------------------------------------------ */
/* types.c, bind.c, exact.c, decode.c                                   */

enum sqlite__affinity {
  SQLITE__AFFINITY_BLOB,
  SQLITE__AFFINITY_TEXT,
  SQLITE__AFFINITY_INTEGER,
  SQLITE__AFFINITY_REAL,
  SQLITE__AFFINITY_NUMERIC,
};

/* By section 3.1 of https://sqlite.org/datatype3.html. */
enum sqlite__affinity sqlite__affinity_of(const char *declared);

/* How to read a column of that declared type ("" or NULL: none), and in
 * `*ret_type` what its cells mostly are; 0: as the first row says. */
enum sqlite__decoder sqlite__decoder_of(const char *declared,
                                        uint32_t *ret_type);

/* Bind all parameters. */
int32_t sqlite__bind(struct sqlite__statement *statement,
                     const tn_value *values, uint32_t count);

/* Would SQLite keep this number, if it made it one of its own? */
bool sqlite__is_exact(const char *text, size_t size);

/* Refuse parameter `index` (from 0), a decimal or a JSON number that SQLite
 * would round, if the statement writes to a column that would. */
int32_t sqlite__check_targets(struct sqlite__statement *statement,
                              uint32_t index, uint32_t value_type);

/* Read the current row into `cells`. */
int32_t sqlite__decode_row(struct sqlite__statement *statement,
                           tn_value *cells);

/* The type of a cell as it is stored. */
uint32_t sqlite__stored_type(sqlite3_value *value);

/* The current row's cell. */
static inline sqlite3_value *
sqlite__cell(const struct sqlite__statement *statement, uint32_t column)
{
  if (statement->kept != NULL)
    return statement
        ->kept[statement->kept_at * statement->column_count + column];
  return sqlite3_column_value(statement->stmt, (int)column);
}

/* ------------------------------------------------------------------ */
/* statement.c, run.c, batch.c, txn.c, regexp.c                         */

/* Look at the columns again if SQLite has compiled the statement anew. */
int32_t sqlite__refresh(struct sqlite__statement *statement);

/* Compile it anew. A pragma does its work while it is compiled, so that the
 * second run of a prepared one would do nothing, or show what was true
 * before. */
int32_t sqlite__recompile(struct sqlite__statement *statement);

/* Bind, and run to the first row or to the end. */
int32_t sqlite__run(struct sqlite__statement *statement, const tn_value *values,
                    uint32_t count);

/* All rows of a batch, of a statement that changes rows and returns none. */
int32_t sqlite__run_plain(struct sqlite__statement *statement,
                          const tn_value *values, uint32_t count,
                          uint64_t rows);

/* Slots of the statement table and of the result table (batch.c). */
int32_t sqlite__execute_batch(void *handle, const tn_value *values,
                              uint32_t count, uint64_t rows,
                              struct tn_call *call, void **ret);
int32_t sqlite__next_set(void *handle, struct tn_call *call);

/* Give up what is left of a batch. */
void sqlite__batch_rest(struct sqlite__statement *statement);

/* The slot of the statement table. */
int32_t sqlite__execute(void *handle, const tn_value *values, uint32_t count,
                        struct tn_call *call, void **ret);

/* Reset and let go of what was bound and kept. */
void sqlite__statement_rest(struct sqlite__statement *statement);

/* Look whether a transaction is open now, after a statement that may have
 * begun or ended one has succeeded. */
void sqlite__txn_sync(struct sqlite__conn *conn);

/* Refuse a level that SQLite does not have. */
int32_t sqlite__check_isolation(struct sqlite__conn *conn, uint32_t isolation);

/* Let SQLite read uncommitted rows, or not. SQLite's code. */
int sqlite__apply_isolation(struct sqlite__conn *conn, bool is_uncommitted);

/* Define regexp(pattern, text), which X REGEXP Y calls. SQLite's code. */
int sqlite__regexp_install(struct sqlite__conn *conn);

#endif
