/* What the parts of the events test share: sessions to provoke an error on. */
#ifndef TENON_TESTS_EVENTS_H
#define TENON_TESTS_EVENTS_H

#include <stdbool.h>
#include <tenon/tenon.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct run {
  const char *backend;
  const char *url;
  const char *admin; /* a URL for who may all, or NULL */
};

/* A session; what is wrong ends the program. */
tn_conn *events_open(const struct run *run);

/* Run it; what is wrong ends the program. */
void events_must(tn_conn *conn, const char *sql);

/* Bring about what the events call `name`. False if nobody knows how. */
bool events_provoke(const struct run *run, const char *name, tn_err *err);

/* Is all that the error has among what is told of its code? Prints what is
 * not. */
bool events_are_told(const char *backend, const tn_err *err);

#endif
