/* A pool on both sides of fork().
 *
 *   process_fork URL SQL
 *
 * SQL tells a session's number. A child has sessions of its own, and closes
 * none of the parent's, whose idle and lent ones go on as if nothing had
 * been. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <tenon/tenon.h>
#include <unistd.h>

#define FORKS 20

static const char *url;
static const char *session_sql;

static void
must(enum tn_code rc, const tn_err *err, const char *what)
{
  if (rc == TN_OK)
    return;
  fprintf(stderr, "%s: %s: %s\n", what, tn_code_name((int32_t)rc),
          err->message);
  exit(1);
}

static void
check(int is_so, const char *what)
{
  if (is_so)
    return;
  fprintf(stderr, "not so: %s\n", what);
  exit(1);
}

static enum tn_code
open_one(void *user, tn_deadline deadline, tn_conn **ret, tn_err *err)
{
  const struct tn_conn_options options = { .deadline = deadline };

  (void)user;
  return tn_conn_open(url, &options, ret, err);
}

static int64_t
session_of(tn_conn *conn)
{
  const struct tn_query query = { .sql = session_sql };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;

  must(tn_conn_query(conn, &query, &result, &err), &err, session_sql);
  must(tn_result_next(result, &row, &err), &err, session_sql);
  check(row != NULL && row[0].type == TN_INT64, "a session has a number");
  return row[0].as.int64;
}

/* `lent` is the parent's, and so is the session `idle` of the pool. */
static void
be_a_child(tn_pool *pool, tn_conn *lent, int64_t idle)
{
  const struct tn_query query = { .sql = session_sql };
  tn_result *result = NULL;
  tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;
  int64_t session;

  check(tn_conn_query(lent, &query, &result, &err) == TN_E_LOST,
        "a child cannot use what its parent has on loan");
  must(tn_pool_take(pool, NULL, &conn, &err), &err, "take in a child");
  session = session_of(conn);
  check(session != idle, "a child has a session of its own");
  tn_pool_give(&conn);
  tn_pool_give(&lent);
  tn_pool_close(&pool);
  exit(0);
}

static void
fork_once(tn_pool *pool, tn_conn *lent, int64_t idle)
{
  int status = -1;
  pid_t child = fork();

  if (child == 0)
    be_a_child(pool, lent, idle);
  check(child > 0 && waitpid(child, &status, 0) == child && status == 0,
        "the child has ended well");
}

int
main(int argc, char **argv)
{
  struct tn_pool_options options = TN_POOL_OPTIONS_INIT;
  tn_pool *pool = NULL;
  tn_conn *lent = NULL;
  tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;
  int64_t sessions[2];
  int i;

  check(argc == 3, "usage: process_fork URL SQL");
  url = argv[1];
  session_sql = argv[2];
  options.connect = open_one;
  must(tn_pool_open(&options, &pool, &err), &err, "open");
  must(tn_pool_take(pool, NULL, &lent, &err), &err, "take");
  must(tn_pool_take(pool, NULL, &conn, &err), &err, "take");
  sessions[0] = session_of(lent);
  sessions[1] = session_of(conn);
  tn_pool_give(&conn);
  for (i = 0; i < FORKS; i++)
    fork_once(pool, lent, sessions[1]);
  check(session_of(lent) == sessions[0], "the lent session goes on");
  must(tn_pool_take(pool, NULL, &conn, &err), &err, "take");
  check(session_of(conn) == sessions[1], "the idle session goes on");
  tn_pool_give(&conn);
  tn_pool_give(&lent);
  tn_pool_close(&pool);
  printf("%d forks\n", FORKS);
  return 0;
}
