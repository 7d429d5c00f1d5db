/* Errors that take more than a statement: other sessions, other places, harm
 * from outside. */
#include "events.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool
is(const struct run *run, const char *backend)
{
  return strcmp(run->backend, backend) == 0;
}

static void
sleep_ms(long ms)
{
  const struct timespec time = { .tv_sec = ms / 1000,
                                 .tv_nsec = ms % 1000 * 1000000 };

  nanosleep(&time, NULL);
}

/* ---- other places ---- */

/* The URL with another part between its login and its database (NULL: as it
 * is), and another database (NULL: as it is). */
static void
open_elsewhere(const struct run *run, const char *place, const char *database,
               tn_err *err)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  const char *at = strrchr(run->url, '@');
  const char *slash = at == NULL ? NULL : strchr(at, '/');
  const char *options;
  char url[1024];

  if (slash == NULL)
    abort();
  options = database == NULL ? slash + 1 : slash + strcspn(slash, "?");
  snprintf(url, sizeof url, "%.*s%.*s/%s%s", (int)(at + 1 - run->url), run->url,
           (int)(place == NULL ? (size_t)(slash - at - 1) : strlen(place)),
           place == NULL ? at + 1 : place, database == NULL ? "" : database,
           options);
  (void)!tn_conn_open(url, NULL, &conn, err);
}

static void
refused(const struct run *run, tn_err *err)
{
  open_elsewhere(run, "127.0.0.1:1", NULL, err);
}

static void
unknown_host(const struct run *run, tn_err *err)
{
  open_elsewhere(run, "no.such.host.invalid", NULL, err);
}

static void
no_socket(const struct run *run, tn_err *err)
{
  open_elsewhere(run, "",
                 is(run, "mysql") ? "x?unix_socket=/nonexistent/socket"
                                  : "x?host=/nonexistent",
                 err);
}

/* Whoever may not see it is not told that it is not there. */
static void
no_database(const struct run *run, tn_err *err)
{
  const struct run admin = { .url = run->admin };

  open_elsewhere(run->admin == NULL ? run : &admin, NULL, "ev_nope", err);
}

/* ---- other people ---- */

static void
open_as(const struct run *run, const char *login, tn_err *err, tn_conn **ret)
{
  char url[1024];

  snprintf(url, sizeof url, "%s://%s@%s", run->backend, login,
           strrchr(run->url, '@') + 1);
  (void)!tn_conn_open(url, NULL, ret, err);
}

static void
unknown_user(const struct run *run, tn_err *err)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;

  open_as(run, "ev_nobody:x", err, &conn);
}

static void
wrong_password(const struct run *run, tn_err *err)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;

  open_as(run, "tenon:not-this-one", err, &conn);
}

static void
user_limit(const struct run *run, tn_err *err)
{
  const struct run admin = { .backend = run->backend, .url = run->admin };
  TN_CLEANUP(tn_conn_close) tn_conn *other = events_open(&admin);
  TN_CLEANUP(tn_conn_close) tn_conn *first = NULL;
  TN_CLEANUP(tn_conn_close) tn_conn *second = NULL;

  events_must(other, "DROP USER IF EXISTS ev_low");
  events_must(other, "CREATE USER ev_low IDENTIFIED BY 'low'"
                     " WITH MAX_USER_CONNECTIONS 1");
  events_must(other, "GRANT SELECT ON tenon.* TO ev_low");
  open_as(run, "ev_low:low", err, &first);
  if (first != NULL)
    open_as(run, "ev_low:low", err, &second);
  tn_conn_close(&first);
  events_must(other, "DROP USER ev_low");
}

/* ---- a statement in another thread ---- */

#define TRIES 2000 /* in 20 s */

struct work {
  tn_conn *conn;
  const char *sql;
  tn_err err;
};

static void *
work(void *user)
{
  struct work *work = user;

  (void)!tn_conn_exec(work->conn, work->sql, NULL, &work->err);
  return NULL;
}

static pthread_t
begin_work(struct work *task)
{
  pthread_t thread;

  if (pthread_create(&thread, NULL, work, task) != 0)
    abort();
  return thread;
}

/* Wait until the thread computes: what comes before has not taken so long. */
static void
wait_for_computing(pthread_t thread)
{
  struct timespec used = { .tv_sec = 0 };
  clockid_t clock;

  if (pthread_getcpuclockid(thread, &clock) != 0)
    abort();
  for (int i = 0; used.tv_sec == 0 && used.tv_nsec < 100000000; i++) {
    if (i == TRIES)
      abort();
    sleep_ms(10);
    clock_gettime(clock, &used);
  }
}

static long long
number_of(tn_conn *conn, const char *sql)
{
  const struct tn_query query = { .sql = sql, .flags = TN_QUERY_BUFFERED };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  char text[32] = "";

  if (tn_conn_query(conn, &query, &result, NULL) != TN_OK ||
      tn_result_next(result, &row, NULL) != TN_OK || row == NULL)
    abort();
  tn_value_print(row, text, sizeof text);
  return strtoll(text, NULL, 10);
}

static long long
session_of(const struct run *run, tn_conn *conn)
{
  return number_of(conn, is(run, "mysql") ? "SELECT connection_id()"
                                          : "SELECT pg_backend_pid()");
}

/* Wait until a session sleeps in its statement, or waits for a lock. */
static void
wait_for_sleep(const struct run *run, long long session)
{
  TN_CLEANUP(tn_conn_close) tn_conn *other = events_open(run);
  char sql[200];

  snprintf(sql, sizeof sql,
           is(run, "mysql")
               ? "SELECT count(*) FROM information_schema.processlist"
                 " WHERE id = %lld AND state IN ('User sleep', 'Updating')"
               : "SELECT count(*) FROM pg_stat_activity WHERE pid = %lld"
                 " AND wait_event_type IN ('Timeout', 'Lock')",
           session);
  for (int i = 0; number_of(other, sql) == 0; i++) {
    if (i == TRIES)
      abort();
    sleep_ms(10);
  }
}

static const char *
long_statement(const struct run *run)
{
  if (is(run, "mysql"))
    return "SELECT sleep(60)";
  if (is(run, "postgresql"))
    return "SELECT pg_sleep(60)";
  return "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
         " SELECT count(*) FROM n";
}

static void
canceled(const struct run *run, tn_err *err)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = events_open(run);
  struct work task = { .conn = conn, .sql = long_statement(run) };
  long long session = is(run, "sqlite") ? 0 : session_of(run, conn);
  pthread_t thread = begin_work(&task);

  if (is(run, "sqlite"))
    wait_for_computing(thread);
  else
    wait_for_sleep(run, session);
  tn_conn_cancel(conn);
  pthread_join(thread, NULL);
  *err = task.err;
}

static void
kill_session(const struct run *run, long long session, const char *what)
{
  TN_CLEANUP(tn_conn_close) tn_conn *other = events_open(run);
  char sql[100];

  snprintf(sql, sizeof sql,
           is(run, "mysql") ? "KILL %s%lld" : "SELECT pg_%s_backend(%lld)",
           what, session);
  events_must(other, sql);
}

static void
kill_at_work(const struct run *run, const char *what, tn_err *err)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = events_open(run);
  long long session = session_of(run, conn);
  struct work task = { .conn = conn, .sql = long_statement(run) };
  pthread_t thread = begin_work(&task);

  wait_for_sleep(run, session);
  kill_session(run, session, what);
  pthread_join(thread, NULL);
  *err = task.err;
}

static void
query_killed(const struct run *run, tn_err *err)
{
  kill_at_work(run, is(run, "mysql") ? "QUERY " : "cancel", err);
}

static void
session_killed(const struct run *run, tn_err *err)
{
  kill_at_work(run, is(run, "mysql") ? "" : "terminate", err);
}

static void
session_lost(const struct run *run, tn_err *err)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = events_open(run);

  kill_session(run, session_of(run, conn), is(run, "mysql") ? "" : "terminate");
  sleep_ms(300);
  (void)!tn_conn_exec(conn, "SELECT 1", NULL, err);
}

/* Once more, on the connection that was found lost. */
static void
lost_before(const struct run *run, tn_err *err)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = events_open(run);

  kill_session(run, session_of(run, conn), is(run, "mysql") ? "" : "terminate");
  sleep_ms(300);
  if (tn_conn_exec(conn, "SELECT 1", NULL, NULL) != TN_E_LOST)
    abort();
  (void)!tn_conn_exec(conn, "SELECT 1", NULL, err);
}

/* ---- transactions ---- */

static void
read_only(const struct run *run, tn_err *err)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = events_open(run);
  const struct tn_txn_options options = { .access = TN_ACCESS_READ_ONLY };

  if (tn_conn_begin(conn, &options, err) == TN_OK)
    (void)!tn_conn_exec(conn, "CREATE TABLE ev_read_only (a INT)", NULL, err);
}

static void
failed_transaction(const struct run *run, tn_err *err)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = events_open(run);

  events_must(conn, "BEGIN");
  (void)!tn_conn_exec(conn, "SELECT * FROM ev_nope", NULL, NULL);
  (void)!tn_conn_exec(conn, "SELECT 1", NULL, err);
}

static void
lock_wait(const struct run *run, tn_err *err)
{
  TN_CLEANUP(tn_conn_close) tn_conn *first = events_open(run);
  TN_CLEANUP(tn_conn_close) tn_conn *second = events_open(run);

  events_must(first, "BEGIN");
  events_must(first, "UPDATE ev_users SET age = 2 WHERE id = 1");
  events_must(second, is(run, "mysql") ? "SET innodb_lock_wait_timeout = 1"
                                       : "SET lock_timeout = 100");
  (void)!tn_conn_exec(second, "UPDATE ev_users SET age = 3 WHERE id = 1", NULL,
                      err);
}

static void
nowait(const struct run *run, tn_err *err)
{
  TN_CLEANUP(tn_conn_close) tn_conn *first = events_open(run);
  TN_CLEANUP(tn_conn_close) tn_conn *second = events_open(run);

  events_must(first, "BEGIN");
  events_must(first, "UPDATE ev_users SET age = 2 WHERE id = 1");
  (void)!tn_conn_exec(second,
                      "SELECT * FROM ev_users WHERE id = 1 FOR UPDATE NOWAIT",
                      NULL, err);
}

static void
busy(const struct run *run, tn_err *err)
{
  TN_CLEANUP(tn_conn_close) tn_conn *first = events_open(run);
  TN_CLEANUP(tn_conn_close) tn_conn *second = events_open(run);

  events_must(second, "PRAGMA busy_timeout = 10");
  events_must(first, "BEGIN IMMEDIATE");
  (void)!tn_conn_exec(second, "INSERT INTO t2 VALUES (88, 88)", NULL, err);
}

static void
busy_snapshot(const struct run *run, tn_err *err)
{
  TN_CLEANUP(tn_conn_close) tn_conn *first = events_open(run);
  TN_CLEANUP(tn_conn_close) tn_conn *second = events_open(run);

  events_must(first, "PRAGMA journal_mode = WAL");
  events_must(second, "BEGIN");
  events_must(second, "SELECT * FROM t2");
  events_must(first, "INSERT INTO t2 VALUES (99, 99)");
  (void)!tn_conn_exec(second, "INSERT INTO t2 VALUES (98, 98)", NULL, err);
}

static void
deadlock(const struct run *run, tn_err *err)
{
  TN_CLEANUP(tn_conn_close) tn_conn *first = events_open(run);
  TN_CLEANUP(tn_conn_close) tn_conn *second = events_open(run);
  struct work task = { .conn = first,
                       .sql = "UPDATE ev_users SET age = 2 WHERE id = 2" };
  long long session;
  pthread_t thread;

  events_must(first, "BEGIN");
  events_must(second, "BEGIN");
  events_must(first, "UPDATE ev_users SET age = 2 WHERE id = 1");
  events_must(second, "UPDATE ev_users SET age = 3 WHERE id = 2");
  session = session_of(run, first);
  thread = begin_work(&task);
  wait_for_sleep(run, session);
  (void)!tn_conn_exec(second, "UPDATE ev_users SET age = 3 WHERE id = 1", NULL,
                      err);
  pthread_join(thread, NULL);
  if (err->code == TN_OK)
    *err = task.err;
}

static void
serialization(const struct run *run, tn_err *err)
{
  const struct tn_txn_options options = { .isolation =
                                              TN_ISOLATION_SERIALIZABLE };
  TN_CLEANUP(tn_conn_close) tn_conn *first = events_open(run);
  TN_CLEANUP(tn_conn_close) tn_conn *second = events_open(run);

  if (tn_conn_begin(first, &options, err) != TN_OK ||
      tn_conn_begin(second, &options, err) != TN_OK)
    abort();
  events_must(first, "SELECT sum(age) FROM ev_users");
  events_must(second, "SELECT sum(age) FROM ev_users");
  events_must(first, "INSERT INTO ev_users VALUES (101, 101, 'x', 1)");
  events_must(second, "INSERT INTO ev_users VALUES (102, 102, 'x', 1)");
  if (tn_conn_commit(first, err) == TN_OK)
    (void)!tn_conn_commit(second, err);
}

/* ---- the rest ---- */

static void
text_that_is_none(const struct run *run, tn_err *err)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = events_open(run);
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value value = tn_text("\xed\xa0\x80");
  const struct tn_query query = { .sql = "SELECT ?",
                                  .values = &value,
                                  .value_count = 1 };

  (void)!tn_conn_query(conn, &query, &result, err);
}

static void
closed(const struct run *run, tn_err *err)
{
  TN_CLEANUP(tn_prepared_close) tn_prepared *prepared = NULL;
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const struct tn_query query = { .sql = NULL };
  tn_conn *conn = events_open(run);

  if (tn_conn_prepare(conn, "SELECT 1", 0, &prepared, err) != TN_OK)
    abort();
  tn_conn_close(&conn);
  (void)!tn_prepared_query(prepared, &query, &result, err);
}

/* The program knows which table it wrote to. */
static void
primary_of_known_table(const struct run *run, tn_err *err)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = events_open(run);
  tn_err failure = TN_ERR_INIT;

  (void)!tn_conn_exec(conn, "INSERT INTO ev_parent2 VALUES (1, 2), (1, 2)",
                      NULL, err);
  tn_err_add(err, TN_ERR_TABLE, "ev_parent2");
  if (tn_conn_complete(conn, err, 0, &failure) != TN_OK)
    tn_err_set(err, TN_E_INTERNAL, "complete: %s", failure.message);
}

static void
no_database_file(const struct run *run, tn_err *err)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  char url[1024];
  FILE *file;

  snprintf(url, sizeof url, "%s.text", run->url);
  file = fopen(strstr(url, ":///") + 3, "w");
  if (file == NULL)
    abort();
  for (int i = 0; i < 1000; i++)
    fputs("no database ", file);
  fclose(file);
  if (tn_conn_open(url, NULL, &conn, err) == TN_OK)
    (void)!tn_conn_exec(conn, "SELECT * FROM x", NULL, err);
}

static void
table_locked(const struct run *run, tn_err *err)
{
  TN_CLEANUP(tn_conn_close) tn_conn *first = NULL;
  TN_CLEANUP(tn_conn_close) tn_conn *second = NULL;
  char url[1024];

  snprintf(url, sizeof url, "%s?cache=shared", run->url);
  if (tn_conn_open(url, NULL, &first, err) != TN_OK ||
      tn_conn_open(url, NULL, &second, err) != TN_OK)
    return;
  events_must(first, "BEGIN IMMEDIATE");
  events_must(first, "INSERT INTO t2 VALUES (77, 77)");
  (void)!tn_conn_exec(second, "SELECT * FROM t2", NULL, err);
}

static const struct {
  const char *name;
  void (*provoke)(const struct run *run, tn_err *err);
} provocations[] = {
  { "refused", refused },
  { "unknown_host", unknown_host },
  { "no_socket", no_socket },
  { "no_database", no_database },
  { "unknown_user", unknown_user },
  { "wrong_password", wrong_password },
  { "user_limit", user_limit },
  { "canceled", canceled },
  { "query_killed", query_killed },
  { "session_killed", session_killed },
  { "session_lost", session_lost },
  { "read_only", read_only },
  { "failed_transaction", failed_transaction },
  { "lock_wait", lock_wait },
  { "nowait", nowait },
  { "busy", busy },
  { "busy_snapshot", busy_snapshot },
  { "deadlock", deadlock },
  { "serialization", serialization },
  { "text_that_is_none", text_that_is_none },
  { "closed", closed },
  { "lost_before", lost_before },
  { "primary_of_known_table", primary_of_known_table },
  { "no_database_file", no_database_file },
  { "table_locked", table_locked },
};

bool
events_provoke(const struct run *run, const char *name, tn_err *err)
{
  for (size_t i = 0; i < COUNT(provocations); i++) {
    if (strcmp(provocations[i].name, name) != 0)
      continue;
    provocations[i].provoke(run, err);
    return true;
  }
  return false;
}
