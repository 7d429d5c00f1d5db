/* Bulk loads: making statements, sending rows, finding the row that failed.
 *
 * MariaDB takes an array of rows for a statement that was prepared for one;
 * elsewhere the statement itself has as many groups of placeholders as rows. */
#include "bulk.h"

#include <stdio.h>
#include <string.h>

/* Groups of placeholders in one statement: beyond this the server gains
 * nothing, and takes long to prepare it. A request may have 65535. */
#define GROUP_PARAMETERS 1024
#define GROUP_ROWS       256

/* Runs of rows of equal types that are this short do not pay as arrays; after
 * so many of them the types are taken to vary from row to row. */
#define SHORT_RUN      16
#define SHORT_RUNS_MAX 8

/* ------------------------------------------------------------------ */
/* The statement's text                                                 */

/* Appends to `*at`, which moves on; with `*at` NULL only the size counts. */
struct text {
  char *at;
  size_t size;
};

static void
put(struct text *text, const char *bytes, size_t size)
{
  if (text->at != NULL) {
    memcpy(text->at, bytes, size);
    text->at += size;
  }
  text->size += size;
}

static void
put_name(struct text *text, const char *name)
{
  put(text, "`", 1);
  for (; *name != '\0'; name++)
    put(text, *name == '`' ? "``" : name, *name == '`' ? 2 : 1);
  put(text, "`", 1);
}

static void
put_head(struct text *text, const struct tn_bulk_request *request)
{
  uint32_t i;

  put(text, "INSERT INTO ", 12);
  if (request->schema != NULL) {
    put_name(text, request->schema);
    put(text, ".", 1);
  }
  put_name(text, request->table);
  for (i = 0; i < request->column_count; i++) {
    put(text, i == 0 ? " (" : ", ", 2);
    put_name(text, request->columns[i]);
  }
  put(text, ") VALUES ", 9);
}

static int32_t
make_head(struct mysql__bulk *bulk, const struct tn_bulk_request *request)
{
  struct text text = { NULL, 0 };

  put_head(&text, request);
  bulk->head = bulk->conn->host->alloc(text.size);
  if (bulk->head == NULL)
    return mysql__fail_memory(bulk->conn->call);
  bulk->head_size = text.size;
  text.at = bulk->head;
  put_head(&text, request);
  return TN_OK;
}

static void
put_groups(struct text *text, uint32_t columns, uint32_t rows)
{
  uint32_t row, i;

  for (row = 0; row < rows; row++) {
    put(text, row == 0 ? "(" : ",(", row == 0 ? 1 : 2);
    for (i = 0; i < columns; i++)
      put(text, i == 0 ? "?" : ",?", i == 0 ? 1 : 2);
    put(text, ")", 1);
  }
}

/* ------------------------------------------------------------------ */
/* Statements                                                           */

static void
drop(struct mysql__bulk *bulk, struct mysql__variant *variant)
{
  if (variant->stmt != NULL)
    mysql__stmt_drop(bulk->conn, &variant->stmt, bulk->conn->call);
  mysql__params_clear(&variant->params);
  variant->rows = 0;
}

static int32_t
prepare(struct mysql__bulk *bulk, struct mysql__variant *variant, uint32_t rows)
{
  struct mysql__conn *conn = bulk->conn;
  struct text text = { NULL, bulk->head_size };
  char *sql;
  int32_t rc;

  if (variant->rows == rows)
    return TN_OK;
  drop(bulk, variant);
  put_groups(&text, bulk->column_count, rows);
  sql = conn->host->alloc(text.size + 1);
  if (sql == NULL)
    return mysql__fail_memory(conn->call);
  memcpy(sql, bulk->head, bulk->head_size);
  text.at = sql + bulk->head_size;
  put_groups(&text, bulk->column_count, rows);
  *text.at = '\0';
  rc = mysql__stmt_open(conn, sql, (size_t)(text.at - sql), conn->call,
                        &variant->stmt);
  if (!conn->is_left) /* else a thread may still read it */
    conn->host->release(sql);
  if (rc == TN_OK)
    rc = mysql__params_init(&variant->params, bulk->column_count * rows,
                            &conn->limits, conn->call);
  if (rc == TN_OK)
    variant->rows = rows;
  return rc;
}

/* ------------------------------------------------------------------ */
/* Sending                                                              */

/* Execute what is bound. `*ret_error` is the library's number, 0: well. */
static int32_t
execute(struct mysql__bulk *bulk, MYSQL_STMT *stmt, unsigned *ret_error)
{
  struct mysql__conn *conn = bulk->conn;
  struct mysql__op op;
  int32_t rc;

  memset(&op, 0, sizeof op);
  op.verb = MYSQL__EXECUTE;
  op.stmt = stmt;
  rc = mysql__run(conn, &op);
  if (rc != TN_OK)
    return rc;
  mysql__sync(conn);
  *ret_error = op.status == 0 ? 0 : mysql__errno(conn, stmt);
  if (op.status == 0)
    bulk->affected += mysql_stmt_affected_rows(stmt);
  return TN_OK;
}

/* Its message is still there afterwards. */
static int32_t
execute_array(struct mysql__bulk *bulk, const struct mysql__array *array,
              unsigned *ret_error)
{
  MYSQL_STMT *stmt = bulk->odd.stmt;
  int32_t rc;

  bulk->array = *array;
  rc = mysql__array_bind(&bulk->array, stmt, bulk->conn->call);
  if (rc == TN_OK)
    rc = execute(bulk, stmt, ret_error);
  if (!bulk->conn->is_dead)
    mysql__array_unbind(&bulk->array, stmt);
  return rc;
}

/* The row of the request that the library's message ends with, "… at row 7"; 0
 * if it names none. */
static uint32_t
row_of(const char *message)
{
  static const char words[] = " at row ";
  const char *at = NULL, *next = message;
  unsigned long row = 0;

  while ((next = strstr(next, words)) != NULL) {
    next += sizeof words - 1;
    at = next;
  }
  for (; at != NULL && *at >= '0' && *at <= '9' && row < UINT32_MAX / 10; at++)
    row = row * 10 + (unsigned long)(*at - '0');
  return at != NULL && *at == '\0' ? (uint32_t)row : 0;
}

/* What the library says of one failure, kept for comparison. */
struct verdict {
  unsigned number;
  char text[512];
};

static void
keep_verdict(struct verdict *verdict, const struct mysql__bulk *bulk,
             MYSQL_STMT *stmt)
{
  verdict->number = mysql__errno(bulk->conn, stmt);
  snprintf(verdict->text, sizeof verdict->text, "%s", mysql_stmt_error(stmt));
}

static bool
is_same_verdict(const struct verdict *a, const struct verdict *b)
{
  return a->number == b->number && strcmp(a->text, b->text) == 0;
}

/* Is it a row's fault? Then the server has undone the statement alone. */
static bool
is_of_row(const struct mysql__bulk *bulk, MYSQL_STMT *stmt)
{
  const char *state = mysql_stmt_sqlstate(stmt);

  return bulk->conn->in_txn && !bulk->conn->is_aborted && state[0] == '2' &&
         (state[1] == '2' || state[1] == '3');
}

/* Insert half of the rows, and go on with the other half or, if that failed,
 * with half of it. */
static int32_t
narrow(struct mysql__bulk *bulk, struct mysql__array *array)
{
  while (bulk->has_arrays && array->rows > SHORT_RUN) {
    struct mysql__array half = *array;
    unsigned error = 0;
    int32_t rc;

    rc = mysql__array_take(&half, array->rows / 2, array->bytes,
                           bulk->conn->call);
    if (rc == TN_OK)
      rc = execute_array(bulk, &half, &error);
    if (rc != TN_OK)
      return rc;
    if (error == 0) {
      array->values += (size_t)half.rows * bulk->column_count;
      array->first_row += half.rows;
      array->rows -= half.rows;
    } else {
      array->rows = half.rows;
    }
  }
  return TN_OK;
}

/* Insert the rows one by one. `*ret_error` is that of row `*ret_row`, counted
 * from 0; 0, if none has failed. */
static int32_t
try_rows(struct mysql__bulk *bulk, const struct mysql__array *array,
         unsigned *ret_error, uint32_t *ret_row)
{
  struct mysql__variant *one = &bulk->odd;
  uint32_t row;
  int32_t rc = prepare(bulk, one, 1);

  *ret_error = 0;
  for (row = 0; rc == TN_OK && row < array->rows; row++) {
    rc = mysql__params_set(&one->params,
                           array->values + (size_t)row * bulk->column_count,
                           bulk->conn->call);
    if (rc == TN_OK)
      rc = mysql__params_bind(&one->params, one->stmt, bulk->conn->call);
    if (rc == TN_OK)
      rc = execute(bulk, one->stmt, ret_error);
    *ret_row = row;
    if (*ret_error != 0)
      break;
  }
  return rc;
}

/* Has the server undone all of the request that has failed? A table without
 * transactions, be it a trigger's, still has the first rows, and would have for
 * good what a second try inserts. Once the transaction has changed one, the
 * server warns when it goes back in it, or cannot do that at all. */
static int32_t
ask_undone(struct mysql__conn *conn, bool *ret)
{
  int32_t rc = mysql__exec_savepoint(conn, "SAVEPOINT tn_load", ret);

  if (rc == TN_OK && *ret)
    rc = mysql__exec_savepoint(conn, "ROLLBACK TO SAVEPOINT tn_load", ret);
  if (rc == TN_OK && *ret)
    *ret = mysql_warning_count(conn->mysql) == 0;
  return rc;
}

/* Insert the rows again in parts, until one fails as all did; its number is
 * added to the error that is set. What they do is rolled back with the rest of
 * the load. Where it would not be, the row stays unknown. */
static int32_t
find_row(struct mysql__bulk *bulk, const struct mysql__array *array,
         const struct verdict *wanted, int32_t category)
{
  struct mysql__array part = *array;
  struct verdict verdict;
  bool is_undone = false;
  unsigned error = 0;
  uint32_t row = 0;
  int32_t rc = ask_undone(bulk->conn, &is_undone);

  if (rc == TN_OK && !is_undone)
    return category;
  if (rc == TN_OK)
    rc = narrow(bulk, &part);
  if (rc == TN_OK)
    rc = try_rows(bulk, &part, &error, &row);
  if (rc != TN_OK)
    return rc;
  if (error == 0)
    return category;
  keep_verdict(&verdict, bulk, bulk->odd.stmt);
  if (!is_same_verdict(&verdict, wanted))
    return category;
  return mysql__fail_row(bulk->conn, bulk->odd.stmt, part.first_row + row);
}

/* A request has failed. Duplicates and the like do not tell of which row. */
static int32_t
fail(struct mysql__bulk *bulk, MYSQL_STMT *stmt,
     const struct mysql__array *array)
{
  uint32_t row = array->rows == 1 ? 1 : row_of(mysql_stmt_error(stmt));
  bool must_look = row == 0 && is_of_row(bulk, stmt);
  struct verdict verdict;
  int32_t rc;

  keep_verdict(&verdict, bulk, stmt);
  if (row > array->rows)
    row = 0;
  rc = mysql__fail_row(bulk->conn, stmt,
                       row == 0 ? 0 : array->first_row + row - 1);
  return must_look ? find_row(bulk, array, &verdict, rc) : rc;
}

static int32_t
send_array(struct mysql__bulk *bulk, const struct mysql__array *array)
{
  unsigned error = 0;
  int32_t rc = execute_array(bulk, array, &error);

  if (rc == TN_OK && error != 0)
    rc = fail(bulk, bulk->odd.stmt, array);
  return rc;
}

static int32_t
send_groups(struct mysql__bulk *bulk, const struct mysql__array *array)
{
  struct mysql__variant *variant =
      array->rows == bulk->group_rows ? &bulk->full : &bulk->odd;
  struct tn_call *call = bulk->conn->call;
  unsigned error = 0;
  int32_t rc = prepare(bulk, variant, array->rows);

  if (rc == TN_OK)
    rc = mysql__params_set(&variant->params, array->values, call);
  if (rc == TN_OK)
    rc = mysql__params_bind(&variant->params, variant->stmt, call);
  if (rc == TN_OK)
    rc = execute(bulk, variant->stmt, &error);
  if (rc == TN_OK && error != 0)
    rc = fail(bulk, variant->stmt, array);
  return rc;
}

int32_t
mysql__bulk_send(struct mysql__bulk *bulk, const struct mysql__array *array)
{
  int32_t rc =
      bulk->has_arrays ? send_array(bulk, array) : send_groups(bulk, array);

  if (rc == TN_OK)
    bulk->sent += array->rows;
  return rc;
}

void
mysql__bulk_count_run(struct mysql__bulk *bulk,
                      const struct mysql__array *array)
{
  if (array->is_ended && array->rows < SHORT_RUN &&
      ++bulk->short_runs > SHORT_RUNS_MAX)
    bulk->has_arrays = false;
}

/* The next of `rows` rows that go together. */
int32_t
mysql__bulk_take(struct mysql__bulk *bulk, const tn_value *values,
                 uint64_t rows, uint64_t first_row, struct mysql__array *ret)
{
  int32_t rc;

  memset(ret, 0, sizeof *ret);
  ret->values = values;
  ret->first_row = first_row;
  if (bulk->has_arrays) {
    ret->params = &bulk->odd.params;
    rc = mysql__array_take(ret, rows, MYSQL__CHUNK_BYTES, bulk->conn->call);
    if (rc == TN_OK)
      mysql__bulk_count_run(bulk, ret);
    return rc;
  }
  ret->params = &bulk->shape;
  ret->is_mixed = true;
  if (rows > bulk->group_rows)
    rows = bulk->group_rows;
  return mysql__array_take(ret, rows, MYSQL__CHUNK_BYTES, bulk->conn->call);
}

/* ------------------------------------------------------------------ */
/* Beginning and end                                                    */

static uint32_t
group_rows(uint32_t column_count)
{
  uint32_t rows = GROUP_PARAMETERS / column_count;

  if (rows > GROUP_ROWS)
    rows = GROUP_ROWS;
  return rows < 1 ? 1 : rows;
}

int32_t
mysql__bulk_begin(struct mysql__bulk *bulk,
                  const struct tn_bulk_request *request)
{
  int32_t rc;

  bulk->column_count = request->column_count;
  bulk->group_rows = group_rows(request->column_count);
  bulk->has_arrays = MYSQL__HAS_ARRAYS && bulk->conn->has_arrays;
  rc = make_head(bulk, request);
  if (rc == TN_OK)
    rc = mysql__params_init(&bulk->shape, bulk->column_count,
                            &bulk->conn->limits, bulk->conn->call);
  if (rc == TN_OK)
    rc = prepare(bulk, &bulk->odd, 1);
  return rc;
}

void
mysql__bulk_end(struct mysql__bulk *bulk)
{
  drop(bulk, &bulk->full);
  drop(bulk, &bulk->odd);
  mysql__params_clear(&bulk->shape);
  bulk->conn->host->release(bulk->head);
}
