/* A loaded backend: the completed copy of its tables, and the only calls into
 * it.
 *
 * Authors fill in tables with optional slots (tenon/plugin.h). tn_backend_new()
 * copies at most their own size, checks the required slots, naming each one
 * that is missing, and fills in the rest. The functions here call without NULL
 * tests, and catch a plug-in that breaks its promises. */
#ifndef TENON_BACKEND_H
#define TENON_BACKEND_H

#include "host.h"
#include "override.h"

struct tn_backend {
  struct tn_plugin plugin;
  struct tn_connection_table connection;
  struct tn_statement_table statement;
  struct tn_result_table result;
  struct tn_dialect_table dialect; /* defaults filled in */
  struct tn_txn_table txn;
  struct tn_session_table session;
  struct tn_bulk_table bulk;
  struct tn_option_row *rows; /* plugin.options, where the core adds some */
  bool has_batch; /* its own execute_batch; else execute() for each row */
  bool has_bulk;  /* its own table bulk; else INSERT … VALUES */
  struct tn_overrides overrides; /* of the administrator; borrowed */
  char *path;                    /* of the shared object */
  char *client_version;          /* of the client library that is loaded */
  char *client;                  /* its name and version */
};

/* Check a descriptor and complete its tables. `plugin` stays borrowed, as do
 * its texts (a plug-in is never unloaded); `path` is copied. Texts that may be
 * left out become "", limits that are 0 the largest number there is.
 * Fails: TN_E_PLUGIN, the message being the reason alone, to stand behind the
 * path; TN_E_MEMORY. */
enum tn_code tn_backend_new(const struct tn_plugin *plugin, const char *path,
                            struct tn_backend **ret, tn_err *err);
void tn_backend_free(struct tn_backend **backend);

/* Put the default into every optional slot that is empty
 * (backend_default.c). */
void tn_backend__fill(struct tn_backend *backend);
void tn_backend__fill_dialect(struct tn_dialect_table *dialect);

/* Is a dialect well-formed? Fails: TN_E_PLUGIN. (backend_new.c) */
enum tn_code tn_backend__check_dialect(const struct tn_dialect_table *dialect,
                                       tn_err *err);

/* Note in `err`, which may be NULL, whose error it is. */
void tn_backend__name(const struct tn_backend *backend, tn_err *err);

/* Tell the plug-in that its registry goes away; NULL is a no-op. */
void tn_backend_shutdown(const struct tn_backend *backend);

/* Every function here makes one call into the plug-in; `call` is prepared by
 * the caller. A failure without an error set becomes TN_E_INTERNAL, naming
 * plug-in and slot, as does success without its output. */

/* Options are checked against the descriptor's rows first: TN_E_CONFIG with
 * the nearest name, or with the range. */
enum tn_code tn_backend_connect(const struct tn_backend *backend,
                                const struct tn_connect_args *args,
                                struct tn_host_call *call, void **ret);

/* Check the options likewise, without connecting, and tell whether the database
 * would end with the session. */
enum tn_code tn_backend_inspect(const struct tn_backend *backend,
                                const struct tn_connect_args *args,
                                bool *ret_is_fleeting, tn_err *err);
void tn_backend_disconnect(const struct tn_backend *backend, void *handle,
                           struct tn_host_call *call);
enum tn_code tn_backend_ping(const struct tn_backend *backend, void *handle,
                             struct tn_host_call *call);
void tn_backend_cancel(const struct tn_backend *backend, void *handle);
bool tn_backend_abandon(const struct tn_backend *backend, void *handle);
int tn_backend_socket(const struct tn_backend *backend, void *handle);
uint64_t tn_backend_caps(const struct tn_backend *backend, void *handle);

/* The dialect of a session, complete: its own, or the backend's.
 * Fails: TN_E_PLUGIN, it is not well-formed; output untouched. */
enum tn_code tn_backend_dialect(const struct tn_backend *backend, void *handle,
                                struct tn_dialect_table *ret, tn_err *err);
const char *tn_backend_server_version(const struct tn_backend *backend,
                                      void *handle);

/* `sql` ends with a NUL and has none inside. */
enum tn_code tn_backend_prepare(const struct tn_backend *backend, void *handle,
                                const char *sql, struct tn_host_call *call,
                                void **ret, struct tn_statement_info *info);

/* Neither this nor a batch is begun in a call that was stopped, after grace().
 */
enum tn_code tn_backend_execute(const struct tn_backend *backend,
                                void *statement, const tn_value *values,
                                uint32_t count, struct tn_host_call *call,
                                void **ret);

/* The rows of a batch: row_count times `count` values, one after another. */
struct tn_backend_batch {
  const tn_value *values;
  uint32_t count;
  uint64_t row_count;
};

/* Of a backend that has_batch; others refuse. The values are borrowed until
 * the result is closed. */
enum tn_code tn_backend_execute_batch(const struct tn_backend *backend,
                                      void *statement,
                                      const struct tn_backend_batch *batch,
                                      struct tn_host_call *call, void **ret);
enum tn_code tn_backend_columns(const struct tn_backend *backend, void *result,
                                struct tn_host_call *call,
                                const struct tn_column **ret,
                                uint32_t *ret_count);

/* What these say of the session is in `call->err`, if anything. */
void tn_backend_close_result(const struct tn_backend *backend, void *result,
                             struct tn_host_call *call);
void tn_backend_close_statement(const struct tn_backend *backend,
                                void *statement, struct tn_host_call *call);
enum tn_code tn_backend_info(const struct tn_backend *backend, void *result,
                             struct tn_result_info *info);

/* What fetch() has returned, where there is more to it than a row or none: it
 * has failed, or its cells are to be checked. */
enum tn_code tn_backend__judge_row(const struct tn_backend *backend,
                                   void *result, const tn_value *cells,
                                   struct tn_host_call *call, int32_t answer);

#ifdef NDEBUG
#define TN_BACKEND_CHECKS_CELLS false
#else
#define TN_BACKEND_CHECKS_CELLS true
#endif

/* TN_OK with `*ret_has_row`; cells are checked in debug builds only. In place,
 * as it is called once a row. */
static inline enum tn_code
tn_backend_fetch(const struct tn_backend *backend, void *result,
                 tn_value *cells, struct tn_host_call *call, bool *ret_has_row)
{
  enum tn_code rc = TN_OK;
  int32_t answer;

  call->failed = TN_OK;
  call->of = backend;
  answer = backend->result.fetch(result, cells, &call->call);
  if (TN_BACKEND_CHECKS_CELLS || (answer != 0 && answer != 1))
    rc = tn_backend__judge_row(backend, result, cells, call, answer);
  if (rc == TN_OK)
    *ret_has_row = answer == 1;
  return rc;
}

/* On to the next result set, if there is one. */
enum tn_code tn_backend_next_set(const struct tn_backend *backend, void *result,
                                 struct tn_host_call *call, bool *ret_has_set);

/* Are all rows here, and the session free while the result stays open? */
bool tn_backend_is_complete(const struct tn_backend *backend, void *result);

/* Refuse, before anything is sent, what this backend cannot be given: bad
 * values, types outside value_types, more bytes than max_value_bytes, more
 * values than max_parameters. Sets err->parameter. (backend_value.c) */
enum tn_code tn_backend_check_values(const struct tn_backend *backend,
                                     const tn_value *values, size_t count,
                                     tn_err *err);

/* The same of `row_count` rows of `count` values, which are in memory. Sets
 * err->row as well, the first being 1. */
enum tn_code tn_backend_check_rows(const struct tn_backend *backend,
                                   const tn_value *values, size_t count,
                                   size_t row_count, tn_err *err);

enum tn_code tn_backend_begin(const struct tn_backend *backend, void *handle,
                              const struct tn_txn_request *request,
                              struct tn_host_call *call);
enum tn_code tn_backend_commit(const struct tn_backend *backend, void *handle,
                               struct tn_host_call *call);
enum tn_code tn_backend_rollback(const struct tn_backend *backend, void *handle,
                                 struct tn_host_call *call);
uint32_t tn_backend_txn_state(const struct tn_backend *backend, void *handle);

enum tn_savepoint_action {
  TN_SAVEPOINT_SET = 1,
  TN_SAVEPOINT_RELEASE,
  TN_SAVEPOINT_ROLLBACK,
};
enum tn_code tn_backend_savepoint(const struct tn_backend *backend,
                                  void *handle, enum tn_savepoint_action action,
                                  const char *name, struct tn_host_call *call);

/* What is done with a global id. */
enum tn_global_action {
  TN_GLOBAL_PREPARE = 1,
  TN_GLOBAL_COMMIT,
  TN_GLOBAL_ROLLBACK,
};
enum tn_code tn_backend_global(const struct tn_backend *backend, void *handle,
                               enum tn_global_action action,
                               const char *global_id,
                               struct tn_host_call *call);

/* `*ret` lives in the call's arena. */
enum tn_code tn_backend_list_prepared(const struct tn_backend *backend,
                                      void *handle, struct tn_host_call *call,
                                      const char *const **ret,
                                      uint32_t *ret_count);

enum tn_code tn_backend_identify(const struct tn_backend *backend, void *handle,
                                 char id[TN_TXN_ID_SIZE],
                                 struct tn_host_call *call);
enum tn_code tn_backend_outcome(const struct tn_backend *backend, void *handle,
                                const char *id, struct tn_host_call *call,
                                uint32_t *ret);

enum tn_code tn_backend_reset(const struct tn_backend *backend, void *handle,
                              struct tn_host_call *call);
enum tn_code tn_backend_set_sql_mode(const struct tn_backend *backend,
                                     void *handle, const char *mode,
                                     struct tn_host_call *call);
enum tn_code tn_backend_set_isolation(const struct tn_backend *backend,
                                      void *handle, uint32_t isolation,
                                      struct tn_host_call *call);
enum tn_code tn_backend_get_isolation(const struct tn_backend *backend,
                                      void *handle, uint32_t *ret,
                                      struct tn_host_call *call);
enum tn_code tn_backend_set_access(const struct tn_backend *backend,
                                   void *handle, uint32_t access,
                                   struct tn_host_call *call);

/* `ret` has room for TN_POSITION_SIZE bytes. */
enum tn_code tn_backend_get_position(const struct tn_backend *backend,
                                     void *handle, char *ret,
                                     struct tn_host_call *call);
enum tn_code tn_backend_wait_position(const struct tn_backend *backend,
                                      void *handle, const char *position,
                                      tn_deadline until,
                                      struct tn_host_call *call, bool *ret);

/* Of a backend that has_bulk; others refuse. `*ret_rows` is how many rows went
 * in. What close says of the session is in `call->err`, if anything. */
enum tn_code tn_backend_bulk_open(const struct tn_backend *backend,
                                  void *handle,
                                  const struct tn_bulk_request *request,
                                  struct tn_host_call *call, void **ret);
enum tn_code tn_backend_bulk_write(const struct tn_backend *backend, void *bulk,
                                   const tn_value *values, uint64_t row_count,
                                   struct tn_host_call *call);
enum tn_code tn_backend_bulk_finish(const struct tn_backend *backend,
                                    void *bulk, struct tn_host_call *call,
                                    uint64_t *ret_rows);
void tn_backend_bulk_close(const struct tn_backend *backend, void *bulk,
                           struct tn_host_call *call);

#endif
