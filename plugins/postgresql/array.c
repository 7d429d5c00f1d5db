/* Arrays, in binary.
 *
 * PostgreSQL's are rectangular, with a lower bound for each dimension that
 * hardly anybody sets and that is not kept here. A cell has the items of all
 * levels in the row's arena. */
#include "codec_priv.h"

#define HEAD_SIZE      12 /* dimensions, whether there are NULLs, OID */
#define DIMENSION_SIZE 8  /* length, lower bound */

static const char ragged[] = "the arrays in it differ in length or depth";

/* ------------------------------------------------------------------ */
/* Items of one type                                                    */

/* Tenon's arrays have items of one type, PostgreSQL's dates may be infinite,
 * and a text of a database in SQL_ASCII no text: then all of them are handed
 * out as their text or bytes. */
static uint32_t
common_type(const tn_value *array, uint32_t expected)
{
  uint32_t type = expected;
  size_t i;

  for (i = 0; i < array->as.array.count; i++) {
    const tn_value *item = &array->as.array.items[i];

    if (item->type == TN_ARRAY)
      type = common_type(item, type);
    else if (item->type != TN_NULL && item->type != type)
      type = item->type == TN_BLOB || type == TN_BLOB ? TN_BLOB : TN_OTHER;
  }
  return type;
}

static bool
has_bytes(const tn_value *value)
{
  switch (value->type) {
  case TN_DECIMAL:
  case TN_TEXT:
  case TN_BLOB:
  case TN_JSON:
  case TN_OTHER:
    return true;
  default:
    return false;
  }
}

static int32_t
retype_item(const struct pg__reader *reader, tn_value *item, uint32_t type,
            struct tn_call *call)
{
  const struct tn_host *host = call->host;
  char text[TN_VALUE_PRINT_MAX];
  char *copy;
  size_t size;

  if (item->type == TN_NULL || item->type == type)
    return TN_OK;
  if (!has_bytes(item)) {
    size = host->value_print(item, text, sizeof text);
    copy = host->arena_alloc(call->arena, size + 1);
    if (copy == NULL)
      return pg__no_memory(call);
    memcpy(copy, text, size);
    item->as.bytes.data = copy;
    item->as.bytes.size = size;
  }
  item->type = type;
  item->flags = 0;
  item->more.type_name = reader->item_name;
  return TN_OK;
}

/* Let each level know what it is of, from the innermost outwards. */
static int32_t
retype(const struct pg__reader *reader, tn_value *array, uint32_t type,
       struct tn_call *call)
{
  tn_value *items = (tn_value *)array->as.array.items; /* ours, in the arena */
  int32_t rc = TN_OK;
  size_t i;

  array->more.element_type = type;
  for (i = 0; rc == TN_OK && i < array->as.array.count; i++) {
    if (items[i].type == TN_ARRAY) {
      array->more.element_type = TN_ARRAY;
      rc = retype(reader, &items[i], type, call);
    } else {
      rc = retype_item(reader, &items[i], type, call);
    }
  }
  return rc;
}

int32_t
pg__array_finish(const struct pg__reader *reader, tn_value *array,
                 struct tn_call *call)
{
  return retype(reader, array, common_type(array, reader->item_type), call);
}

tn_value *
pg__array_items(size_t count, struct tn_call *call)
{
  tn_value *items = NULL;

  if (count <= SIZE_MAX / sizeof *items)
    items = call->host->arena_alloc(call->arena, count * sizeof *items);
  if (items == NULL)
    pg__no_memory(call);
  return items;
}

/* ------------------------------------------------------------------ */
/* From binary                                                          */

/* What is still to be read. */
struct span {
  const char *at;
  size_t left;
};

struct shape {
  uint32_t depth;
  size_t lengths[TN_ARRAY_DEPTH_MAX];
  size_t leaves;
  size_t nodes; /* of all levels */
};

/* Every item takes four bytes at least, so that a length that lies is found
 * out before any memory is asked for. */
static bool
read_shape(struct span *span, struct shape *shape)
{
  uint32_t i;

  shape->leaves = 1;
  shape->nodes = 0;
  for (i = 0; i < shape->depth; i++) {
    size_t length = pg__get32(span->at);

    if (length == 0 || length > span->left / 4 / shape->leaves)
      return false;
    shape->lengths[i] = length;
    shape->leaves *= length;
    shape->nodes += shape->leaves;
    span->at += DIMENSION_SIZE;
    span->left -= DIMENSION_SIZE;
  }
  return true;
}

static int32_t
read_leaves(struct pg__reader *reader, struct span *span, tn_value *cells,
            size_t count, struct tn_call *call)
{
  struct pg__reader item;
  int32_t rc = TN_OK;
  size_t i;

  pg__item_reader(reader, &item);
  for (i = 0; rc == TN_OK && i < count; i++) {
    uint32_t size;

    if (span->left < 4)
      return pg__malformed(reader, call);
    size = pg__get32(span->at);
    span->at += 4;
    span->left -= 4;
    if (size == UINT32_MAX) {
      cells[i] = tn_null();
      continue;
    }
    if (size > span->left)
      return pg__malformed(reader, call);
    rc = item.decode(&item, span->at, size, call, &cells[i]);
    span->at += size;
    span->left -= size;
  }
  if (rc == TN_OK && span->left != 0)
    return pg__malformed(reader, call);
  return rc;
}

/* The levels lie one after another; the last one are the leaves. */
static void
link_levels(const struct shape *shape, tn_value *items, uint32_t leaf_type)
{
  tn_value *level = items;
  size_t count = 1;
  uint32_t i;

  for (i = 0; i + 1 < shape->depth; i++) {
    size_t length = shape->lengths[i + 1];
    tn_value *below;
    size_t j;

    count *= shape->lengths[i];
    below = level + count;
    for (j = 0; j < count; j++)
      level[j] = tn_array(leaf_type, below + j * length, length);
    level = below;
  }
}

PG__DECODER(pg__decode_array)
{
  struct span span = { data, size };
  struct shape shape;
  tn_value *items;
  int32_t rc;

  if (size < HEAD_SIZE)
    return pg__malformed(reader, call);
  shape.depth = pg__get32(data);
  if (shape.depth > TN_ARRAY_DEPTH_MAX ||
      pg__get32(data + 8) != reader->element ||
      size < HEAD_SIZE + DIMENSION_SIZE * (size_t)shape.depth)
    return pg__malformed(reader, call);
  *cell = tn_array(reader->item_type, NULL, 0);
  if (shape.depth == 0)
    return size == HEAD_SIZE ? TN_OK : pg__malformed(reader, call);
  span.at += HEAD_SIZE;
  span.left -= HEAD_SIZE;
  if (!read_shape(&span, &shape))
    return pg__malformed(reader, call);

  items = pg__array_items(shape.nodes, call);
  if (items == NULL)
    return TN_E_MEMORY;
  link_levels(&shape, items, reader->item_type);
  *cell = tn_array(reader->item_type, items, shape.lengths[0]);
  rc = read_leaves(reader, &span, items + (shape.nodes - shape.leaves),
                   shape.leaves, call);
  return rc == TN_OK ? pg__array_finish(reader, cell, call) : rc;
}

/* ------------------------------------------------------------------ */
/* To binary                                                            */

/* The lengths along the first items; false if a level of several is empty,
 * which PostgreSQL has no way to keep. */
static bool
find_shape(const tn_value *array, struct shape *shape)
{
  const tn_value *at = array;

  shape->depth = 0;
  while (at->type == TN_ARRAY) {
    if (shape->depth == TN_ARRAY_DEPTH_MAX ||
        (at->as.array.count == 0 && at != array) ||
        at->as.array.count > INT32_MAX)
      return false;
    if (at->as.array.count == 0)
      return true;
    shape->lengths[shape->depth++] = at->as.array.count;
    at = &at->as.array.items[0];
  }
  return true;
}

/* Does it look like the others of its level? */
static bool
fits(const tn_value *item, const struct shape *shape, uint32_t level)
{
  if (level == shape->depth)
    return item->type != TN_ARRAY;
  return item->type == TN_ARRAY &&
         item->as.array.count == shape->lengths[level];
}

static enum pg__encoded
write_items(const struct pg__type *element, const tn_value *array,
            const struct shape *shape, uint32_t level, struct pg__sink *sink)
{
  enum pg__encoded encoded = PG__ENCODED;
  size_t i;

  for (i = 0; encoded == PG__ENCODED && i < array->as.array.count; i++) {
    const tn_value *item = &array->as.array.items[i];

    if (!fits(item, shape, level + 1))
      return pg__refuse(sink, array, ragged);
    if (item->type == TN_ARRAY)
      encoded = write_items(element, item, shape, level + 1, sink);
    else
      encoded = pg__encode_field(element, item, sink);
  }
  return encoded;
}

static bool
has_null(const tn_value *array)
{
  size_t i;

  for (i = 0; i < array->as.array.count; i++) {
    const tn_value *item = &array->as.array.items[i];

    if (item->type == TN_ARRAY ? has_null(item) : item->type == TN_NULL)
      return true;
  }
  return false;
}

/* Vectors of catalogues count from 0. */
static uint32_t
lower_bound(const struct pg__type *type)
{
  return type->oid == PG__OID_INT2VECTOR || type->oid == PG__OID_OIDVECTOR ? 0
                                                                           : 1;
}

static bool
write_head(const struct pg__type *type, const tn_value *array,
           const struct shape *shape, struct pg__sink *sink)
{
  char *out = pg__buffer_add(sink->buffer,
                             HEAD_SIZE + DIMENSION_SIZE * (size_t)shape->depth);
  uint32_t i;

  if (out == NULL)
    return false;
  pg__put32(out, shape->depth);
  pg__put32(out + 4, has_null(array));
  pg__put32(out + 8, type->element);
  out += HEAD_SIZE;
  for (i = 0; i < shape->depth; i++, out += DIMENSION_SIZE) {
    pg__put32(out, (uint32_t)shape->lengths[i]);
    pg__put32(out + 4, lower_bound(type));
  }
  return true;
}

PG__ENCODER(pg__encode_array)
{
  const struct pg__type *element = pg__type_find(type->element);
  size_t start = sink->buffer->size;
  enum pg__encoded encoded;
  struct shape shape;

  if (value->type == TN_TEXT || value->type == TN_OTHER)
    return PG__AS_TEXT;
  if (value->type != TN_ARRAY)
    return pg__refuse(sink, value, "not an array");
  if (!find_shape(value, &shape))
    return pg__refuse(sink, value, ragged);
  if (!write_head(type, value, &shape, sink))
    return PG__NO_MEMORY;
  encoded = write_items(element, value, &shape, 0, sink);
  if (encoded != PG__ENCODED)
    sink->buffer->size = start;
  return encoded;
}
