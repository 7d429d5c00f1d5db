/* Looking at single plug-ins: by name, or from a file that no manifest names,
 * as their authors and the conformance suite do. */
#include "plugin_priv.h"

#include <limits.h>
#include <string.h>

#include "loader.h"
#include "strbuf.h"
#include "text.h"

/* Longest name that a message shows. */
#define SHOWN_SIZE 80

/* ---- by name ---- */

static enum tn_code
refuse_name(const tn_registry *registry, const char *name, tn_err *err)
{
  struct tn_suggestion suggestion = { .wanted = name };
  char shown[SHOWN_SIZE];

  for (const struct tn_plugin_entry *entry = registry->entries; entry != NULL;
       entry = entry->next)
    tn_suggestion_offer(&suggestion, entry->name);
  tn_text_escape(name, strlen(name), shown, sizeof(shown));
  tn_err_set(err, TN_E_PLUGIN, "plugin: none is named \"%s\"%s%s%s", shown,
             suggestion.best != NULL ? "; did you mean \"" : "",
             suggestion.best != NULL ? suggestion.best : "",
             suggestion.best != NULL ? "\"?" : "");
  tn_registry__add_searched(registry, "name", err);
  return TN_E_PLUGIN;
}

static struct tn_plugin_entry *
find_locked(tn_registry *registry, const char *name)
{
  struct tn_plugin_entry *entry;

  pthread_mutex_lock(&registry->lock);
  entry = tn_registry__find_entry(registry, name);
  pthread_mutex_unlock(&registry->lock);
  return entry;
}

/* Nothing has that name: it may be a scheme. */
static enum tn_code
find_server(tn_registry *registry, const char *scheme,
            struct tn_plugin_entry **ret, tn_err *err)
{
  enum tn_code rc;

  pthread_mutex_lock(&registry->lock);
  rc = tn_registry__find_server(registry, scheme, ret, err);
  if (rc == TN_OK && *ret == NULL)
    rc = refuse_name(registry, scheme, err);
  pthread_mutex_unlock(&registry->lock);
  return rc;
}

static enum tn_code
report_entry(tn_registry *registry, const struct tn_plugin_entry *entry,
             struct tn_plugin_report *ret)
{
  pthread_mutex_lock(&registry->lock);
  tn_registry__fill_report(entry, ret);
  pthread_mutex_unlock(&registry->lock);
  return TN_OK;
}

enum tn_code
tn_registry_inspect(tn_registry *registry, const char *name,
                    struct tn_plugin_report *ret, tn_err *err)
{
  struct tn_plugin_entry *entry = find_locked(registry, name);
  enum tn_code rc = TN_OK;

  if (entry == NULL || entry->manifest == NULL) {
    rc = tn_registry__scan(registry, err);
    if (rc != TN_OK)
      return rc;
    entry = find_locked(registry, name);
  }
  if (entry == NULL)
    rc = find_server(registry, name, &entry, err);
  if (rc == TN_OK)
    rc = tn_registry__load(registry, entry, err);
  return rc == TN_OK ? report_entry(registry, entry, ret) : rc;
}

/* ---- a file that no manifest names ---- */

/* Why a plug-in from a file cannot be taken in; TN_OK if it can. Under the
 * lock. */
static enum tn_code
check_newcomer(const tn_registry *registry, const struct tn_backend *backend,
               tn_err *err)
{
  const char *name = backend->plugin.name;
  const struct tn_dropin *dropin = tn_dropins_find(&registry->dropins, name);
  const struct tn_plugin_entry *entry = tn_registry__find_entry(registry, name);

  if (dropin != NULL && dropin->disabled != NULL)
    return tn_err_set(err, TN_E_PLUGIN, "plugin: %s: disabled by %s", name,
                      dropin->disabled);
  if (entry != NULL)
    return tn_err_set(err, TN_E_PLUGIN,
                      "plugin: %s: %s has a plug-in of this name already", name,
                      tn_registry__source(entry));
  for (size_t i = 0; backend->plugin.schemes[i] != NULL; i++) {
    const struct tn_plugin_entry *server =
        tn_registry__server_of(registry, backend->plugin.schemes[i]);

    if (server != NULL)
      return tn_err_set(
          err, TN_E_PLUGIN, "plugin: %s: its scheme \"%s\" is served by %s",
          name, backend->plugin.schemes[i], tn_registry__source(server));
  }
  return TN_OK;
}

static enum tn_code
fill_newcomer(tn_registry *registry, struct tn_plugin_entry *entry,
              struct tn_backend *backend, tn_err *err)
{
  TN_CLEANUP(tn_strbuf_clear)
  struct tn_strbuf schemes = TN_STRBUF_INIT(SIZE_MAX / 4);
  const char *file = tn_registry__keep(registry, backend->path);

  for (size_t i = 0; backend->plugin.schemes[i] != NULL; i++)
    tn_strbuf_add_format(&schemes, "%s%s", i > 0 ? " " : "",
                         backend->plugin.schemes[i]);
  entry->schemes = schemes.failure == TN_OK
                       ? tn_registry__keep(registry, tn_strbuf_text(&schemes))
                       : NULL;
  if (file == NULL || entry->schemes == NULL)
    return tn_err_memory(err, "plugin");
  entry->file = file;
  if (entry->dropin != NULL)
    backend->overrides = entry->dropin->errors;
  entry->backend = backend;
  entry->state = TN_PLUGIN_LOADED;
  return TN_OK;
}

/* Is it there already, from this very file? Under the lock. */
static const struct tn_plugin_entry *
find_same(const tn_registry *registry, const struct tn_backend *backend)
{
  const struct tn_plugin_entry *entry =
      tn_registry__find_entry(registry, backend->plugin.name);

  if (entry == NULL || entry->backend == NULL ||
      strcmp(entry->backend->path, backend->path) != 0)
    return NULL;
  return entry;
}

/* Take `*backend` in, or report the one there is. Under the lock. */
static enum tn_code
admit(tn_registry *registry, struct tn_backend **backend,
      struct tn_plugin_report *ret, tn_err *err)
{
  const struct tn_plugin_entry *same = find_same(registry, *backend);
  struct tn_plugin_entry *entry;
  enum tn_code rc;

  if (same != NULL) {
    tn_registry__fill_report(same, ret);
    return TN_OK;
  }
  rc = check_newcomer(registry, *backend, err);
  if (rc != TN_OK)
    return rc;
  entry = tn_registry__add_entry(registry, (*backend)->plugin.name);
  if (entry == NULL)
    return tn_err_memory(err, "plugin");
  rc = fill_newcomer(registry, entry, *backend, err);
  if (rc != TN_OK)
    return rc;
  *backend = NULL;
  tn_registry__fill_report(entry, ret);
  return TN_OK;
}

enum tn_code
tn_registry_add_file(tn_registry *registry, const char *path,
                     struct tn_plugin_report *ret, tn_err *err)
{
  TN_CLEANUP(tn_backend_free) struct tn_backend *backend = NULL;
  const struct tn_loader_wish wish = { .path = path,
                                       .package = "",
                                       .log = tn_registry__log(registry) };
  char line[PATH_MAX + sizeof(err->message)];
  tn_err cause = TN_ERR_INIT;
  bool is_final;
  enum tn_code rc;

  if (registry->blocked != NULL)
    return tn_registry__refuse_blocked(registry, err);
  rc = tn_loader_load(&wish, &backend, &is_final, &cause);
  if (rc == TN_E_MEMORY)
    return tn_err_memory(err, "plugin");
  if (rc != TN_OK) {
    snprintf(line, sizeof(line), "%s: %s", path, cause.message);
    tn_err_set(err, TN_E_PLUGIN, "plugin: %s", line);
    tn_err_add(err, TN_ERR_DETAIL, line);
    return TN_E_PLUGIN;
  }
  pthread_mutex_lock(&registry->lock);
  rc = admit(registry, &backend, ret, err);
  pthread_mutex_unlock(&registry->lock);
  return rc;
}
