/* Has a descriptor that ends too early. */
#define BROKEN_NAME "small_descriptor"
#include "broken.h"

const struct tn_plugin *
tn_plugin_entry(struct tn_call *call)
{
  static struct tn_plugin plugin;

  (void)call;
  plugin = broken_plugin;
  plugin.size = offsetof(struct tn_plugin, get_table);
  return &plugin;
}
