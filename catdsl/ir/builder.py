"""The only maker of graphs from scratch: adds typed nodes, then resolves widths and biases."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from catdsl.diagnostics import CatError, Diagnostic, Span
from catdsl.ir.graph import Graph, Node, Tap
from catdsl.ir.op import Absence, Kind, Op, Statistics
from catdsl.ir.ranges import solve
from catdsl.ir.shapes import ShapeCall, ShapeError
from catdsl.ir.types import Channels, TensorType
from catdsl.ir.verify import verify
from catdsl.ir.widths import WidthSolver

MAX_NODES = 50_000


class GraphBuilder:
    """Collects nodes of one network. `floor` is the default low bound of searched widths."""

    def __init__(self, name: str, kind: str, *, floor: int):
        self.name, self.kind, self.floor = name, kind, floor
        self.widths = WidthSolver()
        self._nodes: dict[str, Node] = {}

    def type_of(self, node: str) -> TensorType:
        return self._nodes[node].type

    def count(self, channels: Channels) -> int:
        """Channels in the teacher."""
        return self.widths.count(channels)

    def input(self, name: str, op: Op, attrs: Mapping[str, Any], *, span: Span | None) -> str:
        """Add an input of `attrs["channels"]` channels, fixed."""
        channels = self.widths.new(name, attrs["channels"], made_by="input", span=span)
        self.widths.fix(channels, span=span, reason="inputs are fixed")
        type_ = TensorType(channels, attrs["height"], attrs["width"])
        self._nodes[name] = Node(name, op, (), dict(attrs), type_, span)
        return name

    def add(
        self, name: str, op: Op, inputs: Sequence[str], attrs: Mapping[str, Any], *,
        word: str, operands: Sequence[str], span: Span | None,
    ) -> str:  # fmt: skip
        """Add one application. Raises ShapeError where its shape rule is broken."""
        if len(self._nodes) >= MAX_NODES:
            raise ShapeError(
                "E103", f"the graph has more than {MAX_NODES:,} nodes, the limit",
                help="repeat fewer blocks, or shorten the lists that are expanded",
            )  # fmt: skip
        types = tuple(self._nodes[i].type for i in inputs)
        call = ShapeCall(
            name=name, word=word, inputs=types, operands=tuple(operands), attrs=attrs,
            widths=self.widths, span=span, floor=self.floor,
        )  # fmt: skip
        result = op.infer(call)
        made = _made(op)
        kept = {key: value for key, value in attrs.items() if key not in made}
        self._nodes[name] = Node(name, op, tuple(inputs), kept, result, span)
        return name

    def finish(self, output: str, taps: Sequence[Tap] = ()) -> Graph:
        """The graph, without the nodes that nothing uses.

        Raises CatError where bounds or ties of widths cannot all hold.
        """
        self.widths.fix(self.type_of(output).channels, span=self._nodes[output].span, reason="outputs are fixed")
        solution = solve(self.widths)
        if solution.problems:
            raise CatError(solution.problems)
        nodes = {name: self._resolved(node) for name, node in self._nodes.items()}
        counts = {w.name: w.count for w in solution.widths}
        nodes = {name: _with_segments(node, nodes, counts) for name, node in nodes.items()}
        alive = _alive(nodes, [output, *(t.node for t in taps)])
        nodes = _with_biases(nodes, alive, output)
        kept = tuple(n for n in nodes.values() if n.name in alive or n.op.absence is Absence.SOURCE)
        # A width of 0 stands in no type; it is listed, so that what is absent can be seen and removed.
        used = {w.name for w in solution.widths if w.count == 0}
        used |= {s.width for n in kept for s in n.type.channels}
        used |= {name for w in solution.widths if w.tie and w.name in used for name, _ in w.tie.terms}
        widths = tuple(w for w in solution.widths if w.name in used)
        graph = Graph(self.name, self.kind, kept, widths, output, tuple(taps))
        verify(graph)
        return graph

    def _resolved(self, node: Node) -> Node:
        channels = self.widths.resolve(node.type.channels)
        if channels == node.type.channels:
            return node
        return replace(node, type=replace(node.type, channels=channels))


@cache
def _made(op: Op) -> frozenset[str]:
    """The arguments that become widths and inputs, and are no attributes of the node."""
    return frozenset(a.name for a in op.args if a.kind in (Kind.WIDTH, Kind.TENSOR))


def _with_segments(node: Node, nodes: Mapping[str, Node], counts: Mapping[str, int]) -> Node:
    """A slice's place as segments of its input: known only when all refinement is done."""
    if node.op.absence is not Absence.SLICES:
        return node
    start_channel = node.attrs["start"]
    position = start = 0
    segments = nodes[node.inputs[0]].type.channels
    while position < start_channel:
        position += counts[segments[start].width] * segments[start].repeat
        start += 1
    stop = start + len(node.type.channels)
    attrs = {key: value for key, value in node.attrs.items() if key != "start"}
    return replace(node, attrs={**attrs, "segments": (start, stop)})


def _alive(nodes: Mapping[str, Node], roots: Sequence[str]) -> set[str]:
    alive: set[str] = set()
    stack = list(roots)
    while stack:
        name = stack.pop()
        if name not in alive:
            alive.add(name)
            stack += nodes[name].inputs
    return alive


def _with_biases(nodes: dict[str, Node], alive: set[str], output: str) -> dict[str, Node]:
    """`bias = auto`: none where every path leads, through sums at most, into a batch norm.

    Walked from the back, so that each node is decided after everything that it leads to.
    """
    swallowed: dict[str, bool] = {}
    consumers: dict[str, list[Node]] = {name: [] for name in nodes}
    for node in nodes.values():
        for source in node.inputs if node.name in alive else ():
            consumers[source].append(node)
    for name in reversed(nodes):
        swallowed[name] = (
            name != output
            and bool(consumers[name])
            and all(
                _is_batch_norm(user) or (user.op.name == "add" and swallowed[user.name]) for user in consumers[name]
            )
        )
    return {
        name: replace(node, attrs={**node.attrs, "bias": not swallowed[name]})
        if node.attrs.get("bias") == "auto"
        else node
        for name, node in nodes.items()
    }


def _is_batch_norm(node: Node) -> bool:
    return node.norm is not None and node.norm.over is Statistics.BATCH


def diagnostic(error: ShapeError, span: Span | None) -> Diagnostic:
    """A shape error as a diagnostic at its place."""
    return Diagnostic(error.code, error.message, span, error.label, error.notes, error.help)
