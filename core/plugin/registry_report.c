/* What a registry knows, for people: which plug-ins there are, which are
 * broken and why, and which files lie about that nobody names. Nothing here
 * runs a plug-in's code unless it is asked to. */
#include "plugin_priv.h"

#include <limits.h>
#include <string.h>

#include "file.h"

static const char suffix[] = ".so";

struct visitor {
  tn_registry *registry;
  void (*visit)(const struct tn_plugin_report *report, void *user);
  void *user;
  size_t count;
};

static void
fill_loaded(const struct tn_backend *backend, struct tn_plugin_report *ret)
{
  ret->version = backend->plugin.version;
  ret->license = backend->plugin.license;
  ret->client_library = backend->plugin.client_library;
  ret->client_version = backend->client_version;
  ret->caps = backend->plugin.caps;
  ret->abi_major = backend->plugin.abi_major;
  ret->abi_minor = backend->plugin.abi_minor;
  ret->option_count = backend->plugin.option_count;
  ret->options = backend->plugin.options;
}

static void
fill_empty(struct tn_plugin_report *ret)
{
  *ret = (struct tn_plugin_report){
    .name = "",
    .schemes = "",
    .file = "",
    .manifest = "",
    .package = "",
    .version = "",
    .license = "",
    .client_library = "",
    .client_version = "",
    .problem = "",
    .state = TN_PLUGIN_BROKEN,
  };
}

void
tn_registry__fill_report(const struct tn_plugin_entry *entry,
                         struct tn_plugin_report *ret)
{
  fill_empty(ret);
  ret->name = entry->name;
  ret->schemes = entry->schemes;
  ret->file = entry->file;
  ret->manifest = entry->manifest_path;
  ret->problem = entry->problem;
  ret->state = entry->state;
  if (entry->manifest != NULL) {
    ret->package = entry->manifest->package;
    ret->client_library = entry->manifest->client;
  }
  if (entry->backend != NULL)
    fill_loaded(entry->backend, ret);
  if (tn_registry__is_disabled(entry)) {
    ret->state = TN_PLUGIN_DISABLED;
    ret->problem = "";
  }
}

static void
tell(struct visitor *visitor, const struct tn_plugin_report *report)
{
  visitor->visit(report, visitor->user);
  visitor->count++;
}

/* The first entry for NULL, else the one behind `entry`. */
static struct tn_plugin_entry *
next_entry(tn_registry *registry, const struct tn_plugin_entry *entry)
{
  struct tn_plugin_entry *next;

  pthread_mutex_lock(&registry->lock);
  next = entry != NULL ? entry->next : registry->entries;
  pthread_mutex_unlock(&registry->lock);
  return next;
}

static void
visit_entries(struct visitor *visitor, bool load)
{
  struct tn_plugin_entry *entry = NULL;
  struct tn_plugin_report report;

  while ((entry = next_entry(visitor->registry, entry)) != NULL) {
    /* Why it fails stands in the report. */
    if (load)
      (void)tn_registry__load(visitor->registry, entry, NULL);
    pthread_mutex_lock(&visitor->registry->lock);
    tn_registry__fill_report(entry, &report);
    pthread_mutex_unlock(&visitor->registry->lock);
    tell(visitor, &report);
  }
}

/* Is it "NAME.so"? Its manifest was refused, so nobody knows which file it
 * names, but it most often is this one. */
static bool
is_refused_file(const struct tn_plugin_entry *entry, const char *file)
{
  size_t size = strlen(entry->name);

  return tn_registry__is_refused(entry) &&
         strncmp(file, entry->name, size) == 0 &&
         strcmp(file + size, suffix) == 0;
}

/* Does a manifest or a pin name this file, or was it added? Under the lock. */
static bool
is_named(const tn_registry *registry, const char *file, const char *path)
{
  for (const struct tn_plugin_entry *entry = registry->entries; entry != NULL;
       entry = entry->next) {
    if (strcmp(entry->file, path) == 0 || is_refused_file(entry, file) ||
        (entry->manifest != NULL && strcmp(entry->manifest->file, file) == 0))
      return true;
  }
  return false;
}

/* Under the lock. False if it is named, or there is no memory to say so. */
static bool
fill_stray(tn_registry *registry, const char *folder, const char *file,
           struct tn_plugin_report *ret)
{
  char path[PATH_MAX];
  char name[NAME_MAX + 1];
  size_t size = strlen(file) - (sizeof(suffix) - 1);

  if (!tn_registry__join(folder, file, path) || is_named(registry, file, path))
    return false;
  memcpy(name, file, size);
  name[size] = '\0';
  fill_empty(ret);
  ret->name = tn_registry__keep(registry, name);
  ret->file = tn_registry__keep(registry, path);
  ret->problem = "no manifest names it";
  return ret->name != NULL && ret->file != NULL;
}

static void
visit_strays(struct visitor *visitor, const struct tn_plugin_folder *folder)
{
  struct tn_plugin_report report;
  char **names = NULL;
  size_t count = 0;

  /* A folder that cannot be listed has been told of. */
  if (tn_file_list(folder->plugins, suffix, &names, &count, NULL) != TN_OK)
    return;
  for (size_t i = 0; i < count; i++) {
    bool is_stray;

    pthread_mutex_lock(&visitor->registry->lock);
    is_stray =
        fill_stray(visitor->registry, folder->plugins, names[i], &report);
    pthread_mutex_unlock(&visitor->registry->lock);
    if (is_stray)
      tell(visitor, &report);
  }
  tn_memory_free(names);
}

/* A folder, or a drop-in, that is no good. */
static void
visit_trouble(struct visitor *visitor, const char *path, const char *problem)
{
  struct tn_plugin_report report;

  if (problem == NULL)
    return;
  fill_empty(&report);
  report.name = path;
  report.manifest = path;
  report.problem = problem;
  tell(visitor, &report);
}

static void
visit_folder(struct visitor *visitor, const struct tn_plugin_folder *folder)
{
  const char *problem = folder->problem;

  if (problem == NULL) {
    visit_strays(visitor, folder);
    pthread_mutex_lock(&visitor->registry->lock);
    problem = folder->trouble;
    pthread_mutex_unlock(&visitor->registry->lock);
  }
  visit_trouble(visitor, folder->manifests, problem);
}

/* What drop-ins say of plug-ins that there are not: misspelled, perhaps. */
static void
visit_orphans(struct visitor *visitor)
{
  tn_registry *registry = visitor->registry;
  char text[128];

  for (const struct tn_dropin *dropin = registry->dropins.first; dropin != NULL;
       dropin = dropin->next) {
    const char *problem = NULL;

    snprintf(text, sizeof(text),
             "speaks of plug-in \"%s\", which has no "
             "manifest",
             dropin->name);
    pthread_mutex_lock(&registry->lock);
    if (tn_registry__find_entry(registry, dropin->name) == NULL)
      problem = tn_registry__keep(registry, text);
    pthread_mutex_unlock(&registry->lock);
    visit_trouble(visitor, dropin->path, problem);
  }
}

size_t
tn_registry_report(tn_registry *registry, int load,
                   void (*visit)(const struct tn_plugin_report *report,
                                 void *user),
                   void *user)
{
  struct visitor visitor = { registry, visit, user, 0 };

  visit_entries(&visitor, load != 0);
  for (const struct tn_plugin_folder *folder = registry->folders;
       folder != NULL; folder = folder->next)
    visit_folder(&visitor, folder);
  visit_orphans(&visitor);
  visit_trouble(&visitor, registry->blocked_path, registry->blocked);
  return visitor.count;
}
