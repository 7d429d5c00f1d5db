/* Stopping what runs, and bringing a session in order after the host has ended
 * a call in the middle.
 *
 * The server is told by a connection of its own, which libpq can only open
 * blocking and so opens in a thread. PQcancel() returns when the server has
 * closed that connection, by when it has passed the signal on: whatever is sent
 * afterwards cannot be hit any more. It is also the sign that the server is
 * there, and that more patience is worth its time. As long as that is not known
 * the session is not used again. A process of the server that has not got round
 * to reading the statement takes the signal for nothing, so it is told again.
 */
#include <stdatomic.h>
#include <time.h>

#include "pg_priv.h"

/* How long to wait for an effect, at first. */
#define AGAIN_NS INT64_C(25000000)

/* Who says it again? */
enum again {
  AGAIN_OPEN = 0,
  AGAIN_SESSION, /* it was said once, and the session sees what comes of it */
  AGAIN_JOB,     /* the session is given up */
};

/* Shared by the host's thread and whoever waits for it. */
struct job {
  const struct tn_host *host;
  PGcancel *cancel;
  bool is_sent;
  atomic_uint again;
  atomic_uint users;
};

/* From open to `to`; whoever comes second is told that he does. */
static bool
settle(struct job *job, unsigned to)
{
  unsigned from = AGAIN_OPEN;

  return atomic_compare_exchange_strong(&job->again, &from, to);
}

/* Nobody waits for the statement any more, so nobody sees whether it stops: say
 * it some more times. */
static void
say_again(struct job *job, char *text, int size)
{
  static const struct timespec pauses[] = { { .tv_nsec = 100000000 },
                                            { .tv_nsec = 300000000 },
                                            { .tv_sec = 1 },
                                            { .tv_sec = 3 } };
  size_t i;

  for (i = 0; i < PG__COUNT(pauses) && job->is_sent; i++) {
    nanosleep(&pauses[i], NULL);
    job->is_sent = PQcancel(job->cancel, text, size) != 0;
  }
}

static void
run_job(void *work)
{
  struct job *job = work;
  char text[256];

  job->is_sent = PQcancel(job->cancel, text, sizeof text) != 0;
  if (!settle(job, AGAIN_SESSION))
    say_again(job, text, sizeof text);
}

static void
release_job(void *work)
{
  struct job *job = work;

  if (atomic_fetch_sub(&job->users, 1) > 1)
    return;
  PQfreeCancel(job->cancel);
  job->host->release(job);
}

static struct job *
new_job(const struct pg__conn *conn)
{
  struct job *job = conn->host->alloc(sizeof *job);

  if (job == NULL)
    return NULL;
  job->host = conn->host;
  job->is_sent = false;
  atomic_init(&job->again, AGAIN_OPEN);
  atomic_init(&job->users, 1);
  job->cancel = PQgetCancel(conn->pq);
  if (job->cancel != NULL)
    return job;
  release_job(job);
  return NULL;
}

bool
pg__is_short(const struct pg__conn *conn)
{
  return conn->call->deadline - conn->host->now() <= TN_GRACE_MAX;
}

/* Have it said, and wait so long for it to be over. */
static int32_t
cancel_within(struct pg__conn *conn, int64_t patience)
{
  struct job *job = new_job(conn);
  int32_t rc;

  if (job == NULL)
    return pg__fail_memory(conn->call);
  atomic_store(&job->users, 2);
  rc = conn->host->offload(conn->call, run_job, release_job, job,
                           conn->host->now() + patience);
  if (rc == TN_OK) {
    rc = job->is_sent ? TN_OK : TN_E_CONNECT;
    release_job(job); /* the host's share */
  } else if (rc == TN_E_TIMEOUT || rc == TN_E_CANCELED) {
    /* The session is given up, so the thread may go on saying it. */
    conn->is_hunted = settle(job, AGAIN_JOB);
  }
  release_job(job);
  return rc;
}

int32_t
pg__cancel(struct pg__conn *conn)
{
  return cancel_within(conn,
                       pg__is_short(conn) ? TN_GRACE_SIGN : PG__SILENCE_NS);
}

/* From now on pg__wait() says it again when nothing comes. */
static int32_t
cancel_repeatedly(struct pg__conn *conn)
{
  int32_t rc = pg__cancel(conn);

  if (rc == TN_OK) {
    conn->again_ns = AGAIN_NS;
    conn->again_at = conn->host->now() + AGAIN_NS;
  }
  return rc;
}

/* The server has taken one already, so it is there. */
int32_t
pg__cancel_again(struct pg__conn *conn)
{
  int32_t rc = cancel_within(conn, PG__SILENCE_NS);

  conn->again_ns *= 2;
  conn->again_at = conn->host->now() + conn->again_ns;
  return conn->is_hunted ? rc : TN_OK;
}

/* Leave a thread behind that does it. */
static void
cancel_behind(struct pg__conn *conn)
{
  struct job *job = new_job(conn);

  if (job == NULL)
    return;
  atomic_store(&job->again, AGAIN_JOB);
  (void)conn->host->offload(conn->call, run_job, release_job, job, 0);
}

void
pg__bury(struct pg__conn *conn)
{
  PQfinish(conn->pq);
  conn->pq = NULL;
  conn->unnamed = NULL;
  conn->syncs = 0;
  conn->needs_sync = false;
  conn->has_unsent = false;
}

/* A COMMIT is not stopped: how it ends is all that is wanted. */
static int32_t
bring_in_order(struct pg__conn *conn)
{
  PGresult *failed = NULL;
  bool is_over = false;
  int32_t rc = pg__skim(conn, &failed, &is_over);
  bool is_to_stop = rc == TN_OK && !is_over && conn->work != PG__COMMIT;

  if (is_to_stop)
    rc = cancel_repeatedly(conn);
  if (rc == TN_OK && !is_over)
    rc = pg__drain(conn, &failed);
  if (rc == TN_OK && (PQstatus(conn->pq) == CONNECTION_BAD || conn->is_hunted))
    rc = TN_E_LOST;
  conn->has_ended_well = rc == TN_OK && failed == NULL;
  PQclear(failed);

  /* One that did not come to its end is said again by its own thread. */
  if (rc != TN_OK && is_to_stop && !conn->is_hunted)
    cancel_behind(conn);
  conn->again_at = INT64_MAX;
  return rc;
}

/* What the interrupted call may have left behind, for whoever asks. */
static void
tell_verdicts(struct pg__conn *conn)
{
  bool is_alone = conn->work == PG__WRITE && !conn->was_in_txn;
  int32_t connection = TN_CONNECTION_USABLE, replay = 0;

  if (conn->pq == NULL) {
    connection = TN_CONNECTION_DEAD;
    replay = is_alone ? TN_REPLAY_UNKNOWN : 0;
  } else if (PQtransactionStatus(conn->pq) == PQTRANS_INERROR) {
    connection = TN_CONNECTION_ABORTED;
  } else if (is_alone && conn->has_ended_well) {
    replay = TN_REPLAY_NEVER; /* it had just taken effect */
  } else if (conn->work == PG__COMMIT) {
    replay = TN_REPLAY_TRANSACTION;
  }
  conn->host->fail_verdicts(conn->call, connection, replay);
}

int32_t
pg__stop(struct pg__conn *conn, int32_t category)
{
  if (conn->is_stopping)
    return category; /* that takes too long as well */
  if (conn->is_opening) {
    pg__bury(conn); /* nothing is worth more time than there was */
    tell_verdicts(conn);
    return category;
  }
  if (conn->work == PG__COMMIT)
    category =
        tn_fail(conn->call, TN_E_UNCERTAIN,
                "postgresql: commit: %s before the server answered",
                category == TN_E_CANCELED ? "canceled" : "the deadline passed");
  conn->host->grace(conn->call,
                    conn->work == PG__COMMIT ? TN_GRACE_SIGN : TN_GRACE_MAX);
  conn->is_stopping = true;
  if (bring_in_order(conn) != TN_OK && conn->pq != NULL)
    pg__bury(conn);
  conn->is_stopping = false;
  tell_verdicts(conn);
  return category;
}

int32_t
pg__discard(struct pg__conn *conn, bool may_cancel)
{
  bool is_over = false;
  int32_t rc;

  if (conn->pq == NULL)
    return TN_OK;
  rc = pg__skim(conn, NULL, &is_over);

  /* If a cancel cannot be had, all is read, as long as something comes. */
  if (rc == TN_OK && !is_over && may_cancel && !conn->was_in_txn)
    (void)cancel_repeatedly(conn);
  if (rc == TN_OK && !is_over && !conn->is_hunted) {
    conn->silent_at = conn->host->now() + PG__SILENCE_NS;
    rc = pg__drain(conn, NULL);
  }
  conn->again_at = INT64_MAX;
  conn->silent_at = INT64_MAX;
  if (conn->pq != NULL && conn->is_hunted)
    rc = pg__fail_lost(conn, "postgresql: the server does not answer");
  return conn->pq == NULL ? rc : TN_OK;
}
