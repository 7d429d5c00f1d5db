/* Rows of text to values. */
#include "fields.h"

struct text_case {
  uint32_t number;
  uint32_t flags;
  const char *text; /* NULL is NULL */
  uint32_t type;
  const char *printed;
};

static const struct text_case cases[] = {
  { MYSQL_TYPE_LONG, 0, NULL, TN_NULL, "" },
  { MYSQL_TYPE_NULL, 0, NULL, TN_NULL, "" },
  { MYSQL_TYPE_NULL, 0, "odd", TN_TEXT, "odd" },
  { MYSQL_TYPE_TINY, 0, "-128", TN_INT64, "-128" },
  { MYSQL_TYPE_LONG, 0, "0", TN_INT64, "0" },
  { MYSQL_TYPE_LONGLONG, 0, "9223372036854775807", TN_INT64,
    "9223372036854775807" },
  { MYSQL_TYPE_LONGLONG, 0, "-9223372036854775808", TN_INT64,
    "-9223372036854775808" },
  { MYSQL_TYPE_LONGLONG, 0, "9223372036854775808", TN_TEXT,
    "9223372036854775808" },
  { MYSQL_TYPE_LONGLONG, 0, "-9223372036854775809", TN_TEXT,
    "-9223372036854775809" },
  { MYSQL_TYPE_LONGLONG, 0, "99999999999999999999", TN_TEXT,
    "99999999999999999999" },
  { MYSQL_TYPE_LONGLONG, UNSIGNED_FLAG, "18446744073709551615", TN_UINT64,
    "18446744073709551615" },
  { MYSQL_TYPE_LONGLONG, UNSIGNED_FLAG, "18446744073709551616", TN_TEXT,
    "18446744073709551616" },
  { MYSQL_TYPE_LONG, UNSIGNED_FLAG, "0000000042", TN_UINT64, "42" },
  { MYSQL_TYPE_LONG, UNSIGNED_FLAG, "-1", TN_TEXT, "-1" },
  { MYSQL_TYPE_LONG, 0, "", TN_TEXT, "" },
  { MYSQL_TYPE_LONG, 0, "-", TN_TEXT, "-" },
  { MYSQL_TYPE_LONG, 0, "12x", TN_TEXT, "12x" },
  { MYSQL_TYPE_YEAR, UNSIGNED_FLAG, "1999", TN_INT64, "1999" },
  { MYSQL_TYPE_FLOAT, 0, "0.1", TN_DOUBLE, "0.10000000149011612" },
  { MYSQL_TYPE_DOUBLE, 0, "0.1", TN_DOUBLE, "0.1" },
  { MYSQL_TYPE_DOUBLE, 0, "-1.7976931348623157e308", TN_DOUBLE,
    "-1.7976931348623157e308" },
  { MYSQL_TYPE_DOUBLE, 0, "much", TN_TEXT, "much" },
  { MYSQL_TYPE_NEWDECIMAL, 0, "-12.50", TN_DECIMAL, "-12.50" },
  { MYSQL_TYPE_BIT, UNSIGNED_FLAG, "\x01\x02", TN_UINT64, "258" },
  { MYSQL_TYPE_DATE, 0, "2000-02-29", TN_DATE, "2000-02-29" },
  { MYSQL_TYPE_DATE, 0, "0001-01-01", TN_DATE, "0001-01-01" },
  { MYSQL_TYPE_DATE, 0, "0000-00-00", TN_OTHER, "0000-00-00" },
  { MYSQL_TYPE_DATE, 0, "2000-02-30", TN_OTHER, "2000-02-30" },
  { MYSQL_TYPE_DATE, 0, "2000-2-29", TN_OTHER, "2000-2-29" },
  { MYSQL_TYPE_DATE, 0, "2000/02/29", TN_OTHER, "2000/02/29" },
  { MYSQL_TYPE_DATE, 0, "2o00-02-29", TN_OTHER, "2o00-02-29" },
  { MYSQL_TYPE_DATE, 0, "", TN_OTHER, "" },
  { MYSQL_TYPE_TIME, 0, "00:00:00", TN_TIME, "00:00:00" },
  { MYSQL_TYPE_TIME, 0, "23:59:59.999999", TN_TIME, "23:59:59.999999" },
  { MYSQL_TYPE_TIME, 0, "01:02:03.5", TN_TIME, "01:02:03.5" },
  { MYSQL_TYPE_TIME, 0, "01:02:03.", TN_OTHER, "01:02:03." },
  { MYSQL_TYPE_TIME, 0, "01:02:03.1234567", TN_OTHER, "01:02:03.1234567" },
  { MYSQL_TYPE_TIME, 0, "01:02:03x5", TN_OTHER, "01:02:03x5" },
  { MYSQL_TYPE_TIME, 0, "24:00:00", TN_OTHER, "24:00:00" },
  { MYSQL_TYPE_TIME, 0, "838:59:59", TN_OTHER, "838:59:59" },
  { MYSQL_TYPE_TIME, 0, "-00:00:01", TN_OTHER, "-00:00:01" },
  { MYSQL_TYPE_TIME, 0, "1:2:3", TN_OTHER, "1:2:3" },
  { MYSQL_TYPE_DATETIME, 0, "2023-11-14 22:13:20", TN_TIMESTAMP,
    "2023-11-14 22:13:20" },
  { MYSQL_TYPE_DATETIME, 0, "9999-12-31 23:59:59.999999", TN_TIMESTAMP,
    "9999-12-31 23:59:59.999999" },
  { MYSQL_TYPE_DATETIME, 0, "0000-00-00 00:00:00.000000", TN_OTHER,
    "0000-00-00 00:00:00.000000" },
  { MYSQL_TYPE_DATETIME, 0, "2023-11-14T22:13:20", TN_OTHER,
    "2023-11-14T22:13:20" },
  { MYSQL_TYPE_DATETIME, 0, "2023-11-14", TN_OTHER, "2023-11-14" },
  { MYSQL_TYPE_TIMESTAMP, 0, "2023-11-14 22:13:20.12", TN_TIMESTAMP,
    "2023-11-14 22:13:20.12+00:00" },
  { MYSQL_TYPE_TIMESTAMP, 0, "0000-00-00 00:00:00", TN_OTHER,
    "0000-00-00 00:00:00" },
  { 242, 0, "anything", TN_OTHER, "anything" },
};

/* Cells of a text row need not end with NUL. */
static void
read_one(const MYSQL_FIELD *field, const char *text, tn_value *cell,
         char *printed, size_t size)
{
  struct mysql__reader reader = { 0 };
  struct fake_call fake;
  char copy[64];
  char *row[1] = { NULL };
  unsigned long length = 0;

  fake_call_init(&fake, NULL);
  memset(copy, '9', sizeof copy);
  if (text != NULL) {
    length = (unsigned long)strlen(text);
    memcpy(copy, text, length);
    row[0] = copy;
  }
  cr_assert_eq(mysql__reader_set(&reader, field, 1, true, &fake.call), TN_OK);
  memset(cell, 0xaa, sizeof *cell);
  mysql__decode_text_row(&reader, row, &length, cell);
  tn_value_print(cell, printed, size);
  mysql__reader_clear(&reader);
}

Test(decode_text, cells_are_read_by_their_columns_type)
{
  size_t i;

  for (i = 0; i < COUNT(cases); i++) {
    MYSQL_FIELD field = number_field(cases[i].number, cases[i].flags);
    tn_value cell;
    char printed[128];

    read_one(&field, cases[i].text, &cell, printed, sizeof printed);
    cr_expect_eq(cell.type, cases[i].type, "case %zu: \"%s\": type %u", i,
                 cases[i].printed, (unsigned)cell.type);
    cr_expect_str_eq(printed, cases[i].printed, "case %zu", i);
    cr_expect_eq(cell.flags,
                 cases[i].number == MYSQL_TYPE_TIMESTAMP &&
                         cell.type == TN_TIMESTAMP
                     ? TN_VALUE_ZONED
                     : 0,
                 "case %zu", i);
  }
}

Test(decode_text, booleans)
{
  static const struct {
    const char *text;
    uint32_t type;
  } rows[] = {
    { "0", TN_BOOL },   { "1", TN_BOOL },   { "2", TN_INT64 },
    { "-1", TN_INT64 }, { "yes", TN_TEXT },
  };
  MYSQL_FIELD field = number_field(MYSQL_TYPE_TINY, 0);
  size_t i;

  field.length = 1;
  for (i = 0; i < COUNT(rows); i++) {
    tn_value cell;
    char printed[32];

    read_one(&field, rows[i].text, &cell, printed, sizeof printed);
    cr_expect_eq(cell.type, rows[i].type, "case %zu: \"%s\"", i, rows[i].text);
  }
}

Test(decode_text, the_bytes_are_those_of_the_row)
{
  static char name[] = "c";
  MYSQL_FIELD field = make_field(name, MYSQL_TYPE_VAR_STRING, 0, 40, UTF8MB4);
  struct mysql__reader reader = { 0 };
  struct fake_call fake;
  char text[] = "some text";
  char *row[1] = { text };
  unsigned long length = 9;
  tn_value cell;

  fake_call_init(&fake, NULL);
  cr_assert_eq(mysql__reader_set(&reader, &field, 1, true, &fake.call), TN_OK);
  mysql__decode_text_row(&reader, row, &length, &cell);
  cr_expect_eq(cell.type, TN_TEXT);
  cr_expect_eq(cell.as.bytes.data, text);
  cr_expect_eq(cell.as.bytes.size, 9);
  mysql__reader_clear(&reader);
}
