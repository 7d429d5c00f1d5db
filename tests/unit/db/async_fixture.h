/* Asynchronous calls on sessions of the scripted plug-in, and an event loop for
 * one of them. */
#ifndef TENON_TESTS_ASYNC_FIXTURE_H
#define TENON_TESTS_ASYNC_FIXTURE_H

#include "pool_fixture.h"

#include <fcntl.h>
#include <unistd.h>

#include "async_priv.h"

static struct tn_connection_table connection_table;
static int pipe_fds[2]; /* ping_pipe() waits to read [0] */
static tn_async *async;
static long live; /* allocations before the test */

static inline void
async_fixture_init(void)
{
  pool_fixture_init();
  pool_wait = tn_async_wait;
  plugin.caps |= TN_CAP_NETWORK;
  memcpy(&connection_table, fixture_table(TN_TABLE_CONNECTION),
         sizeof connection_table);
  tables[TN_TABLE_CONNECTION] = &connection_table;
  cr_assert_eq(pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK), 0);
  oom_fail_nth(0, false);
  live = oom_live();
}

/* Close all, and see that nothing is left. */
static inline void
close_all(void)
{
  tn_async_close(&async);
  cr_expect_null(async);
  if (pool != NULL)
    close_pool();
  else
    fixture_close();
  cr_expect_eq(oom_live(), live, "%ld blocks", oom_live() - live);
}

static inline void
start(tn_async_fn call, void *user)
{
  tn_err why = TN_ERR_INIT;

  cr_assert_eq(tn_async_start(call, user, NULL, &async, &why), TN_OK, "%s",
               why.message);
}

static inline bool
is_waiting(void)
{
  return tn_async_state(async) == TN_ASYNC_WAITING;
}

static inline void
go_on(uint32_t ready)
{
  tn_err why = TN_ERR_INIT;

  cr_assert_eq(tn_async_continue(async, ready, &why), TN_OK, "%s", why.message);
}

/* The event loop. Returns how often it went on. */
static inline int
drive(void)
{
  int rounds = 0;

  while (is_waiting()) {
    int ready = tn_host_poll(tn_async_fd(async), -1, tn_async_events(async),
                             tn_async_until(async));

    cr_assert_geq(ready, 0);
    go_on((uint32_t)ready);
    rounds++;
  }
  return rounds;
}

#endif
