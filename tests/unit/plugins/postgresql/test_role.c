/* Whether a server still is what is wanted: this one is a primary. */
#include "server.h"

Test(role, has_the_words_of_libpq)
{
  cr_expect_eq(pg__role_of("any"), PG__ANY);
  cr_expect_eq(pg__role_of("prefer-standby"), PG__ANY);
  cr_expect_eq(pg__role_of("primary"), PG__PRIMARY);
  cr_expect_eq(pg__role_of("standby"), PG__STANDBY);
  cr_expect_eq(pg__role_of("read-write"), PG__READ_WRITE);
  cr_expect_eq(pg__role_of("read-only"), PG__READ_ONLY);
}

static const struct {
  enum pg__role role;
  const char *sql; /* run before */
  bool has_access; /* and it was the user's wish */
  bool is_lost;
} cases[] = {
  { PG__ANY, "SELECT 1", false, false },
  { PG__PRIMARY, "SELECT 1", false, false },
  { PG__STANDBY, "SELECT 1", false, true },
  { PG__READ_WRITE, "SELECT 1", false, false },
  { PG__READ_ONLY, "SELECT 1", false, true },
  { PG__PRIMARY, "SET default_transaction_read_only = on", false, false },
  { PG__READ_WRITE, "SET default_transaction_read_only = on", false, true },
  { PG__READ_WRITE, "SET default_transaction_read_only = on", true, false },
  { PG__READ_ONLY, "SET default_transaction_read_only = on", false, false },
  { PG__READ_ONLY, "SET default_transaction_read_only = off", true, false },
};

/* `has_proxy`: the server is asked; else it has told. */
static void
check_case(size_t i, bool has_proxy)
{
  struct session s;
  struct pg__conn *conn;
  int32_t rc;

  session_open(&s);
  conn = s.handle;
  fake_call_again(&s.fake, 0);
  pg__enter(conn, &s.fake.call);
  cr_assert_eq(pg__exec(conn, cases[i].sql, PG__READ, NULL, 0), TN_OK);
  conn->role = cases[i].role;
  conn->has_access = cases[i].has_access;
  conn->has_proxy = has_proxy;
  cr_expect_eq(pg__role_is_lost(conn), cases[i].is_lost && !has_proxy,
               "case %zu", i);
  rc = pg__role_check(conn);
  cr_expect_eq(rc, cases[i].is_lost ? TN_E_CONNECT : TN_OK, "case %zu: %s", i,
               s.fake.err.message);
  cr_expect_eq(conn->pq == NULL, cases[i].is_lost, "case %zu", i);
  if (cases[i].is_lost)
    cr_expect_eq(s.fake.err.connection, TN_CONNECTION_DEAD, "case %zu", i);
  session_close(&s);
}

Test(role, is_known_from_what_the_server_tells)
{
  size_t i;

  for (i = 0; i < PG__COUNT(cases); i++)
    check_case(i, false);
}

Test(role, is_asked_for_behind_a_proxy)
{
  size_t i;

  for (i = 0; i < PG__COUNT(cases); i++)
    check_case(i, true);
}
