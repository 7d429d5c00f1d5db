/* The options of a database: one table.
 *
 * Names, defaults and old names are those of oslo.db's [database] section, of
 * all its releases, so that a file that is in use loads as it is. What has no
 * meaning here is in the table as well: it is read and told to be without
 * effect, instead of being refused as a slip of the pen.
 *
 * conf/tenon.ini shows every row; a test compares the two. */
#include "config_priv.h"

#include <string.h>

#include "text.h"

#define MOST INT32_MAX

/* One row. `old` are its old names. */
#define ROW(name, value, text, old, type, secret, low, high, more)             \
  {                                                                            \
    .row = { .key = (name),                                                    \
             .initial = (value),                                               \
             .help = (text),                                                   \
             .aliases = (old),                                                 \
             .unit = (type),                                                   \
             .is_secret = (secret),                                            \
             .min = (low),                                                     \
             .max = (high) },                                                  \
    .traits = (more)                                                           \
  }
#define OWN_ROW(name, value, text, old, type, low, high)                       \
  ROW(name, value, text, old, type, 0, low, high, TN_CONFIG_OWN)

#define TEXT_ROW(name, value, text, old)                                       \
  ROW(name, value, text, old, TN_UNIT_TEXT, 0, 0, 0, 0)
#define SECRET_ROW(name, traits, text, old)                                    \
  ROW(name, NULL, text, old, TN_UNIT_TEXT, 1, 0, 0, traits)
#define BOOL_ROW(name, value, text, old)                                       \
  OWN_ROW(name, value, text, old, TN_UNIT_BOOL, 0, 1)
#define COUNT_ROW(name, value, low, high, text, old)                           \
  OWN_ROW(name, value, text, old, TN_UNIT_COUNT, low, high)
#define SECONDS_ROW(name, value, low, text, old)                               \
  OWN_ROW(name, value, text, old, TN_UNIT_SECONDS, low, MOST)
#define PERCENT_ROW(name, value, text, old)                                    \
  OWN_ROW(name, value, text, old, TN_UNIT_PERCENT, 0, 100)
#define CHOICE_ROW(name, value, words, text)                                   \
  {                                                                            \
    .row = { .key = (name),                                                    \
             .initial = (value),                                               \
             .help = (text),                                                   \
             .aliases = "",                                                    \
             .unit = TN_UNIT_CHOICE,                                           \
             .choices = (words) },                                             \
    .traits = TN_CONFIG_OWN                                                    \
  }
#define OBSOLETE_ROW(name, value, type, high, text, old)                       \
  ROW(name, value, "Obsolete, without effect: " text, old, type, 0, 0, high,   \
      TN_CONFIG_OBSOLETE)
#define OBSOLETE_URL_ROW(name, text)                                           \
  ROW(name, NULL, "Obsolete, without effect: " text, "", TN_UNIT_TEXT, 1, 0,   \
      0, TN_CONFIG_OBSOLETE | TN_CONFIG_URL)

static const struct tn_config_option options[] = {
  /* Whom to connect to. */
  SECRET_ROW("connection", TN_CONFIG_URL,
             "The database, as a URL. Text; env:NAME and file:PATH are looked "
             "up.",
             "DEFAULT/sql_connection DATABASE/sql_connection sql/connection"),
  SECRET_ROW("slave_connection", TN_CONFIG_URL,
             "A replica for reading, as a URL. Text; env:NAME and file:PATH "
             "are looked up.",
             ""),
  SECRET_ROW("password", 0,
             "The password, in place of one in the URLs, so that these can "
             "stand in the open. Text; env:NAME and file:PATH are looked up.",
             ""),
  TEXT_ROW("connection_parameters", "",
           "Options to add to the URLs, as a=1&b=2. Text; it is shown, so no "
           "secrets here.",
           ""),
  BOOL_ROW("synchronous_reader", "true",
           "Send readers to the primary, so that they see every commit; if "
           "not, they use the replica. With Galera, false needs "
           "mysql_wsrep_sync_wait = 1. Bool.",
           ""),
  BOOL_ROW("reader_read_only", "false",
           "Begin the transactions of readers as read-only, so that the server "
           "refuses writes; if not, they are rolled back. Bool.",
           ""),

  /* The pool. */
  COUNT_ROW("max_pool_size", "5", 0, MOST,
            "Connections to keep open while nobody uses them. A count; 0 is no "
            "limit.",
            "DEFAULT/sql_max_pool_size DATABASE/sql_max_pool_size"),
  COUNT_ROW(
      "max_overflow", "50", -1, MOST,
      "Connections to open beyond max_pool_size while all are in use; one "
      "that is given back is closed if max_pool_size others are unused. "
      "A count; -1 is no limit.",
      "DEFAULT/sql_max_overflow DATABASE/sqlalchemy_max_overflow"),
  SECONDS_ROW("pool_timeout", NULL, 0,
              "How long to wait for a free connection, or for a new one. "
              "Seconds; 30 if it is not given; 0 waits for no free one, and "
              "30 for a new one.",
              "DATABASE/sqlalchemy_pool_timeout"),
  SECONDS_ROW("connection_recycle_time", "3600", -1,
              "Age at which a connection is replaced when it is next lent. "
              "Seconds; 0 is each time, or nearly; -1 is never.",
              "database/idle_timeout DATABASE/idle_timeout sql/idle_timeout "
              "DEFAULT/sql_idle_timeout DATABASE/sql_idle_timeout"),
  CHOICE_ROW("pool_kind", "auto", "auto|queue|null|static",
             "What becomes of a connection that is given back: kept (queue) or "
             "closed (null); static has one, which stays. Text; auto is static "
             "for a database that ends with its session, else queue."),
  COUNT_ROW("pool_min_idle", "0", 0, MOST,
            "Connections to keep ready, up to max_pool_size. A count.", ""),
  COUNT_ROW("pool_connects", "8", 0, MOST,
            "Connections to open at the same time. A count; 0 is no limit.",
            ""),
  SECONDS_ROW("pool_idle_time", "600", 0,
              "Time unused after which a connection is closed, down to "
              "pool_min_idle. Seconds; 0 is never.",
              ""),
  SECONDS_ROW("pool_lifetime", "1800", 0,
              "Age at which a connection is closed when nobody uses it; each "
              "up to a tenth sooner. Seconds; 0 is never.",
              ""),
  SECONDS_ROW("pool_ping_time", "1", 0,
              "Time unused after which a connection is pinged before it is "
              "lent; at once if its socket has something to read. Seconds; 0 "
              "is only then.",
              ""),
  SECONDS_ROW("pool_leak_time", "0", 0,
              "Length of a loan that is told of in the log. Seconds; 0 is "
              "none.",
              ""),
  SECONDS_ROW("pool_retry_time", "1", 0,
              "Longest time in which nobody tries to connect after it has "
              "failed, and whoever needs to fails at once. Seconds; it begins "
              "with a tenth of one.",
              ""),
  SECONDS_ROW("pool_tick_time", "1", 0,
              "How often a thread of the pool looks for what is due. Seconds; "
              "0 is no thread: the program calls tn_engine_tick().",
              ""),
  CHOICE_ROW("pool_reset", "touched", "touched|always|never",
             "When a connection that is given back is brought back to what it "
             "was when it was opened: if something was set, if it was used, "
             "never. Text."),

  /* Trying again. */
  COUNT_ROW("max_retries", "10", -1, MOST,
            "Attempts to connect at the start. A count; -1 is without end, 0 "
            "does not connect at the start.",
            "DEFAULT/sql_max_retries DATABASE/sql_max_retries"),
  SECONDS_ROW("retry_interval", "10", 0,
              "Time between the attempts to connect at the start. Seconds.",
              "DEFAULT/sql_retry_interval DATABASE/reconnect_interval"),
  SECONDS_ROW("max_retry_interval", NULL, 0,
              "Longest time between the attempts to connect at the start, "
              "which doubles after each. Seconds; it does not grow if this is "
              "not given.",
              ""),
  BOOL_ROW("start_degraded", "false",
           "Begin all the same when no attempt to connect at the start has "
           "worked. Bool.",
           ""),
  BOOL_ROW("use_db_reconnect", "false",
           "Run a transaction again after a lost connection, too, if nothing "
           "of it can have taken effect. Bool.",
           ""),
  COUNT_ROW("db_max_retries", "20", -1, MOST,
            "Repeats of a transaction after a deadlock, its like, or a lost "
            "connection. A count; -1 is without end.",
            ""),
  SECONDS_ROW("db_retry_interval", "1", 0,
              "Time before the first repeat of a transaction. Seconds.", ""),
  BOOL_ROW("db_inc_retry_interval", "true",
           "Double the time after each repeat, up to db_max_retry_interval. "
           "Bool.",
           ""),
  SECONDS_ROW("db_max_retry_interval", "10", 0,
              "Longest time before a repeat of a transaction. Seconds.", ""),

  /* Statements. */
  SECONDS_ROW("query_timeout", "0", 0,
              "Longest time of a statement, with the reading of its rows, that "
              "names no deadline. Seconds; 0 is no limit.",
              ""),
  SECONDS_ROW(
      "slow_query_time", "0", 0,
      "Time from which on a statement is an event of its own, SLOW, and a "
      "warning in the log. Seconds; 0 is never.",
      ""),
  BOOL_ROW("slow_query_plan", "false",
           "Log the plan of a slow SELECT, INSERT, UPDATE or DELETE, which is "
           "not run again for that: at the next tick, if a connection is free "
           "then or may be opened, one in ten seconds at most. Bool.",
           ""),
  COUNT_ROW("statement_cache_size", "100", 0, 1000000,
            "Statements that a connection keeps prepared, to be found again "
            "by their text. A count; 0 keeps none.",
            ""),
  COUNT_ROW("statement_cache_bytes", "1048576", 0, MOST,
            "The most text of the statements that a connection keeps. A "
            "count of bytes.",
            ""),

  /* What is written to the log. */
  PERCENT_ROW("connection_debug", "0",
              "How much to log of what is sent. Percent: below 50 warnings "
              "only; from 50 on statements (level info), as they are written, "
              "with the types of their values; 100 also connections and loans "
              "(level debug).",
              "DEFAULT/sql_connection_debug"),
  BOOL_ROW("statement_log_values", "false",
           "Log values, not only their types, each up to 64 bytes. They may be "
           "secrets, of people too. Bool.",
           ""),
  BOOL_ROW("connection_trace", "false",
           "Add a comment to each statement that has none, which says where it "
           "comes from: application, label of the loan, traceparent. With a "
           "traceparent the statement is prepared each time. Bool.",
           "DEFAULT/sql_connection_trace"),
  OWN_ROW("application", NULL,
          "Name of the application in the comments of connection_trace. Text; "
          "the program's if it is not given; empty is none.",
          "", TN_UNIT_TEXT, 0, 0),

  /* Particular backends. */
  ROW("mysql_sql_mode", "TRADITIONAL",
      "MySQL and MariaDB: the SQL mode of each session. Text; empty is no mode "
      "at all, default the server's own.",
      "", TN_UNIT_TEXT, 0, 0, 0, TN_CONFIG_BACKEND),
  ROW("mysql_wsrep_sync_wait", NULL,
      "Galera: what waits until the node has caught up. A count, the sum of "
      "the bits of wsrep_sync_wait; the server's own if it is not given.",
      "", TN_UNIT_COUNT, 0, 0, 15, TN_CONFIG_BACKEND),
  ROW("sqlite_synchronous", "true",
      "SQLite: wait for the disk at each commit. Bool.",
      "DEFAULT/sqlite_synchronous", TN_UNIT_BOOL, 0, 0, 1, TN_CONFIG_BACKEND),

  /* Without effect. */
  OBSOLETE_ROW("backend", "sqlalchemy", TN_UNIT_TEXT, 0,
               "the URL names the backend. Text.", "DEFAULT/db_backend"),
  OBSOLETE_ROW("min_pool_size", "1", TN_UNIT_COUNT, MOST,
               "it never had one. A count.",
               "DEFAULT/sql_min_pool_size DATABASE/sql_min_pool_size"),
  OBSOLETE_ROW("use_tpool", "false", TN_UNIT_BOOL, 1,
               "there are no green threads here. Bool.",
               "DEFAULT/dbapi_use_tpool"),
  OBSOLETE_ROW("mysql_enable_ndb", "false", TN_UNIT_BOOL, 1,
               "statements are not rewritten for NDB. Bool.", ""),
  OBSOLETE_ROW("sqlite_db", "oslo.sqlite", TN_UNIT_TEXT, 0,
               "the URL names the file. Text.", "DEFAULT/sqlite_db"),
  OBSOLETE_URL_ROW("asyncio_connection", "use connection. Text."),
  OBSOLETE_URL_ROW("asyncio_slave_connection", "use slave_connection. Text."),
};

/* Longest "SECTION/key" that can be in the table. */
#define ALIAS_SIZE 64

/* What must follow the text that was found in a list of aliases. */
enum ending { ENDS_ALIAS, ENDS_SECTION };

/* Does the list have a word that is, or starts with, `text`? */
static bool
has_word(const char *list, const char *text, enum ending ending)
{
  size_t size = strlen(text);
  const char *at = list;

  while (*at != '\0' && (at = strstr(at, text)) != NULL) {
    bool is_start = at == list || at[-1] == ' ';

    if (is_start &&
        (ending == ENDS_SECTION || at[size] == ' ' || at[size] == '\0'))
      return true;
    at++;
  }
  return false;
}

/* Write "SECTION/key". False: that cannot be in the table, being too long or
 * of more than two words. */
static bool
join_alias(const char *section, const char *key, char out[ALIAS_SIZE])
{
  char *end;

  if (*section == '\0' || strlen(section) + strlen(key) + 2 > ALIAS_SIZE ||
      strpbrk(section, " /") != NULL || strpbrk(key, " /") != NULL)
    return false;
  end = stpcpy(out, section);
  *end++ = '/';
  (void)stpcpy(end, key);
  return true;
}

size_t
tn_config__option_count(void)
{
  return TN_COUNT(options);
}

const struct tn_config_option *
tn_config__option(size_t index)
{
  return &options[index];
}

const struct tn_config_row *
tn_config_row(size_t index)
{
  return index < TN_COUNT(options) ? &options[index].row : NULL;
}

bool
tn_config__find_key(const char *key, size_t *ret_index)
{
  size_t i;

  for (i = 0; i < TN_COUNT(options); i++) {
    if (strcmp(options[i].row.key, key) == 0) {
      *ret_index = i;
      return true;
    }
  }
  return false;
}

bool
tn_config__find_alias(const char *section, const char *key, size_t *ret_index)
{
  char alias[ALIAS_SIZE];
  size_t i;

  if (*key == '\0' || !join_alias(section, key, alias))
    return false;
  for (i = 0; i < TN_COUNT(options); i++) {
    if (has_word(options[i].row.aliases, alias, ENDS_ALIAS)) {
      *ret_index = i;
      return true;
    }
  }
  return false;
}

bool
tn_config__is_old_section(const char *section)
{
  char alias[ALIAS_SIZE];
  size_t i;

  if (strcmp(section, TN_CONFIG_DEFAULT) == 0 ||
      !join_alias(section, "", alias))
    return false;
  for (i = 0; i < TN_COUNT(options); i++)
    if (has_word(options[i].row.aliases, alias, ENDS_SECTION))
      return true;
  return false;
}

/* The row that has `key` as an old name in some section. */
static const struct tn_config_row *
find_old_name(const char *key)
{
  static const char *const sections[] = { TN_CONFIG_DEFAULT, "DEFAULT",
                                          "DATABASE", "sql" };
  size_t index, i;

  for (i = 0; i < TN_COUNT(sections); i++)
    if (tn_config__find_alias(sections[i], key, &index))
      return &options[index].row;
  return NULL;
}

const char *
tn_config__nearest_key(const char *key)
{
  struct tn_suggestion suggestion = { .wanted = key };
  const struct tn_config_row *row = find_old_name(key);
  size_t i;

  if (row != NULL)
    return row->key;
  for (i = 0; i < TN_COUNT(options); i++)
    tn_suggestion_offer(&suggestion, options[i].row.key);
  return suggestion.best;
}
