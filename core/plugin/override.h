/* What the administrator makes of a backend's errors: rows of a drop-in that
 * stand before the plug-in's own.
 *
 *   [errors:mysql]
 *   native.1205 = deadlock            lock wait timeout: as a deadlock
 *   sqlstate.55P03 = busy safe        a code
 *   sqlstate.53 = dead                a class
 *
 * A value has a category, a verdict on the connection and one on the replay,
 * in any order, at least one of them. */
#ifndef TENON_OVERRIDE_H
#define TENON_OVERRIDE_H

#include <tenon/plugin.h>

#include "manifest.h"

struct tn_override {
  int32_t native;   /* 0: by sqlstate */
  char sqlstate[6]; /* five characters, or two for a class */
  uint16_t reserved;
  int32_t category;   /* 0: the row's */
  int32_t connection; /* 0: the row's, or the category's */
  int32_t replay;     /* likewise */
  uint32_t line;
  const char *path; /* of the drop-in */
};

struct tn_overrides {
  struct tn_override *items;
  size_t count;
};

/* Add one, or replace the one for the same code; memory comes from the
 * source's arena. Fails: TN_E_CONFIG, "PATH:LINE: …"; TN_E_MEMORY. */
enum tn_code tn_overrides_take(struct tn_overrides *overrides,
                               const struct tn_manifest_source *source,
                               const struct tn_ini_item *item, tn_err *err);

/* The one for a failure, from the most telling to the most general; NULL if
 * there is none. */
const struct tn_override *tn_overrides_find(
    const struct tn_overrides *overrides, const struct tn_failure *failure);

#endif
