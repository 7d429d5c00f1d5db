/* The options of an engine: what they are in the end, and what they do. */
#include "engine_priv.h"

#include "config_priv.h"

#define MS_PER_S 1000

/* ---- what the program says ---- */

static enum tn_code
copy_setting(tn_engine *engine, const struct tn_setting *from,
             struct tn_setting *to, tn_err *err)
{
  if (from->key == NULL || from->value == NULL)
    return tn_err_set(err, TN_E_USAGE,
                      "engine: a setting needs a key and a value");
  to->key = tn_arena_text(&engine->arena, from->key, strlen(from->key));
  to->value = tn_arena_text(&engine->arena, from->value, strlen(from->value));
  if (to->key == NULL || to->value == NULL)
    return tn_err_memory(err, "engine");
  return TN_OK;
}

enum tn_code
tn_engine__set(tn_engine *engine, tn_err *err)
{
  size_t count = engine->options.setting_count;
  struct tn_setting *settings =
      tn_arena_alloc(&engine->arena, (count + 1) * sizeof *settings);
  enum tn_code rc = TN_OK;
  size_t i;

  if (settings == NULL)
    return tn_err_memory(err, "engine");
  for (i = 0; rc == TN_OK && i < count; i++)
    rc = copy_setting(engine, &engine->options.settings[i], &settings[i], err);
  return rc == TN_OK ? tn_target__set(&engine->target, settings, count, err)
                     : rc;
}

/* ---- what they make of the pool ---- */

static int64_t
number(const tn_engine *engine, const char *key)
{
  return tn_target__number(&engine->target, key, 0);
}

/* Seconds in a row; a number below 0 is none. */
static uint64_t
time_of(const tn_engine *engine, const char *key)
{
  int64_t seconds = number(engine, key);

  return seconds <= 0 ? 0 : (uint64_t)seconds * MS_PER_S;
}

static uint32_t
kind_of(const tn_engine *engine)
{
  const char *text = tn_target__text(&engine->target, "pool_kind");

  if (strcmp(text, "queue") == 0)
    return TN_POOL_QUEUE;
  if (strcmp(text, "null") == 0)
    return TN_POOL_NULL;
  if (strcmp(text, "static") == 0 || engine->is_fleeting)
    return TN_POOL_STATIC;
  return TN_POOL_QUEUE;
}

static uint32_t
reset_of(const tn_engine *engine)
{
  const char *text = tn_target__text(&engine->target, "pool_reset");

  if (strcmp(text, "always") == 0)
    return TN_RESET_ALWAYS;
  return strcmp(text, "never") == 0 ? TN_RESET_NEVER : TN_RESET_TOUCHED;
}

/* 0 is each time that it is lent, as it is of SQLAlchemy. */
static uint64_t
recycle_time_of(const tn_engine *engine)
{
  bool is_each = number(engine, "connection_recycle_time") == 0;

  return is_each ? 1 : time_of(engine, "connection_recycle_time");
}

static void
fill_times(const tn_engine *engine, struct tn_pool_options *options)
{
  int64_t wait = tn_target__number(&engine->target, "pool_timeout", -1);

  if (wait >= 0)
    options->wait_ms = (uint64_t)wait * MS_PER_S;
  options->idle_ms = time_of(engine, "pool_idle_time");
  options->lifetime_ms = time_of(engine, "pool_lifetime");
  options->recycle_ms = recycle_time_of(engine);
  options->ping_after_ms = time_of(engine, "pool_ping_time");
  options->leak_ms = time_of(engine, "pool_leak_time");
  options->retry_max_ms = time_of(engine, "pool_retry_time");
  if (options->retry_min_ms > options->retry_max_ms)
    options->retry_min_ms = options->retry_max_ms;
  options->tick_ms = time_of(engine, "pool_tick_time");
}

void
tn_engine__fill_pool(const tn_engine *engine, struct tn_pool_options *options)
{
  int64_t min_idle = number(engine, "pool_min_idle");

  options->kind = kind_of(engine);
  options->reset = reset_of(engine);
  options->size = (uint32_t)number(engine, "max_pool_size");
  options->overflow = (int32_t)number(engine, "max_overflow");
  options->connect_concurrency = (uint32_t)number(engine, "pool_connects");
  options->min_idle = (uint32_t)min_idle;
  if (options->size != 0 && options->min_idle > options->size)
    options->min_idle = options->size;
  fill_times(engine, options);
}

/* ---- those that do nothing ---- */

/* Of a pool with one connection that stays. */
static const char *const moot_if_static[] = {
  "max_pool_size",  "max_overflow",  "pool_min_idle",
  "pool_idle_time", "pool_lifetime", "connection_recycle_time",
};

static bool
is_moot(const tn_engine *engine, size_t row)
{
  const struct tn_config_option *option = tn_config__option(row);
  size_t i;

  if ((option->traits & TN_CONFIG_BACKEND) != 0)
    return !tn_conn__has_row(engine->backend, &option->row);
  if (kind_of(engine) != TN_POOL_STATIC)
    return false;
  for (i = 0; i < TN_COUNT(moot_if_static); i++)
    if (strcmp(option->row.key, moot_if_static[i]) == 0)
      return true;
  return false;
}

void
tn_engine__tell_idle_options(const tn_engine *engine)
{
  size_t i;

  for (i = 0; i < tn_config__option_count(); i++) {
    const char *key = tn_config__option(i)->row.key;

    if (tn_target__is_given(&engine->target, key) && is_moot(engine, i))
      tn_log_write(engine->options.log, TN_LOG_WARNING,
                   "engine: option %s has no effect on %s", key, engine->url);
  }
}

/* ---- asked for ---- */

enum tn_code
tn_engine_option(const tn_engine *engine, const char *key, const char **ret,
                 tn_err *err)
{
  const char *text = NULL;

  if (!tn_target__is_own(key))
    return tn_target__refuse(key, TN_E_NOT_FOUND, err);
  text = tn_target__text(&engine->target, key);
  if (text == NULL)
    return tn_err_set(err, TN_E_NOT_FOUND,
                      "engine: option %s has no value and no default", key);
  *ret = text;
  return TN_OK;
}
