"""What is computed twice from the same tensors is computed once."""

from dataclasses import dataclass, replace

from catdsl.ir.graph import Graph, Node
from catdsl.ir.op import Absence
from catdsl.ir.size import Size, evaluate, indexed
from catdsl.passes.rewriting import Draft, Rewritten, sizes_of, until_settled


@dataclass(frozen=True, slots=True)
class ShareEqualNodes:
    """One node for those of one operator, equal attributes and equal inputs, where it has no weights.

    A size that follows a tensor is made to follow the first one of that size. The normalisations of a
    SPADE block (Park et al., CVPR 2019) then share the resized labels.
    """

    name: str = "share equal nodes"

    def run(self, graph: Graph) -> Rewritten:
        return until_settled(_once, graph)


def _once(graph: Graph) -> Rewritten:
    draft = Draft(graph)
    sizes = sizes_of(graph)
    seen: dict[tuple[object, ...], str] = {}
    for node in graph.nodes:
        if node.op.absence is Absence.SOURCE or node.op.random or node.op.weights(node.attrs):
            continue
        wanted = _led(node, sizes)
        if wanted != node:
            draft.put(wanted)
        # The channels tell apart those that put zeros in the place of different absent ones.
        key = (node.op.name, repr(sorted(wanted.attrs.items())), wanted.inputs, wanted.type.channels)
        if seen.setdefault(key, node.name) != node.name:
            draft.move(node.name, seen[key])
    return draft.finish()


def _led(node: Node, sizes: dict[str, Size]) -> Node:
    """A node whose size follows other tensors, led by the first tensors of those sizes."""
    if len(node.inputs) < 2 or node.op.absence is not Absence.PASSES:
        return node
    inputs = [node.inputs[0]]
    own: list[Size] = [(("height", name), ("width", name)) for name in node.inputs]
    known = [own[0], *(sizes[name] for name in node.inputs[1:])]
    to = tuple(indexed(evaluate(expr, known), inputs) for expr in node.attrs["to"])
    return replace(node, inputs=tuple(inputs), attrs={**node.attrs, "to": to})
