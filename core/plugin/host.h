/* The core's end of a call into a plug-in: who may fail it, stop it, and how
 * it waits. */
#ifndef TENON_HOST_H
#define TENON_HOST_H

#include <stdatomic.h>
#include <tenon/clock.h>
#include <tenon/log.h>
#include <tenon/plugin.h>

#include "arena.h"

struct tn_backend;
struct tn_override;

/* One call. The plug-in sees its first member only. */
struct tn_host_call {
  struct tn_call call;
  tn_err *err;                            /* never NULL */
  const struct tn_dialect_table *dialect; /* whose error rows count; NULL while
                                             the plug-in is being loaded */
  const char *backend;                    /* its name, for the error */
  const struct tn_log *log;               /* or NULL */
  const _Atomic uint32_t *canceled;       /* not 0: stop; or NULL */
  int (*wait)(int fd, uint32_t events, tn_deadline until, void *user);
  void *wait_user; /* `wait` NULL: poll(2) */
  int wake_fd;     /* readable once `canceled` is set; -1: none */
  bool is_grace;   /* grace() was called; call.deadline is its end */
  int32_t stopped; /* what check() had said by then, or would have */
  bool is_kept;    /* the last failure was not put into `err` */
  int32_t failed;  /* category that the host has put into `err` during this
                      call; 0: none. backend.c clears it before each call */
  const struct tn_backend *of;        /* set by backend.c, for the defaults of
                                         optional slots, and whose overrides count */
  const struct tn_override *override; /* that the last failure met, or NULL */
};

/* The one host table, static.
 *
 * wait() with `canceled` given ends as soon as `wake_fd` is readable. Without
 * that descriptor, and in an application's `wait`, which knows nothing of it,
 * it looks at `canceled` every 50 ms. fail() takes the text as it comes: its
 * first line is the message, further ones go to the detail; passwords are
 * masked. grace() lasts for all further calls made with the same struct. */
const struct tn_host *tn_host_table(void);

/* The wait of calls whose application brought none: what tn_wait_fn (conn.h)
 * says, with poll(2). That `wake_fd` is readable only ends it; -1: none. */
int tn_host_poll(int fd, int wake_fd, uint32_t events, tn_deadline until);

/* Fill in what a call needs at least; the rest is zeroed. `deadline` 0 is
 * none. */
void tn_host_call_init(struct tn_host_call *call, tn_deadline deadline,
                       struct tn_arena *arena, tn_err *err);

#endif
