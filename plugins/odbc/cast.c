/* Parameters with their types, for a driver that sends none, or not all: the
 * server would take what it cannot tell for text. So each is written with a
 * cast, and the statement is compiled again when the types of its values
 * change. */
#include "odbc_priv.h"

#include <string.h>

static const char plain[] = "?";

/* An exponent that is longer than makes sense is far out of every range. */
#define EXPONENT_MAX 100000

static int64_t
exponent_of(const char *text, size_t size)
{
  int64_t exponent = 0;
  size_t i;

  for (i = 0; i < size && exponent < EXPONENT_MAX; i++)
    if (text[i] >= '0' && text[i] <= '9')
      exponent = exponent * 10 + (text[i] - '0');
  return size > 0 && text[0] == '-' ? -exponent : exponent;
}

void
odbc__count_digits(const tn_value *value, int64_t *ret_whole,
                   int64_t *ret_scale)
{
  const char *text = value->as.bytes.data;
  size_t size = value->as.bytes.size;
  int64_t counts[2] = { 0, 0 };
  int64_t exponent = 0;
  int part = 0;
  size_t i;

  for (i = 0; i < size; i++) {
    if (text[i] == 'e' || text[i] == 'E') {
      exponent = exponent_of(text + i + 1, size - i - 1);
      break;
    }
    if (text[i] == '.')
      part = 1;
    else if (text[i] >= '0' && text[i] <= '9')
      counts[part]++;
  }
  *ret_whole = counts[0] + exponent > 0 ? counts[0] + exponent : 0;
  *ret_scale = counts[1] - exponent > 0 ? counts[1] - exponent : 0;
}

/* What a parameter of this value is written as. `ret` has room for a decimal's,
 * whose scale is its own: any other would alter it, or what it is added to. */
static const char *
cast_of(const struct odbc__casts *casts, const tn_value *value,
        char ret[ODBC__CAST_SIZE])
{
  const char *cast =
      value->type < ODBC__COUNT(casts->of) ? casts->of[value->type] : NULL;
  int64_t whole;
  int64_t scale;

  if (value->type == TN_INT64 && casts->small_integer != NULL &&
      value->as.int64 >= INT32_MIN && value->as.int64 <= INT32_MAX)
    return casts->small_integer;
  if (value->type == TN_TIMESTAMP && casts->moment != NULL &&
      (value->flags & TN_VALUE_ZONED) != 0)
    return casts->moment;
  if (cast == NULL)
    return plain;
  if (value->type != TN_DECIMAL || casts->decimal_digits == 0)
    return cast;
  odbc__count_digits(value, &whole, &scale);
  snprintf(ret, ODBC__CAST_SIZE, "%s(%u,%u))", cast,
           (unsigned)casts->decimal_digits, (unsigned)scale);
  return ret;
}

static const char *
last_cast(const struct odbc__statement *statement, uint32_t i)
{
  const char *cast = statement->parameters[i].cast;

  return cast[0] == '\0' ? plain : cast;
}

/* A NULL is one of any type, and keeps the cast of before. */
static const char *
next_cast(const struct odbc__statement *statement, uint32_t i,
          const tn_value *value, char ret[ODBC__CAST_SIZE])
{
  if (value->type == TN_NULL)
    return last_cast(statement, i);
  return cast_of(statement->conn->family->casts, value, ret);
}

/* The text of `source` with the casts of these values; NULL without memory. */
static char *
write_casts(const struct odbc__statement *statement, const tn_value *values,
            uint32_t count, size_t *ret_size)
{
  const struct odbc__conn *conn = statement->conn;
  const struct odbc__text *source = &statement->source;
  const char *text = source->data;
  char *made =
      conn->host->alloc(source->units + (size_t)count * ODBC__CAST_SIZE + 1);
  char buffer[ODBC__CAST_SIZE];
  size_t used = 0;
  size_t done = 0;
  struct odbc__place place = { 0 };
  uint32_t i;

  if (made == NULL)
    return NULL;
  for (i = 0; i < count &&
              odbc__next_mark(conn->family->dialect->lexer, source, &place);
       i++) {
    const char *cast = next_cast(statement, i, &values[i], buffer);
    size_t size = strlen(cast) + 1;

    memcpy(made + used, text + done, place.at - done);
    used += place.at - done;
    memcpy(made + used, cast, size);
    used += size - 1;
    done = ++place.at;
  }
  memcpy(made + used, text + done, source->units - done);
  *ret_size = used + source->units - done;
  return made;
}

static bool
has_changed(const struct odbc__statement *statement, const tn_value *values,
            uint32_t count)
{
  char buffer[ODBC__CAST_SIZE];
  uint32_t i;

  for (i = 0; i < count; i++)
    if (strcmp(next_cast(statement, i, &values[i], buffer),
               last_cast(statement, i)) != 0)
      return true;
  return false;
}

static void
note_casts(struct odbc__statement *statement, const tn_value *values,
           uint32_t count)
{
  char buffer[ODBC__CAST_SIZE];
  uint32_t i;

  for (i = 0; i < count; i++) {
    const char *cast = next_cast(statement, i, &values[i], buffer);

    if (cast != statement->parameters[i].cast)
      snprintf(statement->parameters[i].cast, ODBC__CAST_SIZE, "%s", cast);
  }
}

int32_t
odbc__cast(struct odbc__statement *statement, const tn_value *values,
           uint32_t count, struct tn_call *call)
{
  const struct tn_host *host = statement->conn->host;
  uint32_t lexer = statement->conn->family->dialect->lexer;
  struct odbc__text made;
  size_t size = 0;
  char *text;
  bool is_made;

  if (!has_changed(statement, values, count))
    return TN_OK;
  text = write_casts(statement, values, count, &size);
  is_made = text != NULL && odbc__text_make(statement->conn, text, size, &made);
  host->release(text);
  if (!is_made)
    return odbc__fail_memory(call);
  odbc__hide_marks(lexer, &made, false);
  host->release(statement->sql.data);
  statement->sql = made;
  statement->is_outdated = true;
  note_casts(statement, values, count);
  return TN_OK;
}
