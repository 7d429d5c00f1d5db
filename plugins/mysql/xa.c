/* Transactions with a global id: the server's XA, of one branch each.
 *
 * Their id is known from the beginning on, and they have words of their own for
 * each step; COMMIT and ROLLBACK are refused while one is open. A session goes
 * on belonging to what it has prepared, also after a reset, which leaves it
 * without tables. So it is given up, after which the transaction soon belongs
 * to nobody. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "my_priv.h"

/* An id has nothing in it that would have to be quoted. */
static int32_t
say(struct mysql__conn *conn, const char *verb, const char *global_id,
    const char *rest)
{
  char sql[160];

  snprintf(sql, sizeof sql, "XA %s '%.64s'%s", verb, global_id, rest);
  return mysql__exec(conn, sql);
}

int32_t
mysql__xa_begin(struct mysql__conn *conn, const char *global_id)
{
  int32_t rc = say(conn, "START", global_id, "");

  if (rc == TN_OK)
    snprintf(conn->xa, sizeof conn->xa, "%s", global_id);
  return rc;
}

/* The last step of a kind whose answer tells what became of all. */
static int32_t
say_for_good(struct mysql__conn *conn, const char *verb, const char *global_id,
             const char *rest)
{
  int32_t rc;

  conn->is_committing = true;
  rc = say(conn, verb, global_id, rest);
  conn->is_committing = false;
  return rc;
}

/* The server has ended it by itself, or does not want to. */
static int32_t
abort_xa(struct mysql__conn *conn, int32_t category)
{
  if (conn->is_dead)
    return category;
  conn->is_aborted = true;
  conn->host->fail_verdicts(conn->call, TN_CONNECTION_ABORTED,
                            TN_REPLAY_TRANSACTION);
  return category;
}

int32_t
mysql__xa_commit(struct mysql__conn *conn)
{
  int32_t rc = say(conn, "END", conn->xa, "");

  if (rc == TN_OK)
    rc = say_for_good(conn, "COMMIT", conn->xa, " ONE PHASE");
  if (rc != TN_OK)
    return abort_xa(conn, rc);
  conn->xa[0] = '\0';
  return TN_OK;
}

/* It may have been ended, or have been rolled back by the server, which says
 * so at the first opportunity: that the end is refused does not matter. */
int32_t
mysql__xa_rollback(struct mysql__conn *conn)
{
  char sql[96];
  struct mysql__op op;
  int32_t rc;

  snprintf(sql, sizeof sql, "XA END '%.64s'", conn->xa);
  rc = mysql__query(conn, sql, strlen(sql), &op);
  if (rc == TN_OK && op.status != 0 && mysql__is_loss(mysql_errno(conn->mysql)))
    rc = mysql__fail(conn, NULL);
  if (rc == TN_OK)
    rc = say(conn, "ROLLBACK", conn->xa, "");
  if (rc == TN_OK)
    conn->xa[0] = '\0';
  return rc;
}

int32_t
mysql__xa_prepare(void *handle, const char *global_id, struct tn_call *call)
{
  struct mysql__conn *conn = handle;
  int32_t rc;

  mysql__enter(conn, call);
  rc = mysql__ready(conn);
  if (rc != TN_OK)
    return rc;
  if (conn->is_aborted)
    return mysql__fail_aborted(conn);
  if (strcmp(conn->xa, global_id) != 0)
    return tn_fail(call, TN_E_STATE,
                   "mysql: prepare: the transaction was not begun as %s",
                   global_id);
  rc = say(conn, "END", global_id, "");
  if (rc == TN_OK)
    rc = say_for_good(conn, "PREPARE", global_id, "");
  if (rc != TN_OK)
    return abort_xa(conn, rc);
  conn->xa[0] = '\0';
  mysql__bury(conn);
  return TN_OK;
}

/* ------------------------------------------------------------------ */
/* The list                                                             */

/* Columns of XA RECOVER. */
enum { FORMAT, ID_SIZE, BRANCH_SIZE, ID };

/* Those of other programs may have a branch, or a format of their own; what
 * ends them would have to say so. */
static bool
is_ours(MYSQL_ROW row)
{
  return row[FORMAT] != NULL && strcmp(row[FORMAT], "1") == 0 &&
         row[BRANCH_SIZE] != NULL && strcmp(row[BRANCH_SIZE], "0") == 0 &&
         row[ID_SIZE] != NULL && row[ID] != NULL;
}

static int32_t
copy_ids(MYSQL_RES *rows, struct tn_call *call, const char *const **ret,
         uint32_t *ret_count)
{
  size_t most = (size_t)mysql_num_rows(rows);
  const char **ids =
      call->host->arena_alloc(call->arena, (most + 1) * sizeof *ids);
  uint32_t count = 0;
  MYSQL_ROW row;

  while (ids != NULL && (row = mysql_fetch_row(rows)) != NULL) {
    size_t size = row[ID_SIZE] == NULL ? 0 : strtoul(row[ID_SIZE], NULL, 10);
    unsigned long *lengths = mysql_fetch_lengths(rows);
    char *id;

    if (!is_ours(row) || lengths == NULL || size > lengths[ID])
      continue;
    id = call->host->arena_alloc(call->arena, size + 1);
    if (id == NULL)
      return mysql__fail_memory(call);
    memcpy(id, row[ID], size);
    id[size] = '\0';
    ids[count++] = id;
  }
  if (ids == NULL)
    return mysql__fail_memory(call);
  *ret = ids;
  *ret_count = count;
  return TN_OK;
}

int32_t
mysql__list_prepared(void *handle, struct tn_call *call,
                     const char *const **ret, uint32_t *ret_count)
{
  static const char sql[] = "XA RECOVER";
  struct mysql__conn *conn = handle;
  struct mysql__op op;
  int32_t rc;

  mysql__enter(conn, call);
  rc = mysql__ready(conn);
  if (rc == TN_OK)
    rc = mysql__query(conn, sql, sizeof sql - 1, &op);
  else
    return rc;
  if (rc == TN_OK && op.status != 0)
    rc = mysql__fail(conn, NULL);
  else if (rc == TN_OK)
    rc = copy_ids(op.rows, call, ret, ret_count);
  mysql_free_result(op.rows);
  return rc;
}

/* ------------------------------------------------------------------ */
/* Ending what is in it                                                 */

/* How often one is tried that a session is still letting go of, and for how
 * long if nothing else ends it. */
#define AGAIN_NS  INT64_C(5000000)
#define LET_GO_NS INT64_C(10000000000)

/* Is it there, although the server says that it is not? */
static int32_t
look_for(struct mysql__conn *conn, const char *global_id, bool *ret)
{
  static const char sql[] = "XA RECOVER";
  struct mysql__op op;
  MYSQL_ROW row;
  int32_t rc = mysql__query(conn, sql, sizeof sql - 1, &op);

  *ret = false;
  if (rc == TN_OK && op.status != 0)
    rc = mysql__fail(conn, NULL);
  while (rc == TN_OK && !*ret && (row = mysql_fetch_row(op.rows)) != NULL)
    *ret = is_ours(row) && strcmp(row[ID], global_id) == 0;
  mysql_free_result(op.rows);
  return rc;
}

/* MariaDB rolls back, when its session is over, what was prepared and has
 * changed nothing, and says so to whoever ends it: there was nothing in it. */
static int32_t
say_last(struct mysql__conn *conn, const char *verb, const char *global_id)
{
  char sql[96];
  struct mysql__op op;
  int32_t rc;

  snprintf(sql, sizeof sql, "XA %s '%.64s'", verb, global_id);
  conn->is_committing = true;
  rc = mysql__query(conn, sql, strlen(sql), &op);
  if (rc == TN_OK && op.status != 0 &&
      mysql_errno(conn->mysql) != MYSQL__ER_XA_ROLLED_BACK)
    rc = mysql__fail(conn, NULL);
  conn->is_committing = false;
  return rc;
}

/* To the server there is none of that id as long as a session has it: also one
 * that was given up a moment ago. */
static int32_t
end_prepared(struct mysql__conn *conn, const char *verb, const char *global_id)
{
  int64_t end = conn->host->now() + LET_GO_NS;
  bool is_there = true;
  int32_t rc = mysql__ready(conn);

  if (rc == TN_OK && conn->is_aborted)
    return mysql__fail_aborted(conn);
  if (rc != TN_OK)
    return rc;
  for (;;) {
    rc = say_last(conn, verb, global_id);
    if (rc != TN_E_NOT_FOUND || conn->host->now() > end)
      return rc;
    rc = look_for(conn, global_id, &is_there);
    if (rc != TN_OK || !is_there)
      return rc == TN_OK ? TN_E_NOT_FOUND : rc;
    rc =
        conn->host->wait(conn->call, -1, 0, conn->host->now() + AGAIN_NS, NULL);
    if (rc != TN_OK)
      return rc;
  }
}

int32_t
mysql__commit_prepared(void *handle, const char *global_id,
                       struct tn_call *call)
{
  mysql__enter(handle, call);
  return end_prepared(handle, "COMMIT", global_id);
}

int32_t
mysql__rollback_prepared(void *handle, const char *global_id,
                         struct tn_call *call)
{
  mysql__enter(handle, call);
  return end_prepared(handle, "ROLLBACK", global_id);
}
