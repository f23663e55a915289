"""Text for terminals: nothing in it that a terminal obeys, and nothing that its encoding cannot hold.

Control bytes of a file name move the cursor, colour or rename the window; characters that turn the
direction of writing show one name as another. All of them, halves of characters (bytes of a name that are
no UTF-8), and what has no shape of its own become U+FFFD.
"""

from typing import TextIO

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_TAB = "    "
_KEPT = "\n\t"


def printable(text: str) -> str:
    """Text within one line: tabs widened, what cannot be shown replaced."""
    if text.isprintable():
        return text
    return "".join(_TAB if c == "\t" else c if c.isprintable() else REPLACEMENT for c in text)


def printable_lines(text: str) -> str:
    """The same for several lines; tabs are kept, for whoever reads the output."""
    return "".join(c if c in _KEPT or c.isprintable() else REPLACEMENT for c in text)


def printable_json(text: str) -> str:
    """JSON of the same values, in which everything that cannot be shown is written by its number."""
    return "".join(c if c == "\n" or c.isprintable() else _numbered(c) for c in text)


def write_line(stream: TextIO | None, text: str, *, end: str = "\n") -> None:
    """The one way to a terminal or a log: lines without control characters, in the encoding of the stream.

    Without a stream, as where it was closed before the start, nothing is said.
    """
    write_styled(stream, printable_lines(text) + end)


def write_json(stream: TextIO | None, text: str, *, end: str = "\n") -> None:
    """JSON for a program, which gets every name as it is."""
    shown = printable_json(text)
    try:
        shown.encode(_encoding(stream))
    except UnicodeEncodeError:
        shown = "".join(c if c.isascii() else _numbered(c) for c in shown)
    write_styled(stream, shown + end)


def write_styled(stream: TextIO | None, text: str) -> None:
    """Text of printable parts, with colours of our own between them."""
    if stream is not None:
        encoding = _encoding(stream)
        stream.write(text.encode(encoding, "replace").decode(encoding))


def _encoding(stream: TextIO | None) -> str:
    # A stream within this process, such as a StringIO, has none.
    return (stream.encoding if stream is not None else None) or "utf-8"


def _numbered(char: str) -> str:
    """A character as JSON writes it by number: as two halves beyond U+FFFF."""
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i : i + 2].hex()}" for i in range(0, len(units), 2))
