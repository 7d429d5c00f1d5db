/* Cannot work here, and does not say why. */
#define BROKEN_NAME "init_silent"
#include "broken.h"

const struct tn_plugin *
tn_plugin_entry(struct tn_call *call)
{
  (void)call;
  return NULL;
}
