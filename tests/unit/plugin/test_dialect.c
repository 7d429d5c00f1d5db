/* Names, quoted. */
#include "dialect.h"

#include <criterion/criterion.h>
#include <string.h>

#include "oom.h"

static const struct tn_dialect_table standard = { .size = sizeof(standard) };
static const struct tn_dialect_table backtick = { .size = sizeof(backtick),
                                                  .quote_open = '`',
                                                  .quote_close = '`',
                                                  .max_identifier_bytes = 8 };
static const struct tn_dialect_table bracket = { .size = sizeof(bracket),
                                                 .quote_open = '[',
                                                 .quote_close = ']' };

static const struct {
  const struct tn_dialect_table *dialect;
  const char *name;
  size_t size;
  enum tn_code code;
  const char *expected; /* text, or message */
} cases[] = {
  { &standard, "a", 1, TN_OK, "\"a\"" },
  { &standard, "select", 6, TN_OK, "\"select\"" },
  { &standard, "a\"b", 3, TN_OK, "\"a\"\"b\"" },
  { &standard, "\"", 1, TN_OK, "\"\"\"\"" },
  { &standard, "\"\"", 2, TN_OK, "\"\"\"\"\"\"" },
  { &standard, "x\"", 2, TN_OK, "\"x\"\"\"" },
  { &standard, "a.b", 3, TN_OK, "\"a.b\"" },
  { &standard, "a\nb; --", 7, TN_OK, "\"a\nb; --\"" },
  { &standard, "größe", 7, TN_OK, "\"größe\"" },
  { &standard, "abc", 2, TN_OK, "\"ab\"" },
  { &backtick, "a`b", 3, TN_OK, "`a``b`" },
  { &backtick, "a\"b", 3, TN_OK, "`a\"b`" },
  { &backtick, "12345678", 8, TN_OK, "`12345678`" },
  { &backtick, "````````", 8, TN_OK, "``````````````````" },
  { &bracket, "a]b[c", 5, TN_OK, "[a]]b[c]" },
  { &standard, "", 0, TN_E_DATA, "name: empty" },
  { &backtick, "123456789", 9, TN_E_DATA, "name: 9 bytes; 8 are allowed" },
  { &standard, "a\0b", 3, TN_E_DATA, "name: has a NUL in it" },
  { &standard, "a\xff", 2, TN_E_CHARSET, "name: byte 2 is not UTF-8" },
  { &standard, "\xc0\xa2", 2, TN_E_CHARSET, "name: byte 1 is not UTF-8" },
};

Test(dialect, a_name_is_quoted_or_refused)
{
  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    struct tn_strbuf buf = TN_STRBUF_INIT(100);
    tn_err err = TN_ERR_INIT;
    enum tn_code rc = tn_dialect_quote(cases[i].dialect, cases[i].name,
                                       cases[i].size, &buf, &err);

    cr_expect_eq(rc, cases[i].code, "case %zu: \"%s\"", i, cases[i].name);
    cr_expect_str_eq(rc == TN_OK ? tn_strbuf_text(&buf) : err.message,
                     cases[i].expected, "case %zu: \"%s\"", i, cases[i].name);
    if (rc != TN_OK)
      cr_expect_eq(buf.size, 0, "case %zu", i);
    tn_strbuf_clear(&buf);
  }
}

Test(dialect, quoting_adds_to_what_is_there)
{
  struct tn_strbuf buf = TN_STRBUF_INIT(100);

  tn_strbuf_add_text(&buf, "DROP TABLE ");
  cr_expect_eq(tn_dialect_quote(&standard, "t", 1, &buf, NULL), TN_OK);
  cr_expect_str_eq(tn_strbuf_text(&buf), "DROP TABLE \"t\"");
  tn_strbuf_clear(&buf);
}

Test(dialect, a_buffer_that_is_full_or_without_memory_is_told)
{
  struct tn_strbuf buf = TN_STRBUF_INIT(3);
  tn_err err = TN_ERR_INIT;

  cr_expect_eq(tn_dialect_quote(&standard, "ab", 2, &buf, &err), TN_E_LIMIT);
  tn_strbuf_clear(&buf);
  oom_fail_nth(1, true);
  cr_expect_eq(tn_dialect_quote(&standard, "a", 1, &buf, &err), TN_E_MEMORY);
  tn_strbuf_clear(&buf);
  cr_expect_eq(oom_live(), 0);
  oom_reset();
}
