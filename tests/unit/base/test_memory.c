/* The allocator every module uses, and the one that tests use to fail it. */
#include <tenon/memory.h>

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base_priv.h"
#include "oom.h"

Test(memory, zero_bytes_are_an_allocation_like_any_other)
{
  void *a = tn_memory_alloc(0), *b = tn_memory_zalloc(0), *c;

  cr_assert_not_null(a);
  cr_assert_not_null(b);
  cr_expect_neq(a, b);
  c = tn_memory_resize(a, 0);
  cr_assert_not_null(c, "resizing to 0 must not release");
  tn_memory_free(b);
  tn_memory_free(c);
  tn_memory_free(NULL);
}

Test(memory, a_size_no_object_can_have_is_refused)
{
  char *kept = tn_memory_alloc(4);

  cr_expect_null(tn_memory_alloc(SIZE_MAX));
  cr_expect_null(tn_memory_zalloc((size_t)PTRDIFF_MAX + 1));
  cr_expect_null(tn_memory_text("x", SIZE_MAX));
  cr_expect_null(tn_memory_text("x", PTRDIFF_MAX));
  cr_assert_not_null(kept);
  memcpy(kept, "abc", 4);
  cr_expect_null(tn_memory_resize(kept, SIZE_MAX));
  cr_expect_str_eq(kept, "abc");
  tn_memory_free(kept);
}

Test(memory, zalloc_zeroes_what_was_used_before)
{
  static const unsigned char zeros[512];

  for (int round = 0; round < 8; round++) {
    unsigned char *bytes = tn_memory_zalloc(sizeof(zeros));

    cr_assert_not_null(bytes);
    cr_assert_arr_eq(bytes, zeros, sizeof(zeros));
    memset(bytes, 0xA5, sizeof(zeros));
    tn_memory_free(bytes);
  }
}

Test(memory, resize_keeps_the_bytes_and_takes_null)
{
  char *bytes = tn_memory_resize(NULL, 4);

  cr_assert_not_null(bytes);
  memcpy(bytes, "abc", 4);
  bytes = tn_memory_resize(bytes, 10000);
  cr_assert_not_null(bytes);
  cr_expect_str_eq(bytes, "abc");
  tn_memory_free(bytes);
}

Test(memory, text_copies_exactly_and_ends_with_nul)
{
  char *a = tn_memory_text("abcdef", 3), *b = tn_memory_text(NULL, 0);
  char *c = tn_memory_text("a\0b", 3);

  cr_expect_str_eq(a, "abc");
  cr_expect_str_eq(b, "");
  cr_expect_arr_eq(c, "a\0b", 4);
  tn_memory_free(a);
  tn_memory_free(b);
  tn_memory_free(c);
}

Test(memory, wipe_clears_and_takes_nothing)
{
  char bytes[] = "secret";

  tn_memory_wipe(bytes, 3);
  cr_expect_arr_eq(bytes, "\0\0\0ret", sizeof(bytes));
  tn_memory_wipe(NULL, 0);
}

struct calls {
  int alloc, resize, release;
};

static void *
count_alloc(size_t size, void *user)
{
  ((struct calls *)user)->alloc++;
  return malloc(size);
}

static void *
count_resize(void *memory, size_t size, void *user)
{
  ((struct calls *)user)->resize++;
  return realloc(memory, size);
}

static void
count_release(void *memory, void *user)
{
  ((struct calls *)user)->release++;
  free(memory);
}

Test(memory, everything_goes_through_the_allocator_that_was_set)
{
  struct calls calls = { 0 };
  struct tn_allocator allocator = { count_alloc, count_resize, count_release,
                                    &calls };
  void *a, *b;

  tn_allocator_set(&allocator);
  memset(&allocator, 0, sizeof(allocator)); /* it is copied */
  a = tn_memory_alloc(1);
  b = tn_memory_zalloc(1);
  a = tn_memory_resize(a, 100);
  tn_memory_free(a);
  tn_memory_free(b);
  tn_memory_free(NULL);
  tn_allocator_set(NULL);
  tn_memory_free(tn_memory_alloc(1));

  cr_expect_eq(calls.alloc, 2);
  cr_expect_eq(calls.resize, 1);
  cr_expect_eq(calls.release, 2);
}

Test(memory, the_failing_allocator_fails_the_chosen_ones)
{
  void *a, *c;

  oom_fail_nth(2, false);
  a = tn_memory_alloc(1);
  cr_expect_not_null(a);
  cr_expect_null(tn_memory_alloc(1));
  c = tn_memory_text("x", 1);
  cr_expect_not_null(c);
  cr_expect_eq(oom_count(), 3);
  cr_expect_eq(oom_live(), 2);

  oom_fail_nth(1, true);
  cr_expect_null(tn_memory_resize(a, 64), "a failed resize keeps the block");
  cr_expect_null(tn_memory_zalloc(1));
  cr_expect_null(tn_memory_text("x", 1));
  cr_expect_eq(oom_count(), 3);
  cr_expect_eq(oom_live(), 2);

  tn_memory_free(a);
  tn_memory_free(c);
  cr_expect_eq(oom_live(), 0);
  oom_reset();
  cr_expect_eq(oom_count(), 0);
  a = tn_memory_alloc(1);
  cr_expect_not_null(a);
  cr_expect_eq(oom_count(), 0);
  tn_memory_free(a);
}
