/* An engine of the scripted plug-in. */
#ifndef TENON_TESTS_ENGINE_FIXTURE_H
#define TENON_TESTS_ENGINE_FIXTURE_H

#include "engine_priv.h"

#include "fixture.h"

static tn_engine *engine;
static tn_config *config;
static struct tn_engine_options options = TN_ENGINE_OPTIONS_INIT;
static char log_text[4096];

static inline void
note_log(uint32_t level, const char *line, void *user)
{
  size_t used = strlen(log_text);

  (void)user;
  snprintf(log_text + used, sizeof log_text - used, "%s: %s\n",
           tn_log_level_name(level), line);
}

static const struct tn_log engine_log = { TN_LOG_DEBUG, 0, note_log, NULL };

static inline enum tn_code
try_open(const char *target)
{
  if (registry == NULL)
    fixture_registry(NULL);
  options.registry = registry;
  options.config = config;
  options.log = &engine_log;
  return tn_engine_open(target, &options, &engine, &err);
}

static inline void
open_engine(const char *more)
{
  cr_assert_eq(try_open(fixture_url(more)), TN_OK, "%s", err.message);
}

static inline void
load_config(const char *lines)
{
  char text[2048];

  snprintf(text, sizeof text, "[database]\nconnection = %s\n%s",
           fixture_url(""), lines);
  tn_config_free(&config);
  cr_assert_eq(
      tn_config_parse(text, strlen(text), "test.ini", NULL, &config, &err),
      TN_OK, "%s", err.message);
}

static inline void
close_engine(void)
{
  tn_engine_close(&engine);
  cr_expect_null(engine);
  fixture_close();
  tn_config_free(&config);
}

static inline unsigned
calls_of(enum fake_slot slot)
{
  return atomic_load(&script.calls[slot]);
}

/* Take one and give it back. */
static inline void
use_once(void)
{
  tn_conn *taken = NULL;

  cr_assert_eq(tn_engine_take(engine, NULL, &taken, &err), TN_OK, "%s",
               err.message);
  tn_pool_give(&taken);
}

#endif
