/* 1,000 queries at once in two threads: each is a coroutine, a call of async.h,
 * and each thread has a scheduler that looks after its half of them by epoll.
 * They share the connections of one pool; who finds none waits in its queue,
 * without the thread. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "thousand.h"

#define EVENTS 64

struct coroutine {
  tn_async *async;
  struct scheduler *scheduler;
  int64_t number;
};

struct scheduler {
  struct coroutine coroutines[QUERIES];
  struct share *share;
  int epoll;
  int waiting; /* coroutines that have not ended */
};

/* What a coroutine does. */
static enum tn_code
ask(void *user, tn_err *err)
{
  const struct coroutine *coroutine = user;

  return thousand_ask(coroutine->scheduler->share, coroutine->number, err);
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

static void *
thread_main(void *user)
{
  struct scheduler *scheduler = calloc(1, sizeof *scheduler);
  struct share *share = user;

  if (scheduler == NULL)
    abort();
  scheduler->share = share;
  scheduler->epoll = epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < QUERIES; i++) {
    scheduler->coroutines[i].number = share->first + i;
    begin(scheduler, &scheduler->coroutines[i]);
  }
  share->at_once = scheduler->waiting;
  pthread_barrier_wait(share->barrier);
  while (scheduler->waiting > 0) {
    serve_events(scheduler, serve_timeouts(scheduler));
    thousand_count(share);
  }
  close(scheduler->epoll);
  free(scheduler);
  return NULL;
}

int
main(int argc, char **argv)
{
  (void)argc;
  return thousand_main(argv, tn_async_wait, thread_main);
}
