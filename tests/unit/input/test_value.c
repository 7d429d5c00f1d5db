/* Values as such: names, form, equality, ownership. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>
#include <tenon/memory.h>
#include <tenon/value.h>

#include "oom.h"
#include "value_priv.h"

static const uint8_t sample_uuid[16] = { 0x12, 0x3e, 0x45, 0x67, 0xe8, 0x9b,
                                         0x12, 0xd3, 0xa4, 0x56, 0x42, 0x66,
                                         0x14, 0x17, 0x40, 0x00 };

static tn_value
other(const char *type_name, const char *data, size_t size)
{
  tn_value value = tn_bytes(TN_OTHER, data, size);

  value.more.type_name = type_name;
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

/* `size` bytes that are not there. */
static tn_value
missing(uint32_t type, size_t size)
{
  tn_value value = typed(type);

  value.as.bytes.size = size;
  value.more.type_name = type == TN_OTHER ? "point" : NULL;
  return value;
}

Test(value, keeps_its_layout_of_32_bytes)
{
  cr_expect(sizeof(tn_value) == 32);
  cr_expect(offsetof(tn_value, as) == 8);
  cr_expect(offsetof(tn_value, more) == 24);
}

Test(value, every_type_has_a_name_that_names_it)
{
  uint32_t type;

  for (type = TN_NULL; type <= TN_ARRAY; type++) {
    cr_expect(tn_type_name(type)[0] != '\0', "type %u", type);
    cr_expect(tn_type_from_name(tn_type_name(type)) == type, "type %u", type);
  }
  cr_expect_str_eq(tn_type_name(TN_NULL), "null");
  cr_expect_str_eq(tn_type_name(TN_TIMESTAMP), "timestamp");
  cr_expect_str_eq(tn_type_name(TN_OTHER), "other");
  cr_expect_str_eq(tn_type_name(TN_ARRAY), "array");
}

Test(value, what_is_no_type_has_no_name_and_the_other_way_round)
{
  cr_expect_str_eq(tn_type_name(0), "");
  cr_expect_str_eq(tn_type_name(TN_ARRAY + 1), "");
  cr_expect_str_eq(tn_type_name(UINT32_MAX), "");
  cr_expect(tn_type_from_name("") == 0);
  cr_expect(tn_type_from_name("INT64") == 0);
  cr_expect(tn_type_from_name("int6") == 0);
}

Test(value, check_accepts_what_is_well_formed)
{
  const tn_value cases[] = {
    tn_null(),
    tn_bool(1),
    tn_bool(0),
    tn_int64(INT64_MIN),
    tn_uint64(UINT64_MAX),
    tn_double(NAN),
    tn_double(-INFINITY),
    tn_decimal("-1.50e+10"),
    tn_text(""),
    tn_text("\xf0\x9f\x90\x98 \xc3\xa9"),
    tn_bytes(TN_TEXT, "a\0b", 3),
    missing(TN_TEXT, 0),
    tn_blob("\xff\xfe", 2),
    missing(TN_BLOB, 0),
    tn_date(TN_DAYS_MIN),
    tn_date(TN_DAYS_MAX),
    tn_time(0),
    tn_time(TN_DAY_MICROS - 1),
    tn_timestamp(TN_MICROS_MIN),
    tn_timestamp(TN_MICROS_MAX),
    tn_timestamp_zoned(TN_MICROS_MIN, 57599),
    tn_timestamp_zoned(TN_MICROS_MAX, -57599),
    tn_uuid(sample_uuid),
    tn_json("{\"a\":[1,2]}"),
    other("point", "\xff", 1),
    missing(TN_OTHER, 0),
  };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    tn_err err = TN_ERR_INIT;

    cr_expect(tn_value_check(&cases[i], &err) == TN_OK, "case %zu: %s", i,
              err.message);
  }
}

Test(value, check_refuses_what_is_not_and_says_why)
{
  const struct {
    tn_value value;
    int32_t code;
    const char *message;
  } cases[] = {
    { typed(0), TN_E_DATA, "value: 0 is no type" },
    { typed(16), TN_E_DATA, "value: 16 is no type" },
    { raw_bool(2), TN_E_DATA, "value: 2 does not fit bool" },
    { raw_bool(-1), TN_E_DATA, "value: -1 does not fit bool" },
    { tn_decimal("1.5x"), TN_E_DATA,
      "value: 1.5x does not fit decimal: not a number" },
    { tn_decimal(""), TN_E_DATA, "value:  does not fit decimal: not a number" },
    { missing(TN_DECIMAL, 0), TN_E_DATA,
      "value:  does not fit decimal: not a number" },
    { tn_decimal("1\xff"), TN_E_CHARSET,
      "value: text of 2 bytes is not UTF-8 at offset 1" },
    { tn_text("ab\xc3("), TN_E_CHARSET,
      "value: text of 4 bytes is not UTF-8 at offset 2" },
    { tn_json("[\"\xed\xa0\x80\"]"), TN_E_CHARSET,
      "value: text of 7 bytes is not UTF-8 at offset 2" },
    { missing(TN_TEXT, 3), TN_E_DATA,
      "value: text of 3 bytes that are not there" },
    { missing(TN_JSON, 3), TN_E_DATA,
      "value: json of 3 bytes that are not there" },
    { missing(TN_DECIMAL, 3), TN_E_DATA,
      "value: decimal of 3 bytes that are not there" },
    { missing(TN_BLOB, 3), TN_E_DATA,
      "value: blob of 3 bytes that are not there" },
    { missing(TN_OTHER, 3), TN_E_DATA,
      "value: other of 3 bytes that are not there" },
    { other(NULL, "x", 1), TN_E_DATA,
      "value: a value of type other has no type name" },
    { tn_date(TN_DAYS_MIN - 1), TN_E_DATA,
      "value: -719163 does not fit date: outside the years 1 to 9999" },
    { tn_date(INT64_MAX), TN_E_DATA,
      "value: 9223372036854775807 does not fit date: outside the years 1 to "
      "9999" },
    { tn_time(-1), TN_E_DATA,
      "value: -1 does not fit time: no such time of day" },
    { tn_time(TN_DAY_MICROS), TN_E_DATA,
      "value: 86400000000 does not fit time: no such time of day" },
    { tn_timestamp(INT64_MIN), TN_E_DATA,
      "value: -9223372036854775808 does not fit timestamp: outside the years 1 "
      "to 9999" },
    { tn_timestamp(TN_MICROS_MAX + 1), TN_E_DATA,
      "value: 253402300800000000 does not fit timestamp: outside the years 1 "
      "to 9999" },
    { tn_timestamp_zoned(0, 57600), TN_E_DATA,
      "value: 0 does not fit timestamp: not a zone offset up to 15:59:59" },
    { tn_timestamp_zoned(0, INT32_MIN), TN_E_DATA,
      "value: 0 does not fit timestamp: not a zone offset up to 15:59:59" },
    { tn_timestamp_zoned(TN_MICROS_MAX, 1), TN_E_DATA,
      "value: 253402300799999999 does not fit timestamp: outside the years 1 "
      "to 9999" },
    { tn_timestamp_zoned(TN_MICROS_MIN, -1), TN_E_DATA,
      "value: -62135596800000000 does not fit timestamp: outside the years 1 "
      "to 9999" },
    { tn_json("[1,]"), TN_E_DATA,
      "value: \"[1,]\" does not fit json: unexpected byte at offset 3" },
    { tn_json(""), TN_E_DATA,
      "value: \"\" does not fit json: ends too early at offset 0" },
    { missing(TN_JSON, 0), TN_E_DATA,
      "value: \"\" does not fit json: ends too early at offset 0" },
  };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    tn_err err = TN_ERR_INIT;
    int32_t code = tn_value_check(&cases[i].value, &err);

    cr_expect(code == cases[i].code, "case %zu: code %d", i, code);
    cr_expect(err.code == code, "case %zu", i);
    cr_expect_str_eq(err.message, cases[i].message, "case %zu: \"%s\"", i,
                     err.message);
    cr_expect((int32_t)tn_value_check(&cases[i].value, NULL) == cases[i].code,
              "case %zu without an error object", i);
  }
}

Test(value, a_message_shortens_a_long_value_and_escapes_it)
{
  char text[5000] = "";
  tn_value value = tn_bytes(TN_TEXT, text, sizeof text);
  tn_err err = TN_ERR_INIT;
  int64_t number = 7;

  memset(text, 'x', sizeof text);
  text[1] = '\n';
  cr_expect(tn_value_to_int64(&value, &number, &err) == TN_E_DATA);
  cr_expect(strncmp(err.message, "value: \"x\\x0axxx", 14) == 0, "%s",
            err.message);
  cr_expect(strstr(err.message, "xxx...\" does not fit int64") != NULL, "%s",
            err.message);
  cr_expect(strlen(err.message) < 140, "%s", err.message);
  cr_expect(number == 7);
}

Test(value, a_blob_is_never_shown_in_a_message)
{
  tn_value value = tn_blob("hunter2", 7);
  tn_err err = TN_ERR_INIT;
  int64_t number;

  cr_expect(tn_value_to_int64(&value, &number, &err) == TN_E_DATA);
  cr_expect_str_eq(err.message,
                   "value: a blob of 7 bytes does not fit int64: not a number");
}

Test(value, equal_is_type_and_value)
{
  const struct {
    tn_value a;
    tn_value b;
    int is_equal;
  } cases[] = {
    { tn_null(), tn_null(), 1 },
    { tn_null(), tn_int64(0), 0 },
    { tn_bool(1), tn_bool(1), 1 },
    { tn_bool(1), tn_bool(0), 0 },
    { tn_bool(1), tn_int64(1), 0 },
    { tn_int64(INT64_MIN), tn_int64(INT64_MIN), 1 },
    { tn_int64(1), tn_int64(-1), 0 },
    { tn_int64(1), tn_uint64(1), 0 },
    { tn_uint64(UINT64_MAX), tn_uint64(UINT64_MAX), 1 },
    { tn_uint64(UINT64_MAX), tn_uint64(UINT64_MAX - 1), 0 },
    { tn_double(NAN), tn_double(-NAN), 1 },
    { tn_double(NAN), tn_double(0), 0 },
    { tn_double(0.0), tn_double(-0.0), 1 },
    { tn_double(0.1), tn_double(0.1), 1 },
    { tn_double(INFINITY), tn_double(-INFINITY), 0 },
    { tn_double(1), tn_int64(1), 0 },
    { tn_decimal("1.50"), tn_decimal("1.5"), 1 },
    { tn_decimal("1.50"), tn_decimal("1.51"), 0 },
    { tn_decimal("bad"), tn_decimal("bad"), 1 },
    { tn_decimal("bad"), tn_decimal("1"), 0 },
    { tn_decimal("1"), tn_text("1"), 0 },
    { tn_text(""), tn_text(""), 1 },
    { tn_text(""), missing(TN_TEXT, 0), 1 },
    { tn_text(""), tn_null(), 0 },
    { tn_text("a"), tn_text("b"), 0 },
    { tn_text("a"), tn_text("ab"), 0 },
    { tn_bytes(TN_TEXT, "a\0b", 3), tn_bytes(TN_TEXT, "a\0c", 3), 0 },
    { tn_text("a"), tn_blob("a", 1), 0 },
    { tn_blob("\0", 1), tn_blob("\0", 1), 1 },
    { tn_blob("\0", 1), tn_blob("\0\0", 2), 0 },
    { tn_date(5), tn_date(5), 1 },
    { tn_date(5), tn_date(6), 0 },
    { tn_time(5), tn_time(5), 1 },
    { tn_time(5), tn_time(6), 0 },
    { tn_timestamp(5), tn_timestamp(5), 1 },
    { tn_timestamp(5), tn_timestamp(6), 0 },
    { tn_timestamp(5), tn_timestamp_zoned(5, 0), 0 },
    { tn_timestamp_zoned(5, 0), tn_timestamp_zoned(5, 3600), 1 },
    { tn_timestamp_zoned(5, 0), tn_timestamp_zoned(6, 0), 0 },
    { tn_uuid(sample_uuid), tn_uuid(sample_uuid), 1 },
    { tn_uuid(sample_uuid), tn_uuid((const uint8_t[16]){ 0x12 }), 0 },
    { tn_json("[1]"), tn_json("[1]"), 1 },
    { tn_json("[1]"), tn_json("[ 1]"), 0 },
    { other("point", "x", 1), other("point", "x", 1), 1 },
    { other("point", "x", 1), other("line", "x", 1), 0 },
    { other("point", "x", 1), other("point", "y", 1), 0 },
    { other(NULL, "x", 1), other(NULL, "x", 1), 1 },
    { other(NULL, "x", 1), other("point", "x", 1), 0 },
    { typed(99), typed(99), 0 },
  };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    cr_expect(tn_value_equal(&cases[i].a, &cases[i].b) == cases[i].is_equal,
              "case %zu", i);
    cr_expect(tn_value_equal(&cases[i].b, &cases[i].a) == cases[i].is_equal,
              "case %zu, the other way round", i);
  }
}

Test(value, a_copy_owns_its_bytes_and_ends_them_with_nul)
{
  char text[] = { 'a', '\0', 'b' };
  tn_value value = tn_bytes(TN_TEXT, text, sizeof text);
  TN_CLEANUP(tn_value_clear) tn_value copy = tn_int64(1);

  cr_assert(tn_value_copy(&value, &copy, NULL) == TN_OK);
  text[0] = 'x';
  cr_expect(copy.type == TN_TEXT);
  cr_expect(copy.flags == TN_VALUE_OWNED);
  cr_expect(copy.as.bytes.size == 3);
  cr_expect(memcmp(copy.as.bytes.data, "a\0b\0", 4) == 0);
}

Test(value, a_copy_of_other_owns_its_type_name_too)
{
  char name[] = "point";
  tn_value value = other(name, "1,2", 3);
  TN_CLEANUP(tn_value_clear) tn_value copy = tn_null();

  cr_assert(tn_value_copy(&value, &copy, NULL) == TN_OK);
  name[0] = 'X';
  cr_expect_str_eq(copy.more.type_name, "point");
  cr_expect_str_eq(copy.as.bytes.data, "1,2");
}

Test(value, every_type_can_be_copied_and_cleared_twice)
{
  const tn_value cases[] = {
    tn_null(),
    tn_bool(1),
    tn_int64(-5),
    tn_uint64(5),
    tn_double(0.5),
    tn_decimal("5.0"),
    tn_text(""),
    missing(TN_TEXT, 0),
    tn_blob("\xff", 1),
    tn_date(5),
    tn_time(5),
    tn_timestamp_zoned(5, 3600),
    tn_uuid(sample_uuid),
    tn_json("{}"),
    other("point", "x", 1),
    other(NULL, "x", 1),
  };
  size_t i;

  oom_fail_nth(0, false); /* only counts */
  for (i = 0; i < TN_COUNT(cases); i++) {
    tn_value copy;
    tn_value second;

    cr_expect(tn_value_copy(&cases[i], &copy, NULL) == TN_OK, "case %zu", i);
    cr_expect(tn_value_equal(&cases[i], &copy), "case %zu", i);
    cr_expect(tn_value_copy(&copy, &second, NULL) == TN_OK, "case %zu", i);
    tn_value_clear(&copy);
    cr_expect(copy.type == TN_NULL && copy.flags == 0, "case %zu", i);
    tn_value_clear(&copy);
    cr_expect(tn_value_equal(&cases[i], &second), "case %zu", i);
    tn_value_clear(&second);
  }
  tn_value_clear(NULL);
  cr_expect(oom_live() == 0);
  oom_reset();
}

Test(value, a_copy_may_replace_what_it_is_made_of)
{
  char text[] = "abc";
  TN_CLEANUP(tn_value_clear) tn_value value = tn_text(text);

  cr_assert(tn_value_copy(&value, &value, NULL) == TN_OK);
  text[0] = 'x';
  cr_expect_str_eq(value.as.bytes.data, "abc");
}

Test(value, a_borrowed_value_is_cleared_without_releasing_its_bytes)
{
  char text[] = "abc";
  tn_value value = tn_text(text);

  tn_value_clear(&value);
  cr_expect(value.type == TN_NULL);
  cr_expect_str_eq(text, "abc");
}

Test(value, a_copy_without_memory_says_so_and_leaves_the_output_alone)
{
  const tn_value cases[] = { tn_text("abc"), tn_decimal("1"),
                             other("point", "x", 1) };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    tn_value copy = tn_int64(7);
    tn_err err = TN_ERR_INIT;

    oom_fail_nth(1, false);
    cr_expect(tn_value_copy(&cases[i], &copy, &err) == TN_E_MEMORY, "case %zu",
              i);
    cr_expect_str_eq(err.message, "value: out of memory", "case %zu", i);
    cr_expect(copy.type == TN_INT64 && copy.as.int64 == 7, "case %zu", i);
    cr_expect(oom_live() == 0, "case %zu", i);
    oom_fail_nth(0, false);
    cr_expect(tn_value_copy(&cases[i], &copy, &err) == TN_OK, "case %zu", i);
    cr_expect(oom_live() == 1, "case %zu", i);
    tn_value_clear(&copy);
    cr_expect(oom_live() == 0, "case %zu", i);
  }
  oom_reset();
}

Test(value, a_copy_of_impossible_size_is_out_of_memory)
{
  tn_value value = tn_blob("x", SIZE_MAX);
  tn_value copy;

  cr_expect(tn_value_copy(&value, &copy, NULL) == TN_E_MEMORY);
}

Test(value, bytes_that_are_null_make_null)
{
  cr_expect(tn_text(NULL).type == TN_NULL);
  cr_expect(tn_decimal(NULL).type == TN_NULL);
  cr_expect(tn_json(NULL).type == TN_NULL);
  cr_expect(tn_blob(NULL, 5).type == TN_NULL);
  cr_expect(tn_text("").type == TN_TEXT);
  cr_expect(tn_blob("", 0).type == TN_BLOB);
}
