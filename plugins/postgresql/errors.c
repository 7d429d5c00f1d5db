/* The server's SQLSTATEs as the categories of Tenon
 * (https://www.postgresql.org/docs/current/errcodes-appendix.html).
 *
 * The table at the end decides, by code or by class. Some codes stand for
 * several things that only the place in the server's source tells apart, which
 * unlike the text is the same in all languages. What was under way when a
 * connection is lost decides whether a replay can do harm. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pg_priv.h"

/* What a code means when that function of the server reports it. */
static const struct place {
  const char *sqlstate;
  const char *function;
  int32_t category;
} places[] = {
  { "42601", "exec_parse_message", TN_E_USAGE }, /* several statements */
  { "42704", "ATExecDropConstraint", TN_E_NO_CONSTRAINT },
  { "42704", "ATExecAlterConstraint", TN_E_NO_CONSTRAINT },
  { "42704", "ATExecValidateConstraint", TN_E_NO_CONSTRAINT },
  { "42704", "get_relation_constraint_oid", TN_E_NO_CONSTRAINT },
  { "42704", "get_domain_constraint_oid", TN_E_NO_CONSTRAINT },
  { "42704", "AlterDomainDropConstraint", TN_E_NO_CONSTRAINT },
  { "42704", "AlterDomainValidateConstraint", TN_E_NO_CONSTRAINT },
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

/* 0 where the table decides. */
static int32_t
category_of(const PGresult *result, const char *message)
{
  const char *sqlstate = pg__sqlstate(result);
  const char *function = field(result, PG_DIAG_SOURCE_FUNCTION);
  size_t i;

  for (i = 0; i < PG__COUNT(places); i++)
    if (strcmp(sqlstate, places[i].sqlstate) == 0 &&
        strcmp(function, places[i].function) == 0)
      return places[i].category;
  for (i = 0; i < PG__COUNT(phrases); i++)
    if (strcmp(sqlstate, phrases[i].sqlstate) == 0 &&
        strstr(message, phrases[i].text) != NULL)
      return phrases[i].category;
  return sqlstate[0] == '\0' ? TN_E_OTHER : 0;
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
  failure.category = category_of(result, message);
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

/* ------------------------------------------------------------------ */

#define DEAD        TN_CONNECTION_DEAD
#define ABORTED     TN_CONNECTION_ABORTED
#define SAFE        TN_REPLAY_SAFE
#define TRANSACTION TN_REPLAY_TRANSACTION
#define NEVER       TN_REPLAY_NEVER
/* clang-format off */
#define STATE(sqlstate, name, category, connection, replay) \
  { 0, category, connection, replay, sqlstate, #name }

/* Codes that are not of their class's category, then the classes. */
const struct tn_error_row pg__errors[] = {
  STATE("08001", sqlclient_unable_to_establish_sqlconnection, TN_E_CONNECT, 0, 0),
  STATE("08004", sqlserver_rejected_establishment_of_sqlconnection, TN_E_CONNECT, 0, 0),
  STATE("08007", transaction_resolution_unknown, TN_E_UNCERTAIN, 0, 0),
  STATE("0L000", invalid_grantor, TN_E_PERMISSION, 0, 0),
  STATE("0LP01", invalid_grant_operation, TN_E_PERMISSION, 0, 0),
  STATE("0P000", invalid_role_specification, TN_E_NOT_FOUND, 0, 0),
  STATE("22021", character_not_in_repertoire, TN_E_CHARSET, 0, 0),
  STATE("22P05", untranslatable_character, TN_E_CHARSET, 0, 0),
  STATE("2200H", sequence_generator_limit_exceeded, TN_E_LIMIT, 0, 0),
  STATE("23001", restrict_violation, TN_E_REFERENCE, 0, 0),
  STATE("23502", not_null_violation, TN_E_NOT_NULL, 0, 0),
  STATE("23503", foreign_key_violation, TN_E_REFERENCE, 0, 0),
  STATE("23505", unique_violation, TN_E_DUPLICATE, 0, 0),
  STATE("23514", check_violation, TN_E_CHECK, 0, 0),
  STATE("23P01", exclusion_violation, TN_E_EXCLUSION, 0, 0),
  STATE("25006", read_only_sql_transaction, TN_E_READ_ONLY, 0, 0),
  STATE("25P02", in_failed_sql_transaction, TN_E_STATE, ABORTED, TRANSACTION),
  STATE("25P03", idle_in_transaction_session_timeout, TN_E_LOST, DEAD, TRANSACTION),
  STATE("25P04", transaction_timeout, TN_E_LOST, DEAD, TRANSACTION),
  STATE("2F003", prohibited_sql_statement_attempted, TN_E_PERMISSION, 0, 0),
  STATE("34000", invalid_cursor_name, TN_E_NOT_FOUND, 0, 0),
  STATE("40001", serialization_failure, TN_E_SERIALIZATION, 0, 0),
  STATE("40002", transaction_integrity_constraint_violation, TN_E_CONSTRAINT, 0, 0),
  STATE("40003", statement_completion_unknown, TN_E_UNCERTAIN, 0, 0),
  STATE("40P01", deadlock_detected, TN_E_DEADLOCK, 0, 0),
  STATE("42501", insufficient_privilege, TN_E_PERMISSION, 0, 0),
  STATE("42622", name_too_long, TN_E_LIMIT, 0, 0),
  STATE("42701", duplicate_column, TN_E_EXISTS, 0, 0),
  STATE("42703", undefined_column, TN_E_NO_COLUMN, 0, 0),
  STATE("42704", undefined_object, TN_E_NOT_FOUND, 0, 0),
  STATE("42710", duplicate_object, TN_E_EXISTS, 0, 0),
  STATE("42723", duplicate_function, TN_E_EXISTS, 0, 0),
  STATE("42804", datatype_mismatch, TN_E_DATA, 0, 0),
  STATE("42846", cannot_coerce, TN_E_DATA, 0, 0),
  STATE("42883", undefined_function, TN_E_NO_FUNCTION, 0, 0),
  STATE("428C9", generated_always, TN_E_CONSTRAINT, 0, 0),
  STATE("42P01", undefined_table, TN_E_NO_TABLE, 0, 0),
  STATE("42P03", duplicate_cursor, TN_E_EXISTS, 0, 0),
  STATE("42P04", duplicate_database, TN_E_EXISTS, 0, 0),
  STATE("42P05", duplicate_prepared_statement, TN_E_EXISTS, 0, 0),
  STATE("42P06", duplicate_schema, TN_E_EXISTS, 0, 0),
  STATE("42P07", duplicate_table, TN_E_EXISTS, 0, 0),
  STATE("53100", disk_full, TN_E_IO, 0, 0),
  STATE("53200", out_of_memory, TN_E_MEMORY, 0, 0),
  /* Told to those who connect. */
  STATE("53300", too_many_connections, TN_E_LIMIT, DEAD, SAFE),
  STATE("55006", object_in_use, TN_E_BUSY, 0, 0),
  STATE("55P03", lock_not_available, TN_E_LOCK_TIMEOUT, 0, 0),
  STATE("57014", query_canceled, TN_E_TIMEOUT, 0, 0),
  STATE("57P01", admin_shutdown, TN_E_LOST, DEAD, TRANSACTION),
  STATE("57P02", crash_shutdown, TN_E_LOST, DEAD, TRANSACTION),
  STATE("57P03", cannot_connect_now, TN_E_CONNECT, 0, 0),
  STATE("57P04", database_dropped, TN_E_LOST, DEAD, NEVER),
  STATE("57P05", idle_session_timeout, TN_E_LOST, DEAD, TRANSACTION),
  STATE("58P01", undefined_file, TN_E_NOT_FOUND, 0, 0),
  STATE("58P02", duplicate_file, TN_E_EXISTS, 0, 0),
  STATE("P0002", no_data_found, TN_E_NOT_FOUND, 0, 0),
  STATE("P0003", too_many_rows, TN_E_DATA, 0, 0),
  STATE("XX001", data_corrupted, TN_E_IO, 0, 0),
  STATE("XX002", index_corrupted, TN_E_IO, 0, 0),
  STATE("02", no_data, TN_E_NOT_FOUND, 0, 0),
  STATE("03", sql_statement_not_yet_complete, TN_E_STATE, 0, 0),
  STATE("08", connection_exception, TN_E_LOST, 0, 0),
  STATE("09", triggered_action_exception, TN_E_OTHER, 0, 0),
  STATE("0A", feature_not_supported, TN_E_UNSUPPORTED, 0, 0),
  STATE("0B", invalid_transaction_initiation, TN_E_STATE, 0, 0),
  STATE("0F", locator_exception, TN_E_DATA, 0, 0),
  STATE("0Z", diagnostics_exception, TN_E_OTHER, 0, 0),
  STATE("20", case_not_found, TN_E_DATA, 0, 0),
  STATE("21", cardinality_violation, TN_E_DATA, 0, 0),
  STATE("22", data_exception, TN_E_DATA, 0, 0),
  STATE("23", integrity_constraint_violation, TN_E_CONSTRAINT, 0, 0),
  STATE("24", invalid_cursor_state, TN_E_STATE, 0, 0),
  STATE("25", invalid_transaction_state, TN_E_STATE, 0, 0),
  STATE("26", invalid_sql_statement_name, TN_E_STATE, 0, 0),
  STATE("27", triggered_data_change_violation, TN_E_CONSTRAINT, 0, 0),
  STATE("28", invalid_authorization_specification, TN_E_AUTH, 0, 0),
  STATE("2B", dependent_objects_still_exist, TN_E_STATE, 0, 0),
  STATE("2D", invalid_transaction_termination, TN_E_STATE, 0, 0),
  STATE("2F", sql_routine_exception, TN_E_OTHER, 0, 0),
  STATE("38", external_routine_exception, TN_E_OTHER, 0, 0),
  STATE("39", external_routine_invocation_exception, TN_E_OTHER, 0, 0),
  STATE("3B", savepoint_exception, TN_E_STATE, 0, 0),
  STATE("3D", invalid_catalog_name, TN_E_NO_DATABASE, 0, 0),
  STATE("3F", invalid_schema_name, TN_E_NO_DATABASE, 0, 0),
  STATE("40", transaction_rollback, TN_E_SERIALIZATION, 0, 0),
  STATE("42", syntax_error_or_access_rule_violation, TN_E_SYNTAX, 0, 0),
  STATE("44", with_check_option_violation, TN_E_CHECK, 0, 0),
  STATE("53", insufficient_resources, TN_E_LIMIT, 0, 0),
  STATE("54", program_limit_exceeded, TN_E_LIMIT, 0, 0),
  STATE("55", object_not_in_prerequisite_state, TN_E_STATE, 0, 0),
  STATE("57", operator_intervention, TN_E_CANCELED, 0, 0),
  STATE("58", system_error, TN_E_IO, 0, 0),
  STATE("72", snapshot_failure, TN_E_SERIALIZATION, 0, 0),
  STATE("F0", config_file_error, TN_E_OTHER, 0, 0),
  STATE("HV", fdw_error, TN_E_OTHER, 0, 0),
  STATE("P0", plpgsql_error, TN_E_OTHER, 0, 0),
  STATE("XX", internal_error, TN_E_OTHER, 0, 0),
};
/* clang-format on */
