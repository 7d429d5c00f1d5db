/* Time that only goes forward, and the moments by which calls must end.
 *
 * The wall clock jumps; a deadline on it would end a call at once, or never.
 * Durations are read with whole numbers only: strtod() asks the locale, and
 * knows words such as "nan". */
#include <tenon/clock.h>

#include <string.h>
#include <time.h>

#include "text.h"

#define NS_PER_S  INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

/* A hundred years of 365.25 days. */
#define DURATION_MAX_MS UINT64_C(3155760000000)

/* Digits after the point that count. With them the largest unit still fits 64
 * bits; of the others only whether they are all 0. */
#define FRACTION_DIGITS 12

struct unit {
  const char *name;
  uint64_t ms;
};

static const struct unit units[] = {
  { "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 },
};

int64_t
tn_clock_now(void)
{
  struct timespec now = { 0 };

  /* Cannot fail for this clock. */
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

tn_deadline
tn_deadline_after_ms(uint64_t ms)
{
  int64_t now = tn_clock_now();

  if (ms >= (uint64_t)((TN_DEADLINE_NONE - now) / NS_PER_MS))
    return TN_DEADLINE_NONE;
  return now + (int64_t)ms * NS_PER_MS;
}

/* Digits, as a number that stays at the limit of a duration once it is
 * there. */
static const char *
read_whole(const char *text, uint64_t *ret)
{
  uint64_t whole = 0;

  for (; tn_text_is_digit(*text); text++) {
    whole = whole * 10 + (uint64_t)(*text - '0');
    if (whole > DURATION_MAX_MS)
      whole = DURATION_MAX_MS + 1;
  }
  *ret = whole;
  return text;
}

/* Digits after the point, as `*ret` / `*ret_scale`, rounded up. */
static const char *
read_fraction(const char *text, uint64_t *ret, uint64_t *ret_scale)
{
  uint64_t fraction = 0, scale = 1;
  bool has_more = false;

  for (size_t i = 0; tn_text_is_digit(*text); i++, text++) {
    if (i >= FRACTION_DIGITS) {
      has_more = has_more || *text != '0';
      continue;
    }
    fraction = fraction * 10 + (uint64_t)(*text - '0');
    scale *= 10;
  }
  *ret = fraction + has_more;
  *ret_scale = scale;
  return text;
}

static const struct unit *
find_unit(const char *name)
{
  for (size_t i = 0; i < TN_COUNT(units); i++) {
    if (strcmp(units[i].name, name) == 0)
      return &units[i];
  }
  return NULL;
}

static enum tn_code
refuse(const char *text, const char *cause, tn_err *err)
{
  return tn_err_set(err, TN_E_CONFIG, "duration: \"%.60s\": %s", text, cause);
}

enum tn_code
tn_duration_parse(const char *text, uint64_t *ret_ms, tn_err *err)
{
  static const char syntax[] =
      "not a duration; write 250ms, 5s, 1.5m, 2h or seconds without a unit";
  uint64_t whole, fraction = 0, scale = 1, ms;
  const struct unit *unit;
  const char *rest;

  if (text == NULL)
    text = "";
  rest = read_whole(text, &whole);
  if (rest == text)
    return refuse(text, syntax, err);
  if (*rest == '.') {
    if (!tn_text_is_digit(rest[1]))
      return refuse(text, syntax, err);
    rest = read_fraction(rest + 1, &fraction, &scale);
  }
  unit = find_unit(rest);
  if (unit == NULL)
    return refuse(text, syntax, err);

  /* Rounded up, so that only a duration of 0 reads as 0, which often means
   * something else than a short time. */
  ms = (fraction * unit->ms + scale - 1) / scale;
  if (whole > DURATION_MAX_MS / unit->ms ||
      whole * unit->ms + ms > DURATION_MAX_MS)
    return refuse(text, "longer than a hundred years", err);
  *ret_ms = whole * unit->ms + ms;
  return TN_OK;
}
