/* A parameter on its own: a value comes back as what it was bound as, without
 * a column to say what it is; where the backend cannot, as what its quirks
 * say, and never as another value. */
#include "suite.h"

#include <math.h>

static const uint8_t UUID[16] = { 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc,
                                  0xde, 0xf0, 0x00, 0x11, 0x22, 0x33,
                                  0x44, 0x55, 0x66, 0x77 };

struct bound {
  const char *quirk; /* the type that it comes back as */
  tn_value value;
  const char *holds; /* quirk that must say "yes", else it is left out; or
                        NULL */
};

/* As bound, or converted without loss. */
static void
check_selected(struct suite *suite, const struct bound *bound,
               const tn_value *got)
{
  const char *wanted = quirk(suite, bound->quirk);
  char buffer[TN_VALUE_PRINT_MAX];
  char text[160];
  tn_value value = bound->value;
  tn_value back = tn_null();
  tn_err err = TN_ERR_INIT;

  if ((value.flags & TN_VALUE_ZONED) != 0 &&
      quirk_is(suite, "select.zone", "UTC"))
    value = tn_timestamp(value.as.micros);
  tn_value_print(got, text, sizeof text);
  CHECK(suite, strcmp(tn_type_name(got->type), wanted) == 0,
        "%s: came back as %s: %s", bound->quirk, tn_type_name(got->type), text);
  if (CHECK_CODE(
          suite,
          tn_value_convert(got, value.type, buffer, sizeof buffer, &back, &err),
          TN_OK, &err, bound->quirk))
    CHECK(suite, tn_value_equal(&back, &value), "%s: came back as %s",
          bound->quirk, text);
}

static void
select_one(struct suite *suite, tn_conn *conn, const struct bound *bound)
{
  const struct tn_query query = { .sql = "SELECT ? AS n",
                                  .values = &bound->value,
                                  .value_count = 1 };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;
  enum tn_code rc = tn_conn_query(conn, &query, &result, &err);

  if (quirk_is(suite, bound->quirk, "refused")) {
    CHECK(suite, rc == TN_E_DATA || rc == TN_E_UNSUPPORTED,
          "%s: not refused but %s", bound->quirk, tn_code_name(rc));
    CHECK(suite, err.parameter == 1, "%s: parameter %d", bound->quirk,
          (int)err.parameter);
    return;
  }
  if (!CHECK_CODE(suite, rc, TN_OK, &err, bound->quirk))
    return;
  CHECK(suite, strcmp(tn_result_column_name(result, 0), "n") == 0,
        "%s: column \"%s\"", bound->quirk, tn_result_column_name(result, 0));
  CHECK_CODE(suite, tn_result_next(result, &row, &err), TN_OK, &err,
             bound->quirk);
  CHECK(suite, row != NULL, "%s: no row", bound->quirk);
  if (row != NULL)
    check_selected(suite, bound, row);
}

static void
comes_back_as_bound(struct suite *suite)
{
  const struct bound cases[] = {
    { "select.bool", tn_bool(1), NULL },
    { "select.bool", tn_bool(0), NULL },
    { "select.int64", tn_int64(0), NULL },
    { "select.int64", tn_int64(INT64_MIN), NULL },
    { "select.int64", tn_int64(INT64_MAX), NULL },
    { "select.uint64", tn_uint64(1), NULL },
    { "select.double", tn_double(0.1), NULL },
    { "select.double", tn_double(-1.7976931348623157e308), "holds.all_digits" },
    { "select.double", tn_double(3), NULL },
    { "select.decimal", tn_decimal("0.1"), NULL },
    { "select.decimal", tn_decimal("-12345678901234567890.123456789"), NULL },
    { "select.text", tn_text(""), NULL },
    { "select.text", tn_text("1"), NULL },
    { "select.text", tn_text("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80"), NULL },
    { "select.blob", tn_blob("", 0), NULL },
    { "select.blob", tn_blob("a\0b\xff", 4), NULL },
    { "select.date", tn_date(19000), NULL },
    { "select.time", tn_time(INT64_C(3723000001)), NULL },
    { "select.timestamp", tn_timestamp(INT64_C(1700000000123456)), NULL },
    { "select.timestamp_zoned",
      tn_timestamp_zoned(INT64_C(1700000000123456), 7200), NULL },
    { "select.uuid", tn_uuid(UUID), NULL },
    { "select.json", tn_json("{\"a\": [1, null]}"), NULL },
  };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  size_t i;

  if (!suite_owes(suite, TN_CAP_EXPRESSIONS) ||
      (conn = suite_connect(suite)) == NULL)
    return;
  for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
    if (cases[i].holds == NULL || quirk_is(suite, cases[i].holds, "yes"))
      select_one(suite, conn, &cases[i]);
}

static void
null_comes_back_as_null(struct suite *suite)
{
  const tn_value values[] = { tn_null(), tn_int64(1) };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;

  if (!suite_owes(suite, TN_CAP_EXPRESSIONS) ||
      (conn = suite_connect(suite)) == NULL)
    return;
  result = suite_query(suite, conn, "SELECT ?, ?", values, 2);
  if (result == NULL)
    return;
  CHECK_CODE(suite, tn_result_next(result, &row, &err), TN_OK, &err, "next");
  CHECK(suite, row != NULL && row[0].type == TN_NULL, "NULL is not NULL");
  CHECK(suite, row != NULL && row[1].as.int64 == 1, "nor 1 any more 1");
}

/* One prepared statement, run with values of one type after another: what was
 * found out of the first must not be taken for the next. */
static void
type_may_change_from_run_to_run(struct suite *suite)
{
  const tn_value values[] = { tn_int64(1),    tn_text("one"), tn_null(),
                              tn_double(0.5), tn_int64(-1),   tn_text("two") };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_prepared_close) tn_prepared *prepared = NULL;
  tn_err err = TN_ERR_INIT;
  size_t i;

  if (!suite_owes(suite, TN_CAP_EXPRESSIONS) ||
      (conn = suite_connect(suite)) == NULL ||
      !CHECK_CODE(suite,
                  tn_conn_prepare(conn, "SELECT ? AS n", 0, &prepared, &err),
                  TN_OK, &err, "prepare"))
    return;
  for (i = 0; i < sizeof values / sizeof values[0]; i++) {
    const struct tn_query query = { .values = &values[i], .value_count = 1 };
    TN_CLEANUP(tn_result_close) tn_result *result = NULL;
    const tn_value *row = NULL;

    if (!CHECK_CODE(suite, tn_prepared_query(prepared, &query, &result, &err),
                    TN_OK, &err, tn_type_name(values[i].type)))
      continue;
    CHECK_CODE(suite, tn_result_next(result, &row, &err), TN_OK, &err, "next");
    if (row != NULL)
      CHECK_VALUE(suite, row, &values[i], "SELECT ?");
  }
}

/* What `sql` makes of two values: one value, which is no NULL. */
static void
check_made(struct suite *suite, tn_prepared *prepared, const tn_value values[2],
           const tn_value *wanted)
{
  const struct tn_query query = { .values = values, .value_count = 2 };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;

  if (!CHECK_CODE(suite, tn_prepared_query(prepared, &query, &result, &err),
                  TN_OK, &err, "query"))
    return;
  CHECK_CODE(suite, tn_result_next(result, &row, &err), TN_OK, &err, "next");
  if (row != NULL)
    CHECK_VALUE(suite, row, wanted, "row");
}

/* Prepare it, in a transaction, and have it make `wanted[i]` of the ith pair of
 * values. */
static void
check_pairs(struct suite *suite, const char *sql, const tn_value pairs[][2],
            const tn_value *wanted, size_t count)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = suite_connect(suite);
  TN_CLEANUP(tn_prepared_close) tn_prepared *prepared = NULL;
  tn_err err = TN_ERR_INIT;
  size_t i;

  if (conn == NULL || !suite_begin(suite, conn) ||
      !CHECK_CODE(suite, tn_conn_prepare(conn, sql, 0, &prepared, &err), TN_OK,
                  &err, "prepare"))
    return;
  for (i = 0; i < count; i++)
    check_made(suite, prepared, pairs[i], &wanted[i]);
  CHECK_CODE(suite, tn_conn_commit(conn, &err), TN_OK, &err, "commit");
}

/* Where the statement alone does not say what its parameters are. */
static void
types_come_from_the_values(struct suite *suite)
{
  const tn_value sums[][2] = { { tn_int64(5), tn_int64(6) },
                               { tn_double(0.5), tn_double(0.25) },
                               { tn_int64(-1), tn_double(0.5) } };
  const tn_value sum[] = { tn_int64(11), tn_double(0.75), tn_double(-0.5) };
  const tn_value nulls[][2] = { { tn_null(), tn_text("x") },
                                { tn_int64(1), tn_null() },
                                { tn_text("one"), tn_int64(2) },
                                { tn_null(), tn_null() } };
  const tn_value null[] = { tn_int64(1), tn_int64(2), tn_int64(0),
                            tn_int64(3) };

  if (!suite_owes(suite, TN_CAP_EXPRESSIONS | TN_CAP_TRANSACTION))
    return;
  check_pairs(suite, "SELECT ? + ? AS n", sums, sum, 3);
  if (quirk_is(suite, "select.bare", "yes"))
    check_pairs(suite,
                "SELECT CASE WHEN ? IS NULL THEN 1 ELSE 0 END + "
                "CASE WHEN ? IS NULL THEN 2 ELSE 0 END AS n",
                nulls, null, 4);
}

const struct suite_case cases_select[] = {
  { "select: a value comes back as it was bound", comes_back_as_bound },
  { "select: NULL comes back as NULL", null_comes_back_as_null },
  { "select: the type may change from run to run",
    type_may_change_from_run_to_run },
  { "select: types come from the values", types_come_from_the_values },
  { NULL, NULL },
};
