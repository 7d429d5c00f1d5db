/* A cancel from another thread stops the statement on the server, soon, and
 * never one that was begun later, on this session or another.
 *
 * Races: each worker runs a statement while its canceler cancels at some moment
 * around the end of it. When the cancel has returned, the worker runs another
 * statement, which must not be hit.
 *
 *   faults_cancel SERVER [SECONDS]
 *
 * The races may take so many seconds, and are fewer if they do: each cancel is
 * a connection, for which PostgreSQL forks, and where forks are dear all of
 * them take half an hour. */
#include "faults.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define TRIES          10
#define GONE_MS        200
#define SLOWLY_GONE_MS 4000
#define PATIENCE_MS    20000

/* Stops that may be late, or give up a session because its cancel was not
 * confirmed in the time of grace: on a machine that does something else. */
#define LATE_PERCENT 5

/* A login that takes as long tells of a machine that is too slow, or has too
 * much else to do, for times to mean anything. */
#define BUSY_MS 40

#define WORKERS 8
#define RACES   (IS_SANITIZED ? 1000 : 10000)
#define FEWEST  (RACES / 20)

/* Sessions that may be given up because their cancel could not be confirmed:
 * none is expected where nothing but the cancel is wrong. */
#define LOST_PERCENT 1

static const struct words *words;
static char url[512];
static tn_conn *observer;
static tn_deadline races_end = TN_DEADLINE_NONE;
static int stop_count;
static int late_count;
static int excused_count;

/* ------------------------------------------------------------------ */
/* Statements that are to stop                                         */

struct victim {
  tn_conn *conn;
  const char *sql;
  tn_deadline deadline; /* 0: none */
  enum tn_code rc;
  tn_err err;
};

static void *
run_victim(void *item)
{
  struct victim *victim = item;
  const struct tn_query query = { .sql = victim->sql,
                                  .deadline = victim->deadline };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;

  victim->rc = tn_conn_query(victim->conn, &query, &result, &victim->err);
  while (victim->rc == TN_OK) {
    victim->rc = tn_result_next(result, &row, &victim->err);
    if (row == NULL)
      break;
  }
  return NULL;
}

/* Wait until so many statements with the mark run; how many ms it took, or
 * `limit_ms`. */
static int64_t
wait_for_running(const char *mark, int64_t wanted, int64_t limit_ms)
{
  const struct timespec pause = { .tv_nsec = 2 * NS_PER_MS };
  int64_t began = tn_clock_now();
  int64_t ms;
  char sql[512];

  faults_fill(sql, sizeof sql, words->active, "%s", mark);
  do {
    bool is_so = faults_number(observer, sql) == wanted;

    ms = (tn_clock_now() - began) / NS_PER_MS;
    if (is_so)
      return ms;
    nanosleep(&pause, NULL);
  } while (ms < limit_ms);
  return limit_ms;
}

/* Run a query that gives back its number. */
static enum tn_code
ask(tn_conn *conn, const char *sql, int64_t number, tn_err *err)
{
  const tn_value value = tn_int64(number);
  const struct tn_query query = { .sql = sql,
                                  .values = &value,
                                  .value_count = 1 };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  enum tn_code rc = tn_conn_query(conn, &query, &result, err);

  if (rc == TN_OK)
    rc = tn_result_next(result, &row, err);
  if (rc == TN_OK && (row == NULL || row[0].as.int64 != number))
    fail("the answer to another question than %lld", (long long)number);
  if (rc == TN_OK)
    rc = tn_result_next(result, &row, err);
  return rc;
}

/* Whether the stop was in time: the session was not given up, as has to be
 * said. It goes on, and its transaction is as the error says. */
static bool
check_session(const struct victim *victim, const char *what)
{
  bool is_aborted = tn_conn_txn_state(victim->conn) == TN_TXN_ABORTED;
  int32_t wanted = is_aborted ? TN_CONNECTION_ABORTED : TN_CONNECTION_USABLE;
  tn_err err = TN_ERR_INIT;

  if (tn_conn_verdict(victim->conn) == TN_CONNECTION_DEAD) {
    if (victim->err.connection != TN_CONNECTION_DEAD)
      fail("%s: the connection is given up, and said to be %s", what,
           tn_connection_verdict_name(victim->err.connection));
    printf("# %s: the session was given up\n", what);
    return false;
  }
  if (victim->err.connection != wanted)
    fail("%s: the connection is said to be %s, not %s", what,
         tn_connection_verdict_name(victim->err.connection),
         tn_connection_verdict_name(wanted));
  if (tn_conn_rollback(victim->conn, &err) != TN_OK)
    fail("%s: rollback: %s", what, err.message);
  else if (ask(victim->conn, words->number_back, 17, &err) != TN_OK)
    fail("%s: a statement afterwards: %s", what, err.message);
  return true;
}

/* How long the server takes to let somebody in. */
static int64_t
time_login(void)
{
  int64_t began = tn_clock_now();
  tn_conn *conn = faults_open(url, 0);
  int64_t ended = tn_clock_now();

  tn_conn_close(&conn);
  return (ended - began) / NS_PER_MS;
}

static void
count_stop(bool was_in_time)
{
  int64_t ms = was_in_time ? 0 : time_login();

  stop_count++;
  excused_count += ms > BUSY_MS;
  late_count += !was_in_time && ms <= BUSY_MS;
}

/* A statement, and how it is to end. */
struct stop {
  const char *what;
  const char *sql;
  uint64_t timeout_ms; /* 0: by a cancel, else by its deadline */
  int64_t gone_ms;
  bool is_in_transaction;
};

static void
start_victim(struct victim *victim, const struct stop *stop, pthread_t *thread)
{
  if (stop->is_in_transaction)
    must(tn_conn_begin(victim->conn, NULL, &victim->err), &victim->err,
         "begin");
  if (stop->timeout_ms != 0)
    victim->deadline = tn_deadline_after_ms(stop->timeout_ms);
  if (pthread_create(thread, NULL, run_victim, victim) != 0)
    die("no thread to be had");
}

static void
check_stop(const struct stop *stop)
{
  static int number;
  struct victim victim = { .conn = faults_open(url, 0) };
  enum tn_code wanted = stop->timeout_ms != 0 ? TN_E_TIMEOUT : TN_E_CANCELED;
  bool was_in_time = true;
  pthread_t thread;
  char mark[64];
  char text[512];
  int64_t ms;

  snprintf(mark, sizeof mark, "victim %d of %d.", ++number, (int)getpid());
  snprintf(text, sizeof text, "%s /* %s */", stop->sql, mark);
  victim.sql = text;
  start_victim(&victim, stop, &thread);
  if (stop->timeout_ms == 0) {
    if (wait_for_running(mark, 1, PATIENCE_MS) == PATIENCE_MS)
      fail("%s: never seen to run", stop->what);
    tn_conn_cancel(victim.conn);
  } else {
    pthread_join(thread, NULL);
  }
  ms = wait_for_running(mark, 0, PATIENCE_MS);
  if (ms == PATIENCE_MS)
    fail("%s: still runs after %d ms", stop->what, (int)ms);
  if (ms > stop->gone_ms) {
    printf("# %s: ran on for %d ms\n", stop->what, (int)ms);
    was_in_time = false;
  }
  if (stop->timeout_ms == 0)
    pthread_join(thread, NULL);
  if (victim.rc != wanted)
    fail("%s: %s: %s", stop->what, tn_code_name((int32_t)victim.rc),
         victim.err.message);
  if (stop->gone_ms <= GONE_MS && !check_session(&victim, stop->what))
    was_in_time = false;
  count_stop(was_in_time);
  tn_conn_close(&victim.conn);
}

static void
check_stops(void)
{
  /* A server may have to plan and compile before it looks at a cancel. */
  const struct stop stops[] = {
    { "sleep", words->sleep, 0, GONE_MS, false },
    { "loop", words->loop, 0, GONE_MS, false },
    { "loop in a transaction", words->loop, 0, GONE_MS, true },
    { "deadline of a sleep", words->sleep, 300, GONE_MS, false },
    { "deadline of a loop", words->loop, 300, GONE_MS, false },
    { "deadline of a loop in a transaction", words->loop, 300, GONE_MS, true },
    { "join", words->join, 0, SLOWLY_GONE_MS, false },
    { "deadline of a join", words->join, 50, SLOWLY_GONE_MS, false },
  };
  size_t i;

  for (i = 0; i < sizeof stops / sizeof stops[0]; i++)
    check_stop(&stops[i]);
}

/* Between two rows nothing runs here, but the server goes on sending. */
static void
check_stop_between_rows(void)
{
  const struct tn_query query = { .sql = words->numbers };
  struct victim victim = { .conn = faults_open(url, 0) };
  tn_result *result = NULL;
  const tn_value *row = NULL;

  must(tn_conn_query(victim.conn, &query, &result, &victim.err), &victim.err,
       "query");
  must(tn_result_next(result, &row, &victim.err), &victim.err, "next");
  tn_conn_cancel(victim.conn);
  victim.rc = tn_result_next(result, &row, &victim.err);
  if (victim.rc != TN_E_CANCELED)
    fail("between rows: %s", tn_code_name((int32_t)victim.rc));
  tn_result_close(&result);
  count_stop(check_session(&victim, "between rows"));
  tn_conn_close(&victim.conn);
}

/* ------------------------------------------------------------------ */
/* Races                                                               */

struct worker {
  unsigned seed;
  tn_conn *conn;
  pthread_barrier_t barrier; /* of the worker and its canceler */
  atomic_bool is_over;
  int raced;
  int canceled;
  int lost;
};

static void
sleep_up_to(unsigned *seed, long max_us)
{
  const struct timespec pause = { .tv_nsec = rand_r(seed) % max_us * 1000 };

  nanosleep(&pause, NULL);
}

static void *
run_canceler(void *item)
{
  struct worker *worker = item;
  unsigned seed = worker->seed + 1000;

  for (;;) {
    pthread_barrier_wait(&worker->barrier);
    if (atomic_load(&worker->is_over))
      return NULL;
    sleep_up_to(&seed, 4000);
    tn_conn_cancel(worker->conn);
    pthread_barrier_wait(&worker->barrier);
  }
}

static void
race(struct worker *worker, int64_t number)
{
  char sql[128];
  tn_err err = TN_ERR_INIT;
  enum tn_code rc;

  faults_fill(sql, sizeof sql, words->number_after, "%.4f",
              rand_r(&worker->seed) % 30 / 10000.0);
  pthread_barrier_wait(&worker->barrier);
  rc = ask(worker->conn, sql, number, &err);
  pthread_barrier_wait(&worker->barrier);
  worker->canceled += rc == TN_E_CANCELED;
  if (rc != TN_OK && rc != TN_E_CANCELED)
    fail("race: %s: %s", tn_code_name((int32_t)rc), err.message);
  if (tn_conn_verdict(worker->conn) == TN_CONNECTION_DEAD) {
    worker->lost++;
    tn_conn_close(&worker->conn);
    worker->conn = faults_open(url, 0);
  }
  rc = ask(worker->conn, words->number_back, -number, &err);
  if (rc != TN_OK)
    fail("a later statement: %s: %s", tn_code_name((int32_t)rc), err.message);
}

static void *
run_worker(void *item)
{
  struct worker *worker = item;
  pthread_t canceler;

  worker->conn = faults_open(url, 0);
  pthread_barrier_init(&worker->barrier, NULL, 2);
  if (pthread_create(&canceler, NULL, run_canceler, worker) != 0)
    die("no thread to be had");
  while (worker->raced < RACES / WORKERS && tn_clock_now() < races_end) {
    worker->raced++;
    race(worker, worker->seed * 10000 + worker->raced);
  }
  atomic_store(&worker->is_over, true);
  pthread_barrier_wait(&worker->barrier);
  pthread_join(canceler, NULL);
  pthread_barrier_destroy(&worker->barrier);
  tn_conn_close(&worker->conn);
  return NULL;
}

struct bystander {
  atomic_bool is_over;
  int64_t logins;
  int64_t login_ms;
};

/* Nobody cancels what this one runs, whose session may get the number of one
 * that was given up. */
static void *
run_bystander(void *item)
{
  struct bystander *bystander = item;
  char sql[128];
  tn_err err = TN_ERR_INIT;
  int64_t number = 0;
  enum tn_code rc = TN_OK;

  faults_fill(sql, sizeof sql, words->number_after, "0.01");
  while (rc == TN_OK && !atomic_load(&bystander->is_over)) {
    int64_t began = tn_clock_now();
    tn_conn *conn = faults_open(url, 0);
    int i;

    bystander->login_ms += (tn_clock_now() - began) / NS_PER_MS;
    bystander->logins++;
    for (i = 0; rc == TN_OK && i < 20; i++)
      rc = ask(conn, sql, ++number, &err);
    tn_conn_close(&conn);
  }
  if (rc != TN_OK)
    fail("a bystander: %s: %s", tn_code_name((int32_t)rc), err.message);
  return NULL;
}

static void
check_races(void)
{
  static struct worker workers[WORKERS];
  static struct bystander bystander;
  pthread_t thread;
  int raced = 0;
  int canceled = 0;
  int lost = 0;
  int i;

  if (pthread_create(&thread, NULL, run_bystander, &bystander) != 0)
    die("no thread to be had");
  for (i = 0; i < WORKERS; i++)
    workers[i].seed = (unsigned)i + 1;
  faults_threads(run_worker, workers, WORKERS, sizeof workers[0]);
  atomic_store(&bystander.is_over, true);
  pthread_join(thread, NULL);
  for (i = 0; i < WORKERS; i++) {
    raced += workers[i].raced;
    canceled += workers[i].canceled;
    lost += workers[i].lost;
  }
  printf("%d races of %d: %d canceled, %d sessions given up\n", raced, RACES,
         canceled, lost);
  if (raced < FEWEST)
    die("that is too few");
  if (canceled < raced / 20 || canceled > raced - raced / 20)
    fail("so the races were none");
  printf("# a login takes %d ms meanwhile\n",
         (int)(bystander.login_ms / bystander.logins));
  if (bystander.login_ms <= BUSY_MS * bystander.logins &&
      lost > raced * LOST_PERCENT / 100)
    fail("too many sessions were given up");
}

int
main(int argc, char **argv)
{
  int i;

  words = faults_begin(argc, argv);
  faults_url(words, 0, NULL, url, sizeof url);
  observer = faults_open(url, 0);
  for (i = 0; i < TRIES; i++) {
    check_stops();
    check_stop_between_rows();
  }
  printf("%d stops: %d late, %d more while a login took over %d ms\n",
         stop_count, late_count, excused_count, BUSY_MS);
  if (late_count > stop_count * LATE_PERCENT / 100)
    fail("too many stops were late");
  if (argc > 2)
    races_end = tn_deadline_after_ms(strtoul(argv[2], NULL, 10) * 1000);
  check_races();
  tn_conn_close(&observer);
  return faults_end();
}
