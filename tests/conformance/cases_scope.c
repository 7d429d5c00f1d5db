/* Transactions as scopes: what they know of what the server made of them. */
#include "suite.h"

static const char SETUP[] = "DROP TABLE IF EXISTS tn_scope;"
                            "CREATE TABLE tn_scope (v INTEGER)";

static const char COUNT[] = "SELECT count(*) FROM tn_scope";

/* A connection in a scope, and the table; NULL if none is owed. */
static tn_txn *
begin(struct suite *suite, tn_conn **ret)
{
  tn_txn *txn = NULL;
  tn_err err = TN_ERR_INIT;

  if (!suite_owes(suite, TN_CAP_TRANSACTION | TN_CAP_WRITE | TN_CAP_DDL) ||
      (*ret = suite_connect(suite)) == NULL || !suite_run(suite, *ret, SETUP))
    return NULL;
  CHECK_CODE(suite, tn_txn_begin(*ret, NULL, &txn, &err), TN_OK, &err, "begin");
  return txn;
}

static void
ends_rolled_back_unless_committed(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_txn_end) tn_txn *txn = begin(suite, &conn);
  tn_err err = TN_ERR_INIT;

  if (txn == NULL)
    return;
  suite_run(suite, conn, "INSERT INTO tn_scope VALUES (1)");
  tn_txn_end(&txn);
  CHECK(suite, suite_number(suite, conn, COUNT) == 0, "it was kept");
  CHECK_CODE(suite, tn_txn_begin(conn, NULL, &txn, &err), TN_OK, &err, "begin");
  suite_run(suite, conn, "INSERT INTO tn_scope VALUES (1)");
  CHECK_CODE(suite, tn_txn_commit(txn, &err), TN_OK, &err, "commit");
  tn_txn_end(&txn);
  CHECK(suite, suite_number(suite, conn, COUNT) == 1, "it was not kept");
  suite_run(suite, conn, "DROP TABLE tn_scope");
}

static void
a_scope_inside_is_undone_by_itself(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_txn_end) tn_txn *txn = begin(suite, &conn);
  TN_CLEANUP(tn_txn_end) tn_txn *inner = NULL;
  tn_err err = TN_ERR_INIT;

  if (txn == NULL)
    return;
  if (!has_cap(suite, TN_CAP_SAVEPOINT)) {
    CHECK_CODE(suite, tn_txn_nest(txn, &inner, &err), TN_E_UNSUPPORTED, &err,
               "nest");
    return;
  }
  suite_run(suite, conn, "INSERT INTO tn_scope VALUES (1)");
  CHECK_CODE(suite, tn_txn_nest(txn, &inner, &err), TN_OK, &err, "nest");
  suite_run(suite, conn, "INSERT INTO tn_scope VALUES (2)");
  CHECK_CODE(
      suite,
      tn_conn_exec(conn, "INSERT INTO tn_nowhere VALUES (1)", NULL, &err),
      TN_E_NO_TABLE, &err, "insert");
  CHECK_CODE(suite, tn_txn_rollback(inner, &err), TN_OK, &err, "rollback");
  tn_txn_end(&inner);
  CHECK(suite, tn_txn_cause(txn) == NULL, "it was not saved");
  CHECK_CODE(suite, tn_txn_commit(txn, &err), TN_OK, &err, "commit");
  tn_txn_end(&txn);
  CHECK(suite, suite_number(suite, conn, COUNT) == 1, "what was before it");
  suite_run(suite, conn, "DROP TABLE tn_scope");
}

/* A result that has rows left, of three. */
static tn_result *
leave_open(struct suite *suite, tn_conn *conn)
{
  tn_result *result;
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;

  suite_run(suite, conn, "INSERT INTO tn_scope VALUES (1), (2), (3)");
  result = suite_query(suite, conn, "SELECT v FROM tn_scope", NULL, 0);
  if (result != NULL)
    CHECK_CODE(suite, tn_result_next(result, &row, &err), TN_OK, &err, "next");
  return result;
}

static void
what_is_open_ends_with_it(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_result_close) tn_result *outer_rows = NULL;
  TN_CLEANUP(tn_result_close) tn_result *inner_rows = NULL;
  TN_CLEANUP(tn_txn_end) tn_txn *txn = begin(suite, &conn);
  TN_CLEANUP(tn_txn_end) tn_txn *inner = NULL;
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;

  if (txn == NULL)
    return;
  if (has_cap(suite, TN_CAP_SAVEPOINT)) {
    suite_run(suite, conn, "INSERT INTO tn_scope VALUES (0)");
    CHECK_CODE(suite, tn_txn_nest(txn, &inner, &err), TN_OK, &err, "nest");
    inner_rows = leave_open(suite, conn);
    tn_txn_end(&inner);
    CHECK(suite, tn_txn_cause(txn) == NULL, "it was not undone");
    CHECK(suite, suite_number(suite, conn, COUNT) == 1, "more than was before");
  }
  outer_rows = leave_open(suite, conn);
  tn_txn_end(&txn);
  CHECK(suite, tn_conn_txn_state(conn) == TN_TXN_NONE, "it goes on");
  CHECK(suite, suite_number(suite, conn, COUNT) == 0, "it was kept");
  if (outer_rows != NULL && has_cap(suite, TN_CAP_STREAMING))
    CHECK_CODE(suite, tn_result_next(outer_rows, &row, &err), TN_E_STATE, &err,
               "a row of what was rolled back");
  suite_run(suite, conn, "DROP TABLE tn_scope");
}

/* Its time is over, and what it has done is undone all the same. */
static void
a_scope_inside_that_is_late_is_undone(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_txn_end) tn_txn *txn = begin(suite, &conn);
  TN_CLEANUP(tn_txn_end) tn_txn *inner = NULL;
  tn_err err = TN_ERR_INIT;

  if (txn == NULL || !has_cap(suite, TN_CAP_SAVEPOINT))
    return;
  suite_run(suite, conn, "INSERT INTO tn_scope VALUES (1)");
  CHECK_CODE(suite, tn_txn_nest(txn, &inner, &err), TN_OK, &err, "nest");
  suite_run(suite, conn, "INSERT INTO tn_scope VALUES (2)");
  tn_conn_set_deadline(conn, tn_clock_now());
  CHECK_CODE(suite,
             tn_conn_exec(conn, "INSERT INTO tn_scope VALUES (3)", NULL, &err),
             TN_E_TIMEOUT, &err, "a statement that is late");
  tn_txn_end(&inner);
  tn_conn_set_deadline(conn, 0);
  CHECK_CODE(suite, tn_txn_commit(txn, &err), TN_OK, &err, "commit");
  tn_txn_end(&txn);
  CHECK(suite, suite_number(suite, conn, COUNT) == 1, "what was before it");
  suite_run(suite, conn, "DROP TABLE tn_scope");
}

/* The error that ended it is known, told, and what the commit fails with. */
static void
what_ended_it_is_known(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_txn_end) tn_txn *txn = begin(suite, &conn);
  tn_err err = TN_ERR_INIT;

  if (txn == NULL)
    return;
  CHECK_CODE(
      suite,
      tn_conn_exec(conn, "INSERT INTO tn_nowhere VALUES (1)", NULL, &err),
      TN_E_NO_TABLE, &err, "insert");
  if (quirk_is(suite, "transaction.failed_statement", "goes on")) {
    CHECK(suite, tn_txn_cause(txn) == NULL, "it was not ended");
    CHECK_CODE(suite, tn_txn_commit(txn, &err), TN_OK, &err, "commit");
  } else {
    CHECK(suite, tn_txn_cause(txn) != NULL, "it was ended");
    CHECK(suite,
          tn_conn_exec(conn, "INSERT INTO tn_scope VALUES (2)", NULL, &err) !=
              TN_OK,
          "a statement in what is over");
    CHECK(suite, err.detail[0] != '\0', "it is not told why");
    CHECK_CODE(suite, tn_txn_commit(txn, &err), TN_E_NO_TABLE, &err, "commit");
  }
  tn_txn_end(&txn);
  CHECK_USABLE(suite, conn);
  suite_run(suite, conn, "DROP TABLE tn_scope");
}

/* Where DDL commits, what comes after it must not run alone. */
static void
nothing_runs_after_an_implicit_commit(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_txn_end) tn_txn *txn = begin(suite, &conn);
  tn_err err = TN_ERR_INIT;
  bool is_open = has_cap(suite, TN_CAP_DDL_IN_TRANSACTION);

  if (txn == NULL)
    return;
  suite_run(suite, conn, "CREATE TABLE tn_scope_2 (v INTEGER)");
  CHECK_CODE(suite,
             tn_conn_exec(conn, "INSERT INTO tn_scope VALUES (1)", NULL, &err),
             is_open ? TN_OK : TN_E_STATE, &err, "the next statement");
  CHECK_CODE(suite, tn_txn_commit(txn, &err), is_open ? TN_OK : TN_E_STATE,
             &err, "commit");
  tn_txn_end(&txn);
  CHECK(suite, suite_number(suite, conn, COUNT) == (is_open ? 1 : 0),
        "it ran alone");
  suite_run(suite, conn, "DROP TABLE tn_scope_2;DROP TABLE tn_scope");
}

/* DDL that fails commits all the same where DDL commits: then what was before
 * it stays, and nothing that comes after it does. */
static void
check_failed_ddl(struct suite *suite, const char *ddl)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_txn_end) tn_txn *txn = begin(suite, &conn);
  tn_err err = TN_ERR_INIT;
  int64_t left;

  if (txn == NULL)
    return;
  suite_run(suite, conn, "INSERT INTO tn_scope VALUES (1)");
  CHECK(suite, tn_conn_exec(conn, ddl, NULL, &err) != TN_OK, "%s", ddl);
  CHECK(suite,
        err.replay == TN_REPLAY_NEVER ||
            has_cap(suite, TN_CAP_DDL_IN_TRANSACTION),
        "%s: it may be replayed", ddl);
  if (tn_conn_exec(conn, "INSERT INTO tn_scope VALUES (2)", NULL, &err) !=
      TN_OK)
    tn_err_clear(&err); /* refused, which is as good */
  tn_txn_end(&txn);
  left = has_cap(suite, TN_CAP_DDL_IN_TRANSACTION) ? 0 : 1;
  CHECK(suite, suite_number(suite, conn, COUNT) == left, "%s: rows", ddl);
  suite_run(suite, conn, "DROP TABLE tn_scope");
}

static void
nothing_runs_after_a_failed_ddl(struct suite *suite)
{
  check_failed_ddl(suite, "DROP TABLE tn_nowhere");
  check_failed_ddl(suite, "CREATE TABLE tn_scope (v INTEGER)");
  check_failed_ddl(suite, "ALTER TABLE tn_scope ADD COLUMN v INTEGER");
}

/* ---- runs ---- */

static enum tn_code
insert(tn_txn *txn, void *user, tn_err *err)
{
  const enum tn_code *code = user;
  enum tn_code rc = tn_conn_exec(tn_txn_conn(txn),
                                 "INSERT INTO tn_scope VALUES (1)", NULL, err);

  if (rc == TN_OK && *code != TN_OK)
    rc = tn_err_set(err, *code, "that is all");
  return rc;
}

static void
a_run_commits_or_leaves_nothing(struct suite *suite)
{
  struct tn_engine_options options = TN_ENGINE_OPTIONS_INIT;
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_txn_end) tn_txn *txn = begin(suite, &conn);
  TN_CLEANUP(tn_engine_close) tn_engine *engine = NULL;
  tn_err err = TN_ERR_INIT;
  enum tn_code code = TN_E_CONFLICT;

  if (txn == NULL)
    return;
  tn_txn_end(&txn);
  options.registry = suite->registry;
  CHECK_CODE(suite, tn_engine_open(suite->url, &options, &engine, &err), TN_OK,
             &err, "engine");
  if (engine == NULL)
    return;
  CHECK_CODE(suite, tn_run(engine, NULL, insert, &code, &err), TN_E_CONFLICT,
             &err, "a run that fails");
  CHECK(suite, suite_number(suite, conn, COUNT) == 0, "it left something");
  code = TN_OK;
  CHECK_CODE(suite, tn_run(engine, NULL, insert, &code, &err), TN_OK, &err,
             "a run");
  CHECK(suite, suite_number(suite, conn, COUNT) == 1, "it is not there");
  tn_engine_close(&engine);
  suite_run(suite, conn, "DROP TABLE tn_scope");
}

const struct suite_case cases_scope[] = {
  { "scope: rolled back unless committed", ends_rolled_back_unless_committed },
  { "scope: one inside is undone by itself",
    a_scope_inside_is_undone_by_itself },
  { "scope: what is open ends with it", what_is_open_ends_with_it },
  { "scope: one inside that is late is undone",
    a_scope_inside_that_is_late_is_undone },
  { "scope: what ended it is known", what_ended_it_is_known },
  { "scope: nothing runs after an implicit commit",
    nothing_runs_after_an_implicit_commit },
  { "scope: nothing runs after DDL that failed",
    nothing_runs_after_a_failed_ddl },
  { "scope: a run commits or leaves nothing", a_run_commits_or_leaves_nothing },
  { NULL, NULL },
};
