/* Rows of a COPY in text: read by the server as what they were. */
#include "bytes.h"

static const uint8_t uuid_bytes[16] = { 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc,
                                        0xde, 0xf0, 0x00, 0x11, 0x22, 0x33,
                                        0x44, 0x55, 0x66, 0x77 };

/* A field, or the cause of the refusal; in a buffer of the caller's. */
static const char *
field_of(struct codec *codec, uint32_t oid, const tn_value *value, char *out,
         size_t size)
{
  struct pg__buffer buffer;
  struct pg__sink sink;
  enum pg__encoded encoded;

  pg__buffer_init(&buffer, codec->fake.call.host);
  pg__sink_init(&sink, &buffer, &codec->fake.call);
  cr_assert(pg__buffer_put(&buffer, "\t\\", 2)); /* what is there stays */
  encoded = pg__encode_copy_text(pg__type_find(oid), value, &sink);
  if (encoded == PG__REFUSED)
    snprintf(out, size, "refused: %s", sink.cause);
  else if (encoded == PG__NO_MEMORY)
    snprintf(out, size, "no memory");
  else
    snprintf(out, size, "%.*s", (int)buffer.size - 2, buffer.data + 2);
  cr_expect_eq(memcmp(buffer.data, "\t\\", 2), 0);
  pg__buffer_clear(&buffer);
  return out;
}

Test(copy_text, a_field_is_its_text_with_backslashes)
{
  const tn_value items[] = { tn_text("a\tb\"\\"), tn_null() };
  const tn_value bytes[] = { tn_text("\\x4142"), tn_uuid(uuid_bytes) };
  const tn_value keys[] = { tn_blob(uuid_bytes, 16) };
  const tn_value moments[] = { tn_timestamp(0), tn_date(1), tn_text("now") };
  const tn_value row[] = { tn_array(TN_TEXT, bytes, 1) };
  const tn_value boxes[] = { tn_text("(1,2),(3,4)"), tn_text("(5,6),(7,8)") };
  const struct {
    uint32_t oid;
    tn_value value;
    const char *field;
  } cases[] = {
    { 25, tn_null(), "\\N" },
    { 0, tn_null(), "\\N" },
    { 25, tn_text("\\N"), "\\\\N" },
    { 25, tn_text("\\."), "\\\\." },
    { 25, tn_text(""), "" },
    { 25, tn_text("a\tb\nc\rd\\"), "a\\tb\\nc\\rd\\\\" },
    { 25, tn_text("\t\n\r\\"), "\\t\\n\\r\\\\" },
    { 25, tn_int64(-7), "-7" },
    { 23, tn_int64(-7), "-7" },
    { 16, tn_bool(1), "true" },
    { 701, tn_double(0.1), "0.1" },
    { 1700, tn_decimal("1e2"), "1e2" },
    { 17, tn_blob("\x00\xff", 2), "\\\\x00ff" },
    { 17, tn_text("\\x"), "\\\\x5c78" },
    { 17, tn_text(""), "\\\\x" },
    { 17, tn_uuid(uuid_bytes), "\\\\x123456789abcdef00011223344556677" },
    { 2950, tn_uuid(uuid_bytes), "12345678-9abc-def0-0011-223344556677" },
    { 2950, tn_blob(uuid_bytes, 16), "12345678-9abc-def0-0011-223344556677" },
    { 1184, tn_timestamp_zoned(0, 0), "1970-01-01 00:00:00+00:00" },
    { 1184, tn_timestamp_zoned(0, 3600), "1970-01-01 01:00:00+01:00" },
    { 1184, tn_timestamp(0), "1970-01-01 00:00:00+00:00" },
    { 1184, tn_date(1), "1970-01-02 00:00:00+00:00" },
    { 1184, tn_text("now"), "now" },
    { 1114, tn_timestamp(0), "1970-01-01 00:00:00" },
    { 23, tn_bool(1), "1" },
    { 701, tn_bool(1), "1" },
    { 1700, tn_bool(1), "1" },
    { 20, tn_double(1e15), "1000000000000000" },
    { 20, tn_decimal("1e2"), "100" },
    { 20, tn_text("1"), "1" },
    { 5069, tn_uint64(UINT64_MAX), "18446744073709551615" },
    { 5069, tn_double(1e15), "1000000000000000" },
    { 700, tn_double(0.1), "0.10000000149011612" },
    { 114, tn_date(1), "\"1970-01-02\"" },
    { 3802, tn_date(1), "\"1970-01-02\"" },
    { 3802, tn_bool(1), "true" },
    { 3802, tn_json("{\"a\":\"\\n\"}"), "{\"a\":\"\\\\n\"}" },
    { 1009, tn_array(TN_TEXT, items, 2), "{\"a\\tb\\\\\"\\\\\\\\\",NULL}" },
    { 1001, tn_array(TN_TEXT, bytes, 2),
      "{\"\\\\\\\\x5c7834313432\","
      "\"\\\\\\\\x123456789abcdef00011223344556677\"}" },
    { 1001, tn_array(TN_TEXT, row, 1), "{{\"\\\\\\\\x5c7834313432\"}}" },
    { 2951, tn_array(TN_BLOB, keys, 1),
      "{\"12345678-9abc-def0-0011-223344556677\"}" },
    { 1185, tn_array(TN_TIMESTAMP, moments, 3),
      "{\"1970-01-01 00:00:00+00:00\",\"1970-01-02 00:00:00+00:00\",\"now\"}" },
    { 1020, tn_array(TN_TEXT, boxes, 2), "{\"(1,2),(3,4)\";\"(5,6),(7,8)\"}" },
    { 600, tn_text("(1,2)"), "(1,2)" },
    { 16400, tn_text("ok"), "ok" },
    { 16400, tn_int64(5), "5" },
  };
  struct codec codec;
  char shown[256];
  size_t i;

  codec_init(&codec);
  for (i = 0; i < COUNT(cases); i++)
    cr_expect_str_eq(
        field_of(&codec, cases[i].oid, &cases[i].value, shown, sizeof shown),
        cases[i].field, "case %zu: %s", i, shown);
  codec_clear(&codec);
}

/* As strict as a parameter: the server would cut and round without a word. */
Test(copy_text, what_would_be_altered_is_refused)
{
  /* An item that only the server reads does not spare those behind it. */
  const tn_value days[] = { tn_text("today"), tn_timestamp(1) };
  const struct {
    uint32_t oid;
    tn_value value;
    const char *cause;
  } cases[] = {
    { 23, tn_double(1.5), "not a whole number" },
    { 1082, tn_timestamp(1), "its time of day would be lost" },
    { 1182, tn_array(TN_DATE, days, 2), "its time of day would be lost" },
    { 1114, tn_timestamp_zoned(0, 0), "its zone would be lost" },
    { 18, tn_text("ab"), "one byte" },
    { 25, tn_bytes(TN_TEXT, "a\0b", 3), "NUL" },
    { 16400, tn_bytes(TN_TEXT, "a\0b", 3), "NUL" },
    { 16400, tn_blob("a", 1), "bind its text" },
    { 600, tn_int64(1), "bind its text" },
  };
  struct codec codec;
  char shown[256];
  size_t i;

  codec_init(&codec);
  for (i = 0; i < COUNT(cases); i++) {
    field_of(&codec, cases[i].oid, &cases[i].value, shown, sizeof shown);
    cr_expect_eq(strncmp(shown, "refused: ", 9), 0, "case %zu: %s", i, shown);
    cr_expect_not_null(strstr(shown, cases[i].cause), "case %zu: %s", i, shown);
  }
  codec_clear(&codec);
}

Test(copy_text, without_memory_it_fails)
{
  static const char many[] =
      "\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t"
      "\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t"
      "\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t"
      "\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t"
      "\t";
  const tn_value value = tn_text(many);
  struct codec codec;
  struct pg__buffer buffer;
  struct pg__sink sink;

  codec_init(&codec);
  pg__buffer_init(&buffer, codec.fake.call.host);
  pg__sink_init(&sink, &buffer, &codec.fake.call);
  oom_fail_nth(2, true); /* the text finds room, its backslashes do not */
  cr_expect_eq(pg__encode_copy_text(pg__type_find(25), &value, &sink),
               PG__NO_MEMORY);
  oom_fail_nth(0, false);
  buffer.size = 0;
  cr_expect_eq(pg__encode_copy_text(pg__type_find(25), &value, &sink),
               PG__ENCODED);
  cr_expect_eq(buffer.size, 2 * (sizeof many - 1));
  pg__buffer_clear(&buffer);
  cr_expect_eq(oom_live(), 0);
  oom_reset();
  codec_clear(&codec);
}
