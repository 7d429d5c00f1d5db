/* TLS and authentication: what was asked for happens, or there is no session.
 *
 * The core says what is asked for, in words that mean the same for every
 * backend; here they become the library's options. Two things MariaDB's library
 * does not do by itself. It logs in without TLS when the server offers none,
 * unless the peer's name is to be verified: so the server's first packet is
 * looked at before anything is sent. And any server may ask for the password in
 * a form that it can read: so the ways of authentication are limited to those
 * that prove the password without telling it, unless the peer is known. */
#include "my_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define GREETING_HEADER   4 /* length and number of a packet */
#define GREETING_MAX      2048
#define GREETING_PROTOCOL 10
#define GREETING_ERROR    0xff
#define GREETING_CAPS     13 /* bytes between the version and the flags */
#define FLAG_TLS          0x0800

bool
mysql__tls_is_required(const struct mysql__endpoint *endpoint)
{
  return endpoint->tls_mode >= TN_TLS_REQUIRE;
}

bool
mysql__tls_is_verified(const struct mysql__endpoint *endpoint)
{
  return endpoint->tls_mode >= TN_TLS_VERIFY_CA;
}

/* ------------------------------------------------------------------ */
/* What the URL says                                                    */

/* Where systems keep the authorities they trust: the library has no way to ask
 * for its own default and verify by it. */
static const char *const bundles[] = {
  "/etc/ssl/certs/ca-certificates.crt", /* Debian, Alpine, Arch */
  "/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora */
  "/etc/ssl/ca-bundle.pem",             /* SUSE */
  "/etc/ssl/cert.pem",                  /* BSD */
};

static int32_t
find_authorities(struct tn_call *call, struct mysql__endpoint *endpoint)
{
  struct stat info;
  size_t i;

  for (i = 0; i < MYSQL__COUNT(bundles); i++)
    if (stat(bundles[i], &info) == 0) {
      endpoint->ca = bundles[i];
      return TN_OK;
    }
  return tn_fail(call, TN_E_CONFIG,
                 "mysql: tls: the system has no file of authorities where it "
                 "is looked for: name one by tls_ca");
}

int32_t
mysql__tls_read(const struct tn_connect_args *args, struct tn_call *call,
                struct mysql__endpoint *ret)
{
  const struct tn_tls *tls = args->tls;

  ret->tls_mode = TN_TLS_PREFER;
  ret->tls_version = 0x0303;
  ret->clear_password = 1;
  if (tls == NULL)
    return TN_OK;
  ret->tls_mode = tls->mode;
  ret->tls_version = tls->min_version;
  ret->clear_password = tls->clear_password;
  ret->cert = tls->cert;
  ret->key = tls->key;
  if (!mysql__tls_is_verified(ret))
    return TN_OK; /* the library would verify if it had authorities */
  ret->ca = tls->ca;
  ret->crl = tls->crl;
  return ret->ca != NULL ? TN_OK : find_authorities(call, ret);
}

/* ------------------------------------------------------------------ */
/* The library's options                                                */

static bool
set(MYSQL *mysql, enum mysql_option option, const void *value)
{
  return mysql_options(mysql, option, value) == 0;
}

/* A file is set only if there is one: NULL means different things. */
static bool
set_file(MYSQL *mysql, enum mysql_option option, const char *file)
{
  return file == NULL || set(mysql, option, file);
}

#ifdef TENON_MYSQL_SSL_MODE

static bool
set_mode(MYSQL *mysql, const struct mysql__endpoint *endpoint)
{
  static const unsigned modes[] = {
    [TN_TLS_OFF] = SSL_MODE_DISABLED,
    [TN_TLS_PREFER] = SSL_MODE_PREFERRED,
    [TN_TLS_REQUIRE] = SSL_MODE_REQUIRED,
    [TN_TLS_VERIFY_CA] = SSL_MODE_VERIFY_CA,
    [TN_TLS_VERIFY_FULL] = SSL_MODE_VERIFY_IDENTITY,
  };
  unsigned mode = endpoint->host == NULL ? (unsigned)SSL_MODE_DISABLED
                                         : modes[endpoint->tls_mode];

  return set(mysql, MYSQL_OPT_SSL_MODE, &mode);
}

#else

/* From 3.4 on MariaDB's library verifies all or nothing; servers come with that
 * one from 11.4 on, and then it may go by their number. What the library has
 * as a number is the server's in some builds, Debian's among them, where its
 * text is its own. */
static bool
verifies_chain_alone(void)
{
#ifdef MARIADB_PACKAGE_VERSION
  char *rest = NULL;
  unsigned long major = strtoul(mysql_get_client_info(), &rest, 10);
  unsigned long minor = *rest == '.' ? strtoul(rest + 1, NULL, 10) : 99;

  return major < 10 ? major * 100 + minor < 304 : major * 100 + minor < 1104;
#else
  return true;
#endif
}

static bool
set_mode(MYSQL *mysql, const struct mysql__endpoint *endpoint)
{
  mysql__flag is_on =
      endpoint->tls_mode != TN_TLS_OFF && endpoint->host != NULL;
  mysql__flag is_verified = endpoint->tls_mode == TN_TLS_VERIFY_FULL;

  if (endpoint->tls_mode == TN_TLS_VERIFY_CA && !verifies_chain_alone())
    is_verified = 1;
  return set(mysql, MYSQL_OPT_SSL_ENFORCE, &is_on) &&
         set(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &is_verified);
}

#endif

static bool
set_tls(MYSQL *mysql, const struct mysql__endpoint *endpoint)
{
  const char *versions =
      endpoint->tls_version >= 0x0304 ? "TLSv1.3" : "TLSv1.2,TLSv1.3";

  if (endpoint->tls_mode != TN_TLS_OFF && endpoint->host != NULL &&
      (!set_file(mysql, MYSQL_OPT_SSL_CA, endpoint->ca) ||
       !set_file(mysql, MYSQL_OPT_SSL_CERT, endpoint->cert) ||
       !set_file(mysql, MYSQL_OPT_SSL_KEY, endpoint->key) ||
       !set_file(mysql, MYSQL_OPT_SSL_CRL, endpoint->crl) ||
       !set(mysql, MYSQL_OPT_TLS_VERSION, versions)))
    return false;
  return set_mode(mysql, endpoint); /* files would switch TLS on */
}

/* May the peer have the password itself? */
static bool
may_have_password(const struct mysql__endpoint *endpoint)
{
  bool is_known = endpoint->host == NULL || mysql__tls_is_verified(endpoint);

  return endpoint->clear_password >= 2 ||
         (endpoint->clear_password == 1 && is_known);
}

/* The first ones prove the password. The others tell it: in clear text, or, as
 * MySQL's two do when TLS is not used, enciphered with a key that whoever
 * answers has sent. */
#define PROVING "mysql_native_password,client_ed25519,parsec,auth_gssapi_client"
#define TELLING                                                                \
  "caching_sha2_password,sha256_password,mysql_clear_password,dialog"

static bool
set_authentication(MYSQL *mysql, const struct mysql__endpoint *endpoint)
{
  mysql__flag may = may_have_password(endpoint);

#ifdef TENON_MYSQL_RESTRICTED_AUTH
  if (!set(mysql, MARIADB_OPT_RESTRICTED_AUTH,
           may ? PROVING "," TELLING : PROVING))
    return false;
#endif
  return set(mysql, MYSQL_ENABLE_CLEARTEXT_PLUGIN, &may);
}

bool
mysql__tls_options(MYSQL *mysql, const struct mysql__endpoint *endpoint,
                   struct mysql__reason *reason)
{
  if (set_tls(mysql, endpoint) && set_authentication(mysql, endpoint))
    return true;
  reason->category = TN_E_CONFIG;
  snprintf(reason->text, sizeof reason->text,
           "tls: the client library does not take an option");
  return false;
}

/* ------------------------------------------------------------------ */
/* The server's first packet                                            */

static int
refuse(struct mysql__reason *reason, const char *text)
{
  reason->category = TN_E_CONNECT;
  snprintf(reason->text, sizeof reason->text, "%s", text);
  return -1;
}

int
mysql__tls_check_greeting(const unsigned char *bytes, size_t size,
                          const struct mysql__endpoint *endpoint,
                          struct mysql__reason *reason)
{
  const unsigned char *version_end, *flags;
  size_t length;

  if (size <= GREETING_HEADER)
    return 0;
  length = bytes[0] | (size_t)bytes[1] << 8 | (size_t)bytes[2] << 16;
  if (bytes[GREETING_HEADER] == GREETING_ERROR)
    return 1; /* the library reports it */
  if (bytes[GREETING_HEADER] != GREETING_PROTOCOL || length > GREETING_MAX)
    return refuse(reason, "this is no MySQL server");
  if (size < GREETING_HEADER + length)
    return 0;
  version_end =
      memchr(bytes + GREETING_HEADER + 1, '\0', size - GREETING_HEADER - 1);
  if (version_end == NULL ||
      version_end + 1 + GREETING_CAPS + 2 > bytes + GREETING_HEADER + length)
    return refuse(reason, "this is no MySQL server");
  flags = version_end + 1 + GREETING_CAPS;
  if (((flags[0] | flags[1] << 8) & FLAG_TLS) == 0)
    return mysql__tls_is_required(endpoint)
               ? refuse(reason, "tls: the server does not offer it")
               : 1;
  if (endpoint->tls_mode != TN_TLS_OFF && size > GREETING_HEADER + length)
    return refuse(reason, "tls: there is an answer before it has begun");
  return 1;
}
