"""What becomes of every node, as conditions on the widths: still there, only passed through, or gone.

The rules are those by which a student's graph is made (`catdsl/ir/counts.py`): a sum of which one term
is left is that term, a slice of all that is left is that. A test compares the two.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catdsl.analysis.conditions import FALSE, TRUE, Conditions, Row
from catdsl.ir.graph import Graph, Node
from catdsl.ir.op import Absence
from catdsl.ir.presence import needed, presence
from catdsl.view.part import GIVE_WAY


@dataclass(frozen=True, slots=True)
class NodeStates:
    """Indices of conditions by node: `kept` where it is in the student, `left` where its tensor at least is.

    `present` has one for each segment of its tensor.
    """

    rows: tuple[Row, ...]
    kept: Mapping[str, int]
    left: Mapping[str, int]
    present: Mapping[str, tuple[int, ...]]


def node_states(graph: Graph) -> NodeStates:
    """Conditions for the nodes of a teacher."""
    logic = Conditions(frozenset())
    present = presence(graph, logic)
    alive = needed(graph, present, logic)
    alive |= {n.name: TRUE for n in graph.nodes if n.op.absence is Absence.SOURCE}
    kept = {n.name: logic.all_of((alive[n.name], _stays(n, graph, present, alive, logic))) for n in graph.nodes}
    left: dict[str, int] = {}
    for node in reversed(graph.nodes):
        users = tuple(left[user.name] for user in graph.consumers[node.name])
        wanted = TRUE if node.name == graph.output else logic.any_of(users)
        there = logic.any_of(present[node.name])
        passes = logic.all_of((wanted, there)) if node.op.absence in GIVE_WAY else FALSE
        left[node.name] = logic.any_of((kept[node.name], passes))
    return NodeStates(logic.rows(), kept, left, present)


def _stays(
    node: Node, graph: Graph, present: Mapping[str, tuple[int, ...]], alive: Mapping[str, int], logic: Conditions
) -> int:
    """Whether a node that is needed has something to do."""
    match node.op.absence:
        case Absence.ANY | Absence.JOINS:
            return _two_of([alive[name] for name in node.inputs], logic)
        case Absence.MODULATES:
            x, *others = (alive[name] for name in node.inputs)
            return logic.all_of((x, logic.any_of(tuple(others))))
        case Absence.SLICES:
            start, stop = node.attrs["segments"]
            source = present[node.inputs[0]]
            return logic.any_of(source[:start] + source[stop:])
    return TRUE


def _two_of(values: Sequence[int], logic: Conditions) -> int:
    """Whether at least two hold."""
    one, two = FALSE, FALSE
    for value in values:
        two = logic.any_of((two, logic.all_of((one, value))))
        one = logic.any_of((one, value))
    return two
