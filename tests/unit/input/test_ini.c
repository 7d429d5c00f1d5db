/* INI text: every byte of it arrives, or a line is named.
 *
 * ini_parse_stream() of inih is replaced here by one that looks on, and that
 * can be told to lose things the way a packaged build does. */
#include "ini_reader.h"

#include <criterion/criterion.h>
#include <dlfcn.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "oom.h"
#include "strbuf.h"

/* ------------------------------------------------------------------ */
/* inih, watched                                                       */

enum fault {
  NO_FAULT,
  LOSES_A_LINE,
  CHANGES_A_VALUE,
  CHANGES_A_KEY,
  CHANGES_A_SECTION,
  REPEATS_A_LINE,
  REPORTS_A_BAD_LINE,
  REPORTS_HEADERS,
  HAS_NO_MEMORY,
  STOPS_AFTER_A_HEADER,
  STOPS_AFTER_A_LINE,
  STOPS_AND_LOSES_A_LINE,
};

static struct watch {
  enum fault fault;
  unsigned calls;
  unsigned lines;    /* handed to inih */
  size_t longest;    /* of them */
  unsigned reported; /* by inih */
  ini_reader read;
  ini_handler handle;
  void *user;
} watch;

static char *
watched_read(char *out, int size, void *stream)
{
  char *line;

  if ((watch.fault == STOPS_AFTER_A_HEADER && watch.lines == 1) ||
      (watch.fault == STOPS_AFTER_A_LINE && watch.lines == 3) ||
      (watch.fault == STOPS_AND_LOSES_A_LINE && watch.lines == 6))
    return NULL;
  line = watch.read(out, size, stream);
  if (line == NULL)
    return NULL;
  watch.lines++;
  if (strlen(line) > watch.longest)
    watch.longest = strlen(line);
  return line;
}

static int
watched_handle(void *user, const char *section, const char *name,
               const char *value)
{
  watch.reported++;
  switch (watch.fault) {
  case LOSES_A_LINE:
    return 1;
  case STOPS_AND_LOSES_A_LINE:
    if (watch.lines == 6)
      return 1;
    break;
  case CHANGES_A_VALUE:
    return watch.handle(user, section, name, "99");
  case CHANGES_A_KEY:
    return watch.handle(user, section, "x", value);
  case CHANGES_A_SECTION:
    return watch.handle(user, "99", name, value);
  case REPEATS_A_LINE:
    watch.handle(user, section, name, value);
    break;
  case REPORTS_HEADERS:
    watch.handle(user, section, NULL, NULL);
    break;
  default:
    break;
  }
  return watch.handle(user, section, name, value);
}

int
ini_parse_stream(ini_reader reader, void *stream, ini_handler handler,
                 void *user)
{
  int (*real)(ini_reader, void *, ini_handler, void *);
  int rc;

  *(void **)&real = dlsym(RTLD_NEXT, "ini_parse_stream");
  cr_assert_not_null(real, "inih is not linked");
  watch.calls++;
  watch.read = reader;
  watch.handle = handler;
  watch.user = user;
  rc = real(watched_read, stream, watched_handle, user);
  if (watch.fault == REPORTS_A_BAD_LINE)
    return 3;
  return watch.fault == HAS_NO_MEMORY ? -2 : rc;
}

/* ------------------------------------------------------------------ */
/* A reader that writes down what it gets                              */

/* Texts of a reader's wishes are between spaces. */
struct notes {
  const char *skips;  /* sections that are not wanted */
  const char *shared; /* sections of which only `picked` keys are */
  const char *picked;
  const char *refused; /* a key at which item() fails */
  struct tn_strbuf text;
};

static bool
is_listed(const char *list, const char *word)
{
  char padded[128];

  if (list == NULL || strlen(word) > sizeof(padded) - 3)
    return false;
  (void)snprintf(padded, sizeof(padded), " %s ", word);
  return strstr(list, padded) != NULL;
}

static bool
wants(void *user, const char *section)
{
  const struct notes *notes = user;

  return !is_listed(notes->skips, *section != '\0' ? section : "none");
}

static bool
picks(void *user, const char *section, const char *key)
{
  const struct notes *notes = user;

  return is_listed(key == NULL ? notes->shared : notes->picked,
                   key == NULL ? section : key);
}

/* "LINE[section]" for a header, "LINE:key=<value>" for a key. */
static enum tn_code
item(void *user, const struct tn_ini_item *found, tn_err *err)
{
  struct notes *notes = user;

  if (found->key == NULL)
    tn_strbuf_add_format(&notes->text, "%u[%s] ", found->line, found->section);
  else
    tn_strbuf_add_format(&notes->text, "%u:%s=<%s> ", found->line, found->key,
                         found->value);
  if (found->key != NULL && notes->refused != NULL &&
      strcmp(found->key, notes->refused) == 0)
    return tn_err_set(err, TN_E_LIMIT, "enough");
  return tn_strbuf_status(&notes->text, "notes", err);
}

static enum tn_code
parse(const char *text, size_t size, struct notes *notes, tn_err *err)
{
  const struct tn_ini_reader reader = {
    .wants = wants, .item = item, .user = notes, .picks = picks
  };

  notes->text.max = SIZE_MAX / 2;
  return tn_ini_parse(text, size, "x.ini", &reader, err);
}

/* ------------------------------------------------------------------ */
/* Tables                                                              */

#define TEXT(literal) literal, sizeof(literal) - 1

/* Section "other" is skipped, "mixed" has only the key "ours". */
static const struct notes usual = { .skips = " other ",
                                    .shared = " mixed ",
                                    .picked = " ours " };

struct good_case {
  const char *text;
  size_t size;
  const char *expected;
};

static const struct good_case good_cases[] = {
  { TEXT(""), "" },
  { TEXT("\n\n\n"), "" },
  { TEXT("# c\n; c\n"), "" },
  { TEXT("[a]"), "1[a] " },
  { TEXT("[a]\n[b]\n"), "1[a] 2[b] " },
  { TEXT("[a]   \nk=v"), "1[a] 2:k=<v> " },
  { TEXT("k=v"), "1:k=<v> " },
  { TEXT("k = v\n"), "1:k=<v> " },
  { TEXT("k:v\n"), "1:k=<v> " },
  { TEXT("k \t:\t v \t \n"), "1:k=<v> " },
  { TEXT("k=a:b=c\n"), "1:k=<a:b=c> " },
  { TEXT("k:a=b\n"), "1:k=<a=b> " },
  { TEXT("k=\n"), "1:k=<> " },
  { TEXT("k=   \n"), "1:k=<> " },
  { TEXT("k==\n"), "1:k=<=> " },
  { TEXT("k=a ;b\n"), "1:k=<a ;b> " },
  { TEXT("k=a #b\n"), "1:k=<a #b> " },
  { TEXT("k= ;b\n"), "1:k=<;b> " },
  { TEXT("k = #b\n"), "1:k=<#b> " },
  { TEXT("k=[a]\n"), "1:k=<[a]> " },
  { TEXT("k=\" a \"\n"), "1:k=< a > " },
  { TEXT("k='a'\n"), "1:k=<a> " },
  { TEXT("k=''\n"), "1:k=<> " },
  { TEXT("k='\n"), "1:k=<'> " },
  { TEXT("k='a\"\n"), "1:k=<'a\"> " },
  { TEXT("k='a' b\n"), "1:k=<'a' b> " },
  { TEXT("k=''a''\n"), "1:k=<'a'> " },
  { TEXT("k=a\\\nl=b\n"), "1:k=<a\\> 2:l=<b> " },
  { TEXT("k=${HOME} %(x)s\n"), "1:k=<${HOME} %(x)s> " },
  { TEXT("k=a\tb\n"), "1:k=<a\tb> " },
  { TEXT("k=\xC3\xA9\xE2\x82\xAC\n"), "1:k=<\xC3\xA9\xE2\x82\xAC> " },
  { TEXT("k=1\r\nl=2\r\n"), "1:k=<1> 2:l=<2> " },
  { TEXT("[a]\r\nk=1\r\n\r\n"), "1[a] 2:k=<1> " },
  { TEXT("k=1\r"), "1:k=<1> " },
  { TEXT("\xEF\xBB\xBF[a]\nk=1"), "1[a] 2:k=<1> " },
  { TEXT("\xEF\xBB\xBF"), "" },
  { TEXT("k=1\nk=2\n"), "1:k=<1> 2:k=<2> " },
  { TEXT("[a]\nk=1\n[b]\nk=2\n[a]\nk=3\n"),
    "1[a] 2:k=<1> 3[b] 4:k=<2> 5[a] 6:k=<3> " },
  { TEXT("two words = 1\n"), "1:two words=<1> " },
  { TEXT("[a:b c]\n"), "1[a:b c] " },
  { TEXT("[ a ]\n"), "1[ a ] " },
  { TEXT("s=12\nk=13\n"), "1:s=<12> 2:k=<13> " },
  { TEXT("   \n\t\n[a]\n"), "3[a] " },

  /* What is not ours. */
  { TEXT("[other]\nk=1\n[a]\nk=2\n"), "3[a] 4:k=<2> " },
  { TEXT("[other]\n no key\n\tand more\n=\njunk\n[a]\n"), "6[a] " },
  { TEXT("[other]\nk=\xFF\xFE\n\0\n\x01\n[a]\n"), "5[a] " },
  { TEXT("[other]\n  [a]\nk=1\n"), "" },
  { TEXT("[mixed]\nk=\xFF\n  more\njunk\n=\n\0=\nours = 1\n"),
    "1[mixed] 7:ours=<1> " },
  { TEXT("[mixed]\nours=1\n\n  of nothing\n"), "1[mixed] 2:ours=<1> " },
  { TEXT("[mixed]\nours=1\nk=2\n  more\n"), "1[mixed] 2:ours=<1> " },
  { TEXT("[mixed]\nours=1\n# c\n  more\n"), "1[mixed] 2:ours=<1> " },
  { TEXT("[mixed]\nours:1\n# \xFF\n"), "1[mixed] 2:ours=<1> " },
};

Test(ini, every_value_arrives_whole)
{
  size_t i;

  for (i = 0; i < TN_COUNT(good_cases); i++) {
    const struct good_case *c = &good_cases[i];
    struct notes notes = usual;
    tn_err err = TN_ERR_INIT;

    cr_expect_eq(parse(c->text, c->size, &notes, &err), TN_OK,
                 "case %zu: \"%s\": %s", i, c->text, err.message);
    cr_expect_str_eq(tn_strbuf_text(&notes.text), c->expected,
                     "case %zu: \"%s\" gave %s", i, c->text,
                     tn_strbuf_text(&notes.text));
    tn_strbuf_clear(&notes.text);
  }
}

struct bad_case {
  const char *text;
  size_t size;
  const char *message;
  const char *before; /* what was delivered */
};

static const struct bad_case bad_cases[] = {
  { TEXT("k"), "x.ini:1: line of 1 bytes without '='", "" },
  { TEXT("[a]\nk=1\nsecret words\n"), "x.ini:3: line of 12 bytes without '='",
    "1[a] 2:k=<1> " },
  { TEXT("=v"), "x.ini:1: no key before the '='", "" },
  { TEXT(":v"), "x.ini:1: no key before the ':'", "" },
  { TEXT("k=1\n l=2\n"),
    "x.ini:2: line starts with a blank; a value is one "
    "line, and keys and comments start at the margin",
    "1:k=<1> " },
  { TEXT("\tk=1\n"),
    "x.ini:1: line starts with a blank; a value is one line, "
    "and keys and comments start at the margin",
    "" },
  { TEXT("k=1\n  # c\n"),
    "x.ini:2: line starts with a blank; a value is one "
    "line, and keys and comments start at the margin",
    "1:k=<1> " },
  { TEXT("[a\nk=1\n"), "x.ini:1: section header is not closed by ']'", "" },
  { TEXT("[other]\n[a\nk=1\n"), "x.ini:2: section header is not closed by ']'",
    "" },
  { TEXT("["), "x.ini:1: section header is not closed by ']'", "" },
  { TEXT("[]\n"), "x.ini:1: section header without a name", "" },
  { TEXT("[a] # c\n"), "x.ini:1: text after the ']' of a section header", "" },
  { TEXT("[a]]\n"), "x.ini:1: text after the ']' of a section header", "" },
  { TEXT("[a]k=1\n"), "x.ini:1: text after the ']' of a section header", "" },
  { TEXT("k=a\0b\n"),
    "x.ini:1: byte 4 of the line is a control character, 0x00", "" },
  { TEXT("\0"), "x.ini:1: byte 1 of the line is a control character, 0x00",
    "" },
  { TEXT("k=a\rb\n"),
    "x.ini:1: byte 4 of the line is a control character, 0x0D", "" },
  { TEXT("k=a\r\r\n"),
    "x.ini:1: byte 4 of the line is a control character, 0x0D", "" },
  { TEXT("# c\r[a]\rk=1\n"),
    "x.ini:1: byte 4 of the line is a control character, 0x0D", "" },
  { TEXT("k=a\x7F"), "x.ini:1: byte 4 of the line is a control character, 0x7F",
    "" },
  { TEXT("k=\xC2\x9B"),
    "x.ini:1: byte 3 of the line is a control character, 0xC2", "" },
  { TEXT("[a\x1B]"), "x.ini:1: byte 3 of the line is a control character, 0x1B",
    "" },
  { TEXT("k=\xFFz\n"), "x.ini:1: byte 3 of the line is not UTF-8", "" },
  { TEXT("k=\xC3\n"), "x.ini:1: byte 3 of the line is not UTF-8", "" },
  { TEXT("k=\xED\xA0\x80\n"), "x.ini:1: byte 3 of the line is not UTF-8", "" },
  { TEXT("# \xE9\n"), "x.ini:1: byte 3 of the line is not UTF-8", "" },
  { TEXT("\xFF\xFEk\0=\0"), "x.ini:1: byte 1 of the line is not UTF-8", "" },
  { TEXT("[other]\n[\xFF]\n"), "x.ini:2: byte 2 of the line is not UTF-8", "" },
  { TEXT("[mixed]\nours=1\n  more\n"),
    "x.ini:3: line starts with a blank; a value is one line, and keys and "
    "comments start at the margin",
    "1[mixed] 2:ours=<1> " },
  { TEXT("[mixed]\nours=\xFF\n"), "x.ini:2: byte 6 of the line is not UTF-8",
    "1[mixed] " },
  { TEXT("[mixed]\nours\0x=1\n"),
    "x.ini:2: byte 5 of the line is a control character, 0x00", "1[mixed] " },
};

Test(ini, what_cannot_be_read_is_refused_with_its_line)
{
  size_t i;

  for (i = 0; i < TN_COUNT(bad_cases); i++) {
    const struct bad_case *c = &bad_cases[i];
    struct notes notes = usual;
    tn_err err = TN_ERR_INIT;

    cr_expect_eq(parse(c->text, c->size, &notes, &err), TN_E_CONFIG,
                 "case %zu: \"%s\"", i, c->text);
    cr_expect_str_eq(err.message, c->message, "case %zu: \"%s\": %s", i,
                     c->text, err.message);
    cr_expect_str_eq(tn_strbuf_text(&notes.text), c->before,
                     "case %zu: \"%s\" gave %s", i, c->text,
                     tn_strbuf_text(&notes.text));
    tn_strbuf_clear(&notes.text);
  }
}

/* ------------------------------------------------------------------ */
/* Lengths                                                             */

/* `before`, then `count` times `c`, then `after`. */
static char *
repeat(const char *before, char c, size_t count, const char *after)
{
  struct tn_strbuf text = TN_STRBUF_INIT(SIZE_MAX / 2);
  size_t i;

  tn_strbuf_add_text(&text, before);
  for (i = 0; i < count; i++)
    tn_strbuf_add_char(&text, c);
  tn_strbuf_add_text(&text, after);
  return tn_strbuf_take(&text);
}

Test(ini, a_line_of_any_length_up_to_the_limit_arrives_whole)
{
  static const size_t sizes[] = { 197, 198, 199, 200, 201, 1000, 65533, 65534 };
  size_t i;

  for (i = 0; i < TN_COUNT(sizes); i++) {
    struct notes notes = usual;
    tn_err err = TN_ERR_INIT;
    char *text = repeat("k=", 'v', sizes[i], "\nl=2\n");
    char *expected = repeat("1:k=<", 'v', sizes[i], "> 2:l=<2> ");

    cr_expect_eq(parse(text, strlen(text), &notes, &err), TN_OK, "%zu: %s",
                 sizes[i], err.message);
    cr_expect(strcmp(tn_strbuf_text(&notes.text), expected) == 0, "%zu",
              sizes[i]);
    tn_strbuf_clear(&notes.text);
    tn_memory_free(text);
    tn_memory_free(expected);
  }
}

Test(ini, a_long_value_with_every_mark_in_it_arrives_whole)
{
  struct notes notes = usual;
  struct tn_strbuf text = TN_STRBUF_INIT(SIZE_MAX / 2);
  struct tn_strbuf expected = TN_STRBUF_INIT(SIZE_MAX / 2);
  tn_err err = TN_ERR_INIT;
  size_t i;

  tn_strbuf_add_text(&text, "[a]\nk = ");
  tn_strbuf_add_text(&expected, "1[a] 2:k=<");
  for (i = 0; i < 3000; i++) {
    tn_strbuf_add_format(&text, "%zu ;#\"'=:[x]", i);
    tn_strbuf_add_format(&expected, "%zu ;#\"'=:[x]", i);
  }
  tn_strbuf_add_text(&text, "  \n");
  tn_strbuf_add_text(&expected, "> ");

  cr_assert_eq(parse(tn_strbuf_text(&text), text.size, &notes, &err), TN_OK,
               "%s", err.message);
  cr_expect(strcmp(tn_strbuf_text(&notes.text), tn_strbuf_text(&expected)) ==
            0);
  tn_strbuf_clear(&notes.text);
  tn_strbuf_clear(&text);
  tn_strbuf_clear(&expected);
}

Test(ini, a_line_over_the_limit_is_refused_in_a_wanted_section_only)
{
  char *ours = repeat("[a]\nk=", 'v', 65535, "\n");
  char *theirs = repeat("[other]\nk=", 'v', 300000, "\n[a]\nk=1");
  char *comment = repeat("#", 'c', 65536, "\n");
  char *key = repeat("", 'k', 65536, "=");
  struct notes notes = usual;
  tn_err err = TN_ERR_INIT;

  cr_expect_eq(parse(ours, strlen(ours), &notes, &err), TN_E_CONFIG);
  cr_expect_str_eq(err.message,
                   "x.ini:2: line of 65537 bytes, more than 65536");
  cr_expect_eq(parse(comment, strlen(comment), &notes, &err), TN_E_CONFIG);
  cr_expect_eq(parse(key, strlen(key), &notes, &err), TN_E_CONFIG);
  tn_strbuf_clear(&notes.text);
  cr_expect_eq(parse(theirs, strlen(theirs), &notes, &err), TN_OK);
  cr_expect_str_eq(tn_strbuf_text(&notes.text), "3[a] 4:k=<1> ");

  tn_strbuf_clear(&notes.text);
  tn_memory_free(ours);
  tn_memory_free(theirs);
  tn_memory_free(comment);
  tn_memory_free(key);
}

Test(ini, long_names_of_keys_and_sections_arrive_whole)
{
  /* inih keeps 49 bytes of either. */
  char *text = repeat("[a", 's', 500,
                      "]\nkey_key_key_key_key_key_key_key_key_"
                      "key_key_key_key_key_key_key_key=1\n");
  char *expected = repeat("1[a", 's', 500,
                          "] 2:key_key_key_key_key_key_key_key_key_"
                          "key_key_key_key_key_key_key_key=<1> ");
  struct notes notes = { 0 };

  cr_expect_eq(parse(text, strlen(text), &notes, NULL), TN_OK);
  cr_expect_str_eq(tn_strbuf_text(&notes.text), expected);
  tn_strbuf_clear(&notes.text);
  tn_memory_free(text);
  tn_memory_free(expected);
}

Test(ini, many_lines_are_numbered_to_the_end)
{
  struct tn_strbuf text = TN_STRBUF_INIT(SIZE_MAX / 2);
  struct notes notes = usual;
  tn_err err = TN_ERR_INIT;
  size_t i;

  for (i = 1; i < 100000; i++)
    tn_strbuf_add_text(&text, i % 2 == 0 ? "k=1\n" : "# c\n");
  tn_strbuf_add_text(&text, "bad");
  cr_expect_eq(parse(tn_strbuf_text(&text), text.size, &notes, &err),
               TN_E_CONFIG);
  cr_expect_str_eq(err.message, "x.ini:100000: line of 3 bytes without '='");
  tn_strbuf_clear(&notes.text);
  tn_strbuf_clear(&text);
}

/* ------------------------------------------------------------------ */
/* inih                                                                */

Test(ini, inih_is_the_parser_and_sees_short_lines_only)
{
  char *text = repeat("[a]\n# c\nk=", 'v', 60000, " ;x\n[other]\nl=1\n[b]\n");
  struct notes notes = usual;

  cr_expect_eq(parse(text, strlen(text), &notes, NULL), TN_OK);
  cr_expect_eq(watch.calls, 1);
  cr_expect_eq(watch.lines, 5, "two for each header, one for the key");
  cr_expect_eq(watch.reported, 3);
  cr_expect_leq(watch.longest, 15);
  tn_strbuf_clear(&notes.text);
  tn_memory_free(text);
}

Test(ini, an_inih_that_does_not_report_what_it_got_is_found_out)
{
  static const enum fault faults[] = {
    LOSES_A_LINE,         CHANGES_A_VALUE,    CHANGES_A_KEY,
    CHANGES_A_SECTION,    REPEATS_A_LINE,     REPORTS_A_BAD_LINE,
    STOPS_AFTER_A_HEADER, STOPS_AFTER_A_LINE, STOPS_AND_LOSES_A_LINE
  };
  static const char text[] = "[a]\nk=1\n[b]\nk=2\n";
  size_t i;

  for (i = 0; i < TN_COUNT(faults); i++) {
    struct notes notes = usual;
    tn_err err = TN_ERR_INIT;

    watch = (struct watch){ .fault = faults[i] };
    cr_expect_eq(parse(text, sizeof(text) - 1, &notes, &err), TN_E_INTERNAL,
                 "fault %zu", i);
    cr_expect_not_null(strstr(err.message, "inih did not report"), "fault %zu",
                       i);
    tn_strbuf_clear(&notes.text);
  }
}

Test(ini, a_lost_last_line_is_found_out)
{
  struct notes notes = usual;

  watch.fault = LOSES_A_LINE;
  cr_expect_eq(parse("k=1", 3, &notes, NULL), TN_E_INTERNAL);
}

Test(ini, an_inih_that_reports_headers_is_understood)
{
  struct notes notes = usual;

  watch.fault = REPORTS_HEADERS;
  cr_expect_eq(parse("[a]\nk=1", 7, &notes, NULL), TN_OK);
  cr_expect_str_eq(tn_strbuf_text(&notes.text), "1[a] 2:k=<1> ");
  tn_strbuf_clear(&notes.text);
}

Test(ini, an_inih_without_memory_gives_that_code)
{
  struct notes notes = usual;
  tn_err err = TN_ERR_INIT;

  watch.fault = HAS_NO_MEMORY;
  cr_expect_eq(parse("", 0, &notes, &err), TN_E_MEMORY);
  cr_expect_str_eq(err.message, "x.ini: out of memory");
}

/* ------------------------------------------------------------------ */
/* The reader                                                          */

Test(ini, the_reader_ends_the_parse_with_its_own_code)
{
  struct notes notes = usual;
  tn_err err = TN_ERR_INIT;

  notes.refused = "l";
  cr_expect_eq(parse("k=1\nl=2\nm=3\n", 12, &notes, &err), TN_E_LIMIT);
  cr_expect_str_eq(err.message, "enough");
  cr_expect_str_eq(tn_strbuf_text(&notes.text), "1:k=<1> 2:l=<2> ");
  tn_strbuf_clear(&notes.text);
}

Test(ini, lines_before_the_first_section_can_be_skipped_too)
{
  struct notes notes = { .skips = " none " };

  cr_expect_eq(parse("junk\n=\n[a]\nk=1", 14, &notes, NULL), TN_OK);
  cr_expect_str_eq(tn_strbuf_text(&notes.text), "3[a] 4:k=<1> ");
  tn_strbuf_clear(&notes.text);
}

Test(ini, the_slot_for_shared_sections_is_optional)
{
  struct notes notes = { .text = TN_STRBUF_INIT(1000) };
  const struct tn_ini_reader reader = { .wants = wants,
                                        .item = item,
                                        .user = &notes };

  cr_expect_eq(tn_ini_parse("[mixed]\nk=1", 11, "x.ini", &reader, NULL), TN_OK);
  cr_expect_str_eq(tn_strbuf_text(&notes.text), "1[mixed] 2:k=<1> ");
  tn_strbuf_clear(&notes.text);
}

Test(ini, the_text_is_not_touched)
{
  char text[] = "[a]\nk = 'v'  \n";
  char kept[sizeof(text)];
  struct notes notes = usual;

  memcpy(kept, text, sizeof(text));
  cr_expect_eq(parse(text, sizeof(text) - 1, &notes, NULL), TN_OK);
  cr_expect_arr_eq(text, kept, sizeof(text));
  tn_strbuf_clear(&notes.text);
}

static enum tn_code
nothing(void *user, const struct tn_ini_item *found, tn_err *err)
{
  (void)user;
  (void)found;
  (void)err;
  return TN_OK;
}

Test(ini, want_of_memory_is_an_error)
{
  struct notes notes = usual;
  const struct tn_ini_reader reader = { .wants = wants,
                                        .item = nothing,
                                        .user = &notes };
  tn_err err = TN_ERR_INIT;
  long nth;

  for (nth = 1; nth < 100; nth++) {
    enum tn_code code;

    oom_fail_nth(nth, false);
    code = tn_ini_parse("[a]\nk=1", 7, "x.ini", &reader, &err);
    cr_expect_eq(oom_live(), 0, "allocation %ld", nth);
    if (code == TN_OK)
      break;
    cr_expect_eq(code, TN_E_MEMORY, "allocation %ld", nth);
  }
  oom_reset();
  cr_expect(nth > 1 && nth < 100);
}
