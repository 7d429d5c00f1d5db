/* tenon metrics: what an application's engine would tell of itself, after one
 * connection, or again and again. */
#include "watch.h"

static void
write_text(const char *text, size_t size, void *user)
{
  fwrite(text, 1, size, user);
}

static enum tn_code
write_metrics(const struct cli *cli, tn_engine *engine, tn_err *err)
{
  return tn_metrics_write(&engine, 1, write_text, cli->out.stream, err);
}

static enum tn_code
tell_metrics(const struct watch *watch, const struct attempt *attempt,
             tn_err *err)
{
  if (attempt->err.code != TN_OK)
    fprintf(stderr, "tenon: %s: %s\n", tn_code_name(attempt->err.code),
            attempt->err.message);
  return write_metrics(watch->cli, watch->engine, err);
}

static enum tn_code
watch_metrics(struct cli *cli, tn_err *err)
{
  struct watch watch;
  enum tn_code rc = watch_begin(&watch, cli, err);

  if (rc == TN_OK)
    rc = watch_run(&watch, tell_metrics, err);
  watch_end(&watch);
  return rc;
}

static enum tn_code
print_once(struct cli *cli, tn_err *err)
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
  return rc == TN_OK ? write_metrics(cli, engine, err) : rc;
}

enum tn_code
cmd_metrics(struct cli *cli, tn_err *err)
{
  bool is_watched;
  enum tn_code rc = watch_wanted(cli, &is_watched, err);

  if (rc != TN_OK)
    return rc;
  return is_watched ? watch_metrics(cli, err) : print_once(cli, err);
}
