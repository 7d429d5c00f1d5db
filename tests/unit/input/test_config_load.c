/* Which files are read, in what order, and which are refused. */
#include "config_priv.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "oom.h"
#include "strbuf.h"

/* ------------------------------------------------------------------ */
/* A folder for one test                                               */

static char folder[64];
static struct tn_strbuf lines = TN_STRBUF_INIT(1 << 16);
static char path_text[512];

static void
make_folder(void)
{
  strcpy(folder, "/tmp/tenon-config-XXXXXX");
  cr_assert_not_null(mkdtemp(folder));
  umask(022);
}

static void
remove_folder(void)
{
  char command[128];

  tn_strbuf_clear(&lines);
  (void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
  if (strncmp(folder, "/tmp/tenon-config-", 18) == 0 && system(command) != 0)
    (void)fputs("cannot remove the folder\n", stderr);
}

TestSuite(config_load, .init = make_folder, .fini = remove_folder);

/* The path of `name` in the folder, good until the next call. */
static const char *
in_folder(const char *name)
{
  (void)snprintf(path_text, sizeof(path_text), "%s/%s", folder, name);
  return path_text;
}

static void
put(const char *name, mode_t mode, const char *text)
{
  int fd = open(in_folder(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

  cr_assert_geq(fd, 0, "%s", name);
  cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
  cr_assert_eq(fchmod(fd, mode), 0);
  close(fd);
}

static void
put_folder(const char *name)
{
  cr_assert_eq(mkdir(in_folder(name), 0755), 0, "%s", name);
}

static void
write_line(uint32_t level, const char *line, void *user)
{
  (void)user;
  tn_strbuf_add_format(&lines, "%s: %s\n", tn_log_level_name(level), line);
}

static enum tn_code
load(const char *name, tn_config **ret, tn_err *err)
{
  const struct tn_log log = { .level = TN_LOG_DEBUG, .write = write_line };
  char path[512];

  tn_strbuf_clear(&lines);
  strcpy(path, in_folder(name));
  return tn_config_load(path, &log, ret, err);
}

static int64_t
number_of(const tn_config *config, const char *key)
{
  int64_t number = INT64_MIN;

  cr_expect_eq(tn_config_number(config, "database", key, &number, NULL), TN_OK,
               "%s", key);
  return number;
}

/* Does the load fail with that code and with a message that ends so, after the
 * folder's name? */
static void TN_PRINTF(3, 4)
    expect_refused(const char *name, enum tn_code code, const char *fmt, ...)
{
  tn_config *const before = (tn_config *)(uintptr_t)8;
  tn_config *config = before;
  tn_err err = TN_ERR_INIT;
  char expected[1024];
  va_list values;

  va_start(values, fmt);
  (void)vsnprintf(expected, sizeof(expected), fmt, values);
  va_end(values);
  cr_expect_eq(load(name, &config, &err), code, "%s", err.message);
  cr_expect_eq(err.code, (int32_t)code);
  cr_expect_str_eq(err.message, expected);
  cr_expect_eq(config, before);
}

/* ------------------------------------------------------------------ */
/* Which files                                                         */

Test(config_load, a_file_alone_is_a_configuration)
{
  TN_CLEANUP(tn_config_free) tn_config *config = NULL;
  char origin[600];

  put("t.ini", 0644, "[database]\nmax_retries = 3\n");
  cr_assert_eq(load("t.ini", &config, NULL), TN_OK);
  cr_expect_eq(number_of(config, "max_retries"), 3);
  cr_expect_str_eq(tn_config_file(config, 0), in_folder("t.ini"));
  cr_expect_null(tn_config_file(config, 1));
  (void)snprintf(origin, sizeof(origin), "%s:2", in_folder("t.ini"));
  cr_expect_str_eq(tn_config_origin(config, "database", "max_retries"), origin);
  cr_expect_str_eq(tn_strbuf_text(&lines), "");
}

static void
put_parts(const char *name)
{
  char part[64];
  size_t i;
  static const char *const parts[][2] = {
    { "20-b.conf", "[database]\nmax_retries = 20\nretry_interval = 20\n" },
    { "10-a.conf", "[database]\nmax_retries = 10\nmax_overflow = 10\n" },
    { "B.conf", "[database]\nmax_pool_size = 1\n" },
    { "a.conf", "[database]\nmax_pool_size = 2\n" },
    { ".hidden.conf", "wrong" },
    { "#edited.conf", "wrong" },
    { "#edited.conf#", "wrong" },
    { ".#locked.conf", "wrong" },
    { "30-c.conf~", "wrong" },
    { "30-c.conf.bak", "wrong" },
    { "30-c.conf.dpkg-old", "wrong" },
    { "30-c.ini", "wrong" },
    { "README", "wrong" },
    { ".conf", "wrong" },
  };

  put_folder(name);
  for (i = 0; i < TN_COUNT(parts); i++) {
    (void)snprintf(part, sizeof(part), "%s/%s", name, parts[i][0]);
    put(part, 0644, parts[i][1]);
  }
}

static void
expect_parts(const tn_config *config, const char *name)
{
  static const char *const order[] = { "10-a.conf", "20-b.conf", "B.conf",
                                       "a.conf" };
  char part[64];
  size_t i;

  for (i = 0; i < TN_COUNT(order); i++) {
    (void)snprintf(part, sizeof(part), "%s/%s", name, order[i]);
    cr_expect_str_eq(tn_config_file(config, i + 1), in_folder(part));
  }
  cr_expect_null(tn_config_file(config, i + 1));
  cr_expect_eq(number_of(config, "max_retries"), 20);
  cr_expect_eq(number_of(config, "max_overflow"), 10);
  cr_expect_eq(number_of(config, "max_pool_size"), 2);
}

Test(config_load, the_folder_of_its_own_name_is_read_after_it_in_c_order)
{
  TN_CLEANUP(tn_config_free) tn_config *config = NULL;
  tn_err err = TN_ERR_INIT;

  put("t.ini", 0644, "[database]\nmax_retries = 1\nuse_db_reconnect = yes\n");
  put_parts("t.ini.d");
  cr_assert_eq(load("t.ini", &config, &err), TN_OK, "%s", err.message);
  expect_parts(config, "t.ini.d");
  cr_expect_eq(number_of(config, "use_db_reconnect"), 1);
}

Test(config_load, the_common_folder_is_read_if_there_is_no_own_one)
{
  TN_CLEANUP(tn_config_free) tn_config *config = NULL;
  tn_err err = TN_ERR_INIT;

  put("t.ini", 0644, "");
  put_parts("conf.d");
  cr_assert_eq(load("t.ini", &config, &err), TN_OK, "%s", err.message);
  expect_parts(config, "conf.d");
}

Test(config_load, a_path_without_a_folder_works)
{
  TN_CLEANUP(tn_config_free) tn_config *config = NULL;
  tn_err err = TN_ERR_INIT;

  put("t.ini", 0644, "");
  put_folder("conf.d");
  put("conf.d/x.conf", 0644, "[database]\nmax_retries = 4\n");
  cr_assert_eq(chdir(folder), 0);
  cr_assert_eq(tn_config_load("t.ini", NULL, &config, &err), TN_OK, "%s",
               err.message);
  cr_expect_eq(number_of(config, "max_retries"), 4);
  cr_expect_str_eq(tn_config_origin(config, "database", "max_retries"),
                   "conf.d/x.conf:2");
}

Test(config_load, both_folders_are_one_too_many)
{
  char own[512];

  put("t.ini", 0644, "");
  put_folder("t.ini.d");
  put_folder("conf.d");
  strcpy(own, in_folder("t.ini.d"));
  expect_refused("t.ini", TN_E_CONFIG,
                 "config: both %s and %s are there; keep the first, and move "
                 "the files of the second into it",
                 own, in_folder("conf.d"));
}

Test(config_load, one_folder_under_both_names_is_one_folder)
{
  TN_CLEANUP(tn_config_free) tn_config *config = NULL;

  put("t.ini", 0644, "");
  put_folder("t.ini.d");
  put("t.ini.d/x.conf", 0644, "[database]\nmax_retries = 4\n");
  cr_assert_eq(symlink("t.ini.d", in_folder("conf.d")), 0);
  cr_assert_eq(load("t.ini", &config, NULL), TN_OK);
  cr_expect_eq(number_of(config, "max_retries"), 4);
}

Test(config_load, a_folder_that_is_none_is_refused)
{
  put("t.ini", 0644, "");
  put("conf.d", 0644, "");
  expect_refused("t.ini", TN_E_IO, "config: %s: not a folder",
                 in_folder("conf.d"));
}

Test(config_load, a_repeated_key_in_another_file_replaces)
{
  TN_CLEANUP(tn_config_free) tn_config *config = NULL;
  const char *text = NULL;

  put("t.ini", 0600, "[database:a]\npassword = one\n");
  put_folder("conf.d");
  put("conf.d/x.conf", 0600, "[database:a]\npassword = two\n");
  put("conf.d/y.conf", 0600, "[database:a]\npassword =\n");
  cr_assert_eq(load("t.ini", &config, NULL), TN_OK);
  cr_assert_eq(tn_config_text(config, "a", "password", &text, NULL), TN_OK);
  cr_expect_str_eq(text, "");
}

Test(config_load, an_old_name_in_one_file_and_the_new_one_in_another_is_fine)
{
  TN_CLEANUP(tn_config_free) tn_config *config = NULL;

  put("t.ini", 0644, "[DEFAULT]\nsql_max_retries = 3\n");
  put_folder("conf.d");
  put("conf.d/x.conf", 0644, "[database]\nmax_retries = 4\n");
  cr_assert_eq(load("t.ini", &config, NULL), TN_OK);
  cr_expect_eq(number_of(config, "max_retries"), 4);
}

Test(config_load, a_mistake_in_a_part_fails_the_whole)
{
  put("t.ini", 0644, "[database]\nmax_retries = 3\n");
  put_folder("conf.d");
  put("conf.d/x.conf", 0644, "[database]\nmax_retrys = 4\n");
  expect_refused("t.ini", TN_E_CONFIG,
                 "%s:2: [database] max_retrys: unknown key; did you mean "
                 "max_retries?",
                 in_folder("conf.d/x.conf"));
}

/* ------------------------------------------------------------------ */
/* Files that are not files                                            */

Test(config_load, a_file_that_is_not_there_is_refused)
{
  expect_refused("t.ini", TN_E_IO, "config: %s: No such file or directory",
                 in_folder("t.ini"));
}

Test(config_load, a_folder_as_the_file_is_refused)
{
  put_folder("t.ini");
  expect_refused("t.ini", TN_E_IO, "config: %s: not a regular file",
                 in_folder("t.ini"));
}

Test(config_load, a_pipe_as_the_file_is_refused_without_waiting, .timeout = 5.0)
{
  cr_assert_eq(mkfifo(in_folder("t.ini"), 0600), 0);
  expect_refused("t.ini", TN_E_IO, "config: %s: not a regular file",
                 in_folder("t.ini"));
}

Test(config_load, parts_that_are_no_regular_files_are_passed_over,
     .timeout = 5.0)
{
  TN_CLEANUP(tn_config_free) tn_config *config = NULL;
  tn_err err = TN_ERR_INIT;

  put("t.ini", 0644, "");
  put_folder("conf.d");
  put_folder("conf.d/folder.conf");
  cr_assert_eq(mkfifo(in_folder("conf.d/pipe.conf"), 0600), 0);
  put("real", 0644, "[database]\nmax_retries = 4\n");
  cr_assert_eq(symlink("../real", in_folder("conf.d/link.conf")), 0);
  cr_assert_eq(load("t.ini", &config, &err), TN_OK, "%s", err.message);
  cr_expect_eq(number_of(config, "max_retries"), 4);
  cr_expect_null(tn_config_file(config, 2));
  cr_expect_not_null(strstr(tn_strbuf_text(&lines),
                            "pipe.conf: not a regular file, not read"));
}

Test(config_load, a_part_that_cannot_be_read_is_refused)
{
  put("t.ini", 0644, "");
  put_folder("conf.d");
  cr_assert_eq(symlink("nowhere", in_folder("conf.d/x.conf")), 0);
  expect_refused("t.ini", TN_E_IO, "config: %s: No such file or directory",
                 in_folder("conf.d/x.conf"));
}

Test(config_load, a_file_without_right_to_read_is_refused)
{
  uid_t user = geteuid();

  put("t.ini", 0000, "");
  if (user == 0 && seteuid(65534) != 0)
    cr_skip_test("needs seteuid()");
  expect_refused("t.ini", TN_E_IO, "config: %s: Permission denied",
                 in_folder("t.ini"));
  cr_assert_eq(seteuid(user), 0);
}

Test(config_load, a_path_that_is_too_long_is_refused)
{
  char path[9000];
  tn_config *config = NULL;
  tn_err err = TN_ERR_INIT;

  memset(path, 'a', sizeof(path));
  path[sizeof(path) - 1] = '\0';
  cr_expect_eq(tn_config_load(path, NULL, &config, &err), TN_E_IO);
  cr_expect_null(config);
}

Test(config_load, a_file_that_is_too_large_is_refused)
{
  tn_config *config = NULL;
  tn_err err = TN_ERR_INIT;

  put("t.ini", 0644, "");
  cr_assert_eq(truncate(in_folder("t.ini"), ((off_t)16 << 20) + 1), 0);
  cr_expect_eq(load("t.ini", &config, &err), TN_E_IO, "%s", err.message);
}

/* ------------------------------------------------------------------ */
/* Who may write and read them                                         */

struct mode_case {
  mode_t mode;
  gid_t group;
  const char *reason; /* NULL: it loads */
};

static const struct mode_case mode_cases[] = {
  { 0600, 0, NULL },
  { 0644, 0, NULL },
  { 0664, 0, NULL },
  { 0640, 65534, NULL },
  { 0444, 65534, NULL },
  { 0660, 65534,
    "may be written by group 65534 (mode 0660); run chmod g-w on "
    "it" },
  { 0620, 65534,
    "may be written by group 65534 (mode 0620); run chmod g-w on "
    "it" },
  { 0666, 0, "may be written by every user (mode 0666); run chmod o-w on it" },
  { 0602, 0, "may be written by every user (mode 0602); run chmod o-w on it" },
};

Test(config_load, a_file_that_others_may_write_is_refused)
{
  size_t i;

  if (geteuid() != 0)
    cr_skip_test("needs root, to give files away");
  for (i = 0; i < TN_COUNT(mode_cases); i++) {
    const struct mode_case *c = &mode_cases[i];
    TN_CLEANUP(tn_config_free) tn_config *config = NULL;

    put("t.ini", 0600, "");
    cr_assert_eq(chown(in_folder("t.ini"), 0, c->group), 0);
    cr_assert_eq(chmod(in_folder("t.ini"), c->mode), 0);
    if (c->reason == NULL)
      cr_expect_eq(load("t.ini", &config, NULL), TN_OK, "case %zu", i);
    else
      expect_refused("t.ini", TN_E_CONFIG, "config: %s: %s", in_folder("t.ini"),
                     c->reason);
  }
}

Test(config_load, a_file_of_another_user_is_refused)
{
  if (geteuid() != 0)
    cr_skip_test("needs root, to give files away");
  put("t.ini", 0644, "");
  cr_assert_eq(chown(in_folder("t.ini"), 65534, 0), 0);
  expect_refused("t.ini", TN_E_CONFIG,
                 "config: %s: belongs to user 65534, who may change it; it "
                 "must be root's or user 0's",
                 in_folder("t.ini"));
}

Test(config_load, parts_and_their_folder_are_judged_as_well)
{
  put("t.ini", 0644, "");
  put_folder("conf.d");
  put("conf.d/x.conf", 0646, "");
  expect_refused("t.ini", TN_E_CONFIG,
                 "config: %s: may be written by every user (mode 0646); run "
                 "chmod o-w on it",
                 in_folder("conf.d/x.conf"));
  put("conf.d/x.conf", 0644, "");
  cr_assert_eq(chmod(in_folder("conf.d"), 01777), 0);
  expect_refused("t.ini", TN_E_CONFIG,
                 "config: %s: may be written by every user (mode 1777); run "
                 "chmod o-w on it",
                 in_folder("conf.d"));
}

Test(config_load, a_readable_file_with_a_secret_is_warned_about)
{
  TN_CLEANUP(tn_config_free) tn_config *config = NULL;
  char expected[1024];

  put("t.ini", 0644, "[database]\nconnection = pg://u:Canary17@h/d\n");
  cr_assert_eq(load("t.ini", &config, NULL), TN_OK);
  (void)snprintf(expected, sizeof(expected),
                 "warning: %s: a secret stands in it and every user may read "
                 "it (mode 0644); run chmod o-r on it\n",
                 in_folder("t.ini"));
  cr_expect_str_eq(tn_strbuf_text(&lines), expected);
}

Test(config_load, no_secret_or_no_reader_is_no_reason_to_warn)
{
  static const struct {
    mode_t mode;
    const char *text;
  } cases[] = {
    { 0640, "[database]\npassword = x\n" },
    { 0644, "[database]\npassword = env:X\n" },
    { 0644, "[database]\nconnection = pg://u@h/d\n" },
    { 0644, "[other]\npassword = x\n" },
  };
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    TN_CLEANUP(tn_config_free) tn_config *config = NULL;

    put("t.ini", cases[i].mode, cases[i].text);
    cr_assert_eq(load("t.ini", &config, NULL), TN_OK, "case %zu", i);
    cr_expect_str_eq(tn_strbuf_text(&lines), "", "case %zu: \"%s\"", i,
                     cases[i].text);
  }
}

/* ------------------------------------------------------------------ */
/* Without a path                                                      */

Test(config_load, the_environment_names_the_file)
{
  TN_CLEANUP(tn_config_free) tn_config *config = NULL;
  tn_err err = TN_ERR_INIT;

  put("t.ini", 0644, "[database]\nmax_retries = 3\n");
  setenv("TENON_CONFIG", in_folder("t.ini"), 1);
  cr_assert_eq(tn_config_load(NULL, NULL, &config, &err), TN_OK, "%s",
               err.message);
  cr_expect_eq(number_of(config, "max_retries"), 3);
}

Test(config_load, a_file_that_the_environment_names_must_be_there)
{
  tn_config *config = NULL;
  tn_err err = TN_ERR_INIT;

  setenv("TENON_CONFIG", in_folder("t.ini"), 1);
  cr_expect_eq(tn_config_load(NULL, NULL, &config, &err), TN_E_IO);
  cr_expect_null(config);
}

Test(config_load, the_usual_file_may_be_absent)
{
  TN_CLEANUP(tn_config_free) tn_config *config = NULL;
  tn_err err = TN_ERR_INIT;

  if (access(TN_SYSCONFDIR "/tenon", F_OK) == 0)
    cr_skip_test("there is a " TN_SYSCONFDIR "/tenon");
  setenv("TENON_CONFIG", "", 1);
  cr_assert_eq(tn_config_load(NULL, NULL, &config, &err), TN_OK, "%s",
               err.message);
  cr_expect_null(tn_config_file(config, 0));
  cr_expect_eq(number_of(config, "max_retries"), 10);
}

/* ------------------------------------------------------------------ */
/* Memory                                                              */

static void
walk(bool and_all_after)
{
  char path[512];
  long nth;

  strcpy(path, in_folder("t.ini"));
  for (nth = 1; nth < 1000; nth++) {
    tn_config *config = NULL;
    tn_err err = TN_ERR_INIT;
    enum tn_code rc;

    oom_fail_nth(nth, and_all_after);
    rc = tn_config_load(path, NULL, &config, &err);
    cr_expect(rc == TN_OK || config == NULL);
    tn_config_free(&config);
    cr_assert_eq(oom_live(), 0, "allocation %ld", nth);
    if (oom_count() < nth)
      break;
    cr_assert_eq(rc, TN_E_MEMORY, "allocation %ld: %s", nth, err.message);
  }
  oom_reset();
  cr_expect(nth > 10 && nth < 1000, "%ld", nth);
}

Test(config_load, want_of_memory_at_any_point_is_an_error)
{
  put("t.ini", 0644, "[database]\nconnection = pg://u:p@h/d\n");
  put_folder("conf.d");
  put("conf.d/x.conf", 0644, "[database:a]\nconnection = pg://u:p@h/d\n");
  put("conf.d/y.conf", 0644, "[database:b]\nmax_retries = 1\n");
  walk(false);
  walk(true);
}
