/* What Tenon tells while it works.
 *
 * A log line is written where things already go wrong, and read by people who
 * must not see passwords, on terminals that obey control characters. So it is
 * masked, escaped and bounded here, once, without asking for memory. */
#include <tenon/log.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mask.h"
#include "text.h"

/* Bytes of a line with its NUL. */
#define LINE_SIZE 4096

static const char *const level_names[] = { "", "error", "warning", "info",
                                           "debug" };

const char *
tn_log_level_name(uint32_t level)
{
  return level < TN_COUNT(level_names) ? level_names[level] : "";
}

/* `text`, of LINE_SIZE bytes, was cut: say so, at a character's edge. */
static void
mark_cut(char *text)
{
  size_t edge = LINE_SIZE - sizeof("...");

  while (edge > 0 && ((unsigned char)text[edge] & 0xC0) == 0x80)
    edge--;
  memcpy(text + edge, "...", sizeof("..."));
}

void
tn_log_write(const struct tn_log *log, uint32_t level, const char *fmt, ...)
{
  char text[LINE_SIZE], line[LINE_SIZE];
  va_list values;
  size_t size;
  int full_size;

  if (log == NULL || log->write == NULL || level == 0 || level > log->level)
    return;
  va_start(values, fmt);
  full_size = vsnprintf(text, sizeof(text), fmt, values);
  va_end(values);
  if (full_size < 0)
    return;
  if ((size_t)full_size >= sizeof(text))
    mark_cut(text);

  /* Masked before it is escaped: an escape would change where a value ends.
   * The mark of a cut tells tn_text_mask() that an '@' may be missing. */
  tn_text_mask(text, sizeof(text));
  size = strlen(text);
  while (size > 0 && tn_text_is_space(text[size - 1]))
    size--;
  tn_text_escape(text, size, line, sizeof(line));
  log->write(level, line, log->user);
}
