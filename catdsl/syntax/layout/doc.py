"""Documents with optional line breaks, and their printing within a width.

After Wadler, "A prettier printer" (2003), with Lindig's strict and iterative evaluation. A group is
printed flat where it fits, and broken where not; a comment breaks every group that holds it.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """A line break, or `flat` where its group is printed in one line."""

    flat: str = " "


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment to the end of the line; `own` where it stands on a line of its own."""

    text: str
    own: bool


@dataclass(frozen=True, slots=True)
class Concat:
    parts: tuple["Doc", ...]


@dataclass(frozen=True, slots=True)
class Group:
    inside: "Doc"


@dataclass(frozen=True, slots=True)
class Align:
    """Lines inside begin at the column where the document begins, moved by `by`."""

    inside: "Doc"
    by: int = 0


@dataclass(frozen=True, slots=True)
class Nest:
    """Lines inside begin `by` columns to the right of those outside."""

    inside: "Doc"
    by: int


Doc = Text | Line | Comment | Concat | Group | Align | Nest


def concat(*parts: Doc | str) -> Doc:
    return Concat(tuple(Text(part) if isinstance(part, str) else part for part in parts))


def fill(items: Sequence[Doc]) -> Doc:
    """Items one after another; a line is broken before the item that no longer fits."""
    first, *others = items
    return concat(first, *(Group(concat(Line(), item)) for item in others))


def broken(doc: Doc) -> bool:
    """Whether a comment inside keeps a document from being printed in one line."""
    stack = [doc]
    while stack:
        match stack.pop():
            case Comment():
                return True
            case Concat(parts):
                stack += parts
            case Group(inside) | Align(inside) | Nest(inside):
                stack.append(inside)
    return False


def flat_width(doc: Doc) -> int:
    """How many columns a document takes in one line."""
    stack, width = [doc], 0
    while stack:
        match stack.pop():
            case Text(text) | Line(text) | Comment(text):
                width += len(text)
            case Concat(parts):
                stack += parts
            case Group(inside) | Align(inside) | Nest(inside):
                stack.append(inside)
    return width


_Command = tuple[int, bool, Doc]
"""Indentation of new lines, whether the document is printed flat, and the document."""


class _Printer:
    def __init__(self, width: int, column: int):
        self.width = width
        self.column = column
        self.lines = [""]
        self.ended = False
        """Whether a comment has ended the current line."""

    def newline(self, indent: int) -> None:
        self.lines[-1] = self.lines[-1].rstrip()
        self.lines.append(" " * indent)
        self.column, self.ended = indent, False

    def write(self, text: str, indent: int) -> None:
        if self.ended and text.strip():
            self.newline(indent)
        if not self.ended:
            self.lines[-1] += text
            self.column += len(text)

    def comment(self, comment: Comment, indent: int) -> None:
        if self.ended or (comment.own and self.lines[-1].strip()):
            self.newline(indent)
        before = self.lines[-1]
        self.lines[-1] = f"{before.rstrip()}  {comment.text}" if before.strip() else before + comment.text
        self.ended = True

    def fits(self, command: _Command, rest: Sequence[_Command]) -> bool:
        """Whether a document, flat, and what follows it up to the next possible break fit on this line."""
        left = self.width - self.column
        stack, behind = [command], len(rest)
        while left >= 0:
            if not stack:
                if not behind:
                    return True
                behind -= 1
                stack.append(rest[behind])
                continue
            indent, flat, doc = stack.pop()
            match doc:
                case Text(text):
                    left -= len(text)
                case Line(text):
                    if not flat:
                        return True
                    left -= len(text)
                case Comment():
                    return True
                case Concat(parts):
                    stack += [(indent, flat, part) for part in reversed(parts)]
                case Group(inside) | Align(inside) | Nest(inside):
                    stack.append((indent, flat, inside))
        return False

    def print(self, doc: Doc, indent: int) -> list[str]:
        stack: list[_Command] = [(indent, False, doc)]
        while stack:
            indent, flat, doc = stack.pop()
            match doc:
                case Text(text):
                    self.write(text, indent)
                case Line(text):
                    if flat and not self.ended:
                        self.write(text, indent)
                    else:
                        self.newline(indent)
                case Comment():
                    self.comment(doc, indent)
                case Concat(parts):
                    stack += [(indent, flat, part) for part in reversed(parts)]
                case Align(inside, by):
                    column = indent if self.ended else self.column
                    stack.append((max(0, column + by), flat, inside))
                case Nest(inside, by):
                    stack.append((indent + by, flat, inside))
                case Group(inside):
                    fits = flat or (not broken(inside) and self.fits((indent, True, inside), stack))
                    stack.append((indent, fits, inside))
        self.lines[-1] = self.lines[-1].rstrip()
        return self.lines


def print_doc(doc: Doc, *, width: int, indent: int, column: int) -> list[str]:
    """The lines of a document that begins at `column`; further lines are indented by at least `indent`."""
    return _Printer(width, column).print(doc, indent)
