/* The table of options: complete, sound, and the same as conf/tenon.ini. */
#include "config_priv.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "file.h"
#include "strbuf.h"

#define WIDTH 78

/* ------------------------------------------------------------------ */
/* Against oslo.db                                                     */

struct expected_row {
  const char *key;
  const char *initial;
  uint32_t unit;
  uint32_t is_secret;
};

/* The options of all releases of oslo.db. */
static const struct expected_row expected_rows[] = {
  { "connection", NULL, TN_UNIT_TEXT, 1 },
  { "slave_connection", NULL, TN_UNIT_TEXT, 1 },
  { "connection_parameters", "", TN_UNIT_TEXT, 0 },
  { "synchronous_reader", "true", TN_UNIT_BOOL, 0 },
  { "reader_read_only", "false", TN_UNIT_BOOL, 0 },
  { "max_pool_size", "5", TN_UNIT_COUNT, 0 },
  { "max_overflow", "50", TN_UNIT_COUNT, 0 },
  { "pool_timeout", NULL, TN_UNIT_SECONDS, 0 },
  { "connection_recycle_time", "3600", TN_UNIT_SECONDS, 0 },
  { "max_retries", "10", TN_UNIT_COUNT, 0 },
  { "retry_interval", "10", TN_UNIT_SECONDS, 0 },
  { "use_db_reconnect", "false", TN_UNIT_BOOL, 0 },
  { "db_max_retries", "20", TN_UNIT_COUNT, 0 },
  { "db_retry_interval", "1", TN_UNIT_SECONDS, 0 },
  { "db_inc_retry_interval", "true", TN_UNIT_BOOL, 0 },
  { "db_max_retry_interval", "10", TN_UNIT_SECONDS, 0 },
  { "connection_debug", "0", TN_UNIT_PERCENT, 0 },
  { "connection_trace", "false", TN_UNIT_BOOL, 0 },
  { "mysql_sql_mode", "TRADITIONAL", TN_UNIT_TEXT, 0 },
  { "mysql_wsrep_sync_wait", NULL, TN_UNIT_COUNT, 0 },
  { "sqlite_synchronous", "true", TN_UNIT_BOOL, 0 },
  { "backend", "sqlalchemy", TN_UNIT_TEXT, 0 },
  { "min_pool_size", "1", TN_UNIT_COUNT, 0 },
  { "use_tpool", "false", TN_UNIT_BOOL, 0 },
  { "mysql_enable_ndb", "false", TN_UNIT_BOOL, 0 },
  { "sqlite_db", "oslo.sqlite", TN_UNIT_TEXT, 0 },
  { "asyncio_connection", NULL, TN_UNIT_TEXT, 1 },
  { "asyncio_slave_connection", NULL, TN_UNIT_TEXT, 1 },
};

Test(config_rows, every_option_of_oslo_db_is_there_with_its_default)
{
  size_t i, index;

  for (i = 0; i < TN_COUNT(expected_rows); i++) {
    const struct expected_row *expected = &expected_rows[i];
    const struct tn_config_row *row;

    cr_assert(tn_config__find_key(expected->key, &index), "case %zu: \"%s\"", i,
              expected->key);
    row = tn_config_row(index);
    cr_expect_eq(row->unit, expected->unit, "case %zu: \"%s\"", i, row->key);
    cr_expect_eq(row->is_secret, expected->is_secret, "case %zu: \"%s\"", i,
                 row->key);
    cr_expect(row->initial == NULL
                  ? expected->initial == NULL
                  : expected->initial != NULL &&
                        strcmp(row->initial, expected->initial) == 0,
              "case %zu: \"%s\"", i, row->key);
  }
  cr_expect_null(tn_config_row(tn_config__option_count()));
  cr_expect_null(tn_config_row(SIZE_MAX));
}

struct old_name {
  const char *section;
  const char *key;
  const char *row;
};

static const struct old_name old_names[] = {
  { "DEFAULT", "sqlite_synchronous", "sqlite_synchronous" },
  { "DEFAULT", "db_backend", "backend" },
  { "DEFAULT", "sql_connection", "connection" },
  { "DATABASE", "sql_connection", "connection" },
  { "sql", "connection", "connection" },
  { "database", "idle_timeout", "connection_recycle_time" },
  { "DATABASE", "idle_timeout", "connection_recycle_time" },
  { "sql", "idle_timeout", "connection_recycle_time" },
  { "DEFAULT", "sql_idle_timeout", "connection_recycle_time" },
  { "DATABASE", "sql_idle_timeout", "connection_recycle_time" },
  { "DEFAULT", "sql_max_pool_size", "max_pool_size" },
  { "DATABASE", "sql_max_pool_size", "max_pool_size" },
  { "DEFAULT", "sql_max_retries", "max_retries" },
  { "DATABASE", "sql_max_retries", "max_retries" },
  { "DEFAULT", "sql_retry_interval", "retry_interval" },
  { "DATABASE", "reconnect_interval", "retry_interval" },
  { "DEFAULT", "sql_max_overflow", "max_overflow" },
  { "DATABASE", "sqlalchemy_max_overflow", "max_overflow" },
  { "DEFAULT", "sql_connection_debug", "connection_debug" },
  { "DEFAULT", "sql_connection_trace", "connection_trace" },
  { "DATABASE", "sqlalchemy_pool_timeout", "pool_timeout" },
  { "DEFAULT", "dbapi_use_tpool", "use_tpool" },
  { "DEFAULT", "sqlite_db", "sqlite_db" },
  { "DEFAULT", "sql_min_pool_size", "min_pool_size" },
  { "DATABASE", "sql_min_pool_size", "min_pool_size" },
};

Test(config_rows, every_old_name_leads_to_its_row)
{
  size_t in_table = 0, index = 0, i;

  for (i = 0; i < TN_COUNT(old_names); i++) {
    const struct old_name *old = &old_names[i];

    cr_expect(tn_config__find_alias(old->section, old->key, &index),
              "case %zu: \"%s/%s\"", i, old->section, old->key);
    cr_expect_str_eq(tn_config_row(index)->key, old->row, "case %zu: \"%s/%s\"",
                     i, old->section, old->key);
  }
  for (i = 0; tn_config_row(i) != NULL; i++) {
    const char *slash = tn_config_row(i)->aliases;

    while ((slash = strchr(slash, '/')) != NULL) {
      slash++;
      in_table++;
    }
  }
  cr_expect_eq(in_table, TN_COUNT(old_names));
}

Test(config_rows, parts_of_old_names_lead_nowhere)
{
  static const struct old_name others[] = {
    { "DEFAULT", "sql_connectio", "" },
    { "DEFAULT", "sql_connection2", "" },
    { "DEFAULT", "", "" },
    { "", "sql_connection", "" },
    { "DEFAUL", "sql_connection", "" },
    { "DEFAULTS", "sql_connection", "" },
    { "default", "sql_connection", "" },
    { "DATABASE", "connection", "" },
    { "database", "connection", "" },
    { "DEFAULT/sql_connection", "", "" },
    { "sql", "connection sql", "" },
    { "DEFAULT", "sql_connection DATABASE/sql_connection", "" },
    { "DEFAULT/sql_max_retries DATABASE", "sql_max_retries", "" },
    { "DATABASE", "ql_max_retries", "" },
    { "ATABASE", "sql_max_retries", "" },
  };
  size_t index = 77, i;

  for (i = 0; i < TN_COUNT(others); i++)
    cr_expect_not(
        tn_config__find_alias(others[i].section, others[i].key, &index),
        "case %zu: \"%s/%s\"", i, others[i].section, others[i].key);
  cr_expect_eq(index, 77);
  cr_expect(tn_config__is_old_section("DEFAULT"));
  cr_expect(tn_config__is_old_section("DATABASE"));
  cr_expect(tn_config__is_old_section("sql"));
  cr_expect_not(tn_config__is_old_section("database"));
  cr_expect_not(tn_config__is_old_section("DEF"));
  cr_expect_not(tn_config__is_old_section(""));
}

/* ------------------------------------------------------------------ */
/* Soundness                                                           */

Test(config_rows, defaults_are_in_range_and_keys_are_unique)
{
  size_t index = 0, i;

  for (i = 0; tn_config_row(i) != NULL; i++) {
    const struct tn_config_row *row = tn_config_row(i);
    int64_t number = 0;

    cr_expect(tn_config__find_key(row->key, &index) && index == i, "%s",
              row->key);
    cr_expect_leq(row->min, row->max, "%s", row->key);
    cr_expect_eq(row->choices != NULL, row->unit == TN_UNIT_CHOICE, "%s",
                 row->key);
    if (row->initial != NULL)
      cr_expect_eq(tn_config__check(row, row->initial, "x", &number, NULL),
                   TN_OK, "%s", row->key);
  }
}

Test(config_rows, a_wrong_value_is_told_with_what_would_be_right)
{
  static const struct {
    const char *key;
    const char *value;
    const char *message;
  } cases[] = {
    { "max_pool_size", "x",
      "P = \"x\": must be a whole number from 0 to "
      "2147483647" },
    { "connection_trace", "2",
      "P = \"2\": must be true or false (1 or 0, yes "
      "or no, on or off)" },
    { "pool_kind", "lifo",
      "P = \"lifo\": must be one of "
      "auto|queue|null|static" },
    { "pool_kind", "queu", NULL },
    { "pool_kind", "queuex", NULL },
    { "pool_kind", "ueue", NULL },
    { "pool_kind", "auto|queue", NULL },
    { "pool_kind", "", NULL },
    { "pool_kind", "Queue", NULL },
  };
  int64_t number = 77;
  size_t index = 0;

  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    tn_err err = TN_ERR_INIT;

    cr_assert(tn_config__find_key(cases[i].key, &index));
    cr_expect_eq(tn_config__check(tn_config_row(index), cases[i].value, "P",
                                  &number, &err),
                 TN_E_CONFIG, "case %zu", i);
    if (cases[i].message != NULL)
      cr_expect_str_eq(err.message, cases[i].message);
  }
  cr_expect_eq(number, 77);
  cr_assert(tn_config__find_key("pool_kind", &index));
  cr_expect_eq(
      tn_config__check(tn_config_row(index), "static", "P", &number, NULL),
      TN_OK);
}

Test(config_rows, help_is_a_line_that_names_the_unit)
{
  static const char *const words[] = { "",        "Text",    "Bool", "count",
                                       "Seconds", "Percent", "Text" };
  size_t i;

  for (i = 0; tn_config_row(i) != NULL; i++) {
    const struct tn_config_row *row = tn_config_row(i);
    bool is_obsolete = (tn_config__option(i)->traits & TN_CONFIG_OBSOLETE) != 0;

    cr_assert(row->unit >= 1 && row->unit < TN_COUNT(words), "%s", row->key);
    cr_expect_not_null(strstr(row->help, words[row->unit]), "%s: %s", row->key,
                       row->help);
    cr_expect_null(strchr(row->help, '\n'), "%s", row->key);
    cr_expect_eq(row->help[strlen(row->help) - 1], '.', "%s", row->key);
    cr_expect_eq(strncmp(row->help, "Obsolete, without effect", 24) == 0,
                 is_obsolete, "%s", row->key);
  }
}

Test(config_rows, the_nearest_key_is_the_one_that_was_meant)
{
  cr_expect_str_eq(tn_config__nearest_key("conection"), "connection");
  cr_expect_str_eq(tn_config__nearest_key("max-retries"), "max_retries");
  cr_expect_str_eq(tn_config__nearest_key("MAX_RETRIES"), "max_retries");
  cr_expect_str_eq(tn_config__nearest_key("sql_max_retries"), "max_retries");
  cr_expect_str_eq(tn_config__nearest_key("sql_idle_timeout"),
                   "connection_recycle_time");
  cr_expect_str_eq(tn_config__nearest_key("passwrod"), "password");
  cr_expect_null(tn_config__nearest_key("frobnicate"));
  cr_expect_null(tn_config__nearest_key(""));
}

/* ------------------------------------------------------------------ */
/* conf/tenon.ini                                                      */

/* Add `text` as comment lines of at most WIDTH bytes. */
static void
add_comment(struct tn_strbuf *out, const char *text)
{
  size_t column = 0;

  while (*text != '\0') {
    size_t size = strcspn(text, " ");

    if (column > 0 && column + 1 + size > WIDTH) {
      tn_strbuf_add_char(out, '\n');
      column = 0;
    }
    tn_strbuf_add_text(out, column == 0 ? "# " : " ");
    column += column == 0 ? 2 : 1;
    tn_strbuf_add(out, text, size);
    column += size;
    text += size + (text[size] == ' ');
  }
  tn_strbuf_add_char(out, '\n');
}

/* "DEFAULT/a sql/b" becomes "Old names: [DEFAULT] a, [sql] b." */
static void
add_old_names(struct tn_strbuf *out, const char *aliases)
{
  struct tn_strbuf text = TN_STRBUF_INIT(4096);

  if (*aliases == '\0')
    return;
  tn_strbuf_add_text(&text, "Old names: [");
  for (; *aliases != '\0'; aliases++) {
    if (*aliases == ' ')
      tn_strbuf_add_text(&text, ", [");
    else if (*aliases == '/')
      tn_strbuf_add_text(&text, "] ");
    else
      tn_strbuf_add_char(&text, *aliases);
  }
  tn_strbuf_add_char(&text, '.');
  add_comment(out, tn_strbuf_text(&text));
  tn_strbuf_clear(&text);
}

static void
add_block(struct tn_strbuf *out, const struct tn_config_row *row)
{
  add_comment(out, row->help);
  if (row->is_secret)
    tn_strbuf_add_text(out, "# Secret.\n");
  if (row->unit == TN_UNIT_CHOICE)
    tn_strbuf_add_format(out, "# One of: %s.\n", row->choices);
  else if (row->unit != TN_UNIT_TEXT && row->unit != TN_UNIT_BOOL)
    tn_strbuf_add_format(out, "# Range: %lld to %lld.\n", (long long)row->min,
                         (long long)row->max);
  add_old_names(out, row->aliases);
  tn_strbuf_add_format(out, "# %s =", row->key);
  if (row->initial != NULL && *row->initial != '\0')
    tn_strbuf_add_format(out, " %s", row->initial);
  tn_strbuf_add_char(out, '\n');
}

/* The file without what stands above its [database]. */
static char *
read_conf(char **ret_blocks)
{
  static const char mark[] = "\n[database]\n";
  char *text = NULL, *blocks;
  size_t size;
  tn_err err = TN_ERR_INIT;

  cr_assert_eq(tn_file_read(TN_CONF_FILE, 1 << 20, &text, &size, &err), TN_OK,
               "%s", err.message);
  blocks = strstr(text, mark);
  cr_assert_not_null(blocks, "%s has no [database]", TN_CONF_FILE);
  *ret_blocks = blocks + sizeof(mark) - 1;
  return text;
}

Test(config_rows, the_sample_file_shows_every_row)
{
  char *blocks = NULL;
  char *text = read_conf(&blocks);
  size_t i;

  for (i = 0; tn_config_row(i) != NULL; i++) {
    struct tn_strbuf block = TN_STRBUF_INIT(4096);

    tn_strbuf_add_char(&block, '\n');
    add_block(&block, tn_config_row(i));
    cr_expect_not_null(strstr(blocks - 1, tn_strbuf_text(&block)),
                       "%s lacks this block:%s", TN_CONF_FILE,
                       tn_strbuf_text(&block));
    tn_strbuf_clear(&block);
  }
  tn_memory_free(text);
}

Test(config_rows, the_sample_file_shows_nothing_else)
{
  struct tn_strbuf expected = TN_STRBUF_INIT(1 << 20);
  char *blocks = NULL;
  char *text = read_conf(&blocks);
  size_t i;

  for (i = 0; tn_config_row(i) != NULL; i++) {
    tn_strbuf_add_char(&expected, '\n');
    add_block(&expected, tn_config_row(i));
  }
  cr_expect_str_eq(blocks, tn_strbuf_text(&expected));
  tn_strbuf_clear(&expected);
  tn_memory_free(text);
}

Test(config_rows, the_sample_file_loads_and_changes_nothing)
{
  char *blocks = NULL;
  char *text = read_conf(&blocks);
  TN_CLEANUP(tn_config_free) tn_config *config = NULL;
  tn_err err = TN_ERR_INIT;
  size_t i;

  cr_assert_eq(
      tn_config_parse(text, strlen(text), "tenon.ini", NULL, &config, &err),
      TN_OK, "%s", err.message);
  cr_expect_str_eq(tn_config_database(config, 0), "database");
  cr_expect_null(tn_config_database(config, 1));
  for (i = 0; tn_config_row(i) != NULL; i++)
    cr_expect_str_eq(
        tn_config_origin(config, "database", tn_config_row(i)->key), "default",
        "%s", tn_config_row(i)->key);
  tn_memory_free(text);
}

/* Take the "# " off the lines "# KEY =…", as a user does. */
Test(config_rows, the_sample_file_loads_with_every_line_uncommented)
{
  struct tn_strbuf open = TN_STRBUF_INIT(1 << 20);
  TN_CLEANUP(tn_config_free) tn_config *config = NULL;
  tn_err err = TN_ERR_INIT;
  size_t i;

  tn_strbuf_add_text(&open, "[database]\n");
  for (i = 0; tn_config_row(i) != NULL; i++) {
    const struct tn_config_row *row = tn_config_row(i);

    tn_strbuf_add_format(&open, "%s = %s\n", row->key,
                         row->initial != NULL ? row->initial : "");
  }
  cr_assert_eq(tn_config_parse(tn_strbuf_text(&open), open.size, "tenon.ini",
                               NULL, &config, &err),
               TN_OK, "%s", err.message);

  /* The first line is the section's. */
  for (i = 0; tn_config_row(i) != NULL; i++) {
    char origin[32];

    snprintf(origin, sizeof origin, "tenon.ini:%zu", i + 2);
    cr_expect_str_eq(
        tn_config_origin(config, "database", tn_config_row(i)->key), origin);
  }
  tn_strbuf_clear(&open);
}
