/* A query without waiting for it: begin, ask what to poll for, go on when it is
 * there. Here epoll looks after it, and after a timer that stands for all else
 * that a program does meanwhile.
 *
 *   epoll URL STATEMENT */
#include <inttypes.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <tenon/tenon.h>
#include <unistd.h>

struct question {
  tn_conn *conn;
  const char *sql;
  int64_t answer;
};

/* All that is to be asked, as it would be without an event loop. */
static enum tn_code
ask(void *user, tn_err *err)
{
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  struct question *question = user;
  const struct tn_query query = { .sql = question->sql,
                                  .deadline = tn_deadline_after_ms(5000) };
  const tn_value *row = NULL;
  enum tn_code rc = tn_conn_query(question->conn, &query, &result, err);

  if (rc == TN_OK)
    rc = tn_result_next(result, &row, err);
  if (rc == TN_OK && row == NULL)
    rc = tn_err_set(err, TN_E_NOT_FOUND, "no row");
  if (rc == TN_OK)
    rc = tn_value_to_int64(&row[0], &question->answer, err);
  return rc;
}

/* Milliseconds until then, rounded up, as epoll_wait() wants them. */
static int
timeout_of(tn_deadline until)
{
  int64_t left = until - tn_clock_now();

  if (left <= 0)
    return 0;
  return left < INT64_C(1000000000) ? (int)((left + 999999) / 1000000) : 1000;
}

static uint32_t
to_epoll(uint32_t events)
{
  return ((events & TN_WAIT_READ) != 0 ? EPOLLIN : 0u) |
         ((events & TN_WAIT_WRITE) != 0 ? EPOLLOUT : 0u);
}

/* An error or the other end's closing shows when the descriptor is used. */
static uint32_t
from_epoll(uint32_t events)
{
  if ((events & (EPOLLERR | EPOLLHUP)) != 0)
    return TN_WAIT_READ | TN_WAIT_WRITE;
  return ((events & EPOLLIN) != 0 ? TN_WAIT_READ : 0u) |
         ((events & EPOLLOUT) != 0 ? TN_WAIT_WRITE : 0u);
}

/* Wait once for what `async` waits for. Returns the events that have come;
 * `*ret_ticks` counts what else has happened. */
static uint32_t
poll_once(int loop, int timer, const tn_async *async, int *ret_ticks)
{
  struct epoll_event events[2];
  struct epoll_event wanted = { .events = to_epoll(tn_async_events(async)),
                                .data.fd = tn_async_fd(async) };
  uint64_t expired;
  uint32_t ready = 0;
  int count;

  if (wanted.data.fd >= 0)
    (void)epoll_ctl(loop, EPOLL_CTL_ADD, wanted.data.fd, &wanted);
  count = epoll_wait(loop, events, 2, timeout_of(tn_async_until(async)));
  for (int i = 0; i < count; i++)
    if (events[i].data.fd != timer)
      ready = from_epoll(events[i].events);
    else if (read(timer, &expired, sizeof expired) == sizeof expired)
      (*ret_ticks)++;

  /* The call may close it when it goes on. */
  if (wanted.data.fd >= 0)
    (void)epoll_ctl(loop, EPOLL_CTL_DEL, wanted.data.fd, NULL);
  return ready;
}

/* An epoll set with a timer in it, each millisecond. */
static int
make_loop(int timer)
{
  const struct itimerspec every = { .it_interval.tv_nsec = 1000000,
                                    .it_value.tv_nsec = 1000000 };
  struct epoll_event event = { .events = EPOLLIN, .data.fd = timer };
  int loop = epoll_create1(EPOLL_CLOEXEC);

  if (timerfd_settime(timer, 0, &every, NULL) != 0 ||
      epoll_ctl(loop, EPOLL_CTL_ADD, timer, &event) != 0)
    perror("epoll");
  return loop;
}

int
main(int argc, char **argv)
{
  const struct tn_conn_options options = { .wait = tn_async_wait };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_async_close) tn_async *async = NULL;
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  int loop = make_loop(timer);
  struct question question = { .answer = 0 };
  tn_err err = TN_ERR_INIT;
  enum tn_code rc;
  int ticks = 0;

  if (argc != 3)
    return 2;
  rc = tn_conn_open(argv[1], &options, &conn, &err);
  question.conn = conn;
  question.sql = argv[2];
  if (rc == TN_OK)
    rc = tn_async_start(ask, &question, NULL, &async, &err);
  while (rc == TN_OK && tn_async_state(async) == TN_ASYNC_WAITING)
    rc = tn_async_continue(async, poll_once(loop, timer, async, &ticks), &err);
  if (rc == TN_OK)
    rc = tn_async_result(async, &err);
  close(loop);
  close(timer);
  if (rc != TN_OK) {
    fprintf(stderr, "%s: %s\n", tn_code_name((int32_t)rc), err.message);
    return 1;
  }
  printf("%" PRId64 ", and %s\n", question.answer,
         ticks >= 10 ? "ten things done meanwhile" : "nothing done meanwhile");
  return 0;
}
