"""What the tests of the tool share: running it, and playing a terminal.

The program is the one that the environment variable TENON names; its plug-ins
are found through TENON_PLUGIN_PATH.
"""

import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

TENON = os.environ.get("TENON", "")
PATIENCE_S = 20

ERROR_KEYS = [
    "category", "sqlstate", "native", "message", "schema", "table", "columns",
    "columns_from", "constraint", "key", "key_table", "value", "connection", "replay", "detail", "position",
    "parameter",
]

USAGE, PLUGIN, CONNECT, REFUSED, DEADLINE, INTERNAL = 1, 2, 3, 4, 5, 6


def wait_until(condition, what):
    until = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > until:
            raise AssertionError(f"it did not come: {what}")
        time.sleep(0.01)


def blocks(pid, number):
    """Does the main thread of a process block a signal?"""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        mask = re.search(r"^SigBlk:\t(\w+)$", file.read(), flags=re.M)[1]
    return bool(int(mask, 16) >> (number - 1) & 1)


def wait_until_at_work(pid):
    """Wait until a statement without an end runs: nothing before one takes so
    much of a processor's time. A cancel that came before it would hit nothing."""
    def used_s():
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return int(file.read().rpartition(")")[2].split()[11]) / os.sysconf("SC_CLK_TCK")

    start = used_s()
    wait_until(lambda: used_s() - start >= 0.1, "a statement that runs")


class Done:
    """What a run of the tool left behind."""

    def __init__(self, code, out, err):
        self.code = code
        self.out = out
        self.err = err

    def __repr__(self):
        return f"exit {self.code}\nout: {self.out!r}\nerr: {self.err!r}"


def plugin_folder():
    """The folder in which sqlite.so and its manifest are."""
    for folder in os.environ.get("TENON_PLUGIN_PATH", "").split(":"):
        if os.path.exists(os.path.join(folder, "sqlite.so")):
            return folder
    raise RuntimeError("no sqlite.so in $TENON_PLUGIN_PATH")


def environment(changes=None):
    """The environment without what would lead to this machine's settings."""
    result = {
        name: value for name, value in os.environ.items()
        if name not in ("NO_COLOR", "TENON_CONFIG", "XDG_STATE_HOME")
    }
    result["TERM"] = "xterm"
    result["LC_ALL"] = "C.UTF-8"
    for name, value in (changes or {}).items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = value
    return result


class TenonTest(unittest.TestCase):
    """A test with a folder of its own and an empty SQLite database in it."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        if not TENON:
            raise RuntimeError("TENON must name the program to test")

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="tenon-cli-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.url = "sqlite:///" + self.path("test.db")

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text, mode=0o600):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        os.chmod(path, mode)
        return path

    def run_tool(self, *args, stdin="", env=None, stdout=subprocess.PIPE):
        done = subprocess.run(
            [TENON, *args], input=stdin.encode(), stdout=stdout,
            stderr=subprocess.PIPE, env=environment(env), cwd=self.folder,
            timeout=PATIENCE_S * 3, check=False)
        return Done(done.returncode, (done.stdout or b"").decode(),
                    done.stderr.decode())

    def succeed(self, *args, **options):
        """Run it; it must do its work and have nothing to say about it."""
        done = self.run_tool(*args, **options)
        self.assertEqual(0, done.code, done)
        self.assertEqual("", done.err, done)
        return done.out

    def fail_with(self, code, *args, **options):
        """Run it; it must fail with this exit code and a message."""
        done = self.run_tool(*args, **options)
        self.assertEqual(code, done.code, done)
        self.assertTrue(done.err.startswith(("tenon: ", '{"error":')), done)
        return done.err

    def fail_json(self, code, *args, **options):
        """The same in JSON: exactly one line with all the keys."""
        done = self.run_tool("--format", "json", *args, **options)
        self.assertEqual(code, done.code, done)
        self.assertEqual(1, done.err.count("\n"), done)
        error = json.loads(done.err)["error"]
        self.assertEqual(ERROR_KEYS, list(error), done)
        return error

    def query(self, sql, *params, url=None):
        """The rows of a statement, by way of JSON."""
        out = self.succeed("--format", "json", "query", url or self.url, sql,
                           *params)
        self.assertEqual(1, out.count("\n"), out)
        return json.loads(out)["rows"]

    def value(self, sql, *params):
        rows = self.query(sql, *params)
        self.assertEqual((1, 1), (len(rows), len(rows[0])), rows)
        return rows[0][0]


class Terminal:
    """The tool with a terminal for its input and output."""

    def __init__(self, test, *args, env=None, columns=100):
        self.test = test
        self.seen = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(test.folder)
            os.execve(TENON, [TENON, *args], environment(env))
        self.resize(columns)
        test.addCleanup(self.close)

    def resize(self, columns):
        import fcntl
        import struct
        import termios
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ,
                    struct.pack("HHHH", 30, columns, 0, 0))

    def is_as_usual(self):
        """Does ^C interrupt, and do lines come as a whole?"""
        import termios
        wanted = termios.ICANON | termios.ISIG
        return termios.tcgetattr(self.fd)[3] & wanted == wanted

    def read_until(self, pattern):
        """Read until `pattern` is found; return what was read up to there."""
        until = time.monotonic() + PATIENCE_S
        while True:
            found = re.search(pattern, self.seen)
            if found:
                before = self.seen[:found.end()]
                self.seen = self.seen[found.end():]
                return before
            if not self.more(until):
                self.test.fail(f"{pattern!r} did not come: {self.seen!r}")

    def more(self, until):
        ready, _, _ = select.select([self.fd], [], [],
                                    max(0, until - time.monotonic()))
        if not ready:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:  # the other end is closed
            return False
        self.seen += data.decode(errors="replace")
        return bool(data)

    def type(self, text):
        os.write(self.fd, text.encode())

    def finish(self):
        """The rest of the output and the exit code."""
        until = time.monotonic() + PATIENCE_S
        while self.more(until):
            pass
        while time.monotonic() < until:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                return self.seen, os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
        self.test.fail(f"it does not end: {self.seen!r}")

    def close(self):
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)
