/* What a column's metadata means.
 *
 * The server tells a number for the type, flags, the character set and the
 * width, and MariaDB in words what is more than that. From these come the type
 * that is handed out, its name as MySQL spells it, and how a cell is read. */
#include "codec.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Of MySQL 9, and not in every library's list. */
#define TYPE_VECTOR 242

/* Only libmysqlclient 9 knows vectors, and MariaDB sends none as such. */
#if !defined(MARIADB_PACKAGE_VERSION) && MYSQL_VERSION_ID >= 90000
#define KNOWS_VECTOR true
#else
#define KNOWS_VECTOR false
#endif

/* utf8mb4 has up to four bytes a character, and the width of a text counts
 * them all. */
#define TEXT_BYTES_MAX 4

/* What a cell of that type number is. */
static const struct type_row {
  uint32_t number; /* enum enum_field_types */
  uint32_t decoder;
  uint32_t type;
  const char *name;
} type_rows[] = {
  { MYSQL_TYPE_NULL, MYSQL__AS_NULL, TN_NULL, "null" },
  { MYSQL_TYPE_TINY, MYSQL__AS_INT8, TN_INT64, "tinyint" },
  { MYSQL_TYPE_SHORT, MYSQL__AS_INT16, TN_INT64, "smallint" },
  { MYSQL_TYPE_INT24, MYSQL__AS_INT32, TN_INT64, "mediumint" },
  { MYSQL_TYPE_LONG, MYSQL__AS_INT32, TN_INT64, "int" },
  { MYSQL_TYPE_LONGLONG, MYSQL__AS_INT64, TN_INT64, "bigint" },
  { MYSQL_TYPE_FLOAT, MYSQL__AS_FLOAT, TN_DOUBLE, "float" },
  { MYSQL_TYPE_DOUBLE, MYSQL__AS_DOUBLE, TN_DOUBLE, "double" },
  { MYSQL_TYPE_DECIMAL, MYSQL__AS_DECIMAL, TN_DECIMAL, "decimal" },
  { MYSQL_TYPE_NEWDECIMAL, MYSQL__AS_DECIMAL, TN_DECIMAL, "decimal" },
  { MYSQL_TYPE_BIT, MYSQL__AS_BIT, TN_UINT64, "bit" },
  { MYSQL_TYPE_DATE, MYSQL__AS_DATE, TN_DATE, "date" },
  { MYSQL_TYPE_TIME, MYSQL__AS_TIME, TN_TIME, "time" },
  { MYSQL_TYPE_DATETIME, MYSQL__AS_DATETIME, TN_TIMESTAMP, "datetime" },
  { MYSQL_TYPE_TIMESTAMP, MYSQL__AS_MOMENT, TN_TIMESTAMP, "timestamp" },
  { MYSQL_TYPE_JSON, MYSQL__AS_JSON, TN_JSON, "json" },
  { MYSQL_TYPE_GEOMETRY, MYSQL__AS_OTHER, TN_OTHER, "geometry" },
};

/* The same integers without a sign. */
static const struct type_row unsigned_rows[] = {
  { MYSQL_TYPE_TINY, MYSQL__AS_UINT8, TN_UINT64, "tinyint unsigned" },
  { MYSQL_TYPE_SHORT, MYSQL__AS_UINT16, TN_UINT64, "smallint unsigned" },
  { MYSQL_TYPE_INT24, MYSQL__AS_UINT32, TN_UINT64, "mediumint unsigned" },
  { MYSQL_TYPE_LONG, MYSQL__AS_UINT32, TN_UINT64, "int unsigned" },
  { MYSQL_TYPE_LONGLONG, MYSQL__AS_UINT64, TN_UINT64, "bigint unsigned" },
};

/* Strings: the name of one of characters, and of one of bytes. BLOB may be any
 * of its family, told by the width: the first row that is wide enough. */
static const struct string_row {
  uint32_t number;
  unsigned long width; /* in bytes, or in characters */
  const char *text;
  const char *binary;
} string_rows[] = {
  { MYSQL_TYPE_STRING, ~0UL, "char", "binary" },
  { MYSQL_TYPE_VAR_STRING, ~0UL, "varchar", "varbinary" },
  { MYSQL_TYPE_VARCHAR, ~0UL, "varchar", "varbinary" },
  { MYSQL_TYPE_ENUM, ~0UL, "enum", "enum" },
  { MYSQL_TYPE_SET, ~0UL, "set", "set" },
  { MYSQL_TYPE_TINY_BLOB, ~0UL, "tinytext", "tinyblob" },
  { MYSQL_TYPE_MEDIUM_BLOB, ~0UL, "mediumtext", "mediumblob" },
  { MYSQL_TYPE_LONG_BLOB, ~0UL, "longtext", "longblob" },
  { MYSQL_TYPE_BLOB, 255, "tinytext", "tinyblob" },
  { MYSQL_TYPE_BLOB, 65535, "text", "blob" },
  { MYSQL_TYPE_BLOB, 16777215, "mediumtext", "mediumblob" },
  { MYSQL_TYPE_BLOB, ~0UL, "longtext", "longblob" },
};

static const struct type_row *
find_row(const struct type_row *rows, size_t count, uint32_t number)
{
  size_t i;

  for (i = 0; i < count; i++)
    if (rows[i].number == number)
      return &rows[i];
  return NULL;
}

static void
set_type(struct mysql__type *type, uint32_t decoder, uint32_t shown,
         const char *name)
{
  type->decoder = decoder;
  type->type = shown;
  type->name = name;
  type->name_size = strlen(name);
}

/* Only BOOLEAN has a sign and the width of one digit. */
static void
number_type(const MYSQL_FIELD *field, const struct type_row *row,
            struct mysql__type *ret)
{
  const struct type_row *bare = NULL;

  if ((field->flags & UNSIGNED_FLAG) != 0)
    bare = find_row(unsigned_rows, COUNT(unsigned_rows), row->number);
  if (bare != NULL)
    set_type(ret, bare->decoder, bare->type, bare->name);
  else if (field->type == MYSQL_TYPE_TINY && field->length == 1)
    set_type(ret, MYSQL__AS_BOOL, TN_BOOL, "tinyint(1)");
  else
    set_type(ret, row->decoder, row->type, row->name);
}

static const struct string_row *
find_string(const MYSQL_FIELD *field, bool is_binary)
{
  unsigned long width = field->length;
  size_t i;

  if (!is_binary)
    width /= TEXT_BYTES_MAX;
  for (i = 0; i < COUNT(string_rows); i++)
    if (string_rows[i].number == (uint32_t)field->type &&
        width <= string_rows[i].width)
      return &string_rows[i];
  return NULL;
}

static bool
string_type(const MYSQL_FIELD *field, struct mysql__type *ret)
{
  bool is_binary = field->charsetnr == MYSQL__BINARY;
  const struct string_row *row = find_string(field, is_binary);
  const char *name;

  if (row == NULL)
    return false;
  name = is_binary ? row->binary : row->text;
  if ((field->flags & ENUM_FLAG) != 0)
    name = "enum";
  else if ((field->flags & SET_FLAG) != 0)
    name = "set";
  set_type(ret, is_binary ? MYSQL__AS_BLOB : MYSQL__AS_TEXT,
           is_binary ? TN_BLOB : TN_TEXT, name);
  return true;
}

#ifdef MARIADB_FIELD_ATTR_LAST

static bool
is_word(const MARIADB_CONST_STRING *text, const char *word)
{
  return text->length == strlen(word) &&
         memcmp(text->str, word, text->length) == 0;
}

/* The word that MariaDB says; length 0 if it says none. */
static MARIADB_CONST_STRING
word_of(const MYSQL_FIELD *field, enum mariadb_field_attr_t attr)
{
  MARIADB_CONST_STRING text = { NULL, 0 };

  if (field->extension == NULL || mariadb_field_attr(&text, field, attr) != 0 ||
      text.str == NULL)
    text.length = 0;
  return text;
}

/* Strings that are more than that: an alias of LONGTEXT that holds JSON, types
 * of the server's plug-ins. */
static void
refine(const MYSQL_FIELD *field, struct mysql__type *type)
{
  MARIADB_CONST_STRING word;

  if (type->decoder < MYSQL__AS_TEXT)
    return;
  word = word_of(field, MARIADB_FIELD_ATTR_FORMAT_NAME);
  if (type->decoder == MYSQL__AS_TEXT && is_word(&word, "json"))
    set_type(type, MYSQL__AS_JSON, TN_JSON, "json");
  word = word_of(field, MARIADB_FIELD_ATTR_DATA_TYPE_NAME);
  if (word.length == 0)
    return;
  type->decoder = MYSQL__AS_OTHER;
  type->type = TN_OTHER;
  if (is_word(&word, "uuid")) {
    type->decoder = MYSQL__AS_UUID;
    type->type = TN_UUID;
  }
  type->name = word.str;
  type->name_size = word.length;
}

#else

static void
refine(const MYSQL_FIELD *field, struct mysql__type *type)
{
  (void)field;
  (void)type;
}

#endif

void
mysql__type_of(const MYSQL_FIELD *field, struct mysql__type *ret)
{
  const struct type_row *row =
      find_row(type_rows, COUNT(type_rows), (uint32_t)field->type);

  ret->is_known = true;
  if ((uint32_t)field->type == MYSQL_TYPE_YEAR) {
    /* Says that it has no sign, but ends at 2155. */
    set_type(ret, MYSQL__AS_INT16, TN_INT64, "year");
  } else if (row != NULL) {
    number_type(field, row, ret);
  } else if (!string_type(field, ret)) {
    bool is_vector = (uint32_t)field->type == TYPE_VECTOR;

    set_type(ret, MYSQL__AS_OTHER, TN_OTHER, is_vector ? "vector" : "unknown");
    ret->is_known = is_vector && KNOWS_VECTOR;
  }
  refine(field, ret);
}
