"""The commands and options of the tool, from what --help prints."""
import re
import subprocess

import roff

OPTION = re.compile(r"^  (?:-(\w), |    )--([\w-]+)(?: ([A-Z]+))? +(.*)$")


class Option:
    def __init__(self, found):
        self.letter, self.name, self.metavar, self.help = found.groups()

    def item(self):
        tag = f".It Fl \\-{roff.typed(self.name)}"
        if self.letter:
            tag = f".It Fl {self.letter} , \\-{roff.typed(self.name)}"
        if self.metavar:
            tag += f" Ar {self.metavar}"
        text = self.help[0].upper() + self.help[1:] + "."
        return tag, roff.fill(roff.prose(text))


def options_in(text):
    found = (OPTION.match(line) for line in text.split("\n"))
    return {option.name: option for option in map(Option, filter(None, found))}


class Command:
    """One command: what its own --help says."""

    def __init__(self, words, text):
        self.words = words
        head, *rest = text.strip("\n").split("\n\n")
        self.usage = re.sub(rf"^usage: tenon {words} ?", "", head)
        self.help = rest[0]
        self.manual = rest[1:-1]
        self.options = options_in(rest[-1])

    def synopsis(self):
        return [".Nm", f".Cm {roff.typed(self.words)}", *map(argument, self.usage.split())]

    def mdoc(self, common):
        """`common` are the options of all commands."""
        result = [f".Ss tenon {roff.typed(' '.join((self.words, self.usage)).strip())}",
                  *roff.fill(roff.prose(self.help))]
        for block in self.manual:
            result += [".Pp", *lines(block)]
        own = [option.item() for name, option in self.options.items() if name not in common]
        if own:
            result += [".Pp", "Options of its own:", ".Pp", *roff.tagged(own, compact=True)]
        result += [line for name in common if name not in self.options
                   for line in (".Pp", f"It does not take \\fB\\-\\-{roff.typed(name)}\\fP.")]
        return result


class Help:
    """All that the tool says of itself."""

    def __init__(self, tool, environment):
        def ask(*arguments):
            return subprocess.run([tool, *arguments], capture_output=True, text=True, check=True,
                                  encoding="utf-8", env=environment).stdout

        head, listed, options, *self.rest = ask("--help").strip("\n").split("\n\n")
        assert head.startswith("usage: ") and listed.startswith("Commands:"), head
        self.options = options_in(options)
        names = re.findall(r"^  ([a-z]+(?: [a-z]+)*)(?= |$)", listed, flags=re.M)
        self.commands = [Command(name, ask(*name.split(), "--help")) for name in names]

    def synopsis(self):
        return [line for command in self.commands for line in command.synopsis()]

    def command_list(self):
        return [line for command in self.commands for line in command.mdoc(self.options)]

    def option_list(self):
        return roff.tagged([option.item() for option in self.options.values()])

    def notes(self):
        """What follows the options, but for the exit codes."""
        return [line for block in self.rest if not is_exits(block)
                for line in (".Pp", *lines(block))][1:]

    def exits(self):
        block = next(block for block in self.rest if is_exits(block))
        return lines(block.split("\n", 1)[1])


def is_exits(block):
    return block.startswith("Exit codes:")


def argument(word):
    """A word of a usage line."""
    if word.startswith("["):
        return ".Op Ar " + roff.typed(word.strip("[]").replace("...", " ...")).strip()
    if word.startswith("--"):
        return f".Fl \\-{roff.typed(word[2:])}"
    return f".Ar {roff.typed(word)}"


def lines(block):
    """Text as --help has it: what is indented is a list of a word and its text
    in two columns, or stands as it is."""
    result = []
    rows = block.split("\n")
    while rows:
        indented = rows[0].startswith("  ")
        size = 1
        while size < len(rows) and rows[size].startswith("  ") == indented:
            size += 1
        part, rows = rows[:size], rows[size:]
        text = roff.fill(roff.prose(" ".join(part))) if not indented else \
            columns(part) or roff.display(part)
        result += [*(roff.break_before(text) if result else ()), *text]
    return result


def columns(part):
    """The list that an indented part is; empty if it is none."""
    items = []
    for line in part:
        if line.startswith("   "):
            items[-1][1].append(line.strip())
            continue
        word, *text = re.split(r" {2,}", line.strip())
        if len(text) > 1:
            return []
        items.append((word, text))
    if any(not text for _word, text in items):
        return []
    return roff.tagged([(f".It {roff.bold(word)}", roff.fill(roff.prose(" ".join(text))))
                        for word, text in items], compact=True)
