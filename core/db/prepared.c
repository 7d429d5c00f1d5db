/* Statements: from the caller's text and values to the backend's. A query that
 * runs once is a prepared statement that its result owns, so there is one road
 * for both. */
#include "probe.h"
#include "trace.h"
#include "watch.h"

#include "kind.h"
#include "leaves.h"
#include "text.h"

static void
link_statement(tn_conn *conn, tn_prepared *prepared)
{
  prepared->conn = conn;
  prepared->next = conn->statements;
  if (conn->statements != NULL)
    conn->statements->previous = prepared;
  conn->statements = prepared;
}

static void
unlink_statement(tn_prepared *prepared)
{
  tn_conn *conn = prepared->conn;

  if (prepared->previous != NULL)
    prepared->previous->next = prepared->next;
  else
    conn->statements = prepared->next;
  if (prepared->next != NULL)
    prepared->next->previous = prepared->previous;
  prepared->previous = NULL;
  prepared->next = NULL;
  prepared->conn = NULL;
}

/* Its connection goes before it is closed. A listener that ran something there
 * now would change the list that is just gone through. */
static void
tell_end(tn_result *result)
{
  tn_conn *conn = result->conn;
  uint32_t activity = ACTIVITY_IDLE;
  bool is_ours = atomic_compare_exchange_strong(&conn->activity, &activity,
                                                ACTIVITY_RUNNING);

  if (result->is_open && !tn_conn__is_inherited(conn))
    tn_watch__done(result);
  tn_watch__clear(&result->watch);
  if (is_ours)
    (void)tn_conn__end(conn, TN_OK, NULL);
}

void
tn_prepared__orphan(tn_prepared *prepared, tn_deadline deadline)
{
  tn_result *result = &prepared->result;
  struct tn_host_call call;

  tn_result__stop(result, deadline);
  if (result->watch.began != 0)
    tell_end(result);
  result->conn = NULL;

  /* The columns are the statement's. */
  result->columns = NULL;
  result->column_count = 0;
  result->next_kept = NULL;
  result->next_set = NULL;
  result->has_next_set = false;
  result->is_at_end = false;
  if (prepared->handle != NULL && tn_conn__may_close(prepared->conn)) {
    tn_conn__closing(prepared->conn, &call);
    tn_backend_close_statement(prepared->conn->backend, prepared->handle,
                               &call);
    tn_conn__note(prepared->conn, (enum tn_code)call.failed, call.err);
  }
  prepared->handle = NULL;
  unlink_statement(prepared);
}

static void
free_prepared(tn_prepared *prepared)
{
  tn_memory_free(prepared->places);
  tn_memory_free(prepared->cells);
  tn_memory_free(prepared->result.placed);
  tn_watch__clear(&prepared->result.watch);
  tn_arena_clear(&prepared->result.arena);
  tn_arena_clear(&prepared->result.row_arena);
  tn_arena_clear(&prepared->arena);
  tn_memory_free(prepared);
}

void
tn_prepared_close(tn_prepared **prepared)
{
  tn_prepared *closing;

  if (prepared == NULL || *prepared == NULL)
    return;
  closing = *prepared;
  *prepared = NULL;
  if (closing->conn != NULL)
    tn_prepared__orphan(closing, TN_DEADLINE_NONE);
  free_prepared(closing);
}

/* Without translation the backend alone knows how many values it takes. */
static enum tn_code
match_places(tn_prepared *prepared, const struct tn_statement_info *info,
             uint32_t flags, tn_err *err)
{
  struct tn_sql *sql = &prepared->sql;

  if ((flags & TN_QUERY_NATIVE) != 0) {
    sql->slot_count = info->parameter_count;
    sql->place_count = info->parameter_count;
    return TN_OK;
  }
  if (info->parameter_count == sql->place_count)
    return TN_OK;
  return tn_err_set(err, TN_E_USAGE,
                    "query: %u placeholders are written as ? or :name, but "
                    "the backend sees %u; its own forms need the native flag",
                    (unsigned)sql->place_count,
                    (unsigned)info->parameter_count);
}

static enum tn_code
compile(tn_conn *conn, tn_prepared *prepared, const char *sql, uint32_t flags,
        struct tn_host_call *call, tn_err *err)
{
  const struct tn_dialect_table *dialect = &conn->dialect;
  struct tn_statement_info info = { .size = sizeof info };
  size_t size = strlen(sql);
  enum tn_code rc;

  if (dialect->max_statement_bytes != 0 && size > dialect->max_statement_bytes)
    return tn_err_set(err, TN_E_LIMIT,
                      "query: %zu bytes of text; %s takes %llu", size,
                      conn->backend->plugin.name,
                      (unsigned long long)dialect->max_statement_bytes);
  if ((flags & TN_QUERY_NATIVE) != 0) {
    prepared->sql.text = sql;
    prepared->sql.size = size;
    rc = tn_sql_check(dialect, sql, size, err);
  } else {
    rc = tn_sql_translate(dialect, sql, size, &prepared->arena, &prepared->sql,
                          err);
  }
  if (rc != TN_OK)
    return rc;

  info.parameter_count = prepared->sql.place_count;
  call->call.arena = &prepared->arena;
  rc = tn_backend_prepare(conn->backend, conn->handle, prepared->sql.text, call,
                          &prepared->handle, &info);
  if (rc != TN_OK)
    return rc;
  prepared->returns_rows = info.column_count > 0;
  prepared->kind = tn_sql_kind(dialect, sql, size);
  prepared->touches =
      prepared->kind == TN_SQL_OTHER ||
      (prepared->kind != TN_SQL_TRANSACTION &&
       tn_sql_leaves(dialect, sql, size, prepared->kind == TN_SQL_SELECT));
  prepared->boundary = tn_sql_boundary(dialect, sql, size);
  return match_places(prepared, &info, flags, err);
}

/* A server that keeps no more statements takes one for those that this session
 * keeps by their text. */
static enum tn_code
compile_in_room(tn_conn *conn, tn_prepared *prepared, const char *sql,
                uint32_t flags, struct tn_host_call *call, tn_err *err)
{
  struct tn_host_call again = *call;
  enum tn_code rc = compile(conn, prepared, sql, flags, call, err);

  if (rc != TN_E_LIMIT || call->failed == 0 || err->replay == TN_REPLAY_NEVER ||
      err->connection != TN_CONNECTION_USABLE ||
      !tn_cache__make_room(&conn->cache))
    return rc;
  tn_arena_reset(&prepared->arena);
  memset(&prepared->sql, 0, sizeof prepared->sql);
  tn_err_clear(err);
  *call = again;
  return compile(conn, prepared, sql, flags, call, err);
}

enum tn_code
tn_prepared__new(tn_conn *conn, const char *sql, uint32_t flags,
                 struct tn_host_call *call, tn_prepared **ret, tn_err *err)
{
  TN_CLEANUP(tn_prepared_close)
  tn_prepared *prepared = tn_memory_zalloc(sizeof *prepared);
  enum tn_code rc;

  if (prepared == NULL)
    return tn_err_memory(err, "query");
  link_statement(conn, prepared);
  rc = compile_in_room(conn, prepared, sql, flags, call, err);
  if (rc != TN_OK)
    return rc;
  if (prepared->sql.order != NULL || prepared->sql.names != NULL) {
    prepared->places = tn_memory_alloc((prepared->sql.place_count + (size_t)1) *
                                       sizeof *prepared->places);
    if (prepared->places == NULL)
      return tn_err_memory(err, "query");
  }
  prepared->text = tn_arena_text(&prepared->arena, sql, strlen(sql));
  if (prepared->text == NULL)
    return tn_err_memory(err, "query");
  if (prepared->sql.text == sql) /* the caller's may go before it does */
    prepared->sql.text = prepared->text;
  *ret = prepared;
  prepared = NULL;
  return TN_OK;
}

/* A program forgets it where the text comes from elsewhere. */
static enum tn_code
need_text(const char *sql, const char *what, tn_err *err)
{
  return sql != NULL ? TN_OK
                     : tn_err_set(err, TN_E_USAGE,
                                  "%s: there is no text of a "
                                  "statement",
                                  what);
}

enum tn_code
tn_conn_prepare(tn_conn *conn, const char *sql, uint32_t flags,
                tn_prepared **ret, tn_err *err)
{
  struct tn_query asked = { .sql = sql };
  struct tn_host_call call;
  enum tn_code rc = need_text(sql, "prepare", err);

  if (rc == TN_OK)
    rc = tn_conn__begin(conn, 0, NULL, &call, &err);
  if (rc != TN_OK)
    return rc;
  conn->running = sql;
  if (tn_watch__wants(conn, TN_EVENT_BIT(TN_EVENT_PREPARE)))
    rc = tn_watch__before(conn, TN_EVENT_PREPARE, &asked, 0, err);
  if (rc == TN_OK && conn->is_traced)
    rc = tn_trace__add(conn, &asked, err);
  conn->running = asked.sql;
  if (rc == TN_OK)
    rc = tn_prepared__new(conn, asked.sql, flags, &call, ret, err);
  return tn_conn__end(conn, rc, err);
}

static enum tn_code
refuse_values(const struct tn_sql *sql, const struct tn_query *query,
              tn_err *err)
{
  if (sql->names != NULL && query->names == NULL && query->value_count > 0)
    return tn_err_set(err, TN_E_USAGE,
                      "query: the statement names its parameters (:%s), so "
                      "each value needs a name",
                      sql->names[0]);
  if (sql->names == NULL && query->names != NULL && query->value_count > 0)
    return tn_err_set(err, TN_E_USAGE,
                      "query: the values have names (%.64s), but the statement "
                      "has no :name",
                      query->names[0] == NULL ? "" : query->names[0]);
  return tn_err_set(err, TN_E_USAGE,
                    "query: %zu value%s for a statement with %u parameter%s",
                    query->value_count, query->value_count == 1 ? "" : "s",
                    (unsigned)sql->slot_count, sql->slot_count == 1 ? "" : "s");
}

/* The index of `name` among `count` names; `count` if it is not there. Most
 * queries give their values in the statement's order, so it is first looked
 * for at `likely`. */
static size_t
find_name(const char *const *names, size_t count, const char *name,
          size_t likely)
{
  size_t i;

  if (likely < count && names[likely] != NULL &&
      strcmp(names[likely], name) == 0)
    return likely;
  for (i = 0; i < count; i++)
    if (names[i] != NULL && strcmp(names[i], name) == 0)
      break;
  return i;
}

/* The value of each name, in the order of the places. */
static enum tn_code
place_named(tn_prepared *prepared, const struct tn_query *query, tn_err *err)
{
  const struct tn_sql *sql = &prepared->sql;
  uint32_t place;

  for (place = 0; place < sql->place_count; place++) {
    uint32_t slot = sql->order == NULL ? place : sql->order[place];
    size_t i =
        find_name(query->names, query->value_count, sql->names[slot], slot);

    if (i == query->value_count)
      return tn_err_set(err, TN_E_USAGE, "query: no value is named \"%s\"",
                        sql->names[slot]);
    prepared->places[place] = query->values[i];
  }
  return TN_OK;
}

/* The name of a value; "" for none, which is no name of a statement's. */
static const char *
name_at(const struct tn_query *query, size_t i)
{
  return query->names[i] == NULL ? "" : query->names[i];
}

/* There are more values than names in the statement, and each has one of
 * those. */
static enum tn_code
refuse_repeated(const struct tn_query *query, tn_err *err)
{
  size_t i = 1;

  while (i < query->value_count &&
         find_name(query->names, i, name_at(query, i), i) == i)
    i++;
  return tn_err_set(err, TN_E_USAGE, "query: two values are named \"%.64s\"",
                    i < query->value_count ? name_at(query, i) : "");
}

/* Each value is used by the statement, and none given twice: one that is, in
 * place of another, place_named() finds to be missing. */
static enum tn_code
check_names(const struct tn_sql *sql, const struct tn_query *query, tn_err *err)
{
  size_t i;

  for (i = 0; i < query->value_count; i++) {
    const char *name = name_at(query, i);

    if (find_name(sql->names, sql->slot_count, name, i) == sql->slot_count)
      return tn_err_set(err, TN_E_USAGE,
                        "query: the value named \"%.64s\" is not used by the "
                        "statement",
                        name);
  }
  if (query->value_count > sql->slot_count)
    return refuse_repeated(query, err);
  return TN_OK;
}

enum tn_code
tn_prepared__place(tn_prepared *prepared, const struct tn_query *query,
                   const tn_value **ret, tn_err *err)
{
  const struct tn_sql *sql = &prepared->sql;
  uint32_t place;
  enum tn_code rc;

  if ((sql->names != NULL) != (query->names != NULL) &&
      (query->value_count > 0 || sql->slot_count > 0))
    return refuse_values(sql, query, err);
  if (sql->names != NULL) {
    rc = check_names(sql, query, err);
    if (rc == TN_OK)
      rc = place_named(prepared, query, err);
    *ret = prepared->places;
    return rc;
  }
  if (query->value_count != sql->slot_count ||
      (query->values == NULL && sql->slot_count > 0))
    return refuse_values(sql, query, err);
  if (sql->order == NULL || query->values == NULL) {
    *ret = query->values;
    return TN_OK;
  }
  for (place = 0; place < sql->place_count; place++)
    prepared->places[place] = query->values[sql->order[place]];
  *ret = prepared->places;
  return TN_OK;
}

/* "parameter 3: …", which counts what the backend takes, becomes
 * "parameter :name: …"; where the message starts otherwise the detail tells. */
static void
rename_parameter(tn_err *err, uint32_t place, const char *name)
{
  char old[32];
  char parameter[128];
  char message[sizeof err->message + sizeof parameter];
  size_t size =
      (size_t)snprintf(old, sizeof old, "parameter %u", (unsigned)place + 1);

  snprintf(parameter, sizeof parameter, "parameter :%.100s", name);
  if (strncmp(err->message, old, size) != 0 || err->message[size] != ':') {
    tn_err_add(err, TN_ERR_DETAIL, parameter);
    return;
  }
  snprintf(message, sizeof message, "%s%s", parameter, err->message + size);
  tn_text_escape(message, strlen(message), err->message, sizeof err->message);
}

enum tn_code
tn_prepared__name_parameter(const tn_prepared *prepared, enum tn_code code,
                            tn_err *err)
{
  const struct tn_sql *sql = &prepared->sql;
  uint32_t place;
  uint32_t slot;

  if (err->parameter < 1 || (uint32_t)err->parameter > sql->place_count)
    return code;
  place = (uint32_t)err->parameter - 1;

  /* A name that is repeated counts once. */
  slot = sql->order == NULL ? place : sql->order[place];
  err->parameter = (int32_t)slot + 1;
  if (sql->names != NULL)
    rename_parameter(err, place, sql->names[slot]);
  return code;
}

/* A backend that has to prepare a statement anew, as after a reset, may be told
 * that there is no room, as in compile_in_room(). */
static enum tn_code
execute_in_room(tn_prepared *prepared, const tn_value *values, uint32_t count,
                tn_err *err)
{
  tn_result *result = &prepared->result;
  const struct tn_backend *backend = prepared->conn->backend;
  struct tn_host_call again = result->call;
  enum tn_code rc = tn_backend_execute(backend, prepared->handle, values, count,
                                       &result->call, &result->handle);

  if (rc != TN_E_LIMIT || err->replay != TN_REPLAY_SAFE ||
      err->connection != TN_CONNECTION_USABLE ||
      !tn_cache__make_room(&prepared->conn->cache))
    return rc;
  tn_arena_reset(&result->arena);
  tn_err_clear(err);
  result->call = again;
  return tn_backend_execute(backend, prepared->handle, values, count,
                            &result->call, &result->handle);
}

static enum tn_code
execute(tn_prepared *prepared, const struct tn_query *query, tn_err *err)
{
  const struct tn_backend *backend = prepared->conn->backend;
  uint32_t count = prepared->sql.place_count;
  const tn_value *values = NULL;
  enum tn_code rc = tn_prepared__place(prepared, query, &values, err);

  if (rc != TN_OK)
    return rc;
  rc = tn_backend_check_values(backend, values, count, err);
  if (rc == TN_OK)
    rc = execute_in_room(prepared, values, count, err);
  return rc == TN_OK ? rc : tn_prepared__name_parameter(prepared, rc, err);
}

void
tn_prepared__note(const tn_prepared *prepared)
{
  if (prepared->kind == TN_SQL_OTHER)
    tn_cache__empty(&prepared->conn->cache);
  if (prepared->touches)
    tn_conn__touch(prepared->conn);
}

/* Run inside the operation of prepared->result.call, which has ended when this
 * fails. `since`: as of tn_result__watch(). */
static enum tn_code
run(tn_prepared *prepared, const struct tn_query *query, int64_t since,
    tn_err *err)
{
  tn_result *result = &prepared->result;
  enum tn_code rc;

  tn_prepared__note(prepared);
  prepared->conn->counts[prepared->kind]++;
  result->conn = prepared->conn;
  result->prepared = prepared;
  result->call.call.arena = &result->arena;
  if ((query->flags & TN_QUERY_BUFFERED) != 0)
    result->call.call.flags |= TN_CALL_BUFFER;
  tn_result__watch(result, since);
  TN_PROBE2(statement_begin, prepared->conn, prepared->text);
  rc = execute(prepared, query, err);
  TN_PROBE3(statement_end, prepared->conn, prepared->text, rc);
  if (result->watch.began != 0)
    tn_watch__after(result, query, 0, rc, err);
  if (rc != TN_OK) {
    tn_arena_reset(&result->arena);
    return tn_conn__end(prepared->conn, rc, err);
  }
  result->is_running = true;
  return tn_result__start(result, query->flags, err);
}

void
tn_result__watch(tn_result *result, int64_t since)
{
  result->rows_before = 0;
  result->row_count = 0;
  if (result->watch.began != 0)
    tn_watch__clear(&result->watch);
  result->watch.began = since != 0 ? since : tn_watch__start(result->conn);
}

enum tn_code
tn_prepared__announce(tn_prepared *prepared, const tn_value *values,
                      size_t count, uint64_t batch_rows, tn_err *err)
{
  struct tn_query asked = { .sql = prepared->text,
                            .values = values,
                            .value_count = count };
  tn_conn *conn = prepared->conn;
  enum tn_code rc;

  conn->running = prepared->text;
  if (conn->has_begun && prepared->boundary != TN_SQL_INSIDE)
    return tn_conn__end(conn, tn_conn__refuse_boundary(prepared->boundary, err),
                        err);
  if (!tn_watch__wants(conn, TN_EVENT_BIT(TN_EVENT_BEFORE)))
    return TN_OK;
  rc = tn_watch__before(conn, TN_EVENT_BEFORE, &asked, batch_rows, err);
  return rc == TN_OK ? TN_OK : tn_conn__end(conn, rc, err);
}

enum tn_code
tn_prepared_query(tn_prepared *prepared, const struct tn_query *query,
                  tn_result **ret, tn_err *err)
{
  tn_result *result = &prepared->result;
  enum tn_code rc;

  if (prepared->conn == NULL)
    return tn_err_set(err, TN_E_STATE, "query: its connection is closed");
  if (result->is_open)
    return tn_err_set(err, TN_E_STATE,
                      "query: the statement's last result is still open");
  rc = tn_conn__begin(prepared->conn, query->deadline, NULL, &result->call,
                      &err);
  if (rc != TN_OK)
    return rc;
  result->watch.is_cached = true;
  rc = tn_prepared__announce(prepared, query->values, query->value_count, 0,
                             err);
  if (rc == TN_OK)
    rc = run(prepared, query, 0, err);
  if (rc != TN_OK)
    return rc;
  *ret = result;
  return TN_OK;
}

/* Before it is sent: where it must not, the text does not begin or end a
 * transaction. */
static enum tn_code
check_boundary(const tn_conn *conn, const char *sql, tn_err *err)
{
  uint32_t boundary = TN_SQL_INSIDE;

  if (conn->has_begun)
    boundary = tn_sql_boundary(&conn->dialect, sql, strlen(sql));
  return boundary == TN_SQL_INSIDE ? TN_OK
                                   : tn_conn__refuse_boundary(boundary, err);
}

/* The statement of a query's text: one that is kept, or a new one that will be,
 * if it is of a kind that runs again. */
static enum tn_code
find_statement(tn_conn *conn, const struct tn_query *query,
               const struct tn_host_call *given, tn_prepared **ret, tn_err *err)
{
  bool is_kept = (query->flags & TN_QUERY_ONCE) == 0;
  tn_prepared *prepared =
      is_kept ? tn_cache__take(&conn->cache, query->sql, query->flags) : NULL;
  enum tn_code rc = TN_OK;

  if (prepared == NULL) {
    struct tn_host_call call = *given;

    rc = check_boundary(conn, query->sql, err);
    if (rc == TN_OK)
      rc = tn_prepared__new(conn, query->sql, query->flags, &call, &prepared,
                            err);
  }
  if (prepared == NULL)
    return rc;
  if (is_kept && prepared->cached == NULL && prepared->kind != TN_SQL_OTHER &&
      prepared->kind != TN_SQL_TRANSACTION)
    tn_cache__add(&conn->cache, prepared, query->sql, query->flags);
  *ret = prepared;
  return TN_OK;
}

/* Run it, once it is known which text it has. */
static enum tn_code
run_text(tn_conn *conn, const struct tn_query *query,
         const struct tn_host_call *call, tn_result **ret, tn_err *err)
{
  tn_prepared *prepared = NULL;
  uint64_t hits = conn->cache.stats.hits;
  int64_t since = tn_watch__start(conn);
  enum tn_code rc;

  conn->running = query->sql;
  rc = find_statement(conn, query, call, &prepared, err);
  if (prepared == NULL) {
    if (since != 0)
      tn_watch__unprepared(conn, query, since, err);
    return tn_conn__end(conn, rc, err);
  }
  conn->running = prepared->text; /* the caller's may go before the rows do */
  prepared->result.call = *call;
  prepared->result.watch.is_cached = conn->cache.stats.hits > hits;
  prepared->result.owns_prepared = true;
  rc = run(prepared, query, since, err);
  if (rc != TN_OK) {
    if (!tn_cache__survives(rc))
      tn_cache__forget(&conn->cache, prepared);
    tn_cache__give(&conn->cache, prepared);
    return rc;
  }
  *ret = &prepared->result;
  return TN_OK;
}

enum tn_code
tn_conn_query(tn_conn *conn, const struct tn_query *query, tn_result **ret,
              tn_err *err)
{
  struct tn_query asked;
  struct tn_host_call call;
  enum tn_code rc = need_text(query->sql, "query", err);

  if (rc == TN_OK)
    rc = tn_conn__begin(conn, query->deadline, NULL, &call, &err);
  if (rc != TN_OK)
    return rc;
  if (!conn->is_traced && !tn_watch__wants(conn, TN_EVENT_BIT(TN_EVENT_BEFORE)))
    return run_text(conn, query, &call, ret, err);
  asked = *query;
  conn->running = query->sql;
  if (tn_watch__wants(conn, TN_EVENT_BIT(TN_EVENT_BEFORE)))
    rc = tn_watch__before(conn, TN_EVENT_BEFORE, &asked, 0, err);
  if (rc == TN_OK && conn->is_traced)
    rc = tn_trace__add(conn, &asked, err);
  if (rc != TN_OK)
    return tn_conn__end(conn, rc, err);
  return run_text(conn, &asked, &call, ret, err);
}

enum tn_code
tn_conn_exec(tn_conn *conn, const char *sql, uint64_t *ret_affected,
             tn_err *err)
{
  const struct tn_query query = { .sql = sql };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  enum tn_code rc = tn_conn_query(conn, &query, &result, err);

  if (rc == TN_OK)
    rc = tn_result__drain(result, err);
  if (rc == TN_OK && ret_affected != NULL)
    *ret_affected = tn_result_affected(result);
  return rc;
}
