/* Rows of a COPY in text: fields between tabs, \N for NULL, and a backslash
 * before what would be taken for the end of a field or row. */
#include "codec_priv.h"

static char
escape_of(char c)
{
  switch (c) {
  case '\\':
    return '\\';
  case '\n':
    return 'n';
  case '\r':
    return 'r';
  case '\t':
    return 't';
  default:
    return '\0';
  }
}

/* What lies from `start` to the end of the buffer. */
static bool
escape(struct pg__buffer *buffer, size_t start)
{
  size_t size = buffer->size - start;
  size_t extra = 0;
  char *from, *to;
  size_t i;

  for (i = start; i < buffer->size; i++)
    extra += escape_of(buffer->data[i]) != '\0';
  if (extra == 0)
    return true;
  if (pg__buffer_add(buffer, extra) == NULL)
    return false;

  /* From the end, so that nothing is written over before it was moved. */
  from = buffer->data + start + size;
  to = buffer->data + buffer->size;
  while (size-- > 0) {
    char mark = escape_of(*--from);

    *--to = mark != '\0' ? mark : *from;
    if (mark != '\0')
      *--to = '\\';
  }
  return true;
}

/* The binary form is made for what it refuses. */
static enum pg__encoded
write_array(const struct pg__type *type, const tn_value *value,
            struct pg__sink *sink)
{
  size_t start = sink->buffer->size;
  enum pg__encoded encoded =
      type == NULL ? PG__AS_TEXT : type->encode(type, value, sink);

  sink->buffer->size = start;
  if (encoded == PG__REFUSED || encoded == PG__NO_MEMORY)
    return encoded;
  return pg__encode_array_text(type, value, sink);
}

enum pg__encoded
pg__encode_copy_text(const struct pg__type *type, const tn_value *value,
                     struct pg__sink *sink)
{
  size_t start = sink->buffer->size;
  enum pg__encoded encoded;

  if (value->type == TN_NULL)
    return pg__buffer_put(sink->buffer, "\\N", 2) ? PG__ENCODED : PG__NO_MEMORY;
  if (type == NULL && value->type == TN_BLOB)
    return pg__refuse(sink, value, "bind its text");
  encoded = value->type == TN_ARRAY ? write_array(type, value, sink)
                                    : pg__encode_column_text(type, value, sink);
  if (encoded == PG__ENCODED && !escape(sink->buffer, start))
    return PG__NO_MEMORY;
  return encoded;
}
