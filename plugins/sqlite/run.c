/* Running a statement, to its first row or to its end.
 *
 * The first step is taken in execute(), so that errors and effects are there
 * when it returns. A query's rows are then read one by one (result.c). A
 * statement that writes is run to its end at once, and the rows of its
 * RETURNING are kept: they would otherwise hold the write lock, and closing
 * the result early would commit where no failure could be told. */
#include "sqlite_priv.h"

#include <string.h>

static void
release_kept(struct sqlite__statement *statement)
{
  size_t i, count = statement->kept_rows * statement->column_count;

  for (i = 0; i < count; i++)
    sqlite3_value_free(statement->kept[i]);
  statement->conn->host->release(statement->kept);
  statement->kept = NULL;
  statement->kept_rows = 0;
  statement->kept_at = 0;
  statement->kept_capacity = 0;
}

/* Be done with stepping, and with the copies of bytes, which may be large. */
static void
settle(struct sqlite__statement *statement)
{
  if (statement->is_active)
    sqlite3_reset(statement->stmt);
  statement->is_active = false;
  if (statement->has_copies)
    sqlite3_clear_bindings(statement->stmt);
  statement->has_copies = false;
}

void
sqlite__statement_rest(struct sqlite__statement *statement)
{
  settle(statement);
  if (statement->kept != NULL)
    release_kept(statement);
  statement->state = SQLITE__CLOSED;
}

/* Keep a copy of the current row. */
static bool
keep_row(struct sqlite__statement *statement)
{
  const struct tn_host *host = statement->conn->host;
  size_t used = statement->kept_rows * statement->column_count;
  uint32_t i;

  if (statement->kept_rows == statement->kept_capacity) {
    size_t capacity = statement->kept_capacity * 2 + 4;
    sqlite3_value **grown = host->resize(
        statement->kept, capacity * statement->column_count * sizeof *grown);

    if (grown == NULL)
      return false;
    statement->kept = grown;
    statement->kept_capacity = capacity;
  }
  for (i = 0; i < statement->column_count; i++) {
    sqlite3_value *copy =
        sqlite3_value_dup(sqlite3_column_value(statement->stmt, (int)i));

    if (copy == NULL) {
      while (i > 0)
        sqlite3_value_free(statement->kept[used + --i]);
      return false;
    }
    statement->kept[used + i] = copy;
  }
  statement->kept_rows++;
  return true;
}

/* Step a writer, which has rows, to its end. */
static int
keep_rows(struct sqlite__statement *statement)
{
  int code = SQLITE_ROW;

  /* The first step may have compiled it anew, with other columns. */
  if (sqlite__refresh(statement) != TN_OK)
    return SQLITE_NOMEM;

  for (; code == SQLITE_ROW;
       code = sqlite__step_on(statement->conn, statement->stmt))
    if (!keep_row(statement))
      return SQLITE_NOMEM;
  return code;
}

/* Run a statement that writes and has rows. When there is no memory for them
 * its changes must go as well, and resetting it would commit them: so it runs
 * within a savepoint. */
static int
run_within_savepoint(struct sqlite__statement *statement)
{
  struct sqlite__conn *conn = statement->conn;
  int code = sqlite__control(conn, SQLITE__SAVEPOINT);

  if (code != SQLITE_OK)
    return code;
  statement->has_savepoint = true;
  code = sqlite__step(conn, statement->stmt);
  if (code == SQLITE_ROW)
    code = keep_rows(statement);
  if (code != SQLITE_DONE)
    return code;
  code = sqlite__control(conn, SQLITE__RELEASE);
  if (code != SQLITE_OK)
    return code;
  statement->has_savepoint = false;
  return SQLITE_DONE;
}

/* After a failure: nothing of the statement stays. Outside a transaction the
 * savepoint is one by itself. */
static void
undo_savepoint(struct sqlite__statement *statement)
{
  struct sqlite__conn *conn = statement->conn;

  statement->has_savepoint = false;
  if (sqlite3_get_autocommit(conn->db))
    return; /* SQLite has rolled all of it back */
  if (!conn->in_txn) {
    sqlite__control(conn, SQLITE__ROLLBACK);
  } else {
    sqlite__control(conn, SQLITE__UNDO);
    sqlite__control(conn, SQLITE__RELEASE);
  }
}

/* The type of a column that declares none is that of the first row's cell. */
static void
settle_types(struct sqlite__statement *statement, bool has_row)
{
  uint32_t i;

  for (i = 0; i < statement->column_count; i++)
    if (statement->decoders[i].is_undeclared)
      statement->columns[i].type =
          has_row ? sqlite__stored_type(sqlite__cell(statement, i)) : TN_NULL;
}

/* Does the table that an INSERT names have rowids? One that was declared
 * WITHOUT ROWID answers to none of the names of that column. */
static bool
has_rowid(struct sqlite__statement *statement)
{
  static const char *const names[] = { "rowid", "oid", "_rowid_" };
  const char *schema = statement->targets;
  const char *table;
  size_t i;

  if (schema == NULL)
    return false;
  if (statement->has_rowid >= 0)
    return statement->has_rowid != 0;
  table = schema + strlen(schema) + 1;
  statement->has_rowid = 1;
  for (i = 0; i < SQLITE__COUNT(names); i++)
    if (sqlite3_table_column_metadata(statement->conn->db, schema, table,
                                      names[i], NULL, NULL, NULL, NULL,
                                      NULL) != SQLITE_OK)
      statement->has_rowid = 0;
  return statement->has_rowid != 0;
}

/* An upsert may have inserted or updated, and only the update hook tells. */
#define UPSERT_NOTES (SQLITE__NOTE_INSERT | SQLITE__NOTE_UPDATE)

static bool
is_upsert(const struct sqlite__statement *statement)
{
  return statement->is_dml && (statement->notes & UPSERT_NOTES) == UPSERT_NOTES;
}

static void
note_insert(void *user, int operation, const char *schema, const char *table,
            sqlite3_int64 rowid)
{
  struct sqlite__conn *conn = user;

  (void)schema;
  if (operation != SQLITE_INSERT || strcmp(table, conn->insert_table) != 0)
    return;
  conn->has_inserted = true;
  conn->inserted_key = rowid;
}

/* False if there is nothing that needs to be watched. */
static bool
watch_inserts(struct sqlite__statement *statement)
{
  struct sqlite__conn *conn = statement->conn;

  if (!is_upsert(statement) || statement->targets == NULL)
    return false;
  conn->has_inserted = false;
  conn->insert_table = statement->targets + strlen(statement->targets) + 1;
  sqlite3_update_hook(conn->db, note_insert, conn);
  return true;
}

/* The key, right after the last step of what affected rows. */
static void
take_key(struct sqlite__statement *statement)
{
  struct sqlite__conn *conn = statement->conn;

  if ((statement->notes & SQLITE__NOTE_INSERT) == 0 ||
      statement->affected == 0 || !has_rowid(statement))
    return;
  if (!is_upsert(statement)) {
    statement->key = sqlite3_last_insert_rowid(conn->db);
    statement->flags |= TN_RESULT_HAS_KEY;
  } else if (conn->has_inserted) {
    statement->key = conn->inserted_key;
    statement->flags |= TN_RESULT_HAS_KEY;
  }
}

/* A pragma with rows has affected none of its own: the host counts those that
 * are fetched, as it does for a query. */
static void
take_counts(struct sqlite__statement *statement)
{
  statement->affected = 0;
  if (!statement->is_dml && statement->column_count > 0)
    return;
  statement->flags = TN_RESULT_HAS_AFFECTED;
  if (!statement->is_dml)
    return;
  statement->affected = (uint64_t)sqlite3_changes64(statement->conn->db);
  take_key(statement);
}

/* What a run needs beyond binding and stepping, for the few statements that
 * do. */
static int32_t
before_run(struct sqlite__statement *statement)
{
  struct sqlite__conn *conn = statement->conn;

  if (conn->is_aborted && (statement->notes & SQLITE__NOTE_ROLLBACK) == 0)
    return sqlite__fail_aborted(conn->call);
  if (conn->is_txn_read_only && statement->is_writer)
    return tn_fail(conn->call, TN_E_READ_ONLY,
                   "sqlite: the transaction is read-only and the statement may "
                   "write");
  if ((statement->notes & SQLITE__NOTE_PRAGMA) != 0 && statement->has_run)
    return sqlite__recompile(statement);
  return TN_OK;
}

static int
run(struct sqlite__statement *statement)
{
  struct sqlite__conn *conn = statement->conn;
  bool is_watched;
  int code;

  if (conn->is_aborted)
    return SQLITE_DONE; /* a ROLLBACK, of what is rolled back already */
  statement->is_active = true;
  is_watched = watch_inserts(statement);
  if (statement->is_dml && statement->column_count != 0)
    code = run_within_savepoint(statement);
  else
    code = sqlite__step(conn, statement->stmt);
  if (code == SQLITE_ROW && statement->is_writer)
    code = keep_rows(statement);
  if (is_watched)
    sqlite3_update_hook(conn->db, NULL, NULL);
  return code;
}

/* The statement has run: to its first row, or to its end. */
static int32_t
after_run(struct sqlite__statement *statement, int code)
{
  bool has_row = code == SQLITE_ROW || statement->kept_rows > 0;
  int32_t rc;

  statement->has_run = true;
  statement->flags = 0;
  rc = sqlite__refresh(statement);
  if (rc != TN_OK)
    return rc;
  if (statement->has_undeclared)
    settle_types(statement, has_row);
  if (!statement->is_query) {
    take_counts(statement);
    settle(statement);
  }
  if ((statement->notes & SQLITE__NOTE_TXN) != 0)
    sqlite__txn_sync(statement->conn);
  statement->state = has_row ? SQLITE__ROW : SQLITE__DONE;
  return TN_OK;
}

/* SQLite's `code` after a run, as a category. */
static int32_t
fail_run(struct sqlite__statement *statement, int code)
{
  struct sqlite__where where = { .statement = statement };
  int32_t rc;

  if ((statement->notes & SQLITE__NOTE_COMMIT) != 0)
    where.at = SQLITE__AT_COMMIT;
  rc = sqlite__fail(statement->conn, code, &where);
  settle(statement);
  if (statement->has_savepoint)
    undo_savepoint(statement);
  return rc;
}

int32_t
sqlite__run(struct sqlite__statement *statement, const tn_value *values,
            uint32_t count)
{
  int32_t rc = before_run(statement);
  int code;

  if (rc == TN_OK)
    rc = sqlite__bind(statement, values, count);
  if (rc == TN_OK) {
    code = run(statement);
    rc = code == SQLITE_ROW || code == SQLITE_DONE ? after_run(statement, code)
                                                   : fail_run(statement, code);
  }
  if (rc != TN_OK)
    sqlite__statement_rest(statement);
  return rc;
}

/* Bind and step each row of values; `*ret_affected` is what all did. */
static int32_t
step_rows(struct sqlite__statement *statement, const tn_value *values,
          uint32_t count, uint64_t rows, uint64_t *ret_affected)
{
  struct sqlite__conn *conn = statement->conn;
  uint64_t affected = 0;
  uint64_t i;

  for (i = 0; i < rows; i++, values += count) {
    int32_t rc;
    int code;

    conn->batch_row = i + 1;
    rc = sqlite__check_row(conn, i);
    if (rc == TN_OK)
      rc = sqlite__bind(statement, values, count);
    if (rc != TN_OK)
      return rc;
    statement->is_active = true;
    code = sqlite__step(conn, statement->stmt);
    if (code != SQLITE_DONE)
      return fail_run(statement, code);
    affected += (uint64_t)sqlite3_changes64(conn->db);
    sqlite3_reset(statement->stmt);
  }
  *ret_affected = affected;
  return TN_OK;
}

int32_t
sqlite__run_plain(struct sqlite__statement *statement, const tn_value *values,
                  uint32_t count, uint64_t rows)
{
  bool is_watched;
  int32_t rc = before_run(statement);

  if (rc != TN_OK)
    return rc;
  is_watched = watch_inserts(statement);
  rc = step_rows(statement, values, count, rows, &statement->affected);
  if (is_watched)
    sqlite3_update_hook(statement->conn->db, NULL, NULL);

  /* What the schema is matters for the key only, which is the last one's. */
  if (rc == TN_OK)
    rc = sqlite__refresh(statement);
  statement->flags = TN_RESULT_HAS_AFFECTED;
  if (rc == TN_OK)
    take_key(statement);
  sqlite__statement_rest(statement);
  statement->state = SQLITE__DONE;
  return rc;
}

int32_t
sqlite__execute(void *handle, const tn_value *values, uint32_t count,
                struct tn_call *call, void **ret)
{
  struct sqlite__statement *statement = handle;
  int32_t rc;

  sqlite__enter(statement->conn, call);
  rc = sqlite__run(statement, values, count);
  if (rc == TN_OK)
    *ret = statement;
  return rc;
}
