/* Settings of a session, and the way back to what connect() made. */
#include <stdio.h>
#include <string.h>

#include "pg_priv.h"

/* What DISCARD ALL does, but for prepared statements, which go on to be used.
 * RESET ALL leads back to what the session was started with. */
static const char reset_sql[] =
    "CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *; "
    "SELECT pg_catalog.pg_advisory_unlock_all(); DISCARD TEMP; "
    "DISCARD SEQUENCES";

/* Behind a proxy there is no session to clean: the next one that the server
 * gives is another, and somebody else's settings are in it. What a proxy keeps
 * for us, it reports, and that is set right. */
static int32_t
reset_ours(struct pg__conn *conn)
{
  const char *const values[] = { conn->application };
  const char *application = PQparameterStatus(conn->pq, "application_name");
  PGresult *result = NULL;
  int32_t rc = TN_OK;

  if (PQtransactionStatus(conn->pq) != PQTRANS_IDLE)
    rc = pg__exec(conn, "ROLLBACK", PG__READ, NULL, 0);
  if (rc == TN_OK)
    rc = pg__check_reports(conn);
  if (rc != TN_OK || application == NULL ||
      strcmp(application, conn->application) == 0)
    return rc;
  rc = pg__query(conn,
                 "SELECT pg_catalog.set_config('application_name', $1, false)",
                 values, 1, &result);
  PQclear(result);
  return rc;
}

/* Those by PREPARE; ours are told apart. */
static int32_t
drop_prepared(struct pg__conn *conn)
{
  PGresult *names = NULL;
  int32_t rc;
  int i;

  if (!conn->has_prepared)
    return TN_OK;
  rc = pg__query(conn,
                 "SELECT 'DEALLOCATE ' || pg_catalog.quote_ident(name) FROM "
                 "pg_catalog.pg_prepared_statements WHERE from_sql",
                 NULL, 0, &names);
  for (i = 0; rc == TN_OK && i < PQntuples(names); i++)
    rc = pg__exec(conn, PQgetvalue(names, i, 0), PG__READ, NULL, 0);
  PQclear(names);
  conn->has_prepared = rc != TN_OK;
  return rc;
}

static int32_t
reset(void *handle, struct tn_call *call)
{
  struct pg__conn *conn = handle;
  char sql[sizeof reset_sql + PG__FIXUPS_MAX + 16];
  int32_t rc;

  pg__enter(conn, call);
  conn->has_access = false;
  if (conn->has_proxy && conn->pq != NULL)
    return reset_ours(conn);
  snprintf(sql, sizeof sql, "%s%s; %s",
           PQtransactionStatus(conn->pq) == PQTRANS_IDLE ? "" : "ROLLBACK; ",
           reset_sql, conn->fixups);
  rc = pg__exec(conn, sql, PG__READ, NULL, 0);
  return rc == TN_OK ? drop_prepared(conn) : rc;
}

static int32_t
set_sql_mode(void *handle, const char *mode, struct tn_call *call)
{
  (void)handle;
  if (mode[0] == '\0')
    return TN_OK;
  return tn_fail(call, TN_E_UNSUPPORTED,
                 "postgresql: sql_mode: %s: the server has but one", mode);
}

/* It would be set in one session of the server's, for whoever has it next. */
static int32_t
fail_proxy(struct tn_call *call, const char *what)
{
  return tn_fail(call, TN_E_UNSUPPORTED,
                 "postgresql: %s: not for a session, as a proxy gives each "
                 "transaction another one: begin each with it",
                 what);
}

static int32_t
set_isolation(void *handle, uint32_t isolation, struct tn_call *call)
{
  struct pg__conn *conn = handle;
  char sql[96];

  pg__enter(conn, call);
  if (isolation < TN_ISOLATION_READ_UNCOMMITTED ||
      isolation > TN_ISOLATION_SERIALIZABLE)
    return tn_fail(call, TN_E_UNSUPPORTED,
                   "postgresql: isolation: %u is unknown", (unsigned)isolation);
  if (conn->has_proxy)
    return fail_proxy(call, "isolation");
  snprintf(sql, sizeof sql,
           "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL %s",
           pg__isolations[isolation]);
  return pg__exec(conn, sql, PG__READ, NULL, 0);
}

static int32_t
get_isolation(void *handle, uint32_t *ret, struct tn_call *call)
{
  struct pg__conn *conn = handle;
  PGresult *result = NULL;
  uint32_t isolation;
  int32_t rc;

  pg__enter(conn, call);
  rc = pg__query(conn, "SHOW default_transaction_isolation", NULL, 0, &result);
  if (rc != TN_OK)
    return rc;
  for (isolation = TN_ISOLATION_SERIALIZABLE; isolation > 0; isolation--)
    if (PQntuples(result) == 1 &&
        strcmp(PQgetvalue(result, 0, 0), pg__isolations[isolation]) == 0)
      break;
  PQclear(result);
  if (isolation == 0)
    return tn_fail(call, TN_E_UNSUPPORTED,
                   "postgresql: isolation: the server's is unknown");
  *ret = isolation;
  return TN_OK;
}

static int32_t
set_access(void *handle, uint32_t access, struct tn_call *call)
{
  struct pg__conn *conn = handle;

  pg__enter(conn, call);
  if (conn->has_proxy)
    return fail_proxy(call, "access");
  conn->has_access = true;
  return pg__exec(conn,
                  access == TN_ACCESS_READ_ONLY
                      ? "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"
                      : "SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",
                  PG__READ, NULL, 0);
}

const struct tn_session_table pg__session_table = {
  .size = sizeof(struct tn_session_table),
  .reset = reset,
  .set_sql_mode = set_sql_mode,
  .set_isolation = set_isolation,
  .get_isolation = get_isolation,
  .set_access = set_access,
  .get_position = pg__get_position,
  .wait_position = pg__wait_position,
};
