/* Talking to the server without ever blocking.
 *
 * libpq sends what it is given and hands out results one by one; between the
 * two it would wait in its own way, without our deadline. So it is never asked
 * for a result that is not there yet: pg__next() waits through the host until
 * it is. A connection that is lost shows as a last result that says so. */
#include <stdio.h>
#include <string.h>

#include "pg_priv.h"

int32_t
pg__ready(struct pg__conn *conn, enum pg__work work)
{
  if (conn->pq == NULL)
    return tn_fail(conn->call, TN_E_LOST,
                   "postgresql: the connection was lost before; close it");
  conn->work = work;
  conn->was_in_txn = PQtransactionStatus(conn->pq) != PQTRANS_IDLE;
  conn->has_ended_well = false;
  conn->was_end = false;
  return TN_OK;
}

/* It is time to look: for what? */
static int32_t
look(struct pg__conn *conn)
{
  int64_t now = conn->host->now();

  if (now >= conn->silent_at)
    return pg__fail_lost(conn, "postgresql: the server does not answer");
  if (now < conn->again_at)
    return TN_OK;
  return pg__cancel_again(conn);
}

int32_t
pg__wait(struct pg__conn *conn, uint32_t events)
{
  int64_t until =
      conn->again_at < conn->silent_at ? conn->again_at : conn->silent_at;
  uint32_t ready = 0;
  int32_t rc =
      conn->host->wait(conn->call, PQsocket(conn->pq), events, until, &ready);

  if (rc == TN_OK && ready == 0)
    rc = look(conn);
  if (conn->pq == NULL)
    return rc;
  if (rc != TN_OK)
    return pg__stop(conn, rc);
  if (ready != 0 && conn->silent_at != INT64_MAX)
    conn->silent_at = conn->host->now() + PG__SILENCE_NS;

  /* A failure shows with the next result. */
  if ((ready & TN_WAIT_READ) != 0)
    (void)PQconsumeInput(conn->pq);
  return TN_OK;
}

/* Hand over what the socket takes. True if something is left. */
static bool
push(struct pg__conn *conn)
{
  conn->has_unsent = PQflush(conn->pq) > 0;
  return conn->has_unsent;
}

int32_t
pg__flush(struct pg__conn *conn)
{
  while (PQstatus(conn->pq) != CONNECTION_BAD && push(conn)) {
    int32_t rc = pg__wait(conn, TN_WAIT_READ | TN_WAIT_WRITE);

    if (rc != TN_OK)
      return rc;
  }
  return TN_OK;
}

void
pg__push(struct pg__conn *conn)
{
  (void)push(conn);
}

bool
pg__has_next(struct pg__conn *conn)
{
  return !PQisBusy(conn->pq);
}

int32_t
pg__next(struct pg__conn *conn, PGresult **ret)
{
  while (PQisBusy(conn->pq) && PQstatus(conn->pq) != CONNECTION_BAD) {
    uint32_t events = TN_WAIT_READ;
    int32_t rc;

    if (conn->has_unsent && push(conn))
      events |= TN_WAIT_WRITE;
    rc = pg__wait(conn, events);
    if (rc != TN_OK)
      return rc;
  }
  *ret = PQgetResult(conn->pq);
  if (*ret != NULL) {
    conn->was_end = false;
    return TN_OK;
  }

  /* Each statement of a pipeline has a result: after two ends libpq waits for
   * nothing, whatever the server has yet to say. */
  if (conn->was_end && PQpipelineStatus(conn->pq) != PQ_PIPELINE_OFF)
    return pg__fail_lost(conn, "postgresql: the server's answers do not fit "
                               "what it was sent");
  conn->was_end = true;
  return TN_OK;
}

bool
pg__sync(struct pg__conn *conn)
{
  if (!PQpipelineSync(conn->pq))
    return false;
  conn->syncs++;
  conn->needs_sync = false;
  return true;
}

/* ------------------------------------------------------------------ */
/* The rest of what is under way                                        */

/* Read what a COPY still sends. */
static int32_t
drop_copy_out(struct pg__conn *conn)
{
  for (;;) {
    char *row = NULL;
    int size = PQgetCopyData(conn->pq, &row, 1);
    int32_t rc;

    PQfreemem(row);
    if (size < 0 || PQstatus(conn->pq) == CONNECTION_BAD)
      return TN_OK; /* the next result says how it ended */
    if (size > 0)
      continue;
    rc = pg__wait(conn, TN_WAIT_READ);
    if (rc != TN_OK)
      return rc;
  }
}

static int32_t
give_copy_up(struct pg__conn *conn)
{
  while (PQputCopyEnd(conn->pq, "given up") == 0) {
    int32_t rc = pg__flush(conn);

    if (rc != TN_OK)
      return rc;
  }
  (void)push(conn);
  return TN_OK;
}

bool
pg__is_copy(const PGresult *result)
{
  ExecStatusType status = PQresultStatus(result);

  return status == PGRES_COPY_OUT || status == PGRES_COPY_IN ||
         status == PGRES_COPY_BOTH;
}

/* Let go of a result, or keep it in `*keep` if it is the first failure. */
static void
drop_failure(PGresult *result, PGresult **keep)
{
  if (PQresultStatus(result) == PGRES_FATAL_ERROR && keep != NULL &&
      *keep == NULL)
    *keep = result;
  else
    PQclear(result);
}

static int32_t
drop_result(struct pg__conn *conn, PGresult *result, PGresult **keep)
{
  ExecStatusType status = PQresultStatus(result);

  if (status == PGRES_PIPELINE_SYNC && conn->syncs > 0)
    conn->syncs--;
  drop_failure(result, keep);
  if (status == PGRES_COPY_OUT)
    return drop_copy_out(conn);
  if (status == PGRES_COPY_IN)
    return give_copy_up(conn);
  return TN_OK;
}

/* What is left after reading. */
enum rest {
  REST_OVER, /* nothing is under way */
  REST_MORE, /* what follows has not come yet */
  REST_LOST, /* the connection is; not reported */
};

/* Nothing of the last statement is to come: and of others? */
static enum rest
rest_of(struct pg__conn *conn)
{
  if (PQpipelineStatus(conn->pq) == PQ_PIPELINE_OFF)
    return REST_OVER;
  if (conn->syncs > 0)
    return REST_MORE;
  return PQexitPipelineMode(conn->pq) ? REST_OVER : REST_LOST;
}

/* Read one result and let go of it. */
static int32_t
drain_one(struct pg__conn *conn, PGresult **keep, enum rest *ret)
{
  PGresult *result = NULL;
  bool was_sync;
  int32_t rc = pg__next(conn, &result);

  *ret = REST_MORE;
  if (rc != TN_OK)
    return rc;
  if (result == NULL) {
    *ret = PQstatus(conn->pq) == CONNECTION_BAD ? REST_LOST : rest_of(conn);
    return TN_OK;
  }
  was_sync = PQresultStatus(result) == PGRES_PIPELINE_SYNC;

  /* Nothing comes after a fatal error; and nothing of ours asks for
   * replication, or for a COPY in a pipeline. */
  if (pg__is_fatal(result) || PQresultStatus(result) == PGRES_COPY_BOTH ||
      (pg__is_copy(result) && PQpipelineStatus(conn->pq) != PQ_PIPELINE_OFF)) {
    drop_failure(result, keep);
    *ret = REST_LOST;
    return TN_OK;
  }
  rc = drop_result(conn, result, keep);
  if (rc == TN_OK && was_sync)
    *ret = rest_of(conn);
  return rc;
}

/* Has what has come been read for long enough? Megabytes of it may have. */
static bool
is_late(struct pg__conn *conn, int64_t until)
{
  return conn->host->now() >= until || !pg__has_next(conn);
}

/* Read results to the end; or until `until`, as long as they are there. Fails
 * as pg__next(). */
static int32_t
drain(struct pg__conn *conn, PGresult **keep, int64_t until, enum rest *ret)
{
  *ret = REST_MORE;
  if (PQpipelineStatus(conn->pq) != PQ_PIPELINE_OFF && conn->needs_sync &&
      !pg__sync(conn))
    *ret = REST_LOST;
  (void)push(conn);
  while (*ret == REST_MORE && (until == INT64_MAX || !is_late(conn, until))) {
    int32_t rc = drain_one(conn, keep, ret);

    if (rc != TN_OK)
      return rc;
  }
  return TN_OK;
}

int32_t
pg__drain(struct pg__conn *conn, PGresult **ret_failed)
{
  enum rest rest;
  int32_t rc = drain(conn, ret_failed, INT64_MAX, &rest);

  if (rc != TN_OK || rest == REST_OVER)
    return rc;
  if (ret_failed != NULL && *ret_failed != NULL)
    return TN_OK; /* whoever kept it reports it */
  return pg__fail_lost(conn, NULL);
}

/* How long: what takes longer is worth telling the server to stop. */
#define SKIM_NS       INT64_C(20000000)
#define SKIM_SHORT_NS INT64_C(3000000)

int32_t
pg__skim(struct pg__conn *conn, PGresult **ret_failed, bool *ret_is_over)
{
  int64_t until =
      conn->host->now() + (pg__is_short(conn) ? SKIM_SHORT_NS : SKIM_NS);
  enum rest rest;
  int32_t rc = drain(conn, ret_failed, until, &rest);

  /* The end of a short result came with its rows. */
  if (rc == TN_OK && rest == REST_MORE) {
    (void)PQconsumeInput(conn->pq);
    rc = drain(conn, ret_failed, until, &rest);
  }
  *ret_is_over = rest == REST_OVER;
  return rc;
}

/* A category that by itself stands for a session without a transaction, or one
 * that is lost, takes the verdict of what the server says. */
int32_t
pg__settle(struct pg__conn *conn, int32_t category)
{
  PGresult *failed = NULL;
  enum rest rest;
  int32_t rc;
  int32_t replay = 0;

  if (conn->pq == NULL)
    return category;
  rc = drain(conn, &failed, INT64_MAX, &rest);
  PQclear(failed);
  if (rc != TN_OK)
    return rc;
  if (rest == REST_LOST) {
    pg__bury(conn);
    conn->host->fail_verdicts(conn->call, TN_CONNECTION_DEAD, 0);
    return category;
  }
  if (category == TN_E_READ_ONLY && pg__role_is_lost(conn)) {
    pg__bury(conn);
    conn->host->fail_verdicts(conn->call, TN_CONNECTION_DEAD,
                              conn->was_in_txn ? TN_REPLAY_TRANSACTION : 0);
    return category;
  }
  if (PQtransactionStatus(conn->pq) != PQTRANS_INERROR) {
    conn->host->fail_verdicts(conn->call, TN_CONNECTION_USABLE, 0);
    return category;
  }
  if (category == TN_E_MEMORY || category == TN_E_CONNECT)
    replay = TN_REPLAY_TRANSACTION;
  conn->host->fail_verdicts(conn->call, TN_CONNECTION_ABORTED, replay);
  return category;
}

/* ------------------------------------------------------------------ */
/* Statements of our own                                                */

static void
keep_tag(PGresult *result, char *tag, size_t size)
{
  if (tag != NULL && PQresultStatus(result) != PGRES_FATAL_ERROR)
    snprintf(tag, size, "%s", PQcmdStatus(result));
}

/* Read all results, and keep the last one, or the first failure. */
static int32_t
collect(struct pg__conn *conn, char *tag, size_t tag_size, PGresult **ret)
{
  PGresult *last = NULL;

  pg__push(conn);
  for (;;) {
    PGresult *result = NULL;
    int32_t rc = pg__next(conn, &result);

    if (rc != TN_OK) {
      PQclear(last);
      return rc;
    }
    if (result == NULL)
      break;
    PQclear(last);
    last = result;
    if (PQresultStatus(result) == PGRES_FATAL_ERROR)
      break;
    keep_tag(result, tag, tag_size);
  }
  if (last == NULL)
    return pg__fail_lost(conn, NULL);
  if (PQresultStatus(last) == PGRES_FATAL_ERROR) {
    int32_t rc = pg__settle(conn, pg__fail(conn, last, 0));

    PQclear(last);
    return rc;
  }
  *ret = last;
  return TN_OK;
}

int32_t
pg__exec(struct pg__conn *conn, const char *sql, enum pg__work work, char *tag,
         size_t tag_size)
{
  PGresult *last = NULL;
  int32_t rc = pg__ready(conn, work);

  if (rc != TN_OK)
    return rc;
  conn->unnamed = NULL;
  if (!PQsendQuery(conn->pq, sql))
    return pg__fail_send(conn);
  rc = collect(conn, tag, tag_size, &last);
  PQclear(last);
  return rc;
}

int32_t
pg__query(struct pg__conn *conn, const char *sql, const char *const *values,
          int count, PGresult **ret)
{
  int32_t rc = pg__ready(conn, PG__READ);

  if (rc != TN_OK)
    return rc;
  conn->unnamed = NULL;
  if (count == 0 ? !PQsendQuery(conn->pq, sql)
                 : !PQsendQueryParams(conn->pq, sql, count, NULL, values, NULL,
                                      NULL, PG__FORMAT_TEXT))
    return pg__fail_send(conn);
  return collect(conn, NULL, 0, ret);
}

/* ------------------------------------------------------------------ */
/* Notices                                                              */

/* What libpq gives here while nothing is under way may be the server's last
 * word: why it ends the session. */
static void
keep_farewell(struct pg__conn *conn, const PGresult *notice)
{
  const char *state = PQresultErrorField(notice, PG_DIAG_SQLSTATE);
  const char *text = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);

  snprintf(conn->farewell_state, sizeof conn->farewell_state, "%s",
           state == NULL ? "" : state);
  snprintf(conn->farewell, sizeof conn->farewell, "%s",
           text == NULL ? "" : text);
}

void
pg__notice(void *handle, const PGresult *notice)
{
  struct pg__conn *conn = handle;
  const char *text = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
  const char *severity =
      PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
  uint32_t level = PG__LOG_INFO;
  char line[512];

  if (severity == NULL)
    severity = "";
  if (strcmp(severity, "FATAL") == 0 || strcmp(severity, "PANIC") == 0)
    keep_farewell(conn, notice);
  if (strcmp(severity, "WARNING") == 0 || conn->farewell_state[0] != '\0')
    level = PG__LOG_WARNING;
  if (conn->call == NULL)
    return;

  /* Without a field it is a message of libpq's own. */
  snprintf(line, sizeof line, "%s",
           text == NULL ? PQresultErrorMessage(notice) : text);
  conn->host->log(conn->call, level, line);
}
