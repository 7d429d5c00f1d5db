/* Several statements in one text, run one after another. The dialect's lexer
 * finds where each ends, so a ';' in a string or a trigger's body is none. */
#include "db_priv.h"

#include "text.h"

static unsigned
line_of(const char *sql, size_t at)
{
  unsigned line = 1;
  size_t i;

  for (i = 0; i < at; i++)
    line += sql[i] == '\n';
  return line;
}

/* Say which statement failed, in front of why. */
static void
name_statement(tn_err *err, unsigned number, unsigned line)
{
  char message[sizeof err->message + 64];

  snprintf(message, sizeof message, "statement %u (line %u): %s", number, line,
           err->message);
  tn_text_escape(message, strlen(message), err->message, sizeof err->message);
}

static enum tn_code
run_statement(tn_conn *conn, const char *text, tn_script_fn visit, void *user,
              bool *ret_visiting, tn_err *err)
{
  /* Nothing is bound, so a ':' or '?' is the backend's own affair. */
  const struct tn_query query = { .sql = text, .flags = TN_QUERY_NATIVE };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  enum tn_code rc = tn_conn_query(conn, &query, &result, err);

  if (rc != TN_OK)
    return rc;
  if (visit != NULL) {
    *ret_visiting = true;
    tn_err_clear(err);
    return visit(result, user, err);
  }
  return tn_result__drain(result, err);
}

enum tn_code
tn_conn_script(tn_conn *conn, const char *sql, tn_script_fn visit, void *user,
               tn_err *err)
{
  const struct tn_dialect_table *dialect = &conn->dialect;
  size_t length = sql != NULL ? strlen(sql) : 0;
  size_t at = 0;
  size_t start;
  size_t size;
  unsigned number = 0;
  tn_err own;

  if (sql == NULL)
    return tn_err_set(err, TN_E_USAGE, "script: there is no text");

  /* Not conn->scratch, which another thread's call may be using. */
  if (err == NULL)
    err = &own;
  while (tn_sql_next(dialect, sql, length, &at, &start, &size)) {
    bool is_visiting = false;
    char *text = tn_memory_text(sql + start, size);
    enum tn_code rc;

    number++;
    if (text == NULL)
      return tn_err_memory(err, "script");
    rc = run_statement(conn, text, visit, user, &is_visiting, err);
    tn_memory_free(text);
    if (rc == TN_OK)
      continue;

    /* What the visitor did not like has its own words, unless it passed on
     * what the database said. */
    if (!is_visiting || err->backend[0] != '\0')
      name_statement(err, number, line_of(sql, start));
    return rc;
  }
  return TN_OK;
}

void
tn_conn_script_scan(const tn_conn *conn, const char *sql,
                    struct tn_script_scan *ret)
{
  bool is_complete;

  memset(ret, 0, sizeof *ret);
  if (sql == NULL)
    sql = "";
  ret->statement_count =
      tn_sql_count(&conn->dialect, sql, strlen(sql), &is_complete);
  ret->is_complete = is_complete;
}
