/* The entry of the PostgreSQL plug-in: who it is, what it can do, which options
 * a URL may carry. */
#include <openssl/crypto.h>
#include <stdio.h>

#include "pg_priv.h"

static const char *const schemes[] = { "postgresql", "postgres", NULL };

#define TEXT(name, help)                                                       \
  {                                                                            \
    name, TN_OPTION_TEXT, 0, 0, 0, NULL, "", help                              \
  }
#define NUMBER(name, max, help)                                                \
  {                                                                            \
    name, TN_OPTION_INTEGER, 0, 0, max, NULL, "", help                         \
  }
#define CHOICE(name, words, initial, help)                                     \
  {                                                                            \
    name, TN_OPTION_CHOICE, 0, 0, 0, words, initial, help                      \
  }
#define IGNORED(name)                                                          \
  {                                                                            \
    name, TN_OPTION_TEXT, TN_OPTION_IGNORED, 0, 0, NULL, "",                   \
        "of another driver"                                                    \
  }

static const struct tn_option_row options[] = {
  TEXT("application_name",
       "name of the program in the server's views; its own if not given"),
  TEXT("fallback_application_name", "the same, unless application_name says"),
  TN_HOST_POLICY_ROW,
  CHOICE("target_session_attrs",
         "any|read-write|read-only|primary|standby|prefer-standby", "any",
         "which of several servers will do"),
  { "connect_timeout", TN_OPTION_DURATION, 0, 0, 86400000, NULL, "0",
    "how long to try each server, in seconds; 0: as long as there is time" },
  TEXT("passfile", "file to look for the password in, as libpq has them"),
  TEXT("options", "settings of the session, as -c NAME=VALUE"),
  CHOICE("client_encoding", "utf8|UTF8|utf-8|UTF-8", "utf8",
         "encoding of the session; there is but one"),
  CHOICE(
      "proxy_mode", "auto|session|transaction", "auto",
      "what a proxy in between gives: a session of the server for as long as "
      "ours, or one for each transaction; auto: found out"),
  CHOICE("channel_binding", "disable|prefer|require", "prefer",
         "bind the login by password to the TLS connection"),
  TEXT("requirepeer", "account that must run the server of a unix socket"),
  { "sslpassword", TN_OPTION_TEXT, TN_OPTION_SECRET, 0, 0, NULL, "",
    "password of the private key" },
  { "keepalives", TN_OPTION_BOOL, 0, 0, 0, NULL, "yes",
    "have TCP ask now and then whether the server is alive" },
  NUMBER("keepalives_idle", 1000000, "seconds of silence before it asks"),
  NUMBER("keepalives_interval", 1000000, "seconds before it asks again"),
  NUMBER("keepalives_count", 1000, "questions before it gives up"),
  NUMBER("tcp_user_timeout", 1000000000,
         "milliseconds that data may remain unacknowledged"),
  IGNORED("gssencmode"),
  IGNORED("krbsrvname"),
  IGNORED("gsslib"),
  IGNORED("sslcompression"),
  IGNORED("sslsni"),
  IGNORED("async_fallback"),
  IGNORED("prepared_statement_cache_size"),
  IGNORED("statement_cache_size"),
  IGNORED("executemany_mode"),
};

/* The library's version as text, which must be static. 150002 is 15.2. */
#define LIBRARY_MIN 140000
#define MINORS      50

#define TEN(major, ten)                                                        \
  major "." ten "0", major "." ten "1", major "." ten "2", major "." ten "3",  \
      major "." ten "4", major "." ten "5", major "." ten "6",                 \
      major "." ten "7", major "." ten "8", major "." ten "9"
#define FIFTY(major)                                                           \
  {                                                                            \
    TEN(major, ""), TEN(major, "1"), TEN(major, "2"), TEN(major, "3"),         \
        TEN(major, "4")                                                        \
  }

static const char *
client_version(void)
{
  static const char *const names[][MINORS] = {
    FIFTY("14"), FIFTY("15"), FIFTY("16"),
    FIFTY("17"), FIFTY("18"), FIFTY("19"),
  };
  unsigned major = (unsigned)PQlibVersion() / 10000 - LIBRARY_MIN / 10000;
  unsigned minor = (unsigned)PQlibVersion() % 10000;

  return major < PG__COUNT(names) && minor < MINORS ? names[major][minor]
                                                    : "later than 19";
}

static const void *
get_table(uint32_t id)
{
  static const void *const tables[] = {
    [TN_TABLE_CONNECTION] = &pg__connection_table,
    [TN_TABLE_STATEMENT] = &pg__statement_table,
    [TN_TABLE_RESULT] = &pg__result_table,
    [TN_TABLE_DIALECT] = &pg__dialect_table,
    [TN_TABLE_TXN] = &pg__txn_table,
    [TN_TABLE_SESSION] = &pg__session_table,
    [TN_TABLE_BULK] = &pg__bulk_table,
  };

  return id < PG__COUNT(tables) ? tables[id] : NULL;
}

static const struct tn_plugin descriptor = {
  .size = sizeof descriptor,
  .abi_major = TN_ABI_MAJOR,
  .abi_minor = TN_ABI_MINOR,
  .option_count = PG__COUNT(options),
  .caps = PG__CAPS,
  .name = "postgresql",
  .version = "0.1.0",
  .license = "Apache-2.0",
  .schemes = schemes,
  .client_library = "libpq",
  .options = options,
  .client_version = client_version,
  .get_table = get_table,
};

/* Pipelines need libpq 14. */
const struct tn_plugin *
tn_plugin_entry(struct tn_call *call)
{
  if (PQlibVersion() < LIBRARY_MIN) {
    tn_fail(call, TN_E_PLUGIN, "postgresql: libpq is %d.%d: 14 is needed",
            PQlibVersion() / 10000, PQlibVersion() % 10000);
    return NULL;
  }
  if (!PQisthreadsafe()) {
    tn_fail(call, TN_E_PLUGIN,
            "postgresql: libpq was built for programs with one thread");
    return NULL;
  }

  /* Before libpq does it: at the program's exit OpenSSL would take itself
   * apart under sessions that exit handlers, or threads, still use. */
  (void)OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
  return &descriptor;
}
