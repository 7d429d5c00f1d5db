/* Values to binary forms, one function for each form.
 *
 * What a form cannot say exactly is refused, with two exceptions that SQL
 * itself makes: a double for a real becomes the nearest one, as the column
 * would make it, and a column may have fewer digits than its type. */
#include <math.h>

#include "codec_priv.h"

static const char not_whole[] = "not a whole number in its range";
static const char not_number[] = "not a number";
static const char not_exact[] = "no number of the type is equal to it";
static const char not_such[] = "the type has no such value";

static inline enum pg__encoded
write16(struct pg__sink *sink, uint16_t number)
{
  char *out = pg__buffer_add(sink->buffer, 2);

  if (out == NULL)
    return PG__NO_MEMORY;
  pg__put16(out, number);
  return PG__ENCODED;
}

static inline enum pg__encoded
write32(struct pg__sink *sink, uint32_t number)
{
  char *out = pg__buffer_add(sink->buffer, 4);

  if (out == NULL)
    return PG__NO_MEMORY;
  pg__put32(out, number);
  return PG__ENCODED;
}

static inline enum pg__encoded
write64(struct pg__sink *sink, uint64_t number)
{
  char *out = pg__buffer_add(sink->buffer, 8);

  if (out == NULL)
    return PG__NO_MEMORY;
  pg__put64(out, number);
  return PG__ENCODED;
}

static inline bool
is_text(const tn_value *value)
{
  return value->type == TN_TEXT || value->type == TN_OTHER;
}

/* What cannot be sent in binary: a text is the server's to read. */
static enum pg__encoded
text_or_refuse(struct pg__sink *sink, const tn_value *value, const char *cause)
{
  return is_text(value) ? PG__AS_TEXT : pg__refuse(sink, value, cause);
}

/* ------------------------------------------------------------------ */
/* Whole numbers                                                        */

static bool
parse_int64(const struct pg__sink *sink, const tn_value *value, int64_t *ret)
{
  tn_value parsed;

  if (sink->call->host->value_parse(TN_INT64, value->as.bytes.data,
                                    value->as.bytes.size, &parsed) != TN_OK)
    return false;
  *ret = parsed.as.int64;
  return true;
}

static bool
to_int64(const struct pg__sink *sink, const tn_value *value, int64_t *ret)
{
  switch (value->type) {
  case TN_BOOL:
  case TN_INT64:
    *ret = value->as.int64;
    return true;
  case TN_UINT64:
    *ret = (int64_t)value->as.uint64;
    return value->as.uint64 <= INT64_MAX;
  case TN_DOUBLE:
    /* Not below 2^63, as INT64_MAX is no double. NaN fits neither. */
    if (!(value->as.real >= -0x1p63 && value->as.real < 0x1p63))
      return false;
    *ret = (int64_t)value->as.real;
    return (double)*ret == value->as.real;
  case TN_DECIMAL:
    return parse_int64(sink, value, ret);
  default:
    return false;
  }
}

PG__ENCODER(pg__encode_int2)
{
  int64_t number;

  (void)type;
  if (!to_int64(sink, value, &number) || number < INT16_MIN ||
      number > INT16_MAX)
    return text_or_refuse(sink, value, not_whole);
  return write16(sink, (uint16_t)number);
}

PG__ENCODER(pg__encode_int4)
{
  int64_t number;

  (void)type;
  if (!to_int64(sink, value, &number) || number < INT32_MIN ||
      number > INT32_MAX)
    return text_or_refuse(sink, value, not_whole);
  return write32(sink, (uint32_t)number);
}

PG__ENCODER(pg__encode_int8)
{
  int64_t number;

  (void)type;
  if (!to_int64(sink, value, &number))
    return text_or_refuse(sink, value, not_whole);
  return write64(sink, (uint64_t)number);
}

PG__ENCODER(pg__encode_oid)
{
  int64_t number;

  (void)type;
  if (!to_int64(sink, value, &number) || number < 0 || number > UINT32_MAX)
    return text_or_refuse(sink, value, not_whole);
  return write32(sink, (uint32_t)number);
}

PG__ENCODER(pg__encode_uint8)
{
  int64_t number;

  (void)type;
  if (value->type == TN_UINT64)
    return write64(sink, value->as.uint64);
  if (!to_int64(sink, value, &number) || number < 0)
    return text_or_refuse(sink, value, not_whole);
  return write64(sink, (uint64_t)number);
}

PG__ENCODER(pg__encode_bool)
{
  int64_t number = -1;
  char *out;

  (void)type;
  if (value->type == TN_BOOL || value->type == TN_INT64 ||
      value->type == TN_UINT64)
    to_int64(sink, value, &number);
  if (number != 0 && number != 1)
    return text_or_refuse(sink, value, "neither true nor false, 1 nor 0");
  out = pg__buffer_add(sink->buffer, 1);
  if (out == NULL)
    return PG__NO_MEMORY;
  *out = (char)number;
  return PG__ENCODED;
}

/* ------------------------------------------------------------------ */
/* Floating point                                                       */

/* NULL, or why the value is no double. */
static const char *
to_double(const struct pg__sink *sink, const tn_value *value, double *ret)
{
  tn_value parsed;
  int64_t number;

  switch (value->type) {
  case TN_DOUBLE:
    *ret = value->as.real;
    return NULL;
  case TN_UINT64:
    *ret = (double)value->as.uint64;
    if (*ret < 0x1p64 && (uint64_t)*ret == value->as.uint64)
      return NULL;
    return not_exact;
  case TN_BOOL:
  case TN_INT64:
    number = value->as.int64;
    *ret = (double)number;
    if (*ret < 0x1p63 && (int64_t)*ret == number)
      return NULL;
    return not_exact;
  case TN_DECIMAL:
    if (sink->call->host->value_parse(TN_DOUBLE, value->as.bytes.data,
                                      value->as.bytes.size, &parsed) != TN_OK)
      return not_exact;
    *ret = parsed.as.real;
    return NULL;
  default:
    return not_number;
  }
}

PG__ENCODER(pg__encode_float8)
{
  const char *cause;
  uint64_t bits;
  double real;

  (void)type;
  cause = to_double(sink, value, &real);
  if (cause != NULL)
    return text_or_refuse(sink, value, cause);
  memcpy(&bits, &real, sizeof bits);
  return write64(sink, bits);
}

/* The nearest: a server that compares a real column with "?" says that it
 * wants a real, and who binds 0.1 means the one that prints like that. Whole
 * numbers are meant exactly. */
PG__ENCODER(pg__encode_float4)
{
  const char *cause;
  uint32_t bits;
  double wide;
  float real;

  (void)type;
  cause = to_double(sink, value, &wide);
  if (cause != NULL)
    return text_or_refuse(sink, value, cause);
  if (fabs(wide) > 0x1.fffffefffffffp127 && !isinf(wide))
    return pg__refuse(sink, value, "out of range");
  real = (float)wide;
  if (real == 0 && wide != 0)
    return pg__refuse(sink, value, "out of range");
  if (value->type != TN_DOUBLE && value->type != TN_DECIMAL &&
      (double)real != wide)
    return pg__refuse(sink, value, not_exact);
  memcpy(&bits, &real, sizeof bits);
  return write32(sink, bits);
}

/* ------------------------------------------------------------------ */
/* Bytes                                                                */

PG__ENCODER(pg__encode_text)
{
  (void)type;
  switch (value->type) {
  case TN_TEXT:
  case TN_JSON:
  case TN_OTHER:
    return pg__lend_text(sink, value);
  case TN_DECIMAL:
    return PG__LENT;
  case TN_BLOB:
  case TN_ARRAY:
    return pg__refuse(sink, value, "not a text");
  default:
    return pg__encode_text_form(value, sink);
  }
}

/* One byte; the server would cut a longer text. */
PG__ENCODER(pg__encode_char)
{
  (void)type;
  if (!is_text(value) || value->as.bytes.size > 1)
    return pg__refuse(sink, value, "not a text of one byte");
  if (value->as.bytes.size == 0)
    return pg__buffer_put(sink->buffer, "", 1) ? PG__ENCODED : PG__NO_MEMORY;
  return pg__lend_text(sink, value);
}

/* A text is its bytes, not the text form of bytea, in which a backslash is
 * more than itself. */
PG__ENCODER(pg__encode_bytea)
{
  (void)type;
  switch (value->type) {
  case TN_BLOB:
  case TN_TEXT:
  case TN_JSON:
    return PG__LENT;
  case TN_UUID:
    return pg__buffer_put(sink->buffer, value->as.uuid, sizeof value->as.uuid)
               ? PG__ENCODED
               : PG__NO_MEMORY;
  default:
    return text_or_refuse(sink, value, "not bytes");
  }
}

PG__ENCODER(pg__encode_uuid)
{
  (void)type;
  if (value->type == TN_BLOB && value->as.bytes.size == sizeof value->as.uuid)
    return PG__LENT;
  if (value->type != TN_UUID)
    return text_or_refuse(sink, value, not_such);
  return pg__buffer_put(sink->buffer, value->as.uuid, sizeof value->as.uuid)
             ? PG__ENCODED
             : PG__NO_MEMORY;
}

/* JSON as it is, numbers as JSON has them, the rest as strings. */
static enum pg__encoded
append_json(const tn_value *value, struct pg__sink *sink)
{
  const char *mark = value->type == TN_DATE || value->type == TN_TIME ||
                             value->type == TN_TIMESTAMP ||
                             value->type == TN_UUID
                         ? "\""
                         : "";
  size_t size = strlen(mark);
  enum pg__encoded encoded;

  if (value->type == TN_BLOB || value->type == TN_ARRAY)
    return pg__refuse(sink, value, "not JSON");
  if (value->type == TN_DOUBLE && !isfinite(value->as.real))
    return pg__refuse(sink, value, "JSON has no such number");
  if (!pg__buffer_put(sink->buffer, mark, size))
    return PG__NO_MEMORY;
  encoded = pg__encode_text_form(value, sink);
  if (encoded == PG__ENCODED && !pg__buffer_put(sink->buffer, mark, size))
    return PG__NO_MEMORY;
  return encoded;
}

PG__ENCODER(pg__encode_json)
{
  (void)type;
  if (value->type == TN_JSON || is_text(value))
    return pg__lend_text(sink, value);
  return append_json(value, sink);
}

/* The text behind a version number. */
PG__ENCODER(pg__encode_jsonb)
{
  (void)type;
  if (!pg__buffer_put(sink->buffer, "\1", 1))
    return PG__NO_MEMORY;
  return append_json(value, sink);
}

/* ------------------------------------------------------------------ */
/* Dates and times                                                      */

PG__ENCODER(pg__encode_date)
{
  (void)type;
  if (pg__is_word(value, "infinity"))
    return write32(sink, (uint32_t)INT32_MAX);
  if (pg__is_word(value, "-infinity"))
    return write32(sink, (uint32_t)INT32_MIN);
  if (value->type == TN_DATE)
    return write32(sink, (uint32_t)(value->as.days - PG__EPOCH_DAYS));
  if (value->type != TN_TIMESTAMP)
    return text_or_refuse(sink, value, not_such);
  if ((value->flags & TN_VALUE_ZONED) != 0 ||
      value->as.micros % TN_DAY_MICROS != 0)
    return pg__refuse(sink, value,
                      "its time of day would be lost; write CAST(? AS "
                      "timestamp)");
  return write32(sink,
                 (uint32_t)(value->as.micros / TN_DAY_MICROS - PG__EPOCH_DAYS));
}

PG__ENCODER(pg__encode_time)
{
  (void)type;
  if (pg__is_word(value, "24:00:00"))
    return write64(sink, (uint64_t)TN_DAY_MICROS);
  if (value->type != TN_TIME)
    return text_or_refuse(sink, value, not_such);
  return write64(sink, (uint64_t)value->as.micros);
}

static enum pg__encoded
encode_moment(const tn_value *value, struct pg__sink *sink)
{
  if (pg__is_word(value, "infinity"))
    return write64(sink, (uint64_t)INT64_MAX);
  if (pg__is_word(value, "-infinity"))
    return write64(sink, (uint64_t)INT64_MIN);
  if (value->type == TN_DATE)
    return write64(
        sink, (uint64_t)((value->as.days - PG__EPOCH_DAYS) * TN_DAY_MICROS));
  if (value->type != TN_TIMESTAMP)
    return text_or_refuse(sink, value, not_such);
  return write64(sink, (uint64_t)(value->as.micros - PG__EPOCH_MICROS));
}

/* The server would drop the zone without a word, and the moment with it. */
PG__ENCODER(pg__encode_timestamp)
{
  (void)type;
  if (value->type == TN_TIMESTAMP && (value->flags & TN_VALUE_ZONED) != 0)
    return pg__refuse(sink, value,
                      "its zone would be lost; write CAST(? AS timestamptz), "
                      "or bind a timestamp without a zone");
  return encode_moment(value, sink);
}

/* Without a zone it is read as UTC, which is the session's. */
PG__ENCODER(pg__encode_timestamptz)
{
  (void)type;
  return encode_moment(value, sink);
}

/* ------------------------------------------------------------------ */
/* Types that have no counterpart                                       */

/* Which other values their text form takes: bits by enum tn_type. */
static const struct {
  uint32_t oid;
  uint32_t takes;
} texts[] = {
  { PG__OID_MONEY, 1 << TN_INT64 | 1 << TN_UINT64 | 1 << TN_DECIMAL },
  { PG__OID_INTERVAL, 1 << TN_TIME },
  { PG__OID_TIMETZ, 1 << TN_TIME },
};

PG__ENCODER(pg__encode_other)
{
  size_t i;

  for (i = 0; i < sizeof texts / sizeof texts[0]; i++)
    if (texts[i].oid == type->oid && (texts[i].takes >> value->type & 1) != 0)
      return PG__AS_TEXT;
  return text_or_refuse(sink, value,
                        "bind its text, or write CAST(? AS …) around the "
                        "parameter");
}
