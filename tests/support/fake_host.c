/* The host table for tests of plug-ins. */
#include "fake_host.h"

#include <poll.h>
#include <string.h>
#include <tenon/clock.h>

#include "arena.h"

static struct fake_call *
fake_of(struct tn_call *call)
{
  return (struct fake_call *)(void *)call;
}

static void *
arena_alloc(struct tn_arena *arena, size_t size)
{
  return arena != NULL ? tn_arena_alloc(arena, size) : NULL;
}

/* As the core's: nothing covers up why things had to be brought in order. */
static bool
takes_failure(struct fake_call *fake)
{
  fake->is_kept = fake->is_grace && fake->err.code != TN_OK;
  return !fake->is_kept;
}

static int32_t
stop(struct fake_call *fake, int32_t category)
{
  if (takes_failure(fake))
    tn_err_set(&fake->err, (enum tn_code)category, "%s", "stopped by the host");
  return category;
}

/* Does the test want the `nth` question to be answered with `stop`? */
static bool
stops_at(const struct fake_call *fake, long nth)
{
  return !fake->is_grace && fake->stop != 0 && nth >= fake->stop_after;
}

static int32_t
check(struct tn_call *call)
{
  struct fake_call *fake = fake_of(call);

  fake->checks++;
  if (stops_at(fake, fake->checks))
    return stop(fake, fake->stop);
  if (tn_clock_now() >= call->deadline)
    return stop(fake, TN_E_TIMEOUT);
  return TN_OK;
}

static void
grace(struct tn_call *call, int64_t nanoseconds)
{
  struct fake_call *fake = fake_of(call);

  fake->graces++;
  if (fake->is_grace)
    return;
  fake->is_grace = true;
  fake->grace_ns = nanoseconds;
  if (nanoseconds < 0 || fake->is_grace_useless)
    nanoseconds = 0;
  if (nanoseconds > TN_GRACE_MAX)
    nanoseconds = TN_GRACE_MAX;
  call->deadline = tn_clock_now() + nanoseconds;
}

static int32_t
offload(struct tn_call *call, void (*run)(void *job),
        void (*release)(void *job), void *job, int64_t until)
{
  struct fake_call *fake = fake_of(call);
  int32_t rc = check(call);

  (void)until;
  fake->offloads++;
  if (rc == TN_OK && fake->offload_fails != 0 &&
      fake->offloads >= fake->offload_fails_after)
    rc = stop(fake, fake->offload_fails);
  if (rc == TN_OK)
    run(job);
  else
    release(job);
  return rc;
}

/* Wait once. Returns what the descriptor is ready for. */
static uint32_t
poll_once(int32_t fd, uint32_t events, int64_t end)
{
  struct pollfd polled = { .fd = fd };
  int64_t now = tn_clock_now();
  int timeout = -1;
  uint32_t ready = 0;

  if (end != INT64_MAX)
    timeout = end <= now ? 0 : (int)((end - now + 999999) / 1000000);
  if ((events & TN_WAIT_READ) != 0)
    polled.events |= POLLIN;
  if ((events & TN_WAIT_WRITE) != 0)
    polled.events |= POLLOUT;
  if (poll(&polled, 1, timeout) <= 0)
    return 0;
  if ((polled.revents & (POLLIN | POLLHUP | POLLERR)) != 0)
    ready |= TN_WAIT_READ;
  if ((polled.revents & (POLLOUT | POLLHUP | POLLERR)) != 0)
    ready |= TN_WAIT_WRITE;
  return ready & events;
}

static int32_t
wait_until(struct tn_call *call, int32_t fd, uint32_t events, int64_t until,
           uint32_t *ret_events)
{
  struct fake_call *fake = fake_of(call);
  uint32_t ready = 0;

  fake->waits++;
  if (fake->on_wait != NULL)
    fake->on_wait(fake->user);
  do {
    int64_t now = tn_clock_now();
    int64_t end = until < call->deadline ? until : call->deadline;
    int32_t rc;

    if (end != INT64_MAX && end > now)
      fake->waited_ns += end - now;

    /* Nothing else would end the wait of a call that is to be stopped. */
    if (!stops_at(fake, fake->checks + 1))
      ready = poll_once(fd, events, end);
    rc = check(call);
    if (rc != TN_OK)
      return rc;
  } while (ready == 0 && (until == INT64_MAX || tn_clock_now() < until));
  if (ret_events != NULL)
    *ret_events = ready;
  return TN_OK;
}

/* A row of that number, or for exactly the first `size` characters of
 * `sqlstate`. */
static const struct tn_error_row *
find_row(const struct tn_dialect_table *dialect, int32_t native,
         const char *sqlstate, size_t size)
{
  uint64_t i;

  if (sqlstate != NULL && strlen(sqlstate) < size)
    return NULL;
  for (i = 0; dialect != NULL && i < dialect->error_count; i++) {
    const struct tn_error_row *row = &dialect->errors[i];

    if (native != 0 && row->native == native)
      return row;
    if (sqlstate != NULL && row->native == 0 && row->sqlstate != NULL &&
        strlen(row->sqlstate) == size &&
        memcmp(row->sqlstate, sqlstate, size) == 0)
      return row;
  }
  return NULL;
}

/* As the core does it: from the most telling to the most general. */
static const struct tn_error_row *
row_of(const struct tn_dialect_table *dialect, const struct tn_failure *failure)
{
  int32_t native = failure->lookup != 0 ? failure->lookup : failure->native;
  const struct tn_error_row *row = find_row(dialect, native, NULL, 0);

  if (row == NULL)
    row = find_row(dialect, failure->fallback, NULL, 0);
  if (row == NULL && failure->sqlstate != NULL)
    row = find_row(dialect, 0, failure->sqlstate, 5);
  if (row == NULL && failure->sqlstate != NULL)
    row = find_row(dialect, 0, failure->sqlstate, 2);
  return row;
}

static void
copy_failure(tn_err *err, const struct tn_failure *failure)
{
  err->native = failure->native;
  err->position = failure->position;
  err->parameter = failure->parameter;
  err->row = failure->row;
  if (failure->sqlstate != NULL && strlen(failure->sqlstate) == 5)
    memcpy(err->sqlstate, failure->sqlstate, 6);
  tn_err_add(err, TN_ERR_DETAIL, failure->detail);
}

static int32_t
fail(struct tn_call *call, const struct tn_failure *failure)
{
  struct fake_call *fake = fake_of(call);
  const struct tn_error_row *row = NULL;
  int32_t category = failure->category;

  if (category == 0) {
    row = row_of(fake->dialect, failure);
    category = row == NULL ? TN_E_OTHER : row->category;
  }
  if (!takes_failure(fake))
    return category;
  tn_err_set(&fake->err, (enum tn_code)category, "%s",
             failure->message == NULL ? "" : failure->message);
  copy_failure(&fake->err, failure);
  if (row != NULL)
    tn_err_verdicts(&fake->err, row->connection, row->replay);
  return category;
}

static void
fail_field(struct tn_call *call, uint32_t field, const char *text, size_t size)
{
  char copy[512];

  if (fake_of(call)->is_kept)
    return;
  if (size >= sizeof copy)
    size = sizeof copy - 1;
  memcpy(copy, text, size);
  copy[size] = '\0';
  tn_err_add(&fake_of(call)->err, (enum tn_err_field)field, copy);
  if (field == TN_ERR_COLUMN && fake_of(call)->err.source == 0)
    fake_of(call)->err.source = TN_SOURCE_MESSAGE;
}

static void
fail_source(struct tn_call *call, uint32_t source)
{
  if (!fake_of(call)->is_kept)
    fake_of(call)->err.source = source;
}

static void
fail_verdicts(struct tn_call *call, int32_t connection, int32_t replay)
{
  tn_err_verdicts(&fake_of(call)->err, connection, replay);
}

static void
write_log(struct tn_call *call, uint32_t level, const char *line)
{
  struct fake_call *fake = fake_of(call);

  fake->log_level = level;
  snprintf(fake->log, sizeof fake->log, "%s", line);
}

static int32_t
value_parse(uint32_t type, const char *text, size_t size, tn_value *ret)
{
  return tn_value_parse(type, text, size, ret, NULL);
}

static const struct tn_host host = {
  .size = sizeof host,
  .abi_major = TN_ABI_MAJOR,
  .abi_minor = TN_ABI_MINOR,
  .alloc = tn_memory_alloc,
  .resize = tn_memory_resize,
  .release = tn_memory_free,
  .arena_alloc = arena_alloc,
  .now = tn_clock_now,
  .check = check,
  .wait = wait_until,
  .fail = fail,
  .fail_field = fail_field,
  .fail_verdicts = fail_verdicts,
  .log = write_log,
  .value_parse = value_parse,
  .value_print = tn_value_print,
  .offload = offload,
  .grace = grace,
  .fail_source = fail_source,
};

void
fake_call_init(struct fake_call *fake, const struct tn_dialect_table *dialect)
{
  memset(fake, 0, sizeof *fake);
  fake->call.size = sizeof fake->call;
  fake->call.host = &host;
  fake->call.deadline = INT64_MAX;
  fake->dialect = dialect;
}

void
fake_call_again(struct fake_call *fake, uint64_t ms)
{
  const struct tn_dialect_table *dialect = fake->dialect;

  fake_call_init(fake, dialect);
  if (ms != 0)
    fake->call.deadline = tn_deadline_after_ms(ms);
}
