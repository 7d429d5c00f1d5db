/* The entry of the SQLite plug-in: who it is, what it can do, which options a
 * URL may carry. */
#include "sqlite_priv.h"

static const char *const schemes[] = { "sqlite", NULL };

#define CHOICE(name, words, initial, help)                                     \
  {                                                                            \
    name, TN_OPTION_CHOICE, 0, 0, 0, words, initial, help                      \
  }
#define FLAG(name, initial, help)                                              \
  {                                                                            \
    name, TN_OPTION_BOOL, 0, 0, 0, NULL, initial, help                         \
  }
#define IGNORED(name)                                                          \
  {                                                                            \
    name, TN_OPTION_TEXT, TN_OPTION_IGNORED, 0, 0, NULL, "",                   \
        "of Python's driver"                                                   \
  }

static const struct tn_option_row options[] = {
  FLAG("uri", "no", "the database is a \"file:\" URI of SQLite's"),
  CHOICE("mode", "ro|rw|rwc|memory", "rwc",
         "open for reading, for writing, create if missing, or in memory"),
  CHOICE("cache", "shared|private", "private",
         "share the page cache with other connections of this process"),
  FLAG("immutable", "no", "the file cannot change: no locks, no journal"),
  FLAG("nolock", "no", "take no locks on the file"),
  FLAG("psow", "", "the disk keeps neighbouring bytes when power fails"),
  { "vfs", TN_OPTION_TEXT, 0, 0, 0, NULL, "",
    "name of a registered file system layer of SQLite's" },
  { "modeof", TN_OPTION_TEXT, 0, 0, 0, NULL, "",
    "a new file gets the permissions of this one" },
  { "timeout", TN_OPTION_DURATION, 0, 0, SQLITE__BUSY_MAX_NS / 1000000, NULL,
    "5s", "how long to wait for a lock, in seconds" },
  FLAG("foreign_keys", "", "enforce foreign keys; SQLite's default is not to"),
  CHOICE("synchronous", "off|normal|full|extra", "",
         "how often to wait for the disk"),
  CHOICE("journal_mode", "delete|truncate|persist|memory|wal|off", "",
         "how a transaction can be rolled back"),
  CHOICE("isolation_level",
         "deferred|immediate|exclusive|DEFERRED|IMMEDIATE|EXCLUSIVE",
         "deferred", "which locks a plain begin takes at once"),
  IGNORED("check_same_thread"),
  IGNORED("detect_types"),
  IGNORED("cached_statements"),
};

static const char *
client_version(void)
{
  return sqlite3_libversion();
}

static const void *
get_table(uint32_t id)
{
  static const void *const tables[] = {
    [TN_TABLE_CONNECTION] = &sqlite__connection_table,
    [TN_TABLE_STATEMENT] = &sqlite__statement_table,
    [TN_TABLE_RESULT] = &sqlite__result_table,
    [TN_TABLE_DIALECT] = &sqlite__dialect_table,
    [TN_TABLE_TXN] = &sqlite__txn_table,
    [TN_TABLE_SESSION] = &sqlite__session_table,
  };

  return id < SQLITE__COUNT(tables) ? tables[id] : NULL;
}

static const struct tn_plugin descriptor = {
  .size = sizeof descriptor,
  .abi_major = TN_ABI_MAJOR,
  .abi_minor = TN_ABI_MINOR,
  .option_count = SQLITE__COUNT(options),
  .caps = SQLITE__CAPS,
  .name = "sqlite",
  .version = "0.1.0",
  .license = "Apache-2.0",
  .schemes = schemes,
  .client_library = "sqlite3",
  .options = options,
  .client_version = client_version,
  .get_table = get_table,
};

/* Connections are opened without SQLite's mutex, which a library built for one
 * thread would take for leave to share its own data unguarded. */
const struct tn_plugin *
tn_plugin_entry(struct tn_call *call)
{
  if (sqlite3_libversion_number() < SQLITE__VERSION_MIN) {
    tn_fail(call, TN_E_PLUGIN, "sqlite: the library is %s: 3.38 is needed",
            sqlite3_libversion());
    return NULL;
  }
  if (!sqlite3_threadsafe()) {
    tn_fail(call, TN_E_PLUGIN,
            "sqlite: the library was built for programs with one thread");
    return NULL;
  }
  return &descriptor;
}
