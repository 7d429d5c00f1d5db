/* 1,000 queries at once in two threads by a scheduler of the program's own: its
 * coroutines call the library as if they had a thread each, and `wait` gives
 * the processor to another one instead of waiting. They share the connections
 * of one pool; who finds none waits for its turn in the same way. */
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "thousand.h"

#define STACK_SIZE 262144

#define NS_PER_MS 1000000

struct coroutine {
  ucontext_t context;
  void *stack;
  int64_t number;
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
  struct share *share;
  int waiting; /* coroutines that have not ended */
};

/* The one of this thread; where there is none, nothing else could run. */
static _Thread_local struct scheduler *scheduler_here;

/* What a coroutine does. */
static void
run_coroutine(void)
{
  struct scheduler *scheduler = scheduler_here;
  struct coroutine *coroutine = scheduler->running;
  tn_err err = TN_ERR_INIT;

  if (thousand_ask(scheduler->share, coroutine->number, &err) != TN_OK)
    fprintf(stderr, "%s\n", err.message);
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
  struct scheduler *scheduler = calloc(1, sizeof *scheduler);
  struct share *share = user;

  if (scheduler == NULL)
    abort();
  scheduler->share = share;
  scheduler_here = scheduler;
  for (int i = 0; i < QUERIES; i++) {
    scheduler->coroutines[i].number = share->first + i;
    begin(scheduler, &scheduler->coroutines[i]);
  }
  share->at_once = scheduler->waiting;
  pthread_barrier_wait(share->barrier);
  while (scheduler->waiting > 0) {
    take_turns(scheduler);
    thousand_count(share);
  }
  for (int i = 0; i < QUERIES; i++)
    (void)munmap(scheduler->coroutines[i].stack, STACK_SIZE);
  free(scheduler);
  return NULL;
}

int
main(int argc, char **argv)
{
  (void)argc;
  return thousand_main(argv, wait_in_turn, thread_main);
}
