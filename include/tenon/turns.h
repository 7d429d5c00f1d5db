/* Whose turn it is when a URL names several servers: what the backends with
 * TN_CAP_NETWORK do alike. Part of plugin.h; no code of the core, only calls of
 * the host. */
#ifndef TENON_TURNS_H
#define TENON_TURNS_H

#include <tenon/plugin.h>

TN_BEGIN_DECLS

/* How one of a URL's servers is chosen: a row for every backend with
 * TN_CAP_NETWORK. In the URL's order; in another one each time; only one that
 * takes writes; only one that does not; the same, or else any. */
#define TN_HOST_POLICY_ROW                                                     \
  {                                                                            \
    "host_policy", TN_OPTION_CHOICE, 0, 0, 0,                                  \
        "first|random|primary|standby|prefer-standby", "first",                \
        "which of several servers: in order, shuffled, or by what it is"       \
  }

/* Whose turn it is: each host's, then once more that of those that the plug-in
 * has set aside in the first round. The plug-in's own, like its locals. */
struct tn_host_turns {
  uint32_t count;
  uint32_t taken; /* more than `count`: it is the second round */
  uint64_t order; /* 0: the URL's */
  uint64_t aside; /* a bit each; hosts from the 64th on are never */
};

/* By a random order each host is as often before another one as behind it. */
static inline void
tn_host_begin(struct tn_host_turns *turns, const struct tn_call *call,
              uint32_t count, int is_random)
{
  memset(turns, 0, sizeof *turns);
  turns->count = count;
  if (is_random)
    turns->order = (uint64_t)call->host->now() * 0x9e3779b97f4a7c15 >> 33;
}

/* The index of the next host; `count` after the last. */
static inline uint32_t
tn_host_next(struct tn_host_turns *turns)
{
  uint32_t count = turns->count;

  while (turns->taken < 2 * count) {
    uint32_t at = turns->taken % count;
    uint32_t host = (uint32_t)((turns->order / 2 +
                                (turns->order % 2 == 0 ? at : count - at)) %
                               count);
    uint64_t bit = host < 64 ? UINT64_C(1) << host : 0;

    if (turns->taken++ < count)
      return host;
    if ((turns->aside & bit) == 0)
      continue;
    turns->aside &= ~bit;
    return host;
  }
  return count;
}

/* How many turns at most share what remains, the present one included. */
static inline uint32_t
tn_host_left(const struct tn_host_turns *turns)
{
  if (turns->taken > turns->count)
    return 2 * turns->count - turns->taken + 1;
  return turns->count - turns->taken + 1 + (turns->aside != 0);
}

TN_END_DECLS

#endif
