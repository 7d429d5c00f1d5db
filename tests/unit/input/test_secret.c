/* Secrets that stand elsewhere. */
#include "config_priv.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "oom.h"

static char path[64];
static char reference[80];

/* Make a file of the test's own; without `size`, it is not written to. */
static void
put(const char *text, size_t size, mode_t mode)
{
  int fd;

  strcpy(path, "/tmp/tenon-secret-XXXXXX");
  fd = mkstemp(path);
  cr_assert_geq(fd, 0);
  cr_assert_eq(write(fd, text, size), (ssize_t)size);
  cr_assert_eq(fchmod(fd, mode), 0);
  close(fd);
  (void)snprintf(reference, sizeof(reference), "file:%s", path);
}

static void
expect_text(const char *from, const char *text)
{
  TN_CLEANUP(tn_secret_free) char *secret = NULL;
  tn_err err = TN_ERR_INIT;

  cr_assert_eq(tn_secret_resolve(from, &secret, &err), TN_OK, "\"%s\": %s",
               from, err.message);
  cr_expect_str_eq(secret, text, "\"%s\"", from);
}

static void
expect_refused(const char *from, const char *message)
{
  char untouched[] = "untouched";
  char *secret = untouched;
  tn_err err = TN_ERR_INIT;

  cr_expect_eq(tn_secret_resolve(from, &secret, &err), TN_E_CONFIG, "\"%s\"",
               from);
  cr_expect_str_eq(err.message, message);
  cr_expect_eq(secret, untouched, "\"%s\"", from);
}

Test(secret, any_other_text_is_itself)
{
  static const char *const texts[] = { "",        "x",       "env",
                                       "ENV:X",   "file",    "File:/x",
                                       " env:X",  "xenv:Y",  "postgresql:///x",
                                       "a:b@c/d", "filex:/", "\xC3\xA9" };
  size_t i;

  for (i = 0; i < TN_COUNT(texts); i++) {
    expect_text(texts[i], texts[i]);
    cr_expect_not(tn_secret__is_reference(texts[i]), "case %zu: \"%s\"", i,
                  texts[i]);
  }
  cr_expect(tn_secret__is_reference("env:"));
  cr_expect(tn_secret__is_reference("file:x"));
}

Test(secret, a_variable_is_looked_up_once)
{
  setenv("TENON_TEST_A", "env:TENON_TEST_B", 1);
  setenv("TENON_TEST_B", "b", 1);
  setenv("TENON_TEST_EMPTY", "", 1);
  setenv("_1", " with blanks \n", 1);
  expect_text("env:TENON_TEST_A", "env:TENON_TEST_B");
  expect_text("env:TENON_TEST_EMPTY", "");
  expect_text("env:_1", " with blanks \n");
}

Test(secret, a_variable_that_is_not_set_is_refused_by_name)
{
  unsetenv("TENON_TEST_A");
  expect_refused("env:TENON_TEST_A",
                 "secret: environment variable TENON_TEST_A is not set, or "
                 "not read because the process has raised privileges");
}

Test(secret, what_may_be_a_password_after_a_prefix_is_not_shown)
{
  static const char *const texts[] = { "env:",   "env:1x",      "env:Can ary",
                                       "env:a=", "env:a-b",     "env: A",
                                       "env:A ", "env:\xC3\xA9" };
  size_t i;

  for (i = 0; i < TN_COUNT(texts); i++)
    expect_refused(texts[i], "secret: what follows \"env:\" is not the name of "
                             "a variable");
  expect_refused("file:", "secret: what follows \"file:\" is not an absolute "
                          "path");
  expect_refused("file:Canary", "secret: what follows \"file:\" is not an "
                                "absolute path");
  expect_refused("file:~/x", "secret: what follows \"file:\" is not an "
                             "absolute path");
}

struct file_case {
  const char *text;
  size_t size;
  const char *secret;
};

#define TEXT(literal) literal, sizeof(literal) - 1

static const struct file_case file_cases[] = {
  { TEXT(""), "" },           { TEXT("x"), "x" },
  { TEXT("x\n"), "x" },       { TEXT("x\r\n"), "x" },
  { TEXT("x\n\n"), "x\n" },   { TEXT("\n"), "" },
  { TEXT("\r\n"), "" },       { TEXT("x\r"), "x\r" },
  { TEXT(" x \n"), " x " },   { TEXT("a\nb\n"), "a\nb" },
  { TEXT("env:X"), "env:X" },
};

Test(secret, a_file_is_read_without_one_newline_at_its_end)
{
  size_t i;

  for (i = 0; i < TN_COUNT(file_cases); i++) {
    put(file_cases[i].text, file_cases[i].size, 0600);
    expect_text(reference, file_cases[i].secret);
    cr_assert_eq(unlink(path), 0);
  }
}

Test(secret, a_changed_file_gives_the_new_secret)
{
  put("one\n", 4, 0400);
  expect_text(reference, "one");
  cr_assert_eq(chmod(path, 0600), 0);
  cr_assert_eq(truncate(path, 2), 0);
  expect_text(reference, "on");
  cr_assert_eq(unlink(path), 0);
}

Test(secret, a_link_to_a_file_is_followed)
{
  char link[sizeof(path) + 8];
  char from[sizeof(link) + 8];

  put("one\n", 4, 0400);
  (void)snprintf(link, sizeof(link), "%s-link", path);
  (void)snprintf(from, sizeof(from), "file:%s", link);
  cr_assert_eq(symlink(path, link), 0);
  expect_text(from, "one");
  cr_assert_eq(unlink(link), 0);
  cr_assert_eq(unlink(path), 0);
}

Test(secret, a_file_that_is_not_there_is_refused_by_name)
{
  expect_refused("file:/nowhere/at/all", "secret: cannot be read: "
                                         "/nowhere/at/all: No such file or "
                                         "directory");
  expect_refused("file:/tmp", "secret: /tmp is not a regular file");
  expect_refused("file:/dev/zero", "secret: /dev/zero is not a regular file");
}

Test(secret, a_file_with_a_nul_or_too_much_in_it_is_refused)
{
  static char large[65537];
  char message[160];
  tn_err err = TN_ERR_INIT;
  char *secret = NULL;

  put("a\0b", 3, 0600);
  (void)snprintf(message, sizeof(message), "secret: %s has a NUL byte in it",
                 path);
  expect_refused(reference, message);
  cr_assert_eq(unlink(path), 0);

  memset(large, 'x', sizeof(large));
  put(large, sizeof(large), 0600);
  cr_expect_eq(tn_secret_resolve(reference, &secret, &err), TN_E_CONFIG);
  cr_expect_null(secret);
  cr_assert_eq(unlink(path), 0);
}

struct mode_case {
  mode_t mode;
  uid_t owner;
  gid_t group;
  const char *reason; /* NULL: it is read */
};

static const struct mode_case mode_cases[] = {
  { 0400, 0, 0, NULL },
  { 0600, 0, 65534, NULL },
  { 0640, 0, 65534, NULL },
  { 0644, 0, 0, "may be read by every user (mode 0644); run chmod o= on it" },
  { 0604, 0, 0, "may be read by every user (mode 0604); run chmod o= on it" },
  { 0640, 65534, 65534,
    "may be read by a group (mode 0640) and is not root's; run chmod go= on "
    "it" },
};

Test(secret, a_file_that_others_may_read_is_refused)
{
  char message[256];
  size_t i;

  if (geteuid() != 0)
    cr_skip_test("needs root, to give files away");
  for (i = 0; i < TN_COUNT(mode_cases); i++) {
    const struct mode_case *c = &mode_cases[i];

    put("x", 1, c->mode);
    cr_assert_eq(chown(path, c->owner, c->group), 0);
    (void)snprintf(message, sizeof(message), "secret: %s %s", path,
                   c->reason != NULL ? c->reason : "");
    if (c->reason == NULL)
      expect_text(reference, "x");
    else
      expect_refused(reference, message);
    cr_assert_eq(unlink(path), 0);
  }
}

Test(secret, a_file_that_others_may_write_or_own_is_refused)
{
  char *secret = NULL;
  tn_err err = TN_ERR_INIT;

  if (geteuid() != 0)
    cr_skip_test("needs root, to give files away");
  put("x", 1, 0602);
  cr_expect_eq(tn_secret_resolve(reference, &secret, &err), TN_E_CONFIG);
  cr_expect_not_null(strstr(err.message, "may be written by every user"));
  cr_assert_eq(chmod(path, 0600), 0);
  cr_assert_eq(chown(path, 65534, 0), 0);
  cr_expect_eq(tn_secret_resolve(reference, &secret, &err), TN_E_CONFIG);
  cr_expect_not_null(strstr(err.message, "belongs to user 65534"));
  cr_assert_eq(unlink(path), 0);
}

Test(secret, release_is_idempotent)
{
  char *secret = NULL;

  cr_assert_eq(tn_secret_resolve("x", &secret, NULL), TN_OK);
  tn_secret_free(&secret);
  cr_expect_null(secret);
  tn_secret_free(&secret);
  tn_secret_free(NULL);
}

static void
walk(const char *from)
{
  long nth;

  for (nth = 1; nth < 100; nth++) {
    char *secret = NULL;
    tn_err err = TN_ERR_INIT;
    enum tn_code rc;

    oom_fail_nth(nth, false);
    rc = tn_secret_resolve(from, &secret, &err);
    tn_secret_free(&secret);
    cr_assert_eq(oom_live(), 0, "\"%s\": allocation %ld", from, nth);
    if (oom_count() < nth)
      break;
    cr_assert_eq(rc, TN_E_MEMORY, "\"%s\": allocation %ld", from, nth);
  }
  oom_reset();
  cr_expect(nth > 1 && nth < 100, "\"%s\": %ld", from, nth);
}

Test(secret, want_of_memory_at_any_point_is_an_error)
{
  setenv("TENON_TEST_A", "a", 1);
  put("x\n", 2, 0600);
  walk("plain");
  walk("env:TENON_TEST_A");
  walk(reference);
  cr_assert_eq(unlink(path), 0);
}
