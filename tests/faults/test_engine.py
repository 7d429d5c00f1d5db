"""An engine under load while its server comes to harm: test_engine.py NAME KILLS.

A server of the test's own, a load (load.c) of eight threads, and the harm of
each case. What must hold at all times the load checks itself."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

SERVERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "servers")
LOAD, PROXY = os.environ["TENON_FAULTS_LOAD"], os.environ["TENON_FAULT_PROXY"]
NAME, KILLS = sys.argv[1], int(sys.argv[2])
SERVICE_S = 2  # from when the server accepts until all threads are served

# What the load may meet while the server is away, or throws sessions out.
AWAY = {"connect", "lost", "timeout", "uncertain", "canceled", "limit"}

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


class Pipe:
    """A program that answers lines with lines."""

    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, bufsize=1)
        self.first = self.process.stdout.readline().strip()

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        answer = self.process.stdout.readline().strip()
        if answer.startswith("not ok"):
            raise AssertionError(answer)
        return answer

    def close(self):
        """Its last lines and status."""
        rest, _ = self.process.communicate(timeout=100)
        return rest, self.process.returncode


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
        done = subprocess.run([SERVERS, verb, NAME, cls.top, *options], input=text, text=True,
                              capture_output=True, check=False)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        return done.stdout.strip()

    def sql(self, *lines):
        return self.servers("sql", text="\n".join(lines))

    def setUp(self):
        self.load = None
        self.url = self.servers("url") + "?max_pool_size=8&max_overflow=0&pool_retry_time=1&query_timeout=1"
        self.addCleanup(self.stop_load)

    def stop_load(self):
        if self.load is not None:
            self.load.process.kill()
            self.load.process.communicate()

    def begin(self, url=None, threads="8"):
        self.load = Pipe(LOAD, url or self.url, threads)
        self.assertEqual(self.load.first, "ready")
        self.expect_service(5)

    def state(self):
        return json.loads(self.load.ask("state"))

    def expect_service(self, seconds=SERVICE_S):
        answer = self.load.ask("service").split()
        self.assertEqual(answer[0], "ok", self.state())
        self.assertLessEqual(int(answer[1]), seconds * 1000)

    def end(self, allowed):
        """End the load: nothing was wrong, and no other error was met."""
        self.load.process.stdin.write("end\n")
        rest, status = self.load.close()
        self.load = None
        self.assertEqual(status, 0, rest)
        state = json.loads(rest.splitlines()[-2])
        self.assertLessEqual(set(state["errors"]), allowed, rest)
        self.assertGreaterEqual(state["done"], 8, rest)
        print(f"{self.id().split('.')[-1]}: {state}", flush=True)
        return state

    # ---- the server ----

    def test_killed(self):
        self.begin()
        for _ in range(KILLS):
            self.servers("kill")
            self.servers("restart")
            self.expect_service()
        self.assertTrue(self.end(AWAY)["errors"])

    def test_restarted(self):
        self.begin()
        self.servers("stop")
        time.sleep(0.5)
        self.servers("restart")
        self.expect_service()
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
        self.begin()
        for _ in range(3):
            self.end_sessions()
            self.expect_service()
        self.assertLessEqual(sum(self.end(AWAY)["errors"].values()), 3 * 8)

    def test_read_only(self):
        self.begin()
        self.sql(*SQL["read_only"])
        if NAME == "postgresql":  # what is open stays as it is
            self.end_sessions()
        time.sleep(0.5)
        self.assertIn("read_only", self.state()["errors"])
        self.sql(*SQL["writable"])
        if NAME == "postgresql":
            self.end_sessions()
        self.expect_service()
        self.end(AWAY | {"read_only"})

    def test_few_connections(self):
        """There are fewer than the pool may have: the rest wait, and go on."""
        self.sql(*SQL["few"])
        self.addCleanup(self.sql, *SQL["many"])
        self.begin()
        time.sleep(0.5)
        self.expect_service()
        self.assertLessEqual(self.state()["idle"] + self.state()["lent"], 3)
        self.sql(*SQL["many"])
        time.sleep(1.5)
        state = self.state()
        self.assertGreater(state["idle"] + state["lent"], 3)
        self.end({"limit", "timeout"})

    # ---- the network ----

    def through_proxy(self):
        address = self.url.split("@")[1].split("/")[0]
        proxy = Pipe(PROXY, address)
        self.addCleanup(proxy.close)
        self.begin(self.url.replace(address, f"127.0.0.1:{proxy.first}"))
        return proxy

    def spoil(self, rule, seconds):
        proxy = self.through_proxy()
        for _ in range(2):
            self.assertEqual(proxy.ask(rule), "ok")
            time.sleep(seconds)
            self.assertEqual(proxy.ask("pass"), "ok")
            self.expect_service()
        return self.end(AWAY)

    def test_black_hole(self):
        self.assertTrue(self.spoil("hole 0 both", 2.5)["errors"])

    def test_reset(self):
        self.assertTrue(self.spoil("reset 1000 both", 0.5)["errors"])

    def test_half_closed(self):
        self.assertTrue(self.spoil("half 1000 down", 0.5)["errors"])

    def test_refused(self):
        self.spoil("refuse", 0.5)

    def test_no_session_is_left_behind(self):
        """A load that has ended has closed all that it has opened."""
        self.begin()
        self.end(set())
        end = time.monotonic() + 5
        while int(self.sql(SQL["sessions"]).splitlines()[-1]) > 0:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]], verbosity=2)
