/* What the fault tests share: a backend's words, the proxy, time, counting.
 *
 * They are plain programs over the public interface. The one argument names
 * the backend; its server is found as tests/servers says. What is wrong is
 * printed and counted, and the program goes on; die() is for what leaves
 * nothing to test. */
#ifndef TENON_TESTS_FAULTS_H
#define TENON_TESTS_FAULTS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <tenon/tenon.h>

#define NS_PER_MS INT64_C(1000000)

/* Sanitizers make all slower: less of it will do. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED 0
#endif

/* What is spelled differently on each backend. A '#' is to be filled in. */
struct words {
  const char *name;
  const char *variable;     /* of the environment: the server's URL */
  const char *sleep;        /* a minute */
  const char *loop;         /* without an end, and without a sleep */
  const char *join;         /* minutes of work */
  const char *numbers;      /* 1, 2, 3 … up to 10 million */
  const char *number_back;  /* the number that is its parameter */
  const char *number_after; /* the same, after # seconds */
  const char *text_back;    /* the text that is its parameter */
  const char *session;      /* number of the session that asks */
  const char *active;       /* how many other sessions run a statement with #
                               in it */
  const char *is_there;     /* how many sessions have the number # */
  const char *end_session;  /* the one with the number # */
  const char *idle_limit;   /* the server ends an idle transaction, soon */
  const char *text_column;  /* a type for long texts */
  bool has_processes;       /* a session's number is that of its process */
};

/* Begin a test: finds the backend that the first argument names. */
const struct words *faults_begin(int argc, char **argv);

/* Print what was found and return what main() is to. */
int faults_end(void);

/* Count a failure. Thread-safe. */
void fail(const char *fmt, ...) TN_PRINTF(1, 2);
_Noreturn void die(const char *fmt, ...) TN_PRINTF(1, 2);

/* The same for a call that must succeed, with what it is about. */
void must(enum tn_code rc, const tn_err *err, const char *what);

/* `pattern` with its '#' replaced by what follows. */
void faults_fill(char *buffer, size_t size, const char *pattern,
                 const char *fmt, ...) TN_PRINTF(4, 5);

/* The URL of the environment, through `port` of 127.0.0.1 (0: as it is), with
 * `options` such as "tls=off" (NULL: none). */
void faults_url(const struct words *words, unsigned port, const char *options,
                char *buffer, size_t size);

/* A connection whose calls take `timeout_ms` at most; dies without. */
tn_conn *faults_open(const char *url, uint64_t timeout_ms);

/* The one number that a query returns; dies without. */
int64_t faults_number(tn_conn *conn, const char *sql);

/* Run it; dies if that fails. */
void faults_exec(tn_conn *conn, const char *sql);

/* `count` threads that run `run` on a `size` byte piece of `items` each; over
 * when all are. */
void faults_threads(void *(*run)(void *item), void *items, size_t count,
                    size_t size);

/* tests/support/fault_proxy.c says what it understands. */
struct proxy {
  pid_t pid;
  int to;
  FILE *from;
  unsigned port;
};

/* In front of the server of the environment's URL; `path`, unless NULL, is its
 * unix socket. */
void proxy_start(struct proxy *proxy, const struct words *words,
                 const char *path);
void proxy_tell(struct proxy *proxy, const char *fmt, ...) TN_PRINTF(2, 3);

/* Connections so far; bytes up and down of the last one. */
void proxy_count(struct proxy *proxy, uint64_t ret[3]);
void proxy_stop(struct proxy *proxy);

#endif
