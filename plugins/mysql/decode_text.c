/* Rows of text to values.
 *
 * What the server cannot prepare is run as text, and its rows come as text. A
 * cell that is not what its column says is handed out as the text that it is.
 */
#include "decode.h"

/* Digits as a number that is at most `max`. */
static bool
parse_digits(const char *text, size_t size, uint64_t max, uint64_t *ret)
{
  uint64_t number = 0;
  size_t i;

  for (i = 0; i < size; i++) {
    uint64_t digit = (uint64_t)(unsigned char)text[i] - '0';

    if (digit > 9 || number > (max - digit) / 10)
      return false;
    number = number * 10 + digit;
  }
  *ret = number;
  return size > 0;
}

static bool
parse_int(const struct mysql__cell *in, int64_t *ret)
{
  bool is_negative = in->length > 0 && in->bytes[0] == '-';
  uint64_t number;

  if (!parse_digits(in->bytes + is_negative, in->length - is_negative,
                    (uint64_t)INT64_MAX + is_negative, &number))
    return false;
  *ret = (int64_t)(is_negative ? 0 - number : number);
  return true;
}

static void
as_text(const struct tn_host *host, struct mysql__cell *in, tn_value *out)
{
  mysql__readers[MYSQL__AS_TEXT](host, in, out);
}

static void
as_other(const struct tn_host *host, struct mysql__cell *in, tn_value *out)
{
  mysql__readers[MYSQL__AS_OTHER](host, in, out);
}

static void
parse_signed(const struct tn_host *host, struct mysql__cell *in, tn_value *out)
{
  int64_t number;

  if (parse_int(in, &number))
    mysql__set_number(out, TN_INT64, number);
  else
    as_text(host, in, out);
}

static void
parse_unsigned(const struct tn_host *host, struct mysql__cell *in,
               tn_value *out)
{
  uint64_t number;

  if (parse_digits(in->bytes, in->length, UINT64_MAX, &number))
    mysql__set_unsigned(out, number);
  else
    as_text(host, in, out);
}

static void
parse_bool(const struct tn_host *host, struct mysql__cell *in, tn_value *out)
{
  int64_t number;

  if (parse_int(in, &number))
    mysql__set_bool(out, number);
  else
    as_text(host, in, out);
}

static void
parse_double(const struct tn_host *host, struct mysql__cell *in, tn_value *out)
{
  if (host->value_parse(TN_DOUBLE, in->bytes, in->length, out) != TN_OK)
    as_text(host, in, out);
}

/* The text has six digits of what is stored; made of a float again, it is at
 * least the float that it was printed from if six were enough. */
static void
parse_float(const struct tn_host *host, struct mysql__cell *in, tn_value *out)
{
  parse_double(host, in, out);
  if (out->type == TN_DOUBLE)
    out->as.real = (double)(float)out->as.real;
}

/* `size` digits as a number; sets `*bad` if they are none. */
static unsigned
parse_part(const char *text, size_t size, bool *bad)
{
  uint64_t number = 0;

  if (!parse_digits(text, size, 999999, &number))
    *bad = true;
  return (unsigned)number;
}

/* "YYYY-MM-DD" */
static bool
parse_day(const char *text, int64_t *ret)
{
  bool bad = text[4] != '-' || text[7] != '-';
  unsigned year = parse_part(text, 4, &bad);
  unsigned month = parse_part(text + 5, 2, &bad);
  unsigned day = parse_part(text + 8, 2, &bad);

  return !bad && mysql__days_of(year, month, day, ret);
}

/* "HH:MM:SS" and up to six digits of a fraction. */
static bool
parse_clock(const char *text, size_t size, int64_t *ret)
{
  static const unsigned scale[] = { 1000000, 100000, 10000, 1000, 100, 10, 1 };
  MYSQL_TIME time;
  bool bad = false;
  size_t digits = size > 9 ? size - 9 : 0;

  if ((size != 8 && (size < 10 || size > 15 || text[8] != '.')) ||
      text[2] != ':' || text[5] != ':')
    return false;
  time.hour = parse_part(text, 2, &bad);
  time.minute = parse_part(text + 3, 2, &bad);
  time.second = parse_part(text + 6, 2, &bad);
  time.second_part =
      digits == 0 ? 0 : parse_part(text + 9, digits, &bad) * scale[digits];
  return !bad && mysql__micros_of(&time, ret);
}

static void
parse_date(const struct tn_host *host, struct mysql__cell *in, tn_value *out)
{
  int64_t days;

  if (in->length == 10 && parse_day(in->bytes, &days))
    mysql__set_number(out, TN_DATE, days);
  else
    as_other(host, in, out);
}

static void
parse_time(const struct tn_host *host, struct mysql__cell *in, tn_value *out)
{
  int64_t micros;

  if (parse_clock(in->bytes, in->length, &micros))
    mysql__set_number(out, TN_TIME, micros);
  else
    as_other(host, in, out);
}

static void
parse_datetime(const struct tn_host *host, struct mysql__cell *in,
               tn_value *out)
{
  int64_t days, micros;

  if (in->length >= 19 && in->bytes[10] == ' ' && parse_day(in->bytes, &days) &&
      parse_clock(in->bytes + 11, in->length - 11, &micros))
    mysql__set_number(out, TN_TIMESTAMP, days * TN_DAY_MICROS + micros);
  else
    as_other(host, in, out);
}

static void
parse_moment(const struct tn_host *host, struct mysql__cell *in, tn_value *out)
{
  parse_datetime(host, in, out);
  if (out->type == TN_TIMESTAMP)
    mysql__set_zoned(out);
}

/* The rest is read as in binary rows. */
static const mysql__read_function parsers[MYSQL__AS_BIT] = {
  [MYSQL__AS_NULL] = as_text,
  [MYSQL__AS_INT8] = parse_signed,
  [MYSQL__AS_INT16] = parse_signed,
  [MYSQL__AS_INT32] = parse_signed,
  [MYSQL__AS_INT64] = parse_signed,
  [MYSQL__AS_UINT8] = parse_unsigned,
  [MYSQL__AS_UINT16] = parse_unsigned,
  [MYSQL__AS_UINT32] = parse_unsigned,
  [MYSQL__AS_UINT64] = parse_unsigned,
  [MYSQL__AS_BOOL] = parse_bool,
  [MYSQL__AS_FLOAT] = parse_float,
  [MYSQL__AS_DOUBLE] = parse_double,
  [MYSQL__AS_DATE] = parse_date,
  [MYSQL__AS_TIME] = parse_time,
  [MYSQL__AS_DATETIME] = parse_datetime,
  [MYSQL__AS_MOMENT] = parse_moment,
};

void
mysql__decode_text_row(struct mysql__reader *reader, MYSQL_ROW row,
                       const unsigned long *lengths, tn_value *cells)
{
  uint32_t i;

  for (i = 0; i < reader->count; i++) {
    struct mysql__cell *in = &reader->cells[i];

    cells[i].flags = 0;
    if (row[i] == NULL) {
      cells[i].type = TN_NULL;
      continue;
    }
    in->bytes = row[i];
    in->length = lengths[i];
    if (in->decoder < MYSQL__AS_BIT)
      parsers[in->decoder](reader->host, in, &cells[i]);
    else
      mysql__readers[in->decoder](reader->host, in, &cells[i]);
  }
}
