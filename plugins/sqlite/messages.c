/* What SQLite tells in words only: the kind of a SQLITE_ERROR, and the names
 * of tables and columns.
 *
 * Its messages are English in every locale and are kept stable; each row here
 * has a test against the real library. */
#include "sqlite_priv.h"

#include <string.h>

enum names {
  NO_NAMES,
  TABLE,           /* [schema.]table */
  COLUMN,          /* [table.]column */
  TABLE_COLUMN,    /* table.column */
  TABLE_OF_COLUMN, /* "table T has no column named C" */
  CONSTRAINT,
  UNIQUE, /* "t.a, t.b", or "index 'name'" */
};

/* A message is `prefix`, then the names, then `rest` and anything behind it.
 * The first row that matches wins. */
struct message {
  const char *prefix;
  const char *rest;
  int32_t category;
  uint32_t names; /* enum names */
};

/* clang-format off */
static const struct message messages[] = {
  { "no such table: ", "", TN_E_NO_TABLE, TABLE },
  { "no such view: ", "", TN_E_NO_TABLE, TABLE },
  { "no such column: ", "", TN_E_NO_COLUMN, COLUMN },
  { "table ", " has no column named ", TN_E_NO_COLUMN, TABLE_OF_COLUMN },
  { "no such index: ", "", TN_E_NO_CONSTRAINT, CONSTRAINT },
  { "foreign key mismatch - ", "", TN_E_CONSTRAINT, NO_NAMES },
  { "ON CONFLICT clause does not match any ", "", TN_E_NO_CONSTRAINT,
    NO_NAMES },
  { "no such function: ", "", TN_E_NO_FUNCTION, NO_NAMES },
  { "wrong number of arguments to function ", "", TN_E_NO_FUNCTION, NO_NAMES },
  { "no such collation sequence: ", "", TN_E_NOT_FOUND, NO_NAMES },
  { "no such trigger: ", "", TN_E_NOT_FOUND, NO_NAMES },
  { "no such module: ", "", TN_E_UNSUPPORTED, NO_NAMES },
  { "no such database: ", "", TN_E_NO_DATABASE, NO_NAMES },
  { "unknown database ", "", TN_E_NO_DATABASE, NO_NAMES },
  { "no such savepoint: ", "", TN_E_STATE, NO_NAMES },

  { "table ", " already exists", TN_E_EXISTS, TABLE },
  { "view ", " already exists", TN_E_EXISTS, TABLE },
  { "index ", " already exists", TN_E_EXISTS, CONSTRAINT },
  { "trigger ", " already exists", TN_E_EXISTS, NO_NAMES },
  { "there is already a", "", TN_E_EXISTS, NO_NAMES },
  { "duplicate column name: ", "", TN_E_EXISTS, COLUMN },
  { "database ", " is already in use", TN_E_EXISTS, NO_NAMES },

  { "cannot start a transaction within a transaction", "", TN_E_STATE,
    NO_NAMES },
  { "cannot ", " - no transaction is active", TN_E_STATE, NO_NAMES },
  { "", " from within a transaction", TN_E_STATE, NO_NAMES },
  { "Safety level may not be changed inside a transaction", "", TN_E_STATE,
    NO_NAMES },
  { "database ", " is locked", TN_E_STATE, NO_NAMES },
  { "cannot ", " - SQL statements in progress", TN_E_STATE, NO_NAMES },

  { "regexp: too much ", "", TN_E_LIMIT, NO_NAMES },
  { "regexp: ", "", TN_E_DATA, NO_NAMES },
  { "malformed JSON", "", TN_E_DATA, NO_NAMES },
  { "JSON ", "", TN_E_DATA, NO_NAMES },
  { "bad JSON path", "", TN_E_DATA, NO_NAMES },
  { "integer overflow", "", TN_E_DATA, NO_NAMES },
  { "hex literal too big: ", "", TN_E_DATA, NO_NAMES },
  { "ESCAPE expression must be a single character", "", TN_E_DATA, NO_NAMES },

  { "too many ", "", TN_E_LIMIT, NO_NAMES },
  { "at most ", "", TN_E_LIMIT, NO_NAMES },
  { "Expression tree is too large", "", TN_E_LIMIT, NO_NAMES },
  { "parser stack overflow", "", TN_E_LIMIT, NO_NAMES },
  { "LIKE or GLOB pattern too complex", "", TN_E_LIMIT, NO_NAMES },

  { "cannot modify ", " because it is a view", TN_E_UNSUPPORTED, TABLE },
  { "table ", " may not be ", TN_E_UNSUPPORTED, TABLE },
  { "view ", " may not be ", TN_E_UNSUPPORTED, TABLE },
  { "index associated with UNIQUE or PRIMARY KEY constraint", "",
    TN_E_UNSUPPORTED, NO_NAMES },
  { "Cannot add a ", "", TN_E_UNSUPPORTED, NO_NAMES },
  { "cannot drop ", "", TN_E_UNSUPPORTED, NO_NAMES },
  { "", " not supported", TN_E_UNSUPPORTED, NO_NAMES },

  { "not authorized", "", TN_E_PERMISSION, NO_NAMES },
  { "unsafe use of ", "", TN_E_PERMISSION, NO_NAMES },

  { "no such vfs: ", "", TN_E_CONFIG, NO_NAMES },
  { "no such access mode: ", "", TN_E_CONFIG, NO_NAMES },
  { "no such cache mode: ", "", TN_E_CONFIG, NO_NAMES },
  { "invalid uri authority: ", "", TN_E_CONFIG, NO_NAMES },

  { "near ", ": syntax error", TN_E_SYNTAX, NO_NAMES },
  { "unrecognized token: ", "", TN_E_SYNTAX, NO_NAMES },
  { "incomplete input", "", TN_E_SYNTAX, NO_NAMES },
  { "ambiguous column name: ", "", TN_E_SYNTAX, COLUMN },
};

/* Messages whose code says enough, for their names. */
static const struct constraint {
  int code;
  uint32_t names; /* enum names */
  const char *prefix;
} constraints[] = {
  { SQLITE_CONSTRAINT_UNIQUE, UNIQUE, "UNIQUE constraint failed: " },
  { SQLITE_CONSTRAINT_PRIMARYKEY, UNIQUE, "UNIQUE constraint failed: " },
  { SQLITE_CONSTRAINT_ROWID, UNIQUE, "UNIQUE constraint failed: " },
  { SQLITE_CONSTRAINT_NOTNULL, TABLE_COLUMN, "NOT NULL constraint failed: " },
  { SQLITE_CONSTRAINT_CHECK, CONSTRAINT, "CHECK constraint failed: " },
  { SQLITE_CONSTRAINT_DATATYPE, TABLE_COLUMN, "cannot store " },
};
/* clang-format on */

static bool
starts_with(const char *text, const char *prefix)
{
  return strncmp(text, prefix, strlen(prefix)) == 0;
}

static const struct message *
find(const char *text)
{
  size_t i;

  for (i = 0; i < SQLITE__COUNT(messages); i++) {
    const struct message *message = &messages[i];

    if (starts_with(text, message->prefix) &&
        strstr(text + strlen(message->prefix), message->rest) != NULL)
      return message;
  }
  return NULL;
}

int32_t
sqlite__message_category(const char *text)
{
  const struct message *message = find(text);

  return message == NULL ? 0 : message->category;
}

/* A part of a message. */
struct span {
  const char *text;
  size_t size;
};

static struct span
span_of(const char *text, const char *end)
{
  struct span span = { text, (size_t)(end - text) };

  return span;
}

static void
add(struct sqlite__conn *conn, uint32_t field, struct span span)
{
  conn->host->fail_field(conn->call, field, span.text, span.size);
}

/* Some messages have a name in quotes. */
static struct span
unquoted(struct span span)
{
  if (span.size >= 2 && span.text[0] == '"' && span.text[span.size - 1] == '"')
    return span_of(span.text + 1, span.text + span.size - 1);
  return span;
}

/* The last dot of `span`, NULL if it has none. */
static const char *
last_dot(struct span span)
{
  return memrchr(span.text, '.', span.size);
}

static bool
is_schema(struct sqlite__conn *conn, struct span span)
{
  char name[128];

  if (span.size >= sizeof name)
    return false;
  memcpy(name, span.text, span.size);
  name[span.size] = '\0';
  return sqlite3_db_readonly(conn->db, name) >= 0;
}

static const char *
next_dot(const char *at, const char *end)
{
  return memchr(at, '.', (size_t)(end - at));
}

/* Does the whole of it stand between quotes in the statement, as a single name
 * must that has a dot? One with quotes in it stands there otherwise. */
static bool
may_be_single(struct span span, const char *sql)
{
  static const char quotes[] = "\"`[]'";
  const char *at, *behind;
  size_t i;

  for (i = 0; i < sizeof quotes - 1; i++)
    if (memchr(span.text, quotes[i], span.size) != NULL)
      return true;
  for (at = sql + 1; sql[0] != '\0' && *at != '\0'; at++) {
    behind = at + span.size;
    if (strchr(quotes, at[-1]) != NULL &&
        strncmp(at, span.text, span.size) == 0 && *behind != '\0' &&
        strchr(quotes, *behind) != NULL)
      return true;
  }
  return false;
}

/* "main.t" is a table of a schema, but "a.t" may be a table with a dot in its
 * name: whether there is such a schema decides, or if there is not, how the
 * name is written in `sql`, which may be NULL. NULL: it is a single name, or
 * cannot be told. */
static const char *
dot_of_schema(struct sqlite__conn *conn, struct span span, const char *sql)
{
  const char *end = span.text + span.size;
  const char *first = next_dot(span.text, end);
  const char *found = NULL;
  const char *dot;

  for (dot = first; dot != NULL; dot = next_dot(dot + 1, end)) {
    if (!is_schema(conn, span_of(span.text, dot)))
      continue;
    if (found != NULL)
      return NULL;
    found = dot;
  }
  if (found != NULL || first == NULL || sql == NULL)
    return found;
  return next_dot(first + 1, end) != NULL || may_be_single(span, sql) ? NULL
                                                                      : first;
}

static void
add_table_of(struct sqlite__conn *conn, struct span span, const char *sql)
{
  const char *dot = dot_of_schema(conn, span, sql);

  if (dot != NULL) {
    add(conn, TN_ERR_SCHEMA, span_of(span.text, dot));
    span = span_of(dot + 1, span.text + span.size);
  }
  add(conn, TN_ERR_TABLE, span);
}

static void
add_table(struct sqlite__conn *conn, struct span span)
{
  add_table_of(conn, span, NULL);
}

static void
add_column(struct sqlite__conn *conn, struct span span)
{
  const char *dot = last_dot(span);
  const char *end = span.text + span.size;

  if (dot != NULL) {
    add_table(conn, span_of(span.text, dot));
    span = span_of(dot + 1, end);
  }
  add(conn, TN_ERR_COLUMN, span);
}

/* A table that the statement writes to and `text` names, "T." of "T.a, T.b":
 * the only way to tell the dots and commas of odd names from SQLite's. */
static struct span
known_table(const char *text, const struct sqlite__statement *statement)
{
  struct span none = { NULL, 0 };
  const char *at, *end, *table;

  if (statement == NULL || statement->targets == NULL)
    return none;
  end = statement->targets + statement->targets_size;
  for (at = statement->targets; at < end;) {
    table = at + strlen(at) + 1;
    if (starts_with(text, table) && text[strlen(table)] == '.')
      return span_of(table, table + strlen(table));
    at = table + strlen(table) + 1;
    at += strlen(at) + 1;
  }
  return none;
}

/* The end of the first name in "T.a, T.b" behind "T.". */
static const char *
end_of_column(const char *text, struct span table)
{
  const char *at = text;

  while ((at = strstr(at, ", ")) != NULL) {
    if (strncmp(at + 2, table.text, table.size) == 0 &&
        at[2 + table.size] == '.')
      return at;
    at += 2;
  }
  return text + strlen(text);
}

static void
add_columns(struct sqlite__conn *conn, const char *text,
            const struct sqlite__statement *statement)
{
  struct span table = known_table(text, statement);
  const char *end;

  if (table.text == NULL) {
    end = strstr(text, ", ");
    table = span_of(text, end == NULL ? text + strlen(text) : end);
    end = last_dot(table);
    if (end == NULL)
      return;
    table = span_of(text, end);
  }
  add(conn, TN_ERR_TABLE, table);
  for (;;) {
    text += table.size + 1;
    end = end_of_column(text, table);
    add(conn, TN_ERR_COLUMN, span_of(text, end));
    if (*end == '\0')
      return;
    text = end + 2;
  }
}

/* "index 'name'": of an index on an expression, which has no columns. */
static void
add_unique(struct sqlite__conn *conn, const char *text,
           const struct sqlite__statement *statement)
{
  size_t size = strlen(text);

  if (starts_with(text, "index '") && text[size - 1] == '\'')
    add(conn, TN_ERR_CONSTRAINT, span_of(text + 7, text + size - 1));
  else
    add_columns(conn, text, statement);
}

/* "table T has no column named C", from T on. */
static void
add_table_and_column(struct sqlite__conn *conn, const char *text,
                     const char *between)
{
  const char *found = strstr(text, between);

  add_table(conn, span_of(text, found));
  found += strlen(between);
  add(conn, TN_ERR_COLUMN, span_of(found, found + strlen(found)));
}

static void
add_names(struct sqlite__conn *conn, const struct message *message,
          const char *text, const char *sql)
{
  const char *end = text + strlen(text);

  text += strlen(message->prefix);
  if (message->rest[0] != '\0')
    end = strstr(text, message->rest);
  switch (message->names) {
  case TABLE: /* with its schema, where it is looked for by that name */
    add_table_of(conn, span_of(text, end),
                 message->rest[0] == '\0' ? sql : NULL);
    break;
  case COLUMN:
    add_column(conn, unquoted(span_of(text, end)));
    break;
  case TABLE_OF_COLUMN:
    add_table_and_column(conn, text, message->rest);
    break;
  case CONSTRAINT:
    add(conn, TN_ERR_CONSTRAINT, unquoted(span_of(text, end)));
    break;
  default:
    break;
  }
}

static void
add_constraint(struct sqlite__conn *conn, const struct constraint *constraint,
               const char *text, const struct sqlite__statement *statement)
{
  text += strlen(constraint->prefix);
  if (constraint->code == SQLITE_CONSTRAINT_DATATYPE) {
    /* "cannot store TEXT value in INT column t.a" */
    text = strstr(text, " column ");
    if (text == NULL)
      return;
    text += strlen(" column ");
  }
  if (constraint->names == UNIQUE)
    add_unique(conn, text, statement);
  else if (constraint->names == TABLE_COLUMN)
    add_columns(conn, text, statement);
  else
    add(conn, TN_ERR_CONSTRAINT, span_of(text, text + strlen(text)));
}

/* What those functions may fill in. */
static uint32_t
fields_of(uint32_t names)
{
  static const uint32_t table =
      TN_ERR_BIT(TN_ERR_SCHEMA) | TN_ERR_BIT(TN_ERR_TABLE);

  switch (names) {
  case TABLE:
    return table;
  case COLUMN:
  case TABLE_COLUMN:
  case TABLE_OF_COLUMN:
    return table | TN_ERR_BIT(TN_ERR_COLUMN);
  case CONSTRAINT:
    return TN_ERR_BIT(TN_ERR_CONSTRAINT);
  case UNIQUE:
    return TN_ERR_BIT(TN_ERR_TABLE) | TN_ERR_BIT(TN_ERR_COLUMN) |
           TN_ERR_BIT(TN_ERR_CONSTRAINT);
  default:
    return 0;
  }
}

void
sqlite__error_fields(const struct tn_error_row *row,
                     struct tn_error_fields *ret)
{
  size_t i;

  for (i = 0; i < SQLITE__COUNT(constraints); i++)
    if (constraints[i].code == row->native)
      ret->message |= fields_of(constraints[i].names);
  for (i = 0; row->native == SQLITE_ERROR && i < SQLITE__COUNT(messages); i++)
    ret->message |= fields_of(messages[i].names);
}

void
sqlite__message_fields(struct sqlite__conn *conn, int code, const char *text,
                       const struct sqlite__where *where)
{
  const struct sqlite__statement *statement =
      where == NULL ? NULL : where->statement;
  const struct message *message;
  size_t i;

  for (i = 0; i < SQLITE__COUNT(constraints); i++)
    if (constraints[i].code == code &&
        starts_with(text, constraints[i].prefix)) {
      add_constraint(conn, &constraints[i], text, statement);
      return;
    }
  message = code == SQLITE_ERROR ? find(text) : NULL;
  if (message != NULL)
    add_names(conn, message, text, where == NULL ? NULL : where->sql);
}
