/* What MariaDB's driver does not say of a column.
 *
 * It knows the types of the protocol. A UUID is a CHAR there, which the server
 * marks; a BOOLEAN is a TINYINT whose width is one digit, which the driver
 * leaves out, so the table is asked, once for each statement that is compiled.
 * All of it is done in the thread. */
#include "odbc_priv.h"

#include <string.h>

/* In characters. */
#define UUID_SIZE 36

/* Longest name, 64 characters in MariaDB, and a NUL. */
#define NAME_UNITS  128
#define NAME_SIZE   ((NAME_UNITS - 1) * 3 + 1)
#define QUOTED_SIZE (2 * NAME_SIZE + 2)

/* Which columns of SHOW COLUMNS are read. */
#define FIELD_NAME 1
#define FIELD_TYPE 2

/* MariaDB's number for what was canceled. */
#define INTERRUPTED 1317

/* Where a column comes from. */
struct origin {
  char database[NAME_SIZE];
  char table[NAME_SIZE];
  char column[NAME_SIZE];
};

static bool
read_name(SQLHSTMT stmt, SQLUSMALLINT number, SQLUSMALLINT field, char *ret)
{
  SQLWCHAR name[NAME_UNITS] = { 0 };
  SQLSMALLINT bytes = 0;
  size_t units = 0;

  SQLColAttributeW(stmt, number, field, name, sizeof name - sizeof name[0],
                   &bytes, NULL);
  while (name[units] != 0)
    units++;
  odbc__to_utf8(name, units, ret);
  return units > 0;
}

/* False: from no table. */
static bool
read_origin(SQLHSTMT stmt, SQLUSMALLINT number, struct origin *ret)
{
  return read_name(stmt, number, SQL_DESC_CATALOG_NAME, ret->database) &&
         read_name(stmt, number, SQL_DESC_BASE_TABLE_NAME, ret->table) &&
         read_name(stmt, number, SQL_DESC_BASE_COLUMN_NAME, ret->column);
}

/* Between quotes, each in it doubled. */
static void
quote(const char *name, char ret[QUOTED_SIZE])
{
  *ret++ = '`';
  for (; *name != '\0'; name++) {
    if (*name == '`')
      *ret++ = '`';
    *ret++ = *name;
  }
  *ret++ = '`';
  *ret = '\0';
}

/* A text of a row; "" where it is longer than any that is looked for. */
static void
read_text(SQLHSTMT stmt, SQLUSMALLINT number, char ret[NAME_SIZE])
{
  SQLWCHAR text[NAME_UNITS] = { 0 };
  SQLLEN bytes = 0;
  size_t units = 0;

  if (SQLGetData(stmt, number, SQL_C_WCHAR, text, sizeof text, &bytes) ==
      SQL_SUCCESS)
    while (units < NAME_UNITS - 1 && text[units] != 0)
      units++;
  odbc__to_utf8(text, units, ret);
}

static enum odbc__answer
find_column(SQLHSTMT stmt, const char *column)
{
  char name[NAME_SIZE];
  char type[NAME_SIZE];

  while (SQL_SUCCEEDED(SQLFetch(stmt))) {
    read_text(stmt, FIELD_NAME, name);
    read_text(stmt, FIELD_TYPE, type);
    if (strcmp(name, column) == 0)
      return strcmp(type, "tinyint(1)") == 0 ? ODBC__IS_BOOL : ODBC__IS_NUMBER;
  }
  return ODBC__IS_NUMBER;
}

/* A query in a FROM clause looks like a table, and is none to be asked. */
static enum odbc__answer
answer_of_failure(SQLHSTMT stmt)
{
  SQLCHAR state[6];
  SQLINTEGER native = INTERRUPTED;
  SQLSMALLINT units;

  SQLGetDiagRec(SQL_HANDLE_STMT, stmt, 1, state, &native, NULL, 0, &units);
  return native == INTERRUPTED ? ODBC__UNASKED : ODBC__IS_NUMBER;
}

/* Not by the catalogue, which has no temporary tables. */
static enum odbc__answer
ask(const struct odbc__conn *conn, const struct origin *origin)
{
  char sql[2 * QUOTED_SIZE + 40];
  char table[QUOTED_SIZE];
  char database[QUOTED_SIZE];
  struct odbc__text text;
  SQLHSTMT stmt = SQL_NULL_HSTMT;
  enum odbc__answer answer;

  quote(origin->table, table);
  quote(origin->database, database);
  snprintf(sql, sizeof sql, "SHOW COLUMNS FROM %s FROM %s", table, database);
  if (!odbc__text_make(conn, sql, strlen(sql), &text))
    return ODBC__UNASKED;
  if (!SQL_SUCCEEDED(SQLAllocHandle(SQL_HANDLE_STMT, conn->dbc, &stmt))) {
    conn->host->release(text.data);
    return ODBC__UNASKED;
  }
  answer =
      SQL_SUCCEEDED(SQLExecDirectW(stmt, text.data, (SQLINTEGER)text.units))
          ? find_column(stmt, origin->column)
          : answer_of_failure(stmt);
  SQLFreeHandle(SQL_HANDLE_STMT, stmt);
  conn->host->release(text.data);
  return answer;
}

/* Room for the answers about all columns. */
static bool
make_answers(struct odbc__statement *statement)
{
  size_t count = (size_t)statement->column_count;

  if (statement->answer_count == statement->column_count)
    return true;
  odbc__forget_answers(statement);
  statement->answers =
      statement->conn->host->alloc(count * sizeof *statement->answers);
  if (statement->answers == NULL)
    return false;
  memset(statement->answers, 0, count * sizeof *statement->answers);
  statement->answer_count = statement->column_count;
  return true;
}

void
odbc__forget_answers(struct odbc__statement *statement)
{
  statement->conn->host->release(statement->answers);
  statement->answers = NULL;
  statement->answer_count = 0;
}

static bool
is_bool(struct odbc__statement *statement, SQLUSMALLINT number)
{
  enum odbc__answer *answer;
  struct origin origin;

  if (!read_origin(statement->stmt, number, &origin) ||
      !make_answers(statement))
    return false;
  answer = &statement->answers[number - 1];
  if (*answer == ODBC__UNASKED)
    *answer = ask(statement->conn, &origin);
  return *answer == ODBC__IS_BOOL;
}

uint32_t
odbc__refine(struct odbc__statement *statement, SQLUSMALLINT number,
             SQLSMALLINT sql_type, SQLULEN size, uint32_t type)
{
  bool is_unsigned = odbc__is_unsigned(statement->stmt, number);

  if ((sql_type == SQL_CHAR || sql_type == SQL_WCHAR) && size == UUID_SIZE &&
      is_unsigned)
    return TN_UUID;
  if (sql_type == SQL_TINYINT && !is_unsigned && is_bool(statement, number))
    return TN_BOOL;
  return type;
}
