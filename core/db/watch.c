#include "watch.h"

#include "pool_priv.h"

static const char *
label_of(const tn_conn *conn)
{
  return conn->slot == NULL
             ? NULL
             : atomic_load_explicit(&conn->slot->label, memory_order_relaxed);
}

static struct tn_event
event_of(tn_conn *conn, uint32_t kind)
{
  struct tn_event event = {
    .kind = kind, .conn = conn, .label = label_of(conn), .affected = -1
  };

  return event;
}

enum tn_code
tn_watch__before(tn_conn *conn, uint32_t kind, struct tn_query *asked,
                 uint64_t batch_rows, tn_err *err)
{
  struct tn_event event = event_of(conn, kind);
  enum tn_code rc;

  tn_err_clear(err);
  event.sql = asked->sql;
  event.values = asked->values;
  event.value_count = asked->value_count;
  event.batch_rows = batch_rows;
  event.err = err;
  rc = tn_listeners__tell(conn->listeners, &event, true);
  if (event.sql != NULL)
    asked->sql = event.sql;
  if (rc != TN_OK && err->code != (int32_t)rc)
    return tn_err_set(err, rc, "engine: a listener refused the statement");
  return rc;
}

void
tn_watch__after(tn_result *result, const struct tn_query *asked,
                uint64_t batch_rows, enum tn_code rc, tn_err *err)
{
  tn_conn *conn = result->conn;
  struct tn_event event = event_of(conn, TN_EVENT_AFTER);

  result->watch.run_ns = tn_clock_now() - result->watch.began;
  event.sql = result->prepared->text;
  event.values = asked->values;
  event.value_count = asked->value_count;
  event.batch_rows = batch_rows;
  event.is_cached = result->watch.is_cached;
  event.run_ns = result->watch.run_ns;
  event.err = rc == TN_OK ? NULL : err;
  (void)tn_listeners__tell(conn->listeners, &event, false);
  if (conn->slow_ns == 0 || event.run_ns < conn->slow_ns)
    return;
  event.kind = TN_EVENT_SLOW;
  (void)tn_listeners__tell(conn->listeners, &event, false);
}

void
tn_watch__done(tn_result *result)
{
  struct tn_event event = event_of(result->conn, TN_EVENT_DONE);

  event.sql = result->prepared->text;
  event.is_cached = result->watch.is_cached;
  event.run_ns = result->watch.run_ns;
  event.total_ns = tn_clock_now() - result->watch.began;
  event.rows = result->rows_before + result->row_count;
  if ((result->info.flags & TN_RESULT_HAS_AFFECTED) != 0)
    event.affected = (int64_t)result->info.affected;
  (void)tn_listeners__tell(result->conn->listeners, &event, false);
}

enum tn_code
tn_watch__error(tn_conn *conn, enum tn_code code, tn_err *err)
{
  const tn_err original = *err;
  struct tn_event event = event_of(conn, TN_EVENT_ERROR);

  event.sql = conn->running;
  event.err = err;
  (void)tn_listeners__tell(conn->listeners, &event, false);
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
