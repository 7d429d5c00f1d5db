/* A plug-in that does what a test tells it, and counts what it is asked.
 *
 * It is built as fake.so, to be loaded like any other, and linked into unit
 * tests that need no loading. It has no state of its own: each connection
 * names its script in the URL's option "script", so the same file serves both
 * ways, and many tests at a time.
 *
 *   static struct fake_script script = { .results = …, .result_count = 1 };
 *   char url[FAKE_URL_SIZE];
 *
 *   fake_url(&script, url);                    // "fake://h/db?script=0x…"
 *   tn_conn_open(url, &options, &conn, &err);  // registry: TN_TEST_PLUGINS
 *
 * Without a script everything succeeds and no statement returns rows. */
#ifndef TENON_TESTS_FAKE_PLUGIN_H
#define TENON_TESTS_FAKE_PLUGIN_H

#include <stdatomic.h>
#include <stdio.h>
#include <tenon/plugin.h>

enum fake_slot {
  FAKE_CONNECT,
  FAKE_DISCONNECT,
  FAKE_PING,
  FAKE_CANCEL,
  FAKE_SERVER_CAPS,
  FAKE_SERVER_VERSION,
  FAKE_ABANDON,
  FAKE_PREPARE,
  FAKE_EXECUTE,
  FAKE_CLOSE_STATEMENT,
  FAKE_COLUMNS,
  FAKE_FETCH,
  FAKE_CLOSE_RESULT,
  FAKE_INFO,
  FAKE_BEGIN,
  FAKE_COMMIT,
  FAKE_ROLLBACK,
  FAKE_STATE,
  FAKE_SAVEPOINT,
  FAKE_RELEASE_SAVEPOINT,
  FAKE_ROLLBACK_SAVEPOINT,
  FAKE_RESET,
  FAKE_SET_SQL_MODE,
  FAKE_SET_ISOLATION,
  FAKE_GET_ISOLATION,
  FAKE_SET_ACCESS,
  FAKE_GET_POSITION,
  FAKE_WAIT_POSITION,
  FAKE_EXECUTE_BATCH,
  FAKE_NEXT_SET,
  FAKE_IS_COMPLETE,
  FAKE_BULK_OPEN,
  FAKE_BULK_WRITE,
  FAKE_BULK_FINISH,
  FAKE_BULK_CLOSE,
  FAKE_PREPARE_TXN,
  FAKE_COMMIT_PREPARED,
  FAKE_ROLLBACK_PREPARED,
  FAKE_LIST_PREPARED,
  FAKE_IDENTIFY,
  FAKE_OUTCOME,
  FAKE_SLOT_COUNT
};

/* How an answer misbehaves. */
#define FAKE_SILENT    1u /* the category is returned, but fail() not called */
#define FAKE_NO_OUTPUT 2u /* TN_OK, and the output is left as it was */
#define FAKE_GET_OVER                                                          \
  4u /* fail() is called, and the call succeeds after all                      \
      */

/* What one slot does instead of succeeding. */
struct fake_answer {
  enum fake_slot slot;
  unsigned nth;     /* which call of the slot, from 1; 0: each */
  uint64_t wait_ms; /* first wait for so long, through the host */
  int32_t category; /* TN_OK: only wait. -1: look the codes up */
  int32_t native;
  int32_t fallback;
  int32_t parameter; /* at fault, from 1 */
  uint64_t row;      /* of a batch or load, from 1 */
  const char *sqlstate;
  const char *message;
  const char *detail;
  const char *constraint;
  int32_t connection; /* verdicts; 0: as the host has them */
  int32_t replay;
  unsigned flags; /* FAKE_… */
};

/* What a statement returns. */
struct fake_result {
  const char *sql; /* that it begins with; NULL: any */
  const struct tn_column *columns;
  uint32_t column_count;
  const tn_value *rows; /* row after row */
  uint64_t row_count;
  uint32_t info_flags; /* TN_RESULT_… */
  uint64_t affected;
  int64_t generated_key;
  const struct fake_result *next; /* the set behind it, of a procedure */
};

struct fake_script {
  const struct fake_answer *answers;
  size_t answer_count;
  const struct fake_result *results; /* the first that fits is taken */
  size_t result_count;
  uint64_t server_caps;       /* 0: all of the descriptor */
  const char *server_version; /* NULL: "Fake 1.0" */
  const int *socket;          /* NULL: sessions have none */
  int has_trace;              /* keep `trace`, `given`; for one thread */
  int is_complete;            /* what is_complete() says */
  int is_columns_late;        /* prepare() does not know them yet */
  int has_txn_each;           /* `txn_state` is not of all connections */
  int begins_late; /* a begin() that fails has begun it all the same */
  const char *const *prepared; /* what list_prepared() tells */
  uint32_t prepared_count;
  uint32_t outcome; /* what outcome() says, as enum tn_outcome */

  /* What happened. */
  atomic_uint calls[FAKE_SLOT_COUNT];
  atomic_int open_connections;
  atomic_int open_statements;
  atomic_int open_results;
  atomic_int open_bulks;
  _Atomic uint32_t txn_state; /* as state() tells it; 0: TN_TXN_NONE */
  uint32_t isolation;
  uint32_t access;
  uint32_t lock_mode;
  uint32_t begin_flags;       /* of the last begin() */
  char begin_id[80];          /* its global id; "": none */
  char global_id[80];         /* that was prepared or ended last */
  char asked[TN_TXN_ID_SIZE]; /* about what the last outcome() was */
  uint32_t value_count;       /* of the last execute(), batch or write() */
  tn_value values[8];         /* the first of them; bytes are not kept */
  const tn_value *values_at;  /* where they were */
  char args[1024]; /* of the last connect(): "dialect=fake host=h:0 …" */
  char sql[512];   /* of the last prepare() */
  char sql_mode[64];
  char position[64];     /* what get_position() tells; "": "fake:1" */
  char waited[64];       /* for what the last wait_position() was */
  uint32_t has_position; /* what wait_position() says */
  char savepoint[64];
  int64_t deadline;    /* of the last connect(); INT64_MAX: none */
  uint32_t call_flags; /* of the last execute() or batch: TN_CALL_… */
  uint64_t batch_rows; /* given to batches and loads, in all */
  char bulk[256];      /* what the last load is into: "schema.table(a,b)" */
  char given[2048];    /* numbers in the rows of values: "1,2;3,4;" */
  char trace[2048];    /* "connect prepare execute …" */
};

#define FAKE_URL_SIZE 96

/* A URL whose connections follow `script`. */
static inline void
fake_url(const struct fake_script *script, char url[FAKE_URL_SIZE])
{
  snprintf(url, FAKE_URL_SIZE, "fake://h/db?script=%p", (const void *)script);
}

/* The tables of a plug-in that has batches, loads and several result sets of
 * its own, which the fake one by itself has not; NULL for other numbers. */
const void *fake_rich_table(uint32_t id);

/* "connect", "close_statement", … */
const char *fake_slot_name(enum fake_slot slot);

/* The entry point, under a name of its own for static linking. */
const struct tn_plugin *fake_plugin_entry(struct tn_call *call);

#endif
