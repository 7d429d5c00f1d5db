/* The one place where Tenon's memory comes from and goes to.
 *
 * Everything above allocates through here, so that an appliance can bring its
 * own allocator and a test can fail each allocation in turn. */
#include <tenon/memory.h>

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base_priv.h"

static void *
libc_alloc(size_t size, void *user)
{
  (void)user;
  return malloc(size);
}

static void *
libc_resize(void *memory, size_t size, void *user)
{
  (void)user;
  return realloc(memory, size);
}

static void
libc_release(void *memory, void *user)
{
  (void)user;
  free(memory);
}

/* clang-format off */
#define LIBC_ALLOCATOR { libc_alloc, libc_resize, libc_release, NULL }
/* clang-format on */

/* Read without a lock by every thread. That is safe because
 * tn_allocator_set() may be called only while nobody uses Tenon. */
static struct tn_allocator current = LIBC_ALLOCATOR;

/* No object is larger than PTRDIFF_MAX. Zero bytes become one, so that NULL
 * always means that there is no memory, whatever the allocator does. */
static bool
usable_size(size_t *size)
{
  if (*size == 0)
    *size = 1;
  return *size <= PTRDIFF_MAX;
}

void
tn_allocator_set(const struct tn_allocator *allocator)
{
  static const struct tn_allocator libc = LIBC_ALLOCATOR;

  if (allocator == NULL) {
    current = libc;
    return;
  }
  assert(allocator->alloc != NULL && allocator->resize != NULL &&
         allocator->release != NULL);
  current = *allocator;
}

void *
tn_memory_alloc(size_t size)
{
  if (!usable_size(&size))
    return NULL;
  return current.alloc(size, current.user);
}

void *
tn_memory_zalloc(size_t size)
{
  void *memory = tn_memory_alloc(size);

  if (memory != NULL)
    memset(memory, 0, size);
  return memory;
}

void *
tn_memory_resize(void *memory, size_t size)
{
  if (!usable_size(&size))
    return NULL;
  return current.resize(memory, size, current.user);
}

void
tn_memory_free(void *memory)
{
  if (memory != NULL)
    current.release(memory, current.user);
}

void
tn_memory_wipe(void *memory, size_t size)
{
  /* Unlike memset(), never dropped as a store that nobody reads. */
  if (size > 0)
    explicit_bzero(memory, size);
}

char *
tn_memory_text(const char *text, size_t size)
{
  char *copy = size < PTRDIFF_MAX ? tn_memory_alloc(size + 1) : NULL;

  if (copy == NULL)
    return NULL;
  if (size > 0)
    memcpy(copy, text, size);
  copy[size] = '\0';
  return copy;
}
