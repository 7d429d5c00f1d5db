/* SQLite's result codes as the categories of Tenon.
 *
 * The extended code decides, by the table at the end. For SQLITE_ERROR it says
 * nothing, and messages.c looks at the text. Two things no code tells: whether
 * SQLite has rolled the transaction back, and whether a failed write may have
 * been committed all the same. */
#include "sqlite_priv.h"

#include <errno.h>
#include <string.h>

static int
primary(int code)
{
  return code & 0xff;
}

/* Why a file could not be opened, where the system says it. */
static const struct cause {
  int number; /* errno */
  int32_t category;
  const char *text;
} causes[] = {
  { EACCES, TN_E_PERMISSION, "permission denied" },
  { EPERM, TN_E_PERMISSION, "operation not permitted" },
  { EROFS, TN_E_READ_ONLY, "the file system can only be read" },
  { EISDIR, TN_E_CONFIG, "this is a folder" },
  { ELOOP, TN_E_CONFIG, "too many symbolic links" },
  { ENAMETOOLONG, TN_E_CONFIG, "the name is too long" },
  { ENOTDIR, TN_E_CONNECT, "a part of the path is no folder" },
  { EMFILE, TN_E_LIMIT, "the process has too many open files" },
  { ENFILE, TN_E_LIMIT, "the system has too many open files" },
  { ENOMEM, TN_E_MEMORY, "out of memory" },
  { ENOSPC, TN_E_IO, "the disk is full" },
  { EDQUOT, TN_E_IO, "the disk quota is used up" },
  { EIO, TN_E_IO, "input/output error" },
};

/* SQLite's second try, to open for reading, hides why it could not create a
 * file: the system then only says that there is none. */
static const struct cause folder_causes[] = {
  [SQLITE__FOLDER_FINE] = { ENOENT, TN_E_NO_DATABASE, "no such file" },
  [SQLITE__FOLDER_MISSING] = { ENOENT, TN_E_CONNECT,
                               "its folder is not there" },
  [SQLITE__FOLDER_READ_ONLY] = { ENOENT, TN_E_PERMISSION,
                                 "there is no such file, and its folder may "
                                 "not be written to" },
};

/* NULL if the system said nothing that is known. */
static const struct cause *
cause_of(struct sqlite__conn *conn, int code, const struct sqlite__where *where)
{
  int number = sqlite3_system_errno(conn->db);
  size_t i;

  if (primary(code) != SQLITE_CANTOPEN)
    return NULL;
  if (number == ENOENT && where != NULL && where->target != NULL)
    return &folder_causes[sqlite__target_folder(where->target)];
  for (i = 0; i < SQLITE__COUNT(causes); i++)
    if (causes[i].number == number)
      return &causes[i];
  return NULL;
}

/* I/O errors after which a commit has certainly not happened: they come while
 * reading and locking. Any other may come after the commit was written. */
static const int early_errors[] = {
  SQLITE_IOERR_READ,         SQLITE_IOERR_SHORT_READ,
  SQLITE_IOERR_RDLOCK,       SQLITE_IOERR_LOCK,
  SQLITE_IOERR_BLOCKED,      SQLITE_IOERR_CHECKRESERVEDLOCK,
  SQLITE_IOERR_NOMEM,        SQLITE_IOERR_SHMOPEN,
  SQLITE_IOERR_SHMSIZE,      SQLITE_IOERR_SHMLOCK,
  SQLITE_IOERR_SHMMAP,       SQLITE_IOERR_ACCESS,
  SQLITE_IOERR_GETTEMPPATH,  SQLITE_IOERR_DATA,
  SQLITE_IOERR_BEGIN_ATOMIC,
};

static bool
may_be_committed(const struct sqlite__conn *conn, int code,
                 const struct sqlite__where *where)
{
  size_t i;

  if (primary(code) != SQLITE_IOERR || where == NULL)
    return false;
  if ((where->at & SQLITE__AT_COMMIT) == 0 &&
      (where->statement == NULL || !where->statement->is_writer ||
       conn->in_txn))
    return false;
  for (i = 0; i < SQLITE__COUNT(early_errors); i++)
    if (early_errors[i] == code)
      return false;
  return true;
}

/* 0 where the table decides. */
static int32_t
category_of(struct sqlite__conn *conn, int code,
            const struct sqlite__where *where, const char *text)
{
  const struct cause *cause = cause_of(conn, code, where);
  int32_t category = 0;

  if (cause != NULL)
    return cause->category;
  if (may_be_committed(conn, code, where))
    return TN_E_UNCERTAIN;
  if (code == SQLITE_TOOBIG && where != NULL &&
      (where->at & SQLITE__AT_PREPARE) != 0)
    return TN_E_LIMIT; /* it is the statement, not a value */
  if (code != SQLITE_ERROR)
    return 0;
  category = sqlite__message_category(text);
  if (category == 0 && where != NULL && (where->at & SQLITE__AT_PREPARE) != 0)
    category = TN_E_SYNTAX; /* it is the statement that cannot be compiled */
  return category;
}

/* Bytes to characters, both from the start of `sql`. */
static int32_t
position_of(struct sqlite__conn *conn, const struct sqlite__where *where)
{
  int offset = sqlite3_error_offset(conn->db);
  int32_t position = 1;
  int i;

  if (where == NULL || where->sql == NULL || offset < 0)
    return 0;
  for (i = 0; i < offset && where->sql[i] != '\0'; i++)
    if (((unsigned char)where->sql[i] & 0xc0) != 0x80)
      position++;
  return position;
}

/* The message, which belongs to the connection and is the code's only if it
 * was the connection that failed. */
static const char *
text_of(struct sqlite__conn *conn, int code)
{
  if (code == SQLITE_CONSTRAINT_COMMITHOOK)
    return SQLITE__MOVED;
  if (sqlite3_extended_errcode(conn->db) == code)
    return sqlite3_errmsg(conn->db);
  return sqlite3_errstr(code);
}

static int32_t
report(struct sqlite__conn *conn, int code, const struct sqlite__where *where)
{
  const char *text = text_of(conn, code);
  const struct cause *cause = cause_of(conn, code, where);
  struct tn_failure failure;
  char message[512];
  int32_t category;

  memset(&failure, 0, sizeof failure);
  failure.size = sizeof failure;
  failure.native = code;
  failure.fallback = primary(code);
  failure.category = category_of(conn, code, where, text);
  failure.position = position_of(conn, where);
  failure.row = conn->batch_row;
  failure.message = text;
  if (where != NULL && where->target != NULL) {
    sqlite3_snprintf((int)sizeof message, message, "sqlite: %s: %s%s%s",
                     where->target->shown, text, cause == NULL ? "" : ": ",
                     cause == NULL ? "" : cause->text);
    failure.message = message;
  } else if (cause != NULL) {
    failure.detail = cause->text;
  }
  category = conn->host->fail(conn->call, &failure);
  sqlite__message_fields(conn, code, text, where);
  return category;
}

/* A lock that was not free: nothing took effect. Within a transaction another
 * try of the statement alone may be in vain, because the locks that this
 * transaction holds are what the other one waits for. BUSY at COMMIT leaves
 * the transaction open, to be committed again. */
static int32_t
replay_of_lock(const struct sqlite__conn *conn, int code,
               const struct sqlite__where *where)
{
  if (primary(code) != SQLITE_BUSY && primary(code) != SQLITE_LOCKED)
    return 0;
  if (!conn->in_txn || (where != NULL && (where->at & SQLITE__AT_COMMIT) != 0))
    return TN_REPLAY_SAFE;
  return TN_REPLAY_TRANSACTION;
}

/* A commit that has certainly not happened, on a connection that is dead. */
static bool
is_nothing_done(int code, int32_t category, const struct sqlite__where *where)
{
  return category == TN_E_IO && where != NULL &&
         (where->at & SQLITE__AT_COMMIT) != 0 &&
         (primary(code) == SQLITE_IOERR ||
          code == SQLITE_CONSTRAINT_COMMITHOOK);
}

int32_t
sqlite__fail(struct sqlite__conn *conn, int code,
             const struct sqlite__where *where)
{
  int32_t replay = replay_of_lock(conn, code, where);
  int32_t connection = 0;
  int32_t category = conn->stopped;

  if (category == 0)
    category = report(conn, code, where);
  if (conn->in_txn && sqlite3_get_autocommit(conn->db)) {
    conn->is_aborted = true;
    if (primary(code) != SQLITE_IOERR && code != SQLITE_CONSTRAINT_COMMITHOOK)
      connection = TN_CONNECTION_ABORTED;
    if (conn->stopped != 0 || category == TN_E_MEMORY)
      replay = TN_REPLAY_TRANSACTION;
  }
  if (is_nothing_done(code, category, where))
    replay = TN_REPLAY_SAFE;
  conn->stopped = 0;
  if (connection != 0 || replay != 0)
    conn->host->fail_verdicts(conn->call, connection, replay);
  return category;
}

int32_t
sqlite__refuse(struct sqlite__conn *conn, int32_t category, uint32_t parameter,
               const char *text)
{
  struct tn_failure failure;

  memset(&failure, 0, sizeof failure);
  failure.size = sizeof failure;
  failure.category = category;
  failure.parameter = (int32_t)parameter;
  failure.row = conn->batch_row;
  failure.message = text;
  return conn->host->fail(conn->call, &failure);
}

int32_t
sqlite__fail_aborted(struct tn_call *call)
{
  tn_fail(call, TN_E_STATE,
          "sqlite: the transaction was rolled back by an earlier error; roll "
          "back before anything else");
  call->host->fail_verdicts(call, TN_CONNECTION_ABORTED, 0);
  return TN_E_STATE;
}

/* ------------------------------------------------------------------ */

#define USABLE      TN_CONNECTION_USABLE
#define DEAD        TN_CONNECTION_DEAD
#define SAFE        TN_REPLAY_SAFE
#define TRANSACTION TN_REPLAY_TRANSACTION
#define NEVER       TN_REPLAY_NEVER
/* clang-format off */
#define ROW(code, category, connection, replay) \
  { code, category, connection, replay, NULL, #code }

/* Every code of SQLite 3.40. A code that a later SQLite adds falls back to its
 * primary one. */
const struct tn_error_row sqlite__errors[] = {
  ROW(SQLITE_ERROR_MISSING_COLLSEQ, TN_E_NOT_FOUND, 0, 0),
  ROW(SQLITE_ERROR_RETRY, TN_E_BUSY, 0, 0),
  ROW(SQLITE_ERROR_SNAPSHOT, TN_E_STATE, 0, 0),
  ROW(SQLITE_ERROR, TN_E_OTHER, 0, 0),
  ROW(SQLITE_INTERNAL, TN_E_INTERNAL, 0, 0),
  ROW(SQLITE_PERM, TN_E_PERMISSION, 0, 0),
  ROW(SQLITE_ABORT_ROLLBACK, TN_E_STATE, 0, TRANSACTION),
  ROW(SQLITE_ABORT, TN_E_CANCELED, 0, 0),
  ROW(SQLITE_BUSY_RECOVERY, TN_E_BUSY, 0, 0),
  ROW(SQLITE_BUSY_SNAPSHOT, TN_E_BUSY, 0, 0),
  ROW(SQLITE_BUSY_TIMEOUT, TN_E_BUSY, 0, 0),
  ROW(SQLITE_BUSY, TN_E_BUSY, 0, 0),
  ROW(SQLITE_LOCKED_SHAREDCACHE, TN_E_BUSY, 0, 0),
  ROW(SQLITE_LOCKED_VTAB, TN_E_BUSY, 0, 0),
  ROW(SQLITE_LOCKED, TN_E_BUSY, 0, 0),
  ROW(SQLITE_NOMEM, TN_E_MEMORY, 0, 0),
  ROW(SQLITE_READONLY_RECOVERY, TN_E_READ_ONLY, 0, 0),
  ROW(SQLITE_READONLY_CANTLOCK, TN_E_READ_ONLY, 0, 0),
  ROW(SQLITE_READONLY_ROLLBACK, TN_E_READ_ONLY, 0, 0),
  /* The file was moved or deleted while it was open. */
  ROW(SQLITE_READONLY_DBMOVED, TN_E_LOST, 0, 0),
  ROW(SQLITE_READONLY_CANTINIT, TN_E_READ_ONLY, 0, 0),
  ROW(SQLITE_READONLY_DIRECTORY, TN_E_READ_ONLY, 0, 0),
  ROW(SQLITE_READONLY, TN_E_READ_ONLY, 0, 0),
  ROW(SQLITE_INTERRUPT, TN_E_CANCELED, 0, 0),
  /* After an I/O error only opening the file anew shows how it stands. */
  ROW(SQLITE_IOERR_READ, TN_E_IO, DEAD, TRANSACTION),
  ROW(SQLITE_IOERR_SHORT_READ, TN_E_IO, DEAD, TRANSACTION),
  ROW(SQLITE_IOERR_WRITE, TN_E_IO, DEAD, TRANSACTION),
  ROW(SQLITE_IOERR_FSYNC, TN_E_IO, DEAD, TRANSACTION),
  ROW(SQLITE_IOERR_DIR_FSYNC, TN_E_IO, DEAD, TRANSACTION),
  ROW(SQLITE_IOERR_TRUNCATE, TN_E_IO, DEAD, TRANSACTION),
  ROW(SQLITE_IOERR_FSTAT, TN_E_IO, DEAD, TRANSACTION),
  ROW(SQLITE_IOERR_UNLOCK, TN_E_IO, DEAD, TRANSACTION),
  ROW(SQLITE_IOERR_RDLOCK, TN_E_IO, DEAD, TRANSACTION),
  ROW(SQLITE_IOERR_DELETE, TN_E_IO, DEAD, TRANSACTION),
  ROW(SQLITE_IOERR_BLOCKED, TN_E_IO, DEAD, TRANSACTION),
  ROW(SQLITE_IOERR_NOMEM, TN_E_MEMORY, 0, 0),
  ROW(SQLITE_IOERR_ACCESS, TN_E_IO, DEAD, TRANSACTION),
  ROW(SQLITE_IOERR_CHECKRESERVEDLOCK, TN_E_IO, DEAD, TRANSACTION),
  ROW(SQLITE_IOERR_LOCK, TN_E_IO, DEAD, TRANSACTION),
  ROW(SQLITE_IOERR_CLOSE, TN_E_IO, DEAD, TRANSACTION),
  ROW(SQLITE_IOERR_DIR_CLOSE, TN_E_IO, DEAD, TRANSACTION),
  ROW(SQLITE_IOERR_SHMOPEN, TN_E_IO, DEAD, TRANSACTION),
  ROW(SQLITE_IOERR_SHMSIZE, TN_E_IO, DEAD, TRANSACTION),
  ROW(SQLITE_IOERR_SHMLOCK, TN_E_IO, DEAD, TRANSACTION),
  ROW(SQLITE_IOERR_SHMMAP, TN_E_IO, DEAD, TRANSACTION),
  ROW(SQLITE_IOERR_SEEK, TN_E_IO, DEAD, TRANSACTION),
  ROW(SQLITE_IOERR_DELETE_NOENT, TN_E_IO, DEAD, TRANSACTION),
  ROW(SQLITE_IOERR_MMAP, TN_E_IO, DEAD, TRANSACTION),
  ROW(SQLITE_IOERR_GETTEMPPATH, TN_E_IO, DEAD, TRANSACTION),
  ROW(SQLITE_IOERR_CONVPATH, TN_E_IO, DEAD, TRANSACTION),
  ROW(SQLITE_IOERR_VNODE, TN_E_IO, DEAD, TRANSACTION),
  ROW(SQLITE_IOERR_AUTH, TN_E_IO, DEAD, TRANSACTION),
  ROW(SQLITE_IOERR_BEGIN_ATOMIC, TN_E_IO, DEAD, TRANSACTION),
  ROW(SQLITE_IOERR_COMMIT_ATOMIC, TN_E_IO, DEAD, TRANSACTION),
  ROW(SQLITE_IOERR_ROLLBACK_ATOMIC, TN_E_IO, DEAD, TRANSACTION),
  ROW(SQLITE_IOERR_DATA, TN_E_IO, DEAD, NEVER),
  ROW(SQLITE_IOERR_CORRUPTFS, TN_E_IO, DEAD, NEVER),
  ROW(SQLITE_IOERR, TN_E_IO, DEAD, TRANSACTION),
  ROW(SQLITE_CORRUPT_VTAB, TN_E_IO, 0, NEVER),
  ROW(SQLITE_CORRUPT_SEQUENCE, TN_E_IO, 0, NEVER),
  ROW(SQLITE_CORRUPT_INDEX, TN_E_IO, 0, NEVER),
  ROW(SQLITE_CORRUPT, TN_E_IO, 0, NEVER),
  ROW(SQLITE_NOTFOUND, TN_E_INTERNAL, 0, 0),
  ROW(SQLITE_FULL, TN_E_IO, USABLE, NEVER),
  /* Usually a journal or a temporary file: the session itself is as before.
   * connect() asks the system why it could not open the database. */
  ROW(SQLITE_CANTOPEN_NOTEMPDIR, TN_E_CONNECT, USABLE, NEVER),
  ROW(SQLITE_CANTOPEN_ISDIR, TN_E_CONFIG, USABLE, NEVER),
  ROW(SQLITE_CANTOPEN_FULLPATH, TN_E_CONNECT, USABLE, SAFE),
  ROW(SQLITE_CANTOPEN_CONVPATH, TN_E_CONNECT, USABLE, NEVER),
  ROW(SQLITE_CANTOPEN_DIRTYWAL, TN_E_CONNECT, USABLE, SAFE),
  ROW(SQLITE_CANTOPEN_SYMLINK, TN_E_CONFIG, USABLE, NEVER),
  ROW(SQLITE_CANTOPEN, TN_E_CONNECT, USABLE, SAFE),
  ROW(SQLITE_PROTOCOL, TN_E_BUSY, 0, TRANSACTION),
  ROW(SQLITE_EMPTY, TN_E_INTERNAL, 0, 0),
  ROW(SQLITE_SCHEMA, TN_E_BUSY, 0, TRANSACTION),
  ROW(SQLITE_TOOBIG, TN_E_DATA, 0, 0),
  ROW(SQLITE_CONSTRAINT_CHECK, TN_E_CHECK, 0, 0),
  ROW(SQLITE_CONSTRAINT_COMMITHOOK, TN_E_IO, DEAD, TRANSACTION),
  ROW(SQLITE_CONSTRAINT_FOREIGNKEY, TN_E_REFERENCE, 0, 0),
  ROW(SQLITE_CONSTRAINT_FUNCTION, TN_E_CONSTRAINT, 0, 0),
  ROW(SQLITE_CONSTRAINT_NOTNULL, TN_E_NOT_NULL, 0, 0),
  ROW(SQLITE_CONSTRAINT_PRIMARYKEY, TN_E_DUPLICATE, 0, 0),
  ROW(SQLITE_CONSTRAINT_TRIGGER, TN_E_CONSTRAINT, 0, 0),
  ROW(SQLITE_CONSTRAINT_UNIQUE, TN_E_DUPLICATE, 0, 0),
  ROW(SQLITE_CONSTRAINT_VTAB, TN_E_CONSTRAINT, 0, 0),
  ROW(SQLITE_CONSTRAINT_ROWID, TN_E_DUPLICATE, 0, 0),
  ROW(SQLITE_CONSTRAINT_PINNED, TN_E_CONSTRAINT, 0, 0),
  ROW(SQLITE_CONSTRAINT_DATATYPE, TN_E_DATA, 0, 0),
  ROW(SQLITE_CONSTRAINT, TN_E_CONSTRAINT, 0, 0),
  ROW(SQLITE_MISMATCH, TN_E_DATA, 0, 0),
  ROW(SQLITE_MISUSE, TN_E_INTERNAL, 0, 0),
  ROW(SQLITE_NOLFS, TN_E_LIMIT, 0, 0),
  ROW(SQLITE_AUTH_USER, TN_E_PERMISSION, 0, 0),
  ROW(SQLITE_AUTH, TN_E_PERMISSION, 0, 0),
  ROW(SQLITE_FORMAT, TN_E_INTERNAL, 0, 0),
  ROW(SQLITE_RANGE, TN_E_DATA, 0, 0),
  ROW(SQLITE_NOTADB, TN_E_IO, 0, NEVER),
  ROW(SQLITE_NOTICE_RECOVER_WAL, TN_E_INTERNAL, 0, 0),
  ROW(SQLITE_NOTICE_RECOVER_ROLLBACK, TN_E_INTERNAL, 0, 0),
  ROW(SQLITE_NOTICE, TN_E_INTERNAL, 0, 0),
  ROW(SQLITE_WARNING_AUTOINDEX, TN_E_INTERNAL, 0, 0),
  ROW(SQLITE_WARNING, TN_E_INTERNAL, 0, 0),
};
/* clang-format on */
