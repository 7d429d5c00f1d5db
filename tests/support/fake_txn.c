/* The scripted plug-in's transactions, sessions and bulk loads. */
#include "fake_priv.h"

#include <string.h>

struct fake_bulk {
  struct fake_connection *connection;
  uint32_t column_count;
  uint64_t rows;
};

/* ---- bulk loads ---- */

static void
note_bulk(struct fake_script *script, const struct tn_bulk_request *request)
{
  char *out = script->bulk;
  size_t size = sizeof(script->bulk);

  snprintf(out, size, "%s%s%s(", request->schema != NULL ? request->schema : "",
           request->schema != NULL ? "." : "", request->table);
  for (uint32_t i = 0; i < request->column_count; i++)
    snprintf(out + strlen(out), size - strlen(out), "%s%s", i > 0 ? "," : "",
             request->columns[i]);
  snprintf(out + strlen(out), size - strlen(out), ")");
}

static int32_t
fake_bulk_open(void *handle, const struct tn_bulk_request *request,
               struct tn_call *call, void **ret)
{
  struct fake_connection *connection = handle;
  struct fake_script *script = connection->script;
  struct fake_bulk *bulk;
  int skips;
  int32_t rc = fake__follow(script, FAKE_BULK_OPEN, call, &skips);

  note_bulk(script, request);
  if (rc != TN_OK || skips)
    return rc;
  bulk = fake__make(call, sizeof(*bulk));
  if (bulk == NULL)
    return TN_E_MEMORY;
  bulk->connection = connection;
  bulk->column_count = request->column_count;
  atomic_fetch_add(&script->open_bulks, 1);
  *ret = bulk;
  return TN_OK;
}

static int32_t
fake_bulk_write(void *handle, const tn_value *values, uint64_t rows,
                struct tn_call *call)
{
  struct fake_bulk *bulk = handle;
  struct fake_script *script = bulk->connection->script;

  script->batch_rows += rows;
  fake__note_values(script, values, bulk->column_count, rows);
  bulk->rows += rows;
  return fake__follow_simple(bulk->connection, FAKE_BULK_WRITE, call);
}

static int32_t
fake_bulk_finish(void *handle, struct tn_call *call, uint64_t *ret_rows)
{
  struct fake_bulk *bulk = handle;
  int skips;
  int32_t rc =
      fake__follow(bulk->connection->script, FAKE_BULK_FINISH, call, &skips);

  if (rc == TN_OK && !skips)
    *ret_rows = bulk->rows;
  return rc;
}

static void
fake_bulk_close(void *handle, struct tn_call *call)
{
  struct fake_bulk *bulk = handle;
  struct fake_connection *connection = bulk->connection;

  (void)fake__follow_simple(connection, FAKE_BULK_CLOSE, call);
  atomic_fetch_sub(&connection->script->open_bulks, 1);
  connection->host->release(bulk);
}

/* ---- transactions and sessions ---- */

static void
set_state(struct fake_connection *connection, uint32_t state)
{
  if (connection->script->has_txn_each)
    connection->txn_state = state;
  else
    connection->script->txn_state = state;
}

static int32_t
fake_begin(void *handle, const struct tn_txn_request *request,
           struct tn_call *call)
{
  struct fake_script *script = ((struct fake_connection *)handle)->script;
  int32_t rc = fake__follow_simple(handle, FAKE_BEGIN, call);

  if (rc != TN_OK && script->begins_late)
    set_state(handle, TN_TXN_OPEN);
  if (rc != TN_OK)
    return rc;
  script->isolation = request->isolation;
  script->access = request->access;
  script->lock_mode = request->lock_mode;
  script->begin_flags = request->flags;
  snprintf(script->begin_id, sizeof(script->begin_id), "%s",
           request->global_id != NULL ? request->global_id : "");
  set_state(handle, TN_TXN_OPEN);
  return TN_OK;
}

static int32_t
end_txn(void *handle, enum fake_slot slot, struct tn_call *call)
{
  int32_t rc = fake__follow_simple(handle, slot, call);

  if (rc == TN_OK)
    set_state(handle, TN_TXN_NONE);
  return rc;
}

static int32_t
fake_commit(void *handle, struct tn_call *call)
{
  return end_txn(handle, FAKE_COMMIT, call);
}

static int32_t
fake_rollback(void *handle, struct tn_call *call)
{
  return end_txn(handle, FAKE_ROLLBACK, call);
}

static uint32_t
fake_state(void *handle)
{
  const struct fake_connection *connection = handle;
  const struct fake_script *script = connection->script;
  uint32_t state =
      script->has_txn_each ? connection->txn_state : script->txn_state;

  fake__count(handle, FAKE_STATE);
  return state != 0 ? state : TN_TXN_NONE;
}

static int32_t
note_savepoint(void *handle, enum fake_slot slot, const char *name,
               struct tn_call *call)
{
  struct fake_script *script = ((struct fake_connection *)handle)->script;

  snprintf(script->savepoint, sizeof(script->savepoint), "%s", name);
  return fake__follow_simple(handle, slot, call);
}

static int32_t
fake_savepoint(void *handle, const char *name, struct tn_call *call)
{
  return note_savepoint(handle, FAKE_SAVEPOINT, name, call);
}

static int32_t
fake_release_savepoint(void *handle, const char *name, struct tn_call *call)
{
  return note_savepoint(handle, FAKE_RELEASE_SAVEPOINT, name, call);
}

static int32_t
fake_rollback_savepoint(void *handle, const char *name, struct tn_call *call)
{
  return note_savepoint(handle, FAKE_ROLLBACK_SAVEPOINT, name, call);
}

static void
note_global_id(void *handle, const char *global_id)
{
  struct fake_script *script = ((struct fake_connection *)handle)->script;

  snprintf(script->global_id, sizeof(script->global_id), "%s", global_id);
}

static int32_t
fake_prepare_txn(void *handle, const char *global_id, struct tn_call *call)
{
  note_global_id(handle, global_id);
  return end_txn(handle, FAKE_PREPARE_TXN, call);
}

static int32_t
fake_commit_prepared(void *handle, const char *global_id, struct tn_call *call)
{
  note_global_id(handle, global_id);
  return fake__follow_simple(handle, FAKE_COMMIT_PREPARED, call);
}

static int32_t
fake_rollback_prepared(void *handle, const char *global_id,
                       struct tn_call *call)
{
  note_global_id(handle, global_id);
  return fake__follow_simple(handle, FAKE_ROLLBACK_PREPARED, call);
}

static int32_t
fake_list_prepared(void *handle, struct tn_call *call, const char *const **ret,
                   uint32_t *ret_count)
{
  const struct fake_script *script = ((struct fake_connection *)handle)->script;
  int32_t rc = fake__follow_simple(handle, FAKE_LIST_PREPARED, call);

  if (rc != TN_OK)
    return rc;
  *ret = script->prepared;
  *ret_count = script->prepared_count;
  return TN_OK;
}

/* A number that no other transaction of the script has. */
static int32_t
fake_identify(void *handle, char id[TN_TXN_ID_SIZE], struct tn_call *call)
{
  struct fake_script *script = ((struct fake_connection *)handle)->script;
  int32_t rc = fake__follow_simple(handle, FAKE_IDENTIFY, call);

  if (rc == TN_OK)
    snprintf(id, TN_TXN_ID_SIZE, "fake-%u",
             atomic_load(&script->calls[FAKE_BEGIN]));
  return rc;
}

static int32_t
fake_outcome(void *handle, const char *id, struct tn_call *call, uint32_t *ret)
{
  struct fake_script *script = ((struct fake_connection *)handle)->script;
  int32_t rc = fake__follow_simple(handle, FAKE_OUTCOME, call);

  snprintf(script->asked, sizeof(script->asked), "%s", id);
  if (rc == TN_OK)
    *ret = script->outcome;
  return rc;
}

static int32_t
fake_reset(void *handle, struct tn_call *call)
{
  return end_txn(handle, FAKE_RESET, call);
}

static int32_t
fake_set_sql_mode(void *handle, const char *mode, struct tn_call *call)
{
  struct fake_script *script = ((struct fake_connection *)handle)->script;

  snprintf(script->sql_mode, sizeof(script->sql_mode), "%s", mode);
  return fake__follow_simple(handle, FAKE_SET_SQL_MODE, call);
}

static int32_t
fake_set_isolation(void *handle, uint32_t isolation, struct tn_call *call)
{
  ((struct fake_connection *)handle)->script->isolation = isolation;
  return fake__follow_simple(handle, FAKE_SET_ISOLATION, call);
}

static int32_t
fake_get_isolation(void *handle, uint32_t *ret, struct tn_call *call)
{
  const struct fake_script *script = ((struct fake_connection *)handle)->script;
  int32_t rc = fake__follow_simple(handle, FAKE_GET_ISOLATION, call);

  if (rc == TN_OK)
    *ret = script->isolation;
  return rc;
}

static int32_t
fake_set_access(void *handle, uint32_t access, struct tn_call *call)
{
  ((struct fake_connection *)handle)->script->access = access;
  return fake__follow_simple(handle, FAKE_SET_ACCESS, call);
}

static int32_t
fake_get_position(void *handle, char *ret, uint32_t size, struct tn_call *call)
{
  const struct fake_script *script = ((struct fake_connection *)handle)->script;
  int32_t rc = fake__follow_simple(handle, FAKE_GET_POSITION, call);

  if (rc == TN_OK)
    snprintf(ret, size, "%s",
             script->position[0] != '\0' ? script->position : "fake:1");
  return rc;
}

static int32_t
fake_wait_position(void *handle, const char *position, int64_t until,
                   struct tn_call *call, uint32_t *ret)
{
  struct fake_script *script = ((struct fake_connection *)handle)->script;
  int32_t rc = fake__follow_simple(handle, FAKE_WAIT_POSITION, call);

  (void)until;
  snprintf(script->waited, sizeof script->waited, "%s", position);
  if (rc == TN_OK)
    *ret = script->has_position;
  return rc;
}

const struct tn_txn_table fake__txn_table = {
  .size = sizeof(fake__txn_table),
  .begin = fake_begin,
  .commit = fake_commit,
  .rollback = fake_rollback,
  .state = fake_state,
  .savepoint = fake_savepoint,
  .release_savepoint = fake_release_savepoint,
  .rollback_savepoint = fake_rollback_savepoint,
  .prepare = fake_prepare_txn,
  .commit_prepared = fake_commit_prepared,
  .rollback_prepared = fake_rollback_prepared,
  .list_prepared = fake_list_prepared,
  .identify = fake_identify,
  .outcome = fake_outcome,
};

const struct tn_session_table fake__session_table = {
  .size = sizeof(fake__session_table),
  .reset = fake_reset,
  .set_sql_mode = fake_set_sql_mode,
  .set_isolation = fake_set_isolation,
  .get_isolation = fake_get_isolation,
  .set_access = fake_set_access,
  .get_position = fake_get_position,
  .wait_position = fake_wait_position,
};

const struct tn_bulk_table fake__bulk_table = {
  .size = sizeof(fake__bulk_table),
  .open = fake_bulk_open,
  .write = fake_bulk_write,
  .finish = fake_bulk_finish,
  .close = fake_bulk_close,
};
