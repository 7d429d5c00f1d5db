/* Connection URLs, in the forms that SQLAlchemy accepts:
 *
 *   dialect[+driver]://[user[:password]@][host[:port][,host[:port]…]]/[database][?name=value&…]
 *
 * (https://docs.sqlalchemy.org/en/20/core/engines.html#database-urls).
 * Escapes are %XX in every part; a '+' means itself except in option values,
 * where it means a space. A host may be an IPv6 address in brackets; several
 * hosts stand between commas or in repeated `host=name:port` options. Their
 * ports may also be `port` options, as many as hosts: host=a,b&port=1,2. A host
 * that starts with '/' is a directory of unix sockets, and in an option taken
 * whole, colons and all; its port is a `port` option.
 *
 * A raw '@' ends user and password; the password may have raw '@', '/', '?' and
 * '#' where it can be told that they are its own.
 *
 * What is ambiguous is refused, with its position: a repeated option, a bad
 * escape, an empty host in a list, a port that is not 1 to 65535 (but `host:`
 * is a host without one), control characters, a fragment, an '@' with two
 * readings. */
#ifndef TENON_URL_H
#define TENON_URL_H

#include <tenon/err.h>

TN_BEGIN_DECLS

/* Immutable but for tn_url_set_password(), so it can be shared by threads. */
typedef struct tn_url tn_url;

/* Longest URL read, in bytes. */
#define TN_URL_MAX 65536

/* Parse `text`. `*ret` is the caller's until tn_url_free().
 * Fails: TN_E_CONFIG, with what and where in characters, never with the text
 * of a password; TN_E_USAGE, it is NULL; TN_E_MEMORY. */
TN_API TN_MUST_USE enum tn_code tn_url_parse(const char *text, tn_url **ret,
                                             tn_err *err);
TN_API TN_MUST_USE enum tn_code tn_url_copy(const tn_url *url, tn_url **ret,
                                            tn_err *err);

/* Wipe the password from memory, release, store NULL. */
TN_API void tn_url_free(tn_url **url);

/* The parts, unescaped, borrowed from `url`. A part that is absent is NULL; a
 * part that is there and empty is "". `dialect` and `driver` are in lower
 * case. `database` is what follows the first '/' after the hosts: "x.db" for
 * sqlite:///x.db and "/x.db" for sqlite:////x.db. */
TN_API const char *tn_url_dialect(const tn_url *url);
TN_API const char *tn_url_driver(const tn_url *url);
TN_API const char *tn_url_user(const tn_url *url);
TN_API const char *tn_url_password(const tn_url *url);
TN_API const char *tn_url_database(const tn_url *url);

/* Hosts, in the order given; repeated `host` options follow those before the
 * path. A port that was not given is 0. NULL and 0 past the end. A port alone,
 * as in postgresql://:5433/x, makes one host "". */
TN_API size_t tn_url_host_count(const tn_url *url);
TN_API const char *tn_url_host(const tn_url *url, size_t index);
TN_API unsigned tn_url_port(const tn_url *url, size_t index);

/* Options in the order given, without `host` and `port`. NULL past the end. */
TN_API size_t tn_url_option_count(const tn_url *url);
TN_API const char *tn_url_option_name(const tn_url *url, size_t index);
TN_API const char *tn_url_option_value(const tn_url *url, size_t index);

/* The value of one option; NULL if it is not given. */
TN_API const char *tn_url_option(const tn_url *url, const char *name);

/* Replace the password; NULL removes it. A URL without a user gets the user "".
 * Not while others read `url`.
 * Fails: TN_E_MEMORY; TN_E_CONFIG for control characters, bytes that are no
 * UTF-8, and a URL that would be longer than TN_URL_MAX. */
TN_API TN_MUST_USE enum tn_code tn_url_set_password(tn_url *url,
                                                    const char *password,
                                                    tn_err *err);

/* Flags of tn_url_print(). */
#define TN_URL_PASSWORD UINT32_C(1) /* show secrets; without it "***" */

/* Write the URL into `buffer` as tn_value_print() does. Shown with its
 * secrets it parses back to an equal URL. Secrets are the password and the
 * options whose name contains, in any case, "password", "passwd",
 * "passphrase", "pwd", "secret" or "token". */
TN_API size_t tn_url_print(const tn_url *url, uint32_t flags, char *buffer,
                           size_t size);

/* Do both name the same database in the same way? Options in any order. */
TN_API int tn_url_equal(const tn_url *a, const tn_url *b);

TN_END_DECLS

#endif
