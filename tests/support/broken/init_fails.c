/* Cannot work here, and says why. */
#define BROKEN_NAME "init_fails"
#include "broken.h"

const struct tn_plugin *
tn_plugin_entry(struct tn_call *call)
{
  (void)tn_fail(call, TN_E_LIMIT, "%s: the license has run out", BROKEN_NAME);
  return NULL;
}
