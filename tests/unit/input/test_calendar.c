/* The calendar against one that only counts, and times as text. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "value_priv.h"

/* A calendar that moves on by one day at a time. */
struct counter {
  int year;
  int month;
  int day;
};

static void
next_day(struct counter *counter)
{
  static const int lengths[] = {
    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
  };
  int year = counter->year;
  int length = lengths[counter->month - 1];

  if (counter->month == 2 &&
      (year % 400 == 0 || (year % 4 == 0 && year % 100 != 0)))
    length++;
  if (++counter->day <= length)
    return;
  counter->day = 1;
  if (++counter->month <= 12)
    return;
  counter->month = 1;
  counter->year++;
}

Test(calendar, every_day_of_the_years_1_to_9999_is_where_counting_finds_it)
{
  struct counter counter = { 1, 1, 1 };
  int64_t day;

  for (day = TN_DAYS_MIN; day <= TN_DAYS_MAX; day++) {
    int year;
    int month;
    int of_month;
    int64_t back = 0;

    tn_date_to_civil(day, &year, &month, &of_month);
    cr_assert(year == counter.year && month == counter.month &&
                  of_month == counter.day,
              "day %" PRId64 ": %d-%d-%d", day, year, month, of_month);
    cr_assert(tn_date_from_civil(year, month, of_month, &back, NULL) == TN_OK);
    cr_assert(back == day, "day %" PRId64 ": %" PRId64, day, back);
    next_day(&counter);
  }
  cr_expect(counter.year == 10000 && counter.month == 1 && counter.day == 1);
}

Test(calendar, known_days_have_their_numbers)
{
  static const struct {
    int year;
    int month;
    int day;
    int64_t days;
  } cases[] = {
    { 1, 1, 1, TN_DAYS_MIN }, { 9999, 12, 31, TN_DAYS_MAX },
    { 1970, 1, 1, 0 },        { 1969, 12, 31, -1 },
    { 2000, 2, 29, 11016 },   { 2000, 3, 1, 11017 },
    { 1900, 2, 28, -25509 },  { 1900, 3, 1, -25508 },
    { 2038, 1, 19, 24855 },
  };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    int64_t days = 0;

    cr_expect(tn_date_from_civil(cases[i].year, cases[i].month, cases[i].day,
                                 &days, NULL) == TN_OK,
              "case %zu", i);
    cr_expect(days == cases[i].days, "case %zu: %" PRId64, i, days);
  }
}

Test(calendar, a_day_that_there_is_not_is_refused)
{
  static const int cases[][3] = {
    { 0, 1, 1 },
    { -1, 1, 1 },
    { 10000, 1, 1 },
    { 2023, 0, 1 },
    { 2023, 13, 1 },
    { 2023, -1, 1 },
    { 2023, 1, 0 },
    { 2023, 1, 32 },
    { 2023, 2, 29 },
    { 1900, 2, 29 },
    { 2000, 2, 30 },
    { 2023, 4, 31 },
    { 2023, 6, 31 },
    { 2023, 9, 31 },
    { 2023, 11, 31 },
    { 2023, 1, -1 },
    { INT_MAX, 1, 1 },
    { INT_MIN, 1, 1 },
    { 2023, INT_MAX, 1 },
    { 2023, INT_MIN, 1 },
    { 2023, 1, INT_MAX },
    { INT_MIN, INT_MIN, INT_MIN },
    { INT_MAX, INT_MAX, INT_MAX },
  };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    int64_t days = 77;
    tn_err err = TN_ERR_INIT;

    cr_expect(tn_date_from_civil(cases[i][0], cases[i][1], cases[i][2], &days,
                                 &err) == TN_E_DATA,
              "case %zu", i);
    cr_expect(err.code == TN_E_DATA && days == 77, "case %zu", i);
  }
}

Test(calendar, a_refused_day_is_named)
{
  int64_t days;
  tn_err err = TN_ERR_INIT;

  cr_expect(tn_date_from_civil(2023, 2, 29, &days, &err) == TN_E_DATA);
  cr_expect_str_eq(err.message, "date: there is no 2023-02-29");
}

Test(calendar, outputs_of_to_civil_may_be_null)
{
  int year = 0;
  int month = 0;
  int day = 0;

  tn_date_to_civil(11016, &year, NULL, NULL);
  tn_date_to_civil(11016, NULL, &month, NULL);
  tn_date_to_civil(11016, NULL, NULL, &day);
  tn_date_to_civil(11016, NULL, NULL, NULL);
  cr_expect(year == 2000 && month == 2 && day == 29);
}

Test(calendar, to_civil_of_a_day_out_of_range_is_zero)
{
  static const int64_t cases[] = { TN_DAYS_MIN - 1, TN_DAYS_MAX + 1, INT64_MIN,
                                   INT64_MAX };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    int year = 7;
    int month = 7;
    int day = 7;

    tn_date_to_civil(cases[i], &year, &month, &day);
    cr_expect(year == 0 && month == 0 && day == 0, "case %zu", i);
  }
}

/* ------------------------------------------------------------------ */

struct text_case {
  const char *text;
  int64_t number;    /* days or microseconds; of UTC if zoned */
  int32_t offset_s;  /* -1: none */
  const char *print; /* NULL: as `text` */
};

#define SECOND INT64_C(1000000)
#define NONE   (-1)

static void
check_reads(uint32_t type, const struct text_case *cases, size_t count)
{
  size_t i;

  for (i = 0; i < count; i++) {
    const struct text_case *c = &cases[i];
    bool is_zoned = c->offset_s != NONE;
    char out[TN_VALUE_PRINT_MAX];
    tn_value value;
    tn_err err = TN_ERR_INIT;

    cr_assert(tn_value_parse(type, c->text, strlen(c->text), &value, &err) ==
                  TN_OK,
              "case %zu: \"%s\": %s", i, c->text, err.message);
    cr_expect(value.type == type, "case %zu", i);
    cr_expect(value.as.micros == c->number, "case %zu: \"%s\": %" PRId64, i,
              c->text, value.as.micros);
    cr_expect(value.flags == (is_zoned ? TN_VALUE_ZONED : 0), "case %zu", i);
    cr_expect(!is_zoned || value.more.offset_s == c->offset_s,
              "case %zu: \"%s\"", i, c->text);
    cr_expect(tn_value_print(&value, out, sizeof out) == strlen(out));
    cr_expect_str_eq(out, c->print == NULL ? c->text : c->print,
                     "case %zu: \"%s\" prints as \"%s\"", i, c->text, out);
  }
}

static void
check_refuses(uint32_t type, const char *const (*cases)[2], size_t count)
{
  char message[512];
  size_t i;

  for (i = 0; i < count; i++) {
    const char *text = cases[i][0];
    tn_value value = tn_int64(77);
    tn_err err = TN_ERR_INIT;

    cr_expect(tn_value_parse(type, text, strlen(text), &value, &err) ==
                  TN_E_DATA,
              "case %zu: \"%s\"", i, text);
    snprintf(message, sizeof message, "value: \"%s\" does not fit %s: %s", text,
             tn_type_name(type), cases[i][1]);
    cr_expect_str_eq(err.message, message, "case %zu: %s", i, err.message);
    cr_expect(value.type == TN_INT64 && value.as.int64 == 77, "case %zu", i);
  }
}

Test(calendar, dates_are_read_and_printed)
{
  static const struct text_case cases[] = {
    { "1970-01-01", 0, NONE, NULL },
    { "0001-01-01", TN_DAYS_MIN, NONE, NULL },
    { "9999-12-31", TN_DAYS_MAX, NONE, NULL },
    { "2000-02-29", 11016, NONE, NULL },
  };

  check_reads(TN_DATE, cases, TN_COUNT(cases));
}

#define NO_DATE "not YYYY-MM-DD"
#define NO_DAY  "no such day"

Test(calendar, what_is_no_date_is_refused)
{
  static const char *const cases[][2] = {
    { "", NO_DATE },
    { "2000", NO_DATE },
    { "2000-1-1", NO_DATE },
    { "2000-01-1", NO_DATE },
    { "20000101", NO_DATE },
    { "2000/01/01", NO_DATE },
    { "2000-01-011", NO_DATE },
    { "2000-01-01 ", NO_DATE },
    { " 2000-01-01", NO_DATE },
    { "+2000-01-01", NO_DATE },
    { "-001-01-01", NO_DATE },
    { "10000-01-01", NO_DATE },
    { "2000-01-01 00:00:00", NO_DATE },
    { "infinity", NO_DATE },
    { "2000-01-0x", NO_DATE },
    { "0000-01-01", NO_DAY },
    { "0000-00-00", NO_DAY },
    { "2000-00-01", NO_DAY },
    { "2000-13-01", NO_DAY },
    { "2000-01-00", NO_DAY },
    { "2000-01-32", NO_DAY },
    { "2001-02-29", NO_DAY },
    { "1900-02-29", NO_DAY },
  };

  check_refuses(TN_DATE, cases, TN_COUNT(cases));
}

Test(calendar, times_of_day_are_read_and_printed)
{
  static const struct text_case cases[] = {
    { "00:00:00", 0, NONE, NULL },
    { "00:00", 0, NONE, "00:00:00" },
    { "23:59:59.999999", TN_DAY_MICROS - 1, NONE, NULL },
    { "12:34:56", 45296 * SECOND, NONE, NULL },
    { "12:34", 45240 * SECOND, NONE, "12:34:00" },
    { "12:34:56.7", 45296 * SECOND + 700000, NONE, NULL },
    { "12:34:56.000001", 45296 * SECOND + 1, NONE, NULL },
    { "12:34:56.100000", 45296 * SECOND + 100000, NONE, "12:34:56.1" },
    { "12:34:56.0", 45296 * SECOND, NONE, "12:34:56" },
    { "12:34:56.123456000000", 45296 * SECOND + 123456, NONE,
      "12:34:56.123456" },
  };

  check_reads(TN_TIME, cases, TN_COUNT(cases));
}

#define NO_TIME "not HH:MM[:SS[.ffffff]]"
#define NO_SUCH "no such time of day"
#define FINER   "finer than microseconds"

Test(calendar, what_is_no_time_of_day_is_refused)
{
  static const char *const cases[][2] = {
    { "", NO_TIME },
    { "12", NO_TIME },
    { "12:", NO_TIME },
    { "12:3", NO_TIME },
    { "1:30", NO_TIME },
    { "12:30:", NO_TIME },
    { "12:30:5", NO_TIME },
    { "12:30:55.", NO_TIME },
    { "12:30:55,5", NO_TIME },
    { "12:30:55.x", NO_TIME },
    { "12:30 ", NO_TIME },
    { "1230", NO_TIME },
    { "12:30.5", NO_TIME },
    { "-12:30", NO_TIME },
    { "12:30:55Z", NO_TIME },
    { "12:30:55.5 PM", NO_TIME },
    { "24:00:00", NO_SUCH },
    { "24:00", NO_SUCH },
    { "12:60", NO_SUCH },
    { "23:59:60", NO_SUCH },
    { "99:99:99", NO_SUCH },
    { "12:30:55.1234567", FINER },
    { "12:30:55.0000001", FINER },
    { "12:30:55.000000000000000000000000000001", FINER },
  };

  check_refuses(TN_TIME, cases, TN_COUNT(cases));
}

Test(calendar, timestamps_are_read_and_printed)
{
  static const struct text_case cases[] = {
    { "1970-01-01 00:00:00", 0, NONE, NULL },
    { "1970-01-01T00:00:00", 0, NONE, "1970-01-01 00:00:00" },
    { "1970-01-01 00:00", 0, NONE, "1970-01-01 00:00:00" },
    { "1969-12-31 23:59:59.999999", -1, NONE, NULL },
    { "0001-01-01 00:00:00", TN_MICROS_MIN, NONE, NULL },
    { "9999-12-31 23:59:59.999999", TN_MICROS_MAX, NONE, NULL },
    { "1970-01-01 00:00:00+00:00", 0, 0, NULL },
    { "1970-01-01T00:00:00Z", 0, 0, "1970-01-01 00:00:00+00:00" },
    { "1970-01-01 00:00:00-00:00", 0, 0, "1970-01-01 00:00:00+00:00" },
    { "1970-01-01 01:00:00+01", 0, 3600, "1970-01-01 01:00:00+01:00" },
    { "1970-01-01 05:30:00+0530", 0, 19800, "1970-01-01 05:30:00+05:30" },
    { "1970-01-01 05:30+05:30", 0, 19800, "1970-01-01 05:30:00+05:30" },
    { "1969-12-31 16:00:00-08:00", 0, -28800, NULL },
    { "1970-01-01 00:19:32.13+00:19:32", 130000, 1172, NULL },
    { "1970-01-01 00:19:32+00:19:00", 32 * SECOND, 1140,
      "1970-01-01 00:19:32+00:19" },
    { "1970-01-01 15:59:59+15:59:59", 0, 57599, NULL },
    { "1969-12-31 08:00:01-15:59:59", 0, -57599, NULL },
    { "1970-01-01 00:00:00.000001+00:00", 1, 0, NULL },
    { "1970-01-01 00:59:59.999999+01:00", -1, 3600, NULL },
    { "0001-01-01 00:00:00-15:59:59", TN_MICROS_MIN + 57599 * SECOND, -57599,
      NULL },
    { "0001-01-01 15:59:59+15:59:59", TN_MICROS_MIN, 57599, NULL },
    { "9999-12-31 23:59:59.999999+15:59:59", TN_MICROS_MAX - 57599 * SECOND,
      57599, NULL },
    { "9999-12-31 08:00:00.999999-15:59:59", TN_MICROS_MAX, -57599, NULL },
  };

  check_reads(TN_TIMESTAMP, cases, TN_COUNT(cases));
}

#define NO_OFFSET "not a zone offset up to 15:59:59"
#define NO_CLOCK  "no time of day after the date"
#define OUTSIDE   "outside the years 1 to 9999"

Test(calendar, what_is_no_timestamp_is_refused)
{
  static const char *const cases[][2] = {
    { "", NO_DATE },
    { "now", NO_DATE },
    { "2000-01-01", NO_CLOCK },
    { "2000-01-01t00:00:00", NO_CLOCK },
    { "2000-01-01  00:00:00", NO_TIME },
    { "2000-01-01 ", NO_TIME },
    { "2000-01-01 00", NO_TIME },
    { "2000-01-01 00:00:00 +00:00", NO_TIME },
    { "2000-01-01 00:00:00 UTC", NO_TIME },
    { "2000-01-01 00:00:00z", NO_TIME },
    { "2000-01-01 24:00:00", NO_SUCH },
    { "2000-01-01 23:59:60", NO_SUCH },
    { "2000-01-01 23:59:60Z", NO_SUCH },
    { "2000-02-30 00:00:00", NO_DAY },
    { "2000-01-01 00:00:00.1234567", FINER },
    { "2000-01-01 00:00:00ZZ", NO_OFFSET },
    { "2000-01-01 00:00:00Z ", NO_OFFSET },
    { "2000-01-01 00:00:00+", NO_OFFSET },
    { "2000-01-01 00:00:00+1", NO_OFFSET },
    { "2000-01-01 00:00:00+1:00", NO_OFFSET },
    { "2000-01-01 00:00:00+01:", NO_OFFSET },
    { "2000-01-01 00:00:00+01:0", NO_OFFSET },
    { "2000-01-01 00:00:00+010", NO_OFFSET },
    { "2000-01-01 00:00:00+01:00:", NO_OFFSET },
    { "2000-01-01 00:00:00+01:00:0", NO_OFFSET },
    { "2000-01-01 00:00:00+010000", NO_OFFSET },
    { "2000-01-01 00:00:00+01:00:00.5", NO_OFFSET },
    { "2000-01-01 00:00:00+01:60", NO_OFFSET },
    { "2000-01-01 00:00:00+01:00:60", NO_OFFSET },
    { "2000-01-01 00:00:00+16", NO_OFFSET },
    { "2000-01-01 00:00:00-16:00", NO_OFFSET },
    { "2000-01-01 00:00:00+99:99:99", NO_OFFSET },
    { "0001-01-01 00:00:00+00:00:01", OUTSIDE },
    { "0001-01-01 15:59:58.999999+15:59:59", OUTSIDE },
    { "9999-12-31 23:59:59-00:00:01", OUTSIDE },
    { "9999-12-31 23:59:59.999999-15:59:59", OUTSIDE },
  };

  check_refuses(TN_TIMESTAMP, cases, TN_COUNT(cases));
}

static uint64_t
next_random(uint64_t *state)
{
  uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15)); /* splitmix64 */

  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static tn_value
random_value(uint64_t *state)
{
  uint64_t span = (uint64_t)(TN_MICROS_MAX - TN_MICROS_MIN) + 1;
  uint64_t bits = next_random(state);
  int64_t micros = (int64_t)(next_random(state) % span) + TN_MICROS_MIN;

  if (bits % 3 != 0) /* fewer digits in the fraction */
    micros -= micros % (bits % 3 == 1 ? SECOND : 1000);
  switch (bits / 3 % 4) {
  case 0:
    return tn_date((int64_t)(bits / 12 % (TN_DAYS_MAX - TN_DAYS_MIN + 1)) +
                   TN_DAYS_MIN);
  case 1:
    return tn_time((int64_t)(bits / 12 % TN_DAY_MICROS));
  case 2:
    return tn_timestamp(micros);
  default:
    return tn_timestamp_zoned(micros, (int32_t)(bits / 12 % 115199) - 57599);
  }
}

Test(calendar, random_values_print_and_read_back)
{
  uint64_t state = 5;
  char out[TN_VALUE_PRINT_MAX];
  int i;

  for (i = 0; i < 400000; i++) {
    tn_value value = random_value(&state);
    tn_value back = tn_null();
    size_t length;

    if (tn_value_check(&value, NULL) != TN_OK)
      continue; /* the offset took it out of the years */
    length = tn_value_print(&value, out, sizeof out);
    cr_assert(tn_value_parse(value.type, out, length, &back, NULL) == TN_OK,
              "\"%s\"", out);
    cr_assert(tn_value_equal(&value, &back), "\"%s\"", out);
    cr_assert(value.flags == back.flags &&
                  value.more.offset_s == back.more.offset_s,
              "\"%s\"", out);
  }
}
