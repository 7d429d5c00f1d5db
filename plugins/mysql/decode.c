/* Cells to values: the inside of the fetch loop.
 *
 * The client library has unpacked numbers and times into the cells' own
 * storage and copied strings into their buffers; here they become values. What
 * the server holds and Tenon's type does not, such as the date 0000-00-00 or a
 * time of 200 hours, is handed out as the text that MySQL shows. */
#include "decode.h"

#include <string.h>

#define ASCII_MASK UINT64_C(0x8080808080808080)

static inline uint64_t
load(const char *text)
{
  uint64_t word;

  memcpy(&word, text, sizeof word);
  return word;
}

/* Sixteen bytes at a time; the last may overlap those before. */
static inline bool
is_ascii(const char *text, size_t size)
{
  uint64_t seen = 0;
  size_t i;

  if (size >= 16) {
    for (i = 0; i < size - 16; i += 16)
      seen |= load(text + i) | load(text + i + 8);
    seen |= load(text + size - 16) | load(text + size - 8);
  } else if (size >= 8) {
    seen = load(text) | load(text + size - 8);
  } else {
    for (i = 0; i < size; i++)
      seen |= (unsigned char)text[i];
  }
  return (seen & ASCII_MASK) == 0;
}

/* ------------------------------------------------------------------ */
/* Numbers                                                              */

static void
read_null(const struct tn_host *host, struct mysql__cell *in, tn_value *out)
{
  (void)host;
  (void)in;
  out->type = TN_NULL;
}

static void
read_int8(const struct tn_host *host, struct mysql__cell *in, tn_value *out)
{
  (void)host;
  mysql__set_number(out, TN_INT64, in->as.int8);
}

static void
read_int16(const struct tn_host *host, struct mysql__cell *in, tn_value *out)
{
  (void)host;
  mysql__set_number(out, TN_INT64, in->as.int16);
}

static void
read_int32(const struct tn_host *host, struct mysql__cell *in, tn_value *out)
{
  (void)host;
  mysql__set_number(out, TN_INT64, in->as.int32);
}

static void
read_int64(const struct tn_host *host, struct mysql__cell *in, tn_value *out)
{
  (void)host;
  mysql__set_number(out, TN_INT64, in->as.int64);
}

static void
read_uint8(const struct tn_host *host, struct mysql__cell *in, tn_value *out)
{
  (void)host;
  mysql__set_unsigned(out, in->as.uint8);
}

static void
read_uint16(const struct tn_host *host, struct mysql__cell *in, tn_value *out)
{
  (void)host;
  mysql__set_unsigned(out, in->as.uint16);
}

static void
read_uint32(const struct tn_host *host, struct mysql__cell *in, tn_value *out)
{
  (void)host;
  mysql__set_unsigned(out, in->as.uint32);
}

static void
read_uint64(const struct tn_host *host, struct mysql__cell *in, tn_value *out)
{
  (void)host;
  mysql__set_unsigned(out, in->as.uint64);
}

static void
read_bool(const struct tn_host *host, struct mysql__cell *in, tn_value *out)
{
  (void)host;
  mysql__set_bool(out, in->as.int8);
}

static void
read_float(const struct tn_host *host, struct mysql__cell *in, tn_value *out)
{
  (void)host;
  out->type = TN_DOUBLE;
  out->as.real = (double)in->as.real32;
}

static void
read_double(const struct tn_host *host, struct mysql__cell *in, tn_value *out)
{
  (void)host;
  out->type = TN_DOUBLE;
  out->as.real = in->as.real;
}

/* ------------------------------------------------------------------ */
/* Times                                                                */

static void
read_date(const struct tn_host *host, struct mysql__cell *in, tn_value *out)
{
  const MYSQL_TIME *time = &in->as.time;
  int64_t days;

  (void)host;
  if (mysql__days_of(time->year, time->month, time->day, &days))
    mysql__set_number(out, TN_DATE, days);
  else
    mysql__show_date(in, out);
}

/* A time of the server's is a span, which may be negative and long. */
static void
read_time(const struct tn_host *host, struct mysql__cell *in, tn_value *out)
{
  const MYSQL_TIME *time = &in->as.time;
  int64_t micros;

  (void)host;
  if (!time->neg && time->day == 0 && mysql__micros_of(time, &micros))
    mysql__set_number(out, TN_TIME, micros);
  else
    mysql__show_time(in, out);
}

static bool
read_calendar(struct mysql__cell *in, tn_value *out)
{
  const MYSQL_TIME *time = &in->as.time;
  int64_t days, micros;

  if (!mysql__days_of(time->year, time->month, time->day, &days) ||
      !mysql__micros_of(time, &micros)) {
    mysql__show_datetime(in, out);
    return false;
  }
  mysql__set_number(out, TN_TIMESTAMP, days * TN_DAY_MICROS + micros);
  return true;
}

static void
read_datetime(const struct tn_host *host, struct mysql__cell *in, tn_value *out)
{
  (void)host;
  (void)read_calendar(in, out);
}

static void
read_moment(const struct tn_host *host, struct mysql__cell *in, tn_value *out)
{
  (void)host;
  if (read_calendar(in, out))
    mysql__set_zoned(out);
}

/* ------------------------------------------------------------------ */
/* Bytes, the same in both protocols                                    */

static void
check_text(const struct tn_host *host, tn_value *out)
{
  tn_value ignored;

  if (host->value_parse(TN_TEXT, out->as.bytes.data, out->as.bytes.size,
                        &ignored) != TN_OK)
    out->type = TN_BLOB;
}

/* The session's character set is UTF-8, but a broken or hostile server may
 * send what it likes. Bytes that are no text are handed out as a blob. */
static inline void
read_text(const struct tn_host *host, struct mysql__cell *in, tn_value *out)
{
  mysql__set_bytes(out, TN_TEXT, in->bytes, in->length);
  if (!is_ascii(in->bytes, in->length))
    check_text(host, out);
}

static void
read_blob(const struct tn_host *host, struct mysql__cell *in, tn_value *out)
{
  (void)host;
  mysql__set_bytes(out, TN_BLOB, in->bytes, in->length);
}

static void
read_bit(const struct tn_host *host, struct mysql__cell *in, tn_value *out)
{
  uint64_t number = 0;
  size_t i;

  if (in->length > sizeof number) {
    read_blob(host, in, out);
    return;
  }
  for (i = 0; i < in->length; i++)
    number = number << 8 | (unsigned char)in->bytes[i];
  mysql__set_unsigned(out, number);
}

static inline bool
is_digit(char c)
{
  return c >= '0' && c <= '9';
}

/* [-]digits[.digits] */
static bool
is_decimal(const char *text, size_t size)
{
  size_t i = 0, digits = 0;

  if (size > 0 && text[0] == '-')
    i++;
  for (; i < size && is_digit(text[i]); i++)
    digits++;
  if (digits == 0)
    return false;
  if (i == size)
    return true;
  if (text[i++] != '.' || i == size)
    return false;
  while (i < size && is_digit(text[i]))
    i++;
  return i == size;
}

static void
read_decimal(const struct tn_host *host, struct mysql__cell *in, tn_value *out)
{
  if (is_decimal(in->bytes, in->length))
    mysql__set_bytes(out, TN_DECIMAL, in->bytes, in->length);
  else
    read_text(host, in, out);
}

/* Which is text in MariaDB, and as good as its CHECK. */
static void
read_json(const struct tn_host *host, struct mysql__cell *in, tn_value *out)
{
  if (host->value_parse(TN_JSON, in->bytes, in->length, out) != TN_OK)
    read_text(host, in, out);
}

static void
read_uuid(const struct tn_host *host, struct mysql__cell *in, tn_value *out)
{
  if (host->value_parse(TN_UUID, in->bytes, in->length, out) != TN_OK)
    read_text(host, in, out);
}

static void
read_other(const struct tn_host *host, struct mysql__cell *in, tn_value *out)
{
  (void)host;
  mysql__set_other(out, in, in->bytes, in->length);
}

const mysql__read_function mysql__readers[MYSQL__DECODER_COUNT] = {
  [MYSQL__AS_NULL] = read_null,         [MYSQL__AS_INT8] = read_int8,
  [MYSQL__AS_INT16] = read_int16,       [MYSQL__AS_INT32] = read_int32,
  [MYSQL__AS_INT64] = read_int64,       [MYSQL__AS_UINT8] = read_uint8,
  [MYSQL__AS_UINT16] = read_uint16,     [MYSQL__AS_UINT32] = read_uint32,
  [MYSQL__AS_UINT64] = read_uint64,     [MYSQL__AS_BOOL] = read_bool,
  [MYSQL__AS_FLOAT] = read_float,       [MYSQL__AS_DOUBLE] = read_double,
  [MYSQL__AS_DATE] = read_date,         [MYSQL__AS_TIME] = read_time,
  [MYSQL__AS_DATETIME] = read_datetime, [MYSQL__AS_MOMENT] = read_moment,
  [MYSQL__AS_BIT] = read_bit,           [MYSQL__AS_DECIMAL] = read_decimal,
  [MYSQL__AS_TEXT] = read_text,         [MYSQL__AS_BLOB] = read_blob,
  [MYSQL__AS_JSON] = read_json,         [MYSQL__AS_UUID] = read_uuid,
  [MYSQL__AS_OTHER] = read_other,
};

/* The usual ones in place: a call costs more than what most of them do. */
static inline void
read_cell(const struct tn_host *host, struct mysql__cell *in, tn_value *out)
{
  switch (in->decoder) {
  case MYSQL__AS_INT32:
    mysql__set_number(out, TN_INT64, in->as.int32);
    break;
  case MYSQL__AS_INT64:
    mysql__set_number(out, TN_INT64, in->as.int64);
    break;
  case MYSQL__AS_DOUBLE:
    out->type = TN_DOUBLE;
    out->as.real = in->as.real;
    break;
  case MYSQL__AS_TEXT:
    read_text(host, in, out);
    break;
  default:
    mysql__readers[in->decoder](host, in, out);
  }
}

int32_t
mysql__decode_row(struct mysql__reader *reader, MYSQL_STMT *stmt,
                  tn_value *cells, struct tn_call *call)
{
  const struct tn_host *host = reader->host;
  struct mysql__cell *in = reader->cells;
  const struct mysql__cell *end = in + reader->count;
  tn_value *out = cells;

  for (; in < end; in++, out++) {
    out->flags = 0;
    if (in->is_null) {
      out->type = TN_NULL;
      continue;
    }
    if (in->length > in->capacity) {
      int32_t rc = mysql__reader_grow(reader, stmt,
                                      (uint32_t)(in - reader->cells), call);

      if (rc != TN_OK)
        return rc;
    }
    read_cell(host, in, out);
  }
  return mysql__reader_bind(reader, stmt, call);
}
