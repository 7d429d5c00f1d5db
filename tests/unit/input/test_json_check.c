/* RFC 8259 and nothing else. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "value_priv.h"

Test(json_check, what_is_json_is_accepted)
{
  static const char *const cases[] = {
    "null",
    "true",
    "false",
    "0",
    "-0",
    "10",
    "-1.5",
    "0.5",
    "1e5",
    "1E+5",
    "1e-5",
    "0e0",
    "1.25e-07",
    "123456789012345678901234567890",
    "\"\"",
    "\"a\"",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDE00\"",
    "\"\\ud800\"", /* a lone surrogate is in the grammar */
    "\"\x7f\"",
    "\"\xf0\x9f\x90\x98\"",
    "[]",
    "[ ]",
    "{}",
    "{ }",
    "[1]",
    "[1,2,3]",
    "[[],[[]],{}]",
    "{\"a\":1}",
    "{\"a\":1,\"a\":2}",
    "{\"\":{\"\":[{}]}}",
    " \t\r\n{ \"a\" : [ 1 , true ] , \"b\" : null } \n",
    "[{\"a\":[{\"b\":[]}]},[],{}]",
  };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    size_t offset = 0;

    cr_expect(tn_json__check(cases[i], strlen(cases[i]), &offset) == NULL,
              "case %zu: \"%s\" at %zu", i, cases[i], offset);
  }
}

Test(json_check, what_is_not_is_refused_where_it_stops_being)
{
  static const struct {
    const char *text;
    size_t offset;
  } cases[] = {
    { "", 0 },
    { " ", 1 },
    { "nul", 3 },
    { "nulL", 3 },
    { "nulll", 4 },
    { "True", 0 },
    { "NaN", 0 },
    { "Infinity", 0 },
    { "-", 1 },
    { "-a", 1 },
    { "+1", 0 },
    { "01", 1 },
    { "-01", 2 },
    { ".5", 0 },
    { "5.", 2 },
    { "5.e1", 2 },
    { "1e", 2 },
    { "1e+", 3 },
    { "1e+-5", 3 },
    { "1.2.3", 3 },
    { "0x1", 1 },
    { "1 2", 2 },
    { "'a'", 0 },
    { "\"a", 2 },
    { "\"a\\", 3 },
    { "\"a\\\"", 4 },
    { "\"\\x\"", 2 },
    { "\"\\u12\"", 5 },
    { "\"\\u12g4\"", 5 },
    { "\"\\u", 3 },
    { "\"\n\"", 1 },
    { "\"\t\"", 1 },
    { "\"\x1f\"", 1 },
    { "[", 1 },
    { "]", 0 },
    { "[1", 2 },
    { "[1,", 3 },
    { "[1,]", 3 },
    { "[,1]", 1 },
    { "[1 2]", 3 },
    { "[1}", 2 },
    { "[1]]", 3 },
    { "[]1", 2 },
    { "{", 1 },
    { "}", 0 },
    { "{\"a\"", 4 },
    { "{\"a\":", 5 },
    { "{\"a\":}", 5 },
    { "{\"a\" 1}", 5 },
    { "{\"a\":1", 6 },
    { "{\"a\":1,", 7 },
    { "{\"a\":1,}", 7 },
    { "{\"a\":1]", 6 },
    { "{a:1}", 1 },
    { "{1:1}", 1 },
    { "{,}", 1 },
    { "{:1}", 1 },
    { "{\"a\":1 \"b\":2}", 7 },
    { ",", 0 },
    { ":", 0 },
    { "\xef\xbb\xbf{}", 0 }, /* a byte-order mark */
    { "// x\n1", 0 },
    { "[1,/**/2]", 3 },
    { "\f1", 0 },
    { "1\f", 1 },
    { "[[]", 3 },
  };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    size_t offset = 999;
    size_t size = strlen(cases[i].text);
    const char *cause = tn_json__check(cases[i].text, size, &offset);

    cr_assert(cause != NULL, "case %zu: \"%s\"", i, cases[i].text);
    cr_expect(offset == cases[i].offset, "case %zu: \"%s\" at %zu", i,
              cases[i].text, offset);
    cr_expect_str_eq(cause,
                     offset == size ? "ends too early" : "unexpected byte",
                     "case %zu", i);
    cr_expect(tn_json__check(cases[i].text, size, NULL) == cause);
  }
}

Test(json_check, a_nul_is_an_unexpected_byte_everywhere)
{
  static const struct {
    const char *text;
    size_t size;
    size_t offset;
  } cases[] = {
    { "\0", 1, 0 },       { "1\0", 2, 1 },       { "\"\0\"", 3, 1 },
    { "\"\\\0\"", 4, 2 }, { "\"\\u\0\"", 5, 3 }, { "[\0]", 3, 1 },
    { "{\0}", 3, 1 },     { "tru\0", 4, 3 },     { "-\0", 2, 1 },
  };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    size_t offset = 999;

    cr_expect(tn_json__check(cases[i].text, cases[i].size, &offset) != NULL,
              "case %zu", i);
    cr_expect(offset == cases[i].offset, "case %zu: at %zu", i, offset);
  }
}

Test(json_check, every_prefix_of_an_object_ends_too_early)
{
  static const char text[] = "{\"a\\u00e9\":[1.5e+3,true,null,\"x\\n\"]}";
  size_t size;

  for (size = 0; size < strlen(text); size++) {
    /* A copy of just that size, so that reading past it is caught. */
    char *copy = malloc(size == 0 ? 1 : size);
    size_t offset = 999;
    const char *cause;

    memcpy(copy, text, size);
    cause = tn_json__check(copy, size, &offset);
    free(copy);
    cr_expect(cause != NULL && strcmp(cause, "ends too early") == 0, "size %zu",
              size);
    cr_expect(offset == size, "size %zu: %zu", size, offset);
  }
}

static const char *
check_nested(size_t depth, const char *open, char close)
{
  static char text[4096 * 6];
  size_t at = 0;
  size_t i;

  for (i = 0; i < depth; i++) {
    memcpy(text + at, open, strlen(open));
    at += strlen(open);
  }
  text[at++] = '1';
  for (i = 0; i < depth; i++)
    text[at++] = close;
  return tn_json__check(text, at, NULL);
}

Test(json_check, nesting_ends_at_512_levels)
{
  cr_expect(check_nested(512, "[", ']') == NULL);
  cr_expect(check_nested(512, "{\"\":", '}') == NULL);
  cr_expect_str_eq(check_nested(513, "[", ']'), "deeper than 512 levels");
  cr_expect_str_eq(check_nested(513, "{\"\":", '}'), "deeper than 512 levels");
  cr_expect_str_eq(check_nested(4000, "[", ']'), "deeper than 512 levels");
}

Test(json_check, brackets_must_match_at_every_level)
{
  char text[600];
  size_t depth;

  for (depth = 1; depth <= 256; depth++) {
    /* Turn the last bracket but one into the other kind. */
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    cr_expect(tn_json__check(text, depth * 2, NULL) == NULL, "%zu", depth);
    text[depth * 2 - 1] = '}';
    cr_expect(tn_json__check(text, depth * 2, NULL) != NULL, "%zu", depth);
  }
}
