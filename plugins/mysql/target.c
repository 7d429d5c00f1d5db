/* Which servers a URL names, and one copy of all that is known of each. */
#include "my_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>

/* What the library copies into places of that size. */
#define USER_MAX     512
#define DATABASE_MAX 256
#define SOCKET_MAX   (sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)

/* ------------------------------------------------------------------ */
/* Copies                                                               */

/* The texts of an endpoint. */
#define TEXTS(endpoint)                                                        \
  {                                                                            \
    &(endpoint)->host, &(endpoint)->socket, &(endpoint)->user,                 \
        &(endpoint)->database, &(endpoint)->ca, &(endpoint)->cert,             \
        &(endpoint)->key, &(endpoint)->crl, &(endpoint)->program               \
  }

struct mysql__endpoint *
mysql__endpoint_copy(const struct tn_host *host,
                     const struct mysql__endpoint *endpoint)
{
  const char *const *const from[] = TEXTS(endpoint);
  size_t size = sizeof *endpoint;
  struct mysql__endpoint *copy;
  char *at;
  size_t i;

  for (i = 0; i < MYSQL__COUNT(from); i++)
    size += *from[i] == NULL ? 0 : strlen(*from[i]) + 1;
  copy = host->alloc(size);
  if (copy == NULL)
    return NULL;
  *copy = *endpoint;
  at = (char *)(copy + 1);
  {
    const char **const to[] = TEXTS(copy);

    for (i = 0; i < MYSQL__COUNT(to); i++) {
      if (*to[i] == NULL)
        continue;
      size = strlen(*to[i]) + 1;
      *to[i] = memcpy(at, *to[i], size);
      at += size;
    }
  }
  return copy;
}

/* ------------------------------------------------------------------ */
/* Sockets                                                              */

static bool
is_socket(const char *path)
{
  struct stat info;

  return stat(path, &info) == 0 && S_ISSOCK(info.st_mode);
}

static bool
is_folder(const char *path)
{
  struct stat info;

  return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* A folder stands for the socket in it. `path` has room for it. */
static bool
find_in_folder(char *path, size_t size)
{
  static const char *const names[] = { "mysqld.sock", "mysql.sock",
                                       "mariadb.sock" };
  size_t length = strlen(path);
  size_t i;

  for (i = 0; i < MYSQL__COUNT(names); i++) {
    int used = snprintf(path + length, size - length, "/%s", names[i]);

    if (used < 0 || (size_t)used >= size - length)
      return false;
    if (is_socket(path))
      return true;
  }
  snprintf(path + length, size - length, "/%s", names[0]);
  return true;
}

int32_t
mysql__target_socket(const char *path, struct tn_call *call,
                     struct mysql__target *ret)
{
  bool fits = strlen(path) <= SOCKET_MAX;

  if (fits) {
    snprintf(ret->path, sizeof ret->path, "%s", path);
    if (is_folder(path))
      fits = find_in_folder(ret->path, SOCKET_MAX + 1);
  }
  if (!fits)
    return tn_fail(call, TN_E_CONFIG,
                   "mysql: %.200s: the path of a socket has %zu bytes at most",
                   path, SOCKET_MAX);
  ret->endpoint.host = NULL;
  ret->endpoint.socket = ret->path;
  snprintf(ret->endpoint.shown, sizeof ret->endpoint.shown, "%s", ret->path);
  return TN_OK;
}

/* ------------------------------------------------------------------ */
/* Targets                                                              */

static const char *
base_name(const char *path)
{
  const char *slash = strrchr(path, '/');

  return slash == NULL ? path : slash + 1;
}

int32_t
mysql__target_common(const struct tn_connect_args *args, struct tn_call *call,
                     struct mysql__endpoint *ret)
{
  const char *program = tn_connect_option(args, "program_name");

  memset(ret, 0, sizeof *ret);
  ret->user = args->user == NULL ? "" : args->user;
  ret->database = args->database;
  ret->port = MYSQL__PORT;
  ret->program = program == NULL ? base_name(program_invocation_name) : program;
  if (strlen(ret->user) >= USER_MAX)
    return tn_fail(call, TN_E_CONFIG,
                   "mysql: the user name is longer than any server's");
  if (ret->database != NULL && strlen(ret->database) >= DATABASE_MAX)
    return tn_fail(call, TN_E_CONFIG,
                   "mysql: the database name is longer than any server's");
  return mysql__tls_read(args, call, ret);
}

/* "localhost" without a port, or nothing at all, is this machine, by whatever
 * way is there; a name with a port is that port. */
static bool
is_local(const struct tn_address *address)
{
  return address == NULL || address->host == NULL || address->host[0] == '\0' ||
         (strcmp(address->host, "localhost") == 0 && address->port == 0);
}

int32_t
mysql__target_init(const struct mysql__endpoint *common,
                   const struct tn_address *address, struct tn_call *call,
                   struct mysql__target *ret)
{
  const char *host = "localhost";

  ret->endpoint = *common;
  if (is_local(address) && is_socket(TENON_MYSQL_SOCKET))
    return mysql__target_socket(TENON_MYSQL_SOCKET, call, ret);
  if (address != NULL && address->host != NULL && address->host[0] != '\0')
    host = address->host;
  if (host[0] == '/')
    return mysql__target_socket(host, call, ret);
  ret->endpoint.host = host;
  if (address != NULL && address->port != 0)
    ret->endpoint.port = address->port;
  snprintf(ret->endpoint.shown, sizeof ret->endpoint.shown, "%.256s:%u", host,
           (unsigned)ret->endpoint.port);
  return TN_OK;
}
