/* Blocking functions in threads of their own: the host's offload(). */
#ifndef TENON_OFFLOAD_H
#define TENON_OFFLOAD_H

#include "host.h"

/* How many jobs at work may have been left behind, in the whole process, when
 * another one is begun: each holds a thread, maybe for ever. */
#define TN_OFFLOAD_LEFT_MAX 64

/* The same after grace(): what brings sessions in order, and may be left
 * undone, leaves room for those who still have time. A server that is cut off
 * would otherwise keep everybody from connecting to any. */
#define TN_OFFLOAD_GRACE_MAX 32

/* The slot; tenon/plugin.h says what it does. */
int32_t tn_host__offload(struct tn_call *call, void (*run)(void *job),
                         void (*release)(void *job), void *job, int64_t until);

/* Jobs that are at work and that nobody waits for any more. */
long tn_offload_left(void);

#endif
