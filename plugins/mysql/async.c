/* Running the library's calls, and waiting for the server through the host.
 *
 * Every wait of the plug-in is in mysql__step(). So a deadline and a cancel are
 * noticed wherever the server, or the network, may be silent. */
#include "my_priv.h"

#include <stdio.h>
#include <string.h>

int32_t
mysql__step(struct mysql__conn *conn, struct mysql__op *op)
{
  uint32_t ready = 0;
  int32_t rc =
      conn->host->wait(conn->call, op->fd, op->pending, conn->until, &ready);

  if (rc != TN_OK)
    return rc;
  if (ready == 0)
    return tn_fail(conn->call, TN_E_TIMEOUT,
                   "mysql: the server did not answer in time");
  mysql__op_resume(conn, op, ready);
  return TN_OK;
}

int32_t
mysql__run(struct mysql__conn *conn, struct mysql__op *op)
{
  int32_t rc = mysql__op_begin(conn, op);

  while (rc == TN_OK && op->pending != 0)
    rc = mysql__step(conn, op);
  if (rc == TN_OK || op->pending == 0)
    return rc;
  return mysql__settle(conn, op, rc);
}

void
mysql__sync(struct mysql__conn *conn)
{
  conn->in_txn = (conn->mysql->server_status & SERVER_STATUS_IN_TRANS) != 0;
}

int32_t
mysql__ready(struct mysql__conn *conn)
{
  if (conn->is_dead)
    return tn_fail(conn->call, TN_E_LOST,
                   "mysql: the connection was lost before; close it");
  if (conn->reading != NULL)
    return tn_fail(conn->call, TN_E_STATE,
                   "mysql: the rows of another statement are still to be read");
  return TN_OK;
}

/* ------------------------------------------------------------------ */
/* Statements of our own                                                */

int32_t
mysql__query(struct mysql__conn *conn, const char *sql, size_t size,
             struct mysql__op *op)
{
  int32_t rc;

  memset(op, 0, sizeof *op);
  op->verb = MYSQL__QUERY;
  op->mysql = conn->mysql;
  op->text = sql;
  op->size = size;
  rc = mysql__run(conn, op);
  if (rc != TN_OK || op->status != 0 || mysql_field_count(conn->mysql) == 0)
    return rc;
  op->verb = MYSQL__STORE;
  rc = mysql__run(conn, op);
  if (rc == TN_OK && op->rows == NULL)
    op->status = 1;
  return rc;
}

/* The cells of the first row. */
static void
copy_row(MYSQL_RES *rows, char (*cells)[MYSQL__CELL_MAX], uint32_t count)
{
  MYSQL_ROW row = rows == NULL ? NULL : mysql_fetch_row(rows);
  uint32_t have = row == NULL ? 0 : mysql_num_fields(rows);
  uint32_t i;

  for (i = 0; i < count; i++)
    snprintf(cells[i], MYSQL__CELL_MAX, "%s",
             i < have && row[i] != NULL ? row[i] : "");
}

int32_t
mysql__ask(struct mysql__conn *conn, const char *sql,
           char (*cells)[MYSQL__CELL_MAX], uint32_t count)
{
  struct mysql__op op;
  int32_t rc = mysql__query(conn, sql, strlen(sql), &op);

  if (rc == TN_OK && op.status != 0)
    rc = mysql__fail(conn, NULL);
  else if (rc == TN_OK)
    mysql__sync(conn);
  copy_row(rc == TN_OK ? op.rows : NULL, cells, count);
  mysql_free_result(op.rows);
  return rc;
}

int32_t
mysql__exec(struct mysql__conn *conn, const char *sql)
{
  return mysql__ask(conn, sql, NULL, 0);
}

int32_t
mysql__exec_savepoint(struct mysql__conn *conn, const char *sql, bool *ret_has)
{
  struct mysql__op op;
  int32_t rc = mysql__query(conn, sql, strlen(sql), &op);

  *ret_has = rc == TN_OK && op.status == 0;
  if (*ret_has)
    mysql__sync(conn);
  else if (rc == TN_OK && mysql_errno(conn->mysql) != MYSQL__ER_ENGINE_CANNOT)
    rc = mysql__fail(conn, NULL);
  return rc;
}
