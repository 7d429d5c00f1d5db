/* Places in the write-ahead log: what was written, and what a standby has
 * replayed of it. A server that was promoted goes on in the same count. */
#include <stdio.h>
#include <string.h>

#include "pg_priv.h"

/* How often a standby is asked. */
#define FIRST_NS INT64_C(1000000)
#define MOST_NS  INT64_C(20000000)

int32_t
pg__get_position(void *handle, char *ret, uint32_t size, struct tn_call *call)
{
  struct pg__conn *conn = handle;
  PGresult *result = NULL;
  int32_t rc;

  pg__enter(conn, call);

  /* Not what is on the disk, where a commit need not wait for that. */
  rc = pg__query(conn,
                 "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() "
                 "THEN pg_catalog.pg_last_wal_replay_lsn() "
                 "ELSE pg_catalog.pg_current_wal_insert_lsn() END",
                 NULL, 0, &result);
  if (rc == TN_OK && PQntuples(result) == 1 && !PQgetisnull(result, 0, 0))
    snprintf(ret, size, "lsn:%s", PQgetvalue(result, 0, 0));
  else if (rc == TN_OK)
    rc = tn_fail(call, TN_E_UNSUPPORTED,
                 "postgresql: position: the server has no place in a log");
  PQclear(result);
  return rc;
}

static int32_t
ask(struct pg__conn *conn, const char *lsn, uint32_t *ret)
{
  const char *const values[] = { lsn };
  PGresult *result = NULL;
  int32_t rc = pg__query(conn,
                         "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() "
                         "THEN pg_catalog.pg_last_wal_replay_lsn() "
                         "ELSE pg_catalog.pg_current_wal_insert_lsn() END "
                         ">= $1::pg_catalog.pg_lsn",
                         values, 1, &result);

  if (rc == TN_OK)
    *ret = PQntuples(result) == 1 && strcmp(PQgetvalue(result, 0, 0), "t") == 0;
  PQclear(result);
  return rc;
}

/* "16/B374D848" */
static bool
is_lsn(const char *text)
{
  static const char digits[] = "0123456789ABCDEFabcdef";
  size_t high = strspn(text, digits);
  size_t low;

  if (high < 1 || high > 8 || text[high] != '/')
    return false;
  low = strspn(text + high + 1, digits);
  return low >= 1 && low <= 8 && text[high + 1 + low] == '\0';
}

int32_t
pg__wait_position(void *handle, const char *position, int64_t until,
                  struct tn_call *call, uint32_t *ret)
{
  struct pg__conn *conn = handle;
  int64_t pause = FIRST_NS;
  int32_t rc;

  pg__enter(conn, call);
  if (strncmp(position, "lsn:", 4) != 0 || !is_lsn(position + 4))
    return tn_fail(call, TN_E_UNSUPPORTED,
                   "postgresql: position: \"%.40s\" is no place in its log",
                   position);
  for (;;) {
    int64_t now;

    rc = ask(conn, position + 4, ret);
    if (rc != TN_OK || *ret != 0)
      return rc;
    now = call->host->now();
    if (now >= until)
      return TN_OK;
    rc = call->host->wait(call, -1, 0,
                          until - now < pause ? until : now + pause, NULL);
    if (rc != TN_OK)
      return rc;
    pause = pause * 2 > MOST_NS ? MOST_NS : pause * 2;
  }
}
