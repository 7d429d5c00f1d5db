/* What a statement that only reads or writes rows leaves in its session. */
#include <criterion/criterion.h>

#include "dialects.h"
#include "leaves.h"

static const struct {
  unsigned dialects;
  const char *sql;
  bool is_query;
  bool leaves;
} rows[] = {
  { SPM, "SELECT a FROM b", true, false },
  { SPM, "SELECT a INTO TEMP c FROM b", true, true },
  { SPM, "select 1 /* into */ , 'into', \"into\"", true, false },
  { SPM, "INSERT INTO a SELECT 1", false, false },
  { SPM, "WITH a AS (SELECT 1) INSERT INTO b SELECT * FROM a", true, false },
  { SPM, "WITH a AS (SELECT 1) /* b */ merge /**/ INTO b USING c", true,
    false },
  { P, "WITH a AS (INSERT INTO b SELECT 1 RETURNING c) SELECT 1", true, false },
  { S, "WITH a AS (SELECT 1) INSERT OR REPLACE INTO b SELECT 1", true, false },
  { M, "WITH a AS (SELECT 1) REPLACE LOW_PRIORITY INTO b SELECT 1", true,
    false },
  { SPM, "SELECT replace(a,'b','c') AS d INTO TEMP e FROM f", true, true },
  { M, "SELECT REPLACE(a,'b','c') INTO @b FROM f LIMIT 1", true, true },
  { M, "SELECT INSERT(a,1,1,'c') INTO @b", true, true },
  { M, "(SELECT REPLACE(a,'b','c')) INTO @b", true, true },
  { SPM, "SELECT merge INTO TEMP a FROM b", true, true },
  { SPM, "SELECT a, insert, b INTO TEMP c FROM d", true, true },
  { SPM, "SELECT (1) merge INTO TEMP a FROM b", true, true },
  { P, "WITH a AS (INSERT INTO b SELECT 1) SELECT 2 INTO c", true, true },
  { M, "SELECT 5 INTO @b", true, true },
  { M, "SELECT @a := 5", true, true },
  { M, "INSERT INTO a SELECT @i := 4", false, true },
  { P, "SELECT f(a := 5)", true, false },
  { SPM, "SELECT Take_It('a')", true, true },
  { SPM, "UPDATE a SET b = take_it ('a')", false, true },
  { SPM, "SELECT it, take, take_it_all", true, false },
  { SPM, "SELECT 'take_it'", true, false },
  { S | P, "SELECT x.\"Take_It\"()", true, true },
  { S | P, "SELECT U&\"take\\005fit\"(1)", true, true },
  { S | P, "SELECT U&\"take!005fit\" UESCAPE '!'(1)", true, true },
  { M, "SELECT `take_it`()", true, true },
  { SPM, "SELECT 1 /* take_it() */", true, false },
  { M, "SELECT 1 /*! + take_it() */", true, true },
  { M, "SELECT 1 /*M!100000 + take_it() */", true, true },
  { S | P, "SELECT 1 /*M! + take_it() */", true, false },
  { SPM, "", true, false },
};

Test(leaves, are_found_by_words)
{
  size_t i;
  unsigned d;

  for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
    for (d = 0; d < DIALECT_COUNT; d++) {
      struct tn_dialect_table dialect = dialects[d];

      dialect.session_words = "hold take_it let_go";
      if ((rows[i].dialects & (1u << d)) != 0)
        cr_expect_eq(tn_sql_leaves(&dialect, rows[i].sql, strlen(rows[i].sql),
                                   rows[i].is_query),
                     rows[i].leaves, "case %zu in %s: \"%s\"", i,
                     dialect_names[d], rows[i].sql);
    }
}

Test(leaves, a_dialect_may_have_no_words)
{
  cr_expect_not(tn_sql_leaves(&dialects[0], "SELECT take_it()", 16, true));
}
