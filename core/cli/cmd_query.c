/* tenon query: one statement with its parameters, or a file of statements. */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

#include "interrupt.h"
#include "param.h"

static void
free_text(char **text)
{
  free(*text);
  *text = NULL;
}

static enum tn_code
run_script(struct cli *cli, tn_conn *conn, const char *script, tn_err *err)
{
  output_start(&cli->out);
  return tn_conn_script(conn, script, output_visit, &cli->out, err);
}

/* A text like "a=b" was taken for a value named a: say how to avoid it. Not
 * where it is the statement that is wrong, whatever its values are. */
static void
explain_names(const struct params *params, tn_err *err)
{
  static const char at_fault[] = "statement: ";

  if (params->names != NULL && err->code == TN_E_USAGE &&
      strncmp(err->message, at_fault, strlen(at_fault)) != 0)
    tn_err_add(err, TN_ERR_DETAIL,
               "a PARAM a=b is a value named a; write text:a=b for the text "
               "a=b");
}

static enum tn_code
run_statement(struct cli *cli, tn_conn *conn, const char *sql,
              const struct params *params, tn_err *err)
{
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const struct tn_query query = {
    .sql = sql,
    .values = params->values,
    .names = params->names,
    .value_count = params->count,
    .deadline = cli->deadline,
  };
  enum tn_code rc;

  cli->statement = sql;
  output_start(&cli->out);
  rc = tn_conn_query(conn, &query, &result, err);
  if (rc == TN_OK)
    return output_result(&cli->out, result, err);
  explain_names(params, err);
  return rc;
}

/* Where the SQL is: in the argument, or in a file that is named or is "-". */
static enum tn_code
read_script(struct cli *cli, char **ret, tn_err *err)
{
  const char *path = cli->options[OPTION_FILE];

  if (path == NULL && cli->arg_count < 2)
    return tn_err_set(err, TN_E_USAGE,
                      "query: no SQL; give it, or - or --file FILE");
  if (path == NULL && strcmp(cli->args[1], "-") != 0)
    return TN_OK;
  if (cli->arg_count > (path == NULL ? 2U : 1U))
    return tn_err_set(err, TN_E_USAGE,
                      "query: \"%.64s\": several statements take no SQL "
                      "argument and no parameters",
                      cli->args[path == NULL ? 2 : 1]);
  return read_text(path == NULL ? "-" : path, cli->deadline, ret, err);
}

/* What is left of the whole, for each statement of a script. */
static uint64_t
rest_ms(const struct cli *cli)
{
  int64_t rest = cli->deadline - tn_clock_now();

  if (cli->deadline == 0 || cli->deadline == TN_DEADLINE_NONE)
    return 0;
  return rest <= 0 ? 1 : (uint64_t)rest / 1000000 + 1;
}

enum tn_code
cmd_query(struct cli *cli, tn_err *err)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(params_clear) struct params params = { .count = 0 };
  TN_CLEANUP(free_text) char *script = NULL;
  struct interrupt watch;
  enum tn_code rc = read_script(cli, &script, err);

  if (rc == TN_OK && script == NULL)
    rc = params_parse(cli->args + 2, cli->arg_count - 2, &params, err);
  if (rc == TN_OK)
    rc = target_open(cli, cli->args[0], rest_ms(cli), &conn, err);
  if (rc == TN_OK)
    rc = interrupt_start(&watch, conn, cli->deadline, true, err);
  if (rc != TN_OK)
    return rc;
  if (script != NULL)
    rc = run_script(cli, conn, script, err);
  else
    rc = run_statement(cli, conn, cli->args[1], &params, err);
  if (rc == TN_OK)
    target_warn_of_txn(cli, conn);
  return interrupt_stop(&watch, rc, err);
}
