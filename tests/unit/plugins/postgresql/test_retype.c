/* Parameters whose types the server cannot find out, on a real server: what it
 * is asked for instead, outside and inside of a transaction, and what is left
 * of that when nothing helps. */
#include "server.h"

#define VALUES_MAX 3
#define WAITING    300 /* more than may wait to be let go */

/* A value for each letter: of a type, or n for NULL. */
static const struct {
  const char *sql;
  const char *values;
  int32_t code;  /* of the run */
  uint32_t type; /* of the first column */
} cases[] = {
  /* several fit */
  { "SELECT $1 + $2", "ii", TN_OK, TN_INT64 },
  { "SELECT pg_catalog.date '2020-01-02' + $1", "i", TN_OK, TN_DATE },
  { "SELECT $1 + $2", "nd", TN_OK, TN_DOUBLE },
  { "SELECT $1 + $2", "nn", TN_OK, TN_INT64 },
  { "SELECT - $1", "m", TN_OK, TN_DECIMAL },
  { "SELECT sum($1)", "d", TN_OK, TN_DOUBLE },
  /* none is to be found */
  { "SELECT $1 IS NULL", "n", TN_OK, TN_BOOL },
  { "SELECT concat($1, $2)", "ti", TN_OK, TN_TEXT },
  /* what is left to the server has the type that it must have */
  { "SELECT 1 FROM pg_catalog.pg_class WHERE relkind = $1 AND ($2 IS NULL OR "
    "relname = $3)",
    "ttt", TN_OK, TN_INT64 },
  { "SELECT pg_catalog.substr('abc', $1) WHERE $2 IS NOT NULL", "ii", TN_OK,
    TN_TEXT },
  /* another in each place */
  { "SELECT 1 WHERE 1::bigint = $1 OR 'a'::text = $1", "i", TN_E_NO_FUNCTION,
    0 },
  /* a function of any type */
  { "SELECT pg_catalog.to_jsonb($1)", "i", TN_OK, TN_JSON },
  /* taken for a text, or a double */
  { "WITH RECURSIVE t(x) AS (SELECT $1 UNION ALL SELECT x + 1 FROM t WHERE x < "
    "$2) SELECT x FROM t",
    "ii", TN_OK, TN_INT64 },
  { "SELECT sum(x) FROM (VALUES ($1), ($2)) t(x)", "dd", TN_OK, TN_DOUBLE },
  { "SELECT coalesce($1, $2)", "ni", TN_OK, TN_INT64 },
  { "SELECT $1 UNION ALL SELECT $2", "in", TN_OK, TN_INT64 },
  { "SELECT pg_catalog.abs($1)", "i", TN_OK, TN_INT64 },
  { "SELECT pg_catalog.abs($1)", "d", TN_OK, TN_DOUBLE },
  { "SELECT ARRAY[$1, $2]", "ii", TN_OK, TN_ARRAY },
  { "SELECT pg_catalog.upper($1)", "n", TN_OK, TN_TEXT },
  /* what helps nobody */
  { "SELECT $1 + $2", "tt", TN_E_NO_FUNCTION, 0 },
  { "SELECT $1 + $2 + missing", "ii", TN_E_NO_COLUMN, 0 },
};

static tn_value
value_of(char letter)
{
  switch (letter) {
  case 'i':
    return tn_int64(2);
  case 'd':
    return tn_double(0.5);
  case 'm':
    return tn_decimal("1.5");
  case 't':
    return tn_text("r");
  default:
    return tn_null();
  }
}

/* Prepare it as the core does, and run it once; both codes are of the call. */
static int32_t
run(struct session *s, size_t i, void **statement, uint32_t *type)
{
  const char *sql = cases[i].sql;
  uint32_t given = (uint32_t)strlen(cases[i].values);
  struct tn_statement_info info = { .size = sizeof info,
                                    .parameter_count = given };
  tn_value values[VALUES_MAX];
  const struct tn_column *columns = NULL;
  void *result = NULL;
  uint32_t count = 0;
  int32_t rc;
  uint32_t at;

  for (at = 0; at < given; at++)
    values[at] = value_of(cases[i].values[at]);
  fake_call_again(&s->fake, 0);
  rc = pg__statement_table.prepare(s->handle, sql, strlen(sql), &s->fake.call,
                                   statement, &info);
  if (rc != TN_OK)
    return rc;
  cr_expect_eq(info.parameter_count, given, "%s", sql);
  cr_expect_neq(info.column_count, 0, "%s", sql);
  fake_call_again(&s->fake, 0);
  rc = pg__statement_table.execute(*statement, values, given, &s->fake.call,
                                   &result);
  if (rc != TN_OK)
    return rc;
  cr_assert_eq(
      pg__result_table.columns(result, &s->fake.call, &columns, &count), TN_OK);
  *type = (uint32_t)columns[0].type;
  pg__result_table.close(result, &s->fake.call);
  return TN_OK;
}

static void
exec(struct session *s, const char *sql)
{
  fake_call_again(&s->fake, 0);
  pg__enter(s->handle, &s->fake.call);
  cr_assert_eq(pg__exec(s->handle, sql, PG__WRITE, NULL, 0), TN_OK, "%s: %s",
               sql, s->fake.err.message);
}

static void
check_case(struct session *s, size_t i, bool in_txn)
{
  const struct pg__conn *conn = s->handle;
  void *statement = NULL;
  uint32_t type = 0;
  int32_t rc;

  if (in_txn)
    exec(s, "BEGIN");
  rc = run(s, i, &statement, &type);
  cr_expect_eq(rc, cases[i].code, "%s: %d: %s", cases[i].sql, (int)rc,
               s->fake.err.message);
  cr_expect_eq(type, cases[i].type, "%s: type %u", cases[i].sql,
               (unsigned)type);
  if (in_txn)
    cr_expect_eq(PQtransactionStatus(conn->pq),
                 rc == TN_OK ? PQTRANS_INTRANS : PQTRANS_INERROR, "%s",
                 cases[i].sql);
  if (statement != NULL)
    pg__statement_table.close(statement, &s->fake.call);
  if (in_txn)
    exec(s, "ROLLBACK");
}

/* `has_proxy`: nothing is kept in the server's session. */
static void
check_all(bool in_txn, bool has_proxy)
{
  struct session s;
  size_t i;

  session_open(&s);
  ((struct pg__conn *)s.handle)->has_proxy = has_proxy;
  for (i = 0; i < PG__COUNT(cases); i++)
    check_case(&s, i, in_txn);
  session_close(&s);
}

Test(retype, has_the_types_of_the_values)
{
  check_all(false, false);
}

Test(retype, does_no_harm_to_a_transaction)
{
  check_all(true, false);
}

Test(retype, needs_nothing_kept_in_the_session)
{
  check_all(false, true);
  check_all(true, true);
}

/* Without knowing how many there are, the server's complaint is passed on. */
Test(retype, is_not_for_statements_in_the_servers_own_form)
{
  static const char sql[] = "SELECT $1 IS NULL";
  struct tn_statement_info info = { .size = sizeof info };
  void *statement = NULL;
  struct session s;

  session_open(&s);
  fake_call_again(&s.fake, 0);
  cr_expect_eq(pg__statement_table.prepare(s.handle, sql, strlen(sql),
                                           &s.fake.call, &statement, &info),
               TN_E_SYNTAX);
  cr_expect_str_eq(s.fake.err.sqlstate, "42P18");
  session_close(&s);
}

/* Names cannot be let go within a transaction, and are not let go of without
 * end. */
Test(retype, takes_no_more_names_than_are_worth_it)
{
  struct pg__conn *conn;
  struct session s;
  int i;

  session_open(&s);
  conn = s.handle;
  exec(&s, "BEGIN");
  for (i = 0; i < WAITING; i++) {
    void *statement = NULL;
    uint32_t type = 0;

    cr_assert_eq(run(&s, 0, &statement, &type), TN_OK, "%d", i);
    pg__statement_table.close(statement, &s.fake.call);
    if (conn->idle_count >= 256)
      break;
  }
  cr_expect_lt(i, WAITING);
  exec(&s, "ROLLBACK");
  check_case(&s, 0, false);
  cr_expect_eq(conn->idle_count, 0);
  session_close(&s);
}
