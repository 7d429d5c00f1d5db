/* All plug-ins of the registry, as a list. */
#include "reports.h"

#include <stdlib.h>

static const char *const states[] = {
  [TN_PLUGIN_KNOWN] = "known",
  [TN_PLUGIN_LOADED] = "loaded",
  [TN_PLUGIN_BROKEN] = "broken",
  [TN_PLUGIN_DISABLED] = "disabled",
};

const char *
reports_state_name(uint32_t state)
{
  return state < COUNT(states) && states[state] != NULL ? states[state] : "";
}

void
reports_add(const struct tn_plugin_report *report, void *user)
{
  struct reports *reports = user;
  struct tn_plugin_report *items;

  items = realloc(reports->items, (reports->count + 1) * sizeof *items);
  if (items == NULL) {
    reports->failed = true;
    return;
  }
  reports->items = items;
  items[reports->count++] = *report;
}

enum tn_code
reports_get(struct cli *cli, int load, struct reports *ret, tn_err *err)
{
  enum tn_code rc = cli_need_registry(cli, err);

  if (rc != TN_OK)
    return rc;
  (void)tn_registry_report(cli->registry, load, reports_add, ret);
  if (ret->failed)
    return tn_err_set(err, TN_E_MEMORY, "plugins: out of memory");
  return TN_OK;
}

void
reports_clear(struct reports *reports)
{
  free(reports->items);
  reports->items = NULL;
  reports->count = 0;
}
