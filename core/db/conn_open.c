/* Opening a session: from a target, a URL or the name of a configured
 * database, to the backend's connect(). */
#include "db_priv.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <tenon/async.h>

#include "option.h"
#include "registry_priv.h"
#include "target.h"
#include "text.h"
#include "tls.h"

/* How long an opening may take that names no deadline. */
#define OPEN_MS 30000

/* What connect() is given, built up from several places. */
struct opening {
  tn_registry *registry;
  const struct tn_backend *backend;
  const struct tn_target *target;
  struct tn_address *addresses;
  struct tn_option *options;
  uint32_t option_count;
  uint32_t above; /* options of the sources before the present one */
  struct tn_arena arena;
};

static void
clear_opening(struct opening *opening)
{
  tn_arena_clear(&opening->arena);
}

/* Do both say something about how the session is protected? */
static bool
is_same_tls(const struct opening *opening, const char *one, const char *other)
{
  const char *name = NULL;

  if ((opening->backend->plugin.caps & TN_CAP_NETWORK) != 0)
    name = tn_tls_name(one);
  return name != NULL && name == tn_tls_name(other);
}

/* Is it given already? What one source says by several names is all kept, and
 * compared later; but it is not mixed with what a lesser source says. */
static bool
has_option(const struct opening *opening, const char *name)
{
  uint32_t i;

  for (i = 0; i < opening->option_count; i++)
    if (strcmp(opening->options[i].name, name) == 0 ||
        (i < opening->above &&
         is_same_tls(opening, opening->options[i].name, name)))
      return true;
  return false;
}

/* The first one to give an option wins: the program, the URL, then what the
 * configuration says, then the administrator's defaults, then the
 * configuration's own. A value NULL leaves the option to the backend. */
static void
add_option(struct opening *opening, const char *name, const char *value)
{
  if (has_option(opening, name))
    return;
  opening->options[opening->option_count].name = name;
  opening->options[opening->option_count].value = value;
  opening->option_count++;
}

static bool
backend_has_option(const struct tn_backend *backend, const char *name)
{
  uint32_t i;

  for (i = 0; i < backend->plugin.option_count; i++)
    if (strcmp(backend->plugin.options[i].name, name) == 0)
      return true;
  return false;
}

bool
tn_conn__has_row(const struct tn_backend *backend,
                 const struct tn_config_row *row)
{
  size_t prefix = strlen(backend->plugin.name);

  return strncmp(row->key, backend->plugin.name, prefix) == 0 &&
         row->key[prefix] == '_' &&
         backend_has_option(backend, row->key + prefix + 1);
}

/* The value that a row, of which something is said or a database configured,
 * gives its option of the backend; NULL: what the backend does by itself. A row
 * that is a bool switches the thing off, or leaves it as it is. */
static enum tn_code
row_value(const struct tn_target *target, const struct tn_config_row *row,
          const char **ret, tn_err *err)
{
  const char *said = tn_target__said(target, row->key);

  *ret = NULL;
  if (row->unit == TN_UNIT_BOOL) {
    if (tn_target__number(target, row->key, 1) == 0)
      *ret = "off";
    return TN_OK;
  }
  if (said == NULL)
    return tn_config_text(target->config, target->database, row->key, ret, err);
  *ret = said;
  return TN_OK;
}

/* Whose word on a row is looked for. */
enum source { BY_PROGRAM, BY_ANYBODY, BY_DEFAULT };

static bool
is_from(const struct tn_target *target, const char *key, enum source source)
{
  switch (source) {
  case BY_PROGRAM:
    return tn_target__setting(target, key) != NULL;
  case BY_ANYBODY:
    return tn_target__is_given(target, key);
  case BY_DEFAULT:
    break;
  }
  return target->database != NULL && !tn_target__is_given(target, key);
}

/* A key like "sqlite_synchronous" is the option "synchronous" of the backend
 * "sqlite", if that has one. */
static enum tn_code
add_rows(struct opening *opening, enum source source, tn_err *err)
{
  const struct tn_target *target = opening->target;
  size_t prefix = strlen(opening->backend->plugin.name);
  const struct tn_config_row *row;
  size_t i;

  opening->above = opening->option_count;
  for (i = 0; (row = tn_config_row(i)) != NULL; i++) {
    const char *value = NULL;
    enum tn_code rc;

    if (!tn_conn__has_row(opening->backend, row) ||
        !is_from(target, row->key, source))
      continue;
    rc = row_value(target, row, &value, err);
    if (rc != TN_OK)
      return rc;
    add_option(opening, row->key + prefix + 1, value);
  }
  return TN_OK;
}

/* Options without a value have done their part: nothing else gave them one. */
static void
drop_unset(struct opening *opening)
{
  uint32_t kept = 0;
  uint32_t i;

  for (i = 0; i < opening->option_count; i++)
    if (opening->options[i].value != NULL)
      opening->options[kept++] = opening->options[i];
  opening->option_count = kept;
}

/* What no backend knows may be a misspelt option of the core's own. What is as
 * near to one of the backend's is the backend's to refuse. */
static enum tn_code
check_name(const struct opening *opening, const char *name, tn_err *err)
{
  const struct tn_plugin *plugin = &opening->backend->plugin;
  struct tn_suggestion own = { .wanted = name };
  struct tn_suggestion others = { .wanted = name };
  char shown[64];

  if (tn_option_find(plugin, name) != NULL)
    return TN_OK;
  tn_target__offer(&own);
  tn_option_offer(plugin, &others);
  if (own.best == NULL ||
      (others.best != NULL && others.distance <= own.distance))
    return TN_OK;
  tn_text_escape(name, strlen(name), shown, sizeof shown);
  return tn_err_set(err, TN_E_CONFIG,
                    "url: no option \"%s\"; did you mean \"%s\"?", shown,
                    own.best);
}

static enum tn_code
collect_options(struct opening *opening,
                const struct tn_registry_defaults *defaults, tn_err *err)
{
  const tn_url *url = opening->target->url;
  size_t url_count = tn_url_option_count(url);
  size_t capacity =
      url_count + defaults->count + opening->backend->plugin.option_count + 1;
  enum tn_code rc;
  size_t i;

  opening->options =
      tn_arena_alloc(&opening->arena, capacity * sizeof *opening->options);
  if (opening->options == NULL)
    return tn_err_memory(err, "conn");
  rc = add_rows(opening, BY_PROGRAM, err);
  for (i = 0; rc == TN_OK && i < url_count; i++) {
    const char *name = tn_url_option_name(url, i);

    if (tn_target__is_own(name))
      continue;
    rc = check_name(opening, name, err);
    if (rc == TN_OK)
      add_option(opening, name, tn_url_option_value(url, i));
  }
  if (rc == TN_OK)
    rc = add_rows(opening, BY_ANYBODY, err);
  if (rc != TN_OK)
    return rc;
  opening->above = opening->option_count;
  for (i = 0; i < defaults->count; i++)
    add_option(opening, defaults->options[i].name, defaults->options[i].value);
  rc = add_rows(opening, BY_DEFAULT, err);
  drop_unset(opening);
  return rc;
}

static enum tn_code
collect_addresses(struct opening *opening, tn_err *err)
{
  const tn_url *url = opening->target->url;
  size_t count = tn_url_host_count(url);
  size_t i;

  opening->addresses =
      tn_arena_alloc(&opening->arena, (count + 1) * sizeof *opening->addresses);
  if (opening->addresses == NULL)
    return tn_err_memory(err, "conn");
  for (i = 0; i < count; i++) {
    memset(&opening->addresses[i], 0, sizeof opening->addresses[i]);
    opening->addresses[i].host = tn_url_host(url, i);
    opening->addresses[i].port = tn_url_port(url, i);
  }
  return TN_OK;
}

/* What a cancel wakes a wait with. */
static enum tn_code
open_wake(tn_conn *conn, tn_err *err)
{
  char text[128];

  conn->wake_fd = -1;
  if ((conn->backend->plugin.caps & TN_CAP_NETWORK) == 0)
    return TN_OK;
  conn->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (conn->wake_fd >= 0)
    return TN_OK;
  return tn_err_set(err, TN_E_LIMIT, "conn: no descriptor to be had: %s",
                    strerror_r(errno, text, sizeof text));
}

static void
size_cache(const struct opening *opening, const struct tn_conn_options *options,
           struct tn_cache *cache)
{
  cache->max_count = options->statement_cache;
  if (options->statement_cache == TN_CACHE_NONE)
    cache->max_count = 0;
  else if (options->statement_cache == 0)
    cache->max_count =
        (uint32_t)tn_target__number(opening->target, "statement_cache_size", 0);
  cache->max_bytes = options->statement_cache_bytes;
  if (options->statement_cache_bytes == 0)
    cache->max_bytes =
        (size_t)tn_target__number(opening->target, "statement_cache_bytes", 0);
}

static enum tn_code
new_conn(const struct tn_conn_options *options,
         const struct tn_backend *backend, tn_conn **ret, tn_err *err)
{
  tn_conn *conn = tn_memory_zalloc(sizeof *conn);
  enum tn_code rc;

  if (conn == NULL)
    return tn_err_memory(err, "conn");
  conn->backend = backend;
  conn->dialect = backend->dialect;
  conn->timeout_ms = options->timeout_ms;
  conn->wait = options->wait;
  conn->wait_user = options->wait_user;

  /* An asynchronous call that is canceled must find what runs. */
  if (conn->wait == tn_async_wait)
    conn->wait_user = conn;
  if (options->log != NULL) {
    conn->log = *options->log;
    conn->has_log = true;
  }
  rc = open_wake(conn, err);
  if (rc != TN_OK) {
    tn_conn__free(conn);
    return rc;
  }
  *ret = conn;
  return TN_OK;
}

static enum tn_code
fill_args(const struct opening *opening, struct tn_connect_args *args,
          struct tn_tls *tls, tn_err *err)
{
  const tn_url *url = opening->target->url;

  args->address_count = (uint32_t)tn_url_host_count(url);
  args->addresses = opening->addresses;
  args->dialect = tn_url_dialect(url);
  args->driver = tn_url_driver(url);
  args->user = tn_url_user(url);
  args->password = tn_url_password(url);
  args->database = tn_url_database(url);
  args->option_count = opening->option_count;
  args->options = opening->options;
  return tn_tls_take(&opening->backend->plugin, opening->options, args, tls,
                     err);
}

/* However it has failed, there is no connection to use; and where its time was
 * over, nothing was run. */
static void
judge_failure(enum tn_code rc, tn_err *err)
{
  bool was_ended = rc == TN_E_TIMEOUT || rc == TN_E_CANCELED;

  tn_err_verdicts(err, TN_CONNECTION_DEAD, was_ended ? TN_REPLAY_SAFE : 0);
}

/* Connect with what was collected. */
static enum tn_code
connect_session(const struct opening *opening,
                const struct tn_conn_options *options, tn_conn **ret,
                tn_err *err)
{
  struct tn_connect_args args = { .size = sizeof args };
  struct tn_host_call call;
  struct tn_tls tls;
  tn_conn *conn = NULL;
  enum tn_code rc = fill_args(opening, &args, &tls, err);

  if (rc == TN_OK)
    rc = new_conn(options, opening->backend, &conn, err);
  if (conn == NULL)
    return rc;
  size_cache(opening, options, &conn->cache);
  rc = tn_conn__begin(conn,
                      options->deadline == 0 ? tn_deadline_after_ms(OPEN_MS)
                                             : options->deadline,
                      &conn->arena, &call, &err);
  if (rc == TN_OK) {
    rc = tn_backend_connect(opening->backend, &args, &call, &conn->handle);
    (void)tn_conn__end(conn, TN_OK, NULL);
  }
  if (rc != TN_OK) {
    judge_failure(rc, err);
    tn_conn__free(conn);
    return rc;
  }
  rc = tn_backend_dialect(conn->backend, conn->handle, &conn->dialect, err);
  if (rc != TN_OK) {
    tn_conn_close(&conn);
    return rc;
  }
  conn->caps = tn_backend_caps(conn->backend, conn->handle);
  tn_registry_warn_tls(opening->registry, opening->backend, &args,
                       options->log);
  *ret = conn;
  return TN_OK;
}

static enum tn_code
find_backend(struct opening *opening, tn_registry *registry,
             struct tn_registry_defaults *defaults, tn_err *err)
{
  const tn_url *url = opening->target->url;

  opening->registry = registry != NULL ? registry : tn_registry_default();
  if (opening->registry == NULL) {
    (void)tn_err_memory(err, "conn");
    return TN_E_MEMORY;
  }
  return tn_registry_backend(opening->registry, tn_url_dialect(url),
                             tn_url_driver(url), &opening->backend, defaults,
                             err);
}

/* All that connect() is given. */
static enum tn_code
prepare_opening(struct opening *opening, tn_registry *registry, tn_err *err)
{
  struct tn_registry_defaults defaults = { .count = 0 };
  enum tn_code rc = find_backend(opening, registry, &defaults, err);

  if (rc == TN_OK)
    rc = collect_options(opening, &defaults, err);
  if (rc == TN_OK)
    rc = collect_addresses(opening, err);
  return rc;
}

enum tn_code
tn_conn__open(const struct tn_target *target,
              const struct tn_conn_options *options, tn_conn **ret, tn_err *err)
{
  TN_CLEANUP(clear_opening) struct opening opening = { .target = target };
  enum tn_code rc = prepare_opening(&opening, options->registry, err);

  return rc == TN_OK ? connect_session(&opening, options, ret, err) : rc;
}

enum tn_code
tn_conn__inspect(const struct tn_target *target, tn_registry *registry,
                 const struct tn_backend **ret_backend, bool *ret_is_fleeting,
                 tn_err *err)
{
  TN_CLEANUP(clear_opening) struct opening opening = { .target = target };
  struct tn_connect_args args = { .size = sizeof args };
  struct tn_tls tls;
  enum tn_code rc = prepare_opening(&opening, registry, err);

  if (rc == TN_OK)
    rc = fill_args(&opening, &args, &tls, err);
  if (rc == TN_OK)
    rc = tn_backend_inspect(opening.backend, &args, ret_is_fleeting, err);
  if (rc == TN_OK)
    *ret_backend = opening.backend;
  return rc;
}

enum tn_code
tn_conn_open_url(const tn_url *url, const struct tn_conn_options *options,
                 tn_conn **ret, tn_err *err)
{
  static const struct tn_conn_options none;
  struct tn_target target = { .url = NULL };
  enum tn_code rc;

  if (url == NULL)
    return tn_target__refuse_none(err);
  rc = tn_target__borrow(url, &target, err);
  if (options == NULL)
    options = &none;
  return rc == TN_OK ? tn_conn__open(&target, options, ret, err) : rc;
}

enum tn_code
tn_conn_open(const char *target, const struct tn_conn_options *options,
             tn_conn **ret, tn_err *err)
{
  static const struct tn_conn_options none;
  TN_CLEANUP(tn_target__clear) struct tn_target found = { .url = NULL };
  enum tn_code rc;

  if (options == NULL)
    options = &none;
  rc = tn_target__resolve(target, options->config, &found, err);
  return rc == TN_OK ? tn_conn__open(&found, options, ret, err) : rc;
}
