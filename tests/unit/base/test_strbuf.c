/* Growing text with a stated maximum. */
#include "strbuf.h"

#include <criterion/criterion.h>
#include <string.h>

#include "oom.h"

Test(strbuf, pieces_are_joined)
{
  TN_CLEANUP(tn_strbuf_clear) struct tn_strbuf buf = TN_STRBUF_INIT(100);

  cr_expect_str_eq(tn_strbuf_text(&buf), "");
  tn_strbuf_add_text(&buf, "select ");
  tn_strbuf_add(&buf, "a, b", 1);
  tn_strbuf_add_char(&buf, ' ');
  tn_strbuf_add_format(&buf, "limit %d", 7);
  tn_strbuf_add_text(&buf, "");
  tn_strbuf_add(&buf, NULL, 0);
  cr_expect_str_eq(tn_strbuf_text(&buf), "select a limit 7");
  cr_expect_eq(buf.size, strlen("select a limit 7"));
  cr_expect_eq(tn_strbuf_status(&buf, "sql", NULL), TN_OK);
}

Test(strbuf, nul_bytes_are_text)
{
  TN_CLEANUP(tn_strbuf_clear) struct tn_strbuf buf = TN_STRBUF_INIT(100);

  tn_strbuf_add(&buf, "a\0b", 3);
  tn_strbuf_add_char(&buf, '\0');
  cr_expect_eq(buf.size, 4);
  cr_expect_arr_eq(buf.data, "a\0b\0", 5);
}

Test(strbuf, every_length_around_a_growth_is_kept)
{
  for (size_t size = 0; size <= 600; size++) {
    TN_CLEANUP(tn_strbuf_clear) struct tn_strbuf buf = TN_STRBUF_INIT(600);
    TN_CLEANUP(tn_strbuf_clear) struct tn_strbuf other = TN_STRBUF_INIT(600);

    for (size_t i = 0; i < size; i++) {
      tn_strbuf_add_char(&buf, (char)('a' + i % 26));
      tn_strbuf_add_format(&other, "%c", (char)('a' + i % 26));
    }
    cr_assert_eq(strlen(tn_strbuf_text(&buf)), size);
    cr_assert_str_eq(tn_strbuf_text(&buf), tn_strbuf_text(&other));
    cr_assert_eq(tn_strbuf_status(&buf, "x", NULL), TN_OK, "size %zu", size);
  }
}

Test(strbuf, a_format_longer_than_any_growth_is_whole)
{
  TN_CLEANUP(tn_strbuf_clear) struct tn_strbuf buf = TN_STRBUF_INIT(100000);

  tn_strbuf_add_format(&buf, "%050000d", 1);
  tn_strbuf_add_format(&buf, "%s", "end");
  cr_expect_eq(buf.size, 50003);
  cr_expect_str_eq(tn_strbuf_text(&buf) + 49998, "01end");
}

Test(strbuf, the_maximum_is_met_exactly_and_not_passed)
{
  TN_CLEANUP(tn_strbuf_clear) struct tn_strbuf buf = TN_STRBUF_INIT(5);
  tn_err err = TN_ERR_INIT;

  tn_strbuf_add_text(&buf, "abcde");
  cr_expect_eq(tn_strbuf_status(&buf, "url", &err), TN_OK);
  tn_strbuf_add_text(&buf, "");
  cr_expect_eq(tn_strbuf_status(&buf, "url", &err), TN_OK);
  tn_strbuf_add_char(&buf, 'f');
  cr_expect_eq(tn_strbuf_status(&buf, "url", &err), TN_E_LIMIT);
  cr_expect_str_eq(err.message, "url: longer than 5 bytes");
  cr_expect_str_eq(tn_strbuf_text(&buf), "abcde");
}

Test(strbuf, a_failure_sticks_until_it_is_cleared)
{
  TN_CLEANUP(tn_strbuf_clear) struct tn_strbuf buf = TN_STRBUF_INIT(5);

  tn_strbuf_add_text(&buf, "abc");
  tn_strbuf_add_text(&buf, "too long");
  tn_strbuf_add_text(&buf, "d");
  tn_strbuf_add_format(&buf, "%d", 1);
  tn_strbuf_add_char(&buf, 'e');
  cr_expect_str_eq(tn_strbuf_text(&buf), "abc", "nothing after the failure");
  cr_expect_null(tn_strbuf_take(&buf));
  cr_expect_eq(tn_strbuf_status(&buf, "x", NULL), TN_E_LIMIT);

  tn_strbuf_clear(&buf);
  tn_strbuf_clear(&buf);
  cr_expect_eq(tn_strbuf_status(&buf, "x", NULL), TN_OK);
  cr_expect_str_eq(tn_strbuf_text(&buf), "");
  tn_strbuf_add_text(&buf, "12345");
  cr_expect_str_eq(tn_strbuf_text(&buf), "12345", "the maximum stays");
  cr_expect_eq(tn_strbuf_status(&buf, "x", NULL), TN_OK);
}

Test(strbuf, a_format_beyond_the_maximum_leaves_the_text_as_it_was)
{
  TN_CLEANUP(tn_strbuf_clear) struct tn_strbuf buf = TN_STRBUF_INIT(8);

  tn_strbuf_add_text(&buf, "abc");
  tn_strbuf_add_format(&buf, "%s", "123456");
  cr_expect_str_eq(tn_strbuf_text(&buf), "abc");
  cr_expect_eq(buf.size, 3);
  cr_expect_eq(tn_strbuf_status(&buf, "x", NULL), TN_E_LIMIT);
}

Test(strbuf, a_maximum_of_nothing_and_of_everything)
{
  TN_CLEANUP(tn_strbuf_clear) struct tn_strbuf none = { 0 };
  TN_CLEANUP(tn_strbuf_clear) struct tn_strbuf all = TN_STRBUF_INIT(SIZE_MAX);
  char *text;

  tn_strbuf_add_text(&none, "");
  cr_expect_eq(tn_strbuf_status(&none, "x", NULL), TN_OK);
  tn_strbuf_add_char(&none, 'a');
  cr_expect_eq(tn_strbuf_status(&none, "x", NULL), TN_E_LIMIT);

  tn_strbuf_add_text(&all, "abc");
  tn_strbuf_add(&all, "x", SIZE_MAX - 1);
  cr_expect_eq(tn_strbuf_status(&all, "x", NULL), TN_E_LIMIT);
  tn_strbuf_clear(&all);
  tn_strbuf_add_text(&all, "abc");
  text = tn_strbuf_take(&all);
  cr_expect_str_eq(text, "abc");
  tn_memory_free(text);
}

Test(strbuf, take_hands_the_text_over_and_leaves_it_empty)
{
  TN_CLEANUP(tn_strbuf_clear) struct tn_strbuf buf = TN_STRBUF_INIT(5);
  char *text;

  tn_strbuf_add_text(&buf, "abc");
  text = tn_strbuf_take(&buf);
  cr_expect_str_eq(text, "abc");
  tn_memory_free(text);
  cr_expect_null(buf.data);
  cr_expect_eq(buf.max, 5);

  text = tn_strbuf_take(&buf);
  cr_assert_not_null(text, "nothing is text, too");
  cr_expect_str_eq(text, "");
  tn_memory_free(text);
}

Test(strbuf, clear_takes_null)
{
  tn_strbuf_clear(NULL);
}

Test(strbuf, without_memory_it_fails_once_and_leaks_nothing)
{
  for (long nth = 1;; nth++) {
    struct tn_strbuf buf = TN_STRBUF_INIT(100000);
    tn_err err = TN_ERR_INIT;
    enum tn_code rc;
    char *text;

    oom_fail_nth(nth, false);
    for (int i = 0; i < 200; i++) {
      tn_strbuf_add_text(&buf, "0123456789");
      tn_strbuf_add_format(&buf, "%d", i);
    }
    rc = tn_strbuf_status(&buf, "sql", &err);
    text = tn_strbuf_take(&buf);
    cr_assert_eq(rc == TN_OK, text != NULL, "allocation %ld", nth);
    tn_memory_free(text);
    tn_strbuf_clear(&buf);
    cr_assert_eq(oom_live(), 0, "allocation %ld", nth);
    if (oom_count() < nth) {
      cr_expect_eq(rc, TN_OK);
      cr_expect_gt(nth, 3);
      break;
    }
    cr_assert_eq(rc, TN_E_MEMORY, "allocation %ld: %d", nth, rc);
    cr_assert_str_eq(err.message, "sql: out of memory");
  }
  oom_reset();
}

Test(strbuf, taking_nothing_without_memory_gives_null_and_the_reason)
{
  struct tn_strbuf buf = TN_STRBUF_INIT(5);

  oom_fail_nth(1, true);
  cr_expect_null(tn_strbuf_take(&buf));
  cr_expect_eq(tn_strbuf_status(&buf, "x", NULL), TN_E_MEMORY);
  tn_strbuf_clear(&buf);
  oom_reset();
}
