"""The invariants of a graph. A broken one is our fault, never the user's."""

from itertools import chain

from catdsl.diagnostics import InternalError
from catdsl.ir.graph import Graph, Node
from catdsl.ir.op import Absence


def verify(graph: Graph) -> None:
    """Raise InternalError where the graph is not well formed."""
    seen: set[str] = set()
    for node in graph.nodes:
        _demand(node.name not in seen, f"two nodes are called {node.name}")
        _demand(all(i in seen for i in node.inputs), f"{node.name} uses a node that comes later")
        _demand(node.type.height > 0 and node.type.width > 0, f"{node.name} is empty")
        for segment in node.type.channels:
            _demand(segment.width in graph.width, f"{node.name} has the unknown width {segment.width}")
        _demand(node.attrs.get("bias") != "auto", f"{node.name} has an undecided bias")
        _channels(graph, node)
        seen.add(node.name)
    _demand(graph.output in seen, f"the output {graph.output} is no node")
    _demand(len(graph.width) == len(graph.widths), "two widths have one name")
    for tap in graph.taps:
        _demand(tap.node in seen, f"the tap {tap.label} is no node")
    for width in graph.widths:
        if width.tie is not None:
            unknown = [n for n, _ in width.tie.terms if n not in graph.width]
            _demand(not unknown, f"{width.name} is tied to unknown {unknown}")
            _demand(width.tie.value(graph.counts) == width.count, f"{width.name} breaks its tie")


def _channels(graph: Graph, node: Node) -> None:
    """Channels of inputs and result agree as the operator's kind of absence implies."""
    inputs = [graph.node[name].type.channels for name in node.inputs]
    match node.op.absence:
        case Absence.PASSES if node.op.name != "pixel_shuffle":
            _demand(inputs[0] == node.type.channels, f"{node.name} changes its channels")
        case Absence.ANY | Absence.ALL | Absence.MODULATES:
            _demand(all(i == node.type.channels for i in inputs), f"{node.name} joins unequal channels")
        case Absence.JOINS:
            _demand(tuple(chain.from_iterable(inputs)) == node.type.channels, f"{node.name} is not its inputs in turn")
        case Absence.SLICES:
            start, stop = node.attrs["segments"]
            _demand(inputs[0][start:stop] == node.type.channels, f"{node.name} slices wrongly")
        case Absence.ARRANGES:
            places = zip(node.attrs["sources"], node.type.channels, strict=True)
            taken = tuple(inputs[0][i] if i >= 0 else segment for i, segment in places)
            _demand(taken == node.type.channels, f"{node.name} arranges wrongly")


def _demand(condition: bool, message: str) -> None:
    if not condition:
        raise InternalError(f"malformed graph: {message}")
