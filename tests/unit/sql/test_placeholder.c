/* Statements in, statements out: the text, the slots and the refusals. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialects.h"
#include "oom.h"
#include "placeholder.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

/* What is expected of a translation. Names are joined by commas, and so is
 * the order; NULL: there is none. */
struct row {
  unsigned dialects;
  const char *text;
  const char *expected; /* NULL: the text itself, at its own address */
  unsigned places;
  const char *names;
  const char *order;
};

static void
join(const struct tn_sql *sql, char *names, char *order, size_t size)
{
  uint32_t i;

  names[0] = '\0';
  order[0] = '\0';
  for (i = 0; sql->names != NULL && i < sql->slot_count; i++)
    snprintf(names + strlen(names), size - strlen(names), "%s%s",
             i == 0 ? "" : ",", sql->names[i]);
  for (i = 0; sql->order != NULL && i < sql->place_count; i++)
    snprintf(order + strlen(order), size - strlen(order), "%s%u",
             i == 0 ? "" : ",", (unsigned)sql->order[i]);
}

static void
check_row(size_t i, const struct row *row, unsigned d)
{
  TN_CLEANUP(tn_arena_clear) struct tn_arena arena = { .used = 0 };
  struct tn_sql sql;
  tn_err err = TN_ERR_INIT;
  char names[256];
  char order[256];
  enum tn_code rc = tn_sql_translate(&dialects[d], row->text, strlen(row->text),
                                     &arena, &sql, &err);

  cr_assert(rc == TN_OK, "case %zu: \"%s\" in %s: %s", i, row->text,
            dialect_names[d], err.message);
  join(&sql, names, order, sizeof names);
  cr_expect_str_eq(sql.text, row->expected == NULL ? row->text : row->expected,
                   "case %zu: \"%s\" in %s: \"%s\"", i, row->text,
                   dialect_names[d], sql.text);
  cr_expect(row->expected != NULL || sql.text == row->text,
            "case %zu: \"%s\" was copied", i, row->text);
  cr_expect(row->expected != NULL || arena.blocks == NULL,
            "case %zu: \"%s\" needed memory", i, row->text);
  cr_expect_eq(sql.size, strlen(sql.text), "case %zu: \"%s\"", i, row->text);
  cr_expect_eq(sql.place_count, row->places, "case %zu: \"%s\" in %s: %u", i,
               row->text, dialect_names[d], (unsigned)sql.place_count);
  cr_expect_str_eq(names, row->names == NULL ? "" : row->names,
                   "case %zu: \"%s\" in %s: names %s", i, row->text,
                   dialect_names[d], names);
  cr_expect_str_eq(order, row->order == NULL ? "" : row->order,
                   "case %zu: \"%s\" in %s: order %s", i, row->text,
                   dialect_names[d], order);
  cr_expect(sql.order != NULL || sql.slot_count == sql.place_count,
            "case %zu: \"%s\" in %s: counts", i, row->text, dialect_names[d]);
}

static void
check_rows(const struct row *rows, size_t count)
{
  size_t i;
  unsigned d;

  for (i = 0; i < count; i++)
    for (d = 0; d < DIALECT_COUNT; d++)
      if ((rows[i].dialects & (1u << d)) != 0)
        check_row(i, &rows[i], d);
}

Test(placeholder, a_statement_that_needs_no_change_is_not_copied)
{
  static const struct row rows[] = {
    { SPM, "select 1", NULL, 0, NULL, NULL },
    { SPM, "select 1;", NULL, 0, NULL, NULL },
    { SPM, ";select 1;;", NULL, 0, NULL, NULL },
    { SPM, "select 1; -- done", NULL, 0, NULL, NULL },
    { SPM, "select '?', ':a'", NULL, 0, NULL, NULL },
    { SPM, "select 'é' -- ? :a", NULL, 0, NULL, NULL },
    { SPM, "select /* ? :a */ 1", NULL, 0, NULL, NULL },
    { S | P, "select \"?:a\"", NULL, 0, NULL, NULL },
    { S | M, "select `?:a`", NULL, 0, NULL, NULL },
    { P, "select $$ ? :a ; $$", NULL, 0, NULL, NULL },
    { P, "select a[1:n], x::int", NULL, 0, NULL, NULL },
    { S | M, "select ?", NULL, 1, NULL, NULL },
    { S | M, "select ?, '?', ?", NULL, 2, NULL, NULL },
    { S, "select ?and", NULL, 1, NULL, NULL },
    { M, "set @x := ?", NULL, 1, NULL, NULL },
    { M, "select /*! ? */ ?", NULL, 2, NULL, NULL },
    { S | M, "create trigger t begin a; b; end", NULL, 0, NULL, NULL },
  };

  check_rows(rows, COUNT(rows));
}

Test(placeholder, question_marks_become_what_the_backend_takes)
{
  static const struct row rows[] = {
    { P, "select ?", "select $1", 1, NULL, NULL },
    { P, "select ?, ?", "select $1, $2", 2, NULL, NULL },
    { P, "select ? -- ?", "select $1 -- ?", 1, NULL, NULL },
    { P, "?", "$1", 1, NULL, NULL },
    { P, "(?,?,?,?,?,?,?,?,?,?,?)", "($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11)", 11,
      NULL, NULL },
    { P, "?::int", "$1::int", 1, NULL, NULL },
    { P, "a[?:?]", "a[$1:$2]", 2, NULL, NULL },
    { P, "a=?", "a=$1", 1, NULL, NULL },
    { P, "E'\\'?', ?", "E'\\'?', $1", 1, NULL, NULL },
    { P, "'é?', ?", "'é?', $1", 1, NULL, NULL },

    /* Kept apart from words, of which a '$' would become a part. */
    { P, "limit?", "limit $1", 1, NULL, NULL },
    { P, "?and?", "$1 and $2", 2, NULL, NULL },
    { P, "1?", "1 $1", 1, NULL, NULL },
    { P, "é?é", "é $1 é", 1, NULL, NULL },
    { P, "$?a$", "$ $1 a$", 1, NULL, NULL },
    { P, "?$$a$$", "$1 $$a$$", 1, NULL, NULL },

    /* Operators. */
    { P, "a ?? b", "a ? b", 0, NULL, NULL },
    { P, "a ??| b", "a ?| b", 0, NULL, NULL },
    { P, "a ??& b", "a ?& b", 0, NULL, NULL },
    { P, "a @?? b", "a @? b", 0, NULL, NULL },
    { P, "a ?? ?", "a ? $1", 1, NULL, NULL },
    { P, "a ???", "a ?$1", 1, NULL, NULL },
    { P, "a ????", "a ??", 0, NULL, NULL },
    { P, "??", "?", 0, NULL, NULL },
    { P, "'?\?' ?? '?\?'", "'?\?' ? '?\?'", 0, NULL, NULL },
    { P, "? ?? :: ?", "$1 ? :: $2", 2, NULL, NULL },
  };

  check_rows(rows, COUNT(rows));
}

Test(placeholder, names_share_slots)
{
  static const struct row rows[] = {
    { S, ":a", "?1", 1, "a", NULL },
    { P, ":a", "$1", 1, "a", NULL },
    { M, ":a", "?", 1, "a", NULL },
    { S, ":a,:b", "?1,?2", 2, "a,b", NULL },
    { P, ":a,:b", "$1,$2", 2, "a,b", NULL },
    { M, ":a,:b", "?,?", 2, "a,b", NULL },
    { S, ":a,:b,:a", "?1,?2,?1", 2, "a,b", NULL },
    { P, ":a,:b,:a", "$1,$2,$1", 2, "a,b", NULL },
    { M, ":a,:b,:a", "?,?,?", 3, "a,b", "0,1,0" },
    { M, ":a,:a,:b,:b", "?,?,?,?", 4, "a,b", "0,0,1,1" },
    { M, ":a,:a", "?,?", 2, "a", "0,0" },
    { P, ":a,:A,:ab,:a_,:a1", "$1,$2,$3,$4,$5", 5, "a,A,ab,a_,a1", NULL },
    { P, ":a::int", "$1::int", 1, "a", NULL },
    { P, "x::int = :a", "x::int = $1", 1, "a", NULL },
    { P, "a[:lo : :hi]", "a[$1 : $2]", 2, "lo,hi", NULL },
    { P, "a[:lo:hi]", "a[$1:hi]", 1, "lo", NULL },
    { P, "f(x := :a)", "f(x := $1)", 1, "a", NULL },
    { P, "a ?? :k", "a ? $1", 1, "k", NULL },
    { P, "x=:a-1", "x=$1-1", 1, "a", NULL },
    { M, "set @x := :a", "set @x := ?", 1, "a", NULL },
    { M, "/*! :a */ :b", "/*! ? */ ?", 2, "a,b", NULL },
    { SPM, "':a'", NULL, 0, NULL, NULL },
    { S, "insert into t values (:a, ':b', :c) -- :d",
      "insert into t values (?1, ':b', ?2) -- :d", 2, "a,c", NULL },
    { S, "select '12:30', \"x:y\", [z:w], :t",
      "select '12:30', \"x:y\", [z:w], ?1", 1, "t", NULL },
  };

  check_rows(rows, COUNT(rows));
}

/* What is refused, where, and a piece of what is said. */
struct refusal {
  unsigned dialects;
  const char *text;
  enum tn_code code;
  int position;
  const char *message;
};

static void
check_refusal(size_t i, const struct refusal *row, enum tn_code rc,
              const tn_err *err, unsigned d)
{
  cr_expect_eq(rc, row->code, "case %zu: \"%s\" in %s: %s", i, row->text,
               dialect_names[d], tn_code_name(rc));
  cr_expect_eq(err->code, (int32_t)row->code, "case %zu: \"%s\"", i, row->text);
  cr_expect_eq(err->position, row->position, "case %zu: \"%s\" in %s: %d", i,
               row->text, dialect_names[d], err->position);
  cr_expect(strstr(err->message, row->message) != NULL,
            "case %zu: \"%s\" in %s: %s", i, row->text, dialect_names[d],
            err->message);
}

Test(placeholder, what_cannot_be_translated_is_refused_with_its_position)
{
  static const struct refusal rows[] = {
    { SPM, "", TN_E_USAGE, 0, "there is none" },
    { SPM, "  ", TN_E_USAGE, 0, "there is none" },
    { SPM, ";", TN_E_USAGE, 0, "there is none" },
    { SPM, "-- a", TN_E_USAGE, 0, "there is none" },
    { SPM, "/* a */ ;", TN_E_USAGE, 0, "there is none" },
    { SPM, "a; b", TN_E_USAGE, 4, "a second one at character 4" },
    { SPM, "a;;b", TN_E_USAGE, 4, "a second one at character 4" },
    { SPM, "'é';/*é*/b", TN_E_USAGE, 10, "a second one at character 10" },
    { SPM, "begin; commit", TN_E_USAGE, 8, "a second one" },
    { P, "create trigger t begin a; end", TN_E_USAGE, 27, "a second one" },
    { S | M, "create trigger t begin a; end; b", TN_E_USAGE, 32, "second" },

    { SPM, "?, :a", TN_E_USAGE, 4, "':a' at character 4 cannot be mixed" },
    { SPM, ":a, ?", TN_E_USAGE, 5, "'?' at character 5 cannot be mixed" },
    { SPM, "é, ?, é, :a", TN_E_USAGE, 10, "':a' at character 10" },

    { SPM, "select ?5", TN_E_USAGE, 8, "'?5' at character 8 is not portable" },
    { SPM, "?1, ?2", TN_E_USAGE, 1, "'?1'" },
    { P, "select $1", TN_E_USAGE, 8, "'$1'" },
    { S, "select $1", TN_E_USAGE, 8, "'$1'" },
    { S, "select $x", TN_E_USAGE, 8, "'$x'" },
    { S, "select @x", TN_E_USAGE, 8, "'@x'" },
    { S, "select #x", TN_E_USAGE, 8, "'#x'" },
    { S, "select :5", TN_E_USAGE, 8, "':5'" },
    { S, "select a:b", TN_E_USAGE, 9, "':b' at character 9 directly follows" },
    { S, "then:b", TN_E_USAGE, 5, "put a space" },
    { SPM, "é=:naïve", TN_E_USAGE, 3, "':naïve' at character 3 is no" },
    { SPM, ":a$b", TN_E_USAGE, 1, "':a$b'" },
    { S | M, "a ?? b", TN_E_USAGE, 3, "'?\?' at character 3 is the operator" },

    { SPM, "'a", TN_E_USAGE, 1, "the string at character 1 does not end" },
    { SPM, "é 'a''", TN_E_USAGE, 3, "the string at character 3" },
    { S | P, "a \"b", TN_E_USAGE, 3, "the quoted name at character 3" },
    { M, "a \"b", TN_E_USAGE, 3, "the string" },
    { S | M, "a `b", TN_E_USAGE, 3, "the quoted name" },
    { S, "a [b", TN_E_USAGE, 3, "the quoted name" },
    { SPM, "a /* b", TN_E_USAGE, 3, "the comment at character 3" },
    { SPM, "a; /* b", TN_E_USAGE, 4, "the comment at character 4" },
    { P, "a /* /* */", TN_E_USAGE, 3, "the comment" },
    { P, "a $b$ c $b", TN_E_USAGE, 3, "the string" },
    { M, "é /*! b", TN_E_USAGE, 3, "the comment with code at character 3" },

    { SPM, "a \xff", TN_E_CHARSET, 3, "character 3" },
    { SPM, "'é\xc3'", TN_E_CHARSET, 3, "character 3" },
    { SPM, "-- \xed\xa0\x80", TN_E_CHARSET, 4, "UTF-8" },
  };
  size_t i;
  unsigned d;

  for (i = 0; i < COUNT(rows); i++)
    for (d = 0; d < DIALECT_COUNT; d++) {
      TN_CLEANUP(tn_arena_clear) struct tn_arena arena = { .used = 0 };
      struct tn_sql sql = { .text = "untouched" };
      tn_err err = TN_ERR_INIT;
      enum tn_code rc;

      if ((rows[i].dialects & (1u << d)) == 0)
        continue;
      rc = tn_sql_translate(&dialects[d], rows[i].text, strlen(rows[i].text),
                            &arena, &sql, &err);
      check_refusal(i, &rows[i], rc, &err, d);
      cr_expect_str_eq(sql.text, "untouched", "case %zu", i);
      cr_expect_eq(tn_sql_translate(&dialects[d], rows[i].text,
                                    strlen(rows[i].text), &arena, &sql, NULL),
                   rows[i].code, "case %zu: without an error", i);
    }
}

Test(placeholder, messages_are_one_line_and_begin_with_their_object)
{
  static const char *const texts[] = {
    "", "a;b", "?5", "?,:a", "'\n", "\xff", ":é", ":n\xcc\x81\xc2\x85"
  };
  TN_CLEANUP(tn_arena_clear) struct tn_arena arena = { .used = 0 };
  struct tn_sql sql;
  size_t i;

  for (i = 0; i < COUNT(texts); i++) {
    tn_err err = TN_ERR_INIT;

    cr_expect_neq(tn_sql_translate(&dialects[0], texts[i], strlen(texts[i]),
                                   &arena, &sql, &err),
                  TN_OK, "case %zu", i);
    cr_expect(strncmp(err.message, "statement: ", 11) == 0, "case %zu: %s", i,
              err.message);
    cr_expect_null(strchr(err.message, '\n'), "case %zu: %s", i, err.message);
  }
}

Test(placeholder, a_long_placeholder_is_shown_cut)
{
  TN_CLEANUP(tn_arena_clear) struct tn_arena arena = { .used = 0 };
  struct tn_sql sql;
  tn_err err = TN_ERR_INIT;
  char text[1001];

  memset(text, 'a', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  text[0] = '@';
  cr_expect_eq(
      tn_sql_translate(&dialects[0], text, strlen(text), &arena, &sql, &err),
      TN_E_USAGE);
  cr_expect(strstr(err.message, "...' at character 1") != NULL, "%s",
            err.message);
}

Test(placeholder, a_nul_inside_the_text_is_refused)
{
  TN_CLEANUP(tn_arena_clear) struct tn_arena arena = { .used = 0 };
  struct tn_sql sql;
  tn_err err = TN_ERR_INIT;

  cr_expect_eq(tn_sql_translate(&dialects[0], "'é'\0a", 6, &arena, &sql, &err),
               TN_E_USAGE);
  cr_expect_eq(err.position, 4);
  cr_expect_str_eq(err.message, "statement: the NUL at character 4 would cut "
                                "it short");
  cr_expect_eq(tn_sql_check(&dialects[0], "'é'\0a", 6, &err), TN_E_USAGE);
}

Test(placeholder, native_statements_are_only_checked)
{
  static const char *const good[] = {
    "select ?5, $x, @x, :x, ?",
    "select $1, a ? b, :'x'",
    "select ?, :a, ??",
    "select a:b, :é;",
    ";select 1;;",
    "select @x := 1",
  };
  static const struct refusal bad[] = {
    { SPM, "", TN_E_USAGE, 0, "there is none" },
    { SPM, "a; b", TN_E_USAGE, 4, "a second one" },
    { SPM, "é 'a", TN_E_USAGE, 3, "the string" },
    { SPM, "a /*", TN_E_USAGE, 3, "the comment" },
    { M, "a /*! b", TN_E_USAGE, 3, "the comment with code" },
    { SPM, "é\xff", TN_E_CHARSET, 2, "UTF-8" },
  };
  tn_err err = TN_ERR_INIT;
  size_t i;
  unsigned d;

  for (i = 0; i < COUNT(good); i++)
    for (d = 0; d < DIALECT_COUNT; d++)
      cr_expect_eq(tn_sql_check(&dialects[d], good[i], strlen(good[i]), &err),
                   TN_OK, "case %zu: \"%s\" in %s: %s", i, good[i],
                   dialect_names[d], err.message);
  for (i = 0; i < COUNT(bad); i++)
    for (d = 0; d < DIALECT_COUNT; d++)
      if ((bad[i].dialects & (1u << d)) != 0)
        check_refusal(
            i, &bad[i],
            tn_sql_check(&dialects[d], bad[i].text, strlen(bad[i].text), &err),
            &err, d);
}

/* ------------------------------------------------------------------ */
/* Limits                                                              */

static enum tn_code
translate_limited(const struct tn_dialect_table *usual, uint32_t max,
                  const char *text, tn_err *err)
{
  TN_CLEANUP(tn_arena_clear) struct tn_arena arena = { .used = 0 };
  struct tn_dialect_table dialect = *usual;
  struct tn_sql sql;

  dialect.max_parameters = max;
  return tn_sql_translate(&dialect, text, strlen(text), &arena, &sql, err);
}

Test(placeholder, more_placeholders_than_the_dialect_takes_are_refused)
{
  static const struct refusal rows[] = {
    { SPM, "?, ?", TN_OK, 0, "" },
    { SPM, "é ?, ?, ?", TN_E_LIMIT, 9,
      "'?' at character 9 is one placeholder" },
    { SPM, ":a, :b", TN_OK, 0, "" },
    { SPM, ":a, :b, :c", TN_E_LIMIT, 9, "':c' at character 9" },
    { S | P, ":a, :b, :a", TN_OK, 0, "" },
    { M, ":a, :b, :a", TN_E_LIMIT, 9, "more than the 2" },
    { S | P, ":a, :b, :a, :c", TN_E_LIMIT, 13, "more than the 2" },
  };
  size_t i;
  unsigned d;

  for (i = 0; i < COUNT(rows); i++)
    for (d = 0; d < DIALECT_COUNT; d++) {
      tn_err err = TN_ERR_INIT;

      if ((rows[i].dialects & (1u << d)) != 0)
        check_refusal(i, &rows[i],
                      translate_limited(&dialects[d], 2, rows[i].text, &err),
                      &err, d);
    }
}

/* "?,?,?…" or ":p0,:p1,…", `count` of them. */
static char *
many(size_t count, bool is_named)
{
  char *text = malloc(count * 12 + 1);
  char *end = text;
  size_t i;

  cr_assert_not_null(text);
  for (i = 0; i < count; i++) {
    *end++ = i == 0 ? ' ' : ',';
    end += is_named ? sprintf(end, ":p%zu", i) : sprintf(end, "?");
  }
  *end = '\0';
  return text;
}

Test(placeholder, without_a_limit_of_the_dialect_there_are_65535)
{
  unsigned d;
  unsigned named;

  for (d = 0; d < DIALECT_COUNT; d++)
    for (named = 0; named < 2; named++) {
      tn_err err = TN_ERR_INIT;
      char *text = many(65535, named != 0);
      char *longer = many(65536, named != 0);

      cr_expect_eq(translate_limited(&dialects[d], 0, text, &err), TN_OK);
      cr_expect_eq(translate_limited(&dialects[d], 0, longer, &err),
                   TN_E_LIMIT);
      cr_expect_eq(translate_limited(&dialects[d], UINT32_MAX, longer, &err),
                   TN_OK);
      free(text);
      free(longer);
    }
}

Test(placeholder, many_names_keep_their_slots)
{
  TN_CLEANUP(tn_arena_clear) struct tn_arena arena = { .used = 0 };
  char *text = many(50000, true);
  struct tn_sql sql;
  char name[16];
  uint32_t i;

  cr_assert_eq(
      tn_sql_translate(&dialects[1], text, strlen(text), &arena, &sql, NULL),
      TN_OK);
  cr_expect_eq(sql.slot_count, 50000);
  for (i = 0; i < sql.slot_count; i++) {
    snprintf(name, sizeof name, "p%u", (unsigned)i);
    cr_assert_str_eq(sql.names[i], name);
  }
  cr_expect_not_null(strstr(sql.text, ",$49999,$50000"));
  free(text);
}

Test(placeholder, a_text_longer_than_the_backend_takes_is_refused)
{
  TN_CLEANUP(tn_arena_clear) struct tn_arena arena = { .used = 0 };
  struct tn_dialect_table dialect = dialects[1];
  struct tn_sql sql;
  tn_err err = TN_ERR_INIT;

  dialect.max_statement_bytes = 8;
  cr_expect_eq(tn_sql_translate(&dialect, "select 1", 8, &arena, &sql, &err),
               TN_OK);
  cr_expect_eq(tn_sql_translate(&dialect, "select ?", 8, &arena, &sql, &err),
               TN_E_LIMIT);
  cr_expect_str_eq(err.message,
                   "statement: 9 bytes, but the backend takes 8 at most");
  cr_expect_eq(tn_sql_translate(&dialect, "a ?? ? ?", 8, &arena, &sql, &err),
               TN_E_LIMIT);
  cr_expect_eq(tn_sql_check(&dialect, "select 1", 8, &err), TN_OK);
  cr_expect_eq(tn_sql_check(&dialect, "select 12", 9, &err), TN_E_LIMIT);
}

/* ------------------------------------------------------------------ */
/* Memory                                                              */

/* Fail each allocation in turn until the translation gets by. */
static void
walk(const struct tn_dialect_table *dialect, const char *text)
{
  long nth;

  for (nth = 1;; nth++) {
    struct tn_arena arena = { .used = 0 };
    struct tn_sql sql = { .text = NULL };
    tn_err err = TN_ERR_INIT;
    enum tn_code rc;
    long asked;

    oom_fail_nth(nth, false);
    rc = tn_sql_translate(dialect, text, strlen(text), &arena, &sql, &err);
    asked = oom_count();
    cr_expect_eq(rc, asked < nth ? TN_OK : TN_E_MEMORY, "%.20s: allocation %ld",
                 text, nth);
    cr_expect_eq(err.code, (int32_t)rc);
    cr_expect_eq(sql.text == NULL, rc != TN_OK);
    tn_arena_clear(&arena);
    cr_expect_eq(oom_live(), 0, "%.20s: allocation %ld", text, nth);
    if (asked < nth)
      break;
  }
  oom_reset();
}

Test(placeholder, without_memory_it_says_so)
{
  char *names = many(3000, true);
  char *places = many(3000, false);
  unsigned d;

  for (d = 0; d < DIALECT_COUNT; d++) {
    walk(&dialects[d], "select :a, :b, :a");
    walk(&dialects[d], names);
    walk(&dialects[d], places);
  }
  free(names);
  free(places);
}

/* ------------------------------------------------------------------ */
/* Scripts                                                             */

struct script {
  unsigned dialects;
  const char *text;
  const char *pieces; /* joined by '|' */
};

static void
cut(const struct tn_dialect_table *dialect, const char *text, char *out)
{
  size_t at = 0;
  size_t start;
  size_t size;
  size_t end = 0;
  uint64_t count = 0;
  bool is_complete;

  *out = '\0';
  while (tn_sql_next(dialect, text, strlen(text), &at, &start, &size)) {
    count++;
    cr_assert(start >= end && size > 0 && start + size <= at);
    end = start + size;
    if (*out != '\0')
      strcat(out, "|");
    strncat(out, text + start, size);
  }
  cr_expect_eq(at, strlen(text));
  cr_expect_eq(tn_sql_count(dialect, text, strlen(text), &is_complete), count,
               "\"%s\"", text);
}

Test(placeholder, a_script_is_cut_into_its_statements)
{
  static const struct script rows[] = {
    { SPM, "", "" },
    { SPM, " ", "" },
    { SPM, ";;", "" },
    { SPM, "-- a", "" },
    { SPM, "a", "a" },
    { SPM, "a;", "a" },
    { SPM, " a ; ", "a" },
    { SPM, "a;b", "a|b" },
    { SPM, "a;\n-- c\nb;\n", "a|b" },
    { SPM, "/* x */ a /* y */; /* z */", "a" },
    { SPM, "a /* y */ b; c", "a /* y */ b|c" },
    { SPM, ";;a;;b;;", "a|b" },
    { SPM, "a ';' b; c", "a ';' b|c" },
    { SPM, "a -- ;\nb; c", "a -- ;\nb|c" },
    { SPM, "select ?; select :a", "select ?|select :a" },
    { SPM, "é;ü", "é|ü" },
    { SPM, "begin; a; commit;", "begin|a|commit" },
    { SPM, "a; 'b", "a|'b" },
    { SPM, "a; 'b; c", "a|'b; c" },
    { SPM, "a; /* b; c", "a|/* b; c" },
    { SPM, "a /* b; c", "a /* b; c" },
    { M, "a; /*! b", "a|/*! b" },
    { M, "/*! a */; b", "/*! a */|b" },
    { S | P, "a \";\" b; c", "a \";\" b|c" },
    { P, "a $$ ; $$; b", "a $$ ; $$|b" },
    { M, "a `;` \";\"; b", "a `;` \";\"|b" },
    { S | M, "create trigger t begin a; b; end; c",
      "create trigger t begin a; b; end|c" },
    { P, "create trigger t begin a; b; end; c",
      "create trigger t begin a|b|end|c" },
    { S,
      "create table t (a);\ncreate trigger u after insert on t begin\n"
      "  update t set a = case when a then 1 else 2 end;\nend;\nselect 1;",
      "create table t (a)|create trigger u after insert on t begin\n"
      "  update t set a = case when a then 1 else 2 end;\nend|select 1" },
    { SPM, "create rule r as do (a; b); c", "create rule r as do (a; b)|c" },
    { SPM, "a \001; b", "a \001|b" },
    { SPM, "a \xff; b", "a \xff|b" },
  };
  size_t i;
  unsigned d;

  for (i = 0; i < COUNT(rows); i++)
    for (d = 0; d < DIALECT_COUNT; d++) {
      char pieces[512];

      if ((rows[i].dialects & (1u << d)) == 0)
        continue;
      cut(&dialects[d], rows[i].text, pieces);
      cr_expect_str_eq(pieces, rows[i].pieces, "case %zu: \"%s\" in %s: \"%s\"",
                       i, rows[i].text, dialect_names[d], pieces);
    }
}

/* A text that someone types, and whether it may be run now. */
struct typed {
  unsigned dialects;
  const char *text;
  unsigned count;
  bool is_complete;
};

Test(placeholder, a_text_is_complete_when_nothing_can_follow)
{
  static const struct typed rows[] = {
    { SPM, "", 0, true },
    { SPM, " ;\n; -- c\n/* ; */", 0, true },
    { SPM, "a", 1, false },
    { SPM, "a;", 1, true },
    { SPM, "a; -- b", 1, true },
    { SPM, "a; ;", 1, true },
    { SPM, "a; b", 2, false },
    { SPM, "a; b;", 2, true },
    { SPM, "a; /* b", 2, false },
    { SPM, "/* b;", 1, false },
    { SPM, "a 'b;", 1, false },
    { SPM, "a -- ;", 1, false },
    { SPM, "a 'b;';", 1, true },
    { M, "a 'b\\';", 1, false },
    { M, "a 'b\\';';", 1, true },
    { S | P, "a 'b\\';", 1, true },
    { P, "a e'b\\';", 1, false },
    { P, "a e'b\\';';", 1, true },
    { P, "a $x$ b;", 1, false },
    { P, "a $x$ b; $x$;", 1, true },
    { M, "create procedure p() begin delete from t;", 1, false },
    { M, "create procedure p() begin delete from t; end", 1, false },
    { M, "create procedure p() begin delete from t; end;", 1, true },
    { M, "create definer = a@b event e on schedule every 1 day do begin a;", 1,
      false },
    { M, "create procedure p() if a then delete from t;", 1, false },
    { M, "create function f() returns int return 1;", 1, true },
    { M, "begin not atomic a;", 1, false },
    { SPM, "begin;", 1, true },
    { P, "create function f() returns int begin atomic select 1;", 1, false },
    { P, "create function f() returns int begin atomic select 1; end;", 1,
      true },
    { S | M, "create trigger t after insert on a begin b;", 1, false },
  };
  size_t i;
  unsigned d;

  for (i = 0; i < COUNT(rows); i++)
    for (d = 0; d < DIALECT_COUNT; d++) {
      bool is_complete;
      uint64_t count;

      if ((rows[i].dialects & (1u << d)) == 0)
        continue;
      count = tn_sql_count(&dialects[d], rows[i].text, strlen(rows[i].text),
                           &is_complete);
      cr_expect_eq(count, rows[i].count, "case %zu: \"%s\" in %s: %u", i,
                   rows[i].text, dialect_names[d], (unsigned)count);
      cr_expect_eq(is_complete, rows[i].is_complete, "case %zu: \"%s\" in %s",
                   i, rows[i].text, dialect_names[d]);
    }
}

Test(placeholder, a_script_without_a_further_statement_leaves_the_outputs_alone)
{
  size_t at = 1;
  size_t start = 77;
  size_t size = 88;

  cr_expect_not(tn_sql_next(&dialects[0], "a -- b", 6, &at, &start, &size) &&
                tn_sql_next(&dialects[0], "a -- b", 6, &at, &start, &size));
  cr_expect_eq(start, 77);
  cr_expect_eq(size, 88);
  cr_expect_eq(at, 6);
}

Test(placeholder, a_script_may_have_a_nul_inside)
{
  size_t at = 0;
  size_t start;
  size_t size;

  cr_expect(tn_sql_next(&dialects[0], "a\0b;c", 5, &at, &start, &size));
  cr_expect_eq(start, 0);
  cr_expect_eq(size, 3);
  cr_expect(tn_sql_next(&dialects[0], "a\0b;c", 5, &at, &start, &size));
  cr_expect_eq(start, 4);
}
