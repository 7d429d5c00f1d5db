/* Backends: which there are and where they are looked for.
 *
 * Everything a registry may ever open is decided here, from folders that the
 * build, the administrator or the program named. A URL has no say in it: its
 * scheme is compared with words of manifests and nothing else. */
#include "plugin_priv.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "loader.h"

#if !defined(TN_PLUGIN_DIR) || !defined(TN_MANIFEST_DIR) ||                    \
    !defined(TN_ADMIN_DIR)
#error "TN_PLUGIN_DIR, TN_MANIFEST_DIR and TN_ADMIN_DIR come from the build"
#endif

#define PATH_VARIABLE "TENON_PLUGIN_PATH"

/* By bit. */
static const char *const cap_names[] = {
  "write",
  "ddl",
  "expressions",
  "transaction",
  "savepoint",
  "ddl_in_transaction",
  "two_phase",
  "read_only",
  "read_uncommitted",
  "read_committed",
  "repeatable_read",
  "serializable",
  "lock_modes",
  "sql_mode",
  "returning",
  "upsert",
  "generated_key",
  "cancel",
  "deadline",
  "streaming",
  "multi_result",
  "constraint_names",
  "reset",
  "network",
  "array",
  "procedure",
  "deferrable",
  "outcome",
};

_Static_assert((UINT64_C(1) << (TN_COUNT(cap_names) - 1)) == TN_CAP_OUTCOME,
               "one name per bit");

const char *
tn_cap_name(unsigned bit)
{
  return bit < TN_COUNT(cap_names) ? cap_names[bit] : NULL;
}

void
tn_seal(void)
{
  tn_loader_seal();
}

const struct tn_log *
tn_registry__log(const tn_registry *registry)
{
  return registry->has_log ? &registry->log : NULL;
}

/* ---- folders ---- */

static bool
is_known_folder(const tn_registry *registry, const char *plugins,
                const char *manifests)
{
  for (const struct tn_plugin_folder *folder = registry->folders;
       folder != NULL; folder = folder->next) {
    if (strcmp(folder->plugins, plugins) == 0 &&
        strcmp(folder->manifests, manifests) == 0)
      return true;
  }
  return false;
}

/* Why a folder is not to be used; NULL if it may be. */
static const char *
folder_problem(const char *plugins, const char *manifests)
{
  if (plugins[0] != '/' || manifests[0] != '/')
    return "not an absolute path; such folders are never searched";
  if (strlen(plugins) >= PATH_MAX || strlen(manifests) >= PATH_MAX)
    return "the path is too long";
  return NULL;
}

/* Put a folder behind those there are. */
static enum tn_code
add_folder(tn_registry *registry, const char *plugins, const char *manifests,
           tn_err *err)
{
  struct tn_plugin_folder **end = &registry->folders;
  struct tn_plugin_folder *folder;

  if (is_known_folder(registry, plugins, manifests))
    return TN_OK;
  folder = tn_arena_alloc(&registry->arena, sizeof(*folder));
  if (folder == NULL)
    return tn_err_memory(err, "plugin");
  memset(folder, 0, sizeof(*folder));
  folder->plugins = tn_arena_text(&registry->arena, plugins, strlen(plugins));
  folder->manifests =
      tn_arena_text(&registry->arena, manifests, strlen(manifests));
  if (folder->plugins == NULL || folder->manifests == NULL)
    return tn_err_memory(err, "plugin");

  folder->problem = folder_problem(plugins, manifests);
  if (folder->problem != NULL)
    tn_log_write(tn_registry__log(registry), TN_LOG_WARNING,
                 "plugin: folder %s: %s",
                 plugins[0] != '/' ? plugins : manifests, folder->problem);
  while (*end != NULL)
    end = &(*end)->next;
  *end = folder;
  return TN_OK;
}

static enum tn_code
add_extra_dirs(tn_registry *registry, const char *const *dirs, tn_err *err)
{
  enum tn_code rc = TN_OK;

  for (size_t i = 0; rc == TN_OK && dirs != NULL && dirs[i] != NULL; i++)
    rc = add_folder(registry, dirs[i], dirs[i], err);
  return rc;
}

/* The folders of the variable, between colons; empty ones are none. */
static enum tn_code
add_path(tn_registry *registry, const char *path, tn_err *err)
{
  enum tn_code rc = TN_OK;

  while (rc == TN_OK && path != NULL && *path != '\0') {
    size_t size = strcspn(path, ":");
    char *dir;

    if (size > 0) {
      dir = tn_memory_text(path, size);
      rc = dir != NULL ? add_folder(registry, dir, dir, err)
                       : tn_err_memory(err, "plugin");
      tn_memory_free(dir);
    }
    path += size + (path[size] == ':');
  }
  return rc;
}

static const char *
text_or(const char *text, const char *initial)
{
  return text != NULL ? text : initial;
}

static enum tn_code
add_folders(tn_registry *registry, const struct tn_registry_options *options,
            const char *path, bool is_privileged, tn_err *err)
{
  enum tn_code rc = TN_OK;

  if (is_privileged) {
    if (path != NULL || options->extra_dirs != NULL)
      tn_log_write(tn_registry__log(registry), TN_LOG_WARNING,
                   "plugin: this process has raised privileges; %s and "
                   "further folders are left alone",
                   PATH_VARIABLE);
  } else {
    rc = add_extra_dirs(registry, options->extra_dirs, err);
    if (rc == TN_OK)
      rc = add_path(registry, path, err);
  }
  if (rc != TN_OK)
    return rc;
  return add_folder(registry, text_or(options->plugin_dir, TN_PLUGIN_DIR),
                    text_or(options->manifest_dir, TN_MANIFEST_DIR), err);
}

/* ---- life ---- */

static enum tn_code
fill(tn_registry *registry, const struct tn_registry_options *options,
     const char *path, bool is_privileged, tn_err *err)
{
  const char *admin_dir = text_or(options->admin_dir, TN_ADMIN_DIR);
  enum tn_code rc;

  if (options->log != NULL) {
    registry->log = *options->log;
    registry->has_log = true;
  }
  registry->admin_dir =
      tn_arena_text(&registry->arena, admin_dir, strlen(admin_dir));
  if (registry->admin_dir == NULL)
    return tn_err_memory(err, "plugin");
  rc = add_folders(registry, options, path, is_privileged, err);
  if (rc == TN_OK)
    rc = tn_registry__read_dropins(registry, err);
  return rc == TN_OK ? tn_registry__scan(registry, err) : rc;
}

enum tn_code
tn_registry__open(const struct tn_registry_options *options, const char *path,
                  bool is_privileged, tn_registry **ret, tn_err *err)
{
  static const struct tn_registry_options none;
  TN_CLEANUP(tn_registry_free)
  tn_registry *registry = tn_memory_zalloc(sizeof(*registry));
  enum tn_code rc;

  if (registry == NULL)
    return tn_err_memory(err, "plugin");

  /* Neither can fail here. */
  pthread_mutex_init(&registry->lock, NULL);
  pthread_cond_init(&registry->changed, NULL);
  rc = fill(registry, options != NULL ? options : &none, path, is_privileged,
            err);
  if (rc != TN_OK)
    return rc;
  *ret = registry;
  registry = NULL;
  return TN_OK;
}

enum tn_code
tn_registry_new(const struct tn_registry_options *options, tn_registry **ret,
                tn_err *err)
{
  bool is_privileged = getauxval(AT_SECURE) != 0;

  /* With raised privileges the variable is only looked at to warn of it. */
  return tn_registry__open(options,
                           is_privileged ? getenv(PATH_VARIABLE)
                                         : secure_getenv(PATH_VARIABLE),
                           is_privileged, ret, err);
}

void
tn_registry_free(tn_registry **registry)
{
  tn_registry *freed;

  if (registry == NULL || *registry == NULL)
    return;
  freed = *registry;
  *registry = NULL;
  for (struct tn_plugin_entry *entry = freed->entries; entry != NULL;
       entry = entry->next) {
    tn_manifest_free(&entry->manifest);
    tn_backend_shutdown(entry->backend);
    tn_backend_free(&entry->backend);
  }
  tn_registry__forget_warned(freed);
  tn_dropins_clear(&freed->dropins);
  tn_arena_clear(&freed->arena);
  pthread_cond_destroy(&freed->changed);
  pthread_mutex_destroy(&freed->lock);
  tn_memory_free(freed);
}

/* The process's registry. Not pthread_once(), which would make want of memory
 * on the first call last for ever. Nothing calls back while the lock is held:
 * this registry has no log. */
static tn_registry *process_registry;
static pthread_mutex_t process_lock = PTHREAD_MUTEX_INITIALIZER;

tn_registry *
tn_registry_default(void)
{
  tn_registry *registry;

  pthread_mutex_lock(&process_lock);
  if (process_registry == NULL &&
      tn_registry_new(NULL, &process_registry, NULL) != TN_OK)
    process_registry = NULL;
  registry = process_registry;
  pthread_mutex_unlock(&process_lock);
  return registry;
}
