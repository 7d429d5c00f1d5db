"""The four forms of output."""

import base64
import csv
import io
import json
import os
import subprocess
import unittest

from support import (INTERNAL, REFUSED, TENON, USAGE, TenonTest, Terminal,
                     environment)

COUNT_TO = ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
            "WHERE i < {}) SELECT i, 'row ' || i AS t FROM n")


class Table(TenonTest):
    def test_columns_are_aligned_and_null_is_shown(self):
        self.succeed("query", self.url, "-", stdin=(
            "CREATE TABLE t (n INTEGER, name TEXT, data BLOB);"
            "INSERT INTO t VALUES (5, 'nail', NULL), (1234, '', x'00ff'),"
            "(NULL, '日本', x'');"))
        self.assertEqual(
            "   n  name  data\n"
            "   5  nail  NULL\n"
            "1234        \\x00ff\n"
            "NULL  日本  \\x\n",
            self.succeed("query", self.url, "SELECT * FROM t"))

    def test_an_empty_result_shows_its_header(self):
        self.assertEqual(
            "a  b\n", self.succeed("query", self.url,
                                   "SELECT 1 AS a, 2 AS b WHERE 0"))

    def test_two_results_have_a_line_between_them(self):
        self.assertEqual(
            "a\n1\n\nb\n2\n",
            self.succeed("query", self.url, "-",
                         stdin="SELECT '1' AS a; SELECT '2' AS b"))

    def test_a_long_result_comes_in_pieces(self):
        lines = self.succeed("query", self.url,
                             COUNT_TO.format(2500)).splitlines()
        self.assertEqual(2500 + 3, len(lines))
        self.assertEqual(["i", "t"], lines[0].split())
        self.assertEqual(["2500", "row", "2500"], lines[-1].split())

    def test_what_steers_terminals_is_escaped(self):
        text = "a\x1b[31mb\nc\td\x7fe\x9bf\u202eg\u2028h\x00i"
        out = self.succeed("query", self.url,
                           "SELECT ? AS \"c\x1b[2J\"",
                           "blob:" + text.encode().hex())
        self.assertNotIn("\x1b", out)
        out = self.succeed("query", self.url,
                           "SELECT CAST(? AS TEXT) AS \"c\x1b[2J\"",
                           "blob:" + text.encode().hex())
        self.assertEqual(
            "c\\x1b[2J\n"
            "a\\x1b[31mb\\nc\\td\\x7fe\\u009bf\\u202eg\\u2028h\\x00i\n", out)


class Csv(TenonTest):
    def test_rfc_4180(self):
        out = subprocess.run(
            [TENON, "-f", "csv", "query", self.url,
             "SELECT 1 AS \"a,b\", NULL AS n, '' AS e, 'x\"y\n' AS q, "
             "x'0aff' AS h, 0.5 AS d"],
            stdout=subprocess.PIPE, env=environment(), check=True).stdout
        self.assertEqual(
            b'"a,b",n,e,q,h,d\r\n1,,"","x""y\n",\\x0aff,0.5\r\n', out)

    def test_results_have_an_empty_line_between_them(self):
        out = self.succeed("-f", "csv", "query", self.url, "-",
                           stdin="SELECT 1 AS a; CREATE TABLE t (x);"
                                 "SELECT 2 AS b")
        self.assertEqual([["a"], ["1"], [], ["b"], ["2"]],
                         list(csv.reader(io.StringIO(out))))


class Json(TenonTest):
    def test_jsonl_has_an_object_for_each_row(self):
        out = self.succeed("-f", "jsonl", "query", self.url,
                           "SELECT 1 AS a, 2 AS a, 3 AS a_2, NULL AS \"q\"\"\"")
        self.assertEqual({"a": 1, "a_2": 2, "a_2_2": 3, 'q"': None},
                         json.loads(out))

    def test_jsonl_says_nothing_of_a_statement_without_rows(self):
        self.assertEqual("", self.succeed("-f", "jsonl", "query", self.url,
                                          "CREATE TABLE t (a)"))

    def test_json_in_json_is_compact_and_keeps_its_numbers(self):
        self.succeed("query", self.url, "CREATE TABLE t (j JSON)")
        text = ('{ "a" : [ 1 ,\n 12345678901234567890.123456789 ], '
                '"b" : "x \\" y\\n\x7f" }')
        self.succeed("query", self.url, "INSERT INTO t VALUES (?)",
                     "json:" + text)
        out = self.succeed("-f", "json", "query", self.url, "SELECT j FROM t")
        self.assertIn('[[{"a":[1,12345678901234567890.123456789],'
                      '"b":"x \\" y\\n\\u007f"}]]', out)

    def test_a_json_column_with_something_else_in_it(self):
        self.succeed("query", self.url, "-", stdin=(
            "CREATE TABLE t (j JSON); INSERT INTO t VALUES ('{broken');"))
        done = self.run_tool("-f", "json", "query", self.url,
                             "SELECT j FROM t")
        if done.code == 0:  # else the backend refuses to call it JSON
            self.assertEqual([["{broken"]], json.loads(done.out)["rows"])

    def test_text_that_steers_terminals_is_escaped(self):
        out = self.succeed("-f", "json", "query", self.url,
                           "SELECT ? AS x", "\x1b\x7f\x9bz")
        self.assertIn('"\\u001b\\u007f\\u009bz"', out.replace("B", "b"))

    def test_what_breaks_off_is_not_closed(self):
        done = self.run_tool(
            "-f", "json", "query", self.url,
            "SELECT CASE i WHEN 3 THEN abs(-9223372036854775808) ELSE i END "
            "AS i FROM (" + COUNT_TO.format(5) + ")")
        self.assertEqual(REFUSED, done.code, done)
        self.assertTrue(done.out.endswith('"rows":[[1],[2]\n'), done)
        with self.assertRaises(ValueError):
            json.loads(done.out)
        self.assertEqual(1, done.err.count("\n"), done)
        self.assertIn("error", json.loads(done.err))
        help_ = " ".join(self.succeed("--help").split())
        self.assertIn("broke off ends without closing the object", help_)

    def test_base64_of_every_length(self):
        for size in range(0, 8):
            data = bytes((250 + i) % 256 for i in range(size))
            with self.subTest(size=size):
                self.assertEqual(
                    data,
                    base64.b64decode(self.value("SELECT ?",
                                                "blob:" + data.hex())))

    def test_rows_are_not_collected(self):
        command = [TENON, "-f", "json", "query", self.url,
                   COUNT_TO.format(1000000000)]
        # A sanitizer keeps what was released for a while: not here.
        env = environment({"ASAN_OPTIONS": "quarantine_size_mb=1"})
        with subprocess.Popen(command, stdout=subprocess.PIPE,
                              env=env) as process:
            head = process.stdout.read(1_000_000)
            early = self.peak_kib(process)
            process.stdout.read(40_000_000)
            late = self.peak_kib(process)
            process.kill()
        self.assertTrue(head.startswith(b'{"columns":[{"name":"i"'))
        self.assertLess(late - early, 10_000)

    def peak_kib(self, process):
        with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
            return [int(line.split()[1]) for line in file
                    if line.startswith("VmHWM")][0]

    def test_a_result_that_breaks_off_is_not_closed(self):
        self.succeed("query", self.url, "-", stdin=(
            "CREATE TABLE t (a); INSERT INTO t VALUES (1), (0);"))
        done = self.run_tool(
            "-f", "json", "query", self.url,
            "SELECT CASE a WHEN 1 THEN 1 ELSE abs(-9223372036854775808) END"
            " AS x FROM t ORDER BY rowid")
        self.assertEqual(4, done.code, done)
        self.assertTrue(done.out.endswith('"rows":[[1]\n'), done)
        self.assertEqual(1, done.err.count("\n"))


class Arrays(TenonTest):
    """Of a plug-in that returns nothing else."""

    NUMBERS = "[-9223372036854775808,null,2]"
    TEXTS = r'''["a,b","\"q\" \\ \u001B{}","","grüß {}"]'''
    BYTES = '["AP8=",""]'
    ROWS = "[[1.0,0.5],[],null]"

    def row(self, form):
        folder = os.environ["TENON_TEST_PLUGINS"]
        return self.succeed("-f", form, "query", "arrays://h/", "SELECT",
                            env={"TENON_PLUGIN_PATH": folder})

    def test_json_has_arrays_by_the_rules_of_its_cells(self):
        texts = self.TEXTS.format(r"\u007f", r"\u009b")
        mixed = '[{"a":[1,"x y"]},null]'
        out = self.row("json")
        self.assertIn(f'"rows":[[{self.NUMBERS},{texts},{self.BYTES},'
                      f'{self.ROWS},{mixed}]]', out)
        columns = json.loads(out)["columns"]
        self.assertEqual({"name": "numbers", "type": "array"}, columns[0])
        self.assertEqual(
            f'{{"numbers":{self.NUMBERS},"texts":{texts},'
            f'"bytes":{self.BYTES},"rows":{self.ROWS},"mixed":{mixed}}}\n',
            self.row("jsonl"))

    def test_csv_has_json_in_a_field(self):
        header, row = csv.reader(io.StringIO(self.row("csv")))
        self.assertEqual(["numbers", "texts", "bytes", "rows", "mixed"], header)
        self.assertEqual(
            [self.NUMBERS, self.TEXTS.format("\x7f", "\x9b"), self.BYTES,
             self.ROWS, '[{"a": [1, "x y"]},null]'], row)

    def test_a_table_has_json_that_is_safe_to_look_at(self):
        out = self.row("table")
        for cell in (self.NUMBERS, self.TEXTS.format(r"\x7f", r"\u009b"),
                     self.BYTES, self.ROWS, '[{"a": [1, "x y"]},null]'):
            self.assertIn(cell, out)
        self.assertNotIn("\x7f", out)


class Everywhere(TenonTest):
    def test_output_that_cannot_be_written_is_an_error(self):
        for form in ("table", "json", "jsonl", "csv"):
            for sql in ("SELECT 1", COUNT_TO.format(100000)):
                with self.subTest(form=form, sql=sql):
                    with open("/dev/full", "wb") as full:
                        done = self.run_tool("-f", form, "query", self.url,
                                             sql, stdout=full)
                    self.assertEqual(INTERNAL, done.code, done)
                    self.assertIn("No space left", done.err)

    def test_a_form_that_does_not_exist(self):
        self.assertIn("xml", self.fail_with(USAGE, "-f", "xml", "query",
                                            self.url, "SELECT 1"))

    def test_a_usage_error_is_told_in_the_form_asked_for(self):
        for args in (["--bogus", "--format", "json", "ping"],
                     ["--format", "json", "bogus"],
                     ["ping", "--format", "jsonl"]):
            with self.subTest(args=args):
                done = self.run_tool(*args)
                self.assertEqual(USAGE, done.code)
                self.assertEqual(
                    "usage", json.loads(done.err)["error"]["category"])

    def test_a_reader_that_goes_away_ends_it(self):
        with subprocess.Popen(
                [TENON, "-f", "csv", "query", self.url,
                 COUNT_TO.format(1000000000)], stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, env=environment()) as process:
            process.stdout.readline()
            process.stdout.close()
            self.assertNotEqual(0, process.wait(20))
            process.stderr.close()


class Colour(TenonTest):
    def run_terminal(self, *args, **options):
        out, code = Terminal(self, *args, "query", self.url,
                             "SELECT NULL AS x", **options).finish()
        self.assertEqual(0, code)
        return out

    def test_on_a_terminal(self):
        out = self.run_terminal()
        self.assertIn("\x1b[1mx", out)
        self.assertRegex(out, r"\x1b\[2mNULL")
        self.assertRegex(out, r"\(1 row, [0-9.]+ ms\)")

    def test_not_if_the_user_does_not_want_it(self):
        for options in ({"env": {"NO_COLOR": "1"}}, {"env": {"TERM": "dumb"}}):
            self.assertNotIn("\x1b", self.run_terminal(**options))
        self.assertNotIn("\x1b", self.run_terminal("--no-color"))

    def test_no_footer_and_no_colour_in_a_pipe(self):
        self.assertEqual("x\nNULL\n",
                         self.succeed("query", self.url, "SELECT NULL AS x"))

    def test_a_long_cell_is_cut_on_a_terminal_only(self):
        sql = "SELECT printf('%.*c', 500, 'x') AS x"
        out, code = Terminal(self, "query", self.url, sql).finish()
        self.assertEqual(0, code)
        self.assertIn("x" * 200 + "…", out.replace("\r\n", ""))
        self.assertNotIn("x" * 201, out.replace("\r\n", ""))
        self.assertIn("x" * 500, self.succeed("query", self.url, sql))


class Help(TenonTest):
    def test_it_has_every_command_and_the_exit_codes(self):
        out = self.succeed("--help")
        for word in ("query", "shell", "ping", "metrics", "plugins list",
                     "plugins inspect", "plugins check", "plugins doctor",
                     "config show", "config check", "Exit codes", "--format"):
            self.assertIn(word, out)
        for line in out.splitlines():
            self.assertLessEqual(len(line), 100, line)

    def test_each_command_has_its_own(self):
        for command in (["query"], ["shell"], ["ping"], ["plugins", "list"],
                        ["plugins", "inspect"], ["plugins", "check"],
                        ["plugins", "doctor"], ["config", "show"],
                        ["config", "check"]):
            with self.subTest(command=command):
                out = self.succeed(*command, "--help")
                self.assertTrue(
                    out.startswith("usage: tenon " + " ".join(command)), out)
                self.assertIn("--format", out)

    def test_help_is_a_command_as_well(self):
        self.assertEqual(self.succeed("--help"), self.succeed("help"))
        for command in (["query"], ["plugins", "check"], ["plugins"], ["nonsense"]):
            self.assertEqual(self.succeed(*command, "--help"), self.succeed("help", *command))
        self.assertIn("usage: tenon help [COMMAND]", self.succeed("help", "--help"))

    def test_a_command_has_the_options_that_it_takes(self):
        out = self.succeed("metrics", "--help")
        self.assertTrue(out.startswith("usage: tenon metrics TARGET\n"), out)
        self.assertIn("--deadline", out)
        self.assertNotIn("--format", out)
        self.assertIn("--format: tenon metrics does not take it", self.fail_with(
            USAGE, "metrics", self.url, "--format", "table"))
        self.assertNotIn("--deadline", self.succeed("shell", "--help"))

    def test_version(self):
        self.assertRegex(self.succeed("--version"),
                         r"^tenon \d+\.\d+\.\d+ \(plug-in ABI 1\.\d+\)\n$")

    def test_misuse(self):
        for args in ([], ["plugins"], ["config", "shw"], ["bogus"], ["ping"],
                     ["ping", "a", "b"], ["plugins", "list", "x"],
                     ["--format"], ["-x", "ping"], ["--verbose=5", "ping"],
                     ["ping", self.url, "--file", "x"],
                     ["plugins", "list", "--url", "x"]):
            with self.subTest(args=args):
                self.fail_with(USAGE, *args)

    def test_an_unknown_option_does_not_repeat_its_value(self):
        done = self.run_tool("--pasword=hunter2", "ping", self.url)
        self.assertEqual(USAGE, done.code)
        self.assertNotIn("hunter2", done.err)


if __name__ == "__main__":
    unittest.main()
