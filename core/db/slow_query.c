/* The report of slow statements, and their plans.
 *
 * SLOW is told while the statement's connection is busy, in the thread of a
 * caller who has waited long enough, and whose deadline goes on. So the plan is
 * only asked for there; the pool's tick makes it, on a connection that is free
 * then or may be opened, one at a time and not often. */
#include "observe.h"

#include <stdio.h>

#include "statement_text.h"
#include "value_copy.h"

#define PLAN_PAUSE_NS  (10 * NS_PER_S)
#define PLAN_MS        (TN_POOL_LATE_MS - 200)
#define PLAN_ROWS      60
#define PLAN_CELL_SIZE 1024
#define LINE_SIZE      8192

/* The most bytes of values that are copied for a plan. */
#define VALUES_MAX 65536

/* A plan that somebody wants; all of it is in the arena. */
struct tn_plan {
  const char *label; /* as of a loan */
  const char *shown; /* the statement as it is logged */
  const char *sql;   /* what shows its plan, in the backend's own form */
  tn_value *values;
  size_t count;
  uint32_t kind; /* enum tn_sql_kind */
  struct tn_arena arena;
};

static void
free_plan(struct tn_plan *plan)
{
  if (plan == NULL)
    return;
  tn_arena_clear(&plan->arena);
  tn_memory_free(plan);
}

void
tn_slow__clear(tn_engine *engine)
{
  free_plan(atomic_exchange(&engine->plan, NULL));
}

/* ---- asking for a plan ---- */

/* Only what can be shown without running it, and none of our own. */
static bool
has_plan(const struct tn_event *event)
{
  uint32_t kind = tn_watch__result(event)->prepared->kind;

  return event->conn->dialect.explain_prefix != NULL && event->err == NULL &&
         event->batch_rows == 0 &&
         (kind == TN_SQL_SELECT || kind == TN_SQL_INSERT ||
          kind == TN_SQL_UPDATE || kind == TN_SQL_DELETE);
}

/* Is it this statement's turn? The first one of each while. */
static bool
is_due(tn_engine *engine)
{
  int64_t now = tn_clock_now();
  int64_t last = atomic_load(&engine->planned_at);

  return (last == 0 || now - last >= PLAN_PAUSE_NS) &&
         atomic_compare_exchange_strong(&engine->planned_at, &last, now);
}

static bool
copy_values(struct tn_plan *plan, const tn_value *values, size_t count)
{
  size_t room = VALUES_MAX;
  size_t i;

  plan->count = count;
  plan->values =
      tn_arena_alloc(&plan->arena, (count + 1) * sizeof *plan->values);
  for (i = 0; plan->values != NULL && i < count; i++) {
    size_t size = 0;
    void *block;

    if (tn_value_copy_size(&values[i], &size) != TN_OK || size > room)
      return false;
    room -= size;
    block = tn_arena_alloc(&plan->arena, size);
    if (block == NULL)
      return false;
    tn_value_copy_into(&values[i], block, &plan->values[i]);
  }
  return plan->values != NULL;
}

/* "EXPLAIN " before the statement. */
static bool
compose(struct tn_plan *plan, const char *prefix, const struct tn_sql *sql)
{
  size_t ahead = strlen(prefix);
  char *text = tn_arena_alloc(&plan->arena, ahead + sql->size + 1);

  if (text == NULL)
    return false;
  memcpy(text, prefix, ahead);
  memcpy(text + ahead, sql->text, sql->size);
  text[ahead + sql->size] = '\0';
  plan->sql = text;
  return true;
}

static bool
note_shown(struct tn_plan *plan, const tn_conn *conn, const char *sql)
{
  TN_CLEANUP(tn_strbuf_clear)
  struct tn_strbuf text = TN_STRBUF_INIT(LINE_SIZE);

  tn_statement__add_text(&text, &conn->dialect, sql);
  plan->shown = tn_arena_text(&plan->arena, tn_strbuf_text(&text), text.size);
  return plan->shown != NULL;
}

/* Without memory there is no plan. */
static struct tn_plan *
new_plan(const struct tn_event *event)
{
  const tn_prepared *prepared = tn_watch__result(event)->prepared;
  const struct tn_sql *sql = &prepared->sql;
  const tn_value *values = sql->order == NULL && sql->names == NULL
                               ? event->values
                               : prepared->places;
  struct tn_plan *plan = tn_memory_zalloc(sizeof *plan);

  if (plan == NULL)
    return NULL;
  plan->label = event->label;
  plan->kind = prepared->kind;
  if (compose(plan, event->conn->dialect.explain_prefix, sql) &&
      copy_values(plan, values, sql->place_count) &&
      note_shown(plan, event->conn, event->sql))
    return plan;
  free_plan(plan);
  return NULL;
}

static void
ask_for_plan(tn_engine *engine, const struct tn_event *event)
{
  if (engine->has_plans && has_plan(event) && is_due(engine))
    free_plan(atomic_exchange(&engine->plan, new_plan(event)));
}

/* ---- making it ---- */

static void
write_line(const tn_engine *engine, const struct tn_plan *plan,
           const char *what, const char *more)
{
  const char *label = plan->label;

  tn_log_write(engine->options.log, TN_LOG_WARNING, "plan%s%.100s%s: %s%s",
               label != NULL ? " of \"" : "", label != NULL ? label : "",
               label != NULL ? "\"" : "", what, more);
}

static void
add_cell(struct tn_strbuf *line, const tn_engine *engine,
         const tn_result *result, const tn_value *row, size_t column)
{
  const char *name = tn_result_column_name(result, column);
  char text[PLAN_CELL_SIZE];
  size_t size = tn_value_print(&row[column], text, sizeof text);

  if (row[column].type == TN_NULL)
    return;
  if (tn_result_column_count(result) > 1)
    tn_strbuf_add_format(line, "%s%s=", line->size > 0 ? " " : "", name);
  tn_statement__add_plan(line, &result->conn->dialect, text,
                         size < sizeof text ? size : sizeof text - 1,
                         engine->shows_values || row[column].type != TN_TEXT);
}

/* One line a row: a tree that is drawn, or a table with names. */
static enum tn_code
write_rows(const tn_engine *engine, const struct tn_plan *plan,
           tn_result *result, tn_err *err)
{
  const tn_value *row = NULL;
  unsigned count = 0;
  enum tn_code rc;

  while ((rc = tn_result_next(result, &row, err)) == TN_OK && row != NULL &&
         count++ < PLAN_ROWS) {
    TN_CLEANUP(tn_strbuf_clear)
    struct tn_strbuf line = TN_STRBUF_INIT(LINE_SIZE);
    size_t i;

    for (i = 0; i < tn_result_column_count(result); i++)
      add_cell(&line, engine, result, row, i);
    write_line(engine, plan, "  ", tn_strbuf_text(&line));
  }
  return rc;
}

static enum tn_code
explain(const tn_engine *engine, const struct tn_plan *plan, tn_conn *conn,
        tn_deadline deadline, tn_err *err)
{
  const struct tn_query query = { .sql = plan->sql,
                                  .values = plan->values,
                                  .value_count = plan->count,
                                  .flags = TN_QUERY_NATIVE,
                                  .deadline = deadline };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  enum tn_code rc = tn_conn_query(conn, &query, &result, err);

  if (rc != TN_OK)
    return rc;
  write_line(engine, plan, plan->shown, "");
  return write_rows(engine, plan, result, err);
}

/* What a plan calls while it is made must not change anything, so a read-only
 * transaction is around it, as far as the backend has one: a server may run
 * functions of the statement for it. */
static enum tn_code
explain_safely(const tn_engine *engine, const struct tn_plan *plan,
               tn_conn *conn, tn_deadline deadline, tn_err *err)
{
  struct tn_txn_options txn = { .deadline = deadline };
  enum tn_code rc;

  if (plan->kind == TN_SQL_SELECT)
    txn.access = TN_ACCESS_READ_ONLY;
  rc = tn_conn_begin(conn, &txn, err);
  if (rc != TN_OK && rc != TN_E_UNSUPPORTED)
    return rc;
  return explain(engine, plan, conn, deadline, err);
}

/* The give rolls back. */
static void
make_plan(tn_engine *engine, const struct tn_plan *plan)
{
  const struct tn_loan loan = { .label = "plan of a slow statement",
                                .deadline = tn_deadline_after_ms(PLAN_MS) };
  TN_CLEANUP(tn_pool_give) tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;
  enum tn_code rc;

  if (!tn_pool__has_room(engine->pool)) {
    write_line(engine, plan, "none, no connection is free: ", plan->shown);
    return;
  }
  rc = tn_engine_take(engine, &loan, &conn, &err);
  if (rc == TN_OK)
    rc = explain_safely(engine, plan, conn, loan.deadline, &err);
  if (rc != TN_OK)
    tn_log_write(engine->options.log, TN_LOG_WARNING, "plan: none, %s: %s",
                 tn_code_name((int32_t)rc), plan->shown);
}

/* tn_pool_tick_fn */
static void
tick(void *user)
{
  tn_engine *engine = user;
  struct tn_plan *plan = atomic_exchange(&engine->plan, NULL);

  if (plan != NULL)
    make_plan(engine, plan);
  free_plan(plan);
}

void
tn_slow__start(tn_engine *engine)
{
  if (engine->has_plans)
    tn_pool__set_tick(engine->pool, tick, engine);
}

/* ---- the listener ---- */

/* Is it time to write of it? How many rows there are is known when the result
 * is closed. */
static bool
is_complete(tn_engine *engine, struct tn_event *event)
{
  tn_result *result = tn_watch__result(event);

  if (result == NULL)
    return true; /* it was not even prepared */
  if (event->kind != TN_EVENT_SLOW)
    return result->watch.is_slow;
  tn_statement__note_values(engine, event);
  ask_for_plan(engine, event);
  result->watch.is_slow = event->err == NULL;
  return event->err != NULL;
}

/* tn_event_fn */
static enum tn_code
listen(struct tn_event *event, void *user)
{
  tn_engine *engine = user;

  if (is_complete(engine, event))
    tn_statement__write(engine, TN_LOG_WARNING, "slow statement", event);
  return TN_OK;
}

enum tn_code
tn_slow__observe(tn_engine *engine, tn_err *err)
{
  const struct tn_log *log = engine->options.log;

  if (engine->slow_ns == 0 || log == NULL || log->level < TN_LOG_WARNING)
    return TN_OK;
  engine->has_plans =
      tn_target__number(&engine->target, "slow_query_plan", 0) != 0;
  return tn_listeners__add(&engine->listeners,
                           TN_EVENT_BIT(TN_EVENT_SLOW) |
                               TN_EVENT_BIT(TN_EVENT_DONE),
                           listen, engine, NULL, err);
}
