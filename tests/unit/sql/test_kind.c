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

static const struct {
  const char *text;
  uint32_t boundary;
} boundaries[] = {
  { "BEGIN", TN_SQL_BEGINS },
  { "begin;", TN_SQL_BEGINS },
  { "/* a */ BEGIN -- b\n /* c */", TN_SQL_BEGINS },
  { "BEGIN WORK", TN_SQL_BEGINS },
  { "BEGIN IMMEDIATE TRANSACTION", TN_SQL_BEGINS },
  { "BEGIN ISOLATION LEVEL SERIALIZABLE", TN_SQL_BEGINS },
  { "BEGIN READ ONLY", TN_SQL_BEGINS },
  { "BEGIN NOT DEFERRABLE", TN_SQL_BEGINS },
  { "BEGIN TRAN", TN_SQL_BEGINS },
  { "BEGIN NOT ATOMIC COMMIT; END", TN_SQL_INSIDE },
  { "BEGIN NOT", TN_SQL_INSIDE },
  { "BEGIN SELECT 1; END", TN_SQL_INSIDE },
  { "BEGIN \"p\".\"q\"(?); END;", TN_SQL_INSIDE },
  { "START TRANSACTION", TN_SQL_BEGINS },
  { "start /* a */ transaction read only", TN_SQL_BEGINS },
  { "START REPLICA", TN_SQL_INSIDE },
  { "START", TN_SQL_INSIDE },
  { "COMMIT", TN_SQL_COMMITS },
  { "commit and chain", TN_SQL_COMMITS },
  { "#a\n-- b\n COMMIT WORK", TN_SQL_COMMITS },
  { "/*! COMMIT */", TN_SQL_COMMITS },
  { "/*!50000 COMMIT */", TN_SQL_COMMITS },
  { "/*!100000 ROLLBACK */", TN_SQL_ROLLS_BACK },
  { "END", TN_SQL_COMMITS },
  { "END TRANSACTION", TN_SQL_COMMITS },
  { "END AND CHAIN", TN_SQL_COMMITS },
  { "END CONVERSATION h", TN_SQL_INSIDE },
  { "ABORT", TN_SQL_ROLLS_BACK },
  { "ROLLBACK", TN_SQL_ROLLS_BACK },
  { "rollback work;", TN_SQL_ROLLS_BACK },
  { "ROLLBACK AND CHAIN", TN_SQL_ROLLS_BACK },
  { "ROLLBACK TO a", TN_SQL_INSIDE },
  { "ROLLBACK TO SAVEPOINT a", TN_SQL_INSIDE },
  { "ROLLBACK WORK TO a", TN_SQL_INSIDE },
  { "rollback transaction to a", TN_SQL_INSIDE },
  { "PREPARE TRANSACTION 'x'", TN_SQL_PREPARES },
  { "prepare /* a */ transaction E'x';", TN_SQL_PREPARES },
  { "PREPARE TRANSACTION $$x$$", TN_SQL_PREPARES },
  { "PREPARE transaction AS SELECT 1", TN_SQL_INSIDE },
  { "PREPARE transaction(int) AS SELECT 1", TN_SQL_INSIDE },
  { "PREPARE transaction FROM 'SELECT 1'", TN_SQL_INSIDE },
  { "PREPARE s AS SELECT 1", TN_SQL_INSIDE },
  { "PREPARE \"transaction\" AS SELECT 1", TN_SQL_INSIDE },
  { "PREPARE", TN_SQL_INSIDE },
  { "XA START 'x'", TN_SQL_BEGINS },
  { "xa begin 'x' JOIN", TN_SQL_BEGINS },
  { "XA END 'x'", TN_SQL_PREPARES },
  { "XA PREPARE 'x'", TN_SQL_PREPARES },
  { "/*! XA COMMIT 'x' ONE PHASE */", TN_SQL_COMMITS },
  { "XA ROLLBACK 'x'", TN_SQL_ROLLS_BACK },
  { "XA RECOVER", TN_SQL_INSIDE },
  { "XA", TN_SQL_INSIDE },
  { "SAVEPOINT a", TN_SQL_INSIDE },
  { "RELEASE a", TN_SQL_INSIDE },
  { "COMMITTED", TN_SQL_INSIDE },
  { "'COMMIT'", TN_SQL_INSIDE },
  { "\"COMMIT\"", TN_SQL_INSIDE },
  { "-- COMMIT", TN_SQL_INSIDE },
  { "SELECT 1", TN_SQL_INSIDE },
  { "", TN_SQL_INSIDE },
};

Test(kind, tells_what_begins_or_ends_a_transaction)
{
  static const struct tn_dialect_table dialect = {
    .size = sizeof dialect,
    .lexer = TN_LEX_HASH_COMMENT | TN_LEX_CODE_COMMENT,
  };
  size_t i;

  for (i = 0; i < sizeof boundaries / sizeof boundaries[0]; i++)
    cr_expect_eq(tn_sql_boundary(&dialect, boundaries[i].text,
                                 strlen(boundaries[i].text)),
                 boundaries[i].boundary, "case %zu: \"%s\"", i,
                 boundaries[i].text);
}

Test(kind, ends_where_the_text_does)
{
  static const struct tn_dialect_table dialect = { .size = sizeof dialect };

  cr_expect_eq(tn_sql_kind(&dialect, "SELECTED", 6), TN_SQL_SELECT);
  cr_expect_eq(tn_sql_kind(&dialect, "SELECT", 3), TN_SQL_OTHER);
  cr_expect_eq(tn_sql_boundary(&dialect, "COMMITTED", 6), TN_SQL_COMMITS);
  cr_expect_eq(tn_sql_boundary(&dialect, "BEGIN x", 5), TN_SQL_BEGINS);
}
