"""What bash and zsh offer after "tenon" is what --help says."""

import os
import re
import shlex
import subprocess
import unittest

from support import TENON, TenonTest

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      "../../packaging/completion")
PARTS = ("", "plugins", "errors", "config")  # beginnings of commands


def run_shell(shell, script):
    """The lines that a script prints."""
    done = subprocess.run([shell, *(["-f"] if shell == "zsh" else []), "-c", script],
                          capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0 or done.stderr:
        raise AssertionError(f"{shell}: exit {done.returncode}: {done.stderr}")
    return done.stdout.split("\n")[:-1]


class Completion(TenonTest):
    def help_of(self, *command):
        return self.succeed(*command, "--help")

    def commands(self):
        text = self.help_of().split("Commands:\n")[1].split("\n\n")[0]
        found = [re.match(r"  ((?:[a-z]+ )+)", line)[1].split()
                 for line in text.splitlines() if re.match(r"  [a-z]", line)]
        self.assertGreater(len(found), 8, text)
        return found

    def options(self, *command):
        """All of them, letters too, of a command or of none."""
        lines = re.findall(r"^ +((?:-\w, )?--[\w-]+)", self.help_of(*command).split(
            "\nOptions")[1], flags=re.M)
        return sorted(word for line in lines for word in line.split(", "))

    def beginnings(self):
        """What may follow nothing, and each of those."""
        words = {part: set() for part in PARTS}
        for first, *rest in self.commands():
            words[""].add(first)
            if rest:
                words[first].add(rest[0])
        return words


class Bash(Completion):
    def offer(self, *line):
        """What bash offers for the last word of a line after "tenon"."""
        words = " ".join(shlex.quote(word) for word in (TENON, *line))
        return sorted(run_shell("bash", f"""
            . {shlex.quote(FOLDER)}/tenon.bash
            cd {shlex.quote(self.folder)}
            COMP_WORDS=({words})
            COMP_CWORD={len(line)}
            _tenon
            [[ ${{#COMPREPLY[@]}} == 0 ]] || printf '%s\\n' "${{COMPREPLY[@]}}"
            """))

    def test_commands(self):
        for part, words in self.beginnings().items():
            self.assertEqual(sorted(words), self.offer(*part.split(), ""), part)

    def test_options(self):
        for command in [[], *self.commands()]:
            self.assertEqual(self.options(*command), self.offer(*command, "-"), command)

    def test_values(self):
        forms = ["csv", "json", "jsonl", "table"]
        self.assertEqual(forms, self.offer("--format", ""))
        self.assertEqual(forms, self.offer("query", "-f", ""))
        self.assertEqual(forms, self.offer("query", "--format", "="))
        self.assertEqual(["json", "jsonl"], self.offer("--format", "=", "js"))
        self.assertEqual(["env:", "file:", "prompt"], self.offer("--password", ""))
        self.write("some.ini", "")
        os.mkdir(self.path("some.d"))
        self.assertEqual(["some.d", "some.ini"], self.offer("--config", "so"))
        self.assertEqual(["some.d"], self.offer("--plugin-dir", "so"))
        self.assertEqual([], self.offer("query", "--deadline", ""))

    def test_an_option_is_no_command(self):
        self.assertIn("inspect", self.offer("-f", "json", "plugins", ""))
        self.assertIn("inspect", self.offer("--format", "=", "json", "plugins", ""))
        self.assertIn("plugins", self.offer("--config", "plugins", ""))

    def test_plug_ins_and_schemes(self):
        self.assertIn("sqlite", self.offer("plugins", "inspect", ""))
        self.assertIn("postgres://", self.offer("query", "pos"))
        self.assertEqual([], self.offer("query", "sqlite://", "pos"))


class Zsh(Completion):
    def specs(self, *line):
        """What _arguments is told for the last word of a line."""
        words = " ".join(shlex.quote(word) for word in (TENON, *line))
        return run_shell("zsh", f"""
            _arguments() {{ print -rl -- "$@" }}
            words=({words})
            CURRENT={len(line) + 1}
            . {shlex.quote(FOLDER)}/_tenon
            """)

    def offered(self, *line):
        found = (re.match(r"(?:\([^)]*\)|\*)?(-[\w-]+)[+=]*\[", spec)
                 for spec in self.specs(*line))
        return sorted(match[1] for match in found if match)

    def test_commands(self):
        for part, words in self.beginnings().items():
            place = len(part.split()) + 1
            last = [spec for spec in self.specs(*part.split(), "")
                    if spec.startswith(f"{place}:")]
            self.assertEqual(1, len(last), last)
            self.assertEqual(words, set(re.search(r"\((.*)\)", last[0])[1].split()), part)

    def test_options(self):
        for command in [[], *self.commands()]:
            self.assertEqual(self.options(*command), self.offered(*command, "-"), command)

    def test_an_option_is_no_command(self):
        self.assertIn("2:command:(show check)", self.specs("-f", "json", "config", ""))

    def test_plug_ins_and_schemes(self):
        said = run_shell("zsh", f"""
            _arguments() {{ _tenon_plugins 1; _tenon_target }}
            compadd() {{ print -rl -- "$@" }}
            words=({shlex.quote(TENON)} '')
            CURRENT=2
            . {shlex.quote(FOLDER)}/_tenon
            """)
        self.assertIn("sqlite", said)
        self.assertIn("postgres://", said)


if __name__ == "__main__":
    unittest.main()
