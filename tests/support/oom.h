/* An allocator that fails on demand, for walking out-of-memory paths:
 *
 *   for (long nth = 1;; nth++) {
 *     oom_fail_nth(nth, false);
 *     rc = what_is_tested(…);
 *     … release what it made …
 *     cr_assert_eq(oom_live(), 0, "allocation %ld", nth);
 *     if (oom_count() < nth)
 *       break; // it got by without that allocation: the walk is over
 *   }
 *   oom_reset();
 *
 * It hands out memory of malloc() as it is, so that it may be installed and
 * removed while memory is held. The counters are safe with threads. */
#ifndef TENON_TESTS_OOM_H
#define TENON_TESTS_OOM_H

#include <stdbool.h>

/* Install the allocator and let the `nth` allocation from now fail, counted
 * from 1; with `and_all_after`, every later one too. 0: none fails, they are
 * only counted. A change of size counts as an allocation. The count of blocks
 * that are live goes on. */
void oom_fail_nth(long nth, bool and_all_after);

/* Allocations asked for since oom_fail_nth(), the failed ones included. */
long oom_count(void);

/* Blocks allocated and not yet released since the allocator was installed. */
long oom_live(void);

/* Go back to malloc and forget all counts. */
void oom_reset(void);

#endif
