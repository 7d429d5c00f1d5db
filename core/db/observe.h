/* The engine's own listeners: the log of statements, and the report of slow
 * ones. */
#ifndef TENON_OBSERVE_H
#define TENON_OBSERVE_H

#include "engine_priv.h"
#include "watch.h"

/* ---- statement_log.c ---- */

/* Listen, if the options say so. Before the pool is opened. */
enum tn_code tn_statement__observe(tn_engine *engine, tn_err *err);

/* Write the line of a statement, of DONE, ERROR or SLOW. */
void tn_statement__write(const tn_engine *engine, uint32_t level,
                         const char *what, const struct tn_event *event);

/* AFTER or SLOW: note what it was run with, until DONE. Without memory nothing
 * is noted. */
void tn_statement__note_values(const tn_engine *engine,
                               const struct tn_event *event);

/* ---- slow_query.c ---- */

/* Listen, if the options say so. Before the pool is opened. */
enum tn_code tn_slow__observe(tn_engine *engine, tn_err *err);

/* The pool is open: its ticks make the plans. */
void tn_slow__start(tn_engine *engine);

/* Forget a plan that nobody has made. */
void tn_slow__clear(tn_engine *engine);

#endif
