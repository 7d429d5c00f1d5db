/* The first connection of a program that would rather know, or wait. */
#include "async_priv.h"
#include "engine_priv.h"

/* How the attempts go. */
struct attempts {
  int64_t left;        /* below 0: without end */
  int64_t interval_ns; /* before the next one */
  int64_t longest_ns;
  tn_deadline deadline;
};

/* May it be another time? Nobody answers, or there is no room for us yet. */
static bool
is_away(enum tn_code code)
{
  return code == TN_E_CONNECT || code == TN_E_TIMEOUT || code == TN_E_LOST ||
         code == TN_E_LIMIT;
}

static void
log_failure(const tn_engine *engine, const struct attempts *attempts,
            const tn_err *err)
{
  char left[32] = "no end of";

  if (attempts->left >= 0)
    snprintf(left, sizeof left, "%lld", (long long)attempts->left);
  tn_log_write(engine->options.log, TN_LOG_WARNING,
               "engine: cannot connect to %s: %s; %s attempts left",
               engine->url, err->message, left);
}

/* Sleep until the next attempt. False: that would be too late; or it was ended,
 * by a cancel of the asynchronous call or by the application's wait, as `rc`
 * then says. */
static bool
pause_before_next(const tn_engine *engine, struct attempts *attempts,
                  enum tn_code *rc, tn_err *err)
{
  const struct tn_engine_options *options = &engine->options;
  int64_t until = tn_clock_now() + attempts->interval_ns;

  if (until >= attempts->deadline)
    return false;
  while (tn_clock_now() < until)
    if (tn_async__sleep(options->wait, options->wait_user, until) < 0) {
      *rc = tn_err_set(err, TN_E_CANCELED, "engine: canceled");
      return false;
    }
  attempts->interval_ns *= 2;
  if (attempts->interval_ns > attempts->longest_ns)
    attempts->interval_ns = attempts->longest_ns;
  return true;
}

/* A host that never answers must not be the only one that is tried. */
static tn_deadline
end_of_attempt(const tn_engine *engine, const struct attempts *attempts)
{
  tn_deadline end = tn_pool__deadline(engine->pool);

  return end < attempts->deadline ? end : attempts->deadline;
}

static enum tn_code
attempt_all(const tn_engine *engine, struct attempts *attempts, tn_err *err)
{
  enum tn_code rc;

  do {
    tn_err_clear(err);
    attempts->left -= attempts->left > 0;
    rc = tn_pool__warm(engine->pool, end_of_attempt(engine, attempts), err);
    if (rc == TN_OK || !is_away(rc))
      return rc;
    log_failure(engine, attempts, err);
  } while (attempts->left != 0 &&
           pause_before_next(engine, attempts, &rc, err));
  return rc;
}

enum tn_code
tn_engine_start(tn_engine *engine, tn_deadline deadline, tn_err *err)
{
  const struct tn_target *target = &engine->target;
  int64_t interval = tn_target__number(target, "retry_interval", 0);
  struct attempts attempts = {
    .left = tn_target__number(target, "max_retries", 0),
    .interval_ns = interval * NS_PER_S,
    .longest_ns =
        tn_target__number(target, "max_retry_interval", interval) * NS_PER_S,
    .deadline = deadline != 0 ? deadline : TN_DEADLINE_NONE,
  };
  tn_err own;
  enum tn_code rc;

  if (attempts.left == 0)
    return TN_OK;
  if (err == NULL)
    err = &own;
  rc = attempt_all(engine, &attempts, err);
  if (rc == TN_OK || !is_away(rc) ||
      tn_target__number(target, "start_degraded", 0) == 0)
    return rc;
  tn_log_write(engine->options.log, TN_LOG_WARNING,
               "engine: going on without a connection to %s", engine->url);
  tn_err_clear(err);
  return TN_OK;
}
