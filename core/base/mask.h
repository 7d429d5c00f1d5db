/* Hiding passwords in text that others wrote. */
#ifndef TENON_MASK_H
#define TENON_MASK_H

#include "base_priv.h"

/* Replace, in place, what looks like a password by "***": the second half of
 * "://user:password@", and the value of "name=value" where the name ends in
 * password, passwd, pwd, secret or token, in a query string or a conninfo
 * string, quoted or not. In doubt it hides too much. `text` ends with NUL; it
 * may grow up to `capacity` bytes, and where that does not do, there are fewer
 * stars. Repeating it changes nothing. */
void tn_text_mask(char *text, size_t capacity);

/* Does `size` bytes of a name end in one of these words, in any case? */
bool tn_text_names_secret(const char *name, size_t size);

#endif
