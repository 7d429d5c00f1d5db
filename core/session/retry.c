/* Whether, and when, what has failed is called again. */
#include <unistd.h>

#include "async_priv.h"
#include "engine_priv.h"
#include "session_priv.h"

#define USUAL_ATTEMPTS 10
#define USUAL_FIRST_MS 20
#define USUAL_MAX_MS   10000
#define USUAL_GROWTH   200
#define MS_PER_S       1000

/* ---- presets ---- */

struct tn_retry
tn_retry_oslo(uint64_t categories)
{
  struct tn_retry policy = TN_RETRY_INIT;

  policy.max_attempts = 21;
  policy.first_ms = MS_PER_S;
  policy.max_ms = UINT64_C(10) * MS_PER_S;
  policy.categories = categories;
  policy.flags = TN_RETRY_EXACT_BUT_DEADLOCK | TN_RETRY_CAP_LAST;
  return policy;
}

struct tn_retry
tn_retry_nameko(uint32_t repeats, uint64_t factor_ms, uint64_t max_ms)
{
  struct tn_retry policy = TN_RETRY_INIT;

  policy.max_attempts = repeats == 0 ? 2 : (int64_t)repeats + 1;
  policy.first_ms = factor_ms == 0 ? TN_RETRY_AT_ONCE : factor_ms;
  policy.max_ms = max_ms == 0 ? UINT64_MAX : max_ms;
  policy.flags = TN_RETRY_EXACT | TN_RETRY_FIRST_AT_ONCE;
  return policy;
}

struct tn_retry
tn_retry_of_engine(const tn_engine *engine)
{
  const struct tn_target *target = &engine->target;
  struct tn_retry policy = TN_RETRY_INIT;
  int64_t repeats = tn_target__number(target, "db_max_retries", 0);
  int64_t first = tn_target__number(target, "db_retry_interval", 0);
  int64_t most = tn_target__number(target, "db_max_retry_interval", 0);

  policy.max_attempts = repeats < 0 ? TN_RETRY_FOREVER : repeats + 1;
  policy.first_ms = first == 0 ? TN_RETRY_AT_ONCE : (uint64_t)first * MS_PER_S;

  /* A longest time of 0 is no time at all, not the usual one. */
  policy.max_ms = (uint64_t)most * MS_PER_S;
  if (most == 0)
    policy.first_ms = TN_RETRY_AT_ONCE;
  if (tn_target__number(target, "db_inc_retry_interval", 1) == 0)
    policy.growth_percent = 100;
  policy.categories = TN_RETRY_ON_CONFLICT;
  if (tn_target__number(target, "use_db_reconnect", 0) != 0)
    policy.categories |= TN_RETRY_ON_LOST;
  policy.wait = engine->options.wait;
  policy.wait_user = engine->options.wait_user;
  return policy;
}

/* ---- how long ---- */

static uint64_t
grow(uint64_t ms, uint32_t percent)
{
  if (ms > UINT64_MAX / percent)
    return UINT64_MAX;
  return ms * percent / 100;
}

/* From 0 to `most`, evenly. Not for secrets: threads and processes that failed
 * at the same time must draw differently, no more. */
static uint64_t
draw(uint64_t most)
{
  static _Atomic uint64_t drawn;
  uint64_t mixed = (uint64_t)tn_clock_now() ^ (uint64_t)getpid() << 40;

  mixed += (atomic_fetch_add(&drawn, 1) + 1) * UINT64_C(0x9e3779b97f4a7c15);
  mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
  mixed ^= mixed >> 31;
  return most == UINT64_MAX ? mixed : mixed % (most + 1);
}

static bool
is_exact(const struct tn_retry *policy, const tn_err *err)
{
  if ((policy->flags & TN_RETRY_EXACT) != 0)
    return true;
  return (policy->flags & TN_RETRY_EXACT_BUT_DEADLOCK) != 0 &&
         err->code != TN_E_DEADLOCK;
}

static uint64_t
next_sleep(struct tn_retry_run *run, const tn_err *err)
{
  const struct tn_retry *policy = &run->policy;
  uint64_t ms = run->interval_ms;

  run->interval_ms = grow(ms, policy->growth_percent);
  if (run->attempts == 1 && (policy->flags & TN_RETRY_FIRST_AT_ONCE) != 0)
    return 0;
  if (ms > policy->max_ms && (policy->flags & TN_RETRY_CAP_LAST) == 0)
    ms = policy->max_ms;
  if (!is_exact(policy, err))
    ms = draw(ms);
  return ms > policy->max_ms ? policy->max_ms : ms;
}

/* ---- whether ---- */

static bool
may_repeat(const struct tn_retry_run *run, const tn_err *err)
{
  const struct tn_retry *policy = &run->policy;

  if (err->replay != TN_REPLAY_SAFE && err->replay != TN_REPLAY_TRANSACTION)
    return false;
  if (policy->max_attempts >= 0 &&
      run->attempts >= (uint64_t)policy->max_attempts)
    return false;
  if (err->code > 0 && err->code < TN_CODE_COUNT &&
      (policy->categories & TN_RETRY_ON(err->code)) != 0)
    return true;
  return policy->check != NULL && policy->check(err, policy->user) != 0;
}

/* False: inside an asynchronous call that was canceled, or the application's
 * wait has failed. */
static bool
sleep_until(const struct tn_retry *policy, tn_deadline until)
{
  while (tn_clock_now() < until)
    if (tn_async__sleep(policy->wait, policy->wait_user, until) < 0)
      return false;
  return true;
}

bool
tn_retry__again(struct tn_retry_run *run, enum tn_code *rc, tn_err *err)
{
  const struct tn_retry *policy = &run->policy;
  struct tn_retry_attempt attempt = { .err = err };
  tn_deadline until;

  run->attempts++;
  if (*rc == TN_OK || !may_repeat(run, err))
    return false;
  attempt.number = run->attempts;
  attempt.sleep_ms = next_sleep(run, err);
  if (policy->hook != NULL && policy->hook(&attempt, policy->user) != TN_OK)
    return false;
  until = tn_deadline_after_ms(attempt.sleep_ms);
  if (until >= run->deadline)
    return false;
  if (attempt.sleep_ms > 0 && !sleep_until(policy, until)) {
    *rc = tn_err_set(err, TN_E_CANCELED, "retry: canceled while waiting");
    return false;
  }
  tn_err_clear(err);
  return true;
}

static enum tn_code
check(const struct tn_retry *policy, tn_err *err)
{
  const uint32_t known = TN_RETRY_EXACT | TN_RETRY_EXACT_BUT_DEADLOCK |
                         TN_RETRY_CAP_LAST | TN_RETRY_FIRST_AT_ONCE;

  if (policy->struct_size != sizeof *policy)
    return tn_err_set(err, TN_E_USAGE,
                      "retry: begin the policy with TN_RETRY_INIT");
  if (policy->max_attempts < TN_RETRY_FOREVER)
    return tn_err_set(err, TN_E_USAGE,
                      "retry: max_attempts is %lld; use a count, 0 or "
                      "TN_RETRY_FOREVER",
                      (long long)policy->max_attempts);
  if ((policy->flags & ~known) != 0)
    return tn_err_set(err, TN_E_USAGE, "retry: unknown flags 0x%x",
                      (unsigned)(policy->flags & ~known));
  return TN_OK;
}

enum tn_code
tn_retry__start(const struct tn_retry *policy, struct tn_retry_run *ret,
                tn_err *err)
{
  static const struct tn_retry usual = TN_RETRY_INIT;
  struct tn_retry *own = &ret->policy;
  enum tn_code rc;

  *ret = (struct tn_retry_run){ .attempts = 0 };
  if (policy == NULL)
    policy = &usual;
  rc = check(policy, err);
  if (rc != TN_OK)
    return rc;
  *own = *policy;
  if (own->max_attempts == 0)
    own->max_attempts = USUAL_ATTEMPTS;
  if (own->first_ms == 0)
    own->first_ms = USUAL_FIRST_MS;
  if (own->max_ms == 0)
    own->max_ms = USUAL_MAX_MS;
  if (own->growth_percent == 0)
    own->growth_percent = USUAL_GROWTH;
  if (own->categories == 0)
    own->categories = TN_RETRY_USUAL;
  ret->interval_ms = own->first_ms == TN_RETRY_AT_ONCE ? 0 : own->first_ms;
  ret->deadline = own->total_ms == 0 ? TN_DEADLINE_NONE
                                     : tn_deadline_after_ms(own->total_ms);
  return TN_OK;
}

enum tn_code
tn_retry_call(const struct tn_retry *policy, tn_retry_fn call, void *user,
              tn_err *err)
{
  struct tn_retry_run run;
  tn_err own;
  enum tn_code rc;

  if (call == NULL)
    return tn_err_set(err, TN_E_USAGE, "retry: there is nothing to call");
  if (err == NULL)
    err = &own;
  rc = tn_retry__start(policy, &run, err);
  if (rc != TN_OK)
    return rc;
  tn_err_clear(err);
  do
    rc = call(user, err);
  while (tn_retry__again(&run, &rc, err));
  return rc;
}
