/* The text a URL is parsed from: cutting it up, unescaping it, and saying
 * where in it something is wrong. */
#include "url_priv.h"

#include <assert.h>
#include <string.h>

#include "text.h"

enum tn_code
tn_url__fail(const struct tn_url_parser *p, const char *at, const char *what)
{
  size_t position = 1;
  const char *c;

  if (p->value_at != NULL)
    at = p->value_at;
  for (c = p->text.data; c < at; c++)
    position += ((unsigned char)*c & 0xc0) != 0x80;
  return tn_err_set(p->err, TN_E_CONFIG, "url: %s at character %zu", what,
                    position);
}

void *
tn_url__grow(void *array, size_t count, size_t *capacity, size_t item_size)
{
  size_t wanted = *capacity == 0 ? 4 : *capacity * 2;

  if (count < *capacity)
    return array;
  array = tn_memory_resize(array, wanted * item_size);
  if (array != NULL)
    *capacity = wanted;
  return array;
}

size_t
tn_url__find(struct tn_url_span span, const char *set)
{
  size_t i = 0;

  while (i < span.size && strchr(set, span.data[i]) == NULL)
    i++;
  return i;
}

struct tn_url_span
tn_url__skip(struct tn_url_span span, size_t size)
{
  span.data += size;
  span.size -= size;
  return span;
}

bool
tn_url__cut(struct tn_url_span *rest, char separator,
            struct tn_url_span *ret_front)
{
  const char *found = memchr(rest->data, separator, rest->size);

  *ret_front = *rest;
  if (found == NULL) {
    *rest = tn_url__skip(*rest, rest->size);
    return false;
  }
  ret_front->size = (size_t)(found - rest->data);
  *rest = tn_url__skip(*rest, ret_front->size + 1);
  return true;
}

/* Where the byte `offset` of the unescaped text came from. */
static const char *
raw_at(struct tn_url_span raw, size_t offset)
{
  size_t i = 0;

  for (; offset > 0; offset--)
    i += raw.data[i] == '%' ? 3 : 1;
  return raw.data + i;
}

static int
unescape_byte(struct tn_url_span raw, size_t at)
{
  int high = at + 1 < raw.size ? tn_text_hex(raw.data[at + 1]) : -1;
  int low = at + 2 < raw.size ? tn_text_hex(raw.data[at + 2]) : -1;

  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

enum tn_code
tn_url__decode(struct tn_url_parser *p, struct tn_url_span raw, char space,
               const char **ret)
{
  char *out = p->url->store + p->store_used;
  size_t size = 0;
  size_t offset;
  const char *fault;
  size_t i;

  assert(p->store_used + raw.size < p->url->store_size);
  for (i = 0; i < raw.size; i++) {
    char c = raw.data[i];

    if (c == '%') {
      int byte = unescape_byte(raw, i);

      if (byte < 0)
        return tn_url__fail(
            p, raw.data + i,
            "two hexadecimal digits are missing after a '%' (which "
            "itself is written %25)");
      c = (char)byte;
      i += 2;
    } else if (c == space && space != '\0') {
      c = ' ';
    }
    out[size++] = c;
  }
  out[size] = '\0';
  p->store_used += size + 1;
  fault = tn_url__fault(out, size, &offset);
  if (fault != NULL)
    return tn_url__fail(p, raw_at(raw, offset), fault);
  *ret = out;
  return TN_OK;
}

const char *
tn_url__fault(const char *text, size_t size, size_t *ret_offset)
{
  size_t i;

  if (!tn_text_is_utf8(text, size, ret_offset))
    return "a byte that is no UTF-8";
  for (i = 0; i < size; i++) {
    unsigned char c = (unsigned char)text[i];

    /* U+0080 to U+009F are controls as well, and some terminals obey them. */
    if (c < 0x20 || c == 0x7f ||
        (c == 0xc2 && i + 1 < size && (unsigned char)text[i + 1] < 0xa0)) {
      *ret_offset = i;
      return "a control character";
    }
  }
  return NULL;
}
