/* Which rows go together in one request. */
#include <math.h>

#include "fields.h"

#define ROWS 6

struct taking {
  struct fake_call fake;
  struct mysql__limits limits;
  struct mysql__params params;
  struct mysql__array array;
};

static void
taking_init(struct taking *taking, uint32_t columns)
{
  memset(taking, 0, sizeof *taking);
  fake_call_init(&taking->fake, NULL);
  taking->limits = limits_usual;
  cr_assert_eq(mysql__params_init(&taking->params, columns, &taking->limits,
                                  &taking->fake.call),
               TN_OK);
  taking->array.params = &taking->params;
}

/* How many of `rows` go together. */
static uint32_t
taken(struct taking *taking, const tn_value *values, uint64_t rows,
      size_t max_bytes)
{
  taking->array.values = values;
  taking->array.first_row = 1;
  cr_assert_eq(
      mysql__array_take(&taking->array, rows, max_bytes, &taking->fake.call),
      TN_OK, "%s", taking->fake.err.message);
  return taking->array.rows;
}

#define MUCH ((size_t)1 << 20)

Test(array, rows_go_together_while_their_types_do)
{
  static const uint8_t uuid[16] = { 0 };
  const struct {
    tn_value values[ROWS];
    uint32_t together;
  } cases[] = {
    { { tn_int64(1), tn_int64(-2), tn_bool(1), tn_null(), tn_uint64(7),
        tn_uint64(INT64_MAX) },
      6 },
    { { tn_int64(1), tn_uint64(UINT64_MAX), tn_null(), tn_null(), tn_null(),
        tn_null() },
      1 },
    { { tn_uint64(UINT64_MAX), tn_int64(1), tn_int64(-1), tn_null(), tn_null(),
        tn_null() },
      2 },
    { { tn_null(), tn_null(), tn_text("a"), tn_json("[]"), tn_uuid(uuid),
        tn_text("") },
      6 },
    { { tn_null(), tn_text("a"), tn_blob("a", 1), tn_null(), tn_null(),
        tn_null() },
      2 },
    { { tn_text("1"), tn_int64(1), tn_null(), tn_null(), tn_null(), tn_null() },
      1 },
    { { tn_int64(1), tn_text("1"), tn_null(), tn_null(), tn_null(), tn_null() },
      1 },
    { { tn_int64(1), tn_decimal("1"), tn_null(), tn_null(), tn_null(),
        tn_null() },
      1 },
    { { tn_double(1), tn_double(2), tn_int64(1), tn_null(), tn_null(),
        tn_null() },
      2 },
    { { tn_date(1), tn_date(2), tn_timestamp(0), tn_null(), tn_null(),
        tn_null() },
      2 },
    { { tn_timestamp(0), tn_timestamp(1), tn_timestamp_zoned(0, 0), tn_null(),
        tn_null(), tn_null() },
      2 },
    { { tn_null(), tn_null(), tn_null(), tn_null(), tn_null(), tn_null() }, 6 },
    { { tn_int64(1), tn_double((double)NAN), tn_null(), tn_null(), tn_null(),
        tn_null() },
      1 },
  };
  struct taking taking;
  size_t i;

  taking_init(&taking, 1);
  for (i = 0; i < COUNT(cases); i++)
    cr_expect_eq(taken(&taking, cases[i].values, ROWS, MUCH), cases[i].together,
                 "case %zu: %u", i, (unsigned)taking.array.rows);
  mysql__params_clear(&taking.params);
}

Test(array, where_each_parameter_has_its_own_type_they_need_not_agree)
{
  const tn_value values[ROWS] = {
    tn_int64(1),    tn_text("1"), tn_null(),
    tn_double(0.5), tn_date(0),   tn_blob("", 0)
  };
  struct taking taking;

  taking_init(&taking, 1);
  taking.array.is_mixed = true;
  cr_expect_eq(taken(&taking, values, ROWS, MUCH), ROWS);
  mysql__params_clear(&taking.params);
}

Test(array, every_column_counts)
{
  const tn_value values[] = { tn_int64(1),  tn_text("a"), tn_int64(2),
                              tn_text("b"), tn_int64(3),  tn_int64(3) };
  struct taking taking;

  taking_init(&taking, 2);
  cr_expect_eq(taken(&taking, values, 3, MUCH), 2);
  mysql__params_clear(&taking.params);
}

Test(array, bytes_are_bounded_but_one_row_goes_always)
{
  static char bytes[10000];
  tn_value values[ROWS];
  struct taking taking;
  size_t i;

  for (i = 0; i < ROWS; i++)
    values[i] = tn_bytes(TN_BLOB, bytes, 1000);
  taking_init(&taking, 1);
  cr_expect_eq(taken(&taking, values, ROWS, 3500), 3);
  cr_expect_leq(taking.array.bytes, 3500);
  cr_expect_geq(taking.array.bytes, 3000);
  cr_expect_eq(taken(&taking, values, ROWS, 100), 1);
  values[0].as.bytes.size = 10000;
  cr_expect_eq(taken(&taking, values, ROWS, 3500), 1);
  mysql__params_clear(&taking.params);
}

Test(array, the_servers_limit_is_kept_and_a_longer_row_refused)
{
  static char bytes[10000];
  tn_value values[2] = { tn_bytes(TN_BLOB, bytes, 1000),
                         tn_bytes(TN_BLOB, bytes, 10000) };
  struct taking taking;

  taking_init(&taking, 1);
  taking.limits.packet = 5000;
  cr_expect_eq(taken(&taking, values, 2, MUCH), 1);
  taking.array.values++;
  taking.array.first_row = 41;
  cr_expect_eq(mysql__array_take(&taking.array, 1, MUCH, &taking.fake.call),
               TN_E_LIMIT);
  cr_expect_eq(taking.fake.err.parameter, 1);
  cr_expect_eq(taking.fake.err.row, 41);
  mysql__params_clear(&taking.params);
}

Test(array, a_refused_value_tells_its_row_and_its_parameter)
{
  const tn_value values[] = { tn_int64(1), tn_double((double)INFINITY) };
  struct taking taking;

  taking_init(&taking, 2);
  taking.array.values = values;
  taking.array.first_row = 1000001;
  cr_expect_eq(mysql__array_take(&taking.array, 1, MUCH, &taking.fake.call),
               TN_E_DATA);
  cr_expect_eq(taking.fake.err.row, 1000001);
  cr_expect_eq(taking.fake.err.parameter, 2);
  mysql__params_clear(&taking.params);
}

/* It looks again at rows that were looked at before. */
Test(array, what_was_taken_before_does_not_count)
{
  const tn_value values[] = { tn_int64(1), tn_int64(2), tn_text("a"),
                              tn_text("b") };
  struct taking taking;

  taking_init(&taking, 1);
  cr_expect_eq(taken(&taking, values, 4, MUCH), 2);
  cr_expect_eq(taken(&taking, values + 2, 2, MUCH), 2);
  cr_expect_eq(taken(&taking, values, 4, MUCH), 2);
  mysql__params_clear(&taking.params);
}

/* Rows may be looked at and then sent one by one. */
Test(array, further_rows_join_as_if_they_had_been_there)
{
  const tn_value first[] = { tn_null(), tn_int64(1) };
  const tn_value next[] = { tn_int64(1), tn_uint64(2), tn_text("a") };
  struct taking taking;
  size_t bytes;

  taking_init(&taking, 1);
  cr_expect_eq(taken(&taking, first, 2, MUCH), 2);
  bytes = taking.array.bytes;
  cr_expect_eq(mysql__array_join(&taking.array, next, 3, MUCH), 2);
  cr_expect_eq(taking.array.rows, 4);
  cr_expect(taking.array.is_ended);
  cr_expect_gt(taking.array.bytes, bytes);

  cr_expect_eq(taken(&taking, first, 2, MUCH), 2);
  cr_expect_not(taking.array.is_ended);
  cr_expect_eq(mysql__array_join(&taking.array, next, 2, bytes), 0);
  cr_expect_not(taking.array.is_ended, "it is only too long");
  mysql__params_clear(&taking.params);
}

Test(array, what_was_taken_does_not_change_what_is_bound)
{
  const tn_value values[] = { tn_int64(1), tn_int64(2) };
  struct taking taking;

  taking_init(&taking, 1);
  cr_assert_eq(mysql__params_set(&taking.params, &(tn_value){ .type = TN_NULL },
                                 &taking.fake.call),
               TN_OK);
  cr_expect_eq(taken(&taking, values, 2, MUCH), 2);
  taking.params.is_stale = false;
  cr_assert_eq(mysql__params_set(&taking.params, values, &taking.fake.call),
               TN_OK);
  cr_expect(taking.params.is_stale);
  cr_expect_eq((uint32_t)taking.params.binds[0].buffer_type,
               MYSQL_TYPE_LONGLONG);
  mysql__params_clear(&taking.params);
}

Test(array, a_statement_that_is_not_prepared_takes_none)
{
  const tn_value values[] = { tn_int64(1), tn_int64(2) };
  MYSQL *mysql = mysql_init(NULL);
  struct taking taking;
  MYSQL_STMT *stmt;
  int32_t rc;

  cr_assert_not_null(mysql);
  stmt = mysql_stmt_init(mysql);
  cr_assert_not_null(stmt);
  taking_init(&taking, 1);
  cr_assert_eq(taken(&taking, values, 2, MUCH), 2);
  rc = mysql__array_bind(&taking.array, stmt, &taking.fake.call);
  cr_expect_eq(rc, MYSQL__HAS_ARRAYS ? TN_E_INTERNAL : TN_E_UNSUPPORTED);
  mysql__array_unbind(&taking.array, stmt);
  mysql__params_clear(&taking.params);
  mysql_stmt_close(stmt);
  mysql_close(mysql);
}
