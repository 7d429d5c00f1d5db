/* Preloaded: a program, whichever it is, runs in a storm of signals. Every
 * thread of it gets one each millisecond, whose handler does nothing but make
 * system calls end with EINTR.
 *
 * At the end it says how many there were. It ends the program with status 3
 * if there were none, or if SIGPIPE came or has another handler than before. */
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define INTERVAL_NS 1000000
#define SIGNAL      SIGURG /* of which nobody else makes use */
#define STATUS      3

static atomic_ulong sent, come, pipes;
static atomic_bool is_over;
static pthread_t sender;
static pid_t process;

static void
take_signal(int number)
{
  (void)number;
  atomic_fetch_add(&come, 1);
}

static void
take_pipe(int number)
{
  (void)number;
  atomic_fetch_add(&pipes, 1);
}

static void
send_to_all(pid_t own)
{
  DIR *folder = opendir("/proc/self/task");
  const struct dirent *entry;

  while (folder != NULL && (entry = readdir(folder)) != NULL) {
    pid_t thread = (pid_t)strtol(entry->d_name, NULL, 10);

    if (thread > 0 && thread != own &&
        syscall(SYS_tgkill, process, thread, SIGNAL) == 0)
      atomic_fetch_add(&sent, 1);
  }
  if (folder != NULL)
    closedir(folder);
}

static void *
send_for_ever(void *unused)
{
  const struct timespec interval = { .tv_nsec = INTERVAL_NS };
  pid_t own = (pid_t)syscall(SYS_gettid);

  while (!atomic_load(&is_over)) {
    send_to_all(own);
    nanosleep(&interval, NULL);
  }
  return unused;
}

static void
set_handler(int number, void (*handler)(int))
{
  struct sigaction action = { .sa_handler = handler };

  sigemptyset(&action.sa_mask);
  if (sigaction(number, &action, NULL) != 0)
    _exit(STATUS);
}

static void __attribute__((constructor)) begin(void)
{
  sigset_t all, before;

  process = getpid();
  set_handler(SIGNAL, take_signal);
  set_handler(SIGPIPE, take_pipe);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  if (pthread_create(&sender, NULL, send_for_ever, NULL) != 0)
    _exit(STATUS);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Is everything about SIGPIPE as it was? */
static int
is_pipe_untouched(void)
{
  struct sigaction action;
  sigset_t blocked;

  return sigaction(SIGPIPE, NULL, &action) == 0 &&
         action.sa_handler == take_pipe &&
         pthread_sigmask(SIG_BLOCK, NULL, &blocked) == 0 &&
         !sigismember(&blocked, SIGPIPE) && atomic_load(&pipes) == 0;
}

static void __attribute__((destructor)) end(void)
{
  if (getpid() != process)
    return; /* a child, which has no sender */
  atomic_store(&is_over, true);
  pthread_join(sender, NULL);
  fprintf(stderr, "storm: %lu signals sent, %lu handled, %lu SIGPIPE%s\n",
          atomic_load(&sent), atomic_load(&come), atomic_load(&pipes),
          is_pipe_untouched() ? "" : ", which is not as it was");
  fflush(stdout);
  if (atomic_load(&come) == 0 || !is_pipe_untouched())
    _exit(STATUS);
}
