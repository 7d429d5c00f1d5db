/* A loaded configuration: what it answers, and for how long. */
#include "config_priv.h"

#include <criterion/criterion.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tenon/memory.h>

#include "oom.h"
#include "strbuf.h"

static const char two_databases[] = "[database]\n"
                                    "connection = sqlite:///shop.db\n"
                                    "max_pool_size = 7\n"
                                    "[database:billing]\n"
                                    "connection = postgresql:///billing\n"
                                    "password = env:TENON_TEST_PASSWORD\n"
                                    "[database:archive]\n";

static tn_config *
parse(const char *text)
{
  tn_config *config = NULL;
  tn_err err = TN_ERR_INIT;

  cr_assert_eq(
      tn_config_parse(text, strlen(text), "t.ini", NULL, &config, &err), TN_OK,
      "%s", err.message);
  return config;
}

/* ------------------------------------------------------------------ */
/* Databases                                                           */

Test(config, databases_are_listed_with_the_default_one_first)
{
  TN_CLEANUP(tn_config_free)
  tn_config *config = parse("[database:b]\n[database:a]\n[database]\n"
                            "[database:b]\n");

  cr_expect_str_eq(tn_config_database(config, 0), "database");
  cr_expect_str_eq(tn_config_database(config, 1), "b");
  cr_expect_str_eq(tn_config_database(config, 2), "a");
  cr_expect_null(tn_config_database(config, 3));
  cr_expect_null(tn_config_database(config, SIZE_MAX));
}

Test(config, thousands_of_databases_are_found)
{
  struct tn_strbuf text = TN_STRBUF_INIT(1 << 20);
  TN_CLEANUP(tn_config_free) tn_config *config = NULL;
  char name[16];
  int64_t number = 0;
  size_t i;

  for (i = 0; i < 3000; i++)
    tn_strbuf_add_format(&text, "[database:d%zu]\nmax_retries=%zu\n", i, i);
  config = parse(tn_strbuf_text(&text));
  for (i = 0; i < 3000; i++) {
    (void)snprintf(name, sizeof(name), "d%zu", i);
    cr_assert_eq(tn_config_number(config, name, "max_retries", &number, NULL),
                 TN_OK);
    cr_assert_eq(number, (int64_t)i);
  }
  cr_expect_str_eq(tn_config_database(config, 3000), "d2999");
  cr_expect_null(tn_config_database(config, 3001));
  tn_strbuf_clear(&text);
}

Test(config, the_default_database_is_there_without_a_section)
{
  TN_CLEANUP(tn_config_free) tn_config *config = parse("[other]\nk=1\n");
  const char *text = "untouched";

  cr_expect_str_eq(tn_config_database(config, 0), "database");
  cr_expect_eq(tn_config_text(config, "database", "connection", &text, NULL),
               TN_OK);
  cr_expect_null(text);
}

Test(config, a_named_database_falls_back_to_the_defaults_only)
{
  TN_CLEANUP(tn_config_free) tn_config *config = parse(two_databases);
  const char *text = "untouched";
  int64_t number = 0;

  cr_expect_eq(
      tn_config_number(config, "billing", "max_pool_size", &number, NULL),
      TN_OK);
  cr_expect_eq(number, 5);
  cr_expect_str_eq(tn_config_origin(config, "billing", "max_pool_size"),
                   "default");
  cr_expect_eq(tn_config_text(config, "archive", "connection", &text, NULL),
               TN_OK);
  cr_expect_null(text);
}

Test(config, an_unknown_database_is_refused_with_the_nearest_name)
{
  TN_CLEANUP(tn_config_free) tn_config *config = parse(two_databases);
  const char *text = "untouched";
  int64_t number = 77;
  tn_err err = TN_ERR_INIT;

  cr_expect_eq(tn_config_text(config, "biling", "connection", &text, &err),
               TN_E_NOT_FOUND);
  cr_expect_str_eq(err.message,
                   "config: no database \"biling\"; did you mean \"billing\"?");
  cr_expect_eq(tn_config_number(config, "zoo", "max_retries", &number, &err),
               TN_E_NOT_FOUND);
  cr_expect_str_eq(err.message,
                   "config: no database \"zoo\"; add a section [database:zoo]");
  cr_expect_eq(tn_config_text(config, "", "connection", &text, &err),
               TN_E_NOT_FOUND);
  cr_expect_str_eq(err.message,
                   "config: the name of the database is empty; that of the "
                   "section [database] is \"database\"");
  cr_expect_str_eq(text, "untouched");
  cr_expect_eq(number, 77);
  cr_expect_null(tn_config_origin(config, "zoo", "max_retries"));
}

/* ------------------------------------------------------------------ */
/* Keys                                                                */

Test(config, an_unknown_key_is_refused_with_the_nearest_name)
{
  TN_CLEANUP(tn_config_free) tn_config *config = parse(two_databases);
  const char *text = "untouched";
  tn_err err = TN_ERR_INIT;

  cr_expect_eq(tn_config_text(config, "database", "conection", &text, &err),
               TN_E_NOT_FOUND);
  cr_expect_str_eq(
      err.message,
      "config: no key \"conection\"; did you mean \"connection\"?");
  cr_expect_eq(tn_config_text(config, "database", "x", &text, &err),
               TN_E_NOT_FOUND);
  cr_expect_str_eq(err.message, "config: no key \"x\"");
  cr_expect_str_eq(text, "untouched");
  cr_expect_null(tn_config_origin(config, "database", "conection"));
}

Test(config, a_number_is_also_a_text_but_not_the_other_way_round)
{
  TN_CLEANUP(tn_config_free) tn_config *config = parse(two_databases);
  const char *text = NULL;
  int64_t number = 77;
  tn_err err = TN_ERR_INIT;

  cr_expect_eq(tn_config_text(config, "database", "max_pool_size", &text, NULL),
               TN_OK);
  cr_expect_str_eq(text, "7");
  cr_expect_eq(tn_config_text(config, "billing", "max_pool_size", &text, NULL),
               TN_OK);
  cr_expect_str_eq(text, "5");
  cr_expect_eq(
      tn_config_number(config, "database", "connection", &number, &err),
      TN_E_USAGE);
  cr_expect_str_eq(err.message, "config: connection is a text, not a number");
  cr_expect_eq(number, 77);
}

Test(config, a_number_without_value_and_default_is_not_found)
{
  TN_CLEANUP(tn_config_free)
  tn_config *config = parse("[database:e]\npool_timeout =\n");
  int64_t number = 77;
  tn_err err = TN_ERR_INIT;

  cr_expect_eq(
      tn_config_number(config, "database", "pool_timeout", &number, &err),
      TN_E_NOT_FOUND);
  cr_expect_str_eq(err.message, "config: pool_timeout of database \"database\" "
                                "has no value and no default");
  cr_expect_eq(tn_config_number(config, "e", "pool_timeout", &number, NULL),
               TN_E_NOT_FOUND);
  cr_expect_eq(number, 77);
}

Test(config, every_default_can_be_asked_for)
{
  TN_CLEANUP(tn_config_free) tn_config *config = parse("");
  size_t i;

  for (i = 0; tn_config_row(i) != NULL; i++) {
    const struct tn_config_row *row = tn_config_row(i);
    const char *text = "untouched";
    int64_t number = 77;

    cr_expect_eq(tn_config_text(config, "database", row->key, &text, NULL),
                 TN_OK, "%s", row->key);
    cr_expect_eq(text, row->initial, "%s", row->key);
    if (row->unit != TN_UNIT_TEXT && row->unit != TN_UNIT_CHOICE &&
        row->initial != NULL)
      cr_expect_eq(
          tn_config_number(config, "database", row->key, &number, NULL), TN_OK,
          "%s", row->key);
    cr_expect_str_eq(tn_config_origin(config, "database", row->key), "default",
                     "%s", row->key);
  }
}

Test(config, the_name_of_the_text_is_its_only_file)
{
  TN_CLEANUP(tn_config_free) tn_config *config = parse("");

  cr_expect_str_eq(tn_config_file(config, 0), "t.ini");
  cr_expect_null(tn_config_file(config, 1));
}

/* ------------------------------------------------------------------ */
/* Secrets                                                             */

Test(config, a_secret_is_looked_up_when_it_is_asked_for)
{
  TN_CLEANUP(tn_config_free) tn_config *config = parse(two_databases);
  const char *first = NULL, *again = NULL, *second = NULL, *back = NULL;

  setenv("TENON_TEST_PASSWORD", "one", 1);
  cr_assert_eq(tn_config_text(config, "billing", "password", &first, NULL),
               TN_OK);
  cr_assert_eq(tn_config_text(config, "billing", "password", &again, NULL),
               TN_OK);
  cr_expect_eq(first, again, "the same text is kept once");
  setenv("TENON_TEST_PASSWORD", "two", 1);
  cr_assert_eq(tn_config_text(config, "billing", "password", &second, NULL),
               TN_OK);
  setenv("TENON_TEST_PASSWORD", "one", 1);
  cr_assert_eq(tn_config_text(config, "billing", "password", &back, NULL),
               TN_OK);
  cr_expect_str_eq(first, "one");
  cr_expect_str_eq(second, "two");
  cr_expect_eq(back, first);
  cr_expect_str_eq(tn_config_origin(config, "billing", "password"), "t.ini:6");
}

Test(config, a_secret_that_is_not_there_is_refused_when_it_is_asked_for)
{
  TN_CLEANUP(tn_config_free) tn_config *config = parse(two_databases);
  const char *text = "untouched";
  tn_err err = TN_ERR_INIT;

  unsetenv("TENON_TEST_PASSWORD");
  cr_expect_eq(tn_config_text(config, "billing", "password", &text, &err),
               TN_E_CONFIG);
  cr_expect_str_eq(err.message,
                   "t.ini:6: [database:billing] password: secret: environment "
                   "variable TENON_TEST_PASSWORD is not set, or not read "
                   "because the process has raised privileges");
  cr_expect_str_eq(text, "untouched");
}

/* One of several threads that ask for a changing secret. */
static void *
ask(void *user)
{
  const tn_config *config = user;
  size_t i;

  for (i = 0; i < 2000; i++) {
    const char *text = NULL;
    int64_t number = 0;

    if (tn_config_text(config, "billing", "password", &text, NULL) != TN_OK ||
        strcmp(text, "one") != 0 ||
        tn_config_number(config, "database", "max_pool_size", &number, NULL) !=
            TN_OK ||
        number != 7)
      return user;
  }
  return NULL;
}

Test(config, threads_share_it)
{
  TN_CLEANUP(tn_config_free) tn_config *config = parse(two_databases);
  pthread_t threads[4];
  size_t i;

  setenv("TENON_TEST_PASSWORD", "one", 1);
  for (i = 0; i < TN_COUNT(threads); i++)
    cr_assert_eq(pthread_create(&threads[i], NULL, ask, config), 0);
  for (i = 0; i < TN_COUNT(threads); i++) {
    void *failed = NULL;

    cr_assert_eq(pthread_join(threads[i], &failed), 0);
    cr_expect_null(failed);
  }
}

/* ------------------------------------------------------------------ */
/* Release and memory                                                  */

Test(config, release_is_idempotent)
{
  tn_config *config = parse(two_databases);

  tn_config_free(&config);
  cr_expect_null(config);
  tn_config_free(&config);
  tn_config_free(NULL);
}

/* An allocator that keeps what is released, to look for secrets in it. */
static struct {
  void *blocks[4096];
  size_t count;
} kept;

static void *
keeping_alloc(size_t size, void *user)
{
  (void)user;
  return calloc(1, size);
}

static void
keeping_release(void *memory, void *user)
{
  (void)user;
  if (memory != NULL && kept.count < TN_COUNT(kept.blocks))
    kept.blocks[kept.count++] = memory;
}

/* Always to another place, as realloc() may. */
static void *
keeping_resize(void *memory, size_t size, void *user)
{
  size_t old_size = memory != NULL ? malloc_usable_size(memory) : 0;
  void *moved = keeping_alloc(size, user);

  if (moved != NULL && memory != NULL)
    memcpy(moved, memory, old_size < size ? old_size : size);
  keeping_release(memory, user);
  return moved;
}

static bool
has_canary(const char *bytes, size_t size)
{
  return memmem(bytes, size, "Canary", 6) != NULL;
}

static const struct tn_allocator keeping = {
  .alloc = keeping_alloc,
  .resize = keeping_resize,
  .release = keeping_release,
};

/* Look through all that was released, and release it. */
static void
expect_no_canary(const char *when)
{
  size_t i;

  tn_allocator_set(NULL);
  cr_expect_gt(kept.count, 2, "%s", when);
  for (i = 0; i < kept.count; i++) {
    cr_expect_not(
        has_canary(kept.blocks[i], malloc_usable_size(kept.blocks[i])),
        "%s: block %zu", when, i);
    free(kept.blocks[i]);
  }
  kept.count = 0;
}

static const char canaries[] = "[database]\n"
                               "password = Canary17\n"
                               "connection = pg://u:Canary17@h/d\n"
                               "[database:a]\n"
                               "password = env:TENON_TEST_CANARY\n";

Test(config, no_secret_is_left_in_released_memory)
{
  tn_config *config = NULL;
  const char *value = NULL;

  setenv("TENON_TEST_CANARY", "Canary18", 1);
  tn_allocator_set(&keeping);
  cr_assert_eq(tn_config_parse(canaries, sizeof(canaries) - 1, "t.ini", NULL,
                               &config, NULL),
               TN_OK);
  cr_assert_eq(tn_config_text(config, "a", "password", &value, NULL), TN_OK);
  cr_expect_str_eq(value, "Canary18");
  cr_assert_eq(tn_config_text(config, "a", "password", &value, NULL), TN_OK);
  tn_config_free(&config);
  expect_no_canary("parse");
}

Test(config, no_secret_of_a_file_is_left_in_released_memory)
{
  char path[] = "/tmp/tenon-config-XXXXXX";
  int fd = mkstemp(path);
  tn_config *config = NULL;

  cr_assert_geq(fd, 0);
  cr_assert_eq(write(fd, canaries, sizeof(canaries) - 1),
               (ssize_t)sizeof(canaries) - 1);
  close(fd);
  tn_allocator_set(&keeping);
  cr_assert_eq(tn_config_load(path, NULL, &config, NULL), TN_OK);
  tn_config_free(&config);
  expect_no_canary("load");
  cr_assert_eq(unlink(path), 0);
}

Test(config, no_secret_of_a_failed_parse_is_left_in_released_memory)
{
  static const char text[] = "[database]\npassword = Canary17\nx\n";
  tn_config *config = NULL;

  tn_allocator_set(&keeping);
  cr_assert_eq(
      tn_config_parse(text, sizeof(text) - 1, "t.ini", NULL, &config, NULL),
      TN_E_CONFIG);
  cr_expect_null(config);
  expect_no_canary("failure");
}

/* Everything that one configuration is used for. Memory that the test frees
 * itself is none of oom's. */
static enum tn_code
use_all(tn_err *err)
{
  TN_CLEANUP(tn_config_free) tn_config *config = NULL;
  const char *text = NULL;
  int64_t number;
  enum tn_code rc;

  rc = tn_config_parse(two_databases, sizeof(two_databases) - 1, "t.ini", NULL,
                       &config, err);
  if (rc != TN_OK)
    return rc;
  rc = tn_config_number(config, "billing", "max_retries", &number, err);
  if (rc != TN_OK)
    return rc;
  return tn_config_text(config, "billing", "password", &text, err);
}

static void
walk(bool and_all_after)
{
  long nth;

  for (nth = 1; nth < 1000; nth++) {
    tn_err err = TN_ERR_INIT;
    enum tn_code rc;

    oom_fail_nth(nth, and_all_after);
    rc = use_all(&err);
    cr_assert_eq(oom_live(), 0, "allocation %ld", nth);
    if (oom_count() < nth)
      break;
    cr_assert_eq(rc, TN_E_MEMORY, "allocation %ld: %s", nth, err.message);
    cr_assert_eq(err.code, TN_E_MEMORY, "allocation %ld", nth);
  }
  oom_reset();
  cr_expect(nth > 5 && nth < 1000, "%ld", nth);
}

Test(config, want_of_memory_for_many_databases_is_an_error)
{
  struct tn_strbuf text = TN_STRBUF_INIT(1 << 20);
  long nth;
  size_t i;

  for (i = 0; i < 200; i++)
    tn_strbuf_add_format(&text,
                         "[database:d%zu]\n%s[database:e%zu]\n"
                         "connection=%01000zu\n",
                         i, i % 2 == 0 ? "password=x\n" : "", i, i);
  for (nth = 1; nth < 10000; nth++) {
    tn_config *config = NULL;
    enum tn_code rc;

    oom_fail_nth(nth, false);
    rc = tn_config_parse(tn_strbuf_text(&text), text.size, "t.ini", NULL,
                         &config, NULL);
    tn_config_free(&config);
    cr_assert_eq(oom_live(), 0, "allocation %ld", nth);
    if (oom_count() < nth)
      break;
    cr_assert_eq(rc, TN_E_MEMORY, "allocation %ld", nth);
  }
  oom_reset();
  cr_expect(nth > 50 && nth < 10000, "%ld", nth);
  tn_strbuf_clear(&text);
}

Test(config, want_of_memory_at_any_point_is_an_error)
{
  setenv("TENON_TEST_PASSWORD", "one", 1);
  walk(false);
  walk(true);
}
