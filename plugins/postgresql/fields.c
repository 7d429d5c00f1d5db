/* Names and values that a failure has only in its texts.
 *
 * The protocol has fields for table, column and constraint, which the server
 * fills in for constraints alone. A missing table or column stands in the
 * message, between quotes of the server's language, or at the position in the
 * statement; the values of a key in the detail, between parentheses. */
#include <string.h>

#include "pg_priv.h"

/* Longest name here: a schema's and a table's, all bytes of them quotes. */
#define NAME_MAX_BYTES 260

static void
add(struct tn_call *call, uint32_t which, const char *text, size_t size)
{
  if (size > 0)
    call->host->fail_field(call, which, text, size);
}

/* ------------------------------------------------------------------ */
/* Names in quotes                                                      */

/* As the server's translations have them. */
static const struct quotes {
  const char *open;
  const char *close;
} quotes[] = {
  { "\"", "\"" },
  { "\xc2\xbb", "\xc2\xab" },                 /* German: pointing inwards */
  { "\xc2\xab\xc2\xa0", "\xc2\xa0\xc2\xbb" }, /* French */
  { "\xc2\xab", "\xc2\xbb" },                 /* Russian, Spanish */
  { "\xe2\x80\x9e", "\xe2\x80\x9d" },         /* Polish */
  { "\xe2\x80\x9e", "\xe2\x80\x9c" },         /* Czech */
  { "\xe2\x80\x9c", "\xe2\x80\x9d" },         /* Turkish, Chinese */
  { "\xe2\x80\x98", "\xe2\x80\x99" },
  { "\xe3\x80\x8c", "\xe3\x80\x8d" }, /* Japanese */
};

/* The first name between quotes. NULL: none. */
static const char *
quoted(const char *text, size_t *ret_size)
{
  const char *first = NULL; /* where its quotes open */
  const char *name = NULL;
  size_t i;

  for (i = 0; i < PG__COUNT(quotes); i++) {
    const char *open = strstr(text, quotes[i].open);
    const char *start, *close;

    if (open == NULL || (first != NULL && open >= first))
      continue;
    start = open + strlen(quotes[i].open);
    close = strstr(start, quotes[i].close);
    if (close == NULL || close == start)
      continue;
    first = open;
    name = start;
    *ret_size = (size_t)(close - start);
  }
  return name;
}

/* ------------------------------------------------------------------ */
/* Names in the statement                                               */

static bool
is_name_byte(unsigned char byte)
{
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
         (byte >= '0' && byte <= '9') || byte == '_' || byte == '$' ||
         byte >= 0x80;
}

/* Character `position`, from 1; NULL past the end. */
static const char *
at_position(const char *sql, int position)
{
  for (; position > 1 && *sql != '\0'; position--)
    do
      sql++;
    while (((unsigned char)*sql & 0xc0) == 0x80);
  return *sql == '\0' ? NULL : sql;
}

/* One name of a dotted list, unquoted or quoted; folded as the server does.
 * Returns what follows it, NULL if there is none. */
static const char *
read_name(const char *sql, char name[NAME_MAX_BYTES], size_t *ret_size)
{
  bool is_quoted = *sql == '"';
  size_t size = 0;

  for (sql += is_quoted; *sql != '\0' && size < NAME_MAX_BYTES; sql++) {
    char byte = *sql;

    if (is_quoted && byte == '"' && *++sql != '"')
      break;
    if (!is_quoted && !is_name_byte((unsigned char)byte))
      break;
    if (!is_quoted && byte >= 'A' && byte <= 'Z')
      byte = (char)(byte - 'A' + 'a');
    name[size++] = byte;
  }
  *ret_size = size;
  return size > 0 ? sql : NULL;
}

/* The last name of those that stand at the position: "a.b.c" is column c. */
static void
add_from_statement(struct tn_call *call, uint32_t which, const char *sql,
                   int position)
{
  char name[NAME_MAX_BYTES];
  size_t size = 0;

  if (sql != NULL && position > 0)
    sql = at_position(sql, position);
  else
    sql = NULL;
  if (sql != NULL)
    sql = read_name(sql, name, &size);
  while (sql != NULL && *sql == '.')
    sql = read_name(sql + 1, name, &size);
  add(call, which, name, sql == NULL ? 0 : size);
}

/* A table's name may have its schema's before it. */
static void
add_table(struct tn_call *call, const char *name, size_t size)
{
  const char *dot = memchr(name, '.', size);

  if (dot == NULL) {
    add(call, TN_ERR_TABLE, name, size);
    return;
  }
  add(call, TN_ERR_SCHEMA, name, (size_t)(dot - name));
  add(call, TN_ERR_TABLE, dot + 1, size - (size_t)(dot - name) - 1);
}

/* A database, or a schema of it. */
static void
add_missing_schema(struct tn_call *call, const struct pg__texts *texts)
{
  size_t size = 0;
  const char *name = quoted(texts->message, &size);

  if (name != NULL)
    add(call, TN_ERR_SCHEMA, name, size);
}

static void
add_missing_table(struct tn_call *call, const struct pg__texts *texts)
{
  size_t size = 0;
  const char *name = quoted(texts->message, &size);

  if (texts->has_table)
    return;
  if (name != NULL)
    add_table(call, name, size);
  else
    add_from_statement(call, TN_ERR_TABLE, texts->sql, texts->position);
}

/* A column with its table before it is not quoted. The second name in quotes
 * is the table's. */
static void
add_missing_column(struct tn_call *call, const struct pg__texts *texts)
{
  size_t size = 0;
  const char *name = quoted(texts->message, &size);

  if (texts->has_column)
    return;
  if (name == NULL) {
    add_from_statement(call, TN_ERR_COLUMN, texts->sql, texts->position);
    return;
  }
  add(call, TN_ERR_COLUMN, name, size);
  name += size;
  name = *name == '\0' ? NULL : quoted(name + 1, &size);
  if (name != NULL)
    add_table(call, name, size);
}

/* "constraint … of relation …" */
static void
add_missing_constraint(struct tn_call *call, const struct pg__texts *texts)
{
  size_t size = 0;
  const char *name = quoted(texts->message, &size);

  if (name == NULL)
    return;
  add(call, TN_ERR_CONSTRAINT, name, size);
  name += size;
  name = *name == '\0' ? NULL : quoted(name + 1, &size);
  if (name != NULL)
    add_table(call, name, size);
}

/* ------------------------------------------------------------------ */
/* Keys                                                                 */

/* The end of what `open` begins, parentheses within it counted. */
static const char *
closing(const char *open)
{
  int depth = 0;

  for (; *open != '\0'; open++) {
    if (*open == '(')
      depth++;
    else if (*open == ')' && --depth == 0)
      return open;
  }
  return NULL;
}

/* The columns of a key, unless the caller was told them: those of an
 * expression stand as they are. */
static void
add_columns(struct tn_call *call, const char *list, const char *end)
{
  while (list < end) {
    const char *next = list;
    int depth = 0;

    for (; next < end && (depth > 0 || *next != ','); next++)
      depth += (*next == '(') - (*next == ')');
    if (*list == '"' && next - list > 2 && next[-1] == '"')
      add(call, TN_ERR_COLUMN, list + 1, (size_t)(next - list) - 2);
    else
      add(call, TN_ERR_COLUMN, list, (size_t)(next - list));
    list = next < end && next[1] == ' ' ? next + 2 : next + 1;
  }
}

/* "Key (a, lower(b))=(1, x) already exists." in any language. `ends_last`: a
 * value may have parentheses of its own, but nothing after it has. */
static void
add_key(struct tn_call *call, const char *detail, bool ends_last,
        bool wants_columns)
{
  const char *open = strchr(detail, '(');
  const char *close = open == NULL ? NULL : closing(open);
  const char *end;

  if (close == NULL || close[1] != '=' || close[2] != '(')
    return;
  end = ends_last ? strrchr(detail, ')') : closing(close + 2);
  add(call, TN_ERR_KEY, open + 1, (size_t)(close - open) - 1);
  if (end != NULL && end > close + 3)
    add(call, TN_ERR_VALUE, close + 3, (size_t)(end - close) - 3);
  if (wants_columns)
    add_columns(call, open + 1, close);
}

/* ------------------------------------------------------------------ */
/* Foreign keys                                                         */

/* The names between quotes, `MAX_NAMES` at most. */
#define MAX_NAMES 3

struct name {
  const char *text;
  size_t size;
};

static int
quoted_names(const char *text, struct name names[MAX_NAMES])
{
  int count = 0;

  while (count < MAX_NAMES && *text != '\0') {
    const char *name = quoted(text, &names[count].size);

    if (name == NULL)
      break;
    names[count].text = name;
    text = name + names[count].size;
    text += *text != '\0';
    count++;
  }
  return count;
}

/* A row that is referenced is gone: "… on table "parent" violates … "fk" on
 * table "child"". One that is referenced is not there: "… on table "child"
 * violates … "fk"", and its detail has the columns of the foreign key, and
 * behind the values the name of the other table. */
static void
add_reference(struct tn_call *call, const struct pg__texts *texts)
{
  const char *detail = texts->detail;
  struct name names[MAX_NAMES];
  int count = quoted_names(texts->message, names);
  const char *open = strchr(detail, '(');
  const char *close = open == NULL ? NULL : closing(open);

  add_key(call, detail, false, count == 2 && !texts->has_column);
  if (count == MAX_NAMES) {
    add(call, TN_ERR_KEY_TABLE, names[0].text, names[0].size);
    return;
  }
  if (close == NULL || close[1] != '=' || close[2] != '(')
    return;
  close = closing(close + 2);
  if (close != NULL && quoted_names(close, names) == 1)
    add(call, TN_ERR_KEY_TABLE, names[0].text, names[0].size);
}

/* ------------------------------------------------------------------ */
/* By category                                                          */

/* Whose key is that of a unique index: nothing is behind its values. */
static void
add_duplicate(struct tn_call *call, const struct pg__texts *texts)
{
  add_key(call, texts->detail, true, !texts->has_column);
}

static void
add_exclusion(struct tn_call *call, const struct pg__texts *texts)
{
  add_key(call, texts->detail, false, !texts->has_column);
}

#define TABLE_FIELDS (TN_ERR_BIT(TN_ERR_SCHEMA) | TN_ERR_BIT(TN_ERR_TABLE))
#define KEY_FIELDS                                                             \
  (TN_ERR_BIT(TN_ERR_KEY) | TN_ERR_BIT(TN_ERR_VALUE) |                         \
   TN_ERR_BIT(TN_ERR_COLUMN))

static const struct finder {
  int32_t category;
  uint32_t fields; /* that it may fill in */
  void (*find)(struct tn_call *call, const struct pg__texts *texts);
} finders[] = {
  { TN_E_NO_DATABASE, TN_ERR_BIT(TN_ERR_SCHEMA), add_missing_schema },
  { TN_E_NO_TABLE, TABLE_FIELDS, add_missing_table },
  { TN_E_NO_COLUMN, TABLE_FIELDS | TN_ERR_BIT(TN_ERR_COLUMN),
    add_missing_column },
  { TN_E_NO_CONSTRAINT, TABLE_FIELDS | TN_ERR_BIT(TN_ERR_CONSTRAINT),
    add_missing_constraint },
  { TN_E_DUPLICATE, KEY_FIELDS, add_duplicate },
  { TN_E_EXCLUSION, KEY_FIELDS, add_exclusion },
  { TN_E_REFERENCE, KEY_FIELDS | TN_ERR_BIT(TN_ERR_KEY_TABLE), add_reference },
};

static const struct finder *
finder_of(int32_t category)
{
  size_t i;

  for (i = 0; i < PG__COUNT(finders); i++)
    if (finders[i].category == category)
      return &finders[i];
  return NULL;
}

void
pg__fail_fields(struct tn_call *call, const struct pg__texts *texts)
{
  const struct finder *finder = finder_of(texts->category);

  if (finder != NULL)
    finder->find(call, texts);
}

uint32_t
pg__text_fields(int32_t category)
{
  const struct finder *finder = finder_of(category);

  return finder == NULL ? 0 : finder->fields;
}
