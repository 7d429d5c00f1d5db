/* The kinds of statements. */
#include "kind.h"

#include <criterion/criterion.h>
#include <string.h>

static const struct {
  const char *text;
  uint32_t kind;
} cases[] = {
  { "SELECT 1", TN_SQL_SELECT },
  { "select 1", TN_SQL_SELECT },
  { "SELECT", TN_SQL_SELECT },
  { "  \n\tSELECT 1", TN_SQL_SELECT },
  { "/* a */ -- b\nSELECT 1", TN_SQL_SELECT },
  { "((SELECT 1))", TN_SQL_SELECT },
  { "( /* x */ (SELECT 1))", TN_SQL_SELECT },
  { "WITH a AS (SELECT 1) DELETE FROM t", TN_SQL_SELECT },
  { "VALUES (1)", TN_SQL_SELECT },
  { "TABLE t", TN_SQL_SELECT },
  { "INSERT INTO t VALUES (1)", TN_SQL_INSERT },
  { "REPLACE INTO t VALUES (1)", TN_SQL_INSERT },
  { "UPDATE t SET a = 1", TN_SQL_UPDATE },
  { "Delete FROM t", TN_SQL_DELETE },
  { "BEGIN IMMEDIATE", TN_SQL_TRANSACTION },
  { "START TRANSACTION", TN_SQL_TRANSACTION },
  { "COMMIT", TN_SQL_TRANSACTION },
  { "ROLLBACK TO a", TN_SQL_TRANSACTION },
  { "savepoint a", TN_SQL_TRANSACTION },
  { "RELEASE a", TN_SQL_TRANSACTION },
  { "END", TN_SQL_TRANSACTION },
  { "ABORT", TN_SQL_TRANSACTION },
  { "CREATE TABLE t (a int)", TN_SQL_OTHER },
  { "ALTER TABLE t ADD b int", TN_SQL_OTHER },
  { "SET search_path = a", TN_SQL_OTHER },
  { "USE other", TN_SQL_OTHER },
  { "DISCARD ALL", TN_SQL_OTHER },
  { "CALL p()", TN_SQL_OTHER },
  { "SELECTED", TN_SQL_OTHER },
  { "SELEC 1", TN_SQL_OTHER },
  { "\"SELECT\" 1", TN_SQL_OTHER },
  { "'SELECT' 1", TN_SQL_OTHER },
  { "-- SELECT", TN_SQL_OTHER },
  { "1 SELECT", TN_SQL_OTHER },
  { "? SELECT", TN_SQL_OTHER },
  { ") SELECT", TN_SQL_OTHER },
  { "", TN_SQL_OTHER },
};

Test(kind, is_told_by_the_first_word)
{
  static const struct tn_dialect_table dialect = { .size = sizeof dialect };
  size_t i;

  for (i = 0; i < sizeof cases / sizeof cases[0]; i++)
    cr_expect_eq(tn_sql_kind(&dialect, cases[i].text, strlen(cases[i].text)),
                 cases[i].kind, "case %zu: \"%s\"", i, cases[i].text);
}

Test(kind, ends_where_the_text_does)
{
  static const struct tn_dialect_table dialect = { .size = sizeof dialect };

  cr_expect_eq(tn_sql_kind(&dialect, "SELECTED", 6), TN_SQL_SELECT);
  cr_expect_eq(tn_sql_kind(&dialect, "SELECT", 3), TN_SQL_OTHER);
}
