/* Who runs where.
 *
 * Where the scheduler puts a client and its server, beside each other or one
 * after the other, changes the time of a round trip by a third, and it may put
 * the two sides differently. So all clients get one processor, and the server
 * the others. */
#include "bench.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

static struct {
  long server; /* its process */
  cpu_set_t all;
} place;

/* All threads that the server has; those to come, and processes, follow. */
static int
put_server(const cpu_set_t *where)
{
  char path[64];
  DIR *tasks;
  struct dirent *task;
  int rc = 0;

  snprintf(path, sizeof path, "/proc/%ld/task", place.server);
  tasks = opendir(path);
  if (tasks == NULL)
    return -1;
  while (rc == 0 && (task = readdir(tasks)) != NULL) {
    int id = atoi(task->d_name);

    /* One may have ended meanwhile. */
    if (id > 0 && sched_setaffinity(id, sizeof *where, where) != 0 &&
        errno != ESRCH)
      rc = -1;
  }
  closedir(tasks);
  return rc;
}

static void
put_back(void)
{
  (void)put_server(&place.all);
}

void
bench_place(const char *variable)
{
  char name[64];
  const char *server;
  cpu_set_t own;
  cpu_set_t others;
  int first = 0;

  snprintf(name, sizeof name, "%s_PID", variable);
  server = getenv(name);
  if (server == NULL ||
      sched_getaffinity(0, sizeof place.all, &place.all) != 0 ||
      CPU_COUNT(&place.all) < 2) {
    puts("the scheduler chooses processors: times vary by a third");
    return;
  }
  place.server = atol(server);
  while (!CPU_ISSET(first, &place.all))
    first++;
  CPU_ZERO(&own);
  CPU_SET(first, &own);
  CPU_XOR(&others, &place.all, &own);
  if (put_server(&others) != 0 || sched_setaffinity(0, sizeof own, &own) != 0)
    bench_die(name, "cannot be told its processors");
  atexit(put_back);
}
