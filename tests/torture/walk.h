/* Out of memory at any point gives an error, never a crash, a leak or a lie.
 *
 * A walk runs a script with allocation 1, 2, 3, … of Tenon's own failing, once
 * that one alone and once all from there on, until it needs no more than were
 * given. Every run must end in TN_OK or TN_E_MEMORY with nothing left behind,
 * and the runs without injection, before and after, must succeed. Client
 * libraries keep their own allocators: their start-up makes tens of thousands
 * of allocations that are not ours to fail. */
#ifndef TENON_TESTS_WALK_H
#define TENON_TESTS_WALK_H

#include <stdbool.h>
#include <tenon/tenon.h>

/* Read to its end: the present rows, or the rows of all sets. */
enum tn_code walk_rows(tn_result *result, tn_err *err);
enum tn_code walk_sets(tn_result *result, tn_err *err);

/* What is walked, and what it is given each time. */
typedef enum tn_code (*walk_fn)(const void *what, tn_err *err);

/* Prints the number of runs, or the one that broke the promise: false. */
bool walk(const char *name, walk_fn run, const void *what);

/* A registry that has loaded the plug-in, before anything is counted; exits
 * with 1 if it cannot be had. */
tn_registry *walk_registry(const char *plugin);

/* At the end of the program: is all memory given back? Prints it if not. */
bool walk_end(void);

#endif
