/* The table of SQLSTATEs: each row can be reached, and what counts is there. */
#include <criterion/criterion.h>
#include <ctype.h>

#include "fake_host.h"
#include "pg_priv.h"

static const struct {
  const char *sqlstate;
  int32_t category;
} rows[] = {
  { "23505", TN_E_DUPLICATE },    { "23503", TN_E_REFERENCE },
  { "23514", TN_E_CHECK },        { "23502", TN_E_NOT_NULL },
  { "23P01", TN_E_EXCLUSION },    { "23000", TN_E_CONSTRAINT },
  { "42P01", TN_E_NO_TABLE },     { "42703", TN_E_NO_COLUMN },
  { "42883", TN_E_NO_FUNCTION },  { "42601", TN_E_SYNTAX },
  { "42P07", TN_E_EXISTS },       { "42501", TN_E_PERMISSION },
  { "42804", TN_E_DATA },         { "22003", TN_E_DATA },
  { "22012", TN_E_DATA },         { "22021", TN_E_CHARSET },
  { "25001", TN_E_STATE },        { "25006", TN_E_READ_ONLY },
  { "25P02", TN_E_STATE },        { "3D000", TN_E_NO_DATABASE },
  { "3F000", TN_E_NO_DATABASE },  { "28P01", TN_E_AUTH },
  { "28000", TN_E_AUTH },         { "40001", TN_E_SERIALIZATION },
  { "40P01", TN_E_DEADLOCK },     { "53300", TN_E_LIMIT },
  { "53100", TN_E_IO },           { "53200", TN_E_MEMORY },
  { "55P03", TN_E_LOCK_TIMEOUT }, { "57014", TN_E_TIMEOUT },
  { "57P01", TN_E_LOST },         { "57P02", TN_E_LOST },
  { "57P03", TN_E_CONNECT },      { "08006", TN_E_LOST },
  { "25P03", TN_E_LOST },         { "0A000", TN_E_UNSUPPORTED },
  { "58030", TN_E_IO },           { "P0001", TN_E_OTHER },
  { "99999", TN_E_OTHER },
};

Test(errors, codes_have_their_category)
{
  size_t i;

  for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    struct tn_failure failure = { .size = sizeof failure,
                                  .sqlstate = rows[i].sqlstate,
                                  .message = "x" };
    struct fake_call fake;

    fake_call_init(&fake, &pg__dialect_table);
    cr_expect_eq(fake.call.host->fail(&fake.call, &failure), rows[i].category,
                 "%s: %s", rows[i].sqlstate, tn_code_name(fake.err.code));
  }
}

Test(errors, rows_are_codes_and_none_hides_another)
{
  size_t i, j, k;

  for (i = 0; i < PG__ERROR_COUNT; i++) {
    const struct tn_error_row *row = &pg__errors[i];
    size_t size = strlen(row->sqlstate);

    cr_expect(size == 5 || size == 2, "%s", row->sqlstate);
    for (k = 0; k < size; k++)
      cr_expect(isdigit((unsigned char)row->sqlstate[k]) ||
                    isupper((unsigned char)row->sqlstate[k]),
                "%s", row->sqlstate);
    cr_expect(row->category > TN_OK && row->category < TN_CODE_COUNT);
    cr_expect(row->name[0] != '\0');
    for (j = 0; j < i; j++)
      cr_expect_str_neq(row->sqlstate, pg__errors[j].sqlstate);
  }
}

Test(errors, what_ends_a_connection_says_so)
{
  static const char *const codes[] = { "57P01", "57P02", "25P03",
                                       "57P05", "08006", "53300" };
  size_t i;

  for (i = 0; i < sizeof codes / sizeof codes[0]; i++) {
    struct tn_failure failure = { .size = sizeof failure,
                                  .sqlstate = codes[i],
                                  .message = "x" };
    struct fake_call fake;

    fake_call_init(&fake, &pg__dialect_table);
    fake.call.host->fail(&fake.call, &failure);
    cr_expect_eq(fake.err.connection, TN_CONNECTION_DEAD, "%s", codes[i]);
  }
}
