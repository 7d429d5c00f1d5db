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

#include "mask.h"
#include "offload.h"
#include "text.h"

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

/* ---- failures ---- */

/* May a failure be put into the call's error? What comes while things are
 * brought in order explains less than what made that necessary. */
static bool
takes_failure(struct tn_host_call *call)
{
  call->is_kept = call->is_grace && call->failed != TN_OK;
  return !call->is_kept;
}

/* Remember that the error is set, and by whom. */
static int32_t
note_failure(struct tn_host_call *call, int32_t category)
{
  call->failed = category;
  if (call->backend != NULL)
    tn_text_escape(call->backend, strlen(call->backend), call->err->backend,
                   sizeof(call->err->backend));
  return category;
}

/* The text as it may be shown, its lines kept. Escaped first: that hides no
 * end of a password that masking looks for but the blanks in it, and so masks
 * too much at worst. */
static void
clean_text(const char *text, size_t size, char *out, size_t capacity)
{
  tn_text_escape_lines(text, size, out, capacity);
  tn_text_mask(out, capacity);
}

static const struct tn_error_row *
find_native(const struct tn_dialect_table *dialect, int32_t native)
{
  for (uint64_t i = 0; native != 0 && i < dialect->error_count; i++) {
    if (dialect->errors[i].native == native)
      return &dialect->errors[i];
  }
  return NULL;
}

/* A row for exactly the first `size` characters of `sqlstate`. */
static const struct tn_error_row *
find_sqlstate(const struct tn_dialect_table *dialect, const char *sqlstate,
              size_t size)
{
  if (sqlstate == NULL || strlen(sqlstate) < size)
    return NULL;
  for (uint64_t i = 0; i < dialect->error_count; i++) {
    const struct tn_error_row *row = &dialect->errors[i];

    if (row->native == 0 && row->sqlstate != NULL &&
        strlen(row->sqlstate) == size &&
        memcmp(row->sqlstate, sqlstate, size) == 0)
      return row;
  }
  return NULL;
}

/* From the most telling to the most general; NULL if no row matches. */
static const struct tn_error_row *
find_row(const struct tn_dialect_table *dialect,
         const struct tn_failure *failure)
{
  const struct tn_error_row *row;

  if (dialect == NULL || dialect->errors == NULL)
    return NULL;
  row = find_native(dialect,
                    failure->lookup != 0 ? failure->lookup : failure->native);
  if (row == NULL)
    row = find_native(dialect, failure->fallback);
  if (row == NULL)
    row = find_sqlstate(dialect, failure->sqlstate, 5);
  if (row == NULL)
    row = find_sqlstate(dialect, failure->sqlstate, 2);
  return row;
}

/* The category with which a call fails must be one: a number that is none
 * would be taken for success, or for the sign of something else. */
static int32_t
valid_category(int32_t category)
{
  return category > TN_OK && category < TN_CODE_COUNT ? category : TN_E_OTHER;
}

static void
copy_sqlstate(tn_err *err, const char *sqlstate)
{
  size_t size = 0;

  if (sqlstate == NULL)
    return;
  while (tn_text_is_alpha(sqlstate[size]) || tn_text_is_digit(sqlstate[size]))
    size++;
  if (size == 5 && sqlstate[size] == '\0')
    memcpy(err->sqlstate, sqlstate, size + 1);
}

/* `message`, its first line, and what follows it as detail. */
static void
set_message(tn_err *err, int32_t category, const char *message)
{
  char text[sizeof(err->message) + sizeof(err->detail)];
  char *rest;

  while (tn_text_is_space(*message))
    message++;
  clean_text(message, strlen(message), text, sizeof(text));
  rest = strchr(text, '\n');
  if (rest != NULL)
    *rest++ = '\0';
  tn_err_set(err, (enum tn_code)category, "%s", text);
  tn_err_add(err, TN_ERR_DETAIL, rest);
}

static void
fail_field(struct tn_call *call, uint32_t field, const char *text, size_t size)
{
  struct tn_host_call *host_call = host_call_of(call);
  char cleaned[sizeof(host_call->err->detail) + sizeof("...")];

  if (text == NULL || host_call->failed == TN_OK || host_call->is_kept)
    return;
  clean_text(text, size, cleaned, sizeof(cleaned));
  tn_err_add(host_call->err, (enum tn_err_field)field, cleaned);
}

static int32_t
fail(struct tn_call *call, const struct tn_failure *failure)
{
  struct tn_host_call *host_call = host_call_of(call);
  const struct tn_error_row *row = NULL;
  struct tn_failure full = { .size = sizeof(full) };
  tn_err *err = host_call->err;
  int32_t category;

  /* A plug-in built with an older header has a shorter struct. */
  if (failure != NULL)
    memcpy(&full, failure,
           failure->size < sizeof(full) ? failure->size : sizeof(full));
  if (full.category == 0)
    row = find_row(host_call->dialect, &full);
  category = valid_category(row != NULL ? row->category : full.category);
  if (!takes_failure(host_call))
    return category;

  set_message(err, category,
              full.message != NULL && *full.message != '\0'
                  ? full.message
                  : tn_code_summary(category));
  if (row != NULL) {
    tn_err_verdicts(err, row->connection, row->replay);
    copy_sqlstate(err, row->sqlstate);
  }
  copy_sqlstate(err, full.sqlstate);
  err->native = full.native;
  err->position = full.position > 0 ? full.position : 0;
  err->parameter = full.parameter > 0 ? full.parameter : 0;
  err->row = full.row;
  note_failure(host_call, category);
  if (full.detail != NULL)
    fail_field(call, TN_ERR_DETAIL, full.detail, strlen(full.detail));
  return category;
}

static void
fail_verdicts(struct tn_call *call, int32_t connection, int32_t replay)
{
  struct tn_host_call *host_call = host_call_of(call);

  if (host_call->failed == TN_OK)
    return;
  if (connection < 0 || connection > TN_CONNECTION_DEAD)
    connection = 0;
  if (replay < 0 || replay > TN_REPLAY_UNKNOWN)
    replay = 0;
  tn_err_verdicts(host_call->err, connection, replay);
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
  if (!takes_failure(call))
    return category;
  tn_err_set(call->err, (enum tn_code)category, "%s: %s", name_of(call), why);
  return note_failure(call, category);
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

static int32_t
fail_wait(struct tn_host_call *call, int cause)
{
  char text[128];
  char why[192];

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
  .fail = fail,
  .fail_field = fail_field,
  .fail_verdicts = fail_verdicts,
  .log = log_line,
  .value_parse = value_parse,
  .value_print = tn_value_print,
  .offload = tn_host__offload,
  .grace = grace,
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
}
