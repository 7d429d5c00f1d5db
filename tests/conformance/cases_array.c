/* Arrays come back equal where the backend has them, and are refused by the
 * parameter's number where it has not. */
#include "suite.h"

static enum tn_code
insert_array(tn_conn *conn, const tn_value *value, tn_err *err)
{
  return suite_exec(conn, "INSERT INTO tn_array VALUES (1, ?)", value, 1, NULL,
                    err);
}

static void
check_array(struct suite *suite, const char *type, const tn_value *value)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  char columns[QUIRK_MAX + 32];
  tn_err err = TN_ERR_INIT;

  snprintf(columns, sizeof columns, "id INTEGER, v %s", quirk(suite, type));
  conn = suite_table(suite, "tn_array", columns);
  if (conn == NULL || !CHECK_CODE(suite, insert_array(conn, value, &err), TN_OK,
                                  &err, quirk(suite, type)))
    return;
  suite_run(suite, conn, "INSERT INTO tn_array VALUES (2, NULL)");
  result =
      suite_query(suite, conn, "SELECT v FROM tn_array ORDER BY id", NULL, 0);
  if (result == NULL)
    return;
  CHECK(suite, tn_result_column_type(result, 0) == TN_ARRAY,
        "%s: column type %s", quirk(suite, type),
        tn_type_name(tn_result_column_type(result, 0)));
  CHECK_CODE(suite, tn_result_next(result, &row, &err), TN_OK, &err, "next");
  if (row != NULL)
    CHECK_VALUE(suite, row, value, quirk(suite, type));
  CHECK_CODE(suite, tn_result_next(result, &row, &err), TN_OK, &err, "next");
  CHECK(suite, row != NULL && row->type == TN_NULL, "NULL is not NULL");
  tn_result_close(&result);
  suite_run(suite, conn, "DROP TABLE tn_array");
}

static void
come_back_equal(struct suite *suite)
{
  const tn_value integers[] = { tn_int64(INT64_MIN), tn_null(), tn_int64(0),
                                tn_int64(INT64_MAX) };
  const tn_value texts[] = {
    tn_text(""),
    tn_null(),
    tn_text("NULL"),
    tn_text("a,b"),
    tn_text("\"q\""),
    tn_text("'"),
    tn_text("{x}"),
    tn_text("\\"),
    tn_text(" blanks "),
    tn_text(":"),
    tn_text("\t\r\n\v"),
    tn_text("null"),
    tn_text("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80"),
  };
  const tn_value decimals[] = { tn_decimal("0"), tn_decimal("-1.50"), tn_null(),
                                tn_decimal(
                                    "12345678901234567890123456789.123456789"),
                                tn_decimal("0.000000000000000000001") };
  const tn_value times[] = { tn_timestamp(0), tn_null(),
                             tn_timestamp(INT64_C(1700000000123456)),
                             tn_timestamp(-1) };
  const tn_value first[] = { tn_int64(1), tn_int64(2) };
  const tn_value second[] = { tn_null(), tn_int64(4) };
  const tn_value nested[] = { tn_array(TN_INT64, first, 2),
                              tn_array(TN_INT64, second, 2),
                              tn_array(TN_INT64, first, 2) };
  const struct {
    const char *type;
    tn_value value;
  } samples[] = {
    { "type.array.int64", tn_array(TN_INT64, integers, 4) },
    { "type.array.int64", tn_array(TN_INT64, integers, 1) },
    { "type.array.int64", tn_array(TN_INT64, integers + 1, 1) },
    { "type.array.int64", tn_array(TN_INT64, NULL, 0) },
    { "type.array.text",
      tn_array(TN_TEXT, texts, sizeof texts / sizeof texts[0]) },
    { "type.array.text", tn_array(TN_TEXT, NULL, 0) },
    { "type.array.decimal",
      tn_array(TN_DECIMAL, decimals, sizeof decimals / sizeof decimals[0]) },
    { "type.array.timestamp", tn_array(TN_TIMESTAMP, times, 4) },
    { "type.array.nested", tn_array(TN_ARRAY, nested, 3) },
  };
  size_t i;

  if (!suite_owes(suite, TN_CAP_ARRAY))
    return;
  for (i = 0; i < sizeof samples / sizeof samples[0]; i++)
    check_array(suite, samples[i].type, &samples[i].value);
}

static void
are_selected_as_bound(struct suite *suite)
{
  const tn_value items[] = { tn_text("a"), tn_null(), tn_text("b,\"c\"") };
  const tn_value value = tn_array(TN_TEXT, items, 3);
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;

  if (!suite_owes(suite, TN_CAP_ARRAY) || (conn = suite_connect(suite)) == NULL)
    return;
  result = suite_query(suite, conn, "SELECT ? AS n", &value, 1);
  if (result == NULL)
    return;
  CHECK_CODE(suite, tn_result_next(result, &row, &err), TN_OK, &err, "next");
  if (row != NULL)
    CHECK_VALUE(suite, row, &value, "SELECT ?");
}

static void
live_as_long_as_a_buffered_row(struct suite *suite)
{
  const struct tn_query query = { .sql = "SELECT v FROM tn_array ORDER BY id",
                                  .flags = TN_QUERY_BUFFERED };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  char columns[QUIRK_MAX + 32];
  tn_err err = TN_ERR_INIT;
  int64_t i;

  if (!suite_owes(suite, TN_CAP_ARRAY))
    return;
  snprintf(columns, sizeof columns, "id INTEGER, v %s",
           quirk(suite, "type.array.int64"));
  conn = suite_table(suite, "tn_array", columns);
  if (conn == NULL)
    return;
  for (i = 0; i < 3; i++) {
    const tn_value item = tn_int64(i + 100);
    const tn_value values[] = { tn_int64(i), tn_array(TN_INT64, &item, 1) };

    CHECK_CODE(suite,
               suite_exec(conn, "INSERT INTO tn_array VALUES (?, ?)", values, 2,
                          NULL, &err),
               TN_OK, &err, "insert");
  }
  if (!CHECK_CODE(suite, tn_conn_query(conn, &query, &result, &err), TN_OK,
                  &err, "query"))
    return;
  for (i = 0; i < 3; i++) {
    const tn_value item = tn_int64(i + 100);
    const tn_value wanted = tn_array(TN_INT64, &item, 1);

    if (!CHECK_CODE(suite, tn_result_next(result, &row, &err), TN_OK, &err,
                    "next") ||
        row == NULL)
      return;
    suite_number(suite, conn, "SELECT count(*) FROM tn_array");
    CHECK_VALUE(suite, row, &wanted, "a buffered row");
  }
  tn_result_close(&result);
  suite_run(suite, conn, "DROP TABLE tn_array");
}

static void
malformed_ones_are_refused(struct suite *suite)
{
  const tn_value numbers[] = { tn_int64(1), tn_int64(2) };
  const tn_value ragged[] = { tn_array(TN_INT64, numbers, 2),
                              tn_array(TN_INT64, numbers, 1) };
  const tn_value mixed[] = { tn_int64(1), tn_text("2") };
  const tn_value bad_text[] = { tn_text("\xff") };
  const tn_value cases[] = {
    tn_array(TN_INT64, mixed, 2),
    tn_array(TN_TEXT, bad_text, 1),
    tn_array(TN_NULL, NULL, 0),
    tn_array(TN_ARRAY, ragged, 2),
  };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  char columns[QUIRK_MAX + 32];
  size_t count = sizeof cases / sizeof cases[0];
  size_t i;

  if (!suite_owes(suite, TN_CAP_ARRAY))
    return;
  snprintf(columns, sizeof columns, "id INTEGER, v %s",
           quirk(suite, "type.array.nested"));
  conn = suite_table(suite, "tn_array", columns);
  if (conn == NULL)
    return;
  if (quirk_is(suite, "holds.ragged_array", "yes"))
    count--;
  for (i = 0; i < count; i++) {
    tn_err err = TN_ERR_INIT;
    enum tn_code rc = insert_array(conn, &cases[i], &err);

    CHECK(suite, rc == TN_E_DATA || rc == TN_E_CHARSET, "array %zu: %s: %s", i,
          tn_code_name(rc), err.message);
    CHECK(suite, err.parameter == 1, "array %zu: parameter %d", i,
          (int)err.parameter);
  }
  CHECK(suite, suite_number(suite, conn, "SELECT count(*) FROM tn_array") == 0,
        "a refused array was sent");
  suite_run(suite, conn, "DROP TABLE tn_array");
}

static void
are_refused_without_the_capability(struct suite *suite)
{
  const tn_value items[] = { tn_int64(1) };
  const tn_value values[] = { tn_int64(1), tn_array(TN_INT64, items, 1) };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;

  CHECK(suite, true, "a backend with arrays owes no refusal");
  if (has_cap(suite, TN_CAP_ARRAY) || !has_cap(suite, TN_CAP_EXPRESSIONS) ||
      (conn = suite_connect(suite)) == NULL)
    return;
  CHECK_CODE(suite, suite_exec(conn, "SELECT ?, ?", values, 2, NULL, &err),
             TN_E_UNSUPPORTED, &err, "an array");
  CHECK(suite, err.parameter == 2, "parameter %d: %s", (int)err.parameter,
        err.message);
  CHECK_USABLE(suite, conn);
}

const struct suite_case cases_array[] = {
  { "array: all kinds come back equal", come_back_equal },
  { "array: what is selected is what was bound", are_selected_as_bound },
  { "array: items live as long as a buffered row",
    live_as_long_as_a_buffered_row },
  { "array: what is no array is refused by its number",
    malformed_ones_are_refused },
  { "array: refused without the capability",
    are_refused_without_the_capability },
  { NULL, NULL },
};
