/* What a value is sent as.
 *
 * What MySQL would alter without a word is refused here: it has no infinity,
 * and cuts a decimal that is too long for its own. */
#include "codec.h"

#include <math.h>
#include <string.h>

static inline bool
is_digit(char c)
{
  return c >= '0' && c <= '9';
}

/* The exponent at the end of a decimal; far out of every range if it is longer
 * than makes sense. */
static int64_t
exponent_of(const char *text, size_t size)
{
  bool is_negative = size > 0 && text[0] == '-';
  int64_t exponent = 0;
  size_t i;

  for (i = size > 0 && !is_digit(text[0]); i < size && exponent < 100000; i++)
    exponent = exponent * 10 + (text[i] - '0');
  return is_negative ? -exponent : exponent;
}

/* Where the digits of a decimal that are not 0 begin and end, counted from the
 * first one written; and where its point is. */
struct extent {
  int64_t first;
  int64_t last; /* behind it */
  int64_t point;
};

static struct extent
extent_of(const char *text, size_t size)
{
  struct extent extent = { -1, 0, -1 };
  int64_t digits = 0, exponent = 0;
  size_t i;

  for (i = 0; i < size; i++) {
    if (text[i] == '.') {
      extent.point = digits;
    } else if (text[i] == 'e' || text[i] == 'E') {
      exponent = exponent_of(text + i + 1, size - i - 1);
      break;
    } else if (is_digit(text[i])) {
      if (text[i] != '0') {
        extent.first = extent.first < 0 ? digits : extent.first;
        extent.last = digits + 1;
      }
      digits++;
    }
  }
  extent.point = (extent.point < 0 ? digits : extent.point) + exponent;
  return extent;
}

/* Does it fit the server's decimal? */
static bool
fits_decimal(const struct mysql__limits *limits, const char *text, size_t size)
{
  struct extent extent;
  int64_t whole, fraction;

  if (size <= limits->decimal_scale && memchr(text, 'e', size) == NULL &&
      memchr(text, 'E', size) == NULL)
    return true;
  extent = extent_of(text, size);
  if (extent.first < 0) /* zero */
    return true;
  whole = extent.point > extent.first ? extent.point - extent.first : 0;
  fraction = extent.last > extent.point ? extent.last - extent.point : 0;
  return fraction <= limits->decimal_scale &&
         whole + fraction <= limits->decimal_digits;
}

static inline void
refuse_sight(struct mysql__sight *sight, int32_t category, const char *text)
{
  sight->category = category;
  sight->text = text;
}

static void
look_at_number(const struct mysql__limits *limits, const tn_value *value,
               struct mysql__sight *sight)
{
  if (value->type == TN_DOUBLE) {
    sight->sent = MYSQL__SENT_DOUBLE;
    sight->bytes = sizeof(double);
    if (!isfinite(value->as.real))
      refuse_sight(sight, TN_E_DATA, "mysql: MySQL has no infinity and no NaN");
    return;
  }
  sight->sent = MYSQL__SENT_DECIMAL;
  sight->bytes = value->as.bytes.size;
  if (!fits_decimal(limits, value->as.bytes.data, value->as.bytes.size))
    refuse_sight(sight, TN_E_DATA,
                 "mysql: the decimal has more digits than MySQL keeps");
}

/* MariaDB makes NULL of one outside of its range, and a zero date of the very
 * first moment. */
static void
look_at_moment(const struct mysql__limits *limits, const tn_value *value,
               struct mysql__sight *sight)
{
  sight->sent = MYSQL__SENT_MOMENT;
  if (value->as.micros < 1 || value->as.micros > limits->moment_max)
    refuse_sight(sight, TN_E_DATA,
                 "mysql: the moment is outside of what TIMESTAMP holds, which "
                 "begins after 1970-01-01 00:00:00 UTC");
}

/* What every value of a type is sent as; 0 where there is more to look at. */
static const struct form {
  uint8_t sent;
  uint8_t bytes; /* 0: as many as it has */
} forms[] = {
  [TN_NULL] = { MYSQL__SENT_NULL, 1 },
  [TN_BOOL] = { MYSQL__SENT_INT64, 8 },
  [TN_INT64] = { MYSQL__SENT_INT64, 8 },
  [TN_UINT64] = { MYSQL__SENT_UINT64, 8 },
  [TN_TEXT] = { MYSQL__SENT_TEXT, 0 },
  [TN_BLOB] = { MYSQL__SENT_BLOB, 0 },
  [TN_DATE] = { MYSQL__SENT_DATE, 12 },
  [TN_TIME] = { MYSQL__SENT_TIME, 13 },
  [TN_TIMESTAMP] = { MYSQL__SENT_DATETIME, 12 },
  [TN_UUID] = { MYSQL__SENT_TEXT, 36 },
  [TN_JSON] = { MYSQL__SENT_TEXT, 0 },
  [TN_ARRAY] = { 0, 0 },
};

void
mysql__look(const struct mysql__limits *limits, const tn_value *value,
            struct mysql__sight *sight)
{
  sight->category = TN_OK;
  sight->sent = value->type <= TN_ARRAY ? forms[value->type].sent : 0;
  if (sight->sent != 0) {
    sight->bytes = forms[value->type].bytes;
    if (sight->bytes == 0)
      sight->bytes = value->as.bytes.size;
    if (value->type == TN_TIMESTAMP && (value->flags & TN_VALUE_ZONED) != 0)
      look_at_moment(limits, value, sight);
  } else if (value->type == TN_DOUBLE || value->type == TN_DECIMAL) {
    look_at_number(limits, value, sight);
  } else {
    refuse_sight(sight, TN_E_UNSUPPORTED,
                 "mysql: the value's type has no form in MySQL");
  }
}

/* ------------------------------------------------------------------ */
/* Days and times                                                       */

static void
set_day(MYSQL_TIME *time, int64_t days)
{
  /* By 400-year cycles of years that start in March. */
  int64_t z = days + 719468;
  unsigned era = (unsigned)(z / 146097);
  unsigned day = (unsigned)(z % 146097);
  unsigned year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
  unsigned day_of_year = day - (365 * year + year / 4 - year / 100);
  unsigned month = (5 * day_of_year + 2) / 153;

  time->day = day_of_year - (153 * month + 2) / 5 + 1;
  time->month = month < 10 ? month + 3 : month - 9;
  time->year = year + era * 400 + (time->month <= 2);
}

static void
set_clock(MYSQL_TIME *time, int64_t micros)
{
  int64_t seconds = micros / 1000000;

  time->second_part = (unsigned long)(micros % 1000000);
  time->hour = (unsigned)(seconds / 3600);
  time->minute = (unsigned)(seconds / 60 % 60);
  time->second = (unsigned)(seconds % 60);
}

void
mysql__set_time(MYSQL_TIME *time, const tn_value *value)
{
  int64_t days;

  memset(time, 0, sizeof *time);
  if (value->type == TN_DATE) {
    time->time_type = MYSQL_TIMESTAMP_DATE;
    set_day(time, value->as.days);
  } else if (value->type == TN_TIME) {
    time->time_type = MYSQL_TIMESTAMP_TIME;
    set_clock(time, value->as.micros);
  } else {
    time->time_type = MYSQL_TIMESTAMP_DATETIME;
    days = value->as.micros / TN_DAY_MICROS;
    days -= value->as.micros % TN_DAY_MICROS < 0;
    set_day(time, days);
    set_clock(time, value->as.micros - days * TN_DAY_MICROS);
  }
}

void
mysql__print_uuid(const tn_value *value, char text[40])
{
  static const char digits[] = "0123456789abcdef";
  size_t i;

  for (i = 0; i < 16; i++) {
    if (i == 4 || i == 6 || i == 8 || i == 10)
      *text++ = '-';
    *text++ = digits[value->as.uuid[i] >> 4];
    *text++ = digits[value->as.uuid[i] & 15];
  }
}
