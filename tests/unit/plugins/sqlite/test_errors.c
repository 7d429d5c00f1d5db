/* What SQLite's codes and messages come to, each provoked in the real
 * library. */
#include "fixture.h"

#include <signal.h>
#include <sys/resource.h>

static const char *const schema[] = {
  "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b UNIQUE, c NOT NULL DEFAULT 1, "
  "UNIQUE(a, b), CONSTRAINT positive CHECK (c > 0))",
  "CREATE TABLE w(k TEXT PRIMARY KEY) WITHOUT ROWID",
  "CREATE TABLE plain(a)",
  "CREATE TABLE \"dot.ted\"(\"a.b\" UNIQUE, \"c, d\", UNIQUE(\"a.b\", \"c, "
  "d\"))",
  "CREATE TABLE st(a INT) STRICT",
  "CREATE TABLE pa(id INTEGER PRIMARY KEY, code)",
  "CREATE TABLE ch(p REFERENCES pa(id))",
  "CREATE TABLE mis(p REFERENCES pa(code))",
  "CREATE UNIQUE INDEX \"expr ix\" ON plain(lower(a))",
  "CREATE VIEW v AS SELECT a FROM t",
  "CREATE VIEW unsafe AS SELECT load_extension('x')",
  "CREATE TRIGGER tr BEFORE INSERT ON plain WHEN NEW.a='bad' BEGIN "
  "SELECT RAISE(ABORT, 'no bad rows'); END",
  "INSERT INTO t(id,a,b) VALUES (1,'x','y')",
  "INSERT INTO w VALUES ('k')",
  "INSERT INTO plain VALUES ('one')",
  "INSERT INTO \"dot.ted\" VALUES (1, 2)",
};

static void
make_schema(struct session *s)
{
  size_t i;

  for (i = 0; i < COUNT(schema); i++)
    must(s, schema[i]);
}

/* The columns, between commas. */
static const char *
columns_of(const tn_err *err, char text[256])
{
  size_t used = 0;
  uint32_t i;

  text[0] = '\0';
  for (i = 0; i < err->column_count; i++)
    used += (size_t)snprintf(text + used, 256 - used, "%s%s", i == 0 ? "" : "|",
                             tn_err_column(err, i));
  return text;
}

static const struct {
  const char *sql;
  int32_t category;
  int32_t native;
  const char *table;
  const char *columns;
  const char *constraint;
} cases[] = {
  /* constraints */
  { "INSERT INTO t(b) VALUES ('y')", TN_E_DUPLICATE, 2067, "t", "b", "" },
  { "INSERT INTO t(a,b) VALUES ('x','y') ON CONFLICT(b) DO UPDATE SET id=1",
    TN_OK, 0, "", "", "" },
  { "INSERT INTO t(id) VALUES (1)", TN_E_DUPLICATE, 1555, "t", "id", "" },
  { "INSERT INTO w VALUES ('k')", TN_E_DUPLICATE, 1555, "w", "k", "" },
  { "INSERT INTO plain(rowid) VALUES (1)", TN_E_DUPLICATE, 2579, "plain",
    "rowid", "" },
  { "INSERT INTO plain VALUES ('ONE')", TN_E_DUPLICATE, 2067, "", "",
    "expr ix" },
  { "INSERT INTO \"dot.ted\" VALUES (1, 3)", TN_E_DUPLICATE, 2067, "dot.ted",
    "a.b", "" },
  { "INSERT INTO t(c) VALUES (NULL)", TN_E_NOT_NULL, 1299, "t", "c", "" },
  { "INSERT INTO t(c) VALUES (-1)", TN_E_CHECK, 275, "", "", "positive" },
  { "INSERT INTO ch VALUES (5)", TN_E_REFERENCE, 787, "", "", "" },
  { "INSERT INTO st VALUES ('x')", TN_E_DATA, 3091, "st", "a", "" },
  { "INSERT INTO plain VALUES ('bad')", TN_E_CONSTRAINT, 1811, "", "", "" },
  { "INSERT INTO t(id) VALUES ('text')", TN_E_DATA, 20, "", "", "" },
  /* names */
  { "SELECT * FROM nope", TN_E_NO_TABLE, 1, "nope", "", "" },
  { "INSERT INTO main.nope VALUES (1)", TN_E_NO_TABLE, 1, "nope", "", "" },
  { "SELECT * FROM \"no.pe\"", TN_E_NO_TABLE, 1, "no.pe", "", "" },
  { "DROP TABLE nope", TN_E_NO_TABLE, 1, "nope", "", "" },
  { "DROP VIEW nope", TN_E_NO_TABLE, 1, "nope", "", "" },
  { "SELECT nope FROM t", TN_E_NO_COLUMN, 1, "", "nope", "" },
  { "SELECT t.nope FROM t", TN_E_NO_COLUMN, 1, "t", "nope", "" },
  { "SELECT main.t.nope FROM t", TN_E_NO_COLUMN, 1, "t", "nope", "" },
  { "INSERT INTO t(nope) VALUES (1)", TN_E_NO_COLUMN, 1, "t", "nope", "" },
  { "UPDATE t SET nope=1", TN_E_NO_COLUMN, 1, "", "nope", "" },
  { "CREATE INDEX ix ON t(nope)", TN_E_NO_COLUMN, 1, "", "nope", "" },
  { "ALTER TABLE t RENAME COLUMN nope TO x", TN_E_NO_COLUMN, 1, "", "nope",
    "" },
  { "DROP INDEX nope", TN_E_NO_CONSTRAINT, 1, "", "", "nope" },
  { "INSERT INTO mis VALUES (1)", TN_E_CONSTRAINT, 1, "", "", "" },
  { "INSERT INTO plain VALUES (1) ON CONFLICT(a) DO NOTHING",
    TN_E_NO_CONSTRAINT, 1, "", "", "" },
  { "SELECT nope()", TN_E_NO_FUNCTION, 1, "", "", "" },
  { "SELECT lower()", TN_E_NO_FUNCTION, 1, "", "", "" },
  { "CREATE INDEX ix ON t(nope(a))", TN_E_NO_FUNCTION, 1, "", "", "" },
  { "SELECT * FROM t ORDER BY a COLLATE nope", TN_E_NOT_FOUND, 257, "", "",
    "" },
  { "DROP TRIGGER nope", TN_E_NOT_FOUND, 1, "", "", "" },
  { "CREATE VIRTUAL TABLE x USING nope", TN_E_UNSUPPORTED, 1, "", "", "" },
  { "DETACH nope", TN_E_NO_DATABASE, 1, "", "", "" },
  { "CREATE TABLE nope.x(a)", TN_E_NO_DATABASE, 1, "", "", "" },
  { "ATTACH '/nosuchfolder/x.db' AS x", TN_E_CONNECT, 14, "", "", "" },
  { "ATTACH ':memory:' AS main", TN_E_EXISTS, 1, "", "", "" },
  { "CREATE TABLE t(a)", TN_E_EXISTS, 1, "t", "", "" },
  { "CREATE TABLE v(a)", TN_E_EXISTS, 1, "v", "", "" },
  { "CREATE VIEW v AS SELECT 1", TN_E_EXISTS, 1, "v", "", "" },
  { "CREATE INDEX \"expr ix\" ON t(a)", TN_E_EXISTS, 1, "", "", "expr ix" },
  { "CREATE TRIGGER tr AFTER DELETE ON t BEGIN SELECT 1; END", TN_E_EXISTS, 1,
    "", "", "" },
  { "CREATE TABLE \"expr ix\"(a)", TN_E_EXISTS, 1, "", "", "" },
  { "CREATE INDEX plain ON t(a)", TN_E_EXISTS, 1, "", "", "" },
  { "ALTER TABLE plain RENAME TO t", TN_E_EXISTS, 1, "", "", "" },
  { "CREATE TABLE x(a, a)", TN_E_EXISTS, 1, "", "a", "" },
  { "ALTER TABLE t ADD COLUMN a", TN_E_EXISTS, 1, "", "a", "" },
  /* the statement */
  { "SELEC 1", TN_E_SYNTAX, 1, "", "", "" },
  { "SELECT 'open", TN_E_SYNTAX, 1, "", "", "" },
  { "SELECT (1", TN_E_SYNTAX, 1, "", "", "" },
  { "SELECT", TN_E_SYNTAX, 1, "", "", "" },
  { "SELECT id FROM t, t AS u", TN_E_SYNTAX, 1, "", "id", "" },
  { "INSERT INTO plain VALUES (1,2)", TN_E_SYNTAX, 1, "", "", "" },
  { "INSERT INTO plain(a) VALUES (1,2)", TN_E_SYNTAX, 1, "", "", "" },
  { "SELECT sum(sum(a)) FROM t", TN_E_SYNTAX, 1, "", "", "" },
  { "SELECT 1 UNION SELECT 1,2", TN_E_SYNTAX, 1, "", "", "" },
  { "DROP TABLE v", TN_E_SYNTAX, 1, "", "", "" },
  { "SELECT * FROM t WHERE a = (1,2)", TN_E_SYNTAX, 1, "", "", "" },
  /* state */
  { "COMMIT", TN_E_STATE, 1, "", "", "" },
  { "ROLLBACK", TN_E_STATE, 1, "", "", "" },
  { "RELEASE nope", TN_E_STATE, 1, "", "", "" },
  /* data */
  { "SELECT json('{')", TN_E_DATA, 1, "", "", "" },
  { "SELECT json_array(x'00')", TN_E_DATA, 1, "", "", "" },
  { "SELECT json_extract('{}', 'nope')", TN_E_DATA, 1, "", "", "" },
  { "SELECT abs(-9223372036854775808)", TN_E_DATA, 1, "", "", "" },
  { "SELECT 0x11111111111111111", TN_E_DATA, 1, "", "", "" },
  { "SELECT 'a' LIKE 'b' ESCAPE 'xx'", TN_E_DATA, 1, "", "", "" },
  { "SELECT 'a' REGEXP '('", TN_E_DATA, 1, "", "", "" },
  { "SELECT 'a' REGEXP '[z-a]'", TN_E_DATA, 1, "", "", "" },
  /* limits */
  { "SELECT zeroblob(2000000000)", TN_E_DATA, 18, "", "", "" },
  { "SELECT ?99999999", TN_E_SYNTAX, 1, "", "", "" },
  /* what SQLite does not do */
  { "INSERT INTO v VALUES (1)", TN_E_UNSUPPORTED, 1, "v", "", "" },
  { "DELETE FROM sqlite_master", TN_E_UNSUPPORTED, 1, "sqlite_master", "", "" },
  { "DROP TABLE sqlite_master", TN_E_UNSUPPORTED, 1, "sqlite_master", "", "" },
  { "ALTER TABLE sqlite_master RENAME TO x", TN_E_UNSUPPORTED, 1,
    "sqlite_master", "", "" },
  { "DROP INDEX sqlite_autoindex_t_1", TN_E_UNSUPPORTED, 1, "", "", "" },
  { "ALTER TABLE plain ADD COLUMN x NOT NULL", TN_E_UNSUPPORTED, 1, "", "",
    "" },
  { "ALTER TABLE t DROP COLUMN id", TN_E_UNSUPPORTED, 1, "", "", "" },
  { "ALTER TABLE v RENAME TO x", TN_E_UNSUPPORTED, 1, "v", "", "" },
  { "SELECT count(DISTINCT a) OVER () FROM t", TN_E_UNSUPPORTED, 1, "", "",
    "" },
  { "SELECT load_extension('x')", TN_E_PERMISSION, 1, "", "", "" },
  { "SELECT * FROM unsafe", TN_E_PERMISSION, 1, "", "", "" },
};

Test(errors, each_message_is_classified_and_its_names_are_found)
{
  struct session s;
  char columns[256];
  size_t i;

  session_open(&s, NULL, "foreign_keys=on");
  make_schema(&s);
  for (i = 0; i < COUNT(cases); i++) {
    const tn_err *err = &s.fake.err;

    fake_call_again(&s.fake, 0);
    cr_expect_eq(run(&s, cases[i].sql), cases[i].category,
                 "case %zu: %s: %s: %s", i, cases[i].sql,
                 tn_code_name(err->code), err->message);
    cr_expect_eq(err->native, cases[i].native, "case %zu: %s: %d: %s", i,
                 cases[i].sql, err->native, err->message);
    cr_expect_str_eq(err->table, cases[i].table, "case %zu: %s: \"%s\"", i,
                     cases[i].sql, err->table);
    cr_expect_str_eq(columns_of(err, columns), cases[i].columns,
                     "case %zu: %s: \"%s\"", i, cases[i].sql, columns);
    cr_expect_str_eq(err->constraint, cases[i].constraint,
                     "case %zu: %s: \"%s\"", i, cases[i].sql, err->constraint);
    if (cases[i].category != TN_OK) {
      cr_expect_eq(err->connection, TN_CONNECTION_USABLE, "case %zu", i);
      cr_expect_neq(err->replay, 0, "case %zu", i);
    }
  }
  session_close(&s);
}

Test(errors, a_unique_key_of_several_columns_names_them_all)
{
  struct session s;
  char columns[256];

  session_open(&s, NULL, "");
  must(&s, "CREATE TABLE t(a, b, UNIQUE(a, b))");
  must(&s, "CREATE TABLE \"a, t.b\"(x, \"y, a, t.b.z\", UNIQUE(x, \"y, a, "
           "t.b.z\"))");
  must(&s, "INSERT INTO t VALUES (1, 2)");
  must(&s, "INSERT INTO \"a, t.b\" VALUES (1, 2)");
  cr_expect_eq(run(&s, "INSERT INTO t VALUES (1, 2)"), TN_E_DUPLICATE);
  cr_expect_str_eq(columns_of(&s.fake.err, columns), "a|b");
  cr_expect_str_eq(s.fake.err.table, "t");
  cr_expect_eq(run(&s, "INSERT INTO \"a, t.b\" VALUES (1, 2)"), TN_E_DUPLICATE);
  cr_expect_str_eq(s.fake.err.table, "a, t.b");
  cr_expect_str_eq(tn_err_column(&s.fake.err, 0), "x");
  session_close(&s);
}

/* SQLite puts nothing but a dot between the two. */
Test(errors, a_schema_that_is_named_is_told)
{
  static const struct {
    const char *sql;
    const char *schema;
    const char *table;
  } named[] = {
    { "SELECT * FROM other.nope", "other", "nope" },
    { "SELECT * FROM other.\"no.pe\"", "other", "no.pe" },
    { "SELECT * FROM \"s 9\".nope", "s 9", "nope" },
    { "SELECT * FROM \"s.9\".nope", "s.9", "nope" },
    { "SELECT * FROM \"s.9\".\"no.pe\"", "s.9", "no.pe" },
    /* Two schemas may be meant. */
    { "SELECT * FROM two.\"three.nope\"", "", "two.three.nope" },
    /* No such schema either. */
    { "SELECT * FROM \"s 8\".nope", "s 8", "nope" },
    { "SELECT * FROM nos /* a */ . \"nope\"", "nos", "nope" },
    { "DROP VIEW nos.nope", "nos", "nope" },
    { "SELECT * FROM \"s 8.nope\"", "", "s 8.nope" },
    { "SELECT * FROM [nos.nope]", "", "nos.nope" },
    { "SELECT * FROM `nos.nope`", "", "nos.nope" },
    { "SELECT * FROM \"no\"\"s.nope\"", "", "no\"s.nope" },
    { "SELECT * FROM nos.\"no.pe\"", "", "nos.no.pe" },
    { "SELECT * FROM nope", "", "nope" },
  };
  struct session s;
  size_t i;

  session_open(&s, NULL, "");
  must(&s, "ATTACH ':memory:' AS \"other\"");
  must(&s, "ATTACH ':memory:' AS \"s 9\"");
  must(&s, "ATTACH ':memory:' AS \"s.9\"");
  must(&s, "ATTACH ':memory:' AS two");
  must(&s, "ATTACH ':memory:' AS \"two.three\"");
  for (i = 0; i < COUNT(named); i++) {
    cr_expect_eq(run(&s, named[i].sql), TN_E_NO_TABLE, "%s", named[i].sql);
    cr_expect_str_eq(s.fake.err.schema, named[i].schema, "%s: \"%s\"",
                     named[i].sql, s.fake.err.schema);
    cr_expect_str_eq(s.fake.err.table, named[i].table, "%s: \"%s\"",
                     named[i].sql, s.fake.err.table);
  }
  session_close(&s);
}

/* A session that has read no schema yet: only what is in a file can show it. */
Test(errors, a_column_of_no_table_is_missing_at_first_as_later)
{
  struct folder folder = folder_new();
  char path[128], columns[256];
  struct session s;

  snprintf(path, sizeof path, "%s/x.db", folder.path);
  session_open(&s, path, "");
  must(&s, "CREATE TABLE t(a)");
  session_close(&s);
  session_open(&s, path, "");
  cr_expect_eq(run(&s, "SELECT nope"), TN_E_NO_COLUMN, "%s",
               tn_code_name(s.fake.err.code));
  cr_expect_eq(s.fake.err.native, SQLITE_ERROR, "%d", s.fake.err.native);
  cr_expect_str_eq(columns_of(&s.fake.err, columns), "nope");
  session_close(&s);
  folder_free(&folder);
}

Test(errors, state_within_a_transaction)
{
  static const struct {
    const char *sql;
    int32_t category;
  } within[] = {
    { "BEGIN", TN_E_STATE },
    { "VACUUM", TN_E_STATE },
    { "PRAGMA synchronous=off", TN_E_STATE },
    { "PRAGMA temp_store=memory", TN_E_STATE },
  };
  struct session s;
  size_t i;

  session_open(&s, NULL, "");
  must(&s, "ATTACH ':memory:' AS x");
  must(&s, "CREATE TEMP TABLE tt(a)");
  must(&s, "BEGIN");
  for (i = 0; i < COUNT(within); i++)
    cr_expect_eq(run(&s, within[i].sql), within[i].category, "case %zu: %s: %s",
                 i, within[i].sql, s.fake.err.message);
  must(&s, "CREATE TABLE x.t(a)");
  cr_expect_eq(run(&s, "DETACH x"), TN_E_STATE, "%s", s.fake.err.message);
  must(&s, "ROLLBACK");
  session_close(&s);
}

Test(errors, a_vacuum_beside_an_open_result_is_a_matter_of_state)
{
  struct running running;
  struct session s;

  session_open(&s, NULL, "");
  must(&s, "CREATE TABLE t(a)");
  must(&s, "INSERT INTO t VALUES (1),(2)");
  cr_assert_eq(start(&s, "SELECT a FROM t", NULL, 0, &running), TN_OK);
  cr_expect_eq(run(&s, "VACUUM"), TN_E_STATE, "%s", s.fake.err.message);
  cr_expect_eq(run(&s, "DROP TABLE t"), TN_E_BUSY, "%s", s.fake.err.message);
  finish(&s, &running);
  must(&s, "DROP TABLE t");
  must(&s, "VACUUM");
  session_close(&s);
}

Test(errors, limits_of_the_parser_are_limits)
{
  struct session s;
  char *sql = malloc(1 << 20);
  size_t used, i;

  session_open(&s, NULL, "");
  used = (size_t)sprintf(sql, "SELECT 1");
  for (i = 0; i < 1100; i++)
    used += (size_t)sprintf(sql + used, "+1");
  cr_expect_eq(run(&s, sql), TN_E_LIMIT, "%s", s.fake.err.message);
  used = (size_t)sprintf(sql, "SELECT 1");
  for (i = 0; i < 2100; i++)
    used += (size_t)sprintf(sql + used, ",1");
  cr_expect_eq(run(&s, sql), TN_E_LIMIT, "%s", s.fake.err.message);
  used = (size_t)sprintf(sql, "SELECT 1");
  for (i = 0; i < 600; i++)
    used += (size_t)sprintf(sql + used, " UNION SELECT 1");
  cr_expect_eq(run(&s, sql), TN_E_LIMIT, "%s", s.fake.err.message);
  used = (size_t)sprintf(sql, "SELECT ");
  for (i = 0; i < 200; i++)
    used += (size_t)sprintf(sql + used, "(");
  cr_expect_eq(run(&s, sql), TN_E_LIMIT, "%s", s.fake.err.message);
  used = (size_t)sprintf(sql, "SELECT 'x' LIKE '");
  for (i = 0; i < 50001; i++)
    sql[used++] = '%';
  sprintf(sql + used, "'");
  cr_expect_eq(run(&s, sql), TN_E_LIMIT, "%s", s.fake.err.message);
  used = (size_t)sprintf(sql, "SELECT 1 FROM sqlite_master");
  for (i = 0; i < 70; i++)
    used += (size_t)sprintf(sql + used, ",sqlite_master");
  cr_expect_eq(run(&s, sql), TN_E_LIMIT, "%s", s.fake.err.message);
  free(sql);
  session_close(&s);
}

Test(errors, the_position_counts_characters)
{
  static const struct {
    const char *sql;
    int32_t position;
  } positions[] = {
    { "SELECT nope", 8 },
    { "SELEC 1", 1 },
    { "SELECT '\xc3\xa4\xe2\x82\xac', nope", 14 },
    { "SELECT * FROM nope", 0 }, /* SQLite does not say */
  };
  struct session s;
  size_t i;

  session_open(&s, NULL, "");
  for (i = 0; i < COUNT(positions); i++) {
    run(&s, positions[i].sql);
    cr_expect_eq(s.fake.err.position, positions[i].position, "case %zu: %s: %d",
                 i, positions[i].sql, s.fake.err.position);
  }
  session_close(&s);
}

Test(errors, every_code_of_the_library_has_a_row)
{
  struct session s;
  uint64_t i, j;
  int code, known = 0;

  session_init(&s);
  for (i = 0; i < s.dialect->error_count; i++) {
    const struct tn_error_row *row = &s.dialect->errors[i];

    cr_expect(row->native > 0 && row->category > 0 &&
                  row->category < TN_CODE_COUNT,
              "row %d", (int)i);
    cr_expect_not_null(row->name, "row %d", (int)i);
    cr_expect_eq(strncmp(row->name, "SQLITE_", 7), 0, "row %d", (int)i);
    for (j = 0; j < i; j++)
      cr_expect_neq(s.dialect->errors[j].native, row->native, "rows %d and %d",
                    (int)j, (int)i);
  }
  for (code = 1; code <= SQLITE_WARNING; code++)
    for (i = 0; i < s.dialect->error_count; i++)
      known += s.dialect->errors[i].native == code;
  cr_expect_eq(known, SQLITE_WARNING);
}

Test(errors, a_full_disk_ends_the_transaction_and_is_said_so)
{
  struct session s;

  session_open(&s, NULL, "");
  must(&s, "CREATE TABLE t(a)");
  must(&s, "PRAGMA max_page_count=20");
  cr_expect_eq(run(&s, "INSERT INTO t VALUES (zeroblob(200000))"), TN_E_IO);
  cr_expect_eq(s.fake.err.connection, TN_CONNECTION_USABLE);
  cr_expect_eq(s.fake.err.replay, TN_REPLAY_NEVER);
  cr_expect_not_null(strstr(s.fake.err.message, "full"));
  must(&s, "BEGIN");
  must(&s, "INSERT INTO t VALUES (1)");
  cr_expect_eq(run(&s, "INSERT INTO t VALUES (zeroblob(200000))"), TN_E_IO);
  if (s.txn->state(s.handle) == TN_TXN_ABORTED) {
    cr_expect_eq(s.fake.err.connection, TN_CONNECTION_ABORTED);
    cr_expect_eq(run(&s, "SELECT 1"), TN_E_STATE);
  }
  cr_expect_eq(s.txn->rollback(s.handle, &s.fake.call), TN_OK);
  cr_expect_eq(number_of(&s, "SELECT count(*) FROM t"), 0);
  session_close(&s);
}

Test(errors, a_file_that_may_grow_no_further_is_a_full_disk)
{
  struct rlimit limit = { 40960, 40960 };
  struct folder folder = folder_new();
  struct session s;
  char path[256];

  signal(SIGXFSZ, SIG_IGN);
  session_open(&s, path_in(&folder, "x.db", path), "");
  must(&s, "CREATE TABLE t(a)");
  cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
  must(&s, "BEGIN");
  must(&s, "INSERT INTO t VALUES (1)");
  run(&s, "INSERT INTO t VALUES (zeroblob(20000000))");
  cr_expect(s.fake.err.code == TN_E_IO || s.fake.err.code == TN_E_UNCERTAIN,
            "%s", s.fake.err.message);
  cr_expect_eq(s.txn->state(s.handle), TN_TXN_ABORTED);
  cr_expect_eq(s.txn->rollback(s.handle, &s.fake.call), TN_OK, "%s",
               s.fake.err.message);
  session_close(&s);
  folder_free(&folder);
}

Test(errors, a_damaged_file_is_said_to_be_one)
{
  struct folder folder = folder_new();
  struct session s;
  char path[256], page[4096];
  FILE *file;

  session_open(&s, path_in(&folder, "x.db", path), "");
  must(&s, "CREATE TABLE t(a)");
  must(&s, "INSERT INTO t VALUES (1)");
  session_close(&s);
  memset(page, 0x5a, sizeof page);
  file = fopen(path, "r+");
  fseek(file, 4096, SEEK_SET);
  fwrite(page, sizeof page, 1, file);
  fclose(file);
  session_open(&s, path, "");
  cr_expect_eq(run(&s, "SELECT * FROM t"), TN_E_IO);
  cr_expect_eq(s.fake.err.native & 0xff, SQLITE_CORRUPT);
  cr_expect_eq(s.fake.err.replay, TN_REPLAY_NEVER);
  session_close(&s);
  folder_free(&folder);
}
