/* An engine whose loans a driver asks for one by one, by lines.
 *
 *   faults_loans URL
 *
 *   run SQL    a loan for one statement
 *   fill N     N loans at once, so that the pool has as many sessions
 *   hold       a loan that stays, of which
 *   held SQL   runs a statement,
 *   give       and that is given back
 *   state      how many sessions there are, and were opened and closed
 *
 * Each is answered by a line: "ok" and what the statement returned first, or
 * the failure: its category, the verdict on the connection, and its texts. */
#include "faults.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_MS  3000
#define LOANS_MAX 16

static tn_engine *engine;

/* One line, whatever the texts have. */
static void
tell_failure(enum tn_code rc, const tn_err *err)
{
  char text[sizeof err->message + sizeof err->detail + 16];
  char *c;

  snprintf(text, sizeof text, "%s | %s", err->message, err->detail);
  for (c = text; *c != '\0'; c++)
    if (*c == '\n')
      *c = '|';
  printf("%s %s %s\n", tn_code_name((int32_t)rc),
         tn_connection_verdict_name(err->connection), text);
}

static enum tn_code
take(tn_conn **ret, tn_err *err)
{
  const struct tn_loan loan = { .label = "loan",
                                .deadline = tn_deadline_after_ms(LIMIT_MS) };

  return tn_engine_take(engine, &loan, ret, err);
}

static void
run(tn_conn *conn, const char *sql)
{
  const struct tn_query query = { .sql = sql,
                                  .deadline = tn_deadline_after_ms(LIMIT_MS) };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;
  enum tn_code rc = tn_conn_query(conn, &query, &result, &err);
  char text[64] = "";

  if (rc == TN_OK)
    rc = tn_result_next(result, &row, &err);
  if (rc != TN_OK) {
    tell_failure(rc, &err);
    return;
  }
  if (row != NULL)
    tn_value_print(&row[0], text, sizeof text);
  printf("ok %s\n", text);
}

static void
run_loan(const char *sql)
{
  TN_CLEANUP(tn_pool_give) tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;
  enum tn_code rc = take(&conn, &err);

  if (rc == TN_OK)
    run(conn, sql);
  else
    tell_failure(rc, &err);
}

static void
fill(size_t count)
{
  tn_conn *conns[LOANS_MAX] = { NULL };
  tn_err err = TN_ERR_INIT;
  enum tn_code rc = TN_OK;
  size_t i;

  for (i = 0; rc == TN_OK && i < count && i < LOANS_MAX; i++)
    rc = take(&conns[i], &err);
  for (i = 0; i < LOANS_MAX; i++)
    tn_pool_give(&conns[i]);
  if (rc == TN_OK)
    printf("ok\n");
  else
    tell_failure(rc, &err);
}

static void
tell_state(void)
{
  struct tn_pool_stats stats = { .struct_size = sizeof stats };

  tn_pool_stats(tn_engine_pool(engine), &stats);
  printf("ok %u %" PRIu64 " %" PRIu64 "\n", stats.idle, stats.connects,
         stats.closes);
}

static void
obey(const char *line, tn_conn **held)
{
  tn_err err = TN_ERR_INIT;

  if (strncmp(line, "run ", 4) == 0) {
    run_loan(line + 4);
  } else if (strncmp(line, "fill ", 5) == 0) {
    fill(strtoul(line + 5, NULL, 10));
  } else if (strcmp(line, "hold") == 0) {
    must(take(held, &err), &err, "hold");
    printf("ok\n");
  } else if (strncmp(line, "held ", 5) == 0) {
    run(*held, line + 5);
  } else if (strcmp(line, "give") == 0) {
    tn_pool_give(held);
    printf("ok\n");
  } else if (strcmp(line, "state") == 0) {
    tell_state();
  } else {
    die("no command \"%s\"", line);
  }
}

int
main(int argc, char **argv)
{
  struct tn_engine_options options = TN_ENGINE_OPTIONS_INIT;
  tn_conn *held = NULL;
  tn_err err = TN_ERR_INIT;
  char line[512];

  if (argc != 2)
    die("usage: faults_loans URL");
  setvbuf(stdout, NULL, _IOLBF, 0);
  must(tn_engine_open(argv[1], &options, &engine, &err), &err, "engine");
  printf("ready\n");
  while (fgets(line, sizeof line, stdin) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    obey(line, &held);
  }
  tn_pool_give(&held);
  tn_engine_close(&engine);
  return 0;
}
