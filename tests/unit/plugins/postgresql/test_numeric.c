/* Decimals: every digit there and back, and the limits. */
#include "bytes.h"

#include <math.h>

struct row {
  const char *text;
  const char *hex;
};

/* As the server sends them. */
static const struct row rows[] = {
  { "0", "0000000000000000" },
  { "0.00", "0000000000000002" },
  { "1", "00010000000000000001" },
  { "-1", "00010000400000000001" },
  { "9999", "0001000000000000270f" },
  { "10000", "00010001000000000001" },
  { "10001", "000200010000000000010001" },
  { "100000000", "00010002000000000001" },
  { "0.1", "0001ffff0000000103e8" },
  { "-0.0001", "0001ffff400000040001" },
  { "0.00001", "0001fffe0000000503e8" },
  { "0.00010", "0001ffff000000050001" },
  { "1.50", "000200000000000200011388" },
  { "12345.6789", "0003000100000004000109291a85" },
  { "123456789012345678901234567890.5",
    "0009000700000001000c0d801ed204d2162e23340d801ed21388" },
  { "9223372036854775807", "0005000400000000039a0d2c0170156516af" },
  { "0.99990000", "0001ffff00000008270f" },
  { "1000.0001", "000200000000000403e80001" },
  { "100000000000000000000", "00010005000000000001" },
  { "0.00000000000000000001", "0001fffb000000140001" },
};

static void
read_as(struct codec *codec, const char *hex)
{
  pg__reader_init(&codec->reader, PG__OID_NUMERIC, NULL, PG__FORMAT_BINARY);
  codec_take_hex(codec, hex);
}

Test(numeric, what_the_server_sends_is_read_digit_by_digit)
{
  struct codec codec;
  tn_value cell;
  size_t i;

  codec_init(&codec);
  for (i = 0; i < COUNT(rows); i++) {
    read_as(&codec, rows[i].hex);
    cr_assert_eq(codec_read(&codec, &cell), TN_OK, "%s", rows[i].text);
    cr_expect_eq(cell.type, TN_DECIMAL, "%s", rows[i].text);
    cr_expect(
        cell.as.bytes.size == strlen(rows[i].text) &&
            memcmp(cell.as.bytes.data, rows[i].text, cell.as.bytes.size) == 0,
        "%s: %.*s", rows[i].text, (int)cell.as.bytes.size, cell.as.bytes.data);
  }
  codec_clear(&codec);
}

Test(numeric, what_is_sent_is_what_the_server_would_send)
{
  struct codec codec;
  char shown[256], wanted[256];
  size_t i;

  codec_init(&codec);
  for (i = 0; i < COUNT(rows); i++) {
    const tn_value value = tn_decimal(rows[i].text);

    snprintf(wanted, sizeof wanted, "binary %s", rows[i].hex);
    cr_expect_str_eq(
        codec_write(&codec, PG__OID_NUMERIC, &value, shown, sizeof shown),
        wanted, "%s: %s", rows[i].text, shown);
  }
  codec_clear(&codec);
}

Test(numeric, a_number_may_be_written_in_many_ways)
{
  static const char *const cases[][2] = {
    { "+1", "1" },
    { "-0", "0" },
    { "-0.00", "0.00" },
    { "007", "7" },
    { "00012345.6789", "12345.6789" },
    { ".5", "0.5" },
    { "5.", "5" },
    { "-.5e1", "-5" },
    { "1.50e3", "1500" },
    { "1.50e1", "15.0" },
    { "1.5E-3", "0.0015" },
    { "15e-1", "1.5" },
    { "1e+4", "10000" },
    { "0e5", "0" },
    { "0e-5", "0.00000" },
    { "0e99999999999999999999999999", "0" },
    { "123e-7", "0.0000123" },
    { "99990000e-4", "9999.0000" },
  };
  struct codec codec;
  char shown[256], wanted[256];
  size_t i;

  codec_init(&codec);
  for (i = 0; i < COUNT(cases); i++) {
    const tn_value value = tn_decimal(cases[i][0]);
    const tn_value plain = tn_decimal(cases[i][1]);

    codec_write(&codec, PG__OID_NUMERIC, &plain, wanted, sizeof wanted);
    cr_expect_str_eq(
        codec_write(&codec, PG__OID_NUMERIC, &value, shown, sizeof shown),
        wanted, "%s: %s", cases[i][0], shown);
  }
  codec_clear(&codec);
}

Test(numeric, other_values_are_written_as_the_same_number)
{
  const struct {
    tn_value value;
    const char *decimal;
  } cases[] = {
    { tn_int64(0), "0" },
    { tn_int64(1), "1" },
    { tn_int64(-10000), "-10000" },
    { tn_int64(120000000), "120000000" },
    { tn_int64(INT64_MIN), "-9223372036854775808" },
    { tn_int64(INT64_MAX), "9223372036854775807" },
    { tn_uint64(UINT64_MAX), "18446744073709551615" },
    { tn_bool(1), "1" },
    { tn_double(0.1), "0.1" },
    { tn_double(-0.0), "0" },
    { tn_double(1.5e-10), "0.00000000015" },
    { tn_double(1e22), "10000000000000000000000" },
  };
  struct codec codec;
  char shown[256], wanted[256];
  size_t i;

  codec_init(&codec);
  for (i = 0; i < COUNT(cases); i++) {
    const tn_value decimal = tn_decimal(cases[i].decimal);

    codec_write(&codec, PG__OID_NUMERIC, &decimal, wanted, sizeof wanted);
    cr_expect_str_eq(codec_write(&codec, PG__OID_NUMERIC, &cases[i].value,
                                 shown, sizeof shown),
                     wanted, "%s: %s", cases[i].decimal, shown);
  }
  codec_clear(&codec);
}

Test(numeric, what_is_no_number_has_a_form_of_its_own)
{
  static const struct {
    const char *hex;
    const char *text;
    double real;
  } cases[] = {
    { "00000000c0000000", "NaN", (double)NAN },
    { "00000000d0000000", "Infinity", (double)INFINITY },
    { "00000000f0000000", "-Infinity", -(double)INFINITY },
  };
  struct codec codec;
  char shown[256], wanted[256];
  size_t i;

  codec_init(&codec);
  for (i = 0; i < COUNT(cases); i++) {
    const tn_value real = tn_double(cases[i].real);
    tn_value cell;

    snprintf(wanted, sizeof wanted, "binary %s", cases[i].hex);
    cr_expect_str_eq(
        codec_write(&codec, PG__OID_NUMERIC, &real, shown, sizeof shown),
        wanted);
    read_as(&codec, cases[i].hex);
    cr_assert_eq(codec_read(&codec, &cell), TN_OK);
    cr_expect_eq(cell.type, TN_OTHER);
    cr_expect_str_eq(cell.more.type_name, "numeric");
    cr_expect(pg__is_word(&cell, cases[i].text));
    cr_expect_str_eq(
        codec_write(&codec, PG__OID_NUMERIC, &cell, shown, sizeof shown),
        wanted);
  }
  codec_clear(&codec);
}

Test(numeric, bytes_that_are_no_number_fail)
{
  static const char *const cases[] = {
    "",
    "00000000000000",
    "000000000000000000",
    "0001000000000000",
    "00010000000000000001 0001",
    "0001000000000000 2710",
    "0001000000000000 ffff",
    "0000000010000000",
    "0000000080000000",
    "0000000000004000",
    "000000000000ffff",
    "ffff000000000000",
  };
  struct codec codec;
  tn_value cell;
  size_t i;

  codec_init(&codec);
  for (i = 0; i < COUNT(cases); i++) {
    read_as(&codec, cases[i]);
    cr_expect_eq(codec_read(&codec, &cell), TN_E_DATA, "case %zu: %s", i,
                 cases[i]);
  }
  codec_clear(&codec);
}

/* What no server sends, but a head may say. */
Test(numeric, weights_that_lie_make_no_more_than_a_long_number)
{
  static const struct row cases[] = {
    { "0", "00007fff00000000" },
    { "0.00", "0000800000000002" },
    { "1", "0003000200000000 0000 0000 0001" },
    { "0.0", "00018000000000010001" },
  };
  struct codec codec;
  tn_value cell;
  size_t i;

  codec_init(&codec);
  for (i = 0; i < COUNT(cases); i++) {
    read_as(&codec, cases[i].hex);
    cr_assert_eq(codec_read(&codec, &cell), TN_OK);
    cr_expect(
        cell.as.bytes.size == strlen(cases[i].text) &&
            memcmp(cell.as.bytes.data, cases[i].text, cell.as.bytes.size) == 0,
        "%s: %.*s", cases[i].text, (int)cell.as.bytes.size, cell.as.bytes.data);
  }
  read_as(&codec, "00017fff000000000001");
  cr_assert_eq(codec_read(&codec, &cell), TN_OK);
  cr_expect_eq(cell.as.bytes.size, 131069);
  codec_clear(&codec);
}

Test(numeric, the_limits_are_the_types)
{
  static const struct {
    const char *text;
    int fits;
  } cases[] = {
    { "1e131071", 1 },
    { "9e131071", 1 },
    { "1e131072", 0 },
    { "1e-16383", 1 },
    { "1e-16384", 0 },
    { "0e-16384", 0 },
    { "1e99999999999999999999999999", 0 },
    { "1e-99999999999999999999999999", 0 },
    { "-0.001e131074", 1 },
    { "0.001e131075", 0 },
  };
  struct codec codec;
  char shown[256];
  size_t i;

  codec_init(&codec);
  for (i = 0; i < COUNT(cases); i++) {
    const tn_value value = tn_decimal(cases[i].text);

    codec_write(&codec, PG__OID_NUMERIC, &value, shown, sizeof shown);
    cr_expect_eq(strncmp(shown, "binary ", 7) == 0, cases[i].fits, "%s: %s",
                 cases[i].text, shown);
    if (!cases[i].fits)
      cr_expect_not_null(strstr(shown, "data: postgresql: decimal"), "%s",
                         shown);
  }
  codec_clear(&codec);
}

/* A decimal of random digits, with an exponent or without. */
static void
make_decimal(uint32_t *state, char *out)
{
  unsigned before, behind, i;

#define NEXT(below) ((*state = *state * 1664525u + 1013904223u) >> 8) % (below)
  before = NEXT(30) + 1;
  behind = NEXT(30);
  if (NEXT(2) == 0)
    *out++ = '-';
  for (i = 0; i < before; i++)
    *out++ = (char)('0' + (NEXT(3) == 0 ? 0 : NEXT(10)));
  if (behind > 0)
    *out++ = '.';
  for (i = 0; i < behind; i++)
    *out++ = (char)('0' + (NEXT(3) == 0 ? 0 : NEXT(10)));
  if (NEXT(2) == 0)
    out += sprintf(out, "e%d", (int)NEXT(60) - 30);
#undef NEXT
  *out = '\0';
}

Test(numeric, random_numbers_come_back)
{
  struct codec codec;
  struct pg__params params;
  uint32_t oid = PG__OID_NUMERIC;
  uint32_t state = 1;
  char text[128];
  int i;

  codec_init(&codec);
  pg__reader_init(&codec.reader, oid, NULL, PG__FORMAT_BINARY);
  pg__params_init(&params, codec.fake.call.host);
  cr_assert_eq(pg__params_types(&params, &oid, 1, &codec.fake.call), TN_OK);
  for (i = 0; i < 20000; i++) {
    tn_value value, cell;

    make_decimal(&state, text);
    value = tn_decimal(text);
    cr_assert_eq(pg__params_encode(&params, &value, &codec.fake.call), TN_OK,
                 "%s", text);
    codec_take(&codec, params.values[0], (size_t)params.lengths[0]);
    cr_assert_eq(codec_read(&codec, &cell), TN_OK, "%s", text);
    cr_assert(tn_value_equal(&cell, &value), "%s: %.*s", text,
              (int)cell.as.bytes.size, cell.as.bytes.data);
  }
  pg__params_clear(&params);
  codec_clear(&codec);
}

Test(numeric, a_long_number_without_memory_fails)
{
  struct codec codec;
  tn_value cell;

  codec_init(&codec);
  read_as(&codec, "00010020000000000001");
  oom_fail_nth(1, true);
  cr_expect_eq(codec_read(&codec, &cell), TN_E_MEMORY);
  oom_reset();
  cr_expect_eq(codec_read(&codec, &cell), TN_OK);
  codec_clear(&codec);
}
