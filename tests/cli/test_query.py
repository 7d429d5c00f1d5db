"""tenon query: statements, parameters, scripts."""

import json
import math
import os
import signal
import subprocess
import time
import unittest

from support import (CONNECT, DEADLINE, PATIENCE_S, REFUSED, TENON, USAGE,
                     TenonTest, blocks, environment, wait_until,
                     wait_until_at_work)

ITEMS = """
CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, price DECIMAL TEXT,
  added DATE, seen DATETIME, is_new BOOLEAN, data BLOB, extra JSON, uid UUID,
  weight REAL);
INSERT INTO item VALUES (1, 'nail', '1.50', '2024-02-29',
  '2024-02-29 12:30:00', 1, x'00ff', '{"a": [1, 2]}',
  '01234567-89ab-cdef-0123-456789abcdef', 0.5);
INSERT INTO item (id, name) VALUES (2, '');
"""


class Statements(TenonTest):
    def setUp(self):
        super().setUp()
        self.succeed("query", self.url, "-", stdin=ITEMS)

    def test_json_names_and_types_each_column(self):
        out = self.succeed("--format", "json", "query", self.url,
                           "SELECT * FROM item ORDER BY id")
        result = json.loads(out)
        self.assertEqual(["columns", "rows", "affected"], list(result))
        self.assertEqual(
            [{"name": name, "type": type_} for name, type_ in (
                ("id", "int64"), ("name", "text"), ("price", "decimal"),
                ("added", "date"), ("seen", "timestamp"), ("is_new", "bool"),
                ("data", "blob"), ("extra", "json"), ("uid", "uuid"),
                ("weight", "double"))], result["columns"])
        self.assertEqual(
            [1, "nail", "1.50", "2024-02-29", "2024-02-29 12:30:00", True,
             "AP8=", {"a": [1, 2]}, "01234567-89ab-cdef-0123-456789abcdef",
             0.5], result["rows"][0])
        self.assertEqual([2, ""] + [None] * 8, result["rows"][1])
        self.assertEqual(1, out.count("\n"))

    def test_affected_counts_the_rows_matched(self):
        out = self.succeed("--format", "json", "query", self.url,
                           "UPDATE item SET name = name")
        self.assertEqual({"columns": [], "rows": [], "affected": 2},
                         json.loads(out))

    def test_a_statement_without_rows_says_ok(self):
        self.assertEqual(
            "ok, 1 row affected\n",
            self.succeed("query", self.url, "DELETE FROM item WHERE id = ?",
                         "int:1"))

    def test_an_empty_result_still_has_its_columns(self):
        out = self.succeed("--format", "json", "query", self.url,
                           "SELECT id FROM item WHERE id = 9")
        self.assertEqual({"columns": [{"name": "id", "type": "int64"}],
                          "rows": [], "affected": 0}, json.loads(out))

    def test_affected_counts_the_rows_of_a_pragma(self):
        for sql in ("PRAGMA journal_mode", "PRAGMA wal_checkpoint"):
            with self.subTest(sql=sql):
                result = json.loads(self.succeed("-f", "json", "query", self.url, sql))
                self.assertEqual((1, 1), (len(result["rows"]), result["affected"]))

    def test_a_uri_is_unescaped_once(self):
        for written, name in (("x%3Fy.db", "x?y.db"), ("a%20b.db", "a b.db"),
                              ("a%2520b.db", "a%20b.db"), ("x%23y.db", "x#y.db"),
                              ("plain.db", "plain.db")):
            with self.subTest(written=written):
                url = f"sqlite:///file:{written}?uri=true"
                self.succeed("query", url, "CREATE TABLE t (a)")
                self.assertTrue(os.path.exists(self.path(name)), os.listdir(self.folder))

    def test_options_may_stand_anywhere(self):
        for args in (["--format=json", "query", self.url, "SELECT 1"],
                     ["query", "-f", "json", self.url, "SELECT 1"],
                     ["query", self.url, "SELECT 1", "--format", "json"]):
            with self.subTest(args=args):
                self.assertEqual([[1]], json.loads(self.succeed(*args))["rows"])


class Parameters(TenonTest):
    def test_every_type_comes_back(self):
        cases = [
            ("a text", "a text"), ("text:int:5", "int:5"), ("", ""),
            ("http://example.org/?a=b", "http://example.org/?a=b"),
            ("note: it is text", "note: it is text"),
            ("text:a=b", "a=b"), ("näïve 😀", "näïve 😀"),
            ("int:5", 5), ("int:-9223372036854775808", -2**63),
            ("int:9223372036854775807", 2**63 - 1),
            ("uint:9223372036854775807", 2**63 - 1),
            ("float:0.1", 0.1), ("float:1", 1.0), ("float:-1e300", -1e300),
            ("float:inf", "inf"), ("float:-inf", "-inf"),
            ("null:", None), ("blob:00ff41", "AP9B"), ("blob:", ""),
            ("blob:0A", "Cg=="), ("blob:0a0b", "Cgs="),
        ]
        for param, expected in cases:
            with self.subTest(param=param):
                found = self.value("SELECT ? AS x", param)
                self.assertEqual(expected, found)
                self.assertIs(type(expected), type(found))

    def test_types_that_the_column_declares_come_back(self):
        self.succeed("query", self.url,
                     "CREATE TABLE t (b BOOLEAN, d DECIMAL TEXT, j JSON, u UUID, "
                     "ts TIMESTAMP, da DATE, ti TIME)")
        self.succeed(
            "query", self.url, "INSERT INTO t VALUES (?, ?, ?, ?, ?, ?, ?)",
            "bool:true", "decimal:-12345678901234567890.10",
            'json:{"a": "b c"}', "uuid:01234567-89AB-cdef-0123-456789abcdef",
            "timestamp:2024-02-29T12:30:00.5Z", "date:0001-01-01",
            "time:23:59:59.999999")
        row = self.query("SELECT * FROM t")[0]
        self.assertEqual(
            [True, "-12345678901234567890.10", {"a": "b c"},
             "01234567-89ab-cdef-0123-456789abcdef"], row[:4])
        self.assertTrue(row[4].startswith("2024-02-29 12:30:00.5"), row)
        self.assertEqual(["0001-01-01", "23:59:59.999999"], row[5:])

    def test_names(self):
        self.assertEqual(
            [[3, "a=b", None]],
            self.query("SELECT :x, :y_1, :z", "y_1=a=b", "z=null:", "x=int:3"))

    def test_a_bad_value_is_a_usage_error_with_its_number(self):
        for param in ("int:five", "int:9223372036854775808", "int:", "int:5 x",
                      "uint:-1", "float:x", "bool:maybe", "null:x", "blob:0",
                      "blob:0g", "decimal:1,5", "json:{", "uuid:1",
                      "timestamp:yesterday", "date:2023-02-29", "time:25:00"):
            with self.subTest(param=param):
                error = self.fail_json(USAGE, "query", self.url, "SELECT ?, ?",
                                       "fine", param)
                self.assertEqual("usage", error["category"])
                self.assertEqual(2, error["parameter"])
                self.assertTrue(error["message"].startswith("parameter 2: "))

    def test_a_value_that_the_database_refuses_is_told_by_its_number_or_name(self):
        for sql, params, told in (
                ("SELECT ?, ?, ?", ["1", "2", "float:nan"], "3"),
                ("SELECT ?", ["uint:18446744073709551615"], "1"),
                ("SELECT :a, :b", ["a=1", "b=float:nan"], ":b")):
            with self.subTest(sql=sql):
                error = self.fail_with(REFUSED, "query", self.url, sql, *params)
                self.assertEqual(f"  parameter {told}", error.splitlines()[1])
                self.assertEqual(1, error.count("parameter"), error)

    def test_all_have_a_name_or_none(self):
        error = self.fail_json(USAGE, "query", self.url, "SELECT ?, ?", "int:1",
                               "a=b")
        self.assertEqual("usage", error["category"])
        self.assertIn("text:a=b", error["detail"])

    def test_a_name_that_was_meant_as_text_is_explained(self):
        error = self.fail_json(USAGE, "query", self.url, "SELECT ?", "a=b")
        self.assertEqual("usage", error["category"])
        self.assertIn("text:a=b", error["detail"])

    def test_names_are_not_blamed_for_the_statement(self):
        for sql in ("SELECT :a, ?", "SELECT 1; SELECT :a", "SELECT 'x", ""):
            with self.subTest(sql=sql):
                error = self.fail_json(USAGE, "query", self.url, sql, "a=b")
                self.assertTrue(error["message"].startswith("statement: "))
                self.assertIsNone(error["detail"])

    def test_one_is_not_several(self):
        for sql, params, message in (
                ("SELECT ?", [], "0 values for a statement with 1 parameter"),
                ("SELECT ?, ?", ["a"],
                 "1 value for a statement with 2 parameters"),
                ("SELECT 1", ["a"],
                 "1 value for a statement with 0 parameters")):
            error = self.fail_json(USAGE, "query", self.url, sql, *params)
            self.assertEqual("query: " + message, error["message"])

    def test_too_few_and_too_many(self):
        for params in ([], ["1", "2", "3"]):
            with self.subTest(params=params):
                error = self.fail_json(USAGE, "query", self.url, "SELECT ?, ?",
                                       *params)
                self.assertEqual("usage", error["category"])

    def test_one_that_begins_with_a_dash(self):
        self.assertEqual("-5", self.value("SELECT ?", "--", "-5"))

    def test_a_value_never_becomes_sql(self):
        text = "x'); DROP TABLE t; --"
        self.assertEqual(text, self.value("SELECT ?", text))


class Scripts(TenonTest):
    SCRIPT = ("CREATE TABLE t (a);\n-- a comment; with a semicolon\n"
              "INSERT INTO t VALUES ('x;y');\nSELECT a FROM t;\n")

    def test_dash_reads_standard_input(self):
        out = self.succeed("-f", "json", "query", self.url, "-",
                           stdin=self.SCRIPT)
        results = [json.loads(line) for line in out.splitlines()]
        self.assertEqual([[], [], [["x;y"]]],
                         [result["rows"] for result in results])
        self.assertEqual(1, results[1]["affected"])

    def test_file_reads_a_file(self):
        path = self.write("script.sql", self.SCRIPT)
        out = self.succeed("-f", "json", "query", self.url, "--file", path)
        self.assertEqual(3, len(out.splitlines()))

    def test_it_stops_at_the_first_error_and_says_where(self):
        done = self.run_tool(
            "-f", "json", "query", self.url, "-",
            stdin="CREATE TABLE t (a);\n\nINSERT INTO nowhere VALUES (1);\n"
                  "INSERT INTO t VALUES (1);\n")
        self.assertEqual(REFUSED, done.code, done)
        self.assertEqual(1, len(done.out.splitlines()))
        error = json.loads(done.err)["error"]
        self.assertEqual("no_table", error["category"])
        self.assertTrue(
            error["message"].startswith("statement 2 (line 3): "), error)
        self.assertEqual(0, self.value("SELECT count(*) FROM t"))

    def test_a_transaction_left_open_is_told(self):
        self.succeed("query", self.url, "CREATE TABLE t (a)")
        for command in (("query", self.url, "-"), ("shell", self.url)):
            with self.subTest(command=command[0]):
                done = self.run_tool(
                    *command, stdin="BEGIN; INSERT INTO t VALUES (1);\n")
                self.assertEqual(0, done.code, done)
                self.assertEqual(1, done.err.count("\n"), done)
                self.assertIn(
                    f"warning: {command[0]}: a transaction is still open at "
                    "the end, so what it did is rolled back", done.err)
                self.assertEqual(0, self.value("SELECT count(*) FROM t"))
                self.succeed(*command, stdin="BEGIN; SELECT 1; COMMIT;\n")

    def test_an_empty_script_does_nothing(self):
        for script in ("", "  \n", "-- nothing\n", ";;\n"):
            with self.subTest(script=script):
                self.assertEqual("", self.succeed("query", self.url, "-",
                                                  stdin=script))

    def test_a_trigger_is_one_statement(self):
        self.succeed(
            "query", self.url, "-",
            stdin="CREATE TABLE t (a); CREATE TABLE log (a);"
                  "CREATE TRIGGER g AFTER INSERT ON t BEGIN "
                  "INSERT INTO log VALUES (new.a); "
                  "INSERT INTO log VALUES (2); END;"
                  "INSERT INTO t VALUES (1);")
        self.assertEqual(2, self.value("SELECT count(*) FROM log"))

    def test_misuse_is_refused(self):
        path = self.write("script.sql", "SELECT 1")
        for args in (["-", "int:1"], ["--file", path, "SELECT 1"],
                     ["--file", self.path("absent")], []):
            with self.subTest(args=args):
                self.fail_with(USAGE, "query", self.url, *args)
        path = self.write("nul.sql", b"SELECT 1;\0SELECT 2;")
        self.fail_with(USAGE, "query", self.url, "--file", path)

    def test_two_statements_in_an_argument_are_refused(self):
        error = self.fail_json(USAGE, "query", self.url, "SELECT 1; SELECT 2")
        self.assertEqual("usage", error["category"])


class Deadlines(TenonTest):
    ENDLESS = ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
               " SELECT count(*) FROM n")

    def test_one_statement(self):
        error = self.fail_json(DEADLINE, "query", "--deadline", "200ms",
                               self.url, self.ENDLESS)
        self.assertEqual("timeout", error["category"])

    def start_on_a_fifo(self, *options):
        fifo = self.path("fifo")
        os.mkfifo(fifo)
        process = subprocess.Popen(
            [TENON, "-f", "csv", "query", *options, self.url, "--file", fifo],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return fifo, process

    def test_a_named_pipe_without_a_writer(self):
        _, process = self.start_on_a_fifo("--deadline", "300ms")
        self.assertEqual(DEADLINE, process.wait(PATIENCE_S))
        self.assertIn(b"the deadline passed while reading",
                      process.stderr.read())

    def test_a_named_pipe_whose_writer_comes_and_stays(self):
        fifo, process = self.start_on_a_fifo("--deadline", "2s")
        time.sleep(0.3)
        # Nobody is waited for, as the reader has gone if we are late.
        with open(os.open(fifo, os.O_RDWR), "wb", buffering=0) as writer:
            writer.write(b"SELECT 1 AS a;")
            self.assertEqual(DEADLINE, process.wait(PATIENCE_S))
        self.assertEqual(b"", process.stdout.read())

    def test_a_named_pipe_whose_writer_comes_late(self):
        for options in ([], ["--deadline", "20s"]):
            with self.subTest(options=options):
                fifo, process = self.start_on_a_fifo(*options)
                time.sleep(0.5)
                with open(fifo, "wb", buffering=0) as writer:
                    time.sleep(0.2)
                    for piece in (b"SELECT 1", b" AS a;"):
                        writer.write(piece)
                        time.sleep(0.1)
                self.assertEqual(0, process.wait(PATIENCE_S))
                self.assertEqual(b"a\r\n1\r\n", process.stdout.read())
                os.unlink(fifo)

    def test_control_c_on_a_named_pipe(self):
        _, process = self.start_on_a_fifo()
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        self.assertEqual(-signal.SIGINT, process.wait(PATIENCE_S))

    def test_a_script_has_one_deadline_for_all_of_it(self):
        error = self.fail_json(DEADLINE, "query", "--deadline", "300ms",
                               self.url, "-",
                               stdin="SELECT 1;" + self.ENDLESS + ";SELECT 2;")
        self.assertEqual("timeout", error["category"])

    def test_rows_that_never_end(self):
        for deadline in ("300ms", "1s", "4s", "16s"):  # the start takes a part of it
            done = self.run_tool(
                "-f", "jsonl", "query", "--deadline", deadline, self.url,
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
                " SELECT i FROM n")
            self.assertEqual(DEADLINE, done.code)
            self.assertEqual("timeout", json.loads(done.err)["error"]["category"])
            lines = done.out.splitlines()
            if len(lines) > 10:
                break
        self.assertGreater(len(lines), 10)
        self.assertEqual({"i": 1}, json.loads(lines[0]))

    def test_standard_input_that_never_comes(self):
        with subprocess.Popen(
                [TENON, "-f", "json", "query", "--deadline", "200ms", self.url,
                 "-"], stdin=subprocess.PIPE, stderr=subprocess.PIPE,
                env=environment()) as process:
            self.assertEqual(DEADLINE, process.wait(PATIENCE_S))
            error = json.loads(process.stderr.read())["error"]
        self.assertEqual("timeout", error["category"])

    def test_an_interrupt_stops_the_statement(self):
        process = subprocess.Popen(
            [TENON, "-f", "jsonl", "query", self.url,
             "SELECT 1 AS x UNION ALL " + self.ENDLESS.replace(
                 "WITH", "SELECT * FROM (WITH") + ")"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        # The signal is taken once there is a session; until then it kills.
        wait_until(lambda: blocks(process.pid, signal.SIGINT), "a session")
        wait_until_at_work(process.pid)
        process.send_signal(signal.SIGINT)
        self.assertEqual(DEADLINE, process.wait(PATIENCE_S))
        error = json.loads(process.stderr.read())["error"]
        self.assertEqual("canceled", error["category"])

    def test_a_bad_one_is_refused(self):
        for text in ("soon", "", "-1s", "5 parsecs"):
            with self.subTest(text=text):
                self.fail_with(USAGE, "query", "--deadline", text, self.url,
                               "SELECT 1")


class ExitCodes(TenonTest):
    def test_each_kind_of_failure_has_its_own(self):
        self.succeed("query", self.url, "CREATE TABLE t (a NOT NULL UNIQUE)")
        cases = [
            (USAGE, "config", ["query", "no url", "SELECT 1"]),
            (USAGE, "config", ["query", "sqlite:///x?nonsense=1", "SELECT 1"]),
            (2, "plugin", ["query", "nosuchdb:///x", "SELECT 1"]),
            (CONNECT, None,
             ["query", "sqlite:////nonexistent/folder/x.db", "SELECT 1"]),
            (REFUSED, "syntax", ["query", self.url, "SELEKT 1"]),
            (REFUSED, "no_table", ["query", self.url, "SELECT * FROM absent"]),
            (REFUSED, "no_column", ["query", self.url, "SELECT b FROM t"]),
            (REFUSED, "not_null",
             ["query", self.url, "INSERT INTO t VALUES (NULL)"]),
        ]
        for code, category, args in cases:
            with self.subTest(args=args):
                error = self.fail_json(code, *args)
                if category:
                    self.assertEqual(category, error["category"])

    def test_an_error_has_what_is_known(self):
        self.succeed("query", self.url, "CREATE TABLE t (a NOT NULL UNIQUE)")
        insert = ["query", self.url, "INSERT INTO t VALUES (?)", "int:1"]
        self.succeed(*insert)
        error = self.fail_json(REFUSED, *insert)
        self.assertEqual("duplicate", error["category"])
        self.assertEqual("t", error["table"])
        self.assertEqual(["a"], error["columns"])
        self.assertEqual(2067, error["native"])
        self.assertIsNone(error["schema"])
        self.assertEqual("usable", error["connection"])
        self.assertEqual("never", error["replay"])

    def test_text_shows_the_place(self):
        done = self.run_tool("query", self.url, "SELECT 1,\n  nmae FROM t")
        self.assertEqual(REFUSED, done.code, done)
        self.assertTrue(done.err.startswith("tenon: no_table: "), done)
        done = self.run_tool("query", self.url, "SELECT 'ä',\n\tFORM t")
        self.assertEqual(REFUSED, done.code, done)
        lines = done.err.splitlines()
        caret = [line for line in lines if line.strip() == "^"]
        if caret:  # the position is known
            above = lines[lines.index(caret[0]) - 1]
            self.assertIn("FORM t", above)
            self.assertEqual("FORM t", above[caret[0].index("^"):], done)


class Numbers(TenonTest):
    def test_nan_and_whole_doubles_stay_what_they_are(self):
        out = self.succeed("-f", "json", "query", self.url,
                           "SELECT 2.0, 1e300, -0.0, 9007199254740993")
        self.assertIn('"rows":[[2.0,', out)
        row = json.loads(out)["rows"][0]
        self.assertEqual([2.0, 1e300, 0.0, 9007199254740993], row)
        self.assertEqual(-1.0, math.copysign(1.0, row[2]))


if __name__ == "__main__":
    unittest.main()
