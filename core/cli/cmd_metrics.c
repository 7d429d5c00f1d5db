/* tenon metrics: what an application's engine would tell of itself, after one
 * connection. */
#include "cli.h"

static void
write_text(const char *text, size_t size, void *user)
{
  fwrite(text, 1, size, user);
}

enum tn_code
cmd_metrics(struct cli *cli, tn_err *err)
{
  TN_CLEANUP(tn_engine_close) tn_engine *engine = NULL;
  const struct tn_loan loan = { .label = "tenon metrics",
                                .deadline = cli->deadline };
  tn_conn *conn = NULL;
  enum tn_code rc = target_engine(cli, cli->args[0], NULL, NULL, &engine, err);

  if (rc == TN_OK)
    rc = tn_engine_take(engine, &loan, &conn, err);
  if (rc == TN_OK)
    rc = tn_conn_ping(conn, cli->deadline, err);
  tn_pool_give(&conn);
  if (rc != TN_OK)
    return rc;
  return tn_metrics_write(&engine, 1, write_text, cli->out.stream, err);
}
