"""Plain text as mdoc(7): what is special to roff is escaped, sentences begin
lines, and what is left is ASCII."""
import re
import textwrap

WIDTH = 76

# What the sources write beyond ASCII. Anything else is an error, so that no
# page shows a question mark.
ASCII = {
    "…": "...", "−": "-", "–": "-", "·": "*", "¹": "^1", "³": "^3", "⁵": "^5",
    "⁶": "^6", "⁹": "^9", "─": "-", "│": "|", "└": "`", "├": "|", "►": ">",
    "⁰": "^0", "²": "^2", "⁴": "^4", "⁷": "^7", "⁸": "^8",
}

# As they are typed: roff would make a hyphen and typographic quotes of them.
TYPED = {"-": r"\-", "^": r"\(ha", "~": r"\(ti", "`": r"\(ga", "'": r"\(aq"}


def ascii_of(text):
    text = "".join(ASCII.get(letter, letter) for letter in text)
    text = re.sub(r"(?<=\^\d)\^(?=\d)", "", text)
    if not text.isascii():
        strange = sorted({letter for letter in text if not letter.isascii()})
        raise ValueError(f"roff.py has no ASCII for {' '.join(strange)} in: {text}")
    return text


def typed(text):
    """Text that may be copied from the page: a name, an option, code."""
    text = ascii_of(text).replace("\\", r"\e")
    return "".join(TYPED.get(letter, letter) for letter in text)


def prose(text):
    """Running text. A '-' that begins a word is typed, not a hyphen, and an
    ellipsis ends no sentence."""
    text = ascii_of(text).replace("\\", r"\e").replace("...", r"...\&")
    text = re.sub(r"(?<![\w-])-+", lambda found: r"\-" * len(found[0]), text)
    return "".join(letter if letter == "-" else TYPED.get(letter, letter) for letter in text)


def bold(text):
    return rf"\fB{typed(text)}\fP"


def italic(text):
    return rf"\fI{typed(text)}\fP"


def guard(line):
    """A line of text that roff does not take for a request."""
    return r"\&" + line if line[:1] in (".", "'") else line


def requoted(line):
    """A macro takes quotes for itself: those of a text are told otherwise."""
    return line.replace('"', r"\(dq") if re.match(r"\.(Nd|It|Ss|Sh) ", line) else line


def fill(text):
    """The lines of a paragraph, whose text is escaped already. Each sentence
    begins one; in code there are none."""
    text = re.sub(r"\\fB.*?\\fP", lambda found: found[0].replace(" ", "\0"),
                  " ".join(text.split()))
    sentences = re.sub(r"([.!?](?:\\fP)?[\"')\]]*) +(?=[\"'(\[]*(?:\\f[BI])?[A-Z0-9(])", r"\1\n",
                       text).replace("\0", " ")
    lines = []
    for sentence in sentences.split("\n"):
        lines += textwrap.wrap(sentence, WIDTH, break_long_words=False, break_on_hyphens=False)
    return [guard(" ".join(map(unbroken, line.split(" ")))) for line in lines]


def unbroken(word):
    """A name of code is not hyphenated."""
    return r"\%" + word if re.search(r"_|->|/|\\f[BI]", word) else word


def break_before(lines):
    """What begins a paragraph before these lines: displays do it themselves."""
    return [] if not lines or lines[0].startswith((".Bd", ".Pp", r'.\"')) else [".Pp"]


def display(lines, indent=True):
    """Lines as they stand."""
    shown = [guard(typed(line.rstrip())) for line in lines]
    return [".Bd -literal" + (" -offset indent" if indent else ""), *shown, ".Ed"]


def tagged(items, compact=False):
    """A list of (lines of the tag's macro, lines of its text)."""
    result = [".Bl -tag -width Ds" + (" -compact" if compact else "")]
    for tag, text in items:
        result += [tag, *text]
    return [*result, ".El"]
