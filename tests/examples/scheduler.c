/* 1,000 queries at once in two threads by a scheduler of the program's own: its
 * coroutines call the library as if they had a thread each, and `wait` gives
 * the processor to another one instead of waiting. They share the connections
 * of one pool; who finds none waits for its turn in the same way.
 *
 *   scheduler URL STATEMENT MILLISECONDS
 *
 * STATEMENT has one `?` and answers with what is put there, after a little
 * sleep on the server. They are to be through in so many milliseconds. */
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <tenon/tenon.h>
#include <ucontext.h>

#define THREADS     2
#define QUERIES     500 /* of each thread */
#define CONNECTIONS 100
#define STACK_SIZE  262144

#define NS_PER_MS 1000000

struct coroutine {
  ucontext_t context;
  void *stack;
  struct scheduler *scheduler;
  int64_t number;
  enum tn_code rc;
  bool has_ended;
  int fd; /* what it waits for */
  uint32_t events;
  tn_deadline until;
  uint32_t ready; /* what has come of that */
};

struct scheduler {
  struct coroutine coroutines[QUERIES];
  ucontext_t context; /* of the loop */
  struct coroutine *running;
  tn_engine *db;
  const char *sql;
  tn_deadline deadline; /* of all */
  int waiting;          /* coroutines that have not ended */
  int at_once;          /* the same, once all have begun */
  int right;            /* answers */
};

/* The one of this thread; a pool's own thread has none. */
static _Thread_local struct scheduler *scheduler_here;

/* ---- what a coroutine does ---- */

static enum tn_code
ask(const struct coroutine *coroutine, int64_t *ret, tn_err *err)
{
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value number = tn_int64(coroutine->number);
  const struct tn_query query = { .sql = coroutine->scheduler->sql,
                                  .values = &number,
                                  .value_count = 1,
                                  .deadline = coroutine->scheduler->deadline };
  const tn_value *row = NULL;
  enum tn_code rc =
      tn_engine_query(coroutine->scheduler->db, &query, &result, err);

  if (rc == TN_OK)
    rc = tn_result_next(result, &row, err);
  if (rc == TN_OK && row == NULL)
    rc = tn_err_set(err, TN_E_NOT_FOUND, "no row");
  return rc == TN_OK ? tn_value_to_int64(&row[0], ret, err) : rc;
}

static void
run_coroutine(void)
{
  struct scheduler *scheduler = scheduler_here;
  struct coroutine *coroutine = scheduler->running;
  tn_err err = TN_ERR_INIT;
  int64_t answer = 0;

  coroutine->rc = ask(coroutine, &answer, &err);
  if (coroutine->rc != TN_OK)
    fprintf(stderr, "%s\n", err.message);
  else
    scheduler->right += answer == coroutine->number;
  coroutine->has_ended = true;
  scheduler->waiting--;
}

/* ---- the scheduler ---- */

static int
milliseconds_to(tn_deadline until)
{
  int64_t left = until - tn_clock_now();

  if (left >= INT64_C(1000) * NS_PER_MS)
    return 1000; /* and look again */
  return left > 0 ? (int)((left + NS_PER_MS - 1) / NS_PER_MS) : 0;
}

static struct pollfd
polled_for(int fd, uint32_t events)
{
  struct pollfd polled = { .fd = fd };

  if ((events & TN_WAIT_READ) != 0)
    polled.events |= POLLIN;
  if ((events & TN_WAIT_WRITE) != 0)
    polled.events |= POLLOUT;
  return polled;
}

static uint32_t
ready_of(const struct pollfd *polled)
{
  uint32_t ready = 0;

  if ((polled->revents & (POLLIN | POLLERR | POLLHUP | POLLNVAL)) != 0)
    ready |= TN_WAIT_READ;
  if ((polled->revents & (POLLOUT | POLLERR | POLLHUP | POLLNVAL)) != 0)
    ready |= TN_WAIT_WRITE;
  return ready;
}

/* tn_wait_fn: the library calls it in place of poll(2). */
static int
wait_in_turn(int fd, uint32_t events, tn_deadline until, void *user)
{
  struct scheduler *scheduler = scheduler_here;
  struct pollfd polled = polled_for(fd, events);
  struct coroutine *coroutine;

  (void)user;
  if (scheduler == NULL || scheduler->running == NULL)
    return poll(&polled, 1, milliseconds_to(until)) < 0
               ? 0
               : (int)(ready_of(&polled) & events);
  coroutine = scheduler->running;
  coroutine->fd = fd;
  coroutine->events = events;
  coroutine->until = until;
  if (swapcontext(&coroutine->context, &scheduler->context) != 0)
    return -1;
  return (int)(coroutine->ready & events);
}

/* Until it waits, or ends. */
static void
go_on(struct scheduler *scheduler, struct coroutine *coroutine, uint32_t ready)
{
  coroutine->ready = ready;
  scheduler->running = coroutine;
  if (swapcontext(&scheduler->context, &coroutine->context) != 0)
    abort();
  scheduler->running = NULL;
}

static void
begin(struct scheduler *scheduler, struct coroutine *coroutine)
{
  coroutine->scheduler = scheduler;
  coroutine->stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
  if (coroutine->stack == MAP_FAILED || getcontext(&coroutine->context) != 0)
    abort();
  coroutine->context.uc_stack.ss_sp = coroutine->stack;
  coroutine->context.uc_stack.ss_size = STACK_SIZE;
  coroutine->context.uc_link = &scheduler->context;
  makecontext(&coroutine->context, run_coroutine, 0);
  scheduler->waiting++;
  go_on(scheduler, coroutine, 0);
}

/* Wait for what all wait for, and go on with those that have it. */
static void
take_turns(struct scheduler *scheduler)
{
  struct pollfd polled[QUERIES];
  tn_deadline next = TN_DEADLINE_NONE;
  int64_t now;

  for (int i = 0; i < QUERIES; i++) {
    const struct coroutine *coroutine = &scheduler->coroutines[i];

    polled[i] = polled_for(coroutine->has_ended ? -1 : coroutine->fd,
                           coroutine->events);
    if (!coroutine->has_ended && coroutine->until < next)
      next = coroutine->until;
  }
  if (poll(polled, QUERIES, milliseconds_to(next)) < 0)
    return;
  now = tn_clock_now();
  for (int i = 0; i < QUERIES; i++) {
    struct coroutine *coroutine = &scheduler->coroutines[i];

    if (!coroutine->has_ended &&
        (polled[i].revents != 0 || coroutine->until <= now))
      go_on(scheduler, coroutine, ready_of(&polled[i]));
  }
}

static void *
thread_main(void *user)
{
  struct scheduler *scheduler = user;

  scheduler_here = scheduler;
  for (int i = 0; i < QUERIES; i++)
    begin(scheduler, &scheduler->coroutines[i]);
  scheduler->at_once = scheduler->waiting;
  while (scheduler->waiting > 0)
    take_turns(scheduler);
  for (int i = 0; i < QUERIES; i++)
    (void)munmap(scheduler->coroutines[i].stack, STACK_SIZE);
  return NULL;
}

/* ---- both of them ---- */

/* Each that waits for a connection takes a descriptor to do so. */
static void
raise_limit(void)
{
  struct rlimit limit;

  if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* An engine, and its connections ready. */
static enum tn_code
open_engine(const char *url, tn_engine **ret, tn_err *err)
{
  static const struct tn_setting settings[] = {
    { "max_pool_size", "100" },
    { "max_overflow", "0" },
    { "pool_min_idle", "100" },
  };
  struct tn_engine_options options = TN_ENGINE_OPTIONS_INIT;
  enum tn_code rc;

  options.wait = wait_in_turn;
  options.settings = settings;
  options.setting_count = sizeof settings / sizeof settings[0];
  rc = tn_engine_open(url, &options, ret, err);
  if (rc == TN_OK)
    tn_engine_tick(*ret);
  return rc;
}

static void
run(struct scheduler schedulers[THREADS], tn_engine *db, const char *sql,
    tn_deadline deadline)
{
  pthread_t threads[THREADS];

  for (int i = 0; i < THREADS; i++) {
    schedulers[i].db = db;
    schedulers[i].sql = sql;
    schedulers[i].deadline = deadline;
    for (int k = 0; k < QUERIES; k++)
      schedulers[i].coroutines[k].number = i * QUERIES + k + 1;
    if (pthread_create(&threads[i], NULL, thread_main, &schedulers[i]) != 0)
      abort();
  }
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
}

int
main(int argc, char **argv)
{
  static struct scheduler schedulers[THREADS];
  TN_CLEANUP(tn_engine_close) tn_engine *db = NULL;
  struct tn_pool_stats stats = { .struct_size = sizeof stats };
  tn_err err = TN_ERR_INIT;
  int at_once = 0;
  int right = 0;

  if (argc != 4)
    return 2;
  raise_limit();
  if (open_engine(argv[1], &db, &err) != TN_OK) {
    fprintf(stderr, "%s\n", err.message);
    return 1;
  }
  run(schedulers, db, argv[2],
      tn_deadline_after_ms(strtoul(argv[3], NULL, 10)));
  for (int i = 0; i < THREADS; i++) {
    at_once += schedulers[i].at_once;
    right += schedulers[i].right;
  }
  tn_pool_stats(tn_engine_pool(db), &stats);
  printf("%d queries at once in %d threads, over %u connections: %d right\n",
         at_once, THREADS, stats.idle, right);
  return at_once == THREADS * QUERIES && right == THREADS * QUERIES &&
                 stats.idle <= CONNECTIONS
             ? 0
             : 1;
}
