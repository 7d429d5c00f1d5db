/* An engine's listeners are told of what its pool and its connections do. */
#include "engine_priv.h"

/* Events that the pool tells of. */
#define POOL_KINDS                                                             \
  (TN_EVENT_BIT(TN_EVENT_TAKE) | TN_EVENT_BIT(TN_EVENT_GIVE) |                 \
   TN_EVENT_BIT(TN_EVENT_RESET) | TN_EVENT_BIT(TN_EVENT_INVALIDATE) |          \
   TN_EVENT_BIT(TN_EVENT_CLOSE))

/* tn_pool_hook_fn. What it says of connecting is told elsewhere. */
static void
pass_on(void *user, enum tn_pool_event event, tn_conn *conn, const tn_err *err)
{
  static const uint32_t kinds[] = {
    [TN_POOL_EVENT_TAKE] = TN_EVENT_TAKE,
    [TN_POOL_EVENT_GIVE] = TN_EVENT_GIVE,
    [TN_POOL_EVENT_RESET] = TN_EVENT_RESET,
    [TN_POOL_EVENT_INVALIDATE] = TN_EVENT_INVALIDATE,
    [TN_POOL_EVENT_CLOSE] = TN_EVENT_CLOSE,
  };
  tn_engine *engine = user;
  struct tn_event told = { .conn = conn, .affected = -1 };
  tn_err copy;

  if (event == TN_POOL_EVENT_CONNECT)
    return;
  told.kind = kinds[event];
  if (conn != NULL && conn->slot != NULL)
    told.label = atomic_load(&conn->slot->label);
  if (err != NULL) {
    copy = *err;
    told.err = &copy;
  }
  (void)tn_listeners__tell(&engine->listeners, &told, false);
}

enum tn_code
tn_engine__tell_connect(tn_engine *engine, tn_conn *conn, enum tn_code rc,
                        tn_err *err)
{
  struct tn_event event = {
    .kind = TN_EVENT_CONNECT, .conn = conn, .affected = -1, .err = err
  };
  enum tn_code refusal;

  if (!tn_listeners__want(&engine->listeners, TN_EVENT_BIT(TN_EVENT_CONNECT)))
    return rc;
  if (rc == TN_OK)
    tn_err_clear(err); /* of hosts that were tried before */
  refusal = tn_listeners__tell(&engine->listeners, &event, rc == TN_OK);
  if (rc != TN_OK)
    return rc;

  /* What a listener has set is how the session is when it is opened. */
  conn->is_touched = false;
  conn->is_used = false;
  if (refusal == TN_OK && conn->is_dead)
    return tn_err_set(err, TN_E_LOST, "engine: lost while it was set up");
  if (refusal != TN_OK && err->code != (int32_t)refusal)
    return tn_err_set(err, refusal, "engine: a listener refused the session");
  return refusal;
}

void
tn_engine__hook(tn_engine *engine, uint32_t kinds)
{
  if ((kinds & POOL_KINDS) != 0)
    tn_pool__set_hook(engine->pool, pass_on, engine);
}

enum tn_code
tn_engine_listen(tn_engine *engine, uint32_t kinds, tn_event_fn listener,
                 void *user, uint64_t *ret_id, tn_err *err)
{
  enum tn_code rc =
      tn_listeners__add(&engine->listeners, kinds, listener, user, ret_id, err);

  if (rc == TN_OK)
    tn_engine__hook(engine, kinds);
  return rc;
}

void
tn_engine_unlisten(tn_engine *engine, uint64_t id)
{
  tn_listeners__remove(&engine->listeners, id);
}
