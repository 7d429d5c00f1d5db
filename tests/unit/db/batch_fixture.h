/* Batches on a backend that has none of its own, where the core runs one row
 * after another, and on one that has. */
#ifndef TENON_TESTS_BATCH_FIXTURE_H
#define TENON_TESTS_BATCH_FIXTURE_H

#include "fixture.h"

static const struct tn_column columns[] = { { "a", "int", TN_INT64, 0 } };
static const tn_value rows[] = { { .type = TN_INT64, .as.int64 = 7 },
                                 { .type = TN_INT64, .as.int64 = 8 } };
static const struct fake_result results[] = {
  { .sql = "insert",
    .info_flags = TN_RESULT_HAS_AFFECTED | TN_RESULT_HAS_KEY,
    .affected = 2,
    .generated_key = 12 },
  { .sql = "select",
    .columns = columns,
    .column_count = 1,
    .rows = rows,
    .row_count = 2 },
};
static const tn_value six[] = {
  { .type = TN_INT64, .as.int64 = 1 }, { .type = TN_INT64, .as.int64 = 2 },
  { .type = TN_INT64, .as.int64 = 3 }, { .type = TN_INT64, .as.int64 = 4 },
  { .type = TN_INT64, .as.int64 = 5 }, { .type = TN_INT64, .as.int64 = 6 },
};
static const struct tn_batch three_pairs = { .values = six,
                                             .value_count = 2,
                                             .row_count = 3 };
static const struct tn_batch three = { .values = six,
                                       .value_count = 1,
                                       .row_count = 3 };

static tn_prepared *prepared;

/* The ways of a backend. */
enum way { LOOP, OWN, WAYS };
static const char *const way_names[] = { "loop", "own" };

/* A fresh script, and `sql` prepared on a session of a backend of that way. */
static inline void
begin(enum way way, const char *sql)
{
  memset(&script, 0, sizeof script);
  script.has_trace = 1;
  memset(tables, 0, sizeof tables);
  if (way == OWN)
    fixture_enrich();
  SCRIPT_RESULTS(results);
  fixture_open();
  cr_assert_eq(tn_conn_prepare(conn, sql, 0, &prepared, &err), TN_OK, "%s",
               err.message);
  script.trace[0] = '\0';
}

static inline void
end(void)
{
  tn_prepared_close(&prepared);
  fixture_close();
}

static inline tn_result *
run(const struct tn_batch *batch)
{
  tn_result *result = NULL;

  cr_assert_eq(tn_prepared_batch(prepared, batch, &result, &err), TN_OK, "%s",
               err.message);
  return result;
}

/* It fails, and so it does without an error object. */
static inline void
expect_failure(const struct tn_batch *batch, enum tn_code code,
               const char *what)
{
  tn_result *result = UNTOUCHED(tn_result);

  tn_err_clear(&err);
  cr_expect_eq(tn_prepared_batch(prepared, batch, &result, &err), code,
               "%s: %s", what, err.message);
  cr_expect_eq(err.code, (int32_t)code, "%s", what);
  cr_expect_eq(result, UNTOUCHED(tn_result), "%s", what);
}

/* The rows of the present set. */
static inline void
expect_set(tn_result *result, const char *what)
{
  const tn_value *row = NULL;

  cr_expect_eq(tn_result_column_count(result), 1, "%s", what);
  cr_expect_str_eq(tn_result_column_name(result, 0), "a", "%s", what);
  for (size_t i = 0; i <= TN_COUNT(rows); i++) {
    cr_assert_eq(tn_result_next(result, &row, &err), TN_OK, "%s: %s", what,
                 err.message);
    if (i < TN_COUNT(rows))
      cr_expect_eq(row[0].as.int64, rows[i].as.int64, "%s", what);
    else
      cr_expect_eq(row, NULL, "%s", what);
  }
}

static inline int
next_set(tn_result *result)
{
  int has_set = 77;

  cr_assert_eq(tn_result_next_set(result, &has_set, &err), TN_OK, "%s",
               err.message);
  return has_set;
}

/* Is the slot one that a backend of that way has? */
static inline bool
is_of(enum way way, enum fake_slot slot)
{
  return slot != (way == LOOP ? FAKE_EXECUTE_BATCH : FAKE_EXECUTE);
}

/* All rows of all sets. */
static inline enum tn_code
read_all(tn_result *result)
{
  const tn_value *row = NULL;
  int has_set = 1;
  enum tn_code rc = TN_OK;

  while (rc == TN_OK && has_set) {
    do
      rc = tn_result_next(result, &row, &err);
    while (rc == TN_OK && row != NULL);
    if (rc == TN_OK)
      rc = tn_result_next_set(result, &has_set, &err);
  }
  return rc;
}

#endif
