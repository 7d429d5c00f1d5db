/* Spelling that follows from a dialect's data. */
#ifndef TENON_DIALECT_H
#define TENON_DIALECT_H

#include <tenon/plugin.h>

#include "strbuf.h"

/* Add `name` to `buf`, quoted. Fails: TN_E_DATA, empty, too long or with a
 * NUL in it; TN_E_CHARSET, not UTF-8. */
enum tn_code tn_dialect_quote(const struct tn_dialect_table *dialect,
                              const char *name, size_t size,
                              struct tn_strbuf *buf, tn_err *err);

#endif
