/* What a statement is, as far as its first words tell. */
#ifndef TENON_KIND_H
#define TENON_KIND_H

#include <tenon/plugin.h>

enum tn_sql_kind {
  TN_SQL_OTHER = 1, /* may change what later statements mean: DDL, SET, USE,
                       DISCARD, CALL, whatever is not known */
  TN_SQL_SELECT,    /* also WITH, VALUES and TABLE */
  TN_SQL_INSERT,    /* also REPLACE */
  TN_SQL_UPDATE,
  TN_SQL_DELETE,
  TN_SQL_TRANSACTION, /* BEGIN, COMMIT, SAVEPOINT and the like */
  TN_SQL_KIND_COUNT
};

/* The kind (enum tn_sql_kind) of the statement in `size` bytes of text, behind
 * blanks, comments and opening parentheses. */
uint32_t tn_sql_kind(const struct tn_dialect_table *dialect, const char *text,
                     size_t size);

/* What a statement does to the transaction as a whole. */
enum tn_sql_boundary {
  TN_SQL_INSIDE = 0, /* nothing that its words tell; savepoints are inside */
  TN_SQL_BEGINS,
  TN_SQL_COMMITS,
  TN_SQL_ROLLS_BACK,
  TN_SQL_PREPARES, /* for a commit in two phases; also what comes before */
};

/* The same (enum tn_sql_boundary) of it, also inside a comment that is
 * executed. BEGIN of a block, as in BEGIN NOT ATOMIC …, begins none. */
uint32_t tn_sql_boundary(const struct tn_dialect_table *dialect,
                         const char *text, size_t size);

#endif
