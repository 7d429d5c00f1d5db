/* The parameters of a statement.
 *
 * The library keeps pointers, and to bind again costs a copy of all binds and
 * has the types sent again: so numbers, times and short texts are copied into
 * storage that stays where it is, and only long texts and another type are
 * bound anew. */
#include "codec.h"

#include <string.h>

/* Texts up to this are copied. */
#define COPIED_BYTES 1024

int32_t
mysql__refuse(struct tn_call *call, int32_t category, uint32_t parameter,
              uint64_t row, const char *text)
{
  struct tn_failure failure;

  memset(&failure, 0, sizeof failure);
  failure.size = sizeof failure;
  failure.category = category;
  failure.parameter = (int32_t)parameter;
  failure.row = row;
  failure.message = text;
  return call->host->fail(call, &failure);
}

/* A request of `bytes` is too long; the parameter that has the most of it is
 * named. */
int32_t
mysql__refuse_length(const struct mysql__params *params, const tn_value *values,
                     uint64_t row, struct tn_call *call)
{
  uint32_t longest = 0;
  size_t bytes = 0;
  uint32_t i;

  for (i = 0; i < params->count; i++) {
    struct mysql__sight sight;

    mysql__look(params->limits, &values[i], &sight);
    if (sight.bytes > bytes) {
      bytes = sight.bytes;
      longest = i;
    }
  }
  return mysql__refuse(call, TN_E_LIMIT, longest + 1, row,
                       "mysql: the values are longer than the server's "
                       "max_allowed_packet");
}

static enum enum_field_types
type_of(uint32_t sent)
{
  static const uint8_t types[] = {
    [MYSQL__SENT_NULL] = MYSQL_TYPE_NULL,
    [MYSQL__SENT_INT64] = MYSQL_TYPE_LONGLONG,
    [MYSQL__SENT_UINT64] = MYSQL_TYPE_LONGLONG,
    [MYSQL__SENT_DOUBLE] = MYSQL_TYPE_DOUBLE,
    [MYSQL__SENT_DECIMAL] = MYSQL_TYPE_NEWDECIMAL,
    [MYSQL__SENT_TEXT] = MYSQL_TYPE_STRING,
    [MYSQL__SENT_BLOB] = MYSQL_TYPE_LONG_BLOB,
    [MYSQL__SENT_DATE] = MYSQL_TYPE_DATE,
    [MYSQL__SENT_TIME] = MYSQL_TYPE_TIME,
    [MYSQL__SENT_DATETIME] = MYSQL_TYPE_DATETIME,
    [MYSQL__SENT_MOMENT] = MYSQL_TYPE_TIMESTAMP,
  };

  return (enum enum_field_types)types[sent];
}

void
mysql__set_type(struct mysql__params *params, uint32_t index, uint32_t sent)
{
  struct mysql__param *param = &params->params[index];
  MYSQL_BIND *bind = &params->binds[index];

  param->sent = sent;
  bind->buffer_type = type_of(sent);
  bind->is_unsigned = sent == MYSQL__SENT_UINT64;
  bind->buffer = &param->as;
  bind->buffer_length = sizeof param->as;
  params->is_stale = true;
}

static bool
reserve(struct mysql__params *params, uint32_t index, size_t size)
{
  struct mysql__param *param = &params->params[index];
  size_t capacity = 32;
  char *bytes;

  if (size <= param->capacity)
    return true;
  while (capacity < size)
    capacity *= 2;
  bytes = params->host->resize(param->bytes, capacity);
  if (bytes == NULL)
    return false;
  param->bytes = bytes;
  param->capacity = capacity;
  return true;
}

static bool
set_bytes(struct mysql__params *params, uint32_t index, const char *data,
          size_t size)
{
  MYSQL_BIND *bind = &params->binds[index];
  struct mysql__param *param = &params->params[index];
  char *buffer;

  if (size <= COPIED_BYTES) {
    /* At least a byte: without a buffer the library sends NULL. */
    if (!reserve(params, index, size + 1))
      return false;
    if (size != 0)
      memcpy(param->bytes, data, size);
    buffer = param->bytes;
  } else {
    memcpy(&buffer, &data, sizeof buffer); /* it is only read */
  }
  param->length = (unsigned long)size;
  if (bind->buffer != buffer) {
    bind->buffer = buffer;
    params->is_stale = true;
  }
  return true;
}

/* Put a value that is not NULL where the library will look for it. False
 * without memory. */
static bool
store(struct mysql__params *params, uint32_t index, const tn_value *value)
{
  struct mysql__param *param = &params->params[index];
  char uuid[40];

  switch (param->sent) {
  case MYSQL__SENT_INT64:
  case MYSQL__SENT_UINT64:
    param->as.int64 = value->as.int64;
    return true;
  case MYSQL__SENT_DOUBLE:
    param->as.real = value->as.real;
    return true;
  case MYSQL__SENT_DATE:
  case MYSQL__SENT_TIME:
  case MYSQL__SENT_DATETIME:
  case MYSQL__SENT_MOMENT:
    mysql__set_time(&param->as.time, value);
    return true;
  default:
    if (value->type != TN_UUID)
      return set_bytes(params, index, value->as.bytes.data,
                       value->as.bytes.size);
    mysql__print_uuid(value, uuid);
    return set_bytes(params, index, uuid, 36);
  }
}

int32_t
mysql__params_init(struct mysql__params *params, uint32_t count,
                   const struct mysql__limits *limits, struct tn_call *call)
{
  size_t binds = count * sizeof(MYSQL_BIND);
  size_t size = binds + count * sizeof(struct mysql__param);
  char *memory;
  uint32_t i;

  memset(params, 0, sizeof *params);
  params->host = call->host;
  params->limits = limits;
  if (count == 0)
    return TN_OK;
  memory = call->host->alloc(size);
  if (memory == NULL)
    return tn_fail(call, TN_E_MEMORY, "mysql: out of memory");
  memset(memory, 0, size);
  params->count = count;
  params->binds = (MYSQL_BIND *)(void *)memory;
  params->params = (struct mysql__param *)(void *)(memory + binds);
  for (i = 0; i < count; i++) {
    params->binds[i].length = &params->params[i].length;
    params->binds[i].is_null = &params->params[i].is_null;
  }
  return TN_OK;
}

void
mysql__params_clear(struct mysql__params *params)
{
  uint32_t i;

  if (params->binds == NULL)
    return;
  for (i = 0; i < params->count; i++)
    params->host->release(params->params[i].bytes);
  params->host->release(params->binds);
  memset(params, 0, sizeof *params);
}

/* A NULL keeps the type that the parameter had. */
static inline int32_t
set_one(struct mysql__params *params, uint32_t index, const tn_value *value,
        const struct mysql__sight *sight, struct tn_call *call)
{
  struct mysql__param *param = &params->params[index];

  if (sight->category != TN_OK)
    return mysql__refuse(call, sight->category, index + 1, 0, sight->text);
  param->is_null = sight->sent == MYSQL__SENT_NULL;
  if (sight->sent != param->sent && (!param->is_null || param->sent == 0))
    mysql__set_type(params, index, sight->sent);
  if (!param->is_null && !store(params, index, value))
    return tn_fail(call, TN_E_MEMORY, "mysql: out of memory");
  return TN_OK;
}

int32_t
mysql__params_set(struct mysql__params *params, const tn_value *values,
                  struct tn_call *call)
{
  uint64_t bytes = MYSQL__REQUEST_OVERHEAD;
  uint32_t i;

  for (i = 0; i < params->count; i++) {
    struct mysql__sight sight;
    int32_t rc;

    mysql__look(params->limits, &values[i], &sight);
    rc = set_one(params, i, &values[i], &sight, call);
    if (rc != TN_OK)
      return rc;
    bytes += sight.bytes + MYSQL__VALUE_OVERHEAD;
  }
  if (bytes > params->limits->packet)
    return mysql__refuse_length(params, values, 0, call);
  return TN_OK;
}

int32_t
mysql__params_bind(struct mysql__params *params, MYSQL_STMT *stmt,
                   struct tn_call *call)
{
  if (!params->is_stale)
    return TN_OK;
  if (mysql_stmt_bind_param(stmt, params->binds))
    return tn_fail(call, TN_E_INTERNAL, "mysql: parameters not bound: %s",
                   mysql_stmt_error(stmt));
  params->is_stale = false;
  return TN_OK;
}
