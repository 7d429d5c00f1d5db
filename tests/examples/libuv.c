/* Queries in an event loop of libuv: two at a time, over two connections, which
 * are opened in the loop as well.
 *
 *   libuv URL STATEMENT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <tenon/tenon.h>
#include <uv.h>

/* A call of the library in the loop. */
struct task {
  tn_async *async;
  uv_loop_t *loop;
  uv_poll_t *poll; /* NULL: it waits for no descriptor, or not yet */
  uv_timer_t timer;
  const char *url;
  const char *sql;
  int64_t answer;
};

/* All that is to be done, as it would be without an event loop. */
static enum tn_code
open_and_ask(void *user, tn_err *err)
{
  const struct tn_conn_options options = { .wait = tn_async_wait };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  struct task *task = user;
  const struct tn_query query = { .sql = task->sql,
                                  .deadline = tn_deadline_after_ms(20000) };
  const tn_value *row = NULL;
  enum tn_code rc = tn_conn_open(task->url, &options, &conn, err);

  if (rc == TN_OK)
    rc = tn_conn_query(conn, &query, &result, err);
  if (rc == TN_OK)
    rc = tn_result_next(result, &row, err);
  if (rc == TN_OK && row == NULL)
    rc = tn_err_set(err, TN_E_NOT_FOUND, "no row");
  if (rc == TN_OK)
    rc = tn_value_to_int64(&row[0], &task->answer, err);
  return rc;
}

/* ---- the loop's end ---- */

static void watch(struct task *task);

static void
free_handle(uv_handle_t *handle)
{
  free(handle);
}

/* What was waited for has come, or the moment. The descriptor leaves the loop
 * first, since the call may close it when it goes on. */
static void
go_on(struct task *task, uint32_t ready)
{
  tn_err err = TN_ERR_INIT;

  uv_timer_stop(&task->timer);
  if (task->poll != NULL)
    uv_close((uv_handle_t *)task->poll, free_handle);
  task->poll = NULL;
  if (tn_async_continue(task->async, ready, &err) != TN_OK)
    fprintf(stderr, "%s\n", err.message);
  watch(task);
}

static void
on_poll(uv_poll_t *poll, int status, int events)
{
  uint32_t ready = 0;

  if ((events & UV_READABLE) != 0 || status < 0)
    ready |= TN_WAIT_READ;
  if ((events & UV_WRITABLE) != 0 || status < 0)
    ready |= TN_WAIT_WRITE;
  go_on(poll->data, ready);
}

static void
on_timer(uv_timer_t *timer)
{
  go_on(timer->data, 0);
}

/* Put into the loop what the call waits for. */
static void
watch(struct task *task)
{
  const tn_async *async = task->async;
  tn_deadline until = tn_async_until(async);
  int64_t left = until - tn_clock_now();
  int events = 0;

  if (tn_async_state(async) == TN_ASYNC_ENDED) {
    uv_close((uv_handle_t *)&task->timer, NULL);
    return;
  }
  if (until != TN_DEADLINE_NONE) {
    uv_update_time(task->loop);
    uv_timer_start(&task->timer, on_timer,
                   left > 0 ? (uint64_t)left / 1000000 + 1 : 0, 0);
  }
  if (tn_async_fd(async) < 0)
    return;
  if ((tn_async_events(async) & TN_WAIT_READ) != 0)
    events |= UV_READABLE;
  if ((tn_async_events(async) & TN_WAIT_WRITE) != 0)
    events |= UV_WRITABLE;
  task->poll = malloc(sizeof *task->poll);
  if (task->poll == NULL)
    abort();
  task->poll->data = task;
  uv_poll_init(task->loop, task->poll, tn_async_fd(async));
  uv_poll_start(task->poll, events, on_poll);
}

static void
begin(struct task *task, uv_loop_t *loop)
{
  tn_err err = TN_ERR_INIT;

  task->loop = loop;
  uv_timer_init(loop, &task->timer);
  task->timer.data = task;
  if (tn_async_start(open_and_ask, task, NULL, &task->async, &err) != TN_OK) {
    fprintf(stderr, "%s\n", err.message);
    exit(1);
  }
  watch(task);
}

int
main(int argc, char **argv)
{
  struct task tasks[2] = { { .async = NULL } };
  uv_loop_t loop;
  tn_err err = TN_ERR_INIT;
  int failures = 0;

  if (argc != 3 || uv_loop_init(&loop) != 0)
    return 2;
  for (int i = 0; i < 2; i++) {
    tasks[i].url = argv[1];
    tasks[i].sql = argv[2];
    begin(&tasks[i], &loop);
  }
  uv_run(&loop, UV_RUN_DEFAULT);
  uv_loop_close(&loop);
  for (int i = 0; i < 2; i++) {
    enum tn_code rc = tn_async_result(tasks[i].async, &err);

    if (rc == TN_OK)
      printf("%" PRId64 "\n", tasks[i].answer);
    else
      fprintf(stderr, "%s: %s\n", tn_code_name((int32_t)rc), err.message);
    failures += rc != TN_OK;
    tn_async_close(&tasks[i].async);
  }
  return failures == 0 ? 0 : 1;
}
