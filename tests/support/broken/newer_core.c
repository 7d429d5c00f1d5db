/* Cannot work with a host as old as this. */
#define BROKEN_NAME "newer_core"
#include "broken.h"

const struct tn_plugin *
tn_plugin_entry(struct tn_call *call)
{
  static struct tn_plugin plugin;

  (void)call;
  plugin = broken_plugin;
  plugin.abi_minor = 99;
  plugin.min_host_minor = 99;
  return &plugin;
}
