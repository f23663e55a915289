"""The tree of nested scopes, read from node names: what is drawn as a box within a box.

`body.0.dense.1.conv0` lies in body > 0 > dense > 1. A scope is a set of names, not a piece of
network: two blocks of one statement share `head.0` without being connected, and a path may leave a
scope and come back. So that every box has one way through it, a scope is divided into pieces, each
connected, between which no path leads in a circle.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from catdsl.ir.graph import Node, Tap
from catdsl.ir.op import Absence

MAX_RUN = 14


class Network(Protocol):
    """What can be drawn: a graph, or two of them as one (`catdsl/view/merged.py`)."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def nodes(self) -> tuple[Node, ...]: ...
    @property
    def output(self) -> str: ...
    @property
    def taps(self) -> tuple[Tap, ...]: ...
    @property
    def node(self) -> Mapping[str, Node]: ...
    @property
    def consumers(self) -> Mapping[str, tuple[Node, ...]]: ...


@dataclass(frozen=True, slots=True)
class Run:
    """Operators that follow each other without a fork, drawn as the rows of one card."""

    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """A box. `path` is the part of the names that its nodes share, `label` what its parent adds to it."""

    path: str
    label: str
    children: tuple["Scope | Run", ...]


Part = Scope | Run


def members(part: Part) -> Iterator[str]:
    """The nodes within, in graph order."""
    if isinstance(part, Run):
        yield from part.nodes
        return
    for child in part.children:
        yield from members(child)


def taps_by_node(graph: Network) -> dict[str, list[str]]:
    """The labels of what distillation compares, by the node whose tensor it is."""
    found: dict[str, list[str]] = {}
    for tap in graph.taps:
        found.setdefault(tap.node, []).append(tap.label)
    return found


def is_join(node: Node) -> bool:
    """A sum or product of tensors: drawn as a sign where lines meet."""
    return node.op.absence in (Absence.ANY, Absence.ALL) and len(node.inputs) > 1


def makes_width(node: Node) -> bool:
    """A conv or deconv: its output channels are its own."""
    return node.op.absence is Absence.MAKES


def structure(graph: Network) -> Scope:
    """The root scope of a graph; its path and label are empty."""
    return Scope("", "", _children(graph, [n.name for n in graph.nodes], ""))


def _children(graph: Network, names: list[str], path: str) -> tuple[Part, ...]:
    """What lies directly in a scope, in order of the first node of each."""
    runs = _runs(graph, [n for n in names if not _step(n, path)])
    groups = [run.nodes for run in runs] + _pieces(graph, names, path)
    order = {name: i for i, name in enumerate(names)}
    groups.sort(key=lambda group: order[group[0]])
    return tuple(_part(graph, group, path) for group in groups)


def _part(graph: Network, group: tuple[str, ...], path: str) -> Part:
    step = _step(group[0], path)
    if not step:
        return Run(group)
    inner = f"{path}{step}."
    children = _children(graph, list(group), inner)
    if len(children) == 1 and isinstance(children[0], Scope):
        # A box that holds nothing but a box says no more than a longer label does.
        only = children[0]
        return Scope(only.path, f"{step}.{only.label}", only.children)
    return Scope(inner[:-1], step, children)


def _step(name: str, path: str) -> str:
    """The scope right below `path` in which a node lies, "" where it lies in `path` itself."""
    return name[len(path) :].partition(".")[0] if "." in name[len(path) :] else ""


def _runs(graph: Network, names: list[str]) -> list[Run]:
    """Chains among operators of one scope, cut before a conv where one grows long."""
    own = set(names)
    runs: list[list[str]] = []
    ending: dict[str, list[str]] = {}
    for name in names:
        run = _continued(graph, graph.node[name], own, ending)
        if run is None:
            run = []
            runs.append(run)
        else:
            del ending[run[-1]]
        run.append(name)
        ending[name] = run
    return [Run(tuple(run)) for run in runs]


def _continued(graph: Network, node: Node, own: set[str], ending: Mapping[str, list[str]]) -> list[str] | None:
    """The run that `node` prolongs."""
    if len(set(node.inputs)) != 1 or is_join(node) or node.inputs[0] not in own:
        return None
    source = graph.node[node.inputs[0]]
    run = ending.get(source.name)
    alone = len(graph.consumers[source.name]) == 1 and source.name != graph.output
    if run is None or not alone or not source.inputs or is_join(source):
        return None
    return None if len(run) >= MAX_RUN and makes_width(node) else run


# ---- pieces of scopes ----


def _pieces(graph: Network, names: list[str], path: str) -> list[tuple[str, ...]]:
    """The nodes of each scope below `path`, divided so that the pieces depend on each other in one way."""
    groups: list[list[str]] = []
    group_of: dict[str, int] = {}
    after: list[set[int]] = []
    latest: dict[str, int] = {}
    for name in names:
        step = _step(name, path)
        sources = {group_of[i] for i in graph.node[name].inputs if i in group_of}
        place = latest.get(step) if step else None
        if place is None or _reaches(after, place, sources - {place}):
            place = len(groups)
            groups.append([])
            after.append(set())
        latest[step] = place
        groups[place].append(name)
        group_of[name] = place
        for source in sources - {place}:
            after[source].add(place)
    scoped = [group for group in groups if _step(group[0], path)]
    return [piece for group in scoped for piece in _connected(graph, group)]


def _reaches(after: list[set[int]], start: int, goals: set[int]) -> bool:
    """Whether a path leads from one piece to any of `goals`."""
    seen: set[int] = set()
    stack = [start] if goals else []
    while stack:
        for place in after[stack.pop()] - seen:
            if place in goals:
                return True
            seen.add(place)
            stack.append(place)
    return False


def _connected(graph: Network, names: list[str]) -> list[tuple[str, ...]]:
    """The parts of a set of nodes that hang together by edges within it."""
    leader = {name: name for name in names}

    def find(name: str) -> str:
        while leader[name] != name:
            leader[name] = leader[leader[name]]
            name = leader[name]
        return name

    for name in names:
        for source in graph.node[name].inputs:
            if source in leader:
                leader[find(name)] = find(source)
    parts: dict[str, list[str]] = {}
    for name in names:
        parts.setdefault(find(name), []).append(name)
    return [tuple(part) for part in parts.values()]
