/* The calls that are about a session itself. Opening is in conn_open.c,
 * statements are in prepared.c, transactions in conn_txn.c; how operations
 * begin and end is in operation.c. */
#include "db_priv.h"

#include <tenon/pool.h>

#include "dialect.h"

void
tn_conn__stop_rows(tn_conn *conn, tn_deadline deadline)
{
  tn_prepared *prepared;

  if (conn->bulk != NULL)
    tn_bulk__orphan(conn->bulk);
  for (prepared = conn->statements; prepared != NULL; prepared = prepared->next)
    if (prepared->result.is_running)
      tn_result__stop(&prepared->result, deadline);
}

/* Not every backend can let go of a statement while another's rows come. */
void
tn_conn__close_all(tn_conn *conn, tn_deadline deadline)
{
  tn_prepared *prepared;
  tn_prepared *next;

  tn_conn__stop_rows(conn, deadline);
  for (prepared = conn->statements; prepared != NULL; prepared = next) {
    next = prepared->next;
    if (tn_cache__is_idle(prepared))
      continue;
    tn_cache__forget(&conn->cache, prepared);
    tn_prepared__orphan(prepared, deadline);
  }
}

bool
tn_conn__may_close(tn_conn *conn)
{
  if (!tn_conn__is_inherited(conn))
    return true;
  if (!conn->is_severed)
    conn->is_severed = tn_backend_abandon(conn->backend, conn->handle);
  return conn->is_severed;
}

void
tn_conn__collect(tn_conn *conn, _Atomic uint64_t totals[CONN_COUNT_COUNT])
{
  const struct tn_cache_stats *now = &conn->cache.stats;
  uint64_t *counts = conn->counts;
  int i;

  counts[CONN_CACHE_HITS] = now->hits - conn->collected.hits;
  counts[CONN_CACHE_MISSES] = now->misses - conn->collected.misses;
  counts[CONN_CACHE_EVICTED] = now->evicted - conn->collected.evicted;
  conn->collected = *now;
  for (i = 0; i < CONN_COUNT_COUNT; i++)
    if (counts[i] != 0)
      atomic_fetch_add_explicit(&totals[i], counts[i], memory_order_relaxed);
  memset(counts, 0, sizeof conn->counts);
}

void
tn_conn__touch(tn_conn *conn)
{
  conn->is_touched = true;
}

void
tn_conn_set_deadline(tn_conn *conn, tn_deadline deadline)
{
  conn->deadline = deadline;
  conn->is_used = true; /* its pool has something to bring in order */
}

void
tn_conn__refuse_to_go(const tn_conn *conn)
{
  if (conn->has_log)
    tn_log_write(&conn->log, TN_LOG_ERROR,
                 "conn: a listener cannot give back or close the connection "
                 "that it is told of, nor end its scope; it stays as it is");
}

void
tn_conn_close(tn_conn **conn)
{
  struct tn_host_call call;
  tn_deadline deadline;
  tn_conn *closing;

  if (conn == NULL || *conn == NULL)
    return;
  if ((*conn)->told > 0) {
    tn_conn__refuse_to_go(*conn);
    return;
  }
  if ((*conn)->slot != NULL) {
    tn_pool_discard(conn);
    return;
  }
  closing = *conn;
  *conn = NULL;
  tn_cache__empty(&closing->cache);
  deadline = tn_deadline_after_ms(TN_CONN_CLOSE_MS);
  tn_conn__close_all(closing, deadline);

  /* Not an operation: a dead session is closed as well, and whatever the time,
   * and nobody can cancel it. */
  tn_conn__closing(closing, &call);
  call.call.deadline = deadline;
  tn_backend_disconnect(closing->backend, closing->handle, &call);
  tn_conn__free(closing);
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

void
tn_conn_cache_stats(const tn_conn *conn, struct tn_cache_stats *ret)
{
  *ret = conn->cache.stats;
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

  if (tn_dialect_quote(&conn->dialect, name, strlen(name), &quoted, NULL) !=
      TN_OK)
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
tn_conn__reset(tn_conn *conn, tn_deadline deadline, tn_err *err)
{
  struct tn_host_call call;
  enum tn_code rc = tn_conn__begin(conn, deadline, NULL, &call, &err);

  if (rc != TN_OK)
    return rc;
  tn_cache__empty(&conn->cache);
  rc = tn_backend_reset(conn->backend, conn->handle, &call);
  conn->is_touched = conn->is_touched && rc != TN_OK;
  return tn_conn__end(conn, rc, err);
}

enum tn_code
tn_conn_reset(tn_conn *conn, tn_err *err)
{
  return tn_conn__reset(conn, 0, err);
}

enum tn_code
tn_conn_set_sql_mode(tn_conn *conn, const char *mode, tn_err *err)
{
  struct tn_host_call call;
  enum tn_code rc = tn_conn__begin(conn, 0, NULL, &call, &err);

  if (rc != TN_OK)
    return rc;
  tn_conn__touch(conn);
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
  tn_conn__touch(conn);
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
  tn_conn__touch(conn);
  rc = tn_backend_set_access(conn->backend, conn->handle, access, &call);
  return tn_conn__end(conn, rc, err);
}
