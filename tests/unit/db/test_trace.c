/* Comments that say where a statement comes from. */
#include "told_fixture.h"

#include <errno.h>

TestSuite(trace, .init = fixture_init, .timeout = 60);

#define PARENT "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static void
open_traced(const char *more)
{
  char all[200];

  snprintf(all, sizeof all, "&connection_trace=true&application=shop%s", more);
  open_engine(all);
}

/* What the backend was given to prepare for it. */
static const char *
sent(tn_conn *on, const char *sql)
{
  script.sql[0] = '\0';
  cr_expect_eq(run_with(on, sql, NULL, 0), TN_OK, "%s: %s", sql, err.message);
  return script.sql;
}

Test(trace, off_unless_asked_for)
{
  open_engine("&application=shop");
  cr_expect_eq(tn_engine_exec(engine, "SELECT 1", NULL, &err), TN_OK);
  cr_expect_str_eq(script.sql, "SELECT 1");
  close_engine();
}

Test(trace, a_statement_says_its_application_and_label)
{
  tn_conn *taken;

  open_traced("");
  taken = take_as("report");
  cr_expect_str_eq(sent(taken, "SELECT 1"),
                   "SELECT 1 /*application='shop',label='report'*/");
  tn_pool_give(&taken);
  taken = take_as(NULL);
  cr_expect_str_eq(sent(taken, "SELECT 1"), "SELECT 1 /*application='shop'*/");
  tn_pool_give(&taken);
  close_engine();
}

Test(trace, without_a_name_it_is_the_program_s)
{
  char expected[200];

  snprintf(expected, sizeof expected,
           "x /*application='%s',label='tn_engine_exec'*/",
           program_invocation_short_name);
  open_engine("&connection_trace=true");
  cr_expect_eq(tn_engine_exec(engine, "x", NULL, &err), TN_OK);
  cr_expect_str_eq(script.sql, expected, "%s", script.sql);
  close_engine();
}

Test(trace, nothing_to_say_is_no_comment)
{
  tn_conn *taken;

  open_engine("&connection_trace=true&application=");
  taken = take_as(NULL);
  cr_expect_str_eq(sent(taken, "x"), "x");
  tn_pool_give(&taken);
  close_engine();
}

Test(trace, the_comment_stands_where_it_can)
{
  static const struct {
    const char *sql;
    const char *sent;
  } cases[] = {
    { "SELECT 1;", "SELECT 1 /*label='l'*/;" },
    { "SELECT 1 ; \n", "SELECT 1 /*label='l'*/ ; \n" },
    { "SELECT 1 \n", "SELECT 1 \n /*label='l'*/" },
    { "SELECT ';', '--', '/*', '#'",
      "SELECT ';', '--', '/*', '#' /*label='l'*/" },
    { "SELECT 1 -- x", "SELECT 1 -- x" },
    { "SELECT 1; -- x", "SELECT 1; -- x" },
    { "-- x\nSELECT 1", "-- x\nSELECT 1" },
    { "SELECT /*+ hint */ 1", "SELECT /*+ hint */ 1" },
  };
  tn_conn *taken;

  open_engine("&connection_trace=true&application=");
  taken = take_as("l");
  for (size_t i = 0; i < TN_COUNT(cases); i++)
    cr_expect_str_eq(sent(taken, cases[i].sql), cases[i].sent,
                     "case %zu: \"%s\"", i, script.sql);
  tn_pool_give(&taken);
  close_engine();
}

Test(trace, no_value_gets_out_of_the_comment)
{
  tn_conn *taken;

  open_engine("&connection_trace=true&application=");
  taken = take_as("a*/; DROP 'x'\\ ?:n\n\xC3\xA9%~-._");
  cr_expect_str_eq(sent(taken, "x"),
                   "x /*label='a%2A%2F%3B%20DROP%20%27x%27%5C%20%3F%3An%0A"
                   "%C3%A9%25~-._'*/",
                   "%s", script.sql);
  tn_pool_give(&taken);
  close_engine();
}

Test(trace, labels_that_stay_are_found_prepared)
{
  tn_conn *taken;
  struct tn_cache_stats stats;

  open_traced("");
  for (int i = 0; i < 3; i++) {
    taken = take_as("report");
    (void)sent(taken, "SELECT 1");
    tn_conn_cache_stats(taken, &stats);
    tn_pool_give(&taken);
  }
  cr_expect_eq(stats.hits, 2);
  cr_expect_eq(stats.kept, 1);
  close_engine();
}

Test(trace, a_traceparent_is_passed_on_and_its_statements_are_not_kept)
{
  const struct tn_loan loan = { .label = "l", .traceparent = PARENT };
  struct tn_cache_stats stats;
  tn_prepared *prepared = NULL;
  tn_conn *taken = NULL;

  open_traced("");
  cr_assert_eq(tn_engine_take(engine, &loan, &taken, &err), TN_OK);
  for (int i = 0; i < 2; i++)
    cr_expect_str_eq(
        sent(taken, "SELECT 1"),
        "SELECT 1 /*application='shop',label='l',traceparent='" PARENT "'*/",
        "%s", script.sql);
  tn_conn_cache_stats(taken, &stats);
  cr_expect_eq(stats.kept, 0);
  cr_expect_eq(stats.misses, 0);
  cr_assert_eq(tn_conn_prepare(taken, "SELECT 2", 0, &prepared, &err), TN_OK);
  cr_expect_not_null(strstr(script.sql, "traceparent='" PARENT "'*/"));
  tn_prepared_close(&prepared);
  tn_pool_give(&taken);

  /* The next loan is somebody else's, whether this one was used or not. */
  for (int i = 0; i < 2; i++) {
    taken = take_as(NULL);
    cr_expect_str_eq(sent(taken, "x"), "x /*application='shop'*/");
    tn_pool_give(&taken);
    cr_assert_eq(tn_engine_take(engine, &loan, &taken, &err), TN_OK);
    tn_pool_give(&taken);
  }
  close_engine();
}

Test(trace, what_is_no_traceparent_is_refused)
{
  static const char *const wrong[] = {
    "",
    "00",
    PARENT "0",
    "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
    "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7_01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-*/",
  };
  tn_conn *taken = NULL;

  open_engine("");
  for (size_t i = 0; i < TN_COUNT(wrong); i++) {
    const struct tn_loan loan = { .traceparent = wrong[i] };

    cr_expect_eq(tn_engine_take(engine, &loan, &taken, &err), TN_E_USAGE,
                 "case %zu: \"%s\"", i, wrong[i]);
    cr_expect_null(taken);
  }
  cr_expect_str_eq(err.message,
                   "loan: traceparent \"00-4bf92f3577b34da6a3ce929d0e0e4736-"
                   "00f067aa0ba902b7-*/\" is none; it is written 00-<32 "
                   "digits>-<16 digits>-<2 digits>, hexadecimal and in lower "
                   "case",
                   "%s", err.message);
  close_engine();
}

static enum tn_code
rewrite(struct tn_event *event, void *user)
{
  (void)user;
  event->sql = "other";
  return TN_OK;
}

Test(trace, it_comes_after_what_listeners_change)
{
  uint64_t id = 0;

  open_traced("");
  cr_assert_eq(tn_engine_listen(engine, TN_EVENT_BIT(TN_EVENT_BEFORE), rewrite,
                                NULL, &id, &err),
               TN_OK);
  cr_expect_eq(tn_engine_exec(engine, "x", NULL, &err), TN_OK);
  cr_expect_str_eq(script.sql,
                   "other /*application='shop',label='tn_engine_exec'*/");
  close_engine();
}

Test(trace, without_memory_the_statement_fails_and_the_connection_goes_on)
{
  tn_conn *taken;
  unsigned failures = 0;

  open_traced("&statement_cache_size=0");
  taken = take_as("l");
  for (long nth = 1;; nth++) {
    enum tn_code rc;

    oom_fail_nth(nth, false);
    rc = run_with(taken, "SELECT 1", NULL, 0);
    failures += rc == TN_E_MEMORY;
    cr_expect(rc == TN_OK || rc == TN_E_MEMORY, "allocation %ld", nth);
    if (oom_count() < nth)
      break;
  }
  oom_reset();
  cr_expect_gt(failures, 0);
  cr_expect_str_eq(sent(taken, "SELECT 1"),
                   "SELECT 1 /*application='shop',label='l'*/");
  tn_pool_give(&taken);
  close_engine();
}
