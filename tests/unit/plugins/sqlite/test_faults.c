/* Out of memory, in the plug-in and in SQLite, and disks that fail: an error
 * that says so, and a database that is as the error says. */
#include "fixture.h"

#include "oom.h"

/* ------------------------------------------------------------------ */
/* One script that goes everywhere                                      */

static int32_t
begin(struct session *s)
{
  struct tn_txn_request request = { .size = sizeof request };

  return s->txn->begin(s->handle, &request, &s->fake.call);
}

static int32_t
steps(struct session *s)
{
  static const char *const statements[] = {
    "CREATE TABLE t(id INTEGER PRIMARY KEY, d DECIMAL, j JSON, x TEXT UNIQUE)",
    "INSERT INTO t(x) VALUES ('a')",
    "INSERT INTO t(x) VALUES ('a') ON CONFLICT(x) DO UPDATE SET x='b'",
    "SELECT *, x||'!', 'x' REGEXP '^(x|y)+$' FROM t",
    "PRAGMA foreign_keys=on",
    "PRAGMA busy_timeout=100",
    "CREATE TEMP TABLE tt(a)",
    "ATTACH ':memory:' AS other",
    "UPDATE t SET x=x RETURNING id, x",
  };
  tn_value values[2];
  int32_t rc = TN_OK;
  size_t i;

  for (i = 0; rc == TN_OK && i < COUNT(statements); i++)
    rc = run(s, statements[i]);
  values[0] = tn_decimal("1234567890.12345678901");
  values[1] = tn_text("some text for a parameter");
  if (rc == TN_OK) {
    rc = run_values(s, "UPDATE t SET d=?, x=?", values, 2, NULL, NULL);
    if (rc == TN_E_DATA)
      rc = TN_OK; /* refused, as it should be */
  }
  if (rc == TN_OK)
    rc = run_values(s, "SELECT * FROM t WHERE d=? OR x=?", values, 2, NULL,
                    NULL);
  if (rc == TN_OK)
    rc = begin(s);
  if (rc == TN_OK)
    rc = s->txn->savepoint(s->handle, "sp", &s->fake.call);
  if (rc == TN_OK)
    rc = run(s, "INSERT INTO t(x) VALUES ('sp')");
  if (rc == TN_OK)
    rc = s->txn->rollback_savepoint(s->handle, "sp", &s->fake.call);
  if (rc == TN_OK)
    rc = s->txn->commit(s->handle, &s->fake.call);
  if (rc == TN_OK)
    rc = run(s, "INSERT INTO t(x) VALUES ('b')");
  if (rc == TN_E_DUPLICATE)
    rc = TN_OK;
  if (rc == TN_OK)
    rc = s->session->reset(s->handle, &s->fake.call);
  if (rc == TN_OK)
    rc = s->connection->ping(s->handle, &s->fake.call);
  return rc;
}

static int32_t
script(void)
{
  struct session s;
  int32_t rc;

  session_init(&s);
  rc = session_try(&s, ":memory:", "synchronous=off journal_mode=memory");
  if (rc == TN_OK)
    rc = steps(&s);
  session_close(&s);
  return rc;
}

static void
walk_host(bool and_all_after)
{
  int32_t rc = TN_E_MEMORY;
  long nth, live;

  cr_assert_eq(script(), TN_OK);
  live = oom_live();
  for (nth = 1; nth < 10000; nth++) {
    oom_fail_nth(nth, and_all_after);
    rc = script();
    cr_assert_eq(oom_live(), live, "allocation %ld", nth);
    if (oom_count() < nth)
      break;
    cr_assert_eq(rc, TN_E_MEMORY, "allocation %ld: %s", nth, tn_code_name(rc));
  }
  cr_expect_eq(rc, TN_OK);
  cr_expect_gt(nth, 10);
  oom_reset();
}

Test(faults, each_allocation_of_the_plug_in_may_fail)
{
  walk_host(false);
}

Test(faults, all_allocations_of_the_plug_in_may_fail_from_some_on)
{
  walk_host(true);
}

/* ------------------------------------------------------------------ */
/* SQLite's own memory                                                  */

static sqlite3_mem_methods real;
static long fail_at, seen, live_blocks;
static bool fail_after;

static bool
is_failing(void)
{
  seen++;
  return fail_at != 0 && (seen == fail_at || (fail_after && seen > fail_at));
}

static void *
failing_malloc(int size)
{
  void *memory = is_failing() ? NULL : real.xMalloc(size);

  live_blocks += memory != NULL;
  return memory;
}

static void *
failing_realloc(void *memory, int size)
{
  return is_failing() ? NULL : real.xRealloc(memory, size);
}

static void
counted_free(void *memory)
{
  live_blocks--;
  real.xFree(memory);
}

static void
install_failing_malloc(void)
{
  sqlite3_mem_methods methods;

  cr_assert_eq(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real), SQLITE_OK);
  methods = real;
  methods.xMalloc = failing_malloc;
  methods.xRealloc = failing_realloc;
  methods.xFree = counted_free;
  cr_assert_eq(sqlite3_config(SQLITE_CONFIG_MALLOC, &methods), SQLITE_OK);
}

static void
walk_sqlite(bool and_all_after)
{
  int32_t rc = TN_E_MEMORY;
  long live;

  install_failing_malloc();
  cr_assert_eq(script(), TN_OK);
  live = live_blocks;
  fail_after = and_all_after;
  for (fail_at = 1; fail_at < 100000; fail_at++) {
    seen = 0;
    rc = script();
    cr_assert_eq(live_blocks, live, "allocation %ld", fail_at);
    if (seen < fail_at)
      break;
    /* SQLite gets by without some of them */
    cr_assert(rc == TN_E_MEMORY || rc == TN_OK, "allocation %ld: %s", fail_at,
              tn_code_name(rc));
  }
  cr_expect_eq(rc, TN_OK);
  cr_expect_gt(fail_at, 100);
  fail_at = 0;
}

Test(faults, each_allocation_of_sqlite_may_fail)
{
  walk_sqlite(false);
}

Test(faults, all_allocations_of_sqlite_may_fail_from_some_on)
{
  walk_sqlite(true);
}

Test(faults, rows_that_cannot_be_kept_take_their_changes_with_them)
{
  static const char sql[] =
      "INSERT INTO t SELECT value FROM json_each('[1,2,3,4,5,6,7,8,9]') "
      "RETURNING a, 'some text beside it'";
  struct session s;
  int in_txn;
  long nth;

  for (in_txn = 0; in_txn < 2; in_txn++)
    for (nth = 1;; nth++) {
      int32_t rc;

      session_open(&s, NULL, "");
      must(&s, "CREATE TABLE t(a)");
      if (in_txn)
        must(&s, "BEGIN");
      must(&s, "INSERT INTO t VALUES ('before')");
      oom_fail_nth(nth, false);
      rc = run(&s, sql);
      oom_fail_nth(0, false);
      cr_expect_eq(number_of(&s, "SELECT count(*) FROM t"),
                   rc == TN_OK ? 10 : 1, "allocation %ld", nth);
      cr_expect_eq(s.txn->state(s.handle), in_txn ? TN_TXN_OPEN : TN_TXN_NONE);
      session_close(&s);
      if (rc == TN_OK)
        break;
      cr_expect_eq(rc, TN_E_MEMORY);
    }
  oom_reset();
}

/* ------------------------------------------------------------------ */
/* A disk that fails at its nth operation                               */

static sqlite3_vfs *real_vfs;
static long io_fail_at, io_seen;
static bool io_full; /* fail as a full disk does */

struct file {
  sqlite3_file base;
  sqlite3_file *inner;
};

static sqlite3_file *
inner(sqlite3_file *file)
{
  return ((struct file *)(void *)file)->inner;
}

/* Once it has failed it fails for good, as a disk does that was pulled out. */
static bool
io_fails(void)
{
  io_seen++;
  return io_fail_at != 0 && io_seen >= io_fail_at;
}

static int
file_close(sqlite3_file *file)
{
  int code = inner(file)->pMethods->xClose(inner(file));

  sqlite3_free(inner(file));
  return code;
}

static int
file_read(sqlite3_file *file, void *data, int size, sqlite3_int64 at)
{
  return inner(file)->pMethods->xRead(inner(file), data, size, at);
}

static int
file_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 at)
{
  if (io_fails())
    return io_full ? SQLITE_FULL : SQLITE_IOERR_WRITE;
  return inner(file)->pMethods->xWrite(inner(file), data, size, at);
}

static int
file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
  if (io_fails())
    return SQLITE_IOERR_TRUNCATE;
  return inner(file)->pMethods->xTruncate(inner(file), size);
}

static int
file_sync(sqlite3_file *file, int flags)
{
  if (io_fails())
    return SQLITE_IOERR_FSYNC;
  return inner(file)->pMethods->xSync(inner(file), flags);
}

static int
file_size(sqlite3_file *file, sqlite3_int64 *size)
{
  return inner(file)->pMethods->xFileSize(inner(file), size);
}

static int
file_lock(sqlite3_file *file, int level)
{
  return inner(file)->pMethods->xLock(inner(file), level);
}

static int
file_unlock(sqlite3_file *file, int level)
{
  return inner(file)->pMethods->xUnlock(inner(file), level);
}

static int
file_check(sqlite3_file *file, int *result)
{
  return inner(file)->pMethods->xCheckReservedLock(inner(file), result);
}

static int
file_control(sqlite3_file *file, int op, void *data)
{
  return inner(file)->pMethods->xFileControl(inner(file), op, data);
}

static int
file_sector(sqlite3_file *file)
{
  return inner(file)->pMethods->xSectorSize(inner(file));
}

static int
file_characteristics(sqlite3_file *file)
{
  return inner(file)->pMethods->xDeviceCharacteristics(inner(file));
}

/* The index of a write-ahead log is in memory: nothing of it can fail here. */
static int
file_shm_map(sqlite3_file *file, int page, int size, int extend,
             void volatile **ret)
{
  return inner(file)->pMethods->xShmMap(inner(file), page, size, extend, ret);
}

static int
file_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
  return inner(file)->pMethods->xShmLock(inner(file), offset, count, flags);
}

static void
file_shm_barrier(sqlite3_file *file)
{
  inner(file)->pMethods->xShmBarrier(inner(file));
}

static int
file_shm_unmap(sqlite3_file *file, int with_file)
{
  return inner(file)->pMethods->xShmUnmap(inner(file), with_file);
}

static const sqlite3_io_methods file_methods = {
  2,
  file_close,
  file_read,
  file_write,
  file_truncate,
  file_sync,
  file_size,
  file_lock,
  file_unlock,
  file_check,
  file_control,
  file_sector,
  file_characteristics,
  file_shm_map,
  file_shm_lock,
  file_shm_barrier,
  file_shm_unmap,
  NULL,
  NULL,
};

static int
vfs_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
         int *ret_flags)
{
  struct file *outer = (struct file *)(void *)file;
  int code;

  (void)vfs;
  outer->base.pMethods = NULL;
  outer->inner = sqlite3_malloc(real_vfs->szOsFile);
  memset(outer->inner, 0, (size_t)real_vfs->szOsFile);
  code = real_vfs->xOpen(real_vfs, name, outer->inner, flags, ret_flags);
  if (code == SQLITE_OK)
    outer->base.pMethods = &file_methods;
  else
    sqlite3_free(outer->inner);
  return code;
}

static int
vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
  (void)vfs;
  if (io_fails())
    return SQLITE_IOERR_DELETE;
  return real_vfs->xDelete(real_vfs, name, sync);
}

static void
install_failing_vfs(void)
{
  static sqlite3_vfs vfs;

  real_vfs = sqlite3_vfs_find(NULL);
  vfs = *real_vfs;
  vfs.zName = "failing";
  vfs.szOsFile = sizeof(struct file);
  vfs.xOpen = vfs_open;
  vfs.xDelete = vfs_delete;
  cr_assert_eq(sqlite3_vfs_register(&vfs, 0), SQLITE_OK);
}

struct disk_walk {
  bool in_txn;
  bool is_full;        /* writes fail as on a full disk */
  bool until_closed;   /* the disk stays away while the session is closed */
  const char *journal; /* "journal_mode=..." */
};

/* A table without rows, of a session on the disk that fails. */
static void
open_on_disk(struct session *s, const char *path, const char *journal)
{
  char options[80];

  io_fail_at = 0;
  snprintf(options, sizeof options, "vfs=failing %s", journal);
  session_open(s, path, options);
  run(s, "DROP TABLE t");
  must(s, "CREATE TABLE t(a)");
  /* After each commit the log is copied to the database, or it is not. */
  must(s, "PRAGMA wal_autocheckpoint=1");
}

static int32_t
insert_on_disk(struct session *s, bool in_txn)
{
  int32_t rc = in_txn ? begin(s) : TN_OK;

  if (rc == TN_OK)
    rc = run(s, "INSERT INTO t VALUES (zeroblob(9000))");
  if (rc == TN_OK && in_txn)
    rc = s->txn->commit(s->handle, &s->fake.call);
  return rc;
}

static void
check_failure(struct session *s, const struct disk_walk *walk, int32_t rc,
              long nth)
{
  if (walk->in_txn)
    cr_expect_neq(s->txn->state(s->handle), TN_TXN_NONE, "operation %ld", nth);
  cr_expect(rc == TN_E_UNCERTAIN ? s->fake.err.replay == TN_REPLAY_UNKNOWN
                                 : rc == TN_E_IO,
            "%s, operation %ld: %s", walk->journal, nth, s->fake.err.message);
  if (rc == TN_E_IO && (s->fake.err.native & 0xff) == SQLITE_IOERR)
    cr_expect_eq(s->fake.err.connection, TN_CONNECTION_DEAD);
}

/* Insert a row with the disk failing at its nth operation, and look with a
 * sound disk at what became of it. */
static void
walk_disk(const struct disk_walk *walk)
{
  struct folder folder = folder_new();
  char path[256], text[80];
  bool is_done = false;
  long nth;

  path_in(&folder, "x.db", path);
  for (nth = 1; !is_done; nth++) {
    struct session s;
    int64_t rows;
    int32_t rc;

    open_on_disk(&s, path, walk->journal);
    io_full = walk->is_full;
    io_seen = 0;
    io_fail_at = nth;
    rc = insert_on_disk(&s, walk->in_txn);
    is_done = io_seen < nth;
    if (rc != TN_OK)
      check_failure(&s, walk, rc, nth);
    if (!walk->until_closed)
      io_fail_at = 0;
    session_close(&s);
    io_fail_at = 0;

    session_open(&s, path, "");
    rows = number_of(&s, "SELECT count(*) FROM t");
    cr_expect(rc == TN_OK ? rows == 1 : rc == TN_E_UNCERTAIN || rows == 0,
              "%s, operation %ld: %s, %lld rows", walk->journal, nth,
              tn_code_name(rc), (long long)rows);
    cr_expect_str_eq(text_of(&s, "PRAGMA integrity_check", text, sizeof text),
                     "ok", "%s, operation %ld", walk->journal, nth);
    session_close(&s);
  }
  cr_expect_gt(nth, 5);
  folder_free(&folder);
}

static void
walk_disks(const char *journal)
{
  int i;

  install_failing_vfs();
  for (i = 0; i < 8; i++)
    walk_disk(&(struct disk_walk){ .in_txn = (i & 1) != 0,
                                   .is_full = (i & 2) != 0,
                                   .until_closed = (i & 4) != 0,
                                   .journal = journal });
}

Test(faults, a_failing_disk_never_makes_a_commit_a_lie)
{
  walk_disks("journal_mode=delete");
}

Test(faults, nor_does_it_with_a_write_ahead_log)
{
  walk_disks("journal_mode=wal");
}
