/* Statements and results: one at a time, what they did, what they are made of
 * after the schema has changed. */
#include "fixture.h"

static int32_t
prepare_only(struct session *s, const char *sql, size_t size)
{
  struct tn_statement_info info = { .size = sizeof info };
  void *statement = NULL;
  int32_t rc = s->statement->prepare(s->handle, sql, size, &s->fake.call,
                                     &statement, &info);

  if (rc == TN_OK)
    s->statement->close(statement, &s->fake.call);
  else
    cr_expect_null(statement, "%s", sql);
  return rc;
}

Test(statement, one_statement_is_taken_and_nothing_behind_it)
{
  static const struct {
    const char *sql;
    int32_t rc;
  } cases[] = {
    { "SELECT 1", TN_OK },
    { "SELECT 1;", TN_OK },
    { " ; ; SELECT 1 ;; ; ", TN_OK },
    { "SELECT 1; -- done", TN_OK },
    { "SELECT 1; /* done */ -- and", TN_OK },
    { "SELECT 1; /* not ended", TN_OK },
    { "SELECT 1; --\n;\t/**/;\r\n", TN_OK },
    { "SELECT 1 /* ; */ -- ; SELECT 2\n", TN_OK },
    { "SELECT 1; SELECT 2", TN_E_USAGE },
    { "SELECT 1;x", TN_E_USAGE },
    { "SELECT 1; -- a\n DROP TABLE t", TN_E_USAGE },
    { "SELECT 1; /* a */ ; SELECT 2", TN_E_USAGE },
    { "SELECT 1; -x", TN_E_USAGE },
    { "SELECT 1; /x", TN_E_USAGE },
    { "", TN_E_USAGE },
    { " \t\n;;", TN_E_USAGE },
    { "-- nothing", TN_E_USAGE },
    { "/* nothing */", TN_E_USAGE },
  };
  struct session s;
  size_t i;

  session_open(&s, NULL, "");
  for (i = 0; i < COUNT(cases); i++)
    cr_expect_eq(prepare_only(&s, cases[i].sql, strlen(cases[i].sql)),
                 cases[i].rc, "case %zu: \"%s\"", i, cases[i].sql);
  session_close(&s);
}

Test(statement, a_nul_or_too_much_text_is_refused)
{
  struct session s;
  char *text;
  int limit;

  session_open(&s, NULL, "");
  cr_expect_eq(prepare_only(&s, "SELECT 1\0; DROP", 15), TN_E_USAGE);
  limit = 1000000; /* far below the library's, and too long for its parser */
  text = malloc((size_t)limit + 1);
  memset(text, 'x', (size_t)limit);
  text[limit] = '\0';
  cr_expect_eq(prepare_only(&s, text, (size_t)limit), TN_E_SYNTAX);
  cr_expect_eq(prepare_only(&s, text, (size_t)INT32_MAX + 10), TN_E_LIMIT);
  cr_expect_eq(prepare_only(&s, text, SIZE_MAX), TN_E_LIMIT);
  free(text);
  session_close(&s);
}

Test(statement, parameters_are_counted_by_their_largest_number)
{
  static const struct {
    const char *sql;
    uint32_t parameters;
    uint32_t columns;
  } cases[] = {
    { "SELECT 1", 0, 1 },          { "SELECT ?1, ?2, ?1", 2, 3 },
    { "SELECT ?3", 3, 1 },         { "SELECT ?, ?", 2, 2 },
    { "SELECT :a, @b, $c", 3, 3 }, { "CREATE TABLE x(a)", 0, 0 },
  };
  struct session s;
  size_t i;

  session_open(&s, NULL, "");
  for (i = 0; i < COUNT(cases); i++) {
    struct tn_statement_info info = { .size = sizeof info };
    void *statement;

    cr_assert_eq(s.statement->prepare(s.handle, cases[i].sql,
                                      strlen(cases[i].sql), &s.fake.call,
                                      &statement, &info),
                 TN_OK);
    cr_expect_eq(info.parameter_count, cases[i].parameters, "case %zu", i);
    cr_expect_eq(info.column_count, cases[i].columns, "case %zu", i);
    s.statement->close(statement, &s.fake.call);
  }
  session_close(&s);
}

Test(statement, affected_rows_and_keys_are_the_statements_own)
{
  static const struct {
    const char *sql;
    uint64_t affected;
    int64_t key; /* 0: none */
  } cases[] = {
    { "CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT UNIQUE)", 0, 0 },
    { "INSERT INTO t(a) VALUES ('x'),('y')", 2, 2 },
    { "SELECT * FROM t", 0, 0 },
    { "CREATE TABLE w(k TEXT PRIMARY KEY) WITHOUT ROWID", 0, 0 },
    { "INSERT INTO w VALUES ('x')", 1, 0 },
    { "INSERT INTO w VALUES ('x') ON CONFLICT DO UPDATE SET k='z'", 1, 0 },
    { "INSERT OR IGNORE INTO t(a) VALUES ('x')", 0, 0 },
    { "INSERT OR REPLACE INTO t(a) VALUES ('x')", 1, 3 },
    { "INSERT INTO t(a) VALUES ('x') ON CONFLICT(a) DO UPDATE SET id=9", 1, 0 },
    { "INSERT INTO t(a) VALUES ('n') ON CONFLICT(a) DO UPDATE SET id=8", 1,
      10 },
    { "DELETE FROM t WHERE id=10", 1, 0 },
    { "INSERT INTO t(a) VALUES ('n') ON CONFLICT(a) DO UPDATE SET id=8", 1,
      10 },
    { "INSERT INTO t(id,a) VALUES (77,'m')", 1, 77 },
    { "UPDATE t SET a=a", 4, 0 },
    { "UPDATE t SET a=a WHERE id=-1", 0, 0 },
    { "CREATE INDEX ix ON t(a)", 0, 0 },
    { "CREATE TABLE n(k TEXT PRIMARY KEY)", 0, 0 },
    { "INSERT INTO n VALUES ('x')", 1, 1 },
    { "CREATE TABLE log(id INTEGER PRIMARY KEY, a)", 0, 0 },
    { "CREATE TRIGGER tr AFTER INSERT ON t BEGIN "
      "INSERT INTO log VALUES (500+NEW.id, NEW.a); END",
      0, 0 },
    { "INSERT INTO t(a) VALUES ('q')", 1, 78 },
    { "INSERT INTO t(a) VALUES ('r') ON CONFLICT(a) DO UPDATE SET a='s'", 1,
      79 },
    { "CREATE VIEW v AS SELECT a FROM t", 0, 0 },
    { "CREATE TRIGGER vi INSTEAD OF INSERT ON v BEGIN "
      "INSERT INTO t(a) VALUES (NEW.a); END",
      0, 0 },
    { "INSERT INTO v VALUES ('via view')", 0, 0 },
    { "CREATE TABLE copy AS SELECT * FROM t", 0, 0 },
    { "EXPLAIN INSERT INTO t(a) VALUES ('e')", 0, 0 },
    { "CREATE TABLE \"odd \"\"name\"(a)", 0, 0 },
    { "INSERT INTO \"odd \"\"name\" VALUES (1) ON CONFLICT DO NOTHING", 1, 1 },
    { "INSERT INTO main.n SELECT a FROM t WHERE a='q'", 1, 2 },
    { "DELETE FROM n", 2, 0 },
    { "DROP TABLE copy", 0, 0 },
    { "PRAGMA user_version=5", 0, 0 },
    { "PRAGMA user_version", 0, 0 },
    { "PRAGMA journal_mode=memory", 0, 0 },
    { "PRAGMA wal_checkpoint", 0, 0 },
    { "UPDATE t SET a=a WHERE id=77 RETURNING id", 1, 0 },
    { "ANALYZE", 0, 0 },
    { "REINDEX", 0, 0 },
    { "VACUUM", 0, 0 },
    { "CREATE VIRTUAL TABLE f USING fts5(body)", 0, 0 },
    { "INSERT INTO f VALUES ('words')", 1, 1 },
    { "ALTER TABLE n RENAME TO n2", 0, 0 },
    { "BEGIN", 0, 0 },
    { "COMMIT", 0, 0 },
  };
  struct tn_result_info info;
  struct session s;
  size_t i;

  session_open(&s, NULL, "");
  for (i = 0; i < COUNT(cases); i++) {
    /* The host counts their rows. */
    bool is_counted = strncmp(cases[i].sql, "SELECT", 6) == 0 ||
                      strncmp(cases[i].sql, "EXPLAIN", 7) == 0 ||
                      (strncmp(cases[i].sql, "PRAGMA", 6) == 0 &&
                       strcmp(cases[i].sql, "PRAGMA user_version=5") != 0);

    cr_assert_eq(run_values(&s, cases[i].sql, NULL, 0, NULL, &info), TN_OK,
                 "case %zu: \"%s\": %s", i, cases[i].sql, s.fake.err.message);
    cr_expect_eq((info.flags & TN_RESULT_HAS_AFFECTED) != 0, !is_counted,
                 "case %zu: \"%s\"", i, cases[i].sql);
    cr_expect_eq(info.affected, cases[i].affected, "case %zu: \"%s\": %d", i,
                 cases[i].sql, (int)info.affected);
    cr_expect_eq((info.flags & TN_RESULT_HAS_KEY) != 0, cases[i].key != 0,
                 "case %zu: \"%s\"", i, cases[i].sql);
    if (cases[i].key != 0)
      cr_expect_eq(info.generated_key, cases[i].key, "case %zu: \"%s\": %d", i,
                   cases[i].sql, (int)info.generated_key);
  }
  session_close(&s);
}

Test(statement, a_cascade_does_not_count)
{
  struct tn_result_info info;
  struct session s;

  session_open(&s, NULL, "foreign_keys=on");
  must(&s, "CREATE TABLE p(id INTEGER PRIMARY KEY)");
  must(&s, "CREATE TABLE c(p REFERENCES p ON DELETE SET NULL)");
  must(&s, "INSERT INTO p VALUES (1)");
  must(&s, "INSERT INTO c VALUES (1),(1),(1)");
  cr_assert_eq(
      run_values(&s, "REPLACE INTO p VALUES (1)", NULL, 0, NULL, &info), TN_OK);
  cr_expect_eq(info.affected, 1);
  cr_expect(info.flags & TN_RESULT_HAS_KEY);
  cr_expect_eq(info.generated_key, 1);
  cr_assert_eq(run_values(&s, "DELETE FROM p", NULL, 0, NULL, &info), TN_OK);
  cr_expect_eq(info.affected, 1);
  cr_expect_not(info.flags & TN_RESULT_HAS_KEY);
  session_close(&s);
}

Test(statement, a_writer_with_rows_is_complete_when_execute_returns)
{
  static const char sql[] = "INSERT INTO t(a) VALUES (?1),(?2),(?3) "
                            "RETURNING id, a, a||'!', NULL";
  struct folder folder = folder_new();
  char path[256];
  tn_value values[3], cells[4];
  struct tn_result_info info = { .size = sizeof info };
  const struct tn_column *columns;
  struct running running;
  struct session s, other;
  uint32_t count;

  session_open(&s, path_in(&folder, "x.db", path), "");
  must(&s, "CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT)");
  session_open(&other, path, "timeout=0");
  values[0] = tn_text("one");
  values[1] = tn_text("two");
  values[2] = tn_text("three");
  cr_assert_eq(start(&s, sql, values, 3, &running), TN_OK, "%s",
               s.fake.err.message);

  /* committed, and no lock is held, before a row is fetched */
  cr_expect_eq(number_of(&other, "SELECT count(*) FROM t"), 3);
  must(&other, "INSERT INTO t(a) VALUES ('other')");
  cr_assert_eq(s.result->info(running.result, &info), TN_OK);
  cr_expect_eq(info.affected, 3);
  cr_expect_eq(info.generated_key, 3);

  s.result->columns(running.result, &s.fake.call, &columns, &count);
  cr_assert_eq(count, 4);
  cr_expect_str_eq(columns[1].name, "a");
  cr_expect_eq(columns[2].type, TN_TEXT);
  cr_expect_eq(columns[3].type, TN_NULL);
  cr_assert_eq(s.result->fetch(running.result, cells, &s.fake.call), 1);
  cr_expect_eq(cells[0].as.int64, 1);
  cr_expect_eq(memcmp(cells[1].as.bytes.data, "one", 3), 0);
  cr_assert_eq(s.result->fetch(running.result, cells, &s.fake.call), 1);
  cr_expect_eq(memcmp(cells[2].as.bytes.data, "two!", 4), 0);
  cr_assert_eq(s.result->fetch(running.result, cells, &s.fake.call), 1);
  cr_assert_eq(s.result->fetch(running.result, cells, &s.fake.call), 0);
  cr_assert_eq(s.result->fetch(running.result, cells, &s.fake.call), 0);
  s.result->close(running.result, &s.fake.call);

  /* closed without reading */
  cr_assert_eq(s.statement->execute(running.statement, values, 3, &s.fake.call,
                                    &running.result),
               TN_OK);
  s.result->close(running.result, &s.fake.call);
  running.result = NULL;
  cr_expect_eq(number_of(&other, "SELECT count(*) FROM t"), 7);
  finish(&s, &running);
  cr_expect_eq(s.txn->state(s.handle), TN_TXN_NONE);
  session_close(&other);
  session_close(&s);
  folder_free(&folder);
}

Test(statement, a_writer_without_a_row_to_return_has_none)
{
  struct session s;
  long rows = -1;

  session_open(&s, NULL, "");
  must(&s, "CREATE TABLE t(a)");
  cr_expect_eq(
      run_values(&s, "DELETE FROM t RETURNING a", NULL, 0, &rows, NULL), TN_OK);
  cr_expect_eq(rows, 0);
  session_close(&s);
}

Test(statement, a_failed_writer_with_rows_leaves_nothing_behind)
{
  struct session s;

  session_open(&s, NULL, "");
  must(&s, "CREATE TABLE t(a UNIQUE)");
  cr_expect_eq(run(&s, "INSERT INTO t VALUES (1),(1) RETURNING a"),
               TN_E_DUPLICATE);
  cr_expect_eq(s.txn->state(s.handle), TN_TXN_NONE);
  cr_expect_eq(number_of(&s, "SELECT count(*) FROM t"), 0);
  must(&s, "BEGIN");
  must(&s, "INSERT INTO t VALUES (7)");
  cr_expect_eq(run(&s, "INSERT INTO t VALUES (8),(7) RETURNING a"),
               TN_E_DUPLICATE);
  cr_expect_eq(s.txn->state(s.handle), TN_TXN_OPEN);
  must(&s, "COMMIT");
  cr_expect_eq(number_of(&s, "SELECT count(*) FROM t"), 1);
  session_close(&s);
}

Test(statement, columns_follow_a_change_of_the_schema)
{
  const struct tn_column *columns;
  struct running running;
  struct session s;
  tn_value cells[8];
  uint32_t count;

  session_open(&s, NULL, "");
  must(&s, "CREATE TABLE t(a INTEGER)");
  must(&s, "INSERT INTO t VALUES (1)");
  cr_assert_eq(start(&s, "SELECT * FROM t", NULL, 0, &running), TN_OK);
  s.result->columns(running.result, &s.fake.call, &columns, &count);
  cr_expect_eq(count, 1);
  s.result->close(running.result, &s.fake.call);

  must(&s, "ALTER TABLE t ADD COLUMN day DATE DEFAULT '2024-02-29'");
  must(&s, "ALTER TABLE t RENAME COLUMN a TO renamed");
  cr_assert_eq(s.statement->execute(running.statement, NULL, 0, &s.fake.call,
                                    &running.result),
               TN_OK);
  s.result->columns(running.result, &s.fake.call, &columns, &count);
  cr_assert_eq(count, 2);
  cr_expect_str_eq(columns[0].name, "renamed");
  cr_expect_str_eq(columns[1].name, "day");
  cr_expect_str_eq(columns[1].type_name, "DATE");
  cr_expect_eq(columns[1].type, TN_DATE);
  cr_assert_eq(s.result->fetch(running.result, cells, &s.fake.call), 1);
  cr_expect_eq(cells[1].type, TN_DATE);
  finish(&s, &running);
  session_close(&s);
}

Test(statement, rows_that_are_kept_follow_a_change_of_the_schema)
{
  struct running running;
  struct session s;
  tn_value cells[8];
  int run_number;

  session_open(&s, NULL, "");
  must(&s, "CREATE TABLE t(a INTEGER)");
  cr_assert_eq(start(&s, "INSERT INTO t(a) VALUES (1),(2) RETURNING *", NULL, 0,
                     &running),
               TN_OK);
  for (run_number = 0; run_number < 4; run_number++) {
    char sql[64];
    int i;

    for (i = 0; i < 2; i++) {
      cr_assert_eq(s.result->fetch(running.result, cells, &s.fake.call), 1);
      cr_expect_eq(cells[0].as.int64, i + 1);
      if (run_number > 0)
        cr_expect_eq(cells[run_number].as.int64, 10);
    }
    cr_assert_eq(s.result->fetch(running.result, cells, &s.fake.call), 0);
    s.result->close(running.result, &s.fake.call);
    snprintf(sql, sizeof sql, "ALTER TABLE t ADD COLUMN x%d DEFAULT 10",
             run_number);
    must(&s, sql);
    cr_assert_eq(s.statement->execute(running.statement, NULL, 0, &s.fake.call,
                                      &running.result),
                 TN_OK);
  }
  finish(&s, &running);
  session_close(&s);
}

Test(statement, a_table_that_is_made_anew_without_rowids_gives_no_key)
{
  struct tn_result_info info = { .size = sizeof info };
  struct running running;
  struct session s;
  tn_value value = tn_int64(5);

  session_open(&s, NULL, "");
  must(&s, "CREATE TABLE t(a INTEGER PRIMARY KEY)");
  cr_assert_eq(start(&s, "INSERT INTO t VALUES (?)", &value, 1, &running),
               TN_OK);
  s.result->info(running.result, &info);
  cr_expect(info.flags & TN_RESULT_HAS_KEY);
  s.result->close(running.result, &s.fake.call);
  must(&s, "DROP TABLE t");
  must(&s, "CREATE TABLE t(a INTEGER PRIMARY KEY) WITHOUT ROWID");
  cr_assert_eq(s.statement->execute(running.statement, &value, 1, &s.fake.call,
                                    &running.result),
               TN_OK);
  s.result->info(running.result, &info);
  cr_expect_eq(info.affected, 1);
  cr_expect_not(info.flags & TN_RESULT_HAS_KEY);
  finish(&s, &running);
  session_close(&s);
}

Test(statement, a_column_that_declares_nothing_is_what_its_first_row_is)
{
  static const struct {
    const char *sql;
    uint32_t type;
    const char *type_name;
  } cases[] = {
    { "SELECT 1", TN_INT64, "" },
    { "SELECT 1.5", TN_DOUBLE, "" },
    { "SELECT 'x'", TN_TEXT, "" },
    { "SELECT x'00'", TN_BLOB, "" },
    { "SELECT NULL", TN_NULL, "" },
    { "SELECT 1 WHERE 0", TN_NULL, "" },
    { "SELECT i FROM t", TN_INT64, "INTEGER" },
    { "SELECT i+1 FROM t", TN_NULL, "" },
    { "SELECT x FROM t", TN_NULL, "" },
    { "SELECT g FROM t", TN_NULL, "GEOMETRY" },
    { "SELECT b FROM t", TN_BOOL, "BOOLEAN" },
    { "SELECT d FROM v", TN_DECIMAL, "DECIMAL(10,2)" },
    { "SELECT count(*) FROM t", TN_INT64, "" },
  };
  const struct tn_column *columns;
  struct running running;
  struct session s;
  uint32_t count;
  size_t i;

  session_open(&s, NULL, "");
  must(&s, "CREATE TABLE t(i INTEGER, b BOOLEAN, d DECIMAL(10,2), g GEOMETRY, "
           "x)");
  must(&s, "CREATE VIEW v AS SELECT d FROM t");
  for (i = 0; i < COUNT(cases); i++) {
    cr_assert_eq(start(&s, cases[i].sql, NULL, 0, &running), TN_OK);
    s.result->columns(running.result, &s.fake.call, &columns, &count);
    cr_expect_eq(columns[0].type, cases[i].type, "case %zu: \"%s\": %s", i,
                 cases[i].sql, tn_type_name(columns[0].type));
    cr_expect_str_eq(columns[0].type_name, cases[i].type_name,
                     "case %zu: \"%s\"", i, cases[i].sql);
    finish(&s, &running);
  }
  session_close(&s);
}

Test(statement, results_of_several_statements_are_read_side_by_side)
{
  struct running a, b;
  struct session s;
  tn_value cells[1];
  int i;

  session_open(&s, NULL, "");
  must(&s, "CREATE TABLE t(a)");
  must(&s, "INSERT INTO t VALUES (0),(1),(2)");
  cr_assert_eq(start(&s, "SELECT a FROM t", NULL, 0, &a), TN_OK);
  cr_assert_eq(start(&s, "SELECT a+10 FROM t", NULL, 0, &b), TN_OK);
  for (i = 0; i < 3; i++) {
    cr_assert_eq(s.result->fetch(a.result, cells, &s.fake.call), 1);
    cr_expect_eq(cells[0].as.int64, i);
    cr_assert_eq(s.result->fetch(b.result, cells, &s.fake.call), 1);
    cr_expect_eq(cells[0].as.int64, i + 10);
  }
  finish(&s, &a);
  finish(&s, &b);
  session_close(&s);
}

/* Is the cell what SQLite itself has in this column? */
static void
expect_cell(sqlite3_stmt *stmt, int column, const tn_value *cell,
            const char *sql)
{
  const char *text = (const char *)sqlite3_column_text(stmt, column);
  char printed[TN_VALUE_PRINT_MAX];

  if (text == NULL) {
    cr_expect_eq(cell->type, TN_NULL, "%s: column %d", sql, column);
    return;
  }
  tn_value_print(cell, printed, sizeof printed);
  cr_expect_str_eq(printed, text, "%s: column %d", sql, column);
}

/* Run the statement, and row by row in `db`. */
static void
expect_rows(struct session *s, sqlite3 *db, const char *sql)
{
  tn_value cells[CELLS_MAX];
  sqlite3_stmt *stmt = NULL;
  void *statement = NULL;
  struct tn_statement_info info = { .size = sizeof info };
  int round;

  cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK, "%s",
               sql);
  cr_assert_eq(s->statement->prepare(s->handle, sql, strlen(sql), &s->fake.call,
                                     &statement, &info),
               TN_OK, "%s", sql);
  for (round = 0; round < 3; round++) {
    void *result = NULL;
    long rows = 0;

    cr_assert_eq(
        s->statement->execute(statement, NULL, 0, &s->fake.call, &result),
        TN_OK, "%s", sql);
    for (; sqlite3_step(stmt) == SQLITE_ROW; rows++) {
      int i;

      cr_assert_eq(s->result->fetch(result, cells, &s->fake.call), 1, "%s",
                   sql);
      for (i = 0; i < sqlite3_column_count(stmt); i++)
        expect_cell(stmt, i, &cells[i], sql);
    }
    cr_expect_eq(s->result->fetch(result, cells, &s->fake.call), 0, "%s", sql);
    cr_expect_gt(rows, 1, "%s", sql);
    s->result->close(result, &s->fake.call);
    sqlite3_reset(stmt);
  }
  s->statement->close(statement, &s->fake.call);
  sqlite3_finalize(stmt);
}

/* Which are not asked for one by one as long as they seem to stay there. */
Test(statement, cells_are_found_wherever_sqlite_has_them)
{
  static const char *const setup[] = {
    "CREATE TABLE t(a INTEGER PRIMARY KEY, b, c, d, e)",
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM r WHERE n<50)"
    " INSERT INTO t SELECT n, n*7, 'text '||n, CASE n%3 WHEN 0 THEN n/4 END,"
    " -n FROM r",
  };
  static const char *const queries[] = {
    "SELECT a, b, c, d, e FROM t",
    "SELECT a, b, c, d, e FROM t UNION ALL SELECT e, c, d, b, a FROM t",
    "SELECT a, b, c FROM t WHERE a < 9 UNION SELECT c, b, a FROM t",
    "SELECT 1, 2, 3, 4 UNION ALL SELECT 5, 6, 7, 8 UNION ALL SELECT 9, 0, 1, 2",
    "VALUES (1, 'a', 2), (3, 'b', 4), (5, 'c', 6)",
    "SELECT e, d, c, b FROM t ORDER BY d, c DESC",
    "SELECT d, count(*), min(c), max(b) FROM t GROUP BY d",
    "SELECT a, sum(b) OVER (ORDER BY a), lag(c) OVER (ORDER BY a), d FROM t",
    "WITH r AS (SELECT 1 UNION ALL SELECT 3 FROM r LIMIT 9) SELECT *, 1 FROM r",
    "SELECT a, b FROM t",
    "SELECT b FROM t",
    "SELECT x.a, y.c, x.b, y.e FROM t x JOIN t y ON x.a = y.a + 1",
    "EXPLAIN SELECT a, b, c FROM t WHERE b > 7 ORDER BY c",
    "PRAGMA table_info(t)",
    "PRAGMA pragma_list",
  };
  struct session s;
  sqlite3 *db = NULL;
  size_t i;

  session_open(&s, NULL, "");
  cr_assert_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
  for (i = 0; i < COUNT(setup); i++) {
    must(&s, setup[i]);
    cr_assert_eq(sqlite3_exec(db, setup[i], NULL, NULL, NULL), SQLITE_OK);
  }
  for (i = 0; i < COUNT(queries); i++)
    expect_rows(&s, db, queries[i]);
  sqlite3_close(db);
  session_close(&s);
}

Test(statement, a_failed_run_leaves_the_statement_fit_for_the_next)
{
  struct running running;
  struct session s;
  tn_value value = tn_int64(1);

  session_open(&s, NULL, "");
  must(&s, "CREATE TABLE t(a UNIQUE)");
  cr_assert_eq(start(&s, "INSERT INTO t VALUES (?)", &value, 1, &running),
               TN_OK);
  s.result->close(running.result, &s.fake.call);
  running.result = NULL;
  cr_expect_eq(s.statement->execute(running.statement, &value, 1, &s.fake.call,
                                    &running.result),
               TN_E_DUPLICATE);
  cr_expect_null(running.result);
  value = tn_int64(2);
  cr_expect_eq(s.statement->execute(running.statement, &value, 1, &s.fake.call,
                                    &running.result),
               TN_OK);
  finish(&s, &running);
  cr_expect_eq(number_of(&s, "SELECT count(*) FROM t"), 2);
  session_close(&s);
}

Test(statement, a_pragma_works_each_time_it_is_run)
{
  struct running on, show;
  struct session s;
  tn_value cells[8];
  long rows = 0;

  session_open(&s, NULL, "");
  cr_assert_eq(start(&s, "PRAGMA foreign_keys=ON", NULL, 0, &on), TN_OK);
  s.result->close(on.result, &s.fake.call);
  must(&s, "PRAGMA foreign_keys=OFF");
  cr_assert_eq(
      s.statement->execute(on.statement, NULL, 0, &s.fake.call, &on.result),
      TN_OK);
  finish(&s, &on);
  cr_expect_eq(number_of(&s, "PRAGMA foreign_keys"), 1);

  must(&s, "CREATE TABLE t(a)");
  cr_assert_eq(start(&s, "PRAGMA table_info(t)", NULL, 0, &show), TN_OK);
  s.result->close(show.result, &s.fake.call);
  must(&s, "ALTER TABLE t ADD COLUMN b");
  cr_assert_eq(
      s.statement->execute(show.statement, NULL, 0, &s.fake.call, &show.result),
      TN_OK);
  while (s.result->fetch(show.result, cells, &s.fake.call) == 1)
    rows++;
  cr_expect_eq(rows, 2);
  finish(&s, &show);
  session_close(&s);
}

Test(statement, a_pragma_cannot_take_the_deadline_away)
{
  struct folder folder = folder_new();
  struct session s;
  sqlite3 *other;
  char path[256];

  session_open(&s, path_in(&folder, "x.db", path), "");
  must(&s, "CREATE TABLE t(a)");
  must(&s, "PRAGMA busy_timeout=60000");
  cr_assert_eq(sqlite3_open(path, &other), SQLITE_OK);
  sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL);
  fake_call_again(&s.fake, 50);
  cr_expect_eq(run(&s, "INSERT INTO t VALUES (1)"), TN_E_TIMEOUT);
  fake_call_again(&s.fake, 5000);
  must(&s, "PRAGMA busy_timeout=20");
  cr_expect_eq(run(&s, "INSERT INTO t VALUES (1)"), TN_E_BUSY);
  sqlite3_close(other);
  session_close(&s);
  folder_free(&folder);
}

Test(statement, a_deadline_ends_a_statement_that_computes)
{
  static const char endless[] =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) "
      "SELECT max(i) FROM n";
  struct session s;
  int64_t before, took;

  session_open(&s, NULL, "");
  fake_call_again(&s.fake, 50);
  before = s.fake.call.host->now();
  cr_expect_eq(run(&s, endless), TN_E_TIMEOUT);
  took = s.fake.call.host->now() - before;
  cr_expect(took >= 49000000 && took < 300000000, "%lld ns", (long long)took);
  cr_expect_eq(s.fake.err.connection, TN_CONNECTION_USABLE);
  fake_call_again(&s.fake, 0);
  s.fake.stop = TN_E_CANCELED;
  s.fake.stop_after = 20;
  cr_expect_eq(run(&s, endless), TN_E_CANCELED);
  cr_expect_eq(s.fake.checks, 20);
  fake_call_again(&s.fake, 0);
  must(&s, "SELECT 1"); /* a later statement is not hit */
  session_close(&s);
}

Test(statement, a_deadline_ends_a_fetch_in_the_middle)
{
  static const char rare[] =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) "
      "SELECT i FROM n WHERE i=1 OR i=1000000000";
  struct running running;
  struct session s;
  tn_value cells[1];

  session_open(&s, NULL, "");
  fake_call_again(&s.fake, 50);
  cr_assert_eq(start(&s, rare, NULL, 0, &running), TN_OK);
  cr_assert_eq(s.result->fetch(running.result, cells, &s.fake.call), 1);
  cr_expect_eq(s.result->fetch(running.result, cells, &s.fake.call),
               -TN_E_TIMEOUT);
  cr_expect_eq(s.result->fetch(running.result, cells, &s.fake.call), 0);
  finish(&s, &running);
  session_close(&s);
}

Test(statement, a_short_statement_never_asks_the_host)
{
  struct session s;

  session_open(&s, NULL, "");
  must(&s, "CREATE TABLE t(id INTEGER PRIMARY KEY, a)");
  fake_call_again(&s.fake, 0);
  must(&s, "SELECT a FROM t WHERE id=1");
  cr_expect_eq(s.fake.checks, 0);
  session_close(&s);
}

/* SQLite counts the steps of a statement over all its runs, and asks every so
 * often: in the end that falls behind the last step of one. */
Test(statement, what_is_told_as_canceled_has_had_no_effect)
{
  struct session s;
  struct running running;
  int64_t inserted = 0;

  session_open(&s, NULL, "");
  must(&s, "CREATE TABLE t(a)");
  cr_assert_eq(start(&s, "INSERT INTO t VALUES (1)", NULL, 0, &running), TN_OK);
  inserted++;
  for (int i = 0; i < 5000; i++) {
    int32_t rc;

    if (running.result != NULL)
      s.result->close(running.result, &s.fake.call);
    running.result = NULL;
    fake_call_again(&s.fake, 0);
    s.fake.stop = TN_E_CANCELED;
    s.fake.stop_after = 1;
    rc = s.statement->execute(running.statement, NULL, 0, &s.fake.call,
                              &running.result);
    cr_assert(rc == TN_OK || rc == TN_E_CANCELED);
    inserted += rc == TN_OK;
  }
  fake_call_again(&s.fake, 0);
  finish(&s, &running);
  cr_expect_eq(number_of(&s, "SELECT count(*) FROM t"), inserted);
  session_close(&s);
}
