"""MACs in both conventions, parameters and bytes of weights, as integer terms in the widths: nothing is run.

`exact` counts convolutions, transposed ones at input resolution. `paper` counts transposed ones at
output resolution and one operation per element of norms without running statistics: the figures
published with the method (CAT, CVPR 2021) are in that one. `weights` are the bytes of the
tensors in a weights file: parameters and running statistics in float32.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from catdsl.analysis.conditions import Conditions, Row, truth
from catdsl.diagnostics import CatError
from catdsl.ir.collecting import gc_paused
from catdsl.ir.counts import complete_counts
from catdsl.ir.graph import Graph, Node
from catdsl.ir.op import Axis, Weight
from catdsl.ir.presence import needed, presence

METRICS = ("exact", "paper", "params", "weights")
FLOAT_BYTES = 4
_COUNTER = 8  # a whole number of 64 bits
LARGEST = 2**62


@dataclass(frozen=True, slots=True)
class Cost:
    """What a network costs at the declared input size; `weights` in bytes."""

    exact: int = 0
    paper: int = 0
    params: int = 0
    weights: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(*(getattr(self, name) + getattr(other, name) for name in METRICS))


@dataclass(frozen=True, slots=True)
class Term:
    """A factor for each of METRICS, times `first * second`, counted while `condition` holds.

    `first` and `second` are widths, "" for 1.
    """

    node: str
    factors: tuple[int, ...]
    first: str
    second: str
    condition: int


@dataclass(frozen=True, eq=False)
class CostModel:
    """The cost of a graph as a function of its widths' counts. While `output` holds, the output is there."""

    graph: Graph
    terms: tuple[Term, ...]
    conditions: tuple[Row, ...]
    output: int

    @cached_property
    def teacher(self) -> Cost:
        """The cost at the graph's own counts."""
        return self.at()

    def at(self, chosen: Mapping[str, int] | None = None) -> Cost:
        """The exact cost at the chosen counts (the graph's own where none is given)."""
        parts = [parts for _, parts in self._products(chosen)]
        return Cost(*map(sum, zip(*parts, strict=True))) if parts else Cost()

    def per_node(self, chosen: Mapping[str, int] | None = None) -> dict[str, Cost]:
        """The cost of each node that has one."""
        result: dict[str, Cost] = {}
        for node, parts in self._products(chosen):
            cost = Cost(*parts)
            result[node] = result[node] + cost if node in result else cost
        return result

    def _products(self, chosen: Mapping[str, int] | None) -> Iterator[tuple[str, list[int]]]:
        """What each term whose condition holds adds to its node."""
        counts: dict[str, int] = {**complete_counts(self.graph, chosen or {}), "": 1}
        holds = truth(self.conditions, counts)
        for term in self.terms:
            if holds[term.condition]:
                product = counts[term.first] * counts[term.second]
                yield term.node, [factor * product for factor in term.factors]

    def leads_to_output(self, chosen: Mapping[str, int]) -> bool:
        """Whether anything of the output is left at the chosen counts."""
        return truth(self.conditions, complete_counts(self.graph, chosen))[self.output]

    def floor(self) -> Cost:
        """The cost of the smallest student."""
        return self.at(floor_counts(self.graph))


def floor_counts(graph: Graph) -> dict[str, int]:
    """The low bound of every independent width."""
    return {w.name: w.low for w in graph.widths if w.tie is None}


@gc_paused
def cost_model(graph: Graph) -> CostModel:
    """Collect the terms of every node. Raises CatError E103 beyond 64-bit integers."""
    logic = Conditions({w.name for w in graph.widths if _never_zero(graph, w.name)})
    present = presence(graph, logic)
    used = needed(graph, present, logic)
    terms = [t for node in graph.nodes for t in _terms(graph, node, present, used[node.name], logic)]
    output = logic.any_of(present[graph.output])
    model = CostModel(graph, tuple(terms), logic.rows(), output)
    cost = model.teacher
    if max(getattr(cost, name) for name in METRICS) > LARGEST:
        raise CatError.one(
            "E103", "the network costs more than 2^62 operations, the limit", graph.nodes[0].span,
            help="use a smaller input, or fewer channels",
        )  # fmt: skip
    return model


def _never_zero(graph: Graph, name: str) -> bool:
    width = graph.width[name]
    if width.tie is None:
        return width.low > 0
    low = width.tie.value({**graph.counts, **floor_counts(graph)})
    return low > 0


def _terms(
    graph: Graph, node: Node, present: Mapping[str, tuple[int, ...]], used: int, logic: Conditions
) -> list[Term]:
    """What a node costs while it is used, by the segments of its input and its result."""
    if not node.inputs:
        return []
    source = graph.node[node.inputs[0]].type
    macs = node.op.macs(node.attrs, source, node.type)
    weights = node.op.weights(node.attrs)
    if macs is None and not weights:
        return []
    inputs = list(zip(source.channels, present[node.inputs[0]], strict=True))
    outputs = list(zip(node.type.channels, present[node.name], strict=True))
    across: tuple[int, ...] = (macs.exact, macs.paper) if macs and macs.inputs else (0, 0)
    across += _held([w for w in weights if Axis.IN in w.axes])
    alone: tuple[int, ...] = (macs.exact, macs.paper) if macs and not macs.inputs else (0, 0)
    alone += _held([w for w in weights if Axis.OUT in w.axes and Axis.IN not in w.axes])
    # What no width changes: counters of batches, a slope that all channels share.
    params, bytes_ = _held([w for w in weights if w.axes and Axis.OUT not in w.axes and Axis.IN not in w.axes])
    bytes_ += _COUNTER * sum(not w.axes for w in weights)
    result = [Term(node.name, (0, 0, params, bytes_), "", "", used)] if bytes_ else []
    for out, there in outputs:
        if any(alone):
            factors = tuple(out.repeat * f for f in alone)
            result.append(Term(node.name, factors, "", out.width, logic.all_of((there, used))))
        if not any(across):
            continue
        for into, here in inputs:
            factors = tuple(out.repeat * into.repeat * f for f in across)
            result.append(Term(node.name, factors, into.width, out.width, logic.all_of((there, here, used))))
    return result


def _held(weights: Sequence[Weight]) -> tuple[int, int]:
    """Parameters, and bytes of parameters and running statistics, for each pair of channels or channel."""
    params = sum(w.fixed_size for w in weights if not w.buffer)
    return params, FLOAT_BYTES * sum(w.fixed_size for w in weights)


def exact_macs(graph: Graph) -> dict[str, int]:
    """Multiply-accumulates of each node, in the exact convention."""
    return {name: cost.exact for name, cost in cost_model(graph).per_node().items()}
