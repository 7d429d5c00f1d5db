/* Statements, their values and their plans as lines of a log. */
#ifndef TENON_STATEMENT_TEXT_H
#define TENON_STATEMENT_TEXT_H

#include <tenon/plugin.h>

#include "strbuf.h"

/* Add a statement in one line, cut after some two thousand bytes: a row of
 * blanks is one. Its strings are "***" once a word of it says that it is about
 * a password, a token or the like; else it is as it was written. */
void tn_statement__add_text(struct tn_strbuf *out,
                            const struct tn_dialect_table *dialect,
                            const char *sql);

/* Add " [int64, text(12)]", or with `is_shown` " [7, 'a text']", of which each
 * is cut after 64 bytes; nothing for no values. */
void tn_statement__add_values(struct tn_strbuf *out, const tn_value *values,
                              size_t count, bool is_shown);

/* Add a line of a plan, in which the server may have put in values: what looks
 * like one is "?" unless `is_shown`. */
void tn_statement__add_plan(struct tn_strbuf *out,
                            const struct tn_dialect_table *dialect,
                            const char *line, size_t size, bool is_shown);

#endif
