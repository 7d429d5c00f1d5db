/* Descriptors of a process: what happens when there are none left, and who
 * else gets to see the ones that a connection has.
 *
 *   process_descriptors URL [sockets]
 *
 * With "sockets" the client library makes its sockets close-on-exec in a second
 * step, or leaves it to the plug-in. A child that is started between the two
 * has one, as rarely as that comes, and nothing else ever. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <tenon/plugin.h>
#include <tenon/tenon.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_MIN   8
#define LIMIT_MAX   64
#define LIMIT_STEP  28
#define FREE_MAX    20 /* more than a connection takes */
#define ENOUGH      2  /* times that it could do with fewer */
#define DEADLINE_MS 5000
#define SLACK_MS    250
#define CHILDREN    100
#define USES        10 /* of connections meanwhile */
#define RARE        10 /* one in so many */
#define NS_PER_MS   1000000

static char *url;
static bool has_sockets;
static unsigned failures;

static void
fail(const char *what, const char *detail)
{
  failures++;
  printf("not ok - %s: %s\n", what, detail);
}

static void
need(bool is_good, const char *what)
{
  if (is_good)
    return;
  perror(what);
  exit(2);
}

/* ---- a limit ---- */

/* The process's descriptors up to a limit, but for some, taken. */
struct siege {
  struct rlimit before;
  int taken[LIMIT_MAX];
  int count;
};

static void
lay_siege(struct siege *siege, int limit, int free)
{
  struct rlimit tight;
  int fd;

  need(getrlimit(RLIMIT_NOFILE, &siege->before) == 0, "getrlimit");
  tight = siege->before;
  tight.rlim_cur = (rlim_t)limit;
  need(setrlimit(RLIMIT_NOFILE, &tight) == 0, "setrlimit");
  siege->count = 0;
  while ((fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
    siege->taken[siege->count++] = fd;
  need(errno == EMFILE, "/dev/null");
  while (free-- > 0 && siege->count > 0)
    close(siege->taken[--siege->count]);
}

static void
lift_siege(struct siege *siege)
{
  while (siege->count > 0)
    close(siege->taken[--siege->count]);
  need(setrlimit(RLIMIT_NOFILE, &siege->before) == 0, "setrlimit");
}

static int
count_fds(void)
{
  int count = 0;

  for (int fd = 0; fd < 2 * LIMIT_MAX; fd++)
    count += fcntl(fd, F_GETFD) >= 0;
  return count;
}

/* A thread that works for a connection may still have to close its own. */
static bool
comes_back_to(int count)
{
  const struct timespec pause = { .tv_nsec = NS_PER_MS };

  for (int i = 0; i < DEADLINE_MS; i++) {
    if (count_fds() == count)
      return true;
    nanosleep(&pause, NULL);
  }
  return false;
}

static int64_t
now_ms(void)
{
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / NS_PER_MS;
}

/* That no descriptor would be a child's if it were started now. */
static void
check_flags(bool with_sockets, const char *when)
{
  char text[64];

  for (int fd = STDERR_FILENO + 1; fd < 2 * LIMIT_MAX; fd++) {
    int flags = fcntl(fd, F_GETFD);
    struct stat status;

    if (flags < 0 || (flags & FD_CLOEXEC) != 0)
      continue;
    if (!with_sockets && fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode))
      continue;
    snprintf(text, sizeof(text), "descriptor %d, %s", fd, when);
    fail("not closed on exec", text);
  }
}

static int
wait_and_look(int fd, uint32_t events, tn_deadline until, void *user)
{
  struct pollfd polled = { .fd = fd };
  int64_t left_ms = (until - tn_deadline_after_ms(0)) / NS_PER_MS + 1;

  (void)user;
  check_flags(!has_sockets, "while it waits");
  if ((events & TN_WAIT_READ) != 0)
    polled.events |= POLLIN;
  if ((events & TN_WAIT_WRITE) != 0)
    polled.events |= POLLOUT;
  if (poll(&polled, 1, left_ms > 0 ? (int)left_ms : 0) <= 0)
    return 0;
  return (int)events;
}

static enum tn_code
use(tn_registry *registry, tn_err *err)
{
  const struct tn_conn_options options = {
    .registry = registry,
    .deadline = tn_deadline_after_ms(DEADLINE_MS),
    .timeout_ms = DEADLINE_MS,
    .wait = wait_and_look,
  };
  TN_CLEANUP(tn_conn_close) tn_conn *conn = NULL;
  enum tn_code rc = tn_conn_open(url, &options, &conn, err);

  check_flags(true, "of an open connection");
  if (rc == TN_OK)
    rc = tn_conn_exec(conn, "DROP TABLE IF EXISTS process_t", NULL, err);
  if (rc == TN_OK)
    rc = tn_conn_exec(conn, "CREATE TABLE process_t (a INTEGER)", NULL, err);
  return rc;
}

/* Does the error say what was wanting? A plug-in that cannot be mapped is an
 * error of that kind. */
static bool
is_clear(enum tn_code rc, const tn_err *err)
{
  if (rc == TN_E_LIMIT)
    return true;
  return rc == TN_E_PLUGIN &&
         (strstr(err->message, "too many open files") != NULL ||
          strstr(err->detail, "too many open files") != NULL);
}

/* Open and use a connection with `free` descriptors below `limit`, and again
 * without that limit. Returns whether it could do with them. */
static bool
try_siege(tn_registry *registry, int limit, int free, bool is_loaded)
{
  struct siege siege;
  tn_err err = TN_ERR_INIT;
  char text[1024];
  int before = count_fds();
  int64_t start, took_ms;
  enum tn_code rc;

  lay_siege(&siege, limit, free);
  start = now_ms();
  rc = use(registry, &err);
  took_ms = now_ms() - start;
  lift_siege(&siege);

  snprintf(text, sizeof(text), "%s, limit %d, %d free: %s after %lld ms: %s",
           is_loaded ? "loaded" : "first use", limit, free, tn_code_name(rc),
           (long long)took_ms, rc != TN_OK ? err.message : "");
  if (rc != TN_OK && !is_clear(rc, &err))
    fail("no clear category", text);
  if (took_ms > DEADLINE_MS + SLACK_MS)
    fail("late", text);
  if (is_loaded && !comes_back_to(before))
    fail("descriptors are left behind", text);
  if (rc != TN_OK && use(registry, &err) != TN_OK)
    fail("it does not recover", err.message);
  return rc == TN_OK;
}

/* With a plug-in that is loaded. */
static void
check_limit(tn_registry *registry, int limit)
{
  int stood = 0, free;

  for (free = 0; free < FREE_MAX && free < limit && stood < ENOUGH; free++)
    stood += try_siege(registry, limit, free, true);
  printf("ok - %d tries below a limit of %d, of which %d succeeded\n", free,
         limit, stood);
  if (stood == free)
    fail("limits", "they made no difference");
  if (stood == 0 && limit == LIMIT_MAX)
    fail("limits", "none was enough");
}

/* Each try in a process of its own, since a plug-in is mapped once. */
static void
check_first_use(void)
{
  int status = 0, stood = 0, free;

  for (free = 0; free < FREE_MAX && stood < ENOUGH; free++) {
    pid_t pid = fork();

    need(pid >= 0, "fork");
    if (pid == 0) {
      tn_registry *registry = NULL;
      bool has_stood;

      failures = 0;
      need(tn_registry_new(NULL, &registry, NULL) == TN_OK, "registry");
      has_stood = try_siege(registry, LIMIT_MAX, free, false);
      tn_registry_free(&registry);
      fflush(stdout);
      _exit(failures != 0 ? 2 : has_stood);
    }
    need(waitpid(pid, &status, 0) == pid && WIFEXITED(status), "waitpid");
    if (WEXITSTATUS(status) > 1)
      fail("first use", "see above");
    stood += WEXITSTATUS(status) == 1;
  }
  printf("ok - %d first connections of a process\n", free);
}

/* ---- what a child sees ---- */

static atomic_bool is_over;
static atomic_uint uses;

static void *
use_for_ever(void *registry)
{
  tn_err err = TN_ERR_INIT;

  while (!atomic_load(&is_over)) {
    if (use(registry, &err) != TN_OK) {
      printf("beside children: %s\n", err.message);
      exit(1);
    }
    atomic_fetch_add(&uses, 1);
  }
  return NULL;
}

/* What is there but 0 to 2 and the folder that ls itself reads? */
static bool
read_list(FILE *list)
{
  char line[512];
  bool is_odd = false;

  while (fgets(line, sizeof(line), list) != NULL) {
    const char *arrow = strstr(line, " -> ");
    const char *number = arrow;
    const char *target = arrow != NULL ? arrow + 4 : "";

    while (number != NULL && number > line && number[-1] != ' ')
      number--;
    if (number == NULL || atoi(number) <= STDERR_FILENO ||
        strncmp(target, "/proc/", 6) == 0)
      continue;
    if (!has_sockets || strncmp(target, "socket:", 7) != 0)
      fail("a child has", number);
    is_odd = true;
  }
  return is_odd;
}

/* A child that only execs, at any moment. */
static bool
child_sees_more(void)
{
  char *const command[] = { (char[]){ "ls" }, (char[]){ "-l" },
                            (char[]){ "/proc/self/fd" }, NULL };
  posix_spawn_file_actions_t actions;
  char *const environment[] = { NULL };
  int ends[2], status = 0;
  bool is_odd;
  FILE *list;
  pid_t pid;

  need(pipe2(ends, O_CLOEXEC) == 0, "pipe");
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  need(posix_spawn(&pid, "/bin/ls", &actions, NULL, command, environment) == 0,
       "ls");
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  list = fdopen(ends[0], "r");
  need(list != NULL, "fdopen");
  is_odd = read_list(list);
  fclose(list);
  need(waitpid(pid, &status, 0) == pid && status == 0, "ls");
  return is_odd;
}

static void
check_children(tn_registry *registry)
{
  unsigned seed = 1, odd = 0, children = 0;
  pthread_t thread;
  char text[64];

  need(pthread_create(&thread, NULL, use_for_ever, registry) == 0, "thread");
  for (; children < CHILDREN || atomic_load(&uses) < USES; children++) {
    const struct timespec pause = { .tv_nsec = rand_r(&seed) % NS_PER_MS };

    nanosleep(&pause, NULL);
    odd += child_sees_more();
  }
  atomic_store(&is_over, true);
  pthread_join(thread, NULL);
  snprintf(text, sizeof(text), "by %u of %u children", odd, children);
  if (odd > children / RARE)
    fail("sockets are inherited", text);
  printf("ok - %u children beside %u connections, %u with a socket\n", CHILDREN,
         atomic_load(&uses), odd);
}

int
main(int argc, char **argv)
{
  tn_registry *registry = NULL;
  tn_err err = TN_ERR_INIT;

  need(argc == 2 || argc == 3, "usage: process_descriptors URL [sockets]");
  has_sockets = argc == 3;
  need(tn_secret_resolve(argv[1], &url, &err) == TN_OK, argv[1]);
  setvbuf(stdout, NULL, _IOLBF, 0);
  close_range(STDERR_FILENO + 1, ~0U, 0); /* what the caller left open */
  check_first_use();
  need(tn_registry_new(NULL, &registry, NULL) == TN_OK, "registry");
  need(use(registry, &err) == TN_OK, err.message);
  for (int limit = LIMIT_MIN; limit <= LIMIT_MAX; limit += LIMIT_STEP)
    check_limit(registry, limit);
  check_children(registry);
  tn_registry_free(&registry);
  tn_secret_free(&url);
  printf("%u failures\n", failures);
  return failures != 0;
}
