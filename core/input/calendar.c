/* Dates and times of day: days and microseconds to ISO 8601 text and back.
 *
 * The C library's calendar knows time zones, locales and leap seconds, and its
 * years begin where its time_t does. A database's dates know none of that, so
 * they are computed here: in the proleptic Gregorian calendar, for the years 1
 * to 9999, without state. */
#include "value_priv.h"

#include "text.h"

#define SECOND_MICROS INT64_C(1000000)
#define OFFSET_S_MAX  57599 /* 15:59:59 */

/* Of 400 years, after which the calendar repeats. */
#define CYCLE_DAYS 146097

/* From 0000-03-01 to 1970-01-01. */
#define EPOCH_DAYS 719468

static const char no_date[] = "not YYYY-MM-DD";
static const char no_time[] = "not HH:MM[:SS[.ffffff]]";
static const char no_offset[] = "not a zone offset up to 15:59:59";
static const char no_such_day[] = "no such day";
static const char no_such_time[] = "no such time of day";
static const char out_of_years[] = "outside the years 1 to 9999";

/* Text that is being read. */
struct cursor {
  const char *at;
  const char *end;
};

/* ------------------------------------------------------------------ */
/* The calendar                                                        */

static int
days_of_month(int year, int month)
{
  static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
  bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

  return days[month - 1] + (month == 2 && is_leap);
}

/* Years are counted from March, so that the day that comes and goes is the
 * last one of the year. The months from March on then begin on the days
 * (153 * m + 2) / 5: 0, 31, 61, 92, … */
static bool
civil_to_days(int year, int month, int day, int64_t *ret)
{
  int64_t from_march;
  int64_t y;

  if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 ||
      day > days_of_month(year, month))
    return false;
  from_march = (month + 9) % 12;
  y = month <= 2 ? year - 1 : year;
  *ret = y * 365 + y / 4 - y / 100 + y / 400 + (153 * from_march + 2) / 5 +
         day - 1 - EPOCH_DAYS;
  return true;
}

enum tn_code
tn_date_from_civil(int year, int month, int day, int64_t *ret_days, tn_err *err)
{
  if (!civil_to_days(year, month, day, ret_days))
    return tn_err_set(err, TN_E_DATA, "date: there is no %04d-%02d-%02d", year,
                      month, day);
  return TN_OK;
}

/* Days and year of the cycle, each without the leap days that are behind. */
static void
days_to_civil(int64_t days, int *year, int *month, int *day)
{
  int64_t z = days + EPOCH_DAYS;
  int64_t cycle = z / CYCLE_DAYS;
  int64_t d = z % CYCLE_DAYS;
  int64_t y = (d - d / 1460 + d / 36524 - d / 146096) / 365;
  int64_t of_year = d - (365 * y + y / 4 - y / 100);
  int64_t from_march = (5 * of_year + 2) / 153;

  *month = (int)(from_march < 10 ? from_march + 3 : from_march - 9);
  *day = (int)(of_year - (153 * from_march + 2) / 5 + 1);
  *year = (int)(y + cycle * 400 + (*month <= 2));
}

void
tn_date_to_civil(int64_t days, int *ret_year, int *ret_month, int *ret_day)
{
  int year = 0;
  int month = 0;
  int day = 0;

  if (days >= TN_DAYS_MIN && days <= TN_DAYS_MAX)
    days_to_civil(days, &year, &month, &day);
  if (ret_year != NULL)
    *ret_year = year;
  if (ret_month != NULL)
    *ret_month = month;
  if (ret_day != NULL)
    *ret_day = day;
}

/* ------------------------------------------------------------------ */
/* Reading                                                             */

static bool
take_char(struct cursor *cursor, char c)
{
  if (cursor->at == cursor->end || *cursor->at != c)
    return false;
  cursor->at++;
  return true;
}

/* Exactly `count` digits. */
static bool
take_digits(struct cursor *cursor, int count, int *ret)
{
  int number = 0;

  for (; count > 0; count--) {
    if (cursor->at == cursor->end || !tn_text_is_digit(*cursor->at))
      return false;
    number = number * 10 + (*cursor->at++ - '0');
  }
  *ret = number;
  return true;
}

static const char *
take_date(struct cursor *cursor, int64_t *ret_days)
{
  int year;
  int month;
  int day;

  if (!take_digits(cursor, 4, &year) || !take_char(cursor, '-') ||
      !take_digits(cursor, 2, &month) || !take_char(cursor, '-') ||
      !take_digits(cursor, 2, &day))
    return no_date;
  return civil_to_days(year, month, day, ret_days) ? NULL : no_such_day;
}

/* The digits behind the point of a second. Those beyond microseconds must be
 * zeros: anything else would be lost. */
static const char *
take_fraction(struct cursor *cursor, int64_t *ret_micros)
{
  int64_t scale = SECOND_MICROS;
  int64_t micros = 0;
  int digit;

  if (!take_digits(cursor, 1, &digit))
    return no_time;
  do {
    scale /= 10;
    if (scale == 0 && digit != 0)
      return "finer than microseconds";
    micros += digit * scale;
  } while (take_digits(cursor, 1, &digit));
  *ret_micros = micros;
  return NULL;
}

static const char *
take_time(struct cursor *cursor, int64_t *ret_micros)
{
  int hour;
  int minute;
  int second = 0;
  int64_t micros = 0;
  const char *cause = NULL;

  if (!take_digits(cursor, 2, &hour) || !take_char(cursor, ':') ||
      !take_digits(cursor, 2, &minute))
    return no_time;
  if (take_char(cursor, ':')) {
    if (!take_digits(cursor, 2, &second))
      return no_time;
    if (take_char(cursor, '.'))
      cause = take_fraction(cursor, &micros);
  }
  if (cause != NULL)
    return cause;
  if (hour > 23 || minute > 59 || second > 59)
    return no_such_time;
  *ret_micros = ((hour * 60 + minute) * 60 + second) * SECOND_MICROS + micros;
  return NULL;
}

/* What follows the hour of an offset: MM, :MM or :MM:SS. */
static bool
take_offset_rest(struct cursor *cursor, int *ret_minute, int *ret_second)
{
  if (cursor->at == cursor->end)
    return true;
  if (!take_char(cursor, ':'))
    return take_digits(cursor, 2, ret_minute);
  if (!take_digits(cursor, 2, ret_minute))
    return false;
  return !take_char(cursor, ':') || take_digits(cursor, 2, ret_second);
}

/* Z, +HH, +HHMM or +HH:MM[:SS]. */
static const char *
take_offset(struct cursor *cursor, int32_t *ret_offset_s)
{
  int hour;
  int minute = 0;
  int second = 0;
  int32_t offset_s;
  bool is_west;

  if (take_char(cursor, 'Z')) {
    *ret_offset_s = 0;
    return NULL;
  }
  is_west = take_char(cursor, '-');
  if (!is_west && !take_char(cursor, '+'))
    return no_time;
  if (!take_digits(cursor, 2, &hour) ||
      !take_offset_rest(cursor, &minute, &second))
    return no_offset;
  offset_s = (hour * 60 + minute) * 60 + second;
  if (minute > 59 || second > 59 || offset_s > OFFSET_S_MAX)
    return no_offset;
  *ret_offset_s = is_west ? -offset_s : offset_s;
  return NULL;
}

const char *
tn_calendar__read_date(const char *text, size_t size, tn_value *ret)
{
  struct cursor cursor = { text, text + size };
  int64_t days;
  const char *cause = take_date(&cursor, &days);

  if (cause != NULL)
    return cause;
  if (cursor.at != cursor.end)
    return no_date;
  *ret = tn_date(days);
  return NULL;
}

const char *
tn_calendar__read_time(const char *text, size_t size, tn_value *ret)
{
  struct cursor cursor = { text, text + size };
  int64_t micros;
  const char *cause = take_time(&cursor, &micros);

  if (cause != NULL)
    return cause;
  if (cursor.at != cursor.end)
    return no_time;
  *ret = tn_time(micros);
  return NULL;
}

const char *
tn_calendar__read_timestamp(const char *text, size_t size, tn_value *ret)
{
  struct cursor cursor = { text, text + size };
  int64_t days;
  int64_t micros;
  int32_t offset_s;
  tn_value value;
  const char *cause = take_date(&cursor, &days);

  if (cause != NULL)
    return cause;
  if (!take_char(&cursor, ' ') && !take_char(&cursor, 'T'))
    return "no time of day after the date";
  cause = take_time(&cursor, &micros);
  if (cause != NULL)
    return cause;
  micros += days * TN_DAY_MICROS;
  value = tn_timestamp(micros);
  if (cursor.at != cursor.end) {
    cause = take_offset(&cursor, &offset_s);
    if (cause != NULL)
      return cause;
    if (cursor.at != cursor.end)
      return no_offset;
    value = tn_timestamp_zoned(micros - offset_s * SECOND_MICROS, offset_s);
  }
  cause = tn_calendar__check(&value);
  if (cause == NULL)
    *ret = value;
  return cause;
}

/* ------------------------------------------------------------------ */
/* Checking and printing                                               */

static bool
are_micros_in_years(int64_t micros)
{
  return micros >= TN_MICROS_MIN && micros <= TN_MICROS_MAX;
}

const char *
tn_calendar__check(const tn_value *value)
{
  int64_t micros = value->as.micros;

  if (value->type == TN_DATE)
    return value->as.days < TN_DAYS_MIN || value->as.days > TN_DAYS_MAX
               ? out_of_years
               : NULL;
  if (value->type == TN_TIME)
    return micros < 0 || micros >= TN_DAY_MICROS ? no_such_time : NULL;
  if (!are_micros_in_years(micros))
    return out_of_years;
  if ((value->flags & TN_VALUE_ZONED) == 0)
    return NULL;
  if (value->more.offset_s < -OFFSET_S_MAX ||
      value->more.offset_s > OFFSET_S_MAX)
    return no_offset;
  /* What is shown must be readable again, so both have to be in range. */
  micros += value->more.offset_s * SECOND_MICROS;
  return are_micros_in_years(micros) ? NULL : out_of_years;
}

/* Write `number` with `count` digits; returns the position behind them. */
static char *
put_number(char *at, int64_t number, int count)
{
  int i;

  for (i = count - 1; i >= 0; i--) {
    at[i] = (char)('0' + number % 10);
    number /= 10;
  }
  return at + count;
}

static char *
put_date(char *at, int64_t days)
{
  int year;
  int month;
  int day;

  days_to_civil(days, &year, &month, &day);
  at = put_number(at, year, 4);
  *at++ = '-';
  at = put_number(at, month, 2);
  *at++ = '-';
  return put_number(at, day, 2);
}

/* HH:MM, and with seconds if they are wanted or not 0. */
static char *
put_hours(char *at, int64_t seconds, bool has_seconds)
{
  at = put_number(at, seconds / 3600, 2);
  *at++ = ':';
  at = put_number(at, seconds / 60 % 60, 2);
  if (!has_seconds && seconds % 60 == 0)
    return at;
  *at++ = ':';
  return put_number(at, seconds % 60, 2);
}

static char *
put_time(char *at, int64_t micros)
{
  int64_t fraction = micros % SECOND_MICROS;

  at = put_hours(at, micros / SECOND_MICROS, true);
  if (fraction == 0)
    return at;
  *at++ = '.';
  at = put_number(at, fraction, 6);
  while (at[-1] == '0')
    at--;
  return at;
}

static size_t
finish(const char *out, char *at)
{
  *at = '\0';
  return (size_t)(at - out);
}

size_t
tn_calendar__print_date(const tn_value *value, char *out)
{
  return finish(out, put_date(out, value->as.days));
}

size_t
tn_calendar__print_time(const tn_value *value, char *out)
{
  return finish(out, put_time(out, value->as.micros));
}

size_t
tn_calendar__print_timestamp(const tn_value *value, char *out)
{
  bool is_zoned = (value->flags & TN_VALUE_ZONED) != 0;
  int64_t offset_s = is_zoned ? value->more.offset_s : 0;
  /* Counted from the first day there is, so that nothing is negative. */
  int64_t micros = value->as.micros + offset_s * SECOND_MICROS - TN_MICROS_MIN;
  char *at = put_date(out, micros / TN_DAY_MICROS + TN_DAYS_MIN);

  *at++ = ' ';
  at = put_time(at, micros % TN_DAY_MICROS);
  if (is_zoned) {
    *at++ = offset_s < 0 ? '-' : '+';
    at = put_hours(at, offset_s < 0 ? -offset_s : offset_s, false);
  }
  return finish(out, at);
}
