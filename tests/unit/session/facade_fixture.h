/* A facade of two scripted databases: `script` is the primary, `replica_script`
 * what follows it. */
#ifndef TENON_TESTS_FACADE_FIXTURE_H
#define TENON_TESTS_FACADE_FIXTURE_H

#include <tenon/scope.h>

#include "engine_fixture.h"

static struct fake_script replica_script;
static struct tn_facade_options facade_options = TN_FACADE_OPTIONS_INIT;
static uint64_t facade_caps = TN_CAP_LOCK_MODES; /* besides the usual ones */
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
    plugin.caps |= facade_caps;
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

/* ---- scopes ---- */

#define W     TN_SCOPE_WRITER
#define R     TN_SCOPE_READER
#define A     TN_SCOPE_ASYNC_READER
#define ALLOW TN_SCOPE_ALLOW_ASYNC
#define ALONE TN_SCOPE_INDEPENDENT

static inline tn_scope *
begin_as(uint32_t mode, uint32_t flags)
{
  struct tn_scope_options how = TN_SCOPE_OPTIONS_INIT;
  tn_scope *scope = NULL;

  how.mode = mode;
  how.flags = flags;
  cr_assert_eq(tn_scope_begin(facade, context, &how, &scope, &err), TN_OK, "%s",
               err.message);
  return scope;
}

static inline enum tn_code
try_as(uint32_t mode, uint32_t flags)
{
  struct tn_scope_options how = TN_SCOPE_OPTIONS_INIT;
  tn_scope *scope = UNTOUCHED(tn_scope);
  enum tn_code rc;

  how.mode = mode;
  how.flags = flags;
  tn_err_clear(&err);
  rc = tn_scope_begin(facade, context, &how, &scope, &err);
  if (rc == TN_OK)
    tn_scope_end(&scope);
  else
    cr_expect_eq(scope, UNTOUCHED(tn_scope));
  return rc;
}

#endif
