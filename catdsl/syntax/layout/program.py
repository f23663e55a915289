"""Items, members and statements: their lines, blank lines, trailing comments, and what stands below what."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from lark import Token, Tree

from catdsl.diagnostics import InternalError
from catdsl.syntax.layout.doc import Doc, Group, Line, Nest, broken, concat, flat_width, print_doc
from catdsl.syntax.layout.expressions import Expressions
from catdsl.syntax.layout.tokens import Surroundings, first, last

WIDTH = 110
_INDENT = 4
# Operators of a broken sum stand below the `=` or the end of the word before it.
_HANG = 2
# What has lines of its own inside; a blank line stands before and behind it.
_BODIES = ("block", "generator", "discriminator", "student")
# What is padded so that the next sign stands below that of its neighbours: `=` and `{`.
_PADDED = {
    "param": "=", "assign": "=",
    "settings": "{", "student_set": "{", "student_widths": "{", "student_budget": "{",
}  # fmt: skip


@dataclass(slots=True)
class _Entry:
    """An item, member or statement: what precedes it, and its documents."""

    kind: str
    blank: bool
    """Whether a blank line precedes it and its comments."""
    before: list[tuple[bool, str]]
    """Comments on lines of their own, each with whether a blank line precedes it."""
    gap: bool
    """Whether a blank line stands between these comments and the entry."""
    left: Doc | None
    """What is padded, or None."""
    right: Doc
    body: list[str] = field(default_factory=list)
    behind: str = ""
    """The comment at its end."""


class ProgramLayout:
    """The lines of one program."""

    def __init__(self, text: str, tree: Tree):
        self.tree = tree
        self.around = Surroundings(text, tree)
        self.expressions = Expressions(self.around)

    def lines(self) -> list[str]:
        entries = [self._entry(item) for item in self.tree.children]
        return [*_lines(entries, 0), *_closing(self.around.end.before, 0, alone=not entries)]

    def _entry(self, node: Tree | Token) -> _Entry:
        """The comments at the ends of a node are its entry's; they are taken out of its documents."""
        assert isinstance(node, Tree)
        head, tail = self.around[first(node)], self.around[last(node)]
        before, head.before = head.before, []
        behind, tail.behind = tail.behind, ""
        blank = before[0][0] if before else head.blank
        kind = str(node.data)
        body: list[str] = []
        if kind in _BODIES:
            left, (right, body) = None, self._definition(node)
        else:
            left, right = self._parts(node, kind)
        return _Entry(kind, blank, before, head.blank, left, right, body, behind)

    def _parts(self, node: Tree, kind: str) -> tuple[Doc | None, Doc]:
        """What is padded, and the rest."""
        doc = self.expressions.doc
        match kind:
            case "param" | "assign":
                *names, equals, value = node.children
                return self._words(names), concat(doc(equals), " ", doc(value, hang=_HANG))
            case "return" | "output":
                word, value = node.children
                return None, concat(doc(word), " ", doc(value, hang=_HANG))
            case "use" | "version":
                return None, self._words(node.children)
            case "input":
                return None, doc(node)
            case "student_widths" if len(node.children) > 3:
                name, opening, counts, closing = node.children
                assert isinstance(counts, Tree)
                entries = [part for entry in self.expressions.entries(counts) for part in (Line(), entry)]
                end = concat(Nest(Line(), by=-_INDENT), doc(closing))
                return doc(name), Group(concat(doc(opening), *entries, end))
            case _ if kind in _PADDED:
                name, opening, *pairs, closing = node.children
                inside = [part for pair in pairs for part in (self.expressions.aligned(pair), " ")]
                return doc(name), concat(doc(opening), " ", *inside, doc(closing))
        raise InternalError(f"the formatter knows no rule `{kind}`")

    def _words(self, nodes: Sequence[Tree | Token]) -> Doc:
        """Words with blanks between them, and none before commas and around brackets."""
        parts: list[Doc | str] = []
        previous = ""
        for node in nodes:
            text = str(node) if isinstance(node, Token) else ""
            if parts and text not in (",", "(", ")") and previous != "(":
                parts.append(" ")
            parts.append(self.expressions.aligned(node))
            previous = text
        return concat(*parts)

    def _definition(self, node: Tree) -> tuple[Doc, list[str]]:
        """The document up to the opening brace, and the lines after it."""
        place = next(i for i, child in enumerate(node.children) if child == "{")
        closing = self.around[last(node)]
        entries = [self._entry(child) for child in node.children[place + 1 : -1]]
        head, end = self._words(node.children[: place + 1]), self.expressions
        if not entries and not closing.before and not broken(head):
            return concat(head, " ", end.doc(node.children[-1])), []
        comments, closing.before = closing.before, []
        body = [*_lines(entries, _INDENT), *_closing(comments, _INDENT, alone=not entries)]
        return head, [*body, *print_doc(end.doc(node.children[-1]), width=WIDTH, indent=0, column=0)]


def _lines(entries: Sequence[_Entry], indent: int) -> list[str]:
    lines: list[str] = []
    for place, run in enumerate(_runs(entries)):
        lines += [""] * bool(place)
        lines += _run(run, indent)
    return lines


def _runs(entries: Sequence[_Entry]) -> list[list[_Entry]]:
    """Entries between blank lines."""
    runs: list[list[_Entry]] = []
    for entry, previous in zip(entries, [None, *entries], strict=False):
        alone = (*_BODIES, "version")
        if previous is None or entry.blank or entry.kind in _BODIES or previous.kind in alone:
            runs.append([])
        runs[-1].append(entry)
    return runs


def _run(entries: Sequence[_Entry], indent: int) -> list[str]:
    """The lines of entries without blank lines between them: padded, and with aligned comments."""
    pads: dict[str, int] = {}
    for entry in entries:
        if entry.left is not None and not broken(entry.left):
            sign = _PADDED[entry.kind]
            pads[sign] = max(pads.get(sign, 0), flat_width(entry.left))
    lines: list[str] = []
    commented: list[tuple[int, str]] = []
    for entry in entries:
        for place, (blank, comment) in enumerate(entry.before):
            lines += [""] * (blank and place > 0)
            lines.append(" " * indent + comment)
        lines += [""] * (bool(entry.before) and entry.gap)
        drawn = _drawn(entry, indent, pads)
        lines += drawn
        if not entry.behind:
            continue
        if commented and commented[-1][0] != len(lines) - 2:
            _write_behind(lines, commented)
        commented.append((len(lines) - 1, entry.behind))
    _write_behind(lines, commented)
    return lines


def _drawn(entry: _Entry, indent: int, pads: dict[str, int]) -> list[str]:
    doc = entry.right
    if entry.left is not None:
        pad = max(0, pads.get(_PADDED[entry.kind], 0) - flat_width(entry.left))
        doc = concat(entry.left, " " * (pad + 1), doc)
    head, *others = print_doc(doc, width=WIDTH, indent=indent + _INDENT, column=indent)
    return [" " * indent + head, *others, *entry.body]


def _write_behind(lines: list[str], commented: list[tuple[int, str]]) -> None:
    """Write comments behind consecutive lines, below each other, and forget them."""
    column = max((len(lines[number]) for number, _ in commented), default=0)
    for number, comment in commented:
        lines[number] = f"{lines[number]:<{column}}  {comment}"
    commented.clear()


def _closing(comments: Sequence[tuple[bool, str]], indent: int, *, alone: bool) -> list[str]:
    """Comments before a closing brace, or at the end of the text."""
    lines: list[str] = []
    for place, (blank, comment) in enumerate(comments):
        lines += [""] * (blank and (place > 0 or not alone))
        lines.append(" " * indent + comment)
    return lines
