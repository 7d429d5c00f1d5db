/* 1,000 queries at once in two threads: each is a coroutine, a call of async.h,
 * and each thread has a scheduler that looks after its half of them by epoll.
 * They share the connections of one pool; who finds none waits in its queue,
 * without the thread.
 *
 *   coroutines URL STATEMENT MILLISECONDS
 *
 * STATEMENT has one `?` and answers with what is put there, after a little
 * sleep on the server. They are to be through in so many milliseconds. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <tenon/tenon.h>
#include <unistd.h>

#define THREADS     2
#define QUERIES     500 /* of each thread */
#define CONNECTIONS 100
#define EVENTS      64

struct coroutine {
  tn_async *async;
  struct scheduler *scheduler;
  int64_t number;
  int64_t answer;
};

struct scheduler {
  struct coroutine coroutines[QUERIES];
  tn_engine *db;
  const char *sql;
  tn_deadline deadline; /* of all */
  pthread_barrier_t *barrier;
  int epoll;
  int waiting;          /* coroutines that have not ended */
  int at_once;          /* the same, once all have begun */
  unsigned connections; /* that there were, at most */
  int right;            /* answers */
};

/* ---- what a coroutine does ---- */

static enum tn_code
ask(void *user, tn_err *err)
{
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  struct coroutine *coroutine = user;
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
  if (rc == TN_OK)
    rc = tn_value_to_int64(&row[0], &coroutine->answer, err);
  return rc;
}

/* ---- the scheduler ---- */

/* Put what it waits for into the set. */
static void
watch(struct coroutine *coroutine)
{
  const uint32_t wanted = tn_async_events(coroutine->async);
  struct epoll_event event = { .data.ptr = coroutine };

  if (tn_async_fd(coroutine->async) < 0)
    return;
  if ((wanted & TN_WAIT_READ) != 0)
    event.events |= EPOLLIN;
  if ((wanted & TN_WAIT_WRITE) != 0)
    event.events |= EPOLLOUT;
  if (epoll_ctl(coroutine->scheduler->epoll, EPOLL_CTL_ADD,
                tn_async_fd(coroutine->async), &event) != 0)
    perror("epoll_ctl");
}

static void
end(struct coroutine *coroutine)
{
  struct scheduler *scheduler = coroutine->scheduler;
  tn_err err = TN_ERR_INIT;

  if (tn_async_result(coroutine->async, &err) != TN_OK)
    fprintf(stderr, "%s\n", err.message);
  else if (coroutine->answer == coroutine->number)
    scheduler->right++;
  scheduler->waiting--;
  tn_async_close(&coroutine->async);
}

/* The descriptor leaves the set first: the call may close it. */
static void
go_on(struct coroutine *coroutine, uint32_t ready)
{
  const int fd = tn_async_fd(coroutine->async);
  tn_err err = TN_ERR_INIT;

  if (fd >= 0)
    (void)epoll_ctl(coroutine->scheduler->epoll, EPOLL_CTL_DEL, fd, NULL);
  if (tn_async_continue(coroutine->async, ready, &err) != TN_OK)
    fprintf(stderr, "%s\n", err.message);
  if (tn_async_state(coroutine->async) == TN_ASYNC_ENDED)
    end(coroutine);
  else
    watch(coroutine);
}

/* Go on with those whose time has come, and see when the next one's does. More
 * than hundreds would be kept in a heap. */
static tn_deadline
serve_timeouts(struct scheduler *scheduler)
{
  tn_deadline next = TN_DEADLINE_NONE;
  int64_t now = tn_clock_now();

  for (int i = 0; i < QUERIES; i++) {
    struct coroutine *coroutine = &scheduler->coroutines[i];

    if (coroutine->async != NULL && tn_async_until(coroutine->async) <= now)
      go_on(coroutine, 0);
    if (coroutine->async != NULL && tn_async_until(coroutine->async) < next)
      next = tn_async_until(coroutine->async);
  }
  return next;
}

/* Wait for events, at most until `until`. */
static void
serve_events(struct scheduler *scheduler, tn_deadline until)
{
  struct epoll_event events[EVENTS];
  int64_t left = until - tn_clock_now();
  int timeout = 1000;
  int count;

  if (left < INT64_C(1000000000))
    timeout = left > 0 ? (int)((left + 999999) / 1000000) : 0;
  count = epoll_wait(scheduler->epoll, events, EVENTS, timeout);
  for (int i = 0; i < count; i++) {
    uint32_t ready = 0;

    if ((events[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0)
      ready |= TN_WAIT_READ;
    if ((events[i].events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0)
      ready |= TN_WAIT_WRITE;
    go_on(events[i].data.ptr, ready);
  }
}

static void
begin(struct scheduler *scheduler, struct coroutine *coroutine)
{
  tn_err err = TN_ERR_INIT;

  coroutine->scheduler = scheduler;
  if (tn_async_start(ask, coroutine, NULL, &coroutine->async, &err) != TN_OK) {
    fprintf(stderr, "%s\n", err.message);
    return;
  }
  scheduler->waiting++;
  if (tn_async_state(coroutine->async) == TN_ASYNC_ENDED)
    end(coroutine);
  else
    watch(coroutine);
}

static void
count_connections(struct scheduler *scheduler)
{
  struct tn_pool_stats stats = { .struct_size = sizeof stats };
  unsigned count;

  tn_pool_stats(tn_engine_pool(scheduler->db), &stats);
  count = stats.idle + stats.lent + stats.connecting;
  if (count > scheduler->connections)
    scheduler->connections = count;
}

static void *
thread_main(void *user)
{
  struct scheduler *scheduler = user;

  for (int i = 0; i < QUERIES; i++)
    begin(scheduler, &scheduler->coroutines[i]);
  scheduler->at_once = scheduler->waiting;
  pthread_barrier_wait(scheduler->barrier);
  while (scheduler->waiting > 0) {
    serve_events(scheduler, serve_timeouts(scheduler));
    count_connections(scheduler);
  }
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
    { "pool_tick_time", "0" },
  };
  struct tn_engine_options options = TN_ENGINE_OPTIONS_INIT;
  enum tn_code rc;

  options.wait = tn_async_wait;
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
  pthread_barrier_t barrier;
  pthread_t threads[THREADS];

  pthread_barrier_init(&barrier, NULL, THREADS);
  for (int i = 0; i < THREADS; i++) {
    schedulers[i].db = db;
    schedulers[i].sql = sql;
    schedulers[i].deadline = deadline;
    schedulers[i].barrier = &barrier;
    schedulers[i].epoll = epoll_create1(EPOLL_CLOEXEC);
    for (int k = 0; k < QUERIES; k++)
      schedulers[i].coroutines[k].number = i * QUERIES + k + 1;
    if (pthread_create(&threads[i], NULL, thread_main, &schedulers[i]) != 0)
      abort();
  }
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
    close(schedulers[i].epoll);
  }
  pthread_barrier_destroy(&barrier);
}

int
main(int argc, char **argv)
{
  static struct scheduler schedulers[THREADS];
  TN_CLEANUP(tn_engine_close) tn_engine *db = NULL;
  tn_err err = TN_ERR_INIT;
  unsigned connections = 0;
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
    if (schedulers[i].connections > connections)
      connections = schedulers[i].connections;
  }
  printf("%d queries at once in %d threads, over %u connections: %d right\n",
         at_once, THREADS, connections, right);
  return at_once == THREADS * QUERIES && right == THREADS * QUERIES &&
                 connections <= CONNECTIONS
             ? 0
             : 1;
}
