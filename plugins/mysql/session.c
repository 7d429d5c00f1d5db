/* The session's own settings, and the way back to what connect() made. */
#include "my_priv.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The server goes back to its own defaults, which drops temporary tables, locks
 * and variables as well, and is then told again what it was told at first. It
 * forgets prepared statements: they are prepared again when they are next
 * run. */
static int32_t
reset_server(struct mysql__conn *conn)
{
  struct mysql__op op = { .verb = MYSQL__RESET, .mysql = conn->mysql };
  int32_t rc;

  conn->generation++;
  rc = mysql__run(conn, &op);
  if (rc == TN_OK && op.status != 0)
    return mysql__fail(conn, NULL);
  if (rc != TN_OK)
    return rc;
  conn->in_txn = false;
  conn->is_aborted = false;
  conn->is_guarded = false;
  conn->xa[0] = '\0';
  return mysql__setup_tell(conn);
}

/* The reset leaves the session in the database that it was in. There is no way
 * to be in none again. */
static int32_t
reset_database(struct mysql__conn *conn)
{
  struct mysql__op op = { .verb = MYSQL__USE,
                          .mysql = conn->mysql,
                          .text = conn->endpoint->database };
  int32_t rc;

  if (!conn->has_moved)
    return TN_OK;
  if (op.text == NULL) {
    mysql__bury(conn);
    tn_fail(conn->call, TN_E_STATE,
            "mysql: reset: the session was in no database when it began, and "
            "cannot leave the one that it is in");
    conn->host->fail_verdicts(conn->call, TN_CONNECTION_DEAD, 0);
    return TN_E_STATE;
  }
  rc = mysql__run(conn, &op);
  if (rc == TN_OK && op.status != 0)
    rc = mysql__fail(conn, NULL);
  if (rc == TN_OK)
    conn->has_moved = false;
  return rc;
}

static int32_t
reset(void *handle, struct tn_call *call)
{
  struct mysql__conn *conn = handle;
  int32_t rc;

  mysql__enter(conn, call);
  rc = mysql__ready(conn);
  if (rc == TN_OK && conn->xa[0] != '\0')
    rc = mysql__xa_rollback(conn);
  if (rc == TN_OK)
    rc = reset_server(conn);
  return rc == TN_OK ? reset_database(conn) : rc;
}

static int32_t
set_sql_mode(void *handle, const char *mode, struct tn_call *call)
{
  struct mysql__conn *conn = handle;
  char sql[MYSQL__MODE_MAX + 32] = "SET ";
  int32_t rc;

  mysql__enter(conn, call);
  rc = mysql__ready(conn);
  if (rc == TN_OK)
    rc = mysql__setup_check_mode(call, mode);
  if (rc != TN_OK)
    return rc;
  mysql__setup_say_mode(sql + 4, sizeof sql - 4, mode);
  return mysql__exec(conn, sql);
}

static int32_t
set_isolation(void *handle, uint32_t isolation, struct tn_call *call)
{
  struct mysql__conn *conn = handle;
  const char *name = mysql__isolation_name(isolation);
  char sql[96];
  int32_t rc;

  mysql__enter(conn, call);
  rc = mysql__ready(conn);
  if (rc != TN_OK)
    return rc;
  if (name == NULL)
    return tn_fail(call, TN_E_UNSUPPORTED, "mysql: isolation: %u is unknown",
                   (unsigned)isolation);
  snprintf(sql, sizeof sql, "SET SESSION TRANSACTION ISOLATION LEVEL %s", name);
  return mysql__exec(conn, sql);
}

/* "READ-COMMITTED" is what the statement calls READ COMMITTED. */
static uint32_t
isolation_of(char *name)
{
  uint32_t isolation;
  char *c;

  for (c = name; *c != '\0'; c++)
    if (*c == '-')
      *c = ' ';
  for (isolation = TN_ISOLATION_READ_UNCOMMITTED;
       mysql__isolation_name(isolation) != NULL; isolation++)
    if (strcasecmp(name, mysql__isolation_name(isolation)) == 0)
      return isolation;
  return 0;
}

static int32_t
get_isolation(void *handle, uint32_t *ret, struct tn_call *call)
{
  struct mysql__conn *conn = handle;
  char cells[1][MYSQL__CELL_MAX];
  uint32_t isolation;
  int32_t rc;

  mysql__enter(conn, call);
  rc = mysql__ready(conn);
  if (rc == TN_OK)
    rc = mysql__ask(conn,
                    conn->is_mariadb ? "SELECT @@SESSION.tx_isolation"
                                     : "SELECT @@SESSION.transaction_isolation",
                    cells, 1);
  if (rc != TN_OK)
    return rc;
  isolation = isolation_of(cells[0]);
  if (isolation == 0)
    return tn_fail(call, TN_E_UNSUPPORTED, "mysql: isolation: %.40s is unknown",
                   cells[0]);
  *ret = isolation;
  return TN_OK;
}

static int32_t
set_access(void *handle, uint32_t access, struct tn_call *call)
{
  struct mysql__conn *conn = handle;
  int32_t rc;

  mysql__enter(conn, call);
  rc = mysql__ready(conn);
  if (rc != TN_OK)
    return rc;
  return mysql__exec(conn, access == TN_ACCESS_READ_ONLY
                               ? "SET SESSION TRANSACTION READ ONLY"
                               : "SET SESSION TRANSACTION READ WRITE");
}

const struct tn_session_table mysql__session_table = {
  .size = sizeof(struct tn_session_table),
  .reset = reset,
  .set_sql_mode = set_sql_mode,
  .set_isolation = set_isolation,
  .get_isolation = get_isolation,
  .set_access = set_access,
  .get_position = mysql__get_position,
  .wait_position = mysql__wait_position,
};
