/* Engines, transactions, scopes, retries and providers without memory, on
 * SQLite. See walk.h.
 *
 * Besides, what is said to be committed is there, and nothing else: each script
 * writes rows and says how many of them stay, and a table has as many at the
 * end.
 *
 *   torture_session [SCRIPT] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tenon/tenon.h>
#include <unistd.h>

#include "walk.h"

/* Nothing runs beside the scripts, whose allocations are counted. */
static const struct tn_setting settings[] = { { "pool_tick_time", "0" } };

static char url[64];
static char config_text[256];
static struct tn_engine_options engine_options = TN_ENGINE_OPTIONS_INIT;

/* Rows that are committed. */
static int64_t written;

struct script {
  const char *name;
  enum tn_code (*run)(tn_err *err);
};

/* ---- what they all do ---- */

static enum tn_code
write_row(tn_conn *conn, tn_err *err)
{
  const tn_value value = tn_text("a row");
  const struct tn_query insert = { .sql = "INSERT INTO walk VALUES (?)",
                                   .values = &value,
                                   .value_count = 1 };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  enum tn_code rc = tn_conn_query(conn, &insert, &result, err);

  return rc == TN_OK ? walk_rows(result, err) : rc;
}

static enum tn_code
write_in_txn(tn_txn *txn, void *user, tn_err *err)
{
  (void)user;
  return write_row(tn_txn_conn(txn), err);
}

/* A statement that fails is undone to its savepoint. */
static enum tn_code
fail_in_txn(tn_txn *txn, void *user, tn_err *err)
{
  enum tn_code rc = write_in_txn(txn, user, err);

  if (rc == TN_OK)
    rc = tn_conn_exec(tn_txn_conn(txn), "INSERT INTO once VALUES (1)", NULL,
                      err);
  return rc;
}

static enum tn_code
open_engine(tn_engine **ret, tn_err *err)
{
  return tn_engine_open(url, &engine_options, ret, err);
}

/* ---- transactions ---- */

static enum tn_code
engine_statements(tn_err *err)
{
  const struct tn_query query = { .sql = "SELECT count(*) FROM once" };
  TN_CLEANUP(tn_engine_close) tn_engine *engine = NULL;
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  enum tn_code rc = open_engine(&engine, err);

  if (rc == TN_OK)
    rc = tn_engine_start(engine, TN_DEADLINE_NONE, err);
  if (rc == TN_OK)
    rc = tn_engine_query(engine, &query, &result, err);
  if (rc == TN_OK)
    rc = walk_rows(result, err);
  tn_result_close(&result);
  if (rc == TN_OK)
    rc = tn_engine_exec(engine, "INSERT INTO walk VALUES ('exec')", NULL, err);
  written += rc == TN_OK;
  return rc;
}

static enum tn_code
nested_txn(tn_err *err)
{
  TN_CLEANUP(tn_engine_close) tn_engine *engine = NULL;
  TN_CLEANUP(tn_txn_end) tn_txn *outer = NULL;
  TN_CLEANUP(tn_txn_end) tn_txn *inner = NULL;
  enum tn_code rc = open_engine(&engine, err);

  if (rc == TN_OK)
    rc = tn_txn_take(engine, NULL, NULL, &outer, err);
  if (rc == TN_OK)
    rc = write_in_txn(outer, NULL, err);
  if (rc == TN_OK)
    rc = tn_txn_nest(outer, &inner, err);
  if (rc == TN_OK)
    rc = write_in_txn(inner, NULL, err);
  if (rc == TN_OK)
    rc = tn_txn_rollback(inner, err);
  tn_txn_end(&inner);
  if (rc == TN_OK)
    rc = tn_txn_commit(outer, err);
  written += rc == TN_OK;
  return rc;
}

/* A function that runs another one inside, whose failure it bears. */
static enum tn_code
outer_run(tn_txn *txn, void *user, tn_err *err)
{
  tn_err inner = TN_ERR_INIT;
  enum tn_code rc = write_in_txn(txn, user, err);

  if (rc != TN_OK)
    return rc;
  rc = tn_run_in(txn, fail_in_txn, user, &inner);
  if (rc == TN_E_DUPLICATE)
    return TN_OK;
  *err = inner;
  return rc;
}

static enum tn_code
runs(tn_err *err)
{
  TN_CLEANUP(tn_engine_close) tn_engine *engine = NULL;
  enum tn_code rc = open_engine(&engine, err);

  if (rc == TN_OK)
    rc = tn_run(engine, NULL, outer_run, NULL, err);
  written += rc == TN_OK;
  return rc;
}

/* Fails twice as a server would that is busy. */
static enum tn_code
busy_twice(void *user, tn_err *err)
{
  int *calls = user;

  if (++*calls > 2)
    return TN_OK;
  (void)tn_err_set(err, TN_E_BUSY, "busy, call %d", *calls);
  err->replay = TN_REPLAY_SAFE;
  return TN_E_BUSY;
}

static enum tn_code
retries(tn_err *err)
{
  TN_CLEANUP(tn_engine_close) tn_engine *engine = NULL;
  int calls = 0;
  enum tn_code rc = open_engine(&engine, err);

  if (rc == TN_OK) {
    struct tn_retry policy = tn_retry_of_engine(engine);

    policy.first_ms = TN_RETRY_AT_ONCE;
    rc = tn_retry_call(&policy, busy_twice, &calls, err);
  }
  return rc == TN_OK && calls != 3 ? TN_E_INTERNAL : rc;
}

/* ---- scopes ---- */

static enum tn_code
write_in_scope(tn_scope *scope, void *user, tn_err *err)
{
  (void)user;
  return write_row(tn_scope_conn(scope), err);
}

static enum tn_code
read_in_scope(tn_scope *scope, void *user, tn_err *err)
{
  (void)user;
  return tn_conn_exec(tn_scope_conn(scope), "SELECT * FROM once", NULL, err);
}

/* What joins what: a writer, in it a savepoint that is undone, a reader that
 * joins, and one of its own. */
static enum tn_code
explicit_scopes(tn_facade *facade, tn_context *context, tn_err *err)
{
  struct tn_scope_options options = TN_SCOPE_OPTIONS_INIT;
  TN_CLEANUP(tn_scope_end) tn_scope *outer = NULL;
  TN_CLEANUP(tn_scope_end) tn_scope *inner = NULL;
  enum tn_code rc;

  options.mode = TN_SCOPE_WRITER;
  rc = tn_scope_begin(facade, context, &options, &outer, err);
  if (rc == TN_OK)
    rc = write_in_scope(outer, NULL, err);
  options.flags = TN_SCOPE_SAVEPOINT;
  if (rc == TN_OK)
    rc = tn_scope_begin(facade, context, &options, &inner, err);
  if (rc == TN_OK)
    rc = write_in_scope(inner, NULL, err);
  tn_scope_end(&inner);
  if (rc == TN_OK)
    rc = tn_read(facade, context, read_in_scope, NULL, err);
  options.mode = TN_SCOPE_ASYNC_READER;
  options.flags = TN_SCOPE_INDEPENDENT;
  if (rc == TN_OK)
    rc = tn_scope_run(facade, context, &options, read_in_scope, NULL, err);
  if (rc == TN_OK)
    rc = tn_scope_commit(outer, err);
  written += rc == TN_OK;
  return rc;
}

static enum tn_code
scopes(tn_err *err)
{
  struct tn_facade_options options = TN_FACADE_OPTIONS_INIT;
  TN_CLEANUP(tn_facade_close) tn_facade *facade = NULL;
  TN_CLEANUP(tn_context_close) tn_context *context = NULL;
  enum tn_code rc;

  options.target = url;
  options.replica = url;
  options.engine = engine_options;
  rc = tn_facade_open(&options, &facade, err);
  if (rc == TN_OK)
    rc = tn_facade_set(facade, "reader_read_only", "true", err);
  if (rc == TN_OK)
    rc = tn_context_open(0, &context, err);
  if (rc == TN_OK)
    rc = tn_write(facade, context, write_in_scope, NULL, err);
  written += rc == TN_OK;
  return rc == TN_OK ? explicit_scopes(facade, context, err) : rc;
}

/* ---- providers ---- */

/* One of several sessions: its transaction is rolled back by the worker's
 * end. */
static enum tn_code
leave_open(tn_worker *worker, tn_err *err)
{
  tn_session *session = NULL;
  tn_txn *txn = NULL;
  enum tn_code rc = tn_worker_open(worker, NULL, &session, err);

  if (rc == TN_OK)
    rc = tn_session_txn(session, &txn, err);
  return rc == TN_OK ? write_in_txn(txn, NULL, err) : rc;
}

static enum tn_code
use_worker(tn_worker *worker, tn_err *err)
{
  tn_session *session = NULL;
  enum tn_code rc = tn_worker_run(worker, NULL, write_in_txn, NULL, err);

  written += rc == TN_OK;
  if (rc == TN_OK)
    rc = tn_worker_session(worker, &session, err);
  if (rc == TN_OK) {
    rc = tn_session_run(session, write_in_txn, NULL, err);
    written += rc == TN_OK;
  }
  return rc == TN_OK ? leave_open(worker, err) : rc;
}

static enum tn_code
providers(tn_err *err)
{
  struct tn_provider_options options = TN_PROVIDER_OPTIONS_INIT;
  TN_CLEANUP(tn_config_free) tn_config *config = NULL;
  TN_CLEANUP(tn_provider_close) tn_provider *provider = NULL;
  tn_worker *worker = NULL;
  tn_err unused = TN_ERR_INIT;
  enum tn_code ended;
  enum tn_code rc = tn_config_parse(config_text, strlen(config_text), "torture",
                                    NULL, &config, err);

  options.service = "orders";
  options.engine = engine_options;
  options.engine.config = config;
  if (rc == TN_OK)
    rc = tn_provider_open(&options, &provider, err);
  if (rc == TN_OK)
    rc = tn_worker_begin(provider, NULL, &worker, err);
  if (rc == TN_OK)
    rc = use_worker(worker, err);
  ended = tn_worker_end(&worker, rc == TN_OK ? err : &unused);
  return rc == TN_OK ? ended : rc;
}

static const struct script scripts[] = {
  { "engine", engine_statements },
  { "transactions", nested_txn },
  { "runs", runs },
  { "retries", retries },
  { "scopes", scopes },
  { "providers", providers },
};

/* ---- the program ---- */

static enum tn_code
run(const void *what, tn_err *err)
{
  return ((const struct script *)what)->run(err);
}

/* What the scripts need; and whether it holds what they have committed, at the
 * end. */
static bool
set_up(tn_registry *registry)
{
  const struct tn_conn_options options = { .registry = registry };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;
  enum tn_code rc = tn_conn_open(url, &options, &conn, &err);

  if (rc == TN_OK)
    rc = tn_conn_script(conn,
                        "CREATE TABLE walk (v TEXT);"
                        "CREATE TABLE once (v INTEGER PRIMARY KEY);"
                        "INSERT INTO once VALUES (1)",
                        NULL, NULL, &err);
  if (rc != TN_OK)
    printf("torture_session: %s\n", err.message);
  return rc == TN_OK;
}

static bool
is_all_there(tn_registry *registry)
{
  const struct tn_query count = { .sql = "SELECT count(*) FROM walk" };
  const struct tn_conn_options options = { .registry = registry };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;
  enum tn_code rc = tn_conn_open(url, &options, &conn, &err);

  if (rc == TN_OK)
    rc = tn_conn_query(conn, &count, &result, &err);
  if (rc == TN_OK)
    rc = tn_result_next(result, &row, &err);
  if (rc != TN_OK)
    printf("torture_session: %s\n", err.message);
  else if (row[0].as.int64 != written)
    printf("torture_session: %lld rows are there, %lld were committed\n",
           (long long)row[0].as.int64, (long long)written);
  else
    return true;
  return false;
}

int
main(int argc, char **argv)
{
  char folder[] = "/tmp/tenon-torture-XXXXXX";
  tn_registry *registry = walk_registry("sqlite");
  bool is_good;
  size_t i;

  if (mkdtemp(folder) == NULL)
    return 1;
  snprintf(url, sizeof url, "sqlite:///%s/a.db", folder);
  snprintf(config_text, sizeof config_text,
           "[database:orders]\nconnection = %s\n", url);
  engine_options.registry = registry;
  engine_options.settings = settings;
  engine_options.setting_count = 1;
  is_good = set_up(registry);
  for (i = 0; i < sizeof scripts / sizeof scripts[0]; i++)
    if (argc < 2 || strcmp(argv[1], scripts[i].name) == 0)
      is_good = walk(scripts[i].name, run, &scripts[i]) && is_good;
  is_good = is_all_there(registry) && is_good;
  tn_registry_free(&registry);
  unlink(url + strlen("sqlite:///"));
  rmdir(folder);
  return !walk_end() || !is_good;
}
