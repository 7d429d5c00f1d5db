/* What a parsed URL is asked: its parts, another password, whether two are
 * equal, its text.
 *
 * Printing is here because it must mirror the parser: shown with its secrets a
 * URL parses back to an equal one, and tn_url_copy() is just that. */
#include <tenon/url.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "url_priv.h"

/* Unescaped in the parts of a URL, besides letters, digits, "-._~" and what is
 * not ASCII. A '+' is always escaped, for readers who take it for a space. */
#define SAFE_IN_USERINFO  "!$&'()*,;="
#define SAFE_IN_HOST      "!$&'()*;="
#define SAFE_IN_ADDRESS   ":"
#define SAFE_IN_DIRECTORY "/:"
#define SAFE_IN_DATABASE  "/:\\!$&'()*,;="
#define SAFE_IN_OPTION    "/:,*"

#define HIDDEN "***"

/* An option is a secret if its name contains one of these, in any case. */
static const char *const secret_words[] = {
  "password", "passwd", "passphrase", "pwd", "secret", "token",
};

/* snprintf(), piece by piece. */
struct output {
  char *buffer;
  size_t size;
  size_t length;
};

/* --- Parts ----------------------------------------------------------------*/

const char *
tn_url_dialect(const tn_url *url)
{
  return url->dialect;
}

const char *
tn_url_driver(const tn_url *url)
{
  return url->driver;
}

const char *
tn_url_user(const tn_url *url)
{
  return url->user;
}

const char *
tn_url_password(const tn_url *url)
{
  return url->password;
}

const char *
tn_url_database(const tn_url *url)
{
  return url->database;
}

size_t
tn_url_host_count(const tn_url *url)
{
  return url->host_count;
}

const char *
tn_url_host(const tn_url *url, size_t index)
{
  return index < url->host_count ? url->hosts[index].name : NULL;
}

unsigned
tn_url_port(const tn_url *url, size_t index)
{
  return index < url->host_count ? url->hosts[index].port : 0;
}

size_t
tn_url_option_count(const tn_url *url)
{
  return url->option_count;
}

const char *
tn_url_option_name(const tn_url *url, size_t index)
{
  return index < url->option_count ? url->options[index].name : NULL;
}

const char *
tn_url_option_value(const tn_url *url, size_t index)
{
  return index < url->option_count ? url->options[index].value : NULL;
}

static int
compare_name(const void *key, const void *item)
{
  const struct tn_url_option *const *option = item;

  return strcmp(key, (*option)->name);
}

const char *
tn_url_option(const tn_url *url, const char *name)
{
  const struct tn_url_option *const *found = NULL;

  if (url->option_count > 0)
    found = bsearch(name, url->by_name, url->option_count, sizeof *url->by_name,
                    compare_name);
  return found == NULL ? NULL : (*found)->value;
}

/* --- Life -----------------------------------------------------------------*/

static void
wipe_and_free(char **text, size_t size)
{
  if (*text != NULL)
    tn_memory_wipe(*text, size);
  tn_memory_free(*text);
  *text = NULL;
}

static void
forget_password(tn_url *url)
{
  if (url->password != NULL && url->own_password == NULL) {
    char *stored = url->store + (url->password - url->store);

    tn_memory_wipe(stored, strlen(stored));
  }
  if (url->own_password != NULL)
    wipe_and_free(&url->own_password, strlen(url->own_password));
  url->password = NULL;
}

void
tn_url_free(tn_url **url)
{
  tn_url *old;

  if (url == NULL || *url == NULL)
    return;
  old = *url;
  *url = NULL;
  forget_password(old);
  wipe_and_free(&old->store, old->store_size);
  tn_memory_free(old->hosts);
  tn_memory_free(old->options);
  tn_memory_free(old->by_name);
  tn_memory_free(old);
}

enum tn_code
tn_url_copy(const tn_url *url, tn_url **ret, tn_err *err)
{
  size_t size = tn_url_print(url, TN_URL_PASSWORD, NULL, 0) + 1;
  char *text = tn_memory_alloc(size);
  enum tn_code rc;

  if (text == NULL)
    return tn_err_memory(err, "url");
  tn_url_print(url, TN_URL_PASSWORD, text, size);
  rc = tn_url_parse(text, ret, err);
  wipe_and_free(&text, size);
  return rc;
}

/* Would the URL with that password be too long to be read? */
static bool
is_too_long_with(const tn_url *url, const char *password)
{
  tn_url changed = *url;

  changed.password = password;
  return tn_url_print(&changed, TN_URL_PASSWORD, NULL, 0) > TN_URL_MAX;
}

enum tn_code
tn_url_set_password(tn_url *url, const char *password, tn_err *err)
{
  const char *fault;
  char *copy;
  size_t offset;

  if (password == NULL) {
    forget_password(url);
    return TN_OK;
  }
  fault = tn_url__fault(password, strlen(password), &offset);
  if (fault != NULL)
    return tn_err_set(err, TN_E_CONFIG, "url: %s in the password", fault);
  if (is_too_long_with(url, password))
    return tn_err_set(err, TN_E_CONFIG,
                      "url: longer than %d bytes with the password",
                      TN_URL_MAX);
  copy = tn_memory_text(password, strlen(password));
  if (copy == NULL)
    return tn_err_memory(err, "url");
  forget_password(url);
  url->own_password = copy;
  url->password = copy;
  /* In the text a password follows a user, be it an empty one. */
  if (url->user == NULL)
    url->user = "";
  return TN_OK;
}

/* --- Comparing ------------------------------------------------------------*/

static bool
equal_text(const char *a, const char *b)
{
  if (a == NULL || b == NULL)
    return a == b;
  return strcmp(a, b) == 0;
}

static bool
equal_hosts(const tn_url *a, const tn_url *b)
{
  size_t i;

  if (a->host_count != b->host_count)
    return false;
  for (i = 0; i < a->host_count; i++) {
    if (a->hosts[i].port != b->hosts[i].port ||
        strcmp(a->hosts[i].name, b->hosts[i].name) != 0)
      return false;
  }
  return true;
}

static bool
equal_options(const tn_url *a, const tn_url *b)
{
  size_t i;

  if (a->option_count != b->option_count)
    return false;
  for (i = 0; i < a->option_count; i++) {
    if (strcmp(a->by_name[i]->name, b->by_name[i]->name) != 0 ||
        strcmp(a->by_name[i]->value, b->by_name[i]->value) != 0)
      return false;
  }
  return true;
}

int
tn_url_equal(const tn_url *a, const tn_url *b)
{
  if (a == NULL || b == NULL)
    return a == b;
  return equal_text(a->dialect, b->dialect) &&
         equal_text(a->driver, b->driver) && equal_text(a->user, b->user) &&
         equal_text(a->password, b->password) &&
         equal_text(a->database, b->database) && equal_hosts(a, b) &&
         equal_options(a, b);
}

/* --- Printing -------------------------------------------------------------*/

static void
put_char(struct output *out, char c)
{
  if (out->length + 1 < out->size)
    out->buffer[out->length] = c;
  out->length++;
}

static void
put(struct output *out, const char *text)
{
  for (; *text != '\0'; text++)
    put_char(out, *text);
}

static void
put_escaped(struct output *out, const char *text, const char *safe)
{
  static const char digits[] = "0123456789ABCDEF";

  for (; *text != '\0'; text++) {
    unsigned char c = (unsigned char)*text;

    if (c >= 0x80 || tn_text_is_alpha(*text) || tn_text_is_digit(*text) ||
        strchr("-._~", c) != NULL || strchr(safe, c) != NULL) {
      put_char(out, *text);
      continue;
    }
    put_char(out, '%');
    put_char(out, digits[c >> 4]);
    put_char(out, digits[c & 15]);
  }
}

static void
put_port(struct output *out, const char *before, unsigned port)
{
  char digits[16];

  if (port == 0)
    return;
  snprintf(digits, sizeof digits, "%u", port);
  put(out, before);
  put(out, digits);
}

static void
put_userinfo(struct output *out, const tn_url *url, bool is_open)
{
  if (url->user == NULL)
    return;
  put_escaped(out, url->user, SAFE_IN_USERINFO);
  if (url->password != NULL) {
    put_char(out, ':');
    if (is_open)
      put_escaped(out, url->password, SAFE_IN_USERINFO);
    else
      put(out, HIDDEN);
  }
  put_char(out, '@');
}

/* The first host to be printed as an option, which is how people write socket
 * directories; host_count if none need be. Ports of options must be given for
 * all or none; if they are not, all hosts stand in front of the path. */
static size_t
first_host_option(const tn_url *url)
{
  size_t first = 0;
  size_t with_port = 0;
  size_t i;

  while (first < url->host_count && url->hosts[first].name[0] != '/')
    first++;
  for (i = first; i < url->host_count; i++)
    with_port += url->hosts[i].port != 0;
  if (with_port != 0 && with_port != url->host_count - first)
    return url->host_count;
  return first;
}

static void
put_host(struct output *out, const char *name, const char *safe)
{
  bool is_ipv6 = name[0] != '/' && strchr(name, ':') != NULL;

  if (is_ipv6)
    put_char(out, '[');
  put_escaped(out, name, is_ipv6 ? SAFE_IN_ADDRESS : safe);
  if (is_ipv6)
    put_char(out, ']');
}

static void
put_hosts(struct output *out, const tn_url *url, size_t end)
{
  size_t i;

  for (i = 0; i < end; i++) {
    if (i > 0)
      put_char(out, ',');
    put_host(out, url->hosts[i].name, SAFE_IN_HOST);
    put_port(out, ":", url->hosts[i].port);
  }
}

static bool
starts_with_nocase(const char *text, const char *word)
{
  while (*word != '\0' && tn_text_lower(*text) == *word) {
    text++;
    word++;
  }
  return *word == '\0';
}

static bool
is_secret(const char *name)
{
  size_t i;

  for (; *name != '\0'; name++) {
    for (i = 0; i < TN_COUNT(secret_words); i++) {
      if (starts_with_nocase(name, secret_words[i]))
        return true;
    }
  }
  return false;
}

/* The separator in front of one more option. */
static void
put_separator(struct output *out, bool *has_options)
{
  put_char(out, *has_options ? '&' : '?');
  *has_options = true;
}

static void
put_options(struct output *out, const tn_url *url, size_t first_host,
            bool is_open)
{
  bool has_options = false;
  size_t i;

  for (i = first_host; i < url->host_count; i++) {
    put_separator(out, &has_options);
    put(out, "host=");
    put_host(out, url->hosts[i].name, SAFE_IN_DIRECTORY);
    put_port(out, "&port=", url->hosts[i].port);
  }
  for (i = 0; i < url->option_count; i++) {
    put_separator(out, &has_options);
    put_escaped(out, url->options[i].name, "");
    put_char(out, '=');
    if (!is_open && is_secret(url->options[i].name))
      put(out, HIDDEN);
    else
      put_escaped(out, url->options[i].value, SAFE_IN_OPTION);
  }
}

size_t
tn_url_print(const tn_url *url, uint32_t flags, char *buffer, size_t size)
{
  struct output out = { .buffer = buffer, .size = size };
  bool is_open = (flags & TN_URL_PASSWORD) != 0;
  size_t first_host = first_host_option(url);

  put(&out, url->dialect);
  if (url->driver != NULL) {
    put_char(&out, '+');
    put(&out, url->driver);
  }
  put(&out, "://");
  put_userinfo(&out, url, is_open);
  put_hosts(&out, url, first_host);
  if (url->database != NULL) {
    put_char(&out, '/');
    put_escaped(&out, url->database, SAFE_IN_DATABASE);
  }
  put_options(&out, url, first_host, is_open);
  if (size > 0)
    buffer[out.length < size ? out.length : size - 1] = '\0';
  return out.length;
}
