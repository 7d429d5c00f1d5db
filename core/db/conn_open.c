/* Opening a session: from a target, a URL or the name of a configured
 * database, to the backend's connect(). */
#include "db_priv.h"

#include <errno.h>
#include <sys/eventfd.h>

#include "registry_priv.h"
#include "tls.h"

/* How long an opening may take that names no deadline. */
#define OPEN_MS 30000

/* As conf/tenon.ini has them. */
#define CACHE_COUNT 100
#define CACHE_BYTES 1048576

/* What connect() is given, built up from several places. */
struct opening {
  tn_registry *registry;
  const struct tn_backend *backend;
  const tn_config *config;
  const char *database; /* of the configuration; NULL: a plain URL */
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

/* The first one to give an option wins: the URL, then what the configuration
 * says, then the administrator's defaults, then the configuration's own. A
 * value NULL leaves the option to the backend. */
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

/* Does the configuration say something of the row, or is there only the
 * initial value? */
static bool
is_configured(const struct opening *opening, const struct tn_config_row *row)
{
  const char *origin =
      tn_config_origin(opening->config, opening->database, row->key);

  return origin != NULL && strcmp(origin, "default") != 0;
}

/* The value that a configuration row gives its option of the backend; NULL:
 * what the backend does by itself. A row that is a bool switches the thing
 * off, or leaves it as it is. */
static enum tn_code
row_value(const struct opening *opening, const struct tn_config_row *row,
          const char **ret, tn_err *err)
{
  int64_t is_on = 0;
  enum tn_code rc;

  *ret = NULL;
  if (row->unit != TN_UNIT_BOOL)
    return tn_config_text(opening->config, opening->database, row->key, ret,
                          err);
  rc = tn_config_number(opening->config, opening->database, row->key, &is_on,
                        err);
  if (rc == TN_OK && is_on == 0)
    *ret = "off";
  return rc;
}

/* A key like "sqlite_synchronous" is the option "synchronous" of the backend
 * "sqlite", if that has one. Either those that are given, or the others. */
static enum tn_code
add_configured(struct opening *opening, bool is_given, tn_err *err)
{
  const char *name = opening->backend->plugin.name;
  size_t prefix = strlen(name);
  const struct tn_config_row *row;
  size_t i;

  opening->above = opening->option_count;
  for (i = 0; opening->database != NULL && (row = tn_config_row(i)) != NULL;
       i++) {
    const char *value = NULL;
    enum tn_code rc;

    if (strncmp(row->key, name, prefix) != 0 || row->key[prefix] != '_' ||
        !backend_has_option(opening->backend, row->key + prefix + 1) ||
        is_configured(opening, row) != is_given)
      continue;
    rc = row_value(opening, row, &value, err);
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

static enum tn_code
collect_options(struct opening *opening, const tn_url *url,
                const struct tn_registry_defaults *defaults, tn_err *err)
{
  size_t url_count = tn_url_option_count(url);
  size_t capacity =
      url_count + defaults->count + opening->backend->plugin.option_count + 1;
  enum tn_code rc;
  size_t i;

  opening->options =
      tn_arena_alloc(&opening->arena, capacity * sizeof *opening->options);
  if (opening->options == NULL)
    return tn_err_memory(err, "conn");
  for (i = 0; i < url_count; i++)
    add_option(opening, tn_url_option_name(url, i),
               tn_url_option_value(url, i));
  rc = add_configured(opening, true, err);
  if (rc != TN_OK)
    return rc;
  opening->above = opening->option_count;
  for (i = 0; i < defaults->count; i++)
    add_option(opening, defaults->options[i].name, defaults->options[i].value);
  rc = add_configured(opening, false, err);
  drop_unset(opening);
  return rc;
}

static enum tn_code
collect_addresses(struct opening *opening, const tn_url *url, tn_err *err)
{
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

/* What the configuration says of the target, or its initial value. */
static enum tn_code
configured_number(const struct opening *opening, const char *key,
                  int64_t initial, int64_t *ret, tn_err *err)
{
  *ret = initial;
  if (opening->database == NULL)
    return TN_OK;
  return tn_config_number(opening->config, opening->database, key, ret, err);
}

static enum tn_code
size_cache(const struct opening *opening, const struct tn_conn_options *options,
           struct tn_cache *cache, tn_err *err)
{
  int64_t count = options->statement_cache;
  int64_t bytes = (int64_t)options->statement_cache_bytes;
  enum tn_code rc = TN_OK;

  if (count == 0)
    rc = configured_number(opening, "statement_cache_size", CACHE_COUNT, &count,
                           err);
  else if (count == TN_CACHE_NONE)
    count = 0;
  if (rc == TN_OK && bytes == 0)
    rc = configured_number(opening, "statement_cache_bytes", CACHE_BYTES,
                           &bytes, err);
  cache->max_count = (uint32_t)count;
  cache->max_bytes = (size_t)bytes;
  return rc;
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
  conn->timeout_ms = options->timeout_ms;
  conn->wait = options->wait;
  conn->wait_user = options->wait_user;
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
fill_args(const struct opening *opening, const tn_url *url,
          struct tn_connect_args *args, struct tn_tls *tls, tn_err *err)
{
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

/* Connect with what was collected. */
static enum tn_code
connect_session(const struct opening *opening, const tn_url *url,
                const struct tn_conn_options *options, tn_conn **ret,
                tn_err *err)
{
  struct tn_connect_args args = { .size = sizeof args };
  struct tn_host_call call;
  struct tn_tls tls;
  tn_conn *conn = NULL;
  enum tn_code rc = fill_args(opening, url, &args, &tls, err);

  if (rc == TN_OK)
    rc = new_conn(options, opening->backend, &conn, err);
  if (conn == NULL)
    return rc;
  rc = size_cache(opening, options, &conn->cache, err);
  if (rc != TN_OK) {
    tn_conn__free(conn);
    return rc;
  }
  rc = tn_conn__begin(conn,
                      options->deadline == 0 ? tn_deadline_after_ms(OPEN_MS)
                                             : options->deadline,
                      &conn->arena, &call, &err);
  if (rc == TN_OK) {
    rc = tn_backend_connect(opening->backend, &args, &call, &conn->handle);
    (void)tn_conn__end(conn, TN_OK, NULL);
  }
  if (rc != TN_OK) {
    tn_conn__free(conn);
    return rc;
  }
  conn->caps = tn_backend_caps(conn->backend, conn->handle);
  tn_registry_warn_tls(opening->registry, opening->backend, &args,
                       options->log);
  *ret = conn;
  return TN_OK;
}

static enum tn_code
open_url(const tn_url *url, const char *database,
         const struct tn_conn_options *options, tn_conn **ret, tn_err *err)
{
  TN_CLEANUP(clear_opening)
  struct opening opening = { .config = options->config, .database = database };
  struct tn_registry_defaults defaults = { .count = 0 };
  enum tn_code rc;

  opening.registry = options->registry;
  if (opening.registry == NULL)
    opening.registry = tn_registry_default();
  if (opening.registry == NULL)
    return tn_err_memory(err, "conn");
  rc =
      tn_registry_backend(opening.registry, tn_url_dialect(url),
                          tn_url_driver(url), &opening.backend, &defaults, err);
  if (rc == TN_OK)
    rc = collect_options(&opening, url, &defaults, err);
  if (rc == TN_OK)
    rc = collect_addresses(&opening, url, err);
  if (rc != TN_OK)
    return rc;
  return connect_session(&opening, url, options, ret, err);
}

enum tn_code
tn_conn_open_url(const tn_url *url, const struct tn_conn_options *options,
                 tn_conn **ret, tn_err *err)
{
  static const struct tn_conn_options none;

  return open_url(url, NULL, options == NULL ? &none : options, ret, err);
}

/* "a=1&b=2" behind the URL's own options. The URL is printed anew, where a '?'
 * is nothing but their beginning: as people write it, one may stand in the
 * password. */
static enum tn_code
join_parameters(const tn_url *url, const char *parameters, tn_url **ret,
                tn_err *err)
{
  size_t size = tn_url_print(url, TN_URL_PASSWORD, NULL, 0);
  size_t capacity = size + 1 + strlen(parameters) + 1;
  char *joined = tn_memory_alloc(capacity);
  enum tn_code rc;

  if (joined == NULL)
    return tn_err_memory(err, "config");
  (void)tn_url_print(url, TN_URL_PASSWORD, joined, capacity);
  joined[size] = strchr(joined, '?') == NULL ? '?' : '&';
  memcpy(joined + size + 1, parameters, strlen(parameters) + 1);
  rc = tn_url_parse(joined, ret, err);
  tn_memory_wipe(joined, capacity);
  tn_memory_free(joined);
  return rc;
}

static enum tn_code
parse_configured(const char *text, const char *parameters, tn_url **ret,
                 tn_err *err)
{
  TN_CLEANUP(tn_url_free) tn_url *url = NULL;
  enum tn_code rc = tn_url_parse(text, &url, err);

  if (rc == TN_OK && parameters != NULL && parameters[0] != '\0')
    return join_parameters(url, parameters, ret, err);
  if (rc != TN_OK)
    return rc;
  *ret = url;
  url = NULL;
  return TN_OK;
}

/* A configured database's URL: connection, connection_parameters, password. */
static enum tn_code
configured_url(const tn_config *config, const char *database, tn_url **ret,
               tn_err *err)
{
  TN_CLEANUP(tn_url_free) tn_url *url = NULL;
  const char *text = NULL;
  const char *parameters = NULL;
  const char *password = NULL;
  enum tn_code rc;

  rc = tn_config_text(config, database, "connection", &text, err);
  if (rc == TN_OK && (text == NULL || text[0] == '\0'))
    return tn_err_set(err, TN_E_CONFIG,
                      "config: database \"%s\" has no connection; give it a "
                      "URL",
                      database);
  if (rc == TN_OK)
    rc = tn_config_text(config, database, "connection_parameters", &parameters,
                        err);
  if (rc == TN_OK)
    rc = tn_config_text(config, database, "password", &password, err);
  if (rc == TN_OK)
    rc = parse_configured(text, parameters, &url, err);
  if (rc == TN_OK && password != NULL)
    rc = tn_url_set_password(url, password, err);
  if (rc != TN_OK)
    return rc;
  *ret = url;
  url = NULL;
  return TN_OK;
}

enum tn_code
tn_conn_open(const char *target, const struct tn_conn_options *options,
             tn_conn **ret, tn_err *err)
{
  static const struct tn_conn_options none;
  TN_CLEANUP(tn_url_free) tn_url *url = NULL;
  const char *database = NULL;
  enum tn_code rc;

  if (options == NULL)
    options = &none;
  if (target[0] != '@') {
    rc = tn_url_parse(target, &url, err);
  } else if (options->config == NULL) {
    return tn_err_set(err, TN_E_CONFIG,
                      "conn: \"%.64s\" names a configured database, but no "
                      "configuration is loaded",
                      target);
  } else {
    database = target + 1;
    rc = configured_url(options->config, database, &url, err);
  }
  if (rc != TN_OK)
    return rc;
  return open_url(url, database, options, ret, err);
}
