/* What a URL and the surroundings come to: libpq's options, all of them.
 *
 * An option that is left out libpq takes from the environment of the process
 * or from a file in the home folder, where nobody who reads the URL would look
 * for it. An empty value counts as left out. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pg_priv.h"

void
pg__option(struct pg__options *options, const char *name, const char *value)
{
  if (value == NULL || value[0] == '\0' || options->count == PG__OPTIONS_MAX)
    return;
  options->names[options->count] = name;
  options->values[options->count] = value;
  options->count++;
  options->names[options->count] = NULL;
  options->values[options->count] = NULL;
}

/* What every session has; `version` is the libpq that knows it first. */
static const struct fixed {
  const char *name;
  const char *value;
  int version;
} fixed[] = {
  { "client_encoding", "UTF8", 0 },
  { "passfile", PG__NO_FILE, 0 },
  { "connect_timeout", "0", 0 }, /* ours is kept elsewhere */
  { "sslcompression", "0", 0 },
  { "sslsni", "1", 0 },
  { "gssencmode", "disable", 0 },
  { "krbsrvname", "postgres", 0 },
  { "gsslib", "gssapi", 0 },
  { "sslcertmode", "allow", 160000 },
  { "load_balance_hosts", "disable", 160000 },
  { "gssdelegation", "0", 170000 },
  { "sslnegotiation", "postgres", 170000 },
  { "min_protocol_version", "3.0", 180000 },
  { "max_protocol_version", "3.0", 180000 },
};

/* Options of ours that are libpq's as well, and what they are when the URL does
 * not say. */
static const struct passed {
  const char *name;
  const char *initial;
} passed[] = {
  { "channel_binding", "prefer" }, { "keepalives_idle", NULL },
  { "keepalives_interval", NULL }, { "keepalives_count", NULL },
  { "tcp_user_timeout", NULL },    { "requirepeer", NULL },
  { "sslpassword", "none" }, /* else OpenSSL asks for it on the terminal */
};

/* Said last, so that it is what counts. */
static const char session_options[] =
    "-c TimeZone=UTC -c DateStyle=ISO -c IntervalStyle=postgres "
    "-c extra_float_digits=3 -c bytea_output=hex "
    "-c standard_conforming_strings=on";

static const char *
application_name(const struct tn_connect_args *args)
{
  const char *name = tn_connect_option(args, "application_name");

  if (name == NULL || name[0] == '\0')
    name = tn_connect_option(args, "fallback_application_name");
  if (name == NULL || name[0] == '\0')
    name = program_invocation_short_name;
  return name == NULL || name[0] == '\0' ? "tenon" : name;
}

static int32_t
join_session_options(struct pg__settings *settings,
                     const struct tn_connect_args *args, struct tn_call *call)
{
  const char *own = tn_connect_option(args, "options");
  size_t size = sizeof session_options + 1;

  if (own == NULL)
    own = "";
  size += strlen(own);
  settings->session = call->host->alloc(size);
  if (settings->session == NULL)
    return pg__fail_memory(call);
  snprintf(settings->session, size, "%s %s", own, session_options);
  return TN_OK;
}

static void
add_rest(struct pg__settings *settings, const struct tn_connect_args *args)
{
  struct pg__options *options = &settings->options;
  size_t i;

  for (i = 0; i < PG__COUNT(fixed); i++)
    if (PQlibVersion() >= fixed[i].version)
      pg__option(options, fixed[i].name, fixed[i].value);
  for (i = 0; i < PG__COUNT(passed); i++) {
    const char *value = tn_connect_option(args, passed[i].name);

    pg__option(options, passed[i].name,
               value == NULL ? passed[i].initial : value);
  }
  pg__option(options, "keepalives",
             tn_connect_flag(args, "keepalives", 1) ? "1" : "0");
  pg__option(options, "application_name", application_name(args));
  pg__option(options, "options", settings->session);
  pg__option(options, "user", settings->user);
  pg__option(options, "dbname", settings->database);
}

/* "250ms", "5s", "1.5m", "90": the host has checked it. */
int64_t
pg__nanoseconds(const char *text)
{
  static const struct {
    const char *unit;
    int64_t factor;
  } units[] = {
    { "ms", 1000000 },
    { "m", INT64_C(60000000000) },
    { "h", INT64_C(3600000000000) },
  };
  int64_t unit = 1000000000, whole = 0, thousandths = 0, place = 100;
  size_t i;

  for (; *text >= '0' && *text <= '9' && whole < 1000000; text++)
    whole = whole * 10 + (*text - '0');
  if (*text == '.')
    for (text++; *text >= '0' && *text <= '9'; text++, place /= 10)
      thousandths += (*text - '0') * place;
  for (i = 0; i < PG__COUNT(units); i++)
    if (strcmp(text, units[i].unit) == 0)
      unit = units[i].factor;
  return whole * unit + thousandths * (unit / 1000);
}

/* Where libpq was built to look for a unix socket. It tells, without going
 * there, when another option is wrong. */
static void
find_default_host(struct pg__settings *settings)
{
  static const char *const names[] = { "host", "hostaddr", "user",    "dbname",
                                       "port", "password", "sslmode", NULL };
  static const char *const values[] = { ",",    ",", "-",          "-",
                                        "5432", "-", "not a mode", NULL };
  PGconn *pq = PQconnectStartParams(names, values, 0);
  const char *host = pq == NULL ? NULL : PQhost(pq);

  snprintf(settings->default_host, sizeof settings->default_host, "%s",
           host == NULL || host[0] == '\0' ? "localhost" : host);
  PQfinish(pq);
}

/* A policy that names a role is one of libpq's attributes, by the same word. */
static int32_t
choose_server(struct pg__settings *settings, const struct tn_connect_args *args,
              struct tn_call *call)
{
  const char *policy = tn_connect_option(args, "host_policy");
  const char *attributes = tn_connect_option(args, "target_session_attrs");

  settings->attributes = attributes == NULL ? "any" : attributes;
  settings->is_random = policy != NULL && strcmp(policy, "random") == 0;
  if (policy == NULL || settings->is_random || strcmp(policy, "first") == 0)
    return TN_OK;
  if (attributes != NULL && strcmp(attributes, policy) != 0)
    return tn_fail(call, TN_E_CONFIG,
                   "postgresql: host_policy=%s and target_session_attrs=%s "
                   "contradict each other: leave one of them out",
                   policy, attributes);
  settings->policy = policy;
  settings->attributes = policy;
  return TN_OK;
}

int32_t
pg__settings_init(struct pg__settings *settings,
                  const struct tn_connect_args *args, struct tn_call *call)
{
  const char *timeout = tn_connect_option(args, "connect_timeout");
  int32_t rc;

  memset(settings, 0, sizeof *settings);
  rc = choose_server(settings, args, call);
  settings->user = args->user;
  if (rc == TN_OK && (args->user == NULL || args->user[0] == '\0')) {
    settings->user = settings->account;
    rc = pg__account(call, settings->account);
  }
  settings->database = args->database;
  if (args->database == NULL || args->database[0] == '\0')
    settings->database = settings->user;
  settings->timeout_ns = timeout == NULL ? 0 : pg__nanoseconds(timeout);
  if (args->address_count == 0)
    find_default_host(settings);
  if (rc == TN_OK)
    rc = join_session_options(settings, args, call);
  if (rc == TN_OK)
    rc = pg__tls_options(args->tls, call, &settings->options);
  if (rc == TN_OK)
    add_rest(settings, args);
  return rc;
}

void
pg__settings_clear(struct pg__settings *settings, const struct tn_host *host)
{
  host->release(settings->session);
  settings->session = NULL;
}
