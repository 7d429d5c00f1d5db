/* tenon ping: is the database there, and how long does it take to say so? With
 * --watch a pool is asked, and there is a row for each time. */
#include "watch.h"

#define NS_PER_MS     1000000
#define MICROS_PER_MS 1000
#define MICROS_PER_S  1000000

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

/* Rows that come one by one cannot be made a table of: they are lines. */
static bool
is_for_people(const struct watch *watch)
{
  return watch->cli->out.writer == &output_lines;
}

/* A moment, or for people the time of day; milliseconds are enough. */
static tn_value
time_value(const struct watch *watch, const struct timespec *at)
{
  int64_t micros = (int64_t)at->tv_nsec / NS_PER_MS * MICROS_PER_MS;
  struct tm local = { .tm_sec = 0 };

  (void)localtime_r(&at->tv_sec, &local);
  if (!is_for_people(watch))
    return tn_timestamp_zoned((int64_t)at->tv_sec * MICROS_PER_S + micros,
                              (int32_t)local.tm_gmtoff);
  micros += ((int64_t)local.tm_hour * 3600 + (int64_t)local.tm_min * 60 +
             local.tm_sec) *
            MICROS_PER_S;
  return tn_time(micros);
}

static enum tn_code
tell_attempt(const struct watch *watch, const struct attempt *attempt,
             tn_err *err)
{
  struct tn_pool_stats stats = { .struct_size = sizeof stats };
  char took[32]; /* people like to have the points below each other */

  (void)snprintf(took, sizeof took, "%.3f", attempt->took_ms);
  tn_pool_stats(tn_engine_pool(watch->engine), &stats);
  {
    const tn_value row[] = {
      time_value(watch, &attempt->at),
      tn_text(tn_code_name(attempt->err.code)),
      is_for_people(watch) ? tn_decimal(took) : tn_double(attempt->took_ms),
      tn_uint64(stats.idle),
      tn_uint64(stats.lent),
      tn_uint64(stats.connecting),
      tn_uint64(stats.connects),
      tn_uint64(stats.connect_failures),
      attempt->err.code == TN_OK ? tn_null() : tn_text(attempt->err.message),
    };

    return output_row(&watch->cli->out, row, err);
  }
}

static enum tn_code
print_attempts(const struct watch *watch, tn_err *err)
{
  struct output *out = &watch->cli->out;
  const struct output_column columns[] = {
    { "time", is_for_people(watch) ? TN_TIME : TN_TIMESTAMP },
    { "result", TN_TEXT },
    { "ms", is_for_people(watch) ? TN_DECIMAL : TN_DOUBLE },
    { "idle", TN_UINT64 },
    { "lent", TN_UINT64 },
    { "connecting", TN_UINT64 },
    { "connects", TN_UINT64 },
    { "connect_failures", TN_UINT64 },
    { "error", TN_TEXT },
  };
  enum tn_code rc = output_begin(out, columns, COUNT(columns), err);

  if (rc == TN_OK)
    rc = output_flush(out, err);
  if (rc == TN_OK)
    rc = watch_run(watch, tell_attempt, err);
  return output_finish(out, rc, err);
}

static enum tn_code
ping_again_and_again(struct cli *cli, tn_err *err)
{
  struct watch watch;
  enum tn_code rc = watch_begin(&watch, cli, err);

  if (cli->out.writer == &output_table)
    cli->out.writer = &output_lines;
  if (rc == TN_OK)
    rc = print_attempts(&watch, err);
  watch_end(&watch);
  return rc;
}

enum tn_code
cmd_ping(struct cli *cli, tn_err *err)
{
  bool is_watched;
  enum tn_code rc = watch_wanted(cli, &is_watched, err);

  if (rc != TN_OK)
    return rc;
  return is_watched ? ping_again_and_again(cli, err) : ping_once(cli, err);
}
