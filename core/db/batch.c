/* Many runs of one prepared statement: by the backend's own way, or by one
 * execute() after another. */
#include "probe.h"
#include "watch.h"

/* Where in a row the value of each place is: numbers, placed like values. They
 * are good until the next run. */
static enum tn_code
find_places(tn_prepared *prepared, const struct tn_batch *batch,
            const tn_value **ret, tn_err *err)
{
  struct tn_query row = { .names = batch->names,
                          .value_count = batch->value_count };
  tn_value *numbers =
      tn_arena_alloc(&prepared->result.arena,
                     (batch->value_count + (size_t)1) * sizeof *numbers);
  size_t i;

  if (numbers == NULL)
    return tn_err_memory(err, "batch");
  for (i = 0; i < batch->value_count; i++)
    numbers[i] = tn_int64((int64_t)i);
  row.values = numbers;
  return tn_prepared__place(prepared, &row, ret, err);
}

static bool
is_in_order(const tn_value *places, size_t count, size_t value_count)
{
  size_t i;

  for (i = 0; i < count; i++)
    if (places[i].as.int64 != (int64_t)i)
      return false;
  return count == value_count;
}

/* The rows as the backend takes them: borrowed if that is how they are, else
 * put in order in memory of the result's. */
static enum tn_code
place_rows(tn_prepared *prepared, const struct tn_batch *batch,
           const tn_value **ret, tn_err *err)
{
  size_t count = prepared->sql.place_count;
  const tn_value *from = batch->values;
  const tn_value *places = NULL;
  tn_value *to;
  size_t row, i;
  enum tn_code rc;

  if (from == NULL && batch->value_count > 0)
    return tn_err_set(err, TN_E_USAGE, "batch: %zu rows without values",
                      batch->row_count);
  rc = find_places(prepared, batch, &places, err);
  *ret = from;
  if (rc != TN_OK || from == NULL || places == NULL ||
      is_in_order(places, count, batch->value_count))
    return rc;
  if (batch->row_count > SIZE_MAX / sizeof *to / count)
    return tn_err_memory(err, "batch");
  to = tn_memory_alloc(batch->row_count * count * sizeof *to);
  if (to == NULL)
    return tn_err_memory(err, "batch");
  prepared->result.placed = to;
  *ret = to;
  for (row = 0; row < batch->row_count; row++, from += batch->value_count)
    for (i = 0; i < count; i++)
      *to++ = from[places[i].as.int64];
  return TN_OK;
}

/* All values of all rows, before the first is sent. */
static enum tn_code
check_rows(tn_prepared *prepared, const tn_value *rows, size_t row_count,
           tn_err *err)
{
  enum tn_code rc = tn_backend_check_rows(
      prepared->conn->backend, rows, prepared->sql.place_count, row_count, err);

  return rc == TN_OK ? rc : tn_prepared__name_parameter(prepared, rc, err);
}

/* One run of the core's own loop. */
static enum tn_code
run_one(tn_prepared *prepared, const tn_value *values, struct tn_arena *arena,
        tn_err *err)
{
  tn_result *result = &prepared->result;
  enum tn_code rc;

  result->call.call.arena = arena;
  rc = tn_backend_execute(prepared->conn->backend, prepared->handle, values,
                          prepared->sql.place_count, &result->call,
                          &result->handle);
  if (rc != TN_OK)
    return tn_prepared__name_parameter(prepared, rc, err);
  return tn_result__start(result, 0, err);
}

/* One execute() after another; the result shows what all of them did. */
static enum tn_code
run_one_by_one(tn_prepared *prepared, const struct tn_backend_batch *rows,
               tn_err *err)
{
  TN_CLEANUP(tn_arena_clear) struct tn_arena arena = { 0 };
  tn_result *result = &prepared->result;
  struct tn_result_info sum = { .size = sizeof sum,
                                .flags = TN_RESULT_HAS_AFFECTED };
  uint64_t i;

  for (i = 0; i < rows->row_count; i++) {
    enum tn_code rc =
        (enum tn_code)result->call.call.host->check(&result->call.call);

    if (rc == TN_OK)
      rc = run_one(prepared, rows->values + i * rows->count, &arena, err);
    if (rc == TN_OK)
      rc = tn_result__drain(result, err);
    if (rc != TN_OK) {
      err->row = i + 1;
      return rc;
    }
    tn_arena_reset(&arena);
    sum.flags |= result->info.flags;
    sum.affected += tn_result_affected(result);
    sum.generated_key = result->info.generated_key;
  }
  result->info = sum;
  return TN_OK;
}

static enum tn_code
run_at_once(tn_prepared *prepared, const struct tn_backend_batch *rows,
            tn_err *err)
{
  tn_result *result = &prepared->result;
  enum tn_code rc;

  result->call.call.arena = &result->arena;
  rc = tn_backend_execute_batch(prepared->conn->backend, prepared->handle, rows,
                                &result->call, &result->handle);
  if (rc != TN_OK)
    return tn_prepared__name_parameter(prepared, rc, err);
  return tn_result__start(result, 0, err);
}

enum tn_code
tn_batch__run(tn_prepared *prepared, const struct tn_backend_batch *rows,
              const struct tn_host_call *call, tn_err *err)
{
  tn_result *result = &prepared->result;
  enum tn_code rc;

  result->conn = prepared->conn;
  result->prepared = prepared;
  result->call = *call;
  if (!prepared->conn->backend->has_batch) {
    rc = run_one_by_one(prepared, rows, err);
  } else {
    rc = run_at_once(prepared, rows, err);

    /* Rows after all, of which prepare() did not know. */
    if (rc == TN_OK && result->column_count > 0) {
      result->rest.row = 1;
      result->rest.row_count = rows->row_count - 1;
    }
    if (rc == TN_OK)
      rc = tn_result__drain(result, err);
  }
  result->is_open = false;
  tn_arena_reset(&result->arena);
  return rc;
}

/* A statement without rows: all of it within this operation, and within a
 * transaction. */
static enum tn_code
run_for_effect(tn_prepared *prepared, const struct tn_backend_batch *rows,
               tn_err *err)
{
  static const struct tn_txn_request plain = { .size = sizeof plain };
  tn_conn *conn = prepared->conn;
  struct tn_host_call call = prepared->result.call;
  bool is_ours = (conn->caps & TN_CAP_TRANSACTION) != 0 &&
                 rows->row_count > 1 && tn_conn_txn_state(conn) == TN_TXN_NONE;
  enum tn_code rc = TN_OK;

  call.call.arena = NULL;
  if (is_ours)
    rc = tn_conn__begin_txn(conn, &plain, &call, err);
  if (rc != TN_OK)
    return rc;
  rc = tn_batch__run(prepared, rows, &call, err);
  if (!is_ours)
    return rc;
  if (rc == TN_OK)
    rc = tn_conn__commit(conn, &call, err);
  tn_conn__note(conn, rc, err);
  if (rc != TN_OK)
    tn_conn__undo(conn, err);
  return rc;
}

/* A statement with rows: a set for each row of values, run as it is asked
 * for. The operation goes on until the result is closed. */
static enum tn_code
run_for_rows(tn_prepared *prepared, const struct tn_backend_batch *rows,
             tn_err *err)
{
  tn_result *result = &prepared->result;
  enum tn_code rc;

  result->is_running = true;
  result->rest.row = 1;
  result->rest.row_count = rows->row_count - 1;
  if (prepared->conn->backend->has_batch) {
    rc = run_at_once(prepared, rows, err);
  } else {
    result->rest.values = rows->values + rows->count;
    rc = run_one(prepared, rows->values, &result->arena, err);
    if (rc != TN_OK)
      err->row = 1;
  }
  if (rc == TN_OK)
    return rc;
  tn_conn__note(prepared->conn, rc, err);
  rc = tn_conn__fail(prepared->conn, rc, err);
  tn_result__finish(result);
  return rc;
}

static void
tell_after(tn_result *result, const struct tn_batch *batch, enum tn_code rc,
           tn_err *err)
{
  const struct tn_query asked = { .values = batch->values,
                                  .value_count = batch->value_count };

  TN_PROBE3(statement_end, result->conn, result->prepared->text, rc);
  if (result->watch.began != 0)
    tn_watch__after(result, &asked, batch->row_count, rc, err);
}

/* Inside the operation of prepared->result.call, which has ended when this
 * returns unless the statement has rows to show. */
static enum tn_code
run(tn_prepared *prepared, const struct tn_batch *batch, tn_err *err)
{
  static const tn_value nothing;
  tn_conn *conn = prepared->conn;
  tn_result *result = &prepared->result;
  struct tn_backend_batch rows = { .count = prepared->sql.place_count,
                                   .row_count = batch->row_count };
  enum tn_code rc;

  tn_prepared__note(prepared);
  conn->counts[prepared->kind] += batch->row_count;
  result->conn = conn;
  result->prepared = prepared;
  rc = place_rows(prepared, batch, &rows.values, err);

  /* Whoever goes on from row to row adds to the pointer, and nothing may be
   * added to NULL, not even 0. */
  if (rows.values == NULL)
    rows.values = &nothing;
  if (rc == TN_OK)
    rc = check_rows(prepared, rows.values, batch->row_count, err);
  tn_result__watch(result, 0);
  TN_PROBE2(statement_begin, conn, prepared->text);
  if (rc == TN_OK && prepared->returns_rows) {
    rc = run_for_rows(prepared, &rows, err);
    tell_after(result, batch, rc, err);
    return rc;
  }
  if (rc == TN_OK)
    rc = run_for_effect(prepared, &rows, err);
  tell_after(result, batch, rc, err);
  return tn_conn__end(conn, rc, err);
}

/* No rows of values, nothing to run. */
static void
show_nothing(tn_prepared *prepared)
{
  tn_result *result = &prepared->result;

  result->conn = prepared->conn;
  result->prepared = prepared;
  result->columns = NULL;
  result->column_count = 0;
  result->row_count = 0;
  result->is_at_end = true;
  memset(&result->info, 0, sizeof result->info);
}

enum tn_code
tn_prepared_batch(tn_prepared *prepared, const struct tn_batch *batch,
                  tn_result **ret, tn_err *err)
{
  tn_result *result = &prepared->result;
  enum tn_code rc;

  if (batch->flags != 0)
    return tn_err_set(err, TN_E_USAGE, "batch: there are no flags yet");
  if (prepared->conn == NULL)
    return tn_err_set(err, TN_E_STATE, "batch: its connection is closed");
  if (result->is_open)
    return tn_err_set(err, TN_E_STATE,
                      "batch: the statement's last result is still open");
  rc = tn_conn__begin(prepared->conn, batch->deadline, NULL, &result->call,
                      &err);
  if (rc != TN_OK)
    return rc;
  if (batch->row_count > 0) {
    result->watch.is_cached = true;
    rc = tn_prepared__announce(prepared, batch->values, batch->value_count,
                               batch->row_count, err);
    if (rc != TN_OK)
      return rc;
    rc = run(prepared, batch, err);
  } else {
    show_nothing(prepared);
    rc = tn_conn__end(prepared->conn, TN_OK, NULL);
  }
  result->is_open = rc == TN_OK;
  if (!result->is_running) {
    tn_memory_free(result->placed);
    result->placed = NULL;
  }
  if (rc != TN_OK) {
    tn_arena_reset(&result->arena);
    return rc;
  }
  *ret = result;
  return TN_OK;
}
