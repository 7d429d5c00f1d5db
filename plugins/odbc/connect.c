/* Sessions: opening, asking what the server is, closing. */
#include "odbc_priv.h"

#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>

#define NS_PER_S INT64_C(1000000000)

/* ---- opening ---- */

/* Held by a login of ODBC__LOCALE. */
static pthread_mutex_t locale_lock = PTHREAD_MUTEX_INITIALIZER;

/* False: time is over, and nobody waits for the login any more. */
static bool
lock_locale(const struct odbc__conn *conn)
{
  const struct timespec end = { .tv_sec = conn->login_end / NS_PER_S,
                                .tv_nsec = conn->login_end % NS_PER_S };

  return pthread_mutex_clocklock(&locale_lock, CLOCK_MONOTONIC, &end) == 0;
}

/* In the thread. */
static SQLRETURN
run_connect(void *user)
{
  struct odbc__conn *conn = user;
  bool is_alone = (conn->family->flags & ODBC__LOCALE) != 0;
  SQLWCHAR out[2];
  SQLSMALLINT out_units;
  SQLRETURN rc;

  if (is_alone && !lock_locale(conn))
    return SQL_ERROR;
  rc = SQLDriverConnectW(conn->dbc, NULL, conn->text, SQL_NTS, out, 0,
                         &out_units, SQL_DRIVER_NOPROMPT);
  if (is_alone)
    pthread_mutex_unlock(&locale_lock);
  conn->is_connected = SQL_SUCCEEDED(rc);
  return rc;
}

static int32_t
make_handles(struct odbc__conn *conn, struct tn_call *call)
{
  conn->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (conn->done_fd < 0)
    return tn_fail(call, TN_E_LIMIT, "odbc: no descriptor to be had");
  if (!SQL_SUCCEEDED(
          SQLAllocHandle(SQL_HANDLE_ENV, SQL_NULL_HANDLE, &conn->env)))
    return odbc__fail_memory(call);
  SQLSetEnvAttr(conn->env, SQL_ATTR_ODBC_VERSION, (SQLPOINTER)SQL_OV_ODBC3, 0);
  if (!SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_DBC, conn->env, &conn->dbc)))
    return odbc__fail_memory(call);
  return TN_OK;
}

/* So that a thread that was left is not left for ever. */
static void
limit_login(struct odbc__conn *conn, const struct tn_call *call)
{
  int64_t left = call->deadline - conn->host->now();
  uintptr_t seconds = (uintptr_t)(left / NS_PER_S) + 1;

  conn->login_end = call->deadline;
  if (call->deadline != INT64_MAX && left > 0)
    SQLSetConnectAttr(conn->dbc, SQL_ATTR_LOGIN_TIMEOUT, (SQLPOINTER)seconds,
                      SQL_IS_UINTEGER);
}

static int32_t
log_in(struct odbc__conn *conn, const struct tn_connect_args *args,
       struct tn_call *call)
{
  char *text = NULL;
  SQLRETURN status = SQL_ERROR;
  int32_t rc = odbc__connection_string(args, conn, call, &text);

  if (rc != TN_OK)
    return rc;
  conn->text = odbc__to_wide(conn->host, text, strlen(text), &conn->text_units);
  explicit_bzero(text, strlen(text));
  conn->host->release(text);
  if (conn->text == NULL)
    return odbc__fail_memory(call);
  limit_login(conn, call);
  rc = odbc__run(conn, call, run_connect, conn, SQL_NULL_HSTMT, &status);
  if (rc != TN_OK)
    return rc;
  explicit_bzero(conn->text, conn->text_units * sizeof *conn->text);
  if (conn->is_connected)
    return TN_OK;

  /* One that waited for the lock in vain has no diagnosis. */
  rc = conn->host->check(call);
  return rc == TN_OK ? odbc__fail(conn, call, SQL_HANDLE_DBC, conn->dbc) : rc;
}

/* ---- what it is ---- */

static void
read_info(struct odbc__conn *conn, SQLUSMALLINT which, char *ret, size_t size)
{
  SQLWCHAR text[128] = { 0 };
  SQLSMALLINT bytes = 0;
  size_t units = 0;
  char utf8[sizeof text / sizeof text[0] * 3 + 1];
  size_t fit;

  SQLGetInfoW(conn->dbc, which, text, sizeof text - sizeof text[0], &bytes);
  while (units < sizeof text / sizeof text[0] - 1 && text[units] != 0)
    units++;
  fit = odbc__to_utf8(text, units, utf8);
  if (fit >= size)
    fit = size - 1;
  memcpy(ret, utf8, fit);
  ret[fit] = '\0';
}

static SQLRETURN
run_identify(void *user)
{
  struct odbc__conn *conn = user;
  char name[64];
  char version[48];
  char driver[48];

  read_info(conn, SQL_DBMS_NAME, name, sizeof name);
  read_info(conn, SQL_DBMS_VER, version, sizeof version);
  read_info(conn, SQL_DRIVER_NAME, driver, sizeof driver);
  snprintf(conn->version, sizeof conn->version, "%s %s by %s", name, version,
           driver);
  conn->family = odbc__family_of_dbms(name);
  if ((conn->family->flags & ODBC__CANCEL_FREES) == 0)
    return SQL_SUCCESS;
  return SQLAllocHandle(SQL_HANDLE_STMT, conn->dbc, &conn->idle);
}

static int32_t
open_session(struct odbc__conn *conn, const struct tn_connect_args *args,
             struct tn_call *call)
{
  SQLRETURN status;
  int32_t rc = make_handles(conn, call);

  if (rc == TN_OK)
    rc = log_in(conn, args, call);
  if (rc == TN_OK)
    rc = odbc__run(conn, call, run_identify, conn, SQL_NULL_HSTMT, &status);
  if (rc == TN_OK && !SQL_SUCCEEDED(status))
    rc = odbc__fail(conn, call, SQL_HANDLE_DBC, conn->dbc);
  if (rc == TN_OK && conn->family->setup != NULL)
    rc = odbc__exec(conn, conn->family->setup, call);
  return rc;
}

static int32_t
odbc_connect(const struct tn_connect_args *args, struct tn_call *call,
             void **ret)
{
  struct odbc__conn *conn = call->host->alloc(sizeof *conn);
  int32_t rc;

  if (conn == NULL)
    return odbc__fail_memory(call);
  memset(conn, 0, sizeof *conn);
  conn->host = call->host;
  conn->family = odbc__family_of_driver("");
  conn->access = TN_ACCESS_READ_WRITE;
  conn->done_fd = -1;
  atomic_init(&conn->refs, 1);
  rc = open_session(conn, args, call);
  if (rc != TN_OK) {
    odbc__conn_drop(conn);
    return rc;
  }
  *ret = conn;
  return TN_OK;
}

/* ---- closing ---- */

static SQLRETURN
run_disconnect(void *user)
{
  struct odbc__conn *conn = user;
  SQLRETURN rc;

  if (conn->in_txn)
    SQLEndTran(SQL_HANDLE_DBC, conn->dbc, SQL_ROLLBACK);
  if (conn->idle != SQL_NULL_HSTMT)
    SQLFreeHandle(SQL_HANDLE_STMT, conn->idle);
  conn->idle = SQL_NULL_HSTMT;
  rc = SQLDisconnect(conn->dbc);
  if (SQL_SUCCEEDED(rc))
    conn->is_connected = false;
  return rc;
}

static void
odbc_disconnect(void *handle, struct tn_call *call)
{
  struct odbc__conn *conn = handle;
  SQLRETURN ignored;

  /* A dead one is disconnected by the thread that is at work with it. */
  if (!conn->is_dead)
    (void)odbc__run(conn, call, run_disconnect, conn, SQL_NULL_HSTMT, &ignored);
  odbc__conn_drop(conn);
}

static uint64_t
server_caps(void *handle)
{
  const struct odbc__conn *conn = handle;

  return conn->family->caps;
}

static const struct tn_dialect_table *
dialect_of(void *handle)
{
  const struct odbc__conn *conn = handle;

  return conn->family->dialect;
}

static const char *
server_version(void *handle)
{
  const struct odbc__conn *conn = handle;

  return conn->version;
}

static int32_t
is_fleeting(const struct tn_connect_args *args)
{
  const char *driver = tn_connect_option(args, "driver");
  char folded[128];

  if (driver == NULL)
    driver = args->driver != NULL ? args->driver : "";
  odbc__fold(driver, folded, sizeof folded);
  return strncmp(folded, "sqlite", 6) == 0 &&
         (args->database == NULL || args->database[0] == '\0' ||
          strcmp(args->database, ":memory:") == 0);
}

const struct tn_connection_table odbc__connection_table = {
  .size = sizeof(struct tn_connection_table),
  .connect = odbc_connect,
  .disconnect = odbc_disconnect,
  .server_caps = server_caps,
  .server_version = server_version,
  .is_fleeting = is_fleeting,
  .dialect = dialect_of,
};
