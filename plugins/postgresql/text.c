/* What the text of a statement tells without a parser: the server says the
 * rest, but some of it only when it is too late. */
#include <string.h>

#include "pg_priv.h"

static bool
is_blank(char byte)
{
  return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

static char
lower(char byte)
{
  return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

static bool
is_word_byte(char byte)
{
  return (lower(byte) >= 'a' && lower(byte) <= 'z') ||
         (byte >= '0' && byte <= '9') || byte == '_' ||
         (unsigned char)byte >= 0x80;
}

/* Behind a comment, which may have others in it. */
static const char *
skip_comment(const char *sql)
{
  int depth = 0;

  do {
    if (sql[0] == '/' && sql[1] == '*') {
      depth++;
      sql += 2;
    } else if (sql[0] == '*' && sql[1] == '/') {
      depth--;
      sql += 2;
    } else if (*sql != '\0') {
      sql++;
    }
  } while (depth > 0 && *sql != '\0');
  return sql;
}

/* Behind blanks, comments and `mark`s. */
static const char *
skip_blanks(const char *sql, char mark)
{
  for (;;) {
    if (is_blank(*sql) || *sql == mark)
      sql++;
    else if (sql[0] == '-' && sql[1] == '-')
      sql += strcspn(sql, "\r\n");
    else if (sql[0] == '/' && sql[1] == '*')
      sql = skip_comment(sql);
    else
      return sql;
  }
}

/* Is the word that starts here `word`, in any case? */
static bool
starts_with(const char *sql, const char *word)
{
  size_t i;

  for (i = 0; word[i] != '\0'; i++)
    if (lower(sql[i]) != word[i])
      return false;
  return !is_word_byte(sql[i]);
}

/* Is there such a word, were it in a string? */
static bool
has_word(const char *sql, const char *word)
{
  const char *at;

  for (at = sql; *at != '\0'; at++)
    if ((at == sql || !is_word_byte(at[-1])) && starts_with(at, word))
      return true;
  return false;
}

/* First words, and what must come somewhere behind them. */
static const struct first {
  const char *word;
  uint32_t flags;
  const char *with; /* or NULL */
} firsts[] = {
  { "copy", PG__TEXT_COPY, NULL },
  { "commit", PG__TEXT_COMMIT, NULL },
  { "end", PG__TEXT_COMMIT, NULL },
  { "prepare", PG__TEXT_COMMIT | PG__TEXT_PREPARES, "transaction" },
  { "prepare", PG__TEXT_PREPARES, NULL },
  { "drop", PG__TEXT_DROPS_INDEX, "index" },
  { "select", PG__TEXT_READS, NULL },
  { "values", PG__TEXT_READS, NULL },
  { "table", PG__TEXT_READS, NULL },
  { "show", PG__TEXT_READS, NULL },
  { "with", PG__TEXT_READS, NULL },
  { "fetch", PG__TEXT_READS, NULL },
  { "explain", PG__TEXT_READS, NULL },
};

/* Words of a statement that changes something, wherever they stand. */
static const char *const writers[] = { "insert", "update", "delete", "merge",
                                       "into" };

/* What its first word says, whatever comes behind. */
static uint32_t
look_at_first(const char *start)
{
  size_t i;

  for (i = 0; i < PG__COUNT(firsts); i++)
    if (starts_with(start, firsts[i].word) &&
        (firsts[i].with == NULL || has_word(start, firsts[i].with)))
      return firsts[i].flags;
  return 0;
}

uint32_t
pg__text_look(const char *sql)
{
  const char *start = skip_blanks(sql, ';');
  uint32_t flags;
  size_t i;

  if (*start == '\0')
    return PG__TEXT_BLANK;
  start = skip_blanks(start, '(');
  flags = look_at_first(start);

  for (i = 0; i < PG__COUNT(writers) && flags == PG__TEXT_READS; i++)
    if (has_word(start, writers[i]))
      flags = 0;
  return flags;
}

bool
pg__text_returns(const char *sql)
{
  const char *start = skip_blanks(sql, '(');

  if (starts_with(start, "with") && pg__text_look(sql) != PG__TEXT_READS)
    return has_word(sql, "returning");
  return look_at_first(start) == PG__TEXT_READS || has_word(sql, "returning");
}
