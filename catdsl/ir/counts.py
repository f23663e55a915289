"""A graph at other counts: the student's graph, with everything absent gone.

Nothing absent is left behind: no operator, weight, bias or norm (`docs/language/widths.md`, Absence).
"""

from collections.abc import Mapping
from dataclasses import replace

from catdsl.diagnostics import CatError, InternalError
from catdsl.ir.graph import Graph, Node, Tap
from catdsl.ir.linear import Linear
from catdsl.ir.op import Absence, Op
from catdsl.ir.presence import Counted, needed, presence
from catdsl.ir.size import MAX_SIZE_OPERATIONS, Size, evaluate, indexed, operations
from catdsl.ir.types import Channels, Width
from catdsl.ir.verify import verify

Flags = tuple[bool, ...]


def complete_counts(graph: Graph, chosen: Mapping[str, int]) -> dict[str, int]:
    """Counts of all widths: those chosen, the graph's own elsewhere, tied ones from their ties."""
    unknown = set(chosen) - set(graph.width)
    if unknown:
        raise InternalError(f"counts for unknown widths {sorted(unknown)}")
    counts = {w.name: chosen.get(w.name, w.count) for w in graph.widths if w.tie is None}
    for width in graph.widths:
        if width.tie is None:
            continue
        value = width.tie.value(counts)
        if value.denominator != 1 or value < 0:
            raise InternalError(f"{width.name} = {width.tie} has no whole count")
        counts[width.name] = int(value)
    return counts


def with_counts(graph: Graph, chosen: Mapping[str, int], *, arrange: Op) -> Graph:
    """The same network at the chosen counts, absent tensors and their operators removed.

    `arrange` is the internal operator that lines up tensors of which different parts are absent.
    Raises CatError E308 where nothing is left of the output.
    """
    counts = complete_counts(graph, chosen)
    rewriter = _Rewriter(graph, counts, arrange)
    for node in graph.nodes:
        rewriter.visit(node)
    output = rewriter.renamed[graph.output]
    if output is None:
        node = graph.node[graph.output]
        raise CatError.one("E308", "the output is absent: no channel is left that leads to it", node.span)
    taps = tuple(Tap(t.label, name) for t in graph.taps if (name := rewriter.renamed[t.node]) is not None)
    nodes = tuple(rewriter.nodes)
    zero = {name: Linear() for name, count in counts.items() if count == 0}
    widths = tuple(_width(w, counts[w.name], zero) for w in graph.widths if counts[w.name] > 0)
    used = {s.width for n in nodes for s in n.type.channels}
    used |= {name for w in widths if w.tie and w.name in used for name, _ in w.tie.terms}
    result = Graph(graph.name, graph.kind, nodes, tuple(w for w in widths if w.name in used), output, taps)
    verify(result)
    return result


def _width(width: Width, count: int, zero: Mapping[str, Linear]) -> Width:
    if width.tie is not None:
        return replace(width, count=count, high=count, tie=width.tie.substitute(zero))
    if count == width.count:
        return width
    return replace(width, count=count, low=min(width.low, count), high=count)


class _Rewriter:
    """Rebuilds a graph node by node.

    `renamed` says which new node holds an old tensor, `sizes` how large one was that none holds.
    """

    def __init__(self, graph: Graph, counts: Mapping[str, int], arrange: Op):
        self.graph, self.arrange = graph, arrange
        logic = Counted(counts)
        self.flags = presence(graph, logic)
        self.needed = needed(graph, self.flags, logic)
        self.nodes: list[Node] = []
        self.renamed: dict[str, str | None] = {}
        self.sizes: dict[str, Size] = {}

    def visit(self, node: Node) -> None:
        if not self.needed[node.name] and node.op.absence is not Absence.SOURCE:
            self.renamed[node.name] = None
            self.sizes[node.name] = self._size(node)
            return
        match node.op.absence:
            case Absence.ANY:
                self._join(node, [i for i in node.inputs if self.renamed[i] is not None])
            case Absence.ALL:
                self._emit(node, [self._lined_up(node, i) for i in node.inputs])
            case Absence.MODULATES:
                self._modulate(node)
            case Absence.JOINS:
                parts = [name for i in node.inputs if (name := self.renamed[i]) is not None]
                self._emit(node, parts) if len(parts) > 1 else self._alias(node, parts[0])
            case Absence.SLICES:
                self._slice(node)
            case Absence.ARRANGES:
                self._rearrange(node)
            case Absence.PASSES if len(node.inputs) > 1:
                self._emit(*self._resized(node))
            case Absence.SOURCE | Absence.MAKES | Absence.PASSES:
                self._emit(node, [self._renamed(name) for name in node.inputs])

    # ---- one kind each ----

    def _join(self, node: Node, sources: list[str]) -> None:
        parts = [self._lined_up(node, source) for source in sources]
        self._emit(node, parts) if len(parts) > 1 else self._alias(node, parts[0])

    def _modulate(self, node: Node) -> None:
        x, gamma, *beta = node.inputs
        if self.renamed[x] is None or (self.renamed[gamma] is None and not beta):
            self._alias(node, self._lined_up(node, beta[0] if self.renamed[x] is None else x))
            return
        present = [i for i in (gamma, *beta) if self.renamed[i] is not None]
        if not present:
            self._alias(node, self._lined_up(node, x))
            return
        if self.renamed[gamma] is None:
            zeros = self._zeros(node)
            self._emit(node, [self._lined_up(node, x), zeros, self._lined_up(node, beta[0])])
            return
        self._emit(node, [self._lined_up(node, i) for i in (x, *present)])

    def _slice(self, node: Node) -> None:
        start, stop = node.attrs["segments"]
        source = self.flags[node.inputs[0]]
        first = sum(source[:start])
        last = first + sum(source[start:stop])
        name = self._renamed(node.inputs[0])
        if first == 0 and last == sum(source):
            self._alias(node, name)
            return
        self._emit(replace(node, attrs={**node.attrs, "segments": (first, last)}), [name])

    def _rearrange(self, node: Node) -> None:
        have = self.flags[node.inputs[0]]
        wanted = [i for i, kept in zip(node.attrs["sources"], self.flags[node.name], strict=True) if kept]
        sources = tuple(sum(have[:i]) for i in wanted)
        name = self._renamed(node.inputs[0])
        if sources == tuple(range(sum(have))):
            self._alias(node, name)
            return
        self._emit(replace(node, attrs={"sources": sources}), [name])

    # ---- pieces ----

    def _alias(self, node: Node, name: str) -> None:
        self.renamed[node.name] = name

    def _emit(self, node: Node, inputs: list[str]) -> None:
        channels = self._left(node.type.channels, self.flags[node.name])
        self.nodes.append(replace(node, inputs=tuple(inputs), type=replace(node.type, channels=channels)))
        self.renamed[node.name] = node.name

    @staticmethod
    def _left(channels: Channels, flags: Flags) -> Channels:
        return tuple(s for s, present in zip(channels, flags, strict=True) if present)

    def _lined_up(self, node: Node, source: str) -> str:
        """The tensor `source` with exactly the segments that are present in `node`'s result."""
        name = self._renamed(source)
        want, have = self.flags[node.name], self.flags[source]
        if want == have:
            return name
        order = [i for i, present in enumerate(have) if present]
        sources = tuple(order.index(i) if have[i] else -1 for i, wanted in enumerate(want) if wanted)
        return self._arranged(node, name, sources)

    def _zeros(self, node: Node) -> str:
        name = self._renamed(node.inputs[0])
        return self._arranged(node, name, tuple(-1 for present in self.flags[node.name] if present))

    def _arranged(self, node: Node, source: str, sources: tuple[int, ...]) -> str:
        taken = {n.name for n in self.nodes}
        number = next(i for i in range(len(taken) + 1) if f"{node.name}.arrange{i}" not in taken)
        channels = self._left(node.type.channels, self.flags[node.name])
        new = Node(
            f"{node.name}.arrange{number}", self.arrange, (source,), {"sources": sources},
            replace(node.type, channels=channels), node.span,
        )  # fmt: skip
        self.nodes.append(new)
        return new.name

    def _size(self, node: Node) -> Size:
        """The size of an absent tensor, which another may still take, from those of present ones."""
        height, width = node.op.size(node.attrs, [self._size_of(name) for name in node.inputs])
        if max(operations(height), operations(width)) > MAX_SIZE_OPERATIONS:
            return node.type.height, node.type.width
        return height, width

    def _size_of(self, name: str) -> Size:
        new = self.renamed[name]
        return self.sizes[name] if new is None else (("height", new), ("width", new))

    def _resized(self, node: Node) -> tuple[Node, list[str]]:
        """A node of which all inputs but the first only lend their sizes, without those that are gone."""
        sizes = [self._size_of(name) for name in node.inputs]
        inputs = [self._renamed(node.inputs[0])]
        to = tuple(indexed(evaluate(expr, sizes), inputs) for expr in node.attrs["to"])
        return replace(node, attrs={**node.attrs, "to": to}), inputs

    def _renamed(self, name: str) -> str:
        new = self.renamed[name]
        assert new is not None
        return new
