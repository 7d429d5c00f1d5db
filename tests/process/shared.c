/* Threads with a pool of connections, behind a proxy that has fewer sessions of
 * the server and gives each transaction another one.
 *
 *   process_shared URL
 *
 * Each answer is checked to be that of the statement that was asked, while one
 * thread changes the columns of a table. TENON_TEST_PGBOUNCER_SERVER is the
 * server behind the proxy, where what was written is counted. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tenon/tenon.h>

#define THREADS     8
#define CONNECTIONS 12
#define ROUNDS      120
#define TEXTS       40
#define BATCH       5

static tn_pool *pool;
static atomic_uint failures;
static atomic_uint written; /* rows that were acknowledged */
static atomic_uint answers;
static atomic_bool is_over;

/* Count what is not so, and tell of the first ones. */
static bool
check(bool is_so, const char *what, const tn_err *err)
{
  if (is_so)
    return true;
  if (atomic_fetch_add(&failures, 1) < 20)
    printf("not so: %s: %s: %s\n", what,
           err == NULL ? "" : tn_code_name(err->code),
           err == NULL ? "" : err->message);
  return false;
}

static tn_conn *
open_url(const char *url, const char *more)
{
  tn_conn *conn = NULL;
  char target[512];
  tn_err err = TN_ERR_INIT;

  snprintf(target, sizeof target, "%s%s", url, more);
  if (tn_conn_open(target, NULL, &conn, &err) == TN_OK)
    return conn;
  printf("open: %s\n", err.message);
  exit(1);
}

static void
run(tn_conn *conn, const char *sql)
{
  tn_err err = TN_ERR_INIT;

  check(tn_conn_exec(conn, sql, NULL, &err) == TN_OK, sql, &err);
}

/* The first cell of the only row of what has been run, as a number. */
static int64_t
number_of(tn_result *result, const char *what)
{
  const tn_value *row = NULL;
  const tn_value *more = NULL;
  tn_err err = TN_ERR_INIT;
  int64_t number;

  if (!check(tn_result_next(result, &row, &err) == TN_OK, what, &err) ||
      !check(row != NULL && row[0].type == TN_INT64, what, NULL))
    return -1;
  number = row[0].as.int64;
  check(tn_result_next(result, &more, &err) == TN_OK && more == NULL, what,
        &err);
  atomic_fetch_add(&answers, 1);
  return number;
}

/* Of a text that the connection keeps prepared. */
static int64_t
number(tn_conn *conn, const char *sql, const tn_value *values, size_t count)
{
  const struct tn_query query = { .sql = sql,
                                  .values = values,
                                  .value_count = count };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  tn_err err = TN_ERR_INIT;

  if (!check(tn_conn_query(conn, &query, &result, &err) == TN_OK, sql, &err))
    return -1;
  return number_of(result, sql);
}

/* ------------------------------------------------------------------ */
/* What a thread does with a connection                                 */

static void
ask_cached(tn_conn *conn, unsigned thread, int round)
{
  const tn_value values[] = { tn_int64(round), tn_int64(thread) };
  char sql[128];
  int text = (round * 7 + (int)thread) % TEXTS;

  snprintf(sql, sizeof sql,
           "SELECT %d + CAST(? AS bigint) * 100 + CAST(? AS bigint) * 100000",
           text);
  check(number(conn, sql, values, 2) == text + round * 100 + thread * 100000,
        sql, NULL);
}

/* Two at once, so that each would need a name. */
static void
ask_prepared(tn_conn *conn, unsigned thread, int round)
{
  static const char *const texts[] = { "SELECT CAST(? AS bigint) * 2",
                                       "SELECT CAST(? AS bigint) * 3" };
  const tn_value value = tn_int64(round * 10 + (int)thread);
  const struct tn_query query = { .values = &value, .value_count = 1 };
  tn_prepared *prepared[2] = { NULL, NULL };
  tn_err err = TN_ERR_INIT;
  int i;

  for (i = 0; i < 2; i++)
    check(tn_conn_prepare(conn, texts[i], 0, &prepared[i], &err) == TN_OK,
          texts[i], &err);
  for (i = 0; i < 6 && prepared[i % 2] != NULL; i++) {
    TN_CLEANUP(tn_result_close) tn_result *result = NULL;

    if (check(tn_prepared_query(prepared[i % 2], &query, &result, &err) ==
                  TN_OK,
              texts[i % 2], &err))
      check(number_of(result, texts[i % 2]) == value.as.int64 * (i % 2 + 2),
            texts[i % 2], NULL);
  }
  tn_prepared_close(&prepared[0]);
  tn_prepared_close(&prepared[1]);
}

/* One row, and two that are kept together or not at all. */
static void
write_rows(tn_conn *conn, unsigned thread, int round)
{
  static const char sql[] = "INSERT INTO tn_shared VALUES (?, ?) RETURNING n";
  const tn_value values[] = { tn_int64(thread), tn_int64(round) };
  tn_err err = TN_ERR_INIT;
  bool is_kept = round % 3 != 0;

  if (check(number(conn, sql, values, 2) == round, sql, NULL))
    atomic_fetch_add(&written, 1);
  if (!check(tn_conn_begin(conn, NULL, &err) == TN_OK, "begin", &err))
    return;
  number(conn, sql, values, 2);
  number(conn, sql, values, 2);
  check((is_kept ? tn_conn_commit : tn_conn_rollback)(conn, &err) == TN_OK,
        is_kept ? "commit" : "rollback", &err);
  if (is_kept)
    atomic_fetch_add(&written, 2);
}

static void
write_batch(tn_conn *conn, unsigned thread, int round)
{
  static const char sql[] = "INSERT INTO tn_shared VALUES (?, ?)";
  tn_value values[BATCH * 2];
  const struct tn_batch batch = { .values = values,
                                  .value_count = 2,
                                  .row_count = BATCH };
  TN_CLEANUP(tn_prepared_close) tn_prepared *prepared = NULL;
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  tn_err err = TN_ERR_INIT;
  int i;

  for (i = 0; i < BATCH; i++) {
    values[i * 2] = tn_int64(thread);
    values[i * 2 + 1] = tn_int64(round);
  }
  if (check(tn_conn_prepare(conn, sql, 0, &prepared, &err) == TN_OK &&
                tn_prepared_batch(prepared, &batch, &result, &err) == TN_OK,
            "a batch", &err))
    atomic_fetch_add(&written, BATCH);
}

/* The columns behind the first are whatever they are now. */
static void
read_changing(tn_conn *conn, int round)
{
  const tn_value value = tn_int64(round % 10);

  check(number(conn, "SELECT * FROM tn_shared_columns WHERE id = ?", &value,
               1) == round % 10,
        "a row of the table that changes", NULL);
}

/* A cancel must hit this statement and nobody else's. */
static void
run_out_of_time(tn_conn *conn)
{
  const struct tn_query query = { .sql = "SELECT pg_sleep(20)",
                                  .deadline = tn_deadline_after_ms(40) };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;
  enum tn_code rc = tn_conn_query(conn, &query, &result, &err);

  if (rc == TN_OK)
    rc = tn_result_next(result, &row, &err);
  check(rc == TN_E_TIMEOUT, "a deadline", &err);
}

static void
look_at_settings(tn_conn *conn)
{
  check(number(conn,
               "SELECT count(*) FROM pg_settings WHERE (name = 'TimeZone' AND "
               "setting = 'UTC') OR (name = 'DateStyle' AND setting LIKE "
               "'ISO%')",
               NULL, 0) == 2,
        "settings of the session", NULL);
}

static void *
work(void *item)
{
  const unsigned thread = *(const unsigned *)item;
  int round;

  for (round = 0; round < ROUNDS; round++) {
    tn_conn *conn = NULL;
    tn_err err = TN_ERR_INIT;

    if (!check(tn_pool_take(pool, NULL, &conn, &err) == TN_OK, "take", &err))
      continue;
    ask_cached(conn, thread, round);
    if (round % 2 == 0)
      ask_prepared(conn, thread, round);
    if (round % 3 == 0)
      write_rows(conn, thread, round);
    if (round % 5 == 0)
      write_batch(conn, thread, round);
    if (round % 10 == 1)
      look_at_settings(conn);
    read_changing(conn, round);
    ask_cached(conn, thread, round + 1);
    if (round % 40 == 39)
      run_out_of_time(conn);
    tn_pool_give(&conn);
  }
  return NULL;
}

/* Rows of money come in text only. */
static void *
change_columns(void *item)
{
  static const char *const changes[] = {
    "ALTER TABLE tn_shared_columns ADD COLUMN more money DEFAULT 7",
    "ALTER TABLE tn_shared_columns ALTER COLUMN v TYPE text",
    "ALTER TABLE tn_shared_columns DROP COLUMN more",
    "ALTER TABLE tn_shared_columns ALTER COLUMN v TYPE bigint USING 1",
  };
  tn_conn *conn = item;
  int i;

  for (i = 0; !atomic_load(&is_over); i++) {
    run(conn, changes[i % 4]);
    (void)number(conn, "SELECT CAST(1 AS bigint) FROM pg_sleep(0.01)", NULL, 0);
  }
  check(i > 8, "the table has changed some times", NULL);
  return NULL;
}

/* ------------------------------------------------------------------ */

static enum tn_code
open_one(void *user, tn_deadline deadline, tn_conn **ret, tn_err *err)
{
  const struct tn_conn_options options = { .deadline = deadline };

  return tn_conn_open(user, &options, ret, err);
}

static void
run_threads(const char *url, tn_conn *server)
{
  struct tn_pool_options options = TN_POOL_OPTIONS_INIT;
  char target[256];
  pthread_t threads[THREADS];
  pthread_t changer;
  unsigned numbers[THREADS];
  tn_err err = TN_ERR_INIT;
  unsigned i;

  snprintf(target, sizeof target, "%s", url);
  options.connect = open_one;
  options.user = target;
  options.size = CONNECTIONS;
  options.min_idle = CONNECTIONS;
  if (!check(tn_pool_open(&options, &pool, &err) == TN_OK, "pool", &err))
    return;
  tn_pool_tick(pool);
  if (pthread_create(&changer, NULL, change_columns, server) != 0)
    exit(1);
  for (i = 0; i < THREADS; i++) {
    numbers[i] = i;
    if (pthread_create(&threads[i], NULL, work, &numbers[i]) != 0)
      exit(1);
  }
  for (i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  atomic_store(&is_over, true);
  pthread_join(changer, NULL);
  tn_pool_close(&pool);
}

static void
set_up(tn_conn *conn)
{
  run(conn, "DROP TABLE IF EXISTS tn_shared");
  run(conn, "CREATE TABLE tn_shared (thread bigint, n bigint)");
  run(conn, "DROP TABLE IF EXISTS tn_shared_columns");
  run(conn, "CREATE TABLE tn_shared_columns (id bigint, v bigint)");
  run(conn, "INSERT INTO tn_shared_columns SELECT n, 1 FROM "
            "generate_series(0, 9) AS n");
}

/* What a proxy keeps for us is what a reset sets right; the rest is refused. */
static void
check_session(const char *url)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = open_url(url, "");
  TN_CLEANUP(tn_conn_close) tn_conn *refused = NULL;
  char target[512];
  tn_err err = TN_ERR_INIT;

  run(conn, "SET TimeZone TO 'Asia/Tokyo'");
  run(conn, "SET application_name TO 'somebody'");
  check(tn_conn_reset(conn, &err) == TN_OK, "reset", &err);
  look_at_settings(conn);
  check(number(conn,
               "SELECT count(*) FROM pg_settings WHERE name = "
               "'application_name' AND setting = 'process_shared'",
               NULL, 0) == 1,
        "the name of the program after a reset", NULL);
  check(tn_conn_set_access(conn, TN_ACCESS_READ_ONLY, &err) == TN_E_UNSUPPORTED,
        "a setting of the session is refused", &err);
  snprintf(target, sizeof target, "%s?options=-c%%20work_mem=1MB", url);
  check(tn_conn_open(target, NULL, &refused, &err) == TN_E_CONNECT &&
            strstr(err.message, "options") != NULL,
        "settings that cannot be kept are refused", &err);
}

int
main(int argc, char **argv)
{
  const char *behind = getenv("TENON_TEST_PGBOUNCER_SERVER");
  TN_CLEANUP(tn_conn_close) tn_conn *server = NULL;

  if (argc != 2 || behind == NULL) {
    puts("usage: process_shared URL");
    return 2;
  }
  server = open_url(behind, "");
  set_up(server);
  check_session(argv[1]);
  run_threads(argv[1], server);
  check(number(server, "SELECT count(*) FROM tn_shared", NULL, 0) ==
            (int64_t)atomic_load(&written),
        "as many rows as were acknowledged", NULL);
  run(server, "DROP TABLE tn_shared, tn_shared_columns");
  printf("%u answers, %u rows, %u failures\n", atomic_load(&answers),
         atomic_load(&written), atomic_load(&failures));
  return atomic_load(&failures) == 0 && atomic_load(&answers) > 0 ? 0 : 1;
}
