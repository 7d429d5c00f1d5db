#include "event.h"

#include <sched.h>
#include <unistd.h>

#include "db_priv.h"

struct tn_listener {
  struct tn_listener *_Atomic next;
  tn_event_fn call;
  void *user;
  uint64_t id;
  uint32_t kinds;
  _Atomic uint32_t is_removed;
  _Atomic uint32_t running; /* threads that are inside */
};

/* How deep the calling thread is inside listeners. */
static _Thread_local unsigned depth;

void
tn_listeners__init(struct tn_listeners *listeners, tn_engine *engine)
{
  listeners->engine = engine;
  listeners->process = (int)getpid();
}

void
tn_listeners__clear(struct tn_listeners *listeners)
{
  struct tn_listener *listener = atomic_load(&listeners->first);

  while (listener != NULL) {
    struct tn_listener *next = atomic_load(&listener->next);

    tn_memory_free(listener);
    listener = next;
  }
  atomic_store(&listeners->first, NULL);
}

/* At the end of the list. */
static void
append(struct tn_listeners *listeners, struct tn_listener *listener)
{
  struct tn_listener *_Atomic *end = &listeners->first;
  struct tn_listener *there = NULL;

  while (!atomic_compare_exchange_strong(end, &there, listener)) {
    end = &there->next;
    there = NULL;
  }
}

enum tn_code
tn_listeners__add(struct tn_listeners *listeners, uint32_t kinds,
                  tn_event_fn call, void *user, uint64_t *ret_id, tn_err *err)
{
  struct tn_listener *listener = tn_memory_zalloc(sizeof *listener);

  if (listener == NULL)
    return tn_err_memory(err, "engine");
  listener->call = call;
  listener->user = user;
  listener->kinds = kinds;
  listener->id = atomic_fetch_add(&listeners->last_id, 1) + 1;
  if (ret_id != NULL)
    *ret_id = listener->id;
  append(listeners, listener);
  atomic_fetch_or(&listeners->kinds, kinds);
  return TN_OK;
}

void
tn_listeners__remove(struct tn_listeners *listeners, uint64_t id)
{
  struct tn_listener *listener = atomic_load(&listeners->first);

  while (listener != NULL && listener->id != id)
    listener = atomic_load(&listener->next);
  if (listener == NULL)
    return;
  atomic_store(&listener->is_removed, 1);

  /* The threads of a parent process are not here to leave it. */
  while (depth == 0 && atomic_load(&listener->running) > 0 &&
         listeners->process == (int)getpid())
    sched_yield();
}

/* Whoever removes it marks it first and looks who is inside then; here it is
 * the other way round, so that one of them sees the other. */
static enum tn_code
call(struct tn_listener *listener, struct tn_event *event)
{
  enum tn_code rc = TN_OK;

  atomic_fetch_add(&listener->running, 1);
  if (atomic_load(&listener->is_removed) == 0) {
    depth++;
    rc = listener->call(event, listener->user);
    depth--;
  }
  atomic_fetch_sub(&listener->running, 1);
  return rc;
}

enum tn_code
tn_listeners__tell(struct tn_listeners *listeners, struct tn_event *event,
                   bool may_refuse)
{
  struct tn_listener *listener = atomic_load(&listeners->first);
  tn_conn *conn = event->conn; /* whatever a listener makes of that */
  enum tn_code rc = TN_OK;

  event->struct_size = sizeof *event;
  event->engine = listeners->engine;
  if (conn != NULL)
    conn->told++;
  for (; listener != NULL; listener = atomic_load(&listener->next)) {
    if ((listener->kinds & TN_EVENT_BIT(event->kind)) == 0)
      continue;
    rc = call(listener, event);
    if (rc != TN_OK && may_refuse)
      break;
    rc = TN_OK;
  }
  if (conn != NULL)
    conn->told--;
  return rc;
}
