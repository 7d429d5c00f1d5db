/* What a borrower may leave behind, and that the next one sees none of it. */
#include "fixture.h"

static int32_t
reset(struct session *s)
{
  return s->session->reset(s->handle, &s->fake.call);
}

Test(session, reset_leaves_a_fresh_session)
{
  static const struct {
    const char *change;
    const char *look;
  } cases[] = {
    { "PRAGMA foreign_keys=off", "PRAGMA foreign_keys" },
    { "PRAGMA main.synchronous=off", "PRAGMA synchronous" },
    { "PRAGMA SYNCHRONOUS(3)", "PRAGMA synchronous" },
    { "PRAGMA query_only=on", "PRAGMA query_only" },
    { "PRAGMA recursive_triggers=on", "PRAGMA recursive_triggers" },
    { "PRAGMA case_sensitive_like=on", "SELECT 'a' LIKE 'A'" },
    { "PRAGMA cache_size=-17", "PRAGMA cache_size" },
    { "PRAGMA ignore_check_constraints=on", "PRAGMA ignore_check_constraints" },
    { "PRAGMA journal_mode=off", "PRAGMA journal_mode" },
    { "PRAGMA journal_mode=truncate", "PRAGMA journal_mode" },
    { "PRAGMA locking_mode=exclusive", "PRAGMA locking_mode" },
    { "PRAGMA max_page_count=300", "PRAGMA max_page_count" },
    { "PRAGMA temp_store=memory", "PRAGMA temp_store" },
    { "PRAGMA writable_schema=on", "PRAGMA writable_schema" },
    { "PRAGMA trusted_schema=off", "PRAGMA trusted_schema" },
    { "PRAGMA reverse_unordered_selects=1",
      "PRAGMA reverse_unordered_selects" },
    { "PRAGMA full_column_names=1", "PRAGMA full_column_names" },
    { "PRAGMA read_uncommitted=1", "PRAGMA read_uncommitted" },
    { "PRAGMA wal_autocheckpoint=7", "PRAGMA wal_autocheckpoint" },
    { "PRAGMA busy_timeout=77", "PRAGMA busy_timeout" },
    { "CREATE TEMP TABLE x(a)", "SELECT count(*) FROM temp.sqlite_master" },
    { "CREATE TABLE temp.\"od\"\"d\"(a)",
      "SELECT count(*) FROM temp.sqlite_master" },
    { "CREATE TEMP VIEW x AS SELECT 1",
      "SELECT count(*) FROM temp.sqlite_master" },
    { "CREATE TEMP TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; END",
      "SELECT count(*) FROM temp.sqlite_master" },
    { "CREATE VIRTUAL TABLE temp.x USING fts5(a)",
      "SELECT count(*) FROM temp.sqlite_master" },
    { "CREATE TEMP TABLE x(a INTEGER PRIMARY KEY AUTOINCREMENT)",
      "SELECT count(*) FROM temp.sqlite_master WHERE name='x'" },
    { "ATTACH ':memory:' AS \"od\"\"d\"",
      "SELECT count(*) FROM pragma_database_list WHERE seq>1" },
    { "BEGIN", "SELECT 1" },
    { "BEGIN EXCLUSIVE", "SELECT 1" },
  };
  struct folder folder = folder_new();
  struct session s;
  char path[256], before[64], after[64];
  size_t i;

  session_open(&s, path_in(&folder, "x.db", path),
               "foreign_keys=on synchronous=normal");
  must(&s, "CREATE TABLE t(a)");
  for (i = 0; i < COUNT(cases); i++) {
    text_of(&s, cases[i].look, before, sizeof before);
    must(&s, cases[i].change);
    cr_assert_eq(reset(&s), TN_OK, "case %zu: %s: %s", i, cases[i].change,
                 s.fake.err.message);
    cr_expect_str_eq(text_of(&s, cases[i].look, after, sizeof after), before,
                     "case %zu: %s: \"%s\"", i, cases[i].change, after);
    cr_expect_eq(s.txn->state(s.handle), TN_TXN_NONE, "case %zu", i);
  }
  for (i = 0; i < COUNT(cases); i++) /* all at once */
    run(&s, cases[i].change);
  cr_assert_eq(reset(&s), TN_OK, "%s", s.fake.err.message);
  cr_expect_eq(number_of(&s, "PRAGMA foreign_keys"), 1);
  cr_expect_eq(number_of(&s, "PRAGMA synchronous"), 1);
  must(&s, "INSERT INTO t VALUES (1)");
  session_close(&s);
  folder_free(&folder);
}

Test(session, what_belongs_to_the_file_stays)
{
  struct folder folder = folder_new();
  struct session s;
  char path[256], text[32];

  session_open(&s, path_in(&folder, "x.db", path), "");
  must(&s, "PRAGMA user_version=42");
  must(&s, "PRAGMA journal_mode=wal");
  cr_assert_eq(reset(&s), TN_OK);
  cr_expect_eq(number_of(&s, "PRAGMA user_version"), 42);
  cr_expect_str_eq(text_of(&s, "PRAGMA journal_mode", text, sizeof text),
                   "wal");
  session_close(&s);
  folder_free(&folder);
}

Test(session, reset_forgets_the_last_key)
{
  struct session s;

  session_open(&s, NULL, "");
  must(&s, "CREATE TABLE t(a)");
  must(&s, "INSERT INTO t VALUES (1)");
  cr_expect_eq(number_of(&s, "SELECT last_insert_rowid()"), 1);
  cr_assert_eq(reset(&s), TN_OK);
  cr_expect_eq(number_of(&s, "SELECT last_insert_rowid()"), 0);
  session_close(&s);
}

/* Else whoever has it idle keeps all others out. */
Test(session, reset_gives_up_the_lock_of_exclusive_mode)
{
  struct folder folder = folder_new();
  struct session s, other;
  char path[256];

  session_open(&s, path_in(&folder, "x.db", path), "");
  session_open(&other, path, "timeout=0");
  must(&s, "CREATE TABLE t(a)");
  must(&s, "PRAGMA locking_mode=exclusive");
  must(&s, "INSERT INTO t VALUES (1)");
  cr_expect_eq(run(&other, "INSERT INTO t VALUES (2)"), TN_E_BUSY);
  cr_assert_eq(reset(&s), TN_OK, "%s", s.fake.err.message);
  must(&other, "INSERT INTO t VALUES (3)");
  session_close(&other);
  session_close(&s);
  folder_free(&folder);
}

Test(session, reset_rolls_back_whatever_state_it_is_in)
{
  struct tn_txn_request request = { .size = sizeof request };
  struct session s;

  session_open(&s, NULL, "");
  must(&s, "CREATE TABLE t(a UNIQUE)");
  request.access = TN_ACCESS_READ_ONLY;
  s.txn->begin(s.handle, &request, &s.fake.call);
  cr_assert_eq(reset(&s), TN_OK);
  must(&s, "INSERT INTO t VALUES (1)");
  must(&s, "BEGIN");
  cr_expect_eq(run(&s, "INSERT OR ROLLBACK INTO t VALUES (1)"), TN_E_DUPLICATE);
  cr_expect_eq(s.txn->state(s.handle), TN_TXN_ABORTED);
  cr_assert_eq(reset(&s), TN_OK);
  cr_expect_eq(s.txn->state(s.handle), TN_TXN_NONE);
  cr_expect_eq(number_of(&s, "SELECT count(*) FROM t"), 1);
  session_close(&s);
}

Test(session, access_can_be_taken_and_given_back)
{
  struct session s;

  session_open(&s, NULL, "");
  must(&s, "CREATE TABLE t(a)");
  cr_assert_eq(
      s.session->set_access(s.handle, TN_ACCESS_READ_ONLY, &s.fake.call),
      TN_OK);
  cr_expect_eq(run(&s, "INSERT INTO t VALUES (1)"), TN_E_READ_ONLY);
  must(&s, "SELECT * FROM t");
  cr_assert_eq(
      s.session->set_access(s.handle, TN_ACCESS_READ_WRITE, &s.fake.call),
      TN_OK);
  must(&s, "INSERT INTO t VALUES (1)");
  s.session->set_access(s.handle, TN_ACCESS_READ_ONLY, &s.fake.call);
  cr_assert_eq(reset(&s), TN_OK);
  must(&s, "INSERT INTO t VALUES (1)");
  session_close(&s);
}

Test(session, no_sql_mode_is_known)
{
  struct session s;

  session_open(&s, NULL, "");
  cr_expect_eq(s.session->set_sql_mode(s.handle, "", &s.fake.call), TN_OK);
  cr_expect_eq(s.session->set_sql_mode(s.handle, "TRADITIONAL", &s.fake.call),
               TN_E_UNSUPPORTED);
  cr_expect_str_eq(s.fake.err.message, "sqlite has no sql-mode");
  session_close(&s);
}

Test(session, isolation_goes_back_too)
{
  struct session s;
  uint32_t isolation;

  session_open(&s, ":memory:", "cache=shared");
  s.session->set_isolation(s.handle, TN_ISOLATION_READ_UNCOMMITTED,
                           &s.fake.call);
  cr_assert_eq(reset(&s), TN_OK);
  s.session->get_isolation(s.handle, &isolation, &s.fake.call);
  cr_expect_eq(isolation, TN_ISOLATION_SERIALIZABLE);
  cr_expect_eq(number_of(&s, "PRAGMA read_uncommitted"), 0);
  session_close(&s);
}

/* What a setter made is not the session's own, which a pragma then changes. */
Test(session, reset_undoes_a_setter_that_a_pragma_came_after)
{
  struct session s;

  session_open(&s, ":memory:", "cache=shared");
  must(&s, "CREATE TABLE t(a)");
  cr_assert_eq(
      s.session->set_access(s.handle, TN_ACCESS_READ_ONLY, &s.fake.call),
      TN_OK);
  cr_assert_eq(s.session->set_isolation(s.handle, TN_ISOLATION_READ_UNCOMMITTED,
                                        &s.fake.call),
               TN_OK);
  must(&s, "PRAGMA query_only = 0");
  must(&s, "PRAGMA read_uncommitted = 0");
  cr_assert_eq(reset(&s), TN_OK);
  cr_expect_eq(number_of(&s, "PRAGMA query_only"), 0);
  cr_expect_eq(number_of(&s, "PRAGMA read_uncommitted"), 0);
  cr_expect_eq(run(&s, "INSERT INTO t VALUES (1)"), TN_OK);
  session_close(&s);
}
