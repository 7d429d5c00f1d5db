/* Unit tests of what a parsed URL is asked: options by name, its text with and
 * without secrets, equality, another password; and, with random URLs, that what
 * is printed parses back. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tenon/url.h>

#include "base_priv.h"

/* A password that shares no four bytes with anything else here. */
#define CANARY "Xq7ZvKw9Jd"

enum {
  PROPERTY_ROUNDS = 100000,
  PART_MAX = 12, /* bytes of a random part */
  OPTIONS_MAX = 6,
};

static tn_url *
parse(const char *text)
{
  tn_url *url = NULL;
  tn_err err = TN_ERR_INIT;

  cr_assert_eq(tn_url_parse(text, &url, &err), TN_OK, "\"%s\": %s", text,
               err.message);
  cr_assert_not_null(url);
  return url;
}

/* The whole URL, released with free(). */
static char *
print(const tn_url *url, uint32_t flags)
{
  size_t length = tn_url_print(url, flags, NULL, 0);
  char *text = malloc(length + 1);

  cr_assert_not_null(text);
  cr_assert_eq(tn_url_print(url, flags, text, length + 1), length);
  cr_assert_eq(strlen(text), length);
  return text;
}

Test(url_print, an_option_is_found_by_its_exact_name)
{
  tn_url *url = parse("d://h/x?zz=1&a=2&m=3&A=4&port=5&host=g");
  tn_url *bare = parse("d://h");

  cr_expect_str_eq(tn_url_option(url, "zz"), "1");
  cr_expect_str_eq(tn_url_option(url, "a"), "2");
  cr_expect_str_eq(tn_url_option(url, "m"), "3");
  cr_expect_str_eq(tn_url_option(url, "A"), "4");
  cr_expect_null(tn_url_option(url, "z"));
  cr_expect_null(tn_url_option(url, "zzz"));
  cr_expect_null(tn_url_option(url, ""));
  cr_expect_null(tn_url_option(url, "host"));
  cr_expect_null(tn_url_option(url, "port"));
  cr_expect_null(tn_url_option(bare, "a"));
  tn_url_free(&url);
  tn_url_free(&bare);
}

static const struct {
  const char *text;
  const char *shown;
  const char *hidden; /* NULL: the same */
} printed[] = {
  { "sqlite://", "sqlite://", NULL },
  { "sqlite:////a/b c.db", "sqlite:////a/b%20c.db", NULL },
  { "sqlite:///C:\\x", "sqlite:///C:\\x", NULL },
  { "sqlite:///file:x%3Fy%2541.db?uri=true",
    "sqlite:///file:x%3Fy%2541.db?uri=true", NULL },
  { "D+E://U:p@h:0001/X?b=1&a=2", "d+e://U:p@h:1/X?b=1&a=2",
    "d+e://U:***@h:1/X?b=1&a=2" },
  { "d://u:@h", "d://u:@h", "d://u:***@h" },
  { "d://:p@h", "d://:p@h", "d://:***@h" },
  { "d://u:a/b?c#d@h", "d://u:a%2Fb%3Fc%23d@h", "d://u:***@h" },
  { "d://u@h", "d://u@h", NULL },
  { "d://u:b@c:d+e@[::1]:1/x", "d://u:b%40c%3Ad%2Be@[::1]:1/x",
    "d://u:***@[::1]:1/x" },
  { "d://[fe80::1%25eth0]/", "d://[fe80::1%25eth0]/", NULL },
  { "d:///x?host=/run/a", "d:///x?host=/run/a", NULL },
  { "d:///?host=/run/a:1&port=5", "d:///?host=/run/a:1&port=5", NULL },
  { "d://h:1?host=/a&host=b", "d://h:1?host=/a&host=b", NULL },
  { "d://h/?host=/a&host=b:2", "d://h,%2Fa,b:2/", NULL },
  { "d:///?host=/a&host=b,[::1]&port=1,2,3",
    "d:///?host=/a&port=1&host=b&port=2&host=[::1]&port=3", NULL },
  { "d:///?host=a:1&host=b:2", "d://a:1,b:2/", NULL },
  { "d:///x?port=5", "d://:5/x", NULL },
  { "d:///x?a+b=c+d%2b%26%3d%C3%A9", "d:///x?a%2Bb=c%20d%2B%26%3D\xc3\xa9",
    NULL },
  { "d:///x?password=s1&PassWord2=s2&passwd=s3&pwd=s4&sslpassword=s5"
    "&my_password=s6&client_secret_x=s7&TOKEN=s8&passphrase=s9&pass=x&toke=y",
    "d:///x?password=s1&PassWord2=s2&passwd=s3&pwd=s4&sslpassword=s5"
    "&my_password=s6&client_secret_x=s7&TOKEN=s8&passphrase=s9&pass=x&toke=y",
    "d:///x?password=***&PassWord2=***&passwd=***&pwd=***&sslpassword=***"
    "&my_password=***&client_secret_x=***&TOKEN=***&passphrase=***&pass=x"
    "&toke=y" },
};

Test(url_print, printing_shows_or_hides_the_secrets)
{
  size_t i;

  for (i = 0; i < TN_COUNT(printed); i++) {
    tn_url *url = parse(printed[i].text);
    char *shown = print(url, TN_URL_PASSWORD);
    char *hidden = print(url, 0);

    cr_expect_str_eq(shown, printed[i].shown, "case %zu: \"%s\"", i, shown);
    cr_expect_str_eq(hidden,
                     printed[i].hidden == NULL ? printed[i].shown
                                               : printed[i].hidden,
                     "case %zu: \"%s\"", i, hidden);
    free(shown);
    free(hidden);
    tn_url_free(&url);
  }
}

Test(url_print, printing_into_a_short_buffer_cuts_and_tells_the_length)
{
  static const char text[] = "d://u:p@h/x";
  tn_url *url = parse(text);
  char buffer[sizeof text + 1];
  size_t size;

  for (size = 1; size <= sizeof buffer; size++) {
    size_t fits = size - 1 < strlen(text) ? size - 1 : strlen(text);

    memset(buffer, '#', sizeof buffer);
    cr_expect_eq(tn_url_print(url, TN_URL_PASSWORD, buffer, size),
                 strlen(text));
    cr_expect_eq(strlen(buffer), fits, "size %zu", size);
    cr_expect_eq(memcmp(buffer, text, fits), 0, "size %zu", size);
    cr_expect(size == sizeof buffer || buffer[size] == '#', "size %zu", size);
  }
  tn_url_free(&url);
}

static const struct {
  const char *a;
  const char *b;
  bool equal;
} pairs[] = {
  { "d://u:p@h:1/x?a=1&b=2", "D://u:%70@%68:01/x?b=2&a=1", true },
  { "d://h/x?host=g", "d://h,g/x", true },
  { "d://h/x?port=1", "d://h:1/x", true },
  { "d:///x?a=1+2", "d:///x?a=1%202", true },
  { "d://h", "e://h", false },
  { "d+e://h", "d://h", false },
  { "d+e://h", "d+f://h", false },
  { "d://u@h", "d://U@h", false },
  { "d://u@h", "d://h", false },
  { "d://u:p@h", "d://u:q@h", false },
  { "d://u:@h", "d://u@h", false },
  { "d://a,b/", "d://b,a/", false },
  { "d://a,b/", "d://a/", false },
  { "d://a:1/", "d://a/", false },
  { "d://a", "d://a/", false },
  { "d:///x", "d:///y", false },
  { "d:///x?a=1", "d:///x", false },
  { "d:///x?a=1", "d:///x?a=2", false },
  { "d:///x?a=1", "d:///x?b=1", false },
};

Test(url_print, urls_are_equal_if_all_parts_are_whatever_the_order_of_options)
{
  size_t i;

  for (i = 0; i < TN_COUNT(pairs); i++) {
    tn_url *a = parse(pairs[i].a);
    tn_url *b = parse(pairs[i].b);

    cr_expect_eq(tn_url_equal(a, b) != 0, pairs[i].equal, "case %zu: %s %s", i,
                 pairs[i].a, pairs[i].b);
    cr_expect_eq(tn_url_equal(b, a) != 0, pairs[i].equal, "case %zu", i);
    cr_expect(tn_url_equal(a, a));
    cr_expect_not(tn_url_equal(a, NULL));
    tn_url_free(&a);
    tn_url_free(&b);
  }
}

/* Does `text` contain four bytes in a row of the canary? */
static bool
has_piece_of_canary(const char *text)
{
  size_t i;

  for (i = 0; i + 4 <= strlen(CANARY); i++) {
    char piece[5] = { 0 };

    memcpy(piece, &CANARY[i], 4);
    if (strstr(text, piece) != NULL)
      return true;
  }
  return false;
}

static void
expect_printed(const tn_url *url, const char *expected)
{
  char *text = print(url, TN_URL_PASSWORD);

  cr_expect_str_eq(text, expected);
  free(text);
}

Test(url_print, the_password_can_be_replaced_and_removed)
{
  tn_url *url = parse("d://u:old@h");
  tn_url *copy = NULL;

  cr_expect_eq(tn_url_set_password(url, "n/e@w", NULL), TN_OK);
  cr_expect_str_eq(tn_url_password(url), "n/e@w");
  expect_printed(url, "d://u:n%2Fe%40w@h");
  cr_assert_eq(tn_url_copy(url, &copy, NULL), TN_OK);
  cr_expect(tn_url_equal(url, copy));
  cr_expect_eq(tn_url_set_password(url, tn_url_password(url), NULL), TN_OK);
  cr_expect_str_eq(tn_url_password(url), "n/e@w");
  cr_expect_eq(tn_url_set_password(url, NULL, NULL), TN_OK);
  cr_expect_null(tn_url_password(url));
  expect_printed(url, "d://u@h");
  cr_expect_str_eq(tn_url_password(copy), "n/e@w");
  tn_url_free(&url);
  tn_url_free(&copy);
}

Test(url_print, a_password_without_a_user_gets_an_empty_user)
{
  tn_url *url = parse("d://h");
  tn_url *copy = NULL;

  cr_assert_eq(tn_url_set_password(url, "p", NULL), TN_OK);
  expect_printed(url, "d://:p@h");
  cr_assert_eq(tn_url_copy(url, &copy, NULL), TN_OK);
  cr_expect(tn_url_equal(url, copy));
  tn_url_free(&url);
  tn_url_free(&copy);
}

Test(url_print,
     a_password_that_no_url_can_have_is_refused_and_the_old_one_stays)
{
  static const char *const refused[] = { CANARY "\n", CANARY "\x7f",
                                         CANARY "\xff", CANARY "\xc2\x80" };
  tn_url *url = parse("d://u:old@h");
  char *longer = malloc(TN_URL_MAX + 1);
  size_t i;

  for (i = 0; i < TN_COUNT(refused); i++) {
    tn_err err = TN_ERR_INIT;

    cr_expect_eq(tn_url_set_password(url, refused[i], &err), TN_E_CONFIG,
                 "case %zu", i);
    cr_expect_not(has_piece_of_canary(err.message), "%s", err.message);
  }
  memset(longer, 'x', TN_URL_MAX);
  longer[TN_URL_MAX] = '\0';
  cr_expect_eq(tn_url_set_password(url, longer, NULL), TN_E_CONFIG);
  longer[TN_URL_MAX - strlen("d://u:@h")] = '\0';
  cr_expect_str_eq(tn_url_password(url), "old");
  cr_expect_eq(tn_url_set_password(url, longer, NULL), TN_OK);
  free(longer);
  tn_url_free(&url);
}

/* --- Random URLs ----------------------------------------------------------*/

static uint64_t random_state = UINT64_C(0x9e3779b97f4a7c15);

static unsigned
random_below(unsigned limit)
{
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (unsigned)(random_state >> 33) % limit;
}

/* 0 to PART_MAX bytes of characters with a meaning in URLs, and others. */
static void
random_part(char *out)
{
  static const char *const pieces[] = {
    "a", "Z", "0", "/", "\\", ":", "@", "?", "#",        "[",
    "]", "%", "&", "=", "+",  " ", ",", ";", "\xc3\xa9", "%41",
  };
  size_t count = random_below(PART_MAX / 3);

  for (*out = '\0'; count > 0; count--)
    strcat(out, pieces[random_below(TN_COUNT(pieces))]);
}

/* Escape all but letters, and some of these too. */
static void
append_escaped(char *text, const char *part)
{
  for (; *part != '\0'; part++) {
    unsigned char c = (unsigned char)*part;
    bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

    if (is_letter && random_below(8) != 0)
      sprintf(text + strlen(text), "%c", c);
    else
      sprintf(text + strlen(text), "%%%02x", c);
  }
}

struct random_option {
  char name[PART_MAX + 8];
  char value[PART_MAX + 1];
};

static void
random_option(struct random_option *option, size_t index)
{
  char part[PART_MAX + 1];

  random_part(part);
  snprintf(option->name, sizeof option->name, "%zu%s", index, part);
  random_part(option->value);
}

static void
check_option(const tn_url *url, const struct random_option *option,
             const char *text)
{
  const char *value = tn_url_option(url, option->name);

  cr_assert_not_null(value, "\"%s\": %s", text, option->name);
  cr_assert_str_eq(value, option->value, "\"%s\": %s", text, option->name);
}

Test(url_print, random_urls_survive_being_built_parsed_printed_and_parsed)
{
  unsigned round;

  for (round = 0; round < PROPERTY_ROUNDS; round++) {
    struct random_option options[OPTIONS_MAX];
    size_t count = random_below(OPTIONS_MAX + 1);
    char user[PART_MAX + 1], password[PART_MAX + 1], database[PART_MAX + 1];
    char text[2048] = "d://";
    tn_url *url, *again;
    char *printed_text;
    size_t i;

    random_part(user);
    random_part(password);
    random_part(database);
    append_escaped(text, user);
    strcat(text, ":");
    append_escaped(text, password);
    strcat(text, random_below(2) == 0 ? "@h:1,[::1]/" : "@/");
    append_escaped(text, database);
    for (i = 0; i < count; i++) {
      random_option(&options[i], i);
      strcat(text, i == 0 ? "?" : "&");
      append_escaped(text, options[i].name);
      strcat(text, "=");
      append_escaped(text, options[i].value);
    }
    url = parse(text);
    cr_assert_str_eq(tn_url_user(url), user, "\"%s\"", text);
    cr_assert_str_eq(tn_url_password(url), password, "\"%s\"", text);
    cr_assert_str_eq(tn_url_database(url), database, "\"%s\"", text);
    cr_assert_eq(tn_url_option_count(url), count, "\"%s\"", text);
    for (i = 0; i < count; i++)
      check_option(url, &options[i], text);
    printed_text = print(url, TN_URL_PASSWORD);
    again = parse(printed_text);
    cr_assert(tn_url_equal(url, again), "\"%s\" became \"%s\"", text,
              printed_text);
    free(printed_text);
    tn_url_free(&url);
    tn_url_free(&again);
  }
}
