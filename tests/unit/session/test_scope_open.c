/* How scopes come to their connection: what fits together, how they begin, and
 * which engine they use. */
#include "facade_fixture.h"

TestSuite(scope_open, .timeout = 60);

/* ---- what fits together ---- */

static const struct {
  uint32_t mode;
  uint32_t flags;
} contradictions[] = {
  { 0, 0 },
  { 4, 0 },
  { W, 64 },
  { W, ALONE | TN_SCOPE_SAVEPOINT },
  { W, TN_SCOPE_CONNECTION | TN_SCOPE_SAVEPOINT },
  { W, ALLOW },
  { W, TN_SCOPE_SYNCHRONOUS },
  { W, TN_SCOPE_FALL_BACK },
  { A, TN_SCOPE_SYNCHRONOUS },
  { R, TN_SCOPE_SYNCHRONOUS | ALLOW },
};

Test(scope_open, refuses_contradictions)
{
  struct tn_scope_options how = TN_SCOPE_OPTIONS_INIT;
  const tn_position position = TN_POSITION_INIT;
  tn_scope *scope = NULL;

  open_facade("");
  for (size_t i = 0; i < TN_COUNT(contradictions); i++)
    cr_expect_eq(try_as(contradictions[i].mode, contradictions[i].flags),
                 TN_E_USAGE, "row %zu", i);
  how.mode = W;
  how.after = &position;
  cr_expect_eq(tn_scope_begin(facade, context, &how, &scope, &err), TN_E_USAGE);
  how.after = NULL;
  how.flags = TN_SCOPE_CONNECTION;
  how.txn.isolation = TN_ISOLATION_SERIALIZABLE;
  cr_expect_eq(tn_scope_begin(facade, context, &how, &scope, &err), TN_E_USAGE);
  how.struct_size = 3;
  cr_expect_eq(tn_scope_begin(facade, context, &how, &scope, &err), TN_E_USAGE);
  cr_expect_eq(tn_scope_begin(facade, context, NULL, &scope, &err), TN_E_USAGE);
  cr_expect_eq(tn_facade_is_started(facade), 0);
  close_facade();
}

Test(scope_open, what_joins_settles_nothing)
{
  struct tn_scope_options how = TN_SCOPE_OPTIONS_INIT;
  tn_position position = TN_POSITION_INIT;
  tn_scope *outer;
  tn_scope *inner = NULL;

  open_facade("");
  outer = begin_as(R, 0);
  how.mode = R;
  how.txn.isolation = TN_ISOLATION_SERIALIZABLE;
  cr_expect_eq(tn_scope_begin(facade, context, &how, &inner, &err), TN_E_USAGE);
  how.txn.isolation = 0;
  how.after = &position;
  cr_expect_eq(tn_scope_begin(facade, context, &how, &inner, &err), TN_E_USAGE);
  how.after = NULL;
  how.ret_position = &position;
  cr_expect_eq(tn_scope_begin(facade, context, &how, &inner, &err), TN_E_USAGE);
  tn_scope_end(&outer);
  close_facade();
}

Test(scope_open, begins_as_it_is_told)
{
  struct tn_scope_options how = TN_SCOPE_OPTIONS_INIT;
  tn_scope *scope = NULL;
  tn_scope *inner;

  open_facade("&reader_read_only=on");
  scope = begin_as(R, 0);
  cr_expect_eq(script.access, TN_ACCESS_READ_ONLY);
  tn_scope_end(&scope);
  script.access = 0;
  scope = begin_as(R, TN_SCOPE_CONNECTION);
  cr_expect_eq(script.access, TN_ACCESS_READ_ONLY, "of the session");
  cr_expect_eq(calls_of(FAKE_SET_ACCESS), 1);
  script.access = 0;
  inner = begin_as(R, 0);
  cr_expect_eq(script.access, TN_ACCESS_READ_ONLY, "of the transaction");
  tn_scope_end(&inner);
  tn_scope_end(&scope);
  scope = begin_as(W, 0);
  cr_expect_eq(script.access, 0);
  cr_expect_eq(script.lock_mode, TN_LOCK_IMMEDIATE);
  tn_scope_end(&scope);
  how.mode = W;
  how.txn.lock_mode = TN_LOCK_DEFERRED;
  how.txn.isolation = TN_ISOLATION_SERIALIZABLE;
  cr_assert_eq(tn_scope_begin(facade, context, &how, &scope, &err), TN_OK);
  cr_expect_eq(script.lock_mode, TN_LOCK_DEFERRED);
  cr_expect_eq(script.isolation, TN_ISOLATION_SERIALIZABLE);
  tn_scope_end(&scope);
  close_facade();
}

/* ---- the replica ---- */

Test(scope_open, readers_go_where_they_are_sent)
{
  tn_scope *scope;

  open_facade("&synchronous_reader=off");
  scope = begin_as(R, 0);
  cr_expect_eq(tn_scope_is_replica(scope), 1);
  cr_expect_eq(try_as(R, TN_SCOPE_SYNCHRONOUS), TN_E_USAGE);
  tn_scope_end(&scope);
  cr_expect_eq(replica_calls(FAKE_BEGIN), 1);
  scope = begin_as(R, TN_SCOPE_SYNCHRONOUS);
  cr_expect_eq(tn_scope_is_replica(scope), 0);
  tn_scope_end(&scope);
  scope = begin_as(W, 0);
  cr_expect_eq(tn_scope_is_replica(scope), 0);
  tn_scope_end(&scope);
  cr_expect_eq(replica_calls(FAKE_BEGIN), 1);
  close_facade();
}

static tn_scope *
read_after(const char *text, enum tn_code expected)
{
  struct tn_scope_options how = TN_SCOPE_OPTIONS_INIT;
  tn_position position = TN_POSITION_INIT;
  tn_scope *scope = NULL;

  snprintf(position.text, sizeof position.text, "%s", text);
  how.mode = A;
  how.after = &position;
  how.after_ms = 10000; /* the scripted one says at once what it has */
  cr_expect_eq(tn_scope_begin(facade, context, &how, &scope, &err), expected,
               "%s", err.message);
  return scope;
}

Test(scope_open, waits_for_the_replica)
{
  tn_scope *scope;

  open_facade("");
  replica_script.has_position = 1;
  scope = read_after("fake:7", TN_OK);
  cr_expect_str_eq(replica_script.waited, "fake:7");
  cr_expect_eq(tn_scope_is_replica(scope), 1);
  tn_scope_end(&scope);
  scope = read_after("", TN_OK);
  cr_expect_eq(tn_scope_is_replica(scope), 1);
  cr_expect_eq(replica_calls(FAKE_WAIT_POSITION), 1);
  tn_scope_end(&scope);
  cr_expect_eq(calls_of(FAKE_CONNECT), 0);
  close_facade();
}

Test(scope_open, uses_the_primary_when_the_replica_is_behind)
{
  tn_scope *scope;

  open_facade("");
  scope = read_after("fake:7", TN_OK);
  cr_expect_eq(tn_scope_is_replica(scope), 0);
  cr_expect_eq(calls_of(FAKE_BEGIN), 1);
  cr_expect_eq(replica_calls(FAKE_BEGIN), 0);
  tn_scope_end(&scope);
  cr_expect_neq(strstr(log_text, "it is behind"), NULL, "%s", log_text);
  scope = read_after(TN_POSITION_PRIMARY, TN_OK);
  cr_expect_eq(tn_scope_is_replica(scope), 0);
  cr_expect_eq(replica_calls(FAKE_WAIT_POSITION), 1, "no need to ask");
  tn_scope_end(&scope);
  close_facade();
}

/* What cannot be waited for there is on the primary for sure; what else goes
 * wrong there is told. */
Test(scope_open, uses_the_primary_when_the_replica_cannot_say)
{
  static struct fake_answer answers[] = {
    { .slot = FAKE_WAIT_POSITION, .category = TN_E_UNSUPPORTED },
  };
  tn_scope *scope;

  replica_script.answers = answers;
  replica_script.answer_count = 1;
  open_facade("");
  scope = read_after("fake:7", TN_OK);
  cr_expect_eq(tn_scope_is_replica(scope), 0);
  tn_scope_end(&scope);
  answers[0].category = TN_E_LOST;
  scope = read_after("fake:7", TN_OK);
  cr_expect_eq(tn_scope_is_replica(scope), 0);
  tn_scope_end(&scope);
  answers[0].category = TN_E_PERMISSION;
  cr_expect_null(read_after("fake:7", TN_E_PERMISSION));
  close_facade();
}

Test(scope_open, falls_back_if_it_may)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_CONNECT, .category = TN_E_CONNECT, .message = "away" },
  };
  tn_scope *scope;

  replica_script.answers = answers;
  replica_script.answer_count = 1;
  open_facade("");
  cr_expect_eq(try_as(A, 0), TN_E_CONNECT);
  cr_expect_eq(calls_of(FAKE_CONNECT), 0);
  scope = begin_as(A, TN_SCOPE_FALL_BACK);
  cr_expect_eq(tn_scope_is_replica(scope), 0);
  tn_scope_end(&scope);
  cr_expect_eq(calls_of(FAKE_BEGIN), 1);
  close_facade();
}

/* Waiting for no free connection is no reason not to open one. */
Test(scope_open, a_pool_that_waits_for_nobody_reaches_its_replica)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_CONNECT, .wait_ms = 50 },
  };
  static const struct tn_setting settings[] = { { "pool_timeout", "0" } };
  tn_scope *scope;

  replica_script.answers = answers;
  replica_script.answer_count = 1;
  facade_options.engine.settings = settings;
  facade_options.engine.setting_count = 1;
  open_facade("");
  scope = begin_as(A, TN_SCOPE_FALL_BACK);
  cr_expect_eq(tn_scope_is_replica(scope), 1);
  tn_scope_end(&scope);
  close_facade();
}

/* However long the position may be waited for. */
Test(scope_open, half_of_the_time_is_the_primarys)
{
  static const struct fake_answer answers[] = {
    { .slot = FAKE_CONNECT, .wait_ms = 60000 },
  };
  struct tn_scope_options how = TN_SCOPE_OPTIONS_INIT;
  tn_scope *scope = NULL;

  replica_script.answers = answers;
  replica_script.answer_count = 1;
  open_facade("");
  how.mode = A;
  how.after = &(tn_position){ "fake:3" };
  how.after_ms = 60000;
  how.deadline = tn_deadline_after_ms(1000);
  cr_expect_eq(tn_scope_begin(facade, context, &how, &scope, &err), TN_OK, "%s",
               err.message);
  cr_expect_eq(tn_scope_is_replica(scope), 0);
  tn_scope_end(&scope);
  close_facade();
}
