"""tenon plugins and tenon ping."""

import json
import os
import re
import shutil
import subprocess
import unittest
from unittest import mock

from support import (PLUGIN, REFUSED, TENON, USAGE, TenonTest, plugin_folder)


class Listing(TenonTest):
    def test_list_loads_nothing(self):
        result = json.loads(self.succeed("-f", "json", "plugins", "list"))
        self.assertEqual(
            ["name", "schemes", "state", "version", "client", "package",
             "file"], [column["name"] for column in result["columns"]])
        rows = {row[0]: row for row in result["rows"]}
        self.assertEqual("known", rows["sqlite"][2])
        self.assertIn("sqlite", rows["sqlite"][1].split())
        self.assertTrue(rows["sqlite"][6].endswith("/sqlite.so"))

    def test_list_is_a_table_for_people(self):
        lines = self.succeed("plugins", "list").splitlines()
        self.assertTrue(lines[0].startswith("name"), lines)
        self.assertTrue(any(line.startswith("sqlite ") for line in lines))

    def test_inspect_tells_descriptor_and_options(self):
        out = self.succeed("-f", "json", "plugins", "inspect", "sqlite")
        fields, options = [json.loads(line) for line in out.splitlines()]
        fields = dict(fields["rows"])
        self.assertEqual("sqlite", fields["name"])
        self.assertEqual("1.0", fields["abi"])
        self.assertRegex(fields["client version"], r"^3\.")
        self.assertIn("write", fields["capabilities"].split())
        self.assertEqual(
            ["option", "type", "values", "default", "help"],
            [column["name"] for column in options["columns"]])
        self.assertTrue(all(row[4] for row in options["rows"]))

    def test_inspect_of_none(self):
        error = self.fail_json(PLUGIN, "plugins", "inspect", "nosuch")
        self.assertEqual("plugin", error["category"])

    def test_ping(self):
        result = json.loads(self.succeed("-f", "json", "ping", self.url))
        row = dict(zip([c["name"] for c in result["columns"]],
                       result["rows"][0]))
        self.assertEqual("sqlite", row["backend"])
        self.assertRegex(row["server"], r"3\.\d+")
        self.assertGreaterEqual(row["ping_ms"], 0)

    def test_a_category_that_begins_the_message_is_told_once(self):
        words = 'plugin: no backend for scheme "nosuch"'
        self.assertTrue(self.fail_with(PLUGIN, "ping", "nosuch://")
                        .startswith("tenon: " + words))
        error = self.fail_json(PLUGIN, "ping", "nosuch://")
        self.assertEqual("plugin", error["category"])
        self.assertTrue(error["message"].startswith(words), error)

    def test_a_wrong_second_word_is_told(self):
        error = self.fail_with(USAGE, "plugins", "lst")
        self.assertIn('"plugins lst": no such command; there is "tenon '
                      'plugins list"', error)
        self.assertIn("plugins: what of it?", self.fail_with(USAGE, "plugins"))


class Errors(TenonTest):
    def explain(self, backend, code):
        out = self.succeed("-f", "json", "errors", "explain", backend, code)
        return [dict(json.loads(line)["rows"]) for line in out.splitlines()]

    def test_explain_by_number_name_and_code(self):
        cases = [
            ("sqlite", "2067", "SQLITE_CONSTRAINT_UNIQUE", "duplicate"),
            ("sqlite", "SQLITE_BUSY_SNAPSHOT", "SQLITE_BUSY_SNAPSHOT", "busy"),
            ("sqlite", "busy_snapshot", "SQLITE_BUSY_SNAPSHOT", "busy"),
            ("sqlite", "11", "SQLITE_CORRUPT", "io"),
            ("mysql", "1205", "ER_LOCK_WAIT_TIMEOUT", "lock_timeout"),
            ("mysql", "dup_entry", "ER_DUP_ENTRY", "duplicate"),
            ("mysql", "22012", "data exception", "data"),
            ("postgresql", "23505", "unique_violation", "duplicate"),
            ("postgresql", "40p01", "deadlock_detected", "deadlock"),
            ("postgresql", "42", "syntax_error_or_access_rule_violation",
             "syntax"),
            ("postgresql", "42Z99", "syntax_error_or_access_rule_violation",
             "syntax"),
        ]
        for backend, code, name, category in cases:
            with self.subTest(backend=backend, code=code):
                rows = self.explain(backend, code)
                self.assertEqual(1, len(rows), rows)
                self.assertEqual(name, rows[0]["name"])
                self.assertEqual(category, rows[0]["category"])
                self.assertEqual("plug-in", rows[0]["said by"])

    def test_a_number_of_two_meanings_has_both(self):
        rows = self.explain("mysql", "4031")
        self.assertEqual({"not_found", "lost"},
                         {row["category"] for row in rows})
        self.assertEqual({"4031"}, {row["code"] for row in rows})

    def test_fields_and_where_they_come_from(self):
        row = self.explain("postgresql", "23505")[0]
        self.assertEqual("schema, table, columns, constraint", row["protocol"])
        self.assertEqual("columns, key, value", row["message"])
        self.assertEqual("schema, table, columns, constraint, key_table",
                         row["catalogue"])
        row = self.explain("mysql", "1048")[0]
        self.assertEqual(("", "schema, table, columns", ""),
                         (row["protocol"], row["message"], row["catalogue"]))
        row = self.explain("postgresql", "57P01")[0]
        self.assertEqual(("", "", ""),
                         (row["protocol"], row["message"], row["catalogue"]))

    def test_verdicts(self):
        row = self.explain("postgresql", "57P01")[0]
        self.assertEqual(("dead", "transaction"),
                         (row["connection"], row["replay"]))

    def test_what_has_no_row(self):
        error = self.fail_json(USAGE, "errors", "explain", "sqlite", "nosuch")
        self.assertIn("no row for \"nosuch\"", error["message"])
        self.fail_json(PLUGIN, "errors", "explain", "nosuch", "1")

    def test_a_scheme_will_do(self):
        self.assertEqual(self.explain("mysql", "1062"),
                         self.explain("mariadb", "1062"))
        self.assertEqual(self.explain("postgresql", "23505"),
                         self.explain("postgres", "23505"))
        self.assertEqual(self.succeed("errors", "list", "mysql"),
                         self.succeed("errors", "list", "mariadb"))
        self.assertEqual(self.succeed("plugins", "inspect", "mysql"),
                         self.succeed("plugins", "inspect", "mariadb"))

    def test_no_header_comes_before_a_failure(self):
        done = self.run_tool("-f", "csv", "errors", "list", "nosuch")
        self.assertEqual((PLUGIN, ""), (done.code, done.out), done)

    def test_list(self):
        all_rows = json.loads(self.succeed("-f", "json", "errors",
                                           "list"))["rows"]
        self.assertEqual({"sqlite", "mysql", "postgresql"},
                         {row[0] for row in all_rows})
        rows = json.loads(self.succeed("-f", "json", "errors", "list",
                                       "sqlite"))["rows"]
        self.assertEqual([row for row in all_rows if row[0] == "sqlite"], rows)
        self.assertIn(["sqlite", "5", "SQLITE_BUSY", "busy", "usable",
                       "transaction", "plug-in"], rows)
        lines = self.succeed("errors", "list", "sqlite").splitlines()
        self.assertTrue(lines[0].startswith("backend"), lines[0])
        self.assertEqual(len(rows) + 1, len(lines))


class Broken(TenonTest):
    """A folder with a plug-in in it that cannot be used."""

    MANIFEST = "[plugin]\nname = {name}\nabi = {abi}\nschemes = {name}\n"

    def plugin(self, name, change=None, abi=1, mode=0o644):
        self.write(name + ".ini", self.MANIFEST.format(name=name, abi=abi),
                   0o644)
        if change is None:
            return
        with open(os.path.join(plugin_folder(), "sqlite.so"), "rb") as file:
            self.write(name + ".so", change(file.read()), mode)

    def both(self, name):
        """What doctor and the failed open say, which must agree."""
        done = self.run_tool("--plugin-dir", self.folder, "plugins", "doctor",
                             env={"TENON_PLUGIN_PATH": None})
        self.assertEqual(PLUGIN, done.code, done)
        self.assertIn(name + ": broken", done.out)
        machine = self.run_tool("--plugin-dir", self.folder, "-f", "json",
                                "plugins", "doctor",
                                env={"TENON_PLUGIN_PATH": None})
        self.assertEqual(PLUGIN, machine.code)
        rows = {row[0]: row for row in json.loads(machine.out)["rows"]}
        self.assertEqual("broken", rows[name][1])
        error = self.fail_json(PLUGIN, "--plugin-dir", self.folder, "ping",
                               name + "://", env={"TENON_PLUGIN_PATH": None})
        self.assertEqual("plugin", error["category"])
        return done.out, error["message"] + "\n" + (error["detail"] or "")

    def expect(self, name, *words):
        for text in self.both(name):
            for word in words:
                self.assertIn(word, text)

    def test_the_file_is_not_there(self):
        self.plugin("gone")
        self.expect("gone", self.path("gone.so"), "absent")

    def test_a_missing_dependency(self):
        self.plugin("dep", lambda data: data.replace(
            b"libsqlite3.so.0", b"libsqliteX.so.0"))
        self.expect("dep", self.path("dep.so"), "libsqliteX.so.0")

    def test_a_wrong_machine(self):
        self.plugin("alien", lambda data: data[:18] + b"\xb7\x00" + data[20:]
                    if data[18:20] != b"\xb7\x00"
                    else data[:18] + b"\x3e\x00" + data[20:])
        self.expect("alien", self.path("alien.so"), "wrong machine")

    def test_an_unsafe_mode(self):
        self.plugin("open", lambda data: data, mode=0o666)
        self.expect("open", self.path("open.so"))

    def test_no_entry_point(self):
        self.plugin("noentry", lambda data: data.replace(
            b"tn_plugin_entry", b"tn_plugin_entrx"))
        self.expect("noentry", self.path("noentry.so"), "tn_plugin_entry")

    def test_an_entry_point_that_is_data(self):
        self.plugin("data")
        shutil.copy(os.path.join(os.environ["TENON_TEST_PLUGINS"],
                                 "data_entry.so"), self.path("data.so"))
        os.chmod(self.path("data.so"), 0o644)
        self.expect("data", self.path("data.so"),
                    "tn_plugin_entry is not a function")
        for args in (["list"], ["inspect", "data"]):
            done = self.run_tool("--plugin-dir", self.folder, "plugins", *args)
            self.assertGreaterEqual(done.code, 0, done)

    def test_an_undefined_symbol(self):
        self.plugin("undef", lambda data: data.replace(
            b"\0sqlite3_step\0", b"\0sqlite3_stxp\0"))
        self.expect("undef", self.path("undef.so"), "sqlite3_stxp")

    def test_no_elf_file(self):
        self.plugin("text", lambda data: b"not a program")
        self.expect("text", self.path("text.so"), "ELF")

    def test_another_abi(self):
        self.plugin("future", lambda data: data, abi=2)
        self.expect("future", "2")

    def test_another_name_than_its_own(self):
        self.plugin("liar", lambda data: data)
        self.expect("liar", self.path("liar.so"), "sqlite")

    def test_two_for_one_scheme(self):
        shutil.copy(os.path.join(plugin_folder(), "sqlite.so"), self.folder)
        os.chmod(self.path("sqlite.so"), 0o644)
        for name in ("sqlite", "other"):
            self.write(name + ".ini", "[plugin]\nname = " + name +
                       "\nabi = 1\nschemes = sqlite\n", 0o644)
        done = self.run_tool("--plugin-dir", self.folder, "plugins", "doctor",
                             env={"TENON_PLUGIN_PATH": None})
        self.assertEqual(PLUGIN, done.code, done)
        self.assertIn("sqlite: ok\n", done.out)
        self.assertIn("scheme sqlite: ambiguous\n", done.out)
        machine = self.run_tool("--plugin-dir", self.folder, "-f", "json",
                                "plugins", "doctor",
                                env={"TENON_PLUGIN_PATH": None})
        row = json.loads(machine.out)["rows"][-1]
        self.assertEqual(["sqlite", "ambiguous"], row[:2])
        error = self.fail_json(PLUGIN, "--plugin-dir", self.folder, "ping",
                               "sqlite://", env={"TENON_PLUGIN_PATH": None})
        self.assertEqual(error["message"], row[4])
        for text in (done.out, error["message"]):
            self.assertIn("claimed by both", text)
            self.assertIn(self.path("sqlite.ini"), text)
            self.assertIn(self.path("other.ini"), text)

    def test_a_bad_manifest(self):
        self.write("odd.ini", "[plugin]\nname = odd\nabi = 1\nschems = odd\n",
                   0o644)
        done = self.run_tool("--plugin-dir", self.folder, "plugins", "doctor",
                             env={"TENON_PLUGIN_PATH": None})
        self.assertEqual(PLUGIN, done.code, done)
        self.assertIn("odd.ini:4", done.out)

    def test_quirks_beside_a_manifest_are_none(self):
        self.plugin("sqlite", lambda data: data)
        self.write("sqlite.quirks.ini", "[sample.rows]\nvalue = 4\n", 0o644)
        out = self.succeed("--plugin-dir", self.folder, "plugins", "doctor",
                           env={"TENON_PLUGIN_PATH": None})
        self.assertNotIn("quirks", out)

    def test_none_at_all(self):
        error = self.fail_json(PLUGIN, "--plugin-dir", self.folder, "ping",
                               "sqlite://", env={"TENON_PLUGIN_PATH": None})
        self.assertIn("sqlite", error["message"])
        self.assertIn(self.folder, error["message"] + (error["detail"] or ""))


class New(TenonTest):
    def test_a_name_that_no_manifest_may_have(self):
        error = self.fail_with(USAGE, "plugins", "new", "a" * 24)
        self.assertIn("1 to 23 small letters", error)
        done = self.run_tool("plugins", "new", "a" * 23)
        self.assertNotIn("a name is", done.err, done)
        self.write("a" * 23 + ".ini", Broken.MANIFEST.format(
            name="a" * 23, abi=1), 0o644)
        done = self.run_tool("--plugin-dir", self.folder, "plugins", "list")
        self.assertEqual((0, ""), (done.code, done.err), done)


class Doctor(TenonTest):
    def test_all_is_well(self):
        out = self.succeed("--plugin-dir", plugin_folder(), "plugins",
                           "doctor", env={"TENON_PLUGIN_PATH": None})
        self.assertIn("sqlite: ok\n", out)
        self.assertIn("sqlite.so", out)

    def test_a_folder_that_was_named_and_is_not_there_is_told(self):
        folders = ["--plugin-dir", plugin_folder(), "--plugin-dir", self.path("none")]
        done = self.run_tool(*folders, "plugins", "doctor", env={"TENON_PLUGIN_PATH": None})
        self.assertEqual(PLUGIN, done.code, done)
        self.assertIn(f"{self.path('none')}: broken\n  there is no such folder\n", done.out)
        self.assertNotIn("tried:", done.out)
        self.assertEqual([[1]], json.loads(self.succeed(
            *folders, "-f", "json", "query", "sqlite://", "SELECT 1"))["rows"])


class Check(TenonTest):
    """The suite is a program of its own; here one that tells its arguments."""

    def setUp(self):
        super().setUp()
        shutil.copy(TENON, self.path("tenon"))
        self.write("tenon-plugin-check", "#!/bin/sh\n"
                   "for word; do echo \"[$word]\"; done\n"
                   "echo \"url=$TENON_CHECK_URL\"\nexit 1\n", 0o755)

    def run_copy(self, *args):
        """Run the copy, with the library that the tool itself uses."""
        ldd = subprocess.run(["ldd", TENON], capture_output=True, text=True,
                             check=True).stdout
        library = re.search(r"libtenon\S* => (\S+)", ldd).group(1)
        env = {"LD_LIBRARY_PATH": os.path.dirname(library)}
        with mock.patch("support.TENON", self.path("tenon")):
            return self.run_tool(*args, env=env)

    def test_arguments_and_exit_code_are_passed_on(self):
        done = self.run_copy("plugins", "check", "x.so", "--url",
                             "sqlite:///x.db", "--quirks", "q")
        self.assertEqual(1, done.code, done)
        self.assertEqual(
            f"[{self.path('x.so')}]\n[--url]\n[sqlite:///x.db]\n[--quirks]\n"
            "[q]\nurl=\n",
            done.out)

    def test_quirks_beside_the_manifest_or_the_file_are_found(self):
        shutil.copy(os.path.join(plugin_folder(), "sqlite.so"), self.path("x.so"))
        quirks = self.write("x.quirks.ini", "")
        told = (f"quirks: {quirks}\n[{self.path('x.so')}]\n[--url]\n[sqlite:///x.db]\n"
                f"[--quirks]\n[{quirks}]\nurl=\n")
        done = self.run_copy("plugins", "check", "x.so", "--url", "sqlite:///x.db")
        self.assertEqual(told, done.out)

        os.mkdir(self.path("m"), 0o755)
        os.rename(self.path("x.so"), self.path("m/x.so"))
        self.write("m/sqlite.ini", "[plugin]\nname = sqlite\nfile = x.so\nabi = 1\n"
                   "schemes = sqlite\nclient = sqlite3\n")
        quirks = self.write("m/sqlite.quirks.ini", "")
        os.link(self.path("m/x.so"), self.path("x.so"))
        done = self.run_copy("--plugin-dir", self.path("m"), "plugins", "check", "x.so",
                             "--url", "sqlite:///x.db")
        self.assertIn(f"[--quirks]\n[{quirks}]\n", done.out)
        self.assertIn(f"quirks: {quirks}\n", done.out)

    def test_a_database_that_ends_with_its_session_is_refused(self):
        suite = os.path.join(os.path.dirname(TENON), "tenon-plugin-check")
        file = os.path.join(plugin_folder(), "sqlite.so")
        for url in ("sqlite://", "sqlite:///:memory:?max_pool_size=5"):
            with self.subTest(url=url):
                done = subprocess.run([suite, file, "--url", url], check=False,
                                      capture_output=True, text=True)
                self.assertEqual(
                    (2, "", "plugin-check: --url: the database ends with its "
                     "session; the suite needs one that several sessions see\n"),
                    (done.returncode, done.stdout, done.stderr))

    def test_a_password_does_not_become_an_argument(self):
        done = self.run_copy("plugins", "check", "/x.so", "--url",
                             "x://u:hunter2@h/db")
        self.assertEqual(
            "[/x.so]\n[--url]\n[env:TENON_CHECK_URL]\n"
            "url=x://u:hunter2@h/db\n", done.out)

    def test_the_suite_explains_itself(self):
        suite = os.path.join(os.path.dirname(TENON), "tenon-plugin-check")
        done = subprocess.run([suite, "--help"], capture_output=True,
                              text=True, check=True)
        self.assertEqual("", done.stderr)
        usage, _, rest = done.stdout.partition("\n")
        for option in re.findall(r"--\w+", usage):
            self.assertIn(f"\n  {option} ", rest)
        done = subprocess.run([suite], capture_output=True, text=True,
                              check=False)
        self.assertEqual((2, "", usage + "\n"),
                         (done.returncode, done.stdout, done.stderr))

    def test_a_url_of_another_backend_is_refused_once(self):
        suite = os.path.join(os.path.dirname(TENON), "tenon-plugin-check")
        file = os.path.join(plugin_folder(), "sqlite.so")
        for url in ("postgresql://x", "sqlit://", "sqlite3+odbc://"):
            with self.subTest(url=url):
                done = subprocess.run([suite, file, "--url", url], check=False,
                                      capture_output=True, text=True)
                scheme = url.partition(":")[0].partition("+")[0]
                self.assertEqual(
                    (2, "", 'plugin-check: --url: plug-in "sqlite" does not '
                     f'serve scheme "{scheme}", but sqlite\n'),
                    (done.returncode, done.stdout, done.stderr))

    def test_misuse(self):
        self.fail_with(USAGE, "plugins", "check", "x.so")
        self.fail_with(USAGE, "plugins", "check", "x.so", "--url", "nonsense")


class ReadOnly(TenonTest):
    def test_a_write_to_a_read_only_database_is_refused(self):
        self.succeed("query", self.url, "CREATE TABLE t (a)")
        error = self.fail_json(
            REFUSED, "query",
            "sqlite:///file:" + self.path("test.db") + "?mode=ro&uri=true",
            "INSERT INTO t VALUES (1)")
        self.assertEqual("read_only", error["category"])


if __name__ == "__main__":
    unittest.main()
