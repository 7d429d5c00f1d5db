/* The best raw use of the MySQL client library: statements kept, the binary
 * protocol into bound buffers, arrays of parameters for bulk. */
#include "bench.h"

#include <mysql.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <tenon/url.h>

#define TEXT_BYTES 64

/* Rows in one execution of an array. */
#define ARRAY_ROWS 10000

static struct {
  MYSQL *conn;
  MYSQL_STMT *point;
  MYSQL_STMT *all;
  MYSQL_STMT *insert;
  MYSQL_STMT *array;
  tn_url *url;
} raw;

static const char setup[] =
    "DROP TABLE IF EXISTS point; DROP TABLE IF EXISTS wide;"
    "DROP TABLE IF EXISTS target;"
    "CREATE TABLE point (id INTEGER PRIMARY KEY, name VARCHAR(32), score "
    "DOUBLE, note TEXT);"
    "CREATE TABLE wide (i INTEGER, b BIGINT, d DOUBLE, t VARCHAR(60),"
    " n VARCHAR(60), at DATETIME(6));"
    "CREATE TABLE target (id INTEGER PRIMARY KEY, name VARCHAR(60), score "
    "DOUBLE, note VARCHAR(60));"
    "INSERT INTO point SELECT seq, lpad(seq, 32, '0'), seq * 0.5,"
    " IF(seq % 2 = 0, concat('note ', seq), NULL) FROM seq_1_to_100000;"
    "INSERT INTO wide SELECT seq, seq * 4294967296, seq * 0.25,"
    " concat('text number ', seq), IF(seq % 2 = 0, concat('note ', seq), NULL),"
    " '2023-11-14 22:13:20.123456' + INTERVAL seq SECOND FROM seq_1_to_100000";

/* Where a row of the four kinds of column goes. */
struct cells {
  int32_t id;
  int64_t big;
  double real;
  MYSQL_TIME at;
  char text[2][TEXT_BYTES];
  unsigned long size[2];
  my_bool is_null[2];
};
static struct cells cells;

static void
failed(const char *why)
{
  bench_die("mysql", why);
}

static MYSQL *
connect_once(void)
{
  MYSQL *conn = mysql_init(NULL);

  mysql_options(conn, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  if (mysql_real_connect(conn, tn_url_host(raw.url, 0), tn_url_user(raw.url),
                         tn_url_password(raw.url), tn_url_database(raw.url),
                         tn_url_port(raw.url, 0), NULL,
                         CLIENT_FOUND_ROWS) == NULL)
    failed(mysql_error(conn));
  return conn;
}

static MYSQL_STMT *
prepare(const char *sql)
{
  MYSQL_STMT *statement = mysql_stmt_init(raw.conn);

  if (mysql_stmt_prepare(statement, sql, strlen(sql)) != 0)
    failed(mysql_stmt_error(statement));
  return statement;
}

static MYSQL_BIND
bind(enum enum_field_types type, void *buffer)
{
  MYSQL_BIND result;

  memset(&result, 0, sizeof result);
  result.buffer_type = type;
  result.buffer = buffer;
  return result;
}

static MYSQL_BIND
bind_text(int index)
{
  MYSQL_BIND result = bind(MYSQL_TYPE_STRING, cells.text[index]);

  result.buffer_length = TEXT_BYTES;
  result.length = &cells.size[index];
  result.is_null = &cells.is_null[index];
  return result;
}

static void
bind_results(MYSQL_STMT *statement, MYSQL_BIND *binds)
{
  if (mysql_stmt_bind_result(statement, binds) != 0)
    failed(mysql_stmt_error(statement));
}

static void
bind_point(MYSQL_STMT *statement)
{
  MYSQL_BIND binds[] = { bind(MYSQL_TYPE_LONG, &cells.id), bind_text(0),
                         bind(MYSQL_TYPE_DOUBLE, &cells.real), bind_text(1) };

  bind_results(statement, binds);
}

static void
open_raw(const char *url)
{
  MYSQL_BIND wide[6];

  if (tn_url_parse(url, &raw.url, NULL) != TN_OK)
    failed("the URL is wrong");
  raw.conn = connect_once();
  raw.point = prepare(BENCH_POINT);
  bind_point(raw.point);
  raw.all = prepare(BENCH_ALL);
  wide[0] = bind(MYSQL_TYPE_LONG, &cells.id);
  wide[1] = bind(MYSQL_TYPE_LONGLONG, &cells.big);
  wide[2] = bind(MYSQL_TYPE_DOUBLE, &cells.real);
  wide[3] = bind_text(0);
  wide[4] = bind_text(1);
  wide[5] = bind(MYSQL_TYPE_DATETIME, &cells.at);
  bind_results(raw.all, wide);
  raw.insert = prepare(BENCH_INSERT);
  raw.array = prepare(BENCH_INSERT);
}

static void
close_raw(void)
{
  mysql_stmt_close(raw.point);
  mysql_stmt_close(raw.all);
  mysql_stmt_close(raw.insert);
  mysql_stmt_close(raw.array);
  mysql_close(raw.conn);
  tn_url_free(&raw.url);
  mysql_library_end();
}

static double
text(int index)
{
  return cells.is_null[index]
             ? BENCH_NULL
             : bench_text(cells.text[index], cells.size[index]);
}

static void
execute(MYSQL_STMT *statement)
{
  if (mysql_stmt_execute(statement) != 0)
    failed(mysql_stmt_error(statement));
}

static void
select_point(MYSQL_STMT *statement, double *sum)
{
  execute(statement);
  if (mysql_stmt_fetch(statement) != 0)
    failed("no row");
  *sum += cells.id;
  *sum += text(0);
  *sum += cells.real;
  *sum += text(1);
  if (mysql_stmt_fetch(statement) != MYSQL_NO_DATA)
    failed("more rows");
}

static double
point(void)
{
  int32_t key;
  MYSQL_BIND parameter = bind(MYSQL_TYPE_LONG, &key);
  uint32_t state = 1;
  double sum = 0;
  int i;

  if (mysql_stmt_bind_param(raw.point, &parameter) != 0)
    failed(mysql_stmt_error(raw.point));
  for (i = 0; i < bench_trips(); i++) {
    key = (int32_t)bench_next_key(&state);
    select_point(raw.point, &sum);
  }
  return sum;
}

static double
point_text(void)
{
  int32_t key;
  MYSQL_BIND parameter = bind(MYSQL_TYPE_LONG, &key);
  uint32_t state = 1;
  double sum = 0;
  int i;

  for (i = 0; i < bench_trips() / 10; i++) {
    MYSQL_STMT *statement = prepare(BENCH_POINT);

    if (mysql_stmt_bind_param(statement, &parameter) != 0)
      failed(mysql_stmt_error(statement));
    bind_point(statement);
    key = (int32_t)bench_next_key(&state);
    select_point(statement, &sum);
    mysql_stmt_close(statement);
  }
  return sum;
}

static double
fetch_rows(void)
{
  double sum = 0;
  int rc;

  while ((rc = mysql_stmt_fetch(raw.all)) == 0) {
    sum += cells.id;
    sum += (double)cells.big;
    sum += cells.real;
    sum += text(0);
    sum += text(1);
    sum += bench_micros((int64_t)(cells.at.minute * 60 + cells.at.second) *
                            1000000 +
                        (int64_t)cells.at.second_part);
  }
  if (rc != MYSQL_NO_DATA)
    failed(mysql_stmt_error(raw.all));
  return sum;
}

static double
fetch(void)
{
  execute(raw.all);
  return fetch_rows();
}

static double
fetch_kept(void)
{
  double sum;

  execute(raw.all);
  if (mysql_stmt_store_result(raw.all) != 0)
    failed(mysql_stmt_error(raw.all));
  sum = fetch_rows();
  mysql_stmt_free_result(raw.all);
  return sum;
}

static void
run(const char *sql)
{
  if (mysql_real_query(raw.conn, sql, strlen(sql)) != 0)
    failed(mysql_error(raw.conn));
}

static double
insert(void)
{
  MYSQL_BIND binds[4];
  int32_t id;
  double score;
  my_bool is_null;
  unsigned long size;
  int i;

  binds[0] = bind(MYSQL_TYPE_LONG, &id);
  binds[1] = bind(MYSQL_TYPE_STRING, NULL);
  binds[1].length = &size;
  binds[2] = bind(MYSQL_TYPE_DOUBLE, &score);
  binds[3] = binds[1];
  binds[3].is_null = &is_null;
  run("START TRANSACTION");
  for (i = 1; i <= bench_trips(); i++) {
    id = i;
    score = i * 0.5;
    size = bench_rows[i].size;
    is_null = i % 2 != 0;
    binds[1].buffer = bench_rows[i].name;
    binds[3].buffer = bench_rows[i].name;
    if (mysql_stmt_bind_param(raw.insert, binds) != 0)
      failed(mysql_stmt_error(raw.insert));
    execute(raw.insert);
  }
  run("COMMIT");
  return 0;
}

static double
bulk(void)
{
  static int32_t ids[ARRAY_ROWS];
  static double scores[ARRAY_ROWS];
  static char *names[ARRAY_ROWS];
  static unsigned long sizes[ARRAY_ROWS];
  static char notes[ARRAY_ROWS]; /* indicators */
  unsigned int count = ARRAY_ROWS;
  MYSQL_BIND binds[4];
  int start;
  int i;

  binds[0] = bind(MYSQL_TYPE_LONG, ids);
  binds[1] = bind(MYSQL_TYPE_STRING, names);
  binds[1].length = sizes;
  binds[2] = bind(MYSQL_TYPE_DOUBLE, scores);
  binds[3] = binds[1];
  binds[3].u.indicator = notes;
  run("START TRANSACTION");
  for (start = 0; start < BENCH_ROWS; start += ARRAY_ROWS) {
    for (i = 0; i < ARRAY_ROWS; i++) {
      struct bench_row *row = &bench_rows[start + i + 1];

      ids[i] = start + i + 1;
      scores[i] = ids[i] * 0.5;
      names[i] = row->name;
      sizes[i] = row->size;
      notes[i] = ids[i] % 2 == 0 ? STMT_INDICATOR_NONE : STMT_INDICATOR_NULL;
    }
    if (mysql_stmt_attr_set(raw.array, STMT_ATTR_ARRAY_SIZE, &count) != 0 ||
        mysql_stmt_bind_param(raw.array, binds) != 0)
      failed(mysql_stmt_error(raw.array));
    execute(raw.array);
  }
  run("COMMIT");
  return 0;
}

static double
connect_raw(void)
{
  int i;

  for (i = 0; i < BENCH_CONNECTS; i++)
    mysql_close(connect_once());
  return BENCH_CONNECTS;
}

const struct bench_raw bench_raw = {
  .variable = "TENON_TEST_MYSQL",
  .options = "?tls=off",
  .setup = setup,
  .empty = "TRUNCATE TABLE target",
  .open = open_raw,
  .close = close_raw,
  .point = point,
  .point_text = point_text,
  .fetch = fetch,
  .fetch_kept = fetch_kept,
  .insert = insert,
  .bulk = bulk,
  .connect = connect_raw,
};
