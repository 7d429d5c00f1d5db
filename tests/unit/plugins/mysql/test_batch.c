/* Batches into tables that know no transactions, or no savepoints. */
#include "server.h"

/* So many that they are two requests. */
#define ROWS 1500
#define SIZE 1000

static tn_value values[ROWS * 2];
static char text[SIZE + 1];

static void
make_rows(void)
{
  size_t i;

  memset(text, 'x', SIZE);
  for (i = 0; i < ROWS; i++) {
    values[2 * i] = tn_int64((int64_t)i);
    values[2 * i + 1] = tn_text(text);
  }
}

static int32_t
insert(struct session *s)
{
  static const char sql[] = "INSERT INTO tn_batch VALUES (?, ?)";
  const struct tn_statement_table *table = &mysql__statement_table;
  struct tn_statement_info info = { .size = sizeof info };
  void *statement = NULL, *result = NULL;
  int32_t rc = table->prepare(s->handle, sql, sizeof sql - 1, &s->fake.call,
                              &statement, &info);

  cr_assert_eq(rc, TN_OK, "%s", s->fake.err.message);
  rc = table->execute_batch(statement, values, 2, ROWS, &s->fake.call, &result);
  if (rc == TN_OK)
    mysql__result_table.close(result, &s->fake.call);
  table->close(statement, &s->fake.call);
  return rc;
}

static void
create_table(struct session *s, const char *engine)
{
  char sql[160];

  run(s, "DROP TABLE IF EXISTS tn_batch");
  snprintf(sql, sizeof sql,
           "CREATE TABLE tn_batch (id INT, t VARCHAR(%d) NOT NULL) ENGINE = %s",
           SIZE, engine);
  run(s, sql);
}

static const char *const engines[] = { "InnoDB", "MyISAM", "Aria" };

Test(batch, rows_of_several_requests_arrive_whatever_the_engine)
{
  struct session s;
  size_t i;

  session_open(&s);
  make_rows();
  for (i = 0; i < COUNT(engines); i++) {
    create_table(&s, engines[i]);
    run(&s, "START TRANSACTION");
    cr_expect_eq(insert(&s), TN_OK, "%s: %s", engines[i], s.fake.err.message);
    run(&s, "COMMIT");
    cr_expect_eq(number(&s, "SELECT COUNT(DISTINCT id) FROM tn_batch"), ROWS,
                 "%s", engines[i]);
    cr_expect_eq(number(&s, "SELECT COUNT(*) FROM tn_batch"), ROWS, "%s",
                 engines[i]);
    fake_call_again(&s.fake, 0);
  }
  run(&s, "DROP TABLE tn_batch");
  session_close(&s);
}

Test(batch, a_failure_is_the_rows_own_whatever_the_engine)
{
  struct session s;
  size_t i;

  session_open(&s);
  make_rows();
  values[2 * 500 + 1] = tn_null();
  for (i = 0; i < COUNT(engines); i++) {
    int64_t found;

    create_table(&s, engines[i]);
    run(&s, "START TRANSACTION");
    cr_expect_eq(insert(&s), TN_E_NOT_NULL, "%s: %s", engines[i],
                 s.fake.err.message);
    cr_expect_eq(s.fake.err.code, TN_E_NOT_NULL, "%s: %s", engines[i],
                 s.fake.err.message);
    run(&s, "COMMIT");
    found = number(&s, "SELECT COUNT(*) FROM tn_batch");
    cr_expect_leq(found, 500, "%s", engines[i]);
    cr_expect_eq(number(&s, "SELECT COUNT(DISTINCT id) FROM tn_batch"), found,
                 "%s", engines[i]);
    fake_call_again(&s.fake, 0);
  }
  run(&s, "DROP TABLE tn_batch");
  session_close(&s);
}
