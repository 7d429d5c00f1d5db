/* A moment in the history of a database's commits. What was committed before it
 * is seen by whoever waits for it on a server that follows: reading one's own
 * writes from a replica.
 *
 * On PostgreSQL it is a place in the write-ahead log, on MariaDB a GTID. It
 * says nothing of a history that was left: after a promotion that lost commits,
 * what came behind the promotion counts. */
#ifndef TENON_POSITION_H
#define TENON_POSITION_H

#include <tenon/conn.h>

TN_BEGIN_DECLS

/* May be copied and kept, also elsewhere: it is text. "" is before all else. */
typedef struct tn_position {
  char text[256];
} tn_position;

/* clang-format off */
#define TN_POSITION_INIT { .text = "" }
/* clang-format on */

/* One that only the primary has reached: where a backend or server keeps no
 * history. */
#define TN_POSITION_PRIMARY "primary"

/* A moment not before the last commit of this connection, outside of a
 * transaction. One round trip. Fails: TN_E_UNSUPPORTED, no history is kept;
 * TN_E_STATE, in a transaction. */
TN_API TN_MUST_USE enum tn_code tn_conn_position(tn_conn *conn,
                                                 tn_position *ret, tn_err *err);

/* Wait until what this server shows is not older than `position`, until
 * `until` at most; `*ret_is_reached` 0 or 1. Outside of a transaction. A server
 * that does not answer is given up a quarter of a second after that.
 * Fails: TN_E_UNSUPPORTED, no history is kept, or the position is another
 * backend's; TN_E_STATE, in a transaction. */
TN_API TN_MUST_USE enum tn_code tn_conn_wait_position(
    tn_conn *conn, const tn_position *position, tn_deadline until,
    int *ret_is_reached, tn_err *err);

TN_END_DECLS

#endif
