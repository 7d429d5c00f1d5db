/* Values as text for people, logs and exact round trips.
 *
 * What is printed here is what tn_value_parse() reads back, whatever the
 * locale of the process: numbers and times are not left to printf's decimal
 * point. */
#include "value_priv.h"

#include <inttypes.h>
#include <stdio.h>

#include "text.h"

static const char hex_digits[] = "0123456789abcdef";

/* ------------------------------------------------------------------ */
/* Values that are not made of bytes                                   */

static size_t
print_bool(const tn_value *value, char *out)
{
  return (size_t)snprintf(out, TN_VALUE_PRINT_MAX, "%s",
                          value->as.int64 != 0 ? "true" : "false");
}

static size_t
print_int64(const tn_value *value, char *out)
{
  return (size_t)snprintf(out, TN_VALUE_PRINT_MAX, "%" PRId64, value->as.int64);
}

static size_t
print_uint64(const tn_value *value, char *out)
{
  return (size_t)snprintf(out, TN_VALUE_PRINT_MAX, "%" PRIu64,
                          value->as.uint64);
}

static size_t
print_double(const tn_value *value, char *out)
{
  return tn_number__print_double(value->as.real, out);
}

static size_t
print_uuid(const tn_value *value, char *out)
{
  size_t at = 0;
  size_t i;

  for (i = 0; i < sizeof value->as.uuid; i++) {
    if (i == 4 || i == 6 || i == 8 || i == 10)
      out[at++] = '-';
    out[at++] = hex_digits[value->as.uuid[i] >> 4];
    out[at++] = hex_digits[value->as.uuid[i] & 15];
  }
  out[at] = '\0';
  return at;
}

/* Each is given TN_VALUE_PRINT_MAX bytes and a value that is well-formed. */
static size_t (*const printers[])(const tn_value *, char *) = {
  [TN_BOOL] = print_bool,
  [TN_INT64] = print_int64,
  [TN_UINT64] = print_uint64,
  [TN_DOUBLE] = print_double,
  [TN_DATE] = tn_calendar__print_date,
  [TN_TIME] = tn_calendar__print_time,
  [TN_TIMESTAMP] = tn_calendar__print_timestamp,
  [TN_UUID] = print_uuid,
};

/* ------------------------------------------------------------------ */
/* Values made of bytes, and the public side                           */

/* Copy what fits of `length` bytes of text; returns `length`. */
static size_t
give_text(const char *text, size_t length, char *buffer, size_t size)
{
  size_t count;

  if (size == 0)
    return length;
  count = length < size ? length : size - 1;
  if (count > 0)
    memcpy(buffer, text, count);
  buffer[count] = '\0';
  return length;
}

static size_t
give_hex(const char *bytes, size_t count, char *buffer, size_t size)
{
  size_t length = count * 2;
  size_t i;

  for (i = 0; i < length && i + 1 < size; i++) {
    unsigned byte = (unsigned char)bytes[i / 2];

    buffer[i] = hex_digits[i % 2 == 0 ? byte >> 4 : byte & 15];
  }
  if (size > 0)
    buffer[i] = '\0';
  return length;
}

static size_t
give_bytes(const tn_value *value, char *buffer, size_t size)
{
  const char *bytes = value->as.bytes.data;
  size_t count = value->as.bytes.size;

  if (value->type == TN_BLOB || (value->type == TN_OTHER && count > 0 &&
                                 !tn_text_is_utf8(bytes, count, NULL)))
    return give_hex(bytes, count, buffer, size);
  return give_text(bytes, count, buffer, size);
}

size_t
tn_value_print(const tn_value *value, char *buffer, size_t size)
{
  char text[TN_VALUE_PRINT_MAX];
  size_t length;

  if (tn_value__has_bytes(value->type))
    return give_bytes(value, buffer, size);
  if (value->type == TN_ARRAY)
    return tn_array__print(value, buffer, size);
  /* NULL has no text; what is out of its type's range has none either. */
  if (value->type == TN_NULL || tn_value_check(value, NULL) != TN_OK)
    return give_text("", 0, buffer, size);
  length = printers[value->type](value, text);
  return give_text(text, length, buffer, size);
}
