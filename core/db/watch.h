/* What listeners are told of statements and calls. Nothing here is called
 * unless somebody listens, but for the tests that say so. */
#ifndef TENON_WATCH_H
#define TENON_WATCH_H

#include "db_priv.h"
#include "event.h"

/* Is the connection one of an engine to which anybody listens for these kinds
 * of events (TN_EVENT_BIT())? */
static inline bool
tn_watch__wants(const tn_conn *session, uint32_t kinds)
{
  return tn_listeners__want(session->listeners, kinds);
}

/* What a statement is watched for while it runs. */
#define TN_WATCH_RUN                                                           \
  (TN_EVENT_BIT(TN_EVENT_AFTER) | TN_EVENT_BIT(TN_EVENT_DONE) |                \
   TN_EVENT_BIT(TN_EVENT_SLOW))

/* In an operation: tell PREPARE or BEFORE. `asked->sql` may be another text
 * afterwards. Fails: as a listener that refuses. */
enum tn_code tn_watch__before(tn_conn *conn, uint32_t kind,
                              struct tn_query *asked, uint64_t batch_rows,
                              tn_err *err);

/* When a statement begins, if anybody wants to know; else 0. */
int64_t tn_watch__start(const tn_conn *conn);

/* In an operation: a statement that began `since` has failed before it could
 * run, with `err`. */
void tn_watch__unprepared(tn_conn *conn, const struct tn_query *asked,
                          int64_t since, tn_err *err);

/* In an operation: the statement has been answered, or has failed with `rc`.
 * result->watch has the time it began. */
void tn_watch__after(tn_result *result, const struct tn_query *asked,
                     uint64_t batch_rows, enum tn_code rc, tn_err *err);

/* Its result is closed. */
void tn_watch__done(tn_result *result);

/* In an operation: it fails with `code`. Returns what it fails with in
 * the end. `err` is not NULL. */
enum tn_code tn_watch__error(tn_conn *conn, enum tn_code code, tn_err *err);

/* The result that AFTER, SLOW, DONE and ERROR are told of, for the core's own
 * listeners: what they note in result->watch stays until DONE. NULL: of a
 * statement that could not be prepared, and ERROR of something else. */
tn_result *tn_watch__result(const struct tn_event *event);

/* Forget what was noted. */
void tn_watch__clear(struct tn_watched *watched);

#endif
