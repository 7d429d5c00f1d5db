/* Values to parameters: exactly, or not at all. */
#include "bytes.h"

#include <math.h>

static const uint8_t uuid_bytes[16] = { 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc,
                                        0xde, 0xf0, 0x00, 0x11, 0x22, 0x33,
                                        0x44, 0x55, 0x66, 0x77 };

#define OTHER(text) tn_bytes(TN_OTHER, text, sizeof(text) - 1)

struct form {
  uint32_t oid;
  tn_value value;
  const char *form;
};

static void
check_forms(const struct form *cases, size_t count)
{
  struct codec codec;
  char shown[256];
  size_t i;

  codec_init(&codec);
  for (i = 0; i < count; i++)
    cr_expect_str_eq(
        codec_write(&codec, cases[i].oid, &cases[i].value, shown, sizeof shown),
        cases[i].form, "case %zu: %s", i, shown);
  codec_clear(&codec);
}

Test(encode, numbers_go_in_the_form_of_the_parameter)
{
  const struct form cases[] = {
    { 23, tn_null(), "null" },
    { 0, tn_null(), "null" },

    { 16, tn_bool(1), "binary 01" },
    { 16, tn_int64(0), "binary 00" },
    { 16, tn_uint64(1), "binary 01" },
    { 16, tn_text("yes"), "text yes" },

    { 21, tn_int64(-32768), "binary 8000" },
    { 21, tn_int64(32767), "binary 7fff" },
    { 21, tn_double(-2.0), "binary fffe" },
    { 21, tn_decimal("1.2e1"), "binary 000c" },
    { 23, tn_int64(INT32_MIN), "binary 80000000" },
    { 23, tn_uint64(INT32_MAX), "binary 7fffffff" },
    { 23, tn_bool(1), "binary 00000001" },
    { 23, tn_text("7"), "text 7" },
    { 20, tn_int64(INT64_MIN), "binary 8000000000000000" },
    { 20, tn_uint64(INT64_MAX), "binary 7fffffffffffffff" },
    { 20, tn_double(-0x1p63), "binary 8000000000000000" },
    { 20, tn_decimal("9223372036854775807"), "binary 7fffffffffffffff" },
    { 26, tn_int64(UINT32_MAX), "binary ffffffff" },
    { 2205, tn_int64(1259), "binary 000004eb" },
    { 2205, tn_text("pg_class"), "text pg_class" },
    { 5069, tn_uint64(UINT64_MAX), "binary ffffffffffffffff" },
    { 5069, tn_int64(1), "binary 0000000000000001" },

    { 701, tn_double(0.1), "binary 3fb999999999999a" },
    { 701, tn_double((double)INFINITY), "binary 7ff0000000000000" },
    { 701, tn_int64(-2), "binary c000000000000000" },
    { 701, tn_int64(INT64_C(1) << 53), "binary 4340000000000000" },
    { 701, tn_int64(INT64_MIN), "binary c3e0000000000000" },
    { 701, tn_uint64(UINT64_C(1) << 63), "binary 43e0000000000000" },
    { 701, tn_decimal("0.1"), "binary 3fb999999999999a" },
    { 701, tn_text("0.1"), "text 0.1" },
    { 700, tn_double(0.1), "binary 3dcccccd" },
    { 700, tn_decimal("0.1"), "binary 3dcccccd" },
    { 700, tn_double(-0.0), "binary 80000000" },
    { 700, tn_double((double)-INFINITY), "binary ff800000" },
    { 700, tn_double(0x1.fffffep127), "binary 7f7fffff" },
    { 700, tn_int64(16777216), "binary 4b800000" },
    { 1700, tn_text("1.5"), "text 1.5" },
  };

  check_forms(cases, COUNT(cases));
}

Test(encode, texts_and_bytes_go_in_the_form_of_the_parameter)
{
  const struct form cases[] = {
    { 25, tn_text("a"), "binary 61" },
    { 25, tn_text(""), "binary " },
    { 25, tn_int64(-1), "binary 2d31" },
    { 25, tn_double(1.5), "binary 312e35" },
    { 25, tn_decimal("1.50"), "binary 312e3530" },
    { 25, tn_bool(1), "binary 74727565" },
    { 25, tn_json("{}"), "binary 7b7d" },
    { 25, tn_date(0), "binary 313937302d30312d3031" },
    { 25, OTHER("x"), "binary 78" },
    { 1043, tn_text("a"), "binary 61" },
    { 1042, tn_text("a"), "binary 61" },
    { 19, tn_text("a"), "binary 61" },
    { 705, tn_text("a"), "binary 61" },
    { 18, tn_text("x"), "binary 78" },
    { 18, tn_text(""), "binary 00" },
    { 142, tn_text("<a/>"), "text <a/>" },

    { 17, tn_blob("\x00\xff", 2), "binary 00ff" },
    { 17, tn_blob("", 0), "binary " },
    { 17, tn_text("\\x41"), "binary 5c783431" },
    { 17, tn_bytes(TN_TEXT, "a\0b", 3), "binary 610062" },
    { 17, tn_uuid(uuid_bytes), "binary 123456789abcdef00011223344556677" },
    { 2950, tn_uuid(uuid_bytes), "binary 123456789abcdef00011223344556677" },
    { 2950, tn_blob(uuid_bytes, 16),
      "binary 123456789abcdef00011223344556677" },
    { 2950, tn_text("x"), "text x" },
  };

  check_forms(cases, COUNT(cases));
}

Test(encode, times_and_all_else_go_in_the_form_of_the_parameter)
{
  const struct form cases[] = {
    { 1082, tn_date(0), "binary ffffd533" },
    { 1082, tn_date(TN_DAYS_MIN), "binary fff4dbf9" },
    { 1082, tn_date(TN_DAYS_MAX), "binary 002c95d3" },
    { 1082, tn_timestamp(0), "binary ffffd533" },
    { 1082, tn_timestamp(TN_MICROS_MIN), "binary fff4dbf9" },
    { 1082, tn_text("today"), "text today" },
    { 1082, OTHER("-infinity"), "binary 80000000" },
    { 1082, OTHER("0044-03-15 BC"), "text 0044-03-15 BC" },
    { 1083, tn_time(TN_DAY_MICROS - 1), "binary 000000141dd75fff" },
    { 1083, OTHER("24:00:00"), "binary 000000141dd76000" },
    { 1114, tn_timestamp(TN_MICROS_MIN), "binary ff1fe2ffc59c6000" },
    { 1114, tn_timestamp(TN_MICROS_MAX), "binary 0380e70b913b7fff" },
    { 1114, tn_date(10957), "binary 0000000000000000" },
    { 1114, tn_text("now"), "text now" },
    { 1114, OTHER("infinity"), "binary 7fffffffffffffff" },
    { 1184, tn_timestamp_zoned(INT64_C(946684800000000), 19800),
      "binary 0000000000000000" },
    { 1184, tn_timestamp(INT64_C(946684800000001)), "binary 0000000000000001" },
    { 1184, tn_date(10957), "binary 0000000000000000" },

    { 114, tn_json("{}"), "binary 7b7d" },
    { 114, tn_text("{}"), "binary 7b7d" },
    { 114, tn_int64(17), "binary 3137" },
    { 3802, tn_json("{}"), "binary 017b7d" },
    { 3802, tn_text("1"), "binary 0131" },
    { 3802, tn_double(1.5), "binary 01312e35" },
    { 3802, tn_bool(0), "binary 0166616c7365" },
    { 3802, tn_date(0), "binary 0122313937302d30312d303122" },

    { 1186, tn_text("1 day"), "text 1 day" },
    { 1186, OTHER("1 day"), "text 1 day" },
    { 1186, tn_time(1000000), "text 00:00:01" },
    { 1266, tn_time(0), "text 00:00:00" },
    { 790, tn_int64(12), "text 12" },
    { 790, tn_decimal("12.50"), "text 12.50" },
    { 869, tn_text("::1"), "text ::1" },

    { 16400, tn_text("ok"), "text ok" },
    { 16400, OTHER("a=>1"), "text a=>1" },
    { 16400, tn_int64(-7), "text -7" },
    { 16400, tn_double(0.1), "text 0.1" },
    { 16400, tn_bool(1), "text true" },
    { 16400, tn_blob("\x01\x00", 2), "binary 0100" },
    { 16400, tn_uuid(uuid_bytes), "text 12345678-9abc-def0-0011-223344556677" },
    { 16400, tn_timestamp_zoned(0, 0), "text 1970-01-01 00:00:00+00:00" },
  };

  check_forms(cases, COUNT(cases));
}

Test(encode, what_would_be_altered_is_refused)
{
  const struct {
    uint32_t oid;
    tn_value value;
    const char *message;
  } cases[] = {
    { 16, tn_int64(2), "data: postgresql: int64 2 does not fit type boolean" },
    { 16, tn_double(1.0), "boolean" },
    { 21, tn_int64(32768), "int64 32768 does not fit type smallint" },
    { 21, tn_int64(-32769), "smallint" },
    { 23, tn_int64(INT64_C(2147483648)), "integer" },
    { 23, tn_double(1.5), "double 1.5 does not fit type integer: not a whole" },
    { 23, tn_double((double)NAN), "integer" },
    { 23, tn_decimal("1.5"), "decimal 1.5 does not fit type integer" },
    { 23, tn_date(0), "date 1970-01-01 does not fit type integer" },
    { 23, tn_blob("1", 1), "blob of 1 bytes does not fit type integer" },
    { 20, tn_uint64(UINT64_C(1) << 63), "bigint" },
    { 20, tn_double(0x1p63), "bigint" },
    { 20, tn_double(-0x1.0000000000001p63), "bigint" },
    { 20, tn_decimal("9223372036854775808"), "bigint" },
    { 20, tn_decimal("1e99999999999999999999"), "bigint" },
    { 26, tn_int64(-1), "oid" },
    { 26, tn_int64(INT64_C(1) << 32), "oid" },
    { 5069, tn_int64(-1), "xid8" },
    { 701, tn_int64((INT64_C(1) << 53) + 1), "double precision" },
    { 701, tn_int64(INT64_MAX), "double precision" },
    { 701, tn_uint64(UINT64_MAX), "double precision" },
    { 701, tn_decimal("0.12345678901234567890"), "no number of the type" },
    { 701, tn_decimal("1e400"), "no number of the type" },
    { 701, tn_date(0), "not a number" },
    { 700, tn_int64(16777217), "real" },
    { 700, tn_double(1e39), "out of range" },
    { 700, tn_double(-3.5e38), "out of range" },
    { 700, tn_double(1e-60), "out of range" },
    { 1700, tn_date(0), "not a number" },
    { 25, tn_blob("a", 1), "not a text" },
    { 25, tn_bytes(TN_TEXT, "a\0b", 3),
      "charset: postgresql: text of 3 bytes does not fit type text: "
      "PostgreSQL keeps no text with a NUL" },
    { 114, tn_bytes(TN_TEXT, "\0", 1), "charset: " },
    { 3802, tn_bytes(TN_TEXT, "\0", 1), "charset: " },
    { 1082, tn_bytes(TN_TEXT, "today\0", 6), "charset: " },
    { 16400, tn_bytes(TN_TEXT, "\0", 1), "charset: " },
    { 18, tn_text("ab"), "one byte" },
    { 18, tn_text("\xc3\xbc"), "one byte" },
    { 17, tn_int64(1), "not bytes" },
    { 2950, tn_blob("abc", 3), "uuid" },
    { 2950, tn_int64(1), "uuid" },
    { 1082, tn_timestamp(1), "its time of day would be lost" },
    { 1082, tn_timestamp_zoned(0, 0), "its time of day would be lost" },
    { 1082, tn_int64(1), "date" },
    { 1083, tn_timestamp(0), "time without time zone" },
    { 1114, tn_timestamp_zoned(0, 0),
      "its zone would be lost; write CAST(? AS timestamptz)" },
    { 1114, tn_time(0), "timestamp without time zone" },
    { 1184, tn_int64(0), "timestamp with time zone" },
    { 114, tn_blob("{}", 2), "not JSON" },
    { 3802, tn_double((double)NAN), "JSON has no such number" },
    { 1186, tn_int64(1), "interval: bind its text, or write CAST" },
    { 790, tn_double(1.5), "money" },
    { 869, tn_blob("abcd", 4), "inet" },
  };
  struct codec codec;
  char shown[256];
  size_t i;

  codec_init(&codec);
  for (i = 0; i < COUNT(cases); i++) {
    codec_write(&codec, cases[i].oid, &cases[i].value, shown, sizeof shown);
    cr_expect_not_null(strstr(shown, cases[i].message), "case %zu: %s", i,
                       shown);
    cr_expect(strncmp(shown, "data: ", 6) == 0 ||
                  strncmp(shown, "charset: ", 9) == 0,
              "case %zu: %s", i, shown);
  }
  codec_clear(&codec);
}

/* Whatever meets whatever, each value is written or refused. */
Test(encode, every_type_takes_or_refuses_every_value)
{
  static const tn_value one = { .type = TN_INT64, .as.int64 = 1 };
  const tn_value values[] = {
    tn_null(),        tn_bool(1),
    tn_int64(5),      tn_uint64(5),
    tn_double(0.5),   tn_decimal("0.5"),
    tn_text("5"),     tn_blob("5", 1),
    tn_date(5),       tn_time(5),
    tn_timestamp(5),  tn_timestamp_zoned(5, 0),
    tn_json("5"),     tn_uuid(uuid_bytes),
    OTHER("5"),       tn_array(TN_INT64, &one, 1),
    tn_blob(NULL, 0), tn_bytes(TN_TEXT, "", 0),
  };
  struct codec codec;
  char shown[256];
  unsigned written = 0, refused = 0;
  uint32_t oid;
  size_t i;

  codec_init(&codec);
  for (oid = 0; oid < 7000; oid++) {
    if (pg__type_find(oid) == NULL && oid != 0)
      continue;
    for (i = 0; i < COUNT(values); i++) {
      codec_write(&codec, oid, &values[i], shown, sizeof shown);
      if (strncmp(shown, "data: ", 6) == 0)
        refused++;
      else
        written++;
    }
  }
  cr_expect_gt(written, 500, "%u", written);
  cr_expect_gt(refused, 500, "%u", refused);
  codec_clear(&codec);
}

/* The parameters of one statement. */
#define MANY 40

struct many {
  struct codec codec;
  struct pg__params params;
  uint32_t oids[MANY];
  tn_value values[MANY];
};

static void
many_init(struct many *many, const char *text)
{
  uint32_t i;

  codec_init(&many->codec);
  for (i = 0; i < MANY; i++) {
    many->oids[i] = i % 4 == 0 ? 25 : i % 4 == 1 ? 20 : i % 4 == 2 ? 1700 : 0;
    many->values[i] = i % 4 == 0 ? tn_text(text) : tn_int64(i);
  }
  many->values[5] = tn_null();
  pg__params_init(&many->params, many->codec.fake.call.host);
}

static int32_t
many_encode(struct many *many)
{
  return pg__params_encode(&many->params, many->values, &many->codec.fake.call);
}

Test(encode, the_arrays_are_those_of_libpq)
{
  static const char text[] = "lent";
  struct many many;
  uint32_t i;

  many_init(&many, text);
  cr_assert_eq(
      pg__params_types(&many.params, many.oids, MANY, &many.codec.fake.call),
      TN_OK);
  cr_assert_eq(many_encode(&many), TN_OK);
  cr_expect_eq(many.params.count, MANY);
  for (i = 0; i < MANY; i++) {
    if (i == 5)
      cr_expect_null(many.params.values[i]);
    else if (i % 4 == 0)
      cr_expect_eq(many.params.values[i], text, "copied");
    else if (i % 4 == 1)
      cr_expect(many.params.lengths[i] == 8 &&
                many.params.values[i][7] == (char)i);
    else if (i % 4 == 3)
      cr_expect_eq(atoi(many.params.values[i]), (int)i);
    cr_expect_eq(many.params.formats[i], i % 4 == 3 && i != 5 ? 0 : 1);
  }
  pg__params_clear(&many.params);
  codec_clear(&many.codec);
}

Test(encode, running_again_allocates_nothing)
{
  struct many many;

  many_init(&many, "text");
  cr_assert_eq(
      pg__params_types(&many.params, many.oids, MANY, &many.codec.fake.call),
      TN_OK);
  cr_assert_eq(many_encode(&many), TN_OK);
  oom_fail_nth(1, true);
  cr_expect_eq(many_encode(&many), TN_OK);
  cr_expect_eq(pg__params_types(&many.params, many.oids, MANY / 2,
                                &many.codec.fake.call),
               TN_OK);
  cr_expect_eq(many_encode(&many), TN_OK);
  cr_expect_eq(oom_count(), 0);
  oom_reset();
  pg__params_clear(&many.params);
  codec_clear(&many.codec);
}

Test(encode, a_very_long_value_is_not_kept_for_ever)
{
  static char text[(size_t)3 << 20];
  uint32_t oid = 3802;
  struct codec codec;
  struct pg__params params;
  tn_value value = tn_bytes(TN_JSON, text, sizeof text);

  memset(text, ' ', sizeof text);
  codec_init(&codec);
  pg__params_init(&params, codec.fake.call.host);
  cr_assert_eq(pg__params_types(&params, &oid, 1, &codec.fake.call), TN_OK);
  cr_assert_eq(pg__params_encode(&params, &value, &codec.fake.call), TN_OK);
  cr_expect_eq(params.lengths[0], (int)sizeof text + 1);
  value = tn_json("1");
  cr_assert_eq(pg__params_encode(&params, &value, &codec.fake.call), TN_OK);
  cr_expect_lt(params.bytes.capacity, 4096);
  pg__params_clear(&params);
  codec_clear(&codec);
}

Test(encode, a_refusal_tells_the_number_of_the_parameter)
{
  struct many many;

  many_init(&many, "text");
  many.values[13] = tn_double(0.5);
  cr_assert_eq(
      pg__params_types(&many.params, many.oids, MANY, &many.codec.fake.call),
      TN_OK);
  cr_expect_eq(many_encode(&many), TN_E_DATA);
  cr_expect_eq(many.codec.fake.err.parameter, 14);
  many.values[13] = tn_int64(1);
  cr_expect_eq(many_encode(&many), TN_OK);
  pg__params_clear(&many.params);
  codec_clear(&many.codec);
}

Test(encode, without_memory_it_fails_and_can_be_tried_again)
{
  struct many many;
  long nth;

  many_init(&many, "text");
  for (nth = 1;; nth++) {
    int32_t rc;

    oom_fail_nth(nth, false);
    rc = pg__params_types(&many.params, many.oids, MANY, &many.codec.fake.call);
    if (rc == TN_OK)
      rc = many_encode(&many);
    if (oom_count() < nth) {
      cr_expect_eq(rc, TN_OK);
      break;
    }
    cr_expect_eq(rc, TN_E_MEMORY, "allocation %ld", nth);
    oom_fail_nth(0, false);
    cr_expect_eq(
        pg__params_types(&many.params, many.oids, MANY, &many.codec.fake.call),
        TN_OK);
    cr_expect_eq(many_encode(&many), TN_OK);
    pg__params_clear(&many.params);
    cr_assert_eq(oom_live(), 0, "allocation %ld", nth);
  }
  pg__params_clear(&many.params);
  cr_expect_eq(oom_live(), 0);
  cr_expect_gt(nth, 2);
  oom_reset();
  codec_clear(&many.codec);
}

Test(encode, the_buffer_grows_by_what_is_needed)
{
  struct codec codec;
  struct pg__buffer buffer;
  size_t i;

  codec_init(&codec);
  pg__buffer_init(&buffer, codec.fake.call.host);
  cr_expect(pg__buffer_put(&buffer, "", 0));
  for (i = 0; i < 1000; i++)
    cr_assert(pg__buffer_put(&buffer, "0123456", 7));
  cr_expect_eq(buffer.size, 7000);
  cr_expect_eq(memcmp(buffer.data + 6993, "0123456", 7), 0);
  cr_expect_null(pg__buffer_add(&buffer, PTRDIFF_MAX));
  cr_expect_null(pg__buffer_add(&buffer, SIZE_MAX));
  cr_expect_eq(buffer.size, 7000);
  pg__buffer_clear(&buffer);
  cr_expect_null(buffer.data);
  codec_clear(&codec);
}
