/* Statements as lines of a log.
 *
 * A log is read by more people than a database is, so values are named by
 * their types unless somebody has asked for more. The lexer tells what is a
 * value in text that others wrote. */
#include "statement_text.h"

#include <string.h>

#include "lexer.h"
#include "mask.h"
#include "text.h"

#define TEXT_SIZE   2048 /* of a statement or a line of a plan */
#define VALUE_SIZE  64
#define VALUE_COUNT 32
#define HIDDEN      "***"
#define CUT         "..."

/* Does what follows contain secrets? */
static bool
is_secret_word(const char *text, const struct tn_token *token)
{
  static const char word[] = "identified";
  size_t size = token->size;
  size_t i = 0;

  if (token->kind == TN_TOKEN_NAME)
    size -= !token->is_open;
  else if (token->kind != TN_TOKEN_WORD)
    return false;
  if (tn_text_names_secret(text + token->start, size))
    return true;
  while (i < size && tn_text_lower(text[token->start + i]) == word[i])
    i++;
  return i == sizeof word - 1;
}

/* At most up to `most` bytes in all, at a character's edge. False: cut. */
static bool
add_cut(struct tn_strbuf *out, const char *text, size_t size, size_t most)
{
  size_t room = most > out->size ? most - out->size : 0;

  if (size <= room) {
    tn_strbuf_add(out, text, size);
    return true;
  }
  while (room > 0 && ((unsigned char)text[room] & 0xC0) == 0x80)
    room--;
  tn_strbuf_add(out, text, room);
  tn_strbuf_add_text(out, CUT);
  return false;
}

void
tn_statement__add_text(struct tn_strbuf *out,
                       const struct tn_dialect_table *dialect, const char *sql)
{
  size_t most = out->size + TEXT_SIZE;
  struct tn_lexer lexer;
  struct tn_token token;
  bool is_secret = false;
  bool fits = true;

  tn_lexer_init(&lexer, dialect, sql, strlen(sql), 0);
  while (fits && tn_lexer_next(&lexer, &token)) {
    is_secret = is_secret || is_secret_word(sql, &token);
    if (token.kind == TN_TOKEN_BLANK)
      fits = add_cut(out, " ", 1, most);
    else if (token.kind == TN_TOKEN_STRING && is_secret)
      fits = add_cut(out, HIDDEN, sizeof HIDDEN - 1, most);
    else
      fits = add_cut(out, sql + token.start, token.size, most);
  }
}

/* ---- values ---- */

static bool
is_bytes(const tn_value *value)
{
  return value->type == TN_TEXT || value->type == TN_BLOB ||
         value->type == TN_JSON || value->type == TN_OTHER;
}

static void
add_type(struct tn_strbuf *out, const tn_value *value)
{
  tn_strbuf_add_text(out, tn_type_name(value->type));
  if (is_bytes(value))
    tn_strbuf_add_format(out, "(%zu)", value->as.bytes.size);
}

static void
add_value(struct tn_strbuf *out, const tn_value *value)
{
  bool is_text = value->type == TN_TEXT || value->type == TN_JSON;
  char text[VALUE_SIZE + 2];

  if (value->type == TN_NULL) {
    tn_strbuf_add_text(out, tn_type_name(TN_NULL));
    return;
  }
  (void)tn_value_print(value, text, sizeof text);
  tn_strbuf_add_text(out, is_text ? "'" : "");
  (void)add_cut(out, text, strlen(text), out->size + VALUE_SIZE);
  tn_strbuf_add_text(out, is_text ? "'" : "");
}

void
tn_statement__add_values(struct tn_strbuf *out, const tn_value *values,
                         size_t count, bool is_shown)
{
  size_t i;

  if (values == NULL || count == 0)
    return;
  for (i = 0; i < count && i < VALUE_COUNT; i++) {
    tn_strbuf_add_text(out, i == 0 ? " [" : ", ");
    if (is_shown)
      add_value(out, &values[i]);
    else
      add_type(out, &values[i]);
  }
  if (count > VALUE_COUNT)
    tn_strbuf_add_format(out, ", and %zu more", count - VALUE_COUNT);
  tn_strbuf_add_char(out, ']');
}

/* ---- plans ---- */

/* Where in a line of a plan the reader is. */
struct plan_reader {
  const char *line;
  uint32_t last;   /* kind of the last token */
  bool is_leading; /* a number here would be a value: */
  bool in_number;  /* this is what is behind the dot of one */
};

/* Costs and counts stand directly behind a '=', as in cost=0.15, or behind a
 * word; values behind an operator and a blank, or as arguments. */
static bool
is_value(const struct plan_reader *reader, const struct tn_token *token)
{
  const char *text = reader->line + token->start;

  if (token->kind == TN_TOKEN_STRING)
    return true;
  return token->kind == TN_TOKEN_NUMBER && reader->is_leading &&
         !(reader->last == TN_TOKEN_MARK && text[-1] == '=');
}

static void
follow(struct plan_reader *reader, const struct tn_token *token)
{
  char c = reader->line[token->start];

  reader->in_number = token->kind == TN_TOKEN_NUMBER
                          ? is_value(reader, token)
                          : reader->in_number && c == '.';
  if (token->kind != TN_TOKEN_BLANK && !reader->in_number)
    reader->is_leading =
        token->kind == TN_TOKEN_MARK && strchr("<>=!~+-*/%|&(,[", c) != NULL;
  reader->last = token->kind;
}

void
tn_statement__add_plan(struct tn_strbuf *out,
                       const struct tn_dialect_table *dialect, const char *line,
                       size_t size, bool is_shown)
{
  struct plan_reader reader = { .line = line };
  size_t most = out->size + TEXT_SIZE;
  struct tn_lexer lexer;
  struct tn_token token;
  bool fits = true;

  tn_lexer_init(&lexer, dialect, line, size, 0);
  while (fits && tn_lexer_next(&lexer, &token)) {
    bool is_rest = reader.in_number &&
                   (token.kind == TN_TOKEN_NUMBER || line[token.start] == '.');

    if (is_shown || !(is_rest || is_value(&reader, &token)))
      fits = add_cut(out, line + token.start, token.size, most);
    else if (!is_rest)
      fits = add_cut(out, "?", 1, most);
    follow(&reader, &token);
  }
}
