/* What a plug-in may ask of the core: failing, waiting, memory. */
#include "host.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>
#include <tenon/memory.h>
#include <unistd.h>

#include "fake_plugin.h"
#include "oom.h"

#define NS_PER_MS INT64_C(1000000)

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

/* ---- check() ---- */

Test(host, check_lets_a_call_go_on_until_its_deadline)
{
  cr_expect_eq(host->check(&call.call), TN_OK);
  call.call.deadline = host->now() + 3600 * 1000 * NS_PER_MS;
  cr_expect_eq(host->check(&call.call), TN_OK);
  cr_expect_eq(err.code, TN_OK);
  cr_expect_eq(call.failed, TN_OK);

  call.call.deadline = host->now();
  cr_expect_eq(host->check(&call.call), TN_E_TIMEOUT);
  cr_expect_eq(err.code, TN_E_TIMEOUT);
  cr_expect_eq(call.failed, TN_E_TIMEOUT);
  cr_expect_str_eq(err.backend, "fake");
  cr_expect_str_eq(err.message, "fake: the deadline has passed");
}

Test(host, check_tells_of_a_cancel_before_the_deadline)
{
  _Atomic uint32_t canceled = 0;

  call.canceled = &canceled;
  cr_expect_eq(host->check(&call.call), TN_OK);
  canceled = 1;
  call.call.deadline = 1;
  cr_expect_eq(host->check(&call.call), TN_E_CANCELED);
  cr_expect_str_eq(err.message, "fake: canceled");
}

/* ---- wait() ---- */

static int pipe_fds[2];

static void
open_pipe(void)
{
  cr_assert_eq(pipe(pipe_fds), 0);
}

Test(host, wait_tells_which_events_are_ready)
{
  uint32_t events = 99;

  open_pipe();
  cr_expect_eq(host->wait(&call.call, pipe_fds[1], TN_WAIT_READ | TN_WAIT_WRITE,
                          TN_DEADLINE_NONE, &events),
               TN_OK);
  cr_expect_eq(events, TN_WAIT_WRITE);
  cr_assert_eq(write(pipe_fds[1], "x", 1), 1);
  cr_expect_eq(host->wait(&call.call, pipe_fds[0], TN_WAIT_READ,
                          TN_DEADLINE_NONE, &events),
               TN_OK);
  cr_expect_eq(events, TN_WAIT_READ);
  cr_expect_eq(
      host->wait(&call.call, pipe_fds[0], TN_WAIT_READ, TN_DEADLINE_NONE, NULL),
      TN_OK);
}

Test(host, a_time_that_is_over_still_looks_at_the_descriptor_once)
{
  uint32_t events = 99;

  open_pipe();
  cr_expect_eq(host->wait(&call.call, pipe_fds[0], TN_WAIT_READ, 0, &events),
               TN_OK);
  cr_expect_eq(events, 0);
  cr_assert_eq(write(pipe_fds[1], "x", 1), 1);
  cr_expect_eq(
      host->wait(&call.call, pipe_fds[0], TN_WAIT_READ, INT64_MIN, &events),
      TN_OK);
  cr_expect_eq(events, TN_WAIT_READ);
}

Test(host, wait_returns_no_events_when_its_time_has_come)
{
  uint32_t events = 99;
  int64_t until;

  open_pipe();
  until = host->now() + 30 * NS_PER_MS;
  cr_expect_eq(
      host->wait(&call.call, pipe_fds[0], TN_WAIT_READ, until, &events), TN_OK);
  cr_expect_eq(events, 0);
  cr_expect_geq(host->now(), until);

  until = host->now() + 30 * NS_PER_MS;
  cr_expect_eq(host->wait(&call.call, -1, 0, until, NULL), TN_OK);
  cr_expect_geq(host->now(), until);
}

Test(host, wait_fails_at_the_deadline_of_the_call)
{
  uint32_t events = 99;

  open_pipe();
  call.call.deadline = host->now() + 30 * NS_PER_MS;
  cr_expect_eq(host->wait(&call.call, pipe_fds[0], TN_WAIT_READ,
                          TN_DEADLINE_NONE, &events),
               TN_E_TIMEOUT);
  cr_expect_eq(events, 99);
  cr_expect_geq(host->now(), call.call.deadline);
  cr_expect_eq(err.code, TN_E_TIMEOUT);
}

static void *
cancel_soon(void *user)
{
  struct timespec pause = { .tv_nsec = 20 * NS_PER_MS };

  nanosleep(&pause, NULL);
  atomic_store((_Atomic uint32_t *)user, 1);
  return NULL;
}

Test(host, a_cancel_from_another_thread_ends_a_wait_soon)
{
  static _Atomic uint32_t canceled;
  pthread_t thread;
  int64_t start = host->now();

  open_pipe();
  call.canceled = &canceled;
  pthread_create(&thread, NULL, cancel_soon, &canceled);
  cr_expect_eq(host->wait(&call.call, pipe_fds[0], TN_WAIT_READ,
                          start + 20000 * NS_PER_MS, NULL),
               TN_E_CANCELED);
  pthread_join(thread, NULL);
  cr_expect_lt(host->now() - start, 5000 * NS_PER_MS);
}

static volatile sig_atomic_t alarms;

static void
count_alarm(int number)
{
  (void)number;
  alarms++;
}

Test(host, a_signal_does_not_end_a_wait)
{
  struct sigaction action = { .sa_handler = count_alarm };
  struct itimerval every = { { 0, 5000 }, { 0, 5000 } };
  int64_t until = host->now() + 60 * NS_PER_MS;
  uint32_t events = 99;

  sigaction(SIGALRM, &action, NULL);
  setitimer(ITIMER_REAL, &every, NULL);
  open_pipe();
  cr_expect_eq(
      host->wait(&call.call, pipe_fds[0], TN_WAIT_READ, until, &events), TN_OK);
  memset(&every, 0, sizeof(every));
  setitimer(ITIMER_REAL, &every, NULL);
  cr_expect_eq(events, 0);
  cr_expect_geq(host->now(), until);
  cr_expect_gt(alarms, 1);
}

Test(host, wait_on_a_closed_descriptor_fails)
{
  open_pipe();
  close(pipe_fds[0]);
  cr_expect_eq(
      host->wait(&call.call, pipe_fds[0], TN_WAIT_READ, TN_DEADLINE_NONE, NULL),
      TN_E_IO);
  cr_expect(strstr(err.message, "Bad file descriptor") != NULL, "%s",
            err.message);
  cr_expect_str_eq(err.backend, "fake");
}

Test(host, a_peer_that_is_gone_makes_the_descriptor_ready)
{
  uint32_t events = 0;

  open_pipe();
  close(pipe_fds[1]);
  cr_expect_eq(host->wait(&call.call, pipe_fds[0], TN_WAIT_READ,
                          TN_DEADLINE_NONE, &events),
               TN_OK);
  cr_expect_eq(events, TN_WAIT_READ);
}

/* An application's own wait. */
struct own_wait {
  int calls;
  int fd;
  uint32_t events;
  tn_deadline until;
  int answers[3];
};

static int
wait_own(int fd, uint32_t events, tn_deadline until, void *user)
{
  struct own_wait *own = user;

  own->fd = fd;
  own->events = events;
  own->until = until;
  return own->answers[own->calls++];
}

Test(host, an_application_waits_by_itself_and_may_return_too_early)
{
  struct own_wait own = { .answers = { 0, 0, TN_WAIT_WRITE | 64 } };
  int64_t until = host->now() + 3600 * 1000 * NS_PER_MS;
  uint32_t events = 0;

  call.wait = wait_own;
  call.wait_user = &own;
  cr_expect_eq(host->wait(&call.call, 1234, TN_WAIT_WRITE, until, &events),
               TN_OK);
  cr_expect_eq(own.calls, 3);
  cr_expect_eq(own.fd, 1234);
  cr_expect_eq(own.events, TN_WAIT_WRITE);
  cr_expect_eq(own.until, until);
  cr_expect_eq(events, TN_WAIT_WRITE);
}

Test(host, an_application_that_cannot_wait_fails_the_call)
{
  struct own_wait own = { .answers = { -1 } };

  call.wait = wait_own;
  call.wait_user = &own;
  cr_expect_eq(host->wait(&call.call, 1, TN_WAIT_READ, TN_DEADLINE_NONE, NULL),
               TN_E_IO);
  cr_expect_eq(own.until, TN_DEADLINE_NONE);
}

Test(host, an_application_waits_in_short_pieces_where_a_cancel_may_come)
{
  _Atomic uint32_t canceled = 0;
  struct own_wait own = { .answers = { TN_WAIT_READ } };

  call.canceled = &canceled;
  call.wait = wait_own;
  call.wait_user = &own;
  cr_expect_eq(host->wait(&call.call, 1, TN_WAIT_READ, TN_DEADLINE_NONE, NULL),
               TN_OK);
  cr_expect_leq(own.until, host->now() + 50 * NS_PER_MS);
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

Test(host, fail_keeps_the_position_and_the_parameter)
{
  struct tn_failure failure = { .size = sizeof(failure),
                                .category = TN_E_SYNTAX,
                                .position = 12,
                                .parameter = 3 };

  host->fail(&call.call, &failure);
  cr_expect_eq(err.position, 12);
  cr_expect_eq(err.parameter, 3);
  failure.position = -1;
  failure.parameter = INT32_MIN;
  host->fail(&call.call, &failure);
  cr_expect_eq(err.position, 0);
  cr_expect_eq(err.parameter, 0);
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
