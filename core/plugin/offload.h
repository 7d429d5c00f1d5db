/* Blocking functions in threads of their own: the host's offload(). */
#ifndef TENON_OFFLOAD_H
#define TENON_OFFLOAD_H

#include "host.h"

/* How many jobs at work may have been left behind, in the whole process, when
 * another one is begun: each holds a thread, maybe for ever. */
#define TN_OFFLOAD_LEFT_MAX 64

/* The slot; tenon/plugin.h says what it does. */
int32_t tn_host__offload(struct tn_call *call, void (*run)(void *job),
                         void (*release)(void *job), void *job, int64_t until);

/* Jobs that are at work and that nobody waits for any more. */
long tn_offload_left(void);

#endif
