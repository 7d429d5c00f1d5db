/* A host of the tests' own, so that a plug-in can be tested alone: no loader,
 * no core above it. Memory, errors and values are the core's real ones; time,
 * cancellation, threads and waiting are the test's to play with. */
#ifndef TENON_TESTS_FAKE_HOST_H
#define TENON_TESTS_FAKE_HOST_H

#include <stdbool.h>
#include <tenon/plugin.h>

/* A call into the plug-in. May be used for one call after another. */
struct fake_call {
  struct tn_call call; /* what the plug-in sees; set its deadline at will */
  tn_err err;          /* what it reported */
  const struct tn_dialect_table *dialect; /* whose error rows count; or NULL */
  int32_t stop; /* what check() and wait() say from the `stop_after`th question
                   on: TN_E_CANCELED, TN_E_TIMEOUT; 0: never */
  long stop_after;
  long checks; /* questions so far, to both */
  long waits;
  int64_t waited_ns;           /* asked for, in all, where there is an end */
  void (*on_wait)(void *user); /* runs at each wait, before it; or NULL */
  void *user;
  int32_t offload_fails; /* category with which offload() refuses, from the
                            `offload_fails_after`th on; 0: it never does, and
                            runs the function in place */
  long offload_fails_after;
  long offloads;         /* functions handed over so far */
  long graces;           /* how often grace() was called */
  int64_t grace_ns;      /* what the first asked for */
  bool is_grace;         /* from then on `stop` and the old deadline count for
                            nothing, and an error that is set stays */
  bool is_grace_useless; /* grace() gives no time at all */
  bool is_kept;          /* the last failure was not put into `err` */
  char log[512];         /* the last line written */
  uint32_t log_level;
};

/* A call without a deadline and without an arena; set `call.arena` at will.
 * wait() looks at real descriptors. */
void fake_call_init(struct fake_call *fake,
                    const struct tn_dialect_table *dialect);

/* Forget error, counters and what to stop at; the deadline is `ms` from now,
 * 0: none. */
void fake_call_again(struct fake_call *fake, uint64_t ms);

#endif
