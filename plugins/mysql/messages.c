/* What the server says in words only: which key, which column, what value.
 *
 * The protocol has a number and a text. The texts are made from formats that
 * the server documents (and translates: only the English ones are known here),
 * so each is taken apart by the same format. The category never depends on
 * it. */
#include "my_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What stands in a place of a format. */
enum part {
  PART_VALUE = 'v',
  PART_KEY = 'k',    /* the name of a key or constraint */
  PART_CHECK = 'x',  /* the name of a CHECK; of a column's own table.column */
  PART_COLUMN = 'c', /* perhaps `schema`.`table`.`column` or table.column */
  PART_TABLE = 't',  /* perhaps schema.table */
  PART_NAME = 'n',   /* a table's name alone */
  PART_SCHEMA = 's',
  PART_LIST = 'l',  /* names of columns, quoted, between commas */
  PART_OTHER = 'r', /* `table` or `schema`.`table` of the other end */
  PART_ANY = '*',   /* of no interest */
};

/* Formats, by number; the first that fits wins. "%x" is a place, which reaches
 * to the last occurrence of the text behind it for a value, else to the
 * first. */
static const struct format {
  unsigned number;
  const char *text;
} formats[] = {
  { 1062, "Duplicate entry '%v' for key '%k'" },
  { 1586, "Duplicate entry '%v' for key '%k'" },
  { 1569, "%*duplicate entry '%v' for key '%k'" },
  { 1452,
    "%* fails (`%s`.`%n`, CONSTRAINT `%k` FOREIGN KEY (%l) REFERENCES %r (" },
  { 1452, "%* fails (`%s`.`%n`, CONSTRAINT `%k` FOREIGN KEY (%l) REFERENCES " },
  { 1451,
    "%* fails (`%s`.`%n`, CONSTRAINT `%k` FOREIGN KEY (%l) REFERENCES %r (" },
  { 1451, "%* fails (`%s`.`%n`, CONSTRAINT `%k` FOREIGN KEY (%l) REFERENCES " },
  { 1701, "%*constraint (`%s`.`%n`, CONSTRAINT `%k` FOREIGN KEY (%l) "
          "REFERENCES %r (" },
  { 1701, "%*constraint (`%s`.`%n`, CONSTRAINT `%k` FOREIGN KEY (%l) " },
  { 3730, "Cannot drop table '%r' referenced by a foreign key constraint '%k' "
          "on table '%t'" },
  { 4025, "CONSTRAINT `%x` failed for `%s`.`%n`" },
  { 3819, "Check constraint '%k' is violated" },
  { 1048, "Column '%c' cannot be null" },
  { 1263, "%*NOT NULL column '%c' at row " },
  { 1364, "Field '%c' doesn't have a default value" },
  { 1264, "Out of range value for column '%c' at row " },
  { 1265, "Data truncated for column '%c' at row " },
  { 1406, "Data too long for column '%c' at row " },
  { 1292, "Incorrect %* value: '%v' for column `%c` at row " },
  { 1292, "Incorrect %* value: '%v' for column '%c' at row " },
  { 1292, "Truncated incorrect %* value: '%v'" },
  { 1366, "Incorrect %* value: '%v' for column `%c` at row " },
  { 1366, "Incorrect %* value: '%v' for column '%c' at row " },
  { 1146, "Table '%t' doesn't exist" },
  { 1051, "Unknown table '%t'" },
  { 1109, "Unknown table '%t' in " },
  { 1932, "Table '%t' doesn't exist in engine" },
  { 4091, "Unknown SEQUENCE: '%t'" },
  { 4092, "Unknown VIEW: '%t'" },
  { 1050, "Table '%t' already exists" },
  { 1054, "Unknown column '%c' in " },
  { 1072, "Key column '%c' doesn't exist in table" },
  { 1060, "Duplicate column name '%c'" },
  { 1061, "Duplicate key name '%k'" },
  { 1826, "Duplicate %* name '%k'" },
  { 3822, "Duplicate check constraint name '%k'" },
  { 1091, "Can't DROP COLUMN `%c`; " },
  { 1091, "Can't DROP %* `%k`; " },
  { 1091, "Can't DROP '%k'; " },
  { 1176, "Key '%k' doesn't exist in table '%t'" },
  { 3821, "Check constraint '%k' is not found" },
  { 3940, "Constraint '%k' does not exist" },
  { 1553, "Cannot drop index '%k': " },
  { 1049, "Unknown database '%s'" },
  { 1007, "Can't create database '%s'; " },
  { 1008, "Can't drop database '%s'; " },
  { 1142, "%* denied to user %* for table `%s`.`%n`" },
  { 1142, "%* denied to user %* for table '%t'" },
  { 1143, "%* for column '%c' in table '%t'" },
  { 1020, "Record has changed since last read in table '%t'" },
};

/* ------------------------------------------------------------------ */
/* Fitting a message to a format                                        */

#define PLACES_MAX 8

struct place {
  char part; /* enum part */
  const char *text;
  size_t size;
};

/* The last occurrence of `needle` (`size` bytes) in `text`. */
static const char *
find_last(const char *text, const char *needle, size_t size)
{
  const char *found = NULL;

  for (; *text != '\0'; text++)
    if (strncmp(text, needle, size) == 0)
      found = text;
  return found;
}

static const char *
find_first(const char *text, const char *needle, size_t size)
{
  for (; *text != '\0'; text++)
    if (strncmp(text, needle, size) == 0)
      return text;
  return NULL;
}

/* The number of places filled in; -1 if the message does not fit. A message
 * longer than its format fits too. */
static int
fit(const char *message, const char *format, struct place places[PLACES_MAX])
{
  int count = 0;

  while (*format != '\0') {
    size_t literal;
    const char *end;
    char part;

    if (*format != '%') {
      literal = strcspn(format, "%");
      if (strncmp(message, format, literal) != 0)
        return -1;
      message += literal;
      format += literal;
      continue;
    }
    part = format[1];
    format += 2;
    literal = strcspn(format, "%");
    end = part == PART_VALUE ? find_last(message, format, literal)
                             : find_first(message, format, literal);
    if (end == NULL || count == PLACES_MAX)
      return -1;
    places[count].part = part;
    places[count].text = message;
    places[count].size = (size_t)(end - message);
    count++;
    message = end;
  }
  return count;
}

/* ------------------------------------------------------------------ */
/* Names                                                                */

/* A name without the quotes around it, and with one of each pair in it. */
static void
add_name(struct tn_call *call, uint32_t field, const char *text, size_t size)
{
  char name[256];
  size_t used = 0;
  size_t i;

  for (i = 0; i < size && used < sizeof name; i++) {
    if (text[i] == '`' && i + 1 < size && text[i + 1] == '`')
      i++;
    name[used++] = text[i];
  }
  call->host->fail_field(call, field, name, used);
}

/* Where the part after the last dot begins; a dot in a name cannot be told
 * from one between names. */
static size_t
last_part(const char *text, size_t size)
{
  while (size > 0 && text[size - 1] != '.')
    size--;
  return size;
}

/* `text` up to `at`, without the dot and the quotes around that. */
static size_t
before(const char *text, size_t at)
{
  while (at > 0 && (text[at - 1] == '.' || text[at - 1] == '`'))
    at--;
  return at;
}

/* schema.table, or the table alone. */
static void
add_table(struct tn_call *call, const char *text, size_t size)
{
  size_t at = last_part(text, size);

  add_name(call, TN_ERR_TABLE, text + at, size - at);
  if (at != 0)
    add_name(call, TN_ERR_SCHEMA, text, before(text, at));
}

/* `schema`.`table`.`column` (the outer quotes are the format's),
 * table.column, or the column alone. */
static void
add_column(struct tn_call *call, const char *text, size_t size)
{
  size_t at = last_part(text, size);
  size_t table_end = before(text, at);
  size_t table_at = last_part(text, table_end);

  if (at < size && text[at] == '`')
    at++;
  add_name(call, TN_ERR_COLUMN, text + at, size - at);
  if (table_end == 0)
    return;
  if (table_at != 0)
    add_name(call, TN_ERR_SCHEMA, text, before(text, table_at));
  if (text[table_at] == '`')
    table_at++;
  add_name(call, TN_ERR_TABLE, text + table_at, table_end - table_at);
}

/* Put a name behind those of a key. */
static void
join_name(char *key, size_t capacity, const char *name, size_t size)
{
  size_t used = strlen(key);

  snprintf(key + used, capacity - used, "%s%.*s", used == 0 ? "" : ", ",
           (int)size, name);
}

/* `a`, `b` */
static void
add_list(struct tn_call *call, const char *text, size_t size)
{
  const char *end = text + size;
  char key[256] = "";

  while (text < end) {
    const char *name = memchr(text, '`', (size_t)(end - text));
    const char *name_end;

    if (name == NULL)
      break;
    name++;
    name_end = name;
    while (name_end < end &&
           (name_end[0] != '`' || (name_end + 1 < end && name_end[1] == '`')))
      name_end += name_end[0] == '`' ? 2 : 1;
    if (name_end > end)
      name_end = end;
    add_name(call, TN_ERR_COLUMN, name, (size_t)(name_end - name));
    join_name(key, sizeof key, name, (size_t)(name_end - name));
    text = name_end + 1;
  }
  call->host->fail_field(call, TN_ERR_KEY, key, strlen(key));
}

/* The last of the names, which are between backticks if there are several. */
static void
add_other(struct tn_call *call, const char *text, size_t size)
{
  static const char between[] = "`.`";
  const char *end = text + size;
  const char *at;

  for (at = text; at + sizeof between - 1 <= end; at++)
    if (memcmp(at, between, sizeof between - 1) == 0)
      text = at + sizeof between - 2;
  if (end - text >= 2 && text[0] == '`' && end[-1] == '`') {
    text++;
    end--;
  }
  add_name(call, TN_ERR_KEY_TABLE, text, (size_t)(end - text));
}

/* MySQL puts the table before it, MariaDB does not. */
static void
add_key(struct tn_call *call, const char *text, size_t size, bool is_mariadb)
{
  size_t at = is_mariadb ? 0 : last_part(text, size);

  add_name(call, TN_ERR_CONSTRAINT, text + at, size - at);
  if (at != 0)
    add_name(call, TN_ERR_TABLE, text, at - 1);
}

/* A column's own CHECK is called by the column's name, for which the server
 * says table.column. A table's CHECK has a name of its own. */
static void
add_check(struct tn_call *call, const struct place *check,
          const struct place *table)
{
  const char *name = check->text;
  size_t size = check->size;

  if (table->size > 0 && size > table->size + 1 && name[table->size] == '.' &&
      memcmp(name, table->text, table->size) == 0) {
    name += table->size + 1;
    size -= table->size + 1;
    add_name(call, TN_ERR_COLUMN, name, size);
  }
  add_name(call, TN_ERR_CONSTRAINT, name, size);
}

static void
add_place(struct tn_call *call, const struct place *place, bool is_mariadb)
{
  switch (place->part) {
  case PART_VALUE:
    call->host->fail_field(call, TN_ERR_VALUE, place->text, place->size);
    break;
  case PART_KEY:
    add_key(call, place->text, place->size, is_mariadb);
    break;
  case PART_CHECK: /* the schema and the table are behind it */
    add_check(call, place, place + 2);
    break;
  case PART_COLUMN:
    add_column(call, place->text, place->size);
    break;
  case PART_TABLE:
    add_table(call, place->text, place->size);
    break;
  case PART_NAME:
    add_name(call, TN_ERR_TABLE, place->text, place->size);
    break;
  case PART_SCHEMA:
    add_name(call, TN_ERR_SCHEMA, place->text, place->size);
    break;
  case PART_LIST:
    add_list(call, place->text, place->size);
    break;
  case PART_OTHER:
    add_other(call, place->text, place->size);
    break;
  default:
    break;
  }
}

void
mysql__message_fields(struct tn_call *call, unsigned number,
                      const char *message, bool is_mariadb)
{
  struct place places[PLACES_MAX] = { { .size = 0 } };
  size_t i;
  int count = -1;
  int place;

  for (i = 0; i < MYSQL__COUNT(formats) && count < 0; i++)
    if (formats[i].number == number)
      count = fit(message, formats[i].text, places);
  for (place = 0; place < count; place++)
    add_place(call, &places[place], is_mariadb);
}

/* What add_place() may fill in. */
static uint32_t
fields_of(char part)
{
  switch (part) {
  case PART_VALUE:
    return TN_ERR_BIT(TN_ERR_VALUE);
  case PART_KEY:
    return TN_ERR_BIT(TN_ERR_CONSTRAINT) | TN_ERR_BIT(TN_ERR_TABLE);
  case PART_CHECK:
    return TN_ERR_BIT(TN_ERR_CONSTRAINT) | TN_ERR_BIT(TN_ERR_COLUMN);
  case PART_COLUMN:
    return TN_ERR_BIT(TN_ERR_COLUMN) | TN_ERR_BIT(TN_ERR_TABLE) |
           TN_ERR_BIT(TN_ERR_SCHEMA);
  case PART_TABLE:
    return TN_ERR_BIT(TN_ERR_TABLE) | TN_ERR_BIT(TN_ERR_SCHEMA);
  case PART_NAME:
    return TN_ERR_BIT(TN_ERR_TABLE);
  case PART_SCHEMA:
    return TN_ERR_BIT(TN_ERR_SCHEMA);
  case PART_LIST:
    return TN_ERR_BIT(TN_ERR_COLUMN) | TN_ERR_BIT(TN_ERR_KEY);
  case PART_OTHER:
    return TN_ERR_BIT(TN_ERR_KEY_TABLE);
  default:
    return 0;
  }
}

void
mysql__error_fields(const struct tn_error_row *row, struct tn_error_fields *ret)
{
  unsigned number = (unsigned)row->native % TN_ERROR_OTHERS;
  const char *at;
  size_t i;

  for (i = 0; i < MYSQL__COUNT(formats); i++)
    for (at = formats[i].text; formats[i].number == number && at != NULL;
         at = strchr(at + 1, '%'))
      if (at[0] == '%')
        ret->message |= fields_of(at[1]);
}

/* ------------------------------------------------------------------ */
/* Where a syntax error is                                              */

static bool
is_in_line(const char *sql, const char *at, unsigned long line)
{
  for (; sql < at; sql++)
    if (*sql == '\n')
      line--;
  return line == 1;
}

static int32_t
characters_to(const char *sql, const char *at)
{
  int32_t position = 1;

  for (; sql < at; sql++)
    if (((unsigned char)*sql & 0xc0) != 0x80)
      position++;
  return position;
}

/* "… near 'what follows' at line 3": up to 80 bytes from where the server
 * stopped understanding. Told only if there is one such place in that line. */
int32_t
mysql__message_position(const char *message, const char *sql)
{
  static const char near[] = "near '";
  static const char at_line[] = "' at line ";
  const char *text = strstr(message, near);
  const char *end, *found = NULL, *at;
  unsigned long line;
  size_t size;

  if (text == NULL)
    return 0;
  text += sizeof near - 1;
  end = find_last(text, at_line, sizeof at_line - 1);
  if (end == NULL)
    return 0;
  line = strtoul(end + sizeof at_line - 1, NULL, 10);
  size = (size_t)(end - text);
  if (size == 0)
    return characters_to(sql, sql + strlen(sql));
  for (at = sql; (at = find_first(at, text, size)) != NULL; at++) {
    if (!is_in_line(sql, at, line))
      continue;
    if (found != NULL)
      return 0;
    found = at;
  }
  return found == NULL ? 0 : characters_to(sql, found);
}
