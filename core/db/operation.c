/* How operations begin, end and are canceled; db_priv.h has the rule. */
#include "watch.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

/* How long to sleep between two looks at a cancel that is under way. */
static const struct timespec CANCEL_PAUSE = { .tv_nsec = 100000 };

static tn_deadline
deadline_of(const tn_conn *conn, tn_deadline deadline)
{
  tn_deadline usual = conn->deadline;

  if (deadline != 0)
    return deadline;
  if (usual == 0)
    usual = conn->timeout_ms == 0 ? TN_DEADLINE_NONE
                                  : tn_deadline_after_ms(conn->timeout_ms);
  return conn->limit != 0 && conn->limit < usual ? conn->limit : usual;
}

void
tn_conn__limit(tn_conn *conn, tn_deadline limit)
{
  conn->limit = limit;
  conn->is_used = true; /* its pool has something to bring in order */
}

bool
tn_conn__is_late(const tn_conn *conn)
{
  int64_t now = tn_clock_now();

  return (conn->deadline != 0 && conn->deadline <= now) ||
         (conn->limit != 0 && conn->limit <= now);
}

static void
init_call(const tn_conn *conn, tn_deadline deadline, struct tn_arena *arena,
          struct tn_host_call *call, tn_err *err)
{
  tn_host_call_init(call, deadline_of(conn, deadline), arena, err);
  call->dialect = &conn->dialect;
  call->backend = conn->backend->plugin.name;
  call->log = conn->has_log ? &conn->log : NULL;
  call->canceled = &conn->canceled;
  call->wait = conn->wait;
  call->wait_user = conn->wait_user;
  call->wake_fd = conn->wake_fd;
}

void
tn_conn__free(tn_conn *conn)
{
  tn_arena_clear(&conn->arena);
  tn_strbuf_clear(&conn->traced);
  if (conn->wake_fd >= 0)
    close(conn->wake_fd);
  tn_memory_free(conn);
}

void
tn_conn__closing(tn_conn *conn, struct tn_host_call *call)
{
  init_call(conn, tn_deadline_after_ms(TN_CONN_CLOSE_MS), NULL, call,
            &conn->scratch);
  call->canceled = NULL;
  tn_err_clear(&conn->scratch);
}

/* A scope's transaction is over, and the scope is not: the statement would
 * commit alone. */
static enum tn_code
refuse_alone(const struct tn_txn_watch *txn, tn_err *err)
{
  enum tn_code rc = tn_err_set(
      err, TN_E_STATE, "transaction: %s; end its scope first",
      txn->is_torn ? "a statement that commits by itself, or a call on the "
                     "connection, has ended it"
                   : "it is over");

  tn_err_verdicts(err, TN_CONNECTION_ABORTED, TN_REPLAY_NEVER);
  return rc;
}

enum tn_code
tn_conn__enter(tn_conn *conn, tn_deadline deadline, struct tn_arena *arena,
               struct tn_host_call *call, tn_err **err)
{
  uint32_t activity = ACTIVITY_IDLE;
  enum tn_code rc;

  /* Until the operation is ours, another thread may use all the rest. */
  if (!atomic_compare_exchange_strong_explicit(
          &conn->activity, &activity, ACTIVITY_RUNNING, memory_order_acquire,
          memory_order_relaxed))
    return tn_err_set(*err, TN_E_STATE,
                      "conn: a result is still open, or another thread is in "
                      "a call; close the result or ask for a buffered one");
  if (*err == NULL)
    *err = &conn->scratch;
  conn->is_used = true;
  conn->has_failed = false;
  conn->failed = NULL;
  if (tn_conn__is_inherited(conn)) {
    rc = tn_err_set(*err, TN_E_LOST,
                    "conn: the connection belongs to the parent process");
    return tn_conn__end(conn, rc, *err);
  }
  if (conn->is_dead) {
    rc = tn_err_set(*err, TN_E_LOST,
                    "conn: the connection was lost before; close it");
    return tn_conn__end(conn, rc, *err);
  }
  if (conn->txn != NULL && conn->txn->is_over && !conn->txn->is_ending)
    return tn_conn__end(conn, refuse_alone(conn->txn, *err), *err);
  init_call(conn, deadline, arena, call, *err);

  /* A deadline that has passed sends nothing, whatever the backend would do. */
  if (call->call.deadline == TN_DEADLINE_NONE)
    return TN_OK;
  rc = (enum tn_code)call->call.host->check(&call->call);
  return rc == TN_OK ? TN_OK : tn_conn__end(conn, rc, *err);
}

enum tn_code
tn_conn__begin(tn_conn *conn, tn_deadline deadline, struct tn_arena *arena,
               struct tn_host_call *call, tn_err **err)
{
  enum tn_code rc = tn_conn__enter(conn, deadline, arena, call, err);

  if (rc != TN_OK || conn->bulk == NULL)
    return rc;
  rc = tn_err_set(*err, TN_E_STATE,
                  "conn: a bulk load is open; finish or close it first");
  return tn_conn__end(conn, rc, *err);
}

void
tn_conn__grace(const tn_conn *conn, struct tn_host_call *call)
{
  tn_deadline deadline = call->call.deadline;

  if ((call->canceled != NULL &&
       atomic_load_explicit(&conn->canceled, memory_order_relaxed) != 0) ||
      (deadline != TN_DEADLINE_NONE && tn_clock_now() >= deadline))
    call->call.host->grace(&call->call, TN_GRACE_MAX);
}

/* The first error that ends a transaction is why; those after it only say that
 * it has ended. One of which nobody knows what it has left, as of DDL that
 * commits first and fails then, may leave a part committed. */
static void
keep_cause(struct tn_txn_watch *txn, const tn_err *err)
{
  txn->is_torn |= err->connection >= TN_CONNECTION_ABORTED &&
                  err->replay == TN_REPLAY_UNKNOWN && !txn->is_ending;
  if (err->connection >= TN_CONNECTION_ABORTED && txn->cause.code == 0)
    txn->cause = *err;
}

static void
add_cause(const struct tn_txn_watch *txn, tn_err *err)
{
  if (err->connection < TN_CONNECTION_ABORTED || txn->cause.code == 0 ||
      strcmp(err->message, txn->cause.message) == 0)
    return;
  tn_err_add(err, TN_ERR_DETAIL, "why it has ended:");
  tn_err_add(err, TN_ERR_DETAIL, txn->cause.message);
}

void
tn_conn__note(tn_conn *conn, enum tn_code code, const tn_err *err)
{
  if (code != TN_OK && err != NULL && conn->txn != NULL)
    keep_cause(conn->txn, err);
  if (code == TN_OK || err == NULL || err->connection != TN_CONNECTION_DEAD)
    return;
  conn->is_lost = conn->is_lost || (!conn->is_dead && code != TN_E_TIMEOUT &&
                                    code != TN_E_CANCELED);
  conn->is_dead = true;
}

/* The waits of the next operation must not find this one's cancel. */
static void
drain_wake(const tn_conn *conn)
{
  uint64_t count;

  if (conn->wake_fd >= 0)
    (void)!read(conn->wake_fd, &count, sizeof count);
}

enum tn_code
tn_conn__fail(tn_conn *conn, enum tn_code code, tn_err *err)
{
  if (conn->has_failed)
    return code;
  conn->has_failed = true;
  conn->counts[CONN_FAILURES]++;
  if (conn->txn != NULL && err != NULL)
    add_cause(conn->txn, err);
  if (err == NULL || !tn_watch__wants(conn, TN_EVENT_BIT(TN_EVENT_ERROR)))
    return code;
  return tn_watch__error(conn, code, err);
}

/* An error that has destroyed it says itself what has become of it. Going back
 * to a savepoint, by whatever call or text, saves what was aborted. */
static void
watch_state(struct tn_txn_watch *txn, uint32_t state)
{
  bool is_over = state == TN_TXN_NONE;

  if (state == TN_TXN_OPEN && txn->is_aborted && txn->spoiled == 0)
    txn->cause.code = TN_OK;
  txn->is_aborted = state == TN_TXN_ABORTED;

  txn->is_torn |=
      is_over && !txn->is_over && !txn->is_ending && txn->cause.code == 0;
  txn->is_over = is_over;
}

enum tn_code
tn_conn__end(tn_conn *conn, enum tn_code code, tn_err *err)
{
  uint32_t activity = ACTIVITY_RUNNING;

  tn_conn__note(conn, code, err);
  if (code != TN_OK)
    code = tn_conn__fail(conn, code, err);
  if (conn->txn != NULL && !conn->is_dead && !tn_conn__is_inherited(conn))
    watch_state(conn->txn, tn_conn_txn_state(conn));
  if (conn->has_begun && !conn->is_dead && !tn_conn__is_inherited(conn))
    conn->has_begun = tn_conn_txn_state(conn) != TN_TXN_NONE;
  conn->running = NULL;
  if (atomic_compare_exchange_strong_explicit(
          &conn->activity, &activity, ACTIVITY_IDLE, memory_order_release,
          memory_order_relaxed))
    return code;

  while (atomic_load_explicit(&conn->activity, memory_order_acquire) ==
         ACTIVITY_CANCELING)
    nanosleep(&CANCEL_PAUSE, NULL);
  drain_wake(conn);
  atomic_store_explicit(&conn->canceled, 0, memory_order_relaxed);
  atomic_store_explicit(&conn->activity, ACTIVITY_IDLE, memory_order_release);
  return code;
}

void
tn_conn_cancel(tn_conn *conn)
{
  static const uint64_t one = 1;
  uint32_t activity = ACTIVITY_RUNNING;

  if (!atomic_compare_exchange_strong_explicit(
          &conn->activity, &activity, ACTIVITY_CANCELING, memory_order_acquire,
          memory_order_relaxed))
    return;
  atomic_store_explicit(&conn->canceled, 1, memory_order_relaxed);
  if (conn->wake_fd >= 0)
    (void)!write(conn->wake_fd, &one, sizeof one);
  if (conn->handle != NULL)
    tn_backend_cancel(conn->backend, conn->handle);
  atomic_store_explicit(&conn->activity, ACTIVITY_CANCELED,
                        memory_order_release);
}
