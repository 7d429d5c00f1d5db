/* INI text, line by line, with nothing lost.
 *
 * Parsed by inih. As Debian builds it, inih cuts lines at 199 bytes, ends a
 * value at " ;", takes an indented line for a second value and stays silent on
 * empty sections. So it never sees a value: our reader checks each line and
 * hands inih a short stand-in, by which the handler finds the whole value and
 * its line again. Only ini.c includes inih's own ini.h, which is also why this
 * header has another name. */
#ifndef TENON_INI_READER_H
#define TENON_INI_READER_H

#include "base_priv.h"

/* Longest line, in bytes without its end. */
#define TN_INI_LINE_MAX 65536

/* A key with its value, or the start of a section (key and value NULL). Texts
 * are borrowed for the call. */
struct tn_ini_item {
  const char *section; /* "" before the first one */
  const char *key;
  const char
      *value;    /* without blanks around it, one pair of quotes taken off */
  unsigned line; /* from 1 */
};

/* Who reads. Any code but TN_OK ends the parse and is passed up. */
struct tn_ini_reader {
  /* Is that section ours? The lines of others are skipped unread. Asked with
   * "" for the lines before the first section. */
  bool (*wants)(void *user, const char *section);
  enum tn_code (*item)(void *user, const struct tn_ini_item *item, tn_err *err);
  void *user;

  /* Optional. For a wanted section that belongs to another program, and in
   * which only some keys are ours. With `key` NULL: is this such a one? If it
   * is, the lines of keys that are not picked are skipped unread, and so are
   * lines that have no key. Without this slot no section is. */
  bool (*picks)(void *user, const char *section, const char *key);
};

/* Parse `size` bytes; `name` stands for the file in messages:
 * "NAME:LINE: …". A byte-order mark and CRLF line ends are taken off. Refused
 * with TN_E_CONFIG: a section header that is not closed, or with text after it,
 * and in it and in wanted sections, comments included: a line that is too
 * long, NUL, other control characters but tab, bytes that are no UTF-8; in
 * wanted sections a line without '=' or ':', an empty key, an indented line.
 * A repeated key is the reader's to judge. */
enum tn_code tn_ini_parse(const char *text, size_t size, const char *name,
                          const struct tn_ini_reader *reader, tn_err *err);

#endif
