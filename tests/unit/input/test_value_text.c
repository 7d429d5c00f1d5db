/* Values printed and parsed. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <tenon/value.h>

#include "value_priv.h"

static const uint8_t sample_uuid[16] = { 0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b,
                                         0x12, 0xd3, 0xa4, 0x56, 0x42, 0x66,
                                         0x14, 0x17, 0x40, 0xff };
#define SAMPLE_UUID "123e4567-e89b-12d3-a456-4266141740ff"

static tn_value
other(const char *data, size_t size)
{
  tn_value value = tn_bytes(TN_OTHER, data, size);

  value.more.type_name = "point";
  return value;
}

static tn_value
raw_bool(int64_t number)
{
  tn_value value = tn_bool(0);

  value.as.int64 = number;
  return value;
}

static tn_value
typed(uint32_t type)
{
  tn_value value = tn_null();

  value.type = type;
  return value;
}

Test(value_text, every_type_is_printed)
{
  const struct {
    tn_value value;
    const char *text;
  } cases[] = {
    { tn_null(), "" },
    { tn_bool(1), "true" },
    { tn_bool(0), "false" },
    { tn_int64(INT64_MIN), "-9223372036854775808" },
    { tn_uint64(UINT64_MAX), "18446744073709551615" },
    { tn_double(-0.0), "-0" },
    { tn_double(0.1), "0.1" },
    { tn_double(NAN), "nan" },
    { tn_double(-INFINITY), "-inf" },
    { tn_decimal("1.500"), "1.500" },
    { tn_text("h\xc3\xa9"), "h\xc3\xa9" },
    { tn_text(""), "" },
    { typed(TN_TEXT), "" },
    { tn_blob("\x00\xff\x7f", 3), "00ff7f" },
    { tn_blob("", 0), "" },
    { tn_date(0), "1970-01-01" },
    { tn_time(1), "00:00:00.000001" },
    { tn_timestamp(-1), "1969-12-31 23:59:59.999999" },
    { tn_timestamp_zoned(0, -12600), "1969-12-31 20:30:00-03:30" },
    { tn_timestamp_zoned(TN_MICROS_MIN, 57599),
      "0001-01-01 15:59:59+15:59:59" },
    { tn_uuid(sample_uuid), SAMPLE_UUID },
    { tn_json("{\"a\": 1}"), "{\"a\": 1}" },
    { other("(1,2)", 5), "(1,2)" },
    { other("\xff\x01", 2), "ff01" },
    { other("", 0), "" },
    /* What is malformed has no text. */
    { raw_bool(2), "" },
    { tn_date(INT64_MAX), "" },
    { tn_time(-1), "" },
    { tn_timestamp(INT64_MIN), "" },
    { tn_timestamp_zoned(0, INT32_MAX), "" },
    { typed(0), "" },
    { typed(99), "" },
  };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    char text[64];
    size_t length = tn_value_print(&cases[i].value, text, sizeof text);

    cr_expect_str_eq(text, cases[i].text, "case %zu: \"%s\"", i, text);
    cr_expect(length == strlen(cases[i].text), "case %zu: %zu", i, length);
  }
}

Test(value_text, text_with_nul_bytes_is_printed_whole)
{
  tn_value value = tn_bytes(TN_TEXT, "a\0b", 3);
  char text[8];

  cr_expect(tn_value_print(&value, text, sizeof text) == 3);
  cr_expect(memcmp(text, "a\0b\0", 4) == 0);
}

Test(value_text, a_small_buffer_gets_a_prefix_and_the_whole_length)
{
  const tn_value cases[] = {
    tn_bool(1),
    tn_int64(-1234567),
    tn_double(0.30000000000000004),
    tn_decimal("12345.67890"),
    tn_text("hello world"),
    tn_blob("\x12\x34\x56\x78", 4),
    tn_date(0),
    tn_time(123456),
    tn_timestamp_zoned(TN_MICROS_MAX - 57599 * INT64_C(1000000), 57599),
    tn_uuid(sample_uuid),
    tn_json("[1,2,3]"),
    other("\xff\xfe", 2),
    tn_null(),
  };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    char whole[64];
    size_t length = tn_value_print(&cases[i], whole, sizeof whole);
    size_t size;

    cr_expect(tn_value_print(&cases[i], NULL, 0) == length, "case %zu", i);
    for (size = 1; size <= length + 1; size++) {
      char *text = malloc(size); /* of just that size, for the sanitizer */

      cr_expect(tn_value_print(&cases[i], text, size) == length, "case %zu", i);
      cr_expect(memcmp(text, whole, size - 1) == 0, "case %zu, size %zu", i,
                size);
      cr_expect(text[size - 1] == '\0', "case %zu, size %zu", i, size);
      free(text);
    }
  }
}

Test(value_text, the_longest_texts_fit_the_promised_size)
{
  const tn_value cases[] = {
    tn_int64(INT64_MIN),
    tn_double(-2.2250738585072014e-308),
    tn_double(-0.00012345678901234567),
    tn_timestamp_zoned(TN_MICROS_MAX, -57599),
    tn_uuid(sample_uuid),
  };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++)
    cr_expect(tn_value_print(&cases[i], NULL, 0) + 3 <= TN_VALUE_PRINT_MAX,
              "case %zu", i); /* with the quotes that JSON adds */
}

struct parse_case {
  uint32_t type;
  const char *text;
  tn_value value;
};

Test(value_text, every_type_but_null_and_other_is_parsed)
{
  const struct parse_case cases[] = {
    { TN_BOOL, "Yes", tn_bool(1) },
    { TN_INT64, "-9223372036854775808", tn_int64(INT64_MIN) },
    { TN_INT64, "1e3", tn_int64(1000) },
    { TN_UINT64, "18446744073709551615", tn_uint64(UINT64_MAX) },
    { TN_DOUBLE, "-1.5e-7", tn_double(-1.5e-7) },
    { TN_DOUBLE, "nan", tn_double(NAN) },
    { TN_DECIMAL, "+001.50", tn_decimal("+001.50") },
    { TN_TEXT, "abc", tn_text("abc") },
    { TN_TEXT, "", tn_text("") },
    { TN_TEXT, "\xf0\x9f\x90\x98", tn_text("\xf0\x9f\x90\x98") },
    { TN_BLOB, "\xff\xfe", tn_blob("\xff\xfe", 2) },
    { TN_BLOB, "", tn_blob("", 0) },
    { TN_DATE, "1970-01-02", tn_date(1) },
    { TN_TIME, "00:01", tn_time(60000000) },
    { TN_TIMESTAMP, "1970-01-01T00:00:01Z", tn_timestamp_zoned(1000000, 0) },
    { TN_UUID, SAMPLE_UUID, tn_uuid(sample_uuid) },
    { TN_UUID, "123E4567-E89B-12D3-A456-4266141740FF", tn_uuid(sample_uuid) },
    { TN_UUID, "123e4567e89b12d3a4564266141740ff", tn_uuid(sample_uuid) },
    { TN_UUID, "{" SAMPLE_UUID "}", tn_uuid(sample_uuid) },
    { TN_UUID, "{123e4567e89b12d3a4564266141740ff}", tn_uuid(sample_uuid) },
    { TN_JSON, " [1, 2] ", tn_json(" [1, 2] ") },
  };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    const struct parse_case *c = &cases[i];
    tn_value value = tn_null();
    tn_err err = TN_ERR_INIT;

    cr_expect(tn_value_parse(c->type, c->text, strlen(c->text), &value, &err) ==
                  TN_OK,
              "case %zu: \"%s\": %s", i, c->text, err.message);
    cr_expect(tn_value_equal(&value, &c->value), "case %zu: \"%s\"", i,
              c->text);
    cr_expect((value.flags & TN_VALUE_OWNED) == 0, "case %zu", i);
    cr_expect(!tn_value__has_bytes(c->type) || value.as.bytes.data == c->text ||
                  c->text[0] == '\0',
              "case %zu: not borrowed", i);
  }
}

Test(value_text, what_cannot_be_parsed_is_refused)
{
  static const struct {
    uint32_t type;
    const char *text;
    int32_t code;
    const char *message;
  } cases[] = {
    { TN_NULL, "", TN_E_DATA, "value: \"\" does not fit null" },
    { TN_OTHER, "x", TN_E_DATA, "value: \"x\" does not fit other" },
    { TN_ARRAY, "[]", TN_E_DATA, "value: \"[]\" does not fit array" },
    { 0, "x", TN_E_DATA, "value: 0 is no type" },
    { 99, "x", TN_E_DATA, "value: 99 is no type" },
    { TN_BOOL, "maybe", TN_E_DATA,
      "value: \"maybe\" does not fit bool: not true or false" },
    { TN_INT64, "9223372036854775808", TN_E_DATA,
      "value: \"9223372036854775808\" does not fit int64" },
    { TN_DECIMAL, "NaN", TN_E_DATA,
      "value: \"NaN\" does not fit decimal: not a number" },
    { TN_DECIMAL, "Infinity", TN_E_DATA,
      "value: \"Infinity\" does not fit decimal: not a number" },
    { TN_JSON, "{", TN_E_DATA,
      "value: \"{\" does not fit json: ends too early at offset 1" },
    { TN_TEXT, "a\xff", TN_E_CHARSET,
      "value: text of 2 bytes is not UTF-8 at offset 1" },
    { TN_JSON, "\"\xc0\x80\"", TN_E_CHARSET,
      "value: text of 4 bytes is not UTF-8 at offset 1" },
    { TN_DECIMAL, "12\x80", TN_E_CHARSET,
      "value: text of 3 bytes is not UTF-8 at offset 2" },
    { TN_DATE, "\xff", TN_E_CHARSET,
      "value: text of 1 bytes is not UTF-8 at offset 0" },
    { TN_UUID, "", TN_E_DATA,
      "value: \"\" does not fit uuid: not 8-4-4-4-12 hexadecimal digits" },
    { TN_UUID, "123e4567-e89b-12d3-a456-4266141740f", TN_E_DATA,
      "value: \"123e4567-e89b-12d3-a456-4266141740f\" does not fit uuid: not "
      "8-4-4-4-12 hexadecimal digits" },
    { TN_UUID, "123e4567-e89b-12d3-a456-4266141740fg", TN_E_DATA,
      "value: \"123e4567-e89b-12d3-a456-4266141740fg\" does not fit uuid: not "
      "8-4-4-4-12 hexadecimal digits" },
    { TN_UUID, "123e4567e-89b-12d3-a456-4266141740ff", TN_E_DATA,
      "value: \"123e4567e-89b-12d3-a456-4266141740ff\" does not fit uuid: not "
      "8-4-4-4-12 hexadecimal digits" },
    { TN_UUID, "123e4567-e89b-12d3-a456+4266141740ff", TN_E_DATA,
      "value: \"123e4567-e89b-12d3-a456+4266141740ff\" does not fit uuid: not "
      "8-4-4-4-12 hexadecimal digits" },
    { TN_UUID, "{123e4567-e89b-12d3-a456-4266141740ff", TN_E_DATA,
      "value: \"{123e4567-e89b-12d3-a456-4266141740ff\" does not fit uuid: not "
      "8-4-4-4-12 hexadecimal digits" },
    { TN_UUID, "{}", TN_E_DATA,
      "value: \"{}\" does not fit uuid: not 8-4-4-4-12 hexadecimal digits" },
    { TN_UUID, "123e4567-e89b12d3a4564266141740f", TN_E_DATA,
      "value: \"123e4567-e89b12d3a4564266141740f\" does not fit uuid: not "
      "8-4-4-4-12 hexadecimal digits" },
  };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    tn_value value = tn_int64(77);
    tn_err err = TN_ERR_INIT;
    int32_t code = tn_value_parse(cases[i].type, cases[i].text,
                                  strlen(cases[i].text), &value, &err);

    cr_expect(code == cases[i].code, "case %zu: %d", i, code);
    cr_expect_str_eq(err.message, cases[i].message, "case %zu: %s", i,
                     err.message);
    cr_expect(value.type == TN_INT64 && value.as.int64 == 77, "case %zu", i);
  }
}

Test(value_text, no_bytes_at_all_are_an_empty_text)
{
  tn_value value = tn_null();

  cr_expect(tn_value_parse(TN_TEXT, NULL, 0, &value, NULL) == TN_OK);
  cr_expect(value.type == TN_TEXT && value.as.bytes.size == 0);
  cr_expect(tn_value_parse(TN_BLOB, NULL, 0, &value, NULL) == TN_OK);
  cr_expect(value.type == TN_BLOB && value.as.bytes.size == 0);
  cr_expect(tn_value_parse(TN_INT64, NULL, 0, &value, NULL) == TN_E_DATA);
  cr_expect(tn_value_parse(TN_JSON, NULL, 0, &value, NULL) == TN_E_DATA);
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
random_value(uint32_t type, uint64_t *state)
{
  uint64_t bits = next_random(state);
  uint8_t uuid[16];
  double real;
  int i;

  switch (type) {
  case TN_BOOL:
    return tn_bool(bits % 2 == 0);
  case TN_INT64:
    return tn_int64((int64_t)bits >> (next_random(state) % 64));
  case TN_UINT64:
    return tn_uint64(bits >> (next_random(state) % 64));
  case TN_DOUBLE:
    memcpy(&real, &bits, sizeof real);
    return tn_double(real);
  default:
    for (i = 0; i < 16; i++)
      uuid[i] = (uint8_t)next_random(state);
    return tn_uuid(uuid);
  }
}

Test(value_text, random_values_print_and_parse_back)
{
  static const uint32_t types[] = { TN_BOOL, TN_INT64, TN_UINT64, TN_DOUBLE,
                                    TN_UUID };
  uint64_t state = 7;
  size_t i;

  for (i = 0; i < 100000 * TN_COUNT(types); i++) {
    uint32_t type = types[i % TN_COUNT(types)];
    tn_value value = random_value(type, &state);
    tn_value back = tn_null();
    char text[TN_VALUE_PRINT_MAX];
    size_t length = tn_value_print(&value, text, sizeof text);

    cr_assert(length < sizeof text);
    cr_assert(tn_value_parse(type, text, length, &back, NULL) == TN_OK,
              "\"%s\"", text);
    cr_assert(tn_value_equal(&value, &back), "\"%s\"", text);
    cr_assert(type != TN_DOUBLE || isnan(value.as.real) ||
                  memcmp(&value.as, &back.as, sizeof(double)) == 0,
              "\"%s\"", text);
  }
}

Test(value_text, random_bytes_are_parsed_without_harm)
{
  static const char letters[] =
      "0123456789+-.eE:TZ {}[]\",truefalsn\\u\x80\xc3";
  uint64_t state = 8;
  int i;

  for (i = 0; i < 300000; i++) {
    char text[40];
    size_t size = next_random(&state) % sizeof text;
    uint32_t type = (uint32_t)(next_random(&state) % 15);
    char *copy = malloc(size == 0 ? 1 : size);
    tn_value value;
    size_t k;

    for (k = 0; k < size; k++)
      text[k] = letters[next_random(&state) % (sizeof letters - 1)];
    memcpy(copy, text, size);
    if (tn_value_parse(type, copy, size, &value, NULL) == TN_OK)
      cr_assert(tn_value_check(&value, NULL) == TN_OK, "type %u: \"%.*s\"",
                type, (int)size, text);
    free(copy);
  }
}
