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
