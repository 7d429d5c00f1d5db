/* Which server will do: one that takes writes or one that does not, as
 * host_policy says, and in a cluster only one that has its quorum.
 *
 * What a new session needs to know of the first it learns with the rest
 * (setup.c); a node of a cluster takes one question more. */
#include "my_priv.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct role {
  const char *policy;
  enum mysql__role role;
  const char *refusal;
} roles[] = {
  { "primary", MYSQL__PRIMARY,
    "is read-only, and host_policy=primary wants a primary" },
  { "standby", MYSQL__STANDBY,
    "is not read-only, and host_policy=standby wants a standby" },
  { "prefer-standby", MYSQL__PREFERRED,
    "is not read-only, and host_policy=prefer-standby prefers a standby" },
};

enum mysql__role
mysql__role_of(const char *policy)
{
  size_t i;

  for (i = 0; policy != NULL && i < MYSQL__COUNT(roles); i++)
    if (strcmp(policy, roles[i].policy) == 0)
      return roles[i].role;
  return MYSQL__ANY;
}

/* ------------------------------------------------------------------ */
/* What it is                                                           */

/* Newer servers have words for further kinds of "on". */
static bool
is_off(const char *cell)
{
  return cell[0] == '\0' || strcmp(cell, "0") == 0 ||
         strcasecmp(cell, "OFF") == 0;
}

void
mysql__role_learn(struct mysql__conn *conn, char (*cells)[MYSQL__CELL_MAX])
{
  size_t i;

  conn->is_read_only = false;
  for (i = 0; i < MYSQL__ROLE_CELLS; i++)
    if (!is_off(cells[i]))
      conn->is_read_only = true;
}

/* NULL: it is what is wanted. */
static const char *
find_refusal(const struct mysql__conn *conn)
{
  if (conn->role == MYSQL__ANY ||
      conn->is_read_only == (conn->role != MYSQL__PRIMARY))
    return NULL;
  return roles[conn->role - 1].refusal;
}

/* Without its quorum a node answers SELECT 1 as ever, and everything else with
 * an error; so does one that gets the data from another. `why` is "" if it is
 * ready. */
static int32_t
ask_node(struct mysql__conn *conn, char *why, size_t size)
{
  static const char sql[] = "SHOW STATUS WHERE Variable_name IN "
                            "('wsrep_cluster_status', 'wsrep_ready')";
  struct mysql__op op;
  int32_t rc = mysql__query(conn, sql, sizeof sql - 1, &op);
  MYSQL_ROW row;

  why[0] = '\0';
  if (rc == TN_OK && op.status != 0)
    rc = mysql__fail(conn, NULL);
  while (rc == TN_OK && why[0] == '\0' &&
         (row = mysql_fetch_row(op.rows)) != NULL)
    if (row[1] != NULL && strcasecmp(row[1], "ON") != 0 &&
        strcasecmp(row[1], "Primary") != 0 && row[1][0] != '\0')
      snprintf(why, size, "%.40s is %.40s", row[0], row[1]);
  mysql_free_result(op.rows);
  return rc;
}

int32_t
mysql__role_judge(struct mysql__conn *conn, struct mysql__reason *reason)
{
  const char *refusal = find_refusal(conn);
  char why[100] = "";
  int32_t rc = TN_OK;

  if (conn->is_cluster)
    rc = ask_node(conn, why, sizeof why);
  if (rc != TN_OK || (why[0] == '\0' && refusal == NULL))
    return rc;
  reason->category = TN_E_CONNECT;
  if (why[0] == '\0') {
    snprintf(reason->text, sizeof reason->text, "%s", refusal);
    return TN_E_CONNECT;
  }
  reason->native = MYSQL__ER_NOT_READY;
  snprintf(reason->text, sizeof reason->text,
           "is a node of a cluster that is of no use now: %s", why);
  return TN_E_CONNECT;
}

/* ------------------------------------------------------------------ */
/* Afterwards                                                           */

int32_t
mysql__role_ping(struct mysql__conn *conn)
{
  char cells[MYSQL__ROLE_CELLS][MYSQL__CELL_MAX];
  struct mysql__reason reason;
  char text[sizeof reason.text + sizeof conn->endpoint->shown + 16];
  int32_t rc = TN_OK;

  memset(&reason, 0, sizeof reason);
  if (conn->role != MYSQL__ANY)
    rc = mysql__ask(conn, "SELECT " MYSQL__ROLE_SQL, cells, MYSQL__ROLE_CELLS);
  if (rc == TN_OK && conn->role != MYSQL__ANY)
    mysql__role_learn(conn, cells);
  if (rc == TN_OK)
    rc = mysql__role_judge(conn, &reason);
  if (reason.text[0] == '\0')
    return rc;
  snprintf(text, sizeof text, "mysql: %s %s", conn->endpoint->shown,
           reason.text);
  if (reason.native != 0)
    reason.category = 0; /* as a statement would fail there */
  rc = mysql__fail_reason(conn->call, &reason, text);
  conn->host->fail_verdicts(conn->call, TN_CONNECTION_DEAD, 0);
  mysql__bury(conn);
  return rc;
}

/* One number stands for all options that prevent statements. */
bool
mysql__role_is_lost(const struct mysql__conn *conn, unsigned number,
                    const char *text)
{
  if (conn->role != MYSQL__PRIMARY)
    return false;
  switch (number) {
  case MYSQL__ER_OPTION_PREVENTS:
    return strstr(text, "read-only") != NULL ||
           strstr(text, "read_only") != NULL;
  case MYSQL__ER_READ_ONLY_MODE:
  case MYSQL__ER_INNODB_READ_ONLY:
    return true;
  default:
    return false;
  }
}
