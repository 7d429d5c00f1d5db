/* The numbers of an engine: that they add up, and how they are written. */
#include "engine_fixture.h"

#include <tenon/metrics.h>

#include "comma_locale.h"

TestSuite(metrics, .init = fixture_init, .timeout = 60);

static const struct tn_column columns[] = {
  { .name = "n", .type_name = "int", .type = TN_INT64 },
};
static const tn_value cells[] = {
  { .type = TN_INT64, .as.int64 = 1 },
  { .type = TN_INT64, .as.int64 = 2 },
};
static const struct fake_result two_rows[] = {
  { .sql = "SELECT",
    .columns = columns,
    .column_count = 1,
    .rows = cells,
    .row_count = 2 },
};

static struct tn_engine_stats
stats_of(void)
{
  struct tn_engine_stats stats = { .struct_size = sizeof stats };

  tn_engine_stats(engine, &stats);
  return stats;
}

static void
run(const char *sql, enum tn_code wanted)
{
  cr_assert_eq(tn_engine_exec(engine, sql, NULL, &err), wanted, "%s: %s", sql,
               err.message);
}

/* ---- numbers ---- */

Test(metrics, statements_are_counted_by_kind)
{
  static const char *const statements[] = {
    "SELECT 1", "SELECT 1", "WITH x", "INSERT x", "REPLACE x", "UPDATE x",
    "DELETE x", "BEGIN",    "SET x",  "CREATE x", "DROP x",
  };
  struct tn_engine_stats stats;

  SCRIPT_RESULTS(two_rows);
  open_engine("");
  for (size_t i = 0; i < TN_COUNT(statements); i++)
    run(statements[i], TN_OK);
  stats = stats_of();
  cr_expect_eq(stats.selects, 3);
  cr_expect_eq(stats.inserts, 2);
  cr_expect_eq(stats.updates, 1);
  cr_expect_eq(stats.deletes, 1);
  cr_expect_eq(stats.transactions, 1);
  cr_expect_eq(stats.others, 3);
  cr_expect_eq(stats.rows, 4);
  cr_expect_eq(stats.cache_hits, 1);
  cr_expect_eq(stats.cache_misses, 10);
  cr_expect_eq(stats.failures, 0);
  close_engine();
}

Test(metrics, transactions_failures_and_batches_are_counted)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_EXECUTE, .nth = 1, .category = TN_E_SYNTAX },
    { .slot = FAKE_BEGIN, .nth = 3, .category = TN_E_BUSY },
    { .slot = FAKE_FETCH, .nth = 2, .category = TN_E_DATA },
  };
  const tn_value values[] = { tn_int64(1), tn_int64(2), tn_int64(3) };
  const struct tn_batch batch = { .values = values,
                                  .value_count = 1,
                                  .row_count = 3 };
  struct tn_engine_stats stats;
  tn_prepared *prepared = NULL;
  tn_result *result = NULL;
  tn_conn *taken = NULL;

  SCRIPT_ANSWERS(answers);
  SCRIPT_RESULTS(two_rows);
  open_engine("&statement_cache_size=1");
  run("x", TN_E_SYNTAX);
  run("SELECT 1", TN_E_DATA);
  run("INSERT 1", TN_OK);
  run("INSERT 2", TN_OK);
  cr_assert_eq(tn_engine_take(engine, NULL, &taken, &err), TN_OK);
  cr_expect_eq(tn_conn_begin(taken, NULL, &err), TN_OK);
  cr_expect_eq(tn_conn_commit(taken, &err), TN_OK);
  cr_expect_eq(tn_conn_begin(taken, NULL, &err), TN_OK);
  cr_expect_eq(tn_conn_rollback(taken, &err), TN_OK);
  cr_expect_eq(tn_conn_begin(taken, NULL, &err), TN_E_BUSY);
  cr_assert_eq(tn_conn_prepare(taken, "UPDATE ?", 0, &prepared, &err), TN_OK);
  cr_assert_eq(tn_prepared_batch(prepared, &batch, &result, &err), TN_OK, "%s",
               err.message);
  tn_result_close(&result);
  tn_prepared_close(&prepared);
  cr_expect_eq(stats_of().updates, 0); /* not before it is given back */
  tn_pool_give(&taken);
  stats = stats_of();
  cr_expect_eq(stats.updates, 3);
  cr_expect_eq(stats.begins, 2);
  cr_expect_eq(stats.commits, 1);
  cr_expect_eq(stats.rollbacks, 1);
  cr_expect_eq(stats.failures, 3);
  cr_expect_eq(stats.rows, 1);
  cr_expect_geq(stats.cache_evicted, 1);
  close_engine();
}

Test(metrics, what_a_closed_connection_did_counts)
{
  tn_conn *taken = NULL;

  open_engine("");
  cr_assert_eq(tn_engine_take(engine, NULL, &taken, &err), TN_OK);
  cr_expect_eq(tn_conn_exec(taken, "INSERT", NULL, &err), TN_OK);
  tn_pool_discard(&taken);
  cr_expect_eq(stats_of().inserts, 1);
  close_engine();
}

Test(metrics, the_struct_is_filled_in_as_far_as_it_goes)
{
  struct tn_engine_stats stats;

  memset(&stats, 0x55, sizeof stats);
  stats.struct_size = offsetof(struct tn_engine_stats, updates);
  open_engine("");
  tn_engine_stats(engine, &stats);
  cr_expect_eq(stats.struct_size, offsetof(struct tn_engine_stats, updates));
  cr_expect_eq(stats.inserts, 0);
  cr_expect_eq(stats.updates, UINT64_C(0x5555555555555555));
  close_engine();
}

/* ---- text ---- */

static char text[65536];

static void
keep(const char *bytes, size_t size, void *user)
{
  int *calls = user;

  (*calls)++;
  cr_assert_lt(size, sizeof text);
  memcpy(text, bytes, size);
  text[size] = '\0';
}

static void
write_both(tn_engine *other)
{
  tn_engine *const engines[] = { engine, other };
  int calls = 0;

  cr_assert_eq(
      tn_metrics_write(engines, other == NULL ? 1 : 2, keep, &calls, &err),
      TN_OK, "%s", err.message);
  cr_expect_eq(calls, 1);
}

static void
expect_line(const char *line)
{
  const char *at = strstr(text, line);

  cr_expect(at != NULL && (at == text || at[-1] == '\n') &&
                at[strlen(line)] == '\n',
            "no line %s in\n%s", line, text);
}

static unsigned
count_of(const char *wanted)
{
  const char *at = text;
  unsigned count = 0;

  while ((at = strstr(at, wanted)) != NULL) {
    count++;
    at++;
  }
  return count;
}

Test(metrics, the_text_has_every_number)
{
  tn_conn *taken = NULL;

  open_engine("");
  run("SELECT 1", TN_OK);
  cr_assert_eq(tn_engine_take(engine, NULL, &taken, &err), TN_OK);
  write_both(NULL);
  expect_line("# TYPE tenon_connections gauge");
  expect_line("# HELP tenon_connections Connections, by state.");
  expect_line("tenon_connections{target=\"fake://h/db\",state=\"idle\"} 0");
  expect_line("tenon_connections{target=\"fake://h/db\",state=\"lent\"} 1");
  expect_line("# TYPE tenon_takes counter");
  expect_line("tenon_takes_total{target=\"fake://h/db\"} 2");
  expect_line("tenon_connects_total{target=\"fake://h/db\"} 1");
  expect_line("tenon_statements_total{target=\"fake://h/db\",kind=\"select\"} "
              "1");
  expect_line("tenon_wait_seconds_bucket{target=\"fake://h/db\",le=\"+Inf\"} "
              "0");
  expect_line("tenon_wait_seconds_sum{target=\"fake://h/db\"} 0.000000");
  cr_expect_str_eq(text + strlen(text) - 6, "# EOF\n");
  tn_pool_give(&taken);
  close_engine();
}

Test(metrics, engines_stand_side_by_side_under_one_name)
{
  tn_engine *other = NULL;
  char url[128];

  open_engine("");
  snprintf(url, sizeof url, "fake://u:hidden@other/a%%22b?script=%p",
           (void *)&script);
  options.registry = registry;
  cr_assert_eq(tn_engine_open(url, &options, &other, &err), TN_OK, "%s",
               err.message);
  write_both(other);
  cr_expect_eq(count_of("# TYPE tenon_takes counter\n"), 1);
  cr_expect_eq(count_of("\ntenon_takes_total{"), 2);
  cr_expect_eq(count_of("hidden"), 0);
  cr_expect_eq(count_of("script="), 0);
  cr_expect_eq(count_of("# EOF"), 1);
  tn_engine_close(&other);
  close_engine();
}

/* Their targets differ in options, which the label does not have. */
Test(metrics, engines_of_one_target_are_told_apart)
{
  tn_engine *other = NULL;

  open_engine("");
  options.registry = registry;
  cr_assert_eq(
      tn_engine_open(fixture_url("&max_pool_size=1"), &options, &other, &err),
      TN_OK, "%s", err.message);
  write_both(other);
  cr_expect_eq(count_of("\ntenon_takes_total{target=\""), 2);
  cr_expect_eq(count_of("\",engine=\"2\""), count_of("{target=") / 2);
  tn_engine_close(&other);
  close_engine();
}

/* Waits are added up to be those of at most so long. */
Test(metrics, waits_are_a_histogram)
{
  open_engine("");
  engine->pool->histogram[0] = 2;
  engine->pool->histogram[1] = 3;
  engine->pool->histogram[TN_POOL_WAIT_BUCKETS - 1] = 4;
  engine->pool->wait_ns = 1500000000;
  write_both(NULL);
  expect_line("# TYPE tenon_wait_seconds histogram");
  expect_line("tenon_wait_seconds_bucket{target=\"fake://h/db\",le=\"0.0001\"} "
              "2");
  expect_line("tenon_wait_seconds_bucket{target=\"fake://h/db\",le=\"0.0004\"} "
              "5");
  expect_line("tenon_wait_seconds_bucket{target=\"fake://h/db\",le=\"+Inf\"} "
              "9");
  expect_line("tenon_wait_seconds_count{target=\"fake://h/db\"} 9");
  expect_line("tenon_wait_seconds_sum{target=\"fake://h/db\"} 1.500000");
  close_engine();
}

Test(metrics, a_locale_with_a_decimal_comma_changes_nothing)
{
  if (!comma_locale_begin())
    cr_skip("no localedef to make a locale with a decimal comma");
  open_engine("");
  engine->pool->wait_ns = 1500000000;
  write_both(NULL);
  expect_line("tenon_wait_seconds_bucket{target=\"fake://h/db\",le=\"0.0001\"} "
              "0");
  expect_line("tenon_wait_seconds_sum{target=\"fake://h/db\"} 1.500000");
  cr_expect(comma_locale_end());
  close_engine();
}

Test(metrics, without_memory_nothing_is_written)
{
  int calls = 0;

  open_engine("&pool_tick_time=0");
  for (long nth = 1;; nth++) {
    tn_engine *const one[] = { engine };
    long live;
    enum tn_code rc;

    oom_fail_nth(nth, false);
    live = oom_live();
    calls = 0;
    rc = tn_metrics_write(one, 1, keep, &calls, &err);
    cr_expect(rc == TN_OK || rc == TN_E_MEMORY);
    cr_expect_eq(calls, rc == TN_OK);
    cr_assert_eq(oom_live(), live, "allocation %ld", nth);
    if (oom_count() < nth)
      break;
  }
  oom_reset();
  close_engine();
}
