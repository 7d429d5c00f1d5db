/* Calls itself otherwise than its file and its manifest do. */
#define BROKEN_NAME "wrong_name"
#include "broken.h"

const struct tn_plugin *
tn_plugin_entry(struct tn_call *call)
{
  static struct tn_plugin plugin;

  (void)call;
  plugin = broken_plugin;
  plugin.name = "another";
  return &plugin;
}
