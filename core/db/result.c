/* Rows forward, one at a time, and the sets that they stand in. The backend's
 * result is closed as soon as its last row was read, so that the connection is
 * free although the caller still holds the object. */
#include <tenon/pool.h>

#include "probe.h"
#include "watch.h"

/* Release the backend's result. What that says of the session is in
 * `call.failed`. */
static void
close_handle(tn_result *result)
{
  tn_err *callers = result->call.err;

  if (!tn_conn__may_close(result->conn)) {
    result->handle = NULL;
    return;
  }
  result->call.err = &result->conn->scratch;
  result->call.call.arena = NULL;
  if (result->is_running)
    tn_conn__grace(result->conn, &result->call);
  tn_backend_close_result(result->conn->backend, result->handle, &result->call);
  result->handle = NULL;
  tn_conn__note(result->conn, (enum tn_code)result->call.failed,
                result->call.err);
  result->call.err = callers;
}

void
tn_result__finish(tn_result *result)
{
  if (result->handle != NULL)
    close_handle(result);
  memset(&result->rest, 0, sizeof result->rest);
  if (!result->is_running)
    return;
  result->is_running = false;
  (void)tn_conn__end(result->conn, TN_OK, NULL);
}

void
tn_result__stop(tn_result *result, tn_deadline deadline)
{
  if (result->is_running) { /* what is left of it is not what there was */
    result->is_at_end = false;
    result->has_next_set = false;
  }
  if (deadline < result->call.call.deadline)
    result->call.call.deadline = deadline;
  tn_result__finish(result);
}

/* Run the next row of a batch; the last one's result is closed. */
static enum tn_code
run_next(tn_result *result)
{
  tn_prepared *prepared = result->prepared;
  const tn_value *values = result->rest.values;

  if (result->handle != NULL)
    close_handle(result);
  tn_arena_reset(&result->arena);
  result->rest.values += prepared->sql.place_count;
  return tn_backend_execute(result->conn->backend, prepared->handle, values,
                            prepared->sql.place_count, &result->call,
                            &result->handle);
}

/* On to the next row of a batch, of which there is one. */
static enum tn_code
take_next(tn_result *result)
{
  struct tn_batch_rest *rest = &result->rest;
  bool has_set = false;
  enum tn_code rc;

  rest->row_count--;
  rest->row++;
  result->call.call.arena = &result->arena;
  if (!result->conn->backend->has_batch)
    return run_next(result);
  rc = tn_backend_next_set(result->conn->backend, result->handle, &result->call,
                           &has_set);
  if (rc != TN_OK || has_set)
    return rc;
  return tn_err_set(result->call.err, TN_E_INTERNAL,
                    "%s: fault of the plug-in: next_set() ended a batch "
                    "before its row %llu",
                    result->conn->backend->plugin.name,
                    (unsigned long long)rest->row);
}

/* Is there another set? The rows of the present one are no more. Of a batch
 * that is known, and its next row is not run before it is asked for. Most
 * backends never have one, and need not be asked: a call less for each of the
 * shortest statements. */
static enum tn_code
find_next_set(tn_result *result)
{
  result->has_next_set = result->rest.row_count > 0;
  if (result->rest.row > 0 ||
      (result->conn->caps & (TN_CAP_MULTI_RESULT | TN_CAP_PROCEDURE)) == 0)
    return TN_OK;
  return tn_backend_next_set(result->conn->backend, result->handle,
                             &result->call, &result->has_next_set);
}

/* The set has run its course: note what it did, and free the session if it was
 * the last one. */
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
  rc = find_next_set(result);
  if (rc != TN_OK)
    return rc;
  result->is_at_end = true;
  if (!result->has_next_set)
    tn_result__finish(result);
  return TN_OK;
}

/* Closing a result in the middle may cost the transaction or the session, which
 * the error must say as well. */
static enum tn_code
fail_rows(tn_result *result, enum tn_code code)
{
  tn_err *err = result->call.err;
  int32_t verdict;

  if (err->row == 0)
    err->row = result->rest.row;
  (void)tn_prepared__name_parameter(result->prepared, code, err);
  tn_conn__note(result->conn, code, err);
  result->conn->failed = result;
  result->watch.has_failed = result->watch.began != 0;
  code = tn_conn__fail(result->conn, code, err);
  tn_result__finish(result);
  verdict = (int32_t)tn_conn_verdict(result->conn);
  if (verdict > err->connection)
    tn_err_verdicts(err, verdict, 0);
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

/* The backend's result stands before the first row of a set. */
static enum tn_code
open_set(tn_result *result, tn_err *err)
{
  enum tn_code rc;

  result->is_at_end = false;
  result->has_next_set = false;
  result->rows_before += result->row_count;
  result->row_count = 0;
  memset(&result->info, 0, sizeof result->info);
  rc = tn_backend_columns(result->conn->backend, result->handle, &result->call,
                          &result->columns, &result->column_count);
  if (rc == TN_OK)
    rc = fit_cells(result, err);
  if (rc == TN_OK && result->column_count == 0)
    rc = end_rows(result);
  return rc;
}

/* All rows are in memory: the session is free, and nothing can stop what is
 * only copied any more. */
static void
set_free(tn_result *result)
{
  result->is_running = false;
  (void)tn_conn__end(result->conn, TN_OK, NULL);
  result->call.call.deadline = TN_DEADLINE_NONE;
  result->call.canceled = NULL;
}

enum tn_code
tn_result__start(tn_result *result, uint32_t flags, tn_err *err)
{
  enum tn_code rc;

  result->is_open = true;
  result->next_kept = NULL;
  result->next_set = NULL;
  rc = open_set(result, err);
  if (rc == TN_OK && (flags & TN_QUERY_BUFFERED) != 0 &&
      result->handle != NULL) {
    if (tn_backend_is_complete(result->conn->backend, result->handle))
      set_free(result);
    else
      rc = tn_result__keep(result, err);
  }
  if (rc == TN_OK)
    return TN_OK;

  result->is_open = false;
  rc = fail_rows(result, rc);
  tn_arena_reset(&result->arena);
  return rc;
}

/* Nothing comes from the backend any more. */
static enum tn_code
refuse(const tn_result *result, tn_err *err)
{
  if (result->conn == NULL)
    return tn_err_set(err, TN_E_STATE, "result: its connection is closed");
  return tn_err_set(err, TN_E_STATE,
                    "result: it has failed before, or its transaction has been "
                    "rolled back");
}

static enum tn_code
check_call(tn_result *result)
{
  if (!result->is_running)
    return TN_OK;
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

  if (result->is_at_end) {
    *ret_row = result->next_kept == NULL ? NULL : tn_result__next_kept(result);
    return TN_OK;
  }
  if (result->handle == NULL)
    return refuse(result, err);
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

/* Go on to the next set of the backend, if there is one. */
static enum tn_code
run_next_set(tn_result *result, bool *ret_has_set, tn_err *err)
{
  enum tn_code rc;

  result->call.err = err == NULL ? &result->conn->scratch : err;
  result->call.call.arena = &result->arena;
  rc = check_call(result);
  if (rc == TN_OK && !result->is_at_end)
    rc = find_next_set(result);
  if (rc == TN_OK)
    *ret_has_set = result->has_next_set;
  if (rc == TN_OK && !result->has_next_set) {
    result->is_at_end = true;
    tn_result__finish(result);
    return TN_OK;
  }
  result->is_at_end = false;
  if (rc == TN_OK && result->rest.row_count > 0)
    rc = take_next(result);
  if (rc == TN_OK)
    rc = open_set(result, result->call.err);
  if (rc == TN_OK)
    return rc;

  /* They ended when the statement was run again, or its next set begun. */
  result->columns = NULL;
  result->column_count = 0;
  return fail_rows(result, rc);
}

enum tn_code
tn_result_next_set(tn_result *result, int *ret_has_set, tn_err *err)
{
  bool has_set = false;
  enum tn_code rc = TN_OK;

  if (result->handle != NULL)
    rc = run_next_set(result, &has_set, err);
  else if (result->is_at_end)
    has_set = tn_result__next_kept_set(result);
  else
    rc = refuse(result, err);
  if (rc == TN_OK)
    *ret_has_set = has_set;
  return rc;
}

enum tn_code
tn_result__drain(tn_result *result, tn_err *err)
{
  const tn_value *row = NULL;
  int has_set = 1;
  enum tn_code rc = TN_OK;

  while (rc == TN_OK && has_set) {
    do
      rc = tn_result_next(result, &row, err);
    while (rc == TN_OK && row != NULL);
    if (rc == TN_OK)
      rc = tn_result_next_set(result, &has_set, err);
  }
  return rc;
}

static void
close_result(tn_result *closing)
{
  tn_result__finish(closing);
  TN_PROBE3(statement_done, closing->conn, closing->prepared->text,
            closing->rows_before + closing->row_count);
  if (closing->conn != NULL)
    closing->conn->counts[CONN_ROWS] +=
        closing->rows_before + closing->row_count;
  if (closing->watch.began != 0 && closing->conn != NULL)
    tn_watch__done(closing);
  if (closing->watch.began != 0)
    tn_watch__clear(&closing->watch);
  tn_memory_free(closing->placed);
  closing->placed = NULL;
  closing->is_open = false;
  closing->next_kept = NULL;
  closing->next_set = NULL;
  closing->has_next_set = false;
  tn_arena_reset(&closing->arena);
  if (closing->owns_prepared && closing->prepared->conn != NULL) {
    tn_cache__give(&closing->prepared->conn->cache, closing->prepared);
  } else if (closing->owns_prepared) {
    tn_prepared *prepared = closing->prepared;

    tn_prepared_close(&prepared);
  }
}

void
tn_result_close(tn_result **result)
{
  tn_result *closing;
  tn_conn *lent;

  if (result == NULL || *result == NULL)
    return;
  closing = *result;
  *result = NULL;
  lent = closing->is_on_loan ? closing->conn : NULL;
  closing->is_on_loan = false;
  close_result(closing);
  tn_pool_give(&lent);
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
