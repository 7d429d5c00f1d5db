/* The numbers of engines. What there is stands in one table, from which the
 * text is written: OpenMetrics wants all samples of a name together, whatever
 * engine they are of. */
#include <tenon/metrics.h>

#include "engine_priv.h"
#include "strbuf.h"

#define TEXT_MAX (SIZE_MAX / 4)
#define US_PER_S 1000000

/* ---- as a struct ---- */

struct count_row {
  uint32_t count; /* enum tn_sql_kind or enum tn_conn_count */
  size_t offset;
};

#define COUNT(number, field)                                                   \
  {                                                                            \
    number, offsetof(struct tn_engine_stats, field)                            \
  }

static const struct count_row count_rows[] = {
  COUNT(TN_SQL_SELECT, selects),
  COUNT(TN_SQL_INSERT, inserts),
  COUNT(TN_SQL_UPDATE, updates),
  COUNT(TN_SQL_DELETE, deletes),
  COUNT(TN_SQL_TRANSACTION, transactions),
  COUNT(TN_SQL_OTHER, others),
  COUNT(CONN_BEGINS, begins),
  COUNT(CONN_COMMITS, commits),
  COUNT(CONN_ROLLBACKS, rollbacks),
  COUNT(CONN_FAILURES, failures),
  COUNT(CONN_ROWS, rows),
  COUNT(CONN_CACHE_HITS, cache_hits),
  COUNT(CONN_CACHE_MISSES, cache_misses),
  COUNT(CONN_CACHE_EVICTED, cache_evicted),
  COUNT(CONN_TCP, tcp_connections),
  COUNT(CONN_BYTES_RECEIVED, bytes_received),
  COUNT(CONN_BYTES_SENT, bytes_sent),
};

_Static_assert(TN_COUNT(count_rows) == CONN_COUNT_COUNT - 1,
               "one row per count; there is no kind 0");

void
tn_engine_stats(tn_engine *engine, struct tn_engine_stats *stats)
{
  struct tn_engine_stats all = { .struct_size = stats->struct_size };
  size_t size = stats->struct_size;
  size_t i;

  tn_pool__revive(engine->pool);
  for (i = 0; i < TN_COUNT(count_rows); i++) {
    uint64_t count = atomic_load_explicit(
        &engine->pool->conn_counts[count_rows[i].count], memory_order_relaxed);

    memcpy((char *)&all + count_rows[i].offset, &count, sizeof count);
  }
  if (size > sizeof all)
    size = sizeof all;
  memcpy(stats, &all, size);
}

/* ---- as text ---- */

/* All that one engine can tell. */
struct numbers {
  struct tn_pool_stats pool;
  struct tn_engine_stats engine;
};

enum family_type {
  FAMILY_GAUGE,
  FAMILY_COUNTER,
};

/* One sample. Those of one name stand together; the first has the help. */
struct sample_row {
  const char *name;
  const char *help;  /* NULL: another one of the name before */
  const char *label; /* "state=\"idle\""; NULL: none */
  enum family_type type;
  size_t size; /* of the number */
  size_t offset;
  const char *unit; /* the last word of the name; NULL: none */
  bool is_of_tcp;   /* known only of engines that have connections by TCP */
};

#define SAMPLE(name, help, label, type, member)                                \
  {                                                                            \
    (name), (help), (label), (type), sizeof(((struct numbers *)0)->member),    \
        offsetof(struct numbers, member), NULL, false                          \
  }
#define OF_BYTES(name, help, field)                                            \
  {                                                                            \
    (name), (help), NULL, FAMILY_COUNTER, sizeof(uint64_t),                    \
        offsetof(struct numbers, engine.field), "bytes", true                  \
  }
#define GAUGE(name, help, label, field)                                        \
  SAMPLE(name, help, label, FAMILY_GAUGE, pool.field)
#define OF_POOL(name, help, field)                                             \
  SAMPLE(name, help, NULL, FAMILY_COUNTER, pool.field)
#define OF_ENGINE(name, help, label, field)                                    \
  SAMPLE(name, help, label, FAMILY_COUNTER, engine.field)

static const struct sample_row sample_rows[] = {
  GAUGE("tenon_connections", "Connections, by state.", "state=\"idle\"", idle),
  GAUGE("tenon_connections", NULL, "state=\"lent\"", lent),
  GAUGE("tenon_connections", NULL, "state=\"busy\"", connecting),
  GAUGE("tenon_waiting", "Takes that wait for a connection.", NULL, waiting),
  OF_POOL("tenon_takes", "Loans that were granted.", takes),
  OF_POOL("tenon_waits", "Takes that had to queue.", waits),
  OF_POOL("tenon_timeouts", "Takes that were not granted in time.", timeouts),
  OF_POOL("tenon_refusals",
          "Takes that failed at once, since connecting had just failed.",
          refused),
  OF_POOL("tenon_connects", "Connections that were opened.", connects),
  OF_POOL("tenon_connect_failures", "Attempts to connect that failed.",
          connect_failures),
  OF_POOL("tenon_closes", "Connections that were closed.", closes),
  OF_POOL("tenon_pings", "Pings before a loan.", pings),
  OF_POOL("tenon_ping_failures", "Pings that found a dead connection.",
          ping_failures),
  OF_POOL("tenon_give_rollbacks",
          "Connections given back with an open transaction.", rollbacks),
  OF_POOL("tenon_resets", "Sessions that were reset when given back.", resets),
  OF_POOL("tenon_give_failures",
          "Connections closed because they could not be cleaned.",
          give_failures),
  OF_POOL("tenon_recycled", "Connections closed for their age.", recycled),
  OF_POOL("tenon_idled", "Connections closed as unused.", idled),
  OF_POOL("tenon_invalidated", "Connections closed after an invalidation.",
          invalidated),
  OF_POOL("tenon_leaks", "Loans that lasted too long.", leaks),
  OF_ENGINE("tenon_statements", "Statements that were begun, by kind.",
            "kind=\"select\"", selects),
  OF_ENGINE("tenon_statements", NULL, "kind=\"insert\"", inserts),
  OF_ENGINE("tenon_statements", NULL, "kind=\"update\"", updates),
  OF_ENGINE("tenon_statements", NULL, "kind=\"delete\"", deletes),
  OF_ENGINE("tenon_statements", NULL, "kind=\"transaction\"", transactions),
  OF_ENGINE("tenon_statements", NULL, "kind=\"other\"", others),
  OF_ENGINE("tenon_begins", "Transactions that were begun.", NULL, begins),
  OF_ENGINE("tenon_commits", "Transactions that were committed.", NULL,
            commits),
  OF_ENGINE("tenon_rollbacks", "Transactions that were rolled back.", NULL,
            rollbacks),
  OF_ENGINE("tenon_failures", "Calls on a connection that failed.", NULL,
            failures),
  OF_ENGINE("tenon_rows", "Rows that were fetched.", NULL, rows),
  OF_ENGINE("tenon_statement_cache", "Statements looked for by their text.",
            "result=\"hit\"", cache_hits),
  OF_ENGINE("tenon_statement_cache", NULL, "result=\"miss\"", cache_misses),
  OF_ENGINE("tenon_statement_cache_evicted",
            "Kept statements closed to make room.", NULL, cache_evicted),
  OF_BYTES("tenon_received_bytes", "Bytes received on TCP connections.",
           bytes_received),
  OF_BYTES("tenon_sent_bytes", "Bytes sent on TCP connections.", bytes_sent),
};

/* An engine with its labels, as they are written, and its numbers. */
struct source {
  const char *target;
  struct numbers numbers;
  struct tn_strbuf label;
};

static void
escape_label(struct tn_strbuf *out, const char *text)
{
  for (; *text != '\0'; text++) {
    if (*text == '\n')
      tn_strbuf_add_text(out, "\\n");
    else if (*text == '"' || *text == '\\')
      tn_strbuf_add_format(out, "\\%c", *text);
    else
      tn_strbuf_add_char(out, *text);
  }
}

/* What makes it another than the others: engines of one target are numbered
 * from the second on. */
static void
write_label(const struct source *sources, struct source *source)
{
  const struct source *other;
  unsigned alike = 1;

  for (other = sources; other < source; other++)
    alike += strcmp(other->target, source->target) == 0;
  source->label.max = TEXT_MAX;
  tn_strbuf_add_text(&source->label, "target=\"");
  escape_label(&source->label, source->target);
  tn_strbuf_add_char(&source->label, '"');
  if (alike > 1)
    tn_strbuf_add_format(&source->label, ",engine=\"%u\"", alike);
}

static void
read_source(tn_engine *engine, struct source *source)
{
  struct numbers *numbers = &source->numbers;

  numbers->pool.struct_size = sizeof numbers->pool;
  numbers->engine.struct_size = sizeof numbers->engine;
  tn_pool_stats(engine->pool, &numbers->pool);
  tn_engine_stats(engine, &numbers->engine);
  source->target = engine->label;
}

static void
write_head(struct tn_strbuf *out, const char *name, const char *type,
           const char *help)
{
  tn_strbuf_add_format(out, "# TYPE %s %s\n# HELP %s %s\n", name, type, name,
                       help);
}

static uint64_t
number_of(const struct source *source, const struct sample_row *row)
{
  const char *at = (const char *)&source->numbers + row->offset;
  uint32_t narrow;
  uint64_t wide;

  if (row->size == sizeof narrow) {
    memcpy(&narrow, at, sizeof narrow);
    return narrow;
  }
  memcpy(&wide, at, sizeof wide);
  return wide;
}

static bool
is_known(const struct source *source, const struct sample_row *row)
{
  return !row->is_of_tcp || source->numbers.engine.tcp_connections != 0;
}

static bool
is_known_of_any(const struct source *sources, size_t count,
                const struct sample_row *row)
{
  size_t i = 0;

  while (i < count && !is_known(&sources[i], row))
    i++;
  return i < count || !row->is_of_tcp;
}

static void
write_samples(struct tn_strbuf *out, const struct sample_row *row,
              const struct source *sources, size_t count)
{
  bool is_counter = row->type == FAMILY_COUNTER;
  size_t i;

  if (!is_known_of_any(sources, count, row))
    return;
  if (row->help != NULL)
    write_head(out, row->name, is_counter ? "counter" : "gauge", row->help);
  if (row->unit != NULL)
    tn_strbuf_add_format(out, "# UNIT %s %s\n", row->name, row->unit);
  for (i = 0; i < count; i++) {
    if (!is_known(&sources[i], row))
      continue;
    tn_strbuf_add_format(
        out, "%s%s{%s%s%s} %llu\n", row->name, is_counter ? "_total" : "",
        tn_strbuf_text(&sources[i].label), row->label != NULL ? "," : "",
        row->label != NULL ? row->label : "",
        (unsigned long long)number_of(&sources[i], row));
  }
}

/* The waits by length, of which the struct has those of each bucket, and the
 * text those of all up to one. Seconds are printed as integers: the point of %f
 * is a comma in some locales. */
static void
write_waits(struct tn_strbuf *out, const struct source *source)
{
  const struct tn_pool_stats *pool = &source->numbers.pool;
  const char *label = tn_strbuf_text(&source->label);
  unsigned long long limit = 1; /* in 100 us */
  uint64_t sum = 0;
  size_t i;

  for (i = 0; i < TN_POOL_WAIT_BUCKETS - 1; i++, limit *= 4) {
    sum += pool->wait_histogram[i];
    tn_strbuf_add_format(out,
                         "tenon_wait_seconds_bucket{%s,le=\"%llu.%04llu\"} "
                         "%llu\n",
                         label, limit / 10000, limit % 10000,
                         (unsigned long long)sum);
  }
  sum += pool->wait_histogram[i];
  tn_strbuf_add_format(out,
                       "tenon_wait_seconds_bucket{%s,le=\"+Inf\"} %llu\n"
                       "tenon_wait_seconds_count{%s} %llu\n"
                       "tenon_wait_seconds_sum{%s} %llu.%06llu\n",
                       label, (unsigned long long)sum, label,
                       (unsigned long long)sum, label,
                       (unsigned long long)(pool->wait_us / US_PER_S),
                       (unsigned long long)(pool->wait_us % US_PER_S));
}

static void
write_all(struct tn_strbuf *out, const struct source *sources, size_t count)
{
  size_t i;

  for (i = 0; i < TN_COUNT(sample_rows); i++)
    write_samples(out, &sample_rows[i], sources, count);
  write_head(out, "tenon_wait_seconds", "histogram",
             "How long takes have queued.");
  for (i = 0; i < count; i++)
    write_waits(out, &sources[i]);
  tn_strbuf_add_text(out, "# EOF\n");
}

enum tn_code
tn_metrics_write(tn_engine *const *engines, size_t count, tn_write_fn write,
                 void *user, tn_err *err)
{
  TN_CLEANUP(tn_strbuf_clear) struct tn_strbuf text = TN_STRBUF_INIT(TEXT_MAX);
  struct source *sources = tn_memory_zalloc((count + 1) * sizeof *sources);
  enum tn_code rc = TN_OK;
  size_t i;

  if (sources == NULL)
    return tn_err_memory(err, "metrics");
  for (i = 0; i < count; i++) {
    read_source(engines[i], &sources[i]);
    write_label(sources, &sources[i]);
  }
  write_all(&text, sources, count);
  for (i = 0; i < count; i++) {
    if (rc == TN_OK)
      rc = tn_strbuf_status(&sources[i].label, "metrics", err);
    tn_strbuf_clear(&sources[i].label);
  }
  tn_memory_free(sources);
  if (rc == TN_OK)
    rc = tn_strbuf_status(&text, "metrics", err);
  if (rc == TN_OK)
    write(tn_strbuf_text(&text), text.size, user);
  return rc;
}
