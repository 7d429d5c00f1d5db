/* What the text of a statement tells without a parser. */
#include <criterion/criterion.h>

#include "pg_priv.h"

static const struct {
  const char *sql;
  uint32_t flags;
} rows[] = {
  { "", PG__TEXT_BLANK },
  { " \t\n;; -- nothing", PG__TEXT_BLANK },
  { "/* a /* b */ c */ ;", PG__TEXT_BLANK },
  { "/* open", PG__TEXT_BLANK },
  { "(", 0 },
  { "SELECT 1", PG__TEXT_READS },
  { "-- x\n ((select 1))", PG__TEXT_READS },
  { "WITH a AS (SELECT 1) SELECT * FROM a", PG__TEXT_READS },
  { "WITH a AS (Delete FROM t RETURNING *) SELECT * FROM a", 0 },
  { "SELECT 1 INTO t", 0 },
  { "SELECT 'insert'", 0 },
  { "SELECT inserted FROM t", PG__TEXT_READS },
  { "SELECTED", 0 },
  { "INSERT INTO t VALUES (1) RETURNING 1", 0 },
  { "COMMIT", PG__TEXT_COMMIT },
  { "end work", PG__TEXT_COMMIT },
  { "PREPARE TRANSACTION 'x'", PG__TEXT_COMMIT | PG__TEXT_PREPARES },
  { "PREPARE x AS SELECT 1", PG__TEXT_PREPARES },
  { "DROP INDEX IF EXISTS i", PG__TEXT_DROPS_INDEX },
  { "drop foreign table t", 0 },
  { "copy t from stdin", PG__TEXT_COPY },
  { "ROLLBACK", 0 },
};

Test(text, is_looked_at)
{
  size_t i;

  for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
    cr_expect_eq(pg__text_look(rows[i].sql), rows[i].flags, "case %zu: \"%s\"",
                 i, rows[i].sql);
}

static const struct {
  const char *sql;
  bool returns;
} guesses[] = {
  { "SELECT 1", true },
  { "((VALUES (1)))", true },
  { "WITH a AS (SELECT 1) DELETE FROM t RETURNING *", true },
  { "SELECT 'update'", true },
  { "SELECT a FROM b FOR UPDATE", true },
  { "WITH a AS (SELECT 1) SELECT * FROM a", true },
  { "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a", false },
  { "INSERT INTO t VALUES ($1) returning a", true },
  { "INSERT INTO t VALUES ($1)", false },
  { "COMMIT", false },
  { "(", false },
};

Test(text, tells_whether_rows_are_likely)
{
  size_t i;

  for (i = 0; i < sizeof guesses / sizeof guesses[0]; i++)
    cr_expect_eq(pg__text_returns(guesses[i].sql), guesses[i].returns,
                 "case %zu: \"%s\"", i, guesses[i].sql);
}
