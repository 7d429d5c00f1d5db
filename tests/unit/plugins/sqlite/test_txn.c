/* Transactions, savepoints and locks, alone and against another connection. */
#include "fixture.h"

static int32_t
begin(struct session *s, uint32_t isolation, uint32_t access,
      uint32_t lock_mode)
{
  struct tn_txn_request request = { .size = sizeof request };

  request.isolation = isolation;
  request.access = access;
  request.lock_mode = lock_mode;
  return s->txn->begin(s->handle, &request, &s->fake.call);
}

static int32_t
commit(struct session *s)
{
  return s->txn->commit(s->handle, &s->fake.call);
}

static int32_t
roll_back(struct session *s)
{
  return s->txn->rollback(s->handle, &s->fake.call);
}

static uint32_t
state(struct session *s)
{
  return s->txn->state(s->handle);
}

/* Two sessions on a file with a table t(a UNIQUE) that has the row 1. */
struct pair {
  struct folder folder;
  char path[256];
  struct session a, b;
};

static void
pair_open(struct pair *pair, const char *options)
{
  pair->folder = folder_new();
  path_in(&pair->folder, "x.db", pair->path);
  session_open(&pair->a, pair->path, options);
  must(&pair->a, "CREATE TABLE IF NOT EXISTS t(a UNIQUE)");
  must(&pair->a, "INSERT INTO t VALUES (1)");
  session_open(&pair->b, pair->path, options);
}

static void
pair_close(struct pair *pair)
{
  session_close(&pair->a);
  session_close(&pair->b);
  folder_free(&pair->folder);
}

Test(txn, commit_keeps_and_rollback_undoes_schema_changes_too)
{
  struct session s;

  session_open(&s, NULL, "");
  cr_expect_eq(state(&s), TN_TXN_NONE);
  cr_assert_eq(begin(&s, 0, 0, 0), TN_OK);
  cr_expect_eq(state(&s), TN_TXN_OPEN);
  must(&s, "CREATE TABLE t(a)");
  cr_assert_eq(roll_back(&s), TN_OK);
  cr_expect_eq(state(&s), TN_TXN_NONE);
  cr_expect_eq(run(&s, "SELECT * FROM t"), TN_E_NO_TABLE);
  cr_assert_eq(begin(&s, TN_ISOLATION_SERIALIZABLE, TN_ACCESS_READ_WRITE, 0),
               TN_OK);
  must(&s, "CREATE TABLE t(a)");
  must(&s, "INSERT INTO t VALUES (1)");
  cr_assert_eq(commit(&s), TN_OK);
  cr_expect_eq(number_of(&s, "SELECT count(*) FROM t"), 1);
  cr_expect_eq(roll_back(&s), TN_OK, "nothing to roll back");
  session_close(&s);
}

Test(txn, a_second_begin_and_a_lone_commit_are_matters_of_state)
{
  struct session s;

  session_open(&s, NULL, "");
  cr_expect_eq(commit(&s), TN_E_STATE);
  cr_assert_eq(begin(&s, 0, 0, 0), TN_OK);
  cr_expect_eq(begin(&s, 0, 0, 0), TN_E_STATE);
  cr_expect_eq(state(&s), TN_TXN_OPEN);
  cr_expect_eq(commit(&s), TN_OK);
  session_close(&s);
}

Test(txn, transactions_in_plain_sql_are_seen)
{
  struct session s;

  session_open(&s, NULL, "");
  must(&s, "BEGIN IMMEDIATE");
  cr_expect_eq(state(&s), TN_TXN_OPEN);
  must(&s, "COMMIT");
  cr_expect_eq(state(&s), TN_TXN_NONE);
  must(&s, "SAVEPOINT x");
  cr_expect_eq(state(&s), TN_TXN_OPEN);
  must(&s, "RELEASE x");
  cr_expect_eq(state(&s), TN_TXN_NONE);
  cr_assert_eq(begin(&s, 0, TN_ACCESS_READ_ONLY, 0), TN_OK);
  must(&s, "END");
  must(&s, "CREATE TABLE t(a)"); /* read-only ended with it */
  session_close(&s);
}

Test(txn, isolation_is_what_sqlite_has)
{
  static const struct {
    uint32_t isolation;
    int32_t plain;
    int32_t shared;
  } levels[] = {
    { TN_ISOLATION_READ_UNCOMMITTED, TN_E_UNSUPPORTED, TN_OK },
    { TN_ISOLATION_READ_COMMITTED, TN_E_UNSUPPORTED, TN_E_UNSUPPORTED },
    { TN_ISOLATION_REPEATABLE_READ, TN_E_UNSUPPORTED, TN_E_UNSUPPORTED },
    { TN_ISOLATION_SERIALIZABLE, TN_OK, TN_OK },
    { 99, TN_E_UNSUPPORTED, TN_E_UNSUPPORTED },
  };
  struct session plain, shared;
  uint32_t isolation = 0;
  size_t i;

  session_open(&plain, NULL, "");
  session_open(&shared, ":memory:", "cache=shared");
  for (i = 0; i < COUNT(levels); i++) {
    cr_expect_eq(begin(&plain, levels[i].isolation, 0, 0), levels[i].plain,
                 "case %zu", i);
    roll_back(&plain);
    cr_expect_eq(begin(&shared, levels[i].isolation, 0, 0), levels[i].shared,
                 "case %zu", i);
    cr_expect_eq(number_of(&shared, "PRAGMA read_uncommitted"),
                 levels[i].isolation == TN_ISOLATION_READ_UNCOMMITTED);
    roll_back(&shared);
    cr_expect_eq(number_of(&shared, "PRAGMA read_uncommitted"), 0);
    cr_expect_eq(plain.session->set_isolation(plain.handle, levels[i].isolation,
                                              &plain.fake.call),
                 levels[i].plain, "case %zu", i);
  }
  plain.session->get_isolation(plain.handle, &isolation, &plain.fake.call);
  cr_expect_eq(isolation, TN_ISOLATION_SERIALIZABLE);

  cr_expect_eq(shared.session->set_isolation(shared.handle,
                                             TN_ISOLATION_READ_UNCOMMITTED,
                                             &shared.fake.call),
               TN_OK);
  shared.session->get_isolation(shared.handle, &isolation, &shared.fake.call);
  cr_expect_eq(isolation, TN_ISOLATION_READ_UNCOMMITTED);
  cr_expect_eq(begin(&shared, TN_ISOLATION_SERIALIZABLE, 0, 0), TN_OK);
  cr_expect_eq(number_of(&shared, "PRAGMA read_uncommitted"), 0);
  roll_back(&shared);
  cr_expect_eq(number_of(&shared, "PRAGMA read_uncommitted"), 1,
               "the session's own is back");
  session_close(&plain);
  session_close(&shared);
}

Test(txn, a_read_only_transaction_refuses_whatever_may_write)
{
  static const char *const writes[] = {
    "INSERT INTO t VALUES (1)",
    "UPDATE t SET a=1",
    "DELETE FROM t",
    "CREATE TABLE u(a)",
    "CREATE TEMP TABLE u(a)",
    "DROP TABLE t",
    "PRAGMA user_version=1",
    "INSERT INTO t VALUES (1) RETURNING a",
    "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x",
  };
  struct session s;
  size_t i;

  session_open(&s, NULL, "");
  must(&s, "CREATE TABLE t(a)");
  cr_assert_eq(begin(&s, 0, TN_ACCESS_READ_ONLY, 0), TN_OK);
  must(&s, "SELECT * FROM t");
  for (i = 0; i < COUNT(writes); i++)
    cr_expect_eq(run(&s, writes[i]), TN_E_READ_ONLY, "case %zu: %s", i,
                 writes[i]);
  cr_assert_eq(commit(&s), TN_OK);
  must(&s, "INSERT INTO t VALUES (1)");
  cr_assert_eq(begin(&s, 0, TN_ACCESS_READ_ONLY, 0), TN_OK);
  cr_assert_eq(roll_back(&s), TN_OK);
  must(&s, "INSERT INTO t VALUES (1)");
  cr_assert_eq(begin(&s, 0, 0, 0), TN_OK);
  must(&s, "INSERT INTO t VALUES (1)");
  cr_assert_eq(commit(&s), TN_OK);
  session_close(&s);
}

Test(txn, a_lock_mode_takes_its_locks_at_once)
{
  static const struct {
    const char *option;
    uint32_t mode; /* asked for; 0: none */
    int32_t write; /* what the other one's write comes to */
    int32_t read;
  } modes[] = {
    { "", 0, TN_OK, TN_OK },
    { "", TN_LOCK_DEFERRED, TN_OK, TN_OK },
    { "", TN_LOCK_IMMEDIATE, TN_E_BUSY, TN_OK },
    { "", TN_LOCK_EXCLUSIVE, TN_E_BUSY, TN_E_BUSY },
    { "isolation_level=IMMEDIATE", 0, TN_E_BUSY, TN_OK },
    { "isolation_level=exclusive", 0, TN_E_BUSY, TN_E_BUSY },
    { "isolation_level=EXCLUSIVE", TN_LOCK_DEFERRED, TN_OK, TN_OK },
  };
  size_t i;

  for (i = 0; i < COUNT(modes); i++) {
    char options[64];
    struct pair pair;

    snprintf(options, sizeof options, "timeout=0 %s", modes[i].option);
    pair_open(&pair, options);
    cr_assert_eq(begin(&pair.a, 0, 0, modes[i].mode), TN_OK, "case %zu", i);
    cr_expect_eq(run(&pair.b, "SELECT * FROM t"), modes[i].read, "case %zu", i);
    cr_expect_eq(run(&pair.b, "UPDATE t SET a=2"), modes[i].write, "case %zu",
                 i);
    cr_assert_eq(commit(&pair.a), TN_OK);
    pair_close(&pair);
  }
  {
    struct session s;

    session_open(&s, NULL, "");
    cr_expect_eq(begin(&s, 0, 0, 4), TN_E_UNSUPPORTED);
    session_close(&s);
  }
}

Test(txn, busy_outside_a_transaction_may_be_tried_again_as_it_is)
{
  struct pair pair;

  pair_open(&pair, "timeout=20ms");
  cr_assert_eq(begin(&pair.b, 0, 0, TN_LOCK_IMMEDIATE), TN_OK);
  cr_expect_eq(run(&pair.a, "UPDATE t SET a=2"), TN_E_BUSY);
  cr_expect_eq(pair.a.fake.err.replay, TN_REPLAY_SAFE);
  cr_expect_eq(pair.a.fake.err.connection, TN_CONNECTION_USABLE);
  cr_expect_eq(begin(&pair.a, 0, 0, TN_LOCK_IMMEDIATE), TN_E_BUSY);
  cr_expect_eq(pair.a.fake.err.replay, TN_REPLAY_SAFE);
  cr_expect_eq(state(&pair.a), TN_TXN_NONE);
  pair_close(&pair);
}

Test(txn, busy_within_a_transaction_is_for_the_whole_of_it)
{
  struct pair pair;

  pair_open(&pair, "timeout=20ms");
  cr_assert_eq(begin(&pair.a, 0, 0, 0), TN_OK);
  must(&pair.a, "SELECT * FROM t");
  cr_assert_eq(begin(&pair.b, 0, 0, TN_LOCK_IMMEDIATE), TN_OK);
  cr_expect_eq(run(&pair.a, "UPDATE t SET a=2"), TN_E_BUSY);
  cr_expect_eq(pair.a.fake.err.replay, TN_REPLAY_TRANSACTION);
  cr_expect_eq(state(&pair.a), TN_TXN_OPEN);
  pair_close(&pair);
}

Test(txn, a_snapshot_that_is_out_of_date_is_for_the_whole_transaction)
{
  struct pair pair;

  pair_open(&pair, "journal_mode=wal timeout=5s");
  cr_assert_eq(begin(&pair.a, 0, 0, 0), TN_OK);
  must(&pair.a, "SELECT * FROM t");
  must(&pair.b, "UPDATE t SET a=3");
  fake_call_again(&pair.a.fake, 0);
  cr_expect_eq(run(&pair.a, "UPDATE t SET a=2"), TN_E_BUSY);
  cr_expect_eq(pair.a.fake.err.native, SQLITE_BUSY_SNAPSHOT);
  cr_expect_eq(pair.a.fake.err.replay, TN_REPLAY_TRANSACTION);
  cr_expect_eq(pair.a.fake.waits, 0, "waiting would be in vain");
  pair_close(&pair);
}

Test(txn, busy_at_commit_leaves_the_transaction_open)
{
  struct running reading;
  struct pair pair;
  tn_value cells[1];

  pair_open(&pair, "timeout=20ms");
  must(&pair.a, "INSERT INTO t VALUES (2)");
  cr_assert_eq(start(&pair.b, "SELECT a FROM t", NULL, 0, &reading), TN_OK);
  cr_assert_eq(pair.b.result->fetch(reading.result, cells, &pair.b.fake.call),
               1);
  cr_assert_eq(begin(&pair.a, 0, 0, 0), TN_OK);
  must(&pair.a, "INSERT INTO t VALUES (3)");
  cr_expect_eq(commit(&pair.a), TN_E_BUSY);
  cr_expect_eq(pair.a.fake.err.replay, TN_REPLAY_SAFE);
  cr_expect_eq(pair.a.fake.err.connection, TN_CONNECTION_USABLE);
  cr_expect_eq(state(&pair.a), TN_TXN_OPEN);
  fake_call_again(&pair.a.fake, 5);
  cr_expect_eq(commit(&pair.a), TN_E_TIMEOUT);
  cr_expect_eq(pair.a.fake.err.replay, TN_REPLAY_SAFE);
  fake_call_again(&pair.a.fake, 0);
  cr_expect_eq(run(&pair.a, "COMMIT"), TN_E_BUSY);
  cr_expect_eq(pair.a.fake.err.replay, TN_REPLAY_SAFE);
  cr_expect_eq(state(&pair.a), TN_TXN_OPEN);
  finish(&pair.b, &reading);
  cr_expect_eq(commit(&pair.a), TN_OK, "%s", pair.a.fake.err.message);
  cr_expect_eq(number_of(&pair.b, "SELECT count(*) FROM t"), 3);
  pair_close(&pair);
}

static void
release_lock(void *user)
{
  struct session *other = user;

  if (state(other) == TN_TXN_OPEN && other->fake.user == NULL &&
      ++other->fake.stop_after == 4)
    commit(other);
}

Test(txn, a_lock_is_waited_for_through_the_host)
{
  struct pair pair;

  pair_open(&pair, "timeout=5s");
  cr_assert_eq(begin(&pair.b, 0, 0, TN_LOCK_EXCLUSIVE), TN_OK);
  fake_call_again(&pair.a.fake, 0);
  pair.a.fake.on_wait = release_lock;
  pair.a.fake.user = &pair.b;
  cr_expect_eq(run(&pair.a, "UPDATE t SET a=5"), TN_OK, "%s",
               pair.a.fake.err.message);
  cr_expect_eq(pair.a.fake.waits, 4);
  /* 1 + 2 + 5 + 10 ms */
  cr_expect(pair.a.fake.waited_ns > 10000000 &&
                pair.a.fake.waited_ns <= 18000000,
            "%lld ns", (long long)pair.a.fake.waited_ns);
  pair_close(&pair);
}

Test(txn, waiting_ends_by_option_deadline_or_cancel_whichever_is_first)
{
  struct pair pair;
  int64_t start_ns, took;

  pair_open(&pair, "timeout=60ms");
  cr_assert_eq(begin(&pair.b, 0, 0, TN_LOCK_EXCLUSIVE), TN_OK);
  fake_call_again(&pair.a.fake, 10000);
  start_ns = pair.a.fake.call.host->now();
  cr_expect_eq(run(&pair.a, "SELECT * FROM t"), TN_E_BUSY);
  took = pair.a.fake.call.host->now() - start_ns;
  cr_expect(took >= 59000000 && took < 260000000, "%lld", (long long)took);
  fake_call_again(&pair.a.fake, 30);
  start_ns = pair.a.fake.call.host->now();
  cr_expect_eq(run(&pair.a, "SELECT * FROM t"), TN_E_TIMEOUT);
  took = pair.a.fake.call.host->now() - start_ns;
  cr_expect(took >= 29000000 && took < 260000000, "%lld", (long long)took);
  fake_call_again(&pair.a.fake, 0);
  pair.a.fake.stop = TN_E_CANCELED;
  pair.a.fake.stop_after = 2;
  cr_expect_eq(run(&pair.a, "SELECT * FROM t"), TN_E_CANCELED);
  cr_expect_eq(pair.a.fake.waits, 2);
  pair_close(&pair);
}

Test(txn, a_table_lock_of_a_shared_cache_is_waited_for_as_well)
{
  struct session a, b;

  session_open(&a, "shared", "mode=memory cache=shared timeout=30ms");
  must(&a, "CREATE TABLE t(a)");
  session_open(&b, "shared", "mode=memory cache=shared timeout=30ms");
  cr_assert_eq(begin(&a, 0, 0, 0), TN_OK);
  must(&a, "INSERT INTO t VALUES (1)");
  fake_call_again(&b.fake, 0);
  cr_expect_eq(run(&b, "SELECT * FROM t"), TN_E_BUSY);
  cr_expect_eq(b.fake.err.native, SQLITE_LOCKED_SHAREDCACHE);
  cr_expect_gt(b.fake.waits, 2);
  cr_assert_eq(begin(&b, TN_ISOLATION_READ_UNCOMMITTED, 0, 0), TN_OK);
  cr_expect_eq(number_of(&b, "SELECT count(*) FROM t"), 1);
  roll_back(&b);
  fake_call_again(&b.fake, 0);
  b.fake.on_wait = release_lock;
  b.fake.user = &a;
  cr_expect_eq(run(&b, "SELECT * FROM t"), TN_OK);
  must(&a, "CREATE TABLE u(a)");
  cr_assert_eq(begin(&a, 0, 0, 0), TN_OK);
  must(&a, "CREATE TABLE w(a)");
  fake_call_again(&b.fake, 10); /* the schema is locked: compiling waits */
  cr_expect_eq(run(&b, "SELECT * FROM u"), TN_E_TIMEOUT, "%s",
               b.fake.err.message);
  roll_back(&a);
  session_close(&a);
  session_close(&b);
}

static const char endless_insert[] =
    "INSERT INTO t WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM "
    "n) SELECT i FROM n";

Test(txn, what_sqlite_rolled_back_is_aborted_until_it_is_rolled_back)
{
  static const struct {
    const char *sql;
    int32_t category;
    bool has_deadline;
  } ends[] = {
    { "INSERT OR ROLLBACK INTO t VALUES (1)", TN_E_DUPLICATE, false },
    { "INSERT INTO t VALUES ('rollback')", TN_E_CONSTRAINT, false },
    { endless_insert, TN_E_TIMEOUT, true },
  };
  struct session s;
  size_t i;

  session_open(&s, NULL, "");
  must(&s, "CREATE TABLE t(a UNIQUE)");
  must(&s, "CREATE TRIGGER tr BEFORE INSERT ON t WHEN NEW.a='rollback' BEGIN "
           "SELECT RAISE(ROLLBACK, 'no'); END");
  must(&s, "INSERT INTO t VALUES (1)");
  for (i = 0; i < COUNT(ends); i++) {
    cr_assert_eq(begin(&s, 0, 0, 0), TN_OK);
    must(&s, "INSERT INTO t VALUES ('lost')");
    if (ends[i].has_deadline)
      fake_call_again(&s.fake, 20);
    cr_expect_eq(run(&s, ends[i].sql), ends[i].category, "case %zu: %s", i,
                 s.fake.err.message);
    cr_expect_eq(s.fake.err.connection, TN_CONNECTION_ABORTED, "case %zu", i);
    cr_expect_eq(s.fake.err.replay,
                 ends[i].has_deadline ? TN_REPLAY_TRANSACTION : TN_REPLAY_NEVER,
                 "case %zu", i);
    fake_call_again(&s.fake, 0);
    cr_expect_eq(state(&s), TN_TXN_ABORTED, "case %zu", i);

    /* nothing may run as if it were in the transaction */
    cr_expect_eq(run(&s, "INSERT INTO t VALUES (99)"), TN_E_STATE);
    cr_expect_eq(s.fake.err.connection, TN_CONNECTION_ABORTED);
    cr_expect_eq(run(&s, "SELECT 1"), TN_E_STATE);
    cr_expect_eq(commit(&s), TN_E_STATE);
    cr_expect_eq(begin(&s, 0, 0, 0), TN_E_STATE);
    cr_expect_eq(s.txn->savepoint(s.handle, "x", &s.fake.call), TN_E_STATE);
    cr_expect_eq(run(&s, "ROLLBACK TO x"), TN_E_STATE);
    cr_expect_eq(state(&s), TN_TXN_ABORTED, "case %zu", i);
    if (i == 0)
      must(&s, "ROLLBACK"); /* as SQL */
    else
      cr_expect_eq(roll_back(&s), TN_OK);
    cr_expect_eq(state(&s), TN_TXN_NONE, "case %zu", i);
    cr_expect_eq(number_of(&s, "SELECT count(*) FROM t"), 1, "case %zu", i);
  }
  session_close(&s);
}

Test(txn, a_read_that_is_stopped_leaves_the_transaction_as_it_is)
{
  struct session s;

  session_open(&s, NULL, "");
  must(&s, "CREATE TABLE t(a)");
  cr_assert_eq(begin(&s, 0, 0, 0), TN_OK);
  must(&s, "INSERT INTO t VALUES (1)");
  fake_call_again(&s.fake, 20);
  cr_expect_eq(run(&s, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 "
                       "FROM n) SELECT max(i) FROM n"),
               TN_E_TIMEOUT);
  cr_expect_eq(s.fake.err.connection, TN_CONNECTION_USABLE);
  cr_expect_eq(state(&s), TN_TXN_OPEN);
  fake_call_again(&s.fake, 0);
  cr_expect_eq(commit(&s), TN_OK);
  cr_expect_eq(number_of(&s, "SELECT count(*) FROM t"), 1);
  session_close(&s);
}

Test(txn, a_result_that_was_open_at_the_rollback_says_so)
{
  struct running running;
  struct session s;
  tn_value cells[1];

  session_open(&s, NULL, "");
  must(&s, "CREATE TABLE t(a)");
  must(&s, "INSERT INTO t VALUES (1),(2),(3)");
  cr_assert_eq(begin(&s, 0, 0, 0), TN_OK);
  must(&s, "CREATE TABLE u(a)");
  cr_assert_eq(start(&s, "SELECT a FROM t", NULL, 0, &running), TN_OK);
  cr_assert_eq(s.result->fetch(running.result, cells, &s.fake.call), 1);
  cr_assert_eq(roll_back(&s), TN_OK);
  cr_expect_eq(s.result->fetch(running.result, cells, &s.fake.call),
               -TN_E_STATE);
  cr_expect_eq(s.fake.err.replay, TN_REPLAY_TRANSACTION);
  finish(&s, &running);
  session_close(&s);
}

Test(txn, a_deferred_foreign_key_fails_the_commit_and_keeps_it_open)
{
  struct session s;

  session_open(&s, NULL, "foreign_keys=on");
  must(&s, "CREATE TABLE p(id INTEGER PRIMARY KEY)");
  must(&s, "CREATE TABLE c(p REFERENCES p DEFERRABLE INITIALLY DEFERRED)");
  cr_assert_eq(begin(&s, 0, 0, 0), TN_OK);
  must(&s, "INSERT INTO c VALUES (1)");
  cr_expect_eq(commit(&s), TN_E_REFERENCE);
  cr_expect_eq(state(&s), TN_TXN_OPEN);
  must(&s, "INSERT INTO p VALUES (1)");
  cr_expect_eq(commit(&s), TN_OK);
  session_close(&s);
}

Test(txn, savepoints_nest_and_need_a_transaction)
{
  struct session s;
  void *h;
  struct tn_call *call;

  session_open(&s, NULL, "");
  h = s.handle;
  call = &s.fake.call;
  must(&s, "CREATE TABLE t(a)");
  cr_expect_eq(s.txn->savepoint(h, "a", call), TN_E_STATE);
  cr_expect_eq(s.txn->release_savepoint(h, "a", call), TN_E_STATE);
  cr_expect_eq(s.txn->rollback_savepoint(h, "a", call), TN_E_STATE);
  cr_expect_eq(state(&s), TN_TXN_NONE);

  cr_assert_eq(begin(&s, 0, 0, 0), TN_OK);
  must(&s, "INSERT INTO t VALUES (1)");
  cr_assert_eq(s.txn->savepoint(h, "select", call), TN_OK, "a keyword");
  must(&s, "INSERT INTO t VALUES (2)");
  cr_assert_eq(s.txn->savepoint(h, "b", call), TN_OK);
  must(&s, "INSERT INTO t VALUES (3)");
  cr_assert_eq(s.txn->rollback_savepoint(h, "b", call), TN_OK);
  cr_expect_eq(number_of(&s, "SELECT count(*) FROM t"), 2);
  cr_assert_eq(s.txn->release_savepoint(h, "b", call), TN_OK);
  cr_expect_eq(s.txn->rollback_savepoint(h, "b", call), TN_E_STATE);
  cr_assert_eq(s.txn->rollback_savepoint(h, "select", call), TN_OK);
  cr_assert_eq(s.txn->release_savepoint(h, "select", call), TN_OK);
  cr_expect_eq(state(&s), TN_TXN_OPEN);
  cr_assert_eq(commit(&s), TN_OK);
  cr_expect_eq(number_of(&s, "SELECT count(*) FROM t"), 1);
  session_close(&s);
}

/* With a log SQLite itself would not notice. */
Test(txn, what_a_file_without_a_path_would_take_is_not_committed)
{
  struct pair pair;
  char away[256];

  pair_open(&pair, "journal_mode=wal");
  path_in(&pair.folder, "away.db", away);
  must(&pair.b, "BEGIN");
  must(&pair.b, "INSERT INTO t VALUES (2)");
  must(&pair.b, "COMMIT");
  cr_assert_eq(begin(&pair.b, 0, 0, 0), TN_OK);
  must(&pair.b, "INSERT INTO t VALUES (3)");
  cr_assert_eq(rename(pair.path, away), 0);
  cr_expect_eq(commit(&pair.b), TN_E_IO);
  cr_expect_str_eq(pair.b.fake.err.message,
                   "the file of the database is not at its path any more");
  cr_expect_eq(pair.b.fake.err.connection, TN_CONNECTION_DEAD);
  cr_expect_eq(pair.b.fake.err.replay, TN_REPLAY_SAFE);
  cr_expect_eq(run(&pair.a, "INSERT INTO t VALUES (4)"), TN_E_IO);
  cr_expect_eq(run(&pair.a, "BEGIN; "), TN_OK);
  must(&pair.a, "INSERT INTO t VALUES (5)");
  cr_expect_eq(run(&pair.a, "COMMIT"), TN_E_IO);

  cr_assert_eq(rename(away, pair.path), 0);
  cr_expect_eq(roll_back(&pair.b), TN_OK);
  cr_expect_eq(number_of(&pair.b, "SELECT count(*) FROM t"), 2);
  pair_close(&pair);
}
