/* The error object and the table of categories. */
#include <tenon/err.h>

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "base_priv.h"
#include "oom.h"
#include "text.h"

struct code_case {
  enum tn_code code;
  const char *name;
  const char *connection;
  const char *replay;
};

/* The numbers and names are part of the ABI: this copy keeps them. */
static const struct code_case code_cases[] = {
  { 0, "ok", "", "" },
  { 1, "usage", "usable", "never" },
  { 2, "config", "usable", "never" },
  { 3, "plugin", "usable", "never" },
  { 4, "connect", "dead", "safe" },
  { 5, "auth", "dead", "never" },
  { 6, "limit", "usable", "never" },
  { 7, "timeout", "usable", "transaction" },
  { 8, "canceled", "usable", "transaction" },
  { 9, "lost", "dead", "transaction" },
  { 10, "uncertain", "dead", "unknown" },
  { 11, "deadlock", "aborted", "transaction" },
  { 12, "serialization", "aborted", "transaction" },
  { 13, "lock_timeout", "usable", "transaction" },
  { 14, "busy", "usable", "transaction" },
  { 15, "duplicate", "usable", "never" },
  { 16, "reference", "usable", "never" },
  { 17, "check", "usable", "never" },
  { 18, "not_null", "usable", "never" },
  { 19, "exclusion", "usable", "never" },
  { 20, "constraint", "usable", "never" },
  { 21, "data", "usable", "never" },
  { 22, "charset", "usable", "never" },
  { 23, "no_database", "usable", "never" },
  { 24, "no_table", "usable", "never" },
  { 25, "no_column", "usable", "never" },
  { 26, "no_function", "usable", "never" },
  { 27, "no_constraint", "usable", "never" },
  { 28, "exists", "usable", "never" },
  { 29, "syntax", "usable", "never" },
  { 30, "permission", "usable", "never" },
  { 31, "read_only", "usable", "never" },
  { 32, "unsupported", "usable", "never" },
  { 33, "state", "usable", "never" },
  { 34, "not_found", "usable", "never" },
  { 35, "conflict", "usable", "never" },
  { 36, "migration", "usable", "never" },
  { 37, "memory", "usable", "safe" },
  { 38, "io", "usable", "never" },
  { 39, "internal", "usable", "never" },
  { 40, "other", "usable", "never" },
};

Test(err, each_category_has_its_number_name_and_verdicts)
{
  cr_assert_eq(TN_COUNT(code_cases), TN_CODE_COUNT);
  for (size_t i = 0; i < TN_COUNT(code_cases); i++) {
    const struct code_case *c = &code_cases[i];
    tn_err err = TN_ERR_INIT;

    cr_expect_str_eq(tn_code_name((int32_t)c->code), c->name, "case %zu", i);
    cr_expect_eq(tn_code_from_name(c->name), (int32_t)c->code, "%s", c->name);
    cr_expect_eq(tn_err_set(&err, c->code, "x: y"), c->code, "%s", c->name);
    cr_expect_eq(err.code, (int32_t)c->code, "%s", c->name);
    cr_expect_str_eq(tn_connection_verdict_name(err.connection), c->connection,
                     "%s", c->name);
    cr_expect_str_eq(tn_replay_verdict_name(err.replay), c->replay, "%s",
                     c->name);
  }
}

Test(err, each_category_has_one_line_of_its_own)
{
  for (int32_t i = 0; i < TN_CODE_COUNT; i++) {
    const char *summary = tn_code_summary(i);

    cr_expect_gt(strlen(summary), 5, "%s", tn_code_name(i));
    cr_expect_null(strchr(summary, '\n'), "%s", tn_code_name(i));
    for (int32_t j = 0; j < i; j++)
      cr_expect_str_neq(summary, tn_code_summary(j), "%s", tn_code_name(i));
  }
}

Test(err, a_number_that_is_no_category_reads_as_other)
{
  static const int32_t numbers[] = { -1, TN_CODE_COUNT, INT32_MIN, INT32_MAX };

  for (size_t i = 0; i < TN_COUNT(numbers); i++) {
    tn_err err = TN_ERR_INIT;

    cr_expect_str_eq(tn_code_name(numbers[i]), "other", "case %zu", i);
    cr_expect_str_eq(tn_code_summary(numbers[i]), tn_code_summary(TN_E_OTHER));
    tn_err_set(&err, (enum tn_code)numbers[i], "x");
    cr_expect_eq(err.code, numbers[i]);
    cr_expect_eq(err.connection, TN_CONNECTION_USABLE);
    cr_expect_eq(err.replay, TN_REPLAY_NEVER);
  }
}

Test(err, a_name_that_is_none_has_no_category)
{
  cr_expect_eq(tn_code_from_name(NULL), -1);
  cr_expect_eq(tn_code_from_name(""), -1);
  cr_expect_eq(tn_code_from_name("Usage"), -1);
  cr_expect_eq(tn_code_from_name("usage "), -1);
}

Test(err, a_verdict_that_is_none_has_no_name)
{
  cr_expect_str_eq(tn_connection_verdict_name(0), "");
  cr_expect_str_eq(tn_connection_verdict_name(4), "");
  cr_expect_str_eq(tn_connection_verdict_name(-1), "");
  cr_expect_str_eq(tn_connection_verdict_name(INT32_MAX), "");
  cr_expect_str_eq(tn_replay_verdict_name(0), "");
  cr_expect_str_eq(tn_replay_verdict_name(5), "");
  cr_expect_str_eq(tn_replay_verdict_name(INT32_MIN), "");
}

Test(err, the_layout_is_that_of_the_first_release)
{
  cr_expect_eq(sizeof(tn_err), 3808);
  cr_expect_eq(offsetof(tn_err, sqlstate), 32);
  cr_expect_eq(offsetof(tn_err, message), 1216);
  cr_expect_eq(offsetof(tn_err, detail), 1728);
  cr_expect_eq(offsetof(tn_err, row), 3776);
  cr_expect_eq(offsetof(tn_err, source), 3784);
  cr_expect_eq(offsetof(tn_err, key_table_at), 3788);
  cr_expect_eq(offsetof(tn_err, reserved), 3792);
}

Test(err, without_an_object_the_code_is_still_returned)
{
  cr_expect_eq(tn_err_set(NULL, TN_E_BUSY, "%s", "x"), TN_E_BUSY);
  cr_expect_eq(tn_err_memory(NULL, "x"), TN_E_MEMORY);
  tn_err_add(NULL, TN_ERR_TABLE, "t");
  tn_err_verdicts(NULL, 1, 1);
  tn_err_clear(NULL);
  cr_expect_null(tn_err_column(NULL, 0));
}

Test(err, set_forgets_everything_that_was_said_before)
{
  static const tn_err zero = TN_ERR_INIT;
  tn_err err;

  memset(&err, 0xA5, sizeof(err));
  tn_err_set(&err, TN_E_DUPLICATE, "pool: all %d connections are lent", 5);
  cr_expect_str_eq(err.message, "pool: all 5 connections are lent");
  cr_expect_eq(err.native, 0);
  cr_expect_eq(err.position, 0);
  cr_expect_eq(err.column_count, 0);
  cr_expect_str_eq(err.sqlstate, "");
  cr_expect_str_eq(err.table, "");
  cr_expect_str_eq(err.detail, "");

  tn_err_add(&err, TN_ERR_TABLE, "t");
  cr_expect_eq(tn_err_set(&err, TN_OK, "x"), TN_OK);
  cr_expect_arr_eq(&err, &zero, sizeof(err), "no error says nothing");
}

Test(err, its_own_texts_may_be_among_the_values)
{
  tn_err err = TN_ERR_INIT;

  tn_err_set(&err, TN_E_CONFIG, "url: bad port");
  tn_err_set(&err, TN_E_PLUGIN, "engine: %s", err.message);
  cr_expect_str_eq(err.message, "engine: url: bad port");
}

Test(err, out_of_memory_names_what_needed_it)
{
  tn_err err = TN_ERR_INIT;

  oom_fail_nth(1, true);
  cr_expect_eq(tn_err_memory(&err, "url"), TN_E_MEMORY);
  tn_err_add(&err, TN_ERR_DETAIL, "x");
  cr_expect_eq(oom_count(), 0, "reporting allocates nothing");
  oom_reset();
  cr_expect_str_eq(err.message, "url: out of memory");
  cr_expect_eq(err.replay, TN_REPLAY_SAFE);
}

Test(err, values_that_cannot_be_printed_leave_the_summary)
{
  tn_err err = TN_ERR_INIT;

  /* No character of the C locale: vsnprintf() gives up. */
  cr_expect_eq(tn_err_set(&err, TN_E_IO, "file: %ls", L"\x20AC"), TN_E_IO);
  cr_expect_str_eq(err.message, tn_code_summary(TN_E_IO));
}

Test(err, a_message_is_one_line_without_control_characters)
{
  tn_err err = TN_ERR_INIT;

  tn_err_set(&err, TN_E_OTHER, "%s", "server: a\nb\x1b[1m\xFF gr\xC3\xBC \r\n");
  cr_expect_str_eq(err.message, "server: a\\x0ab\\x1b[1m\\xff gr\xC3\xBC");
}

Test(err, a_message_that_does_not_fit_ends_in_an_ellipsis)
{
  static char text[5000];
  tn_err err = TN_ERR_INIT;

  for (size_t size = 500; size < sizeof(text); size += size < 1100 ? 1 : 977) {
    memset(text, size % 2 == 0 ? 'x' : ' ', size);
    text[0] = text[size - 1] = 'x';
    text[size] = '\0';
    tn_err_set(&err, TN_E_OTHER, "%s", text);
    if (size < sizeof(err.message)) {
      cr_assert_str_eq(err.message, text, "size %zu", size);
      continue;
    }
    cr_assert_eq(strlen(err.message), sizeof(err.message) - 1, "size %zu",
                 size);
    cr_assert_str_eq(err.message + sizeof(err.message) - 4, "...");
  }
}

Test(err, a_cut_falls_at_the_edge_of_a_character)
{
  static char text[3000];
  tn_err err = TN_ERR_INIT;

  for (size_t lead = 0; lead < 3; lead++) {
    size_t size = lead;

    memset(text, 'x', lead);
    for (; size + 3 < sizeof(text); size += 3)
      memcpy(text + size, "\xE2\x82\xAC", 3);
    text[size] = '\0';
    tn_err_set(&err, TN_E_OTHER, "%s", text);
    tn_err_add(&err, TN_ERR_TABLE, text);
    cr_expect(tn_text_is_utf8(err.message, strlen(err.message), NULL));
    cr_expect_null(strchr(err.message, '\\'));
    cr_expect_str_eq(err.message + strlen(err.message) - 6, "\xE2\x82\xAC...");
    cr_expect_str_eq(err.table + strlen(err.table) - 6, "\xE2\x82\xAC...");
  }
}

Test(err, texts_are_added_to_their_own_fields)
{
  tn_err err = TN_ERR_INIT;

  tn_err_set(&err, TN_E_DUPLICATE, "x");
  tn_err_add(&err, TN_ERR_SCHEMA, "s");
  tn_err_add(&err, TN_ERR_TABLE, "t\n");
  tn_err_add(&err, TN_ERR_CONSTRAINT, "c");
  tn_err_add(&err, TN_ERR_KEY, "k");
  tn_err_add(&err, TN_ERR_VALUE, "v");
  tn_err_add(&err, TN_ERR_DETAIL, "d");
  cr_expect_str_eq(err.schema, "s");
  cr_expect_str_eq(err.table, "t\\x0a");
  cr_expect_str_eq(err.constraint, "c");
  cr_expect_str_eq(err.key, "k");
  cr_expect_str_eq(err.value, "v");
  cr_expect_str_eq(err.detail, "d");
  cr_expect_str_eq(err.message, "x");
  tn_err_add(&err, TN_ERR_TABLE, "other");
  cr_expect_str_eq(err.table, "other", "the last one counts");
}

Test(err, what_is_no_field_and_no_text_is_ignored)
{
  tn_err err = TN_ERR_INIT, before;

  tn_err_add(&err, TN_ERR_TABLE, "t");
  cr_expect_str_eq(err.table, "", "no error is set");
  tn_err_set(&err, TN_E_DUPLICATE, "x");
  before = err;
  for (int field = -1; field < 12; field++) {
    tn_err_add(&err, (enum tn_err_field)field, NULL);
    tn_err_add(&err, (enum tn_err_field)field, "");
  }
  tn_err_add(&err, (enum tn_err_field)0, "x");
  tn_err_add(&err, (enum tn_err_field) - 1, "x");
  tn_err_add(&err, (enum tn_err_field)9, "x");
  tn_err_add(&err, (enum tn_err_field)INT32_MAX, "x");
  cr_expect_arr_eq(&err, &before, sizeof(err));
}

Test(err, the_other_table_of_a_foreign_key_is_kept_behind_the_columns)
{
  tn_err err = TN_ERR_INIT;
  char name[20];
  uint32_t i;

  cr_expect_str_eq(tn_err_key_table(NULL), "");
  cr_expect_str_eq(tn_err_key_table(&err), "");
  tn_err_set(&err, TN_E_REFERENCE, "x");
  cr_expect_str_eq(tn_err_key_table(&err), "");
  tn_err_add(&err, TN_ERR_COLUMN, "first");
  tn_err_add(&err, TN_ERR_KEY_TABLE, "parent");
  tn_err_add(&err, TN_ERR_KEY_TABLE, "p\t");
  tn_err_add(&err, TN_ERR_COLUMN, "second");
  cr_expect_str_eq(tn_err_key_table(&err), "p\\x09");
  cr_expect_eq(err.column_count, 2);
  cr_expect_str_eq(tn_err_column(&err, 1), "second");
  cr_expect_null(tn_err_column(&err, 2));

  /* Columns leave it alone, and it leaves them alone. */
  for (i = 0; i < 100; i++) {
    snprintf(name, sizeof(name), "column%u", i);
    tn_err_add(&err, TN_ERR_COLUMN, name);
  }
  cr_expect_str_eq(tn_err_key_table(&err), "p\\x09");
  cr_expect_str_eq(tn_err_column(&err, 1), "second");
  tn_err_add(&err, TN_ERR_KEY_TABLE, "a longer name than there is room for");
  cr_expect_str_eq(tn_err_key_table(&err), "p\\x09");
  cr_expect_str_eq(tn_err_column(&err, 2), "column0");
  tn_err_set(&err, TN_E_REFERENCE, "x");
  cr_expect_str_eq(tn_err_key_table(&err), "");
}

Test(err, sources_have_names)
{
  cr_expect_str_eq(tn_err_source_name(0), "");
  cr_expect_str_eq(tn_err_source_name(TN_SOURCE_PROTOCOL), "protocol");
  cr_expect_str_eq(tn_err_source_name(TN_SOURCE_CATALOGUE), "catalogue");
  cr_expect_str_eq(tn_err_source_name(TN_SOURCE_MESSAGE), "message");
  cr_expect_str_eq(tn_err_source_name(4), "");
}

Test(err, columns_are_kept_in_order)
{
  tn_err err = TN_ERR_INIT;

  tn_err_set(&err, TN_E_DUPLICATE, "x");
  tn_err_add(&err, TN_ERR_COLUMN, "a");
  tn_err_add(&err, TN_ERR_COLUMN, "second");
  tn_err_add(&err, TN_ERR_COLUMN, "c\t");
  cr_expect_eq(err.column_count, 3);
  cr_expect_str_eq(tn_err_column(&err, 0), "a");
  cr_expect_str_eq(tn_err_column(&err, 1), "second");
  cr_expect_str_eq(tn_err_column(&err, 2), "c\\x09");
  cr_expect_null(tn_err_column(&err, 3));
  cr_expect_null(tn_err_column(&err, UINT32_MAX));
}

Test(err, columns_that_do_not_fit_are_cut_or_dropped)
{
  char long_name[300];

  memset(long_name, 'n', sizeof(long_name) - 1);
  long_name[sizeof(long_name) - 1] = '\0';
  for (size_t size = 1; size < 300; size++) {
    tn_err err = TN_ERR_INIT;

    tn_err_set(&err, TN_E_DUPLICATE, "x");
    for (int i = 0; i < 300; i++)
      tn_err_add(&err, TN_ERR_COLUMN, long_name + 299 - size);
    cr_assert_leq(err.columns_used, sizeof(err.columns));
    cr_assert_geq(err.column_count, 1);
    for (uint32_t i = 0; i < err.column_count; i++) {
      const char *name = tn_err_column(&err, i);

      cr_assert(strlen(name) == size ||
                    (i + 1 == err.column_count &&
                     strcmp(name + strlen(name) - 3, "...") == 0),
                "size %zu, column %u: %s", size, i, name);
    }
    cr_assert_str_eq(err.constraint, "", "nothing beyond the field");
  }
}

Test(err, details_are_lines)
{
  tn_err err = TN_ERR_INIT;

  tn_err_set(&err, TN_E_OTHER, "x");
  tn_err_add(&err, TN_ERR_DETAIL, "first\r\nsecond \x1b[1m\n");
  tn_err_add(&err, TN_ERR_DETAIL, "third");
  cr_expect_str_eq(err.detail, "first\nsecond \\x1b[1m\nthird");
}

Test(err, details_that_do_not_fit_end_in_an_ellipsis)
{
  static char text[6000];

  for (size_t size = 1; size < sizeof(text); size += size < 100 ? 1 : 331) {
    tn_err err = TN_ERR_INIT;

    tn_err_set(&err, TN_E_OTHER, "x");
    memset(text, 'x', size);
    text[size] = '\0';
    for (int i = 0; i < 2500; i += (int)size)
      tn_err_add(&err, TN_ERR_DETAIL, text);
    cr_assert_eq(strlen(err.detail), sizeof(err.detail) - 1, "size %zu", size);
    cr_assert_str_eq(err.detail + sizeof(err.detail) - 4, "...", "size %zu",
                     size);
    tn_err_add(&err, TN_ERR_DETAIL, "y");
    cr_assert_null(strchr(err.detail, 'y'));
  }
}

Test(err, verdicts_are_changed_one_by_one)
{
  tn_err err = TN_ERR_INIT;

  tn_err_verdicts(&err, TN_CONNECTION_DEAD, TN_REPLAY_SAFE);
  cr_expect_eq(err.connection, 0, "no error is set");
  tn_err_set(&err, TN_E_TIMEOUT, "x");
  tn_err_verdicts(&err, TN_CONNECTION_DEAD, 0);
  cr_expect_eq(err.connection, TN_CONNECTION_DEAD);
  cr_expect_eq(err.replay, TN_REPLAY_TRANSACTION);
  tn_err_verdicts(&err, 0, TN_REPLAY_UNKNOWN);
  cr_expect_eq(err.connection, TN_CONNECTION_DEAD);
  cr_expect_eq(err.replay, TN_REPLAY_UNKNOWN);
}
