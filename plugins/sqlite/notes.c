/* What a statement will do, learnt while it is compiled.
 *
 * SQLite has no interface that tells a statement's kind or its tables, but its
 * authorizer is asked about each of them. It allows everything here, and takes
 * notes: for affected rows and generated keys, for the check of exact numbers,
 * and so that reset() has nothing to do on a session that left nothing behind.
 */
#include "sqlite_priv.h"

#include <stdlib.h>
#include <string.h>

static const uint32_t action_notes[] = {
  [SQLITE_CREATE_INDEX] = SQLITE__NOTE_SCHEMA,
  [SQLITE_CREATE_TABLE] = SQLITE__NOTE_SCHEMA,
  [SQLITE_CREATE_TEMP_INDEX] = SQLITE__NOTE_SCHEMA,
  [SQLITE_CREATE_TEMP_TABLE] = SQLITE__NOTE_SCHEMA,
  [SQLITE_CREATE_TEMP_TRIGGER] = SQLITE__NOTE_SCHEMA,
  [SQLITE_CREATE_TEMP_VIEW] = SQLITE__NOTE_SCHEMA,
  [SQLITE_CREATE_TRIGGER] = SQLITE__NOTE_SCHEMA,
  [SQLITE_CREATE_VIEW] = SQLITE__NOTE_SCHEMA,
  [SQLITE_CREATE_VTABLE] = SQLITE__NOTE_SCHEMA,
  [SQLITE_DELETE] = SQLITE__NOTE_DELETE,
  [SQLITE_DROP_INDEX] = SQLITE__NOTE_SCHEMA,
  [SQLITE_DROP_TABLE] = SQLITE__NOTE_SCHEMA,
  [SQLITE_DROP_TEMP_INDEX] = SQLITE__NOTE_SCHEMA,
  [SQLITE_DROP_TEMP_TABLE] = SQLITE__NOTE_SCHEMA,
  [SQLITE_DROP_TEMP_TRIGGER] = SQLITE__NOTE_SCHEMA,
  [SQLITE_DROP_TEMP_VIEW] = SQLITE__NOTE_SCHEMA,
  [SQLITE_DROP_TRIGGER] = SQLITE__NOTE_SCHEMA,
  [SQLITE_DROP_VIEW] = SQLITE__NOTE_SCHEMA,
  [SQLITE_DROP_VTABLE] = SQLITE__NOTE_SCHEMA,
  [SQLITE_INSERT] = SQLITE__NOTE_INSERT,
  [SQLITE_PRAGMA] = SQLITE__NOTE_PRAGMA,
  [SQLITE_TRANSACTION] = SQLITE__NOTE_TXN,
  [SQLITE_UPDATE] = SQLITE__NOTE_UPDATE,
  [SQLITE_ATTACH] = SQLITE__NOTE_SCHEMA | SQLITE__NOTE_ATTACH,
  [SQLITE_DETACH] = SQLITE__NOTE_SCHEMA,
  [SQLITE_ALTER_TABLE] = SQLITE__NOTE_SCHEMA,
  [SQLITE_REINDEX] = SQLITE__NOTE_SCHEMA,
  [SQLITE_ANALYZE] = SQLITE__NOTE_SCHEMA,
  [SQLITE_SAVEPOINT] = SQLITE__NOTE_TXN,
};

#define DML_NOTES                                                              \
  (SQLITE__NOTE_INSERT | SQLITE__NOTE_UPDATE | SQLITE__NOTE_DELETE)

/* Room for `size` further bytes of targets. */
static bool
reserve(struct sqlite__conn *conn, size_t size)
{
  struct sqlite__notes *notes = &conn->notes;
  size_t wanted = notes->targets_size + size;
  char *grown;

  if (wanted <= notes->targets_capacity)
    return true;
  wanted += wanted / 2 + 64;
  grown = conn->host->resize(notes->targets, wanted);
  if (grown == NULL)
    return false;
  notes->targets = grown;
  notes->targets_capacity = wanted;
  return true;
}

static void
add_text(struct sqlite__notes *notes, const char *text)
{
  size_t size = strlen(text) + 1;

  memcpy(notes->targets + notes->targets_size, text, size);
  notes->targets_size += size;
}

/* Note a table that is written to, triggers' included: what a trigger hands on
 * is converted by the columns it goes to. SQLite's own tables have none that
 * a number could be rounded in. */
static void
add_target(struct sqlite__conn *conn, const char *schema, const char *table,
           const char *column)
{
  struct sqlite__notes *notes = &conn->notes;

  schema = schema == NULL ? "main" : schema;
  column = column == NULL ? "" : column;
  if (strncmp(table, "sqlite_", 7) == 0)
    return;
  if (!reserve(conn, strlen(schema) + strlen(table) + strlen(column) + 3)) {
    notes->has_failed = true;
    return;
  }
  add_text(notes, schema);
  add_text(notes, table);
  add_text(notes, column);
}

static int64_t
milliseconds_of(const char *argument)
{
  const int64_t max = SQLITE__BUSY_MAX_NS / 1000000;
  int64_t ms = strtoll(argument, NULL, 10);

  if (ms < 0)
    return 0;
  return ms > max ? max : ms;
}

/* A pragma takes effect while it is compiled. So the first statement that
 * would change one is refused here, its value saved, and compiled again. */
static int
note_pragma(struct sqlite__conn *conn, const char *name, const char *argument)
{
  struct sqlite__notes *notes = &conn->notes;
  int row;

  if (argument == NULL)
    return SQLITE_OK;
  if (sqlite3_stricmp(name, "busy_timeout") == 0) {
    notes->busy_ms = milliseconds_of(argument);
    return SQLITE_OK;
  }
  row = sqlite__pragma_find(name);
  if (row < 0 || conn->pragmas[row][0] != '\0')
    return SQLITE_OK;
  notes->pragma = row;
  return SQLITE_DENY;
}

/* `what` is "BEGIN", "COMMIT", "ROLLBACK". */
static uint32_t
txn_notes(const char *what)
{
  if (strcmp(what, "COMMIT") == 0)
    return SQLITE__NOTE_COMMIT;
  if (strcmp(what, "ROLLBACK") == 0)
    return SQLITE__NOTE_ROLLBACK;
  return 0;
}

/* The meaning of `first` and `second` by action is a table in
 * https://sqlite.org/c3ref/c_alter_table.html. */
static int
note(struct sqlite__conn *conn, int action, const char *first,
     const char *second, const char *schema)
{
  struct sqlite__notes *notes = &conn->notes;

  switch (action) {
  case SQLITE_INSERT:
    add_target(conn, schema, first, NULL);
    return SQLITE_OK;
  case SQLITE_UPDATE:
    add_target(conn, schema, first, second);
    return SQLITE_OK;
  case SQLITE_TRANSACTION:
    notes->flags |= txn_notes(first);
    return SQLITE_OK;
  case SQLITE_PRAGMA:
    return note_pragma(conn, first, second);
  default:
    return SQLITE_OK;
  }
}

static int
authorize(void *user, int action, const char *first, const char *second,
          const char *schema, const char *trigger)
{
  struct sqlite__conn *conn = user;
  uint32_t flags = 0;

  if (action >= 0 && (size_t)action < SQLITE__COUNT(action_notes))
    flags = action_notes[action];
  if (flags == 0 || !conn->notes.is_on)
    return SQLITE_OK;
  if (trigger != NULL) /* not what the statement itself does */
    flags &= ~DML_NOTES;
  if (flags == SQLITE__NOTE_SCHEMA && schema != NULL &&
      strcmp(schema, "temp") == 0)
    flags |= SQLITE__NOTE_TEMP;
  conn->notes.flags |= flags;
  return note(conn, action, first, second, schema);
}

int
sqlite__notes_install(struct sqlite__conn *conn)
{
  return sqlite3_set_authorizer(conn->db, authorize, conn);
}

void
sqlite__notes_begin(struct sqlite__conn *conn)
{
  struct sqlite__notes *notes = &conn->notes;

  notes->is_on = true;
  notes->has_failed = false;
  notes->flags = 0;
  notes->pragma = -1;
  notes->busy_ms = -1;
  notes->targets_size = 0;
}

void
sqlite__notes_end(struct sqlite__conn *conn)
{
  conn->notes.is_on = false;
}

/* Pragmas of the session that SQL can change, all but busy_timeout. Those of
 * the file (user_version, auto_vacuum, …) are data, and stay as they are. */
static const struct pragma {
  const char *name;
  const char *initial; /* of one that cannot be read; else NULL */
} pragmas[] = {
  { "analysis_limit", NULL },
  { "automatic_index", NULL },
  { "cache_size", NULL },
  { "cache_spill", NULL },
  { "case_sensitive_like", "0" },
  { "cell_size_check", NULL },
  { "checkpoint_fullfsync", NULL },
  { "count_changes", NULL },
  { "defer_foreign_keys", NULL },
  { "empty_result_callbacks", NULL },
  { "foreign_keys", NULL },
  { "full_column_names", NULL },
  { "fullfsync", NULL },
  { "ignore_check_constraints", NULL },
  { "journal_mode", NULL },
  { "journal_size_limit", NULL },
  { "legacy_alter_table", NULL },
  { "locking_mode", NULL },
  { "max_page_count", NULL },
  { "mmap_size", NULL },
  { "query_only", NULL },
  { "read_uncommitted", NULL },
  { "recursive_triggers", NULL },
  { "reverse_unordered_selects", NULL },
  { "secure_delete", NULL },
  { "short_column_names", NULL },
  { "synchronous", NULL },
  { "temp_store", NULL },
  { "threads", NULL },
  { "trusted_schema", NULL },
  { "wal_autocheckpoint", NULL },
  { "writable_schema", NULL },
};

_Static_assert(SQLITE__COUNT(pragmas) <= SQLITE__PRAGMA_MAX,
               "a place for each value");

int
sqlite__pragma_find(const char *name)
{
  size_t i;

  for (i = 0; i < SQLITE__COUNT(pragmas); i++)
    if (sqlite3_stricmp(pragmas[i].name, name) == 0)
      return (int)i;
  return -1;
}

static int
read_pragma(struct sqlite__conn *conn, int row, char *text, size_t size)
{
  char sql[64];

  sqlite3_snprintf((int)sizeof sql, sql, "PRAGMA %s", pragmas[row].name);
  return sqlite__query_text(conn, sql, text, size);
}

/* What a setter made is not the session's own. No option sets these two. */
static bool
is_of_setter(const struct sqlite__conn *conn, int row)
{
  return (conn->is_read_only && row == sqlite__pragma_find("query_only")) ||
         (conn->is_uncommitted_now &&
          row == sqlite__pragma_find("read_uncommitted"));
}

int
sqlite__pragma_save(struct sqlite__conn *conn, int row)
{
  char *value = conn->pragmas[row];
  const char *initial = is_of_setter(conn, row) ? "0" : pragmas[row].initial;
  int code = SQLITE_OK;

  if (initial == NULL)
    code = read_pragma(conn, row, value, SQLITE__PRAGMA_TEXT_MAX);
  if (value[0] == '\0' && code == SQLITE_OK)
    sqlite3_snprintf(SQLITE__PRAGMA_TEXT_MAX, value, "%s",
                     initial == NULL ? "0" : initial);
  return code;
}

/* WAL is a property of the file, which others may be using by now. */
static bool
is_of_the_file(const char *value, const char *saved)
{
  return strcmp(value, "wal") == 0 || strcmp(saved, "wal") == 0;
}

/* A lock that was kept is given up when the file is next read. */
static const char let_go[] = "SELECT 1 FROM main.sqlite_master LIMIT 1";

static int
restore_pragma(struct sqlite__conn *conn, int row)
{
  const char *saved = conn->pragmas[row];
  char value[SQLITE__PRAGMA_TEXT_MAX] = "";
  char sql[96];
  int code = SQLITE_OK;

  if (pragmas[row].initial == NULL)
    code = read_pragma(conn, row, value, sizeof value);
  if (code != SQLITE_OK || strcmp(value, saved) == 0 ||
      is_of_the_file(value, saved))
    return code;
  sqlite3_snprintf((int)sizeof sql, sql, "PRAGMA %s=%s", pragmas[row].name,
                   saved);
  code = sqlite__exec(conn, sql);
  if (code == SQLITE_OK && strcmp(value, "exclusive") == 0)
    code = sqlite__exec(conn, let_go);
  return code;
}

int
sqlite__pragmas_restore(struct sqlite__conn *conn)
{
  int code = SQLITE_OK;
  int row;

  for (row = 0; code == SQLITE_OK && row < (int)SQLITE__COUNT(pragmas); row++) {
    if (conn->pragmas[row][0] == '\0')
      continue;
    code = restore_pragma(conn, row);
    if (code == SQLITE_OK)
      conn->pragmas[row][0] = '\0';
  }
  return code;
}
