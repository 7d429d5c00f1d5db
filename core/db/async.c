/* Functions that stand still where they wait. Nothing below knows of it: a
 * wait of a connection ends in tn_async_wait(), which leaves the stack, and a
 * take from a pool is made to wait there too (pool_queue.c). */
#include "async_priv.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>

#include "db_priv.h"

/* How long a call that was canceled may wait from then on. */
#define STOP_MS 1000

struct tn_async {
  struct tn_async_stack stack;
  tn_async *outer; /* that the thread was in when it went into this one */
  pthread_t thread;
  tn_async_fn call;
  void *user;
  uint32_t state; /* enum tn_async_state */
  bool is_canceled;
  bool is_closing;     /* it waits where it is */
  tn_deadline stop_at; /* no wait of a canceled one goes beyond it */
  int fd;              /* what it waits for */
  uint32_t events;
  tn_deadline until;
  uint32_t ready; /* what of that has come */
  enum tn_code result;
  tn_err err;
};

/* The call that the thread is in; NULL: none. */
static _Thread_local tn_async *current;

bool
tn_async__is_inside(void)
{
  return current != NULL;
}

bool
tn_async__is_canceled(void)
{
  return current != NULL && current->is_canceled;
}

/* ---- going there and back ---- */

static void
run(void)
{
  tn_async *async = current;

  tn_async__arrive(&async->stack);
  async->result = async->call(async->user, &async->err);
  async->state = TN_ASYNC_ENDED;
  async->fd = -1;
  async->events = 0;
  async->until = 0;
  tn_async__leave(&async->stack, true);
}

static void
enter(tn_async *async)
{
  async->outer = current;
  current = async;
  tn_async__enter(&async->stack);
  current = async->outer;
  if (async->state == TN_ASYNC_ENDED)
    tn_async__unmap(&async->stack);
}

static uint32_t
stand_still(tn_async *async, int fd, uint32_t events, tn_deadline until)
{
  async->fd = fd;
  async->events = events;
  async->until = until;
  async->ready = 0;
  tn_async__leave(&async->stack, false);
  return async->ready & events;
}

/* ---- waiting ---- */

/* Cancel what runs on `conn`, as another thread might. False: it was before, or
 * nothing runs. */
static bool
cancel_operation(tn_conn *conn)
{
  if (atomic_load_explicit(&conn->canceled, memory_order_relaxed) != 0)
    return false;
  tn_conn_cancel(conn);
  return atomic_load_explicit(&conn->canceled, memory_order_relaxed) != 0;
}

/* Is a wait over because its call was canceled? Each operation is canceled at
 * its first wait, which returns 0 so that the host finds out; what follows
 * brings the session in order, and may take a while. */
static bool
is_over(const tn_async *async, tn_conn *conn, tn_deadline *until, int *ret)
{
  if (!async->is_canceled)
    return false;
  if (conn != NULL && cancel_operation(conn)) {
    *ret = 0;
    return true;
  }
  if (conn == NULL || tn_clock_now() >= async->stop_at) {
    errno = ECANCELED;
    *ret = -1;
    return true;
  }
  if (*until > async->stop_at)
    *until = async->stop_at;
  return false;
}

int
tn_async_wait(int fd, uint32_t events, tn_deadline until, void *user)
{
  tn_async *async = current;
  int ready = 0;

  if (async == NULL)
    return tn_host_poll(fd, -1, events, until);
  if (is_over(async, user, &until, &ready))
    return ready;
  if (!async->is_closing)
    ready = (int)stand_still(async, fd, events, until);
  if (ready == 0 && is_over(async, user, &until, &ready))
    return ready;
  if (async->is_closing)
    return tn_host_poll(fd, -1, events, until);
  return ready;
}

int
tn_async__sleep(tn_wait_fn wait, void *user, tn_deadline until)
{
  if (wait == NULL || wait == tn_async_wait)
    return tn_async_wait(-1, 0, until, NULL);
  return wait(-1, 0, until, user);
}

/* ---- the application's end ---- */

static enum tn_code
refuse_inside(tn_err *err)
{
  return tn_err_set(err, TN_E_STATE,
                    "async: inside a call no other is started or continued");
}

enum tn_code
tn_async_start(tn_async_fn call, void *user,
               const struct tn_async_options *options, tn_async **ret,
               tn_err *err)
{
  static const struct tn_async_options none = TN_ASYNC_OPTIONS_INIT;
  tn_async *async;
  size_t bytes;

  if (options == NULL)
    options = &none;
  if (options->struct_size != sizeof *options)
    return tn_err_set(err, TN_E_USAGE,
                      "async: begin the options with TN_ASYNC_OPTIONS_INIT");
  bytes = options->stack_bytes != 0 ? options->stack_bytes : TN_ASYNC_STACK;
  if (bytes < TN_ASYNC_STACK_MIN)
    return tn_err_set(err, TN_E_USAGE,
                      "async: stack_bytes: %zu is too small, it takes %d",
                      bytes, TN_ASYNC_STACK_MIN);
  if (current != NULL)
    return refuse_inside(err);
  async = tn_memory_zalloc(sizeof *async);
  if (async == NULL)
    return tn_err_memory(err, "async");
  if (!tn_async__map(&async->stack, bytes, run)) {
    tn_memory_free(async);
    return tn_err_set(err, TN_E_MEMORY,
                      "async: no memory for a stack of %zu bytes", bytes);
  }
  async->thread = pthread_self();
  async->call = call;
  async->user = user;
  async->state = TN_ASYNC_WAITING;
  enter(async);
  *ret = async;
  return TN_OK;
}

uint32_t
tn_async_state(const tn_async *async)
{
  return async->state;
}

int
tn_async_fd(const tn_async *async)
{
  return async->fd;
}

uint32_t
tn_async_events(const tn_async *async)
{
  return async->events;
}

tn_deadline
tn_async_until(const tn_async *async)
{
  return async->until;
}

enum tn_code
tn_async_continue(tn_async *async, uint32_t ready, tn_err *err)
{
  if (current != NULL)
    return refuse_inside(err);
  if (async->state != TN_ASYNC_WAITING)
    return tn_err_set(err, TN_E_STATE, "async: the call has ended");
  if (pthread_equal(async->thread, pthread_self()) == 0)
    return tn_err_set(err, TN_E_STATE,
                      "async: the call was started by another thread");
  async->ready = ready;
  enter(async);
  return TN_OK;
}

void
tn_async_cancel(tn_async *async)
{
  if (async->state != TN_ASYNC_WAITING || async->is_canceled)
    return;
  async->is_canceled = true;
  async->stop_at = tn_deadline_after_ms(STOP_MS);
  async->until = tn_clock_now();
}

enum tn_code
tn_async_result(const tn_async *async, tn_err *err)
{
  if (async->state != TN_ASYNC_ENDED)
    return tn_err_set(err, TN_E_STATE, "async: the call has not ended");
  if (async->result != TN_OK && err != NULL)
    *err = async->err;
  return async->result;
}

void
tn_async_close(tn_async **async)
{
  tn_async *closed = async != NULL ? *async : NULL;

  if (closed == NULL)
    return;
  *async = NULL;
  if (closed->state == TN_ASYNC_WAITING) {
    assert(pthread_equal(closed->thread, pthread_self()) != 0);
    tn_async_cancel(closed);
    closed->is_closing = true;
    closed->ready = 0;
    enter(closed);
    assert(closed->state == TN_ASYNC_ENDED);
  }
  tn_memory_free(closed);
}
