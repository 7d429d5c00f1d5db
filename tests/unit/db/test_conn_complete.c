/* What a violated key is made of, from a catalogue that the script plays. */
#include <tenon/engine.h>

#include "fixture.h"

static const struct tn_column columns[] = {
  { "schema", "text", TN_TEXT, 0 }, { "table", "text", TN_TEXT, 0 },
  { "key", "text", TN_TEXT, 0 },    { "column", "text", TN_TEXT, 0 },
  { "other", "text", TN_TEXT, 0 },  { "place", "int", TN_INT64, 0 },
};

static struct tn_dialect_table dialect;
static tn_err about;

/* A session whose catalogue has `count` rows. */
static void
open_catalogue(const tn_value *rows, uint64_t count, uint32_t column_count)
{
  static struct fake_result result;

  result = (struct fake_result){ .columns = columns,
                                 .column_count = column_count,
                                 .rows = rows,
                                 .row_count = count };
  script.results = &result;
  script.result_count = 1;
  dialect =
      *(const struct tn_dialect_table *)fake_plugin_entry(NULL)->get_table(
          TN_TABLE_DIALECT);
  dialect.constraint_sql =
      "SELECT :category, :schema, :table, :constraint, :columns";
  tables[TN_TABLE_DIALECT] = &dialect;
  fixture_open();
  tn_err_set(&about, TN_E_DUPLICATE, "x");
  snprintf(about.backend, sizeof(about.backend), "fake");
  tn_err_add(&about, TN_ERR_CONSTRAINT, "k");
  tn_err_add(&about, TN_ERR_COLUMN, "guess");
  about.source = TN_SOURCE_MESSAGE;
}

TestSuite(conn_complete, .init = fixture_init, .fini = fixture_close);

Test(conn_complete, takes_what_the_catalogue_says)
{
  const tn_value rows[] = {
    tn_text("s"), tn_text("t"), tn_text("k"), tn_text("a"),
    tn_text("p"), tn_int64(1),  tn_text("s"), tn_text("t"),
    tn_text("k"), tn_text("b"), tn_text("p"), tn_int64(2),
  };

  open_catalogue(rows, 2, 6);
  cr_assert_eq(tn_conn_complete(conn, &about, 0, &err), TN_OK, "%s",
               err.message);
  cr_expect_str_eq(about.schema, "s");
  cr_expect_str_eq(about.table, "t");
  cr_expect_str_eq(about.constraint, "k");
  cr_expect_eq(about.column_count, 2);
  cr_expect_str_eq(tn_err_column(&about, 0), "a");
  cr_expect_str_eq(tn_err_column(&about, 1), "b");
  cr_expect_str_eq(tn_err_key_table(&about), "p");
  cr_expect_eq(about.source, TN_SOURCE_CATALOGUE);
  cr_expect_str_eq(about.message, "x");
}

Test(conn_complete, a_key_of_expressions_keeps_the_columns_that_there_are)
{
  const tn_value rows[] = { tn_null(), tn_text("t"), tn_text("k"),
                            tn_null(), tn_null(),    tn_int64(1) };

  open_catalogue(rows, 1, 6);
  cr_assert_eq(tn_conn_complete(conn, &about, 0, &err), TN_OK);
  cr_expect_str_eq(about.table, "t");
  cr_expect_str_eq(about.schema, "");
  cr_expect_str_eq(tn_err_column(&about, 0), "guess");
  cr_expect_eq(about.source, TN_SOURCE_MESSAGE);
}

Test(conn_complete, takes_nothing_of_several_keys)
{
  const tn_value rows[] = {
    tn_text("s"), tn_text("t"), tn_text("k"), tn_text("a"),
    tn_null(),    tn_int64(1),  tn_text("s"), tn_text("u"),
    tn_text("k"), tn_text("a"), tn_null(),    tn_int64(1),
  };
  tn_err before;

  open_catalogue(rows, 2, 6);
  before = about;
  cr_assert_eq(tn_conn_complete(conn, &about, 0, &err), TN_OK);
  cr_expect_arr_eq(&about, &before, sizeof(about));
}

Test(conn_complete, takes_nothing_of_an_empty_catalogue)
{
  tn_err before;

  open_catalogue(NULL, 0, 6);
  before = about;
  cr_assert_eq(tn_conn_complete(conn, &about, 0, &err), TN_OK);
  cr_expect_arr_eq(&about, &before, sizeof(about));
}

Test(conn_complete, a_failure_changes_nothing)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_EXECUTE, .category = TN_E_PERMISSION, .message = "no" },
  };
  tn_err before;

  script.answers = answers;
  script.answer_count = TN_COUNT(answers);
  open_catalogue(NULL, 0, 6);
  before = about;
  cr_expect_eq(tn_conn_complete(conn, &about, 0, &err), TN_E_PERMISSION);
  cr_expect_arr_eq(&about, &before, sizeof(about));
}

Test(conn_complete, a_catalogue_of_another_shape_is_the_plugins_fault)
{
  open_catalogue(NULL, 0, 5);
  cr_expect_eq(tn_conn_complete(conn, &about, 0, &err), TN_E_INTERNAL);
  cr_expect_str_eq(err.message, "complete: fault of the plug-in: its catalogue "
                                "has 5 columns");
}

/* On a connection of the pool's, which is given back. */
Test(conn_complete, an_engine_does_it_as_well)
{
  const tn_value rows[] = {
    tn_text("s"), tn_text("t"), tn_text("k"),
    tn_text("a"), tn_text("p"), tn_int64(1),
  };
  struct tn_engine_options options = TN_ENGINE_OPTIONS_INIT;
  tn_engine *engine = NULL;

  open_catalogue(rows, 1, 6);
  options.registry = registry;
  cr_assert_eq(tn_engine_open(fixture_url("&max_pool_size=1&max_overflow=0"
                                          "&pool_timeout=0"),
                              &options, &engine, &err),
               TN_OK, "%s", err.message);
  for (int i = 0; i < 2; i++) {
    about.source = TN_SOURCE_MESSAGE;
    cr_expect_eq(tn_engine_complete(engine, &about, 0, &err), TN_OK, "%s",
                 err.message);
    cr_expect_eq(about.source, TN_SOURCE_CATALOGUE);
    cr_expect_str_eq(tn_err_column(&about, 0), "a");
  }
  about.code = TN_E_SYNTAX;
  cr_expect_eq(tn_engine_complete(engine, &about, 0, &err), TN_E_USAGE);
  tn_engine_close(&engine);
}

Test(conn_complete, is_refused_where_it_makes_no_sense)
{
  open_catalogue(NULL, 0, 6);
  cr_expect_eq(tn_conn_complete(conn, NULL, 0, &err), TN_E_USAGE);
  about.code = TN_E_SYNTAX;
  cr_expect_eq(tn_conn_complete(conn, &about, 0, &err), TN_E_USAGE);
  about.code = TN_E_REFERENCE;
  about.backend[0] = 'x';
  cr_expect_eq(tn_conn_complete(conn, &about, 0, &err), TN_E_USAGE);
  cr_expect_str_eq(err.message, "complete: the error is of backend \"xake\", "
                                "the connection of \"fake\"");
  about.backend[0] = 'f';
  cr_assert_eq(tn_conn_begin(conn, NULL, &err), TN_OK);
  cr_expect_eq(tn_conn_complete(conn, &about, 0, &err), TN_E_STATE);
  cr_assert_eq(tn_conn_rollback(conn, &err), TN_OK);
  cr_expect_eq(tn_conn_complete(conn, &about, 0, &err), TN_OK);
  about.constraint[0] = '\0';
  script.calls[FAKE_EXECUTE] = 0;
  cr_expect_eq(tn_conn_complete(conn, &about, 0, &err), TN_OK);
  cr_expect_eq(script.calls[FAKE_EXECUTE], 0, "there is nothing to ask for");
}

Test(conn_complete, a_backend_without_a_catalogue_says_so)
{
  fixture_open();
  tn_err_set(&about, TN_E_DUPLICATE, "x");
  snprintf(about.backend, sizeof(about.backend), "fake");
  cr_expect_eq(tn_conn_complete(conn, &about, 0, &err), TN_E_UNSUPPORTED);
  cr_expect_str_eq(err.message, "complete: fake has no catalogue of keys");
}
