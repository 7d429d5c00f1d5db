/* What a plug-in may ask of the core: failing, memory, logging. */
#include "host.h"

#include <criterion/criterion.h>
#include <string.h>
#include <tenon/memory.h>

#include "fake_plugin.h"
#include "oom.h"

static tn_err err;
static struct tn_host_call call;
static const struct tn_host *host;

static const struct tn_dialect_table *
fake_dialect(void)
{
  return fake_plugin_entry(NULL)->get_table(TN_TABLE_DIALECT);
}

static void
set_up(void)
{
  memset(&err, 0, sizeof(err));
  tn_host_call_init(&call, 0, NULL, &err);
  call.backend = "fake";
  call.dialect = fake_dialect();
  host = tn_host_table();
}

TestSuite(host, .init = set_up);

Test(host, the_table_is_complete)
{
  const char *bytes = (const char *)host;

  cr_expect_eq(host->size, sizeof(*host));
  cr_expect_eq(host->abi_major, TN_ABI_MAJOR);
  cr_expect_eq(host->abi_minor, TN_ABI_MINOR);
  for (size_t i = offsetof(struct tn_host, alloc); i < sizeof(*host);
       i += sizeof(void *)) {
    void *slot;

    memcpy(&slot, bytes + i, sizeof(slot));
    cr_expect(slot != NULL, "slot at byte %zu", i);
  }
}

Test(host, a_call_without_a_deadline_has_none)
{
  cr_expect_eq(call.call.deadline, TN_DEADLINE_NONE);
  cr_expect_eq(call.call.size, sizeof(call.call));
  cr_expect_eq(call.call.host, host);
  cr_expect_eq(call.wake_fd, -1);
  cr_expect_not(call.is_grace);
  tn_host_call_init(&call, 17, NULL, &err);
  cr_expect_eq(call.call.deadline, 17);
  cr_expect_eq(call.backend, NULL);
}

Test(host, memory_comes_from_the_allocator_of_the_core)
{
  struct tn_arena arena;
  void *memory;

  oom_fail_nth(0, false);
  memory = host->alloc(10);
  cr_expect_eq(oom_live(), 1);
  memory = host->resize(memory, 1000);
  host->release(memory);
  host->release(NULL);
  cr_expect_eq(oom_live(), 0);

  tn_arena_init(&arena);
  cr_expect_neq(host->arena_alloc(&arena, 10), NULL);
  tn_arena_clear(&arena);
  cr_expect_eq(oom_live(), 0);
  cr_expect_eq(host->arena_alloc(NULL, 10), NULL);

  oom_fail_nth(1, true);
  cr_expect_eq(host->alloc(10), NULL);
  cr_expect_eq(host->arena_alloc(&arena, 10), NULL);
  oom_reset();
}

/* ---- fail() ---- */

static const struct {
  struct tn_failure failure;
  int32_t category, connection, replay;
  const char *sqlstate;
} failures[] = {
  { { .native = 19 },
    TN_E_CONSTRAINT,
    TN_CONNECTION_USABLE,
    TN_REPLAY_NEVER,
    "" },
  { { .native = 2067, .fallback = 19 },
    TN_E_DUPLICATE,
    TN_CONNECTION_USABLE,
    TN_REPLAY_NEVER,
    "23505" },
  { { .native = 787, .fallback = 19 },
    TN_E_CONSTRAINT,
    TN_CONNECTION_USABLE,
    TN_REPLAY_NEVER,
    "" },
  { { .native = 5, .fallback = 6, .sqlstate = "40001" },
    TN_E_SERIALIZATION,
    TN_CONNECTION_ABORTED,
    TN_REPLAY_TRANSACTION,
    "40001" },
  { { .native = 19, .sqlstate = "40001" },
    TN_E_CONSTRAINT,
    TN_CONNECTION_USABLE,
    TN_REPLAY_NEVER,
    "40001" },
  { { .sqlstate = "23505" },
    TN_E_DUPLICATE,
    TN_CONNECTION_USABLE,
    TN_REPLAY_NEVER,
    "23505" },
  { { .sqlstate = "23P01" },
    TN_E_CONSTRAINT,
    TN_CONNECTION_USABLE,
    TN_REPLAY_NEVER,
    "23P01" },
  { { .sqlstate = "08006" },
    TN_E_LOST,
    TN_CONNECTION_DEAD,
    TN_REPLAY_TRANSACTION,
    "08006" },
  { { .native = 2013 }, TN_E_LOST, TN_CONNECTION_DEAD, TN_REPLAY_UNKNOWN, "" },
  /* A row of a native code is not found by its SQLSTATE. */
  { { .native = 1205 },
    TN_E_LOCK_TIMEOUT,
    TN_CONNECTION_USABLE,
    TN_REPLAY_TRANSACTION,
    "HY000" },
  { { .native = 1, .sqlstate = "HY000" },
    TN_E_OTHER,
    TN_CONNECTION_USABLE,
    TN_REPLAY_NEVER,
    "HY000" },
  { { .sqlstate = "99999" },
    TN_E_OTHER,
    TN_CONNECTION_USABLE,
    TN_REPLAY_NEVER,
    "99999" },
  { { .sqlstate = "2" },
    TN_E_OTHER,
    TN_CONNECTION_USABLE,
    TN_REPLAY_NEVER,
    "" },
  { { .sqlstate = "" }, TN_E_OTHER, TN_CONNECTION_USABLE, TN_REPLAY_NEVER, "" },
  { { .sqlstate = "4\n001" },
    TN_E_OTHER,
    TN_CONNECTION_USABLE,
    TN_REPLAY_NEVER,
    "" },
  { { .sqlstate = "230000000" },
    TN_E_CONSTRAINT,
    TN_CONNECTION_USABLE,
    TN_REPLAY_NEVER,
    "" },
  { { .native = INT32_MIN },
    TN_E_OTHER,
    TN_CONNECTION_USABLE,
    TN_REPLAY_NEVER,
    "" },
  /* A category that is given is not looked up. */
  { { .category = TN_E_SYNTAX, .native = 2067 },
    TN_E_SYNTAX,
    TN_CONNECTION_USABLE,
    TN_REPLAY_NEVER,
    "" },
  { { .category = TN_CODE_COUNT, .native = 2067 },
    TN_E_OTHER,
    TN_CONNECTION_USABLE,
    TN_REPLAY_NEVER,
    "" },
  { { .category = -7 }, TN_E_OTHER, TN_CONNECTION_USABLE, TN_REPLAY_NEVER, "" },
};

Test(host, fail_finds_category_and_verdicts_in_the_rows)
{
  for (size_t i = 0; i < TN_COUNT(failures); i++) {
    struct tn_failure failure = failures[i].failure;

    failure.size = sizeof(failure);
    failure.message = "it failed";
    cr_expect_eq(host->fail(&call.call, &failure), failures[i].category,
                 "case %zu: %d", i, (int)err.code);
    cr_expect_eq(err.code, failures[i].category, "case %zu", i);
    cr_expect_eq(call.failed, failures[i].category, "case %zu", i);
    cr_expect_eq(err.native, failure.native, "case %zu", i);
    cr_expect_eq(err.connection, failures[i].connection, "case %zu", i);
    cr_expect_eq(err.replay, failures[i].replay, "case %zu", i);
    cr_expect_str_eq(err.sqlstate, failures[i].sqlstate, "case %zu", i);
    cr_expect_str_eq(err.message, "it failed", "case %zu", i);
    cr_expect_str_eq(err.backend, "fake", "case %zu", i);
  }
}

Test(host, fail_without_a_dialect_has_only_the_category)
{
  struct tn_failure failure = { .size = sizeof(failure), .native = 19 };

  call.dialect = NULL;
  call.backend = NULL;
  cr_expect_eq(host->fail(&call.call, &failure), TN_E_OTHER);
  cr_expect_eq(err.native, 19);
  cr_expect_str_eq(err.backend, "");
  failure.category = TN_E_AUTH;
  cr_expect_eq(host->fail(&call.call, &failure), TN_E_AUTH);
}

Test(host, fail_without_a_text_says_what_the_category_means)
{
  struct tn_failure failure = { .size = sizeof(failure),
                                .category = TN_E_DEADLOCK };

  host->fail(&call.call, &failure);
  cr_expect_str_eq(err.message, tn_code_summary(TN_E_DEADLOCK));
  failure.message = "";
  host->fail(&call.call, &failure);
  cr_expect_str_eq(err.message, tn_code_summary(TN_E_DEADLOCK));
  cr_expect_eq(host->fail(&call.call, NULL), TN_E_OTHER);
}

Test(host, an_older_and_shorter_failure_is_read_no_further)
{
  struct tn_failure failure = { .category = TN_E_LIMIT,
                                .native = 7,
                                .message = (const char *)1 };

  failure.size = offsetof(struct tn_failure, fallback);
  cr_expect_eq(host->fail(&call.call, &failure), TN_E_LIMIT);
  cr_expect_eq(err.native, 7);
  failure.size = 0;
  cr_expect_eq(host->fail(&call.call, &failure), TN_E_OTHER);
  cr_expect_eq(err.native, 0);
}

Test(host, fail_keeps_the_position_the_parameter_and_the_row)
{
  struct tn_failure failure = { .size = sizeof(failure),
                                .category = TN_E_SYNTAX,
                                .position = 12,
                                .parameter = 3,
                                .row = UINT64_MAX };

  host->fail(&call.call, &failure);
  cr_expect_eq(err.position, 12);
  cr_expect_eq(err.parameter, 3);
  cr_expect_eq(err.row, UINT64_MAX);
  failure.row = 0;
  failure.position = -1;
  failure.parameter = INT32_MIN;
  host->fail(&call.call, &failure);
  cr_expect_eq(err.position, 0);
  cr_expect_eq(err.parameter, 0);
  cr_expect_eq(err.row, 0);
}

Test(host, further_lines_of_a_message_go_to_the_detail)
{
  struct tn_failure failure = { .size = sizeof(failure),
                                .category = TN_E_CONNECT,
                                .message = "\n cannot connect\nhost a: no\n"
                                           "host b: no\n",
                                .detail = "try again" };

  host->fail(&call.call, &failure);
  cr_expect_str_eq(err.message, "cannot connect");
  cr_expect_str_eq(err.detail, "host a: no\nhost b: no\ntry again");
}

Test(host, passwords_of_a_client_library_are_masked)
{
  struct tn_failure failure = {
    .size = sizeof(failure),
    .category = TN_E_CONNECT,
    .message = "cannot open mysql://u:geheim@h/d",
    .detail = "host=h password=geheim dbname=d",
  };

  host->fail(&call.call, &failure);
  host->fail_field(&call.call, TN_ERR_DETAIL, "password='geheim'", 17);
  cr_expect(strstr(err.message, "geheim") == NULL, "%s", err.message);
  cr_expect(strstr(err.message, "mysql://u:") != NULL, "%s", err.message);
  cr_expect(strstr(err.detail, "geheim") == NULL, "%s", err.detail);
  cr_expect(strstr(err.detail, "host=h") != NULL, "%s", err.detail);
}

Test(host, texts_of_any_length_fit_or_are_cut)
{
  static char text[100000];
  struct tn_failure failure = { .size = sizeof(failure),
                                .category = TN_E_OTHER,
                                .message = text,
                                .detail = text };

  memset(text, 'x', sizeof(text) - 1);
  host->fail(&call.call, &failure);
  cr_expect_eq(strlen(err.message), sizeof(err.message) - 1);
  cr_expect_str_eq(err.message + strlen(err.message) - 4, "x...");
  cr_expect_eq(strlen(err.detail), sizeof(err.detail) - 1);
  host->fail_field(&call.call, TN_ERR_TABLE, text, sizeof(text) - 1);
  cr_expect_eq(strlen(err.table), sizeof(err.table) - 1);
  cr_expect_str_eq(err.table + strlen(err.table) - 4, "x...");
}

Test(host, control_characters_are_shown_escaped)
{
  struct tn_failure failure = { .size = sizeof(failure),
                                .category = TN_E_OTHER,
                                .message = "a\033[31mb" };

  host->fail(&call.call, &failure);
  cr_expect_str_eq(err.message, "a\\x1b[31mb");
  host->fail_field(&call.call, TN_ERR_KEY, "a\0b", 3);
  cr_expect_str_eq(err.key, "a\\x00b");
}

Test(host, fields_are_added_by_size)
{
  struct tn_failure failure = { .size = sizeof(failure),
                                .category = TN_E_DUPLICATE };

  host->fail(&call.call, &failure);
  host->fail_field(&call.call, TN_ERR_TABLE, "t1,t2", 2);
  host->fail_field(&call.call, TN_ERR_COLUMN, "abc", 1);
  host->fail_field(&call.call, TN_ERR_COLUMN, "def", 3);
  host->fail_field(&call.call, TN_ERR_CONSTRAINT, "", 0);
  host->fail_field(&call.call, TN_ERR_SCHEMA, NULL, 5);
  host->fail_field(&call.call, 99, "x", 1);
  cr_expect_str_eq(err.table, "t1");
  cr_expect_eq(err.column_count, 2);
  cr_expect_str_eq(tn_err_column(&err, 0), "a");
  cr_expect_str_eq(tn_err_column(&err, 1), "def");
  cr_expect_str_eq(err.constraint, "");
}

Test(host, fields_and_verdicts_before_fail_are_dropped)
{
  tn_err_set(&err, TN_E_OTHER, "of an earlier call");
  host->fail_field(&call.call, TN_ERR_TABLE, "t", 1);
  host->fail_verdicts(&call.call, TN_CONNECTION_DEAD, TN_REPLAY_UNKNOWN);
  cr_expect_str_eq(err.table, "");
  cr_expect_eq(err.connection, TN_CONNECTION_USABLE);
}

Test(host, verdicts_are_changed_one_by_one)
{
  struct tn_failure failure = { .size = sizeof(failure),
                                .category = TN_E_TIMEOUT };

  host->fail(&call.call, &failure);
  host->fail_verdicts(&call.call, TN_CONNECTION_DEAD, 0);
  cr_expect_eq(err.connection, TN_CONNECTION_DEAD);
  cr_expect_eq(err.replay, TN_REPLAY_TRANSACTION);
  host->fail_verdicts(&call.call, 0, TN_REPLAY_UNKNOWN);
  cr_expect_eq(err.connection, TN_CONNECTION_DEAD);
  cr_expect_eq(err.replay, TN_REPLAY_UNKNOWN);
  host->fail_verdicts(&call.call, 77, -3);
  cr_expect_eq(err.connection, TN_CONNECTION_DEAD);
  cr_expect_eq(err.replay, TN_REPLAY_UNKNOWN);
}

/* ---- the rest ---- */

static char logged[256];

static void
write_log(uint32_t level, const char *line, void *user)
{
  (void)user;
  snprintf(logged, sizeof(logged), "%s: %s", tn_log_level_name(level), line);
}

Test(host, log_lines_name_the_backend_and_hide_passwords)
{
  struct tn_log log = { .level = TN_LOG_INFO, .write = write_log };

  host->log(&call.call, TN_LOG_INFO, "nobody listens");
  call.log = &log;
  host->log(&call.call, TN_LOG_DEBUG, "too talkative");
  cr_expect_str_eq(logged, "");
  host->log(&call.call, TN_LOG_WARNING, "x://u:geheim@h is slow");
  cr_expect_str_eq(logged, "warning: fake: x://u:***@h is slow");
  host->log(&call.call, TN_LOG_ERROR, NULL);
  cr_expect_str_eq(logged, "error: fake:");
}

Test(host, values_are_read_and_written)
{
  tn_value value;
  char text[TN_VALUE_PRINT_MAX];

  cr_expect_eq(host->value_parse(TN_INT64, "-17", 3, &value), TN_OK);
  cr_expect_eq(value.as.int64, -17);
  cr_expect_eq(host->value_parse(TN_INT64, "x", 1, &value), TN_E_DATA);
  value = tn_date(0);
  cr_expect_eq(host->value_print(&value, text, sizeof(text)), 10);
  cr_expect_str_eq(text, "1970-01-01");
}
