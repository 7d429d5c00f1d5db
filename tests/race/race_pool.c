/* Many threads share few sessions, while connects, pings and resets fail, takes
 * are late, the pool is invalidated, swept and forked, loans are canceled, and
 * at last it is drained and closed under them: there are never more sessions
 * than may be, never two borrowers of one, no slot is lost, and nobody is
 * served before one that has waited for longer. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake_plugin.h"
#include "plugin_priv.h"
#include "pool_priv.h"

#define THREADS 16
#define SIZE    4
#define MORE    4 /* overflow */
#define LOANS   3000
#define FORKS   20

static tn_registry *registry;
static tn_pool *pool;
static struct tn_connection_table connection_table;
static struct tn_session_table session_table;
static atomic_int sessions;
static atomic_int wrong;
static atomic_bool is_over;
static _Thread_local unsigned seed;

static bool
happens(unsigned percent)
{
  return (unsigned)rand_r(&seed) % 100 < percent;
}

static void
fail(const char *what)
{
  if (atomic_fetch_add(&wrong, 1) < 10)
    fprintf(stderr, "wrong: %s\n", what);
}

/* ---- the backend ---- */

static const struct tn_connection_table *
fake_connection(void)
{
  return fake_plugin_entry(NULL)->get_table(TN_TABLE_CONNECTION);
}

static int32_t
connect_counted(const struct tn_connect_args *args, struct tn_call *call,
                void **ret)
{
  if (happens(5))
    return tn_fail(call, TN_E_CONNECT, "race: refused");
  if (atomic_fetch_add(&sessions, 1) >= SIZE + MORE)
    fail("more sessions than may be");
  return fake_connection()->connect(args, call, ret);
}

static void
disconnect_counted(void *handle, struct tn_call *call)
{
  atomic_fetch_sub(&sessions, 1);
  fake_connection()->disconnect(handle, call);
}

static int32_t
ping_sometimes(void *handle, struct tn_call *call)
{
  (void)handle;
  return happens(2) ? tn_fail(call, TN_E_LOST, "race: lost") : TN_OK;
}

static int32_t
reset_sometimes(void *handle, struct tn_call *call)
{
  (void)handle;
  return happens(5) ? tn_fail(call, TN_E_IO, "race: no reset") : TN_OK;
}

static const void *
get_table(uint32_t id)
{
  if (id == TN_TABLE_CONNECTION)
    return &connection_table;
  if (id == TN_TABLE_SESSION)
    return &session_table;
  return fake_plugin_entry(NULL)->get_table(id);
}

static enum tn_code
open_registry(tn_err *err)
{
  static const struct tn_registry_options nowhere = {
    .plugin_dir = "/nowhere/1",
    .manifest_dir = "/nowhere/plugins.d",
    .admin_dir = "/nowhere/admin",
  };
  static struct tn_plugin plugin;
  struct tn_plugin_entry *entry;
  enum tn_code rc;

  plugin = *fake_plugin_entry(NULL);
  memcpy(&connection_table, fake_connection(), sizeof connection_table);
  memcpy(&session_table, plugin.get_table(TN_TABLE_SESSION),
         sizeof session_table);
  connection_table.connect = connect_counted;
  connection_table.disconnect = disconnect_counted;
  connection_table.ping = ping_sometimes;
  session_table.reset = reset_sometimes;
  plugin.get_table = get_table;
  rc = tn_registry__open(&nowhere, NULL, false, &registry, err);
  if (rc != TN_OK)
    return rc;
  entry = tn_registry__add_entry(registry, plugin.name);
  if (entry == NULL)
    return tn_err_memory(err, "race");
  rc = tn_backend_new(&plugin, "/nowhere/1/x.so", &entry->backend, err);
  entry->state = TN_PLUGIN_LOADED;
  return rc;
}

static enum tn_code
open_session(void *user, tn_deadline deadline, tn_conn **ret, tn_err *err)
{
  const struct tn_conn_options options = { .deadline = deadline,
                                           .registry = registry };

  (void)user;
  return tn_conn_open("fake://h/db", &options, ret, err);
}

static void
open_pool(uint32_t size, int32_t overflow)
{
  struct tn_pool_options options = TN_POOL_OPTIONS_INIT;
  tn_err err = TN_ERR_INIT;

  options.connect = open_session;
  options.size = size;
  options.overflow = overflow;
  options.min_idle = 1;
  options.ping_after_ms = 1;
  options.lifetime_ms = 20;
  options.leak_ms = 1;
  options.retry_min_ms = 0;
  options.retry_max_ms = 0;
  options.tick_ms = 2;
  if (tn_pool_open(&options, &pool, &err) != TN_OK) {
    fprintf(stderr, "%s\n", err.message);
    exit(1);
  }
}

/* ---- many at once ---- */

/* Whoever has the session writes here, without a lock. */
static void
use(tn_conn *conn)
{
  conn->caps++;
  if (happens(30) && tn_conn_ping(conn, 0, NULL) != TN_OK &&
      tn_conn_verdict(conn) != TN_CONNECTION_DEAD)
    fail("a session is in use by another");
  if (happens(10))
    tn_conn_cancel(conn);
  if (happens(10)) {
    tn_conn__touch(conn);
    conn->is_used = true;
  }
}

static void *
borrow(void *arg)
{
  seed = (unsigned)(uintptr_t)arg;
  for (int i = 0; i < LOANS && !atomic_load(&is_over); i++) {
    struct tn_loan loan = { .label = "race" };
    tn_conn *conn = NULL;
    enum tn_code rc;

    loan.deadline = tn_deadline_after_ms(happens(5) ? 0 : 60000);
    rc = tn_pool_take(pool, &loan, &conn, NULL);
    if (rc == TN_E_STATE)
      break;
    if (rc == TN_E_CONNECT || rc == TN_E_TIMEOUT)
      continue;
    if (rc != TN_OK) {
      fail(tn_code_name((int32_t)rc));
      continue;
    }
    use(conn);
    if (happens(3))
      tn_pool_invalidate(pool);
    if (happens(5))
      tn_pool_discard(&conn);
    else
      tn_pool_give(&conn);
  }
  return NULL;
}

static void
start(pthread_t *threads, void *(*run)(void *))
{
  for (size_t i = 0; i < THREADS; i++)
    if (pthread_create(&threads[i], NULL, run, (void *)(i + 1)) != 0)
      exit(1);
}

static void
join(const pthread_t *threads)
{
  for (size_t i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
}

static void
expect_empty(void)
{
  struct tn_pool_stats stats = { .struct_size = sizeof stats };
  tn_err err = TN_ERR_INIT;

  tn_pool_stats(pool, &stats);
  if (stats.lent != 0 || stats.waiting != 0)
    fail("a loan is left");
  if (tn_pool_drain(pool, tn_deadline_after_ms(10000), &err) != TN_OK)
    fail(err.message);
  printf("%llu loans, %llu waits, %llu connects, %llu failed, %llu invalid\n",
         (unsigned long long)stats.takes, (unsigned long long)stats.waits,
         (unsigned long long)stats.connects,
         (unsigned long long)stats.connect_failures,
         (unsigned long long)stats.invalidated);
  tn_pool_close(&pool);
  if (atomic_load(&sessions) != 0)
    fail("a session is left");
}

static void
all_at_once(void)
{
  pthread_t threads[THREADS];

  open_pool(SIZE, MORE);
  start(threads, borrow);
  join(threads);
  expect_empty();
}

/* ---- drained and closed under them ---- */

static void
drained(void)
{
  const struct timespec pause = { .tv_nsec = 3000000 };
  pthread_t threads[THREADS];

  for (int i = 0; i < 30; i++) {
    open_pool(SIZE, MORE);
    start(threads, borrow);
    nanosleep(&pause, NULL);
    if (tn_pool_drain(pool, tn_deadline_after_ms(20000), NULL) != TN_OK)
      fail("not drained");
    join(threads);
    tn_pool_close(&pool);
  }
}

static pthread_barrier_t barrier;

static void *
give_at_once(void *arg)
{
  tn_conn *conn = arg;

  pthread_barrier_wait(&barrier);
  tn_pool_give(&conn);
  return NULL;
}

/* Loans that come back in the moment of closing: the last one releases it. */
static void
closed(void)
{
  for (int i = 0; i < 300; i++) {
    pthread_t threads[SIZE];

    open_pool(SIZE, MORE);
    pthread_barrier_init(&barrier, NULL, SIZE + 1);
    for (int j = 0; j < SIZE; j++) {
      tn_conn *conn = NULL;

      while (tn_pool_take(pool, NULL, &conn, NULL) != TN_OK)
        ;
      if (pthread_create(&threads[j], NULL, give_at_once, conn) != 0)
        exit(1);
    }
    pthread_barrier_wait(&barrier);
    tn_pool_close(&pool);
    for (int j = 0; j < SIZE; j++)
      pthread_join(threads[j], NULL);
    pthread_barrier_destroy(&barrier);
  }
  if (atomic_load(&sessions) != 0)
    fail("a session is left after close");
}

/* ---- in order ---- */

/* With one session, whoever has it sees the queue as it is: the waiters are
 * numbered in the order in which they joined, and served in it. */
static atomic_uint joined;
static unsigned served; /* of the borrower */

static void *
stand_in_line(void *arg)
{
  (void)arg;
  for (int i = 0; i < 200; i++) {
    struct tn_pool_waiter waiter = { .fd = -1 };
    struct tn_pool_wakes wakes = { .count = 0 };
    unsigned ticket;
    tn_conn *conn;

    /* What a take does, with a number drawn in the moment of joining. */
    tn_pool__enter(pool);
    pthread_mutex_lock(&pool->lock);
    ticket = atomic_fetch_add(&joined, 1);
    tn_pool__join(pool, &waiter);
    tn_pool__serve(pool, &wakes);
    tn_pool__unlock(pool, &wakes);
    while (atomic_load(&waiter.grant) == GRANT_NONE)
      tn_pool__sleep(&waiter.grant, GRANT_NONE, TN_DEADLINE_NONE);
    if (ticket != served)
      fail("served out of turn");
    served = ticket + 1;
    conn = waiter.slot->conn;
    tn_pool_give(&conn);
    tn_pool__leave(pool);
  }
  return NULL;
}

static void
in_order(void)
{
  struct tn_pool_options options = TN_POOL_OPTIONS_INIT;
  pthread_t threads[THREADS];
  tn_conn *conn = NULL;

  options.connect = open_session;
  options.size = 1;
  if (tn_pool_open(&options, &pool, NULL) != TN_OK)
    exit(1);
  while (tn_pool_take(pool, NULL, &conn, NULL) != TN_OK)
    ;
  tn_pool_give(&conn);
  start(threads, stand_in_line);
  join(threads);
  expect_empty();
}

/* ---- forked ---- */

static void *
borrow_plainly(void *arg)
{
  seed = (unsigned)(uintptr_t)arg;
  while (!atomic_load(&is_over)) {
    tn_conn *conn = NULL;

    if (tn_pool_take(pool, NULL, &conn, NULL) == TN_OK)
      tn_pool_give(&conn);
  }
  return NULL;
}

static void
forked(void)
{
  pthread_t threads[THREADS];

  open_pool(SIZE, MORE);
  start(threads, borrow_plainly);
  for (int i = 0; i < FORKS; i++) {
    int status = -1;
    pid_t child = fork();

    if (child == 0)
      _exit(0);
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
      fail("a child went wrong");
  }
  atomic_store(&is_over, true);
  join(threads);
  atomic_store(&is_over, false);
  expect_empty();
}

int
main(void)
{
  tn_err err = TN_ERR_INIT;

  seed = 99;
  if (open_registry(&err) != TN_OK) {
    fprintf(stderr, "%s\n", err.message);
    return 1;
  }
  all_at_once();
  drained();
  closed();
  in_order();
  forked();
  tn_registry_free(&registry);
  printf("%d wrong\n", atomic_load(&wrong));
  return atomic_load(&wrong) != 0;
}
