/* A facade whose readers a driver asks for, by lines.
 *
 *   faults_readers PRIMARY REPLICA     URLs
 *
 *   plain N      N clients each write and read it back, with nothing said
 *   after N MS   the same, each reader after its own write's position, for
 *                which the replica is waited for MS at most
 *   write MS     one writer, tried until it succeeds
 *
 * The answer is "ok REPLICA PRIMARY STALE": how many readers used which, and
 * how many did not see what their client had written; or the first failure. */
#include "faults.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define CLIENTS  8
#define LIMIT_MS 5000

static tn_facade *facade;

struct client {
  tn_context *context;
  int64_t number;
  int64_t value; /* that it has written last */
  int64_t seen;  /* by its reader */
  bool is_replica;
};

/* What all clients have met. */
static struct {
  int64_t tries;    /* of each */
  int64_t after_ms; /* negative: no position is waited for */
  atomic_int replica;
  atomic_int primary;
  atomic_int stale;
  atomic_flag has_failed;
  char failure[600];
} tally;

/* ---- one client ---- */

/* tn_scope_fn */
static enum tn_code
write_value(tn_scope *scope, void *user, tn_err *err)
{
  const struct client *client = user;
  const tn_value values[] = { tn_int64(client->value),
                              tn_int64(client->number) };
  const struct tn_query query = {
    .sql = "UPDATE readers SET v = ? WHERE id = ?",
    .values = values,
    .value_count = 2,
  };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;

  return tn_conn_query(tn_scope_conn(scope), &query, &result, err);
}

/* tn_scope_fn */
static enum tn_code
read_value(tn_scope *scope, void *user, tn_err *err)
{
  struct client *client = user;
  const tn_value number = tn_int64(client->number);
  const struct tn_query query = {
    .sql = "SELECT v FROM readers WHERE id = ?",
    .values = &number,
    .value_count = 1,
  };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  enum tn_code rc = tn_conn_query(tn_scope_conn(scope), &query, &result, err);

  if (rc == TN_OK)
    rc = tn_result_next(result, &row, err);
  if (rc != TN_OK)
    return rc;
  client->seen = row != NULL ? row[0].as.int64 : -1;
  client->is_replica = tn_scope_is_replica(scope) != 0;
  return TN_OK;
}

static enum tn_code
write_and_read(struct client *client, tn_err *err)
{
  struct tn_scope_options writer = TN_SCOPE_OPTIONS_INIT;
  struct tn_scope_options reader = TN_SCOPE_OPTIONS_INIT;
  tn_position position = TN_POSITION_INIT;
  enum tn_code rc;

  client->value++;
  writer.mode = TN_SCOPE_WRITER;
  reader.mode = TN_SCOPE_ASYNC_READER;
  if (tally.after_ms >= 0) {
    writer.ret_position = &position;
    reader.after = &position;
    reader.after_ms = (uint64_t)tally.after_ms;
  }
  rc = tn_scope_run(facade, client->context, &writer, write_value, client, err);
  if (rc == TN_OK)
    rc =
        tn_scope_run(facade, client->context, &reader, read_value, client, err);
  return rc;
}

static void
note_failure(enum tn_code rc, const tn_err *err)
{
  char *c;

  if (atomic_flag_test_and_set(&tally.has_failed))
    return;
  snprintf(tally.failure, sizeof tally.failure, "%s %s",
           tn_code_name((int32_t)rc), err->message);
  for (c = tally.failure; *c != '\0'; c++)
    if (*c == '\n')
      *c = '|';
}

static void *
run_client(void *item)
{
  struct client *client = item;
  tn_err err = TN_ERR_INIT;
  int64_t i;

  for (i = 0; i < tally.tries; i++) {
    enum tn_code rc = write_and_read(client, &err);

    if (rc != TN_OK) {
      note_failure(rc, &err);
      break;
    }
    atomic_fetch_add(client->is_replica ? &tally.replica : &tally.primary, 1);
    if (client->seen != client->value)
      atomic_fetch_add(&tally.stale, 1);
  }
  return NULL;
}

/* ---- all of them ---- */

static struct client clients[CLIENTS];

static void
run_clients(int64_t tries, int64_t after_ms)
{
  tally.tries = tries / CLIENTS;
  tally.after_ms = after_ms;
  tally.replica = tally.primary = tally.stale = 0;
  tally.failure[0] = '\0';
  atomic_flag_clear(&tally.has_failed);
  faults_threads(run_client, clients, CLIENTS, sizeof clients[0]);
}

static void
run_round(int64_t tries, int64_t after_ms)
{
  run_clients(tries, after_ms);
  if (tally.failure[0] != '\0')
    printf("%s\n", tally.failure);
  else
    printf("ok %d %d %d\n", tally.replica, tally.primary, tally.stale);
}

static void
write_once(int64_t ms)
{
  struct tn_scope_options writer = TN_SCOPE_OPTIONS_INIT;
  struct tn_retry policy = TN_RETRY_INIT;
  tn_err err = TN_ERR_INIT;
  enum tn_code rc;

  policy.max_attempts = TN_RETRY_FOREVER;
  policy.max_ms = 100;
  policy.total_ms = (uint64_t)ms;
  policy.categories =
      TN_RETRY_USUAL | TN_RETRY_ON(TN_E_TIMEOUT) | TN_RETRY_ON(TN_E_READ_ONLY);
  writer.mode = TN_SCOPE_WRITER;
  writer.retry = &policy;
  clients[0].value++;
  rc = tn_scope_run(facade, NULL, &writer, write_value, &clients[0], &err);
  if (rc == TN_OK)
    printf("ok 0 1 0\n");
  else
    printf("%s %s\n", tn_code_name((int32_t)rc), err.message);
}

static void
set_up(const char *primary, const char *replica)
{
  struct tn_facade_options options = TN_FACADE_OPTIONS_INIT;
  tn_err err = TN_ERR_INIT;
  tn_engine *engine = NULL;
  int64_t i;

  options.target = primary;
  options.replica = replica;
  must(tn_facade_open(&options, &facade, &err), &err, "the facade");
  must(tn_facade_engine(facade, TN_SCOPE_WRITER, &engine, &err), &err,
       "the primary");
  must(tn_engine_exec(engine, "DROP TABLE IF EXISTS readers", NULL, &err), &err,
       "the table");
  must(tn_engine_exec(engine,
                      "CREATE TABLE readers (id BIGINT PRIMARY KEY, v BIGINT)",
                      NULL, &err),
       &err, "the table");
  for (i = 0; i < CLIENTS; i++) {
    char sql[80];

    clients[i].number = i;
    must(tn_context_open(0, &clients[i].context, &err), &err, "a context");
    snprintf(sql, sizeof sql, "INSERT INTO readers VALUES (%" PRId64 ", 0)", i);
    must(tn_engine_exec(engine, sql, NULL, &err), &err, "a row");
  }

  /* A replica that is late has no table yet. */
  run_clients(CLIENTS, LIMIT_MS);
  if (tally.failure[0] != '\0')
    die("the first round: %s", tally.failure);
}

static bool
obey(const char *line)
{
  int64_t first = 0;
  int64_t second = -1;
  char verb[16] = "";

  if (sscanf(line, "%15s %" SCNd64 " %" SCNd64, verb, &first, &second) < 2)
    return false;
  if (strcmp(verb, "plain") == 0)
    run_round(first, -1);
  else if (strcmp(verb, "after") == 0 && second >= 0)
    run_round(first, second);
  else if (strcmp(verb, "write") == 0)
    write_once(first);
  else
    return false;
  return true;
}

int
main(int argc, char **argv)
{
  char line[128];

  if (argc != 3)
    die("usage: faults_readers PRIMARY REPLICA");
  set_up(argv[1], argv[2]);
  printf("ready\n");
  fflush(stdout);
  while (fgets(line, sizeof line, stdin) != NULL) {
    if (!obey(line))
      printf("not ok: %s", line);
    fflush(stdout);
  }
  for (size_t i = 0; i < CLIENTS; i++)
    tn_context_close(&clients[i].context);
  tn_facade_close(&facade);
  return 0;
}
