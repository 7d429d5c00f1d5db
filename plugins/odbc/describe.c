/* The columns of a result: their names, and as what their values are read. */
#include "odbc_priv.h"

#include <string.h>

#define NAME_UNITS 4096

/* The standard's types; the rest is text. */
static const struct {
  SQLSMALLINT sql_type;
  uint32_t type;
} standard[] = {
  { SQL_BIT, TN_BOOL },           { SQL_TINYINT, TN_INT64 },
  { SQL_SMALLINT, TN_INT64 },     { SQL_INTEGER, TN_INT64 },
  { SQL_BIGINT, TN_INT64 },       { SQL_REAL, TN_DOUBLE },
  { SQL_FLOAT, TN_DOUBLE },       { SQL_DOUBLE, TN_DOUBLE },
  { SQL_NUMERIC, TN_DECIMAL },    { SQL_DECIMAL, TN_DECIMAL },
  { SQL_BINARY, TN_BLOB },        { SQL_VARBINARY, TN_BLOB },
  { SQL_LONGVARBINARY, TN_BLOB }, { SQL_TYPE_DATE, TN_DATE },
  { SQL_TYPE_TIME, TN_TIME },     { SQL_TYPE_TIMESTAMP, TN_TIMESTAMP },
  { SQL_GUID, TN_UUID },
};

static uint32_t
standard_type(SQLSMALLINT sql_type)
{
  size_t i;

  for (i = 0; i < ODBC__COUNT(standard); i++)
    if (standard[i].sql_type == sql_type)
      return standard[i].type;
  return TN_TEXT;
}

/* Does `name` begin with the lower-case `word`, and go on with no letter? */
static bool
begins_with(const char *name, const char *word)
{
  for (; *word != '\0'; word++, name++)
    if (*name != *word && *name != *word - 'a' + 'A')
      return false;
  return (*name < 'a' || *name > 'z') && (*name < 'A' || *name > 'Z');
}

static const struct odbc__type *
find_type(const struct odbc__family *family, const char *name)
{
  const struct odbc__type *type = family->types;

  while (type != NULL && type->name != NULL && !begins_with(name, type->name))
    type++;
  return type != NULL && type->name != NULL ? type : NULL;
}

/* A text of a column's, in memory of its own. */
static char *
read_text(struct odbc__statement *statement, SQLUSMALLINT number,
          SQLUSMALLINT field)
{
  const struct tn_host *host = statement->conn->host;
  union {
    SQLWCHAR wide[NAME_UNITS];
    char utf8[NAME_UNITS];
  } text = { .wide = { 0 } };
  SQLSMALLINT bytes = 0;
  size_t units = 0;
  char *name;

  if ((statement->conn->family->flags & ODBC__UTF8) != 0) {
    SQLColAttribute(statement->stmt, number, field, text.utf8, NAME_UNITS - 1,
                    &bytes, NULL);
    units = strlen(text.utf8);
    name = host->alloc(units + 1);
    return name == NULL ? NULL : memcpy(name, text.utf8, units + 1);
  }
  SQLColAttributeW(statement->stmt, number, field, text.wide,
                   (NAME_UNITS - 1) * sizeof *text.wide, &bytes, NULL);
  while (text.wide[units] != 0)
    units++;
  name = host->alloc(units * 3 + 1);
  if (name != NULL)
    odbc__to_utf8(text.wide, units, name);
  return name;
}

/* As what a value is fetched, which need not be what it is. */
static SQLSMALLINT
c_type_of(const struct odbc__family *family, uint32_t type)
{
  if (type == TN_BLOB ||
      (type == TN_TEXT && (family->flags & ODBC__TEXT_BYTES) != 0))
    return SQL_C_BINARY;
  if (type == TN_TEXT || type == TN_JSON)
    return (family->flags & ODBC__UTF8) != 0 ? SQL_C_CHAR : SQL_C_WCHAR;
  if ((family->flags & ODBC__NUMBERS_TEXT) != 0)
    return SQL_C_CHAR;
  if (type == TN_BOOL && (family->flags & ODBC__UNSAID_TYPES) == 0)
    return SQL_C_BIT;
  if (type == TN_INT64 || type == TN_BOOL)
    return SQL_C_SBIGINT;
  if (type == TN_UINT64)
    return SQL_C_UBIGINT;
  if (type == TN_DOUBLE && (family->flags & ODBC__DOUBLE_TEXT) == 0)
    return SQL_C_DOUBLE;
  return SQL_C_CHAR;
}

bool
odbc__is_unsigned(SQLHSTMT stmt, SQLUSMALLINT number)
{
  SQLLEN value = SQL_FALSE;

  SQLColAttributeW(stmt, number, SQL_DESC_UNSIGNED, NULL, 0, NULL, &value);
  return value == SQL_TRUE;
}

static SQLRETURN
describe_column(struct odbc__statement *statement, SQLSMALLINT i)
{
  const struct odbc__family *family = statement->conn->family;
  SQLUSMALLINT number = (SQLUSMALLINT)(i + 1);
  char **names = statement->names + 2 * (size_t)i;
  SQLSMALLINT units = 0;
  SQLSMALLINT sql_type = SQL_VARCHAR;
  SQLSMALLINT digits;
  SQLSMALLINT nullable;
  SQLULEN size = 0;
  const struct odbc__type *type;
  uint32_t kind;
  SQLRETURN rc = SQLDescribeCol(statement->stmt, number, NULL, 0, &units,
                                &sql_type, &size, &digits, &nullable);

  if (!SQL_SUCCEEDED(rc))
    return rc;
  names[0] = read_text(statement, number, SQL_DESC_LABEL);
  names[1] = read_text(statement, number, SQL_DESC_TYPE_NAME);
  if (names[0] == NULL || names[1] == NULL) {
    statement->is_out_of_memory = true;
    return SQL_ERROR;
  }
  type = find_type(family, names[1]);
  kind = type != NULL ? type->type : standard_type(sql_type);
  if (sql_type == SQL_BIGINT && odbc__is_unsigned(statement->stmt, number))
    kind = TN_UINT64;
  if (sql_type == SQL_TINYINT && size == 1)
    kind = TN_BOOL;
  if ((family->flags & ODBC__UNSAID_TYPES) != 0)
    kind = odbc__refine(statement, number, sql_type, size, kind);
  statement->kinds[i].type = kind;
  statement->kinds[i].is_zoned = type != NULL && type->is_zoned != 0;
  statement->kinds[i].c_type = c_type_of(family, kind);
  statement->columns[i].name = names[0];
  statement->columns[i].type_name = names[1];
  statement->columns[i].type = kind;
  return SQL_SUCCESS;
}

static void
forget_columns(struct odbc__statement *statement)
{
  const struct tn_host *host = statement->conn->host;
  SQLSMALLINT i;

  for (i = 0; statement->names != NULL && i < 2 * statement->column_count; i++)
    host->release(statement->names[i]);
  host->release(statement->names);
  host->release(statement->columns);
  host->release(statement->kinds);
  host->release(statement->cells);
  statement->names = NULL;
  statement->columns = NULL;
  statement->kinds = NULL;
  statement->cells = NULL;
  statement->column_count = 0;
}

static void *
alloc_zeroed(const struct tn_host *host, size_t count, size_t size)
{
  void *memory = host->alloc(count * size);

  if (memory != NULL)
    memset(memory, 0, count * size);
  return memory;
}

static bool
make_room(struct odbc__statement *statement, SQLSMALLINT count)
{
  const struct tn_host *host = statement->conn->host;
  size_t columns = (size_t)count;

  statement->names = alloc_zeroed(host, columns * 2, sizeof *statement->names);
  statement->columns = alloc_zeroed(host, columns, sizeof *statement->columns);
  statement->kinds = alloc_zeroed(host, columns, sizeof *statement->kinds);
  statement->cells =
      alloc_zeroed(host, columns * ODBC__BLOCK_ROWS, sizeof *statement->cells);
  statement->column_count = statement->names != NULL ? count : 0;
  return statement->names != NULL && statement->columns != NULL &&
         statement->kinds != NULL && statement->cells != NULL;
}

SQLRETURN
odbc__describe(struct odbc__statement *statement)
{
  SQLSMALLINT count = 0;
  SQLRETURN rc = SQLNumResultCols(statement->stmt, &count);
  SQLSMALLINT i;

  forget_columns(statement);
  if (!SQL_SUCCEEDED(rc) || count <= 0)
    return rc;
  if (!make_room(statement, count)) {
    statement->is_out_of_memory = true;
    return SQL_ERROR;
  }
  for (i = 0; i < count && SQL_SUCCEEDED(rc); i++)
    rc = describe_column(statement, i);
  return rc;
}

void
odbc__statement_free(struct odbc__statement *statement)
{
  const struct tn_host *host = statement->conn->host;

  forget_columns(statement);
  odbc__forget_answers(statement);
  odbc__unbind(statement);
  host->release(statement->parameters);
  host->release(statement->sql.data);
  host->release(statement->source.data);
  host->release(statement->bytes);
  host->release(statement->utf8);
  host->release(statement);
}
