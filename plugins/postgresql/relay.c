/* Between libpq and the server, until a session is open.
 *
 * libpq reads all that has come, and answers each request in it at once: what
 * was peeked at a moment before need not be all that it reads. So while nothing
 * is encrypted its descriptor is one end of a pair of sockets, and gets only
 * what has been looked at. In TLS a record is decrypted as a whole and read as
 * a whole, so there a look ahead is enough. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pg_priv.h"

/* As much as libpq reads at once at least. */
#define PIECE 8192

/* The longest record of TLS. */
#define RECORD_MAX 16384

bool
pg__relay_begin(struct pg__relay *relay, int number)
{
  int pair[2];
  int server = fcntl(number, F_DUPFD_CLOEXEC, 3);

  relay->server = -1;
  if (server < 0)
    return false;
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
                 pair) != 0) {
    close(server);
    return false;
  }
  if (dup3(pair[0], number, O_CLOEXEC) < 0) {
    close(server);
    close(pair[0]);
    close(pair[1]);
    return false;
  }
  close(pair[0]);
  relay->number = number;
  relay->server = server;
  relay->client = pair[1];
  return true;
}

void
pg__relay_close(struct pg__relay *relay)
{
  if (relay->server < 0)
    return;
  close(relay->server);
  close(relay->client);
  relay->server = -1;
}

bool
pg__relay_end(struct pg__relay *relay)
{
  int unread = 0;
  bool is_well = ioctl(relay->number, FIONREAD, &unread) == 0 && unread == 0 &&
                 dup3(relay->server, relay->number, O_CLOEXEC) >= 0;

  pg__relay_close(relay);
  return is_well;
}

static bool
would_block(void)
{
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

/* Wait until `until`; `*ret_is_late`: it has come. */
static int32_t
wait_for(struct tn_call *call, int fd, uint32_t events, int64_t until,
         bool *ret_is_late)
{
  uint32_t ready = 0;
  int32_t rc = call->host->wait(call, fd, events, until, &ready);

  *ret_is_late = rc == TN_OK && ready == 0;
  return rc;
}

/* Write all of it. If the other side has gone that shows when it is read. */
static int32_t
write_all(struct tn_call *call, int fd, const char *bytes, size_t size,
          int64_t until, bool *ret_is_late)
{
  while (size > 0) {
    ssize_t written = send(fd, bytes, size, MSG_NOSIGNAL);
    int32_t rc;

    if (written > 0) {
      bytes += written;
      size -= (size_t)written;
      continue;
    }
    if (!would_block())
      return TN_OK;
    rc = wait_for(call, fd, TN_WAIT_WRITE, until, ret_is_late);
    if (rc != TN_OK || *ret_is_late)
      return rc;
  }
  return TN_OK;
}

int32_t
pg__relay_out(struct pg__relay *relay, struct tn_call *call, int64_t until,
              bool *ret_is_late)
{
  char piece[PIECE];

  for (;;) {
    ssize_t size = recv(relay->client, piece, sizeof piece, 0);
    int32_t rc;

    if (size <= 0)
      return TN_OK;
    rc =
        write_all(call, relay->server, piece, (size_t)size, until, ret_is_late);
    if (rc != TN_OK || *ret_is_late)
      return rc;
  }
}

int32_t
pg__relay_in(struct pg__relay *relay, struct tn_call *call, int64_t until,
             size_t most, struct pg__watch *watch, bool *ret_is_late)
{
  char piece[PIECE];
  int32_t rc = wait_for(call, relay->server, TN_WAIT_READ, until, ret_is_late);
  ssize_t size;

  if (rc != TN_OK || *ret_is_late)
    return rc;
  size =
      recv(relay->server, piece, most < sizeof piece ? most : sizeof piece, 0);
  if (size < 0 && would_block())
    return TN_OK;
  if (size <= 0) {
    shutdown(relay->client, SHUT_WR); /* libpq says what it makes of that */
    return TN_OK;
  }

  /* One byte alone answers the request for TLS. */
  if (most > 1 && !pg__watch_feed(watch, piece, (size_t)size))
    return TN_OK;
  return write_all(call, relay->client, piece, (size_t)size, until,
                   ret_is_late);
}

/* ------------------------------------------------------------------ */
/* TLS                                                                  */

size_t
pg__tls_pending(PGconn *pq)
{
  SSL *ssl = PQsslStruct(pq, "OpenSSL");

  return ssl == NULL ? 0 : (size_t)SSL_pending(ssl);
}

/* Until a record has come, or something that libpq has to find out by
 * itself. */
int32_t
pg__tls_peek(PGconn *pq, struct tn_call *call, int64_t until,
             struct pg__watch *watch, size_t seen, bool *ret_is_late)
{
  SSL *ssl = PQsslStruct(pq, "OpenSSL");
  char record[RECORD_MAX];

  for (;;) {
    uint32_t events = TN_WAIT_READ;
    int size, error;
    int32_t rc;

    ERR_clear_error();
    size = SSL_peek(ssl, record, sizeof record);
    error = size > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl, size);
    ERR_clear_error();
    if (size > 0 && (size_t)size > seen)
      (void)pg__watch_feed(watch, record + seen, (size_t)size - seen);
    if (error == SSL_ERROR_WANT_WRITE)
      events = TN_WAIT_WRITE;
    else if (error != SSL_ERROR_WANT_READ)
      return TN_OK;
    rc = wait_for(call, PQsocket(pq), events, until, ret_is_late);
    if (rc != TN_OK || *ret_is_late)
      return rc;
  }
}
