/* Loading a plug-in once, whoever asks for it and how many at a time.
 *
 * Loading runs foreign code: constructors of libraries, the entry point, and
 * by way of its log lines the program's own sink, which may well come back
 * here. So a plug-in is marked as being loaded and the lock let go. Others who
 * want the same one wait; but a thread that is loading itself never waits,
 * since it might wait for itself. */
#include "plugin_priv.h"

#include <limits.h>
#include <string.h>

#include "loader.h"
#include "strbuf.h"

/* Lines on the files that were tried; err->detail cuts them further. */
#define LINES_MAX 16384

/* ---- trying the files ---- */

/* What comes of it, gathered without the lock. */
struct attempt {
  const struct tn_plugin_entry *entry;
  const struct tn_manifest *manifest;
  struct tn_backend *backend;
  struct tn_strbuf lines; /* "PATH: reason", one a file */
  char reason[512];       /* the first that is not "absent" */
  bool is_final;
};

/* True if the search is over: loaded, or out of memory. */
static bool
try_file(tn_registry *registry, struct attempt *attempt, const char *path,
         enum tn_code *ret, tn_err *err)
{
  const struct tn_loader_wish wish = {
    .path = path,
    .name = attempt->entry->name,
    .schemes = attempt->manifest->schemes,
    .package = attempt->manifest->package,
    .log = tn_registry__log(registry),
  };
  tn_err cause = TN_ERR_INIT;
  bool is_final = false;
  enum tn_code rc = tn_loader_load(&wish, &attempt->backend, &is_final, &cause);

  *ret = rc;
  if (rc == TN_OK)
    return true;
  if (rc == TN_E_MEMORY) {
    *ret = tn_err_memory(err, "plugin");
    return true;
  }
  attempt->is_final = attempt->is_final || is_final;
  tn_strbuf_add_format(&attempt->lines, "%s%s: %s",
                       attempt->lines.size > 0 ? "\n" : "", path,
                       cause.message);
  if (rc != TN_E_NOT_FOUND && attempt->reason[0] == '\0')
    memcpy(attempt->reason, cause.message, sizeof(attempt->reason));
  return false;
}

static enum tn_code
try_files(tn_registry *registry, struct attempt *attempt, tn_err *err)
{
  const struct tn_dropin *dropin = attempt->entry->dropin;
  char path[PATH_MAX];
  enum tn_code rc = TN_E_PLUGIN;

  if (dropin != NULL && dropin->pin != NULL) {
    (void)try_file(registry, attempt, dropin->pin, &rc, err);
    if (rc == TN_E_NOT_FOUND)
      snprintf(attempt->reason, sizeof(attempt->reason),
               "the file that %s pins is absent", dropin->path);
    return rc;
  }
  for (const struct tn_plugin_folder *folder = registry->folders;
       folder != NULL; folder = folder->next) {
    if (folder->problem != NULL)
      tn_strbuf_add_format(&attempt->lines, "%s%s: %s",
                           attempt->lines.size > 0 ? "\n" : "", folder->plugins,
                           folder->problem);
    else if (tn_registry__join(folder->plugins, attempt->manifest->file,
                               path) &&
             try_file(registry, attempt, path, &rc, err))
      return rc;
  }
  return TN_E_PLUGIN;
}

static enum tn_code
fail_attempt(tn_registry *registry, struct attempt *attempt, tn_err *err)
{
  const char *package = attempt->manifest->package;

  pthread_mutex_lock(&registry->lock);
  for (const struct tn_plugin_shadow *shadow = attempt->entry->shadows;
       shadow != NULL; shadow = shadow->next)
    tn_strbuf_add_format(&attempt->lines, "\n%s: shadowed by %s", shadow->path,
                         attempt->manifest->path);
  pthread_mutex_unlock(&registry->lock);
  if (attempt->lines.failure == TN_E_MEMORY)
    return tn_err_memory(err, "plugin");

  if (attempt->reason[0] != '\0')
    tn_err_set(err, TN_E_PLUGIN, "plugin: %s: cannot be loaded: %s",
               attempt->entry->name, attempt->reason);
  else
    tn_err_set(err, TN_E_PLUGIN,
               "plugin: %s: cannot be loaded: %s is in none of the folders%s%s",
               attempt->entry->name, attempt->manifest->file,
               package[0] != '\0' ? "; install package " : "", package);
  tn_err_add(err, TN_ERR_DETAIL, tn_strbuf_text(&attempt->lines));
  return TN_E_PLUGIN;
}

static enum tn_code
run_attempt(tn_registry *registry, struct attempt *attempt, tn_err *err)
{
  enum tn_code rc = try_files(registry, attempt, err);

  if (rc != TN_OK && rc != TN_E_MEMORY)
    rc = fail_attempt(registry, attempt, err);
  tn_strbuf_clear(&attempt->lines);
  return rc;
}

/* ---- one at a time ---- */

/* Under the lock. */
static bool
is_loading_thread(const tn_registry *registry)
{
  for (const struct tn_plugin_entry *entry = registry->entries; entry != NULL;
       entry = entry->next) {
    if (entry->is_loading && pthread_equal(entry->loader, pthread_self()) != 0)
      return true;
  }
  return false;
}

static enum tn_code
copy_failure(const struct tn_plugin_entry *entry, tn_err *err)
{
  if (err != NULL)
    *err = entry->failure;
  return (enum tn_code)entry->failure.code;
}

/* Under the lock, which waiting lets go. TN_OK with `*ret_is_mine` true: the
 * caller is to load it; false: it is loaded. */
static enum tn_code
await_turn(tn_registry *registry, struct tn_plugin_entry *entry,
           bool *ret_is_mine, tn_err *err)
{
  *ret_is_mine = false;
  while (entry->is_loading) {
    if (is_loading_thread(registry))
      return tn_err_set(err, TN_E_PLUGIN,
                        "plugin: %s: is being loaded; this thread cannot wait "
                        "for it while it loads a plug-in itself",
                        entry->name);
    pthread_cond_wait(&registry->changed, &registry->lock);
  }
  if (entry->state == TN_PLUGIN_LOADED)
    return TN_OK;
  if (entry->state == TN_PLUGIN_BROKEN && entry->is_final)
    return copy_failure(entry, err);
  entry->is_loading = true;
  entry->loader = pthread_self();
  *ret_is_mine = true;
  return TN_OK;
}

/* Note what came of it. Under the lock. */
static enum tn_code
take_attempt(tn_registry *registry, struct tn_plugin_entry *entry,
             const struct attempt *attempt, const tn_err *failure, tn_err *err)
{
  const char *text =
      attempt->backend != NULL ? attempt->backend->path : failure->message;
  const char *kept = tn_registry__keep(registry, text);

  if (kept == NULL)
    return tn_err_memory(err, "plugin");
  if (attempt->backend != NULL) {
    if (entry->dropin != NULL)
      attempt->backend->overrides = entry->dropin->errors;
    entry->backend = attempt->backend;
    entry->state = TN_PLUGIN_LOADED;
    entry->file = kept;
    entry->problem = "";
    return TN_OK;
  }
  entry->state = TN_PLUGIN_BROKEN;
  entry->is_final = attempt->is_final;
  entry->problem = kept;
  entry->failure = *failure;
  return copy_failure(entry, err);
}

static enum tn_code
load_now(tn_registry *registry, struct tn_plugin_entry *entry,
         const struct tn_manifest *manifest, tn_err *err)
{
  struct attempt attempt = { .entry = entry, .manifest = manifest };
  tn_err failure = TN_ERR_INIT;
  enum tn_code rc;

  attempt.lines.max = LINES_MAX;
  rc = run_attempt(registry, &attempt, &failure);

  pthread_mutex_lock(&registry->lock);
  if (rc == TN_E_MEMORY)
    rc = tn_err_memory(err, "plugin");
  else
    rc = take_attempt(registry, entry, &attempt, &failure, err);
  if (rc != TN_OK)
    tn_backend_free(&attempt.backend);
  entry->is_loading = false;
  pthread_cond_broadcast(&registry->changed);
  pthread_mutex_unlock(&registry->lock);
  return rc;
}

bool
tn_registry__is_disabled(const struct tn_plugin_entry *entry)
{
  return entry->dropin != NULL && entry->dropin->disabled != NULL;
}

enum tn_code
tn_registry__refuse_blocked(const tn_registry *registry, tn_err *err)
{
  tn_err_set(err, TN_E_PLUGIN,
             "plugin: %s; no plug-in is loaded until that is mended",
             registry->blocked);
  tn_err_add(err, TN_ERR_DETAIL, registry->blocked);
  return TN_E_PLUGIN;
}

enum tn_code
tn_registry__load(tn_registry *registry, struct tn_plugin_entry *entry,
                  tn_err *err)
{
  const struct tn_manifest *manifest;
  bool is_mine;
  enum tn_code rc;

  if (registry->blocked != NULL)
    return tn_registry__refuse_blocked(registry, err);
  if (tn_registry__is_disabled(entry))
    return tn_err_set(err, TN_E_PLUGIN, "plugin: %s: disabled by %s",
                      entry->name, entry->dropin->disabled);
  pthread_mutex_lock(&registry->lock);
  rc = await_turn(registry, entry, &is_mine, err);
  manifest = entry->manifest;
  pthread_mutex_unlock(&registry->lock);
  if (rc != TN_OK || !is_mine)
    return rc;
  return load_now(registry, entry, manifest, err);
}
