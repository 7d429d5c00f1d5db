/* Bulk loads: by the backend's own table, and by INSERT with one or several
 * rows of VALUES. Most of this is owed in all three ways, and run thrice. */
#include <tenon/bulk.h>
#include <time.h>

#include "fixture.h"

TestSuite(bulk, .init = fixture_init, .timeout = 60);

static const struct fake_result results[] = {
  { .sql = "INSERT", .info_flags = TN_RESULT_HAS_AFFECTED, .affected = 1 },
};
static const char *const ab[] = { "a", "b" };
static const struct tn_bulk_options into_t = { .table = "t",
                                               .columns = ab,
                                               .column_count = 2 };
static tn_value pairs[40]; /* 1 to 40 */

/* How rows get into the table. */
enum way { SINGLE, THREES, OWN, WAYS };
static const char *const way_names[] = { "single", "threes", "own" };

static struct tn_dialect_table dialect;
static tn_bulk *bulk;

static void
begin(enum way way)
{
  memset(&script, 0, sizeof script);
  memset(tables, 0, sizeof tables);
  script.has_trace = 1;
  if (way == OWN)
    fixture_enrich();
  dialect =
      *(const struct tn_dialect_table *)fake_plugin_entry(NULL)->get_table(
          TN_TABLE_DIALECT);
  dialect.bulk_rows = way == THREES ? 3 : 0;
  tables[TN_TABLE_DIALECT] = &dialect;
  SCRIPT_RESULTS(results);
  for (size_t i = 0; i < TN_COUNT(pairs); i++)
    pairs[i] = tn_int64((int64_t)i + 1);
  fixture_open();
}

static void
open_load(void)
{
  cr_assert_eq(tn_bulk_open(conn, &into_t, &bulk, &err), TN_OK, "%s",
               err.message);
}

static void
end(void)
{
  tn_bulk_close(&bulk);
  cr_expect_eq(bulk, NULL);
  fixture_close();
}

/* Rows `from` to `from` + `count` - 1, counted from 1. */
static enum tn_code
write_rows(size_t from, size_t count)
{
  return tn_bulk_write(bulk, pairs + 2 * (from - 1), count, &err);
}

/* All that was given is the numbers from 1 on, in order. */
static void
expect_given(size_t numbers, const char *what)
{
  const char *at = script.given;

  for (size_t i = 1; i <= numbers; i++) {
    char *after = NULL;

    cr_expect_eq(strtol(at, &after, 10), (long)i, "%s: %s", what, script.given);
    cr_assert(after > at, "%s: %s", what, script.given);
    at = after + 1;
  }
  cr_expect_eq(*at, '\0', "%s: %s", what, script.given);
}

static void
expect_over(const char *what)
{
  uint64_t count = 77;

  cr_expect_eq(write_rows(1, 1), TN_E_STATE, "%s", what);
  cr_expect_eq(err.code, TN_E_STATE, "%s", what);
  cr_expect_eq(tn_bulk_write(bulk, pairs, 1, NULL), TN_E_STATE, "%s", what);
  cr_expect_eq(tn_bulk_finish(bulk, &count, &err), TN_E_STATE, "%s", what);
  cr_expect_eq(tn_bulk_finish(bulk, NULL, NULL), TN_E_STATE, "%s", what);
  cr_expect_eq(count, 77, "%s", what);
}

/* ---- rows ---- */

Test(bulk, all_rows_go_in_in_order_whatever_the_pieces)
{
  static const size_t pieces[][6] = {
    { 20 }, { 1, 1, 1, 1 }, { 3, 3 }, { 2, 3, 4, 5, 6 }, { 7, 1 }, { 0, 4, 0 },
  };

  for (size_t i = 0; i < WAYS * TN_COUNT(pieces); i++) {
    uint64_t loaded = 0;
    size_t count = 0;

    begin(i % WAYS);
    open_load();
    for (size_t at = 0; at < 6; at++) {
      size_t piece = pieces[i / WAYS][at];

      cr_assert_eq(write_rows(count + 1, piece), TN_OK, "%s", err.message);
      count += piece;
    }
    cr_expect_eq(script.calls[FAKE_COMMIT], 0);
    cr_expect_eq(tn_bulk_finish(bulk, &loaded, &err), TN_OK, "%s", err.message);
    cr_expect_eq(loaded, count, "case %zu: %d", i, (int)loaded);
    expect_given(2 * count, way_names[i % WAYS]);
    cr_expect_eq(script.calls[FAKE_BEGIN], 1, "case %zu", i);
    cr_expect_eq(script.calls[FAKE_COMMIT], 1, "case %zu", i);
    cr_expect_eq(script.calls[FAKE_ROLLBACK], 0, "case %zu", i);
    expect_over("finished");
    tn_bulk_close(&bulk);
    cr_expect_eq(script.calls[FAKE_ROLLBACK], 0, "case %zu", i);
    fixture_expect_usable("a load");
    end();
  }
}

Test(bulk, takes_no_error_object_and_no_count)
{
  for (enum way way = SINGLE; way < WAYS; way++) {
    begin(way);
    cr_assert_eq(tn_bulk_open(conn, &into_t, &bulk, NULL), TN_OK);
    cr_expect_eq(tn_bulk_write(bulk, pairs, 4, NULL), TN_OK);
    cr_expect_eq(tn_bulk_finish(bulk, NULL, NULL), TN_OK);
    tn_bulk_close(&bulk);
    tn_bulk_close(&bulk);
    tn_bulk_close(NULL);
    end();
  }
}

Test(bulk, of_nothing_is_a_load_too)
{
  for (enum way way = SINGLE; way < WAYS; way++) {
    uint64_t loaded = 77;

    begin(way);
    open_load();
    cr_expect_eq(tn_bulk_write(bulk, NULL, 0, &err), TN_OK);
    cr_expect_eq(tn_bulk_finish(bulk, &loaded, &err), TN_OK);
    cr_expect_eq(loaded, 0);
    end();
  }
}

Test(bulk, the_statement_has_as_many_rows_as_pay)
{
  begin(SINGLE);
  open_load();
  cr_expect_eq(write_rows(1, 5), TN_OK);
  cr_expect_eq(script.calls[FAKE_EXECUTE], 5);
  cr_expect_str_eq(script.sql,
                   "INSERT INTO \"t\" (\"a\", \"b\") VALUES (?, ?)");
  end();

  begin(THREES);
  open_load();
  cr_expect_eq(write_rows(1, 7), TN_OK);
  cr_expect_str_eq(script.given, "1,2,3,4,5,6;7,8,9,10,11,12;13,14;");
  cr_expect_str_eq(script.sql,
                   "INSERT INTO \"t\" (\"a\", \"b\") VALUES (?, ?), "
                   "(?, ?), (?, ?)");
  cr_expect_eq(script.calls[FAKE_PREPARE], 2);
  cr_expect_eq(write_rows(8, 6), TN_OK);
  cr_expect_eq(script.calls[FAKE_PREPARE], 2, "compiled once");
  end();
}

Test(bulk, rows_at_once_are_bounded_by_the_parameters)
{
  static const struct {
    uint32_t bulk_rows;
    uint32_t max_parameters;
    uint32_t parameters; /* of a statement */
  } cases[] = {
    { 3, 6, 6 }, { 3, 5, 4 }, { 3, 3, 2 }, { 3, 2, 2 }, { 9, 100, 18 },
  };

  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    uint32_t parameters = 1;

    begin(SINGLE);
    tn_conn_close(&conn);
    tn_registry_free(&registry);
    dialect.bulk_rows = cases[i].bulk_rows;
    dialect.max_parameters = cases[i].max_parameters;
    fixture_open();
    open_load();
    cr_expect_eq(write_rows(1, 9), TN_OK, "case %zu: %s", i, err.message);
    for (const char *c = script.given; *c != ';' && *c != '\0'; c++)
      parameters += *c == ',';
    cr_expect_eq(parameters, cases[i].parameters, "case %zu: %s", i,
                 script.given);
    end();
  }
}

Test(bulk, names_are_taken_as_they_are)
{
  static const char *const odd[] = { "a\"b", "c, d) --", ":x" };
  const struct tn_bulk_options options = {
    .schema = "my.schema", .table = "t;", .columns = odd, .column_count = 3
  };

  for (enum way way = SINGLE; way < WAYS; way++) {
    begin(way);
    cr_assert_eq(tn_bulk_open(conn, &options, &bulk, &err), TN_OK, "%s",
                 err.message);
    if (way == OWN)
      cr_expect_str_eq(script.bulk, "my.schema.t;(a\"b,c, d) --,:x)");
    else
      cr_expect_str_eq(script.sql,
                       "INSERT INTO \"my.schema\".\"t;\" (\"a\"\"b\", \"c, d) "
                       "--\", \":x\") VALUES (?, ?, ?)");
    end();
  }
}

/* ---- what is refused ---- */

Test(bulk, needs_a_table_and_columns_that_have_names)
{
  static const char *const no_name[] = { "a", NULL };
  static const char *const empty[] = { "", "b" };
  static const struct tn_bulk_options cases[] = {
    { .table = NULL, .columns = ab, .column_count = 2 },
    { .table = "", .columns = ab, .column_count = 2 },
    { .table = "t", .columns = ab, .column_count = 0 },
    { .table = "t", .columns = no_name, .column_count = 2 },
    { .table = "t", .columns = empty, .column_count = 2 },
  };

  for (size_t i = 0; i < WAYS * TN_COUNT(cases); i++) {
    tn_bulk *untouched = UNTOUCHED(tn_bulk);

    begin(i % WAYS);
    cr_expect_eq(tn_bulk_open(conn, &cases[i / WAYS], &untouched, &err),
                 TN_E_USAGE, "case %zu: %s", i, err.message);
    cr_expect_eq(tn_bulk_open(conn, &cases[i / WAYS], &untouched, NULL),
                 TN_E_USAGE);
    cr_expect_eq(untouched, UNTOUCHED(tn_bulk));
    cr_expect_eq(script.calls[FAKE_BEGIN], 0);
    fixture_expect_usable("a refusal");
    end();
  }
}

Test(bulk, a_name_that_cannot_be_one_is_refused)
{
  static char too_long[65];
  const char *const bad[] = { "a", "\xff" };
  const struct tn_bulk_options options[] = {
    { .table = "t", .columns = bad, .column_count = 2 },
    { .table = too_long, .columns = ab, .column_count = 2 },
    { .schema = "", .table = "t", .columns = ab, .column_count = 2 },
  };

  memset(too_long, 'x', 64);
  for (size_t i = 0; i < TN_COUNT(options); i++) {
    tn_bulk *untouched = UNTOUCHED(tn_bulk);

    begin(SINGLE);
    cr_expect_neq(tn_bulk_open(conn, &options[i], &untouched, &err), TN_OK,
                  "case %zu", i);
    cr_expect_eq(untouched, UNTOUCHED(tn_bulk));
    cr_expect_eq(tn_conn_txn_state(conn), TN_TXN_NONE, "case %zu", i);
    fixture_expect_usable("a refusal");
    end();
  }
}

Test(bulk, more_columns_than_parameters_are_refused)
{
  static const char *names[101];
  const struct tn_bulk_options options = { .table = "t",
                                           .columns = names,
                                           .column_count = 101 };

  for (size_t i = 0; i < TN_COUNT(names); i++)
    names[i] = "c";
  begin(SINGLE);
  cr_expect_eq(tn_bulk_open(conn, &options, &bulk, &err), TN_E_LIMIT, "%s",
               err.message);
  cr_expect_eq(tn_conn_txn_state(conn), TN_TXN_NONE);
  fixture_expect_usable("a refusal");
  end();
}

Test(bulk, nothing_else_runs_meanwhile)
{
  static const struct tn_query query = { .sql = "x" };

  for (enum way way = SINGLE; way < WAYS; way++) {
    tn_bulk *second = UNTOUCHED(tn_bulk);
    tn_result *result = UNTOUCHED(tn_result);
    tn_prepared *prepared = UNTOUCHED(tn_prepared);

    begin(way);
    open_load();
    for (int round = 0; round < 2; round++) {
      cr_expect_eq(tn_conn_query(conn, &query, &result, &err), TN_E_STATE);
      cr_expect(strstr(err.message, "load") != NULL, "%s", err.message);
      cr_expect_eq(tn_conn_prepare(conn, "x", 0, &prepared, NULL), TN_E_STATE);
      cr_expect_eq(tn_conn_begin(conn, NULL, &err), TN_E_STATE);
      cr_expect_eq(tn_conn_commit(conn, &err), TN_E_STATE);
      cr_expect_eq(tn_conn_rollback(conn, &err), TN_E_STATE);
      cr_expect_eq(tn_conn_ping(conn, 0, &err), TN_E_STATE);
      cr_expect_eq(tn_bulk_open(conn, &into_t, &second, &err), TN_E_STATE);
      cr_expect_eq(tn_bulk_open(conn, &into_t, &second, NULL), TN_E_STATE);
      cr_expect_eq(write_rows(1, 4), TN_OK, "%s", err.message);
    }
    cr_expect_eq(tn_bulk_finish(bulk, NULL, &err), TN_OK);
    tn_bulk_close(&bulk);
    fixture_expect_usable("a load");
    end();
  }
}

Test(bulk, is_refused_while_a_result_streams)
{
  static const struct tn_column columns[] = { { "a", "int", TN_INT64, 0 } };
  static const struct fake_result streams[] = {
    { .sql = "select", .columns = columns, .column_count = 1 },
  };
  static const struct tn_query query = { .sql = "select" };

  for (size_t i = 0; i < 2 * WAYS; i++) {
    tn_result *result = NULL;

    fixture_init();
    if (i >= WAYS)
      plugin.caps &= ~TN_CAP_TRANSACTION;
    begin(i % WAYS);
    SCRIPT_RESULTS(streams);
    cr_assert_eq(tn_conn_query(conn, &query, &result, &err), TN_OK);
    cr_expect_eq(tn_bulk_open(conn, &into_t, &bulk, &err), TN_E_STATE);
    cr_expect_eq(tn_bulk_open(conn, &into_t, &bulk, NULL), TN_E_STATE);
    tn_result_close(&result);
    fixture_expect_usable("a refusal");
    end();
  }
}

/* ---- failures ---- */

Test(bulk, a_bad_value_is_told_by_row_of_the_load_and_column)
{
  for (enum way way = SINGLE; way < WAYS; way++)
    for (size_t bad = 1; bad <= 8; bad++) {
      begin(way);
      open_load();
      pairs[2 * (bad + 4) - 1] = tn_text("\xff");
      cr_expect_eq(write_rows(1, 4), TN_OK);
      cr_expect_eq(write_rows(5, 8), TN_E_CHARSET, "%s", err.message);
      cr_expect_eq(err.row, bad + 4, "%s: row %zu: %d", way_names[way], bad,
                   (int)err.row);
      cr_expect_eq(err.parameter, 2, "%s: row %zu: %d", way_names[way], bad,
                   err.parameter);
      cr_expect_eq(tn_conn_txn_state(conn), TN_TXN_NONE);
      cr_expect_eq(script.calls[FAKE_ROLLBACK], 1);
      expect_over("a refused value");
      end();
    }
}

Test(bulk, what_the_backend_refuses_is_told_by_row_of_the_load)
{
  static const struct {
    enum way way;
    struct fake_answer answer;
    uint64_t row;
    int32_t column;
  } cases[] = {
    { SINGLE, { .slot = FAKE_EXECUTE, .nth = 6 }, 6, 0 },
    { SINGLE, { .slot = FAKE_EXECUTE, .nth = 6, .parameter = 2 }, 6, 2 },
    { THREES, { .slot = FAKE_EXECUTE, .nth = 3, .parameter = 4 }, 6, 2 },
    { THREES, { .slot = FAKE_EXECUTE, .nth = 4, .parameter = 5 }, 10, 1 },
    { THREES, { .slot = FAKE_EXECUTE, .nth = 2 }, 4, 0 }, /* of the rest */
    { OWN, { .slot = FAKE_BULK_WRITE, .nth = 2, .row = 3 }, 3, 0 },
    { OWN,
      { .slot = FAKE_BULK_WRITE, .nth = 2, .row = 7, .parameter = 2 },
      7,
      2 },
    { OWN, { .slot = FAKE_BULK_FINISH, .row = 9 }, 9, 0 },
  };

  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    struct fake_answer answer = cases[i].answer;
    enum tn_code rc;

    answer.category = -1;
    answer.native = 2067;
    answer.message = "there already";
    begin(cases[i].way);
    script.answers = &answer;
    script.answer_count = 1;
    open_load();
    rc = write_rows(1, 4); /* in threes: one statement of three, and one row */
    if (rc == TN_OK)
      rc = write_rows(5, 6);
    if (rc == TN_OK)
      rc = tn_bulk_finish(bulk, NULL, &err);
    cr_expect_eq(rc, TN_E_DUPLICATE, "case %zu: %s", i, tn_code_name(rc));
    cr_expect_str_eq(err.message, "there already", "case %zu", i);
    cr_expect_eq(err.row, cases[i].row, "case %zu: %d", i, (int)err.row);
    cr_expect_eq(err.parameter, cases[i].column, "case %zu: %d", i,
                 err.parameter);
    cr_expect_eq(tn_conn_txn_state(conn), TN_TXN_NONE, "case %zu", i);
    cr_expect_eq(script.calls[FAKE_ROLLBACK], 1, "case %zu", i);
    expect_over("a row that failed");
    tn_bulk_close(&bulk);
    cr_expect_eq(script.calls[FAKE_ROLLBACK], 1, "case %zu", i);
    script.answer_count = 0;
    fixture_expect_usable("a row that failed");
    end();
  }
}

Test(bulk, inside_a_transaction_it_is_the_owners_to_roll_back)
{
  static const struct fake_answer fails[] = {
    { .slot = FAKE_EXECUTE, .nth = 2, .category = TN_E_CHECK },
    { .slot = FAKE_BULK_WRITE, .nth = 2, .category = TN_E_CHECK },
  };

  for (size_t i = 0; i < 3 * WAYS; i++) {
    begin(i % WAYS);
    cr_assert_eq(tn_conn_begin(conn, NULL, &err), TN_OK);
    open_load();
    if (i / WAYS == 0) {
      SCRIPT_ANSWERS(fails);
      cr_expect_eq(write_rows(1, 1), TN_OK);
      cr_expect_eq(write_rows(2, 1), TN_E_CHECK, "case %zu", i);
    } else {
      cr_expect_eq(write_rows(1, 4), TN_OK);
      if (i / WAYS == 1)
        cr_expect_eq(tn_bulk_finish(bulk, NULL, &err), TN_OK);
    }
    tn_bulk_close(&bulk);
    cr_expect_eq(script.calls[FAKE_BEGIN], 1, "case %zu", i);
    cr_expect_eq(script.calls[FAKE_COMMIT] + script.calls[FAKE_ROLLBACK], 0,
                 "case %zu", i);
    cr_expect_eq(tn_conn_txn_state(conn), TN_TXN_OPEN, "case %zu", i);
    script.answer_count = 0;
    cr_expect_eq(tn_conn_rollback(conn, &err), TN_OK);
    end();
  }
}

Test(bulk, without_transactions_rows_go_in_as_they_come)
{
  for (enum way way = SINGLE; way < WAYS; way++) {
    fixture_init();
    plugin.caps &= ~TN_CAP_TRANSACTION;
    begin(way);
    open_load();
    cr_expect_eq(write_rows(1, 4), TN_OK);
    cr_expect_eq(tn_bulk_finish(bulk, NULL, &err), TN_OK, "%s", err.message);
    cr_expect_eq(script.calls[FAKE_BEGIN] + script.calls[FAKE_COMMIT], 0);
    end();
  }
}

Test(bulk, one_that_is_not_finished_is_given_up)
{
  for (size_t i = 0; i < 2 * WAYS; i++) {
    begin(i % WAYS);
    open_load();
    if (i >= WAYS)
      cr_expect_eq(write_rows(1, 4), TN_OK);
    tn_bulk_close(&bulk);
    cr_expect_eq(script.calls[FAKE_COMMIT], 0);
    cr_expect_eq(script.calls[FAKE_ROLLBACK], 1, "case %zu", i);
    cr_expect_eq(tn_conn_txn_state(conn), TN_TXN_NONE);
    fixture_expect_usable("a load that was given up");
    end();
  }
}

/* What goes wrong around the rows. */
static const struct {
  struct fake_answer answer;
  enum tn_code code;
  uint32_t verdict; /* on the connection, afterwards */
} around_cases[] = {
  { { .slot = FAKE_BEGIN, .category = TN_E_BUSY },
    TN_E_BUSY,
    TN_CONNECTION_USABLE },
  { { .slot = FAKE_PREPARE, .category = TN_E_NO_TABLE },
    TN_E_NO_TABLE,
    TN_CONNECTION_USABLE },
  { { .slot = FAKE_PREPARE, .nth = 2, .category = TN_E_LIMIT },
    TN_E_LIMIT,
    TN_CONNECTION_USABLE },
  { { .slot = FAKE_BULK_OPEN, .category = TN_E_NO_COLUMN },
    TN_E_NO_COLUMN,
    TN_CONNECTION_USABLE },
  { { .slot = FAKE_BULK_OPEN, .flags = FAKE_NO_OUTPUT },
    TN_E_INTERNAL,
    TN_CONNECTION_USABLE },
  { { .slot = FAKE_BULK_WRITE, .category = TN_E_IO },
    TN_E_IO,
    TN_CONNECTION_USABLE },
  { { .slot = FAKE_BULK_WRITE, .category = -1, .native = 2013 },
    TN_E_LOST,
    TN_CONNECTION_DEAD },
  { { .slot = FAKE_BULK_FINISH, .category = TN_E_CHECK },
    TN_E_CHECK,
    TN_CONNECTION_USABLE },
  { { .slot = FAKE_BULK_FINISH, .flags = FAKE_NO_OUTPUT },
    TN_E_INTERNAL,
    TN_CONNECTION_USABLE },
  { { .slot = FAKE_COMMIT, .category = -1, .sqlstate = "40001" },
    TN_E_SERIALIZATION,
    TN_CONNECTION_USABLE },
  { { .slot = FAKE_COMMIT, .category = TN_E_BUSY },
    TN_E_BUSY,
    TN_CONNECTION_USABLE },
  { { .slot = FAKE_COMMIT, .category = -1, .native = 2013 },
    TN_E_UNCERTAIN,
    TN_CONNECTION_DEAD },
};

static enum tn_code
load(tn_err *why)
{
  enum tn_code rc = tn_bulk_open(conn, &into_t, &bulk, why);

  if (rc == TN_OK)
    rc = tn_bulk_write(bulk, pairs, 4, why);
  if (rc == TN_OK)
    rc = tn_bulk_finish(bulk, NULL, why);
  return rc;
}

Test(bulk, a_failure_around_the_rows_leaves_nothing_of_the_load)
{
  for (size_t i = 0; i < 2 * WAYS * TN_COUNT(around_cases); i++) {
    const size_t at = i / 2 / WAYS;
    const enum fake_slot slot = around_cases[at].answer.slot;
    const bool is_own = i / 2 % WAYS == OWN;
    enum tn_code rc;

    if (is_own ? slot == FAKE_PREPARE
               : (slot == FAKE_BULK_OPEN || slot == FAKE_BULK_WRITE ||
                  slot == FAKE_BULK_FINISH ||
                  (around_cases[at].answer.nth == 2 && i / 2 % WAYS == SINGLE)))
      continue;
    begin(i / 2 % WAYS);
    script.answers = &around_cases[at].answer;
    script.answer_count = 1;
    tn_err_clear(&err);
    rc = load(i % 2 == 0 ? &err : NULL);
    cr_expect_eq(rc, around_cases[at].code, "case %zu: %s: %s", i,
                 tn_code_name(rc), err.message);
    if (i % 2 == 0)
      cr_expect_eq(err.code, (int32_t)around_cases[at].code, "case %zu", i);
    tn_bulk_close(&bulk);
    cr_expect_eq(script.open_bulks, 0, "case %zu", i);
    script.answer_count = 0;
    cr_expect_eq(tn_conn_verdict(conn), around_cases[at].verdict, "case %zu",
                 i);
    if (around_cases[at].verdict == TN_CONNECTION_USABLE) {
      cr_expect_eq(tn_conn_txn_state(conn), TN_TXN_NONE, "case %zu", i);
      fixture_expect_usable("a failure around the rows");
    }
    end();
  }
}

Test(bulk, a_session_that_cannot_roll_back_is_dead)
{
  static const struct fake_answer stuck[] = {
    { .slot = FAKE_ROLLBACK, .category = TN_E_TIMEOUT },
  };

  for (size_t i = 0; i < 2 * WAYS; i++) {
    begin(i % WAYS);
    SCRIPT_ANSWERS(stuck);
    open_load();
    if (i < WAYS) {
      pairs[1] = tn_text("\xff");
      cr_expect_eq(write_rows(1, 4), TN_E_CHARSET, "case %zu", i);
      cr_expect_eq(err.connection, TN_CONNECTION_DEAD, "case %zu", i);
    }
    tn_bulk_close(&bulk);
    cr_expect_eq(tn_conn_verdict(conn), TN_CONNECTION_DEAD, "case %zu", i);
    end();
  }
}

Test(bulk, a_transaction_of_its_own_that_was_chosen_as_victim_is_over)
{
  static const struct fake_answer victim[] = {
    { .slot = FAKE_EXECUTE, .category = -1, .native = 1213 },
    { .slot = FAKE_BULK_WRITE, .category = -1, .native = 1213 },
  };

  for (enum way way = SINGLE; way < WAYS; way++) {
    begin(way);
    SCRIPT_ANSWERS(victim);
    open_load();
    cr_expect_eq(write_rows(1, 4), TN_E_DEADLOCK, "%s", way_names[way]);
    cr_expect_eq(err.connection, TN_CONNECTION_USABLE, "%s", way_names[way]);
    cr_expect_eq(err.replay, TN_REPLAY_SAFE, "%s", way_names[way]);
    end();
  }
}

/* ---- deadlines ---- */

static void
pause_ms(long ms)
{
  const struct timespec pause = { .tv_nsec = ms * 1000000 };

  nanosleep(&pause, NULL);
}

Test(bulk, its_deadline_is_that_of_all_of_it)
{
  struct tn_bulk_options options = into_t;

  for (enum way way = SINGLE; way < WAYS; way++) {
    begin(way);
    options.deadline = tn_deadline_after_ms(100);
    cr_assert_eq(tn_bulk_open(conn, &options, &bulk, &err), TN_OK);
    cr_expect_eq(write_rows(1, 4), TN_OK);
    pause_ms(120);
    cr_expect_eq(write_rows(5, 4), TN_E_TIMEOUT, "%s", way_names[way]);
    cr_expect_eq(tn_conn_txn_state(conn), TN_TXN_NONE);
    expect_given(8, way_names[way]);
    expect_over("a deadline");
    tn_bulk_close(&bulk);
    fixture_expect_usable("a deadline");
    end();
  }
}

Test(bulk, without_one_each_call_has_the_connections_timeout)
{
  static const struct fake_answer slow[] = {
    { .slot = FAKE_EXECUTE, .nth = 3, .wait_ms = 20000 },
    { .slot = FAKE_BULK_WRITE, .nth = 3, .wait_ms = 20000 },
  };

  for (enum way way = SINGLE; way < WAYS; way++) {
    begin(way);
    tn_conn_close(&conn);
    fixture_open_timed(80);
    SCRIPT_ANSWERS(slow);
    open_load();
    for (size_t row = 1; row <= 2; row++) {
      cr_expect_eq(write_rows(row, 1), TN_OK, "%s: %s", way_names[way],
                   err.message);
      pause_ms(60);
    }
    cr_expect_eq(write_rows(3, 1), TN_E_TIMEOUT, "%s", way_names[way]);
    cr_expect_eq(tn_conn_txn_state(conn), TN_TXN_NONE);
    end();
  }
}

/* ---- without its session ---- */

Test(bulk, is_of_no_use_without_its_session_but_can_be_closed)
{
  for (size_t i = 0; i < 2 * WAYS; i++) {
    begin(i % WAYS);
    open_load();
    if (i >= WAYS)
      cr_expect_eq(write_rows(1, 4), TN_OK);
    fixture_close();
    expect_over("no session");
    cr_expect(strstr(err.message, "connection is closed") != NULL, "%s",
              err.message);
    tn_bulk_close(&bulk);
    cr_expect_eq(bulk, NULL);
  }
}

/* ---- memory ---- */

static bool
walk(long nth, bool and_all_after)
{
  bool has_failed;
  enum tn_code rc;
  long live;

  oom_fail_nth(nth, and_all_after);
  live = oom_live();
  rc = load(&err);
  has_failed = oom_count() >= nth;
  cr_expect_eq(rc, has_failed ? TN_E_MEMORY : TN_OK, "allocation %ld: %s", nth,
               tn_code_name(rc));
  tn_bulk_close(&bulk);
  cr_assert_eq(oom_live(), live, "allocation %ld", nth);
  oom_reset();
  cr_expect_eq(tn_conn_txn_state(conn), TN_TXN_NONE, "allocation %ld", nth);
  if (has_failed)
    fixture_expect_usable("out of memory");
  return has_failed;
}

Test(bulk, gets_by_without_memory)
{
  for (size_t i = 0; i < 2 * WAYS; i++) {
    long nth = 1;

    begin(i % WAYS);
    while (walk(nth, i >= WAYS))
      nth++;
    cr_expect_gt(nth, 2, "case %zu", i);
    end();
  }
}
