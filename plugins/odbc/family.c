/* What is known of some drivers beyond the standard. A driver that is none of
 * these is taken at the standard's word, with the capabilities that every
 * database has. */
#include "odbc_priv.h"

#include <string.h>

#define USUAL_CAPS                                                             \
  (TN_CAP_WRITE | TN_CAP_DDL | TN_CAP_TRANSACTION | TN_CAP_CANCEL |            \
   TN_CAP_DEADLINE)

/* ---- SQLite ---- */

/* The driver does not know the declared types that are ours by name. */
static const struct odbc__type sqlite_types[] = {
  { "bool", TN_BOOL, 0 },       { "decimal", TN_DECIMAL, 0 },
  { "numeric", TN_DECIMAL, 0 }, { "uuid", TN_UUID, 0 },
  { "json", TN_JSON, 0 },       { NULL, 0, 0 },
};

/* Integers of 64 bits. The driver's own waiting for a lock cannot be stopped,
 * so it is given little time, and tried again (work.c). */
static const char *const sqlite_preset[] = { "BigInt=1", "Timeout=20", NULL };

static const char *const sqlite_lost[] = { "VALUES", NULL };

/* ---- PostgreSQL ---- */

static const struct odbc__type postgresql_types[] = {
  { "timestamptz", TN_TIMESTAMP, 1 },
  { "bool", TN_BOOL, 0 },
  { "uuid", TN_UUID, 0 },
  { "json", TN_JSON, 0 },
  { "text", TN_TEXT, 0 },
  { "varchar", TN_TEXT, 0 },
  { "bpchar", TN_TEXT, 0 },
  { "unknown", TN_TEXT, 0 },
  { NULL, 0, 0 },
};

static const struct odbc__casts postgresql_casts = {
  .of = { [TN_BOOL] = "?::bool",
          [TN_INT64] = "?::int8",
          [TN_UINT64] = "?::numeric",
          [TN_DOUBLE] = "?::float8",
          [TN_DECIMAL] = "?::numeric",
          [TN_BLOB] = "?::bytea",
          [TN_DATE] = "?::date",
          [TN_TIME] = "?::time",
          [TN_TIMESTAMP] = "?::timestamp",
          [TN_UUID] = "?::uuid",
          [TN_JSON] = "?::json" },
  .small_integer = "?::int4", /* what takes these takes none of the largest */
  .moment = "?::timestamptz",
};

/* A failure is left as the server leaves it: the driver's own savepoints would
 * take ours with them. Bools that are no texts, and bytes of any length. */
static const char *const postgresql_preset[] = {
  "Protocol=7.4-0", "BoolsAsChar=0", "ByteaAsLongVarBinary=1",
  "MaxLongVarcharSize=1000000000", NULL
};

/* ---- MariaDB, MySQL ---- */

static const struct odbc__type mysql_types[] = {
  { "timestamp", TN_TIMESTAMP, 1 },
  { "json", TN_JSON, 0 },
  { NULL, 0, 0 },
};

/* The driver sends all but integers and doubles as text. */
static const struct odbc__casts mysql_casts = {
  .of = { [TN_DECIMAL] = "CAST(? AS DECIMAL",
          [TN_BLOB] = "CAST(? AS BINARY)",
          [TN_DATE] = "CAST(? AS DATE)",
          [TN_TIME] = "CAST(? AS TIME(6))",
          [TN_TIMESTAMP] = "CAST(? AS DATETIME(6))" },
  .decimal_digits = 65,
  .decimal_scale = 38,
};

static const char *const mariadb_lost[] = { "VALUES", "HELP", "XA RECOVER",
                                            NULL };

/* Rows that an UPDATE matched, not only those that it changed. */
static const char *const mysql_preset[] = { "CHARSET=utf8mb4", "OPTION=2",
                                            NULL };

/* ---- the families ---- */

static const struct odbc__family families[] = {
  {
      .driver = "sqlite",
      .dbms = "sqlite",
      .keywords = { NULL, NULL, "Database", NULL, NULL },
      .preset = sqlite_preset,
      .caps = USUAL_CAPS | TN_CAP_EXPRESSIONS | TN_CAP_SAVEPOINT |
              TN_CAP_DDL_IN_TRANSACTION | TN_CAP_READ_ONLY |
              TN_CAP_SERIALIZABLE | TN_CAP_UPSERT,
      .flags = ODBC__UTF8 | ODBC__NUMBERS_TEXT | ODBC__15_DIGITS |
               ODBC__SIGNED | ODBC__WRITE_ABORTS | ODBC__FINITE |
               ODBC__RECOMPILE | ODBC__CANCEL_FREES | ODBC__BUSY |
               ODBC__MESSAGES,
      .lookup = 2,
      .dialect = &odbc__dialect_sqlite,
      .types = sqlite_types,
      .lost = sqlite_lost,
      .read_only = { "PRAGMA query_only = 1", NULL, "PRAGMA query_only = 0" },
      .read_write = { "PRAGMA query_only = 0", NULL, "PRAGMA query_only = 1" },
      .access = { "PRAGMA query_only = 0", "PRAGMA query_only = 1" },
  },
  {
      .driver = "postgres",
      .dbms = "postgres",
      .keywords = { "Servername", "Port", "Database", "UID", "PWD" },
      .preset = postgresql_preset,
      .caps = USUAL_CAPS | TN_CAP_EXPRESSIONS | TN_CAP_SAVEPOINT |
              TN_CAP_DDL_IN_TRANSACTION | TN_CAP_READ_ONLY |
              TN_CAP_READ_UNCOMMITTED | TN_CAP_READ_COMMITTED |
              TN_CAP_REPEATABLE_READ | TN_CAP_SERIALIZABLE | TN_CAP_RETURNING |
              TN_CAP_UPSERT,
      .flags = ODBC__DECODES | ODBC__DOUBLE_TEXT | ODBC__GUESS |
               ODBC__HEX_BYTES | ODBC__STALE_PLANS | ODBC__FAILURE_ABORTS |
               ODBC__LOCALE,
      .dialect = &odbc__dialect_postgresql,
      .types = postgresql_types,
      .casts = &postgresql_casts,
      .setup = "SET TIME ZONE 'UTC'",
      .read_only = { NULL, "SET TRANSACTION READ ONLY", NULL },
      .read_write = { NULL, "SET TRANSACTION READ WRITE", NULL },
      .access = { "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
                  "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY" },
  },
  {
      .driver = "maria",
      .dbms = "maria",
      .keywords = { "SERVER", "PORT", "DATABASE", "UID", "PWD" },
      .preset = mysql_preset,
      .caps = USUAL_CAPS | TN_CAP_EXPRESSIONS | TN_CAP_SAVEPOINT |
              TN_CAP_READ_ONLY | TN_CAP_READ_UNCOMMITTED |
              TN_CAP_READ_COMMITTED | TN_CAP_REPEATABLE_READ |
              TN_CAP_SERIALIZABLE | TN_CAP_RETURNING | TN_CAP_UPSERT,
      .flags = ODBC__CANCEL_LAGS | ODBC__CANCEL_FREES | ODBC__FINITE |
               ODBC__UTC_TEXT | ODBC__UNSIGNED | ODBC__TEXT_BYTES |
               ODBC__FROM_1970 | ODBC__UNSAID_TYPES | ODBC__STALE_COLUMNS |
               ODBC__IMPLICIT,
      .lookup = 1,
      .dialect = &odbc__dialect_mysql,
      .types = mysql_types,
      .casts = &mysql_casts,
      .lost = mariadb_lost,
      .setup = "SET time_zone = '+00:00'",
      .read_only = { "SET TRANSACTION READ ONLY", NULL, NULL },
      .read_write = { "SET TRANSACTION READ WRITE", NULL, NULL },
      .access = { "SET SESSION TRANSACTION READ WRITE",
                  "SET SESSION TRANSACTION READ ONLY" },
  },
  {
      .driver = "mysql",
      .dbms = "mysql",
      .keywords = { "SERVER", "PORT", "DATABASE", "UID", "PWD" },
      .preset = mysql_preset,
      .caps = USUAL_CAPS | TN_CAP_EXPRESSIONS | TN_CAP_READ_UNCOMMITTED |
              TN_CAP_READ_COMMITTED | TN_CAP_REPEATABLE_READ |
              TN_CAP_SERIALIZABLE,
      .flags = ODBC__CANCEL_LAGS | ODBC__FINITE | ODBC__UTC_TEXT,
      .lookup = 1,
      .dialect = &odbc__dialect_mysql,
      .types = mysql_types,
      .setup = "SET time_zone = '+00:00'",
  },
};

static const struct odbc__family other = {
  .keywords = { "Server", "Port", "Database", "UID", "PWD" },
  .caps = USUAL_CAPS | TN_CAP_EXPRESSIONS,
  .flags = ODBC__BRACES | ODBC__FINITE,
  .dialect = &odbc__dialect,
};

void
odbc__fold(const char *name, char *ret, size_t size)
{
  size_t used = 0;

  for (; *name != '\0' && used + 1 < size; name++) {
    if ((*name >= 'a' && *name <= 'z') || (*name >= '0' && *name <= '9'))
      ret[used++] = *name;
    else if (*name >= 'A' && *name <= 'Z')
      ret[used++] = (char)(*name - 'A' + 'a');
  }
  ret[used] = '\0';
}

const struct odbc__family *
odbc__family_of_driver(const char *name)
{
  char folded[256];
  size_t i;

  odbc__fold(name, folded, sizeof folded);
  for (i = 0; i < ODBC__COUNT(families); i++)
    if (strstr(folded, families[i].driver) != NULL)
      return &families[i];
  return &other;
}

const struct odbc__family *
odbc__family_of_dbms(const char *name)
{
  char folded[256];
  size_t i;

  odbc__fold(name, folded, sizeof folded);
  for (i = 0; i < ODBC__COUNT(families); i++)
    if (strstr(folded, families[i].dbms) != NULL)
      return &families[i];
  return &other;
}
