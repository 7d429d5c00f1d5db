"""An engine under load while its server comes to harm: test_engine.py NAME KILLS.

A server of the test's own, a load (load.c) of eight threads, and the harm of
each case. What must hold at all times the load checks itself."""
import glob
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

from driver import AWAY, SERVICE_S, Load, Pipe, servers, wait_until

PROXY = os.environ["TENON_FAULT_PROXY"]
NAME, KILLS = sys.argv[1], int(sys.argv[2])
PATIENCE_S = 10

SQL = {
    "postgresql": {
        "end": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'tenon'",
        "sessions": "COPY (SELECT count(*) FROM pg_stat_activity WHERE usename = 'tenon') "
                    "TO STDOUT",
        "read_only": ["ALTER DATABASE tenon SET default_transaction_read_only = on"],
        "writable": ["ALTER DATABASE tenon SET default_transaction_read_only = off"],
        "few": ["ALTER ROLE tenon CONNECTION LIMIT 3"],
        "many": ["ALTER ROLE tenon CONNECTION LIMIT -1"],
    },
    "mysql": {
        "sessions": "SELECT count(*) FROM information_schema.processlist WHERE user = 'tenon'",
        "read_only": ["SET GLOBAL read_only = 1"],
        "writable": ["SET GLOBAL read_only = 0"],
        "few": ["ALTER USER tenon WITH MAX_USER_CONNECTIONS 3"],
        "many": ["ALTER USER tenon WITH MAX_USER_CONNECTIONS 0"],
    },
}[NAME]


class Harm(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.top = tempfile.mkdtemp(prefix="tn-", dir="/tmp")
        os.chmod(cls.top, 0o755)
        cls.addClassCleanup(shutil.rmtree, cls.top, ignore_errors=True)
        cls.addClassCleanup(cls.servers, "destroy")
        cls.servers("start", "--durable")

    @classmethod
    def servers(cls, verb, *options, text=""):
        return servers(verb, NAME, cls.top, *options, text=text)

    def sql(self, *lines):
        return self.servers("sql", text="\n".join(lines))

    def setUp(self):
        self.url = self.servers("url") + "?max_pool_size=8&max_overflow=0&pool_retry_time=1&query_timeout=1"

    def begin(self, url=None, **how):
        self.load = Load(url or self.url, **how)
        self.addCleanup(self.load.kill)
        self.load.expect_service(5)

    def begin_patiently(self, **how):
        """With limits that nobody comes to while the machine does something else."""
        self.begin(self.url.replace("query_timeout=1", "query_timeout=10"), limit_ms=10000, **how)

    def end(self, allowed):
        state = self.load.end(allowed)
        print(f"{self.id().split('.')[-1]}: {state}", flush=True)
        return state

    # ---- the server ----

    def test_killed(self):
        self.begin()
        for _ in range(KILLS):
            self.servers("kill")
            self.servers("restart")
            self.load.expect_service()
        self.assertTrue(self.end(AWAY)["errors"])

    def test_restarted(self):
        self.begin()
        self.servers("stop")
        time.sleep(0.5)
        self.servers("restart")
        self.load.expect_service()
        self.end(AWAY)

    def end_sessions(self):
        if "end" in SQL:
            self.sql(SQL["end"])
            return
        ids = self.sql("SELECT id FROM information_schema.processlist WHERE user = 'tenon'")
        for number in filter(str.isdigit, ids.splitlines()):
            try:
                self.sql(f"KILL {number}")
            except AssertionError as gone:
                self.assertIn("Unknown thread id", str(gone))

    def test_sessions_ended(self):
        """One error at most for each loan; what is idle is replaced unseen."""
        self.begin_patiently()
        for _ in range(3):
            self.end_sessions()
            self.load.expect_service()
        self.assertLessEqual(sum(self.end(AWAY)["errors"].values()), 3 * 8)

    def test_read_only(self):
        self.begin()
        self.sql(*SQL["read_only"])
        if NAME == "postgresql":  # what is open stays as it is
            self.end_sessions()
        wait_until(lambda: "read_only" in self.load.state()["errors"], PATIENCE_S, "read-only")
        self.sql(*SQL["writable"])
        if NAME == "postgresql":
            self.end_sessions()
        self.load.expect_service()
        self.end(AWAY | {"read_only"})

    def test_few_connections(self):
        """There are fewer than the pool may have: the rest wait, and go on."""
        self.sql(*SQL["few"])
        self.addCleanup(self.sql, *SQL["many"])
        self.begin()
        time.sleep(0.5)
        self.load.expect_service()
        self.assertLessEqual(self.load.sessions(), 3)
        self.sql(*SQL["many"])
        wait_until(lambda: self.load.sessions() > 3, PATIENCE_S, "more than there were")
        self.end({"limit", "timeout"})

    if NAME == "mysql":
        def test_no_statement_is_kept(self):
            """By the server: what administers it is sent as text."""
            self.sql("SET GLOBAL max_prepared_stmt_count = 0")
            self.addCleanup(self.sql, "SET GLOBAL max_prepared_stmt_count = 16382")
            query = [os.environ["TENON"], "-f", "json", "query", self.servers("url")]
            done = subprocess.run([*query, "SHOW VARIABLES LIKE 'max_prepared_stmt_count'"],
                                  check=True, capture_output=True)
            self.assertEqual("0", json.loads(done.stdout)["rows"][0][1])
            subprocess.run([*query, "SET @a = 1"], check=True, capture_output=True)
            done = subprocess.run([*query, "SELECT ?", "x"], check=False, capture_output=True)
            error = json.loads(done.stderr)["error"]
            self.assertEqual(["limit", 1461, "usable", "safe"],
                             [error[key] for key in ("category", "native", "connection", "replay")])

    def test_few_descriptors(self):
        """There are too few for all connections: the rest wait, and go on."""
        self.begin()
        pid = self.load.process.pid
        _, most = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        few = len(os.listdir(f"/proc/{pid}/fd")) - 3
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (few, most))
        self.end_sessions()
        self.load.expect_service()
        time.sleep(0.5)
        self.assertLess(self.load.sessions(), 8)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (most, most))
        wait_until(lambda: self.load.sessions() == 8, PATIENCE_S, "all connections")
        self.end(AWAY)

    # ---- the network ----

    def through_proxy(self):
        address = self.url.split("@")[1].split("/")[0]
        proxy = Pipe(PROXY, address)
        self.addCleanup(proxy.close)
        self.begin(self.url.replace(address, f"127.0.0.1:{proxy.first}"))
        return proxy

    def spoil(self, rule, seconds):
        """Who was caught has its deadline first, of up to a second."""
        proxy = self.through_proxy()
        for _ in range(2):
            self.assertEqual(proxy.ask(rule), "ok")
            time.sleep(seconds)
            self.assertEqual(proxy.ask("pass"), "ok")
            self.load.expect_service(1 + SERVICE_S)
        return self.end(AWAY)

    def test_black_hole(self):
        self.assertTrue(self.spoil("hole 0 both", 2.5)["errors"])

    def test_reset(self):
        self.assertTrue(self.spoil("reset 1000 both", 0.5)["errors"])

    def test_half_closed(self):
        self.assertTrue(self.spoil("half 1000 down", 0.5)["errors"])

    def test_refused(self):
        self.spoil("refuse", 0.5)

    # ---- the clock ----

    def test_clock_jumps(self):
        """The time of day, by an hour ahead and back: nobody waits by it."""
        offset = os.path.join(self.top, "clock")

        def jump(seconds):
            with open(offset + ".new", "w", encoding="ascii") as file:
                file.write(f"{seconds:+d}\n")
            os.replace(offset + ".new", offset)
        jump(0)
        faker, = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
        self.begin_patiently(env={
            **os.environ, "LD_PRELOAD": faker, "FAKETIME_NO_CACHE": "1",
            "FAKETIME_TIMESTAMP_FILE": offset, "FAKETIME_DONT_FAKE_MONOTONIC": "1"})
        for seconds in (3600, -3600, 0, -7200, 0):
            jump(seconds)
            time.sleep(0.2)
            self.load.expect_service()
            self.assertAlmostEqual(self.load.state()["time"], time.time() + seconds, delta=60)
        self.assertLessEqual(self.end(set())["connects"], 8)

    def test_no_session_is_left_behind(self):
        """A load that has ended has closed all that it has opened."""
        self.begin_patiently()
        self.end(set())
        wait_until(lambda: int(self.sql(SQL["sessions"]).splitlines()[-1]) == 0, 5,
                   "no session is there")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
