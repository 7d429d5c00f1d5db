/* Is older than this core: its optional tables end before the last slots, and
 * what follows them in memory is not theirs. Must load. */
#define BROKEN_NAME "short_table"
#include "broken.h"

static uint32_t
state(void *handle)
{
  (void)handle;
  return TN_TXN_OPEN;
}

static int32_t
end(void *handle, struct tn_call *call)
{
  (void)handle;
  (void)call;
  return TN_OK;
}

static int32_t
begin(void *handle, const struct tn_txn_request *request, struct tn_call *call)
{
  (void)handle;
  (void)request;
  (void)call;
  return TN_OK;
}

static int32_t
beyond(void *handle, const char *name, struct tn_call *call)
{
  (void)handle;
  (void)name;
  return tn_fail(call, TN_E_INTERNAL, "called beyond the end of a table");
}

static const struct tn_txn_table txn = {
  .size = offsetof(struct tn_txn_table, savepoint),
  .begin = begin,
  .commit = end,
  .rollback = end,
  .state = state,
  .savepoint = beyond,
};

static const struct tn_session_table session = {
  .size = offsetof(struct tn_session_table, set_sql_mode),
  .reset = end,
  .set_sql_mode = beyond,
};

static const void *
get_table(uint32_t id)
{
  if (id == TN_TABLE_TXN)
    return &txn;
  if (id == TN_TABLE_SESSION)
    return &session;
  return broken_get_table(id);
}

const struct tn_plugin *
tn_plugin_entry(struct tn_call *call)
{
  static struct tn_plugin plugin;

  (void)call;
  plugin = broken_plugin;
  plugin.size = offsetof(struct tn_plugin, shutdown);
  plugin.caps = TN_CAP_TRANSACTION | TN_CAP_RESET;
  plugin.get_table = get_table;
  return &plugin;
}
