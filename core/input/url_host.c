/* The hosts of a URL and their ports, before the path or in options.
 *
 * Many forms are in use: "h1:5432,h2", "[::1]:5432", "host=h1:5432&host=h2",
 * "host=h1,h2&port=1,2", "host=/run/db", "%2Frun%2Fdb". All end
 * up in one list. */
#include "url_priv.h"

#include <arpa/inet.h>
#include <string.h>

#include "text.h"

enum {
  PORT_DIGITS = 5,
  PORT_MAX = 65535,
};

/* What no name of a host contains. A directory may, but for the comma. */
#define NOT_IN_HOST " ,/:@[]?#%\\\"<>^`{|}"

/* What the name of a network interface is made of, in an IPv6 address. */
#define IN_ZONE                                                                \
  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"

/* A host as it is written, cut into its parts but not unescaped. */
struct host_text {
  struct tn_url_span name;
  struct tn_url_span port;
  bool has_port;
  bool in_brackets;
};

static enum tn_code
split_host(const struct tn_url_parser *p, struct tn_url_span item,
           struct host_text *ret)
{
  const char *close;

  *ret = (struct host_text){ .name = item };
  if (item.size == 0 || *item.data != '[') {
    ret->has_port = tn_url__cut(&item, ':', &ret->name);
    ret->port = item;
    return TN_OK;
  }
  close = memchr(item.data, ']', item.size);
  if (close == NULL)
    return tn_url__fail(p, item.data,
                        "the '[' before an IPv6 address is not closed");
  ret->in_brackets = true;
  ret->name.data = item.data + 1;
  ret->name.size = (size_t)(close - ret->name.data);
  item = tn_url__skip(item, ret->name.size + 2);
  if (item.size == 0)
    return TN_OK;
  if (*item.data != ':')
    return tn_url__fail(p, item.data, "only ':' and a port may follow the ']'");
  ret->has_port = true;
  ret->port = tn_url__skip(item, 1);
  return TN_OK;
}

/* "::1", "fe80::1%eth0" */
static bool
is_ipv6(const char *name)
{
  const char *zone = strchrnul(name, '%');
  char address[INET6_ADDRSTRLEN];
  size_t size = (size_t)(zone - name);
  struct in6_addr unused;

  if (size >= sizeof address)
    return false;
  memcpy(address, name, size);
  address[size] = '\0';
  if (inet_pton(AF_INET6, address, &unused) != 1)
    return false;
  if (*zone == '\0')
    return true;
  zone++;
  return *zone != '\0' && zone[strspn(zone, IN_ZONE)] == '\0';
}

static enum tn_code
check_host_name(const struct tn_url_parser *p, const char *name,
                const struct host_text *host)
{
  const char *at = host->name.data;

  if (host->in_brackets)
    return is_ipv6(name)
               ? TN_OK
               : tn_url__fail(p, at, "the text in brackets is no IPv6 address");
  if (name[0] == '/')
    return strchr(name, ',') == NULL
               ? TN_OK
               : tn_url__fail(p, at, "a socket directory cannot have a ','");
  if (strpbrk(name, NOT_IN_HOST) != NULL)
    return tn_url__fail(p, at, "the host's name has a character that none has");
  return TN_OK;
}

static enum tn_code
bad_port(const struct tn_url_parser *p, struct tn_url_span port)
{
  if (memchr(port.data, ':', port.size) != NULL)
    return tn_url__fail(
        p, port.data,
        "a host has more than one ':' (an IPv6 address stands in "
        "brackets, and '@' follows a password)");
  if (!p->has_userinfo && p->value_at == NULL)
    return tn_url__fail(p, port.data,
                        "the port is not a number from 1 to 65535 (if it is a "
                        "password, '@' is missing after it)");
  return tn_url__fail(p, port.data, "the port is not a number from 1 to 65535");
}

static enum tn_code
parse_port(const struct tn_url_parser *p, struct tn_url_span text,
           unsigned *ret)
{
  unsigned port = 0;
  size_t i;

  if (text.size == 0 || text.size > PORT_DIGITS)
    return bad_port(p, text);
  for (i = 0; i < text.size; i++) {
    if (!tn_text_is_digit(text.data[i]))
      return bad_port(p, text);
    port = port * 10 + (unsigned)(text.data[i] - '0');
  }
  if (port == 0 || port > PORT_MAX)
    return bad_port(p, text);
  *ret = port;
  return TN_OK;
}

static enum tn_code
add_host(struct tn_url_parser *p, const char *name, unsigned port)
{
  tn_url *url = p->url;
  struct tn_url_host *hosts = tn_url__grow(
      url->hosts, url->host_count, &url->host_capacity, sizeof *url->hosts);

  if (hosts == NULL)
    return tn_err_memory(p->err, "url");
  url->hosts = hosts;
  hosts[url->host_count].name = name;
  hosts[url->host_count].port = port;
  url->host_count++;
  return TN_OK;
}

/* The name as text of its own. In an option's value it is already unescaped,
 * in the store, and what stands behind it has been read. */
static enum tn_code
take_host_name(struct tn_url_parser *p, struct tn_url_span name,
               const char **ret)
{
  char *text;

  if (p->value_at == NULL)
    return tn_url__decode(p, name, '\0', ret);
  text = p->url->store + (name.data - p->url->store);
  text[name.size] = '\0';
  *ret = text;
  return TN_OK;
}

static enum tn_code
parse_host(struct tn_url_parser *p, struct tn_url_span item)
{
  struct host_text host = { .name = item };
  const char *name;
  unsigned port = 0;
  enum tn_code rc = TN_OK;

  /* In an option, a directory is taken whole: "/cloudsql/project:region:db". */
  if (p->value_at == NULL || item.size == 0 || *item.data != '/')
    rc = split_host(p, item, &host);
  if (rc == TN_OK && host.name.size == 0)
    rc = tn_url__fail(p, item.data, "a host is empty");
  /* "h:/db" is what templates make of a port that was not given. */
  if (rc == TN_OK && host.has_port &&
      (host.port.size > 0 || p->value_at != NULL))
    rc = parse_port(p, host.port, &port);
  if (rc == TN_OK)
    rc = take_host_name(p, host.name, &name);
  if (rc == TN_OK)
    rc = check_host_name(p, name, &host);
  return rc == TN_OK ? add_host(p, name, port) : rc;
}

enum tn_code
tn_url__parse_host_list(struct tn_url_parser *p, struct tn_url_span list)
{
  struct tn_url_span item;
  bool has_more;
  enum tn_code rc;

  do {
    has_more = tn_url__cut(&list, ',', &item);
    rc = parse_host(p, item);
  } while (rc == TN_OK && has_more);
  return rc;
}

enum tn_code
tn_url__parse_hosts(struct tn_url_parser *p, struct tn_url_span hosts)
{
  static const char memory[] = ":memory:";
  unsigned port = 0;
  enum tn_code rc;

  if (hosts.size == 0)
    return TN_OK;
  if (hosts.size == strlen(memory) &&
      memcmp(hosts.data, memory, hosts.size) == 0)
    return tn_url__fail(p, hosts.data,
                        "a database without a host follows a third '/', as in "
                        "dialect:///:memory:, which is missing");
  if (*hosts.data != ':' || memchr(hosts.data, ',', hosts.size) != NULL)
    return tn_url__parse_host_list(p, hosts);
  rc = parse_port(p, tn_url__skip(hosts, 1), &port);
  return rc == TN_OK ? add_host(p, "", port) : rc;
}

static enum tn_code
add_port_option(struct tn_url_parser *p, struct tn_url_span text)
{
  struct tn_url_port *ports;
  unsigned port = 0;
  enum tn_code rc;

  rc = parse_port(p, text, &port);
  if (rc != TN_OK)
    return rc;
  ports =
      tn_url__grow(p->ports, p->port_count, &p->port_capacity, sizeof *ports);
  if (ports == NULL)
    return tn_err_memory(p->err, "url");
  p->ports = ports;
  ports[p->port_count].port = port;
  ports[p->port_count].at = p->value_at;
  p->port_count++;
  return TN_OK;
}

enum tn_code
tn_url__parse_port_list(struct tn_url_parser *p, struct tn_url_span list)
{
  struct tn_url_span item;
  bool has_more;
  enum tn_code rc;

  do {
    has_more = tn_url__cut(&list, ',', &item);
    rc = add_port_option(p, item);
  } while (rc == TN_OK && has_more);
  return rc;
}

enum tn_code
tn_url__assign_ports(struct tn_url_parser *p, size_t first)
{
  tn_url *url = p->url;
  size_t i;

  if (url->host_count > 1 && *url->hosts[0].name == '\0')
    return tn_url__fail(p, p->rest,
                        "a port without a host stands before the path, but "
                        "hosts follow in options");
  if (p->port_count == 0)
    return TN_OK;
  if (first == url->host_count)
    first = 0;
  if (url->host_count == 0 && p->port_count == 1)
    return add_host(p, "", p->ports[0].port);
  if (url->host_count - first != p->port_count)
    return tn_url__fail(
        p, p->ports[0].at,
        "there are not as many ports as hosts; give one port for each "
        "host");
  for (i = 0; i < p->port_count; i++) {
    struct tn_url_host *host = &url->hosts[first + i];

    if (host->port != 0)
      return tn_url__fail(p, p->ports[i].at, "the host has a port already");
    host->port = p->ports[i].port;
  }
  return TN_OK;
}
