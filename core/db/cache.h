/* Statements that a connection keeps prepared, by their text.
 *
 * A statement whose text is given each time costs two to five times one that
 * is kept prepared. So tn_conn_query() leaves what it has prepared here when
 * its result is closed, and finds it again by the text. What was used longest
 * ago makes room. Only statements whose first word says that they read or
 * write rows are kept; any other may change what the kept ones mean (the
 * schema, the search path, the server's own statements), so it empties the
 * cache before it runs. */
#ifndef TENON_CACHE_H
#define TENON_CACHE_H

#include <stdbool.h>
#include <tenon/conn.h>

struct tn_cached; /* a kept statement */

#define TN_CACHE_BUCKETS 64

struct tn_cache {
  struct tn_cached *buckets[TN_CACHE_BUCKETS]; /* by the text's hash */
  struct tn_cached *idle; /* a list: the one used last comes first */
  uint32_t max_count;     /* 0: none are kept */
  size_t max_bytes;
  struct tn_cache_stats stats;
};

/* Close all that are idle; false if there is none. */
bool tn_cache__make_room(struct tn_cache *cache);

/* The kept statement of that text, which is the caller's until it is given
 * back; NULL if there is none, or it is in use. `flags`: TN_QUERY_NATIVE
 * counts. */
tn_prepared *tn_cache__take(struct tn_cache *cache, const char *sql,
                            uint32_t flags);

/* Keep a statement that was just prepared from that text and is in use. Without
 * memory, or room, it is not kept, which nobody notices. */
void tn_cache__add(struct tn_cache *cache, tn_prepared *prepared,
                   const char *sql, uint32_t flags);

/* The use of a statement ends: it stays, or is closed if it is not kept, or was
 * forgotten. */
void tn_cache__give(struct tn_cache *cache, tn_prepared *prepared);

/* A statement that is in use is not to be kept after all. */
void tn_cache__forget(struct tn_cache *cache, tn_prepared *prepared);

/* Is it kept, and not in use? */
bool tn_cache__is_idle(const tn_prepared *prepared);

/* Close what is kept, forget what is in use. */
void tn_cache__empty(struct tn_cache *cache);

/* Did a statement that failed so come to be run? What the server refused to
 * prepare or has lost is not worth keeping. */
bool tn_cache__survives(enum tn_code code);

#endif
