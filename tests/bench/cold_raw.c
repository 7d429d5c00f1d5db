/* The least a program does with raw sqlite3: open, select, print nothing. */
#include <sqlite3.h>
#include <stddef.h>

int
main(void)
{
  sqlite3 *db = NULL;
  sqlite3_stmt *statement = NULL;
  int ok =
      sqlite3_open(":memory:", &db) == SQLITE_OK &&
      sqlite3_prepare_v2(db, "SELECT 42", -1, &statement, 0) == SQLITE_OK &&
      sqlite3_step(statement) == SQLITE_ROW &&
      sqlite3_column_int(statement, 0) == 42;

  sqlite3_finalize(statement);
  sqlite3_close(db);
  return !ok;
}
