/* Arrays, in text: {1,NULL,"a \\"b\\"",{…}}, with bounds before it or not.
 *
 * They come in text when a column of the statement has no binary form, and go
 * in text when only the server can read an item. */
#include "codec_priv.h"

/* ------------------------------------------------------------------ */
/* Reading                                                              */

struct reading {
  const struct pg__reader *array;
  struct pg__reader item;
  struct tn_call *call;
  const char *at;
  const char *end;
  char *out; /* where the text of the next item goes */
};

/* The end of a quoted item, behind its quote; NULL if it has none. */
static const char *
skip_quoted(const char *at, const char *end)
{
  for (at++; at < end && *at != '"'; at++)
    if (*at == '\\' && ++at == end)
      return NULL;
  return at < end ? at + 1 : NULL;
}

/* How many items follow up to the brace that closes them; 0 if none does. */
static size_t
count_items(const struct reading *reading)
{
  const char *at = reading->at;
  size_t count = 1;
  int depth = 0;

  while (at != NULL && at < reading->end) {
    if (*at == '"') {
      at = skip_quoted(at, reading->end);
      continue;
    }
    if (*at == '}' && depth-- == 0)
      return count;
    if (*at == '{')
      depth++;
    if (*at == reading->array->delimiter && depth == 0)
      count++;
    at += *at == '\\' && at + 1 < reading->end ? 2 : 1;
  }
  return 0;
}

static bool
is_null_word(const char *text, size_t size)
{
  return size == 4 && (text[0] | 32) == 'n' && (text[1] | 32) == 'u' &&
         (text[2] | 32) == 'l' && (text[3] | 32) == 'l';
}

/* Is this the end of an item that began with a quote, or without? */
static bool
is_end(const struct reading *reading, bool is_quoted)
{
  if (is_quoted)
    return *reading->at == '"';
  return *reading->at == '}' || *reading->at == reading->array->delimiter;
}

/* An item that is no array, its text without quotes and backslashes. */
static int32_t
parse_leaf(struct reading *reading, tn_value *cell)
{
  const char *start = reading->at;
  const char *text = reading->out;
  bool is_quoted = *start == '"';

  reading->at += is_quoted;
  while (reading->at < reading->end && !is_end(reading, is_quoted)) {
    if (*reading->at == '\\' && ++reading->at == reading->end)
      break;
    *reading->out++ = *reading->at++;
  }
  if (reading->at == reading->end)
    return pg__malformed(reading->array, reading->call);
  if (!is_quoted && is_null_word(start, (size_t)(reading->at - start))) {
    *cell = tn_null();
    return TN_OK;
  }
  reading->at += is_quoted;
  return reading->item.decode(
      &reading->item, text, (size_t)(reading->out - text), reading->call, cell);
}

static int32_t parse_level(struct reading *reading, int depth, tn_value *cell);

/* An item and what is behind it: another one, or the brace that closes. */
static int32_t
parse_item(struct reading *reading, int depth, bool is_last, tn_value *cell)
{
  char wanted = is_last ? '}' : reading->array->delimiter;
  int32_t rc;

  if (reading->at < reading->end && *reading->at == '{')
    rc = parse_level(reading, depth + 1, cell);
  else if (reading->at < reading->end)
    rc = parse_leaf(reading, cell);
  else
    rc = pg__malformed(reading->array, reading->call);
  if (rc != TN_OK)
    return rc;
  if (reading->at == reading->end || *reading->at != wanted)
    return pg__malformed(reading->array, reading->call);
  reading->at++;
  return TN_OK;
}

/* From a brace to behind the one that closes it. */
static int32_t
parse_level(struct reading *reading, int depth, tn_value *cell)
{
  tn_value *items;
  size_t count, i;
  int32_t rc = TN_OK;

  reading->at++;
  *cell = tn_array(reading->array->item_type, NULL, 0);
  if (reading->at < reading->end && *reading->at == '}') {
    reading->at++;
    return TN_OK;
  }
  count = count_items(reading);
  if (count == 0 || depth > TN_ARRAY_DEPTH_MAX)
    return pg__malformed(reading->array, reading->call);
  items = pg__array_items(count, reading->call);
  if (items == NULL)
    return TN_E_MEMORY;
  *cell = tn_array(reading->array->item_type, items, count);
  for (i = 0; rc == TN_OK && i < count; i++) {
    rc = parse_item(reading, depth, i + 1 == count, &items[i]);
    if (rc == TN_OK &&
        (items[i].type == TN_ARRAY) != (items[0].type == TN_ARRAY))
      return pg__malformed(reading->array, reading->call);
  }
  return rc;
}

PG__DECODER(pg__parse_array)
{
  struct reading reading = { .array = reader, .call = call };
  const char *start = data;
  int32_t rc;

  /* "[0:2]=" are bounds. */
  if (size > 0 && *data == '[')
    start = memchr(data, '{', size);
  if (start == NULL || size == 0 || *start != '{')
    return pg__malformed(reader, call);
  pg__item_reader(reader, &reading.item);
  reading.at = start;
  reading.end = data + size;
  reading.out = call->host->arena_alloc(call->arena, size);
  if (reading.out == NULL)
    return pg__no_memory(call);
  rc = parse_level(&reading, 1, cell);
  if (rc == TN_OK && reading.at != reading.end)
    return pg__malformed(reader, call);
  return rc == TN_OK ? pg__array_finish(reader, cell, call) : rc;
}

/* Numbers with blanks between them, as catalogues have. */
PG__DECODER(pg__parse_vector)
{
  struct pg__reader item;
  const char *at = data;
  const char *end = data + size;
  size_t count = 0, i;
  tn_value *items;
  int32_t rc = TN_OK;

  for (i = 0; i < size; i++)
    count += data[i] != ' ' && (i == 0 || data[i - 1] == ' ');
  *cell = tn_array(reader->item_type, NULL, 0);
  if (count == 0)
    return TN_OK;
  items = pg__array_items(count, call);
  if (items == NULL)
    return TN_E_MEMORY;
  pg__item_reader(reader, &item);
  for (i = 0; rc == TN_OK && i < count; i++) {
    const char *start;

    while (*at == ' ')
      at++;
    for (start = at; at < end && *at != ' ';)
      at++;
    rc = item.decode(&item, start, (size_t)(at - start), call, &items[i]);
  }
  *cell = tn_array(reader->item_type, items, count);
  return rc == TN_OK ? pg__array_finish(reader, cell, call) : rc;
}

/* ------------------------------------------------------------------ */
/* Writing                                                              */

/* The item that lies from `start` to the end of the buffer, between quotes and
 * with a backslash before those in it. */
static bool
quote(struct pg__buffer *buffer, size_t start)
{
  size_t size = buffer->size - start;
  size_t extra = 0;
  char *from, *to;
  size_t i;

  for (i = start; i < buffer->size; i++)
    extra += buffer->data[i] == '"' || buffer->data[i] == '\\';
  if (pg__buffer_add(buffer, extra + 2) == NULL)
    return false;

  /* From the end, so that nothing is written over before it was moved. */
  from = buffer->data + start + size;
  to = buffer->data + buffer->size;
  *--to = '"';
  while (size-- > 0) {
    *--to = *--from;
    if (*to == '"' || *to == '\\')
      *--to = '\\';
  }
  *--to = '"';
  return true;
}

static enum pg__encoded
write_leaf(const struct pg__type *element, const tn_value *item,
           struct pg__sink *sink)
{
  size_t start = sink->buffer->size;
  enum pg__encoded encoded;

  if (item->type == TN_NULL)
    return pg__buffer_put(sink->buffer, "NULL", 4) ? PG__ENCODED
                                                   : PG__NO_MEMORY;
  encoded = pg__encode_column_text(element, item, sink);
  if (encoded == PG__ENCODED && !quote(sink->buffer, start))
    return PG__NO_MEMORY;
  return encoded;
}

static enum pg__encoded
write_level(const struct pg__type *element, const tn_value *array,
            struct pg__sink *sink)
{
  char delimiter = element != NULL && element->oid == PG__OID_BOX ? ';' : ',';
  enum pg__encoded encoded = PG__ENCODED;
  size_t i;

  if (!pg__buffer_put(sink->buffer, "{", 1))
    return PG__NO_MEMORY;
  for (i = 0; encoded == PG__ENCODED && i < array->as.array.count; i++) {
    const tn_value *item = &array->as.array.items[i];

    if (i > 0 && !pg__buffer_put(sink->buffer, &delimiter, 1))
      return PG__NO_MEMORY;
    encoded = item->type == TN_ARRAY ? write_level(element, item, sink)
                                     : write_leaf(element, item, sink);
  }
  if (encoded == PG__ENCODED && !pg__buffer_put(sink->buffer, "}", 1))
    return PG__NO_MEMORY;
  return encoded;
}

enum pg__encoded
pg__encode_array_text(const struct pg__type *type, const tn_value *array,
                      struct pg__sink *sink)
{
  return write_level(type == NULL ? NULL : pg__type_find(type->element), array,
                     sink);
}
