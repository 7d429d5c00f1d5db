/* Serves a scheme that its manifest does not name. */
#define BROKEN_NAME "wrong_scheme"
#include "broken.h"

static const char *const schemes[] = { BROKEN_NAME, "stowaway", NULL };

const struct tn_plugin *
tn_plugin_entry(struct tn_call *call)
{
  static struct tn_plugin plugin;

  (void)call;
  plugin = broken_plugin;
  plugin.schemes = schemes;
  return &plugin;
}
