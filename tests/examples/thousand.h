/* What the programs that ask 1,000 queries at once have in common: the query,
 * and two threads that have half of them each and share one pool.
 *
 *   PROGRAM URL STATEMENT MILLISECONDS
 *
 * STATEMENT has one `?` and answers with what is put there, after a little
 * sleep on the server. They are to be through in so many milliseconds. */
#ifndef TENON_EXAMPLES_THOUSAND_H
#define TENON_EXAMPLES_THOUSAND_H

#include <pthread.h>
#include <tenon/tenon.h>

#define THREADS     2
#define QUERIES     500 /* of each thread */
#define CONNECTIONS 100

/* The part of a thread. */
struct share {
  tn_engine *db;
  const char *sql;
  tn_deadline deadline;       /* of all */
  pthread_barrier_t *barrier; /* when all have begun, none has ended */
  int64_t first;              /* number of its first query */
  int at_once;                /* of them, once all have begun */
  int right;                  /* answers */
  unsigned connections;       /* that there were, at most */
};

/* Ask one query, for `number`; it counts if that is the answer. */
enum tn_code thousand_ask(struct share *share, int64_t number, tn_err *err);

/* The program: `thread` is run with its share by each thread. `wait` is the
 * engine's. Returns what main() does. */
int thousand_main(char **argv, tn_wait_fn wait, void *(*thread)(void *share));

/* Look how many connections there are. */
void thousand_count(struct share *share);

#endif
