/* The PostgreSQL plug-in without memory: as torture.c, on the server that
 * TENON_TEST_POSTGRESQL names. The client library's own allocations are not
 * ours to fail. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tenon/tenon.h>

#include "walk.h"

static const char *url;
static tn_registry *registry;

struct script {
  const char *name;
  enum tn_code (*run)(tn_conn *conn, tn_err *err);
};

static enum tn_code
connect_only(tn_conn *conn, tn_err *err)
{
  return tn_conn_ping(conn, 0, err);
}

/* Types that are looked up, and some that need memory of their own. */
static const char CREATE_TYPES[] =
    "DO $$ BEGIN CREATE TYPE tn_mood AS ENUM ('sad', 'happy'); "
    "EXCEPTION WHEN duplicate_object THEN NULL; END $$";
static const char DROP_TYPES[] = "DROP TYPE tn_mood";

static enum tn_code
query_rows(tn_conn *conn, uint32_t flags, tn_err *err)
{
  const tn_value values[] = { tn_text("some text"), tn_int64(7),
                              tn_decimal("12345678901234567890.5") };
  const struct tn_query query = {
    .sql = "SELECT ?::text AS a, ?::int AS b, ?::numeric AS c, "
           "ARRAY[1, 2, NULL] AS d, 'sad'::tn_mood AS e, now() AS f "
           "FROM generate_series(1, 3)",
    .values = values,
    .value_count = 3,
    .flags = flags,
  };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  enum tn_code rc = tn_conn_query(conn, &query, &result, err);

  return rc == TN_OK ? walk_sets(result, err) : rc;
}

static enum tn_code
stream_rows(tn_conn *conn, tn_err *err)
{
  return query_rows(conn, 0, err);
}

static enum tn_code
buffer_rows(tn_conn *conn, tn_err *err)
{
  return query_rows(conn, TN_QUERY_BUFFERED, err);
}

static enum tn_code
prepared_over_a_reset(tn_conn *conn, tn_err *err)
{
  const tn_value value = tn_int64(1);
  const struct tn_query query = { .values = &value, .value_count = 1 };
  TN_CLEANUP(tn_prepared_close) tn_prepared *prepared = NULL;
  enum tn_code rc = tn_conn_prepare(conn, "SELECT ?, 'x'", 0, &prepared, err);
  int i;

  for (i = 0; i < 2 && rc == TN_OK; i++) {
    TN_CLEANUP(tn_result_close) tn_result *result = NULL;

    rc = tn_prepared_query(prepared, &query, &result, err);
    if (rc == TN_OK)
      rc = walk_sets(result, err);
    tn_result_close(&result);
    if (rc == TN_OK && i == 0)
      rc = tn_conn_reset(conn, err);
  }
  return rc;
}

/* The parameter's type is asked for a second time, inside a transaction. */
static enum tn_code
transaction(tn_conn *conn, tn_err *err)
{
  const struct tn_txn_options options = { .isolation =
                                              TN_ISOLATION_SERIALIZABLE };
  const tn_value value = tn_int64(1);
  const struct tn_query query = { .sql = "SELECT ?",
                                  .values = &value,
                                  .value_count = 1 };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  enum tn_code rc = tn_conn_begin(conn, &options, err);

  if (rc == TN_OK)
    rc = tn_conn_savepoint(conn, "s", err);
  if (rc == TN_OK)
    rc = tn_conn_query(conn, &query, &result, err);
  if (rc == TN_OK)
    rc = walk_sets(result, err);
  tn_result_close(&result);
  if (rc == TN_OK)
    rc = tn_conn_rollback_savepoint(conn, "s", err);
  return rc == TN_OK ? tn_conn_commit(conn, err) : rc;
}

/* Types are asked for step by step, and others with the next values. */
static enum tn_code
open_statement(tn_conn *conn, tn_err *err)
{
  const tn_value values[][2] = { { tn_int64(1), tn_null() },
                                 { tn_double(0.5), tn_text("a") } };
  TN_CLEANUP(tn_prepared_close) tn_prepared *prepared = NULL;
  enum tn_code rc = tn_conn_begin(conn, NULL, err);
  int i;

  if (rc == TN_OK)
    rc = tn_conn_prepare(conn, "SELECT -?, concat(?)", 0, &prepared, err);
  for (i = 0; i < 2 && rc == TN_OK; i++) {
    const struct tn_query query = { .values = values[i], .value_count = 2 };
    TN_CLEANUP(tn_result_close) tn_result *result = NULL;

    rc = tn_prepared_query(prepared, &query, &result, err);
    if (rc == TN_OK)
      rc = walk_sets(result, err);
  }
  return rc == TN_OK ? tn_conn_rollback(conn, err) : rc;
}

/* Names are given, and let go. */
static enum tn_code
many_statements(tn_conn *conn, tn_err *err)
{
  enum tn_code rc = TN_OK;
  int round;

  for (round = 0; round < 2 && rc == TN_OK; round++) {
    const struct tn_query query = { .sql = NULL };
    TN_CLEANUP(tn_prepared_close) tn_prepared *one = NULL;
    TN_CLEANUP(tn_prepared_close) tn_prepared *other = NULL;
    TN_CLEANUP(tn_result_close) tn_result *result = NULL;

    rc = tn_conn_prepare(conn, "SELECT 1", 0, &one, err);
    if (rc == TN_OK)
      rc = tn_conn_prepare(conn, "SELECT 2", 0, &other, err);
    if (rc == TN_OK)
      rc = tn_prepared_query(one, &query, &result, err);
    if (rc == TN_OK)
      rc = walk_sets(result, err);
  }
  return rc;
}

/* Without memory the session cannot be saved, but the call ends all the
 * same. */
static enum tn_code
past_the_deadline(tn_conn *conn, tn_err *err)
{
  const struct tn_query query = { .sql = "SELECT pg_sleep(60)",
                                  .deadline = tn_deadline_after_ms(30) };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  enum tn_code rc = tn_conn_query(conn, &query, &result, err);

  if (rc == TN_OK)
    rc = walk_sets(result, err);
  return rc == TN_E_TIMEOUT ? TN_OK : rc;
}

static enum tn_code
rows_left_unread(tn_conn *conn, tn_err *err)
{
  const struct tn_query query = {
    .sql = "SELECT n FROM generate_series(1, 100000) n"
  };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  enum tn_code rc = tn_conn_query(conn, &query, &result, err);

  return rc == TN_OK ? tn_result_next(result, &row, err) : rc;
}

static enum tn_code
duplicate(tn_conn *conn, tn_err *err)
{
  enum tn_code rc =
      tn_conn_script(conn,
                     "CREATE TEMPORARY TABLE u (v INTEGER UNIQUE);"
                     "INSERT INTO u VALUES (1); INSERT INTO u VALUES (1)",
                     NULL, NULL, err);

  return rc == TN_E_DUPLICATE ? TN_OK : rc;
}

#define ROWS 20

static enum tn_code
batch(tn_conn *conn, tn_err *err)
{
  tn_value values[2 * ROWS];
  const struct tn_batch batch = { .values = values,
                                  .value_count = 2,
                                  .row_count = ROWS };
  TN_CLEANUP(tn_prepared_close) tn_prepared *prepared = NULL;
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  enum tn_code rc = tn_conn_exec(
      conn, "CREATE TEMPORARY TABLE b (v INTEGER, t TEXT)", NULL, err);
  int i;

  for (i = 0; i < ROWS; i++) {
    values[2 * i] = tn_int64(i);
    values[2 * i + 1] = i % 2 != 0 ? tn_text("some text") : tn_null();
  }
  if (rc == TN_OK)
    rc =
        tn_conn_prepare(conn, "INSERT INTO b VALUES (?, ?)", 0, &prepared, err);
  if (rc == TN_OK)
    rc = tn_prepared_batch(prepared, &batch, &result, err);
  return rc == TN_OK ? walk_sets(result, err) : rc;
}

static enum tn_code
bulk(tn_conn *conn, tn_err *err)
{
  static const char *const columns[] = { "v", "t" };
  static const struct tn_bulk_options options = { .table = "b",
                                                  .columns = columns,
                                                  .column_count = 2 };
  tn_value values[2 * ROWS];
  TN_CLEANUP(tn_bulk_close) tn_bulk *load = NULL;
  uint64_t rows = 0;
  enum tn_code rc = tn_conn_exec(
      conn, "CREATE TEMPORARY TABLE b (v INTEGER, t TEXT)", NULL, err);
  int i;

  for (i = 0; i < ROWS; i++) {
    values[2 * i] = tn_int64(i);
    values[2 * i + 1] = tn_text("some text");
  }
  if (rc == TN_OK)
    rc = tn_bulk_open(conn, &options, &load, err);
  if (rc == TN_OK)
    rc = tn_bulk_write(load, values, ROWS, err);
  if (rc == TN_OK)
    rc = tn_bulk_finish(load, &rows, err);
  return rc == TN_OK && rows != ROWS ? TN_E_INTERNAL : rc;
}

static const struct script scripts[] = {
  { "connect", connect_only },
  { "stream", stream_rows },
  { "buffer", buffer_rows },
  { "prepared", prepared_over_a_reset },
  { "transaction", transaction },
  { "open statement", open_statement },
  { "statements", many_statements },
  { "deadline", past_the_deadline },
  { "unread", rows_left_unread },
  { "duplicate", duplicate },
  { "batch", batch },
  { "bulk", bulk },
};

static enum tn_code
run(const void *what, tn_err *err)
{
  const struct script *script = what;
  const struct tn_conn_options options = { .registry = registry };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  enum tn_code rc = tn_conn_open(url, &options, &conn, err);

  return rc == TN_OK ? script->run(conn, err) : rc;
}

/* What scripts need, made and dropped with all the memory there is. */
static bool
run_plain(const char *sql)
{
  const struct tn_conn_options options = { .registry = registry };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;
  enum tn_code rc = tn_conn_open(url, &options, &conn, &err);

  if (rc == TN_OK)
    rc = tn_conn_exec(conn, sql, NULL, &err);
  if (rc != TN_OK)
    printf("torture_postgresql: %s\n", err.message);
  return rc == TN_OK;
}

int
main(int argc, char **argv)
{
  bool is_good = true;
  size_t i;

  url = getenv("TENON_TEST_POSTGRESQL");
  if (url == NULL) {
    puts("torture_postgresql: TENON_TEST_POSTGRESQL names no server");
    return 1;
  }
  registry = walk_registry("postgresql");
  is_good = run_plain(CREATE_TYPES);
  for (i = 0; i < sizeof scripts / sizeof scripts[0]; i++)
    if (argc < 2 || strcmp(argv[1], scripts[i].name) == 0)
      is_good = walk(scripts[i].name, run, &scripts[i]) && is_good;
  is_good = run_plain(DROP_TYPES) && is_good;
  tn_registry_free(&registry);
  return !walk_end() || !is_good;
}
