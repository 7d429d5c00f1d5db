/* Arrays: nested, with NULLs, of any type, in binary and in text. */
#include "bytes.h"

#define INT4_ARRAY 1007
#define TEXT_ARRAY 1009
#define DATE_ARRAY 1182
#define BOX_ARRAY  1020

struct row {
  uint32_t oid;
  const char *form; /* hexadecimal digits, or a text */
  const char *cell;
};

/* As the server sends them. */
static const struct row binaries[] = {
  { 1007, "000000000000000000000017", "array []" },
  { 1007,
    "000000010000000100000017 0000000300000001 0000000400000001 ffffffff "
    "00000004ffffffff",
    "array [1,null,-1]" },
  { 1007,
    "000000020000000000000017 0000000200000001 0000000200000001 "
    "0000000400000001 0000000400000002 0000000400000003 0000000400000004",
    "array [[1,2],[3,4]]" },
  { 1007,
    "000000010000000000000017 0000000200000000 0000000400000007 "
    "0000000400000008",
    "array [7,8]" },
  { 1007,
    "000000060000000000000017 0000000100000001 0000000100000001 "
    "0000000100000001 0000000100000001 0000000100000001 0000000100000001 "
    "0000000400000005",
    "array [[[[[[5]]]]]]" },
  { 1009,
    "000000010000000100000019 0000000300000001 0000000161 ffffffff 00000000",
    "array [\"a\",null,\"\"]" },
  { 1182,
    "00000001000000000000043a 0000000200000001 0000000400000000 "
    "000000047fffffff",
    "array [\"2000-01-01\",\"infinity\"]" },
  { 1231,
    "0000000100000000000006a4 0000000200000001 "
    "0000000c000200000000000100011388 0000000800000000c0000000",
    "array [\"1.5\",\"NaN\"]" },
  { 22, "000000010000000000000015 0000000200000000 000000020001 000000020002",
    "array [1,2]" },
};

Test(array, what_the_server_sends_is_read)
{
  struct codec codec;
  char shown[256];
  size_t i;

  codec_init(&codec);
  for (i = 0; i < COUNT(binaries); i++) {
    pg__reader_init(&codec.reader, binaries[i].oid, NULL, PG__FORMAT_BINARY);
    codec_take_hex(&codec, binaries[i].form);
    cr_expect_str_eq(codec_show(&codec, shown, sizeof shown), binaries[i].cell,
                     "case %zu: %s", i, shown);
  }
  codec_clear(&codec);
}

Test(array, what_was_read_is_sent_in_the_same_bytes)
{
  struct codec codec;
  char shown[512], wanted[512];
  tn_value cell;
  size_t i, j;

  codec_init(&codec);
  for (i = 0; i < COUNT(binaries); i++) {
    size_t used = (size_t)snprintf(wanted, sizeof wanted, "binary ");

    if (i == 3)
      continue; /* lower bounds are not kept */
    pg__reader_init(&codec.reader, binaries[i].oid, NULL, PG__FORMAT_BINARY);
    codec_take_hex(&codec, binaries[i].form);
    cr_assert_eq(codec_read(&codec, &cell), TN_OK);
    for (j = 0; j < codec.size; j++)
      used += (size_t)snprintf(wanted + used, sizeof wanted - used, "%02x",
                               (unsigned)(unsigned char)codec.data[j]);
    codec_write(&codec, binaries[i].oid, &cell, shown, sizeof shown);
    if (strcmp(binaries[i].cell, "array [\"2000-01-01\",\"infinity\"]") == 0)
      cr_expect_str_eq(shown, "text {\"2000-01-01\",\"infinity\"}");
    else if (strcmp(binaries[i].cell, "array [\"1.5\",\"NaN\"]") == 0)
      cr_expect_str_eq(shown, "text {\"1.5\",\"NaN\"}");
    else
      cr_expect_str_eq(shown, wanted, "case %zu: %s", i, shown);
  }
  codec_clear(&codec);
}

/* What is not of the element type makes all items its text. */
Test(array, items_are_of_one_type)
{
  static const struct {
    uint32_t oid;
    const char *hex;
    uint32_t type;
  } cases[] = {
    { 1182,
      "00000001000000010000043a 0000000200000001 0000000400000000 "
      "ffffffff",
      TN_DATE },
    { 1182, "00000001000000010000043a 0000000100000001 ffffffff", TN_DATE },
    { 1182, "00000000000000000000043a", TN_DATE },
    { 1182,
      "00000001000000000000043a 0000000200000001 0000000400000000 "
      "000000047fffffff",
      TN_OTHER },
    { 1009, "000000010000000000000019 0000000200000001 0000000161 00000001ff",
      TN_BLOB },
  };
  struct codec codec;
  tn_value cell;
  size_t i, j;

  codec_init(&codec);
  for (i = 0; i < COUNT(cases); i++) {
    pg__reader_init(&codec.reader, cases[i].oid, NULL, PG__FORMAT_BINARY);
    codec_take_hex(&codec, cases[i].hex);
    cr_assert_eq(codec_read(&codec, &cell), TN_OK, "case %zu", i);
    cr_expect_eq(cell.more.element_type, cases[i].type, "case %zu", i);
    for (j = 0; j < cell.as.array.count; j++)
      cr_expect(cell.as.array.items[j].type == cases[i].type ||
                    cell.as.array.items[j].type == TN_NULL,
                "case %zu", i);
    if (cases[i].type == TN_OTHER)
      cr_expect_str_eq(cell.as.array.items[1].more.type_name, "date");
  }
  codec_clear(&codec);
}

Test(array, each_level_knows_what_it_is_of)
{
  struct codec codec;
  tn_value cell;

  codec_init(&codec);
  pg__reader_init(&codec.reader, 1007, NULL, PG__FORMAT_BINARY);
  codec_take_hex(&codec, binaries[2].form);
  cr_assert_eq(codec_read(&codec, &cell), TN_OK);
  cr_expect_eq(cell.more.element_type, TN_ARRAY);
  cr_expect_eq(cell.as.array.items[0].more.element_type, TN_INT64);
  codec_clear(&codec);
}

Test(array, lengths_that_lie_fail)
{
  static const char *const cases[] = {
    "",
    "0000000000000000000000",
    "000000000000000000000017 00",
    "000000000000000000000019",
    "ffffffff0000000000000017",
    ("000000070000000000000017 0000000100000001 0000000100000001 "
     "0000000100000001 0000000100000001 0000000100000001 0000000100000001 "
     "0000000100000001 0000000400000005"),
    "000000010000000000000017",
    "000000010000000000000017 0000000100000001",
    "000000010000000000000017 0000000000000001",
    "000000010000000000000017 7fffffff00000001 0000000400000001",
    "000000010000000000000017 ffffffff00000001 0000000400000001",
    ("000000020000000000000017 0001000000000001 0001000000000001 "
     "0000000400000001"),
    "000000010000000000000017 0000000100000001 0000000500000001",
    "000000010000000000000017 0000000100000001 fffffffe00000001",
    "000000010000000000000017 0000000100000001 00000003000001",
    "000000010000000000000017 0000000100000001 000000040000000100",
    "000000010000000000000017 0000000200000001 0000000400000001",
  };
  struct codec codec;
  tn_value cell;
  size_t i;

  codec_init(&codec);
  pg__reader_init(&codec.reader, 1007, NULL, PG__FORMAT_BINARY);
  for (i = 0; i < COUNT(cases); i++) {
    codec_take_hex(&codec, cases[i]);
    cr_expect_eq(codec_read(&codec, &cell), TN_E_DATA, "case %zu: %s", i,
                 cases[i]);
  }
  codec_clear(&codec);
}

Test(array, texts_are_read)
{
  static const struct row cases[] = {
    { 1007, "{}", "array []" },
    { 1007, "{1,NULL,-1}", "array [1,null,-1]" },
    { 1007, "{{1,2},{3,4}}", "array [[1,2],[3,4]]" },
    { 1007, "[0:1]={7,8}", "array [7,8]" },
    { 1007, "{{{{{{5}}}}}}", "array [[[[[[5]]]]]]" },
    { 1009, "{a,NULL,\"\",\"NULL\",null}",
      "array [\"a\",null,\"\",\"NULL\",null]" },
    { 1009, "{\"a\\\"b\",\"c\\\\d\",\"{e,f}\",\\{g}",
      "array [\"a\\\"b\",\"c\\\\d\",\"{e,f}\",\"{g\"]" },
    { 1182, "{2000-01-01,infinity}", "array [\"2000-01-01\",\"infinity\"]" },
    { 1001, "{\"\\\\x00ff\",NULL}", "array [\"AP8=\",null]" },
    { 1020, "{(1,2),(3,4);(5,6),(7,8)}",
      "array [\"(1,2),(3,4)\",\"(5,6),(7,8)\"]" },
    { 1001, "{\"\\\\x00ff\",abc}", "array [\"AP8=\",\"YWJj\"]" },
    { 791, "{\"$1,234.50\",$2.00}", "array [\"$1,234.50\",\"$2.00\"]" },
    { 22, "", "array []" },
    { 22, "1 2 -3", "array [1,2,-3]" },
    { 30, " 1  4294967295 ", "array [1,4294967295]" },
  };
  struct codec codec;
  char shown[256];
  size_t i;

  codec_init(&codec);
  for (i = 0; i < COUNT(cases); i++) {
    pg__reader_init(&codec.reader, cases[i].oid, NULL, PG__FORMAT_TEXT);
    codec_take(&codec, cases[i].form, strlen(cases[i].form));
    cr_expect_str_eq(codec_show(&codec, shown, sizeof shown), cases[i].cell,
                     "case %zu: %s: %s", i, cases[i].form, shown);
  }
  codec_clear(&codec);
}

Test(array, texts_that_are_no_array_fail)
{
  static const char *const cases[] = {
    "",
    "1",
    "{",
    "}",
    "{1",
    "{1,",
    "{1}}",
    "{1}x",
    "{\"1",
    "{\"1\\",
    "{\\",
    "{{1}",
    "{{1},2}",
    "{1,{2}}",
    "[0:1]",
    "[0:1]=",
    "{{{{{{{1}}}}}}}",
    "{\"1\"2}",
    "{{1}2}",
  };
  struct codec codec;
  tn_value cell;
  size_t i;

  codec_init(&codec);
  pg__reader_init(&codec.reader, 1007, NULL, PG__FORMAT_TEXT);
  for (i = 0; i < COUNT(cases); i++) {
    codec_take(&codec, cases[i], strlen(cases[i]));
    cr_expect_eq(codec_read(&codec, &cell), TN_E_DATA, "case %zu: %s", i,
                 cases[i]);
  }
  codec_clear(&codec);
}

Test(array, arrays_of_custom_types_are_read)
{
  static const struct pg__custom moods = { .oid = 16399,
                                           .element = 16400,
                                           .kind = 'b',
                                           .element_kind = 'e',
                                           .name = "mood[]",
                                           .element_name = "mood" };
  static const struct pg__custom ages = { .oid = 16600,
                                          .element = 16601,
                                          .element_base = 23,
                                          .kind = 'b',
                                          .element_kind = 'd',
                                          .name = "age[]",
                                          .element_name = "age" };
  struct codec codec;
  char shown[256];
  tn_value cell;

  codec_init(&codec);
  pg__reader_init(&codec.reader, 16399, &moods, PG__FORMAT_BINARY);
  codec_take_hex(&codec, "000000010000000000004010 0000000100000001 "
                         "000000026f6b");
  cr_expect_str_eq(codec_show(&codec, shown, sizeof shown), "array [\"ok\"]");
  pg__reader_init(&codec.reader, 16600, &ages, PG__FORMAT_BINARY);
  codec_take_hex(&codec, "0000000100000000000040d9 0000000100000001 "
                         "0000000400000007");
  cr_expect_str_eq(codec_show(&codec, shown, sizeof shown), "array [7]");
  pg__reader_init(&codec.reader, 16600, &ages, PG__FORMAT_TEXT);
  codec_take(&codec, "{7,NULL}", 8);
  cr_expect_str_eq(codec_show(&codec, shown, sizeof shown), "array [7,null]");
  pg__reader_init(&codec.reader, 16500, NULL, PG__FORMAT_TEXT);
  codec_take(&codec, "{7}", 3);
  cr_assert_eq(codec_read(&codec, &cell), TN_OK);
  cr_expect_eq(cell.type, TN_OTHER);
  codec_clear(&codec);
}

Test(array, items_are_written_as_the_element_type_has_them)
{
  static const tn_value numbers[] = { { .type = TN_INT64, .as.int64 = 1 },
                                      { .type = TN_NULL } };
  const tn_value texts[] = { tn_text("a\"\\,{}"), tn_null(), tn_text("") };
  const tn_value dates[] = { tn_text("today") };
  const tn_value zoned[] = { tn_timestamp_zoned(0, 3600) };
  const tn_value ok[] = { tn_text("ok") };
  const tn_value blobs[] = { tn_blob("\x00\xff", 2) };
  const tn_value boxes[] = { tn_text("(1,2),(3,4)"), tn_text("(5,6),(7,8)") };
  const struct {
    uint32_t oid;
    tn_value value;
    const char *form;
  } cases[] = {
    { 1007, tn_array(TN_INT64, numbers, 2),
      "binary 0000000100000001000000170000000200000001"
      "0000000400000001ffffffff" },
    { 1016, tn_array(TN_INT64, numbers, 1),
      "binary 0000000100000000000000140000000100000001"
      "000000080000000000000001" },
    { 1231, tn_array(TN_INT64, numbers, 1),
      "binary 0000000100000000000006a40000000100000001"
      "0000000a00010000000000000001" },
    { 1007, tn_array(TN_INT64, NULL, 0), "binary 000000000000000000000017" },
    { 1007, tn_text("{1,2}"), "text {1,2}" },
    { 1182, tn_array(TN_TEXT, dates, 1), "text {\"today\"}" },
    { 1185, tn_array(TN_TIMESTAMP, zoned, 1),
      "binary 0000000100000000000004a00000000100000001"
      "00000008fffca2fec4c82000" },
    { 16399, tn_array(TN_TEXT, ok, 1), "text {\"ok\"}" },
    { 16399, tn_array(TN_TEXT, texts, 3), "text {\"a\\\"\\\\,{}\",NULL,\"\"}" },
    { 16399, tn_array(TN_BLOB, blobs, 1), "text {\"\\\\x00ff\"}" },
    { 1020, tn_array(TN_TEXT, boxes, 2),
      "text {\"(1,2),(3,4)\";\"(5,6),(7,8)\"}" },
  };
  struct codec codec;
  char shown[512];
  size_t i;

  codec_init(&codec);
  for (i = 0; i < COUNT(cases); i++)
    cr_expect_str_eq(
        codec_write(&codec, cases[i].oid, &cases[i].value, shown, sizeof shown),
        cases[i].form, "case %zu: %s", i, shown);
  codec_clear(&codec);
}

Test(array, what_postgresql_has_no_array_for_is_refused)
{
  const tn_value one[] = { tn_int64(1), tn_int64(2) };
  const tn_value big[] = { tn_int64(1), tn_int64(INT64_C(1) << 40) };
  const tn_value zoned[] = { tn_timestamp_zoned(0, 0) };
  const tn_value uneven[] = { tn_array(TN_INT64, one, 1),
                              tn_array(TN_INT64, one, 2) };
  const tn_value half[] = { tn_array(TN_INT64, one, 1), tn_null() };
  const tn_value other_half[] = { tn_null(), tn_array(TN_INT64, one, 1) };
  const tn_value empties[] = { tn_array(TN_INT64, NULL, 0),
                               tn_array(TN_INT64, NULL, 0) };
  const tn_value nul[] = { tn_bytes(TN_TEXT, "a\0b", 3) };
  const struct {
    uint32_t oid;
    tn_value value;
    const char *cause;
  } cases[] = {
    { 1007, tn_array(TN_ARRAY, uneven, 2), "data: postgresql: array of 2" },
    { 1007, tn_array(TN_ARRAY, half, 2), "differ in length or depth" },
    { 1007, tn_array(TN_ARRAY, other_half, 2), "differ in length or depth" },
    { 1007, tn_array(TN_ARRAY, empties, 2), "differ in length or depth" },
    { 1007, tn_array(TN_INT64, big, 2),
      "int64 1099511627776 does not fit type integer[]" },
    { 1115, tn_array(TN_TIMESTAMP, zoned, 1), "its zone would be lost" },
    { 1009, tn_array(TN_TEXT, nul, 1), "charset: " },
    { 16399, tn_array(TN_TEXT, nul, 1), "charset: " },
    { 1007, tn_int64(1), "not an array" },
    { 23, tn_array(TN_INT64, one, 2), "array of 2 items does not fit" },
    { 25, tn_array(TN_INT64, one, 2), "array of 2 items does not fit" },
  };
  struct codec codec;
  char shown[512];
  size_t i;

  codec_init(&codec);
  for (i = 0; i < COUNT(cases); i++) {
    codec_write(&codec, cases[i].oid, &cases[i].value, shown, sizeof shown);
    cr_expect_not_null(strstr(shown, cases[i].cause), "case %zu: %s", i, shown);
  }
  codec_clear(&codec);
}

Test(array, deep_arrays_are_refused)
{
  tn_value levels[TN_ARRAY_DEPTH_MAX + 2];
  struct codec codec;
  char shown[512];
  int depth;

  codec_init(&codec);
  levels[0] = tn_int64(1);
  for (depth = 1; depth <= TN_ARRAY_DEPTH_MAX + 1; depth++) {
    levels[depth] =
        tn_array(depth == 1 ? TN_INT64 : TN_ARRAY, &levels[depth - 1], 1);
    codec_write(&codec, 1007, &levels[depth], shown, sizeof shown);
    cr_expect_eq(strncmp(shown, "binary", 6) == 0, depth <= TN_ARRAY_DEPTH_MAX,
                 "%d: %s", depth, shown);
  }
  codec_clear(&codec);
}

/* Read and write an array of several levels, each allocation failing once. */
static int32_t
there_and_back(struct codec *codec, int format, const char *bytes, size_t size)
{
  uint32_t oid = 1009;
  struct pg__params params;
  tn_value cell;
  int32_t rc;

  tn_arena_clear(&codec->arena);
  pg__reader_init(&codec->reader, oid, NULL, format);
  pg__params_init(&params, codec->fake.call.host);
  rc = codec->reader.decode(&codec->reader, bytes, size, &codec->fake.call,
                            &cell);
  if (rc == TN_OK)
    rc = pg__params_types(&params, &oid, 1, &codec->fake.call);
  if (rc == TN_OK)
    rc = pg__params_encode(&params, &cell, &codec->fake.call);
  pg__params_clear(&params);
  tn_arena_clear(&codec->arena);
  return rc;
}

Test(array, without_memory_it_fails_and_leaks_nothing)
{
  static const char text[] = "{{aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                             "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,NULL},{c,\"d\"}}";
  struct codec codec;
  int format;
  long nth;

  codec_init(&codec);
  codec_take_hex(&codec, "000000020000000000000019 0000000200000001 "
                         "0000000100000001 0000000161 0000000162");
  for (format = PG__FORMAT_TEXT; format <= PG__FORMAT_BINARY; format++) {
    const char *bytes = format == PG__FORMAT_TEXT ? text : codec.data;
    size_t size = format == PG__FORMAT_TEXT ? sizeof text - 1 : codec.size;

    for (nth = 1;; nth++) {
      int32_t rc;

      oom_fail_nth(nth, false);
      rc = there_and_back(&codec, format, bytes, size);
      cr_assert_eq(oom_live(), 0, "allocation %ld", nth);
      if (oom_count() < nth) {
        cr_expect_eq(rc, TN_OK);
        break;
      }
      cr_expect_eq(rc, TN_E_MEMORY, "allocation %ld", nth);
    }
    cr_expect_gt(nth, 2);
  }
  oom_reset();
  codec_clear(&codec);
}
