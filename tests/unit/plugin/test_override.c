/* Rows of errors that an administrator writes. */
#include "override.h"

#include <criterion/criterion.h>
#include <string.h>

#include "dropin.h"
#include "oom.h"

static struct tn_dropins dropins;
static tn_err err;

static enum tn_code
parse(const char *text, const char *path)
{
  tn_err_clear(&err);
  return tn_dropins_parse(&dropins, text, strlen(text), path, &err);
}

static const struct tn_override *
find(int32_t native, const char *sqlstate)
{
  const struct tn_dropin *dropin = tn_dropins_find(&dropins, "x");
  struct tn_failure failure = { .native = native, .sqlstate = sqlstate };

  return dropin == NULL ? NULL : tn_overrides_find(&dropin->errors, &failure);
}

static void
tear_down(void)
{
  tn_dropins_clear(&dropins);
}

TestSuite(override, .fini = tear_down);

Test(override, a_row_has_a_category_and_verdicts_in_any_order)
{
  cr_assert_eq(parse("[errors:x]\nnative.1205 = deadlock\n"
                     "sqlstate.55P03 = safe busy usable\n"
                     "sqlstate.53 =  dead\nnative.-3 = never\n",
                     "/a/1.ini"),
               TN_OK, "%s", err.message);
  cr_assert_neq(find(1205, "HY000"), NULL);
  cr_expect_eq(find(1205, "HY000")->category, TN_E_DEADLOCK);
  cr_expect_eq(find(1205, "HY000")->connection, 0);
  cr_expect_eq(find(1205, "HY000")->replay, 0);
  cr_expect_str_eq(find(1205, NULL)->path, "/a/1.ini");
  cr_expect_eq(find(1205, NULL)->line, 2);
  cr_expect_eq(find(0, "55P03")->category, TN_E_BUSY);
  cr_expect_eq(find(0, "55P03")->connection, TN_CONNECTION_USABLE);
  cr_expect_eq(find(0, "55P03")->replay, TN_REPLAY_SAFE);
  cr_expect_eq(find(7, "53300")->connection, TN_CONNECTION_DEAD);
  cr_expect_eq(find(-3, NULL)->replay, TN_REPLAY_NEVER);
  cr_expect_eq(find(7, "55000"), NULL);
  cr_expect_eq(find(0, NULL), NULL);
}

Test(override, the_number_counts_before_the_code_and_that_before_its_class)
{
  cr_assert_eq(parse("[errors:x]\nsqlstate.23 = check\nsqlstate.23505 = busy\n"
                     "native.5 = data\n",
                     "/a/1.ini"),
               TN_OK, "%s", err.message);
  cr_expect_eq(find(5, "23505")->category, TN_E_DATA);
  cr_expect_eq(find(6, "23505")->category, TN_E_BUSY);
  cr_expect_eq(find(6, "23514")->category, TN_E_CHECK);
}

Test(override, a_later_file_replaces_what_an_earlier_one_said)
{
  cr_assert_eq(parse("[errors:x]\nnative.5 = data never\n", "/a/1.ini"), TN_OK);
  cr_assert_eq(parse("[errors:x]\nnative.5 = busy\n", "/a/2.ini"), TN_OK, "%s",
               err.message);
  cr_expect_eq(find(5, NULL)->category, TN_E_BUSY);
  cr_expect_eq(find(5, NULL)->replay, 0);
  cr_expect_str_eq(find(5, NULL)->path, "/a/2.ini");
}

static const struct {
  const char *line;
  const char *reason;
} refused[] = {
#define NO_KEY                                                                 \
  "is neither \"native.NUMBER\" nor \"sqlstate.\" and five capital letters "   \
  "and digits, or two for a class"
#define NO_WORD                                                                \
  "is neither a category nor a verdict: usable, aborted, dead, safe, "         \
  "transaction, never, unknown"
  { "1205 = busy", "1205: " NO_KEY },
  { "native. = busy", "native.: " NO_KEY },
  { "native.0 = busy", "native.0: " NO_KEY },
  { "native.- = busy", "native.-: " NO_KEY },
  { "native.12x = busy", "native.12x: " NO_KEY },
  { "native.2147483648 = busy", "native.2147483648: " NO_KEY },
  { "sqlstate.234 = busy", "sqlstate.234: " NO_KEY },
  { "sqlstate.55p03 = busy", "sqlstate.55p03: " NO_KEY },
  { "native.1 = locked", "native.1: \"locked\" " NO_WORD },
  { "native.1 = ok", "native.1: \"ok\" " NO_WORD },
  { "native.1 = BUSY", "native.1: \"BUSY\" " NO_WORD },
  { "native.1 = busy data", "native.1: \"data\" is the second of its kind" },
  { "native.1 = busy safe never",
    "native.1: \"never\" is the second of its kind" },
  { "native.1 =", "native.1: has no category and no verdict" },
  { "native.1 = busy\nnative.1 = data", "native.1: the key is there twice" },
};

Test(override, a_mistake_is_told_in_one_line)
{
  char text[256], expected[512];

  for (size_t i = 0; i < TN_COUNT(refused); i++) {
    snprintf(text, sizeof(text), "[errors:x]\n%s\n", refused[i].line);
    snprintf(expected, sizeof(expected), "/a/x.ini:%d: %s",
             strchr(refused[i].line, '\n') != NULL ? 3 : 2, refused[i].reason);
    cr_expect_eq(parse(text, "/a/x.ini"), TN_E_CONFIG, "case %zu: %s", i,
                 refused[i].line);
    cr_expect_str_eq(err.message, expected, "case %zu: %s", i, refused[i].line);
    tn_dropins_clear(&dropins);
  }
}

Test(override, there_can_be_many_but_not_any_number)
{
  static char text[8192];
  size_t used = (size_t)snprintf(text, sizeof(text), "[errors:x]\n");

  for (int i = 1; i <= 257; i++) {
    if (i == 257)
      cr_assert_eq(parse(text, "/a/x.ini"), TN_OK, "%s", err.message);
    used += (size_t)snprintf(text + used, sizeof(text) - used,
                             "native.%d = busy\n", i);
  }
  cr_expect_neq(find(1, NULL), NULL);
  cr_expect_neq(find(256, NULL), NULL);
  tn_dropins_clear(&dropins);
  cr_expect_eq(parse(text, "/a/x.ini"), TN_E_CONFIG);
  cr_expect_str_eq(err.message,
                   "/a/x.ini:258: native.257: more than 256 errors");
}

Test(override, want_of_memory_is_an_error)
{
  static const char text[] = "[errors:x]\nnative.5 = busy\n";

  for (unsigned nth = 1;; nth++) {
    enum tn_code rc;

    oom_fail_nth(nth, true);
    rc = parse(text, "/a/x.ini");
    oom_fail_nth(0, false);
    tn_dropins_clear(&dropins);
    if (rc == TN_OK)
      break;
    cr_assert_eq(rc, TN_E_MEMORY, "allocation %u: %s", nth, err.message);
  }
}
