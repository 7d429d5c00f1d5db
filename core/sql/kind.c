/* What a statement is, as far as its first word tells. */
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
