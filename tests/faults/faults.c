#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static atomic_uint failures;

static const struct words all_words[] = {
  {
      .name = "postgresql",
      .variable = "TENON_TEST_POSTGRESQL",
      .sleep = "SELECT pg_sleep(60)",
      .loop = "DO $$ BEGIN LOOP PERFORM 1; END LOOP; END $$",
      .join = "SELECT count(*) FROM generate_series(1, 40000) a, "
              "generate_series(1, 40000) b WHERE a * b = 7",
      .numbers = "SELECT generate_series(1, 10000000)",
      .number_back = "SELECT CAST(? AS bigint)",
      .number_after = "SELECT CAST(? AS bigint) FROM pg_sleep(#)",
      .text_back = "SELECT CAST(? AS text)",
      .session = "SELECT pg_backend_pid()",
      .active = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' "
                "AND position('#' in query) > 0 AND pid <> pg_backend_pid()",
      .is_there = "SELECT count(*) FROM pg_stat_activity WHERE pid = #",
      .end_session = "SELECT pg_terminate_backend(#)",
      .idle_limit = "SET idle_in_transaction_session_timeout = 100",
      .text_column = "text",
      .has_processes = true,
  },
  {
      .name = "mysql",
      .variable = "TENON_TEST_MYSQL",
      .sleep = "SELECT sleep(60)",
      .loop = "SELECT benchmark(1000000000000, 1)",
      .join = "SELECT count(*) FROM seq_1_to_40000 a, seq_1_to_40000 b "
              "WHERE a.seq * b.seq = 7",
      .numbers = "SELECT seq FROM seq_1_to_10000000",
      .number_back = "SELECT CAST(? AS signed)",
      .number_after = "SELECT CAST(? AS signed) + 0 * sleep(#)",
      .text_back = "SELECT CAST(? AS char)",
      .session = "SELECT connection_id()",
      .active = "SELECT count(*) FROM information_schema.processlist "
                "WHERE locate('#', info) > 0 AND id <> connection_id()",
      .is_there = "SELECT count(*) FROM information_schema.processlist "
                  "WHERE id = #",
      .end_session = "KILL #",
      .idle_limit = "SET idle_transaction_timeout = 1",
      .text_column = "longtext",
  },
};

void
fail(const char *fmt, ...)
{
  char text[1024];
  va_list values;

  va_start(values, fmt);
  vsnprintf(text, sizeof text, fmt, values);
  va_end(values);
  printf("not ok - %s\n", text);
  fflush(stdout);
  atomic_fetch_add(&failures, 1);
}

void
die(const char *fmt, ...)
{
  char text[1024];
  va_list values;

  va_start(values, fmt);
  vsnprintf(text, sizeof text, fmt, values);
  va_end(values);
  fprintf(stderr, "%s\n", text);
  exit(2);
}

void
must(enum tn_code rc, const tn_err *err, const char *what)
{
  if (rc != TN_OK)
    die("%s: %s: %s\n%s", what, tn_code_name((int32_t)rc), err->message,
        err->detail);
}

const struct words *
faults_begin(int argc, char **argv)
{
  size_t i;

  setvbuf(stdout, NULL, _IOLBF, 0);
  for (i = 0; argc > 1 && i < sizeof all_words / sizeof all_words[0]; i++)
    if (strcmp(argv[1], all_words[i].name) == 0) {
      if (getenv(all_words[i].variable) == NULL)
        die("%s must have the URL of a server", all_words[i].variable);
      return &all_words[i];
    }
  die("usage: %s postgresql|mysql", argv[0]);
}

int
faults_end(void)
{
  unsigned count = atomic_load(&failures);

  printf("%u failed\n", count);
  return count != 0;
}

void
faults_fill(char *buffer, size_t size, const char *pattern, const char *fmt,
            ...)
{
  const char *hash = strchr(pattern, '#');
  char text[256];
  va_list values;

  va_start(values, fmt);
  vsnprintf(text, sizeof text, fmt, values);
  va_end(values);
  if (hash == NULL)
    snprintf(buffer, size, "%s", pattern);
  else
    snprintf(buffer, size, "%.*s%s%s", (int)(hash - pattern), pattern, text,
             hash + 1);
}

/* ------------------------------------------------------------------ */
/* URLs and sessions                                                   */

/* Where the URL's "host:port" is. */
static const char *
find_address(const char *url, size_t *ret_size)
{
  const char *begin = strchr(url, '@');
  const char *end = begin == NULL ? NULL : strchr(begin, '/');

  if (end == NULL)
    die("%s: has no address", url);
  *ret_size = (size_t)(end - begin) - 1;
  return begin + 1;
}

void
faults_url(const struct words *words, unsigned port, const char *options,
           char *buffer, size_t size)
{
  const char *url = getenv(words->variable);
  size_t address_size;
  const char *address = find_address(url, &address_size);
  const char *rest = address + address_size;

  if (port == 0)
    snprintf(buffer, size, "%s%s%s", url, options != NULL ? "?" : "",
             options != NULL ? options : "");
  else
    snprintf(buffer, size, "%.*s127.0.0.1:%u%s%s%s", (int)(address - url), url,
             port, rest, options != NULL ? "?" : "",
             options != NULL ? options : "");
}

tn_conn *
faults_open(const char *url, uint64_t timeout_ms)
{
  const struct tn_conn_options options = { .timeout_ms = timeout_ms };
  tn_conn *conn = NULL;
  tn_err err = TN_ERR_INIT;

  must(tn_conn_open(url, &options, &conn, &err), &err, "open");
  return conn;
}

int64_t
faults_number(tn_conn *conn, const char *sql)
{
  const struct tn_query query = { .sql = sql };
  TN_CLEANUP(tn_result_close) tn_result *result = NULL;
  const tn_value *row = NULL;
  tn_err err = TN_ERR_INIT;

  must(tn_conn_query(conn, &query, &result, &err), &err, sql);
  must(tn_result_next(result, &row, &err), &err, sql);
  if (row == NULL || (row[0].type != TN_INT64 && row[0].type != TN_UINT64))
    die("%s: no number", sql);
  return row[0].as.int64;
}

void
faults_exec(tn_conn *conn, const char *sql)
{
  tn_err err = TN_ERR_INIT;

  must(tn_conn_exec(conn, sql, NULL, &err), &err, sql);
}

void
faults_threads(void *(*run)(void *item), void *items, size_t count, size_t size)
{
  pthread_t *threads = calloc(count, sizeof *threads);
  size_t i;

  for (i = 0; i < count; i++)
    if (threads == NULL ||
        pthread_create(&threads[i], NULL, run, (char *)items + i * size) != 0)
      die("no thread to be had");
  for (i = 0; i < count; i++)
    pthread_join(threads[i], NULL);
  free(threads);
}

/* ------------------------------------------------------------------ */
/* The proxy                                                           */

static void
read_line(struct proxy *proxy, char *line, int size)
{
  if (fgets(line, size, proxy->from) == NULL)
    die("the proxy has ended");
  line[strcspn(line, "\n")] = '\0';
}

static void
send_line(struct proxy *proxy, const char *line)
{
  if (dprintf(proxy->to, "%s\n", line) < 0)
    die("the proxy does not listen: %s", strerror(errno));
}

void
proxy_start(struct proxy *proxy, const struct words *words, const char *path)
{
  posix_spawn_file_actions_t actions;
  char target[256];
  char line[64];
  char *arguments[] = { (char *)FAULT_PROXY, target, NULL };
  size_t size;
  const char *address = find_address(getenv(words->variable), &size);
  int ends[2];

  snprintf(target, sizeof target, "%.*s", (int)size, address);
  if (path != NULL)
    snprintf(target, sizeof target, "%s", path);
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    die("socketpair: %s", strerror(errno));
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
  if (posix_spawn(&proxy->pid, FAULT_PROXY, &actions, NULL, arguments,
                  environ) != 0)
    die("%s does not start", FAULT_PROXY);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  proxy->to = ends[0];
  proxy->from = fdopen(fcntl(ends[0], F_DUPFD_CLOEXEC, 0), "r");
  if (proxy->from == NULL)
    die("fdopen: %s", strerror(errno));
  read_line(proxy, line, sizeof line);
  proxy->port = (unsigned)strtoul(line, NULL, 10);
}

void
proxy_tell(struct proxy *proxy, const char *fmt, ...)
{
  char line[128];
  char answer[128];
  va_list values;

  va_start(values, fmt);
  vsnprintf(line, sizeof line, fmt, values);
  va_end(values);
  send_line(proxy, line);
  read_line(proxy, answer, sizeof answer);
  if (strcmp(answer, "ok") != 0)
    die("proxy: %s", answer);
}

void
proxy_count(struct proxy *proxy, uint64_t ret[3])
{
  char line[128];

  send_line(proxy, "count");
  read_line(proxy, line, sizeof line);
  if (sscanf(line, "%" SCNu64 " %" SCNu64 " %" SCNu64, &ret[0], &ret[1],
             &ret[2]) != 3)
    die("proxy: %s", line);
}

void
proxy_stop(struct proxy *proxy)
{
  int status = 0;

  shutdown(proxy->to, SHUT_RDWR);
  close(proxy->to);
  fclose(proxy->from);
  if (waitpid(proxy->pid, &status, 0) != proxy->pid || status != 0)
    fail("the proxy ended with status %d", status);
}
