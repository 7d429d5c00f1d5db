/* Failures of the server and of the client library, told to the host.
 *
 * The number decides, by the table of errors.c. Two things no number tells:
 * whether InnoDB has rolled the transaction back, or a statement that failed
 * has committed it, which the server is asked, and what became of a commit
 * whose answer was lost. */
#include "my_priv.h"

#include <stdio.h>
#include <string.h>

/* A commit that failed in the engine; in a cluster, one that lost its
 * majority. */
#define ERROR_DURING_COMMIT 1180

/* What SIGNAL raises; its SQLSTATE is the user's choice. */
#define SIGNAL_EXCEPTION 1644

unsigned
mysql__errno(const struct mysql__conn *conn, MYSQL_STMT *stmt)
{
  unsigned number = stmt == NULL ? 0 : mysql_stmt_errno(stmt);

  return number != 0 ? number : mysql_errno(conn->mysql);
}

/* ------------------------------------------------------------------ */
/* Transactions                                                         */

/* After what kinds of failure may the transaction be over? Of the rest the
 * server undoes the statement alone. */
static bool
may_end_txn(int32_t category)
{
  switch (category) {
  case TN_E_DEADLOCK:
  case TN_E_SERIALIZATION:
  case TN_E_LOCK_TIMEOUT:
  case TN_E_TIMEOUT:
  case TN_E_CANCELED:
  case TN_E_BUSY:
  case TN_E_LIMIT:
  case TN_E_IO:
  case TN_E_INTERNAL:
  case TN_E_OTHER:
    return true;
  default:
    return false;
  }
}

bool
mysql__was_committed(struct mysql__conn *conn, bool was_aborted,
                     bool is_rollback)
{
  if (conn->is_dead || !conn->is_aborted || was_aborted ||
      (is_rollback && conn->hold != MYSQL__COMMITS))
    return false;
  conn->is_aborted = false;
  return true;
}

/* An error does not tell how the transaction stands; the answer to a statement
 * that does nothing does. */
static void
ask_txn(struct mysql__conn *conn, int32_t category)
{
  int32_t connection = TN_CONNECTION_USABLE;
  bool was_aborted = conn->is_aborted;

  conn->host->grace(conn->call, TN_GRACE_MAX);
  if (mysql__calm(conn) != TN_OK)
    mysql__bury(conn);
  if (mysql__was_committed(conn, was_aborted, may_end_txn(category))) {
    conn->host->fail_verdicts(conn->call, connection, TN_REPLAY_NEVER);
    return;
  }
  if (conn->is_dead)
    connection = TN_CONNECTION_DEAD;
  else if (conn->is_aborted)
    connection = TN_CONNECTION_ABORTED;
  else if (!may_end_txn(category))
    return; /* as it was */
  conn->host->fail_verdicts(conn->call, connection,
                            category == TN_E_BUSY ? 0 : TN_REPLAY_TRANSACTION);
}

/* Nothing of the statement, or of the transaction, has taken effect. */
static void
give_server_up(struct mysql__conn *conn)
{
  conn->host->fail_verdicts(conn->call, TN_CONNECTION_DEAD,
                            conn->in_txn ? TN_REPLAY_TRANSACTION : 0);
  mysql__bury(conn);
}

static int32_t
lookup(const struct mysql__conn *conn, unsigned number)
{
  return mysql__lookup(number, conn->is_mariadb);
}

/* Of a session that is open already, what ends a login does not end it; nor
 * does a user who raises the SQLSTATE of an end. */
static bool
is_alive(const struct mysql__conn *conn, unsigned number, int32_t category)
{
  if (number == SIGNAL_EXCEPTION)
    return category == TN_E_AUTH || category == TN_E_LOST;
  return category == TN_E_AUTH && !mysql__is_loss(lookup(conn, number));
}

/* What a procedure had done before it raised a loss may be committed. */
static int32_t
replay_of_raised(const struct mysql__conn *conn, int32_t category)
{
  if (category != TN_E_LOST)
    return 0;
  return conn->in_txn ? TN_REPLAY_TRANSACTION : TN_REPLAY_UNKNOWN;
}

/* What the failure means for the session. */
static void
take_stock(struct mysql__conn *conn, unsigned number, int32_t category,
           const char *text)
{
  if (is_alive(conn, number, category)) {
    conn->host->fail_verdicts(conn->call, TN_CONNECTION_USABLE,
                              replay_of_raised(conn, category));
  } else if (mysql__is_loss(lookup(conn, number)) || category == TN_E_LOST) {
    conn->host->fail_verdicts(conn->call, TN_CONNECTION_DEAD, 0);
    mysql__bury(conn);
    return;
  }
  if (mysql__role_is_lost(conn, number, text)) {
    give_server_up(conn);
    return;
  }
  if (conn->is_settling ||
      (conn->hold == MYSQL__KEEPS && !may_end_txn(category)))
    return;
  if (conn->in_txn)
    ask_txn(conn, category);
  else if (category == TN_E_DEADLOCK || category == TN_E_SERIALIZATION)
    conn->host->fail_verdicts(conn->call, TN_CONNECTION_USABLE, TN_REPLAY_SAFE);
}

/* ------------------------------------------------------------------ */
/* Reporting                                                            */

/* What a text that begins so, or has it anywhere, makes of a number that stands
 * for several things and that no SQLSTATE tells apart. The words are not
 * translated. */
static const struct phrase {
  unsigned number;
  const char *text;
  int32_t category;
  bool is_anywhere;
} phrases[] = {
  { 1305, "SAVEPOINT ", TN_E_STATE, false }, /* not a routine */
  { 1091, "Can't DROP COLUMN ", TN_E_NO_COLUMN, false },
  { 1366, "Incorrect string value", TN_E_CHARSET, false },
  /* As LOAD DATA and others say it. */
  { 1045, "Access denied", TN_E_PERMISSION, false },
  /* What the engine says of a foreign key, in English within any language. */
  { 1005, " 150 \"Foreign key ", TN_E_CONSTRAINT, true },
  { 1005, " 121 \"Duplicate key ", TN_E_EXISTS, true },
};

static bool
is_said(const struct phrase *phrase, unsigned number, const char *text)
{
  if (phrase->number != number)
    return false;
  if (phrase->is_anywhere)
    return strstr(text, phrase->text) != NULL;
  return strncmp(text, phrase->text, strlen(phrase->text)) == 0;
}

/* 0 where the table decides. */
static int32_t
category_of(const struct mysql__conn *conn, unsigned number, const char *text,
            int32_t category)
{
  size_t i;

  if (conn->is_committing && mysql__is_loss(lookup(conn, number)))
    return TN_E_UNCERTAIN;
  if (conn->is_cluster && number == ERROR_DURING_COMMIT)
    return TN_E_LOST;
  for (i = 0; category == 0 && i < MYSQL__COUNT(phrases); i++)
    if (is_said(&phrases[i], number, text))
      return phrases[i].category;
  return category;
}

struct where {
  uint64_t row;    /* of many, from 1 */
  const char *sql; /* that was being prepared, or NULL */
  int32_t category;
  int32_t reserved;
};

static int32_t
report(struct mysql__conn *conn, MYSQL_STMT *stmt, const struct where *where)
{
  bool is_stmt = stmt != NULL && mysql_stmt_errno(stmt) != 0;
  unsigned number = mysql__errno(conn, stmt);
  struct tn_failure failure;
  char text[MYSQL_ERRMSG_SIZE];
  int32_t category;

  snprintf(text, sizeof text, "%s",
           is_stmt ? mysql_stmt_error(stmt) : mysql_error(conn->mysql));
  memset(&failure, 0, sizeof failure);
  failure.size = sizeof failure;
  failure.native = (int32_t)number;
  failure.lookup = lookup(conn, number);
  failure.category = category_of(conn, number, text, where->category);
  failure.sqlstate =
      is_stmt ? mysql_stmt_sqlstate(stmt) : mysql_sqlstate(conn->mysql);
  failure.message = text;
  failure.row = where->row;
  if (where->sql != NULL)
    failure.position = mysql__message_position(text, where->sql);
  category = conn->host->fail(conn->call, &failure);
  mysql__message_fields(conn->call, number, text, conn->is_mariadb);
  take_stock(conn, number, category, text);
  return category;
}

int32_t
mysql__fail(struct mysql__conn *conn, MYSQL_STMT *stmt)
{
  static const struct where where = { .row = 0 };

  return report(conn, stmt, &where);
}

int32_t
mysql__fail_row(struct mysql__conn *conn, MYSQL_STMT *stmt, uint64_t row)
{
  const struct where where = { .row = row };

  return report(conn, stmt, &where);
}

int32_t
mysql__fail_sql(struct mysql__conn *conn, MYSQL_STMT *stmt, const char *sql,
                int32_t category)
{
  const struct where where = { .sql = sql, .category = category };

  return report(conn, stmt, &where);
}

int32_t
mysql__fail_as(struct mysql__conn *conn, int32_t category)
{
  const struct where where = { .category = category };

  return report(conn, NULL, &where);
}

int32_t
mysql__fail_reason(struct tn_call *call, const struct mysql__reason *reason,
                   const char *text)
{
  struct tn_failure failure;
  int32_t category;

  memset(&failure, 0, sizeof failure);
  failure.size = sizeof failure;
  failure.native = reason->native;
  failure.category = reason->category;
  failure.sqlstate = reason->sqlstate;
  failure.message = text == NULL ? reason->text : text;
  category = call->host->fail(call, &failure);
  mysql__message_fields(call, (unsigned)reason->native, reason->text, true);
  return category;
}

int32_t
mysql__fail_memory(struct tn_call *call)
{
  return tn_fail(call, TN_E_MEMORY, "mysql: out of memory");
}
