"""Sections of the READMEs as mdoc(7): headings, paragraphs, lists, tables,
code. As much of Markdown as they use, and no more."""
import re

import roff

INLINE = re.compile(r"(``.+?``|`[^`]+`|\*\*.+?\*\*|!?\[[^\]]*\]\([^)]*\))")

# Where a link leads to in the manual.
PAGES = (("README.md#tls", "tenon-url", "7"), ("README.md#several-hosts", "tenon-url", "7"))


def section(text, heading):
    """The text below "## heading", up to the next of its kind."""
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, flags=re.M | re.S)
    if found is None:
        raise ValueError(f"there is no section \"{heading}\"")
    return found[1]


def headings(text):
    return re.findall(r"^## (.*)$", text, flags=re.M)


def link(part):
    label, target = re.fullmatch(r"\[([^\]]*)\]\(([^)]*)\)", part).groups()
    shown = inline(label)
    for ending, page, number in PAGES:
        if ending in target:
            return rf"{shown} (see \fB{roff.typed(page)}\fP({number}))"
    return shown


def inline(text):
    parts = INLINE.split(text)
    for index, part in enumerate(parts):
        if index % 2 == 0:
            part = re.sub(r"(?<!\w)\*(\S[^*]*)\*(?!\w)", r"\1", part)
            parts[index] = re.sub(r"\btn_\w+(?=\(\))",
                                  lambda found: roff.bold(found[0]), roff.prose(part))
        elif part.startswith("`"):
            parts[index] = roff.bold(part.strip("`"))
        elif part.startswith("**"):
            parts[index] = roff.bold(part[2:-2]) if "`" not in part else inline(part[2:-2])
        else:
            parts[index] = link(part)
    return "".join(parts)


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def table(lines):
    """A list: the first column is the tag. A header that says something is its
    first item."""
    head = cells(lines[0])
    items = []
    for row in [head] + [cells(line) for line in lines[2:]]:
        if row is head and not head[0]:
            continue
        texts = [inline(cell) for cell in row[1:] if cell]
        if row is head:
            if not texts:
                continue
            texts = [rf"\fI{text}\fP" for text in texts]
            tag = rf"\fI{inline(row[0])}\fP"
        else:
            tag = inline(row[0]) or r"\&"
        items.append((f".It {tag}", roff.fill("; ".join(texts))))
    return [".Pp", *roff.tagged(items, compact=True)]


def breakable(url):
    """A long URL, which may be broken before its options."""
    return re.sub("[?&]", r"\\:\g<0>", roff.bold(url))


def code(lines, kind):
    """Code of a fence. URLs with a text behind them are a list."""
    urls = [re.fullmatch(r"(\w+(?:\+\w+)?://\S*)(?: {2,}(.*))?", line) for line in lines]
    if all(urls):
        return [".Pp", *roff.tagged(
            [(f".It {breakable(found[1])}", roff.fill(inline(found[2] or "")))
             for found in urls], compact=True)]
    return [*([rf'.\" {kind}'] if kind else ()), *roff.display(lines)]


def list_items(lines):
    """The items of a list, each as its lines."""
    items = []
    for line in lines:
        found = re.match(r"(- |\d+\. )(.*)", line)
        if found:
            indent = len(found[1])
            items.append([found[2]])
        else:
            items[-1].append(line[indent:] if line[:indent].isspace() else line)
    return items


def take(lines, wanted):
    """Those at the beginning that are wanted, taken off."""
    size = 0
    while size < len(lines) and wanted(lines[size]):
        size += 1
    taken = lines[:size]
    del lines[:size]
    return taken


def blocks(text):
    """Text of a section as lines of mdoc."""
    lines = text.strip("\n").split("\n")
    result = []
    while lines:
        first = lines[0]
        if not first.strip():
            lines.pop(0)
            continue
        if first.startswith("### "):
            result.append(f".Ss {inline(lines.pop(0)[4:])}")
        elif first.startswith("```"):
            lines.pop(0)
            shown = take(lines, lambda line: not line.startswith("```"))
            lines.pop(0)
            result += code(shown, first[3:])
        elif first.startswith("|"):
            result += table(take(lines, lambda line: line.startswith("|")))
        elif re.match(r"- |\d+\. ", first):
            result += listed(take(lines, lambda line: re.match(r"- |\d+\. |  ", line)))
        else:
            paragraph = take(lines, lambda line: line.strip() and
                             not re.match(r"- |\d+\. |```|\||#", line))
            result += [".Pp", *roff.fill(inline(" ".join(paragraph)))]
    return result


def listed(lines):
    kind = "bullet" if lines[0].startswith("- ") else "enum"
    result = [f".Bl -{kind}"]
    for item in list_items(lines):
        text = blocks("\n".join(item))
        result += [".It", *(text[1:] if text[0] == ".Pp" else text)]
    return [*result, ".El"]


def sections(text, names):
    """Several sections, each under its heading."""
    result = []
    for name in names:
        # A section of this name is for functions, by mdoc's rules.
        title = "ERRORS OF THE BACKEND" if name == "Errors" else name.upper()
        result += [f".Sh {roff.prose(title)}", *without_first_break(blocks(section(text, name)))]
    return result


def without_first_break(lines):
    return lines[1:] if lines and lines[0] == ".Pp" else lines
