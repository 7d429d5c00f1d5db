/* Blocking functions race with deadlines and cancels: each ends as the
 * caller's or is released, once, and none is released while it runs. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "offload.h"

#define WORKERS   4
#define JOBS      1000 /* of each */
#define NS_PER_US 1000

struct worker {
  pthread_t thread;
  unsigned seed;
  int wake_fd;
  _Atomic uint32_t canceled;
  pthread_mutex_t lock; /* over both: a cancel is whole or not at all */
  long kept;
  long given_up;
};

struct job {
  long sleep_ns;
  int runs; /* not atomic: TSan sees to it that nobody else is there */
};

static struct worker workers[WORKERS];
static atomic_long released;
static atomic_long wrong;
static atomic_bool is_over;

static void
pause_ns(long nanoseconds)
{
  const struct timespec pause = { .tv_nsec = nanoseconds };

  nanosleep(&pause, NULL);
}

static void
run_job(void *user)
{
  struct job *job = user;

  job->runs++;
  if (job->sleep_ns > 0)
    pause_ns(job->sleep_ns);
}

static void
release_job(void *user)
{
  struct job *job = user;

  if (job->runs > 1)
    atomic_fetch_add(&wrong, 1);
  atomic_fetch_add(&released, 1);
  free(job);
}

/* As the end of an operation does. */
static void
forget_cancel(struct worker *worker)
{
  uint64_t count;

  pthread_mutex_lock(&worker->lock);
  atomic_store(&worker->canceled, 0);
  (void)!read(worker->wake_fd, &count, sizeof count);
  pthread_mutex_unlock(&worker->lock);
}

static void
offload_one(struct worker *worker)
{
  struct tn_host_call call;
  tn_err err = TN_ERR_INIT;
  struct job *job = calloc(1, sizeof *job);
  int64_t now = tn_clock_now();
  int64_t until = TN_DEADLINE_NONE;
  int32_t rc;

  if (job == NULL)
    abort();
  job->sleep_ns = rand_r(&worker->seed) % 800 * NS_PER_US;
  tn_host_call_init(&call, 0, NULL, &err);
  call.canceled = &worker->canceled;
  call.wake_fd = worker->wake_fd;
  if (rand_r(&worker->seed) % 2 == 0)
    call.call.deadline = now + rand_r(&worker->seed) % 1600 * NS_PER_US;
  else if (rand_r(&worker->seed) % 2 == 0)
    until = now + rand_r(&worker->seed) % 1600 * NS_PER_US;

  rc = call.call.host->offload(&call.call, run_job, release_job, job, until);
  if (rc != TN_OK) {
    worker->given_up++;
    if (err.code != rc)
      atomic_fetch_add(&wrong, 1);
    return;
  }
  worker->kept++;
  if (job->runs != 1)
    atomic_fetch_add(&wrong, 1);
  free(job);
}

static void *
work(void *user)
{
  struct worker *worker = user;

  for (int i = 0; i < JOBS; i++) {
    offload_one(worker);
    forget_cancel(worker);
  }
  return NULL;
}

static void *
cancel_loop(void *user)
{
  static const uint64_t one = 1;
  unsigned seed = 7;

  (void)user;
  while (!atomic_load(&is_over)) {
    struct worker *worker = &workers[rand_r(&seed) % WORKERS];

    pthread_mutex_lock(&worker->lock);
    atomic_store(&worker->canceled, 1);
    (void)!write(worker->wake_fd, &one, sizeof one);
    pthread_mutex_unlock(&worker->lock);
    pause_ns(rand_r(&seed) % 400 * NS_PER_US);
  }
  return NULL;
}

static int
start(void)
{
  for (unsigned i = 0; i < WORKERS; i++) {
    workers[i].seed = i + 1;
    workers[i].wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&workers[i].lock, NULL);
    if (workers[i].wake_fd < 0 ||
        pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
      return -1;
  }
  return 0;
}

int
main(void)
{
  pthread_t canceler;
  long kept = 0;
  long given_up = 0;

  if (start() != 0 || pthread_create(&canceler, NULL, cancel_loop, NULL) != 0)
    return 1;
  for (int i = 0; i < WORKERS; i++) {
    pthread_join(workers[i].thread, NULL);
    kept += workers[i].kept;
    given_up += workers[i].given_up;
  }
  atomic_store(&is_over, true);
  pthread_join(canceler, NULL);
  while (tn_offload_left() > 0)
    pause_ns(100 * NS_PER_US);
  printf("%ld kept, %ld given up, %ld released, %ld wrong\n", kept, given_up,
         atomic_load(&released), atomic_load(&wrong));
  if (kept == 0 || given_up == 0 || kept + given_up != WORKERS * JOBS)
    return 1;
  return atomic_load(&released) != given_up || atomic_load(&wrong) != 0;
}
