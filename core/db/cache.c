/* A hash table of chains and a list. uthash, which other tables would use, is
 * macros that nest deeper than any function here may. */
#include "cache.h"

#include <utlist.h>

#include "db_priv.h"

/* FNV-1a of 64 bits, but of words instead of bytes: every statement of every
 * program comes by here. A product carries nothing downwards, so what is above
 * is folded in each time. */
#define HASH_START UINT64_C(14695981039346656037)
#define HASH_PRIME UINT64_C(1099511628211)

struct tn_cached {
  tn_prepared *prepared;
  struct tn_cached *chained; /* in the same bucket */
  struct tn_cached *prev;    /* of tn_cache.idle; the names are utlist.h's */
  struct tn_cached *next;
  uint64_t hash;
  size_t size;
  bool is_idle;
  bool is_native;
  char text[];
};

/* What a statement is found by. */
struct key {
  const char *text;
  size_t size;
  uint64_t hash;
  bool is_native;
};

static uint64_t
hash_word(uint64_t hash, const char *text, size_t size)
{
  uint64_t word = 0;

  memcpy(&word, text, size);
  hash = (hash ^ word) * HASH_PRIME;
  return hash ^ hash >> 32;
}

static struct key
key_of(const char *sql, uint32_t flags)
{
  struct key key = { .text = sql,
                     .size = strlen(sql),
                     .hash = HASH_START,
                     .is_native = (flags & TN_QUERY_NATIVE) != 0 };
  size_t at;

  for (at = 0; key.size - at > sizeof key.hash; at += sizeof key.hash)
    key.hash = hash_word(key.hash, sql + at, sizeof key.hash);
  key.hash = hash_word(key.hash, sql + at, key.size - at);
  return key;
}

static struct tn_cached **
bucket_of(struct tn_cache *cache, uint64_t hash)
{
  return &cache->buckets[hash % TN_CACHE_BUCKETS];
}

static struct tn_cached *
find(struct tn_cache *cache, const struct key *key)
{
  struct tn_cached *cached = *bucket_of(cache, key->hash);

  while (cached != NULL &&
         (cached->hash != key->hash || cached->size != key->size ||
          cached->is_native != key->is_native ||
          memcmp(cached->text, key->text, key->size) != 0))
    cached = cached->chained;
  return cached;
}

/* Take an item out of the table and the counts, and release it. */
static void
drop(struct tn_cache *cache, struct tn_cached *cached)
{
  struct tn_cached **link = bucket_of(cache, cached->hash);

  while (*link != cached)
    link = &(*link)->chained;
  *link = cached->chained;
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

bool
tn_cache__make_room(struct tn_cache *cache)
{
  if (cache->idle == NULL)
    return false;
  while (cache->idle != NULL)
    evict(cache);
  return true;
}

tn_prepared *
tn_cache__take(struct tn_cache *cache, const char *sql, uint32_t flags)
{
  struct tn_cached *found;
  struct key key;

  if (cache->max_count == 0)
    return NULL;
  key = key_of(sql, flags);
  found = find(cache, &key);
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
  const struct key key = key_of(sql, flags);
  struct tn_cached **bucket = bucket_of(cache, key.hash);
  struct tn_cached *cached;

  if (cache->max_count == 0 || find(cache, &key) != NULL ||
      !make_room(cache, key.size))
    return;
  cached = tn_memory_zalloc(sizeof *cached + key.size);
  if (cached == NULL)
    return;
  cached->prepared = prepared;
  cached->hash = key.hash;
  cached->size = key.size;
  cached->is_native = key.is_native;
  memcpy(cached->text, key.text, key.size);
  cached->chained = *bucket;
  *bucket = cached;
  cache->stats.kept++;
  cache->stats.bytes += key.size;
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

bool
tn_cache__is_idle(const tn_prepared *prepared)
{
  return prepared->cached != NULL && prepared->cached->is_idle;
}

void
tn_cache__empty(struct tn_cache *cache)
{
  size_t i;

  for (i = 0; i < TN_CACHE_BUCKETS; i++)
    while (cache->buckets[i] != NULL) {
      struct tn_cached *cached = cache->buckets[i];
      tn_prepared *prepared = cached->is_idle ? cached->prepared : NULL;

      drop(cache, cached);
      tn_prepared_close(&prepared);
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
