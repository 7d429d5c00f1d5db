/* What a value is sent as, and what is refused. */
#include <math.h>

#include "fields.h"

static struct mysql__sight
look(tn_value value)
{
  struct mysql__sight sight;

  memset(&sight, 0xaa, sizeof sight);
  mysql__look(&limits_usual, &value, &sight);
  return sight;
}

Test(sent, every_type_has_its_form)
{
  static const uint8_t uuid[16] = { 0 };
  const struct {
    tn_value value;
    uint32_t sent;
    size_t bytes;
  } cases[] = {
    { tn_null(), MYSQL__SENT_NULL, 1 },
    { tn_bool(1), MYSQL__SENT_INT64, 8 },
    { tn_int64(-1), MYSQL__SENT_INT64, 8 },
    { tn_uint64(UINT64_MAX), MYSQL__SENT_UINT64, 8 },
    { tn_double(0.5), MYSQL__SENT_DOUBLE, 8 },
    { tn_decimal("-1.50"), MYSQL__SENT_DECIMAL, 5 },
    { tn_text("text"), MYSQL__SENT_TEXT, 4 },
    { tn_text(""), MYSQL__SENT_TEXT, 0 },
    { tn_blob("\0\1", 2), MYSQL__SENT_BLOB, 2 },
    { tn_date(0), MYSQL__SENT_DATE, 12 },
    { tn_time(0), MYSQL__SENT_TIME, 13 },
    { tn_timestamp(0), MYSQL__SENT_DATETIME, 12 },
    { tn_timestamp_zoned(1, 3600), MYSQL__SENT_MOMENT, 12 },
    { tn_uuid(uuid), MYSQL__SENT_TEXT, 36 },
    { tn_json("[]"), MYSQL__SENT_TEXT, 2 },
  };
  size_t i;

  for (i = 0; i < COUNT(cases); i++) {
    struct mysql__sight sight = look(cases[i].value);

    cr_expect_eq(sight.category, TN_OK, "case %zu", i);
    cr_expect_eq(sight.sent, cases[i].sent, "case %zu: %u", i,
                 (unsigned)sight.sent);
    cr_expect_eq(sight.bytes, cases[i].bytes, "case %zu: %zu", i, sight.bytes);
  }
}

Test(sent, what_mysql_does_not_have_is_refused)
{
  tn_value other = tn_bytes(TN_OTHER, "x", 1);
  tn_value unknown = tn_int64(1);

  unknown.type = 99;
  cr_expect_eq(look(tn_double((double)INFINITY)).category, TN_E_DATA);
  cr_expect_eq(look(tn_double(-(double)INFINITY)).category, TN_E_DATA);
  cr_expect_eq(look(tn_double((double)NAN)).category, TN_E_DATA);
  cr_expect_eq(look(tn_array(TN_INT64, NULL, 0)).category, TN_E_UNSUPPORTED);
  cr_expect_eq(look(other).category, TN_E_UNSUPPORTED);
  cr_expect_eq(look(unknown).category, TN_E_UNSUPPORTED);
}

#define DIGITS_30 "123456789012345678901234567891"
#define DIGITS_35 "12345678901234567890123456789012345"
#define ZEROS_40  "0000000000000000000000000000000000000000"

Test(sent, a_decimal_must_fit_65_digits_and_30_behind_the_point)
{
  static const struct {
    const char *text;
    bool fits;
  } cases[] = {
    { "0", true },
    { "-0.0", true },
    { "+1.5", true },
    { "0e999999", true },
    { "0." ZEROS_40, true },
    { DIGITS_35 "." DIGITS_30, true },
    { "-" DIGITS_35 "." DIGITS_30, true },
    { DIGITS_35 "6." DIGITS_30, false },
    { DIGITS_35 "." DIGITS_30 "1", false },
    { DIGITS_35 "." DIGITS_30 ZEROS_40, true },
    { ZEROS_40 DIGITS_35 "." DIGITS_30, true },
    { DIGITS_35 DIGITS_30, true },
    { DIGITS_35 DIGITS_30 "0", false },
    { "0." DIGITS_30, true },
    { "0." DIGITS_30 "0", true },
    { "0." DIGITS_30 "1", false },
    { "1e64", true },
    { "1E+64", true },
    { "1e65", false },
    { "10e63", true },
    { "10e64", false },
    { "0.01e66", true },
    { "0.01e67", false },
    { "1e-30", true },
    { "1e-31", false },
    { "10e-31", true },
    { "1.5e-29", true },
    { "1.5e-30", false },
    { "1e99999999999999999999", false },
    { "1e-99999999999999999999", false },
  };
  size_t i;

  for (i = 0; i < COUNT(cases); i++)
    cr_expect_eq(look(tn_decimal(cases[i].text)).category,
                 cases[i].fits ? TN_OK : TN_E_DATA, "case %zu: \"%s\"", i,
                 cases[i].text);
}

/* The server would make NULL of it, or a zero date. */
Test(sent, a_moment_that_timestamp_does_not_hold_is_refused)
{
  struct mysql__limits wide = limits_usual;
  tn_value value = tn_timestamp_zoned(MYSQL__MOMENT_MAX_WIDE, 0);
  struct mysql__sight sight;

  cr_expect_eq(look(tn_timestamp_zoned(0, 0)).category, TN_E_DATA);
  cr_expect_eq(look(tn_timestamp_zoned(1, 0)).category, TN_OK);
  cr_expect_eq(look(tn_timestamp_zoned(TN_MICROS_MIN, 0)).category, TN_E_DATA);
  cr_expect_eq(look(tn_timestamp_zoned(MYSQL__MOMENT_MAX, 0)).category, TN_OK);
  cr_expect_eq(look(tn_timestamp_zoned(MYSQL__MOMENT_MAX + 1, 0)).category,
               TN_E_DATA);
  cr_expect_eq(look(tn_timestamp(TN_MICROS_MIN)).category, TN_OK);
  wide.moment_max = MYSQL__MOMENT_MAX_WIDE;
  mysql__look(&wide, &value, &sight);
  cr_expect_eq(sight.category, TN_OK);
}

Test(sent, a_server_with_38_digits_behind_the_point_takes_them)
{
  const struct mysql__limits wide = { .packet = 1000,
                                      .decimal_digits = 65,
                                      .decimal_scale = 38 };
  tn_value value = tn_decimal("0." DIGITS_30 "12345678");
  struct mysql__sight sight;

  mysql__look(&wide, &value, &sight);
  cr_expect_eq(sight.category, TN_OK);
  value = tn_decimal("0." DIGITS_30 "123456789");
  mysql__look(&wide, &value, &sight);
  cr_expect_eq(sight.category, TN_E_DATA);
}

Test(sent, every_day_of_the_calendar)
{
  int64_t days;

  for (days = TN_DAYS_MIN; days <= TN_DAYS_MAX; days++) {
    tn_value value = tn_date(days);
    int year, month, day;
    MYSQL_TIME time;

    tn_date_to_civil(days, &year, &month, &day);
    mysql__set_time(&time, &value);
    if (time.year != (unsigned)year || time.month != (unsigned)month ||
        time.day != (unsigned)day)
      cr_assert_fail("%d-%d-%d is %u-%u-%u", year, month, day, time.year,
                     time.month, time.day);
  }
}

struct time_case {
  tn_value value;
  MYSQL_TIME time;
};

static bool
is_same_time(const MYSQL_TIME *a, const MYSQL_TIME *b)
{
  return a->year == b->year && a->month == b->month && a->day == b->day &&
         a->hour == b->hour && a->minute == b->minute &&
         a->second == b->second && a->second_part == b->second_part &&
         !a->neg && a->time_type == b->time_type;
}

Test(sent, times_to_the_microsecond_and_zoned_ones_in_utc)
{
  const struct time_case cases[] = {
    { tn_time(0), { .time_type = MYSQL_TIMESTAMP_TIME } },
    { tn_time(TN_DAY_MICROS - 1),
      { .hour = 23,
        .minute = 59,
        .second = 59,
        .second_part = 999999,
        .time_type = MYSQL_TIMESTAMP_TIME } },
    { tn_date(-1),
      { .year = 1969,
        .month = 12,
        .day = 31,
        .time_type = MYSQL_TIMESTAMP_DATE } },
    { tn_timestamp(-1),
      { .year = 1969,
        .month = 12,
        .day = 31,
        .hour = 23,
        .minute = 59,
        .second = 59,
        .second_part = 999999,
        .time_type = MYSQL_TIMESTAMP_DATETIME } },
    { tn_timestamp(-TN_DAY_MICROS),
      { .year = 1969,
        .month = 12,
        .day = 31,
        .time_type = MYSQL_TIMESTAMP_DATETIME } },
    { tn_timestamp(TN_MICROS_MIN),
      { .year = 1,
        .month = 1,
        .day = 1,
        .time_type = MYSQL_TIMESTAMP_DATETIME } },
    { tn_timestamp(TN_MICROS_MAX),
      { .year = 9999,
        .month = 12,
        .day = 31,
        .hour = 23,
        .minute = 59,
        .second = 59,
        .second_part = 999999,
        .time_type = MYSQL_TIMESTAMP_DATETIME } },
    { tn_timestamp_zoned(INT64_C(1700000000123456), 19800),
      { .year = 2023,
        .month = 11,
        .day = 14,
        .hour = 22,
        .minute = 13,
        .second = 20,
        .second_part = 123456,
        .time_type = MYSQL_TIMESTAMP_DATETIME } },
  };
  size_t i;

  for (i = 0; i < COUNT(cases); i++) {
    MYSQL_TIME time;

    memset(&time, 0xaa, sizeof time);
    mysql__set_time(&time, &cases[i].value);
    cr_expect(is_same_time(&time, &cases[i].time),
              "case %zu: %04u-%02u-%02u %02u:%02u:%02u.%06lu", i, time.year,
              time.month, time.day, time.hour, time.minute, time.second,
              time.second_part);
  }
}

Test(sent, a_uuid_is_36_characters)
{
  static const uint8_t uuid[16] = { 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc,
                                    0xde, 0xf0, 0x00, 0x11, 0x22, 0x33,
                                    0x44, 0x55, 0x66, 0x77 };
  tn_value value = tn_uuid(uuid);
  char text[40] = { 0 };

  mysql__print_uuid(&value, text);
  cr_expect_str_eq(text, "12345678-9abc-def0-0011-223344556677");
}
