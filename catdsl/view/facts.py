"""What a picture says of each node: whether it is still there, its widths before and after, its cost.

With a teacher, the teacher is what is drawn and the graph is what is left of it.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from enum import Enum

from catdsl.diagnostics import InternalError
from catdsl.ir.graph import Graph, Node
from catdsl.ir.op import Absence
from catdsl.ir.presence import Counted, presence
from catdsl.ir.types import total
from catdsl.view.structure import makes_width

# Operators that give way where only one of their inputs is left: the tensor goes on without them.
GIVE_WAY = (Absence.ANY, Absence.JOINS, Absence.MODULATES, Absence.SLICES, Absence.ARRANGES)

Edge = tuple[str, str]

# Takes the output of the network, as a node would; no node has this name.
END = ""


class State(Enum):
    """What became of a node of the drawn graph."""

    PRESENT = "present"
    BYPASSED = "bypassed"  # gone, while the tensor that it passed on is still there
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Bar:
    """The output channels of a conv: the teacher's, and those left. `own` where they are named by it."""

    width: str
    full: int
    filled: int
    own: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """`drawn` is the teacher where there is one. `bars` are of nodes that make a width.

    `live` is a picture in which scopes can be folded; `scored` are the widths whose counts a reader may
    change in it, which need room for that, and for their scores.
    """

    drawn: Graph
    compared: bool
    states: Mapping[str, State]
    shapes: Mapping[str, tuple[int, int, int]]
    bars: Mapping[str, Bar]
    macs: Mapping[str, int]
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
        return State.GONE not in (self.states[edge[0]], self.states[edge[1]])


def facts(
    graph: Graph, *, teacher: Graph | None = None, macs: Mapping[str, int] | None = None,
    live: bool = False, scored: Set[str] = frozenset(),
) -> Facts:  # fmt: skip
    """Raises InternalError where `graph` is not a student of `teacher`."""
    drawn = graph if teacher is None else teacher
    counts = {w.name: graph.counts.get(w.name, 0) for w in drawn.widths}
    states = _states(graph, drawn, counts)
    return Facts(
        drawn=drawn,
        compared=teacher is not None,
        states={**states, END: State.PRESENT},
        shapes={n.name: _shape(n, graph, drawn, states[n.name], counts) for n in drawn.nodes},
        bars={n.name: _bar(n, graph, drawn, counts) for n in drawn.nodes if makes_width(n)},
        macs=dict(macs or {}),
        live=live,
        scored=scored,
    )


def _states(graph: Graph, teacher: Graph, counts: Mapping[str, int]) -> dict[str, State]:
    new = (n for n in graph.nodes if n.name not in teacher.node)
    strange = [n.name for n in new if n.op.absence is not Absence.ARRANGES]
    if strange:
        raise InternalError(f"{graph.name} is no student of {teacher.name}: {', '.join(strange[:3])}")
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


def _shape(node: Node, graph: Graph, drawn: Graph, state: State, counts: Mapping[str, int]) -> tuple[int, int, int]:
    """C x H x W: of what is left, or of the teacher where nothing is."""
    if state is State.PRESENT:
        kept = graph.node[node.name]
        return graph.channels(node.name), kept.type.height, kept.type.width
    left = total(node.type.channels, counts) if state is State.BYPASSED else drawn.channels(node.name)
    return left, node.type.height, node.type.width


def _bar(node: Node, graph: Graph, drawn: Graph, counts: Mapping[str, int]) -> Bar:
    full, left = drawn.channels(node.name), total(node.type.channels, counts)
    name = "+".join(s.width for s in node.type.channels)
    return Bar(name, full, left, any(_made_here(node, s.width) for s in node.type.channels))


def _made_here(node: Node, width: str) -> bool:
    """A width bears the name of its maker; its parts, where it was cut, a number more."""
    return width == node.name or width.startswith(f"{node.name}.")
