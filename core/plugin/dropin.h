/* What the administrator makes of the plug-ins: any NAME.ini in his folder.
 *
 *   [plugin:sqlite]
 *   enabled = no
 *   alias = lite                      further schemes, stronger than manifests'
 *   pin = /absolute/path/sqlite.so    this file and no other
 *   [defaults:sqlite]
 *   busy_timeout = 5s                 values of options that a URL leaves out
 *   [errors:sqlite]
 *   native.5 = busy safe              what an error means (override.h)
 *
 * As with manifests nothing is passed over. */
#ifndef TENON_DROPIN_H
#define TENON_DROPIN_H

#include "manifest.h"
#include "override.h"
#include "registry_priv.h"

/* What all drop-ins together say of one plug-in. */
struct tn_dropin {
  struct tn_dropin *next;
  const char *name;     /* of the plug-in */
  const char *path;     /* of the drop-in that spoke of it last */
  const char *disabled; /* path of the drop-in that disables it, or NULL */
  const char *pin;      /* NULL: none */
  const char *const *aliases; /* ended by NULL */
  struct tn_registry_default_option *defaults;
  const char **default_paths; /* where each was said */
  size_t default_count;
  struct tn_overrides errors;
  uint32_t seen; /* keys that `path` has given */
};

/* Everything lives in `arena`. Zeroed is empty. */
struct tn_dropins {
  struct tn_dropin *first;
  struct tn_arena arena;
};

/* Add what the text of the drop-in `path` says; a later drop-in replaces a
 * value of an earlier one. After a failure `dropins` may have part of it.
 * Fails: TN_E_CONFIG, "PATH:LINE: …"; TN_E_MEMORY. */
enum tn_code tn_dropins_parse(struct tn_dropins *dropins, const char *text,
                              size_t size, const char *path, tn_err *err);

/* The same from a file, which must be one that can be trusted (file.h). */
enum tn_code tn_dropins_read(struct tn_dropins *dropins, const char *path,
                             tn_err *err);

/* Idempotent. */
void tn_dropins_clear(struct tn_dropins *dropins);

/* What is said of the plug-in `name`; NULL if nothing is. */
const struct tn_dropin *tn_dropins_find(const struct tn_dropins *dropins,
                                        const char *name);

#endif
