/* Copies of values in memory of the caller's choice. */
#ifndef TENON_VALUE_COPY_H
#define TENON_VALUE_COPY_H

#include <tenon/value.h>

/* How many bytes a copy needs besides the value itself: 0 for a number.
 * Fails: TN_E_DATA, an array nested too deep; TN_E_MEMORY, more than there can
 * be. */
enum tn_code tn_value_copy_size(const tn_value *value, size_t *ret_size);

/* Make `*ret` a copy whose bytes and items lie in `block`, of that size and
 * aligned for any type, and do not count as its own. Bytes and type names are
 * ended by NUL. `ret` may be `value`. */
void tn_value_copy_into(const tn_value *value, void *block, tn_value *ret);

#endif
