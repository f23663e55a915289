"""Two networks as one: what both have once, what only one has beside it. Nodes are matched by their names."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from heapq import heappop, heappush

from catdsl.ir.graph import Graph, Node, Tap

Edge = tuple[str, str]


@dataclass(frozen=True)
class Merged:
    """A network that never ran: its nodes have the inputs that they have in either of the two.

    `before` and `after` hold the nodes of the two networks under the names that they have here;
    `own` leads from the second network's names to these.
    """

    name: str
    kind: str
    nodes: tuple[Node, ...]
    output: str
    taps: tuple[Tap, ...]
    before: Mapping[str, Node]
    after: Mapping[str, Node]
    own: Mapping[str, str]

    @cached_property
    def node(self) -> Mapping[str, Node]:
        return {n.name: n for n in self.nodes}

    @cached_property
    def consumers(self) -> Mapping[str, tuple[Node, ...]]:
        found: dict[str, list[Node]] = {n.name: [] for n in self.nodes}
        for node in self.nodes:
            for source in dict.fromkeys(node.inputs):
                found[source].append(node)
        return {name: tuple(nodes) for name, nodes in found.items()}

    @cached_property
    def removed(self) -> frozenset[Edge]:
        """What leads from one node to another in the first network only."""
        return frozenset(_edges(self.before)) - frozenset(_edges(self.after))

    @cached_property
    def added(self) -> frozenset[Edge]:
        """The same of the second."""
        return frozenset(_edges(self.after)) - frozenset(_edges(self.before))


def merge(before: Graph, after: Graph) -> Merged:
    """Both networks as one without circles.

    Where matching by names would lead in a circle, because the two have the same nodes in another
    order, the nodes that are out of order stand twice: the second network's bears a `'`.
    """
    names = {node.name: node.name for node in after.nodes}
    nodes = _ordered(before, after, names)
    if len(nodes) < len(before.node.keys() | after.node.keys()):
        names |= _apart(before, after, {node.name for node in nodes})
        nodes = _ordered(before, after, names)
    taps = [*before.taps, *(Tap(tap.label, names[tap.node]) for tap in after.taps)]
    kind = after.kind if before.kind == after.kind else f"{before.kind} → {after.kind}"
    return Merged(
        name=after.name if before.name == after.name else f"{before.name} → {after.name}",
        kind=kind,
        nodes=nodes,
        output=names[after.output],
        taps=tuple(dict.fromkeys(taps)),
        before=before.node,
        after={names[node.name]: _renamed(node, names) for node in after.nodes},
        own=names,
    )


def _edges(nodes: Mapping[str, Node]) -> Iterator[Edge]:
    return ((source, name) for name, node in nodes.items() for source in node.inputs)


def _renamed(node: Node, names: Mapping[str, str]) -> Node:
    return replace(node, name=names[node.name], inputs=tuple(names[i] for i in node.inputs))


def _ordered(before: Graph, after: Graph, names: Mapping[str, str]) -> tuple[Node, ...]:
    """All nodes, each after its inputs, as far as that goes: what hangs on a circle is left out."""
    merged = {node.name: node for node in before.nodes}
    # Each stands where it stood in the first network; new ones follow what they followed in the second.
    rank = {node.name: (place, 0) for place, node in enumerate(before.nodes)}
    last, count = -1, 0
    for node in (_renamed(n, names) for n in after.nodes):
        old = merged.get(node.name)
        merged[node.name] = node if old is None else replace(node, inputs=_either(old, node))
        if old is None:
            count += 1
            rank[node.name] = (last, count)
        else:
            last, count = rank[node.name][0], 0
    users: dict[str, list[str]] = {name: [] for name in merged}
    missing = {name: len(set(node.inputs)) for name, node in merged.items()}
    for name, node in merged.items():
        for source in set(node.inputs):
            users[source].append(name)
    ready = sorted((rank[name], name) for name, left in missing.items() if not left)
    result: list[Node] = []
    while ready:
        _, name = heappop(ready)
        result.append(merged[name])
        for user in users[name]:
            missing[user] -= 1
            if not missing[user]:
                heappush(ready, (rank[user], user))
    return tuple(result)


def _either(old: Node, new: Node) -> tuple[str, ...]:
    return (*old.inputs, *(name for name in new.inputs if name not in old.inputs))


def _apart(before: Graph, after: Graph, done: set[str]) -> dict[str, str]:
    """New names for those of the second network that are out of the first one's order.

    Of what hangs on circles, the longest sequence that both networks have in one order stays matched;
    so both lists are parts of one, along which every edge leads forward.
    """
    place = {node.name: index for index, node in enumerate(before.nodes)}
    shared = [node.name for node in after.nodes if node.name in place and node.name not in done]
    kept = _increasing([place[name] for name in shared])
    taken = before.node.keys() | after.node.keys()
    result: dict[str, str] = {}
    for index, name in enumerate(shared):
        if index in kept:
            continue
        other = f"{name}'"
        while other in taken:
            other += "'"
        result[name] = other
    return result


def _increasing(values: list[int]) -> set[int]:
    """The places of a longest increasing sequence."""
    ends: list[int] = []
    at: list[int] = []
    before: list[int | None] = []
    for index, value in enumerate(values):
        length = bisect_left(ends, value)
        before.append(at[length - 1] if length else None)
        ends[length : length + 1] = [value]
        at[length : length + 1] = [index]
    found: set[int] = set()
    here = at[-1] if at else None
    while here is not None:
        found.add(here)
        here = before[here]
    return found
