/* Whether a server is what the URL asks for, after the session has begun: a
 * standby may be promoted, and a server may be told to take no more writes.
 *
 * When a session is opened libpq judges. From version 14 on a server tells of
 * each change by itself, with the answer to whatever it is asked next. */
#include <string.h>

#include "pg_priv.h"

/* What the server is. */
struct state {
  bool is_standby;
  bool is_read_only; /* transactions are, unless they say otherwise */
};

static const struct role {
  const char *word; /* of target_session_attrs */
  enum pg__role role;
  const char *refusal;
} roles[] = {
  { "primary", PG__PRIMARY, "is a standby, and a primary is wanted" },
  { "standby", PG__STANDBY, "is a primary, and a standby is wanted" },
  { "read-write", PG__READ_WRITE, "is read-only, and is to take writes" },
  { "read-only", PG__READ_ONLY, "takes writes, and is to be read-only" },
};

enum pg__role
pg__role_of(const char *attributes)
{
  size_t i;

  for (i = 0; i < PG__COUNT(roles); i++)
    if (strcmp(attributes, roles[i].word) == 0)
      return roles[i].role;
  return PG__ANY;
}

/* What the session was told by its user says nothing of the server. */
static bool
fits(const struct pg__conn *conn, const struct state *state)
{
  switch (conn->role) {
  case PG__PRIMARY:
    return !state->is_standby;
  case PG__STANDBY:
    return state->is_standby;
  case PG__READ_WRITE:
    return !state->is_standby && (!state->is_read_only || conn->has_access);
  case PG__READ_ONLY:
    return state->is_standby || state->is_read_only || conn->has_access;
  default:
    return true;
  }
}

static bool
is_on(const char *value)
{
  return value != NULL && strcmp(value, "on") == 0;
}

/* What has been told. False: older servers do not, and of those behind a proxy
 * it is not known when that was. */
static bool
has_told(const struct pg__conn *conn, struct state *ret)
{
  const char *standby = PQparameterStatus(conn->pq, "in_hot_standby");

  ret->is_standby = is_on(standby);
  ret->is_read_only =
      is_on(PQparameterStatus(conn->pq, "default_transaction_read_only"));
  return standby != NULL && !conn->has_proxy;
}

bool
pg__role_is_lost(const struct pg__conn *conn)
{
  struct state state;

  return has_told(conn, &state) && !fits(conn, &state);
}

static int32_t
ask(struct pg__conn *conn, struct state *ret)
{
  PGresult *result = NULL;
  int32_t rc = pg__query(conn,
                         "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN "
                         "'on' END, pg_catalog.current_setting("
                         "'default_transaction_read_only')",
                         NULL, 0, &result);

  if (rc == TN_OK && PQntuples(result) == 1) {
    ret->is_standby = is_on(PQgetvalue(result, 0, 0));
    ret->is_read_only = is_on(PQgetvalue(result, 0, 1));
  }
  PQclear(result);
  return rc;
}

int32_t
pg__role_check(struct pg__conn *conn)
{
  struct state state;
  int32_t rc = TN_OK;

  if (conn->role == PG__ANY)
    return TN_OK;
  if (!has_told(conn, &state))
    rc = ask(conn, &state);
  if (rc != TN_OK || fits(conn, &state))
    return rc;
  rc = tn_fail(conn->call, TN_E_CONNECT, "postgresql: the server %s",
               roles[conn->role - 1].refusal);
  conn->host->fail_verdicts(conn->call, TN_CONNECTION_DEAD, 0);
  pg__bury(conn);
  return rc;
}
