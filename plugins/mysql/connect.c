/* A session from its opening to its end.
 *
 * Servers are tried in the order in which the URL names them, or in another one
 * each time, each with its share of the time that is left; a failure tells of
 * all of them. */
#include "my_priv.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What was heard of the servers that were tried, a line each. */
#define LINES_MAX 2048

struct attempt {
  const struct tn_connect_args *args;
  struct tn_call *call;
  struct mysql__conn *conn;
  struct mysql__endpoint common;
  struct mysql__reason reason; /* of the last failure */
  struct tn_host_turns turns;
  uint32_t host;    /* whose turn it is */
  uint32_t role;    /* enum mysql__role: what is wanted at first */
  int64_t end;      /* of all attempts */
  bool is_reported; /* the call's error tells it already */
  size_t used;
  char lines[LINES_MAX];
};

static void
release(struct mysql__conn **conn)
{
  const struct tn_host *host;

  if (*conn == NULL)
    return;
  host = (*conn)->host;
  host->release((*conn)->endpoint);
  host->release(*conn);
  *conn = NULL;
}

/* ------------------------------------------------------------------ */
/* Closing                                                              */

/* Whatever the library holds, and the socket. */
static void
close_library(struct mysql__conn *conn)
{
  struct mysql__op op = { .verb = MYSQL__CLOSE, .mysql = conn->mysql };
  int32_t rc;

  if (conn->mysql == NULL || conn->is_left)
    return;
  rc = mysql__op_begin(conn, &op);
  while (rc == TN_OK && op.pending != 0)
    rc = mysql__step(conn, &op);
  if (rc != TN_OK) {
    bool was_begun = op.pending != 0;

    mysql__bury(conn);
    if (was_begun)
      mysql__op_finish_shut(conn, &op);
    else
      mysql__op_begin(conn, &op); /* at once, now that the socket is shut */
  }
  conn->mysql = NULL;
}

static void
disconnect(void *handle, struct tn_call *call)
{
  struct mysql__conn *conn = handle;

  mysql__enter(conn, call);
  close_library(conn);
  mysql__stmt_close_rest(conn);
  release(&conn);
}

/* In a child the socket is the parent's: what the library would still send goes
 * nowhere. */
static int32_t
abandon(void *handle)
{
  struct mysql__conn *conn = handle;
  int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
  bool is_cut = false;

  if (nowhere >= 0) {
    is_cut = conn->is_dead || dup3(nowhere, conn->fd, O_CLOEXEC) >= 0;
    close(nowhere);
  }
  if (!is_cut)
    return TN_E_LIMIT;
  conn->is_dead = true;
  conn->can_kill = false;
  return TN_OK;
}

/* ------------------------------------------------------------------ */
/* One server                                                           */

/* The attempt's session is of no use: as if it had never been. */
static void
drop_session(struct attempt *attempt)
{
  struct mysql__conn *conn = attempt->conn;

  close_library(conn);
  conn->host->release(conn->endpoint);
  conn->endpoint = NULL;
  conn->is_dead = false;
  conn->is_tls = false;
}

/* It has logged in, and the server will not do. One that is not preferred has
 * another turn when none is left that is. */
static void
leave_server(struct attempt *attempt)
{
  if (attempt->conn->role == MYSQL__PREFERRED && attempt->reason.native == 0 &&
      attempt->host < 64)
    attempt->turns.aside |= UINT64_C(1) << attempt->host;
  attempt->is_reported = false;
  drop_session(attempt);
}

static int32_t
set_up(struct attempt *attempt, const struct mysql__endpoint *endpoint,
       int64_t until)
{
  struct mysql__conn *conn = attempt->conn;
  int32_t rc;

  conn->fd = (int)mysql_get_socket(conn->mysql);
  conn->is_tls = mysql_get_ssl_cipher(conn->mysql) != NULL;
  conn->until = until;
  conn->endpoint = mysql__endpoint_copy(conn->host, endpoint);
  if (conn->endpoint == NULL)
    rc = mysql__fail_memory(conn->call);
  else
    rc = mysql__setup_run(conn);
  if (rc == TN_OK)
    rc = mysql__role_judge(conn, &attempt->reason);
  conn->until = INT64_MAX;
  if (rc == TN_OK)
    return TN_OK;
  if (attempt->reason.text[0] != '\0') {
    leave_server(attempt);
    return rc;
  }
  attempt->is_reported = rc != TN_E_LOST;
  if (rc == TN_E_LOST) /* before it was a session */
    rc = TN_E_CONNECT;
  attempt->reason.category = rc;
  snprintf(attempt->reason.text, sizeof attempt->reason.text, "%s",
           attempt->is_reported
               ? "the session could not be set up"
               : "the connection was lost while the session was set up");
  mysql__bury(conn);
  drop_session(attempt);
  return rc;
}

/* The category of what login said. Its time may be over before that of the
 * call is, which then fails with what it has to say itself. */
static int32_t
category_of(struct attempt *attempt, int32_t rc)
{
  struct mysql__reason *reason = &attempt->reason;

  attempt->is_reported = reason->text[0] == '\0';
  if (attempt->is_reported)
    snprintf(reason->text, sizeof reason->text, "given up");
  else if (reason->category == 0)
    rc = mysql__category(reason->native);
  else
    rc = reason->category;
  if (rc == TN_E_LOST) { /* before it was a session */
    reason->category = TN_E_CONNECT;
    return TN_E_CONNECT;
  }
  if (rc != TN_E_TIMEOUT)
    return rc;
  snprintf(reason->text, sizeof reason->text, "no answer in time");
  rc = attempt->call->host->check(attempt->call);
  attempt->is_reported = rc != TN_OK;
  reason->category = TN_E_CONNECT;
  return rc != TN_OK ? rc : TN_E_CONNECT;
}

static int32_t
try_target(struct attempt *attempt, const struct mysql__target *target,
           int64_t until)
{
  struct mysql__conn *conn = attempt->conn;
  int64_t began = attempt->call->host->now();
  int32_t rc =
      mysql__login(attempt->call, &target->endpoint, attempt->args->password,
                   until, &conn->mysql, &attempt->reason);

  conn->login_ns = attempt->call->host->now() - began;
  if (rc == TN_OK)
    return set_up(attempt, &target->endpoint, until);
  return category_of(attempt, rc);
}

static void
note_line(struct attempt *attempt, const struct mysql__target *target)
{
  int size = snprintf(attempt->lines + attempt->used,
                      sizeof attempt->lines - attempt->used, "%s%s: %s",
                      attempt->used == 0 ? "" : "\n", target->endpoint.shown,
                      attempt->reason.text);

  if (size > 0)
    attempt->used += (size_t)size;
  if (attempt->used >= sizeof attempt->lines)
    attempt->used = sizeof attempt->lines - 1;
}

/* ------------------------------------------------------------------ */
/* All of them                                                          */

/* Would another server say the same? */
static bool
is_for_all(int32_t category)
{
  switch (category) {
  case TN_E_AUTH:
  case TN_E_CONFIG:
  case TN_E_MEMORY:
  case TN_E_NO_DATABASE:
  case TN_E_PERMISSION:
  case TN_E_CANCELED:
    return true;
  default:
    return false;
  }
}

/* The message is about the last one; the detail has a line for each. */
static int32_t
fail_all(struct attempt *attempt, const struct mysql__target *target,
         int32_t category)
{
  char text[MYSQL_ERRMSG_SIZE + 400];

  if (!attempt->is_reported) {
    snprintf(text, sizeof text, "mysql: %s: %s", target->endpoint.shown,
             attempt->reason.text);
    category = mysql__fail_reason(attempt->call, &attempt->reason, text);
  }
  attempt->call->host->fail_field(attempt->call, TN_ERR_DETAIL, attempt->lines,
                                  attempt->used);
  return category;
}

/* The end of the next attempt when `left` share what remains. */
static int64_t
share_end(const struct attempt *attempt, uint32_t left)
{
  int64_t now = attempt->call->host->now();

  if (attempt->end == INT64_MAX)
    return INT64_MAX;
  return attempt->end <= now ? now : now + (attempt->end - now) / left;
}

/* The only target is the option's, if it is given: it stands for host and
 * port. */
static int32_t
init_target(struct attempt *attempt, uint32_t index, struct mysql__target *ret)
{
  const struct tn_connect_args *args = attempt->args;
  const char *path = tn_connect_option(args, "unix_socket");

  if (path != NULL) {
    ret->endpoint = attempt->common;
    return mysql__target_socket(path, attempt->call, ret);
  }
  return mysql__target_init(&attempt->common,
                            args->address_count == 0 ? NULL
                                                     : &args->addresses[index],
                            attempt->call, ret);
}

/* Where a standby is preferred, any server will do in the second round. */
static int32_t
take_turn(struct attempt *attempt, struct mysql__target *target)
{
  bool is_second = attempt->turns.taken > attempt->turns.count;
  int32_t rc = init_target(attempt, attempt->host, target);

  if (rc != TN_OK) {
    attempt->is_reported = true;
    return rc;
  }
  attempt->conn->role = is_second ? MYSQL__ANY : attempt->role;
  rc = try_target(attempt, target,
                  share_end(attempt, tn_host_left(&attempt->turns)));
  if (rc != TN_OK)
    note_line(attempt, target);
  return rc;
}

static int32_t
try_all(struct attempt *attempt)
{
  struct tn_host_turns *turns = &attempt->turns;
  struct mysql__target target;
  int32_t rc = TN_OK;

  while ((attempt->host = tn_host_next(turns)) < turns->count) {
    rc = take_turn(attempt, &target);
    if (rc == TN_OK)
      return TN_OK;
    if (is_for_all(rc) || attempt->call->host->check(attempt->call) != TN_OK)
      break;
  }
  return fail_all(attempt, &target, rc);
}

/* What host_policy comes to. */
static void
begin_turns(struct attempt *attempt)
{
  const struct tn_connect_args *args = attempt->args;
  const char *policy = tn_connect_option(args, "host_policy");
  bool is_one = tn_connect_option(args, "unix_socket") != NULL ||
                args->address_count == 0;

  attempt->role = mysql__role_of(policy);
  tn_host_begin(&attempt->turns, attempt->call,
                is_one ? 1 : args->address_count,
                policy != NULL && strcmp(policy, "random") == 0);
}

#define TIMEOUT_MAX_NS INT64_C(86400000000000) /* a day */

/* "250ms", "5s", "1.5m", "2h", "90": the host has checked it. */
static int64_t
nanoseconds_of(const char *text)
{
  static const struct {
    const char *unit;
    double factor;
  } units[] = { { "ms", 1e6 }, { "m", 60e9 }, { "h", 3600e9 } };
  double number = 0, place = 1, unit = 1e9;
  size_t i;

  for (; *text >= '0' && *text <= '9'; text++)
    number = number * 10 + (*text - '0');
  if (*text == '.')
    for (text++; *text >= '0' && *text <= '9'; text++)
      number += (*text - '0') * (place /= 10);
  for (i = 0; i < MYSQL__COUNT(units); i++)
    if (strcmp(text, units[i].unit) == 0)
      unit = units[i].factor;
  number *= unit;
  return number >= (double)TIMEOUT_MAX_NS ? TIMEOUT_MAX_NS : (int64_t)number;
}

static int64_t
end_of(const struct tn_call *call, const char *timeout)
{
  int64_t end;

  if (timeout == NULL || timeout[0] == '\0')
    return call->deadline;
  end = call->host->now() + nanoseconds_of(timeout);
  return end < call->deadline ? end : call->deadline;
}

static int32_t
connect_to(const struct tn_connect_args *args, struct tn_call *call, void **ret)
{
  struct mysql__conn *conn = call->host->alloc(sizeof *conn);
  struct attempt *attempt;
  int32_t rc;

  if (conn == NULL)
    return mysql__fail_memory(call);
  memset(conn, 0, sizeof *conn);
  conn->host = call->host;
  conn->until = INT64_MAX;
  mysql__enter(conn, call);
  attempt = call->host->alloc(sizeof *attempt);
  if (attempt == NULL) {
    release(&conn);
    return mysql__fail_memory(call);
  }
  memset(attempt, 0, sizeof *attempt);
  attempt->args = args;
  attempt->call = call;
  attempt->conn = conn;
  attempt->end = end_of(call, tn_connect_option(args, "connect_timeout"));
  begin_turns(attempt);
  rc = mysql__setup_read(conn, args);
  if (rc == TN_OK)
    rc = mysql__target_common(args, call, &attempt->common);
  if (rc == TN_OK)
    rc = try_all(attempt);
  call->host->release(attempt);
  if (rc == TN_OK)
    *ret = conn;
  else
    release(&conn);
  return rc;
}

/* ------------------------------------------------------------------ */
/* Being asked                                                          */

static int32_t
ping(void *handle, struct tn_call *call)
{
  struct mysql__conn *conn = handle;
  struct mysql__op op = { .verb = MYSQL__PING, .mysql = conn->mysql };
  int32_t rc;

  mysql__enter(conn, call);
  rc = mysql__ready(conn);
  if (rc != TN_OK)
    return rc;
  if (conn->is_cluster || conn->role != MYSQL__ANY)
    return mysql__role_ping(conn);
  rc = mysql__run(conn, &op);
  if (rc == TN_OK && op.status != 0)
    rc = mysql__fail(conn, NULL);
  return rc;
}

static uint64_t
server_caps(void *handle)
{
  const struct mysql__conn *conn = handle;

  return conn->caps;
}

static const char *
server_version(void *handle)
{
  const struct mysql__conn *conn = handle;

  return conn->version;
}

static int32_t
socket_of(void *handle)
{
  const struct mysql__conn *conn = handle;

  return mysql__has_socket(conn) ? conn->fd : -1;
}

/* No cancel: host->wait() wakes by itself, and cancel.c does the rest. */
const struct tn_connection_table mysql__connection_table = {
  .size = sizeof(struct tn_connection_table),
  .connect = connect_to,
  .disconnect = disconnect,
  .ping = ping,
  .server_caps = server_caps,
  .server_version = server_version,
  .abandon = abandon,
  .socket = socket_of,
};
