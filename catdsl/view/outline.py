"""The drawn network as nested groups of cards with lines between them, for programs that lay out graphs.

A card has the operators of one run, as in the SVG picture. Groups below a depth may be folded, each
to one card; where that is not enough, cards at the top that follow each other are put together.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from catdsl.view.describe import alteration, channels, fate, heat, local_name, percent, shape
from catdsl.view.facts import END, Facts, State
from catdsl.view.groups import letter, shared_widths
from catdsl.view.structure import Part, Run, Scope, is_join, members, structure, taps_by_node
from catdsl.view.typeface import STYLES, fit

_LONGEST = 420  # pixels
_APART = " · "
_TIMES = "\N{MULTIPLICATION SIGN}"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A card: its title, "" for none, and lines. `state` is that of all its nodes, PRESENT where they differ."""

    id: str
    title: str
    lines: tuple[str, ...]
    nodes: tuple[str, ...]
    kind: str  # operators, join, input, output, folded
    state: State
    heat: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """A block: what its parent adds to its name, its share of all operations as words, and what lies in it."""

    id: str
    label: str
    share: str
    children: tuple["Leaf | Group", ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One or more tensors that go from one card to another."""

    source: str
    target: str
    state: State


@dataclass(frozen=True, slots=True)
class Outline:
    """The network as groups and cards, and the lines between the cards."""

    children: tuple[Leaf | Group, ...]
    lines: tuple[Line, ...]


def outline(facts: Facts) -> Outline:
    """Everything, nothing folded."""
    return next(outlines(facts))


def outlines(facts: Facts) -> Iterator[Outline]:
    """The whole, then with one level less of nested groups each, then with ever more cards in one."""
    root = structure(facts.drawn)
    for depth in range(_depth(root), -1, -1):
        yield _Outliner(facts, depth).outline(root)
    together = 2
    while together < 2 * len(root.children):
        yield _Outliner(facts, 0).outline(root, together)
        together *= 2


def leaves(parts: Sequence[Leaf | Group]) -> Iterator[Leaf]:
    """All cards, from the outside in."""
    for part in parts:
        if isinstance(part, Leaf):
            yield part
        else:
            yield from leaves(part.children)


def _depth(part: Part) -> int:
    """How many groups lie in each other; a scope of one run is a card."""
    if isinstance(part, Run):
        return 0
    return max((_depth(c) + (not _is_card(c)) for c in part.children), default=0)


def _is_card(part: Part) -> bool:
    return isinstance(part, Run) or (len(part.children) == 1 and isinstance(part.children[0], Run))


class _Outliner:
    """Makes one outline; ids count up in the order in which things stand."""

    def __init__(self, facts: Facts, deepest: int):
        self.facts, self.deepest = facts, deepest
        self.groups = shared_widths(facts)
        self.taps = taps_by_node(facts.drawn)
        self.made = 0

    def outline(self, root: Scope, together: int = 1) -> Outline:
        parts: list[Leaf | Group] = []
        for start in range(0, len(root.children), together):
            some = root.children[start : start + together]
            parts.append(self._part(some[0], 1) if len(some) == 1 else self._together(some))
        parts.append(Leaf("output", "output", (), (END,), "output", State.PRESENT))
        found = list(leaves(parts))
        shares = {leaf.id: self._share(leaf.nodes) for leaf in found}
        hottest = max(shares.values())
        heats = {key: heat(share, hottest) for key, share in shares.items()}
        return Outline(tuple(_heated(part, heats) for part in parts), self._lines(found))

    def _id(self, sort: str) -> str:
        self.made += 1
        return f"{sort}{self.made}"

    def _share(self, nodes: Sequence[str]) -> float:
        return sum(self.facts.share(n) for n in nodes)

    # ---- cards and groups ----

    def _part(self, part: Part, depth: int) -> Leaf | Group:
        if isinstance(part, Run):
            return self._card(part, "")
        if isinstance(part.children[0], Run) and _is_card(part):
            return self._card(part.children[0], part.label)
        nodes = tuple(members(part))
        if depth > self.deepest:
            return self._fold(part.label, nodes)
        share = self._share(nodes)
        made = self._id("g")
        children = tuple(self._part(child, depth + 1) for child in part.children)
        return Group(made, _fitted(part.label), percent(share) if share else "", children)

    def _card(self, run: Run, title: str) -> Leaf:
        node = self.facts.drawn.node[run.nodes[0]]
        kind = "join" if is_join(node) else "input" if node.op.name == "input" else "operators"
        sizes = [self.facts.shapes[name] for name in run.nodes]
        new = [i == 0 or sizes[i - 1] != size for i, size in enumerate(sizes)]
        words = [line for name, told in zip(run.nodes, new, strict=True) for line in self._words(name, sized=told)]
        if kind == "join":
            words = ["+" if node.op.name == "add" else _TIMES, *words[1:]]
        return Leaf(self._id("n"), _fitted(title), tuple(map(_fitted, words)), run.nodes, kind, self._state(run.nodes))

    def _fold(self, label: str, nodes: tuple[str, ...]) -> Leaf:
        share = self._share(nodes)
        count = f"{len(nodes)} operator{'s' * (len(nodes) > 1)}"
        taps = tuple(_fitted(f"◆ {tap}") for n in nodes for tap in self.taps.get(n, ()))
        words = _APART.join(filter(None, (count, percent(share) if share else "", self._changes(nodes))))
        return Leaf(self._id("n"), _fitted(label), (words, *taps[:3]), nodes, "folded", self._state(nodes))

    def _together(self, parts: Sequence[Part]) -> Leaf:
        names = [p.label if isinstance(p, Scope) else p.nodes[0] for p in (parts[0], parts[-1])]
        return self._fold(" … ".join(names), tuple(n for part in parts for n in members(part)))

    def _state(self, nodes: Sequence[str]) -> State:
        states = {self.facts.states[n] for n in nodes}
        return states.pop() if len(states) == 1 else State.PRESENT

    def _changes(self, nodes: Sequence[str]) -> str:
        differing = sum(self.facts.differs(n) for n in nodes) if self.facts.compared else 0
        return f"{differing} differ" if differing else ""

    def _words(self, name: str, *, sized: bool) -> Iterator[str]:
        """The line of an operator, with its shape where that is new, and one for each of its taps."""
        node, bar, share = self.facts.drawn.node[name], self.facts.bars.get(name), self.facts.share(name)
        width = "" if bar is None else channels(name, self.facts)
        if bar is not None and bar.tied in self.groups:
            width = f"{letter(self.groups[bar.tied])} {width}"
        called = " ".join(filter(None, (local_name(name), alteration(node, self.facts))))
        words = (called, shape(self.facts.shapes[name]) if sized else "", width, percent(share) if share else "")
        yield _APART.join(filter(None, (*words, fate(self.facts.states[name], self.facts))))
        yield from (f"◆ {tap}" for tap in self.taps.get(name, ()))

    # ---- lines ----

    def _lines(self, found: Sequence[Leaf]) -> tuple[Line, ...]:
        place = {node: leaf.id for leaf in found for node in leaf.nodes}
        drawn = self.facts.drawn
        edges = [(source, node.name) for node in drawn.nodes for source in node.inputs]
        between: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for edge in [*edges, (drawn.output, END)]:
            ends = place[edge[0]], place[edge[1]]
            if ends[0] != ends[1]:
                between.setdefault(ends, []).append(edge)
        return tuple(Line(*ends, self._between(some)) for ends, some in between.items())

    def _between(self, edges: Sequence[tuple[str, str]]) -> State:
        live = [edge for edge in edges if self.facts.is_live(edge)]
        if not live:
            return State.GONE
        return State.NEW if all(map(self.facts.is_new, live)) else State.PRESENT


def _heated(part: Leaf | Group, heats: dict[str, int]) -> Leaf | Group:
    if isinstance(part, Leaf):
        return replace(part, heat=heats[part.id])
    return replace(part, children=tuple(_heated(child, heats) for child in part.children))


def _fitted(words: str) -> str:
    return fit(words, _LONGEST, *STYLES["plain"])
