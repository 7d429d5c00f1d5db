/* What became of a transaction, as the server tells it afterwards; and waiting
 * for a snapshot with which nothing can go wrong. */
#include "suite.h"

#include <string.h>

static const char SETUP[] = "DROP TABLE IF EXISTS tn_outcome;"
                            "CREATE TABLE tn_outcome (v INTEGER)";

static const char INSERT[] = "INSERT INTO tn_outcome VALUES (1)";

static const struct tn_txn_options RESOLVABLE = { .flags =
                                                      TN_BEGIN_RESOLVABLE };

/* An engine whose calls end soon. */
static tn_engine *
open_engine(struct suite *suite)
{
  static const struct tn_setting settings[] = { { "query_timeout", "1" } };
  struct tn_engine_options options = TN_ENGINE_OPTIONS_INIT;
  tn_engine *engine = NULL;
  tn_err err = TN_ERR_INIT;

  options.registry = suite->registry;
  options.settings = settings;
  options.setting_count = 1;
  CHECK_CODE(suite, tn_engine_open(suite->url, &options, &engine, &err), TN_OK,
             &err, "engine");
  return engine;
}

/* A scope that can be asked about, has written, and its id. */
static tn_txn *
begin(struct suite *suite, tn_conn *conn, struct tn_txn_id *id)
{
  tn_txn *txn = NULL;
  tn_err err = TN_ERR_INIT;

  CHECK_CODE(suite, tn_txn_begin(conn, &RESOLVABLE, &txn, &err), TN_OK, &err,
             "begin");
  if (txn == NULL)
    return NULL;
  suite_run(suite, conn, INSERT);
  CHECK_CODE(suite, tn_txn_identify(txn, id, &err), TN_OK, &err, "id");
  return txn;
}

static void
is_refused_where_it_cannot_be_told(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;

  if (has_cap(suite, TN_CAP_OUTCOME)) {
    CHECK(suite, true, "it can tell");
    return;
  }
  conn = suite_connect(suite);
  if (conn == NULL)
    return;
  CHECK_CODE(suite, tn_conn_begin(conn, &RESOLVABLE, &err), TN_E_UNSUPPORTED,
             &err, "begin");
  CHECK(suite, tn_conn_txn_state(conn) == TN_TXN_NONE, "it was begun");
}

static void
the_end_of_a_transaction_is_told(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_engine_close) tn_engine *engine = NULL;
  TN_CLEANUP(tn_txn_end) tn_txn *txn = NULL;
  struct tn_txn_id id;
  tn_err err = TN_ERR_INIT;
  int is_committed = 7;

  if (!suite_owes(suite, TN_CAP_OUTCOME | TN_CAP_WRITE | TN_CAP_DDL) ||
      (conn = suite_connect(suite)) == NULL || !suite_run(suite, conn, SETUP) ||
      (engine = open_engine(suite)) == NULL ||
      (txn = begin(suite, conn, &id)) == NULL)
    return;
  CHECK_CODE(suite,
             tn_txn_resolve(engine, NULL, NULL, &id, &is_committed, &err),
             TN_E_TIMEOUT, &err, "while it is open");
  CHECK(suite, is_committed == 7, "what is not known was stored");
  CHECK_CODE(suite, tn_txn_commit(txn, &err), TN_OK, &err, "commit");
  tn_txn_end(&txn);
  CHECK_CODE(suite,
             tn_txn_resolve(engine, NULL, NULL, &id, &is_committed, &err),
             TN_OK, &err, "after the commit");
  CHECK(suite, is_committed == 1, "it was committed");
  txn = begin(suite, conn, &id);
  tn_txn_end(&txn);
  CHECK_CODE(suite,
             tn_txn_resolve(engine, NULL, NULL, &id, &is_committed, &err),
             TN_OK, &err, "after the rollback");
  CHECK(suite, is_committed == 0, "it was rolled back");
  CHECK_CODE(suite, tn_txn_begin(conn, NULL, &txn, &err), TN_OK, &err, "begin");
  CHECK_CODE(suite, tn_txn_identify(txn, &id, &err), TN_E_STATE, &err,
             "one that was not begun for it");
  tn_txn_end(&txn);
  suite_run(suite, conn, "DROP TABLE tn_outcome");
}

/* The number of its transaction alone would be another's. */
static void
nothing_is_told_of_another_server(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  TN_CLEANUP(tn_engine_close) tn_engine *engine = NULL;
  TN_CLEANUP(tn_txn_end) tn_txn *txn = NULL;
  struct tn_txn_id id;
  tn_err err = TN_ERR_INIT;
  int is_committed = 7;

  if (!suite_owes(suite, TN_CAP_OUTCOME | TN_CAP_WRITE | TN_CAP_DDL) ||
      (conn = suite_connect(suite)) == NULL || !suite_run(suite, conn, SETUP) ||
      (engine = open_engine(suite)) == NULL ||
      (txn = begin(suite, conn, &id)) == NULL)
    return;
  CHECK_CODE(suite, tn_txn_commit(txn, &err), TN_OK, &err, "commit");
  tn_txn_end(&txn);
  id.text[0] = id.text[0] == '1' ? '2' : '1';
  CHECK_CODE(suite,
             tn_txn_resolve(engine, NULL, NULL, &id, &is_committed, &err),
             TN_E_UNCERTAIN, &err, "another server's");
  CHECK(suite, is_committed == 7, "what is not known was stored");
  strcpy(id.text, "what");
  CHECK_CODE(suite,
             tn_txn_resolve(engine, NULL, NULL, &id, &is_committed, &err),
             TN_E_USAGE, &err, "no id");
  suite_run(suite, conn, "DROP TABLE tn_outcome");
}

static void
deferrable_is_met_or_refused(struct suite *suite)
{
  struct tn_txn_options options = { .isolation = TN_ISOLATION_SERIALIZABLE,
                                    .access = TN_ACCESS_READ_ONLY,
                                    .flags = TN_BEGIN_DEFERRABLE };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;

  conn = suite_connect(suite);
  if (conn == NULL)
    return;
  CHECK_CODE(suite, tn_conn_begin(conn, &options, &err),
             has_cap(suite, TN_CAP_DEFERRABLE) ? TN_OK : TN_E_UNSUPPORTED, &err,
             "begin");
  CHECK_CODE(suite, tn_conn_rollback(conn, &err), TN_OK, &err, "rollback");
  options.access = 0;
  CHECK_CODE(suite, tn_conn_begin(conn, &options, &err), TN_E_USAGE, &err,
             "one that may write");
  CHECK_USABLE(suite, conn);
}

const struct suite_case cases_outcome[] = {
  { "outcome: refused where it cannot be told",
    is_refused_where_it_cannot_be_told },
  { "outcome: the end of a transaction is told",
    the_end_of_a_transaction_is_told },
  { "outcome: nothing is told of another server",
    nothing_is_told_of_another_server },
  { "transaction: deferrable is met or refused", deferrable_is_met_or_refused },
  { NULL, NULL },
};
