/* The decimal grammar, equality by number, and integers. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "value_priv.h"

static bool
reads(const char *text)
{
  struct tn_number number;

  return tn_number__read(text, strlen(text), &number);
}

static int
equal(const char *a, const char *b)
{
  struct tn_number x;
  struct tn_number y;

  if (!tn_number__read(a, strlen(a), &x) || !tn_number__read(b, strlen(b), &y))
    return -1;
  return tn_number__equal(&x, &y);
}

Test(number, the_grammar_accepts_numbers)
{
  static const char *const cases[] = {
    "0",
    "-0",
    "+0",
    "1",
    "007",
    "1.5",
    ".5",
    "5.",
    "-.5",
    "+5.",
    "1e5",
    "1E5",
    "1e+5",
    "1e-5",
    ".5e5",
    "5.e5",
    "0e0",
    "00.00",
    "1e00000005",
    "12345678901234567890123",
    "1e1234567890123456789012345",
  };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++)
    cr_expect(reads(cases[i]), "case %zu: \"%s\"", i, cases[i]);
}

Test(number, the_grammar_refuses_everything_else)
{
  static const char *const cases[] = {
    "",     "+",    "-",     ".",        "+.",       "-.e5",  "e5",
    ".e5",  "1e",   "1e+",   "1e-",      "1e5.",     "1e5e5", "1..5",
    "1.5.", "--1",  "+-1",   "1-",       " 1",       "1 ",    "1 2",
    "1,5",  "0x10", "1f",    "NaN",      "inf",      "1_000", "1e5 ",
    "1e 5", "1\n",  "1e++5", "Infinity", "\xd9\xa1", "1.-5",
  };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++)
    cr_expect(!reads(cases[i]), "case %zu: \"%s\"", i, cases[i]);
}

Test(number, a_nul_inside_is_no_number)
{
  struct tn_number number;

  cr_expect(!tn_number__read("1\0", 2, &number));
  cr_expect(!tn_number__read("\0"
                             "1",
                             2, &number));
  cr_expect(!tn_number__read("1e5\0", 4, &number));
  cr_expect(tn_number__read("1\0", 1, &number));
  cr_expect(!tn_number__read(NULL, 0, &number));
}

Test(number, equality_is_by_number_and_not_by_text)
{
  static const struct {
    const char *a;
    const char *b;
    int is_equal;
  } cases[] = {
    { "1.50", "1.5", 1 },
    { "+1", "1", 1 },
    { "1", "-1", 0 },
    { "0", "-0", 1 },
    { "0", "0.000e7", 1 },
    { "0e99999999999999999999999", "0", 1 },
    { "0", "1", 0 },
    { "007", "7", 1 },
    { ".5", "0.5", 1 },
    { "5.", "5", 1 },
    { "5", "50", 0 },
    { "5", "0.5", 0 },
    { "100", "1e2", 1 },
    { "100", "1E+02", 1 },
    { "1e-2", "0.01", 1 },
    { "1e-2", "0.001", 0 },
    { "123.456", "123456e-3", 1 },
    { "123.456", "0.000123456e6", 1 },
    { "123.456", "123.457", 0 },
    { "12.3456", "123.456", 0 },
    { "10203", "1.0203e4", 1 },
    { "10203", "1.2030e4", 0 },
    { "1e100000", "10e99999", 1 },
    { "1e100001", "1e100000", 0 },
    { "1e-100000", "0.1e-99999", 1 },
    { "1e99999999999999999", "10e99999999999999998", 1 },
    { "1e99999999999999999", "1e99999999999999998", 0 },
    { "1e100000000000000000000", "1e+0100000000000000000000", 1 },
    { "1e100000000000000000000", "1e100000000000000000001", 0 },
    { "1e100000000000000000000", "1e-100000000000000000000", 0 },
    { "1e100000000000000000000", "2e100000000000000000000", 0 },
    { "1e100000000000000000000", "1.0e100000000000000000000", 1 },
    { "1e100000000000000000000", "1e1000000000000000000000", 0 },
    { "1e100000000000000000000", "1e5", 0 },
    { "99999999999999999999999999999999999999999999999999999999999999999",
      "99999999999999999999999999999999999999999999999999999999999999999.0",
      1 },
    { "99999999999999999999999999999999999999999999999999999999999999999",
      "99999999999999999999999999999999999999999999999999999999999999998", 0 },
  };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    cr_expect(equal(cases[i].a, cases[i].b) == cases[i].is_equal,
              "case %zu: \"%s\", \"%s\"", i, cases[i].a, cases[i].b);
    cr_expect(equal(cases[i].b, cases[i].a) == cases[i].is_equal,
              "case %zu: \"%s\", \"%s\"", i, cases[i].b, cases[i].a);
  }
}

Test(number, a_million_digits_are_compared_without_memory)
{
  enum { SIZE = 1000000 };
  static char a[SIZE + 1];
  static char b[SIZE + 1];
  struct tn_number x;
  struct tn_number y;

  memset(a, '7', SIZE);
  memset(b, '7', SIZE);
  a[1] = b[1] = '.';
  cr_assert(tn_number__read(a, SIZE, &x) && tn_number__read(b, SIZE, &y));
  cr_expect(x.count == SIZE - 1 && x.top == 0);
  cr_expect(tn_number__equal(&x, &y));
  b[SIZE - 1] = '8';
  cr_expect(!tn_number__equal(&x, &y));
}

/* One number, written with the point moved and the exponent to match. */
static void
write_shifted(uint64_t digits, int shift, char *out, size_t size)
{
  char text[32];
  int count = snprintf(text, sizeof text, "%" PRIu64, digits);
  int whole = shift < count ? count - shift : 0;

  if (shift <= count)
    snprintf(out, size, "%.*s.%se%d", whole, text, text + whole, shift);
  else
    snprintf(out, size, "0.%0*d%se%d", shift - count, 0, text, shift);
}

Test(number, moving_the_point_does_not_change_the_number)
{
  uint64_t state = 42;
  char plain[64];
  char shifted[128];
  int i;

  for (i = 0; i < 200000; i++) {
    state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    snprintf(plain, sizeof plain, "%" PRIu64, state >> 20);
    write_shifted(state >> 20, (int)(state % 40), shifted, sizeof shifted);
    cr_assert(equal(plain, shifted) == 1, "case %d: \"%s\", \"%s\"", i, plain,
              shifted);
  }
}

Test(number, integers_are_exact_up_to_the_last_bit)
{
  static const struct {
    const char *text;
    uint64_t magnitude;
    bool is_negative;
    const char *cause;
  } cases[] = {
    { "0", 0, false, NULL },
    { "-0", 0, false, NULL },
    { "0e99999999999999999999", 0, false, NULL },
    { "1", 1, false, NULL },
    { "-1", 1, true, NULL },
    { "1.000", 1, false, NULL },
    { "1e3", 1000, false, NULL },
    { "1.5e1", 15, false, NULL },
    { "1500e-2", 15, false, NULL },
    { "1.5", 0, false, "not whole" },
    { "15e-2", 0, false, "not whole" },
    { "1e-99999999999999999999", 0, false, "not whole" },
    { "1e-17", 0, false, "not whole" },
    { "9223372036854775807", INT64_MAX, false, NULL },
    { "-9223372036854775808", UINT64_C(1) << 63, true, NULL },
    { "18446744073709551615", UINT64_MAX, false, NULL },
    { "-18446744073709551615", UINT64_MAX, true, NULL },
    { "18446744073709551616", 0, false, "" },
    { "18446744073709551620", 0, false, "" },
    { "18446744073709551610", UINT64_MAX - 5, false, NULL },
    { "1.844674407370955161e19", UINT64_MAX - 5, false, NULL },
    { "99999999999999999999", 0, false, "" },
    { "1e19", UINT64_C(10000000000000000000), false, NULL },
    { "2e19", 0, false, "" },
    { "1e20", 0, false, "" },
    { "1e99999999999999999999", 0, false, "" },
    { "0.00000000000000000000000000007e29", 7, false, NULL },
  };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    struct tn_number number;
    struct tn_integer integer = { 77, true };
    const char *cause;

    cr_assert(tn_number__read(cases[i].text, strlen(cases[i].text), &number));
    cause = tn_number__to_integer(&number, &integer);
    if (cases[i].cause != NULL) {
      cr_expect(cause != NULL && strcmp(cause, cases[i].cause) == 0,
                "case %zu: \"%s\"", i, cases[i].text);
      cr_expect(integer.magnitude == 77, "case %zu", i);
      continue;
    }
    cr_expect(cause == NULL, "case %zu: \"%s\"", i, cases[i].text);
    cr_expect(integer.magnitude == cases[i].magnitude, "case %zu: \"%s\"", i,
              cases[i].text);
    cr_expect(integer.is_negative == cases[i].is_negative, "case %zu: \"%s\"",
              i, cases[i].text);
  }
}
