/* What a session is set to, what that does, and that a reset brings it back. */
#include "suite.h"

/* Capabilities by isolation level. */
static const uint64_t level_caps[] = {
  [TN_ISOLATION_READ_UNCOMMITTED] = TN_CAP_READ_UNCOMMITTED,
  [TN_ISOLATION_READ_COMMITTED] = TN_CAP_READ_COMMITTED,
  [TN_ISOLATION_REPEATABLE_READ] = TN_CAP_REPEATABLE_READ,
  [TN_ISOLATION_SERIALIZABLE] = TN_CAP_SERIALIZABLE,
};

static bool
can(const tn_conn *conn, uint32_t level)
{
  return (tn_conn_caps(conn) & level_caps[level]) != 0;
}

static uint32_t
get_level(struct suite *suite, tn_conn *conn)
{
  uint32_t level = 0;
  tn_err err = TN_ERR_INIT;

  CHECK_CODE(suite, tn_conn_get_isolation(conn, &level, &err), TN_OK, &err,
             "get isolation");
  return level;
}

static void
reset_session(struct suite *suite, tn_conn *conn)
{
  tn_err err = TN_ERR_INIT;

  CHECK_CODE(suite, tn_conn_reset(conn, &err), TN_OK, &err, "reset");
  CHECK_USABLE(suite, conn);
}

static void
isolation_is_that_of_the_session_again(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  uint32_t initial;
  uint32_t level;
  tn_err err = TN_ERR_INIT;

  if (!suite_owes(suite, TN_CAP_TRANSACTION) ||
      (conn = suite_connect(suite)) == NULL)
    return;
  initial = get_level(suite, conn);
  CHECK(suite,
        initial >= TN_ISOLATION_READ_UNCOMMITTED &&
            initial <= TN_ISOLATION_SERIALIZABLE && can(conn, initial),
        "level %u is none that the server can", (unsigned)initial);
  for (level = TN_ISOLATION_READ_UNCOMMITTED;
       level <= TN_ISOLATION_SERIALIZABLE; level++) {
    const struct tn_txn_options options = { .isolation = level };

    if (!can(conn, level))
      continue;
    CHECK_CODE(suite, tn_conn_begin(conn, &options, &err), TN_OK, &err,
               "begin");
    suite_rollback(suite, conn);
    CHECK(suite, get_level(suite, conn) == initial,
          "level %u of a transaction outlived it", (unsigned)level);
    CHECK_CODE(suite, tn_conn_set_isolation(conn, level, &err),
               suite_settings_code(suite), &err, "set isolation");
    if (!has_cap(suite, TN_CAP_RESET)) {
      CHECK_CODE(suite, tn_conn_set_isolation(conn, initial, &err),
                 suite_settings_code(suite), &err, "set it back");
      continue;
    }
    reset_session(suite, conn);
    CHECK(suite, get_level(suite, conn) == initial,
          "level %u outlived the reset", (unsigned)level);
  }
}

/* How many rows a transaction of this level sees before and after another one
 * has committed a second row; -1 after a failed check. */
static int64_t
rows_after_commit(struct suite *suite, tn_conn *reader, tn_conn *writer,
                  uint32_t level)
{
  const struct tn_txn_options options = { .isolation = level };
  int64_t rows;
  tn_err err = TN_ERR_INIT;

  suite_run(suite, writer,
            "DELETE FROM tn_session; INSERT INTO tn_session VALUES (1)");
  if (!CHECK_CODE(suite, tn_conn_begin(reader, &options, &err), TN_OK, &err,
                  "begin"))
    return -1;
  CHECK(suite,
        suite_number(suite, reader, "SELECT count(*) FROM tn_session") == 1,
        "the first row is not seen");
  suite_run(suite, writer, "INSERT INTO tn_session VALUES (2)");
  rows = suite_number(suite, reader, "SELECT count(*) FROM tn_session");
  suite_rollback(suite, reader);
  return rows;
}

static void
isolation_is_what_it_is_called(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close)
  tn_conn *writer = suite_table(suite, "tn_session", "v INTEGER");
  TN_CLEANUP(tn_conn_close) tn_conn *reader = NULL;

  if (writer == NULL || !has_cap(suite, TN_CAP_TRANSACTION) ||
      (reader = suite_connect(suite)) == NULL)
    return;
  if (can(reader, TN_ISOLATION_READ_COMMITTED))
    CHECK(suite,
          rows_after_commit(suite, reader, writer,
                            TN_ISOLATION_READ_COMMITTED) == 2,
          "read committed does not see what was committed");
  if (can(reader, TN_ISOLATION_REPEATABLE_READ))
    CHECK(suite,
          rows_after_commit(suite, reader, writer,
                            TN_ISOLATION_REPEATABLE_READ) == 1,
          "repeatable read sees what was committed later");
  tn_conn_close(&reader);
  suite_run(suite, writer, "DROP TABLE tn_session");
}

static void
reset_ends_the_transaction(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close)
  tn_conn *conn = suite_table(suite, "tn_session", "v INTEGER");

  if (conn == NULL || !has_cap(suite, TN_CAP_RESET | TN_CAP_TRANSACTION))
    return;
  suite_begin(suite, conn);
  suite_run(suite, conn, "INSERT INTO tn_session VALUES (1)");
  reset_session(suite, conn);
  CHECK(suite, tn_conn_txn_state(conn) == TN_TXN_NONE,
        "the transaction is open");
  CHECK(suite,
        suite_number(suite, conn, "SELECT count(*) FROM tn_session") == 0,
        "it was not rolled back");
  suite_run(suite, conn, "DROP TABLE tn_session");
}

static void
reset_drops_temporary_tables(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;

  if (!suite_owes(suite, TN_CAP_RESET | TN_CAP_DDL) ||
      !quirk_is(suite, "session.temporary_tables", "yes") ||
      (conn = suite_connect(suite)) == NULL)
    return;
  suite_run(suite, conn, "CREATE TEMPORARY TABLE tn_session_t (v INTEGER)");
  suite_run(suite, conn, "INSERT INTO tn_session_t VALUES (1)");
  reset_session(suite, conn);
  CHECK_CODE(
      suite,
      tn_conn_exec(conn, "SELECT count(*) FROM tn_session_t", NULL, &err),
      TN_E_NO_TABLE, &err, "the table of before");
}

static void
reset_allows_writing_again(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close)
  tn_conn *conn = suite_table(suite, "tn_session", "v INTEGER");
  tn_err err = TN_ERR_INIT;

  if (conn == NULL || !has_cap(suite, TN_CAP_RESET | TN_CAP_READ_ONLY))
    return;
  CHECK_CODE(suite, tn_conn_set_access(conn, TN_ACCESS_READ_ONLY, &err),
             suite_settings_code(suite), &err, "read-only");
  CHECK_CODE(
      suite,
      tn_conn_exec(conn, "INSERT INTO tn_session VALUES (1)", NULL, &err),
      suite_settings_code(suite) == TN_OK ? TN_E_READ_ONLY : TN_OK, &err,
      "writing");
  reset_session(suite, conn);
  CHECK(suite, suite_run(suite, conn, "INSERT INTO tn_session VALUES (2)"),
        "read-only outlived the reset");
  CHECK(suite,
        suite_number(suite, conn,
                     "SELECT count(*) FROM tn_session WHERE v = 2") == 1,
        "the row of after the reset is not there");
  CHECK(suite,
        suite_number(suite, conn,
                     "SELECT count(*) FROM tn_session WHERE v = 1") ==
            (suite_settings_code(suite) != TN_OK),
        "a refused row is there");
  suite_run(suite, conn, "DROP TABLE tn_session");
}

/* They are the program's, not the session's. */
static void
prepared_statements_outlive_a_reset(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_prepared_close) tn_prepared *prepared = NULL;
  const struct tn_query query = { .sql = NULL };
  tn_err err = TN_ERR_INIT;
  int round;

  if (!suite_owes(suite, TN_CAP_RESET | TN_CAP_EXPRESSIONS) ||
      (conn = suite_connect(suite)) == NULL ||
      !CHECK_CODE(suite, tn_conn_prepare(conn, "SELECT 1", 0, &prepared, &err),
                  TN_OK, &err, "prepare"))
    return;
  for (round = 0; round < 3; round++) {
    TN_CLEANUP(tn_result_close) tn_result *result = NULL;
    const tn_value *row = NULL;

    reset_session(suite, conn);
    if (!CHECK_CODE(suite, tn_prepared_query(prepared, &query, &result, &err),
                    TN_OK, &err, "run after a reset"))
      return;
    CHECK_CODE(suite, tn_result_next(result, &row, &err), TN_OK, &err, "next");
    CHECK(suite, row != NULL && row->as.int64 == 1, "no row");
  }
}

static void
sql_mode_decides_what_is_refused(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close)
  tn_conn *conn = suite_table(suite, "tn_session", "v SMALLINT");
  tn_err err = TN_ERR_INIT;

  if (conn == NULL || !has_cap(suite, TN_CAP_SQL_MODE))
    return;
  CHECK_CODE(suite, tn_conn_set_sql_mode(conn, "TRADITIONAL", &err), TN_OK,
             &err, "TRADITIONAL");
  CHECK_CODE(
      suite,
      tn_conn_exec(conn, "INSERT INTO tn_session VALUES (99999)", NULL, &err),
      TN_E_DATA, &err, "a number that does not fit");
  CHECK(suite, tn_conn_set_sql_mode(conn, "TN_NO_SUCH_MODE", &err) != TN_OK,
        "a mode that is none is accepted");
  CHECK_USABLE(suite, conn);
  CHECK_CODE(
      suite,
      tn_conn_exec(conn, "INSERT INTO tn_session VALUES (99999)", NULL, &err),
      TN_E_DATA, &err, "the mode changed with a refusal");
  CHECK_CODE(suite, tn_conn_set_sql_mode(conn, "", &err), TN_OK, &err,
             "no mode");
  suite_run(suite, conn, "DROP TABLE tn_session");
}

/* Whether a server keeps a history is its own business; if it does, its own
 * commits are in it. */
static void
a_position_has_what_was_committed(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = suite_connect(suite);
  tn_position position = TN_POSITION_INIT;
  const tn_position others = { "tn:no such position" };
  tn_err err = TN_ERR_INIT;
  int is_reached = 0;
  enum tn_code rc;

  if (conn == NULL)
    return;
  rc = tn_conn_position(conn, &position, &err);
  if (rc != TN_OK)
    CHECK_CODE(suite, rc, TN_E_UNSUPPORTED, &err, "without a history");
  else if (CHECK_CODE(suite,
                      tn_conn_wait_position(conn, &position,
                                            tn_deadline_after_ms(1000),
                                            &is_reached, &err),
                      TN_OK, &err, "wait for its own"))
    CHECK(suite, is_reached != 0, "\"%s\" is not there", position.text);
  CHECK_CODE(suite,
             tn_conn_wait_position(conn, &others, tn_deadline_after_ms(10),
                                   &is_reached, &err),
             TN_E_UNSUPPORTED, &err, "another backend's");
  CHECK_USABLE(suite, conn);
}

static int64_t
number_by(struct suite *suite, tn_engine *engine, const char *sql)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;
  int64_t number = -1;

  if (CHECK_CODE(suite, tn_engine_take(engine, NULL, &conn, &err), TN_OK, &err,
                 "take"))
    number = suite_number(suite, conn, sql);
  tn_pool_give(&conn);
  return number;
}

/* With a pool's own settings, of one connection. */
static void
a_lock_does_not_outlive_its_loan(struct suite *suite)
{
  struct tn_engine_options options = TN_ENGINE_OPTIONS_INIT;
  const struct tn_setting settings[] = { { "max_pool_size", "1" },
                                         { "max_overflow", "0" } };
  TN_CLEANUP(tn_engine_close) tn_engine *engine = NULL;
  const char *lock = quirk(suite, "session.lock");
  tn_err err = TN_ERR_INIT;

  if (lock[0] == '\0' || !quirk_is(suite, "session.settings", "ok")) {
    CHECK(suite, true, "there is none, or no session to hold it");
    return;
  }
  options.registry = suite->registry;
  options.settings = settings;
  options.setting_count = 2;
  if (!CHECK_CODE(suite, tn_engine_open(suite->url, &options, &engine, &err),
                  TN_OK, &err, "engine"))
    return;
  (void)number_by(suite, engine, lock);
  CHECK(suite, number_by(suite, engine, quirk(suite, "session.has_lock")) == 0,
        "it is held by whoever is next");
}

const struct suite_case cases_session[] = {
  { "session: isolation is what it was, after transactions and resets",
    isolation_is_that_of_the_session_again },
  { "session: isolation is what it is called", isolation_is_what_it_is_called },
  { "session: a reset ends the transaction", reset_ends_the_transaction },
  { "session: a lock does not outlive its loan",
    a_lock_does_not_outlive_its_loan },
  { "session: a reset drops temporary tables", reset_drops_temporary_tables },
  { "session: a reset allows writing again", reset_allows_writing_again },
  { "session: prepared statements outlive a reset",
    prepared_statements_outlive_a_reset },
  { "session: the sql-mode decides what is refused",
    sql_mode_decides_what_is_refused },
  { "session: a position has what was committed",
    a_position_has_what_was_committed },
  { NULL, NULL },
};
