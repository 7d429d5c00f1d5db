/* Values to parameters.
 *
 * What SQLite would alter without a word is refused with the parameter's
 * number. Bytes are lent to a statement that is complete when execute()
 * returns, and copied for one whose rows are still to be read. */
#include "sqlite_priv.h"

#include <math.h>
#include <string.h>

/* Long enough for "YYYY-MM-DD HH:MM:SS.ffffff+HH:MM:SS". */
#define TIME_TEXT_MAX 64

static int32_t
bind_result(struct sqlite__statement *statement, int code)
{
  return code == SQLITE_OK ? TN_OK : sqlite__fail(statement->conn, code, NULL);
}

/* Bytes are copied only for a query, whose rows are read after execute(); not
 * in a batch, whose values are ours until the result is closed. Lent ones stay
 * bound when the call is over, which is harmless: SQLite looks at none before
 * it runs again, and then all are bound anew. */
static sqlite3_destructor_type
lifetime(struct sqlite__statement *statement)
{
  if (!statement->is_query || statement->batch_row != 0)
    return SQLITE_STATIC;
  statement->has_copies = true;
  return SQLITE_TRANSIENT;
}

static int32_t
bind_bytes(struct sqlite__statement *statement, uint32_t index,
           const tn_value *value)
{
  const char *data = value->as.bytes.size == 0 ? "" : value->as.bytes.data;
  size_t size = value->as.bytes.size;
  int code;

  if (size > (size_t)statement->conn->max_bytes)
    return sqlite__refuse(statement->conn, TN_E_LIMIT, index + 1,
                          "sqlite: the value is longer than the library's "
                          "limit for a value");
  if (value->type == TN_BLOB)
    code = sqlite3_bind_blob64(statement->stmt, (int)index + 1, data, size,
                               lifetime(statement));
  else
    code = sqlite3_bind_text64(statement->stmt, (int)index + 1, data, size,
                               lifetime(statement), SQLITE_UTF8);
  return bind_result(statement, code);
}

static int32_t
bind_int64(struct sqlite__statement *statement, uint32_t index, int64_t number)
{
  return bind_result(
      statement, sqlite3_bind_int64(statement->stmt, (int)index + 1, number));
}

static int32_t
bind_uint64(struct sqlite__statement *statement, uint32_t index,
            uint64_t number)
{
  if (number > INT64_MAX)
    return sqlite__refuse(statement->conn, TN_E_DATA, index + 1,
                          "sqlite: the value is above 9223372036854775807, "
                          "the largest integer that SQLite has");
  return bind_int64(statement, index, (int64_t)number);
}

static int32_t
bind_double(struct sqlite__statement *statement, uint32_t index, double number)
{
  if (isnan(number))
    return sqlite__refuse(statement->conn, TN_E_DATA, index + 1,
                          "sqlite: NaN: SQLite would store NULL");
  return bind_result(
      statement, sqlite3_bind_double(statement->stmt, (int)index + 1, number));
}

/* A decimal goes as text, which a column of numeric affinity makes a number
 * of SQLite's. */
static int32_t
bind_number(struct sqlite__statement *statement, uint32_t index,
            const tn_value *value)
{
  if (statement->targets_size != 0 &&
      !sqlite__is_exact(value->as.bytes.data, value->as.bytes.size)) {
    int32_t rc = sqlite__check_targets(statement, index, value->type);

    if (rc != TN_OK)
      return rc;
  }
  return bind_bytes(statement, index, value);
}

/* Is it a number, and so of interest to numeric affinity? Everything else in
 * JSON starts and ends with something that no number has. */
static bool
is_bare_number(const tn_value *value)
{
  const char *text = value->as.bytes.data;
  size_t size = value->as.bytes.size;

  while (size > 0 &&
         (*text == ' ' || *text == '\t' || *text == '\n' || *text == '\r')) {
    text++;
    size--;
  }
  return size > 0 && (*text == '-' || (*text >= '0' && *text <= '9'));
}

static int32_t
bind_json(struct sqlite__statement *statement, uint32_t index,
          const tn_value *value)
{
  if (is_bare_number(value))
    return bind_number(statement, index, value);
  return bind_bytes(statement, index, value);
}

/* The host prints as many digits of a fraction as there are. SQLAlchemy's six
 * are written here, so that texts compare as the times do. `whole` is the
 * length without a fraction. */
static void
widen_fraction(char *text, size_t whole)
{
  char zone[16];
  size_t digits = 0;
  char *at = text + whole;

  if (*at == '.')
    while (at[1 + digits] >= '0' && at[1 + digits] <= '9')
      digits++;
  sqlite3_snprintf((int)sizeof zone, zone, "%s",
                   at + (digits == 0 ? 0 : digits + 1));
  *at = '.';
  while (digits < 6)
    at[1 + digits++] = '0';
  memcpy(at + 7, zone, strlen(zone) + 1);
}

/* A date, a time, a UUID: as text that the statement gets a copy of. */
static int32_t
bind_printed(struct sqlite__statement *statement, uint32_t index,
             const tn_value *value)
{
  char text[TIME_TEXT_MAX];

  statement->conn->host->value_print(value, text, sizeof text);
  if (value->type == TN_TIME)
    widen_fraction(text, strlen("HH:MM:SS"));
  else if (value->type == TN_TIMESTAMP)
    widen_fraction(text, strlen("YYYY-MM-DD HH:MM:SS"));
  return bind_result(statement,
                     sqlite3_bind_text(statement->stmt, (int)index + 1, text,
                                       -1, SQLITE_TRANSIENT));
}

static int32_t
bind_one(struct sqlite__statement *statement, uint32_t index,
         const tn_value *value)
{
  switch (value->type) {
  case TN_NULL:
    return bind_result(statement,
                       sqlite3_bind_null(statement->stmt, (int)index + 1));
  case TN_BOOL:
  case TN_INT64:
    return bind_int64(statement, index, value->as.int64);
  case TN_UINT64:
    return bind_uint64(statement, index, value->as.uint64);
  case TN_DOUBLE:
    return bind_double(statement, index, value->as.real);
  case TN_DECIMAL:
    return bind_number(statement, index, value);
  case TN_TEXT:
  case TN_BLOB:
    return bind_bytes(statement, index, value);
  case TN_DATE:
  case TN_TIME:
  case TN_TIMESTAMP:
  case TN_UUID:
    return bind_printed(statement, index, value);
  case TN_JSON:
    return bind_json(statement, index, value);
  default:
    return sqlite__refuse(statement->conn, TN_E_UNSUPPORTED, index + 1,
                          "sqlite: the value's type has no form in SQLite");
  }
}

int32_t
sqlite__bind(struct sqlite__statement *statement, const tn_value *values,
             uint32_t count)
{
  uint32_t i;
  int32_t rc;

  for (i = 0; i < count; i++) {
    const tn_value *value = &values[i];

    /* The usual ones by branches, which are foretold better than a jump. */
    if (value->type == TN_INT64)
      rc = bind_int64(statement, i, value->as.int64);
    else if (value->type == TN_TEXT)
      rc = bind_bytes(statement, i, value);
    else
      rc = bind_one(statement, i, value);
    if (rc != TN_OK)
      return rc;
  }
  return TN_OK;
}
