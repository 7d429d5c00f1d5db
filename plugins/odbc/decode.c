/* Rows on their way to the caller: read in blocks by the thread, as bytes, and
 * made values of one by one. */
#include "odbc_priv.h"

#include <string.h>

/* A block ends with so many bytes, even if more rows are wanted. */
#define BLOCK_BYTES ((size_t)256 << 10)

/* Room for a value whose length is not known yet. */
#define FIRST_ROOM 256

/* ---- in the thread ---- */

static bool
make_room(struct odbc__statement *statement, size_t more)
{
  const struct tn_host *host = statement->conn->host;
  size_t capacity = statement->capacity;
  char *bytes;

  if (statement->size + more <= capacity)
    return true;
  capacity = (statement->size + more) + (statement->size + more) / 2 + 4096;
  bytes = host->resize(statement->bytes, capacity);
  if (bytes == NULL) {
    statement->is_out_of_memory = true;
    return false;
  }
  statement->bytes = bytes;
  statement->capacity = capacity;
  return true;
}

/* Bytes of the end of a piece that are its terminator. */
static size_t
terminator_of(SQLSMALLINT c_type)
{
  if (c_type == SQL_C_WCHAR)
    return sizeof(SQLWCHAR);
  return c_type == SQL_C_CHAR ? 1 : 0;
}

/* A text or bytes, in pieces, each as long as there is room. */
static SQLRETURN
read_pieces(struct odbc__statement *statement, SQLUSMALLINT number,
            SQLSMALLINT c_type, struct odbc__cell *cell)
{
  size_t end = terminator_of(c_type);
  size_t wanted = FIRST_ROOM;

  /* UTF-16 must be aligned. */
  statement->size = (statement->size + 7) & ~(size_t)7;
  cell->at = statement->size;
  for (;;) {
    SQLLEN left = 0;
    size_t room;
    SQLRETURN rc;

    if (!make_room(statement, wanted + end))
      return SQL_ERROR;
    room = statement->capacity - statement->size;
    room -= c_type == SQL_C_WCHAR ? room % sizeof(SQLWCHAR) : 0;
    rc = SQLGetData(statement->stmt, number, c_type,
                    statement->bytes + statement->size, (SQLLEN)room, &left);
    if (rc == SQL_NO_DATA)
      break;
    if (!SQL_SUCCEEDED(rc))
      return rc;
    if (left == SQL_NULL_DATA) {
      cell->size = -1;
      return SQL_SUCCESS;
    }
    if (left != SQL_NO_TOTAL && (size_t)left <= room - end) {
      statement->size += (size_t)left;
      break;
    }
    statement->size += room - end;
    wanted = left == SQL_NO_TOTAL ? room : (size_t)left - (room - end) + end;
  }
  cell->size = (int64_t)(statement->size - cell->at);
  return SQL_SUCCESS;
}

static SQLRETURN
read_cell(struct odbc__statement *statement, SQLUSMALLINT number,
          SQLSMALLINT c_type, struct odbc__cell *cell)
{
  SQLLEN indicator = 0;
  SQLRETURN rc;

  if (c_type == SQL_C_CHAR || c_type == SQL_C_WCHAR || c_type == SQL_C_BINARY)
    return read_pieces(statement, number, c_type, cell);
  if (!make_room(statement, 16))
    return SQL_ERROR;
  statement->size = (statement->size + 7) & ~(size_t)7;
  cell->at = statement->size;
  memset(statement->bytes + cell->at, 0, 8);
  rc = SQLGetData(statement->stmt, number, c_type, statement->bytes + cell->at,
                  8, &indicator);
  cell->size = indicator == SQL_NULL_DATA ? -1 : 8;
  statement->size += 8;
  return rc;
}

static SQLRETURN
read_row(struct odbc__statement *statement)
{
  struct odbc__cell *cells =
      statement->cells +
      (size_t)statement->rows * (size_t)statement->column_count;
  SQLRETURN rc = SQLFetch(statement->stmt);
  SQLSMALLINT i;

  for (i = 0; i < statement->column_count && SQL_SUCCEEDED(rc); i++)
    rc = read_cell(statement, (SQLUSMALLINT)(i + 1), statement->kinds[i].c_type,
                   &cells[i]);
  return rc;
}

SQLRETURN
odbc__read_block(void *user)
{
  struct odbc__statement *statement = user;

  statement->rows = 0;
  statement->row = 0;
  statement->size = 0;
  while (statement->rows < statement->rows_wanted &&
         statement->size < BLOCK_BYTES) {
    SQLRETURN rc = read_row(statement);

    if (rc == SQL_NO_DATA) {
      statement->is_at_end = true;
      return SQL_SUCCESS;
    }
    if (!SQL_SUCCEEDED(rc))
      return rc;
    statement->rows++;
  }

  /* The first rows soon, the others in larger blocks. */
  if (statement->rows_wanted < ODBC__BLOCK_ROWS)
    statement->rows_wanted *= 2;
  return SQL_SUCCESS;
}

/* ---- with the caller ---- */

/* A text is UTF-8. A database that does not see to it, as SQLite, may hold any
 * bytes as one. */
static void
give_text(const struct tn_host *host, const char *text, size_t size,
          tn_value *ret)
{
  if (host->value_parse(TN_TEXT, text, size, ret) != TN_OK)
    *ret = tn_blob(text, size);
}

/* What is no value of the column's type comes back as the text it is. */
static void
parse_text(const struct odbc__statement *statement,
           const struct odbc__column *column, const char *text, size_t size,
           tn_value *ret)
{
  const struct tn_host *host = statement->conn->host;

  if (column->type == TN_BOOL && size == 1 &&
      (text[0] == '0' || text[0] == '1')) {
    *ret = tn_bool(text[0] == '1');
    return;
  }
  if (column->type == TN_TEXT ||
      host->value_parse(column->type, text, size, ret) != TN_OK) {
    give_text(host, text, size, ret);
    return;
  }
  if (column->is_zoned && ret->type == TN_TIMESTAMP &&
      (ret->flags & TN_VALUE_ZONED) == 0)
    *ret = tn_timestamp_zoned(ret->as.micros, 0);
}

static void
decode_number(const char *bytes, const struct odbc__column *column,
              tn_value *ret)
{
  int64_t integer;
  double real;

  memcpy(&integer, bytes, sizeof integer);
  memcpy(&real, bytes, sizeof real);
  if (column->c_type == SQL_C_BIT)
    *ret = tn_bool(bytes[0]);
  else if (column->type == TN_BOOL && (integer == 0 || integer == 1))
    *ret = tn_bool(integer != 0);
  else if (column->c_type == SQL_C_DOUBLE)
    *ret = tn_double(real);
  else if (column->c_type == SQL_C_UBIGINT)
    *ret = tn_uint64((uint64_t)integer);
  else
    *ret = tn_int64(integer);
}

/* Room for all texts of the row that are UTF-16, so that none moves. */
static bool
make_utf8(struct odbc__statement *statement, const struct odbc__cell *cells)
{
  size_t wanted = 1;
  char *utf8;
  SQLSMALLINT i;

  for (i = 0; i < statement->column_count; i++)
    if (statement->kinds[i].c_type == SQL_C_WCHAR && cells[i].size > 0)
      wanted += (size_t)cells[i].size / sizeof(SQLWCHAR) * 3 + 1;
  if (wanted <= statement->utf8_capacity)
    return true;
  utf8 = statement->conn->host->resize(statement->utf8, wanted * 2);
  if (utf8 == NULL)
    return false;
  statement->utf8 = utf8;
  statement->utf8_capacity = wanted * 2;
  return true;
}

int32_t
odbc__decode(struct odbc__statement *statement, tn_value *cells)
{
  const struct odbc__cell *raw =
      statement->cells +
      (size_t)statement->row * (size_t)statement->column_count;
  size_t used = 0;
  SQLSMALLINT i;

  if (!make_utf8(statement, raw))
    return TN_E_MEMORY;
  for (i = 0; i < statement->column_count; i++) {
    const struct odbc__column *column = &statement->kinds[i];
    const char *bytes = statement->bytes + raw[i].at;
    size_t size = (size_t)raw[i].size;

    if (raw[i].size < 0) {
      cells[i] = tn_null();
    } else if (column->c_type == SQL_C_BINARY && column->type == TN_TEXT) {
      give_text(statement->conn->host, bytes, size, &cells[i]);
    } else if (column->c_type == SQL_C_BINARY) {
      cells[i] = tn_blob(bytes, size);
    } else if (column->c_type == SQL_C_CHAR) {
      parse_text(statement, column, bytes, size, &cells[i]);
    } else if (column->c_type == SQL_C_WCHAR) {
      char *text = statement->utf8 + used;

      size = odbc__to_utf8((const SQLWCHAR *)(const void *)bytes,
                           size / sizeof(SQLWCHAR), text);
      used += size + 1;
      parse_text(statement, column, text, size, &cells[i]);
    } else {
      decode_number(bytes, column, &cells[i]);
    }
  }
  statement->row++;
  return TN_OK;
}
