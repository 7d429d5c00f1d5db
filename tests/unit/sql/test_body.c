/* Statements that have others inside: where they end. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "dialects.h"
#include "lexer.h"

struct body {
  unsigned dialects;
  const char *text;
};

/* Statements of which each ends with its last byte, and the ';' within it is
 * no end. */
static const struct body bodies[] = {
  { S | M, "create trigger t begin a; end;" },
  { S | M, "CREATE TRIGGER t BEGIN a; b; END;" },
  { S | M, "create temp trigger t begin a; end;" },
  { S | M, "create temporary trigger t begin a; end;" },
  { S | M, "create or replace trigger t begin a; end;" },
  { S | M, "create trigger if not exists t begin a; end;" },
  { S, "explain create trigger t begin a; end;" },
  { S, "EXPLAIN QUERY PLAN CREATE TEMP TRIGGER t BEGIN a; b; END;" },
  { S | M | P, "explain select 1;" },
  { M, "explain for connection 5;" },
  { S | M | P, "explain query plan;" },
  { S | M | P, "query;" },
  { S | M, "create/**/trigger t/**/begin a; end/**/ ;" },
  { S | M, "create -- c\n trigger t begin a; end;" },
  { S | M, "create trigger t begin a; end ;" },
  { S | M, "create trigger t begin select case when a then 1 end; end;" },
  { S | M, "create trigger t begin select case a when 1 then case b when 2 "
           "then 3 end end; end;" },
  { S | M, "create trigger t when case when a then 1 end begin a; end;" },
  { S | M, "create trigger t begin update t set end = 1; end;" },
  { S | M, "create trigger t begin update t set begin = 1; end;" },
  { S | M, "create trigger t begin select ';end;', \"x;\"; end;" },
  { S | M, "create trigger t begin /* ;end; */ a; -- ;end;\n end;" },
  { S | M, "create trigger begin_end begin a; end;" },
  { S | M, "create trigger t before insert on x for each row begin a; end;" },
  { S, "create trigger [begin] begin a; end;" },
  { S | M, "create trigger t when new.begin begin a; end;" },
  { S | M, "create trigger t begin select new.end; end;" },
  { S | M, "create trigger begin on t begin a; end;" },
  { S | M, "create procedure p() begin end;" },
  { S | M, "create procedure p() begin a; begin b; end; c; end;" },
  { S | M, "create procedure p() begin begin end; end;" },
  { M, "create procedure p() begin if a then b; end if; c; end;" },
  { M, "create procedure p() begin if a then begin b; end; else begin c; end; "
       "end if; end;" },
  { M, "create procedure p() begin case a when 1 then b; end case; end;" },
  { M, "create procedure p() begin case a when 1 then begin b; end; end case; "
       "c; end;" },
  { M, "create procedure p() begin while a do b; end while; end;" },
  { M, "create procedure p() begin while a do begin b; end; end while; end;" },
  { M, "create procedure p() begin repeat b; until a end repeat; end;" },
  { M, "create procedure p() begin l: loop leave l; end loop l; end;" },
  { M, "create procedure p() l: begin m: begin a; end m; b; end l;" },
  { M, "create procedure p() begin declare exit handler for sqlexception begin "
       "rollback; end; a; end;" },
  { M, "create procedure p() begin declare continue handler for 1062 set x = 1;"
       " select begin; end;" },
  { M, "create function f() returns int deterministic begin return 1; end;" },
  { M, "create aggregate function f() returns int begin return 1; end;" },
  { M, "create event e on schedule every 1 day do begin a; end;" },
  { M, "alter event e on schedule every 1 day do begin a; end;" },
  { M, "create definer=`a`@`b` procedure p() begin a; end;" },
  { M, "create definer = root@localhost trigger t begin a; end;" },
  { M, "create definer=current_user() trigger t begin a; end;" },
  { M, "/*!50003 create*/ /*!50017 definer=a@b*/ /*!50003 trigger t begin a; "
       "end */;" },
  { M, "create procedure p() a;" },
  { M, "create trigger t for each row set new.a = 1;" },
  { S | M, "create trigger t begin a; end end;" },
  { P,
    "create function f() returns int begin atomic select 1; select 2; end;" },
  { P, "create function f() begin atomic select case when a then b end; end;" },
  { P, "create procedure p() begin atomic end;" },
  { P, "create function f(begin int, \"end\" int) begin atomic a; end;" },
  { P, "create function begin(atomic int) returns int return 1;" },
  { P, "create procedure atomic end;" },
  { P, "create function f() as $$ begin a; end; $$ language plpgsql;" },
  { P, "create trigger t execute function f();" },

  /* bodies and statements without BEGIN */
  { M, "create trigger t before update on n for each row if new.a = 1 then set "
       "new.a = 2; elseif b then c; else d; end if;" },
  { M, "create procedure p() if 1 then select 1; else select 2; end if;" },
  { M, "create procedure if not exists p(a decimal(3, 1)) deterministic while "
       "a do b; c; end while;" },
  { M, "create procedure p() reads sql data repeat a; until b end repeat;" },
  { M, "create procedure p() l: loop a; leave l; end loop l;" },
  { M, "create procedure p() case a when 1 then b; end case;" },
  { M, "create function f(a int) returns int sql security invoker if a then "
       "return 1; else return 2; end if;" },
  { M, "create function f() returns int if a then return 1; else return 2; end "
       "if;" },
  { M, "create event e on schedule every 1 day do if a then b; end if;" },
  { M, "create procedure p() select (1) for update;" },
  { M, "create procedure p() do if(a, 1, 2);" },
  { M, "begin not atomic select 1; select 2; end;" },
  { M, "begin not atomic if a then begin b; end; end if; end;" },
  { M, "if a then select 1; end if;" },
  { M, "while a do b; end while;" },
  { M, "for i in 1 .. 3 do select i; end for;" },
  { M, "loop a; end loop;" },
  { M, "repeat a; until b end repeat;" },
  { M, "case a when 1 then b; else c; end case;" },

  /* what is no statement in them */
  { M,
    "create procedure p() begin for r in (select 1) do select r; end for; a; "
    "end;" },
  { M, "create procedure p() begin set x = case when a then if(b, 1, 2) else "
       "repeat('x', 3) end; c; end;" },
  { M, "create procedure p() begin select a from data for update; end;" },
  { M, "create procedure p() begin do if(a, 1, 2); do repeat('x', 2); end;" },
  { M, "create procedure p() begin if case a when 1 then 2 end then b; end if; "
       "c; end;" },
  { M,
    "create procedure p() begin declare c cursor for select 1; open c; end;" },
  { M, "create procedure p() begin if a then if b then c; end if; else if d "
       "then e; end if; end if; end;" },
  { M, "create procedure p() begin repeat if a then b; end if; until c end "
       "repeat; end;" },
};

/* How many statements end in the text, and whether one does at its end. */
static size_t
count_ends(const struct tn_dialect_table *dialect, const char *text,
           bool *ret_at_end)
{
  struct tn_lexer lexer;
  struct tn_token token = { .kind = 0 };
  size_t count = 0;

  tn_lexer_init(&lexer, dialect, text, strlen(text), 0);
  while (tn_lexer_next(&lexer, &token))
    count += token.kind == TN_TOKEN_SEMICOLON;
  *ret_at_end = token.kind == TN_TOKEN_SEMICOLON;
  return count;
}

Test(body, of_a_trigger_or_routine_is_one_statement)
{
  size_t i;
  unsigned d;

  for (i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
    for (d = 0; d < DIALECT_COUNT; d++) {
      const struct body *row = &bodies[i];
      char twice[1024];
      bool at_end;
      size_t count;

      if ((row->dialects & (1u << d)) == 0)
        continue;
      count = count_ends(&dialects[d], row->text, &at_end);
      cr_expect(count == 1 && at_end, "case %zu: \"%s\" in %s: %zu ends", i,
                row->text, dialect_names[d], count);

      /* Nothing of it is left for the statement that follows. */
      snprintf(twice, sizeof twice, "%s begin; %s end;", row->text, row->text);
      count = count_ends(&dialects[d], twice, &at_end);
      cr_expect(count == 4 && at_end, "case %zu: \"%s\" in %s: %zu ends", i,
                twice, dialect_names[d], count);
    }
}

Test(body, has_its_words_in_any_case)
{
  bool at_end;

  cr_expect_eq(count_ends(&dialects[0],
                          "CrEaTe TeMpOrArY tRiGgEr t BeGiN a; EnD;", &at_end),
               1);
}
