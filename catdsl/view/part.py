"""Whether one network is a part of another: a student, with nothing but channels and what hung on them gone."""

from catdsl.ir.graph import Graph, Node
from catdsl.ir.op import Absence

# Operators that give way where only one of their inputs is left: the tensor goes on without them.
GIVE_WAY = (Absence.ANY, Absence.JOINS, Absence.MODULATES, Absence.SLICES, Absence.ARRANGES)

# What a student's operators may have in another form: they count segments, or name tensors, that are left.
_RECOUNTED = (Absence.SLICES, Absence.ARRANGES)


def is_part(graph: Graph, teacher: Graph) -> bool:
    """Whether `graph` can be shown as what is left of `teacher`, node by node."""
    wider = any(count > teacher.counts.get(name, 0) for name, count in graph.counts.items())
    return not wider and all(_is_kept(node, graph, teacher) for node in graph.nodes)


def _is_kept(node: Node, graph: Graph, teacher: Graph) -> bool:
    """Whether a node is the teacher's, on what is left of its inputs."""
    same = teacher.node.get(node.name)
    if same is None:
        return node.op.absence is Absence.ARRANGES
    if same.op is not node.op or (same.type.height, same.type.width) != (node.type.height, node.type.width):
        return False
    lends = node.op.absence is Absence.PASSES and len(same.inputs) > 1  # sizes, of which a student has fewer
    if lends or node.op.absence in _RECOUNTED:
        return True
    taken = {_lined_up(name, graph, teacher) for name in node.inputs}
    kept = {name for name in same.inputs if name in graph.node}
    return same.attrs == node.attrs and kept <= taken and taken <= kept | _passed_on(same, graph, teacher)


def _lined_up(name: str, graph: Graph, teacher: Graph) -> str:
    """The tensor behind operators that only line up what is left."""
    while name not in teacher.node and graph.node[name].inputs:
        name = graph.node[name].inputs[0]
    return name


def _passed_on(node: Node, graph: Graph, teacher: Graph) -> set[str]:
    """The tensors that reach a node of the teacher through operators that gave way."""
    found: set[str] = set()
    seen: set[str] = set()
    waiting = [name for name in node.inputs if name not in graph.node]
    while waiting:
        gone = teacher.node[waiting.pop()]
        if gone.name in seen or gone.op.absence not in GIVE_WAY:
            continue
        seen.add(gone.name)
        found |= {name for name in gone.inputs if name in graph.node}
        waiting += [name for name in gone.inputs if name not in graph.node]
    return found
