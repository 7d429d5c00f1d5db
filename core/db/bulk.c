/* Bulk loads: by the backend's own table, or by INSERT … VALUES with as many
 * rows as pay, run as a batch. */
#include "db_priv.h"

#include "dialect.h"

#define SQL_MAX ((size_t)1 << 24)

struct tn_bulk {
  tn_conn *conn;    /* NULL: it was closed */
  void *handle;     /* the backend's; NULL without */
  char *into;       /* "INSERT INTO t (a, b) VALUES", without a backend's own */
  tn_prepared *one; /* with one row of VALUES */
  tn_prepared *many; /* with `rows_at_once`; NULL until it is needed */
  uint32_t rows_at_once;
  size_t column_count;
  tn_deadline deadline; /* of the load; 0: each call has its own */
  uint64_t rows;        /* written so far */
  bool is_ours;         /* the transaction is the load's own */
  bool is_over;         /* failed or finished */
  struct tn_arena arena;
};

/* Each call of a load is one operation, so that a cancel reaches all of it. */
static enum tn_code
enter(tn_bulk *bulk, struct tn_host_call *call, tn_err **err)
{
  return tn_conn__enter(bulk->conn, bulk->deadline, NULL, call, err);
}

/* ---- the backend's own way ---- */

static enum tn_code
open_table(tn_bulk *bulk, const struct tn_bulk_options *options,
           struct tn_host_call *call)
{
  struct tn_bulk_request request = { .size = sizeof request };

  request.column_count = (uint32_t)options->column_count;
  request.schema = options->schema;
  request.table = options->table;
  request.columns = options->columns;
  call->call.arena = &bulk->arena;
  return tn_backend_bulk_open(bulk->conn->backend, bulk->conn->handle, &request,
                              call, &bulk->handle);
}

static void
close_table(tn_bulk *bulk)
{
  struct tn_host_call call;

  if (bulk->handle == NULL || !tn_conn__may_close(bulk->conn))
    return;
  tn_conn__closing(bulk->conn, &call);
  tn_backend_bulk_close(bulk->conn->backend, bulk->handle, &call);
  tn_conn__note(bulk->conn, (enum tn_code)call.failed, call.err);
  bulk->handle = NULL;
}

/* ---- INSERT … VALUES ---- */

static enum tn_code
add_name(const tn_bulk *bulk, struct tn_strbuf *sql, const char *name,
         tn_err *err)
{
  return tn_dialect_quote(&bulk->conn->dialect, name, strlen(name), sql, err);
}

static enum tn_code
compose(tn_bulk *bulk, const struct tn_bulk_options *options, tn_err *err)
{
  TN_CLEANUP(tn_strbuf_clear) struct tn_strbuf sql = TN_STRBUF_INIT(SQL_MAX);
  enum tn_code rc = TN_OK;
  size_t i;

  tn_strbuf_add_text(&sql, "INSERT INTO ");
  if (options->schema != NULL) {
    rc = add_name(bulk, &sql, options->schema, err);
    tn_strbuf_add_char(&sql, '.');
  }
  if (rc == TN_OK)
    rc = add_name(bulk, &sql, options->table, err);
  for (i = 0; i < options->column_count && rc == TN_OK; i++) {
    tn_strbuf_add_text(&sql, i == 0 ? " (" : ", ");
    rc = add_name(bulk, &sql, options->columns[i], err);
  }
  tn_strbuf_add_text(&sql, ") VALUES");
  if (rc == TN_OK)
    rc = tn_strbuf_status(&sql, "bulk", err);
  if (rc != TN_OK)
    return rc;
  bulk->into = tn_strbuf_take(&sql);
  return bulk->into != NULL ? TN_OK : tn_err_memory(err, "bulk");
}

static enum tn_code
prepare(tn_bulk *bulk, uint32_t row_count, struct tn_host_call *call,
        tn_prepared **ret, tn_err *err)
{
  TN_CLEANUP(tn_strbuf_clear) struct tn_strbuf sql = TN_STRBUF_INIT(SQL_MAX);
  uint32_t row;
  size_t i;
  enum tn_code rc;

  tn_strbuf_add_text(&sql, bulk->into);
  for (row = 0; row < row_count; row++) {
    tn_strbuf_add_text(&sql, row == 0 ? " (" : ", (");
    for (i = 0; i < bulk->column_count; i++)
      tn_strbuf_add_text(&sql, i == 0 ? "?" : ", ?");
    tn_strbuf_add_char(&sql, ')');
  }
  rc = tn_strbuf_status(&sql, "bulk", err);
  if (rc != TN_OK)
    return rc;
  return tn_prepared__new(bulk->conn, tn_strbuf_text(&sql), 0, call, ret, err);
}

static enum tn_code
open_insert(tn_bulk *bulk, const struct tn_bulk_options *options,
            struct tn_host_call *call, tn_err *err)
{
  const struct tn_dialect_table *dialect = &bulk->conn->dialect;
  size_t fit = dialect->max_parameters / options->column_count;
  enum tn_code rc;

  bulk->rows_at_once = dialect->bulk_rows;
  if (bulk->rows_at_once > fit)
    bulk->rows_at_once = fit > 0 ? (uint32_t)fit : 1;
  rc = compose(bulk, options, err);
  return rc == TN_OK ? prepare(bulk, 1, call, &bulk->one, err) : rc;
}

/* A failure inside a statement of `width` rows, said of the load. Which row of
 * it the server refused is not known, but where it names the parameter. */
static void
locate(const tn_bulk *bulk, uint64_t before, uint32_t width, tn_err *err)
{
  uint64_t first = err->row > 0 ? (err->row - 1) * width : 0;
  int32_t columns = (int32_t)bulk->column_count;

  if (err->parameter > 0) {
    err->row = before + first + (uint64_t)((err->parameter - 1) / columns) + 1;
    err->parameter = (err->parameter - 1) % columns + 1;
  } else {
    err->row = width == 1 && err->row > 0 ? before + err->row : 0;
  }
}

/* `count` statements of `width` rows each. */
static enum tn_code
insert(tn_bulk *bulk, tn_prepared *statement, const tn_value *values,
       size_t count, struct tn_host_call *call, tn_err *err)
{
  uint32_t places = statement->sql.place_count;
  uint32_t width = (uint32_t)(places / bulk->column_count);
  const struct tn_backend_batch rows = { .values = values,
                                         .count = places,
                                         .row_count = count };
  enum tn_code rc = tn_batch__run(statement, &rows, call, err);

  if (rc != TN_OK)
    locate(bulk, bulk->rows, width, err);
  else
    bulk->rows += count * width;
  return rc;
}

static enum tn_code
write_insert(tn_bulk *bulk, const tn_value *values, size_t row_count,
             struct tn_host_call *call, tn_err *err)
{
  size_t width = bulk->rows_at_once;
  size_t rest = width > 1 ? row_count % width : row_count;
  size_t count = (row_count - rest) / width;
  enum tn_code rc = TN_OK;

  if (count > 0 && bulk->many == NULL)
    rc = prepare(bulk, bulk->rows_at_once, call, &bulk->many, err);
  if (rc == TN_OK && count > 0)
    rc = insert(bulk, bulk->many, values, count, call, err);
  values += count * width * bulk->column_count;
  if (rc == TN_OK && rest > 0)
    rc = insert(bulk, bulk->one, values, rest, call, err);
  return rc;
}

/* ---- either ---- */

/* The load is over, by the failure `err` (or NULL) or because it was closed. */
static void
give_up(tn_bulk *bulk, tn_err *err)
{
  bulk->is_over = true;
  close_table(bulk);
  if (bulk->is_ours)
    tn_conn__undo(bulk->conn, err);
  bulk->is_ours = false;
}

static void
free_bulk(tn_bulk **bulk)
{
  if (*bulk == NULL)
    return;
  tn_memory_free((*bulk)->into);
  tn_arena_clear(&(*bulk)->arena);
  tn_memory_free(*bulk);
  *bulk = NULL;
}

static enum tn_code
begin(tn_bulk *bulk, const struct tn_bulk_options *options,
      struct tn_host_call *call, tn_err *err)
{
  static const struct tn_txn_request plain = { .size = sizeof plain };
  tn_conn *conn = bulk->conn;
  enum tn_code rc = TN_OK;

  if ((conn->caps & TN_CAP_TRANSACTION) != 0 &&
      tn_conn_txn_state(conn) == TN_TXN_NONE) {
    rc = tn_conn__begin_txn(conn, &plain, call, err);
    bulk->is_ours = rc == TN_OK;
  }
  if (rc != TN_OK)
    return rc;
  if (conn->backend->has_bulk)
    return open_table(bulk, options, call);
  return open_insert(bulk, options, call, err);
}

static bool
has_names(const struct tn_bulk_options *options)
{
  size_t i;

  if (options->table == NULL || options->table[0] == '\0')
    return false;
  for (i = 0; i < options->column_count; i++)
    if (options->columns[i] == NULL || options->columns[i][0] == '\0')
      return false;
  return options->column_count > 0;
}

enum tn_code
tn_bulk_open(tn_conn *conn, const struct tn_bulk_options *options,
             tn_bulk **ret, tn_err *err)
{
  TN_CLEANUP(free_bulk) tn_bulk *bulk = NULL;
  struct tn_host_call call;
  enum tn_code rc;

  if (!has_names(options))
    return tn_err_set(err, TN_E_USAGE, "bulk: a table and columns are needed");
  bulk = tn_memory_zalloc(sizeof *bulk);
  if (bulk == NULL)
    return tn_err_memory(err, "bulk");
  bulk->conn = conn;
  bulk->column_count = options->column_count;
  bulk->deadline = options->deadline;
  rc = tn_conn__begin(conn, bulk->deadline, NULL, &call, &err);
  if (rc != TN_OK)
    return rc;
  rc = begin(bulk, options, &call, err);
  tn_conn__note(conn, rc, err);
  if (rc != TN_OK) {
    tn_prepared_close(&bulk->one);
    give_up(bulk, err);
    return tn_conn__end(conn, rc, err);
  }
  conn->bulk = bulk;
  *ret = bulk;
  bulk = NULL;
  return tn_conn__end(conn, TN_OK, NULL);
}

static enum tn_code
require_open(const tn_bulk *bulk, tn_err *err)
{
  if (bulk->conn == NULL)
    return tn_err_set(err, TN_E_STATE,
                      "bulk: its connection is closed, or its transaction has "
                      "been rolled back");
  if (bulk->is_over)
    return tn_err_set(err, TN_E_STATE,
                      "bulk: the load has failed or was finished before");
  return TN_OK;
}

static enum tn_code
write_rows(tn_bulk *bulk, const tn_value *values, size_t row_count,
           struct tn_host_call *call, tn_err *err)
{
  enum tn_code rc = tn_backend_check_rows(bulk->conn->backend, values,
                                          bulk->column_count, row_count, err);

  if (rc != TN_OK) {
    err->row += bulk->rows;
    return rc;
  }
  if (bulk->handle == NULL)
    return write_insert(bulk, values, row_count, call, err);
  rc = tn_backend_bulk_write(bulk->conn->backend, bulk->handle, values,
                             row_count, call);
  bulk->rows += rc == TN_OK ? row_count : 0;
  return rc;
}

enum tn_code
tn_bulk_write(tn_bulk *bulk, const tn_value *values, size_t row_count,
              tn_err *err)
{
  struct tn_host_call call;
  enum tn_code rc = require_open(bulk, err);

  if (rc != TN_OK || row_count == 0)
    return rc;
  rc = enter(bulk, &call, &err);
  if (rc == TN_E_STATE) /* another thread is in a call of the load */
    return rc;
  if (rc == TN_OK) {
    rc = write_rows(bulk, values, row_count, &call, err);
    rc = tn_conn__end(bulk->conn, rc, err);
  }
  if (rc != TN_OK)
    give_up(bulk, err);
  return rc;
}

static enum tn_code
finish(tn_bulk *bulk, uint64_t *ret_rows, struct tn_host_call *call,
       tn_err *err)
{
  tn_conn *conn = bulk->conn;
  enum tn_code rc = TN_OK;

  *ret_rows = bulk->rows;
  if (bulk->handle != NULL)
    rc = tn_backend_bulk_finish(conn->backend, bulk->handle, call, ret_rows);
  tn_conn__note(conn, rc, err);
  close_table(bulk);
  if (rc == TN_OK && bulk->is_ours)
    rc = tn_conn__commit(conn, call, err);
  return rc;
}

enum tn_code
tn_bulk_finish(tn_bulk *bulk, uint64_t *ret_rows, tn_err *err)
{
  struct tn_host_call call;
  uint64_t rows = 0;
  enum tn_code rc = require_open(bulk, err);

  if (rc != TN_OK)
    return rc;
  rc = enter(bulk, &call, &err);
  if (rc == TN_E_STATE)
    return rc;
  if (rc == TN_OK) {
    rc = finish(bulk, &rows, &call, err);
    rc = tn_conn__end(bulk->conn, rc, err);
  }
  if (rc != TN_OK) {
    give_up(bulk, err);
    return rc;
  }
  bulk->is_over = true;
  bulk->is_ours = false;
  if (ret_rows != NULL)
    *ret_rows = rows;
  return TN_OK;
}

void
tn_bulk__orphan(tn_bulk *bulk)
{
  tn_prepared_close(&bulk->one);
  tn_prepared_close(&bulk->many);
  give_up(bulk, NULL);
  bulk->conn->bulk = NULL;
  bulk->conn = NULL;
}

void
tn_bulk_close(tn_bulk **bulk)
{
  if (bulk == NULL || *bulk == NULL)
    return;
  if ((*bulk)->conn != NULL)
    tn_bulk__orphan(*bulk);
  free_bulk(bulk);
}
