/* In which order plug-ins try several hosts, and how they share the time. */
#include <criterion/criterion.h>
#include <tenon/plugin.h>

static int64_t clock_ns;

static int64_t
read_clock(void)
{
  return clock_ns;
}

static const struct tn_host host = { .size = sizeof host, .now = read_clock };
static const struct tn_call call = { .size = sizeof call, .host = &host };

Test(turns, are_in_the_order_of_the_url_unless_it_is_random)
{
  struct tn_host_turns turns;
  uint32_t i;

  clock_ns = 12345;
  tn_host_begin(&turns, &call, 3, 0);
  for (i = 0; i < 3; i++) {
    cr_expect_eq(tn_host_next(&turns), i);
    cr_expect_eq(tn_host_left(&turns), 3 - i);
  }
  cr_expect_eq(tn_host_next(&turns), 3, "none is left");
}

/* Of three hosts each of the six orders, about as often. */
Test(turns, in_a_random_order_reach_every_host_and_favour_none)
{
  unsigned seen[3][3][3] = { 0 };
  unsigned i;

  for (i = 0; i < 6000; i++) {
    struct tn_host_turns turns;
    uint32_t a, b, c;

    clock_ns += 1000 + i % 7;
    tn_host_begin(&turns, &call, 3, 1);
    a = tn_host_next(&turns);
    b = tn_host_next(&turns);
    c = tn_host_next(&turns);
    cr_assert(a < 3 && b < 3 && c < 3 && a != b && b != c && a != c, "%u %u %u",
              a, b, c);
    cr_assert_eq(tn_host_next(&turns), 3);
    seen[a][b][c]++;
  }
  for (i = 0; i < 27; i++) {
    unsigned a = i / 9, b = i / 3 % 3, c = i % 3;

    if (a != b && b != c && a != c)
      cr_expect(seen[a][b][c] > 700 && seen[a][b][c] < 1300, "%u %u %u: %u", a,
                b, c, seen[a][b][c]);
  }
}

Test(turns, come_once_more_for_what_was_set_aside)
{
  struct tn_host_turns turns;

  tn_host_begin(&turns, &call, 3, 0);
  cr_expect_eq(tn_host_next(&turns), 0);
  turns.aside |= UINT64_C(1) << 0;
  cr_expect_eq(tn_host_left(&turns), 4, "one of them is kept for a second go");
  cr_expect_eq(tn_host_next(&turns), 1);
  cr_expect_eq(tn_host_next(&turns), 2);
  turns.aside |= UINT64_C(1) << 2;
  cr_expect_eq(turns.taken, turns.count, "the first round");
  cr_expect_eq(tn_host_next(&turns), 0);
  cr_expect_gt(turns.taken, turns.count, "the second round");
  cr_expect_geq(tn_host_left(&turns), 2);
  cr_expect_eq(tn_host_next(&turns), 2);
  cr_expect_eq(tn_host_left(&turns), 1);
  cr_expect_eq(tn_host_next(&turns), 3, "none is left");
  cr_expect_eq(tn_host_next(&turns), 3);
}

Test(turns, of_many_hosts_are_all_taken)
{
  struct tn_host_turns turns;
  uint32_t taken = 0;

  clock_ns = 987654321;
  tn_host_begin(&turns, &call, 100, 1);
  while (tn_host_next(&turns) < 100)
    taken++;
  cr_expect_eq(taken, 100);
}
