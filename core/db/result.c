/* Rows forward, one at a time, and the copy of them all that a buffered query
 * makes. The backend's result is closed as soon as its last row was read, so
 * that the connection is free although the caller still holds the object. */
#include "db_priv.h"

struct buffered_row {
  struct buffered_row *next;
  tn_value cells[];
};

void
tn_result__finish(tn_result *result)
{
  if (result->handle == NULL)
    return;
  result->conn->backend->result.close(result->handle);
  result->handle = NULL;
  (void)tn_conn__end(result->conn, TN_OK, NULL);
}

/* The statement has run its course: note what it did and free the session. */
static enum tn_code
end_rows(tn_result *result)
{
  enum tn_code rc;

  result->info.size = sizeof result->info;
  rc = tn_backend_info(result->conn->backend, result->handle, &result->info);

  /* info() has no call to fail, so nobody has said why. */
  if (rc != TN_OK)
    return tn_err_set(result->call.err, rc,
                      "result: %s cannot tell what the statement did: %s",
                      result->conn->backend->plugin.name,
                      tn_code_summary((int32_t)rc));
  result->is_at_end = true;
  tn_result__finish(result);
  return TN_OK;
}

static enum tn_code
fail_rows(tn_result *result, enum tn_code code)
{
  tn_conn__note(result->conn, code, result->call.err);
  tn_result__finish(result);
  return code;
}

static enum tn_code
fit_cells(tn_result *result, tn_err *err)
{
  tn_prepared *prepared = result->prepared;
  tn_value *cells;

  if (result->column_count > prepared->cell_count) {
    cells =
        tn_memory_resize(prepared->cells, result->column_count * sizeof *cells);
    if (cells == NULL)
      return tn_err_memory(err, "result");
    prepared->cells = cells;
    prepared->cell_count = result->column_count;
  }
  result->row = prepared->cells;
  return TN_OK;
}

/* A copy that lives in the result's arena, its bytes ended by NUL. */
static bool
keep_cell(struct tn_arena *arena, const tn_value *cell, tn_value *ret)
{
  *ret = *cell;
  if (cell->type == TN_OTHER && cell->more.type_name != NULL) {
    ret->more.type_name = tn_arena_text(arena, cell->more.type_name,
                                        strlen(cell->more.type_name));
    if (ret->more.type_name == NULL)
      return false;
  }
  switch (cell->type) {
  case TN_DECIMAL:
  case TN_TEXT:
  case TN_BLOB:
  case TN_JSON:
  case TN_OTHER:
    ret->as.bytes.data =
        tn_arena_text(arena, cell->as.bytes.data, cell->as.bytes.size);
    return ret->as.bytes.data != NULL;
  default:
    return true;
  }
}

static enum tn_code
buffer_row(tn_result *result, struct buffered_row ***tail, tn_err *err)
{
  struct buffered_row *row =
      tn_arena_alloc(&result->arena,
                     sizeof *row + result->column_count * sizeof row->cells[0]);
  uint32_t i;

  if (row == NULL)
    return tn_err_memory(err, "result");
  row->next = NULL;
  for (i = 0; i < result->column_count; i++)
    if (!keep_cell(&result->arena, &result->row[i], &row->cells[i]))
      return tn_err_memory(err, "result");
  **tail = row;
  *tail = &row->next;
  return TN_OK;
}

static enum tn_code
buffer_rows(tn_result *result, tn_err *err)
{
  struct buffered_row *first = NULL;
  struct buffered_row **tail = &first;
  const tn_value *row = NULL;
  enum tn_code rc;

  for (;;) {
    rc = tn_result_next(result, &row, err);
    if (rc != TN_OK)
      return rc;
    if (row == NULL)
      break;
    rc = buffer_row(result, &tail, err);
    if (rc != TN_OK)
      return rc;
  }
  result->next_buffered = first;
  result->row_count = 0;
  return TN_OK;
}

enum tn_code
tn_result__start(tn_result *result, uint32_t flags, tn_err *err)
{
  enum tn_code rc;

  result->is_open = true;
  result->is_at_end = false;
  result->row_count = 0;
  result->next_buffered = NULL;
  memset(&result->info, 0, sizeof result->info);
  rc = tn_backend_columns(result->conn->backend, result->handle, &result->call,
                          &result->columns, &result->column_count);
  if (rc == TN_OK)
    rc = fit_cells(result, err);
  if (rc == TN_OK && result->column_count == 0)
    rc = end_rows(result);
  else if (rc == TN_OK && (flags & TN_QUERY_BUFFERED) != 0)
    rc = buffer_rows(result, err);
  if (rc == TN_OK)
    return TN_OK;

  result->is_open = false;
  (void)fail_rows(result, rc);
  tn_arena_reset(&result->arena);
  return rc;
}

/* Rows that do not come from the backend: buffered, none any more, or none
 * because it failed or the connection went away. */
static enum tn_code
next_kept(tn_result *result, const tn_value **ret_row, tn_err *err)
{
  struct buffered_row *row = result->next_buffered;

  if (row != NULL) {
    result->next_buffered = row->next;
    result->row_count++;
    *ret_row = row->cells;
    return TN_OK;
  }
  if (result->is_at_end) {
    *ret_row = NULL;
    return TN_OK;
  }
  if (result->conn == NULL)
    return tn_err_set(err, TN_E_STATE, "result: its connection is closed");
  return tn_err_set(err, TN_E_STATE, "result: it has failed before");
}

static enum tn_code
check_call(tn_result *result)
{
  if (result->call.call.deadline == TN_DEADLINE_NONE &&
      atomic_load_explicit(&result->conn->canceled, memory_order_relaxed) == 0)
    return TN_OK;
  return (enum tn_code)result->call.call.host->check(&result->call.call);
}

enum tn_code
tn_result_next(tn_result *result, const tn_value **ret_row, tn_err *err)
{
  bool has_row = false;
  enum tn_code rc;

  if (result->handle == NULL)
    return next_kept(result, ret_row, err);
  result->call.err = err == NULL ? &result->conn->scratch : err;
  result->call.call.arena = &result->row_arena;
  tn_arena_reset(&result->row_arena);
  rc = check_call(result);
  if (rc == TN_OK)
    rc = tn_backend_fetch(result->conn->backend, result->handle, result->row,
                          &result->call, &has_row);
  if (rc != TN_OK)
    return fail_rows(result, rc);
  if (has_row)
    result->row_count++;
  else
    rc = end_rows(result);
  if (rc != TN_OK)
    return fail_rows(result, rc);
  *ret_row = has_row ? result->row : NULL;
  return TN_OK;
}

void
tn_result_close(tn_result **result)
{
  tn_result *closing;

  if (result == NULL || *result == NULL)
    return;
  closing = *result;
  *result = NULL;
  tn_result__finish(closing);
  closing->is_open = false;
  closing->next_buffered = NULL;
  tn_arena_reset(&closing->arena);
  if (closing->owns_prepared) {
    tn_prepared *prepared = closing->prepared;

    tn_prepared_close(&prepared);
  }
}

size_t
tn_result_column_count(const tn_result *result)
{
  return result->column_count;
}

static const struct tn_column *
column_at(const tn_result *result, size_t column)
{
  return column < result->column_count ? &result->columns[column] : NULL;
}

const char *
tn_result_column_name(const tn_result *result, size_t column)
{
  const struct tn_column *found = column_at(result, column);

  return found == NULL ? NULL : found->name;
}

uint32_t
tn_result_column_type(const tn_result *result, size_t column)
{
  const struct tn_column *found = column_at(result, column);

  return found == NULL ? 0 : found->type;
}

const char *
tn_result_column_type_name(const tn_result *result, size_t column)
{
  const struct tn_column *found = column_at(result, column);

  return found == NULL ? NULL : found->type_name;
}

uint64_t
tn_result_affected(const tn_result *result)
{
  if ((result->info.flags & TN_RESULT_HAS_AFFECTED) != 0)
    return result->info.affected;
  return result->row_count;
}

enum tn_code
tn_result_generated_key(const tn_result *result, int64_t *ret, tn_err *err)
{
  if ((result->info.flags & TN_RESULT_HAS_KEY) == 0)
    return tn_err_set(err, TN_E_NOT_FOUND,
                      "result: the statement made no key, or its rows were "
                      "not read to the end");
  *ret = result->info.generated_key;
  return TN_OK;
}
