/* Failures of the server and of libpq, told to the host.
 *
 * The table of errors.c decides, by code or by class. Some codes stand for
 * several things that only the place in the server's source tells apart, which
 * unlike the text is the same in all languages. What was under way when a
 * connection is lost decides whether a replay can do harm. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pg_priv.h"

/* What a code means when that function of the server reports it, for a
 * statement of such a text. */
static const struct place {
  const char *sqlstate;
  const char *function;
  int32_t category;
  uint32_t text; /* PG__TEXT_… it must have; 0: any */
} places[] = {
  { "42601", "exec_parse_message", TN_E_USAGE, 0 }, /* several statements */
  /* Columns that have changed. */
  { "0A000", "RevalidateCachedQuery", TN_E_SERIALIZATION, 0 },
  /* A view, or a foreign table, that takes no rows. */
  { "55000", "rewriteTargetView", TN_E_UNSUPPORTED, 0 },
  { "55000", "error_view_not_updatable", TN_E_UNSUPPORTED, 0 }, /* since 17 */
  { "55000", "CheckValidResultRel", TN_E_UNSUPPORTED, 0 },
  /* Foreign tables have it too. */
  { "42704", "DropErrorMsgNonExistent", TN_E_NO_CONSTRAINT,
    PG__TEXT_DROPS_INDEX },
  { "42704", "ATExecDropConstraint", TN_E_NO_CONSTRAINT, 0 },
  { "42704", "ATExecAlterConstraint", TN_E_NO_CONSTRAINT, 0 },
  { "42704", "ATExecValidateConstraint", TN_E_NO_CONSTRAINT, 0 },
  { "42704", "get_relation_constraint_oid", TN_E_NO_CONSTRAINT, 0 },
  { "42704", "get_domain_constraint_oid", TN_E_NO_CONSTRAINT, 0 },
  { "42704", "AlterDomainDropConstraint", TN_E_NO_CONSTRAINT, 0 },
  { "42704", "AlterDomainValidateConstraint", TN_E_NO_CONSTRAINT, 0 },
};

/* What a text in it makes of a failure. libpq's own have no code at all; the
 * server has one code for all that ends a statement from outside. */
static const struct phrase {
  const char *sqlstate;
  const char *text;
  int32_t category;
} phrases[] = {
  { "", "out of memory", TN_E_MEMORY },
  { "57014", "user request", TN_E_CANCELED },
};

static const char *
field(const PGresult *result, int code)
{
  const char *text = PQresultErrorField(result, code);

  return text == NULL ? "" : text;
}

const char *
pg__sqlstate(const PGresult *result)
{
  return field(result, PG_DIAG_SQLSTATE);
}

static bool
is_at(const PGresult *result, const struct place *place, const char *sql)
{
  if (strcmp(pg__sqlstate(result), place->sqlstate) != 0 ||
      strcmp(field(result, PG_DIAG_SOURCE_FUNCTION), place->function) != 0)
    return false;
  return place->text == 0 ||
         (sql != NULL && (pg__text_look(sql) & place->text) != 0);
}

/* 0 where the table decides. */
static int32_t
category_of(const PGresult *result, const char *message, const char *sql)
{
  const char *sqlstate = pg__sqlstate(result);
  size_t i;

  for (i = 0; i < PG__COUNT(places); i++)
    if (is_at(result, &places[i], sql))
      return places[i].category;
  for (i = 0; i < PG__COUNT(phrases); i++)
    if (strcmp(sqlstate, phrases[i].sqlstate) == 0 &&
        strstr(message, phrases[i].text) != NULL)
      return phrases[i].category;
  return sqlstate[0] == '\0' ? TN_E_OTHER : 0;
}

/* The server has fields of the protocol for constraints alone: class 23
 * (https://www.postgresql.org/docs/15/errcodes-appendix.html). */
void
pg__error_fields(const struct tn_error_row *row, struct tn_error_fields *ret)
{
  size_t i;

  if (strncmp(row->sqlstate, "23", 2) == 0)
    ret->protocol = TN_ERR_BIT(TN_ERR_SCHEMA) | TN_ERR_BIT(TN_ERR_TABLE) |
                    TN_ERR_BIT(TN_ERR_COLUMN) | TN_ERR_BIT(TN_ERR_CONSTRAINT);
  ret->message = pg__text_fields(row->category);
  for (i = 0; i < PG__COUNT(places); i++)
    if (strcmp(row->sqlstate, places[i].sqlstate) == 0)
      ret->message |= pg__text_fields(places[i].category);
}

int32_t
pg__fail_memory(struct tn_call *call)
{
  return tn_fail(call, TN_E_MEMORY, "postgresql: out of memory");
}

/* ------------------------------------------------------------------ */
/* Connections that are lost                                            */

/* After host->fail(). */
static void
tell_lost(struct pg__conn *conn)
{
  bool is_alone = conn->work == PG__WRITE && !conn->was_in_txn;
  int32_t replay = is_alone ? TN_REPLAY_UNKNOWN : 0;

  if (conn->work == PG__COMMIT)
    replay = TN_REPLAY_UNKNOWN;
  if (conn->is_opening)
    replay = TN_REPLAY_SAFE;
  conn->host->fail_verdicts(conn->call, TN_CONNECTION_DEAD, replay);
  pg__bury(conn);
}

int32_t
pg__fail_lost(struct pg__conn *conn, const char *text)
{
  struct tn_failure failure;
  int32_t category;

  memset(&failure, 0, sizeof failure);
  failure.size = sizeof failure;
  failure.category = conn->work == PG__COMMIT ? TN_E_UNCERTAIN : TN_E_LOST;
  if (conn->is_opening)
    failure.category = TN_E_CONNECT;
  failure.message = text;
  if (conn->farewell_state[0] != '\0') {
    failure.sqlstate = conn->farewell_state;
    failure.message = conn->farewell;
  } else if (text == NULL || text[0] == '\0') {
    failure.message = PQerrorMessage(conn->pq);
  }
  if (failure.message[0] == '\0')
    failure.message = "postgresql: the connection was lost";
  category = conn->host->fail(conn->call, &failure);
  tell_lost(conn);
  return category;
}

int32_t
pg__fail_send(struct pg__conn *conn)
{
  if (PQstatus(conn->pq) == CONNECTION_BAD)
    return pg__fail_lost(conn, NULL);

  /* In a pipeline half a conversation would be left. */
  tn_fail(conn->call, TN_E_MEMORY, "postgresql: %s", PQerrorMessage(conn->pq));
  if (PQpipelineStatus(conn->pq) != PQ_PIPELINE_OFF) {
    conn->host->fail_verdicts(conn->call, TN_CONNECTION_DEAD,
                              TN_REPLAY_TRANSACTION);
    pg__bury(conn);
  }
  return TN_E_MEMORY;
}

/* ------------------------------------------------------------------ */
/* Results that are failures                                            */

static void
add_field(struct pg__conn *conn, uint32_t which, const char *text)
{
  if (text[0] != '\0')
    conn->host->fail_field(conn->call, which, text, strlen(text));
}

static void
add_hint(struct pg__conn *conn, const char *hint)
{
  char line[512];

  if (hint[0] == '\0')
    return;
  snprintf(line, sizeof line, "hint: %s", hint);
  add_field(conn, TN_ERR_DETAIL, line);
}

static void
add_fields(struct pg__conn *conn, const PGresult *result,
           struct pg__texts *texts)
{
  const char *table = field(result, PG_DIAG_TABLE_NAME);
  const char *column = field(result, PG_DIAG_COLUMN_NAME);

  add_field(conn, TN_ERR_SCHEMA, field(result, PG_DIAG_SCHEMA_NAME));
  add_field(conn, TN_ERR_TABLE, table);
  add_field(conn, TN_ERR_COLUMN, column);
  if (column[0] != '\0')
    conn->host->fail_source(conn->call, TN_SOURCE_PROTOCOL);
  add_field(conn, TN_ERR_CONSTRAINT, field(result, PG_DIAG_CONSTRAINT_NAME));
  add_hint(conn, field(result, PG_DIAG_MESSAGE_HINT));
  add_field(conn, TN_ERR_DETAIL, field(result, PG_DIAG_CONTEXT));
  texts->has_table = table[0] != '\0';
  texts->has_column = column[0] != '\0';
  pg__fail_fields(conn->call, texts);
}

bool
pg__is_fatal(const PGresult *result)
{
  const char *severity = field(result, PG_DIAG_SEVERITY_NONLOCALIZED);

  return strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0;
}

int32_t
pg__fail_sql(struct pg__conn *conn, const PGresult *result, uint64_t row,
             const char *sql)
{
  const char *message = field(result, PG_DIAG_MESSAGE_PRIMARY);
  bool is_lost = pg__is_fatal(result) || PQstatus(conn->pq) == CONNECTION_BAD;
  const char *sqlstate = pg__sqlstate(result);
  struct pg__texts texts = { .sql = sql };
  struct tn_failure failure;
  int32_t category;

  if (message[0] == '\0')
    message = PQresultErrorMessage(result);
  if (is_lost && sqlstate[0] == '\0')
    return pg__fail_lost(conn, message);
  texts.message = message;
  texts.detail = field(result, PG_DIAG_MESSAGE_DETAIL);
  texts.position =
      (int)strtol(field(result, PG_DIAG_STATEMENT_POSITION), NULL, 10);
  memset(&failure, 0, sizeof failure);
  failure.size = sizeof failure;
  failure.category = category_of(result, message, sql);
  if (is_lost && conn->work == PG__COMMIT)
    failure.category = TN_E_UNCERTAIN;
  failure.sqlstate = sqlstate;
  failure.message = message;
  failure.detail = texts.detail;
  failure.position = texts.position;
  failure.row = row;
  category = conn->host->fail(conn->call, &failure);
  texts.category = category;
  add_fields(conn, result, &texts);
  if (is_lost)
    tell_lost(conn);
  return category;
}

int32_t
pg__fail(struct pg__conn *conn, const PGresult *result, uint64_t row)
{
  return pg__fail_sql(conn, result, row, NULL);
}
