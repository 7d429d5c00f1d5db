/* Options of a URL, checked against the rows of a backend. */
#ifndef TENON_OPTION_PRIV_H
#define TENON_OPTION_PRIV_H

#include <tenon/plugin.h>

#include "base_priv.h"
#include "text.h"

/* The row of that name, else that of all others ("*"); NULL if there is none.
 */
const struct tn_option_row *tn_option_find(const struct tn_plugin *plugin,
                                           const char *name);

/* Is there a row for the option, and does the value keep to it? Rows with
 * TN_OPTION_IGNORED take any value. The value of a secret is never told.
 * Fails: TN_E_CONFIG, unknown, with the nearest name; not of its type; out of
 * range; none of the choices. */
enum tn_code tn_option_check(const struct tn_plugin *plugin,
                             const struct tn_option *option, tn_err *err);

/* Offer the names of all options that the backend takes. */
void tn_option_offer(const struct tn_plugin *plugin,
                     struct tn_suggestion *suggestion);

#endif
