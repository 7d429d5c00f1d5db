/* Fuzz target for the lexer and all that stands on it.
 *
 * The first byte chooses the dialect ('0' sqlite, '1' postgresql, '2' mysql,
 * '3' PostgreSQL with bodies in SQL, then on by remainders); the rest is the
 * text. Whatever it is, the promises below hold; a broken one aborts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialects.h"
#include "lexer.h"
#include "placeholder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool holds, const char *promise)
{
  if (holds)
    return;
  fprintf(stderr, "broken: %s\n", promise);
  abort();
}

/* Tokens follow one another without a gap, none is empty, only the last one
 * may be open. Counts them by kind. */
static void
check_tokens(const struct tn_dialect_table *dialect, const char *text,
             size_t size, size_t counts[TN_TOKEN_KIND_COUNT])
{
  struct tn_lexer lexer;
  struct tn_token token;
  size_t at = 0;

  memset(counts, 0, TN_TOKEN_KIND_COUNT * sizeof counts[0]);
  tn_lexer_init(&lexer, dialect, text, size, 0);
  while (tn_lexer_next(&lexer, &token)) {
    require(token.kind > 0 && token.kind < TN_TOKEN_KIND_COUNT, "known kind");
    require(token.start == at && token.size > 0, "tokens cover the text");
    require(token.size <= size - at, "tokens stay inside the text");
    at += token.size;
    require(!token.is_open || at == size, "only the last token is open");
    counts[token.kind]++;
  }
  require(at == size, "tokens reach the end of the text");
}

/* Pieces are disjoint, in order, inside the text and not empty; all between
 * them is blanks, comments and semicolons. */
static void
check_pieces(const struct tn_dialect_table *dialect, const char *text,
             size_t size)
{
  size_t at = 0;
  size_t end = 0;
  size_t start;
  size_t piece;
  uint64_t count = 0;
  bool is_complete;

  while (tn_sql_next(dialect, text, size, &at, &start, &piece)) {
    size_t none = end;
    size_t dummy;

    require(start >= end && piece > 0, "pieces are disjoint and in order");
    require(piece <= size - start, "pieces stay inside the text");
    require(start + piece <= at && at <= size, "the script moves on");
    require(!tn_sql_next(dialect, text, start, &none, &dummy, &dummy),
            "nothing is left out between pieces");
    end = start + piece;
    count++;
  }
  require(at == size, "the script is read to its end");
  require(tn_sql_count(dialect, text, size, &is_complete) == count,
          "as many pieces are counted");
  require(count > 0 || is_complete, "nothing is open where nothing is");
}

/* A piece that is a statement by the checks is one as a whole too: it is cut
 * no further. */
static void
check_single(const struct tn_dialect_table *dialect, const char *text,
             size_t size)
{
  size_t at = 0;
  size_t start;
  size_t piece;

  if (tn_sql_check(dialect, text, size, NULL) != TN_OK)
    return;
  require(tn_sql_next(dialect, text, size, &at, &start, &piece),
          "a checked text has a statement");
  require(!tn_sql_next(dialect, text, size, &at, &start, &piece),
          "a checked text has one statement");
}

/* What the refusals of a translation promise. */
static void
check_error(enum tn_code rc, const tn_err *err, size_t size)
{
  require(err->code == (int32_t)rc, "code and error agree");
  require(err->position >= 0 && (size_t)err->position <= size + 1,
          "the position is inside the text");
  require(strncmp(err->message, "statement: ", 11) == 0, "the object first");
  require(strchr(err->message, '\n') == NULL, "one line");
  require(rc == TN_E_USAGE || rc == TN_E_CHARSET || rc == TN_E_LIMIT,
          "a code that is documented");
}

static void
check_counts(const struct tn_dialect_table *dialect, const struct tn_sql *sql,
             const size_t counts[TN_TOKEN_KIND_COUNT])
{
  size_t written = counts[TN_TOKEN_PLACE] + counts[TN_TOKEN_NAMED];
  uint32_t i;

  require(sql->slot_count <= sql->place_count, "no more slots than places");
  require(sql->order != NULL || sql->slot_count == sql->place_count,
          "without an order the counts are equal");
  require((sql->names != NULL) == (counts[TN_TOKEN_NAMED] > 0),
          "names are there if there are names");
  if (dialect->placeholder == TN_PLACEHOLDER_QUESTION || sql->names == NULL)
    require(sql->place_count == written, "each placeholder has a place");
  else
    require(sql->place_count == sql->slot_count, "each name has a number");
  for (i = 0; sql->order != NULL && i < sql->place_count; i++)
    require(sql->order[i] < sql->slot_count, "places have a slot");
  for (i = 0; sql->names != NULL && i < sql->slot_count; i++)
    require(strlen(sql->names[i]) > 0, "slots have a name");
}

/* The text is the old one but for placeholders, `??` and blanks around them:
 * the backend's lexer sees the same tokens in it. */
static void
check_text(const struct tn_dialect_table *dialect, const char *text,
           size_t size, const struct tn_sql *sql)
{
  struct tn_lexer old_lexer;
  struct tn_lexer new_lexer;
  struct tn_token old_token;
  struct tn_token new_token;

  require(sql->text[sql->size] == '\0', "the text ends with a NUL");
  tn_lexer_init(&old_lexer, dialect, text, size, 0);
  tn_lexer_init(&new_lexer, dialect, sql->text, sql->size, 0);
  while (tn_lexer_next(&old_lexer, &old_token)) {
    bool is_place =
        old_token.kind == TN_TOKEN_PLACE || old_token.kind == TN_TOKEN_NAMED;

    if (old_token.kind == TN_TOKEN_BLANK)
      continue;
    do
      require(tn_lexer_next(&new_lexer, &new_token), "no token is lost");
    while (new_token.kind == TN_TOKEN_BLANK);
    if (is_place)
      require(new_token.kind == TN_TOKEN_NATIVE ||
                  new_token.kind == TN_TOKEN_PLACE,
              "a placeholder stays one");
    else
      require(new_token.kind == old_token.kind &&
                  new_token.size == old_token.size &&
                  memcmp(sql->text + new_token.start, text + old_token.start,
                         old_token.size) == 0,
              "what is no placeholder stays as it is");
  }
  while (tn_lexer_next(&new_lexer, &new_token))
    require(new_token.kind == TN_TOKEN_BLANK, "no token is added");
}

/* `?` for a backend that has `?`: as many places, the same text. */
static void
check_again(const struct tn_dialect_table *dialect, const char *text,
            size_t size, const struct tn_sql *sql, struct tn_arena *arena)
{
  struct tn_dialect_table plain = *dialect;
  struct tn_sql again;

  plain.placeholder = TN_PLACEHOLDER_QUESTION;
  if (tn_sql_translate(&plain, text, size, arena, &again, NULL) != TN_OK)
    return;
  require(sql->slot_count == again.slot_count, "slots are the text's own");
  if (sql->names == NULL) {
    require(again.text == text, "`?` for `?` is not copied");
    require(sql->place_count == again.place_count, "as many places");
    return;
  }

  /* Names that have become `?` are read as such. */
  require(tn_sql_translate(&plain, again.text, again.size, arena, &again,
                           NULL) == TN_OK,
          "a translation can be translated");
  require(again.names == NULL && again.slot_count == again.place_count,
          "names are gone");
}

static void
check_translation(const struct tn_dialect_table *dialect, const char *text,
                  size_t size, const size_t counts[TN_TOKEN_KIND_COUNT])
{
  TN_CLEANUP(tn_arena_clear) struct tn_arena arena = { .used = 0 };
  struct tn_sql sql;
  tn_err err = TN_ERR_INIT;
  enum tn_code rc = tn_sql_translate(dialect, text, size, &arena, &sql, &err);

  if (rc != TN_OK) {
    check_error(rc, &err, size);
    return;
  }
  require(tn_sql_check(dialect, text, size, NULL) == TN_OK,
          "what is translated passes the check");
  check_counts(dialect, &sql, counts);
  if (sql.place_count == 0 && counts[TN_TOKEN_OPERATOR] == 0)
    require(sql.text == text && sql.size == size && arena.blocks == NULL,
            "without placeholders nothing is changed");
  if (counts[TN_TOKEN_OPERATOR] == 0)
    check_text(dialect, text, size, &sql);
  else if (sql.place_count == 0)
    require(sql.size + counts[TN_TOKEN_OPERATOR] == size,
            "`??` becomes `?` and no more");
  check_again(dialect, text, size, &sql, &arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  const struct tn_dialect_table *dialect;
  size_t counts[TN_TOKEN_KIND_COUNT];
  char *text;

  if (size == 0)
    return 0;
  dialect = &dialects[(data[0] + DIALECT_COUNT - '0' % DIALECT_COUNT) %
                      DIALECT_COUNT];
  size--;
  text = malloc(size + 1); /* so that a read past the end is seen */
  require(text != NULL, "memory");
  memcpy(text, data + 1, size);
  text[size] = '\0';

  check_tokens(dialect, text, size, counts);
  check_pieces(dialect, text, size);
  check_single(dialect, text, size);
  check_translation(dialect, text, size, counts);
  free(text);
  return 0;
}
