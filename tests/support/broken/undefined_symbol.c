/* Calls a function that nobody has. */
#define BROKEN_NAME "undefined_symbol"
#include "broken.h"

extern const char *tn_test_function_that_nobody_has(void);

const struct tn_plugin *
tn_plugin_entry(struct tn_call *call)
{
  static struct tn_plugin plugin;

  (void)call;
  plugin = broken_plugin;
  plugin.version = tn_test_function_that_nobody_has();
  return &plugin;
}
