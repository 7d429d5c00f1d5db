/* Doubles to decimal text and back, exactly and whatever the locale.
 *
 * The C library rounds correctly in both directions but spells the decimal
 * point as the process's locale does, and a library may not change that. So
 * the point is kept out of it: "%.*e" is only asked for its digits and its
 * exponent, and strtod() is only given texts like "125e-2". */
#include "value_priv.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "text.h"

/* Every finite double has at most 767 significant digits, and any of 17 tell
 * it from its neighbours. */
#define DIGITS_MAX      767
#define DIGITS_DISTINCT 17

/* Powers of ten that are written out rather than as an exponent. Whole numbers
 * below the upper one have no digit that is not in the double. */
#define FIXED_MIN (-4)
#define FIXED_MAX 15

/* Decimal digits of a double: d.ddd times ten to the exponent. */
struct digits {
  char text[DIGITS_MAX];
  int count;
  int exponent;
};

static void
drop_zeros(struct digits *digits)
{
  while (digits->count > 1 && digits->text[digits->count - 1] == '0')
    digits->count--;
}

/* Round `magnitude` to `count` digits. */
static void
round_to(double magnitude, int count, struct digits *ret)
{
  char text[DIGITS_MAX + 32]; /* and a point, which may be several bytes */
  const char *at;

  ret->count = 0;
  ret->exponent = 0;
  if (snprintf(text, sizeof text, "%.*e", count - 1, magnitude) < 0)
    text[0] = '\0'; /* printf had no memory: no digits, equal to nothing */
  for (at = text; *at != '\0' && *at != 'e'; at++)
    if (tn_text_is_digit(*at) && ret->count < DIGITS_MAX)
      ret->text[ret->count++] = *at;
  if (*at == 'e')
    ret->exponent = (int)strtol(at + 1, NULL, 10);
  drop_zeros(ret);
}

/* The double nearest to the digits. */
static double
read_back(const struct digits *digits)
{
  char text[DIGITS_MAX + 32];

  snprintf(text, sizeof text, "%.*se%d", digits->count, digits->text,
           digits->exponent - digits->count + 1);
  return strtod(text, NULL);
}

/* Add one to the last of `count` digits, those missing at the end being 0. */
static void
step_up(struct digits *digits, int count)
{
  int i = count - 1;

  while (digits->count < count)
    digits->text[digits->count++] = '0';
  while (i > 0 && digits->text[i] == '9')
    digits->text[i--] = '0';
  if (digits->text[i] == '9') {
    digits->text[i] = '1';
    digits->exponent++;
  } else {
    digits->text[i]++;
  }
  drop_zeros(digits);
}

/* The fewest digits that read back as `magnitude`, finite and not 0.
 *
 * Any decimal of 15 digits survives a normal double, so if 15 do, they are the
 * shortest once the zeros are gone. The double above a power of two is twice
 * as far away as the one below it; there the nearest decimal can be out of
 * reach below while the next one up reads back. */
static void
shortest(double magnitude, struct digits *ret)
{
  int exponent;
  bool is_power = frexp(magnitude, &exponent) == 0.5;
  int count = magnitude < DBL_MIN ? 1 : DBL_DIG;

  for (; count < DIGITS_DISTINCT; count++) {
    round_to(magnitude, count, ret);
    if (read_back(ret) == magnitude)
      return;
    if (!is_power)
      continue;
    step_up(ret, count);
    if (read_back(ret) == magnitude)
      return;
  }
  round_to(magnitude, DIGITS_DISTINCT, ret);
}

static size_t
put_zeros(char *out, size_t at, int count)
{
  while (count-- > 0)
    out[at++] = '0';
  return at;
}

static size_t
put_digits(char *out, size_t at, const struct digits *digits, int from, int to)
{
  while (from < to)
    out[at++] = digits->text[from++];
  return at;
}

static size_t
put_fixed(char *out, size_t at, const struct digits *digits)
{
  int whole = digits->exponent + 1; /* digits before the point */

  if (whole <= 0) {
    out[at++] = '0';
    out[at++] = '.';
    at = put_zeros(out, at, -whole);
    return put_digits(out, at, digits, 0, digits->count);
  }
  if (whole >= digits->count) {
    at = put_digits(out, at, digits, 0, digits->count);
    return put_zeros(out, at, whole - digits->count);
  }
  at = put_digits(out, at, digits, 0, whole);
  out[at++] = '.';
  return put_digits(out, at, digits, whole, digits->count);
}

static size_t
put_scientific(char *out, size_t at, const struct digits *digits)
{
  out[at++] = digits->text[0];
  if (digits->count > 1) {
    out[at++] = '.';
    at = put_digits(out, at, digits, 1, digits->count);
  }
  return at + (size_t)snprintf(out + at, TN_VALUE_PRINT_MAX - at, "e%d",
                               digits->exponent);
}

size_t
tn_number__print_double(double real, char *out)
{
  struct digits digits = { .text = "0", .count = 1 };
  size_t at = 0;

  if (isnan(real)) {
    memcpy(out, "nan", 4);
    return 3;
  }
  if (signbit(real))
    out[at++] = '-';
  if (isinf(real)) {
    memcpy(out + at, "inf", 4);
    return at + 3;
  }
  if (real != 0)
    shortest(fabs(real), &digits);
  if (digits.exponent >= FIXED_MIN && digits.exponent <= FIXED_MAX)
    at = put_fixed(out, at, &digits);
  else
    at = put_scientific(out, at, &digits);
  out[at] = '\0';
  return at;
}

/* Are these the digits of the number? */
static bool
same_digits(const struct tn_number *number, const struct digits *digits)
{
  const char *at = number->digits;
  int i;

  if ((size_t)digits->count != number->count || digits->exponent != number->top)
    return false;
  for (i = 0; i < digits->count; i++)
    if (tn_number__digit(&at) != (unsigned)(digits->text[i] - '0'))
      return false;
  return true;
}

/* May the double nearest to the number, `magnitude`, stand for it? */
static bool
stands_for(const struct tn_number *number, double magnitude,
           enum tn_nearness nearness)
{
  struct digits digits;

  if (number->count <= DBL_DIG && magnitude >= DBL_MIN)
    return true; /* would be printed as the number, see shortest() */
  if (magnitude == 0)
    return false;
  shortest(magnitude, &digits);
  if (same_digits(number, &digits))
    return true;
  round_to(magnitude,
           nearness == TN_NEAR_EXACT ? DIGITS_MAX : (int)number->count,
           &digits);
  return same_digits(number, &digits);
}

const char *
tn_number__to_double(const struct tn_number *number, enum tn_nearness nearness,
                     double *ret)
{
  struct digits digits = { .count = 0 };
  const char *at = number->digits;
  double magnitude = 0;

  if (number->count > DIGITS_MAX)
    return "too many digits";
  if (number->count > 0) {
    /* Powers of ten far from any double's, so that they fit an int. */
    if (number->is_vast || number->top > 400 || number->top < -400)
      return "";
    while ((size_t)digits.count < number->count)
      digits.text[digits.count++] = (char)('0' + tn_number__digit(&at));
    digits.exponent = (int)number->top;
    magnitude = read_back(&digits);
    if (isinf(magnitude))
      return "";
    if (!stands_for(number, magnitude, nearness))
      return "not exact";
  }
  *ret = number->is_negative ? -magnitude : magnitude;
  return NULL;
}
