/* What a plug-in may ask of the core.
 *
 * A plug-in has no undefined symbols into us, so everything it needs is a slot
 * of this one table: memory, time, waiting, and the one way to fail. That way
 * every backend obeys the same deadlines and cancels, and no client library's
 * text reaches the user with a password in it. */
#include "host.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>

#include "failure.h"
#include "offload.h"

/* How long to wait at most before looking whether the call was canceled. */
#define SLICE_NS INT64_C(50000000)

#define NS_PER_MS INT64_C(1000000)

static struct tn_host_call *
host_call_of(struct tn_call *call)
{
  return (struct tn_host_call *)(void *)call;
}

static const char *
name_of(const struct tn_host_call *call)
{
  return call->backend != NULL ? call->backend : "plugin";
}

/* ---- time and waiting ---- */

static bool
is_canceled(const struct tn_host_call *call)
{
  return !call->is_grace && call->canceled != NULL &&
         atomic_load_explicit(call->canceled, memory_order_relaxed) != 0;
}

static int32_t
stop(struct tn_host_call *call, int32_t category, const char *why)
{
  if (!tn_failure__takes(call))
    return category;
  tn_err_set(call->err, (enum tn_code)category, "%s: %s", name_of(call), why);
  return tn_failure__note(call, category);
}

static int32_t
check(struct tn_call *call)
{
  struct tn_host_call *host_call = host_call_of(call);

  if (is_canceled(host_call))
    return stop(host_call, TN_E_CANCELED, "canceled");
  if (call->deadline != TN_DEADLINE_NONE && tn_clock_now() >= call->deadline)
    return stop(host_call, TN_E_TIMEOUT, "the deadline has passed");
  return TN_OK;
}

/* A deadline of its own, and the only one: whoever asks for it, even to pass
 * it on as the end of a wait, gets the one that counts. */
static void
grace(struct tn_call *call, int64_t nanoseconds)
{
  struct tn_host_call *host_call = host_call_of(call);

  if (host_call->is_grace)
    return;
  host_call->stopped = is_canceled(host_call) ? TN_E_CANCELED : TN_E_TIMEOUT;
  host_call->is_grace = true;
  if (nanoseconds < 0)
    nanoseconds = 0;
  if (nanoseconds > TN_GRACE_MAX)
    nanoseconds = TN_GRACE_MAX;
  call->deadline = tn_clock_now() + nanoseconds;
}

/* Up to `until`, rounded up: a wait that ends too early would be repeated
 * until its time has come, without pause. */
static int
poll_timeout(tn_deadline until)
{
  int64_t now;

  if (until == TN_DEADLINE_NONE)
    return -1;
  now = tn_clock_now();
  if (until <= now)
    return 0;
  if ((until - now) / NS_PER_MS >= INT_MAX)
    return INT_MAX;
  return (int)((until - now + NS_PER_MS - 1) / NS_PER_MS);
}

static int
ready_events(const struct pollfd *polled, uint32_t events)
{
  int ready = 0;

  if ((polled->revents & POLLIN) != 0)
    ready |= TN_WAIT_READ;
  if ((polled->revents & POLLOUT) != 0)
    ready |= TN_WAIT_WRITE;

  /* Whoever waited finds out what is wrong when he reads or writes. */
  if ((polled->revents & (POLLERR | POLLHUP)) != 0)
    ready |= (int)(events & (TN_WAIT_READ | TN_WAIT_WRITE));
  return ready;
}

/* poll(2) passes over a descriptor below 0. */
int
tn_host_poll(int fd, int wake_fd, uint32_t events, tn_deadline until)
{
  struct pollfd polled[] = { { .fd = fd },
                             { .fd = wake_fd, .events = POLLIN } };

  if ((events & TN_WAIT_READ) != 0)
    polled[0].events |= POLLIN;
  if ((events & TN_WAIT_WRITE) != 0)
    polled[0].events |= POLLOUT;
  if (poll(polled, TN_COUNT(polled), poll_timeout(until)) < 0)
    return errno == EINTR ? 0 : -1;
  if ((polled[0].revents & POLLNVAL) != 0) {
    errno = EBADF;
    return -1;
  }
  return ready_events(&polled[0], events);
}

/* An application's wait that passes tn_async_wait() on may have been told of a
 * cancel by that. */
static int32_t
fail_wait(struct tn_host_call *call, int cause)
{
  char text[128];
  char why[192];

  if (cause == ECANCELED)
    return stop(call, TN_E_CANCELED, "canceled");
  snprintf(why, sizeof(why), "waiting for a descriptor: %s",
           strerror_r(cause, text, sizeof(text)));
  return stop(call, TN_E_IO, why);
}

/* Wait once, not beyond `end`: returns what the descriptor is ready for, 0
 * when it is time to look again, or -1. */
static int
wait_once(const struct tn_host_call *call, int fd, uint32_t events,
          tn_deadline end)
{
  bool heeds_cancel = call->canceled != NULL && !call->is_grace;

  if (heeds_cancel && (call->wait != NULL || call->wake_fd < 0)) {
    tn_deadline slice = tn_clock_now() + SLICE_NS;

    if (slice < end)
      end = slice;
  }
  if (call->wait != NULL)
    return call->wait(fd, events, end, call->wait_user);
  return tn_host_poll(fd, heeds_cancel ? call->wake_fd : -1, events, end);
}

/* An application's scheduler may come back late, and says then that the time is
 * over: what has arrived by then counts all the same, as with poll(2). */
static int
look_again(const struct tn_host_call *call, int fd, uint32_t events,
           tn_deadline end)
{
  if (call->wait == NULL || is_canceled(call) || tn_clock_now() < end)
    return 0;
  return tn_host_poll(fd, -1, events, 0);
}

static int32_t
wait_events(struct tn_call *call, int32_t fd, uint32_t events, int64_t until,
            uint32_t *ret_events)
{
  struct tn_host_call *host_call = host_call_of(call);
  tn_deadline end = until < call->deadline ? until : call->deadline;
  int32_t rc = check(call);
  int ready = 0;

  while (rc == TN_OK && ready == 0) {
    errno = 0;
    ready = wait_once(host_call, fd, events, end);
    if (ready == 0)
      ready = look_again(host_call, fd, events, end);
    if (ready < 0)
      return fail_wait(host_call, errno != 0 ? errno : EIO);
    ready &= (int)(TN_WAIT_READ | TN_WAIT_WRITE);
    if (ready > 0)
      break;

    /* Asked again also at the very end, which may be the deadline's. */
    rc = check(call);
    if (until != TN_DEADLINE_NONE && tn_clock_now() >= until)
      break;
  }
  if (rc == TN_OK && ret_events != NULL)
    *ret_events = (uint32_t)ready;
  return rc;
}

/* ---- the rest ---- */

static void *
arena_alloc(struct tn_arena *arena, size_t size)
{
  return arena != NULL ? tn_arena_alloc(arena, size) : NULL;
}

static void
log_line(struct tn_call *call, uint32_t level, const char *line)
{
  const struct tn_host_call *host_call = host_call_of(call);

  tn_log_write(host_call->log, level, "%s: %s", name_of(host_call),
               line != NULL ? line : "");
}

static int32_t
value_parse(uint32_t type, const char *text, size_t size, tn_value *ret)
{
  return (int32_t)tn_value_parse(type, text, size, ret, NULL);
}

static const struct tn_host host = {
  .size = sizeof(host),
  .abi_major = TN_ABI_MAJOR,
  .abi_minor = TN_ABI_MINOR,
  .alloc = tn_memory_alloc,
  .resize = tn_memory_resize,
  .release = tn_memory_free,
  .arena_alloc = arena_alloc,
  .now = tn_clock_now,
  .check = check,
  .wait = wait_events,
  .fail = tn_failure__fail,
  .fail_field = tn_failure__field,
  .fail_verdicts = tn_failure__verdicts,
  .log = log_line,
  .value_parse = value_parse,
  .value_print = tn_value_print,
  .offload = tn_host__offload,
  .grace = grace,
  .fail_source = tn_failure__source,
};

const struct tn_host *
tn_host_table(void)
{
  return &host;
}

void
tn_host_call_init(struct tn_host_call *call, tn_deadline deadline,
                  struct tn_arena *arena, tn_err *err)
{
  /* Field by field, all of them: clearing it as a whole costs more than the
   * rest of beginning a call. */
  call->call.size = sizeof(call->call);
  call->call.flags = 0;
  call->call.deadline = deadline != 0 ? deadline : TN_DEADLINE_NONE;
  call->call.host = &host;
  call->call.arena = arena;
  call->err = err;
  call->dialect = NULL;
  call->backend = NULL;
  call->log = NULL;
  call->canceled = NULL;
  call->wait = NULL;
  call->wait_user = NULL;
  call->wake_fd = -1;
  call->is_grace = false;
  call->stopped = TN_OK;
  call->is_kept = false;
  call->failed = TN_OK;
  call->of = NULL;
  call->override = NULL;
}
