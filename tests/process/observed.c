/* What a server and its administrator get to see of a statement: the comment
 * that says where it comes from, and the report of a slow one with its plan,
 * without its values.
 *
 *   observed URL OWN SLOW VALUE PLAN
 *
 * OWN is a statement that shows the text of itself as the server has it, or "-"
 * where no server can tell. SLOW takes more than a second, has VALUE as its one
 * parameter, and PLAN stands in its plan. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <tenon/tenon.h>

#define PARENT "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static char log_text[65536];
static int failures;

static void
expect(bool is_so, const char *what, const char *more)
{
  if (is_so)
    return;
  printf("not so: %s: %s\n", what, more);
  failures++;
}

static void
note_log(uint32_t level, const char *line, void *user)
{
  size_t used = strlen(log_text);

  (void)user;
  snprintf(log_text + used, sizeof log_text - used, "%s: %s\n",
           tn_log_level_name(level), line);
}

static tn_engine *
open_engine(const char *url)
{
  static const struct tn_log log = { TN_LOG_WARNING, 0, note_log, NULL };
  static const struct tn_setting settings[] = {
    { "connection_trace", "true" }, { "application", "the shop" },
    { "slow_query_time", "1" },     { "slow_query_plan", "true" },
    { "pool_tick_time", "0" },
  };
  struct tn_engine_options options = TN_ENGINE_OPTIONS_INIT;
  tn_engine *engine = NULL;
  tn_err err = TN_ERR_INIT;

  options.log = &log;
  options.settings = settings;
  options.setting_count = sizeof settings / sizeof settings[0];
  expect(tn_engine_open(url, &options, &engine, &err) == TN_OK, "open",
         err.message);
  return engine;
}

/* Run it and put the first cell of its first row into `cell`. */
static void
run(tn_conn *conn, const char *sql, const char *value, char *cell, size_t size)
{
  const tn_value parameter = tn_text(value);
  const struct tn_query query = { .sql = sql,
                                  .values = &parameter,
                                  .value_count = value != NULL };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;
  enum tn_code rc = tn_conn_query(conn, &query, &result, &err);

  cell[0] = '\0';
  if (rc == TN_OK)
    rc = tn_result_next(result, &row, &err);
  if (rc == TN_OK && row != NULL)
    (void)tn_value_print(&row[0], cell, size);
  while (rc == TN_OK && row != NULL)
    rc = tn_result_next(result, &row, &err);
  expect(rc == TN_OK, sql, err.message);
}

static tn_conn *
take(tn_engine *engine, const char *parent)
{
  const struct tn_loan loan = { .label = "seen", .traceparent = parent };
  tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;

  expect(tn_engine_take(engine, &loan, &conn, &err) == TN_OK, "take",
         err.message);
  return conn;
}

static void
check_comments(tn_engine *engine, const char *own)
{
  static const struct {
    const char *parent;
    const char *comment;
  } cases[] = {
    { NULL, " /*application='the%20shop',label='seen'*/" },
    { NULL, " /*application='the%20shop',label='seen'*/" }, /* prepared */
    { PARENT,
      " /*application='the%20shop',label='seen',traceparent='" PARENT "'*/" },
    { NULL, " /*application='the%20shop',label='seen'*/" },
  };
  size_t i;

  for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char seen[1024];
    char expected[1024];
    tn_conn *conn = take(engine, cases[i].parent);

    if (conn == NULL)
      return;
    snprintf(expected, sizeof expected, "%s%s", own, cases[i].comment);
    run(conn, own, NULL, seen, sizeof seen);
    expect(strcmp(seen, expected) == 0, "the server sees", seen);
    tn_pool_give(&conn);
  }
}

static void
check_plan(tn_engine *engine, const char *slow, const char *value,
           const char *plan)
{
  char cell[64];
  char quoted[64];
  tn_conn *conn = take(engine, NULL);

  if (conn == NULL)
    return;
  run(conn, slow, value, cell, sizeof cell);
  tn_pool_give(&conn);
  tn_engine_tick(engine);
  snprintf(quoted, sizeof quoted, "'%s'", value);
  expect(strstr(log_text, "warning: slow statement of \"seen\": ") != NULL,
         "no report", log_text);
  expect(strstr(log_text, "warning: plan of \"seen\":   ") != NULL, "no plan",
         log_text);
  expect(strstr(log_text, plan) != NULL, "another plan", log_text);
  expect(strstr(log_text, quoted) == NULL, "a value is shown", log_text);
}

int
main(int argc, char **argv)
{
  tn_engine *engine;

  if (argc != 6) {
    fputs("usage: observed URL OWN SLOW VALUE PLAN\n", stderr);
    return 2;
  }
  engine = open_engine(argv[1]);
  if (engine == NULL)
    return 1;
  if (strcmp(argv[2], "-") != 0)
    check_comments(engine, argv[2]);
  check_plan(engine, argv[3], argv[4], argv[5]);
  tn_engine_close(&engine);
  return failures > 0;
}
