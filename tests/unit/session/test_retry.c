/* Whether and when what has failed is called again. No test sleeps: the hook
 * notes the sleep and makes it none. */
#include <tenon/async.h>
#include <tenon/retry.h>

#include "engine_fixture.h"

TestSuite(retry, .init = fixture_init, .timeout = 60);

/* A function that fails so many times. */
struct job {
  unsigned failures;
  unsigned calls;
  enum tn_code code;
  int32_t replay; /* 0: the category's */
};

static uint64_t sleeps[64];
static unsigned sleep_count;
static struct job job;

static enum tn_code
work(void *user, tn_err *why)
{
  struct job *mine = user;

  cr_expect_eq(why->code, 0, "call %u", mine->calls + 1);
  if (++mine->calls > mine->failures)
    return TN_OK;
  tn_err_set(why, mine->code, "work: failure %u", mine->calls);
  tn_err_verdicts(why, 0, mine->replay);
  return mine->code;
}

static enum tn_code
note_sleep(struct tn_retry_attempt *attempt, void *user)
{
  (void)user;
  cr_expect_eq(attempt->number, sleep_count + 1);
  cr_assert_lt(sleep_count, TN_COUNT(sleeps));
  sleeps[sleep_count++] = attempt->sleep_ms;
  attempt->sleep_ms = 0;
  return TN_OK;
}

static enum tn_code
run(struct tn_retry policy, unsigned failures, enum tn_code code)
{
  policy.hook = note_sleep;
  sleep_count = 0;
  job = (struct job){ .failures = failures, .code = code };
  return tn_retry_call(&policy, work, &job, &err);
}

static void
expect_sleeps(const uint64_t *wanted, size_t count, const char *what)
{
  cr_assert_eq(sleep_count, count, "%s: %u sleeps", what, sleep_count);
  for (size_t i = 0; i < count; i++)
    cr_expect_eq(sleeps[i], wanted[i], "%s: sleep %zu: %llu ms", what, i + 1,
                 (unsigned long long)sleeps[i]);
}

Test(retry, calls_again_until_it_works)
{
  const struct tn_retry policy = TN_RETRY_INIT;

  cr_expect_eq(run(policy, 3, TN_E_DEADLOCK), TN_OK);
  cr_expect_eq(job.calls, 4);
  cr_expect_eq(err.code, 0);
}

Test(retry, gives_up_after_so_many_calls_with_the_last_error)
{
  struct tn_retry policy = TN_RETRY_INIT;

  cr_expect_eq(run(policy, 100, TN_E_LOST), TN_E_LOST);
  cr_expect_eq(job.calls, 10);
  policy.max_attempts = 3;
  cr_expect_eq(run(policy, 100, TN_E_BUSY), TN_E_BUSY);
  cr_expect_eq(job.calls, 3);
  cr_expect_str_eq(err.message, "work: failure 3");
  policy.max_attempts = 1;
  cr_expect_eq(run(policy, 100, TN_E_BUSY), TN_E_BUSY);
  cr_expect_eq(job.calls, 1);
}

Test(retry, forever_is_without_end)
{
  struct tn_retry policy = TN_RETRY_INIT;

  policy.max_attempts = TN_RETRY_FOREVER;
  cr_expect_eq(run(policy, 40, TN_E_DEADLOCK), TN_OK);
  cr_expect_eq(job.calls, 41);
}

Test(retry, needs_the_word_of_the_error_and_of_the_policy)
{
  static const struct {
    enum tn_code code;
    int32_t replay;
    uint64_t categories;
    unsigned calls;
  } cases[] = {
    { TN_E_DEADLOCK, 0, 0, 2 },
    { TN_E_SERIALIZATION, 0, 0, 2 },
    { TN_E_LOCK_TIMEOUT, 0, 0, 2 },
    { TN_E_BUSY, 0, 0, 2 },
    { TN_E_CONNECT, 0, 0, 2 },
    { TN_E_LOST, 0, 0, 2 },
    { TN_E_LOST, TN_REPLAY_UNKNOWN, 0, 1 },
    { TN_E_UNCERTAIN, 0, TN_RETRY_ON(TN_E_UNCERTAIN), 1 },
    { TN_E_DEADLOCK, TN_REPLAY_NEVER, 0, 1 },
    { TN_E_DUPLICATE, 0, 0, 1 },
    { TN_E_DUPLICATE, TN_REPLAY_SAFE, 0, 1 },
    { TN_E_DUPLICATE, TN_REPLAY_SAFE, TN_RETRY_ON(TN_E_DUPLICATE), 2 },
    { TN_E_DUPLICATE, 0, TN_RETRY_ON(TN_E_DUPLICATE), 1 },
    { TN_E_DEADLOCK, 0, TN_RETRY_ON_LOST, 1 },
    { TN_E_TIMEOUT, 0, 0, 1 },
  };

  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    struct tn_retry policy = TN_RETRY_INIT;

    policy.categories = cases[i].categories;
    policy.hook = note_sleep;
    sleep_count = 0;
    job = (struct job){ 1, 0, cases[i].code, cases[i].replay };
    cr_expect_eq(tn_retry_call(&policy, work, &job, &err),
                 cases[i].calls == 2 ? TN_OK : cases[i].code, "case %zu", i);
    cr_expect_eq(job.calls, cases[i].calls, "case %zu: %u calls", i, job.calls);
  }
}

static int
accept_data(const tn_err *why, void *user)
{
  (void)user;
  return why->code == TN_E_DATA;
}

Test(retry, asks_the_caller_about_other_categories)
{
  struct tn_retry policy = TN_RETRY_INIT;

  policy.check = accept_data;
  policy.hook = note_sleep;
  job = (struct job){ 1, 0, TN_E_DATA, TN_REPLAY_TRANSACTION };
  cr_expect_eq(tn_retry_call(&policy, work, &job, &err), TN_OK);
  job = (struct job){ 1, 0, TN_E_CHECK, TN_REPLAY_TRANSACTION };
  sleep_count = 0;
  cr_expect_eq(tn_retry_call(&policy, work, &job, &err), TN_E_CHECK);
}

static enum tn_code
give_up(struct tn_retry_attempt *attempt, void *user)
{
  (void)user;
  return attempt->number == 2 ? TN_E_OTHER : TN_OK;
}

Test(retry, ends_when_the_hook_gives_up)
{
  struct tn_retry policy = TN_RETRY_INIT;

  policy.first_ms = TN_RETRY_AT_ONCE;
  policy.hook = give_up;
  job = (struct job){ 9, 0, TN_E_DEADLOCK, 0 };
  cr_expect_eq(tn_retry_call(&policy, work, &job, &err), TN_E_DEADLOCK);
  cr_expect_eq(job.calls, 2);
}

/* ---- how long ---- */

Test(retry, sleeps_grow_and_are_bounded)
{
  static const uint64_t wanted[] = { 100, 150, 225, 300, 300 };
  static const uint64_t constant[] = { 100, 100, 100 };
  struct tn_retry policy = TN_RETRY_INIT;

  policy.flags = TN_RETRY_EXACT;
  policy.first_ms = 100;
  policy.growth_percent = 150;
  policy.max_ms = 300;
  run(policy, 5, TN_E_DEADLOCK);
  expect_sleeps(wanted, TN_COUNT(wanted), "grown");
  policy.growth_percent = 100;
  run(policy, 3, TN_E_DEADLOCK);
  expect_sleeps(constant, TN_COUNT(constant), "constant");
}

Test(retry, intervals_that_grow_without_end_do_not_wrap)
{
  struct tn_retry policy = TN_RETRY_INIT;

  policy.flags = TN_RETRY_EXACT;
  policy.max_ms = UINT64_MAX;
  policy.first_ms = UINT64_MAX / 3;
  run(policy, 4, TN_E_DEADLOCK);
  for (unsigned i = 1; i < sleep_count; i++)
    cr_expect_geq(sleeps[i], sleeps[i - 1], "sleep %u", i);
}

Test(retry, the_first_sleep_is_drawn_like_the_others)
{
  struct tn_retry policy = TN_RETRY_INIT;
  uint64_t lowest = UINT64_MAX, highest = 0;

  policy.first_ms = 1000;
  for (unsigned i = 0; i < 200; i++) {
    run(policy, 1, TN_E_BUSY);
    cr_assert_leq(sleeps[0], 1000);
    lowest = sleeps[0] < lowest ? sleeps[0] : lowest;
    highest = sleeps[0] > highest ? sleeps[0] : highest;
  }
  cr_expect_lt(lowest, 200);
  cr_expect_gt(highest, 800);
}

static int
no_wait(int fd, uint32_t events, tn_deadline until, void *user)
{
  (void)events;
  (void)until;
  cr_expect_eq(fd, -1);
  ++*(unsigned *)user;
  return -1;
}

Test(retry, sleeps_where_the_application_waits)
{
  struct tn_retry policy = TN_RETRY_INIT;
  unsigned waits = 0;

  policy.flags = TN_RETRY_EXACT;
  policy.first_ms = 100000;
  policy.max_ms = 100000;
  policy.wait = no_wait;
  policy.wait_user = &waits;
  job = (struct job){ 9, 0, TN_E_DEADLOCK, 0 };
  cr_expect_eq(tn_retry_call(&policy, work, &job, &err), TN_E_CANCELED);
  cr_expect_eq(waits, 1);
  cr_expect_eq(job.calls, 1);
}

static tn_wait_fn day_wait;

static enum tn_code
retry_for_a_day(void *user, tn_err *why)
{
  struct tn_retry policy = TN_RETRY_INIT;

  policy.flags = TN_RETRY_EXACT;
  policy.first_ms = 86400000;
  policy.max_ms = 86400000;
  policy.wait = day_wait;
  policy.wait_user = day_wait != NULL ? &policy : NULL;
  return tn_retry_call(&policy, work, user, why);
}

/* The event loop goes on meanwhile, and a cancel ends the sleep. */
static void
cancel_a_day(void)
{
  tn_async *async = NULL;

  job = (struct job){ .failures = 2, .code = TN_E_BUSY };
  cr_assert_eq(tn_async_start(retry_for_a_day, &job, NULL, &async, &err),
               TN_OK);
  cr_expect_eq(tn_async_state(async), TN_ASYNC_WAITING);
  cr_expect_eq(tn_async_fd(async), -1);
  cr_expect_gt(tn_async_until(async), tn_deadline_after_ms(86000000));
  tn_async_cancel(async);
  cr_expect_eq(tn_async_continue(async, 0, &err), TN_OK);
  cr_expect_eq(tn_async_result(async, &err), TN_E_CANCELED);
  cr_expect_str_eq(err.message, "retry: canceled while waiting");
  cr_expect_eq(job.calls, 1);
  tn_async_close(&async);
}

Test(retry, stands_still_in_an_asynchronous_call_until_it_is_canceled)
{
  cancel_a_day();
}

/* Whose `user` is the library's: what the policy has there is nobody's. */
Test(retry, may_wait_by_the_librarys_own_function)
{
  day_wait = tn_async_wait;
  cancel_a_day();
}

Test(retry, begins_no_sleep_that_would_end_too_late)
{
  struct tn_retry policy = TN_RETRY_INIT;
  unsigned waits = 0;

  policy.flags = TN_RETRY_EXACT;
  policy.first_ms = 100000;
  policy.max_ms = 100000;
  policy.total_ms = 50000;
  policy.wait = no_wait;
  policy.wait_user = &waits;
  job = (struct job){ 9, 0, TN_E_DEADLOCK, 0 };
  cr_expect_eq(tn_retry_call(&policy, work, &job, &err), TN_E_DEADLOCK);
  cr_expect_eq(waits, 0);
}

/* ---- presets ---- */

Test(retry, does_what_the_documentation_of_oslo_db_says)
{
  static const uint64_t wanted[] = {
    1000, 2000, 4000, 8000, 10000, 10000, 10000
  };
  struct tn_retry policy = tn_retry_oslo(0);

  cr_expect_eq(run(policy, 100, TN_E_LOST), TN_E_LOST);
  cr_expect_eq(job.calls, 21);
  run(policy, 7, TN_E_LOST);
  expect_sleeps(wanted, TN_COUNT(wanted), "oslo");
  policy.max_ms = 500;
  run(policy, 1, TN_E_LOST);
  cr_expect_eq(sleeps[0], 500, "the first is bounded");
  cr_expect_eq(run(tn_retry_oslo(TN_RETRY_ON_CONFLICT), 1, TN_E_LOST),
               TN_E_LOST);
}

Test(retry, draws_after_a_deadlock_as_oslo_db_does)
{
  struct tn_retry policy = tn_retry_oslo(0);
  unsigned exact = 0;

  for (unsigned i = 0; i < 50; i++) {
    run(policy, 1, TN_E_DEADLOCK);
    cr_expect_leq(sleeps[0], 1000);
    exact += sleeps[0] == 1000;
  }
  cr_expect_lt(exact, 10);
}

Test(retry, does_what_nameko_sqlalchemy_does)
{
  static const struct {
    uint32_t repeats;
    uint64_t factor_ms;
    uint64_t max_ms;
    unsigned failures;
    uint64_t sleeps[6];
    size_t count;
  } cases[] = {
    { 5, 100, 1000, 9, { 0, 200, 400, 800, 1000 }, 5 },
    { 6, 100, 0, 9, { 0, 200, 400, 800, 1600, 3200 }, 6 },
    { 0, 0, 0, 9, { 0 }, 1 },
    { 1, 0, 0, 0, { 0 }, 0 },
    { 2, 0, 0, 1, { 0 }, 1 },
    { 10, 500, 0, 4, { 0, 1000, 2000, 4000 }, 4 },
    { 10, 500, 1200, 4, { 0, 1000, 1200, 1200 }, 4 },
    { 10, 0, 0, 4, { 0, 0, 0, 0 }, 4 },
    { 3, 500, 0, 4, { 0, 1000, 2000 }, 3 },
  };

  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    char what[16];

    snprintf(what, sizeof what, "case %zu", i);
    run(tn_retry_nameko(cases[i].repeats, cases[i].factor_ms, cases[i].max_ms),
        cases[i].failures, TN_E_LOST);
    expect_sleeps(cases[i].sleeps, cases[i].count, what);
  }
}

Test(retry, does_what_the_options_of_the_engine_say)
{
  static const struct {
    const char *options;
    int64_t max_attempts;
    uint64_t first_ms;
    uint64_t max_ms;
    uint32_t growth; /* 0: the usual one */
    uint64_t categories;
  } cases[] = {
    { "", 21, 1000, 10000, 0, TN_RETRY_ON_CONFLICT },
    { "&db_max_retries=0", 1, 1000, 10000, 0, TN_RETRY_ON_CONFLICT },
    { "&db_max_retries=-1", -1, 1000, 10000, 0, TN_RETRY_ON_CONFLICT },
    { "&db_retry_interval=3", 21, 3000, 10000, 0, TN_RETRY_ON_CONFLICT },
    { "&db_retry_interval=0", 21, TN_RETRY_AT_ONCE, 10000, 0,
      TN_RETRY_ON_CONFLICT },
    { "&db_max_retry_interval=2", 21, 1000, 2000, 0, TN_RETRY_ON_CONFLICT },
    { "&db_inc_retry_interval=no", 21, 1000, 10000, 100, TN_RETRY_ON_CONFLICT },
    { "&use_db_reconnect=yes", 21, 1000, 10000, 0, TN_RETRY_USUAL },
  };

  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    struct tn_retry policy;

    open_engine(cases[i].options);
    policy = tn_retry_of_engine(engine);
    cr_expect_eq(policy.max_attempts, cases[i].max_attempts, "case %zu", i);
    cr_expect_eq(policy.first_ms, cases[i].first_ms, "case %zu", i);
    cr_expect_eq(policy.max_ms, cases[i].max_ms, "case %zu", i);
    cr_expect_eq(policy.growth_percent, cases[i].growth, "case %zu", i);
    cr_expect_eq(policy.categories, cases[i].categories, "case %zu", i);
    close_engine();
  }
}

Test(retry, a_longest_time_of_none_is_no_sleep)
{
  struct tn_retry policy;

  open_engine("&db_max_retry_interval=0");
  policy = tn_retry_of_engine(engine);
  run(policy, 2, TN_E_DEADLOCK);
  cr_expect_eq(sleeps[0], 0);
  cr_expect_eq(sleeps[1], 0);
  close_engine();
}

Test(retry, refuses_a_number_of_attempts_that_means_nothing)
{
  static const int64_t numbers[] = { -2, -5, INT64_MIN };
  struct tn_retry policy = TN_RETRY_INIT;
  size_t i;

  job = (struct job){ 0 };
  for (i = 0; i < TN_COUNT(numbers); i++) {
    policy.max_attempts = numbers[i];
    cr_expect_eq(tn_retry_call(&policy, work, &job, &err), TN_E_USAGE,
                 "case %zu", i);
    cr_expect_not_null(strstr(err.message, "max_attempts is -"), "%s",
                       err.message);
  }
  cr_expect_eq(job.calls, 0);
  policy.max_attempts = TN_RETRY_FOREVER;
  cr_expect_eq(tn_retry_call(&policy, work, &job, &err), TN_OK);
}

Test(retry, refuses_nothing_to_call_and_unknown_flags)
{
  struct tn_retry policy = TN_RETRY_INIT;

  cr_expect_eq(tn_retry_call(NULL, NULL, NULL, NULL), TN_E_USAGE);
  cr_expect_eq(tn_retry_call(&policy, NULL, NULL, &err), TN_E_USAGE);
  cr_expect_str_eq(err.message, "retry: there is nothing to call");
  job = (struct job){ 0 };
  policy.flags = TN_RETRY_EXACT | UINT32_C(0x30);
  cr_expect_eq(tn_retry_call(&policy, work, &job, &err), TN_E_USAGE);
  cr_expect_str_eq(err.message, "retry: unknown flags 0x30");
  cr_expect_eq(job.calls, 0);
}

Test(retry, refuses_a_policy_that_was_not_begun)
{
  struct tn_retry policy = TN_RETRY_INIT;

  policy.struct_size = 0;
  job = (struct job){ 0 };
  cr_expect_eq(tn_retry_call(&policy, work, &job, &err), TN_E_USAGE);
  cr_expect_eq(job.calls, 0);
  cr_expect_eq(tn_retry_call(NULL, work, &job, NULL), TN_OK);
}
