/* Is of another major ABI, where nothing else may be read: the rest is spoiled.
 */
#define BROKEN_NAME "wrong_abi"
#include "broken.h"

struct other_plugin {
  uint32_t size;
  uint16_t abi_major;
  uint16_t abi_minor;
  const char *bad[16];
};

const struct tn_plugin *
tn_plugin_entry(struct tn_call *call)
{
  static struct other_plugin plugin = { .size = 8, .abi_major = 2 };

  (void)call;
  for (size_t i = 0; i < 16; i++)
    plugin.bad[i] = (const char *)(uintptr_t)1;
  return (const struct tn_plugin *)(const void *)&plugin;
}
