/* An engine's numbers of bytes, by TCP with and without TLS: what a statement
 * takes there and brings back is in them, and not much else.
 *
 *   traffic URL... */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tenon/tenon.h>

#define UP    300000 /* bytes of the one value */
#define DOWN  1000000
#define LOANS 5

/* Each of so many bytes may come with one that is the protocol's, TLS's, or a
 * packet's. */
#define OVERHEAD 50

static int failures;

static void
expect(bool is_so, const char *url, const char *what, uint64_t number)
{
  const char *place = strchr(url, '@');

  if (is_so)
    return;
  printf("not so: %s: %s: %llu\n", place != NULL ? place : "?", what,
         (unsigned long long)number);
  failures++;
}

static void
must(enum tn_code rc, const tn_err *err)
{
  if (rc == TN_OK)
    return;
  printf("%s\n", err->message);
  exit(1);
}

static tn_engine *
open_engine(const char *url)
{
  static const struct tn_setting settings[] = { { "pool_tick_time", "0" } };
  struct tn_engine_options options = TN_ENGINE_OPTIONS_INIT;
  tn_engine *engine = NULL;
  tn_err err = TN_ERR_INIT;

  options.settings = settings;
  options.setting_count = 1;
  must(tn_engine_open(url, &options, &engine, &err), &err);
  return engine;
}

static struct tn_engine_stats
stats_of(tn_engine *engine)
{
  struct tn_engine_stats stats = { .struct_size = sizeof stats };

  tn_engine_stats(engine, &stats);
  return stats;
}

/* A loan with one statement: UP bytes there, DOWN bytes back. */
static void
use(tn_engine *engine)
{
  static char text[UP];
  const tn_value values[] = { tn_bytes(TN_TEXT, text, sizeof text) };
  const struct tn_query query = { .sql = "SELECT length(?), repeat('x', "
                                         "1000000)",
                                  .values = values,
                                  .value_count = 1 };
  const tn_value *row = NULL;
  tn_result *result = NULL;
  tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;

  memset(text, 'u', sizeof text);
  must(tn_engine_take(engine, NULL, &conn, &err), &err);
  must(tn_conn_query(conn, &query, &result, &err), &err);
  must(tn_result_next(result, &row, &err), &err);
  if (row == NULL || row[1].as.bytes.size != DOWN) {
    printf("the wrong answer\n");
    exit(1);
  }
  tn_result_close(&result);
  tn_pool_give(&conn);
}

static void
expect_about(const char *url, const char *what, uint64_t got, uint64_t wanted)
{
  expect(got >= wanted && got < wanted + wanted / OVERHEAD, url, what, got);
}

static void
check(const char *url)
{
  tn_engine *engine = open_engine(url);
  struct tn_engine_stats before, after;
  int i;

  expect(stats_of(engine).tcp_connections == 0, url, "known before", 0);
  use(engine);
  tn_pool_tick(tn_engine_pool(engine));
  before = stats_of(engine);
  expect(before.tcp_connections == 1, url, "connections",
         before.tcp_connections);
  for (i = 0; i < LOANS; i++)
    use(engine);
  tn_pool_tick(tn_engine_pool(engine));
  after = stats_of(engine);
  expect_about(url, "received", after.bytes_received - before.bytes_received,
               LOANS * DOWN);
  expect_about(url, "sent", after.bytes_sent - before.bytes_sent, LOANS * UP);
  expect(after.tcp_connections == 1, url, "connections", after.tcp_connections);
  tn_engine_close(&engine);
}

int
main(int argc, char **argv)
{
  int i;

  for (i = 1; i < argc; i++)
    check(argv[i]);
  return failures != 0 || argc < 2;
}
