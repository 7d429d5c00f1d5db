/* The parameters of a statement, as the library will find them. */
#include <math.h>

#include "fields.h"
#include "oom.h"

struct bound {
  struct fake_call fake;
  struct mysql__params params;
};

static void
bound_init(struct bound *bound, uint32_t count,
           const struct mysql__limits *limits)
{
  memset(bound, 0, sizeof *bound);
  fake_call_init(&bound->fake, NULL);
  cr_assert_eq(
      mysql__params_init(&bound->params, count, limits, &bound->fake.call),
      TN_OK);
}

static int32_t
set_one(struct bound *bound, tn_value value)
{
  return mysql__params_set(&bound->params, &value, &bound->fake.call);
}

Test(bind, every_type_is_where_its_bind_points)
{
  static const uint8_t uuid[16] = { 0 };
  const struct {
    tn_value value;
    uint32_t type;
    bool is_unsigned;
    size_t size; /* of what is compared */
    const char *bytes;
  } cases[] = {
    { tn_bool(1), MYSQL_TYPE_LONGLONG, false, 8, "\x01\0\0\0\0\0\0\0" },
    { tn_int64(-2), MYSQL_TYPE_LONGLONG, false, 8,
      "\xfe\xff\xff\xff\xff\xff\xff\xff" },
    { tn_uint64(UINT64_MAX), MYSQL_TYPE_LONGLONG, true, 8,
      "\xff\xff\xff\xff\xff\xff\xff\xff" },
    { tn_double(1.0), MYSQL_TYPE_DOUBLE, false, 8, "\0\0\0\0\0\0\xf0\x3f" },
    { tn_decimal("1.50"), MYSQL_TYPE_NEWDECIMAL, false, 4, "1.50" },
    { tn_text("text"), MYSQL_TYPE_STRING, false, 4, "text" },
    { tn_bytes(TN_TEXT, "a\0b", 3), MYSQL_TYPE_STRING, false, 3, "a\0b" },
    { tn_blob("\xff\0", 2), MYSQL_TYPE_LONG_BLOB, false, 2, "\xff\0" },
    { tn_json("{}"), MYSQL_TYPE_STRING, false, 2, "{}" },
    { tn_uuid(uuid), MYSQL_TYPE_STRING, false, 36,
      "00000000-0000-0000-0000-000000000000" },
  };
  struct bound bound;
  size_t i;

  bound_init(&bound, 1, &limits_usual);
  for (i = 0; i < COUNT(cases); i++) {
    const MYSQL_BIND *bind = &bound.params.binds[0];

    cr_assert_eq(set_one(&bound, cases[i].value), TN_OK, "case %zu", i);
    cr_expect_eq((uint32_t)bind->buffer_type, cases[i].type, "case %zu", i);
    cr_expect_eq(bind->is_unsigned != 0, cases[i].is_unsigned, "case %zu", i);
    cr_expect_eq(*bind->is_null, 0, "case %zu", i);
    cr_expect_eq(memcmp(bind->buffer, cases[i].bytes, cases[i].size), 0,
                 "case %zu", i);
    if (cases[i].type != MYSQL_TYPE_LONGLONG &&
        cases[i].type != MYSQL_TYPE_DOUBLE)
      cr_expect_eq(*bind->length, cases[i].size, "case %zu", i);
  }
  mysql__params_clear(&bound.params);
}

Test(bind, times_are_where_their_bind_points)
{
  const struct {
    tn_value value;
    uint32_t type;
    unsigned year;
    unsigned hour;
  } cases[] = {
    { tn_date(0), MYSQL_TYPE_DATE, 1970, 0 },
    { tn_time(INT64_C(3600000000)), MYSQL_TYPE_TIME, 0, 1 },
    { tn_timestamp(INT64_C(3600000000)), MYSQL_TYPE_DATETIME, 1970, 1 },
    { tn_timestamp_zoned(INT64_C(7200000000), 3600), MYSQL_TYPE_TIMESTAMP, 1970,
      2 },
  };
  struct bound bound;
  size_t i;

  bound_init(&bound, 1, &limits_usual);
  for (i = 0; i < COUNT(cases); i++) {
    const MYSQL_TIME *time;

    cr_assert_eq(set_one(&bound, cases[i].value), TN_OK);
    time = bound.params.binds[0].buffer;
    cr_expect_eq((uint32_t)bound.params.binds[0].buffer_type, cases[i].type,
                 "case %zu", i);
    cr_expect_eq(time->year, cases[i].year, "case %zu", i);
    cr_expect_eq(time->hour, cases[i].hour, "case %zu", i);
  }
  mysql__params_clear(&bound.params);
}

/* To be bound anew costs more than all the rest. */
Test(bind, other_values_of_the_same_types_need_not_be_bound_anew)
{
  tn_value first[3] = { tn_int64(1), tn_text("some text"), tn_double(0.5) };
  tn_value second[3] = { tn_int64(2), tn_text("other"), tn_null() };
  struct bound bound;

  bound_init(&bound, 3, &limits_usual);
  cr_assert_eq(mysql__params_set(&bound.params, first, &bound.fake.call),
               TN_OK);
  cr_expect(bound.params.is_stale);
  bound.params.is_stale = false;
  cr_assert_eq(mysql__params_set(&bound.params, second, &bound.fake.call),
               TN_OK);
  cr_expect_not(bound.params.is_stale);
  cr_expect_eq(*bound.params.binds[2].is_null, 1);
  cr_expect_eq((uint32_t)bound.params.binds[2].buffer_type, MYSQL_TYPE_DOUBLE);
  cr_expect_eq(memcmp(bound.params.binds[1].buffer, "other", 5), 0);
  cr_assert_eq(mysql__params_set(&bound.params, first, &bound.fake.call),
               TN_OK);
  cr_expect_not(bound.params.is_stale);
  cr_expect_eq(*bound.params.binds[2].is_null, 0);
  mysql__params_clear(&bound.params);
}

Test(bind, what_the_library_must_be_told_marks_the_binds)
{
  static char longer[2000];
  static char other[2000];
  const tn_value values[] = {
    tn_null(),
    tn_int64(1),
    tn_uint64(1),
    tn_text("text"),
    tn_blob("", 0),
    tn_bytes(TN_BLOB, longer, sizeof longer),
    tn_bytes(TN_BLOB, other, sizeof other),
    tn_blob("x", 1),
    tn_int64(2),
  };
  struct bound bound;
  size_t i;

  bound_init(&bound, 1, &limits_usual);
  for (i = 0; i < COUNT(values); i++) {
    cr_assert_eq(set_one(&bound, values[i]), TN_OK);
    cr_expect(bound.params.is_stale, "case %zu", i);
    bound.params.is_stale = false;
  }
  mysql__params_clear(&bound.params);
}

Test(bind, a_long_value_is_lent_and_a_short_one_copied)
{
  char bytes[4000];
  struct bound bound;

  memset(bytes, 'a', sizeof bytes);
  bound_init(&bound, 1, &limits_usual);
  cr_assert_eq(set_one(&bound, tn_bytes(TN_TEXT, bytes, 1024)), TN_OK);
  cr_expect_neq(bound.params.binds[0].buffer, bytes);
  cr_assert_eq(set_one(&bound, tn_bytes(TN_TEXT, bytes, 1025)), TN_OK);
  cr_expect_eq(bound.params.binds[0].buffer, bytes);
  cr_expect_eq(*bound.params.binds[0].length, 1025);
  mysql__params_clear(&bound.params);
}

/* Without a buffer the library sends NULL. */
Test(bind, an_empty_value_has_a_buffer)
{
  struct bound bound;

  bound_init(&bound, 1, &limits_usual);
  cr_assert_eq(set_one(&bound, tn_bytes(TN_TEXT, "", 0)), TN_OK);
  cr_expect_not_null(bound.params.binds[0].buffer);
  cr_expect_eq(*bound.params.binds[0].length, 0);
  cr_expect_eq(*bound.params.binds[0].is_null, 0);
  mysql__params_clear(&bound.params);
}

Test(bind, what_is_refused_is_told_by_its_number)
{
  const tn_value bad[] = {
    tn_double((double)NAN),
    tn_decimal("1e70"),
    tn_array(TN_INT64, NULL, 0),
  };
  struct bound bound;
  size_t i;

  bound_init(&bound, 2, &limits_usual);
  for (i = 0; i < COUNT(bad); i++) {
    const tn_value values[2] = { tn_int64(1), bad[i] };
    int32_t rc = mysql__params_set(&bound.params, values, &bound.fake.call);

    cr_expect_eq(rc, i == 2 ? TN_E_UNSUPPORTED : TN_E_DATA, "case %zu", i);
    cr_expect_eq(bound.fake.err.parameter, 2, "case %zu", i);
    cr_expect_eq(bound.fake.err.row, 0, "case %zu", i);
  }
  mysql__params_clear(&bound.params);
}

Test(bind, more_than_a_request_may_have_is_refused_naming_the_longest)
{
  const struct mysql__limits narrow = { .packet = 400,
                                        .decimal_digits = 65,
                                        .decimal_scale = 30 };
  static char bytes[400];
  tn_value values[3] = { tn_int64(1), tn_bytes(TN_BLOB, bytes, 200),
                         tn_bytes(TN_BLOB, bytes, 80) };
  struct bound bound;

  bound_init(&bound, 3, &narrow);
  cr_expect_eq(mysql__params_set(&bound.params, values, &bound.fake.call),
               TN_OK);
  values[1].as.bytes.size = 250;
  cr_expect_eq(mysql__params_set(&bound.params, values, &bound.fake.call),
               TN_E_LIMIT);
  cr_expect_eq(bound.fake.err.parameter, 2);
  values[1].as.bytes.size = SIZE_MAX / 2;
  cr_expect_eq(mysql__params_set(&bound.params, values, &bound.fake.call),
               TN_E_LIMIT);
  mysql__params_clear(&bound.params);
}

Test(bind, no_parameters_need_no_memory)
{
  struct bound bound;

  bound_init(&bound, 0, &limits_usual);
  cr_expect_eq(mysql__params_set(&bound.params, NULL, &bound.fake.call), TN_OK);
  cr_expect_not(bound.params.is_stale);
  cr_expect_null(bound.params.binds);
  mysql__params_clear(&bound.params);
}

Test(bind, a_statement_that_is_not_prepared_takes_none)
{
  MYSQL *mysql = mysql_init(NULL);
  struct bound bound;
  MYSQL_STMT *stmt;

  cr_assert_not_null(mysql);
  stmt = mysql_stmt_init(mysql);
  cr_assert_not_null(stmt);
  bound_init(&bound, 1, &limits_usual);
  cr_expect_eq(mysql__params_bind(&bound.params, stmt, &bound.fake.call), TN_OK,
               "nothing to tell");
  cr_assert_eq(set_one(&bound, tn_int64(1)), TN_OK);
  cr_expect_eq(mysql__params_bind(&bound.params, stmt, &bound.fake.call),
               TN_E_INTERNAL);
  cr_expect(bound.params.is_stale);
  mysql__params_clear(&bound.params);
  mysql_stmt_close(stmt);
  mysql_close(mysql);
}

Test(bind, once_grown_nothing_is_allocated)
{
  struct bound bound;
  char bytes[1024];
  size_t size;

  memset(bytes, 'a', sizeof bytes);
  oom_fail_nth(0, false);
  bound_init(&bound, 1, &limits_usual);
  cr_assert_eq(set_one(&bound, tn_bytes(TN_TEXT, bytes, sizeof bytes)), TN_OK);
  oom_fail_nth(1, true);
  for (size = 0; size <= sizeof bytes; size += 31)
    cr_expect_eq(set_one(&bound, tn_bytes(TN_TEXT, bytes, size)), TN_OK);
  cr_expect_eq(oom_count(), 0);
  mysql__params_clear(&bound.params);
  cr_expect_eq(oom_live(), 0);
  oom_reset();
}

Test(bind, out_of_memory_is_told_and_leaves_nothing_behind)
{
  const tn_value values[3] = { tn_text("a"), tn_int64(1), tn_text("b") };
  long nth;

  for (nth = 1;; nth++) {
    struct mysql__params params = { 0 };
    struct fake_call fake;
    int32_t rc;

    fake_call_init(&fake, NULL);
    oom_fail_nth(nth, false);
    rc = mysql__params_init(&params, 3, &limits_usual, &fake.call);
    if (rc == TN_OK)
      rc = mysql__params_set(&params, values, &fake.call);
    cr_expect_eq(rc, oom_count() < nth ? TN_OK : TN_E_MEMORY, "allocation %ld",
                 nth);
    mysql__params_clear(&params);
    cr_assert_eq(oom_live(), 0, "allocation %ld", nth);
    if (oom_count() < nth)
      break;
  }
  cr_expect_eq(nth, 4);
  oom_reset();
}
