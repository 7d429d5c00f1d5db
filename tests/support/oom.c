/* An allocator that fails on demand.
 *
 * Out of memory is an error like any other, so every allocation of a call must
 * be seen to fail once. A machine that is really short of memory cannot be
 * had in a test; this can. */
#include "oom.h"

#include <stdatomic.h>
#include <stdlib.h>

#include <tenon/memory.h>

static atomic_long count;
static atomic_long live;
static atomic_long fail_from;
static atomic_bool fail_after;

static bool
must_fail(void)
{
  long now = atomic_fetch_add(&count, 1) + 1;
  long from = atomic_load(&fail_from);

  return from > 0 && (now == from || (now > from && atomic_load(&fail_after)));
}

static void *
oom_alloc(size_t size, void *user)
{
  void *memory;

  (void)user;
  memory = must_fail() ? NULL : malloc(size);
  if (memory != NULL)
    atomic_fetch_add(&live, 1);
  return memory;
}

static void *
oom_resize(void *memory, size_t size, void *user)
{
  void *resized;

  (void)user;
  resized = must_fail() ? NULL : realloc(memory, size);
  if (resized != NULL && memory == NULL)
    atomic_fetch_add(&live, 1);
  return resized;
}

static void
oom_release(void *memory, void *user)
{
  (void)user;
  if (memory == NULL)
    return;
  atomic_fetch_sub(&live, 1);
  free(memory);
}

void
oom_fail_nth(long nth, bool and_all_after)
{
  static const struct tn_allocator allocator = { oom_alloc, oom_resize,
                                                 oom_release, NULL };

  atomic_store(&count, 0);
  atomic_store(&fail_from, nth);
  atomic_store(&fail_after, and_all_after);
  tn_allocator_set(&allocator);
}

long
oom_count(void)
{
  return atomic_load(&count);
}

long
oom_live(void)
{
  return atomic_load(&live);
}

void
oom_reset(void)
{
  tn_allocator_set(NULL);
  atomic_store(&count, 0);
  atomic_store(&live, 0);
  atomic_store(&fail_from, 0);
  atomic_store(&fail_after, false);
}
