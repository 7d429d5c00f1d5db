"""A password that would be noticed: it is in no output, no process list, and
no oftener in the memory of the tool than in that of a program which knows the
client library alone."""

import os
import subprocess
import time
import unittest
from urllib.parse import urlsplit

from support import PATIENCE_S, TENON, TenonTest, environment

CANARY = "Wq8zLm3xTp6vRk9nYb2cHd5j"
MAKE = {
    "postgresql": (f"CREATE ROLE canary LOGIN PASSWORD '{CANARY}'", "DROP ROLE canary",
                   "SELECT {}, pg_sleep(20)"),
    "mysql": (f"CREATE USER canary@'%' IDENTIFIED BY '{CANARY}'; "
              "GRANT ALL ON tenon.* TO canary@'%'", "DROP USER canary@'%'",
              "SELECT {}, SLEEP(20)"),
}


def read_process(pid, name):
    with open(f"/proc/{pid}/{name}", "rb") as file:
        return file.read()


def used_ranges(pid):
    """Start and end of what can be read and has been touched."""
    bounds = readable = None
    with open(f"/proc/{pid}/smaps", encoding="ascii") as maps:
        for line in maps:
            words = line.split()
            if not words[0].endswith(":"):
                bounds = tuple(int(number, 16) for number in words[0].split("-"))
                readable = "r" in words[1] and not line.rstrip().endswith(("[vvar]", "[vsyscall]"))
            elif words[0] == "Rss:" and int(words[1]) > 0 and readable:
                yield bounds


def count_in_memory(pid):
    """How often the canary is in what a core file would have."""
    count = 0
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for start, end in used_ranges(pid):
            # A sanitizer's shadow is terabytes of holes, and has no bytes of ours.
            if end - start < 1 << 32:
                memory.seek(start)
                count += memory.read(end - start).count(CANARY.encode())
    return count


class Canary(TenonTest):
    number = 0  # of statements

    def setUp(self):
        super().setUp()
        self.secret = self.write("secret", CANARY + "\n")
        self.urls = {}
        for name, (make, drop, _slow) in MAKE.items():
            admin = os.environ[f"TENON_TEST_{name.upper()}_ADMIN"]
            self.run_tool("query", admin, drop)
            self.succeed("query", admin, "-", stdin=make)
            self.addCleanup(self.run_tool, "query", admin, drop)
            self.urls[name] = urlsplit(os.environ[f"TENON_TEST_{name.upper()}"])

    def target(self, name, password="", port=None, more=""):
        place = f"127.0.0.1:{port or self.urls[name].port}"
        return f"{name}://canary{password and ':' + password}@{place}/tenon{more}"

    def ways(self, url_of):
        """Each way in which a password can come: arguments and environment."""
        whole = url_of(CANARY)
        yield [whole], {}
        yield ["env:URL"], {"URL": whole}
        yield ["file:" + self.write("url", whole + "\n")], {}
        yield ["--password", "file:" + self.secret, url_of("")], {}
        yield ["--password", "env:SECRET", url_of("")], {"SECRET": CANARY}

    def run_watched(self, arguments, env):
        """Everything the tool says, and its process list once it runs."""
        with subprocess.Popen([TENON, *arguments], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=environment(env), cwd=self.folder) as process:
            out, _ = process.communicate(timeout=PATIENCE_S * 3)
        return process.returncode, out.decode()

    def test_no_output_has_it(self):
        for name in MAKE:
            cases = (
                (lambda word, name=name: self.target(name, word), "SELECT 1", True),
                (lambda word, name=name: self.target(name, word), "SELEKT 1", False),
                (lambda word, name=name: self.target(name, word, port=1), "SELECT 1", False),
                (lambda word, name=name: self.target(name, word and word + "x"), "SELECT 1", None),
                (lambda word, name=name: self.target(name, word, more="?bogus=1"), "SELECT 1",
                 False),
            )
            # Two ways each; all of them come up for both servers.
            for number, (url_of, sql, is_good) in enumerate(cases):
                ways = list(self.ways(url_of))
                for words, env in (ways[number], ways[(number + 2) % len(ways)]):
                    with self.subTest(name=name, url=url_of(""), sql=sql, words=words[0][:12]):
                        code, out = self.run_watched(["-vv", "query", *words, sql], env)
                        if is_good is not None:
                            self.assertEqual(is_good, code == 0, out)
                        self.assertNotIn(CANARY, out)

    def wait_until_it_runs(self, name, number, process):
        """The statement of that number has begun when the server says so. Those of
        programs that were killed go on for a while."""
        admin = os.environ[f"TENON_TEST_{name.upper()}_ADMIN"]
        sql = {"postgresql": "SELECT count(*) FROM pg_stat_activity WHERE usename = 'canary'"
                             f" AND wait_event = 'PgSleep' AND query LIKE 'SELECT {number},%'",
               "mysql": "SELECT count(*) FROM information_schema.processlist"
                        f" WHERE user = 'canary' AND info LIKE 'SELECT {number},%'"}[name]
        until = time.monotonic() + PATIENCE_S
        while self.query(sql, url=admin) != [[1]]:
            self.assertIsNone(process.poll(), "it has ended")
            self.assertLess(time.monotonic(), until)

    def count_in_tool(self, name, words, env):
        self.number += 1
        with subprocess.Popen([TENON, "-vv", "query", *words, MAKE[name][2].format(self.number)],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, env=environment(env),
                              cwd=self.folder) as process:
            try:
                self.wait_until_it_runs(name, self.number, process)
                self.assertNotIn(CANARY.encode(), read_process(process.pid, "cmdline"))
                return count_in_memory(process.pid)
            finally:
                process.kill()

    def count_in_plain(self, name, env):
        program = os.environ["PLAIN_" + name.upper()]
        with subprocess.Popen([program, "127.0.0.1", str(self.urls[name].port), "canary", "tenon",
                               self.secret], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              env=environment(env)) as process:
            try:
                self.assertEqual(b"connected\n", process.stdout.readline())
                return count_in_memory(process.pid)
            finally:
                process.kill()

    def test_no_more_copies_than_the_client_library_has(self):
        for name in MAKE:
            ways = list(self.ways(lambda word, name=name: self.target(name, word)))
            for words, env in ways[::2]:
                with self.subTest(name=name, words=words[0][:12]):
                    # With the same environment, which stays where it is.
                    plain = self.count_in_plain(name, env)
                    self.assertGreater(plain, len(env), "the search finds nothing")
                    self.assertLessEqual(self.count_in_tool(name, words, env), plain)


if __name__ == "__main__":
    unittest.main()
