/* What a statement is, as far as its first words tell. */
#include "kind.h"

#include <string.h>
#include <strings.h>

#include "lexer.h"

static const struct {
  const char *word;
  uint32_t kind;
} words[] = {
  { "SELECT", TN_SQL_SELECT },         { "WITH", TN_SQL_SELECT },
  { "VALUES", TN_SQL_SELECT },         { "TABLE", TN_SQL_SELECT },
  { "INSERT", TN_SQL_INSERT },         { "REPLACE", TN_SQL_INSERT },
  { "UPDATE", TN_SQL_UPDATE },         { "DELETE", TN_SQL_DELETE },
  { "BEGIN", TN_SQL_TRANSACTION },     { "START", TN_SQL_TRANSACTION },
  { "COMMIT", TN_SQL_TRANSACTION },    { "END", TN_SQL_TRANSACTION },
  { "ROLLBACK", TN_SQL_TRANSACTION },  { "ABORT", TN_SQL_TRANSACTION },
  { "SAVEPOINT", TN_SQL_TRANSACTION }, { "RELEASE", TN_SQL_TRANSACTION },
};

static uint32_t
kind_of_word(const char *word, size_t size)
{
  size_t i;

  for (i = 0; i < sizeof words / sizeof words[0]; i++)
    if (strlen(words[i].word) == size &&
        strncasecmp(words[i].word, word, size) == 0)
      return words[i].kind;
  return TN_SQL_OTHER;
}

uint32_t
tn_sql_kind(const struct tn_dialect_table *dialect, const char *text,
            size_t size)
{
  struct tn_lexer lexer;
  struct tn_token token;

  tn_lexer_init(&lexer, dialect, text, size, 0);
  while (tn_lexer_next(&lexer, &token)) {
    if (token.kind == TN_TOKEN_BLANK || token.kind == TN_TOKEN_COMMENT ||
        (token.kind == TN_TOKEN_MARK && text[token.start] == '('))
      continue;
    if (token.kind == TN_TOKEN_WORD)
      return kind_of_word(text + token.start, token.size);
    break;
  }
  return TN_SQL_OTHER;
}

/* ---- the transaction as a whole ---- */

#define WORDS 3

/* The first words of a statement: as few as it begins with. */
struct opening {
  const char *words[WORDS];
  size_t sizes[WORDS];
  size_t count;
  bool is_all; /* there is nothing else in it */
  char next;   /* what is not a word behind them; 0: nothing */
};

static struct opening
read_opening(const struct tn_dialect_table *dialect, const char *text,
             size_t size)
{
  struct opening opening = { .is_all = true };
  struct tn_lexer lexer;
  struct tn_token token;

  tn_lexer_init(&lexer, dialect, text, size, 0);
  while (opening.count < WORDS && tn_lexer_next(&lexer, &token)) {
    if (token.kind == TN_TOKEN_BLANK || token.kind == TN_TOKEN_COMMENT ||
        token.kind == TN_TOKEN_CODE)
      continue;
    if (token.kind != TN_TOKEN_WORD) {
      opening.is_all = token.kind == TN_TOKEN_SEMICOLON;
      opening.next = text[token.start];
      break;
    }
    opening.words[opening.count] = text + token.start;
    opening.sizes[opening.count] = token.size;
    opening.count++;
  }
  return opening;
}

static bool
is_at(const struct opening *opening, size_t at, const char *word)
{
  return at < opening->count && strlen(word) == opening->sizes[at] &&
         strncasecmp(word, opening->words[at], opening->sizes[at]) == 0;
}

/* What may follow BEGIN where it begins a transaction. */
static const char *const modes[] = {
  "TRANSACTION", "TRAN",      "WORK",       "DEFERRED",
  "IMMEDIATE",   "EXCLUSIVE", "CONCURRENT", "DISTRIBUTED",
  "ISOLATION",   "READ",      "DEFERRABLE",
};

static bool
begins(const struct opening *opening)
{
  size_t i;

  if (opening->count == 1)
    return opening->is_all;
  for (i = 0; i < sizeof modes / sizeof modes[0]; i++)
    if (is_at(opening, 1, modes[i]))
      return true;
  return is_at(opening, 1, "NOT") && is_at(opening, 2, "DEFERRABLE");
}

/* A statement may be called so: PREPARE transaction AS … */
static bool
prepares(const struct opening *opening)
{
  return is_at(opening, 1, "TRANSACTION") && !is_at(opening, 2, "AS") &&
         !is_at(opening, 2, "FROM") &&
         (opening->count > 2 || opening->next != '(');
}

/* What stands behind XA. RECOVER, which tells the ids of others, ends none. */
static const struct {
  const char *word;
  uint32_t boundary;
} xa_words[] = {
  { "START", TN_SQL_BEGINS },   { "BEGIN", TN_SQL_BEGINS },
  { "END", TN_SQL_PREPARES },   { "PREPARE", TN_SQL_PREPARES },
  { "COMMIT", TN_SQL_COMMITS }, { "ROLLBACK", TN_SQL_ROLLS_BACK },
};

static uint32_t
boundary_of_xa(const struct opening *opening)
{
  size_t i;

  for (i = 0; i < sizeof xa_words / sizeof xa_words[0]; i++)
    if (is_at(opening, 1, xa_words[i].word))
      return xa_words[i].boundary;
  return TN_SQL_INSIDE;
}

uint32_t
tn_sql_boundary(const struct tn_dialect_table *dialect, const char *text,
                size_t size)
{
  struct opening opening = read_opening(dialect, text, size);
  bool has_noise = is_at(&opening, 1, "WORK") ||
                   is_at(&opening, 1, "TRANSACTION") ||
                   is_at(&opening, 1, "TRAN");

  if (is_at(&opening, 0, "BEGIN"))
    return begins(&opening) ? TN_SQL_BEGINS : TN_SQL_INSIDE;
  if (is_at(&opening, 0, "START"))
    return is_at(&opening, 1, "TRANSACTION") ? TN_SQL_BEGINS : TN_SQL_INSIDE;
  if (is_at(&opening, 0, "COMMIT") ||
      (is_at(&opening, 0, "END") &&
       (opening.count == 1 || has_noise || is_at(&opening, 1, "AND"))))
    return TN_SQL_COMMITS;
  if (is_at(&opening, 0, "ABORT"))
    return TN_SQL_ROLLS_BACK;
  if (is_at(&opening, 0, "ROLLBACK") &&
      !is_at(&opening, has_noise ? 2 : 1, "TO"))
    return TN_SQL_ROLLS_BACK;
  if (is_at(&opening, 0, "PREPARE"))
    return prepares(&opening) ? TN_SQL_PREPARES : TN_SQL_INSIDE;
  return is_at(&opening, 0, "XA") ? boundary_of_xa(&opening) : TN_SQL_INSIDE;
}
