"""MACs in both conventions and parameters, as integer terms in the widths: no torch, nothing run.

`exact` counts convolutions, transposed ones at input resolution. `paper` counts transposed ones at
output resolution and one operation per element of norms without running statistics: the figures
published with the method (CAT, CVPR 2021) are in that one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from catdsl.analysis.conditions import Conditions, Row, truth
from catdsl.diagnostics import CatError
from catdsl.ir.collecting import gc_paused
from catdsl.ir.counts import complete_counts
from catdsl.ir.graph import Graph, Node
from catdsl.ir.op import Axis, Weight
from catdsl.ir.presence import needed, presence

METRICS = ("exact", "paper", "params")
_LARGEST = 2**62


@dataclass(frozen=True, slots=True)
class Cost:
    """What a network costs at the declared input size."""

    exact: int
    paper: int
    params: int

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.exact + other.exact, self.paper + other.paper, self.params + other.params)


@dataclass(frozen=True, slots=True)
class Term:
    """`(exact, paper, params) * first * second`, counted while `condition` holds.

    `first` and `second` are widths, "" for 1.
    """

    node: str
    factors: tuple[int, int, int]
    first: str
    second: str
    condition: int


@dataclass(frozen=True)
class CostModel:
    """The cost of a graph as a function of its widths' counts."""

    graph: Graph
    terms: tuple[Term, ...]
    conditions: tuple[Row, ...]

    def at(self, chosen: Mapping[str, int] | None = None) -> Cost:
        """The exact cost at the chosen counts (the graph's own where none is given)."""
        exact = paper = params = 0
        for _, (a, b, c) in self._products(chosen):
            exact, paper, params = exact + a, paper + b, params + c
        return Cost(exact, paper, params)

    def per_node(self, chosen: Mapping[str, int] | None = None) -> dict[str, Cost]:
        """The cost of each node that has one."""
        result: dict[str, Cost] = {}
        for node, parts in self._products(chosen):
            cost = Cost(*parts)
            result[node] = result[node] + cost if node in result else cost
        return result

    def _products(self, chosen: Mapping[str, int] | None) -> Iterator[tuple[str, tuple[int, int, int]]]:
        """What each term whose condition holds adds to its node."""
        counts: dict[str, int] = {**complete_counts(self.graph, chosen or {}), "": 1}
        holds = truth(self.conditions, counts)
        for term in self.terms:
            if holds[term.condition]:
                product = counts[term.first] * counts[term.second]
                exact, paper, params = term.factors
                yield term.node, (exact * product, paper * product, params * product)

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
    model = CostModel(graph, tuple(terms), logic.rows())
    cost = model.at()
    if max(cost.exact, cost.paper, cost.params) > _LARGEST:
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
    weights = [w for w in node.op.weights(node.attrs) if not w.buffer]
    if macs is None and not weights:
        return []
    inputs = list(zip(source.channels, present[node.inputs[0]], strict=True))
    outputs = list(zip(node.type.channels, present[node.name], strict=True))
    across = (macs.exact, macs.paper) if macs and macs.inputs else (0, 0)
    across_params = sum(w.fixed_size for w in weights if Axis.IN in w.axes)
    alone = (macs.exact, macs.paper) if macs and not macs.inputs else (0, 0)
    alone_params = sum(w.fixed_size for w in weights if _per_output(w))
    result: list[Term] = []
    for out, there in outputs:
        if any(alone) or alone_params:
            factors = tuple(out.repeat * f for f in (*alone, alone_params))
            condition = logic.all_of((there, used))
            result.append(Term(node.name, factors, "", out.width, condition))  # type: ignore[arg-type]
        if not any(across) and not across_params:
            continue
        for into, here in inputs:
            factors = tuple(out.repeat * into.repeat * f for f in (*across, across_params))
            condition = logic.all_of((there, here, used))
            result.append(Term(node.name, factors, into.width, out.width, condition))  # type: ignore[arg-type]
    return result


def _per_output(weight: Weight) -> bool:
    return Axis.OUT in weight.axes and Axis.IN not in weight.axes


def exact_macs(graph: Graph) -> dict[str, int]:
    """Multiply-accumulates of each node, in the exact convention."""
    return {name: cost.exact for name, cost in cost_model(graph).per_node().items()}
