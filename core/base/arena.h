/* Memory that is released all at once.
 *
 * An arena is embedded in its owner and costs nothing until it is used. It
 * grows by blocks; what it gives never moves. One thread at a time. */
#ifndef TENON_ARENA_H
#define TENON_ARENA_H

#include "base_priv.h"

struct tn_arena_block;

struct tn_arena {
  struct tn_arena_block *blocks; /* newest first */
  size_t used;                   /* bytes of the newest block */
};

/* A zeroed arena is ready as well. */
void tn_arena_init(struct tn_arena *arena);

/* `size` bytes aligned for any type, not zeroed, until the arena is reset or
 * cleared; NULL without memory. `size` 0 gives a unique address too. */
void *tn_arena_alloc(struct tn_arena *arena, size_t size);

/* A copy of `size` bytes of text, ended by NUL; NULL without memory. */
char *tn_arena_text(struct tn_arena *arena, const char *text, size_t size);

/* The rest of tn_arena_reset(), of an arena that has blocks. */
void tn_arena__release(struct tn_arena *arena);

/* Forget everything but keep one block of the usual size for the next use.
 * There mostly is nothing, and that is found out once a row. */
static inline void
tn_arena_reset(struct tn_arena *arena)
{
  if (arena->blocks != NULL)
    tn_arena__release(arena);
}

/* Release everything. Idempotent. */
void tn_arena_clear(struct tn_arena *arena);

#endif
