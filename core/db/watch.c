#include "watch.h"

#include "pool_priv.h"

static const char *
label_of(const tn_conn *conn)
{
  return conn->slot == NULL
             ? NULL
             : atomic_load_explicit(&conn->slot->label, memory_order_relaxed);
}

/* What is told, with what the core's own listeners are told in addition. */
struct told {
  struct tn_event event; /* first */
  tn_result *result;
};

static struct told
told_of(tn_conn *conn, uint32_t kind, tn_result *result)
{
  struct told told = {
    .event = { .kind = kind,
               .conn = conn,
               .label = label_of(conn),
               .affected = -1 },
    .result = result,
  };

  return told;
}

tn_result *
tn_watch__result(const struct tn_event *event)
{
  return ((const struct told *)(const void *)event)->result;
}

void
tn_watch__clear(struct tn_watched *watched)
{
  watched->began = 0;
  watched->is_slow = false;
  watched->has_failed = false;
  tn_memory_free(watched->values);
  watched->values = NULL;
}

static enum tn_code
tell(struct told *told, bool may_refuse)
{
  return tn_listeners__tell(told->event.conn->listeners, &told->event,
                            may_refuse);
}

enum tn_code
tn_watch__before(tn_conn *conn, uint32_t kind, struct tn_query *asked,
                 uint64_t batch_rows, tn_err *err)
{
  struct told told = told_of(conn, kind, NULL);
  struct tn_event *event = &told.event;
  enum tn_code rc;

  tn_err_clear(err);
  event->sql = asked->sql;
  event->values = asked->values;
  event->value_count = asked->value_count;
  event->batch_rows = batch_rows;
  event->err = err;
  rc = tell(&told, true);
  if (event->sql != NULL)
    asked->sql = event->sql;
  if (rc != TN_OK && err->code != (int32_t)rc)
    return tn_err_set(err, rc, "engine: a listener refused the statement");
  return rc;
}

int64_t
tn_watch__start(const tn_conn *conn)
{
  return tn_watch__wants(conn, TN_WATCH_RUN) ? tn_clock_now() : 0;
}

/* The server has answered. */
static void
tell_after(struct told *told)
{
  const tn_conn *conn = told->event.conn;

  (void)tell(told, false);
  if (conn->slow_ns == 0 || told->event.run_ns < conn->slow_ns)
    return;
  told->event.kind = TN_EVENT_SLOW;
  (void)tell(told, false);
}

void
tn_watch__unprepared(tn_conn *conn, const struct tn_query *asked, int64_t since,
                     tn_err *err)
{
  struct told told = told_of(conn, TN_EVENT_AFTER, NULL);

  told.event.sql = asked->sql;
  told.event.values = asked->values;
  told.event.value_count = asked->value_count;
  told.event.run_ns = tn_clock_now() - since;
  told.event.err = err;
  tell_after(&told);
}

void
tn_watch__after(tn_result *result, const struct tn_query *asked,
                uint64_t batch_rows, enum tn_code rc, tn_err *err)
{
  tn_conn *conn = result->conn;
  struct told told = told_of(conn, TN_EVENT_AFTER, result);
  struct tn_event *event = &told.event;

  result->watch.run_ns = tn_clock_now() - result->watch.began;
  if (rc != TN_OK)
    conn->failed = result;
  event->sql = result->prepared->text;
  event->values = asked->values;
  event->value_count = asked->value_count;
  event->batch_rows = batch_rows;
  event->is_cached = result->watch.is_cached;
  event->run_ns = result->watch.run_ns;
  event->err = rc == TN_OK ? NULL : err;
  tell_after(&told);
}

void
tn_watch__done(tn_result *result)
{
  struct told told = told_of(result->conn, TN_EVENT_DONE, result);
  struct tn_event *event = &told.event;

  event->sql = result->prepared->text;
  event->is_cached = result->watch.is_cached;
  event->run_ns = result->watch.run_ns;
  event->total_ns = tn_clock_now() - result->watch.began;
  event->rows = result->rows_before + result->row_count;
  if ((result->info.flags & TN_RESULT_HAS_AFFECTED) != 0)
    event->affected = (int64_t)result->info.affected;
  (void)tell(&told, false);
}

enum tn_code
tn_watch__error(tn_conn *conn, enum tn_code code, tn_err *err)
{
  const tn_err original = *err;
  struct told told = told_of(conn, TN_EVENT_ERROR, conn->failed);

  told.event.sql = conn->running;
  told.event.err = err;
  (void)tell(&told, false);
  if (err->code == 0) {
    *err = original;
    return code;
  }

  /* Whatever it is called now, the connection is no better for it, and no more
   * may be run again. */
  if (err->connection < original.connection)
    tn_err_verdicts(err, original.connection, 0);
  if (err->replay < original.replay)
    tn_err_verdicts(err, 0, original.replay);
  return (enum tn_code)err->code;
}
