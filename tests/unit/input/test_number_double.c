/* Doubles to text and back: shortest, exact, in any locale. */
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "comma_locale.h"
#include "value_priv.h"

static double
of_bits(uint64_t bits)
{
  double real;

  memcpy(&real, &bits, sizeof real);
  return real;
}

static uint64_t
next_random(uint64_t *state)
{
  uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15)); /* splitmix64 */

  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static const char *
convert(const char *text, enum tn_nearness nearness, double *ret)
{
  struct tn_number number;

  if (!tn_number__read(text, strlen(text), &number))
    return "no number";
  return tn_number__to_double(&number, nearness, ret);
}

Test(number_double, prints_the_shortest_text)
{
  static const struct {
    double real;
    const char *text;
  } cases[] = {
    { 0.0, "0" },
    { -0.0, "-0" },
    { 1, "1" },
    { -1, "-1" },
    { 0.1, "0.1" },
    { 0.3, "0.3" },
    { 0.1 + 0.2, "0.30000000000000004" },
    { 1.0 / 3, "0.3333333333333333" },
    { 2.0 / 3, "0.6666666666666666" },
    { 100, "100" },
    { 123456.789, "123456.789" },
    { 0.0001, "0.0001" },
    { 0.00001, "1e-5" },
    { 0.000123456789, "0.000123456789" },
    { 1e15, "1000000000000000" },
    { 1e16, "1e16" },
    { 1.5e300, "1.5e300" },
    { 1e22, "1e22" },
    { 1e23, "1e23" },
    { 9007199254740991.0, "9007199254740991" },
    { 9007199254740992.0, "9007199254740992" },
    { 9007199254740994.0, "9007199254740994" },
    { 9999999999999998.0, "9999999999999998" },
    { -123456789012345680.0, "-1.2345678901234568e17" },
    { 0x1p63, "9.223372036854776e18" },
    { DBL_MAX, "1.7976931348623157e308" },
    { -DBL_MAX, "-1.7976931348623157e308" },
    { DBL_MIN, "2.2250738585072014e-308" },
    { DBL_TRUE_MIN, "5e-324" },
    { -DBL_TRUE_MIN, "-5e-324" },
    { 2 * DBL_TRUE_MIN, "1e-323" },
    { 3 * DBL_TRUE_MIN, "1.5e-323" },
    { 0x1p-44, "5.684341886080802e-14" }, /* not the nearest 16 digits */
    { 0x1p-1022 - 0x1p-1074, "2.225073858507201e-308" },
    { INFINITY, "inf" },
    { -INFINITY, "-inf" },
    { NAN, "nan" },
    { -NAN, "nan" },
  };
  char text[TN_VALUE_PRINT_MAX];
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    size_t length = tn_number__print_double(cases[i].real, text);

    cr_expect_str_eq(text, cases[i].text, "case %zu: \"%s\", not \"%s\"", i,
                     text, cases[i].text);
    cr_expect(length == strlen(text), "case %zu", i);
  }
}

/* Can a text of `count` digits, on either side of the value, read back as
 * it? */
static bool
is_reached_by(double real, int count)
{
  char text[64];
  double below;
  double above;
  double step;

  snprintf(text, sizeof text, "%.*e", count - 1, real);
  if (strtod(text, NULL) == real)
    return true;
  /* One unit of the last digit up and down from the nearest. */
  snprintf(text, sizeof text, "1e%d", atoi(strchr(text, 'e') + 1) - count + 1);
  step = strtod(text, NULL);
  below = real - step;
  above = real + step;
  snprintf(text, sizeof text, "%.*e", count - 1, below);
  if (strtod(text, NULL) == real)
    return true;
  snprintf(text, sizeof text, "%.*e", count - 1, above);
  return strtod(text, NULL) == real;
}

static int
count_digits(const char *text)
{
  struct tn_number number;

  cr_assert(tn_number__read(text, strlen(text), &number));
  return (int)number.count;
}

static void
check_shortest(double real)
{
  char text[TN_VALUE_PRINT_MAX];
  double back = 0;
  int count;

  tn_number__print_double(real, text);
  cr_assert(strtod(text, NULL) == real, "%a prints as %s", real, text);
  cr_assert(convert(text, TN_NEAR_EXACT, &back) == NULL, "%s", text);
  cr_assert(back == real, "%s", text);
  count = count_digits(text);
  cr_assert(count == 1 || !is_reached_by(real, count - 1), "%a prints as %s",
            real, text);
}

Test(number_double, every_power_of_two_is_printed_shortest_and_read_back)
{
  int exponent;

  for (exponent = -1074; exponent <= 1023; exponent++) {
    double real = ldexp(1, exponent);
    uint64_t bits;

    memcpy(&bits, &real, sizeof bits);
    check_shortest(real);
    check_shortest(of_bits(bits + 1));
    if (exponent > -1074)
      check_shortest(of_bits(bits - 1));
  }
}

Test(number_double, random_doubles_are_printed_shortest_and_read_back)
{
  uint64_t state = 1;
  int i;

  for (i = 0; i < 100000; i++) {
    double real = of_bits(next_random(&state) & INT64_MAX);

    if (isfinite(real) && real != 0)
      check_shortest(real);
  }
}

Test(number_double, random_subnormals_are_printed_shortest_and_read_back)
{
  uint64_t state = 2;
  int i;

  for (i = 1; i < 20000; i++) {
    check_shortest(of_bits((uint64_t)i));
    check_shortest(of_bits(next_random(&state) >> (12 + i % 50) | 1));
  }
}

Test(number_double, random_short_decimals_keep_their_digits)
{
  uint64_t state = 3;
  char text[64];
  char printed[TN_VALUE_PRINT_MAX];
  int i;

  for (i = 0; i < 200000; i++) {
    uint64_t bits = next_random(&state);
    struct tn_number a;
    struct tn_number b;
    double real;

    snprintf(text, sizeof text, "%llue%d",
             (unsigned long long)(bits % UINT64_C(1000000000000000)),
             (int)(bits >> 50) % 580 - 300);
    cr_assert(convert(text, TN_NEAR_EXACT, &real) == NULL, "%s", text);
    tn_number__print_double(real, printed);
    cr_assert(tn_number__read(text, strlen(text), &a));
    cr_assert(tn_number__read(printed, strlen(printed), &b));
    cr_assert(tn_number__equal(&a, &b), "%s prints as %s", text, printed);
  }
}

Test(number_double, a_decimal_converts_only_to_the_double_that_prints_as_it)
{
  static const struct {
    const char *text;
    bool is_exact;
    bool is_printed;
  } cases[] = {
    { "0.1", true, true },
    { "0.10000", true, true },
    { "0.10000000000000001", false, true },     /* %.17g of 0.1 */
    { "0.100000000000000005551", false, true }, /* %.21g */
    { "0.100000000000000005552", false, false },
    { "0.1000000000000000055511151231257827021181583404541015625", true, true },
    { "0.1000000000000000055511151231257827021181583404541015626", false,
      false },
    { "0.10000000000000002", true, true },   /* the next double */
    { "0.10000000000000004", false, false }, /* there is none for it */
    { "9007199254740993", false, false },    /* 2^53 + 1 */
    { "9007199254740992", true, true },
    { "9007199254740994", true, true },
    { "1152921504606846976", true, true }, /* 2^60 */
    { "1152921504606846977", false, false },
    { "1152921504606847000", true, true }, /* is printed as 2^60 is */
    { "12345678901234567", false, false },
    { "12345678901234568", true, true },
    { "5.684341886080802e-14", true, true },
    { "5.6843418860808015e-14", false, true }, /* %.17g of 2^-44 */
    { "5.684341886080801486968994140625e-14", true, true },
    { "99999999999999999999999999999999999999999999999999999999999999999",
      false, false },
    { "1.7976931348623157e308", true, true },
    { "1.7976931348623159e308", false, false },
    { "1.8e308", false, false },
    { "1e309", false, false },
    { "1e401", false, false },
    { "1e99999999999999999999999", false, false },
    { "5e-324", true, true },
    { "4.9406564584124654e-324", false, true },
    { "4e-324", false, false },
    { "3e-324", false, false },
    { "1e-324", false, false },
    { "2e-324", false, false },
    { "1e-400", false, false },
    { "1e-401", false, false },
    { "1e-99999999999999999999999", false, false },
    { "0e99999999999999999999999", true, true },
    { "2.2250738585072014e-308", true, true },
    { "2.225073858507201e-308", true, true },
    { "2.2250738585072012e-308", false, false },
    { "100000000000000000000000", true, true },
    { "100000000000000000000001", false, false },
    { "99999999999999991611392", true, true }, /* what 1e23 really is */
  };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    double real = 7;
    bool is_exact = convert(cases[i].text, TN_NEAR_EXACT, &real) == NULL;
    bool is_printed;

    cr_expect(is_exact == cases[i].is_exact, "case %zu: \"%s\"", i,
              cases[i].text);
    cr_expect(real == (is_exact ? strtod(cases[i].text, NULL) : 7),
              "case %zu: \"%s\"", i, cases[i].text);
    is_printed = convert(cases[i].text, TN_NEAR_PRINTED, &real) == NULL;
    cr_expect(is_printed == cases[i].is_printed, "case %zu: \"%s\"", i,
              cases[i].text);
  }
}

Test(number_double, the_exact_text_of_the_longest_double_is_read)
{
  char text[2000];
  double real = 0x1p-1022 - 0x1p-1074; /* has 767 digits */
  double back = 0;
  size_t length;

  snprintf(text, sizeof text, "%.1074f", real);
  cr_expect(convert(text, TN_NEAR_EXACT, &back) == NULL);
  cr_expect(back == real);
  length = strlen(text);
  memcpy(text + length, "1", 2);
  cr_expect_str_eq(convert(text, TN_NEAR_EXACT, &back), "too many digits");
  text[length - 1] = '1';
  text[length] = '\0';
  cr_expect_str_eq(convert(text, TN_NEAR_EXACT, &back), "not exact");
}

Test(number_double, seventeen_digits_as_servers_print_them_are_read)
{
  uint64_t state = 4;
  char text[64];
  int i;

  for (i = 0; i < 100000; i++) {
    double real = of_bits(next_random(&state));
    double back = 0;

    if (!isfinite(real))
      continue;
    snprintf(text, sizeof text, "%.17g", real);
    cr_assert(convert(text, TN_NEAR_PRINTED, &back) == NULL, "%s", text);
    cr_assert(back == real, "%s", text);
  }
}

Test(number_double, the_sign_of_zero_is_kept)
{
  double real = 1;

  cr_expect(convert("-0.0", TN_NEAR_EXACT, &real) == NULL);
  cr_expect(real == 0 && signbit(real));
  cr_expect(convert("0.0", TN_NEAR_EXACT, &real) == NULL);
  cr_expect(real == 0 && !signbit(real));
}

static void
check_in_locale(void)
{
  static const double cases[] = { 0.1,     -1234567.25,   1e300,
                                  5e-324,  1.5,           1e23,
                                  0x1p-44, 123456789.125, -0.5,
                                  0.0001,  DBL_MAX,       0.30000000000000004 };
  char text[TN_VALUE_PRINT_MAX];
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    double back = 0;

    tn_number__print_double(cases[i], text);
    cr_expect(strchr(text, ',') == NULL, "case %zu: \"%s\"", i, text);
    cr_expect(convert(text, TN_NEAR_EXACT, &back) == NULL, "case %zu: \"%s\"",
              i, text);
    cr_expect(back == cases[i], "case %zu: \"%s\"", i, text);
  }
  tn_number__print_double(-1234567.25, text);
  cr_expect_str_eq(text, "-1234567.25");
}

Test(number_double, a_locale_with_a_decimal_comma_changes_nothing)
{
  char text[16];
  double real;

  if (!comma_locale_begin())
    cr_skip("no localedef to make a locale with a decimal comma");
  snprintf(text, sizeof text, "%g", 1.5);
  cr_expect_str_eq(text, "1,5"); /* the locale is really in use */
  check_in_locale();
  cr_expect(convert("1,5", TN_NEAR_EXACT, &real) != NULL);
  cr_expect(comma_locale_end());
}
