/* Cells to values. The client library's part is played by the tests: they put
 * into the cells what it would have. */
#include <float.h>
#include <math.h>

#include "fields.h"

struct one {
  struct fake_call fake;
  struct mysql__reader reader;
  tn_value cell;
  char printed[128];
};

static void
one_init(struct one *one, const MYSQL_FIELD *field)
{
  memset(one, 0, sizeof *one);
  fake_call_init(&one->fake, NULL);
  cr_assert_eq(
      mysql__reader_set(&one->reader, field, 1, false, &one->fake.call), TN_OK,
      "%s", one->fake.err.message);
  one->reader.is_stale = false;
}

static void
one_read(struct one *one)
{
  memset(&one->cell, 0xaa, sizeof one->cell);
  cr_assert_eq(
      mysql__decode_row(&one->reader, NULL, &one->cell, &one->fake.call),
      TN_OK);
  tn_value_print(&one->cell, one->printed, sizeof one->printed);
}

/* The value is read from `size` bytes in the cell's own storage. */
static void
one_store(struct one *one, const void *data, size_t size)
{
  memcpy(one->reader.binds[0].buffer, data, size);
  *one->reader.binds[0].length = (unsigned long)size;
  one_read(one);
}

static void
one_clear(struct one *one)
{
  mysql__reader_clear(&one->reader);
}

/* ---- numbers ---- */

struct integer_case {
  uint32_t number;
  uint32_t flags;
  uint64_t bits; /* lowest bytes first, as the library leaves them */
  size_t size;
  uint32_t type;
  const char *printed;
};

Test(decode, integers_of_every_width)
{
  static const struct integer_case cases[] = {
    { MYSQL_TYPE_TINY, 0, 0x80, 1, TN_INT64, "-128" },
    { MYSQL_TYPE_TINY, 0, 0x7f, 1, TN_INT64, "127" },
    { MYSQL_TYPE_TINY, UNSIGNED_FLAG, 0xff, 1, TN_UINT64, "255" },
    { MYSQL_TYPE_SHORT, 0, 0x8000, 2, TN_INT64, "-32768" },
    { MYSQL_TYPE_SHORT, UNSIGNED_FLAG, 0xffff, 2, TN_UINT64, "65535" },
    { MYSQL_TYPE_YEAR, UNSIGNED_FLAG, 2155, 2, TN_INT64, "2155" },
    { MYSQL_TYPE_YEAR, UNSIGNED_FLAG, 0, 2, TN_INT64, "0" },
    { MYSQL_TYPE_INT24, 0, 0xff800000, 4, TN_INT64, "-8388608" },
    { MYSQL_TYPE_INT24, UNSIGNED_FLAG, 0xffffff, 4, TN_UINT64, "16777215" },
    { MYSQL_TYPE_LONG, 0, 0x80000000, 4, TN_INT64, "-2147483648" },
    { MYSQL_TYPE_LONG, UNSIGNED_FLAG, 0xffffffff, 4, TN_UINT64, "4294967295" },
    { MYSQL_TYPE_LONGLONG, 0, UINT64_C(1) << 63, 8, TN_INT64,
      "-9223372036854775808" },
    { MYSQL_TYPE_LONGLONG, UNSIGNED_FLAG, UINT64_MAX, 8, TN_UINT64,
      "18446744073709551615" },
  };
  size_t i;

  for (i = 0; i < COUNT(cases); i++) {
    MYSQL_FIELD field = number_field(cases[i].number, cases[i].flags);
    struct one one;

    one_init(&one, &field);
    one_store(&one, &cases[i].bits, cases[i].size);
    cr_expect_eq(one.cell.type, cases[i].type, "case %zu: type %u", i,
                 (unsigned)one.cell.type);
    cr_expect_eq(one.cell.flags, 0);
    cr_expect_str_eq(one.printed, cases[i].printed, "case %zu", i);
    one_clear(&one);
  }
}

Test(decode, a_boolean_that_is_no_truth_value_is_an_integer)
{
  MYSQL_FIELD field = number_field(MYSQL_TYPE_TINY, 0);
  int value;

  field.length = 1;
  for (value = -128; value < 128; value++) {
    int8_t stored = (int8_t)value;
    struct one one;

    one_init(&one, &field);
    one_store(&one, &stored, 1);
    cr_expect_eq(one.cell.type, value == 0 || value == 1 ? TN_BOOL : TN_INT64,
                 "%d", value);
    cr_expect_eq(one.cell.as.int64, value);
    one_clear(&one);
  }
}

Test(decode, a_float_is_widened_exactly)
{
  static const float numbers[] = { 0.1f,   -0.0f,    FLT_MAX, FLT_MIN,
                                   1e-45f, 16777216, -3.5f };
  MYSQL_FIELD field = number_field(MYSQL_TYPE_FLOAT, 0);
  size_t i;

  for (i = 0; i < COUNT(numbers); i++) {
    double wanted = (double)numbers[i];
    struct one one;

    one_init(&one, &field);
    one_store(&one, &numbers[i], sizeof numbers[i]);
    cr_expect_eq(one.cell.type, TN_DOUBLE);
    cr_expect_eq(memcmp(&one.cell.as.real, &wanted, sizeof wanted), 0,
                 "case %zu", i);
    one_clear(&one);
  }
}

Test(decode, a_double_is_left_as_it_is)
{
  static const double numbers[] = { 0.1, -0.0, DBL_MAX, DBL_MIN, 5e-324 };
  MYSQL_FIELD field = number_field(MYSQL_TYPE_DOUBLE, 0);
  size_t i;

  for (i = 0; i < COUNT(numbers); i++) {
    struct one one;

    one_init(&one, &field);
    one_store(&one, &numbers[i], sizeof numbers[i]);
    cr_expect_eq(one.cell.type, TN_DOUBLE);
    cr_expect_eq(memcmp(&one.cell.as.real, &numbers[i], sizeof numbers[i]), 0,
                 "case %zu", i);
    one_clear(&one);
  }
}

Test(decode, null_in_a_column_of_any_type_is_null)
{
  static const uint32_t numbers[] = { MYSQL_TYPE_LONG, MYSQL_TYPE_DATE,
                                      MYSQL_TYPE_BLOB, MYSQL_TYPE_NULL };
  size_t i;

  for (i = 0; i < COUNT(numbers); i++) {
    MYSQL_FIELD field = number_field(numbers[i], 0);
    struct one one;

    one_init(&one, &field);
    *one.reader.binds[0].is_null = 1;
    *one.reader.binds[0].length = 1000000;
    one_read(&one);
    cr_expect_eq(one.cell.type, TN_NULL, "case %zu", i);
    one_clear(&one);
  }
}

Test(decode, a_column_of_type_null_is_null_whatever_comes)
{
  MYSQL_FIELD field = number_field(MYSQL_TYPE_NULL, 0);
  struct one one;

  one_init(&one, &field);
  one_read(&one);
  cr_expect_eq(one.cell.type, TN_NULL);
  one_clear(&one);
}

/* ---- times ---- */

struct time_case {
  uint32_t number;
  uint32_t decimals;
  MYSQL_TIME time;
  uint32_t type;
  const char *printed;
};

#define DAY(y, m, d)                                                           \
  {                                                                            \
    .year = (y), .month = (m), .day = (d)                                      \
  }
#define CLOCK(h, m, s, us)                                                     \
  {                                                                            \
    .hour = (h), .minute = (m), .second = (s), .second_part = (us)             \
  }
#define BOTH(y, mo, d, h, mi, s, us)                                           \
  {                                                                            \
    .year = (y), .month = (mo), .day = (d), .hour = (h), .minute = (mi),       \
    .second = (s), .second_part = (us)                                         \
  }

static const struct time_case times[] = {
  { MYSQL_TYPE_DATE, 0, DAY(1970, 1, 1), TN_DATE, "1970-01-01" },
  { MYSQL_TYPE_DATE, 0, DAY(1, 1, 1), TN_DATE, "0001-01-01" },
  { MYSQL_TYPE_DATE, 0, DAY(9999, 12, 31), TN_DATE, "9999-12-31" },
  { MYSQL_TYPE_DATE, 0, DAY(2000, 2, 29), TN_DATE, "2000-02-29" },
  { MYSQL_TYPE_DATE, 0, DAY(1900, 2, 28), TN_DATE, "1900-02-28" },
  { MYSQL_TYPE_DATE, 0, DAY(1900, 2, 29), TN_OTHER, "1900-02-29" },
  { MYSQL_TYPE_DATE, 0, DAY(0, 0, 0), TN_OTHER, "0000-00-00" },
  { MYSQL_TYPE_DATE, 0, DAY(0, 1, 1), TN_OTHER, "0000-01-01" },
  { MYSQL_TYPE_DATE, 0, DAY(2020, 0, 10), TN_OTHER, "2020-00-10" },
  { MYSQL_TYPE_DATE, 0, DAY(2020, 10, 0), TN_OTHER, "2020-10-00" },
  { MYSQL_TYPE_DATE, 0, DAY(2020, 4, 31), TN_OTHER, "2020-04-31" },
  { MYSQL_TYPE_DATE, 0, DAY(4294967295u, 4294967295u, 4294967295u), TN_OTHER,
    "7295-95-95" },
  { MYSQL_TYPE_TIME, 0, CLOCK(0, 0, 0, 0), TN_TIME, "00:00:00" },
  { MYSQL_TYPE_TIME, 6, CLOCK(23, 59, 59, 999999), TN_TIME, "23:59:59.999999" },
  { MYSQL_TYPE_TIME, 0, CLOCK(24, 0, 0, 0), TN_OTHER, "24:00:00" },
  { MYSQL_TYPE_TIME, 0, CLOCK(838, 59, 59, 0), TN_OTHER, "838:59:59" },
  { MYSQL_TYPE_TIME,
    0,
    { .day = 34, .hour = 22, .minute = 59, .second = 59 },
    TN_OTHER,
    "838:59:59" },
  { MYSQL_TYPE_TIME,
    3,
    { .neg = 1, .second = 1, .second_part = 500000 },
    TN_OTHER,
    "-00:00:01.500" },
  { MYSQL_TYPE_TIME, 0, CLOCK(1, 60, 0, 0), TN_OTHER, "01:60:00" },
  { MYSQL_TYPE_TIME, 31, CLOCK(99, 0, 0, 1), TN_OTHER, "99:00:00.000001" },
  { MYSQL_TYPE_DATETIME, 6, BOTH(1, 1, 1, 0, 0, 0, 0), TN_TIMESTAMP,
    "0001-01-01 00:00:00" },
  { MYSQL_TYPE_DATETIME, 6, BOTH(9999, 12, 31, 23, 59, 59, 999999),
    TN_TIMESTAMP, "9999-12-31 23:59:59.999999" },
  { MYSQL_TYPE_DATETIME, 0, BOTH(0, 0, 0, 0, 0, 0, 0), TN_OTHER,
    "0000-00-00 00:00:00" },
  { MYSQL_TYPE_DATETIME, 6, BOTH(0, 0, 0, 0, 0, 0, 0), TN_OTHER,
    "0000-00-00 00:00:00.000000" },
  { MYSQL_TYPE_DATETIME, 31, BOTH(0, 0, 0, 0, 0, 0, 0), TN_OTHER,
    "0000-00-00 00:00:00" },
  { MYSQL_TYPE_DATETIME, 2, BOTH(2020, 2, 30, 1, 2, 3, 450000), TN_OTHER,
    "2020-02-30 01:02:03.45" },
  { MYSQL_TYPE_DATETIME, 0, BOTH(2020, 2, 1, 24, 0, 0, 0), TN_OTHER,
    "2020-02-01 24:00:00" },
  { MYSQL_TYPE_DATETIME, 6, BOTH(2020, 2, 1, 1, 0, 0, 1000000), TN_OTHER,
    "2020-02-01 01:00:00.000000" },
  { MYSQL_TYPE_TIMESTAMP, 6, BOTH(2023, 11, 14, 22, 13, 20, 123456),
    TN_TIMESTAMP, "2023-11-14 22:13:20.123456+00:00" },
  { MYSQL_TYPE_TIMESTAMP, 0, BOTH(0, 0, 0, 0, 0, 0, 0), TN_OTHER,
    "0000-00-00 00:00:00" },
};

Test(decode, times_and_what_is_none)
{
  size_t i;

  for (i = 0; i < COUNT(times); i++) {
    MYSQL_FIELD field = number_field(times[i].number, BINARY_FLAG);
    struct one one;

    field.decimals = times[i].decimals;
    one_init(&one, &field);
    one_store(&one, &times[i].time, sizeof times[i].time);
    cr_expect_eq(one.cell.type, times[i].type, "case %zu: \"%s\": type %u", i,
                 times[i].printed, (unsigned)one.cell.type);
    cr_expect_str_eq(one.printed, times[i].printed, "case %zu", i);
    if (one.cell.type == TN_OTHER)
      cr_expect_str_eq(one.cell.more.type_name,
                       one.reader.columns[0].type_name);
    else
      cr_expect_eq(tn_value_check(&one.cell, NULL), TN_OK, "case %zu", i);
    one_clear(&one);
  }
}

Test(decode, every_day_of_the_calendar)
{
  MYSQL_FIELD field = number_field(MYSQL_TYPE_DATE, BINARY_FLAG);
  MYSQL_TIME *time;
  struct one one;
  int64_t days;

  one_init(&one, &field);
  time = one.reader.binds[0].buffer;
  for (days = TN_DAYS_MIN; days <= TN_DAYS_MAX; days++) {
    int year, month, day;

    tn_date_to_civil(days, &year, &month, &day);
    time->year = (unsigned)year;
    time->month = (unsigned)month;
    time->day = (unsigned)day;
    cr_assert_eq(
        mysql__decode_row(&one.reader, NULL, &one.cell, &one.fake.call), TN_OK);
    if (one.cell.type != TN_DATE || one.cell.as.days != days)
      cr_assert_fail("%d-%d-%d", year, month, day);
  }
  one_clear(&one);
}

/* ---- bytes ---- */

struct bytes_case {
  uint32_t number;
  uint32_t charset;
  const char *bytes;
  size_t size;
  uint32_t type;
};

#define BYTES(text) (text), sizeof(text) - 1

static const struct bytes_case byte_cases[] = {
  { MYSQL_TYPE_VAR_STRING, UTF8MB4, BYTES(""), TN_TEXT },
  { MYSQL_TYPE_VAR_STRING, UTF8MB4, BYTES("plain text"), TN_TEXT },
  { MYSQL_TYPE_VAR_STRING, UTF8MB4, BYTES("a\0b"), TN_TEXT },
  { MYSQL_TYPE_VAR_STRING, UTF8MB4, BYTES("\xe2\x82\xac"), TN_TEXT },
  { MYSQL_TYPE_VAR_STRING, UTF8MB4, BYTES("1234567890\xf0\x9f\x98\x80"),
    TN_TEXT },
  { MYSQL_TYPE_VAR_STRING, UTF8MB4, BYTES("\xff"), TN_BLOB },
  { MYSQL_TYPE_VAR_STRING, UTF8MB4, BYTES("12345678901234567\xc0\x80"),
    TN_BLOB },
  { MYSQL_TYPE_VAR_STRING, UTF8MB4, BYTES("\xed\xa0\x80"), TN_BLOB },
  { MYSQL_TYPE_VAR_STRING, MYSQL__BINARY, BYTES("text"), TN_BLOB },
  { MYSQL_TYPE_BLOB, MYSQL__BINARY, BYTES("\xff\0\x01"), TN_BLOB },
  { MYSQL_TYPE_NEWDECIMAL, MYSQL__BINARY, BYTES("0"), TN_DECIMAL },
  { MYSQL_TYPE_NEWDECIMAL, MYSQL__BINARY, BYTES("-12.50"), TN_DECIMAL },
  { MYSQL_TYPE_NEWDECIMAL, MYSQL__BINARY,
    BYTES("12345678901234567890123456789012345."
          "678901234567890123456789012345"),
    TN_DECIMAL },
  { MYSQL_TYPE_NEWDECIMAL, MYSQL__BINARY, BYTES(""), TN_TEXT },
  { MYSQL_TYPE_NEWDECIMAL, MYSQL__BINARY, BYTES("-"), TN_TEXT },
  { MYSQL_TYPE_NEWDECIMAL, MYSQL__BINARY, BYTES("1."), TN_TEXT },
  { MYSQL_TYPE_NEWDECIMAL, MYSQL__BINARY, BYTES(".5"), TN_TEXT },
  { MYSQL_TYPE_NEWDECIMAL, MYSQL__BINARY, BYTES("1.2.3"), TN_TEXT },
  { MYSQL_TYPE_NEWDECIMAL, MYSQL__BINARY, BYTES("1 "), TN_TEXT },
  { MYSQL_TYPE_NEWDECIMAL, MYSQL__BINARY, BYTES("\xff"), TN_BLOB },
  { MYSQL_TYPE_JSON, MYSQL__BINARY, BYTES("{\"a\": [1, null]}"), TN_JSON },
  { MYSQL_TYPE_JSON, MYSQL__BINARY, BYTES("17"), TN_JSON },
  { MYSQL_TYPE_JSON, MYSQL__BINARY, BYTES("{\"a\":"), TN_TEXT },
  { MYSQL_TYPE_JSON, MYSQL__BINARY, BYTES("\"\xff\""), TN_BLOB },
  { MYSQL_TYPE_GEOMETRY, MYSQL__BINARY, BYTES("\0\0\0\0\x01"), TN_OTHER },
};

Test(decode, bytes_are_what_the_column_says_if_they_can_be)
{
  static char name[] = "c";
  size_t i;

  for (i = 0; i < COUNT(byte_cases); i++) {
    const struct bytes_case *c = &byte_cases[i];
    MYSQL_FIELD field =
        make_field(name, c->number, BINARY_FLAG, 200, c->charset);
    struct one one;

    one_init(&one, &field);
    one_store(&one, c->bytes, c->size);
    cr_expect_eq(one.cell.type, c->type, "case %zu: type %u", i,
                 (unsigned)one.cell.type);
    cr_expect_eq(one.cell.as.bytes.size, c->size, "case %zu", i);
    cr_expect_eq(memcmp(one.cell.as.bytes.data, c->bytes, c->size), 0,
                 "case %zu", i);
    one_clear(&one);
  }
}

Test(decode, bits_are_a_number_up_to_64_of_them)
{
  static const struct {
    const char *bytes;
    size_t size;
    uint64_t wanted;
  } cases[] = {
    { BYTES(""), 0 },
    { BYTES("\x01"), 1 },
    { BYTES("\x01\x02"), 0x102 },
    { BYTES("\xff\xff\xff\xff\xff\xff\xff\xff"), UINT64_MAX },
    { BYTES("\x80\0\0\0\0\0\0\0"), UINT64_C(1) << 63 },
  };
  MYSQL_FIELD field = number_field(MYSQL_TYPE_BIT, UNSIGNED_FLAG);
  size_t i;

  for (i = 0; i < COUNT(cases); i++) {
    struct one one;

    one_init(&one, &field);
    one_store(&one, cases[i].bytes, cases[i].size);
    cr_expect_eq(one.cell.type, TN_UINT64, "case %zu", i);
    cr_expect_eq(one.cell.as.uint64, cases[i].wanted, "case %zu", i);
    one_clear(&one);
  }
}

Test(decode, more_than_64_bits_are_bytes)
{
  MYSQL_FIELD field = number_field(MYSQL_TYPE_BIT, UNSIGNED_FLAG);
  struct one one;

  one_init(&one, &field);
  one_store(&one, "123456789", 9);
  cr_expect_eq(one.cell.type, TN_BLOB);
  cr_expect_eq(one.cell.as.bytes.size, 9);
  one_clear(&one);
}

/* The reader of MariaDB's own type, whose name only a server can tell. */
Test(decode, a_uuid_is_read_and_what_is_none_stays_text)
{
  static const uint8_t wanted[16] = { 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc,
                                      0xde, 0xf0, 0x00, 0x11, 0x22, 0x33,
                                      0x44, 0x55, 0x66, 0x77 };
  static char name[] = "c";
  MYSQL_FIELD field = make_field(name, MYSQL_TYPE_STRING, 0, 144, UTF8MB4);
  struct one one;

  one_init(&one, &field);
  one.reader.cells[0].decoder = MYSQL__AS_UUID;
  one_store(&one, BYTES("12345678-9abc-def0-0011-223344556677"));
  cr_expect_eq(one.cell.type, TN_UUID);
  cr_expect_eq(memcmp(one.cell.as.uuid, wanted, 16), 0);
  one_store(&one, BYTES("12345678-9abc-def0-0011-22334455667"));
  cr_expect_eq(one.cell.type, TN_TEXT);
  one_clear(&one);
}
