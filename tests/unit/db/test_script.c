/* Several statements in one text: which run, and which is told to have
 * failed. */
#include "fixture.h"

static const struct tn_column columns[] = { { "a", "int", TN_INT64, 0 } };
static const tn_value rows[] = { { .type = TN_INT64, .as.int64 = 7 },
                                 { .type = TN_INT64, .as.int64 = 8 } };
static const struct fake_result results[] = {
  { .sql = "select",
    .columns = columns,
    .column_count = 1,
    .rows = rows,
    .row_count = 2 },
};

/* What the visitor saw and does. */
struct visit {
  char seen[512];
  unsigned count;
  unsigned fail_at;   /* 0: never */
  enum tn_code code;  /* with which it fails */
  const char *reason; /* NULL: it does not say */
  bool reads;         /* the first row */
};

static void
set_up(void)
{
  fixture_init();
  SCRIPT_RESULTS(results);
}

TestSuite(script, .init = set_up, .timeout = 60);

static enum tn_code
visit_result(tn_result *result, void *user, tn_err *why)
{
  struct visit *visit = user;
  size_t used = strlen(visit->seen);
  const tn_value *row;

  visit->count++;
  snprintf(visit->seen + used, sizeof visit->seen - used, "%s(%zu) ",
           script.sql, tn_result_column_count(result));
  if (visit->reads && tn_result_next(result, &row, why) != TN_OK)
    return (enum tn_code)why->code;
  if (visit->count != visit->fail_at)
    return TN_OK;
  if (visit->reason == NULL)
    return visit->code;
  return tn_err_set(why, visit->code, "%s", visit->reason);
}

/* ---- what runs ---- */

Test(script, runs_each_statement_in_order_and_closes_it)
{
  static const struct {
    const char *sql;
    const char *seen;
  } cases[] = {
    { "", "" },
    { " ;; -- nothing\n ;", "" },
    { "a", "a(0) " },
    { "a;", "a(0) " },
    { "a :b; c :b", "a :b(0) c :b(0) " },
    { "a; select; b -- c", "a(0) select(1) b(0) " },
    { "a ';'; b \";\" /* ; */ c", "a ';'(0) b \";\" /* ; */ c(0) " },
    { "-- one\na;\n\n  -- two\n  b ;", "a(0) b(0) " },
  };

  fixture_open();
  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    struct visit visit = { .reads = true };

    cr_expect_eq(tn_conn_script(conn, cases[i].sql, visit_result, &visit, &err),
                 TN_OK, "case %zu: %s", i, err.message);
    cr_expect_str_eq(visit.seen, cases[i].seen, "case %zu", i);
    cr_expect_eq(script.open_statements, 0, "case %zu", i);
    cr_expect_eq(tn_conn_script(conn, cases[i].sql, NULL, NULL, NULL), TN_OK,
                 "case %zu", i);
  }
  fixture_expect_usable("the scripts");
  fixture_close();
}

Test(script, reads_all_rows_that_nobody_visits)
{
  fixture_open();
  cr_expect_eq(tn_conn_script(conn, "select; select", NULL, NULL, &err), TN_OK);
  cr_expect_eq(script.calls[FAKE_FETCH], 6);
  fixture_close();
}

Test(script, gives_each_statement_the_timeout_anew)
{
  static const struct fake_answer slow[] = {
    { .slot = FAKE_EXECUTE, .wait_ms = 60 },
    { .slot = FAKE_PING, .wait_ms = 300 },
  };

  SCRIPT_ANSWERS(slow);
  fixture_open_timed(150);
  cr_expect_eq(tn_conn_script(conn, "a; b; c; d", NULL, NULL, &err), TN_OK,
               "%s", err.message);
  cr_expect_eq(tn_conn_ping(conn, 0, &err), TN_E_TIMEOUT);
  fixture_close();
}

/* ---- what fails ---- */

Test(script, stops_at_the_first_failure_and_tells_which_one_it_was)
{
  static const struct fake_answer fails[] = {
    { .slot = FAKE_EXECUTE,
      .nth = 3,
      .category = -1,
      .native = 2067,
      .sqlstate = "23505",
      .message = "it is there already",
      .constraint = "c" },
  };
  static const char sql[] = "a;\nb ';\n';\n\n -- the third\n  c 'x\ny';\nd";

  SCRIPT_ANSWERS(fails);
  fixture_open();
  cr_expect_eq(tn_conn_script(conn, sql, NULL, NULL, &err), TN_E_DUPLICATE);
  cr_expect_str_eq(err.message, "statement 3 (line 6): it is there already");
  cr_expect_eq(err.code, TN_E_DUPLICATE);
  cr_expect_eq(err.native, 2067);
  cr_expect_str_eq(err.sqlstate, "23505");
  cr_expect_str_eq(err.constraint, "c");
  cr_expect_str_eq(err.backend, "fake");
  cr_expect_eq(script.calls[FAKE_EXECUTE], 3);
  atomic_store(&script.calls[FAKE_EXECUTE], 0);
  cr_expect_eq(tn_conn_script(conn, sql, NULL, NULL, NULL), TN_E_DUPLICATE);
  cr_expect_eq(script.calls[FAKE_EXECUTE], 3);
  fixture_expect_usable("a script");
  fixture_close();
}

Test(script, tells_the_statement_whatever_fails_of_it)
{
  static const struct {
    const char *sql;
    struct fake_answer answer;
    enum tn_code code;
    const char *message;
  } cases[] = {
    { "a; b ?",
      { .nth = 0 },
      TN_E_USAGE,
      "statement 2 (line 1): query: 0 values" },
    { "a;\nb 'x", { .nth = 0 }, TN_E_USAGE, "statement 2 (line 2): " },
    { "a;\n\xff", { .nth = 0 }, TN_E_CHARSET, "statement 2 (line 2): " },
    { "a; b",
      { .slot = FAKE_PREPARE, .nth = 2, .category = TN_E_SYNTAX },
      TN_E_SYNTAX,
      "statement 2 (line 1): " },
    { "a; select",
      { .slot = FAKE_FETCH, .nth = 2, .category = TN_E_IO },
      TN_E_IO,
      "statement 2 (line 1): " },
  };

  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    fixture_open();
    atomic_store(&script.calls[FAKE_PREPARE], 0);
    script.answers = &cases[i].answer;
    script.answer_count = cases[i].answer.slot != FAKE_CONNECT ? 1 : 0;
    cr_expect_eq(tn_conn_script(conn, cases[i].sql, NULL, NULL, &err),
                 cases[i].code, "case %zu: %s", i, err.message);
    cr_expect(
        strncmp(err.message, cases[i].message, strlen(cases[i].message)) == 0,
        "case %zu: %s", i, err.message);
    script.answer_count = 0;
    fixture_expect_usable("a script");
    tn_conn_close(&conn);
  }
  fixture_close();
}

Test(script, a_long_message_is_cut_between_characters)
{
  static char message[600];
  static struct fake_answer fails[] = {
    { .slot = FAKE_EXECUTE, .category = TN_E_OTHER, .message = message },
  };

  SCRIPT_ANSWERS(fails);
  fixture_open();
  for (size_t shift = 0; shift < 4; shift++) {
    tn_value shown;
    size_t size = shift;

    memset(message, 'x', shift);
    while (size + 2 < sizeof message) {
      memcpy(message + size, "\xc3\xa4", 3);
      size += 2;
    }
    cr_expect_eq(tn_conn_script(conn, "a", NULL, NULL, &err), TN_E_OTHER);
    shown = tn_text(err.message);
    cr_expect_eq(tn_value_check(&shown, NULL), TN_OK, "shift %zu: %s", shift,
                 err.message);
    cr_expect_gt(shown.as.bytes.size, 500);
    cr_expect_str_eq(err.message + shown.as.bytes.size - 3, "...");
    cr_expect(strncmp(err.message, "statement 1 (line 1): ", 22) == 0);
  }
  fixture_close();
}

/* ---- visitors ---- */

Test(script, stops_with_what_a_visitor_returns_in_its_own_words)
{
  struct visit visit = { .fail_at = 2,
                         .code = TN_E_CONFLICT,
                         .reason = "enough of it" };

  fixture_open();
  cr_expect_eq(tn_conn_script(conn, "a; select; b", visit_result, &visit, &err),
               TN_E_CONFLICT);
  cr_expect_str_eq(err.message, "enough of it");
  cr_expect_eq(visit.count, 2);
  fixture_expect_usable("a visitor");

  visit = (struct visit){ .fail_at = 1, .code = TN_E_CONFLICT };
  (void)tn_err_set(&err, TN_E_LOST, "of before");
  memcpy(err.backend, "fake", 5);
  cr_expect_eq(tn_conn_script(conn, "select", visit_result, &visit, &err),
               TN_E_CONFLICT);
  cr_expect_eq(err.code, TN_OK, "an old text was passed on: %s", err.message);
  cr_expect_eq(tn_conn_verdict(conn), TN_CONNECTION_USABLE);
  fixture_expect_usable("a silent visitor");
  fixture_close();
}

Test(script, names_the_statement_of_what_a_visitor_passes_on)
{
  static const struct fake_answer fails[] = {
    { .slot = FAKE_FETCH, .category = TN_E_IO, .message = "disk full" },
  };
  struct visit visit = { .reads = true };

  SCRIPT_ANSWERS(fails);
  fixture_open();
  cr_expect_eq(tn_conn_script(conn, "a; select", visit_result, &visit, &err),
               TN_E_IO);
  cr_expect_str_eq(err.message, "statement 2 (line 1): disk full");
  visit = (struct visit){ .reads = true };
  cr_expect_eq(tn_conn_script(conn, "a; select", visit_result, &visit, NULL),
               TN_E_IO);
  fixture_close();
}

Test(script, is_refused_as_a_whole_while_a_result_is_open)
{
  const struct tn_query query = { .sql = "select" };
  tn_result *result = NULL;

  fixture_open();
  cr_assert_eq(tn_conn_query(conn, &query, &result, &err), TN_OK);
  cr_expect_eq(tn_conn_script(conn, "a; b", NULL, NULL, &err), TN_E_STATE);
  cr_expect_eq(script.calls[FAKE_EXECUTE], 1);
  tn_result_close(&result);
  fixture_close();
}

Test(script, no_text_is_refused)
{
  struct tn_script_scan scan;

  fixture_open();
  cr_expect_eq(tn_conn_script(conn, NULL, NULL, NULL, &err), TN_E_USAGE);
  cr_expect_str_eq(err.message, "script: there is no text");
  tn_conn_script_scan(conn, NULL, &scan);
  cr_expect_eq(scan.statement_count, 0);
  cr_expect_eq(scan.is_complete, 1);
  fixture_close();
}

/* ---- memory ---- */

Test(script, gets_by_without_memory)
{
  fixture_open();
  for (long nth = 1;; nth++) {
    struct visit visit = { .reads = true };
    enum tn_code rc;
    long live;

    oom_fail_nth(nth, false);
    live = oom_live();
    rc = tn_conn_script(conn, "a; select", visit_result, &visit, &err);
    cr_assert_eq(oom_live(), live, "allocation %ld", nth);
    if (oom_count() < nth) {
      cr_expect_eq(rc, TN_OK, "%s", err.message);
      break;
    }
    cr_expect_eq(rc, TN_E_MEMORY, "allocation %ld: %s", nth, tn_code_name(rc));
    cr_expect_eq(err.code, TN_E_MEMORY);
    oom_reset();
    fixture_expect_usable("out of memory");
  }
  oom_reset();
  fixture_close();
}

/* ---- what would run ---- */

Test(script, is_scanned_without_running_or_allocating_anything)
{
  static const struct {
    const char *sql;
    uint64_t count;
    uint32_t is_complete;
  } cases[] = {
    { "", 0, 1 },       { " ; -- nothing\n", 0, 1 },
    { "a", 1, 0 },      { "a; -- b", 1, 1 },
    { "a ';", 1, 0 },   { "a ';';", 1, 1 },
    { "a; b", 2, 0 },   { "a; /* b", 2, 0 },
    { "a; b;;", 2, 1 },
  };

  fixture_open();
  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    struct tn_script_scan scan = { .statement_count = 77, .reserved = 77 };

    oom_fail_nth(0, false);
    tn_conn_script_scan(conn, cases[i].sql, &scan);
    cr_expect_eq(oom_count(), 0, "case %zu", i);
    oom_reset();
    cr_expect_eq(scan.statement_count, cases[i].count, "case %zu: \"%s\"", i,
                 cases[i].sql);
    cr_expect_eq(scan.is_complete, cases[i].is_complete, "case %zu: \"%s\"", i,
                 cases[i].sql);
    cr_expect_eq(scan.reserved, 0);
    cr_expect_eq(script.calls[FAKE_EXECUTE], 0, "case %zu", i);
  }
  fixture_close();
}
