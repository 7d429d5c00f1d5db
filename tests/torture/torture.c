/* Without memory: what lies below a database, and one on SQLite. See walk.h.
 *
 *   torture [SCRIPT]      one script, or all; prints the runs of each */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tenon/tenon.h>
#include <unistd.h>

#include "walk.h"

static const char *url;
static tn_registry *registry;

struct script {
  const char *name;
  enum tn_code (*run)(tn_err *err);
  int needs_registry; /* a loaded plug-in, made before the counting */
};

static enum tn_code
parse_url(tn_err *err)
{
  TN_CLEANUP(tn_url_free) tn_url *parsed = NULL;
  TN_CLEANUP(tn_url_free) tn_url *copy = NULL;
  enum tn_code rc = tn_url_parse("postgresql+asyncpg://us%20er:pass%40word@"
                                 "h1:5432,[::1]:5433/data%20base"
                                 "?sslmode=verify-full&host=h3&application"
                                 "_name=a+b",
                                 &parsed, err);

  if (rc == TN_OK)
    rc = tn_url_copy(parsed, &copy, err);
  if (rc == TN_OK)
    rc = tn_url_set_password(copy, "another", err);
  return rc;
}

static enum tn_code
parse_config(tn_err *err)
{
  static const char text[] = "[database]\nconnection = sqlite:///a.db\n"
                             "max_pool_size = 7\npassword = env:HOME\n"
                             "[database:billing]\n"
                             "connection = sqlite:///b.db\n[other]\nx = y\n";
  TN_CLEANUP(tn_config_free) tn_config *config = NULL;
  const char *value = NULL;
  enum tn_code rc =
      tn_config_parse(text, sizeof text - 1, "torture", NULL, &config, err);

  if (rc == TN_OK)
    rc = tn_config_text(config, "database", "password", &value, err);
  if (rc == TN_OK)
    rc = tn_config_text(config, "billing", "connection", &value, err);
  return rc;
}

static enum tn_code
load_plugin(tn_err *err)
{
  TN_CLEANUP(tn_registry_free) tn_registry *fresh = NULL;
  struct tn_plugin_report report;
  enum tn_code rc = tn_registry_new(NULL, &fresh, err);

  if (rc != TN_OK)
    return rc;
  return tn_registry_inspect(fresh, "sqlite", &report, err);
}

static enum tn_code
refuse_scheme(tn_err *err)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  const struct tn_conn_options options = { .registry = registry };
  enum tn_code rc = tn_conn_open("nosuch://host/db", &options, &conn, err);

  return rc == TN_E_PLUGIN ? TN_OK : rc;
}

static enum tn_code
open_conn(tn_conn **ret, tn_err *err)
{
  const struct tn_conn_options options = { .registry = registry };

  return tn_conn_open(url, &options, ret, err);
}

static enum tn_code
connect_only(tn_err *err)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;

  return open_conn(&conn, err);
}

static enum tn_code
query_rows(uint32_t flags, tn_err *err)
{
  static const char *const names[] = { "text", "most" };
  const tn_value values[] = { tn_text("some text"), tn_int64(100) };
  const struct tn_query query = {
    .sql = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r "
           "WHERE n < :most) SELECT n, :text || n, CAST(n AS REAL) FROM r "
           "WHERE n <= :most",
    .values = values,
    .names = names,
    .value_count = 2,
    .flags = flags,
  };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  enum tn_code rc = open_conn(&conn, err);

  if (rc == TN_OK)
    rc = tn_conn_query(conn, &query, &result, err);
  return rc == TN_OK ? walk_rows(result, err) : rc;
}

static enum tn_code
stream_rows(tn_err *err)
{
  return query_rows(0, err);
}

static enum tn_code
buffer_rows(tn_err *err)
{
  return query_rows(TN_QUERY_BUFFERED, err);
}

static enum tn_code
all_types(tn_err *err)
{
  static const uint8_t uuid[16] = { 1 };
  const tn_value values[] = {
    tn_bool(1),     tn_double(0.5),  tn_decimal("1.50"), tn_blob("bytes", 5),
    tn_date(1),     tn_time(1),      tn_timestamp(1),    tn_uuid(uuid),
    tn_json("[1]"), tn_text("text"), tn_null(),
  };
  const struct tn_query insert = {
    .sql = "INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    .values = values,
    .value_count = sizeof values / sizeof values[0],
  };
  const struct tn_query select = { .sql = "SELECT * FROM t" };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  enum tn_code rc = open_conn(&conn, err);

  if (rc == TN_OK)
    rc = tn_conn_exec(conn,
                      "CREATE TEMP TABLE t (a BOOLEAN, b DOUBLE, c DECIMAL, "
                      "d BLOB, e DATE, f TIME, g TIMESTAMP, h UUID, i JSON, "
                      "j TEXT, k INTEGER)",
                      NULL, err);
  if (rc == TN_OK)
    rc = tn_conn_query(conn, &insert, &result, err);
  tn_result_close(&result);
  if (rc == TN_OK)
    rc = tn_conn_query(conn, &select, &result, err);
  return rc == TN_OK ? walk_rows(result, err) : rc;
}

static enum tn_code
prepared_twice(tn_err *err)
{
  const tn_value value = tn_int64(1);
  const struct tn_query query = { .values = &value, .value_count = 1 };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_prepared_close) tn_prepared *prepared = NULL;
  enum tn_code rc = open_conn(&conn, err);
  int i;

  if (rc == TN_OK)
    rc = tn_conn_prepare(conn, "SELECT ?, 'x'", 0, &prepared, err);
  for (i = 0; i < 2 && rc == TN_OK; i++) {
    TN_CLEANUP(tn_result_close) tn_result *result = NULL;

    rc = tn_prepared_query(prepared, &query, &result, err);
    if (rc == TN_OK)
      rc = walk_rows(result, err);
  }
  return rc;
}

/* A statement as a batch of three rows, whose values have to be put in
 * order. */
static enum tn_code
run_batch(tn_conn *conn, const char *sql, tn_err *err)
{
  static const char *const names[] = { "a", "b" };
  const tn_value values[] = { tn_int64(1), tn_text("one"), tn_int64(2),
                              tn_null(),   tn_int64(3),    tn_text("three") };
  const struct tn_batch batch = {
    .values = values, .names = names, .value_count = 2, .row_count = 3
  };
  TN_CLEANUP(tn_prepared_close) tn_prepared *prepared = NULL;
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  enum tn_code rc = tn_conn_prepare(conn, sql, 0, &prepared, err);

  if (rc == TN_OK)
    rc = tn_prepared_batch(prepared, &batch, &result, err);
  if (rc == TN_OK)
    rc = walk_sets(result, err);
  tn_result_close(&result);
  return rc;
}

static enum tn_code
batches(tn_err *err)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  enum tn_code rc = open_conn(&conn, err);

  if (rc == TN_OK)
    rc = tn_conn_exec(
        conn, "CREATE TEMP TABLE b (v INTEGER PRIMARY KEY, t TEXT)", NULL, err);
  if (rc == TN_OK)
    rc = run_batch(conn, "INSERT INTO b (t, v) VALUES (:b, :a)", err);
  if (rc == TN_OK)
    rc = run_batch(conn, "SELECT t FROM b WHERE v = :a OR t = :b", err);
  if (rc == TN_OK)
    rc =
        run_batch(conn, "UPDATE b SET t = :b WHERE v = :a RETURNING t, v", err);
  return rc;
}

/* More rows than there are in one statement, and some that are left over. */
static enum tn_code
bulk_load(tn_err *err)
{
  static const char *const columns[] = { "v", "t" };
  static const struct tn_bulk_options options = { .table = "b",
                                                  .columns = columns,
                                                  .column_count = 2 };
  tn_value values[2 * 130];
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_bulk_close) tn_bulk *bulk = NULL;
  uint64_t rows = 0;
  enum tn_code rc = open_conn(&conn, err);
  int i;

  for (i = 0; i < 130; i++) {
    values[2 * i] = tn_int64(i);
    values[2 * i + 1] = tn_text("some text");
  }
  if (rc == TN_OK)
    rc = tn_conn_exec(conn, "CREATE TEMP TABLE b (v INTEGER, t TEXT)", NULL,
                      err);
  if (rc == TN_OK)
    rc = tn_bulk_open(conn, &options, &bulk, err);
  if (rc == TN_OK)
    rc = tn_bulk_write(bulk, values, 130, err);
  if (rc == TN_OK)
    rc = tn_bulk_finish(bulk, &rows, err);
  return rc == TN_OK && rows != 130 ? TN_E_INTERNAL : rc;
}

/* Rows that the plug-in holds itself. */
static enum tn_code
complete_rows(tn_err *err)
{
  const struct tn_query query = {
    .sql = "INSERT INTO b VALUES ('one'), ('two') RETURNING v, v || v",
    .flags = TN_QUERY_BUFFERED,
  };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  enum tn_code rc = open_conn(&conn, err);

  if (rc == TN_OK)
    rc = tn_conn_exec(conn, "CREATE TEMP TABLE b (v TEXT)", NULL, err);
  if (rc == TN_OK)
    rc = tn_conn_query(conn, &query, &result, err);
  if (rc == TN_OK)
    rc = tn_conn_exec(conn, "DROP TABLE b", NULL, err);
  return rc == TN_OK ? walk_sets(result, err) : rc;
}

static enum tn_code
transaction(tn_err *err)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  enum tn_code rc = open_conn(&conn, err);

  if (rc == TN_OK)
    rc = tn_conn_begin(conn, NULL, err);
  if (rc == TN_OK)
    rc = tn_conn_exec(conn, "CREATE TABLE IF NOT EXISTS a (v INTEGER)", NULL,
                      err);
  if (rc == TN_OK)
    rc = tn_conn_savepoint(conn, "s", err);
  if (rc == TN_OK)
    rc = tn_conn_exec(conn, "INSERT INTO a VALUES (1)", NULL, err);
  if (rc == TN_OK)
    rc = tn_conn_rollback_savepoint(conn, "s", err);
  if (rc == TN_OK)
    rc = tn_conn_commit(conn, err);
  if (rc == TN_OK)
    rc = tn_conn_reset(conn, err);
  return rc;
}

static enum tn_code
script_and_error(tn_err *err)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  enum tn_code rc = open_conn(&conn, err);

  if (rc == TN_OK)
    rc = tn_conn_script(conn,
                        "CREATE TEMP TABLE u (v INTEGER UNIQUE);"
                        "INSERT INTO u VALUES (1);"
                        "INSERT INTO u VALUES (1)",
                        NULL, NULL, err);
  return rc == TN_E_DUPLICATE ? TN_OK : rc;
}

static enum tn_code
regular_expression(tn_err *err)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  enum tn_code rc = open_conn(&conn, err);

  if (rc == TN_OK)
    rc = tn_conn_exec(conn, "SELECT 'abc' REGEXP 'a.c', 'x' REGEXP '^y'", NULL,
                      err);
  return rc;
}

static enum tn_code
open_lent(void *user, tn_deadline deadline, tn_conn **ret, tn_err *err)
{
  (void)user;
  (void)deadline;
  return open_conn(ret, err);
}

/* Sessions that are kept, replaced and made ready; more of them than the pool
 * has room for at first. */
static enum tn_code
loans(tn_err *err)
{
  struct tn_pool_options options = TN_POOL_OPTIONS_INIT;
  TN_CLEANUP(tn_pool_close) tn_pool *pool = NULL;
  tn_conn *lent[36] = { NULL };
  enum tn_code rc;
  int i;

  options.connect = open_lent;
  options.size = 36;
  options.min_idle = 1;
  rc = tn_pool_open(&options, &pool, err);
  for (i = 0; i < 36 && rc == TN_OK; i++)
    rc = tn_pool_take(pool, NULL, &lent[i], err);
  if (rc == TN_OK)
    rc = tn_conn_begin(lent[0], NULL, err);
  if (rc == TN_OK)
    rc = tn_conn_exec(lent[1], "SELECT 1", NULL, err);
  for (i = 0; i < 36; i++)
    tn_pool_give(&lent[i]);
  if (rc == TN_OK) {
    tn_pool_invalidate(pool);
    tn_pool_tick(pool);
    rc = tn_pool_take(pool, NULL, &lent[0], err);
    tn_pool_discard(&lent[0]);
  }
  return rc;
}

static const struct script scripts[] = {
  { "url", parse_url, 0 },           { "config", parse_config, 0 },
  { "load", load_plugin, 0 },        { "scheme", refuse_scheme, 1 },
  { "connect", connect_only, 1 },    { "stream", stream_rows, 1 },
  { "buffer", buffer_rows, 1 },      { "types", all_types, 1 },
  { "prepared", prepared_twice, 1 }, { "transaction", transaction, 1 },
  { "script", script_and_error, 1 }, { "regexp", regular_expression, 1 },
  { "batch", batches, 1 },           { "bulk", bulk_load, 1 },
  { "complete", complete_rows, 1 },  { "pool", loans, 1 },
};

static enum tn_code
run(const void *what, tn_err *err)
{
  return ((const struct script *)what)->run(err);
}

int
main(int argc, char **argv)
{
  char path[] = "/tmp/tenon-torture-XXXXXX";
  char text[64];
  int fd = mkstemp(path);
  bool is_good = fd >= 0;
  size_t i;

  if (fd >= 0)
    close(fd);
  snprintf(text, sizeof text, "sqlite:///%s", path);
  url = text;
  for (i = 0; i < sizeof scripts / sizeof scripts[0]; i++) {
    if (argc > 1 && strcmp(argv[1], scripts[i].name) != 0)
      continue;
    if (scripts[i].needs_registry && registry == NULL)
      registry = walk_registry("sqlite");
    is_good = walk(scripts[i].name, run, &scripts[i]) && is_good;
  }
  tn_registry_free(&registry);
  unlink(path);
  return !walk_end() || !is_good;
}
