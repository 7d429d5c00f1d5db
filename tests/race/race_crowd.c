/* 32 threads on four connections of a real database, for SECONDS, with takes
 * and statements that end at random deadlines, and a thread that cancels at
 * random: who has time is never sent away and hardly overtaken, every answer
 * is to its question, and the numbers add up.
 *
 *   race_crowd URL SECONDS
 *
 * That the order is strict race_pool proves, which sees the queue; from here
 * one sees only what was lent between a question and its answer. */
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <tenon/tenon.h>

#define THREADS 32
#define SIZE    4
#define ROWS    100

/* In a strict order the 31 others are served once before it is one's turn; the
 * rest is for threads that do not run between asking and standing in line. */
#define OVERTAKEN_MAX (UINT64_C(20) * THREADS)

#define LONG_MS 60000

/* What one thread did, for the sums. */
struct sums {
  uint64_t takes;
  uint64_t timeouts;
  uint64_t begins;
  uint64_t commits;
  uint64_t failures;
  uint64_t rows;
  uint64_t canceled;
  uint64_t late;
  uint64_t overtaken; /* at most */
};

struct worker {
  unsigned seed;
  tn_conn *conn; /* on loan, for the canceler; under `lock` */
  struct sums sums;
};

static struct worker workers[THREADS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static tn_engine *engine;
static tn_deadline end;
static _Atomic uint64_t lent; /* loans so far */
static atomic_int wrong;

__attribute__((format(printf, 1, 2))) static void
fail(const char *fmt, ...)
{
  va_list args;

  va_start(args, fmt);
  if (atomic_fetch_add(&wrong, 1) < 10) {
    fputs("wrong: ", stderr);
    vfprintf(stderr, fmt, args);
    fputc('\n', stderr);
  }
  va_end(args);
}

static void
must(enum tn_code rc, const tn_err *err)
{
  if (rc == TN_OK)
    return;
  fprintf(stderr, "%s\n", err->message);
  exit(1);
}

static bool
is_over(void)
{
  return tn_clock_now() >= end;
}

static unsigned
draw(struct worker *worker, unsigned below)
{
  return (unsigned)rand_r(&worker->seed) % below;
}

/* ---- statements ---- */

static enum tn_code
number_of(tn_conn *conn, const struct tn_query *query, struct sums *sums,
          int64_t *ret, tn_err *err)
{
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  enum tn_code rc = tn_conn_query(conn, query, &result, err);

  if (rc == TN_OK)
    rc = tn_result_next(result, &row, err);
  if (rc != TN_OK)
    return rc;
  if (row == NULL) {
    fail("no row");
    return TN_OK;
  }
  *ret = row[0].as.int64;
  sums->rows++;
  return tn_result_next(result, &row, err);
}

/* A cancel may hit any call of the loan, a deadline the one that has it. */
static enum tn_code
note(struct worker *worker, enum tn_code rc, const tn_err *err,
     bool may_be_late)
{
  if (rc == TN_OK)
    return rc;
  worker->sums.failures++;
  if (rc == TN_E_CANCELED || rc == TN_E_UNCERTAIN)
    worker->sums.canceled++;
  else if (rc == TN_E_TIMEOUT && may_be_late)
    worker->sums.late++;
  else
    fail("%s: %s", tn_code_name((int32_t)rc), err->message);
  return rc;
}

static enum tn_code
ask(struct worker *worker, tn_conn *conn)
{
  const tn_value value = tn_int64(draw(worker, ROWS));
  const struct tn_query query = {
    .sql = "SELECT number FROM crowd_rows WHERE number = ?",
    .values = &value,
    .value_count = 1,
    .deadline = tn_deadline_after_ms(LONG_MS)
  };
  tn_err err = TN_ERR_INIT;
  int64_t number = -1;
  enum tn_code rc = number_of(conn, &query, &worker->sums, &number, &err);

  if (rc == TN_OK && number != value.as.int64)
    fail("%" PRId64 " for %" PRId64, number, value.as.int64);
  return note(worker, rc, &err, false);
}

/* It takes far longer than it may, and no server thinks that it will. */
static enum tn_code
ask_too_much(struct worker *worker, tn_conn *conn)
{
  const struct tn_query query = {
    .sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
           "WHERE i < 900) SELECT count(*) FROM n a, n b, n c, n d "
           "WHERE a.i + b.i + c.i + d.i = -1",
    .deadline = tn_deadline_after_ms(1 + draw(worker, 20))
  };
  tn_err err = TN_ERR_INIT;
  int64_t number = -1;
  enum tn_code rc = number_of(conn, &query, &worker->sums, &number, &err);

  if (rc == TN_OK)
    fail("it has been counted to the end");
  return note(worker, rc, &err, true);
}

static void
use(struct worker *worker, tn_conn *conn)
{
  tn_err err = TN_ERR_INIT;
  bool is_txn = draw(worker, 4) == 0;

  if (is_txn) {
    if (note(worker, tn_conn_begin(conn, NULL, &err), &err, false) != TN_OK)
      return;
    worker->sums.begins++;
  }
  if (ask(worker, conn) != TN_OK)
    return;
  if (draw(worker, 10) == 0 && ask_too_much(worker, conn) != TN_OK)
    return;
  if (is_txn && note(worker, tn_conn_commit(conn, &err), &err, false) == TN_OK)
    worker->sums.commits++;
}

/* ---- loans ---- */

static void
set_conn(struct worker *worker, tn_conn *conn)
{
  pthread_mutex_lock(&lock);
  worker->conn = conn;
  pthread_mutex_unlock(&lock);
}

static void
borrow(struct worker *worker)
{
  bool has_time = draw(worker, 4) != 0;
  const struct tn_loan loan = { .label = "crowd",
                                .deadline = tn_deadline_after_ms(
                                    has_time ? LONG_MS : draw(worker, 20)) };
  tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;
  uint64_t before = atomic_load(&lent);
  enum tn_code rc = tn_engine_take(engine, &loan, &conn, &err);
  uint64_t between = atomic_fetch_add(&lent, rc == TN_OK) - before;

  if (rc != TN_OK) {
    worker->sums.timeouts++;
    if (rc != TN_E_TIMEOUT || has_time)
      fail("take: %s: %s", tn_code_name((int32_t)rc), err.message);
    return;
  }
  worker->sums.takes++;
  if (between > worker->sums.overtaken)
    worker->sums.overtaken = between;
  set_conn(worker, conn);
  use(worker, conn);
  set_conn(worker, NULL);
  tn_pool_give(&conn);
}

static void *
run_worker(void *item)
{
  while (!is_over())
    borrow(item);
  return NULL;
}

static void *
run_canceler(void *unused)
{
  const struct timespec pause = { .tv_nsec = 2000000 };
  unsigned seed = 7;

  while (!is_over()) {
    const struct worker *worker = &workers[rand_r(&seed) % THREADS];

    nanosleep(&pause, NULL);
    pthread_mutex_lock(&lock);
    if (worker->conn != NULL)
      tn_conn_cancel(worker->conn);
    pthread_mutex_unlock(&lock);
  }
  return unused;
}

/* ---- sums ---- */

static void
expect_same(const char *what, uint64_t found, uint64_t wanted)
{
  if (found != wanted)
    fail("%s: %" PRIu64 ", not %" PRIu64, what, found, wanted);
}

static void
add(struct sums *all, const struct sums *sums)
{
  all->takes += sums->takes;
  all->timeouts += sums->timeouts;
  all->begins += sums->begins;
  all->commits += sums->commits;
  all->failures += sums->failures;
  all->rows += sums->rows;
  all->canceled += sums->canceled;
  all->late += sums->late;
  if (sums->overtaken > all->overtaken)
    all->overtaken = sums->overtaken;
}

static void
check_pool(const struct sums *all)
{
  struct tn_pool_stats stats = { .struct_size = sizeof stats };
  uint64_t waits = 0;

  tn_pool_stats(tn_engine_pool(engine), &stats);
  expect_same("takes", stats.takes, all->takes);
  expect_same("takes that were late", stats.timeouts, all->timeouts);
  expect_same("lent", stats.lent, 0);
  expect_same("waiting", stats.waiting, 0);
  expect_same("connects", stats.connects, stats.closes + stats.idle);
  for (int i = 0; i < TN_POOL_WAIT_BUCKETS; i++)
    waits += stats.wait_histogram[i];
  expect_same("waits by length", waits, stats.waits);
  if (stats.idle > SIZE)
    fail("%u are open", stats.idle);
  printf("%" PRIu64 " takes, %" PRIu64 " waits, %" PRIu64 " connects, ",
         stats.takes, stats.waits, stats.connects);
}

static void
check_sums(void)
{
  struct tn_engine_stats stats = { .struct_size = sizeof stats };
  struct sums all = { 0 };

  for (size_t i = 0; i < THREADS; i++)
    add(&all, &workers[i].sums);
  check_pool(&all);
  tn_engine_stats(engine, &stats);
  expect_same("begins", stats.begins, all.begins);
  expect_same("commits", stats.commits, all.commits);
  expect_same("failures", stats.failures, all.failures);
  expect_same("rows", stats.rows, all.rows);
  printf("%" PRIu64 " late takes, %" PRIu64 " late statements, %" PRIu64
         " canceled, overtaken by %" PRIu64 " at most\n",
         all.timeouts, all.late, all.canceled, all.overtaken);
  if (all.timeouts == 0 || all.late == 0 || all.canceled == 0)
    fail("so the crowd was none");
  if (all.overtaken > OVERTAKEN_MAX)
    fail("somebody has waited for too many others");
}

static void
set_up(const char *url)
{
  char size[16];
  const struct tn_setting settings[] = { { "max_pool_size", size },
                                         { "max_overflow", "0" } };
  struct tn_engine_options options = TN_ENGINE_OPTIONS_INIT;
  tn_err err = TN_ERR_INIT;

  snprintf(size, sizeof size, "%d", SIZE);
  options.settings = settings;
  options.setting_count = sizeof settings / sizeof settings[0];
  must(tn_engine_open(url, &options, &engine, &err), &err);
}

static void
fill(const char *url)
{
  tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;
  char sql[80];

  must(tn_conn_open(url, NULL, &conn, &err), &err);
  must(tn_conn_exec(conn, "DROP TABLE IF EXISTS crowd_rows", NULL, &err), &err);
  must(tn_conn_exec(conn, "CREATE TABLE crowd_rows (number integer)", NULL,
                    &err),
       &err);
  for (int i = 0; i < ROWS; i++) {
    snprintf(sql, sizeof sql, "INSERT INTO crowd_rows VALUES (%d)", i);
    must(tn_conn_exec(conn, sql, NULL, &err), &err);
  }
  tn_conn_close(&conn);
}

int
main(int argc, char **argv)
{
  pthread_t threads[THREADS];
  pthread_t canceler;

  if (argc != 3) {
    fprintf(stderr, "usage: race_crowd URL SECONDS\n");
    return 2;
  }
  fill(argv[1]);
  set_up(argv[1]);
  end = tn_deadline_after_ms(strtoul(argv[2], NULL, 10) * 1000);
  for (size_t i = 0; i < THREADS; i++) {
    workers[i].seed = (unsigned)i + 1;
    if (pthread_create(&threads[i], NULL, run_worker, &workers[i]) != 0)
      return 1;
  }
  if (pthread_create(&canceler, NULL, run_canceler, NULL) != 0)
    return 1;
  for (size_t i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  pthread_join(canceler, NULL);
  check_sums();
  tn_engine_close(&engine);
  printf("%d wrong\n", atomic_load(&wrong));
  return atomic_load(&wrong) != 0;
}
