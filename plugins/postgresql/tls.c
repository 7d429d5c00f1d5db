/* What was asked of TLS, in libpq's words.
 *
 * libpq looks for files of its own in the home folder, takes an authority's
 * certificate that it finds there as a wish to verify, and goes on without a
 * list of revoked certificates that it cannot read. So every file is named: the
 * one that was asked for, or one that cannot be there. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <unistd.h>

#include "pg_priv.h"

static const char *const modes[] = {
  [TN_TLS_OFF] = "disable",
  [TN_TLS_PREFER] = "prefer",
  [TN_TLS_REQUIRE] = "require",
  [TN_TLS_VERIFY_CA] = "verify-ca",
  [TN_TLS_VERIFY_FULL] = "verify-full",
};

/* Where systems keep the authorities that they trust, in one file. */
static const char *const bundles[] = {
  "/etc/ssl/certs/ca-certificates.crt", /* Debian */
  "/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora */
  "/etc/ssl/ca-bundle.pem",             /* openSUSE */
  "/etc/ssl/cert.pem",                  /* Alpine */
};

static const char *
system_authorities(void)
{
  size_t i;

  if (access(X509_get_default_cert_file(), R_OK) == 0)
    return X509_get_default_cert_file();
  for (i = 0; i < PG__COUNT(bundles); i++)
    if (access(bundles[i], R_OK) == 0)
      return bundles[i];
  return NULL;
}

/* Is there a list of revoked certificates in the file? */
static bool
has_crl(const char *path)
{
  BIO *file = BIO_new_file(path, "r");
  X509_CRL *crl = NULL;

  if (file != NULL)
    crl = PEM_read_bio_X509_CRL(file, NULL, NULL, NULL);
  BIO_free(file);
  ERR_clear_error();
  if (crl == NULL)
    return false;
  X509_CRL_free(crl);
  return true;
}

static const char *
or_none(const char *path)
{
  return path == NULL || path[0] == '\0' ? PG__NO_FILE : path;
}

int32_t
pg__tls_options(const struct tn_tls *tls, struct tn_call *call,
                struct pg__options *options)
{
  bool is_verified = tls->mode >= TN_TLS_VERIFY_CA;
  const char *ca = tls->ca;

  if (is_verified && ca == NULL)
    ca = system_authorities();
  if (is_verified && ca == NULL)
    return tn_fail(call, TN_E_CONFIG,
                   "postgresql: tls=%s: the system has no file of authorities "
                   "to trust; name one with tls_ca",
                   modes[tls->mode]);
  if (is_verified && tls->crl != NULL && !has_crl(tls->crl))
    return tn_fail(call, TN_E_CONFIG,
                   "postgresql: option \"tls_crl\": %s: there is no list of "
                   "revoked certificates in it",
                   tls->crl);
  pg__option(options, "sslmode", modes[tls->mode]);
  pg__option(options, "sslrootcert", is_verified ? ca : PG__NO_FILE);
  pg__option(options, "sslcrl", or_none(tls->crl));
  pg__option(options, "sslcrldir", PG__NO_FILE);
  pg__option(options, "sslcert", or_none(tls->cert));
  pg__option(options, "sslkey", or_none(tls->key));
  pg__option(options, "ssl_min_protocol_version",
             tls->min_version >= TLS1_3_VERSION ? "TLSv1.3" : "TLSv1.2");
  pg__option(options, "ssl_max_protocol_version", "TLSv1.3");
  return TN_OK;
}
