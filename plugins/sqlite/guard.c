/* Waiting and stopping: everything that makes a call end by its deadline.
 *
 * SQLite would sleep and compute on its own terms. Here it sleeps through the
 * host, and asks the host every thousandth step whether to go on. */
#include "sqlite_priv.h"

/* Steps of SQLite's virtual machine between two questions to the host: some
 * ten microseconds, so that asking costs nothing that can be measured. */
#define STEPS_BETWEEN_CHECKS 1000
#define ROWS_BETWEEN_CHECKS  128

#define MILLISECOND INT64_C(1000000)

/* How long to sleep before the nth try, and before every later one. */
static const uint8_t delays_ms[] = { 1,  2,  5,  10, 15, 20,
                                     25, 25, 25, 50, 50, 100 };

static int64_t
delay_of(int tries)
{
  size_t last = SQLITE__COUNT(delays_ms) - 1;
  size_t at = tries < 0 || (size_t)tries > last ? last : (size_t)tries;

  return delays_ms[at] * MILLISECOND;
}

/* The busy handler: 1 to try again, 0 to give up. Giving up by the option
 * `timeout` leaves the error to SQLite's code; a deadline that passed and a
 * cancellation are the host's to report. */
static int
wait_for_lock(void *user, int tries)
{
  struct sqlite__conn *conn = user;
  int64_t now, give_up, until;

  if (conn->call == NULL || conn->stopped != 0)
    return 0;
  now = conn->host->now();
  if (tries == 0)
    conn->busy_since = now;
  give_up = conn->busy_since + conn->busy_ns;
  if (now >= give_up)
    return 0;
  until = now + delay_of(tries);
  if (until > give_up)
    until = give_up;
  conn->stopped = conn->host->wait(conn->call, -1, 0, until, NULL);
  return conn->stopped == 0;
}

/* SQLite asks once more when a statement has come to its end, and committed:
 * it would take effect and be told as interrupted. */
static int
ask_host(void *user)
{
  struct sqlite__conn *conn = user;

  if (conn->call == NULL ||
      (conn->stepping != NULL && !sqlite3_stmt_busy(conn->stepping)))
    return 0;
  if (conn->stopped == 0)
    conn->stopped = conn->host->check(conn->call);
  return conn->stopped != 0;
}

void
sqlite__guard(struct sqlite__conn *conn)
{
  sqlite3_busy_handler(conn->db, wait_for_lock, conn);
  sqlite3_progress_handler(conn->db, STEPS_BETWEEN_CHECKS, ask_host, conn);
}

int
sqlite__step_on(struct sqlite__conn *conn, sqlite3_stmt *stmt)
{
  int code;

  conn->stepping = stmt;
  code = sqlite3_step(stmt);
  conn->stepping = NULL;
  return code;
}

/* The busy handler does not serve the table locks of a shared cache. They are
 * tried again at the same intervals and for as long; unlock_notify would know
 * sooner, but waits without an end and is not in every build of SQLite. All
 * these locks are taken before the first row, so nothing is read twice. */
int
sqlite__step(struct sqlite__conn *conn, sqlite3_stmt *stmt)
{
  int code = sqlite__step_on(conn, stmt);
  int tries;

  for (tries = 0; code == SQLITE_LOCKED_SHAREDCACHE; tries++) {
    if (!wait_for_lock(conn, tries))
      return code;
    sqlite3_reset(stmt);
    code = sqlite__step_on(conn, stmt);
  }
  return code;
}

int32_t
sqlite__check_row(struct sqlite__conn *conn, uint64_t row)
{
  return row % ROWS_BETWEEN_CHECKS != 0 ? TN_OK : conn->host->check(conn->call);
}

/* A name that is not found in a schema that was not read yet, for want of a
 * FROM, might be in one that has changed: SQLite says SQLITE_SCHEMA each time,
 * which reads as if another try could help. Once the schema is read, it knows.
 */
int
sqlite__compile(struct sqlite__conn *conn, const char *sql, int size,
                sqlite3_stmt **ret, const char **ret_tail)
{
  bool has_read_schema = false;
  int tries = 0;

  for (;;) {
    int code = sqlite3_prepare_v3(conn->db, sql, size,
                                  SQLITE_PREPARE_PERSISTENT, ret, ret_tail);

    if (code == SQLITE_SCHEMA && !has_read_schema) {
      has_read_schema = true;
      (void)sqlite3_table_column_metadata(conn->db, NULL, "sqlite_master", NULL,
                                          NULL, NULL, NULL, NULL, NULL);
    } else if (code != SQLITE_LOCKED_SHAREDCACHE ||
               !wait_for_lock(conn, tries++)) {
      return code;
    }
  }
}

/* Resetting or finalizing afterwards keeps SQLite's code and message. */
static int
run_to_end(struct sqlite__conn *conn, sqlite3_stmt *stmt)
{
  int code;

  do
    code = sqlite__step(conn, stmt);
  while (code == SQLITE_ROW);
  return code == SQLITE_DONE ? SQLITE_OK : code;
}

int
sqlite__exec(struct sqlite__conn *conn, const char *sql)
{
  sqlite3_stmt *stmt = NULL;
  int code = sqlite__compile(conn, sql, -1, &stmt, NULL);

  if (code == SQLITE_OK)
    code = run_to_end(conn, stmt);
  sqlite3_finalize(stmt);
  return code;
}

int
sqlite__query_text(struct sqlite__conn *conn, const char *sql, char *text,
                   size_t size)
{
  sqlite3_stmt *stmt = NULL;
  const unsigned char *found;
  int code = sqlite__compile(conn, sql, -1, &stmt, NULL);

  text[0] = '\0';
  if (code == SQLITE_OK)
    code = sqlite__step(conn, stmt);
  if (code == SQLITE_ROW) {
    found = sqlite3_column_text(stmt, 0);
    if (found != NULL)
      sqlite3_snprintf((int)size, text, "%s", found);
    code = run_to_end(conn, stmt);
  }
  sqlite3_finalize(stmt);
  return code == SQLITE_DONE ? SQLITE_OK : code;
}

static const char *const control_sql[SQLITE__CONTROL_COUNT] = {
  [SQLITE__BEGIN_DEFERRED] = "BEGIN DEFERRED",
  [SQLITE__BEGIN_IMMEDIATE] = "BEGIN IMMEDIATE",
  [SQLITE__BEGIN_EXCLUSIVE] = "BEGIN EXCLUSIVE",
  [SQLITE__COMMIT] = "COMMIT",
  [SQLITE__ROLLBACK] = "ROLLBACK",
  [SQLITE__SAVEPOINT] = "SAVEPOINT tn_statement",
  [SQLITE__UNDO] = "ROLLBACK TO tn_statement",
  [SQLITE__RELEASE] = "RELEASE tn_statement",
  [SQLITE__PING] = "PRAGMA schema_version",
};

int
sqlite__control(struct sqlite__conn *conn, enum sqlite__control which)
{
  sqlite3_stmt **stmt = &conn->control[which];
  int code = SQLITE_OK;

  if (*stmt == NULL)
    code = sqlite__compile(conn, control_sql[which], -1, stmt, NULL);
  if (code == SQLITE_OK)
    code = run_to_end(conn, *stmt);
  sqlite3_reset(*stmt);
  return code;
}
