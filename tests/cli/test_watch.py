"""tenon ping --watch and metrics --watch: what is written as it comes, their
ends, and a server that goes away and comes back."""

import csv
import datetime
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from support import (DEADLINE, INTERNAL, PATIENCE_S, PLUGIN, TENON, USAGE,
                     TenonTest, Terminal, environment)
from test_metrics import read_samples

SERVERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../servers")
COLUMNS = ["time", "result", "ms", "idle", "lent", "connecting", "connects",
           "connect_failures", "error"]


class Servers:
    """Of this file's own. They take seconds to be made, which the tests without
    them use."""

    top = starts = None


def servers(verb, name, *words):
    return subprocess.run([SERVERS, verb, name, Servers.top, *words], check=True,
                          stdout=subprocess.PIPE, text=True).stdout.strip()


def setUpModule():
    Servers.top = tempfile.mkdtemp(prefix="tn-watch-", dir="/tmp")
    unittest.addModuleCleanup(shutil.rmtree, Servers.top, ignore_errors=True)
    os.chmod(Servers.top, 0o711)  # they run as accounts of their own
    for name in ("postgresql", "mysql"):
        unittest.addModuleCleanup(servers, "destroy", name)
    # pylint: disable-next=consider-using-with
    Servers.starts = [subprocess.Popen([SERVERS, "start", name, Servers.top])
                      for name in ("postgresql", "mysql")]
    for start in Servers.starts:
        unittest.addModuleCleanup(start.wait)


class Watch:
    """The tool at work; what it writes is collected."""

    def __init__(self, test, *words, form="jsonl", command=None, preexec=None):
        command = command or ["-f", form, "ping"]
        # pylint: disable-next=subprocess-popen-preexec-fn
        self.process = subprocess.Popen(
            [TENON, *command, "--watch", *words],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=environment(), cwd=test.folder,
            preexec_fn=preexec)
        self.test = test
        self.text = b""
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self.read)
        self.reader.start()
        test.addCleanup(self.close)

    def read(self):
        while data := self.process.stdout.read1():
            with self.changed:
                self.text += data
                self.changed.notify_all()

    @property
    def lines(self):
        """Those that are whole."""
        return self.text.decode().split("\n")[:-1]

    def rows(self):
        return [json.loads(line) for line in self.lines]

    def texts(self):
        """Those of metrics that are whole."""
        return [text + "# EOF\n" for text in self.text.decode().split("# EOF\n")[:-1]]

    def wait_for(self, condition):
        """Wait until it is true of the lines; what it is then."""
        with self.changed:
            if not self.changed.wait_for(condition, PATIENCE_S):
                self.test.fail(f"it did not come: {self.text}")
            return condition()

    def wait_for_rows(self, count, since=0.0):
        """Wait for rows that were begun after a moment; these rows."""
        self.wait_for(lambda: sum(moment(row) > since for row in self.rows()) >= count)
        return [row for row in self.rows() if moment(row) > since]

    def end(self, number=None):
        """Its exit code, and what it said on standard error."""
        if number is not None:
            self.process.send_signal(number)
        code = self.process.wait(PATIENCE_S)
        self.reader.join(PATIENCE_S)
        return code, self.process.stderr.read().decode()

    def close(self):
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()
        self.process.stderr.close()


def numbers(text):
    """Some of a text of metrics, which is whole."""
    samples = read_samples(text)[0]
    return {"takes": samples["tenon_takes_total",],
            "connects": samples["tenon_connects_total",],
            "failures": samples["tenon_connect_failures_total",],
            "idle": samples["tenon_connections", ("state", "idle")]}


def moment(row):
    return datetime.datetime.fromisoformat(row["time"]).timestamp()


class Forms(TenonTest):
    WATCH = ["ping", "--watch", "--count", "3", "--interval", "20ms"]

    def check(self, rows):
        self.assertEqual(3, len(rows), rows)
        for row in rows:
            self.assertEqual(COLUMNS, list(row))
            self.assertEqual("ok", row["result"])
            self.assertGreater(float(row["ms"]), 0)
            self.assertEqual([1, 0, 0, 1, 0], [int(row[name]) for name in COLUMNS[3:8]])
            self.assertFalse(row["error"])
        self.assertEqual(sorted(row["time"] for row in rows), [row["time"] for row in rows])

    def test_json(self):
        out = self.succeed("-f", "json", *self.WATCH, self.url)
        self.assertEqual(1, out.count("\n"), out)
        result = json.loads(out)
        self.assertEqual(3, result["affected"])
        names = [column["name"] for column in result["columns"]]
        self.check([dict(zip(names, row)) for row in result["rows"]])

    def test_jsonl(self):
        out = self.succeed("-f", "jsonl", *self.WATCH, self.url)
        rows = [json.loads(line) for line in out.splitlines()]
        self.check(rows)
        self.assertLess(abs(moment(rows[0]) - time.time()), PATIENCE_S)
        self.assertGreaterEqual(moment(rows[2]) - moment(rows[0]), 0.039)

    def test_csv(self):
        out = self.succeed("-f", "csv", *self.WATCH, self.url)
        self.check(list(csv.DictReader(io.StringIO(out))))

    def test_a_table_is_lines_without_a_foot(self):
        lines = self.succeed(*self.WATCH, self.url).splitlines()
        self.assertEqual(COLUMNS, lines[0].split())
        self.check([dict(zip(COLUMNS, line.split() + [""])) for line in lines[1:]])
        for line in lines[1:]:
            self.assertEqual(lines[0].index("result"), line.index("ok"), lines)
            self.assertEqual(lines[0].index("connect_failures") + 16, len(line), lines)

    def test_on_a_terminal(self):
        out, code = Terminal(self, *self.WATCH, self.url).finish()
        self.assertEqual(0, code, out)
        self.assertEqual(1, out.count("\x1b[1m"), out)
        self.assertEqual(3, out.count("  ok  "), out)
        self.assertNotIn("rows", out)

    def test_rows_are_written_as_they_come(self):
        for form in ("table", "json", "jsonl", "csv"):
            with self.subTest(form=form):
                watch = Watch(self, "--interval", "100ms", self.url, form=form)
                for count in (1, 2):
                    watch.wait_for(lambda watch=watch, count=count:
                                   watch.text.count(b"ok") >= count)
                    # A buffer would have given dozens at once.
                    self.assertLess(watch.text.count(b"ok"), count + 10)
                self.assertIsNone(watch.process.poll())
                self.assertEqual((0, ""), watch.end(signal.SIGTERM))
                if form == "json":
                    self.assertGreaterEqual(len(json.loads(watch.text)["rows"]), 2)

    def test_help_tells_every_column(self):
        manual = self.succeed("ping", "--help")
        for name in COLUMNS:
            self.assertRegex(manual, rf"\n  (\w+, )*{name}\b")


class Ends(TenonTest):
    """Silent servers: they take a connection and never say a word."""

    def setUp(self):
        super().setUp()
        self.silent = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.silent.close)

    def silent_url(self, name, more="?tls=off"):
        return f"{name}://u@127.0.0.1:{self.silent.getsockname()[1]}/x{more}"

    def test_a_signal_ends_it_well(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            for url in (self.url, self.silent_url("postgresql"), self.silent_url("mysql")):
                with self.subTest(number=number, url=url):
                    watch = Watch(self, url, "--interval", "60s")
                    if url == self.url:
                        self.assertEqual("ok", watch.wait_for_rows(1)[0]["result"])
                    else:
                        self.silent.settimeout(PATIENCE_S)
                        self.silent.accept()[0].detach()  # it connects, and waits
                    start = time.monotonic()
                    self.assertEqual((0, ""), watch.end(number))
                    self.assertLess(time.monotonic() - start, 4.5)  # a ping has 5 s and more
                    self.assertEqual(url == self.url, len(watch.lines) == 1, watch.lines)

    def test_an_ignored_interrupt_stays_ignored(self):
        watch = Watch(self, self.url, "--interval", "50ms",
                      preexec=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
        watch.wait_for_rows(1)
        watch.process.send_signal(signal.SIGINT)
        watch.wait_for_rows(3, time.time())
        self.assertEqual((0, ""), watch.end(signal.SIGTERM))

    def test_each_ping_has_a_limit(self):
        watches = [Watch(self, self.silent_url(name), "--count", "1", "--interval", interval)
                   for name, interval in (("postgresql", "100ms"), ("mysql", "5500ms"))]
        for watch, limit in zip(watches, (5, 5.5)):
            self.assertEqual((0, ""), watch.end())
            row, = watch.rows()
            self.assertEqual("timeout", row["result"])
            self.assertTrue(row["error"])
            self.assertGreaterEqual(row["ms"], limit * 1000 - 1)
            self.assertLess(row["ms"], limit * 1000 + 2000)

    def test_the_deadline_is_of_the_whole(self):
        for url, deadline_s, least in ((self.url, 3, 3), (self.silent_url("postgresql"), 0.7, 0)):
            with self.subTest(url=url):
                start = time.monotonic()
                watch = Watch(self, "--deadline", f"{deadline_s * 1000:.0f}ms",
                              "--interval", "100ms", url)
                code, err = watch.end()
                self.assertEqual(DEADLINE, code)
                self.assertEqual("timeout", json.loads(err)["error"]["category"])
                self.assertGreaterEqual(time.monotonic() - start, deadline_s)
                self.assertGreaterEqual(len(watch.lines), least)
                self.assertEqual({"ok"} if least else set(),
                                 {row["result"] for row in watch.rows()})

    def test_what_no_server_can_mend_ends_it_at_once(self):
        for code, words in ((PLUGIN, ["nosuchdb:///x"]), (USAGE, [self.url + "?nonsense=1"]),
                            (USAGE, ["--config", self.write("c.ini", ""), "@b"])):
            with self.subTest(words=words):
                self.assertEqual(self.fail_with(code, "ping", *words),
                                 self.fail_with(code, "ping", "--watch", *words))

    def test_misuse(self):
        for words in (["--interval", "soon"], ["--interval", "0"], ["--interval", "-1s"],
                      ["--count", "0"], ["--count", "-1"], ["--count", "x"], ["--count", ""],
                      ["--count", "1.5"]):
            with self.subTest(words=words):
                error = self.fail_with(USAGE, "ping", "--watch", *words, self.url)
                self.assertEqual(1, error.count("\n"), error)
        for words in (["ping", "--count", "1"], ["ping", "--interval", "1s"],
                      ["metrics", "--count", "1"], ["metrics", "--interval", "1s"],
                      ["shell", "--count", "1"]):
            with self.subTest(words=words):
                self.assertIn(words[1], self.fail_with(USAGE, *words, self.url))

    def test_output_that_cannot_be_written_ends_it(self):
        for words in (*(["-f", form, "ping"] for form in ("table", "json", "jsonl", "csv")),
                      ["metrics"]):
            with self.subTest(words=words), open("/dev/full", "wb") as full:
                done = self.run_tool(*words, "--watch", self.url, stdout=full)
                self.assertEqual(INTERNAL, done.code, done)


class Restart(TenonTest):
    """Of a server, under a tool that watches it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if [start.wait() for start in Servers.starts] != [0, 0]:
            raise RuntimeError("a server does not start")

    def check_pool(self, rows):
        """The numbers fit the results, and never fall."""
        for row in rows:
            self.assertEqual(1 if row["result"] == "ok" else 0, row["idle"], row)
            self.assertEqual([0, 0], [row["lent"], row["connecting"]], row)
            self.assertEqual(row["result"] == "ok", row["error"] is None, row)
        for name in ("connects", "connect_failures"):
            numbers = [row[name] for row in rows]
            self.assertEqual(sorted(numbers), numbers)

    def live_through(self, name):
        url = servers("url", name)
        watch = Watch(self, "--interval", "100ms", url + "?tls=off")
        before = watch.wait_for_rows(3)
        self.assertEqual({"ok"}, {row["result"] for row in before})

        servers("stop", name)
        away = watch.wait_for_rows(5, time.time())
        self.assertIn(away[0]["result"], ("lost", "connect"))  # it was connected
        self.assertEqual({"connect"}, {row["result"] for row in away[1:]}, away)

        servers("restart", name)
        accepting = time.time()
        watch.wait_for(lambda: watch.rows()[-1]["connects"] == 2)
        back = next(row for row in watch.rows() if row["connects"] == 2)
        self.assertLess(moment(back) + back["ms"] / 1000 - accepting, 2)
        after = watch.wait_for_rows(3, moment(back))
        self.assertEqual({"ok"}, {row["result"] for row in after})
        self.assertEqual((0, ""), watch.end(signal.SIGINT))

        rows = watch.rows()
        self.check_pool(rows)
        self.assertEqual({"ok", "connect"}, {row["result"] for row in rows} - {"lost"})
        self.assertLessEqual([row["result"] for row in rows].count("lost"), 1)
        self.assertEqual([1, 0], [rows[0][key] for key in COLUMNS[6:8]])
        self.assertEqual(2, rows[-1]["connects"])
        self.assertGreater(rows[-1]["connect_failures"], 1)

        # It went, and it came back; no more than that.
        results = [row["result"] == "ok" for row in rows]
        self.assertEqual(2, sum(a != b for a, b in zip(results, results[1:])), results)

    def test_a_pool_lives_through_a_restart(self):
        for name in ("postgresql", "mysql"):
            with self.subTest(name=name):
                self.live_through(name)

    def test_its_numbers_do_too(self):
        watch = Watch(self, "--interval", "100ms", servers("url", "postgresql") + "?tls=off",
                      command=["metrics"])

        def wait_for(condition):
            watch.wait_for(lambda: watch.texts() and condition(numbers(watch.texts()[-1])))

        wait_for(lambda now: now["takes"] >= 3 and now["idle"] == 1)
        servers("stop", "postgresql")
        wait_for(lambda now: now["failures"] >= 2 and now["idle"] == 0)
        servers("restart", "postgresql")
        wait_for(lambda now: now["connects"] == 2 and now["idle"] == 1)
        code, err = watch.end(signal.SIGINT)
        self.assertEqual(0, code)
        for line in err.splitlines():
            self.assertRegex(line, "^tenon: (lost|connect): ")
        self.assertGreaterEqual(err.count("\n"), 2)
        seen = [numbers(text) for text in watch.texts()]
        for name in ("takes", "connects", "failures"):
            self.assertEqual(sorted(now[name] for now in seen), [now[name] for now in seen])


if __name__ == "__main__":
    unittest.main()
