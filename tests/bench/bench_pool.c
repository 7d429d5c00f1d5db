/* Take and give without a query, against the pool that everybody writes first:
 * a mutex, a condition variable and a list of free connections.
 *
 *   bench_pool [ROUNDS [MS]]  prints a row per workload: how many times as many
 *                             loans, minimum, median and maximum of the rounds,
 *                             and the ratio of the 99th percentiles of the time
 *                             of take and give (below 1: better) */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <tenon/tenon.h>
#include <time.h>

#define MAX_ROUNDS  101
#define MAX_THREADS 32
#define MAX_SIZE    8
#define SAMPLES     20000 /* of a thread, one loan in SAMPLE_EACH */
#define SAMPLE_EACH 251

/* ---- the prototype ---- */

struct list {
  pthread_mutex_t lock;
  pthread_cond_t freed;
  tn_conn *free[MAX_SIZE];
  int count;
};

static struct list list = { .lock = PTHREAD_MUTEX_INITIALIZER,
                            .freed = PTHREAD_COND_INITIALIZER };

static tn_conn *
list_take(void)
{
  tn_conn *conn;

  pthread_mutex_lock(&list.lock);
  while (list.count == 0)
    pthread_cond_wait(&list.freed, &list.lock);
  conn = list.free[--list.count];
  pthread_mutex_unlock(&list.lock);
  return conn;
}

static void
list_give(tn_conn *conn)
{
  pthread_mutex_lock(&list.lock);
  list.free[list.count++] = conn;
  pthread_cond_signal(&list.freed);
  pthread_mutex_unlock(&list.lock);
}

/* ---- ours ---- */

static tn_pool *pool;

static void
die(const char *what, const char *why)
{
  fprintf(stderr, "bench: %s: %s\n", what, why);
  exit(1);
}

static tn_conn *
pool_take(void)
{
  static const struct tn_loan loan = { .label = "bench" };
  tn_conn *conn = NULL;

  if (tn_pool_take(pool, &loan, &conn, NULL) != TN_OK)
    die("take", "failed");
  return conn;
}

static void
pool_give(tn_conn *conn)
{
  tn_pool_give(&conn);
}

/* Many at a time, without a call by a pointer for each. */
static void
list_lend(unsigned count)
{
  while (count-- > 0)
    list_give(list_take());
}

static void
pool_lend(unsigned count)
{
  while (count-- > 0)
    pool_give(pool_take());
}

struct side {
  tn_conn *(*take)(void);
  void (*give)(tn_conn *conn);
  void (*lend)(unsigned count); /* take and give, so many times */
};

static const struct side sides[2] = { { list_take, list_give, list_lend },
                                      { pool_take, pool_give, pool_lend } };

static enum tn_code
connect_memory(void *user, tn_deadline deadline, tn_conn **ret, tn_err *err)
{
  const struct tn_conn_options options = { .deadline = deadline };

  (void)user;
  return tn_conn_open("sqlite://", &options, ret, err);
}

/* ---- the workloads ---- */

struct workload {
  const char *name;
  int threads;
  int size;
  int hold_us; /* how long each keeps it */
  int slices;  /* turns of each side in a round */
  double goal; /* loans, at least so many times as many; 0: none */
};

static const struct workload workloads[] = {
  { "1 thread", 1, 8, 0, 10, 1.4 },
  { "2 threads on 8", 2, 8, 0, 1, 0 },
  { "8 threads on 8", 8, 8, 0, 1, 8 },
  { "32 threads on 8", 32, 8, 0, 1, 3 },
  { "32 threads on 4, 100 us each", 32, 4, 100, 1, 0 },
};

struct worker {
  pthread_t thread;
  const struct side *side;
  int hold_us;
  uint64_t loans;
  unsigned sample_count;
  int64_t samples[SAMPLES];
};

static struct worker workers[MAX_THREADS];
static atomic_bool is_over;
static pthread_barrier_t barrier;

static void
hold(int us)
{
  const struct timespec pause = { .tv_nsec = us * 1000L };

  if (us > 0)
    nanosleep(&pause, NULL);
}

/* One loan whose take and give are measured, if there is room for it. */
static void
lend_timed(struct worker *worker)
{
  int64_t start = tn_clock_now();
  tn_conn *conn = worker->side->take();
  int64_t held = 0;

  if (worker->hold_us > 0) {
    held = -tn_clock_now();
    hold(worker->hold_us);
    held += tn_clock_now();
  }
  worker->side->give(conn);
  if (worker->sample_count < SAMPLES)
    worker->samples[worker->sample_count++] = tn_clock_now() - start - held;
}

static void *
work(void *arg)
{
  struct worker *worker = arg;
  const struct side *side = worker->side;
  unsigned between = worker->hold_us > 0 ? 0 : SAMPLE_EACH - 1;
  uint64_t loans = 0;

  pthread_barrier_wait(&barrier);
  while (!atomic_load_explicit(&is_over, memory_order_relaxed)) {
    lend_timed(worker);
    side->lend(between);
    loans += between + 1;
  }
  worker->loans = loans;
  return NULL;
}

static int64_t all_samples[MAX_THREADS * SAMPLES];

static int
by_time(const void *a, const void *b)
{
  int64_t left = *(const int64_t *)a;
  int64_t right = *(const int64_t *)b;

  return (left > right) - (left < right);
}

static int
by_size(const void *a, const void *b)
{
  double left = *(const double *)a;
  double right = *(const double *)b;

  return (left > right) - (left < right);
}

struct outcome {
  double loans;
  double p99;
};

/* A thread that is alone has one processor, the same on both sides: they are
 * not equally fast where others use them too. */
static void
init_attributes(pthread_attr_t *attributes, int threads)
{
  cpu_set_t all, one;
  int cpu = 0;

  pthread_attr_init(attributes);
  if (threads > 1 || sched_getaffinity(0, sizeof all, &all) != 0)
    return;
  while (!CPU_ISSET(cpu, &all))
    cpu++;
  CPU_ZERO(&one);
  CPU_SET(cpu, &one);
  pthread_attr_setaffinity_np(attributes, sizeof one, &one);
}

static struct outcome
run_side(const struct workload *work_load, const struct side *side, int ms)
{
  const struct timespec pause = { .tv_sec = ms / 1000,
                                  .tv_nsec = ms % 1000 * 1000000L };
  struct outcome outcome = { 0, 0 };
  pthread_attr_t attributes;
  size_t count = 0;
  int i;

  atomic_store(&is_over, false);
  pthread_barrier_init(&barrier, NULL, (unsigned)work_load->threads + 1);
  init_attributes(&attributes, work_load->threads);
  for (i = 0; i < work_load->threads; i++) {
    workers[i].side = side;
    workers[i].hold_us = work_load->hold_us;
    workers[i].sample_count = 0;
    if (pthread_create(&workers[i].thread, &attributes, work, &workers[i]) != 0)
      die("thread", "none to be had");
  }
  pthread_attr_destroy(&attributes);
  pthread_barrier_wait(&barrier);
  nanosleep(&pause, NULL);
  atomic_store(&is_over, true);
  for (i = 0; i < work_load->threads; i++) {
    unsigned j;

    pthread_join(workers[i].thread, NULL);
    outcome.loans += (double)workers[i].loans;
    for (j = 0; j < workers[i].sample_count; j++)
      all_samples[count++] = workers[i].samples[j];
  }
  pthread_barrier_destroy(&barrier);
  qsort(all_samples, count, sizeof all_samples[0], by_time);
  outcome.p99 = count > 0 ? (double)all_samples[count * 99 / 100] : 0;
  return outcome;
}

static void
set_up(const struct workload *work_load)
{
  struct tn_pool_options options = TN_POOL_OPTIONS_INIT;
  tn_err err = TN_ERR_INIT;
  int i;

  options.connect = connect_memory;
  options.size = (uint32_t)work_load->size;
  options.tick_ms = 1000;
  if (tn_pool_open(&options, &pool, &err) != TN_OK)
    die("pool", err.message);
  for (list.count = 0, i = 0; i < work_load->size; i++)
    if (connect_memory(NULL, TN_DEADLINE_NONE, &list.free[list.count++],
                       &err) != TN_OK)
      die("connect", err.message);
}

static void
tear_down(void)
{
  while (list.count > 0)
    tn_conn_close(&list.free[--list.count]);
  tn_pool_close(&pool);
}

/* A machine that others use too may change its speed many times a second, which
 * threads that wait for one another even out. */
static void
add_slice(struct outcome *outcome, const struct workload *work_load,
          const struct side *side, int ms)
{
  int slices = work_load->slices;
  struct outcome slice =
      run_side(work_load, side, ms < slices ? 1 : ms / slices);

  outcome->loans += slice.loans;
  outcome->p99 += slice.p99 / slices;
}

static void
run_workload(const struct workload *work_load, int rounds, int ms)
{
  double ratios[MAX_ROUNDS];
  double tails[MAX_ROUNDS];
  double loans[MAX_ROUNDS];
  int round;

  set_up(work_load);
  for (round = -1; round < rounds; round++) {
    struct outcome outcomes[2] = { { 0, 0 }, { 0, 0 } };
    int slice;

    for (slice = 0; slice < work_load->slices; slice++) {
      int first = (round + slice) % 2 == 0;

      add_slice(&outcomes[first], work_load, &sides[first], ms);
      add_slice(&outcomes[!first], work_load, &sides[!first], ms);
    }
    if (round < 0) /* warming up */
      continue;
    ratios[round] = outcomes[1].loans / outcomes[0].loans;
    tails[round] = outcomes[1].p99 / outcomes[0].p99;
    loans[round] = outcomes[1].loans / ms / 1000;
  }
  tear_down();
  qsort(ratios, (size_t)rounds, sizeof ratios[0], by_size);
  qsort(tails, (size_t)rounds, sizeof tails[0], by_size);
  qsort(loans, (size_t)rounds, sizeof loans[0], by_size);
  printf("%-30s %4.1f  %7.2f %7.2f %7.2f  p99 %5.2f  (%.2f million a second)\n",
         work_load->name, work_load->goal, ratios[0], ratios[rounds / 2],
         ratios[rounds - 1], tails[rounds / 2], loans[rounds / 2]);
  fflush(stdout);
}

int
main(int argc, char **argv)
{
  int rounds = argc > 1 ? atoi(argv[1]) : 7;
  int ms = argc > 2 ? atoi(argv[2]) : 150;
  size_t i;

  if (rounds < 1 || rounds > MAX_ROUNDS || ms < 1)
    die("usage", "bench_pool [ROUNDS [MS]]");
  printf("%-30s goal      min  median     max\n", "loans, to mutex and list");
  for (i = 0; i < sizeof workloads / sizeof workloads[0]; i++)
    run_workload(&workloads[i], rounds, ms);
  return 0;
}
