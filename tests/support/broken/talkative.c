/* Loads, but slowly, and talks meanwhile. */
#define BROKEN_NAME "talkative"
#include "broken.h"

#include <time.h>

const struct tn_plugin *
tn_plugin_entry(struct tn_call *call)
{
  static const struct timespec pause = { .tv_nsec = 100000000 };

  call->host->log(call, 3, "entered");
  nanosleep(&pause, NULL);
  call->host->log(call, 3, "left");
  return &broken_plugin;
}
