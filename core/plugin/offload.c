/* A function that blocks, in a thread of its own.
 *
 * Some things a client library can only do blocking, and name resolution is
 * the worst: nothing ends it but its own patience. So it gets a thread, and
 * the call waits for that thread as it waits for a socket. When the call's
 * time is over the thread is left behind with all that it uses; it cleans up
 * after itself, whenever that may be. */
#include "offload.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum state {
  STATE_RUNNING = 0,
  STATE_ENDED, /* run() is over and somebody waits for it */
  STATE_LEFT,  /* nobody waits for it */
};

/* Shared by the thread and whoever waits; the last of the two releases it. */
struct work {
  void (*run)(void *job);
  void (*release)(void *job);
  void *job;
  int fd; /* an eventfd, readable from STATE_ENDED on */
  _Atomic uint32_t state;
  _Atomic uint32_t users;
};

/* A mutable global, since threads are the process's: however many sessions and
 * registries there are, a dead name server must not fill it with threads. */
static _Atomic long left;

long
tn_offload_left(void)
{
  return atomic_load(&left);
}

static void
drop_work(struct work *work)
{
  if (atomic_fetch_sub(&work->users, 1) > 1)
    return;
  close(work->fd);
  tn_memory_free(work);
}

/* From STATE_RUNNING to `to`; whoever comes second is told that he does. */
static bool
change_state(struct work *work, uint32_t to)
{
  uint32_t from = STATE_RUNNING;

  return atomic_compare_exchange_strong(&work->state, &from, to);
}

static void *
thread_main(void *user)
{
  struct work *work = user;
  static const uint64_t one = 1;

  work->run(work->job);
  if (change_state(work, STATE_ENDED)) {
    /* Cannot fail: the counter is 0 and the descriptor ours. */
    (void)!write(work->fd, &one, sizeof(one));
  } else {
    work->release(work->job);
    atomic_fetch_sub(&left, 1);
  }
  drop_work(work);
  return NULL;
}

/* The application's signals are its own threads' to handle: not one may be
 * delivered here. Returns 0 or a number of errno. */
static int
start_thread(struct work *work)
{
  pthread_attr_t attributes;
  pthread_t thread;
  sigset_t all;
  sigset_t callers;
  int rc = pthread_attr_init(&attributes);

  if (rc != 0)
    return rc;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &callers);
  rc = pthread_create(&thread, &attributes, thread_main, work);
  pthread_sigmask(SIG_SETMASK, &callers, NULL);
  pthread_attr_destroy(&attributes);
  return rc;
}

static const char *
name_of(const struct tn_call *call)
{
  const char *name = ((const struct tn_host_call *)(const void *)call)->backend;

  return name != NULL ? name : "plugin";
}

static bool
has_grace(const struct tn_call *call)
{
  return ((const struct tn_host_call *)(const void *)call)->is_grace;
}

static int32_t
refuse(struct tn_call *call, const char *what, int cause)
{
  char text[128];

  if (cause == ENOMEM)
    return tn_fail(call, TN_E_MEMORY, "%s: out of memory", name_of(call));
  return tn_fail(call, TN_E_LIMIT, "%s: no %s to be had: %s", name_of(call),
                 what, strerror_r(cause, text, sizeof(text)));
}

/* Everything but the thread. */
static int32_t
make_work(struct tn_call *call, struct work **ret)
{
  int most = has_grace(call) ? TN_OFFLOAD_GRACE_MAX : TN_OFFLOAD_LEFT_MAX;
  struct work *work;

  if (tn_offload_left() >= most)
    return tn_fail(call, TN_E_LIMIT,
                   "%s: %d blocking functions that were given up, such as name "
                   "resolution, are still at work; no more are begun",
                   name_of(call), most);
  work = tn_memory_zalloc(sizeof(*work));
  if (work == NULL)
    return refuse(call, "memory", ENOMEM);
  work->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (work->fd < 0) {
    int cause = errno;

    tn_memory_free(work);
    return refuse(call, "descriptor", cause);
  }
  *ret = work;
  return TN_OK;
}

/* Wait for the end of run(). TN_OK: it is over. The descriptor only wakes: it
 * is the state that makes visible here what run() has written, and that tells
 * the truth when an application's wait does not. */
static int32_t
wait_for(struct tn_call *call, struct work *work, int64_t until)
{
  uint32_t ready = TN_WAIT_READ;

  while (atomic_load(&work->state) != STATE_ENDED) {
    int32_t rc;

    if (ready == 0) {
      (void)tn_fail(call, TN_E_TIMEOUT, "%s: a blocking function took too long",
                    name_of(call));
      return TN_E_TIMEOUT;
    }
    rc = call->host->wait(call, work->fd, TN_WAIT_READ, until, &ready);
    if (rc != TN_OK)
      return rc;
  }
  return TN_OK;
}

/* Leave the job to the thread, which releases it, unless it has ended just
 * now. */
static void
leave(struct work *work)
{
  /* Before the thread can count down. */
  atomic_fetch_add(&left, 1);
  if (change_state(work, STATE_LEFT))
    return;
  atomic_fetch_sub(&left, 1);
  work->release(work->job);
}

int32_t
tn_host__offload(struct tn_call *call, void (*run)(void *job),
                 void (*release)(void *job), void *job, int64_t until)
{
  bool is_awaited = until != 0;
  struct work *work = NULL;
  int32_t rc = is_awaited ? call->host->check(call) : TN_OK;
  int cause;

  if (rc == TN_OK)
    rc = make_work(call, &work);
  if (work == NULL) {
    release(job);
    return rc;
  }
  work->run = run;
  work->release = release;
  work->job = job;
  atomic_init(&work->state, STATE_RUNNING);
  atomic_init(&work->users, 2);
  cause = start_thread(work);
  if (cause != 0) {
    atomic_init(&work->users, 1);
    drop_work(work);
    release(job);
    return refuse(call, "thread", cause);
  }
  rc = is_awaited ? wait_for(call, work, until) : TN_E_TIMEOUT;
  if (rc != TN_OK)
    leave(work);
  drop_work(work);
  return rc;
}
