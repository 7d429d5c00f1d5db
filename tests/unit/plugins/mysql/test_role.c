/* Which server will do, without one. */
#include <criterion/criterion.h>

#include "my_priv.h"

Test(role, only_some_policies_ask_for_one)
{
  cr_expect_eq(mysql__role_of(NULL), MYSQL__ANY);
  cr_expect_eq(mysql__role_of("first"), MYSQL__ANY);
  cr_expect_eq(mysql__role_of("random"), MYSQL__ANY);
  cr_expect_eq(mysql__role_of("primary"), MYSQL__PRIMARY);
  cr_expect_eq(mysql__role_of("standby"), MYSQL__STANDBY);
  cr_expect_eq(mysql__role_of("prefer-standby"), MYSQL__PREFERRED);
}

Test(role, a_server_is_read_only_in_more_ways_than_one)
{
  static const struct {
    const char *server;
    const char *innodb;
    bool is_read_only;
  } cases[] = {
    { "0", "0", false },      { "", "", false },   { "OFF", "0", false },
    { "1", "0", true },       { "0", "1", true },  { "ON", "0", true },
    { "NO_LOCK", "0", true }, { "0", "ON", true },
  };
  struct mysql__conn conn;
  size_t i;

  for (i = 0; i < MYSQL__COUNT(cases); i++) {
    char cells[MYSQL__ROLE_CELLS][MYSQL__CELL_MAX];

    memset(&conn, 0, sizeof conn);
    conn.is_read_only = !cases[i].is_read_only;
    snprintf(cells[0], sizeof cells[0], "%s", cases[i].server);
    snprintf(cells[1], sizeof cells[1], "%s", cases[i].innodb);
    mysql__role_learn(&conn, cells);
    cr_expect_eq(conn.is_read_only, cases[i].is_read_only, "case %zu: %s %s", i,
                 cases[i].server, cases[i].innodb);
  }
}

Test(role, a_server_that_does_not_fit_is_told_why)
{
  static const struct {
    enum mysql__role role;
    bool is_read_only;
    const char *text;
  } cases[] = {
    { MYSQL__ANY, false, "" },
    { MYSQL__ANY, true, "" },
    { MYSQL__PRIMARY, false, "" },
    { MYSQL__PRIMARY, true,
      "is read-only, and host_policy=primary wants a primary" },
    { MYSQL__STANDBY, true, "" },
    { MYSQL__STANDBY, false,
      "is not read-only, and host_policy=standby wants a standby" },
    { MYSQL__PREFERRED, true, "" },
    { MYSQL__PREFERRED, false,
      "is not read-only, and host_policy=prefer-standby prefers a standby" },
  };
  size_t i;

  for (i = 0; i < MYSQL__COUNT(cases); i++) {
    struct mysql__reason reason = { .text = "" };
    struct mysql__conn conn;
    bool is_good = cases[i].text[0] == '\0';

    memset(&conn, 0, sizeof conn);
    conn.role = cases[i].role;
    conn.is_read_only = cases[i].is_read_only;
    cr_expect_eq(mysql__role_judge(&conn, &reason),
                 is_good ? TN_OK : TN_E_CONNECT, "case %zu", i);
    cr_expect_str_eq(reason.text, cases[i].text, "case %zu", i);
    cr_expect_eq(reason.category, is_good ? 0 : TN_E_CONNECT, "case %zu", i);
  }
}

Test(role, a_refused_write_tells_of_a_server_that_has_changed)
{
  static const struct {
    enum mysql__role role;
    unsigned number;
    const char *text;
    bool is_lost;
  } cases[] = {
    { MYSQL__PRIMARY, 1290,
      "The MariaDB server is running with the --read-only option so it cannot "
      "execute this statement",
      true },
    { MYSQL__PRIMARY, 1290,
      "The MySQL server is running with the --super-read-only option so it "
      "cannot execute this statement",
      true },
    { MYSQL__PRIMARY, 1290,
      "The MariaDB server is running with the --secure-file-priv option so it "
      "cannot execute this statement",
      false },
    { MYSQL__PRIMARY, 1836, "Running in read-only mode", true },
    { MYSQL__PRIMARY, 1874, "InnoDB is in read only mode.", true },
    { MYSQL__PRIMARY, 1792,
      "Cannot execute statement in a READ ONLY transaction", false },
    { MYSQL__ANY, 1836, "Running in read-only mode", false },
    { MYSQL__STANDBY, 1836, "Running in read-only mode", false },
  };
  size_t i;

  for (i = 0; i < MYSQL__COUNT(cases); i++) {
    struct mysql__conn conn;

    memset(&conn, 0, sizeof conn);
    conn.role = cases[i].role;
    cr_expect_eq(mysql__role_is_lost(&conn, cases[i].number, cases[i].text),
                 cases[i].is_lost, "case %zu: %s", i, cases[i].text);
  }
}
