/* Hiding passwords in text that others wrote. */
#include "mask.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct mask_case {
  const char *text;
  const char *masked;
};

static const struct mask_case cases[] = {
  /* URLs */
  { "postgresql://u:p@h/db", "postgresql://u:***@h/db" },
  { "pg://u:hunter2@h1:5432,h2:5433/db?sslmode=require",
    "pg://u:***@h1:5432,h2:5433/db?sslmode=require" },
  { "pg://:hunter2@/db", "pg://:***@/db" },
  { "pg://u:@h", "pg://u:@h" },
  { "pg://u:p:q@h", "pg://u:***@h" },
  { "pg://u:p@q@h", "pg://u:***@h" },
  { "pg://bob@example.com:hunter2@h", "pg://bob@example.com:***@h" },
  { "pg://u:%40p%2F@h", "pg://u:***@h" },
  { "a pg://u:one@h, b pg://v:two@h", "a pg://u:***@h, b pg://v:***@h" },
  { "open 'pg://u:pa'ss@h/db'", "open 'pg://u:***@h/db'" },
  { "pg://u:hunter2@[::1]:5432/db", "pg://u:***@[::1]:5432/db" },
  /* written without escapes */
  { "pg://u:a/b@h/db", "pg://u:***@h/db" },
  { "pg://u:a?b#c@h/db", "pg://u:***@h/db" },
  { "pg://u:12/b@h/db", "pg://u:***@h/db" },
  { "pg://u:my pass@h/db", "pg://u:***@h/db" },
  { "pg://u:a\nb@h", "pg://u:***@h" },
  { "pg://u:hunter2", "pg://u:***" },
  { "pg://u:hunter2 and more", "pg://u:*** and more" },
  { "pg://u:12345x", "pg://u:***" },
  { "pg://u:12...", "pg://u:***..." },
  { "pg://u:123456", "pg://u:***" },
  /* no password */
  { "", "" },
  { "://", "://" },
  { "://:", "://:" },
  { "://@", "://@" },
  { "://[", "://[" },
  { "://[::", "://[::" },
  { "pg://h/db", "pg://h/db" },
  { "pg://u@h:5432/db", "pg://u@h:5432/db" },
  { "pg://h:5432", "pg://h:5432" },
  { "pg://h:5432/db", "pg://h:5432/db" },
  { "pg://h:1,h2:2/db", "pg://h:1,h2:2/db" },
  { "tcp://h:5432: refused", "tcp://h:5432: refused" },
  { "cannot reach tcp://h:5432.", "cannot reach tcp://h:5432." },
  { "\"tcp://h:5432\" is down", "\"tcp://h:5432\" is down" },
  { "pg://[::1]:5432/db", "pg://[::1]:5432/db" },
  { "pg://[::1]/db", "pg://[::1]/db" },
  { "tcp://h:5432 failed for bob@example.com",
    "tcp://h:5432 failed for bob@example.com" },
  { "sqlite:///a:b.db", "sqlite:///a:b.db" },
  { "a:b@c", "a:b@c" },
  /* names in query strings */
  { "pg://h/db?password=hunter2&sslmode=require",
    "pg://h/db?password=***&sslmode=require" },
  { "pg://u:p@h/db?sslpassword=hunter2", "pg://u:***@h/db?sslpassword=***" },
  { "?PassWord=a&PASSWD=b&pwd=c&Client_Secret=d&access-token=e&x=f",
    "?PassWord=***&PASSWD=***&pwd=***&Client_Secret=***&access-token=***"
    "&x=f" },
  { "?password=&x=1", "?password=&x=1" },
  { "?password='a'b'&x=1", "?password=***&x=1" },
  { "x?token=abc more", "x?token=*** more" },
  /* names in conninfo strings and the like */
  { "host=h password=hunter2 port=1", "host=h password=*** port=1" },
  { "password=a&b=c;d,e host=h", "password=*** host=h" },
  { "password = hunter2", "password = ***" },
  { "password='a b' host=h", "password='***' host=h" },
  { "password='a\\' b' host=h", "password='***' host=h" },
  { "password='a'' b' host=h", "password='***' host=h" },
  { "password=\"a b\" host=h", "password=\"***\" host=h" },
  { "password='a b", "password='***" },
  { "password='' host=h", "password='' host=h" },
  { "password='a\\", "password='***" },
  { "password=a\\ b host=h", "password=*** host=h" },
  { "password=a\\", "password=***" },
  { "server=s;pwd=hunter2;database=d", "server=s;pwd=***;database=d" },
  { "server=s;pwd={a;b};database=d", "server=s;pwd={***};database=d" },
  { "password=hun...", "password=***..." },
  { "password", "password" },
  { "password=", "password=" },
  { "password= ", "password= " },
  { "=", "=" },
  { "=x", "=x" },
  { "wd=x", "wd=x" },
  { "password authentication failed for user \"u\"",
    "password authentication failed for user \"u\"" },
  { "option password: not set", "option password: not set" },
  { "passwords=5", "passwords=5" },
  { "user=u", "user=u" },
};

Test(mask, secrets_are_hidden_and_the_rest_is_kept)
{
  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    char text[512];

    snprintf(text, sizeof(text), "%s", cases[i].text);
    tn_text_mask(text, sizeof(text));
    cr_expect_str_eq(text, cases[i].masked, "case %zu: \"%s\": \"%s\"", i,
                     cases[i].text, text);
  }
}

Test(mask, repeating_it_changes_nothing)
{
  for (size_t i = 0; i < TN_COUNT(cases); i++) {
    char text[512];

    snprintf(text, sizeof(text), "%s", cases[i].masked);
    tn_text_mask(text, sizeof(text));
    cr_expect_str_eq(text, cases[i].masked, "case %zu: \"%s\": \"%s\"", i,
                     cases[i].masked, text);
  }
}

/* The block is exactly as large as the text, so that ASan sees a byte read or
 * written past it. */
Test(mask, in_a_full_buffer_there_are_fewer_stars)
{
  static const struct mask_case full[] = {
    { "://u:p@h", "://u:*@h" },
    { "://u:pw@h", "://u:**@h" },
    { "://u:pwd@h", "://u:***@h" },
    { "pwd=x token=y", "pwd=* token=*" },
    { "pwd=longer token=y", "pwd=*** token=***" },
  };

  for (size_t i = 0; i < TN_COUNT(full); i++) {
    size_t size = strlen(full[i].text) + 1;
    char *text = malloc(size);

    cr_assert_not_null(text);
    memcpy(text, full[i].text, size);
    tn_text_mask(text, size);
    cr_expect_str_eq(text, full[i].masked, "case %zu: \"%s\": \"%s\"", i,
                     full[i].text, text);
    free(text);
  }
}

Test(mask, any_bytes_are_survived)
{
  static const char *const pieces[] = {
    "://", ":", "@", "/", "[", "]",   "=",  "pwd",  "'",  "\"", "\\",    "{",
    "}",   ";", "&", "?", " ", "...", "12", "\xFF", "\n", "ab", "token", "pwd="
  };

  srand(1);
  for (int round = 0; round < 20000; round++) {
    char text[64] = "";
    char *exact;
    size_t size;

    while (strlen(text) < 50)
      strcat(text, pieces[(size_t)rand() % TN_COUNT(pieces)]);
    size = strlen(text) + 1;
    exact = malloc(size);
    cr_assert_not_null(exact);
    memcpy(exact, text, size);
    tn_text_mask(exact, size);
    cr_assert_lt(strlen(exact), size, "%s", text);
    free(exact);
  }
}
