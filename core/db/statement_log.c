/* The log of an engine's statements: a listener like any other, that is there
 * if the option connection_debug says so.
 *
 * One line a statement, when its result is closed or when it has failed, so
 * that it can say how it went. What it was run with is gone by then: AFTER
 * notes that. */
#include "observe.h"

#include "statement_text.h"

#define LINE_SIZE      8192 /* what is longer than a line of the log it cuts */
#define NS_PER_MS_REAL 1e6

#define STATEMENT_KINDS                                                        \
  (TN_EVENT_BIT(TN_EVENT_AFTER) | TN_EVENT_BIT(TN_EVENT_DONE) |                \
   TN_EVENT_BIT(TN_EVENT_ERROR))
#define ALL_KINDS                                                              \
  (TN_EVENT_ALL & ~TN_EVENT_BIT(TN_EVENT_BEFORE) & ~TN_EVENT_BIT(TN_EVENT_SLOW))

/* ---- statements ---- */

static void
add_head(struct tn_strbuf *line, const char *what, const char *label)
{
  tn_strbuf_add_text(line, what);
  if (label != NULL)
    tn_strbuf_add_format(line, " of \"%.100s\"", label);
  tn_strbuf_add_text(line, ": ");
}

static void
add_values(struct tn_strbuf *line, const tn_result *result)
{
  if (result != NULL && result->watch.values != NULL)
    tn_strbuf_add_text(line, result->watch.values);
}

/* A server counts what it returns as affected too. */
static void
add_counts(struct tn_strbuf *line, const struct tn_event *event)
{
  unsigned long long rows = event->rows;

  if (event->affected >= 0 && (rows == 0 || (uint64_t)event->affected != rows))
    tn_strbuf_add_format(line, ", %lld affected", (long long)event->affected);
  if (event->affected < 0 || rows > 0)
    tn_strbuf_add_format(line, ", %llu row%s", rows, rows == 1 ? "" : "s");
}

void
tn_statement__write(const tn_engine *engine, uint32_t level, const char *what,
                    const struct tn_event *event)
{
  TN_CLEANUP(tn_strbuf_clear)
  struct tn_strbuf line = TN_STRBUF_INIT(LINE_SIZE);
  const tn_result *result = tn_watch__result(event);
  int64_t ns = result != NULL ? result->watch.run_ns : event->run_ns;
  bool has_failed = event->err != NULL;

  add_head(&line, what, event->label);
  if (has_failed)
    tn_strbuf_add_format(&line, "failed, %s, after %.3f ms",
                         tn_code_name(event->err->code),
                         (double)ns / NS_PER_MS_REAL);
  else
    tn_strbuf_add_format(&line, "%.3f ms", (double)ns / NS_PER_MS_REAL);
  if (!has_failed)
    add_counts(&line, event);
  if (event->is_cached)
    tn_strbuf_add_text(&line, ", cached");
  tn_strbuf_add_text(&line, ": ");
  tn_statement__add_text(&line, &event->conn->dialect,
                         event->sql != NULL ? event->sql : "(no statement)");
  add_values(&line, result);
  tn_log_write(engine->options.log, level, "%s", tn_strbuf_text(&line));
}

void
tn_statement__note_values(const tn_engine *engine, const struct tn_event *event)
{
  TN_CLEANUP(tn_strbuf_clear)
  struct tn_strbuf note = TN_STRBUF_INIT(LINE_SIZE);
  tn_result *result = tn_watch__result(event);

  if (result == NULL || result->watch.values != NULL || event->value_count == 0)
    return;
  if (event->batch_rows > 0)
    tn_strbuf_add_format(&note, " %llu times, first",
                         (unsigned long long)event->batch_rows);
  tn_statement__add_values(&note, event->values, event->value_count,
                           engine->shows_values);
  result->watch.values = tn_strbuf_take(&note);
}

/* ---- what else there is at 100 ---- */

static const char *const acts[TN_EVENT_KIND_COUNT] = {
  [TN_EVENT_CONNECT] = "opened",
  [TN_EVENT_TAKE] = "lent",
  [TN_EVENT_GIVE] = "given back",
  [TN_EVENT_RESET] = "reset",
  [TN_EVENT_INVALIDATE] = "to be replaced, all that are open",
  [TN_EVENT_CLOSE] = "about to be closed",
};

static void
write_act(const tn_engine *engine, const struct tn_event *event)
{
  TN_CLEANUP(tn_strbuf_clear)
  struct tn_strbuf line = TN_STRBUF_INIT(LINE_SIZE);
  bool has_failed = event->err != NULL && event->err->code != 0;

  add_head(&line, "connection", event->label);
  tn_strbuf_add_format(&line, "%s%s%s", has_failed ? "not " : "",
                       acts[event->kind], has_failed ? ", " : "");
  if (has_failed)
    tn_strbuf_add_text(&line, tn_code_name(event->err->code));
  tn_log_write(engine->options.log, TN_LOG_DEBUG, "%s", tn_strbuf_text(&line));
}

static void
write_prepare(const tn_engine *engine, const struct tn_event *event)
{
  TN_CLEANUP(tn_strbuf_clear)
  struct tn_strbuf line = TN_STRBUF_INIT(LINE_SIZE);

  add_head(&line, "prepare", event->label);
  tn_statement__add_text(&line, &event->conn->dialect, event->sql);
  tn_log_write(engine->options.log, TN_LOG_DEBUG, "%s", tn_strbuf_text(&line));
}

/* ---- the listener ---- */

/* tn_event_fn */
static enum tn_code
listen(struct tn_event *event, void *user)
{
  const tn_engine *engine = user;

  switch (event->kind) {
  case TN_EVENT_AFTER:
    tn_statement__note_values(engine, event);
    break;
  case TN_EVENT_DONE:
    if (!tn_watch__result(event)->watch.has_failed)
      tn_statement__write(engine, TN_LOG_INFO, "statement", event);
    break;
  case TN_EVENT_ERROR:
    tn_statement__write(engine, TN_LOG_INFO, "statement", event);
    break;
  case TN_EVENT_PREPARE:
    write_prepare(engine, event);
    break;
  default:
    write_act(engine, event);
  }
  return TN_OK;
}

enum tn_code
tn_statement__observe(tn_engine *engine, tn_err *err)
{
  int64_t debug = tn_target__number(&engine->target, "connection_debug", 0);
  const struct tn_log *log = engine->options.log;

  engine->shows_values =
      tn_target__number(&engine->target, "statement_log_values", 0) != 0;
  if (debug < 50 || log == NULL)
    return TN_OK;
  if (log->level < TN_LOG_INFO) {
    tn_log_write(log, TN_LOG_WARNING,
                 "engine: connection_debug = %lld has no effect: the log takes "
                 "no lines below %s",
                 (long long)debug, tn_log_level_name(log->level));
    return TN_OK;
  }
  return tn_listeners__add(&engine->listeners,
                           debug < 100 ? STATEMENT_KINDS : ALL_KINDS, listen,
                           engine, NULL, err);
}
