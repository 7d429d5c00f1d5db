/* Bulk loads: all rows or none, every value as it was. */
#include "suite.h"

#include <math.h>
#include <stdlib.h>

static const char COUNT[] = "SELECT count(*) FROM tn_bulk";

/* Rows of the large load, and of one write of it. */
#define MANY  20000
#define CHUNK 1500

/* The code of the first that fails, of a write of rows and the finish. */
static enum tn_code
write_and_finish(tn_bulk *bulk, const tn_value *values, size_t rows,
                 uint64_t *ret_rows, tn_err *err)
{
  enum tn_code rc = tn_bulk_write(bulk, values, rows, err);

  return rc == TN_OK ? tn_bulk_finish(bulk, ret_rows, err) : rc;
}

/* The same of a whole load, its opening first. */
static enum tn_code
load(tn_conn *conn, const struct tn_bulk_options *options,
     const tn_value *values, size_t rows, tn_err *err)
{
  TN_CLEANUP(tn_bulk_close) tn_bulk *bulk = NULL;
  enum tn_code rc = tn_bulk_open(conn, options, &bulk, err);

  return rc == TN_OK ? write_and_finish(bulk, values, rows, NULL, err) : rc;
}

static void
check_count(struct suite *suite, tn_conn *conn, int64_t wanted)
{
  int64_t count = suite_number(suite, conn, COUNT);

  CHECK(suite, count == wanted, "%lld rows instead of %lld", (long long)count,
        (long long)wanted);
}

/* ------------------------------------------------------------------ */
/* A table of numbers and names                                        */

static const char *const two_columns[] = { "id", "name" };
static const struct tn_bulk_options two = { .table = "tn_bulk",
                                            .columns = two_columns,
                                            .column_count = 2 };

static tn_conn *
open_table(struct suite *suite)
{
  return suite_table(suite, "tn_bulk",
                     "id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(20)");
}

static tn_bulk *
open_bulk(struct suite *suite, tn_conn *conn)
{
  tn_bulk *bulk = NULL;
  tn_err err = TN_ERR_INIT;

  CHECK_CODE(suite, tn_bulk_open(conn, &two, &bulk, &err), TN_OK, &err, "open");
  return bulk;
}

/* Rows of two columns, with these numbers. */
static void
number_rows(tn_value *values, const int64_t *ids, size_t count)
{
  size_t i;

  for (i = 0; i < count; i++) {
    values[2 * i] = tn_int64(ids[i]);
    values[2 * i + 1] = tn_text("x");
  }
}

/* ------------------------------------------------------------------ */
/* Values                                                              */

struct column {
  const char *name;
  const char *type;  /* quirk with the column's type */
  const char *holds; /* quirk that must say "yes", else it is left out */
  tn_value values[8];
};

#define VALUE_ROWS 8

static const uint8_t UUID[16] = { 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc,
                                  0xde, 0xf0, 0x00, 0x11, 0x22, 0x33,
                                  0x44, 0x55, 0x66, 0x77 };

/* What does not fill its row stays NULL: type 0 is made so below. */
static const size_t COLUMNS = 16;
static void
fill_columns(struct column *columns)
{
  static const uint8_t zero[16] = { 0 };
  const struct column all[] = {
    { "c_bool", "type.bool", NULL, { tn_bool(1), tn_bool(0) } },
    { "c_int64",
      "type.int64",
      NULL,
      { tn_int64(INT64_MIN), tn_int64(INT64_MAX), tn_int64(0) } },
    { "c_double", "type.double", NULL, { tn_double(0.1), tn_double(-1e300) } },
    { "c_digits",
      "type.double",
      "holds.all_digits",
      { tn_double(1.0 / 3.0), tn_double(-1.7976931348623157e308),
        tn_double(2.2250738585072014e-308) } },
    { "c_nan", "type.double", "holds.nan", { tn_double((double)NAN) } },
    { "c_infinity",
      "type.double",
      "holds.infinity",
      { tn_double((double)INFINITY), tn_double(-(double)INFINITY) } },
    { "c_decimal",
      "type.decimal",
      NULL,
      { tn_decimal("0"), tn_decimal("-1.5"),
        tn_decimal("99999999999999999999999999999999999."
                   "999999999999999999999999999999"),
        tn_decimal("-0.000000000000000000000000000001"), tn_decimal("10000"),
        tn_decimal("0.0001") } },
    { "c_text",
      "type.text",
      NULL,
      { tn_text(""), tn_text("\\N"), tn_text("a\tb\r\nc\\d\\\\"),
        tn_text("'q' \"q\" `q` $1 ? :x"), tn_text("NULL"),
        tn_text("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80"), tn_text("\\."),
        tn_text(" , ; ") } },
    { "c_blob",
      "type.blob",
      NULL,
      { tn_blob("", 0), tn_blob("\0", 1), tn_blob("a\0b\xff\xfe'\\\n\t", 9),
        tn_blob("\\N", 2) } },
    { "c_date",
      "type.date",
      NULL,
      { tn_date(0), tn_date(TN_DAYS_MIN), tn_date(TN_DAYS_MAX) } },
    { "c_time",
      "type.time",
      NULL,
      { tn_time(0), tn_time(TN_DAY_MICROS - 1), tn_time(1) } },
    { "c_timestamp",
      "type.timestamp",
      NULL,
      { tn_timestamp(0), tn_timestamp(-1), tn_timestamp(TN_MICROS_MIN),
        tn_timestamp(TN_MICROS_MAX),
        tn_timestamp(INT64_C(1700000000123456)) } },
    { "c_zoned",
      "type.timestamp_zoned",
      NULL,
      { tn_timestamp_zoned(INT64_C(1700000000123456), 0),
        tn_timestamp_zoned(INT64_C(1700000000000001), 19800),
        tn_timestamp_zoned(INT64_C(1600000000999999), -12600) } },
    { "c_uuid", "type.uuid", NULL, { tn_uuid(UUID), tn_uuid(zero) } },
    { "c_json",
      "type.json",
      NULL,
      { tn_json("{\"a\": [1, 2.5, null, \"\\\\ \xe2\x82\xac\"]}"),
        tn_json("[]"), tn_json("\"text\""), tn_json("17") } },
    { "c_uint64",
      "type.uint64",
      "holds.uint64",
      { tn_uint64(UINT64_MAX), tn_uint64(UINT64_C(1) << 63), tn_uint64(0) } },
  };
  size_t i;
  size_t row;

  for (i = 0; i < COLUMNS; i++) {
    columns[i] = all[i];
    for (row = 0; row < VALUE_ROWS; row++)
      if (columns[i].values[row].type == 0)
        columns[i].values[row] = tn_null();
  }
}

/* Equal, or the same number where the column is of another type. */
static void
check_value(struct suite *suite, const tn_value *got, const tn_value *wanted,
            const char *what)
{
  tn_value number = tn_null();
  tn_err err = TN_ERR_INIT;

  if (wanted->type != TN_UINT64) {
    tn_value read = *wanted;

    read.type = suite_read_type(suite, wanted->type);
    CHECK_VALUE(suite, got, &read, what);
    return;
  }
  if (CHECK_CODE(suite,
                 tn_value_convert(got, TN_UINT64, NULL, 0, &number, &err),
                 TN_OK, &err, what))
    CHECK_VALUE(suite, &number, wanted, what);
}

static void
check_column(struct suite *suite, tn_conn *conn, const struct column *column)
{
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;
  char sql[96];
  int i;

  snprintf(sql, sizeof sql, "SELECT %s FROM tn_bulk ORDER BY id", column->name);
  result = suite_query(suite, conn, sql, NULL, 0);
  for (i = 0; result != NULL && i < VALUE_ROWS; i++) {
    if (!CHECK_CODE(suite, tn_result_next(result, &row, &err), TN_OK, &err,
                    sql) ||
        row == NULL)
      return;
    check_value(suite, row, &column->values[i], column->type);
  }
}

static void
load_columns(struct suite *suite, tn_conn *conn, const struct column *columns,
             size_t count)
{
  const char *names[17] = { "id" };
  const struct tn_bulk_options options = { .table = "tn_bulk",
                                           .columns = names,
                                           .column_count = count + 1 };
  tn_value values[17 * VALUE_ROWS];
  tn_err err = TN_ERR_INIT;
  size_t i;
  size_t row;

  for (i = 0; i < count; i++)
    names[i + 1] = columns[i].name;
  for (row = 0; row < VALUE_ROWS; row++) {
    values[row * (count + 1)] = tn_int64((int64_t)row);
    for (i = 0; i < count; i++)
      values[row * (count + 1) + i + 1] = columns[i].values[row];
  }
  if (!CHECK_CODE(suite, load(conn, &options, values, VALUE_ROWS, &err), TN_OK,
                  &err, "load"))
    return;
  check_count(suite, conn, VALUE_ROWS);
  for (i = 0; i < count; i++)
    check_column(suite, conn, &columns[i]);
}

static void
holds_every_type(struct suite *suite)
{
  struct column columns[16];
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  char text[2048];
  size_t used;
  size_t count = 0;
  size_t i;

  fill_columns(columns);
  used = (size_t)snprintf(text, sizeof text, "id INTEGER");
  for (i = 0; i < COLUMNS; i++) {
    if (columns[i].holds != NULL && !quirk_is(suite, columns[i].holds, "yes"))
      continue;
    columns[count] = columns[i];
    used += (size_t)snprintf(text + used, sizeof text - used, ", %s %s",
                             columns[count].name,
                             quirk(suite, columns[count].type));
    count++;
  }
  conn = suite_table(suite, "tn_bulk", text);
  if (conn == NULL)
    return;
  load_columns(suite, conn, columns, count);
  suite_run(suite, conn, "DROP TABLE tn_bulk");
}

/* ------------------------------------------------------------------ */
/* Many rows, no rows                                                  */

static bool
write_many(struct suite *suite, tn_bulk *bulk)
{
  tn_value *values = calloc(2 * CHUNK, sizeof *values);
  tn_err err = TN_ERR_INIT;
  int64_t id = 0;
  bool is_good = values != NULL;

  while (is_good && id < MANY) {
    size_t rows;

    for (rows = 0; rows < CHUNK && id < MANY; rows++, id++) {
      values[2 * rows] = tn_int64(id);
      values[2 * rows + 1] = id % 7 == 0 ? tn_null() : tn_text("some name");
    }
    is_good = CHECK_CODE(suite, tn_bulk_write(bulk, values, rows, &err), TN_OK,
                         &err, "write");
  }
  free(values);
  return is_good;
}

static void
of_many_rows_loses_none(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = open_table(suite);
  TN_CLEANUP(tn_bulk_close) tn_bulk *bulk = NULL;
  uint64_t rows = 0;
  tn_err err = TN_ERR_INIT;

  if (conn == NULL || (bulk = open_bulk(suite, conn)) == NULL ||
      !write_many(suite, bulk))
    return;
  CHECK_CODE(suite, tn_bulk_finish(bulk, &rows, &err), TN_OK, &err, "finish");
  CHECK(suite, rows == MANY, "%llu rows", (unsigned long long)rows);
  tn_bulk_close(&bulk);
  CHECK(suite, tn_conn_txn_state(conn) == TN_TXN_NONE,
        "a transaction is left open");
  check_count(suite, conn, MANY);
  CHECK(suite,
        suite_number(suite, conn, "SELECT sum(id) FROM tn_bulk") ==
            (int64_t)MANY * (MANY - 1) / 2,
        "the sum is not right");
  CHECK(suite,
        suite_number(suite, conn,
                     "SELECT count(*) FROM tn_bulk WHERE name IS NULL") ==
            (MANY + 6) / 7,
        "the NULLs are not where they were");
  suite_run(suite, conn, "DROP TABLE tn_bulk");
}

static void
of_no_rows_is_nothing_to_do(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = open_table(suite);
  TN_CLEANUP(tn_bulk_close) tn_bulk *bulk = NULL;
  uint64_t rows = 9;
  tn_err err = TN_ERR_INIT;

  if (conn == NULL || (bulk = open_bulk(suite, conn)) == NULL)
    return;
  CHECK_CODE(suite, tn_bulk_write(bulk, NULL, 0, &err), TN_OK, &err, "write");
  CHECK_CODE(suite, tn_bulk_finish(bulk, &rows, &err), TN_OK, &err, "finish");
  CHECK(suite, rows == 0, "%llu rows", (unsigned long long)rows);
  tn_bulk_close(&bulk);
  check_count(suite, conn, 0);
  suite_run(suite, conn, "DROP TABLE tn_bulk");
}

/* ------------------------------------------------------------------ */
/* All or none                                                         */

static void
without_finish_leaves_nothing(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  int round;

  if (!suite_owes(suite, TN_CAP_TRANSACTION) ||
      (conn = open_table(suite)) == NULL)
    return;
  for (round = 0; round < 2; round++) {
    TN_CLEANUP(tn_bulk_close) tn_bulk *bulk = open_bulk(suite, conn);

    if (bulk == NULL || (round == 1 && !write_many(suite, bulk)))
      return;
    tn_bulk_close(&bulk);
    CHECK(suite, tn_conn_txn_state(conn) == TN_TXN_NONE,
          "a transaction is left open");
    CHECK_USABLE(suite, conn);
    check_count(suite, conn, 0);
  }
  suite_run(suite, conn, "DROP TABLE tn_bulk");
}

/* A load fails with this code, and nothing of it stays. */
static void
check_failure(struct suite *suite, tn_conn *conn,
              const struct tn_bulk_options *options, const tn_value *values,
              size_t rows, enum tn_code wanted)
{
  tn_err err = TN_ERR_INIT;

  CHECK_CODE(suite, load(conn, options, values, rows, &err), wanted, &err,
             "load");
  CHECK(suite, tn_conn_txn_state(conn) == TN_TXN_NONE,
        "a transaction is left open");
  CHECK_USABLE(suite, conn);
}

static void
with_a_duplicate_leaves_nothing(struct suite *suite)
{
  static const int64_t among[] = { 1, 2, 3, 2, 5 };
  static const int64_t there[] = { 101, 100, 102 };
  tn_value values[10] = { { .type = 0 } };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;

  if (!suite_owes(suite, TN_CAP_TRANSACTION) ||
      (conn = open_table(suite)) == NULL)
    return;
  suite_run(suite, conn, "INSERT INTO tn_bulk VALUES (100, 'old')");
  number_rows(values, among, 5);
  check_failure(suite, conn, &two, values, 5, TN_E_DUPLICATE);
  number_rows(values, there, 3);
  check_failure(suite, conn, &two, values, 3, TN_E_DUPLICATE);
  check_count(suite, conn, 1);
  CHECK(suite,
        suite_number(suite, conn,
                     "SELECT count(*) FROM tn_bulk WHERE name = 'old'") == 1,
        "a row that was there has changed");
  suite_run(suite, conn, "DROP TABLE tn_bulk");
}

/* A fast way in must not be a lenient one. */
static void
with_values_that_do_not_fit_leaves_nothing(struct suite *suite)
{
  const tn_value null[] = { tn_int64(1), tn_text("a"), tn_null(),
                            tn_text("b") };
  const tn_value too_long[] = { tn_int64(1), tn_text("a"), tn_int64(2),
                                tn_text("more than twenty characters") };
  const tn_value no_number[] = { tn_int64(1), tn_text("a"), tn_text("b"),
                                 tn_text("b") };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;

  if (!suite_owes(suite, TN_CAP_TRANSACTION) ||
      (conn = suite_table(suite, "tn_bulk",
                          "id SMALLINT NOT NULL, name VARCHAR(20)")) == NULL)
    return;
  check_failure(suite, conn, &two, null, 2, TN_E_NOT_NULL);
  if (quirk_is(suite, "checks.values", "yes")) {
    const tn_value too_large[] = { tn_int64(1), tn_text("a"), tn_int64(99999),
                                   tn_text("b") };

    check_failure(suite, conn, &two, too_long, 2, TN_E_DATA);
    check_failure(suite, conn, &two, no_number, 2, TN_E_DATA);
    check_failure(suite, conn, &two, too_large, 2, TN_E_DATA);
  }
  check_count(suite, conn, 0);
  suite_run(suite, conn, "DROP TABLE tn_bulk");
}

static void
with_a_bad_value_names_its_row(struct suite *suite)
{
  const tn_value good[] = { tn_int64(1), tn_text("a"), tn_int64(2),
                            tn_text("b") };
  const tn_value bad[] = { tn_int64(3), tn_text("c"), tn_int64(4),
                           tn_text("\xff") };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_bulk_close) tn_bulk *bulk = NULL;
  tn_err err = TN_ERR_INIT;

  if (!suite_owes(suite, TN_CAP_TRANSACTION) ||
      (conn = open_table(suite)) == NULL ||
      (bulk = open_bulk(suite, conn)) == NULL)
    return;
  CHECK_CODE(suite, tn_bulk_write(bulk, good, 2, &err), TN_OK, &err, "write");
  CHECK_CODE(suite, tn_bulk_write(bulk, bad, 2, &err), TN_E_CHARSET, &err,
             "a bad one");
  CHECK(suite, err.row == 4, "row %llu", (unsigned long long)err.row);
  CHECK(suite, err.parameter == 2, "column %d", (int)err.parameter);
  CHECK_CODE(suite, tn_bulk_write(bulk, good, 2, &err), TN_E_STATE, &err,
             "a write after a failure");
  CHECK_CODE(suite, tn_bulk_finish(bulk, NULL, &err), TN_E_STATE, &err,
             "a finish after a failure");
  tn_bulk_close(&bulk);
  CHECK_USABLE(suite, conn);
  check_count(suite, conn, 0);
  suite_run(suite, conn, "DROP TABLE tn_bulk");
}

/* ------------------------------------------------------------------ */
/* Names                                                               */

static void
into_what_is_not_there_fails(struct suite *suite)
{
  static const char *const missing[] = { "id", "tn_missing" };
  const struct tn_bulk_options no_table = { .table = "tn_missing",
                                            .columns = two_columns,
                                            .column_count = 2 };
  const struct tn_bulk_options no_column = { .table = "tn_bulk",
                                             .columns = missing,
                                             .column_count = 2 };
  const tn_value values[] = { tn_int64(1), tn_text("a") };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = open_table(suite);

  if (conn == NULL)
    return;
  suite_run(suite, conn, "DROP TABLE IF EXISTS tn_missing");
  check_failure(suite, conn, &no_table, values, 1, TN_E_NO_TABLE);
  check_failure(suite, conn, &no_column, values, 1, TN_E_NO_COLUMN);
  check_count(suite, conn, 0);
  suite_run(suite, conn, "DROP TABLE tn_bulk");
}

static void
with_wrong_options_is_refused(struct suite *suite)
{
  static const char *const empty[] = { "id", "" };
  const struct tn_bulk_options cases[] = {
    { .table = "tn_bulk", .columns = two_columns, .column_count = 0 },
    { .table = "", .columns = two_columns, .column_count = 2 },
    { .table = "tn_bulk", .columns = empty, .column_count = 2 },
  };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = open_table(suite);
  size_t i;

  for (i = 0; conn != NULL && i < sizeof cases / sizeof cases[0]; i++) {
    TN_CLEANUP(tn_bulk_close) tn_bulk *bulk = NULL;
    tn_err err = TN_ERR_INIT;

    CHECK_CODE(suite, tn_bulk_open(conn, &cases[i], &bulk, &err), TN_E_USAGE,
               &err, "open");
    CHECK_USABLE(suite, conn);
  }
  if (conn != NULL)
    suite_run(suite, conn, "DROP TABLE tn_bulk");
}

/* Names are taken as they are: keywords, blanks, quotes. */
static void
into_hostile_names_quotes_them(struct suite *suite)
{
  static const char table[] = "tn bulk \"of\" `select`; --";
  static const char *const columns[] = { "select", "a \"b\" `c` 'd'",
                                         "\xc3\xa9?:x%s" };
  const struct tn_bulk_options options = { .table = table,
                                           .columns = columns,
                                           .column_count = 3 };
  const tn_value values[] = { tn_int64(1), tn_int64(2), tn_int64(3) };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  char quoted[128];
  char name[3][128];
  char sql[1024];
  tn_err err = TN_ERR_INIT;
  int i;

  if (!suite_owes(suite, TN_CAP_WRITE | TN_CAP_DDL) ||
      (conn = suite_connect(suite)) == NULL)
    return;
  CHECK(suite, tn_conn_quote_name(conn, table, quoted, sizeof quoted) > 0,
        "the table's name cannot be quoted");
  for (i = 0; i < 3; i++)
    CHECK(suite, tn_conn_quote_name(conn, columns[i], name[i], 128) > 0,
          "\"%s\" cannot be quoted", columns[i]);
  snprintf(sql, sizeof sql,
           "DROP TABLE IF EXISTS %s; CREATE TABLE %s (%s INTEGER, %s INTEGER, "
           "%s INTEGER)",
           quoted, quoted, name[0], name[1], name[2]);
  if (!suite_run(suite, conn, sql))
    return;
  CHECK_CODE(suite, load(conn, &options, values, 1, &err), TN_OK, &err, "load");
  snprintf(sql, sizeof sql, "SELECT %s * 100 + %s * 10 + %s FROM %s", name[0],
           name[1], name[2], quoted);
  CHECK(suite, suite_number(suite, conn, sql) == 123, "another column's value");
  snprintf(sql, sizeof sql, "DROP TABLE %s", quoted);
  suite_run(suite, conn, sql);
}

static void
leaves_the_other_columns_to_their_defaults(struct suite *suite)
{
  static const char *const columns[] = { "c", "a" };
  const struct tn_bulk_options options = { .table = "tn_bulk",
                                           .columns = columns,
                                           .column_count = 2 };
  const tn_value values[] = { tn_int64(3), tn_int64(1), tn_int64(3),
                              tn_int64(1) };
  TN_CLEANUP(tn_conn_close)
  tn_conn *conn = suite_table(
      suite, "tn_bulk", "a INTEGER, b INTEGER DEFAULT 2, c INTEGER, d INTEGER");
  tn_err err = TN_ERR_INIT;

  if (conn == NULL)
    return;
  CHECK_CODE(suite, load(conn, &options, values, 2, &err), TN_OK, &err, "load");
  CHECK(suite,
        suite_number(suite, conn,
                     "SELECT count(*) FROM tn_bulk WHERE a = 1 AND b = 2 AND "
                     "c = 3 AND d IS NULL") == 2,
        "not all in its place");
  suite_run(suite, conn, "DROP TABLE tn_bulk");
}

/* ------------------------------------------------------------------ */
/* The session around it                                               */

static void
belongs_to_an_open_transaction(struct suite *suite)
{
  static const int64_t ids[] = { 1, 2, 3 };
  static const int64_t twice[] = { 4, 4 };
  tn_value values[6] = { { .type = 0 } };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;

  if (!suite_owes(suite, TN_CAP_TRANSACTION) ||
      (conn = open_table(suite)) == NULL)
    return;
  number_rows(values, ids, 3);
  suite_begin(suite, conn);
  CHECK_CODE(suite, load(conn, &two, values, 3, &err), TN_OK, &err, "load");
  CHECK(suite, tn_conn_txn_state(conn) == TN_TXN_OPEN,
        "the load ended the transaction");
  check_count(suite, conn, 3);
  suite_rollback(suite, conn);
  check_count(suite, conn, 0);

  suite_begin(suite, conn);
  CHECK_CODE(suite, load(conn, &two, values, 3, &err), TN_OK, &err, "load");
  CHECK_CODE(suite, tn_conn_commit(conn, &err), TN_OK, &err, "commit");
  check_count(suite, conn, 3);

  suite_begin(suite, conn);
  number_rows(values, twice, 2);
  CHECK_CODE(suite, load(conn, &two, values, 2, &err), TN_E_DUPLICATE, &err,
             "load");
  CHECK(suite, tn_conn_txn_state(conn) != TN_TXN_NONE,
        "a load that failed ended the transaction");
  suite_rollback(suite, conn);
  CHECK_USABLE(suite, conn);
  check_count(suite, conn, 3);
  suite_run(suite, conn, "DROP TABLE tn_bulk");
}

static void
holds_the_connection_until_it_is_closed(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = open_table(suite);
  TN_CLEANUP(tn_bulk_close) tn_bulk *bulk = NULL;
  TN_CLEANUP(tn_bulk_close) tn_bulk *second = NULL;
  const tn_value values[] = { tn_int64(1), tn_text("a") };
  tn_err err = TN_ERR_INIT;

  if (conn == NULL || (bulk = open_bulk(suite, conn)) == NULL)
    return;
  CHECK_CODE(suite, tn_conn_exec(conn, COUNT, NULL, &err), TN_E_STATE, &err,
             "a query meanwhile");
  CHECK_CODE(suite, tn_bulk_open(conn, &two, &second, &err), TN_E_STATE, &err,
             "a second load");
  CHECK_CODE(suite, write_and_finish(bulk, values, 1, NULL, &err), TN_OK, &err,
             "the load");
  CHECK_CODE(suite, tn_bulk_write(bulk, values, 1, &err), TN_E_STATE, &err,
             "a write after the finish");
  tn_bulk_close(&bulk);
  check_count(suite, conn, 1);
  suite_run(suite, conn, "DROP TABLE tn_bulk");
}

static void
lets_statements_be_closed(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = open_table(suite);
  TN_CLEANUP(tn_prepared_close) tn_prepared *prepared = NULL;
  TN_CLEANUP(tn_bulk_close) tn_bulk *bulk = NULL;
  const tn_value values[] = { tn_int64(1), tn_text("a"), tn_int64(2),
                              tn_text("b") };
  tn_err err = TN_ERR_INIT;

  if (conn == NULL)
    return;
  CHECK_CODE(suite, tn_conn_prepare(conn, COUNT, 0, &prepared, &err), TN_OK,
             &err, "prepare");
  if ((bulk = open_bulk(suite, conn)) == NULL)
    return;
  CHECK_CODE(suite, tn_bulk_write(bulk, values, 1, &err), TN_OK, &err, "write");
  tn_prepared_close(&prepared);
  CHECK_CODE(suite, write_and_finish(bulk, values + 2, 1, NULL, &err), TN_OK,
             &err, "the load");
  tn_bulk_close(&bulk);
  check_count(suite, conn, 2);
  suite_run(suite, conn, "DROP TABLE tn_bulk");
}

static void
outlives_its_connection(struct suite *suite)
{
  const tn_value values[] = { tn_int64(1), tn_text("a") };
  TN_CLEANUP(tn_conn_close) tn_conn *other = NULL;
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_bulk_close) tn_bulk *bulk = NULL;
  tn_err err = TN_ERR_INIT;

  if (!suite_owes(suite, TN_CAP_TRANSACTION) ||
      (conn = open_table(suite)) == NULL ||
      (bulk = open_bulk(suite, conn)) == NULL)
    return;
  CHECK_CODE(suite, tn_bulk_write(bulk, values, 1, &err), TN_OK, &err, "write");
  tn_conn_close(&conn);
  CHECK_CODE(suite, tn_bulk_write(bulk, values, 1, &err), TN_E_STATE, &err,
             "a write without a connection");
  CHECK_CODE(suite, tn_bulk_finish(bulk, NULL, &err), TN_E_STATE, &err,
             "a finish without a connection");
  tn_bulk_close(&bulk);
  if ((other = suite_connect(suite)) == NULL)
    return;
  check_count(suite, other, 0);
  suite_run(suite, other, "DROP TABLE tn_bulk");
}

static void
past_its_deadline_begins_nothing(struct suite *suite)
{
  struct tn_bulk_options options = two;
  TN_CLEANUP(tn_conn_close) tn_conn *conn = open_table(suite);
  TN_CLEANUP(tn_bulk_close) tn_bulk *bulk = NULL;
  tn_err err = TN_ERR_INIT;

  if (conn == NULL)
    return;
  options.deadline = 1;
  CHECK_CODE(suite, tn_bulk_open(conn, &options, &bulk, &err), TN_E_TIMEOUT,
             &err, "a load whose deadline has passed");
  CHECK_USABLE(suite, conn);
  suite_run(suite, conn, "DROP TABLE tn_bulk");
}

const struct suite_case cases_bulk[] = {
  { "bulk: values of every type come back equal", holds_every_type },
  { "bulk: of twenty thousand rows none is lost", of_many_rows_loses_none },
  { "bulk: no rows is nothing to do", of_no_rows_is_nothing_to_do },
  { "bulk: without finish nothing stays", without_finish_leaves_nothing },
  { "bulk: with a duplicate nothing stays", with_a_duplicate_leaves_nothing },
  { "bulk: with values that do not fit nothing stays",
    with_values_that_do_not_fit_leaves_nothing },
  { "bulk: a bad value is named by row and column",
    with_a_bad_value_names_its_row },
  { "bulk: a missing table or column is named by its category",
    into_what_is_not_there_fails },
  { "bulk: wrong options are refused", with_wrong_options_is_refused },
  { "bulk: hostile names are quoted", into_hostile_names_quotes_them },
  { "bulk: other columns get their defaults",
    leaves_the_other_columns_to_their_defaults },
  { "bulk: a load belongs to an open transaction",
    belongs_to_an_open_transaction },
  { "bulk: a load holds the connection until it is closed",
    holds_the_connection_until_it_is_closed },
  { "bulk: a statement may be closed during a load",
    lets_statements_be_closed },
  { "bulk: a load outlives its connection", outlives_its_connection },
  { "bulk: a deadline that has passed begins nothing",
    past_its_deadline_begins_nothing },
  { NULL, NULL },
};
