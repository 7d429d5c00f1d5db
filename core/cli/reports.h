/* All plug-ins of the registry, collected before anything else is asked of
 * it. */
#ifndef TENON_CLI_REPORTS_H
#define TENON_CLI_REPORTS_H

#include "cli.h"

struct reports {
  struct tn_plugin_report *items; /* their texts are the registry's */
  size_t count;
  bool failed; /* out of memory */
};

/* `load` as tn_registry_report() has it. */
enum tn_code reports_get(struct cli *cli, int load, struct reports *ret,
                         tn_err *err);
void reports_clear(struct reports *reports);

/* Put one behind those there are. `user` is the struct reports. */
void reports_add(const struct tn_plugin_report *report, void *user);

/* "known", "loaded", "broken", "disabled"; "" for another number. */
const char *reports_state_name(uint32_t state);

#endif
