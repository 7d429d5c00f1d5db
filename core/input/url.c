/* Reads connection URLs.
 *
 * A parser of our own, because liburiparser keeps to RFC 3986: it refuses
 * "h1:5432,h2:5433" and raw '@' or '#' in a password, which the URLs that
 * people have contain, and accepts port 99999.
 *
 * Where user and password end: at the last '@' before the first '/', '?' or
 * '#'. SQLAlchemy also lets a password contain these three, so without such an
 * '@' they end at the one that follows, if there is a ':' before. Where another
 * reading makes sense the URL is refused: the wrong one would send a piece of
 * the password to a name server and show another in a log.
 *
 * No message quotes the URL: what stands in the wrong place may be a piece of
 * a password. It gives the place instead. */
#include <tenon/url.h>

#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "url_priv.h"

enum {
  DIALECT_MAX = 32,
  DRIVER_MAX = 31,
};

#define NO_SCHEME                                                              \
  "\"://\" is missing after the dialect; a URL looks like "                    \
  "dialect://user@host/database"

#define HOST_OR_USER                                                           \
  "what precedes the '@' may be a host and a port or a user and a password; "  \
  "write '@' as %40 or, in a password, '/' as %2F, '?' as %3F, '#' as %23"

/* --- Dialect and driver ---------------------------------------------------*/

static bool
is_dialect_char(char c)
{
  return tn_text_is_alpha(c) || tn_text_is_digit(c) || c == '_';
}

static bool
is_driver_char(char c)
{
  return is_dialect_char(c) || c == '.' || c == '-';
}

/* Take a name off `*rest` and keep it in lower case. */
static const char *
take_name(struct tn_url_parser *p, struct tn_url_span *rest,
          bool (*is_name_char)(char c))
{
  char *name = p->url->store + p->store_used;
  size_t size = 0;

  while (size < rest->size && is_name_char(rest->data[size])) {
    name[size] = tn_text_lower(rest->data[size]);
    size++;
  }
  name[size] = '\0';
  p->store_used += size + 1;
  *rest = tn_url__skip(*rest, size);
  return name;
}

static enum tn_code
parse_scheme(struct tn_url_parser *p, struct tn_url_span *rest)
{
  const char *at = rest->data;

  if (rest->size == 0 || !tn_text_is_alpha(*at))
    return tn_url__fail(p, at, NO_SCHEME);
  p->url->dialect = take_name(p, rest, is_dialect_char);
  if (rest->data - at > DIALECT_MAX)
    return tn_url__fail(p, at + DIALECT_MAX,
                        "the dialect's name has more than 32 characters");
  if (rest->size > 0 && *rest->data == '+') {
    *rest = tn_url__skip(*rest, 1);
    at = rest->data;
    p->url->driver = take_name(p, rest, is_driver_char);
    if (rest->data == at)
      return tn_url__fail(p, at, "the driver's name is missing after the '+'");
    if (rest->data - at > DRIVER_MAX)
      return tn_url__fail(p, at + DRIVER_MAX,
                          "the driver's name has more than 31 characters");
  }
  if (rest->size < 3 || memcmp(rest->data, "://", 3) != 0)
    return tn_url__fail(p, rest->data, NO_SCHEME);
  *rest = tn_url__skip(*rest, 3);
  return TN_OK;
}

/* --- User and password ----------------------------------------------------*/

/* Could `text` be hosts with ports, "h1:5432,h2"? */
static bool
looks_like_hosts(struct tn_url_span text)
{
  struct tn_url_span item, name;

  while (text.size > 0) {
    tn_url__cut(&text, ',', &item);
    if (!tn_url__cut(&item, ':', &name))
      continue;
    if (item.size == 0)
      return false;
    while (item.size > 0 && tn_text_is_digit(*item.data))
      item = tn_url__skip(item, 1);
    if (item.size > 0)
      return false;
  }
  return true;
}

/* The '@' that ends user and password; `*ret` is NULL if there are none. */
static enum tn_code
find_userinfo_end(const struct tn_url_parser *p, struct tn_url_span rest,
                  const char **ret)
{
  struct tn_url_span hosts = { rest.data, tn_url__find(rest, "/?#") };
  struct tn_url_span tail = tn_url__skip(rest, hosts.size);
  struct tn_url_span path = { tail.data, tn_url__find(tail, "?#") };
  bool has_password = memchr(hosts.data, ':', hosts.size) != NULL;
  const char *at = memrchr(hosts.data, '@', hosts.size);
  const char *next;

  *ret = at;
  if (!has_password || (at == NULL && *hosts.data == '['))
    return TN_OK;
  if (at != NULL) {
    next = memchr(path.data, '@', path.size);
  } else {
    at = memchr(tail.data, '@', tail.size);
    next = at == NULL ? NULL : memrchr(tail.data, '@', tail.size);
    if (at != NULL && looks_like_hosts(hosts))
      return tn_url__fail(p, at, HOST_OR_USER);
  }
  if (next != at && next != NULL)
    return tn_url__fail(p, next,
                        "it is not clear which '@' ends the password; write "
                        "the others as %40");
  *ret = at;
  return TN_OK;
}

static enum tn_code
parse_userinfo(struct tn_url_parser *p, struct tn_url_span *rest)
{
  struct tn_url_span user, password;
  const char *end;
  enum tn_code rc;

  rc = find_userinfo_end(p, *rest, &end);
  if (rc != TN_OK || end == NULL)
    return rc;
  p->has_userinfo = true;
  password.data = rest->data;
  password.size = (size_t)(end - rest->data);
  *rest = tn_url__skip(*rest, password.size + 1);
  if (tn_url__cut(&password, ':', &user)) {
    rc = tn_url__decode(p, password, '\0', &p->url->password);
    if (rc != TN_OK)
      return rc;
  }
  return tn_url__decode(p, user, '\0', &p->url->user);
}

/* --- Options --------------------------------------------------------------*/

static enum tn_code
add_option(struct tn_url_parser *p, const char *name, const char *value,
           size_t offset)
{
  tn_url *url = p->url;
  struct tn_url_option *options =
      tn_url__grow(url->options, url->option_count, &url->option_capacity,
                   sizeof *url->options);

  if (options == NULL)
    return tn_err_memory(p->err, "url");
  url->options = options;
  options[url->option_count].name = name;
  options[url->option_count].value = value;
  options[url->option_count].offset = offset;
  url->option_count++;
  return TN_OK;
}

/* `name` and `value` are unescaped; `at` is where each began. */
static enum tn_code
take_option(struct tn_url_parser *p, const char *name, const char *value,
            const struct tn_url_span at[2])
{
  struct tn_url_span text = { value, strlen(value) };
  enum tn_code rc;

  p->value_at = at[1].data;
  if (strcmp(name, "host") == 0)
    rc = tn_url__parse_host_list(p, text);
  else if (strcmp(name, "port") == 0)
    rc = tn_url__parse_port_list(p, text);
  else
    rc = add_option(p, name, value, (size_t)(at[0].data - p->text.data));
  p->value_at = NULL;
  return rc;
}

static enum tn_code
parse_option(struct tn_url_parser *p, struct tn_url_span item)
{
  struct tn_url_span raw[2] = { { item.data, 0 }, item };
  const char *name, *value;
  enum tn_code rc;

  if (!tn_url__cut(&raw[1], '=', &raw[0]))
    return tn_url__fail(p, item.data, "an option has no '='");
  if (raw[0].size == 0)
    return tn_url__fail(p, item.data, "an option has no name before its '='");
  rc = tn_url__decode(p, raw[0], '\0', &name);
  if (rc == TN_OK)
    rc = tn_url__decode(p, raw[1], '+', &value);
  return rc == TN_OK ? take_option(p, name, value, raw) : rc;
}

static enum tn_code
parse_options(struct tn_url_parser *p, struct tn_url_span query)
{
  struct tn_url_span item;
  bool has_more;
  enum tn_code rc;

  if (query.size == 0)
    return TN_OK;
  do {
    has_more = tn_url__cut(&query, '&', &item);
    rc = parse_option(p, item);
  } while (rc == TN_OK && has_more);
  return rc;
}

/* By name; options of one name in the order given. */
static int
compare_options(const void *a, const void *b)
{
  const struct tn_url_option *const *left = a;
  const struct tn_url_option *const *right = b;
  int order = strcmp((*left)->name, (*right)->name);

  if (order != 0)
    return order;
  return (*left)->offset < (*right)->offset ? -1 : 1;
}

static enum tn_code
sort_options(const struct tn_url_parser *p)
{
  tn_url *url = p->url;
  const struct tn_url_option *repeated = NULL;
  size_t i;

  if (url->option_count == 0)
    return TN_OK;
  url->by_name = tn_memory_alloc(url->option_count * sizeof *url->by_name);
  if (url->by_name == NULL)
    return tn_err_memory(p->err, "url");
  for (i = 0; i < url->option_count; i++)
    url->by_name[i] = &url->options[i];
  qsort(url->by_name, url->option_count, sizeof *url->by_name, compare_options);
  for (i = 1; i < url->option_count; i++) {
    if (strcmp(url->by_name[i - 1]->name, url->by_name[i]->name) == 0 &&
        (repeated == NULL || url->by_name[i]->offset < repeated->offset))
      repeated = url->by_name[i];
  }
  if (repeated != NULL)
    return tn_url__fail(p, p->text.data + repeated->offset,
                        "the option is given for a second time");
  return TN_OK;
}

/* --- The whole ------------------------------------------------------------*/

static enum tn_code
check_text(const struct tn_url_parser *p)
{
  const char *fault;
  size_t offset;

  if (p->text.size > TN_URL_MAX)
    return tn_url__fail(p, p->text.data + TN_URL_MAX,
                        "longer than 65536 bytes");
  fault = tn_url__fault(p->text.data, p->text.size, &offset);
  return fault == NULL ? TN_OK : tn_url__fail(p, p->text.data + offset, fault);
}

/* What follows the '@', or the "://". */
static enum tn_code
parse_rest(struct tn_url_parser *p, struct tn_url_span rest)
{
  const char *hash = memchr(rest.data, '#', rest.size);
  struct tn_url_span hosts;
  size_t first;
  enum tn_code rc;

  p->rest = rest.data;
  if (hash != NULL)
    return tn_url__fail(p, hash,
                        "a URL of a database has no fragment; write '#' as "
                        "%23");
  hosts.data = rest.data;
  hosts.size = tn_url__find(rest, "/?");
  rest = tn_url__skip(rest, hosts.size);
  rc = tn_url__parse_hosts(p, hosts);
  first = p->url->host_count;
  if (rc == TN_OK && rest.size > 0 && *rest.data == '/') {
    struct tn_url_span database;

    rest = tn_url__skip(rest, 1);
    database.data = rest.data;
    database.size = tn_url__find(rest, "?");
    rest = tn_url__skip(rest, database.size);
    rc = tn_url__decode(p, database, '\0', &p->url->database);
  }
  if (rc == TN_OK && rest.size > 0)
    rc = parse_options(p, tn_url__skip(rest, 1));
  return rc == TN_OK ? tn_url__assign_ports(p, first) : rc;
}

static enum tn_code
parse(struct tn_url_parser *p)
{
  struct tn_url_span rest = p->text;
  enum tn_code rc;

  rc = check_text(p);
  if (rc != TN_OK)
    return rc;
  /* Each part takes at most its own length and a NUL, and there is at least
   * one character between two parts. */
  p->url->store_size = rest.size + 2;
  p->url->store = tn_memory_zalloc(p->url->store_size);
  if (p->url->store == NULL)
    return tn_err_memory(p->err, "url");
  rc = parse_scheme(p, &rest);
  if (rc == TN_OK)
    rc = parse_userinfo(p, &rest);
  if (rc == TN_OK)
    rc = parse_rest(p, rest);
  if (rc == TN_OK)
    rc = sort_options(p);
  /* Else the URL could not be printed so that it can be read again. */
  if (rc == TN_OK &&
      tn_url_print(p->url, TN_URL_PASSWORD, NULL, 0) > TN_URL_MAX)
    rc = tn_url__fail(
        p, p->text.data + p->text.size,
        "with its special characters escaped it is longer than 65536 "
        "bytes");
  return rc;
}

enum tn_code
tn_url_parse(const char *text, tn_url **ret, tn_err *err)
{
  TN_CLEANUP(tn_url_free) tn_url *url = tn_memory_zalloc(sizeof *url);
  struct tn_url_parser p = {
    .url = url,
    .err = err,
    .text = { text, text != NULL ? strnlen(text, TN_URL_MAX + 1) : 0 },
  };
  enum tn_code rc;

  if (text == NULL)
    return tn_err_set(err, TN_E_USAGE, "url: there is no text");
  if (url == NULL)
    return tn_err_memory(err, "url");
  rc = parse(&p);
  tn_memory_free(p.ports);
  if (rc != TN_OK)
    return rc;
  *ret = url;
  url = NULL;
  return TN_OK;
}
