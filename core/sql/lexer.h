/* SQL text cut into tokens, by the rules that a dialect's data states.
 *
 * The lexer knows just enough of each dialect to say which bytes are code: it
 * is what the search for placeholders and the cutting of scripts stand on. It
 * builds no tree, allocates nothing, reads every byte a bounded number of
 * times and never fails: tokens follow one another without a gap to the end
 * of the text, whatever is in it.
 *
 * What a colon means. `:name`, a letter or '_' followed by letters, digits and
 * '_', is a placeholder unless
 *  - it directly follows a word, a number or another placeholder (`lbl:loop`,
 *    `a[i:n]`), or a second colon (`x::int` is a cast);
 *  - the dialect has slices (TN_LEX_SLICE) and an operand stands before it,
 *    blanks or not: a literal, a quoted name, a placeholder, ')' or ']'. So
 *    `n` is a column in a[1:n], a[1 :n], a[f(x):n] and a[:lo :n]. After '[',
 *    ',' or an operator it is a placeholder: a[:lo], a[:lo : :hi], a[1: :hi];
 *    so it is behind a word and a blank, as in THEN :n, and in a[i :n].
 * `::` and `:=` are operators, and so `:a::int` is a placeholder and a cast.
 * There is no escape with a backslash.
 *
 * What the data cannot say is fixed: a comment of one line ends at CR as well
 * as at LF, and what settings of one session change is not followed
 * (standard_conforming_strings, NO_BACKSLASH_ESCAPES, ANSI_QUOTES). */
#ifndef TENON_LEXER_H
#define TENON_LEXER_H

#include <stdbool.h>
#include <tenon/plugin.h>

enum tn_token_kind {
  TN_TOKEN_BLANK = 1,
  TN_TOKEN_COMMENT,
  TN_TOKEN_CODE,      /* either end of a comment whose inside is executed */
  TN_TOKEN_STRING,    /* also a dollar quote */
  TN_TOKEN_NAME,      /* quoted */
  TN_TOKEN_WORD,      /* keyword, plain name, @variable */
  TN_TOKEN_NUMBER,    /* digits, with the letters that follow */
  TN_TOKEN_SEMICOLON, /* one that ends a statement */
  TN_TOKEN_MARK,      /* any other character; `::` and `:=` */
  TN_TOKEN_PLACE,     /* ? */
  TN_TOKEN_NAMED,     /* :name */
  TN_TOKEN_OPERATOR,  /* ??, the operator `?` */

  /* What the backend would take for a placeholder, or half of it. */
  TN_TOKEN_NATIVE,   /* ?5 everywhere; $1, $x, @x, #x, :5 by dialect */
  TN_TOKEN_GLUED,    /* :b in a:b, where the backend has :b itself */
  TN_TOKEN_BAD_NAME, /* :naïve, :a$b */
  TN_TOKEN_KIND_COUNT
};

struct tn_token {
  uint32_t kind; /* enum tn_token_kind */
  bool is_open;  /* it does not end: it goes to the end of the text */
  size_t start;
  size_t size; /* in bytes, never 0 */
};

/* How far the words so far have come towards a body full of semicolons. */
enum tn_lexer_phase {
  TN_PHASE_START = 0, /* nothing of the statement has been seen */
  TN_PHASE_EXPLAIN,   /* EXPLAIN [QUERY PLAN] */
  TN_PHASE_CREATE,
  TN_PHASE_DEFINER, /* CREATE DEFINER = … */
  TN_PHASE_BEGIN,   /* BEGIN alone, which NOT ATOMIC may follow */
  TN_PHASE_ROUTINE, /* CREATE TRIGGER and the like, BEGIN NOT ATOMIC, IF … */
  TN_PHASE_ATOMIC,  /* CREATE FUNCTION, where only BEGIN ATOMIC begins a body */
  TN_PHASE_RULE,    /* CREATE RULE … DO (a; b) */
  TN_PHASE_PLAIN,   /* any other statement */
};

/* Embedded in its user; copied freely. Borrows the text. */
struct tn_lexer {
  const char *text;
  size_t size;
  size_t at; /* where the next token starts */
  uint32_t traits;
  uint32_t placeholder;

  bool in_code; /* inside a comment that is executed, */
  size_t code_start;

  /* What the tokens before say of the next one. */
  uint32_t last;      /* kind of the last token; 0: none */
  bool after_operand; /* comments and blanks aside */
  uint32_t e_string;  /* E'…' so far, which a line end may continue */

  /* Where the statement is. */
  uint32_t phase;      /* enum tn_lexer_phase */
  uint32_t last_roles; /* of the last token in the grammar of bodies */
  bool in_handler;     /* DECLARE … HANDLER FOR … */
  bool after_end;      /* END was read; what is after it decides */
  bool end_is_pending; /* and it stands where one can end a block */
  size_t depth;        /* of BEGIN … END, or of parentheses in a rule */
  size_t blocks;       /* of IF … END IF and their like */
  size_t cases;        /* of CASE … END in an expression */
};

/* Start at byte `at` of the text, which must be the start of a statement. */
void tn_lexer_init(struct tn_lexer *lexer,
                   const struct tn_dialect_table *dialect, const char *text,
                   size_t size, size_t at);

/* Take the next token. False at the end of the text; if `in_code` is set then,
 * the executed comment at `code_start` does not end. */
bool tn_lexer_next(struct tn_lexer *lexer, struct tn_token *ret);

/* May `c` stand inside a plain name? Letters, digits, '_', '$' and all bytes
 * beyond ASCII. */
bool tn_lexer_is_word(char c);

#endif
