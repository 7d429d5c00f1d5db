/* What the files of the registry share: folders, plug-ins, and the one lock.
 *
 * registry.c makes and releases it, registry_scan.c fills it from the folders,
 * registry_scheme.c finds who serves a scheme, registry_load.c loads it,
 * registry_inspect.c, registry_report.c and registry_errors.c tell of plug-ins,
 * registry_warn.c remembers what was said.
 *
 * The lock guards everything that says so below. It is never held while a
 * plug-in's code, a log sink, a visitor or the file system is busy: whatever
 * is needed meanwhile is copied first, or never changes. */
#ifndef TENON_PLUGIN_PRIV_H
#define TENON_PLUGIN_PRIV_H

#include <pthread.h>
#include <time.h>

#include "dropin.h"
#include "manifest.h"
#include "registry_priv.h"

/* A folder of plug-ins with the folder of their manifests. */
struct tn_plugin_folder {
  struct tn_plugin_folder *next;
  const char *plugins;
  const char *manifests;
  const char *problem; /* why it is left alone; NULL: it is used */

  /* Of the manifests' folder when it was last read, by the one who scans. */
  struct timespec changed;
  bool is_fresh; /* had changed just before; may have done so again since */

  /* Under the lock. */
  const char *trouble; /* why it cannot be listed, or NULL */
  bool is_absent;
};

/* A manifest that another one of the same name stands before. */
struct tn_plugin_shadow {
  struct tn_plugin_shadow *next;
  const char *path;
};

/* One plug-in. It stays where it is until the registry is released. */
struct tn_plugin_entry {
  const char *name;
  const char *manifest_path;      /* "" if it was added as a file */
  const struct tn_dropin *dropin; /* NULL: the administrator says nothing */

  /* Under the lock. Pointers to texts change, the texts do not. */
  struct tn_plugin_entry *next; /* in the order of names */
  struct tn_manifest *manifest; /* NULL: it is bad, or there is none */
  const char *schemes;
  const char *file;
  const char *problem;
  struct tn_plugin_shadow *shadows;
  struct tn_backend *backend; /* once it is loaded */
  uint32_t state;             /* enum tn_plugin_state */
  bool is_final;              /* broken, and not to be tried again */
  bool is_news;               /* the problem has not been logged yet */
  bool is_loading;
  pthread_t loader; /* the thread that loads it */
  tn_err failure;   /* of the last load */
};

/* A text that is kept once. */
struct tn_plugin_text {
  struct tn_plugin_text *next;
  char text[];
};

struct tn_registry {
  /* Never changes once it is made. */
  struct tn_plugin_folder *folders; /* in the order of the search */
  const char *admin_dir;
  struct tn_dropins dropins;
  const char *blocked_path; /* the drop-in that cannot be read, or NULL */
  const char *blocked;      /* why */
  bool has_log;
  struct tn_log log;

  pthread_mutex_t lock;
  pthread_cond_t changed; /* something was loaded or scanned */

  /* Under the lock. */
  struct tn_plugin_entry *entries;
  struct tn_plugin_text *texts;
  struct tn_arena arena;
  bool is_scanning;
  char *warned[64];   /* hosts, the newest of those that a warning was about */
  size_t next_warned; /* place of the next one */
};

/* ---- registry.c ---- */

/* As tn_registry_new(), with what the environment says. */
enum tn_code tn_registry__open(const struct tn_registry_options *options,
                               const char *path, bool is_privileged,
                               tn_registry **ret, tn_err *err);

const struct tn_log *tn_registry__log(const tn_registry *registry);

/* ---- registry_scan.c ---- */

/* `text`, kept until the registry is released; NULL without memory. Under the
 * lock. */
const char *tn_registry__keep(tn_registry *registry, const char *text);

/* "FOLDER/FILE" into `out` of PATH_MAX bytes; false if it does not fit. */
bool tn_registry__join(const char *folder, const char *file, char *out);

/* A new entry of that name, put in its place; NULL without memory. Under the
 * lock. */
struct tn_plugin_entry *tn_registry__add_entry(tn_registry *registry,
                                               const char *name);

/* The entry of that name; NULL if there is none. Under the lock. */
struct tn_plugin_entry *tn_registry__find_entry(const tn_registry *registry,
                                                const char *name);

/* Read the drop-ins. What cannot be read or trusted makes the registry refuse
 * to load anything: it may have said "enabled = no". Fails: TN_E_MEMORY. */
enum tn_code tn_registry__read_dropins(tn_registry *registry, tn_err *err);

/* Read the manifests that are not known yet, or were bad, of the folders that
 * have changed since. Without the lock. Fails: TN_E_MEMORY. */
enum tn_code tn_registry__scan(tn_registry *registry, tn_err *err);

/* Has it a manifest, which was refused? Under the lock. */
bool tn_registry__is_refused(const struct tn_plugin_entry *entry);

/* Where the entry comes from: its manifest, or else its file. Under the
 * lock. */
const char *tn_registry__source(const struct tn_plugin_entry *entry);

/* ---- registry_scheme.c ---- */

/* Add to `err` where was looked for `what`, a name or a scheme, and what was
 * found there that is no good. Under the lock. */
void tn_registry__add_searched(const tn_registry *registry, const char *what,
                               tn_err *err);

/* Who serves a scheme, disabled ones not counted; NULL if nobody does. Under
 * the lock. */
const struct tn_plugin_entry *tn_registry__server_of(
    const tn_registry *registry, const char *scheme);

/* Who serves a scheme by the rules of URLs; `*ret` is NULL if nobody does.
 * Under the lock. Fails: TN_E_PLUGIN, two claim it. */
enum tn_code tn_registry__find_server(const tn_registry *registry,
                                      const char *scheme,
                                      struct tn_plugin_entry **ret,
                                      tn_err *err);

/* ---- registry_load.c ---- */

/* By the administrator. */
bool tn_registry__is_disabled(const struct tn_plugin_entry *entry);

/* The failure of everything, for registry->blocked. */
enum tn_code tn_registry__refuse_blocked(const tn_registry *registry,
                                         tn_err *err);

/* Load a plug-in unless it is. Without the lock. Fails: as
 * tn_registry_backend(). */
enum tn_code tn_registry__load(tn_registry *registry,
                               struct tn_plugin_entry *entry, tn_err *err);

/* ---- registry_warn.c ---- */

/* Release the memory of it, with the registry. */
void tn_registry__forget_warned(tn_registry *registry);

/* ---- registry_report.c ---- */

/* Under the lock. */
void tn_registry__fill_report(const struct tn_plugin_entry *entry,
                              struct tn_plugin_report *ret);

#endif
