/* An engine under load, whose every acknowledged write is checked afterwards.
 *
 *   faults_load URL [THREADS [MILLISECONDS]]
 *
 * Each thread takes a connection, writes a row in a transaction and reads it
 * back in another, each with a deadline of so many milliseconds (1000). A
 * driver does harm to the server meanwhile, and speaks by lines:
 *
 *   state     answers with a line of JSON: the time of day, the writes so far,
 *             the errors by category, the pool's numbers, what was wrong
 *   service   answers "ok MS" when each thread has written since the question,
 *             or "none" after 20 seconds
 *   end       ends the load, checks the table, answers with the last state
 *
 * What is wrong in any case: a call that takes longer than its deadline and
 * GRACE_MS; a row that is not as it was written; a write that was acknowledged
 * and is not there, or that was not and is; a connection that is not given
 * back. */
#include "faults.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Beyond a deadline: 100 ms for the network, 150 of grace for a session to be
 * saved, and a machine that does something else. */
#define GRACE_MS 1000

#define MAX_THREADS 64
#define MAX_WRITES  200000
#define SERVICE_MS  20000

/* What became of a write. */
enum outcome {
  OUTCOME_NONE = 0,
  OUTCOME_DONE,
  OUTCOME_FAILED,
  OUTCOME_UNKNOWN
};

struct client {
  int64_t number;
  int64_t writes;       /* begun */
  _Atomic int64_t done; /* acknowledged */
  _Atomic int64_t unknown;
  unsigned char *outcomes; /* of each write */
  int64_t last_done;       /* number of the last one, from 0; -1 */
};

static struct client clients[MAX_THREADS];
static size_t client_count = 8;
static uint64_t limit_ms = 1000;
static tn_engine *engine;
static atomic_bool is_over;
static _Atomic unsigned long errors[TN_CODE_COUNT];
static _Atomic int64_t longest_ms;

static void
pause_ms(long ms)
{
  const struct timespec pause = { .tv_sec = ms / 1000,
                                  .tv_nsec = ms % 1000 * 1000000 };

  nanosleep(&pause, NULL);
}

/* ------------------------------------------------------------------ */
/* The load                                                            */

static void
note_time(int64_t began, tn_deadline deadline, const char *what)
{
  int64_t now = tn_clock_now();
  int64_t ms = (now - began) / NS_PER_MS;
  int64_t longest = atomic_load(&longest_ms);

  while (ms > longest &&
         !atomic_compare_exchange_weak(&longest_ms, &longest, ms))
    ;
  if (now > deadline + GRACE_MS * NS_PER_MS)
    fail("%s: %d ms late", what, (int)((now - deadline) / NS_PER_MS));
}

static enum tn_code
take(tn_conn **ret, tn_err *err)
{
  const struct tn_loan loan = { .label = "load",
                                .deadline = tn_deadline_after_ms(limit_ms) };
  int64_t began = tn_clock_now();
  enum tn_code rc = tn_engine_take(engine, &loan, ret, err);

  note_time(began, loan.deadline, "take");
  return rc;
}

static enum tn_code
run(tn_conn *conn, const char *sql, const tn_value *values, size_t count,
    int64_t *ret, tn_err *err)
{
  const struct tn_query query = { .sql = sql,
                                  .values = values,
                                  .value_count = count,
                                  .deadline = tn_deadline_after_ms(limit_ms) };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  int64_t began = tn_clock_now();
  enum tn_code rc = tn_conn_query(conn, &query, &result, err);

  if (rc == TN_OK)
    rc = tn_result_next(result, &row, err);
  if (rc == TN_OK && ret != NULL)
    *ret = row == NULL ? -1 : row[0].as.int64;
  tn_result_close(&result);
  note_time(began, query.deadline, sql);
  return rc;
}

/* One write in a transaction. What a failed commit did may not be known. */
static enum outcome
write_row(tn_conn *conn, const struct client *client, int64_t write,
          tn_err *err)
{
  const struct tn_txn_options options = { .deadline =
                                              tn_deadline_after_ms(limit_ms) };
  const tn_value values[] = { tn_int64(client->number), tn_int64(write) };
  enum tn_code rc = tn_conn_begin(conn, &options, err);
  int64_t began;

  if (rc == TN_OK)
    rc = run(conn, "INSERT INTO load_rows VALUES (?, ?)", values, 2, NULL, err);
  if (rc != TN_OK)
    return OUTCOME_FAILED;
  began = tn_clock_now();
  rc = tn_conn_commit(conn, err);
  note_time(began, began + (int64_t)limit_ms * NS_PER_MS, "commit");
  if (rc == TN_OK)
    return OUTCOME_DONE;
  return err->replay == TN_REPLAY_UNKNOWN ? OUTCOME_UNKNOWN : OUTCOME_FAILED;
}

/* What was acknowledged last is there. */
static enum tn_code
read_back(tn_conn *conn, const struct client *client, tn_err *err)
{
  const tn_value values[] = { tn_int64(client->number),
                              tn_int64(client->last_done) };
  int64_t found = -2;
  enum tn_code rc;

  if (client->last_done < 0)
    return TN_OK;
  rc = run(conn, "SELECT number FROM load_rows WHERE client = ? AND number = ?",
           values, 2, &found, err);
  if (rc == TN_OK && found != client->last_done)
    fail("client %d: read %" PRId64 " for %" PRId64, (int)client->number, found,
         client->last_done);
  return rc;
}

static void
note_error(enum tn_code rc, const tn_err *err)
{
  if (rc <= TN_OK || rc >= TN_CODE_COUNT || err->message[0] == '\0') {
    fail("an error without a word: %d", (int)rc);
    return;
  }
  atomic_fetch_add(&errors[rc], 1);
}

static void
work_once(struct client *client)
{
  tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;
  enum tn_code rc = take(&conn, &err);
  enum outcome outcome;

  if (rc != TN_OK) {
    note_error(rc, &err);
    pause_ms(5);
    return;
  }
  outcome = write_row(conn, client, client->writes, &err);
  client->outcomes[client->writes] = (unsigned char)outcome;
  if (outcome == OUTCOME_DONE) {
    client->last_done = client->writes;
    atomic_fetch_add(&client->done, 1);
    rc = read_back(conn, client, &err);
  } else {
    atomic_fetch_add(&client->unknown, outcome == OUTCOME_UNKNOWN);
    rc = (enum tn_code)err.code;
  }
  client->writes++;
  if (rc != TN_OK)
    note_error(rc, &err);
  tn_pool_give(&conn);
}

static void *
run_client(void *item)
{
  struct client *client = item;

  while (!atomic_load(&is_over) && client->writes < MAX_WRITES)
    work_once(client);
  if (client->writes == MAX_WRITES)
    fail("client %d: no more writes are kept", (int)client->number);
  return NULL;
}

/* ------------------------------------------------------------------ */
/* The end                                                             */

static enum tn_code
open_plainly(const char *url, tn_conn **ret, tn_err *err)
{
  const struct tn_conn_options options = { .deadline =
                                               tn_deadline_after_ms(20000),
                                           .timeout_ms = 60000 };

  return tn_conn_open(url, &options, ret, err);
}

/* Which rows are there: one, and no more, of each that was acknowledged. */
static void
count_rows(tn_conn *conn, const struct client *client, unsigned char *found)
{
  const tn_value value = tn_int64(client->number);
  const struct tn_query query = {
    .sql = "SELECT number FROM load_rows WHERE client = ?",
    .values = &value,
    .value_count = 1
  };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;

  must(tn_conn_query(conn, &query, &result, &err), &err, query.sql);
  for (;;) {
    must(tn_result_next(result, &row, &err), &err, query.sql);
    if (row == NULL)
      return;
    if (row[0].as.int64 < 0 || row[0].as.int64 >= client->writes)
      fail("client %d: a row that nobody wrote", (int)client->number);
    else
      found[row[0].as.int64]++;
  }
}

static void
check_client(tn_conn *conn, const struct client *client)
{
  unsigned char *found = calloc((size_t)client->writes + 1, 1);
  int64_t i;

  if (found == NULL)
    die("out of memory");
  count_rows(conn, client, found);
  for (i = 0; i < client->writes; i++) {
    enum outcome outcome = client->outcomes[i];

    if (outcome == OUTCOME_DONE && found[i] != 1)
      fail("client %d: write %" PRId64 " was acknowledged, and is there %d "
           "times",
           (int)client->number, i, found[i]);
    if (outcome == OUTCOME_FAILED && found[i] != 0)
      fail("client %d: write %" PRId64 " failed, and is there",
           (int)client->number, i);
    if (found[i] > 1)
      fail("client %d: write %" PRId64 " is there %d times",
           (int)client->number, i, found[i]);
  }
  free(found);
}

static void
check_pool(void)
{
  struct tn_pool_stats stats = { .struct_size = sizeof stats };
  uint64_t open;

  tn_pool_stats(tn_engine_pool(engine), &stats);
  open = (uint64_t)stats.idle + stats.lent + stats.connecting;
  if (stats.lent != 0 || stats.waiting != 0)
    fail("%u are lent, %u wait", stats.lent, stats.waiting);
  if (stats.connects != stats.closes + open)
    fail("%" PRIu64 " connects, %" PRIu64 " closes, %" PRIu64 " open",
         stats.connects, stats.closes, open);
}

/* ------------------------------------------------------------------ */
/* The driver                                                          */

static void
tell_state(void)
{
  struct tn_pool_stats stats = { .struct_size = sizeof stats };
  int64_t done = 0;
  int64_t unknown = 0;
  const char *comma = "";
  size_t i;

  for (i = 0; i < client_count; i++) {
    done += atomic_load(&clients[i].done);
    unknown += atomic_load(&clients[i].unknown);
  }
  tn_pool_stats(tn_engine_pool(engine), &stats);
  printf("{\"time\": %lld, \"done\": %" PRId64 ", \"unknown\": %" PRId64
         ", \"longest_ms\": %" PRId64 ", \"idle\": %u, \"lent\": %u, "
         "\"connects\": %" PRIu64 ", \"errors\": {",
         (long long)time(NULL), done, unknown, atomic_load(&longest_ms),
         stats.idle, stats.lent, stats.connects);
  for (i = 1; i < TN_CODE_COUNT; i++) {
    if (atomic_load(&errors[i]) == 0)
      continue;
    printf("%s\"%s\": %lu", comma, tn_code_name((int32_t)i),
           atomic_load(&errors[i]));
    comma = ", ";
  }
  printf("}}\n");
}

/* Has each client written since? */
static void
tell_service(void)
{
  int64_t before[MAX_THREADS];
  int64_t began = tn_clock_now();
  size_t served = 0;
  size_t i;
  int64_t ms = 0;

  for (i = 0; i < client_count; i++)
    before[i] = atomic_load(&clients[i].done);
  while (served < client_count && ms < SERVICE_MS) {
    pause_ms(1);
    for (served = 0; served < client_count; served++)
      if (atomic_load(&clients[served].done) == before[served])
        break;
    ms = (tn_clock_now() - began) / NS_PER_MS;
  }
  if (served == client_count)
    printf("ok %" PRId64 "\n", ms);
  else
    printf("none\n");
}

static void
obey(void)
{
  char line[64];

  printf("ready\n");
  while (fgets(line, sizeof line, stdin) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    if (strcmp(line, "state") == 0)
      tell_state();
    else if (strcmp(line, "service") == 0)
      tell_service();
    else if (strcmp(line, "end") == 0)
      return;
    else
      die("no command \"%s\"", line);
  }
  die("the driver has gone");
}

static void
set_up(const char *url)
{
  struct tn_engine_options options = TN_ENGINE_OPTIONS_INIT;
  tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;
  size_t i;

  must(open_plainly(url, &conn, &err), &err, "open");
  faults_exec(conn, "DROP TABLE IF EXISTS load_rows");
  faults_exec(conn, "CREATE TABLE load_rows (client bigint, number bigint)");
  faults_exec(conn, "CREATE INDEX load_index ON load_rows (client, number)");
  tn_conn_close(&conn);
  must(tn_engine_open(url, &options, &engine, &err), &err, "engine");
  for (i = 0; i < client_count; i++) {
    clients[i].number = (int64_t)i;
    clients[i].last_done = -1;
    clients[i].outcomes = calloc(MAX_WRITES, 1);
    if (clients[i].outcomes == NULL)
      die("out of memory");
  }
}

static void *
drive(void *unused)
{
  obey();
  atomic_store(&is_over, true);
  return unused;
}

int
main(int argc, char **argv)
{
  pthread_t driver;
  tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;
  size_t i;

  if (argc < 2)
    die("usage: faults_load URL [THREADS [MILLISECONDS]]");
  if (argc > 2)
    client_count = strtoul(argv[2], NULL, 10);
  if (argc > 3)
    limit_ms = strtoul(argv[3], NULL, 10);
  if (client_count < 1 || client_count > MAX_THREADS)
    die("1 to %d threads", MAX_THREADS);
  setvbuf(stdout, NULL, _IOLBF, 0);
  set_up(argv[1]);
  if (pthread_create(&driver, NULL, drive, NULL) != 0)
    die("no thread to be had");
  faults_threads(run_client, clients, client_count, sizeof clients[0]);
  pthread_join(driver, NULL);
  must(open_plainly(argv[1], &conn, &err), &err, "open");
  for (i = 0; i < client_count; i++) {
    check_client(conn, &clients[i]);
    free(clients[i].outcomes);
  }
  tn_conn_close(&conn);
  check_pool();
  tell_state();
  tn_engine_close(&engine);
  return faults_end();
}
