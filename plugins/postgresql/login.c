/* One attempt to open a session with one server. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "pg_priv.h"

struct login {
  struct pg__conn *conn;
  struct pg__watch *watch;
  struct pg__relay relay;
  int64_t until;
  size_t seen;  /* bytes in TLS that wait for libpq and were looked at */
  bool is_late; /* `until` has come */
};

/* Nothing has been heard on this connection: libpq may have opened it in place
 * of another, if TLS was not to be had on that. */
static void
begin_conversation(struct login *login)
{
  struct pg__watch *watch = login->watch;

  watch->header = 0;
  watch->left = 0;
  watch->kept = 0;
  watch->is_in = false;
  login->seen = 0;
}

static int32_t
wait_socket(struct login *login, uint32_t events)
{
  struct tn_call *call = login->conn->call;
  uint32_t ready = 0;
  int32_t rc = call->host->wait(call, PQsocket(login->conn->pq), events,
                                login->until, &ready);

  login->is_late = rc == TN_OK && ready == 0;
  return rc;
}

static int32_t
fail_descriptors(struct login *login)
{
  struct pg__reason *reason = &login->watch->reason;

  login->watch->is_refused = true;
  reason->category = TN_E_LIMIT;
  snprintf(reason->text, sizeof reason->text, "%s",
           "the process has too many open files");
  return TN_OK;
}

/* Let libpq have what comes next, if it may. */
static int32_t
wait_input(struct login *login)
{
  PGconn *pq = login->conn->pq;
  struct tn_call *call = login->conn->call;
  bool is_answer = PQstatus(pq) == CONNECTION_SSL_STARTUP;

  if (PQsslInUse(pq)) {
    if (is_answer) /* the handshake */
      return wait_socket(login, TN_WAIT_READ);
    return pg__tls_peek(pq, call, login->until, login->watch, login->seen,
                        &login->is_late);
  }
  if (login->relay.server < 0 && !pg__relay_begin(&login->relay, PQsocket(pq)))
    return fail_descriptors(login);
  return pg__relay_in(&login->relay, call, login->until,
                      is_answer ? 1 : SIZE_MAX, login->watch, &login->is_late);
}

/* Wait for what libpq wants to do next. */
static int32_t
wait_for(struct login *login, PostgresPollingStatusType wanted)
{
  if (wanted == PGRES_POLLING_READING)
    return wait_input(login);
  if (login->relay.server >= 0)
    return TN_OK; /* the pair takes all that libpq writes */
  return wait_socket(login, TN_WAIT_WRITE);
}

/* After libpq had its turn. */
static int32_t
pass_on(struct login *login)
{
  PGconn *pq = login->conn->pq;
  ConnStatusType status = PQstatus(pq);
  int32_t rc = TN_OK;

  if (PQsslInUse(pq))
    login->seen = pg__tls_pending(pq);
  if (status == CONNECTION_STARTED || status == CONNECTION_BAD)
    pg__relay_close(&login->relay); /* that was of another socket */
  if (login->relay.server >= 0)
    rc = pg__relay_out(&login->relay, login->conn->call, login->until,
                       &login->is_late);
  if (login->relay.server >= 0 && rc == TN_OK && !login->is_late &&
      (PQsslInUse(pq) || status == CONNECTION_OK) &&
      !pg__relay_end(&login->relay))
    return fail_descriptors(login);
  if (status == CONNECTION_STARTED || status == CONNECTION_MADE ||
      status == CONNECTION_SSL_STARTUP)
    begin_conversation(login);
  return rc;
}

/* ------------------------------------------------------------------ */
/* Why it failed                                                        */

/* Codes that any server of the list would answer with. */
static const char *const final_classes[] = { "28", "3D", "42" };

/* Codes of a server that is not to be had now, whatever they mean later. */
static const char *const absent_classes[] = { "08", "57" };

static bool
is_of(const char *sqlstate, const char *const *classes, size_t count)
{
  size_t i;

  for (i = 0; i < count; i++)
    if (strncmp(sqlstate, classes[i], 2) == 0)
      return true;
  return false;
}

static bool
says(const char *message, int number)
{
  char buffer[128];

  return strstr(message, strerror_r(number, buffer, sizeof buffer)) != NULL;
}

/* The first line of libpq's message, without the address, which is told
 * anyway. */
static void
copy_message(const char *message, char *text, size_t size)
{
  static const char mark[] = "failed: ";
  const char *start = strstr(message, mark);

  if (start != NULL)
    message = start + sizeof mark - 1;
  snprintf(text, size, "%.*s", (int)strcspn(message, "\n"), message);
}

/* What PgBouncer says has but one code, that of a protocol that was violated.
 * Its words are never translated. */
static const struct proxy_word {
  const char *text;
  const char *sqlstate;
} proxy_words[] = {
  { "authentication failed", "28P01" },
  { "no such user", "28P01" },
  { "no such database", "3D000" },
  { "does not exist", "3D000" },
};

static void
understand_proxy(struct pg__reason *reason)
{
  bool is_proxy = strcmp(reason->sqlstate, "08P01") == 0;
  size_t i;

  /* Others have 0A000 for what they cannot do. */
  reason->is_about_options =
      (is_proxy || strcmp(reason->sqlstate, "0A000") == 0) &&
      strstr(reason->text, "options") != NULL;
  for (i = 0; is_proxy && i < PG__COUNT(proxy_words); i++)
    if (strstr(reason->text, proxy_words[i].text) != NULL)
      memcpy(reason->sqlstate, proxy_words[i].sqlstate,
             sizeof reason->sqlstate);
}

static void
explain(struct login *login)
{
  const char *message = PQerrorMessage(login->conn->pq);
  struct pg__reason *reason = &login->watch->reason;

  if (login->watch->is_refused)
    return;
  if (reason->sqlstate[0] != '\0') {
    understand_proxy(reason);
    reason->is_final =
        is_of(reason->sqlstate, final_classes, PG__COUNT(final_classes));
    if (is_of(reason->sqlstate, absent_classes, PG__COUNT(absent_classes)))
      reason->category = TN_E_CONNECT;
    return;
  }
  reason->category = TN_E_CONNECT;
  reason->is_other_role =
      login->watch->is_in && !login->is_late && PQsocket(login->conn->pq) >= 0;
  if (login->is_late) {
    snprintf(reason->text, sizeof reason->text, "%s", "no answer in time");
    return;
  }
  if (says(message, EMFILE) || says(message, ENFILE))
    reason->category = TN_E_LIMIT;
  else if (strstr(message, "out of memory") != NULL)
    reason->category = TN_E_MEMORY;
  copy_message(message, reason->text, sizeof reason->text);
  if (reason->text[0] == '\0')
    snprintf(reason->text, sizeof reason->text, "%s", "no reason is known");
}

/* ------------------------------------------------------------------ */

static int32_t
poll_to_end(struct login *login)
{
  PGconn *pq = login->conn->pq;
  PostgresPollingStatusType wanted = PGRES_POLLING_WRITING;
  int32_t rc = TN_OK;

  if (PQstatus(pq) == CONNECTION_BAD)
    return TN_E_CONNECT;
  while (wanted != PGRES_POLLING_OK) {
    if (wanted == PGRES_POLLING_FAILED)
      return TN_E_CONNECT;
    rc = wait_for(login, wanted);
    if (rc != TN_OK)
      return rc;
    if (login->is_late || login->watch->is_refused)
      return TN_E_CONNECT;
    wanted = PQconnectPoll(pq);
    rc = pass_on(login);
    if (rc != TN_OK)
      return rc;
    if (login->is_late || login->watch->is_refused)
      return TN_E_CONNECT;
  }
  return TN_OK;
}

int32_t
pg__login(struct pg__conn *conn, const struct pg__options *options,
          struct pg__watch *watch, int64_t until)
{
  struct login login = { .conn = conn, .watch = watch, .until = until };
  int32_t rc;

  login.relay.server = -1;
  conn->pq = PQconnectStartParams(options->names, options->values, 0);
  if (conn->pq == NULL)
    return pg__fail_memory(conn->call);
  (void)PQsetNoticeReceiver(conn->pq, pg__notice, conn);
  rc = poll_to_end(&login);
  if (rc == TN_E_CONNECT)
    explain(&login);
  else if (rc != TN_OK)
    watch->reason.text[0] = '\0';
  pg__relay_close(&login.relay);
  if (rc == TN_OK && PQsetnonblocking(conn->pq, 1) != 0)
    rc = pg__fail_memory(conn->call);
  if (rc != TN_OK)
    pg__bury(conn);
  return rc;
}
