"""A graph as an indented tree for the terminal: operators, shapes, widths, and shares of MACs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from unicodedata import combining, east_asian_width

from catdsl.diagnostics.printable import printable
from catdsl.view.describe import alteration, change, channels, fate, figures, local_name, percent, shape
from catdsl.view.facts import Facts, State
from catdsl.view.structure import Part, Run, Scope, members, structure, taps_by_node

_INDENT = "  "
_GAP = "  "


@dataclass(frozen=True, slots=True)
class _Line:
    """The cells of one line; numbers stand at the right of theirs."""

    name: str
    detail: str = ""
    shape: str = ""
    width: str = ""
    share: str = ""
    remark: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        return self.name, self.detail, self.shape, self.width, self.share, self.remark


_REMARKS = {State.PRESENT: "", State.BYPASSED: "not needed", State.GONE: "vanished", State.NEW: "added"}
_TO_THE_RIGHT = (False, False, True, True, True, False)


def render_facts(known: Facts) -> str:
    """The tree as text that ends with a line break, in plain characters but for the names.

    With a `teacher`, widths read `64 -> 20` and what vanished is said so; without one, equal blocks
    that follow each other are shown once. Of two networks that are not teacher and student, blocks
    without a difference take one line. Costs of both are the last lines.
    """
    tree = _Tree(known)
    first = _Line(f"{known.drawn.kind} {known.title}")
    last = _Line(f"output {known.drawn.output}"), *(_Line(words) for words in figures(known, arrow="->"))
    return _aligned([first, *tree.lines(structure(known.drawn).children, 1), *last])


class _Tree:
    def __init__(self, known: Facts, *, taps: bool = True):
        self.facts = known
        self.taps = taps_by_node(known.drawn) if taps else {}

    def lines(self, parts: Iterable[Part], depth: int) -> Iterator[_Line]:
        for _, same in groupby(parts, key=self._signature):
            first, *others = same
            if isinstance(first, Run):
                for run in (first, *others):
                    yield from (self._operator(n, depth) for n in members(run))
            elif others and not self.facts.compared:
                yield from self._repeated(first, [p for p in others if isinstance(p, Scope)], depth)
            else:
                for scope in (first, *others):
                    yield from self._scope(scope, depth)

    def _scope(self, scope: Part, depth: int) -> Iterator[_Line]:
        assert isinstance(scope, Scope)
        nodes = tuple(members(scope))
        if all(self.facts.states[n] is State.GONE for n in nodes):
            remark = "vanished" if self.facts.student else fate(State.GONE, self.facts)
            yield _Line(_INDENT * depth + scope.label, width=self._lost(nodes), remark=remark)
            return
        if not self.facts.student and not any(self.facts.differs(n) for n in nodes):
            yield _Line(_INDENT * depth + scope.label, share=self._share(nodes), remark="equal")
            return
        yield _Line(_INDENT * depth + scope.label, share=self._share(nodes))
        yield from self.lines(scope.children, depth + 1)

    def _repeated(self, first: Scope, others: list[Scope], depth: int) -> Iterator[_Line]:
        """Equal blocks as one; shares further in are those of one of them."""
        count = len(others) + 1
        nodes = [n for scope in (first, *others) for n in members(scope)]
        taps = [label for n in nodes for label in self.taps.get(n, ())]
        each = self._share(members(first))
        remarks = [f"{each} each" if each else "", _tap_remark(taps)]
        yield _Line(
            f"{_INDENT * depth}{first.path} .. {others[-1].path}: {count} x",
            share=self._share(nodes), remark=", ".join(filter(None, remarks)),
        )  # fmt: skip
        yield from _Tree(self.facts, taps=False).lines(first.children, depth + 1)

    def _operator(self, name: str, depth: int) -> _Line:
        node = self.facts.drawn.node[name]
        state = self.facts.states[name]
        remarks = [_REMARKS[state] if self.facts.student else fate(state, self.facts)]
        if name in self.taps:
            remarks = [*remarks, _tap_remark(self.taps[name])]
        return _Line(
            _INDENT * depth + local_name(name),
            alteration(node, self.facts, times="x", down="/", up="up ", arrow="->"),
            shape(self.facts.shapes[name], times=" x "),
            channels(name, self.facts, arrow="->") if name in self.facts.bars else "",
            percent(self.facts.share(name)) if self.facts.macs.get(name) else "",
            ", ".join(filter(None, remarks)),
        )

    def _share(self, nodes: Iterable[str]) -> str:
        share = sum(self.facts.share(n) for n in nodes)
        return percent(share) if share else ""

    def _lost(self, nodes: Iterable[str]) -> str:
        """The first width that a vanished scope made itself."""
        bars = (self.facts.bars[n] for n in nodes if n in self.facts.bars)
        return next((change(bar, arrow="->") for bar in bars if bar.own), "")

    def _signature(self, part: Part) -> object:
        """Equal for parts that look the same below their own label."""
        if isinstance(part, Run):
            return part.nodes
        return tuple(self._look(child) for child in part.children)

    def _look(self, part: Part) -> object:
        if isinstance(part, Scope):
            return part.label, self._signature(part)
        nodes = (self.facts.drawn.node[n] for n in part.nodes)
        return tuple(
            (local_name(n.name), n.op.name, repr(sorted(n.attrs.items(), key=str)), self.facts.shapes[n.name])
            for n in nodes
        )


def _tap_remark(labels: Iterable[str]) -> str:
    joined = ", ".join(labels)
    return f"tap {joined}" if joined else ""


def _aligned(lines: list[_Line]) -> str:
    rows = [[printable(cell) for cell in line.cells] for line in lines]
    # A heading has a line of its own and may be as long as it likes.
    shared = [row for row in rows if any(row[1:])]
    widths = [max((_columns(row[i]) for row in shared), default=0) for i in range(len(_TO_THE_RIGHT))]
    return "".join(f"{_joined(row, widths)}\n" for row in rows)


def _joined(row: list[str], widths: list[int]) -> str:
    cells = []
    for cell, width, right in zip(row, widths, _TO_THE_RIGHT, strict=True):
        fill = " " * (width - _columns(cell))
        cells.append(fill + cell if right else cell + fill)
    return _GAP.join(c for c, width in zip(cells, widths, strict=True) if width or c).rstrip()


def _columns(text: str) -> int:
    """Character cells that a terminal needs."""
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)
