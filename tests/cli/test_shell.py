"""tenon shell, with and without a terminal."""

import json
import os
import resource
import stat
import time
import unittest

from support import (CONNECT, REFUSED, USAGE, TenonTest, Terminal, wait_until,
                     wait_until_at_work)

ENDLESS = ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
           "SELECT count(*) FROM n;")


class Lines(TenonTest):
    def shell(self, text, code=0):
        done = self.run_tool("-f", "csv", "shell", self.url, stdin=text)
        self.assertEqual(code, done.code, done)
        done.out = done.out.replace("\r\n", "\n")
        return done

    def test_statements_over_several_lines(self):
        done = self.shell("SELECT 1 AS a,\n  'x;y' -- not ; here\n AS b;\n")
        self.assertEqual("a,b\n1,x;y\n", done.out)

    def test_what_does_not_end_a_statement(self):
        cases = {
            "SELECT ';\n' AS a;": 'a\n";\n"\n',
            'SELECT 1 AS "a;\nb";': '"a;\nb"\n1\n',
            "SELECT /* ;\n */ 1 AS a;": "a\n1\n",
            "SELECT 'it''s;\n' AS a;": 'a\n"it\'s;\n"\n',
            "SELECT 1 AS a; -- the end": "a\n1\n",
            "SELECT 1 AS a /* the end; */ ;": "a\n1\n",
        }
        for text, out in cases.items():
            with self.subTest(text=text):
                self.assertEqual(out, self.shell(text + "\n").out)

    def test_several_statements_on_a_line(self):
        self.assertEqual("a\n1\n\nb\n2\n",
                         self.shell("SELECT 1 AS a; SELECT 2 AS b;\n").out)

    def test_a_trigger(self):
        self.shell("CREATE TABLE t (a);\nCREATE TABLE log (a);\n"
                   "CREATE TEMP TRIGGER g AFTER INSERT ON t\nBEGIN\n"
                   "  INSERT INTO log SELECT CASE 1 WHEN 1 THEN new.a END;\n"
                   "  INSERT INTO log VALUES (new.a);\nEND;\n"
                   "INSERT INTO t VALUES (1);\nDROP TRIGGER g;\n")
        self.assertEqual(2, self.value("SELECT count(*) FROM log"))

    def test_the_last_statement_needs_no_semicolon(self):
        self.assertEqual("a\n1\n", self.shell("SELECT 1 AS a").out)
        self.assertEqual("a\n1\n", self.shell("SELECT 1 AS a\n").out)

    def test_an_error_does_not_end_it_but_is_its_exit_code(self):
        done = self.shell("SELECT * FROM nowhere;\nSELECT 1 AS a;\n", REFUSED)
        self.assertEqual("a\n1\n", done.out)
        self.assertTrue(done.err.startswith("tenon: no_table: "), done)

    def test_commands(self):
        done = self.shell("\\format json\nSELECT 1 AS a;\n\\q\nSELECT 2;\n")
        self.assertEqual([[1]], json.loads(done.out)["rows"])
        done = self.shell("\\help\n\\nonsense\n\\format xml\n", USAGE)
        for word in ("\\timing", "no such command", "csv"):
            self.assertIn(word, done.err)

    def test_a_command_that_is_none_is_the_exit_code_but_no_end(self):
        for line in ("\\nonsense", "\\format xml"):
            done = self.shell(line + "\nSELECT 1 AS a;\n", USAGE)
            self.assertEqual("a\n1\n", done.out)
        self.shell("\\help\n\\timing\n\\format csv\n")
        self.shell("SELEKT;\n\\nonsense\n", REFUSED)

    def test_timing(self):
        done = self.run_tool("shell", self.url,
                             stdin="\\timing\nSELECT 'x' AS a;\n\\timing\n"
                                   "SELECT 'y' AS b;\n")
        self.assertRegex(done.out,
                         r"^a\nx\n\(1 row, [0-9.]+ ms\)\n\nb\ny\n$")

    def test_nothing(self):
        for text in ("", "\n \n", "-- nothing\n", ";\n"):
            self.assertEqual("", self.shell(text).out)

    def test_a_comment_is_no_beginning(self):
        done = self.shell("-- a note\n\\format json\nSELECT 1 AS a;\n")
        self.assertEqual([[1]], json.loads(done.out)["rows"])

    def test_no_connection(self):
        self.fail_with(CONNECT, "shell", "sqlite:////nonexistent/f/x.db")

    def test_the_place_is_shown(self):
        done = self.run_tool("shell", self.url, stdin="SELECT 1\n  FORM t;\n")
        self.assertEqual(REFUSED, done.code)
        self.assertNotIn("statement 1", done.err)


class Typed(TenonTest):
    def setUp(self):
        super().setUp()
        self.state = self.path("state")

    def start(self, *args, url=None):
        terminal = Terminal(self, *args, "shell", url or self.url,
                            env={"XDG_STATE_HOME": self.state,
                                 "HOME": self.folder})
        terminal.read_until("sqlite> ")
        return terminal

    def test_a_statement_and_its_timing(self):
        terminal = self.start()
        terminal.type("SELECT 41 + 1 AS x;\r")
        out = terminal.read_until("sqlite> ")
        self.assertRegex(out, r"42\r?\n")
        self.assertRegex(out, r"\(1 row, [0-9.]+ ms\)")
        terminal.type("\\q\r")
        self.assertEqual(0, terminal.finish()[1])

    def test_lines_that_go_on_have_another_prompt(self):
        terminal = self.start()
        terminal.type("SELECT 'a\r")
        terminal.read_until("     -> ")
        terminal.type("b' AS x;\r")
        self.assertIn("a\\nb", terminal.read_until("sqlite> "))

    def test_a_statement_of_several_lines_is_recalled_as_a_whole(self):
        terminal = self.start()
        terminal.type("SELECT 'a -- b\r")
        terminal.read_until("     -> ")
        terminal.type("c' -- d\r")
        terminal.read_until("     -> ")
        terminal.type("AS x;\r")
        self.assertIn("a -- b\\nc", terminal.read_until("sqlite> "))
        terminal.type("\x10\r")
        self.assertIn("a -- b\\nc", terminal.read_until(r"\(1 row[^>]*sqlite> "))
        terminal.type("\x04")
        self.assertEqual(0, terminal.finish()[1])

        # And in the next session.
        with open(os.path.join(self.state, "tenon", "history"), encoding="utf-8") as file:
            self.assertEqual(1, file.read().count("SELECT"))
        terminal = self.start()
        terminal.type("\x10\r")
        self.assertIn("a -- b\\nc", terminal.read_until(r"\(1 row[^>]*sqlite> "))

    def test_a_password_in_one_line_of_several_keeps_all_out_of_the_history(self):
        terminal = self.start()
        terminal.type("SELECT 'kept';\r")
        terminal.read_until("sqlite> ")
        terminal.type("SELECT 'hunter2'\r")
        terminal.read_until("     -> ")
        terminal.type("AS password;\r")
        terminal.read_until("sqlite> ")
        terminal.type("\x04")
        terminal.finish()
        with open(os.path.join(self.state, "tenon", "history"), encoding="utf-8") as file:
            self.assertNotIn("hunter2", file.read())

    def test_the_end_of_the_input_leaves_it(self):
        terminal = self.start()
        terminal.type("\x04")
        self.assertEqual(0, terminal.finish()[1])

    def test_an_error_is_no_failure_of_the_shell(self):
        terminal = self.start()
        terminal.type("SELEKT;\r")
        self.assertIn("tenon: syntax: ", terminal.read_until("sqlite> "))
        terminal.type("\x04")
        self.assertEqual(0, terminal.finish()[1])

    def test_control_c_drops_the_line(self):
        terminal = self.start()
        terminal.type("SELECT 1,\r")
        terminal.read_until("-> ")
        terminal.type("nonsense")
        time.sleep(0.2)
        terminal.type("\x03")
        terminal.read_until("sqlite> ")
        terminal.type("SELECT 'fresh' AS x;\r")
        out = terminal.read_until(r"sqlite> ")
        self.assertNotIn("tenon:", out)
        self.assertIn("(1 row", out)

    def test_control_c_stops_the_statement(self):
        terminal = self.start()
        terminal.type(ENDLESS + "\r")
        # Lines are edited in a mode in which ^C is a letter.
        wait_until(terminal.is_as_usual, "the end of the line")
        wait_until_at_work(terminal.pid)
        terminal.type("\x03")
        self.assertIn("tenon: canceled: ", terminal.read_until("sqlite> "))
        terminal.type("SELECT 'alive' AS x;\r")
        self.assertIn("(1 row", terminal.read_until("sqlite> "))
        terminal.type("\x04")
        self.assertEqual(0, terminal.finish()[1])

    def test_letters_outside_ascii(self):
        terminal = self.start()
        terminal.type("SELECT hex('é日') AS x;\r")
        self.assertIn("C3A9E697A5", terminal.read_until("sqlite> "))

    def test_the_history_is_kept_for_its_owner_only(self):
        terminal = self.start()
        for line in ("SELECT 'kept';", " SELECT 'blank';",
                     "SELECT 'my password';"):
            terminal.type(line + "\r")
            terminal.read_until("sqlite> ")
        terminal.type("\x04")
        terminal.finish()
        path = os.path.join(self.state, "tenon", "history")
        self.assertEqual(0o600, stat.S_IMODE(os.stat(path).st_mode))
        self.assertEqual(0o700,
                         stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode))
        with open(path, encoding="utf-8") as file:
            text = file.read()
        self.assertIn("kept", text)
        self.assertNotIn("blank", text)
        self.assertNotIn("password", text)

        terminal = self.start()
        terminal.type("\x10\r")  # the line before
        self.assertIn("kept", terminal.read_until("sqlite> "))

    def leave_a_line(self, line):
        terminal = self.start()
        terminal.type(line + "\r")
        terminal.read_until("sqlite> ")
        terminal.type("\x04")
        self.assertEqual(0, terminal.finish()[1])

    def test_a_history_that_cannot_be_written_stays_as_it_was(self):
        folder = os.path.join(self.state, "tenon")
        path = os.path.join(folder, "history")
        self.leave_a_line("SELECT 'before';")
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
        try:
            self.leave_a_line("SELECT 'lost';")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        self.assertEqual(["history"], os.listdir(folder))
        with open(path, encoding="utf-8") as file:
            self.assertIn("before", file.read())
        os.unlink(path)
        os.symlink("/dev/null", path)
        self.leave_a_line("SELECT 'unwanted';")
        self.assertTrue(os.path.islink(path))


if __name__ == "__main__":
    unittest.main()
