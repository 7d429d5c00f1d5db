/* What a registry tells of a backend's errors. */
#include <criterion/criterion.h>
#include <string.h>

#include "registry_folders.h"

TestSuite(registry_errors, .init = folders_make, .fini = folders_remove);

struct told {
  char lines[32][160];
  size_t count;
};

static void
tell(const struct tn_error_info *info, void *user)
{
  struct told *told = user;
  const char *file = strrchr(info->file, '/');

  cr_assert_lt(told->count, TN_COUNT(told->lines));
  snprintf(told->lines[told->count++], sizeof(told->lines[0]),
           "%d %s %s %s %s %s %s:%u", (int)info->native, info->sqlstate,
           info->name, tn_code_name(info->category),
           tn_connection_verdict_name(info->connection),
           tn_replay_verdict_name(info->replay), file != NULL ? file + 1 : "",
           (unsigned)info->line);
}

static void
expect(const struct told *told, const char *line)
{
  size_t found = 0;

  for (size_t i = 0; i < told->count; i++)
    found += strcmp(told->lines[i], line) == 0;
  cr_expect_eq(found, 1, "%zu times: %s", found, line);
}

Test(registry_errors, rows_are_told_with_the_verdicts_of_their_category)
{
  struct told told = { .count = 0 };

  install("fake", "");
  open_registry();
  cr_assert_eq(tn_registry_errors(registry, "fake", tell, &told, &err), TN_OK,
               "%s", err.message);
  cr_expect_eq(told.count, 9);
  expect(&told, "1205 HY000 FAKE_LOCK_TIMEOUT lock_timeout usable transaction "
                ":0");
  expect(&told, "2013  FAKE_LOST lost dead unknown :0");
  expect(&told, "0 40001 serialization_failure serialization aborted "
                "transaction :0");
  expect(&told, "0 23 class 23 constraint usable never :0");
}

Test(registry_errors, an_administrators_word_is_told_with_its_place)
{
  struct told told = { .count = 0 };

  install("fake", "");
  put_dropin("x.ini", "[errors:fake]\nnative.1205 = deadlock\n"
                      "sqlstate.23 = never dead\nsqlstate.57 = busy\n"
                      "native.77 = data\n");
  open_registry();
  cr_assert_eq(tn_registry_errors(registry, "fake", tell, &told, &err), TN_OK,
               "%s", err.message);
  cr_expect_eq(told.count, 11);
  expect(&told, "1205 HY000 FAKE_LOCK_TIMEOUT deadlock aborted transaction "
                "x.ini:2");
  expect(&told, "0 23 class 23 constraint dead never x.ini:3");
  expect(&told, "0 57  busy usable transaction x.ini:4");
  expect(&told, "77   data usable never x.ini:5");
}

/* The last row of a name. */
struct named {
  const char *name;
  struct tn_error_info row;
};

static void
keep_named(const struct tn_error_info *info, void *user)
{
  struct named *named = user;

  if (strcmp(info->name, named->name) == 0)
    named->row = *info;
}

static struct tn_error_info
find_named(const char *name)
{
  struct named named = { .name = name };

  cr_assert_eq(tn_registry_errors(registry, "fake", keep_named, &named, &err),
               TN_OK, "%s", err.message);
  cr_assert_neq(named.row.category, 0, "%s is not there", name);
  return named.row;
}

Test(registry_errors, fields_are_those_of_the_category_that_counts)
{
  install("fake", "");
  put_dropin("x.ini", "[errors:fake]\nnative.1205 = deadlock\n"
                      "native.2067 = check\n");
  open_registry();
  cr_expect_eq(find_named("FAKE_DEADLOCK").message, TN_ERR_BIT(TN_ERR_TABLE));
  cr_expect_eq(find_named("unique_violation").protocol,
               TN_ERR_BIT(TN_ERR_CONSTRAINT));
  cr_expect_eq(find_named("FAKE_LOCK_TIMEOUT").message,
               TN_ERR_BIT(TN_ERR_TABLE), "deadlock by the administrator");
  cr_expect_eq(find_named("FAKE_UNIQUE").protocol, 0,
               "check by the administrator");
}

Test(registry_errors, a_backend_that_is_not_there_has_none)
{
  struct told told = { .count = 0 };

  open_registry();
  cr_expect_eq(tn_registry_errors(registry, "fake", tell, &told, &err),
               TN_E_PLUGIN);
  cr_expect_eq(told.count, 0);
}

Test(registry_errors, a_mistake_in_a_row_loads_nothing)
{
  struct told told = { .count = 0 };

  install("fake", "");
  put_dropin("x.ini", "[errors:fake]\nnative.1205 = deadlocked\n");
  open_registry();
  cr_expect_eq(tn_registry_errors(registry, "fake", tell, &told, &err),
               TN_E_PLUGIN);
  cr_expect_neq(strstr(err.message, "x.ini:2: native.1205: \"deadlocked\" is "
                                    "neither a category nor a verdict"),
                NULL, "%s", err.message);
}
