"""tenon config, and named databases."""

import json
import os
import unittest

from support import PLUGIN, USAGE, TenonTest

CANARY = "Zq7tMx4vKp9wRb2sYd6hNc3f"


class Show(TenonTest):
    def show(self, path, *args):
        out = self.succeed("--config", path, "-f", "json", "config", "show",
                           *args)
        result = json.loads(out)
        self.assertEqual(["database", "key", "value", "unit", "origin"],
                         [column["name"] for column in result["columns"]])
        return {(row[0], row[1]): row[2:] for row in result["rows"]}

    def test_every_key_with_its_origin(self):
        path = self.write(
            "tenon.ini", "[database]\nconnection = sqlite:///x.db\n"
            "max_pool_size = 7\n\n[database:billing]\n"
            "connection = sqlite:///y.db\n")
        rows = self.show(path)
        self.assertEqual(["7", "count", path + ":3"],
                         rows["database", "max_pool_size"])
        self.assertEqual(["sqlite:///y.db", "text", path + ":6"],
                         rows["billing", "connection"])
        self.assertEqual("default", rows["billing", "max_pool_size"][2])

    def test_one_database(self):
        path = self.write("tenon.ini", "[database:billing]\n"
                          "connection = sqlite:///y.db\n")
        for name in ("billing", "@billing"):
            rows = self.show(path, name)
            self.assertEqual({"billing"}, {key[0] for key in rows})

    def test_one_that_there_is_not(self):
        path = self.write("tenon.ini", "[database:billing]\n"
                          "connection = sqlite:///y.db\n")
        done = self.run_tool("--config", path, "config", "show", "biling")
        self.assertEqual(USAGE, done.code, done)
        self.assertEqual("", done.out)
        self.assertIn("billing", done.err)

    def test_secrets_are_masked(self):
        path = self.write("tenon.ini", "[database]\nconnection = "
                          f"postgresql://u:{CANARY}@h/db?password={CANARY}\n")
        for form in ("table", "json", "csv"):
            done = self.run_tool("-vv", "--config", path, "-f", form, "config",
                                 "show")
            self.assertEqual(0, done.code, done)
            self.assertNotIn(CANARY, done.out + done.err)
        self.assertTrue(self.show(path)["database", "connection"][0]
                        .startswith("postgresql://u:***@h/db"))

    def test_a_secret_that_is_not_there_hides_nothing_else(self):
        path = self.write(
            "tenon.ini", "[database]\nconnection = env:NO_SUCH_URL\n"
            "password = file:/nowhere/pw\n[database:b]\nconnection = sqlite:///y.db\n")
        for form in ("table", "json", "jsonl", "csv"):
            with self.subTest(form=form):
                done = self.run_tool("--config", path, "-f", form, "config", "show")
                self.assertEqual(USAGE, done.code, done)
                self.assertIn(path + ":2", done.out)
                self.assertIn("sqlite:///y.db", done.out)
                self.assertIn(f"{path}:2: [database] connection: ", done.err)
                self.assertIn(f"{path}:3: [database] password: ", done.err)
                if form == "json":
                    rows = {(row[0], row[1]): row[2:] for row in json.loads(done.out)["rows"]}
                    self.assertEqual([None, "text", path + ":2"], rows["database", "connection"])
                    self.assertEqual("asyncio_slave_connection", list(rows)[-1][1])
                if form == "jsonl":
                    self.assertTrue(all(json.loads(line) for line in done.out.splitlines()))
        done = self.run_tool("--config", path, "config", "show", "database")
        self.assertEqual(USAGE, done.code, done)
        self.assertIn("max_pool_size", done.out)
        self.succeed("--config", path, "config", "show", "b")


class Check(TenonTest):
    def test_ok_names_the_files(self):
        path = self.write("tenon.ini", "[database]\n"
                          "connection = sqlite:///x.db\n")
        other = self.write("tenon.ini.d/10-more.conf", "[database]\n"
                           "max_pool_size = 3\n")
        self.assertEqual(f"ok: {path}, {other}\n",
                         self.succeed("--config", path, "config", "check"))
        out = self.succeed("--config", path, "-f", "json", "config", "check")
        self.assertEqual([[path], [other]], json.loads(out)["rows"])

    def test_an_empty_url_is_none(self):
        path = self.write("tenon.ini", "[database]\nconnection =\n"
                          "slave_connection =\n")
        self.succeed("--config", path, "config", "check")

    def test_what_is_wrong_is_told_with_its_place(self):
        cases = [
            ("[database]\nmax_pol_size = 3\n", ":2", "max_pool_size"),
            ("[database]\nmax_pool_size = many\n", ":2", "max_pool_size"),
            ("[database]\nconnection = nonsense\n", ":2", "connection"),
            ("[database]\nconnection = env:NO_SUCH_VARIABLE\n", "",
             "NO_SUCH_VARIABLE"),
            ("[database:b]\nconnection = sqlite:///b.db?colour=red\n", ":2",
             'connection of "b": sqlite: option "colour": unknown'),
            ("[database]\nconnection = sqlite:///b.db?max_pol_size=1\n", ":2",
             'did you mean "max_pool_size"?'),
            ("[database:b]\nconnection = sqlite://\n"
             "slave_connection = nonsense\n", ":3", "slave_connection"),
            ("[database:b]\nconnection = sqlite://\n"
             "slave_connection = sqlite:///b.db?colour=red\n", ":3",
             'slave_connection of "b": sqlite: option "colour": unknown'),
        ]
        for text, place, word in cases:
            with self.subTest(text=text):
                path = self.write("tenon.ini", text)
                error = self.fail_json(USAGE, "--config", path, "config",
                                       "check")
                self.assertEqual("config", error["category"])
                self.assertIn(word, error["message"] + (error["detail"] or ""))
                if place:
                    self.assertIn(path + place, error["message"])

    def test_a_scheme_that_nobody_serves_is_told_with_its_place(self):
        path = self.write("tenon.ini", "[database]\n"
                          "connection = sqlit:///a.db\n")
        error = self.fail_json(PLUGIN, "--config", path, "config", "check")
        self.assertIn(path + ":2", error["message"])
        self.assertIn('did you mean "sqlite"?', error["message"])
        self.assertIn("no manifest here has this scheme", error["detail"])

    def test_nothing_is_connected(self):
        path = self.write("tenon.ini", "[database]\nconnection = sqlite:///" +
                          self.path("a.db") + "\n")
        self.succeed("--config", path, "config", "check")
        self.assertFalse(os.path.exists(self.path("a.db")))

    def test_a_file_that_is_not_there(self):
        for args in (["config", "check"], ["config", "show"],
                     ["ping", self.url]):
            self.fail_with(USAGE, "--config", self.path("absent.ini"), *args)


class Named(TenonTest):
    def test_a_named_database_is_a_target(self):
        path = self.write("tenon.ini", "[database]\nconnection = "
                          "sqlite:///" + self.path("a.db") + "\n"
                          "[database:b]\nconnection = env:B_URL\n")
        env = {"B_URL": "sqlite:///" + self.path("b.db")}
        for target in ("@database", "@b"):
            self.succeed("--config", path, "query", target,
                         f"CREATE TABLE t AS SELECT '{target}' AS x", env=env)
        out = self.succeed("--config", path, "-f", "csv", "query", "@b",
                           "SELECT x FROM t", env=env)
        self.assertEqual(["x", "@b"], out.split())

    def test_values_refer_to_one_another_as_those_of_nova_do(self):
        path = self.write(
            "nova.conf", f"[DEFAULT]\nstate_path = {self.folder}/nova$$\n"
            "instances_path = $state_path/instances\n"
            "[paths]\nmain = nova.sqlite\n"
            "[database]\nmax_pool_size = 7\n"
            "connection = sqlite:///$state_path/${paths.main}?mode=rwc\n"
            "[database:cell0]\nconnection = sqlite:///$state_path/cell0\n")
        os.mkdir(self.path("nova$"))
        for target, name in (("@database", "nova.sqlite"), ("@cell0", "cell0")):
            self.succeed("--config", path, "query", target, "CREATE TABLE t (a)")
            self.assertTrue(os.path.exists(self.path("nova$/" + name)))
        shown = self.succeed("--config", path, "-f", "csv", "config", "show", "cell0")
        self.assertIn(f"sqlite:///{self.folder}/nova$/cell0,text,{path}:10", shown)

        path = self.write("nova.conf", "[database]\nconnection = sqlite:///$state_path/x\n")
        error = self.fail_with(USAGE, "--config", path, "config", "check")
        self.assertEqual(1, error.count("\n"), error)
        self.assertIn(f"{path}:2: [database] connection: ", error)
        self.assertIn("write $$ for a dollar", error)

    def test_the_file_may_come_from_the_environment(self):
        path = self.write("tenon.ini", "[database:b]\nconnection = "
                          "sqlite:///" + self.path("b.db") + "\n")
        self.succeed("ping", "@b", env={"TENON_CONFIG": path})

    def test_an_unknown_name_is_a_usage_error(self):
        path = self.write("tenon.ini", "[database:billing]\n"
                          "connection = sqlite:///y.db\n")
        for target in ("@biling", "@"):
            done = self.run_tool("--config", path, "ping", target)
            self.assertEqual(USAGE, done.code, done)

    def test_password_does_not_go_with_a_name(self):
        path = self.write("tenon.ini", "[database:b]\n"
                          "connection = sqlite:///y.db\n")
        self.assertIn("password", self.fail_with(
            USAGE, "--config", path, "--password", "env:HOME", "ping", "@b"))


if __name__ == "__main__":
    unittest.main()
