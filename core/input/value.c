/* Typed values as such: what is well-formed and what is equal.
 *
 * Everything that crosses between an application and a backend is one of
 * these. Arrays are in value_array.c, copies in value_copy.c; how a value is
 * printed, parsed and converted is in value_text.c, value_convert.c and
 * value_number.c. */
#include "value_priv.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "text.h"

/* How much of a value a message shows. */
#define SHOWN_MAX 72

static const char *const type_names[] = {
  [TN_NULL] = "null",     [TN_BOOL] = "bool",     [TN_INT64] = "int64",
  [TN_UINT64] = "uint64", [TN_DOUBLE] = "double", [TN_DECIMAL] = "decimal",
  [TN_TEXT] = "text",     [TN_BLOB] = "blob",     [TN_DATE] = "date",
  [TN_TIME] = "time",     [TN_UUID] = "uuid",     [TN_TIMESTAMP] = "timestamp",
  [TN_JSON] = "json",     [TN_OTHER] = "other",   [TN_ARRAY] = "array",
};

const char *
tn_type_name(uint32_t type)
{
  return type >= TN_NULL && type <= TN_ARRAY ? type_names[type] : "";
}

uint32_t
tn_type_from_name(const char *name)
{
  uint32_t type;

  for (type = TN_NULL; type <= TN_ARRAY; type++)
    if (strcmp(type_names[type], name) == 0)
      return type;
  return 0;
}

bool
tn_value__has_bytes(uint32_t type)
{
  return type == TN_DECIMAL || type == TN_TEXT || type == TN_BLOB ||
         type == TN_JSON || type == TN_OTHER;
}

/* ------------------------------------------------------------------ */
/* Refusals                                                            */

/* Write what a message calls the value. */
static void
describe(const tn_value *value, char *out, size_t size)
{
  const char *quote = value->type == TN_DECIMAL ? "" : "\"";
  char text[SHOWN_MAX];

  if (value->type == TN_NULL) {
    snprintf(out, size, "null");
  } else if (value->type == TN_BLOB) {
    snprintf(out, size, "a blob of %zu bytes", value->as.bytes.size);
  } else if (value->type == TN_ARRAY) {
    snprintf(out, size, "an array of %zu items", value->as.array.count);
  } else if (tn_value__has_bytes(value->type)) {
    tn_text_escape(value->as.bytes.data, value->as.bytes.size, text,
                   sizeof text);
    snprintf(out, size, "%s%s%s", quote, text, quote);
  } else if (tn_value_print(value, out, size) == 0) {
    /* Out of range, so it has no text: the number that it is stored as. */
    snprintf(out, size, "%" PRId64, value->as.int64);
  }
}

enum tn_code
tn_value__refuse_as(const tn_value *value, const char *type_name,
                    const char *cause, tn_err *err)
{
  char shown[SHOWN_MAX + TN_VALUE_PRINT_MAX];

  if (err == NULL)
    return TN_E_DATA;
  describe(value, shown, sizeof shown);
  return tn_err_set(err, TN_E_DATA, "value: %s does not fit %s%s%s", shown,
                    type_name, cause[0] == '\0' ? "" : ": ", cause);
}

enum tn_code
tn_value__refuse(const tn_value *value, uint32_t type, const char *cause,
                 tn_err *err)
{
  return tn_value__refuse_as(value, tn_type_name(type), cause, err);
}

enum tn_code
tn_value__check_utf8(const char *text, size_t size, tn_err *err)
{
  size_t offset;

  if (size == 0 || tn_text_is_utf8(text, size, &offset))
    return TN_OK;
  return tn_err_set(err, TN_E_CHARSET,
                    "value: text of %zu bytes is not UTF-8 at offset %zu", size,
                    offset);
}

/* ------------------------------------------------------------------ */
/* What is well-formed                                                 */

static enum tn_code
check_any(const tn_value *value, tn_err *err)
{
  (void)value;
  (void)err;
  return TN_OK;
}

static enum tn_code
check_bool(const tn_value *value, tn_err *err)
{
  if (value->as.int64 != 0 && value->as.int64 != 1)
    return tn_value__refuse(value, value->type, "", err);
  return TN_OK;
}

static enum tn_code
check_calendar(const tn_value *value, tn_err *err)
{
  const char *cause = tn_calendar__check(value);

  if (cause != NULL)
    return tn_value__refuse(value, value->type, cause, err);
  return TN_OK;
}

static enum tn_code
check_blob(const tn_value *value, tn_err *err)
{
  if (value->as.bytes.data != NULL || value->as.bytes.size == 0)
    return TN_OK;
  return tn_err_set(err, TN_E_DATA, "value: %s of %zu bytes that are not there",
                    tn_type_name(value->type), value->as.bytes.size);
}

static enum tn_code
check_other(const tn_value *value, tn_err *err)
{
  if (value->more.type_name == NULL)
    return tn_err_set(err, TN_E_DATA,
                      "value: a value of type other has no type name");
  return check_blob(value, err);
}

static enum tn_code
check_text(const tn_value *value, tn_err *err)
{
  enum tn_code rc = check_blob(value, err);

  if (rc != TN_OK)
    return rc;
  return tn_value__check_utf8(value->as.bytes.data, value->as.bytes.size, err);
}

static enum tn_code
check_decimal(const tn_value *value, tn_err *err)
{
  struct tn_number number;
  enum tn_code rc = check_text(value, err);

  if (rc != TN_OK)
    return rc;
  if (!tn_number__read(value->as.bytes.data, value->as.bytes.size, &number))
    return tn_value__refuse(value, value->type, "not a number", err);
  return TN_OK;
}

enum tn_code
tn_value__check_json(const tn_value *value, tn_err *err)
{
  size_t offset;
  char text[64];
  const char *cause =
      tn_json__check(value->as.bytes.data, value->as.bytes.size, &offset);

  if (cause == NULL)
    return TN_OK;
  snprintf(text, sizeof text, "%s at offset %zu", cause, offset);
  return tn_value__refuse(value, TN_JSON, text, err);
}

static enum tn_code
check_json(const tn_value *value, tn_err *err)
{
  enum tn_code rc = check_text(value, err);

  if (rc != TN_OK)
    return rc;
  return tn_value__check_json(value, err);
}

static enum tn_code (*const checks[])(const tn_value *, tn_err *) = {
  [TN_NULL] = check_any,        [TN_BOOL] = check_bool,
  [TN_INT64] = check_any,       [TN_UINT64] = check_any,
  [TN_DOUBLE] = check_any,      [TN_DECIMAL] = check_decimal,
  [TN_TEXT] = check_text,       [TN_BLOB] = check_blob,
  [TN_DATE] = check_calendar,   [TN_TIME] = check_calendar,
  [TN_UUID] = check_any,        [TN_TIMESTAMP] = check_calendar,
  [TN_JSON] = check_json,       [TN_OTHER] = check_other,
  [TN_ARRAY] = tn_array__check,
};

enum tn_code
tn_value_check(const tn_value *value, tn_err *err)
{
  if (value->type < TN_NULL || value->type > TN_ARRAY)
    return tn_err_set(err, TN_E_DATA, "value: %" PRIu32 " is no type",
                      value->type);
  return checks[value->type](value, err);
}

/* ------------------------------------------------------------------ */
/* What is equal                                                       */

static bool
equal_bytes(const tn_value *a, const tn_value *b)
{
  size_t size = a->as.bytes.size;

  return size == b->as.bytes.size &&
         (size == 0 || memcmp(a->as.bytes.data, b->as.bytes.data, size) == 0);
}

static bool
equal_decimals(const tn_value *a, const tn_value *b)
{
  struct tn_number x;
  struct tn_number y;

  if (!tn_number__read(a->as.bytes.data, a->as.bytes.size, &x) ||
      !tn_number__read(b->as.bytes.data, b->as.bytes.size, &y))
    return equal_bytes(a, b);
  return tn_number__equal(&x, &y);
}

static bool
equal_doubles(double a, double b)
{
  return a == b || (isnan(a) && isnan(b));
}

static bool
equal_others(const tn_value *a, const tn_value *b)
{
  const char *name_a = a->more.type_name;
  const char *name_b = b->more.type_name;

  if (name_a == NULL || name_b == NULL)
    return name_a == name_b && equal_bytes(a, b);
  return strcmp(name_a, name_b) == 0 && equal_bytes(a, b);
}

int
tn_value_equal(const tn_value *a, const tn_value *b)
{
  if (a->type != b->type)
    return 0;
  switch (a->type) {
  case TN_NULL:
    return 1;
  case TN_BOOL:
  case TN_INT64:
  case TN_UINT64:
  case TN_DATE:
  case TN_TIME:
    return a->as.int64 == b->as.int64;
  case TN_DOUBLE:
    return equal_doubles(a->as.real, b->as.real);
  case TN_DECIMAL:
    return equal_decimals(a, b);
  case TN_TIMESTAMP:
    return ((a->flags ^ b->flags) & TN_VALUE_ZONED) == 0 &&
           a->as.micros == b->as.micros;
  case TN_UUID:
    return memcmp(a->as.uuid, b->as.uuid, sizeof a->as.uuid) == 0;
  case TN_TEXT:
  case TN_BLOB:
  case TN_JSON:
    return equal_bytes(a, b);
  case TN_OTHER:
    return equal_others(a, b);
  case TN_ARRAY:
    return tn_array__equal(a, b);
  default:
    return 0;
  }
}
