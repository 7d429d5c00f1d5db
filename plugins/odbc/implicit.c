/* Transactions that a statement ends by itself, as CREATE TABLE does in
 * MariaDB. ODBC does not tell, so the server is asked, after whatever is not
 * known to leave a transaction alone. */
#include "odbc_priv.h"

/* How that begins: most of what is run. */
static const char *const harmless[] = { "SELECT",  "INSERT",  "UPDATE",
                                        "DELETE",  "REPLACE", "WITH",
                                        "SHOW",    "EXPLAIN", "SAVEPOINT",
                                        "RELEASE", NULL };

bool
odbc__may_end_txn(const char *sql)
{
  return !odbc__begins_with(sql, harmless);
}

/* False: no answer. */
static bool
ask(const struct odbc__conn *conn, bool *ret)
{
  static SQLCHAR sql[] = "SELECT @@in_transaction";
  SQLHSTMT stmt = SQL_NULL_HSTMT;
  SQLBIGINT answer = 0;
  SQLLEN size = 0;
  bool is_answered;

  if (!SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_STMT, conn->dbc, &stmt)))
    return false;
  is_answered = SQL_SUCCEEDED(SQLExecDirect(stmt, sql, SQL_NTS)) &&
                SQL_SUCCEEDED(SQLFetch(stmt)) &&
                SQL_SUCCEEDED(SQLGetData(stmt, 1, SQL_C_SBIGINT, &answer,
                                         sizeof answer, &size));
  SQLFreeHandle(SQL_HANDLE_STMT, stmt);
  *ret = answer != 0;
  return is_answered;
}

void
odbc__ask_txn(const struct odbc__statement *statement)
{
  struct odbc__conn *conn = statement->conn;
  bool is_open = true;

  if (!statement->may_end_txn || !conn->in_txn || conn->is_savepoint)
    return;

  /* A cancel that came late may spoil the first question. */
  conn->is_lost = !ask(conn, &is_open);
  if (conn->is_lost)
    conn->is_lost = !ask(conn, &is_open);
  conn->is_over = !is_open;
}

void
odbc__note_txn(struct odbc__conn *conn, struct tn_call *call)
{
  bool is_over = conn->is_over;

  conn->is_over = false;
  if (conn->is_dead)
    return;
  if (conn->is_lost) {
    conn->is_dead = true;
    conn->host->fail_verdicts(call, TN_CONNECTION_DEAD, 0);
  } else if (is_over && conn->in_txn && !conn->is_aborted) {
    (void)odbc__txn_over(conn, call);
  }
}
