/* Functions chosen by dialect and driver. */
#include <tenon/dispatch.h>

#include <criterion/criterion.h>
#include <string.h>

#include "base_priv.h"
#include "oom.h"

/* Each member adds its `user`, a word, to the text that is the call's `arg`. */
static enum tn_code
note(const char *dialect, const char *driver, void *arg, void *user,
     tn_err *err)
{
  char *text = arg;

  (void)dialect;
  (void)driver;
  (void)err;
  if (text[0] != '\0')
    strcat(text, " ");
  strcat(text, user);
  return TN_OK;
}

static enum tn_code
fail(const char *dialect, const char *driver, void *arg, void *user,
     tn_err *err)
{
  (void)note(dialect, driver, arg, user, err);
  return tn_err_set(err, TN_E_LIMIT, "no more of %s", dialect);
}

static tn_dispatch *dispatch;
static tn_err err;

static void
make(enum tn_dispatch_mode mode)
{
  cr_assert_eq(tn_dispatch_new(mode, &dispatch, &err), TN_OK);
}

static void
add(const char *target, const char *word)
{
  cr_assert_eq(
      tn_dispatch_add(dispatch, target, note, (void *)(uintptr_t)word, &err),
      TN_OK, "%s: %s", target, err.message);
}

static void
tear_down(void)
{
  tn_dispatch_free(&dispatch);
}

TestSuite(dispatch, .fini = tear_down);

static const char *const targets[] = {
  "*", "postgresql", "mysql+pymysql", "*+psycopg2", "mysql", "*+pymysql",
};

static const struct {
  const char *dialect, *driver;
  const char *single; /* NULL: nothing matches */
  const char *multiple;
} calls[] = {
  { "mysql", "pymysql", "mysql+pymysql", "mysql+pymysql mysql *+pymysql *" },
  { "mysql", "mysqldb", "mysql", "mysql *" },
  { "mysql", NULL, "mysql", "mysql *" },
  { "mysql", "", "mysql", "mysql *" },
  { "MySQL", "PyMySQL", "mysql+pymysql", "mysql+pymysql mysql *+pymysql *" },
  { "postgresql", "psycopg2", "postgresql", "postgresql *+psycopg2 *" },
  { "postgresql", "asyncpg", "postgresql", "postgresql *" },
  { "oracle", "psycopg2", "*+psycopg2", "*+psycopg2 *" },
  { "oracle", NULL, "*", "*" },
  { "*", NULL, "*", "*" },
  { "*", "*", "*", "*" },
  { "", "", "*", "*" },
  { NULL, NULL, "*", "*" },
  { "mysql", "*", "mysql", "mysql *" },
  { "mysq", "pymysql", "*+pymysql", "*+pymysql *" },
  { "mysqll", NULL, "*", "*" },
};

Test(dispatch, a_single_one_calls_the_most_specific_member)
{
  make(TN_DISPATCH_SINGLE);
  for (size_t i = 0; i < TN_COUNT(targets); i++)
    add(targets[i], targets[i]);
  for (size_t i = 0; i < TN_COUNT(calls); i++) {
    char text[200] = "";

    cr_expect_eq(tn_dispatch_call(dispatch, calls[i].dialect, calls[i].driver,
                                  text, &err),
                 TN_OK, "case %zu", i);
    cr_expect_str_eq(text, calls[i].single, "case %zu", i);
  }
}

Test(dispatch, a_multiple_one_calls_all_the_most_specific_first)
{
  make(TN_DISPATCH_MULTIPLE);
  for (size_t i = 0; i < TN_COUNT(targets); i++)
    add(targets[i], targets[i]);
  for (size_t i = 0; i < TN_COUNT(calls); i++) {
    char text[200] = "";

    cr_expect_eq(tn_dispatch_call(dispatch, calls[i].dialect, calls[i].driver,
                                  text, &err),
                 TN_OK, "case %zu", i);
    cr_expect_str_eq(text, calls[i].multiple, "case %zu", i);
  }
}

Test(dispatch, members_of_one_target_keep_their_order)
{
  char text[200] = "";

  make(TN_DISPATCH_MULTIPLE);
  add("*", "a");
  add("mysql+*", "b");
  add("*+*", "c");
  add("mysql", "d");
  cr_expect_eq(tn_dispatch_call(dispatch, "mysql", "x", text, &err), TN_OK);
  cr_expect_str_eq(text, "b d a c");
}

Test(dispatch, a_single_one_takes_one_member_a_target)
{
  make(TN_DISPATCH_SINGLE);
  add("mysql", "a");
  cr_expect_eq(tn_dispatch_add(dispatch, "MYSQL+*", note, NULL, &err),
               TN_E_USAGE);
  cr_expect_str_eq(err.message, "dispatch: \"MYSQL+*\" has a function already");
  add("mysql+pymysql", "b");
  cr_expect_eq(tn_dispatch_add(dispatch, "mysql+pymysql", note, NULL, NULL),
               TN_E_USAGE);
}

Test(dispatch, a_bad_target_is_refused)
{
  static const char *const bad[] = {
    "",
    "+",
    "mysql+",
    "+pymysql",
    "my sql",
    "mysql+py+mysql",
    "mysql://",
    "**",
    "*mysql",
    "my*",
    "mysql+p*",
    "mysql/x",
    "größe",
    "a234567890123456789012345678901234567890123456789012345678901234",
  };

  make(TN_DISPATCH_MULTIPLE);
  for (size_t i = 0; i < TN_COUNT(bad); i++) {
    cr_expect_eq(tn_dispatch_add(dispatch, bad[i], note, NULL, &err),
                 TN_E_USAGE, "case %zu: \"%s\"", i, bad[i]);
    cr_expect(strstr(err.message, "is no target") != NULL, "case %zu", i);
  }
}

Test(dispatch, a_single_one_without_a_match_says_for_what)
{
  char text[8] = "";

  make(TN_DISPATCH_SINGLE);
  add("mysql", "a");
  cr_expect_eq(tn_dispatch_call(dispatch, "oracle", "cx", text, &err),
               TN_E_NOT_FOUND);
  cr_expect_str_eq(err.message,
                   "dispatch: nothing is registered for \"oracle+cx\"");
  cr_expect_eq(tn_dispatch_call(dispatch, NULL, NULL, text, &err),
               TN_E_NOT_FOUND);
  cr_expect_str_eq(text, "");
}

Test(dispatch, a_multiple_one_without_a_match_does_nothing)
{
  make(TN_DISPATCH_MULTIPLE);
  cr_expect_eq(tn_dispatch_call(dispatch, "oracle", NULL, NULL, &err), TN_OK);
}

Test(dispatch, the_first_member_that_fails_ends_the_call)
{
  char text[200] = "";

  make(TN_DISPATCH_MULTIPLE);
  add("*", "last");
  cr_assert_eq(
      tn_dispatch_add(dispatch, "mysql", fail, (void *)(uintptr_t) "bad", &err),
      TN_OK);
  add("mysql+x", "first");
  cr_expect_eq(tn_dispatch_call(dispatch, "mysql", "x", text, &err),
               TN_E_LIMIT);
  cr_expect_str_eq(text, "first bad");
  cr_expect_str_eq(err.message, "no more of mysql");
}

/* Registers a hundred more, which moves all members. */
static enum tn_code
grow(const char *dialect, const char *driver, void *arg, void *user,
     tn_err *ret_err)
{
  (void)dialect;
  (void)driver;
  (void)arg;
  for (int i = 0; i < 100; i++)
    if (tn_dispatch_add(user, "mysql", note, (void *)(uintptr_t) "x",
                        ret_err) != TN_OK)
      return TN_E_INTERNAL;
  return TN_OK;
}

Test(dispatch, a_member_may_register_more_which_are_called_next_time)
{
  char text[400] = "";

  make(TN_DISPATCH_MULTIPLE);
  cr_assert_eq(tn_dispatch_add(dispatch, "mysql", grow, dispatch, &err), TN_OK);
  add("*", "end");
  cr_expect_eq(tn_dispatch_call(dispatch, "mysql", NULL, text, &err), TN_OK);
  cr_expect_str_eq(text, "end");
}

Test(dispatch, each_allocation_may_fail)
{
  for (long nth = 1;; nth++) {
    enum tn_code rc;

    oom_fail_nth(nth, false);
    rc = tn_dispatch_new(TN_DISPATCH_MULTIPLE, &dispatch, &err);
    for (int i = 0; rc == TN_OK && i < 20; i++)
      rc = tn_dispatch_add(dispatch, "mysql", note, NULL, &err);
    tn_dispatch_free(&dispatch);
    cr_assert_eq(oom_live(), 0, "allocation %ld", nth);
    if (oom_count() < nth)
      break;
    cr_expect_eq(rc, TN_E_MEMORY, "allocation %ld", nth);
  }
  oom_reset();
  tn_dispatch_free(NULL);
}
