"""An engine under load while its database's file comes to harm: test_file.py MODE.

MODE is SQLite's journal_mode. The load is load.c with eight threads, whose
every acknowledged write is checked at the end; the harm is done by this
process, with the file in its hands."""
import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

from driver import Load

MODE = sys.argv[1]
HARM_S = 0.7

# The threads of the load are in each other's way: SQLite's lock is no queue, and
# one of them may miss it for a second.
CONTENDED = {"busy", "timeout"}

# Nobody in particular, since root may do what it likes with a file.
ACCOUNT = 65534


class Harm(unittest.TestCase):

    def setUp(self):
        self.top = tempfile.mkdtemp(prefix="tn-", dir="/tmp")
        self.addCleanup(shutil.rmtree, self.top, ignore_errors=True)
        self.path = os.path.join(self.top, "load.db")

    def begin(self, path=None, account=None):
        """A load that opens the file, and never makes one."""
        self.path = path or self.path
        with sqlite3.connect(self.path) as made:
            made.execute("PRAGMA journal_mode=" + MODE)
        made.close()
        if account is not None:
            os.chmod(self.top, 0o755)
            for place in (self.top, self.path):
                os.chown(place, account, account)
        url = (f"sqlite:///file:{self.path}?uri=true&mode=rw&journal_mode={MODE}"
               "&synchronous=off&max_pool_size=4&max_overflow=0&pool_retry_time=1")
        self.load = Load(url, user=account)
        self.addCleanup(self.load.kill)
        self.load.expect_service(5)

    def end(self, allowed):
        state = self.load.end(allowed | CONTENDED)
        print(f"{self.id().split('.')[-1]}: {state}", flush=True)
        return state

    def through(self, harm, heal, allowed, must_fail=True):
        """Twice: harm, errors of the categories that are allowed, and service."""
        for _ in range(2):
            harm()
            time.sleep(HARM_S)
            heal()
            self.load.expect_service()
        errors = self.end(allowed)["errors"]
        if must_fail:
            self.assertTrue(errors)

    def another(self):
        """Another program's connection."""
        other = sqlite3.connect(self.path, isolation_level=None, timeout=5)
        self.addCleanup(other.close)
        return other

    def test_locked(self):
        self.begin()
        other = self.another()
        self.through(lambda: other.execute("BEGIN EXCLUSIVE"), lambda: other.execute("COMMIT"),
                     set(), must_fail=False)

    def test_locked_for_longer_than_anybody_waits(self):
        self.begin()
        other = self.another()
        other.execute("BEGIN EXCLUSIVE")
        time.sleep(1.5)
        self.assertTrue(self.load.state()["errors"])
        other.execute("COMMIT")
        self.load.expect_service()
        self.end(set())

    def test_moved_away_and_back(self):
        self.begin()
        away = self.path + ".away"
        self.through(lambda: os.rename(self.path, away), lambda: os.rename(away, self.path),
                     {"lost", "io", "connect", "not_found", "no_database"})

    def test_deleted(self):
        """What nobody will ever find again is not acknowledged."""
        self.begin()
        for name in ("load.db", "load.db-wal", "load.db-shm", "load.db-journal"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(self.top, name))
        time.sleep(0.1)
        before = self.load.state()["done"]
        time.sleep(HARM_S)
        state = self.load.state()
        self.assertEqual(state["done"], before)
        self.assertLessEqual(set(state["errors"]),
                             {"lost", "io", "connect", "not_found", "no_database"} | CONTENDED,
                             state)

    def test_overwritten(self):
        """Bytes that are no database, and the right ones again."""
        self.begin()
        other = self.another()
        kept = []

        def harm():
            other.execute("BEGIN EXCLUSIVE")
            with open(self.path, "r+b") as file:
                kept.append(file.read())
                file.truncate(0)
                file.seek(0)
                file.write(b"This is no database. " * 1000)
                file.flush()

        def heal():
            with open(self.path, "r+b") as file:
                file.write(kept.pop())
            other.execute("ROLLBACK")
        self.through(harm, heal, {"io"}, must_fail=False)

    def test_permission_lost(self):
        self.begin(account=ACCOUNT)

        def harm():
            os.chmod(self.path, 0)
            os.chmod(self.top, 0)

        def heal():
            os.chmod(self.top, 0o755)
            os.chmod(self.path, 0o644)
        # A journal that cannot be removed, and is found again or not.
        uncertain = {"uncertain"} if MODE == "delete" else set()
        self.through(harm, heal, {"permission", "io", "connect", "lost", "read_only"} | uncertain)

    def test_disk_full(self):
        disk = os.path.join(self.top, "disk")
        os.mkdir(disk)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", disk], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", disk], check=True)
        ballast = os.path.join(disk, "ballast")

        def harm():
            with open(ballast, "wb", buffering=0) as file:
                with contextlib.suppress(OSError):
                    while True:
                        file.write(b"x" * 4096)
        self.begin(os.path.join(disk, "load.db"))
        self.through(harm, lambda: os.unlink(ballast), {"io"})


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
