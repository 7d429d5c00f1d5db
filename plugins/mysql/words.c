/* The little that is read of a statement's text here: its first word, whether
 * it returns what it writes, and whether there is a second statement behind it.
 *
 * The server tells none of it. It calls several statements a syntax error, has
 * no name for what a prepared statement is, and says of one with RETURNING that
 * it has no columns, until it is run. */
#include "my_priv.h"

#include <string.h>
#include <strings.h>

static bool
is_blank(char c)
{
  return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The end of the comment that begins at `sql`; `sql` if none does. What is in
 * a comment that the server executes is no comment. */
static const char *
skip_comment(const char *sql)
{
  const char *end;

  if (sql[0] == '#' ||
      (sql[0] == '-' && sql[1] == '-' && (is_blank(sql[2]) || sql[2] == '\0')))
    return sql + strcspn(sql, "\n");
  if (sql[0] != '/' || sql[1] != '*' || sql[2] == '!' ||
      (sql[2] == 'M' && sql[3] == '!'))
    return sql;
  end = strstr(sql + 2, "*/");
  return end == NULL ? sql + strlen(sql) : end + 2;
}

static const char *
skip_blanks(const char *sql)
{
  for (;;) {
    const char *next = sql;

    while (is_blank(*next))
      next++;
    next = skip_comment(next);
    if (next == sql)
      return sql;
    sql = next;
  }
}

static bool
is_letter(char c)
{
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

void
mysql__first_word(const char *sql, char word[MYSQL__WORD_MAX])
{
  size_t size = 0;

  sql = skip_blanks(sql);
  while (*sql == '(')
    sql = skip_blanks(sql + 1);
  for (; is_letter(*sql) && size + 1 < MYSQL__WORD_MAX; sql++)
    word[size++] = (char)(*sql & ~0x20);
  if (is_letter(*sql))
    size = 0;
  word[size] = '\0';
}

/* Behind the closing quote; at the end if there is none. */
static const char *
skip_quoted(const char *sql)
{
  char quote = *sql;

  for (sql++; *sql != '\0'; sql++) {
    bool is_escape = *sql == '\\' && quote != '`' && sql[1] != '\0';

    if (is_escape || (*sql == quote && sql[1] == quote))
      sql++;
    else if (*sql == quote)
      return sql + 1;
  }
  return sql;
}

/* Behind the word that begins at `sql`. */
static const char *
skip_word(const char *sql)
{
  while (is_letter(*sql) || (*sql >= '0' && *sql <= '9') || *sql == '_' ||
         *sql == '$' || (unsigned char)*sql >= 0x80)
    sql++;
  return sql;
}

/* Behind what begins at `sql`: a comment, a text or a name in quotes, a word,
 * or a single sign. */
static const char *
skip_piece(const char *sql)
{
  const char *behind = skip_comment(sql);

  if (behind != sql)
    return behind;
  if (*sql == '\'' || *sql == '"' || *sql == '`')
    return skip_quoted(sql);
  behind = skip_word(sql);
  return behind != sql ? behind : sql + 1;
}

bool
mysql__has_word(const char *sql, const char *word)
{
  size_t size = strlen(word);
  const char *behind;

  for (; *sql != '\0'; sql = behind) {
    behind = skip_piece(sql);
    if ((size_t)(behind - sql) == size && strncasecmp(sql, word, size) == 0)
      return true;
  }
  return false;
}

static bool
is_one_of(const char *word, const char *const *words, size_t count)
{
  size_t i;

  for (i = 0; i < count; i++)
    if (strcmp(word, words[i]) == 0)
      return true;
  return false;
}

enum mysql__hold
mysql__hold_of(const char *sql)
{
  static const char *const kept[] = {
    "SELECT", "INSERT",   "REPLACE",  "UPDATE",  "DELETE",    "WITH",
    "VALUES", "TABLE",    "LOAD",     "DO",      "SET",       "SHOW",
    "DESC",   "EXPLAIN",  "DESCRIBE", "HANDLER", "SAVEPOINT", "RELEASE",
    "COMMIT", "ROLLBACK", "XA",
  };
  static const char *const committing[] = {
    "CREATE",  "ALTER",     "DROP",  "RENAME",   "TRUNCATE", "GRANT",  "REVOKE",
    "LOCK",    "UNLOCK",    "FLUSH", "OPTIMIZE", "REPAIR",   "CHECK",  "CACHE",
    "INSTALL", "UNINSTALL", "RESET", "START",    "STOP",     "CHANGE",
  };
  char word[MYSQL__WORD_MAX];

  mysql__first_word(sql, word);
  if (is_one_of(word, kept, MYSQL__COUNT(kept)))
    return MYSQL__KEEPS;
  return is_one_of(word, committing, MYSQL__COUNT(committing))
             ? MYSQL__COMMITS
             : MYSQL__MAY_COMMIT;
}

/* Such a statement may have others inside. */
static bool
may_have_body(const char *sql)
{
  static const char *const words[] = { "CREATE", "ALTER", "BEGIN", "DECLARE",
                                       "IF",     "CASE",  "LOOP",  "FOR",
                                       "REPEAT", "WHILE" };
  char word[MYSQL__WORD_MAX];

  mysql__first_word(sql, word);
  return is_one_of(word, words, MYSQL__COUNT(words));
}

bool
mysql__has_several(const char *sql)
{
  if (may_have_body(sql))
    return false;
  for (; *sql != '\0'; sql = skip_piece(sql))
    if (*sql == ';')
      return *skip_blanks(sql + 1) != '\0';
  return false;
}
