/* Values to the numbers of C: exactly, or not at all.
 *
 * A silent wrap or rounding between a column and a variable is the kind of
 * fault that shows up months later in somebody's accounts. So every integer
 * goes through one form that holds both ranges, and is compared with the
 * bounds of the type wanted there. */
#include "value_priv.h"

#include <math.h>

#include "text.h"

static const char not_a_number[] = "not a number";

/* ------------------------------------------------------------------ */
/* Integers                                                            */

static struct tn_integer
integer_of_int64(int64_t number)
{
  struct tn_integer integer;

  integer.is_negative = number < 0;
  integer.magnitude =
      number < 0 ? UINT64_C(0) - (uint64_t)number : (uint64_t)number;
  return integer;
}

static const char *
integer_of_double(double real, struct tn_integer *ret)
{
  double magnitude = fabs(real);

  if (!(magnitude < 18446744073709551616.0)) /* 2^64; nan as well */
    return "";
  if ((double)(uint64_t)magnitude != magnitude)
    return "not whole";
  ret->magnitude = (uint64_t)magnitude;
  ret->is_negative = real < 0;
  return NULL;
}

static const char *
integer_of_bytes(const tn_value *value, struct tn_integer *ret)
{
  struct tn_number number;

  if (!tn_number__read(value->as.bytes.data, value->as.bytes.size, &number))
    return not_a_number;
  return tn_number__to_integer(&number, ret);
}

static const char *
integer_of_value(const tn_value *value, struct tn_integer *ret)
{
  switch (value->type) {
  case TN_BOOL:
  case TN_INT64:
    *ret = integer_of_int64(value->as.int64);
    return NULL;
  case TN_UINT64:
    ret->magnitude = value->as.uint64;
    ret->is_negative = false;
    return NULL;
  case TN_DOUBLE:
    return integer_of_double(value->as.real, ret);
  case TN_DECIMAL:
  case TN_TEXT:
  case TN_JSON:
    return integer_of_bytes(value, ret);
  default:
    return not_a_number;
  }
}

/* An integer of at most `max`, or of at least -max - 1. */
static const char *
signed_of_value(const tn_value *value, int64_t max, int64_t *ret)
{
  struct tn_integer integer;
  const char *cause = integer_of_value(value, &integer);

  if (cause != NULL)
    return cause;
  if (integer.magnitude > (uint64_t)max + integer.is_negative)
    return "";
  /* Two steps, since the magnitude of the least one has no int64_t. */
  if (integer.is_negative)
    *ret = -(int64_t)(integer.magnitude - 1) - 1;
  else
    *ret = (int64_t)integer.magnitude;
  return NULL;
}

enum tn_code
tn_value_to_int64(const tn_value *value, int64_t *ret, tn_err *err)
{
  const char *cause = signed_of_value(value, INT64_MAX, ret);

  if (cause != NULL)
    return tn_value__refuse(value, TN_INT64, cause, err);
  return TN_OK;
}

enum tn_code
tn_value_to_int32(const tn_value *value, int32_t *ret, tn_err *err)
{
  int64_t number;
  const char *cause = signed_of_value(value, INT32_MAX, &number);

  if (cause != NULL)
    return tn_value__refuse_as(value, "int32", cause, err);
  *ret = (int32_t)number;
  return TN_OK;
}

enum tn_code
tn_value_to_uint64(const tn_value *value, uint64_t *ret, tn_err *err)
{
  struct tn_integer integer;
  const char *cause = integer_of_value(value, &integer);

  if (cause == NULL && integer.is_negative)
    cause = "";
  if (cause != NULL)
    return tn_value__refuse(value, TN_UINT64, cause, err);
  *ret = integer.magnitude;
  return TN_OK;
}

/* ------------------------------------------------------------------ */
/* Bool                                                                */

/* Copy a short text in lower case, ended by NUL; "" if it is longer. */
static void
lower_word(const tn_value *value, char *out, size_t capacity)
{
  size_t size = value->as.bytes.size;
  size_t i;

  if (size >= capacity)
    size = 0;
  for (i = 0; i < size; i++)
    out[i] = tn_text_lower(value->as.bytes.data[i]);
  out[size] = '\0';
  if (strlen(out) != size)
    out[0] = '\0';
}

static const char *
bool_of_text(const tn_value *value, int *ret)
{
  static const char *const words[][2] = {
    { "false", "true" }, { "f", "t" }, { "no", "yes" },
    { "off", "on" },     { "0", "1" },
  };
  char word[8];
  size_t i;

  lower_word(value, word, sizeof word);
  for (i = 0; i < TN_COUNT(words) * 2; i++)
    if (strcmp(word, words[i / 2][i % 2]) == 0) {
      *ret = (int)(i % 2);
      return NULL;
    }
  return "not true or false";
}

static const char *
bool_of_value(const tn_value *value, int *ret)
{
  struct tn_integer integer;
  const char *cause;

  if (value->type == TN_TEXT || value->type == TN_JSON)
    return bool_of_text(value, ret);
  cause = integer_of_value(value, &integer);
  if (cause != NULL)
    return cause;
  if (integer.magnitude > 1 || integer.is_negative)
    return "not 0 or 1";
  *ret = (int)integer.magnitude;
  return NULL;
}

enum tn_code
tn_value_to_bool(const tn_value *value, int *ret, tn_err *err)
{
  const char *cause = bool_of_value(value, ret);

  if (cause != NULL)
    return tn_value__refuse(value, TN_BOOL, cause, err);
  return TN_OK;
}

/* ------------------------------------------------------------------ */
/* Doubles                                                             */

static const char *
double_of_integer(struct tn_integer integer, double *ret)
{
  uint64_t odd = integer.magnitude;

  while (odd != 0 && odd % 2 == 0)
    odd /= 2;
  if (odd > UINT64_C(1) << 53)
    return "not exact";
  *ret = integer.is_negative ? -(double)integer.magnitude
                             : (double)integer.magnitude;
  return NULL;
}

/* The values that the decimal grammar has no way to write. */
static bool
special_of_text(const tn_value *value, double *ret)
{
  static const struct {
    const char *word;
    double real;
  } specials[] = {
    { "inf", INFINITY },
    { "+inf", INFINITY },
    { "-inf", -INFINITY },
    { "infinity", INFINITY },
    { "+infinity", INFINITY },
    { "-infinity", -INFINITY },
    { "nan", NAN },
  };
  char word[16];
  size_t i;

  lower_word(value, word, sizeof word);
  for (i = 0; i < TN_COUNT(specials); i++)
    if (strcmp(word, specials[i].word) == 0) {
      *ret = specials[i].real;
      return true;
    }
  return false;
}

/* A text is how somebody printed a number, a decimal is one. */
static const char *
double_of_bytes(const tn_value *value, double *ret)
{
  struct tn_number number;

  if (value->type == TN_TEXT && special_of_text(value, ret))
    return NULL;
  if (!tn_number__read(value->as.bytes.data, value->as.bytes.size, &number))
    return not_a_number;
  return tn_number__to_double(
      &number, value->type == TN_DECIMAL ? TN_NEAR_EXACT : TN_NEAR_PRINTED,
      ret);
}

static const char *
double_of_value(const tn_value *value, double *ret)
{
  struct tn_integer integer;
  const char *cause;

  switch (value->type) {
  case TN_DOUBLE:
    *ret = value->as.real;
    return NULL;
  case TN_DECIMAL:
  case TN_TEXT:
  case TN_JSON:
    return double_of_bytes(value, ret);
  default:
    cause = integer_of_value(value, &integer);
    return cause != NULL ? cause : double_of_integer(integer, ret);
  }
}

enum tn_code
tn_value_to_double(const tn_value *value, double *ret, tn_err *err)
{
  const char *cause = double_of_value(value, ret);

  if (cause != NULL)
    return tn_value__refuse(value, TN_DOUBLE, cause, err);
  return TN_OK;
}
