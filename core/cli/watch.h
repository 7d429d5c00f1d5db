/* --watch: a pool that lives through what happens to its server. It is asked
 * once per interval, whether that works or not; only what has to do with the
 * command itself ends it. */
#ifndef TENON_CLI_WATCH_H
#define TENON_CLI_WATCH_H

#include <time.h>

#include "cli.h"
#include "stop.h"

struct watch {
  struct cli *cli;
  struct stop stop;
  bool has_stop;
  tn_engine *engine;
  uint64_t interval_ms;
  uint64_t count; /* of attempts; 0: no end */
};

/* One time that the pool was asked. */
struct attempt {
  struct timespec at;
  double took_ms;
  tn_err err;
};

/* Write what came of an attempt. */
typedef enum tn_code (*watch_tell)(const struct watch *watch,
                                   const struct attempt *attempt, tn_err *err);

/* Is --watch given? Fails if another of its options is, without it. */
enum tn_code watch_wanted(const struct cli *cli, bool *ret, tn_err *err);

/* Open an engine on the first argument. watch_end() is due even if it fails. */
enum tn_code watch_begin(struct watch *watch, struct cli *cli, tn_err *err);

/* Ask, and have it told, until the count, a signal or the deadline. */
enum tn_code watch_run(const struct watch *watch, watch_tell tell, tn_err *err);

void watch_end(struct watch *watch);

#endif
