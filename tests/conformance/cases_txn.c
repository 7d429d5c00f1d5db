/* Transactions and savepoints: what the server says, on two connections. */
#include "suite.h"

static const char SETUP[] = "DROP TABLE IF EXISTS tn_txn;"
                            "CREATE TABLE tn_txn (v INTEGER)";

static const char COUNT[] = "SELECT count(*) FROM tn_txn";

static bool
owes_transactions(struct suite *suite)
{
  CHECK(suite, true, "a backend without transactions owes none");
  return has_cap(suite, TN_CAP_TRANSACTION | TN_CAP_WRITE | TN_CAP_DDL);
}

static bool
begin(struct suite *suite, tn_conn *conn)
{
  tn_err err = TN_ERR_INIT;

  return CHECK_CODE(suite, tn_conn_begin(conn, NULL, &err), TN_OK, &err,
                    "begin");
}

static void
refused_without_transactions(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = suite_connect(suite);
  tn_err err = TN_ERR_INIT;

  if (conn == NULL)
    return;
  if (has_cap(suite, TN_CAP_TRANSACTION)) {
    CHECK(suite, begin(suite, conn), "begin");
    CHECK_CODE(suite, tn_conn_rollback(conn, &err), TN_OK, &err, "rollback");
    return;
  }
  CHECK_CODE(suite, tn_conn_begin(conn, NULL, &err), TN_E_UNSUPPORTED, &err,
             "begin");
}

static void
commit_keeps_and_rollback_drops(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;

  if (!owes_transactions(suite) || (conn = suite_connect(suite)) == NULL ||
      !suite_run(suite, conn, SETUP))
    return;
  CHECK(suite, tn_conn_txn_state(conn) == TN_TXN_NONE, "none is open yet");
  begin(suite, conn);
  CHECK(suite, tn_conn_txn_state(conn) == TN_TXN_OPEN, "one is open");
  suite_run(suite, conn, "INSERT INTO tn_txn VALUES (1)");
  CHECK_CODE(suite, tn_conn_commit(conn, &err), TN_OK, &err, "commit");
  CHECK(suite, tn_conn_txn_state(conn) == TN_TXN_NONE, "none is open now");
  begin(suite, conn);
  suite_run(suite, conn, "INSERT INTO tn_txn VALUES (2)");
  CHECK(suite, suite_number(suite, conn, COUNT) == 2, "seen from inside");
  CHECK_CODE(suite, tn_conn_rollback(conn, &err), TN_OK, &err, "rollback");
  CHECK(suite, suite_number(suite, conn, COUNT) == 1, "after rollback");
  suite_run(suite, conn, "DROP TABLE tn_txn");
}

static void
other_connections_see_only_commits(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *writer = NULL;
  TN_CLEANUP(tn_conn_close) tn_conn *reader = NULL;
  tn_err err = TN_ERR_INIT;

  if (!owes_transactions(suite) || (writer = suite_connect(suite)) == NULL ||
      (reader = suite_connect(suite)) == NULL ||
      !suite_run(suite, writer, SETUP))
    return;
  begin(suite, writer);
  suite_run(suite, writer, "INSERT INTO tn_txn VALUES (1)");
  CHECK(suite, suite_number(suite, reader, COUNT) == 0, "seen too early");
  CHECK_CODE(suite, tn_conn_commit(writer, &err), TN_OK, &err, "commit");
  CHECK(suite, suite_number(suite, reader, COUNT) == 1, "not seen");
  begin(suite, writer);
  suite_run(suite, writer, "INSERT INTO tn_txn VALUES (2)");
  tn_conn_close(&writer);
  CHECK(suite, suite_number(suite, reader, COUNT) == 1,
        "closing did not roll back");
  suite_run(suite, reader, "DROP TABLE tn_txn");
}

static void
out_of_order_calls_are_refused(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;

  if (!owes_transactions(suite) || (conn = suite_connect(suite)) == NULL)
    return;
  CHECK_CODE(suite, tn_conn_commit(conn, &err), TN_E_STATE, &err,
             "commit outside");
  CHECK_CODE(suite, tn_conn_rollback(conn, &err), TN_OK, &err,
             "rollback outside");
  CHECK_CODE(suite, tn_conn_savepoint(conn, "s", &err), TN_E_STATE, &err,
             "savepoint outside");
  begin(suite, conn);
  CHECK_CODE(suite, tn_conn_begin(conn, NULL, &err), TN_E_STATE, &err,
             "begin inside");
  CHECK_CODE(suite, tn_conn_savepoint(conn, "no name; x", &err), TN_E_USAGE,
             &err, "a name that is none");
  CHECK_CODE(suite, tn_conn_rollback(conn, &err), TN_OK, &err, "rollback");
}

static void
savepoints_nest(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;

  if (!owes_transactions(suite) || (conn = suite_connect(suite)) == NULL ||
      !suite_run(suite, conn, SETUP))
    return;
  begin(suite, conn);
  if (!has_cap(suite, TN_CAP_SAVEPOINT)) {
    CHECK_CODE(suite, tn_conn_savepoint(conn, "a", &err), TN_E_UNSUPPORTED,
               &err, "savepoint");
    CHECK_CODE(suite, tn_conn_rollback(conn, &err), TN_OK, &err, "rollback");
    return;
  }
  suite_run(suite, conn, "INSERT INTO tn_txn VALUES (1)");
  CHECK_CODE(suite, tn_conn_savepoint(conn, "a", &err), TN_OK, &err, "a");
  suite_run(suite, conn, "INSERT INTO tn_txn VALUES (2)");
  CHECK_CODE(suite, tn_conn_savepoint(conn, "b", &err), TN_OK, &err, "b");
  suite_run(suite, conn, "INSERT INTO tn_txn VALUES (3)");
  CHECK_CODE(suite, tn_conn_rollback_savepoint(conn, "b", &err), TN_OK, &err,
             "back to b");
  CHECK(suite, suite_number(suite, conn, COUNT) == 2, "after b");
  CHECK_CODE(suite, tn_conn_release_savepoint(conn, "a", &err), TN_OK, &err,
             "release a");
  CHECK(suite, tn_conn_rollback_savepoint(conn, "b", &err) != TN_OK,
        "b went with a");
  CHECK_CODE(suite, tn_conn_rollback(conn, &err), TN_OK, &err, "rollback");
  CHECK(suite, suite_number(suite, conn, COUNT) == 0, "after rollback");
  suite_run(suite, conn, "DROP TABLE tn_txn");
}

static void
failed_statement_leaves_a_way_on(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;

  if (!owes_transactions(suite) || !has_cap(suite, TN_CAP_SAVEPOINT) ||
      (conn = suite_connect(suite)) == NULL || !suite_run(suite, conn, SETUP))
    return;
  begin(suite, conn);
  suite_run(suite, conn, "INSERT INTO tn_txn VALUES (1)");
  CHECK_CODE(suite, tn_conn_savepoint(conn, "s", &err), TN_OK, &err, "s");
  CHECK_CODE(
      suite,
      tn_conn_exec(conn, "INSERT INTO tn_nowhere VALUES (1)", NULL, &err),
      TN_E_NO_TABLE, &err, "insert");
  CHECK_CODE(suite, tn_conn_rollback_savepoint(conn, "s", &err), TN_OK, &err,
             "back");
  CHECK_CODE(suite, tn_conn_commit(conn, &err), TN_OK, &err, "commit");
  CHECK(suite, suite_number(suite, conn, COUNT) == 1, "the first row is kept");
  suite_run(suite, conn, "DROP TABLE tn_txn");
}

/* A server may answer COMMIT with a rollback and call it a success. */
static void
failed_transaction_is_not_committed(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;

  if (!owes_transactions(suite) || (conn = suite_connect(suite)) == NULL ||
      !suite_run(suite, conn, SETUP))
    return;
  begin(suite, conn);
  suite_run(suite, conn, "INSERT INTO tn_txn VALUES (1)");
  CHECK_CODE(
      suite,
      tn_conn_exec(conn, "INSERT INTO tn_nowhere VALUES (1)", NULL, &err),
      TN_E_NO_TABLE, &err, "insert");
  if (quirk_is(suite, "transaction.failed_statement", "goes on")) {
    CHECK(suite, err.connection == TN_CONNECTION_USABLE, "verdict %s",
          tn_connection_verdict_name(err.connection));
    CHECK_CODE(suite, tn_conn_commit(conn, &err), TN_OK, &err, "commit");
    CHECK(suite, suite_number(suite, conn, COUNT) == 1, "the row is gone");
  } else {
    CHECK(suite, err.connection == TN_CONNECTION_ABORTED, "verdict %s",
          tn_connection_verdict_name(err.connection));
    CHECK(suite, tn_conn_txn_state(conn) == TN_TXN_ABORTED,
          "the transaction goes on");
    CHECK(suite,
          tn_conn_exec(conn, "INSERT INTO tn_txn VALUES (2)", NULL, &err) !=
              TN_OK,
          "a statement in the transaction that is over");
    CHECK_CODE(suite, tn_conn_commit(conn, &err), TN_E_STATE, &err,
               "commit of what is over");
    suite_rollback(suite, conn);
    CHECK(suite, suite_number(suite, conn, COUNT) == 0, "the row is there");
  }
  suite_run(suite, conn, "DROP TABLE tn_txn");
}

static void
ddl_in_a_transaction_is_as_promised(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;

  if (!owes_transactions(suite) || !has_cap(suite, TN_CAP_DDL_IN_TRANSACTION) ||
      (conn = suite_connect(suite)) == NULL)
    return;
  suite_run(suite, conn, "DROP TABLE IF EXISTS tn_txn");
  begin(suite, conn);
  suite_run(suite, conn, "CREATE TABLE tn_txn (v INTEGER)");
  CHECK_CODE(suite, tn_conn_rollback(conn, &err), TN_OK, &err, "rollback");
  CHECK_CODE(suite, tn_conn_exec(conn, COUNT, NULL, &err), TN_E_NO_TABLE, &err,
             "the table is gone");
}

static void
read_only_refuses_writes_and_ends(struct suite *suite)
{
  const struct tn_txn_options options = { .access = TN_ACCESS_READ_ONLY };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;

  if (!owes_transactions(suite) || (conn = suite_connect(suite)) == NULL ||
      !suite_run(suite, conn, SETUP))
    return;
  if (!has_cap(suite, TN_CAP_READ_ONLY)) {
    CHECK_CODE(suite, tn_conn_begin(conn, &options, &err), TN_E_UNSUPPORTED,
               &err, "begin read-only");
    return;
  }
  CHECK_CODE(suite, tn_conn_begin(conn, &options, &err), TN_OK, &err,
             "begin read-only");
  CHECK(suite, suite_number(suite, conn, COUNT) == 0, "reading");
  CHECK_CODE(suite,
             tn_conn_exec(conn, "INSERT INTO tn_txn VALUES (1)", NULL, &err),
             TN_E_READ_ONLY, &err, "writing");
  CHECK_CODE(suite, tn_conn_rollback(conn, &err), TN_OK, &err, "rollback");
  CHECK(suite, suite_run(suite, conn, "INSERT INTO tn_txn VALUES (1)"),
        "it outlived its transaction");
  CHECK_CODE(suite, tn_conn_set_access(conn, TN_ACCESS_READ_ONLY, &err),
             suite_settings_code(suite), &err, "session read-only");
  CHECK_CODE(suite,
             tn_conn_exec(conn, "INSERT INTO tn_txn VALUES (2)", NULL, &err),
             suite_settings_code(suite) == TN_OK ? TN_E_READ_ONLY : TN_OK, &err,
             "writing");
  CHECK_CODE(suite, tn_conn_set_access(conn, TN_ACCESS_READ_WRITE, &err),
             suite_settings_code(suite), &err, "session read-write");
  suite_run(suite, conn, "DROP TABLE tn_txn");
}

static void
isolation_levels_are_as_promised(struct suite *suite)
{
  static const uint64_t caps[] = {
    [TN_ISOLATION_READ_UNCOMMITTED] = TN_CAP_READ_UNCOMMITTED,
    [TN_ISOLATION_READ_COMMITTED] = TN_CAP_READ_COMMITTED,
    [TN_ISOLATION_REPEATABLE_READ] = TN_CAP_REPEATABLE_READ,
    [TN_ISOLATION_SERIALIZABLE] = TN_CAP_SERIALIZABLE,
  };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  uint32_t level;
  tn_err err = TN_ERR_INIT;

  if (!owes_transactions(suite) || (conn = suite_connect(suite)) == NULL)
    return;
  for (level = TN_ISOLATION_READ_UNCOMMITTED;
       level <= TN_ISOLATION_SERIALIZABLE; level++) {
    const struct tn_txn_options options = { .isolation = level };
    const bool can = (tn_conn_caps(conn) & caps[level]) != 0;
    const enum tn_code wanted =
        can ? suite_settings_code(suite) : TN_E_UNSUPPORTED;
    uint32_t got = 0;

    CHECK_CODE(suite, tn_conn_begin(conn, &options, &err),
               can ? TN_OK : TN_E_UNSUPPORTED, &err, "begin");
    CHECK_CODE(suite, tn_conn_rollback(conn, &err), TN_OK, &err, "rollback");
    CHECK_CODE(suite, tn_conn_set_isolation(conn, level, &err), wanted, &err,
               "session");
    if (wanted != TN_OK)
      continue;
    CHECK_CODE(suite, tn_conn_get_isolation(conn, &got, &err), TN_OK, &err,
               "get");
    CHECK(suite, got == level, "level %u instead of %u", (unsigned)got,
          (unsigned)level);
  }
}

static void
lock_modes_take_their_locks(struct suite *suite)
{
  const struct tn_txn_options immediate = { .lock_mode = TN_LOCK_IMMEDIATE };
  const struct tn_txn_options exclusive = { .lock_mode = TN_LOCK_EXCLUSIVE };
  const struct tn_txn_options short_wait = { .lock_mode = TN_LOCK_IMMEDIATE,
                                             .deadline =
                                                 tn_deadline_after_ms(150) };
  TN_CLEANUP(tn_conn_close) tn_conn *first = NULL;
  TN_CLEANUP(tn_conn_close) tn_conn *second = NULL;
  tn_err err = TN_ERR_INIT;

  if (!owes_transactions(suite) || (first = suite_connect(suite)) == NULL ||
      (second = suite_connect(suite)) == NULL)
    return;
  if (!has_cap(suite, TN_CAP_LOCK_MODES)) {
    CHECK_CODE(suite, tn_conn_begin(first, &immediate, &err), TN_E_UNSUPPORTED,
               &err, "immediate");
    return;
  }
  CHECK_CODE(suite, tn_conn_begin(first, &immediate, &err), TN_OK, &err,
             "immediate");
  CHECK_CODE(suite, tn_conn_begin(second, &short_wait, &err), TN_E_TIMEOUT,
             &err, "a second one");
  CHECK_CODE(suite, tn_conn_rollback(first, &err), TN_OK, &err, "rollback");
  CHECK_CODE(suite, tn_conn_begin(second, &exclusive, &err), TN_OK, &err,
             "exclusive");
  CHECK_CODE(suite, tn_conn_rollback(second, &err), TN_OK, &err, "rollback");
}

const struct suite_case cases_txn[] = {
  { "transaction: begun or refused", refused_without_transactions },
  { "transaction: commit keeps and rollback drops",
    commit_keeps_and_rollback_drops },
  { "transaction: others see only what was committed",
    other_connections_see_only_commits },
  { "transaction: calls out of order are refused",
    out_of_order_calls_are_refused },
  { "transaction: savepoints nest", savepoints_nest },
  { "transaction: a failed statement leaves a way on",
    failed_statement_leaves_a_way_on },
  { "transaction: one that failed is not committed",
    failed_transaction_is_not_committed },
  { "transaction: DDL inside is as promised",
    ddl_in_a_transaction_is_as_promised },
  { "transaction: read-only refuses writes and ends with it",
    read_only_refuses_writes_and_ends },
  { "transaction: isolation levels are as promised",
    isolation_levels_are_as_promised },
  { "transaction: lock modes take their locks", lock_modes_take_their_locks },
  { NULL, NULL },
};
