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

#define TYPE_BIT(type) (UINT32_C(1) << (type))

/* Types of which every bit pattern is a value. */
static const uint32_t plain_types = TYPE_BIT(TN_NULL) | TYPE_BIT(TN_INT64) |
                                    TYPE_BIT(TN_UINT64) | TYPE_BIT(TN_DOUBLE);

/* Types that are made of bytes. */
static const uint32_t bytes_types = TYPE_BIT(TN_DECIMAL) | TYPE_BIT(TN_TEXT) |
                                    TYPE_BIT(TN_BLOB) | TYPE_BIT(TN_JSON) |
                                    TYPE_BIT(TN_OTHER);

/* ---- how calls begin and end ---- */

static struct tn_call *
begin_call(const struct tn_backend *backend, struct tn_host_call *call)
{
  call->failed = TN_OK;
  call->of = backend;
  return &call->call;
}

static void
name_backend(const struct tn_backend *backend, tn_err *err)
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
  name_backend(backend, call->err);
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
    name_backend(backend, call->err);
    call->failed = (int32_t)rc;
  }
  tn_memory_free(kept);
  return rc;
}

void
tn_backend_disconnect(const struct tn_backend *backend, void *handle,
                      struct tn_host_call *call)
{
  backend->connection.disconnect(handle, begin_call(backend, call));
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

uint64_t
tn_backend_caps(const struct tn_backend *backend, void *handle)
{
  return backend->plugin.caps & backend->connection.server_caps(handle);
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
  struct tn_statement_info found = { .size = sizeof(found) };
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

enum tn_code
tn_backend_execute(const struct tn_backend *backend, void *statement,
                   const tn_value *values, uint32_t count,
                   struct tn_host_call *call, void **ret)
{
  void *result = NULL;
  enum tn_code rc;

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

#ifndef NDEBUG
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
#endif

/* What fetch() returned is neither a row nor the end. */
static enum tn_code
fail_fetch(const struct tn_backend *backend, int32_t rc,
           struct tn_host_call *call)
{
  if (rc > 0)
    return blame(backend, "fetch", "returned a number above 1", call);
  return end_call(backend, "fetch", rc, call);
}

enum tn_code
tn_backend_fetch(const struct tn_backend *backend, void *result,
                 tn_value *cells, struct tn_host_call *call, bool *ret_has_row)
{
  int32_t rc = backend->result.fetch(result, cells, begin_call(backend, call));

  if (rc != 0 && rc != 1)
    return fail_fetch(backend, rc, call);
#ifndef NDEBUG
  if (rc == 1 && check_cells(backend, result, cells, call) != TN_OK)
    return (enum tn_code)call->failed;
#endif
  *ret_has_row = rc == 1;
  return TN_OK;
}

/* ---- values ---- */

static enum tn_code
refuse_value(size_t index, tn_err *err)
{
  char message[sizeof(err->message)];

  if (err == NULL)
    return TN_OK;
  memcpy(message, err->message, sizeof(message));
  tn_err_set(err, (enum tn_code)err->code, "parameter %zu: %s", index + 1,
             message);
  err->parameter = index < INT32_MAX ? (int32_t)index + 1 : 0;
  return (enum tn_code)err->code;
}

/* The usual values, of which nothing has to be said. */
static inline bool
is_plain(const struct tn_backend *backend, const tn_value *value)
{
  uint32_t bit = value->type < 32 ? TYPE_BIT(value->type) : 0;

  if ((bit & backend->dialect.value_types) == 0)
    return false;
  if ((bit & plain_types) != 0)
    return true;
  return value->type == TN_TEXT && value->as.bytes.data != NULL &&
         value->as.bytes.size <= backend->dialect.max_value_bytes &&
         tn_text_is_utf8(value->as.bytes.data, value->as.bytes.size, NULL);
}

/* A value that may have to be refused. */
static enum tn_code
check_value(const struct tn_backend *backend, const tn_value *value,
            tn_err *err)
{
  const char *name = backend->plugin.name;
  enum tn_code rc = tn_value_check(value, err);

  if (rc != TN_OK)
    return rc;
  if ((backend->dialect.value_types & TYPE_BIT(value->type)) == 0)
    return tn_err_set(err, TN_E_UNSUPPORTED, "%s takes no value of type %s",
                      name, tn_type_name(value->type));
  if ((TYPE_BIT(value->type) & bytes_types) != 0 &&
      value->as.bytes.size > backend->dialect.max_value_bytes)
    return tn_err_set(err, TN_E_LIMIT, "%zu bytes; %s takes %llu",
                      value->as.bytes.size, name,
                      (unsigned long long)backend->dialect.max_value_bytes);
  return TN_OK;
}

enum tn_code
tn_backend_check_values(const struct tn_backend *backend,
                        const tn_value *values, size_t count, tn_err *err)
{
  if (count > backend->dialect.max_parameters) {
    tn_err_set(err, TN_E_LIMIT, "%zu parameters; %s takes %u", count,
               backend->plugin.name, (unsigned)backend->dialect.max_parameters);
    name_backend(backend, err);
    return TN_E_LIMIT;
  }
  for (size_t i = 0; i < count; i++) {
    enum tn_code rc;

    if (is_plain(backend, &values[i]))
      continue;
    rc = check_value(backend, &values[i], err);
    if (rc == TN_OK)
      continue;
    refuse_value(i, err);
    name_backend(backend, err);
    return rc;
  }
  return TN_OK;
}

/* ---- transactions ---- */

enum tn_code
tn_backend_begin(const struct tn_backend *backend, void *handle,
                 const struct tn_txn_request *request,
                 struct tn_host_call *call)
{
  if (request->isolation > TN_ISOLATION_SERIALIZABLE ||
      request->access > TN_ACCESS_READ_ONLY ||
      request->lock_mode > TN_LOCK_EXCLUSIVE)
    return refuse_usage(backend, call,
                        "no such isolation, access or lock mode");
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
