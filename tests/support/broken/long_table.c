/* Is newer than this core: its descriptor and a table go on behind the end that
 * is known here. Must load. */
#define BROKEN_NAME "long_table"
#include "broken.h"

static const struct {
  struct tn_connection_table known;
  uint64_t further[8];
} connection = {
  { .size = sizeof(connection),
    .connect = broken_connect,
    .disconnect = broken_disconnect },
  { 1, 2, 3, 4, 5, 6, 7, 8 },
};

static const void *
get_table(uint32_t id)
{
  return id == TN_TABLE_CONNECTION ? &connection : broken_get_table(id);
}

const struct tn_plugin *
tn_plugin_entry(struct tn_call *call)
{
  static struct {
    struct tn_plugin known;
    uint64_t further[8];
  } plugin;

  (void)call;
  plugin.known = broken_plugin;
  plugin.known.size = sizeof(plugin);
  plugin.known.abi_minor = 7;
  plugin.known.caps = UINT64_C(1) << 63;
  plugin.known.get_table = get_table;
  memset(plugin.further, 0xff, sizeof(plugin.further));
  return &plugin.known;
}
