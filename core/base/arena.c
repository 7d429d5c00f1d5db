/* Memory that is released all at once.
 *
 * What a statement, a row or a catalogue page needs has one lifetime. Taking
 * it from blocks makes each piece nearly free, and leaves nothing to release
 * one by one on an error path. */
#include "arena.h"

#include <stdalign.h>
#include <string.h>

struct tn_arena_block {
  struct tn_arena_block *next;
  size_t capacity;
  alignas(max_align_t) char bytes[];
};

/* Bytes of a usual block, so that it fills two pages with its header. */
#define USUAL_CAPACITY (8192 - sizeof(struct tn_arena_block))

/* A larger piece gets a block of its own: it would waste too much of the end
 * of a usual one. */
#define LARGE (USUAL_CAPACITY / 4)

static struct tn_arena_block *
block_new(size_t capacity)
{
  struct tn_arena_block *block;

  if (capacity > PTRDIFF_MAX - sizeof(*block))
    return NULL;
  block = tn_memory_alloc(sizeof(*block) + capacity);
  if (block == NULL)
    return NULL;
  block->next = NULL;
  block->capacity = capacity;
  return block;
}

/* A large piece. Its block goes behind the newest one, whose free end stays in
 * use; as the only block it counts as full. */
static void *
take_large(struct tn_arena *arena, size_t size)
{
  struct tn_arena_block *block = block_new(size);

  if (block == NULL)
    return NULL;
  if (arena->blocks == NULL) {
    arena->blocks = block;
    arena->used = size;
  } else {
    block->next = arena->blocks->next;
    arena->blocks->next = block;
  }
  return block->bytes;
}

/* `align` is a power of two, at most that of max_align_t. */
static void *
take(struct tn_arena *arena, size_t size, size_t align)
{
  size_t start = (arena->used + align - 1) & ~(align - 1);
  struct tn_arena_block *block = arena->blocks;

  if (block == NULL || start > block->capacity ||
      size > block->capacity - start) {
    if (size > LARGE)
      return take_large(arena, size);
    block = block_new(USUAL_CAPACITY);
    if (block == NULL)
      return NULL;
    block->next = arena->blocks;
    arena->blocks = block;
    start = 0;
  }
  arena->used = start + size;
  return block->bytes + start;
}

static void
release_blocks(struct tn_arena_block *block)
{
  while (block != NULL) {
    struct tn_arena_block *next = block->next;

    tn_memory_free(block);
    block = next;
  }
}

void
tn_arena_init(struct tn_arena *arena)
{
  arena->blocks = NULL;
  arena->used = 0;
}

void *
tn_arena_alloc(struct tn_arena *arena, size_t size)
{
  return take(arena, size > 0 ? size : 1, alignof(max_align_t));
}

char *
tn_arena_text(struct tn_arena *arena, const char *text, size_t size)
{
  char *copy = size < PTRDIFF_MAX ? take(arena, size + 1, 1) : NULL;

  if (copy == NULL)
    return NULL;
  if (size > 0)
    memcpy(copy, text, size);
  copy[size] = '\0';
  return copy;
}

void
tn_arena__release(struct tn_arena *arena)
{
  struct tn_arena_block **link = &arena->blocks;
  struct tn_arena_block *kept;

  while (*link != NULL && (*link)->capacity != USUAL_CAPACITY)
    link = &(*link)->next;
  kept = *link;
  if (kept != NULL) {
    *link = kept->next;
    kept->next = NULL;
  }
  release_blocks(arena->blocks);
  arena->blocks = kept;
  arena->used = 0;
}

void
tn_arena_clear(struct tn_arena *arena)
{
  release_blocks(arena->blocks);
  tn_arena_init(arena);
}
