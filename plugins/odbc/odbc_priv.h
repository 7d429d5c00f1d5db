/* What the files of this plug-in share.
 *
 * Every call into a driver that may wait for a server is made by a thread of
 * its own (work.c), since ODBC has no other way to be stopped in time. So all
 * that such a call touches lives in the connection or the statement, which
 * outlive it, and never in what the core lends for one call. */
#ifndef TENON_ODBC_PRIV_H
#define TENON_ODBC_PRIV_H

#include <sql.h>
#include <sqlext.h>
#include <sqlucode.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <tenon/plugin.h>

#define ODBC__COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What the code can do; what a driver can do of it is its family's. */
#define ODBC__CAPS                                                             \
  (TN_CAP_WRITE | TN_CAP_DDL | TN_CAP_EXPRESSIONS | TN_CAP_TRANSACTION |       \
   TN_CAP_SAVEPOINT | TN_CAP_DDL_IN_TRANSACTION | TN_CAP_READ_ONLY |           \
   TN_CAP_READ_UNCOMMITTED | TN_CAP_READ_COMMITTED | TN_CAP_REPEATABLE_READ |  \
   TN_CAP_SERIALIZABLE | TN_CAP_RETURNING | TN_CAP_UPSERT | TN_CAP_CANCEL |    \
   TN_CAP_DEADLINE)

/* ------------------------------------------------------------------ */
/* Families: drivers that are alike (family.c)                         */

/* What is peculiar about the drivers of a family. */
enum odbc__flag {
  ODBC__UTF8 = 1 << 0,          /* SQL_C_CHAR is UTF-8 */
  ODBC__BRACES = 1 << 1,        /* "{…}" in a connection string, with "}}" */
  ODBC__NUMBERS_TEXT = 1 << 2,  /* columns of numbers may hold texts */
  ODBC__15_DIGITS = 1 << 3,     /* doubles come back with so many digits */
  ODBC__SIGNED = 1 << 4,        /* no integers above 2^63-1 */
  ODBC__FINITE = 1 << 5,        /* no NaN and no infinity */
  ODBC__UTC_TEXT = 1 << 6,      /* a moment is bound as UTC, without zone */
  ODBC__DOUBLE_TEXT = 1 << 7,   /* doubles cross as text, to the last digit */
  ODBC__HEX_BYTES = 1 << 8,     /* bytes are bound as text in hexadecimal */
  ODBC__UNSIGNED = 1 << 9,      /* integers may be bound without sign */
  ODBC__GUESS = 1 << 10,        /* nothing is asked of a statement before its
                                   parameters have types */
  ODBC__RECOMPILE = 1 << 11,    /* what was run is compiled again */
  ODBC__STALE_PLANS = 1 << 12,  /* an outdated plan is made again */
  ODBC__WRITE_ABORTS = 1 << 13, /* a stopped write ends its transaction */
  ODBC__FAILURE_ABORTS = 1 << 14, /* a failure leaves only a rollback */
  ODBC__CANCEL_LAGS = 1 << 15,    /* a cancel may hit the next statement */
  ODBC__CANCEL_FREES = 1 << 16,   /* a cancel frees what the call may be using:
                                     an idle statement is canceled instead */
  ODBC__BUSY = 1 << 17,           /* a lock is waited for by trying again */
  ODBC__MESSAGES = 1 << 18,   /* one code for all failures: the message tells */
  ODBC__TEXT_BYTES = 1 << 19, /* texts are read as bytes, which are UTF-8:
                                 only so is a NUL in them kept */
  ODBC__FROM_1970 = 1 << 20,  /* zoned moments begin then */
  ODBC__UNSAID_TYPES = 1 << 21,  /* some types look like others (refine.c) */
  ODBC__STALE_COLUMNS = 1 << 22, /* a result that has other columns than were
                                    compiled is lost */
  ODBC__IMPLICIT = 1 << 23,      /* statements end transactions by themselves
                                    (implicit.c) */
  ODBC__LOCALE = 1 << 24,        /* a login calls setlocale(), which no two
                                    threads may at once */
  ODBC__DECODES = 1 << 25,       /* braces are for few keywords, in whose values
                                    '+' and '%' mean something (keyword.c) */
};

/* What a parameter is written as, so that it has a type for the server: a
 * question mark, and what is around it (cast.c). */
struct odbc__casts {
  const char *small_integer; /* of 32 bits; NULL: as any other */
  const char *moment;        /* a zoned timestamp; NULL: as any other */
  const char *of[TN_JSON + 1];
  uint32_t decimal_digits; /* a decimal's cast goes on with these and its
                              own scale, "(65,2))"; 0: with nothing */
  uint32_t decimal_scale;  /* the largest of those */
};

struct odbc__type {
  const char *name; /* how the type's name begins, lower case */
  uint32_t type;    /* enum tn_type */
  uint32_t is_zoned;
};

struct odbc__family {
  const char *driver; /* in the folded name of the driver, before it is open */
  const char *dbms;   /* in the folded SQL_DBMS_NAME */
  const char *keywords[5];   /* of enum odbc__part; NULL: there is none */
  const char *const *preset; /* "KEY=VALUE" each, unless the URL says else */
  uint64_t caps;             /* of ODBC__CAPS */
  uint32_t flags;            /* ODBC__… above */
  uint32_t lookup;           /* times TN_ERROR_OTHERS, is added to native
                                codes (errors.c); 0: they mean nothing */
  const struct tn_dialect_table *dialect;
  const struct odbc__type *types;  /* beyond the standard's; ends with NULL */
  const char *setup;               /* statements for a new session, or NULL */
  const char *read_only[3];        /* before and after a begin, after its end */
  const char *read_write[3];       /* the same */
  const char *access[2];           /* of a session: read and write, read only */
  const struct odbc__casts *casts; /* NULL: parameters have their types */
  const char *const *lost; /* first words of statements whose rows the driver
                              loses, and may take for the next answer */
};

enum odbc__part {
  ODBC__SERVER = 0,
  ODBC__PORT,
  ODBC__DATABASE,
  ODBC__USER,
  ODBC__PASSWORD,
};

const struct odbc__family *odbc__family_of_driver(const char *name);
const struct odbc__family *odbc__family_of_dbms(const char *name);

/* Lower-case letters and digits of `name`, which is all that is compared. */
void odbc__fold(const char *name, char *ret, size_t size);

extern const struct tn_dialect_table odbc__dialect;
extern const struct tn_dialect_table odbc__dialect_sqlite;
extern const struct tn_dialect_table odbc__dialect_postgresql;
extern const struct tn_dialect_table odbc__dialect_mysql;

/* ------------------------------------------------------------------ */
/* Connections                                                         */

struct odbc__statement;

struct odbc__conn {
  const struct tn_host *host;
  const struct odbc__family *family;
  SQLHENV env;
  SQLHDBC dbc;
  bool is_connected;
  bool is_dead;
  bool in_txn;
  bool is_aborted;
  bool is_savepoint;            /* a statement of ours about one is running */
  bool is_over;                 /* the transaction, by itself */
  bool is_lost;                 /* whether it is could not be learnt */
  SQLUINTEGER wanted_isolation; /* for the thread */
  SQLUINTEGER txn_isolation;    /* to be put back; 0: none */
  const char *after;            /* statement for the transaction's end */
  uint32_t access;              /* of the session */
  struct odbc__statement *statements;
  SQLHSTMT idle; /* of ODBC__CANCEL_FREES */
  char version[192];

  /* The call that is under way (work.c). */
  SQLRETURN (*run)(void *user);
  void *user;
  SQLRETURN rc;
  int done_fd;           /* readable when it has ended and nobody waited */
  _Atomic uint32_t refs; /* the core's, and one of each thread */

  SQLWCHAR *text; /* the connection string; wiped */
  size_t text_units;
  int64_t login_end; /* on the host's clock, which is CLOCK_MONOTONIC */
};

/* `run(user)` in a thread, until the call's deadline. `stmt` is what a cancel
 * or the deadline stops, or NULL. TN_OK: `*ret` is what it returned; else the
 * error is set, and the connection may be dead. */
int32_t odbc__run(struct odbc__conn *conn, struct tn_call *call,
                  SQLRETURN (*run)(void *user), void *user, SQLHSTMT stmt,
                  SQLRETURN *ret);

/* The same, again and again while something is locked, as long as the
 * family's server would wait for a lock by itself if it could be stopped. */
int32_t odbc__run_patiently(struct odbc__conn *conn, struct tn_call *call,
                            SQLRETURN (*run)(void *user), void *user,
                            SQLHSTMT stmt, SQLRETURN *ret);

/* The connection goes when its last user does. */
void odbc__conn_drop(struct odbc__conn *conn);

/* Fail unless the session can be used. */
int32_t odbc__ready(struct odbc__conn *conn, struct tn_call *call);

/* Run statements for their effect, separated by ";" and a blank. */
int32_t odbc__exec(struct odbc__conn *conn, const char *sql,
                   struct tn_call *call);

/* The connection string of `args`, in `*ret`, to be wiped and released. */
int32_t odbc__connection_string(const struct tn_connect_args *args,
                                struct odbc__conn *conn, struct tn_call *call,
                                char **ret);

/* The name of an installed driver that `word` stands for. */
int32_t odbc__driver_name(SQLHENV env, const char *word, struct tn_call *call,
                          char *ret, size_t size);

/* In the thread, after a statement: is the transaction over? Then, with the
 * caller: note what has come of that. */
bool odbc__may_end_txn(const char *sql);
void odbc__ask_txn(const struct odbc__statement *statement);
void odbc__note_txn(struct odbc__conn *conn, struct tn_call *call);

/* It is over, or is given up: back to the session's own settings. */
int32_t odbc__txn_over(struct odbc__conn *conn, struct tn_call *call);

/* Of the session, or of the transaction that is about to begin. */
int32_t odbc__set_isolation(struct odbc__conn *conn, uint32_t isolation,
                            struct tn_call *call);
int32_t odbc__get_isolation(struct odbc__conn *conn, uint32_t *ret,
                            struct tn_call *call);

/* ------------------------------------------------------------------ */
/* Errors                                                              */

/* Fail with the diagnosis of a handle. */
int32_t odbc__fail(struct odbc__conn *conn, struct tn_call *call,
                   SQLSMALLINT type, SQLHANDLE handle);
int32_t odbc__fail_memory(struct tn_call *call);
int32_t odbc__fail_aborted(struct tn_call *call);

/* The category that a message stands for, its names noted in `fields`; 0: it
 * is not known (messages.c). */
#define ODBC__NAME_MAX 256
struct odbc__names {
  char text[3][ODBC__NAME_MAX]; /* table, column, constraint */
};
int32_t odbc__read_message(const char *message, struct odbc__names *names);

/* The rows of errors.c, for the dialects. */
#define ODBC__ERROR_COUNT 142
extern const struct tn_error_row odbc__errors[ODBC__ERROR_COUNT];

/* ------------------------------------------------------------------ */
/* Texts: UTF-8 outside, UTF-16 at the driver manager, or UTF-8 again    */

/* A text for a driver that takes UTF-8 (ODBC__UTF8), or for another. */
struct odbc__text {
  void *data; /* to be released */
  size_t units;
};
bool odbc__text_make(const struct odbc__conn *conn, const char *text,
                     size_t size, struct odbc__text *ret);

/* On to the next parameter of a text in UTF-8; false: there is none. */
struct odbc__place {
  size_t at;
  bool in_code; /* inside a comment that is executed */
};
bool odbc__next_mark(uint32_t lexer, const struct odbc__text *sql,
                     struct odbc__place *place);

/* Is its first word one of these, which end with NULL? */
bool odbc__begins_with(const char *sql, const char *const *words);

/* The same, or the first word that a server may see in a comment that it
 * executes. */
bool odbc__may_begin_with(const char *sql, const char *const *words);

/* Does the statement look as if it returned rows? */
bool odbc__looks_like_query(const char *sql);

/* Drivers look for parameters by themselves, and some look into comments: no
 * question mark is left in one (marks.c). `lexer` is TN_LEX_…. */
void odbc__hide_marks(uint32_t lexer, struct odbc__text *sql, bool is_utf8);

/* Ended by a NUL; to be released. NULL without memory. */
SQLWCHAR *odbc__to_wide(const struct tn_host *host, const char *text,
                        size_t size, size_t *ret_units);

/* Write at most 3 bytes a unit, and a NUL; the size without that. What is no
 * UTF-16 becomes U+FFFD. */
size_t odbc__to_utf8(const SQLWCHAR *text, size_t units, char *ret);

/* ------------------------------------------------------------------ */
/* Statements and their results                                        */

/* Longest cast, and a NUL. */
#define ODBC__CAST_SIZE 32

struct odbc__parameter {
  SQLLEN indicator;
  union {
    int64_t integer;
    double real;
    unsigned char bit;
    char text[TN_VALUE_PRINT_MAX];
  } as;
  void *bytes;                /* a copy, or NULL */
  char cast[ODBC__CAST_SIZE]; /* that it was written with last; "": none yet */
};

/* Where the bytes of a cell are in the block; NULL has the size -1. */
struct odbc__cell {
  size_t at;
  int64_t size;
};

struct odbc__column {
  SQLSMALLINT c_type; /* as which it is fetched */
  bool is_zoned;
  uint32_t type;
};

/* What a table says of a column that may be a BOOLEAN. */
enum odbc__answer {
  ODBC__UNASKED = 0,
  ODBC__IS_BOOL,
  ODBC__IS_NUMBER,
};

#define ODBC__BLOCK_ROWS 128

struct odbc__statement {
  struct odbc__conn *conn;
  struct odbc__statement *next;
  SQLHSTMT stmt;
  struct odbc__text sql;
  struct odbc__text source; /* in UTF-8, as it was given, where it is cast */
  bool is_outdated;         /* sql is not what was compiled */
  SQLSMALLINT parameter_count;
  SQLSMALLINT column_guess; /* of the driver, before it has run */
  struct odbc__parameter *parameters;

  struct tn_column *columns;
  struct odbc__column *kinds;
  char **names; /* two a column */
  SQLSMALLINT column_count;
  enum odbc__answer *answers; /* about columns that look like others */
  SQLSMALLINT answer_count;
  SQLLEN affected;
  bool has_affected;
  bool is_left; /* by its user; it is released when it can be */
  bool is_open; /* there is a cursor */
  bool has_run;
  bool may_end_txn;
  bool is_read; /* has rows, as the driver has it */
  bool is_at_end;
  bool is_out_of_memory; /* in the thread */

  struct odbc__cell *cells;
  char *bytes;
  size_t size;
  size_t capacity;
  uint32_t rows; /* in the block */
  uint32_t row;  /* the next one */
  uint32_t rows_wanted;
  char *utf8; /* of the row that was fetched last */
  size_t utf8_capacity;
};

/* In the thread: what a run has come to, and the first rows. */
SQLRETURN odbc__take_result(struct odbc__statement *statement);

/* Drop the rows that are left. */
void odbc__close_cursor(struct odbc__statement *statement,
                        struct tn_call *call);

/* Fail as the thread did. */
int32_t odbc__fail_run(struct odbc__statement *statement, struct tn_call *call);

/* All parameters of a statement, bound to copies. */
int32_t odbc__bind(struct odbc__statement *statement, const tn_value *values,
                   uint32_t count, struct tn_call *call);
void odbc__unbind(struct odbc__statement *statement);

/* In the thread: the columns of the result that is there. */
SQLRETURN odbc__describe(struct odbc__statement *statement);

bool odbc__is_unsigned(SQLHSTMT stmt, SQLUSMALLINT number);

/* In the thread: the type of a column that `type` is all that the driver says
 * of (ODBC__UNSAID_TYPES). What tables said is kept, until it is forgotten. */
uint32_t odbc__refine(struct odbc__statement *statement, SQLUSMALLINT number,
                      SQLSMALLINT sql_type, SQLULEN size, uint32_t type);
void odbc__forget_answers(struct odbc__statement *statement);

/* In the thread: the next block of rows. */
SQLRETURN odbc__read_block(void *user);

/* The cells of one row. */
int32_t odbc__decode(struct odbc__statement *statement, tn_value *cells);

/* Write the statement with the types of these values, of a family that has
 * casts. */
int32_t odbc__cast(struct odbc__statement *statement, const tn_value *values,
                   uint32_t count, struct tn_call *call);

/* How many digits a decimal has before its point, and behind it. */
void odbc__count_digits(const tn_value *value, int64_t *ret_whole,
                        int64_t *ret_scale);

/* Release all but the handle, which goes with the connection's. */
void odbc__statement_free(struct odbc__statement *statement);

extern const struct tn_connection_table odbc__connection_table;
extern const struct tn_statement_table odbc__statement_table;
extern const struct tn_result_table odbc__result_table;
extern const struct tn_txn_table odbc__txn_table;
extern const struct tn_session_table odbc__session_table;

#endif
