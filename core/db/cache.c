#include "cache.h"

#include "db_priv.h"

/* Without memory an item is not added, and its `hh.tbl` is NULL. */
#define HASH_NONFATAL_OOM         1
#define uthash_malloc(size)       tn_memory_alloc(size)
#define uthash_free(p, size)      tn_memory_free(p)
#define uthash_nonfatal_oom(item) ((void)(item))
#include <uthash.h>
#include <utlist.h>

struct tn_cached {
  tn_prepared *prepared;
  uint32_t table; /* of tn_cache.by_text */
  bool is_idle;
  struct tn_cached *prev; /* of tn_cache.idle; the names are utlist.h's */
  struct tn_cached *next;
  UT_hash_handle hh;
  size_t size;
  char text[];
};

static uint32_t
table_of(uint32_t flags)
{
  return (flags & TN_QUERY_NATIVE) != 0;
}

/* Take an item out of the hash table and the counts, and release it. */
static void
drop(struct tn_cache *cache, struct tn_cached *cached)
{
  HASH_DEL(cache->by_text[cached->table], cached);
  if (cached->is_idle)
    DL_DELETE(cache->idle, cached);
  cache->stats.kept--;
  cache->stats.bytes -= cached->size;
  cached->prepared->cached = NULL;
  tn_memory_free(cached);
}

/* Close the statement that was used longest ago. */
static void
evict(struct tn_cache *cache)
{
  struct tn_cached *last = cache->idle->prev; /* a list's head knows its end */
  tn_prepared *prepared = last->prepared;

  drop(cache, last);
  tn_prepared_close(&prepared);
  cache->stats.evicted++;
}

/* Make room for a statement of that size, as far as idle ones give it. */
static bool
make_room(struct tn_cache *cache, size_t size)
{
  if (size > cache->max_bytes)
    return false;
  while (cache->idle != NULL && (cache->stats.kept >= cache->max_count ||
                                 cache->stats.bytes > cache->max_bytes - size))
    evict(cache);
  return cache->stats.kept < cache->max_count &&
         cache->stats.bytes <= cache->max_bytes - size;
}

tn_prepared *
tn_cache__take(struct tn_cache *cache, const char *sql, uint32_t flags)
{
  struct tn_cached *found = NULL;

  if (cache->max_count == 0)
    return NULL;
  HASH_FIND(hh, cache->by_text[table_of(flags)], sql, strlen(sql), found);
  if (found == NULL || !found->is_idle) {
    cache->stats.misses++;
    return NULL;
  }
  DL_DELETE(cache->idle, found);
  found->is_idle = false;
  cache->stats.hits++;
  return found->prepared;
}

void
tn_cache__add(struct tn_cache *cache, tn_prepared *prepared, const char *sql,
              uint32_t flags)
{
  uint32_t table = table_of(flags);
  size_t size = strlen(sql);
  struct tn_cached *same = NULL;
  struct tn_cached *cached;

  if (cache->max_count == 0)
    return;
  HASH_FIND(hh, cache->by_text[table], sql, size, same);
  if (same != NULL || !make_room(cache, size))
    return;
  cached = tn_memory_zalloc(sizeof *cached + size);
  if (cached == NULL)
    return;
  cached->prepared = prepared;
  cached->table = table;
  cached->size = size;
  memcpy(cached->text, sql, size);
  HASH_ADD_KEYPTR(hh, cache->by_text[table], cached->text, size, cached);
  if (cached->hh.tbl == NULL) {
    tn_memory_free(cached);
    return;
  }
  cache->stats.kept++;
  cache->stats.bytes += size;
  prepared->cached = cached;
}

void
tn_cache__give(struct tn_cache *cache, tn_prepared *prepared)
{
  struct tn_cached *cached = prepared->cached;

  if (cached == NULL) {
    tn_prepared_close(&prepared);
    return;
  }
  cached->is_idle = true;
  DL_PREPEND(cache->idle, cached);
}

void
tn_cache__forget(struct tn_cache *cache, tn_prepared *prepared)
{
  if (prepared->cached != NULL)
    drop(cache, prepared->cached);
}

void
tn_cache__empty(struct tn_cache *cache)
{
  uint32_t table;

  for (table = 0; table < TN_COUNT(cache->by_text); table++) {
    struct tn_cached *cached;
    struct tn_cached *next;

    HASH_ITER(hh, cache->by_text[table], cached, next)
    {
      tn_prepared *prepared = cached->is_idle ? cached->prepared : NULL;

      drop(cache, cached);
      tn_prepared_close(&prepared);
    }
  }
}

bool
tn_cache__survives(enum tn_code code)
{
  switch (code) {
  case TN_E_DEADLOCK:
  case TN_E_SERIALIZATION:
  case TN_E_LOCK_TIMEOUT:
  case TN_E_BUSY:
  case TN_E_DUPLICATE:
  case TN_E_REFERENCE:
  case TN_E_CHECK:
  case TN_E_NOT_NULL:
  case TN_E_EXCLUSION:
  case TN_E_CONSTRAINT:
  case TN_E_DATA:
    return true;
  default:
    return false;
  }
}
