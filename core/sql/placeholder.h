/* Statements as people write them to statements as a backend takes them.
 *
 * One lexer, parameterised by the dialect's TN_LEX_ bits, tells placeholders
 * from the text they must not be looked for in: strings, quoted names,
 * comments, dollar quotes, casts, slices, assignments. */
#ifndef TENON_PLACEHOLDER_H
#define TENON_PLACEHOLDER_H

#include <tenon/plugin.h>

#include "arena.h"

/* A translated statement; everything lives in the arena, or in the text given
 * where nothing had to be changed. */
struct tn_sql {
  const char *text; /* ended by NUL */
  size_t size;
  uint32_t slot_count;   /* values the caller owes: `?` each, or names */
  uint32_t place_count;  /* values the backend takes */
  const char **names;    /* slot_count names if the statement uses `:name` */
  const uint32_t *order; /* slot of each place, from 0; NULL: place i is slot
                            i, and the counts are equal */
};

/* Translate one statement of `size` bytes ended by a NUL. lexer.h says what is
 * a placeholder. `??` becomes `?`, and is refused where `?` is the backend's
 * own placeholder: no such operator can be there. A name that is repeated is
 * one slot. A text that needs no change is returned as it is, without a copy.
 * Fails: TN_E_USAGE, with the position: `?` and `:name` mixed, `?5` and others
 * of the backend's own, more than one statement, none at all, something that
 * does not end (a string, a comment), a NUL inside; TN_E_CHARSET; TN_E_LIMIT,
 * more placeholders or bytes than the dialect takes; TN_E_MEMORY. */
enum tn_code tn_sql_translate(const struct tn_dialect_table *dialect,
                              const char *text, size_t size,
                              struct tn_arena *arena, struct tn_sql *ret,
                              tn_err *err);

/* The same checks for a statement whose placeholders are the backend's own:
 * one statement, well-formed, in UTF-8. The text is not changed. */
enum tn_code tn_sql_check(const struct tn_dialect_table *dialect,
                          const char *text, size_t size, tn_err *err);

/* Find the next statement of a script, from byte `*at` on: `*ret_start` and
 * `*ret_size` without its ';' and the blanks and comments around it. Moves
 * `*at` behind the ';'. False when there is no further one. Never fails: what
 * does not end is a statement to the end of the text, for the checks above to
 * refuse. */
bool tn_sql_next(const struct tn_dialect_table *dialect, const char *text,
                 size_t size, size_t *at, size_t *ret_start, size_t *ret_size);

/* How many times tn_sql_next() would be true, and whether each of these
 * statements has its ';'. */
uint64_t tn_sql_count(const struct tn_dialect_table *dialect, const char *text,
                      size_t size, bool *ret_is_complete);

#endif
