"""Where secrets may come from, and where they must not be seen."""

import subprocess
import time
import unittest

from support import (CONNECT, DEADLINE, PATIENCE_S, PLUGIN, TENON, USAGE,
                     TenonTest, Terminal, environment)

CANARY = "Zq7tMx4vKp9wRb2sYd6hNc3f"


class ProcessList(TenonTest):
    def seen_arguments(self, *args):
        """What /proc shows of a tool that waits for its standard input."""
        with subprocess.Popen([TENON, *args], stdin=subprocess.PIPE,
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL,
                              env=environment()) as process:
            until = time.monotonic() + PATIENCE_S
            seen = ""
            while time.monotonic() < until:
                with open(f"/proc/{process.pid}/cmdline", "rb") as file:
                    seen = file.read().decode()
                if CANARY not in seen and TENON in seen:
                    break
                time.sleep(0.01)
            process.stdin.close()
            process.wait(PATIENCE_S)
        return [word for word in seen.split("\0") if word]

    def test_a_password_is_overwritten(self):
        cases = [
            (f"postgresql://u:{CANARY}@h:5432/db", "postgresql://u:*@h:5432/db"),
            (f"mysql+pymysql://u:{CANARY}@h1,h2/db",
             "mysql+pymysql://u:*@h1,h2/db"),
            (f"postgresql://u:a@{CANARY}@h/db", "postgresql://u:*@h/db"),
            (f"postgresql://:{CANARY}@/db", "postgresql://:*@/db"),
            (f"postgresql://u:{CANARY}/x@h/db", "postgresql://u:*@h/db"),
            (f"sqlite:///x.db?password={CANARY}&mode=ro",
             "sqlite:///x.db?password=*&mode=*"),
            (f"sqlite:///x.db?mode=ro&p%61ssword={CANARY}",
             "sqlite:///x.db?mode=*&p%61ssword=*"),
            ("sqlite:////x.db", "sqlite:////x.db"),
            ("postgresql://u@h:5432/db", "postgresql://u@h:5432/db"),
        ]
        for url, shown in cases:
            with self.subTest(url=url):
                self.assertEqual([TENON, "query", shown, "-"],
                                 self.seen_arguments("query", url, "-"))

    def test_the_tool_still_has_it(self):
        done = self.run_tool("query", f"sqlite:///x.db?bogus={CANARY}",
                             "SELECT 1")
        self.assertEqual(USAGE, done.code)
        self.assertIn("bogus", done.err)

    def test_not_in_messages_at_the_most_talkative_level(self):
        urls = [
            f"nosuchdb://u:{CANARY}@h/db", f"sqlite://u:{CANARY}@h/db",
            f"sqlite://u:{CANARY}@h:99999/db",
            f"sqlite:///x.db?password={CANARY}",
            f"nosuchdb://u:{CANARY}@h/db?password={CANARY}&password=x",
        ]
        for url in urls:
            for form in ("table", "json"):
                with self.subTest(url=url, form=form):
                    done = self.run_tool("-vv", "-f", form, "ping", url)
                    self.assertNotIn(CANARY, done.out + done.err)


class Sources(TenonTest):
    def test_a_target_from_the_environment_or_a_file(self):
        out = self.succeed("-f", "csv", "query", "env:MY_URL", "SELECT 7 AS x",
                           env={"MY_URL": self.url})
        self.assertEqual(["x", "7"], out.split())
        path = self.write("url", self.url + "\n")
        out = self.succeed("-f", "csv", "query", "file:" + path,
                           "SELECT 7 AS x")
        self.assertEqual(["x", "7"], out.split())

    def test_one_that_is_not_there(self):
        for target in ("env:NO_SUCH_VARIABLE", "file:/no/such/file"):
            error = self.fail_json(USAGE, "ping", target)
            self.assertEqual("config", error["category"])
            self.assertIn(target.split(":")[1], error["message"])

    def test_a_password_is_never_an_argument(self):
        for args in (["--password", CANARY], ["--password=" + CANARY]):
            done = self.run_tool(*args, "ping", self.url)
            self.assertEqual(USAGE, done.code)
            self.assertNotIn(CANARY, done.err)
            self.assertIn("file:PATH", done.err)

    def test_a_password_from_the_environment_or_a_file_arrives(self):
        # SQLite has no passwords, and says so when it is given one.
        path = self.write("password", CANARY + "\n")
        for source in ("env:MY_PASSWORD", "file:" + path):
            with self.subTest(source=source):
                done = self.run_tool("--password", source, "ping", self.url,
                                     env={"MY_PASSWORD": CANARY})
                self.assertIn(done.code, (0, USAGE, CONNECT), done)
                self.assertNotIn(CANARY, done.out + done.err)
        self.fail_with(USAGE, "--password", "env:NO_SUCH", "ping", self.url)

    def test_a_password_for_a_file_is_the_fault_of_the_option(self):
        for url in ("sqlite://", self.url):
            with self.subTest(url=url):
                self.assertEqual(
                    "tenon: config: sqlite: a file has no password\n"
                    "  the password is that of --password\n",
                    self.fail_with(USAGE, "--password", "env:X", "query", url,
                                   "SELECT 1", env={"X": CANARY}))
        self.assertIn("a file has neither host nor user",
                      self.fail_with(USAGE, "query", "sqlite://u:p@/x.db",
                                     "SELECT 1"))

    def test_a_prompt_shows_nothing(self):
        terminal = Terminal(self, "--password", "prompt", "ping",
                            "nosuchdb://u@h/db")
        terminal.read_until("Password: ")
        time.sleep(0.1)
        terminal.type(CANARY + "\n")
        out, code = terminal.finish()
        self.assertEqual(PLUGIN, code, out)
        self.assertNotIn(CANARY, out)

    def test_a_prompt_can_be_left(self):
        terminal = Terminal(self, "--password", "prompt", "ping",
                            "nosuchdb://u@h/db")
        terminal.read_until("Password: ")
        time.sleep(0.1)
        terminal.type("abc\x03")
        out, code = terminal.finish()
        self.assertEqual(DEADLINE, code, out)

    def test_no_terminal_to_ask_on(self):
        done = subprocess.run(
            [TENON, "--password", "prompt", "ping", "nosuchdb://u@h/db"],
            stdin=subprocess.DEVNULL, capture_output=True, env=environment(),
            start_new_session=True, check=False)
        self.assertEqual(USAGE, done.returncode)
        self.assertIn(b"no terminal", done.stderr)


if __name__ == "__main__":
    unittest.main()
