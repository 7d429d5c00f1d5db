/* What the core does where a plug-in leaves an optional slot empty.
 *
 * All defaults stand here, in one place, and are put into the completed copy
 * of the tables; so nobody else tests a slot for NULL, and what a plug-in
 * author reads in tenon/plugin.h ("without it …") can be compared with this. */
#include "backend.h"

#include <string.h>

/* Read the rows of `result` away. */
static enum tn_code
drain(const struct tn_backend *backend, void *result, struct tn_host_call *call)
{
  const struct tn_column *columns;
  tn_value *cells;
  uint32_t count = 0;
  bool has_row = true;
  enum tn_code rc;

  rc = tn_backend_columns(backend, result, call, &columns, &count);
  if (rc != TN_OK || count == 0)
    return rc;
  cells = tn_arena_alloc(call->call.arena, count * sizeof(*cells));
  if (cells == NULL)
    return tn_err_memory(call->err, backend->plugin.name);
  while (rc == TN_OK && has_row)
    rc = tn_backend_fetch(backend, result, cells, call, &has_row);
  return rc;
}

static enum tn_code
run_ping(const struct tn_backend *backend, void *handle,
         struct tn_host_call *call)
{
  const char *sql = call->dialect != NULL ? call->dialect->ping_sql
                                          : backend->dialect.ping_sql;
  struct tn_statement_info info = { .size = sizeof(info) };
  void *statement = NULL;
  void *result = NULL;
  enum tn_code rc;

  rc = tn_backend_prepare(backend, handle, sql, call, &statement, &info);
  if (rc != TN_OK)
    return rc;
  rc = tn_backend_execute(backend, statement, NULL, 0, call, &result);
  if (rc == TN_OK) {
    rc = drain(backend, result, call);
    tn_backend_close_result(backend, result, call);
  }
  tn_backend_close_statement(backend, statement, call);
  return rc;
}

static int32_t
default_ping(void *handle, struct tn_call *call)
{
  struct tn_host_call *host_call = (struct tn_host_call *)(void *)call;
  struct tn_arena *callers = call->arena;
  struct tn_arena arena;
  enum tn_code rc;

  tn_arena_init(&arena);
  call->arena = &arena;
  rc = run_ping(host_call->of, handle, host_call);
  call->arena = callers;
  tn_arena_clear(&arena);
  host_call->failed = (int32_t)rc;
  return (int32_t)rc;
}

static void
default_cancel(void *handle)
{
  (void)handle;
}

/* All: tn_backend_caps() takes only what the descriptor has as well. */
static uint64_t
default_server_caps(void *handle)
{
  (void)handle;
  return UINT64_MAX;
}

/* tn_backend_server_version() shows the client library instead. */
static const char *
default_server_version(void *handle)
{
  (void)handle;
  return NULL;
}

static int32_t
default_is_fleeting(const struct tn_connect_args *args)
{
  (void)args;
  return 0;
}

static int32_t
default_socket(void *handle)
{
  (void)handle;
  return -1;
}

static const struct tn_dialect_table *
default_dialect(void *handle)
{
  (void)handle;
  return NULL;
}

static int32_t
default_abandon(void *handle)
{
  (void)handle;
  return TN_E_UNSUPPORTED;
}

static int32_t
unsupported(struct tn_call *call, const char *what)
{
  return tn_fail(call, TN_E_UNSUPPORTED, "%s: %s",
                 ((struct tn_host_call *)(void *)call)->of->plugin.name, what);
}

/* Nobody gets here who looks at has_batch, has_bulk first. */
static int32_t
default_execute_batch(void *statement, const tn_value *values, uint32_t count,
                      uint64_t rows, struct tn_call *call, void **ret)
{
  (void)statement;
  (void)values;
  (void)count;
  (void)rows;
  (void)ret;
  return unsupported(call, "this backend has no batches of its own");
}

static int32_t
default_next_set(void *result, struct tn_call *call)
{
  (void)result;
  (void)call;
  return 0;
}

static int32_t
default_is_complete(void *result)
{
  (void)result;
  return 0;
}

static int32_t
default_info(void *result, struct tn_result_info *info)
{
  (void)result;
  info->flags = 0;
  return TN_OK;
}

static int32_t
default_begin(void *handle, const struct tn_txn_request *request,
              struct tn_call *call)
{
  (void)handle;
  (void)request;
  return unsupported(call, "this backend has no transactions");
}

static int32_t
default_end(void *handle, struct tn_call *call)
{
  (void)handle;
  return unsupported(call, "this backend has no transactions");
}

static uint32_t
default_state(void *handle)
{
  (void)handle;
  return TN_TXN_NONE;
}

static int32_t
default_savepoint(void *handle, const char *name, struct tn_call *call)
{
  (void)handle;
  (void)name;
  return unsupported(call, "this backend has no savepoints");
}

static int32_t
default_global(void *handle, const char *global_id, struct tn_call *call)
{
  (void)handle;
  (void)global_id;
  return unsupported(call, "this backend has no two-phase commit");
}

static int32_t
default_list_prepared(void *handle, struct tn_call *call,
                      const char *const **ret, uint32_t *ret_count)
{
  (void)handle;
  (void)ret;
  (void)ret_count;
  return unsupported(call, "this backend has no two-phase commit");
}

static int32_t
default_identify(void *handle, char id[TN_TXN_ID_SIZE], struct tn_call *call)
{
  (void)handle;
  (void)id;
  return unsupported(call, "this backend cannot tell what became of a commit");
}

static int32_t
default_outcome(void *handle, const char *id, struct tn_call *call,
                uint32_t *ret)
{
  (void)handle;
  (void)id;
  (void)ret;
  return unsupported(call, "this backend cannot tell what became of a commit");
}

static int32_t
default_reset(void *handle, struct tn_call *call)
{
  (void)handle;
  return unsupported(call, "this backend cannot reset a session");
}

static int32_t
default_set_sql_mode(void *handle, const char *mode, struct tn_call *call)
{
  (void)handle;

  /* None is what it has anyway. */
  if (*mode == '\0')
    return TN_OK;
  return unsupported(call, "this backend has no sql modes");
}

static int32_t
default_set_isolation(void *handle, uint32_t isolation, struct tn_call *call)
{
  (void)handle;
  (void)isolation;
  return unsupported(call, "this backend cannot set a session's isolation");
}

static int32_t
default_get_isolation(void *handle, uint32_t *ret, struct tn_call *call)
{
  (void)handle;
  (void)ret;
  return unsupported(call, "this backend cannot tell a session's isolation");
}

static int32_t
default_set_access(void *handle, uint32_t access, struct tn_call *call)
{
  (void)handle;
  (void)access;
  return unsupported(call, "this backend cannot set a session's access");
}

static int32_t
default_get_position(void *handle, char *ret, uint32_t size,
                     struct tn_call *call)
{
  (void)handle;
  (void)ret;
  (void)size;
  return unsupported(call, "this backend keeps no history of commits");
}

static int32_t
default_wait_position(void *handle, const char *position, int64_t until,
                      struct tn_call *call, uint32_t *ret)
{
  (void)handle;
  (void)position;
  (void)until;
  (void)ret;
  return unsupported(call, "this backend keeps no history of commits");
}

static int32_t
default_bulk_open(void *handle, const struct tn_bulk_request *request,
                  struct tn_call *call, void **ret)
{
  (void)handle;
  (void)request;
  (void)ret;
  return unsupported(call, "this backend has no bulk loads of its own");
}

static int32_t
default_bulk_write(void *bulk, const tn_value *values, uint64_t rows,
                   struct tn_call *call)
{
  (void)bulk;
  (void)values;
  (void)rows;
  return unsupported(call, "this backend has no bulk loads of its own");
}

static int32_t
default_bulk_finish(void *bulk, struct tn_call *call, uint64_t *ret_rows)
{
  (void)bulk;
  (void)ret_rows;
  return unsupported(call, "this backend has no bulk loads of its own");
}

static void
default_bulk_close(void *bulk, struct tn_call *call)
{
  (void)bulk;
  (void)call;
}

#define FILL(slot, initial)                                                    \
  do {                                                                         \
    if ((slot) == 0)                                                           \
      (slot) = (initial);                                                      \
  } while (0)

static void
fill_connection(struct tn_backend *backend)
{
  FILL(backend->connection.ping, default_ping);
  FILL(backend->connection.cancel, default_cancel);
  FILL(backend->connection.server_caps, default_server_caps);
  FILL(backend->connection.server_version, default_server_version);
  FILL(backend->connection.abandon, default_abandon);
  FILL(backend->connection.is_fleeting, default_is_fleeting);
  FILL(backend->connection.socket, default_socket);
  FILL(backend->connection.dialect, default_dialect);
}

static void
fill_statement(struct tn_backend *backend)
{
  FILL(backend->statement.execute_batch, default_execute_batch);
  FILL(backend->result.info, default_info);
  FILL(backend->result.next_set, default_next_set);
  FILL(backend->result.is_complete, default_is_complete);
  FILL(backend->bulk.open, default_bulk_open);
  FILL(backend->bulk.write, default_bulk_write);
  FILL(backend->bulk.finish, default_bulk_finish);
  FILL(backend->bulk.close, default_bulk_close);
}

void
tn_backend__fill_dialect(struct tn_dialect_table *dialect)
{
  FILL(dialect->max_parameters, 65535);
  FILL(dialect->max_identifier_bytes, UINT32_MAX);
  FILL(dialect->max_value_bytes, UINT64_MAX);
  FILL(dialect->max_statement_bytes, UINT64_MAX);
  FILL(dialect->quote_open, '"');
  FILL(dialect->quote_close, '"');
  FILL(dialect->ping_sql, "SELECT 1");
  FILL(dialect->bulk_rows, 1);
}

static void
fill_session(struct tn_backend *backend)
{
  FILL(backend->txn.begin, default_begin);
  FILL(backend->txn.commit, default_end);
  FILL(backend->txn.rollback, default_end);
  FILL(backend->txn.state, default_state);
  FILL(backend->txn.savepoint, default_savepoint);
  FILL(backend->txn.release_savepoint, default_savepoint);
  FILL(backend->txn.rollback_savepoint, default_savepoint);
  FILL(backend->txn.prepare, default_global);
  FILL(backend->txn.commit_prepared, default_global);
  FILL(backend->txn.rollback_prepared, default_global);
  FILL(backend->txn.list_prepared, default_list_prepared);
  FILL(backend->txn.identify, default_identify);
  FILL(backend->txn.outcome, default_outcome);
  FILL(backend->session.reset, default_reset);
  FILL(backend->session.set_sql_mode, default_set_sql_mode);
  FILL(backend->session.set_isolation, default_set_isolation);
  FILL(backend->session.get_isolation, default_get_isolation);
  FILL(backend->session.set_access, default_set_access);
  FILL(backend->session.get_position, default_get_position);
  FILL(backend->session.wait_position, default_wait_position);
}

void
tn_backend__fill(struct tn_backend *backend)
{
  fill_connection(backend);
  fill_statement(backend);
  tn_backend__fill_dialect(&backend->dialect);
  fill_session(backend);
}
