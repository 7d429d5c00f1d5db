/* What every session is told when it begins, and after each reset.
 *
 * Text is UTF-8, times are UTC, values are judged strictly: whatever the
 * server's own settings, so that the same program reads the same everywhere.
 * One statement tells all of it, one asks what has come of it. */
#include "my_priv.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define LOG_WARNING 2 /* of enum tn_log_level */

#define MODE_INITIAL "TRADITIONAL"

/* ------------------------------------------------------------------ */
/* sql_mode                                                             */

/* Under these a quoted text is a name, or a backslash is no more than one: the
 * lexer that looks for placeholders would not know. The upper ones stand for
 * several, the lowest two among them. */
static const char *const foreign_modes[] = {
  "ANSI",   "DB2",        "MAXDB",       "MSSQL",
  "ORACLE", "POSTGRESQL", "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES",
};

/* The first word of `mode` that the lexer could not follow, and where the
 * words end that were looked at. */
static const char *
find_foreign(const char *mode)
{
  size_t i;

  while (*mode != '\0') {
    size_t size = strcspn(mode, ", ");

    for (i = 0; i < MYSQL__COUNT(foreign_modes); i++)
      if (strlen(foreign_modes[i]) == size &&
          strncasecmp(foreign_modes[i], mode, size) == 0)
        return foreign_modes[i];
    mode += size;
    mode += strspn(mode, ", ");
  }
  return NULL;
}

int32_t
mysql__setup_check_mode(struct tn_call *call, const char *mode)
{
  static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789_, ";
  const char *foreign = find_foreign(mode);

  if (strlen(mode) > MYSQL__MODE_MAX || mode[strspn(mode, allowed)] != '\0')
    return tn_fail(call, TN_E_CONFIG,
                   "mysql: sql_mode: words and commas are expected");
  if (foreign != NULL)
    return tn_fail(call, TN_E_CONFIG,
                   "mysql: sql_mode: %s: placeholders could not be told from "
                   "quoted text",
                   foreign);
  return TN_OK;
}

void
mysql__setup_say_mode(char *text, size_t size, const char *mode)
{
  if (strcasecmp(mode, "DEFAULT") == 0)
    snprintf(text, size, "SESSION sql_mode = DEFAULT");
  else
    snprintf(text, size, "SESSION sql_mode = '%s'", mode);
}

/* ------------------------------------------------------------------ */
/* What to tell                                                         */

int32_t
mysql__setup_read(struct mysql__conn *conn, const struct tn_connect_args *args)
{
  const char *mode = tn_connect_option(args, "sql_mode");
  const char *sync = tn_connect_option(args, "wsrep_sync_wait");
  char set_mode[MYSQL__MODE_MAX + 32];
  char set_sync[48] = "";
  int32_t rc;

  if (mode == NULL)
    mode = MODE_INITIAL;
  rc = mysql__setup_check_mode(conn->call, mode);
  if (rc != TN_OK)
    return rc;
  mysql__setup_say_mode(set_mode, sizeof set_mode, mode);
  if (sync != NULL && strtol(sync, NULL, 10) >= 0)
    snprintf(set_sync, sizeof set_sync, ", SESSION wsrep_sync_wait = %ld",
             strtol(sync, NULL, 10));
  snprintf(conn->setup, sizeof conn->setup,
           "SET NAMES utf8mb4, SESSION time_zone = '+00:00', "
           "SESSION autocommit = 1, SESSION lc_messages = 'en_US', %s%s",
           set_mode, set_sync);
  return TN_OK;
}

/* ------------------------------------------------------------------ */
/* What has come of it                                                  */

static bool
has_word(const char *words, const char *word)
{
  size_t size = strlen(word);

  while (*words != '\0') {
    size_t here = strcspn(words, ",");

    if (here == size && strncasecmp(words, word, size) == 0)
      return true;
    words += here;
    words += strspn(words, ",");
  }
  return false;
}

/* As oslo.db warns, so that nobody finds out by values that were cut. */
static int32_t
judge_mode(struct mysql__conn *conn, const char *mode)
{
  const char *foreign = find_foreign(mode);
  char line[MYSQL__MODE_MAX + 256];

  if (foreign != NULL)
    return tn_fail(conn->call, TN_E_CONFIG,
                   "mysql: sql_mode: the server's own has %s, under which "
                   "placeholders could not be told from quoted text: name "
                   "another by sql_mode",
                   foreign);
  if (has_word(mode, "TRADITIONAL") || has_word(mode, "STRICT_ALL_TABLES"))
    return TN_OK;
  snprintf(line, sizeof line,
           "sql_mode is '%.*s': values that do not fit may be changed without "
           "an error; consider TRADITIONAL or STRICT_ALL_TABLES",
           MYSQL__MODE_MAX, mode);
  conn->host->log(conn->call, LOG_WARNING, line);
  return TN_OK;
}

/* Behind a proxy the server knows the session by another number, and a kill
 * might hit a stranger. */
static void
learn_identity(struct mysql__conn *conn, const char *id, const char *identity)
{
  conn->can_kill = strtoul(id, NULL, 10) == mysql_thread_id(conn->mysql) &&
                   identity[0] != '\0' &&
                   strlen(identity) + 1 < MYSQL__IDENTITY_MAX;
  snprintf(conn->identity, sizeof conn->identity, "%s", identity);
}

/* Before the server is asked: what its greeting has told. */
static void
learn_server(struct mysql__conn *conn)
{
  const char *version = mysql_get_server_info(conn->mysql);
  unsigned long number = mysql_get_server_version(conn->mysql);

  conn->is_mariadb = strstr(version, "MariaDB") != NULL;
  if (strncmp(version, "5.5.5-", 6) == 0 && conn->is_mariadb)
    version += 6; /* put there for the replicas of old servers */
  snprintf(conn->version, sizeof conn->version, "%s %.100s",
           conn->is_mariadb ? "MariaDB" : "MySQL", version);
  conn->caps = MYSQL__CAPS;
  if (!conn->is_mariadb || number < 100500)
    conn->caps &= ~(TN_CAP_RETURNING | TN_CAP_TWO_PHASE);
  if (conn->is_mariadb ? number < 100201 : number < 80016)
    conn->caps &= ~TN_CAP_CONSTRAINT_NAMES; /* CHECK is not enforced */
#if MYSQL__HAS_ARRAYS
  {
    unsigned long extended = 0;

    mariadb_get_infov(conn->mysql,
                      MARIADB_CONNECTION_EXTENDED_SERVER_CAPABILITIES,
                      &extended);
    conn->has_arrays =
        conn->is_mariadb &&
        (extended & (MARIADB_CLIENT_STMT_BULK_OPERATIONS >> 32)) != 0;
  }
#endif
}

/* Is the server a node of a cluster? MariaDB always knows the variable, MySQL
 * only where a cluster was built into it. */
static int32_t
learn_cluster(struct mysql__conn *conn)
{
  char cells[2][MYSQL__CELL_MAX];
  int32_t rc = mysql__ask(conn, "SHOW VARIABLES LIKE 'wsrep_on'", cells, 2);

  if (rc == TN_OK)
    conn->is_cluster = strcasecmp(cells[1], "ON") == 0;
  if (conn->is_cluster) /* it refuses them */
    conn->caps &= ~TN_CAP_TWO_PHASE;
  return rc;
}

/* The option is at fault, not the values of some statement. */
static int32_t
tell(struct mysql__conn *conn)
{
  struct mysql__op op;
  int32_t rc = mysql__query(conn, conn->setup, strlen(conn->setup), &op);
  int32_t category;

  if (rc != TN_OK || op.status == 0)
    return rc;
  category = mysql__category((int32_t)mysql_errno(conn->mysql));
  if (category == TN_E_DATA || category == TN_E_NOT_FOUND)
    return mysql__fail_as(conn, TN_E_CONFIG);
  return mysql__fail(conn, NULL);
}

enum cell {
  CELL_MODE,
  CELL_ID,
  CELL_PACKET,
  CELL_CLUSTER,
  CELL_IDENTITY,
  CELL_ROLE, /* "" unless it matters */
  CELL_COUNT = CELL_ROLE + MYSQL__ROLE_CELLS
};

#define ASK(cluster)                                                           \
  "SELECT @@sql_mode, CONNECTION_ID(), @@max_allowed_packet, " cluster         \
  ", " MYSQL__IDENTITY_SQL

/* Some servers have no variable of InnoDB's, and are asked for it only where it
 * matters. */
static int32_t
ask(struct mysql__conn *conn, char (*cells)[MYSQL__CELL_MAX])
{
  char sql[512];

  snprintf(sql, sizeof sql, "%s%s",
           conn->is_mariadb ? ASK("@@wsrep_on") : ASK("0"),
           conn->role == MYSQL__ANY ? "" : ", " MYSQL__ROLE_SQL);
  return mysql__ask(conn, sql, cells, CELL_COUNT);
}

int32_t
mysql__setup_tell(struct mysql__conn *conn)
{
  int32_t rc = tell(conn);

  if (rc == TN_OK)
    mysql__sync(conn);
  return rc;
}

int32_t
mysql__setup_run(struct mysql__conn *conn)
{
  char cells[CELL_COUNT][MYSQL__CELL_MAX];
  int32_t rc;

  learn_server(conn);
  rc = mysql__setup_tell(conn);
  if (rc != TN_OK)
    return rc;
  rc = ask(conn, cells);
  if (rc == TN_OK)
    rc = judge_mode(conn, cells[CELL_MODE]);
  if (rc != TN_OK)
    return rc;
  conn->limits.packet = strtoull(cells[CELL_PACKET], NULL, 10);
  conn->limits.decimal_digits = 65;
  conn->limits.decimal_scale = conn->is_mariadb ? 38 : 30;
  conn->limits.moment_max = MYSQL__MOMENT_MAX;
  if (conn->is_mariadb && mysql_get_server_version(conn->mysql) >= 110500)
    conn->limits.moment_max = MYSQL__MOMENT_MAX_WIDE;
  conn->is_cluster = strcmp(cells[CELL_CLUSTER], "1") == 0;
  learn_identity(conn, cells[CELL_ID], cells[CELL_IDENTITY]);
  mysql__role_learn(conn, &cells[CELL_ROLE]);
  return conn->is_mariadb ? TN_OK : learn_cluster(conn);
}
