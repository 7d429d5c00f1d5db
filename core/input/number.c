/* Decimal numbers as text: what is one, which are equal, which are integers.
 *
 * A decimal may have any number of digits, so nothing here converts it to
 * something of fixed width first, and nothing allocates: the digits are walked
 * where they stand. */
#include "value_priv.h"

#include "text.h"

/* Exponents of so many digits can be added to any text's length. */
#define EXPONENT_DIGITS 17

static const char *
skip_digits(const char *at, const char *end)
{
  while (at < end && tn_text_is_digit(*at))
    at++;
  return at;
}

/* Step over a sign; true for a minus. */
static bool
take_sign(const char **at, const char *end)
{
  if (*at == end || (**at != '-' && **at != '+'))
    return false;
  return *(*at)++ == '-';
}

/* The power of ten of the digit at `at`, with the point at `point`. */
static int64_t
place_of(const char *at, const char *point)
{
  return (int64_t)(point - at) - (at < point);
}

/* Find the significant digits between `at` and `end`. */
static void
read_digits(const char *at, const char *point, const char *end,
            struct tn_number *ret)
{
  const char *last = end - 1;

  while (at < end && (*at == '0' || *at == '.'))
    at++;
  if (at == end)
    return; /* zero */
  while (*last == '0' || *last == '.')
    last--;
  ret->digits = at;
  ret->top = place_of(at, point);
  ret->count = (size_t)(ret->top - place_of(last, point) + 1);
}

/* Read what follows the 'e'. */
static bool
read_exponent(const char *at, const char *end, struct tn_number *ret)
{
  int64_t exponent = 0;
  const char *p;

  ret->has_negative_exponent = take_sign(&at, end);
  if (at == end || skip_digits(at, end) != end)
    return false;
  while (at < end && *at == '0')
    at++;
  ret->exponent = at;
  ret->exponent_size = (size_t)(end - at);
  ret->is_vast = ret->exponent_size > EXPONENT_DIGITS;
  if (ret->is_vast)
    return true;
  for (p = at; p < end; p++)
    exponent = exponent * 10 + (*p - '0');
  ret->top += ret->has_negative_exponent ? -exponent : exponent;
  return true;
}

bool
tn_number__read(const char *text, size_t size, struct tn_number *ret)
{
  struct tn_number number = { .digits = "" };
  const char *at = text;
  const char *end;
  const char *start;
  const char *point;
  const char *stop;

  if (size == 0)
    return false;
  end = text + size;
  number.is_negative = take_sign(&at, end);
  start = at;
  point = stop = skip_digits(start, end);
  if (stop < end && *stop == '.')
    stop = skip_digits(stop + 1, end);
  if (stop - start == (stop > point)) /* no digit on either side */
    return false;

  read_digits(start, point, stop, &number);
  if (stop < end) {
    if (*stop != 'e' && *stop != 'E')
      return false;
    if (!read_exponent(stop + 1, end, &number))
      return false;
  }
  *ret = number;
  return true;
}

unsigned
tn_number__digit(const char **at)
{
  if (**at == '.')
    (*at)++;
  return (unsigned)(*(*at)++ - '0');
}

static bool
equal_exponents(const struct tn_number *a, const struct tn_number *b)
{
  if (a->is_vast != b->is_vast || a->top != b->top)
    return false;
  if (!a->is_vast)
    return true;
  return a->has_negative_exponent == b->has_negative_exponent &&
         a->exponent_size == b->exponent_size &&
         memcmp(a->exponent, b->exponent, a->exponent_size) == 0;
}

bool
tn_number__equal(const struct tn_number *a, const struct tn_number *b)
{
  const char *at_a = a->digits;
  const char *at_b = b->digits;
  size_t i;

  if (a->count != b->count)
    return false;
  if (a->count == 0)
    return true; /* 0, -0 and 0e5 */
  if (a->is_negative != b->is_negative || !equal_exponents(a, b))
    return false;
  for (i = 0; i < a->count; i++)
    if (tn_number__digit(&at_a) != tn_number__digit(&at_b))
      return false;
  return true;
}

/* `*magnitude` times ten plus `digit`; false if it does not fit. */
static bool
append_digit(uint64_t *magnitude, unsigned digit)
{
  if (*magnitude > (UINT64_MAX - digit) / 10)
    return false;
  *magnitude = *magnitude * 10 + digit;
  return true;
}

const char *
tn_number__to_integer(const struct tn_number *number, struct tn_integer *ret)
{
  struct tn_integer integer = { 0, false };
  const char *at = number->digits;
  int64_t i;

  if (number->count == 0) {
    *ret = integer;
    return NULL;
  }
  if (number->is_vast)
    return number->has_negative_exponent ? "not whole" : "";
  if (number->top < (int64_t)number->count - 1)
    return "not whole";
  if (number->top > 19) /* UINT64_MAX has twenty digits */
    return "";
  for (i = 0; i <= number->top; i++) {
    unsigned digit = i < (int64_t)number->count ? tn_number__digit(&at) : 0;

    if (!append_digit(&integer.magnitude, digit))
      return "";
  }
  integer.is_negative = number->is_negative;
  *ret = integer;
  return NULL;
}
