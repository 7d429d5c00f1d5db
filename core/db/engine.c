/* An engine is a target, the options that are said of it, and a pool that
 * connects to it. */
#include "observe.h"

#include <errno.h>

/* Also called by the pool, which may outlive tn_engine_close(): what is lent
 * uses the listeners. */
static void
free_engine(void *user)
{
  tn_engine *engine = user;

  tn_slow__clear(engine);
  tn_listeners__clear(&engine->listeners);
  tn_target__clear(&engine->target);
  tn_arena_clear(&engine->arena);
  tn_memory_free(engine);
}

/* ---- opening ---- */

/* tn_pool_connect_fn. The target is looked up anew: a secret may have
 * changed. */
static enum tn_code
connect_one(void *user, tn_deadline deadline, tn_conn **ret, tn_err *err)
{
  tn_engine *engine = user;
  const struct tn_conn_options options = {
    .deadline = deadline,
    .timeout_ms = engine->query_ms,
    .registry = engine->options.registry,
    .log = engine->options.log,
    .wait = engine->options.wait,
    .wait_user = engine->options.wait_user,
  };
  TN_CLEANUP(tn_target__clear) struct tn_target target = { .url = NULL };
  tn_conn *conn = NULL;
  enum tn_code rc;

  target.is_replica = engine->target.is_replica;
  rc = tn_target__resolve(engine->name, engine->options.config, &target, err);
  target.settings = engine->target.settings;
  target.setting_count = engine->target.setting_count;
  if (rc == TN_OK)
    rc = tn_conn__open(&target, &options, &conn, err);
  if (conn != NULL) {
    conn->listeners = &engine->listeners;
    conn->slow_ns = engine->slow_ns;
    conn->is_traced = engine->application != NULL;
    conn->application = engine->application;
  }
  rc = tn_engine__tell_connect(engine, conn, rc, err);
  if (rc == TN_OK)
    *ret = conn;
  else
    tn_conn_close(&conn);
  return rc;
}

static enum tn_code
copy_name(tn_engine *engine, const char *target, tn_err *err)
{
  engine->name = tn_arena_text(&engine->arena, target, strlen(target));
  return engine->name == NULL ? tn_err_memory(err, "engine") : TN_OK;
}

static enum tn_code
print_url(tn_engine *engine, tn_err *err)
{
  size_t size = tn_url_print(engine->target.url, 0, NULL, 0);

  engine->url = tn_arena_alloc(&engine->arena, size + 1);
  engine->label = tn_arena_alloc(&engine->arena, size + 1);
  if (engine->url == NULL || engine->label == NULL)
    return tn_err_memory(err, "engine");
  (void)tn_url_print(engine->target.url, 0, engine->url, size + 1);
  memcpy(engine->label, engine->url, size + 1);
  engine->label[strcspn(engine->label, "?")] = '\0';
  return TN_OK;
}

static enum tn_code
open_pool(tn_engine *engine, tn_err *err)
{
  struct tn_pool_options options = TN_POOL_OPTIONS_INIT;
  enum tn_code rc;

  options.connect = connect_one;
  options.user = engine;
  options.log = engine->options.log;
  options.wait = engine->options.wait;
  options.wait_user = engine->options.wait_user;
  tn_engine__fill_pool(engine, &options);
  rc = tn_pool_open(&options, &engine->pool, err);
  if (rc != TN_OK)
    return rc;
  tn_pool__set_end(engine->pool, free_engine, engine);
  tn_engine__hook(engine, atomic_load(&engine->listeners.kinds));
  tn_slow__start(engine);
  return TN_OK;
}

/* The name that statements say they come from. */
static void
name_application(tn_engine *engine)
{
  const char *name = tn_target__text(&engine->target, "application");

  if (tn_target__number(&engine->target, "connection_trace", 0) != 0)
    engine->application = name != NULL ? name : program_invocation_short_name;
}

static enum tn_code
set_up(tn_engine *engine, const char *target, tn_err *err)
{
  enum tn_code rc = copy_name(engine, target, err);

  engine->target.is_replica = engine->options.is_replica != 0;
  if (rc == TN_OK)
    rc = tn_target__resolve(engine->name, engine->options.config,
                            &engine->target, err);
  if (rc == TN_OK)
    rc = tn_engine__set(engine, err);
  if (rc == TN_OK)
    rc = print_url(engine, err);
  if (rc == TN_OK)
    rc = tn_conn__inspect(&engine->target, engine->options.registry,
                          &engine->backend, &engine->is_fleeting, err);
  if (rc != TN_OK)
    return rc;
  engine->slow_ns =
      tn_target__number(&engine->target, "slow_query_time", 0) * NS_PER_S;
  engine->query_ms =
      (uint64_t)tn_target__number(&engine->target, "query_timeout", 0) * 1000;
  name_application(engine);
  rc = tn_statement__observe(engine, err);
  if (rc == TN_OK)
    rc = tn_slow__observe(engine, err);
  return rc == TN_OK ? open_pool(engine, err) : rc;
}

enum tn_code
tn_engine_open(const char *target, const struct tn_engine_options *options,
               tn_engine **ret, tn_err *err)
{
  static const struct tn_engine_options none = TN_ENGINE_OPTIONS_INIT;
  tn_engine *engine;
  enum tn_code rc;

  if (options == NULL)
    options = &none;
  if (target == NULL)
    return tn_target__refuse_none(err);
  if (options->struct_size != sizeof *options)
    return tn_err_set(err, TN_E_USAGE,
                      "engine: begin the options with TN_ENGINE_OPTIONS_INIT");
  engine = tn_memory_zalloc(sizeof *engine);
  if (engine == NULL)
    return tn_err_memory(err, "engine");
  tn_listeners__init(&engine->listeners, engine);
  engine->options = *options;
  if (options->log != NULL) {
    engine->log = *options->log;
    engine->options.log = &engine->log;
  }
  rc = set_up(engine, target, err);
  if (rc != TN_OK) {
    free_engine(engine);
    return rc;
  }
  tn_engine__tell_idle_options(engine);
  *ret = engine;
  return TN_OK;
}

void
tn_engine_close(tn_engine **engine)
{
  tn_pool *pool;

  if (engine == NULL || *engine == NULL)
    return;
  pool = (*engine)->pool;
  tn_pool_close(&pool);
  *engine = NULL; /* it was there for listeners of what is closed */
}

/* ---- statements ---- */

enum tn_code
tn_engine_take(tn_engine *engine, const struct tn_loan *loan, tn_conn **ret,
               tn_err *err)
{
  return tn_pool_take(engine->pool, loan, ret, err);
}

enum tn_code
tn_engine_query(tn_engine *engine, const struct tn_query *query,
                tn_result **ret, tn_err *err)
{
  const struct tn_loan loan = { .label = "tn_engine_query",
                                .deadline = query->deadline };
  tn_conn *conn = NULL;
  enum tn_code rc = tn_pool_take(engine->pool, &loan, &conn, err);

  if (rc != TN_OK)
    return rc;
  rc = tn_conn_query(conn, query, ret, err);
  if (rc == TN_OK)
    (*ret)->is_on_loan = true;
  else
    tn_pool_give(&conn);
  return rc;
}

enum tn_code
tn_engine_exec(tn_engine *engine, const char *sql, uint64_t *ret_affected,
               tn_err *err)
{
  static const struct tn_loan loan = { .label = "tn_engine_exec" };
  tn_conn *conn = NULL;
  enum tn_code rc = tn_pool_take(engine->pool, &loan, &conn, err);

  if (rc != TN_OK)
    return rc;
  rc = tn_conn_exec(conn, sql, ret_affected, err);
  tn_pool_give(&conn);
  return rc;
}

enum tn_code
tn_engine_complete(tn_engine *engine, tn_err *about, tn_deadline deadline,
                   tn_err *err)
{
  const struct tn_loan loan = { .label = "tn_engine_complete",
                                .deadline = deadline };
  tn_conn *conn = NULL;
  enum tn_code rc = tn_pool_take(engine->pool, &loan, &conn, err);

  if (rc != TN_OK)
    return rc;
  rc = tn_conn_complete(conn, about, deadline, err);
  tn_pool_give(&conn);
  return rc;
}

/* ---- what it is ---- */

tn_pool *
tn_engine_pool(tn_engine *engine)
{
  return engine->pool;
}

void
tn_engine_tick(tn_engine *engine)
{
  tn_pool_tick(engine->pool);
}

const char *
tn_engine_backend(const tn_engine *engine)
{
  return engine->backend->plugin.name;
}

const char *
tn_engine_url(const tn_engine *engine)
{
  return engine->url;
}
