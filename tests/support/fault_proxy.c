/* fault_proxy TARGET
 *
 * Stands between a client and a server and spoils what passes, as told. TARGET
 * is "ADDRESS:PORT" (IPv4) or the path of a unix socket. Prints the port of
 * 127.0.0.1 that it listens on, then answers each command, a line of its
 * standard input, with a line: "ok" or what is wrong. Ends with its input.
 *
 *   pass                  forget all of the below
 *   silent                accept connections and say nothing, ever
 *   refuse                accept connections and close them at once
 *   backlog               accept none: the kernel drops what would connect
 *   hole BYTES WAY        let so many bytes pass, then nothing more
 *   reset BYTES WAY       let so many bytes pass, then reset the connection
 *   half BYTES WAY        let so many bytes pass, then end the stream that way
 *   slice BYTES [MICROSECONDS]   pass pieces of this size, and rest after each;
 *                         1000 times that size after the first 32 KiB
 *   delay MILLISECONDS    pass everything later
 *   rate BYTES            pass so many a second, each way
 *   count                 answer "CONNECTIONS UP DOWN": how many there were,
 * and what the last one has passed
 *
 * WAY is "up" to the server, "down" to the client, or "both", each by itself.
 * Rules are for every connection, also those that are open: then the bytes
 * count from now. "silent" and "refuse" are for those to come. hole, reset and
 * half replace one another; slice, delay and rate add up.
 *
 * One thread and poll(2). It is a program of its own, so that the tests need no
 * rights, and what is told is in force when the answer comes. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MAX_PAIRS   250
#define MAX_FILLERS 8
#define BUFFER_SIZE 65536
#define SLICED_SIZE 32768 /* what follows is more of the same */
#define SECOND      INT64_C(1000000000)
#define NEVER       INT64_MAX

enum cut { CUT_NONE, CUT_HOLE, CUT_RESET, CUT_HALF };
enum greeting { GREET_CONNECT, GREET_SILENT, GREET_REFUSE, GREET_BACKLOG };
enum way { UP, DOWN, WAYS };

/* What is to be spoiled. */
struct rules {
  enum greeting greeting;
  enum cut cut;
  bool is_cut_way[WAYS];
  uint64_t cut_after;
  size_t slice; /* 0: none */
  int64_t slice_pause;
  int64_t delay;
  int64_t rate; /* bytes a second; 0: as fast as they come */
};

/* One direction of a connection: what was read from one end and is to be
 * written to the other. */
struct stream {
  size_t used;
  size_t sent;
  uint64_t passed;  /* in all */
  uint64_t counted; /* since the rules' last change */
  int64_t due;      /* nothing is written before */
  bool has_end;     /* its source has ended */
  char buffer[BUFFER_SIZE];
};

struct pair {
  int fd[WAYS]; /* the end that the stream of that way goes to; -1: none */
  struct stream stream[WAYS];
};

struct proxy {
  const char *target;
  int listener;
  int fillers[MAX_FILLERS];
  uint16_t port;
  struct rules rules;
  struct pair *pairs[MAX_PAIRS];
  size_t pair_count;
  uint64_t connections;
  uint64_t last_passed[WAYS];
};

static int64_t
now(void)
{
  struct timespec time;

  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * SECOND + time.tv_nsec;
}

static void
die(const char *what)
{
  fprintf(stderr, "fault_proxy: %s: %s\n", what, strerror(errno));
  exit(1);
}

/* ------------------------------------------------------------------ */
/* Sockets                                                             */

/* The next close() of it, or the end of this program, resets it. */
static void
set_reset(int fd)
{
  const struct linger linger = { .l_onoff = 1, .l_linger = 0 };

  setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

/* Each write is a packet of its own, and none waits for another. */
static void
prepare_socket(int fd)
{
  const int on = 1;

  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  fcntl(fd, F_SETFL, O_NONBLOCK);
}

static int
connect_unix(const char *path)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

  snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
    return fd;
  close(fd);
  return -1;
}

static int
connect_tcp(const char *target)
{
  struct sockaddr_in address = { .sin_family = AF_INET };
  char host[64];
  unsigned port;
  int fd;

  if (sscanf(target, "%63[^:]:%u", host, &port) != 2 ||
      inet_pton(AF_INET, host, &address.sin_addr) != 1) {
    errno = EINVAL;
    return -1;
  }
  address.sin_port = htons((uint16_t)port);
  fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
    return fd;
  close(fd);
  return -1;
}

static int
open_listener(uint16_t *ret_port)
{
  struct sockaddr_in address = { .sin_family = AF_INET };
  socklen_t size = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 ||
      listen(fd, SOMAXCONN) != 0 ||
      getsockname(fd, (struct sockaddr *)&address, &size) != 0)
    die("listen");
  *ret_port = ntohs(address.sin_port);
  return fd;
}

/* Fill the queue of connections that nobody accepts: whoever comes next gets
 * no answer to his SYN. */
static void
fill_backlog(struct proxy *proxy)
{
  struct sockaddr_in address = { .sin_family = AF_INET };
  size_t i;

  listen(proxy->listener, 0);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(proxy->port);
  for (i = 0; i < MAX_FILLERS; i++) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    connect(fd, (struct sockaddr *)&address, sizeof address);
    proxy->fillers[i] = fd;
  }
}

static void
empty_backlog(struct proxy *proxy)
{
  size_t i;

  for (i = 0; i < MAX_FILLERS; i++) {
    if (proxy->fillers[i] < 0)
      continue;
    set_reset(proxy->fillers[i]);
    close(proxy->fillers[i]);
    proxy->fillers[i] = -1;
  }
  listen(proxy->listener, SOMAXCONN);
}

/* ------------------------------------------------------------------ */
/* Connections                                                         */

static void
close_end(int *fd, bool is_reset)
{
  if (*fd < 0)
    return;
  if (is_reset)
    set_reset(*fd);
  close(*fd);
  *fd = -1;
}

static void
close_pair(struct pair *pair, bool is_reset)
{
  close_end(&pair->fd[UP], is_reset);
  close_end(&pair->fd[DOWN], is_reset);
}

static bool
is_empty(const struct stream *stream)
{
  return stream->sent == stream->used;
}

/* Has the rule's last byte passed? */
static bool
is_cut(const struct rules *rules, const struct stream *stream, enum way way)
{
  return rules->cut != CUT_NONE && rules->is_cut_way[way] &&
         stream->counted >= rules->cut_after;
}

static void
make_cut(const struct rules *rules, struct pair *pair, enum way way)
{
  if (pair->fd[way] < 0 || !is_cut(rules, &pair->stream[way], way))
    return;
  if (rules->cut == CUT_RESET)
    close_pair(pair, true);
  else if (rules->cut == CUT_HALF)
    shutdown(pair->fd[way], SHUT_WR);
}

static void
accept_client(struct proxy *proxy)
{
  struct pair *pair;
  int fd = accept4(proxy->listener, NULL, NULL, SOCK_CLOEXEC);

  if (fd < 0)
    return;
  proxy->connections++;
  pair = proxy->pair_count < MAX_PAIRS ? calloc(1, sizeof *pair) : NULL;
  if (pair == NULL || proxy->rules.greeting == GREET_REFUSE) {
    close(fd);
    free(pair);
    return;
  }
  pair->fd[DOWN] = fd;
  pair->fd[UP] = -1;
  prepare_socket(fd);
  if (proxy->rules.greeting == GREET_CONNECT) {
    pair->fd[UP] = proxy->target[0] == '/' ? connect_unix(proxy->target)
                                           : connect_tcp(proxy->target);
    if (pair->fd[UP] < 0) /* as if the server had not been there */
      close_end(&pair->fd[DOWN], true);
    else
      prepare_socket(pair->fd[UP]);
  }
  proxy->last_passed[UP] = 0;
  proxy->last_passed[DOWN] = 0;
  proxy->pairs[proxy->pair_count++] = pair;
  make_cut(&proxy->rules, pair, UP);
  make_cut(&proxy->rules, pair, DOWN);
}

static size_t
piece(const struct rules *rules, const struct stream *stream)
{
  if (rules->slice == 0)
    return BUFFER_SIZE;
  return stream->counted < SLICED_SIZE ? rules->slice : rules->slice * 1000;
}

/* How much of what is buffered may be written now. */
static size_t
allowed(const struct rules *rules, const struct stream *stream, enum way way)
{
  size_t size = stream->used - stream->sent;

  if (rules->cut != CUT_NONE && rules->is_cut_way[way] &&
      size > rules->cut_after - stream->counted)
    size = (size_t)(rules->cut_after - stream->counted);
  if (size > piece(rules, stream))
    size = piece(rules, stream);
  if (rules->rate != 0 && size > (size_t)rules->rate / 100 + 1)
    size = (size_t)rules->rate / 100 + 1;
  return size;
}

static void
write_stream(struct proxy *proxy, struct pair *pair, enum way way)
{
  const struct rules *rules = &proxy->rules;
  struct stream *stream = &pair->stream[way];
  ssize_t size = send(pair->fd[way], stream->buffer + stream->sent,
                      allowed(rules, stream, way), MSG_NOSIGNAL);

  if (size < 0 && (errno == EAGAIN || errno == EINTR))
    return;
  if (size < 0 && way == UP && is_cut(rules, &pair->stream[DOWN], DOWN)) {
    stream->sent = stream->used; /* the client must not learn of it */
    return;
  }
  if (size < 0) {
    close_pair(pair, true);
    return;
  }
  stream->sent += (size_t)size;
  stream->passed += (uint64_t)size;
  stream->counted += (uint64_t)size;
  if (pair == proxy->pairs[proxy->pair_count - 1])
    proxy->last_passed[way] = stream->passed;
  if (rules->slice != 0)
    stream->due = now() + rules->slice_pause;
  if (rules->rate != 0)
    stream->due = now() + (int64_t)size * SECOND / rules->rate;
  make_cut(rules, pair, way);
}

static void
read_stream(struct proxy *proxy, struct pair *pair, enum way way)
{
  struct stream *stream = &pair->stream[way];
  ssize_t size =
      recv(pair->fd[way == UP ? DOWN : UP], stream->buffer, BUFFER_SIZE, 0);

  if (size < 0) {
    if (errno != EAGAIN && errno != EINTR)
      close_pair(pair, true);
    return;
  }
  stream->used = (size_t)size;
  stream->sent = 0;
  stream->has_end = size == 0;
  stream->due = now() + proxy->rules.delay;
}

/* Hand on the end of a stream. A client that is gone takes its session with
 * it, so that no test leaves one behind. */
static void
pass_end(const struct rules *rules, struct pair *pair, enum way way)
{
  struct stream *stream = &pair->stream[way];

  if (!stream->has_end || !is_empty(stream) || pair->fd[way] < 0 ||
      is_cut(rules, stream, way))
    return;
  if (way == UP)
    close_pair(pair, false);
  else
    shutdown(pair->fd[way], SHUT_WR);
}

/* ------------------------------------------------------------------ */
/* Commands                                                            */

static bool
read_way(struct rules *rules, const char *word)
{
  rules->is_cut_way[UP] = strcmp(word, "down") != 0;
  rules->is_cut_way[DOWN] = strcmp(word, "up") != 0;
  return strcmp(word, "up") == 0 || strcmp(word, "down") == 0 ||
         strcmp(word, "both") == 0;
}

static bool
read_greeting(struct rules *rules, const char *word)
{
  static const char *const words[] = { "pass", "silent", "refuse", "backlog" };
  size_t i;

  for (i = 0; i < sizeof words / sizeof words[0]; i++)
    if (strcmp(word, words[i]) == 0) {
      rules->greeting = (enum greeting)i;
      return true;
    }
  return false;
}

static bool
read_cut(struct rules *rules, const char *word, uint64_t bytes, const char *way)
{
  static const char *const words[] = { "", "hole", "reset", "half" };
  size_t i;

  for (i = CUT_HOLE; i <= CUT_HALF; i++)
    if (strcmp(word, words[i]) == 0 && read_way(rules, way)) {
      rules->cut = (enum cut)i;
      rules->cut_after = bytes;
      return true;
    }
  return false;
}

static bool
read_pace(struct rules *rules, const char *word, uint64_t number,
          const char *pause)
{
  if (strcmp(word, "slice") == 0) {
    rules->slice = (size_t)number;
    rules->slice_pause = (int64_t)strtoull(pause, NULL, 10) * 1000;
  } else if (strcmp(word, "delay") == 0) {
    rules->delay = (int64_t)number * (SECOND / 1000);
  } else if (strcmp(word, "rate") == 0) {
    rules->rate = (int64_t)number;
  } else {
    return false;
  }
  return true;
}

/* Rules that are already fulfilled take effect at once. */
static void
apply_rules(struct proxy *proxy)
{
  size_t i;
  enum way way;

  for (i = 0; i < proxy->pair_count; i++)
    for (way = UP; way < WAYS; way++) {
      proxy->pairs[i]->stream[way].counted = 0;
      make_cut(&proxy->rules, proxy->pairs[i], way);
    }
}

static void
command(struct proxy *proxy, const char *line)
{
  enum greeting before = proxy->rules.greeting;
  char word[16] = "";
  char last[16] = "0";
  uint64_t number = 0;
  int words = sscanf(line, "%15s %" SCNu64 " %15s", word, &number, last);

  if (strcmp(word, "count") == 0) {
    printf("%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", proxy->connections,
           proxy->last_passed[UP], proxy->last_passed[DOWN]);
    return;
  }
  if (strcmp(word, "pass") == 0)
    memset(&proxy->rules, 0, sizeof proxy->rules);
  else if (!(words == 1 && read_greeting(&proxy->rules, word)) &&
           !(words == 3 && read_cut(&proxy->rules, word, number, last)) &&
           !(words >= 2 && read_pace(&proxy->rules, word, number, last))) {
    printf("what is \"%s\"?\n", line);
    return;
  }
  if (before == GREET_BACKLOG)
    empty_backlog(proxy);
  if (proxy->rules.greeting == GREET_BACKLOG)
    fill_backlog(proxy);
  apply_rules(proxy);
  puts("ok");
}

/* ------------------------------------------------------------------ */
/* The loop                                                            */

/* What to poll an end for; 0: leave it alone. Its stream `way` goes to it, the
 * other one comes from it. */
static short
wanted(const struct proxy *proxy, const struct pair *pair, enum way way,
       int64_t *due)
{
  enum way back = way == UP ? DOWN : UP;
  const struct stream *out = &pair->stream[way];
  const struct stream *in = &pair->stream[back];
  bool is_stuck = pair->fd[back] < 0 || is_cut(&proxy->rules, in, back);
  short events = 0;

  if (!is_empty(out) && !is_cut(&proxy->rules, out, way)) {
    if (out->due <= now())
      events |= POLLOUT;
    else if (out->due < *due)
      *due = out->due;
  }
  if (is_empty(in) && !in->has_end && !is_stuck)
    events |= POLLIN;
  /* A client that goes is noticed though nothing of it is read. */
  if (way == DOWN && is_stuck)
    events |= POLLRDHUP;
  return events;
}

static void
serve_end(struct proxy *proxy, struct pair *pair, enum way way,
          const struct pollfd *polled)
{
  const short bad = POLLERR | POLLHUP;

  if ((polled->events & POLLOUT) != 0 && (polled->revents & ~POLLIN) != 0 &&
      pair->fd[way] >= 0)
    write_stream(proxy, pair, way);
  if ((polled->events & POLLIN) != 0 &&
      (polled->revents & (POLLIN | bad)) != 0 && pair->fd[way] >= 0)
    read_stream(proxy, pair, way == UP ? DOWN : UP);
  if ((polled->events & POLLRDHUP) != 0 &&
      (polled->revents & (POLLRDHUP | bad)) != 0)
    close_pair(pair, false);
}

static void
sweep(struct proxy *proxy)
{
  size_t i;
  size_t kept = 0;

  for (i = 0; i < proxy->pair_count; i++)
    if (proxy->pairs[i]->fd[UP] < 0 && proxy->pairs[i]->fd[DOWN] < 0)
      free(proxy->pairs[i]);
    else
      proxy->pairs[kept++] = proxy->pairs[i];
  proxy->pair_count = kept;
}

/* Read a line of input if there is a whole one; false at its end. */
static bool
serve_input(struct proxy *proxy)
{
  static char line[256];
  static size_t used;
  ssize_t size = read(0, line + used, sizeof line - 1 - used);
  char *end;

  if (size <= 0)
    return false;
  used += (size_t)size;
  line[used] = '\0';
  while ((end = strchr(line, '\n')) != NULL) {
    *end = '\0';
    command(proxy, line);
    used -= (size_t)(end + 1 - line);
    memmove(line, end + 1, used + 1);
  }
  return used < sizeof line - 1;
}

static struct pollfd
poll_entry(int fd, short events)
{
  return (struct pollfd){ .fd = events != 0 ? fd : -1, .events = events };
}

static bool
wait_for_events(struct pollfd *polled, size_t count, int64_t due)
{
  struct timespec timeout = { 0, 0 };
  int64_t left = due - now();

  if (left > 0) {
    timeout.tv_sec = left / SECOND;
    timeout.tv_nsec = left % SECOND;
  }
  if (ppoll(polled, count, due == NEVER ? NULL : &timeout, NULL) >= 0)
    return true;
  memset(polled, 0, count * sizeof *polled);
  return errno == EINTR;
}

static bool
turn(struct proxy *proxy)
{
  static struct pollfd polled[2 + WAYS * MAX_PAIRS];
  size_t count = proxy->pair_count;
  struct pollfd *entry = polled + 2;
  int64_t due = NEVER;
  size_t i;
  enum way way;

  polled[0] = poll_entry(0, POLLIN);
  polled[1] = poll_entry(
      proxy->rules.greeting == GREET_BACKLOG ? -1 : proxy->listener, POLLIN);
  for (i = 0; i < count; i++)
    for (way = UP; way < WAYS; way++)
      *entry++ = poll_entry(proxy->pairs[i]->fd[way],
                            wanted(proxy, proxy->pairs[i], way, &due));
  if (!wait_for_events(polled, 2 + WAYS * count, due))
    return false;
  entry = polled + 2;
  for (i = 0; i < count; i++)
    for (way = UP; way < WAYS; way++)
      serve_end(proxy, proxy->pairs[i], way, entry++);
  for (i = 0; i < count; i++)
    for (way = UP; way < WAYS; way++)
      pass_end(&proxy->rules, proxy->pairs[i], way);
  if (polled[1].revents != 0)
    accept_client(proxy);
  if (polled[0].revents != 0 && !serve_input(proxy))
    return false;
  sweep(proxy);
  return true;
}

int
main(int argc, char **argv)
{
  static struct proxy proxy;
  size_t i;

  if (argc != 2) {
    fputs("usage: fault_proxy ADDRESS:PORT|/SOCKET\n", stderr);
    return 2;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (i = 0; i < MAX_FILLERS; i++)
    proxy.fillers[i] = -1;
  proxy.target = argv[1];
  proxy.listener = open_listener(&proxy.port);
  printf("%u\n", proxy.port);
  while (turn(&proxy))
    continue;
  for (i = 0; i < proxy.pair_count; i++) {
    close_pair(proxy.pairs[i], true);
    free(proxy.pairs[i]);
  }
  return 0;
}
