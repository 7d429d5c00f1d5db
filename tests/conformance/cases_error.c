/* One event has one category on every backend, and says what it is about. */
#include "suite.h"

struct event {
  const char *sql;
  enum tn_code code;
  const char *table;  /* or NULL: not asked */
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

static void
check_event(struct suite *suite, tn_conn *conn, const struct event *event)
{
  tn_err err = TN_ERR_INIT;

  if (!CHECK_CODE(suite, tn_conn_exec(conn, event->sql, NULL, &err),
                  event->code, &err, event->sql))
    return;
  CHECK(suite, err.message[0] != '\0', "%s: no message", event->sql);
  CHECK(suite, err.native != 0 || err.sqlstate[0] != '\0',
        "%s: no code of the backend's own", event->sql);
  CHECK(suite, err.connection == TN_CONNECTION_USABLE, "%s: verdict %s",
        event->sql, tn_connection_verdict_name(err.connection));
  CHECK(suite, err.replay == TN_REPLAY_NEVER, "%s: replay %s", event->sql,
        tn_replay_verdict_name(err.replay));
  if (event->table != NULL)
    CHECK(suite, strcmp(err.table, event->table) == 0, "%s: table \"%s\"",
          event->sql, err.table);
  if (event->column != NULL)
    CHECK(suite, has_column(&err, event->column), "%s: no column \"%s\": %s",
          event->sql, event->column, err.message);
  if (event->constraint != NULL)
    CHECK(suite, strcmp(err.constraint, event->constraint) == 0,
          "%s: constraint \"%s\"", event->sql, err.constraint);
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
  const bool names_unique =
      quirk_is(suite, "error.duplicate_names", "constraint");
  const struct event events[] = {
    { "INSERT INTO tn_parent VALUES (2, 'one')", TN_E_DUPLICATE, "tn_parent",
      names_unique ? NULL : "code", names_unique ? "tn_parent_code" : NULL },
    { "INSERT INTO tn_parent VALUES (1, 'two')", TN_E_DUPLICATE, "tn_parent",
      names_unique ? NULL : "id", names_unique ? "tn_parent_pk" : NULL },
    { "INSERT INTO tn_parent VALUES (2, NULL)", TN_E_NOT_NULL, "tn_parent",
      "code", NULL },
    { "INSERT INTO tn_parent VALUES (-1, 'minus')", TN_E_CHECK, NULL, NULL,
      quirk_is(suite, "error.check_names", "constraint") ? "tn_parent_positive"
                                                         : NULL },
    { "INSERT INTO tn_child VALUES (2, 99)", TN_E_REFERENCE, NULL, NULL,
      quirk_is(suite, "error.reference_names", "constraint") ? "tn_child_fk"
                                                             : NULL },
    { "DELETE FROM tn_parent WHERE id = 1", TN_E_REFERENCE, NULL, NULL, NULL },
  };

  check_events(suite, events, sizeof events / sizeof events[0]);
}

static void
missing_and_present_things(struct suite *suite)
{
  const struct event events[] = {
    { "SELECT * FROM tn_missing", TN_E_NO_TABLE, "tn_missing", NULL, NULL },
    { "INSERT INTO tn_missing VALUES (1)", TN_E_NO_TABLE, "tn_missing", NULL,
      NULL },
    { "DROP TABLE tn_missing", TN_E_NO_TABLE, "tn_missing", NULL, NULL },
    { "SELECT missing FROM tn_parent", TN_E_NO_COLUMN, NULL, "missing", NULL },
    { "INSERT INTO tn_parent (missing) VALUES (1)", TN_E_NO_COLUMN, NULL,
      "missing", NULL },
    { "SELECT tn_no_function(1)", TN_E_NO_FUNCTION, NULL, NULL, NULL },
    { "CREATE TABLE tn_parent (x INTEGER)", TN_E_EXISTS, NULL, NULL, NULL },
    { "SELEKT 1", TN_E_SYNTAX, NULL, NULL, NULL },
    { "SELECT FROM WHERE", TN_E_SYNTAX, NULL, NULL, NULL },
  };

  check_events(suite, events, sizeof events / sizeof events[0]);
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
  { "error: things that are missing or there already",
    missing_and_present_things },
  { "error: a missing table is named", missing_table_of_any_backend },
  { "error: no error object is no crash", error_without_object_is_no_crash },
  { "error: a script stops at its first error",
    script_stops_at_its_first_error },
  { NULL, NULL },
};
