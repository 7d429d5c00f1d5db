/* The numbers of an engine, as a struct and as OpenMetrics text. Both functions
 * are thread-safe. */
#ifndef TENON_METRICS_H
#define TENON_METRICS_H

#include <tenon/engine.h>

TN_BEGIN_DECLS

/* Since the engine was opened. What a connection did counts when it is given
 * back or closed. Grows at its end. */
struct tn_engine_stats {
  size_t struct_size; /* in: sizeof(struct tn_engine_stats) */

  /* Statements that were begun, by their first word; each row of values of a
   * batch is one. */
  uint64_t selects; /* also WITH, VALUES and TABLE */
  uint64_t inserts; /* also REPLACE */
  uint64_t updates;
  uint64_t deletes;
  uint64_t transactions; /* BEGIN and the like, as a statement */
  uint64_t others;

  uint64_t begins; /* tn_conn_begin() and its kin, those that worked */
  uint64_t commits;
  uint64_t rollbacks; /* not those of the pool */
  uint64_t failures;  /* calls on a connection that failed */
  uint64_t rows;      /* fetched */

  /* Statements that were looked for by their text. */
  uint64_t cache_hits;
  uint64_t cache_misses;
  uint64_t cache_evicted;

  /* Bytes on TCP connections as the kernel counts them, with all that TLS adds,
   * and of those sent the ones that have arrived. It is asked when a connection
   * is given back, at most once a second or so, by tn_pool_tick() and at the
   * end: what a connection that is lost did since then is missing. Of unix
   * sockets and files it counts none: without `tcp_connections`, nothing is
   * known. */
  uint64_t tcp_connections; /* whose bytes were counted */
  uint64_t bytes_received;
  uint64_t bytes_sent;
};

/* Fill in `stats`, as much as it is large. */
TN_API void tn_engine_stats(tn_engine *engine, struct tn_engine_stats *stats);

/* Takes `size` bytes of text, borrowed for the call. */
typedef void (*tn_write_fn)(const char *text, size_t size, void *user);

/* Write the numbers of several engines, and of their pools, in the text format
 * of OpenMetrics 1.0 (content type "application/openmetrics-text;
 * version=1.0.0; charset=utf-8"), up to and with its "# EOF". Each sample has
 * the label `target`, the engine's URL without password and options, and those
 * of the second engine of a target on the label `engine`, "2" and so on, by
 * their order here. The bytes
 * of an engine of which they are not known are left out.
 * Fails: TN_E_MEMORY; nothing has been written then. */
TN_API TN_MUST_USE enum tn_code tn_metrics_write(tn_engine *const *engines,
                                                 size_t count,
                                                 tn_write_fn write, void *user,
                                                 tn_err *err);

TN_END_DECLS

#endif
