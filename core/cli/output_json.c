/* Results as JSON: one object a result (json), or one object a row (jsonl),
 * each on a line of its own.
 *
 * Rows are written as they come and never collected, so jansson encodes single
 * texts only. Integers are written from their own digits: jansson's end at
 * 2^63. What broke off half way stays an object that is not closed; closing it
 * would pass it off as whole. */
#include "output.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static enum tn_code
no_memory(tn_err *err)
{
  return tn_err_set(err, TN_E_MEMORY, "output: out of memory");
}

/* DEL and the C1 controls are allowed in JSON but steer terminals. They are
 * two bytes of UTF-8 (C2 80 to C2 9F), which no caller cuts in two. */
static void
write_without_controls(FILE *stream, const char *bytes, size_t size)
{
  size_t start = 0;
  size_t i;

  for (i = 0; i < size; i++) {
    unsigned char byte = (unsigned char)bytes[i];
    bool is_c1 =
        byte == 0xc2 && i + 1 < size && (unsigned char)bytes[i + 1] < 0xa0;

    if (byte != 0x7f && !is_c1)
      continue;
    fwrite(bytes + start, 1, i - start, stream);
    if (is_c1)
      byte = (unsigned char)bytes[++i];
    fprintf(stream, "\\u%04x", (unsigned)byte);
    start = i + 1;
  }
  fwrite(bytes + start, 1, size - start, stream);
}

static int
take_piece(const char *bytes, size_t size, void *user)
{
  write_without_controls(user, bytes, size);
  return 0;
}

bool
json_write_text(FILE *stream, const char *text, size_t size)
{
  json_t *value = json_stringn(size == 0 ? "" : text, size);
  int status;

  if (value == NULL)
    return false;
  status = json_dump_callback(value, take_piece, stream, JSON_ENCODE_ANY);
  json_decref(value);
  return status == 0;
}

static void
write_base64(FILE *stream, const char *bytes, size_t size)
{
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "abcdefghijklmnopqrstuvwxyz0123456789+/";
  const unsigned char *in = (const unsigned char *)bytes;
  size_t i;

  putc('"', stream);
  for (i = 0; i < size; i += 3) {
    uint32_t group = (uint32_t)in[i] << 16;

    if (i + 1 < size)
      group |= (uint32_t)in[i + 1] << 8;
    if (i + 2 < size)
      group |= in[i + 2];
    putc(digits[group >> 18], stream);
    putc(digits[group >> 12 & 63], stream);
    putc(i + 1 < size ? digits[group >> 6 & 63] : '=', stream);
    putc(i + 2 < size ? digits[group & 63] : '=', stream);
  }
  putc('"', stream);
}

/* Text, or base64 if it is none. */
static enum tn_code
write_bytes(FILE *stream, const tn_value *value, tn_err *err)
{
  const char *data = value->as.bytes.data;
  size_t size = value->as.bytes.size;
  tn_value text;

  if (json_write_text(stream, data, size))
    return TN_OK;
  text = tn_bytes(TN_TEXT, data, size);
  if (tn_value_check(&text, NULL) == TN_OK)
    return no_memory(err);
  write_base64(stream, data, size);
  return TN_OK;
}

/* JSON as it stands, but for the blanks between its tokens, which may be line
 * ends. A server's column may be called JSON and hold something else. */
static enum tn_code
write_embedded(FILE *stream, const tn_value *value, tn_err *err)
{
  const char *data = value->as.bytes.data;
  size_t size = value->as.bytes.size;
  bool in_string = false;
  size_t start = 0;
  size_t i;

  if (tn_value_check(value, NULL) != TN_OK)
    return write_bytes(stream, value, err);
  for (i = 0; i < size; i++) {
    if (in_string && data[i] == '\\')
      i++;
    else if (data[i] == '"')
      in_string = !in_string;
    else if (!in_string && strchr(" \t\r\n", data[i]) != NULL) {
      write_without_controls(stream, data + start, i - start);
      start = i + 1;
    }
  }
  write_without_controls(stream, data + start, size - start);
  return TN_OK;
}

/* The library's text of an array follows the rules of write_value(). */
static enum tn_code
write_items(FILE *stream, const tn_value *value, tn_err *err)
{
  size_t size = 0;
  char *text = output_print(value, &size);
  tn_value json;
  enum tn_code rc;

  if (text == NULL)
    return no_memory(err);
  json = tn_bytes(TN_JSON, text, size);
  rc = write_embedded(stream, &json, err);
  free(text);
  return rc;
}

/* A number that is read back as the same double, and as a double: "1.0". JSON
 * has no infinities; they become texts. */
static void
write_double(FILE *stream, const tn_value *value)
{
  char buffer[TN_VALUE_PRINT_MAX];

  (void)tn_value_print(value, buffer, sizeof buffer);
  if (!isfinite(value->as.real))
    fprintf(stream, "\"%s\"", buffer);
  else if (strpbrk(buffer, ".eE") == NULL)
    fprintf(stream, "%s.0", buffer);
  else
    fputs(buffer, stream);
}

static enum tn_code
write_value(FILE *stream, const tn_value *value, tn_err *err)
{
  char buffer[TN_VALUE_PRINT_MAX];

  switch (value->type) {
  case TN_NULL:
    fputs("null", stream);
    return TN_OK;
  case TN_BOOL:
  case TN_INT64:
  case TN_UINT64:
    (void)tn_value_print(value, buffer, sizeof buffer);
    fputs(buffer, stream);
    return TN_OK;
  case TN_DOUBLE:
    write_double(stream, value);
    return TN_OK;
  case TN_BLOB:
    write_base64(stream, value->as.bytes.data, value->as.bytes.size);
    return TN_OK;
  case TN_JSON:
    return write_embedded(stream, value, err);
  case TN_ARRAY:
    return write_items(stream, value, err);
  case TN_DECIMAL:
  case TN_TEXT:
  case TN_OTHER:
    return write_bytes(stream, value, err);
  default:
    (void)tn_value_print(value, buffer, sizeof buffer);
    fprintf(stream, "\"%s\"", buffer);
    return TN_OK;
  }
}

static enum tn_code
write_name(FILE *stream, const char *name, tn_err *err)
{
  const tn_value value = tn_text(name);

  return write_bytes(stream, &value, err);
}

/* ---- json: one object a result ---- */

static enum tn_code
begin_object(struct output *out, tn_err *err)
{
  enum tn_code rc = TN_OK;
  size_t i;

  fputs("{\"columns\":[", out->stream);
  for (i = 0; i < out->column_count && rc == TN_OK; i++) {
    fputs(i == 0 ? "{\"name\":" : ",{\"name\":", out->stream);
    rc = write_name(out->stream, out->columns[i].name, err);
    fprintf(out->stream, ",\"type\":\"%s\"}",
            tn_type_name(out->columns[i].type));
  }
  fputs("],\"rows\":[", out->stream);
  return rc;
}

static enum tn_code
write_array(struct output *out, const tn_value *row, tn_err *err)
{
  enum tn_code rc = TN_OK;
  size_t i;

  fputs(out->row_count == 0 ? "[" : ",[", out->stream);
  for (i = 0; i < out->column_count && rc == TN_OK; i++) {
    if (i > 0)
      putc(',', out->stream);
    rc = write_value(out->stream, &row[i], err);
  }
  putc(']', out->stream);
  return rc;
}

static enum tn_code
end_object(struct output *out, uint64_t affected, bool is_complete, tn_err *err)
{
  (void)err;
  if (is_complete)
    fprintf(out->stream, "],\"affected\":%llu}", (unsigned long long)affected);
  putc('\n', out->stream);
  return TN_OK;
}

const struct output_writer output_json = {
  .name = "json",
  .is_json = true,
  .begin = begin_object,
  .row = write_array,
  .end = end_object,
};

/* ---- jsonl: one object a row ---- */

/* The names of the columns, each unlike the others. */
struct keys {
  char **names;
  size_t count;
};

static void
free_keys(struct keys *keys)
{
  size_t i;

  if (keys == NULL)
    return;
  for (i = 0; i < keys->count; i++)
    free(keys->names[i]);
  free(keys->names);
  free(keys);
}

static bool
has_key(const struct keys *keys, const char *name)
{
  size_t i;

  for (i = 0; i < keys->count; i++)
    if (strcmp(keys->names[i], name) == 0)
      return true;
  return false;
}

/* A copy of `name`, with "_2" or a higher number behind it if that is taken.
 * NULL without memory. */
static char *
make_key(const struct keys *keys, const char *name)
{
  unsigned number;

  for (number = 1;; number++) {
    char suffix[16] = "";
    char *key = NULL;

    if (number > 1)
      (void)snprintf(suffix, sizeof suffix, "_%u", number);
    if (asprintf(&key, "%s%s", name, suffix) < 0)
      return NULL;
    if (!has_key(keys, key))
      return key;
    free(key);
  }
}

static enum tn_code
begin_lines(struct output *out, tn_err *err)
{
  struct keys *keys = calloc(1, sizeof *keys);
  size_t i;

  if (keys == NULL)
    return no_memory(err);
  out->state = keys;
  keys->names = calloc(out->column_count + 1, sizeof *keys->names);
  if (keys->names == NULL)
    return no_memory(err);
  for (i = 0; i < out->column_count; i++) {
    keys->names[i] = make_key(keys, out->columns[i].name);
    if (keys->names[i] == NULL)
      return no_memory(err);
    keys->count++;
  }
  return TN_OK;
}

static enum tn_code
write_line(struct output *out, const tn_value *row, tn_err *err)
{
  const struct keys *keys = out->state;
  enum tn_code rc = TN_OK;
  size_t i;

  for (i = 0; i < out->column_count && rc == TN_OK; i++) {
    putc(i == 0 ? '{' : ',', out->stream);
    rc = write_name(out->stream, keys->names[i], err);
    putc(':', out->stream);
    if (rc == TN_OK)
      rc = write_value(out->stream, &row[i], err);
  }
  fputs("}\n", out->stream);
  return rc;
}

static enum tn_code
end_lines(struct output *out, uint64_t affected, bool is_complete, tn_err *err)
{
  (void)affected;
  (void)is_complete;
  (void)err;
  free_keys(out->state);
  out->state = NULL;
  return TN_OK;
}

const struct output_writer output_jsonl = {
  .name = "jsonl",
  .is_json = true,
  .begin = begin_lines,
  .row = write_line,
  .end = end_lines,
};
