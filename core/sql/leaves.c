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

/* A verb that has an INTO of its own. It opens the statement or what stands in
 * parentheses, or it comes behind those of a WITH: anywhere else the word is a
 * column or a function. */
struct verb {
  size_t depth;  /* of parentheses */
  bool selects;  /* outside of them */
  bool may_come; /* as the next word */
  bool is_last;  /* but for its modifiers */
};

static const char verbs[] = "insert replace merge";
static const char modifiers[] =
    "low_priority high_priority delayed ignore or replace abort fail rollback";

static void
follow(struct verb *verb, const char *text, const struct tn_token *token)
{
  const char *at = text + token->start;
  bool is_word = token->kind == TN_TOKEN_WORD;
  bool is_mark = token->kind == TN_TOKEN_MARK;

  if (token->kind == TN_TOKEN_BLANK || token->kind == TN_TOKEN_COMMENT ||
      token->kind == TN_TOKEN_CODE)
    return;
  verb->is_last =
      is_word && ((verb->may_come && is_listed(verbs, at, token->size)) ||
                  (verb->is_last && is_listed(modifiers, at, token->size)));
  verb->may_come = is_mark && *at == '(';
  if (is_mark && *at == '(') {
    verb->depth++;
  } else if (is_mark && *at == ')' && verb->depth > 0) {
    verb->depth--;
    verb->may_come = verb->depth == 0 && !verb->selects;
  } else if (is_word && verb->depth == 0 &&
             is_listed("select", at, token->size)) {
    verb->selects = true;
  }
}

bool
tn_sql_leaves(const struct tn_dialect_table *dialect, const char *text,
              size_t size, bool is_query)
{
  struct verb verb = { .may_come = true };
  struct tn_lexer lexer;
  struct tn_token token;

  tn_lexer_init(&lexer, dialect, text, size, 0);
  while (tn_lexer_next(&lexer, &token)) {
    if (leaves(dialect, text, &token, is_query && !verb.is_last))
      return true;
    follow(&verb, text, &token);
  }
  return false;
}
