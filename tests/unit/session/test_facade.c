/* When a facade opens its engines, which one a mode uses, and what stands in
 * for them. */
#include "facade_fixture.h"

TestSuite(facade, .timeout = 60);

static tn_engine *
engine_of(enum tn_scope_mode mode)
{
  tn_engine *got = NULL;

  cr_assert_eq(tn_facade_engine(facade, mode, &got, &err), TN_OK, "%s",
               err.message);
  return got;
}

Test(facade, opens_nothing_until_it_is_needed)
{
  open_facade("");
  cr_expect_eq(tn_facade_is_started(facade), 0);
  tn_facade_dispose(facade);
  cr_expect_eq(tn_facade_is_started(facade), 0);
  (void)engine_of(TN_SCOPE_WRITER);
  cr_expect_eq(tn_facade_is_started(facade), 1);
  cr_expect_eq(calls_of(FAKE_CONNECT), 0, "an engine connects when it is used");
  close_facade();
}

/* spec: writer; reader with synchronous_reader on and off; async reader. */
Test(facade, sends_modes_to_engines)
{
  tn_engine *writer;
  tn_engine *reader;

  open_facade("");
  writer = engine_of(TN_SCOPE_WRITER);
  reader = engine_of(TN_SCOPE_ASYNC_READER);
  cr_expect_neq(writer, reader);
  cr_expect_eq(engine_of(TN_SCOPE_READER), writer);
  cr_expect_eq(tn_facade_engine(facade, (enum tn_scope_mode)4, &reader, &err),
               TN_E_USAGE);
  tn_facade_close(&facade);
  tn_context_close(&context);

  open_facade("&synchronous_reader=false");
  cr_expect_eq(engine_of(TN_SCOPE_READER), engine_of(TN_SCOPE_ASYNC_READER));
  cr_expect_neq(engine_of(TN_SCOPE_READER), engine_of(TN_SCOPE_WRITER));
  close_facade();
}

Test(facade, without_a_replica_all_use_the_primary)
{
  prepare_facade("&synchronous_reader=false");
  facade_options.replica = NULL;
  cr_assert_eq(tn_facade_open(&facade_options, &facade, &err), TN_OK);
  cr_expect_eq(engine_of(TN_SCOPE_ASYNC_READER), engine_of(TN_SCOPE_WRITER));
  cr_expect_eq(engine_of(TN_SCOPE_READER), engine_of(TN_SCOPE_WRITER));
  close_facade();
}

Test(facade, finds_the_replica_in_the_configuration)
{
  char lines[512];
  tn_conn *taken = NULL;

  prepare_facade("");
  snprintf(lines, sizeof lines,
           "slave_connection = %s\nsynchronous_reader = false\n", replica_url);
  load_config(lines);
  facade_options.target = "@database";
  facade_options.replica = NULL;
  facade_options.engine.config = config;
  cr_assert_eq(tn_facade_open(&facade_options, &facade, &err), TN_OK);
  cr_assert_eq(tn_engine_take(engine_of(TN_SCOPE_READER), NULL, &taken, &err),
               TN_OK, "%s", err.message);
  tn_pool_give(&taken);
  cr_expect_eq(replica_calls(FAKE_CONNECT), 1);
  cr_expect_eq(calls_of(FAKE_CONNECT), 0);
  close_facade();
}

Test(facade, an_empty_slave_connection_is_none)
{
  prepare_facade("");
  load_config("slave_connection =\nsynchronous_reader = false\n");
  facade_options.target = "@database";
  facade_options.replica = NULL;
  facade_options.engine.config = config;
  cr_assert_eq(tn_facade_open(&facade_options, &facade, &err), TN_OK);
  cr_expect_eq(engine_of(TN_SCOPE_READER), engine_of(TN_SCOPE_WRITER));
  close_facade();
}

Test(facade, a_start_that_fails_is_tried_again)
{
  tn_engine *got = UNTOUCHED(tn_engine);

  prepare_facade("");
  facade_options.replica = "fake://h/db?no_such_option=1";
  cr_assert_eq(tn_facade_open(&facade_options, &facade, &err), TN_OK);
  for (int i = 0; i < 2; i++) {
    cr_expect_eq(tn_facade_engine(facade, TN_SCOPE_WRITER, &got, &err),
                 TN_E_CONFIG);
    cr_expect_neq(strstr(err.message, "no_such_option"), NULL, "%s",
                  err.message);
    cr_expect_eq(got, UNTOUCHED(tn_engine));
    cr_expect_eq(tn_facade_is_started(facade), 0);
  }
  cr_expect_eq(tn_facade_set(facade, "max_pool_size", "3", &err), TN_OK,
               "nothing is frozen by that");
  close_facade();
}

Test(facade, is_frozen_once_started)
{
  const char *value = NULL;

  open_facade("");
  cr_expect_eq(tn_facade_set(facade, "max_pool_sice", "3", &err), TN_E_CONFIG);
  cr_expect_neq(strstr(err.message, "max_pool_size"), NULL, "%s", err.message);
  cr_expect_eq(tn_facade_set(facade, "max_pool_size", "many", &err),
               TN_E_CONFIG);
  cr_assert_eq(tn_facade_set(facade, "max_pool_size", "3", &err), TN_OK);
  cr_assert_eq(tn_facade_set(facade, "max_pool_size", "4", &err), TN_OK);
  cr_assert_eq(tn_engine_option(engine_of(TN_SCOPE_ASYNC_READER),
                                "max_pool_size", &value, &err),
               TN_OK);
  cr_expect_str_eq(value, "4");
  cr_expect_eq(tn_facade_set(facade, "max_pool_size", "5", &err), TN_E_STATE);
  cr_expect_neq(strstr(err.message, "max_pool_size"), NULL, "%s", err.message);
  close_facade();
}

Test(facade, start_connects_to_both)
{
  open_facade("");
  cr_assert_eq(tn_facade_start(facade, TN_DEADLINE_NONE, &err), TN_OK, "%s",
               err.message);
  cr_expect_eq(calls_of(FAKE_CONNECT), 1);
  cr_expect_eq(replica_calls(FAKE_CONNECT), 1);
  close_facade();
}

Test(facade, dispose_closes_what_is_idle_and_stays_started)
{
  open_facade("");
  cr_assert_eq(tn_facade_start(facade, TN_DEADLINE_NONE, &err), TN_OK);
  tn_facade_dispose(facade);
  cr_expect_eq(script.open_connections, 0);
  cr_expect_eq(replica_script.open_connections, 0);
  cr_expect_eq(tn_facade_is_started(facade), 1);
  cr_assert_eq(tn_facade_start(facade, TN_DEADLINE_NONE, &err), TN_OK);
  cr_expect_eq(calls_of(FAKE_CONNECT), 2);
  close_facade();
}

/* ---- hooks ---- */

static unsigned told[4];
static enum tn_code answer;

static enum tn_code
note_engine(tn_engine *opened, enum tn_scope_mode mode, void *user, tn_err *why)
{
  cr_expect_not_null(opened);
  cr_expect_eq(user, &told);
  told[mode]++;
  return answer == TN_OK ? TN_OK : tn_err_set(why, answer, "not this one");
}

Test(facade, tells_of_each_engine)
{
  prepare_facade("");
  facade_options.on_engine = note_engine;
  facade_options.user = &told;
  cr_assert_eq(tn_facade_open(&facade_options, &facade, &err), TN_OK);
  (void)engine_of(TN_SCOPE_WRITER);
  (void)engine_of(TN_SCOPE_READER);
  cr_expect_eq(told[TN_SCOPE_WRITER], 1);
  cr_expect_eq(told[TN_SCOPE_READER], 1);
  close_facade();
}

Test(facade, a_hook_can_refuse)
{
  tn_engine *got = NULL;

  prepare_facade("");
  facade_options.on_engine = note_engine;
  facade_options.user = &told;
  cr_assert_eq(tn_facade_open(&facade_options, &facade, &err), TN_OK);
  answer = TN_E_OTHER;
  cr_expect_eq(tn_facade_engine(facade, TN_SCOPE_WRITER, &got, &err),
               TN_E_OTHER);
  cr_expect_eq(tn_facade_is_started(facade), 0);
  answer = TN_OK;
  (void)engine_of(TN_SCOPE_WRITER);
  close_facade();
}

/* ---- in tests ---- */

Test(facade, another_stands_in_without_a_start)
{
  tn_facade *other = NULL;
  tn_engine *own;

  open_facade("");
  cr_assert_eq(tn_facade_open(&facade_options, &other, &err), TN_OK);
  cr_expect_eq(tn_facade_patch(facade, facade, &err), TN_E_USAGE);
  cr_assert_eq(tn_facade_patch(facade, other, &err), TN_OK);
  cr_expect_eq(tn_facade_patch(facade, other, &err), TN_E_STATE);
  cr_expect_eq(tn_facade_patch(other, facade, &err), TN_E_STATE);
  own = engine_of(TN_SCOPE_WRITER);
  cr_expect_eq(tn_facade_is_started(facade), 0);
  cr_expect_eq(tn_facade_is_started(other), 1);
  tn_facade_unpatch(facade);
  tn_facade_unpatch(facade);
  cr_expect_neq(engine_of(TN_SCOPE_WRITER), own);
  cr_expect_eq(tn_facade_patch(other, facade, &err), TN_OK);
  tn_facade_close(&other);
  cr_expect_eq(tn_facade_patch(facade, facade, &err), TN_E_USAGE);
  close_facade();
}

Test(facade, one_engine_stands_in_for_both)
{
  open_facade("");
  options.registry = registry;
  cr_assert_eq(tn_engine_open(replica_url, &options, &engine, &err), TN_OK);
  cr_assert_eq(tn_facade_patch_engine(facade, engine, &err), TN_OK);
  cr_expect_eq(tn_facade_patch_engine(facade, engine, &err), TN_E_STATE);
  cr_expect_eq(engine_of(TN_SCOPE_WRITER), engine);
  cr_expect_eq(engine_of(TN_SCOPE_ASYNC_READER), engine);
  tn_facade_dispose(facade);
  cr_expect_eq(tn_facade_is_started(facade), 0);
  tn_facade_unpatch(facade);
  cr_expect_neq(engine_of(TN_SCOPE_WRITER), engine);
  tn_engine_close(&engine);
  close_facade();
}

/* ---- used wrongly, and without memory ---- */

Test(facade, refuses_bad_options)
{
  struct tn_facade_options bad = TN_FACADE_OPTIONS_INIT;

  cr_expect_eq(tn_facade_open(NULL, &facade, &err), TN_E_USAGE);
  cr_expect_eq(tn_facade_open(&bad, &facade, &err), TN_E_USAGE, "no target");
  bad.target = "fake://h/db";
  bad.struct_size = 1;
  cr_expect_eq(tn_facade_open(&bad, &facade, &err), TN_E_USAGE);
  cr_expect_null(facade);
  tn_facade_close(&facade);
  tn_facade_close(NULL);
}

static enum tn_code
open_and_use(void)
{
  tn_facade *made = NULL;
  tn_engine *got = NULL;
  enum tn_code rc = tn_facade_open(&facade_options, &made, &err);

  if (rc == TN_OK)
    rc = tn_facade_set(made, "max_pool_size", "3", &err);
  if (rc == TN_OK)
    rc = tn_facade_engine(made, TN_SCOPE_WRITER, &got, &err);
  tn_facade_close(&made);
  return rc;
}

Test(facade, survives_without_memory)
{
  long nth;

  prepare_facade("&pool_tick_time=0");
  facade_options.replica = "fake://h/db?pool_tick_time=0";
  for (nth = 1;; nth++) {
    enum tn_code rc;

    oom_fail_nth(nth, false);
    rc = open_and_use();
    cr_assert_eq(oom_live(), 0, "allocation %ld", nth);
    if (oom_count() < nth)
      break;
    cr_assert_eq(rc, TN_E_MEMORY, "allocation %ld: %s", nth, err.message);
  }
  oom_reset();
  cr_expect_gt(nth, 10);
  fixture_close();
}
