/* tenon ping: is the database there, and how long does it take to say so? */
#include "cli.h"

double
ping_ms_since(int64_t start)
{
  /* Microseconds are as much as such a measurement is worth. */
  int64_t micros = (tn_clock_now() - start) / 1000;

  return (double)micros / 1000.0;
}

static enum tn_code
print_answer(struct output *out, const tn_conn *conn, double open_ms,
             double ping_ms, tn_err *err)
{
  static const struct output_column columns[] = {
    { "backend", TN_TEXT },
    { "server", TN_TEXT },
    { "open_ms", TN_DOUBLE },
    { "ping_ms", TN_DOUBLE },
  };
  const tn_value row[] = {
    tn_text(tn_conn_backend(conn)),
    tn_text(tn_conn_server_version(conn)),
    tn_double(open_ms),
    tn_double(ping_ms),
  };
  enum tn_code rc = output_begin(out, columns, COUNT(columns), err);

  if (rc == TN_OK)
    rc = output_row(out, row, err);
  return output_finish(out, rc, err);
}

static enum tn_code
ping_once(struct cli *cli, tn_err *err)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  int64_t start = tn_clock_now();
  double open_ms;
  enum tn_code rc = target_open(cli, cli->args[0], 0, &conn, err);

  if (rc != TN_OK)
    return rc;
  open_ms = ping_ms_since(start);
  cli->stage = STAGE_OPEN; /* an answer that fails is a failed connect */
  start = tn_clock_now();
  rc = tn_conn_ping(conn, cli->deadline, err);
  if (rc != TN_OK)
    return rc;
  return print_answer(&cli->out, conn, open_ms, ping_ms_since(start), err);
}

enum tn_code
cmd_ping(struct cli *cli, tn_err *err)
{
  if (cli->options[OPTION_WATCH] != NULL)
    return cmd_watch(cli, err);
  if (cli->options[OPTION_INTERVAL] != NULL ||
      cli->options[OPTION_ROWS] != NULL)
    return tn_err_set(err, TN_E_USAGE, "--%s: only with --watch",
                      cli->options[OPTION_ROWS] != NULL ? "count" : "interval");
  return ping_once(cli, err);
}
