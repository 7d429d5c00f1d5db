/* A session of the scripted plug-in, in a registry that loads nothing: the
 * descriptor is linked in, so that a test may change it first. */
#ifndef TENON_TESTS_DB_FIXTURE_H
#define TENON_TESTS_DB_FIXTURE_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <tenon/conn.h>

#include "fake_plugin.h"
#include "oom.h"
#include "plugin_priv.h"

static struct fake_script script;
static struct tn_plugin plugin; /* a copy of the fake one's descriptor */
static const void *tables[8];   /* instead of the fake one's, by number */
static uint32_t lacks;          /* bits of tables that the plug-in has not */
static tn_registry *registry;   /* made when first opened */
static tn_conn *conn;           /* that fixture_open() opened */
static tn_err err;
static char url_text[512];

static inline const void *
fixture_table(uint32_t id)
{
  if (id >= TN_COUNT(tables) || (lacks >> id & 1) != 0)
    return NULL;
  if (tables[id] != NULL)
    return tables[id];
  return fake_plugin_entry(NULL)->get_table(id);
}

static inline void
fixture_init(void)
{
  plugin = *fake_plugin_entry(NULL);
  plugin.get_table = fixture_table;
}

/* Let the plug-in have batches, loads and several result sets of its own. */
static inline void
fixture_enrich(void)
{
  for (uint32_t id = 0; id < TN_COUNT(tables); id++)
    tables[id] = fake_rich_table(id);
}

/* A registry with the plug-in of `plugin` as it is now; `dropin` is what the
 * administrator says, or NULL. */
static inline void
fixture_registry(const char *dropin)
{
  static const struct tn_registry_options nowhere = {
    .plugin_dir = "/nowhere/1",
    .manifest_dir = "/nowhere/plugins.d",
    .admin_dir = "/nowhere/admin",
  };
  struct tn_plugin_entry *entry;

  cr_assert_eq(tn_registry__open(&nowhere, NULL, false, &registry, &err), TN_OK,
               "%s", err.message);
  if (dropin != NULL)
    cr_assert_eq(tn_dropins_parse(&registry->dropins, dropin, strlen(dropin),
                                  "/nowhere/admin/x.ini", &err),
                 TN_OK, "%s", err.message);
  entry = tn_registry__add_entry(registry, plugin.name);
  cr_assert_neq(entry, NULL);
  cr_assert_eq(
      tn_backend_new(&plugin, "/nowhere/1/x.so", &entry->backend, &err), TN_OK,
      "%s", err.message);
  entry->state = TN_PLUGIN_LOADED;
}

/* A URL of `script`, with `more` of its options ("&a=b"). Static. */
static inline const char *
fixture_url(const char *more)
{
  snprintf(url_text, sizeof url_text, "%s://h/db?script=%p%s",
           plugin.schemes[0], (void *)&script, more);
  return url_text;
}

/* The options with the registry, which is made if need be. No statement is kept
 * by its text, so that each use of one is seen. */
static inline struct tn_conn_options
fixture_options(void)
{
  struct tn_conn_options options = { .statement_cache = TN_CACHE_NONE };

  if (registry == NULL)
    fixture_registry(NULL);
  options.registry = registry;
  return options;
}

/* Open `conn` with that timeout of its calls. */
static inline void
fixture_open_timed(uint64_t timeout_ms)
{
  struct tn_conn_options options = fixture_options();

  options.timeout_ms = timeout_ms;
  cr_assert_eq(tn_conn_open(fixture_url(""), &options, &conn, &err), TN_OK,
               "%s", err.message);
}

static inline void
fixture_open(void)
{
  fixture_open_timed(0);
}

/* Close all, and see that nothing of the plug-in's is left open. */
static inline void
fixture_close(void)
{
  tn_conn_close(&conn);
  cr_expect_eq(script.open_results, 0, "%d results", script.open_results);
  cr_expect_eq(script.open_bulks, 0, "%d loads", script.open_bulks);
  cr_expect_eq(script.open_statements, 0, "%d statements",
               script.open_statements);
  cr_expect_eq(script.open_connections, 0, "%d connections",
               script.open_connections);
  tn_registry_free(&registry);
}

/* The session can run a statement. */
static inline void
fixture_expect_usable(const char *after)
{
  tn_err why = TN_ERR_INIT;

  cr_expect_eq(script.open_results, 0, "after %s: a result is open", after);
  cr_expect_eq(tn_conn_exec(conn, "usable", NULL, &why), TN_OK, "after %s: %s",
               after, why.message);
}

#define SCRIPT_ANSWERS(list)                                                   \
  (script.answers = (list), script.answer_count = TN_COUNT(list))
#define SCRIPT_RESULTS(list)                                                   \
  (script.results = (list), script.result_count = TN_COUNT(list))

/* An address that nobody else has, to see that an output is left alone. */
#define UNTOUCHED(type) ((type *)(void *)&script)

#endif
