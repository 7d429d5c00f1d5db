/* Bodies of routines, and other statements with semicolons inside.
 *
 * It is no grammar: it counts BEGIN, IF and their like, and END, only where a
 * statement can begin and end, so that columns of these names, functions and
 * CASE … END do no harm. */
#include "body.h"

#include <string.h>

#include "text.h"

/* The roles of a word, or of a mark, in the grammar of bodies. */
#define ROLE_CREATE    UINT32_C(0x001) /* a statement that may have a body */
#define ROLE_MODIFIER  UINT32_C(0x002) /* between CREATE and the kind */
#define ROLE_DEFINER   UINT32_C(0x004) /* likewise, with an account after it */
#define ROLE_ROUTINE   UINT32_C(0x008) /* the kinds that have a body */
#define ROLE_RULE      UINT32_C(0x010)
#define ROLE_BEGIN     UINT32_C(0x020)
#define ROLE_END       UINT32_C(0x040)
#define ROLE_LEADS     UINT32_C(0x080) /* a block may begin after it */
#define ROLE_CLOSES    UINT32_C(0x100) /* the END of a block may follow it */
#define ROLE_AFTER_END UINT32_C(0x200) /* END IF is not the END of a block */
#define ROLE_HANDLER   UINT32_C(0x400)
#define ROLE_DOT       UINT32_C(0x800)  /* before a column of that name */
#define ROLE_OPENS     UINT32_C(0x1000) /* IF … END IF, where one may begin */
#define ROLE_FOR       UINT32_C(0x2000) /* likewise, and much else */
#define ROLE_CASE      UINT32_C(0x4000) /* likewise, or an expression */
#define ROLE_REPEAT    UINT32_C(0x8000) /* likewise; its END follows UNTIL … */
#define ROLE_DO        UINT32_C(0x10000)
#define ROLE_NOT       UINT32_C(0x20000)
#define ROLE_ATOMIC    UINT32_C(0x40000)
#define ROLE_RETURNS   UINT32_C(0x80000)  /* before the name of a type */
#define ROLE_HEAD      UINT32_C(0x100000) /* may be the last word of a head */
#define ROLE_EXPLAIN   UINT32_C(0x200000) /* before a statement */

/* Longest word of the table below. */
#define ROLE_WORD_MAX 13

struct role_row {
  char word[ROLE_WORD_MAX + 1];
  uint32_t roles;
};

static const struct role_row role_rows[] = {
  { "explain", ROLE_EXPLAIN },
  { "query", ROLE_EXPLAIN },
  { "plan", ROLE_EXPLAIN },
  { "create", ROLE_CREATE },
  { "alter", ROLE_CREATE },
  { "or", ROLE_MODIFIER },
  { "replace", ROLE_MODIFIER },
  { "temp", ROLE_MODIFIER },
  { "temporary", ROLE_MODIFIER },
  { "aggregate", ROLE_MODIFIER },
  { "definer", ROLE_DEFINER },
  { "trigger", ROLE_ROUTINE },
  { "procedure", ROLE_ROUTINE },
  { "function", ROLE_ROUTINE },
  { "event", ROLE_ROUTINE },
  { "rule", ROLE_RULE },
  { "begin", ROLE_BEGIN | ROLE_LEADS | ROLE_CLOSES },
  { "not", ROLE_NOT },
  { "atomic", ROLE_ATOMIC | ROLE_LEADS | ROLE_CLOSES },
  { "end", ROLE_END },
  { "then", ROLE_LEADS },
  { "else", ROLE_LEADS },
  { "do", ROLE_DO | ROLE_LEADS },
  { "loop", ROLE_OPENS | ROLE_LEADS | ROLE_AFTER_END },
  { "repeat", ROLE_OPENS | ROLE_REPEAT | ROLE_LEADS | ROLE_AFTER_END },
  { "if", ROLE_OPENS | ROLE_AFTER_END },
  { "while", ROLE_OPENS | ROLE_AFTER_END },
  { "case", ROLE_OPENS | ROLE_CASE | ROLE_AFTER_END },
  { "for", ROLE_OPENS | ROLE_FOR | ROLE_AFTER_END },
  { "handler", ROLE_HANDLER },

  /* the last word before a body */
  { "returns", ROLE_RETURNS },
  { "row", ROLE_HEAD },
  { "deterministic", ROLE_HEAD },
  { "sql", ROLE_HEAD },
  { "data", ROLE_HEAD },
  { "invoker", ROLE_HEAD },
};

static bool
has(const struct tn_lexer *lexer, uint32_t trait)
{
  return (lexer->traits & trait) != 0;
}

static bool
is_mark(const struct tn_lexer *lexer, const struct tn_token *token, char mark)
{
  return token->kind == TN_TOKEN_MARK && token->size == 1 &&
         lexer->text[token->start] == mark;
}

static uint32_t
roles_of_word(const char *word, size_t size)
{
  char lower[ROLE_WORD_MAX + 1];
  size_t i;

  if (size > ROLE_WORD_MAX)
    return 0;
  for (i = 0; i < size; i++)
    lower[i] = tn_text_lower(word[i]);
  lower[size] = '\0';
  for (i = 0; i < TN_COUNT(role_rows); i++)
    if (strcmp(role_rows[i].word, lower) == 0)
      return role_rows[i].roles;
  return 0;
}

/* Is this a routine's head, or a body of one statement? */
static bool
is_outermost(const struct tn_lexer *lexer)
{
  return lexer->depth == 0 && lexer->blocks == 0;
}

static uint32_t
roles_of(const struct tn_lexer *lexer, const struct tn_token *token)
{
  uint32_t roles = 0;

  if ((lexer->last_roles & ROLE_DOT) != 0)
    return 0;
  if (token->kind == TN_TOKEN_WORD)
    roles = roles_of_word(lexer->text + token->start, token->size);
  else if (is_mark(lexer, token, ';'))
    roles = ROLE_LEADS | ROLE_CLOSES;
  else if (is_mark(lexer, token, ':'))
    roles = ROLE_LEADS; /* a label */
  else if (is_mark(lexer, token, ')'))
    roles = ROLE_HEAD; /* behind the parameters */
  else if (is_mark(lexer, token, '.'))
    roles = ROLE_DOT;
  if ((lexer->last_roles & ROLE_RETURNS) != 0)
    roles |= ROLE_HEAD;
  if ((roles & ROLE_HEAD) != 0 && is_outermost(lexer))
    roles |= ROLE_LEADS;

  /* DO that begins a statement has an expression behind it. */
  return (roles & ROLE_DO) != 0 && (lexer->last_roles & ROLE_LEADS) != 0
             ? 0
             : roles;
}

/* The kinds of statement that have others inside. */
static uint32_t
routine_phase(const struct tn_lexer *lexer)
{
  if (has(lexer, TN_LEX_TRIGGER_BODY))
    return TN_PHASE_ROUTINE;
  return has(lexer, TN_LEX_ATOMIC_BODY) ? TN_PHASE_ATOMIC : TN_PHASE_PLAIN;
}

/* The first word: BEGIN NOT ATOMIC, IF and their like have statements inside
 * without being a routine. Behind EXPLAIN they do not stand: EXPLAIN FOR
 * CONNECTION opens nothing. */
static uint32_t
first_phase(struct tn_lexer *lexer, uint32_t roles)
{
  if ((roles & ROLE_CREATE) != 0)
    return TN_PHASE_CREATE;
  if ((roles & ROLE_EXPLAIN) != 0)
    return TN_PHASE_EXPLAIN;
  if (lexer->phase == TN_PHASE_EXPLAIN || !has(lexer, TN_LEX_TRIGGER_BODY))
    return TN_PHASE_PLAIN;
  if ((roles & ROLE_BEGIN) != 0)
    return TN_PHASE_BEGIN;
  if ((roles & ROLE_OPENS) == 0)
    return TN_PHASE_PLAIN;
  lexer->blocks = 1;
  return TN_PHASE_ROUTINE;
}

static uint32_t
next_phase(struct tn_lexer *lexer, uint32_t roles)
{
  if (lexer->phase == TN_PHASE_START || lexer->phase == TN_PHASE_EXPLAIN)
    return first_phase(lexer, roles);
  if (lexer->phase == TN_PHASE_BEGIN) {
    if ((roles & ROLE_NOT) == 0)
      return TN_PHASE_PLAIN;
    lexer->depth = 1;
    return TN_PHASE_ROUTINE;
  }
  if ((roles & ROLE_ROUTINE) != 0)
    return routine_phase(lexer);
  if ((roles & ROLE_RULE) != 0)
    return TN_PHASE_RULE;
  if ((roles & ROLE_DEFINER) != 0)
    return TN_PHASE_DEFINER;
  if (lexer->phase == TN_PHASE_DEFINER || (roles & ROLE_MODIFIER) != 0)
    return lexer->phase;
  return TN_PHASE_PLAIN;
}

/* What stands behind END: true if it is the IF of END IF. */
static bool
follow_end(struct tn_lexer *lexer, uint32_t roles)
{
  bool is_of_block = (roles & ROLE_AFTER_END) != 0;

  if (is_of_block && lexer->blocks > 0 &&
      (lexer->end_is_pending || (roles & ROLE_REPEAT) != 0))
    lexer->blocks--;
  if (!is_of_block && lexer->end_is_pending && lexer->depth > 0)
    lexer->depth--;
  lexer->end_is_pending = false;
  lexer->after_end = false;
  return is_of_block;
}

/* END of an expression, of a block, or of REPEAT. That of a block follows the
 * ';' of its last statement, or BEGIN. */
static void
take_end(struct tn_lexer *lexer)
{
  bool closes = (lexer->last_roles & ROLE_CLOSES) != 0;

  if (lexer->cases > 0 && !closes) {
    lexer->cases--;
  } else if (!is_outermost(lexer)) {
    lexer->after_end = true;
    lexer->end_is_pending = closes;
    lexer->cases = 0;
  }
}

/* The blocks of a body. */
static void
follow_routine(struct tn_lexer *lexer, uint32_t roles)
{
  bool may_begin = lexer->cases == 0 && (lexer->last_roles & ROLE_LEADS) != 0;

  if (lexer->after_end && follow_end(lexer, roles))
    return;
  if ((roles & ROLE_HANDLER) != 0)
    lexer->in_handler = true;
  if ((roles & ROLE_OPENS) != 0 && may_begin &&
      ((roles & ROLE_FOR) == 0 || !is_outermost(lexer)))
    lexer->blocks++;
  else if ((roles & ROLE_CASE) != 0)
    lexer->cases++;
  if ((roles & ROLE_BEGIN) != 0 && lexer->cases == 0 &&
      (may_begin || is_outermost(lexer) || lexer->in_handler)) {
    lexer->depth++;
    lexer->in_handler = false;
  }
  if ((roles & ROLE_END) != 0)
    take_end(lexer);
}

/* BEGIN ATOMIC … END; both words are names as well. */
static void
follow_atomic(struct tn_lexer *lexer, uint32_t roles)
{
  if (lexer->end_is_pending)
    lexer->depth = 0;
  lexer->end_is_pending = (roles & ROLE_END) != 0 && lexer->depth > 0 &&
                          (lexer->last_roles & ROLE_CLOSES) != 0;
  if ((roles & ROLE_ATOMIC) != 0 && (lexer->last_roles & ROLE_BEGIN) != 0)
    lexer->depth = 1;
}

static void
follow_rule(struct tn_lexer *lexer, const struct tn_token *token)
{
  if (is_mark(lexer, token, '('))
    lexer->depth++;
  else if (is_mark(lexer, token, ')') && lexer->depth > 0)
    lexer->depth--;
}

static void
start_statement(struct tn_lexer *lexer)
{
  lexer->phase = TN_PHASE_START;
  lexer->last_roles = 0;
  lexer->in_handler = false;
  lexer->after_end = false;
  lexer->end_is_pending = false;
  lexer->depth = 0;
  lexer->blocks = 0;
  lexer->cases = 0;
}

void
tn_body_follow(struct tn_lexer *lexer, const struct tn_token *token)
{
  uint32_t roles;

  if (token->kind == TN_TOKEN_SEMICOLON) {
    start_statement(lexer);
    return;
  }
  if (lexer->phase == TN_PHASE_PLAIN)
    return;
  roles = roles_of(lexer, token);
  if (lexer->phase == TN_PHASE_ROUTINE)
    follow_routine(lexer, roles);
  else if (lexer->phase == TN_PHASE_ATOMIC)
    follow_atomic(lexer, roles);
  else if (lexer->phase == TN_PHASE_RULE)
    follow_rule(lexer, token);
  else
    lexer->phase = next_phase(lexer, roles);
  if (is_mark(lexer, token, ';')) {
    lexer->in_handler = false;
    lexer->cases = 0;
  }
  lexer->last_roles = roles;
}
