/* The best raw use of libpq: statements kept, parameters and results in binary,
 * a row at a time where rows are streamed, binary COPY for bulk. */
#include "bench.h"

#include <endian.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

#define INT4OID 23

/* How much of a COPY is handed over at a time. */
#define COPY_BYTES 65536

static struct {
  PGconn *conn;
  char url[512];
} raw;

static const char setup[] =
    "DROP TABLE IF EXISTS point; DROP TABLE IF EXISTS wide;"
    "DROP TABLE IF EXISTS target;"
    "CREATE TABLE point (id INTEGER PRIMARY KEY, name VARCHAR(32), score "
    "DOUBLE PRECISION, note TEXT);"
    "CREATE TABLE wide (i INTEGER, b BIGINT, d DOUBLE PRECISION, t TEXT,"
    " n TEXT, at TIMESTAMP);"
    "CREATE TABLE target (id INTEGER PRIMARY KEY, name TEXT, score DOUBLE "
    "PRECISION, note TEXT);"
    "INSERT INTO point SELECT n, lpad(n::text, 32, '0'), n * 0.5,"
    " CASE WHEN n % 2 = 0 THEN 'note ' || n END FROM"
    " generate_series(1, 100000) n;"
    "INSERT INTO wide SELECT n, n * 4294967296, n * 0.25, 'text number ' || n,"
    " CASE WHEN n % 2 = 0 THEN 'note ' || n END,"
    " timestamp '2023-11-14 22:13:20.123456' + n * interval '1 second' FROM"
    " generate_series(1, 100000) n;"
    "ANALYZE";

static const char POINT[] =
    "SELECT id, name, score, note FROM point WHERE id = $1";
static const char INSERT[] = "INSERT INTO target VALUES ($1, $2, $3, $4)";

static void
good(PGresult *result, ExecStatusType wanted)
{
  if (PQresultStatus(result) != wanted)
    bench_die("libpq", PQerrorMessage(raw.conn));
}

static void
done(PGresult *result, ExecStatusType wanted)
{
  good(result, wanted);
  PQclear(result);
}

static void
open_raw(const char *url)
{
  snprintf(raw.url, sizeof raw.url, "%s", url);
  raw.conn = PQconnectdb(url);
  if (PQstatus(raw.conn) != CONNECTION_OK)
    bench_die("libpq", PQerrorMessage(raw.conn));
  done(PQprepare(raw.conn, "point", POINT, 0, NULL), PGRES_COMMAND_OK);
  done(PQprepare(raw.conn, "all", BENCH_ALL, 0, NULL), PGRES_COMMAND_OK);
  done(PQprepare(raw.conn, "insert", INSERT, 0, NULL), PGRES_COMMAND_OK);
}

static void
close_raw(void)
{
  PQfinish(raw.conn);
}

static int32_t
int4(const char *data)
{
  uint32_t number;

  memcpy(&number, data, sizeof number);
  return (int32_t)be32toh(number);
}

static int64_t
int8(const char *data)
{
  uint64_t number;

  memcpy(&number, data, sizeof number);
  return (int64_t)be64toh(number);
}

static double
float8(const char *data)
{
  int64_t bits = int8(data);
  double number;

  memcpy(&number, &bits, sizeof number);
  return number;
}

static double
text(const PGresult *result, int row, int column)
{
  if (PQgetisnull(result, row, column))
    return BENCH_NULL;
  return bench_text(PQgetvalue(result, row, column),
                    (size_t)PQgetlength(result, row, column));
}

static void
add_point(const PGresult *result, double *sum)
{
  *sum += int4(PQgetvalue(result, 0, 0));
  *sum += text(result, 0, 1);
  *sum += float8(PQgetvalue(result, 0, 2));
  *sum += text(result, 0, 3);
}

static void
add_wide(const PGresult *result, int row, double *sum)
{
  *sum += int4(PQgetvalue(result, row, 0));
  *sum += (double)int8(PQgetvalue(result, row, 1));
  *sum += float8(PQgetvalue(result, row, 2));
  *sum += text(result, row, 3);
  *sum += text(result, row, 4);
  *sum += bench_micros(int8(PQgetvalue(result, row, 5)));
}

static void
select_point(const char *name, uint32_t key, double *sum)
{
  const uint32_t number = htobe32(key);
  const char *value = (const char *)&number;
  int size = sizeof number;
  int format = 1;
  PGresult *result =
      PQexecPrepared(raw.conn, name, 1, &value, &size, &format, 1);

  good(result, PGRES_TUPLES_OK);
  add_point(result, sum);
  PQclear(result);
}

static double
point(void)
{
  uint32_t state = 1;
  double sum = 0;
  int i;

  for (i = 0; i < bench_trips(); i++)
    select_point("point", bench_next_key(&state), &sum);
  return sum;
}

static double
point_text(void)
{
  uint32_t state = 1;
  double sum = 0;
  int i;

  for (i = 0; i < bench_trips() / 10; i++) {
    done(PQprepare(raw.conn, "each", POINT, 0, NULL), PGRES_COMMAND_OK);
    select_point("each", bench_next_key(&state), &sum);
    done(PQexec(raw.conn, "DEALLOCATE each"), PGRES_COMMAND_OK);
  }
  return sum;
}

/* As quick as a statement can be that is given once: one round trip. */
static double
point_unprepared(void)
{
  uint32_t state = 1;
  double sum = 0;
  int i;

  for (i = 0; i < bench_trips() / 10; i++) {
    uint32_t key = htobe32(bench_next_key(&state));
    const char *value = (const char *)&key;
    const Oid type = INT4OID;
    int size = sizeof key;
    int format = 1;
    PGresult *result =
        PQexecParams(raw.conn, POINT, 1, &type, &value, &size, &format, 1);

    good(result, PGRES_TUPLES_OK);
    add_point(result, &sum);
    PQclear(result);
  }
  return sum;
}

static double
fetch(void)
{
  PGresult *result;
  double sum = 0;

  if (!PQsendQueryPrepared(raw.conn, "all", 0, NULL, NULL, NULL, 1) ||
      !PQsetSingleRowMode(raw.conn))
    bench_die("libpq", PQerrorMessage(raw.conn));
  while ((result = PQgetResult(raw.conn)) != NULL) {
    if (PQresultStatus(result) == PGRES_SINGLE_TUPLE)
      add_wide(result, 0, &sum);
    else
      good(result, PGRES_TUPLES_OK);
    PQclear(result);
  }
  return sum;
}

static double
fetch_kept(void)
{
  PGresult *result = PQexecPrepared(raw.conn, "all", 0, NULL, NULL, NULL, 1);
  double sum = 0;
  int rows = PQntuples(result);
  int row;

  good(result, PGRES_TUPLES_OK);
  for (row = 0; row < rows; row++)
    add_wide(result, row, &sum);
  PQclear(result);
  return sum;
}

static uint64_t
float8_bits(double number)
{
  uint64_t bits;

  memcpy(&bits, &number, sizeof bits);
  return htobe64(bits);
}

static double
insert(void)
{
  static const int formats[] = { 1, 1, 1, 1 };
  int i;

  done(PQexec(raw.conn, "BEGIN"), PGRES_COMMAND_OK);
  for (i = 1; i <= bench_trips(); i++) {
    const struct bench_row *row = &bench_rows[i];
    uint32_t id = htobe32((uint32_t)i);
    uint64_t score = float8_bits(i * 0.5);
    const char *values[] = { (const char *)&id, row->name, (const char *)&score,
                             i % 2 == 0 ? row->name : NULL };
    const int sizes[] = { sizeof id, (int)row->size, sizeof score,
                          (int)row->size };

    done(PQexecPrepared(raw.conn, "insert", 4, values, sizes, formats, 1),
         PGRES_COMMAND_OK);
  }
  done(PQexec(raw.conn, "COMMIT"), PGRES_COMMAND_OK);
  return 0;
}

/* Put one field behind `at`: its size, then its bytes. */
static char *
put_field(char *at, const void *data, uint32_t size)
{
  uint32_t wire = htobe32(size);

  memcpy(at, &wire, sizeof wire);
  memcpy(at + sizeof wire, data, size);
  return at + sizeof wire + size;
}

static char *
put_row(char *at, int number)
{
  const struct bench_row *row = &bench_rows[number];
  uint16_t count = htobe16(4);
  uint32_t id = htobe32((uint32_t)number);
  uint64_t score = float8_bits(number * 0.5);

  memcpy(at, &count, sizeof count);
  at = put_field(at + sizeof count, &id, sizeof id);
  at = put_field(at, row->name, (uint32_t)row->size);
  at = put_field(at, &score, sizeof score);
  if (number % 2 == 0)
    return put_field(at, row->name, (uint32_t)row->size);
  memset(at, 0xff, 4); /* NULL has the size -1 */
  return at + 4;
}

static void
copy(const char *data, const char *end)
{
  if (PQputCopyData(raw.conn, data, (int)(end - data)) != 1)
    bench_die("libpq", PQerrorMessage(raw.conn));
}

static double
bulk(void)
{
  static const char header[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";
  char buffer[COPY_BYTES];
  char *at = buffer;
  int i;

  done(PQexec(raw.conn, "COPY target FROM STDIN (FORMAT binary)"),
       PGRES_COPY_IN);
  memcpy(at, header, sizeof header);
  at += sizeof header;
  for (i = 1; i <= BENCH_ROWS; i++) {
    at = put_row(at, i);
    if (at - buffer > COPY_BYTES - 200) {
      copy(buffer, at);
      at = buffer;
    }
  }
  memset(at, 0xff, 2);
  copy(buffer, at + 2);
  if (PQputCopyEnd(raw.conn, NULL) != 1)
    bench_die("libpq", PQerrorMessage(raw.conn));
  done(PQgetResult(raw.conn), PGRES_COMMAND_OK);
  if (PQgetResult(raw.conn) != NULL)
    bench_die("libpq", "more results");
  return 0;
}

static double
connect_raw(void)
{
  int i;

  for (i = 0; i < BENCH_CONNECTS; i++) {
    PGconn *conn = PQconnectdb(raw.url);

    if (PQstatus(conn) != CONNECTION_OK)
      bench_die("libpq", PQerrorMessage(conn));
    PQfinish(conn);
  }
  return BENCH_CONNECTS;
}

const struct bench_raw bench_raw = {
  .variable = "TENON_TEST_POSTGRESQL",
  .options = "?sslmode=disable",
  .setup = setup,
  .empty = "TRUNCATE TABLE target",
  .pipelines = 1,
  .open = open_raw,
  .close = close_raw,
  .point = point,
  .point_text = point_text,
  .point_unprepared = point_unprepared,
  .fetch = fetch,
  .fetch_kept = fetch_kept,
  .insert = insert,
  .bulk = bulk,
  .connect = connect_raw,
};
