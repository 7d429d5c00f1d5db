/* What the kernel knows of a session's socket: what it has received and sent,
 * on a TCP connection, and whether something waits. To count here would cost
 * each row something; to ask costs one system call, and is done now and then.
 */
#include "db_priv.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#ifdef __linux__
#include <linux/tcp.h>

/* Of an older kernel the struct ends earlier, of a socket of another kind there
 * is none. */
static bool
ask(int fd, uint64_t *ret_received, uint64_t *ret_sent)
{
  struct tcp_info info;
  socklen_t size = sizeof info;

  if (fd < 0 || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 ||
      size < offsetof(struct tcp_info, tcpi_segs_out))
    return false;
  *ret_received = info.tcpi_bytes_received;
  *ret_sent = info.tcpi_bytes_acked;
  return true;
}

#else

static bool
ask(int fd, uint64_t *ret_received, uint64_t *ret_sent)
{
  (void)fd;
  (void)ret_received;
  (void)ret_sent;
  return false;
}

#endif

bool
tn_traffic__is_quiet(int fd)
{
  char byte;

  return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
         (errno == EAGAIN || errno == EWOULDBLOCK);
}

/* What has been added stays, whatever a kernel says later. */
static void
add(uint64_t *count, uint64_t now, uint64_t *before)
{
  if (now <= *before)
    return;
  *count += now - *before;
  *before = now;
}

void
tn_traffic__read(tn_conn *conn)
{
  struct tn_traffic *traffic = &conn->traffic;
  uint64_t received, sent;

  traffic->is_behind = false;
  if (!ask(tn_backend_socket(conn->backend, conn->handle), &received, &sent))
    return;
  conn->counts[CONN_TCP] += !traffic->is_known;
  traffic->is_known = true;
  add(&conn->counts[CONN_BYTES_RECEIVED], received, &traffic->received);
  add(&conn->counts[CONN_BYTES_SENT], sent, &traffic->sent);
}

void
tn_traffic__note(tn_conn *conn, int64_t now)
{
  struct tn_traffic *traffic = &conn->traffic;

  traffic->is_behind = true;
  if (traffic->read_at == now)
    return;
  traffic->read_at = now;
  tn_traffic__read(conn);
}
