/* One session: how operations begin, end and are canceled, and the calls that
 * are about the session itself. Opening is in conn_open.c, statements are in
 * prepared.c, transactions in conn_txn.c. */
#include "db_priv.h"

#include <time.h>

#include "dialect.h"

/* How long to sleep between two looks at a cancel that is under way. */
static const struct timespec CANCEL_PAUSE = { .tv_nsec = 100000 };

static tn_deadline
deadline_of(const tn_conn *conn, tn_deadline deadline)
{
  if (deadline != 0)
    return deadline;
  if (conn->timeout_ms == 0)
    return TN_DEADLINE_NONE;
  return tn_deadline_after_ms(conn->timeout_ms);
}

static void
init_call(const tn_conn *conn, tn_deadline deadline, struct tn_arena *arena,
          struct tn_host_call *call, tn_err *err)
{
  tn_host_call_init(call, deadline_of(conn, deadline), arena, err);
  call->dialect = &conn->backend->dialect;
  call->backend = conn->backend->plugin.name;
  call->log = conn->has_log ? &conn->log : NULL;
  call->canceled = &conn->canceled;
  call->wait = conn->wait;
  call->wait_user = conn->wait_user;
}

enum tn_code
tn_conn__begin(tn_conn *conn, tn_deadline deadline, struct tn_arena *arena,
               struct tn_host_call *call, tn_err **err)
{
  uint32_t activity = ACTIVITY_IDLE;
  enum tn_code rc;

  /* Until the operation is ours, another thread may use all the rest. */
  if (!atomic_compare_exchange_strong_explicit(
          &conn->activity, &activity, ACTIVITY_RUNNING, memory_order_acquire,
          memory_order_relaxed))
    return tn_err_set(*err, TN_E_STATE,
                      "conn: a result is still open, or another thread is in "
                      "a call; close the result or ask for a buffered one");
  if (*err == NULL)
    *err = &conn->scratch;
  if (conn->is_dead) {
    rc = tn_err_set(*err, TN_E_LOST,
                    "conn: the connection was lost before; close it");
    return tn_conn__end(conn, rc, *err);
  }
  init_call(conn, deadline, arena, call, *err);

  /* A deadline that has passed sends nothing, whatever the backend would do. */
  if (call->call.deadline == TN_DEADLINE_NONE)
    return TN_OK;
  rc = (enum tn_code)call->call.host->check(&call->call);
  return rc == TN_OK ? TN_OK : tn_conn__end(conn, rc, *err);
}

void
tn_conn__note(tn_conn *conn, enum tn_code code, const tn_err *err)
{
  if (code != TN_OK && err != NULL && err->connection == TN_CONNECTION_DEAD)
    conn->is_dead = true;
}

enum tn_code
tn_conn__end(tn_conn *conn, enum tn_code code, const tn_err *err)
{
  uint32_t activity = ACTIVITY_RUNNING;

  tn_conn__note(conn, code, err);
  if (atomic_compare_exchange_strong_explicit(
          &conn->activity, &activity, ACTIVITY_IDLE, memory_order_release,
          memory_order_relaxed))
    return code;

  while (atomic_load_explicit(&conn->activity, memory_order_acquire) ==
         ACTIVITY_CANCELING)
    nanosleep(&CANCEL_PAUSE, NULL);
  atomic_store_explicit(&conn->canceled, 0, memory_order_relaxed);
  atomic_store_explicit(&conn->activity, ACTIVITY_IDLE, memory_order_release);
  return code;
}

void
tn_conn_cancel(tn_conn *conn)
{
  uint32_t activity = ACTIVITY_RUNNING;

  if (!atomic_compare_exchange_strong_explicit(
          &conn->activity, &activity, ACTIVITY_CANCELING, memory_order_acquire,
          memory_order_relaxed))
    return;
  atomic_store_explicit(&conn->canceled, 1, memory_order_relaxed);
  tn_backend_cancel(conn->backend, conn->handle);
  atomic_store_explicit(&conn->activity, ACTIVITY_CANCELED,
                        memory_order_release);
}

void
tn_conn_close(tn_conn **conn)
{
  struct tn_host_call call;
  tn_conn *closing;

  if (conn == NULL || *conn == NULL)
    return;
  closing = *conn;
  *conn = NULL;
  while (closing->statements != NULL)
    tn_prepared__orphan(closing->statements);

  /* Not an operation: a dead session is closed as well, and whatever the time,
   * and nobody can cancel it. */
  init_call(closing, 0, &closing->arena, &call, &closing->scratch);
  tn_backend_disconnect(closing->backend, closing->handle, &call);
  tn_arena_clear(&closing->arena);
  tn_memory_free(closing);
}

uint32_t
tn_conn_verdict(const tn_conn *conn)
{
  if (conn->is_dead)
    return TN_CONNECTION_DEAD;
  if (tn_conn_txn_state(conn) == TN_TXN_ABORTED)
    return TN_CONNECTION_ABORTED;
  return TN_CONNECTION_USABLE;
}

const char *
tn_conn_backend(const tn_conn *conn)
{
  return conn->backend->plugin.name;
}

const char *
tn_conn_server_version(const tn_conn *conn)
{
  return tn_backend_server_version(conn->backend, conn->handle);
}

uint64_t
tn_conn_caps(const tn_conn *conn)
{
  return conn->caps;
}

size_t
tn_conn_quote_name(const tn_conn *conn, const char *name, char *buffer,
                   size_t size)
{
  TN_CLEANUP(tn_strbuf_clear)
  struct tn_strbuf quoted = TN_STRBUF_INIT(SIZE_MAX / 4);

  if (tn_dialect_quote(&conn->backend->dialect, name, strlen(name), &quoted,
                       NULL) != TN_OK)
    return 0;
  if (size > 0) {
    size_t fit = quoted.size < size ? quoted.size : size - 1;

    memcpy(buffer, tn_strbuf_text(&quoted), fit);
    buffer[fit] = '\0';
  }
  return quoted.size;
}

enum tn_code
tn_conn_ping(tn_conn *conn, tn_deadline deadline, tn_err *err)
{
  struct tn_host_call call;
  enum tn_code rc = tn_conn__begin(conn, deadline, NULL, &call, &err);

  if (rc != TN_OK)
    return rc;
  rc = tn_backend_ping(conn->backend, conn->handle, &call);
  return tn_conn__end(conn, rc, err);
}

enum tn_code
tn_conn_reset(tn_conn *conn, tn_err *err)
{
  struct tn_host_call call;
  enum tn_code rc = tn_conn__begin(conn, 0, NULL, &call, &err);

  if (rc != TN_OK)
    return rc;
  rc = tn_backend_reset(conn->backend, conn->handle, &call);
  return tn_conn__end(conn, rc, err);
}

enum tn_code
tn_conn_set_sql_mode(tn_conn *conn, const char *mode, tn_err *err)
{
  struct tn_host_call call;
  enum tn_code rc = tn_conn__begin(conn, 0, NULL, &call, &err);

  if (rc != TN_OK)
    return rc;
  rc = tn_backend_set_sql_mode(conn->backend, conn->handle, mode, &call);
  return tn_conn__end(conn, rc, err);
}

enum tn_code
tn_conn_set_isolation(tn_conn *conn, uint32_t isolation, tn_err *err)
{
  struct tn_host_call call;
  enum tn_code rc = tn_conn__begin(conn, 0, NULL, &call, &err);

  if (rc != TN_OK)
    return rc;
  rc = tn_backend_set_isolation(conn->backend, conn->handle, isolation, &call);
  return tn_conn__end(conn, rc, err);
}

enum tn_code
tn_conn_get_isolation(tn_conn *conn, uint32_t *ret, tn_err *err)
{
  struct tn_host_call call;
  enum tn_code rc = tn_conn__begin(conn, 0, NULL, &call, &err);

  if (rc != TN_OK)
    return rc;
  rc = tn_backend_get_isolation(conn->backend, conn->handle, ret, &call);
  return tn_conn__end(conn, rc, err);
}

enum tn_code
tn_conn_set_access(tn_conn *conn, uint32_t access, tn_err *err)
{
  struct tn_host_call call;
  enum tn_code rc = tn_conn__begin(conn, 0, NULL, &call, &err);

  if (rc != TN_OK)
    return rc;
  rc = tn_backend_set_access(conn->backend, conn->handle, access, &call);
  return tn_conn__end(conn, rc, err);
}
