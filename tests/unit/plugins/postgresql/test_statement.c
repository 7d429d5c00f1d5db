/* A statement whose table is altered between two runs, on a real server. */
#include "server.h"

static void
exec(struct session *s, const char *sql)
{
  fake_call_again(&s->fake, 0);
  pg__enter(s->handle, &s->fake.call);
  cr_assert_eq(pg__exec(s->handle, sql, PG__WRITE, NULL, 0), TN_OK, "%s: %s",
               sql, s->fake.err.message);
}

static int32_t
run(struct session *s, void *statement)
{
  void *result = NULL;
  int32_t rc;

  fake_call_again(&s->fake, 0);
  rc = pg__statement_table.execute(statement, NULL, 0, &s->fake.call, &result);
  if (rc == TN_OK)
    pg__result_table.close(result, &s->fake.call);
  return rc;
}

static void *
prepare(struct session *s, const char *sql)
{
  struct tn_statement_info info = { .size = sizeof info };
  void *statement = NULL;

  fake_call_again(&s->fake, 0);
  cr_assert_eq(pg__statement_table.prepare(s->handle, sql, strlen(sql),
                                           &s->fake.call, &statement, &info),
               TN_OK, "%s", s->fake.err.message);
  return statement;
}

/* What a transaction had done before is lost, but by no fault of its own. */
Test(statement, that_is_outdated_in_a_transaction_may_be_replayed)
{
  struct session s;
  void *statement;
  int32_t rc;

  session_open(&s);
  exec(&s, "CREATE TEMPORARY TABLE altered (a int)");
  statement = prepare(&s, "SELECT * FROM altered");
  exec(&s, "SELECT 1"); /* from now on it is kept, with a name */
  cr_assert_eq(run(&s, statement), TN_OK);
  exec(&s, "ALTER TABLE altered ADD COLUMN b int; BEGIN");
  rc = run(&s, statement);
  cr_expect_eq(rc, TN_E_SERIALIZATION, "%d: %s", (int)rc, s.fake.err.message);
  cr_expect_eq(s.fake.err.replay, TN_REPLAY_TRANSACTION);
  exec(&s, "ROLLBACK; BEGIN");
  rc = run(&s, statement);
  cr_expect_eq(rc, TN_OK, "%d: %s", (int)rc, s.fake.err.message);
  exec(&s, "COMMIT");
  pg__statement_table.close(statement, &s.fake.call);
  session_close(&s);
}

Test(statement, that_is_outdated_is_prepared_anew)
{
  struct session s;
  void *statement;

  session_open(&s);
  exec(&s, "CREATE TEMPORARY TABLE altered (a int)");
  statement = prepare(&s, "SELECT * FROM altered");
  cr_assert_eq(run(&s, statement), TN_OK);
  exec(&s, "ALTER TABLE altered ADD COLUMN b int");
  cr_expect_eq(run(&s, statement), TN_OK);
  pg__statement_table.close(statement, &s.fake.call);
  session_close(&s);
}

static int32_t
run_text(struct session *s, const char *sql)
{
  void *statement = prepare(s, sql);
  int32_t rc = run(s, statement);

  pg__statement_table.close(statement, &s->fake.call);
  return rc;
}

/* A name of the user's; ours stay. */
Test(statement, that_the_user_has_prepared_does_not_outlive_a_reset)
{
  struct session s;
  void *kept;

  session_open(&s);
  kept = prepare(&s, "SELECT 1");
  cr_expect_eq(run_text(&s, "PREPARE \"a b\" AS SELECT 2"), TN_OK);
  cr_expect_eq(run_text(&s, "PREPARE \"a b\" AS SELECT 2"), TN_E_EXISTS);
  fake_call_again(&s.fake, 0);
  cr_assert_eq(pg__session_table.reset(s.handle, &s.fake.call), TN_OK, "%s",
               s.fake.err.message);
  cr_expect_eq(run_text(&s, "PREPARE \"a b\" AS SELECT 2"), TN_OK);
  cr_expect_eq(run(&s, kept), TN_OK);
  pg__statement_table.close(kept, &s.fake.call);
  session_close(&s);
}

/* Nobody in between has dealt out another session of the server's. */
Test(statement, of_another_name_that_is_missing_tells_of_no_proxy)
{
  struct session s;

  session_open(&s);
  cr_expect_eq(run_text(&s, "EXECUTE nobody"), TN_E_STATE);
  cr_expect_not(((struct pg__conn *)s.handle)->has_proxy);
  session_close(&s);
}
