#include "walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "oom.h"

/* More than any script needs; reaching it means that a script never ends. */
#define MOST 20000

#define LEFT_MS 10000

enum tn_code
walk_rows(tn_result *result, tn_err *err)
{
  const tn_value *row = NULL;
  enum tn_code rc;

  do
    rc = tn_result_next(result, &row, err);
  while (rc == TN_OK && row != NULL);
  return rc;
}

enum tn_code
walk_sets(tn_result *result, tn_err *err)
{
  int has_set = 1;
  enum tn_code rc = TN_OK;

  while (rc == TN_OK && has_set) {
    rc = walk_rows(result, err);
    if (rc == TN_OK)
      rc = tn_result_next_set(result, &has_set, err);
  }
  return rc;
}

/* A thread that has connected releases what is its own a moment after it has
 * said that it is done; one that goes on stopping a statement, whose session
 * was given up, after some seconds. */
static long
left_behind(long live)
{
  static const struct timespec pause = { .tv_nsec = 1000000 };
  int i;

  for (i = 0; i < LEFT_MS && oom_live() != live; i++)
    nanosleep(&pause, NULL);
  return oom_live() - live;
}

/* What is run, and how. */
struct run {
  const char *name;
  walk_fn call;
  const void *what;
  long nth; /* the allocation to fail; 0: none */
  bool and_all_after;
  bool was_last; /* it got by without that one */
};

/* False if it broke the promise. */
static bool
run_once(struct run *run)
{
  tn_err err = TN_ERR_INIT;
  long live = oom_live();
  long left;
  enum tn_code rc;

  oom_fail_nth(run->nth, run->and_all_after);
  rc = run->call(run->what, &err);
  run->was_last = run->nth > 0 && oom_count() < run->nth;
  oom_fail_nth(0, false);
  left = left_behind(live);
  if (left == 0 &&
      (rc == TN_OK || (rc == TN_E_MEMORY && run->nth > 0 && !run->was_last)))
    return true;
  printf("%s: allocation %ld%s: %s: %s; %ld blocks left behind\n", run->name,
         run->nth, run->and_all_after ? " and all after" : "",
         tn_code_name((int32_t)rc), err.message, left);
  return false;
}

bool
walk(const char *name, walk_fn call, const void *what)
{
  const struct run plain = { .name = name, .call = call, .what = what };
  struct run run = plain;
  long runs = 0;
  int mode;

  if (!run_once(&run))
    return false;
  for (mode = 0; mode < 2; mode++) {
    run = plain;
    run.and_all_after = mode == 1;
    while (!run.was_last) {
      run.nth++;
      runs++;
      if (run.nth > MOST || !run_once(&run))
        return false;
    }
  }
  run = plain;
  if (!run_once(&run))
    return false;
  printf("%-12s %ld runs\n", name, runs);
  fflush(stdout);
  return true;
}

tn_registry *
walk_registry(const char *plugin)
{
  struct tn_plugin_report report;
  tn_registry *registry = NULL;
  tn_err err = TN_ERR_INIT;

  oom_fail_nth(0, false);
  if (tn_registry_new(NULL, &registry, &err) != TN_OK ||
      tn_registry_inspect(registry, plugin, &report, &err) != TN_OK) {
    printf("torture: %s\n%s\n", err.message, err.detail);
    exit(1);
  }
  return registry;
}

bool
walk_end(void)
{
  long left = left_behind(0);

  if (left != 0)
    printf("%ld blocks left behind at the end\n", left);
  return left == 0;
}
