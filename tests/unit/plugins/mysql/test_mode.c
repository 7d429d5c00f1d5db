/* The sql_mode of a session, as the server has it. */
#include "server.h"

static void
open_with(struct session *s, const char *mode)
{
  char option[64];

  snprintf(option, sizeof option, "sql_mode=%s", mode);
  session_open_with(s, option);
}

static const char IS_EMPTY[] = "SELECT @@SESSION.sql_mode = ''";
static const char IS_SERVERS[] =
    "SELECT @@SESSION.sql_mode = @@GLOBAL.sql_mode AND @@GLOBAL.sql_mode <> ''";
static const char IS_STRICT[] =
    "SELECT FIND_IN_SET('TRADITIONAL', @@SESSION.sql_mode) > 0";

static const struct {
  const char *mode;
  const char *query; /* that is 1 */
} cases[] = {
  { "", IS_EMPTY },
  { "default", IS_SERVERS },
  { "Default", IS_SERVERS },
  { "TRADITIONAL", IS_STRICT },
};

Test(mode, is_what_the_session_began_with_also_after_a_reset)
{
  size_t i;

  for (i = 0; i < COUNT(cases); i++) {
    struct session s;

    open_with(&s, cases[i].mode);
    cr_expect_eq(number(&s, cases[i].query), 1, "\"%s\"", cases[i].mode);
    cr_expect_eq(strstr(s.fake.log, "consider TRADITIONAL") != NULL,
                 cases[i].query != IS_STRICT, "\"%s\": %s", cases[i].mode,
                 s.fake.log);
    run(&s, "SET SESSION sql_mode = 'NO_ZERO_DATE'");
    cr_assert_eq(mysql__session_table.reset(s.handle, &s.fake.call), TN_OK);
    cr_expect_eq(number(&s, cases[i].query), 1, "\"%s\" again", cases[i].mode);
    session_close(&s);
  }
}

Test(mode, is_what_it_is_set_to)
{
  struct session s;
  size_t i;

  open_with(&s, "NO_ZERO_DATE");
  for (i = 0; i < COUNT(cases); i++) {
    cr_assert_eq(mysql__session_table.set_sql_mode(s.handle, cases[i].mode,
                                                   &s.fake.call),
                 TN_OK, "\"%s\": %s", cases[i].mode, s.fake.err.message);
    cr_expect_eq(number(&s, cases[i].query), 1, "\"%s\"", cases[i].mode);
  }
  session_close(&s);
}
