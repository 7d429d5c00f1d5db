/* Columns to cells, in binary and in text; and bytes that no server sends. */
#include "bytes.h"

struct decoded {
  uint32_t oid;
  const char *hex;
  const char *cell;
};

/* What the server of version 15 sends, and its extremes. */
static const struct decoded good[] = {
  { 16, "00", "bool false" },
  { 16, "01", "bool true" },
  { 21, "8000", "int64 -32768" },
  { 21, "7fff", "int64 32767" },
  { 23, "80000000", "int64 -2147483648" },
  { 23, "7fffffff", "int64 2147483647" },
  { 20, "8000000000000000", "int64 -9223372036854775808" },
  { 20, "7fffffffffffffff", "int64 9223372036854775807" },
  { 20, "ffffffffffffffff", "int64 -1" },
  { 26, "ffffffff", "int64 4294967295" },
  { 28, "00000003", "int64 3" },
  { 5069, "ffffffffffffffff", "uint64 18446744073709551615" },
  { 700, "3dcccccd", "double 0.10000000149011612" },
  { 700, "7f7fffff", "double 3.4028234663852886e38" },
  { 700, "7fc00000", "double nan" },
  { 701, "3fb999999999999a", "double 0.1" },
  { 701, "8000000000000000", "double -0" },
  { 701, "7ff0000000000000", "double inf" },
  { 701, "fff0000000000000", "double -inf" },
  { 25, "", "text " },
  { 25, "61", "text a" },
  { 1043, "6772c3bcc39f20e282ac20f09f9880", "text grüß € 😀" },
  { 1042, "616220", "text ab " },
  { 19, "706f737467726573", "text postgres" },
  { 18, "78", "text x" },
  { 18, "00", "text " },
  { 25, "ff6162636465666768", "blob ff6162636465666768" },
  { 25, "6162636465666768ff", "blob 6162636465666768ff" },
  { 18, "c3", "blob c3" },
  { 17, "", "blob " },
  { 17, "00ff", "blob 00ff" },
  { 1082, "00000000", "date 2000-01-01" },
  { 1082, "fff4dbf9", "date 0001-01-01" },
  { 1082, "fff4dbf8", "other 0001-12-31 BC" },
  { 1082, "002c95d3", "date 9999-12-31" },
  { 1082, "002c95d4", "other 10000-01-01" },
  { 1082, "7fffffff", "other infinity" },
  { 1082, "80000000", "other -infinity" },
  { 1082, "7fda970c", "other 5874897-12-31" },
  { 1082, "ffda97a7", "other 4714-11-24 BC" },
  { 1083, "0000000000000000", "time 00:00:00" },
  { 1083, "000000141dd75fff", "time 23:59:59.999999" },
  { 1083, "000000141dd76000", "other 24:00:00" },
  { 1114, "0000000000000000", "timestamp 2000-01-01 00:00:00" },
  { 1114, "ffffffffffffffff", "timestamp 1999-12-31 23:59:59.999999" },
  { 1114, "ff1fe2ffc59c6000", "timestamp 0001-01-01 00:00:00" },
  { 1114, "ff1fe2ffc59c5fff", "other 0001-12-31 23:59:59.999999 BC" },
  { 1114, "0380e70b913b7fff", "timestamp 9999-12-31 23:59:59.999999" },
  { 1114, "0380e70b913b8000", "other 10000-01-01 00:00:00" },
  { 1114, "7fffffffffffffff", "other infinity" },
  { 1114, "8000000000000000", "other -infinity" },
  { 1184, "0000000000000001", "timestamp 2000-01-01 00:00:00.000001+00:00" },
  { 1184, "0380e70b913b8000", "other 10000-01-01 00:00:00+00" },
  { 1184, "ff1fe2ffc59c5fff", "other 0001-12-31 23:59:59.999999+00 BC" },
  { 1184, "7fffffffffffffff", "other infinity" },
  { 2950, "123456789abcdef00011223344556677",
    "uuid 12345678-9abc-def0-0011-223344556677" },
  { 114, "7b7d", "json {}" },
  { 3802, "017b7d", "json {}" },
  { 1186, "00000000000000000000000000000000", "other 00:00:00" },
  { 1186, "00000000000f42400000000000000000", "other 00:00:01" },
  { 1186, "fffffffffff85ee00000000000000000", "other -00:00:00.5" },
  { 1186, "0000000d693a4000ffffffff0000000e",
    "other 1 year 2 mons -1 days +16:00:00" },
  { 1186, "80000000000000007fffffff80000000",
    "other -178956970 years -8 mons +2147483647 days "
    "-2562047788:00:54.775808" },
  { 1186, "7fffffffffffffff7fffffff7fffffff", "other infinity" },
  { 1186, "80000000000000008000000080000000", "other -infinity" },
  { 1266, "000000000000000000000000", "other 00:00:00+00" },
  { 1266, "00000009b9b12520ffffb9b0", "other 11:36:10.1+05" },
  { 1266, "000000141dd760000000c4e1", "other 24:00:00-14:00:01" },
  { 869, "020800040a010203", "other 10.1.2.3/8" },
  { 869, "022000040a010203", "other 10.1.2.3" },
  { 650, "022001040a010203", "other 10.1.2.3/32" },
  { 869, "0380001000000000000000000000000000000001", "other ::1" },
  { 650, "03200110fe800000000000000000000000000000", "other fe80::/32" },
  { 829, "08002b010203", "other 08:00:2b:01:02:03" },
  { 774, "08002b0102030405", "other 08:00:2b:01:02:03:04:05" },
  { 1560, "00000003a0", "other 101" },
  { 1562, "00000000", "other " },
  { 1562, "00000009ff80", "other 111111111" },
  { 3220, "0000001600b374d8", "other 16/B374D8" },
  { 27, "000000070003", "other (7,3)" },
  { 4072, "0124", "other $" },
  { 2278, "", "other " },
};

/* Bytes that are no value of the type. */
static const struct decoded bad[] = {
  { 16, "", "" },
  { 16, "0000", "" },
  { 21, "00", "" },
  { 23, "000000", "" },
  { 23, "0000000000", "" },
  { 20, "00000000", "" },
  { 26, "00", "" },
  { 5069, "00", "" },
  { 700, "0000000000000000", "" },
  { 701, "00000000", "" },
  { 18, "6162", "" },
  { 18, "", "" },
  { 1082, "0000", "" },
  { 1083, "000000141dd76001", "" },
  { 1083, "ffffffffffffffff", "" },
  { 1114, "00", "" },
  { 1184, "000000000000000000", "" },
  { 2950, "00", "" },
  { 3802, "", "" },
  { 3802, "027b7d", "" },
  { 1186, "00", "" },
  { 1266, "ffffffffffffffff00000000", "" },
  { 1266, "000000000000000080000000", "" },
  { 1266, "000000000000000000015180", "" },
  { 869, "", "" },
  { 869, "020800040a0102", "" },
  { 869, "022100040a010203", "" },
  { 869, "040800040a010203", "" },
  { 869, "020800100a010203", "" },
  { 829, "0800", "" },
  { 1560, "", "" },
  { 1560, "00000009ff", "" },
  { 1560, "ffffffffff", "" },
  { 1560, "0000000000", "" },
  { 3220, "00", "" },
  { 27, "00", "" },
  { 4072, "", "" },
  { 4072, "0224", "" },
};

Test(decode, what_the_server_sends_is_read)
{
  struct codec codec;
  char shown[256];
  size_t i;

  codec_init(&codec);
  for (i = 0; i < COUNT(good); i++) {
    pg__reader_init(&codec.reader, good[i].oid, NULL, PG__FORMAT_BINARY);
    codec_take_hex(&codec, good[i].hex);
    cr_expect_not(codec.reader.wants_text, "%s", codec.reader.type_name);
    cr_expect_str_eq(codec_show(&codec, shown, sizeof shown), good[i].cell,
                     "case %zu: %s \"%s\": %s", i, codec.reader.type_name,
                     good[i].hex, shown);
  }
  codec_clear(&codec);
}

Test(decode, bytes_that_are_no_value_fail)
{
  struct codec codec;
  tn_value cell;
  size_t i;

  codec_init(&codec);
  for (i = 0; i < COUNT(bad); i++) {
    pg__reader_init(&codec.reader, bad[i].oid, NULL, PG__FORMAT_BINARY);
    codec_take_hex(&codec, bad[i].hex);
    cr_expect_eq(codec_read(&codec, &cell), TN_E_DATA, "case %zu: %s \"%s\"", i,
                 codec.reader.type_name, bad[i].hex);
    cr_expect_not_null(strstr(codec.fake.err.message, codec.reader.type_name),
                       "%s", codec.fake.err.message);
  }
  codec_clear(&codec);
}

/* Every byte of a cell that was read is looked at. */
static void
try_to_read(struct codec *codec, uint32_t oid, int format)
{
  char shown[256];
  tn_value cell;

  pg__reader_init(&codec->reader, oid, NULL, format);
  if (codec_read(codec, &cell) == TN_OK)
    tn_value_print(&cell, shown, sizeof shown);
}

/* Every type is given what was sent for every other one, and each beginning of
 * it. What it makes of that does not count, as long as it keeps to those
 * bytes. */
Test(decode, no_length_makes_a_decoder_look_further)
{
  struct codec codec;
  unsigned tries = 0;
  uint32_t oid;
  size_t i, size;

  codec_init(&codec);
  for (oid = 0; oid < 7000; oid++) {
    if (pg__type_find(oid) == NULL)
      continue;
    for (i = 0; i < COUNT(good); i++) {
      codec_take_hex(&codec, good[i].hex);
      for (size = codec.size;; size--) {
        codec_take(&codec, codec.data, size);
        try_to_read(&codec, oid, PG__FORMAT_BINARY);
        try_to_read(&codec, oid, PG__FORMAT_TEXT);
        tries++;
        if (size == 0)
          break;
      }
    }
  }
  cr_expect_gt(tries, 50000, "%u", tries);
  codec_clear(&codec);
}

Test(decode, texts_are_read)
{
  static const struct {
    uint32_t oid;
    const char *text;
    const char *cell;
  } cases[] = {
    { 16, "t", "bool true" },
    { 16, "f", "bool false" },
    { 21, "-32768", "int64 -32768" },
    { 20, "9223372036854775807", "int64 9223372036854775807" },
    { 26, "4294967295", "int64 4294967295" },
    { 5069, "18446744073709551615", "uint64 18446744073709551615" },
    { 700, "0.1", "double 0.10000000149011612" },
    { 701, "0.1", "double 0.1" },
    { 701, "-Infinity", "double -inf" },
    { 701, "NaN", "double nan" },
    { 1700, "1.50", "decimal 1.50" },
    { 1700, "NaN", "other NaN" },
    { 1700, "-Infinity", "other -Infinity" },
    { 25, "a", "text a" },
    { 17, "\\x", "blob " },
    { 17, "\\x00ff", "blob 00ff" },
    { 17, "ab\\\\c\\000\\377", "blob 61625c6300ff" },
    { 17, "abc\\00", "other abc\\00" },
    { 17, "abc\\400", "other abc\\400" },
    { 17, "abc\\080", "other abc\\080" },
    { 17, "\\x0g", "other \\x0g" },
    { 17, "\\x0", "other \\x0" },
    { 1082, "2000-02-29", "date 2000-02-29" },
    { 1082, "0044-03-15 BC", "other 0044-03-15 BC" },
    { 1082, "infinity", "other infinity" },
    { 1082, "29.02.2000", "other 29.02.2000" },
    { 1083, "23:59:59.999999", "time 23:59:59.999999" },
    { 1083, "24:00:00", "other 24:00:00" },
    { 1114, "2000-01-01 00:00:00.5", "timestamp 2000-01-01 00:00:00.5" },
    { 1114, "294276-12-31 23:59:59", "other 294276-12-31 23:59:59" },
    { 1184, "2000-01-01 01:30:00+01:30",
      "timestamp 2000-01-01 00:00:00+00:00" },
    { 2950, "12345678-9abc-def0-0011-223344556677",
      "uuid 12345678-9abc-def0-0011-223344556677" },
    { 114, "{}", "json {}" },
    { 3802, "{}", "json {}" },
    { 790, "$1,234.50", "other $1,234.50" },
    { 2205, "pg_class", "other pg_class" },
    { 600, "(1,2)", "other (1,2)" },
    { 16400, "anything", "other anything" },
  };
  struct codec codec;
  char shown[256];
  size_t i;

  codec_init(&codec);
  for (i = 0; i < COUNT(cases); i++) {
    pg__reader_init(&codec.reader, cases[i].oid, NULL, PG__FORMAT_TEXT);
    codec_take(&codec, cases[i].text, strlen(cases[i].text));
    cr_expect_not(codec.reader.wants_text);
    cr_expect_str_eq(codec_show(&codec, shown, sizeof shown), cases[i].cell,
                     "case %zu: %s \"%s\"", i, codec.reader.type_name,
                     cases[i].text);
  }
  codec_clear(&codec);
}

Test(decode, what_only_the_server_can_print_is_asked_for_in_text)
{
  static const uint32_t oids[] = { 600,  603,  790,  1033, 1034,  2205, 2249,
                                   3614, 3642, 3904, 3905, 16400, 791,  1020 };
  struct pg__reader reader;
  size_t i;

  for (i = 0; i < COUNT(oids); i++) {
    pg__reader_init(&reader, oids[i], NULL, PG__FORMAT_BINARY);
    cr_expect(reader.wants_text, "%u", (unsigned)oids[i]);
    pg__reader_init(&reader, oids[i], NULL, PG__FORMAT_TEXT);
    cr_expect_not(reader.wants_text, "%u", (unsigned)oids[i]);
  }
}

Test(decode, a_column_has_the_name_and_type_of_its_type)
{
  static const struct pg__custom mood = { .oid = 16400,
                                          .kind = 'e',
                                          .name = "mood" };
  static const struct pg__custom moods = { .oid = 16399,
                                           .element = 16400,
                                           .kind = 'b',
                                           .element_kind = 'e',
                                           .name = "mood[]",
                                           .element_name = "mood" };
  static const struct pg__custom hstore = { .oid = 16500,
                                            .kind = 'b',
                                            .name = "hstore" };
  static const struct pg__custom ages = { .oid = 16600,
                                          .element = 16601,
                                          .element_base = 23,
                                          .kind = 'b',
                                          .element_kind = 'd',
                                          .name = "age[]",
                                          .element_name = "age" };
  static const struct {
    uint32_t oid;
    const struct pg__custom *custom;
    const char *name;
    uint32_t type;
    int wants_text;
  } cases[] = {
    { 23, NULL, "integer", TN_INT64, 0 },
    { 23, &mood, "integer", TN_INT64, 0 },
    { 1007, NULL, "integer[]", TN_ARRAY, 0 },
    { 1184, NULL, "timestamp with time zone", TN_TIMESTAMP, 0 },
    { 790, NULL, "money", TN_OTHER, 1 },
    { 16400, NULL, "oid 16400", TN_OTHER, 1 },
    { 16400, &mood, "mood", TN_TEXT, 0 },
    { 16399, &moods, "mood[]", TN_ARRAY, 0 },
    { 16500, &hstore, "hstore", TN_OTHER, 1 },
    { 16600, &ages, "age[]", TN_ARRAY, 0 },
  };
  struct pg__reader reader;
  size_t i;

  for (i = 0; i < COUNT(cases); i++) {
    pg__reader_init(&reader, cases[i].oid, cases[i].custom, PG__FORMAT_BINARY);
    cr_expect_str_eq(reader.type_name, cases[i].name, "case %zu", i);
    cr_expect_eq(reader.tn_type, cases[i].type, "case %zu", i);
    cr_expect_eq(reader.wants_text, cases[i].wants_text, "case %zu", i);
  }
}

Test(decode, other_cells_bear_the_name_of_their_type)
{
  struct codec codec;
  tn_value cell;

  codec_init(&codec);
  pg__reader_init(&codec.reader, 1186, NULL, PG__FORMAT_BINARY);
  codec_take_hex(&codec, "00000000000000000000000100000000");
  cr_assert_eq(codec_read(&codec, &cell), TN_OK);
  cr_expect_str_eq(cell.more.type_name, "interval");
  pg__reader_init(&codec.reader, 1082, NULL, PG__FORMAT_BINARY);
  codec_take_hex(&codec, "7fffffff");
  cr_assert_eq(codec_read(&codec, &cell), TN_OK);
  cr_expect_str_eq(cell.more.type_name, "date");
  codec_clear(&codec);
}

Test(decode, cells_without_memory_of_their_own_allocate_nothing)
{
  struct codec codec;
  tn_value cell;
  size_t i;

  codec_init(&codec);
  oom_fail_nth(1, true);
  for (i = 0; i < COUNT(good); i++) {
    pg__reader_init(&codec.reader, good[i].oid, NULL, PG__FORMAT_BINARY);
    codec_take_hex(&codec, good[i].hex);
    cr_expect_eq(codec_read(&codec, &cell), TN_OK, "%s", good[i].cell);
  }
  cr_expect_eq(oom_count(), 0);
  oom_reset();
  codec_clear(&codec);
}

Test(decode, without_memory_long_cells_fail)
{
  static const char digits[] = "01234567890123456789012345678901234567890123456"
                               "78901234567890123456789012345678901234567";
  char bytes[4 + 16] = { 0, 0, 0, 127 };
  struct codec codec;
  tn_value cell;

  codec_init(&codec);
  oom_fail_nth(1, true);
  pg__reader_init(&codec.reader, 1562, NULL, PG__FORMAT_BINARY);
  codec_take(&codec, bytes, sizeof bytes);
  cr_expect_eq(codec_read(&codec, &cell), TN_E_MEMORY);
  pg__reader_init(&codec.reader, 17, NULL, PG__FORMAT_TEXT);
  memcpy(bytes, "\\x", 2);
  codec_take(&codec, digits, sizeof digits - 1);
  memcpy(codec.data, "\\x", 2);
  cr_expect_eq(codec.size % 2, 0);
  cr_expect_eq(codec_read(&codec, &cell), TN_OK);
  oom_reset();
  codec_clear(&codec);
}
