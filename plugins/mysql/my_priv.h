/* What the files of the MySQL plug-in share.
 *
 * One connection is one MYSQL of the client library. Each call into it that
 * may talk to the server is an operation (struct mysql__op), run by
 * mysql__run(), which waits through the host. When the host ends a call while
 * an operation is under way, cancel.c brings the session in order: afterwards
 * it can be used as before, or it is dead. */
#ifndef TENON_MYSQL_PRIV_H
#define TENON_MYSQL_PRIV_H

#include <errmsg.h>
#include <signal.h>

#include "codec.h"

#define MYSQL__COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* TENON_MYSQL_…: what CMakeLists.txt has found out of the library. */
#ifdef TENON_MYSQL_ASYNC
#define MYSQL__ASYNC 1 /* its calls can be suspended while they wait */
#else
#define MYSQL__ASYNC 0 /* they are made in threads; see verbs.c */
#endif

/* What one request may have, for the library: as much as the protocol. The
 * server's own limit is in the connection. */
#define MYSQL__PACKET_MAX (UINT64_C(1) << 30)

#define MYSQL__PORT 3306

/* Numbers of the server's that are acted upon. */
enum mysql__number {
  MYSQL__ER_NOT_READY = 1047, /* a node of a cluster */
  MYSQL__ER_SYNTAX = 1064,
  MYSQL__ER_ENGINE_CANNOT = 1178,
  MYSQL__ER_OPTION_PREVENTS = 1290,
  MYSQL__ER_UNSUPPORTED_PS = 1295,
  MYSQL__ER_NO_SUCH_SAVEPOINT = 1305,
  MYSQL__ER_INTERRUPTED = 1317,
  MYSQL__ER_XA_ROLLED_BACK = 1402,
  MYSQL__ER_TOO_MANY_PS = 1461,
  MYSQL__ER_READ_ONLY_MODE = 1836,
  MYSQL__ER_INNODB_READ_ONLY = 1874,
};

/* ------------------------------------------------------------------ */
/* Connections                                                          */

/* Where a session is opened, and how. One block of the host's memory. */
struct mysql__endpoint {
  const char *host;   /* name or number; NULL: the socket */
  const char *socket; /* path; or NULL */
  const char *user;
  const char *database; /* or NULL */
  const char *ca;       /* files, or NULL */
  const char *cert;
  const char *key;
  const char *crl;
  const char *program;  /* as which the server shows the session */
  uint32_t port;        /* never 0 */
  uint32_t tls_mode;    /* enum tn_tls_mode */
  uint32_t tls_version; /* the lowest */
  uint32_t clear_password;
  char shown[300]; /* "host:port", for messages */
};

/* Why a call failed, kept after the library's object is gone. */
struct mysql__reason {
  int32_t native;
  int32_t category; /* 0: as the table of errors says */
  char sqlstate[8];
  char text[MYSQL_ERRMSG_SIZE];
};

/* What a session is told when it begins, and told again by a reset. */
#define MYSQL__SETUP_MAX 640

/* Where to find out that a side connection reaches the same server. */
#define MYSQL__IDENTITY_MAX 512

/* A cell of an answer to a question of our own. */
#define MYSQL__CELL_MAX 512

struct mysql__statement;

/* What a statement within a transaction does with it, were it to fail. */
enum mysql__hold {
  MYSQL__KEEPS = 0,  /* it goes on, or the server rolls it back */
  MYSQL__MAY_COMMIT, /* there are others inside, or nobody knows */
  MYSQL__COMMITS,    /* before anything else */
};

struct mysql__conn {
  MYSQL *mysql;
  const struct tn_host *host;
  struct tn_call *call; /* that runs now */
  int64_t until;        /* no wait goes beyond it: the end of an attempt to
                           connect; INT64_MAX: none */
  struct mysql__endpoint *endpoint;
  struct mysql__statement *reading; /* whose rows are still to be read */
  struct mysql__statement *closing; /* those closed since, to be let go then */
  uint64_t caps;                    /* TN_CAP_… of this server */
  struct mysql__limits limits;      /* of values that it takes */
  uint32_t generation; /* of statements: a reset makes all older ones void */
  int fd;

  bool is_dead;
  bool is_left;       /* a thread may still use the library's object */
  bool is_tls;        /* a write may raise SIGPIPE */
  bool is_settling;   /* cancel.c is at work */
  bool is_committing; /* a lost answer leaves the outcome unknown */
  bool is_mariadb;
  bool is_cluster;  /* Galera: a node may be alive and of no use */
  bool has_arrays;  /* of parameters, in one request */
  bool can_kill;    /* the server knows the session by the same number */
  bool has_moved;   /* to another database */
  int64_t login_ns; /* what the login took, and a kill's will about take */

  uint32_t role;     /* enum mysql__role: what the server must be */
  bool is_read_only; /* the server, when it was asked last */

  char xa[TN_GLOBAL_ID_SIZE]; /* of the transaction that is open; "": a usual
                                 one, or none */

  bool in_txn;     /* as the server said last */
  bool is_aborted; /* the server has rolled it back by itself */
  bool is_guarded; /* txn.c: nothing commits by itself */
  uint32_t hold;   /* enum mysql__hold of what runs */

  char setup[MYSQL__SETUP_MAX];
  char identity[MYSQL__IDENTITY_MAX]; /* of the server */
  char version[128];
};

/* Every slot that is given a call starts with this. */
static inline void
mysql__enter(struct mysql__conn *conn, struct tn_call *call)
{
  conn->call = call;
  conn->hold = MYSQL__KEEPS;
}

/* ------------------------------------------------------------------ */
/* role.c: which server will do                                         */

enum mysql__role {
  MYSQL__ANY = 0,
  MYSQL__PRIMARY,   /* it takes writes */
  MYSQL__STANDBY,   /* it does not */
  MYSQL__PREFERRED, /* the same, at first */
};

/* By the word of host_policy; NULL: none was given. */
enum mysql__role mysql__role_of(const char *policy);

/* What follows in a list of things to select, and how many they are. */
#define MYSQL__ROLE_SQL   "@@GLOBAL.read_only, @@GLOBAL.innodb_read_only"
#define MYSQL__ROLE_CELLS 2

/* Learn from their cells whether the server takes writes. */
void mysql__role_learn(struct mysql__conn *conn,
                       char (*cells)[MYSQL__CELL_MAX]);

/* Will a new session's server do? A node of a cluster is asked whether it is
 * ready. TN_E_CONNECT with a text in `reason`: it will not, and that is why;
 * another failure is reported, and leaves the text as it was. */
int32_t mysql__role_judge(struct mysql__conn *conn,
                          struct mysql__reason *reason);

/* The server is asked all of that again. Fails: TN_E_LOST, TN_E_CONNECT, it
 * will not do any more, and the session is given up. */
int32_t mysql__role_ping(struct mysql__conn *conn);

/* Does the failure tell of a server that is to take writes, and does not? */
bool mysql__role_is_lost(const struct mysql__conn *conn, unsigned number,
                         const char *text);

/* ------------------------------------------------------------------ */
/* verbs.c: calls into the library that may talk to the server          */

enum mysql__verb {
  MYSQL__QUERY, /* by the text protocol */
  MYSQL__STORE, /* its rows, all of them: few statements need it */
  MYSQL__PREPARE,
  MYSQL__EXECUTE,
  MYSQL__FETCH,
  MYSQL__STMT_NEXT,
  MYSQL__STMT_FLUSH,
  MYSQL__STMT_CLOSE,
  MYSQL__PING,
  MYSQL__RESET,
  MYSQL__USE,
  MYSQL__CLOSE,
  MYSQL__VERB_COUNT
};

/* One such call. It must stay where it is until it is over. */
struct mysql__op {
  uint32_t verb;       /* enum mysql__verb */
  uint32_t pending;    /* TN_WAIT_…: what it waits for; 0: it is over */
  int fd;              /* and on what */
  bool has_ended_well; /* before it could be stopped */
  int status;          /* what the library returned, 0 well */
  mysql__flag flag;    /* likewise, from some calls */
  MYSQL *mysql;
  MYSQL_STMT *stmt;
  MYSQL_RES *rows; /* likewise, from STORE */
  const char *text;
  unsigned long size;
  struct mysql__task *task; /* the thread that makes the call, if any */
};

/* Begin, without waiting for the server longer than it takes. TN_OK: it is
 * over or `pending`. Else the host has ended the call, and it is `pending` or
 * was never begun. */
int32_t mysql__op_begin(struct mysql__conn *conn, struct mysql__op *op);

/* Go on after the descriptor has become `ready` for something. */
void mysql__op_resume(struct mysql__conn *conn, struct mysql__op *op,
                      uint32_t ready);

/* The socket is shut: let it come to its end at once. False if it does not. */
bool mysql__op_finish_shut(struct mysql__conn *conn, struct mysql__op *op);

/* Around calls that may write to a socket by TLS: no SIGPIPE gets out. */
struct mysql__quiet {
  bool is_on;
  bool was_pending;
  sigset_t mask;
};
void mysql__quiet_begin(struct mysql__quiet *quiet);
void mysql__quiet_end(struct mysql__quiet *quiet);

/* ------------------------------------------------------------------ */
/* async.c: running operations                                          */

/* Run it to its end. TN_OK: the library has answered, `status` says how. Else
 * the host has ended the call, the error is set, and the session was brought
 * in order; what the library answered then is of no interest. */
int32_t mysql__run(struct mysql__conn *conn, struct mysql__op *op);

/* One step of that: wait and go on. */
int32_t mysql__step(struct mysql__conn *conn, struct mysql__op *op);

/* Run a text, without reporting its failure: `op->status` not 0. Its rows are
 * in `op->rows`, for mysql_free_result(), or it has none. */
int32_t mysql__query(struct mysql__conn *conn, const char *sql, size_t size,
                     struct mysql__op *op);

/* Run one statement of our own; its rows are dropped. */
int32_t mysql__exec(struct mysql__conn *conn, const char *sql);

/* The same of a savepoint. `*ret_has` false: the engine of some table that the
 * transaction has touched knows none. */
int32_t mysql__exec_savepoint(struct mysql__conn *conn, const char *sql,
                              bool *ret_has);

/* The same, keeping the first `count` cells of the first row as text; "" for
 * NULL and where there is none. */
int32_t mysql__ask(struct mysql__conn *conn, const char *sql,
                   char (*cells)[MYSQL__CELL_MAX], uint32_t count);

/* What the server said of the transaction, after an answer. */
void mysql__sync(struct mysql__conn *conn);

/* position.c */
int32_t mysql__get_position(void *handle, char *ret, uint32_t size,
                            struct tn_call *call);
int32_t mysql__wait_position(void *handle, const char *position, int64_t until,
                             struct tn_call *call, uint32_t *ret);

/* May a statement be run now? Fails: TN_E_LOST, TN_E_STATE. */
int32_t mysql__ready(struct mysql__conn *conn);

/* ------------------------------------------------------------------ */
/* cancel.c                                                             */

/* The host has ended the call with `category` while `op` was under way, which
 * is over when this returns. Returns the category to fail with. */
int32_t mysql__settle(struct mysql__conn *conn, struct mysql__op *op,
                      int32_t category);

/* When a statement's answer has been read: let a kill that came late hit one
 * that does nothing, and learn how the transaction stands. TN_OK: the session
 * can be used. */
int32_t mysql__calm(struct mysql__conn *conn);

/* Read and drop what `op`, the last of a prepared statement, has left of the
 * present result set. */
int32_t mysql__drain_set(struct mysql__conn *conn, struct mysql__op *op);

/* The same of all result sets; what is much is stopped on the server. */
int32_t mysql__leave(struct mysql__conn *conn, struct mysql__op *op);

/* The library closes the socket by itself when it finds it broken, and the
 * number may be another's by now. */
bool mysql__has_socket(const struct mysql__conn *conn);

/* Give the session up: no byte goes in or out any more. */
void mysql__bury(struct mysql__conn *conn);

/* ------------------------------------------------------------------ */
/* errors.c, messages.c                                                 */

/* Report what the library said last, of `stmt` or, if that is NULL or has not
 * failed, of the connection; before any further call into it. */
int32_t mysql__fail(struct mysql__conn *conn, MYSQL_STMT *stmt);

/* The same, of one row of many (from 1; 0: not known). */
int32_t mysql__fail_row(struct mysql__conn *conn, MYSQL_STMT *stmt,
                        uint64_t row);

/* The same while a statement was being prepared; `category` 0: as the table
 * says. */
int32_t mysql__fail_sql(struct mysql__conn *conn, MYSQL_STMT *stmt,
                        const char *sql, int32_t category);

/* The connection's, with a category of our own. */
int32_t mysql__fail_as(struct mysql__conn *conn, int32_t category);

/* The number that the library gives for the last failure. */
unsigned mysql__errno(const struct mysql__conn *conn, MYSQL_STMT *stmt);

/* Report a reason that was kept. `text` NULL: its own. */
int32_t mysql__fail_reason(struct tn_call *call,
                           const struct mysql__reason *reason,
                           const char *text);

/* The server was asked, and the transaction is over; but it was not rolled
 * back: what was done before is there for good, and there is nothing that the
 * session would have to refuse. `was_aborted`: it was over before;
 * `is_rollback`: the failure may be that of a rollback. */
bool mysql__was_committed(struct mysql__conn *conn, bool was_aborted,
                          bool is_rollback);

int32_t mysql__fail_memory(struct tn_call *call);

/* A slot of tn_dialect_table. */
void mysql__error_fields(const struct tn_error_row *row,
                         struct tn_error_fields *ret);

/* After host->fail(): the names and values that a message has. */
void mysql__message_fields(struct tn_call *call, unsigned number,
                           const char *message, bool is_mariadb);

/* Where a syntax error's message points to, in characters from 1; 0 if that
 * cannot be told. */
int32_t mysql__message_position(const char *message, const char *sql);

/* ------------------------------------------------------------------ */
/* errors.c                                                             */

/* What a number of that server is to be looked up by. */
int32_t mysql__lookup(unsigned number, bool is_mariadb);

/* Does the error mean that the connection is gone? */
bool mysql__is_loss(int32_t native);

/* The category of what was looked up, TN_E_OTHER if it has no row. */
int32_t mysql__category(int32_t native);

#define MYSQL__ERROR_COUNT 1492
extern const struct tn_error_row mysql__errors[];

/* ------------------------------------------------------------------ */
/* target.c, login.c, tls.c                                             */

/* One server that a URL names. */
struct mysql__target {
  struct mysql__endpoint endpoint; /* borrows from the arguments and `path` */
  char path[256];
};

/* What all have in common. */
int32_t mysql__target_common(const struct tn_connect_args *args,
                             struct tn_call *call, struct mysql__endpoint *ret);

/* One address; NULL: the URL names none. */
int32_t mysql__target_init(const struct mysql__endpoint *common,
                           const struct tn_address *address,
                           struct tn_call *call, struct mysql__target *ret);

/* A socket, or the folder that it is in. */
int32_t mysql__target_socket(const char *path, struct tn_call *call,
                             struct mysql__target *ret);

/* One copy of an endpoint and all its texts. NULL: no memory. */
struct mysql__endpoint *mysql__endpoint_copy(
    const struct tn_host *host, const struct mysql__endpoint *endpoint);

/* Connect in a thread, until `until` at most; `*ret_reason` when it fails
 * without the host having ended the call. TN_OK, or a category: when the
 * reason's `text` is "", the error is set. */
int32_t mysql__login(struct tn_call *call,
                     const struct mysql__endpoint *endpoint,
                     const char *password, int64_t until, MYSQL **ret,
                     struct mysql__reason *ret_reason);

/* Connect to `endpoint`, see that it is the server of that identity, and have
 * it stop what session `id` runs; wait until `until` at most. TN_OK: it has
 * said that it will; TN_E_CONNECT: it was not asked; else it may be still. */
int32_t mysql__login_kill(struct tn_call *call,
                          const struct mysql__endpoint *endpoint,
                          const char *password, const char *identity,
                          unsigned long id, int64_t until);

/* Set the library's options for `endpoint`. False: they could not be set, and
 * the reason is filled in. */
bool mysql__tls_options(MYSQL *mysql, const struct mysql__endpoint *endpoint,
                        struct mysql__reason *reason);

/* Fill in what the URL says of TLS. */
int32_t mysql__tls_read(const struct tn_connect_args *args,
                        struct tn_call *call, struct mysql__endpoint *ret);

/* Must the session be protected, and the peer's name be checked? */
bool mysql__tls_is_required(const struct mysql__endpoint *endpoint);
bool mysql__tls_is_verified(const struct mysql__endpoint *endpoint);

/* The first packet of a server, as far as it has come (`size` bytes). Returns
 * 0 if more is needed, 1 if login may go on, -1 if not: why is in `*reason`. */
int mysql__tls_check_greeting(const unsigned char *bytes, size_t size,
                              const struct mysql__endpoint *endpoint,
                              struct mysql__reason *reason);

/* An expression that tells which server it is worked out by. */
#define MYSQL__IDENTITY_SQL                                                    \
  "CONCAT_WS(' ', @@hostname, @@port, @@server_id, @@datadir, @@pid_file)"

/* ------------------------------------------------------------------ */
/* setup.c                                                              */

/* Read the options that concern the session into `conn->setup`. */
int32_t mysql__setup_read(struct mysql__conn *conn,
                          const struct tn_connect_args *args);

/* Tell the session what it is to be like. */
int32_t mysql__setup_tell(struct mysql__conn *conn);

/* The same for a new one, and learn what the server can do. */
int32_t mysql__setup_run(struct mysql__conn *conn);

/* Refuse an sql_mode that the lexer could not follow or that is none. */
int32_t mysql__setup_check_mode(struct tn_call *call, const char *mode);

/* The assignment that a SET makes of one: "" is none at all, "default" the
 * server's own. `size`: that of the longest mode and 32 more. */
#define MYSQL__MODE_MAX 400
void mysql__setup_say_mode(char *text, size_t size, const char *mode);

/* ------------------------------------------------------------------ */
/* Statements                                                           */

enum mysql__state {
  MYSQL__CLOSED,  /* no result */
  MYSQL__READING, /* rows of the present set are still to be read */
  MYSQL__DONE,    /* the present set has been read */
};

/* A statement, and in it the one result that it may have open. */
struct mysql__statement {
  struct mysql__conn *conn;
  struct mysql__statement *next; /* of those that are closing */
  MYSQL_STMT *stmt;              /* NULL: the server can only run it as text */
  MYSQL_RES *rows;               /* of such a one */
  char *sql;
  size_t sql_size;
  uint32_t generation; /* of the connection when it was prepared */
  uint32_t parameter_count;
  uint32_t hold;     /* enum mysql__hold */
  bool has_params;   /* `params` are ready */
  bool has_rows;     /* it returned rows when it was last run */
  bool has_more;     /* there are further result sets */
  bool is_query;     /* its rows are all that it does */
  bool is_writing;   /* INSERT, REPLACE, UPDATE or DELETE */
  bool is_returning; /* rows that it has written */
  bool is_refused;   /* a value was, when it was to be run last */

  uint32_t state; /* enum mysql__state */
  uint32_t flags; /* TN_RESULT_… */
  uint64_t affected;
  int64_t key;
  uint64_t fetched; /* rows of the present set */

  const tn_value *batch; /* values of rows not run yet */
  uint64_t batch_rows;   /* in all */
  uint64_t batch_at;     /* rows run */

  struct mysql__params params;
  struct mysql__reader reader;
};

/* Prepare on the server, now or again. */
int32_t mysql__stmt_prepare(struct mysql__statement *statement);

/* Let go of those that were closed while another's rows were read. */
void mysql__stmt_close_rest(struct mysql__conn *conn);

/* Run it once, and open the result. */
int32_t mysql__stmt_execute(struct mysql__statement *statement,
                            const tn_value *values, uint64_t row);

/* May it be run now? Prepares it again if that is due, and begins a result. */
int32_t mysql__stmt_ready(struct mysql__statement *statement);

/* Send it with what is bound, and read the beginning of the answer. */
int32_t mysql__stmt_send(struct mysql__statement *statement, uint64_t row);

/* What that returns when the table was altered since it was prepared. */
#define MYSQL__CHANGED (-1)

/* A result set has arrived: get ready for its rows, or note that it has none.
 * Fails with its rows dropped. */
int32_t mysql__set_open(struct mysql__statement *statement);

/* The present set has been read to its end. */
void mysql__set_ended(struct mysql__statement *statement);

/* There is nothing more to be read of the result. */
void mysql__set_over(struct mysql__statement *statement);

/* Read and drop what is left of the result; what is much is stopped on the
 * server. Fails: the session is dead. */
int32_t mysql__set_discard(struct mysql__statement *statement);

/* On to the next one: 1, 0, or a category with its sign changed. */
int32_t mysql__set_next(struct mysql__statement *statement);

/* The slot of the statement table. */
int32_t mysql__execute_batch(void *handle, const tn_value *values,
                             uint32_t count, uint64_t rows,
                             struct tn_call *call, void **ret);

/* The next row of a batch that return rows: as mysql__set_next(). */
int32_t mysql__batch_next(struct mysql__statement *statement);

/* Note whether the last statement has gone to another database. */
void mysql__note_move(struct mysql__conn *conn);

/* For bulk.c: a statement without rows. Each reports its failure. */
int32_t mysql__stmt_open(struct mysql__conn *conn, const char *sql, size_t size,
                         struct tn_call *call, MYSQL_STMT **ret);
int32_t mysql__stmt_run(struct mysql__conn *conn, MYSQL_STMT *stmt,
                        struct tn_call *call);
void mysql__stmt_drop(struct mysql__conn *conn, MYSQL_STMT **stmt,
                      struct tn_call *call);

/* Of a statement, by its first word. */
enum mysql__hold mysql__hold_of(const char *sql);

/* The word that a statement begins with, in capitals, "" if it is longer or
 * none. */
#define MYSQL__WORD_MAX 16
void mysql__first_word(const char *sql, char word[MYSQL__WORD_MAX]);

/* Is the word (in capitals) in the text, other than in quotes or comments? */
bool mysql__has_word(const char *sql, const char *word);

/* Is there something behind the first semicolon, where that cannot be part of
 * the statement? */
bool mysql__has_several(const char *sql);

/* ------------------------------------------------------------------ */
/* txn.c                                                                */

int32_t mysql__commit(struct mysql__conn *conn);

/* As the statement spells it; NULL for a number that is none. */
const char *mysql__isolation_name(uint32_t isolation);

/* Refuse what may not be done while a transaction is aborted. */
int32_t mysql__fail_aborted(struct mysql__conn *conn);

/* A transaction that was begun on a cluster may be over: let statements commit
 * by themselves again if it is. */
int32_t mysql__unguard(struct mysql__conn *conn);

/* ------------------------------------------------------------------ */
/* xa.c: transactions with a global id                                  */

int32_t mysql__xa_begin(struct mysql__conn *conn, const char *global_id);

/* End the one that is open. */
int32_t mysql__xa_commit(struct mysql__conn *conn);
int32_t mysql__xa_rollback(struct mysql__conn *conn);

/* Slots of the table of transactions. */
int32_t mysql__xa_prepare(void *handle, const char *global_id,
                          struct tn_call *call);
int32_t mysql__commit_prepared(void *handle, const char *global_id,
                               struct tn_call *call);
int32_t mysql__rollback_prepared(void *handle, const char *global_id,
                                 struct tn_call *call);
int32_t mysql__list_prepared(void *handle, struct tn_call *call,
                             const char *const **ret, uint32_t *ret_count);

/* ------------------------------------------------------------------ */
/* The tables                                                           */

extern const struct tn_connection_table mysql__connection_table;
extern const struct tn_statement_table mysql__statement_table;
extern const struct tn_result_table mysql__result_table;
extern const struct tn_dialect_table mysql__dialect_table;
extern const struct tn_txn_table mysql__txn_table;
extern const struct tn_session_table mysql__session_table;

/* All that the code can do. */
#define MYSQL__CAPS                                                            \
  (TN_CAP_WRITE | TN_CAP_DDL | TN_CAP_EXPRESSIONS | TN_CAP_TRANSACTION |       \
   TN_CAP_SAVEPOINT | TN_CAP_READ_ONLY | TN_CAP_READ_UNCOMMITTED |             \
   TN_CAP_READ_COMMITTED | TN_CAP_REPEATABLE_READ | TN_CAP_SERIALIZABLE |      \
   TN_CAP_SQL_MODE | TN_CAP_RETURNING | TN_CAP_UPSERT | TN_CAP_GENERATED_KEY | \
   TN_CAP_CANCEL | TN_CAP_DEADLINE | MYSQL__CAP_STREAMING |                    \
   TN_CAP_MULTI_RESULT | TN_CAP_CONSTRAINT_NAMES | TN_CAP_RESET |              \
   TN_CAP_NETWORK | TN_CAP_PROCEDURE | TN_CAP_TWO_PHASE)

/* A call that cannot be suspended would need a thread for every row. */
#if MYSQL__ASYNC
#define MYSQL__CAP_STREAMING TN_CAP_STREAMING
#else
#define MYSQL__CAP_STREAMING UINT64_C(0)
#endif

#endif
