/* The only calls into a backend.
 *
 * A plug-in is somebody else's code. Here it is held to what it promised: a
 * failure says why, a success brings its output, numbers are of their set.
 * Whatever stands above can then believe what it gets. */
#include "backend.h"

#include <string.h>

#include "option.h"
#include "strbuf.h"
#include "text.h"

/* Longest list of ignored options in a log line. */
#define IGNORED_MAX 512

/* ---- how calls begin and end ---- */

static struct tn_call *
begin_call(const struct tn_backend *backend, struct tn_host_call *call)
{
  call->failed = TN_OK;
  call->of = backend;
  return &call->call;
}

void
tn_backend__name(const struct tn_backend *backend, tn_err *err)
{
  size_t size = strlen(backend->plugin.name);

  if (err != NULL && size < sizeof(err->backend))
    memcpy(err->backend, backend->plugin.name, size + 1);
}

/* The plug-in broke its promise in `slot`. */
static enum tn_code
blame(const struct tn_backend *backend, const char *slot, const char *what,
      struct tn_host_call *call)
{
  tn_err_set(call->err, TN_E_INTERNAL, "%s: fault of the plug-in: %s() %s",
             backend->plugin.name, slot, what);
  tn_backend__name(backend, call->err);
  call->failed = TN_E_INTERNAL;
  return TN_E_INTERNAL;
}

/* The category to pass up: the one the error object has, so that code and
 * explanation never differ. */
static enum tn_code
end_call(const struct tn_backend *backend, const char *slot, int32_t rc,
         struct tn_host_call *call)
{
  if (rc == TN_OK) {
    /* A failure that it got over by itself. */
    if (call->failed != TN_OK)
      tn_err_clear(call->err);
    return TN_OK;
  }
  if (call->failed == TN_OK)
    return blame(backend, slot, "failed without saying why", call);
  return (enum tn_code)call->failed;
}

static enum tn_code
refuse_usage(const struct tn_backend *backend, struct tn_host_call *call,
             const char *what)
{
  tn_err_set(call->err, TN_E_USAGE, "%s: %s", backend->plugin.name, what);
  call->failed = TN_E_USAGE;
  return TN_E_USAGE;
}

void
tn_backend_shutdown(const struct tn_backend *backend)
{
  if (backend != NULL && backend->plugin.shutdown != NULL)
    backend->plugin.shutdown();
}

/* ---- connections ---- */

/* Check the options, copy those that the backend wants to see to `kept`, which
 * has room for all, and name the others in `ignored`. */
static enum tn_code
sort_options(const struct tn_backend *backend,
             const struct tn_connect_args *args, struct tn_strbuf *ignored,
             struct tn_option *kept, uint32_t *ret_count, tn_err *err)
{
  uint32_t count = 0;

  for (uint32_t i = 0; i < args->option_count; i++) {
    const struct tn_option *option = &args->options[i];
    enum tn_code rc = tn_option_check(&backend->plugin, option, err);

    if (rc != TN_OK)
      return rc;
    if ((tn_option_find(&backend->plugin, option->name)->flags &
         TN_OPTION_IGNORED) == 0) {
      kept[count++] = *option;
      continue;
    }
    tn_strbuf_add_text(ignored, ignored->size > 0 ? ", " : "");
    tn_strbuf_add_text(ignored, option->name);
  }
  *ret_count = count;
  return TN_OK;
}

static void
log_ignored(const struct tn_backend *backend, const struct tn_strbuf *ignored,
            const struct tn_host_call *call)
{
  if (ignored->size > 0)
    tn_log_write(call->log, TN_LOG_INFO,
                 "%s: options of another driver are ignored: %s%s",
                 backend->plugin.name, tn_strbuf_text(ignored),
                 ignored->failure != TN_OK ? ", …" : "");
}

static enum tn_code
connect_checked(const struct tn_backend *backend,
                const struct tn_connect_args *args, struct tn_host_call *call,
                void **ret)
{
  void *handle = NULL;
  enum tn_code rc;

  rc = end_call(
      backend, "connect",
      backend->connection.connect(args, begin_call(backend, call), &handle),
      call);
  if (rc != TN_OK)
    return rc;
  if (handle == NULL)
    return blame(backend, "connect", "succeeded without a handle", call);
  *ret = handle;
  return TN_OK;
}

enum tn_code
tn_backend_connect(const struct tn_backend *backend,
                   const struct tn_connect_args *args,
                   struct tn_host_call *call, void **ret)
{
  TN_CLEANUP(tn_strbuf_clear)
  struct tn_strbuf ignored = TN_STRBUF_INIT(IGNORED_MAX);
  struct tn_connect_args checked = *args;
  struct tn_option *kept;
  enum tn_code rc;

  kept = tn_memory_alloc(args->option_count * sizeof(*kept));
  if (kept == NULL) {
    call->failed = TN_E_MEMORY;
    return tn_err_memory(call->err, backend->plugin.name);
  }
  rc = sort_options(backend, args, &ignored, kept, &checked.option_count,
                    call->err);
  if (rc == TN_OK) {
    log_ignored(backend, &ignored, call);
    checked.options = kept;
    rc = connect_checked(backend, &checked, call, ret);
  } else {
    tn_backend__name(backend, call->err);
    call->failed = (int32_t)rc;
  }
  tn_memory_free(kept);
  return rc;
}

enum tn_code
tn_backend_inspect(const struct tn_backend *backend,
                   const struct tn_connect_args *args, bool *ret_is_fleeting,
                   tn_err *err)
{
  TN_CLEANUP(tn_strbuf_clear)
  struct tn_strbuf ignored = TN_STRBUF_INIT(IGNORED_MAX);
  struct tn_connect_args checked = *args;
  struct tn_option *kept =
      tn_memory_alloc(args->option_count * sizeof(*kept) + 1);
  enum tn_code rc;

  if (kept == NULL)
    return tn_err_memory(err, backend->plugin.name);
  checked.options = kept;
  rc = sort_options(backend, args, &ignored, kept, &checked.option_count, err);
  if (rc == TN_OK)
    *ret_is_fleeting = backend->connection.is_fleeting(&checked) != 0;
  else
    tn_backend__name(backend, err);
  tn_memory_free(kept);
  return rc;
}

void
tn_backend_disconnect(const struct tn_backend *backend, void *handle,
                      struct tn_host_call *call)
{
  backend->connection.disconnect(handle, begin_call(backend, call));
}

void
tn_backend_close_result(const struct tn_backend *backend, void *result,
                        struct tn_host_call *call)
{
  backend->result.close(result, begin_call(backend, call));
}

void
tn_backend_close_statement(const struct tn_backend *backend, void *statement,
                           struct tn_host_call *call)
{
  backend->statement.close(statement, begin_call(backend, call));
}

enum tn_code
tn_backend_ping(const struct tn_backend *backend, void *handle,
                struct tn_host_call *call)
{
  return end_call(backend, "ping",
                  backend->connection.ping(handle, begin_call(backend, call)),
                  call);
}

void
tn_backend_cancel(const struct tn_backend *backend, void *handle)
{
  backend->connection.cancel(handle);
}

bool
tn_backend_abandon(const struct tn_backend *backend, void *handle)
{
  return backend->connection.abandon(handle) == TN_OK;
}

int
tn_backend_socket(const struct tn_backend *backend, void *handle)
{
  return backend->connection.socket(handle);
}

uint64_t
tn_backend_caps(const struct tn_backend *backend, void *handle)
{
  return backend->plugin.caps & backend->connection.server_caps(handle);
}

enum tn_code
tn_backend_dialect(const struct tn_backend *backend, void *handle,
                   struct tn_dialect_table *ret, tn_err *err)
{
  const struct tn_dialect_table *own = backend->connection.dialect(handle);
  struct tn_dialect_table dialect = { 0 };
  enum tn_code rc;

  if (own == NULL) {
    *ret = backend->dialect;
    return TN_OK;
  }
  memcpy(&dialect, own,
         own->size < sizeof(dialect) ? own->size : sizeof(dialect));
  dialect.size = sizeof(dialect);
  rc = tn_backend__check_dialect(&dialect, err);
  if (rc == TN_OK && (dialect.placeholder == 0 || dialect.value_types == 0))
    rc = tn_err_set(err, TN_E_PLUGIN,
                    "%s: the session's dialect has no placeholder or no types",
                    backend->plugin.name);
  if (rc != TN_OK)
    return rc;
  tn_backend__fill_dialect(&dialect);
  *ret = dialect;
  return TN_OK;
}

const char *
tn_backend_server_version(const struct tn_backend *backend, void *handle)
{
  const char *version = backend->connection.server_version(handle);

  return version != NULL && *version != '\0' ? version : backend->client;
}

/* ---- statements ---- */

enum tn_code
tn_backend_prepare(const struct tn_backend *backend, void *handle,
                   const char *sql, struct tn_host_call *call, void **ret,
                   struct tn_statement_info *info)
{
  struct tn_statement_info found = {
    .size = sizeof(found),
    .parameter_count = info->parameter_count,
  };
  void *statement = NULL;
  enum tn_code rc;

  rc = end_call(backend, "prepare",
                backend->statement.prepare(handle, sql, strlen(sql),
                                           begin_call(backend, call),
                                           &statement, &found),
                call);
  if (rc != TN_OK)
    return rc;
  if (statement == NULL)
    return blame(backend, "prepare", "succeeded without a statement", call);
  *ret = statement;
  *info = found;
  return TN_OK;
}

/* A call that was stopped begins no other statement, also when closing the last
 * one has taken the time that is meant for that. */
static enum tn_code
refuse_in_grace(const struct tn_backend *backend, struct tn_host_call *call)
{
  tn_err_set(
      call->err, (enum tn_code)call->stopped, "%s: %s", backend->plugin.name,
      call->stopped == TN_E_CANCELED ? "canceled" : "the deadline has passed");
  tn_backend__name(backend, call->err);
  call->failed = call->stopped;
  return (enum tn_code)call->stopped;
}

enum tn_code
tn_backend_execute(const struct tn_backend *backend, void *statement,
                   const tn_value *values, uint32_t count,
                   struct tn_host_call *call, void **ret)
{
  void *result = NULL;
  enum tn_code rc;

  if (call->is_grace)
    return refuse_in_grace(backend, call);
  rc = end_call(backend, "execute",
                backend->statement.execute(statement, values, count,
                                           begin_call(backend, call), &result),
                call);
  if (rc != TN_OK)
    return rc;
  if (result == NULL)
    return blame(backend, "execute", "succeeded without a result", call);
  *ret = result;
  return TN_OK;
}

enum tn_code
tn_backend_execute_batch(const struct tn_backend *backend, void *statement,
                         const struct tn_backend_batch *batch,
                         struct tn_host_call *call, void **ret)
{
  void *result = NULL;
  enum tn_code rc;

  if (call->is_grace)
    return refuse_in_grace(backend, call);
  rc = end_call(backend, "execute_batch",
                backend->statement.execute_batch(
                    statement, batch->values, batch->count, batch->row_count,
                    begin_call(backend, call), &result),
                call);
  if (rc != TN_OK)
    return rc;
  if (result == NULL)
    return blame(backend, "execute_batch", "succeeded without a result", call);
  *ret = result;
  return TN_OK;
}

/* ---- results ---- */

enum tn_code
tn_backend_columns(const struct tn_backend *backend, void *result,
                   struct tn_host_call *call, const struct tn_column **ret,
                   uint32_t *ret_count)
{
  const struct tn_column *columns = NULL;
  uint32_t count = 0;
  enum tn_code rc;

  rc = end_call(backend, "columns",
                backend->result.columns(result, begin_call(backend, call),
                                        &columns, &count),
                call);
  if (rc != TN_OK)
    return rc;
  if (count > 0 && columns == NULL)
    return blame(backend, "columns", "succeeded without columns", call);
  for (uint32_t i = 0; i < count; i++) {
    if (columns[i].name == NULL || columns[i].type_name == NULL)
      return blame(backend, "columns", "left a column without a name", call);
  }
  *ret = columns;
  *ret_count = count;
  return TN_OK;
}

enum tn_code
tn_backend_info(const struct tn_backend *backend, void *result,
                struct tn_result_info *info)
{
  struct tn_result_info found = { .size = sizeof(found) };
  int32_t rc = backend->result.info(result, &found);

  /* It has no call to fail, so there is nothing to say but that. */
  if (rc != TN_OK)
    return rc > 0 && rc < TN_CODE_COUNT ? (enum tn_code)rc : TN_E_INTERNAL;

  /* Field by field: see tn_value_make(). */
  info->size = sizeof(*info);
  info->flags = found.flags & (TN_RESULT_HAS_AFFECTED | TN_RESULT_HAS_KEY);
  info->affected = found.affected;
  info->generated_key = found.generated_key;
  return TN_OK;
}

static enum tn_code
check_cells(const struct tn_backend *backend, void *result,
            const tn_value *cells, struct tn_host_call *call)
{
  const struct tn_column *columns;
  uint32_t count = 0;
  tn_err err;
  char what[sizeof(err.message) + 48];
  enum tn_code rc;

  rc = tn_backend_columns(backend, result, call, &columns, &count);
  for (uint32_t i = 0; rc == TN_OK && i < count; i++) {
    if (tn_value_check(&cells[i], &err) == TN_OK)
      continue;
    snprintf(what, sizeof(what), "wrote a bad cell in column %u: %s",
             (unsigned)i + 1, err.message);
    return blame(backend, "fetch", what, call);
  }
  return rc;
}

/* What a slot returned that answers 1, 0 or a category with its sign changed
 * is none of the first two. */
static enum tn_code
fail_answer(const struct tn_backend *backend, const char *slot, int32_t rc,
            struct tn_host_call *call)
{
  if (rc > 0)
    return blame(backend, slot, "returned a number above 1", call);
  return end_call(backend, slot, rc, call);
}

enum tn_code
tn_backend__judge_row(const struct tn_backend *backend, void *result,
                      const tn_value *cells, struct tn_host_call *call,
                      int32_t answer)
{
  if (answer != 0 && answer != 1)
    return fail_answer(backend, "fetch", answer, call);
  if (answer == 0 || !TN_BACKEND_CHECKS_CELLS)
    return TN_OK;
  return check_cells(backend, result, cells, call) == TN_OK
             ? TN_OK
             : (enum tn_code)call->failed;
}

enum tn_code
tn_backend_next_set(const struct tn_backend *backend, void *result,
                    struct tn_host_call *call, bool *ret_has_set)
{
  int32_t rc = backend->result.next_set(result, begin_call(backend, call));

  if (rc != 0 && rc != 1)
    return fail_answer(backend, "next_set", rc, call);
  *ret_has_set = rc == 1;
  return TN_OK;
}

bool
tn_backend_is_complete(const struct tn_backend *backend, void *result)
{
  return backend->result.is_complete(result) == 1;
}

/* ---- transactions ---- */

enum tn_code
tn_backend_begin(const struct tn_backend *backend, void *handle,
                 const struct tn_txn_request *request,
                 struct tn_host_call *call)
{
  if (request->isolation > TN_ISOLATION_SERIALIZABLE ||
      request->access > TN_ACCESS_READ_ONLY ||
      request->lock_mode > TN_LOCK_EXCLUSIVE ||
      request->flags > (TN_BEGIN_DEFERRABLE | TN_BEGIN_RESOLVABLE))
    return refuse_usage(backend, call,
                        "no such isolation, access, lock mode or flag");
  return end_call(
      backend, "begin",
      backend->txn.begin(handle, request, begin_call(backend, call)), call);
}

enum tn_code
tn_backend_commit(const struct tn_backend *backend, void *handle,
                  struct tn_host_call *call)
{
  return end_call(backend, "commit",
                  backend->txn.commit(handle, begin_call(backend, call)), call);
}

enum tn_code
tn_backend_rollback(const struct tn_backend *backend, void *handle,
                    struct tn_host_call *call)
{
  return end_call(backend, "rollback",
                  backend->txn.rollback(handle, begin_call(backend, call)),
                  call);
}

uint32_t
tn_backend_txn_state(const struct tn_backend *backend, void *handle)
{
  uint32_t state = backend->txn.state(handle);

  /* Of a state that is none only a rollback is sure to be right. */
  return state >= TN_TXN_NONE && state <= TN_TXN_ABORTED ? state
                                                         : TN_TXN_ABORTED;
}

enum tn_code
tn_backend_savepoint(const struct tn_backend *backend, void *handle,
                     enum tn_savepoint_action action, const char *name,
                     struct tn_host_call *call)
{
  struct tn_call *plain = begin_call(backend, call);

  switch (action) {
  case TN_SAVEPOINT_SET:
    return end_call(backend, "savepoint",
                    backend->txn.savepoint(handle, name, plain), call);
  case TN_SAVEPOINT_RELEASE:
    return end_call(backend, "release_savepoint",
                    backend->txn.release_savepoint(handle, name, plain), call);
  case TN_SAVEPOINT_ROLLBACK:
    return end_call(backend, "rollback_savepoint",
                    backend->txn.rollback_savepoint(handle, name, plain), call);
  }
  return refuse_usage(backend, call, "no such action on a savepoint");
}

enum tn_code
tn_backend_global(const struct tn_backend *backend, void *handle,
                  enum tn_global_action action, const char *global_id,
                  struct tn_host_call *call)
{
  struct tn_call *plain = begin_call(backend, call);

  switch (action) {
  case TN_GLOBAL_PREPARE:
    return end_call(backend, "prepare",
                    backend->txn.prepare(handle, global_id, plain), call);
  case TN_GLOBAL_COMMIT:
    return end_call(backend, "commit_prepared",
                    backend->txn.commit_prepared(handle, global_id, plain),
                    call);
  case TN_GLOBAL_ROLLBACK:
    return end_call(backend, "rollback_prepared",
                    backend->txn.rollback_prepared(handle, global_id, plain),
                    call);
  }
  return refuse_usage(backend, call, "no such action on a global id");
}

enum tn_code
tn_backend_list_prepared(const struct tn_backend *backend, void *handle,
                         struct tn_host_call *call, const char *const **ret,
                         uint32_t *ret_count)
{
  *ret_count = 0;
  return end_call(backend, "list_prepared",
                  backend->txn.list_prepared(handle, begin_call(backend, call),
                                             ret, ret_count),
                  call);
}

enum tn_code
tn_backend_identify(const struct tn_backend *backend, void *handle,
                    char id[TN_TXN_ID_SIZE], struct tn_host_call *call)
{
  return end_call(backend, "identify",
                  backend->txn.identify(handle, id, begin_call(backend, call)),
                  call);
}

enum tn_code
tn_backend_outcome(const struct tn_backend *backend, void *handle,
                   const char *id, struct tn_host_call *call, uint32_t *ret)
{
  uint32_t outcome = 0;
  int32_t rc =
      backend->txn.outcome(handle, id, begin_call(backend, call), &outcome);

  /* An answer that is none must not pass for one. */
  *ret = outcome >= TN_OUTCOME_COMMITTED && outcome <= TN_OUTCOME_ROLLED_BACK
             ? outcome
             : TN_OUTCOME_UNKNOWN;
  return end_call(backend, "outcome", rc, call);
}

/* ---- sessions ---- */

enum tn_code
tn_backend_reset(const struct tn_backend *backend, void *handle,
                 struct tn_host_call *call)
{
  return end_call(backend, "reset",
                  backend->session.reset(handle, begin_call(backend, call)),
                  call);
}

enum tn_code
tn_backend_set_sql_mode(const struct tn_backend *backend, void *handle,
                        const char *mode, struct tn_host_call *call)
{
  if (mode == NULL)
    return refuse_usage(backend, call, "the sql-mode is NULL");
  return end_call(
      backend, "set_sql_mode",
      backend->session.set_sql_mode(handle, mode, begin_call(backend, call)),
      call);
}

enum tn_code
tn_backend_set_isolation(const struct tn_backend *backend, void *handle,
                         uint32_t isolation, struct tn_host_call *call)
{
  if (isolation < TN_ISOLATION_READ_UNCOMMITTED ||
      isolation > TN_ISOLATION_SERIALIZABLE)
    return refuse_usage(backend, call, "no such isolation");
  return end_call(backend, "set_isolation",
                  backend->session.set_isolation(handle, isolation,
                                                 begin_call(backend, call)),
                  call);
}

enum tn_code
tn_backend_get_isolation(const struct tn_backend *backend, void *handle,
                         uint32_t *ret, struct tn_host_call *call)
{
  uint32_t isolation = 0;
  enum tn_code rc;

  rc = end_call(backend, "get_isolation",
                backend->session.get_isolation(handle, &isolation,
                                               begin_call(backend, call)),
                call);
  if (rc != TN_OK)
    return rc;
  if (isolation < TN_ISOLATION_READ_UNCOMMITTED ||
      isolation > TN_ISOLATION_SERIALIZABLE)
    return blame(backend, "get_isolation", "told none", call);
  *ret = isolation;
  return TN_OK;
}

enum tn_code
tn_backend_set_access(const struct tn_backend *backend, void *handle,
                      uint32_t access, struct tn_host_call *call)
{
  if (access != TN_ACCESS_READ_WRITE && access != TN_ACCESS_READ_ONLY)
    return refuse_usage(backend, call, "no such access");
  return end_call(
      backend, "set_access",
      backend->session.set_access(handle, access, begin_call(backend, call)),
      call);
}

enum tn_code
tn_backend_get_position(const struct tn_backend *backend, void *handle,
                        char *ret, struct tn_host_call *call)
{
  char position[TN_POSITION_SIZE] = "";
  enum tn_code rc;

  rc = end_call(backend, "get_position",
                backend->session.get_position(handle, position, sizeof position,
                                              begin_call(backend, call)),
                call);
  if (rc != TN_OK)
    return rc;
  if (position[0] == '\0' || memchr(position, '\0', sizeof position) == NULL)
    return blame(backend, "get_position", "told none", call);
  memcpy(ret, position, sizeof position);
  return TN_OK;
}

enum tn_code
tn_backend_wait_position(const struct tn_backend *backend, void *handle,
                         const char *position, tn_deadline until,
                         struct tn_host_call *call, bool *ret)
{
  uint32_t is_reached = 2;
  enum tn_code rc;

  rc = end_call(backend, "wait_position",
                backend->session.wait_position(handle, position, until,
                                               begin_call(backend, call),
                                               &is_reached),
                call);
  if (rc != TN_OK)
    return rc;
  if (is_reached > 1)
    return blame(backend, "wait_position", "did not say whether", call);
  *ret = is_reached == 1;
  return TN_OK;
}

/* ---- bulk loads ---- */

enum tn_code
tn_backend_bulk_open(const struct tn_backend *backend, void *handle,
                     const struct tn_bulk_request *request,
                     struct tn_host_call *call, void **ret)
{
  void *bulk = NULL;
  enum tn_code rc;

  rc = end_call(
      backend, "bulk.open",
      backend->bulk.open(handle, request, begin_call(backend, call), &bulk),
      call);
  if (rc != TN_OK)
    return rc;
  if (bulk == NULL)
    return blame(backend, "bulk.open", "succeeded without a bulk load", call);
  *ret = bulk;
  return TN_OK;
}

enum tn_code
tn_backend_bulk_write(const struct tn_backend *backend, void *bulk,
                      const tn_value *values, uint64_t row_count,
                      struct tn_host_call *call)
{
  return end_call(
      backend, "bulk.write",
      backend->bulk.write(bulk, values, row_count, begin_call(backend, call)),
      call);
}

enum tn_code
tn_backend_bulk_finish(const struct tn_backend *backend, void *bulk,
                       struct tn_host_call *call, uint64_t *ret_rows)
{
  uint64_t rows = UINT64_MAX;
  enum tn_code rc;

  rc = end_call(backend, "bulk.finish",
                backend->bulk.finish(bulk, begin_call(backend, call), &rows),
                call);
  if (rc != TN_OK)
    return rc;
  if (rows == UINT64_MAX)
    return blame(backend, "bulk.finish", "succeeded without a count", call);
  *ret_rows = rows;
  return TN_OK;
}

void
tn_backend_bulk_close(const struct tn_backend *backend, void *bulk,
                      struct tn_host_call *call)
{
  backend->bulk.close(bulk, begin_call(backend, call));
}
