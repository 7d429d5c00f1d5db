#include "watch.h"

#include <string.h>

/* Longest that an attempt may take, unless the interval is longer. */
#define LIMIT_MS 5000

#define NS_PER_MS 1000000

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
  const struct tn_loan loan = { .label = "tenon --watch",
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

/* Has the time of the whole command passed? */
static enum tn_code
check_time(const struct watch *watch, tn_err *err)
{
  if (watch->cli->deadline == 0 || tn_clock_now() < watch->cli->deadline)
    return TN_OK;
  return tn_err_set(err, TN_E_TIMEOUT, "%s: the deadline passed",
                    watch->cli->command->words);
}

/* What an end has cut short is not told as a failure of the server. */
enum tn_code
watch_run(const struct watch *watch, watch_tell tell, tn_err *err)
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
      rc = tell(watch, &attempt, err);
    if (rc == TN_OK)
      rc = output_flush(&watch->cli->out, err);
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
watch_wanted(const struct cli *cli, bool *ret, tn_err *err)
{
  *ret = cli->options[OPTION_WATCH] != NULL;
  if (*ret || (cli->options[OPTION_INTERVAL] == NULL &&
               cli->options[OPTION_ROWS] == NULL))
    return TN_OK;
  return tn_err_set(err, TN_E_USAGE, "--%s: only with --watch",
                    cli->options[OPTION_ROWS] != NULL ? "count" : "interval");
}

enum tn_code
watch_begin(struct watch *watch, struct cli *cli, tn_err *err)
{
  enum tn_code rc;

  *watch = (struct watch){ .cli = cli, .interval_ms = 1000 };
  rc = take_options(watch, err);
  if (rc == TN_OK)
    rc = stop_begin(&watch->stop, err);
  if (rc != TN_OK)
    return rc;
  watch->has_stop = true;
  return target_engine(cli, cli->args[0], stop_wait, &watch->stop,
                       &watch->engine, err);
}

void
watch_end(struct watch *watch)
{
  if (!watch->has_stop)
    return;
  watch->stop.is_closing = true;
  tn_engine_close(&watch->engine);
  stop_end(&watch->stop);
}
