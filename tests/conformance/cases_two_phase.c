/* Transactions that outlive their session: prepared under a global id, and
 * ended from another. */
#include "suite.h"

#include <string.h>
#include <tenon/two_phase.h>

static const char SETUP[] = "DROP TABLE IF EXISTS tn_two_phase;"
                            "CREATE TABLE tn_two_phase (v INTEGER)";

static const char INSERT[] = "INSERT INTO tn_two_phase VALUES (1)";

static const char COUNT[] = "SELECT count(*) FROM tn_two_phase";

struct found {
  const char *id;
  unsigned count;
};

/* tn_two_phase_fn */
static enum tn_code
note(const char *global_id, void *user, tn_err *err)
{
  struct found *found = user;

  (void)err;
  found->count += strcmp(global_id, found->id) == 0;
  return TN_OK;
}

static bool
is_listed(struct suite *suite, tn_conn *conn, const char *id)
{
  struct found found = { .id = id };
  tn_err err = TN_ERR_INIT;

  CHECK_CODE(suite, tn_two_phase_list(conn, note, &found, &err), TN_OK, &err,
             "list");
  CHECK(suite, found.count <= 1, "\"%s\" is listed %u times", id, found.count);
  return found.count > 0;
}

/* Begin with an id, and run it. NULL after a failed check. */
static tn_txn *
begin_with(struct suite *suite, tn_conn *conn, const char *id, const char *sql)
{
  const struct tn_txn_options options = { .global_id = id };
  tn_txn *txn = NULL;
  tn_err err = TN_ERR_INIT;

  if (CHECK_CODE(suite, tn_txn_begin(conn, &options, &txn, &err), TN_OK, &err,
                 "begin"))
    suite_run(suite, conn, sql);
  return txn;
}

static tn_txn *
begin(struct suite *suite, tn_conn *conn, const char *id)
{
  return begin_with(suite, conn, id, INSERT);
}

/* Where the session is over with that, `*conn` becomes another one. */
static void
prepare_with(struct suite *suite, tn_conn **conn, const char *id,
             const char *sql)
{
  TN_CLEANUP(tn_txn_end) tn_txn *txn = begin_with(suite, *conn, id, sql);
  tn_err err = TN_ERR_INIT;

  if (txn == NULL)
    return;
  CHECK_CODE(suite, tn_txn_prepare(txn, &err), TN_OK, &err, "prepare");
  tn_txn_end(&txn);
  if (quirk_is(suite, "two_phase.session", "over")) {
    CHECK_CODE(suite, tn_conn_ping(*conn, 0, &err), TN_E_LOST, &err, "ping");
    tn_conn_close(conn);
    *conn = suite_connect(suite);
  }
}

static void
prepare(struct suite *suite, tn_conn **conn, const char *id)
{
  prepare_with(suite, conn, id, INSERT);
}

/* A connection and the table. */
static tn_conn *
set_up(struct suite *suite)
{
  tn_conn *conn;

  if (!suite_owes(suite, TN_CAP_TWO_PHASE | TN_CAP_WRITE | TN_CAP_DDL) ||
      (conn = suite_connect(suite)) == NULL)
    return NULL;
  suite_run(suite, conn, SETUP);
  return conn;
}

static void
is_refused_where_there_is_none(struct suite *suite)
{
  const struct tn_txn_options options = { .global_id = "tn-1" };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  struct found found = { .id = "tn-1" };
  tn_err err = TN_ERR_INIT;

  if (has_cap(suite, TN_CAP_TWO_PHASE)) {
    CHECK(suite, true, "it has it");
    return;
  }
  conn = suite_connect(suite);
  if (conn == NULL)
    return;
  CHECK_CODE(suite, tn_conn_begin(conn, &options, &err), TN_E_UNSUPPORTED, &err,
             "begin");
  CHECK_CODE(suite, tn_two_phase_commit(conn, "tn-1", &err), TN_E_UNSUPPORTED,
             &err, "commit");
  CHECK_CODE(suite, tn_two_phase_rollback(conn, "tn-1", &err), TN_E_UNSUPPORTED,
             &err, "rollback");
  CHECK_CODE(suite, tn_two_phase_list(conn, note, &found, &err),
             TN_E_UNSUPPORTED, &err, "list");
}

static void
what_is_prepared_outlives_its_session(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = set_up(suite);
  TN_CLEANUP(tn_conn_close) tn_conn *other = NULL;
  tn_err err = TN_ERR_INIT;

  if (conn == NULL || (other = suite_connect(suite)) == NULL)
    return;
  prepare(suite, &conn, "tn-outlives");
  tn_conn_close(&conn);
  CHECK(suite, suite_number(suite, other, COUNT) == 0, "seen too early");
  CHECK(suite, is_listed(suite, other, "tn-outlives"), "it is not listed");
  CHECK_CODE(suite, tn_two_phase_commit(other, "tn-outlives", &err), TN_OK,
             &err, "commit");
  CHECK(suite, suite_number(suite, other, COUNT) == 1, "it is lost");
  CHECK(suite, !is_listed(suite, other, "tn-outlives"), "it is still listed");
  CHECK_CODE(suite, tn_two_phase_commit(other, "tn-outlives", &err),
             TN_E_NOT_FOUND, &err, "commit again");
  CHECK_CODE(suite, tn_two_phase_rollback(other, "tn-outlives", &err),
             TN_E_NOT_FOUND, &err, "roll back what is over");
  CHECK_USABLE(suite, other);
  suite_run(suite, other, "DROP TABLE tn_two_phase");
}

static void
a_session_is_free_once_it_has_prepared(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = set_up(suite);
  tn_err err = TN_ERR_INIT;

  if (conn == NULL)
    return;
  prepare(suite, &conn, "tn-free-1");
  CHECK_USABLE(suite, conn);
  suite_run(suite, conn, INSERT);
  prepare(suite, &conn, "tn-free-2");
  CHECK(suite, suite_number(suite, conn, COUNT) == 1, "its own work");
  CHECK_CODE(suite, tn_two_phase_rollback(conn, "tn-free-1", &err), TN_OK, &err,
             "rollback");
  CHECK(suite, suite_number(suite, conn, COUNT) == 1, "what was rolled back");
  CHECK_CODE(suite, tn_two_phase_commit(conn, "tn-free-2", &err), TN_OK, &err,
             "commit");
  CHECK(suite, suite_number(suite, conn, COUNT) == 2, "what was committed");
  suite_run(suite, conn, "DROP TABLE tn_two_phase");
}

/* Whoever coordinates does not know which of the branches have written. */
static void
one_without_changes_ends_as_any(struct suite *suite)
{
  const char *const queries[] = { COUNT, "DELETE FROM tn_two_phase" };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = set_up(suite);
  tn_err err = TN_ERR_INIT;
  size_t i;

  for (i = 0; i < 2 && conn != NULL; i++) {
    prepare_with(suite, &conn, "tn-void-1", queries[i]);
    CHECK_CODE(suite, tn_two_phase_commit(conn, "tn-void-1", &err), TN_OK, &err,
               queries[i]);
    prepare_with(suite, &conn, "tn-void-2", queries[i]);
    CHECK_CODE(suite, tn_two_phase_rollback(conn, "tn-void-2", &err), TN_OK,
               &err, queries[i]);
    CHECK(suite, !is_listed(suite, conn, "tn-void-1"), "it is still listed");
    CHECK(suite, !is_listed(suite, conn, "tn-void-2"), "so is the other");
  }
  if (conn != NULL)
    suite_run(suite, conn, "DROP TABLE tn_two_phase");
}

/* Some servers want to know the id when the transaction begins. */
static void
an_id_in_use_is_refused(struct suite *suite)
{
  const struct tn_txn_options options = { .global_id = "tn-used" };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = set_up(suite);
  TN_CLEANUP(tn_txn_end) tn_txn *txn = NULL;
  tn_err err = TN_ERR_INIT;

  if (conn == NULL)
    return;
  prepare(suite, &conn, "tn-used");
  if (quirk_is(suite, "two_phase.in_use", "begin")) {
    CHECK_CODE(suite, tn_txn_begin(conn, &options, &txn, &err), TN_E_EXISTS,
               &err, "begin");
  } else {
    txn = begin(suite, conn, "tn-used");
    if (txn != NULL)
      CHECK_CODE(suite, tn_txn_prepare(txn, &err), TN_E_EXISTS, &err,
                 "prepare");
  }
  tn_txn_end(&txn);
  CHECK_USABLE(suite, conn);
  CHECK_CODE(suite, tn_two_phase_commit(conn, "tn-used", &err), TN_OK, &err,
             "commit");
  CHECK(suite, suite_number(suite, conn, COUNT) == 1, "what was refused");
  suite_run(suite, conn, "DROP TABLE tn_two_phase");
}

/* What the one that was refused was to be like is not what the next one is. */
static void
what_is_refused_leaves_nothing_to_the_next(struct suite *suite)
{
  struct tn_txn_options options = { .global_id = "tn-left" };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = set_up(suite);
  tn_err err = TN_ERR_INIT;

  if (conn == NULL)
    return;
  if (has_cap(suite, TN_CAP_SERIALIZABLE))
    options.isolation = TN_ISOLATION_SERIALIZABLE;
  if (has_cap(suite, TN_CAP_READ_ONLY))
    options.access = TN_ACCESS_READ_ONLY;
  prepare(suite, &conn, "tn-left");
  if (quirk_is(suite, "two_phase.in_use", "begin")) {
    CHECK_CODE(suite, tn_conn_begin(conn, &options, &err), TN_E_EXISTS, &err,
               "begin");
    CHECK(suite, tn_conn_txn_state(conn) == TN_TXN_NONE, "it has begun");
  }
  if (suite_begin(suite, conn)) {
    suite_run(suite, conn, INSERT);
    CHECK_CODE(suite, tn_conn_commit(conn, &err), TN_OK, &err, "commit");
  }
  CHECK_CODE(suite, tn_two_phase_rollback(conn, "tn-left", &err), TN_OK, &err,
             "rollback");
  CHECK(suite, suite_number(suite, conn, COUNT) == 1, "the next one's row");
  suite_run(suite, conn, "DROP TABLE tn_two_phase");
}

static void
it_may_end_as_any_other(struct suite *suite)
{
  TN_CLEANUP(tn_conn_close) tn_conn *conn = set_up(suite);
  TN_CLEANUP(tn_txn_end) tn_txn *txn = NULL;
  TN_CLEANUP(tn_txn_end) tn_txn *inner = NULL;
  tn_err err = TN_ERR_INIT;

  if (conn == NULL || (txn = begin(suite, conn, "tn-usual")) == NULL)
    return;
  CHECK_CODE(suite, tn_txn_nest(txn, &inner, &err), TN_OK, &err, "nest");
  suite_run(suite, conn, INSERT);
  CHECK_CODE(suite, tn_txn_prepare(txn, &err), TN_E_STATE, &err,
             "prepare around a scope");
  tn_txn_end(&inner);
  CHECK_CODE(suite, tn_txn_commit(txn, &err), TN_OK, &err, "commit");
  tn_txn_end(&txn);
  CHECK(suite, suite_number(suite, conn, COUNT) == 1, "after commit");
  txn = begin(suite, conn, "tn-usual");
  tn_txn_end(&txn);
  CHECK(suite, suite_number(suite, conn, COUNT) == 1, "after rollback");
  CHECK_CODE(suite, tn_txn_begin(conn, NULL, &txn, &err), TN_OK, &err, "begin");
  CHECK_CODE(suite, tn_txn_prepare(txn, &err), TN_E_STATE, &err,
             "prepare without an id");
  tn_txn_end(&txn);
  CHECK_USABLE(suite, conn);
  suite_run(suite, conn, "DROP TABLE tn_two_phase");
}

static void
a_reset_rolls_back_what_is_not_prepared(struct suite *suite)
{
  const struct tn_txn_options options = { .global_id = "tn-reset" };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = set_up(suite);
  tn_err err = TN_ERR_INIT;

  if (conn == NULL)
    return;
  CHECK_CODE(suite, tn_conn_begin(conn, &options, &err), TN_OK, &err, "begin");
  suite_run(suite, conn, INSERT);
  CHECK_CODE(suite, tn_conn_reset(conn, &err), TN_OK, &err, "reset");
  CHECK(suite, tn_conn_txn_state(conn) == TN_TXN_NONE, "it is open");
  CHECK(suite, suite_number(suite, conn, COUNT) == 0, "it was kept");
  CHECK(suite, !is_listed(suite, conn, "tn-reset"), "it was prepared");
  prepare(suite, &conn, "tn-reset");
  CHECK_CODE(suite, tn_conn_reset(conn, &err), TN_OK, &err, "reset");
  CHECK(suite, is_listed(suite, conn, "tn-reset"), "it went with the session");
  CHECK_CODE(suite, tn_two_phase_commit(conn, "tn-reset", &err), TN_OK, &err,
             "commit");
  CHECK(suite, suite_number(suite, conn, COUNT) == 1, "it was lost");
  suite_run(suite, conn, "DROP TABLE tn_two_phase");
}

static void
ids_are_taken_as_they_are_or_refused(struct suite *suite)
{
  static const char *const good[] = {
    "x",
    "!\"#$%&()*+,-./0123456789:;<=>?@[]^_`{|}~",
    "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef",
  };
  static const char *const bad[] = {
    "",
    "a b",
    "a'b",
    "a\\b",
    "a\nb",
    "\xc3\xa9",
    "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789abcdef0",
  };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = set_up(suite);
  tn_err err = TN_ERR_INIT;

  if (conn == NULL)
    return;
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
    prepare(suite, &conn, good[i]);
    CHECK(suite, is_listed(suite, conn, good[i]), "%s is not listed", good[i]);
    CHECK_CODE(suite, tn_two_phase_rollback(conn, good[i], &err), TN_OK, &err,
               good[i]);
  }
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    const struct tn_txn_options options = { .global_id = bad[i] };

    CHECK_CODE(suite, tn_conn_begin(conn, &options, &err), TN_E_USAGE, &err,
               bad[i]);
    CHECK_CODE(suite, tn_two_phase_commit(conn, bad[i], &err), TN_E_USAGE, &err,
               bad[i]);
  }
  suite_run(suite, conn, "DROP TABLE tn_two_phase");
}

const struct suite_case cases_two_phase[] = {
  { "two phases: refused where there is none", is_refused_where_there_is_none },
  { "two phases: what is prepared outlives its session",
    what_is_prepared_outlives_its_session },
  { "two phases: a session is free once it has prepared",
    a_session_is_free_once_it_has_prepared },
  { "two phases: an id in use is refused", an_id_in_use_is_refused },
  { "two phases: what is refused leaves nothing to the next one",
    what_is_refused_leaves_nothing_to_the_next },
  { "two phases: it may end as any other", it_may_end_as_any_other },
  { "two phases: one without changes ends as any",
    one_without_changes_ends_as_any },
  { "two phases: a reset rolls back what is not prepared",
    a_reset_rolls_back_what_is_not_prepared },
  { "two phases: ids are taken as they are or refused",
    ids_are_taken_as_they_are_or_refused },
  { NULL, NULL },
};
