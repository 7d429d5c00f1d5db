/* A facade is two engines that are opened when they are first needed, and what
 * stands in for them in tests. */
#include <tenon/facade.h>

#include <string.h>

#include "async_priv.h"
#include "engine_priv.h"
#include "scope_priv.h"

#define NAP_NS INT64_C(1000000)

enum state {
  IDLE = 1,
  STARTING, /* by one thread, without the lock */
  STARTED,
};

struct tn_facade {
  pthread_mutex_t lock; /* of all that may change */
  enum state state;
  struct tn_facade_ends ends;  /* once started */
  struct tn_facade_ends patch; /* if its writer is there */
  tn_facade *other;            /* the facade that stands in; or NULL */
  unsigned standing_in;        /* for how many others it does */
  struct tn_facade_options options;
  struct tn_log log;
  struct tn_setting *settings;
  size_t setting_count;
  struct tn_arena arena; /* of texts */
};

/* ---- making one ---- */

static enum tn_code
copy_text(tn_facade *facade, const char **text, tn_err *err)
{
  if (*text == NULL)
    return TN_OK;
  *text = tn_arena_text(&facade->arena, *text, strlen(*text));
  return *text == NULL ? tn_err_memory(err, "facade") : TN_OK;
}

static enum tn_code
add_setting(tn_facade *facade, const char *key, const char *value, tn_err *err)
{
  struct tn_setting *settings = tn_memory_resize(
      facade->settings, (facade->setting_count + 1) * sizeof *settings);
  struct tn_setting *added;
  enum tn_code rc;

  if (settings == NULL)
    return tn_err_memory(err, "facade");
  facade->settings = settings;
  added = &settings[facade->setting_count];
  *added = (struct tn_setting){ key, value };
  rc = copy_text(facade, &added->key, err);
  if (rc == TN_OK)
    rc = copy_text(facade, &added->value, err);
  if (rc == TN_OK)
    facade->setting_count++;
  return rc;
}

static enum tn_code
copy_options(tn_facade *facade, tn_err *err)
{
  struct tn_engine_options *engine = &facade->options.engine;
  enum tn_code rc = copy_text(facade, &facade->options.target, err);
  size_t i;

  if (rc == TN_OK)
    rc = copy_text(facade, &facade->options.replica, err);
  for (i = 0; rc == TN_OK && i < engine->setting_count; i++)
    rc = add_setting(facade, engine->settings[i].key, engine->settings[i].value,
                     err);
  if (engine->log != NULL) {
    facade->log = *engine->log;
    engine->log = &facade->log;
  }
  return rc;
}

enum tn_code
tn_facade_open(const struct tn_facade_options *options, tn_facade **ret,
               tn_err *err)
{
  tn_facade *facade;
  enum tn_code rc;

  if (options == NULL || options->struct_size != sizeof *options)
    return tn_err_set(err, TN_E_USAGE,
                      "facade: begin the options with TN_FACADE_OPTIONS_INIT");
  if (options->target == NULL)
    return tn_err_set(err, TN_E_USAGE,
                      "facade: no target: name a URL or \"@database\"");
  facade = tn_memory_zalloc(sizeof *facade);
  if (facade == NULL)
    return tn_err_memory(err, "facade");
  pthread_mutex_init(&facade->lock, NULL);
  tn_arena_init(&facade->arena);
  facade->state = IDLE;
  facade->options = *options;
  rc = copy_options(facade, err);
  if (rc == TN_OK)
    *ret = facade;
  else
    tn_facade_close(&facade);
  return rc;
}

enum tn_code
tn_facade_set(tn_facade *facade, const char *key, const char *value,
              tn_err *err)
{
  const struct tn_setting setting = { key, value };
  struct tn_target target = { .url = NULL };
  enum tn_code rc = tn_target__set(&target, &setting, 1, err);

  if (rc != TN_OK)
    return rc;
  pthread_mutex_lock(&facade->lock);
  if (facade->state == IDLE)
    rc = add_setting(facade, key, value, err);
  else
    rc = tn_err_set(err, TN_E_STATE,
                    "facade: %.64s comes too late: it is started, and its "
                    "configuration frozen",
                    key);
  pthread_mutex_unlock(&facade->lock);
  return rc;
}

/* ---- starting ---- */

/* Is there a slave_connection? What is wrong with the name the writer's engine
 * tells. */
static bool
has_replica(const struct tn_facade_options *options)
{
  const char *text = NULL;

  return options->target[0] == '@' && options->engine.config != NULL &&
         tn_config_text(options->engine.config, options->target + 1,
                        "slave_connection", &text, NULL) == TN_OK &&
         text != NULL && text[0] != '\0';
}

static enum tn_code
open_engine(const tn_facade *facade, enum tn_scope_mode mode, bool is_slave,
            tn_engine **ret, tn_err *err)
{
  const struct tn_facade_options *options = &facade->options;
  struct tn_engine_options own = options->engine;
  tn_engine *engine = NULL;
  enum tn_code rc;

  own.settings = facade->settings;
  own.setting_count = facade->setting_count;
  own.is_replica = is_slave;
  rc = tn_engine_open(mode == TN_SCOPE_READER && !is_slave ? options->replica
                                                           : options->target,
                      &own, &engine, err);
  if (rc == TN_OK && options->on_engine != NULL)
    rc = options->on_engine(engine, mode, options->user, err);
  if (rc == TN_OK)
    *ret = engine;
  else
    tn_engine_close(&engine);
  return rc;
}

static enum tn_code
open_ends(const tn_facade *facade, struct tn_facade_ends *ret, tn_err *err)
{
  struct tn_facade_ends ends = { .writer = NULL };
  bool is_slave =
      facade->options.replica == NULL && has_replica(&facade->options);
  enum tn_code rc =
      open_engine(facade, TN_SCOPE_WRITER, false, &ends.writer, err);

  if (rc != TN_OK)
    return rc;
  ends.reader = ends.writer;
  if (is_slave || facade->options.replica != NULL)
    rc = open_engine(facade, TN_SCOPE_READER, is_slave, &ends.reader, err);
  if (rc != TN_OK) {
    tn_engine_close(&ends.writer);
    return rc;
  }
  ends.is_synchronous =
      tn_target__number(&ends.writer->target, "synchronous_reader", 1) != 0;
  ends.is_read_only =
      tn_target__number(&ends.writer->target, "reader_read_only", 0) != 0;
  *ret = ends;
  return TN_OK;
}

/* Where schedulers run many functions in one thread, another one of those may
 * be it that starts. */
static enum tn_code
nap(const tn_facade *facade, tn_err *err)
{
  const struct tn_engine_options *engine = &facade->options.engine;
  tn_deadline until = tn_clock_now() + NAP_NS;

  if (tn_async__sleep(engine->wait, engine->wait_user, until) >= 0)
    return TN_OK;
  return tn_err_set(err, TN_E_CANCELED,
                    "facade: canceled while another thread starts it");
}

/* With the lock, which is given up meanwhile. */
static enum tn_code
start(tn_facade *facade, tn_err *err)
{
  struct tn_facade_ends ends;
  enum tn_code rc = TN_OK;

  while (rc == TN_OK && facade->state == STARTING) {
    pthread_mutex_unlock(&facade->lock);
    rc = nap(facade, err);
    pthread_mutex_lock(&facade->lock);
  }
  if (rc != TN_OK || facade->state == STARTED)
    return rc;
  facade->state = STARTING;
  pthread_mutex_unlock(&facade->lock);
  rc = open_ends(facade, &ends, err);
  pthread_mutex_lock(&facade->lock);
  facade->state = rc == TN_OK ? STARTED : IDLE;
  if (rc == TN_OK)
    facade->ends = ends;
  return rc;
}

static enum tn_code
own_ends(tn_facade *facade, struct tn_facade_ends *ret, tn_err *err)
{
  enum tn_code rc;

  pthread_mutex_lock(&facade->lock);
  rc = start(facade, err);
  if (rc == TN_OK)
    *ret = facade->ends;
  pthread_mutex_unlock(&facade->lock);
  return rc;
}

enum tn_code
tn_facade__ends(tn_facade *facade, struct tn_facade_ends *ret, tn_err *err)
{
  tn_facade *other;
  bool is_patched;

  pthread_mutex_lock(&facade->lock);
  other = facade->other;
  is_patched = facade->patch.writer != NULL;
  if (is_patched)
    *ret = facade->patch;
  pthread_mutex_unlock(&facade->lock);
  return is_patched ? TN_OK
                    : own_ends(other != NULL ? other : facade, ret, err);
}

enum tn_code
tn_facade_start(tn_facade *facade, tn_deadline deadline, tn_err *err)
{
  struct tn_facade_ends ends;
  enum tn_code rc = tn_facade__ends(facade, &ends, err);

  if (rc == TN_OK)
    rc = tn_engine_start(ends.writer, deadline, err);
  if (rc == TN_OK && ends.reader != ends.writer)
    rc = tn_engine_start(ends.reader, deadline, err);
  return rc;
}

int
tn_facade_is_started(tn_facade *facade)
{
  bool is_started;

  pthread_mutex_lock(&facade->lock);
  is_started = facade->state == STARTED;
  pthread_mutex_unlock(&facade->lock);
  return is_started;
}

enum tn_code
tn_facade_engine(tn_facade *facade, enum tn_scope_mode mode, tn_engine **ret,
                 tn_err *err)
{
  struct tn_facade_ends ends;
  enum tn_code rc;

  if (mode < TN_SCOPE_WRITER || mode > TN_SCOPE_ASYNC_READER)
    return tn_err_set(err, TN_E_USAGE, "facade: there is no mode %d",
                      (int)mode);
  rc = tn_facade__ends(facade, &ends, err);
  if (rc != TN_OK)
    return rc;
  *ret = mode == TN_SCOPE_ASYNC_READER ||
                 (mode == TN_SCOPE_READER && !ends.is_synchronous)
             ? ends.reader
             : ends.writer;
  return TN_OK;
}

/* ---- in tests ---- */

static enum tn_code
patch(tn_facade *facade, tn_facade *other, const struct tn_facade_ends *ends,
      tn_err *err)
{
  enum tn_code rc = TN_OK;

  pthread_mutex_lock(&facade->lock);
  if (facade->patch.writer != NULL || facade->other != NULL)
    rc = tn_err_set(err, TN_E_STATE,
                    "facade: it is patched already; unpatch it first");
  else if (facade->standing_in != 0)
    rc = tn_err_set(err, TN_E_STATE,
                    "facade: it stands in for another one itself");
  else {
    facade->patch = *ends;
    facade->other = other;
  }
  pthread_mutex_unlock(&facade->lock);
  return rc;
}

/* Begin or end to stand in for another one. */
static enum tn_code
stand_in(tn_facade *facade, bool begins, tn_err *err)
{
  enum tn_code rc = TN_OK;

  pthread_mutex_lock(&facade->lock);
  if (!begins)
    facade->standing_in--;
  else if (facade->patch.writer != NULL || facade->other != NULL)
    rc = tn_err_set(err, TN_E_STATE,
                    "facade: the one to patch with is patched itself");
  else
    facade->standing_in++;
  pthread_mutex_unlock(&facade->lock);
  return rc;
}

enum tn_code
tn_facade_patch(tn_facade *facade, tn_facade *other, tn_err *err)
{
  static const struct tn_facade_ends none;
  enum tn_code rc;

  if (facade == other)
    return tn_err_set(err, TN_E_USAGE, "facade: patched with itself");
  rc = stand_in(other, true, err);
  if (rc != TN_OK)
    return rc;
  rc = patch(facade, other, &none, err);
  if (rc != TN_OK)
    (void)stand_in(other, false, NULL);
  return rc;
}

enum tn_code
tn_facade_patch_engine(tn_facade *facade, tn_engine *engine, tn_err *err)
{
  const struct tn_facade_ends ends = {
    .writer = engine,
    .reader = engine,
    .is_synchronous =
        tn_target__number(&engine->target, "synchronous_reader", 1) != 0,
    .is_read_only =
        tn_target__number(&engine->target, "reader_read_only", 0) != 0,
  };

  return patch(facade, NULL, &ends, err);
}

void
tn_facade_unpatch(tn_facade *facade)
{
  tn_facade *other;

  pthread_mutex_lock(&facade->lock);
  other = facade->other;
  facade->other = NULL;
  facade->patch.writer = NULL;
  pthread_mutex_unlock(&facade->lock);
  if (other != NULL)
    (void)stand_in(other, false, NULL);
}

/* ---- ending ---- */

static void
dispose(tn_engine *engine)
{
  tn_pool_invalidate(tn_engine_pool(engine));
  tn_pool_tick(tn_engine_pool(engine));
}

void
tn_facade_dispose(tn_facade *facade)
{
  struct tn_facade_ends ends = { .writer = NULL };

  pthread_mutex_lock(&facade->lock);
  if (facade->state == STARTED)
    ends = facade->ends;
  pthread_mutex_unlock(&facade->lock);
  if (ends.writer == NULL)
    return;
  dispose(ends.writer);
  if (ends.reader != ends.writer)
    dispose(ends.reader);
}

void
tn_facade_close(tn_facade **facade)
{
  tn_facade *closed = facade != NULL ? *facade : NULL;

  if (closed == NULL)
    return;
  *facade = NULL;
  tn_facade_unpatch(closed);
  if (closed->ends.reader != closed->ends.writer)
    tn_engine_close(&closed->ends.reader);
  tn_engine_close(&closed->ends.writer);
  tn_memory_free(closed->settings);
  tn_arena_clear(&closed->arena);
  pthread_mutex_destroy(&closed->lock);
  tn_memory_free(closed);
}
