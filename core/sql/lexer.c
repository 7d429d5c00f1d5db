/* The lexer behind placeholders and scripts.
 *
 * One table chooses the reader of a token by its first byte, the dialect's
 * TN_LEX_ bits what that reader does. A second, smaller machine follows the
 * keywords of CREATE TRIGGER and the like, so that the semicolons inside a
 * body do not cut it. It is no grammar: it counts BEGIN, IF and their like, and
 * END, only where a statement can begin and end, so that columns of these
 * names, functions and CASE … END do no harm. Nothing here calls itself,
 * however deep the text nests. */
#include "lexer.h"

#include <string.h>

#include "text.h"

/* The roles of a word, or of a mark, in the grammar of bodies. */
#define ROLE_CREATE    UINT32_C(0x001) /* a statement that may have a body */
#define ROLE_MODIFIER  UINT32_C(0x002) /* between CREATE and the kind */
#define ROLE_DEFINER   UINT32_C(0x004) /* likewise, with an account after it */
#define ROLE_ROUTINE   UINT32_C(0x008) /* the kinds that have a body */
#define ROLE_RULE      UINT32_C(0x010)
#define ROLE_BEGIN     UINT32_C(0x020)
#define ROLE_END       UINT32_C(0x040)
#define ROLE_LEADS     UINT32_C(0x080) /* a block may begin after it */
#define ROLE_CLOSES    UINT32_C(0x100) /* the END of a block may follow it */
#define ROLE_AFTER_END UINT32_C(0x200) /* END IF is not the END of a block */
#define ROLE_HANDLER   UINT32_C(0x400)
#define ROLE_DOT       UINT32_C(0x800)  /* before a column of that name */
#define ROLE_OPENS     UINT32_C(0x1000) /* IF … END IF, where one may begin */
#define ROLE_FOR       UINT32_C(0x2000) /* likewise, and much else */
#define ROLE_CASE      UINT32_C(0x4000) /* likewise, or an expression */
#define ROLE_REPEAT    UINT32_C(0x8000) /* likewise; its END follows UNTIL … */
#define ROLE_DO        UINT32_C(0x10000)
#define ROLE_NOT       UINT32_C(0x20000)
#define ROLE_ATOMIC    UINT32_C(0x40000)

/* Longest word of the table below. */
#define ROLE_WORD_MAX 13

struct role_row {
  char word[ROLE_WORD_MAX + 1];
  uint32_t roles;
};

static const struct role_row role_rows[] = {
  { "create", ROLE_CREATE },
  { "alter", ROLE_CREATE },
  { "or", ROLE_MODIFIER },
  { "replace", ROLE_MODIFIER },
  { "temp", ROLE_MODIFIER },
  { "temporary", ROLE_MODIFIER },
  { "aggregate", ROLE_MODIFIER },
  { "definer", ROLE_DEFINER },
  { "trigger", ROLE_ROUTINE },
  { "procedure", ROLE_ROUTINE },
  { "function", ROLE_ROUTINE },
  { "event", ROLE_ROUTINE },
  { "rule", ROLE_RULE },
  { "begin", ROLE_BEGIN | ROLE_LEADS | ROLE_CLOSES },
  { "not", ROLE_NOT },
  { "atomic", ROLE_ATOMIC | ROLE_LEADS | ROLE_CLOSES },
  { "end", ROLE_END },
  { "then", ROLE_LEADS },
  { "else", ROLE_LEADS },
  { "do", ROLE_DO | ROLE_LEADS },
  { "loop", ROLE_OPENS | ROLE_LEADS | ROLE_AFTER_END },
  { "repeat", ROLE_OPENS | ROLE_REPEAT | ROLE_LEADS | ROLE_AFTER_END },
  { "if", ROLE_OPENS | ROLE_AFTER_END },
  { "while", ROLE_OPENS | ROLE_AFTER_END },
  { "case", ROLE_OPENS | ROLE_CASE | ROLE_AFTER_END },
  { "for", ROLE_OPENS | ROLE_FOR | ROLE_AFTER_END },
  { "handler", ROLE_HANDLER },

  /* the last word before a body */
  { "row", ROLE_LEADS },
  { "deterministic", ROLE_LEADS },
  { "sql", ROLE_LEADS },
  { "data", ROLE_LEADS },
  { "invoker", ROLE_LEADS },
};

/* Where the lexer is in E'…' LF '…', which is one string: the second part has
 * backslash escapes as well. */
enum e_string {
  E_STRING_NONE = 0,
  E_STRING_SAME_LINE,
  E_STRING_NEXT_LINE,
};

typedef void (*scan_fn)(const struct tn_lexer *lexer, struct tn_token *token);

/* The byte `ahead` of the token's first one; NUL past the end. */
static char
peek(const struct tn_lexer *lexer, size_t ahead)
{
  return ahead < lexer->size - lexer->at ? lexer->text[lexer->at + ahead]
                                         : '\0';
}

static bool
has(const struct tn_lexer *lexer, uint32_t trait)
{
  return (lexer->traits & trait) != 0;
}

/* Does the backend itself read ?5, :name, @name, $name and #name? */
static bool
has_native_names(const struct tn_lexer *lexer)
{
  return lexer->placeholder == TN_PLACEHOLDER_QUESTION_NUMBER;
}

/* Bytes beyond ASCII are letters, as all three kinds of server have it. */
static bool
is_word_start(char c)
{
  return tn_text_is_alpha(c) || c == '_' || (unsigned char)c >= 0x80;
}

static bool
is_alphanumeric(char c)
{
  return is_word_start(c) || tn_text_is_digit(c);
}

bool
tn_lexer_is_word(char c)
{
  return is_alphanumeric(c) || c == '$';
}

/* How many bytes from `ahead` on satisfy `test`. */
static size_t
run_of(const struct tn_lexer *lexer, size_t ahead, bool (*test)(char))
{
  size_t end = lexer->at + ahead;

  while (end < lexer->size && test(lexer->text[end]))
    end++;
  return end - lexer->at - ahead;
}

static void
take(struct tn_token *token, uint32_t kind, size_t size)
{
  token->kind = kind;
  token->size = size;
}

static void
take_rest(const struct tn_lexer *lexer, struct tn_token *token, uint32_t kind)
{
  take(token, kind, lexer->size - lexer->at);
  token->is_open = true;
}

/* ------------------------------------------------------------------ */
/* Quotes                                                              */

struct quote {
  char open;
  char close;
  bool is_doubled; /* the closing one, to stand for itself */
  uint32_t needs;  /* a trait; 0: in every dialect */
};

static const struct quote quotes[] = {
  { '\'', '\'', true, 0 },
  { '"', '"', true, 0 },
  { '`', '`', true, TN_LEX_BACKTICK_NAME },
  { '[', ']', false, TN_LEX_BRACKET_NAME },
};

/* The inside starts `ahead` bytes from here. */
static void
take_quoted(const struct tn_lexer *lexer, struct tn_token *token, size_t ahead,
            const struct quote *quote, bool has_backslash)
{
  size_t i;

  for (i = lexer->at + ahead; i < lexer->size; i++) {
    char c = lexer->text[i];

    if (c == '\\' && has_backslash) {
      i++;
    } else if (c == quote->close) {
      if (!quote->is_doubled || i + 1 == lexer->size ||
          lexer->text[i + 1] != quote->close) {
        take(token, token->kind, i + 1 - lexer->at);
        return;
      }
      i++;
    }
  }
  take_rest(lexer, token, token->kind);
}

static void
scan_quote(const struct tn_lexer *lexer, struct tn_token *token)
{
  char c = peek(lexer, 0);
  const struct quote *quote = quotes;
  bool is_string;

  while (quote->open != c)
    quote++;
  if (quote->needs != 0 && !has(lexer, quote->needs))
    return;
  is_string = c == '\'' || (c == '"' && has(lexer, TN_LEX_DOUBLE_STRING));
  token->kind = is_string ? TN_TOKEN_STRING : TN_TOKEN_NAME;
  take_quoted(lexer, token, 1, quote,
              is_string && (has(lexer, TN_LEX_BACKSLASH) ||
                            lexer->e_string == E_STRING_NEXT_LINE));
}

/* $tag$ … $tag$. Bytes of the tag; 0 if there is none: `$1` and `$a b` are
 * not. */
static size_t
dollar_tag(const struct tn_lexer *lexer)
{
  size_t size = 1;

  if (is_word_start(peek(lexer, 1)))
    size += run_of(lexer, 1, is_alphanumeric);
  return peek(lexer, size) == '$' ? size + 1 : 0;
}

/* A tag has no '$' inside, so no byte is compared for two candidates. */
static void
take_dollar_quoted(const struct tn_lexer *lexer, struct tn_token *token,
                   size_t tag_size)
{
  const char *tag = lexer->text + lexer->at;
  const char *end = lexer->text + lexer->size;
  const char *found = tag + tag_size;

  while ((found = memchr(found, '$', (size_t)(end - found))) != NULL &&
         (size_t)(end - found) >= tag_size) {
    if (memcmp(found, tag, tag_size) == 0) {
      take(token, TN_TOKEN_STRING, (size_t)(found - tag) + tag_size);
      return;
    }
    found++;
  }
  take_rest(lexer, token, TN_TOKEN_STRING);
}

/* ------------------------------------------------------------------ */
/* Comments                                                            */

static bool
is_in_line(char c)
{
  return c != '\n' && c != '\r';
}

static void
take_line(const struct tn_lexer *lexer, struct tn_token *token)
{
  take(token, TN_TOKEN_COMMENT, run_of(lexer, 0, is_in_line));
}

static void
scan_dash(const struct tn_lexer *lexer, struct tn_token *token)
{
  unsigned char after = (unsigned char)peek(lexer, 2);

  /* MySQL wants a blank or a control character, or the end of the text. */
  if (peek(lexer, 1) == '-' &&
      (!has(lexer, TN_LEX_DASH_NEEDS_SPACE) || after <= ' ' || after == 0x7F))
    take_line(lexer, token);
}

static void
take_comment(const struct tn_lexer *lexer, struct tn_token *token)
{
  bool is_nesting = has(lexer, TN_LEX_NESTED_COMMENT);
  size_t depth = 1;
  size_t i;

  for (i = lexer->at + 2; i + 1 < lexer->size; i++) {
    const char *pair = lexer->text + i;

    if (pair[0] == '*' && pair[1] == '/') {
      i++;
      if (--depth == 0) {
        take(token, TN_TOKEN_COMMENT, i + 1 - lexer->at);
        return;
      }
    } else if (is_nesting && pair[0] == '/' && pair[1] == '*') {
      i++;
      depth++;
    }
  }
  take_rest(lexer, token, TN_TOKEN_COMMENT);
}

/* The digits after the '!' are a version of the server. */
static void
scan_slash(const struct tn_lexer *lexer, struct tn_token *token)
{
  if (peek(lexer, 1) != '*')
    return;
  if (has(lexer, TN_LEX_CODE_COMMENT) && peek(lexer, 2) == '!')
    take(token, TN_TOKEN_CODE, 3 + run_of(lexer, 3, tn_text_is_digit));
  else
    take_comment(lexer, token);
}

static void
scan_star(const struct tn_lexer *lexer, struct tn_token *token)
{
  if (lexer->in_code && peek(lexer, 1) == '/')
    take(token, TN_TOKEN_CODE, 2);
}

/* ------------------------------------------------------------------ */
/* Placeholders, and what looks like them                              */

static void
scan_question(const struct tn_lexer *lexer, struct tn_token *token)
{
  size_t digits = run_of(lexer, 1, tn_text_is_digit);

  if (digits > 0)
    take(token, TN_TOKEN_NATIVE, 1 + digits);
  else if (peek(lexer, 1) == '?')
    take(token, TN_TOKEN_OPERATOR, 2);
  else
    take(token, TN_TOKEN_PLACE, 1);
}

/* Does a word, a placeholder or a colon directly precede this token? */
static bool
is_glued(const struct tn_lexer *lexer)
{
  switch (lexer->last) {
  case TN_TOKEN_MARK:
    return lexer->text[lexer->at - 1] == ':';
  case TN_TOKEN_WORD:
  case TN_TOKEN_NUMBER:
  case TN_TOKEN_PLACE:
  case TN_TOKEN_NAMED:
  case TN_TOKEN_NATIVE:
    return true;
  default:
    return false;
  }
}

/* The kind of ':' followed by `size` bytes of a word that starts like a name:
 * see lexer.h. */
static uint32_t
colon_kind(const struct tn_lexer *lexer, size_t size)
{
  const char *name = lexer->text + lexer->at + 1;
  size_t i;

  if (is_glued(lexer))
    return has_native_names(lexer) ? TN_TOKEN_GLUED : TN_TOKEN_MARK;
  if (has(lexer, TN_LEX_SLICE) && lexer->after_operand)
    return TN_TOKEN_MARK;
  for (i = 0; i < size; i++)
    if ((unsigned char)name[i] >= 0x80 || name[i] == '$')
      return TN_TOKEN_BAD_NAME;
  return TN_TOKEN_NAMED;
}

static void
scan_colon(const struct tn_lexer *lexer, struct tn_token *token)
{
  size_t size = run_of(lexer, 1, tn_lexer_is_word);
  uint32_t kind;

  if (peek(lexer, 1) == ':' || peek(lexer, 1) == '=') {
    take(token, TN_TOKEN_MARK, 2);
  } else if (is_word_start(peek(lexer, 1))) {
    kind = colon_kind(lexer, size);
    take(token, kind, kind == TN_TOKEN_MARK ? 1 : 1 + size);
  } else if (size > 0 && has_native_names(lexer)) {
    take(token, TN_TOKEN_NATIVE, 1 + size);
  }
}

/* A character that starts a backend's own placeholder if a word follows. In
 * other dialects the word is left unread: a row of '$' would be read again for
 * each of them. */
static void
scan_sigil(const struct tn_lexer *lexer, struct tn_token *token)
{
  size_t size;

  if (!has_native_names(lexer))
    return;
  size = run_of(lexer, 1, tn_lexer_is_word);

  /* $::x is a name of Tcl's, which SQLite knows. */
  if (peek(lexer, 1) == ':' && peek(lexer, 2) == ':')
    size = 2;
  if (size > 0)
    take(token, TN_TOKEN_NATIVE, 1 + size);
}

static void
scan_dollar(const struct tn_lexer *lexer, struct tn_token *token)
{
  size_t digits = run_of(lexer, 1, tn_text_is_digit);
  size_t tag_size = has(lexer, TN_LEX_DOLLAR_QUOTE) ? dollar_tag(lexer) : 0;

  if (tag_size > 0)
    take_dollar_quoted(lexer, token, tag_size);
  else if (digits > 0 && lexer->placeholder == TN_PLACEHOLDER_DOLLAR_NUMBER)
    take(token, TN_TOKEN_NATIVE, 1 + digits);
  else
    scan_sigil(lexer, token);
}

static void
scan_hash(const struct tn_lexer *lexer, struct tn_token *token)
{
  if (has(lexer, TN_LEX_HASH_COMMENT))
    take_line(lexer, token);
  else
    scan_sigil(lexer, token);
}

static bool
is_variable(char c)
{
  return tn_lexer_is_word(c) || c == '.';
}

/* @x and @@global.x; @'x' is a mark and a string. */
static void
scan_at(const struct tn_lexer *lexer, struct tn_token *token)
{
  size_t ahead = peek(lexer, 1) == '@' ? 2 : 1;
  size_t size = run_of(lexer, ahead, is_variable);

  if (!has(lexer, TN_LEX_AT_VARIABLE))
    scan_sigil(lexer, token);
  else if (size > 0)
    take(token, TN_TOKEN_WORD, ahead + size);
}

/* ------------------------------------------------------------------ */
/* The rest                                                            */

static void
scan_semicolon(const struct tn_lexer *lexer, struct tn_token *token)
{
  if (lexer->blocks == 0 &&
      (lexer->depth == 0 || (lexer->depth == 1 && lexer->end_is_pending)))
    token->kind = TN_TOKEN_SEMICOLON;
}

static void
scan_word(const struct tn_lexer *lexer, struct tn_token *token)
{
  if (has(lexer, TN_LEX_E_STRING) && tn_text_lower(peek(lexer, 0)) == 'e' &&
      peek(lexer, 1) == '\'') {
    token->kind = TN_TOKEN_STRING;
    take_quoted(lexer, token, 2, &quotes[0], true);
  } else {
    take(token, TN_TOKEN_WORD, run_of(lexer, 0, tn_lexer_is_word));
  }
}

/* Without '$', which in PostgreSQL starts a quote after a number. */
static void
scan_number(const struct tn_lexer *lexer, struct tn_token *token)
{
  take(token, TN_TOKEN_NUMBER, run_of(lexer, 0, is_alphanumeric));
}

static void
scan_blank(const struct tn_lexer *lexer, struct tn_token *token)
{
  take(token, TN_TOKEN_BLANK, run_of(lexer, 0, tn_text_is_space));
}

/* By first byte. The others are blanks, words and numbers, or a mark each. */
static const scan_fn scanners[128] = {
  ['\''] = scan_quote,   ['"'] = scan_quote, ['`'] = scan_quote,
  ['['] = scan_quote,    ['-'] = scan_dash,  ['/'] = scan_slash,
  ['*'] = scan_star,     ['#'] = scan_hash,  ['?'] = scan_question,
  [':'] = scan_colon,    ['@'] = scan_at,    ['$'] = scan_dollar,
  [';'] = scan_semicolon
};

static void
scan(const struct tn_lexer *lexer, struct tn_token *token)
{
  char c = peek(lexer, 0);

  if (is_word_start(c))
    scan_word(lexer, token);
  else if (tn_text_is_digit(c))
    scan_number(lexer, token);
  else if (tn_text_is_space(c))
    scan_blank(lexer, token);
  else if (scanners[(unsigned char)c] != NULL)
    scanners[(unsigned char)c](lexer, token);
}

/* ------------------------------------------------------------------ */
/* What a token changes                                                */

static bool
is_mark(const struct tn_lexer *lexer, const struct tn_token *token, char mark)
{
  return token->kind == TN_TOKEN_MARK && token->size == 1 &&
         lexer->text[token->start] == mark;
}

static bool
is_operand(const struct tn_lexer *lexer, const struct tn_token *token)
{
  switch (token->kind) {
  case TN_TOKEN_STRING:
  case TN_TOKEN_NAME:
  case TN_TOKEN_NUMBER:
  case TN_TOKEN_PLACE:
  case TN_TOKEN_NAMED:
  case TN_TOKEN_NATIVE:
    return true;
  default:
    return is_mark(lexer, token, ')') || is_mark(lexer, token, ']');
  }
}

static bool
has_line_end(const struct tn_lexer *lexer, const struct tn_token *token)
{
  const char *text = lexer->text + token->start;

  return memchr(text, '\n', token->size) != NULL ||
         memchr(text, '\r', token->size) != NULL;
}

/* PostgreSQL joins strings between which there is a line end and nothing but
 * blanks and comments of one line. */
static uint32_t
next_e_string(const struct tn_lexer *lexer, const struct tn_token *token)
{
  char c = lexer->text[token->start];

  if (token->kind == TN_TOKEN_STRING && (c == 'e' || c == 'E'))
    return E_STRING_SAME_LINE;
  if (lexer->e_string == E_STRING_NONE)
    return E_STRING_NONE;
  if (token->kind == TN_TOKEN_BLANK)
    return has_line_end(lexer, token) ? E_STRING_NEXT_LINE : lexer->e_string;
  if (token->kind == TN_TOKEN_COMMENT && c == '-')
    return lexer->e_string;
  if (token->kind == TN_TOKEN_STRING && c == '\'' &&
      lexer->e_string == E_STRING_NEXT_LINE)
    return E_STRING_SAME_LINE;
  return E_STRING_NONE;
}

static uint32_t
roles_of_word(const char *word, size_t size)
{
  char lower[ROLE_WORD_MAX + 1];
  size_t i;

  if (size > ROLE_WORD_MAX)
    return 0;
  for (i = 0; i < size; i++)
    lower[i] = tn_text_lower(word[i]);
  lower[size] = '\0';
  for (i = 0; i < TN_COUNT(role_rows); i++)
    if (strcmp(role_rows[i].word, lower) == 0)
      return role_rows[i].roles;
  return 0;
}

/* Is this a routine's head, or a body of one statement? */
static bool
is_outermost(const struct tn_lexer *lexer)
{
  return lexer->depth == 0 && lexer->blocks == 0;
}

static uint32_t
roles_of(const struct tn_lexer *lexer, const struct tn_token *token)
{
  uint32_t roles = 0;

  if ((lexer->last_roles & ROLE_DOT) != 0)
    return 0;
  if (token->kind == TN_TOKEN_WORD)
    roles = roles_of_word(lexer->text + token->start, token->size);
  else if (is_mark(lexer, token, ';'))
    roles = ROLE_LEADS | ROLE_CLOSES;
  else if (is_mark(lexer, token, ':'))
    roles = ROLE_LEADS; /* a label */
  else if (is_mark(lexer, token, ')') && is_outermost(lexer))
    roles = ROLE_LEADS; /* behind the parameters */
  else if (is_mark(lexer, token, '.'))
    roles = ROLE_DOT;

  /* DO that begins a statement has an expression behind it. */
  if ((roles & ROLE_DO) != 0 && (lexer->last_roles & ROLE_LEADS) != 0)
    roles = 0;
  return roles;
}

/* The kinds of statement that have others inside. */
static uint32_t
routine_phase(const struct tn_lexer *lexer)
{
  if (has(lexer, TN_LEX_TRIGGER_BODY))
    return TN_PHASE_ROUTINE;
  return has(lexer, TN_LEX_ATOMIC_BODY) ? TN_PHASE_ATOMIC : TN_PHASE_PLAIN;
}

/* The first word: BEGIN NOT ATOMIC, IF and their like have statements inside
 * without being a routine. */
static uint32_t
first_phase(struct tn_lexer *lexer, uint32_t roles)
{
  if ((roles & ROLE_CREATE) != 0)
    return TN_PHASE_CREATE;
  if (!has(lexer, TN_LEX_TRIGGER_BODY))
    return TN_PHASE_PLAIN;
  if ((roles & ROLE_BEGIN) != 0)
    return TN_PHASE_BEGIN;
  if ((roles & ROLE_OPENS) == 0)
    return TN_PHASE_PLAIN;
  lexer->blocks = 1;
  return TN_PHASE_ROUTINE;
}

static uint32_t
next_phase(struct tn_lexer *lexer, uint32_t roles)
{
  if (lexer->phase == TN_PHASE_START)
    return first_phase(lexer, roles);
  if (lexer->phase == TN_PHASE_BEGIN) {
    if ((roles & ROLE_NOT) == 0)
      return TN_PHASE_PLAIN;
    lexer->depth = 1;
    return TN_PHASE_ROUTINE;
  }
  if ((roles & ROLE_ROUTINE) != 0)
    return routine_phase(lexer);
  if ((roles & ROLE_RULE) != 0)
    return TN_PHASE_RULE;
  if ((roles & ROLE_DEFINER) != 0)
    return TN_PHASE_DEFINER;
  if (lexer->phase == TN_PHASE_DEFINER || (roles & ROLE_MODIFIER) != 0)
    return lexer->phase;
  return TN_PHASE_PLAIN;
}

/* What stands behind END: true if it is the IF of END IF. */
static bool
follow_end(struct tn_lexer *lexer, uint32_t roles)
{
  bool is_of_block = (roles & ROLE_AFTER_END) != 0;

  if (is_of_block && lexer->blocks > 0 &&
      (lexer->end_is_pending || (roles & ROLE_REPEAT) != 0))
    lexer->blocks--;
  if (!is_of_block && lexer->end_is_pending && lexer->depth > 0)
    lexer->depth--;
  lexer->end_is_pending = false;
  lexer->after_end = false;
  return is_of_block;
}

/* END of an expression, of a block, or of REPEAT. That of a block follows the
 * ';' of its last statement, or BEGIN. */
static void
take_end(struct tn_lexer *lexer)
{
  bool closes = (lexer->last_roles & ROLE_CLOSES) != 0;

  if (lexer->cases > 0 && !closes) {
    lexer->cases--;
  } else if (!is_outermost(lexer)) {
    lexer->after_end = true;
    lexer->end_is_pending = closes;
    lexer->cases = 0;
  }
}

/* The blocks of a body. */
static void
follow_routine(struct tn_lexer *lexer, uint32_t roles)
{
  bool may_begin = lexer->cases == 0 && (lexer->last_roles & ROLE_LEADS) != 0;

  if (lexer->after_end && follow_end(lexer, roles))
    return;
  if ((roles & ROLE_HANDLER) != 0)
    lexer->in_handler = true;
  if ((roles & ROLE_OPENS) != 0 && may_begin &&
      ((roles & ROLE_FOR) == 0 || !is_outermost(lexer)))
    lexer->blocks++;
  else if ((roles & ROLE_CASE) != 0)
    lexer->cases++;
  if ((roles & ROLE_BEGIN) != 0 && lexer->cases == 0 &&
      (may_begin || is_outermost(lexer) || lexer->in_handler)) {
    lexer->depth++;
    lexer->in_handler = false;
  }
  if ((roles & ROLE_END) != 0)
    take_end(lexer);
}

/* BEGIN ATOMIC … END; both words are names as well. */
static void
follow_atomic(struct tn_lexer *lexer, uint32_t roles)
{
  if (lexer->end_is_pending)
    lexer->depth = 0;
  lexer->end_is_pending = (roles & ROLE_END) != 0 && lexer->depth > 0 &&
                          (lexer->last_roles & ROLE_CLOSES) != 0;
  if ((roles & ROLE_ATOMIC) != 0 && (lexer->last_roles & ROLE_BEGIN) != 0)
    lexer->depth = 1;
}

static void
follow_rule(struct tn_lexer *lexer, const struct tn_token *token)
{
  if (is_mark(lexer, token, '('))
    lexer->depth++;
  else if (is_mark(lexer, token, ')') && lexer->depth > 0)
    lexer->depth--;
}

static void
start_statement(struct tn_lexer *lexer)
{
  lexer->phase = TN_PHASE_START;
  lexer->last_roles = 0;
  lexer->in_handler = false;
  lexer->after_end = false;
  lexer->end_is_pending = false;
  lexer->depth = 0;
  lexer->blocks = 0;
  lexer->cases = 0;
}

/* Called for tokens that are neither blank nor comment. */
static void
follow_statement(struct tn_lexer *lexer, const struct tn_token *token)
{
  uint32_t roles;

  if (token->kind == TN_TOKEN_SEMICOLON) {
    start_statement(lexer);
    return;
  }
  if (lexer->phase == TN_PHASE_PLAIN)
    return;
  roles = roles_of(lexer, token);
  if (lexer->phase == TN_PHASE_ROUTINE)
    follow_routine(lexer, roles);
  else if (lexer->phase == TN_PHASE_ATOMIC)
    follow_atomic(lexer, roles);
  else if (lexer->phase == TN_PHASE_RULE)
    follow_rule(lexer, token);
  else
    lexer->phase = next_phase(lexer, roles);
  if (is_mark(lexer, token, ';')) {
    lexer->in_handler = false;
    lexer->cases = 0;
  }
  lexer->last_roles = roles;
}

static void
follow(struct tn_lexer *lexer, const struct tn_token *token)
{
  lexer->e_string = next_e_string(lexer, token);
  lexer->last = token->kind;
  if (token->kind == TN_TOKEN_CODE) {
    lexer->in_code = lexer->text[token->start] == '/';
    if (lexer->in_code)
      lexer->code_start = token->start;
  } else if (token->kind != TN_TOKEN_BLANK && token->kind != TN_TOKEN_COMMENT) {
    lexer->after_operand = is_operand(lexer, token);
    follow_statement(lexer, token);
  }
}

/* ------------------------------------------------------------------ */

void
tn_lexer_init(struct tn_lexer *lexer, const struct tn_dialect_table *dialect,
              const char *text, size_t size, size_t at)
{
  memset(lexer, 0, sizeof *lexer);
  lexer->text = text;
  lexer->size = size;
  lexer->at = at < size ? at : size;
  lexer->traits = dialect->lexer;
  lexer->placeholder = dialect->placeholder;
}

bool
tn_lexer_next(struct tn_lexer *lexer, struct tn_token *ret)
{
  if (lexer->at == lexer->size)
    return false;
  memset(ret, 0, sizeof *ret);
  ret->kind = TN_TOKEN_MARK;
  ret->start = lexer->at;
  ret->size = 1;
  scan(lexer, ret);
  lexer->at += ret->size;
  follow(lexer, ret);
  return true;
}
