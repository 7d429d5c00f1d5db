/* Who owns the bytes of a value.
 *
 * A copy is one block: the items of arrays, those of all levels, and behind
 * them the bytes, so that nothing needs padding. Clearing has to know of one
 * address only, a copy fails in one place, and an arena can hold it as well. */
#include "value_copy.h"

#include "value_priv.h"

/* Parts of a block: their sizes, or where the next piece goes. */
struct room {
  size_t items;
  size_t bytes;
};

struct block {
  tn_value *items;
  char *bytes;
};

/* ------------------------------------------------------------------ */
/* How much                                                            */

static enum tn_code
measure_text(size_t size, struct room *room)
{
  if (size >= SIZE_MAX - room->bytes)
    return TN_E_MEMORY;
  room->bytes += size + 1;
  return TN_OK;
}

static enum tn_code
measure_items(const tn_value *array, struct room *room)
{
  if (array->as.array.count > SIZE_MAX / sizeof(tn_value) - room->items)
    return TN_E_MEMORY;
  room->items += array->as.array.count;
  return TN_OK;
}

static enum tn_code
measure(const tn_value *value, unsigned depth, struct room *room)
{
  enum tn_code rc = TN_OK;
  size_t i;

  if (tn_value__has_bytes(value->type))
    rc = measure_text(value->as.bytes.size, room);
  if (rc == TN_OK && value->type == TN_OTHER && value->more.type_name != NULL)
    rc = measure_text(strlen(value->more.type_name), room);
  if (value->type != TN_ARRAY)
    return rc;
  if (depth == TN_ARRAY_DEPTH_MAX)
    return TN_E_DATA;
  rc = measure_items(value, room);
  for (i = 0; rc == TN_OK && i < value->as.array.count; i++)
    rc = measure(&value->as.array.items[i], depth + 1, room);
  return rc;
}

enum tn_code
tn_value_copy_size(const tn_value *value, size_t *ret_size)
{
  struct room room = { 0, 0 };
  enum tn_code rc = measure(value, 0, &room);

  if (rc != TN_OK)
    return rc;
  if (room.bytes > SIZE_MAX - room.items * sizeof(tn_value))
    return TN_E_MEMORY;
  *ret_size = room.items * sizeof(tn_value) + room.bytes;
  return TN_OK;
}

/* ------------------------------------------------------------------ */
/* Where to                                                            */

static const char *
place_text(const char *text, size_t size, struct block *block)
{
  char *placed = block->bytes;

  if (size > 0)
    memcpy(placed, text, size);
  placed[size] = '\0';
  block->bytes += size + 1;
  return placed;
}

static void
place(const tn_value *value, struct block *block, tn_value *ret)
{
  const size_t count = value->type == TN_ARRAY ? value->as.array.count : 0;
  tn_value copy = *value;
  tn_value *items = NULL;
  size_t i;

  copy.flags &= ~TN_VALUE_OWNED;
  if (tn_value__has_bytes(value->type))
    copy.as.bytes.data =
        place_text(value->as.bytes.data, value->as.bytes.size, block);
  if (value->type == TN_OTHER && value->more.type_name != NULL)
    copy.more.type_name =
        place_text(value->more.type_name, strlen(value->more.type_name), block);
  if (count > 0) {
    items = block->items;
    block->items += count;
  }
  for (i = 0; i < count; i++)
    place(&value->as.array.items[i], block, &items[i]);
  if (value->type == TN_ARRAY)
    copy.as.array.items = items;
  *ret = copy;
}

/* The items of a value that was measured. */
static size_t
count_items(const tn_value *value)
{
  size_t count = 0;
  size_t i;

  if (value->type != TN_ARRAY)
    return 0;
  for (i = 0; i < value->as.array.count; i++)
    count += 1 + count_items(&value->as.array.items[i]);
  return count;
}

void
tn_value_copy_into(const tn_value *value, void *memory, tn_value *ret)
{
  const size_t count = count_items(value);
  struct block block = { memory, memory };

  if (count > 0)
    block.bytes += count * sizeof(tn_value);
  place(value, &block, ret);
}

/* ------------------------------------------------------------------ */
/* The public side                                                     */

/* A number, or an array without items: nothing to own. */
static void
copy_plain(const tn_value *value, tn_value *ret)
{
  *ret = *value;
  ret->flags &= ~TN_VALUE_OWNED;
  if (ret->type == TN_ARRAY)
    ret->as.array.items = NULL;
}

enum tn_code
tn_value_copy(const tn_value *value, tn_value *ret, tn_err *err)
{
  void *block = NULL;
  size_t size = 0;
  enum tn_code rc = tn_value_copy_size(value, &size);

  if (rc == TN_E_DATA)
    return tn_value_check(value, err);
  if (rc == TN_OK && size == 0) {
    copy_plain(value, ret);
    return TN_OK;
  }
  if (rc == TN_OK)
    block = tn_memory_alloc(size);
  if (block == NULL)
    return tn_err_memory(err, "value");
  tn_value_copy_into(value, block, ret);
  ret->flags |= TN_VALUE_OWNED;
  return TN_OK;
}

void
tn_value_clear(tn_value *value)
{
  if (value == NULL)
    return;
  if ((value->flags & TN_VALUE_OWNED) != 0 && tn_value__has_bytes(value->type))
    tn_memory_free((void *)value->as.bytes.data);
  else if ((value->flags & TN_VALUE_OWNED) != 0 && value->type == TN_ARRAY)
    tn_memory_free((void *)value->as.array.items);
  *value = tn_null();
}
