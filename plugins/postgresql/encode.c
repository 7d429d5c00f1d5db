/* Values to the parameters of a statement.
 *
 * A value goes in the binary form of the type that the server wants, if that
 * says exactly what the value says; what only the server can read goes as text;
 * the rest is refused here, before anything is sent. Bytes are lent to libpq,
 * numbers are written into a buffer that the statement keeps, so that running
 * it again allocates nothing. */
#include <limits.h>
#include <stdio.h>

#include "codec_priv.h"

/* How much of a value a message shows. */
#define SHOWN_MAX 64

static const char has_nul[] = "PostgreSQL keeps no text with a NUL in it";
static const char too_long[] = "longer than a message may be";

/* ------------------------------------------------------------------ */
/* The buffer                                                           */

void
pg__buffer_init(struct pg__buffer *buffer, const struct tn_host *host)
{
  buffer->host = host;
  buffer->data = NULL;
  buffer->size = 0;
  buffer->capacity = 0;
}

void
pg__buffer_clear(struct pg__buffer *buffer)
{
  buffer->host->release(buffer->data);
  pg__buffer_init(buffer, buffer->host);
}

char *
pg__buffer_grow(struct pg__buffer *buffer, size_t size)
{
  size_t capacity = buffer->capacity == 0 ? 256 : buffer->capacity;
  char *data;

  if (size > PTRDIFF_MAX - buffer->size)
    return NULL;
  while (capacity < buffer->size + size)
    capacity = capacity > PTRDIFF_MAX / 2 ? PTRDIFF_MAX : capacity * 2;
  data = buffer->host->resize(buffer->data, capacity);
  if (data == NULL)
    return NULL;
  buffer->data = data;
  buffer->capacity = capacity;
  buffer->size += size;
  return data + buffer->size - size;
}

bool
pg__buffer_put(struct pg__buffer *buffer, const void *bytes, size_t size)
{
  char *out;

  if (size == 0)
    return true;
  out = pg__buffer_add(buffer, size);
  if (out == NULL)
    return false;
  memcpy(out, bytes, size);
  return true;
}

/* ------------------------------------------------------------------ */
/* Refusals                                                             */

void
pg__sink_init(struct pg__sink *sink, struct pg__buffer *buffer,
              struct tn_call *call)
{
  sink->buffer = buffer;
  sink->call = call;
  sink->is_binary_only = false;
  sink->category = TN_E_DATA;
  sink->refused = NULL;
  sink->cause = "";
}

static enum pg__encoded
refuse_as(struct pg__sink *sink, int32_t category, const tn_value *value,
          const char *cause)
{
  sink->category = category;
  sink->refused = value;
  sink->cause = cause;
  return PG__REFUSED;
}

enum pg__encoded
pg__refuse(struct pg__sink *sink, const tn_value *value, const char *cause)
{
  return refuse_as(sink, TN_E_DATA, value, cause);
}

static const char *const kinds[] = {
  [TN_NULL] = "null",           [TN_BOOL] = "bool",
  [TN_INT64] = "int64",         [TN_UINT64] = "uint64",
  [TN_DOUBLE] = "double",       [TN_DECIMAL] = "decimal",
  [TN_TEXT] = "text",           [TN_BLOB] = "blob",
  [TN_DATE] = "date",           [TN_TIME] = "time",
  [TN_TIMESTAMP] = "timestamp", [TN_UUID] = "uuid",
  [TN_JSON] = "json",           [TN_OTHER] = "other",
  [TN_ARRAY] = "array",
};

/* "double 1.5", and of what is made of bytes how many. */
static void
describe(const struct tn_host *host, const tn_value *value, char *out,
         size_t size)
{
  char text[SHOWN_MAX];

  switch (value->type) {
  case TN_TEXT:
  case TN_BLOB:
  case TN_JSON:
  case TN_OTHER:
    snprintf(out, size, "%s of %zu bytes", kinds[value->type],
             value->as.bytes.size);
    return;
  case TN_ARRAY:
    snprintf(out, size, "array of %zu items", value->as.array.count);
    return;
  default:
    if (host->value_print(value, text, sizeof text) >= sizeof text)
      memcpy(text + sizeof text - 4, "...", 4);
    snprintf(out, size, "%s %s", kinds[value->type], text);
  }
}

int32_t
pg__fail_refused(const struct pg__sink *sink, const char *type_name,
                 uint32_t parameter, uint64_t row)
{
  const struct tn_host *host = sink->call->host;
  struct tn_failure failure;
  char shown[SHOWN_MAX + 32];
  char text[320];

  describe(host, sink->refused, shown, sizeof shown);
  snprintf(text, sizeof text, "postgresql: %s does not fit type %s: %s", shown,
           type_name, sink->cause);
  memset(&failure, 0, sizeof failure);
  failure.size = sizeof failure;
  failure.category = sink->category;
  failure.message = text;
  failure.parameter = (int32_t)parameter;
  failure.row = row;
  return host->fail(sink->call, &failure);
}

/* ------------------------------------------------------------------ */
/* Texts                                                                */

bool
pg__is_word(const tn_value *value, const char *word)
{
  size_t size = strlen(word);

  return (value->type == TN_TEXT || value->type == TN_OTHER) &&
         value->as.bytes.size == size &&
         memcmp(value->as.bytes.data, word, size) == 0;
}

enum pg__encoded
pg__lend_text(struct pg__sink *sink, const tn_value *value)
{
  if (value->as.bytes.size > 0 &&
      memchr(value->as.bytes.data, '\0', value->as.bytes.size) != NULL)
    return refuse_as(sink, TN_E_CHARSET, value, has_nul);
  return PG__LENT;
}

/* "\x…" */
static enum pg__encoded
append_hex(const tn_value *value, struct pg__sink *sink)
{
  static const char digits[] = "0123456789abcdef";
  size_t size = value->as.bytes.size;
  char *out;
  size_t i;

  if (size > INT_MAX / 2 - 1)
    return refuse_as(sink, TN_E_LIMIT, value, too_long);
  out = pg__buffer_add(sink->buffer, 2 + 2 * size);
  if (out == NULL)
    return PG__NO_MEMORY;
  *out++ = '\\';
  *out++ = 'x';
  for (i = 0; i < size; i++) {
    unsigned byte = (unsigned char)value->as.bytes.data[i];

    *out++ = digits[byte >> 4];
    *out++ = digits[byte & 15];
  }
  return PG__ENCODED;
}

enum pg__encoded
pg__encode_text_form(const tn_value *value, struct pg__sink *sink)
{
  char text[TN_VALUE_PRINT_MAX];
  size_t size;

  switch (value->type) {
  case TN_BLOB:
    return append_hex(value, sink);
  case TN_TEXT:
  case TN_JSON:
  case TN_DECIMAL:
  case TN_OTHER:
    if (pg__lend_text(sink, value) == PG__REFUSED)
      return PG__REFUSED;
    return pg__buffer_put(sink->buffer, value->as.bytes.data,
                          value->as.bytes.size)
               ? PG__ENCODED
               : PG__NO_MEMORY;
  default:
    size = sink->call->host->value_print(value, text, sizeof text);
    return pg__buffer_put(sink->buffer, text, size) ? PG__ENCODED
                                                    : PG__NO_MEMORY;
  }
}

/* ------------------------------------------------------------------ */
/* Columns: texts that say what the binary form would say               */

static tn_value
as_number(const struct pg__type *type, const tn_value *value,
          const struct tn_host *host)
{
  bool is_whole = type->tn_type == TN_INT64 || type->tn_type == TN_UINT64;
  tn_value number = *value;

  if (value->type == TN_BOOL)
    return tn_int64(value->as.int64);
  if (value->type == TN_DOUBLE && is_whole)
    return tn_int64((int64_t)value->as.real);
  if (value->type == TN_DECIMAL && (is_whole || type->oid == PG__OID_FLOAT4))
    host->value_parse(is_whole ? TN_INT64 : TN_DOUBLE, value->as.bytes.data,
                      value->as.bytes.size, &number);
  if (number.type == TN_DOUBLE && type->oid == PG__OID_FLOAT4)
    return tn_double((double)(float)number.as.real);
  return number;
}

static tn_value
as_bytes(const tn_value *value)
{
  if (value->type == TN_UUID)
    return tn_blob(value->as.uuid, sizeof value->as.uuid);
  if (value->type == TN_TEXT || value->type == TN_JSON)
    return tn_blob(value->as.bytes.size == 0 ? "" : value->as.bytes.data,
                   value->as.bytes.size);
  return *value;
}

/* Without a zone the server would read it in the session's. */
static tn_value
as_moment(const tn_value *value)
{
  if (value->type == TN_DATE)
    return tn_timestamp_zoned(value->as.days * TN_DAY_MICROS, 0);
  if (value->type == TN_TIMESTAMP && (value->flags & TN_VALUE_ZONED) == 0)
    return tn_timestamp_zoned(value->as.micros, 0);
  return *value;
}

/* The value as its column has it, where the text of the value itself would be
 * read as something else, or not at all. */
static tn_value
as_in_column(const struct pg__type *type, const tn_value *value,
             const struct tn_host *host)
{
  switch (type->tn_type) {
  case TN_INT64:
  case TN_UINT64:
  case TN_DOUBLE:
  case TN_DECIMAL:
    return as_number(type, value, host);
  case TN_BLOB:
    return as_bytes(value);
  case TN_UUID:
    if (value->type == TN_BLOB)
      return tn_uuid((const uint8_t *)value->as.bytes.data);
    return *value;
  default:
    return type->oid == PG__OID_TIMESTAMPTZ ? as_moment(value) : *value;
  }
}

enum pg__encoded
pg__encode_column_text(const struct pg__type *type, const tn_value *value,
                       struct pg__sink *sink)
{
  size_t start = sink->buffer->size;
  enum pg__encoded encoded;
  tn_value shown;

  if (type == NULL)
    return pg__encode_text_form(value, sink);
  if (type->tn_type == TN_JSON) {
    encoded = pg__encode_json(type, value, sink);
    if (encoded == PG__ENCODED)
      return encoded;
  } else {
    encoded = type->encode(type, value, sink);
    sink->buffer->size = start;
  }
  if (encoded == PG__REFUSED || encoded == PG__NO_MEMORY)
    return encoded;
  shown = as_in_column(type, value, sink->call->host);
  return pg__encode_text_form(&shown, sink);
}

/* ------------------------------------------------------------------ */
/* Fields: what arrays and COPY are made of                             */

/* A text where only the binary form will do. */
static enum pg__encoded
encode_parsed(const struct pg__type *type, const tn_value *value,
              struct pg__sink *sink)
{
  enum pg__encoded encoded = PG__AS_TEXT;
  tn_value parsed;

  if (type->tn_type != TN_OTHER && type->tn_type != TN_ARRAY &&
      sink->call->host->value_parse(type->tn_type, value->as.bytes.data,
                                    value->as.bytes.size, &parsed) == TN_OK)
    encoded = type->encode(type, &parsed, sink);
  if (encoded == PG__REFUSED)
    sink->refused = value;
  return encoded == PG__AS_TEXT
             ? pg__refuse(sink, value, "its text is no such value")
             : encoded;
}

/* Room for the largest of the usual fields, with its length. */
#define QUICK_SIZE 12

/* The usual values of the usual types, of which a load has millions, without a
 * call for each. Returns the size of the field; 0: not one of those. */
static inline size_t
write_quickly(const struct pg__type *type, const tn_value *value, char *out)
{
  uint64_t bits;

  switch (type->oid) {
  case PG__OID_INT4:
    if (value->type != TN_INT64 || value->as.int64 < INT32_MIN ||
        value->as.int64 > INT32_MAX)
      return 0;
    pg__put32(out, 4);
    pg__put32(out + 4, (uint32_t)value->as.int64);
    return 8;
  case PG__OID_INT8:
    if (value->type != TN_INT64)
      return 0;
    bits = value->as.uint64;
    break;
  case PG__OID_FLOAT8:
    if (value->type != TN_DOUBLE)
      return 0;
    memcpy(&bits, &value->as.real, sizeof bits);
    break;
  case PG__OID_TIMESTAMPTZ:
    if (value->type != TN_TIMESTAMP)
      return 0;
    bits = (uint64_t)(value->as.micros - PG__EPOCH_MICROS);
    break;
  default:
    return 0;
  }
  pg__put32(out, 8);
  pg__put64(out + 4, bits);
  return 12;
}

enum pg__encoded
pg__encode_field(const struct pg__type *type, const tn_value *value,
                 struct pg__sink *sink)
{
  struct pg__buffer *buffer = sink->buffer;
  size_t start = buffer->size;
  enum pg__encoded encoded;
  char *out = pg__buffer_add(buffer, QUICK_SIZE);
  size_t size;

  if (out == NULL)
    return PG__NO_MEMORY;
  size = write_quickly(type, value, out);
  buffer->size = start + (size != 0 ? size : 4);
  if (size != 0)
    return PG__ENCODED;
  if (value->type == TN_NULL) {
    pg__put32(out, UINT32_MAX);
    return PG__ENCODED;
  }
  encoded = type->encode(type, value, sink);
  if (encoded == PG__AS_TEXT && sink->is_binary_only)
    encoded = encode_parsed(type, value, sink);
  if (encoded == PG__LENT) {
    if (!pg__buffer_put(sink->buffer, value->as.bytes.data,
                        value->as.bytes.size))
      return PG__NO_MEMORY;
    encoded = PG__ENCODED;
  }
  size = sink->buffer->size - start - 4;
  if (encoded == PG__ENCODED && size > INT32_MAX)
    encoded = refuse_as(sink, TN_E_LIMIT, value, too_long);
  if (encoded == PG__ENCODED)
    pg__put32(sink->buffer->data + start, (uint32_t)size);
  return encoded;
}

/* ------------------------------------------------------------------ */
/* Parameters                                                           */

/* A buffer that has become larger is not kept for the next run. */
#define KEPT_MAX ((size_t)1 << 20)

/* The offset of a parameter that is not in the buffer. */
#define NOT_HERE SIZE_MAX

void
pg__params_init(struct pg__params *params, const struct tn_host *host)
{
  memset(params, 0, sizeof *params);
  pg__buffer_init(&params->bytes, host);
}

void
pg__params_clear(struct pg__params *params)
{
  const struct tn_host *host = params->bytes.host;

  pg__buffer_clear(&params->bytes);
  host->release(params->types); /* the others are in the same block */
  pg__params_init(params, host);
}

/* One block for all five arrays, those of pointers first. */
static bool
fit(struct pg__params *params, uint32_t count)
{
  const size_t each = sizeof *params->types + sizeof *params->values +
                      sizeof *params->offsets + sizeof *params->lengths +
                      sizeof *params->formats;
  void *block;

  if (count <= params->capacity)
    return true;
  block = params->bytes.host->resize(params->types, count * each);
  if (block == NULL)
    return false;
  params->capacity = count;
  params->types = block;
  params->values = (const char **)(void *)(params->types + count);
  params->offsets = (size_t *)(void *)(params->values + count);
  params->lengths = (int *)(void *)(params->offsets + count);
  params->formats = params->lengths + count;
  return true;
}

int32_t
pg__params_types(struct pg__params *params, const uint32_t *oids,
                 uint32_t count, struct tn_call *call)
{
  uint32_t i;

  if (!fit(params, count))
    return pg__no_memory(call);
  params->count = count;
  for (i = 0; i < count; i++)
    params->types[i] = pg__type_find(oids[i]);
  return TN_OK;
}

/* For a type that is not built in: its text, or the bytes of its binary form.
 * Who has none of its text at hand has those. */
static enum pg__encoded
encode_unknown(const tn_value *value)
{
  return value->type == TN_BLOB ? PG__LENT : PG__AS_TEXT;
}

/* libpq takes a text up to its NUL, so it has to be copied. */
static enum pg__encoded
encode_as_text(const struct pg__type *type, const tn_value *value,
               struct pg__sink *sink)
{
  enum pg__encoded encoded = value->type == TN_ARRAY
                                 ? pg__encode_array_text(type, value, sink)
                                 : pg__encode_text_form(value, sink);

  if (encoded == PG__ENCODED && !pg__buffer_put(sink->buffer, "", 1))
    return PG__NO_MEMORY;
  return encoded;
}

static void
lend(struct pg__params *params, uint32_t index, const tn_value *value)
{
  params->offsets[index] = NOT_HERE;
  params->values[index] = value->as.bytes.size == 0 ? "" : value->as.bytes.data;
}

static enum pg__encoded
encode_one(struct pg__params *params, uint32_t index, const tn_value *value,
           struct pg__sink *sink)
{
  const struct pg__type *type = params->types[index];
  size_t start = params->bytes.size;
  enum pg__encoded encoded;
  size_t size;

  encoded =
      type != NULL ? type->encode(type, value, sink) : encode_unknown(value);
  params->formats[index] = PG__FORMAT_BINARY;
  params->offsets[index] = start;
  if (encoded == PG__LENT) {
    lend(params, index, value);
    size = value->as.bytes.size;
    encoded = PG__ENCODED;
  } else {
    if (encoded == PG__AS_TEXT) {
      params->formats[index] = PG__FORMAT_TEXT;
      encoded = encode_as_text(type, value, sink);
    }
    size = params->bytes.size - start;
  }
  if (encoded == PG__ENCODED && size > INT_MAX)
    return refuse_as(sink, TN_E_LIMIT, value, too_long);
  params->lengths[index] = (int)size;
  return encoded;
}

static int32_t
fail_one(const struct pg__params *params, uint32_t index,
         enum pg__encoded encoded, const struct pg__sink *sink)
{
  const struct pg__type *type = params->types[index];

  if (encoded == PG__NO_MEMORY)
    return pg__no_memory(sink->call);
  return pg__fail_refused(sink, type == NULL ? "of its own" : type->name,
                          index + 1, params->row);
}

int32_t
pg__params_encode(struct pg__params *params, const tn_value *values,
                  struct tn_call *call)
{
  struct pg__sink sink;
  uint32_t i;

  if (params->bytes.capacity > KEPT_MAX)
    pg__buffer_clear(&params->bytes);
  params->bytes.size = 0;
  pg__sink_init(&sink, &params->bytes, call);
  for (i = 0; i < params->count; i++) {
    enum pg__encoded encoded;

    if (values[i].type == TN_NULL) {
      params->offsets[i] = NOT_HERE;
      params->values[i] = NULL;
      params->lengths[i] = 0;
      params->formats[i] = PG__FORMAT_BINARY;
      continue;
    }
    encoded = encode_one(params, i, &values[i], &sink);
    if (encoded != PG__ENCODED)
      return fail_one(params, i, encoded, &sink);
  }

  /* Not before now: the buffer has moved when it grew. */
  for (i = 0; i < params->count; i++)
    if (params->offsets[i] != NOT_HERE)
      params->values[i] = params->bytes.data + params->offsets[i];
  return TN_OK;
}
