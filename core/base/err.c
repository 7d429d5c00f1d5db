/* The error object and the table of categories.
 *
 * Reporting an error must not fail: nothing here allocates, every text is cut
 * to the place it has, and what a server or a user sent is escaped before it
 * reaches a terminal or a log. */
#include <tenon/err.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base_priv.h"
#include "text.h"

struct category {
  const char *name;
  int32_t connection; /* the verdicts usual for it */
  int32_t replay;
  const char *summary;
};

#define USABLE      TN_CONNECTION_USABLE
#define ABORTED     TN_CONNECTION_ABORTED
#define DEAD        TN_CONNECTION_DEAD
#define SAFE        TN_REPLAY_SAFE
#define TRANSACTION TN_REPLAY_TRANSACTION
#define NEVER       TN_REPLAY_NEVER
#define UNKNOWN     TN_REPLAY_UNKNOWN

/* In the order of enum tn_code. Whoever knows more than the category says
 * changes the verdicts with tn_err_verdicts(). */
/* clang-format off */
static const struct category categories[] = {
  { "ok", 0, 0, "no error" },
  { "usage", USABLE, NEVER, "the caller broke the interface's rules" },
  { "config", USABLE, NEVER, "a URL, an option or an INI file is wrong" },
  { "plugin", USABLE, NEVER,
    "there is no backend for the scheme, or it cannot be loaded" },
  { "connect", DEAD, SAFE, "the server cannot be reached; nothing was sent" },
  { "auth", DEAD, NEVER, "the server refused the credentials" },
  { "limit", USABLE, NEVER,
    "a limit of the server, the backend or the process was met" },
  { "timeout", USABLE, TRANSACTION, "the deadline passed" },
  { "canceled", USABLE, TRANSACTION,
    "canceled by another thread or an administrator" },
  { "lost", DEAD, TRANSACTION, "the connection died while it was in use" },
  { "uncertain", DEAD, UNKNOWN, "the outcome of a commit is unknown" },
  { "deadlock", ABORTED, TRANSACTION, "chosen as a deadlock's victim" },
  { "serialization", ABORTED, TRANSACTION,
    "concurrent transactions cannot be put in an order" },
  { "lock_timeout", USABLE, TRANSACTION,
    "waited for a row or table lock for too long" },
  { "busy", USABLE, TRANSACTION,
    "the database or table is locked by another" },
  { "duplicate", USABLE, NEVER, "a unique or primary key is violated" },
  { "reference", USABLE, NEVER, "a foreign key is violated" },
  { "check", USABLE, NEVER, "a CHECK constraint is violated" },
  { "not_null", USABLE, NEVER, "NULL in a column that must have a value" },
  { "exclusion", USABLE, NEVER, "an exclusion constraint is violated" },
  { "constraint", USABLE, NEVER, "a constraint is violated" },
  { "data", USABLE, NEVER, "a value does not fit its type" },
  { "charset", USABLE, NEVER, "bytes that are no text in the encoding" },
  { "no_database", USABLE, NEVER,
    "the database, or its schema, does not exist" },
  { "no_table", USABLE, NEVER, "the table does not exist" },
  { "no_column", USABLE, NEVER, "the column does not exist" },
  { "no_function", USABLE, NEVER, "the function does not exist" },
  { "no_constraint", USABLE, NEVER, "the constraint does not exist" },
  { "exists", USABLE, NEVER, "the object to create is there already" },
  { "syntax", USABLE, NEVER, "the statement cannot be parsed" },
  { "permission", USABLE, NEVER, "not permitted" },
  { "read_only", USABLE, NEVER,
    "the database, transaction or server can only be read" },
  { "unsupported", USABLE, NEVER, "this backend or server cannot do it" },
  { "state", USABLE, NEVER,
    "not in this state of the object or transaction" },
  { "not_found", USABLE, NEVER, "there is no such thing" },
  { "conflict", USABLE, NEVER, "the row has changed meanwhile" },
  { "migration", USABLE, NEVER, "the schema's versions do not fit" },
  { "memory", USABLE, SAFE, "out of memory" },
  { "io", USABLE, NEVER,
    "disk full, read or write error, or a damaged file" },
  { "internal", USABLE, NEVER, "a fault of Tenon or of a plug-in" },
  { "other", USABLE, NEVER, "an error without a category" },
};
/* clang-format on */

_Static_assert(TN_COUNT(categories) == TN_CODE_COUNT, "one row per category");

static const char *const connection_names[] = { "", "usable", "aborted",
                                                "dead" };
static const char *const replay_names[] = { "", "safe", "transaction", "never",
                                            "unknown" };
static const char *const source_names[] = { "", "protocol", "catalogue",
                                            "message" };

/* Where the fields with one text are. */
struct place {
  size_t offset;
  size_t capacity;
};

#define PLACE(member)                                                          \
  {                                                                            \
    offsetof(tn_err, member), sizeof(((tn_err *)NULL)->member)                 \
  }

static const struct place places[] = {
  [TN_ERR_SCHEMA] = PLACE(schema), [TN_ERR_TABLE] = PLACE(table),
  [TN_ERR_COLUMN] = { 0, 0 },      [TN_ERR_CONSTRAINT] = PLACE(constraint),
  [TN_ERR_KEY] = PLACE(key),       [TN_ERR_VALUE] = PLACE(value),
};

/* A number that is none comes from a newer plug-in, and reads as "other". */
static const struct category *
category_of(int32_t code)
{
  if (code < 0 || code >= TN_CODE_COUNT)
    code = TN_E_OTHER;
  return &categories[code];
}

static bool
is_set(const tn_err *err)
{
  return err != NULL && err->code != TN_OK;
}

/* `size` less the blanks at the end: client libraries end their messages with
 * a newline. */
static size_t
trimmed(const char *text, size_t size)
{
  while (size > 0 && tn_text_is_space(text[size - 1]))
    size--;
  return size;
}

const char *
tn_code_name(int32_t code)
{
  return category_of(code)->name;
}

const char *
tn_code_summary(int32_t code)
{
  return category_of(code)->summary;
}

int32_t
tn_code_from_name(const char *name)
{
  for (int32_t i = 0; name != NULL && i < TN_CODE_COUNT; i++) {
    if (strcmp(categories[i].name, name) == 0)
      return i;
  }
  return -1;
}

const char *
tn_connection_verdict_name(int32_t verdict)
{
  if (verdict < 0 || (size_t)verdict >= TN_COUNT(connection_names))
    return "";
  return connection_names[verdict];
}

const char *
tn_replay_verdict_name(int32_t verdict)
{
  if (verdict < 0 || (size_t)verdict >= TN_COUNT(replay_names))
    return "";
  return replay_names[verdict];
}

const char *
tn_err_source_name(uint32_t source)
{
  return source < TN_COUNT(source_names) ? source_names[source] : "";
}

void
tn_err_clear(tn_err *err)
{
  if (err != NULL)
    memset(err, 0, sizeof(*err));
}

enum tn_code
tn_err_set(tn_err *err, enum tn_code code, const char *fmt, ...)
{
  /* Longer than a message: what does not fit here does not fit there, and
   * tn_text_escape() marks the cut. Formatted before `err` is cleared, because
   * its own texts may be among the values. */
  char message[2 * sizeof(err->message)];
  size_t used = sizeof(message) - 1;
  va_list values;
  int size;

  if (err == NULL)
    return code;
  va_start(values, fmt);
  size = vsnprintf(message, sizeof(message), fmt, values);
  va_end(values);
  if (size < 0)
    size = snprintf(message, sizeof(message), "%s", tn_code_summary(code));
  if ((size_t)size < sizeof(message))
    used = trimmed(message, (size_t)size);

  tn_err_clear(err);
  if (code == TN_OK)
    return code;
  err->code = (int32_t)code;
  err->connection = category_of(err->code)->connection;
  err->replay = category_of(err->code)->replay;
  tn_text_escape(message, used, err->message, sizeof(err->message));
  return code;
}

enum tn_code
tn_err_memory(tn_err *err, const char *what)
{
  return tn_err_set(err, TN_E_MEMORY, "%s: out of memory", what);
}

/* A name for which less room than the ellipsis takes is left is dropped. */
static void
add_column(tn_err *err, const char *name, size_t size)
{
  size_t end =
      err->key_table_at != 0 ? err->key_table_at : sizeof(err->columns);
  size_t room = end - err->columns_used;
  char *place = err->columns + err->columns_used;

  if (room < sizeof("x..."))
    return;
  tn_text_escape(name, size, place, room);
  err->columns_used += (uint32_t)strlen(place) + 1;
  err->column_count++;
}

/* It stands at the end of the columns' place, where there is room: the layout
 * has no other. One that does not fit is not told. */
static void
add_key_table(tn_err *err, const char *name, size_t size)
{
  char text[sizeof(err->table)];
  size_t used;

  tn_text_escape(name, size, text, sizeof(text));
  used = strlen(text) + 1;
  if (used + err->columns_used > sizeof(err->columns))
    return;
  err->key_table_at = (uint32_t)(sizeof(err->columns) - used);
  memcpy(err->columns + err->key_table_at, text, used);
}

/* Joined and escaped once more as a whole, so that the cut, wherever it falls,
 * is a proper one. Escaping escaped text changes nothing. */
static void
add_detail(tn_err *err, const char *text, size_t size)
{
  char joined[2 * sizeof(err->detail)];
  size_t used = strlen(err->detail);

  memcpy(joined, err->detail, used);
  if (used > 0)
    joined[used++] = '\n';
  if (size > sizeof(joined) - used)
    size = sizeof(joined) - used;
  memcpy(joined + used, text, size);
  tn_text_escape_lines(joined, used + size, err->detail, sizeof(err->detail));
}

void
tn_err_add(tn_err *err, enum tn_err_field field, const char *text)
{
  size_t size;

  if (!is_set(err) || text == NULL || *text == '\0')
    return;
  size = strlen(text);
  if (field == TN_ERR_COLUMN)
    add_column(err, text, size);
  else if (field == TN_ERR_KEY_TABLE)
    add_key_table(err, text, size);
  else if (field == TN_ERR_DETAIL)
    add_detail(err, text, trimmed(text, size));
  else if (field > 0 && (size_t)field < TN_COUNT(places))
    tn_text_escape(text, size, (char *)err + places[field].offset,
                   places[field].capacity);
}

void
tn_err_verdicts(tn_err *err, int32_t connection, int32_t replay)
{
  if (!is_set(err))
    return;
  if (connection != 0)
    err->connection = connection;
  if (replay != 0)
    err->replay = replay;
}

const char *
tn_err_column(const tn_err *err, uint32_t index)
{
  const char *name;

  if (err == NULL || index >= err->column_count)
    return NULL;
  name = err->columns;
  while (index-- > 0)
    name += strlen(name) + 1;
  return name;
}

const char *
tn_err_key_table(const tn_err *err)
{
  if (err == NULL || err->key_table_at == 0)
    return "";
  return err->columns + err->key_table_at;
}
