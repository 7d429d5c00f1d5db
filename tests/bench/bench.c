/* The harness: rounds, ratios, the report.
 *
 *   bench_NAME [ROUNDS [WORD]]  prints a row per workload (those whose name has
 *                               WORD in it): ratio of the times, Tenon to raw,
 *                               as minimum, median and maximum */
#include "bench.h"

#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <tenon/tenon.h>
#include <unistd.h>

#define MAX_ROUNDS 301
#define SPAN_MS    4000
#define NS_PER_MS  1e6

struct bench_row bench_rows[BENCH_ROWS + 1];

/* A row of the report. */
struct workload {
  const char *name;
  const char *goal; /* "" where there is none yet */
  bench_run raw;
  bench_run tenon;
  int operations; /* not 0: print the difference of one in milliseconds */
  bool writes;    /* what it wrote is counted and removed, outside the time */
};

/* Whose tables a side fills: the same server, or files of their own. */
static const char *raw_url;
static const char *tenon_url;

void
bench_die(const char *what, const char *why)
{
  fprintf(stderr, "bench: %s: %s\n", what, why);
  exit(1);
}

uint32_t
bench_next_key(uint32_t *state)
{
  *state = *state * 1664525u + 1013904223u;
  return (*state >> 8) % BENCH_ROWS + 1;
}

int
bench_trips(void)
{
  return bench_raw.variable == NULL ? BENCH_ROWS : BENCH_TRIPS;
}

double
bench_text(const char *text, size_t size)
{
  return (unsigned char)text[0] + (double)size;
}

/* Within the hour, so that a client library's broken-down time need not be
 * made a number for our sake. */
double
bench_micros(int64_t micros)
{
  return (double)(micros % INT64_C(3600000000));
}

double
bench_start(const char *program)
{
  extern char **environ;
  char *arguments[] = { (char *)program, NULL };
  double sum = 0;
  int i;

  for (i = 0; i < BENCH_STARTS; i++) {
    pid_t child;
    int status = 1;

    if (posix_spawn(&child, program, NULL, NULL, arguments, environ) != 0 ||
        waitpid(child, &status, 0) != child || status != 0)
      bench_die(program, "did not run");
    sum++;
  }
  return sum;
}

/* One side of a workload; how many ms it took. */
static double
timed(const struct workload *work, bool is_raw, double *ret_sum)
{
  int64_t start = tn_clock_now();
  double ms;

  *ret_sum = is_raw ? work->raw() : work->tenon();
  ms = (double)(tn_clock_now() - start) / NS_PER_MS;
  if (work->writes)
    *ret_sum += tenon_empty(is_raw ? raw_url : tenon_url);
  return ms;
}

static int
by_size(const void *a, const void *b)
{
  double left = *(const double *)a;
  double right = *(const double *)b;

  return (left > right) - (left < right);
}

/* The times of a round, in ms, the sides in the order that the round says. */
struct times {
  double raw;
  double tenon;
};

static struct times
run_round(const struct workload *work, int round)
{
  struct times times;
  double raw_sum = 0;
  double tenon_sum = 0;

  if (round % 2 == 0) {
    times.raw = timed(work, true, &raw_sum);
    times.tenon = timed(work, false, &tenon_sum);
  } else {
    times.tenon = timed(work, false, &tenon_sum);
    times.raw = timed(work, true, &raw_sum);
  }
  if (raw_sum != tenon_sum || raw_sum == 0)
    bench_die(work->name, "the two sides did not read the same");
  return times;
}

/* So many rounds, and short ones more often. */
static void
run_workload(const struct workload *work, int rounds)
{
  double ratios[MAX_ROUNDS];
  double extra[MAX_ROUNDS];
  double spent = 0;
  int count;

  (void)run_round(work, -1); /* warming up */
  for (count = 0; count < rounds || (count < MAX_ROUNDS && spent < SPAN_MS);
       count++) {
    struct times times = run_round(work, count);

    spent += times.raw + times.tenon;
    ratios[count] = times.tenon / times.raw;
    extra[count] = (times.tenon - times.raw) /
                   (work->operations == 0 ? 1 : work->operations);
  }
  qsort(ratios, (size_t)count, sizeof ratios[0], by_size);
  qsort(extra, (size_t)count, sizeof extra[0], by_size);
  printf("%-30s %7s  %.3f  %.3f  %.3f  %3d", work->name, work->goal, ratios[0],
         ratios[count / 2], ratios[count - 1], count);
  if (work->operations != 0)
    printf("   %+.2f ms", extra[count / 2]);
  putchar('\n');
  fflush(stdout);
}

static double
start_tenon(void)
{
  return bench_start(COLD_TENON);
}

static void
run_workloads(int rounds, const char *word)
{
  int is_server = bench_raw.variable != NULL;
  const struct workload works[] = {
    { "point select", is_server ? "1.05" : "1.15", bench_raw.point, tenon_point,
      0, false },
    { "point select, text each time", is_server ? "0.50" : "",
      bench_raw.point_text, tenon_point_text, 0, false },
    { "  the same, in one transaction", "0.50", bench_raw.point_text_txn,
      tenon_point_text_txn, 0, false },
    { "point select, unprepared", "", bench_raw.point_unprepared,
      tenon_point_text, 0, false },
    { "point select, by an engine", is_server ? "1.08" : "", bench_raw.point,
      tenon_point_engine, 0, false },
    { "point selects in a batch", bench_raw.pipelines ? "0.50" : "",
      bench_raw.point, tenon_pipeline, 0, false },
    { "fetch 100,000 x 6", "1.10", bench_raw.fetch, tenon_fetch, 0, false },
    { "fetch, all rows kept", "1.10", bench_raw.fetch_kept, tenon_fetch_kept, 0,
      false },
    { "insert, row by row", is_server ? "1.05" : "", bench_raw.insert,
      tenon_insert, 0, true },
    { "insert, batch to row by row", is_server ? "" : "1.10", bench_raw.insert,
      tenon_batch, 0, true },
    { "insert, bulk", "1.10", bench_raw.bulk, tenon_bulk_load, 0, true },
    { "connect", "", bench_raw.connect, tenon_connect, BENCH_CONNECTS, false },
    { "cold start", "+2 ms", bench_raw.start, start_tenon, BENCH_STARTS,
      false },
  };
  size_t i;

  printf("%-30s %7s  min    median max    rounds\n", "time, Tenon to raw",
         "goal");
  for (i = 0; i < sizeof works / sizeof works[0]; i++)
    if (works[i].raw != NULL && strstr(works[i].name, word) != NULL)
      run_workload(&works[i], rounds);
}

static void
fill_rows(void)
{
  int i;

  for (i = 1; i <= BENCH_ROWS; i++)
    bench_rows[i].size = (size_t)snprintf(
        bench_rows[i].name, sizeof bench_rows[i].name, "name number %d", i);
}

/* Each side has a file of its own. */
static void
bench_files(int rounds, const char *word)
{
  static char urls[2][80];
  char folder[] = "/tmp/tenon-bench-XXXXXX";
  size_t i;

  if (mkdtemp(folder) == NULL)
    bench_die(folder, "cannot be made");
  for (i = 0; i < 2; i++) {
    snprintf(urls[i], sizeof urls[i], "sqlite:///%s/%zu.db", folder, i);
    tenon_script(urls[i], bench_raw.setup);
  }
  raw_url = urls[0];
  tenon_url = urls[1];
  bench_raw.open(raw_url);
  tenon_open(tenon_url);
  run_workloads(rounds, word);
  tenon_close();
  bench_raw.close();
  for (i = 0; i < 2; i++)
    unlink(urls[i] + strlen("sqlite:///"));
  rmdir(folder);
}

/* Both sides use the tables of one server. */
static void
bench_server(int rounds, const char *word)
{
  static char url[512];
  const char *server = getenv(bench_raw.variable);

  if (server == NULL)
    bench_die(bench_raw.variable, "must have the URL of a server");
  snprintf(url, sizeof url, "%s%s", server, bench_raw.options);
  raw_url = url;
  tenon_url = url;
  bench_place(bench_raw.variable);
  tenon_script(url, bench_raw.setup);
  tenon_open(url);
  bench_raw.open(url);
  run_workloads(rounds, word);
  bench_raw.close();
  tenon_close();
  tenon_script(url, "DROP TABLE point; DROP TABLE wide; DROP TABLE target");
}

int
main(int argc, char **argv)
{
  int rounds = argc > 1 ? atoi(argv[1]) : 11;
  const char *word = argc > 2 ? argv[2] : "";

  if (rounds < 1 || rounds > MAX_ROUNDS)
    bench_die("rounds", "1 to 301");
  fill_rows();
  if (bench_raw.variable == NULL)
    bench_files(rounds, word);
  else
    bench_server(rounds, word);
  return 0;
}
