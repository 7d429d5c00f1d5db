/* UTF-8 and UTF-16. Driver managers and drivers convert texts by the locale,
 * if they are let; so they are given nothing to convert. */
#include "odbc_priv.h"

#include <string.h>

/* The next character of well-formed UTF-8. */
static uint32_t
next_character(const unsigned char *text, size_t size, size_t *at)
{
  uint32_t c = text[(*at)++];
  unsigned more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;

  if (more == 0)
    return c;
  c &= 0x3fu >> more;
  for (; more > 0 && *at < size; more--)
    c = c << 6 | (text[(*at)++] & 0x3fu);
  return c;
}

SQLWCHAR *
odbc__to_wide(const struct tn_host *host, const char *text, size_t size,
              size_t *ret_units)
{
  SQLWCHAR *wide = host->alloc((size + 1) * sizeof *wide);
  size_t units = 0;
  size_t at = 0;

  if (wide == NULL)
    return NULL;
  while (at < size) {
    uint32_t c = next_character((const unsigned char *)text, size, &at);

    if (c >= 0x10000) {
      wide[units++] = (SQLWCHAR)(0xd7c0 + (c >> 10));
      c = 0xdc00 + (c & 0x3ff);
    }
    wide[units++] = (SQLWCHAR)c;
  }
  wide[units] = 0;
  *ret_units = units;
  return wide;
}

static bool
is_surrogate(uint32_t c, uint32_t first)
{
  return c >= first && c < first + 0x400;
}

static size_t
put_character(uint32_t c, char *ret)
{
  size_t more = c >= 0x10000 ? 3 : c >= 0x800 ? 2 : c >= 0x80 ? 1 : 0;
  static const unsigned char marks[] = { 0, 0xc0, 0xe0, 0xf0 };
  size_t i;

  for (i = more; i > 0; i--) {
    ret[i] = (char)(0x80 | (c & 0x3f));
    c >>= 6;
  }
  ret[0] = (char)(marks[more] | c);
  return more + 1;
}

size_t
odbc__to_utf8(const SQLWCHAR *text, size_t units, char *ret)
{
  size_t size = 0;
  size_t i = 0;

  while (i < units) {
    uint32_t c = text[i++];

    if (is_surrogate(c, 0xd800) && i < units && is_surrogate(text[i], 0xdc00))
      c = 0x10000 + ((c - 0xd800) << 10) + (text[i++] - 0xdc00u);
    else if (is_surrogate(c, 0xd800) || is_surrogate(c, 0xdc00))
      c = 0xfffd;
    size += put_character(c, ret + size);
  }
  ret[size] = '\0';
  return size;
}

bool
odbc__text_make(const struct odbc__conn *conn, const char *text, size_t size,
                struct odbc__text *ret)
{
  char *copy;

  if ((conn->family->flags & ODBC__UTF8) == 0) {
    ret->data = odbc__to_wide(conn->host, text, size, &ret->units);
    return ret->data != NULL;
  }
  copy = conn->host->alloc(size + 1);
  if (copy == NULL)
    return false;
  memcpy(copy, text, size);
  copy[size] = '\0';
  ret->data = copy;
  ret->units = size;
  return true;
}
