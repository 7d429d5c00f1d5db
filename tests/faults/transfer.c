/* Transfers between ten accounts, each in a transaction that is run again when
 * it may be, by eight clients that lock accounts in any order.
 *
 *   faults_transfer postgresql|mysql deadlock|cut|told
 *   faults_transfer mysql galera [TRANSFERS]
 *   faults_transfer sqlite FILE
 *
 * "deadlock" is a server by itself; "cut" one behind the proxy, which resets
 * connections wherever they are; "told" is the same, where the server itself
 * tells what became of a commit, and nobody else is asked; "galera" a cluster,
 * all of whose nodes are written to, so that what locks nobody may still not
 * commit. On the file four processes have two clients each. Each transfer is
 * noted in the database by the transaction that makes it, so that afterwards it
 * is known how often each was made: once. */
#include "faults.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ACCOUNTS  10
#define CLIENTS   8
#define PROCESSES 4
#define NODES     3
#define TRANSFERS (IS_SANITIZED ? 1600 : 10000) /* in all */
#define INITIAL   1000000
#define CUT_EACH  64 /* of so many commits, one up and one down */

/* What one transfer is follows from its number alone. */
struct transfer {
  tn_engine *engine;
  int64_t number; /* client * each + n */
  int64_t from;
  int64_t to;
  int64_t amount;
  bool is_asking; /* what becomes of its commit is asked by the run */
  bool is_undone; /* its commit had no effect */
  bool was_cut;   /* on purpose, and is not again */
};

static int64_t each = TRANSFERS / CLIENTS;
static tn_engine *engines[NODES];
static int64_t engine_count; /* clients have one of them, in turn */
static _Atomic unsigned long again[TN_CODE_COUNT]; /* attempts, by error */
static _Atomic unsigned long uncertain;
static _Atomic unsigned long lost_commits; /* of those, that had no effect */
static atomic_bool is_over;
static bool is_told;
static struct proxy proxy;
static pthread_mutex_t telling = PTHREAD_MUTEX_INITIALIZER;
static _Atomic unsigned long answered; /* of the uncertain, by the server */
static _Atomic unsigned long not_told; /* that somebody else was asked about */

static void
pause_us(long us)
{
  const struct timespec pause = { .tv_nsec = us * 1000 };

  nanosleep(&pause, NULL);
}

static uint64_t
mix(uint64_t number)
{
  number += UINT64_C(0x9e3779b97f4a7c15);
  number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
  return number ^ number >> 31;
}

static struct transfer
transfer_of(int64_t number)
{
  uint64_t random = mix((uint64_t)number);
  struct transfer transfer = { .number = number };

  if (engine_count != 0)
    transfer.engine = engines[number / each % engine_count];
  transfer.from = (int64_t)(random % ACCOUNTS);
  transfer.to =
      (transfer.from + 1 + (int64_t)(random / 16 % (ACCOUNTS - 1))) % ACCOUNTS;
  transfer.amount = 1 + (int64_t)(random / 4096 % 100);
  transfer.is_asking = number % 2 == 0;
  return transfer;
}

/* ------------------------------------------------------------------ */
/* One transfer                                                        */

static enum tn_code
run(tn_conn *conn, const char *sql, const tn_value *values, size_t count,
    int64_t *ret, tn_err *err)
{
  const struct tn_query query = { .sql = sql,
                                  .values = values,
                                  .value_count = count };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  enum tn_code rc = tn_conn_query(conn, &query, &result, err);

  if (rc == TN_OK && ret != NULL)
    rc = tn_result_next(result, &row, err);
  if (rc == TN_OK && ret != NULL)
    *ret = row == NULL ? -1 : row[0].as.int64;
  return rc;
}

static enum tn_code
add(tn_conn *conn, int64_t account, int64_t amount, tn_err *err)
{
  const tn_value values[] = { tn_int64(amount), tn_int64(account) };

  return run(conn,
             "UPDATE transfer_accounts SET amount = amount + ? WHERE id = ?",
             values, 2, NULL, err);
}

/* tn_run_fn */
static enum tn_code
move(tn_txn *txn, void *user, tn_err *err)
{
  const struct transfer *transfer = user;
  tn_conn *conn = tn_txn_conn(txn);
  const tn_value number = tn_int64(transfer->number);
  const tn_value from = tn_int64(transfer->from);
  int64_t amount = 0;
  enum tn_code rc;

  /* What reads first and then writes is what a file locks badly. */
  rc = run(conn, "SELECT amount FROM transfer_accounts WHERE id = ?", &from, 1,
           &amount, err);
  if (rc == TN_OK)
    rc = add(conn, transfer->from, -transfer->amount, err);
  if (rc == TN_OK)
    rc = add(conn, transfer->to, transfer->amount, err);
  if (rc == TN_OK)
    rc = run(conn, "INSERT INTO transfer_done VALUES (?)", &number, 1, NULL,
             err);
  return rc;
}

/* tn_txn_check_fn. The commit may still be under way: its row is locked until
 * it is over. */
static enum tn_code
look(tn_conn *conn, void *user, int *ret_is_committed, tn_err *err)
{
  const struct transfer *transfer = user;
  const tn_value from = tn_int64(transfer->from);
  const tn_value number = tn_int64(transfer->number);
  int64_t count = 0;
  enum tn_code rc =
      run(conn, "SELECT amount FROM transfer_accounts WHERE id = ? FOR UPDATE",
          &from, 1, &count, err);

  if (rc == TN_OK)
    rc = run(conn, "SELECT count(*) FROM transfer_done WHERE number = ?",
             &number, 1, &count, err);
  if (rc == TN_OK)
    *ret_is_committed = count != 0;
  return rc;
}

/* tn_txn_check_fn, where the server is to know by itself. */
static enum tn_code
ask_nobody(tn_conn *conn, void *user, int *ret_is_committed, tn_err *err)
{
  atomic_fetch_add(&not_told, 1);
  return look(conn, user, ret_is_committed, err);
}

static enum tn_code
note(struct tn_retry_attempt *attempt, void *user)
{
  (void)user;
  atomic_fetch_add(&again[attempt->err->code], 1);
  return TN_OK;
}

static struct tn_retry
policy(void)
{
  struct tn_retry policy = TN_RETRY_INIT;

  policy.max_attempts = TN_RETRY_FOREVER;
  policy.first_ms = 4;
  policy.max_ms = 100;
  policy.hook = note;
  return policy;
}

/* Some of the commits are lost for certain, and some of their answers. */
static enum tn_code
commit_cut(tn_txn *txn, struct transfer *transfer, tn_err *err)
{
  const char *way = transfer->number % CUT_EACH == 1 ? "down" : "up";
  enum tn_code rc;

  if (transfer->number % (CUT_EACH / 2) != 1 || transfer->was_cut)
    return tn_txn_commit(txn, err);
  transfer->was_cut = true;
  pthread_mutex_lock(&telling);
  proxy_tell(&proxy, "reset 0 %s", way);
  rc = tn_txn_commit(txn, err);
  proxy_tell(&proxy, "pass");
  pthread_mutex_unlock(&telling);
  return rc;
}

/* tn_retry_fn. With one's own hands, so that it can be counted how often the
 * server is asked, and answers. */
static enum tn_code
move_told(void *user, tn_err *err)
{
  const struct tn_txn_options options = { .flags = TN_BEGIN_RESOLVABLE };
  struct transfer *transfer = user;
  const struct tn_retry retry = policy();
  struct tn_txn_id id;
  tn_txn *txn = NULL;
  int is_committed = 0;
  enum tn_code rc = tn_txn_take(transfer->engine, NULL, &options, &txn, err);

  if (rc == TN_OK)
    rc = tn_txn_identify(txn, &id, err);
  if (rc == TN_OK)
    rc = move(txn, transfer, err);
  if (rc == TN_OK)
    rc = commit_cut(txn, transfer, err);
  tn_txn_end(&txn);
  if (rc != TN_OK && rc != TN_E_UNCERTAIN &&
      err->replay == TN_REPLAY_TRANSACTION)
    tn_err_verdicts(err, 0, TN_REPLAY_SAFE);
  if (rc != TN_E_UNCERTAIN)
    return rc;
  atomic_fetch_add(&uncertain, 1);
  tn_err_clear(err);
  rc = tn_txn_resolve(transfer->engine, &retry, NULL, &id, &is_committed, err);
  if (rc != TN_OK)
    return rc;
  atomic_fetch_add(&answered, 1);
  atomic_fetch_add(&lost_commits, is_committed == 0);
  transfer->is_undone = is_committed == 0;
  return TN_OK;
}

/* Run it, asking by hand what became of it if the run did not. */
static enum tn_code
move_asking(struct transfer *transfer, tn_err *err)
{
  const struct tn_retry retry = policy();
  struct tn_run_options options = TN_RUN_OPTIONS_INIT;
  int is_committed = 1;
  enum tn_code rc;

  options.retry = &retry;
  if (transfer->number % 4 == 1)
    options.txn.isolation = TN_ISOLATION_SERIALIZABLE;
  if (is_told)
    options.txn.flags = TN_BEGIN_RESOLVABLE;
  if (transfer->is_asking)
    options.check = is_told ? ask_nobody : look;
  rc = tn_run(transfer->engine, &options, move, transfer, err);
  if (rc == TN_E_UNCERTAIN && !transfer->is_asking) {
    atomic_fetch_add(&uncertain, 1);
    rc = tn_txn_resolve(transfer->engine, &retry, look, transfer, &is_committed,
                        err);
    atomic_fetch_add(&lost_commits, rc == TN_OK && is_committed == 0);
    transfer->is_undone = is_committed == 0;
  }
  return rc;
}

/* True: it has to be made again. */
static bool
make(struct transfer *transfer)
{
  const struct tn_retry retry = policy();
  tn_err err = TN_ERR_INIT;
  enum tn_code rc;

  transfer->is_undone = false;
  rc = is_told && !transfer->is_asking
           ? tn_retry_call(&retry, move_told, transfer, &err)
           : move_asking(transfer, &err);
  if (rc != TN_OK)
    fail("transfer %" PRId64 ": %s, replay %s: %s", transfer->number,
         tn_code_name((int32_t)rc), tn_replay_verdict_name(err.replay),
         err.message);
  return transfer->is_undone;
}

static void *
run_client(void *item)
{
  const int64_t *client = item;

  for (int64_t i = 0; i < each; i++) {
    struct transfer transfer = transfer_of(*client * each + i);

    while (make(&transfer))
      ;
  }
  return NULL;
}

/* ------------------------------------------------------------------ */
/* Before and afterwards                                               */

static int64_t
made(void)
{
  return each * CLIENTS;
}

static void
set_up(tn_conn *conn)
{
  char sql[128];

  faults_exec(conn, "DROP TABLE IF EXISTS transfer_done");
  faults_exec(conn, "DROP TABLE IF EXISTS transfer_accounts");
  faults_exec(conn, "CREATE TABLE transfer_accounts "
                    "(id BIGINT PRIMARY KEY, amount BIGINT)");
  faults_exec(conn, "CREATE TABLE transfer_done (number BIGINT)");
  faults_exec(conn, "CREATE INDEX transfer_number ON transfer_done (number)");
  for (int i = 0; i < ACCOUNTS; i++) {
    snprintf(sql, sizeof sql, "INSERT INTO transfer_accounts VALUES (%d, %d)",
             i, INITIAL);
    faults_exec(conn, sql);
  }
}

static void
check_all(tn_conn *conn)
{
  int64_t wanted[ACCOUNTS];
  char sql[128];
  int64_t got;

  for (int i = 0; i < ACCOUNTS; i++)
    wanted[i] = INITIAL;
  for (int64_t i = 0; i < made(); i++) {
    struct transfer transfer = transfer_of(i);

    wanted[transfer.from] -= transfer.amount;
    wanted[transfer.to] += transfer.amount;
  }
  for (int i = 0; i < ACCOUNTS; i++) {
    snprintf(sql, sizeof sql,
             "SELECT amount FROM transfer_accounts WHERE id = %d", i);
    got = faults_number(conn, sql);
    if (got != wanted[i])
      fail("account %d has %" PRId64 ", not %" PRId64, i, got, wanted[i]);
  }
  got = faults_number(conn, "SELECT count(*) FROM transfer_done");
  if (got != made())
    fail("%" PRId64 " transfers were made of %" PRId64, got, made());
  got = faults_number(conn, "SELECT count(DISTINCT number) FROM transfer_done");
  if (got != made())
    fail("%" PRId64 " different transfers were made of %" PRId64, got, made());
}

static void
tell(void)
{
  printf("%" PRId64 " transfers, again:", made());
  for (int32_t i = 1; i < TN_CODE_COUNT; i++)
    if (atomic_load(&again[i]) != 0)
      printf(" %lu %s", atomic_load(&again[i]), tn_code_name(i));
  printf("; %lu uncertain, of which %lu had no effect\n",
         atomic_load(&uncertain), atomic_load(&lost_commits));
  if (is_told)
    printf("the server told of %lu, and others of %lu\n",
           atomic_load(&answered), atomic_load(&not_told));
}

static void
open_engine(const char *url)
{
  static const struct tn_setting settings[] = {
    { "max_pool_size", "8" },
    { "max_overflow", "4" },
    { "pool_retry_time", "0" },
  };
  struct tn_engine_options options = TN_ENGINE_OPTIONS_INIT;
  tn_err err = TN_ERR_INIT;

  options.settings = settings;
  options.setting_count = sizeof settings / sizeof settings[0];
  must(tn_engine_open(url, &options, &engines[engine_count], &err), &err, url);
  engine_count++;
}

static void
close_engines(void)
{
  while (engine_count > 0)
    tn_engine_close(&engines[--engine_count]);
}

static void
run_clients(int64_t first, size_t count)
{
  int64_t clients[CLIENTS];

  for (size_t i = 0; i < count; i++)
    clients[i] = first + (int64_t)i;
  faults_threads(run_client, clients, count, sizeof clients[0]);
}

/* ------------------------------------------------------------------ */
/* Servers                                                             */

/* The server looks for deadlocks after a second; nobody is to wait for that. */
static void
hasten(const struct words *words, const char *sql)
{
  char variable[64];
  const char *url;

  snprintf(variable, sizeof variable, "%s_ADMIN", words->variable);
  url = getenv(variable);
  if (strcmp(words->name, "postgresql") == 0 && url != NULL) {
    TN_CLEANUP(tn_conn_close) tn_conn *admin = faults_open(url, 10000);

    faults_exec(admin, sql);
  }
}

/* Cuts all connections where they are, now and then. */
static void *
run_cutter(void *item)
{
  (void)item;
  for (uint64_t i = 0; !atomic_load(&is_over); i++) {
    uint64_t random = mix(i + 77);

    pause_us(20000 + (long)(random % 20000));
    pthread_mutex_lock(&telling);
    proxy_tell(&proxy, "reset %u %s", (unsigned)(random / 65536 % 400),
               random % 2 == 0 ? "up" : "down");
    pause_us(3000);
    proxy_tell(&proxy, "pass");
    pthread_mutex_unlock(&telling);
  }
  return NULL;
}

static void
run_on_server(const struct words *words, bool is_cut)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  pthread_t cutter;
  char url[512];

  hasten(words, "ALTER ROLE tenon SET deadlock_timeout = '10ms'");
  faults_url(words, 0, NULL, url, sizeof url);
  conn = faults_open(url, 60000);
  set_up(conn);
  if (is_cut) {
    proxy_start(&proxy, words, NULL);
    faults_url(words, proxy.port, "tls=off", url, sizeof url);
    if (pthread_create(&cutter, NULL, run_cutter, NULL) != 0)
      die("no thread");
  }
  open_engine(url);
  run_clients(0, CLIENTS);
  atomic_store(&is_over, true);
  if (is_cut)
    pthread_join(cutter, NULL);
  close_engines();
  if (is_cut)
    proxy_stop(&proxy);
  check_all(conn);
  tell();
  if (atomic_load(&again[TN_E_DEADLOCK]) == 0)
    fail("there was no deadlock");
  if (is_cut && atomic_load(&again[TN_E_LOST]) == 0)
    fail("no connection was lost in use");
  if (is_told && (atomic_load(&lost_commits) == 0 ||
                  atomic_load(&answered) == atomic_load(&lost_commits) ||
                  atomic_load(&answered) != atomic_load(&uncertain)))
    fail("of %lu uncertain commits the server told %lu",
         atomic_load(&uncertain), atomic_load(&answered));
  if (atomic_load(&not_told) != 0)
    fail("of %lu commits the server could not tell", atomic_load(&not_told));
  hasten(words, "ALTER ROLE tenon RESET deadlock_timeout");
}

/* ------------------------------------------------------------------ */
/* A cluster                                                           */

/* The one with the number `node` of those that `url` names, by itself. Whoever
 * reads there sees what was committed on any other before. */
static void
node_url(const char *url, int node, char *out, size_t size)
{
  const char *host = strchr(url, '@');
  const char *path = host == NULL ? NULL : strchr(host, '/');
  const char *next = host;

  for (; node >= 0 && next != NULL; node--) {
    host = next + 1;
    next = strchr(host, ',');
  }
  if (path == NULL || node >= 0)
    die("%s: too few hosts", url);
  snprintf(out, size, "%.*s%.*s%s?wsrep_sync_wait=1",
           (int)(strchr(url, '@') + 1 - url), url, (int)strcspn(host, ",/"),
           host, path);
}

static void
run_on_cluster(void)
{
  const char *all = getenv("TENON_TEST_GALERA");
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  char url[512];

  if (all == NULL)
    die("TENON_TEST_GALERA must name the cluster");
  for (int i = 0; i < NODES; i++) {
    node_url(all, i, url, sizeof url);
    open_engine(url);
  }
  conn = faults_open(url, 60000);
  set_up(conn);
  run_clients(0, CLIENTS);
  close_engines();
  check_all(conn);
  tell();
  if (atomic_load(&again[TN_E_DEADLOCK]) == 0)
    fail("there was no conflict");
}

/* ------------------------------------------------------------------ */
/* A file                                                              */

static _Noreturn void
run_process(const char *url, int number)
{
  open_engine(url);
  run_clients((int64_t)number * (CLIENTS / PROCESSES), CLIENTS / PROCESSES);
  close_engines();
  tell();
  exit(faults_end());
}

static void
run_on_file(const char *path)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  pid_t children[PROCESSES];
  char url[512];

  snprintf(url, sizeof url, "sqlite:///%s?synchronous=off", path);
  conn = faults_open(url, 60000);
  set_up(conn);
  tn_conn_close(&conn);
  fflush(stdout);
  for (int i = 0; i < PROCESSES; i++) {
    children[i] = fork();
    if (children[i] == 0)
      run_process(url, i);
    if (children[i] < 0)
      die("no process");
  }
  for (int i = 0; i < PROCESSES; i++) {
    int status = 0;

    if (waitpid(children[i], &status, 0) != children[i] || status != 0)
      fail("process %d ended with %d", i, status);
  }
  conn = faults_open(url, 60000);
  check_all(conn);
}

int
main(int argc, char **argv)
{
  if (argc < 3)
    die("usage: %s postgresql|mysql deadlock|cut|told|galera, or sqlite FILE",
        argv[0]);
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (argc > 3)
    each = strtol(argv[3], NULL, 10) / CLIENTS;
  is_told = strcmp(argv[2], "told") == 0;
  if (strcmp(argv[1], "sqlite") == 0)
    run_on_file(argv[2]);
  else if (strcmp(argv[2], "galera") == 0)
    run_on_cluster();
  else
    run_on_server(faults_begin(argc, argv),
                  is_told || strcmp(argv[2], "cut") == 0);
  return faults_end();
}
