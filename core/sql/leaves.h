/* What a statement leaves behind in its session, although it only reads or
 * writes rows. */
#ifndef TENON_LEAVES_H
#define TENON_LEAVES_H

#include <stdbool.h>
#include <tenon/plugin.h>

/* Does the statement in `size` bytes of text make a table or a variable of what
 * it selects, set one with `:=`, or call one of the dialect's session_words,
 * or perhaps, by a name that is spelled by numbers? What a function does that
 * it calls, or a trigger, is not seen. `is_query`: its INTO does not stand
 * behind INSERT. */
bool tn_sql_leaves(const struct tn_dialect_table *dialect, const char *text,
                   size_t size, bool is_query);

#endif
