/* How a session is to be protected: the options about TLS, which mean the same
 * for every backend with TN_CAP_NETWORK. */
#ifndef TENON_TLS_H
#define TENON_TLS_H

#include <tenon/plugin.h>

#include "base_priv.h"
#include "text.h"

/* The rows of these options, under their own names; static. */
const struct tn_option_row *tn_tls_rows(size_t *ret_count);

/* What `name` is another name of, or says something about: "tls" for
 * "sslmode". NULL: it has nothing to do with TLS. */
const char *tn_tls_name(const char *name);

/* Offer all names there are. */
void tn_tls_offer(struct tn_suggestion *suggestion);

/* Take the options about TLS out of `args`, whose list `options` is, and set
 * `args->tls` to `tls`, filled with what they say. Texts in it are those of
 * the options. Nothing to do for a plug-in without TN_CAP_NETWORK.
 * Fails: TN_E_CONFIG, a bad value, two that contradict each other, a file that
 * cannot be read, TLS where there is none. */
enum tn_code tn_tls_take(const struct tn_plugin *plugin,
                         struct tn_option *options,
                         struct tn_connect_args *args, struct tn_tls *tls,
                         tn_err *err);

/* Is this another machine? A directory, "" and NULL are not, nor are loopback
 * addresses and "localhost". */
bool tn_tls_is_remote(const char *host);

/* "verify-full"; "" for a number that is no mode. Static. */
const char *tn_tls_mode_name(uint32_t mode);

#endif
