/* Statements: having the server compile them, and letting go of them.
 *
 * Everything is prepared on the server, so that values never become text. What
 * it cannot prepare (a few statements of administration, more when it has
 * enough of them) is sent as text when it is run, if it has no parameters. A
 * reset of the session makes the server forget; then the next run prepares
 * again. */
#include "my_priv.h"

#include <string.h>

/* ------------------------------------------------------------------ */
/* On the server                                                        */

/* Release the library's handle, and the server's. Failing that, the session is
 * dead. */
static void
drop(struct mysql__conn *conn, MYSQL_STMT **stmt)
{
  struct mysql__op op = { .verb = MYSQL__STMT_CLOSE, .stmt = *stmt };

  if (*stmt == NULL || conn->is_left)
    return;
  *stmt = NULL;
  if (mysql__run(conn, &op) == TN_OK && op.flag != 0 && !conn->is_dead &&
      mysql__is_loss((int32_t)mysql_errno(conn->mysql)))
    mysql__fail(conn, NULL);
}

/* Why the server did not take it. */
static int32_t
fail_prepare(struct mysql__conn *conn, MYSQL_STMT *stmt, const char *sql)
{
  bool is_full;
  int32_t rc;

  if (mysql__errno(conn, stmt) == MYSQL__ER_SYNTAX && mysql__has_several(sql))
    return tn_fail(conn->call, TN_E_USAGE,
                   "mysql: more than one statement: run them one by one");
  is_full = mysql__errno(conn, stmt) == MYSQL__ER_TOO_MANY_PS;
  rc = mysql__fail_sql(conn, stmt, sql, 0);
  if (is_full && !conn->in_txn && !conn->is_dead)
    conn->host->fail_verdicts(conn->call, TN_CONNECTION_USABLE, TN_REPLAY_SAFE);
  return rc;
}

/* Can it run as text, which the server did not prepare: for its kind, or
 * because it has enough of them, which an administrator may want to change? */
static bool
can_be_text(unsigned number, const char *sql, size_t size)
{
  char word[MYSQL__WORD_MAX];

  if (number != MYSQL__ER_TOO_MANY_PS)
    return number == MYSQL__ER_UNSUPPORTED_PS;
  mysql__first_word(sql, word);
  return memchr(sql, '?', size) == NULL &&
         (strcmp(word, "SET") == 0 || strcmp(word, "SHOW") == 0 ||
          strcmp(word, "KILL") == 0);
}

/* `*ret_can` false: the server does not prepare it, and can run it as text. */
static int32_t
open_stmt(struct mysql__conn *conn, const char *sql, size_t size,
          MYSQL_STMT **ret, bool *ret_can)
{
  struct mysql__op op = { .verb = MYSQL__PREPARE, .text = sql, .size = size };
  int32_t rc;

  *ret_can = true;
  op.stmt = mysql_stmt_init(conn->mysql);
  if (op.stmt == NULL)
    return mysql__fail_memory(conn->call);
  rc = mysql__run(conn, &op);
  if (rc == TN_OK && op.status == 0) {
    *ret = op.stmt;
    return TN_OK;
  }
  if (rc == TN_OK && can_be_text(mysql__errno(conn, op.stmt), sql, size))
    *ret_can = false;
  else if (rc == TN_OK)
    rc = fail_prepare(conn, op.stmt, sql);
  drop(conn, &op.stmt);
  return rc;
}

/* What is a run of it to be expected to do? */
static void
classify(struct mysql__statement *statement)
{
  static const char *const writing[] = { "INSERT", "REPLACE", "DELETE",
                                         "UPDATE" };
  char word[MYSQL__WORD_MAX];
  bool is_writing = false;
  size_t i;

  mysql__first_word(statement->sql, word);
  for (i = 0; i < MYSQL__COUNT(writing); i++)
    is_writing |= strcmp(word, writing[i]) == 0;
  statement->is_writing = is_writing;
  statement->is_query =
      !is_writing && mysql_stmt_field_count(statement->stmt) != 0;
  statement->is_returning =
      is_writing && mysql__has_word(statement->sql, "RETURNING");
}

/* The server has prepared it. */
static int32_t
adopt(struct mysql__statement *statement)
{
  struct mysql__conn *conn = statement->conn;
  int32_t rc;

  statement->parameter_count =
      (uint32_t)mysql_stmt_param_count(statement->stmt);
  classify(statement);
  if (statement->has_params)
    return TN_OK;
  rc = mysql__params_init(&statement->params, statement->parameter_count,
                          &conn->limits, conn->call);
  statement->has_params = rc == TN_OK;
  return rc;
}

/* One that fails is due again with the next run. */
int32_t
mysql__stmt_prepare(struct mysql__statement *statement)
{
  struct mysql__conn *conn = statement->conn;
  bool can_prepare = false;
  int32_t rc;

  drop(conn, &statement->stmt);
  mysql__reader_unbind(&statement->reader);
  statement->params.is_stale = true;
  statement->generation = conn->generation - 1;
  rc = mysql__ready(conn);
  if (rc == TN_OK)
    rc = open_stmt(conn, statement->sql, statement->sql_size, &statement->stmt,
                   &can_prepare);
  if (rc == TN_OK && can_prepare)
    rc = adopt(statement);
  if (rc == TN_OK)
    statement->generation = conn->generation;
  return rc;
}

/* ------------------------------------------------------------------ */
/* The slots                                                            */

static void
release_statement(struct mysql__statement **statement)
{
  struct mysql__conn *conn = (*statement)->conn;

  drop(conn, &(*statement)->stmt);
  if (!conn->is_left) { /* else a thread may still write there */
    mysql__reader_clear(&(*statement)->reader);
    mysql__params_clear(&(*statement)->params);
    conn->host->release(*statement);
  }
  *statement = NULL;
}

/* To let go of one, the library would first read and drop the rows that are
 * another's. */
static bool
must_wait(const struct mysql__statement *statement)
{
  const struct mysql__conn *conn = statement->conn;

  return statement->stmt != NULL && conn->reading != NULL &&
         conn->reading != statement;
}

void
mysql__stmt_close_rest(struct mysql__conn *conn)
{
  while (conn->closing != NULL) {
    struct mysql__statement *statement = conn->closing;

    conn->closing = statement->next;
    release_statement(&statement);
  }
}

static int32_t
prepare(void *handle, const char *sql, size_t sql_size, struct tn_call *call,
        void **ret, struct tn_statement_info *info)
{
  struct mysql__conn *conn = handle;
  struct mysql__statement *statement;
  int32_t rc;

  mysql__enter(conn, call);
  statement = conn->host->alloc(sizeof *statement + sql_size + 1);
  if (statement == NULL)
    return mysql__fail_memory(call);
  memset(statement, 0, sizeof *statement);
  statement->conn = conn;
  statement->reader.host = conn->host;
  statement->params.host = conn->host;
  statement->sql = memcpy(statement + 1, sql, sql_size);
  statement->sql[sql_size] = '\0';
  statement->sql_size = sql_size;
  statement->hold = mysql__hold_of(statement->sql);
  rc = mysql__stmt_prepare(statement);
  if (rc != TN_OK) {
    release_statement(&statement);
    return rc;
  }
  info->parameter_count = statement->parameter_count;
  info->column_count =
      statement->stmt == NULL ? 0 : mysql_stmt_field_count(statement->stmt);
  if (statement->is_returning && info->column_count == 0)
    info->column_count = 1; /* there are some */
  *ret = statement;
  return TN_OK;
}

static int32_t
execute(void *handle, const tn_value *values, uint32_t count,
        struct tn_call *call, void **ret)
{
  struct mysql__statement *statement = handle;
  int32_t rc;

  (void)count; /* parameter_count */
  mysql__enter(statement->conn, call);
  rc = mysql__stmt_execute(statement, values, 0);
  if (rc == TN_OK)
    *ret = statement;
  return rc;
}

static void
close_statement(void *handle, struct tn_call *call)
{
  struct mysql__statement *statement = handle;

  mysql__enter(statement->conn, call);
  if (must_wait(statement)) {
    statement->next = statement->conn->closing;
    statement->conn->closing = statement;
    return;
  }
  release_statement(&statement);
}

const struct tn_statement_table mysql__statement_table = {
  .size = sizeof(struct tn_statement_table),
  .prepare = prepare,
  .execute = execute,
  .close = close_statement,
  .execute_batch = mysql__execute_batch,
};

/* ------------------------------------------------------------------ */
/* For bulk.c                                                           */

int32_t
mysql__stmt_open(struct mysql__conn *conn, const char *sql, size_t size,
                 struct tn_call *call, MYSQL_STMT **ret)
{
  bool can_prepare;
  int32_t rc;

  mysql__enter(conn, call);
  rc = mysql__ready(conn);
  if (rc == TN_OK)
    rc = open_stmt(conn, sql, size, ret, &can_prepare);
  if (rc == TN_OK && !can_prepare)
    rc = tn_fail(call, TN_E_UNSUPPORTED,
                 "mysql: the server cannot prepare the statement");
  return rc;
}

int32_t
mysql__stmt_run(struct mysql__conn *conn, MYSQL_STMT *stmt,
                struct tn_call *call)
{
  struct mysql__op op = { .verb = MYSQL__EXECUTE, .stmt = stmt };
  int32_t rc;

  mysql__enter(conn, call);
  rc = mysql__ready(conn);
  if (rc == TN_OK)
    rc = mysql__run(conn, &op);
  if (rc == TN_OK && op.status != 0)
    rc = mysql__fail(conn, stmt);
  else if (rc == TN_OK)
    mysql__sync(conn);
  return rc;
}

void
mysql__stmt_drop(struct mysql__conn *conn, MYSQL_STMT **stmt,
                 struct tn_call *call)
{
  mysql__enter(conn, call);
  drop(conn, stmt);
}
