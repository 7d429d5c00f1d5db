/* Bulk loads: INSERT with arrays of rows, or with many rows of VALUES.
 *
 * Large writes are sent from where they are; small ones are copied and sent
 * when there are enough. LOAD DATA LOCAL is not used: it is slower than arrays,
 * and a client that answers a server's wish for a file is a risk. */
#include "bulk.h"

#include <string.h>

/* What small writes are collected in. */
#define KEPT_BYTES  ((size_t)256 << 10)
#define KEPT_VALUES 8192

/* ------------------------------------------------------------------ */
/* Rows that are kept for later                                         */

/* One after the other, as groups of placeholders: any types go together. */
static int32_t
send_kept(struct mysql__bulk *bulk)
{
  const struct mysql__array *kept = &bulk->kept.array;
  uint32_t at = 0;

  while (at < kept->rows) {
    struct mysql__array array;
    int32_t rc =
        mysql__bulk_take(bulk, kept->values + (size_t)at * bulk->column_count,
                         kept->rows - at, bulk->sent + 1, &array);

    if (rc == TN_OK)
      rc = mysql__bulk_send(bulk, &array);
    if (rc != TN_OK)
      return rc;
    at += array.rows;
  }
  return TN_OK;
}

static int32_t
flush(struct mysql__bulk *bulk)
{
  struct mysql__kept *kept = &bulk->kept;
  int32_t rc = TN_OK;

  if (kept->array.rows > 0 && bulk->has_arrays)
    rc = mysql__bulk_send(bulk, &kept->array);
  else
    rc = send_kept(bulk);
  if (rc != TN_OK)
    return rc;
  kept->array.rows = 0;
  kept->used = 0;
  return TN_OK;
}

static bool
fits(const struct mysql__bulk *bulk, const struct mysql__array *array)
{
  size_t rows = (size_t)bulk->kept.array.rows + array->rows;

  return rows * bulk->column_count <= KEPT_VALUES &&
         array->bytes <= KEPT_BYTES - bulk->kept.used;
}

static bool
has_bytes(const tn_value *value)
{
  return value->type == TN_TEXT || value->type == TN_BLOB ||
         value->type == TN_DECIMAL || value->type == TN_JSON;
}

static int32_t
make_room(struct mysql__bulk *bulk)
{
  struct mysql__kept *kept = &bulk->kept;

  if (kept->values != NULL)
    return TN_OK;
  kept->values =
      bulk->conn->host->alloc(KEPT_VALUES * sizeof(tn_value) + KEPT_BYTES);
  if (kept->values == NULL)
    return mysql__fail_memory(bulk->conn->call);
  kept->bytes = (char *)(kept->values + KEPT_VALUES);
  return TN_OK;
}

/* Copy rows behind the `at` that are there. */
static void
copy_rows(struct mysql__bulk *bulk, uint32_t at, const tn_value *source,
          uint32_t rows)
{
  struct mysql__kept *kept = &bulk->kept;
  tn_value *values = kept->values + (size_t)at * bulk->column_count;
  size_t count = (size_t)rows * bulk->column_count;
  size_t i;

  for (i = 0; i < count; i++) {
    values[i] = source[i];
    if (has_bytes(&values[i]) && values[i].as.bytes.size != 0) {
      values[i].as.bytes.data =
          memcpy(kept->bytes + kept->used, source[i].as.bytes.data,
                 values[i].as.bytes.size);
      kept->used += values[i].as.bytes.size;
    }
  }
}

static int32_t
keep(struct mysql__bulk *bulk, const struct mysql__array *array)
{
  struct mysql__array *kept = &bulk->kept.array;
  uint32_t at = kept->rows;
  int32_t rc = make_room(bulk);

  if (rc != TN_OK)
    return rc;
  copy_rows(bulk, at, array->values, array->rows);
  if (at == 0)
    *kept = *array;
  kept->values = bulk->kept.values;
  kept->rows = at + array->rows;
  return TN_OK;
}

/* Keep those of the rows that go with the ones that are kept, in one array. The
 * others wait until that is sent. */
static int32_t
extend(struct mysql__bulk *bulk, const tn_value *values, uint64_t rows,
       uint32_t *ret_rows)
{
  struct mysql__array *kept = &bulk->kept.array;
  uint32_t at = kept->rows;
  uint64_t room = KEPT_VALUES / bulk->column_count - at;

  *ret_rows =
      mysql__array_join(kept, values, rows < room ? rows : room, KEPT_BYTES);
  copy_rows(bulk, at, values, *ret_rows);
  if (*ret_rows == rows)
    return TN_OK;
  mysql__bulk_count_run(bulk, kept);
  return flush(bulk);
}

/* Send the rows of `array`, or keep them. Those of a large write are sent but
 * for the last few; whatever is kept already goes before. */
static int32_t
add(struct mysql__bulk *bulk, const struct mysql__array *array, bool is_last)
{
  if (bulk->kept.array.rows > 0 && !fits(bulk, array)) {
    int32_t rc = flush(bulk);

    if (rc != TN_OK)
      return rc;
  }
  if (fits(bulk, array) && (is_last || bulk->kept.array.rows > 0))
    return keep(bulk, array);
  return mysql__bulk_send(bulk, array);
}

/* As many of the rows as go together. */
static int32_t
write_some(struct mysql__bulk *bulk, const tn_value *values, uint64_t rows,
           uint32_t *ret_rows)
{
  uint32_t kept = bulk->kept.array.rows;
  struct mysql__array array;
  int32_t rc;

  if (kept > 0 && bulk->has_arrays)
    return extend(bulk, values, rows, ret_rows);
  rc = mysql__bulk_take(bulk, values, rows, bulk->sent + kept + 1, &array);
  if (rc == TN_OK)
    rc = add(bulk, &array, array.rows == rows);
  *ret_rows = array.rows;
  return rc;
}

/* ------------------------------------------------------------------ */
/* The slots                                                            */

static void
release(struct mysql__bulk *bulk)
{
  const struct tn_host *host = bulk->conn->host;

  if (bulk->conn->is_left) /* a thread may still read there */
    return;
  mysql__bulk_end(bulk);
  host->release(bulk->kept.values);
  host->release(bulk);
}

static int32_t
open_bulk(void *handle, const struct tn_bulk_request *request,
          struct tn_call *call, void **ret)
{
  struct mysql__conn *conn = handle;
  struct mysql__bulk *bulk;
  int32_t rc;

  mysql__enter(conn, call);
  rc = mysql__ready(conn);
  if (rc != TN_OK)
    return rc;
  bulk = conn->host->alloc(sizeof *bulk);
  if (bulk == NULL)
    return mysql__fail_memory(call);
  memset(bulk, 0, sizeof *bulk);
  bulk->conn = conn;
  rc = mysql__bulk_begin(bulk, request);
  if (rc != TN_OK) {
    release(bulk);
    return rc;
  }
  *ret = bulk;
  return TN_OK;
}

static int32_t
write_rows(void *handle, const tn_value *values, uint64_t rows,
           struct tn_call *call)
{
  struct mysql__bulk *bulk = handle;
  int32_t rc;

  mysql__enter(bulk->conn, call);
  rc = mysql__ready(bulk->conn);
  while (rc == TN_OK && rows > 0) {
    uint32_t written = 0;

    rc = write_some(bulk, values, rows, &written);
    values += (size_t)written * bulk->column_count;
    rows -= written;
  }
  return rc;
}

static int32_t
finish(void *handle, struct tn_call *call, uint64_t *ret_rows)
{
  struct mysql__bulk *bulk = handle;
  int32_t rc;

  mysql__enter(bulk->conn, call);
  rc = mysql__ready(bulk->conn);
  if (rc == TN_OK)
    rc = flush(bulk);
  if (rc != TN_OK)
    return rc;
  if (bulk->affected != bulk->sent)
    return tn_fail(call, TN_E_INTERNAL,
                   "mysql: %llu rows were sent, but %llu were inserted",
                   (unsigned long long)bulk->sent,
                   (unsigned long long)bulk->affected);
  *ret_rows = bulk->sent;
  return TN_OK;
}

static void
close_bulk(void *handle, struct tn_call *call)
{
  struct mysql__bulk *bulk = handle;

  mysql__enter(bulk->conn, call);
  release(bulk);
}

const struct tn_bulk_table mysql__bulk_table = {
  .size = sizeof(struct tn_bulk_table),
  .open = open_bulk,
  .write = write_rows,
  .finish = finish,
  .close = close_bulk,
};
