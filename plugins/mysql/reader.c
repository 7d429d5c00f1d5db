/* The buffers that the client library fetches into.
 *
 * Each column is bound as the type that it has on the wire, so that the library
 * converts nothing. Strings are bound with room for what is usual; what is
 * longer is known by its length and fetched again into a buffer that grows.
 * So a column that could hold 4 GiB costs no more than what has come. */
#include "codec.h"

#include <string.h>

/* Room that a string column has from the start, at most. */
#define FIRST_BYTES 256

/* A buffer above this is given back with the result. */
#define KEPT_BYTES 65536

/* Twice what servers allow in a table, but a hostile one may say more. */
#define COLUMNS_MAX 8192

/* A field as it was when the buffers were made. */
struct mysql__shape {
  uint32_t type;
  uint32_t flags;
  uint32_t decimals;
  uint32_t charset;
  unsigned long length;
};

/* ------------------------------------------------------------------ */
/* Has anything changed since the last time?                            */

static struct mysql__shape
shape_of(const MYSQL_FIELD *field)
{
  struct mysql__shape shape = { (uint32_t)field->type, field->flags,
                                field->decimals, field->charsetnr,
                                field->length };

  return shape;
}

/* What MariaDB says in words is no part of the shape. */
static bool
is_same_type(const MYSQL_FIELD *field, const struct mysql__cell *cell)
{
  struct mysql__type type;

  if (field->extension == NULL)
    return true;
  mysql__type_of(field, &type);
  return type.decoder == cell->decoder &&
         strncmp(type.name, cell->type_name, type.name_size) == 0 &&
         cell->type_name[type.name_size] == '\0';
}

static bool
is_same_field(const struct mysql__reader *reader, const MYSQL_FIELD *field,
              uint32_t column)
{
  const struct mysql__shape *shape = &reader->shapes[column];

  return shape->type == (uint32_t)field->type && shape->flags == field->flags &&
         shape->decimals == field->decimals &&
         shape->charset == field->charsetnr && shape->length == field->length &&
         strcmp(reader->columns[column].name, field->name) == 0 &&
         is_same_type(field, &reader->cells[column]);
}

static bool
is_same(const struct mysql__reader *reader, const MYSQL_FIELD *fields,
        uint32_t count, bool is_text)
{
  uint32_t i;

  if (reader->memory == NULL || reader->count != count ||
      reader->is_text != is_text)
    return false;
  for (i = 0; i < count; i++)
    if (!is_same_field(reader, &fields[i], i))
      return false;
  return true;
}

/* ------------------------------------------------------------------ */
/* Making the buffers                                                   */

static bool
has_bytes(uint32_t decoder)
{
  return decoder >= MYSQL__AS_BIT;
}

/* In eights, and never none: a server may understate a column's width. */
static size_t
first_capacity(const MYSQL_FIELD *field, uint32_t decoder)
{
  if (!has_bytes(decoder))
    return 0;
  if (field->length >= FIRST_BYTES)
    return FIRST_BYTES;
  return ((size_t)field->length + 8) & ~(size_t)7;
}

/* What a number or a time arrives as. */
static enum enum_field_types
fixed_type(uint32_t decoder)
{
  static const uint8_t types[] = {
    [MYSQL__AS_NULL] = MYSQL_TYPE_NULL,
    [MYSQL__AS_INT8] = MYSQL_TYPE_TINY,
    [MYSQL__AS_INT16] = MYSQL_TYPE_SHORT,
    [MYSQL__AS_INT32] = MYSQL_TYPE_LONG,
    [MYSQL__AS_INT64] = MYSQL_TYPE_LONGLONG,
    [MYSQL__AS_UINT8] = MYSQL_TYPE_TINY,
    [MYSQL__AS_UINT16] = MYSQL_TYPE_SHORT,
    [MYSQL__AS_UINT32] = MYSQL_TYPE_LONG,
    [MYSQL__AS_UINT64] = MYSQL_TYPE_LONGLONG,
    [MYSQL__AS_BOOL] = MYSQL_TYPE_TINY,
    [MYSQL__AS_FLOAT] = MYSQL_TYPE_FLOAT,
    [MYSQL__AS_DOUBLE] = MYSQL_TYPE_DOUBLE,
    [MYSQL__AS_DATE] = MYSQL_TYPE_DATE,
    [MYSQL__AS_TIME] = MYSQL_TYPE_TIME,
    [MYSQL__AS_DATETIME] = MYSQL_TYPE_DATETIME,
    [MYSQL__AS_MOMENT] = MYSQL_TYPE_TIMESTAMP,
  };

  return (enum enum_field_types)types[decoder];
}

static void
bind_bytes(MYSQL_BIND *bind, const struct mysql__cell *cell)
{
  bind->buffer_type = MYSQL_TYPE_BLOB;
  bind->buffer = cell->bytes;
  bind->buffer_length = (unsigned long)cell->capacity;
}

static void
bind_cell(MYSQL_BIND *bind, struct mysql__cell *cell, const MYSQL_FIELD *field)
{
  bind->length = &cell->length;
  bind->is_null = &cell->is_null;
  bind->error = &cell->error;
  if (has_bytes(cell->decoder)) {
    bind_bytes(bind, cell);
    return;
  }
  bind->buffer_type = fixed_type(cell->decoder);
  bind->buffer = &cell->as;
  bind->buffer_length = sizeof cell->as;
  bind->is_unsigned = (field->flags & UNSIGNED_FLAG) != 0;
}

/* Parts of the one block, each aligned for what it holds. */
struct plan {
  size_t binds;
  size_t columns;
  size_t shapes;
  size_t bytes;
  size_t names;
  size_t total;
};

/* Fails: TN_E_UNSUPPORTED, TN_E_LIMIT. */
static int32_t
plan_memory(const MYSQL_FIELD *fields, uint32_t count, bool is_text,
            struct tn_call *call, struct plan *ret)
{
  size_t bytes = 0, names = 0;
  uint32_t i;

  if (count > COLUMNS_MAX)
    return tn_fail(call, TN_E_LIMIT, "mysql: a result of %u columns",
                   (unsigned)count);
  for (i = 0; i < count; i++) {
    struct mysql__type type;

    mysql__type_of(&fields[i], &type);
    if (!type.is_known && !is_text)
      return tn_fail(call, TN_E_UNSUPPORTED,
                     "mysql: column %u has the type %u, which the client "
                     "library cannot read",
                     (unsigned)i + 1, (unsigned)fields[i].type);
    bytes += first_capacity(&fields[i], type.decoder);
    names += strlen(fields[i].name) + 1 + type.name_size + 1;
  }
  ret->binds = count * sizeof(struct mysql__cell);
  ret->columns = ret->binds + count * sizeof(MYSQL_BIND);
  ret->shapes = ret->columns + count * sizeof(struct tn_column);
  ret->bytes = ret->shapes + count * sizeof(struct mysql__shape);
  ret->names = ret->bytes + bytes;
  ret->total = ret->names + names;
  return TN_OK;
}

/* Copy a text with its NUL, and go on to behind it. */
static const char *
put_name(char **at, const char *text, size_t size)
{
  char *name = *at;

  memcpy(name, text, size);
  name[size] = '\0';
  *at += size + 1;
  return name;
}

static void
fill_column(struct mysql__reader *reader, const MYSQL_FIELD *field,
            uint32_t column, char **bytes, char **names)
{
  struct mysql__cell *cell = &reader->cells[column];
  struct tn_column *shown = &reader->columns[column];
  struct mysql__type type;

  mysql__type_of(field, &type);
  shown->name = put_name(names, field->name, strlen(field->name));
  shown->type_name = put_name(names, type.name, type.name_size);
  shown->type = type.type;
  cell->decoder = type.decoder;
  cell->decimals = field->decimals;
  cell->type_name = shown->type_name;
  cell->own_capacity = first_capacity(field, type.decoder);
  cell->own = *bytes;
  cell->bytes = cell->own;
  *bytes += cell->own_capacity;

  /* The length of a number is no reason to fetch it again. */
  cell->capacity = has_bytes(type.decoder) ? cell->own_capacity : SIZE_MAX;
  bind_cell(&reader->binds[column], cell, field);
  reader->shapes[column] = shape_of(field);
}

/* Release all but the names, which are kept instead of the previous ones. */
static void
retire(struct mysql__reader *reader)
{
  const struct tn_host *host = reader->host;
  void *memory = reader->memory;
  uint32_t i;

  if (memory == NULL)
    return;
  for (i = 0; !reader->is_text && i < reader->count; i++)
    if (reader->cells[i].bytes != reader->cells[i].own)
      host->release(reader->cells[i].bytes);
  host->release(reader->previous);
  memset(reader, 0, sizeof *reader);
  reader->host = host;
  reader->previous = memory;
}

int32_t
mysql__reader_set(struct mysql__reader *reader, const MYSQL_FIELD *fields,
                  uint32_t count, bool is_text, struct tn_call *call)
{
  struct plan plan = { 0 };
  char *memory, *bytes, *names;
  uint32_t i;
  int32_t rc;

  if (is_same(reader, fields, count, is_text))
    return TN_OK;
  retire(reader);
  rc = plan_memory(fields, count, is_text, call, &plan);
  if (rc != TN_OK)
    return rc;
  memory = call->host->alloc(plan.total);
  if (memory == NULL)
    return tn_fail(call, TN_E_MEMORY, "mysql: out of memory");
  memset(memory, 0, plan.bytes);
  reader->host = call->host;
  reader->memory = memory;
  reader->count = count;
  reader->is_text = is_text;
  reader->is_stale = true;
  reader->cells = (struct mysql__cell *)(void *)memory;
  reader->binds = (MYSQL_BIND *)(void *)(memory + plan.binds);
  reader->columns = (struct tn_column *)(void *)(memory + plan.columns);
  reader->shapes = (struct mysql__shape *)(void *)(memory + plan.shapes);
  bytes = memory + plan.bytes;
  names = memory + plan.names;
  for (i = 0; i < count; i++)
    fill_column(reader, &fields[i], i, &bytes, &names);
  return TN_OK;
}

/* ------------------------------------------------------------------ */
/* Using them                                                           */

int32_t
mysql__reader_bind(struct mysql__reader *reader, MYSQL_STMT *stmt,
                   struct tn_call *call)
{
  if (!reader->is_stale)
    return TN_OK;
  if (mysql_stmt_bind_result(stmt, reader->binds))
    return tn_fail(call, TN_E_INTERNAL, "mysql: columns not bound: %s",
                   mysql_stmt_error(stmt));
  reader->is_stale = false;
  return TN_OK;
}

/* Back to the part of the reader's memory. */
static void
shrink(struct mysql__reader *reader, uint32_t column)
{
  struct mysql__cell *cell = &reader->cells[column];

  if (cell->bytes != cell->own)
    reader->host->release(cell->bytes);
  cell->bytes = cell->own;
  cell->capacity = cell->own_capacity;
  bind_bytes(&reader->binds[column], cell);
  reader->is_stale = true;
}

/* Some more than is needed, so that lengths that creep up do not make a new
 * buffer each time; in steps when it is much. */
static size_t
grown_capacity(size_t needed)
{
  size_t capacity = FIRST_BYTES;

  if (needed > KEPT_BYTES)
    return needed + (KEPT_BYTES - needed % KEPT_BYTES);
  while (capacity < needed)
    capacity *= 2;
  return capacity;
}

int32_t
mysql__reader_grow(struct mysql__reader *reader, MYSQL_STMT *stmt,
                   uint32_t column, struct tn_call *call)
{
  struct mysql__cell *cell = &reader->cells[column];
  size_t capacity = grown_capacity(cell->length);
  MYSQL_BIND bind;
  char *bytes;

  /* What is there is not needed again: first give back, then take. */
  shrink(reader, column);
  bytes = reader->host->alloc(capacity);
  if (bytes == NULL)
    return tn_fail(call, TN_E_MEMORY,
                   "mysql: out of memory for a value of %lu bytes",
                   cell->length);
  cell->bytes = bytes;
  cell->capacity = capacity;
  reader->has_large |= capacity > KEPT_BYTES;
  bind_bytes(&reader->binds[column], cell);
  bind = reader->binds[column];
  if (mysql_stmt_fetch_column(stmt, &bind, column, 0) != 0 ||
      cell->length > capacity)
    return tn_fail(call, TN_E_INTERNAL, "mysql: column %u not fetched: %s",
                   (unsigned)column + 1, mysql_stmt_error(stmt));
  return TN_OK;
}

void
mysql__reader_trim(struct mysql__reader *reader)
{
  uint32_t i;

  for (i = 0; i < reader->count; i++)
    if (reader->cells[i].bytes != reader->cells[i].own &&
        reader->cells[i].capacity > KEPT_BYTES)
      shrink(reader, i);
  reader->has_large = false;
}

void
mysql__reader_clear(struct mysql__reader *reader)
{
  retire(reader);
  if (reader->previous != NULL)
    reader->host->release(reader->previous);
  memset(reader, 0, sizeof *reader);
}
