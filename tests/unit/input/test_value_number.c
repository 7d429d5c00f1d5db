/* Exact conversions to the numbers of C. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <tenon/value.h>

#include "value_priv.h"

struct refusal {
  tn_value value;
  const char *message;
};

Test(value_number, int64_takes_what_fits)
{
  const struct {
    tn_value value;
    int64_t number;
  } cases[] = {
    { tn_bool(0), 0 },
    { tn_bool(1), 1 },
    { tn_int64(INT64_MIN), INT64_MIN },
    { tn_int64(INT64_MAX), INT64_MAX },
    { tn_uint64(0), 0 },
    { tn_uint64(INT64_MAX), INT64_MAX },
    { tn_double(-0x1p63), INT64_MIN },
    { tn_double(0x1p63 - 1024), INT64_MAX - 1023 },
    { tn_double(-0.0), 0 },
    { tn_double(1e15), INT64_C(1000000000000000) },
    { tn_decimal("-9223372036854775808"), INT64_MIN },
    { tn_decimal("9223372036854775807.000"), INT64_MAX },
    { tn_decimal("1e18"), INT64_C(1000000000000000000) },
    { tn_text("-42"), -42 },
    { tn_text("+42"), 42 },
    { tn_text("4.2e1"), 42 },
    { tn_text("-0"), 0 },
    { tn_json("42"), 42 },
  };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    int64_t number = 77;
    tn_err err = TN_ERR_INIT;

    cr_expect(tn_value_to_int64(&cases[i].value, &number, &err) == TN_OK,
              "case %zu: %s", i, err.message);
    cr_expect(number == cases[i].number, "case %zu: %" PRId64, i, number);
  }
}

Test(value_number, int64_refuses_what_does_not)
{
  const struct refusal cases[] = {
    { tn_null(), "value: null does not fit int64: not a number" },
    { tn_uint64(UINT64_C(1) << 63),
      "value: 9223372036854775808 does not fit int64" },
    { tn_uint64(UINT64_MAX), "value: 18446744073709551615 does not fit int64" },
    { tn_double(0x1p63), "value: 9.223372036854776e18 does not fit int64" },
    { tn_double(-0x1p63 - 2048),
      "value: -9.223372036854778e18 does not fit int64" },
    { tn_double(0x1p64), "value: 1.8446744073709552e19 does not fit int64" },
    { tn_double(1.5), "value: 1.5 does not fit int64: not whole" },
    { tn_double(-0.5), "value: -0.5 does not fit int64: not whole" },
    { tn_double(5e-324), "value: 5e-324 does not fit int64: not whole" },
    { tn_double(1e300), "value: 1e300 does not fit int64" },
    { tn_double(NAN), "value: nan does not fit int64" },
    { tn_double(INFINITY), "value: inf does not fit int64" },
    { tn_double(-INFINITY), "value: -inf does not fit int64" },
    { tn_decimal("9223372036854775808"),
      "value: 9223372036854775808 does not fit int64" },
    { tn_decimal("-9223372036854775809"),
      "value: -9223372036854775809 does not fit int64" },
    { tn_decimal("1.5"), "value: 1.5 does not fit int64: not whole" },
    { tn_decimal("1e100"), "value: 1e100 does not fit int64" },
    { tn_text("abc"), "value: \"abc\" does not fit int64: not a number" },
    { tn_text(""), "value: \"\" does not fit int64: not a number" },
    { tn_text(" 1"), "value: \" 1\" does not fit int64: not a number" },
    { tn_text("1 "), "value: \"1 \" does not fit int64: not a number" },
    { tn_text("1,000"), "value: \"1,000\" does not fit int64: not a number" },
    { tn_text("0x10"), "value: \"0x10\" does not fit int64: not a number" },
    { tn_bytes(TN_TEXT, "1\0", 2),
      "value: \"1\\x00\" does not fit int64: not a number" },
    { tn_text("1.5"), "value: \"1.5\" does not fit int64: not whole" },
    { tn_date(0), "value: 1970-01-01 does not fit int64: not a number" },
    { tn_timestamp(0),
      "value: 1970-01-01 00:00:00 does not fit int64: not a number" },
    { tn_blob("1", 1),
      "value: a blob of 1 bytes does not fit int64: not a number" },
    { tn_json("[1]"), "value: \"[1]\" does not fit int64: not a number" },
    { tn_json("true"), "value: \"true\" does not fit int64: not a number" },
  };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    int64_t number = 77;
    tn_err err = TN_ERR_INIT;

    cr_expect(tn_value_to_int64(&cases[i].value, &number, &err) == TN_E_DATA,
              "case %zu", i);
    cr_expect_str_eq(err.message, cases[i].message, "case %zu: %s", i,
                     err.message);
    cr_expect(number == 77, "case %zu: %" PRId64, i, number);
    cr_expect(tn_value_to_int64(&cases[i].value, &number, NULL) == TN_E_DATA);
  }
}

Test(value_number, int32_ends_where_int32_ends)
{
  const struct {
    tn_value value;
    int32_t number;
    const char *message; /* NULL: it fits */
  } cases[] = {
    { tn_int64(INT32_MAX), INT32_MAX, NULL },
    { tn_int64(INT32_MIN), INT32_MIN, NULL },
    { tn_text("-2147483648"), INT32_MIN, NULL },
    { tn_double(2147483647.0), INT32_MAX, NULL },
    { tn_bool(1), 1, NULL },
    { tn_int64(INT64_C(2147483648)), 0,
      "value: 2147483648 does not fit int32" },
    { tn_int64(INT64_C(-2147483649)), 0,
      "value: -2147483649 does not fit int32" },
    { tn_uint64(UINT64_MAX), 0,
      "value: 18446744073709551615 does not fit int32" },
    { tn_int64(INT64_C(1) << 32), 0, "value: 4294967296 does not fit int32" },
    { tn_text("x"), 0, "value: \"x\" does not fit int32: not a number" },
    { tn_null(), 0, "value: null does not fit int32: not a number" },
  };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    int32_t number = 77;
    tn_err err = TN_ERR_INIT;
    enum tn_code rc = tn_value_to_int32(&cases[i].value, &number, &err);

    if (cases[i].message == NULL) {
      cr_expect(rc == TN_OK && number == cases[i].number, "case %zu", i);
    } else {
      cr_expect(rc == TN_E_DATA && number == 77, "case %zu", i);
      cr_expect_str_eq(err.message, cases[i].message, "case %zu: %s", i,
                       err.message);
    }
  }
}

Test(value_number, uint64_has_no_sign_and_one_bit_more)
{
  const struct {
    tn_value value;
    uint64_t number;
    const char *message; /* NULL: it fits */
  } cases[] = {
    { tn_int64(INT64_MAX), INT64_MAX, NULL },
    { tn_uint64(UINT64_MAX), UINT64_MAX, NULL },
    { tn_double(0x1p63), UINT64_C(1) << 63, NULL },
    { tn_double(0x1p64 - 2048), UINT64_MAX - 2047, NULL },
    { tn_double(-0.0), 0, NULL },
    { tn_decimal("18446744073709551615"), UINT64_MAX, NULL },
    { tn_decimal("-0.0"), 0, NULL },
    { tn_text("18446744073709551615"), UINT64_MAX, NULL },
    { tn_bool(1), 1, NULL },
    { tn_int64(-1), 0, "value: -1 does not fit uint64" },
    { tn_int64(INT64_MIN), 0,
      "value: -9223372036854775808 does not fit uint64" },
    { tn_double(-1), 0, "value: -1 does not fit uint64" },
    { tn_double(0x1p64), 0,
      "value: 1.8446744073709552e19 does not fit uint64" },
    { tn_decimal("18446744073709551616"), 0,
      "value: 18446744073709551616 does not fit uint64" },
    { tn_decimal("-1"), 0, "value: -1 does not fit uint64" },
    { tn_text("-0.5"), 0, "value: \"-0.5\" does not fit uint64: not whole" },
    { tn_double(NAN), 0, "value: nan does not fit uint64" },
  };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    uint64_t number = 77;
    tn_err err = TN_ERR_INIT;
    enum tn_code rc = tn_value_to_uint64(&cases[i].value, &number, &err);

    if (cases[i].message == NULL) {
      cr_expect(rc == TN_OK && number == cases[i].number, "case %zu", i);
    } else {
      cr_expect(rc == TN_E_DATA && number == 77, "case %zu", i);
      cr_expect_str_eq(err.message, cases[i].message, "case %zu: %s", i,
                       err.message);
    }
  }
}

Test(value_number, bool_takes_0_and_1_and_the_words_for_them)
{
  static const char *const words[][2] = {
    { "false", "true" }, { "f", "t" }, { "no", "yes" },
    { "off", "on" },     { "0", "1" }, { "FALSE", "TRUE" },
    { "False", "True" }, { "F", "T" }, { "NO", "YES" },
    { "oFF", "oN" },
  };
  const tn_value numbers[][2] = {
    { tn_bool(0), tn_bool(1) },
    { tn_int64(0), tn_int64(1) },
    { tn_uint64(0), tn_uint64(1) },
    { tn_double(-0.0), tn_double(1) },
    { tn_decimal("-0.0"), tn_decimal("1.00") },
    { tn_json("false"), tn_json("true") },
  };
  size_t i;

  for (i = 0; i < TN_COUNT(words) * 2; i++) {
    tn_value value = tn_text(words[i / 2][i % 2]);
    int is_true = 77;

    cr_expect(tn_value_to_bool(&value, &is_true, NULL) == TN_OK, "\"%s\"",
              words[i / 2][i % 2]);
    cr_expect(is_true == (int)(i % 2), "\"%s\"", words[i / 2][i % 2]);
  }
  for (i = 0; i < TN_COUNT(numbers) * 2; i++) {
    int is_true = 77;

    cr_expect(tn_value_to_bool(&numbers[i / 2][i % 2], &is_true, NULL) == TN_OK,
              "case %zu", i);
    cr_expect(is_true == (int)(i % 2), "case %zu", i);
  }
}

Test(value_number, bool_refuses_everything_else)
{
  const struct refusal cases[] = {
    { tn_null(), "value: null does not fit bool: not a number" },
    { tn_int64(2), "value: 2 does not fit bool: not 0 or 1" },
    { tn_int64(-1), "value: -1 does not fit bool: not 0 or 1" },
    { tn_uint64(UINT64_MAX),
      "value: 18446744073709551615 does not fit bool: not 0 or 1" },
    { tn_double(0.5), "value: 0.5 does not fit bool: not whole" },
    { tn_double(NAN), "value: nan does not fit bool" },
    { tn_decimal("2"), "value: 2 does not fit bool: not 0 or 1" },
    { tn_text(""), "value: \"\" does not fit bool: not true or false" },
    { tn_text("y"), "value: \"y\" does not fit bool: not true or false" },
    { tn_text("tru"), "value: \"tru\" does not fit bool: not true or false" },
    { tn_text("2"), "value: \"2\" does not fit bool: not true or false" },
    { tn_text(" t"), "value: \" t\" does not fit bool: not true or false" },
    { tn_text("ffffffff"), /* as long as the longest word and its NUL */
      "value: \"ffffffff\" does not fit bool: not true or false" },
    { tn_text("definitely"),
      "value: \"definitely\" does not fit bool: not true or false" },
    { tn_bytes(TN_TEXT, "t\0", 2),
      "value: \"t\\x00\" does not fit bool: not true or false" },
    { tn_blob("t", 1), "value: a blob of 1 bytes does not fit bool: not a "
                       "number" },
  };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    int is_true = 77;
    tn_err err = TN_ERR_INIT;

    cr_expect(tn_value_to_bool(&cases[i].value, &is_true, &err) == TN_E_DATA,
              "case %zu", i);
    cr_expect_str_eq(err.message, cases[i].message, "case %zu: %s", i,
                     err.message);
    cr_expect(is_true == 77, "case %zu", i);
  }
}

Test(value_number, double_takes_what_is_exact)
{
  const struct {
    tn_value value;
    double real;
  } cases[] = {
    { tn_bool(1), 1 },
    { tn_int64(-5), -5 },
    { tn_int64(INT64_C(1) << 53), 0x1p53 },
    { tn_int64((INT64_C(1) << 53) - 1), 0x1p53 - 1 },
    { tn_int64(INT64_MIN), -0x1p63 },
    { tn_int64((INT64_C(1) << 53) + 2), 0x1p53 + 2 },
    { tn_uint64(UINT64_C(1) << 63), 0x1p63 },
    { tn_uint64(UINT64_MAX - 2047), 0x1p64 - 2048 },
    { tn_double(0.1), 0.1 },
    { tn_double(-INFINITY), -INFINITY },
    { tn_decimal("0.1"), 0.1 },
    { tn_decimal("-12.50"), -12.5 },
    { tn_decimal("1e22"), 1e22 },
    { tn_text("0.1"), 0.1 },
    { tn_text("0.10000000000000001"), 0.1 },
    { tn_text(".5"), 0.5 },
    { tn_text("5."), 5 },
    { tn_text("inf"), INFINITY },
    { tn_text("+INF"), INFINITY },
    { tn_text("-inf"), -INFINITY },
    { tn_text("Infinity"), INFINITY },
    { tn_text("+Infinity"), INFINITY },
    { tn_text("-Infinity"), -INFINITY },
    { tn_json("1.5e3"), 1500 },
  };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    double real = 77;
    tn_err err = TN_ERR_INIT;

    cr_expect(tn_value_to_double(&cases[i].value, &real, &err) == TN_OK,
              "case %zu: %s", i, err.message);
    cr_expect(real == cases[i].real, "case %zu: %.17g", i, real);
  }
}

Test(value_number, nan_is_a_double_as_value_and_as_text)
{
  const tn_value cases[] = { tn_double(NAN), tn_text("nan"), tn_text("NaN") };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    double real = 77;

    cr_expect(tn_value_to_double(&cases[i], &real, NULL) == TN_OK, "case %zu",
              i);
    cr_expect(isnan(real), "case %zu", i);
  }
}

Test(value_number, double_refuses_what_it_would_change)
{
  const struct refusal cases[] = {
    { tn_null(), "value: null does not fit double: not a number" },
    { tn_int64((INT64_C(1) << 53) + 1),
      "value: 9007199254740993 does not fit double: not exact" },
    { tn_int64(INT64_MAX),
      "value: 9223372036854775807 does not fit double: not exact" },
    { tn_int64(INT64_MIN + 1),
      "value: -9223372036854775807 does not fit double: not exact" },
    { tn_uint64(UINT64_MAX),
      "value: 18446744073709551615 does not fit double: not exact" },
    { tn_decimal("0.10000000000000001"),
      "value: 0.10000000000000001 does not fit double: not exact" },
    { tn_decimal("9007199254740993"),
      "value: 9007199254740993 does not fit double: not exact" },
    { tn_decimal("12345678901234567890123456789012345678901234567890123456789"
                 "012345"),
      "value: 12345678901234567890123456789012345678901234567890123456789012345"
      " does not fit double: not exact" },
    { tn_decimal("inf"), "value: inf does not fit double: not a number" },
    { tn_decimal("1e400"), "value: 1e400 does not fit double" },
    { tn_decimal("1e-400"), "value: 1e-400 does not fit double: not exact" },
    { tn_text("0.1000000000000000000000001"),
      "value: \"0.1000000000000000000000001\" does not fit double: not exact" },
    { tn_text("1,5"), "value: \"1,5\" does not fit double: not a number" },
    { tn_text("0x1p3"), "value: \"0x1p3\" does not fit double: not a number" },
    { tn_text("-nan"), "value: \"-nan\" does not fit double: not a number" },
    { tn_text("nan(1)"),
      "value: \"nan(1)\" does not fit double: not a number" },
    { tn_text("-infinityinfinit"),
      "value: \"-infinityinfinit\" does not fit double: not a number" },
    { tn_text("infinit"),
      "value: \"infinit\" does not fit double: not a number" },
    { tn_json("inf"), "value: \"inf\" does not fit double: not a number" },
    { tn_time(0), "value: 00:00:00 does not fit double: not a number" },
  };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    double real = 77;
    tn_err err = TN_ERR_INIT;

    cr_expect(tn_value_to_double(&cases[i].value, &real, &err) == TN_E_DATA,
              "case %zu", i);
    cr_expect_str_eq(err.message, cases[i].message, "case %zu: %s", i,
                     err.message);
    cr_expect(real == 77, "case %zu", i);
  }
}

Test(value_number, no_type_but_the_known_ones_is_a_number)
{
  tn_value value = tn_int64(1);
  int64_t number = 77;
  double real = 77;

  value.type = 99;
  cr_expect(tn_value_to_int64(&value, &number, NULL) == TN_E_DATA);
  cr_expect(tn_value_to_double(&value, &real, NULL) == TN_E_DATA);
  cr_expect(number == 77 && real == 77);
}

static uint64_t
next_random(uint64_t *state)
{
  uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15)); /* splitmix64 */

  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

__extension__ typedef __int128 wide_int;

/* What a conversion says of an integer, against 128-bit arithmetic. */
static void
check_integer(const tn_value *value, wide_int wide)
{
  int64_t int64 = 0;
  uint64_t uint64 = 0;
  int32_t int32 = 0;
  bool fits_int64 = wide >= INT64_MIN && wide <= INT64_MAX;
  bool fits_uint64 = wide >= 0 && wide <= UINT64_MAX;
  bool fits_int32 = wide >= INT32_MIN && wide <= INT32_MAX;

  cr_assert((tn_value_to_int64(value, &int64, NULL) == TN_OK) == fits_int64);
  cr_assert(!fits_int64 || int64 == wide);
  cr_assert((tn_value_to_uint64(value, &uint64, NULL) == TN_OK) == fits_uint64);
  cr_assert(!fits_uint64 || uint64 == wide);
  cr_assert((tn_value_to_int32(value, &int32, NULL) == TN_OK) == fits_int32);
  cr_assert(!fits_int32 || int32 == wide);
}

Test(value_number, random_integers_fit_where_128_bits_say_they_do)
{
  uint64_t state = 6;
  int i;

  for (i = 0; i < 200000; i++) {
    uint64_t bits = next_random(&state) >> (i % 64);
    char text[32];
    tn_value value = tn_int64((int64_t)bits);
    double real = 0;
    bool is_exact;

    check_integer(&value, (int64_t)bits);
    value = tn_uint64(bits);
    check_integer(&value, bits);
    is_exact = bits < UINT64_MAX - 2047 && (uint64_t)(double)bits == bits;
    cr_assert((tn_value_to_double(&value, &real, NULL) == TN_OK) == is_exact);
    cr_assert(!is_exact || real == (double)bits);
    snprintf(text, sizeof text, "-%" PRIu64, bits);
    value = tn_decimal(text);
    check_integer(&value, -(wide_int)bits);
    value = tn_double(-(double)bits);
    check_integer(&value, -(wide_int)(double)bits);
  }
}
