/* Every type to every type. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>
#include <tenon/value.h>

#include "value_priv.h"

static const uint8_t sample_uuid[16] = { 0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b,
                                         0x12, 0xd3, 0xa4, 0x56, 0x42, 0x66,
                                         0x14, 0x17, 0x40, 0xff };
#define DIGITS_65                                                              \
  "99999999999999999999999999999999999999999999999999999999999999999"
#define SAMPLE_UUID "123e4567-e89b-12d3-a456-4266141740ff"

static tn_value
other(const char *text)
{
  tn_value value = tn_bytes(TN_OTHER, text, strlen(text));

  value.more.type_name = "point";
  return value;
}

/* One letter a type, in the order of enum tn_type:
 * null bool int64 uint64 double decimal text blob date time timestamp uuid
 * json other array. '.' is refused, '=' comes back equal, '>' is accepted but
 * cannot come back (or not as what it was). */
struct pair_case {
  tn_value value;
  const char *targets;
};

static void
check_pair(const tn_value *value, uint32_t type, char expected, size_t i)
{
  char buffer[TN_VALUE_PRINT_MAX];
  char second[TN_VALUE_PRINT_MAX];
  tn_value made = tn_int64(77);
  tn_value back = tn_null();
  tn_err err = TN_ERR_INIT;
  bool is_made = tn_value_convert(value, type, buffer, sizeof buffer, &made,
                                  &err) == TN_OK;
  bool is_back;

  cr_expect(is_made == (expected != '.'), "case %zu to %s: %s", i,
            tn_type_name(type), err.message);
  if (!is_made) {
    cr_expect(err.code == TN_E_DATA || err.code == TN_E_CHARSET,
              "case %zu to %s", i, tn_type_name(type));
    cr_expect(made.type == TN_INT64 && made.as.int64 == 77, "case %zu", i);
    cr_expect(strstr(err.message, tn_type_name(type)) != NULL, "case %zu: %s",
              i, err.message);
    return;
  }
  cr_expect(made.type == type, "case %zu to %s", i, tn_type_name(type));
  cr_expect(tn_value_check(&made, NULL) == TN_OK, "case %zu to %s", i,
            tn_type_name(type));
  is_back = tn_value_convert(&made, value->type, second, sizeof second, &back,
                             NULL) == TN_OK &&
            tn_value_equal(value, &back);
  cr_expect(is_back == (expected == '='), "case %zu to %s and back", i,
            tn_type_name(type));
}

Test(value_convert, every_pair_of_types_is_decided)
{
  const tn_value items[] = { tn_int64(1), tn_null() };
  const struct pair_case cases[] = {
    { tn_null(), "=.............." },
    { tn_bool(1), ".======.....=.." },
    { tn_bool(0), ".======.....=.." },
    { tn_int64(1), ".======.....=.." },
    { tn_int64(42), "..=====.....=.." },
    { tn_int64(-42), "..=.===.....=.." },
    { tn_int64(INT64_MIN), "..=.===.....=.." },
    { tn_int64(INT64_MAX), "..==.==.....=.." },
    { tn_uint64(UINT64_MAX), "...=.==.....=.." },
    { tn_uint64(UINT64_C(1) << 63), "...====.....=.." },
    { tn_double(1), ".======.....=.." },
    { tn_double(1.5), "....===.....=.." },
    { tn_double(1e300), "....===.....=.." },
    { tn_double(5e-324), "....===.....=.." },
    { tn_double(NAN), "....=.=........" },
    { tn_double(-INFINITY), "....=.=........" },
    { tn_decimal("42"), "..=====>....=.." },
    { tn_decimal("0.10"), "....===>....=.." },
    { tn_decimal("+.5"), "....===>......." },
    { tn_decimal(DIGITS_65), ".....==>....=.." },
    { tn_text("hello"), "......==......." },
    { tn_text("\xf0\x9f\x90\x98"), "......==......." },
    { tn_text(""), "......==......." },
    { tn_text("42"), "..======....=.." },
    { tn_text("1"), ".>======....=.." },
    { tn_text("true"), ".=....==....=.." },
    { tn_text("1970-01-01"), "......===......" },
    { tn_text("12:34:56"), "......==.=....." },
    { tn_text("1970-01-01 00:00:00"), "......==..=...." },
    { tn_text("1970-01-01 00:00:00+01:00"), "......==..=...." },
    { tn_text(SAMPLE_UUID), "......==...=..." },
    { tn_text("{\"a\":1}"), "......==....=.." },
    { tn_blob("abc", 3), "......==......." },
    { tn_blob("\xff", 1), ".......=......." },
    { tn_blob("", 0), "......==......." },
    { tn_blob(sample_uuid, 16), ".......=...=..." },
    { tn_date(0), "......=.=.=.=.." },
    { tn_date(TN_DAYS_MIN), "......=.=.=.=.." },
    { tn_time(0), "......=..=..=.." },
    { tn_timestamp(0), "......=.=.=.=.." },
    { tn_timestamp(-TN_DAY_MICROS), "......=.=.=.=.." },
    { tn_timestamp(1), "......=...=.=.." },
    { tn_timestamp(-1), "......=...=.=.." },
    { tn_timestamp_zoned(0, 0), "......=...=.=.." },
    { tn_timestamp_zoned(TN_MICROS_MAX, -57599), "......=...=.=.." },
    { tn_uuid(sample_uuid), "......==...==.." },
    { tn_json("42"), "..=====>....=.." },
    { tn_json("1.5"), "....===>....=.." },
    { tn_json("true"), ".=....=>....=.." },
    { tn_json("null"), "......=>....=.." },
    { tn_json("[1]"), "......=>....=.." },
    { tn_json("\"1970-01-01\""), "......=>=...=.." },
    { tn_json("\"12:34:56\""), "......=>.=..=.." },
    { tn_json("\"1970-01-01 00:00:00Z\""), "......=>..>.=.." },
    { tn_json("\"" SAMPLE_UUID "\""), "......=>...==.." },
    { tn_json("\"a\\nb\""), "......=>....=.." },
    { other("(1,2)"), "......>>.....=." },
    { tn_array(TN_INT64, items, 2), "......>.....>.=" },
    { tn_array(TN_TEXT, NULL, 0), "......>.....>.=" },
  };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    uint32_t type;

    cr_assert(strlen(cases[i].targets) == TN_ARRAY, "case %zu", i);
    for (type = TN_NULL; type <= TN_ARRAY; type++)
      check_pair(&cases[i].value, type, cases[i].targets[type - 1], i);
  }
}

Test(value_convert, the_same_type_is_lent_and_not_owned)
{
  TN_CLEANUP(tn_value_clear) tn_value value = tn_null();
  tn_value text = tn_text("abc");
  tn_value lent = tn_null();

  cr_assert(tn_value_copy(&text, &value, NULL) == TN_OK);
  cr_assert(tn_value_convert(&value, TN_TEXT, NULL, 0, &lent, NULL) == TN_OK);
  cr_expect(lent.as.bytes.data == value.as.bytes.data);
  cr_expect(lent.flags == 0);
  cr_assert(tn_value_convert(&value, TN_BLOB, NULL, 0, &lent, NULL) == TN_OK);
  cr_expect(lent.as.bytes.data == value.as.bytes.data);
  cr_expect(lent.flags == 0);
}

Test(value_convert, numbers_and_times_become_text_in_the_buffer)
{
  const struct {
    tn_value value;
    uint32_t type;
    const char *text;
  } cases[] = {
    { tn_int64(-5), TN_TEXT, "-5" },
    { tn_bool(1), TN_DECIMAL, "1" },
    { tn_bool(1), TN_TEXT, "true" },
    { tn_bool(0), TN_JSON, "false" },
    { tn_double(0.1), TN_DECIMAL, "0.1" },
    { tn_double(1e300), TN_JSON, "1e300" },
    { tn_date(0), TN_JSON, "\"1970-01-01\"" },
    { tn_timestamp_zoned(TN_MICROS_MAX, -57599), TN_JSON,
      "\"9999-12-31 08:00:00.999999-15:59:59\"" },
    { tn_uuid(sample_uuid), TN_JSON, "\"" SAMPLE_UUID "\"" },
    { tn_uuid(sample_uuid), TN_BLOB, (const char *)sample_uuid },
  };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    size_t length = cases[i].type == TN_BLOB ? 16 : strlen(cases[i].text);
    size_t size;

    for (size = 0; size <= length; size++) {
      char buffer[TN_VALUE_PRINT_MAX];
      tn_value made = tn_int64(77);
      tn_err err = TN_ERR_INIT;

      memset(buffer, '#', sizeof buffer);
      cr_expect(tn_value_convert(&cases[i].value, cases[i].type, buffer, size,
                                 &made, &err) == TN_E_DATA,
                "case %zu, size %zu", i, size);
      cr_expect(strstr(err.message, "needs a buffer of") != NULL, "%s",
                err.message);
      cr_expect(buffer[size] == '#' && made.type == TN_INT64, "case %zu", i);
    }
    for (; size <= TN_VALUE_PRINT_MAX; size++) {
      char buffer[TN_VALUE_PRINT_MAX];
      tn_value made = tn_int64(77);

      cr_expect(tn_value_convert(&cases[i].value, cases[i].type, buffer, size,
                                 &made, NULL) == TN_OK,
                "case %zu, size %zu", i, size);
      cr_expect(made.as.bytes.data == buffer, "case %zu", i);
      cr_expect(made.as.bytes.size == length, "case %zu", i);
      cr_expect(memcmp(buffer, cases[i].text, length) == 0, "case %zu", i);
    }
  }
}

Test(value_convert, a_value_may_be_converted_in_place)
{
  char buffer[TN_VALUE_PRINT_MAX];
  tn_value value = tn_uuid(sample_uuid);

  cr_expect(tn_value_convert(&value, TN_BLOB, buffer, sizeof buffer, &value,
                             NULL) == TN_OK);
  cr_expect(tn_value_convert(&value, TN_UUID, NULL, 0, &value, NULL) == TN_OK);
  cr_expect(tn_value_convert(&value, TN_TEXT, buffer, sizeof buffer, &value,
                             NULL) == TN_OK);
  cr_expect_str_eq(buffer, SAMPLE_UUID);
  cr_expect(tn_value_convert(&value, TN_TEXT, NULL, 0, &value, NULL) == TN_OK);
  cr_expect(tn_value_convert(&value, TN_UUID, NULL, 0, &value, NULL) == TN_OK);
  cr_expect(memcmp(value.as.uuid, sample_uuid, 16) == 0);
}

Test(value_convert, a_malformed_value_is_refused_before_it_is_converted)
{
  const struct {
    tn_value value;
    uint32_t type;
    int32_t code;
  } cases[] = {
    { tn_text("\xff"), TN_BLOB, TN_E_CHARSET },
    { tn_text("\xff"), TN_TEXT, TN_E_CHARSET },
    { tn_json("{"), TN_TEXT, TN_E_DATA },
    { tn_decimal("x"), TN_TEXT, TN_E_DATA },
    { tn_date(INT64_MAX), TN_TIMESTAMP, TN_E_DATA },
    { tn_date(INT64_MAX), TN_TEXT, TN_E_DATA },
    { tn_date(INT64_MAX), TN_DATE, TN_E_DATA },
    { tn_bytes(99, "x", 1), TN_TEXT, TN_E_DATA },
    { tn_text("x"), 0, TN_E_DATA },
    { tn_text("x"), 99, TN_E_DATA },
    { tn_blob("\xff", 1), TN_TEXT, TN_E_CHARSET },
  };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    char buffer[TN_VALUE_PRINT_MAX];
    tn_value made = tn_int64(77);

    cr_expect(tn_value_convert(&cases[i].value, cases[i].type, buffer,
                               sizeof buffer, &made,
                               NULL) == (enum tn_code)cases[i].code,
              "case %zu", i);
    cr_expect(made.type == TN_INT64 && made.as.int64 == 77, "case %zu", i);
  }
}

Test(value_convert, a_refusal_names_value_type_and_cause)
{
  const struct {
    tn_value value;
    uint32_t type;
    const char *message;
  } cases[] = {
    { tn_null(), TN_TEXT, "value: null does not fit text" },
    { tn_text("x"), TN_NULL, "value: \"x\" does not fit null" },
    { tn_int64(1), TN_OTHER, "value: 1 does not fit other" },
    { tn_text("[1]"), TN_ARRAY, "value: \"[1]\" does not fit array" },
    { tn_array(TN_TEXT, NULL, 0), TN_BLOB,
      "value: an array of 0 items does not fit blob" },
    { tn_int64(1), TN_BLOB, "value: 1 does not fit blob" },
    { tn_int64(1), TN_DATE, "value: 1 does not fit date" },
    { tn_blob("1", 1), TN_DECIMAL,
      "value: a blob of 1 bytes does not fit decimal" },
    { tn_double(NAN), TN_DECIMAL,
      "value: nan does not fit decimal: not finite" },
    { tn_double(-INFINITY), TN_JSON,
      "value: -inf does not fit json: not finite" },
    { tn_decimal("007"), TN_JSON,
      "value: 007 does not fit json: unexpected byte at offset 1" },
    { tn_timestamp(1), TN_DATE,
      "value: 1970-01-01 00:00:00.000001 does not fit date: not midnight "
      "without a zone" },
    { tn_timestamp_zoned(0, 0), TN_DATE,
      "value: 1970-01-01 00:00:00+00:00 does not fit date: not midnight "
      "without a zone" },
    { tn_timestamp(0), TN_TIME,
      "value: 1970-01-01 00:00:00 does not fit time" },
    { tn_text("\"1970-01-01\""), TN_DATE,
      "value: \"\"1970-01-01\"\" does not fit date: not YYYY-MM-DD" },
    { tn_json("1234567890123456789012345678901234"), TN_UUID,
      "value: \"1234567890123456789012345678901234\" does not fit uuid" },
    { tn_json("\"1970-01-01\" "), TN_DATE,
      "value: \"\"1970-01-01\" \" does not fit date" },
    { tn_json("\"x\""), TN_DATE,
      "value: \"\"x\"\" does not fit date: not YYYY-MM-DD" },
  };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    char buffer[TN_VALUE_PRINT_MAX];
    tn_value made;
    tn_err err = TN_ERR_INIT;

    cr_expect(tn_value_convert(&cases[i].value, cases[i].type, buffer,
                               sizeof buffer, &made, &err) == TN_E_DATA,
              "case %zu", i);
    cr_expect_str_eq(err.message, cases[i].message, "case %zu: %s", i,
                     err.message);
  }
}

Test(value_convert, a_buffer_that_is_too_small_is_told_the_size)
{
  char buffer[3];
  tn_value value = tn_int64(123);
  tn_value made;
  tn_err err = TN_ERR_INIT;

  cr_expect(tn_value_convert(&value, TN_TEXT, buffer, sizeof buffer, &made,
                             &err) == TN_E_DATA);
  cr_expect_str_eq(err.message, "value: text needs a buffer of 4 bytes, not 3");
}
