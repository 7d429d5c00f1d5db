/* X REGEXP Y: as Python's re.search(), within the deadline. */
#include "fixture.h"

Test(regexp, a_pattern_is_searched_as_python_does)
{
  static const struct {
    const char *text;
    const char *pattern;
    int found;
  } cases[] = {
    { "hello world", "wor", 1 },
    { "hello world", "^wor", 0 },
    { "hello world", "^hello", 1 },
    { "hello world", "World", 0 },
    { "hello world", "(?i)World", 1 },
    { "hello world", "", 1 },
    { "", "", 1 },
    { "", "^$", 1 },
    { "", "x", 0 },
    { "a\nb", "a.b", 0 },
    { "a\rb", "a.b", 1 },
    { "a\nb", "(?s)a.b", 1 },
    { "a\nb", "^b", 0 },
    { "a\nb", "(?m)^b", 1 },
    { "line\n", "line$", 1 },
    { "\xc3\xa4", "^.$", 1 },
    { "\xc3\x84", "(?i)^\xc3\xa4$", 1 },
    { "\xc3\xa4", "^\\w$", 1 },
    { "\xd9\xa3", "^\\d$", 1 },
    { "2024-02-29", "^\\d{4}-\\d\\d-\\d\\d$", 1 },
    { "aab", "(?P<x>a)(?P=x)b", 1 },
    { "abc", "(?<=b)c", 1 },
    { "foo", "foo|bar", 1 },
    { "x", "(?C)x", 1 },
  };
  struct session s;
  size_t i;

  session_open(&s, NULL, "");
  for (i = 0; i < COUNT(cases); i++) {
    tn_value values[2] = { tn_text(cases[i].text), tn_text(cases[i].pattern) };
    tn_value found = cell_of(&s, "SELECT ?1 REGEXP ?2", values, 2);

    cr_expect_eq(found.type, TN_INT64, "case %zu", i);
    cr_expect_eq(found.as.int64, cases[i].found, "case %zu: \"%s\" \"%s\"", i,
                 cases[i].text, cases[i].pattern);
  }
  session_close(&s);
}

Test(regexp, other_types_are_searched_as_their_text)
{
  struct session s;

  session_open(&s, NULL, "");
  cr_expect_eq(number_of(&s, "SELECT 1234 REGEXP '^12'"), 1);
  cr_expect_eq(number_of(&s, "SELECT 1.5 REGEXP '\\.5$'"), 1);
  cr_expect_eq(number_of(&s, "SELECT x'616263' REGEXP '^abc$'"), 1);
  cr_expect_eq(number_of(&s, "SELECT x'61ff63' REGEXP '^a'"), 1);
  cr_expect_eq(number_of(&s, "SELECT x'61ff63' REGEXP 'a.c'"), 0);
  cr_expect_eq(number_of(&s, "SELECT 'abc' NOT REGEXP 'b'"), 0);
  cr_expect_eq(number_of(&s, "SELECT regexp('b', 'abc')"), 1);
  session_close(&s);
}

Test(regexp, null_on_either_side_is_null)
{
  struct session s;

  session_open(&s, NULL, "");
  cr_expect_eq(number_of(&s, "SELECT (NULL REGEXP 'None') IS NULL"), 1);
  cr_expect_eq(number_of(&s, "SELECT ('x' REGEXP NULL) IS NULL"), 1);
  cr_expect_eq(number_of(&s, "SELECT (NULL REGEXP NULL) IS NULL"), 1);
  session_close(&s);
}

Test(regexp, a_wrong_pattern_is_told_with_its_place)
{
  static const char *const patterns[] = { "(",   "[z-a]", "a{2,1}", "*",
                                          "\\C", "(?P<x", "\\" };
  struct session s;
  size_t i;

  session_open(&s, NULL, "");
  for (i = 0; i < COUNT(patterns); i++) {
    tn_value value = tn_text(patterns[i]);

    cr_expect_eq(run_values(&s, "SELECT 'x' REGEXP ?", &value, 1, NULL, NULL),
                 TN_E_DATA, "case %zu: %s: %s", i, patterns[i],
                 s.fake.err.message);
    cr_expect_not_null(strstr(s.fake.err.message, "at offset"), "%s",
                       s.fake.err.message);
  }
  cr_expect_eq(run(&s, "SELECT 'x' REGEXP CAST(x'ff' AS TEXT)"), TN_E_DATA);
  session_close(&s);
}

Test(regexp, a_pattern_may_come_from_a_column)
{
  struct session s;

  session_open(&s, NULL, "");
  must(&s, "CREATE TABLE r(p, x)");
  must(&s, "INSERT INTO r VALUES ('^a','abc'),('b$','abc'),('.','x'),"
           "(NULL,'x')");
  cr_expect_eq(number_of(&s, "SELECT sum(x REGEXP p) FROM r"), 2);
  must(&s, "CREATE INDEX ix ON r(x REGEXP '^a')"); /* it is deterministic */
  must(&s, "CREATE TABLE c(x CHECK (x REGEXP '^[a-z]+$'))");
  must(&s, "INSERT INTO c VALUES ('ok')");
  cr_expect_eq(run(&s, "INSERT INTO c VALUES ('Not')"), TN_E_CHECK);
  session_close(&s);
}

Test(regexp, a_hostile_pattern_ends_by_the_deadline)
{
  static const char *const patterns[] = {
    "(a+)+$",           "(a|aa)+$", "(a*)*b", "^(([a-z])+.)+[A-Z]([a-z])+$",
    "(?:a?){40}a{40}b", "[a-z]+@",
  };
  size_t size = 400000;
  char *text = malloc(size + 1);
  struct session s;
  size_t i;

  memset(text, 'a', size);
  text[size] = '\0';
  session_open(&s, NULL, "");
  for (i = 0; i < COUNT(patterns); i++) {
    tn_value values[2] = { tn_bytes(TN_TEXT, text, i < 5 ? 60 : size),
                           tn_text(patterns[i]) };
    int64_t before, took;
    int32_t rc;

    fake_call_again(&s.fake, 100);
    before = s.fake.call.host->now();
    rc = run_values(&s, "SELECT ?1||'!' REGEXP ?2", values, 2, NULL, NULL);
    took = s.fake.call.host->now() - before;
    cr_expect(rc == TN_E_TIMEOUT || rc == TN_E_LIMIT || rc == TN_OK,
              "case %zu: %s: %s", i, patterns[i], s.fake.err.message);
    cr_expect(took < 400000000, "case %zu: %s: %lld ms", i, patterns[i],
              (long long)took / 1000000);
  }
  fake_call_again(&s.fake, 0);
  must(&s, "SELECT 1");
  free(text);
  session_close(&s);
}

Test(regexp, a_match_can_be_canceled)
{
  struct session s;
  tn_value value = tn_text("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!");

  session_open(&s, NULL, "");
  s.fake.stop = TN_E_CANCELED;
  s.fake.stop_after = 3;
  cr_expect_eq(
      run_values(&s, "SELECT ? REGEXP '(a|aa)+$'", &value, 1, NULL, NULL),
      TN_E_CANCELED, "%s", s.fake.err.message);
  session_close(&s);
}
