"""The manual pages against the code: they are whole, clean, and their examples
work. What a page must have is asked of another than what made the page."""

import functools
import json
import os
import re
import subprocess
import unittest

from support import TENON, USAGE, TenonTest, environment

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
PAGES = os.environ.get("TENON_MAN", "")
CONFIG_CHECKED = "tenon-check.ini"


def read(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        return file.read()


def source(page):
    """A page as it is installed."""
    with open(os.path.join(PAGES, f"man{page[-1]}", page), encoding="ascii") as file:
        return file.read()


def all_pages():
    """Those with a text of their own."""
    return [page for folder in sorted(os.listdir(PAGES))
            for page in sorted(os.listdir(os.path.join(PAGES, folder)))
            if not source(page).startswith(".so ")]


def path_of(page):
    return os.path.join(PAGES, f"man{page[-1]}", page)


def man(*arguments):
    return subprocess.run(
        ["man", *arguments], capture_output=True, check=False,
        env=environment({"LC_ALL": "C.UTF-8", "MANWIDTH": "4000", "MAN_KEEP_STDERR": "1",
                         "MANPATH": PAGES, "MANPAGER": "cat"}))


@functools.lru_cache(maxsize=None)
def shown(page):
    """A page as a person sees it, but with paragraphs in one line."""
    done = man("--nh", "--nj", "-l", path_of(page))
    return done.stdout.decode().replace("\u2010", "-")


def examples(page, kind):
    """The displays below a comment that says of what kind they are."""
    for found in re.finditer(rf'^\.\\" {kind}\n\.Bd -literal[^\n]*\n(.*?)^\.Ed$', source(page),
                             flags=re.M | re.S):
        text = re.sub(r"^\\&", "", found[1], flags=re.M)
        for escape, letter in ((r"\-", "-"), (r"\(aq", "'"), (r"\(ha", "^"), (r"\(ti", "~"),
                               (r"\(ga", "`"), (r"\e", "\\")):
            text = text.replace(escape, letter)
        yield text


def item(page, tag):
    """The text of a list's item, in one line; None if there is none."""
    lines = shown(page).split("\n")
    for number, line in enumerate(lines):
        found = re.fullmatch(rf"( +){re.escape(tag)}(?: {{2,}}(\S.*))?", line)
        if found is None:
            continue
        if found[2]:
            return found[2]
        if number + 1 < len(lines) and lines[number + 1].startswith(found[1] + "  "):
            return lines[number + 1].strip()
    return None


class ManTest(TenonTest):
    """The pages of the build."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not os.path.isdir(PAGES):
            raise RuntimeError("TENON_MAN must name the folder of the pages")

    def rows(self, first_column, *command):
        """Of the table that begins with that column, its rows as dicts."""
        out = self.succeed("--format", "json", *command)
        for line in out.splitlines():
            table = json.loads(line)
            names = [column["name"] for column in table["columns"]]
            if names[0] == first_column:
                return [dict(zip(names, row)) for row in table["rows"]]
        self.fail(f"no table of {first_column} in {out}")
        return []

    # ---- whole ----

    def test_the_pages_that_are_promised_are_there(self):
        wanted = {"tenon.1", "tenon.3", "tenon.ini.5", "tenon-url.7", "tenon-errors.7",
                  "tenon-plugin.3"}
        wanted |= {f"tenon-{row['name']}.7" for row in self.rows("name", "plugins", "list")}
        self.assertLessEqual(wanted, set(all_pages()))

    def test_every_command_and_option_of_help_is_in_tenon_1(self):
        text = self.succeed("--help")
        part = text.split("Commands:\n", 1)[1].split("\n\n", 1)[0]
        commands = re.findall(r"^  ([a-z]+(?: [a-z]+)*)", part, flags=re.M)
        self.assertGreater(len(commands), 9, part)
        for command in commands:
            with self.subTest(command=command):
                own = self.succeed(*command.split(), "--help")
                usage = re.match("usage: (.*)", own)[1].strip()
                self.assertRegex(shown("tenon.1"), rf"(?m)^ +{re.escape(usage)}$")
                self.assert_words_are_shown(own)
        self.assert_words_are_shown(text)

    def assert_words_are_shown(self, text):
        """Each option with its help, and each other word of the text."""
        for tag, told in re.findall(r"^ +((?:-\w, )?--[\w-]+(?: [A-Z]+)?) +(.*)$", text,
                                    flags=re.M):
            self.assertEqual(told.lower() + ".", (item("tenon.1", tag) or "").lower(), tag)
        page = shown("tenon.1").lower()
        words = set(re.findall(r"[\w$/-]{4,}", text.lower()))
        self.assertEqual(set(), {word for word in words if word not in page} -
                         {"codes", "tells", "usage"})

    def test_every_variable_that_is_read_is_in_tenon_1(self):
        names = set()
        for folder, _folders, files in os.walk(os.path.join(ROOT, "core")):
            for file in files:
                text = read(os.path.join(folder, file))
                for literal, word in re.findall(r'getenv\((?:"(\w+)"|(\w+))\)', text):
                    told = re.search(rf'\b{word}(?:\[\] =)? "(\w+)"', text) if word else None
                    names |= {literal or (told[1] if told else "")} - {""}
        self.assertGreater(len(names), 3, names)
        self.assertLessEqual(names, set(re.findall(r"^\.It Ev (\S+)", source("tenon.1"),
                                                   flags=re.M)))

    def test_every_option_is_in_tenon_ini_5(self):
        rows = self.rows("database", "config", "show")
        self.assertGreater(len(rows), 40)
        in_file = re.findall(r"^# (\w+) =", read("conf/tenon.ini"), flags=re.M)
        self.assertEqual(in_file, [row["key"] for row in rows])
        for row in rows:
            with self.subTest(key=row["key"]):
                text = item("tenon.ini.5", row["key"])
                self.assertIsNotNone(text)
                if row["value"]:
                    self.assertIn(f"Default: {row['value']}.", text)

    def test_old_names_and_ranges_are_in_tenon_ini_5(self):
        for part in read("conf/tenon.ini").split("\n\n"):
            key = re.search(r"^# (\w+) =", part, flags=re.M)
            if key is None:
                continue
            told = " ".join(line.removeprefix("# ") for line in part.split("\n"))
            with self.subTest(key=key[1]):
                text = item("tenon.ini.5", key[1])
                for found in re.finditer(r"(Range: \S+ to \S+|Old names: .*?)\.(?= )", told):
                    self.assertIn(found[1], text)

    def test_every_option_of_a_backend_is_in_its_page(self):
        for plugin in self.rows("name", "plugins", "list"):
            name = plugin["name"]
            for scheme in plugin["schemes"].split():
                self.assertIn(f"{scheme}://", shown(f"tenon-{name}.7"))
                self.assertIn(scheme, shown("tenon-url.7"))
            for row in self.rows("option", "plugins", "inspect", name):
                with self.subTest(plugin=name, option=row["option"]):
                    self.assert_option_is_shown(f"tenon-{name}.7", row)

    def assert_option_is_shown(self, page, row):
        """Those that are the same on all backends have one place."""
        text = item(page, row["option"])
        if text is None:
            text = item("tenon-url.7", row["option"])
            self.assertIn("tenon-url(7)", shown(page))
            self.assertIn(row["default"], text)
        else:
            self.assertTrue(text.lower().startswith(row["help"].rstrip(".").lower()), text)
            if row["default"]:
                self.assertIn(f"Default: {row['default']}.", text)
        for word in row["values"].split("|"):
            self.assertIn(word.split(" ", 1)[0], text)

    def test_every_category_is_in_tenon_errors_7(self):
        body = re.search(r"enum tn_code \{(.*?)\};", read("include/tenon/err.h"), flags=re.S)[1]
        names = re.findall(r"^  TN_E_(\w+)", body, flags=re.M)
        usual = {found[1]: (found[2].lower(), found[3].lower()) for found in re.finditer(
            r'\{ "(\w+)", ([A-Z]+), ([A-Z]+),', read("core/base/err.c"))}
        self.assertEqual({name.lower() for name in names}, set(usual))
        for name in names:
            with self.subTest(category=name):
                text = item("tenon-errors.7", f"{name.lower()} (TN_E_{name})")
                self.assertIsNotNone(text)
                connection, replay = usual[name.lower()]
                self.assertIn(f"Usually: connection {connection}, replay {replay}.", text)

    def test_man_finds_every_public_function(self):
        listed = subprocess.run(["nm", "-D", "--defined-only", os.environ["TENON_LIBRARY"]],
                                capture_output=True, text=True, check=True).stdout
        names = {line.split()[-1].split("@")[0] for line in listed.splitlines()}
        names = {name for name in names if name.startswith("tn_")} | {"tn_plugin_entry"}
        for header in os.listdir(os.path.join(ROOT, "include/tenon")):
            names |= set(re.findall(r"^static inline[^(;{]*?\b(tn_\w+)\(",
                                    read(f"include/tenon/{header}"), flags=re.M))
        self.assertGreater(len(names), 200)
        for name, page in self.found_in_section_3(names):
            self.assertRegex(shown(page), rf"\b{name}\(", page)
            self.assertRegex(shown(page).split("SYNOPSIS")[0], rf"\b{name}\b", page)

    def test_man_finds_every_public_type(self):
        text = "\n".join(read(f"include/tenon/{header}")
                         for header in os.listdir(os.path.join(ROOT, "include/tenon")))
        names = set(re.findall(r"^(?:typedef )?(?:struct|enum) (tn_\w+)(?: \{| \1;)", text,
                               flags=re.M))
        names |= set(re.findall(r"\(\*(tn_\w+_fn)\)", text))
        self.assertGreater(len(names), 80)
        for name, page in self.found_in_section_3(names):
            if page != name.replace("tn_", "tenon_") + ".3":
                self.assertRegex(shown(page), rf"(?m)^ +(typedef|struct|enum|\}}).*\b{name}\b")

    def found_in_section_3(self, names):
        """Each with the page that man finds."""
        names = sorted(names)
        done = man("-w", "3", *names)
        self.assertEqual((0, b""), (done.returncode, done.stderr))
        found = done.stdout.decode().splitlines()
        self.assertEqual(len(names), len(found))
        return [(name, os.path.basename(path)) for name, path in zip(names, found)]

    def test_apropos_finds_every_page_and_function(self):
        done = subprocess.run(["lexgrog", *map(path_of, all_pages())], capture_output=True,
                              text=True, check=False, env=environment())
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        told = dict(re.findall(r': "(\S+) - (.*)"$', done.stdout, flags=re.M))
        names = {page[:-2] for page in all_pages()}
        names |= set(re.findall(r"^\.Fo (\S+)$", "".join(map(source, all_pages())), flags=re.M))
        self.assertEqual(set(), names - told.keys())

    def test_every_header_has_a_page(self):
        for header in os.listdir(os.path.join(ROOT, "include/tenon")):
            self.assertTrue(any(f".In tenon/{header}" in source(page) or
                                f"INTERFACE OF {header.upper()}" in shown(page)
                                for page in all_pages() if page.endswith(".3")), header)

    def test_nothing_refers_to_a_page_that_is_not_there(self):
        there = {f"{page[:-2]}({page[-1]})" for page in all_pages()}
        for page in all_pages():
            referred = {f"{name}({number})" for name, number in
                        re.findall(r"^\.Xr (\S+) (\d)", source(page), flags=re.M)}
            referred |= set(re.findall(r"\btenon[\w.-]*\(\d\)", shown(page)))
            self.assertLessEqual(referred, there, page)

    # ---- clean ----

    def test_mandoc_has_nothing_to_say(self):
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning",
                               *map(path_of, all_pages())], capture_output=True, check=False)
        self.assertEqual((0, b"", b""), (done.returncode, done.stdout, done.stderr))

    def test_groff_has_nothing_to_say(self):
        done = subprocess.run(
            ["man", "--warnings", "-E", "UTF-8", "-l", *map(path_of, all_pages())],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False,
            env=environment({"LC_ALL": "C.UTF-8", "MANWIDTH": "80"}))
        self.assertEqual((0, b""), (done.returncode, done.stderr))

    def test_no_text_of_a_frame_or_of_markdown_is_left(self):
        for page in all_pages():
            text = shown(page)
            self.assertEqual([], re.findall(r"@[A-Z]+@|\*\*[A-Z]\w+|\]\(|```|\$\{\w+dir\}|\ufffd",
                                            text), page)
            # A macro takes a quote of its text for its own.
            self.assertNotRegex(source(page), r'(?m)^\.(Nd|It|Ss|Sh) .*"', page)

    # ---- examples ----

    def check_url(self, url):
        """The tool's exit code for a configuration with that URL."""
        self.write(CONFIG_CHECKED, f"[database]\nconnection = {url}\n")
        return self.run_tool("--config", self.path(CONFIG_CHECKED), "config", "check")

    def backends_built_apart(self):
        """Those of plugins/ that this build has not, so that nobody can tell their options."""
        built = {plugin["name"] for plugin in self.rows("name", "plugins", "list")}
        return {name for name in os.listdir(os.path.join(ROOT, "plugins"))
                if os.path.exists(os.path.join(ROOT, f"plugins/{name}/{name}.ini"))} - built

    def test_the_urls_of_examples_are_ones(self):
        apart = self.backends_built_apart()
        urls = [url for text in examples("tenon-url.7", "url") for url in text.split()]
        for name in os.listdir(os.path.join(ROOT, "plugins")):
            if os.path.exists(os.path.join(ROOT, f"plugins/{name}/README.md")):
                urls += re.findall(r"^\w+(?:\+\w+)?://\S*", read(f"plugins/{name}/README.md"),
                                   flags=re.M)
        self.assertGreater(len(urls), 20)
        for url in urls:
            with self.subTest(url=url):
                done = self.check_url(url)
                scheme = re.match(r"\w+", url)[0]
                if scheme in apart:
                    self.assertIn(f'no backend for scheme "{scheme}"', done.err)
                else:
                    self.assertEqual((0, ""), (done.code, done.err))

    def test_what_is_told_to_be_refused_is(self):
        urls = [url for text in examples("tenon-url.7", "refused") for url in text.split()]
        self.assertGreater(len(urls), 3)
        for url in urls:
            with self.subTest(url=url):
                self.assertEqual(USAGE, self.check_url(url).code)

    def test_the_configurations_of_examples_are_ones(self):
        texts = list(examples("tenon.ini.5", "ini"))
        self.assertGreater(len(texts), 1)
        self.write("billing.password", "secret\n")
        for text in texts:
            path = self.write(CONFIG_CHECKED, text.replace("/etc/tenon/", self.folder + "/"))
            self.succeed("--config", path, "config", "check")

    def run_lines(self, text):
        """Each line in a shell, with the tool in its PATH."""
        path = os.path.dirname(TENON) + ":" + os.environ["PATH"]
        return [subprocess.run(["sh", "-c", line], cwd=self.folder, capture_output=True,
                               env=environment({"PATH": path}), text=True, check=False)
                for line in text.splitlines()]

    def test_the_commands_of_examples_work(self):
        texts = list(examples("tenon.1", "sh"))
        self.assertGreater(len(texts), 3)
        for text in texts:
            for done in self.run_lines(text):
                self.assertEqual((0, ""), (done.returncode, done.stderr), done.args)
                if "SELECT" in done.args[2] and "item" in done.args[2]:
                    self.assertIn("nut", done.stdout)

    def test_the_error_of_the_example_is_of_its_category(self):
        *before, last = self.run_lines(next(examples("tenon-errors.7", "error duplicate")))
        self.assertEqual([0, 0], [done.returncode for done in before])
        self.assertIn('"category":"duplicate"', last.stderr)

    def test_the_program_of_the_example_runs(self):
        library = os.environ["TENON_LIBRARY"]
        program = self.path("program")
        file = self.write("program.c", next(examples("tenon.3", "c")))
        done = subprocess.run(
            [os.environ["TENON_CC"], "-std=c11", "-Wall", "-Wextra", "-Werror",
             *os.environ.get("TENON_CFLAGS", "").split(), f"-I{ROOT}/include", file, library,
             f"-Wl,-rpath,{os.path.dirname(library)}", "-o", program],
            capture_output=True, text=True, check=False)
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        done = subprocess.run([program], capture_output=True, text=True, check=False)
        self.assertEqual((0, "1001\n", ""), (done.returncode, done.stdout, done.stderr))


if __name__ == "__main__":
    unittest.main()
