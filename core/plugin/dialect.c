/* Spelling that follows from a dialect's data.
 *
 * A name from outside that gets into SQL unquoted is an injection; so there is
 * one way to write a name, and it refuses what no quoting can save. */
#include "dialect.h"

#include <string.h>

#include "text.h"

enum tn_code
tn_dialect_quote(const struct tn_dialect_table *dialect, const char *name,
                 size_t size, struct tn_strbuf *buf, tn_err *err)
{
  char open = dialect->quote_open != '\0' ? dialect->quote_open : '"';
  char close = dialect->quote_close != '\0' ? dialect->quote_close : '"';
  size_t max = dialect->max_identifier_bytes;
  size_t offset = 0;

  if (size == 0)
    return tn_err_set(err, TN_E_DATA, "name: empty");
  if (max != 0 && size > max)
    return tn_err_set(err, TN_E_DATA, "name: %zu bytes; %zu are allowed", size,
                      max);
  if (memchr(name, '\0', size) != NULL)
    return tn_err_set(err, TN_E_DATA, "name: has a NUL in it");
  if (!tn_text_is_utf8(name, size, &offset))
    return tn_err_set(err, TN_E_CHARSET, "name: byte %zu is not UTF-8",
                      offset + 1);

  tn_strbuf_add_char(buf, open);
  while (size > 0) {
    const char *quote = memchr(name, close, size);
    size_t plain = quote != NULL ? (size_t)(quote - name) + 1 : size;

    tn_strbuf_add(buf, name, plain);
    if (quote != NULL)
      tn_strbuf_add_char(buf, close);
    name += plain;
    size -= plain;
  }
  tn_strbuf_add_char(buf, close);
  return tn_strbuf_status(buf, "name", err);
}
