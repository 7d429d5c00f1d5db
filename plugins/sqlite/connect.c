/* A session from its opening to its end.
 *
 * Opening proves that the file is a database: SQLite itself would notice only
 * at the first statement. */
#include "sqlite_priv.h"

#include <string.h>

static void
release(struct sqlite__conn **conn)
{
  const struct tn_host *host;
  size_t i;

  if (*conn == NULL)
    return;
  host = (*conn)->host;
  for (i = 0; i < SQLITE__CONTROL_COUNT; i++)
    sqlite3_finalize((*conn)->control[i]);
  sqlite3_close_v2((*conn)->db);
  host->release((*conn)->notes.targets);
  host->release(*conn);
  *conn = NULL;
}

/* "250ms", "5s", "1.5m", "2h", "90": the host has checked it. */
static int64_t
nanoseconds_of(const char *text)
{
  static const struct {
    const char *unit;
    int64_t factor;
  } units[] = {
    { "ms", 1000000 },
    { "m", INT64_C(60000000000) },
    { "h", INT64_C(3600000000000) },
  };
  int64_t unit = 1000000000, whole = 0, thousandths = 0, place = 100;
  size_t i;

  for (; *text >= '0' && *text <= '9' && whole < 1000000000; text++)
    whole = whole * 10 + (*text - '0');
  if (*text == '.')
    for (text++; *text >= '0' && *text <= '9'; text++, place /= 10)
      thousandths += (*text - '0') * place;
  for (i = 0; i < SQLITE__COUNT(units); i++)
    if (strcmp(text, units[i].unit) == 0)
      unit = units[i].factor;
  if (whole >= SQLITE__BUSY_MAX_NS / unit)
    return SQLITE__BUSY_MAX_NS;
  return whole * unit + thousandths * (unit / 1000);
}

#define BUSY_DEFAULT_NS INT64_C(5000000000)

static void
read_options(struct sqlite__conn *conn, const struct tn_connect_args *args)
{
  static const char *const modes[] = { "deferred", "immediate", "exclusive" };
  const char *timeout = tn_connect_option(args, "timeout");
  const char *mode = tn_connect_option(args, "isolation_level");
  size_t i;

  conn->busy_initial_ns =
      timeout == NULL ? BUSY_DEFAULT_NS : nanoseconds_of(timeout);
  conn->busy_ns = conn->busy_initial_ns;
  conn->lock_mode = TN_LOCK_DEFERRED;
  for (i = 0; mode != NULL && i < SQLITE__COUNT(modes); i++)
    if (sqlite3_stricmp(mode, modes[i]) == 0)
      conn->lock_mode = TN_LOCK_DEFERRED + (uint32_t)i;
}

static bool
has_moved(const struct sqlite__conn *conn)
{
  int has_moved = 0;

  return sqlite3_file_control(conn->db, "main", SQLITE_FCNTL_HAS_MOVED,
                              &has_moved) == SQLITE_OK &&
         has_moved;
}

/* A file that was deleted or replaced takes every write and loses it. With a
 * rollback journal SQLite sees that for itself, with a write-ahead log it does
 * not. Called before each commit of what was written; not 0 rolls back. */
static int
refuse_if_moved(void *conn)
{
  return has_moved(conn);
}

/* What does not need the file. */
static int
install(struct sqlite__conn *conn)
{
  int code;

  sqlite__guard(conn);
  sqlite3_commit_hook(conn->db, refuse_if_moved, conn);
  code = sqlite__notes_install(conn);
  if (code == SQLITE_OK)
    code = sqlite__regexp_install(conn);
  conn->max_bytes = sqlite3_limit(conn->db, SQLITE_LIMIT_LENGTH, -1);
  sqlite3_snprintf((int)sizeof conn->version, conn->version, "SQLite %s",
                   sqlite3_libversion());
  return code;
}

static int
set_foreign_keys(struct sqlite__conn *conn, const struct tn_connect_args *args)
{
  if (tn_connect_option(args, "foreign_keys") == NULL)
    return SQLITE_OK;
  return sqlite3_db_config(conn->db, SQLITE_DBCONFIG_ENABLE_FKEY,
                           tn_connect_flag(args, "foreign_keys", 0),
                           (int *)NULL);
}

static int
set_synchronous(struct sqlite__conn *conn, const struct tn_connect_args *args)
{
  const char *value = tn_connect_option(args, "synchronous");
  char sql[64];

  if (value == NULL)
    return SQLITE_OK;
  sqlite3_snprintf((int)sizeof sql, sql, "PRAGMA synchronous=%s", value);
  return sqlite__exec(conn, sql);
}

/* SQLite answers with the mode that it is in now, which need not be the one
 * that was asked for: a database in memory knows none but its own. */
static int32_t
set_journal_mode(struct sqlite__conn *conn, const struct tn_connect_args *args,
                 const struct sqlite__where *where)
{
  const char *value = tn_connect_option(args, "journal_mode");
  char sql[64], mode[16];
  int code;

  if (value == NULL)
    return TN_OK;
  sqlite3_snprintf((int)sizeof sql, sql, "PRAGMA journal_mode=%s", value);
  code = sqlite__query_text(conn, sql, mode, sizeof mode);
  if (code != SQLITE_OK)
    return sqlite__fail(conn, code, where);
  if (sqlite3_stricmp(mode, value) == 0)
    return TN_OK;
  return tn_fail(conn->call, TN_E_UNSUPPORTED,
                 "sqlite: %s: journal_mode: %s: the database stays in mode %s",
                 where->target->shown, value, mode);
}

#define LOG_INFO 3 /* of enum tn_log_level */

/* SQLite opens a file that is write-protected for reading, without a word. */
static void
log_read_only(const struct sqlite__conn *conn,
              const struct tn_connect_args *args)
{
  const char *mode = tn_connect_option(args, "mode");

  if (sqlite3_db_readonly(conn->db, "main") == 1 &&
      (mode == NULL || strcmp(mode, "ro") != 0))
    conn->host->log(conn->call, LOG_INFO,
                    "sqlite: the database can only be read");
}

static int32_t
prepare_session(struct sqlite__conn *conn, const struct tn_connect_args *args,
                const struct sqlite__where *where)
{
  int code = install(conn);

  if (code == SQLITE_OK)
    code = sqlite__control(conn, SQLITE__PING); /* reads the file's header */
  if (code == SQLITE_OK)
    code = set_foreign_keys(conn, args);
  if (code == SQLITE_OK)
    code = set_synchronous(conn, args);
  if (code != SQLITE_OK)
    return sqlite__fail(conn, code, where);
  log_read_only(conn, args);
  return set_journal_mode(conn, args, where);
}

static int32_t
open_target(struct sqlite__conn *conn, const struct tn_connect_args *args,
            const struct sqlite__target *target)
{
  struct sqlite__where where = { .at = SQLITE__AT_CONNECT, .target = target };
  const char *vfs = NULL; /* the default, or as the URI says */
  int code = sqlite3_open_v2(target->name, &conn->db, target->flags, vfs);

  if (conn->db == NULL)
    return tn_fail(conn->call, TN_E_MEMORY, "sqlite: %s: out of memory",
                   target->shown);
  if (code != SQLITE_OK)
    return sqlite__fail(conn, code, &where);
  conn->has_shared_cache = target->has_shared_cache;
  return prepare_session(conn, args, &where);
}

static int32_t
connect_to(const struct tn_connect_args *args, struct tn_call *call, void **ret)
{
  struct sqlite__target target;
  struct sqlite__conn *conn;
  int32_t rc = sqlite__target_init(args, call, &target);

  if (rc != TN_OK)
    return rc;
  conn = call->host->alloc(sizeof *conn);
  if (conn == NULL) {
    sqlite__target_clear(&target, call->host);
    return tn_fail(call, TN_E_MEMORY, "sqlite: %s: out of memory",
                   target.shown);
  }
  memset(conn, 0, sizeof *conn);
  conn->host = call->host;
  sqlite__enter(conn, call);
  read_options(conn, args);
  rc = open_target(conn, args, &target);
  sqlite__target_clear(&target, call->host);
  if (rc == TN_OK)
    *ret = conn;
  else
    release(&conn);
  return rc;
}

/* The last one to leave a database in WAL mode copies the log into it, which
 * may take long and cannot be stopped. When time is up, the log stays for the
 * next one to copy. */
static void
disconnect(void *handle, struct tn_call *call)
{
  struct sqlite__conn *conn = handle;

  sqlite__enter(conn, call);
  if (call->host->now() >= call->deadline)
    sqlite3_db_config(conn->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
                      (int *)NULL);
  release(&conn);
}

/* Is the file that is open still the one at its path, and can it be read? A
 * lock of somebody else's shows that the file is alive. */
static int32_t
ping(void *handle, struct tn_call *call)
{
  struct sqlite__conn *conn = handle;
  int code;

  sqlite__enter(conn, call);
  if (has_moved(conn))
    return tn_fail(call, TN_E_LOST, "sqlite: " SQLITE__MOVED);
  code = sqlite__control(conn, SQLITE__PING);
  if (code == SQLITE_OK || ((code & 0xff) == SQLITE_BUSY && conn->stopped == 0))
    return TN_OK;
  return sqlite__fail(conn, code, NULL);
}

static uint64_t
server_caps(void *handle)
{
  const struct sqlite__conn *conn = handle;
  uint64_t caps = SQLITE__CAPS;

  if (!conn->has_shared_cache)
    caps &= ~TN_CAP_READ_UNCOMMITTED;
  return caps;
}

static const char *
server_version(void *handle)
{
  const struct sqlite__conn *conn = handle;

  return conn->version;
}

/* No cancel: sqlite3_interrupt() stays in force until no statement of the
 * connection is active, so a late one would hit the next fetch of a result
 * that is still open. The progress handler asks the host instead, which stops
 * the very call that was canceled.
 *
 * No abandon: closing in a child would play back or delete a journal that is
 * the parent's. The handle is leaked there, as SQLite demands. */
const struct tn_connection_table sqlite__connection_table = {
  .size = sizeof(struct tn_connection_table),
  .connect = connect_to,
  .disconnect = disconnect,
  .ping = ping,
  .server_caps = server_caps,
  .server_version = server_version,
  .is_fleeting = sqlite__is_fleeting,
};
