/* The connection string: "Driver={…};Server=…;…".
 *
 * Whatever stands in a URL ends up as the value of one keyword, and never as
 * two. A value with a sign that means something there is put into braces, if
 * the driver understands those; else it is refused, because there is no way to
 * write it that a driver is sure to read as it was meant. */
#include "odbc_priv.h"

#include <string.h>
#include <strings.h>

struct text {
  const struct tn_host *host;
  char *data;
  size_t size;
  size_t capacity;
  bool is_full; /* there was no memory */
};

/* Grown by a copy that leaves nothing behind: there may be a password in it. */
static void
add_bytes(struct text *text, const char *bytes, size_t size)
{
  if (text->is_full)
    return;
  if (text->size + size >= text->capacity) {
    size_t capacity = (text->size + size) * 2 + 256;
    char *data = text->host->alloc(capacity);

    if (data == NULL) {
      text->is_full = true;
      return;
    }
    if (text->data != NULL) {
      memcpy(data, text->data, text->size);
      explicit_bzero(text->data, text->size);
    }
    text->host->release(text->data);
    text->data = data;
    text->capacity = capacity;
  }
  memcpy(text->data + text->size, bytes, size);
  text->size += size;
  text->data[text->size] = '\0';
}

static void
add(struct text *text, const char *part)
{
  add_bytes(text, part, strlen(part));
}

/* ---- one keyword ---- */

static bool
is_keyword(const char *name)
{
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-. ";
  size_t size = strlen(name);

  return size > 0 && size <= 64 && name[0] != ' ' && name[size - 1] != ' ' &&
         strspn(name, allowed) == size;
}

/* Can the value stand there as it is? */
static bool
is_plain(const char *value)
{
  size_t size = strlen(value);

  return size == 0 || (strcspn(value, ";{}[]()?*=!@,") == size &&
                       value[0] != ' ' && value[size - 1] != ' ');
}

/* What a driver that knows no braces still takes as it is. */
static bool
is_harmless(const char *value)
{
  size_t size = strlen(value);

  return strcspn(value, ";{}") == size && value[0] != ' ' &&
         (size == 0 || value[size - 1] != ' ');
}

/* PostgreSQL's driver makes a blank of '+' in these and a sign of "%41", but
 * not between braces; of all others it takes braces for a part of the value. */
static bool
is_decoded(const struct odbc__family *family, const char *name)
{
  static const char *const decoded[] = { "PWD", "ConnSettings", "A6", "pqopt",
                                         "D5" };
  size_t i;

  for (i = 0; i < ODBC__COUNT(decoded); i++)
    if (strcasecmp(decoded[i], name) == 0)
      return (family->flags & ODBC__DECODES) != 0;
  return false;
}

static int32_t
add_value(struct text *text, const struct odbc__family *family,
          const char *name, const char *value, struct tn_call *call)
{
  bool is_code = is_decoded(family, name) && strpbrk(value, "+%") != NULL;
  bool has_braces =
      (family->flags & ODBC__BRACES) != 0 || is_decoded(family, name);

  if ((is_plain(value) && !is_code) || (!has_braces && is_harmless(value))) {
    add(text, value);
  } else if (has_braces) {
    add(text, "{");
    for (; *value != '\0'; value++) {
      add_bytes(text, value, 1);
      if (*value == '}')
        add(text, "}");
    }
    add(text, "}");
  } else {
    return tn_fail(call, TN_E_CONFIG,
                   "odbc: %.64s: this driver takes no value with ';', '{' or "
                   "'}' in it, or with a blank at an end",
                   name);
  }
  return TN_OK;
}

/* "NAME=VALUE;". */
static int32_t
add_keyword(struct text *text, const struct odbc__family *family,
            const char *name, const char *value, struct tn_call *call)
{
  int32_t rc;

  add(text, name);
  add(text, "=");
  rc = add_value(text, family, name, value, call);
  add(text, ";");
  return rc;
}

/* ---- which ones ---- */

/* Keywords that are other parts of a URL, or that would lead elsewhere; and the
 * core's names for what a driver has names of its own for: passed on, they
 * would do nothing, and nobody would know. */
static const struct {
  const char *name;
  const char *instead;
} refused[] = {
  { "dsn", "write odbc+dsn:///NAME" },
  { "filedsn", "name a driver or a data source" },
  { "savefile", "nothing is written" },
  { "uid", "it goes before the host, user:password@host" },
  { "user", "it goes before the host, user:password@host" },
  { "username", "it goes before the host, user:password@host" },
  { "pwd", "it goes before the host, user:password@host" },
  { "password", "it goes before the host, user:password@host" },
  { "tls", "the driver has options of its own, see its manual" },
  { "tls_ca", "the driver has options of its own, see its manual" },
  { "tls_cert", "the driver has options of its own, see its manual" },
  { "tls_key", "the driver has options of its own, see its manual" },
  { "tls_crl", "the driver has options of its own, see its manual" },
  { "tls_min_version", "the driver has options of its own, see its manual" },
  { "clear_password", "the driver has options of its own, see its manual" },
  { "host_policy", "the driver knows one server" },
};

static int32_t
check_keyword(const char *name, struct tn_call *call)
{
  size_t i;

  for (i = 0; i < ODBC__COUNT(refused); i++)
    if (strcasecmp(refused[i].name, name) == 0)
      return tn_fail(call, TN_E_CONFIG, "odbc: option \"%s\": %s",
                     refused[i].name, refused[i].instead);
  if (!is_keyword(name))
    return tn_fail(call, TN_E_CONFIG,
                   "odbc: option \"%.64s\" can be no keyword of a driver's",
                   name);
  return TN_OK;
}

/* Is there such a keyword already? Some drivers would take the first, others
 * the last. */
static bool
has_keyword(const struct text *text, const char *name)
{
  size_t size = strlen(name);
  const char *at = text->data;

  for (; at != NULL; at = strchr(at, ';')) {
    if (*at == ';')
      at++;
    if (strncasecmp(at, name, size) == 0 && at[size] == '=')
      return true;
  }
  return false;
}

static bool
has_option(const struct tn_connect_args *args, const char *name, size_t size)
{
  uint32_t i;

  for (i = 0; i < args->option_count; i++)
    if (strlen(args->options[i].name) == size &&
        strncasecmp(args->options[i].name, name, size) == 0)
      return true;
  return false;
}

static int32_t
add_options(struct text *text, const struct odbc__family *family,
            const struct tn_connect_args *args, struct tn_call *call)
{
  const char *const *preset;
  int32_t rc = TN_OK;
  uint32_t i;

  for (preset = family->preset; preset != NULL && *preset != NULL; preset++)
    if (!has_option(args, *preset, strcspn(*preset, "="))) {
      add(text, *preset);
      add(text, ";");
    }
  for (i = 0; i < args->option_count && rc == TN_OK; i++) {
    const struct tn_option *option = &args->options[i];

    if (strcmp(option->name, "driver") == 0)
      continue;
    rc = check_keyword(option->name, call);
    if (rc == TN_OK && has_keyword(text, option->name))
      rc = tn_fail(call, TN_E_CONFIG,
                   "odbc: option \"%.64s\": the URL has that before the '?'",
                   option->name);
    if (rc == TN_OK)
      rc = add_keyword(text, family, option->name, option->value, call);
  }
  return rc;
}

/* odbc+dsn:///NAME */
static bool
is_dsn(const struct tn_connect_args *args)
{
  return args->driver != NULL && strcmp(args->driver, "dsn") == 0;
}

/* A part of the URL that the driver has no keyword for is refused. */
static int32_t
add_part(struct text *text, const struct odbc__family *family,
         enum odbc__part part, const char *value, struct tn_call *call)
{
  static const char *const names[] = { "host", "port", "database", "user",
                                       "password" };

  if (value == NULL || value[0] == '\0')
    return TN_OK;
  if (family->keywords[part] == NULL)
    return tn_fail(call, TN_E_CONFIG, "odbc: this driver takes no %s",
                   names[part]);
  return add_keyword(text, family, family->keywords[part], value, call);
}

static int32_t
add_parts(struct text *text, const struct odbc__family *family,
          const struct tn_connect_args *args, struct tn_call *call)
{
  const struct tn_address *address = args->addresses;
  char port[16] = "";
  int32_t rc = TN_OK;

  if (args->address_count > 1)
    return tn_fail(call, TN_E_CONFIG, "odbc: a driver knows one server, not %u",
                   (unsigned)args->address_count);
  if (args->address_count == 1) {
    if (address->port != 0)
      snprintf(port, sizeof port, "%u", (unsigned)address->port);
    rc = add_part(text, family, ODBC__SERVER, address->host, call);
  }
  if (rc == TN_OK)
    rc = add_part(text, family, ODBC__PORT, port, call);
  if (rc == TN_OK && !is_dsn(args))
    rc = add_part(text, family, ODBC__DATABASE, args->database, call);
  if (rc == TN_OK)
    rc = add_part(text, family, ODBC__USER, args->user, call);
  if (rc == TN_OK)
    rc = add_part(text, family, ODBC__PASSWORD, args->password, call);
  return rc;
}

/* ---- the driver, or the data source ---- */

static int32_t
begin_dsn(struct text *text, const struct tn_connect_args *args,
          struct odbc__conn *conn, struct tn_call *call)
{
  conn->family = odbc__family_of_driver("");
  if (args->database == NULL || !is_keyword(args->database))
    return tn_fail(call, TN_E_CONFIG,
                   "odbc: the URL names no data source; write "
                   "odbc+dsn:///NAME");
  return add_keyword(text, conn->family, "DSN", args->database, call);
}

static int32_t
begin_driver(struct text *text, const struct tn_connect_args *args,
             struct odbc__conn *conn, struct tn_call *call)
{
  const char *word = tn_connect_option(args, "driver");
  char name[128];
  int32_t rc;

  if (word != NULL && args->driver != NULL)
    return tn_fail(call, TN_E_CONFIG,
                   "odbc: the driver is named twice: odbc+%s and driver=%.64s",
                   args->driver, word);
  if (word == NULL)
    word = args->driver;
  if (word == NULL)
    return tn_fail(call, TN_E_CONFIG,
                   "odbc: the URL names no driver; write odbc+DRIVER://… or "
                   "odbc+dsn:///NAME");
  rc = odbc__driver_name(conn->env, word, call, name, sizeof name);
  if (rc != TN_OK)
    return rc;
  conn->family = odbc__family_of_driver(name);
  add(text, "Driver={");
  add(text, name);
  add(text, "};");
  return TN_OK;
}

int32_t
odbc__connection_string(const struct tn_connect_args *args,
                        struct odbc__conn *conn, struct tn_call *call,
                        char **ret)
{
  struct text text = { .host = conn->host };
  int32_t rc = is_dsn(args) ? begin_dsn(&text, args, conn, call)
                            : begin_driver(&text, args, conn, call);

  if (rc == TN_OK)
    rc = add_parts(&text, conn->family, args, call);
  if (rc == TN_OK)
    rc = add_options(&text, conn->family, args, call);
  if (rc == TN_OK && text.is_full)
    rc = odbc__fail_memory(call);
  if (rc == TN_OK) {
    *ret = text.data;
    return TN_OK;
  }
  if (text.data != NULL)
    explicit_bzero(text.data, text.size);
  conn->host->release(text.data);
  return rc;
}
