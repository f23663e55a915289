"""Peak memory of activations, by a liveness walk over the graph: nothing is run.

A tensor lives from the node that makes it to the last node that reads it. `split` gives views, which
keep their source alive; dropout hands on its input at inference. What an operator holds for itself
while it runs (a padded copy, say) and the caches of an allocator are not in the figure, and neither
are weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from catdsl.analysis.cost import FLOAT_BYTES
from catdsl.ir.graph import Graph


@dataclass(frozen=True, slots=True)
class Peak:
    """The most bytes that are alive at once, for one image in float32, and the node that runs then."""

    bytes: int
    node: str


def peak_memory(graph: Graph) -> Peak:
    """The peak over all nodes of a graph as it is; nothing in it is absent."""
    sizes = [0 if node.op.view else tensor_bytes(graph, node.name) for node in graph.nodes]
    owners = _owners(graph)
    place = {node.name: index for index, node in enumerate(graph.nodes)}
    last = list(range(len(sizes)))
    for index, node in enumerate(graph.nodes):
        for source in node.inputs:
            last[owners[place[source]]] = index
    last[owners[place[graph.output]]] = len(sizes)
    return _walk(graph, sizes, last)


def tensor_bytes(graph: Graph, name: str) -> int:
    """Bytes of a node's tensor, for one image in float32."""
    type_ = graph.node[name].type
    return FLOAT_BYTES * type_.height * type_.width * graph.channels(name)


def _owners(graph: Graph) -> list[int]:
    """For each node, the place of the one in whose memory its tensor lies."""
    place: dict[str, int] = {}
    owners: list[int] = []
    for index, node in enumerate(graph.nodes):
        owners.append(owners[place[node.inputs[0]]] if node.op.view else index)
        place[node.name] = index
    return owners


def _walk(graph: Graph, sizes: Sequence[int], last: Sequence[int]) -> Peak:
    # Images that come in are there from the start.
    alive = sum(size for node, size in zip(graph.nodes, sizes, strict=True) if not node.inputs)
    ends: dict[int, int] = {}
    peak = Peak(0, graph.output)
    for index, node in enumerate(graph.nodes):
        alive += sizes[index] if node.inputs else 0
        ends[last[index]] = ends.get(last[index], 0) + sizes[index]
        if alive > peak.bytes:
            peak = Peak(alive, node.name)
        alive -= ends.pop(index, 0)
    return peak
