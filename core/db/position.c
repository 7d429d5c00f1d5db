/* Moments in the history of a database's commits, of one connection. */
#include <tenon/position.h>

#include "db_priv.h"

_Static_assert(sizeof((tn_position *)NULL)->text == TN_POSITION_SIZE,
               "a position is as long as a backend's");

static enum tn_code
require_idle(const tn_conn *conn, tn_err *err)
{
  if (tn_conn_txn_state(conn) == TN_TXN_NONE)
    return TN_OK;
  return tn_err_set(err, TN_E_STATE,
                    "position: a transaction is open, and shows one moment; "
                    "end it first");
}

enum tn_code
tn_conn_position(tn_conn *conn, tn_position *ret, tn_err *err)
{
  struct tn_host_call call;
  enum tn_code rc = require_idle(conn, err);

  if (rc == TN_OK)
    rc = tn_conn__begin(conn, 0, NULL, &call, &err);
  if (rc != TN_OK)
    return rc;
  rc = tn_backend_get_position(conn->backend, conn->handle, ret->text, &call);
  return tn_conn__end(conn, rc, err);
}

/* The backend is to come back by itself at `until`, not to be stopped: its
 * answer has a moment more than it is asked to wait. */
#define ANSWER_NS INT64_C(250000000)

enum tn_code
tn_conn_wait_position(tn_conn *conn, const tn_position *position,
                      tn_deadline until, int *ret_is_reached, tn_err *err)
{
  struct tn_host_call call;
  bool is_reached = true;
  enum tn_code rc = require_idle(conn, err);
  tn_deadline last =
      until > TN_DEADLINE_NONE - ANSWER_NS ? until : until + ANSWER_NS;

  if (rc == TN_OK && position->text[0] != '\0') {
    rc = tn_conn__begin(conn, last, NULL, &call, &err);
    if (rc != TN_OK)
      return rc;
    rc = tn_backend_wait_position(conn->backend, conn->handle, position->text,
                                  until, &call, &is_reached);
    rc = tn_conn__end(conn, rc, err);
  }
  if (rc == TN_OK)
    *ret_is_reached = is_reached;
  return rc;
}
