/* Bulk loads: COPY … FROM STDIN.
 *
 * In binary, if every column has a type whose form is written here; one that
 * only the server can read (an enum's is its text, a point's is not) makes the
 * whole load one in text. Rows are gathered and handed to libpq in pieces, so
 * that neither side keeps much: the next piece waits until the server has taken
 * most of those before it. What the server has against a row it says at the
 * end, or when it hangs up. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codec_priv.h"
#include "pg_priv.h"

/* Bytes to hand over at a time, and that libpq may keep. */
#define PIECE    ((size_t)1 << 16)
#define KEPT_MAX ((size_t)1 << 18)

struct bulk {
  struct pg__conn *conn;
  struct pg__buffer buffer; /* rows that were not handed over yet */
  size_t kept;              /* by libpq, at most */
  uint64_t rows;
  bool is_text;
  bool is_over; /* nothing is under way any more */
  char *table;
  uint32_t column_count;
  const struct pg__type *types[]; /* of the columns; NULL: not built in */
};

/* ------------------------------------------------------------------ */
/* Statements                                                           */

static bool
put_text(struct pg__buffer *buffer, const char *text)
{
  return pg__buffer_put(buffer, text, strlen(text));
}

static bool
put_name(struct pg__buffer *buffer, const char *name)
{
  bool is_good = put_text(buffer, "\"");

  for (; *name != '\0'; name++)
    is_good = is_good && pg__buffer_put(buffer, "\"\"", *name == '"') &&
              pg__buffer_put(buffer, name, 1);
  return is_good && put_text(buffer, "\"");
}

static bool
put_table(struct pg__buffer *buffer, const struct tn_bulk_request *request)
{
  return (request->schema == NULL ||
          (put_name(buffer, request->schema) && put_text(buffer, "."))) &&
         put_name(buffer, request->table);
}

static bool
put_copy(struct pg__buffer *buffer, const struct tn_bulk_request *request,
         bool is_text)
{
  bool is_good = put_text(buffer, "COPY ") && put_table(buffer, request) &&
                 put_text(buffer, " (");
  uint32_t i;

  for (i = 0; i < request->column_count; i++)
    is_good = is_good && put_text(buffer, i == 0 ? "" : ", ") &&
              put_name(buffer, request->columns[i]);
  return is_good &&
         put_text(buffer, is_text ? ") FROM STDIN (FORMAT text)"
                                  : ") FROM STDIN (FORMAT binary)") &&
         pg__buffer_put(buffer, "", 1);
}

/* ------------------------------------------------------------------ */
/* Failures                                                             */

/* The load is over: read what the server still says. */
static int32_t
give_up(struct bulk *bulk, int32_t category)
{
  bulk->is_over = true;
  return pg__settle(bulk->conn, category);
}

/* The number of the row in "COPY table, line 7, column a: …", which is one
 * line of the context; 0 if there is none. "line" may be in any language. */
static uint64_t
row_of_context(const char *context, const char *table)
{
  static const char start[] = "COPY ";
  size_t size = strlen(table);

  while (context != NULL) {
    if (strncmp(context, start, sizeof start - 1) == 0 &&
        strncmp(context + sizeof start - 1, table, size) == 0 &&
        context[sizeof start - 1 + size] == ',') {
      context += sizeof start + size;
      context += strcspn(context, "0123456789\n");
      return strtoull(context, NULL, 10);
    }
    context = strchr(context, '\n');
    if (context != NULL)
      context++;
  }
  return 0;
}

/* Report a result that is a failure, and clear it. */
static int32_t
fail_result(struct bulk *bulk, PGresult *result)
{
  const char *context = PQresultErrorField(result, PG_DIAG_CONTEXT);
  int32_t rc =
      pg__fail(bulk->conn, result, row_of_context(context, bulk->table));

  PQclear(result);
  if (rc == TN_E_NO_TABLE)
    bulk->conn->host->fail_field(bulk->conn->call, TN_ERR_TABLE, bulk->table,
                                 strlen(bulk->table));
  return give_up(bulk, rc);
}

/* A result that should be of `wanted`; cleared if it is not, or if nobody
 * wants it. */
static int32_t
expect(struct bulk *bulk, ExecStatusType wanted, PGresult **ret)
{
  PGresult *result = NULL;
  int32_t rc = pg__next(bulk->conn, &result);

  if (rc != TN_OK) {
    bulk->is_over = true;
    return rc;
  }
  if (result == NULL)
    return give_up(bulk, tn_fail(bulk->conn->call, TN_E_INTERNAL,
                                 "postgresql: the server did not answer a "
                                 "COPY"));
  if (PQresultStatus(result) != wanted)
    return fail_result(bulk, result);
  if (ret != NULL)
    *ret = result;
  else
    PQclear(result);
  return TN_OK;
}

/* ------------------------------------------------------------------ */
/* Columns                                                              */

static bool
is_writable(const struct pg__type *type)
{
  if (type != NULL && type->element != 0)
    type = pg__type_find(type->element);
  return type != NULL && type->tn_type != TN_OTHER &&
         type->encode != pg__encode_other;
}

static int32_t
fail_column(struct bulk *bulk, const char *name, uint32_t parameter)
{
  struct tn_call *call = bulk->conn->call;
  struct tn_failure failure;
  char text[320];

  snprintf(text, sizeof text,
           "postgresql: column \"%s\" of relation \"%s\" does not exist", name,
           bulk->table);
  memset(&failure, 0, sizeof failure);
  failure.size = sizeof failure;
  failure.category = TN_E_NO_COLUMN;
  failure.sqlstate = "42703";
  failure.parameter = (int32_t)parameter;
  failure.message = text;
  call->host->fail(call, &failure);
  call->host->fail_field(call, TN_ERR_TABLE, bulk->table, strlen(bulk->table));
  call->host->fail_field(call, TN_ERR_COLUMN, name, strlen(name));
  return TN_E_NO_COLUMN;
}

/* Find a column among those of the table: name, type, kind of type. */
static bool
find_column(struct bulk *bulk, const PGresult *rows, const char *name,
            const struct pg__type **ret)
{
  int i;

  for (i = 0; i < PQntuples(rows); i++) {
    uint32_t oid = (uint32_t)strtoul(PQgetvalue(rows, i, 1), NULL, 10);

    if (strcmp(PQgetvalue(rows, i, 0), name) != 0)
      continue;
    /* An enum's binary form is its text. */
    if (PQgetvalue(rows, i, 2)[0] == 'e')
      oid = PG__OID_TEXT;
    *ret = pg__type_find(oid);
    bulk->is_text = bulk->is_text || !is_writable(*ret);
    return true;
  }
  return false;
}

/* Ask the catalogue, which everybody may read, and not the table, which one may
 * be allowed to write only. */
static int32_t
find_columns(struct bulk *bulk, const struct tn_bulk_request *request)
{
  static const char sql[] =
      "SELECT a.attname, CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.oid "
      "END, t.typtype FROM pg_catalog.pg_attribute AS a "
      "JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid "
      "WHERE a.attrelid = pg_catalog.to_regclass($1) AND a.attnum > 0 "
      "AND NOT a.attisdropped";
  const char *name;
  PGresult *rows = NULL;
  uint32_t i;
  int32_t rc;

  bulk->buffer.size = 0;
  if (!put_table(&bulk->buffer, request) ||
      !pg__buffer_put(&bulk->buffer, "", 1))
    return pg__fail_memory(bulk->conn->call);
  name = bulk->buffer.data;
  rc = pg__query(bulk->conn, sql, &name, 1, &rows);
  if (rc != TN_OK)
    return rc;

  /* Without a table COPY says so in better words. */
  for (i = 0; rc == TN_OK && PQntuples(rows) > 0 && i < request->column_count;
       i++)
    if (!find_column(bulk, rows, request->columns[i], &bulk->types[i]))
      rc = fail_column(bulk, request->columns[i], i + 1);
  PQclear(rows);
  return rc;
}

/* ------------------------------------------------------------------ */
/* Sending                                                              */

/* The connection would not take more: the next result says why. */
static int32_t
fail_copy(struct bulk *bulk)
{
  PGresult *result = NULL;
  int32_t rc = pg__next(bulk->conn, &result);

  if (rc != TN_OK)
    return rc;
  if (result != NULL && PQresultStatus(result) == PGRES_FATAL_ERROR)
    return fail_result(bulk, result);
  PQclear(result);
  return give_up(bulk, pg__fail_send(bulk->conn));
}

/* Have libpq take a piece, and the server what was taken before. */
static int32_t
hand_over_piece(struct bulk *bulk, const char *data, size_t size)
{
  struct pg__conn *conn = bulk->conn;
  int32_t rc = conn->host->check(conn->call);
  int taken = 0;

  if (rc != TN_OK)
    return pg__stop(conn, rc);
  while (rc == TN_OK && taken == 0) {
    taken = PQputCopyData(conn->pq, data, (int)size);
    if (taken < 0)
      return fail_copy(bulk);
    pg__push(conn);
    if (!conn->has_unsent)
      bulk->kept = 0;
    else if (taken == 0 || bulk->kept > KEPT_MAX) {
      rc = pg__flush(conn);
      bulk->kept = 0;
    }
  }
  bulk->kept += size;
  if (rc == TN_OK && PQstatus(conn->pq) == CONNECTION_BAD)
    return fail_copy(bulk);
  return rc;
}

static int32_t
hand_over(struct bulk *bulk)
{
  size_t size = bulk->buffer.size;
  size_t at = 0;
  int32_t rc = TN_OK;

  while (rc == TN_OK && at < size) {
    size_t piece = size - at < PIECE ? size - at : PIECE;

    rc = hand_over_piece(bulk, bulk->buffer.data + at, piece);
    at += piece;
  }
  bulk->buffer.size = 0;
  return rc;
}

/* ------------------------------------------------------------------ */
/* Rows                                                                 */

/* What a load in binary begins with: a mark, no flags, nothing more in the
 * head. */
static const char head[19] = "PGCOPY\n\xff\r\n";

static int32_t
fail_field(struct bulk *bulk, uint32_t index, enum pg__encoded encoded,
           const struct pg__sink *sink)
{
  const struct pg__type *type = bulk->types[index];
  int32_t rc;

  if (encoded == PG__NO_MEMORY)
    rc = pg__fail_memory(bulk->conn->call);
  else
    rc = pg__fail_refused(sink, type == NULL ? "of its own" : type->name,
                          index + 1, bulk->rows + 1);
  return give_up(bulk, rc);
}

static int32_t
write_row(struct bulk *bulk, const tn_value *values, struct pg__sink *sink)
{
  struct pg__buffer *buffer = &bulk->buffer;
  enum pg__encoded encoded = PG__ENCODED;
  uint32_t i;

  if (!bulk->is_text) {
    char *count = pg__buffer_add(buffer, 2);

    if (count == NULL)
      return fail_field(bulk, 0, PG__NO_MEMORY, sink);
    pg__put16(count, (uint16_t)bulk->column_count);
  }
  for (i = 0; i < bulk->column_count; i++) {
    if (!bulk->is_text)
      encoded = pg__encode_field(bulk->types[i], &values[i], sink);
    else if (i > 0 && !pg__buffer_put(buffer, "\t", 1))
      encoded = PG__NO_MEMORY;
    else
      encoded = pg__encode_copy_text(bulk->types[i], &values[i], sink);
    if (encoded != PG__ENCODED)
      return fail_field(bulk, i, encoded, sink);
  }
  if (bulk->is_text && !pg__buffer_put(buffer, "\n", 1))
    return fail_field(bulk, 0, PG__NO_MEMORY, sink);
  bulk->rows++;
  return TN_OK;
}

/* ------------------------------------------------------------------ */
/* The slots                                                            */

static int32_t
fail_over(struct bulk *bulk)
{
  return tn_fail(bulk->conn->call, TN_E_STATE, "postgresql: the load is over");
}

static int32_t
bulk_write(void *handle, const tn_value *values, uint64_t rows,
           struct tn_call *call)
{
  struct bulk *bulk = handle;
  struct pg__sink sink;
  int32_t rc = TN_OK;
  uint64_t i;

  pg__enter(bulk->conn, call);
  if (bulk->is_over)
    return fail_over(bulk);
  pg__sink_init(&sink, &bulk->buffer, call);
  sink.is_binary_only = !bulk->is_text;
  for (i = 0; rc == TN_OK && i < rows; i++) {
    rc = write_row(bulk, values + i * bulk->column_count, &sink);
    if (rc == TN_OK && bulk->buffer.size >= PIECE)
      rc = hand_over(bulk);
  }
  bulk->is_over = rc != TN_OK;
  return rc;
}

/* Tell the server that this is all. */
static int32_t
end_copy(struct bulk *bulk)
{
  struct pg__conn *conn = bulk->conn;
  int32_t rc = TN_OK;
  int taken;

  if (!bulk->is_text && !pg__buffer_put(&bulk->buffer, "\xff\xff", 2))
    return give_up(bulk, pg__fail_memory(conn->call));
  rc = hand_over(bulk);
  while (rc == TN_OK && (taken = PQputCopyEnd(conn->pq, NULL)) <= 0)
    rc = taken < 0 ? fail_copy(bulk) : pg__flush(conn);
  return rc == TN_OK ? pg__flush(conn) : rc;
}

static int32_t
bulk_finish(void *handle, struct tn_call *call, uint64_t *ret_rows)
{
  struct bulk *bulk = handle;
  PGresult *result = NULL;
  int32_t rc;

  pg__enter(bulk->conn, call);
  if (bulk->is_over)
    return fail_over(bulk);
  rc = end_copy(bulk);
  if (rc == TN_OK)
    rc = expect(bulk, PGRES_COMMAND_OK, &result);
  bulk->is_over = true;
  if (rc != TN_OK)
    return rc;
  *ret_rows = strtoull(PQcmdTuples(result), NULL, 10);
  PQclear(result);
  return pg__drain(bulk->conn, NULL);
}

static void
release(struct bulk *bulk)
{
  const struct tn_host *host = bulk->conn->host;

  pg__buffer_clear(&bulk->buffer);
  host->release(bulk->table);
  host->release(bulk);
}

static void
bulk_close(void *handle, struct tn_call *call)
{
  struct bulk *bulk = handle;

  pg__enter(bulk->conn, call);
  if (!bulk->is_over)
    (void)pg__discard(bulk->conn, false);
  release(bulk);
}

/* Begin the COPY. */
static int32_t
start(struct bulk *bulk, const struct tn_bulk_request *request)
{
  struct pg__conn *conn = bulk->conn;
  int32_t rc;

  bulk->buffer.size = 0;
  if (!put_copy(&bulk->buffer, request, bulk->is_text))
    return pg__fail_memory(conn->call);
  rc = pg__ready(conn, PG__WRITE);
  if (rc != TN_OK)
    return rc;
  conn->unnamed = NULL;
  if (!PQsendQuery(conn->pq, bulk->buffer.data))
    return pg__fail_send(conn);
  rc = pg__flush(conn);
  if (rc == TN_OK)
    rc = expect(bulk, PGRES_COPY_IN, NULL);
  bulk->buffer.size = 0;
  if (rc == TN_OK && !bulk->is_text &&
      !pg__buffer_put(&bulk->buffer, head, sizeof head))
    return give_up(bulk, pg__fail_memory(conn->call));
  return rc;
}

static struct bulk *
bulk_new(struct pg__conn *conn, const struct tn_bulk_request *request)
{
  const struct tn_host *host = conn->host;
  size_t size =
      sizeof(struct bulk) + request->column_count * sizeof(struct pg__type *);
  size_t name_size = strlen(request->table) + 1;
  struct bulk *bulk = host->alloc(size);

  if (bulk == NULL)
    return NULL;
  memset(bulk, 0, size);
  bulk->conn = conn;
  bulk->column_count = request->column_count;
  pg__buffer_init(&bulk->buffer, host);
  bulk->table = host->alloc(name_size);
  if (bulk->table == NULL) {
    release(bulk);
    return NULL;
  }
  memcpy(bulk->table, request->table, name_size);
  return bulk;
}

static int32_t
bulk_open(void *handle, const struct tn_bulk_request *request,
          struct tn_call *call, void **ret)
{
  struct pg__conn *conn = handle;
  struct bulk *bulk;
  int32_t rc;

  pg__enter(conn, call);
  bulk = bulk_new(conn, request);
  if (bulk == NULL)
    return pg__fail_memory(call);
  rc = find_columns(bulk, request);
  if (rc == TN_OK)
    rc = start(bulk, request);
  if (rc != TN_OK) {
    release(bulk);
    return rc;
  }
  *ret = bulk;
  return TN_OK;
}

const struct tn_bulk_table pg__bulk_table = {
  .size = sizeof(struct tn_bulk_table),
  .open = bulk_open,
  .write = bulk_write,
  .finish = bulk_finish,
  .close = bulk_close,
};
