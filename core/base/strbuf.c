/* Growing text with a stated maximum.
 *
 * SQL, URLs and messages are built from many small pieces, any of which may
 * lack memory or make the text too long. The failure sticks to the buffer, so
 * that the builder reads as a list of pieces and asks once. */
#include "strbuf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FIRST_CAPACITY 64

static void
fail(struct tn_strbuf *buf, int32_t failure)
{
  if (buf->failure == TN_OK)
    buf->failure = failure;
}

/* Make room for `size` more bytes and a NUL. */
static bool
reserve(struct tn_strbuf *buf, size_t size)
{
  size_t max = buf->max < PTRDIFF_MAX ? buf->max : PTRDIFF_MAX - 1;
  size_t capacity = buf->capacity > 0 ? buf->capacity : FIRST_CAPACITY;
  char *data;

  if (buf->failure != TN_OK)
    return false;
  if (buf->size > max || size > max - buf->size) {
    fail(buf, TN_E_LIMIT);
    return false;
  }
  if (buf->size + size < buf->capacity)
    return true;

  while (capacity <= buf->size + size)
    capacity = capacity <= max / 2 ? capacity * 2 : max + 1;
  data = tn_memory_resize(buf->data, capacity);
  if (data == NULL) {
    fail(buf, TN_E_MEMORY);
    return false;
  }
  buf->data = data;
  buf->capacity = capacity;
  return true;
}

static void add_format(struct tn_strbuf *buf, const char *fmt, va_list values)
    TN_PRINTF(2, 0);

static void
add_format(struct tn_strbuf *buf, const char *fmt, va_list values)
{
  size_t room = buf->capacity - buf->size;
  va_list again;
  int size;

  va_copy(again, values);
  size = vsnprintf(room > 0 ? buf->data + buf->size : NULL, room, fmt, again);
  va_end(again);
  if (size < 0) {
    fail(buf, TN_E_LIMIT); /* longer than INT_MAX */
  } else if (reserve(buf, (size_t)size)) {
    if ((size_t)size >= room)
      vsnprintf(buf->data + buf->size, (size_t)size + 1, fmt, values);
    buf->size += (size_t)size;
  }
  /* What did not fit may have left its first bytes. */
  if (buf->data != NULL)
    buf->data[buf->size] = '\0';
}

void
tn_strbuf_clear(struct tn_strbuf *buf)
{
  if (buf == NULL)
    return;
  tn_memory_free(buf->data);
  *buf = (struct tn_strbuf)TN_STRBUF_INIT(buf->max);
}

void
tn_strbuf_add(struct tn_strbuf *buf, const char *bytes, size_t size)
{
  if (!reserve(buf, size))
    return;
  if (size > 0)
    memcpy(buf->data + buf->size, bytes, size);
  buf->size += size;
  buf->data[buf->size] = '\0';
}

void
tn_strbuf_add_text(struct tn_strbuf *buf, const char *text)
{
  tn_strbuf_add(buf, text, strlen(text));
}

void
tn_strbuf_add_char(struct tn_strbuf *buf, char c)
{
  tn_strbuf_add(buf, &c, 1);
}

void
tn_strbuf_add_format(struct tn_strbuf *buf, const char *fmt, ...)
{
  va_list values;

  if (buf->failure != TN_OK)
    return;
  va_start(values, fmt);
  add_format(buf, fmt, values);
  va_end(values);
}

const char *
tn_strbuf_text(const struct tn_strbuf *buf)
{
  return buf->data != NULL ? buf->data : "";
}

enum tn_code
tn_strbuf_status(const struct tn_strbuf *buf, const char *what, tn_err *err)
{
  if (buf->failure == TN_OK)
    return TN_OK;
  if (buf->failure == TN_E_MEMORY)
    return tn_err_memory(err, what);
  return tn_err_set(err, TN_E_LIMIT, "%s: longer than %zu bytes", what,
                    buf->max);
}

char *
tn_strbuf_take(struct tn_strbuf *buf)
{
  char *text;

  tn_strbuf_add(buf, "", 0);
  if (buf->failure != TN_OK)
    return NULL;
  text = buf->data;
  *buf = (struct tn_strbuf)TN_STRBUF_INIT(buf->max);
  return text;
}
