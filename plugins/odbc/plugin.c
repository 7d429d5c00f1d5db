/* The entry: any database that has an ODBC driver, by unixODBC. */
#include "odbc_priv.h"

#include <stddef.h>

static const char *const schemes[] = { "odbc", NULL };

/* "*": all others are keywords for the driver. */
static const struct tn_option_row options[] = {
  { "driver", TN_OPTION_TEXT, 0, 0, 0, NULL, "",
    "name of the driver as in odbcinst.ini, where the scheme cannot say it" },
  { "*", TN_OPTION_TEXT, TN_OPTION_SECRET, 0, 0, NULL, "",
    "any other name is a keyword of the driver's connection string" },
};

static const char *
client_version(void)
{
  return "3.52"; /* of ODBC: the driver manager tells its own to nobody */
}

static const void *
get_table(uint32_t id)
{
  static const void *const tables[] = {
    [TN_TABLE_CONNECTION] = &odbc__connection_table,
    [TN_TABLE_STATEMENT] = &odbc__statement_table,
    [TN_TABLE_RESULT] = &odbc__result_table,
    [TN_TABLE_DIALECT] = &odbc__dialect,
    [TN_TABLE_TXN] = &odbc__txn_table,
    [TN_TABLE_SESSION] = &odbc__session_table,
  };

  return id < ODBC__COUNT(tables) ? tables[id] : NULL;
}

static const struct tn_plugin descriptor = {
  .size = sizeof descriptor,
  .abi_major = TN_ABI_MAJOR,
  .abi_minor = TN_ABI_MINOR,
  .option_count = ODBC__COUNT(options),
  .caps = ODBC__CAPS,
  .name = "odbc",
  .version = "0.1.0",
  .license = "Apache-2.0",
  .schemes = schemes,
  .client_library = "unixODBC",
  .options = options,
  .client_version = client_version,
  .get_table = get_table,
};

const struct tn_plugin *
tn_plugin_entry(struct tn_call *call)
{
  (void)call;
  return &descriptor;
}
