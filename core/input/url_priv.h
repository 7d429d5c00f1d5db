/* What the files of the URL module share. */
#ifndef TENON_URL_PRIV_H
#define TENON_URL_PRIV_H

#include <tenon/url.h>

#include "base_priv.h"

struct tn_url_host {
  const char *name; /* "": the backend's usual one, only ever alone */
  unsigned port;
};

struct tn_url_option {
  const char *name;
  const char *value;
  size_t offset; /* of the name, in the text that was parsed */
};

/* The parts are unescaped into `store`, one block as long as the URL, so that
 * all secrets can be wiped at once. */
struct tn_url {
  char *store;
  size_t store_size;
  const char *dialect;
  const char *driver;
  const char *user;
  const char *password; /* in `store`, or `own_password` */
  char *own_password;   /* from tn_url_set_password() */
  const char *database;
  struct tn_url_host *hosts;
  size_t host_count;
  size_t host_capacity;
  struct tn_url_option *options;
  size_t option_count;
  size_t option_capacity;
  const struct tn_url_option **by_name; /* sorted by the name's bytes */
};

/* A piece of text, not ended by NUL. */
struct tn_url_span {
  const char *data;
  size_t size;
};

/* A `port` option: they are given to the hosts when all have been read. */
struct tn_url_port {
  unsigned port;
  const char *at;
};

struct tn_url_parser {
  tn_url *url;
  tn_err *err;
  struct tn_url_span text;
  const char *rest; /* what follows user and password */
  size_t store_used;
  bool has_userinfo;
  const char *value_at; /* reading an unescaped value that stands here, where
                           errors are placed; else NULL */
  struct tn_url_port *ports;
  size_t port_count;
  size_t port_capacity;
};

/* --- url_text.c -----------------------------------------------------------*/

/* Say what is wrong at a place in the parser's text. */
enum tn_code tn_url__fail(const struct tn_url_parser *p, const char *at,
                          const char *what);

/* What keeps `size` bytes from being a part of a URL: "a control character";
 * NULL: nothing does. `*ret_offset` is the first bad byte's. */
const char *tn_url__fault(const char *text, size_t size, size_t *ret_offset);

/* `span` without its first `size` bytes. */
struct tn_url_span tn_url__skip(struct tn_url_span span, size_t size);

/* The first byte of `span` that is in `set`; its size if there is none. */
size_t tn_url__find(struct tn_url_span span, const char *set);

/* Cut the bytes before the first `separator` off the front of `*rest` and say
 * whether there was one; it goes with them. Without one, all goes. */
bool tn_url__cut(struct tn_url_span *rest, char separator,
                 struct tn_url_span *ret_front);

/* Unescape `raw` into the store, with a NUL. `space` is the character that
 * means a space; NUL: none does. */
enum tn_code tn_url__decode(struct tn_url_parser *p, struct tn_url_span raw,
                            char space, const char **ret);

/* Make room for one more item; NULL without memory, and `array` stays. */
void *tn_url__grow(void *array, size_t count, size_t *capacity,
                   size_t item_size);

/* --- url_host.c -----------------------------------------------------------*/

/* Read what stands before the path: nothing, ":port" or a list of hosts. */
enum tn_code tn_url__parse_hosts(struct tn_url_parser *p,
                                 struct tn_url_span hosts);

/* Read the values of `host` and `port` options. */
enum tn_code tn_url__parse_host_list(struct tn_url_parser *p,
                                     struct tn_url_span list);
enum tn_code tn_url__parse_port_list(struct tn_url_parser *p,
                                     struct tn_url_span list);

/* When all options are read: give the `port` options to the hosts of `host`
 * options or, if there are none, to those before the path, of which there are
 * `first`. */
enum tn_code tn_url__assign_ports(struct tn_url_parser *p, size_t first);

#endif
