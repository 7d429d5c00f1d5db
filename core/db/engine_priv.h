/* What the files of the engine share. */
#ifndef TENON_ENGINE_PRIV_H
#define TENON_ENGINE_PRIV_H

#include <tenon/engine.h>

#include "event.h"
#include "pool_priv.h"
#include "target.h"

struct tn_plan;

struct tn_engine {
  tn_pool *pool;
  const struct tn_backend *backend;
  struct tn_target target; /* as it was at open */
  char *name;              /* of the target, as it was given */
  char *url;               /* without the password */
  char *label;             /* the same without its options */
  struct tn_engine_options options;
  struct tn_log log;
  bool is_fleeting; /* the database ends with its session */
  uint64_t query_ms;
  int64_t slow_ns;              /* 0: no statement is slow */
  const char *application;      /* in comments; NULL: there are none */
  bool shows_values;            /* in the log */
  bool has_plans;               /* of slow statements, in the log */
  struct tn_plan *_Atomic plan; /* that the next tick is to make; or NULL */
  _Atomic int64_t planned_at;   /* when the last one was asked for; or 0 */
  struct tn_listeners listeners;
  struct tn_arena arena;
};

/* ---- engine_options.c ---- */

/* Copy what the program says, and check it. */
enum tn_code tn_engine__set(tn_engine *engine, tn_err *err);

/* What the options make of the pool. */
void tn_engine__fill_pool(const tn_engine *engine,
                          struct tn_pool_options *options);

/* Tell of options that are given and have no effect here. */
void tn_engine__tell_idle_options(const tn_engine *engine);

/* ---- engine_event.c ---- */

/* If anybody listens to what the pool does, the pool tells it. */
void tn_engine__hook(tn_engine *engine, uint32_t kinds);

/* A session was opened, or could not be. Fails: as that, or as a listener that
 * refuses. */
enum tn_code tn_engine__tell_connect(tn_engine *engine, tn_conn *conn,
                                     enum tn_code rc, tn_err *err);

#endif
