/* Tenon against the best use of the raw sqlite3 API, in one run.
 *
 * Only ratios mean anything: both sides do the same work on the same kind of
 * database, in turn, A B then B A, so that a machine whose speed drifts drifts
 * for both. Each side sums what it read, and the sums must agree. "Best raw
 * use" opens without the library's mutex and reads through sqlite3_value.
 *
 *   bench_sqlite [ROUNDS [WORD]]  prints a row per workload (those whose name
 *                                 has WORD in it): ratio of the times, Tenon
 *                                 to raw, as minimum, median and maximum */
#include <fcntl.h>
#include <spawn.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <tenon/tenon.h>
#include <unistd.h>

#define ROWS       100000
#define POINTS     100000
#define STARTS     40
#define MAX_ROUNDS 101

static const char SELECT_POINT[] =
    "SELECT id, name, score, note FROM point WHERE id = ?";
static const char SELECT_ALL[] = "SELECT i, b, d, t, n, at FROM wide";
static const char INSERT[] = "INSERT INTO target VALUES (?, ?, ?, ?)";

static const char SETUP[] =
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

struct bench {
  sqlite3 *raw;
  sqlite3_stmt *raw_point;
  sqlite3_stmt *raw_all;
  sqlite3_stmt *raw_insert;
  tn_conn *conn;
  tn_prepared *point;
  tn_prepared *all;
  tn_prepared *insert;
};

static void
die(const char *what, const char *why)
{
  fprintf(stderr, "bench: %s: %s\n", what, why);
  exit(1);
}

static void
good(enum tn_code rc, const tn_err *err)
{
  if (rc != TN_OK)
    die(tn_code_name(rc), err->message);
}

static uint32_t
next_key(uint32_t *state)
{
  *state = *state * 1664525u + 1013904223u;
  return (*state >> 8) % ROWS + 1;
}

static double
raw_cell(sqlite3_value *value)
{
  switch (sqlite3_value_type(value)) {
  case SQLITE_INTEGER:
    return (double)sqlite3_value_int64(value);
  case SQLITE_FLOAT:
    return sqlite3_value_double(value);
  case SQLITE_TEXT: {
    const unsigned char *text = sqlite3_value_text(value);

    return text[0] + sqlite3_value_bytes(value);
  }
  default:
    return 1;
  }
}

static double
cell(const tn_value *value)
{
  switch (value->type) {
  case TN_INT64:
    return (double)value->as.int64;
  case TN_DOUBLE:
    return value->as.real;
  case TN_TEXT:
    return (unsigned char)value->as.bytes.data[0] +
           (double)value->as.bytes.size;
  case TN_TIMESTAMP: /* '2' and the 26 characters that raw use reads */
    return '2' + 26;
  default:
    return 1;
  }
}

static double
raw_point(struct bench *bench)
{
  uint32_t state = 1;
  double sum = 0;
  int i;
  int c;

  for (i = 0; i < POINTS; i++) {
    sqlite3_bind_int64(bench->raw_point, 1, next_key(&state));
    if (sqlite3_step(bench->raw_point) != SQLITE_ROW)
      die("raw", "no row");
    for (c = 0; c < 4; c++)
      sum += raw_cell(sqlite3_column_value(bench->raw_point, c));
    sqlite3_reset(bench->raw_point);
  }
  return sum;
}

static double
tenon_point(struct bench *bench)
{
  uint32_t state = 1;
  double sum = 0;
  tn_err err = TN_ERR_INIT;
  int i;
  int c;

  for (i = 0; i < POINTS; i++) {
    const tn_value key = tn_int64(next_key(&state));
    const struct tn_query query = { .values = &key, .value_count = 1 };
    tn_result *result = NULL;
    const tn_value *row = NULL;

    good(tn_prepared_query(bench->point, &query, &result, &err), &err);
    good(tn_result_next(result, &row, &err), &err);
    if (row == NULL)
      die("tenon", "no row");
    for (c = 0; c < 4; c++)
      sum += cell(&row[c]);
    tn_result_close(&result);
  }
  return sum;
}

static double
raw_fetch(struct bench *bench)
{
  double sum = 0;
  int c;

  while (sqlite3_step(bench->raw_all) == SQLITE_ROW)
    for (c = 0; c < 6; c++)
      sum += raw_cell(sqlite3_column_value(bench->raw_all, c));
  sqlite3_reset(bench->raw_all);
  return sum;
}

static double
tenon_fetch(struct bench *bench)
{
  const struct tn_query query = { .sql = NULL };
  tn_result *result = NULL;
  const tn_value *row = NULL;
  double sum = 0;
  tn_err err = TN_ERR_INIT;
  int c;

  good(tn_prepared_query(bench->all, &query, &result, &err), &err);
  for (;;) {
    good(tn_result_next(result, &row, &err), &err);
    if (row == NULL)
      break;
    for (c = 0; c < 6; c++)
      sum += cell(&row[c]);
  }
  tn_result_close(&result);
  return sum;
}

static void
raw_exec(struct bench *bench, const char *sql)
{
  if (sqlite3_exec(bench->raw, sql, NULL, NULL, NULL) != SQLITE_OK)
    die(sql, sqlite3_errmsg(bench->raw));
}

static double
raw_insert(struct bench *bench)
{
  char name[40];
  int i;

  raw_exec(bench, "BEGIN");
  for (i = 1; i <= ROWS; i++) {
    int size = snprintf(name, sizeof name, "name number %d", i);

    sqlite3_bind_int64(bench->raw_insert, 1, i);
    sqlite3_bind_text(bench->raw_insert, 2, name, size, SQLITE_STATIC);
    sqlite3_bind_double(bench->raw_insert, 3, i * 0.5);
    if (i % 2 == 0)
      sqlite3_bind_text(bench->raw_insert, 4, name, size, SQLITE_STATIC);
    else
      sqlite3_bind_null(bench->raw_insert, 4);
    if (sqlite3_step(bench->raw_insert) != SQLITE_DONE)
      die("insert", sqlite3_errmsg(bench->raw));
    sqlite3_reset(bench->raw_insert);
  }
  raw_exec(bench, "COMMIT");
  raw_exec(bench, "DELETE FROM target");
  return ROWS;
}

static double
tenon_insert(struct bench *bench)
{
  tn_value values[4];
  const struct tn_query query = { .values = values, .value_count = 4 };
  char name[40];
  uint64_t affected = 0;
  double sum = 0;
  tn_err err = TN_ERR_INIT;
  int i;

  good(tn_conn_begin(bench->conn, NULL, &err), &err);
  for (i = 1; i <= ROWS; i++) {
    int size = snprintf(name, sizeof name, "name number %d", i);
    tn_result *result = NULL;

    values[0] = tn_int64(i);
    values[1] = tn_bytes(TN_TEXT, name, (size_t)size);
    values[2] = tn_double(i * 0.5);
    values[3] = i % 2 == 0 ? values[1] : tn_null();
    good(tn_prepared_query(bench->insert, &query, &result, &err), &err);
    sum += (double)tn_result_affected(result);
    tn_result_close(&result);
  }
  good(tn_conn_commit(bench->conn, &err), &err);
  good(tn_conn_exec(bench->conn, "DELETE FROM target", &affected, &err), &err);
  if (affected != ROWS)
    die("delete", "not all rows were there");
  return sum;
}

/* Start a program that opens, selects one row and ends. */
static double
start_program(const char *name)
{
  extern char **environ;
  char *arguments[] = { (char *)name, NULL };
  double sum = 0;
  int i;

  for (i = 0; i < STARTS; i++) {
    pid_t child;
    int status = 1;

    if (posix_spawn(&child, name, NULL, NULL, arguments, environ) != 0 ||
        waitpid(child, &status, 0) != child || status != 0)
      die(name, "did not run");
    sum++;
  }
  return sum;
}

static double
raw_start(struct bench *bench)
{
  (void)bench;
  return start_program(COLD_RAW);
}

static double
tenon_start(struct bench *bench)
{
  (void)bench;
  return start_program(COLD_TENON);
}

struct workload {
  const char *name;
  const char *goal;
  double (*raw)(struct bench *bench);
  double (*tenon)(struct bench *bench);
  int operations; /* not 0: print the difference of one in milliseconds */
};

static const struct workload workloads[] = {
  { "point select by key", "1.15", raw_point, tenon_point, 0 },
  { "fetch 100,000 x 6", "1.10", raw_fetch, tenon_fetch, 0 },
  { "insert 100,000 rows", "1.10", raw_insert, tenon_insert, 0 },
  { "cold start", "+2 ms", raw_start, tenon_start, STARTS },
};

static double
timed(double (*run)(struct bench *bench), struct bench *bench, double *ret_sum)
{
  int64_t start = tn_clock_now();

  *ret_sum = run(bench);
  return (double)(tn_clock_now() - start) / 1e6;
}

static int
by_size(const void *a, const void *b)
{
  double left = *(const double *)a;
  double right = *(const double *)b;

  return (left > right) - (left < right);
}

static void
run_workload(const struct workload *work, struct bench *bench, int rounds)
{
  double ratios[MAX_ROUNDS];
  double extra[MAX_ROUNDS];
  int round;

  for (round = -1; round < rounds; round++) {
    double raw_sum = 0;
    double tenon_sum = 0;
    double raw_ms;
    double tenon_ms;

    if (round % 2 == 0) {
      raw_ms = timed(work->raw, bench, &raw_sum);
      tenon_ms = timed(work->tenon, bench, &tenon_sum);
    } else {
      tenon_ms = timed(work->tenon, bench, &tenon_sum);
      raw_ms = timed(work->raw, bench, &raw_sum);
    }
    if (raw_sum != tenon_sum)
      die(work->name, "the two sides did not read the same");
    if (round < 0) /* warming up */
      continue;
    ratios[round] = tenon_ms / raw_ms;
    extra[round] =
        work->operations == 0 ? 0 : (tenon_ms - raw_ms) / work->operations;
  }
  qsort(ratios, (size_t)rounds, sizeof ratios[0], by_size);
  qsort(extra, (size_t)rounds, sizeof extra[0], by_size);
  printf("%-22s %6s   %.3f  %.3f  %.3f", work->name, work->goal, ratios[0],
         ratios[rounds / 2], ratios[rounds - 1]);
  if (work->operations != 0)
    printf("   %+.2f ms", extra[rounds / 2]);
  putchar('\n');
  fflush(stdout);
}

static void
open_raw(struct bench *bench, const char *path)
{
  if (sqlite3_open_v2(path, &bench->raw,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
                          SQLITE_OPEN_NOMUTEX,
                      NULL) != SQLITE_OK)
    die(path, "cannot be opened");
  raw_exec(bench, SETUP);
  if (sqlite3_prepare_v3(bench->raw, SELECT_POINT, -1,
                         SQLITE_PREPARE_PERSISTENT, &bench->raw_point,
                         NULL) != SQLITE_OK ||
      sqlite3_prepare_v3(bench->raw, SELECT_ALL, -1, SQLITE_PREPARE_PERSISTENT,
                         &bench->raw_all, NULL) != SQLITE_OK ||
      sqlite3_prepare_v3(bench->raw, INSERT, -1, SQLITE_PREPARE_PERSISTENT,
                         &bench->raw_insert, NULL) != SQLITE_OK)
    die("prepare", sqlite3_errmsg(bench->raw));
}

static void
open_tenon(struct bench *bench, const char *path)
{
  char url[256];
  tn_err err = TN_ERR_INIT;

  snprintf(url, sizeof url, "sqlite:///%s", path);
  good(tn_conn_open(url, NULL, &bench->conn, &err), &err);
  good(tn_conn_script(bench->conn, SETUP, NULL, NULL, &err), &err);
  good(tn_conn_prepare(bench->conn, SELECT_POINT, 0, &bench->point, &err),
       &err);
  good(tn_conn_prepare(bench->conn, SELECT_ALL, 0, &bench->all, &err), &err);
  good(tn_conn_prepare(bench->conn, INSERT, 0, &bench->insert, &err), &err);
}

int
main(int argc, char **argv)
{
  char folder[] = "/tmp/tenon-bench-XXXXXX";
  char path[64];
  struct bench bench = { .raw = NULL };
  int rounds = argc > 1 ? atoi(argv[1]) : 11;
  size_t i;

  if (rounds < 1 || rounds > MAX_ROUNDS)
    die("rounds", "1 to 101");
  if (mkdtemp(folder) == NULL)
    die(folder, "cannot be made");
  snprintf(path, sizeof path, "%s/raw.db", folder);
  open_raw(&bench, path);
  snprintf(path, sizeof path, "%s/tenon.db", folder);
  open_tenon(&bench, path);

  printf("time, Tenon to raw     goal    min    median max    (%d rounds)\n",
         rounds);
  for (i = 0; i < sizeof workloads / sizeof workloads[0]; i++)
    if (argc < 3 || strstr(workloads[i].name, argv[2]) != NULL)
      run_workload(&workloads[i], &bench, rounds);

  sqlite3_finalize(bench.raw_point);
  sqlite3_finalize(bench.raw_all);
  sqlite3_finalize(bench.raw_insert);
  sqlite3_close(bench.raw);
  tn_prepared_close(&bench.point);
  tn_prepared_close(&bench.all);
  tn_prepared_close(&bench.insert);
  tn_conn_close(&bench.conn);
  unlink(path);
  snprintf(path, sizeof path, "%s/raw.db", folder);
  unlink(path);
  rmdir(folder);
  return 0;
}
