/* Values there and back, through a server. What every backend owes is in the
 * conformance suite; here are MySQL's own types, thousands of random values of
 * each kind, and lengths around those at which buffers grow. */
#include "server.h"

struct column_case {
  const char *type;  /* of the column */
  const char *value; /* as SQL */
  uint32_t shown;    /* type of the column */
  const char *name;
  uint32_t cell; /* type of the cell */
  const char *printed;
};

static const struct column_case column_cases[] = {
  { "BOOLEAN", "TRUE", TN_BOOL, "tinyint(1)", TN_BOOL, "true" },
  { "BOOLEAN", "-7", TN_BOOL, "tinyint(1)", TN_INT64, "-7" },
  { "TINYINT", "-128", TN_INT64, "tinyint", TN_INT64, "-128" },
  { "TINYINT UNSIGNED", "255", TN_UINT64, "tinyint unsigned", TN_UINT64,
    "255" },
  { "SMALLINT", "-32768", TN_INT64, "smallint", TN_INT64, "-32768" },
  { "MEDIUMINT", "-8388608", TN_INT64, "mediumint", TN_INT64, "-8388608" },
  { "MEDIUMINT UNSIGNED", "16777215", TN_UINT64, "mediumint unsigned",
    TN_UINT64, "16777215" },
  { "INT", "-2147483648", TN_INT64, "int", TN_INT64, "-2147483648" },
  { "INT(8) ZEROFILL", "42", TN_UINT64, "int unsigned", TN_UINT64, "42" },
  { "BIGINT", "-9223372036854775808", TN_INT64, "bigint", TN_INT64,
    "-9223372036854775808" },
  { "BIGINT UNSIGNED", "18446744073709551615", TN_UINT64, "bigint unsigned",
    TN_UINT64, "18446744073709551615" },
  { "YEAR", "2155", TN_INT64, "year", TN_INT64, "2155" },
  { "YEAR", "0", TN_INT64, "year", TN_INT64, "0" },
  { "FLOAT", "0.1", TN_DOUBLE, "float", TN_DOUBLE, "0.10000000149011612" },
  { "DOUBLE", "0.1", TN_DOUBLE, "double", TN_DOUBLE, "0.1" },
  { "DECIMAL(10,2)", "-12.5", TN_DECIMAL, "decimal", TN_DECIMAL, "-12.50" },
  { "BIT(1)", "1", TN_UINT64, "bit", TN_UINT64, "1" },
  { "BIT(64)", "18446744073709551615", TN_UINT64, "bit", TN_UINT64,
    "18446744073709551615" },
  { "BIT(10)", "513", TN_UINT64, "bit", TN_UINT64, "513" },
  { "DATE", "'2024-02-29'", TN_DATE, "date", TN_DATE, "2024-02-29" },
  { "DATE", "'0000-00-00'", TN_DATE, "date", TN_OTHER, "0000-00-00" },
  { "DATE", "'2024-00-10'", TN_DATE, "date", TN_OTHER, "2024-00-10" },
  { "TIME(6)", "'23:59:59.999999'", TN_TIME, "time", TN_TIME,
    "23:59:59.999999" },
  { "TIME", "'-838:59:59'", TN_TIME, "time", TN_OTHER, "-838:59:59" },
  { "TIME(2)", "'24:00:00.25'", TN_TIME, "time", TN_OTHER, "24:00:00.25" },
  { "DATETIME(6)", "'9999-12-31 23:59:59.999999'", TN_TIMESTAMP, "datetime",
    TN_TIMESTAMP, "9999-12-31 23:59:59.999999" },
  { "DATETIME", "'0000-00-00 00:00:00'", TN_TIMESTAMP, "datetime", TN_OTHER,
    "0000-00-00 00:00:00" },
  { "TIMESTAMP(3) NULL", "'2023-11-14 22:13:20.125'", TN_TIMESTAMP, "timestamp",
    TN_TIMESTAMP, "2023-11-14 22:13:20.125+00:00" },
  { "TIMESTAMP NULL", "'0000-00-00 00:00:00'", TN_TIMESTAMP, "timestamp",
    TN_OTHER, "0000-00-00 00:00:00" },
  { "CHAR(4)", "'ab'", TN_TEXT, "char", TN_TEXT, "ab" },
  { "VARCHAR(10) CHARACTER SET latin1", "'\xc3\xa9'", TN_TEXT, "varchar",
    TN_TEXT, "\xc3\xa9" },
  { "VARCHAR(10) COLLATE utf8mb4_bin", "'a'", TN_TEXT, "varchar", TN_TEXT,
    "a" },
  { "TINYTEXT", "'a'", TN_TEXT, "tinytext", TN_TEXT, "a" },
  { "TEXT", "''", TN_TEXT, "text", TN_TEXT, "" },
  { "MEDIUMTEXT", "'a'", TN_TEXT, "mediumtext", TN_TEXT, "a" },
  { "LONGTEXT", "'a'", TN_TEXT, "longtext", TN_TEXT, "a" },
  { "BINARY(3)", "X'00FF'", TN_BLOB, "binary", TN_BLOB, "00ff00" },
  { "VARBINARY(9)", "X'00FF'", TN_BLOB, "varbinary", TN_BLOB, "00ff" },
  { "TINYBLOB", "X'FF'", TN_BLOB, "tinyblob", TN_BLOB, "ff" },
  { "BLOB", "''", TN_BLOB, "blob", TN_BLOB, "" },
  { "MEDIUMBLOB", "X'FF'", TN_BLOB, "mediumblob", TN_BLOB, "ff" },
  { "LONGBLOB", "X'FF'", TN_BLOB, "longblob", TN_BLOB, "ff" },
  { "ENUM('one','two')", "'two'", TN_TEXT, "enum", TN_TEXT, "two" },
  { "SET('x','y','z')", "'x,z'", TN_TEXT, "set", TN_TEXT, "x,z" },
  { "JSON", "'{\"a\": 1}'", TN_JSON, "json", TN_JSON, "{\"a\": 1}" },
};

/* All that is only MariaDB's. */
static const struct column_case mariadb_cases[] = {
  { "UUID", "'12345678-9abc-1ef0-8011-223344556677'", TN_UUID, "uuid", TN_UUID,
    "12345678-9abc-1ef0-8011-223344556677" },
  { "INET4", "'127.0.0.1'", TN_OTHER, "inet4", TN_OTHER, "127.0.0.1" },
  { "INET6", "'::1'", TN_OTHER, "inet6", TN_OTHER, "::1" },
};

static void
check_column(struct session *s, const struct column_case *c)
{
  const struct tn_column *shown;
  struct running running;
  tn_value cells[1];
  char sql[256], printed[64];
  uint32_t count = 0;

  run(s, "DROP TABLE IF EXISTS tn_types");
  snprintf(sql, sizeof sql, "CREATE TABLE tn_types (v %s)", c->type);
  run(s, sql);
  snprintf(sql, sizeof sql, "INSERT INTO tn_types VALUES (%s)", c->value);
  run(s, sql);
  cr_assert_eq(start(s, "SELECT v FROM tn_types", NULL, 0, &running), TN_OK,
               "%s: %s", c->type, s->fake.err.message);
  shown = columns(s, &running, &count);
  cr_assert_eq(count, 1);
  cr_expect_eq(shown->type, c->shown, "%s: %u", c->type, (unsigned)shown->type);
  cr_expect_str_eq(shown->type_name, c->name, "%s", c->type);
  cr_assert_eq(next(s, &running, cells), 1, "%s", c->type);
  tn_value_print(&cells[0], printed, sizeof printed);
  cr_expect_eq(cells[0].type, c->cell, "%s: %u", c->type,
               (unsigned)cells[0].type);
  cr_expect_str_eq(printed, c->printed, "%s", c->type);
  stop(s, &running);
}

Test(values, columns_of_mysqls_types_are_what_they_are_called)
{
  struct session s;
  size_t i;

  session_open(&s);
  run(&s, "SET SESSION sql_mode = 'ALLOW_INVALID_DATES'");
  for (i = 0; i < COUNT(column_cases); i++)
    check_column(&s, &column_cases[i]);
  if (((struct mysql__conn *)s.handle)->is_mariadb)
    for (i = 0; i < COUNT(mariadb_cases); i++)
      check_column(&s, &mariadb_cases[i]);
  run(&s, "DROP TABLE tn_types");
  session_close(&s);
}

Test(values, a_point_is_a_geometry_of_its_name)
{
  struct session s;
  struct running running;
  tn_value cells[1];

  session_open(&s);
  run(&s, "CREATE TEMPORARY TABLE tn_points (p POINT)");
  run(&s, "INSERT INTO tn_points VALUES (POINT(1, 2))");
  cr_assert_eq(start(&s, "SELECT p FROM tn_points", NULL, 0, &running), TN_OK);
  cr_assert_eq(next(&s, &running, cells), 1);
  cr_expect_eq(cells[0].type, TN_OTHER);
  cr_expect_eq(cells[0].as.bytes.size, 25);
  if (((struct mysql__conn *)s.handle)->is_mariadb)
    cr_expect_str_eq(cells[0].more.type_name, "point");
  stop(&s, &running);
  session_close(&s);
}

/* ---- random values ---- */

static uint64_t state;

static uint64_t
draw(void)
{
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

static char bytes[100000];

static tn_value
draw_double(void)
{
  double real;

  do {
    uint64_t bits = draw();

    memcpy(&real, &bits, sizeof real);
  } while (real - real != 0);
  return tn_double(real);
}

static tn_value
draw_decimal(void)
{
  size_t size = 0, whole = draw() % 36, fraction = draw() % 31, i;

  if (draw() % 2 != 0)
    bytes[size++] = '-';
  for (i = 0; i < whole; i++)
    bytes[size++] = (char)('0' + draw() % 10);
  if (whole == 0)
    bytes[size++] = '0';
  for (i = 0; i < fraction; i++) {
    if (i == 0)
      bytes[size++] = '.';
    bytes[size++] = (char)('0' + draw() % 10);
  }
  return tn_bytes(TN_DECIMAL, bytes, size);
}

static size_t
draw_size(size_t most)
{
  return draw() % 20 == 0 ? draw() % most : draw() % 60;
}

static size_t
put_character(char *at, uint32_t code)
{
  if (code < 0x80) {
    at[0] = (char)code;
    return 1;
  }
  if (code < 0x800) {
    at[0] = (char)(0xc0 | code >> 6);
    at[1] = (char)(0x80 | (code & 63));
    return 2;
  }
  if (code < 0x10000) {
    at[0] = (char)(0xe0 | code >> 12);
    at[1] = (char)(0x80 | (code >> 6 & 63));
    at[2] = (char)(0x80 | (code & 63));
    return 3;
  }
  at[0] = (char)(0xf0 | code >> 18);
  at[1] = (char)(0x80 | (code >> 12 & 63));
  at[2] = (char)(0x80 | (code >> 6 & 63));
  at[3] = (char)(0x80 | (code & 63));
  return 4;
}

static tn_value
draw_text(void)
{
  size_t size = 0, count = draw_size(20000), i;

  for (i = 0; i < count; i++) {
    uint32_t code = (uint32_t)(draw() % (draw() % 4 == 0 ? 0x110000 : 128));

    size += put_character(bytes + size,
                          code >= 0xd800 && code < 0xe000 ? '?' : code);
  }
  return tn_bytes(TN_TEXT, bytes, size);
}

static tn_value
draw_blob(void)
{
  size_t size = draw_size(sizeof bytes), i;

  for (i = 0; i < size; i++)
    bytes[i] = (char)draw();
  return tn_bytes(TN_BLOB, bytes, size);
}

static tn_value
draw_uuid(void)
{
  uint8_t uuid[16];
  size_t i;

  for (i = 0; i < 16; i++)
    uuid[i] = (uint8_t)draw();

  /* MariaDB has no others: versions 1 to 7 of RFC 9562. */
  uuid[6] = (uint8_t)((uuid[6] & 15) | (1 + draw() % 7) << 4);
  uuid[8] = (uint8_t)(0x80 | (uuid[8] & 63));
  return tn_uuid(uuid);
}

static tn_value
draw_bool(void)
{
  return tn_bool((int)(draw() % 2));
}

static tn_value
draw_int(void)
{
  return tn_int64((int64_t)draw() >> draw() % 64);
}

static tn_value
draw_unsigned(void)
{
  return tn_uint64(draw() >> draw() % 64);
}

static tn_value
draw_date(void)
{
  uint64_t days = (uint64_t)(TN_DAYS_MAX - TN_DAYS_MIN + 1);

  return tn_date(TN_DAYS_MIN + (int64_t)(draw() % days));
}

static tn_value
draw_time(void)
{
  return tn_time((int64_t)(draw() % (uint64_t)TN_DAY_MICROS));
}

static tn_value
draw_timestamp(void)
{
  uint64_t micros = (uint64_t)(TN_MICROS_MAX - TN_MICROS_MIN) + 1;

  return tn_timestamp(TN_MICROS_MIN + (int64_t)(draw() % micros));
}

/* TIMESTAMP ends in January 2038 on MySQL and most of MariaDB. */
static tn_value
draw_moment(void)
{
  return tn_timestamp_zoned((int64_t)(1000000 + draw() % 2147483000000000),
                            (int32_t)(draw() % 50000) - 25000);
}

static tn_value
draw_json(void)
{
  return tn_json("{\"a\": [1, 2.5, null, \"\xe2\x82\xac\"]}");
}

static const struct kind {
  const char *type;
  tn_value (*draw)(void);
  uint32_t echoed; /* type that SELECT ? gives; 0: the value's */
} kinds[] = {
  { "BOOLEAN", draw_bool, TN_INT64 },
  { "BIGINT", draw_int, 0 },
  { "BIGINT UNSIGNED", draw_unsigned, 0 },
  { "DOUBLE", draw_double, 0 },
  { "DECIMAL(65,30)", draw_decimal, 0 },
  { "LONGTEXT", draw_text, 0 },
  { "LONGBLOB", draw_blob, 0 },
  { "DATE", draw_date, 0 },
  { "TIME(6)", draw_time, 0 },
  { "DATETIME(6)", draw_timestamp, 0 },
  { "TIMESTAMP(6) NULL", draw_moment, 0 },
  { "CHAR(36)", draw_uuid, TN_TEXT },
  { "JSON", draw_json, TN_TEXT },
};

#define ROUNDS 5000

/* Not in a column; so most types come back as they were sent. */
Test(values, what_is_selected_is_what_was_bound)
{
  struct session s;
  struct tn_statement_info info = { .size = sizeof info };
  void *statement = NULL;
  int round;

  state = 88172645463325252;
  session_open(&s);
  cr_assert_eq(mysql__statement_table.prepare(s.handle, "SELECT ? AS n", 13,
                                              &s.fake.call, &statement, &info),
               TN_OK);
  for (round = 0; round < ROUNDS; round++) {
    const struct kind *kind = &kinds[draw() % COUNT(kinds)];
    tn_value value = draw() % 10 == 0 ? tn_null() : kind->draw();
    tn_value cells[1];
    void *result = NULL;
    char sent[100], got[100];

    cr_assert_eq(mysql__statement_table.execute(statement, &value, 1,
                                                &s.fake.call, &result),
                 TN_OK, "%s", s.fake.err.message);
    cr_assert_eq(mysql__result_table.fetch(result, cells, &s.fake.call), 1);
    tn_value_print(&value, sent, sizeof sent);
    tn_value_print(&cells[0], got, sizeof got);
    if (value.type != TN_NULL && kind->echoed == TN_INT64)
      value.type = TN_INT64;
    if (value.type != TN_NULL && kind->echoed == TN_TEXT)
      cr_assert_str_eq(got, sent, "round %d: %s", round, kind->type);
    else
      cr_assert(tn_value_equal(&value, &cells[0]), "round %d: %s: %s, not %s",
                round, kind->type, got, sent);
    mysql__result_table.close(result, &s.fake.call);
  }
  mysql__statement_table.close(statement, &s.fake.call);
  session_close(&s);
}

/* A table with a column of each kind. */
static void
create_kinds(struct session *s)
{
  char sql[1000] = "CREATE TEMPORARY TABLE tn_kinds (id INT PRIMARY KEY";
  size_t i;

  for (i = 0; i < COUNT(kinds); i++)
    snprintf(sql + strlen(sql), sizeof sql - strlen(sql), ", c%zu %s", i,
             kinds[i].type);
  strcat(sql, ")");
  run(s, sql);
}

static const char *
insert_kinds(void)
{
  static char sql[200] = "INSERT INTO tn_kinds VALUES (?";
  size_t i;

  for (i = 0; i < COUNT(kinds) && strchr(sql, ')') == NULL; i++)
    strcat(sql, ", ?");
  if (strchr(sql, ')') == NULL)
    strcat(sql, ")");
  return sql;
}

#define KIND_ROWS 300

/* Row by row, each with its id; the caller clears them. */
static void
draw_rows(tn_value *rows)
{
  size_t width = COUNT(kinds) + 1, row, i;

  for (row = 0; row < KIND_ROWS; row++) {
    rows[row * width] = tn_int64((int64_t)row);
    for (i = 0; i < COUNT(kinds); i++) {
      tn_value value = draw() % 8 == 0 ? tn_null() : kinds[i].draw();

      cr_assert_eq(tn_value_copy(&value, &rows[row * width + 1 + i], NULL),
                   TN_OK);
    }
  }
}

static void
compare_rows(struct session *s, const tn_value *rows)
{
  size_t width = COUNT(kinds) + 1, row, i;
  tn_value cells[COUNT(kinds) + 1];
  struct running running;

  cr_assert_eq(
      start(s, "SELECT * FROM tn_kinds ORDER BY id", NULL, 0, &running), TN_OK);
  for (row = 0; row < KIND_ROWS; row++) {
    cr_assert_eq(next(s, &running, cells), 1, "row %zu", row);
    for (i = 1; i < width; i++) {
      const tn_value *sent = &rows[row * width + i];
      char text[48];

      if (sent->type == TN_UUID && cells[i].type == TN_TEXT) {
        tn_value_print(sent, text, sizeof text);
        cr_assert_eq(memcmp(text, cells[i].as.bytes.data, 36), 0);
      } else {
        cr_assert(tn_value_equal(sent, &cells[i]), "row %zu: %s", row,
                  kinds[i - 1].type);
      }
    }
  }
  cr_expect_eq(next(s, &running, cells), 0);
  stop(s, &running);
}

static tn_value kept_rows[KIND_ROWS * (COUNT(kinds) + 1)];

static void
clear_rows(void)
{
  size_t i;

  for (i = 0; i < COUNT(kept_rows); i++)
    tn_value_clear(&kept_rows[i]);
}

Test(values, rows_of_every_kind_come_back_one_by_one)
{
  struct session s;
  struct tn_statement_info info = { .size = sizeof info };
  size_t width = COUNT(kinds) + 1, row;
  void *statement = NULL;

  state = 1;
  session_open(&s);
  create_kinds(&s);
  draw_rows(kept_rows);
  cr_assert_eq(mysql__statement_table.prepare(s.handle, insert_kinds(),
                                              strlen(insert_kinds()),
                                              &s.fake.call, &statement, &info),
               TN_OK);
  cr_assert_eq(info.parameter_count, width);
  for (row = 0; row < KIND_ROWS; row++) {
    void *result = NULL;

    cr_assert_eq(
        mysql__statement_table.execute(statement, kept_rows + row * width,
                                       (uint32_t)width, &s.fake.call, &result),
        TN_OK, "row %zu: %s", row, s.fake.err.message);
    mysql__result_table.close(result, &s.fake.call);
  }
  mysql__statement_table.close(statement, &s.fake.call);
  compare_rows(&s, kept_rows);
  clear_rows();
  session_close(&s);
}

Test(values, rows_of_every_kind_come_back_from_a_batch)
{
  struct session s;
  struct tn_statement_info info = { .size = sizeof info };
  struct tn_result_info result_info = { .size = sizeof result_info };
  void *statement = NULL, *result = NULL;

  state = 2;
  session_open(&s);
  create_kinds(&s);
  draw_rows(kept_rows);
  cr_assert_eq(mysql__statement_table.prepare(s.handle, insert_kinds(),
                                              strlen(insert_kinds()),
                                              &s.fake.call, &statement, &info),
               TN_OK);
  cr_assert_eq(mysql__statement_table.execute_batch(
                   statement, kept_rows, (uint32_t)COUNT(kinds) + 1, KIND_ROWS,
                   &s.fake.call, &result),
               TN_OK, "%s", s.fake.err.message);
  cr_assert_eq(mysql__result_table.info(result, &result_info), TN_OK);
  cr_expect_eq(result_info.affected, KIND_ROWS);
  mysql__result_table.close(result, &s.fake.call);
  mysql__statement_table.close(statement, &s.fake.call);
  compare_rows(&s, kept_rows);
  clear_rows();
  session_close(&s);
}

/* ---- lengths ---- */

/* Two columns, so that both grow in one row, and one after the other. */
Test(values, lengths_around_those_at_which_buffers_grow)
{
  static const size_t lengths[] = { 0,    1,     255,   256,   257,
                                    1024, 1025,  65535, 65536, 65537,
                                    3,    70000, 1,     200000 };
  struct session s;
  struct running running;
  tn_value cells[2];
  size_t i, at;
  char *long_bytes = malloc(200000);

  cr_assert_not_null(long_bytes);
  for (i = 0; i < 200000; i++)
    long_bytes[i] = (char)('a' + i * 7 % 26);
  session_open(&s);
  run(&s, "CREATE TEMPORARY TABLE tn_long (id INT AUTO_INCREMENT PRIMARY KEY, "
          "a LONGTEXT, b LONGBLOB)");
  for (i = 0; i < COUNT(lengths); i++) {
    const tn_value values[2] = {
      tn_bytes(TN_TEXT, long_bytes, lengths[i]),
      tn_bytes(TN_BLOB, long_bytes, lengths[COUNT(lengths) - 1 - i]),
    };

    cr_assert_eq(start(&s, "INSERT INTO tn_long (a, b) VALUES (?, ?)", values,
                       2, &running),
                 TN_OK);
    stop(&s, &running);
  }
  cr_assert_eq(
      start(&s, "SELECT a, b FROM tn_long ORDER BY id", NULL, 0, &running),
      TN_OK);
  for (i = 0; i < COUNT(lengths); i++) {
    cr_assert_eq(next(&s, &running, cells), 1);
    at = lengths[COUNT(lengths) - 1 - i];
    cr_expect_eq(cells[0].type, TN_TEXT);
    cr_expect_eq(cells[1].type, TN_BLOB);
    cr_assert_eq(cells[0].as.bytes.size, lengths[i], "row %zu", i);
    cr_assert_eq(cells[1].as.bytes.size, at, "row %zu", i);
    cr_expect_eq(memcmp(cells[0].as.bytes.data, long_bytes, lengths[i]), 0);
    cr_expect_eq(memcmp(cells[1].as.bytes.data, long_bytes, at), 0);
  }
  cr_expect_eq(next(&s, &running, cells), 0);
  stop(&s, &running);
  session_close(&s);
  free(long_bytes);
}

/* What one row needs is not kept by a statement that lives long. */
Test(values, a_large_buffer_is_given_back_with_the_result)
{
  struct session s;
  struct running running;
  const struct mysql__statement *statement;
  tn_value cells[1];

  session_open(&s);
  cr_assert_eq(start(&s, "SELECT REPEAT('x', 3000000) AS v", NULL, 0, &running),
               TN_OK);
  statement = running.statement;
  cr_assert_eq(next(&s, &running, cells), 1);
  cr_expect_eq(cells[0].as.bytes.size, 3000000);
  cr_expect_geq(statement->reader.cells[0].capacity, 3000000);
  mysql__result_table.close(running.result, &s.fake.call);
  cr_expect_leq(statement->reader.cells[0].capacity, 65536);
  cr_assert_eq(mysql__statement_table.execute(running.statement, NULL, 0,
                                              &s.fake.call, &running.result),
               TN_OK);
  cr_assert_eq(next(&s, &running, cells), 1);
  cr_expect_eq(cells[0].as.bytes.size, 3000000);
  cr_expect_eq(cells[0].as.bytes.data[2999999], 'x');
  stop(&s, &running);
  session_close(&s);
}

/* A statement that is prepared once, while the table becomes another. */
Test(values, a_table_that_changes_is_read_as_it_is_now)
{
  static const char sql[] = "SELECT * FROM tn_changing";
  struct session s;
  struct tn_statement_info info = { .size = sizeof info };
  const struct tn_column *list = NULL;
  void *statement = NULL, *result = NULL;
  tn_value cells[2];
  uint32_t count = 0;

  session_open(&s);
  run(&s, "CREATE OR REPLACE TABLE tn_changing (v INT)");
  run(&s, "INSERT INTO tn_changing VALUES (7)");
  cr_assert_eq(mysql__statement_table.prepare(s.handle, sql, strlen(sql),
                                              &s.fake.call, &statement, &info),
               TN_OK);
  cr_assert_eq(
      mysql__statement_table.execute(statement, NULL, 0, &s.fake.call, &result),
      TN_OK);
  cr_assert_eq(mysql__result_table.fetch(result, cells, &s.fake.call), 1);
  cr_expect_eq(cells[0].type, TN_INT64);
  mysql__result_table.close(result, &s.fake.call);

  run(&s, "ALTER TABLE tn_changing MODIFY v VARCHAR(20)");
  cr_assert_eq(
      mysql__statement_table.execute(statement, NULL, 0, &s.fake.call, &result),
      TN_OK, "%s", s.fake.err.message);
  cr_assert_eq(mysql__result_table.columns(result, &s.fake.call, &list, &count),
               TN_OK);
  cr_expect_str_eq(list[0].type_name, "varchar");
  cr_assert_eq(mysql__result_table.fetch(result, cells, &s.fake.call), 1);
  cr_expect_eq(cells[0].type, TN_TEXT);
  cr_expect_eq(cells[0].as.bytes.data[0], '7');
  mysql__result_table.close(result, &s.fake.call);
  mysql__statement_table.close(statement, &s.fake.call);
  run(&s, "DROP TABLE tn_changing");
  session_close(&s);
}
