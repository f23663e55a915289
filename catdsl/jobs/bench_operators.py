"""Where a network's time goes, from the times of its nodes: by operator, by node, and what no smaller image saves."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from catdsl.analysis.cost import cost_model
from catdsl.evaluate.node_times import Seconds
from catdsl.ir.graph import Graph, Node
from catdsl.jobs.bench_figures import Profile

_LISTED = 10

CONVOLUTIONS, NORMALISATION, REST = "convolutions", "normalisation", "everything else"
GROUPS = (CONVOLUTIONS, NORMALISATION, REST)


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorShare:
    """All nodes of one operator: seconds of a pass, and their shares of its time and of its MACs (exact)."""

    operator: str
    group: str
    nodes: int
    seconds: float
    time: float
    macs: float


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeShare:
    """One node: median and least seconds, and its shares of the time of all nodes and of the MACs (exact)."""

    node: Node
    channels: tuple[int, int]
    seconds: float
    least: float
    time: float
    macs: float


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Shares:
    """Of one network: all its nodes, longest first; its operators, longest first; and totals in seconds.

    `fixed` is the share of time that is left on small images, where hardly anything is computed: what
    telling each operator what to do takes, and reading its weights. None where no smaller image is taken.
    """

    whole: float
    total: float
    operators: tuple[OperatorShare, ...]
    nodes: tuple[NodeShare, ...]
    fixed: float | None

    @property
    def longest(self) -> tuple[NodeShare, ...]:
        return self.nodes[:_LISTED]

    def of_group(self, group: str) -> float:
        """The share of time of one of GROUPS."""
        return sum(operator.time for operator in self.operators if operator.group == group)


def shares(profile: Profile) -> Shares:
    """The shares behind a profile."""
    graph, times = profile.network.graph, profile.times
    nodes = _nodes(graph, times.nodes)
    total = sum(node.seconds for node in nodes)
    small = None if times.small is None else sum(map(median, times.small.values()))
    return Shares(
        whole=median(times.whole), total=total, nodes=nodes, operators=_operators(nodes),
        fixed=None if small is None else min(small / total, 1.0),
    )  # fmt: skip


def _nodes(graph: Graph, times: Seconds) -> tuple[NodeShare, ...]:
    costs = {name: cost.exact for name, cost in cost_model(graph).per_node().items()}
    macs = sum(costs.values())
    seconds = {name: median(runs) for name, runs in times.items()}
    total = sum(seconds.values())
    found = (
        NodeShare(
            node=graph.node[name], channels=(graph.in_channels(graph.node[name]), graph.channels(name)),
            seconds=taken, least=min(times[name]), time=taken / total, macs=costs.get(name, 0) / max(macs, 1),
        )
        for name, taken in seconds.items()
    )  # fmt: skip
    return tuple(sorted(found, key=lambda share: -share.seconds))


def _operators(nodes: Sequence[NodeShare]) -> tuple[OperatorShare, ...]:
    by_operator: dict[str, list[NodeShare]] = defaultdict(list)
    for share in nodes:
        by_operator[share.node.op.name].append(share)
    found = (
        OperatorShare(
            operator=operator, group=_group(shares[0].node), nodes=len(shares),
            seconds=sum(s.seconds for s in shares), time=sum(s.time for s in shares), macs=sum(s.macs for s in shares),
        )
        for operator, shares in by_operator.items()
    )  # fmt: skip
    return tuple(sorted(found, key=lambda share: -share.seconds))


def _group(node: Node) -> str:
    """What kind of work an operator does; those that multiply and have weights are the convolutions."""
    if node.norm is not None:
        return NORMALISATION
    return CONVOLUTIONS if node.op.weights(node.attrs) else REST
