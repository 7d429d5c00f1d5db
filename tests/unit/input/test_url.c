/* Unit tests of URLs: what is read and what is refused, with which
 * message, in how much time and memory. */
#include <criterion/criterion.h>

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <tenon/memory.h>
#include <tenon/url.h>

#include "base_priv.h"
#include "oom.h"

/* A password that shares no four bytes with anything else here. */
#define CANARY "Xq7ZvKw9Jd"

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

/* "dialect|driver|user|password|host:port,…|database|name=value&…", where a
 * part that is absent is "-". */
static void
describe(const tn_url *url, char *out, size_t size)
{
  const char *parts[] = { tn_url_dialect(url), tn_url_driver(url),
                          tn_url_user(url), tn_url_password(url) };
  FILE *file = fmemopen(out, size, "w");
  size_t i;

  for (i = 0; i < TN_COUNT(parts); i++)
    fprintf(file, "%s|", parts[i] == NULL ? "-" : parts[i]);
  for (i = 0; i < tn_url_host_count(url); i++)
    fprintf(file, "%s%s:%u", i == 0 ? "" : ",", tn_url_host(url, i),
            tn_url_port(url, i));
  fprintf(file, "|%s|",
          tn_url_database(url) == NULL ? "-" : tn_url_database(url));
  for (i = 0; i < tn_url_option_count(url); i++)
    fprintf(file, "%s%s=%s", i == 0 ? "" : "&", tn_url_option_name(url, i),
            tn_url_option_value(url, i));
  fclose(file);
}

static const struct {
  const char *text;
  const char *parts;
} good[] = {
  /* Databases in a file or in memory. */
  { "sqlite://", "sqlite|-|-|-||-|" },
  { "sqlite:///", "sqlite|-|-|-|||" },
  { "sqlite:///rel.db", "sqlite|-|-|-||rel.db|" },
  { "sqlite:////abs/x.db", "sqlite|-|-|-||/abs/x.db|" },
  { "sqlite:///:memory:", "sqlite|-|-|-||:memory:|" },
  { "sqlite:///file:x?mode=ro&uri=true",
    "sqlite|-|-|-||file:x|mode=ro&uri=true" },
  { "sqlite:///C:\\path\\x.db", "sqlite|-|-|-||C:\\path\\x.db|" },
  { "sqlite:///my file.db", "sqlite|-|-|-||my file.db|" },
  { "sqlite:///a@b.db", "sqlite|-|-|-||a@b.db|" },
  { "sqlite://?a=1", "sqlite|-|-|-||-|a=1" },
  { "sqlite:///x?", "sqlite|-|-|-||x|" },
  /* Dialect and driver. */
  { "PostgreSQL+Psycopg2://", "postgresql|psycopg2|-|-||-|" },
  { "a_1+x.y-z_2://", "a_1|x.y-z_2|-|-||-|" },
  { "abcdefghijabcdefghijabcdefghijab+abcdefghijabcdefghijabcdefghija://",
    "abcdefghijabcdefghijabcdefghijab|abcdefghijabcdefghijabcdefghija|-|-||-"
    "|" },
  /* User and password, in SQLAlchemy's forms. */
  { "postgresql://scott:tiger@localhost:5432/db",
    "postgresql|-|scott|tiger|localhost:5432|db|" },
  { "d://u@h", "d|-|u|-|h:0|-|" },
  { "d://u:@h", "d|-|u||h:0|-|" },
  { "d://@h", "d|-||-|h:0|-|" },
  { "d://:p@h", "d|-||p|h:0|-|" },
  { "d://u:p@/db", "d|-|u|p||db|" },
  { "d://u:p@", "d|-|u|p||-|" },
  { "d://u:a/b@h/db", "d|-|u|a/b|h:0|db|" },
  { "d://u:a:b?c#d/@h/db", "d|-|u|a:b?c#d/|h:0|db|" },
  { "d://u:/@h", "d|-|u|/|h:0|-|" },
  { "d://u:p@ss@h/db", "d|-|u|p@ss|h:0|db|" },
  { "d://me@server:p@server.example/db", "d|-|me@server|p|server.example:0|db"
                                         "|" },
  { "d://u:p+q%2b@h", "d|-|u|p+q+|h:0|-|" },
  { "d://u%3a:%70%2F%40%25@h", "d|-|u:|p/@%|h:0|-|" },
  { "d://u:p@h/x?e=a@b", "d|-|u|p|h:0|x|e=a@b" },
  { "d://u@h/a@b", "d|-|u|-|h:0|a@b|" },
  { "d://h?e=a@b", "d|-|-|-|h:0|-|e=a@b" },
  /* Hosts. */
  { "d://h1:5432,h2:5433/db", "d|-|-|-|h1:5432,h2:5433|db|" },
  { "d://h1,h2", "d|-|-|-|h1:0,h2:0|-|" },
  { "d://[::1]:5432,h2", "d|-|-|-|::1:5432,h2:0|-|" },
  { "d://u:p@[2001:db8::1]/x", "d|-|u|p|2001:db8::1:0|x|" },
  { "d://[fe80::1%25eth0.1]:1/x", "d|-|-|-|fe80::1%eth0.1:1|x|" },
  { "d://[::1]:5432/x?e=a@b", "d|-|-|-|::1:5432|x|e=a@b" },
  { "d://:5433/x", "d|-|-|-|:5433|x|" },
  { "d://h:1", "d|-|-|-|h:1|-|" },
  { "d://h:65535", "d|-|-|-|h:65535|-|" },
  { "d://h:00080", "d|-|-|-|h:80|-|" },
  { "d://%6cocalhost", "d|-|-|-|localhost:0|-|" },
  { "d://%2Frun%2Fa:5433/x", "d|-|-|-|/run/a:5433|x|" },
  { "d://h\xc3\xa9/x", "d|-|-|-|h\xc3\xa9:0|x|" },
  /* A port that was left out behind its colon. */
  { "d://h:", "d|-|-|-|h:0|-|" },
  { "d://h:/x", "d|-|-|-|h:0|x|" },
  { "d://h:?k=v", "d|-|-|-|h:0|-|k=v" },
  { "d://u:p@h:/x", "d|-|u|p|h:0|x|" },
  { "d://[::1]:/x", "d|-|-|-|::1:0|x|" },
  { "d://h1:,h2:2/x", "d|-|-|-|h1:0,h2:2|x|" },
  { "d://h:/x?port=5", "d|-|-|-|h:5|x|" },
  { "d://h:/p@g/x", "d|-|h|/p|g:0|x|" },

  /* Hosts and ports in options. */
  { "d:///x?host=/run/postgresql", "d|-|-|-|/run/postgresql:0|x|" },
  { "d:///x?host=%2Frun%2Fpostgresql", "d|-|-|-|/run/postgresql:0|x|" },
  { "d:///x?host=/cloudsql/p:r:i", "d|-|-|-|/cloudsql/p:r:i:0|x|" },
  { "d:///x?host=/cloudsql/p:4567", "d|-|-|-|/cloudsql/p:4567:0|x|" },
  { "d:///x?host=/run&port=5433", "d|-|-|-|/run:5433|x|" },
  { "d:///x?host=a:1&host=b:2", "d|-|-|-|a:1,b:2|x|" },
  { "d:///x?host=a%3A1&%68ost=b", "d|-|-|-|a:1,b:0|x|" },
  { "d:///x?host=a,b&port=1,2", "d|-|-|-|a:1,b:2|x|" },
  { "d:///x?host=a%2Cb&port=1%2C2", "d|-|-|-|a:1,b:2|x|" },
  { "d:///x?host=a&port=111&host=b&port=222", "d|-|-|-|a:111,b:222|x|" },
  { "d:///x?port=111&port=222&k=v&host=a&host=b", "d|-|-|-|a:111,b:222|x|k=v" },
  { "d:///x?host=[::1]:5&host=[fe80::1%25lo]",
    "d|-|-|-|::1:5,fe80::1%lo:0|x|" },
  { "d://h1:1,h2/x?host=h3&port=3", "d|-|-|-|h1:1,h2:0,h3:3|x|" },
  { "d://h/x?port=5433", "d|-|-|-|h:5433|x|" },
  { "d://h1,h2/x?port=1&port=2", "d|-|-|-|h1:1,h2:2|x|" },
  { "d:///x?port=5433", "d|-|-|-|:5433|x|" },
  /* Options. */
  { "d:///x?a=1+2%2b3", "d|-|-|-||x|a=1 2+3" },
  { "d:///x+y?a+b=c", "d|-|-|-||x+y|a+b=c" },
  { "d:///x?a=&b==&c=d=e", "d|-|-|-||x|a=&b==&c=d=e" },
  { "d:///x?%C3%A9=\xe2\x82\xac&y=%e2%82%ac",
    "d|-|-|-||x|\xc3\xa9=\xe2\x82\xac&y=\xe2\x82\xac" },
  { "d:///x?A=1&a=2", "d|-|-|-||x|A=1&a=2" },
  { "d:///%23%3f?a=%26", "d|-|-|-||#?|a=&" },
  { "d:///x?a=/b?c:d", "d|-|-|-||x|a=/b?c:d" },
};

Test(url, every_accepted_form_has_the_parts_it_names)
{
  char parts[512];
  size_t i;

  for (i = 0; i < TN_COUNT(good); i++) {
    tn_url *url = parse(good[i].text);

    describe(url, parts, sizeof parts);
    cr_expect_str_eq(parts, good[i].parts, "case %zu: \"%s\": %s", i,
                     good[i].text, parts);
    tn_url_free(&url);
  }
}

Test(url, every_accepted_form_is_printed_so_that_it_parses_back)
{
  size_t i;

  for (i = 0; i < TN_COUNT(good); i++) {
    tn_url *url = parse(good[i].text);
    char *text = print(url, TN_URL_PASSWORD);
    tn_url *again = parse(text);

    cr_expect(tn_url_equal(url, again), "case %zu: \"%s\" became \"%s\"", i,
              good[i].text, text);
    free(text);
    tn_url_free(&url);
    tn_url_free(&again);
  }
}

static const struct {
  const char *text;
  unsigned position;
  const char *what;
} bad[] = {
  /* Dialect and driver. */
  { "", 1, "a URL looks like dialect://" },
  { "postgresql", 11, "a URL looks like dialect://" },
  { "postgresql:/h", 11, "\"://\" is missing" },
  { "localhost:" CANARY "@h", 10, "\"://\" is missing" },
  { "://h", 1, "\"://\" is missing" },
  { "1x://h", 1, "\"://\" is missing" },
  { "_x://h", 1, "\"://\" is missing" },
  { "my-sql://h", 3, "\"://\" is missing" },
  { "d\xc3\xa9://h", 2, "\"://\" is missing" },
  { "abcdefghijabcdefghijabcdefghijabc://", 33, "more than 32" },
  { "d+://h", 3, "driver's name is missing" },
  { "d+abcdefghijabcdefghijabcdefghijab://", 34, "more than 31" },
  { "d+a+b://h", 4, "\"://\" is missing" },
  /* Escapes, control characters, bytes that are no text. */
  { "d://u:" CANARY "%@h", 17, "hexadecimal" },
  { "d://u:" CANARY "%4@h", 17, "hexadecimal" },
  { "d://u%gg:" CANARY "@h", 6, "hexadecimal" },
  { "d:///x%", 7, "hexadecimal" },
  { "d:///x?a=%2", 10, "hexadecimal" },
  { "d:///x?%zz=1", 8, "hexadecimal" },
  { "d://[fe80::1%eth0]/x", 13, "hexadecimal" },
  { "d://u:" CANARY "\n@h", 17, "control character" },
  { "d://u:" CANARY "%00@h", 17, "control character" },
  { "d://u%0A:" CANARY "@h", 6, "control character" },
  { "d:///x\x7f", 7, "control character" },
  { "d:///\xc3\xa9%7f", 7, "control character" },
  { "d:///x?a=b%1fc", 11, "control character" },
  { "d:///x?a%09=b", 9, "control character" },
  { "d:///x\xc2\x85", 7, "control character" },
  { "d:///x%c2%85", 7, "control character" },
  { "d://h%01/", 6, "control character" },
  { "d:///\xc3\xa9\xff", 7, "UTF-8" },
  { "d://u:" CANARY "\xc3@h", 17, "UTF-8" },
  { "d://u:" CANARY "%ff@h", 17, "UTF-8" },
  { "d:///x?a=%C3%A9%ed%a0%80", 16, "UTF-8" },
  { "d:///%c0%af", 6, "UTF-8" },
  /* User and password. */
  { "postgresql://u:" CANARY, 16, "'@' is missing after it" },
  { "postgresql://u:" CANARY "/db", 16, "'@' is missing after it" },
  { "postgresql://u:" CANARY ":x", 16, "more than one ':'" },
  { "postgresql://u:" CANARY ",h", 16, "'@' is missing after it" },
  { "postgresql://u:" CANARY "#x", 26, "%23" },
  { "postgresql://u:5432?" CANARY, 21, "no '='" },
  { "d://h:3306/x?e=a@b", 17, "%40" },
  { "d://h1:1,h2:2/x?e=a@b", 20, "%40" },
  { "d://h1,h2:2/x?e=a@b", 18, "%40" },
  { "d://u:123/" CANARY "@h/x", 21, "%2F" },
  { "d://u:a/" CANARY "@h/x@y", 23, "which '@'" },
  { "d://u:a@" CANARY "/" CANARY "@h/x", 30, "which '@'" },
  { "d://u:" CANARY "@" CANARY "?" CANARY "=1&" CANARY "=2@h", 42,
    "second time" },
  /* Hosts and ports. */
  { "sqlite://:memory:", 10, "dialect:///:memory:" },
  { "d://u:" CANARY "@:memory:", 18, "third '/'" },
  { "d://h:0", 7, "1 to 65535" },
  { "d://h:65536", 7, "1 to 65535" },
  { "d://h:99999", 7, "1 to 65535" },
  { "d://h:000080", 7, "1 to 65535" },
  { "d://h:4294967297", 7, "1 to 65535" },
  { "d://h:-1", 7, "1 to 65535" },
  { "d://h:+1", 7, "1 to 65535" },
  { "d://h:1x", 7, "1 to 65535" },
  { "d://h:%38", 7, "1 to 65535" },
  { "d://:", 6, "1 to 65535" },
  { "d://u:" CANARY "@h:" CANARY, 20, "1 to 65535" },
  { "d://u:" CANARY "@::1/x", 19, "more than one ':'" },
  { "d://,", 5, "empty" },
  { "d://h1,,h2", 8, "empty" },
  { "d://,h1", 5, "empty" },
  { "d://h1,", 8, "empty" },
  { "d://:1,h1", 5, "empty" },
  { "d://h1,:2", 8, "empty" },
  { "d://[::1", 5, "not closed" },
  { "d://[::1]5432", 10, "follow the ']'" },
  { "d://[]", 5, "empty" },
  { "d://[::zz]", 6, "IPv6" },
  { "d://[1.2.3.4]", 6, "IPv6" },
  { "d://[::1%25]", 6, "IPv6" },
  { "d://[::1%25a%2Fb]", 6, "IPv6" },
  { "d://[1111111111111111111111111111111111111111111111111111]", 6, "IPv6" },
  { "d://a b/x", 5, "a character that none has" },
  { "d://a%2Fb/x", 5, "a character that none has" },
  { "d://a%3A1/x", 5, "a character that none has" },
  { "d://a%2Cb/x", 5, "a character that none has" },
  { "d://C:\\x", 7, "1 to 65535" },
  { "d://%2Fa%2Cb/x", 5, "','" },
  { "d:///x?host=", 13, "empty" },
  { "d:///x?host=a,,b", 13, "empty" },
  { "d:///x?host=a:x", 13, "1 to 65535" },
  { "d:///x?host=a:", 13, "1 to 65535" },
  { "d://:/x", 6, "1 to 65535" },
  { "d:///x?host=::1", 13, "empty" },
  { "d:///x?host=a::1", 13, "brackets" },
  { "d:///x?port=", 13, "1 to 65535" },
  { "d:///x?host=a&port=" CANARY, 20, "1 to 65535" },
  { "d:///x?host=a,b&port=1", 22, "as many ports as hosts" },
  { "d:///x?host=a&port=1&port=2", 20, "as many ports as hosts" },
  { "d:///x?port=1,2", 13, "as many ports as hosts" },
  { "d://h1,h2/x?port=1", 18, "as many ports as hosts" },
  { "d:///x?host=a:1&port=2", 22, "a port already" },
  { "d://h:1/x?port=1", 16, "a port already" },
  { "d://:1/x?host=/run", 5, "without a host" },
  /* Options. */
  { "d:///x?a=1&b=2&a=3&b=4", 16, "second time" },
  { "d:///x?a=1&%61=1", 12, "second time" },
  { "d:///x?=1", 8, "no name" },
  { "d:///x?a", 8, "no '='" },
  { "d:///x?a=1&", 12, "no '='" },
  { "d:///x?&a=1", 8, "no '='" },
  { "d:///x?a=1&&b=2", 12, "no '='" },
  { "d://u:" CANARY "@h/x?sslpassword=" CANARY "&sslpassword=" CANARY, 45,
    "second time" },
  /* Fragments. */
  { "d://h#", 6, "%23" },
  { "d:///a#b", 7, "%23" },
  { "d:///a?b=c#d", 11, "%23" },
  { "d:///\xe2\x82\xac#d", 7, "%23" },
};

Test(url, every_refused_form_is_refused_with_its_cause_and_position)
{
  char end[64];
  size_t i;

  for (i = 0; i < TN_COUNT(bad); i++) {
    tn_url *url = NULL;
    tn_err err = TN_ERR_INIT;
    size_t length, end_length;

    cr_expect_eq(tn_url_parse(bad[i].text, &url, &err), TN_E_CONFIG,
                 "case %zu: \"%s\"", i, bad[i].text);
    cr_expect_null(url, "case %zu", i);
    tn_url_free(&url);
    snprintf(end, sizeof end, " at character %u", bad[i].position);
    length = strlen(err.message);
    end_length = strlen(end);
    cr_expect(length > end_length &&
                  strcmp(err.message + length - end_length, end) == 0,
              "case %zu: \"%s\": %s", i, bad[i].text, err.message);
    cr_expect_not_null(strstr(err.message, bad[i].what), "case %zu: \"%s\": %s",
                       i, bad[i].text, err.message);
    cr_expect_eq(strncmp(err.message, "url: ", 5), 0, "case %zu: %s", i,
                 err.message);
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

Test(url, no_error_shows_a_piece_of_a_password)
{
  size_t tried = 0;
  size_t i;

  for (i = 0; i < TN_COUNT(bad); i++) {
    tn_url *url = NULL;
    tn_err err = TN_ERR_INIT;

    tried += has_piece_of_canary(bad[i].text);
    cr_expect_neq(tn_url_parse(bad[i].text, &url, &err), TN_OK);
    cr_expect_not(has_piece_of_canary(err.message), "case %zu: %s", i,
                  err.message);
    cr_expect_str_empty(err.detail, "case %zu", i);
    cr_expect_str_empty(err.value, "case %zu", i);
    cr_expect_str_empty(err.key, "case %zu", i);
  }
  cr_expect_geq(tried, 20);
}

/* A fault of any kind anywhere in a URL, after and before the password. */
Test(url, no_byte_put_anywhere_makes_an_error_show_the_password)
{
  static const char base[] = "d+e://user:" CANARY "@host:5432,[::1]/name?"
                             "a=b&host=x:1&password=" CANARY;
  char text[sizeof base + 1];
  size_t place;
  int byte;

  for (place = 0; place < sizeof base; place++) {
    for (byte = 1; byte < 256; byte++) {
      tn_url *url = NULL;
      tn_err err = TN_ERR_INIT;

      memcpy(text, base, place);
      text[place] = (char)byte;
      memcpy(text + place + 1, base + place, sizeof base - place);
      if (tn_url_parse(text, &url, &err) != TN_OK)
        cr_assert_not(has_piece_of_canary(err.message), "\"%s\": %s", text,
                      err.message);
      tn_url_free(&url);
    }
  }
}

Test(url, parse_works_without_an_error_object)
{
  tn_url *url = NULL;

  cr_expect_eq(tn_url_parse("d://h:0", &url, NULL), TN_E_CONFIG);
  cr_expect_null(url);
  cr_expect_eq(tn_url_parse("d://h", &url, NULL), TN_OK);
  tn_url_free(&url);
}

Test(url, a_copy_is_equal_and_lives_on_its_own)
{
  size_t i;

  for (i = 0; i < TN_COUNT(good); i++) {
    tn_url *url = parse(good[i].text);
    tn_url *copy = NULL;
    char parts[512];

    cr_assert_eq(tn_url_copy(url, &copy, NULL), TN_OK);
    cr_expect(tn_url_equal(url, copy), "case %zu: \"%s\"", i, good[i].text);
    tn_url_free(&url);
    describe(copy, parts, sizeof parts);
    cr_expect_str_eq(parts, good[i].parts, "case %zu", i);
    tn_url_free(&copy);
  }
}

Test(url, past_the_end_there_is_nothing)
{
  tn_url *url = parse("d://h:1/x?a=b");

  cr_expect_null(tn_url_host(url, 1));
  cr_expect_eq(tn_url_port(url, 1), 0);
  cr_expect_null(tn_url_host(url, SIZE_MAX));
  cr_expect_null(tn_url_option_name(url, 1));
  cr_expect_null(tn_url_option_value(url, SIZE_MAX));
  tn_url_free(&url);
  cr_expect_null(url);
  tn_url_free(&url);
  tn_url_free(NULL);
}

/* `head`, then `fill` repeated, `size` bytes in all. */
static char *
long_text(const char *head, const char *fill, size_t size)
{
  char *text = malloc(size + 1);
  size_t length = strlen(head);
  size_t i;

  memcpy(text, head, length);
  for (i = length; i < size; i++)
    text[i] = fill[(i - length) % strlen(fill)];
  text[size] = '\0';
  return text;
}

Test(url, the_longest_url_is_read_and_one_byte_more_is_refused)
{
  char *text = long_text("d:///", "x", TN_URL_MAX + 1);
  tn_url *url = NULL;
  tn_err err = TN_ERR_INIT;

  cr_expect_eq(tn_url_parse(text, &url, &err), TN_E_CONFIG);
  cr_expect_str_eq(err.message,
                   "url: longer than 65536 bytes at character 65537");
  text[TN_URL_MAX] = '\0';
  url = parse(text);
  cr_expect_str_eq(tn_url_database(url), text + 5);
  tn_url_free(&url);
  free(text);
}

Test(url, a_url_that_could_not_be_printed_and_read_again_is_refused)
{
  char *text = long_text("d:///", " ", TN_URL_MAX / 3 + 5);
  tn_url *url = NULL;
  tn_err err = TN_ERR_INIT;

  cr_expect_eq(tn_url_parse(text, &url, &err), TN_E_CONFIG);
  cr_expect_not_null(strstr(err.message, "escaped"), "%s", err.message);
  text[TN_URL_MAX / 3] = '\0';
  url = parse(text);
  tn_url_free(&url);
  free(text);
}

/* What takes time in the square of the length takes seconds here. */
Test(url, no_64_kb_take_long)
{
  static const struct {
    const char *head;
    const char *fill;
  } cases[] = {
    { "d://u:", "@" },         { "d://", "," },         { "d://", "a," },
    { "d:///", "%41" },        { "d://u:p/", ":" },     { "d:///?", "a=&" },
    { "d:///?", "host=a&" },   { "d:///?host=", "a," }, { "d:///?port=", "1," },
    { "d://", "u:1," },        { "d://[", "::" },       { "d:///", "\xc3\xa9" },
    { "d:///?password", "p" }, { "d://u:/", "@@/" },
  };
  char *names;
  char *end;
  tn_url *url = NULL;
  clock_t start;
  size_t i;

  for (i = 0; i < TN_COUNT(cases); i++) {
    char *text = long_text(cases[i].head, cases[i].fill, TN_URL_MAX);

    start = clock();
    if (tn_url_parse(text, &url, NULL) == TN_OK)
      tn_url_free(&url);
    cr_expect_lt(clock() - start, CLOCKS_PER_SEC / 2, "case %zu: %ld", i,
                 (long)(clock() - start));
    free(text);
  }
  names = malloc(TN_URL_MAX + 1);
  end = names + sprintf(names, "d:///?");
  for (i = 0; end < names + TN_URL_MAX - 16; i++)
    end += sprintf(end, "%s%zx=", i == 0 ? "" : "&", i);
  start = clock();
  url = parse(names);
  cr_expect_eq(tn_url_option_count(url), i);
  tn_url_free(&url);
  cr_expect_lt(clock() - start, CLOCKS_PER_SEC / 2);
  free(names);
}

/* Looks into each block before it is released. */
static size_t blocks_with_canary;

static void *
looking_alloc(size_t size, void *user)
{
  (void)user;
  return calloc(1, size);
}

static void
looking_release(void *memory, void *user)
{
  (void)user;
  if (memory != NULL &&
      memmem(memory, malloc_usable_size(memory), CANARY, 8) != NULL)
    blocks_with_canary++;
  free(memory);
}

static void *
looking_resize(void *memory, size_t size, void *user)
{
  void *larger = calloc(1, size);

  if (memory != NULL) {
    size_t old = malloc_usable_size(memory);

    memcpy(larger, memory, old < size ? old : size);
    looking_release(memory, user);
  }
  return larger;
}

Test(url, no_password_stays_in_memory_that_was_released)
{
  static const struct tn_allocator looking = { looking_alloc, looking_resize,
                                               looking_release, NULL };
  tn_url *url = NULL;
  tn_url *copy = NULL;
  char *sample;

  tn_allocator_set(&looking);
  sample = tn_memory_text(CANARY, strlen(CANARY));
  tn_memory_free(sample);
  cr_assert_eq(blocks_with_canary, 1, "the test itself cannot look");
  url = parse("d://u:" CANARY "@h/x?sslpassword=" CANARY);
  cr_assert_eq(tn_url_copy(url, &copy, NULL), TN_OK);
  cr_assert_eq(tn_url_set_password(url, CANARY "2", NULL), TN_OK);
  cr_assert_eq(tn_url_set_password(url, CANARY "3", NULL), TN_OK);
  tn_url_free(&url);
  tn_url_free(&copy);
  cr_expect_neq(tn_url_parse("d://u:" CANARY "@h/x?a=1&a=1", &url, NULL),
                TN_OK);
  tn_allocator_set(NULL);
  cr_expect_eq(blocks_with_canary, 1);
}

/* --- Out of memory --------------------------------------------------------*/

static enum tn_code
use_everything(tn_err *err)
{
  TN_CLEANUP(tn_url_free) tn_url *url = NULL;
  TN_CLEANUP(tn_url_free) tn_url *copy = NULL;
  enum tn_code rc;

  rc = tn_url_parse("d://u:" CANARY "@a,b,c,d,e/x?host=f&host=g&port=1&port=2"
                    "&a=1&b=2&c=3&d=4&e=5",
                    &url, err);
  if (rc != TN_OK) {
    cr_expect_null(url);
    return rc;
  }
  rc = tn_url_copy(url, &copy, err);
  if (rc != TN_OK) {
    cr_expect_null(copy);
    return rc;
  }
  rc = tn_url_set_password(url, "new", err);
  cr_expect_str_eq(tn_url_password(url), rc == TN_OK ? "new" : CANARY);
  return rc;
}

Test(url, every_allocation_may_fail)
{
  long nth;

  for (nth = 1;; nth++) {
    tn_err err = TN_ERR_INIT;
    enum tn_code rc;

    oom_fail_nth(nth, false);
    rc = use_everything(&err);
    cr_assert_eq(oom_live(), 0, "allocation %ld: %ld blocks are left", nth,
                 oom_live());
    if (oom_count() < nth) {
      cr_expect_eq(rc, TN_OK);
      break;
    }
    cr_expect_eq(rc, TN_E_MEMORY, "allocation %ld: %s", nth, err.message);
    cr_expect_eq(err.code, TN_E_MEMORY, "allocation %ld", nth);
  }
  cr_expect_gt(nth, 10);
  oom_reset();
}
