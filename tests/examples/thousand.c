#include "thousand.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum tn_code
thousand_ask(struct share *share, int64_t number, tn_err *err)
{
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value value = tn_int64(number);
  const struct tn_query query = { .sql = share->sql,
                                  .values = &value,
                                  .value_count = 1,
                                  .deadline = share->deadline };
  const tn_value *row = NULL;
  int64_t answer = 0;
  enum tn_code rc = tn_engine_query(share->db, &query, &result, err);

  if (rc == TN_OK)
    rc = tn_result_next(result, &row, err);
  if (rc == TN_OK && row == NULL)
    rc = tn_err_set(err, TN_E_NOT_FOUND, "no row");
  if (rc == TN_OK)
    rc = tn_value_to_int64(&row[0], &answer, err);
  if (rc == TN_OK)
    share->right += answer == number;
  return rc;
}

void
thousand_count(struct share *share)
{
  struct tn_pool_stats stats = { .struct_size = sizeof stats };
  unsigned count;

  tn_pool_stats(tn_engine_pool(share->db), &stats);
  count = stats.idle + stats.lent + stats.connecting;
  if (count > share->connections)
    share->connections = count;
}

/* Each that waits for a connection takes a descriptor to do so. */
static void
raise_limit(void)
{
  struct rlimit limit;

  if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
    return;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* An engine, and its connections ready. */
static enum tn_code
open_engine(const char *url, tn_wait_fn wait, tn_engine **ret, tn_err *err)
{
  static const struct tn_setting settings[] = {
    { "max_pool_size", "100" },
    { "max_overflow", "0" },
    { "pool_min_idle", "100" },
    { "pool_tick_time", "0" },
  };
  struct tn_engine_options options = TN_ENGINE_OPTIONS_INIT;
  enum tn_code rc;

  options.wait = wait;
  options.settings = settings;
  options.setting_count = sizeof settings / sizeof settings[0];
  rc = tn_engine_open(url, &options, ret, err);
  if (rc == TN_OK)
    tn_engine_tick(*ret);
  return rc;
}

static void
run_threads(struct share shares[THREADS], void *(*thread)(void *share))
{
  pthread_barrier_t barrier;
  pthread_t threads[THREADS];

  pthread_barrier_init(&barrier, NULL, THREADS);
  for (int i = 0; i < THREADS; i++) {
    shares[i].barrier = &barrier;
    shares[i].first = i * QUERIES + 1;
    if (pthread_create(&threads[i], NULL, thread, &shares[i]) != 0)
      abort();
  }
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  pthread_barrier_destroy(&barrier);
}

/* 0 if all were right. */
static int
report(const struct share shares[THREADS])
{
  unsigned connections = 0;
  int at_once = 0;
  int right = 0;

  for (int i = 0; i < THREADS; i++) {
    at_once += shares[i].at_once;
    right += shares[i].right;
    if (shares[i].connections > connections)
      connections = shares[i].connections;
  }
  printf("%d queries at once in %d threads, over %u connections: %d right\n",
         at_once, THREADS, connections, right);
  return at_once == THREADS * QUERIES && right == THREADS * QUERIES &&
                 connections <= CONNECTIONS
             ? 0
             : 1;
}

int
thousand_main(char **argv, tn_wait_fn wait, void *(*thread)(void *share))
{
  struct share shares[THREADS] = { { .sql = NULL } };
  TN_CLEANUP(tn_engine_close) tn_engine *db = NULL;
  tn_err err = TN_ERR_INIT;

  if (argv[0] == NULL || argv[1] == NULL || argv[2] == NULL || argv[3] == NULL)
    return 2;
  raise_limit();
  if (open_engine(argv[1], wait, &db, &err) != TN_OK) {
    fprintf(stderr, "%s\n", err.message);
    return 1;
  }
  for (int i = 0; i < THREADS; i++) {
    shares[i].db = db;
    shares[i].sql = argv[2];
    shares[i].deadline = tn_deadline_after_ms(strtoul(argv[3], NULL, 10));
  }
  run_threads(shares, thread);
  return report(shares);
}
