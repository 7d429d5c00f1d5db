/* tenon ping --watch: a pool that lives through what happens to its server.
 * There is a row for each ping, whether it worked or not; only what has to do
 * with the command itself ends it. */
#include "cli.h"

#include <string.h>
#include <time.h>

#include "stop.h"

/* Longest that a ping may take, unless the interval is longer. */
#define LIMIT_MS 5000

#define NS_PER_MS     1000000
#define MICROS_PER_MS 1000
#define MICROS_PER_S  1000000

struct watch {
  struct cli *cli;
  struct stop stop;
  tn_engine *engine;
  uint64_t interval_ms;
  uint64_t count; /* of rows; 0: no end */
  bool is_for_people;
};

struct attempt {
  struct timespec at;
  double took_ms;
  tn_err err;
};

static tn_deadline
earlier(tn_deadline one, tn_deadline other)
{
  return other != 0 && other < one ? other : one;
}

static void
try_once(const struct watch *watch, struct attempt *attempt)
{
  uint64_t limit =
      watch->interval_ms > LIMIT_MS ? watch->interval_ms : LIMIT_MS;
  const struct tn_loan loan = { .label = "tenon ping",
                                .deadline = earlier(tn_deadline_after_ms(limit),
                                                    watch->cli->deadline) };
  tn_conn *conn = NULL;
  int64_t start = tn_clock_now();
  enum tn_code rc;

  (void)clock_gettime(CLOCK_REALTIME, &attempt->at);
  rc = tn_engine_take(watch->engine, &loan, &conn, &attempt->err);
  if (rc == TN_OK)
    rc = tn_conn_ping(conn, loan.deadline, &attempt->err);
  if (rc == TN_OK)
    tn_err_clear(&attempt->err);
  attempt->took_ms = ping_ms_since(start);
  tn_pool_give(&conn);
}

/* A moment, or for people the time of day; milliseconds are enough. */
static tn_value
time_value(const struct watch *watch, const struct timespec *at)
{
  int64_t micros = (int64_t)at->tv_nsec / NS_PER_MS * MICROS_PER_MS;
  struct tm local = { .tm_sec = 0 };

  (void)localtime_r(&at->tv_sec, &local);
  if (!watch->is_for_people)
    return tn_timestamp_zoned((int64_t)at->tv_sec * MICROS_PER_S + micros,
                              (int32_t)local.tm_gmtoff);
  micros += ((int64_t)local.tm_hour * 3600 + (int64_t)local.tm_min * 60 +
             local.tm_sec) *
            MICROS_PER_S;
  return tn_time(micros);
}

static enum tn_code
print_attempt(const struct watch *watch, const struct attempt *attempt,
              tn_err *err)
{
  struct tn_pool_stats stats = { .struct_size = sizeof stats };
  char took[32]; /* people like to have the points below each other */
  enum tn_code rc;

  (void)snprintf(took, sizeof took, "%.3f", attempt->took_ms);
  tn_pool_stats(tn_engine_pool(watch->engine), &stats);
  {
    const tn_value row[] = {
      time_value(watch, &attempt->at),
      tn_text(tn_code_name(attempt->err.code)),
      watch->is_for_people ? tn_decimal(took) : tn_double(attempt->took_ms),
      tn_uint64(stats.idle),
      tn_uint64(stats.lent),
      tn_uint64(stats.connecting),
      tn_uint64(stats.connects),
      tn_uint64(stats.connect_failures),
      attempt->err.code == TN_OK ? tn_null() : tn_text(attempt->err.message),
    };

    rc = output_row(&watch->cli->out, row, err);
  }
  return rc == TN_OK ? output_flush(&watch->cli->out, err) : rc;
}

/* Has the time of the whole command passed? */
static enum tn_code
check_time(const struct watch *watch, tn_err *err)
{
  if (watch->cli->deadline == 0 || tn_clock_now() < watch->cli->deadline)
    return TN_OK;
  return tn_err_set(err, TN_E_TIMEOUT, "ping: the deadline passed");
}

/* What an end has cut short is not told as a failure of the server. */
static enum tn_code
run_attempts(const struct watch *watch, tn_err *err)
{
  int64_t next = tn_clock_now();
  uint64_t done = 0;
  enum tn_code rc = TN_OK;

  while (rc == TN_OK) {
    struct attempt attempt = { .err = TN_ERR_INIT };

    try_once(watch, &attempt);
    if (attempt.err.code != TN_OK) {
      if (stop_sleep(&watch->stop, 0))
        return TN_OK;
      rc = check_time(watch, err);
    }
    if (rc == TN_OK)
      rc = print_attempt(watch, &attempt, err);
    if (rc != TN_OK || ++done == watch->count)
      return rc;
    next += (int64_t)watch->interval_ms * NS_PER_MS;
    if (next < tn_clock_now())
      next = tn_clock_now();
    if (stop_sleep(&watch->stop, earlier(next, watch->cli->deadline)))
      return TN_OK;
    rc = check_time(watch, err);
  }
  return rc;
}

static enum tn_code
run_watch(struct watch *watch, tn_err *err)
{
  struct output *out = &watch->cli->out;
  const struct output_column columns[] = {
    { "time", watch->is_for_people ? TN_TIME : TN_TIMESTAMP },
    { "result", TN_TEXT },
    { "ms", watch->is_for_people ? TN_DECIMAL : TN_DOUBLE },
    { "idle", TN_UINT64 },
    { "lent", TN_UINT64 },
    { "connecting", TN_UINT64 },
    { "connects", TN_UINT64 },
    { "connect_failures", TN_UINT64 },
    { "error", TN_TEXT },
  };
  enum tn_code rc = output_begin(out, columns, COUNT(columns), err);

  if (rc == TN_OK)
    rc = output_flush(out, err);
  if (rc == TN_OK)
    rc = run_attempts(watch, err);
  return output_finish(out, rc, err);
}

static enum tn_code
take_options(struct watch *watch, tn_err *err)
{
  const char *interval = watch->cli->options[OPTION_INTERVAL];
  const char *count = watch->cli->options[OPTION_ROWS];
  tn_value number = tn_uint64(0);
  enum tn_code rc = TN_OK;

  if (interval != NULL)
    rc = tn_duration_parse(interval, &watch->interval_ms, err);
  if (rc != TN_OK)
    return rc;
  if (watch->interval_ms == 0)
    return tn_err_set(err, TN_E_USAGE, "--interval: must not be 0");
  if (count == NULL)
    return TN_OK;
  if (tn_value_parse(TN_UINT64, count, strlen(count), &number, NULL) != TN_OK ||
      number.as.uint64 == 0)
    return tn_err_set(err, TN_E_USAGE,
                      "--count: \"%.32s\" is no number from 1 on", count);
  watch->count = number.as.uint64;
  return TN_OK;
}

enum tn_code
cmd_watch(struct cli *cli, tn_err *err)
{
  struct watch watch = { .cli = cli, .interval_ms = 1000 };
  enum tn_code rc = take_options(&watch, err);

  if (cli->out.writer == &output_table) {
    watch.is_for_people = true;
    cli->out.writer = &output_lines;
  }
  if (rc == TN_OK)
    rc = stop_begin(&watch.stop, err);
  if (rc != TN_OK)
    return rc;
  rc = target_engine(cli, cli->args[0], stop_wait, &watch.stop, &watch.engine,
                     err);
  if (rc == TN_OK)
    rc = run_watch(&watch, err);
  watch.stop.is_closing = true;
  tn_engine_close(&watch.engine);
  stop_end(&watch.stop);
  return rc;
}
