/* Bulk loads on a real server: in binary and in text, what is refused here and
 * what the server refuses, and what is left of a load that was given up. */
#include "oom.h"
#include "server.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int32_t
try_sql(struct session *s, const char *sql)
{
  fake_call_again(&s->fake, 0);
  pg__enter(s->handle, &s->fake.call);
  return pg__exec(s->handle, sql, PG__WRITE, NULL, 0);
}

static void
run(struct session *s, const char *sql)
{
  cr_assert_eq(try_sql(s, sql), TN_OK, "%s: %s", sql, s->fake.err.message);
}

/* The first cell as text; in a buffer of the caller's. */
static const char *
text_of(struct session *s, const char *sql, char *out, size_t size)
{
  PGresult *rows = NULL;

  fake_call_again(&s->fake, 0);
  pg__enter(s->handle, &s->fake.call);
  cr_assert_eq(pg__query(s->handle, sql, NULL, 0, &rows), TN_OK, "%s: %s", sql,
               s->fake.err.message);
  snprintf(out, size, "%s", PQgetvalue(rows, 0, 0));
  PQclear(rows);
  return out;
}

static int
number_of(struct session *s, const char *sql)
{
  char text[32];

  return atoi(text_of(s, sql, text, sizeof text));
}

/* ------------------------------------------------------------------ */

/* What is loaded, and how many rows with each write. */
struct load {
  const char *table;
  const char *const *columns;
  uint32_t column_count;
  const tn_value *values;
  uint64_t rows;
  uint64_t step;
};

static int32_t
load_open(struct session *s, const struct load *load, void **ret)
{
  const struct tn_bulk_request request = {
    .size = sizeof request,
    .column_count = load->column_count,
    .table = load->table,
    .columns = load->columns,
  };

  return pg__bulk_table.open(s->handle, &request, &s->fake.call, ret);
}

static int32_t
load_write(struct session *s, const struct load *load, void *bulk)
{
  uint64_t step = load->step == 0 ? load->rows : load->step;
  int32_t rc = TN_OK;
  uint64_t i;

  for (i = 0; rc == TN_OK && i < load->rows; i += step)
    rc = pg__bulk_table.write(bulk, load->values + i * load->column_count,
                              load->rows - i < step ? load->rows - i : step,
                              &s->fake.call);
  return rc;
}

/* The call must be begun. */
static int32_t
load_all(struct session *s, const struct load *load)
{
  uint64_t rows = 0;
  void *bulk = NULL;
  int32_t rc = load_open(s, load, &bulk);

  if (rc != TN_OK)
    return rc;
  rc = load_write(s, load, bulk);
  if (rc == TN_OK) {
    rc = pg__bulk_table.finish(bulk, &s->fake.call, &rows);
    if (rc == TN_OK)
      cr_expect_eq(rows, load->rows);
  }
  pg__bulk_table.close(bulk, &s->fake.call);
  return rc;
}

static void
check_load(struct session *s, const struct load *load)
{
  fake_call_again(&s->fake, 0);
  cr_assert_eq(load_all(s, load), TN_OK, "%s", s->fake.err.message);
}

/* A table of numbers and names, with all that may go wrong in it. */
#define TABLE "\"tn bu\"\"lk, line 7\""

static const char *const two_columns[] = { "i\"d", "name" };

static struct load
two(const tn_value *values, uint64_t rows)
{
  const struct load load = { .table = "tn bu\"lk, line 7",
                             .columns = two_columns,
                             .column_count = 2,
                             .values = values,
                             .rows = rows };

  return load;
}

static void
make_table(struct session *s)
{
  run(s, "SET client_min_messages = error; DROP TABLE IF EXISTS " TABLE ";"
         "CREATE TABLE " TABLE " (\"i\"\"d\" integer PRIMARY KEY, name text, "
         "CONSTRAINT tn_small CHECK (\"i\"\"d\" < 1000000))");
}

static void
drop_table(struct session *s)
{
  run(s, "DROP TABLE " TABLE);
  session_close(s);
}

static int
count_rows(struct session *s)
{
  return number_of(s, "SELECT count(*) FROM " TABLE);
}

/* ------------------------------------------------------------------ */

Test(bulk, a_load_in_binary_holds_every_value)
{
  static const char *const columns[] = {
    "a", "b", "c", "d", "e", "f", "g", "h"
  };
  static const uint8_t uuid[16] = { 1, 2, 3 };
  const tn_value items[] = { tn_int64(1), tn_null() };
  const tn_value values[] = {
    tn_int64(1),
    tn_decimal("1.50"),
    tn_blob("\0\\", 2),
    tn_timestamp_zoned(0, 3600),
    tn_array(TN_INT64, items, 2),
    tn_text("sad"),
    tn_uuid(uuid),
    tn_int64(7),
    /* texts are read as values of the column */
    tn_text("-2"),
    tn_text("1e2"),
    tn_text("\\x"),
    tn_text("2000-01-01T00:00:00Z"),
    tn_null(),
    tn_text("ok"),
    tn_text("12345678-9abc-def0-0011-223344556677"),
    tn_text("8"),
  };
  const struct load load = {
    .table = "tn_all",
    .columns = columns,
    .column_count = 8,
    .values = values,
    .rows = 2,
    .step = 1,
  };
  struct session s;
  char text[512];

  session_open(&s);
  run(&s, "SET client_min_messages = error; DROP TABLE IF EXISTS tn_all; "
          "DROP TYPE IF EXISTS tn_mood; DROP DOMAIN IF EXISTS tn_small; "
          "CREATE TYPE tn_mood AS ENUM ('sad', 'ok'); "
          "CREATE DOMAIN tn_small AS smallint CHECK (VALUE < 100); "
          "CREATE TABLE tn_all (a integer, b numeric, c bytea, d timestamptz, "
          "e integer[], f tn_mood, g uuid, h tn_small)");
  check_load(&s, &load);
  cr_expect_str_eq(
      text_of(&s,
              "SELECT string_agg(t::text, ' ' ORDER BY a DESC) FROM tn_all "
              "AS t",
              text, sizeof text),
      "(1,1.50,\"\\\\x005c\",\"1970-01-01 00:00:00+00\",\"{1,NULL}\",sad,"
      "01020300-0000-0000-0000-000000000000,7) "
      "(-2,100,\"\\\\x5c78\",\"2000-01-01 00:00:00+00\",,ok,"
      "12345678-9abc-def0-0011-223344556677,8)");
  run(&s, "DROP TABLE tn_all; DROP TYPE tn_mood; DROP DOMAIN tn_small");
  session_close(&s);
}

/* A point's binary form is the server's to make. */
Test(bulk, a_load_in_text_holds_every_value)
{
  static const char *const columns[] = { "a", "p", "t", "b", "u", "e", "d" };
  static const uint8_t uuid[16] = { 1, 2, 3 };
  const tn_value items[] = { tn_text("x\ty\\"), tn_null() };
  const tn_value values[] = {
    tn_int64(1),
    tn_text("(1,2)"),
    tn_text("a\tb\\\nc\r\\."),
    tn_text("x\\"),
    tn_blob(uuid, 16),
    tn_array(TN_TEXT, items, 2),
    tn_timestamp(0),
    tn_null(),
    tn_null(),
    tn_text("\\N"),
    tn_uuid(uuid),
    tn_null(),
    tn_array(TN_TEXT, NULL, 0),
    tn_text("infinity"),
  };
  const struct load load = {
    .table = "tn_text",
    .columns = columns,
    .column_count = 7,
    .values = values,
    .rows = 2,
  };
  struct session s;
  char text[512];

  session_open(&s);
  run(&s, "SET client_min_messages = error; DROP TABLE IF EXISTS tn_text; "
          "CREATE TABLE tn_text (a integer, p point, t text, b bytea, u uuid, "
          "e text[], d date)");
  check_load(&s, &load);
  cr_expect_eq(
      number_of(&s, "SELECT count(*) FROM tn_text WHERE a = 1 AND p ~= "
                    "'(1,2)' AND t = E'a\\tb\\\\\\nc\\r\\\\.' AND b = "
                    "'\\x785c' AND u = '01020300-0000-0000-0000-000000000000' "
                    "AND e = ARRAY[E'x\\ty\\\\', NULL] AND d = '1970-01-01'"),
      1, "%s",
      text_of(&s, "SELECT t::text FROM tn_text AS t WHERE a = 1", text,
              sizeof text));
  cr_expect_eq(
      number_of(&s, "SELECT count(*) FROM tn_text WHERE a IS NULL AND p IS "
                    "NULL AND t = '\\N' AND length(b) = 16 AND u IS NULL AND "
                    "e = '{}' AND d = 'infinity'"),
      1);
  run(&s, "DROP TABLE tn_text");
  session_close(&s);
}

/* Whether another column has a binary form alters no value. */
Test(bulk, a_load_in_text_holds_what_one_in_binary_does)
{
  static const char *const columns[] = {
    "t", "ts", "b", "bs", "u", "i", "l", "r", "n", "j", "d", "p",
  };
  static const uint8_t uuid[16] = { 1, 2, 3 };
  const tn_value moments[] = { tn_timestamp(0), tn_date(1) };
  const tn_value bytes[] = { tn_text("\\x4142"), tn_text("\\\\"),
                             tn_uuid(uuid) };
  const tn_value keys[] = { tn_blob(uuid, 16), tn_null() };
  const tn_value values[] = {
    tn_timestamp(0),
    tn_array(TN_TIMESTAMP, moments, 2),
    tn_text("\\x4142"),
    tn_array(TN_TEXT, bytes, 3),
    tn_array(TN_BLOB, keys, 2),
    tn_bool(1),
    tn_double(1e15),
    tn_double(0x1.000001p0), /* halfway between two */
    tn_bool(1),
    tn_uuid(uuid),
    tn_timestamp(0),
    tn_null(),
    tn_date(1),
    tn_array(TN_DATE, moments + 1, 1),
    tn_uuid(uuid),
    tn_array(TN_UUID, bytes + 2, 1),
    tn_null(),
    tn_decimal("1e2"),
    tn_decimal("-1e2"),
    tn_double(-0.1),
    tn_double(1e300),
    tn_date(1),
    tn_date(1),
    tn_null(),
  };
  struct load load = {
    .table = "tn_binary",
    .columns = columns,
    .column_count = 12,
    .values = values,
    .rows = 2,
  };
  struct session s;
  char text[1024];

  session_open(&s);
  run(&s, "SET client_min_messages = error; SET TIME ZONE 2; "
          "DROP TABLE IF EXISTS tn_binary, tn_text; "
          "CREATE TABLE tn_binary (t timestamptz, ts timestamptz[], b bytea, "
          "bs bytea[], u uuid[], i integer, l bigint, r real, n numeric, "
          "j jsonb, d date, p text); "
          "CREATE TABLE tn_text (LIKE tn_binary); "
          "ALTER TABLE tn_text ALTER p TYPE point USING NULL");
  check_load(&s, &load);
  load.table = "tn_text";
  check_load(&s, &load);
  cr_expect_eq(number_of(&s, "SELECT count(*) FROM tn_binary AS x JOIN tn_text "
                             "AS y ON x::text = y::text"),
               2, "%s",
               text_of(&s,
                       "SELECT string_agg(z, E'\\n') FROM (SELECT x::text AS z "
                       "FROM tn_binary AS x UNION ALL SELECT y::text FROM "
                       "tn_text AS y) AS loaded",
                       text, sizeof text));
  run(&s, "DROP TABLE tn_binary, tn_text");
  session_close(&s);
}

Test(bulk, values_longer_than_a_piece_go_through)
{
  enum { LONG = 3 << 20, ROWS = 8 };
  char *text = malloc(LONG);
  tn_value values[2 * ROWS] = { { .type = 0 } };
  struct load load = two(values, ROWS);
  struct session s;
  int i;

  cr_assert_not_null(text);
  memset(text, 'x', LONG);
  for (i = 0; i < ROWS; i++) {
    values[2 * i] = tn_int64(i);
    values[2 * i + 1] = tn_bytes(TN_TEXT, text, LONG);
  }
  session_open(&s);
  make_table(&s);
  check_load(&s, &load);
  cr_expect_eq(number_of(&s, "SELECT sum(length(name)) FROM " TABLE),
               LONG * ROWS);
  free(text);
  drop_table(&s);
}

Test(bulk, what_is_refused_here_names_row_and_column)
{
  static const struct {
    tn_value value;
    int32_t category;
  } cases[] = {
    { { .type = TN_DOUBLE, .as.real = 1.5 }, TN_E_DATA },
    { { .type = TN_INT64, .as.int64 = INT64_C(1) << 40 }, TN_E_DATA },
    { { .type = TN_TEXT, .as.bytes = { "today", 5 } }, TN_E_DATA },
    { { .type = TN_BLOB, .as.bytes = { "1", 1 } }, TN_E_DATA },
  };
  const tn_value nul[] = { tn_int64(1), tn_bytes(TN_TEXT, "a\0b", 3) };
  struct session s;
  size_t i, j;

  session_open(&s);
  make_table(&s);
  for (i = 0; i < COUNT(cases); i++) {
    tn_value values[10];
    struct load load = two(values, 5);

    for (j = 0; j < COUNT(values); j++)
      values[j] = tn_int64((int64_t)j);
    values[6] = cases[i].value;
    load.step = 2;
    fake_call_again(&s.fake, 0);
    cr_expect_eq(load_all(&s, &load), cases[i].category, "case %zu", i);
    cr_expect_eq(s.fake.err.row, 4, "case %zu", i);
    cr_expect_eq(s.fake.err.parameter, 1, "case %zu", i);
    cr_expect_eq(s.fake.err.connection, TN_CONNECTION_USABLE, "case %zu", i);
    cr_expect_eq(count_rows(&s), 0, "case %zu", i);
  }
  {
    const struct load load = two(nul, 1);

    fake_call_again(&s.fake, 0);
    cr_expect_eq(load_all(&s, &load), TN_E_CHARSET);
    cr_expect_eq(s.fake.err.parameter, 2);
  }
  drop_table(&s);
}

Test(bulk, what_the_server_refuses_names_the_row)
{
  const tn_value check[] = { tn_int64(1), tn_null(),         tn_int64(2),
                             tn_null(),   tn_int64(1000000), tn_null(),
                             tn_int64(3), tn_text("behind") };
  const tn_value twice[] = { tn_int64(1), tn_null(), tn_int64(1), tn_null() };
  struct load load = two(check, 4);
  struct session s;

  session_open(&s);
  make_table(&s);
  fake_call_again(&s.fake, 0);
  cr_expect_eq(load_all(&s, &load), TN_E_CHECK, "%s", s.fake.err.message);
  cr_expect_eq(s.fake.err.row, 3);
  cr_expect_str_eq(s.fake.err.constraint, "tn_small");
  load = two(twice, 2);
  fake_call_again(&s.fake, 0);
  cr_expect_eq(load_all(&s, &load), TN_E_DUPLICATE, "%s", s.fake.err.message);
  cr_expect_eq(s.fake.err.row, 2);
  cr_expect_eq(count_rows(&s), 0);
  drop_table(&s);
}

Test(bulk, in_a_transaction_a_failure_aborts_it)
{
  const tn_value good[] = { tn_int64(1), tn_null() };
  const tn_value bad[] = { tn_double(0.5), tn_null() };
  struct load load = two(good, 1);
  struct session s;

  session_open(&s);
  make_table(&s);
  run(&s, "BEGIN");
  check_load(&s, &load);
  load = two(bad, 1);
  fake_call_again(&s.fake, 0);
  cr_expect_eq(load_all(&s, &load), TN_E_DATA);
  cr_expect_eq(s.fake.err.connection, TN_CONNECTION_ABORTED);
  run(&s, "ROLLBACK");
  cr_expect_eq(count_rows(&s), 0);
  drop_table(&s);
}

Test(bulk, what_is_missing_is_told_by_its_name)
{
  static const char *const columns[] = { "i\"d", "nobody" };
  struct load load = two(NULL, 0);
  struct session s;
  void *bulk = NULL;

  session_open(&s);
  make_table(&s);
  load.columns = columns;
  fake_call_again(&s.fake, 0);
  cr_expect_eq(load_open(&s, &load, &bulk), TN_E_NO_COLUMN);
  cr_expect_str_eq(tn_err_column(&s.fake.err, 0), "nobody");
  cr_expect_eq(s.fake.err.parameter, 2);
  load.table = "tn missing";
  fake_call_again(&s.fake, 0);
  cr_expect_eq(load_open(&s, &load, &bulk), TN_E_NO_TABLE);
  cr_expect_str_eq(s.fake.err.table, "tn missing");
  cr_expect_null(bulk);
  cr_expect_eq(count_rows(&s), 0);
  drop_table(&s);
}

Test(bulk, a_load_that_is_not_finished_leaves_nothing)
{
  const tn_value values[] = { tn_int64(1), tn_null() };
  const struct load load = two(values, 1);
  struct session s;
  void *bulk = NULL;
  int round;

  session_open(&s);
  make_table(&s);
  for (round = 0; round < 2; round++) {
    fake_call_again(&s.fake, 0);
    cr_assert_eq(load_open(&s, &load, &bulk), TN_OK);
    if (round > 0)
      cr_expect_eq(load_write(&s, &load, bulk), TN_OK);
    pg__bulk_table.close(bulk, &s.fake.call);
    cr_expect_eq(count_rows(&s), 0);
  }
  drop_table(&s);
}

Test(bulk, after_a_failure_the_load_is_over)
{
  const tn_value values[] = { tn_double(0.5), tn_null() };
  const struct load load = two(values, 1);
  struct session s;
  uint64_t rows = 7;
  void *bulk = NULL;

  session_open(&s);
  make_table(&s);
  fake_call_again(&s.fake, 0);
  cr_assert_eq(load_open(&s, &load, &bulk), TN_OK);
  cr_expect_eq(load_write(&s, &load, bulk), TN_E_DATA);
  cr_expect_eq(load_write(&s, &load, bulk), TN_E_STATE);
  cr_expect_eq(pg__bulk_table.finish(bulk, &s.fake.call, &rows), TN_E_STATE);
  cr_expect_eq(rows, 7);
  pg__bulk_table.close(bulk, &s.fake.call);
  cr_expect_eq(count_rows(&s), 0);
  drop_table(&s);
}

/* Rows enough for many pieces. */
#define MANY 20000

static tn_value many_values[2 * MANY];

static void
make_many(void)
{
  static char text[64];
  size_t i;

  memset(text, 'm', sizeof text);
  for (i = 0; i < MANY; i++) {
    many_values[2 * i] = tn_int64((int64_t)i);
    many_values[2 * i + 1] = tn_bytes(TN_TEXT, text, sizeof text);
  }
}

Test(bulk, a_cancel_or_deadline_ends_it_and_leaves_the_session)
{
  static const int32_t stops[] = { TN_E_CANCELED, TN_E_TIMEOUT };
  struct load load = two(many_values, MANY);
  struct session s;
  size_t i;

  make_many();
  session_open(&s);
  make_table(&s);
  for (i = 0; i < 2 * COUNT(stops); i++) {
    fake_call_again(&s.fake, 0);
    s.fake.stop = stops[i % 2];
    s.fake.stop_after = i < 2 ? 1 : 15;
    cr_expect_eq(load_all(&s, &load), stops[i % 2], "case %zu: %s", i,
                 s.fake.err.message);
    cr_expect_eq(s.fake.err.connection, TN_CONNECTION_USABLE, "case %zu", i);
    cr_expect_eq(count_rows(&s), 0, "case %zu", i);
  }
  check_load(&s, &load);
  cr_expect_eq(count_rows(&s), MANY);
  drop_table(&s);
}

Test(bulk, a_session_that_is_killed_is_lost)
{
  struct load load = two(many_values, MANY);
  struct session s, other;
  char pid[16], sql[96];
  void *bulk = NULL;
  int32_t rc;

  make_many();
  session_open(&s);
  session_open(&other);
  make_table(&s);
  text_of(&s, "SELECT pg_backend_pid()", pid, sizeof pid);
  fake_call_again(&s.fake, 10000);
  cr_assert_eq(load_open(&s, &load, &bulk), TN_OK);
  cr_assert_eq(load_write(&s, &load, bulk), TN_OK);
  snprintf(sql, sizeof sql, "SELECT pg_terminate_backend(%s, 5000)", pid);
  run(&other, sql);
  rc = load_write(&s, &load, bulk);
  if (rc == TN_OK) {
    uint64_t rows;

    rc = pg__bulk_table.finish(bulk, &s.fake.call, &rows);
  }
  cr_expect(rc == TN_E_LOST || rc == TN_E_CANCELED, "%s", s.fake.err.message);
  cr_expect_eq(s.fake.err.connection, TN_CONNECTION_DEAD);
  pg__bulk_table.close(bulk, &s.fake.call);
  session_close(&s);
  cr_expect_eq(count_rows(&other), 0);
  drop_table(&other);
}

Test(bulk, without_memory_it_fails_and_leaks_nothing)
{
  const tn_value values[] = { tn_int64(1), tn_text("a"), tn_int64(2),
                              tn_text("b") };
  struct load load = two(values, 2);
  struct session s;
  long before, nth;

  session_open(&s);
  make_table(&s);
  for (nth = 1;; nth++) {
    int32_t rc;

    fake_call_again(&s.fake, 0);
    oom_fail_nth(nth, false);
    before = oom_live();
    rc = load_all(&s, &load);
    cr_assert_eq(oom_live(), before, "allocation %ld", nth);
    if (oom_count() < nth) {
      cr_expect_eq(rc, TN_OK, "%s", s.fake.err.message);
      break;
    }
    oom_fail_nth(0, false);
    cr_expect_eq(rc, TN_E_MEMORY, "allocation %ld: %s", nth,
                 s.fake.err.message);
    cr_expect_eq(s.fake.err.connection, TN_CONNECTION_USABLE, "allocation %ld",
                 nth);
    cr_expect_eq(count_rows(&s), 0, "allocation %ld", nth);
  }
  cr_expect_gt(nth, 3);
  oom_reset();
  cr_expect_eq(count_rows(&s), 2);
  drop_table(&s);
}
