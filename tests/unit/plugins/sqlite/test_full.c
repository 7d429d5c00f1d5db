/* A disk that is really full: a small file system in memory, filled until
 * nothing goes in. It is an error of the disk's; what was committed is there,
 * what was not is not, and the file is sound. */
#include "fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#define ROUNDS   100
#define BALLAST  131072 /* bytes, for the log's index and the look after */
#define ROWS_MAX 10000
#define ROWS_TXN 7 /* of a transaction that is committed */

static struct folder disk;

/* Seen by this process alone, and gone with it; in a chroot, whose root is no
 * mount that could be made private, until it is unmounted. */
static void
mount_disk(void)
{
  disk = folder_new();
  cr_assert_eq(geteuid(), 0, "only root can mount a file system");
  cr_assert_eq(unshare(CLONE_NEWNS), 0);
  cr_assert(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 ||
            errno == EINVAL);
  cr_assert_eq(mount("none", disk.path, "tmpfs", 0, "size=1m"), 0);
}

static void
unmount_disk(void)
{
  cr_expect_eq(umount2(disk.path, MNT_DETACH), 0);
  cr_expect_eq(rmdir(disk.path), 0);
}

TestSuite(full, .init = mount_disk, .fini = unmount_disk);

static void
put_ballast(const char *path)
{
  static const char bytes[BALLAST];
  int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

  cr_assert_geq(fd, 0);
  cr_assert_eq(write(fd, bytes, sizeof bytes), (ssize_t)sizeof bytes);
  close(fd);
}

/* What a round does, by its number. */
struct round {
  int number;
  bool has_log;
  bool in_txn;
  int64_t acknowledged; /* rows that were committed */
};

static void
describe(struct round *round, int number)
{
  memset(round, 0, sizeof *round);
  round->number = number;
  round->has_log = number % 2 != 0;
  round->in_txn = number / 2 % 2 != 0;
}

/* Rows of another size in each round, so that another operation fails. */
static int32_t
insert(struct session *s, const struct round *round)
{
  tn_value size = tn_int64(300 + 97 * (int64_t)round->number);

  return run_values(s, "INSERT INTO t(a) VALUES (randomblob(?))", &size, 1,
                    NULL, NULL);
}

/* Commit rows by sevens until there is no room. */
static int32_t
fill_in_txns(struct session *s, struct round *round)
{
  struct tn_txn_request request = { .size = sizeof request };
  int32_t rc = TN_OK;
  int i;

  while (rc == TN_OK) {
    cr_assert_lt(round->acknowledged, ROWS_MAX);
    rc = s->txn->begin(s->handle, &request, &s->fake.call);
    for (i = 0; rc == TN_OK && i < ROWS_TXN; i++)
      rc = insert(s, round);
    if (rc == TN_OK)
      rc = s->txn->commit(s->handle, &s->fake.call);
    if (rc == TN_OK)
      round->acknowledged += ROWS_TXN;
  }
  return rc;
}

static int32_t
fill(struct session *s, struct round *round)
{
  int32_t rc;

  if (round->in_txn)
    return fill_in_txns(s, round);
  while ((rc = insert(s, round)) == TN_OK) {
    round->acknowledged++;
    cr_assert_lt(round->acknowledged, ROWS_MAX);
  }
  return rc;
}

/* The error says what it is, and nothing is left of what it stopped. */
static void
expect_full(struct session *s, const struct round *round, int32_t rc)
{
  const tn_err *err = &s->fake.err;
  uint32_t state = s->txn->state(s->handle);

  cr_expect_eq(rc, TN_E_IO, "round %d: %s", round->number, err->message);
  cr_expect_eq(err->native & 0xff, SQLITE_FULL, "round %d: %d, %s",
               round->number, err->native, err->message);
  cr_expect_eq(err->replay, TN_REPLAY_NEVER, "round %d", round->number);
  cr_expect(strstr(err->message, "full") != NULL, "round %d: %s", round->number,
            err->message);
  if (!round->in_txn) {
    cr_expect_eq(state, TN_TXN_NONE, "round %d", round->number);
    cr_expect_eq(err->connection, TN_CONNECTION_USABLE);
    return;
  }
  cr_expect_eq(state, TN_TXN_ABORTED, "round %d: state %u, \"%s\"",
               round->number, state, err->message);
  cr_expect_eq(err->connection, TN_CONNECTION_ABORTED, "round %d",
               round->number);
  cr_expect_eq(insert(s, round), TN_E_STATE, "round %d", round->number);
  cr_expect_eq(s->txn->rollback(s->handle, &s->fake.call), TN_OK);
  cr_expect_eq(s->txn->state(s->handle), TN_TXN_NONE);
}

static void
expect_sound(struct session *s, const struct round *round)
{
  char text[80];

  cr_expect_eq(number_of(s, "SELECT count(*) FROM t"), round->acknowledged,
               "round %d", round->number);
  cr_expect_str_eq(text_of(s, "PRAGMA integrity_check", text, sizeof text),
                   "ok", "round %d", round->number);
}

/* With a log that did not fit into the database, which SQLite leaves. */
static void
remove_database(void)
{
  static const char *const names[] = { "x.db", "x.db-wal", "x.db-shm" };
  char path[256];
  size_t i;

  for (i = 0; i < COUNT(names); i++)
    cr_expect(unlink(path_in(&disk, names[i], path)) == 0 || i > 0, "%s",
              names[i]);
}

static void
play(int number)
{
  char path[256], ballast[256];
  struct round round;
  struct session s;

  describe(&round, number);
  path_in(&disk, "x.db", path);
  put_ballast(path_in(&disk, "ballast", ballast));
  session_open(&s, path,
               round.has_log ? "journal_mode=wal" : "journal_mode=delete");
  must(&s, "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b DEFAULT 'b')");
  must(&s, "CREATE INDEX i ON t(a)");
  must(&s, "PRAGMA cache_size=8"); /* pages, so that it writes early */
  expect_full(&s, &round, fill(&s, &round));
  cr_expect_gt(round.acknowledged, 0, "round %d", number);

  /* The same session goes on, on the full disk and with room again. */
  expect_sound(&s, &round);
  cr_expect_eq(unlink(ballast), 0);
  cr_expect_eq(insert(&s, &round), TN_OK, "round %d: %s", number,
               s.fake.err.message);
  round.acknowledged++;
  session_close(&s);

  session_open(&s, path, "");
  expect_sound(&s, &round);
  session_close(&s);
  remove_database();
}

Test(full, a_full_disk_is_told_and_what_was_committed_is_kept)
{
  int i;

  for (i = 0; i < ROUNDS; i++)
    play(i);
}
