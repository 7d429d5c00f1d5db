/* Changing stacks, and telling the tools that watch them. */
#include "async_priv.h"

#include <sys/mman.h>
#include <unistd.h>

#if defined(__has_feature)
#define HAS_FEATURE(name) __has_feature(name)
#else
#define HAS_FEATURE(name) 0
#endif

#if defined(__SANITIZE_ADDRESS__) || HAS_FEATURE(address_sanitizer)
#define HAS_ASAN 1
#include <sanitizer/common_interface_defs.h>
#else
#define HAS_ASAN 0
#endif

#if defined(__SANITIZE_THREAD__) || HAS_FEATURE(thread_sanitizer)
#define HAS_TSAN 1
#include <sanitizer/tsan_interface.h>
#else
#define HAS_TSAN 0
#endif

/* Requests that are no-ops unless Valgrind runs the program. */
#if defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#endif
#endif

/* ---- the tools ---- */

/* All before a change of stacks; `kept` is where frames of the present one are
 * kept for the way back, NULL if there is none. */
static void
announce(void **kept, const void *bottom, size_t size, void *fiber)
{
#if HAS_ASAN
  __sanitizer_start_switch_fiber(kept, bottom, size);
#endif
#if HAS_TSAN
  __tsan_switch_to_fiber(fiber, 0);
#endif
  (void)kept;
  (void)bottom;
  (void)size;
  (void)fiber;
}

/* After it. */
static void
confirm(void *kept, const void **ret_bottom, size_t *ret_size)
{
#if HAS_ASAN
  __sanitizer_finish_switch_fiber(kept, ret_bottom, ret_size);
#endif
  (void)kept;
  (void)ret_bottom;
  (void)ret_size;
}

static void
register_stack(struct tn_async_stack *stack)
{
#if HAS_TSAN
  stack->fiber = __tsan_create_fiber(0);
#endif
#ifdef VALGRIND_STACK_REGISTER
  stack->valgrind_id = VALGRIND_STACK_REGISTER(stack->memory + stack->guard,
                                               stack->memory + stack->size);
#endif
  (void)stack;
}

static void
deregister_stack(struct tn_async_stack *stack)
{
#if HAS_TSAN
  __tsan_destroy_fiber(stack->fiber);
#endif
#ifdef VALGRIND_STACK_DEREGISTER
  VALGRIND_STACK_DEREGISTER(stack->valgrind_id);
#endif
  (void)stack;
}

/* ---- the stack ---- */

bool
tn_async__map(struct tn_async_stack *stack, size_t bytes, void (*entry)(void))
{
  size_t page = (size_t)sysconf(_SC_PAGESIZE);
  void *memory;

  if (bytes > SIZE_MAX - 2 * page)
    return false;
  stack->guard = page;
  stack->size = page + (bytes + page - 1) / page * page;
  memory = mmap(NULL, stack->size, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    return false;
  if (mprotect(memory, page, PROT_NONE) != 0 ||
      getcontext(&stack->inside) != 0) {
    munmap(memory, stack->size);
    return false;
  }
  stack->memory = memory;
  stack->inside.uc_stack.ss_sp = stack->memory + page;
  stack->inside.uc_stack.ss_size = stack->size - page;
  stack->inside.uc_link = NULL;
  makecontext(&stack->inside, entry, 0);
  register_stack(stack);
  return true;
}

void
tn_async__unmap(struct tn_async_stack *stack)
{
  if (stack->memory == NULL)
    return;
  deregister_stack(stack);
  munmap(stack->memory, stack->size);
  stack->memory = NULL;
}

/* ---- changing ---- */

void
tn_async__enter(struct tn_async_stack *stack)
{
#if HAS_TSAN
  stack->outside_fiber = __tsan_get_current_fiber();
#endif
  announce(&stack->fake_outside, stack->inside.uc_stack.ss_sp,
           stack->inside.uc_stack.ss_size, stack->fiber);
  swapcontext(&stack->outside, &stack->inside);
  confirm(stack->fake_outside, NULL, NULL);
}

void
tn_async__arrive(struct tn_async_stack *stack)
{
  confirm(NULL, &stack->outside_bottom, &stack->outside_size);
}

void
tn_async__leave(struct tn_async_stack *stack, bool is_last)
{
  announce(is_last ? NULL : &stack->fake_inside, stack->outside_bottom,
           stack->outside_size, stack->outside_fiber);
  swapcontext(&stack->inside, &stack->outside);
  confirm(stack->fake_inside, &stack->outside_bottom, &stack->outside_size);
}
