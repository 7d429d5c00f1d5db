/* The bytes of a connection, as the kernel counts them: a socket of the test's
 * own is the session's. */
#include "engine_fixture.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <tenon/metrics.h>
#include <unistd.h>

TestSuite(traffic, .init = fixture_init, .timeout = 60);

/* Both ends of a TCP connection. */
static int ours = -1;
static int theirs = -1;

static void
connect_both(void)
{
  struct sockaddr_in address = { .sin_family = AF_INET };
  socklen_t size = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0);

  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  cr_assert_eq(bind(listener, (struct sockaddr *)&address, size), 0);
  cr_assert_eq(listen(listener, 1), 0);
  getsockname(listener, (struct sockaddr *)&address, &size);
  ours = socket(AF_INET, SOCK_STREAM, 0);
  cr_assert_eq(connect(ours, (struct sockaddr *)&address, size), 0);
  theirs = accept(listener, NULL, NULL);
  cr_assert_geq(theirs, 0);
  close(listener);
}

/* An answer to what was sent says that it has arrived. */
static void
exchange(size_t sent, size_t received)
{
  char bytes[1000] = "";

  cr_assert_eq(send(ours, bytes, sent, 0), (ssize_t)sent);
  cr_assert_eq(recv(theirs, bytes, sent, MSG_WAITALL), (ssize_t)sent);
  cr_assert_eq(send(theirs, bytes, received, 0), (ssize_t)received);
  cr_assert_eq(recv(ours, bytes, received, MSG_WAITALL), (ssize_t)received);
}

static struct tn_engine_stats
stats_of(void)
{
  struct tn_engine_stats stats = { .struct_size = sizeof stats };

  tn_engine_stats(engine, &stats);
  return stats;
}

/* The kernel counts the beginning of a connection as one byte that arrived. */
static void
expect_bytes(uint64_t received, uint64_t sent)
{
  struct tn_engine_stats stats = stats_of();

  cr_expect_eq(stats.tcp_connections, 1);
  cr_expect_eq(stats.bytes_received, received);
  cr_expect(stats.bytes_sent == sent || stats.bytes_sent == sent + 1,
            "%d sent, not %d", (int)stats.bytes_sent, (int)sent);
}

/* A loan with an exchange in it. */
static void
use(size_t sent, size_t received)
{
  tn_conn *taken = NULL;

  cr_assert_eq(tn_engine_take(engine, NULL, &taken, &err), TN_OK);
  cr_assert_eq(tn_conn_exec(taken, "UPDATE x", NULL, &err), TN_OK);
  exchange(sent, received);
  tn_pool_give(&taken);
}

static void
open_with_socket(const char *more)
{
  connect_both();
  script.socket = &ours;
  open_engine(more);
}

static void
close_both(void)
{
  close_engine();
  close(ours);
  close(theirs);
}

Test(traffic, what_went_by_counts_when_the_connection_is_given_back)
{
  open_with_socket("");
  cr_expect_eq(stats_of().tcp_connections, 0);
  use(300, 700);
  expect_bytes(700, 300);
  close_both();
}

/* The kernel is not asked each time: what is left is found by the tick. */
Test(traffic, a_tick_finds_what_the_last_loans_have_left)
{
  open_with_socket("");
  for (int i = 1; i <= 10; i++)
    use(10, 20);
  tn_pool_tick(tn_engine_pool(engine));
  expect_bytes(200, 100);
  tn_pool_tick(tn_engine_pool(engine));
  expect_bytes(200, 100);
  close_both();
}

Test(traffic, a_connection_that_is_closed_has_told_all)
{
  tn_conn *taken = NULL;

  open_with_socket("");
  use(1, 2);
  cr_assert_eq(tn_engine_take(engine, NULL, &taken, &err), TN_OK);
  exchange(500, 600);
  tn_pool_discard(&taken);
  expect_bytes(602, 501);
  close_both();
}

Test(traffic, a_session_without_a_tcp_socket_says_nothing)
{
  int pair[2];

  cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  for (int i = 0; i < 2; i++) {
    struct tn_engine_stats stats;

    script.socket = i == 0 ? &pair[0] : NULL;
    open_engine("");
    cr_assert_eq(tn_engine_exec(engine, "UPDATE x", NULL, &err), TN_OK);
    stats = stats_of();
    cr_expect_eq(stats.tcp_connections, 0, "case %d", i);
    cr_expect_eq(stats.bytes_received, 0, "case %d", i);
    cr_expect_eq(stats.bytes_sent, 0, "case %d", i);
    close_engine();
  }
  close(pair[0]);
  close(pair[1]);
}

/* ---- as text ---- */

static char text[65536];

static void
keep(const char *bytes, size_t size, void *user)
{
  (void)user;
  cr_assert_lt(size, sizeof text);
  memcpy(text, bytes, size);
  text[size] = '\0';
}

Test(traffic, the_text_has_the_bytes_of_those_that_have_any)
{
  tn_engine *engines[2];

  open_with_socket("");
  use(300, 700);
  engines[0] = engine;
  script.socket = NULL;
  open_engine("");
  engines[1] = engine;
  cr_assert_eq(tn_metrics_write(&engines[1], 1, keep, NULL, &err), TN_OK);
  cr_expect_null(strstr(text, "bytes"));
  cr_assert_eq(tn_metrics_write(engines, 2, keep, NULL, &err), TN_OK);
  cr_expect_not_null(strstr(text, "# TYPE tenon_received_bytes counter\n"));
  cr_expect_not_null(strstr(text, "# UNIT tenon_received_bytes bytes\n"
                                  "tenon_received_bytes_total{target="));
  cr_expect_not_null(strstr(text, "} 700\n# TYPE tenon_sent_bytes counter\n"));
  script.socket = &ours;
  tn_engine_close(&engines[1]);
  engine = engines[0];
  close_both();
}
