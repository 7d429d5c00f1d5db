/* Question marks in comments, which drivers take for parameters. They are made
 * full stops, in place; strings, names and code stay as they are. */
#include "odbc_priv.h"

#include <string.h>
#include <strings.h>

/* The text, unit by unit, whatever it is made of. */
struct scan {
  const struct odbc__text *sql;
  bool is_utf8;
  uint32_t lexer;
  size_t at;
  bool in_code; /* inside a comment that is executed */
  bool is_kept; /* nothing is changed */
};

static uint32_t
unit(const struct scan *scan, size_t at)
{
  if (at >= scan->sql->units)
    return 0;
  return scan->is_utf8 ? ((const unsigned char *)scan->sql->data)[at]
                       : ((const SQLWCHAR *)scan->sql->data)[at];
}

static void
hide(const struct scan *scan)
{
  if (scan->is_kept || unit(scan, scan->at) != '?')
    return;
  if (scan->is_utf8)
    ((char *)scan->sql->data)[scan->at] = '.';
  else
    ((SQLWCHAR *)scan->sql->data)[scan->at] = '.';
}

static bool
is_at_end(const struct scan *scan)
{
  return scan->at >= scan->sql->units;
}

static void
hide_line(struct scan *scan)
{
  for (; !is_at_end(scan) && unit(scan, scan->at) != '\n'; scan->at++)
    hide(scan);
}

/* At the first dash. MySQL wants a blank or a control character behind them. */
static bool
is_line_comment(const struct scan *scan)
{
  uint32_t after = unit(scan, scan->at + 2);

  return unit(scan, scan->at + 1) == '-' &&
         ((scan->lexer & TN_LEX_DASH_NEEDS_SPACE) == 0 || after <= ' ' ||
          after == 0x7F);
}

/* At the slash. A hint is left alone. */
static void
hide_comment(struct scan *scan)
{
  bool is_hint = (scan->lexer & TN_LEX_CODE_COMMENT) != 0 &&
                 unit(scan, scan->at + 2) == '+';
  unsigned depth = 0;

  do {
    if (unit(scan, scan->at) == '/' && unit(scan, scan->at + 1) == '*' &&
        (depth == 0 || (scan->lexer & TN_LEX_NESTED_COMMENT) != 0)) {
      depth++;
      scan->at += 2;
    } else if (unit(scan, scan->at) == '*' && unit(scan, scan->at + 1) == '/') {
      depth--;
      scan->at += 2;
    } else {
      if (!is_hint)
        hide(scan);
      scan->at++;
    }
  } while (depth > 0 && !is_at_end(scan));
}

/* At the slash. What is executed is code between two marks. */
static void
hide_block(struct scan *scan)
{
  size_t mark = unit(scan, scan->at + 2) == 'M' ? 3 : 2;

  if ((scan->lexer & TN_LEX_CODE_COMMENT) != 0 &&
      unit(scan, scan->at + mark) == '!') {
    scan->in_code = true;
    scan->at += mark + 1;
  } else {
    hide_comment(scan);
  }
}

static void
end_code(struct scan *scan)
{
  scan->in_code = false;
  scan->at += 2;
}

/* To the end of what `quote` ends; doubled, it ends one part and begins the
 * next. */
static void
skip_quoted(struct scan *scan, uint32_t quote, bool has_backslash)
{
  for (scan->at++; !is_at_end(scan) && unit(scan, scan->at) != quote;
       scan->at++)
    if (has_backslash && unit(scan, scan->at) == '\\')
      scan->at++;
  scan->at++;
}

static bool
is_word(uint32_t c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c >= '0' && c <= '9') || c == '_' || c >= 0x80;
}

/* "$tag$ … $tag$", at the first sign; false: it is none. */
static bool
skip_dollars(struct scan *scan)
{
  size_t start = scan->at;
  size_t size = 1;
  size_t i;

  while (is_word(unit(scan, start + size)))
    size++;
  if (unit(scan, start + size) != '$' ||
      (start > 0 && is_word(unit(scan, start - 1))))
    return false;
  size++;
  for (scan->at += size; !is_at_end(scan); scan->at++) {
    for (i = 0; i < size && unit(scan, scan->at + i) == unit(scan, start + i);
         i++)
      continue;
    if (i == size)
      break;
  }
  scan->at += size;
  return true;
}

static bool
has_backslash(const struct scan *scan)
{
  uint32_t before = scan->at > 0 ? unit(scan, scan->at - 1) : 0;

  return (scan->lexer & TN_LEX_BACKSLASH) != 0 ||
         ((scan->lexer & TN_LEX_E_STRING) != 0 &&
          (before == 'E' || before == 'e'));
}

static void
step(struct scan *scan)
{
  uint32_t c = unit(scan, scan->at);

  if ((c == '-' && is_line_comment(scan)) ||
      (c == '#' && (scan->lexer & TN_LEX_HASH_COMMENT) != 0))
    hide_line(scan);
  else if (c == '/' && unit(scan, scan->at + 1) == '*')
    hide_block(scan);
  else if (scan->in_code && c == '*' && unit(scan, scan->at + 1) == '/')
    end_code(scan);
  else if (c == '\'')
    skip_quoted(scan, c, has_backslash(scan));
  else if (c == '"')
    skip_quoted(scan, c, (scan->lexer & TN_LEX_BACKSLASH) != 0);
  else if (c == '`' && (scan->lexer & TN_LEX_BACKTICK_NAME) != 0)
    skip_quoted(scan, '`', false);
  else if (c == '[' && (scan->lexer & TN_LEX_BRACKET_NAME) != 0)
    skip_quoted(scan, ']', false);
  else if (c != '$' || (scan->lexer & TN_LEX_DOLLAR_QUOTE) == 0 ||
           !skip_dollars(scan))
    scan->at++;
}

void
odbc__hide_marks(uint32_t lexer, struct odbc__text *sql, bool is_utf8)
{
  struct scan scan = { .sql = sql, .is_utf8 = is_utf8, .lexer = lexer };

  while (!is_at_end(&scan))
    step(&scan);
}

/* ---- what a statement may be ---- */

/* Behind what introduces a comment that is executed, with the version that it
 * is for, or what ends one. */
static const char *
skip_code_marks(const char *sql)
{
  if (strncmp(sql, "*/", 2) == 0)
    return sql + 2;
  if (strncmp(sql, "/*!", 3) != 0 && strncmp(sql, "/*M!", 4) != 0)
    return sql;
  sql += strcspn(sql, "!") + 1;
  return sql + strspn(sql, "0123456789");
}

/* Behind blanks, parentheses and comments. What is executed is no comment, and
 * its first word is looked at if it is wanted. */
static const char *
first_word(const char *sql, bool wants_code)
{
  const char *end;

  for (;;) {
    sql += strspn(sql, " \t\r\n(");
    end = wants_code ? skip_code_marks(sql) : sql;
    if (end != sql) {
      sql = end;
      continue;
    }
    if (strncmp(sql, "--", 2) == 0 || *sql == '#')
      end = strchr(sql, '\n');
    else if (strncmp(sql, "/*", 2) == 0 && sql[2] != '!' &&
             strncmp(sql + 2, "M!", 2) != 0)
      end = strstr(sql + 2, "*/");
    else
      return sql;
    if (end == NULL)
      return sql;
    sql = end + (*end == '*' ? 2 : 1);
  }
}

/* A blank in `word` stands for whatever may be between two words. */
static bool
is_word_at(const char *text, const char *word)
{
  for (; *word != '\0'; word++) {
    const char *rest = *word == ' ' ? first_word(text, true) : text + 1;

    if (*word == ' ' ? rest == text : strncasecmp(text, word, 1) != 0)
      return false;
    text = rest;
  }
  return !is_word((unsigned char)*text);
}

static bool
is_one_of(const char *at, const char *const *words)
{
  while (*words != NULL && !is_word_at(at, *words))
    words++;
  return *words != NULL;
}

bool
odbc__begins_with(const char *sql, const char *const *words)
{
  return is_one_of(first_word(sql, false), words);
}

bool
odbc__may_begin_with(const char *sql, const char *const *words)
{
  return is_one_of(first_word(sql, true), words);
}

bool
odbc__looks_like_query(const char *sql)
{
  static const char *const first[] = { "SELECT",  "VALUES", "TABLE", "SHOW",
                                       "EXPLAIN", "WITH",   "FETCH", NULL };
  const char *at = sql;

  if (odbc__begins_with(sql, first))
    return true;
  while ((at = strpbrk(at, "rR")) != NULL) {
    if (is_word_at(at, "RETURNING"))
      return true;
    at++;
  }
  return false;
}

bool
odbc__next_mark(uint32_t lexer, const struct odbc__text *sql,
                struct odbc__place *place)
{
  struct scan scan = { .sql = sql,
                       .is_utf8 = true,
                       .lexer = lexer,
                       .at = place->at,
                       .in_code = place->in_code,
                       .is_kept = true };

  while (!is_at_end(&scan) && unit(&scan, scan.at) != '?')
    step(&scan);
  place->at = scan.at;
  place->in_code = scan.in_code;
  return !is_at_end(&scan);
}
