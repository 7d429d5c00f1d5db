/* The lexer's rules, a row each, in the dialects they hold in. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dialects.h"
#include "lexer.h"

/* Tokens as text: a letter each, '~' behind one that does not end. */
static const char letters[TN_TOKEN_KIND_COUNT] = {
  [TN_TOKEN_BLANK] = ' ',    [TN_TOKEN_COMMENT] = 'c',
  [TN_TOKEN_CODE] = '!',     [TN_TOKEN_STRING] = 's',
  [TN_TOKEN_NAME] = 'q',     [TN_TOKEN_WORD] = 'w',
  [TN_TOKEN_NUMBER] = 'n',   [TN_TOKEN_SEMICOLON] = ';',
  [TN_TOKEN_MARK] = '.',     [TN_TOKEN_PLACE] = '?',
  [TN_TOKEN_NAMED] = ':',    [TN_TOKEN_OPERATOR] = 'o',
  [TN_TOKEN_NATIVE] = 'N',   [TN_TOKEN_GLUED] = 'G',
  [TN_TOKEN_BAD_NAME] = 'B',
};

struct row {
  unsigned dialects;
  const char *text;
  const char *tokens;
};

/* Cut `size` bytes into letters; says whether the tokens cover the text. */
static bool
cut_text(const struct tn_dialect_table *dialect, const char *text, size_t size,
         char *out)
{
  struct tn_lexer lexer;
  struct tn_token token;
  size_t at = 0;

  tn_lexer_init(&lexer, dialect, text, size, 0);
  while (tn_lexer_next(&lexer, &token)) {
    if (token.start != at || token.size == 0 || token.size > size - at)
      return false;
    at += token.size;
    *out++ = letters[token.kind];
    if (token.is_open)
      *out++ = '~';
  }
  if (lexer.in_code)
    *out++ = '~';
  *out = '\0';
  return at == size;
}

/* The same of a copy with no byte behind its end, so that a look beyond it is
 * caught. */
static bool
cut(const struct tn_dialect_table *dialect, const char *text, size_t size,
    char *out)
{
  char *copy = malloc(size == 0 ? 1 : size);
  bool is_covered;

  cr_assert_not_null(copy);
  memcpy(copy, text, size);
  is_covered = cut_text(dialect, copy, size, out);
  free(copy);
  return is_covered;
}

static void
check_rows(const struct row *rows, size_t count)
{
  size_t i;
  unsigned d;

  for (i = 0; i < count; i++)
    for (d = 0; d < DIALECT_COUNT; d++) {
      const struct row *row = &rows[i];
      char tokens[1024];

      if ((row->dialects & (1u << d)) == 0)
        continue;
      cr_expect(cut(&dialects[d], row->text, strlen(row->text), tokens),
                "case %zu: \"%s\" is not covered in %s", i, row->text,
                dialect_names[d]);
      cr_expect_str_eq(tokens, row->tokens,
                       "case %zu: \"%s\" in %s: \"%s\", not \"%s\"", i,
                       row->text, dialect_names[d], tokens, row->tokens);
    }
}

#define CHECK(rows) check_rows(rows, sizeof(rows) / sizeof((rows)[0]))

Test(lexer, words_numbers_and_marks_are_told_apart)
{
  static const struct row rows[] = {
    { SPM, "", "" },
    { SPM, " \t\r\n\f\v", " " },
    { SPM, "select 1", "w n" },
    { SPM, "a1_b", "w" },
    { SPM, "_a", "w" },
    { SPM, "a$b", "w" },
    { SPM, "naïve", "w" },
    { SPM, "été=1", "w.n" },
    { SPM, "1a", "n" },
    { SPM, "1.5e3", "n.n" },
    { SPM, "0xFF", "n" },
    { SPM, "1_000", "n" },
    { SPM, "a.b", "w.w" },
    { SPM, "(a,b)", ".w.w." },
    { SPM, "a||b", "w..w" },
    { SPM, "a\001b", "w.w" },
    { SPM, "\\", "." },
  };

  CHECK(rows);
}

Test(lexer, a_nul_is_a_mark_like_any_other)
{
  char tokens[16];
  unsigned d;

  for (d = 0; d < DIALECT_COUNT; d++) {
    cr_expect(cut(&dialects[d], "a\0'b\0'", 6, tokens));
    cr_expect_str_eq(tokens, "w.s", "%s", dialect_names[d]);
  }
}

Test(lexer, bytes_that_are_no_text_are_covered_too)
{
  char text[512];
  char tokens[1100];
  size_t i;
  unsigned d;

  for (i = 0; i < sizeof text; i++)
    text[i] = (char)(i * 7 % 256);
  for (d = 0; d < DIALECT_COUNT; d++)
    cr_expect(cut(&dialects[d], text, sizeof text, tokens), "%s",
              dialect_names[d]);
}

Test(lexer, strings_end_where_the_dialect_says)
{
  static const struct row rows[] = {
    { SPM, "''", "s" },
    { SPM, "'a'", "s" },
    { SPM, "'a''b'", "s" },
    { SPM, "''''", "s" },
    { SPM, "'a' 'b'", "s s" },
    { SPM, "'?'", "s" },
    { SPM, "':a'", "s" },
    { SPM, "'a;b'", "s" },
    { SPM, "'--'", "s" },
    { SPM, "'/*'", "s" },
    { SPM, "'a\nb'", "s" },
    { SPM, "'\"'?", "s?" },
    { SPM, "'", "s~" },
    { SPM, "'a", "s~" },
    { SPM, "'''", "s~" },
    { SPM, "'a''", "s~" },
    { SPM, "'$.a[?(@.b)]'", "s" },
    { SPM, "'12:30:00'", "s" },

    /* Backslashes. */
    { S | P, "'\\'?", "s?" },
    { M, "'\\'?", "s~" },
    { M, "'\\'?'", "s" },
    { M, "'\\\\'?", "s?" },
    { M, "'\\", "s~" },
    { M, "'\\''?", "s?" },
    { S | P, "'a\\''b'", "s" },
    { M, "\"a\\\"?\"", "s" },
    { S | P, "\"a\\\"?", "q?" },

    /* Prefixes are words. */
    { SPM, "x'00'", "ws" },
    { SPM, "N'a'", "ws" },
    { M, "_utf8'a'", "ws" },
    { SPM, "U&'d\\0061'?", "w.s?" },
    { P, "U&'\\'?", "w.s?" },
    { SPM, "B'01'?", "ws?" },
  };

  CHECK(rows);
}

Test(lexer, e_strings_have_backslashes_in_one_dialect_only)
{
  static const struct row rows[] = {
    { P, "E'a'", "s" },
    { P, "E'\\''", "s" },
    { P, "e'\\''", "s" },
    { P, "E'\\'?'", "s" },
    { P, "E'\\\\'?", "s?" },
    { P, "E''''", "s" },
    { P, "E'", "s~" },
    { P, "E'\\'", "s~" },
    { P, "E 'a'", "w s" },
    { P, "nameE'\\'?", "ws?" },
    { P, "_e'\\'?", "ws?" },
    { P, "ée'\\'?", "ws?" },
    { P, "=E'\\''?", ".s?" },
    { P, "(e'\\''?)", ".s?." },
    { S, "E'\\'?", "ws?" },
    { M, "E'\\'?'", "ws" },
    { P, "E\"a\\\"", "wq" },

    /* The parts of a string over several lines. */
    { P, "E'a'\n'\\''?", "s s?" },
    { P, "E'a' \t\r '\\''?", "s s?" },
    { P, "E'a' -- c\n  '\\''?", "s c s?" },
    { P, "E'a'\n-- c\n'\\''?", "s c s?" },
    { P, "E'a'\n'b'\n'\\''?", "s s s?" },
    { P, "E'a' '\\'?", "s s?" },
    { P, "E'a'\n/**/'\\'?", "s cs?" },
    { P, "E'a'\n,'\\'?", "s .s?" },
    { P, "E'a'\n'b' '\\'?", "s s s?" },
    { P, "E'a'\n\"\\\"?", "s q?" },
    { P, "E'a'\n$$b$$\n'\\'?", "s s s?" },
    { P, "'a'\n'\\'?", "s s?" },
    { S, "E'a'\n'\\'?", "ws s?" },
  };

  CHECK(rows);
}

Test(lexer, quoted_names_follow_the_dialect)
{
  static const struct row rows[] = {
    { S | P, "\"a\"", "q" },
    { M, "\"a\"", "s" },
    { S | P, "\"a\"\"b\"", "q" },
    { M, "\"a\"\"b\"", "s" },
    { S | P, "\"a?:b;--\"", "q" },
    { S | P, "\"", "q~" },
    { M, "\"", "s~" },
    { S | P, "\"it's\"?", "q?" },
    { S | M, "`a`", "q" },
    { S | M, "`a``b`?", "q?" },
    { S | M, "`a?`", "q" },
    { M, "`a\\`?", "q?" },
    { S | M, "`a", "q~" },
    { P, "`a?`", ".w?." },
    { S, "[a]", "q" },
    { S, "[a b?;]", "q" },
    { S, "[a]]?", "q.?" },
    { S, "[it's]?", "q?" },
    { S, "[a", "q~" },
    { P | M, "[a]", ".w." },
    { P | M, "[?]", ".?." },
    { P, "U&\"a\"?", "w.q?" },
  };

  CHECK(rows);
}

Test(lexer, dollar_quotes_need_a_tag_that_is_a_name)
{
  static const struct row rows[] = {
    { P, "$$$$", "s" },
    { P, "$$a$$", "s" },
    { P, "$$?:a;'$$?", "s?" },
    { P, "$$\na\n$$", "s" },
    { P, "$t$a$t$", "s" },
    { P, "$t$a$$b$t$", "s" },
    { P, "$t$a$u$b$t$?", "s?" },
    { P, "$t$a$T$b$t$?", "s?" },
    { P, "$_t1$a$_t1$?", "s?" },
    { P, "$é$a$é$?", "s?" },
    { P, "$a$x$b$a$?", "s?" },
    { P, "$a$ $$a$?", "s?" },
    { P, "$$", "s~" },
    { P, "$$a", "s~" },
    { P, "$$a$", "s~" },
    { P, "$t$a$t", "s~" },
    { P, "$t$a$$", "s~" },
    { P, "$1", "N" },
    { P, "$12+1", "N.n" },
    { P, "$1$", "N." },
    { P, "$1$a$1$", "Ns~" },
    { P, "$1a$b$1a$", "Nw" },
    { P, "$a b$", ".w w" },
    { P, "$a", ".w" },
    { P, "$", "." },
    { P, "a$b$c$b$", "w" },
    { P, "a$$b", "w" },
    { P, "1$a$?$a$", "ns" },
    { P, "=$$?$$", ".s" },
    { P, "$$a$$$$b$$", "ss" },
    { P, "$a-b$", ".w.w" },
    { S, "$$a$$", "N" },
    { M, "$$a$$", "..w" },
    { M, "$a$?$a$", ".w?.w" },
  };

  /* In SQLite every '$' with a word behind it is a placeholder of its own. */
  static const struct row sqlite_rows[] = {
    { S, "$a", "N" },
    { S, "$1", "N" },
    { S, "$", "." },
    { S, "$ a", ". w" },
  };

  CHECK(rows);
  CHECK(sqlite_rows);
}

Test(lexer, comments_end_where_the_dialect_says)
{
  static const struct row rows[] = {
    { SPM, "-- a", "c" },
    { SPM, "-- ?:a;'\"", "c" },
    { SPM, "-- a\n?", "c ?" },
    { SPM, "-- a\r?", "c ?" },
    { SPM, "-- a\r\n?", "c ?" },
    { SPM, "--", "c" },
    { SPM, "--\n?", "c ?" },
    { S | P, "--a?", "c" },
    { M, "--a?", "..w?" },
    { M, "1--1", "n..n" },
    { M, "--\ta?", "c" },
    { M, "--\001?", "c" },
    { M, "--\177?", "c" },
    { M, "---  a?", ".c" },
    { M, "--?", "..?" },
    { S | P, "1--1", "nc" },
    { SPM, "- -a", ". .w" },
    { SPM, "-", "." },
    { SPM, "/**/", "c" },
    { SPM, "/* ?:a;' */?", "c?" },
    { SPM, "/* a\nb */", "c" },
    { SPM, "/***/?", "c?" },
    { SPM, "/* * / */?", "c?" },
    { SPM, "/*/?", "c~" },
    { SPM, "/*", "c~" },
    { SPM, "/* a *", "c~" },
    { SPM, "/* -- */?", "c?" },
    { SPM, "a/**/b", "wcw" },
    { SPM, "a/b", "w.w" },
    { SPM, "/", "." },
    { SPM, "*/", ".." },
    { S | M, "/* /* */?", "c?" },
    { P, "/* /* */?", "c~" },
    { P, "/* /* */ */?", "c?" },
    { S | M, "/* /* */ */?", "c ..?" },
    { P, "/*/*/**/*/*/?", "c?" },
    { P, "/*/**/?", "c~" },
    { P, "/*/*/*/*/*/", "c~" },
    { M, "# a?", "c" },
    { M, "#a?\n?", "c ?" },
    { M, "a#b\r?", "wc ?" },
    { P, "a # ?", "w . ?" },
    { P, "a #> '{b}'", "w .. s" },
    { P, "#a", ".w" },
    { S, "# a", ". w" },
  };

  CHECK(rows);
}

Test(lexer, the_inside_of_a_code_comment_is_code)
{
  static const struct row rows[] = {
    { M, "/*! ? */", "! ? !" },
    { M, "/*!50003 ?*/?", "! ?!?" },
    { M, "/*!?*/", "!?!" },
    { M, "/*!80000SELECT*/", "!w!" },
    { M, "/*! '*/' */", "! s !" },
    { M, "/*! a /* ? */ ? */", "! w c ? !" },
    { M, "/*! a -- */\n*/", "! w c !" },
    { M, "/*M!100301 ? */?", "! ? !?" },
    { M, "/*M a ? */", "c" },
    { M, "/*! a", "! w~" },
    { M, "/*!", "!~" },
    { M, "/*! */ */", "! ! .." },
    { M, "/*! a */ /*! b", "! w ! ! w~" },
    { M, "/*! a /*! b */ c */", "! w ! w ! w .." },
    { M, "/*+ hint(?) */", "c" },
    { M, "a*/b", "w..w" },
    { S | P, "/*! ? */", "c" },
  };

  CHECK(rows);
}

Test(lexer, question_marks_are_places_operators_or_numbered)
{
  static const struct row rows[] = {
    { SPM, "?", "?" },          { SPM, "?,?", "?.?" },
    { SPM, "(?)", ".?." },      { SPM, "? ?", "? ?" },
    { SPM, "??", "o" },         { SPM, "???", "o?" },
    { SPM, "????", "oo" },      { SPM, "? ??", "? o" },
    { SPM, "a ?? b", "w o w" }, { P, "a ??| b", "w o. w" },
    { P, "a ??& b", "w o. w" }, { P, "a @?? b", "w .o w" },
    { SPM, "?||?", "?..?" },    { SPM, "?::int", "?.w" },
    { SPM, "?and", "?w" },      { SPM, "?5", "N" },
    { SPM, "?15 ", "N " },      { SPM, "?0", "N" },
    { SPM, "??5", "on" },       { SPM, "=?", ".?" },
    { SPM, "a?", "w?" },        { SPM, "?'a'", "?s" },
  };

  CHECK(rows);
}

Test(lexer, a_colon_before_a_name_is_a_placeholder_or_not)
{
  static const struct row rows[] = {
    { SPM, ":a", ":" },
    { SPM, ":a_1", ":" },
    { SPM, ":_", ":" },
    { SPM, ":A", ":" },
    { SPM, "(:a)", ".:." },
    { SPM, "=:a", ".:" },
    { SPM, ":a,:b", ":.:" },
    { SPM, ":a+:b", ":.:" },
    { SPM, ":a;", ":;" },
    { SPM, "in :a", "w :" },
    { SPM, "in/**/:a", "wc:" },
    { SPM, ":", "." },
    { SPM, ": a", ". w" },
    { SPM, "::", "." },
    { SPM, ":a::int", ":.w" },
    { SPM, "x::int", "w.w" },
    { SPM, "x :: int", "w . w" },
    { SPM, "?::int", "?.w" },
    { SPM, "'1'::int", "s.w" },
    { SPM, "x:: :a", "w. :" },
    { SPM, ":a:=1", ":.n" },
    { SPM, "x := :a", "w . :" },
    { SPM, "x:=:a", "w.:" },
    { SPM, "x => :a", "w .. :" },
    { SPM, ":=a", ".w" },
    { SPM, ":'a'", ".s" },
    { S | P, ":\"a\"", ".q" },
    { M, ":\"a\"", ".s" },
    { P | M, ":::a", "..w" },
    { S, ":::a", ".G" },
    { SPM, ":-:a", "..:" },
    { SPM, "\\:a", ".:" },
    { SPM, ":.a", "..w" },
    { SPM, ":?", ".?" },

    /* Directly after a word. */
    { P | M, "a:b", "w.w" },
    { S, "a:b", "wG" },
    { P | M, "1:b", "n.w" },
    { S, "1:b", "nG" },
    { P | M, ":a:b", ":.w" },
    { S, ":a:b", ":G" },
    { P | M, "?:b", "?.w" },
    { S, "?:b", "?G" },
    { P | M, "é:b", "w.w" },
    { P | M, "a$:b", "w.w" },
    { M, "l1:loop", "w.w" },
    { M, "l1: loop", "w. w" },
    { M, "@a:b", "w.w" },
    { S | M, "'a':b", "s:" },
    { S | M, "f(x):b", "w.w.:" },

    /* What is no name. */
    { P | M, ":1", ".n" },
    { S, ":1", "N" },
    { S, ":1a", "N" },
    { S, ":$a", "N" },
    { P | M, "12:30", "n.n" },
    { S, "12:30", "nN" },
    { SPM, ":naïve", "B" },
    { SPM, ":é", "B" },
    { SPM, ":a$b", "B" },
    { SPM, ":a-b", ":.w" },
    { SPM, ":a.b", ":.w" },
  };

  CHECK(rows);
}

Test(lexer, the_colon_of_a_slice_is_no_placeholder)
{
  static const struct row rows[] = {
    { P, "a[1:2]", "w.n.n." },
    { P, "a[1:n]", "w.n.w." },
    { P, "a[1 :n]", "w.n .w." },
    { P, "a[1: n]", "w.n. w." },
    { P, "a[i:n]", "w.w.w." },
    { P, "a[i :n]", "w.w :." },
    { P, "a[:2]", "w..n." },
    { P, "a[:n]", "w.:." },
    { P, "a[ :n ]", "w. : ." },
    { P, "a[1:]", "w.n.." },
    { P, "a[:]", "w..." },
    { P, "a[f(x):n]", "w.w.w..w." },
    { P, "a[f(x) :n]", "w.w.w. .w." },
    { P, "a[b[1]:n]", "w.w.n..w." },
    { P, "a[\"i\":n]", "w.q.w." },
    { P, "a['1' :n]", "w.s .w." },
    { P, "a[$$1$$:n]", "w.s.w." },
    { P, "a[$1:n]", "w.N.w." },
    { P, "a[?:?]", "w.?.?." },
    { P, "a[?:n]", "w.?.w." },
    { P, "a[:lo:hi]", "w.:.w." },
    { P, "a[:lo :hi]", "w.: .w." },
    { P, "a[:lo : :hi]", "w.: . :." },
    { P, "a[:lo: :hi]", "w.:. :." },
    { P, "a[1: :hi]", "w.n. :." },
    { P, "a[:lo::hi]", "w.:.w." },
    { P, "a[:lo::int:hi]", "w.:.w.w." },
    { P, "a[1/**/:n]", "w.nc.w." },
    { P, "a[1+:n]", "w.n.:." },
    { P, "a[x, :n]", "w.w. :." },
    { P, "array[:a,:b]", "w.:.:." },
    { P, "array[x || :n]", "w.w .. :." },
    { P, "array[case when :a then :b end]", "w.w w : w : w." },
    { P, "(1) = :a", ".n. . :" },
    { S, "[a:b]", "q" },
    { M, "a[1 :n]", "w.n :." },
  };

  CHECK(rows);
}

Test(lexer, at_signs_and_sigils_follow_the_dialect)
{
  static const struct row rows[] = {
    { M, "@x", "w" },
    { M, "@@x", "w" },
    { M, "@@global.x", "w" },
    { M, "@x := 1", "w . n" },
    { M, "@x:=1", "w.n" },
    { M, "@x:=@x+1", "w.w.n" },
    { M, "@'a b?'", ".s" },
    { M, "@`a?`", ".q" },
    { M, "@\"a?\"", ".s" },
    { M, "root@localhost", "ww" },
    { M, "'root'@'%'", "s.s" },
    { M, "@", "." },
    { M, "@@", ".." },
    { M, "@?", ".?" },
    { S, "@x", "N" },
    { S, "@1", "N" },
    { S, "@", "." },
    { S, "#x", "N" },
    { S, "@é", "N" },
    { S, "$::x", "Nw" },
    { S, "@::x", "Nw" },
    { S, "$:x", ".:" },
    { P, "@x", ".w" },
    { P, "@ -5", ". .n" },
    { P, "a @> b", "w .. w" },
    { P, "a <@ ?", "w .. ?" },
    { P, "a @@ ?", "w .. ?" },
  };

  CHECK(rows);
}

Test(lexer, a_semicolon_ends_a_statement_outside_of_bodies)
{
  static const struct row rows[] = {
    { SPM, ";", ";" },
    { SPM, "a;b", "w;w" },
    { SPM, "begin;", "w;" },
    { SPM, "begin; a; end;", "w; w; w;" },
    { SPM, "create table t (a); b", "w w w .w.; w" },
    { SPM, "create table trigger (begin int); b", "w w w .w w.; w" },
    { SPM, "select create trigger begin; b", "w w w w; w" },
    { SPM, "(a;b)", ".w;w." },
    { SPM, "longer_than_any trigger t begin a; b", "w w w w w; w" },
    { SPM, "create rule r as do (a; b); c", "w w w w w .w. w.; w" },
    { P, "create or replace rule r as do ((a);b);c",
      "w w w w w w w ..w..w.;w" },
    { SPM, "create rule r as do nothing; a)", "w w w w w w; w." },
    { SPM, "create rule r ) do (a; b); c", "w w w . w .w. w.; w" },
    { SPM, "create table rule (a); b", "w w w .w.; w" },
  };

  CHECK(rows);
}

Test(lexer, a_body_that_is_not_closed_goes_on)
{
  static const struct row rows[] = {
    { S | M, "create trigger t begin a; b; c", "w w w w w. w. w" },
    { S | M, "create trigger t begin a; end if; b;", "w w w w w. w w. w." },
    { S | M, "create trigger t begin begin a; end; b;", "w w w w w w. w. w." },
    { P, "create trigger t begin a; end;", "w w w w w; w;" },
  };

  CHECK(rows);
}

Test(lexer, deep_nesting_needs_no_stack)
{
  enum { DEPTH = 200000 };
  static char text[2 * DEPTH + 1];
  struct tn_lexer lexer;
  struct tn_token token;
  size_t i;

  for (i = 0; i < DEPTH; i++)
    memcpy(text + 2 * i, "/*", 2);
  tn_lexer_init(&lexer, &dialects[1], text, strlen(text), 0);
  cr_expect(tn_lexer_next(&lexer, &token));
  cr_expect(token.kind == TN_TOKEN_COMMENT && token.is_open);
  cr_expect_eq(token.size, strlen(text));
  cr_expect_not(tn_lexer_next(&lexer, &token));
}

/* A reader that looks ahead and then takes one byte would need hours. */
Test(lexer, long_runs_are_read_in_linear_time, .timeout = 60)
{
  static const char *const patterns[] = {
    "$",      "$a",     "$a$",  "$aaaa$b", "/*", "/*/", "*/", "(",  ":",
    ":a",     ":$",     "?",    ":a,",     "'",  "\\",  "@",  "@$", "#",
    "E'a'\n", "begin ", "end;", "- ",      "-",  "[",   "`",  "\r", "1$",
  };
  enum { SIZE = 1 << 18 };
  static char text[SIZE];
  size_t i;
  size_t k;
  unsigned d;

  for (k = 0; k < sizeof patterns / sizeof patterns[0]; k++) {
    size_t length = strlen(patterns[k]);

    for (i = 0; i < SIZE; i++)
      text[i] = patterns[k][i % length];
    for (d = 0; d < DIALECT_COUNT; d++) {
      struct tn_lexer lexer;
      struct tn_token token;
      size_t end = 0;

      tn_lexer_init(&lexer, &dialects[d], text, SIZE, 0);
      while (tn_lexer_next(&lexer, &token))
        end = token.start + token.size;
      cr_expect_eq(end, SIZE, "\"%s\" in %s", patterns[k], dialect_names[d]);
    }
  }
}

Test(lexer, it_may_start_in_the_middle_and_past_the_end)
{
  const char *text = "a; b";
  struct tn_lexer lexer;
  struct tn_token token;

  tn_lexer_init(&lexer, &dialects[0], text, 4, 2);
  cr_expect(tn_lexer_next(&lexer, &token));
  cr_expect_eq(token.kind, TN_TOKEN_BLANK);
  cr_expect_eq(token.start, 2);

  tn_lexer_init(&lexer, &dialects[0], text, 4, 99);
  cr_expect_not(tn_lexer_next(&lexer, &token));
}

Test(lexer, the_letters_of_names_are_those_of_all_dialects)
{
  int c;

  for (c = 0; c < 256; c++) {
    bool expected = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                    (c >= '0' && c <= '9') || c == '_' || c == '$' || c >= 0x80;

    cr_expect_eq(tn_lexer_is_word((char)c), expected, "byte %d", c);
  }
}
