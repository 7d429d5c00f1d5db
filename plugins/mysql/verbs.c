/* The client library's calls that may talk to the server, each as an
 * operation that waits outside of the library.
 *
 * MariaDB's library can suspend a call where it would wait for the socket, and
 * says what for. Oracle's cannot: there each call is made whole in a thread of
 * the host's, and a statement's rows are stored by the same call, since a
 * thread for each row would cost more than the row. */
#include "my_priv.h"

#include <signal.h>
#include <string.h>
#include <time.h>

#if MYSQL__ASYNC
_Static_assert(TN_WAIT_READ == MYSQL_WAIT_READ &&
                   TN_WAIT_WRITE == MYSQL_WAIT_WRITE,
               "the library's events are the host's");
#else
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>
#endif

#define WAIT_EITHER (TN_WAIT_READ | TN_WAIT_WRITE)

/* ------------------------------------------------------------------ */
/* SIGPIPE                                                              */

/* TLS libraries write without MSG_NOSIGNAL. A signal that was not pending
 * before is ours, and is taken away again. */
void
mysql__quiet_begin(struct mysql__quiet *quiet)
{
  sigset_t pipe;
  sigset_t pending;

  quiet->is_on = true;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  sigpending(&pending);
  quiet->was_pending = sigismember(&pending, SIGPIPE) == 1;
  pthread_sigmask(SIG_BLOCK, &pipe, &quiet->mask);
}

void
mysql__quiet_end(struct mysql__quiet *quiet)
{
  static const struct timespec at_once = { .tv_sec = 0 };
  sigset_t pipe;

  if (!quiet->is_on)
    return;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  if (!quiet->was_pending)
    (void)sigtimedwait(&pipe, NULL, &at_once);
  pthread_sigmask(SIG_SETMASK, &quiet->mask, NULL);
  quiet->is_on = false;
}

#if MYSQL__ASYNC
/* ------------------------------------------------------------------ */
/* Calls that can be suspended                                          */

/* Both return what to wait for, 0 when the call is over. */
struct verb {
  int (*start)(struct mysql__op *op);
  int (*cont)(struct mysql__op *op, int ready);
};

/* A call whose result goes to `result`, of `object`. */
#define CALL(name, function, result, object, ...)                              \
  static int name##_start(struct mysql__op *op)                                \
  {                                                                            \
    return function##_start(&op->result, __VA_ARGS__);                         \
  }                                                                            \
  static int name##_cont(struct mysql__op *op, int ready)                      \
  {                                                                            \
    return function##_cont(&op->result, op->object, ready);                    \
  }

/* One without a result. */
#define CALL_VOID(name, function, object)                                      \
  static int name##_start(struct mysql__op *op)                                \
  {                                                                            \
    return function##_start(op->object);                                       \
  }                                                                            \
  static int name##_cont(struct mysql__op *op, int ready)                      \
  {                                                                            \
    return function##_cont(op->object, ready);                                 \
  }

CALL(query, mysql_real_query, status, mysql, op->mysql, op->text, op->size)
CALL(store, mysql_store_result, rows, mysql, op->mysql)
CALL(prepare, mysql_stmt_prepare, status, stmt, op->stmt, op->text, op->size)
CALL(execute, mysql_stmt_execute, status, stmt, op->stmt)
CALL(fetch, mysql_stmt_fetch, status, stmt, op->stmt)
CALL(stmt_next, mysql_stmt_next_result, status, stmt, op->stmt)
CALL(stmt_flush, mysql_stmt_free_result, flag, stmt, op->stmt)
CALL(stmt_close, mysql_stmt_close, flag, stmt, op->stmt)
CALL(ping, mysql_ping, status, mysql, op->mysql)
CALL(reset, mysql_reset_connection, status, mysql, op->mysql)
CALL(use, mysql_select_db, status, mysql, op->mysql, op->text)
CALL_VOID(close, mysql_close, mysql)

#define VERB(name)                                                             \
  {                                                                            \
    name##_start, name##_cont                                                  \
  }

static const struct verb verbs[MYSQL__VERB_COUNT] = {
  [MYSQL__QUERY] = VERB(query),
  [MYSQL__STORE] = VERB(store),
  [MYSQL__PREPARE] = VERB(prepare),
  [MYSQL__EXECUTE] = VERB(execute),
  [MYSQL__FETCH] = VERB(fetch),
  [MYSQL__STMT_NEXT] = VERB(stmt_next),
  [MYSQL__STMT_FLUSH] = VERB(stmt_flush),
  [MYSQL__STMT_CLOSE] = VERB(stmt_close),
  [MYSQL__PING] = VERB(ping),
  [MYSQL__RESET] = VERB(reset),
  [MYSQL__USE] = VERB(use),
  [MYSQL__CLOSE] = VERB(close),
};

/* OpenSSL's, if that is what the library uses for TLS: a weak symbol is NULL
 * when nothing in the process has it. OpenSSL keeps the errors of a thread in
 * a list, takes "try again later" for an error while there is an old one in
 * it, and the library never empties it: after one lost session no other of the
 * thread would get far. */
extern void ERR_clear_error(void) __attribute__((weak));

static void
clear_errors(void)
{
  if (ERR_clear_error != NULL)
    ERR_clear_error();
}

/* A fetch reads, and is what a large result is made of. */
static void
enter_tls(const struct mysql__op *op, struct mysql__quiet *quiet)
{
  clear_errors();
  quiet->is_on = false;
  if (op->verb != MYSQL__FETCH)
    mysql__quiet_begin(quiet);
}

/* What is left in the list would be somebody else's trouble. */
static void
leave_tls(const struct mysql__op *op, struct mysql__quiet *quiet)
{
  mysql__quiet_end(quiet);
  if (op->pending == 0)
    clear_errors();
}

/* What it waits for then; 0: the call is over. */
static uint32_t
start(struct mysql__op *op)
{
  return (uint32_t)verbs[op->verb].start(op) & WAIT_EITHER;
}

static uint32_t
go_on(struct mysql__op *op, uint32_t ready)
{
  return (uint32_t)verbs[op->verb].cont(op, (int)ready) & WAIT_EITHER;
}

int32_t
mysql__op_begin(struct mysql__conn *conn, struct mysql__op *op)
{
  struct mysql__quiet quiet;

  op->fd = conn->fd;
  if (!conn->is_tls) {
    op->pending = start(op);
    return TN_OK;
  }
  enter_tls(op, &quiet);
  op->pending = start(op);
  leave_tls(op, &quiet);
  return TN_OK;
}

void
mysql__op_resume(struct mysql__conn *conn, struct mysql__op *op, uint32_t ready)
{
  struct mysql__quiet quiet;

  if (!conn->is_tls) {
    op->pending = go_on(op, ready);
    return;
  }
  enter_tls(op, &quiet);
  op->pending = go_on(op, ready);
  leave_tls(op, &quiet);
}

/* Each time the library finds the socket at its end; it may try again a few
 * times before it gives up. */
#define SHUT_STEPS 1000

bool
mysql__op_finish_shut(struct mysql__conn *conn, struct mysql__op *op)
{
  int steps;

  for (steps = 0; op->pending != 0 && steps < SHUT_STEPS; steps++)
    mysql__op_resume(conn, op, WAIT_EITHER);
  return op->pending == 0;
}

#else
/* ------------------------------------------------------------------ */
/* Calls in threads                                                     */

static void
store_rows(struct mysql__op *op)
{
  if (op->status == 0 && mysql_stmt_field_count(op->stmt) != 0)
    op->status = mysql_stmt_store_result(op->stmt);
}

static void
query(struct mysql__op *op)
{
  op->status = mysql_real_query(op->mysql, op->text, op->size);
}

static void
store(struct mysql__op *op)
{
  op->rows = mysql_store_result(op->mysql);
}

static void
prepare(struct mysql__op *op)
{
  op->status = mysql_stmt_prepare(op->stmt, op->text, op->size);
}

static void
execute(struct mysql__op *op)
{
  op->status = mysql_stmt_execute(op->stmt);
  store_rows(op);
}

static void
fetch(struct mysql__op *op)
{
  op->status = mysql_stmt_fetch(op->stmt);
}

static void
stmt_next(struct mysql__op *op)
{
  op->status = mysql_stmt_next_result(op->stmt);
  store_rows(op);
}

static void
stmt_flush(struct mysql__op *op)
{
  op->flag = mysql_stmt_free_result(op->stmt);
}

static void
stmt_close(struct mysql__op *op)
{
  op->flag = mysql_stmt_close(op->stmt);
}

static void
ping(struct mysql__op *op)
{
  op->status = mysql_ping(op->mysql);
}

static void
reset(struct mysql__op *op)
{
  op->status = mysql_reset_connection(op->mysql);
}

static void
use(struct mysql__op *op)
{
  op->status = mysql_select_db(op->mysql, op->text);
}

static void
close_connection(struct mysql__op *op)
{
  mysql_close(op->mysql);
}

static const struct verb {
  void (*call)(struct mysql__op *op);
  bool is_local; /* what it works on is here already; closing a statement is
                    a word to the server, without an answer */
} verbs[MYSQL__VERB_COUNT] = {
  [MYSQL__QUERY] = { query, false },
  [MYSQL__STORE] = { store, false },
  [MYSQL__PREPARE] = { prepare, false },
  [MYSQL__EXECUTE] = { execute, false },
  [MYSQL__FETCH] = { fetch, true },
  [MYSQL__STMT_NEXT] = { stmt_next, false },
  [MYSQL__STMT_FLUSH] = { stmt_flush, true },
  [MYSQL__STMT_CLOSE] = { stmt_close, true },
  [MYSQL__PING] = { ping, false },
  [MYSQL__RESET] = { reset, false },
  [MYSQL__USE] = { use, false },
  [MYSQL__CLOSE] = { close_connection, false },
};

/* One call in a thread, shared by the host and the operation, so that the
 * operation can wait for its end also after the host has stopped to. */
struct mysql__task {
  const struct tn_host *host;
  struct mysql__op op; /* a copy: the thread may outlive the caller's */
  int fd;              /* an eventfd, readable when the call is over */
  _Atomic bool has_begun;
  _Atomic unsigned users;
};

static void
drop_task(struct mysql__task *task)
{
  if (atomic_fetch_sub(&task->users, 1) > 1)
    return;
  close(task->fd);
  task->host->release(task);
}

static void
run_task(void *job)
{
  struct mysql__task *task = job;
  static const uint64_t one = 1;

  atomic_store(&task->has_begun, true);
  mysql_thread_init();
  verbs[task->op.verb].call(&task->op);
  mysql_thread_end();
  /* Cannot fail: the counter is 0 and the descriptor ours. */
  (void)!write(task->fd, &one, sizeof one);
}

static void
release_task(void *job)
{
  drop_task(job);
}

static int32_t
make_task(struct mysql__conn *conn, const struct mysql__op *op,
          struct mysql__task **ret)
{
  struct mysql__task *task = conn->host->alloc(sizeof *task);

  if (task == NULL)
    return mysql__fail_memory(conn->call);
  task->host = conn->host;
  task->op = *op;
  atomic_init(&task->has_begun, false);
  atomic_init(&task->users, 2);
  task->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (task->fd < 0) {
    conn->host->release(task);
    return tn_fail(conn->call, TN_E_LIMIT, "mysql: no descriptor to be had");
  }
  *ret = task;
  return TN_OK;
}

/* The call is over: take what it returned. */
static void
finish_task(struct mysql__op *op)
{
  struct mysql__task *task = op->task;

  op->status = task->op.status;
  op->flag = task->op.flag;
  op->rows = task->op.rows;
  op->pending = 0;
  op->task = NULL;
  drop_task(task);
}

/* The host has given up its share before the call began: it never will. */
static bool
was_never_begun(struct mysql__task *task)
{
  return atomic_load(&task->users) == 1 && !atomic_load(&task->has_begun);
}

int32_t
mysql__op_begin(struct mysql__conn *conn, struct mysql__op *op)
{
  int32_t rc;

  op->pending = 0;
  op->task = NULL;
  if (verbs[op->verb].is_local || conn->is_dead) {
    verbs[op->verb].call(op);
    return TN_OK;
  }
  rc = make_task(conn, op, &op->task);
  if (rc != TN_OK)
    return rc;
  op->fd = op->task->fd;
  rc = conn->host->offload(conn->call, run_task, release_task, op->task,
                           conn->until);
  if (rc == TN_OK) {
    drop_task(op->task); /* the host's share */
    finish_task(op);
  } else if (was_never_begun(op->task)) {
    drop_task(op->task);
    op->task = NULL;
  } else {
    op->pending = TN_WAIT_READ;
  }
  return rc;
}

void
mysql__op_resume(struct mysql__conn *conn, struct mysql__op *op, uint32_t ready)
{
  (void)conn;
  if ((ready & TN_WAIT_READ) != 0)
    finish_task(op);
}

/* How long a thread may take to notice that its socket was shut. */
#define SHUT_STEPS 100
static const struct timespec SHUT_PAUSE = { .tv_nsec = 1000000 };

bool
mysql__op_finish_shut(struct mysql__conn *conn, struct mysql__op *op)
{
  uint64_t count;
  int steps;

  for (steps = 0; op->pending != 0 && steps < SHUT_STEPS; steps++)
    if (read(op->fd, &count, sizeof count) == (ssize_t)sizeof count)
      finish_task(op);
    else
      nanosleep(&SHUT_PAUSE, NULL);
  if (op->pending == 0)
    return true;
  conn->is_left = true;
  drop_task(op->task);
  op->task = NULL;
  op->pending = 0;
  return false;
}
#endif
