/* Connecting, in a thread of the host's.
 *
 * The library resolves names and shakes hands by TLS without ever giving the
 * control back, so the whole of it happens where nobody waits. Everything that
 * the thread uses is its own, the password included, because it may be left
 * behind: it is wiped and released with the rest when the thread ends, which
 * it does by itself when the attempt's time is over. */
#include "my_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define NS_PER_S  INT64_C(1000000000)
#define NS_PER_MS INT64_C(1000000)

/* An attempt without a deadline ends by this: longer than anybody waits, and
 * not for ever. */
#define PATIENCE_NS (120 * NS_PER_S)

/* A kill that takes longer than the host waits for it is still of use: nobody
 * waits for the statement any more, but the server works on it. */
#define KILL_NS (2 * NS_PER_S)

/* How much the server may have said before it is spoken to. */
#define GREETING_BYTES 4096

struct login {
  const struct tn_host *host;
  struct mysql__endpoint *endpoint;
  char *password;
  size_t password_size;
  int64_t end;          /* of the attempt, on the host's clock */
  unsigned addresses;   /* of the name, that are still to be tried */
  bool has_greeting;    /* it was looked at, and is good; or need not be */
  bool is_late;         /* time was over while connecting */
  int error;            /* of connecting; the system's number */
  MYSQL *mysql;         /* connected; or NULL, with a reason */
  unsigned long victim; /* a session to stop; 0: none */
  bool was_asked;       /* the server, for that, and may not have refused */
  const char *identity; /* of its server, in the same memory */
  struct mysql__reason reason;
};

/* ------------------------------------------------------------------ */
/* What the thread owns                                                 */

static void
wipe(char *text, size_t size)
{
  if (text != NULL)
    explicit_bzero(text, size);
}

static void
release_login(void *job)
{
  struct login *login = job;
  const struct tn_host *host = login->host;

  if (login->mysql != NULL)
    mysql_close(login->mysql);
  wipe(login->password, login->password_size);
  host->release(login->password);
  host->release(login->endpoint);
  host->release(login);
}

static struct login *
make_login(struct tn_call *call, const struct mysql__endpoint *endpoint,
           const char *password, const char *identity)
{
  size_t identity_size = identity == NULL ? 0 : strlen(identity) + 1;
  struct login *login = call->host->alloc(sizeof *login + identity_size);

  if (login == NULL)
    return NULL;
  memset(login, 0, sizeof *login);
  login->host = call->host;
  login->password_size = password == NULL ? 1 : strlen(password) + 1;
  login->password = call->host->alloc(login->password_size);
  login->endpoint = mysql__endpoint_copy(call->host, endpoint);
  if (login->password == NULL || login->endpoint == NULL) {
    login->password_size = 0;
    release_login(login);
    return NULL;
  }
  memcpy(login->password, password == NULL ? "" : password,
         login->password_size);
  if (identity != NULL)
    login->identity = memcpy(login + 1, identity, identity_size);
  return login;
}

/* ------------------------------------------------------------------ */
/* In the thread                                                        */

static void
set_reason(struct mysql__reason *reason, int32_t category, const char *text)
{
  reason->category = category;
  snprintf(reason->text, sizeof reason->text, "%s", text);
}

/* Why the library did not connect, unless it is known better. */
static void
keep_reason(struct login *login, MYSQL *mysql)
{
  if (login->reason.text[0] != '\0')
    return;
  if (login->is_late) {
    set_reason(&login->reason, TN_E_TIMEOUT, "no answer in time");
    return;
  }
  if (login->error != 0) {
    char text[128];

    login->reason.native = CR_CONN_HOST_ERROR;
    set_reason(&login->reason, 0, strerror_r(login->error, text, sizeof text));
    return;
  }
  login->reason.native = (int32_t)mysql_errno(mysql);
  snprintf(login->reason.sqlstate, sizeof login->reason.sqlstate, "%s",
           mysql_sqlstate(mysql));
  snprintf(login->reason.text, sizeof login->reason.text, "%s",
           mysql_error(mysql));
}

static bool
set_options(const struct login *login, MYSQL *mysql)
{
  static const unsigned off = 0;
  static const unsigned tcp = MYSQL_PROTOCOL_TCP;
  static const unsigned unix_socket = MYSQL_PROTOCOL_SOCKET;
  static const unsigned long packet = MYSQL__PACKET_MAX;
  static const mysql__flag no = 0;
  int64_t left = login->end - login->host->now();
  unsigned seconds = left <= 0 ? 1 : (unsigned)((left - 1) / NS_PER_S + 1);

  if (login->victim != 0 &&
      (mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &seconds) != 0 ||
       mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &seconds) != 0))
    return false;
  return mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &seconds) == 0 &&
         mysql_options(mysql, MYSQL_OPT_PROTOCOL,
                       login->endpoint->host == NULL ? &unix_socket : &tcp) ==
             0 &&
         mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4") == 0 &&
         mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &off) == 0 &&
         mysql_options(mysql, MYSQL_REPORT_DATA_TRUNCATION, &no) == 0 &&
         mysql_options(mysql, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet) == 0 &&
         mysql_options(mysql, MYSQL_PLUGIN_DIR, TENON_MYSQL_PLUGIN_DIR) == 0 &&
         mysql_options(mysql, MYSQL_OPT_CONNECT_ATTR_RESET, NULL) == 0 &&
         mysql_options4(mysql, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name",
                        login->endpoint->program) == 0;
}

/* How many addresses a name has, so that each gets its share of the time. A
 * name that has none is the library's to complain about. */
static unsigned
count_addresses(const struct login *login)
{
  const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
  struct addrinfo *found = NULL;
  const struct addrinfo *each;
  unsigned count = 0;

  if (login->endpoint->host == NULL ||
      getaddrinfo(login->endpoint->host, NULL, &hints, &found) != 0)
    return 1;
  for (each = found; each != NULL; each = each->ai_next)
    count++;
  freeaddrinfo(found);
  return count == 0 ? 1 : count;
}

#ifdef TENON_MYSQL_NONBLOCK

/* The socket is new. A child of the process shall not have it, from the first
 * moment that we can see to. */
static int
socket_of(MYSQL *mysql)
{
  int fd = (int)mysql_get_socket(mysql);

  if (fd >= 0)
    fcntl(fd, F_SETFD, FD_CLOEXEC);
  return fd;
}

/* Wait until `end` at most. False: time is over. */
static bool
wait_until(struct login *login, int fd, int events, int64_t end)
{
  struct pollfd polled = { .fd = fd };
  int64_t now;
  int ready;

  if ((events & MYSQL_WAIT_READ) != 0)
    polled.events |= POLLIN;
  if ((events & MYSQL_WAIT_WRITE) != 0)
    polled.events |= POLLOUT;
  do {
    now = login->host->now();
    ready = poll(&polled, 1,
                 now >= end ? 0 : (int)((end - now - 1) / NS_PER_MS + 1));
  } while (ready < 0 && errno == EINTR);
  login->is_late = ready <= 0;
  return ready > 0;
}

/* Asking takes the answer away from the library, so that it must be told
 * something else. */
static bool
is_connected(struct login *login, int fd)
{
  socklen_t size = sizeof login->error;

  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &login->error, &size) == 0 &&
         login->error == 0;
}

static bool
has_ended(int fd)
{
  struct pollfd polled = { .fd = fd, .events = POLLRDHUP };

  return poll(&polled, 1, 0) > 0 &&
         (polled.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

/* Look at the server's first packet before the library has had a chance to
 * answer it; looking does not take it away. Returns what mysql__tls_check_…
 * does, 0 when time is over. */
static int
look_at_greeting(struct login *login, int fd, int64_t end)
{
  unsigned char bytes[GREETING_BYTES];
  int verdict = 0;

  while (verdict == 0 && wait_until(login, fd, MYSQL_WAIT_READ, end)) {
    bool is_all = has_ended(fd); /* asked first: no more can come then */
    ssize_t size = recv(fd, bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);

    if (size <= 0)
      return 1; /* the end, which the library reports */
    verdict = mysql__tls_check_greeting(bytes, (size_t)size, login->endpoint,
                                        &login->reason);
    if (verdict == 0 && is_all)
      return 1; /* likewise, in the middle of the packet */
    if (verdict != 0)
      break;
    poll(NULL, 0, 1); /* what has come already keeps it readable */
    if (login->host->now() < end)
      continue;
    login->is_late = true;
    break;
  }
  return verdict;
}

/* The library waits to be connected to one of the addresses, which has its
 * share of the time. Returns what is ready, in the library's terms. */
static int
meet(struct login *login, int fd)
{
  int64_t end = login->host->now();
  int verdict;

  end += (login->end - end) / (login->addresses > 1 ? login->addresses-- : 1);
  if (!wait_until(login, fd, MYSQL_WAIT_WRITE, end) || !is_connected(login, fd))
    return MYSQL_WAIT_TIMEOUT; /* on to the next one */
  verdict = look_at_greeting(login, fd, end);
  login->has_greeting = verdict > 0;
  if (verdict < 0)
    shutdown(fd, SHUT_RDWR); /* not a byte of ours shall be sent */
  return verdict == 0 ? MYSQL_WAIT_TIMEOUT : MYSQL_WAIT_WRITE;
}

static void
drive(struct login *login, MYSQL *mysql, MYSQL **ret, int status)
{
  const int either = MYSQL_WAIT_READ | MYSQL_WAIT_WRITE;

  while (status != 0) {
    int fd = socket_of(mysql);
    int ready = MYSQL_WAIT_TIMEOUT;

    if (!login->has_greeting && (status & MYSQL_WAIT_WRITE) != 0)
      ready = meet(login, fd);
    else if (wait_until(login, fd, status, login->end))
      ready = status & either;
    status = mysql_real_connect_cont(ret, mysql, ready);
  }
}

static bool
connect_now(struct login *login, MYSQL *mysql)
{
  const struct mysql__endpoint *to = login->endpoint;
  MYSQL *connected = NULL;
  int status;

  if (mysql_options(mysql, MYSQL_OPT_NONBLOCK, NULL) != 0)
    return false;
  status = mysql_real_connect_start(&connected, mysql, to->host, to->user,
                                    login->password, to->database, to->port,
                                    to->socket, CLIENT_FOUND_ROWS);
  drive(login, mysql, &connected, status);
  if (connected == NULL || login->reason.text[0] != '\0')
    return false;
  if (login->victim != 0)
    return true;
  /* The library's calls by TLS would block on any other. */
  return fcntl(socket_of(mysql), F_SETFL, O_RDWR | O_NONBLOCK) == 0;
}

#else

static bool
connect_now(struct login *login, MYSQL *mysql)
{
  const struct mysql__endpoint *to = login->endpoint;
  int fd;

  if (mysql_real_connect(mysql, to->host, to->user, login->password,
                         to->database, to->port, to->socket,
                         CLIENT_FOUND_ROWS) == NULL)
    return false;
  fd = (int)mysql->net.fd;
  return fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

#endif

/* The last line of defence: the library has connected as it was told, or its
 * session is not used. */
static bool
is_protected(struct login *login, MYSQL *mysql)
{
  if (login->endpoint->host == NULL ||
      !mysql__tls_is_required(login->endpoint) ||
      mysql_get_ssl_cipher(mysql) != NULL)
    return true;
  set_reason(&login->reason, TN_E_CONNECT, "tls: it was not used");
  return false;
}

static void
run_login(void *job)
{
  struct login *login = job;
  MYSQL *mysql;

  mysql_thread_init();
  mysql = mysql_init(NULL);
  if (mysql == NULL) {
    set_reason(&login->reason, TN_E_MEMORY, "out of memory");
    mysql_thread_end();
    return;
  }
  login->addresses = count_addresses(login);
  login->has_greeting = login->endpoint->host == NULL;
  if (!set_options(login, mysql))
    set_reason(&login->reason, TN_E_CONFIG,
               "the client library does not take an option");
  else if (mysql__tls_options(mysql, login->endpoint, &login->reason) &&
           connect_now(login, mysql) && is_protected(login, mysql))
    login->mysql = mysql;
  if (login->mysql == NULL) {
    keep_reason(login, mysql);
    mysql_close(mysql);
  }
  mysql_thread_end();
}

/* ------------------------------------------------------------------ */
/* Outside                                                              */

static int64_t
end_of(struct tn_call *call, int64_t until)
{
  int64_t end = until < call->deadline ? until : call->deadline;
  int64_t patience = call->host->now() + PATIENCE_NS;

  return end < patience ? end : patience;
}

int32_t
mysql__login(struct tn_call *call, const struct mysql__endpoint *endpoint,
             const char *password, int64_t until, MYSQL **ret,
             struct mysql__reason *ret_reason)
{
  struct login *login = make_login(call, endpoint, password, NULL);
  int32_t rc;

  memset(ret_reason, 0, sizeof *ret_reason);
  if (login == NULL)
    return mysql__fail_memory(call);
  login->end = end_of(call, until);
  rc = call->host->offload(call, run_login, release_login, login, until);
  if (rc != TN_OK)
    return rc;
  if (login->mysql == NULL) {
    *ret_reason = login->reason;
    rc = TN_E_CONNECT;
  } else {
    *ret = login->mysql;
    login->mysql = NULL;
  }
  release_login(login);
  return rc;
}

/* ------------------------------------------------------------------ */
/* Stopping another session                                             */

#define KILL_MAX (2 * MYSQL__IDENTITY_MAX + 256)

/* One statement that stops the session if this is its server, and else asks to
 * stop none that there is. */
static void
print_kill(const struct login *login, char sql[KILL_MAX])
{
  const char *identity;
  int size =
      snprintf(sql, KILL_MAX, "KILL QUERY IF(%s = X'", MYSQL__IDENTITY_SQL);

  for (identity = login->identity; *identity != '\0'; identity++)
    size += snprintf(sql + size, KILL_MAX - (size_t)size, "%02x",
                     (unsigned)(unsigned char)*identity);
  snprintf(sql + size, KILL_MAX - (size_t)size, "', %lu, 0)", login->victim);
}

/* A blocking call, since this is a thread: it lasts no longer than the
 * library's timeout. */
static void
run_kill(void *job)
{
  struct login *login = job;
  char sql[KILL_MAX];

  run_login(job);
  if (login->mysql == NULL)
    return;
  print_kill(login, sql);
  login->was_asked = true;
  if (mysql_real_query(login->mysql, sql, strlen(sql)) != 0) {
    keep_reason(login, login->mysql);
    login->was_asked = mysql__is_loss((int32_t)mysql_errno(login->mysql));
  }
  mysql_close(login->mysql);
  login->mysql = NULL;
}

int32_t
mysql__login_kill(struct tn_call *call, const struct mysql__endpoint *endpoint,
                  const char *password, const char *identity, unsigned long id,
                  int64_t until)
{
  struct login *login = make_login(call, endpoint, password, identity);
  int32_t rc;

  if (login == NULL)
    return TN_E_MEMORY;
  login->victim = id;
  login->end = call->host->now() + KILL_NS;
  rc = call->host->offload(call, run_kill, release_login, login, until);
  if (rc != TN_OK)
    return rc;
  if (login->reason.text[0] != '\0')
    rc = login->was_asked ? TN_E_LOST : TN_E_CONNECT;
  release_login(login);
  return rc;
}
