/* From the tables that an author filled in to the completed copy. */
#include "backend.h"

#include <criterion/criterion.h>
#include <string.h>

#include "fake_plugin.h"
#include "oom.h"

/* A descriptor like the fake plug-in's, to be spoiled. */
static struct tn_plugin plugin;

/* Tables to give instead of the fake plug-in's. */
static const void *others[8];
static bool lacks[8];

static struct tn_backend *backend;
static tn_err err;

static const void *
fake_table(uint32_t id)
{
  return fake_plugin_entry(NULL)->get_table(id);
}

static const void *
get_table(uint32_t id)
{
  if (id >= TN_COUNT(others) || lacks[id])
    return NULL;
  return others[id] != NULL ? others[id] : fake_table(id);
}

static void
set_up(void)
{
  plugin = *fake_plugin_entry(NULL);
  plugin.get_table = get_table;
}

static void
tear_down(void)
{
  tn_backend_free(&backend);
}

TestSuite(backend_new, .init = set_up, .fini = tear_down);

static enum tn_code
make(void)
{
  tn_backend_free(&backend);
  tn_err_clear(&err);
  return tn_backend_new(&plugin, "/lib/fake.so", &backend, &err);
}

static void
expect_refused(const char *reason)
{
  cr_expect_eq(make(), TN_E_PLUGIN, "%s", reason);
  cr_expect_eq(backend, NULL);
  cr_expect_str_eq(err.message, reason);
}

static int shutdowns;

static void
count_shutdown(void)
{
  shutdowns++;
}

Test(backend_new, shutdown_is_passed_on_if_there_is_one)
{
  tn_backend_shutdown(NULL);
  cr_assert_eq(make(), TN_OK, "%s", err.message);
  tn_backend_shutdown(backend);
  cr_expect_eq(shutdowns, 0);
  plugin.shutdown = count_shutdown;
  cr_assert_eq(make(), TN_OK, "%s", err.message);
  tn_backend_shutdown(backend);
  cr_expect_eq(shutdowns, 1);
}

Test(backend_new, is_a_copy_of_the_tables_with_its_path)
{
  cr_assert_eq(make(), TN_OK, "%s", err.message);
  cr_expect_str_eq(backend->path, "/lib/fake.so");
  cr_expect_str_eq(backend->plugin.name, "fake");
  cr_expect_str_eq(backend->client_version, "1.0");
  cr_expect_str_eq(backend->client, "fakelib 1.0");
  cr_expect_eq(backend->connection.size, sizeof(backend->connection));
  cr_expect_eq(backend->dialect.max_parameters, 100);
  tn_backend_free(&backend);
  tn_backend_free(&backend);
  tn_backend_free(NULL);
}

Test(backend_new, major_and_minor_are_read_before_anything_else)
{
  plugin.abi_major = 2;
  plugin.size = 8;
  expect_refused("ABI 2, this core has 1");
  plugin.abi_major = 0;
  expect_refused("ABI 0, this core has 1");
  plugin.size = 5;
  expect_refused("the descriptor has 5 bytes");
  plugin.abi_major = 1;
  plugin.size = sizeof(plugin);
  plugin.min_host_minor = 3;
  expect_refused("needs a newer core: ABI 1.3, this core has 1.0");
}

Test(backend_new, a_descriptor_that_ends_too_early_is_refused)
{
  plugin.size = offsetof(struct tn_plugin, get_table);
  cr_expect_eq(make(), TN_E_PLUGIN);
  plugin.size = offsetof(struct tn_plugin, shutdown);
  cr_expect_eq(make(), TN_OK, "%s", err.message);
  cr_expect_eq(backend->plugin.size, sizeof(plugin));
}

Test(backend_new, a_descriptor_has_a_name_and_schemes)
{
  static const char *const names[] = {
    NULL,    "",        "Fake",
    "1fake", "fa-ke",   "fa/ke",
    "_fake", "fake.so", "abcdefghijklmnopqrstuvwx",
  };
  static const char *const no_scheme[] = { NULL };
  static const char *const bad_scheme[] = { "fake", "fa/ke", NULL };

  for (size_t i = 0; i < TN_COUNT(names); i++) {
    plugin.name = names[i];
    cr_expect_eq(make(), TN_E_PLUGIN, "case %zu", i);
    cr_expect(strstr(err.message, "is no name") != NULL, "case %zu", i);
  }
  plugin.name = "fake";
  plugin.schemes = NULL;
  expect_refused("the descriptor has no scheme");
  plugin.schemes = no_scheme;
  expect_refused("the descriptor has no scheme");
  plugin.schemes = bad_scheme;
  expect_refused("\"fa/ke\" is no scheme");
}

Test(backend_new, texts_that_are_left_out_become_empty)
{
  plugin.version = NULL;
  plugin.license = NULL;
  plugin.client_library = NULL;
  cr_assert_eq(make(), TN_OK, "%s", err.message);
  cr_expect_str_eq(backend->plugin.version, "");
  cr_expect_str_eq(backend->plugin.license, "");
  cr_expect_str_eq(backend->plugin.client_library, "");
  cr_expect_str_eq(backend->client, "1.0");
}

Test(backend_new, required_slots_of_the_descriptor_are_named)
{
  plugin.get_table = NULL;
  expect_refused("missing get_table");
  plugin.get_table = get_table;
  plugin.client_version = NULL;
  expect_refused("missing client_version");
}

Test(backend_new, bad_rows_of_options_are_refused)
{
  struct tn_option_row row = { "x", TN_OPTION_TEXT, 0, 0, 0, NULL, "", "" };

  plugin.option_count = 1;
  plugin.options = NULL;
  expect_refused("missing options");
  plugin.options = &row;
  cr_expect_eq(make(), TN_OK);
  row.type = TN_OPTION_CHOICE;
  expect_refused("option row 1 has no name, no type or no choices");
  row.type = 6;
  expect_refused("option row 1 has no name, no type or no choices");
  row.type = 0;
  expect_refused("option row 1 has no name, no type or no choices");
  row.type = TN_OPTION_TEXT;
  row.name = "*";
  cr_expect_eq(make(), TN_OK);
  row.type = TN_OPTION_BOOL;
  expect_refused("option row 1 has no name, no type or no choices");
  row.type = TN_OPTION_TEXT;
  row.name = NULL;
  expect_refused("option row 1 has no name, no type or no choices");
}

Test(backend_new, every_missing_table_and_slot_is_named)
{
  struct tn_result_table result;
  struct tn_dialect_table dialect;

  memcpy(&result, fake_table(TN_TABLE_RESULT), sizeof(result));
  memcpy(&dialect, fake_table(TN_TABLE_DIALECT), sizeof(dialect));
  result.fetch = NULL;
  result.close = NULL;
  dialect.value_types = 0;
  others[TN_TABLE_RESULT] = &result;
  others[TN_TABLE_DIALECT] = &dialect;
  lacks[TN_TABLE_STATEMENT] = true;
  expect_refused("missing table statement, result.fetch, result.close, "
                 "dialect.value_types");

  for (uint32_t id = TN_TABLE_CONNECTION; id <= TN_TABLE_DIALECT; id++)
    lacks[id] = true;
  expect_refused("missing table connection, table statement, table result, "
                 "table dialect");
}

Test(backend_new, an_empty_table_lacks_everything_required)
{
  static const struct tn_connection_table connection = { .size = 8 };
  static const struct tn_txn_table txn = { .size = 0 };

  others[TN_TABLE_CONNECTION] = &connection;
  others[TN_TABLE_TXN] = &txn;
  plugin.caps = 0;
  expect_refused("missing connection.connect, connection.disconnect, "
                 "txn.begin, txn.commit, txn.rollback, txn.state");
}

Test(backend_new, slots_of_a_group_are_all_there_or_none)
{
  struct tn_txn_table txn;
  struct tn_session_table session;

  memcpy(&txn, fake_table(TN_TABLE_TXN), sizeof(txn));
  memcpy(&session, fake_table(TN_TABLE_SESSION), sizeof(session));
  others[TN_TABLE_TXN] = &txn;
  others[TN_TABLE_SESSION] = &session;
  txn.release_savepoint = NULL;
  session.set_isolation = NULL;
  expect_refused("missing txn.release_savepoint, session.set_isolation");
  txn.savepoint = NULL;
  txn.rollback_savepoint = NULL;
  session.get_isolation = NULL;
  plugin.caps &= ~TN_CAP_SAVEPOINT;
  cr_expect_eq(make(), TN_OK, "%s", err.message);
}

Test(backend_new, every_slot_of_a_bulk_load_is_required)
{
  static const struct tn_bulk_table bulk = { .size = sizeof(bulk) };

  others[TN_TABLE_BULK] = &bulk;
  expect_refused("missing bulk.open, bulk.write, bulk.finish, bulk.close");
}

Test(backend_new, result_sets_need_a_way_to_the_next)
{
  struct tn_result_table result;

  memcpy(&result, fake_table(TN_TABLE_RESULT), sizeof(result));
  result.next_set = NULL;
  others[TN_TABLE_RESULT] = &result;
  plugin.caps = TN_CAP_MULTI_RESULT;
  expect_refused("missing result.next_set, which its capabilities promise");
  plugin.caps = TN_CAP_PROCEDURE;
  expect_refused("missing result.next_set, which its capabilities promise");
}

/* ---- options of the core's ---- */

Test(backend_new, the_core_adds_its_options_where_there_is_a_network)
{
  uint32_t own = plugin.option_count;

  cr_assert_eq(make(), TN_OK, "%s", err.message);
  cr_expect_eq(backend->plugin.option_count, own);
  cr_expect_eq(backend->plugin.options, plugin.options);

  plugin.caps |= TN_CAP_NETWORK;
  cr_assert_eq(make(), TN_OK, "%s", err.message);
  cr_assert_eq(backend->plugin.option_count, own + 7);
  cr_expect_str_eq(backend->plugin.options[0].name, plugin.options[0].name);
  cr_expect_str_eq(backend->plugin.options[own].name, "tls");
  cr_expect_str_eq(backend->plugin.options[own + 6].name, "clear_password");

  plugin.option_count = 0;
  plugin.options = NULL;
  cr_assert_eq(make(), TN_OK, "%s", err.message);
  cr_assert_eq(backend->plugin.option_count, 7);
}

Test(backend_new, a_plugin_has_no_tls_options_of_its_own)
{
  static const struct tn_option_row row = { .name = "sslmode",
                                            .type = TN_OPTION_TEXT };

  plugin.options = &row;
  plugin.option_count = 1;
  cr_expect_eq(make(), TN_OK, "%s", err.message);
  plugin.caps |= TN_CAP_NETWORK;
  expect_refused("option row 1: \"sslmode\" is read by the core");
}

Test(backend_new, a_capability_needs_its_slot)
{
  lacks[TN_TABLE_TXN] = true;
  expect_refused("missing txn.begin, which its capabilities promise");
  plugin.caps = TN_CAP_WRITE;
  cr_expect_eq(make(), TN_OK, "%s", err.message);
  lacks[TN_TABLE_SESSION] = true;
  cr_expect_eq(make(), TN_OK, "%s", err.message);
  plugin.caps = TN_CAP_RESET;
  expect_refused("missing session.reset, which its capabilities promise");
}

Test(backend_new, bad_rows_of_errors_are_refused)
{
  static const struct tn_error_row bad[] = {
    { 0, TN_E_OTHER, 0, 0, NULL, "" }, { 0, TN_E_OTHER, 0, 0, "123", "" },
    { 1, TN_OK, 0, 0, NULL, "" },      { 1, TN_CODE_COUNT, 0, 0, NULL, "" },
    { 1, -1, 0, 0, NULL, "" },         { 1, TN_E_OTHER, 4, 0, NULL, "" },
    { 1, TN_E_OTHER, 0, 5, NULL, "" }, { 1, TN_E_OTHER, -1, 0, NULL, "" },
  };
  struct tn_dialect_table dialect;

  memcpy(&dialect, fake_table(TN_TABLE_DIALECT), sizeof(dialect));
  others[TN_TABLE_DIALECT] = &dialect;
  dialect.errors = NULL;
  expect_refused("missing dialect.errors");
  dialect.error_count = 1;
  for (size_t i = 0; i < TN_COUNT(bad); i++) {
    dialect.errors = &bad[i];
    cr_expect_eq(make(), TN_E_PLUGIN, "case %zu", i);
    cr_expect(strstr(err.message, "error row 1") != NULL, "case %zu", i);
  }
  dialect.error_count = 0;
  cr_expect_eq(make(), TN_OK);
  dialect.placeholder = 4;
  expect_refused("dialect: 4 is no kind of placeholder known here");
}

Test(backend_new, limits_and_spelling_have_defaults)
{
  static const struct tn_dialect_table dialect = {
    .size = offsetof(struct tn_dialect_table, max_identifier_bytes),
    .placeholder = TN_PLACEHOLDER_DOLLAR_NUMBER,
    .value_types = 1u << TN_TEXT,
    .max_identifier_bytes = 12, /* beyond its end */
    .quote_open = '[',
  };

  others[TN_TABLE_DIALECT] = &dialect;
  cr_assert_eq(make(), TN_OK, "%s", err.message);
  cr_expect_eq(backend->dialect.size, sizeof(dialect));
  cr_expect_eq(backend->dialect.max_parameters, 65535);
  cr_expect_eq(backend->dialect.max_identifier_bytes, UINT32_MAX);
  cr_expect_eq(backend->dialect.max_value_bytes, UINT64_MAX);
  cr_expect_eq(backend->dialect.max_statement_bytes, UINT64_MAX);
  cr_expect_eq(backend->dialect.quote_open, '"');
  cr_expect_eq(backend->dialect.quote_close, '"');
  cr_expect_str_eq(backend->dialect.ping_sql, "SELECT 1");
  cr_expect_eq(backend->dialect.bulk_rows, 1);
  cr_expect_null(backend->dialect.explain_prefix);
}

Test(backend_new, every_slot_is_filled)
{
  struct tn_connection_table connection;
  struct tn_statement_table statement;
  struct tn_result_table result;

  memcpy(&connection, fake_table(TN_TABLE_CONNECTION), sizeof(connection));
  connection.size = offsetof(struct tn_connection_table, ping);
  memcpy(&statement, fake_table(TN_TABLE_STATEMENT), sizeof(statement));
  statement.size = offsetof(struct tn_statement_table, execute_batch);
  memcpy(&result, fake_table(TN_TABLE_RESULT), sizeof(result));
  result.size = offsetof(struct tn_result_table, info);
  others[TN_TABLE_CONNECTION] = &connection;
  others[TN_TABLE_STATEMENT] = &statement;
  others[TN_TABLE_RESULT] = &result;
  lacks[TN_TABLE_TXN] = true;
  lacks[TN_TABLE_SESSION] = true;
  lacks[TN_TABLE_BULK] = true;
  plugin.caps = 0;
  cr_assert_eq(make(), TN_OK, "%s", err.message);
  cr_expect_not(backend->has_batch);
  cr_expect_not(backend->has_bulk);

  const struct {
    size_t from, to;
  } tables[] = {
    { offsetof(struct tn_backend, connection.connect),
      offsetof(struct tn_backend, statement) },
    { offsetof(struct tn_backend, statement.prepare),
      offsetof(struct tn_backend, result) },
    { offsetof(struct tn_backend, result.columns),
      offsetof(struct tn_backend, dialect) },
    { offsetof(struct tn_backend, txn.begin),
      offsetof(struct tn_backend, session) },
    { offsetof(struct tn_backend, session.reset),
      offsetof(struct tn_backend, bulk) },
    { offsetof(struct tn_backend, bulk.open),
      offsetof(struct tn_backend, rows) },
  };
  for (size_t i = 0; i < TN_COUNT(tables); i++) {
    for (size_t at = tables[i].from; at < tables[i].to; at += sizeof(void *)) {
      void *slot;

      memcpy(&slot, (const char *)backend + at, sizeof(slot));
      cr_expect(slot != NULL, "table %zu, byte %zu", i, at - tables[i].from);
    }
  }
}

Test(backend_new, each_allocation_of_new_may_fail)
{
  plugin.caps |= TN_CAP_NETWORK;
  for (long nth = 1;; nth++) {
    enum tn_code rc;

    oom_fail_nth(nth, false);
    rc = tn_backend_new(&plugin, "/lib/fake.so", &backend, &err);
    if (rc == TN_OK)
      tn_backend_free(&backend);
    else
      cr_expect_eq(err.code, TN_E_MEMORY, "allocation %ld", nth);
    cr_assert_eq(oom_live(), 0, "allocation %ld", nth);
    if (oom_count() < nth)
      break;
    cr_expect_eq(rc, TN_E_MEMORY, "allocation %ld", nth);
  }
  oom_reset();
}
