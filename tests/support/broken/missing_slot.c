/* Leaves out slots that are required. */
#define BROKEN_NAME "missing_slot"
#include "broken.h"

static const void *
get_table(uint32_t id)
{
  static struct tn_connection_table connection;
  static struct tn_result_table result;

  if (id == TN_TABLE_CONNECTION) {
    connection = broken_connection;
    connection.connect = NULL;
    return &connection;
  }
  if (id == TN_TABLE_RESULT) {
    result = broken_result;
    result.fetch = NULL;
    return &result;
  }
  return broken_get_table(id);
}

const struct tn_plugin *
tn_plugin_entry(struct tn_call *call)
{
  static struct tn_plugin plugin;

  (void)call;
  plugin = broken_plugin;
  plugin.get_table = get_table;
  return &plugin;
}
