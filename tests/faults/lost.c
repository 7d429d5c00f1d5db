/* A connection that dies is said to be dead, whatever was under way, and what
 * may be run again is never said to be safe when it may have taken effect. */
#include "places.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#define SOON_MS 250

static const struct words *words;
static struct proxy proxy;
static tn_conn *admin;

/* How it dies. */
enum death { DEATH_BEFORE, DEATH_IN_REPLY, DEATH_HALF, DEATH_BY_ADMIN };

static const struct {
  const char *name;
  const char *rule;
} deaths[] = {
  { "reset before", "reset 0 both" },
  { "reset in the reply", "reset 1 down" },
  { "half closed in the reply", "half 1 down" },
  { "ended by an administrator", NULL },
};

/* Until the server knows it no more. */
static void
wait_for_end(int64_t session)
{
  char is_there[256];

  faults_fill(is_there, sizeof is_there, words->is_there, "%lld",
              (long long)session);
  while (faults_number(admin, is_there) != 0)
    continue;
}

static void
end_session(int64_t session)
{
  char sql[128];

  faults_fill(sql, sizeof sql, words->end_session, "%lld", (long long)session);
  faults_exec(admin, sql);
  wait_for_end(session);
}

static bool
is_right_code(const struct try *try)
{
  switch (try->place->work) {
  case WORK_COMMIT:
  case WORK_WHOLE:
    return try->rc == TN_E_UNCERTAIN || try->rc == TN_E_LOST;
  default:
    return try->rc == TN_E_LOST;
  }
}

/* May it be run again? */
static bool
is_right_replay(const struct try *try, enum death death)
{
  bool was_answer_lost = death == DEATH_IN_REPLY || death == DEATH_HALF;

  if (try->rc == TN_E_UNCERTAIN)
    return try->err.replay == TN_REPLAY_UNKNOWN;
  if (try->place->work == WORK_WRITE && was_answer_lost)
    return try->err.replay == TN_REPLAY_UNKNOWN;
  if (try->place->work == WORK_IN_TRANSACTION)
    return try->err.replay == TN_REPLAY_TRANSACTION;
  return try->err.replay != TN_REPLAY_NEVER;
}

/* What was to be prepared is, or may be only if that was said; and whoever ends
 * it now, because its end was lost, ends it once. */
static void
check_phases(const struct try *try, const char *what)
{
  bool is_first = try->place->work == WORK_WHOLE;
  char rows[64];
  tn_err err = TN_ERR_INIT;
  enum tn_code rc = tn_two_phase_commit(admin, try->global_id, &err);
  int64_t count;

  snprintf(rows, sizeof rows, "SELECT count(*) FROM place WHERE number = %d",
           PLACE_PREPARED);
  count = faults_number(admin, rows);
  if (rc != TN_OK && rc != TN_E_NOT_FOUND)
    fail("%s: %s: then: %s", try->place->name, what, err.message);
  if (is_first ? try->rc != TN_E_UNCERTAIN && rc != TN_E_NOT_FOUND : count != 1)
    fail("%s: %s: %s, then %s, and %lld rows", try->place->name, what,
         tn_code_name((int32_t)try->rc), tn_code_name((int32_t)rc),
         (long long)count);
  faults_exec(admin, "DELETE FROM place");
}

/* Nothing can be done with it any more, and that is known at once. */
static void
check_dead(struct try *try, const char *what)
{
  int64_t began = tn_clock_now();
  tn_err err = TN_ERR_INIT;
  int64_t ms;

  tn_result_close(&try->result);
  tn_bulk_close(&try->bulk);
  tn_prepared_close(&try->prepared);
  tn_txn_end(&try->txn);
  if (tn_conn_verdict(try->conn) != TN_CONNECTION_DEAD)
    fail("%s: %s: the session is not dead", try->place->name, what);
  if (tn_conn_ping(try->conn, tn_deadline_after_ms(10000), &err) != TN_E_LOST)
    fail("%s: %s: then a ping: %s", try->place->name, what, err.message);
  tn_conn_close(&try->conn);
  ms = (tn_clock_now() - began) / NS_PER_MS;
  if (ms > SOON_MS)
    fail("%s: %s: %d ms to close a dead session", try->place->name, what,
         (int)ms);
}

static void
check_place(const struct place *place, enum death death)
{
  const char *what = deaths[death].name;
  char url[256];
  struct try try = { .place = place, .url = url, .words = words };

  faults_url(words, proxy.port, NULL, url, sizeof url);
  place->prepare(&try);
  if (place->start != NULL)
    place->start(&try);
  if (deaths[death].rule != NULL)
    proxy_tell(&proxy, "%s", deaths[death].rule);
  else
    end_session(try.session);
  try.rc = place->act(&try);
  proxy_tell(&proxy, "pass");
  if (place->work == WORK_CLOSE)
    return;
  if (!is_right_code(&try) || !is_right_replay(&try, death) ||
      try.err.connection != TN_CONNECTION_DEAD)
    fail("%s: %s: %s, connection %s, replay %s: %s", place->name, what,
         tn_code_name((int32_t)try.rc),
         tn_connection_verdict_name(try.err.connection),
         tn_replay_verdict_name(try.err.replay), try.err.message);
  check_dead(&try, what);
  if (try.global_id[0] != '\0')
    check_phases(&try, what);
}

/* ------------------------------------------------------------------ */

static void *
run_sleep(void *item)
{
  struct try *try = item;

  try->rc = tn_conn_exec(try->conn, words->sleep, NULL, &try->err);
  return NULL;
}

static void
check_running_statement(void)
{
  static const struct place place = { .name = "statement that runs" };
  struct try try = { .place = &place,
                     .conn = faults_open(getenv(words->variable), 60000) };
  pthread_t thread;
  char sql[256];

  try.session = faults_number(try.conn, words->session);
  faults_fill(sql, sizeof sql, words->active, "%s", words->sleep);
  if (pthread_create(&thread, NULL, run_sleep, &try) != 0)
    die("no thread to be had");
  while (faults_number(admin, sql) == 0)
    continue;
  end_session(try.session);
  pthread_join(thread, NULL);
  if (try.rc != TN_E_LOST || try.err.connection != TN_CONNECTION_DEAD)
    fail("statement that runs: %s: %s", tn_code_name((int32_t)try.rc),
         try.err.message);
  check_dead(&try, "ended by an administrator");
}

/* The server ends the session of who leaves a transaction open. Whoever
 * borrows next has another one. */
static void
check_idle_transaction(void)
{
  tn_engine *engine = NULL;
  tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;
  enum tn_code rc;

  must(tn_engine_open(getenv(words->variable), NULL, &engine, &err), &err,
       "engine");
  must(tn_engine_take(engine, NULL, &conn, &err), &err, "take");
  faults_exec(conn, words->idle_limit);
  must(tn_conn_begin(conn, NULL, &err), &err, "begin");
  faults_exec(conn, "INSERT INTO place VALUES (1, 'x')");
  wait_for_end(faults_number(conn, words->session));
  rc = tn_conn_exec(conn, "INSERT INTO place VALUES (2, 'x')", NULL, &err);
  if (rc != TN_E_LOST || err.connection != TN_CONNECTION_DEAD ||
      err.replay != TN_REPLAY_TRANSACTION)
    fail("idle transaction: %s, connection %s, replay %s: %s",
         tn_code_name((int32_t)rc), tn_connection_verdict_name(err.connection),
         tn_replay_verdict_name(err.replay), err.message);
  tn_pool_give(&conn);
  must(tn_engine_take(engine, NULL, &conn, &err), &err, "another take");
  if (faults_number(conn, "SELECT count(*) FROM place") != 0)
    fail("idle transaction: it was committed");
  tn_pool_give(&conn);
  tn_engine_close(&engine);
}

/* Nobody there, and somebody who hangs up. */
static void
check_refusals(void)
{
  static const char *const rules[] = { "refuse", "reset 0 both", "half 0 down",
                                       "reset 1 up" };
  char url[256];
  size_t i;

  faults_url(words, proxy.port, NULL, url, sizeof url);
  for (i = 0; i <= sizeof rules / sizeof rules[0]; i++) {
    const struct tn_conn_options options = { .deadline =
                                                 tn_deadline_after_ms(10000) };
    bool is_refused = i == sizeof rules / sizeof rules[0];
    tn_conn *conn = NULL;
    tn_err err = TN_ERR_INIT;
    enum tn_code rc;

    if (is_refused)
      faults_url(words, 1, NULL, url, sizeof url);
    else
      proxy_tell(&proxy, "%s", rules[i]);
    rc = tn_conn_open(url, &options, &conn, &err);
    proxy_tell(&proxy, "pass");
    if (rc != TN_E_CONNECT || err.replay != TN_REPLAY_SAFE)
      fail("open, %s: %s, replay %s: %s", is_refused ? "nobody" : rules[i],
           tn_code_name((int32_t)rc), tn_replay_verdict_name(err.replay),
           err.message);
    tn_conn_close(&conn);
  }
}

#define IDLE   4
#define MAX_FD 256

static void
take_all(tn_engine *engine, tn_conn *taken[IDLE])
{
  tn_err err = TN_ERR_INIT;
  int i;

  for (i = 0; i < IDLE; i++)
    must(tn_engine_take(engine, NULL, &taken[i], &err), &err, "take");
}

static void
give_all(tn_conn *taken[IDLE])
{
  int i;

  for (i = 0; i < IDLE; i++)
    tn_pool_give(&taken[i]);
}

/* How many of our connections have been ended by the other side. */
static int
count_ended(void)
{
  int count = 0;
  int fd;

  for (fd = 0; fd < MAX_FD; fd++) {
    struct tcp_info info;
    socklen_t size = sizeof info;

    count += getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 &&
             info.tcpi_state == TCP_CLOSE_WAIT;
  }
  return count;
}

/* A server forgets a session a moment before it closes its socket. */
static void
wait_for_closes(void)
{
  static const struct timespec pause = { .tv_nsec = 10 * NS_PER_MS };
  int64_t until = tn_clock_now() + 10000 * NS_PER_MS;

  while (count_ended() != IDLE) {
    if (tn_clock_now() > until)
      die("of %d idle sessions %d are ended", IDLE, count_ended());
    (void)nanosleep(&pause, NULL);
  }
}

/* Idle ones that were used a moment ago are not pinged when they are lent; yet
 * nobody is lent one that the server has ended. */
static void
check_idle_sessions(void)
{
  tn_engine *engine = NULL;
  tn_conn *taken[IDLE];
  int64_t sessions[IDLE];
  tn_err err = TN_ERR_INIT;
  int i;

  must(tn_engine_open(getenv(words->variable), NULL, &engine, &err), &err,
       "engine");
  take_all(engine, taken);
  for (i = 0; i < IDLE; i++)
    sessions[i] = faults_number(taken[i], words->session);
  give_all(taken);
  for (i = 0; i < IDLE; i++)
    end_session(sessions[i]);
  wait_for_closes();
  take_all(engine, taken);
  for (i = 0; i < IDLE; i++)
    if (tn_conn_exec(taken[i], "SELECT 1", NULL, &err) != TN_OK)
      fail("idle session %d: %s", i, err.message);
  give_all(taken);
  tn_engine_close(&engine);
}

int
main(int argc, char **argv)
{
  const struct place *place;
  char sql[128];
  size_t death;

  words = faults_begin(argc, argv);
  proxy_start(&proxy, words, NULL);
  admin = faults_open(getenv(words->variable), 0);
  snprintf(sql, sizeof sql, "CREATE TABLE place (number integer, body %s)",
           words->text_column);
  faults_exec(admin, "DROP TABLE IF EXISTS place");
  faults_exec(admin, sql);
  for (place = places; place->name != NULL; place++)
    for (death = 0; death < sizeof deaths / sizeof deaths[0]; death++)
      if ((place->ways & PLACE_RESET) != 0 &&
          (argc < 3 || strstr(place->name, argv[2]) != NULL))
        check_place(place, (enum death)death);
  if (argc < 3) {
    check_running_statement();
    faults_exec(admin, "DELETE FROM place");
    check_idle_transaction();
    check_idle_sessions();
    check_refusals();
  }
  places_clear(admin);
  faults_exec(admin, "DROP TABLE place");
  tn_conn_close(&admin);
  proxy_stop(&proxy);
  return faults_end();
}
