/* Tenon's side of the benchmark: nothing here knows the backend. */
#include "bench.h"

#include <stdbool.h>
#include <tenon/tenon.h>

static struct {
  const char *url;
  tn_conn *conn;
  tn_engine *engine;
  tn_prepared *point;
  tn_prepared *all;
  tn_prepared *insert;
} side;

static void
good(enum tn_code rc, const tn_err *err)
{
  if (rc != TN_OK)
    bench_die(tn_code_name(rc), err->message);
}

void
tenon_script(const char *url, const char *sql)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;

  good(tn_conn_open(url, NULL, &conn, &err), &err);
  good(tn_conn_script(conn, sql, NULL, NULL, &err), &err);
}

double
tenon_empty(const char *url)
{
  const struct tn_query count = { .sql = "SELECT count(*) FROM target" };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  tn_result *result = NULL;
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;
  double rows;

  good(tn_conn_open(url, NULL, &conn, &err), &err);
  good(tn_conn_query(conn, &count, &result, &err), &err);
  good(tn_result_next(result, &row, &err), &err);
  rows = row == NULL ? 0 : (double)row[0].as.int64;
  tn_result_close(&result);
  good(tn_conn_exec(conn, bench_raw.empty, NULL, &err), &err);
  return rows;
}

void
tenon_open(const char *url)
{
  tn_err err = TN_ERR_INIT;

  side.url = url;
  good(tn_conn_open(url, NULL, &side.conn, &err), &err);
  good(tn_engine_open(url, NULL, &side.engine, &err), &err);
  good(tn_conn_prepare(side.conn, BENCH_POINT, 0, &side.point, &err), &err);
  good(tn_conn_prepare(side.conn, BENCH_ALL, 0, &side.all, &err), &err);
  good(tn_conn_prepare(side.conn, BENCH_INSERT, 0, &side.insert, &err), &err);
}

void
tenon_close(void)
{
  tn_prepared_close(&side.point);
  tn_prepared_close(&side.all);
  tn_prepared_close(&side.insert);
  tn_conn_close(&side.conn);
  tn_engine_close(&side.engine);
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
    return bench_text(value->as.bytes.data, value->as.bytes.size);
  case TN_TIMESTAMP:
    return bench_raw.timestamp != 0 ? bench_raw.timestamp
                                    : bench_micros(value->as.micros);
  default:
    return BENCH_NULL;
  }
}

static double
sum_rows(tn_result *result, size_t columns)
{
  const tn_value *row = NULL;
  double sum = 0;
  tn_err err = TN_ERR_INIT;
  size_t c;

  for (;;) {
    good(tn_result_next(result, &row, &err), &err);
    if (row == NULL)
      return sum;
    for (c = 0; c < columns; c++)
      sum += cell(&row[c]);
  }
}

/* The one row of a point select, added cell by cell as the raw side does. */
static void
add_point(tn_result *result, double *sum, tn_err *err)
{
  const tn_value *row = NULL;
  int c;

  good(tn_result_next(result, &row, err), err);
  if (row == NULL)
    bench_die("tenon", "no row");
  for (c = 0; c < 4; c++)
    *sum += cell(&row[c]);
}

double
tenon_point(void)
{
  uint32_t state = 1;
  double sum = 0;
  tn_err err = TN_ERR_INIT;
  int i;

  for (i = 0; i < bench_trips(); i++) {
    const tn_value key = tn_int64(bench_next_key(&state));
    const struct tn_query query = { .values = &key, .value_count = 1 };
    tn_result *result = NULL;

    good(tn_prepared_query(side.point, &query, &result, &err), &err);
    add_point(result, &sum, &err);
    tn_result_close(&result);
  }
  return sum;
}

/* From the text each time: on the one connection, or by the engine. */
static double
point_text(int count, bool by_engine)
{
  uint32_t state = 1;
  double sum = 0;
  tn_err err = TN_ERR_INIT;
  int i;

  for (i = 0; i < count; i++) {
    const tn_value key = tn_int64(bench_next_key(&state));
    const struct tn_query query = { .sql = BENCH_POINT,
                                    .values = &key,
                                    .value_count = 1 };
    tn_result *result = NULL;

    good(by_engine ? tn_engine_query(side.engine, &query, &result, &err)
                   : tn_conn_query(side.conn, &query, &result, &err),
         &err);
    add_point(result, &sum, &err);
    tn_result_close(&result);
  }
  return sum;
}

double
tenon_point_engine(void)
{
  return point_text(bench_trips(), true);
}

double
tenon_point_text(void)
{
  return point_text(bench_trips() / 10, false);
}

double
tenon_point_text_txn(void)
{
  tn_err err = TN_ERR_INIT;
  double sum;

  good(tn_conn_begin(side.conn, NULL, &err), &err);
  sum = tenon_point_text();
  good(tn_conn_commit(side.conn, &err), &err);
  return sum;
}

double
tenon_pipeline(void)
{
  tn_value keys[BENCH_CHUNK];
  uint32_t state = 1;
  double sum = 0;
  tn_err err = TN_ERR_INIT;
  int done;
  int i;

  for (done = 0; done < bench_trips(); done += BENCH_CHUNK) {
    const struct tn_batch batch = { .values = keys,
                                    .value_count = 1,
                                    .row_count = BENCH_CHUNK };
    tn_result *result = NULL;
    int has_set = 1;

    for (i = 0; i < BENCH_CHUNK; i++)
      keys[i] = tn_int64(bench_next_key(&state));
    good(tn_prepared_batch(side.point, &batch, &result, &err), &err);
    while (has_set) {
      add_point(result, &sum, &err);
      good(tn_result_next_set(result, &has_set, &err), &err);
    }
    tn_result_close(&result);
  }
  return sum;
}

static double
fetch(uint32_t flags)
{
  const struct tn_query query = { .flags = flags };
  tn_result *result = NULL;
  tn_err err = TN_ERR_INIT;
  double sum;

  good(tn_prepared_query(side.all, &query, &result, &err), &err);
  sum = sum_rows(result, 6);
  tn_result_close(&result);
  return sum;
}

double
tenon_fetch(void)
{
  return fetch(0);
}

double
tenon_fetch_kept(void)
{
  return fetch(TN_QUERY_BUFFERED);
}

static void
fill(tn_value values[4], int number)
{
  const struct bench_row *row = &bench_rows[number];

  values[0] = tn_int64(number);
  values[1] = tn_bytes(TN_TEXT, row->name, row->size);
  values[2] = tn_double(number * 0.5);
  values[3] = number % 2 == 0 ? values[1] : tn_null();
}

double
tenon_insert(void)
{
  tn_value values[4];
  const struct tn_query query = { .values = values, .value_count = 4 };
  tn_err err = TN_ERR_INIT;
  int i;

  good(tn_conn_begin(side.conn, NULL, &err), &err);
  for (i = 1; i <= bench_trips(); i++) {
    tn_result *result = NULL;

    fill(values, i);
    good(tn_prepared_query(side.insert, &query, &result, &err), &err);
    tn_result_close(&result);
  }
  good(tn_conn_commit(side.conn, &err), &err);
  return 0;
}

double
tenon_batch(void)
{
  tn_value values[BENCH_CHUNK * 4];
  const struct tn_batch batch = { .values = values,
                                  .value_count = 4,
                                  .row_count = BENCH_CHUNK };
  tn_err err = TN_ERR_INIT;
  int done;
  int i;

  good(tn_conn_begin(side.conn, NULL, &err), &err);
  for (done = 0; done < bench_trips(); done += BENCH_CHUNK) {
    tn_result *result = NULL;

    for (i = 0; i < BENCH_CHUNK; i++)
      fill(&values[i * 4], done + i + 1);
    good(tn_prepared_batch(side.insert, &batch, &result, &err), &err);
    tn_result_close(&result);
  }
  good(tn_conn_commit(side.conn, &err), &err);
  return 0;
}

double
tenon_bulk_load(void)
{
  static const char *const columns[] = { "id", "name", "score", "note" };
  const struct tn_bulk_options options = { .table = "target",
                                           .columns = columns,
                                           .column_count = 4 };
  tn_value values[BENCH_CHUNK * 4];
  tn_bulk *bulk = NULL;
  tn_err err = TN_ERR_INIT;
  int done;
  int i;

  good(tn_bulk_open(side.conn, &options, &bulk, &err), &err);
  for (done = 0; done < BENCH_ROWS; done += BENCH_CHUNK) {
    for (i = 0; i < BENCH_CHUNK; i++)
      fill(&values[i * 4], done + i + 1);
    good(tn_bulk_write(bulk, values, BENCH_CHUNK, &err), &err);
  }
  good(tn_bulk_finish(bulk, NULL, &err), &err);
  tn_bulk_close(&bulk);
  return 0;
}

double
tenon_connect(void)
{
  tn_err err = TN_ERR_INIT;
  int i;

  for (i = 0; i < BENCH_CONNECTS; i++) {
    tn_conn *conn = NULL;

    good(tn_conn_open(side.url, NULL, &conn, &err), &err);
    tn_conn_close(&conn);
  }
  return BENCH_CONNECTS;
}
