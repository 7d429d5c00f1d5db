/* What a failure comes to: the row, the administrator's word, the texts. */
#include "failure.h"

#include <criterion/criterion.h>
#include <string.h>

#include "backend.h"
#include "fake_plugin.h"

static tn_err err;
static struct tn_host_call call;
static struct tn_backend backend;
static const struct tn_host *host;
static struct tn_override items[8];

static void
set_up(void)
{
  memset(&err, 0, sizeof(err));
  memset(&backend, 0, sizeof(backend));
  backend.overrides.items = items;
  tn_host_call_init(&call, 0, NULL, &err);
  call.backend = "fake";
  call.dialect = fake_plugin_entry(NULL)->get_table(TN_TABLE_DIALECT);
  call.of = &backend;
  host = tn_host_table();
}

TestSuite(failure, .init = set_up);

static void
override(struct tn_override item)
{
  items[backend.overrides.count++] = item;
}

static int32_t
fail(int32_t native, const char *sqlstate)
{
  struct tn_failure failure = { .size = sizeof(failure),
                                .native = native,
                                .sqlstate = sqlstate,
                                .message = "x" };

  return host->fail(&call.call, &failure);
}

static void
expect(const char *what, int32_t category, int32_t connection, int32_t replay)
{
  cr_expect_eq(err.code, category, "%s: %s", what, tn_code_name(err.code));
  cr_expect_eq(err.connection, connection, "%s: %s", what,
               tn_connection_verdict_name(err.connection));
  cr_expect_eq(err.replay, replay, "%s: %s", what,
               tn_replay_verdict_name(err.replay));
}

Test(failure, an_override_stands_before_the_row)
{
  override((struct tn_override){ .native = 1205, .category = TN_E_DEADLOCK });
  cr_expect_eq(fail(1205, "HY000"), TN_E_DEADLOCK);
  expect("1205", TN_E_DEADLOCK, TN_CONNECTION_ABORTED, TN_REPLAY_TRANSACTION);
  cr_expect_eq(err.native, 1205);
  cr_expect_str_eq(err.sqlstate, "HY000");
  fail(1213, NULL);
  expect("1213", TN_E_DEADLOCK, TN_CONNECTION_ABORTED, TN_REPLAY_TRANSACTION);
}

Test(failure, an_override_of_a_class_counts_for_what_has_no_row_of_its_own)
{
  override((struct tn_override){
      .sqlstate = "57", .category = TN_E_BUSY, .replay = TN_REPLAY_SAFE });
  fail(0, "57999");
  expect("57999", TN_E_BUSY, TN_CONNECTION_USABLE, TN_REPLAY_SAFE);
}

Test(failure, verdicts_alone_keep_the_category)
{
  override((struct tn_override){ .native = 1205, .replay = TN_REPLAY_NEVER });
  fail(1205, NULL);
  expect("1205", TN_E_LOCK_TIMEOUT, TN_CONNECTION_USABLE, TN_REPLAY_NEVER);
}

Test(failure, no_override_brings_a_dead_connection_to_life)
{
  override((struct tn_override){ .native = 2013,
                                 .category = TN_E_BUSY,
                                 .connection = TN_CONNECTION_USABLE,
                                 .replay = TN_REPLAY_SAFE });
  fail(2013, NULL);
  expect("2013", TN_E_BUSY, TN_CONNECTION_DEAD, TN_REPLAY_SAFE);
}

Test(failure, what_a_plugin_learns_later_makes_it_worse_only)
{
  override((struct tn_override){ .native = 1205,
                                 .connection = TN_CONNECTION_ABORTED,
                                 .replay = TN_REPLAY_NEVER });
  fail(1205, NULL);
  host->fail_verdicts(&call.call, TN_CONNECTION_USABLE, TN_REPLAY_TRANSACTION);
  expect("kept", TN_E_LOCK_TIMEOUT, TN_CONNECTION_ABORTED, TN_REPLAY_NEVER);
  host->fail_verdicts(&call.call, TN_CONNECTION_DEAD, TN_REPLAY_UNKNOWN);
  expect("worse", TN_E_LOCK_TIMEOUT, TN_CONNECTION_DEAD, TN_REPLAY_UNKNOWN);
  fail(1213, NULL);
  host->fail_verdicts(&call.call, TN_CONNECTION_USABLE, TN_REPLAY_SAFE);
  expect("the next", TN_E_DEADLOCK, TN_CONNECTION_USABLE, TN_REPLAY_SAFE);
}

Test(failure, what_a_plugin_decides_itself_is_not_overridden)
{
  struct tn_failure failure = { .size = sizeof(failure),
                                .native = 2013,
                                .category = TN_E_UNCERTAIN,
                                .message = "x" };

  override((struct tn_override){ .native = 2013, .category = TN_E_DATA });
  host->fail(&call.call, &failure);
  expect("2013", TN_E_UNCERTAIN, TN_CONNECTION_DEAD, TN_REPLAY_UNKNOWN);
}

Test(failure, a_number_is_looked_up_by_what_it_means_there)
{
  struct tn_failure failure = {
    .size = sizeof(failure), .native = 4031, .lookup = 2013, .message = "x"
  };

  cr_expect_eq(host->fail(&call.call, &failure), TN_E_LOST);
  cr_expect_eq(err.native, 4031);
  failure.lookup = 4031;
  cr_expect_eq(host->fail(&call.call, &failure), TN_E_OTHER);

  /* A plug-in of before does not have the field. */
  failure.lookup = 2013;
  failure.size = offsetof(struct tn_failure, lookup);
  cr_expect_eq(host->fail(&call.call, &failure), TN_E_OTHER);
}

Test(failure, columns_say_where_they_come_from)
{
  fail(2067, NULL);
  cr_expect_eq(err.source, 0);
  host->fail_field(&call.call, TN_ERR_TABLE, "t", 1);
  cr_expect_eq(err.source, 0);
  host->fail_field(&call.call, TN_ERR_COLUMN, "a", 1);
  cr_expect_eq(err.source, TN_SOURCE_MESSAGE);
  host->fail_source(&call.call, TN_SOURCE_PROTOCOL);
  cr_expect_eq(err.source, TN_SOURCE_PROTOCOL);
  host->fail_source(&call.call, 99);
  cr_expect_eq(err.source, TN_SOURCE_PROTOCOL);
  fail(2067, NULL);
  cr_expect_eq(err.source, 0);
}
