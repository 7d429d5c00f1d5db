/* Memory that is released all at once. */
#include "arena.h"

#include <criterion/criterion.h>
#include <stdalign.h>
#include <string.h>

#include "oom.h"

static bool
is_aligned(const void *memory)
{
  return (uintptr_t)memory % alignof(max_align_t) == 0;
}

Test(arena, costs_nothing_until_it_is_used)
{
  struct tn_arena arena;

  oom_fail_nth(1, true);
  tn_arena_init(&arena);
  tn_arena_reset(&arena);
  tn_arena_clear(&arena);
  tn_arena_clear(&arena);
  cr_expect_eq(oom_count(), 0);
  oom_reset();
}

Test(arena, pieces_are_aligned_apart_and_never_move)
{
  enum { PIECES = 4000 };
  static unsigned char *pieces[PIECES];
  struct tn_arena arena = { 0 };

  for (size_t i = 0; i < PIECES; i++) {
    size_t size = i % 97;

    pieces[i] = tn_arena_alloc(&arena, size);
    cr_assert_not_null(pieces[i]);
    cr_assert(is_aligned(pieces[i]), "piece %zu", i);
    memset(pieces[i], (int)(i % 251), size);
  }
  for (size_t i = 0; i < PIECES; i++) {
    for (size_t at = 0; at < i % 97; at++)
      cr_assert_eq(pieces[i][at], i % 251, "piece %zu, byte %zu", i, at);
  }
  tn_arena_clear(&arena);
}

Test(arena, no_bytes_give_an_address_of_their_own)
{
  struct tn_arena arena = { 0 };
  void *a = tn_arena_alloc(&arena, 0), *b = tn_arena_alloc(&arena, 0);

  cr_expect_not_null(a);
  cr_expect_neq(a, b);
  tn_arena_clear(&arena);
}

Test(arena, pieces_of_every_size_around_a_block_fit)
{
  for (size_t size = 1; size < 40000; size += size < 1900 ? 61 : 13) {
    struct tn_arena arena = { 0 };
    char *small = tn_arena_alloc(&arena, 7), *large, *next;

    cr_assert_not_null(small);
    memset(small, 's', 7);
    large = tn_arena_alloc(&arena, size);
    cr_assert_not_null(large);
    memset(large, 'l', size);
    next = tn_arena_alloc(&arena, 7);
    cr_assert_not_null(next);
    memset(next, 'n', 7);
    cr_assert(is_aligned(large) && is_aligned(next), "size %zu", size);
    cr_assert_arr_eq(small, "sssssss", 7, "size %zu", size);
    cr_assert(large[0] == 'l' && large[size - 1] == 'l', "size %zu", size);
    tn_arena_clear(&arena);
  }
}

Test(arena, a_large_piece_leaves_the_rest_of_the_block_in_use)
{
  struct tn_arena arena = { 0 };

  oom_fail_nth(0, false);
  cr_assert_not_null(tn_arena_alloc(&arena, 16));
  for (int i = 0; i < 10; i++) {
    cr_assert_not_null(tn_arena_alloc(&arena, 100000));
    cr_assert_not_null(tn_arena_alloc(&arena, 16));
  }
  cr_expect_eq(oom_count(), 11, "%ld blocks", oom_count());
  tn_arena_clear(&arena);
  cr_expect_eq(oom_live(), 0);
  oom_reset();
}

Test(arena, a_large_piece_as_the_first_one_is_followed_by_small_ones)
{
  struct tn_arena arena = { 0 };
  char *large = tn_arena_alloc(&arena, 100001), *text;

  cr_assert_not_null(large);
  memset(large, 'l', 100001);
  text = tn_arena_text(&arena, "abc", 3);
  cr_expect_str_eq(text, "abc");
  cr_expect_eq(large[100000], 'l');
  tn_arena_clear(&arena);
}

Test(arena, impossible_sizes_are_refused_and_leave_it_usable)
{
  struct tn_arena arena = { 0 };

  cr_expect_null(tn_arena_alloc(&arena, SIZE_MAX));
  cr_expect_null(tn_arena_alloc(&arena, (size_t)PTRDIFF_MAX));
  cr_expect_null(tn_arena_text(&arena, "x", SIZE_MAX));
  cr_expect_null(tn_arena_text(&arena, "x", (size_t)PTRDIFF_MAX));
  cr_expect_not_null(tn_arena_alloc(&arena, 1));
  cr_expect_null(tn_arena_alloc(&arena, SIZE_MAX - 15));
  cr_expect_not_null(tn_arena_alloc(&arena, 1));
  tn_arena_clear(&arena);
}

Test(arena, text_is_copied_with_its_nul_bytes)
{
  struct tn_arena arena = { 0 };
  char *a = tn_arena_text(&arena, "abcdef", 3);
  char *b = tn_arena_text(&arena, "x\0y", 3);
  char *c = tn_arena_text(&arena, NULL, 0);
  void *d = tn_arena_alloc(&arena, 8);

  cr_expect_str_eq(a, "abc");
  cr_expect_arr_eq(b, "x\0y", 4);
  cr_expect_str_eq(c, "");
  cr_expect(is_aligned(d));
  tn_arena_clear(&arena);
}

Test(arena, reset_keeps_one_usual_block_for_the_next_use)
{
  struct tn_arena arena = { 0 };

  oom_fail_nth(0, false);
  for (int round = 0; round < 3; round++) {
    cr_assert_not_null(tn_arena_alloc(&arena, 1000000));
    for (int i = 0; i < 100; i++)
      cr_assert_not_null(tn_arena_alloc(&arena, 1000));
    tn_arena_reset(&arena);
    cr_assert_eq(oom_live(), 1, "round %d", round);
  }
  oom_fail_nth(1, true);
  cr_expect_not_null(tn_arena_alloc(&arena, 1000));
  cr_expect_eq(oom_count(), 0);
  tn_arena_clear(&arena);
  cr_expect_eq(oom_live(), 0);
  oom_reset();
}

Test(arena, reset_does_not_keep_a_large_block)
{
  struct tn_arena arena = { 0 };

  oom_fail_nth(0, false);
  cr_assert_not_null(tn_arena_alloc(&arena, 1000000));
  tn_arena_reset(&arena);
  cr_expect_eq(oom_live(), 0);
  oom_reset();
}

Test(arena, without_memory_it_says_so_and_goes_on_later)
{
  for (long nth = 1;; nth++) {
    struct tn_arena arena = { 0 };
    int failures = 0;

    oom_fail_nth(nth, false);
    for (size_t size = 1; size < 200000; size = size * 3 + 1) {
      char *piece = tn_arena_alloc(&arena, size);

      failures += piece == NULL;
      if (piece != NULL)
        memset(piece, 1, size);
      failures += tn_arena_text(&arena, "text", 4) == NULL;
    }
    tn_arena_clear(&arena);
    cr_assert_eq(oom_live(), 0, "allocation %ld", nth);
    if (oom_count() < nth) {
      cr_expect_eq(failures, 0);
      cr_expect_gt(nth, 3, "the walk has seen several allocations");
      break;
    }
    cr_assert_eq(failures, 1, "allocation %ld: %d failures", nth, failures);
  }
  oom_reset();
}
