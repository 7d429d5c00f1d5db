/* Values of one type to values of another, and text to values.
 *
 * Each type that can be made has one function here that knows what it can be
 * made of. Parsing is converting from text, so that a server's answer and an
 * application's string are read by the same rules. */
#include "value_priv.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "text.h"

#define UUID_SIZE 16

static const char no_way[] = "";
static const char not_finite[] = "not finite";

/* What is converted, and where text may be put. */
struct conversion {
  const tn_value *value; /* well-formed */
  uint32_t type;
  char *buffer;
  size_t size;
};

/* ------------------------------------------------------------------ */
/* Helpers                                                             */

static enum tn_code
refuse(const struct conversion *conversion, const char *cause, tn_err *err)
{
  return tn_value__refuse(conversion->value, conversion->type, cause, err);
}

/* The value's own bytes under the type wanted. */
static enum tn_code
lend_bytes(const struct conversion *conversion, tn_value *ret)
{
  const char *data = conversion->value->as.bytes.data;

  *ret = tn_bytes(conversion->type, data == NULL ? "" : data,
                  conversion->value->as.bytes.size);
  return TN_OK;
}

static enum tn_code
refuse_buffer(const struct conversion *conversion, size_t size, tn_err *err)
{
  return tn_err_set(err, TN_E_DATA,
                    "value: %s needs a buffer of %zu bytes, not %zu",
                    tn_type_name(conversion->type), size + 1, conversion->size);
}

/* Put `size` bytes and a NUL into the buffer and make a value of them. */
static enum tn_code
write_bytes(const struct conversion *conversion, const void *bytes, size_t size,
            tn_value *ret, tn_err *err)
{
  if (size >= conversion->size)
    return refuse_buffer(conversion, size, err);
  memcpy(conversion->buffer, bytes, size);
  conversion->buffer[size] = '\0';
  *ret = tn_bytes(conversion->type, conversion->buffer, size);
  return TN_OK;
}

/* Put the value's text into the buffer, between quotes if there are to be. */
static enum tn_code
write_printed(const struct conversion *conversion, const char *quote,
              tn_value *ret, tn_err *err)
{
  char text[TN_VALUE_PRINT_MAX];
  char quoted[TN_VALUE_PRINT_MAX + 2];
  int length;

  tn_value_print(conversion->value, text, sizeof text);
  length = snprintf(quoted, sizeof quoted, "%s%s%s", quote, text, quote);
  return write_bytes(conversion, quoted, (size_t)length, ret, err);
}

/* Put an array's JSON into the buffer. */
static enum tn_code
write_array(const struct conversion *conversion, tn_value *ret, tn_err *err)
{
  size_t size = tn_value_print(conversion->value, NULL, 0);

  if (size >= conversion->size)
    return refuse_buffer(conversion, size, err);
  (void)tn_value_print(conversion->value, conversion->buffer, size + 1);
  *ret = tn_bytes(conversion->type, conversion->buffer, size);
  return TN_OK;
}

/* Is the value text, or a JSON string that stands for itself? */
static bool
find_text(const tn_value *value, const char **ret_text, size_t *ret_size)
{
  const char *text = value->as.bytes.data;
  size_t size = value->as.bytes.size;

  if (value->type == TN_TEXT) {
    *ret_text = size == 0 ? "" : text;
    *ret_size = size;
    return true;
  }
  if (value->type != TN_JSON || text[0] != '"' || text[size - 1] != '"' ||
      memchr(text, '\\', size) != NULL)
    return false;
  *ret_text = text + 1;
  *ret_size = size - 2;
  return true;
}

typedef const char *(*reader_fn)(const char *text, size_t size, tn_value *ret);

/* Have the value's text read, if it has one. */
static enum tn_code
read_text(const struct conversion *conversion, reader_fn read, tn_value *ret,
          tn_err *err)
{
  const char *text;
  size_t size;
  const char *cause = no_way;

  if (find_text(conversion->value, &text, &size))
    cause = read(text, size, ret);
  return cause == NULL ? TN_OK : refuse(conversion, cause, err);
}

static bool
is_finite(const tn_value *value)
{
  return value->type != TN_DOUBLE || isfinite(value->as.real);
}

/* ------------------------------------------------------------------ */
/* One function for each type that can be made                         */

static enum tn_code
to_bool(const struct conversion *conversion, tn_value *ret, tn_err *err)
{
  int is_true;
  enum tn_code rc = tn_value_to_bool(conversion->value, &is_true, err);

  if (rc == TN_OK)
    *ret = tn_bool(is_true);
  return rc;
}

static enum tn_code
to_int64(const struct conversion *conversion, tn_value *ret, tn_err *err)
{
  int64_t number;
  enum tn_code rc = tn_value_to_int64(conversion->value, &number, err);

  if (rc == TN_OK)
    *ret = tn_int64(number);
  return rc;
}

static enum tn_code
to_uint64(const struct conversion *conversion, tn_value *ret, tn_err *err)
{
  uint64_t number;
  enum tn_code rc = tn_value_to_uint64(conversion->value, &number, err);

  if (rc == TN_OK)
    *ret = tn_uint64(number);
  return rc;
}

static enum tn_code
to_double(const struct conversion *conversion, tn_value *ret, tn_err *err)
{
  double number;
  enum tn_code rc = tn_value_to_double(conversion->value, &number, err);

  if (rc == TN_OK)
    *ret = tn_double(number);
  return rc;
}

static enum tn_code
to_decimal(const struct conversion *conversion, tn_value *ret, tn_err *err)
{
  const tn_value *value = conversion->value;
  struct tn_number number;

  switch (value->type) {
  case TN_BOOL:
    return write_bytes(conversion, value->as.int64 != 0 ? "1" : "0", 1, ret,
                       err);
  case TN_INT64:
  case TN_UINT64:
  case TN_DOUBLE:
    if (!is_finite(value))
      return refuse(conversion, not_finite, err);
    return write_printed(conversion, "", ret, err);
  case TN_TEXT:
  case TN_JSON:
    if (!tn_number__read(value->as.bytes.data, value->as.bytes.size, &number))
      return refuse(conversion, "not a number", err);
    return lend_bytes(conversion, ret);
  default:
    return refuse(conversion, no_way, err);
  }
}

static enum tn_code
to_text(const struct conversion *conversion, tn_value *ret, tn_err *err)
{
  const tn_value *value = conversion->value;
  enum tn_code rc;

  if (value->type == TN_ARRAY)
    return write_array(conversion, ret, err);
  if (!tn_value__has_bytes(value->type))
    return write_printed(conversion, "", ret, err);
  rc = tn_value__check_utf8(value->as.bytes.data, value->as.bytes.size, err);
  if (rc != TN_OK)
    return rc;
  return lend_bytes(conversion, ret);
}

static enum tn_code
to_blob(const struct conversion *conversion, tn_value *ret, tn_err *err)
{
  const tn_value *value = conversion->value;

  if (value->type == TN_UUID)
    return write_bytes(conversion, value->as.uuid, UUID_SIZE, ret, err);
  if (!tn_value__has_bytes(value->type))
    return refuse(conversion, no_way, err);
  return lend_bytes(conversion, ret);
}

static enum tn_code
to_date(const struct conversion *conversion, tn_value *ret, tn_err *err)
{
  const tn_value *value = conversion->value;

  if (value->type == TN_TIMESTAMP) {
    /* Only what loses neither a time of day nor a zone. */
    if ((value->flags & TN_VALUE_ZONED) != 0 ||
        value->as.micros % TN_DAY_MICROS != 0)
      return refuse(conversion, "not midnight without a zone", err);
    *ret = tn_date(value->as.micros / TN_DAY_MICROS);
    return TN_OK;
  }
  return read_text(conversion, tn_calendar__read_date, ret, err);
}

static enum tn_code
to_time(const struct conversion *conversion, tn_value *ret, tn_err *err)
{
  return read_text(conversion, tn_calendar__read_time, ret, err);
}

static enum tn_code
to_timestamp(const struct conversion *conversion, tn_value *ret, tn_err *err)
{
  const tn_value *value = conversion->value;

  if (value->type == TN_DATE) {
    *ret = tn_timestamp(value->as.days * TN_DAY_MICROS);
    return TN_OK;
  }
  return read_text(conversion, tn_calendar__read_timestamp, ret, err);
}

/* Read 32 hexadecimal digits, in groups of 8-4-4-4-12 or in one, and with
 * braces around them or without. */
static const char *
read_uuid(const char *text, size_t size, tn_value *ret)
{
  static const char not_uuid[] = "not 8-4-4-4-12 hexadecimal digits";
  uint8_t uuid[UUID_SIZE];
  size_t count = 0;
  size_t i;
  bool has_groups;

  if (size >= 2 && text[0] == '{' && text[size - 1] == '}') {
    text++;
    size -= 2;
  }
  has_groups = size == 36;
  if (!has_groups && size != 32)
    return not_uuid;
  for (i = 0; i < size; i++) {
    bool is_gap = has_groups && (i == 8 || i == 13 || i == 18 || i == 23);
    int digit = tn_text_hex(text[i]);

    if (is_gap ? text[i] != '-' : digit < 0)
      return not_uuid;
    if (is_gap)
      continue;
    uuid[count / 2] =
        (uint8_t)(count % 2 == 0 ? digit << 4 : uuid[count / 2] | digit);
    count++;
  }
  *ret = tn_uuid(uuid);
  return NULL;
}

static enum tn_code
to_uuid(const struct conversion *conversion, tn_value *ret, tn_err *err)
{
  const tn_value *value = conversion->value;

  if (value->type == TN_BLOB && value->as.bytes.size == UUID_SIZE) {
    *ret = tn_uuid((const uint8_t *)value->as.bytes.data);
    return TN_OK;
  }
  return read_text(conversion, read_uuid, ret, err);
}

static enum tn_code
to_json(const struct conversion *conversion, tn_value *ret, tn_err *err)
{
  const tn_value *value = conversion->value;
  enum tn_code rc;

  switch (value->type) {
  case TN_TEXT:
  case TN_DECIMAL: /* JSON is stricter: no '+', no 007, no .5 */
    rc = tn_value__check_json(value, err);
    return rc == TN_OK ? lend_bytes(conversion, ret) : rc;
  case TN_BOOL:
  case TN_INT64:
  case TN_UINT64:
  case TN_DOUBLE:
    if (!is_finite(value))
      return refuse(conversion, not_finite, err);
    return write_printed(conversion, "", ret, err);
  case TN_DATE:
  case TN_TIME:
  case TN_TIMESTAMP:
  case TN_UUID:
    return write_printed(conversion, "\"", ret, err);
  case TN_ARRAY:
    return write_array(conversion, ret, err);
  default:
    return refuse(conversion, no_way, err);
  }
}

typedef enum tn_code (*maker_fn)(const struct conversion *conversion,
                                 tn_value *ret, tn_err *err);

/* NULL, "other" and arrays are made of nothing but themselves. */
static const maker_fn makers[] = {
  [TN_BOOL] = to_bool,       [TN_INT64] = to_int64,
  [TN_UINT64] = to_uint64,   [TN_DOUBLE] = to_double,
  [TN_DECIMAL] = to_decimal, [TN_TEXT] = to_text,
  [TN_BLOB] = to_blob,       [TN_DATE] = to_date,
  [TN_TIME] = to_time,       [TN_TIMESTAMP] = to_timestamp,
  [TN_UUID] = to_uuid,       [TN_JSON] = to_json,
  [TN_ARRAY] = NULL,
};

/* ------------------------------------------------------------------ */
/* The public side                                                     */

static enum tn_code
check_type(uint32_t type, tn_err *err)
{
  if (type >= TN_NULL && type <= TN_ARRAY)
    return TN_OK;
  return tn_err_set(err, TN_E_DATA, "value: %" PRIu32 " is no type", type);
}

enum tn_code
tn_value_convert(const tn_value *value, uint32_t type, char *buffer,
                 size_t size, tn_value *ret, tn_err *err)
{
  struct conversion conversion = { value, type, buffer, size };
  enum tn_code rc = check_type(type, err);

  if (rc == TN_OK)
    rc = tn_value_check(value, err);
  if (rc != TN_OK)
    return rc;
  if (value->type == type) {
    *ret = *value;
    ret->flags &= ~TN_VALUE_OWNED;
    return TN_OK;
  }
  if (value->type == TN_NULL || makers[type] == NULL)
    return refuse(&conversion, no_way, err);
  return makers[type](&conversion, ret, err);
}

enum tn_code
tn_value_parse(uint32_t type, const char *text, size_t size, tn_value *ret,
               tn_err *err)
{
  tn_value value = tn_bytes(TN_TEXT, size == 0 ? "" : text, size);

  if (type != TN_BLOB)
    return tn_value_convert(&value, type, NULL, 0, ret, err);
  value.type = TN_BLOB;
  *ret = value;
  return TN_OK;
}
