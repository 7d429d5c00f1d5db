/* Questions about bytes that are meant to be text. */
#include "text.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

/* What RFC 3629 says, by way of the code point. */
static bool
reference_is_character(const unsigned char *bytes, size_t size)
{
  static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
  uint32_t code;

  if (size == 1)
    return bytes[0] < 0x80;
  if (size == 2 && (bytes[0] & 0xE0) == 0xC0)
    code = bytes[0] & 0x1F;
  else if (size == 3 && (bytes[0] & 0xF0) == 0xE0)
    code = bytes[0] & 0x0F;
  else if (size == 4 && (bytes[0] & 0xF8) == 0xF0)
    code = bytes[0] & 0x07;
  else
    return false;
  for (size_t i = 1; i < size; i++) {
    if ((bytes[i] & 0xC0) != 0x80)
      return false;
    code = code << 6 | (bytes[i] & 0x3F);
  }
  return code >= least[size] && code <= 0x10FFFF &&
         (code < 0xD800 || code > 0xDFFF);
}

Test(text, every_sequence_of_two_and_three_bytes_is_judged_as_the_rfc_says)
{
  for (unsigned a = 0x80; a < 0x100; a++) {
    for (unsigned b = 0; b < 0x100; b++) {
      unsigned char two[] = { (unsigned char)a, (unsigned char)b };

      if (tn_text_is_utf8((char *)two, 2, NULL) !=
          reference_is_character(two, 2))
        cr_assert_fail("%02x %02x", a, b);
      for (unsigned c = 0x70; c < 0xD0; c++) {
        unsigned char three[] = { (unsigned char)a, (unsigned char)b,
                                  (unsigned char)c };
        bool is_text = reference_is_character(three, 3) ||
                       (reference_is_character(two, 2) && c < 0x80);

        if (tn_text_is_utf8((char *)three, 3, NULL) != is_text)
          cr_assert_fail("%02x %02x %02x", a, b, c);
      }
    }
  }
}

Test(text, sequences_of_four_bytes_are_judged_as_the_rfc_says)
{
  static const unsigned char edges[] = { 0x00, 0x7F, 0x80, 0x8F, 0x90,
                                         0x9F, 0xA0, 0xBF, 0xC0, 0xFF };

  for (unsigned a = 0xEF; a < 0x100; a++) {
    for (unsigned b = 0; b < 0x100; b++) {
      for (size_t i = 0; i < 100; i++) {
        unsigned char four[] = { (unsigned char)a, (unsigned char)b,
                                 edges[i / 10], edges[i % 10] };
        bool is_text =
            reference_is_character(four, 4) ||
            (reference_is_character(four, 3) && edges[i % 10] < 0x80);

        if (tn_text_is_utf8((char *)four, 4, NULL) != is_text)
          cr_assert_fail("%02x %02x %02x %02x", a, b, four[2], four[3]);
      }
    }
  }
}

struct utf8_case {
  const char *text;
  size_t size;
  size_t offset; /* of the first bad byte; SIZE_MAX: well-formed */
};

static const struct utf8_case utf8_cases[] = {
  { "", 0, SIZE_MAX },
  { "abc", 3, SIZE_MAX },
  { "a\0b", 3, SIZE_MAX },
  { "12345678", 8, SIZE_MAX },
  { "1234567890123456789", 19, SIZE_MAX },
  { "gr\xC3\xBC\xC3\x9F", 6, SIZE_MAX },
  { "1234567\xC3\xBC", 9, SIZE_MAX },
  { "\xF0\x9F\x98\x80", 4, SIZE_MAX },
  { "\xF4\x8F\xBF\xBF", 4, SIZE_MAX },
  { "\xEF\xBF\xBF", 3, SIZE_MAX },
  { "\xC3", 1, 0 },
  { "ab\xC3", 3, 2 },
  { "\xF0\x9F\x98", 3, 0 },
  { "12345678\x80", 9, 8 },
  { "1234567\xFF", 8, 7 },
  { "12345678901234567\xFFxyz", 21, 17 },
  { "a\xC0\x80", 3, 1 },
  { "a\xED\xA0\x80", 4, 1 },
  { "a\xF4\x90\x80\x80", 5, 1 },
  { "a\xF8\x88\x80\x80\x80", 6, 1 },
  { "\xC3\xBC\xC3\xBC\xC3", 5, 4 },
};

/* In a block of exactly the size, so that ASan sees a byte read past it. */
Test(text, the_first_bad_byte_is_told)
{
  for (size_t i = 0; i < TN_COUNT(utf8_cases); i++) {
    const struct utf8_case *c = &utf8_cases[i];
    char *text = malloc(c->size > 0 ? c->size : 1);
    size_t offset = 777;
    bool is_text;

    cr_assert_not_null(text);
    memcpy(text, c->text, c->size);
    is_text = tn_text_is_utf8(text, c->size, &offset);
    cr_expect_eq(is_text, c->offset == SIZE_MAX, "case %zu: \"%s\"", i,
                 c->text);
    cr_expect_eq(offset, is_text ? 777 : c->offset, "case %zu: \"%s\": %zu", i,
                 c->text, offset);
    free(text);
  }
}

Test(text, case_is_that_of_ascii_letters_only)
{
  cr_expect(tn_text_equal_nocase("", ""));
  cr_expect(tn_text_equal_nocase("PostgreSQL", "postgresql"));
  cr_expect(tn_text_equal_nocase("a_1-Z", "A_1-z"));
  cr_expect_not(tn_text_equal_nocase("abc", "abcd"));
  cr_expect_not(tn_text_equal_nocase("abcd", "abc"));
  cr_expect_not(tn_text_equal_nocase("", "a"));
  cr_expect_not(tn_text_equal_nocase("[", "{"), "0x5B and 0x7B");
  cr_expect_not(tn_text_equal_nocase("@", "`"), "0x40 and 0x60");
  cr_expect_not(tn_text_equal_nocase("\xC3\x84", "\xC3\xA4"));
}

static void
check_classes(void)
{
  for (int i = 0; i < 256; i++) {
    char c = (char)i;
    bool is_upper = i >= 'A' && i <= 'Z', is_lower = i >= 'a' && i <= 'z';

    cr_expect_eq(tn_text_is_space(c), i == 32 || (i >= 9 && i <= 13), "%d", i);
    cr_expect_eq(tn_text_is_digit(c), i >= '0' && i <= '9', "%d", i);
    cr_expect_eq(tn_text_is_alpha(c), is_upper || is_lower, "%d", i);
    cr_expect_eq(tn_text_lower(c), is_upper ? (char)(i + 32) : c, "%d", i);
  }
}

Test(text, classes_of_characters_do_not_depend_on_the_locale)
{
  check_classes();
  setlocale(LC_ALL, "");
  if (setlocale(LC_ALL, "tr_TR.UTF-8") != NULL ||
      setlocale(LC_ALL, "de_DE.ISO-8859-1") != NULL)
    check_classes();
}

Test(text, hexadecimal_digits_have_values)
{
  static const char digits[] = "0123456789abcdef0123456789ABCDEF";
  int valid = 0;

  for (int i = 0; i < 32; i++)
    cr_expect_eq(tn_text_hex(digits[i]), i % 16, "%c", digits[i]);
  for (int i = 0; i < 256; i++)
    valid += tn_text_hex((char)i) >= 0;
  cr_expect_eq(valid, 22);
}

struct suggestion_case {
  const char *wanted;
  const char *best;
};

static const char *const options[] = { "connection",   "max_pool_size",
                                       "max_overflow", "pool_timeout",
                                       "echo",         "a" };

static const struct suggestion_case suggestion_cases[] = {
  { "conection", "connection" },
  { "connectoin", "connection" },
  { "CONNECTION", "connection" },
  { "max_pool_sise", "max_pool_size" },
  { "maxpoolsize", "max_pool_size" },
  { "max_overflw", "max_overflow" },
  { "ehco", "echo" },
  { "eco", "echo" },
  { "exxo", NULL },
  { "b", "a" },
  { "", NULL },
  { "something_else", NULL },
  { "qqqq_pool_timeout", NULL },
  { "qqq_pool_timeout", NULL },
  { "qq_pool_timeout", "pool_timeout" },
  { "pool_timeout0123456789012345678901234567890123456789012345678901234",
    NULL },
};

Test(text, the_nearest_word_is_suggested)
{
  for (size_t i = 0; i < TN_COUNT(suggestion_cases); i++) {
    const struct suggestion_case *c = &suggestion_cases[i];
    struct tn_suggestion suggestion = { .wanted = c->wanted };
    const char *best;

    for (size_t j = 0; j < TN_COUNT(options); j++)
      tn_suggestion_offer(&suggestion, options[j]);
    best = suggestion.best != NULL ? suggestion.best : "(none)";
    cr_expect_str_eq(best, c->best != NULL ? c->best : "(none)",
                     "case %zu: \"%s\": %s", i, c->wanted, best);
  }
}

Test(text, of_words_equally_near_the_first_is_suggested_and_a_nearer_one_wins)
{
  struct tn_suggestion suggestion = { .wanted = "abcdef" };

  tn_suggestion_offer(&suggestion, "abcdxx");
  cr_expect_eq(suggestion.distance, 2);
  tn_suggestion_offer(&suggestion, "xxcdef");
  cr_expect_str_eq(suggestion.best, "abcdxx");
  tn_suggestion_offer(&suggestion, "abdcef");
  cr_expect_str_eq(suggestion.best, "abdcef", "a swap counts one");
  cr_expect_eq(suggestion.distance, 1);
  tn_suggestion_offer(&suggestion, "abcdef");
  cr_expect_eq(suggestion.distance, 0);
}

Test(text, words_at_the_longest_size_are_compared_within_bounds)
{
  char wanted[66], candidate[66];

  for (size_t size = 63; size <= 65; size++) {
    struct tn_suggestion suggestion = { .wanted = wanted };

    memset(wanted, 'a', size);
    memset(candidate, 'a', size);
    wanted[size] = candidate[size] = '\0';
    candidate[size - 1] = 'b';
    tn_suggestion_offer(&suggestion, candidate);
    cr_expect_eq(suggestion.best != NULL, size <= 64, "size %zu", size);
  }
}

struct escape_case {
  const char *text;
  size_t size;
  size_t capacity;
  const char *escaped;
};

static const struct escape_case escape_cases[] = {
  { "", 0, 1, "" },
  { "abc", 3, 10, "abc" },
  { "a\\b\"", 4, 10, "a\\b\"" },
  { "gr\xC3\xBC", 4, 10, "gr\xC3\xBC" },
  { "a\nb", 3, 10, "a\\x0ab" },
  { "\r\n", 2, 10, "\\x0d\\x0a" },
  { "\t\x7F", 2, 10, "\\x09\\x7f" },
  { "a\0b", 3, 10, "a\\x00b" },
  { "\xFF", 1, 10, "\\xff" },
  { "a\xC3", 2, 10, "a\\xc3" },
  { "\xED\xA0\x80", 3, 20, "\\xed\\xa0\\x80" },
  { "\xC2\x9B"
    "1m",
    4, 20, "\\xc2\\x9b1m" }, /* CSI in one character */
  { "\xC2\xA0", 2, 20, "\xC2\xA0" },
  { "abcdefgh", 8, 9, "abcdefgh" },
  { "abcdefghi", 9, 9, "abcde..." },
  { "abcd\n", 5, 9, "abcd\\x0a" },
  { "abcd\nx", 6, 9, "abcd..." },
  { "ab\nxyzw", 7, 9, "ab..." },
  { "abcd\xC3\xBC\xC3\xBC", 8, 9, "abcd\xC3\xBC\xC3\xBC" },
  { "abcd\xC3\xBC\xC3\xBCx", 9, 9, "abcd..." },
  { "\xF0\x9F\x98\x80\xF0\x9F\x98\x80x", 9, 9, "\xF0\x9F\x98\x80..." },
  { "ab", 2, 3, "ab" },
  { "abc", 3, 4, "abc" },
  { "abcd", 4, 4, "..." },
  { "abcd", 4, 3, "ab" }, /* no room for the ellipsis */
  { "\xC3\xBC\xC3\xBC", 4, 4, "..." },
  { "abcd", 4, 1, "" },
};

Test(text, control_characters_and_bad_bytes_are_escaped_and_cuts_are_clean)
{
  for (size_t i = 0; i < TN_COUNT(escape_cases); i++) {
    const struct escape_case *c = &escape_cases[i];
    char *out = malloc(c->capacity);
    char *text = malloc(c->size > 0 ? c->size : 1);

    cr_assert(out != NULL && text != NULL);
    memcpy(text, c->text, c->size);
    tn_text_escape(text, c->size, out, c->capacity);
    cr_expect_str_eq(out, c->escaped, "case %zu: \"%s\": \"%s\"", i, c->text,
                     out);
    free(text);
    free(out);
  }
}

Test(text, escaping_into_no_room_writes_nothing)
{
  char out[2] = "z";

  tn_text_escape("abc", 3, out, 0);
  tn_text_escape_lines("abc", 3, out, 0);
  cr_expect_str_eq(out, "z");
}

Test(text, every_capacity_gives_text_that_fits_and_is_well_formed)
{
  static const char text[] = "a\xC3\xBC\n\xE2\x82\xAC\xFF\xF0\x9F\x98\x80 end";
  char whole[100];

  tn_text_escape(text, strlen(text), whole, sizeof(whole));
  for (size_t capacity = 1; capacity < 40; capacity++) {
    char *out = malloc(capacity);
    size_t size;

    cr_assert_not_null(out);
    tn_text_escape(text, strlen(text), out, capacity);
    size = strlen(out);
    cr_assert_lt(size, capacity);
    cr_assert(tn_text_is_utf8(out, size, NULL), "capacity %zu: %s", capacity,
              out);
    if (strlen(whole) < capacity)
      cr_assert_str_eq(out, whole);
    else if (capacity > 3)
      cr_assert_str_eq(out + size - 3, "...", "capacity %zu: %s", capacity,
                       out);
    free(out);
  }
}

Test(text, lines_are_kept_where_they_are_wanted)
{
  static const char text[] = "one\r\ntwo\n\nt\x1bhree\rfour\r";
  char out[100], again[100];

  tn_text_escape_lines(text, strlen(text), out, sizeof(out));
  cr_expect_str_eq(out, "one\ntwo\n\nt\\x1bhree\\x0dfour\\x0d");
  tn_text_escape_lines(out, strlen(out), again, sizeof(again));
  cr_expect_str_eq(again, out, "escaping twice changes nothing");
}
