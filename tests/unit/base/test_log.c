/* What leaves the process: levels, masking, escaping, bounds. */
#include <tenon/log.h>

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "base_priv.h"
#include "oom.h"
#include "text.h"

struct sink {
  unsigned lines;
  uint32_t level;
  char line[8192];
};

static void
keep(uint32_t level, const char *line, void *user)
{
  struct sink *sink = user;

  sink->lines++;
  sink->level = level;
  snprintf(sink->line, sizeof(sink->line), "%s", line);
}

static struct tn_log
log_to(struct sink *sink, uint32_t level)
{
  return (struct tn_log){ .level = level, .write = keep, .user = sink };
}

Test(log, levels_have_names)
{
  cr_expect_str_eq(tn_log_level_name(TN_LOG_ERROR), "error");
  cr_expect_str_eq(tn_log_level_name(TN_LOG_WARNING), "warning");
  cr_expect_str_eq(tn_log_level_name(TN_LOG_INFO), "info");
  cr_expect_str_eq(tn_log_level_name(TN_LOG_DEBUG), "debug");
  cr_expect_str_eq(tn_log_level_name(0), "");
  cr_expect_str_eq(tn_log_level_name(5), "");
  cr_expect_str_eq(tn_log_level_name(UINT32_MAX), "");
}

Test(log, only_what_the_level_lets_through_is_written)
{
  for (uint32_t limit = 0; limit <= 5; limit++) {
    for (uint32_t level = 0; level <= 5; level++) {
      struct sink sink = { 0 };
      struct tn_log log = log_to(&sink, limit);
      bool is_written = level > 0 && level <= limit;

      tn_log_write(&log, level, "line %d", 7);
      cr_expect_eq(sink.lines, is_written, "limit %u, level %u", limit, level);
      cr_expect_str_eq(sink.line, is_written ? "line 7" : "");
      cr_expect_eq(sink.level, is_written ? level : 0);
    }
  }
}

Test(log, no_log_and_no_sink_are_no_ops)
{
  struct tn_log log = { .level = TN_LOG_DEBUG };

  tn_log_write(NULL, TN_LOG_ERROR, "%s", "x");
  tn_log_write(&log, TN_LOG_ERROR, "%s", "x");
}

Test(log, passwords_are_masked)
{
  struct sink sink = { 0 };
  struct tn_log log = log_to(&sink, TN_LOG_DEBUG);

  tn_log_write(&log, TN_LOG_INFO, "open %s", "postgresql://u:hunter2@h/db");
  cr_expect_str_eq(sink.line, "open postgresql://u:***@h/db");
  tn_log_write(&log, TN_LOG_INFO, "conninfo: host=h password=hunter2 port=1");
  cr_expect_str_eq(sink.line, "conninfo: host=h password=*** port=1");
}

Test(log, a_password_with_control_characters_is_masked_before_they_are_escaped)
{
  struct sink sink = { 0 };
  struct tn_log log = log_to(&sink, TN_LOG_DEBUG);

  tn_log_write(&log, TN_LOG_INFO, "%s", "pg://u:hun\x1b\x01ter2@h/\x1b[1m");
  cr_expect_str_eq(sink.line, "pg://u:***@h/\\x1b[1m");
}

Test(log, control_characters_and_broken_text_are_escaped_and_the_end_trimmed)
{
  struct sink sink = { 0 };
  struct tn_log log = log_to(&sink, TN_LOG_DEBUG);

  tn_log_write(&log, TN_LOG_INFO, "a\nb\tc\xFF gr\xC3\xBC\xC3\x9F \r\n");
  cr_expect_str_eq(sink.line, "a\\x0ab\\x09c\\xff gr\xC3\xBC\xC3\x9F");
}

Test(log, a_line_is_bounded_and_says_that_it_was_cut)
{
  static const size_t sizes[] = { 4094, 4095, 4096, 5000, 70000 };
  static char text[80000];

  for (size_t i = 0; i < TN_COUNT(sizes); i++) {
    struct sink sink = { 0 };
    struct tn_log log = log_to(&sink, TN_LOG_DEBUG);

    memset(text, 'x', sizes[i]);
    text[sizes[i]] = '\0';
    tn_log_write(&log, TN_LOG_INFO, "%s", text);
    if (sizes[i] < 4096) {
      cr_expect_str_eq(sink.line, text, "case %zu", i);
    } else {
      cr_expect_eq(strlen(sink.line), 4095, "case %zu", i);
      cr_expect_str_eq(sink.line + 4090, "xx...", "case %zu", i);
    }
  }
}

Test(log, a_cut_falls_at_the_edge_of_a_character)
{
  static char text[9001];

  for (size_t lead = 0; lead < 4; lead++) {
    struct sink sink = { 0 };
    struct tn_log log = log_to(&sink, TN_LOG_DEBUG);
    size_t size = lead;

    memset(text, 'x', lead);
    for (; size + 4 < sizeof(text); size += 4)
      memcpy(text + size, "\xF0\x9F\x98\x80", 4);
    text[size] = '\0';
    tn_log_write(&log, TN_LOG_INFO, "%s", text);
    cr_expect(tn_text_is_utf8(sink.line, strlen(sink.line), NULL));
    cr_expect_null(strchr(sink.line, '\\'), "lead %zu", lead);
    cr_expect_gt(strlen(sink.line), 4085);
    cr_expect_str_eq(sink.line + strlen(sink.line) - 3, "...");
  }
}

Test(log, a_line_that_grows_by_escapes_is_bounded)
{
  static char text[4001];
  struct sink sink = { 0 };
  struct tn_log log = log_to(&sink, TN_LOG_DEBUG);

  memset(text, 1, sizeof(text) - 1);
  tn_log_write(&log, TN_LOG_INFO, "%s|", text);
  cr_expect_eq(strlen(sink.line), 4 * 1023 + 3);
  cr_expect_str_eq(sink.line + 4 * 1022, "\\x01...");
}

/* Wherever the cut falls in a URL or a setting, no part of the secret is
 * left. The secret begins with digits, as a port does. */
Test(log, a_secret_that_is_cut_in_half_is_not_shown)
{
#define SECRET "77zqzq77"
  static const char *const forms[] = { "://u:" SECRET "@host/db",
                                       " password=" SECRET " host=h",
                                       "?token=" SECRET "&x=y",
                                       ";pwd='" SECRET "';" };
  static char text[4300];

  for (size_t form = 0; form < TN_COUNT(forms); form++) {
    for (size_t lead = 4060; lead < 4100; lead++) {
      struct sink sink = { 0 };
      struct tn_log log = log_to(&sink, TN_LOG_DEBUG);
      const char *tail = forms[form];

      memset(text, 'x', lead);
      strcpy(text + lead, tail);
      memset(text + strlen(text), ' ', 50);
      strcpy(text + lead + strlen(tail) + 50, "end");
      tn_log_write(&log, TN_LOG_INFO, "%s", text);
      cr_expect_null(strpbrk(sink.line, "7zq"), "form %zu, lead %zu: %s", form,
                     lead, sink.line + 4050);
    }
  }
}

Test(log, values_that_cannot_be_printed_leave_nothing)
{
  struct sink sink = { 0 };
  struct tn_log log = log_to(&sink, TN_LOG_DEBUG);

  /* No character of the C locale: vsnprintf() gives up. */
  tn_log_write(&log, TN_LOG_ERROR, "file: %ls", L"\x20AC");
  cr_expect_eq(sink.lines, 0);
}

Test(log, writing_allocates_nothing)
{
  struct sink sink = { 0 };
  struct tn_log log = log_to(&sink, TN_LOG_DEBUG);

  oom_fail_nth(1, true);
  tn_log_write(&log, TN_LOG_ERROR, "%s", "pg://u:p@h");
  cr_expect_str_eq(sink.line, "pg://u:***@h");
  cr_expect_eq(oom_count(), 0);
  oom_reset();
}
