/* Stopping a statement that runs: by Ctrl-C, or by a deadline that spans
 * several statements. */
#ifndef TENON_CLI_INTERRUPT_H
#define TENON_CLI_INTERRUPT_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <tenon/conn.h>

struct interrupt {
  tn_conn *conn;
  tn_deadline deadline;
  bool may_kill; /* a second Ctrl-C ends the process */
  bool is_running;
  int wake_fd;
  int signal_fd; /* -1: SIGINT is ignored in this process */
  atomic_bool has_expired;
  sigset_t usual_mask;
  pthread_t thread;
};

/* Watch over `conn` until interrupt_stop(): cancel what runs on it when SIGINT
 * comes or `deadline` (0: none) passes. SIGINT does nothing else meanwhile.
 * Fails: TN_E_INTERNAL, no thread or descriptor can be had. */
enum tn_code interrupt_start(struct interrupt *watch, tn_conn *conn,
                             tn_deadline deadline, bool may_kill, tn_err *err);

/* End the watch and give `code` back; a cancel that was the deadline's becomes
 * TN_E_TIMEOUT. Idempotent. */
enum tn_code interrupt_stop(struct interrupt *watch, enum tn_code code,
                            tn_err *err);

#endif
