/* From a scheme to the plug-in that serves it.
 *
 * A scheme comes from a URL, which may come from anywhere. It is compared with
 * the words of manifests and drop-ins and goes no further: no path is made of
 * it, and who has not claimed it in a trusted file cannot serve it. */
#include "plugin_priv.h"

#include <limits.h>
#include <string.h>

#include "strbuf.h"
#include "text.h"

/* Longest scheme that a message shows, and longest list of known ones. */
#define SHOWN_SIZE 80
#define KNOWN_SIZE 240

/* ---- who serves a scheme ---- */

/* The plug-ins that claim a scheme. */
struct claims {
  struct tn_plugin_entry *first;
  struct tn_plugin_entry *second; /* another one; NULL if they agree */
};

/* Is `word` the dialect, or with a driver "dialect+driver"? */
static bool
is_scheme(const char *word, const char *dialect, const char *driver)
{
  size_t size = strlen(dialect);

  if (driver == NULL)
    return strcmp(word, dialect) == 0;
  return strncmp(word, dialect, size) == 0 && word[size] == '+' &&
         strcmp(word + size + 1, driver) == 0;
}

static bool
has_scheme(const char *const *words, const char *dialect, const char *driver)
{
  for (size_t i = 0; words != NULL && words[i] != NULL; i++) {
    if (is_scheme(words[i], dialect, driver))
      return true;
  }
  return false;
}

static bool
admin_claims(const struct tn_plugin_entry *entry, const char *dialect,
             const char *driver)
{
  return !tn_registry__is_disabled(entry) && entry->dropin != NULL &&
         has_scheme(entry->dropin->aliases, dialect, driver);
}

static bool
serves(const struct tn_plugin_entry *entry, const char *dialect,
       const char *driver)
{
  if (entry->manifest != NULL)
    return has_scheme(entry->manifest->schemes, dialect, driver) ||
           has_scheme(entry->manifest->aliases, dialect, driver);
  return entry->backend != NULL &&
         has_scheme(entry->backend->plugin.schemes, dialect, driver);
}

static bool
manifest_claims(const struct tn_plugin_entry *entry, const char *dialect,
                const char *driver)
{
  return !tn_registry__is_disabled(entry) && serves(entry, dialect, driver);
}

static bool
disabled_claims(const struct tn_plugin_entry *entry, const char *dialect,
                const char *driver)
{
  return tn_registry__is_disabled(entry) &&
         (serves(entry, dialect, driver) ||
          has_scheme(entry->dropin->aliases, dialect, driver));
}

typedef bool (*claims_fn)(const struct tn_plugin_entry *entry,
                          const char *dialect, const char *driver);

static bool
find_by(const tn_registry *registry, claims_fn claims_scheme,
        const char *dialect, const char *driver, struct claims *ret)
{
  *ret = (struct claims){ NULL, NULL };
  for (struct tn_plugin_entry *entry = registry->entries; entry != NULL;
       entry = entry->next) {
    if (!claims_scheme(entry, dialect, driver))
      continue;
    if (ret->first == NULL)
      ret->first = entry;
    else if (ret->second == NULL)
      ret->second = entry;
  }
  return ret->first != NULL;
}

/* The administrator's word before that of manifests, "dialect+driver" before
 * the dialect alone. Who is disabled comes last, to be told so. Under the
 * lock. */
static bool
find_claims(const tn_registry *registry, const char *dialect,
            const char *driver, struct claims *ret)
{
  if (driver != NULL && *driver != '\0' &&
      (find_by(registry, admin_claims, dialect, driver, ret) ||
       find_by(registry, manifest_claims, dialect, driver, ret)))
    return true;
  if (find_by(registry, admin_claims, dialect, NULL, ret) ||
      find_by(registry, manifest_claims, dialect, NULL, ret))
    return true;
  if (!find_by(registry, disabled_claims, dialect, NULL, ret))
    return false;
  ret->second = NULL;
  return true;
}

/* ---- nobody serves it, or two do ---- */

static enum tn_code
refuse_conflict(const tn_registry *registry, const char *dialect,
                const struct claims *claims, tn_err *err)
{
  char line[2 * PATH_MAX];

  tn_err_set(err, TN_E_PLUGIN,
             "plugin: scheme \"%.40s\" is claimed by both %s and %s; say "
             "enabled = no in [plugin:%s] or [plugin:%s] in %s",
             dialect, tn_registry__source(claims->first),
             tn_registry__source(claims->second), claims->first->name,
             claims->second->name, registry->admin_dir);

  /* Whole, should the message have been cut. */
  snprintf(line, sizeof(line), "%s: claims it",
           tn_registry__source(claims->first));
  tn_err_add(err, TN_ERR_DETAIL, line);
  snprintf(line, sizeof(line), "%s: claims it",
           tn_registry__source(claims->second));
  tn_err_add(err, TN_ERR_DETAIL, line);
  return TN_E_PLUGIN;
}

/* Schemes that are served, as many as a message has room for. */
static void
add_known(struct tn_strbuf *known, const struct tn_plugin_entry *entry,
          struct tn_suggestion *suggestion)
{
  const char *const *schemes = NULL;

  if (tn_registry__is_disabled(entry))
    return;
  if (entry->manifest != NULL)
    schemes = entry->manifest->schemes;
  else if (entry->backend != NULL)
    schemes = entry->backend->plugin.schemes;
  for (size_t i = 0; schemes != NULL && schemes[i] != NULL; i++) {
    tn_suggestion_offer(suggestion, schemes[i]);
    if (known->size + strlen(schemes[i]) + sizeof(", …") > KNOWN_SIZE)
      continue;
    tn_strbuf_add_text(known, known->size > 0 ? ", " : "");
    tn_strbuf_add_text(known, schemes[i]);
  }
}

/* Why a folder was not searched; false if it was. */
static bool
tell_trouble(const struct tn_plugin_folder *folder, char *line, size_t size)
{
  if (folder->trouble != NULL)
    snprintf(line, size, "%s", folder->trouble);
  else if (folder->problem != NULL)
    snprintf(line, size, "%s: %s", folder->manifests, folder->problem);
  return folder->trouble != NULL || folder->problem != NULL;
}

/* Is the manifest of an entry in this folder, and was it refused? */
static bool
is_refused_in(const struct tn_plugin_folder *folder,
              const struct tn_plugin_entry *entry)
{
  const char *slash = strrchr(entry->manifest_path, '/');
  size_t size = strlen(folder->manifests);

  while (size > 1 && folder->manifests[size - 1] == '/')
    size--;
  return tn_registry__is_refused(entry) && slash != NULL &&
         (size_t)(slash - entry->manifest_path) == size &&
         memcmp(entry->manifest_path, folder->manifests, size) == 0;
}

/* What is the matter with manifests of a folder; of a folder that cannot be
 * trusted it is the same for all. False: nothing. */
static bool
add_refused(const tn_registry *registry, const struct tn_plugin_folder *folder,
            tn_err *err)
{
  const char *told = NULL;

  for (const struct tn_plugin_entry *entry = registry->entries; entry != NULL;
       entry = entry->next) {
    if (!is_refused_in(folder, entry) || entry->problem == told)
      continue;
    told = entry->problem;
    tn_err_add(err, TN_ERR_DETAIL, told);
  }
  return told != NULL;
}

static void
add_folder_searched(const tn_registry *registry,
                    const struct tn_plugin_folder *folder, const char *what,
                    tn_err *err)
{
  char line[PATH_MAX + 128];

  if (!tell_trouble(folder, line, sizeof(line))) {
    if (add_refused(registry, folder, err))
      return;
    if (folder->is_absent)
      snprintf(line, sizeof(line), "%s: there is no such folder",
               folder->manifests);
    else
      snprintf(line, sizeof(line), "%s: no manifest here has this %s",
               folder->manifests, what);
  }
  tn_err_add(err, TN_ERR_DETAIL, line);
}

void
tn_registry__add_searched(const tn_registry *registry, const char *what,
                          tn_err *err)
{
  for (const struct tn_plugin_folder *folder = registry->folders;
       folder != NULL; folder = folder->next)
    add_folder_searched(registry, folder, what, err);
  for (const struct tn_plugin_entry *entry = registry->entries; entry != NULL;
       entry = entry->next) {
    if (entry->manifest == NULL && entry->manifest_path[0] == '\0' &&
        entry->problem[0] != '\0')
      tn_err_add(err, TN_ERR_DETAIL, entry->problem);
  }
}

/* Why the plug-in of this name is not used, which is most likely the one that
 * is wanted; or NULL. Under the lock. */
static const char *
why_unused(const tn_registry *registry, const char *name)
{
  const struct tn_plugin_entry *entry = tn_registry__find_entry(registry, name);

  return entry != NULL && entry->manifest == NULL && entry->problem[0] != '\0'
             ? entry->problem
             : NULL;
}

/* Why the first folder was not searched that was not; "": all were. Under the
 * lock. */
static void
tell_unsearched(const tn_registry *registry, char line[PATH_MAX])
{
  const struct tn_plugin_folder *folder = registry->folders;

  line[0] = '\0';
  while (folder != NULL && !tell_trouble(folder, line, PATH_MAX))
    folder = folder->next;
}

/* Under the lock. */
static enum tn_code
refuse_scheme(const tn_registry *registry, const char *dialect, tn_err *err)
{
  TN_CLEANUP(tn_strbuf_clear)
  struct tn_strbuf known = TN_STRBUF_INIT(KNOWN_SIZE);
  struct tn_suggestion suggestion = { .wanted = dialect };
  const char *unused = why_unused(registry, dialect);
  char shown[SHOWN_SIZE], package[SHOWN_SIZE] = "", unsearched[PATH_MAX];
  char hint[PATH_MAX + SHOWN_SIZE] = "";

  for (const struct tn_plugin_entry *entry = registry->entries; entry != NULL;
       entry = entry->next)
    add_known(&known, entry, &suggestion);
  if (known.failure == TN_E_MEMORY)
    return tn_err_memory(err, "plugin");
  tn_text_escape(dialect, strlen(dialect), shown, sizeof(shown));
  tell_unsearched(registry, unsearched);
  if (unused == NULL && unsearched[0] == '\0' && tn_manifest_is_scheme(dialect))
    snprintf(package, sizeof(package), "package tenon-backend-%s may have it",
             dialect);
  if (unused != NULL)
    snprintf(hint, sizeof(hint), "; the plug-in of that name is refused: %s",
             unused);
  else if (suggestion.best != NULL)
    snprintf(hint, sizeof(hint), "; did you mean \"%s\"?", suggestion.best);
  else if (unsearched[0] != '\0')
    snprintf(hint, sizeof(hint), "; %s", unsearched);
  else if (package[0] != '\0')
    snprintf(hint, sizeof(hint), "; %s", package);
  tn_err_set(err, TN_E_PLUGIN, "plugin: no backend for scheme \"%s\"%s%s%s",
             shown, known.size > 0 ? "; known: " : "", tn_strbuf_text(&known),
             hint);
  tn_err_add(err, TN_ERR_DETAIL, package);
  tn_registry__add_searched(registry, "scheme", err);
  return TN_E_PLUGIN;
}

/* The entry that serves a scheme; reads the folders again if none does. */
static enum tn_code
find_entry_for(tn_registry *registry, const char *dialect, const char *driver,
               struct tn_plugin_entry **ret, tn_err *err)
{
  struct claims claims;
  bool is_found;
  enum tn_code rc = TN_OK;

  pthread_mutex_lock(&registry->lock);
  is_found = find_claims(registry, dialect, driver, &claims);
  if (!is_found) {
    pthread_mutex_unlock(&registry->lock);
    rc = tn_registry__scan(registry, err);
    pthread_mutex_lock(&registry->lock);
    is_found = find_claims(registry, dialect, driver, &claims);
  }
  if (rc == TN_OK && !is_found)
    rc = refuse_scheme(registry, dialect, err);
  else if (rc == TN_OK && claims.second != NULL)
    rc = refuse_conflict(registry, dialect, &claims, err);
  pthread_mutex_unlock(&registry->lock);
  *ret = claims.first;
  return rc;
}

enum tn_code
tn_registry_backend(tn_registry *registry, const char *dialect,
                    const char *driver, const struct tn_backend **ret,
                    struct tn_registry_defaults *ret_defaults, tn_err *err)
{
  struct tn_plugin_entry *entry = NULL;
  enum tn_code rc;

  if (registry->blocked != NULL)
    return tn_registry__refuse_blocked(registry, err);
  rc = find_entry_for(registry, dialect, driver, &entry, err);
  if (rc == TN_OK)
    rc = tn_registry__load(registry, entry, err);
  if (rc != TN_OK)
    return rc;
  *ret = entry->backend; /* stays as it is, once loaded */
  if (ret_defaults != NULL) {
    const struct tn_dropin *dropin = entry->dropin;

    ret_defaults->options = dropin != NULL ? dropin->defaults : NULL;
    ret_defaults->count = dropin != NULL ? dropin->default_count : 0;
  }
  return TN_OK;
}

enum tn_code
tn_registry__find_server(const tn_registry *registry, const char *scheme,
                         struct tn_plugin_entry **ret, tn_err *err)
{
  struct claims claims;

  *ret = NULL;
  if (!find_claims(registry, scheme, NULL, &claims))
    return TN_OK;
  if (claims.second != NULL)
    return refuse_conflict(registry, scheme, &claims, err);
  *ret = claims.first;
  return TN_OK;
}

const struct tn_plugin_entry *
tn_registry__server_of(const tn_registry *registry, const char *scheme)
{
  struct claims claims;

  return find_by(registry, manifest_claims, scheme, NULL, &claims)
             ? claims.first
             : NULL;
}
