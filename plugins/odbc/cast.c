/* Parameters with their types, for a driver that sends none: the server would
 * take all that it cannot tell for text. So each is written with a cast, and
 * the statement is compiled again when the types of its values change. */
#include "odbc_priv.h"

#include <string.h>

/* Longest cast, and a NUL. */
#define CAST_SIZE 16

static const char *const casts[] = {
  [TN_BOOL] = "::bool",       [TN_INT64] = "::int8",
  [TN_UINT64] = "::numeric",  [TN_DOUBLE] = "::float8",
  [TN_DECIMAL] = "::numeric", [TN_TEXT] = "",
  [TN_BLOB] = "::bytea",      [TN_DATE] = "::date",
  [TN_TIME] = "::time",       [TN_TIMESTAMP] = "::timestamp",
  [TN_UUID] = "::uuid",       [TN_JSON] = "::json",
};

/* Functions of smaller integers take none of the largest. */
static const char *
cast_of(const tn_value *value)
{
  if (value->type == TN_INT64 && value->as.int64 >= INT32_MIN &&
      value->as.int64 <= INT32_MAX)
    return "::int4";
  if (value->type == TN_TIMESTAMP && (value->flags & TN_VALUE_ZONED) != 0)
    return "::timestamptz";
  if (value->type >= ODBC__COUNT(casts) || casts[value->type] == NULL)
    return "";
  return casts[value->type];
}

/* The text of `source` with a cast behind each parameter; NULL without
 * memory. */
static char *
write_casts(const struct odbc__statement *statement, const tn_value *values,
            uint32_t count, size_t *ret_size)
{
  const struct odbc__conn *conn = statement->conn;
  const struct odbc__text *source = &statement->source;
  char *text = conn->host->alloc(source->units + (size_t)count * CAST_SIZE + 1);
  size_t used = 0;
  size_t done = 0;
  size_t at = 0;
  uint32_t i;

  if (text == NULL)
    return NULL;
  for (i = 0;
       i < count && odbc__next_mark(conn->family->dialect->lexer, source, &at);
       i++) {
    const char *cast = cast_of(&values[i]);
    size_t size = strlen(cast) + 1;

    at++;
    memcpy(text + used, (const char *)source->data + done, at - done);
    used += at - done;
    memcpy(text + used, cast, size);
    used += size - 1;
    done = at;
  }
  memcpy(text + used, (const char *)source->data + done, source->units - done);
  *ret_size = used + source->units - done;
  return text;
}

/* Have the casts changed since they were written? Notes the new ones. */
static bool
has_changed(struct odbc__statement *statement, const tn_value *values,
            uint32_t count)
{
  bool has_changed = false;
  uint32_t i;

  for (i = 0; i < count; i++) {
    const char *cast = cast_of(&values[i]);

    /* A NULL is one of any type. */
    if (values[i].type == TN_NULL && statement->parameters[i].cast != NULL)
      cast = statement->parameters[i].cast;
    if (statement->parameters[i].cast != cast)
      has_changed = true;
    statement->parameters[i].cast = cast;
  }
  return has_changed;
}

int32_t
odbc__cast(struct odbc__statement *statement, const tn_value *values,
           uint32_t count, struct tn_call *call)
{
  const struct tn_host *host = statement->conn->host;
  struct odbc__text made;
  size_t size = 0;
  char *text;
  bool is_made;

  if (count == 0 || !has_changed(statement, values, count))
    return TN_OK;
  text = write_casts(statement, values, count, &size);
  is_made = text != NULL && odbc__text_make(statement->conn, text, size, &made);
  host->release(text);
  if (!is_made) {
    statement->parameters[0].cast = NULL; /* so that the next call tries */
    return odbc__fail_memory(call);
  }
  odbc__hide_marks(statement->conn->family->dialect->lexer, &made, false);
  host->release(statement->sql.data);
  statement->sql = made;
  statement->is_outdated = true;
  return TN_OK;
}
