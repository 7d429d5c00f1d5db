/* Transactions after their session: what is prepared, and what became of a
 * commit whose answer was lost.
 *
 * A transaction's number tells it from others only on the same server, in the
 * same history. A standby that was promoted goes on with the numbers that it
 * has seen, and a server that crashed gives a number again of which nothing had
 * reached its log. So an id is the number and behind what it was given by:
 * system, timeline, and since when the server has been up. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pg_priv.h"

/* How often a transaction that has not ended is looked at. */
#define LOOK_NS INT64_C(20000000)

/* A standby has no timeline of its own. After a crash the server has replayed
 * its log, also when its main process went on. */
#define PLACE_SQL                                                              \
  "(SELECT system_identifier FROM pg_catalog.pg_control_system()), CASE WHEN " \
  "pg_catalog.pg_is_in_recovery() THEN '-' ELSE pg_catalog.substr("            \
  "pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 1, 8) " \
  "END, EXTRACT(epoch FROM pg_catalog.pg_postmaster_start_time()) || '/' || "  \
  "COALESCE(pg_catalog.pg_last_wal_replay_lsn()::text, '-')"
#define PLACE_CELLS 3

/* "SYSTEM TIMELINE BOOT NUMBER" in pieces. */
struct id {
  char system[24];
  char timeline[12];
  char boot[48];
  char number[24];
};

static bool
id_parse(const char *text, struct id *ret)
{
  return sscanf(text, "%23s %11s %47s %23[0-9]", ret->system, ret->timeline,
                ret->boot, ret->number) == PLACE_CELLS + 1;
}

int32_t
pg__begin_resolvable(struct pg__conn *conn, const char *begin)
{
  PGresult *result = NULL;
  char sql[768];
  int32_t rc;

  conn->txn_id[0] = '\0';
  snprintf(sql, sizeof sql,
           "%s; SELECT " PLACE_SQL ", pg_catalog.txid_current()", begin);
  rc = pg__query(conn, sql, NULL, 0, &result);
  if (rc == TN_OK && PQntuples(result) == 1 &&
      PQnfields(result) == PLACE_CELLS + 1)
    snprintf(conn->txn_id, sizeof conn->txn_id, "%s %s %s %s",
             PQgetvalue(result, 0, 0), PQgetvalue(result, 0, 1),
             PQgetvalue(result, 0, 2), PQgetvalue(result, 0, 3));
  PQclear(result);
  if (rc == TN_OK || conn->pq == NULL ||
      PQtransactionStatus(conn->pq) == PQTRANS_IDLE)
    return rc;

  /* It was begun, and is of no use: the error stays what it is. */
  if (pg__exec(conn, "ROLLBACK", PG__READ, NULL, 0) == TN_OK)
    conn->host->fail_verdicts(conn->call, TN_CONNECTION_USABLE, 0);
  return rc;
}

int32_t
pg__identify(void *handle, char id[TN_TXN_ID_SIZE], struct tn_call *call)
{
  const struct pg__conn *conn = handle;

  if (conn->txn_id[0] == '\0')
    return tn_fail(call, TN_E_STATE,
                   "postgresql: the transaction was not begun "
                   "to be asked about");
  memcpy(id, conn->txn_id, sizeof conn->txn_id);
  return TN_OK;
}

/* Is this the server, and its history? `*ret_is_same_boot`: and has it been up
 * ever since? */
static int32_t
compare_place(struct pg__conn *conn, const struct id *id, bool *ret_is_same,
              bool *ret_is_same_boot)
{
  PGresult *result = NULL;
  int32_t rc = pg__query(conn, "SELECT " PLACE_SQL, NULL, 0, &result);

  *ret_is_same = rc == TN_OK && PQntuples(result) == 1 &&
                 strcmp(PQgetvalue(result, 0, 0), id->system) == 0 &&
                 strcmp(PQgetvalue(result, 0, 1), id->timeline) == 0;
  *ret_is_same_boot =
      *ret_is_same && strcmp(PQgetvalue(result, 0, 2), id->boot) == 0;
  PQclear(result);
  return rc;
}

static int32_t
look(struct pg__conn *conn, const struct id *id, char status[16])
{
  const char *const values[] = { id->number };
  PGresult *result = NULL;
  int32_t rc = pg__query(conn, "SELECT pg_catalog.txid_status($1::bigint)",
                         values, 1, &result);

  status[0] = '\0'; /* NULL is what it has forgotten */
  if (rc == TN_OK && PQntuples(result) == 1)
    snprintf(status, 16, "%s", PQgetvalue(result, 0, 0));
  PQclear(result);

  /* The server complains of a number that it has not given yet. */
  if (rc != TN_E_DATA)
    return rc;
  snprintf(status, 16, "future");
  return TN_OK;
}

/* After a crash a number may have been given twice, if nothing of the first
 * transaction had reached the log: that one was rolled back, then, and so
 * another's commit proves nothing. Nor does one in progress: it may be this
 * one, which was prepared and has outlived the crash. All else does. */
static uint32_t
judge(const char *status, bool is_same_boot)
{
  if (strcmp(status, "aborted") == 0)
    return TN_OUTCOME_ROLLED_BACK;
  if (strcmp(status, "committed") == 0 && is_same_boot)
    return TN_OUTCOME_COMMITTED;
  if (strcmp(status, "future") == 0 && !is_same_boot)
    return TN_OUTCOME_ROLLED_BACK;
  return TN_OUTCOME_UNKNOWN;
}

int32_t
pg__outcome(void *handle, const char *id, struct tn_call *call, uint32_t *ret)
{
  struct pg__conn *conn = handle;
  struct id asked;
  char status[16] = "";
  bool is_same = false, is_same_boot = false;
  int32_t rc;

  pg__enter(conn, call);
  if (!id_parse(id, &asked))
    return tn_fail(call, TN_E_USAGE,
                   "postgresql: what is asked about is no transaction's id");
  *ret = TN_OUTCOME_UNKNOWN;
  rc = compare_place(conn, &asked, &is_same, &is_same_boot);
  if (rc != TN_OK || !is_same)
    return rc;
  rc = look(conn, &asked, status);
  while (rc == TN_OK && is_same_boot && strcmp(status, "in progress") == 0) {
    rc = call->host->wait(call, -1, 0, call->host->now() + LOOK_NS, NULL);
    if (rc == TN_OK)
      rc = look(conn, &asked, status);
  }
  if (rc == TN_OK)
    *ret = judge(status, is_same_boot);
  return rc;
}

/* ------------------------------------------------------------------ */
/* What is prepared                                                     */

int32_t
pg__two_phase_check(struct pg__conn *conn)
{
  PGresult *result = NULL;
  bool is_off;
  int32_t rc =
      pg__query(conn, "SHOW max_prepared_transactions", NULL, 0, &result);

  is_off = rc == TN_OK && PQntuples(result) == 1 &&
           strcmp(PQgetvalue(result, 0, 0), "0") == 0;
  PQclear(result);
  if (!is_off)
    return rc;
  return tn_fail(conn->call, TN_E_UNSUPPORTED,
                 "postgresql: two-phase: the server allows none; set its "
                 "max_prepared_transactions above 0 and restart it");
}

/* One text after the other, and where they are. */
static int32_t
copy_ids(const PGresult *result, struct tn_call *call, const char *const **ret,
         uint32_t *ret_count)
{
  int count = PQntuples(result);
  const char **ids =
      call->host->arena_alloc(call->arena, ((size_t)count + 1) * sizeof *ids);

  for (int i = 0; ids != NULL && i < count; i++) {
    size_t size = (size_t)PQgetlength(result, i, 0) + 1;
    char *id = call->host->arena_alloc(call->arena, size);

    if (id == NULL)
      return pg__fail_memory(call);
    memcpy(id, PQgetvalue(result, i, 0), size);
    ids[i] = id;
  }
  if (ids == NULL)
    return pg__fail_memory(call);
  *ret = ids;
  *ret_count = (uint32_t)count;
  return TN_OK;
}

int32_t
pg__list_prepared(void *handle, struct tn_call *call, const char *const **ret,
                  uint32_t *ret_count)
{
  struct pg__conn *conn = handle;
  PGresult *result = NULL;
  int32_t rc;

  pg__enter(conn, call);
  rc = pg__query(conn,
                 "SELECT gid FROM pg_catalog.pg_prepared_xacts WHERE database "
                 "= pg_catalog.current_database() ORDER BY prepared, gid",
                 NULL, 0, &result);
  if (rc == TN_OK)
    rc = copy_ids(result, call, ret, ret_count);
  PQclear(result);
  return rc;
}
