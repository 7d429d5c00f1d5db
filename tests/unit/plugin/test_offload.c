/* Blocking functions in threads of their own: who has the job afterwards, and
 * that nobody waits longer than the call may. */
#include "offload.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "oom.h"

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S  INT64_C(1000000000)

/* A function that ends when it is told to. */
struct job {
  sem_t go;
  sem_t released;
  pthread_t thread;
  sigset_t mask;
  atomic_int runs;
  atomic_int ends;
  atomic_int releases;
  atomic_int releases_before_end;
};

static tn_err err;
static struct tn_host_call call;
static const struct tn_host *host;
static struct job job;

static void
init_job(struct job *init)
{
  memset(init, 0, sizeof(*init));
  sem_init(&init->go, 0, 0);
  sem_init(&init->released, 0, 0);
}

static void
set_up(void)
{
  memset(&err, 0, sizeof(err));
  tn_host_call_init(&call, 0, NULL, &err);
  call.backend = "fake";
  host = tn_host_table();
  init_job(&job);
}

TestSuite(offload, .init = set_up, .timeout = 60);

static void
run_job(void *user)
{
  struct job *run = user;

  atomic_fetch_add(&run->runs, 1);
  run->thread = pthread_self();
  pthread_sigmask(SIG_SETMASK, NULL, &run->mask);
  while (sem_wait(&run->go) != 0)
    continue;
  atomic_fetch_add(&run->ends, 1);
}

static void
release_job(void *user)
{
  struct job *released = user;

  if (atomic_load(&released->runs) != atomic_load(&released->ends))
    atomic_fetch_add(&released->releases_before_end, 1);
  atomic_fetch_add(&released->releases, 1);
  sem_post(&released->released);
}

static int32_t
offload(int64_t until)
{
  return host->offload(&call.call, run_job, release_job, &job, until);
}

/* Let the job that was left behind go to its end, and see it released. */
static void
expect_released_after_run(void)
{
  cr_expect_eq(job.releases, 0);
  cr_expect_eq(tn_offload_left(), 1);
  sem_post(&job.go);
  while (sem_wait(&job.released) != 0)
    continue;
  while (tn_offload_left() > 0)
    usleep(1000);
  cr_expect_eq(job.runs, 1);
  cr_expect_eq(job.ends, 1);
  cr_expect_eq(job.releases, 1);
  cr_expect_eq(job.releases_before_end, 0);
}

static void
expect_never_begun(void)
{
  cr_expect_eq(job.runs, 0);
  cr_expect_eq(job.releases, 1);
  cr_expect_eq(tn_offload_left(), 0);
}

/* ---- when all goes well ---- */

Test(offload, a_job_that_ends_is_the_callers_again)
{
  int64_t until = host->now() + 50 * NS_PER_S;

  sem_post(&job.go);
  cr_expect_eq(offload(TN_DEADLINE_NONE), TN_OK, "%s", err.message);
  cr_expect_eq(job.ends, 1);
  cr_expect_eq(job.releases, 0);
  cr_expect_not(pthread_equal(job.thread, pthread_self()));

  sem_post(&job.go);
  cr_expect_eq(offload(until), TN_OK, "%s", err.message);
  cr_expect_lt(host->now(), until);
  cr_expect_eq(job.ends, 2);
  cr_expect_eq(job.releases, 0);
  cr_expect_eq(err.code, TN_OK);
  cr_expect_eq(tn_offload_left(), 0);
}

Test(offload, its_thread_has_all_signals_blocked_and_the_callers_mask_is_kept)
{
  static const int numbers[] = { SIGHUP,  SIGINT,  SIGTERM, SIGUSR1,
                                 SIGALRM, SIGCHLD, SIGPIPE };
  sigset_t before;
  sigset_t after;

  sigemptyset(&before);
  sigaddset(&before, SIGUSR2);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  sem_post(&job.go);
  cr_expect_eq(offload(TN_DEADLINE_NONE), TN_OK);
  for (size_t i = 0; i < TN_COUNT(numbers); i++)
    cr_expect_eq(sigismember(&job.mask, numbers[i]), 1, "signal %d",
                 numbers[i]);
  pthread_sigmask(SIG_SETMASK, NULL, &after);
  for (size_t i = 0; i < TN_COUNT(numbers); i++)
    cr_expect_eq(sigismember(&after, numbers[i]), 0, "signal %d", numbers[i]);
  cr_expect_eq(sigismember(&after, SIGUSR2), 1);
}

Test(offload, nothing_is_left_open_or_allocated)
{
  int before = dup(0);
  int after;

  close(before);
  oom_fail_nth(0, false);
  for (int i = 0; i < 100; i++) {
    sem_post(&job.go);
    cr_assert_eq(offload(TN_DEADLINE_NONE), TN_OK);
  }
  cr_expect_eq(job.ends, 100);

  /* The thread may be the last one to let go. */
  while (oom_live() > 0)
    usleep(1000);
  oom_reset();
  for (int i = 0; i < 1000; i++) {
    after = dup(0);
    close(after);
    if (after == before)
      break;
    usleep(1000);
  }
  cr_expect_eq(after, before);
}

/* ---- jobs that are given up ---- */

Test(offload, a_deadline_that_has_passed_begins_nothing)
{
  call.call.deadline = host->now() - 1;
  cr_expect_eq(offload(TN_DEADLINE_NONE), TN_E_TIMEOUT);
  cr_expect_eq(err.code, TN_E_TIMEOUT);
  expect_never_begun();
}

Test(offload, a_canceled_call_begins_nothing)
{
  _Atomic uint32_t canceled = 1;

  call.canceled = &canceled;
  cr_expect_eq(offload(TN_DEADLINE_NONE), TN_E_CANCELED);
  cr_expect_eq(err.code, TN_E_CANCELED);
  expect_never_begun();
}

Test(offload, the_calls_deadline_leaves_the_job_behind)
{
  int64_t start = host->now();

  call.call.deadline = start + 30 * NS_PER_MS;
  cr_expect_eq(offload(TN_DEADLINE_NONE), TN_E_TIMEOUT);
  cr_expect_geq(host->now(), start + 30 * NS_PER_MS);
  cr_expect_str_eq(err.message, "fake: the deadline has passed");
  expect_released_after_run();
}

Test(offload, its_own_end_leaves_the_job_behind)
{
  int64_t start = host->now();

  call.call.deadline = start + 100 * NS_PER_S;
  cr_expect_eq(offload(start + 30 * NS_PER_MS), TN_E_TIMEOUT);
  cr_expect_geq(host->now(), start + 30 * NS_PER_MS);
  cr_expect_str_eq(err.message, "fake: a blocking function took too long");
  expect_released_after_run();

  /* The call itself may go on. */
  cr_expect_eq(host->check(&call.call), TN_OK);
}

Test(offload, what_nobody_waits_for_is_begun_when_the_time_is_over)
{
  host->grace(&call.call, 1);
  while (host->check(&call.call) == TN_OK)
    usleep(1000);
  cr_expect_eq(offload(0), TN_E_TIMEOUT);
  expect_released_after_run();
}

static int wake_fds[2];
static _Atomic uint32_t is_canceled;

static void *
cancel_soon(void *user)
{
  (void)user;
  usleep(20000);
  atomic_store(&is_canceled, 1);
  if (write(wake_fds[1], "x", 1) != 1)
    abort();
  return NULL;
}

Test(offload, a_cancel_from_another_thread_leaves_the_job_behind)
{
  int64_t start = host->now();
  pthread_t thread;

  cr_assert_eq(pipe(wake_fds), 0);
  call.canceled = &is_canceled;
  call.wake_fd = wake_fds[0];
  pthread_create(&thread, NULL, cancel_soon, NULL);
  cr_expect_eq(offload(TN_DEADLINE_NONE), TN_E_CANCELED);
  cr_expect_lt(host->now() - start, 20 * NS_PER_S);
  pthread_join(thread, NULL);
  expect_released_after_run();
}

Test(offload, grace_takes_no_notice_of_the_cancel_and_ends_in_time)
{
  static _Atomic uint32_t canceled = 1;

  call.canceled = &canceled;
  call.call.deadline = 1;
  cr_expect_eq(host->check(&call.call), TN_E_CANCELED);
  host->grace(&call.call, 100 * NS_PER_MS);
  sem_post(&job.go);
  cr_expect_eq(offload(TN_DEADLINE_NONE), TN_OK);
  cr_expect_eq(job.ends, 1);

  init_job(&job);
  cr_expect_eq(offload(TN_DEADLINE_NONE), TN_E_TIMEOUT);
  cr_expect_geq(host->now(), call.call.deadline);
  cr_expect_eq(err.code, TN_E_CANCELED);
  expect_released_after_run();
}

/* ---- an application that waits by itself ---- */

static int waited_fd;
static int wait_answer;

/* Ready once the job has ended, however that comes about. */
static int
wait_own(int fd, uint32_t events, tn_deadline until, void *user)
{
  (void)events;
  (void)until;
  waited_fd = fd;
  *(int *)user += 1;
  if (wait_answer > 0)
    sem_post(&job.go);
  while (wait_answer > 0 && atomic_load(&job.ends) == 0)
    usleep(1000);
  return wait_answer;
}

Test(offload, the_applications_function_waits)
{
  int calls = 0;

  call.wait = wait_own;
  call.wait_user = &calls;
  wait_answer = TN_WAIT_READ;
  cr_expect_eq(offload(TN_DEADLINE_NONE), TN_OK);
  cr_expect_geq(calls, 1);
  cr_expect_geq(waited_fd, 0);
  cr_expect_eq(job.releases, 0);
}

/* Says twice that the descriptor is ready when it is not. */
static int
lie_twice(int fd, uint32_t events, tn_deadline until, void *user)
{
  int *calls = user;

  (void)fd;
  (void)until;
  *calls += 1;
  if (*calls > 2)
    sem_post(&job.go);
  while (*calls > 2 && atomic_load(&job.ends) == 0)
    usleep(1000);
  return (int)events;
}

Test(offload, a_wait_that_ends_too_early_is_repeated)
{
  int calls = 0;

  call.wait = lie_twice;
  call.wait_user = &calls;
  cr_expect_eq(offload(TN_DEADLINE_NONE), TN_OK);
  cr_expect_geq(calls, 3);
  cr_expect_eq(job.ends, 1);
  cr_expect_eq(job.releases, 0);
}

Test(offload, a_wait_that_fails_leaves_the_job_behind)
{
  int calls = 0;

  call.wait = wait_own;
  call.wait_user = &calls;
  wait_answer = -1;
  cr_expect_eq(offload(TN_DEADLINE_NONE), TN_E_IO);
  cr_expect_eq(err.code, TN_E_IO);
  expect_released_after_run();
}

/* Comes back with a failure although the job has ended. */
static int
end_and_fail(int fd, uint32_t events, tn_deadline until, void *user)
{
  (void)fd;
  (void)events;
  (void)until;
  (void)user;
  sem_post(&job.go);
  while (atomic_load(&job.ends) == 0)
    usleep(1000);
  usleep(20000);
  return -1;
}

Test(offload, a_job_that_ends_while_it_is_given_up_is_released_once)
{
  call.wait = end_and_fail;
  cr_expect_eq(offload(TN_DEADLINE_NONE), TN_E_IO);
  while (sem_wait(&job.released) != 0)
    continue;
  cr_expect_eq(job.releases, 1);
  cr_expect_eq(job.releases_before_end, 0);
  cr_expect_eq(tn_offload_left(), 0);
}

/* ---- what is not to be had ---- */

Test(offload, each_allocation_may_fail)
{
  for (long nth = 1;; nth++) {
    int32_t rc;

    init_job(&job);
    tn_err_clear(&err);
    sem_post(&job.go);
    oom_fail_nth(nth, false);
    rc = offload(TN_DEADLINE_NONE);
    if (oom_count() < nth) {
      cr_expect_eq(rc, TN_OK);
      break;
    }
    cr_expect_eq(rc, TN_E_MEMORY, "allocation %ld", nth);
    cr_expect_eq(err.code, TN_E_MEMORY, "allocation %ld", nth);
    expect_never_begun();
  }
  while (oom_live() > 0)
    usleep(1000);
  oom_reset();
}

Test(offload, without_a_descriptor_nothing_is_begun)
{
  struct rlimit before;
  struct rlimit none;
  int32_t rc;

  getrlimit(RLIMIT_NOFILE, &before);
  none = before;
  none.rlim_cur = 0;
  setrlimit(RLIMIT_NOFILE, &none);
  rc = offload(TN_DEADLINE_NONE);
  setrlimit(RLIMIT_NOFILE, &before);
  cr_expect_eq(rc, TN_E_LIMIT);
  cr_expect_eq(err.code, TN_E_LIMIT);
  cr_expect(strstr(err.message, "no descriptor to be had: Too many open") !=
                NULL,
            "%s", err.message);
  expect_never_begun();
}

/* The limit on threads is a user's, and root has none. */
static int32_t
offload_without_threads(void)
{
  uid_t user = getuid();
  struct rlimit before;
  struct rlimit none;
  int32_t rc;

  getrlimit(RLIMIT_NPROC, &before);
  none = before;
  none.rlim_cur = 0;
  setrlimit(RLIMIT_NPROC, &none);
  if (user == 0)
    cr_assert_eq(setresuid(65534, 65534, 0), 0);
  rc = offload(TN_DEADLINE_NONE);
  if (user == 0)
    cr_assert_eq(setresuid(0, 0, 0), 0);
  setrlimit(RLIMIT_NPROC, &before);

  /* Else the leak checker may not look at us. */
  prctl(PR_SET_DUMPABLE, 1);
  return rc;
}

Test(offload, without_a_thread_nothing_is_begun)
{
  oom_fail_nth(0, false);
  cr_expect_eq(offload_without_threads(), TN_E_LIMIT);
  cr_expect_eq(err.code, TN_E_LIMIT);
  cr_expect(strstr(err.message, "no thread to be had: ") != NULL, "%s",
            err.message);
  cr_expect_eq(oom_live(), 0);
  oom_reset();
  expect_never_begun();
}

Test(offload, a_failure_in_grace_is_told_by_its_code_alone)
{
  call.call.deadline = 1;
  cr_expect_eq(host->check(&call.call), TN_E_TIMEOUT);
  host->grace(&call.call, TN_GRACE_MAX);
  cr_expect_eq(offload_without_threads(), TN_E_LIMIT);
  cr_expect_eq(err.code, TN_E_TIMEOUT);
}

/* ---- many ---- */

/* There is room yet, but not for those whose time is over. */
static void
expect_no_more_in_grace(void)
{
  struct tn_host_call late;
  struct job kept;
  tn_err why = TN_ERR_INIT;

  tn_host_call_init(&late, TN_DEADLINE_NONE, NULL, &why);
  host->grace(&late.call, TN_GRACE_MAX);
  init_job(&kept);
  cr_expect_eq(
      host->offload(&late.call, run_job, release_job, &kept, TN_DEADLINE_NONE),
      TN_E_LIMIT);
  cr_expect_eq(kept.runs, 0);
  cr_expect_eq(kept.releases, 1);
}

Test(offload, only_so_many_jobs_are_left_behind)
{
  static struct job jobs[TN_OFFLOAD_LEFT_MAX];

  oom_fail_nth(0, false);
  for (size_t i = 0; i < TN_COUNT(jobs); i++) {
    if (i == TN_OFFLOAD_GRACE_MAX)
      expect_no_more_in_grace();
    init_job(&jobs[i]);
    cr_assert_eq(
        host->offload(&call.call, run_job, release_job, &jobs[i], host->now()),
        TN_E_TIMEOUT, "job %zu: %s", i, err.message);
  }
  cr_expect_eq(tn_offload_left(), TN_OFFLOAD_LEFT_MAX);
  cr_expect_eq(offload(TN_DEADLINE_NONE), TN_E_LIMIT);
  cr_expect(strstr(err.message, "fake: 64 blocking functions") == err.message,
            "%s", err.message);
  cr_expect_eq(job.runs, 0);
  cr_expect_eq(job.releases, 1);

  for (size_t i = 0; i < TN_COUNT(jobs); i++)
    sem_post(&jobs[i].go);
  while (tn_offload_left() > 0 || oom_live() > 0)
    usleep(1000);
  for (size_t i = 0; i < TN_COUNT(jobs); i++) {
    cr_expect_eq(jobs[i].runs, 1, "job %zu", i);
    cr_expect_eq(jobs[i].releases, 1, "job %zu", i);
    cr_expect_eq(jobs[i].releases_before_end, 0, "job %zu", i);
  }
  oom_reset();
  sem_post(&job.go);
  cr_expect_eq(offload(TN_DEADLINE_NONE), TN_OK, "%s", err.message);
}
