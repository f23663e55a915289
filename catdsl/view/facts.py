"""What a picture says of each node: whether it is still there, its widths before and after, its cost.

With another network beside it, a student's picture is that of its teacher, with what is left of it
filled in; any two others are drawn as one, with what only the first has and what only the second has.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from enum import Enum

from catdsl.analysis.cost import Cost, cost_model
from catdsl.ir.graph import Graph, Node
from catdsl.ir.op import Absence
from catdsl.ir.presence import Counted, presence
from catdsl.ir.types import total
from catdsl.view.merged import Edge, Merged, merge
from catdsl.view.part import GIVE_WAY, is_part
from catdsl.view.structure import Network, makes_width
from catdsl.view.ties import deciding

__all__ = ["END", "Bar", "Edge", "Facts", "State", "costed_facts", "facts"]

# Takes the output of the network, as a node would; no node has this name.
END = ""


class State(Enum):
    """What became of a node of the drawn network."""

    PRESENT = "present"
    BYPASSED = "bypassed"  # gone, while the tensor that it passed on is still there
    GONE = "gone"
    NEW = "new"  # only in the second of two networks


@dataclass(frozen=True, slots=True)
class Bar:
    """The output channels of a conv, before and after: a teacher's, and those left.

    `own` where they are named by it. A new conv had 0 before, a removed one has 0 after. `width` names
    the widths of its channels in turn, `tied` the free ones that decide these (`view/ties.py`), each
    once: convs of which that is equal are narrowed together.
    """

    width: str
    full: int
    filled: int
    own: bool
    tied: str


@dataclass(frozen=True, slots=True)
class Facts:
    """`drawn` is the teacher where there is one, or two networks as one. `bars` are of nodes that make a width.

    `title` names both networks where their names differ.
    `student` says that what is drawn beside it is a part of it. `were` holds nodes of the first
    network that have another operator, other arguments or another size in the second. `macs` are
    those of what is left; so are `costs`, and `costs_before` are the first network's, both by node.
    `removed` and `added` are edges that only one of two networks has. `makers` says by `Bar.tied` how
    many convs are narrowed together: in the second network, or where none of its convs is, in the first.
    `deciding` leads from each width to the free ones behind it, `ties` has the forms of those that are tied.
    `live` is a picture in which scopes can be folded; `scored` are the widths whose counts a reader may
    change in it, which need room for that, and for their scores.
    """

    title: str
    drawn: Network
    compared: bool
    states: Mapping[str, State]
    shapes: Mapping[str, tuple[int, int, int]]
    bars: Mapping[str, Bar]
    macs: Mapping[str, int]
    makers: Mapping[str, int]
    deciding: Mapping[str, tuple[str, ...]]
    ties: Mapping[str, str]
    student: bool = True
    were: Mapping[str, Node] = field(default_factory=dict)
    costs: Mapping[str, Cost] = field(default_factory=dict)
    costs_before: Mapping[str, Cost] = field(default_factory=dict)
    removed: frozenset[Edge] = frozenset()
    added: frozenset[Edge] = frozenset()
    live: bool = False
    scored: Set[str] = frozenset()

    @property
    def total_macs(self) -> int:
        return sum(self.macs.values())

    def share(self, node: str) -> float:
        """A node's part of all MACs, from 0 to 1."""
        total_macs = self.total_macs
        return self.macs.get(node, 0) / total_macs if total_macs else 0.0

    def is_live(self, edge: Edge) -> bool:
        """Whether a tensor still goes from one node to another."""
        return edge not in self.removed and State.GONE not in (self.states[edge[0]], self.states[edge[1]])

    def is_new(self, edge: Edge) -> bool:
        """Whether a tensor goes there only in the second network."""
        return edge in self.added or State.NEW in (self.states[edge[0]], self.states[edge[1]])

    def differs(self, node: str) -> bool:
        """Whether the two networks differ in a node: operator, arguments, size, width, inputs, or what it costs."""
        bar = self.bars.get(node)
        moved = any((name, node) in self.removed or (name, node) in self.added for name in self.drawn.node[node].inputs)
        resized = bar is not None and bar.full != bar.filled
        costs = bool(self.costs_before) and self.costs.get(node) != self.costs_before.get(node)
        return self.states[node] is not State.PRESENT or node in self.were or resized or moved or costs


def title_of(before: Graph, after: Graph) -> str:
    """The names of two networks, or the one that both bear."""
    return after.name if before.name == after.name else f"{before.name} → {after.name}"


def facts(graph: Graph, *, teacher: Graph | None = None, macs: Mapping[str, int] | None = None) -> Facts:
    """`teacher` is the network that `graph` is compared with: its teacher, or any other.

    `macs` are multiply-accumulates per node of `graph`.
    """
    if teacher is None or is_part(graph, teacher):
        return _student(graph, teacher or graph, macs or {}, compared=teacher is not None)
    return _pair(teacher, graph, macs or {})


def costed_facts(graph: Graph, *, teacher: Graph | None = None) -> Facts:
    """The same with what each node costs, in both networks; MACs are exact ones."""
    costs = cost_model(graph).per_node()
    before = {} if teacher is None else cost_model(teacher).per_node()
    known = facts(graph, teacher=teacher, macs={name: cost.exact for name, cost in costs.items()})
    own = known.drawn.own if isinstance(known.drawn, Merged) else {}
    here = {own.get(name, name): cost for name, cost in costs.items()}
    return replace(known, costs=here, costs_before=before)


def _student(graph: Graph, drawn: Graph, macs: Mapping[str, int], *, compared: bool) -> Facts:
    counts = {w.name: graph.counts.get(w.name, 0) for w in drawn.widths}
    states = _states(graph, drawn, counts)
    left = {n.name: total(n.type.channels, counts) for n in drawn.nodes}
    decided = deciding(drawn.widths)
    bars = {n.name: _bar(n, drawn.channels(n.name), left[n.name], decided) for n in drawn.nodes if makes_width(n)}
    return Facts(
        title=title_of(drawn, graph),
        drawn=drawn,
        compared=compared,
        states={**states, END: State.PRESENT},
        shapes={n.name: _shape(n, graph, drawn, states[n.name], left[n.name]) for n in drawn.nodes},
        bars=bars,
        macs=macs,
        makers=_makers(drawn.nodes, decided),
        deciding=decided,
        ties=_ties(drawn),
    )


def _states(graph: Graph, teacher: Graph, counts: Mapping[str, int]) -> dict[str, State]:
    there = presence(teacher, Counted(counts))
    states: dict[str, State] = {}
    for node in reversed(teacher.nodes):
        if node.name in graph.node:
            states[node.name] = State.PRESENT
            continue
        wanted = node.name == teacher.output or any(
            states[user.name] is not State.GONE for user in teacher.consumers[node.name]
        )
        passes = wanted and any(there[node.name]) and node.op.absence in GIVE_WAY
        states[node.name] = State.BYPASSED if passes else State.GONE
    return states


def _shape(node: Node, graph: Graph, drawn: Graph, state: State, left: int) -> tuple[int, int, int]:
    """C x H x W: of what is left, or of the teacher where nothing is."""
    if state is State.PRESENT:
        kept = graph.node[node.name]
        return graph.channels(node.name), kept.type.height, kept.type.width
    channels = left if state is State.BYPASSED else drawn.channels(node.name)
    return channels, node.type.height, node.type.width


def _bar(node: Node, full: int, filled: int, decided: Mapping[str, tuple[str, ...]]) -> Bar:
    names = [s.width for s in node.type.channels]
    own = any(_made_here(node, name) for name in names)
    return Bar("+".join(names), full, filled, own, _tied(node, decided))


def _tied(node: Node, decided: Mapping[str, tuple[str, ...]]) -> str:
    return "+".join(dict.fromkeys(free for s in node.type.channels for free in decided[s.width]))


def _makers(nodes: Iterable[Node], decided: Mapping[str, tuple[str, ...]]) -> Counter[str]:
    return Counter(_tied(node, decided) for node in nodes if makes_width(node))


def _ties(graph: Graph) -> dict[str, str]:
    return {width.name: str(width.tie) for width in graph.widths if width.tie is not None}


def _made_here(node: Node, width: str) -> bool:
    """A width bears the name of its maker; its parts, where it was cut, a number more."""
    return width == node.name or width.startswith(f"{node.name}.")


# ---- any two networks ----


def _pair(before: Graph, after: Graph, macs: Mapping[str, int]) -> Facts:
    merged = merge(before, after)
    full = {n.name: before.channels(n.name) for n in before.nodes}
    channels = {merged.own[n.name]: after.channels(n.name) for n in after.nodes}
    shapes = {n.name: (full[n.name], n.type.height, n.type.width) for n in before.nodes}
    shapes |= {n.name: (channels[n.name], n.type.height, n.type.width) for n in merged.after.values()}
    # Widths are matched by their names, too; one of both networks is decided as in the second.
    old, new = deciding(before.widths), deciding(after.widths)
    bars = {
        n.name: _bar(n, full.get(n.name, 0), channels.get(n.name, 0), new if n.name in merged.after else old)
        for n in merged.nodes if makes_width(n)
    }  # fmt: skip
    return Facts(
        title=title_of(before, after),
        drawn=merged,
        compared=True,
        student=False,
        states={**{n.name: _state(n.name, merged) for n in merged.nodes}, END: State.PRESENT},
        shapes=shapes,
        bars=bars,
        macs={merged.own[name]: count for name, count in macs.items()},
        makers={**_makers(merged.before.values(), old), **_makers(merged.after.values(), new)},
        deciding=old | new,
        ties={name: form for name, form in _ties(before).items() if name not in new} | _ties(after),
        were={n: old for n, old in merged.before.items() if n in merged.after and _changed(old, merged.after[n])},
        removed=merged.removed,
        added=merged.added,
    )


def _state(name: str, merged: Merged) -> State:
    if name not in merged.after:
        return State.GONE
    return State.PRESENT if name in merged.before else State.NEW


def _changed(old: Node, new: Node) -> bool:
    """Whether a node does something else; channels are the matter of its bar, segments that of their makers."""
    sizes = ((n.type.height, n.type.width) for n in (old, new))
    same_attrs = old.attrs == new.attrs or old.op.absence in (Absence.SLICES, Absence.ARRANGES)
    return old.op is not new.op or len(set(sizes)) > 1 or not same_attrs
