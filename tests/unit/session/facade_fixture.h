/* A facade of two scripted databases: `script` is the primary, `replica_script`
 * what follows it. */
#ifndef TENON_TESTS_FACADE_FIXTURE_H
#define TENON_TESTS_FACADE_FIXTURE_H

#include <tenon/scope.h>

#include "engine_fixture.h"

static struct fake_script replica_script;
static struct tn_facade_options facade_options = TN_FACADE_OPTIONS_INIT;
static tn_facade *facade;
static tn_context *context;
static char primary_url[FAKE_URL_SIZE + 128];
static char replica_url[FAKE_URL_SIZE + 128];

/* `more` ("&a=b") is what the primary's URL says besides. */
static inline void
prepare_facade(const char *more)
{
  if (registry == NULL) {
    fixture_init();
    plugin.caps |= TN_CAP_LOCK_MODES;
    fixture_registry(NULL);
  }
  snprintf(primary_url, sizeof primary_url, "fake://h/db?script=%p%s",
           (void *)&script, more);
  snprintf(replica_url, sizeof replica_url, "fake://h/db?script=%p",
           (void *)&replica_script);
  facade_options.target = primary_url;
  facade_options.replica = replica_url;
  facade_options.engine.registry = registry;
  facade_options.engine.log = &engine_log;
}

static inline void
open_facade(const char *more)
{
  prepare_facade(more);
  cr_assert_eq(tn_facade_open(&facade_options, &facade, &err), TN_OK, "%s",
               err.message);
  cr_assert_eq(tn_context_open(0, &context, &err), TN_OK);
}

static inline void
close_facade(void)
{
  tn_context_close(&context);
  cr_expect_null(context);
  tn_facade_close(&facade);
  cr_expect_null(facade);
  cr_expect_eq(replica_script.open_connections, 0);
  cr_expect_eq(replica_script.open_statements, 0);
  fixture_close();
  tn_config_free(&config);
}

static inline unsigned
replica_calls(enum fake_slot slot)
{
  return atomic_load(&replica_script.calls[slot]);
}

#endif
