/* Statements as people write them to statements as a backend takes them.
 *
 * A statement is read twice: once to refuse what is wrong with it and to count
 * what is in it, and only if something must change once more to write it anew
 * into memory of a known size. That keeps the usual case, `?` for a backend
 * that has `?`, free of copies, and everything linear in the text. */
#include "placeholder.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "lexer.h"
#include "text.h"

/* What the ABI says of a dialect that states no limit. */
#define MAX_PARAMETERS UINT32_C(65535)

/* Longest text of the statement that a message shows. */
#define SHOWN_MAX 64

/* Longest number that follows a `$`, with its NUL. */
#define NUMBER_MAX 12

struct source {
  const struct tn_dialect_table *dialect;
  const char *text;
  size_t size;
  tn_err *err;
};

/* What the first reading finds. */
struct survey {
  size_t places;    /* `?` */
  size_t names;     /* `:name`, each time it is written */
  size_t operators; /* `??` */
  bool has_statement;
  bool is_over; /* its ';' has been read */
};

/* Names that are known so far, by number and by hash. */
struct names {
  struct tn_arena *arena;
  const char **list;
  uint32_t count;
  uint32_t max;
  uint32_t *table; /* number + 1; 0: empty */
  size_t mask;
};

/* A new text under construction. */
struct draft {
  char *text;
  size_t size;
  size_t copied; /* bytes of the old text that are done with */
};

static const char *const open_things[TN_TOKEN_KIND_COUNT] = {
  [TN_TOKEN_STRING] = "the string",
  [TN_TOKEN_NAME] = "the quoted name",
  [TN_TOKEN_COMMENT] = "the comment",
};

/* Why tokens are refused. */
static const char *const causes[TN_TOKEN_KIND_COUNT] = {
  [TN_TOKEN_PLACE] = "cannot be mixed with the :name before it",
  [TN_TOKEN_NAMED] = "cannot be mixed with the ? before it",
  [TN_TOKEN_OPERATOR] = "is the operator ?, which this backend does not have",
  [TN_TOKEN_NATIVE] = ("is not portable: write ? or :name, or use the native "
                       "flag for the backend's own placeholders"),
  [TN_TOKEN_GLUED] = ("directly follows what is before it: put a space before "
                      "the colon"),
  [TN_TOKEN_BAD_NAME] = ("is no placeholder: its name may have ASCII letters, "
                         "digits and _ only"),
};

/* ------------------------------------------------------------------ */
/* Refusals                                                            */

/* In characters from 1. */
static size_t
position_of(const struct source *source, size_t at)
{
  size_t position = 1;
  size_t i;

  for (i = 0; i < at; i++)
    if (((unsigned char)source->text[i] & 0xC0) != 0x80)
      position++;
  return position;
}

/* `what` at byte `at` is wrong, and why. */
static enum tn_code
refuse(const struct source *source, enum tn_code code, size_t at,
       const char *what, const char *cause)
{
  size_t position = position_of(source, at);

  tn_err_set(source->err, code, "statement: %s at character %zu %s", what,
             position, cause);
  if (source->err != NULL && position <= INT32_MAX)
    source->err->position = (int32_t)position;
  return code;
}

static enum tn_code
refuse_token(const struct source *source, enum tn_code code,
             const struct tn_token *token, const char *cause)
{
  char shown[SHOWN_MAX];
  char what[SHOWN_MAX + 2];

  tn_text_escape(source->text + token->start, token->size, shown, sizeof shown);
  snprintf(what, sizeof what, "'%s'", shown);
  return refuse(source, code, token->start, what, cause);
}

static uint32_t
max_parameters(const struct tn_dialect_table *dialect)
{
  if (dialect->max_parameters == 0)
    return MAX_PARAMETERS;
  return dialect->max_parameters < INT32_MAX ? dialect->max_parameters
                                             : INT32_MAX;
}

static enum tn_code
refuse_excess(const struct source *source, const struct tn_token *token)
{
  char cause[80];

  snprintf(cause, sizeof cause,
           "is one placeholder more than the %u that the backend takes",
           (unsigned)max_parameters(source->dialect));
  return refuse_token(source, TN_E_LIMIT, token, cause);
}

static enum tn_code
refuse_long(const struct source *source, size_t size)
{
  uint64_t max = source->dialect->max_statement_bytes;

  if (max == 0 || size <= max)
    return TN_OK;
  return tn_err_set(source->err, TN_E_LIMIT,
                    "statement: %zu bytes, but the backend takes %llu at most",
                    size, (unsigned long long)max);
}

/* ------------------------------------------------------------------ */
/* The first reading                                                   */

static enum tn_code
read_text(const struct source *source)
{
  const char *nul = memchr(source->text, '\0', source->size);
  size_t offset;

  if (!tn_text_is_utf8(source->text, source->size, &offset))
    return refuse(source, TN_E_CHARSET, offset, "the byte",
                  "does not belong to UTF-8 text");
  if (nul != NULL)
    return refuse(source, TN_E_USAGE, (size_t)(nul - source->text), "the NUL",
                  "would cut it short");
  return TN_OK;
}

static enum tn_code
read_placeholder(const struct source *source, const struct tn_token *token,
                 struct survey *survey)
{
  uint32_t max = max_parameters(source->dialect);

  switch (token->kind) {
  case TN_TOKEN_PLACE:
    if (survey->names > 0)
      break;
    return survey->places++ < max ? TN_OK : refuse_excess(source, token);
  case TN_TOKEN_NAMED:
    if (survey->places > 0)
      break;
    survey->names++;
    /* Where numbers repeat a value, only different names count. */
    if (source->dialect->placeholder != TN_PLACEHOLDER_QUESTION)
      return TN_OK;
    return survey->names <= max ? TN_OK : refuse_excess(source, token);
  case TN_TOKEN_OPERATOR:
    if (source->dialect->placeholder != TN_PLACEHOLDER_DOLLAR_NUMBER)
      break;
    survey->operators++;
    return TN_OK;
  default:
    if (causes[token->kind] == NULL)
      return TN_OK;
  }
  return refuse_token(source, TN_E_USAGE, token, causes[token->kind]);
}

static enum tn_code
read_token(const struct source *source, const struct tn_token *token,
           bool is_native, struct survey *survey)
{
  if (token->is_open)
    return refuse(source, TN_E_USAGE, token->start, open_things[token->kind],
                  "does not end");
  if (token->kind == TN_TOKEN_BLANK || token->kind == TN_TOKEN_COMMENT)
    return TN_OK;
  if (token->kind == TN_TOKEN_SEMICOLON) {
    survey->is_over = survey->has_statement;
    return TN_OK;
  }
  if (survey->is_over)
    return refuse(source, TN_E_USAGE, token->start, "a second one",
                  "is too many: run each by itself, or all as a script");
  survey->has_statement = true;
  return is_native ? TN_OK : read_placeholder(source, token, survey);
}

static enum tn_code
read_statement(const struct source *source, bool is_native,
               struct survey *survey)
{
  struct tn_lexer lexer;
  struct tn_token token;
  enum tn_code rc;

  memset(survey, 0, sizeof *survey);
  rc = read_text(source);
  if (rc != TN_OK)
    return rc;

  tn_lexer_init(&lexer, source->dialect, source->text, source->size, 0);
  while (tn_lexer_next(&lexer, &token)) {
    rc = read_token(source, &token, is_native, survey);
    if (rc != TN_OK)
      return rc;
  }
  if (lexer.in_code)
    return refuse(source, TN_E_USAGE, lexer.code_start, "the comment with code",
                  "does not end");
  if (!survey->has_statement)
    return tn_err_set(source->err, TN_E_USAGE,
                      "statement: there is none, only blanks and comments");
  return TN_OK;
}

/* ------------------------------------------------------------------ */
/* Names                                                               */

static void *
alloc_array(struct tn_arena *arena, size_t count, size_t size)
{
  return count > SIZE_MAX / size ? NULL : tn_arena_alloc(arena, count * size);
}

/* Room for `written` names, of which at most `max` are different. */
static bool
names_init(struct names *names, struct tn_arena *arena, size_t written,
           uint32_t max)
{
  size_t count = written < max ? written : max;
  size_t capacity = 2;

  while (capacity < 2 * count)
    capacity *= 2;
  memset(names, 0, sizeof *names);
  names->arena = arena;
  names->max = max;
  names->mask = capacity - 1;
  names->list = alloc_array(arena, count, sizeof *names->list);
  names->table = alloc_array(arena, capacity, sizeof *names->table);
  if (names->list == NULL || names->table == NULL)
    return false;
  memset(names->table, 0, capacity * sizeof *names->table);
  return true;
}

/* FNV-1a (https://datatracker.ietf.org/doc/draft-eastlake-fnv/). */
static size_t
hash_of(const char *name, size_t size)
{
  uint32_t hash = UINT32_C(2166136261);
  size_t i;

  for (i = 0; i < size; i++)
    hash = (hash ^ (unsigned char)name[i]) * UINT32_C(16777619);
  return hash;
}

/* The entry of the table that has the name, or where it belongs. */
static uint32_t *
names_entry(const struct names *names, const char *name, size_t size)
{
  size_t i = hash_of(name, size) & names->mask;

  assert(names->table != NULL);
  while (names->table[i] != 0) {
    const char *known = names->list[names->table[i] - 1];

    if (strncmp(known, name, size) == 0 && known[size] == '\0')
      break;
    i = (i + 1) & names->mask;
  }
  return &names->table[i];
}

/* The slot of a `:name`, a new one if need be. */
static enum tn_code
names_slot(struct names *names, const struct source *source,
           const struct tn_token *token, uint32_t *ret)
{
  const char *name = source->text + token->start + 1;
  uint32_t *entry = names_entry(names, name, token->size - 1);

  if (*entry == 0) {
    if (names->count == names->max)
      return refuse_excess(source, token);
    names->list[names->count] =
        tn_arena_text(names->arena, name, token->size - 1);
    if (names->list[names->count] == NULL)
      return tn_err_memory(source->err, "statement");
    *entry = ++names->count;
  }
  *ret = *entry - 1;
  return TN_OK;
}

/* ------------------------------------------------------------------ */
/* The second reading                                                  */

static void
draft_add(struct draft *draft, const char *text, size_t size)
{
  memcpy(draft->text + draft->size, text, size);
  draft->size += size;
}

/* Everything up to byte `end` of the old text that is not there yet. */
static void
draft_copy(struct draft *draft, const struct source *source, size_t end)
{
  draft_add(draft, source->text + draft->copied, end - draft->copied);
  draft->copied = end;
}

/* `$1`, kept apart from a word before it (LIMIT?), which would swallow it, and
 * from one after it (?AND). */
static void
draft_add_dollar(struct draft *draft, const struct source *source,
                 const char *number, size_t size)
{
  if (draft->size > 0 && tn_lexer_is_word(draft->text[draft->size - 1]))
    draft_add(draft, " ", 1);
  draft_add(draft, "$", 1);
  draft_add(draft, number, size);
  if (draft->copied < source->size &&
      tn_lexer_is_word(source->text[draft->copied]))
    draft_add(draft, " ", 1);
}

/* The placeholder of `slot`, as the backend spells it, in a token's place. */
static void
draft_place(struct draft *draft, const struct source *source,
            const struct tn_token *token, uint32_t slot)
{
  char number[NUMBER_MAX];
  int size = snprintf(number, sizeof number, "%u", (unsigned)slot + 1);

  draft_copy(draft, source, token->start);
  draft->copied = token->start + token->size;
  switch (source->dialect->placeholder) {
  case TN_PLACEHOLDER_DOLLAR_NUMBER:
    draft_add_dollar(draft, source, number, (size_t)size);
    break;
  case TN_PLACEHOLDER_QUESTION_NUMBER:
    draft_add(draft, "?", 1);
    draft_add(draft, number, (size_t)size);
    break;
  default:
    draft_add(draft, "?", 1);
  }
}

/* Memory for the longest text that can become of it: each placeholder grows
 * by at most its number and two blanks. */
static bool
draft_init(struct draft *draft, const struct source *source,
           const struct survey *survey, struct tn_arena *arena)
{
  size_t count = survey->places + survey->names;
  size_t each = (size_t)snprintf(NULL, 0, "%zu", count) + 3;

  memset(draft, 0, sizeof *draft);
  if (count > (SIZE_MAX - source->size - 1) / each)
    return false;
  draft->text = tn_arena_alloc(arena, source->size + 1 + count * each);
  return draft->text != NULL;
}

/* The second reading: writes draft, names and order (NULL: not wanted). */
static enum tn_code
rewrite(const struct source *source, struct draft *draft, struct names *names,
        uint32_t *order)
{
  struct tn_lexer lexer;
  struct tn_token token;
  uint32_t place = 0;
  uint32_t slot;
  enum tn_code rc;

  tn_lexer_init(&lexer, source->dialect, source->text, source->size, 0);
  while (tn_lexer_next(&lexer, &token)) {
    slot = place;
    if (token.kind == TN_TOKEN_OPERATOR) {
      draft_copy(draft, source, token.start + 1);
      draft->copied++;
    }
    if (token.kind == TN_TOKEN_NAMED) {
      rc = names_slot(names, source, &token, &slot);
      if (rc != TN_OK)
        return rc;
      if (order != NULL)
        order[place] = slot;
    }
    if (token.kind == TN_TOKEN_PLACE || token.kind == TN_TOKEN_NAMED) {
      draft_place(draft, source, &token, slot);
      place++;
    }
  }
  draft_copy(draft, source, source->size);
  draft->text[draft->size] = '\0';
  return TN_OK;
}

static enum tn_code
translate(const struct source *source, const struct survey *survey,
          struct tn_arena *arena, struct tn_sql *ret)
{
  const struct tn_dialect_table *dialect = source->dialect;
  struct draft draft;
  struct names names = { .list = NULL };
  uint32_t *order = NULL;
  enum tn_code rc;

  if (!draft_init(&draft, source, survey, arena) ||
      (survey->names > 0 &&
       !names_init(&names, arena, survey->names, max_parameters(dialect))))
    return tn_err_memory(source->err, "statement");
  if (survey->names > 0 && dialect->placeholder == TN_PLACEHOLDER_QUESTION) {
    order = alloc_array(arena, survey->names, sizeof *order);
    if (order == NULL)
      return tn_err_memory(source->err, "statement");
  }
  rc = rewrite(source, &draft, &names, order);
  if (rc != TN_OK)
    return rc;

  ret->text = draft.text;
  ret->size = draft.size;
  if (survey->names == 0)
    return TN_OK;
  ret->names = names.list;
  ret->slot_count = names.count;
  ret->place_count = order == NULL ? names.count : (uint32_t)survey->names;
  ret->order = ret->place_count == ret->slot_count ? NULL : order;
  return TN_OK;
}

/* ------------------------------------------------------------------ */
/* Scripts                                                             */

/* A statement of a script. */
struct piece {
  size_t start;
  size_t size;
  bool has_ended; /* by a ';' */
};

/* False, and `*ret` as it was, when there is no further one. */
static bool
next_piece(const struct tn_dialect_table *dialect, const char *text,
           size_t size, size_t *at, struct piece *ret)
{
  struct piece piece = { .has_ended = false };
  struct tn_lexer lexer;
  struct tn_token token;
  bool has_statement = false;
  size_t end = 0;

  tn_lexer_init(&lexer, dialect, text, size, *at);
  while (!piece.has_ended && tn_lexer_next(&lexer, &token)) {
    bool is_skipped =
        token.kind == TN_TOKEN_BLANK || token.kind == TN_TOKEN_COMMENT;

    if (token.kind == TN_TOKEN_SEMICOLON)
      piece.has_ended = has_statement;
    if (token.kind == TN_TOKEN_SEMICOLON || (is_skipped && !token.is_open))
      continue;
    if (!has_statement)
      piece.start = token.start;
    has_statement = true;
    end = token.start + token.size;
  }
  *at = lexer.at;
  piece.size = end - piece.start;
  if (has_statement)
    *ret = piece;
  return has_statement;
}

/* ------------------------------------------------------------------ */

enum tn_code
tn_sql_translate(const struct tn_dialect_table *dialect, const char *text,
                 size_t size, struct tn_arena *arena, struct tn_sql *ret,
                 tn_err *err)
{
  struct source source = { dialect, text, size, err };
  struct tn_sql sql = { .text = text, .size = size };
  struct survey survey;
  enum tn_code rc;

  rc = read_statement(&source, false, &survey);
  if (rc != TN_OK)
    return rc;

  sql.slot_count = (uint32_t)survey.places;
  sql.place_count = (uint32_t)survey.places;
  if (survey.names > 0 || survey.operators > 0 ||
      (survey.places > 0 &&
       dialect->placeholder == TN_PLACEHOLDER_DOLLAR_NUMBER))
    rc = translate(&source, &survey, arena, &sql);
  if (rc == TN_OK)
    rc = refuse_long(&source, sql.size);
  if (rc == TN_OK)
    *ret = sql;
  return rc;
}

enum tn_code
tn_sql_check(const struct tn_dialect_table *dialect, const char *text,
             size_t size, tn_err *err)
{
  struct source source = { dialect, text, size, err };
  struct survey survey;
  enum tn_code rc = read_statement(&source, true, &survey);

  return rc == TN_OK ? refuse_long(&source, size) : rc;
}

bool
tn_sql_next(const struct tn_dialect_table *dialect, const char *text,
            size_t size, size_t *at, size_t *ret_start, size_t *ret_size)
{
  struct piece piece = { .size = 0 };

  if (!next_piece(dialect, text, size, at, &piece))
    return false;
  *ret_start = piece.start;
  *ret_size = piece.size;
  return true;
}

uint64_t
tn_sql_count(const struct tn_dialect_table *dialect, const char *text,
             size_t size, bool *ret_is_complete)
{
  struct piece piece = { .has_ended = true };
  uint64_t count = 0;
  size_t at = 0;

  while (next_piece(dialect, text, size, &at, &piece))
    count++;
  *ret_is_complete = piece.has_ended;
  return count;
}
