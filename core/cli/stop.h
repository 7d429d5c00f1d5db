/* Ending a command that goes on until it is told to end, by SIGINT or SIGTERM.
 * The first of each does that; a second one kills, as it would without this. */
#ifndef TENON_CLI_STOP_H
#define TENON_CLI_STOP_H

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <tenon/conn.h>

#define STOP_SIGNALS 2

struct stop {
  int fd; /* readable once it is told */
  pthread_t owner;
  bool is_closing; /* the owner waits as if nothing had been told */
  struct sigaction usual[STOP_SIGNALS];
};

/* One at a time. A signal that is ignored stays so. Fails: TN_E_INTERNAL, no
 * descriptor can be had. */
enum tn_code stop_begin(struct stop *stop, tn_err *err);
void stop_end(struct stop *stop);

/* Sleep until then, 0: not at all. True: it is told to end. */
bool stop_sleep(const struct stop *stop, tn_deadline until);

/* A tn_wait_fn, `user` being the stop, that fails once it is told to end. */
int stop_wait(int fd, uint32_t events, tn_deadline until, void *user);

#endif
