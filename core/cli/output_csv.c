/* Comma-separated values as RFC 4180 has them: a header line, lines ended by
 * CR LF, quotes doubled. NULL is an empty field and an empty text is "", so
 * that the two can be told apart; an array is its JSON. A statement without
 * columns writes nothing; an empty line stands between two results. */
#include "output.h"

#include <stdlib.h>
#include <string.h>

void
hex_write(FILE *stream, const char *bytes, size_t size)
{
  static const char digits[] = "0123456789abcdef";
  size_t i;

  fputs("\\x", stream);
  for (i = 0; i < size; i++) {
    putc(digits[(unsigned char)bytes[i] >> 4], stream);
    putc(digits[(unsigned char)bytes[i] & 15], stream);
  }
}

static bool
needs_quotes(const char *text, size_t size)
{
  size_t i;

  for (i = 0; i < size; i++)
    if (strchr("\",\r\n", text[i]) != NULL && text[i] != '\0')
      return true;
  return size == 0;
}

static void
write_field(FILE *stream, const char *text, size_t size)
{
  size_t i;

  if (!needs_quotes(text, size)) {
    fwrite(text, 1, size, stream);
    return;
  }
  putc('"', stream);
  for (i = 0; i < size; i++) {
    if (text[i] == '"')
      putc('"', stream);
    putc(text[i], stream);
  }
  putc('"', stream);
}

static enum tn_code
write_printed(FILE *stream, const tn_value *value, tn_err *err)
{
  size_t size = 0;
  char *text = output_print(value, &size);

  if (text == NULL)
    return tn_err_set(err, TN_E_MEMORY, "output: out of memory");
  write_field(stream, text, size);
  free(text);
  return TN_OK;
}

static enum tn_code
write_value(FILE *stream, const tn_value *value, tn_err *err)
{
  char buffer[TN_VALUE_PRINT_MAX];

  switch (value->type) {
  case TN_NULL:
    return TN_OK;
  case TN_BLOB:
    hex_write(stream, value->as.bytes.data, value->as.bytes.size);
    return TN_OK;
  case TN_DECIMAL:
  case TN_TEXT:
  case TN_JSON:
  case TN_OTHER:
    write_field(stream, value->as.bytes.data, value->as.bytes.size);
    return TN_OK;
  case TN_ARRAY:
    return write_printed(stream, value, err);
  default:
    (void)tn_value_print(value, buffer, sizeof buffer);
    write_field(stream, buffer, strlen(buffer));
    return TN_OK;
  }
}

static enum tn_code
begin_csv(struct output *out, tn_err *err)
{
  size_t i;

  (void)err;
  if (out->column_count == 0)
    return TN_OK;
  if (out->table_count > 0)
    fputs("\r\n", out->stream);
  for (i = 0; i < out->column_count; i++) {
    if (i > 0)
      putc(',', out->stream);
    write_field(out->stream, out->columns[i].name,
                strlen(out->columns[i].name));
  }
  fputs("\r\n", out->stream);
  return TN_OK;
}

static enum tn_code
write_row(struct output *out, const tn_value *row, tn_err *err)
{
  enum tn_code rc = TN_OK;
  size_t i;

  for (i = 0; i < out->column_count && rc == TN_OK; i++) {
    if (i > 0)
      putc(',', out->stream);
    rc = write_value(out->stream, &row[i], err);
  }
  if (rc == TN_OK)
    fputs("\r\n", out->stream);
  return rc;
}

static enum tn_code
end_csv(struct output *out, uint64_t affected, bool is_complete, tn_err *err)
{
  (void)out;
  (void)affected;
  (void)is_complete;
  (void)err;
  return TN_OK;
}

const struct output_writer output_csv = {
  .name = "csv",
  .begin = begin_csv,
  .row = write_row,
  .end = end_csv,
};
