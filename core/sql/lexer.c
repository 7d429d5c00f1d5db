/* The lexer behind placeholders and scripts.
 *
 * One table chooses the reader of a token by its first byte, the dialect's
 * TN_LEX_ bits what that reader does. Which semicolons end a statement is found
 * out in body.c. Nothing here calls itself, however deep the text nests. */
#include "lexer.h"

#include <string.h>

#include "body.h"
#include "text.h"

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

/* The digits after the '!' are a version of the server; M! is MariaDB's. */
static void
scan_slash(const struct tn_lexer *lexer, struct tn_token *token)
{
  size_t mark = peek(lexer, 2) == 'M' ? 3 : 2;

  if (peek(lexer, 1) != '*')
    return;
  if (has(lexer, TN_LEX_CODE_COMMENT) && peek(lexer, mark) == '!')
    take(token, TN_TOKEN_CODE,
         mark + 1 + run_of(lexer, mark + 1, tn_text_is_digit));
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
    tn_body_follow(lexer, token);
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
