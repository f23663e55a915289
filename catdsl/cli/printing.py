"""The one way in which commands print: results to stdout, words for a person to stderr, by the process that speaks.

Names of files, of runs and in specs come from elsewhere; none of these lets a control character through.
"""

import sys
from typing import TYPE_CHECKING

from catdsl.cli.speaking import speaks
from catdsl.diagnostics.printable import printable_lines, write_json, write_line, write_styled

if TYPE_CHECKING:
    from rich.console import RenderableType

_PLAIN_WIDTH = 110
"""Columns of a table where stdout is no terminal."""


def put(text: str, *, end: str = "\n") -> None:
    """A result, as lines."""
    if speaks():
        write_line(sys.stdout, text, end=end)


def put_json(text: str, *, end: str = "\n") -> None:
    """A result for a program, as JSON."""
    if speaks():
        write_json(sys.stdout, text, end=end)


def put_table(tables: "RenderableType") -> None:
    """What rich shows as tables: no cell is taken for markup, whatever its text."""
    if not speaks():
        return
    from rich.console import Console
    from rich.segment import Segment, Segments

    width = None if sys.stdout.isatty() else _PLAIN_WIDTH
    console = Console(width=width, markup=False, emoji=False, highlight=False)
    cleaned = [Segment(printable_lines(part.text), part.style) for part in console.render(tables) if not part.control]
    console.print(Segments(cleaned), end="")


def tell(text: str) -> None:
    """Words for a person, beside the results."""
    if speaks():
        write_line(sys.stderr, text)


def tell_styled(text: str) -> None:
    """The same, of printable parts with colours between them."""
    if speaks():
        write_styled(sys.stderr, f"{text}\n")
