/* Listeners, and telling them. No lock, so that a child after fork is none the
 * worse: the list only grows, and who is removed stays in it, marked. */
#ifndef TENON_EVENT_PRIV_H
#define TENON_EVENT_PRIV_H

#include <stdatomic.h>
#include <stdbool.h>
#include <tenon/event.h>

#include "base_priv.h"

struct tn_listener;

struct tn_listeners {
  _Atomic uint32_t kinds; /* that anybody listens to, or has listened to */
  struct tn_listener *_Atomic first;
  _Atomic uint64_t last_id;
  tn_engine *engine;
  int process; /* in which the waits of unlisten() make sense */
};

void tn_listeners__init(struct tn_listeners *listeners, tn_engine *engine);
void tn_listeners__clear(struct tn_listeners *listeners);

enum tn_code tn_listeners__add(struct tn_listeners *listeners, uint32_t kinds,
                               tn_event_fn call, void *user, uint64_t *ret_id,
                               tn_err *err);
void tn_listeners__remove(struct tn_listeners *listeners, uint64_t id);

/* Does anybody want to know? `listeners` may be NULL. */
static inline bool
tn_listeners__want(const struct tn_listeners *list, uint32_t kinds)
{
  return list != NULL &&
         (atomic_load_explicit(&list->kinds, memory_order_relaxed) & kinds) !=
             0;
}

/* Tell all of them, or until one returns another code than TN_OK if
 * `may_refuse`, whose code this returns. Fills in struct_size and engine. */
enum tn_code tn_listeners__tell(struct tn_listeners *listeners,
                                struct tn_event *event, bool may_refuse);

#endif
