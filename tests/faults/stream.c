/* Ten million rows pass through memory that does not grow. */
#include "faults.h"

#include <stdlib.h>

#define ROWS      10000000
#define GROWTH_KB 4096

/* The most memory that this process has had, in kB. */
static long
peak_kb(void)
{
  char line[128];
  long kb = -1;
  FILE *file = fopen("/proc/self/status", "re");

  if (file == NULL)
    die("no /proc/self/status");
  while (kb < 0 && fgets(line, sizeof line, file) != NULL)
    if (sscanf(line, "VmHWM: %ld kB", &kb) != 1)
      kb = -1;
  fclose(file);
  return kb;
}

/* Read all rows, or `limit` of them; returns their sum. */
static int64_t
read_rows(tn_conn *conn, const char *sql, int64_t limit)
{
  const struct tn_query query = { .sql = sql };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;
  int64_t sum = 0;
  int64_t i;

  must(tn_conn_query(conn, &query, &result, &err), &err, sql);
  for (i = 0; i < limit; i++) {
    must(tn_result_next(result, &row, &err), &err, "next");
    if (row == NULL)
      break;
    sum += row[0].as.int64;
  }
  return sum;
}

int
main(int argc, char **argv)
{
  const struct words *words = faults_begin(argc, argv);
  tn_conn *conn = faults_open(getenv(words->variable), 0);
  int64_t began;
  int64_t sum;
  long before;
  long after;

  /* What the first rows need is there before we measure. */
  read_rows(conn, words->numbers, 100000);
  before = peak_kb();
  began = tn_clock_now();
  sum = read_rows(conn, words->numbers, INT64_MAX);
  after = peak_kb();
  printf("%d rows in %.1f s: peak RSS %ld kB before, %ld kB after\n", ROWS,
         (double)(tn_clock_now() - began) / 1e9, before, after);
  if (sum != (int64_t)ROWS * (ROWS + 1) / 2)
    fail("the sum is %lld", (long long)sum);
  if (after - before > GROWTH_KB)
    fail("grew by %ld kB", after - before);
  tn_conn_close(&conn);
  return faults_end();
}
