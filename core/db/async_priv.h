/* What the files of async share, and what a pool needs of them. */
#ifndef TENON_ASYNC_PRIV_H
#define TENON_ASYNC_PRIV_H

#include <stdbool.h>
#include <tenon/async.h>
#include <tenon/conn.h>
#include <ucontext.h>

/* ---- async_stack.c: a stack of its own, the way there and back ---- */

/* The fields of a tool are unused in builds without it. */
struct tn_async_stack {
  ucontext_t inside;
  ucontext_t outside;
  char *memory; /* a page that cannot be touched, then the stack */
  size_t size;  /* of both; memory NULL: there is none */
  size_t guard;

  /* AddressSanitizer's: what it keeps of frames, and whose stack is outside. */
  void *fake_inside;
  void *fake_outside;
  const void *outside_bottom;
  size_t outside_size;

  /* ThreadSanitizer's. */
  void *fiber;
  void *outside_fiber;

  unsigned valgrind_id;
};

/* Make a stack on which `entry` will run. False: no memory. */
bool tn_async__map(struct tn_async_stack *stack, size_t bytes,
                   void (*entry)(void));

/* No-op if there is none. */
void tn_async__unmap(struct tn_async_stack *stack);

/* Go there, until it leaves. */
void tn_async__enter(struct tn_async_stack *stack);

/* The first thing that `entry` does. */
void tn_async__arrive(struct tn_async_stack *stack);

/* Go back to whoever entered; `is_last`: for ever. */
void tn_async__leave(struct tn_async_stack *stack, bool is_last);

/* ---- async.c ---- */

/* Is the calling function inside an asynchronous call? Has that been canceled?
 */
bool tn_async__is_inside(void);
bool tn_async__is_canceled(void);

/* Let time pass: by the application's `wait`, unless that is NULL or
 * tn_async_wait(), whose `user` is the library's. Below 0: it was ended. */
int tn_async__sleep(tn_wait_fn wait, void *user, tn_deadline until);

#endif
