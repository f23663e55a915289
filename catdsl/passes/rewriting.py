"""What a pass is, what it returns, and the draft in which it builds a new graph out of an old one."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from catdsl.ir.graph import Graph, Node, Tap
from catdsl.ir.op import Absence, Axis, Op
from catdsl.ir.size import Size
from catdsl.ir.types import Channels
from catdsl.ir.verify import verify

Weights = Mapping[str, np.ndarray]
Recipe = Callable[[Weights], np.ndarray]

# How PyTorch stores a weight under spectral normalisation: as it was, and the two singular vectors.
SPECTRAL = ("parametrizations.weight.original", "parametrizations.weight.0._u", "parametrizations.weight.0._v")


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A graph, and how its weights are made of those of the graph that it came from.

    `carry` takes arrays by `<node>.<parameter>` of the old graph and gives those of the new one. What
    is not changed is not copied.
    """

    graph: Graph
    carry: Callable[[Weights], dict[str, np.ndarray]]

    def then(self, following: "Pass") -> "Rewritten":
        """This, and what `following` makes of it."""
        after = following.run(self.graph)
        if after.graph is self.graph:
            return self
        return Rewritten(after.graph, lambda weights: after.carry(self.carry(weights)))


class Pass(Protocol):
    """A rewrite that keeps the function of a graph: a frozen dataclass whose fields are its options.

    `run` gives the same graph object back where there is nothing to do.
    """

    @property
    def name(self) -> str: ...

    def run(self, graph: Graph) -> Rewritten: ...


def unchanged(graph: Graph) -> Rewritten:
    """The graph as it is."""
    return Rewritten(graph, dict)


def until_settled(step: Callable[[Graph], Rewritten], graph: Graph) -> Rewritten:
    """`step` again and again, until it finds nothing to do."""
    carries: list[Callable[[Weights], dict[str, np.ndarray]]] = []
    while (result := step(graph)).graph is not graph:
        graph = result.graph
        carries.append(result.carry)

    def carry(weights: Weights) -> dict[str, np.ndarray]:
        carried = dict(weights)
        for each in carries:
            carried = each(carried)
        return carried

    return Rewritten(graph, carry)


@dataclass(slots=True)
class Draft:
    """Nodes put beside and in place of those of `graph`, and recipes for the weights that are new.

    Nodes are put in any order: `finish` sorts them, and leaves out what nothing uses any more.
    """

    graph: Graph
    nodes: dict[str, Node] = field(init=False)
    recipes: dict[str, Recipe] = field(default_factory=dict)
    taps: tuple[Tap, ...] = field(init=False)
    changed: bool = False
    _moved: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.nodes, self.taps = dict(self.graph.node), self.graph.taps

    def put(self, node: Node, recipes: Mapping[str, Recipe] | None = None) -> str:
        """Add a node, or put it in the place of the one of its name; `recipes` by its parameters' names."""
        self.nodes[node.name] = node
        self.recipes |= {f"{node.name}.{weight}": recipe for weight, recipe in (recipes or {}).items()}
        self.changed = True
        return node.name

    def move(self, old: str, new: str) -> None:
        """What reads the tensor `old` is to read `new`, which holds the same."""
        self._moved[old] = new
        self.changed = True

    def without_taps(self) -> None:
        """Let the tensors go that are kept for distillation alone."""
        self.changed = self.changed or bool(self.taps)
        self.taps = ()

    def fresh(self, members: Iterable[str], word: str) -> str:
        """A name that is free, in the smallest block that holds all `members`."""
        paths = [name.split(".")[:-1] for name in members]
        shared: list[str] = []
        for steps in zip(*paths, strict=False):
            if len(set(steps)) > 1:
                break
            shared.append(steps[0])
        stem = ".".join((*shared, word))
        return next(name for i in range(len(self.nodes) + 1) if (name := f"{stem}{i}") not in self.nodes)

    def finish(self) -> Rewritten:
        """The new graph, verified."""
        if not self.changed:
            return unchanged(self.graph)
        # What nothing reads any more is not among what the roots need, and so goes.
        nodes = {name: self._rewired(node) for name, node in self.nodes.items() if name not in self._moved}
        output = self._where(self.graph.output)
        taps = tuple(Tap(tap.label, self._where(tap.node)) for tap in self.taps)
        kept = _sorted(nodes, _roots(self.graph.inputs, output, taps))
        used = {s.width for n in kept for s in n.type.channels}
        used |= {name for w in self.graph.widths if w.tie and w.name in used for name, _ in w.tie.terms}
        widths = tuple(w for w in self.graph.widths if w.name in used)
        graph = Graph(self.graph.name, self.graph.kind, kept, widths, output, taps)
        verify(graph)
        names = [f"{node.name}.{weight}" for node in kept for weight in _stored(node)]
        recipes = dict(self.recipes)

        def carry(weights: Weights) -> dict[str, np.ndarray]:
            return {name: recipes[name](weights) if name in recipes else weights[name] for name in names}

        return Rewritten(graph, carry)

    def _rewired(self, node: Node) -> Node:
        inputs = tuple(map(self._where, node.inputs))
        return node if inputs == node.inputs else Node(node.name, node.op, inputs, node.attrs, node.type, node.span)

    def _where(self, name: str) -> str:
        while name in self._moved:
            name = self._moved[name]
        return name


def _stored(node: Node) -> list[str]:
    """Names under which an operator's weights are stored."""
    names = [weight.name for weight in node.op.weights(node.attrs)]
    return [*SPECTRAL, *(n for n in names if n != "weight")] if node.attrs.get("spectral") else names


def needed_nodes(graph: Graph) -> tuple[Node, ...]:
    """The nodes that inputs, output and taps need, in order."""
    return _sorted(graph.node, _roots(graph.inputs, graph.output, graph.taps))


def _roots(inputs: Iterable[Node], output: str, taps: Iterable[Tap]) -> list[str]:
    return [*(node.name for node in inputs), output, *(tap.node for tap in taps)]


def _sorted(nodes: Mapping[str, Node], roots: Sequence[str]) -> tuple[Node, ...]:
    """What the roots need, each node after its inputs, otherwise in the order of `roots` and inputs."""
    done: dict[str, Node] = {}
    for root in roots:
        stack = [root]
        while stack:
            name = stack[-1]
            missing = [i for i in nodes[name].inputs if i not in done]
            if name in done or not missing:
                done.setdefault(name, nodes[name])
                stack.pop()
            else:
                stack += reversed(missing)
    return tuple(done.values())


# ---- what several passes ask ----


def sizes_of(graph: Graph) -> dict[str, Size]:
    """The size of each tensor: equal for two where they are equal whatever the size of the input.

    It is that of the first tensor of the size, by name.
    """
    found: dict[str, Size] = {}
    first: dict[Size, Size] = {}
    for node in graph.nodes:
        own: Size = ("height", node.name), ("width", node.name)
        if node.op.absence is Absence.SOURCE:
            found[node.name] = own
            continue
        size = node.op.size(node.attrs, [found[name] for name in node.inputs])
        found[node.name] = size if _of_a_tensor(size) else first.setdefault(size, own)
    return found


def _of_a_tensor(size: Size) -> bool:
    return all(isinstance(part, tuple) and part[0] in ("height", "width") for part in size)


def only_read_by(graph: Graph, node: str, reader: str) -> bool:
    """Whether nothing but `reader`, once, needs the tensor of `node`."""
    if node == graph.output or any(tap.node == node for tap in graph.taps):
        return False
    return [n.name for n in graph.consumers[node]] == [reader] and graph.node[reader].inputs.count(node) == 1


def works_per_channel(node: Node) -> bool:
    """Whether each channel of the result is a function of the same channel of the one input, always the same one."""
    return node.op.per_channel and not node.op.random and len(node.inputs) == 1 and not node.attrs.get("spectral")


def stacks(node: Node) -> bool:
    """Whether one operator can do to several tensors in turn what each of several did to its own.

    A parameter that all channels share may differ from node to node.
    """
    return all(Axis.OUT in weight.axes for weight in node.op.weights(node.attrs) if not weight.buffer)


def alike(node: Node) -> tuple[str, str]:
    """A key that is equal for nodes of one operator and equal attributes."""
    return node.op.name, repr(sorted(node.attrs.items()))


def stacked_recipes(op: Op, nodes: Sequence[Node]) -> dict[str, Recipe]:
    """Recipes for one operator that does to the outputs of several, in turn, what each did to its own."""
    table = op.weights(nodes[0].attrs)
    return {weight.name: _stacked(nodes, weight.name, weight.axes) for weight in table}


def _stacked(nodes: Sequence[Node], weight: str, axes: tuple[Axis, ...]) -> Recipe:
    names = [f"{node.name}.{weight}" for node in nodes]
    if Axis.OUT not in axes:
        # A counter of batches, which is the same in all.
        return lambda weights: weights[names[0]]
    return lambda weights: np.concatenate([weights[name] for name in names], axis=axes.index(Axis.OUT))


def channels_in_turn(nodes: Iterable[Node]) -> Channels:
    """The channels of several tensors, one after the other."""
    return tuple(segment for node in nodes for segment in node.type.channels)


def slice_of(source: str, node: Node, start: int, *, op: Op, name: str | None = None) -> Node:
    """A slice of `source` from segment `start` on, that stands for the tensor of `node`."""
    attrs: dict[str, Any] = {"segments": (start, start + len(node.type.channels))}
    return Node(name or node.name, op, (source,), attrs, node.type, node.span)
