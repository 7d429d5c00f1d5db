/* From folders to entries.
 *
 * Manifests are read when the registry is made, and again when somebody asks
 * for a scheme that nobody serves: a package that is installed meanwhile then
 * works in a program that runs. Only folders that have changed are read
 * again, so that a stream of made-up schemes costs a stat() each. */
#include "plugin_priv.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "strbuf.h"

/* A folder that was changed this recently may be changed again without its
 * time moving: clocks of file systems tick. */
#define FRESH_S 2

static const char suffix[] = ".ini";

/* What a plug-in's author says of it for the conformance suite, which lies
 * beside the manifest while he works on it. */
static const char quirks_suffix[] = ".quirks.ini";

/* ---- small things ---- */

const char *
tn_registry__keep(tn_registry *registry, const char *text)
{
  struct tn_plugin_text *kept;
  size_t size = strlen(text) + 1;

  for (kept = registry->texts; kept != NULL; kept = kept->next) {
    if (strcmp(kept->text, text) == 0)
      return kept->text;
  }
  kept = tn_arena_alloc(&registry->arena, sizeof(*kept) + size);
  if (kept == NULL)
    return NULL;
  memcpy(kept->text, text, size);
  kept->next = registry->texts;
  registry->texts = kept;
  return kept->text;
}

bool
tn_registry__join(const char *folder, const char *file, char *out)
{
  size_t folder_size = strlen(folder);
  int size;

  while (folder_size > 1 && folder[folder_size - 1] == '/')
    folder_size--;
  if (folder_size >= PATH_MAX)
    return false;
  size = snprintf(out, PATH_MAX, "%.*s/%s", (int)folder_size, folder, file);
  return size > 0 && size < PATH_MAX;
}

const char *
tn_registry__source(const struct tn_plugin_entry *entry)
{
  return entry->manifest_path[0] != '\0' ? entry->manifest_path : entry->file;
}

bool
tn_registry__is_refused(const struct tn_plugin_entry *entry)
{
  return entry->manifest == NULL && entry->manifest_path[0] != '\0';
}

struct tn_plugin_entry *
tn_registry__find_entry(const tn_registry *registry, const char *name)
{
  struct tn_plugin_entry *entry = registry->entries;

  while (entry != NULL && strcmp(entry->name, name) != 0)
    entry = entry->next;
  return entry;
}

struct tn_plugin_entry *
tn_registry__add_entry(tn_registry *registry, const char *name)
{
  struct tn_plugin_entry **place = &registry->entries;
  struct tn_plugin_entry *entry =
      tn_arena_alloc(&registry->arena, sizeof(*entry));

  if (entry == NULL)
    return NULL;
  memset(entry, 0, sizeof(*entry));
  entry->name = tn_registry__keep(registry, name);
  if (entry->name == NULL)
    return NULL;
  entry->manifest_path = "";
  entry->schemes = "";
  entry->file = "";
  entry->problem = "";
  entry->state = TN_PLUGIN_KNOWN;
  entry->dropin = tn_dropins_find(&registry->dropins, name);
  while (*place != NULL && strcmp((*place)->name, name) < 0)
    place = &(*place)->next;
  entry->next = *place;
  *place = entry;
  return entry;
}

/* ---- drop-ins ---- */

/* Load nothing, for what `err` says of `path`. */
static enum tn_code
block(tn_registry *registry, const char *path, const tn_err *cause, tn_err *err)
{
  if (cause->code == TN_E_MEMORY)
    return tn_err_memory(err, "plugin");
  registry->blocked_path = tn_registry__keep(registry, path);
  registry->blocked = tn_registry__keep(registry, cause->message);
  if (registry->blocked_path == NULL || registry->blocked == NULL)
    return tn_err_memory(err, "plugin");
  tn_log_write(tn_registry__log(registry), TN_LOG_ERROR,
               "plugin: %s; no plug-in is loaded until that is mended",
               cause->message);
  return TN_OK;
}

static enum tn_code
read_dropin(tn_registry *registry, const char *name, tn_err *err)
{
  char path[PATH_MAX];
  tn_err cause = TN_ERR_INIT;

  if (!tn_registry__join(registry->admin_dir, name, path))
    (void)tn_err_set(&cause, TN_E_CONFIG, "%.200s: the path is too long", name);
  else if (tn_dropins_read(&registry->dropins, path, &cause) == TN_OK)
    return TN_OK;
  return block(registry, path, &cause, err);
}

enum tn_code
tn_registry__read_dropins(tn_registry *registry, tn_err *err)
{
  char **names = NULL;
  size_t count = 0;
  tn_err cause = TN_ERR_INIT;
  enum tn_code rc;

  if (registry->admin_dir[0] != '/') {
    tn_err_set(&cause, TN_E_CONFIG, "%s: not an absolute path",
               registry->admin_dir);
    return block(registry, registry->admin_dir, &cause, err);
  }
  rc = tn_file_list(registry->admin_dir, suffix, &names, &count, &cause);
  if (rc != TN_OK)
    return block(registry, registry->admin_dir, &cause, err);
  for (size_t i = 0; rc == TN_OK && i < count; i++)
    rc = read_dropin(registry, names[i], err);
  tn_memory_free(names);
  return rc;
}

/* ---- manifests ---- */

static void
add_words(struct tn_strbuf *text, const char *const *words)
{
  for (size_t i = 0; words[i] != NULL; i++) {
    if (text->size > 0)
      tn_strbuf_add_char(text, ' ');
    tn_strbuf_add_text(text, words[i]);
  }
}

/* All schemes of an entry, between blanks; NULL without memory. */
static const char *
join_schemes(tn_registry *registry, const struct tn_plugin_entry *entry)
{
  TN_CLEANUP(tn_strbuf_clear)
  struct tn_strbuf text = TN_STRBUF_INIT(SIZE_MAX / 4);

  add_words(&text, entry->manifest->schemes);
  add_words(&text, entry->manifest->aliases);
  if (entry->dropin != NULL)
    add_words(&text, entry->dropin->aliases);
  if (text.failure != TN_OK)
    return NULL;
  return tn_registry__keep(registry, tn_strbuf_text(&text));
}

/* Where the shared object is, or would be if it were there. */
static const char *
guess_file(tn_registry *registry, const struct tn_plugin_entry *entry)
{
  char path[PATH_MAX] = "";

  if (entry->dropin != NULL && entry->dropin->pin != NULL)
    return entry->dropin->pin;
  for (const struct tn_plugin_folder *folder = registry->folders;
       folder != NULL; folder = folder->next) {
    if (folder->problem == NULL &&
        tn_registry__join(folder->plugins, entry->manifest->file, path) &&
        access(path, F_OK) == 0)
      break;
  }
  return tn_registry__keep(registry, path);
}

static enum tn_code
set_broken(tn_registry *registry, struct tn_plugin_entry *entry,
           const char *problem, tn_err *err)
{
  const char *kept = tn_registry__keep(registry, problem);

  if (kept == NULL)
    return tn_err_memory(err, "plugin");
  entry->is_news = entry->problem != kept;
  entry->problem = kept;
  entry->state = TN_PLUGIN_BROKEN;
  entry->is_final = true;
  tn_err_set(&entry->failure, TN_E_PLUGIN, "plugin: %s: cannot be loaded: %s",
             entry->name, problem);
  tn_err_add(&entry->failure, TN_ERR_DETAIL, problem);
  return TN_OK;
}

/* Give the entry its manifest, which goes with it whatever happens. */
static enum tn_code
set_manifest(tn_registry *registry, struct tn_plugin_entry *entry,
             struct tn_manifest *manifest, tn_err *err)
{
  char problem[sizeof(err->message)];

  entry->manifest = manifest;
  entry->schemes = join_schemes(registry, entry);
  entry->file = guess_file(registry, entry);
  if (entry->schemes == NULL || entry->file == NULL) {
    tn_manifest_free(&entry->manifest);
    entry->schemes = "";
    entry->file = "";
    return tn_err_memory(err, "plugin");
  }
  entry->state = TN_PLUGIN_KNOWN;
  entry->is_final = false;
  entry->problem = "";
  if (manifest->abi_major == TN_ABI_MAJOR)
    return TN_OK;
  snprintf(problem, sizeof(problem), "%s: ABI %u, this core has %u",
           manifest->path, (unsigned)manifest->abi_major,
           (unsigned)TN_ABI_MAJOR);
  return set_broken(registry, entry, problem, err);
}

static enum tn_code
add_shadow(tn_registry *registry, struct tn_plugin_entry *entry,
           const char *path, tn_err *err)
{
  struct tn_plugin_shadow **end = &entry->shadows;
  struct tn_plugin_shadow *shadow;

  for (; *end != NULL; end = &(*end)->next) {
    if (strcmp((*end)->path, path) == 0)
      return TN_OK;
  }
  shadow = tn_arena_alloc(&registry->arena, sizeof(*shadow));
  if (shadow == NULL)
    return tn_err_memory(err, "plugin");
  shadow->next = NULL;
  shadow->path = tn_registry__keep(registry, path);
  if (shadow->path == NULL)
    return tn_err_memory(err, "plugin");
  *end = shadow;
  return TN_OK;
}

/* Is the manifest `path` of the plug-in `name` to be read? Under the lock. */
static enum tn_code
judge_manifest(tn_registry *registry, const char *name, const char *path,
               bool *ret_is_wanted, tn_err *err)
{
  struct tn_plugin_entry *entry = tn_registry__find_entry(registry, name);

  *ret_is_wanted = false;
  if (entry != NULL && strcmp(entry->manifest_path, path) != 0)
    return add_shadow(registry, entry, path, err);
  *ret_is_wanted = entry == NULL || entry->manifest == NULL;
  return TN_OK;
}

/* Take over what reading the manifest gave. Under the lock. */
static enum tn_code
take_manifest(tn_registry *registry, const char *name, const char *path,
              struct tn_manifest *manifest, const tn_err *cause, tn_err *err)
{
  struct tn_plugin_entry *entry = tn_registry__find_entry(registry, name);
  const char *kept = tn_registry__keep(registry, path);

  if (entry == NULL && kept != NULL)
    entry = tn_registry__add_entry(registry, name);
  if (entry == NULL || kept == NULL) {
    tn_manifest_free(&manifest);
    return tn_err_memory(err, "plugin");
  }
  entry->manifest_path = kept;
  if (manifest != NULL)
    return set_manifest(registry, entry, manifest, err);
  return set_broken(registry, entry, cause->message, err);
}

static enum tn_code
scan_manifest(tn_registry *registry, const char *name, const char *path,
              tn_err *err)
{
  struct tn_manifest *manifest = NULL;
  tn_err cause = TN_ERR_INIT;
  bool is_wanted;
  enum tn_code rc;

  pthread_mutex_lock(&registry->lock);
  rc = judge_manifest(registry, name, path, &is_wanted, err);
  pthread_mutex_unlock(&registry->lock);
  if (rc != TN_OK || !is_wanted)
    return rc;

  rc = tn_manifest_read(path, &manifest, &cause);
  if (rc == TN_E_MEMORY)
    return tn_err_memory(err, "plugin");
  pthread_mutex_lock(&registry->lock);
  rc = take_manifest(registry, name, path, manifest, &cause, err);
  pthread_mutex_unlock(&registry->lock);
  return rc;
}

/* ---- folders ---- */

/* Note whether there is such a folder. */
static void
set_absent(tn_registry *registry, struct tn_plugin_folder *folder,
           bool is_absent)
{
  pthread_mutex_lock(&registry->lock);
  folder->is_absent = is_absent;
  pthread_mutex_unlock(&registry->lock);
}

static bool
has_changed(tn_registry *registry, struct tn_plugin_folder *folder,
            struct timespec *ret_now)
{
  struct stat st;
  bool is_there = stat(folder->manifests, &st) == 0;
  bool is_absent = !is_there && (errno == ENOENT || errno == ENOTDIR);

  memset(ret_now, 0, sizeof(*ret_now));
  set_absent(registry, folder, is_absent);
  if (is_there)
    *ret_now = st.st_mtim;
  else if (!is_absent)
    return true; /* listing it will tell why */
  return folder->is_fresh || ret_now->tv_sec != folder->changed.tv_sec ||
         ret_now->tv_nsec != folder->changed.tv_nsec;
}

/* Note why a folder cannot be listed, or that it can. */
static enum tn_code
set_trouble(tn_registry *registry, struct tn_plugin_folder *folder,
            const tn_err *cause, tn_err *err)
{
  const char *trouble = NULL;
  enum tn_code rc = TN_OK;

  pthread_mutex_lock(&registry->lock);
  if (cause->code != TN_OK) {
    trouble = tn_registry__keep(registry, cause->message);
    if (trouble == NULL)
      rc = tn_err_memory(err, "plugin");
  }
  folder->trouble = trouble;
  pthread_mutex_unlock(&registry->lock);
  return rc;
}

/* Names that are listed end with `suffix`. */
static bool
is_manifest(const char *name)
{
  size_t size = strlen(name);
  size_t end = sizeof(quirks_suffix) - 1;

  return size < end || strcmp(name + size - end, quirks_suffix) != 0;
}

static enum tn_code
scan_folder(tn_registry *registry, struct tn_plugin_folder *folder, tn_err *err)
{
  char path[PATH_MAX];
  char **names = NULL;
  size_t count = 0;
  tn_err cause = TN_ERR_INIT;
  enum tn_code rc =
      tn_file_list(folder->manifests, suffix, &names, &count, &cause);

  if (rc == TN_E_MEMORY)
    return tn_err_memory(err, "plugin");
  rc = set_trouble(registry, folder, &cause, err);
  for (size_t i = 0; rc == TN_OK && i < count; i++) {
    char *end = names[i] + strlen(names[i]) - (sizeof(suffix) - 1);

    if (!is_manifest(names[i]) ||
        !tn_registry__join(folder->manifests, names[i], path))
      continue;
    *end = '\0';
    rc = scan_manifest(registry, names[i], path, err);
  }
  tn_memory_free(names);
  return rc;
}

/* Has the registry a bad manifest? Mending it does not change the folder. */
static bool
has_bad_manifest(tn_registry *registry)
{
  const struct tn_plugin_entry *entry;

  pthread_mutex_lock(&registry->lock);
  entry = registry->entries;
  while (entry != NULL && !tn_registry__is_refused(entry))
    entry = entry->next;
  pthread_mutex_unlock(&registry->lock);
  return entry != NULL;
}

static enum tn_code
scan_folders(tn_registry *registry, tn_err *err)
{
  bool is_forced = has_bad_manifest(registry);
  enum tn_code rc = TN_OK;

  for (struct tn_plugin_folder *folder = registry->folders;
       rc == TN_OK && folder != NULL; folder = folder->next) {
    struct timespec changed;

    if (folder->problem != NULL ||
        (!has_changed(registry, folder, &changed) && !is_forced))
      continue;
    rc = scan_folder(registry, folder, err);
    if (rc == TN_OK) {
      folder->is_fresh = time(NULL) - changed.tv_sec <= FRESH_S;
      folder->changed = changed;
    }
  }
  return rc;
}

/* Tell of manifests that are bad, each once. */
static void
log_news(tn_registry *registry)
{
  for (;;) {
    const struct tn_plugin_entry *news = NULL;
    const char *problem = NULL;

    pthread_mutex_lock(&registry->lock);
    for (struct tn_plugin_entry *entry = registry->entries;
         entry != NULL && news == NULL; entry = entry->next) {
      if (entry->is_news) {
        entry->is_news = false;
        news = entry;
        problem = entry->problem;
      }
    }
    pthread_mutex_unlock(&registry->lock);
    if (news == NULL)
      return;
    tn_log_write(tn_registry__log(registry), TN_LOG_WARNING, "plugin: %s: %s",
                 news->name, problem);
  }
}

enum tn_code
tn_registry__scan(tn_registry *registry, tn_err *err)
{
  enum tn_code rc;

  pthread_mutex_lock(&registry->lock);
  while (registry->is_scanning)
    pthread_cond_wait(&registry->changed, &registry->lock);
  registry->is_scanning = true;
  pthread_mutex_unlock(&registry->lock);

  rc = scan_folders(registry, err);

  pthread_mutex_lock(&registry->lock);
  registry->is_scanning = false;
  pthread_cond_broadcast(&registry->changed);
  pthread_mutex_unlock(&registry->lock);
  log_news(registry);
  return rc;
}
