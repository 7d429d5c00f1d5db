/* What only the text of a message tells: the category, where the driver has
 * one code for all, and the names of what an error is about. Texts are those of
 * servers that do not translate them; what is not recognised is no harm, the
 * code still counts. */
#include "odbc_priv.h"

#include <string.h>

/* In a pattern, %1 is a table's name, %2 a column's and %3 a constraint's, up
 * to the text that follows or to the end; %0 is skipped. */
struct pattern {
  const char *text;
  int32_t category; /* 0: the code's */
};

static const struct pattern patterns[] = {
  /* SQLite */
  { "no such table: %1 (", TN_E_NO_TABLE },
  { "no such column: %2 (", TN_E_NO_COLUMN },
  { "table %1 has no column named %2 (", TN_E_NO_COLUMN },
  { "no such function: %0 (", TN_E_NO_FUNCTION },
  { "no such savepoint: %0", TN_E_STATE },
  { "already exists (1)", TN_E_EXISTS },
  { "syntax error (1)", TN_E_SYNTAX },
  { "incomplete input", TN_E_SYNTAX },
  { "UNIQUE constraint failed: index '%3'", TN_E_DUPLICATE },
  { "UNIQUE constraint failed: %1.%2 (", TN_E_DUPLICATE },
  { "NOT NULL constraint failed: %1.%2 (", TN_E_NOT_NULL },
  { "CHECK constraint failed: %3 (", TN_E_CHECK },
  { "FOREIGN KEY constraint failed", TN_E_REFERENCE },

  /* PostgreSQL */
  { "column \"%2\" of relation \"%1\" does not exist", 0 },
  { "relation \"%1\" does not exist", 0 },
  { "table \"%1\" does not exist", 0 },
  { "null value in column \"%2\" of relation \"%1\" violates", 0 },
  { "new row for relation \"%1\" violates check constraint \"%3\"", 0 },
  { "on table \"%1\" violates foreign key constraint \"%3\"", 0 },
  { "violates unique constraint \"%3\"", 0 },
  { "column \"%2\" does not exist", 0 },

  /* MariaDB and MySQL */
  { "Table '%0.%1' doesn't exist", 0 },
  { "Unknown table '%0.%1'", 0 },
  { "Unknown column '%2' in", 0 },
  { "Column '%2' cannot be null", 0 },
  { "Duplicate entry '%0' for key '%3'", 0 },
  { "CONSTRAINT `%3` failed for `%0`.`%1`", 0 },
  { "(`%0`.`%1`, CONSTRAINT `%3` FOREIGN KEY", 0 },
};

/* Take a name of `size` bytes; "" where it is too long. */
static void
keep_name(struct odbc__names *names, char which, const char *text, size_t size)
{
  char *name;

  if (which < '1' || which > '3' || size >= ODBC__NAME_MAX)
    return;
  name = names->text[which - '1'];
  memcpy(name, text, size);
  name[size] = '\0';
}

/* How many characters of a pattern come before its next name. */
static size_t
literal_size(const char *pattern)
{
  return strcspn(pattern, "%");
}

/* Is the rest of the pattern at `at`? */
static bool
match_here(const char *pattern, const char *at, struct odbc__names *names)
{
  for (;;) {
    size_t size = literal_size(pattern);
    char which;
    const char *end;
    char next[64];

    if (strncmp(at, pattern, size) != 0)
      return false;
    if (pattern[size] == '\0')
      return true;
    at += size;
    which = pattern[size + 1];
    pattern += size + 2;
    size = literal_size(pattern);
    memcpy(next, pattern, size);
    next[size] = '\0';
    end = size == 0 ? at + strlen(at) : strstr(at, next);
    if (end == NULL)
      return false;
    keep_name(names, which, at, (size_t)(end - at));
    at = end;
  }
}

static bool
match(const char *pattern, const char *message, struct odbc__names *names)
{
  size_t size = literal_size(pattern);
  const char *at;

  for (at = message; *at != '\0'; at++) {
    if (strncmp(at, pattern, size) != 0)
      continue;
    memset(names, 0, sizeof *names);
    if (match_here(pattern, at, names))
      return true;
  }
  memset(names, 0, sizeof *names);
  return false;
}

int32_t
odbc__read_message(const char *message, struct odbc__names *names)
{
  size_t i;

  for (i = 0; i < ODBC__COUNT(patterns); i++)
    if (match(patterns[i].text, message, names))
      return patterns[i].category;
  return 0;
}
