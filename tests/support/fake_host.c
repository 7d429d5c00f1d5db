/* The host table for tests of plug-ins. */
#include "fake_host.h"

#include <stdlib.h>
#include <tenon/clock.h>
#include <time.h>

#include "base_priv.h"

static struct fake_call *
fake_of(struct tn_call *call)
{
  return (struct fake_call *)(void *)call;
}

static void *
arena_alloc(struct tn_arena *arena, size_t size)
{
  (void)arena;
  (void)size;
  return NULL; /* the calls here make nothing that needs one */
}

static int32_t
stop(struct fake_call *fake, int32_t category)
{
  tn_err_set(&fake->err, (enum tn_code)category, "%s", "stopped by the host");
  return category;
}

static int32_t
check(struct tn_call *call)
{
  struct fake_call *fake = fake_of(call);

  fake->checks++;
  if (fake->stop != 0 && fake->checks >= fake->stop_after)
    return stop(fake, fake->stop);
  if (tn_clock_now() >= call->deadline)
    return stop(fake, TN_E_TIMEOUT);
  return TN_OK;
}

static int32_t
wait_until(struct tn_call *call, int32_t fd, uint32_t events, int64_t until,
           uint32_t *ret_events)
{
  struct fake_call *fake = fake_of(call);
  int64_t now = tn_clock_now();
  int64_t end = until < call->deadline ? until : call->deadline;
  struct timespec left;
  int32_t rc;

  (void)fd;
  (void)events;
  fake->waits++;
  if (fake->on_wait != NULL)
    fake->on_wait(fake->user);
  if (end > now) {
    fake->waited_ns += end - now;
    left.tv_sec = (time_t)((end - now) / 1000000000);
    left.tv_nsec = (long)((end - now) % 1000000000);
    nanosleep(&left, NULL);
  }
  rc = check(call);
  if (rc == TN_OK && ret_events != NULL)
    *ret_events = 0;
  return rc;
}

/* As the core does it: native code, then the more general one. */
static const struct tn_error_row *
find_row(const struct tn_dialect_table *dialect, int32_t native)
{
  uint64_t i;

  for (i = 0; dialect != NULL && native != 0 && i < dialect->error_count; i++)
    if (dialect->errors[i].native == native)
      return &dialect->errors[i];
  return NULL;
}

static int32_t
fail(struct tn_call *call, const struct tn_failure *failure)
{
  struct fake_call *fake = fake_of(call);
  const struct tn_error_row *row = NULL;
  int32_t category = failure->category;

  if (category == 0) {
    row = find_row(fake->dialect, failure->native);
    if (row == NULL)
      row = find_row(fake->dialect, failure->fallback);
    category = row == NULL ? TN_E_OTHER : row->category;
  }
  tn_err_set(&fake->err, (enum tn_code)category, "%s",
             failure->message == NULL ? "" : failure->message);
  fake->err.native = failure->native;
  fake->err.position = failure->position;
  fake->err.parameter = failure->parameter;
  tn_err_add(&fake->err, TN_ERR_DETAIL, failure->detail);
  if (row != NULL)
    tn_err_verdicts(&fake->err, row->connection, row->replay);
  return category;
}

static void
fail_field(struct tn_call *call, uint32_t field, const char *text, size_t size)
{
  char copy[512];

  if (size >= sizeof copy)
    size = sizeof copy - 1;
  memcpy(copy, text, size);
  copy[size] = '\0';
  tn_err_add(&fake_of(call)->err, (enum tn_err_field)field, copy);
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
