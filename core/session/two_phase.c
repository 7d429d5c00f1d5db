/* What was prepared: ended, and listed. */
#include <tenon/two_phase.h>

#include "db_priv.h"

enum tn_code
tn_two_phase_commit(tn_conn *conn, const char *global_id, tn_err *err)
{
  return tn_conn__end_prepared(conn, TN_GLOBAL_COMMIT, global_id, err);
}

enum tn_code
tn_two_phase_rollback(tn_conn *conn, const char *global_id, tn_err *err)
{
  return tn_conn__end_prepared(conn, TN_GLOBAL_ROLLBACK, global_id, err);
}

/* The list is whole before anybody is told, so that they may use the
 * connection. */
enum tn_code
tn_two_phase_list(tn_conn *conn, tn_two_phase_fn visit, void *user, tn_err *err)
{
  struct tn_host_call call;
  struct tn_arena arena;
  const char *const *ids = NULL;
  tn_err *told = err;
  uint32_t count = 0;
  enum tn_code rc;

  tn_arena_init(&arena);
  rc = tn_conn__begin(conn, 0, &arena, &call, &told);
  if (rc == TN_OK)
    rc = tn_conn__end(conn,
                      tn_backend_list_prepared(conn->backend, conn->handle,
                                               &call, &ids, &count),
                      told);
  for (uint32_t i = 0; rc == TN_OK && i < count; i++)
    if (tn_global_id__check(ids[i], NULL) == TN_OK)
      rc = visit(ids[i], user, err);
  tn_arena_clear(&arena);
  return rc;
}
