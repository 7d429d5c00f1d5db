/* References: what oslo.config makes of a '$' in a value. */
#include "config_priv.h"

#include <criterion/criterion.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <tenon/memory.h>
#include <unistd.h>

#include "oom.h"
#include "strbuf.h"

static enum tn_code
load_text(const char *text, tn_config **ret, tn_err *err)
{
  return tn_config_parse(text, strlen(text), "t.ini", NULL, ret, err);
}

/* ------------------------------------------------------------------ */
/* What is put in                                                      */

#define CONNECTION "[database]\nconnection = "

struct good_case {
  const char *text;
  const char *database;
  const char *key;
  const char *value;
};

static const struct good_case good_cases[] = {
  /* Dollars. */
  { CONNECTION "my://u:pa$$w@h/d\n", "database", "connection",
    "my://u:pa$w@h/d" },
  { CONNECTION "my://u:pa\\$w@h/d\n", "database", "connection",
    "my://u:pa$w@h/d" },
  { CONNECTION "a$$$$b\n", "database", "connection", "a$$b" },
  { CONNECTION "a\\b\\\n", "database", "connection", "a\\b\\" },
  { CONNECTION "5$\n", "database", "connection", "5$" },
  { CONNECTION "$5 $- ${ ${} ${1} ${a-b} ${a\n", "database", "connection",
    "$5 $- ${ ${} ${1} ${a-b} ${a" },
  { CONNECTION "$$max_retries $${max_retries}\n", "database", "connection",
    "$max_retries ${max_retries}" },
  { CONNECTION "$$$max_retries\n", "database", "connection", "$10" },

  /* Options of ours: as given, by their old names, or their defaults. */
  { "[database]\npassword = x\nconnection = a:$password/${password}b\n",
    "database", "connection", "a:x/xb" },
  { "[database]\nmysql_sql_mode = $max_retries$retry_interval\n", "database",
    "mysql_sql_mode", "1010" },
  { CONNECTION "a$slave_connection\n", "database", "connection", "a" },
  { CONNECTION "a$idle_timeout\nidle_timeout=7\n", "database", "connection",
    "a7" },
  { "[database]\nmax_overflow = $max_pool_size\nmax_pool_size = 8\n",
    "database", "max_overflow", "8" },
  { "[database]\nmax_retries = 3\n[database:a]\nmysql_sql_mode=$max_retries "
    "${database.max_retries}\nmax_retries = 4\n",
    "a", "mysql_sql_mode", "4 3" },
  { "[database]\nmax_retries = 3\n[database:a]\nmysql_sql_mode=$max_retries\n",
    "a", "mysql_sql_mode", "10" },

  /* Options of others. */
  { "[DEFAULT]\nstate_path = /var/lib/nova\n" CONNECTION
    "sqlite:///$state_path/nova.sqlite\n",
    "database", "connection", "sqlite:////var/lib/nova/nova.sqlite" },
  { "[DEFAULT]\nstate_path = /var/lib/nova\n" CONNECTION
    "sqlite:///$state_path/$sqlite_db\nsqlite_db = n.db\n",
    "database", "connection", "sqlite:////var/lib/nova/n.db" },
  { "[DEFAULT]\nstate_path = \"/a b\"\nsql_connection = x$state_path\n",
    "database", "connection", "x/a b" },
  { CONNECTION "${vault.pw}$DEFAULT.x\n[DEFAULT]\nx=1\n[vault]\n garbage\n"
               "\xFF\npw=s\n",
    "database", "connection", "s1" },
  { "[DEFAULT]\na=1\na=2\n" CONNECTION "$a\n[DEFAULT]\na=3\n", "database",
    "connection", "3" },
  { CONNECTION "$a\n[DEFAULT]\na=$b-${o.c}\nb=1\n[o]\nc=$d$b\nd=4\n",
    "database", "connection", "1-41" },
  { CONNECTION "$a\n[DEFAULT]\na=x$$b\n", "database", "connection", "x$b" },
  { CONNECTION "$a\n[DEFAULT]\na=[$database.password]\n"
               "[database]\npassword=x$$\n",
    "database", "connection", "[x$]" },
  { CONNECTION "$a\n[DEFAULT]\na=\n", "database", "connection", "" },
  { "[database]\npassword = file:$a/pw\n[DEFAULT]\na=/nowhere\n", "database",
    "slave_connection", NULL },
  { "[database:x]\nconnection = $a\n[DEFAULT]\na=1\n", "x", "connection", "1" },
};

Test(config_refer, a_reference_stands_for_the_value_of_what_it_names)
{
  size_t i;

  for (i = 0; i < TN_COUNT(good_cases); i++) {
    const struct good_case *c = &good_cases[i];
    TN_CLEANUP(tn_config_free) tn_config *config = NULL;
    tn_err err = TN_ERR_INIT;
    const char *value = NULL;

    cr_expect_eq(load_text(c->text, &config, &err), TN_OK,
                 "case %zu: \"%s\": %s", i, c->text, err.message);
    if (config == NULL)
      continue;
    cr_expect_eq(tn_config_text(config, c->database, c->key, &value, &err),
                 TN_OK, "case %zu: %s", i, err.message);
    cr_expect(value == NULL ? c->value == NULL
                            : c->value != NULL && strcmp(value, c->value) == 0,
              "case %zu: \"%s\" gave \"%s\"", i, c->text,
              value != NULL ? value : "(none)");
  }
}

Test(config_refer, a_number_that_is_referred_to_is_checked_as_one)
{
  TN_CLEANUP(tn_config_free) tn_config *config = NULL;
  tn_err err = TN_ERR_INIT;
  int64_t number = 0;

  cr_assert_eq(load_text("[DEFAULT]\nworkers = 6\n[database]\nmax_pool_size = "
                         "${workers}0\npool_timeout = $nothing\n"
                         "[DEFAULT]\nnothing=\n",
                         &config, &err),
               TN_OK, "%s", err.message);
  cr_expect_eq(
      tn_config_number(config, "database", "max_pool_size", &number, &err),
      TN_OK);
  cr_expect_eq(number, 60);
  cr_expect_eq(
      tn_config_number(config, "database", "pool_timeout", &number, &err),
      TN_E_NOT_FOUND);
  cr_expect_str_eq(tn_config_origin(config, "database", "max_pool_size"),
                   "t.ini:4");
}

/* Whatever the option is, its value may be made of a secret. */
Test(config_refer, a_wrong_value_that_was_referred_to_is_not_shown)
{
  static const char *const lines[] = { "max_pool_size = $password\n",
                                       "max_pool_size = 1$password\n",
                                       "pool_kind = ${database.password}\n",
                                       "use_tpool = $other\n" };
  size_t i;

  for (i = 0; i < TN_COUNT(lines); i++) {
    TN_CLEANUP(tn_config_free) tn_config *config = NULL;
    tn_err err = TN_ERR_INIT;
    char text[256];

    (void)snprintf(text, sizeof(text),
                   "[DEFAULT]\nother = Canary\n[database]\npassword = Canary\n"
                   "%s",
                   lines[i]);
    cr_expect_eq(load_text(text, &config, &err), TN_E_CONFIG, "%s", lines[i]);
    cr_expect_null(strstr(err.message, "Canary"), "%s", err.message);
    cr_expect_not_null(strstr(err.message, "t.ini:5"), "%s", err.message);
    cr_expect_not_null(strstr(err.message, "must be"), "%s", err.message);
  }
}

/* What a file or a variable holds is nobody's template. */
Test(config_refer, what_a_secret_holds_is_taken_as_it_is)
{
  TN_CLEANUP(tn_config_free) tn_config *config = NULL;
  const char *value = NULL;

  setenv("TENON_TEST_REFER", "a$$b$c", 1);
  cr_assert_eq(load_text("[database]\npassword = env:TENON_TEST_$name\n"
                         "[DEFAULT]\nname = REFER\n",
                         &config, NULL),
               TN_OK);
  cr_expect_eq(tn_config_text(config, "database", "password", &value, NULL),
               TN_OK);
  cr_expect_str_eq(value, "a$$b$c");
}

/* ------------------------------------------------------------------ */
/* What is refused                                                     */

static const struct {
  const char *text;
  const char *message;
} bad_cases[] = {
  { CONNECTION "sqlite:///$state_path/x\n",
    "t.ini:2: [database] connection: the name at byte 12 of the value, behind "
    "a '$', is that of no option that a file sets; write $$ for a dollar" },
  { "[database]\npassword = pa$w\n[w]\nw=1\n",
    "t.ini:2: [database] password: the name at byte 4 of the value, behind a "
    "'$', is that of no option that a file sets; write $$ for a dollar" },
  { "[DEFAULT]\nsql_connection = ${x.a}\n[x]\nb=1\n",
    "t.ini:2: [DEFAULT] sql_connection: the name at byte 3 of the value, "
    "behind a '$', is that of no option that a file sets; write $$ for a "
    "dollar" },
  { CONNECTION "$a\n[DEFAULT]\n\na = x$b\n",
    "t.ini:5: [DEFAULT] a: the name at byte 3 of the value, behind a '$', is "
    "that of no option that a file sets; write $$ for a dollar" },
  { CONNECTION "a$connection\n",
    "t.ini:2: [database] connection: refers to itself, or is referred to "
    "through more than 16 others" },
  { CONNECTION "$a\n[DEFAULT]\na=${o.b}$a\n[o]\nb=$a\n",
    "t.ini:4: [DEFAULT] a: refers to itself, or is referred to through more "
    "than 16 others" },
  { CONNECTION "$password.\npassword = x\n[password]\n=1\n",
    "t.ini:2: [database] connection: the name at byte 2 of the value, behind a "
    "'$', is that of no option that a file sets; write $$ for a dollar" },
  { "[database]\nmax_retries = $a\n[DEFAULT]\na=many\n",
    "t.ini:2: [database] max_retries = \"(what it refers to)\": must be a "
    "whole number from -1 to 2147483647" },
  { "[database]\nmax_retries = $$5\n",
    "t.ini:2: [database] max_retries = \"$5\": must be a whole number from -1 "
    "to 2147483647" },
  { CONNECTION "$a\n[DEFAULT]\na=x\n y\n",
    "t.ini:5: line starts with a blank; a value is one line, and keys and "
    "comments start at the margin" },
};

Test(config_refer, what_it_cannot_stand_for_is_refused_with_its_place)
{
  size_t i;

  for (i = 0; i < TN_COUNT(bad_cases); i++) {
    tn_config *config = NULL;
    tn_err err = TN_ERR_INIT;

    cr_expect_eq(load_text(bad_cases[i].text, &config, &err), TN_E_CONFIG,
                 "case %zu: \"%s\"", i, bad_cases[i].text);
    cr_expect_str_eq(err.message, bad_cases[i].message, "case %zu: \"%s\": %s",
                     i, bad_cases[i].text, err.message);
    cr_expect_null(config, "case %zu", i);
    tn_config_free(&config);
  }
}

/* Each refers twice to the next: that is soon said, and too long in the end. */
Test(config_refer, doubling_ends, .timeout = 10.0)
{
  struct tn_strbuf text = TN_STRBUF_INIT(1 << 20);
  tn_err err = TN_ERR_INIT;
  unsigned i, is_long;

  for (is_long = 0; is_long < 2; is_long++) {
    tn_config *config = NULL;

    tn_strbuf_add_text(&text, CONNECTION "$a1\n[DEFAULT]\n");
    for (i = 1; i < 15; i++)
      tn_strbuf_add_format(&text, "a%u=$a%u$a%u$a%u$a%u\n", i, i + 1, i + 1,
                           i + 1, i + 1);
    tn_strbuf_add_format(&text, "a15=%s\n", is_long != 0 ? "x" : "");
    cr_expect_eq(load_text(tn_strbuf_text(&text), &config, &err),
                 is_long != 0 ? TN_E_CONFIG : TN_OK, "%s", err.message);
    tn_config_free(&config);
    tn_strbuf_clear(&text);
  }
  cr_expect_not_null(strstr(err.message, "longer than 65536 bytes"), "%s",
                     err.message);
}

/* ------------------------------------------------------------------ */
/* Several files                                                       */

static void
write_file(const char *folder, const char *name, const char *text)
{
  char path[256];
  FILE *file;

  (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
  file = fopen(path, "w");
  cr_assert_not_null(file);
  fputs(text, file);
  fclose(file);
}

Test(config_refer, the_last_file_counts)
{
  char folder[] = "/tmp/tenon-refer-XXXXXX", path[128], command[128];
  TN_CLEANUP(tn_config_free) tn_config *config = NULL;
  tn_err err = TN_ERR_INIT;
  const char *value = NULL;

  cr_assert_not_null(mkdtemp(folder));
  (void)snprintf(path, sizeof(path), "%s/t.ini.d", folder);
  cr_assert_eq(mkdir(path, 0700), 0);
  write_file(path, "1.conf", "[DEFAULT]\nstate_path = /two\n");
  write_file(path, "2.conf", "[other]\nx = 1\n[database]\n");
  (void)snprintf(path, sizeof(path), "%s/t.ini", folder);
  write_file(folder, "t.ini",
             CONNECTION "$state_path\n[DEFAULT]\nstate_path = /one\n");
  cr_assert_eq(tn_config_load(path, NULL, &config, &err), TN_OK, "%s",
               err.message);
  cr_expect_eq(tn_config_text(config, "database", "connection", &value, NULL),
               TN_OK);
  cr_expect_str_eq(value, "/two");
  (void)snprintf(command, sizeof(command), "rm -r %s", folder);
  cr_expect_eq(system(command), 0);
}

/* ------------------------------------------------------------------ */
/* Memory                                                              */

static const char canaries[] = "[DEFAULT]\npw = Canary1$$\nother = ${v.pw}\n"
                               "[v]\npw = Canary2\n"
                               "[database]\npassword = Canary3$pw\n"
                               "connection = my://u:$other@h/$password\n"
                               "[database:bad]\npassword = $Canary4\n";

/* An allocator that looks for secrets in what is released. */
static size_t secrets_left;

static void *
plain_alloc(size_t size, void *user)
{
  (void)user;
  return calloc(1, size);
}

static void
looking_release(void *memory, void *user)
{
  (void)user;
  if (memory != NULL &&
      memmem(memory, malloc_usable_size(memory), "Canary", 6) != NULL)
    secrets_left++;
  free(memory);
}

static void *
looking_resize(void *memory, size_t size, void *user)
{
  size_t old_size = memory != NULL ? malloc_usable_size(memory) : 0;
  void *moved = plain_alloc(size, user);

  if (moved != NULL && memory != NULL)
    memcpy(moved, memory, old_size < size ? old_size : size);
  looking_release(memory, user);
  return moved;
}

Test(config_refer, no_secret_is_left_in_memory_or_told)
{
  static const struct tn_allocator looking = { .alloc = plain_alloc,
                                               .resize = looking_resize,
                                               .release = looking_release };
  size_t whole = sizeof(canaries) - 1;
  size_t without_bad = (size_t)(strstr(canaries, "[database:bad]") - canaries);
  tn_config *config = NULL;
  tn_err err = TN_ERR_INIT;

  tn_allocator_set(&looking);
  cr_expect_eq(
      tn_config_parse(canaries, without_bad, "t.ini", NULL, &config, &err),
      TN_OK, "%s", err.message);
  tn_config_free(&config);
  cr_expect_eq(secrets_left, 0, "%zu", secrets_left);
  cr_expect_eq(tn_config_parse(canaries, whole, "t.ini", NULL, &config, &err),
               TN_E_CONFIG);
  tn_allocator_set(NULL);
  cr_expect_eq(secrets_left, 0, "%zu", secrets_left);
  cr_expect_null(strstr(err.message, "Canary"), "%s", err.message);
}

Test(config_refer, want_of_memory_at_any_point_is_an_error)
{
  size_t size = (size_t)(strstr(canaries, "[database:bad]") - canaries);
  long nth;

  for (nth = 1; nth < 1000; nth++) {
    tn_config *config = NULL;
    tn_err err = TN_ERR_INIT;
    enum tn_code rc;

    oom_fail_nth(nth, false);
    rc = tn_config_parse(canaries, size, "t.ini", NULL, &config, &err);
    tn_config_free(&config);
    cr_assert_eq(oom_live(), 0, "allocation %ld", nth);
    if (oom_count() < nth)
      break;
    cr_assert_eq(rc, TN_E_MEMORY, "allocation %ld: %s", nth, err.message);
  }
  oom_reset();
  cr_expect(nth > 10 && nth < 1000, "%ld", nth);
}
