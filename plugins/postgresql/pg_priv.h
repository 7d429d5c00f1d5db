/* What the files of the PostgreSQL plug-in share; codec.h has the values.
 *
 * One connection is one PGconn that never blocks. Whatever is sent is answered
 * by results, which pg__next() waits for through the host. When the host ends a
 * call while something is under way, cancel.c brings the session in order:
 * afterwards it can be used as before, or it is dead. */
#ifndef TENON_PG_PRIV_H
#define TENON_PG_PRIV_H

#include <libpq-fe.h>

#include "codec.h"

#define PG__COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define PG__PORT 5432

/* A file that cannot be there, for options that fall back to the home folder or
 * the environment when they are empty. */
#define PG__NO_FILE "/dev/null/none"

/* Levels of host->log(), enum tn_log_level. */
#define PG__LOG_WARNING 2
#define PG__LOG_INFO    3

/* ------------------------------------------------------------------ */
/* Connections                                                          */

#define PG__SQLSTATE_SIZE 6

/* What must be said again after RESET ALL, because the environment of the
 * process had its say when the session began. */
#define PG__FIXUPS_MAX 256

struct pg__statement;
struct pg__catalog;

/* What is being done, for what its failure may mean. */
enum pg__work {
  PG__READ,   /* has no effect that stays */
  PG__WRITE,  /* takes effect by itself, outside a transaction */
  PG__COMMIT, /* its outcome is unknown if the answer is lost */
};

struct pg__conn {
  PGconn *pq; /* NULL: dead */
  const struct tn_host *host;
  struct tn_call *call; /* that runs now */

  enum pg__work work;  /* what is under way */
  bool was_in_txn;     /* when it was sent */
  bool has_unsent;     /* libpq has bytes that the socket would not take */
  bool is_hunted;      /* a cancel may hit whatever is run next */
  bool is_stopping;    /* cancel.c is at work */
  bool is_opening;     /* what runs is still a part of connecting */
  bool has_ended_well; /* what pg__stop() found when it had read the rest */
  bool was_end;        /* the last result was NULL */
  bool needs_sync;     /* a pipeline has more than its last sync */
  bool has_proxy;      /* the server's session may be another one after each
                          transaction */
  bool has_prepared;   /* names by PREPARE */
  bool has_access;     /* the session's was set, whatever the server's is */
  uint32_t role;       /* enum pg__role: what the server must be */
  int64_t again_ns;    /* until the server is told once more to stop */
  int64_t again_at;    /* when that is; INT64_MAX: it was not told */
  int64_t silent_at;   /* when a server that says nothing counts as lost;
                          INT64_MAX: never */
  uint32_t syncs;      /* of a pipeline, whose answer is still to come */

  struct pg__statement *unnamed; /* the statement that the server has under no
                                    name; NULL: none of ours */
  uint32_t names;                /* given so far */
  uint32_t *idle_names;          /* of statements that were closed */
  uint32_t idle_count;
  uint32_t idle_capacity;
  struct pg__catalog *catalog; /* types that are not built in */

  char farewell_state[PG__SQLSTATE_SIZE]; /* why the server ended the session
                                             while nothing was under way */
  char farewell[160];
  char fixups[PG__FIXUPS_MAX];
  char version[96];
  char application[64];        /* application_name, as it was at first */
  char txn_id[TN_TXN_ID_SIZE]; /* of the transaction that was begun last to be
                                  asked about */
};

/* Every slot that is given a call starts with this. */
static inline void
pg__enter(struct pg__conn *conn, struct tn_call *call)
{
  conn->call = call;
}

/* ------------------------------------------------------------------ */
/* wait.c: talking to the server                                        */

/* May something be sent now? Fails: TN_E_LOST, the session is dead. Notes what
 * is to be done. */
int32_t pg__ready(struct pg__conn *conn, enum pg__work work);

/* Hand over to the socket what libpq has kept, reading meanwhile, so that
 * neither side waits for the other. A connection that is lost shows with the
 * next result. Fails as pg__next(). */
int32_t pg__flush(struct pg__conn *conn);

/* The same, as much as the socket takes now. */
void pg__push(struct pg__conn *conn);

/* Wait until the socket is ready for one of TN_WAIT_…, and read what there
 * is. Fails as pg__next(). */
int32_t pg__wait(struct pg__conn *conn, uint32_t events);

/* The next result, to be cleared by the caller; NULL at the end of each
 * statement's. A connection that is lost gives one that says so.
 * Fails when the host ends the call: the error is set, the session has been
 * brought in order, and nothing is under way any more. */
int32_t pg__next(struct pg__conn *conn, PGresult **ret);

/* Is the next result there already? */
bool pg__has_next(struct pg__conn *conn);

/* Read and drop results until nothing is under way; a COPY is given up. If one
 * is a failure and `*ret_failed` (may be NULL) is NULL, it is kept there.
 * Fails as pg__next(), or TN_E_LOST, reported, when the connection is lost and
 * nothing was kept. */
int32_t pg__drain(struct pg__conn *conn, PGresult **ret_failed);

/* The same with what has come already, for some milliseconds; a lost connection
 * is not reported. `*ret_is_over`: that was all. */
int32_t pg__skim(struct pg__conn *conn, PGresult **ret_failed,
                 bool *ret_is_over);

/* After host->fail(): read the rest, and set the verdicts by the state that
 * the server is in then. Returns `category`, or why the rest did not come. */
int32_t pg__settle(struct pg__conn *conn, int32_t category);

/* Run statements of our own, without parameters or rows that count; more than
 * one are separated by ';'. The server forgets the unnamed statement. `*tag`
 * (may be NULL), of `tag_size` bytes, gets the last one's. */
int32_t pg__exec(struct pg__conn *conn, const char *sql, enum pg__work work,
                 char *tag, size_t tag_size);

/* Run one such statement for its rows, as text. Without `values` (NULL, and a
 * `count` of 0) it goes in one message, and may be several, of which the last
 * one's rows are kept. */
int32_t pg__query(struct pg__conn *conn, const char *sql,
                  const char *const *values, int count, PGresult **ret);

/* In pipelines: what was sent since the last one ends here. False: libpq
 * refused. */
bool pg__sync(struct pg__conn *conn);

/* For PQsetNoticeReceiver(); the argument is the connection. */
void pg__notice(void *handle, const PGresult *notice);

/* ------------------------------------------------------------------ */
/* cancel.c                                                             */

/* How long a server may say nothing to somebody who closes what he did not read
 * to its end: he does not want to wait for one that is gone. */
#define PG__SILENCE_NS INT64_C(800000000)

/* Has the call no more time left than one in grace? It spends that likewise. */
bool pg__is_short(const struct pg__conn *conn);

/* The host has ended the call with `category` while something was under way.
 * Returns the category to fail with. */
int32_t pg__stop(struct pg__conn *conn, int32_t category);

/* Have the server stop what it runs. TN_OK: it has been told, and no later
 * statement can be hit. */
int32_t pg__cancel(struct pg__conn *conn);

/* The same once more, since it had no effect. */
int32_t pg__cancel_again(struct pg__conn *conn);

/* Rows that nobody wants any more: stop them if `may_cancel` and no
 * transaction would end by it, and read the rest.
 * Fails: the session is dead, and reported so. */
int32_t pg__discard(struct pg__conn *conn, bool may_cancel);

/* Give the session up: no byte goes in or out any more. */
void pg__bury(struct pg__conn *conn);

/* ------------------------------------------------------------------ */
/* errors.c, fields.c                                                   */

#define PG__ERROR_COUNT 305
extern const struct tn_error_row pg__errors[PG__ERROR_COUNT];

/* Report a result that is a failure, with the fields that it has; of row `row`
 * (from 1; 0: of none) of many. The verdicts are those of the category until
 * pg__settle(). A connection that is lost is buried. */
int32_t pg__fail(struct pg__conn *conn, const PGresult *result, uint64_t row);

/* Likewise for a statement, whose text tells names that a message lacks. */
int32_t pg__fail_sql(struct pg__conn *conn, const PGresult *result,
                     uint64_t row, const char *sql);

/* libpq would not send. */
int32_t pg__fail_send(struct pg__conn *conn);

/* The connection is gone; reports it and buries the session. `text`, which may
 * be NULL, says why. */
int32_t pg__fail_lost(struct pg__conn *conn, const char *text);

int32_t pg__fail_memory(struct tn_call *call);

/* Does the server close the connection after that failure? */
bool pg__is_fatal(const PGresult *result);

/* Is it the beginning of a COPY? libpq gives it again and again. */
bool pg__is_copy(const PGresult *result);

/* The SQLSTATE of a result that is a failure; "" if it has none. */
const char *pg__sqlstate(const PGresult *result);

/* After host->fail(): names and values out of the texts of a failure, where
 * the protocol has no fields for them. `sql` may be NULL. */
struct pg__texts {
  int32_t category;
  const char *message;
  const char *detail; /* "": none */
  const char *sql;
  int position; /* in `sql`, in characters from 1; 0: none */
  bool has_table;
  bool has_column;
};
void pg__fail_fields(struct tn_call *call, const struct pg__texts *texts);

/* Those that it may find: TN_ERR_BIT() each. */
uint32_t pg__text_fields(int32_t category);

/* A slot of tn_dialect_table. */
void pg__error_fields(const struct tn_error_row *row,
                      struct tn_error_fields *ret);

/* ------------------------------------------------------------------ */
/* connect.c, login.c and what they need                                */

/* Why an attempt failed. */
struct pg__reason {
  int32_t category; /* 0: as the table of errors says */
  char sqlstate[PG__SQLSTATE_SIZE];
  bool is_final;         /* other servers would say the same */
  bool is_about_options; /* it takes no settings of the session */
  bool is_other_role;    /* the server is not what is wanted */
  char text[512];
};

/* What a server says before the session is open: its requests for a password
 * are judged before libpq sees them, its error is kept because libpq keeps
 * nothing of it but the text. */
struct pg__watch {
  bool may_clear;    /* the password may go out in clear text */
  bool has_password; /* there is one */
  bool is_refused;   /* the server must get no answer; the reason says why */
  bool is_in;        /* it has accepted us */
  uint32_t header;   /* bytes read of type, length and code */
  uint32_t left;     /* bytes to come of the message's body */
  unsigned char head[9];
  uint32_t kept; /* bytes of an error's fields */
  char fields[1024];
  struct pg__reason reason;
};

void pg__watch_init(struct pg__watch *watch, bool may_clear, bool has_password);

/* Look at the next bytes, in pieces of any size. False: `is_refused`. */
bool pg__watch_feed(struct pg__watch *watch, const char *bytes, size_t size);

/* Stands between libpq and the server while nothing is encrypted, so that libpq
 * reads nothing that has not been looked at. */
struct pg__relay {
  int number; /* of the descriptor that libpq uses */
  int server; /* the socket; -1: no relay */
  int client; /* our end of what libpq has in its place */
};

/* False: no descriptors to be had. */
bool pg__relay_begin(struct pg__relay *relay, int number);

/* Give libpq the socket back. False: bytes would be lost. */
bool pg__relay_end(struct pg__relay *relay);

/* libpq has closed its descriptor, or is about to. */
void pg__relay_close(struct pg__relay *relay);

/* Send what libpq has written. */
int32_t pg__relay_out(struct pg__relay *relay, struct tn_call *call,
                      int64_t until, bool *ret_is_late);

/* Wait for bytes, `most` at a time, and hand them over if `watch` has nothing
 * against them. */
int32_t pg__relay_in(struct pg__relay *relay, struct tn_call *call,
                     int64_t until, size_t most, struct pg__watch *watch,
                     bool *ret_is_late);

/* Wait for bytes in TLS and look at them; they are left for libpq to read.
 * `seen` of those that wait there have been looked at before. */
int32_t pg__tls_peek(PGconn *pq, struct tn_call *call, int64_t until,
                     struct pg__watch *watch, size_t seen, bool *ret_is_late);

/* Bytes that have been decrypted and not been read. */
size_t pg__tls_pending(PGconn *pq);

/* Options of libpq's, by name. */
#define PG__OPTIONS_MAX 64

struct pg__options {
  const char *names[PG__OPTIONS_MAX + 1];
  const char *values[PG__OPTIONS_MAX + 1];
  size_t count;
};

/* Set one; an empty or NULL value sets nothing. */
void pg__option(struct pg__options *options, const char *name,
                const char *value);

/* Set those of TLS. Fails: TN_E_CONFIG. */
int32_t pg__tls_options(const struct tn_tls *tls, struct tn_call *call,
                        struct pg__options *options);

/* What all attempts of a connect have in common. */
#define PG__USER_MAX 256

struct pg__settings {
  struct pg__options options;
  const char *user;
  const char *database;
  const char *attributes; /* target_session_attrs */
  const char *policy;     /* host_policy, if that names them; or NULL */
  bool is_random;         /* the order of servers */
  int64_t timeout_ns;     /* for each server; 0: none */
  char *session;          /* settings of the session */
  char account[PG__USER_MAX];
  char default_host[200]; /* when the URL names none */
};

int32_t pg__settings_init(struct pg__settings *settings,
                          const struct tn_connect_args *args,
                          struct tn_call *call);
void pg__settings_clear(struct pg__settings *settings,
                        const struct tn_host *host);

/* A duration as the host has checked it. */
int64_t pg__nanoseconds(const char *text);

/* One attempt to log in, over by `until`. TN_E_CONNECT: watch->reason says why
 * it failed. Another category: the error is set, try no others. */
int32_t pg__login(struct pg__conn *conn, const struct pg__options *options,
                  struct pg__watch *watch, int64_t until);

/* Addresses of one name. */
#define PG__ADDRESS_TEXT 64
#define PG__ADDRESS_MAX  16

struct pg__addresses {
  uint32_t count;
  char text[PG__ADDRESS_MAX][PG__ADDRESS_TEXT];
};

/* Look a host's name up, in a thread, until `until` at most; a number is its
 * own address. TN_E_CONNECT: the reason says why it has none. Otherwise as
 * host->offload(). */
int32_t pg__resolve(struct tn_call *call, const char *name, int64_t until,
                    struct pg__addresses *ret, struct pg__reason *reason);

/* The name of the account that runs the process, likewise. */
int32_t pg__account(struct tn_call *call, char name[PG__USER_MAX]);

/* Look for a password in a file as libpq has them, ended by NUL in `password`;
 * "" if there is none. Fails: TN_E_CONFIG, the file. */
#define PG__PASSWORD_MAX 1024
struct pg__passkey {
  const char *host;
  const char *port;
  const char *database;
  const char *user;
};
int32_t pg__passfile(struct tn_call *call, const char *path,
                     const struct pg__passkey *key,
                     char password[PG__PASSWORD_MAX]);

/* The same in the text of such a file. */
void pg__passfile_find(const char *text, size_t size,
                       const struct pg__passkey *key,
                       char password[PG__PASSWORD_MAX]);

/* What a server must be, for as long as a session lasts. */
enum pg__role {
  PG__ANY = 0,
  PG__PRIMARY,
  PG__STANDBY,
  PG__READ_WRITE,
  PG__READ_ONLY,
};

/* By libpq's word for it. */
enum pg__role pg__role_of(const char *attributes);

/* Is the server still what it must be? Asks it only where it does not tell by
 * itself. Fails: TN_E_CONNECT, it is not, and the session is given up. */
int32_t pg__role_check(struct pg__conn *conn);

/* The same by what it has told so far. */
bool pg__role_is_lost(const struct pg__conn *conn);

/* Set again what is reported of the session and is not as it must be. Keeps
 * the statements that do it in conn->fixups. */
int32_t pg__check_reports(struct pg__conn *conn);

/* Overwrite a secret. */
void pg__wipe(void *secret, size_t size);

/* ------------------------------------------------------------------ */
/* Statements                                                           */

/* What the text of a statement tells before anybody has parsed it. */
#define PG__TEXT_BLANK       UINT32_C(1) /* nothing but blanks and comments */
#define PG__TEXT_COPY        UINT32_C(2) /* may begin a COPY */
#define PG__TEXT_COMMIT      UINT32_C(4)
#define PG__TEXT_READS       UINT32_C(8)  /* ending it early undoes nothing */
#define PG__TEXT_PREPARES    UINT32_C(16) /* a name of the user's */
#define PG__TEXT_DROPS_INDEX UINT32_C(32)

uint32_t pg__text_look(const char *sql);

/* Is it likely to return rows? */
bool pg__text_returns(const char *sql);

enum pg__state {
  PG__CLOSED,  /* no result */
  PG__READING, /* rows are still to come */
  PG__DONE,    /* nothing of it is under way */
};

/* Runs of a statement for many rows of values. */
struct pg__batch {
  bool is_on;
  bool is_at_set_end;     /* the present run has been read */
  bool is_single;         /* runs are made one by one */
  const tn_value *values; /* of all runs, one after another */
  uint64_t rows;
  uint64_t sent;
  uint64_t received; /* runs that have been read */
};

/* "tenon_" and a number. */
#define PG__NAME_SIZE 24

/* A statement, and in it the one result that it may have open. */
struct pg__statement {
  struct pg__conn *conn;
  uint32_t number; /* 0: only ever unnamed */
  bool is_named;   /* and the server has it, by its name */
  char name[PG__NAME_SIZE];
  uint32_t text; /* PG__TEXT_… */
  uint32_t parameter_count;
  Oid *types;       /* of the parameters, as the server has them; NULL if the
                     * statement could not be prepared without values */
  Oid *first_types; /* the same, as it found out by itself; or NULL */
  Oid *asked_types; /* of a statement that was left open, as they are asked for:
                     * 0 is for the server to find out; or NULL */
  uint32_t lacking; /* of which it said so: an index; their number: of some */
  struct pg__params params;

  uint32_t column_count;
  int format; /* PG__FORMAT_… of all columns */
  struct tn_column *columns;
  struct pg__reader *readers;
  Oid *column_types;

  enum pg__state state;
  bool is_checked;  /* the columns are as they were described */
  bool is_outdated; /* the columns must be described before the next run */
  PGresult *rows;   /* that have come and not all been fetched */
  int row_at;
  int row_count;
  uint32_t flags; /* TN_RESULT_… */
  uint64_t affected;
  struct pg__batch batch;

  size_t sql_size;
  char sql[];
};

/* prepare.c */

/* From now on the statement goes by this number, or by none: 0. */
void pg__name_set(struct pg__statement *statement, uint32_t number);

/* The server may let go of the statement. */
void pg__name_drop(struct pg__statement *statement);

struct pg__preparation {
  const Oid *types;      /* of the parameters; NULL: the server finds out */
  bool is_guarded;       /* a failure must not abort the transaction */
  PGresult *description; /* one of these two has come, to be cleared */
  PGresult *failed;
};

/* Have the server prepare the statement by its name, and describe it. TN_OK:
 * it has answered; it may not have read all of it if it failed. */
int32_t pg__prepare(struct pg__statement *statement,
                    struct pg__preparation *how);

/* Send a preparation along in a pipeline. False: libpq refused. */
bool pg__send_prepare(struct pg__statement *statement, const Oid *types);

/* It went well. */
void pg__prepared(struct pg__statement *statement);

/* statement.c */

/* Prepare and describe it, now or again; `types` as above. Reports failures. */
int32_t pg__statement_prepare(struct pg__statement *statement,
                              const Oid *types);

/* Take what came of its preparation, which ended with `rc`: the description, or
 * a failure, which is reported. */
int32_t pg__statement_take(struct pg__statement *statement,
                           struct pg__preparation *how, int32_t rc);

/* Run it once, and open the result. `wants_all`: rows at once. */
int32_t pg__statement_run(struct pg__statement *statement,
                          const tn_value *values, bool wants_all);

/* Has the server the statement, so that it can be run by its name? */
bool pg__statement_is_there(const struct pg__statement *statement);

/* Choose a name to prepare it under once more. */
void pg__statement_name(struct pg__statement *statement);

/* describe.c */

/* Learn parameters and columns from what the server says of them. */
int32_t pg__describe(struct pg__statement *statement,
                     const PGresult *description);

/* The columns have changed since: learn them from a result. Fails if they can
 * only be read in text and have come in binary. */
int32_t pg__describe_again(struct pg__statement *statement,
                           const PGresult *result);

/* Are the columns those of the result? */
bool pg__is_described(const struct pg__statement *statement,
                      const PGresult *result);

void pg__describe_clear(struct pg__statement *statement);
void pg__catalog_clear(struct pg__conn *conn);

/* retype.c */

/* Prepare it for the first time; `count` parameters were written, or 0 if that
 * is not known. One whose types the server cannot find out is left open until
 * it is run. Reports failures. */
int32_t pg__prepare_first(struct pg__statement *statement, uint32_t count);

/* After the first preparation: is there a parameter that may have another type
 * than the server found out? */
int32_t pg__free_look(struct pg__statement *statement,
                      const PGresult *description);

/* Before a run: have such parameters, and those of an open statement, take the
 * types of their values. */
int32_t pg__retype(struct pg__statement *statement, const tn_value *values);

/* result.c */

/* Take a result that has come for the statement: rows, or its end, to be kept
 * or cleared here. Fails as the result does, settled. */
int32_t pg__take(struct pg__statement *statement, PGresult *result);

int32_t pg__take_rows(struct pg__statement *statement, PGresult *result);
int32_t pg__take_failure(struct pg__statement *statement, PGresult *result,
                         uint64_t row);

/* Add what its tag counts. */
void pg__note_tag(struct pg__statement *statement, PGresult *result);

/* Its last result has come: wait for what says whether all is well. */
int32_t pg__finish(struct pg__statement *statement);

/* Forget rows that were read. */
void pg__rows_clear(struct pg__statement *statement);

/* Get ready for a new result; close one, stopping what is under way. */
void pg__result_reset(struct pg__statement *statement);
/* Wait for further rows. */
int32_t pg__fetch_more(struct pg__statement *statement);

void pg__result_close(struct pg__statement *statement);

/* batch.c */
int32_t pg__execute_batch(void *handle, const tn_value *values, uint32_t count,
                          uint64_t rows, struct tn_call *call, void **ret);

/* Read more of the present run. */
int32_t pg__batch_fetch(struct pg__statement *statement);

/* On to the next run: 1, 0, or a category with its sign changed. */
int32_t pg__batch_next_set(struct pg__statement *statement);

/* The same where runs are made one by one. */
int32_t pg__batch_next_single(struct pg__statement *statement);

/* txn.c */

/* In words, by enum tn_isolation. */
/* position.c */
int32_t pg__get_position(void *handle, char *ret, uint32_t size,
                         struct tn_call *call);
int32_t pg__wait_position(void *handle, const char *position, int64_t until,
                          struct tn_call *call, uint32_t *ret);

extern const char *const pg__isolations[5];

/* Does the tag of a COMMIT that went well say that it was none? */
int32_t pg__check_commit(struct pg__conn *conn, const char *tag);

/* outcome.c */

/* Send a BEGIN, and learn in the same round trip what the transaction will be
 * known by. */
int32_t pg__begin_resolvable(struct pg__conn *conn, const char *begin);

/* Does the server let transactions be prepared? Fails: TN_E_UNSUPPORTED. */
int32_t pg__two_phase_check(struct pg__conn *conn);

/* Slots of the table of transactions. */
int32_t pg__identify(void *handle, char id[TN_TXN_ID_SIZE],
                     struct tn_call *call);
int32_t pg__outcome(void *handle, const char *id, struct tn_call *call,
                    uint32_t *ret);
int32_t pg__list_prepared(void *handle, struct tn_call *call,
                          const char *const **ret, uint32_t *ret_count);

/* ------------------------------------------------------------------ */
/* The tables                                                           */

extern const struct tn_connection_table pg__connection_table;
extern const struct tn_statement_table pg__statement_table;
extern const struct tn_result_table pg__result_table;
extern const struct tn_dialect_table pg__dialect_table;
extern const struct tn_txn_table pg__txn_table;
extern const struct tn_session_table pg__session_table;

/* READ UNCOMMITTED is accepted and stricter than it need be. A key that was
 * generated is told by RETURNING only. */
#define PG__CAPS                                                               \
  (TN_CAP_WRITE | TN_CAP_DDL | TN_CAP_EXPRESSIONS | TN_CAP_TRANSACTION |       \
   TN_CAP_SAVEPOINT | TN_CAP_DDL_IN_TRANSACTION | TN_CAP_READ_ONLY |           \
   TN_CAP_READ_UNCOMMITTED | TN_CAP_READ_COMMITTED | TN_CAP_REPEATABLE_READ |  \
   TN_CAP_SERIALIZABLE | TN_CAP_RETURNING | TN_CAP_UPSERT | TN_CAP_CANCEL |    \
   TN_CAP_DEADLINE | TN_CAP_STREAMING | TN_CAP_CONSTRAINT_NAMES |              \
   TN_CAP_RESET | TN_CAP_NETWORK | TN_CAP_ARRAY | TN_CAP_TWO_PHASE |           \
   TN_CAP_DEFERRABLE | TN_CAP_OUTCOME)

#endif
