/* Where what is typed into the shell ends: a small scanner for what is common
 * to the dialects. Where they differ (a backslash before a quote) it follows
 * standard SQL, and Ctrl-C gets out of a wrong guess. */
#include "statement.h"

#include <string.h>
#include <strings.h>

/* How far the head of a statement has been read: CREATE [TEMP…] TRIGGER begins
 * one that has others inside, up to "; END ;". */
enum head {
  HEAD_START,
  HEAD_CREATE,
  HEAD_TRIGGER,
  HEAD_BODY,
  HEAD_OTHER,
};

/* Tokens that matter inside a trigger. */
enum token {
  TOKEN_OTHER,
  TOKEN_SEMICOLON,
  TOKEN_END,
};

struct scanner {
  const char *at;
  enum head head;
  enum token before;
  enum token last;
  bool is_open; /* a string, name or comment that does not end */
  struct statement_scan scan;
};

static const char blanks[] = " \t\r\n\f\v";
static const char quotes[] = "'\"`";
static const char word_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "abcdefghijklmnopqrstuvwxyz"
                                   "0123456789_";

static void
take_token(struct scanner *scanner, enum token token)
{
  scanner->before = scanner->last;
  scanner->last = token;
  scanner->scan.is_complete = false;
  if (token != TOKEN_SEMICOLON)
    scanner->scan.is_empty = false;
}

/* Go on behind the next `end`, or to the text's end if there is none. */
static void
skip_past(struct scanner *scanner, size_t from, const char *end)
{
  const char *found = strstr(scanner->at + from, end);

  if (found == NULL) {
    scanner->is_open = true;
    scanner->at += strlen(scanner->at);
  } else {
    scanner->at = found + strlen(end);
  }
}

static bool
skip_blank(struct scanner *scanner)
{
  const char *at = scanner->at;

  if (strchr(blanks, at[0]) != NULL) {
    scanner->at++;
  } else if (at[0] == '-' && at[1] == '-') {
    scanner->at += strcspn(at, "\n");
  } else if (at[0] == '/' && at[1] == '*') {
    skip_past(scanner, 2, "*/");
  } else {
    return false;
  }
  return true;
}

static void
take_quoted(struct scanner *scanner)
{
  const char end[] = { scanner->at[0], '\0' };

  take_token(scanner, TOKEN_OTHER);
  skip_past(scanner, 1, end);
}

/* $tag$ … $tag$; a '$' that begins none is like any other character. */
static void
take_dollar(struct scanner *scanner)
{
  size_t length = 1 + strspn(scanner->at + 1, word_letters);
  char tag[64];

  take_token(scanner, TOKEN_OTHER);
  if (scanner->at[length] != '$' || length + 2 > sizeof tag ||
      (scanner->at[1] >= '0' && scanner->at[1] <= '9')) {
    scanner->at++;
    return;
  }
  memcpy(tag, scanner->at, length + 1);
  tag[length + 1] = '\0';
  skip_past(scanner, length + 1, tag);
}

static bool
is_word(const char *at, size_t length, const char *word)
{
  return strlen(word) == length && strncasecmp(at, word, length) == 0;
}

static enum head
next_head(enum head head, const char *at, size_t length)
{
  static const char *const between[] = { "or", "replace", "temp", "temporary" };
  size_t i;

  if (head == HEAD_START)
    return is_word(at, length, "create") ? HEAD_CREATE : HEAD_OTHER;
  if (head == HEAD_TRIGGER && is_word(at, length, "begin"))
    return HEAD_BODY;
  if (head != HEAD_CREATE)
    return head;
  for (i = 0; i < sizeof between / sizeof between[0]; i++)
    if (is_word(at, length, between[i]))
      return HEAD_CREATE;
  return is_word(at, length, "trigger") ? HEAD_TRIGGER : HEAD_OTHER;
}

/* A word takes the '$' inside it along: "a$b$" is no dollar quote. */
static void
take_word(struct scanner *scanner)
{
  const char *at = scanner->at;
  size_t length = strspn(at, word_letters);

  while (at[length] == '$')
    length += 1 + strspn(at + length + 1, word_letters);
  scanner->head = next_head(scanner->head, at, length);
  take_token(scanner, is_word(at, length, "end") ? TOKEN_END : TOKEN_OTHER);
  scanner->at += length;
}

static void
take_semicolon(struct scanner *scanner)
{
  bool ends =
      scanner->head != HEAD_BODY ||
      (scanner->last == TOKEN_END && scanner->before == TOKEN_SEMICOLON);

  take_token(scanner, TOKEN_SEMICOLON);
  scanner->at++;
  if (!ends)
    return;
  scanner->scan.count++;
  scanner->scan.is_complete = true;
  scanner->head = HEAD_START;
}

struct statement_scan
statement_scan(const char *text)
{
  struct scanner scanner = { .at = text, .scan = { .is_empty = true } };

  while (scanner.at[0] != '\0') {
    if (skip_blank(&scanner))
      continue;
    if (strchr(quotes, scanner.at[0]) != NULL) {
      take_quoted(&scanner);
    } else if (scanner.at[0] == '$') {
      take_dollar(&scanner);
    } else if (scanner.at[0] == ';') {
      take_semicolon(&scanner);
    } else if (strchr(word_letters, scanner.at[0]) != NULL) {
      take_word(&scanner);
    } else {
      take_token(&scanner, TOKEN_OTHER);
      scanner.at++;
    }
  }
  if (scanner.is_open)
    scanner.scan.is_complete = false;
  return scanner.scan;
}
