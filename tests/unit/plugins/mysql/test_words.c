/* What is read of a statement's text. */
#include <criterion/criterion.h>

#include "my_priv.h"

Test(words, the_first_word_is_found_behind_blanks_comments_and_brackets)
{
  static const struct {
    const char *sql;
    const char *word;
  } cases[] = {
    { "select 1", "SELECT" },
    { " \t\r\n Insert into t values (1)", "INSERT" },
    { "((SELECT 1) UNION (SELECT 2))", "SELECT" },
    { "( /* x */ (select 1))", "SELECT" },
    { "-- one\n# two\n/* three\n */rollback", "ROLLBACK" },
    { "--\nCOMMIT", "COMMIT" },
    { "--x", "" },
    { "/*! SELECT */ 1", "" },
    { "/* never closed", "" },
    { "-- never ended", "" },
    { "ROLLBACK;", "ROLLBACK" },
    { "ROLLBACK/* now */", "ROLLBACK" },
    { "abcdefghijklmno", "ABCDEFGHIJKLMNO" },
    { "abcdefghijklmnop", "" },
    { "`select`", "" },
    { "", "" },
    { ";", "" },
  };
  char word[MYSQL__WORD_MAX];
  size_t i;

  for (i = 0; i < MYSQL__COUNT(cases); i++) {
    mysql__first_word(cases[i].sql, word);
    cr_expect_str_eq(word, cases[i].word, "case %zu: \"%s\"", i, cases[i].sql);
  }
}

Test(words, a_word_in_quotes_comments_or_another_word_is_none)
{
  static const struct {
    const char *sql;
    bool has;
  } cases[] = {
    { "INSERT INTO t VALUES (1) RETURNING a", true },
    { "insert into t values (1) returning a", true },
    { "INSERT INTO t VALUES (1)RETURNING(a)", true },
    { "INSERT INTO t VALUES ('RETURNING')", false },
    { "INSERT INTO t VALUES (\"it''s RETURNING\")", false },
    { "INSERT INTO t VALUES ('it''s RETURNING')", false },
    { "INSERT INTO t VALUES ('it\\'s RETURNING')", false },
    { "INSERT INTO t VALUES ('\\\\') RETURNING a", true },
    { "INSERT INTO `RETURNING` VALUES (1)", false },
    { "INSERT INTO `a``RETURNING` VALUES (1)", false },
    { "INSERT INTO `a\\` RETURNING a", true },
    { "INSERT INTO t VALUES (1) -- RETURNING", false },
    { "INSERT INTO t VALUES (1) # RETURNING", false },
    { "INSERT INTO t VALUES (1) /* RETURNING */", false },
    { "INSERT INTO t VALUES (1) /*M! RETURNING a */", true },
    { "INSERT INTO t (returning_at) VALUES (1)", false },
    { "INSERT INTO t (_returning) VALUES (1)", false },
    { "INSERT INTO t (xreturning) VALUES (1)", false },
    { "INSERT INTO t VALUES ('RETURNING", false },
    { "", false },
  };
  size_t i;

  for (i = 0; i < MYSQL__COUNT(cases); i++)
    cr_expect_eq(mysql__has_word(cases[i].sql, "RETURNING"), cases[i].has,
                 "case %zu: \"%s\"", i, cases[i].sql);
}

Test(words, a_second_statement_is_one_behind_a_semicolon_that_counts)
{
  static const struct {
    const char *sql;
    bool has;
  } cases[] = {
    { "SELECT 1; SELECT 2", true },
    { "SELECT 1;", false },
    { "SELECT 1; -- the end", false },
    { "SELECT 1; /* the end */ ", false },
    { "SELECT 1;;", true },
    { "SELECT ';' ; x", true },
    { "SELECT '; x'", false },
    { "SELECT \"; x\"", false },
    { "SELECT `; x`", false },
    { "SELECT '\\'; x'", false },
    { "SELECT 1 -- ; x", false },
    { "SELECT 1 --; x", true },
    { "SELECT 1 # ; x\n", false },
    { "SELECT /* ; x */ 1", false },
    { "SELECT /*! ; x */ 1", true },
    { "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END", false },
    { "ALTER EVENT e DO BEGIN SELECT 1; SELECT 2; END", false },
    { "BEGIN NOT ATOMIC SELECT 1; SELECT 2; END", false },
    { "SELECT 'never closed; x", false },
    { "", false },
  };
  size_t i;

  for (i = 0; i < MYSQL__COUNT(cases); i++)
    cr_expect_eq(mysql__has_several(cases[i].sql), cases[i].has,
                 "case %zu: \"%s\"", i, cases[i].sql);
}
