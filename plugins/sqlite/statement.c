/* Statements: compiling them, and learning what they are made of.
 *
 * Compiled once, run many times (run.c). SQLite compiles anew by itself when
 * the schema has changed; what was learnt is then learnt again. */
#include "sqlite_priv.h"

#include <string.h>

/* ------------------------------------------------------------------ */
/* Columns                                                              */

static void
release_columns(struct sqlite__statement *statement)
{
  statement->conn->host->release(statement->columns);
  statement->columns = NULL;
  statement->decoders = NULL;
  statement->column_count = 0;
  statement->has_undeclared = false;
}

/* False if there is no memory for the name. */
static bool
describe_column(struct sqlite__statement *statement, uint32_t i)
{
  struct tn_column *column = &statement->columns[i];
  struct sqlite__column *decoder = &statement->decoders[i];
  const char *name = sqlite3_column_name(statement->stmt, (int)i);
  const char *declared = sqlite3_column_decltype(statement->stmt, (int)i);

  column->name = name;
  column->type_name = declared == NULL ? "" : declared;
  decoder->decoder = sqlite__decoder_of(declared, &column->type);
  decoder->is_undeclared = column->type == 0;
  decoder->last_day = (struct sqlite__day){ .front = 0, .back = 1 };
  if (column->type == 0) {
    column->type = TN_NULL;
    statement->has_undeclared = true;
  }
  return name != NULL;
}

static int32_t
fail_memory(struct sqlite__statement *statement)
{
  return tn_fail(statement->conn->call, TN_E_MEMORY, "sqlite: out of memory");
}

/* Look at the columns, when prepared and after SQLite has prepared anew: names
 * and declarations are its memory. */
static int32_t
describe(struct sqlite__statement *statement)
{
  uint32_t count = (uint32_t)sqlite3_column_count(statement->stmt);
  size_t size = sizeof *statement->columns + sizeof *statement->decoders;
  uint32_t i;

  release_columns(statement);
  statement->has_rowid = -1;
  statement->reprepares = -1; /* not looked at */
  if (count != 0) {
    statement->columns = statement->conn->host->alloc(count * size);
    if (statement->columns == NULL)
      return fail_memory(statement);
    memset(statement->columns, 0, count * size);
    statement->decoders = (struct sqlite__column *)&statement->columns[count];
  }
  for (i = 0; i < count; i++)
    if (!describe_column(statement, i))
      return fail_memory(statement);
  statement->column_count = count;
  statement->reprepares =
      sqlite3_stmt_status(statement->stmt, SQLITE_STMTSTATUS_REPREPARE, 0);
  return TN_OK;
}

int32_t
sqlite__refresh(struct sqlite__statement *statement)
{
  int reprepares =
      sqlite3_stmt_status(statement->stmt, SQLITE_STMTSTATUS_REPREPARE, 0);

  return reprepares == statement->reprepares ? TN_OK : describe(statement);
}

/* ------------------------------------------------------------------ */
/* Compiling                                                            */

/* Is there nothing but blanks, comments and semicolons? */
static bool
is_blank(const char *sql)
{
  for (;;) {
    sql += strspn(sql, " \t\n\f\r;");
    if (sql[0] == '-' && sql[1] == '-') {
      sql += strcspn(sql, "\n");
    } else if (sql[0] == '/' && sql[1] == '*') {
      const char *end = strstr(sql + 2, "*/");

      sql = end == NULL ? sql + strlen(sql) : end + 2;
    } else {
      return *sql == '\0';
    }
  }
}

/* Compile with the authorizer's notes taken. A pragma that is about to be
 * changed for the first time is refused once, and its value saved. */
static int
compile_noted(struct sqlite__conn *conn, const char *sql, int size,
              sqlite3_stmt **ret, const char **ret_tail)
{
  int code;

  for (;;) {
    sqlite__notes_begin(conn);
    code = sqlite__compile(conn, sql, size, ret, ret_tail);
    sqlite__notes_end(conn);
    if (conn->notes.has_failed && code == SQLITE_OK) {
      sqlite3_finalize(*ret);
      *ret = NULL;
      return SQLITE_NOMEM;
    }
    if (conn->notes.pragma < 0 || (code & 0xff) != SQLITE_AUTH)
      return code;
    code = sqlite__pragma_save(conn, conn->notes.pragma);
    if (code != SQLITE_OK)
      return code;
  }
}

/* What the session must remember of the statement. PRAGMA busy_timeout has put
 * SQLite's own busy handler, which knows no deadline, in the place of ours. */
static void
keep_notes(struct sqlite__conn *conn)
{
  uint32_t flags = conn->notes.flags;

  conn->has_temp |= (flags & SQLITE__NOTE_TEMP) != 0;
  conn->has_attach |= (flags & SQLITE__NOTE_ATTACH) != 0;
  if (conn->notes.busy_ms >= 0) {
    conn->busy_ns = conn->notes.busy_ms * 1000000;
    sqlite__guard(conn);
  }
}

static int32_t
keep_targets(struct sqlite__statement *statement)
{
  struct sqlite__notes *notes = &statement->conn->notes;

  if (notes->targets_size == 0)
    return TN_OK;
  statement->targets = statement->conn->host->alloc(notes->targets_size);
  if (statement->targets == NULL)
    return fail_memory(statement);
  memcpy(statement->targets, notes->targets, notes->targets_size);
  statement->targets_size = notes->targets_size;
  return TN_OK;
}

/* Fill in what is known of `statement->stmt`. */
static int32_t
examine(struct sqlite__statement *statement)
{
  uint32_t flags = statement->conn->notes.flags;
  const uint32_t dml =
      SQLITE__NOTE_INSERT | SQLITE__NOTE_UPDATE | SQLITE__NOTE_DELETE;
  int32_t rc;

  keep_notes(statement->conn);
  statement->notes = flags;
  statement->has_run = false;
  statement->is_writer = !sqlite3_stmt_readonly(statement->stmt) &&
                         !sqlite3_stmt_isexplain(statement->stmt);
  statement->is_query =
      !statement->is_writer && sqlite3_column_count(statement->stmt) != 0;
  statement->is_dml = statement->is_writer && (flags & dml) != 0 &&
                      (flags & SQLITE__NOTE_SCHEMA) == 0;
  statement->parameter_count =
      (uint32_t)sqlite3_bind_parameter_count(statement->stmt);
  rc = keep_targets(statement);
  if (rc == TN_OK)
    rc = describe(statement);
  return rc;
}

static int32_t
compile(struct sqlite__statement *statement, const char *sql, size_t size)
{
  struct sqlite__conn *conn = statement->conn;
  struct sqlite__where where = { .at = SQLITE__AT_PREPARE, .sql = sql };
  const char *tail = NULL;
  int code;

  code = compile_noted(conn, sql, (int)size + 1, &statement->stmt, &tail);
  if (code != SQLITE_OK)
    return sqlite__fail(conn, code, &where);
  if (statement->stmt == NULL)
    return tn_fail(conn->call, TN_E_USAGE, "sqlite: there is no statement");
  if (!is_blank(tail))
    return tn_fail(conn->call, TN_E_USAGE,
                   "sqlite: more than one statement: run them one by one");
  return examine(statement);
}

static void
release_statement(struct sqlite__statement **statement)
{
  const struct tn_host *host;

  if (*statement == NULL)
    return;
  host = (*statement)->conn->host;
  release_columns(*statement);
  sqlite3_finalize((*statement)->stmt);
  host->release((*statement)->targets);
  host->release((*statement)->kept);
  host->release(*statement);
  *statement = NULL;
}

static int32_t
check_text(const struct sqlite__conn *conn, const char *sql, size_t size)
{
  int limit = sqlite3_limit(conn->db, SQLITE_LIMIT_SQL_LENGTH, -1);

  if (size >= (size_t)limit)
    return tn_fail(conn->call, TN_E_LIMIT,
                   "sqlite: the statement has %zu bytes: at most %d fit", size,
                   limit);
  if (memchr(sql, '\0', size) != NULL)
    return tn_fail(conn->call, TN_E_USAGE,
                   "sqlite: the statement has a NUL in it, where SQLite would "
                   "end it");
  return TN_OK;
}

static int32_t
prepare(void *handle, const char *sql, size_t sql_size, struct tn_call *call,
        void **ret, struct tn_statement_info *info)
{
  struct sqlite__conn *conn = handle;
  struct sqlite__statement *statement;
  int32_t rc;

  sqlite__enter(conn, call);
  rc = check_text(conn, sql, sql_size);
  if (rc != TN_OK)
    return rc;
  statement = conn->host->alloc(sizeof *statement);
  if (statement == NULL)
    return tn_fail(call, TN_E_MEMORY, "sqlite: out of memory");
  memset(statement, 0, sizeof *statement);
  statement->conn = conn;
  rc = compile(statement, sql, sql_size);
  if (rc != TN_OK) {
    release_statement(&statement);
    return rc;
  }
  info->parameter_count = statement->parameter_count;
  info->column_count = statement->column_count;
  *ret = statement;
  return TN_OK;
}

int32_t
sqlite__recompile(struct sqlite__statement *statement)
{
  struct sqlite__conn *conn = statement->conn;
  sqlite3_stmt *old = statement->stmt;
  const char *sql = sqlite3_sql(old);
  struct sqlite__where where = { .at = SQLITE__AT_PREPARE, .sql = sql };
  sqlite3_stmt *stmt = NULL;
  int code = compile_noted(conn, sql, -1, &stmt, NULL);

  if (code != SQLITE_OK)
    return sqlite__fail(conn, code, &where);
  statement->stmt = stmt;
  sqlite3_finalize(old);
  conn->host->release(statement->targets);
  statement->targets = NULL;
  statement->targets_size = 0;
  return examine(statement);
}

static void
close_statement(void *handle, struct tn_call *call)
{
  struct sqlite__statement *statement = handle;

  (void)call;
  statement->conn->call = NULL;
  release_statement(&statement);
}

const struct tn_statement_table sqlite__statement_table = {
  .size = sizeof(struct tn_statement_table),
  .prepare = prepare,
  .execute = sqlite__execute,
  .close = close_statement,
  .execute_batch = sqlite__execute_batch,
};
