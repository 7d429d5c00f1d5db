/* A pool in a child after fork: it must neither use nor close what the parent
 * has opened. The kernel wipes one page of the pool in the child, so that no
 * call has to ask for the number of its process. */
#include "pool_priv.h"

#include <errno.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

_Static_assert(sizeof(struct tn_pool_guard) <= 4096, "fits the smallest page");

#define FIRST_BIRTH 1

/* Of a page that is not wiped no call may rely on the gate alone. */
static uint32_t
open_gate(const tn_pool *pool)
{
  return GATE_ALIVE | (pool->is_wiped ? 0 : GATE_UNSURE);
}

enum tn_code
tn_pool__guard(tn_pool *pool, tn_err *err)
{
  size_t size = (size_t)sysconf(_SC_PAGESIZE);
  void *page = mmap(NULL, size, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  if (page == MAP_FAILED)
    return tn_err_memory(err, "pool");
  pool->guard = page;
  pool->is_wiped = madvise(page, size, MADV_WIPEONFORK) == 0;
  pool->process = (int)getpid();
  pool->birth = FIRST_BIRTH;
  atomic_store(&pool->guard->birth, FIRST_BIRTH);
  atomic_store(&pool->guard->gate, open_gate(pool));
  return TN_OK;
}

void
tn_pool__unguard(tn_pool *pool)
{
  if (pool->guard != NULL)
    munmap(pool->guard, (size_t)sysconf(_SC_PAGESIZE));
}

/* Cut off from the server first: what closing would send is the parent's to
 * send. A backend that cannot leaves its own memory behind. */
static void
abandon(tn_conn *conn)
{
  struct tn_host_call call;

  tn_cache__empty(&conn->cache);
  tn_conn__close_all(conn, tn_deadline_after_ms(TN_CONN_CLOSE_MS));
  if (tn_conn__may_close(conn)) {
    tn_conn__closing(conn, &call);
    tn_backend_disconnect(conn->backend, conn->handle, &call);
  }
  tn_conn__free(conn);
}

static void
forget_slots(tn_pool *pool)
{
  struct tn_pool_iterator i;

  for (i = tn_pool__first(pool); i.slot != NULL; tn_pool__next(&i)) {
    uint32_t state = atomic_load(&i.slot->state);
    tn_conn *conn = i.slot->conn;

    i.slot->conn = NULL;
    atomic_store(&i.slot->state, SLOT_EMPTY);
    atomic_store(&i.slot->is_inside, 0);
    atomic_store(&i.slot->takes, 0);
    if (state == SLOT_IDLE && conn != NULL)
      abandon(conn);

    /* It may be in the hands of the thread that has forked, or have been in
     * those of one that does not exist here. */
    pool->inherited += state == SLOT_LENT;
  }
}

static void
empty_pool(tn_pool *pool)
{
  pthread_mutex_init(&pool->lock, NULL);
  pool->head = NULL;
  pool->tail = NULL;
  pool->waiting = 0;
  pool->connecting = 0;
  pool->occupied = 0;
  pool->users = 0;
  pool->is_starved = false;
  pool->is_reserving = false;
  pool->has_thread = false;
  atomic_store(&pool->clock, 0);
  pool->retry_ms = 0;
  pool->retry_at = 0;
  pool->failed_at = 0;
  pool->wait_ns = 0;
  pool->process = (int)getpid();
  tn_pool__forget_thread();
  pool->seed ^= (uint64_t)pool->process << 20;
  memset(pool->histogram, 0, sizeof pool->histogram);
  for (int i = 0; i < COUNT_COUNT; i++)
    atomic_store(&pool->counts[i], 0);
  for (int i = 0; i < CONN_COUNT_COUNT; i++)
    atomic_store(&pool->conn_counts[i], 0);
  atomic_store(&pool->open, 0);
  forget_slots(pool);
}

/* It waits for the gate as others do. Without it nothing falls due. */
static void
start_ticking(tn_pool *pool)
{
  tn_err err = TN_ERR_INIT;

  atomic_store(&pool->is_stopping, 0);
  if (tn_pool__start_thread(pool, &err) != TN_OK)
    tn_log_write(pool->has_log ? &pool->log : NULL, TN_LOG_WARNING,
                 "%s: what falls due in this child waits for tn_pool_tick()",
                 err.message);
}

static bool
is_foreign(const tn_pool *pool)
{
  if (pool->is_wiped)
    return (atomic_load(&pool->guard->gate) & GATE_ALIVE) == 0;
  return pool->process != (int)getpid();
}

void
tn_pool__revive(tn_pool *pool)
{
  uint32_t gate = 0;

  if (!is_foreign(pool))
    return;
  if (!pool->is_wiped)
    atomic_store(&pool->guard->gate, 0);
  if (!atomic_compare_exchange_strong(&pool->guard->gate, &gate, GATE_BIRTH)) {
    while (atomic_load(&pool->guard->gate) == GATE_BIRTH)
      sched_yield();
    return;
  }
  pool->birth++;
  atomic_store(&pool->guard->birth, pool->birth);
  empty_pool(pool);
  if (pool->options.tick_ms > 0 && !pool->is_closed)
    start_ticking(pool);
  atomic_store(&pool->guard->gate,
               open_gate(pool) | (pool->is_closed ? GATE_CLOSED : 0));
}

void
tn_pool__give_inherited(tn_pool *pool, tn_conn *conn)
{
  abandon(conn);
  tn_pool__enter(pool);
  pthread_mutex_lock(&pool->lock);
  pool->inherited -= pool->inherited > 0;
  pthread_mutex_unlock(&pool->lock);
  tn_pool__leave(pool);
}
