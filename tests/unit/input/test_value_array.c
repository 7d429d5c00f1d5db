/* Arrays: form, equality, copies, text. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>
#include <tenon/value.h>

#include "oom.h"
#include "value_copy.h"
#include "value_priv.h"

static tn_value
other(const char *type_name, const char *data, size_t size)
{
  tn_value value = tn_bytes(TN_OTHER, data, size);

  value.more.type_name = type_name;
  return value;
}

/* An array around an array, `depth` in all; `levels` has room for as many. */
static tn_value
nested(tn_value *levels, unsigned depth)
{
  unsigned i;

  levels[0] = tn_array(TN_INT64, NULL, 0);
  for (i = 1; i < depth; i++)
    levels[i] = tn_array(TN_ARRAY, &levels[i - 1], 1);
  return levels[depth - 1];
}

static void
expect_print(const tn_value *value, const char *wanted, const char *where)
{
  char text[512] = "";
  size_t size = tn_value_print(value, text, sizeof text);

  cr_expect_str_eq(text, wanted, "%s: %s", where, text);
  cr_expect(size == strlen(wanted), "%s: %zu", where, size);
}

/* ------------------------------------------------------------------ */
/* What is well-formed                                                 */

Test(value_array, check_accepts_items_of_one_type_and_nulls_among_them)
{
  const tn_value numbers[] = { tn_int64(1), tn_null(), tn_int64(-1) };
  const tn_value texts[] = { tn_text(""), tn_text("a,b") };
  const tn_value nulls[] = { tn_null(), tn_null() };
  const tn_value others[] = { other("point", "1", 1), other("box", "2", 1) };
  const tn_value rows[] = { tn_array(TN_TEXT, texts, 2), tn_null(),
                            tn_array(TN_INT64, numbers, 3),
                            tn_array(TN_DATE, NULL, 0) };
  tn_value levels[TN_ARRAY_DEPTH_MAX];
  const tn_value cases[] = {
    tn_array(TN_INT64, numbers, 3), tn_array(TN_TEXT, texts, 2),
    tn_array(TN_UUID, nulls, 2),    tn_array(TN_OTHER, others, 2),
    tn_array(TN_ARRAY, rows, 4),    tn_array(TN_BOOL, NULL, 0),
    tn_array(TN_ARRAY, NULL, 0),    nested(levels, TN_ARRAY_DEPTH_MAX),
  };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    tn_err err = TN_ERR_INIT;

    cr_expect(tn_value_check(&cases[i], &err) == TN_OK, "case %zu: %s", i,
              err.message);
  }
}

Test(value_array, check_refuses_what_is_not_well_formed_and_says_why)
{
  const tn_value numbers[] = { tn_int64(1), tn_null(), tn_uint64(1) };
  const tn_value odd[] = { tn_int64(1), { .type = 99 } };
  const tn_value texts[] = { tn_text("a"), tn_text("b\xff") };
  const tn_value days[] = { tn_date(0), tn_date(TN_DAYS_MAX + 1) };
  const tn_value rows[] = { tn_array(TN_INT64, NULL, 0),
                            tn_array(TN_DATE, days, 2) };
  tn_value levels[TN_ARRAY_DEPTH_MAX + 1];
  const struct {
    tn_value value;
    int32_t code;
    const char *message;
  } cases[] = {
    { tn_array(TN_INT64, numbers, 3), TN_E_DATA,
      "value: item 3 of an array of int64 is uint64" },
    { tn_array(TN_TEXT, numbers, 1), TN_E_DATA,
      "value: item 1 of an array of text is int64" },
    { tn_array(TN_INT64, odd, 2), TN_E_DATA,
      "value: item 2 of an array of int64 is of no type" },
    { tn_array(0, NULL, 0), TN_E_DATA,
      "value: an array of 0, which is no type" },
    { tn_array(TN_NULL, NULL, 0), TN_E_DATA,
      "value: an array of 1, which is no type" },
    { tn_array(TN_ARRAY + 1, NULL, 0), TN_E_DATA,
      "value: an array of 16, which is no type" },
    { tn_array(TN_TEXT, NULL, 2), TN_E_DATA,
      "value: an array of 2 items that are not there" },
    { tn_array(TN_TEXT, texts, 2), TN_E_CHARSET,
      "value: text of 2 bytes is not UTF-8 at offset 1" },
    { tn_array(TN_ARRAY, rows, 2), TN_E_DATA,
      "value: 2932897 does not fit date: outside the years 1 to 9999" },
    { nested(levels, TN_ARRAY_DEPTH_MAX + 1), TN_E_DATA,
      "value: an array nested more than 6 deep" },
  };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    tn_err err = TN_ERR_INIT;
    int32_t code = tn_value_check(&cases[i].value, &err);

    cr_expect(code == cases[i].code, "case %zu: code %d", i, code);
    cr_expect_str_eq(err.message, cases[i].message, "case %zu: \"%s\"", i,
                     err.message);
  }
}

Test(value_array, check_ends_at_an_array_that_holds_itself)
{
  tn_value loop = tn_array(TN_ARRAY, NULL, 1);
  tn_value copy = tn_int64(7);
  tn_err err = TN_ERR_INIT;

  loop.as.array.items = &loop;
  cr_expect(tn_value_check(&loop, &err) == TN_E_DATA);
  cr_expect(tn_value_copy(&loop, &copy, &err) == TN_E_DATA);
  cr_expect_str_eq(err.message, "value: an array nested more than 6 deep");
  cr_expect(copy.type == TN_INT64);
  cr_expect(!tn_value_equal(&loop, &loop));
  expect_print(&loop, "", "loop");
}

/* ------------------------------------------------------------------ */
/* What is equal                                                       */

Test(value_array, equal_is_element_type_count_and_items)
{
  const tn_value a[] = { tn_decimal("1.50"), tn_null() };
  const tn_value b[] = { tn_decimal("1.5"), tn_null() };
  const tn_value c[] = { tn_decimal("1.5"), tn_decimal("0") };
  const tn_value aa[] = { tn_array(TN_DECIMAL, a, 2), tn_null() };
  const tn_value bb[] = { tn_array(TN_DECIMAL, b, 2), tn_null() };
  const tn_value cc[] = { tn_array(TN_DECIMAL, c, 2), tn_null() };
  const tn_value dd[] = { tn_null(), tn_array(TN_DECIMAL, b, 2) };
  const struct {
    tn_value a;
    tn_value b;
    int is_equal;
  } cases[] = {
    { tn_array(TN_DECIMAL, a, 2), tn_array(TN_DECIMAL, b, 2), 1 },
    { tn_array(TN_DECIMAL, a, 2), tn_array(TN_DECIMAL, c, 2), 0 },
    { tn_array(TN_DECIMAL, a, 2), tn_array(TN_DECIMAL, a, 1), 0 },
    { tn_array(TN_DECIMAL, a, 0), tn_array(TN_DECIMAL, NULL, 0), 1 },
    { tn_array(TN_DECIMAL, NULL, 0), tn_array(TN_TEXT, NULL, 0), 0 },
    { tn_array(TN_ARRAY, aa, 2), tn_array(TN_ARRAY, bb, 2), 1 },
    { tn_array(TN_ARRAY, aa, 2), tn_array(TN_ARRAY, cc, 2), 0 },
    { tn_array(TN_ARRAY, aa, 2), tn_array(TN_ARRAY, dd, 2), 0 },
    { tn_array(TN_DECIMAL, a, 2), tn_text("[1.50,null]"), 0 },
    { tn_array(TN_DECIMAL, a, 2), tn_null(), 0 },
    { tn_array(TN_DECIMAL, NULL, 2), tn_array(TN_DECIMAL, NULL, 2), 0 },
  };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    cr_expect(tn_value_equal(&cases[i].a, &cases[i].b) == cases[i].is_equal,
              "case %zu", i);
    cr_expect(tn_value_equal(&cases[i].b, &cases[i].a) == cases[i].is_equal,
              "case %zu, the other way round", i);
  }
}

/* ------------------------------------------------------------------ */
/* Copies                                                              */

/* An array with all there is to copy, over bytes and items that a test may
 * overwrite. */
struct fixture {
  char text[4];
  tn_value items[3];
  tn_value rows[4];
};

static tn_value
fill(struct fixture *fixture)
{
  memcpy(fixture->text, "a\0b", 4);
  fixture->items[0] = tn_bytes(TN_TEXT, fixture->text, 3);
  fixture->items[1] = tn_null();
  fixture->items[2] = tn_bytes(TN_TEXT, fixture->text, 0);
  fixture->rows[0] = tn_array(TN_TEXT, fixture->items, 3);
  fixture->rows[1] = tn_array(TN_TEXT, fixture->items, 0);
  fixture->rows[2] = tn_null();
  fixture->rows[3] = tn_array(TN_TEXT, fixture->items + 1, 2);
  return tn_array(TN_ARRAY, fixture->rows, 4);
}

Test(value_array, a_copy_is_deep_and_its_own)
{
  struct fixture fixture;
  struct fixture same;
  const tn_value value = fill(&fixture);
  const tn_value wanted = fill(&same);
  TN_CLEANUP(tn_value_clear) tn_value copy = tn_int64(1);
  const tn_value *first;

  cr_assert(tn_value_copy(&value, &copy, NULL) == TN_OK);
  memset(&fixture, '?', sizeof fixture);
  cr_expect(copy.flags == TN_VALUE_OWNED);
  cr_expect(tn_value_equal(&copy, &wanted));
  first = copy.as.array.items[0].as.array.items;
  cr_expect(memcmp(first[0].as.bytes.data, "a\0b\0", 4) == 0);
  cr_expect(first[0].flags == 0, "an item is not released by itself");
  cr_expect(first[2].as.bytes.data[0] == '\0');
  cr_expect(copy.as.array.items[1].as.array.items == NULL);
}

Test(value_array, a_copy_of_others_keeps_their_type_names)
{
  char name[] = "point";
  char text[] = "a";
  const tn_value items[] = { other(name, text, 1), other(name, "", 0) };
  const tn_value value = tn_array(TN_OTHER, items, 2);
  TN_CLEANUP(tn_value_clear) tn_value copy = tn_null();

  cr_assert(tn_value_copy(&value, &copy, NULL) == TN_OK);
  name[0] = text[0] = '?';
  cr_expect_str_eq(copy.as.array.items[0].more.type_name, "point");
  cr_expect_str_eq(copy.as.array.items[0].as.bytes.data, "a");
  cr_expect_str_eq(copy.as.array.items[1].more.type_name, "point");
}

Test(value_array, a_copy_may_replace_what_it_is_made_of_and_be_copied)
{
  struct fixture fixture;
  struct fixture same;
  TN_CLEANUP(tn_value_clear) tn_value value = fill(&fixture);
  TN_CLEANUP(tn_value_clear) tn_value second = tn_null();
  const tn_value wanted = fill(&same);

  cr_assert(tn_value_copy(&value, &value, NULL) == TN_OK);
  memset(&fixture, '?', sizeof fixture);
  cr_assert(tn_value_copy(&value, &second, NULL) == TN_OK);
  tn_value_clear(&value);
  cr_expect(value.type == TN_NULL);
  cr_expect(tn_value_equal(&second, &wanted));
}

Test(value_array, an_empty_array_needs_no_memory)
{
  const tn_value value = tn_array(TN_UUID, NULL, 0);
  tn_value copy;

  oom_fail_nth(1, true);
  cr_expect(tn_value_copy(&value, &copy, NULL) == TN_OK);
  cr_expect(tn_value_equal(&copy, &value));
  cr_expect(copy.flags == 0);
  tn_value_clear(&copy);
  oom_reset();
}

Test(value_array, a_copy_without_memory_says_so_and_leaves_nothing)
{
  struct fixture fixture;
  const tn_value value = fill(&fixture);
  long nth;

  for (nth = 1;; nth++) {
    tn_value copy = tn_int64(7);
    tn_err err = TN_ERR_INIT;
    enum tn_code rc;

    oom_fail_nth(nth, false);
    rc = tn_value_copy(&value, &copy, &err);
    if (rc != TN_OK) {
      cr_expect(rc == TN_E_MEMORY);
      cr_expect_str_eq(err.message, "value: out of memory");
      cr_expect(copy.type == TN_INT64 && copy.as.int64 == 7);
    }
    tn_value_clear(&copy);
    cr_assert(oom_live() == 0, "allocation %ld", nth);
    if (oom_count() < nth)
      break;
  }
  cr_expect(nth == 2, "a copy is one block");
  oom_reset();
}

Test(value_array, a_copy_of_impossible_size_is_out_of_memory)
{
  const tn_value half = tn_blob("x", SIZE_MAX / 2);
  const tn_value halves[] = { half, half, half };
  const tn_value cases[] = {
    tn_array(TN_BLOB, halves, 2),
    tn_array(TN_BLOB, halves, 3),
    tn_array(TN_BLOB, halves, SIZE_MAX / 8),
  };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    tn_value copy = tn_int64(7);
    tn_err err = TN_ERR_INIT;

    cr_expect(tn_value_copy(&cases[i], &copy, &err) == TN_E_MEMORY, "case %zu",
              i);
    cr_expect(copy.type == TN_INT64, "case %zu", i);
  }
}

Test(value_array, a_copy_lies_in_memory_of_the_callers_choice)
{
  struct fixture fixture;
  struct fixture same;
  const tn_value value = fill(&fixture);
  const tn_value wanted = fill(&same);
  const tn_value number = tn_int64(5);
  tn_value block[32];
  tn_value copy;
  size_t size = 99;

  cr_assert(tn_value_copy_size(&number, &size) == TN_OK && size == 0);
  cr_assert(tn_value_copy_size(&value, &size) == TN_OK);
  cr_assert(size == 9 * sizeof(tn_value) + 4 + 1 + 1, "%zu", size);
  memset(block, '#', sizeof block);
  tn_value_copy_into(&value, block, &copy);
  memset(&fixture, '?', sizeof fixture);
  cr_expect(tn_value_equal(&copy, &wanted));
  cr_expect(copy.flags == 0);
  cr_expect(((char *)block)[size] == '#', "it wrote past the end");
}

/* ------------------------------------------------------------------ */
/* Text                                                                */

#define ITEMS(element, ...)                                                    \
  tn_array(element, (const tn_value[]){ __VA_ARGS__ },                         \
           sizeof((const tn_value[]){ __VA_ARGS__ }) / sizeof(tn_value))

Test(value_array, print_is_json)
{
  static const uint8_t uuid[16] = { 0x12, 0x3e };
  const struct {
    tn_value value;
    const char *text;
  } cases[] = {
    { tn_array(TN_INT64, NULL, 0), "[]" },
    { ITEMS(TN_BOOL, tn_bool(1), tn_bool(0), tn_null()), "[true,false,null]" },
    { ITEMS(TN_INT64, tn_int64(INT64_MIN), tn_int64(0)),
      "[-9223372036854775808,0]" },
    { ITEMS(TN_UINT64, tn_uint64(UINT64_MAX)), "[18446744073709551615]" },
    { ITEMS(TN_DOUBLE, tn_double(1), tn_double(0.1), tn_double(1e300)),
      "[1.0,0.1,1e300]" },
    { ITEMS(TN_DOUBLE, tn_double(NAN), tn_double(INFINITY),
            tn_double(-INFINITY)),
      "[\"nan\",\"inf\",\"-inf\"]" },
    { ITEMS(TN_DECIMAL, tn_decimal("1.50"), tn_decimal("-007")),
      "[\"1.50\",\"-007\"]" },
    { ITEMS(TN_TEXT, tn_text(""), tn_text("a,b"), tn_text("{x}")),
      "[\"\",\"a,b\",\"{x}\"]" },
    { ITEMS(TN_TEXT, tn_text("\"q\" \\ / \b\f\n\r\t"),
            tn_bytes(TN_TEXT, "\0\x1f\x7f", 3), tn_text("\xe2\x82\xac")),
      "[\"\\\"q\\\" \\\\ / \\b\\f\\n\\r\\t\",\"\\u0000\\u001F\x7f\","
      "\"\xe2\x82\xac\"]" },
    { ITEMS(TN_BLOB, tn_blob("", 0), tn_blob("\xff", 1), tn_blob("ab", 2),
            tn_blob("abc", 3), tn_blob("\xfb\xff\xfe\0", 4)),
      "[\"\",\"/w==\",\"YWI=\",\"YWJj\",\"+//+AA==\"]" },
    { ITEMS(TN_DATE, tn_date(0)), "[\"1970-01-01\"]" },
    { ITEMS(TN_TIME, tn_time(1)), "[\"00:00:00.000001\"]" },
    { ITEMS(TN_TIMESTAMP, tn_timestamp(0), tn_timestamp_zoned(0, 3600)),
      "[\"1970-01-01 00:00:00\",\"1970-01-01 01:00:00+01:00\"]" },
    { ITEMS(TN_UUID, tn_uuid(uuid)),
      "[\"123e0000-0000-0000-0000-000000000000\"]" },
    { ITEMS(TN_JSON, tn_json("{\"a\": [1]}"), tn_json("\"x\"")),
      "[{\"a\": [1]},\"x\"]" },
    { ITEMS(TN_OTHER, other("point", "(1,2)", 5), other("raw", "\xff", 1)),
      "[\"(1,2)\",\"/w==\"]" },
    { ITEMS(TN_ARRAY, ITEMS(TN_INT64, tn_int64(1), tn_int64(2)), tn_null(),
            tn_array(TN_INT64, NULL, 0)),
      "[[1,2],null,[]]" },
  };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    expect_print(&cases[i].value, cases[i].text, cases[i].text);
    cr_expect(tn_json__check(cases[i].text, strlen(cases[i].text), NULL) ==
                  NULL,
              "%s", cases[i].text);
  }
}

/* A server's cell may be worse than its type says. */
Test(value_array, print_of_malformed_items_is_json_all_the_same)
{
  const tn_value bad_json = tn_json("{\"a");
  const tn_value bad_text = tn_bytes(TN_TEXT, "a\xff", 2);
  const tn_value bad_bool = { .type = TN_BOOL, .as.int64 = 2 };
  const tn_value bad_date = tn_date(INT64_MAX);
  const tn_value no_type = { .type = 99 };
  const tn_value value =
      ITEMS(TN_JSON, bad_json, bad_text, bad_bool, bad_date, no_type);

  expect_print(&value, "[\"{\\\"a\",\"Yf8=\",\"\",\"\",\"\"]", "malformed");
}

Test(value_array, print_of_what_cannot_be_walked_is_nothing)
{
  const tn_value missing = tn_array(TN_TEXT, NULL, 3);
  tn_value levels[TN_ARRAY_DEPTH_MAX + 1];
  const tn_value deep = nested(levels, TN_ARRAY_DEPTH_MAX + 1);

  expect_print(&missing, "", "missing");
  expect_print(&deep, "", "deep");
}

Test(value_array, print_cuts_at_the_buffers_end_and_tells_the_whole_length)
{
  static const char whole[] = "[\"a\\nb\",null,\"YWJj\"]";
  const tn_value items[] = { tn_text("a\nb"), tn_null(), tn_blob("abc", 3) };
  const tn_value value = tn_array(TN_TEXT, items, 3);
  size_t size;

  cr_expect(tn_value_print(&value, NULL, 0) == sizeof whole - 1);
  for (size = 1; size <= sizeof whole + 1; size++) {
    const size_t kept = size <= sizeof whole ? size - 1 : sizeof whole - 1;
    char buffer[sizeof whole + 2];

    memset(buffer, '#', sizeof buffer);
    cr_expect(tn_value_print(&value, buffer, size) == sizeof whole - 1,
              "size %zu", size);
    cr_expect(memcmp(buffer, whole, kept) == 0, "size %zu", size);
    cr_expect(buffer[kept] == '\0', "size %zu", size);
    cr_expect(buffer[size] == '#', "size %zu", size);
  }
}

/* ------------------------------------------------------------------ */
/* Conversion                                                          */

Test(value_array, converts_to_text_and_json_when_the_buffer_is_large_enough)
{
  static const uint32_t types[] = { TN_TEXT, TN_JSON };
  const tn_value items[] = { tn_int64(10), tn_null() };
  const tn_value value = tn_array(TN_INT64, items, 2);
  size_t i;

  for (i = 0; i < TN_COUNT(types); i++) {
    char buffer[10];
    tn_value made = tn_int64(7);
    tn_err err = TN_ERR_INIT;

    memset(buffer, '#', sizeof buffer);
    cr_expect(tn_value_convert(&value, types[i], buffer, 9, &made, &err) ==
              TN_E_DATA);
    cr_expect(strstr(err.message, "needs a buffer of 10 bytes, not 9") != NULL,
              "%s", err.message);
    cr_expect(made.type == TN_INT64 && buffer[0] == '#');
    cr_assert(tn_value_convert(&value, types[i], buffer, 10, &made, &err) ==
              TN_OK);
    cr_expect(made.type == types[i] && made.as.bytes.size == 9);
    cr_expect_str_eq(buffer, "[10,null]");
    cr_expect(tn_value_check(&made, NULL) == TN_OK);
  }
}

Test(value_array, nothing_else_comes_of_it)
{
  const tn_value one[] = { tn_int64(1) };
  const tn_value value = tn_array(TN_INT64, one, 1);
  const tn_value bad = tn_array(TN_TEXT, one, 1);
  char buffer[TN_VALUE_PRINT_MAX];
  tn_value made = tn_int64(7);
  tn_err err = TN_ERR_INIT;
  int64_t number = 7;
  double real = 7;
  int is_true = 7;

  cr_expect(tn_value_to_int64(&value, &number, &err) == TN_E_DATA);
  cr_expect_str_eq(
      err.message,
      "value: an array of 1 items does not fit int64: not a number");
  cr_expect(tn_value_to_double(&value, &real, &err) == TN_E_DATA);
  cr_expect(tn_value_to_bool(&value, &is_true, &err) == TN_E_DATA);
  cr_expect(number == 7 && is_true == 7);
  cr_expect(tn_value_convert(&value, TN_ARRAY, NULL, 0, &made, &err) == TN_OK);
  cr_expect(made.as.array.items == one && made.flags == 0);
  cr_expect(tn_value_convert(&bad, TN_TEXT, buffer, sizeof buffer, &made,
                             &err) == TN_E_DATA);
  cr_expect_str_eq(err.message, "value: item 1 of an array of text is int64");
}
