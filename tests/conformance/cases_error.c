/* One event has one category on every backend, and says what it is about. */
#include "suite.h"

struct event {
  const char *sql;
  enum tn_code code;
  const char *names; /* quirk with the words for what is told of the next
                        three; NULL: they are not asked for */
  const char *table;
  const char *column; /* one of the columns */
  const char *constraint;
};

static const char SETUP[] =
    "DROP TABLE IF EXISTS tn_child; DROP TABLE IF EXISTS tn_parent;"
    "CREATE TABLE tn_parent (id INTEGER NOT NULL, code VARCHAR(10) NOT NULL,"
    " CONSTRAINT tn_parent_pk PRIMARY KEY (id),"
    " CONSTRAINT tn_parent_code UNIQUE (code),"
    " CONSTRAINT tn_parent_positive CHECK (id > 0));"
    "CREATE TABLE tn_child (id INTEGER NOT NULL PRIMARY KEY,"
    " parent INTEGER, CONSTRAINT tn_child_fk FOREIGN KEY (parent)"
    " REFERENCES tn_parent (id));"
    "INSERT INTO tn_parent VALUES (1, 'one');"
    "INSERT INTO tn_child VALUES (1, 1)";

static const char TEARDOWN[] = "DROP TABLE tn_child; DROP TABLE tn_parent";

static bool
has_column(const tn_err *err, const char *wanted)
{
  const char *column;
  uint32_t i;

  for (i = 0; (column = tn_err_column(err, i)) != NULL; i++)
    if (strcmp(column, wanted) == 0)
      return true;
  return false;
}

/* Does the backend tell such a name? */
static bool
tells(const struct suite *suite, const struct event *event, const char *word)
{
  return event->names != NULL &&
         strstr(quirk(suite, event->names), word) != NULL;
}

static void
check_names(struct suite *suite, const struct event *event, const tn_err *err)
{
  if (tells(suite, event, "table"))
    CHECK(suite, strcmp(err->table, event->table) == 0, "%s: table \"%s\"",
          event->sql, err->table);
  if (tells(suite, event, "column"))
    CHECK(suite, has_column(err, event->column), "%s: no column \"%s\": %s",
          event->sql, event->column, err->message);
  if (tells(suite, event, "constraint"))
    CHECK(suite, strcmp(err->constraint, event->constraint) == 0,
          "%s: constraint \"%s\"", event->sql, err->constraint);
}

static void
check_event(struct suite *suite, tn_conn *conn, const struct event *event)
{
  tn_err err = TN_ERR_INIT;

  if (!CHECK_CODE(suite, tn_conn_exec(conn, event->sql, NULL, &err),
                  event->code, &err, event->sql) ||
      event->code == TN_OK)
    return;
  CHECK(suite, err.message[0] != '\0', "%s: no message", event->sql);
  CHECK(suite, err.native != 0 || err.sqlstate[0] != '\0',
        "%s: no code of the backend's own", event->sql);
  CHECK(suite, err.connection == TN_CONNECTION_USABLE, "%s: verdict %s",
        event->sql, tn_connection_verdict_name(err.connection));
  CHECK(suite, err.replay == TN_REPLAY_NEVER, "%s: replay %s", event->sql,
        tn_replay_verdict_name(err.replay));
  check_names(suite, event, &err);
}

static void
check_events(struct suite *suite, const struct event *events, size_t count)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  size_t i;

  CHECK(suite, true, "a backend without tables of its own owes none");
  if (!has_cap(suite, TN_CAP_WRITE | TN_CAP_DDL) ||
      (conn = suite_connect(suite)) == NULL)
    return;
  if (quirk(suite, "foreign_keys.on")[0] != '\0')
    suite_run(suite, conn, quirk(suite, "foreign_keys.on"));
  if (!suite_run(suite, conn, SETUP))
    return;
  for (i = 0; i < count; i++)
    check_event(suite, conn, &events[i]);
  CHECK(suite, suite_number(suite, conn, "SELECT count(*) FROM tn_parent") == 1,
        "a statement that failed left rows");
  suite_run(suite, conn, TEARDOWN);
}

static void
constraints(struct suite *suite)
{
  const char *primary = quirk(suite, "constraint.primary");
  const struct event events[] = {
    { "INSERT INTO tn_parent VALUES (2, 'one')", TN_E_DUPLICATE,
      "error.duplicate_names", "tn_parent", "code", "tn_parent_code" },
    { "INSERT INTO tn_parent VALUES (1, 'two')", TN_E_DUPLICATE,
      "error.duplicate_names", "tn_parent", "id", primary },
    { "INSERT INTO tn_parent VALUES (2, NULL)", TN_E_NOT_NULL,
      "error.not_null_names", "tn_parent", "code", NULL },
    { "INSERT INTO tn_parent VALUES (-1, 'minus')", TN_E_CHECK,
      "error.check_names", "tn_parent", NULL, "tn_parent_positive" },
    { "INSERT INTO tn_child VALUES (2, 99)", TN_E_REFERENCE,
      "error.reference_names", "tn_child", NULL, "tn_child_fk" },
    { "UPDATE tn_child SET parent = 99", TN_E_REFERENCE,
      "error.reference_names", "tn_child", NULL, "tn_child_fk" },
    { "DELETE FROM tn_parent WHERE id = 1", TN_E_REFERENCE, NULL, NULL, NULL,
      NULL },
    { "DROP TABLE tn_parent", TN_E_REFERENCE, NULL, NULL, NULL, NULL },
  };

  check_events(suite, events, sizeof events / sizeof events[0]);
}

/* What has to be looked up: the key's columns, and the other table. */
static void
check_completed(struct suite *suite, tn_conn *conn, const char *sql,
                const char *column, const char *other)
{
  tn_err about = TN_ERR_INIT, err = TN_ERR_INIT;
  enum tn_code rc;

  if (tn_conn_exec(conn, sql, NULL, &about) == TN_OK)
    return;
  rc = tn_conn_complete(conn, &about, 0, &err);
  if (rc == TN_E_UNSUPPORTED || !CHECK_CODE(suite, rc, TN_OK, &err, sql))
    return;
  if (about.code == TN_E_REFERENCE && about.constraint[0] == '\0')
    return; /* nothing to look it up by */
  CHECK(suite, has_column(&about, column), "%s: no column \"%s\"", sql, column);
  CHECK(suite, about.column_count == 1, "%s: %u columns", sql,
        (unsigned)about.column_count);
  CHECK(suite,
        about.source == TN_SOURCE_CATALOGUE ||
            about.source == TN_SOURCE_MESSAGE,
        "%s: columns come from \"%s\"", sql, tn_err_source_name(about.source));
  CHECK(suite, strcmp(tn_err_key_table(&about), other) == 0,
        "%s: the other table is \"%s\"", sql, tn_err_key_table(&about));
  CHECK(suite,
        tn_err_key_table(&about)[0] == '\0' ||
            about.source == TN_SOURCE_CATALOGUE,
        "%s: columns come from \"%s\"", sql, tn_err_source_name(about.source));
}

static void
keys_are_found_in_the_catalogue(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  tn_err about = TN_ERR_INIT, err = TN_ERR_INIT;
  enum tn_code rc;

  CHECK(suite, true, "a backend without tables of its own owes none");
  if (!has_cap(suite, TN_CAP_WRITE | TN_CAP_DDL) ||
      (conn = suite_connect(suite)) == NULL)
    return;
  if (quirk(suite, "foreign_keys.on")[0] != '\0')
    suite_run(suite, conn, quirk(suite, "foreign_keys.on"));
  if (!suite_run(suite, conn, SETUP))
    return;
  check_completed(suite, conn, "INSERT INTO tn_parent VALUES (2, 'one')",
                  "code", "");
  check_completed(suite, conn, "INSERT INTO tn_child VALUES (2, 99)", "parent",
                  "tn_parent");
  check_completed(suite, conn, "DELETE FROM tn_parent WHERE id = 1", "parent",
                  "tn_parent");

  /* Not where the transaction that failed is open. */
  if (tn_conn_begin(conn, NULL, &err) == TN_OK) {
    CHECK(suite,
          tn_conn_exec(conn, "INSERT INTO tn_parent VALUES (2, 'one')", NULL,
                       &about) == TN_E_DUPLICATE,
          "%s", about.message);
    rc = tn_conn_complete(conn, &about, 0, &err);
    CHECK(suite, rc == TN_E_STATE || rc == TN_E_UNSUPPORTED,
          "in a transaction: %s", tn_code_name(rc));
    CHECK_CODE(suite, tn_conn_rollback(conn, &err), TN_OK, &err, "rollback");
  }
  CHECK_CODE(suite, tn_conn_exec(conn, "SELEKT 1", NULL, &about), TN_E_SYNTAX,
             &about, "SELEKT 1");
  CHECK_CODE(suite, tn_conn_complete(conn, &about, 0, &err), TN_E_USAGE, &err,
             "an error of another kind");
  suite_run(suite, conn, TEARDOWN);
}

static void
missing_and_present_things(struct suite *suite)
{
  static const char no_table[] = "error.no_table_names";
  static const char no_column[] = "error.no_column_names";
  const struct event events[] = {
    { "SELECT * FROM tn_missing", TN_E_NO_TABLE, no_table, "tn_missing", NULL,
      NULL },
    { "INSERT INTO tn_missing VALUES (1)", TN_E_NO_TABLE, no_table,
      "tn_missing", NULL, NULL },
    { "DROP TABLE tn_missing", TN_E_NO_TABLE, no_table, "tn_missing", NULL,
      NULL },
    { "SELECT missing FROM tn_parent", TN_E_NO_COLUMN, no_column, NULL,
      "missing", NULL },
    { "INSERT INTO tn_parent (missing) VALUES (1)", TN_E_NO_COLUMN, no_column,
      NULL, "missing", NULL },
    { "SELECT tn_no_function(1)", TN_E_NO_FUNCTION, NULL, NULL, NULL, NULL },
    { "CREATE TABLE tn_parent (x INTEGER)", TN_E_EXISTS, NULL, NULL, NULL,
      NULL },
    { "SELEKT 1", TN_E_SYNTAX, NULL, NULL, NULL, NULL },
    { "SELECT FROM WHERE", TN_E_SYNTAX, NULL, NULL, NULL, NULL },
  };

  check_events(suite, events, sizeof events / sizeof events[0]);
}

/* Refused, or stored as they are: never something in between. */
static void
values_that_do_not_fit(struct suite *suite)
{
  static const char *const statements[] = {
    "INSERT INTO tn_data (small) VALUES (99999)",
    "INSERT INTO tn_data (small) VALUES (-99999)",
    "INSERT INTO tn_data (small) VALUES ('abc')",
    "INSERT INTO tn_data (day) VALUES ('2023-02-30')",
    "INSERT INTO tn_data (day) VALUES ('someday')",
    "INSERT INTO tn_data (name) VALUES ('four+')",
    "INSERT INTO tn_data (price) VALUES (100000.5)",
    "UPDATE tn_data SET small = small * 30000",
  };
  const bool checks = quirk_is(suite, "checks.values", "yes");
  TN_CLEANUP(tn_conn_close)
  tn_conn *conn = suite_table(suite, "tn_data",
                              "small SMALLINT, day DATE, name VARCHAR(4), "
                              "price DECIMAL(5,2)");
  size_t i;

  if (conn == NULL ||
      !suite_run(suite, conn, "INSERT INTO tn_data (small) VALUES (2)"))
    return;
  for (i = 0; i < sizeof statements / sizeof statements[0]; i++) {
    const struct event event = { statements[i], checks ? TN_E_DATA : TN_OK,
                                 NULL,          NULL,
                                 NULL,          NULL };

    check_event(suite, conn, &event);
  }
  if (checks)
    CHECK(suite,
          suite_number(suite, conn, "SELECT count(*) FROM tn_data") == 1 &&
              suite_number(suite, conn, "SELECT small FROM tn_data") == 2,
          "a value that was refused is there");
  suite_run(suite, conn, "DROP TABLE tn_data");
}

/* The same of values that are bound, whatever the backend does to them. */
static void
bound_values_that_do_not_fit(struct suite *suite)
{
  const tn_value values[] = { tn_int64(99999), tn_text("abc"),
                              tn_int64(INT64_MAX), tn_double(1e300) };
  TN_CLEANUP(tn_conn_close)
  tn_conn *conn = suite_table(suite, "tn_data", "small SMALLINT");
  size_t i;

  if (conn == NULL)
    return;
  for (i = 0; i < sizeof values / sizeof values[0]; i++) {
    tn_err err = TN_ERR_INIT;

    CHECK_CODE(suite,
               suite_exec(conn, "INSERT INTO tn_data VALUES (?)", &values[i], 1,
                          NULL, &err),
               quirk_is(suite, "checks.values", "yes") ? TN_E_DATA : TN_OK,
               &err, tn_type_name(values[i].type));
    CHECK_USABLE(suite, conn);
  }
  suite_run(suite, conn, "DROP TABLE tn_data");
}

/* A fraction for an integer, more digits than a double has. */
static void
bound_values_that_would_be_rounded(struct suite *suite)
{
  const tn_value rows[][2] = {
    { tn_double(2.5), tn_null() },
    { tn_decimal("12345678901234567.5"), tn_null() },
    { tn_null(), tn_int64(9007199254740993) },
  };
  TN_CLEANUP(tn_conn_close)
  tn_conn *conn =
      suite_table(suite, "tn_data", "whole BIGINT, reals DOUBLE PRECISION");
  size_t i;

  for (i = 0; i < sizeof rows / sizeof rows[0] && conn != NULL; i++) {
    tn_err err = TN_ERR_INIT;

    CHECK_CODE(suite,
               suite_exec(conn, "INSERT INTO tn_data VALUES (?, ?)", rows[i], 2,
                          NULL, &err),
               quirk_is(suite, "checks.rounding", "yes") ? TN_E_DATA : TN_OK,
               &err, "a number");
    CHECK_USABLE(suite, conn);
  }
  if (conn != NULL)
    suite_run(suite, conn, "DROP TABLE tn_data");
}

static void
what_is_not_permitted(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  struct event event = { .code = TN_E_PERMISSION };

  CHECK(suite, true, "a backend without accounts permits everything");
  event.sql = quirk(suite, "permission.sql");
  if (event.sql[0] != '\0' && (conn = suite_connect(suite)) != NULL)
    check_event(suite, conn, &event);
}

/* For backends that bring their tables along as well. */
static void
missing_table_of_any_backend(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = suite_connect(suite);
  tn_err err = TN_ERR_INIT;

  if (conn == NULL)
    return;
  CHECK_CODE(
      suite,
      tn_conn_exec(conn, quirk(suite, "sample.missing_table"), NULL, &err),
      TN_E_NO_TABLE, &err, "a table that is not there");
  CHECK(suite, err.table[0] != '\0', "the error names no table: %s",
        err.message);
  CHECK(suite, tn_conn_verdict(conn) == TN_CONNECTION_USABLE, "not usable");
}

static void
error_without_object_is_no_crash(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = suite_connect(suite);

  if (conn == NULL)
    return;
  CHECK(suite,
        tn_conn_exec(conn, quirk(suite, "sample.syntax"), NULL, NULL) ==
            TN_E_SYNTAX,
        "the code needs the object");
  CHECK(suite, tn_conn_exec(conn, "", NULL, NULL) == TN_E_USAGE,
        "the code needs the object");
}

static void
script_stops_at_its_first_error(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;

  CHECK(suite, true, "a backend without tables of its own owes none");
  if (!has_cap(suite, TN_CAP_WRITE | TN_CAP_DDL) ||
      (conn = suite_connect(suite)) == NULL)
    return;
  suite_run(suite, conn, "DROP TABLE IF EXISTS tn_script");
  CHECK_CODE(suite,
             tn_conn_script(conn,
                            "CREATE TABLE tn_script (v INTEGER);\n"
                            "INSERT INTO tn_script VALUES (1); -- one;\n"
                            "INSERT INTO tn_nowhere VALUES (';');\n"
                            "INSERT INTO tn_script VALUES (2)",
                            NULL, NULL, &err),
             TN_E_NO_TABLE, &err, "script");
  CHECK(suite, strstr(err.message, "statement 3 (line 3)") != NULL,
        "the message does not say where: %s", err.message);
  CHECK(suite, suite_number(suite, conn, "SELECT count(*) FROM tn_script") == 1,
        "it went on, or did not begin");
  suite_run(suite, conn, "DROP TABLE tn_script");
}

const struct suite_case cases_error[] = {
  { "error: constraints tell their category and names", constraints },
  { "error: keys are found in the catalogue", keys_are_found_in_the_catalogue },
  { "error: things that are missing or there already",
    missing_and_present_things },
  { "error: values that do not fit their column", values_that_do_not_fit },
  { "error: bound values that do not fit their column",
    bound_values_that_do_not_fit },
  { "error: bound values that would be rounded",
    bound_values_that_would_be_rounded },
  { "error: what is not permitted", what_is_not_permitted },
  { "error: a missing table is named", missing_table_of_any_backend },
  { "error: no error object is no crash", error_without_object_is_no_crash },
  { "error: a script stops at its first error",
    script_stops_at_its_first_error },
  { NULL, NULL },
};
