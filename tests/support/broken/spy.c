/* Would leave a mark if its code were run: it writes to the descriptor that the
 * environment variable TENON_TEST_SPY names. */
#define BROKEN_NAME "spy"
#include "broken.h"

#include <stdlib.h>
#include <unistd.h>

static void __attribute__((constructor)) run(void)
{
  const char *fd = getenv("TENON_TEST_SPY");

  if (fd != NULL)
    (void)!write(atoi(fd), "x", 1);
}

const struct tn_plugin *
tn_plugin_entry(struct tn_call *call)
{
  (void)call;
  return &broken_plugin;
}
