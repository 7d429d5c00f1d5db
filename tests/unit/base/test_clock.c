/* Deadlines and durations. */
#include <tenon/clock.h>

#include <criterion/criterion.h>
#include <locale.h>
#include <string.h>

#include "base_priv.h"

#define HUNDRED_YEARS_MS UINT64_C(3155760000000)

Test(clock, now_only_goes_forward)
{
  int64_t last = tn_clock_now();

  cr_expect_gt(last, 0);
  for (int i = 0; i < 1000; i++) {
    int64_t now = tn_clock_now();

    cr_assert_geq(now, last);
    last = now;
  }
}

Test(clock, a_deadline_is_that_far_away)
{
  int64_t before = tn_clock_now();
  tn_deadline in_a_second = tn_deadline_after_ms(1000);
  int64_t after = tn_clock_now();

  cr_expect_geq(in_a_second, before + INT64_C(1000000000));
  cr_expect_leq(in_a_second, after + INT64_C(1000000000));
  cr_expect_leq(tn_deadline_after_ms(0), tn_clock_now());
}

Test(clock, a_deadline_too_far_away_is_none)
{
  static const uint64_t far[] = { UINT64_MAX, UINT64_MAX / 1000000,
                                  (uint64_t)INT64_MAX,
                                  (uint64_t)INT64_MAX / 1000000 };

  for (size_t i = 0; i < TN_COUNT(far); i++)
    cr_expect_eq(tn_deadline_after_ms(far[i]), TN_DEADLINE_NONE, "case %zu", i);
  cr_expect_lt(tn_deadline_after_ms(HUNDRED_YEARS_MS), TN_DEADLINE_NONE);
  cr_expect_gt(tn_deadline_after_ms(HUNDRED_YEARS_MS), 0);
}

struct duration {
  const char *text;
  uint64_t ms;
};

static const struct duration durations[] = {
  { "0", 0 },
  { "0ms", 0 },
  { "0.000h", 0 },
  { "250ms", 250 },
  { "5s", 5000 },
  { "1.5m", 90000 },
  { "2h", 7200000 },
  { "90", 90000 },
  { "0.5", 500 },
  { "1.5", 1500 },
  { "007s", 7000 },
  { "1.25s", 1250 },
  { "0.1s", 100 },
  { "0.3s", 300 },
  { "0.001s", 1 },
  { "0.0001s", 1 }, /* rounded up: not 0 */
  { "0.1ms", 1 },
  { "1.0ms", 1 },
  { "1.000000000000000000000000000000ms", 1 },
  { "1.000000000000000000000000000001ms", 2 },
  { "0.999999999999999999999999h", 3600000 },
  { "1.999999999999h", 7200000 },
  { "876600h", HUNDRED_YEARS_MS },
  { "3155760000000ms", HUNDRED_YEARS_MS },
  { "3155760000", HUNDRED_YEARS_MS },
};

static void
check_durations(void)
{
  for (size_t i = 0; i < TN_COUNT(durations); i++) {
    const struct duration *c = &durations[i];
    uint64_t ms = 12345;
    enum tn_code rc = tn_duration_parse(c->text, &ms, NULL);

    cr_expect(rc == TN_OK && ms == c->ms, "case %zu: \"%s\": %d, %llu ms", i,
              c->text, rc, (unsigned long long)ms);
  }
}

Test(clock, durations_are_read_as_milliseconds)
{
  check_durations();
}

Test(clock, durations_do_not_depend_on_the_locale)
{
  static const char *const names[] = { "de_DE.UTF-8", "de_DE", "fr_FR.UTF-8",
                                       "C.UTF-8" };

  for (size_t i = 0; i < TN_COUNT(names); i++) {
    if (setlocale(LC_ALL, names[i]) != NULL)
      check_durations();
  }
}

Test(clock, what_is_no_duration_is_refused_and_the_output_left_alone)
{
  static const char *const texts[] = {
    "",          " ",     "s",    "ms",     "-1",  "-0",  "+1",   "1 s",
    " 1s",       "1s ",   "1S",   "1M",     "1d",  "1us", "1sec", "1.s",
    ".5s",       "1..5s", "1.5.", "1,5s",   "nan", "NaN", "inf",  "1e3",
    "0x10",      "1s1s",  "1h30", "1h 30m", "--1", "1-",  "1.-5", "1m5",
    "\xC2\xB5s", "1\ns",  "1.5x", "1.5 ms",
  };

  for (size_t i = 0; i < TN_COUNT(texts); i++) {
    tn_err err = TN_ERR_INIT;
    uint64_t ms = 12345;
    enum tn_code rc = tn_duration_parse(texts[i], &ms, &err);

    cr_expect_eq(rc, TN_E_CONFIG, "case %zu: \"%s\": %d", i, texts[i], rc);
    cr_expect_eq(ms, 12345, "case %zu: \"%s\"", i, texts[i]);
    cr_expect_not_null(strstr(err.message, "not a duration"), "%s",
                       err.message);
  }
  cr_expect_eq(tn_duration_parse(NULL, &(uint64_t){ 0 }, NULL), TN_E_CONFIG);
}

Test(clock, more_than_a_hundred_years_is_refused)
{
  static const char *const texts[] = {
    "876600.0001h",
    "876601h",
    "3155760000001ms",
    "3155760000000.1ms",
    "3155760001",
    "18446744073709551615",
    "18446744073709551616ms",
    "18446744073709551615h",
    "99999999999999999999999999999999999999999999999999999999999999999999ms",
  };

  for (size_t i = 0; i < TN_COUNT(texts); i++) {
    tn_err err = TN_ERR_INIT;
    uint64_t ms = 12345;
    enum tn_code rc = tn_duration_parse(texts[i], &ms, &err);

    cr_expect_eq(rc, TN_E_CONFIG, "case %zu: \"%s\": %d", i, texts[i], rc);
    cr_expect_eq(ms, 12345, "case %zu: \"%s\"", i, texts[i]);
    cr_expect_not_null(strstr(err.message, "hundred years"), "%s", err.message);
  }
}

Test(clock, a_refusal_names_the_text_and_what_to_write)
{
  tn_err err = TN_ERR_INIT;

  cr_expect_eq(tn_duration_parse("5 minutes", &(uint64_t){ 0 }, &err),
               TN_E_CONFIG);
  cr_expect_str_eq(err.message,
                   "duration: \"5 minutes\": not a duration; write 250ms, 5s, "
                   "1.5m, 2h or seconds without a unit");
}
