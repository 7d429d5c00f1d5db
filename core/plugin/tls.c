/* The options about TLS, read once for all backends that talk to a server.
 *
 * Each client library has its own words for this, its own defaults, and its
 * own way of letting a connection go unprotected. Here one set of options means
 * one thing, the other words are translated, and what contradicts itself or
 * cannot be done is refused before a byte is sent. */
#include "tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "strbuf.h"
#include "text.h"

#define TLS_1_2 0x0303
#define TLS_1_3 0x0304

/* Longest part of a value that a message shows. */
#define SHOWN_MAX 200

/* What the options are about. */
enum field {
  FIELD_MODE,
  FIELD_CA,
  FIELD_CERT,
  FIELD_KEY,
  FIELD_CRL,
  FIELD_MIN_VERSION,
  FIELD_CLEAR_PASSWORD,
  FIELD_CHAIN, /* a switch: is the chain to be verified? */
  FIELD_NAME,  /* a switch: the name as well? */
  FIELD_COUNT
};

/* A value that an option may have, and what it means. */
struct word {
  const char *text;
  uint32_t number;
};

static const struct word modes[] = {
  { "off", TN_TLS_OFF },
  { "prefer", TN_TLS_PREFER },
  { "require", TN_TLS_REQUIRE },
  { "verify-ca", TN_TLS_VERIFY_CA },
  { "verify-full", TN_TLS_VERIFY_FULL },
  { NULL, 0 },
};

static const struct word sslmode_words[] = {
  { "disable", TN_TLS_OFF },
  { "allow", TN_TLS_PREFER },
  { "prefer", TN_TLS_PREFER },
  { "require", TN_TLS_REQUIRE },
  { "verify-ca", TN_TLS_VERIFY_CA },
  { "verify-full", TN_TLS_VERIFY_FULL },
  { NULL, 0 },
};

static const struct word ssl_mode_words[] = {
  { "DISABLED", TN_TLS_OFF },
  { "PREFERRED", TN_TLS_PREFER },
  { "REQUIRED", TN_TLS_REQUIRE },
  { "VERIFY_CA", TN_TLS_VERIFY_CA },
  { "VERIFY_IDENTITY", TN_TLS_VERIFY_FULL },
  { NULL, 0 },
};

static const struct word versions[] = {
  { "1.2", TLS_1_2 },
  { "1.3", TLS_1_3 },
  { NULL, 0 },
};

static const struct word version_words[] = {
  { "TLSv1.2", TLS_1_2 },
  { "TLSv1.3", TLS_1_3 },
  { NULL, 0 },
};

/* By what struct tn_tls has. */
static const struct word clear_passwords[] = {
  { "never", 0 },
  { "verified", 1 },
  { "always", 2 },
  { NULL, 0 },
};

static const struct word switches[] = {
  { "true", 1 }, { "false", 0 }, { "yes", 1 }, { "no", 0 }, { "on", 1 },
  { "off", 0 },  { "1", 1 },     { "0", 0 },   { NULL, 0 },
};

static const struct tn_option_row rows[] = {
  { "tls", TN_OPTION_CHOICE, 0, 0, 0,
    "off|prefer|require|verify-ca|verify-full", "prefer",
    "how the connection is protected" },
  { "tls_ca", TN_OPTION_TEXT, 0, 0, 0, NULL, "",
    "file of the authorities to trust, in PEM; the system's if not given" },
  { "tls_cert", TN_OPTION_TEXT, 0, 0, 0, NULL, "",
    "file of our certificate, in PEM" },
  { "tls_key", TN_OPTION_TEXT, 0, 0, 0, NULL, "",
    "file of its private key, in PEM" },
  { "tls_crl", TN_OPTION_TEXT, 0, 0, 0, NULL, "",
    "file of revoked certificates, in PEM" },
  { "tls_min_version", TN_OPTION_CHOICE, 0, 0, 0, "1.2|1.3", "1.2",
    "oldest version of the protocol" },
  { "clear_password", TN_OPTION_CHOICE, 0, 0, 0, "never|verified|always",
    "verified", "may a server have the password in clear text?" },
};

/* All names, with the values that go with each; without `words` it is the path
 * of a file. Those of `rows` come first, in the same order. */
static const struct name {
  const char *name;
  enum field field;
  bool is_any_case;
  const struct word *words;
} names[] = {
  { "tls", FIELD_MODE, false, modes },
  { "tls_ca", FIELD_CA, false, NULL },
  { "tls_cert", FIELD_CERT, false, NULL },
  { "tls_key", FIELD_KEY, false, NULL },
  { "tls_crl", FIELD_CRL, false, NULL },
  { "tls_min_version", FIELD_MIN_VERSION, false, versions },
  { "clear_password", FIELD_CLEAR_PASSWORD, false, clear_passwords },
  { "sslmode", FIELD_MODE, false, sslmode_words },
  { "ssl_mode", FIELD_MODE, true, ssl_mode_words },
  { "ssl-mode", FIELD_MODE, true, ssl_mode_words },
  { "sslrootcert", FIELD_CA, false, NULL },
  { "ssl_ca", FIELD_CA, false, NULL },
  { "sslcert", FIELD_CERT, false, NULL },
  { "ssl_cert", FIELD_CERT, false, NULL },
  { "sslkey", FIELD_KEY, false, NULL },
  { "ssl_key", FIELD_KEY, false, NULL },
  { "sslcrl", FIELD_CRL, false, NULL },
  { "ssl_crl", FIELD_CRL, false, NULL },
  { "ssl_min_protocol_version", FIELD_MIN_VERSION, true, version_words },
  { "ssl_verify_cert", FIELD_CHAIN, true, switches },
  { "ssl_verify_identity", FIELD_NAME, true, switches },
  { "ssl_check_hostname", FIELD_NAME, true, switches },
};

_Static_assert(TN_COUNT(rows) == FIELD_CLEAR_PASSWORD + 1, "a row a field");

/* What an option said of a field. */
struct given {
  const char *name; /* NULL: none did */
  const char *text;
  uint32_t number;
};

/* All that was said. */
struct reading {
  const char *plugin; /* its name */
  struct given fields[FIELD_COUNT];
  tn_err *err;
};

const struct tn_option_row *
tn_tls_rows(size_t *ret_count)
{
  *ret_count = TN_COUNT(rows);
  return rows;
}

static const struct name *
find_name(const char *name)
{
  for (size_t i = 0; i < TN_COUNT(names); i++) {
    if (strcmp(names[i].name, name) == 0)
      return &names[i];
  }
  return NULL;
}

const char *
tn_tls_name(const char *name)
{
  const struct name *found = find_name(name);

  if (found == NULL)
    return NULL;
  return found->field < TN_COUNT(rows) ? rows[found->field].name : rows[0].name;
}

void
tn_tls_offer(struct tn_suggestion *suggestion)
{
  for (size_t i = 0; i < TN_COUNT(names); i++)
    tn_suggestion_offer(suggestion, names[i].name);
}

const char *
tn_tls_mode_name(uint32_t mode)
{
  for (const struct word *word = modes; word->text != NULL; word++) {
    if (word->number == mode)
      return word->text;
  }
  return "";
}

/* ---- values ---- */

static enum tn_code
refuse(const struct reading *reading, const char *option, const char *value,
       const char *cause)
{
  char shown[SHOWN_MAX];

  tn_text_escape(value, strlen(value), shown, sizeof(shown));
  return tn_err_set(reading->err, TN_E_CONFIG, "%s: option \"%s\": \"%s\" %s",
                    reading->plugin, option, shown, cause);
}

static enum tn_code
refuse_word(const struct reading *reading, const struct name *name,
            const char *value)
{
  struct tn_suggestion suggestion = { .wanted = value };
  TN_CLEANUP(tn_strbuf_clear) struct tn_strbuf cause = TN_STRBUF_INIT(256);

  tn_strbuf_add_text(&cause, "is none of ");
  for (const struct word *word = name->words; word->text != NULL; word++) {
    tn_strbuf_add_format(&cause, "%s%s", word > name->words ? ", " : "",
                         word->text);
    tn_suggestion_offer(&suggestion, word->text);
  }
  if (suggestion.best != NULL)
    tn_strbuf_add_format(&cause, "; did you mean \"%s\"?", suggestion.best);
  if (cause.failure == TN_E_MEMORY)
    return tn_err_memory(reading->err, reading->plugin);
  return refuse(reading, name->name, value, tn_strbuf_text(&cause));
}

static const struct word *
find_word(const struct name *name, const char *value)
{
  for (const struct word *word = name->words; word->text != NULL; word++) {
    if (name->is_any_case ? tn_text_equal_nocase(word->text, value)
                          : strcmp(word->text, value) == 0)
      return word;
  }
  return NULL;
}

static enum tn_code
refuse_both(const struct reading *reading, const struct given *one,
            const struct given *other)
{
  char shown[2][SHOWN_MAX];

  tn_text_escape(one->text, strlen(one->text), shown[0], sizeof(shown[0]));
  tn_text_escape(other->text, strlen(other->text), shown[1], sizeof(shown[1]));
  return tn_err_set(reading->err, TN_E_CONFIG,
                    "%s: options \"%s\" and \"%s\" contradict each other: "
                    "\"%s\" and \"%s\"",
                    reading->plugin, one->name, other->name, shown[0],
                    shown[1]);
}

/* Note what one option says. */
static enum tn_code
read_option(struct reading *reading, const struct name *name, const char *value)
{
  struct given *before = &reading->fields[name->field];
  struct given given = { name->name, value, 0 };
  bool is_same;

  if (name->words != NULL) {
    const struct word *word = find_word(name, value);

    if (word == NULL)
      return refuse_word(reading, name, value);
    given.number = word->number;
  }
  is_same = before->name == NULL ||
            (name->words != NULL ? before->number == given.number
                                 : strcmp(before->text, value) == 0);
  if (!is_same)
    return refuse_both(reading, before, &given);
  if (before->name == NULL)
    *before = given;
  return TN_OK;
}

/* ---- what it comes to ---- */

/* Is the authority that was given one to verify against, although the mode does
 * not say so? It is without a mode; and with a "require" in the words of other
 * tools, where it means that
 * (https://www.postgresql.org/docs/15/libpq-ssl.html). Our own "require" is
 * taken at its word. */
static bool
has_authority_to_ask(const struct reading *reading, const struct given *mode)
{
  if (reading->fields[FIELD_CA].name == NULL)
    return false;
  return mode->name == NULL || (mode->number == TN_TLS_REQUIRE &&
                                strcmp(mode->name, rows[FIELD_MODE].name) != 0);
}

/* The mode that was asked for, with what asked for it in `*ret`. A switch that
 * is on raises it, since whoever verifies wants TLS; but not over "off", and
 * one that is off does not go with a mode that verifies. */
static enum tn_code
resolve_mode(const struct reading *reading, struct given *ret)
{
  static const struct {
    enum field field;
    uint32_t mode; /* on: this at least; off: less than this */
  } rules[] = {
    { FIELD_CHAIN, TN_TLS_VERIFY_CA },
    { FIELD_NAME, TN_TLS_VERIFY_FULL },
  };
  const struct given *asked = &reading->fields[FIELD_MODE];
  struct given mode = { NULL, rows[FIELD_MODE].initial, TN_TLS_PREFER };

  if (asked->name != NULL)
    mode = *asked;
  if (has_authority_to_ask(reading, &mode)) {
    mode = reading->fields[FIELD_CA];
    mode.number = TN_TLS_VERIFY_CA;
  }
  for (size_t i = 0; i < TN_COUNT(rules); i++) {
    const struct given *rule = &reading->fields[rules[i].field];

    if (rule->name == NULL || rule->number == 0 || mode.number >= rules[i].mode)
      continue;
    if (mode.number == TN_TLS_OFF)
      return refuse_both(reading, &mode, rule);
    mode = *rule;
    mode.number = rules[i].mode;
  }
  for (size_t i = 0; i < TN_COUNT(rules); i++) {
    const struct given *rule = &reading->fields[rules[i].field];

    if (rule->name != NULL && rule->number == 0 && mode.number >= rules[i].mode)
      return refuse_both(reading, &mode, rule);
  }
  *ret = mode;
  return TN_OK;
}

/* Why nobody can read the file; NULL if we can. */
static const char *
why_unreadable(const char *path, char *text, size_t size)
{
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  const char *why = NULL;
  struct stat status;

  if (fd < 0)
    return strerror_r(errno, text, size);
  if (fstat(fd, &status) != 0)
    why = strerror_r(errno, text, size);
  else if (!S_ISREG(status.st_mode))
    why = "it is not a file";
  close(fd);
  return why;
}

/* A library that finds none of its files may just go on without. */
static enum tn_code
check_files(const struct reading *reading)
{
  static const enum field files[] = { FIELD_CA, FIELD_CERT, FIELD_KEY,
                                      FIELD_CRL };
  char text[128];
  char cause[160];

  for (size_t i = 0; i < TN_COUNT(files); i++) {
    const struct given *file = &reading->fields[files[i]];
    const char *why = NULL;

    if (file->name != NULL)
      why = why_unreadable(file->text, text, sizeof(text));
    if (why == NULL)
      continue;
    snprintf(cause, sizeof(cause), "cannot be read: %s", why);
    return refuse(reading, file->name, file->text, cause);
  }
  return TN_OK;
}

static enum tn_code
check_pair(const struct reading *reading)
{
  const struct given *cert = &reading->fields[FIELD_CERT];
  const struct given *key = &reading->fields[FIELD_KEY];

  if ((cert->name == NULL) == (key->name == NULL))
    return TN_OK;
  return tn_err_set(reading->err, TN_E_CONFIG,
                    "%s: option \"%s\" is of no use without \"%s\"",
                    reading->plugin,
                    cert->name != NULL ? cert->name : key->name,
                    rows[cert->name != NULL ? FIELD_KEY : FIELD_CERT].name);
}

/* Is the server, or one of them, reached by a unix socket? Without an address
 * it is, or would be. */
static bool
has_local_socket(const struct tn_connect_args *args)
{
  if (args->address_count == 0 ||
      tn_connect_option(args, "unix_socket") != NULL)
    return true;
  for (uint32_t i = 0; i < args->address_count; i++) {
    const char *host = args->addresses[i].host;

    if (host == NULL || host[0] == '\0' || host[0] == '/')
      return true;
  }
  return false;
}

static enum tn_code
check_peer(const struct reading *reading, const struct given *mode,
           const struct tn_connect_args *args)
{
  if (mode->number < TN_TLS_REQUIRE || !has_local_socket(args))
    return TN_OK;
  return refuse(reading, mode->name, mode->text,
                "asks for TLS, which a unix socket does not have; name a host, "
                "or set tls=off");
}

static uint32_t
number_or(const struct given *given, uint32_t initial)
{
  return given->name != NULL ? given->number : initial;
}

static enum tn_code
resolve(const struct reading *reading, const struct tn_connect_args *args,
        struct tn_tls *ret)
{
  const struct given *fields = reading->fields;
  struct given mode = { NULL, NULL, 0 };
  enum tn_code rc = resolve_mode(reading, &mode);

  if (rc == TN_OK)
    rc = check_pair(reading);
  if (rc == TN_OK)
    rc = check_peer(reading, &mode, args);
  if (rc == TN_OK)
    rc = check_files(reading);
  if (rc != TN_OK)
    return rc;
  *ret = (struct tn_tls){
    .size = sizeof(*ret),
    .mode = mode.number,
    .min_version = number_or(&fields[FIELD_MIN_VERSION], TLS_1_2),
    .clear_password = number_or(&fields[FIELD_CLEAR_PASSWORD], 1),
    .ca = fields[FIELD_CA].text,
    .cert = fields[FIELD_CERT].text,
    .key = fields[FIELD_KEY].text,
    .crl = fields[FIELD_CRL].text,
  };
  return TN_OK;
}

enum tn_code
tn_tls_take(const struct tn_plugin *plugin, struct tn_option *options,
            struct tn_connect_args *args, struct tn_tls *tls, tn_err *err)
{
  struct reading reading = { .plugin = plugin->name, .err = err };
  uint32_t kept = 0;
  enum tn_code rc = TN_OK;

  if ((plugin->caps & TN_CAP_NETWORK) == 0)
    return TN_OK;
  for (uint32_t i = 0; i < args->option_count; i++) {
    const char *value = options[i].value != NULL ? options[i].value : "";
    const struct name *name = find_name(options[i].name);

    if (name == NULL)
      options[kept++] = options[i];
    else if (rc == TN_OK)
      rc = read_option(&reading, name, value);
  }
  args->option_count = kept;
  if (rc == TN_OK)
    rc = resolve(&reading, args, tls);
  if (rc == TN_OK)
    args->tls = tls;
  return rc;
}

/* ---- whom we talk to ---- */

bool
tn_tls_is_remote(const char *host)
{
  struct in6_addr ip6;
  struct in_addr ip4;

  if (host == NULL || host[0] == '\0' || host[0] == '/' ||
      tn_text_equal_nocase(host, "localhost"))
    return false;
  if (inet_pton(AF_INET, host, &ip4) == 1)
    return ntohl(ip4.s_addr) >> 24 != IN_LOOPBACKNET;
  if (inet_pton(AF_INET6, host, &ip6) != 1)
    return true;
  if (IN6_IS_ADDR_V4MAPPED(&ip6))
    return ip6.s6_addr[12] != IN_LOOPBACKNET;
  return !IN6_IS_ADDR_LOOPBACK(&ip6);
}
