/* A file that is exchanged while it is being loaded. One process swaps a good
 * plug-in for unsafe ones as fast as it can, another loads; the code of an
 * unsafe file is never run, at whatever moment the swap comes.
 *
 * Each good file is a new one: a loader that has it mapped already would not
 * map anything. An unsafe one tells when its code runs (spy.c). */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "loader.h"

#define RACES       2000 /* loads during which there was a swap */
#define LOADS       200  /* of a process, which may map 256 files */
#define PATIENCE_S  100
#define PAUSE_MAX   150000 /* ns */
#define NOBODY      65534
#define COPY_SIZE   65536
#define PATH_SIZE   128
#define FOLDER      "/tmp/tenon-swap-XXXXXX"
#define FOLDER_SIZE sizeof(FOLDER)

/* What the processes share. */
struct shared {
  atomic_ulong swaps;
  atomic_ulong races;
  atomic_ulong loads;
  atomic_ulong good;
  atomic_ulong unsafe;    /* refused for its owner or mode */
  atomic_ulong exchanged; /* refused because of a swap that was seen */
  atomic_ulong odd;       /* anything else */
};

static struct shared *shared;
static char folder[FOLDER_SIZE] = FOLDER;

static void
die(const char *what)
{
  perror(what);
  exit(2);
}

static void
must(int status, const char *what)
{
  if (status < 0)
    die(what);
}

static const char *
in_folder(const char *name, char path[PATH_SIZE])
{
  snprintf(path, PATH_SIZE, "%s/%s", folder, name);
  return path;
}

/* ---- files ---- */

static void
copy_plugin(const char *name, const char *as)
{
  char buffer[COPY_SIZE], from[PATH_MAX], to[PATH_SIZE];
  ssize_t size;
  int in, out;

  snprintf(from, sizeof(from), "%s/%s.so", TN_TEST_PLUGINS, name);
  in = open(from, O_RDONLY | O_CLOEXEC);
  out = open(in_folder(as, to), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  must(in, from);
  must(out, to);
  while ((size = read(in, buffer, sizeof(buffer))) > 0)
    must(write(out, buffer, (size_t)size) == size ? 0 : -1, to);
  close(in);
  close(out);
}

static void
make_folder(const char *name, mode_t mode)
{
  char path[PATH_SIZE];

  must(mkdir(in_folder(name, path), 0755), path);
  must(chmod(path, mode), path);
}

static void
make_link(const char *target, const char *name)
{
  char path[PATH_SIZE];

  must(symlink(target, in_folder(name, path)), path);
}

static void
change_name(const char *from, const char *to)
{
  char source[PATH_SIZE], target[PATH_SIZE];

  must(rename(in_folder(from, source), in_folder(to, target)), source);
}

/* safe/ is trusted. others/ is a folder where everybody may write; link leads
 * to one of them. */
static void
make_files(void)
{
  char path[PATH_SIZE];

  if (mkdtemp(folder) == NULL)
    die(folder);
  must(chmod(folder, 0755), folder);
  make_folder("safe", 0755);
  make_folder("others", 0777);
  make_link("safe", "link");
  copy_plugin("spy", "others/plug.so");
  copy_plugin("spy", "writable.so");
  must(chmod(in_folder("writable.so", path), 0666), path);
  copy_plugin("spy", "foreign.so");
  if (geteuid() == 0)
    must(chown(in_folder("foreign.so", path), NOBODY, NOBODY), path);
  else
    must(chmod(in_folder("foreign.so", path), 0664), path);
}

static void
remove_files(void)
{
  char command[sizeof("rm -rf ") + FOLDER_SIZE];

  snprintf(command, sizeof(command), "rm -rf %s", folder);
  must(system(command) == 0 ? 0 : -1, command);
}

/* ---- the one who swaps ---- */

/* Put a second name for `file` in the place of the plug-in. */
static void
put(const char *file)
{
  char source[PATH_SIZE], target[PATH_SIZE];

  must(link(in_folder(file, source), in_folder("next", target)), source);
  change_name("next", "safe/plug.so");
}

static void
put_writable(void)
{
  put("writable.so");
}

static void
put_foreign(void)
{
  put("foreign.so");
}

/* A link of the trusted folder that leads out of it. */
static void
put_link(void)
{
  make_link("../others/plug.so", "next");
  change_name("next", "safe/plug.so");
}

/* The folder itself is another. */
static void
put_folder(void)
{
  make_link("others", "next");
  change_name("next", "link");
}

static void
put_good(void)
{
  copy_plugin("short_table", "next");
  change_name("next", "safe/plug.so");
  make_link("safe", "next");
  change_name("next", "link");
}

static void
pause_a_little(unsigned *seed)
{
  const struct timespec pause = { .tv_nsec = rand_r(seed) % PAUSE_MAX };

  nanosleep(&pause, NULL);
}

static void
swap_for_ever(void)
{
  static void (*const unsafe[])(void) = { put_writable, put_foreign, put_link,
                                          put_folder };
  unsigned seed = 1;

  for (size_t i = 0;; i++) {
    put_good();
    atomic_fetch_add(&shared->swaps, 1);
    pause_a_little(&seed);
    unsafe[i % TN_COUNT(unsafe)]();
    atomic_fetch_add(&shared->swaps, 1);
    pause_a_little(&seed);
  }
}

/* ---- the one who loads ---- */

static atomic_ulong *
counter_of(enum tn_code rc, const char *message)
{
  if (rc == TN_OK)
    return &shared->good;
  if (strstr(message, "exchanged while it was being checked") != NULL)
    return &shared->exchanged;
  if (strstr(message, "chmod go-w") != NULL ||
      strstr(message, "chown it") != NULL)
    return &shared->unsafe;
  fprintf(stderr, "odd: %s\n", message);
  return &shared->odd;
}

static void
load(const char *path, const char *name)
{
  const struct tn_loader_wish wish = { .path = path,
                                       .name = name,
                                       .package = "" };
  unsigned long before = atomic_load(&shared->swaps);
  struct tn_backend *backend = NULL;
  tn_err err = TN_ERR_INIT;
  bool is_final = false;
  enum tn_code rc = tn_loader_load(&wish, &backend, &is_final, &err);

  atomic_fetch_add(&shared->loads, 1);
  if (atomic_load(&shared->swaps) != before)
    atomic_fetch_add(&shared->races, 1);
  atomic_fetch_add(counter_of(rc, err.message), 1);
  tn_backend_free(&backend);
}

static void
load_many(void)
{
  char path[PATH_SIZE];

  in_folder("link/plug.so", path);
  for (int i = 0; i < LOADS && atomic_load(&shared->races) < RACES; i++)
    load(path, "short_table");
}

/* Does a spy that is loaded tell? */
static void
load_spy(void)
{
  char path[PATH_SIZE];

  copy_plugin("spy", "safe/spy.so");
  load(in_folder("safe/spy.so", path), "spy");
}

static void
run_in_child(void (*work)(void))
{
  int status = 0;
  pid_t pid = fork();

  must(pid, "fork");
  if (pid == 0) {
    work();
    _exit(0);
  }
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
    continue;
  if (status != 0) {
    fprintf(stderr, "a process that loads ends with status %#x\n", status);
    atomic_fetch_add(&shared->odd, 1);
  }
}

/* ---- both ---- */

/* Marks that spies have left. */
static long
count_marks(int fd)
{
  char buffer[COPY_SIZE];
  struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

  if (poll(&poll_fd, 1, 0) == 0)
    return 0;
  return read(fd, buffer, sizeof(buffer));
}

static int
judge(long marks)
{
  printf("%lu swaps, %lu loads, of which %lu raced: %lu good, %lu unsafe, "
         "%lu exchanged, %lu odd; %ld unsafe files ran\n",
         atomic_load(&shared->swaps), atomic_load(&shared->loads),
         atomic_load(&shared->races), atomic_load(&shared->good),
         atomic_load(&shared->unsafe), atomic_load(&shared->exchanged),
         atomic_load(&shared->odd), marks);
  return marks != 0 || atomic_load(&shared->odd) != 0 ||
         atomic_load(&shared->races) < RACES ||
         atomic_load(&shared->good) < RACES / 10 ||
         atomic_load(&shared->unsafe) < RACES / 10;
}

int
main(void)
{
  time_t end = time(NULL) + PATIENCE_S;
  char number[16];
  int marks[2], failures = 0;
  pid_t swapper;

  shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  must(shared == MAP_FAILED ? -1 : pipe(marks), "shared");
  snprintf(number, sizeof(number), "%d", marks[1]);
  setenv("TENON_TEST_SPY", number, 1);
  make_files();

  run_in_child(load_spy);
  if (count_marks(marks[0]) != 1 || atomic_load(&shared->good) != 1) {
    fprintf(stderr, "the spy says nothing\n");
    failures++;
  }
  put_good();
  swapper = fork();
  must(swapper, "fork");
  if (swapper == 0)
    swap_for_ever();
  while (atomic_load(&shared->races) < RACES &&
         atomic_load(&shared->odd) == 0 && time(NULL) < end)
    run_in_child(load_many);
  kill(swapper, SIGKILL);
  waitpid(swapper, NULL, 0);
  failures += judge(count_marks(marks[0]));
  remove_files();
  return failures != 0;
}
