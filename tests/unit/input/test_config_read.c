/* What a configuration file may say: everything is read, or a line is named.
 *
 * The files of other programs under data/ must load as they are. */
#include "config_priv.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "file.h"
#include "strbuf.h"

/* ------------------------------------------------------------------ */
/* Help                                                                */

/* Log lines, each as "level: line\n". */
static void
write_line(uint32_t level, const char *line, void *user)
{
  tn_strbuf_add_format(user, "%s: %s\n", tn_log_level_name(level), line);
}

static enum tn_code
load_text(const char *text, size_t size, struct tn_strbuf *lines,
          tn_config **ret, tn_err *err)
{
  const struct tn_log log = { .level = TN_LOG_DEBUG,
                              .write = write_line,
                              .user = lines };

  return tn_config_parse(text, size, "t.ini", lines != NULL ? &log : NULL, ret,
                         err);
}

static const char *
text_of(const tn_config *config, const char *database, const char *key)
{
  const char *text = NULL;
  tn_err err = TN_ERR_INIT;

  cr_expect_eq(tn_config_text(config, database, key, &text, &err), TN_OK, "%s",
               err.message);
  return text;
}

static int64_t
number_of(const tn_config *config, const char *database, const char *key)
{
  int64_t number = INT64_MIN;
  tn_err err = TN_ERR_INIT;

  cr_expect_eq(tn_config_number(config, database, key, &number, &err), TN_OK,
               "%s", err.message);
  return number;
}

/* ------------------------------------------------------------------ */
/* Texts that are read                                                 */

#define TEXT(literal) literal, sizeof(literal) - 1

struct good_case {
  const char *text;
  size_t size;
  const char *database;
  const char *key;
  const char *value; /* NULL: none */
  const char *origin;
};

static const struct good_case good_cases[] = {
  { TEXT(""), "database", "max_retries", "10", "default" },
  { TEXT(""), "database", "connection", NULL, "default" },
  { TEXT("[database]"), "database", "connection", NULL, "default" },
  { TEXT("[database]\nmax_retries=3"), "database", "max_retries", "3",
    "t.ini:2" },
  { TEXT("\xEF\xBB\xBF[database]\r\nmax_retries = 3\r\n"), "database",
    "max_retries", "3", "t.ini:2" },
  { TEXT("[database]\nmax_retries : -1\n"), "database", "max_retries", "-1",
    "t.ini:2" },
  { TEXT("[database]\npassword = a ;b\n"), "database", "password", "a ;b",
    "t.ini:2" },
  { TEXT("[database]\npassword = a #b\n"), "database", "password", "a #b",
    "t.ini:2" },
  { TEXT("[database]\npassword = ;b\n"), "database", "password", ";b",
    "t.ini:2" },
  { TEXT("[database]\npassword = #b\n"), "database", "password", "#b",
    "t.ini:2" },
  { TEXT("[database]\npassword = \" a \"\n"), "database", "password", " a ",
    "t.ini:2" },
  { TEXT("[database]\npassword = a=b:c\n"), "database", "password", "a=b:c",
    "t.ini:2" },
  { TEXT("[database]\npassword =\n"), "database", "password", "", "t.ini:2" },
  { TEXT("[database]\nmysql_sql_mode =\n"), "database", "mysql_sql_mode", "",
    "t.ini:2" },
  { TEXT("[database]\npool_timeout =\n"), "database", "pool_timeout", "",
    "t.ini:2" },
  { TEXT("[database]\nconnection = ENV:x\n"), "database", "connection", "ENV:x",
    "t.ini:2" },
  { TEXT("[database]\nmysql_sql_mode = env:HOME\n"), "database",
    "mysql_sql_mode", "env:HOME", "t.ini:2" },
  { TEXT("[database]\nmax_retries=1\n[x]\nk=1\n[database]\nretry_interval=2"),
    "database", "retry_interval", "2", "t.ini:6" },
  { TEXT("[database:a]\nmax_retries=3\n[database]\nmax_retries=4"), "a",
    "max_retries", "3", "t.ini:2" },
  { TEXT("[database:a]\nmax_retries=3\n[database]\nmax_retries=4"), "database",
    "max_retries", "4", "t.ini:4" },
  { TEXT("[database]\nmax_retries=4\n[database:a]"), "a", "max_retries", "10",
    "default" },
  { TEXT("[database:a.b-c_D9]\nidle_timeout=4\n"), "a.b-c_D9",
    "connection_recycle_time", "4", "t.ini:2" },
  { TEXT("[database:a]\nmax_retries=1\n[database:a]\nmax_overflow=2"), "a",
    "max_overflow", "2", "t.ini:4" },
  { TEXT("[DEFAULT]\nsql_max_retries=3\n"), "database", "max_retries", "3",
    "t.ini:2" },
  { TEXT("[DATABASE]\nreconnect_interval=3\n"), "database", "retry_interval",
    "3", "t.ini:2" },
  { TEXT("[sql]\nidle_timeout=3\n"), "database", "connection_recycle_time", "3",
    "t.ini:2" },
  { TEXT("[sql]\nmax_retries=x\n[DATABASE]\nmax_retries=y\n"), "database",
    "max_retries", "10", "default" },
  { TEXT("[DEFAULT]\nno key\n  more\n\xFF=\0\nsql_max_retries=3\n"), "database",
    "max_retries", "3", "t.ini:5" },
  { TEXT("[datastore]\nmax_retries=x\n"), "database", "max_retries", "10",
    "default" },
  { TEXT("[api_database]\nmax_retries=x\n"), "database", "max_retries", "10",
    "default" },
  { TEXT("[DEFAULT]\nmax_retries=3\n"), "database", "max_retries", "10",
    "default" },
};

Test(config_read, a_value_arrives_whole_and_with_its_origin)
{
  size_t i;

  for (i = 0; i < TN_COUNT(good_cases); i++) {
    const struct good_case *c = &good_cases[i];
    TN_CLEANUP(tn_config_free) tn_config *config = NULL;
    tn_err err = TN_ERR_INIT;
    const char *value = "untouched";

    cr_expect_eq(load_text(c->text, c->size, NULL, &config, &err), TN_OK,
                 "case %zu: \"%s\": %s", i, c->text, err.message);
    if (config == NULL)
      continue;
    value = text_of(config, c->database, c->key);
    cr_expect(value == NULL ? c->value == NULL
                            : c->value != NULL && strcmp(value, c->value) == 0,
              "case %zu: \"%s\" gave \"%s\"", i, c->text,
              value != NULL ? value : "(none)");
    cr_expect_str_eq(tn_config_origin(config, c->database, c->key), c->origin,
                     "case %zu: \"%s\"", i, c->text);
  }
}

/* ------------------------------------------------------------------ */
/* Texts that are refused                                              */

struct bad_case {
  const char *text;
  size_t size;
  const char *message;
};

#define NAME_64                                                                \
  "0123456789012345678901234567890123456789012345678901234567890123"

static const struct bad_case bad_cases[] = {
  /* Keys. */
  { TEXT("[database]\nconection = x\n"),
    "t.ini:2: [database] conection: unknown key; did you mean connection?" },
  { TEXT("[database]\nsql_max_retries = 1\n"),
    "t.ini:2: [database] sql_max_retries: unknown key; did you mean "
    "max_retries?" },
  { TEXT("[database]\nfrobnicate = 1\n"),
    "t.ini:2: [database] frobnicate: unknown key" },
  { TEXT("[database:a]\nMax_Retries = 1\n"),
    "t.ini:2: [database:a] Max_Retries: unknown key; did you mean "
    "max_retries?" },
  { TEXT("max_retries = 1\n[database]\n"),
    "t.ini:1: the key stands before the first section; put [database] above "
    "it" },
  { TEXT("[database]\nmax_retries = 1\n\nmax_retries = 1\n"),
    "t.ini:4: [database] max_retries: line 2 gave it already, as [database] "
    "max_retries; keep one of the two" },
  { TEXT("[database]\npassword = a\n[x]\n[database]\npassword = b\n"),
    "t.ini:5: [database] password: line 2 gave it already, as [database] "
    "password; keep one of the two" },
  { TEXT("[DEFAULT]\nsql_max_retries = 1\n[database]\nmax_retries = 1\n"),
    "t.ini:4: [database] max_retries: line 2 gave it already, as [DEFAULT] "
    "sql_max_retries; keep one of the two" },
  { TEXT("[database]\nconnection_recycle_time=1\nidle_timeout=1\n"),
    "t.ini:3: [database] idle_timeout: line 2 gave it already, as [database] "
    "connection_recycle_time; keep one of the two" },
  { TEXT("[DEFAULT]\nsql_connection=a\n[sql]\nconnection=a\n"),
    "t.ini:4: [sql] connection: line 2 gave it already, as [DEFAULT] "
    "sql_connection; keep one of the two" },
  { TEXT("[database]\npool_timeout=\npool_timeout=3\n"),
    "t.ini:3: [database] pool_timeout: line 2 gave it already, as [database] "
    "pool_timeout; keep one of the two" },

  /* Numbers and bools. */
  { TEXT("[database]\nmax_retries = many\n"),
    "t.ini:2: [database] max_retries = \"many\": must be a whole number from "
    "-1 to 2147483647" },
  { TEXT("[database]\nmax_retries =\n"),
    "t.ini:2: [database] max_retries = \"\": must be a whole number from -1 "
    "to 2147483647" },
  { TEXT("[database]\nmax_retries = -2\n"),
    "t.ini:2: [database] max_retries = \"-2\": must be a whole number from -1 "
    "to 2147483647" },
  { TEXT("[database]\nmax_pool_size = -1\n"),
    "t.ini:2: [database] max_pool_size = \"-1\": must be a whole number from "
    "0 to 2147483647" },
  { TEXT("[database]\nmax_pool_size = 2147483648\n"),
    "t.ini:2: [database] max_pool_size = \"2147483648\": must be a whole "
    "number from 0 to 2147483647" },
  { TEXT("[database]\nmax_pool_size = 18446744073709551617\n"),
    "t.ini:2: [database] max_pool_size = \"18446744073709551617\": must be a "
    "whole number from 0 to 2147483647" },
  { TEXT("[database]\nmax_pool_size = 5 ; five\n"),
    "t.ini:2: [database] max_pool_size = \"5 ; five\": must be a whole number "
    "from 0 to 2147483647" },
  { TEXT("[database]\nmax_pool_size = 0x10\n"),
    "t.ini:2: [database] max_pool_size = \"0x10\": must be a whole number "
    "from 0 to 2147483647" },
  { TEXT("[database]\nmax_pool_size = 1.5\n"),
    "t.ini:2: [database] max_pool_size = \"1.5\": must be a whole number from "
    "0 to 2147483647" },
  { TEXT("[database]\nretry_interval = 5s\n"),
    "t.ini:2: [database] retry_interval = \"5s\": must be a whole number from "
    "0 to 2147483647" },
  { TEXT("[database]\nmax_retries = -\n"),
    "t.ini:2: [database] max_retries = \"-\": must be a whole number from -1 "
    "to 2147483647" },
  { TEXT("[database]\nmax_retries = --1\n"),
    "t.ini:2: [database] max_retries = \"--1\": must be a whole number from "
    "-1 to 2147483647" },
  { TEXT("[database]\nconnection_debug = 101\n"),
    "t.ini:2: [database] connection_debug = \"101\": must be a whole number "
    "from 0 to 100" },
  { TEXT("[database]\nmysql_wsrep_sync_wait = 16\n"),
    "t.ini:2: [database] mysql_wsrep_sync_wait = \"16\": must be a whole "
    "number from 0 to 15" },
  { TEXT("[DATABASE]\nsqlalchemy_pool_timeout = soon\n"),
    "t.ini:2: [DATABASE] sqlalchemy_pool_timeout = \"soon\": must be a whole "
    "number from 0 to 2147483647" },
  { TEXT("[database]\nconnection_trace = maybe\n"),
    "t.ini:2: [database] connection_trace = \"maybe\": must be true or false "
    "(1 or 0, yes or no, on or off)" },
  { TEXT("[database]\nconnection_trace =\n"),
    "t.ini:2: [database] connection_trace = \"\": must be true or false (1 or "
    "0, yes or no, on or off)" },
  { TEXT("[database]\nuse_db_reconnect = 2\n"),
    "t.ini:2: [database] use_db_reconnect = \"2\": must be true or false (1 "
    "or 0, yes or no, on or off)" },
  { TEXT("[database]\nuse_tpool = x\n"),
    "t.ini:2: [database] use_tpool = \"x\": must be true or false (1 or 0, "
    "yes or no, on or off)" },

  /* Sections. */
  { TEXT("[databse]\n"), "t.ini:1: section [databse]: did you mean "
                         "[database]?" },
  { TEXT("[Database]\n"), "t.ini:1: section [Database]: did you mean "
                          "[database]?" },
  { TEXT("[databases]\n"), "t.ini:1: section [databases]: did you mean "
                           "[database]?" },
  { TEXT("[ database ]\n"), "t.ini:1: section [ database ]: did you mean "
                            "[database]?" },
  { TEXT("[adtabase]\n"), "t.ini:1: section [adtabase]: did you mean "
                          "[database]?" },
  { TEXT("[datbse]\n"), "t.ini:1: section [datbse]: did you mean "
                        "[database]?" },
  { TEXT("[databse:billing]\n"), "t.ini:1: section [databse:billing]: did you "
                                 "mean [database:billing]?" },
  { TEXT("[DATABASE:billing]\n"),
    "t.ini:1: section [DATABASE:billing]: did you mean [database:billing]?" },
  { TEXT("[database:]\n"),
    "t.ini:1: section [database:]: the name of a database is 1 to 64 letters, "
    "digits, '_', '.' and '-'" },
  { TEXT("[database:a b]\n"),
    "t.ini:1: section [database:a b]: the name of a database is 1 to 64 "
    "letters, digits, '_', '.' and '-'" },
  { TEXT("[database:a:b]\n"),
    "t.ini:1: section [database:a:b]: the name of a database is 1 to 64 "
    "letters, digits, '_', '.' and '-'" },
  { TEXT("[database:\xC3\xA9]\n"),
    "t.ini:1: section [database:\xC3\xA9]: the name of a database is 1 to 64 "
    "letters, digits, '_', '.' and '-'" },
  { TEXT("[database:" NAME_64 "x]\n"),
    "t.ini:1: section [database:" NAME_64 "x]: the name of a database is 1 to "
    "64 letters, digits, '_', '.' and '-'" },
  { TEXT("[database:database]\n"),
    "t.ini:1: section [database:database]: that name is the default "
    "database's; write [database]" },
  { TEXT("[database\nmax_retries=1\n"),
    "t.ini:1: section header is not closed by ']'" },
  { TEXT("[database] # mine\n"),
    "t.ini:1: text after the ']' of a section header" },
  { TEXT("[x]\n[]\n"), "t.ini:2: section header without a name" },

  /* Lines. */
  { TEXT("[database]\nmax_retries\n"),
    "t.ini:2: line of 11 bytes without '='" },
  { TEXT("[database]\n= 1\n"), "t.ini:2: no key before the '='" },
  { TEXT("[database]\nconnection = mysql://db/x\n  ?ssl=1\n"),
    "t.ini:3: line starts with a blank; a value is one line, and keys and "
    "comments start at the margin" },
  { TEXT("[DEFAULT]\nsql_connection = mysql://db/x\n  ?ssl=1\n"),
    "t.ini:3: line starts with a blank; a value is one line, and keys and "
    "comments start at the margin" },
  { TEXT("[database]\npassword = a\0b\n"),
    "t.ini:2: byte 13 of the line is a control character, 0x00" },
  { TEXT("[database]\npassword = \xE9\n"),
    "t.ini:2: byte 12 of the line is not UTF-8" },
  { TEXT("[database]\rmax_retries = 1\r"),
    "t.ini:1: byte 11 of the line is a control character, 0x0D" },
  { TEXT("\xFF\xFE[\0d\0"), "t.ini:1: byte 1 of the line is not UTF-8" },
};

Test(config_read, a_mistake_is_refused_with_its_line_and_leaves_nothing)
{
  tn_config *const before = (tn_config *)(uintptr_t)8;
  size_t i;

  cr_expect_geq(TN_COUNT(good_cases) + TN_COUNT(bad_cases), 40);
  for (i = 0; i < TN_COUNT(bad_cases); i++) {
    const struct bad_case *c = &bad_cases[i];
    tn_config *config = before;
    tn_err err = TN_ERR_INIT;

    cr_expect_eq(load_text(c->text, c->size, NULL, &config, &err), TN_E_CONFIG,
                 "case %zu: \"%s\"", i, c->text);
    cr_expect_str_eq(err.message, c->message, "case %zu: \"%s\": %s", i,
                     c->text, err.message);
    cr_expect_eq(config, before, "case %zu: \"%s\"", i, c->text);
  }
}

Test(config_read, every_word_for_true_and_false_is_read_in_any_case)
{
  static const char *const words[] = { "1", "true",  "YES", "On",
                                       "0", "False", "nO",  "oFF" };
  size_t i;

  for (i = 0; i < TN_COUNT(words); i++) {
    TN_CLEANUP(tn_config_free) tn_config *config = NULL;
    char text[64];

    (void)snprintf(text, sizeof(text), "[database]\nuse_db_reconnect = %s\n",
                   words[i]);
    cr_assert_eq(load_text(text, strlen(text), NULL, &config, NULL), TN_OK,
                 "case %zu: \"%s\"", i, words[i]);
    cr_expect_eq(number_of(config, "database", "use_db_reconnect"), i < 4,
                 "case %zu: \"%s\"", i, words[i]);
  }
}

Test(config_read, numbers_up_to_their_limits_are_read)
{
  static const char text[] = "[database]\n"
                             "max_pool_size = 2147483647\n"
                             "max_overflow = -1\n"
                             "connection_debug = 100\n"
                             "retry_interval = +007\n"
                             "mysql_wsrep_sync_wait = 15\n"
                             "connection_recycle_time = -1\n"
                             "db_max_retries = -1\n";
  TN_CLEANUP(tn_config_free) tn_config *config = NULL;
  tn_err err = TN_ERR_INIT;

  cr_assert_eq(load_text(text, sizeof(text) - 1, NULL, &config, &err), TN_OK,
               "%s", err.message);
  cr_expect_eq(number_of(config, "database", "max_pool_size"), INT32_MAX);
  cr_expect_eq(number_of(config, "database", "max_overflow"), -1);
  cr_expect_eq(number_of(config, "database", "connection_debug"), 100);
  cr_expect_eq(number_of(config, "database", "retry_interval"), 7);
  cr_expect_eq(number_of(config, "database", "mysql_wsrep_sync_wait"), 15);
  cr_expect_eq(number_of(config, "database", "connection_recycle_time"), -1);
  cr_expect_eq(number_of(config, "database", "db_max_retries"), -1);
}

Test(config_read, a_value_of_64_kib_arrives_whole_and_a_longer_one_is_refused)
{
  static const char head[] = "[database]\npassword=";
  TN_CLEANUP(tn_config_free) tn_config *config = NULL;
  TN_CLEANUP(tn_config_free) tn_config *longer = NULL;
  struct tn_strbuf text = TN_STRBUF_INIT(1 << 20);
  tn_err err = TN_ERR_INIT;
  size_t i;

  tn_strbuf_add_text(&text, head);
  for (i = strlen("password="); i < 65536; i++)
    tn_strbuf_add_char(&text, "ab ;#=:'\"[]x"[i % 12]);
  cr_assert_eq(load_text(tn_strbuf_text(&text), text.size, NULL, &config, &err),
               TN_OK, "%s", err.message);
  cr_expect(strcmp(text_of(config, "database", "password"),
                   tn_strbuf_text(&text) + sizeof(head) - 1) == 0);

  tn_strbuf_add_char(&text, 'z');
  cr_expect_eq(load_text(tn_strbuf_text(&text), text.size, NULL, &longer, &err),
               TN_E_CONFIG);
  cr_expect_str_eq(err.message, "t.ini:2: line of 65537 bytes, more than "
                                "65536");
  tn_strbuf_clear(&text);
}

Test(config_read, a_long_wrong_value_leaves_the_message_readable)
{
  struct tn_strbuf text = TN_STRBUF_INIT(1 << 20);
  tn_config *config = NULL;
  tn_err err = TN_ERR_INIT;
  size_t i;

  tn_strbuf_add_text(&text, "[database]\nmax_retries = 1");
  for (i = 0; i < 5000; i++)
    tn_strbuf_add_char(&text, '9');
  cr_expect_eq(load_text(tn_strbuf_text(&text), text.size, NULL, &config, &err),
               TN_E_CONFIG);
  cr_expect_not_null(strstr(err.message, "...\": must be a whole number from "
                                         "-1 to 2147483647"),
                     "%s", err.message);
  tn_strbuf_clear(&text);
}

/* ------------------------------------------------------------------ */
/* Passwords                                                           */

Test(config_read, no_message_and_no_log_line_has_a_secret_in_it)
{
  /* Each is wrong somewhere, with the canary near. */
  static const char *const texts[] = {
    "[database]\npassword = Canary17\npassword = Canary17\n",
    "[database]\npassword Canary17\n",
    "[database]\npassword = Canary17\n Canary17\n",
    "[database]\npasswort = Canary17\n",
    "[database]\nconnection = pg://u:Canary17@h/d\nidle_timeout = x\n",
    "[database]\npassword = Canary17\x01\n",
    "[database]\nasyncio_connection = pg://u:Canary17@h/d\n",
    "[DEFAULT]\nsql_connection = pg://u:Canary17@h/d\n",
    "[DATABASE]\nconnection = pg://u:Canary17@h/d\n",
    "password = Canary17\n",
  };
  size_t i;

  for (i = 0; i < TN_COUNT(texts); i++) {
    struct tn_strbuf lines = TN_STRBUF_INIT(1 << 16);
    tn_config *config = NULL;
    tn_err err = TN_ERR_INIT;

    if (load_text(texts[i], strlen(texts[i]), &lines, &config, &err) == TN_OK)
      tn_config_free(&config);
    cr_expect_null(strstr(err.message, "Canary"), "case %zu: %s", i,
                   err.message);
    cr_expect_null(strstr(err.detail, "Canary"), "case %zu: %s", i, err.detail);
    cr_expect_null(strstr(tn_strbuf_text(&lines), "Canary"), "case %zu: %s", i,
                   tn_strbuf_text(&lines));
    tn_strbuf_clear(&lines);
  }
}

struct secret_case {
  const char *line;
  bool is_secret;
};

static const struct secret_case secret_cases[] = {
  { "password = x", true },
  { "password =", false },
  { "password = env:X", false },
  { "password = file:/x", false },
  { "connection = sqlite:////var/lib/app.db", false },
  { "connection = postgresql://app@db/app?sslmode=verify-full", false },
  { "connection = postgresql://app:pw@db/app", true },
  { "connection = postgresql://app@db/app?password=pw", true },
  { "slave_connection = mysql+pymysql://a:b@h/d", true },
  { "asyncio_connection = mysql+pymysql://a:b@h/d", true },
  { "connection = env:URL", false },
  { "connection = not a url", false },
  { "max_retries = 3", false },
};

Test(config_read, a_file_with_a_password_in_it_is_known)
{
  size_t i;

  for (i = 0; i < TN_COUNT(secret_cases); i++) {
    const struct secret_case *c = &secret_cases[i];
    TN_CLEANUP(tn_config_free) tn_config *config = NULL;
    char text[128];

    (void)snprintf(text, sizeof(text), "[database]\n%s\n", c->line);
    cr_assert_eq(load_text(text, strlen(text), NULL, &config, NULL), TN_OK,
                 "case %zu: \"%s\"", i, c->line);
    cr_expect_eq(config->files->has_secret, c->is_secret, "case %zu: \"%s\"", i,
                 c->line);
  }
}

Test(config_read, a_password_that_a_later_file_replaces_is_wiped)
{
  static const char first[] = "[database]\npassword = Canary17\n";
  static const char second[] = "[database]\npassword = x\n";
  TN_CLEANUP(tn_config_free) tn_config *config = NULL;
  struct tn_config_file *file;
  const char *old;

  cr_assert_eq(load_text(first, sizeof(first) - 1, NULL, &config, NULL), TN_OK);
  old = text_of(config, "database", "password");
  file = tn_config__add_file(config, "u.ini");
  cr_assert_not_null(file);
  cr_assert_eq(
      tn_config__read(config, second, sizeof(second) - 1, file, NULL, NULL),
      TN_OK);
  cr_expect_str_eq(text_of(config, "database", "password"), "x");
  cr_expect_arr_eq(old, "\0\0\0\0\0\0\0\0", 8);
  cr_expect_str_eq(tn_config_origin(config, "database", "password"), "u.ini:2");
}

/* ------------------------------------------------------------------ */
/* The log                                                             */

Test(config_read, obsolete_options_load_and_are_warned_of_once)
{
  static const char text[] = "[database]\n"
                             "min_pool_size = 3\n"
                             "use_tpool = true\n"
                             "mysql_enable_ndb = false\n"
                             "backend = sqlalchemy\n"
                             "asyncio_connection = env:X\n"
                             "[DEFAULT]\n"
                             "sqlite_db = x.sqlite\n";
  struct tn_strbuf lines = TN_STRBUF_INIT(1 << 16);
  TN_CLEANUP(tn_config_free) tn_config *config = NULL;

  cr_assert_eq(load_text(text, sizeof(text) - 1, &lines, &config, NULL), TN_OK);
  cr_expect_eq(number_of(config, "database", "min_pool_size"), 3);
  cr_expect_str_eq(
      tn_strbuf_text(&lines),
      "warning: t.ini:5: [database] backend: obsolete and without effect; "
      "remove it\n"
      "warning: t.ini:2: [database] min_pool_size: obsolete and without "
      "effect; remove it\n"
      "warning: t.ini:3: [database] use_tpool: obsolete and without effect; "
      "remove it\n"
      "warning: t.ini:4: [database] mysql_enable_ndb: obsolete and without "
      "effect; remove it\n"
      "warning: t.ini:8: [DEFAULT] sqlite_db: obsolete and without effect; "
      "remove it\n"
      "warning: t.ini:6: [database] asyncio_connection: obsolete and without "
      "effect; remove it\n");
  tn_strbuf_clear(&lines);
}

Test(config_read, old_names_are_told_and_current_ones_are_not)
{
  static const char text[] = "[database]\nmax_retries = 3\n"
                             "[database:a]\nidle_timeout = 3\n"
                             "[DEFAULT]\nsql_max_overflow = 1\n"
                             "sqlite_synchronous = 0\n";
  struct tn_strbuf lines = TN_STRBUF_INIT(1 << 16);
  TN_CLEANUP(tn_config_free) tn_config *config = NULL;

  cr_assert_eq(load_text(text, sizeof(text) - 1, &lines, &config, NULL), TN_OK);
  cr_expect_str_eq(tn_strbuf_text(&lines),
                   "info: t.ini:6: [DEFAULT] sql_max_overflow: an old name of "
                   "max_overflow\n"
                   "info: t.ini:4: [database:a] idle_timeout: an old name of "
                   "connection_recycle_time\n");
  tn_strbuf_clear(&lines);
}

Test(config_read, a_current_name_in_capital_database_is_warned_of)
{
  static const char text[] = "[DATABASE]\nconnection = x\nfoo = 1\n"
                             "[sql]\nmax_retries = 1\n";
  struct tn_strbuf lines = TN_STRBUF_INIT(1 << 16);
  TN_CLEANUP(tn_config_free) tn_config *config = NULL;

  cr_assert_eq(load_text(text, sizeof(text) - 1, &lines, &config, NULL), TN_OK);
  cr_expect_null(text_of(config, "database", "connection"));
  cr_expect_str_eq(tn_strbuf_text(&lines),
                   "warning: t.ini: [DATABASE] connection: not read here; "
                   "write it in [database]\n");
  tn_strbuf_clear(&lines);
}

Test(config_read, a_name_behind_another_mark_than_the_colon_is_warned_of)
{
  static const char text[] = "[database.billing]\nconnection = x\n no = \n"
                             "[database a b]\n[database_extra]\n"
                             "[database:ok]\nmax_retries = 3\n";
  struct tn_strbuf lines = TN_STRBUF_INIT(1 << 16);
  TN_CLEANUP(tn_config_free) tn_config *config = NULL;

  cr_assert_eq(load_text(text, sizeof(text) - 1, &lines, &config, NULL), TN_OK);
  cr_expect_str_eq(tn_config_database(config, 1), "ok");
  cr_expect_null(tn_config_database(config, 2));
  cr_expect_str_eq(tn_strbuf_text(&lines),
                   "warning: t.ini:1: section [database.billing]: not read "
                   "here; a database of that name has the section "
                   "[database:billing]\n"
                   "warning: t.ini:4: section [database a b]: not read here; a "
                   "database of that name has the section [database:a b]\n");
  tn_strbuf_clear(&lines);
}

/* ------------------------------------------------------------------ */
/* The files of other programs                                         */

static tn_config *
load_data(const char *name, struct tn_strbuf *lines)
{
  tn_config *config = NULL;
  char *text = NULL, path[4096];
  tn_err err = TN_ERR_INIT;
  size_t size;

  (void)snprintf(path, sizeof(path), "%s/%s", TN_TEST_DATA, name);
  cr_assert_eq(tn_file_read(path, 1 << 20, &text, &size, &err), TN_OK, "%s",
               err.message);
  cr_assert_eq(load_text(text, size, lines, &config, &err), TN_OK, "%s: %s",
               name, err.message);
  tn_memory_free(text);
  cr_expect_null(tn_config_database(config, 1), "%s", name);
  return config;
}

static size_t
count(const char *text, const char *word)
{
  size_t found = 0;

  while ((text = strstr(text, word)) != NULL) {
    text += strlen(word);
    found++;
  }
  return found;
}

Test(config_read, a_nova_conf_loads_as_it_is)
{
  struct tn_strbuf lines = TN_STRBUF_INIT(1 << 16);
  TN_CLEANUP(tn_config_free) tn_config *config = load_data("nova.conf", &lines);
  int64_t number;

  cr_expect_str_eq(text_of(config, "database", "connection"),
                   "mysql+pymysql://nova:pw@127.0.0.1/nova_cell1?charset=utf8");
  cr_expect_str_eq(text_of(config, "database", "slave_connection"),
                   "mysql+pymysql://nova:pw@127.0.0.2/nova_cell1?charset=utf8");
  cr_expect_eq(number_of(config, "database", "connection_recycle_time"), 180);
  cr_expect_eq(number_of(config, "database", "max_pool_size"), 20);
  cr_expect_eq(number_of(config, "database", "max_retries"), -1);
  cr_expect_eq(number_of(config, "database", "retry_interval"), 5);
  cr_expect_eq(number_of(config, "database", "max_overflow"), 30);
  cr_expect_eq(number_of(config, "database", "use_db_reconnect"), 1);
  cr_expect_eq(number_of(config, "database", "db_max_retries"), -1);
  cr_expect_eq(number_of(config, "database", "connection_trace"), 0);
  cr_expect_str_eq(text_of(config, "database", "mysql_sql_mode"), "");
  cr_expect_eq(
      tn_config_number(config, "database", "pool_timeout", &number, NULL),
      TN_E_NOT_FOUND);
  cr_expect_eq(number_of(config, "database", "db_retry_interval"), 1);
  cr_expect_eq(count(tn_strbuf_text(&lines), "warning: "), 3, "%s",
               tn_strbuf_text(&lines));
  tn_strbuf_clear(&lines);
}

Test(config_read, a_keystone_conf_with_old_names_loads_as_it_is)
{
  struct tn_strbuf lines = TN_STRBUF_INIT(1 << 16);
  TN_CLEANUP(tn_config_free)
  tn_config *config = load_data("keystone.conf", &lines);

  cr_expect_str_eq(text_of(config, "database", "connection"),
                   "postgresql://keystone:k;e y@db.example.org:5432/keystone");
  cr_expect_eq(number_of(config, "database", "connection_recycle_time"), 200);
  cr_expect_eq(number_of(config, "database", "max_pool_size"), 7);
  cr_expect_eq(number_of(config, "database", "retry_interval"), 3);
  cr_expect_eq(number_of(config, "database", "pool_timeout"), 12);
  cr_expect_str_eq(tn_config_origin(config, "database", "connection"),
                   "t.ini:13");
  cr_expect_null(text_of(config, "database", "password"));
  cr_expect_eq(count(tn_strbuf_text(&lines), "warning: "), 1, "%s",
               tn_strbuf_text(&lines));
  cr_expect_eq(count(tn_strbuf_text(&lines), "an old name of"), 5, "%s",
               tn_strbuf_text(&lines));
  tn_strbuf_clear(&lines);
}

Test(config_read, a_neutron_conf_loads_as_it_is)
{
  struct tn_strbuf lines = TN_STRBUF_INIT(1 << 16);
  TN_CLEANUP(tn_config_free)
  tn_config *config = load_data("neutron.conf", &lines);

  cr_expect_str_eq(text_of(config, "database", "connection"),
                   "mysql+pymysql://neutron:n%40:tron@[2001:db8::5]:3306/"
                   "neutron?charset=utf8&ssl_ca=/etc/ssl/ca.pem");
  cr_expect_eq(number_of(config, "database", "connection_recycle_time"), 280);
  cr_expect_eq(number_of(config, "database", "max_pool_size"), 0);
  cr_expect_eq(number_of(config, "database", "max_overflow"), 64);
  cr_expect_eq(number_of(config, "database", "mysql_wsrep_sync_wait"), 1);
  cr_expect_eq(number_of(config, "database", "synchronous_reader"), 0);
  cr_expect_eq(number_of(config, "database", "connection_debug"), 50);
  cr_expect_eq(number_of(config, "database", "connection_trace"), 1);
  cr_expect_eq(number_of(config, "database", "db_inc_retry_interval"), 1);
  cr_expect_eq(number_of(config, "database", "db_max_retry_interval"), 30);
  cr_expect_eq(number_of(config, "database", "db_retry_interval"), 2);
  cr_expect_str_eq(text_of(config, "database", "connection_parameters"),
                   "read_timeout=30&write_timeout=30");
  cr_expect_null(text_of(config, "database", "password"));
  cr_expect_eq(count(tn_strbuf_text(&lines), "warning: "), 2, "%s",
               tn_strbuf_text(&lines));
  tn_strbuf_clear(&lines);
}
