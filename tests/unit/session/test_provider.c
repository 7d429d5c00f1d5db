/* Providers: how a service finds its database, the three ways to sessions, and
 * what a worker leaves behind: nothing. */
#include <tenon/provider.h>

#include "engine_fixture.h"

static struct tn_provider_options provider_options = TN_PROVIDER_OPTIONS_INIT;
static tn_provider *provider;
static tn_worker *worker;
static tn_session *session;
static tn_txn *txn;

/* What nobody names leads nowhere. */
static void
configure(void)
{
  char text[1024];

  fixture_init();
  fixture_registry(NULL);
  snprintf(text, sizeof text,
           "[database]\nconnection = fake://h/nowhere\n"
           "[database:orders]\nconnection = %s&max_pool_size=3\n"
           "[database:orders.archive]\nconnection = fake://h/archive\n"
           "[database:empty]\nmax_pool_size = 3\n",
           fixture_url(""));
  cr_assert_eq(
      tn_config_parse(text, strlen(text), "test.ini", NULL, &config, &err),
      TN_OK, "%s", err.message);
  script.has_txn_each = 1;
  provider_options.service = "orders";
  provider_options.engine.config = config;
  provider_options.engine.registry = registry;
}

static void
init(void)
{
  configure();
  cr_assert_eq(tn_provider_open(&provider_options, &provider, &err), TN_OK,
               "%s", err.message);
  cr_assert_eq(tn_worker_begin(provider, "test", &worker, &err), TN_OK);
}

static void
fini(void)
{
  cr_expect_eq(tn_worker_end(&worker, &err), TN_OK);
  cr_expect_null(worker);
  tn_provider_close(&provider);
  cr_expect_null(provider);
  tn_provider_close(NULL);
  cr_expect_eq(tn_worker_end(NULL, &err), TN_OK);
  fixture_close();
  tn_config_free(&config);
}

TestSuite(provider, .init = init, .fini = fini, .timeout = 60);

static void
use(tn_session *used)
{
  cr_assert_eq(tn_session_txn(used, &txn, &err), TN_OK, "%s", err.message);
  cr_assert_eq(tn_conn_exec(tn_txn_conn(txn), "x", NULL, &err), TN_OK);
}

/* tn_run_fn: the code that `user` says. */
static enum tn_code
work(tn_txn *in, void *user, tn_err *why)
{
  const enum tn_code *rc = user;
  enum tn_code done = tn_conn_exec(tn_txn_conn(in), "x", NULL, why);

  if (done != TN_OK || *rc == TN_OK)
    return done;
  return tn_err_set(why, *rc, "as told");
}

/* ---- of a service ---- */

static const struct {
  const char *service;
  const char *base;
  enum tn_code outcome;
  const char *database; /* in its URL, or in the message */
} names[] = {
  { "orders", NULL, TN_OK, "h/db" },
  { "orders", "archive", TN_OK, "h/archive" },
  { "orders", "other", TN_OK, "h/db" },
  { "billing", NULL, TN_E_NOT_FOUND, "[database:billing]" },
  { "billing", "archive", TN_E_NOT_FOUND, "[database:billing.archive]" },
  { "empty", NULL, TN_E_CONFIG, "connection" },
  { "", NULL, TN_E_USAGE, "service" },
  { NULL, NULL, TN_E_USAGE, "service" },
};

Test(provider, finds_its_database_by_name)
{
  struct tn_provider_options bad = TN_PROVIDER_OPTIONS_INIT;
  tn_provider *found = NULL;

  for (size_t i = 0; i < TN_COUNT(names); i++) {
    enum tn_code rc;

    provider_options.service = names[i].service;
    provider_options.base = names[i].base;
    rc = tn_provider_open(&provider_options, &found, &err);
    cr_assert_eq(rc, names[i].outcome, "row %zu: %s", i, err.message);
    cr_expect_not_null(strstr(rc == TN_OK
                                  ? tn_engine_url(tn_provider_engine(found))
                                  : err.message,
                              names[i].database),
                       "row %zu", i);
    tn_provider_close(&found);
  }
  bad.service = "orders";
  cr_expect_eq(tn_provider_open(&bad, &found, &err), TN_E_USAGE, "no file");
  cr_expect_eq(tn_provider_open(NULL, &found, &err), TN_E_USAGE);
  cr_expect_eq(calls_of(FAKE_CONNECT), 0, "nothing connects until it is used");
}

/* ---- scoped ---- */

Test(provider, a_function_commits_or_rolls_back)
{
  enum tn_code rc = TN_OK;

  cr_expect_eq(tn_worker_run(worker, NULL, work, &rc, &err), TN_OK);
  cr_expect_eq(calls_of(FAKE_COMMIT), 1);
  rc = TN_E_NOT_FOUND;
  cr_expect_eq(tn_worker_run(worker, NULL, work, &rc, &err), TN_E_NOT_FOUND);
  cr_expect_eq(calls_of(FAKE_COMMIT), 1);
  cr_expect_eq(calls_of(FAKE_ROLLBACK), 1);
  cr_expect_eq(calls_of(FAKE_CONNECT), 1);
}

Test(provider, a_function_is_repeated_only_if_that_is_said)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_EXECUTE, .nth = 1, .category = TN_E_LOCK_TIMEOUT },
    { .slot = FAKE_EXECUTE, .nth = 2, .category = TN_E_LOCK_TIMEOUT },
  };
  struct tn_session_options how = TN_SESSION_OPTIONS_INIT;
  const struct tn_retry policy = tn_retry_nameko(1, 0, 0);
  enum tn_code rc = TN_OK;

  SCRIPT_ANSWERS(answers);
  cr_expect_eq(tn_worker_run(worker, NULL, work, &rc, &err), TN_E_LOCK_TIMEOUT);
  cr_expect_eq(calls_of(FAKE_EXECUTE), 1);
  how.retry = &policy;
  cr_expect_eq(tn_worker_run(worker, &how, work, &rc, &err), TN_OK, "%s",
               err.message);
  cr_expect_eq(calls_of(FAKE_EXECUTE), 3);
  how.struct_size = 0;
  cr_expect_eq(tn_worker_run(worker, &how, work, &rc, &err), TN_E_USAGE);
  cr_expect_eq(tn_worker_open(worker, &how, &session, &err), TN_E_USAGE);
}

/* ---- explicit ---- */

Test(provider, has_several_sessions)
{
  tn_session *second = NULL;

  cr_assert_eq(tn_worker_open(worker, NULL, &session, &err), TN_OK);
  cr_assert_eq(tn_worker_open(worker, NULL, &second, &err), TN_OK);
  cr_expect_eq(calls_of(FAKE_CONNECT), 0);
  use(session);
  use(second);
  cr_expect_eq(calls_of(FAKE_CONNECT), 2);
  cr_expect_eq(tn_session_commit(session, &err), TN_OK);
  cr_expect_eq(tn_session_commit(session, &err), TN_OK, "nothing is open");
  cr_expect_eq(tn_session_rollback(session, &err), TN_OK);
  cr_expect_eq(calls_of(FAKE_COMMIT), 1);
  use(session);
  cr_expect_eq(calls_of(FAKE_CONNECT), 2, "its connection was given back");
  tn_session_close(&session);
  cr_expect_null(session);
  tn_session_close(NULL);
  cr_expect_eq(calls_of(FAKE_ROLLBACK), 1);
}

Test(provider, begins_as_the_session_says)
{
  struct tn_session_options how = TN_SESSION_OPTIONS_INIT;

  how.txn.isolation = TN_ISOLATION_SERIALIZABLE;
  cr_assert_eq(tn_worker_open(worker, &how, &session, &err), TN_OK);
  use(session);
  cr_expect_eq(script.isolation, TN_ISOLATION_SERIALIZABLE);
}

Test(provider, what_cannot_be_committed_is_rolled_back)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_COMMIT, .nth = 1, .category = TN_E_REFERENCE },
    { .slot = FAKE_COMMIT, .nth = 2, .category = TN_E_BUSY },
  };

  SCRIPT_ANSWERS(answers);
  cr_assert_eq(tn_worker_open(worker, NULL, &session, &err), TN_OK);
  use(session);
  cr_expect_eq(tn_session_commit(session, &err), TN_E_REFERENCE);
  cr_expect_eq(calls_of(FAKE_ROLLBACK), 1);
  use(session);
  cr_expect_eq(tn_session_commit(session, &err), TN_E_BUSY);
  cr_expect_eq(tn_session_commit(session, &err), TN_OK, "again");
  cr_expect_eq(calls_of(FAKE_ROLLBACK), 1);
}

/* ---- the worker's own ---- */

Test(provider, the_workers_own_is_the_same_each_time)
{
  tn_session *again = NULL;
  enum tn_code rc = TN_OK;

  cr_assert_eq(tn_worker_session(worker, &session, &err), TN_OK);
  cr_assert_eq(tn_worker_session(worker, &again, &err), TN_OK);
  cr_expect_eq(session, again);
  cr_expect_eq(calls_of(FAKE_CONNECT), 0, "nobody has used it");
  cr_expect_eq(tn_session_run(session, work, &rc, &err), TN_OK);
  rc = TN_E_OTHER;
  cr_expect_eq(tn_session_run(session, work, &rc, NULL), TN_E_OTHER);
  rc = TN_OK;
  cr_expect_eq(tn_session_run(session, work, &rc, &err), TN_OK, "again");
  cr_expect_eq(calls_of(FAKE_COMMIT), 2);
  cr_expect_eq(calls_of(FAKE_ROLLBACK), 1);
}

Test(provider, what_was_rolled_back_leaves_a_usable_session)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_EXECUTE,
      .nth = 1,
      .category = TN_E_DEADLOCK,
      .connection = TN_CONNECTION_ABORTED },
    { .slot = FAKE_EXECUTE,
      .nth = 3,
      .category = TN_E_DEADLOCK,
      .connection = TN_CONNECTION_ABORTED },
  };
  enum tn_code rc = TN_OK;

  SCRIPT_ANSWERS(answers);
  cr_assert_eq(tn_worker_session(worker, &session, &err), TN_OK);
  cr_expect_eq(tn_session_run(session, NULL, &rc, &err), TN_E_USAGE);
  cr_expect_eq(tn_session_run(NULL, work, &rc, NULL), TN_E_USAGE);
  cr_expect_eq(tn_session_run(session, work, &rc, &err), TN_E_DEADLOCK);
  cr_expect_eq(err.connection, TN_CONNECTION_USABLE);
  cr_expect_eq(err.replay, TN_REPLAY_SAFE);

  /* What was done before is undone as well. */
  use(session);
  cr_expect_eq(tn_session_run(session, work, &rc, &err), TN_E_DEADLOCK);
  cr_expect_eq(err.connection, TN_CONNECTION_USABLE);
  cr_expect_eq(err.replay, TN_REPLAY_TRANSACTION);
  cr_expect_eq(tn_session_run(session, work, &rc, &err), TN_OK);
}

/* tn_run_fn */
static enum tn_code
meddle(tn_txn *inside, void *user, tn_err *why)
{
  tn_session *there = session;
  tn_worker *whose = worker;
  enum tn_code rc = tn_conn_exec(tn_txn_conn(inside), "first", NULL, why);

  cr_expect_eq(tn_session_run(session, work, user, &err), TN_E_STATE);
  cr_expect_not_null(strstr(err.message, "tn_run_in()"), "%s", err.message);
  cr_expect_eq(tn_session_commit(session, &err), TN_E_STATE);
  cr_expect_eq(tn_session_rollback(session, &err), TN_E_STATE);
  cr_expect_eq(tn_worker_end(&whose, &err), TN_E_STATE);
  cr_expect_eq(whose, worker);
  tn_session_close(&there);
  cr_expect_eq(there, session);
  return rc;
}

Test(provider, a_function_does_not_end_the_session_that_runs_it)
{
  enum tn_code rc = TN_OK;

  cr_assert_eq(tn_worker_session(worker, &session, &err), TN_OK);
  cr_expect_eq(tn_session_run(session, meddle, &rc, &err), TN_OK, "%s",
               err.message);
  cr_expect_eq(calls_of(FAKE_COMMIT), 1);
  cr_expect_eq(tn_session_run(session, work, &rc, &err), TN_OK);
}

/* ---- the end ---- */

Test(provider, closes_everything_even_if_that_fails)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_ROLLBACK,
      .nth = 1,
      .category = TN_E_LOST,
      .connection = TN_CONNECTION_DEAD,
      .message = "the first" },
    { .slot = FAKE_ROLLBACK,
      .nth = 2,
      .category = TN_E_OTHER,
      .message = "the second" },
  };
  tn_worker *other = NULL;

  SCRIPT_ANSWERS(answers);
  cr_assert_eq(tn_worker_begin(provider, NULL, &other, &err), TN_OK);
  cr_assert_eq(tn_worker_session(other, &session, &err), TN_OK);
  use(session);
  for (int i = 0; i < 2; i++) {
    cr_assert_eq(tn_worker_open(other, NULL, &session, &err), TN_OK);
    use(session);
  }
  cr_expect_eq(tn_worker_end(&other, &err), TN_E_LOST);
  cr_expect_not_null(strstr(err.message, "the first"), "%s", err.message);
  cr_expect_null(other);
  cr_expect_eq(calls_of(FAKE_COMMIT), 0);
  cr_expect_eq(calls_of(FAKE_ROLLBACK), 4, "one is tried again by the pool");
  cr_expect_eq(script.open_connections, 2, "the dead one is gone");
}

Test(provider, nothing_is_committed_by_an_end)
{
  tn_worker *other = NULL;

  cr_assert_eq(tn_worker_begin(provider, NULL, &other, &err), TN_OK);
  cr_assert_eq(tn_worker_session(other, &session, &err), TN_OK);
  use(session);
  cr_expect_eq(tn_worker_end(&other, NULL), TN_OK);
  cr_expect_eq(calls_of(FAKE_COMMIT), 0);
  cr_expect_eq(calls_of(FAKE_ROLLBACK), 1);
}

Test(provider_memory, is_an_error, .init = configure, .timeout = 60)
{
  long nth;

  for (nth = 1;; nth++) {
    enum tn_code rc;

    oom_fail_nth(nth, false);
    rc = tn_provider_open(&provider_options, &provider, &err);
    if (rc == TN_OK)
      rc = tn_worker_begin(provider, NULL, &worker, &err);
    if (rc == TN_OK)
      rc = tn_worker_open(worker, NULL, &session, &err);
    if (rc == TN_OK)
      rc = tn_worker_session(worker, &session, &err);
    cr_assert_eq(tn_worker_end(&worker, NULL), TN_OK);
    tn_provider_close(&provider);
    cr_assert_eq(oom_live(), 0, "allocation %ld", nth);
    if (oom_count() < nth)
      break;
    cr_assert_eq(rc, TN_E_MEMORY, "allocation %ld", nth);
  }
  oom_reset();
  fixture_close();
  tn_config_free(&config);
}
