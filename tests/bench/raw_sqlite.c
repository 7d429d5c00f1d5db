/* The best raw use of sqlite3: opened without the library's mutex, statements
 * kept, cells read through sqlite3_value, many rows in one INSERT. */
#include "bench.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

/* Rows in one INSERT … VALUES, which divide BENCH_ROWS. */
#define BULK_ROWS 50

static struct {
  sqlite3 *db;
  sqlite3_stmt *point;
  sqlite3_stmt *all;
  sqlite3_stmt *insert;
  sqlite3_stmt *bulk;
  const char *path;
} raw;

static const char setup[] =
    "CREATE TABLE point (id INTEGER PRIMARY KEY, name VARCHAR(32), score "
    "DOUBLE,"
    " note TEXT);"
    "CREATE TABLE wide (i INTEGER, b BIGINT, d DOUBLE, t TEXT, n TEXT,"
    " at TIMESTAMP);"
    "CREATE TABLE target (id INTEGER PRIMARY KEY, name TEXT, score DOUBLE,"
    " note TEXT);"
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n <"
    " 100000) INSERT INTO point SELECT n, printf('%032d', n), n * 0.5,"
    " CASE n % 2 WHEN 0 THEN 'note ' || n END FROM r;"
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n <"
    " 100000) INSERT INTO wide SELECT n, n * 4294967296, n * 0.25,"
    " 'text number ' || n, CASE n % 2 WHEN 0 THEN 'note ' || n END,"
    " strftime('%Y-%m-%d %H:%M:%S', 1700000000 + n, 'unixepoch') || '.123456'"
    " FROM r;";

static double
cell(sqlite3_value *value)
{
  switch (sqlite3_value_type(value)) {
  case SQLITE_INTEGER:
    return (double)sqlite3_value_int64(value);
  case SQLITE_FLOAT:
    return sqlite3_value_double(value);
  case SQLITE_TEXT: {
    const char *text = (const char *)sqlite3_value_text(value);

    return bench_text(text, (size_t)sqlite3_value_bytes(value));
  }
  default:
    return BENCH_NULL;
  }
}

static void
run(const char *sql)
{
  if (sqlite3_exec(raw.db, sql, NULL, NULL, NULL) != SQLITE_OK)
    bench_die(sql, sqlite3_errmsg(raw.db));
}

static sqlite3_stmt *
prepare(const char *sql)
{
  sqlite3_stmt *statement = NULL;

  if (sqlite3_prepare_v3(raw.db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement,
                         NULL) != SQLITE_OK)
    bench_die("prepare", sqlite3_errmsg(raw.db));
  return statement;
}

static void
open_raw(const char *url)
{
  char sql[1024] = BENCH_INSERT;
  int i;

  raw.path = strstr(url, "///") + 3;
  if (sqlite3_open_v2(raw.path, &raw.db,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                      NULL) != SQLITE_OK)
    bench_die(url, "cannot be opened");
  raw.point = prepare(BENCH_POINT);
  raw.all = prepare(BENCH_ALL);
  raw.insert = prepare(BENCH_INSERT);
  for (i = 1; i < BULK_ROWS; i++)
    strncat(sql, ", (?, ?, ?, ?)", sizeof sql - strlen(sql) - 1);
  raw.bulk = prepare(sql);
}

static void
close_raw(void)
{
  sqlite3_finalize(raw.point);
  sqlite3_finalize(raw.all);
  sqlite3_finalize(raw.insert);
  sqlite3_finalize(raw.bulk);
  sqlite3_close(raw.db);
}

static void
select_point(sqlite3_stmt *statement, uint32_t key, double *sum)
{
  int c;

  sqlite3_bind_int64(statement, 1, key);
  if (sqlite3_step(statement) != SQLITE_ROW)
    bench_die("raw", "no row");
  for (c = 0; c < 4; c++)
    *sum += cell(sqlite3_column_value(statement, c));
}

static double
point(void)
{
  uint32_t state = 1;
  double sum = 0;
  int i;

  for (i = 0; i < bench_trips(); i++) {
    select_point(raw.point, bench_next_key(&state), &sum);
    sqlite3_reset(raw.point);
  }
  return sum;
}

static double
point_text(void)
{
  uint32_t state = 1;
  double sum = 0;
  int i;

  for (i = 0; i < bench_trips() / 10; i++) {
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(raw.db, BENCH_POINT, -1, &statement, NULL) !=
        SQLITE_OK)
      bench_die("prepare", sqlite3_errmsg(raw.db));
    select_point(statement, bench_next_key(&state), &sum);
    sqlite3_finalize(statement);
  }
  return sum;
}

/* Outside of one, each statement locks and unlocks the file, which costs as
 * much as what the cache saves where system calls are slow. */
static double
point_text_txn(void)
{
  double sum;

  run("BEGIN");
  sum = point_text();
  run("COMMIT");
  return sum;
}

static double
fetch(void)
{
  double sum = 0;
  int c;

  while (sqlite3_step(raw.all) == SQLITE_ROW)
    for (c = 0; c < 6; c++)
      sum += cell(sqlite3_column_value(raw.all, c));
  sqlite3_reset(raw.all);
  return sum;
}

static void
bind_row(sqlite3_stmt *statement, int first, int number)
{
  const struct bench_row *row = &bench_rows[number];

  sqlite3_bind_int64(statement, first, number);
  sqlite3_bind_text(statement, first + 1, row->name, (int)row->size,
                    SQLITE_STATIC);
  sqlite3_bind_double(statement, first + 2, number * 0.5);
  if (number % 2 == 0)
    sqlite3_bind_text(statement, first + 3, row->name, (int)row->size,
                      SQLITE_STATIC);
  else
    sqlite3_bind_null(statement, first + 3);
}

static double
insert_by(sqlite3_stmt *statement, int rows)
{
  int done;
  int i;

  run("BEGIN");
  for (done = 0; done < BENCH_ROWS; done += rows) {
    for (i = 0; i < rows; i++)
      bind_row(statement, i * 4 + 1, done + i + 1);
    if (sqlite3_step(statement) != SQLITE_DONE)
      bench_die("insert", sqlite3_errmsg(raw.db));
    sqlite3_reset(statement);
  }
  run("COMMIT");
  return 0;
}

static double
insert(void)
{
  return insert_by(raw.insert, 1);
}

static double
bulk(void)
{
  return insert_by(raw.bulk, BULK_ROWS);
}

static double
connect_raw(void)
{
  int i;

  for (i = 0; i < BENCH_CONNECTS; i++) {
    sqlite3 *db = NULL;

    if (sqlite3_open_v2(raw.path, &db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK)
      bench_die("open", sqlite3_errmsg(db));
    sqlite3_close(db);
  }
  return BENCH_CONNECTS;
}

static double
start(void)
{
  return bench_start(COLD_RAW);
}

const struct bench_raw bench_raw = {
  .setup = setup,
  .empty = "DELETE FROM target",
  .timestamp = '2' + 26, /* the text that raw use reads */
  .open = open_raw,
  .close = close_raw,
  .point = point,
  .point_text = point_text,
  .point_text_txn = point_text_txn,
  .fetch = fetch,
  .insert = insert,
  .bulk = bulk,
  .connect = connect_raw,
  .start = start,
};
