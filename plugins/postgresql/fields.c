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

/* Those of the first name between quotes, and where they open. Both NULL: none.
 */
static const struct quotes *
first_quotes(const char *text, const char **ret_open)
{
  const struct quotes *first = NULL;
  size_t i;

  *ret_open = NULL;
  for (i = 0; i < PG__COUNT(quotes); i++) {
    const char *open = strstr(text, quotes[i].open);
    const char *start, *close;

    if (open == NULL || (first != NULL && open >= *ret_open))
      continue;
    start = open + strlen(quotes[i].open);
    close = strstr(start, quotes[i].close);
    if (close == NULL || close == start)
      continue;
    *ret_open = open;
    first = &quotes[i];
  }
  return first;
}

/* The first name between quotes. NULL: none. */
static const char *
quoted(const char *text, size_t *ret_size)
{
  const char *open;
  const struct quotes *kind = first_quotes(text, &open);

  if (kind == NULL)
    return NULL;
  open += strlen(kind->open);
  *ret_size = (size_t)(strstr(open, kind->close) - open);
  return open;
}

/* Where `part` stands for the last time before `end`. NULL: nowhere. */
static const char *
last_before(const char *text, const char *end, const char *part)
{
  const char *last = NULL;
  size_t size = strlen(part);

  for (; (text = strstr(text, part)) != NULL && text + size <= end; text++)
    last = text;
  return last;
}

/* All between the first quotes and the last of their kind: a name that has some
 * of its own, which the server does not double. NULL: none. */
static const char *
quoted_whole(const char *text, size_t *ret_size)
{
  const char *end = text + strlen(text);
  const struct quotes *kind = first_quotes(text, &text);

  if (kind == NULL)
    return NULL;
  text += strlen(kind->open);
  *ret_size = (size_t)(last_before(text, end, kind->close) - text);
  return text;
}

/* The last name between quotes. NULL: none. */
static const char *
quoted_last(const char *text, size_t *ret_size)
{
  const char *end = text + strlen(text);
  const char *last = NULL; /* where its quotes close */
  const char *name = NULL;
  size_t i;

  for (i = 0; i < PG__COUNT(quotes); i++) {
    const char *close = last_before(text, end, quotes[i].close);
    const char *open =
        close == NULL ? NULL : last_before(text, close, quotes[i].open);

    if (open == NULL || (last != NULL && close <= last))
      continue;
    last = close;
    name = open + strlen(quotes[i].open);
    *ret_size = (size_t)(close - name);
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

/* Behind a name or a text in quotes, which are doubled within it. */
static const char *
skip_quotes(const char *text)
{
  char quote = *text++;

  while (*text != '\0' && *text != quote)
    text++;
  return *text == '\0' ? text : text + 1;
}

/* The end of what `open` begins, parentheses within it counted. */
static const char *
closing(const char *open)
{
  int depth = 0;

  while (*open != '\0') {
    if (*open == '"' || *open == '\'') {
      open = skip_quotes(open);
      continue;
    }
    if (*open == '(')
      depth++;
    else if (*open == ')' && --depth == 0)
      return open;
    open++;
  }
  return NULL;
}

/* Where the next column of an index begins, or `end`. */
static const char *
column_end(const char *list, const char *end)
{
  int depth = 0;

  while (list < end && (depth > 0 || *list != ',')) {
    if (*list == '"' || *list == '\'') {
      list = skip_quotes(list);
      continue;
    }
    depth += (*list == '(') - (*list == ')');
    list++;
  }
  return list < end ? list : end;
}

/* Columns as an index has them: quoted names are so here, expressions stand as
 * they are. */
static void
add_columns(struct tn_call *call, const char *list, const char *end)
{
  while (list < end) {
    const char *next = column_end(list, end);
    char name[NAME_MAX_BYTES];
    size_t size = 0;
    const char *behind = *list == '"' ? read_name(list, name, &size) : NULL;

    if (behind != NULL && behind == next)
      add(call, TN_ERR_COLUMN, name, size);
    else
      add(call, TN_ERR_COLUMN, list, (size_t)(next - list));
    for (list = next; list < end && (*list == ',' || *list == ' '); list++)
      continue;
  }
}

/* The columns of a foreign key, whose names stand as they are, quotes and all.
 */
static void
add_plain_columns(struct tn_call *call, const char *list, const char *end)
{
  while (list < end) {
    const char *next = strstr(list, ", ");

    if (next == NULL || next > end)
      next = end;
    add(call, TN_ERR_COLUMN, list, (size_t)(next - list));
    list = next + 2;
  }
}

/* "(a, lower(b))=(1, x)": where it opens, where its columns end. Its value, of
 * which only the beginning is known, may have anything in it, also what looks
 * like the end of it. */
struct key {
  const char *open;
  const char *close;
  const char *value;
};

static bool
find_key(const char *text, bool is_plain, struct key *ret)
{
  ret->open = strchr(text, '(');
  if (ret->open == NULL)
    return false;
  ret->close = is_plain ? strstr(ret->open, ")=(") : closing(ret->open);
  if (ret->close == NULL || ret->close[1] != '=' || ret->close[2] != '(')
    return false;
  ret->value = ret->close + 3;
  return true;
}

/* The value ends at the last parenthesis before `end`. */
static void
add_key(struct tn_call *call, const struct key *key, const char *end)
{
  const char *last = last_before(key->value, end, ")");

  add(call, TN_ERR_KEY, key->open + 1, (size_t)(key->close - key->open) - 1);
  if (last != NULL)
    add(call, TN_ERR_VALUE, key->value, (size_t)(last - key->value));
}

/* "Key (a)=(x) already exists." in any language: nothing behind the value has
 * parentheses. */
static void
add_duplicate(struct tn_call *call, const struct pg__texts *texts)
{
  struct key key;

  if (!find_key(texts->detail, false, &key))
    return;
  add_key(call, &key, key.value + strlen(key.value));
  if (!texts->has_column)
    add_columns(call, key.open + 1, key.close);
}

/* "(columns)=(" once more. */
static const char *
find_again(const struct key *key, const char *text)
{
  size_t size = (size_t)(key->value - key->open);

  while ((text = strchr(text, '(')) != NULL &&
         strncmp(text, key->open, size) != 0)
    text++;
  return text;
}

/* "Key (a)=(x) conflicts with existing key (a)=(y)." in any language. If one of
 * the values has that in it, nobody can say where the first one ends. */
static void
add_exclusion(struct tn_call *call, const struct pg__texts *texts)
{
  const char *again;
  struct key key;

  if (!find_key(texts->detail, false, &key))
    return;
  again = find_again(&key, key.value);
  if (again == NULL || find_again(&key, again + 1) != NULL)
    again = key.value; /* no value */
  add_key(call, &key, again);
  if (!texts->has_column)
    add_columns(call, key.open + 1, key.close);
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

/* A table that stands before the key, as in Japanese. */
static bool
find_before(const char *detail, struct name *ret)
{
  const char *key = strchr(detail, '(');
  const char *open;

  ret->text = quoted(detail, &ret->size);
  return ret->text != NULL && key != NULL && *ret->text != '(' &&
         first_quotes(detail, &open) != NULL && open < key;
}

/* One that stands behind it, and nothing of the value, however much it looks
 * like a table: what is behind the last parenthesis, or, since the name may
 * have one, the last name. */
static bool
find_behind(const char *value, struct name *ret)
{
  const char *tail = strrchr(value, ')');

  ret->text = tail == NULL ? NULL : quoted_whole(tail, &ret->size);
  if (ret->text != NULL)
    return true;
  ret->text = quoted_last(value, &ret->size);
  return ret->text != NULL && tail != NULL && ret->text + ret->size > tail;
}

/* A row that is referenced is gone: "… on table "parent" violates … "fk" on
 * table "child"". One that is referenced is not there: "… on table "child"
 * violates … "fk"", and its detail has the columns of the foreign key and the
 * name of the other table. */
static void
add_reference(struct tn_call *call, const struct pg__texts *texts)
{
  struct name names[MAX_NAMES];
  int count = quoted_names(texts->message, names);
  const char *detail = texts->detail;
  const char *end = detail + strlen(detail);
  struct name table;
  bool is_found = find_before(detail, &table);
  struct key key;

  if (count == MAX_NAMES)
    add(call, TN_ERR_KEY_TABLE, names[0].text, names[0].size);
  if (!find_key(is_found ? table.text + table.size : detail, true, &key))
    return;
  if (!is_found && find_behind(key.value, &table)) {
    is_found = true;
    end = table.text;
  }
  add_key(call, &key, end);
  if (count == 2 && !texts->has_column)
    add_plain_columns(call, key.open + 1, key.close);
  if (count != MAX_NAMES && is_found)
    add(call, TN_ERR_KEY_TABLE, table.text, table.size);
}

/* ------------------------------------------------------------------ */
/* By category                                                          */

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
