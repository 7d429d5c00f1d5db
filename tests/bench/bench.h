/* Tenon against the best raw use of a client library, in one run.
 *
 * Only ratios mean anything: both sides do the same work on the same kind of
 * data, in turn, A B then B A, so that a machine whose speed drifts drifts for
 * both. Each side sums what it read, and the sums must agree.
 *
 * Tenon's side is one program for all backends (tenon_side.c); a raw side is
 * written against its client library in the best way that is known
 * (raw_NAME.c). */
#ifndef TENON_BENCH_H
#define TENON_BENCH_H

#include <stddef.h>
#include <stdint.h>

#define BENCH_ROWS     100000
#define BENCH_TRIPS    1000 /* statements, where each is a round trip */
#define BENCH_CHUNK    1000 /* rows that a program has at hand at a time */
#define BENCH_STARTS   40
#define BENCH_CONNECTS 60

/* The statements, with `?`; a raw side spells them its own way. */
#define BENCH_POINT  "SELECT id, name, score, note FROM point WHERE id = ?"
#define BENCH_ALL    "SELECT i, b, d, t, n, at FROM wide"
#define BENCH_INSERT "INSERT INTO target VALUES (?, ?, ?, ?)"

/* A row to insert: its number, the name, half the number, and for even numbers
 * the name again, else NULL. */
struct bench_row {
  char name[24];
  size_t size;
};
extern struct bench_row bench_rows[BENCH_ROWS + 1]; /* from 1 */

/* The next of a sequence of keys, the same for both sides. */
uint32_t bench_next_key(uint32_t *state);

/* How many statements are run one by one: BENCH_ROWS, or BENCH_TRIPS with a
 * server, so that the two sides take turns often enough. */
int bench_trips(void);

/* How cells count in the sum of what was read. */
#define BENCH_NULL 1.0
double bench_text(const char *text, size_t size);
double bench_micros(int64_t micros);

/* Give this process a processor, and the others to the server that `variable`
 * has the URL of; till this process ends. */
void bench_place(const char *variable);

/* End the program. */
void bench_die(const char *what, const char *why);

/* Do a workload once; the sum of what was read, 0 for one that writes. */
typedef double (*bench_run)(void);

/* The raw side of a backend. NULL for a workload that it has no part in. */
struct bench_raw {
  const char *variable; /* of the environment, that has the server's URL; NULL:
                           a file */
  const char *options;  /* to add to that URL: no TLS, on both sides */
  const char *setup;    /* SQL that makes the tables point, wide, target */
  const char *empty;    /* SQL that empties target */
  int pipelines;        /* the protocol can have several statements under way */
  double timestamp;     /* how a timestamp counts; 0: by bench_micros() */
  void (*open)(const char *url);
  void (*close)(void);
  bench_run point;            /* prepared once */
  bench_run point_text;       /* prepared, run and closed each time */
  bench_run point_text_txn;   /* the same, all in one transaction */
  bench_run point_unprepared; /* from its text, in one step */
  bench_run fetch;            /* a row at a time */
  bench_run fetch_kept;       /* all rows at once */
  bench_run insert;           /* row by row, in one transaction */
  bench_run bulk;             /* the fastest way into a table */
  bench_run connect;
  bench_run start; /* a process up to its first row */
};
extern const struct bench_raw bench_raw;

/* Tenon's side. */
void tenon_open(const char *url);
void tenon_close(void);
double tenon_point(void);
double tenon_point_text(void); /* the text each time: the cache's work */
double tenon_point_text_txn(void);
double tenon_point_engine(void); /* take, cached select, give */
double tenon_pipeline(void);
double tenon_fetch(void);
double tenon_fetch_kept(void);
double tenon_insert(void);
double tenon_batch(void);
double tenon_bulk_load(void);
double tenon_connect(void);
void tenon_script(const char *url, const char *sql);

/* Count the rows of target and empty it. */
double tenon_empty(const char *url);

/* Run `program` BENCH_STARTS times. */
double bench_start(const char *program);

#endif
