"""The same lines on every backend: only the URL changes, and neither rows nor
types, counts or categories do."""

import json
import os
import subprocess
import unittest

from support import REFUSED, TENON, TenonTest, Terminal, environment

TABLES = """
CREATE TABLE maker (id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL UNIQUE);
CREATE TABLE item (
  id BIGINT PRIMARY KEY, maker INTEGER REFERENCES maker (id),
  name VARCHAR(40) NOT NULL, weight DOUBLE PRECISION, is_new BOOLEAN,
  added DATE, opens TIME, extra JSON, note TEXT,
  CONSTRAINT weight_is_positive CHECK (weight > 0),
  FOREIGN KEY (maker) REFERENCES maker (id));
INSERT INTO maker VALUES (1, 'Ærø'), (2, 'quote''s "and" \\\\');
"""

# Statement, parameters. Each runs on all backends, one after another.
LINES = (
    ("INSERT INTO item (id, maker, name, weight, is_new, added, opens, extra,"
     " note) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
     ("int:1", "int:1", "nail", "float:0.5", "bool:true", "2024-02-29",
      "08:30:00", 'json:{"a": [1, 2]}', "ünï 🎉")),
    ("INSERT INTO item (id, maker, name, weight) VALUES (:id, :maker, :name,"
     " :weight)", ("id=int:9223372036854775807", "maker=int:2", "name=",
                   "weight=float:1e300")),
    ("INSERT INTO item (id, name, note) VALUES (?, ?, ?)",
     ("int:-9223372036854775808", "x" * 40, "null:")),
    ("SELECT id, maker, name, weight, is_new, added, opens, note FROM item"
     " ORDER BY id", ()),
    ("SELECT extra FROM item WHERE id = 1", ()),
    ("SELECT count(*) AS n, min(name) AS least FROM item", ()),
    ("SELECT name FROM item WHERE name = ? OR note = ?", ("nail", "?")),
    ("SELECT '?' AS a, ':b' AS b, ? AS c", ("d",)),
    ("SELECT id -- what? :this\n FROM item /* and :that? */ WHERE id > ?",
     ("int:0",)),
    ("SELECT ? AS n", ("int:5",)),
    ("SELECT ? AS n", ("float:2.5",)),
    ("SELECT ? AS n", ("text",)),
    ("SELECT * FROM item WHERE id = ?", ("int:77",)),
    ("UPDATE item SET name = name", ()),
    ("UPDATE item SET weight = weight + ? WHERE id = ?", ("int:1", "int:1")),
    ("UPDATE item SET note = NULL WHERE id = 77", ()),
    ("DELETE FROM item WHERE id < ?", ("int:0",)),
    # What is refused.
    ("INSERT INTO item (id, name) VALUES (?, ?)", ("int:1", "again")),
    ("INSERT INTO maker VALUES (?, ?)", ("int:3", "Ærø")),
    ("INSERT INTO item (id, maker, name) VALUES (?, ?, ?)",
     ("int:5", "int:99", "orphan")),
    ("DELETE FROM maker WHERE id = 1", ()),
    ("INSERT INTO item (id, name) VALUES (?, ?)", ("int:6", "null:")),
    ("INSERT INTO item (id, name, weight) VALUES (?, ?, ?)",
     ("int:7", "light", "float:-1")),
    ("SELECT * FROM missing", ()),
    ("SELECT missing FROM item", ()),
    ("SELECT missing(1)", ()),
    ("SELEKT 1", ()),
    ("CREATE TABLE item (id INTEGER)", ()),
    ("SELECT 1; SELECT 2", ()),
    ("", ()),
    ("SELECT ?", ()),
    ("SELECT ?", ("int:1", "int:2")),
    ("SELECT :a", ("b=int:1",)),
)


class Backends(TenonTest):
    def setUp(self):
        super().setUp()
        self.urls = {"sqlite": self.url + "?foreign_keys=on"}
        for name in ("postgresql", "mysql"):
            self.urls[name] = os.environ["TENON_TEST_" + name.upper()]
        for url in self.urls.values():
            self.succeed("query", url, "-", stdin=TABLES)
            self.addCleanup(self.run_tool, "query", url, "-",
                            stdin="DROP TABLE item; DROP TABLE maker")

    def outcome(self, url, sql, params):
        """What a line gave, without what a backend may say its own way."""
        done = self.run_tool("--format", "json", "query", url, sql, *params)
        if done.code == 0:
            return json.loads(done.out)
        error = json.loads(done.err)["error"]
        return {"exit": done.code, "category": error["category"],
                "replay": error["replay"], "connection": error["connection"]}

    def test_the_same_lines_give_the_same(self):
        for sql, params in LINES:
            outcomes = {name: self.outcome(url, sql, params)
                        for name, url in self.urls.items()}
            with self.subTest(sql=sql, params=params):
                self.assertEqual(outcomes["sqlite"], outcomes["postgresql"])
                self.assertEqual(outcomes["sqlite"], outcomes["mysql"])

    def test_what_a_user_raises_ends_no_session(self):
        """Nor does what would end a login, said of a statement."""
        lines = {
            "postgresql": "DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '{}'; END $$",
            "mysql": "SIGNAL SQLSTATE '{}' SET MESSAGE_TEXT = 'x'",
        }
        for state, category in (("28000", "auth"), ("08006", "lost")):
            for name, line in lines.items():
                with self.subTest(name=name, state=state):
                    outcome = self.outcome(self.urls[name], line.format(state), ())
                    self.assertEqual([category, "usable"],
                                     [outcome["category"], outcome["connection"]])
        outcome = self.outcome(os.environ["TENON_TEST_MYSQL_ADMIN"],
                               "CREATE USER nobody IDENTIFIED VIA nosuch_plugin", ())
        self.assertEqual(["auth", "usable"], [outcome["category"], outcome["connection"]])

    def test_a_typo_in_the_url_is_one_clear_line(self):
        for name, url in self.urls.items():
            if name == "sqlite":
                continue
            host = url.partition("@")[2].partition("/")[0]
            cases = (
                (url.replace(host, "127.0.0.1:1"), 3, "127.0.0.1"),
                (url.replace(host, "no-such-host.invalid"), 3,
                 "no-such-host.invalid"),
                (url.rpartition("/")[0] + "/no_such_database", 3,
                 "no_such_database"),
                (url.replace("://tenon:", "://nobody:"), 3, "nobody"),
                (url + "?tls=yes", 1, "tls"),
                (url + "?tsl=off", 1, "tls"),
            )
            for wrong, code, word in cases:
                with self.subTest(url=wrong):
                    message = self.fail_with(code, "ping", wrong)
                    self.assertEqual(1, message.count("tenon: "), message)
                    self.assertIn(word, message)

    def test_an_error_behind_the_last_line_has_no_picture(self):
        for text, lines in (("SELECT 1 FROM\n", 1), ("SELECT 1 FROM\n  ", 1),
                            ("SELECT 1 FROM", 3)):
            error = self.fail_with(4, "query", self.urls["mysql"], text)
            self.assertEqual(lines, error.count("\n"), error)

    def test_nothing_takes_the_place_of_a_closed_descriptor(self):
        def without(*numbers):
            return lambda: [os.close(number) for number in numbers]

        for name, url in self.urls.items():
            with self.subTest(backend=name):
                done = subprocess.run(
                    [TENON, "query", url, "SELECT 1 AS n"], timeout=60,
                    stderr=subprocess.PIPE, env=environment(), check=False,
                    preexec_fn=without(1))
                self.assertEqual(6, done.returncode, done)
                self.assertIn(b"cannot be written: Bad file", done.stderr)
                # They would be an eventfd, the socket, and an eventfd.
                done = subprocess.run(
                    [TENON, "query", url, "SELECT 1 AS n"], timeout=60,
                    env=environment(), check=False,
                    preexec_fn=without(0, 1, 2))
                self.assertEqual(6, done.returncode, done)


PROCEDURES = """
CREATE TABLE pair (a INT);
INSERT INTO pair VALUES (1), (2);
CREATE PROCEDURE two(OUT last INT) BEGIN
  SELECT 1 AS x; SELECT 2 AS y; SET last = 3; END;
CREATE PROCEDURE changing() BEGIN
  SELECT 1 AS x; UPDATE pair SET a = a; END;
CREATE PROCEDURE failing() BEGIN SELECT 1 AS x; SELECT 2 AS y FROM nowhere; END;
"""


class ResultSets(TenonTest):
    """A statement with several result sets: all of them are shown."""

    def setUp(self):
        super().setUp()
        self.url = os.environ["TENON_TEST_MYSQL"]
        for what in ("PROCEDURE two", "PROCEDURE changing",
                     "PROCEDURE failing", "TABLE pair"):
            self.addCleanup(self.run_tool, "query", self.url, "DROP " + what)
        self.succeed("query", self.url, "-", stdin=PROCEDURES)

    def test_in_json(self):
        expected = [("x", [[1]]), ("y", [[2]]), ("last", [[3]])]
        for args, stdin, count in ((["CALL two(?)", "int:0"], "", 3),
                                   (["-"], "CALL two(@a);", 2)):
            out = self.succeed("-f", "json", "query", self.url, *args,
                               stdin=stdin)
            sets = [json.loads(line) for line in out.splitlines()]
            with self.subTest(args=args):
                self.assertEqual(expected[:count],
                                 [(one["columns"][0]["name"], one["rows"])
                                  for one in sets])

    def test_what_the_last_set_changed_is_told(self):
        out = self.succeed("-f", "json", "query", self.url, "CALL changing()")
        self.assertEqual({"columns": [], "rows": [], "affected": 2},
                         json.loads(out.splitlines()[-1]))
        self.assertEqual(
            "x\n1\n\nok, 2 rows affected\n",
            self.succeed("query", self.url, "CALL changing()"))

    def test_in_the_other_forms(self):
        forms = {
            "table": "x\n1\n\ny\n2\n\nz\n3\n",
            "csv": "x\n1\n\ny\n2\n\nz\n3\n",
            "jsonl": '{"x":1}\n{"y":2}\n{"z":3}\n',
        }
        for form, expected in forms.items():
            for command in (["query", self.url, "-"], ["shell", self.url]):
                with self.subTest(form=form, command=command):
                    out = self.succeed("-f", form, *command, stdin=(
                        "CALL two(@a);\nSELECT 3 AS z;\n"))
                    self.assertEqual(expected, out.replace("\r\n", "\n"))

    def test_an_error_of_a_later_set(self):
        for args, stdin in ((["query", self.url, "CALL failing()"], ""),
                            (["query", self.url, "-"], "CALL failing()"),
                            (["shell", self.url], "CALL failing();\n")):
            with self.subTest(args=args[2:]):
                done = self.run_tool("-f", "jsonl", *args, stdin=stdin)
                self.assertEqual(REFUSED, done.code, done)
                self.assertEqual('{"x":1}\n', done.out)
                self.assertEqual(
                    "no_table", json.loads(done.err)["error"]["category"])


class Typed(TenonTest):
    """Where a statement ends that is typed line by line is the dialect's
    affair: nothing of a body runs before the whole is there."""

    def type_lines(self, name, lines):
        """Type them; each but the last must be taken for a part."""
        url = os.environ["TENON_TEST_" + name.upper()]
        terminal = Terminal(self, "shell", url,
                            env={"XDG_STATE_HOME": self.path("state"),
                                 "HOME": self.folder})
        terminal.read_until(name + "> ")
        for line in lines[:-1]:
            terminal.type(line + "\r")
            terminal.read_until(r"\n *-> ")
        terminal.type(lines[-1] + "\r")
        out = terminal.read_until(r"\n" + name + "> ")
        self.assertNotIn("tenon: ", out)
        terminal.type("\x04")
        self.assertEqual(0, terminal.finish()[1])
        return out

    def test_bodies_of_mysql(self):
        url = os.environ["TENON_TEST_MYSQL"]
        for what in ("PROCEDURE empty_it", "FUNCTION one", "EVENT never",
                     "TABLE precious"):
            self.addCleanup(self.run_tool, "query", url, "DROP " + what)
        self.succeed("query", url, "-", stdin=(
            "CREATE TABLE precious (a INT);"
            "INSERT INTO precious VALUES (1), (2);"))
        bodies = (
            ["CREATE PROCEDURE empty_it()", "BEGIN", "DELETE FROM precious;",
             "END;"],
            ["CREATE DEFINER=CURRENT_USER FUNCTION one() RETURNS INT",
             "BEGIN", "RETURN 1;", "END;"],
            ["CREATE EVENT never ON SCHEDULE AT '2037-01-01' DO BEGIN",
             "DELETE FROM precious;", "END;"],
        )
        for lines in bodies:
            with self.subTest(first=lines[0]):
                self.type_lines("mysql", lines)
        self.assertEqual(
            [[2]], self.query("SELECT count(*) FROM precious", url=url))

    def test_strings(self):
        self.assertIn("it's;\\n;", self.type_lines(
            "mysql", ["SELECT 'it\\'s;", ";' AS x;"]))
        self.assertIn("it's;\\n;", self.type_lines(
            "postgresql", ["SELECT E'it\\'s;", ";' AS x;"]))


if __name__ == "__main__":
    unittest.main()
