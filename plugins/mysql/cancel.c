/* Bringing a session in order that the host has interrupted.
 *
 * The server goes on with a statement that nobody waits for any more, so it is
 * told to stop, on a side connection. Such a request may arrive when the
 * statement has just ended, and must not hit the next one: after the server has
 * confirmed it, a harmless statement takes what is left of it. What cannot be
 * done in the time that the host gives makes the session dead, and it is shut
 * without another byte. */
#include "my_priv.h"

#include <sys/socket.h>

/* ------------------------------------------------------------------ */
/* Giving up                                                            */

bool
mysql__has_socket(const struct mysql__conn *conn)
{
#ifdef MARIADB_PACKAGE_VERSION
  return conn->mysql->net.pvio != NULL;
#else
  return conn->mysql->net.vio != NULL;
#endif
}

void
mysql__bury(struct mysql__conn *conn)
{
  conn->is_dead = true;
  if (mysql__has_socket(conn))
    shutdown(conn->fd, SHUT_RDWR);
}

/* ------------------------------------------------------------------ */
/* Reading what is left                                                 */

/* How many rows may go by without a look at the deadline: data that keeps
 * coming is never waited for. */
#define CHECK_ROWS 256

/* How far to read, and what came of it. */
struct reach {
  int64_t end;
  int64_t silence_ns; /* how long the server may say nothing */
  bool drops_all;     /* the server has stopped: no row needs a look */
  bool is_over;       /* nothing is left */
};

/* Has `op`, which is over, left rows of a result set to be read? */
static bool
has_rows(const struct mysql__op *op)
{
  if (op->verb == MYSQL__STMT_FLUSH)
    return false;
  if (op->verb == MYSQL__FETCH)
    return op->status == 0 || op->status == MYSQL_DATA_TRUNCATED;
  return op->status == 0 && mysql_stmt_field_count(op->stmt) != 0;
}

/* The server sends nothing after an error. */
static bool
has_failed(const struct mysql__op *op)
{
  if (op->verb == MYSQL__STMT_FLUSH)
    return mysql_errno(op->stmt->mysql) != 0;
  return op->verb == MYSQL__FETCH ? op->status == 1 : op->status != 0;
}

/* Make `op` the operation that reads what comes after it. False: nothing
 * does. */
static bool
find_next(struct mysql__op *op, const struct reach *reach)
{
  switch (op->verb) {
  case MYSQL__EXECUTE:
  case MYSQL__FETCH:
  case MYSQL__STMT_FLUSH:
  case MYSQL__STMT_NEXT:
    if (has_rows(op))
      op->verb = reach->drops_all ? MYSQL__STMT_FLUSH : MYSQL__FETCH;
    else if (!has_failed(op) && mysql_stmt_more_results(op->stmt))
      op->verb = MYSQL__STMT_NEXT;
    else
      return false;
    return true;
  case MYSQL__QUERY:
    if (op->status != 0 || mysql_field_count(op->mysql) == 0)
      return false;
    op->verb = MYSQL__STORE;
    return true;
  default:
    return false;
  }
}

/* Wait for the end of `op`, as far as that goes: it may still be pending. */
static int32_t
wait_for(struct mysql__conn *conn, struct mysql__op *op,
         const struct reach *reach)
{
  while (op->pending != 0) {
    int64_t end = conn->host->now() + reach->silence_ns;
    uint32_t ready = 0;
    int32_t rc;

    if (end > reach->end)
      end = reach->end;
    rc = conn->host->wait(conn->call, op->fd, op->pending, end, &ready);
    if (rc != TN_OK || ready == 0)
      return rc;
    mysql__op_resume(conn, op, ready);
  }
  return TN_OK;
}

/* The same where little time is left. */
#define CLOCK_ROWS 64

/* Read and drop what `op` has left, as far as that goes. */
static int32_t
follow(struct mysql__conn *conn, struct mysql__op *op, struct reach *reach)
{
  uint64_t rows;
  int32_t rc;

  for (rows = 1;; rows++) {
    rc = wait_for(conn, op, reach);
    if (rc != TN_OK || op->pending != 0)
      return rc;
    if (rows % CLOCK_ROWS == 0) {
      rc = conn->host->check(conn->call);
      if (rc != TN_OK || conn->host->now() >= reach->end)
        return rc;
    }
    reach->is_over = !find_next(op, reach);
    if (reach->is_over)
      return TN_OK;
    rc = mysql__op_begin(conn, op);
    if (rc != TN_OK)
      return rc;
  }
}

int32_t
mysql__drain_set(struct mysql__conn *conn, struct mysql__op *op)
{
  uint64_t rows;

  for (rows = 1; has_rows(op); rows++) {
    int32_t rc = TN_OK;

    if (rows % CHECK_ROWS == 0)
      rc = conn->host->check(conn->call);
    if (rc != TN_OK)
      return mysql__settle(conn, op, rc);
    op->verb = MYSQL__FETCH;
    rc = mysql__run(conn, op);
    if (rc != TN_OK)
      return rc;
  }
  return TN_OK;
}

/* ------------------------------------------------------------------ */
/* Stopping it                                                          */

/* A server that has been restarted may know somebody else by our number. */
static bool
is_closed_by_peer(const struct mysql__conn *conn)
{
  char byte;

  return !mysql__has_socket(conn) ||
         recv(conn->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* Have the server stop what the session runs, on a side connection. TN_OK: it
 * has said that it will; TN_E_CONNECT: it was not asked; else it may be still.
 */
static int32_t
kill_statement(struct mysql__conn *conn, int64_t until)
{
  if (!conn->can_kill || is_closed_by_peer(conn))
    return TN_E_CONNECT;
  return mysql__login_kill(conn->call, conn->endpoint, conn->mysql->passwd,
                           conn->identity, mysql_thread_id(conn->mysql), until);
}

/* A kill that found no statement running is forgotten by the server when the
 * next one ends. So this one may be hit, and the one after it may not. */
#define CALM_TRIES 3

int32_t
mysql__calm(struct mysql__conn *conn)
{
  static const char nothing[] = "DO 0";
  bool was_in_txn = conn->in_txn;
  struct mysql__op op;
  int tries;

  for (tries = 0; tries < CALM_TRIES; tries++) {
    int32_t rc = mysql__query(conn, nothing, sizeof nothing - 1, &op);

    if (rc != TN_OK)
      return rc;
    if (op.status == 0) {
      mysql__sync(conn);
      conn->is_aborted |= was_in_txn && !conn->in_txn;
      return TN_OK;
    }
    if (mysql_errno(conn->mysql) != MYSQL__ER_INTERRUPTED)
      break;
  }
  return TN_E_LOST;
}

/* How long to read; and how long the server may take to say that it will stop,
 * how long it may say nothing then, and how long all of that may take. */
struct budget {
  int64_t read_ns;
  int64_t kill_ns;
  int64_t silence_ns;
  int64_t stop_ns;
};

/* What the socket holds already may take a while to decrypt. */
static const struct budget leaving = {
  .read_ns = INT64_C(20000000),
  .kill_ns = INT64_C(700000000),
  .silence_ns = INT64_C(700000000),
  .stop_ns = INT64_C(3000000000),
};

/* When a call's time is over, or no more is left of it than grace would give.
 * Many statements are about to end anyway. */
static const struct budget settling = {
  .read_ns = INT64_C(3000000),
  .kill_ns = TN_GRACE_SIGN,
  .silence_ns = TN_GRACE_MAX,
  .stop_ns = TN_GRACE_MAX,
};

/* A kill has to log in, which takes longer where the server is far away, or
 * slow. */
static int64_t
patience(const struct mysql__conn *conn, const struct budget *budget)
{
  return budget->kill_ns > 2 * conn->login_ns ? budget->kill_ns
                                              : 2 * conn->login_ns;
}

/* Get rid of what `op` is doing, or has left: read it, if that is quick, else
 * have it stopped. */
static int32_t
stop(struct mysql__conn *conn, struct mysql__op *op,
     const struct budget *budget, bool *ret_was_killed)
{
  int64_t read_end = conn->host->now() + budget->read_ns;
  struct reach quick = { .end = read_end, .silence_ns = budget->read_ns };
  struct reach rest = { .end = read_end + budget->stop_ns,
                        .silence_ns = budget->silence_ns,
                        .drops_all = true };
  bool was_pending = op->pending != 0;
  int32_t rc = follow(conn, op, &quick);

  *ret_was_killed = false;
  if (rc == TN_OK && !quick.is_over) {
    rc = kill_statement(conn, read_end + patience(conn, budget));
    *ret_was_killed = rc == TN_OK;
    if (rc == TN_OK)
      rc = follow(conn, op, &rest);
    if (rc == TN_OK && !rest.is_over)
      rc = TN_E_TIMEOUT;
  }
  op->has_ended_well = rc == TN_OK && was_pending && !has_failed(op);
  return rc;
}

/* ------------------------------------------------------------------ */
/* A result that is not read to its end                                 */

int32_t
mysql__leave(struct mysql__conn *conn, struct mysql__op *op)
{
  struct reach all = { .end = INT64_MAX, .silence_ns = INT64_MAX / 2 };
  bool is_short = conn->call->deadline - conn->host->now() <= TN_GRACE_MAX;
  bool was_killed;
  int32_t rc = stop(conn, op, is_short ? &settling : &leaving, &was_killed);

  if (rc == TN_E_CONNECT) { /* it cannot be stopped: read on */
    rc = follow(conn, op, &all);
    return rc == TN_OK ? TN_OK : mysql__settle(conn, op, rc);
  }
  if (rc == TN_OK && was_killed)
    rc = mysql__calm(conn);
  if (rc == TN_OK)
    return TN_OK;
  mysql__bury(conn);
  mysql__op_finish_shut(conn, op);
  tn_fail(conn->call, TN_E_LOST,
          "mysql: what was left of a result could not be read");
  conn->host->fail_verdicts(conn->call, TN_CONNECTION_DEAD, 0);
  return TN_E_LOST;
}

/* ------------------------------------------------------------------ */
/* A call that the host has ended                                       */

static void
tell_verdict(struct mysql__conn *conn, bool was_aborted)
{
  int32_t connection = 0;
  int32_t replay = 0;

  if (mysql__was_committed(conn, was_aborted, true))
    replay = TN_REPLAY_NEVER;
  if (conn->is_dead)
    connection = TN_CONNECTION_DEAD;
  else if (conn->is_aborted)
    connection = TN_CONNECTION_ABORTED;
  conn->host->fail_verdicts(conn->call, connection, replay);
}

/* Nobody will learn whether the commit took place. */
static int32_t
fail_commit(struct mysql__conn *conn, int32_t category)
{
  return tn_fail(conn->call, TN_E_UNCERTAIN,
                 "mysql: commit: %s before the server answered",
                 category == TN_E_CANCELED ? "canceled"
                                           : "the deadline passed");
}

/* Only statements can be, and only what the server has got whole. */
static bool
can_be_stopped(const struct mysql__op *op)
{
  switch (op->verb) {
  case MYSQL__QUERY:
  case MYSQL__STORE:
  case MYSQL__PREPARE:
  case MYSQL__EXECUTE:
  case MYSQL__FETCH:
  case MYSQL__STMT_NEXT:
    return (op->pending & TN_WAIT_WRITE) == 0;
  default:
    return false;
  }
}

static int32_t
bring_in_order(struct mysql__conn *conn, struct mysql__op *op)
{
  bool was_killed;
  int32_t rc;

  if (conn->is_committing || !can_be_stopped(op))
    return TN_E_LOST;
  rc = stop(conn, op, &settling, &was_killed);
  return rc == TN_OK ? mysql__calm(conn) : rc;
}

int32_t
mysql__settle(struct mysql__conn *conn, struct mysql__op *op, int32_t category)
{
  bool was_aborted = conn->is_aborted;

  /* That takes too long as well; or the session is not even set up. */
  if (conn->is_settling || conn->until != INT64_MAX) {
    mysql__bury(conn);
    mysql__op_finish_shut(conn, op);
    return category;
  }
  if (conn->is_committing)
    category = fail_commit(conn, category);
  conn->host->grace(conn->call, TN_GRACE_MAX);
  conn->is_settling = true;
  if (bring_in_order(conn, op) != TN_OK) {
    mysql__bury(conn);
    mysql__op_finish_shut(conn, op);
  }
  conn->is_settling = false;
  if (conn->reading != NULL)
    mysql__set_over(conn->reading);
  tell_verdict(conn, was_aborted);
  return category;
}
