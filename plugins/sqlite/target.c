/* From a URL's parts to what sqlite3_open_v2() takes.
 *
 * A plain path is passed as it is. Options that SQLite only reads from a
 * "file:" URI make one of it, percent-encoded, so that no character of a path
 * is taken for the URI's own. */
#include "sqlite_priv.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Options that go into the URI. */
static const struct uri_option {
  const char *name;
  bool is_flag; /* given as yes or no, written as 1 or 0 */
} uri_options[] = {
  { "mode", false },   { "cache", false }, { "immutable", true },
  { "nolock", true },  { "psow", true },   { "vfs", false },
  { "modeof", false },
};

/* Text under construction, in memory that is known to be large enough. */
struct writer {
  char *at;
};

static void
put(struct writer *out, const char *text)
{
  size_t size = strlen(text);

  memcpy(out->at, text, size);
  out->at += size;
}

static bool
is_plain(char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || (c != '\0' && strchr("-._~/", c) != NULL);
}

static void
put_byte(struct writer *out, char c)
{
  static const char digits[] = "0123456789abcdef";

  *out->at++ = '%';
  *out->at++ = digits[(unsigned char)c >> 4];
  *out->at++ = digits[(unsigned char)c & 15];
}

static void
put_encoded(struct writer *out, const char *text)
{
  for (; *text != '\0'; text++) {
    if (is_plain(*text))
      *out->at++ = *text;
    else
      put_byte(out, *text);
  }
}

/* A URI of the user's own. Its escapes were undone with those of the URL that
 * it stands in, so what SQLite would read as an escape, as the beginning of a
 * query or as that of a fragment is part of the file's name. */
static void
put_uri(struct writer *out, const char *uri)
{
  for (; *uri != '\0'; uri++) {
    if (strchr("%?#", *uri) == NULL)
      *out->at++ = *uri;
    else
      put_byte(out, *uri);
  }
}

static bool
has_uri_option(const struct tn_connect_args *args)
{
  size_t i;

  for (i = 0; i < SQLITE__COUNT(uri_options); i++)
    if (tn_connect_option(args, uri_options[i].name) != NULL)
      return true;
  return false;
}

static void
put_options(struct writer *out, const struct tn_connect_args *args)
{
  char separator = '?';
  size_t i;

  for (i = 0; i < SQLITE__COUNT(uri_options); i++) {
    const struct uri_option *option = &uri_options[i];
    const char *value = tn_connect_option(args, option->name);

    if (value == NULL)
      continue;
    *out->at++ = separator;
    put(out, option->name);
    *out->at++ = '=';
    if (option->is_flag)
      value = tn_connect_flag(args, option->name, 0) ? "1" : "0";
    put_encoded(out, value);
    separator = '&';
  }
}

static bool
is_uri(const char *database)
{
  return strncmp(database, "file:", 5) == 0;
}

/* More than the whole name can need. */
static size_t
room_for(const struct tn_connect_args *args, const char *database)
{
  size_t size = 32 + 3 * strlen(database);
  uint32_t i;

  for (i = 0; i < args->option_count; i++)
    size +=
        4 + strlen(args->options[i].name) + 3 * strlen(args->options[i].value);
  return size;
}

static void
write_uri(struct writer *out, const struct tn_connect_args *args,
          const char *database)
{
  if (tn_connect_flag(args, "uri", 0) && is_uri(database)) {
    put_uri(out, database);
  } else {
    put(out, database[0] == '/' ? "file://" : "file:");
    put_encoded(out, database);
  }
  put_options(out, args);
}

/* Does the URI's query say that? */
static bool
query_has(const char *uri, const char *text)
{
  const char *query = strchr(uri, '?');

  return query != NULL && strstr(query, text) != NULL;
}

static bool
is_memory_name(const char *database)
{
  return database == NULL || database[0] == '\0' ||
         strcmp(database, ":memory:") == 0;
}

/* "file:" and "file::memory:"; what else makes one of memory is an option. */
static bool
is_memory_uri(const char *uri)
{
  return is_memory_name(uri + strlen("file:"));
}

int32_t
sqlite__is_fleeting(const struct tn_connect_args *args)
{
  const char *mode = tn_connect_option(args, "mode");
  const char *vfs = tn_connect_option(args, "vfs");

  return is_memory_name(args->database) ||
         (mode != NULL && strcmp(mode, "memory") == 0) ||
         (vfs != NULL && strcmp(vfs, "memdb") == 0) ||
         (tn_connect_flag(args, "uri", 0) && is_uri(args->database) &&
          is_memory_uri(args->database));
}

/* Two slashes instead of three would otherwise open an empty database in
 * memory, and lose what is written to it. A password alone, with a user of no
 * name, was not written there: a program has added it. */
static int32_t
refuse_server(const struct tn_connect_args *args, struct tn_call *call)
{
  const char *host = args->address_count > 0 ? args->addresses[0].host : "";

  if (args->address_count == 0 && args->user == NULL && args->password == NULL)
    return TN_OK;
  if (args->address_count == 0 && (args->user == NULL || args->user[0] == '\0'))
    return tn_fail(call, TN_E_CONFIG, "sqlite: a file has no password");
  return tn_fail(call, TN_E_CONFIG,
                 "sqlite: a file has neither host nor user; it follows a third "
                 "slash, as in sqlite:///%.200s",
                 host[0] != '\0' ? host : "app.db");
}

int32_t
sqlite__target_init(const struct tn_connect_args *args, struct tn_call *call,
                    struct sqlite__target *ret)
{
  const char *database = args->database;
  struct writer out;
  int32_t rc = refuse_server(args, call);

  memset(ret, 0, sizeof *ret);
  if (rc != TN_OK)
    return rc;
  if (is_memory_name(database))
    database = ":memory:";
  ret->shown = database;
  ret->flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
               SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  ret->name = call->host->alloc(room_for(args, database));
  if (ret->name == NULL)
    return tn_fail(call, TN_E_MEMORY, "sqlite: %s: out of memory", database);
  out.at = ret->name;
  if (has_uri_option(args) ||
      (tn_connect_flag(args, "uri", 0) && is_uri(database))) {
    ret->flags |= SQLITE_OPEN_URI;
    write_uri(&out, args, database);
  } else {
    /* A build of SQLite may take every "file:" for a URI. */
    if (is_uri(database))
      put(&out, "./");
    put(&out, database);
  }
  *out.at = '\0';
  ret->may_create = true;
  if ((ret->flags & SQLITE_OPEN_URI) != 0) {
    ret->has_shared_cache = query_has(ret->name, "cache=shared");
    ret->may_create =
        !query_has(ret->name, "mode=r") || query_has(ret->name, "mode=rwc");
  }
  return TN_OK;
}

void
sqlite__target_clear(struct sqlite__target *target, const struct tn_host *host)
{
  host->release(target->name);
  target->name = NULL;
}

static int
hex_value(char c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

/* The path of "file:[//authority]path[?query]", decoded. False if it does not
 * fit. */
static bool
path_of_uri(const char *uri, char *path, size_t size)
{
  size_t used = 0;

  uri += strlen("file:");
  if (uri[0] == '/' && uri[1] == '/')
    uri += 2 + strcspn(uri + 2, "/");
  for (; *uri != '\0' && *uri != '?' && *uri != '#'; uri++) {
    int high = uri[0] == '%' ? hex_value(uri[1]) : -1;
    int low = high >= 0 ? hex_value(uri[2]) : -1;

    if (used + 1 >= size)
      return false;
    path[used++] = low >= 0 ? (char)(high * 16 + low) : *uri;
    if (low >= 0)
      uri += 2;
  }
  path[used] = '\0';
  return true;
}

enum sqlite__folder
sqlite__target_folder(const struct sqlite__target *target)
{
  char path[4096];
  char *slash;

  if ((target->flags & SQLITE_OPEN_URI) != 0) {
    if (!path_of_uri(target->name, path, sizeof path))
      return SQLITE__FOLDER_MISSING;
  } else {
    if (strlen(target->name) >= sizeof path)
      return SQLITE__FOLDER_MISSING;
    memcpy(path, target->name, strlen(target->name) + 1);
  }
  slash = strrchr(path, '/');
  if (slash == NULL)
    memcpy(path, ".", 2);
  else
    slash[slash == path] = '\0';
  if (faccessat(AT_FDCWD, path, F_OK, AT_EACCESS) != 0)
    return SQLITE__FOLDER_MISSING;
  if (target->may_create && faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0)
    return SQLITE__FOLDER_READ_ONLY;
  return SQLITE__FOLDER_FINE;
}
