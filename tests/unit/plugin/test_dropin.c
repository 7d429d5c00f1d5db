/* Drop-ins of the administrator. */
#include "dropin.h"

#include <criterion/criterion.h>
#include <string.h>

#include "files.h"
#include "oom.h"

static struct tn_dropins dropins;
static tn_err err;

static enum tn_code
parse(const char *text, const char *path)
{
  tn_err_clear(&err);
  return tn_dropins_parse(&dropins, text, strlen(text), path, &err);
}

static void
tear_down(void)
{
  tn_dropins_clear(&dropins);
}

TestSuite(dropin, .fini = tear_down);

Test(dropin, disables_aliases_pins_and_gives_defaults)
{
  const struct tn_dropin *dropin;

  cr_assert_eq(parse("[plugin:sqlite]\nenabled = no\nalias = lite sq+x\n"
                     "pin = /opt/sqlite.so\n"
                     "[defaults:sqlite]\nbusy_timeout = 5s\nmode =\n"
                     "[defaults:mysql]\nssl = on\n",
                     "/a/1.ini"),
               TN_OK, "%s", err.message);
  dropin = tn_dropins_find(&dropins, "sqlite");
  cr_assert_neq(dropin, NULL);
  cr_expect_str_eq(dropin->path, "/a/1.ini");
  cr_expect_str_eq(dropin->disabled, "/a/1.ini");
  cr_expect_str_eq(dropin->pin, "/opt/sqlite.so");
  cr_expect_str_eq(dropin->aliases[0], "lite");
  cr_expect_str_eq(dropin->aliases[1], "sq+x");
  cr_expect_eq(dropin->aliases[2], NULL);
  cr_expect_eq(dropin->default_count, 2);
  cr_expect_str_eq(dropin->defaults[0].name, "busy_timeout");
  cr_expect_str_eq(dropin->defaults[0].value, "5s");
  cr_expect_str_eq(dropin->defaults[1].name, "mode");
  cr_expect_str_eq(dropin->defaults[1].value, "");

  dropin = tn_dropins_find(&dropins, "mysql");
  cr_assert_neq(dropin, NULL);
  cr_expect_eq(dropin->disabled, NULL);
  cr_expect_eq(dropin->pin, NULL);
  cr_expect_eq(dropin->aliases[0], NULL);
  cr_expect_eq(dropin->default_count, 1);
  cr_expect_eq(tn_dropins_find(&dropins, "postgresql"), NULL);
}

Test(dropin, a_later_file_replaces_what_an_earlier_one_said)
{
  const struct tn_dropin *dropin;

  cr_assert_eq(parse("[plugin:x]\nenabled = no\nalias = a b\npin = /1\n"
                     "[defaults:x]\na = 1\nb = 2\n",
                     "/a/1.ini"),
               TN_OK);
  cr_assert_eq(parse("[defaults:x]\nb = 3\nc = 4\n"
                     "[plugin:x]\nenabled = yes\nalias = c\n",
                     "/a/2.ini"),
               TN_OK, "%s", err.message);
  dropin = tn_dropins_find(&dropins, "x");
  cr_expect_eq(dropin->disabled, NULL);
  cr_expect_str_eq(dropin->path, "/a/2.ini");
  cr_expect_str_eq(dropin->aliases[0], "c");
  cr_expect_eq(dropin->aliases[1], NULL);
  cr_expect_str_eq(dropin->pin, "/1");
  cr_expect_eq(dropin->default_count, 3);
  cr_expect_str_eq(dropin->defaults[0].value, "1");
  cr_expect_str_eq(dropin->defaults[1].value, "3");
  cr_expect_str_eq(dropin->defaults[2].value, "4");
}

Test(dropin, an_empty_text_says_nothing)
{
  cr_expect_eq(parse("", "/a/1.ini"), TN_OK);
  cr_expect_eq(parse("# only a comment\n", "/a/2.ini"), TN_OK);
  cr_expect_eq(dropins.first, NULL);
}

static const struct {
  const char *text;
  const char *message;
} refused[] = {
  { "enabled = no\n", "/a/x.ini:1: enabled: stands before the first section" },
  { "[plugin]\n", "/a/x.ini:1: unknown section [plugin]; a drop-in has "
                  "[plugin:NAME], [defaults:NAME] and [errors:NAME]" },
  { "[plugin:]\n", "/a/x.ini:1: unknown section [plugin:]; a drop-in has "
                   "[plugin:NAME], [defaults:NAME] and [errors:NAME]" },
  { "[plugin:A]\n", "/a/x.ini:1: unknown section [plugin:A]; a drop-in has "
                    "[plugin:NAME], [defaults:NAME] and [errors:NAME]" },
  { "[default:a]\n", "/a/x.ini:1: unknown section [default:a]; a drop-in has "
                     "[plugin:NAME], [defaults:NAME] and [errors:NAME]" },
  { "[plugin:a]\nenable = no\n",
    "/a/x.ini:2: unknown key \"enable\"; did you mean \"enabled\"?" },
  { "[plugin:a]\nenabled = perhaps\n",
    "/a/x.ini:2: enabled: \"perhaps\" is neither yes nor no" },
  { "[plugin:a]\nenabled =\n",
    "/a/x.ini:2: enabled: \"\" is neither yes nor no" },
  { "[plugin:a]\nenabled = no\nenabled = no\n",
    "/a/x.ini:3: enabled: the key is there twice" },
  { "[plugin:a]\nenabled = no\n[plugin:b]\n[plugin:a]\nenabled = yes\n",
    "/a/x.ini:5: enabled: the key is there twice" },
  { "[plugin:a]\npin = a.so\n",
    "/a/x.ini:2: pin: \"a.so\" is not an absolute path" },
  { "[plugin:a]\npin =\n", "/a/x.ini:2: pin: \"\" is not an absolute path" },
  { "[plugin:a]\nalias = A\n", "/a/x.ini:2: alias: \"A\" is no scheme" },
  { "[defaults:a]\nx = 1\nx = 2\n", "/a/x.ini:3: x: the key is there twice" },
};

Test(dropin, what_is_wrong_is_named_with_its_line)
{
  for (size_t i = 0; i < TN_COUNT(refused); i++) {
    cr_expect_eq(parse(refused[i].text, "/a/x.ini"), TN_E_CONFIG,
                 "case %zu: \"%s\"", i, refused[i].text);
    cr_expect_str_eq(err.message, refused[i].message, "case %zu: \"%s\"", i,
                     refused[i].text);
    tn_dropins_clear(&dropins);
  }
}

Test(dropin, all_words_for_yes_and_no_are_read)
{
  static const char *const no[] = { "no", "No", "false", "OFF", "0" };
  static const char *const yes[] = { "yes", "YES", "true", "on", "1" };
  char text[64];

  for (size_t i = 0; i < TN_COUNT(no); i++) {
    snprintf(text, sizeof(text), "[plugin:a]\nenabled = %s\n", no[i]);
    cr_expect_eq(parse(text, "/a/1.ini"), TN_OK, "case %zu", i);
    cr_expect_neq(tn_dropins_find(&dropins, "a")->disabled, NULL, "case %zu",
                  i);
    snprintf(text, sizeof(text), "[plugin:a]\nenabled = %s\n", yes[i]);
    cr_expect_eq(parse(text, "/a/2.ini"), TN_OK, "case %zu", i);
    cr_expect_eq(tn_dropins_find(&dropins, "a")->disabled, NULL, "case %zu", i);
  }
}

Test(dropin, at_most_256_options_have_defaults)
{
  static char text[8192];
  size_t used = (size_t)sprintf(text, "[defaults:a]\n");

  for (int i = 0; i < 256; i++)
    used += (size_t)sprintf(text + used, "o%d = %d\n", i, i);
  cr_expect_eq(parse(text, "/a/1.ini"), TN_OK, "%s", err.message);
  cr_expect_eq(tn_dropins_find(&dropins, "a")->default_count, 256);
  cr_expect_str_eq(tn_dropins_find(&dropins, "a")->defaults[255].value, "255");
  cr_expect_eq(parse("[defaults:a]\no256 = 1\n", "/a/2.ini"), TN_E_CONFIG);
  cr_expect_str_eq(err.message, "/a/2.ini:2: o256: more than 256 options");
}

Test(dropin, is_read_from_a_file_that_can_be_trusted)
{
  char path[PATH_MAX];

  files_make();
  files_write("10-local.ini", "[plugin:a]\nenabled = no\n", path);
  cr_expect_eq(tn_dropins_read(&dropins, path, &err), TN_OK, "%s", err.message);
  cr_expect_str_eq(tn_dropins_find(&dropins, "a")->disabled, path);
  cr_assert_eq(chmod(path, 0622), 0);
  cr_expect_eq(tn_dropins_read(&dropins, path, &err), TN_E_PERMISSION);
  files_remove();
}

Test(dropin, each_allocation_may_fail)
{
  static const char text[] = "[plugin:x]\nalias = a b\npin = /1\n"
                             "[defaults:x]\na = 1\nb = 2\n";

  for (long nth = 1;; nth++) {
    enum tn_code rc;

    oom_fail_nth(nth, false);
    rc = parse(text, "/a/1.ini");
    tn_dropins_clear(&dropins);
    cr_assert_eq(oom_live(), 0, "allocation %ld", nth);
    if (oom_count() < nth)
      break;
    cr_expect_eq(rc, TN_E_MEMORY, "allocation %ld", nth);
  }
  oom_reset();
  tn_dropins_clear(&dropins);
}
