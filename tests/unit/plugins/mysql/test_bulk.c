/* Bulk loads, by both ways: arrays of rows, where library and server have them,
 * and statements with many groups of placeholders. */
#include <math.h>

#include "oom.h"
#include "server.h"

#define ROWS 12000

static const char *const column_names[] = { "id", "name", "real", "note" };

/* Quotes and all. */
#define TABLE "`tn bu``lk`"

static const struct tn_bulk_request request = {
  .size = sizeof request,
  .column_count = 4,
  .table = "tn bu`lk",
  .columns = column_names,
};

static tn_value values[ROWS * 4];
static char names[ROWS][16];

static void
make_rows(bool is_mixed)
{
  size_t i;

  for (i = 0; i < ROWS; i++) {
    snprintf(names[i], sizeof names[i], "name %zu", i * 7);
    values[i * 4] = tn_int64((int64_t)i);
    values[i * 4 + 1] = tn_text(names[i]);
    values[i * 4 + 2] = tn_double((double)i / 4);
    values[i * 4 + 3] = i % 4 == 0 ? tn_null() : tn_text(names[i]);
    if (is_mixed && i % 3 == 0)
      values[i * 4 + 3] = tn_int64((int64_t)i);
  }
}

static void
create_table(struct session *s)
{
  run(s, "DROP TABLE IF EXISTS " TABLE);
  run(s, "CREATE TABLE " TABLE " (id INT PRIMARY KEY, name VARCHAR(20) NOT "
         "NULL, `real` DOUBLE, note VARCHAR(20), CHECK (id <> -7))");
}

/* Without it a load goes the other way. */
static void
allow_arrays(struct session *s, bool has_arrays)
{
  ((struct mysql__conn *)s->handle)->has_arrays = has_arrays;
}

/* Load so many rows of `values`, `step` with each write. */
static int32_t
load(struct session *s, uint64_t rows, uint64_t step, uint64_t *ret_rows)
{
  const struct tn_bulk_table *table = &mysql__bulk_table;
  struct tn_call *call = &s->fake.call;
  void *bulk = NULL;
  uint64_t i;
  int32_t rc = table->open(s->handle, &request, call, &bulk);

  if (rc != TN_OK)
    return rc;
  for (i = 0; rc == TN_OK && i < rows; i += step)
    rc = table->write(bulk, values + i * 4, rows - i < step ? rows - i : step,
                      call);
  if (rc == TN_OK)
    rc = table->finish(bulk, call, ret_rows);
  table->close(bulk, call);
  return rc;
}

static void
check_load(struct session *s, bool is_mixed, uint64_t step)
{
  uint64_t rows = 0;

  make_rows(is_mixed);
  run(s, "START TRANSACTION");
  cr_assert_eq(load(s, ROWS, step, &rows), TN_OK, "%s", s->fake.err.message);
  run(s, "COMMIT");
  cr_expect_eq(rows, ROWS);
  cr_expect_eq(number(s, "SELECT COUNT(*) FROM " TABLE), ROWS);
  cr_expect_eq(number(s, "SELECT COUNT(*) FROM " TABLE
                         " WHERE name = CONCAT('name ', id * 7) AND `real` = "
                         "id / 4 AND (note = name OR note = id OR (note IS "
                         "NULL AND id % 4 = 0))"),
               ROWS, "step %d, mixed %d", (int)step, is_mixed);
  run(s, "TRUNCATE TABLE " TABLE);
}

Test(bulk, all_rows_arrive_however_they_are_written)
{
  static const uint64_t steps[] = { 1, 7, 1000, ROWS };
  struct session s;
  size_t i;

  session_open(&s);
  create_table(&s);
  for (i = 0; i < COUNT(steps); i++) {
    check_load(&s, false, steps[i]);
    check_load(&s, true, steps[i]);
  }
  allow_arrays(&s, false);
  for (i = 0; i < COUNT(steps); i++) {
    check_load(&s, false, steps[i]);
    check_load(&s, true, steps[i]);
  }
  run(&s, "DROP TABLE " TABLE);
  session_close(&s);
}

Test(bulk, no_rows_are_no_failure)
{
  struct session s;
  uint64_t rows = 99;

  session_open(&s);
  create_table(&s);
  cr_expect_eq(load(&s, 0, 1, &rows), TN_OK);
  cr_expect_eq(rows, 0);
  run(&s, "DROP TABLE " TABLE);
  session_close(&s);
}

/* ---- failures ---- */

struct fault {
  size_t column;
  tn_value value;
  int32_t category;
  int32_t parameter; /* 0: the server does not tell */
};

/* One row in the middle, with many before and behind it. */
#define FAULT_AT 7011

static void
check_fault(struct session *s, const struct fault *fault, uint64_t step)
{
  uint64_t rows = 0;

  make_rows(false);
  values[FAULT_AT * 4 + fault->column] = fault->value;
  run(s, "START TRANSACTION");
  cr_expect_eq(load(s, ROWS, step, &rows), fault->category, "%s",
               s->fake.err.message);
  run(s, "ROLLBACK");
  cr_expect_eq(s->fake.err.code, fault->category);
  cr_expect_eq(s->fake.err.row, FAULT_AT + 1, "%s: row %d", s->fake.err.message,
               (int)s->fake.err.row);
  cr_expect_eq(s->fake.err.parameter, fault->parameter);
  cr_expect_eq(number(s, "SELECT COUNT(*) FROM " TABLE), 0);
  fake_call_again(&s->fake, 0);
}

Test(bulk, the_row_that_fails_is_told)
{
  const struct fault faults[] = {
    { 0, tn_int64(17), TN_E_DUPLICATE, 0 },
    { 0, tn_int64(-7), TN_E_CHECK, 0 },
    { 0, tn_int64(INT64_MAX), TN_E_DATA, 0 },
    { 1, tn_null(), TN_E_NOT_NULL, 0 },
    { 1, tn_text("a name of more than twenty characters"), TN_E_DATA, 0 },
    { 2, tn_double((double)INFINITY), TN_E_DATA, 3 },
    { 2, tn_text("no number"), TN_E_DATA, 0 },
  };
  struct session s;
  size_t i;

  session_open(&s);
  create_table(&s);
  for (i = 0; i < COUNT(faults); i++) {
    check_fault(&s, &faults[i], ROWS);
    check_fault(&s, &faults[i], 30);
  }
  allow_arrays(&s, false);
  for (i = 0; i < COUNT(faults); i++) {
    check_fault(&s, &faults[i], ROWS);
    check_fault(&s, &faults[i], 30);
  }
  run(&s, "DROP TABLE " TABLE);
  session_close(&s);
}

/* There the first rows stay, and a second try fails in another way. */
Test(bulk, a_table_without_transactions_does_not_tell_a_wrong_row)
{
  struct session s;
  uint64_t rows = 0;

  session_open(&s);
  run(&s, "DROP TABLE IF EXISTS " TABLE);
  run(&s, "CREATE TABLE " TABLE " (id INT PRIMARY KEY, name VARCHAR(20), "
          "`real` DOUBLE, note VARCHAR(20)) ENGINE = MyISAM");
  make_rows(false);
  values[200 * 4] = tn_int64(17);
  run(&s, "START TRANSACTION");
  cr_expect_eq(load(&s, ROWS, ROWS, &rows), TN_E_DUPLICATE);
  run(&s, "ROLLBACK");
  cr_expect_eq(s.fake.err.row, 0);
  cr_expect_neq(strstr(s.fake.err.message, "'17'"), NULL, "%s",
                s.fake.err.message);
  run(&s, "DROP TABLE " TABLE);
  session_close(&s);
}

/* A second try would succeed, and be there for good. */
static void
check_rows_of_once(struct session *s, const char *what)
{
  uint64_t rows = 0;
  int64_t found;

  make_rows(false);
  values[500 * 4 + 1] = tn_null();
  run(s, "START TRANSACTION");
  cr_expect_eq(load(s, 1000, 1000, &rows), TN_E_NOT_NULL, "%s: %s", what,
               s->fake.err.message);
  run(s, "ROLLBACK");
  found = number(s, "SELECT COUNT(*) FROM " TABLE);
  cr_expect_eq(number(s, "SELECT COUNT(DISTINCT id) FROM " TABLE), found,
               "%s: of %d rows some are there twice", what, (int)found);
  cr_expect_leq(found, 500, "%s", what);
  cr_expect_eq(s->fake.err.row, 0, "%s: row %d", what, (int)s->fake.err.row);
  run(s, "TRUNCATE TABLE " TABLE);
  fake_call_again(&s->fake, 0);
}

Test(bulk, a_table_without_transactions_has_no_row_twice)
{
  static const char *const engines[] = { "MyISAM", "Aria" };
  struct session s;
  char sql[256];
  size_t i;

  session_open(&s);
  for (i = 0; i < COUNT(engines); i++) {
    run(&s, "DROP TABLE IF EXISTS " TABLE);
    snprintf(sql, sizeof sql,
             "CREATE TABLE " TABLE " (id INT, name VARCHAR(20) NOT NULL, "
             "`real` DOUBLE, note VARCHAR(20)) ENGINE = %s",
             engines[i]);
    run(&s, sql);
    allow_arrays(&s, true);
    check_rows_of_once(&s, engines[i]);
    allow_arrays(&s, false);
    check_rows_of_once(&s, engines[i]);
  }
  run(&s, "DROP TABLE " TABLE);
  session_close(&s);
}

Test(bulk, a_table_or_column_that_is_not_there_is_told_at_once)
{
  static const char *const wrong[] = { "id", "nothing", "real", "note" };
  struct tn_bulk_request other = request;
  struct session s;
  void *bulk = NULL;

  session_open(&s);
  run(&s, "DROP TABLE IF EXISTS " TABLE);
  cr_expect_eq(mysql__bulk_table.open(s.handle, &request, &s.fake.call, &bulk),
               TN_E_NO_TABLE);
  cr_expect_null(bulk);
  create_table(&s);
  other.columns = wrong;
  cr_expect_eq(mysql__bulk_table.open(s.handle, &other, &s.fake.call, &bulk),
               TN_E_NO_COLUMN);
  cr_expect_null(bulk);
  other.columns = column_names;
  other.schema = "tenon";
  cr_expect_eq(mysql__bulk_table.open(s.handle, &other, &s.fake.call, &bulk),
               TN_OK, "%s", s.fake.err.message);
  mysql__bulk_table.close(bulk, &s.fake.call);
  run(&s, "DROP TABLE " TABLE);
  session_close(&s);
}

Test(bulk, a_load_that_is_given_up_leaves_a_session_of_use)
{
  struct session s;
  void *bulk = NULL;

  session_open(&s);
  create_table(&s);
  make_rows(false);
  run(&s, "START TRANSACTION");
  cr_assert_eq(mysql__bulk_table.open(s.handle, &request, &s.fake.call, &bulk),
               TN_OK);
  cr_assert_eq(mysql__bulk_table.write(bulk, values, ROWS, &s.fake.call),
               TN_OK);
  mysql__bulk_table.close(bulk, &s.fake.call);
  run(&s, "ROLLBACK");
  cr_expect_eq(number(&s, "SELECT COUNT(*) FROM " TABLE), 0);
  run(&s, "DROP TABLE " TABLE);
  session_close(&s);
}

/* ---- bytes ---- */

/* Some rows are larger than what a request is filled up to. */
Test(bulk, rows_of_any_size)
{
  static const char *const two[] = { "id", "data" };
  const struct tn_bulk_request wide = { .size = sizeof wide,
                                        .column_count = 2,
                                        .table = "tn_bulk_wide",
                                        .columns = two };
  char *data = calloc(1, (size_t)3 << 20);
  struct session s;
  int64_t wanted;
  int way;

  cr_assert_not_null(data);
  session_open(&s);
  run(&s, "CREATE TEMPORARY TABLE tn_bulk_wide (id INT, data LONGBLOB)");
  for (way = 0; way < 2; way++) {
    tn_value rows[2 * 30];
    uint64_t sent = 0;
    void *bulk = NULL;
    size_t i;

    wanted = 0;
    for (i = 0; i < 30; i++) {
      size_t size = (i % 7) << 19;

      rows[i * 2] = tn_int64((int64_t)i);
      rows[i * 2 + 1] = tn_blob(data, size);
      wanted += (int64_t)size;
    }
    allow_arrays(&s, way == 0);
    cr_assert_eq(mysql__bulk_table.open(s.handle, &wide, &s.fake.call, &bulk),
                 TN_OK);
    for (i = 0; i < 30; i += 5)
      cr_assert_eq(mysql__bulk_table.write(bulk, rows + i * 2, 5, &s.fake.call),
                   TN_OK, "%s", s.fake.err.message);
    cr_assert_eq(mysql__bulk_table.finish(bulk, &s.fake.call, &sent), TN_OK);
    mysql__bulk_table.close(bulk, &s.fake.call);
    cr_expect_eq(sent, 30);
    cr_expect_eq(number(&s, "SELECT SUM(LENGTH(data)) FROM tn_bulk_wide"),
                 wanted);
    run(&s, "DELETE FROM tn_bulk_wide");
  }
  session_close(&s);
  free(data);
}

/* ---- memory ---- */

/* Few allocations, or many by groups: these are walked with gaps. */
static void
walk(struct session *s, uint64_t rows, long stride)
{
  uint64_t sent = 0;
  long nth, before;

  for (nth = 1;; nth += nth > 40 ? stride : 1) {
    int32_t rc;

    run(s, "START TRANSACTION");
    fake_call_again(&s->fake, 0);
    before = oom_live();
    oom_fail_nth(nth, false);
    rc = load(s, rows, 300, &sent);
    cr_expect_eq(rc, oom_count() < nth ? TN_OK : TN_E_MEMORY,
                 "allocation %ld: %s", nth, s->fake.err.message);
    cr_assert_eq(oom_live(), before, "allocation %ld", nth);
    rows = oom_count() < nth ? 0 : rows;
    oom_fail_nth(0, false);
    run(s, "ROLLBACK");
    if (rows == 0)
      break;
  }
}

Test(bulk, out_of_memory_is_told_and_leaves_nothing_behind)
{
  struct session s;

  oom_fail_nth(0, false);
  session_open(&s);
  create_table(&s);
  make_rows(false);
  walk(&s, 3000, 1);
  allow_arrays(&s, false);
  walk(&s, 600, 61);
  run(&s, "DROP TABLE " TABLE);
  session_close(&s);
  oom_reset();
}
