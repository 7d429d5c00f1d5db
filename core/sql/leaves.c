#include "leaves.h"

#include <string.h>
#include <strings.h>

#include "lexer.h"

/* Is the word among those that stand in `list`, between blanks? */
static bool
is_listed(const char *list, const char *word, size_t size)
{
  while (list != NULL && *list != '\0') {
    size_t length = strcspn(list, " ");

    if (length == size && strncasecmp(list, word, size) == 0)
      return true;
    list += length + strspn(list + length, " ");
  }
  return false;
}

/* U&"take\005fit": the name may be spelled by numbers. */
static bool
is_spelled(const char *text, const struct tn_token *token)
{
  const char *at = text + token->start;

  return token->start >= 2 && at[-1] == '&' && (at[-2] == 'U' || at[-2] == 'u');
}

/* The word of a server's own is looked for wherever it stands: as a column it
 * costs a reset too many. */
static bool
leaves(const struct tn_dialect_table *dialect, const char *text,
       const struct tn_token *token, bool selects)
{
  const char *at = text + token->start;

  if (token->kind == TN_TOKEN_MARK)
    return (dialect->lexer & TN_LEX_AT_VARIABLE) != 0 && token->size == 2 &&
           at[0] == ':' && at[1] == '=';
  if (token->kind == TN_TOKEN_NAME) /* between its quotes */
    return token->size > 2 &&
           (is_spelled(text, token) ||
            is_listed(dialect->session_words, at + 1, token->size - 2));
  if (token->kind != TN_TOKEN_WORD)
    return false;
  return (selects && is_listed("into", at, token->size)) ||
         is_listed(dialect->session_words, at, token->size);
}

bool
tn_sql_leaves(const struct tn_dialect_table *dialect, const char *text,
              size_t size, bool is_query)
{
  struct tn_lexer lexer;
  struct tn_token token;

  tn_lexer_init(&lexer, dialect, text, size, 0);
  while (tn_lexer_next(&lexer, &token)) {
    if (leaves(dialect, text, &token, is_query))
      return true;

    /* WITH … INSERT INTO */
    if (token.kind == TN_TOKEN_WORD &&
        is_listed("insert replace merge", text + token.start, token.size))
      is_query = false;
  }
  return false;
}
