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

/* The value as its column has it, where the text of the value itself would be
 * read as something else. */
static tn_value
as_in_column(const struct pg__type *type, const tn_value *value)
{
  if (type->tn_type == TN_BLOB && value->type == TN_UUID)
    return tn_blob(value->as.uuid, sizeof value->as.uuid);
  if (type->tn_type == TN_BLOB &&
      (value->type == TN_TEXT || value->type == TN_JSON))
    return tn_blob(value->as.bytes.size == 0 ? "" : value->as.bytes.data,
                   value->as.bytes.size);
  if (type->tn_type == TN_UUID && value->type == TN_BLOB &&
      value->as.bytes.size == sizeof value->as.uuid)
    return tn_uuid((const uint8_t *)value->as.bytes.data);
  return *value;
}

/* The binary form is made for what it refuses. */
static enum pg__encoded
check_field(const struct pg__type *type, const tn_value *value,
            struct pg__sink *sink)
{
  size_t start = sink->buffer->size;
  enum pg__encoded encoded;

  if (type == NULL)
    return value->type == TN_BLOB ? pg__refuse(sink, value, "bind its text")
                                  : PG__AS_TEXT;
  encoded = type->encode(type, value, sink);
  sink->buffer->size = start;
  return encoded;
}

enum pg__encoded
pg__encode_copy_text(const struct pg__type *type, const tn_value *value,
                     struct pg__sink *sink)
{
  size_t start = sink->buffer->size;
  enum pg__encoded encoded;
  tn_value shown = *value;

  if (value->type == TN_NULL)
    return pg__buffer_put(sink->buffer, "\\N", 2) ? PG__ENCODED : PG__NO_MEMORY;
  encoded = check_field(type, value, sink);
  if (encoded == PG__REFUSED || encoded == PG__NO_MEMORY)
    return encoded;
  if (type != NULL)
    shown = as_in_column(type, value);
  if (value->type == TN_ARRAY)
    encoded = pg__encode_array_text(pg__delimiter(type), value, sink);
  else
    encoded = pg__encode_text_form(&shown, sink);
  if (encoded == PG__ENCODED && !escape(sink->buffer, start))
    return PG__NO_MEMORY;
  return encoded;
}
