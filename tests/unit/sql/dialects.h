/* Lexical traits of the usual backends, as data for tests of the lexer and for
 * its fuzz target. The real tables are the plug-ins' own. */
#ifndef TENON_TESTS_DIALECTS_H
#define TENON_TESTS_DIALECTS_H

#include <tenon/plugin.h>

/* Bits for rows of a table that hold in several of them. */
#define S   1u
#define P   2u
#define M   4u
#define SPM (S | P | M)

#define DIALECT_COUNT 3

static const char *const dialect_names[DIALECT_COUNT] = {
  "sqlite",
  "postgresql",
  "mysql",
};

static const struct tn_dialect_table dialects[DIALECT_COUNT] = {
  {
      .size = sizeof(struct tn_dialect_table),
      .lexer = TN_LEX_BRACKET_NAME | TN_LEX_BACKTICK_NAME | TN_LEX_TRIGGER_BODY,
      .placeholder = TN_PLACEHOLDER_QUESTION_NUMBER,
  },
  {
      .size = sizeof(struct tn_dialect_table),
      .lexer = TN_LEX_E_STRING | TN_LEX_DOLLAR_QUOTE | TN_LEX_NESTED_COMMENT |
               TN_LEX_SLICE | TN_LEX_ATOMIC_BODY,
      .placeholder = TN_PLACEHOLDER_DOLLAR_NUMBER,
  },
  {
      .size = sizeof(struct tn_dialect_table),
      .lexer = TN_LEX_BACKSLASH | TN_LEX_HASH_COMMENT |
               TN_LEX_DASH_NEEDS_SPACE | TN_LEX_BACKTICK_NAME |
               TN_LEX_DOUBLE_STRING | TN_LEX_AT_VARIABLE | TN_LEX_TRIGGER_BODY |
               TN_LEX_CODE_COMMENT,
      .placeholder = TN_PLACEHOLDER_QUESTION,
  },
};

#endif
