/* Has no table at all. */
#define BROKEN_NAME "null_tables"
#include "broken.h"

static const void *
no_table(uint32_t id)
{
  (void)id;
  return NULL;
}

const struct tn_plugin *
tn_plugin_entry(struct tn_call *call)
{
  static struct tn_plugin plugin;

  (void)call;
  plugin = broken_plugin;
  plugin.get_table = no_table;
  return &plugin;
}
