"""The public headers as manual pages: their declarations in order, each with
the comment above it. A header's layout is settled by clang-format, so that
comments, blank lines and braces are enough to take it apart."""
import re

import roff


# A longer one, as the list of pages shows it, ends at its colon.
SUMMARY_SIZE = 90


class Function:
    """A prototype, taken apart."""

    def __init__(self, text):
        text = re.sub(r"\b(TN_API|TN_MUST_USE|static inline)\b|TN_PRINTF\([^)]*\)", " ", text)
        text = " ".join(text.split())
        found = re.fullmatch(r"(.*?)(tn_\w+)\((.*)\)", text)
        self.type = found[1].strip()
        self.name = found[2]
        self.arguments = split_arguments(found[3])

    def mdoc(self):
        return [f".Ft {roff.typed(self.type)}", f".Fo {self.name}",
                *(f'.Fa "{roff.typed(argument)}"' for argument in self.arguments), ".Fc"]


class Group:
    """What stands between two blank lines: a comment and what it is about, or a
    heading."""

    def __init__(self, comment=(), heading=""):
        self.comment = list(comment)
        self.heading = heading
        self.code = []
        self.functions = []


class Header:
    """One header: its top comment as lines, its groups."""

    def __init__(self, path):
        self.name = path.name
        self.noun = path.stem
        text = path.read_text(encoding="utf-8")
        self.includes = re.findall(r"^#include <tenon/(\w+\.h)>", text, flags=re.M)
        self.groups = []
        self._read(text)
        self.top = self.groups.pop(0).comment
        self._drop_repeats()

    def functions(self):
        return [function for group in self.groups for function in group.functions]

    def types(self):
        """Names of the structs, enumerations, handles and function types."""
        code = "\n".join(line for group in self.groups for line in group.code)
        return sorted({name for found in TYPE.findall(code) for name in found if name})

    def summary(self):
        """The first sentence of the top comment."""
        text = re.split(r"\n\n", "\n".join(self.top))[0].replace("\n", " ")
        text = re.split(r"(?<=\w)[.](?:\s|$)|:$", text)[0]
        return text if len(text) <= SUMMARY_SIZE else text.split(": ")[0]

    def enumerators(self, name):
        """The (name, comment) pairs of an enumeration."""
        code = "\n".join(line for group in self.groups for line in group.code)
        body = re.search(rf"enum {name} \{{(.*?)\n\}};", code, flags=re.S)[1]
        return [(found[1], " ".join((found[2] or "").split())) for found in
                re.finditer(r"^\s*(\w+)[^,\n/]*,?\s*(?:/\*(.*?)\*/)?", body, flags=re.M | re.S)]

    def _read(self, text):
        lines = wanted(text)
        while lines:
            if not lines[0].strip():
                lines.pop(0)
            elif lines[0].startswith("/*"):
                self._take_comment(lines)
            else:
                self._take_code(lines, Group())

    def _take_comment(self, lines):
        comment = [lines.pop(0)]
        while "*/" not in comment[-1]:
            comment.append(lines.pop(0))
        text = [re.sub(r"^(/\*| \*/?)( |$)?|\s*\*/$", "", line).rstrip() for line in comment]
        heading = re.fullmatch(r"-+ (.*?) -+|-{20,}", text[0])
        if heading is None:
            group = Group(text)
            if lines and lines[0].strip() and not lines[0].startswith("/*"):
                self._take_code(lines, group)
            else:
                self.groups.append(group)
        elif heading[1]:
            self.groups.append(Group(heading=heading[1]))
        elif lines and lines[0].startswith("/* "):
            # A heading between two rulers.
            self.groups.append(Group(heading=lines.pop(0)[3:].rstrip("*/ ").rstrip(".")))

    def _take_code(self, lines, group):
        """Up to a blank line or a comment, neither in braces."""
        code = []
        depth = 0
        while lines and (depth > 0 or (lines[0].strip() and not lines[0].startswith("/*"))):
            line = lines.pop(0)
            depth += line.count("{") - line.count("}")
            code.append(line)
        text = "\n".join(code)
        for found in FUNCTION.finditer(text):
            group.functions.append(Function(found[1]))
        rest = FUNCTION.sub("", text).strip("\n")
        group.code = [re.sub(r" {2,}\\$", r" \\", line) for line in rest.split("\n") if rest]
        self.groups.append(group)

    def _drop_repeats(self):
        """An inline function may have a prototype before it."""
        seen = set()
        for group in self.groups:
            group.functions = [function for function in group.functions
                               if function.name not in seen and not seen.add(function.name)]
        self.groups = [group for group in self.groups
                       if group.comment or group.heading or group.code or group.functions]


# What is defined, and what is only said to be a struct.
TYPE = re.compile(r"^(?:struct|enum) (tn_\w+) \{|^\} (tn_\w+);|\(\*(tn_\w+)\)\(|"
                  r"^typedef struct (tn_\w+) \4;", re.M)

# Files of the sources that are pages of the manual.
PAGES = {
    "conf/tenon.ini": r"\fBtenon.ini\fP(5)",
    "plugins/README.md": r"\fBtenon\-plugin\fP(3)",
}

# A prototype up to its semicolon, or an inline function with its body.
FUNCTION = re.compile(
    r"^((?:TN_API|static inline)\b[^;{=]*?\btn_\w+\([^;{]*\))\s*(?:;|\{.*?^\})\n?", re.M | re.S)


def wanted(text):
    """The lines without what is the preprocessor's only."""
    text = re.sub(r"^#ifdef __cplusplus\n.*?^#endif\n", "", text, flags=re.M | re.S)
    text = re.sub(r"^(#include .*|#ifndef TENON_\w+_H|#define TENON_\w+_H|#endif|"
                  r"TN_(BEGIN|END)_DECLS|/\* clang-format (on|off) \*/)$", "", text, flags=re.M)
    return text.split("\n")


def split_arguments(text):
    """At the commas that are in no parentheses."""
    result, depth = [""], 0
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            result.append("")
        else:
            result[-1] += letter
    return [argument.strip() for argument in result]


def marked(text):
    """Running text of a comment: `arguments`, functions() and file names stand
    out."""
    parts = re.split(r"(`[^`]+`|\btn_\w+\(\)|" + "|".join(map(re.escape, PAGES)) + ")", text)
    for index, part in enumerate(parts):
        if index % 2 == 0:
            parts[index] = roff.prose(part)
        elif part in PAGES:
            parts[index] = PAGES[part]
        elif part.startswith("`"):
            parts[index] = roff.italic(part.strip("`"))
        else:
            parts[index] = roff.bold(part[:-2]) + "()"
    return "".join(parts)


def comment(lines):
    """A comment as mdoc: paragraphs, lists of "- " and, indented, code."""
    result, block = [], []
    for line in [*lines, ""]:
        if line.strip():
            block.append(line)
            continue
        if block:
            lines_of = paragraph(block)
            result += [*(roff.break_before(lines_of) if result else ()), *lines_of]
        block = []
    return result


def paragraph(block):
    result = []
    while block:
        indented = re.match(r" {2,}|\t", block[0])
        listed = re.match(r" ?- ", block[0])
        size = 1
        while size < len(block) and not listed and \
                bool(re.match(r" {2,}", block[size])) == bool(indented) and \
                not re.match(r" ?- ", block[size]):
            size += 1
        if listed:
            result += item_list(block)
            return result
        result += roff.display(block[:size]) if indented else \
            roff.fill(marked(" ".join(block[:size])))
        block = block[size:]
    return result


def item_list(block):
    items = []
    for line in block:
        if re.match(r" ?- ", line):
            items.append(re.sub(r"^ ?- ", "", line))
        else:
            items[-1] += " " + line.strip()
    result = [".Bl -bullet -compact"]
    for item in items:
        result += [".It", *roff.fill(marked(item))]
    return [*result, ".El"]


def interface(header):
    """All groups of a header, in its order."""
    result = []
    for group in header.groups:
        if group.heading:
            result += [f".Ss {roff.prose(group.heading[0].upper() + group.heading[1:])}"]
            continue
        for function in group.functions:
            is_first = not result or result[-1].startswith(".Ss")
            result += [*(() if is_first else (".Pp",)), *function.mdoc()]
        if group.code:
            result += roff.display(group.code, indent=False)
        if group.comment:
            result += [".Bl -item -offset indent", ".It", *comment(group.comment), ".El"]
    return result
