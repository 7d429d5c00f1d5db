/* Running a statement, and going through its result sets.
 *
 * Rows are read from the network as they are asked for. A connection can do
 * nothing else meanwhile, so it remembers which statement's rows are still on
 * their way. */
#include "my_priv.h"

#include <string.h>

/* ------------------------------------------------------------------ */
/* What a failure leaves behind                                         */

/* Outside a transaction nothing undoes what a statement did that was cut off.
 */
static void
tell_replay(const struct mysql__statement *statement, bool was_in_txn,
            const struct mysql__op *op)
{
  const struct mysql__conn *conn = statement->conn;

  if (was_in_txn || statement->is_query)
    return;
  if (conn->is_dead)
    conn->host->fail_verdicts(conn->call, 0, TN_REPLAY_UNKNOWN);
  else if (op->has_ended_well)
    conn->host->fail_verdicts(conn->call, 0, TN_REPLAY_NEVER);
}

/* ------------------------------------------------------------------ */
/* Result sets                                                          */

void
mysql__set_over(struct mysql__statement *statement)
{
  statement->state = MYSQL__DONE;
  statement->has_more = false;
  if (statement->conn->reading == statement)
    statement->conn->reading = NULL;
}

static const MYSQL_FIELD *
fields_of(const struct mysql__statement *statement)
{
  return statement->stmt->fields;
}

/* The numbers of an answer without rows. The key is that of the first row that
 * was inserted: the server tells no other. */
static void
take_numbers(struct mysql__statement *statement)
{
  uint64_t affected = mysql_stmt_affected_rows(statement->stmt);
  uint64_t key = mysql_stmt_insert_id(statement->stmt);

  if (affected == UINT64_MAX)
    return;
  statement->flags |= TN_RESULT_HAS_AFFECTED;
  statement->affected = affected;
  statement->flags &= ~TN_RESULT_HAS_KEY;
  if (key == 0 || key > INT64_MAX || affected == 0)
    return;
  statement->flags |= TN_RESULT_HAS_KEY;
  statement->key = (int64_t)key;
}

/* Are there further answers? Then nothing else may be sent. */
static void
look_for_more(struct mysql__statement *statement)
{
  struct mysql__conn *conn = statement->conn;

  statement->state = MYSQL__DONE;
  statement->has_more = mysql_stmt_more_results(statement->stmt);
  conn->reading = statement->has_more ? statement : NULL;
  mysql__sync(conn);
}

/* The library has thrown away what was bound when an answer said that more
 * would come. */
static int32_t
open_rows(struct mysql__statement *statement, uint32_t count)
{
  struct mysql__conn *conn = statement->conn;
  int32_t rc;

  statement->state = MYSQL__READING;
  statement->has_rows = true;
  conn->reading = statement;
  if (mysql_stmt_more_results(statement->stmt))
    mysql__reader_unbind(&statement->reader);
  rc = mysql__reader_set(&statement->reader, fields_of(statement), count, false,
                         conn->call);
  if (rc == TN_OK)
    rc = mysql__reader_bind(&statement->reader, statement->stmt, conn->call);
  if (rc != TN_OK)
    mysql__set_discard(statement);
  return rc;
}

int32_t
mysql__set_open(struct mysql__statement *statement)
{
  uint32_t count = mysql_stmt_field_count(statement->stmt);

  if (count != 0)
    return open_rows(statement, count);
  statement->has_rows = false;
  take_numbers(statement);
  look_for_more(statement);
  return TN_OK;
}

void
mysql__set_ended(struct mysql__statement *statement)
{
  if (statement->is_returning) { /* a row for each that it affected */
    statement->flags |= TN_RESULT_HAS_AFFECTED;
    statement->affected += statement->fetched;
  }
  statement->fetched = 0;
  look_for_more(statement);
}

int32_t
mysql__set_discard(struct mysql__statement *statement)
{
  struct mysql__conn *conn = statement->conn;
  struct mysql__op op = { .verb = MYSQL__FETCH, .stmt = statement->stmt };
  int32_t rc = TN_OK;

  if (conn->reading != statement)
    return TN_OK;
  op.status = statement->state == MYSQL__READING ? 0 : MYSQL_NO_DATA;
  rc = mysql__leave(conn, &op);
  mysql__set_over(statement);
  return rc;
}

/* The rest of the present set, without the next ones. */
static int32_t
skip_rows(struct mysql__statement *statement)
{
  struct mysql__op op = { .verb = MYSQL__FETCH, .stmt = statement->stmt };
  int32_t rc;

  if (statement->state != MYSQL__READING)
    return TN_OK;
  rc = mysql__drain_set(statement->conn, &op);
  if (rc != TN_OK) {
    mysql__set_over(statement);
    return rc;
  }
  if (op.status == 1) {
    mysql__set_over(statement);
    return mysql__fail(statement->conn, statement->stmt);
  }
  look_for_more(statement);
  return TN_OK;
}

/* One answer further. */
static int32_t
read_next(struct mysql__statement *statement)
{
  struct mysql__op op = { .verb = MYSQL__STMT_NEXT, .stmt = statement->stmt };
  int32_t rc = mysql__run(statement->conn, &op);

  if (rc != TN_OK) {
    mysql__set_over(statement);
    return rc;
  }
  if (op.status != 0) {
    mysql__set_over(statement);
    return mysql__fail(statement->conn, statement->stmt);
  }
  mysql__reader_unbind(&statement->reader);
  return mysql__set_open(statement);
}

/* A procedure's last answer is a set without columns, which tells what the
 * procedure has affected. */
int32_t
mysql__set_next(struct mysql__statement *statement)
{
  int32_t rc;

  if (statement->stmt == NULL)
    return 0;
  rc = skip_rows(statement);
  if (rc == TN_OK && !statement->has_more)
    return 0;
  if (rc == TN_OK)
    rc = read_next(statement);
  return rc == TN_OK ? 1 : -rc;
}

/* ------------------------------------------------------------------ */
/* Running                                                              */

int32_t
mysql__stmt_send(struct mysql__statement *statement, uint64_t row)
{
  struct mysql__conn *conn = statement->conn;
  bool was_in_txn = conn->in_txn;
  struct mysql__op op = { .verb = MYSQL__EXECUTE, .stmt = statement->stmt };
  int32_t rc = mysql__run(conn, &op);

  if (rc == TN_OK && op.status == 0) {
    mysql__sync(conn);
    return TN_OK;
  }
  if (rc == TN_OK &&
      mysql__errno(conn, statement->stmt) == CR_NEW_STMT_METADATA)
    return MYSQL__CHANGED;
  if (rc == TN_OK)
    rc = mysql__fail_row(conn, statement->stmt, row);
  tell_replay(statement, was_in_txn, &op);
  return rc;
}

/* The table was altered, and the rows that have come are not those that the
 * library expects. They are dropped, and the statement is compiled anew. */
static int32_t
renew(struct mysql__statement *statement)
{
  struct mysql__conn *conn = statement->conn;
  struct mysql__op op = { .verb = MYSQL__STMT_FLUSH, .stmt = statement->stmt };
  int32_t rc = mysql__run(conn, &op);

  if (rc != TN_OK)
    return rc;
  if (!statement->is_query) {
    rc = tn_fail(conn->call, TN_E_STATE,
                 "mysql: the statement was run, but its columns are not those "
                 "that it was prepared with");
    return rc;
  }
  rc = mysql__stmt_prepare(statement);
  if (rc == TN_OK && statement->stmt == NULL)
    rc = tn_fail(conn->call, TN_E_STATE,
                 "mysql: the statement cannot be prepared any more");
  return rc;
}

static int32_t
bind_and_send(struct mysql__statement *statement, uint64_t row)
{
  int32_t rc = mysql__params_bind(&statement->params, statement->stmt,
                                  statement->conn->call);

  return rc == TN_OK ? mysql__stmt_send(statement, row) : rc;
}

static int32_t
run_prepared(struct mysql__statement *statement, const tn_value *values,
             uint64_t row)
{
  int32_t rc =
      mysql__params_set(&statement->params, values, statement->conn->call);

  statement->is_refused = rc != TN_OK && rc != TN_E_MEMORY;
  if (rc == TN_OK)
    rc = bind_and_send(statement, row);
  if (rc == MYSQL__CHANGED) {
    rc = renew(statement);
    if (rc == TN_OK)
      rc = bind_and_send(statement, row);
  }
  if (rc == MYSQL__CHANGED) /* again, in this moment */
    rc = mysql__fail(statement->conn, statement->stmt);
  return rc == TN_OK ? mysql__set_open(statement) : rc;
}

/* The text protocol, with all rows at once. */
static int32_t
run_text(struct mysql__statement *statement)
{
  struct mysql__conn *conn = statement->conn;
  struct mysql__op op;
  int32_t rc = mysql__query(conn, statement->sql, statement->sql_size, &op);

  statement->rows = op.rows;
  if (rc != TN_OK)
    return rc;
  if (op.status != 0)
    return mysql__fail(conn, NULL);
  mysql__sync(conn);
  statement->state = MYSQL__READING;
  statement->has_rows = op.rows != NULL;
  if (op.rows != NULL)
    return mysql__reader_set(&statement->reader, mysql_fetch_fields(op.rows),
                             mysql_num_fields(op.rows), true, conn->call);
  statement->state = MYSQL__DONE;
  statement->flags |= TN_RESULT_HAS_AFFECTED;
  statement->affected = mysql_affected_rows(conn->mysql);
  return TN_OK;
}

/* While a transaction is aborted only its end is accepted: anything else would
 * commit by itself. */
static int32_t
check_state(struct mysql__statement *statement)
{
  struct mysql__conn *conn = statement->conn;
  char word[MYSQL__WORD_MAX];
  int32_t rc = mysql__ready(conn);

  if (rc != TN_OK || !conn->is_aborted)
    return rc;
  mysql__first_word(statement->sql, word);
  return strcmp(word, "ROLLBACK") == 0 ? TN_OK : mysql__fail_aborted(conn);
}

static void
begin_result(struct mysql__statement *statement)
{
  statement->is_refused = false;
  statement->state = MYSQL__CLOSED;
  statement->flags = 0;
  statement->affected = 0;
  statement->key = 0;
  statement->fetched = 0;
  statement->has_rows = false;
  statement->has_more = false;
}

int32_t
mysql__stmt_ready(struct mysql__statement *statement)
{
  int32_t rc = check_state(statement);

  statement->conn->hold = statement->hold;
  begin_result(statement);
  if (rc == TN_OK && statement->generation != statement->conn->generation)
    rc = mysql__stmt_prepare(statement);
  return rc;
}

int32_t
mysql__stmt_execute(struct mysql__statement *statement, const tn_value *values,
                    uint64_t row)
{
  struct mysql__conn *conn = statement->conn;
  int32_t rc = mysql__stmt_ready(statement);

  if (rc != TN_OK)
    return rc;
  rc = statement->stmt == NULL ? run_text(statement)
                               : run_prepared(statement, values, row);
  if (rc == TN_OK && !conn->in_txn)
    conn->is_aborted = false; /* a ROLLBACK, if it was */
  if (rc == TN_OK && !statement->has_rows)
    rc = mysql__unguard(conn);
  if (rc == TN_OK && !statement->has_rows)
    mysql__note_move(conn);
  return rc;
}

void
mysql__note_move(struct mysql__conn *conn)
{
  const char *data;
  size_t size;

  if ((conn->mysql->server_status & SERVER_SESSION_STATE_CHANGED) != 0 &&
      mysql_session_track_get_first(conn->mysql, SESSION_TRACK_SCHEMA, &data,
                                    &size) == 0)
    conn->has_moved = true;
}
