/* Whoever gave a second has an answer after a second, wherever the network
 * dies: between the deadline and 250 ms later, 20 times out of 20. The tries of
 * a place run at the same time, each with a session of its own.
 *
 * The network dies in a proxy that loses what comes, as far as it may; by
 * losing all packets, where a network namespace can be had; and by stopping the
 * server, for which the kernel goes on to accept. */
#include "places.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRIES   20
#define LATE_MS 250

/* Where not even a cancel gets through, the earliest of the tries may be so
 * late; the others may also have waited for a processor. */
#define SOON_MS 100

/* The machine may have stood still, for so long at most, but not each time: a
 * place has all of its tries anew, and is good once none of them is late. */
#define STALLED_MS 2000
#define TIMES      3

/* What closes in no time; what waits for a server takes a second. */
#define CLOSED_MS 800

struct tries {
  struct try items[TRIES];
};

/* A way to make the network die, and to heal it. */
struct road {
  const char *name;
  uint32_t way; /* PLACE_… */
  void (*cut)(const struct tries *tries);
  void (*heal)(const struct tries *tries);
};

static const struct words *words;
static struct proxy proxy;
static tn_conn *admin;
static unsigned beginnings[BEGINNING_COUNT];
static pthread_barrier_t is_prepared;
static pthread_barrier_t is_started;
static pthread_barrier_t is_cut;

/* ------------------------------------------------------------------ */
/* A resolver that does not answer                                     */

/* Takes the place of the C library's for the whole process, plug-ins and client
 * libraries included; no right is needed for that. */
TN_API int getaddrinfo(const char *restrict node, const char *restrict service,
                       const struct addrinfo *restrict hints,
                       struct addrinfo **restrict ret);

int
getaddrinfo(const char *restrict node, const char *restrict service,
            const struct addrinfo *restrict hints,
            struct addrinfo **restrict ret)
{
  union {
    void *object;
    int (*call)(const char *, const char *, const struct addrinfo *,
                struct addrinfo **);
  } real;

  if (node != NULL && strstr(node, "hangs.test") != NULL) {
    sleep(TIME_MS / 1000 * 5);
    return EAI_AGAIN;
  }
  real.object = dlsym(RTLD_NEXT, "getaddrinfo");
  return real.call(node, service, hints, ret);
}

/* ------------------------------------------------------------------ */
/* Roads                                                               */

static void
cut_proxy(const struct tries *tries)
{
  const struct place *place = tries->items[0].place;
  char rule[64];

  faults_fill(rule, sizeof rule, place->rule, "%u",
              beginnings[place->beginning]);
  proxy_tell(&proxy, "%s", rule);
}

static void
heal_proxy(const struct tries *tries)
{
  (void)tries;
  proxy_tell(&proxy, "pass");
}

static void
run_nft(const char *rules)
{
  char command[512];

  snprintf(command, sizeof command, "nft '%s'", rules);
  if (system(command) != 0)
    die("%s: failed", command);
}

static void
cut_packets(const struct tries *tries)
{
  char rules[256];

  (void)tries;
  snprintf(rules, sizeof rules,
           "add rule inet tenon in tcp dport %u drop; "
           "add rule inet tenon in tcp sport %u drop",
           proxy.port, proxy.port);
  run_nft(rules);
}

static void
heal_packets(const struct tries *tries)
{
  (void)tries;
  run_nft("flush chain inet tenon in");
}

static pid_t
server_pid(void)
{
  char name[64];
  const char *text;

  snprintf(name, sizeof name, "%s_PID", words->variable);
  text = getenv(name);
  if (text == NULL)
    die("%s must have the server's process", name);
  return (pid_t)strtol(text, NULL, 10);
}

/* Have all threads of a process stopped? */
static bool
is_stopped(pid_t pid)
{
  char path[64];
  struct dirent *entry;
  bool is_all = true;
  DIR *folder;

  snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
  folder = opendir(path);
  if (folder == NULL)
    return true;
  while (is_all && (entry = readdir(folder)) != NULL) {
    char state = 'T';
    FILE *file;

    if (entry->d_name[0] == '.')
      continue;
    snprintf(path, sizeof path, "/proc/%d/task/%.16s/stat", (int)pid,
             entry->d_name);
    file = fopen(path, "re");
    if (file == NULL)
      continue;
    is_all = fscanf(file, "%*d (%*[^)]) %c", &state) != 1 || state == 'T';
    fclose(file);
  }
  closedir(folder);
  return is_all;
}

static void
signal_process(pid_t pid, int number)
{
  kill(pid, number);
  while (number == SIGSTOP && !is_stopped(pid))
    continue;
}

/* The server, and its sessions if they are processes. */
static void
signal_server(const struct tries *tries, int number)
{
  size_t i;

  signal_process(server_pid(), number);
  for (i = 0; words->has_processes && i < TRIES; i++)
    if (tries->items[i].session != 0)
      signal_process((pid_t)tries->items[i].session, number);
}

static void
cut_server(const struct tries *tries)
{
  signal_server(tries, SIGSTOP);
}

static void
heal_server(const struct tries *tries)
{
  signal_server(tries, SIGCONT);
}

static const struct road by_proxy = { "proxy", PLACE_HOLE, cut_proxy,
                                      heal_proxy };
static const struct road by_loss = { "loss", PLACE_LOSS, cut_packets,
                                     heal_packets };
static const struct road by_stop = { "stop", PLACE_STOP, cut_server,
                                     heal_server };

/* ------------------------------------------------------------------ */
/* Tries                                                               */

static void *
run_try(void *item)
{
  struct try *try = item;

  if (try->place->prepare != NULL)
    try->place->prepare(try);
  pthread_barrier_wait(&is_prepared);
  if (try->place->start != NULL)
    try->place->start(try);
  pthread_barrier_wait(&is_started);
  pthread_barrier_wait(&is_cut);
  if (try->deadline == 0 || try->place->work == WORK_CLOSE)
    try->deadline = tn_deadline_after_ms(TIME_MS);
  try->rc = try->place->act(try);
  try->ended = tn_clock_now();
  return NULL;
}

static void
check_answer(const struct try *try, const char *road)
{
  enum work work = try->place->work;
  bool is_right = work == WORK_COMMIT ? try->rc == TN_E_UNCERTAIN
                  : work == WORK_WHOLE
                      ? try->rc == TN_E_UNCERTAIN || try->rc == TN_E_TIMEOUT
                      : try->rc == TN_E_TIMEOUT;

  if (!is_right ||
      (work != WORK_OPEN && try->err.connection != TN_CONNECTION_DEAD))
    fail("%s: %s: %s, connection %s: %s", road, try->place->name,
         tn_code_name((int32_t)try->rc),
         tn_connection_verdict_name(try->err.connection), try->err.message);
  if ((try->rc == TN_E_UNCERTAIN || work == WORK_WRITE) &&
      try->err.replay != TN_REPLAY_UNKNOWN)
    fail("%s: %s: a replay is said to be %s", road, try->place->name,
         tn_replay_verdict_name(try->err.replay));
}

/* Is it in time? */
static bool
check_try(const struct try *try, const char *road)
{
  double late_ms = (double)(try->ended - try->deadline) / NS_PER_MS;
  bool may_be_early = try->place->work == WORK_CLOSE;

  if (!may_be_early)
    check_answer(try, road);
  if (late_ms > STALLED_MS || (late_ms < 0 && !may_be_early))
    fail("%s: %s: %.1f ms after the deadline", road, try->place->name, late_ms);
  return late_ms <= LATE_MS;
}

/* What is dead already takes no time to close. */
static void *
close_try(void *item)
{
  struct try *try = item;
  int64_t began = tn_clock_now();
  int64_t ms;

  tn_result_close(&try->result);
  tn_bulk_close(&try->bulk);
  tn_prepared_close(&try->prepared);
  tn_txn_end(&try->txn);
  tn_conn_close(&try->conn);
  ms = (tn_clock_now() - began) / NS_PER_MS;
  if (ms > CLOSED_MS)
    fail("%s: %d ms to close a dead session", try->place->name, (int)ms);
  return NULL;
}

static void *
run_tries(void *item)
{
  struct tries *tries = item;

  faults_threads(run_try, tries->items, TRIES, sizeof tries->items[0]);
  return NULL;
}

/* A kill logs in, and has more time where that takes long; a server of
 * processes is sent a cancel, which does not. */
static bool
may_take_long(int64_t login_ns)
{
  return !words->has_processes && login_ns > SOON_MS / 4 * NS_PER_MS;
}

/* Is the earliest soon, and none late? */
static bool
run_place(const struct place *place, const struct road *road)
{
  static struct tries tries;
  char url[256];
  pthread_t thread;
  int64_t earliest = INT64_MAX;
  int64_t latest = INT64_MIN;
  int64_t fastest_login = INT64_MAX;
  int late_count = 0;
  bool is_soon;
  size_t i;

  faults_url(words, proxy.port, NULL, url, sizeof url);
  memset(&tries, 0, sizeof tries);
  for (i = 0; i < TRIES; i++) {
    tries.items[i].place = place;
    tries.items[i].url = url;
    tries.items[i].words = words;
  }
  if (pthread_create(&thread, NULL, run_tries, &tries) != 0)
    die("no thread to be had");
  pthread_barrier_wait(&is_prepared);
  pthread_barrier_wait(&is_started);
  road->cut(&tries);
  pthread_barrier_wait(&is_cut);
  pthread_join(thread, NULL);
  for (i = 0; i < TRIES; i++) {
    const struct try *try = &tries.items[i];
    int64_t late = try->ended - try->deadline;

    late_count += !check_try(try, road->name);
    if (late < earliest)
      earliest = late;
    if (late > latest)
      latest = late;
    if (try->login_ns < fastest_login)
      fastest_login = try->login_ns;
  }
  faults_threads(close_try, tries.items, TRIES, sizeof tries.items[0]);
  road->heal(&tries);
  if (tries.items[0].global_id[0] != '\0')
    places_clear(admin);
  printf("%-6s %-36s latest %5.1f ms after the deadline\n", road->name,
         place->name, (double)latest / NS_PER_MS);
  is_soon = earliest <= SOON_MS * NS_PER_MS || place->lets_cancels_through ||
            may_take_long(fastest_login);
  if (!is_soon || late_count > 0)
    printf("not in time: %d of %d; the earliest %.1f ms, the fastest login "
           "%.1f ms\n",
           late_count, TRIES, (double)earliest / NS_PER_MS,
           (double)fastest_login / NS_PER_MS);
  fflush(stdout);
  return is_soon && late_count == 0;
}

static void
run_place_until_good(const struct place *place, const struct road *road)
{
  int i;

  for (i = 0; i < TIMES; i++)
    if (run_place(place, road))
      return;
  fail("%s: %s: %d times of %d some are more than %d ms late, or all more than "
       "%d ms",
       road->name, place->name, TIMES, TIMES, LATE_MS, SOON_MS);
}

static void
run_road(const struct road *road, const char *wanted)
{
  const struct place *place;

  for (place = places; place->name != NULL; place++)
    if ((place->ways & road->way) != 0 &&
        (wanted == NULL || strstr(place->name, wanted) != NULL))
      run_place_until_good(place, road);
}

/* ------------------------------------------------------------------ */
/* A network of our own                                                */

/* Its root may lose packets. The server is reached by its unix socket, which
 * namespaces do not hide. */
static bool
enter_network(void)
{
  int flags = CLONE_NEWNET | (geteuid() != 0 ? CLONE_NEWUSER : 0);

  if (unshare(flags) != 0)
    return false;
  if (system("ip link set lo up && nft 'add table inet tenon; add chain inet "
             "tenon in { type filter hook input priority 0; }'") != 0)
    return false;
  return true;
}

static void
socket_path(char *path, size_t size)
{
  char name[64];
  const char *url;
  const char *found;
  char folder[128];
  unsigned port;

  snprintf(name, sizeof name, "%s_UNIX", words->variable);
  url = getenv(name);
  found = url == NULL ? NULL : strchr(url, '?');
  if (found == NULL)
    die("%s must have the URL of a unix socket", name);
  if (sscanf(found, "?host=%127[^&]&port=%u", folder, &port) == 2)
    snprintf(path, size, "%s/.s.PGSQL.%u", folder, port);
  else if (sscanf(found, "?unix_socket=%127s", folder) == 1)
    snprintf(path, size, "%s", folder);
  else
    die("%s: no unix socket", url);
}

/* In a child, before this process has threads: a namespace is entered by the
 * process. */
static void
run_loss(const char *wanted)
{
  pid_t child = fork();
  char path[256];
  int status = 0;

  if (child > 0) {
    if (waitpid(child, &status, 0) != child || status != 0)
      fail("losing packets: status %d", status);
    return;
  }
  if (!enter_network()) {
    printf("no network namespace to be had: packets are lost by the proxy and "
           "by a full backlog only\n");
    exit(0);
  }
  socket_path(path, sizeof path);
  proxy_start(&proxy, words, path);
  run_road(&by_loss, wanted);
  proxy_stop(&proxy);
  exit(faults_end());
}

/* ------------------------------------------------------------------ */
/* Names and hosts                                                     */

/* Of what follows; as with a place, none is in the end. */
static _Atomic int late_count;

static bool
is_timely(int64_t late_ms)
{
  if (late_ms > LATE_MS)
    late_count++;
  return late_ms >= 0 && late_ms <= STALLED_MS;
}

static enum tn_code
open_address(const char *address, uint64_t ms, tn_err *err, int64_t *ret_late)
{
  const char *login = getenv(words->variable);
  const struct tn_conn_options options = { .deadline =
                                               tn_deadline_after_ms(ms) };
  char url[512];
  tn_conn *conn = NULL;
  enum tn_code rc;

  snprintf(url, sizeof url, "%.*s@%s/tenon", (int)(strchr(login, '@') - login),
           login, address);
  rc = tn_conn_open(url, &options, &conn, err);
  *ret_late = (tn_clock_now() - options.deadline) / NS_PER_MS;
  tn_conn_close(&conn);
  return rc;
}

static void *
check_resolver(void *item)
{
  tn_err err = TN_ERR_INIT;
  int64_t late;
  enum tn_code rc = open_address("hangs.test", TIME_MS, &err, &late);

  (void)item;
  if (rc != TN_E_TIMEOUT || !is_timely(late))
    fail("resolver: %s, %d ms after the deadline: %s",
         tn_code_name((int32_t)rc), (int)late, err.message);
  return NULL;
}

/* Several hosts share one budget. */
static void *
check_hosts(void *item)
{
  bool has_good_one = *(bool *)item;
  struct proxy proxies[3];
  char list[128];
  char port[16];
  tn_err err = TN_ERR_INIT;
  int64_t late;
  enum tn_code rc;
  int i;

  for (i = 0; i < 3; i++) {
    proxy_start(&proxies[i], words, NULL);
    if (i < 2 || !has_good_one)
      proxy_tell(&proxies[i], "silent");
  }
  snprintf(list, sizeof list, "127.0.0.1:%u,127.0.0.1:%u,127.0.0.1:%u",
           proxies[0].port, proxies[1].port, proxies[2].port);
  rc = open_address(list, 3 * TIME_MS, &err, &late);
  if (has_good_one ? rc != TN_OK || late > 0
                   : rc != TN_E_TIMEOUT || !is_timely(late))
    fail("three hosts, %s: %s, %d ms after the deadline: %s\n%s",
         has_good_one ? "one good" : "none good", tn_code_name((int32_t)rc),
         (int)late, err.message, err.detail);
  for (i = 0; i < 3; i++) {
    snprintf(port, sizeof port, "%u", proxies[i].port);
    if (!has_good_one && strstr(err.detail, port) == NULL)
      fail("three hosts: port %s is not named: %s", port, err.detail);
    proxy_stop(&proxies[i]);
  }
  return NULL;
}

/* ------------------------------------------------------------------ */
/* Runs                                                                */

/* tn_run_fn. The answer to its commit never comes. */
static enum tn_code
write_and_cut(tn_txn *txn, void *user, tn_err *err)
{
  unsigned *calls = user;
  enum tn_code rc = tn_conn_exec(
      tn_txn_conn(txn), "INSERT INTO place (number) VALUES (9)", NULL, err);

  proxy_tell(&proxy, "hole 0 down");
  ++*calls;
  return rc;
}

/* The time of all attempts has an end for the commit as well, which is not
 * repeated, whatever the policy says. */
static void
check_run(void)
{
  struct tn_run_options options = TN_RUN_OPTIONS_INIT;
  struct tn_retry policy = TN_RETRY_INIT;
  TN_CLEANUP(tn_engine_close) tn_engine *engine = NULL;
  tn_err err = TN_ERR_INIT;
  unsigned calls = 0;
  char url[256];
  tn_deadline until;
  enum tn_code rc;
  int late;

  faults_url(words, proxy.port, NULL, url, sizeof url);
  must(tn_engine_open(url, NULL, &engine, &err), &err, "engine");
  policy.total_ms = TIME_MS;
  policy.categories = UINT64_MAX;
  options.retry = &policy;
  until = tn_deadline_after_ms(TIME_MS);
  rc = tn_run(engine, &options, write_and_cut, &calls, &err);
  late = (int)((tn_clock_now() - until) / NS_PER_MS);
  proxy_tell(&proxy, "pass");
  if (rc != TN_E_UNCERTAIN || err.replay != TN_REPLAY_UNKNOWN || calls != 1 ||
      !is_timely(late))
    fail("run: %s after %u calls, %d ms after the deadline, a replay is said "
         "to be %s: %s",
         tn_code_name((int32_t)rc), calls, late,
         tn_replay_verdict_name(err.replay), err.message);
  printf("run: its commit ends %d ms after the deadline\n", late);
}

/* ------------------------------------------------------------------ */

static void
check_rest(void)
{
  bool has_good_one[] = { true, false };
  char nothing[TRIES];
  int i;

  for (i = 0; i < TIMES; i++) {
    late_count = 0;
    check_run();
    faults_threads(check_resolver, nothing, TRIES, 1);
    faults_threads(check_hosts, has_good_one, 2, sizeof has_good_one[0]);
    if (late_count == 0)
      return;
    printf("run, resolver, hosts: %d more than %d ms late\n", late_count,
           LATE_MS);
  }
  fail("run, resolver, hosts: %d times of %d some are late", TIMES, TIMES);
}

/* PostgreSQL answers a wish for TLS with one byte, and a start-up packet with
 * the 24 bytes of a request for SCRAM. MySQL begins with a packet that offers
 * both, behind four bytes, of which the first is its length. */
static void
find_beginnings(void)
{
  struct sockaddr_in address = { .sin_family = AF_INET };
  unsigned char head[4];
  int fd;

  beginnings[BEGINNING_TLS] = 1;
  beginnings[BEGINNING_PASSWORD] = 24;
  if (strcmp(words->name, "mysql") != 0)
    return;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons((uint16_t)proxy.port);
  fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
      recv(fd, head, sizeof head, MSG_WAITALL) != sizeof head)
    die("no greeting: %s", strerror(errno));
  close(fd);
  beginnings[BEGINNING_TLS] = 4 + head[0];
  beginnings[BEGINNING_PASSWORD] = 4 + head[0];
}

static void
create_table(void)
{
  char sql[128];

  snprintf(sql, sizeof sql, "CREATE TABLE place (number integer, body %s)",
           words->text_column);
  faults_exec(admin, "DROP TABLE IF EXISTS place");
  faults_exec(admin, sql);
}

int
main(int argc, char **argv)
{
  const char *wanted = argc > 2 ? argv[2] : NULL;

  words = faults_begin(argc, argv);
  pthread_barrier_init(&is_prepared, NULL, TRIES + 1);
  pthread_barrier_init(&is_started, NULL, TRIES + 1);
  pthread_barrier_init(&is_cut, NULL, TRIES + 1);
  admin = faults_open(getenv(words->variable), 0);
  create_table();
  run_loss(wanted);

  proxy_start(&proxy, words, NULL);
  find_beginnings();
  run_road(&by_proxy, wanted);
  run_road(&by_stop, wanted);
  if (faults_number(admin, "SELECT 17") != 17)
    fail("stopped server: wrong answer after it went on");
  if (wanted == NULL)
    check_rest();
  proxy_stop(&proxy);
  faults_exec(admin, "DROP TABLE place");
  tn_conn_close(&admin);
  return faults_end();
}
