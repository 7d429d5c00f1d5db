/* A session from its opening to its end.
 *
 * Servers are tried in the order of the URL, or in another one each time, and
 * the addresses of each in the order of the system, each with its share of what
 * is left of the time. The error of a connect that failed names them all. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pg_priv.h"

struct opening {
  struct pg__conn *conn;
  const struct tn_connect_args *args;
  struct pg__settings settings;
  struct pg__reason reason; /* the one to fail with */
  struct tn_host_turns turns;
  bool is_bare; /* no settings of the session are sent along */
  uint32_t failures;
  size_t used; /* of `lines` */
  char lines[1900];
};

/* One server, or one address of it. */
struct server {
  const char *host;
  const char *address; /* NULL: a unix socket, or none yet */
  uint32_t index;      /* in the URL */
  char port[12];
  char shown[300]; /* "host:port" */
  char password[PG__PASSWORD_MAX];
};

/* ------------------------------------------------------------------ */
/* Failures                                                             */

/* The first reason that is more than an absence is what the user can do
 * something about. */
static void
note_failure(struct opening *opening, const struct server *server,
             const struct pg__reason *reason)
{
  size_t room = sizeof opening->lines - opening->used;
  int size =
      snprintf(opening->lines + opening->used, room, "%s%s: %s",
               opening->used == 0 ? "" : "\n", server->shown, reason->text);

  if (size > 0)
    opening->used += (size_t)size < room ? (size_t)size : room - 1;
  opening->failures++;
  if (opening->failures > 1 && opening->reason.category != TN_E_CONNECT)
    return;
  opening->reason = *reason;
  snprintf(opening->reason.text, sizeof opening->reason.text, "%.200s: %.250s",
           server->shown, reason->text);
}

/* `category` not 0: why nothing more was tried. */
static int32_t
fail_all(struct opening *opening, int32_t category)
{
  const struct pg__reason *reason = &opening->reason;
  struct tn_call *call = opening->conn->call;
  struct pg__texts texts = { .message = reason->text, .detail = "" };
  struct tn_failure failure;
  char message[600];

  if (opening->failures > 1)
    snprintf(message, sizeof message, "postgresql: none of %u servers: %s",
             (unsigned)opening->failures, reason->text);
  else
    snprintf(message, sizeof message, "postgresql: %s", reason->text);
  memset(&failure, 0, sizeof failure);
  failure.size = sizeof failure;
  failure.category = category != 0 ? category : reason->category;
  failure.sqlstate = category != 0 ? NULL : reason->sqlstate;
  failure.message = message;
  category = call->host->fail(call, &failure);
  texts.category = category;
  pg__fail_fields(call, &texts);
  call->host->fail_verdicts(call, TN_CONNECTION_DEAD, 0);
  call->host->fail_field(call, TN_ERR_DETAIL, opening->lines, opening->used);
  return category;
}

/* The host has ended the call while that server was being tried. */
static int32_t
fail_ended(struct opening *opening, const struct server *server,
           int32_t category)
{
  struct pg__reason reason = { .category = category };

  if (category != TN_E_TIMEOUT && category != TN_E_CANCELED)
    return category; /* has been said */
  snprintf(reason.text, sizeof reason.text, "%s",
           category == TN_E_TIMEOUT ? "no answer before the deadline"
                                    : "canceled");
  note_failure(opening, server, &reason);
  return fail_all(opening, category);
}

/* ------------------------------------------------------------------ */
/* Attempts                                                             */

static bool
is_socket(const char *host)
{
  return host[0] == '/';
}

static bool
has_text(const char *text)
{
  return text != NULL && text[0] != '\0';
}

/* The password for the server: the URL's, or one of a file. */
static int32_t
find_password(const struct opening *opening, struct server *server)
{
  const char *path = tn_connect_option(opening->args, "passfile");
  const struct pg__passkey key = {
    .host = server->host,
    .port = server->port,
    .database = opening->settings.database,
    .user = opening->settings.user,
  };

  server->password[0] = '\0';
  if (has_text(opening->args->password) || !has_text(path))
    return TN_OK;
  return pg__passfile(opening->conn->call, path, &key, server->password);
}

/* Whom to call, for libpq. PGHOSTADDR would lead elsewhere than to a socket,
 * and only a list of none keeps it out. */
static void
add_address(struct pg__options *options, const struct server *server,
            char *pair, size_t size)
{
  if (server->address == NULL && getenv("PGHOSTADDR") != NULL) {
    snprintf(pair, size, "%s,%s", server->host, server->host);
    pg__option(options, "host", pair);
    pg__option(options, "hostaddr", ",");
  } else {
    pg__option(options, "host", server->host);
    pg__option(options, "hostaddr", server->address);
  }
  pg__option(options, "port", server->port);
}

/* libpq must not look for a password elsewhere: it is given one that is never
 * sent where there is none. */
static void
add_password(struct pg__options *options, const char *password, bool may_clear)
{
  const char *kinds = may_clear ? "!gss,!sspi" : "!password,!gss,!sspi";

  pg__option(options, "password", has_text(password) ? password : "none");
  if (PQlibVersion() >= 160000)
    pg__option(options, "require_auth", has_text(password) ? kinds : "none");
}

static void
leave_out(struct pg__options *options, const char *name)
{
  size_t i;

  for (i = 0; i < options->count; i++) {
    if (strcmp(options->names[i], name) != 0)
      continue;
    options->count--;
    options->names[i] = options->names[options->count];
    options->values[i] = options->values[options->count];
    options->names[options->count] = NULL;
    options->values[options->count] = NULL;
    return;
  }
}

/* May the server be asked once more, without settings of the session? Those of
 * our own can be set afterwards, those of the user cannot be left out, and
 * libpq would put those of the environment in their place. */
static bool
can_do_without(const struct opening *opening, const struct pg__reason *reason)
{
  return reason->is_about_options && !opening->is_bare &&
         !has_text(tn_connect_option(opening->args, "options")) &&
         !has_text(getenv("PGOPTIONS"));
}

/* "prefer-standby" looks for one among all, then takes any. */
static const char *
attributes_of(const struct opening *opening)
{
  const char *attributes = opening->settings.attributes;

  if (strcmp(attributes, "prefer-standby") != 0)
    return attributes;
  return opening->turns.taken <= opening->turns.count ? "standby" : "any";
}

/* libpq has logged in and does not want the server. The same one is tried
 * again when none is left that would be preferred. */
static void
note_role(struct opening *opening, uint32_t host, struct pg__reason *reason)
{
  const struct pg__settings *settings = &opening->settings;
  size_t used = strlen(reason->text);

  if (strcmp(settings->attributes, "prefer-standby") == 0) {
    if (host < 64)
      opening->turns.aside |= UINT64_C(1) << host;
  }
  if (settings->policy != NULL)
    snprintf(reason->text + used, sizeof reason->text - used,
             ", and host_policy=%s wants %s", settings->policy,
             strcmp(settings->policy, "primary") == 0 ? "a primary"
                                                      : "a standby");
}

static int32_t
try_address(struct opening *opening, const struct server *server, int64_t until)
{
  const struct tn_connect_args *args = opening->args;
  const struct tn_tls *tls = args->tls;
  bool is_trusted = is_socket(server->host) || tls->mode >= TN_TLS_VERIFY_CA;
  struct pg__options options = opening->settings.options;
  const char *password =
      has_text(args->password) ? args->password : server->password;
  bool may_clear =
      tls->clear_password == 2 || (tls->clear_password == 1 && is_trusted);
  struct pg__watch watch;
  char pair[600];
  int32_t rc;

  pg__watch_init(&watch, may_clear, has_text(password));
  add_address(&options, server, pair, sizeof pair);
  add_password(&options, password, may_clear);
  pg__option(&options, "target_session_attrs", attributes_of(opening));
  if (opening->is_bare)
    leave_out(&options, "options");
  rc = pg__login(opening->conn, &options, &watch, until);
  if (rc == TN_E_CONNECT && can_do_without(opening, &watch.reason)) {
    opening->is_bare = true;
    rc = try_address(opening, server, until);
    opening->is_bare = false;
    return rc;
  }
  if (rc != TN_E_CONNECT)
    return rc;
  if (watch.reason.is_other_role)
    note_role(opening, server->index, &watch.reason);
  note_failure(opening, server, &watch.reason);
  opening->reason.is_final = watch.reason.is_final;
  return rc;
}

static int64_t
share(const struct tn_call *call, int64_t until, uint32_t left)
{
  int64_t now = call->host->now();

  if (until == INT64_MAX || until <= now)
    return until;
  return now + (until - now) / left;
}

static int32_t
resolve(struct opening *opening, const struct server *server, int64_t until,
        struct pg__addresses *addresses)
{
  struct tn_call *call = opening->conn->call;
  struct pg__reason reason = { .category = TN_E_CONNECT };
  int32_t rc = pg__resolve(call, server->host, until, addresses, &reason);

  if (rc == TN_E_TIMEOUT && call->host->check(call) == TN_OK) {
    snprintf(reason.text, sizeof reason.text, "%s",
             "the name was not looked up in time");
    rc = TN_E_CONNECT;
  }
  if (rc == TN_E_CONNECT)
    note_failure(opening, server, &reason);
  return rc;
}

/* TN_E_CONNECT: noted, try others. */
static int32_t
try_server(struct opening *opening, struct server *server, int64_t until)
{
  struct pg__addresses addresses;
  uint32_t i;
  int32_t rc;

  opening->reason.is_final = false;
  if (is_socket(server->host))
    return try_address(opening, server, until);
  rc = resolve(opening, server, until, &addresses);
  for (i = 0; rc == TN_OK && i < addresses.count; i++) {
    server->address = addresses.text[i];
    rc = try_address(opening, server,
                     share(opening->conn->call, until, addresses.count - i));
    if (rc == TN_E_CONNECT && i + 1 < addresses.count &&
        !opening->reason.is_final)
      rc = TN_OK;
    else if (rc == TN_OK)
      break;
  }
  server->address = NULL; /* it was one of `addresses` */
  return rc;
}

static int32_t
find_server(const struct opening *opening, uint32_t index,
            struct server *server)
{
  const struct tn_connect_args *args = opening->args;
  uint32_t port = PG__PORT;

  server->index = index;
  server->address = NULL;
  server->host = opening->settings.default_host;
  if (index < args->address_count) {
    if (has_text(args->addresses[index].host))
      server->host = args->addresses[index].host;
    if (args->addresses[index].port != 0)
      port = args->addresses[index].port;
  }
  snprintf(server->port, sizeof server->port, "%u", (unsigned)port);
  snprintf(server->shown, sizeof server->shown,
           strchr(server->host, ':') == NULL ? "%.250s:%s" : "[%.250s]:%s",
           server->host, server->port);
  if (strchr(server->host, ',') != NULL)
    return tn_fail(opening->conn->call, TN_E_CONFIG,
                   "postgresql: %s: libpq takes no host with a comma in it",
                   server->host);
  return find_password(opening, server);
}

static int64_t
end_of_turn(const struct opening *opening, uint32_t left)
{
  const struct tn_call *call = opening->conn->call;
  int64_t end = tn_attempt_end(call, left);
  int64_t own = opening->settings.timeout_ns;

  if (own == 0 || call->host->now() + own >= end)
    return end;
  return call->host->now() + own;
}

/* One server's turn. */
static int32_t
take_turn(struct opening *opening, uint32_t index)
{
  struct server server;
  int32_t rc = find_server(opening, index, &server);

  if (rc != TN_OK)
    return rc;
  rc = try_server(opening, &server,
                  end_of_turn(opening, tn_host_left(&opening->turns)));
  pg__wipe(server.password, sizeof server.password);
  if (rc == TN_OK)
    opening->conn->role = pg__role_of(attributes_of(opening));
  else if (rc != TN_E_CONNECT)
    rc = fail_ended(opening, &server, rc);
  return rc;
}

static int32_t
try_all(struct opening *opening)
{
  uint32_t addresses = opening->args->address_count;
  struct tn_host_turns *turns = &opening->turns;
  uint32_t index;
  int32_t rc;

  tn_host_begin(turns, opening->conn->call, addresses == 0 ? 1 : addresses,
                opening->settings.is_random);
  while ((index = tn_host_next(turns)) < turns->count) {
    rc = take_turn(opening, index);
    if (rc != TN_E_CONNECT)
      return rc;
    if (opening->reason.is_final)
      break;
  }
  return fail_all(opening, 0);
}

/* ------------------------------------------------------------------ */
/* A session that has just begun                                        */

/* What the server reports of settings that values depend on. The environment
 * of the process can have had its say: libpq sends PGTZ and PGDATESTYLE behind
 * all options. */
static const struct report {
  const char *name;
  const char *wanted; /* or how it begins */
  const char *sql;    /* NULL: it cannot be helped */
} reports[] = {
  { "integer_datetimes", "on", NULL },
  { "client_encoding", "UTF8", "SET client_encoding TO UTF8;" },
  { "standard_conforming_strings", "on",
    "SET standard_conforming_strings TO on;" },
  { "DateStyle", "ISO", "SET DateStyle TO ISO;" },
  { "TimeZone", "UTC", "SET TimeZone TO 'UTC';" },
  { "IntervalStyle", "postgres", "SET IntervalStyle TO postgres;" },
};

static bool
is_as_wanted(const struct pg__conn *conn, const struct report *report)
{
  const char *value = PQparameterStatus(conn->pq, report->name);
  size_t size = strlen(report->wanted);

  return value == NULL || (strncmp(value, report->wanted, size) == 0 &&
                           (value[size] == '\0' || value[size] == ','));
}

int32_t
pg__check_reports(struct pg__conn *conn)
{
  size_t used = 0;
  size_t i;

  for (i = 0; i < PG__COUNT(reports); i++) {
    if (is_as_wanted(conn, &reports[i]))
      continue;
    if (reports[i].sql == NULL)
      return tn_fail(conn->call, TN_E_UNSUPPORTED,
                     "postgresql: %s is \"%s\": only \"%s\" is spoken here",
                     reports[i].name,
                     PQparameterStatus(conn->pq, reports[i].name),
                     reports[i].wanted);
    used += (size_t)snprintf(conn->fixups + used, sizeof conn->fixups - used,
                             "%s", reports[i].sql);
  }
  conn->fixups[used] = '\0';
  if (used == 0)
    return TN_OK;
  return pg__exec(conn, conn->fixups, PG__READ, NULL, 0);
}

/* Is there a proxy in between? It has told a number of its own where the server
 * tells that of its process. Which mode it is in cannot be seen: that of
 * transactions can be told from the other one only when it is too late. */
static int32_t
find_proxy(struct pg__conn *conn)
{
  PGresult *result = NULL;
  int32_t rc =
      pg__query(conn, "SELECT pg_catalog.pg_backend_pid()", NULL, 0, &result);

  /* Who may not know is on the safe side with one. */
  conn->has_proxy = rc == TN_E_PERMISSION;
  if (rc != TN_OK)
    return conn->has_proxy ? TN_OK : rc;
  conn->has_proxy =
      PQntuples(result) != 1 ||
      strtoll(PQgetvalue(result, 0, 0), NULL, 10) != PQbackendPID(conn->pq);
  PQclear(result);
  if (conn->has_proxy)
    conn->host->log(conn->call, PG__LOG_INFO,
                    "there is a proxy: nothing is kept in the server's session "
                    "(proxy_mode)");
  return TN_OK;
}

static int32_t
begin_session(struct pg__conn *conn, const struct tn_connect_args *args)
{
  const char *version = PQparameterStatus(conn->pq, "server_version");
  const char *application = PQparameterStatus(conn->pq, "application_name");
  const char *mode = tn_connect_option(args, "proxy_mode");
  int32_t rc;

  snprintf(conn->version, sizeof conn->version, "PostgreSQL %s",
           version == NULL ? "" : version);
  snprintf(conn->application, sizeof conn->application, "%s",
           application == NULL ? "" : application);
  rc = pg__check_reports(conn);
  if (rc != TN_OK)
    return rc;
  if (mode == NULL || strcmp(mode, "auto") == 0)
    return find_proxy(conn);
  conn->has_proxy = strcmp(mode, "transaction") == 0;
  return TN_OK;
}

static void
release(struct pg__conn *conn)
{
  const struct tn_host *host = conn->host;

  pg__bury(conn);
  pg__catalog_clear(conn);
  host->release(conn->idle_names);
  host->release(conn);
}

static struct pg__conn *
new_conn(struct tn_call *call)
{
  struct pg__conn *conn = call->host->alloc(sizeof *conn);

  if (conn == NULL)
    return NULL;
  memset(conn, 0, sizeof *conn);
  conn->host = call->host;
  conn->again_at = INT64_MAX;
  conn->silent_at = INT64_MAX;
  pg__enter(conn, call);
  return conn;
}

static int32_t
open_session(struct opening *opening)
{
  int32_t rc =
      pg__settings_init(&opening->settings, opening->args, opening->conn->call);

  if (rc == TN_OK)
    rc = try_all(opening);
  opening->conn->is_opening = true;
  if (rc == TN_OK)
    rc = begin_session(opening->conn, opening->args);
  opening->conn->is_opening = false;
  pg__settings_clear(&opening->settings, opening->conn->host);
  return rc;
}

static int32_t
connect_to(const struct tn_connect_args *args, struct tn_call *call, void **ret)
{
  struct opening *opening = call->host->alloc(sizeof *opening);
  struct pg__conn *conn = opening == NULL ? NULL : new_conn(call);
  int32_t rc;

  if (conn == NULL) {
    call->host->release(opening);
    return pg__fail_memory(call);
  }
  memset(opening, 0, sizeof *opening);
  opening->conn = conn;
  opening->args = args;
  rc = open_session(opening);
  call->host->release(opening);
  if (rc == TN_OK)
    *ret = conn;
  else
    release(conn);
  return rc;
}

/* ------------------------------------------------------------------ */
/* The other slots                                                      */

/* The farewell is written as far as the socket takes it at once. */
static void
disconnect(void *handle, struct tn_call *call)
{
  struct pg__conn *conn = handle;

  pg__enter(conn, call);
  release(conn);
}

/* One sync is the least that the server answers. */
static int32_t
ping(void *handle, struct tn_call *call)
{
  struct pg__conn *conn = handle;
  int32_t rc;

  pg__enter(conn, call);
  rc = pg__ready(conn, PG__READ);
  if (rc != TN_OK)
    return rc;
  if (!PQenterPipelineMode(conn->pq) || !pg__sync(conn))
    return pg__fail_send(conn);
  rc = pg__drain(conn, NULL);
  return rc == TN_OK ? pg__role_check(conn) : rc;
}

static const char *
server_version(void *handle)
{
  const struct pg__conn *conn = handle;

  return conn->version;
}

/* libpq would say farewell in the parent's name: let it talk to nobody. */
static int32_t
abandon(void *handle)
{
  struct pg__conn *conn = handle;
  int number = PQsocket(conn->pq);
  int nobody = open("/dev/null", O_RDWR | O_CLOEXEC);
  bool is_cut = false;

  conn->call = NULL;
  if (nobody >= 0) {
    is_cut = number < 0 || dup3(nobody, number, O_CLOEXEC) >= 0;
    close(nobody);
  }
  if (!is_cut)
    return TN_E_LIMIT;

  /* From here on it is a session that is lost: nothing is stopped or read. */
  pg__bury(conn);
  return TN_OK;
}

static int32_t
socket_of(void *handle)
{
  const struct pg__conn *conn = handle;

  return PQsocket(conn->pq);
}

const struct tn_connection_table pg__connection_table = {
  .size = sizeof(struct tn_connection_table),
  .connect = connect_to,
  .disconnect = disconnect,
  .ping = ping,
  .server_version = server_version,
  .abandon = abandon,
  .socket = socket_of,
};
