/* Lines of an engine's log that tests compare: times are "T ms". */
#ifndef TENON_TESTS_TOLD_FIXTURE_H
#define TENON_TESTS_TOLD_FIXTURE_H

#include "engine_fixture.h"

static char told_text[sizeof log_text];

/* The log so far, which is empty again. */
static inline const char *
told_lines(void)
{
  const char *from = log_text;
  char *to = told_text;

  while (*from != '\0') {
    size_t digits = strspn(from, "0123456789.");

    if (digits > 0 && strncmp(from + digits, " ms", 3) == 0) {
      *to++ = 'T';
      from += digits;
    } else {
      *to++ = *from++;
    }
  }
  *to = '\0';
  log_text[0] = '\0';
  return told_text;
}

static inline tn_conn *
take_as(const char *label)
{
  const struct tn_loan loan = { .label = label };
  tn_conn *taken = NULL;

  cr_assert_eq(tn_engine_take(engine, &loan, &taken, &err), TN_OK, "%s",
               err.message);
  return taken;
}

/* Run it with values and read its rows. */
static inline enum tn_code
run_with(tn_conn *on, const char *sql, const tn_value *values, size_t count)
{
  const struct tn_query query = { .sql = sql,
                                  .values = values,
                                  .value_count = count };
  tn_result *result = NULL;
  const tn_value *row = NULL;
  enum tn_code rc = tn_conn_query(on, &query, &result, &err);

  if (rc != TN_OK)
    return rc;
  do
    rc = tn_result_next(result, &row, &err);
  while (rc == TN_OK && row != NULL);
  tn_result_close(&result);
  return rc;
}

#endif
