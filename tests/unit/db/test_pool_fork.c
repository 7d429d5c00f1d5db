/* A child after fork: it uses nothing of the parent's and closes nothing. */
#include "pool_fixture.h"

#include <sys/wait.h>
#include <unistd.h>

TestSuite(pool_fork, .init = pool_fixture_init, .timeout = 60);

/* In the child there is nobody to tell but by the status. */
#define CHECK(condition)                                                       \
  do                                                                           \
    if (!(condition))                                                          \
      _exit(__LINE__ % 200 + 1);                                               \
  while (0)

static void
run_child(void (*child)(tn_conn *lent), tn_conn *lent)
{
  int status = -1;
  pid_t process = fork();

  cr_assert_geq(process, 0);
  if (process == 0) {
    child(lent);
    _exit(0);
  }
  cr_assert_eq(waitpid(process, &status, 0), process);
  cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0,
            "the check in line %d (modulo 200) failed; signal %d",
            WEXITSTATUS(status) - 1,
            WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

/* One idle session and one lent one of the parent's. */
static tn_conn *
open_two(void)
{
  tn_conn *lent;
  tn_conn *idle;

  pool_options.size = 2;
  open_pool();
  lent = take();
  idle = take();
  tn_pool_give(&idle);
  return lent;
}

static void
take_own(tn_conn *lent)
{
  unsigned before = calls_of(FAKE_EXECUTE);
  tn_conn *own = NULL;
  tn_err why = TN_ERR_INIT;

  CHECK(tn_conn_exec(lent, "x", NULL, &why) == TN_E_LOST);
  CHECK(tn_conn_ping(lent, 0, &why) == TN_E_LOST);
  CHECK(take_within(1000, "child", &own, &why) == TN_OK);
  CHECK(atomic_load(&connect_calls) == 3);
  CHECK(stats_of().lent == 1 && stats_of().idle == 0);
  CHECK(stats_of().takes == 1);
  CHECK(calls_of(FAKE_ABANDON) == 1);
  CHECK(tn_conn_exec(own, "x", NULL, &why) == TN_OK);
  CHECK(calls_of(FAKE_EXECUTE) == before + 1);
  CHECK(tn_conn_exec(lent, "x", NULL, &why) == TN_E_LOST);
  tn_pool_give(&lent);
  CHECK(calls_of(FAKE_ABANDON) == 2);
  CHECK(calls_of(FAKE_DISCONNECT) == 2);
  CHECK(stats_of().lent == 1);
  tn_pool_give(&own);
  CHECK(stats_of().idle == 1);
  tn_pool_close(&pool);
  CHECK(calls_of(FAKE_DISCONNECT) == 3);
  CHECK(script.open_connections == 0);
}

static bool
has_two_idle(void)
{
  int i;

  for (i = 0; i < 1000 && stats_of().idle < 2; i++)
    pause_ms(10);
  return stats_of().idle == 2;
}

/* The parent's thread is not there; what it does must be done. */
static void
be_filled(tn_conn *lent)
{
  (void)lent;
  CHECK(has_two_idle());
  tn_pool_close(&pool);
  CHECK(script.open_connections == 0);
}

Test(pool_fork, has_a_thread_in_the_child_too)
{
  pool_options.size = 2;
  pool_options.min_idle = 2;
  pool_options.tick_ms = 20;
  open_pool();

  /* Its thread allocates nothing any more, in whose middle a child would begin
   * with a lock held: sanitizers do not let go of theirs. */
  cr_assert(has_two_idle());
  run_child(be_filled, NULL);
  close_pool();
}

Test(pool_fork, starts_empty_in_the_child_and_goes_on_in_the_parent)
{
  tn_conn *lent = open_two();

  run_child(take_own, lent);
  cr_expect_eq(tn_conn_exec(lent, "x", NULL, &err), TN_OK, "%s", err.message);
  tn_pool_give(&lent);
  cr_expect_eq(calls_of(FAKE_DISCONNECT), 0);
  cr_expect_eq(stats_of().idle, 2);
  close_pool();
}

static void
give_only(tn_conn *lent)
{
  tn_pool_give(&lent);
  CHECK(calls_of(FAKE_ABANDON) == 2);
  CHECK(calls_of(FAKE_DISCONNECT) <= calls_of(FAKE_ABANDON));
  CHECK(stats_of().idle == 0 && stats_of().lent == 0);
}

static void
close_lent(tn_conn *lent)
{
  tn_conn_close(&lent);
  CHECK(calls_of(FAKE_ABANDON) == 2);
  CHECK(calls_of(FAKE_DISCONNECT) <= calls_of(FAKE_ABANDON));
}

static void
close_pool_first(tn_conn *lent)
{
  tn_pool_close(&pool);
  tn_pool_discard(&lent);
  CHECK(calls_of(FAKE_ABANDON) == 2);
  CHECK(calls_of(FAKE_DISCONNECT) <= calls_of(FAKE_ABANDON));
}

static void
tick_and_drain(tn_conn *lent)
{
  tn_pool_tick(pool);
  CHECK(tn_pool_drain(pool, 0, NULL) == TN_OK);
  tn_pool_invalidate(pool);
  tn_pool_give(&lent);
  CHECK(calls_of(FAKE_DISCONNECT) <= calls_of(FAKE_ABANDON));
}

Test(pool_fork, gives_up_what_it_inherited_by_whatever_call)
{
  void (*const children[])(tn_conn *) = { give_only, close_lent,
                                          close_pool_first, tick_and_drain };
  tn_conn *lent = open_two();
  size_t i;

  for (i = 0; i < TN_COUNT(children); i++)
    run_child(children[i], lent);
  tn_pool_give(&lent);
  close_pool();
}

static tn_result *result;
static tn_prepared *prepared;

static void
leave_result(tn_conn *lent)
{
  unsigned closed = calls_of(FAKE_CLOSE_RESULT);
  unsigned statements = calls_of(FAKE_CLOSE_STATEMENT);

  CHECK(calls_of(FAKE_ABANDON) == 0);
  tn_result_close(&result);
  CHECK(calls_of(FAKE_ABANDON) == 1); /* before anything is closed */
  CHECK(calls_of(FAKE_CLOSE_RESULT) == closed + 1);
  tn_prepared_close(&prepared);
  CHECK(calls_of(FAKE_CLOSE_STATEMENT) > statements);
  tn_pool_give(&lent);
  CHECK(calls_of(FAKE_ABANDON) == 2);
  CHECK(calls_of(FAKE_DISCONNECT) == 2);
  CHECK(calls_of(FAKE_ROLLBACK) == 0);
}

Test(pool_fork, leaves_an_open_result_and_transaction_to_the_parent)
{
  static const struct tn_column columns[] = {
    { .name = "n", .type_name = "int", .type = TN_INT64 },
  };
  static const tn_value cell = { .type = TN_INT64, .as.int64 = 1 };
  static const struct fake_result one_row[] = {
    { .sql = "rows",
      .columns = columns,
      .column_count = 1,
      .rows = &cell,
      .row_count = 1 },
  };
  const struct tn_query query = { .sql = "rows" };
  const tn_value *row = NULL;
  tn_conn *lent = open_two();

  SCRIPT_RESULTS(one_row);
  cr_assert_eq(tn_conn_begin(lent, NULL, &err), TN_OK);
  cr_assert_eq(tn_conn_prepare(lent, "p", 0, &prepared, &err), TN_OK);
  cr_assert_eq(tn_conn_query(lent, &query, &result, &err), TN_OK, "%s",
               err.message);
  run_child(leave_result, lent);
  cr_expect_eq(tn_result_next(result, &row, &err), TN_OK);
  tn_result_close(&result);
  tn_prepared_close(&prepared);
  cr_expect_eq(tn_conn_commit(lent, &err), TN_OK, "%s", err.message);
  tn_pool_give(&lent);
  close_pool();
}

static void
fork_again(tn_conn *lent)
{
  tn_conn *own = NULL;
  int status = -1;
  pid_t process;

  CHECK(take_within(1000, NULL, &own, NULL) == TN_OK);
  process = fork();
  CHECK(process >= 0);
  if (process == 0) {
    tn_pool_give(&own);
    tn_pool_give(&lent);
    CHECK(calls_of(FAKE_ABANDON) == 3);
    CHECK(calls_of(FAKE_DISCONNECT) == 3);
    _exit(0);
  }
  CHECK(waitpid(process, &status, 0) == process && status == 0);
  CHECK(tn_conn_exec(own, "x", NULL, NULL) == TN_OK);
}

Test(pool_fork, holds_for_a_child_of_the_child)
{
  tn_conn *lent = open_two();

  run_child(fork_again, lent);
  tn_pool_give(&lent);
  close_pool();
}

static atomic_bool is_over;

static void *
borrow(void *arg)
{
  (void)arg;
  while (!atomic_load(&is_over)) {
    tn_conn *taken = NULL;

    if (take_within(10000, "busy", &taken, NULL) == TN_OK)
      tn_pool_give(&taken);
  }
  return NULL;
}

static void
take_in_the_middle(tn_conn *lent)
{
  tn_conn *own = NULL;

  (void)lent;
  CHECK(take_within(5000, NULL, &own, NULL) == TN_OK);
  tn_pool_give(&own);
  CHECK(calls_of(FAKE_DISCONNECT) <= calls_of(FAKE_ABANDON));
}

/* The sessions are open before: unlike libc's, the allocator of
 * AddressSanitizer cannot be forked while another thread is in it. */
Test(pool_fork, happens_at_any_moment_of_other_threads)
{
  pthread_t threads[4];
  tn_conn *first = open_two();
  size_t i;

  tn_pool_give(&first);
  for (i = 0; i < 4; i++)
    cr_assert_eq(pthread_create(&threads[i], NULL, borrow, NULL), 0);
  for (i = 0; i < 50; i++)
    run_child(take_in_the_middle, NULL);
  atomic_store(&is_over, true);
  for (i = 0; i < 4; i++)
    pthread_join(threads[i], NULL);
  close_pool();
}

static void *
borrow_once(void *arg)
{
  tn_conn *taken = take();

  (void)arg;
  tn_pool_give(&taken);
  return NULL;
}

static void
take_at_once(tn_conn *lent)
{
  connect_ms = 0;
  take_in_the_middle(lent);
}

Test(pool_fork, happens_while_another_thread_connects)
{
  pthread_t thread;

  connect_ms = 200;
  open_pool();
  cr_assert_eq(pthread_create(&thread, NULL, borrow_once, NULL), 0);
  while (atomic_load(&connecting_now) == 0)
    pause_ms(1);
  run_child(take_at_once, NULL);
  pthread_join(thread, NULL);
  cr_expect_eq(atomic_load(&connect_calls), 1);
  close_pool();
}
