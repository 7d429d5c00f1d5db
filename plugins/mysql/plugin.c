/* The entry of the MySQL plug-in: who it is, what it can do, which options a
 * URL may carry. */
#include "my_priv.h"

#include <signal.h>
#include <stdlib.h>

static const char *const schemes[] = { "mysql", "mariadb", NULL };

#define TEXT(name, help)                                                       \
  {                                                                            \
    name, TN_OPTION_TEXT, 0, 0, 0, NULL, "", help                              \
  }
#define IGNORED(name)                                                          \
  {                                                                            \
    name, TN_OPTION_TEXT, TN_OPTION_IGNORED, 0, 0, NULL, "",                   \
        "of other languages' drivers"                                          \
  }

static const struct tn_option_row options[] = {
  TEXT("unix_socket", "path of the server's socket, instead of host and port"),
  TN_HOST_POLICY_ROW,
  { "connect_timeout", TN_OPTION_DURATION, 0, 0, 86400000, NULL, "",
    "the longest to try to connect, in seconds; a deadline may end it sooner" },
  { "charset", TN_OPTION_CHOICE, 0, 0, 0, "utf8mb4|utf8|utf8mb3", "utf8mb4",
    "text is utf8mb4, whichever of these is said" },
  { "sql_mode", TN_OPTION_TEXT, 0, 0, 0, NULL, "TRADITIONAL",
    "how strictly the server judges values; empty is no mode, default its "
    "own" },
  { "wsrep_sync_wait", TN_OPTION_INTEGER, 0, -1, 15, NULL, "-1",
    "which statements wait for the cluster, as bits; -1 leaves its own" },
  TEXT("program_name", "as which the server shows the session"),
  IGNORED("use_unicode"),
  IGNORED("autocommit"),
  IGNORED("raise_on_warnings"),
  IGNORED("binary_prefix"),
  IGNORED("local_infile"),
  IGNORED("read_timeout"),
  IGNORED("write_timeout"),
  IGNORED("max_allowed_packet"),
  IGNORED("plugin_dir"),
  IGNORED("use_pure"),
  IGNORED("buffered"),
  IGNORED("get_warnings"),
};

static const char *
client_version(void)
{
  return mysql_get_client_info();
}

static const void *
get_table(uint32_t id)
{
  static const void *const tables[] = {
    [TN_TABLE_CONNECTION] = &mysql__connection_table,
    [TN_TABLE_STATEMENT] = &mysql__statement_table,
    [TN_TABLE_RESULT] = &mysql__result_table,
    [TN_TABLE_DIALECT] = &mysql__dialect_table,
    [TN_TABLE_TXN] = &mysql__txn_table,
    [TN_TABLE_SESSION] = &mysql__session_table,
    [TN_TABLE_BULK] = &mysql__bulk_table,
  };

  return id < MYSQL__COUNT(tables) ? tables[id] : NULL;
}

#ifdef MARIADB_PACKAGE_VERSION
#define CLIENT_LIBRARY "libmariadb"
#else
#define CLIENT_LIBRARY "mysqlclient"
#endif

static const struct tn_plugin descriptor = {
  .size = sizeof descriptor,
  .abi_major = TN_ABI_MAJOR,
  .abi_minor = TN_ABI_MINOR,
  .option_count = MYSQL__COUNT(options),
  .caps = MYSQL__CAPS,
  .name = "mysql",
  .version = "0.1.0",
  .license = "Apache-2.0",
  .schemes = schemes,
  .client_library = CLIENT_LIBRARY,
  .options = options,
  .client_version = client_version,
  .get_table = get_table,
};

/* OpenSSL's, if that is what the library uses for TLS (verbs.c). At the
 * program's exit it would take itself apart under sessions that exit handlers
 * still use, and under a handshake in a thread that was left behind. It is told
 * not to before the library initializes it. */
#define NO_ATEXIT UINT64_C(0x00080000)
extern int OPENSSL_init_crypto(uint64_t options, const void *settings)
    __attribute__((weak));

/* MariaDB's library has the whole process ignore SIGPIPE, which is not a
 * library's to decide. verbs.c and the host's threads see to it that none comes
 * of what we write. */
static bool
init_library(void)
{
  struct sigaction pipe;
  bool is_good;

  if (OPENSSL_init_crypto != NULL)
    (void)OPENSSL_init_crypto(NO_ATEXIT, NULL);
  sigaction(SIGPIPE, NULL, &pipe);
  is_good = mysql_library_init(0, NULL, NULL) == 0;
  sigaction(SIGPIPE, &pipe, NULL);
  return is_good;
}

/* The library's own initialization is not safe in threads, so it happens here,
 * once for each core. It is never undone: whoever else uses the library in the
 * process would lose it. */
const struct tn_plugin *
tn_plugin_entry(struct tn_call *call)
{
  static const char variable[] = "LIBMYSQL_PLUGINS";

  if (getenv(variable) != NULL) {
    tn_fail(call, TN_E_PLUGIN,
            "mysql: the environment's %s has the client library load code that "
            "nobody has checked: unset it",
            variable);
    return NULL;
  }
  if (!mysql_thread_safe()) {
    tn_fail(call, TN_E_PLUGIN,
            "mysql: the library was built for programs with one thread");
    return NULL;
  }
  if (!init_library()) {
    tn_fail(call, TN_E_PLUGIN, "mysql: the library cannot be initialized");
    return NULL;
  }
  return &descriptor;
}
