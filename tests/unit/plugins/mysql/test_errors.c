/* Numbers as categories: those that the retry layer and the pool decide by are
 * listed, the rest by their kind. */
#include <criterion/criterion.h>

#include "fake_host.h"
#include "my_priv.h"

struct error_case {
  int32_t native;
  const char *sqlstate;
  int32_t category;
  int32_t connection;
  int32_t replay;
};

#define USABLE      TN_CONNECTION_USABLE
#define ABORTED     TN_CONNECTION_ABORTED
#define DEAD        TN_CONNECTION_DEAD
#define SAFE        TN_REPLAY_SAFE
#define TRANSACTION TN_REPLAY_TRANSACTION
#define NEVER       TN_REPLAY_NEVER

/* Before anything is asked of a server: errors.c corrects the verdict of a
 * transaction by what the server says. */
static const struct error_case cases[] = {
  /* the transaction as a whole */
  { 1213, "40001", TN_E_DEADLOCK, ABORTED, TRANSACTION },
  { 1205, "HY000", TN_E_LOCK_TIMEOUT, USABLE, TRANSACTION },
  { 1020, "HY000", TN_E_SERIALIZATION, ABORTED, TRANSACTION },
  { 3101, "40000", TN_E_SERIALIZATION, ABORTED, TRANSACTION },
  { 1614, "XA102", TN_E_DEADLOCK, ABORTED, TRANSACTION },
  { 3572, "HY000", TN_E_LOCK_TIMEOUT, USABLE, TRANSACTION },
  /* lost before or while something was sent */
  { 2002, "HY000", TN_E_CONNECT, DEAD, SAFE },
  { 2003, "HY000", TN_E_CONNECT, DEAD, SAFE },
  { 2005, "HY000", TN_E_CONNECT, DEAD, SAFE },
  { 2006, "HY000", TN_E_LOST, DEAD, TRANSACTION },
  { 2013, "HY000", TN_E_LOST, DEAD, TRANSACTION },
  { 2055, "HY000", TN_E_LOST, DEAD, TRANSACTION },
  { 1927, "70100", TN_E_LOST, DEAD, TRANSACTION },
  { 1053, "08S01", TN_E_LOST, DEAD, TRANSACTION },
  { 1047, "08S01", TN_E_LOST, DEAD, TRANSACTION },
  { 2026, "HY000", TN_E_CONNECT, DEAD, SAFE },
  /* not now, or never */
  { 1040, "08004", TN_E_LIMIT, DEAD, SAFE },
  { 1203, "42000", TN_E_LIMIT, DEAD, SAFE },
  { 1226, "42000", TN_E_LIMIT, USABLE, SAFE },
  { 1129, "HY000", TN_E_CONNECT, DEAD, NEVER },
  { 1045, "28000", TN_E_AUTH, DEAD, NEVER },
  { 1698, "28000", TN_E_AUTH, DEAD, NEVER },
  { 5010, "HY000", TN_E_AUTH, DEAD, NEVER },
  { 1044, "42000", TN_E_PERMISSION, USABLE, NEVER },
  { 1049, "42000", TN_E_NO_DATABASE, USABLE, NEVER },
  /* time-outs that keep the connection */
  { 1969, "70100", TN_E_TIMEOUT, USABLE, TRANSACTION },
  { 3024, "HY000", TN_E_TIMEOUT, USABLE, TRANSACTION },
  { 1317, "70100", TN_E_CANCELED, USABLE, TRANSACTION },
  /* the wrong server for the purpose */
  { 1290, "HY000", TN_E_READ_ONLY, USABLE, NEVER },
  { 1836, "HY000", TN_E_READ_ONLY, USABLE, NEVER },
  { 1792, "25006", TN_E_READ_ONLY, USABLE, NEVER },
  /* constraints, values, things */
  { 1062, "23000", TN_E_DUPLICATE, USABLE, NEVER },
  { 1452, "23000", TN_E_REFERENCE, USABLE, NEVER },
  { 1451, "23000", TN_E_REFERENCE, USABLE, NEVER },
  { 4025, "23000", TN_E_CHECK, USABLE, NEVER },
  { 3819, "HY000", TN_E_CHECK, USABLE, NEVER },
  { 1048, "23000", TN_E_NOT_NULL, USABLE, NEVER },
  { 1364, "HY000", TN_E_NOT_NULL, USABLE, NEVER },
  { 1406, "22001", TN_E_DATA, USABLE, NEVER },
  { 1690, "22003", TN_E_DATA, USABLE, NEVER },
  { 1146, "42S02", TN_E_NO_TABLE, USABLE, NEVER },
  { 1054, "42S22", TN_E_NO_COLUMN, USABLE, NEVER },
  { 1305, "42000", TN_E_NO_FUNCTION, USABLE, NEVER },
  { 1091, "42000", TN_E_NO_CONSTRAINT, USABLE, NEVER },
  { 1050, "42S01", TN_E_EXISTS, USABLE, NEVER },
  { 1064, "42000", TN_E_SYNTAX, USABLE, NEVER },
  { 1065, "42000", TN_E_USAGE, USABLE, NEVER },
  { 1142, "42000", TN_E_PERMISSION, USABLE, NEVER },
  { 1153, "08S01", TN_E_LIMIT, DEAD, NEVER },
  { 1114, "HY000", TN_E_IO, USABLE, NEVER },
  /* numbers without a row of their own */
  { 9999, "22012", TN_E_DATA, USABLE, NEVER },
  { 9999, "23999", TN_E_CONSTRAINT, USABLE, NEVER },
  { 9999, "08S01", TN_E_LOST, DEAD, TRANSACTION },
  { 9999, "40001", TN_E_SERIALIZATION, ABORTED, TRANSACTION },
  { 1644, "45000", TN_E_OTHER, USABLE, NEVER },
  { 1644, "23000", TN_E_CONSTRAINT, USABLE, NEVER },
};

Test(errors, a_number_has_its_category_and_verdicts)
{
  struct fake_call fake;
  size_t i;

  fake_call_init(&fake, &mysql__dialect_table);
  for (i = 0; i < MYSQL__COUNT(cases); i++) {
    const struct error_case *c = &cases[i];
    struct mysql__reason reason = { .native = c->native };

    snprintf(reason.sqlstate, sizeof reason.sqlstate, "%s", c->sqlstate);
    cr_expect_eq(mysql__fail_reason(&fake.call, &reason, "text"), c->category,
                 "case %zu: %d %s is %s", i, c->native, c->sqlstate,
                 tn_code_name(fake.err.code));
    cr_expect_eq(fake.err.connection, c->connection, "case %zu: %d: %s", i,
                 c->native, tn_connection_verdict_name(fake.err.connection));
    cr_expect_eq(fake.err.replay, c->replay, "case %zu: %d: %s", i, c->native,
                 tn_replay_verdict_name(fake.err.replay));
    cr_expect_eq(fake.err.native, c->native, "case %zu", i);
  }
}

Test(errors, no_number_has_two_rows)
{
  size_t i, j;

  for (i = 0; i < MYSQL__ERROR_COUNT; i++)
    for (j = i + 1; j < MYSQL__ERROR_COUNT; j++)
      cr_expect(mysql__errors[i].native == 0 ||
                    mysql__errors[i].native != mysql__errors[j].native,
                "%d stands twice", mysql__errors[i].native);
}

Test(errors, a_loss_is_what_leaves_no_connection)
{
  static const int32_t lost[] = { 2002, 2006, 2013, 1927, 1153, 1047, 2020 };
  static const int32_t kept[] = { 0, 1062, 1213, 1205, 1317, 1969, 9999 };
  size_t i;

  for (i = 0; i < MYSQL__COUNT(lost); i++)
    cr_expect(mysql__is_loss(lost[i]), "%d", lost[i]);
  for (i = 0; i < MYSQL__COUNT(kept); i++)
    cr_expect(!mysql__is_loss(kept[i]), "%d", kept[i]);
}
