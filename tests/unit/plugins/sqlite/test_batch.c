/* Batches: many runs in one call, with and without rows. */
#include "fixture.h"

#include "oom.h"

/* Prepare, and run for each row of values; *ret NULL if it failed. */
static int32_t
start_batch(struct session *s, const char *sql, const tn_value *values,
            uint64_t rows, struct running *ret)
{
  int32_t rc;

  memset(ret, 0, sizeof *ret);
  ret->info.size = sizeof ret->info;
  rc = s->statement->prepare(s->handle, sql, strlen(sql), &s->fake.call,
                             &ret->statement, &ret->info);
  cr_assert_eq(rc, TN_OK, "%s: %s", sql, s->fake.err.message);
  return s->statement->execute_batch(ret->statement, values,
                                     ret->info.parameter_count, rows,
                                     &s->fake.call, &ret->result);
}

/* Run a batch that has no rows; TN_OK or a category. */
static int32_t
run_batch(struct session *s, const char *sql, const tn_value *values,
          uint64_t rows, struct tn_result_info *info)
{
  struct running running;
  int32_t rc = start_batch(s, sql, values, rows, &running);

  if (rc == TN_OK) {
    memset(info, 0, sizeof *info);
    info->size = sizeof *info;
    cr_expect_eq(s->result->info(running.result, info), TN_OK);
    cr_expect_eq(s->result->next_set(running.result, &s->fake.call), 0);
    cr_expect_eq(s->result->fetch(running.result, NULL, &s->fake.call), 0);
  } else {
    cr_expect_null(running.result, "%s", sql);
  }
  finish(s, &running);
  return rc;
}

static tn_value numbers[1000]; /* 1, 2, 3, … */

static void
open_numbers(struct session *s)
{
  session_open(s, NULL, "");
  must(s, "CREATE TABLE t(a INTEGER PRIMARY KEY, b)");
  for (size_t i = 0; i < COUNT(numbers); i++)
    numbers[i] = tn_int64((int64_t)i + 1);
}

/* ---- without rows ---- */

Test(batch, affected_rows_add_up_and_the_key_is_the_last)
{
  static const struct {
    const char *before;
    const char *sql;
    uint64_t rows;
    uint64_t affected;
    int64_t key; /* 0: none */
  } cases[] = {
    { "", "INSERT INTO t(a) VALUES (?)", 1, 1, 1 },
    { "", "INSERT INTO t(a) VALUES (?)", 1000, 1000, 1000 },
    { "", "INSERT INTO t(a) VALUES (?1),(?1+5000)", 10, 20, 5010 },
    { "INSERT INTO t VALUES (9,0),(10,0)",
      "INSERT OR IGNORE INTO t(a) VALUES (?)", 10, 8, 8 },
    { "INSERT INTO t VALUES (1,0),(2,0)",
      "INSERT OR IGNORE INTO t(a) VALUES (?)", 2, 0, 0 },
    { "INSERT INTO t VALUES (2,0),(3,0)",
      "INSERT INTO t(a) VALUES (?) ON CONFLICT(a) DO UPDATE SET b=9", 3, 3, 1 },
    { "INSERT INTO t VALUES (1,0),(2,0)",
      "INSERT INTO t(a) VALUES (?) ON CONFLICT(a) DO UPDATE SET b=9", 2, 2, 0 },
    { "INSERT INTO t VALUES (1,0),(2,0),(3,0)", "UPDATE t SET b=1 WHERE a<=?",
      3, 6, 0 },
    { "INSERT INTO t VALUES (1,0),(3,0)", "DELETE FROM t WHERE a=?", 4, 2, 0 },
    { "CREATE TABLE w(k PRIMARY KEY) WITHOUT ROWID", "INSERT INTO w VALUES (?)",
      3, 3, 0 },
    { "", "CREATE TABLE IF NOT EXISTS c(a)", 3, 0, 0 },
    { "", "PRAGMA user_version=5", 2, 0, 0 },
  };
  struct tn_result_info info;
  size_t i;

  for (i = 0; i < COUNT(cases); i++) {
    struct session s;

    open_numbers(&s);
    if (cases[i].before[0] != '\0')
      must(&s, cases[i].before);
    cr_expect_eq(run_batch(&s, cases[i].sql, numbers, cases[i].rows, &info),
                 TN_OK, "case %zu: %s", i, s.fake.err.message);
    cr_expect_neq(info.flags & TN_RESULT_HAS_AFFECTED, 0, "case %zu", i);
    cr_expect_eq(info.affected, cases[i].affected, "case %zu: %d", i,
                 (int)info.affected);
    cr_expect_eq((info.flags & TN_RESULT_HAS_KEY) != 0, cases[i].key != 0,
                 "case %zu", i);
    if (cases[i].key != 0)
      cr_expect_eq(info.generated_key, cases[i].key, "case %zu: %d", i,
                   (int)info.generated_key);
    session_close(&s);
  }
}

Test(batch, every_type_of_value_is_bound_anew_for_each_row)
{
  static const uint8_t uuid[16] = { 7 };
  const tn_value values[] = {
    tn_null(),       tn_bool(1),         tn_int64(2),     tn_uint64(3),
    tn_double(4.5),  tn_decimal("5.50"), tn_text("six"),  tn_blob("7", 1),
    tn_date(8),      tn_time(9),         tn_timestamp(0), tn_uuid(uuid),
    tn_json("[12]"), tn_text(""),        tn_null(),
  };
  struct tn_result_info info;
  struct session s;
  char text[1024];

  open_numbers(&s);
  must(&s, "CREATE TABLE v(a BLOB)");
  cr_assert_eq(
      run_batch(&s, "INSERT INTO v VALUES (?)", values, COUNT(values), &info),
      TN_OK, "%s", s.fake.err.message);
  cr_expect_str_eq(
      text_of(&s, "SELECT group_concat(coalesce(a, 'null'), '|') FROM v", text,
              sizeof text),
      "null|1|2|3|4.5|5.50|six|7|1970-01-09|00:00:00.000009|"
      "1970-01-01 00:00:00.000000|07000000-0000-0000-0000-000000000000|[12]||"
      "null");
  session_close(&s);
}

Test(batch, the_schema_may_have_changed_since_it_was_prepared)
{
  struct tn_result_info info = { .size = sizeof info };
  struct running running;
  struct session s;

  open_numbers(&s);
  cr_assert_eq(
      start_batch(&s, "INSERT INTO t(a) VALUES (?)", numbers, 2, &running),
      TN_OK);
  s.result->info(running.result, &info);
  cr_expect_eq(info.generated_key, 2);
  s.result->close(running.result, &s.fake.call);
  must(&s, "DROP TABLE t");
  must(&s, "CREATE TABLE t(a INTEGER PRIMARY KEY) WITHOUT ROWID");
  cr_assert_eq(s.statement->execute_batch(running.statement, numbers, 1, 2,
                                          &s.fake.call, &running.result),
               TN_OK);
  s.result->info(running.result, &info);
  cr_expect_eq(info.affected, 2);
  cr_expect_not(info.flags & TN_RESULT_HAS_KEY);
  finish(&s, &running);
  session_close(&s);
}

Test(batch, a_row_that_fails_is_told_and_those_before_it_stay)
{
  static const struct {
    const char *table;
    tn_value third;
    int32_t code;
    int32_t parameter;
  } cases[] = {
    { "f(a UNIQUE)", { .type = TN_INT64, .as.int64 = 1 }, TN_E_DUPLICATE, 0 },
    { "f(a NOT NULL)", { .type = TN_NULL }, TN_E_NOT_NULL, 0 },
    { "f(a CHECK(a<3))", { .type = TN_INT64, .as.int64 = 3 }, TN_E_CHECK, 0 },
    { "f(a)", { .type = TN_UINT64, .as.uint64 = UINT64_MAX }, TN_E_DATA, 1 },
    { "f(a)",
      { .type = TN_DOUBLE, .as.real = __builtin_nan("") },
      TN_E_DATA,
      1 },
    { "f(a)", { .type = TN_OTHER }, TN_E_UNSUPPORTED, 1 },
    { "f(a DECIMAL)",
      { .type = TN_DECIMAL, .as.bytes = { "0.12345678901234567890", 22 } },
      TN_E_DATA,
      1 },
  };
  size_t i;

  for (i = 0; i < COUNT(cases) * 2; i++) {
    const size_t at = i / 2;
    const tn_value values[] = { tn_int64(1), tn_int64(2), cases[at].third,
                                tn_int64(4) };
    struct tn_result_info info;
    struct session s;
    char sql[64];

    open_numbers(&s);
    snprintf(sql, sizeof sql, "CREATE TABLE %s", cases[at].table);
    must(&s, sql);
    if (i % 2 == 1)
      must(&s, "BEGIN");
    cr_expect_eq(run_batch(&s, "INSERT INTO f VALUES (?)", values, 4, &info),
                 cases[at].code, "case %zu: %s", i, s.fake.err.message);
    cr_expect_eq(s.fake.err.row, 3, "case %zu: %d", i, (int)s.fake.err.row);
    cr_expect_eq(s.fake.err.parameter, cases[at].parameter, "case %zu: %d", i,
                 s.fake.err.parameter);
    cr_expect_eq(number_of(&s, "SELECT count(*) FROM f"), 2, "case %zu", i);
    cr_expect_eq(s.txn->state(s.handle), i % 2 == 1 ? TN_TXN_OPEN : TN_TXN_NONE,
                 "case %zu", i);

    /* A later failure outside a batch has no row. */
    cr_expect_eq(run(&s, "SELECT no_such"), TN_E_NO_COLUMN);
    cr_expect_eq(s.fake.err.row, 0);
    session_close(&s);
  }
}

Test(batch, a_failed_one_leaves_the_statement_fit_for_the_next)
{
  struct running running;
  struct session s;

  open_numbers(&s);
  must(&s, "INSERT INTO t(a) VALUES (3)");
  cr_expect_eq(
      start_batch(&s, "INSERT INTO t(a) VALUES (?)", numbers, 5, &running),
      TN_E_DUPLICATE);
  cr_expect_null(running.result);
  cr_expect_eq(s.statement->execute_batch(running.statement, numbers + 3, 1, 5,
                                          &s.fake.call, &running.result),
               TN_OK);
  s.result->close(running.result, &s.fake.call);
  cr_expect_eq(s.statement->execute(running.statement, numbers + 20, 1,
                                    &s.fake.call, &running.result),
               TN_OK);
  finish(&s, &running);
  cr_expect_eq(number_of(&s, "SELECT count(*) FROM t"), 9);
  session_close(&s);
}

Test(batch, inside_an_aborted_or_read_only_transaction_nothing_is_run)
{
  const struct tn_txn_request read_only = { .size = sizeof read_only,
                                            .access = TN_ACCESS_READ_ONLY };
  struct tn_result_info info;
  struct session s;

  open_numbers(&s);
  cr_assert_eq(s.txn->begin(s.handle, &read_only, &s.fake.call), TN_OK);
  cr_expect_eq(run_batch(&s, "INSERT INTO t(a) VALUES (?)", numbers, 3, &info),
               TN_E_READ_ONLY);
  cr_assert_eq(s.txn->rollback(s.handle, &s.fake.call), TN_OK);
  must(&s, "BEGIN");
  cr_expect_eq(run(&s, "INSERT OR ROLLBACK INTO t VALUES (1,0),(1,0)"),
               TN_E_DUPLICATE);
  cr_expect_eq(s.txn->state(s.handle), TN_TXN_ABORTED);
  cr_expect_eq(run_batch(&s, "INSERT INTO t(a) VALUES (?)", numbers, 3, &info),
               TN_E_STATE);
  must(&s, "ROLLBACK");
  cr_expect_eq(number_of(&s, "SELECT count(*) FROM t"), 0);
  session_close(&s);
}

/* OR ROLLBACK ends the transaction in the middle: the rows behind must not be
 * run, each in a transaction of its own. */
Test(batch, a_row_that_ends_the_transaction_ends_the_batch)
{
  const tn_value values[] = { tn_int64(1), tn_int64(2), tn_int64(1),
                              tn_int64(4) };
  struct tn_result_info info;
  struct session s;

  open_numbers(&s);
  must(&s, "BEGIN");
  cr_expect_eq(run_batch(&s, "INSERT OR ROLLBACK INTO t(a) VALUES (?)", values,
                         4, &info),
               TN_E_DUPLICATE);
  cr_expect_eq(s.fake.err.row, 3);
  cr_expect_eq(s.fake.err.connection, TN_CONNECTION_ABORTED);
  cr_expect_eq(s.txn->state(s.handle), TN_TXN_ABORTED);
  must(&s, "ROLLBACK");
  cr_expect_eq(number_of(&s, "SELECT count(*) FROM t"), 0);
  session_close(&s);
}

/* ---- deadlines and locks ---- */

Test(batch, of_short_rows_asks_the_host_now_and_then)
{
  static const char *const statements[] = {
    "INSERT INTO t(b) VALUES (?)",
    "UPDATE t SET b=1 WHERE a=?",
    "DELETE FROM t WHERE a=?",
    "CREATE TABLE IF NOT EXISTS t(a)",
  };
  size_t i;

  for (i = 0; i < COUNT(statements); i++) {
    struct tn_result_info info;
    struct session s;
    tn_value *many = calloc(2000000, sizeof *many);
    size_t row;

    cr_assert_not_null(many);
    for (row = 0; row < 2000000; row++)
      many[row] = tn_int64((int64_t)row);
    open_numbers(&s);
    must(&s, "BEGIN");
    fake_call_again(&s.fake, 0);
    s.fake.stop = TN_E_CANCELED;
    s.fake.stop_after = 5;
    cr_expect_eq(run_batch(&s, statements[i], many, 2000000, &info),
                 TN_E_CANCELED, "%s", statements[i]);
    cr_expect_eq(s.fake.checks, 5, "%s: %ld", statements[i], s.fake.checks);
    fake_call_again(&s.fake, 50);
    cr_expect_eq(run_batch(&s, statements[i], many, 2000000, &info),
                 TN_E_TIMEOUT, "%s", statements[i]);
    fake_call_again(&s.fake, 0);
    session_close(&s);
    free(many);
  }
}

Test(batch, waits_for_a_lock_like_any_statement)
{
  struct folder folder = folder_new();
  struct tn_result_info info;
  struct session s;
  sqlite3 *other;
  char path[256];

  session_open(&s, path_in(&folder, "x.db", path), "timeout=20ms");
  must(&s, "CREATE TABLE t(a INTEGER PRIMARY KEY, b)");
  numbers[0] = tn_int64(1);
  cr_assert_eq(sqlite3_open(path, &other), SQLITE_OK);
  sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL);
  fake_call_again(&s.fake, 0);
  cr_expect_eq(run_batch(&s, "INSERT INTO t(a) VALUES (?)", numbers, 1, &info),
               TN_E_BUSY);
  cr_expect_eq(s.fake.err.row, 1);
  cr_expect_gt(s.fake.waits, 0);
  sqlite3_exec(other, "COMMIT", NULL, NULL, NULL);
  cr_expect_eq(run_batch(&s, "INSERT INTO t(a) VALUES (?)", numbers, 1, &info),
               TN_OK);
  sqlite3_close(other);
  session_close(&s);
  folder_free(&folder);
}

/* ---- with rows ---- */

Test(batch, has_a_set_for_each_row_of_values)
{
  static const struct {
    const char *sql;
    int rows_of_third;
  } cases[] = {
    { "SELECT a, b FROM t WHERE a<=? ORDER BY a", 3 },
    { "SELECT ?", 1 },
    { "INSERT INTO t(a) VALUES (?1+100) RETURNING a, b", 1 },
    { "UPDATE t SET b=b+1 WHERE a<=? RETURNING a, b", 3 },
    { "DELETE FROM t WHERE a=? RETURNING a", 1 },
  };
  size_t i;

  for (i = 0; i < COUNT(cases); i++) {
    tn_value cells[CELLS_MAX];
    struct running running;
    struct session s;
    int set, rows = 0;

    open_numbers(&s);
    must(&s, "INSERT INTO t VALUES (1,1),(2,2),(3,3),(4,4)");
    cr_assert_eq(start_batch(&s, cases[i].sql, numbers, 3, &running), TN_OK,
                 "case %zu: %s", i, s.fake.err.message);
    for (set = 1; set <= 3; set++) {
      const struct tn_column *columns;
      uint32_t count = 0;

      cr_expect_eq(
          s.result->columns(running.result, &s.fake.call, &columns, &count),
          TN_OK);
      cr_expect_gt(count, 0);
      rows = 0;
      while (s.result->fetch(running.result, cells, &s.fake.call) == 1)
        rows++;
      cr_expect_eq(s.result->next_set(running.result, &s.fake.call), set < 3,
                   "case %zu: set %d", i, set);
    }
    cr_expect_eq(rows, cases[i].rows_of_third, "case %zu: %d", i, rows);
    cr_expect_eq(s.result->next_set(running.result, &s.fake.call), 0);
    cr_expect_eq(s.result->fetch(running.result, cells, &s.fake.call), 0);
    finish(&s, &running);
    session_close(&s);
  }
}

Test(batch, info_is_that_of_the_set)
{
  struct tn_result_info info = { .size = sizeof info };
  struct running running;
  struct session s;
  int64_t set;

  open_numbers(&s);
  cr_assert_eq(start_batch(&s, "INSERT INTO t(a) VALUES (?1) RETURNING a",
                           numbers, 3, &running),
               TN_OK);
  for (set = 1; set <= 3; set++) {
    s.result->info(running.result, &info);
    cr_expect_eq(info.affected, 1);
    cr_expect_eq(info.generated_key, set);
    cr_expect_eq(number_of(&s, "SELECT count(*) FROM t"), set,
                 "run when it is asked for");
    cr_expect_eq(s.result->next_set(running.result, &s.fake.call), set < 3);
  }
  finish(&s, &running);
  session_close(&s);
}

/* The values are the plug-in's until the result is closed, so that texts need
 * no copy; each set must still show its own. */
Test(batch, texts_of_a_query_are_those_of_its_row)
{
  tn_value values[3], cells[1];
  char texts[3][8];
  struct running running;
  struct session s;
  int set;

  open_numbers(&s);
  for (set = 0; set < 3; set++) {
    snprintf(texts[set], sizeof texts[set], "text %d", set);
    values[set] = tn_text(texts[set]);
  }
  cr_assert_eq(
      start_batch(&s, "SELECT ? UNION ALL SELECT ?1", values, 3, &running),
      TN_OK);
  for (set = 0; set < 3; set++) {
    int row;

    for (row = 0; row < 2; row++) {
      cr_assert_eq(s.result->fetch(running.result, cells, &s.fake.call), 1);
      cr_expect_eq(memcmp(cells[0].as.bytes.data, texts[set], 6), 0,
                   "set %d, row %d", set, row);
    }
    cr_expect_eq(s.result->next_set(running.result, &s.fake.call), set < 2);
  }
  s.result->close(running.result, &s.fake.call);

  /* A plain run keeps a copy, for whose rows are read later. */
  cr_assert_eq(s.statement->execute(running.statement, values, 1, &s.fake.call,
                                    &running.result),
               TN_OK);
  memset(texts[0], '?', 6);
  cr_assert_eq(s.result->fetch(running.result, cells, &s.fake.call), 1);
  cr_expect_eq(memcmp(cells[0].as.bytes.data, "text 0", 6), 0);
  finish(&s, &running);
  session_close(&s);
}

Test(batch, sets_closed_early_leave_nothing_behind)
{
  tn_value cells[CELLS_MAX];
  struct running running;
  struct session s;

  open_numbers(&s);
  must(&s, "INSERT INTO t VALUES (1,1),(2,2),(3,3)");
  cr_assert_eq(
      start_batch(&s, "SELECT a FROM t WHERE a<=?", numbers, 3, &running),
      TN_OK);
  cr_expect_eq(s.result->next_set(running.result, &s.fake.call), 1);
  cr_expect_eq(s.result->fetch(running.result, cells, &s.fake.call), 1);
  s.result->close(running.result, &s.fake.call);

  /* no lock is held, and a plain run has one set */
  must(&s, "DELETE FROM t WHERE a=1");
  cr_assert_eq(s.statement->execute(running.statement, numbers + 2, 1,
                                    &s.fake.call, &running.result),
               TN_OK);
  cr_expect_eq(s.result->fetch(running.result, cells, &s.fake.call), 1);
  cr_expect_eq(cells[0].as.int64, 2);
  cr_expect_eq(s.result->next_set(running.result, &s.fake.call), 0);
  finish(&s, &running);
  session_close(&s);
}

Test(batch, columns_follow_a_change_of_the_schema_between_sets)
{
  const struct tn_column *columns;
  tn_value cells[CELLS_MAX];
  struct running running;
  struct session s;
  uint32_t count = 0;

  open_numbers(&s);
  must(&s, "INSERT INTO t VALUES (1,1),(2,2)");
  cr_assert_eq(
      start_batch(&s, "SELECT * FROM t WHERE a=?", numbers, 2, &running),
      TN_OK);
  cr_expect_eq(s.result->fetch(running.result, cells, &s.fake.call), 1);
  cr_expect_eq(s.result->fetch(running.result, cells, &s.fake.call), 0);
  must(&s, "ALTER TABLE t ADD COLUMN day DATE DEFAULT '2024-02-29'");
  cr_expect_eq(s.result->next_set(running.result, &s.fake.call), 1);
  cr_expect_eq(
      s.result->columns(running.result, &s.fake.call, &columns, &count), TN_OK);
  cr_assert_eq(count, 3);
  cr_expect_str_eq(columns[2].name, "day");
  cr_expect_eq(s.result->fetch(running.result, cells, &s.fake.call), 1);
  cr_expect_eq(cells[2].type, TN_DATE);
  finish(&s, &running);
  session_close(&s);
}

Test(batch, a_set_that_fails_is_told_and_is_the_last)
{
  const tn_value values[] = { tn_int64(1), tn_int64(INT64_MIN), tn_int64(3) };
  tn_value cells[CELLS_MAX];
  struct running running;
  struct session s;

  /* when it is begun */
  open_numbers(&s);
  cr_assert_eq(start_batch(&s, "SELECT abs(?)", values, 3, &running), TN_OK);
  cr_expect_lt(s.result->next_set(running.result, &s.fake.call), 0);
  cr_expect_eq(s.fake.err.row, 2);
  cr_expect_eq(s.result->fetch(running.result, cells, &s.fake.call), 0);
  cr_expect_eq(s.result->next_set(running.result, &s.fake.call), 0);
  s.result->close(running.result, &s.fake.call);
  cr_expect_eq(s.statement->execute(running.statement, values, 1, &s.fake.call,
                                    &running.result),
               TN_OK);
  finish(&s, &running);

  /* and while it is read */
  cr_assert_eq(
      start_batch(&s, "SELECT 5 UNION ALL SELECT abs(?)", values, 3, &running),
      TN_OK);
  cr_expect_eq(s.result->next_set(running.result, &s.fake.call), 1);
  cr_expect_eq(s.result->fetch(running.result, cells, &s.fake.call), 1);
  cr_expect_lt(s.result->fetch(running.result, cells, &s.fake.call), 0);
  cr_expect_eq(s.fake.err.row, 2, "%d", (int)s.fake.err.row);
  finish(&s, &running);

  /* or is the first */
  cr_expect_neq(start_batch(&s, "SELECT abs(?)", values + 1, 2, &running),
                TN_OK);
  cr_expect_eq(s.fake.err.row, 1);
  cr_expect_null(running.result);
  cr_expect_eq(s.statement->execute(running.statement, values, 1, &s.fake.call,
                                    &running.result),
               TN_OK);
  cr_expect_eq(s.result->next_set(running.result, &s.fake.call), 0);
  finish(&s, &running);
  session_close(&s);
}

/* ---- complete results ---- */

Test(batch, the_rows_of_a_writer_are_complete_and_those_of_a_query_are_not)
{
  static const struct {
    const char *sql;
    int32_t is_complete;
  } cases[] = {
    { "INSERT INTO t(b) VALUES (1),(2) RETURNING a", 1 },
    { "DELETE FROM t RETURNING a", 1 },
    { "SELECT 1", 0 },
    { "PRAGMA table_info(t)", 0 },
    { "EXPLAIN DELETE FROM t", 0 },
  };
  size_t i;

  for (i = 0; i < COUNT(cases); i++) {
    tn_value cells[CELLS_MAX];
    struct running running;
    struct session s;

    open_numbers(&s);
    s.fake.call.flags = TN_CALL_BUFFER;
    cr_assert_eq(start(&s, cases[i].sql, NULL, 0, &running), TN_OK);
    cr_expect_eq(s.result->is_complete(running.result), cases[i].is_complete,
                 "case %zu", i);
    if (cases[i].is_complete) {
      must(&s, "INSERT INTO t(b) VALUES (7)");
      must(&s, "DROP TABLE t");
      while (s.result->fetch(running.result, cells, &s.fake.call) == 1)
        cr_expect_eq(cells[0].type, TN_INT64);
    }
    finish(&s, &running);
    session_close(&s);
  }
}

/* ---- memory ---- */

static bool
walk(struct session *s, long nth, const char *sql)
{
  const tn_value values[] = { tn_text("one"), tn_date(2), tn_text("three") };
  tn_value cells[CELLS_MAX];
  struct running running;
  bool has_failed;
  int32_t rc;

  memset(&running, 0, sizeof running);
  running.info.size = sizeof running.info;
  oom_fail_nth(nth, false);
  rc = s->statement->prepare(s->handle, sql, strlen(sql), &s->fake.call,
                             &running.statement, &running.info);
  if (rc == TN_OK)
    rc = s->statement->execute_batch(running.statement, values, 1, 3,
                                     &s->fake.call, &running.result);
  while (rc == TN_OK || rc == 1) {
    rc = s->result->fetch(running.result, cells, &s->fake.call);
    if (rc == 0)
      rc = s->result->next_set(running.result, &s->fake.call);
    if (rc == 0)
      break;
  }
  has_failed = oom_count() >= nth;
  oom_reset();
  cr_expect_eq(has_failed, rc == TN_E_MEMORY || rc == -TN_E_MEMORY,
               "%s: allocation %ld: %d", sql, nth, (int)rc);
  finish(s, &running);
  return has_failed;
}

Test(batch, gets_by_without_memory)
{
  static const char *const statements[] = {
    "INSERT INTO t(b) VALUES (?)",
    "INSERT INTO t(b) VALUES (?) RETURNING a, b",
    "SELECT ?, 1",
  };
  struct session s;
  size_t i;

  open_numbers(&s);
  for (i = 0; i < COUNT(statements); i++) {
    long nth = 1;

    while (walk(&s, nth, statements[i]))
      nth++;
    cr_expect_gt(nth, 1, "%s", statements[i]);
    must(&s, "DELETE FROM t");
  }
  session_close(&s);
}
