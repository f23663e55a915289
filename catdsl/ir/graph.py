"""Nodes and graphs: immutable, typed, with the place in the source of each node."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from catdsl.diagnostics import Span
from catdsl.ir.op import Norm, Op, Site
from catdsl.ir.types import TensorType, Width, total


@dataclass(frozen=True, slots=True)
class Node:
    """One application of an operator. `inputs` are names of earlier nodes."""

    name: str
    op: Op
    inputs: tuple[str, ...]
    attrs: Mapping[str, Any]
    type: TensorType
    span: Span | None = None

    @property
    def norm(self) -> Norm | None:
        """What kind of norm it is, if it is one."""
        return self.op.norm(self.attrs)

    @property
    def scaled(self) -> bool:
        """Whether it is a norm with a learned scale per channel."""
        norm = self.norm
        return norm is not None and norm.affine


@dataclass(frozen=True, slots=True)
class Tap:
    """A tensor that distillation compares: its name in the spec, and the node that makes it."""

    label: str
    node: str


@dataclass(frozen=True)
class Graph:
    """A network: nodes in topological order, its widths in graph order, its output and its taps.

    Made only by `GraphBuilder`, by `with_counts`, by `with_input_size`, by the drafts of passes, and by
    the loaders, each of which verifies it; so every node has a type.
    """

    name: str
    kind: str
    nodes: tuple[Node, ...]
    widths: tuple[Width, ...]
    output: str
    taps: tuple[Tap, ...] = ()

    @cached_property
    def node(self) -> Mapping[str, Node]:
        return {n.name: n for n in self.nodes}

    @cached_property
    def width(self) -> Mapping[str, Width]:
        return {w.name: w for w in self.widths}

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """Channels of every width in this graph."""
        return {w.name: w.count for w in self.widths}

    @cached_property
    def inputs(self) -> tuple[Node, ...]:
        return tuple(n for n in self.nodes if n.op.name == "input")

    @cached_property
    def consumers(self) -> Mapping[str, tuple[Node, ...]]:
        found: dict[str, list[Node]] = {n.name: [] for n in self.nodes}
        for node in self.nodes:
            for source in dict.fromkeys(node.inputs):
                found[source].append(node)
        return {name: tuple(nodes) for name, nodes in found.items()}

    def _repr_html_(self) -> str:
        """The picture, for notebooks."""
        from catdsl.view.notebook import graph_html

        return graph_html(self)

    def channels(self, node: str) -> int:
        """Channels of a node's tensor in this graph."""
        return total(self.node[node].type.channels, self.counts)

    def site(self, node: Node) -> Site:
        """What an operator sees where it is used: attributes, and the sizes of the segments of its tensors."""

        def sizes(name: str) -> tuple[int, ...]:
            return tuple(self.counts[s.width] * s.repeat for s in self.node[name].type.channels)

        return Site(node.attrs, tuple(sizes(i) for i in node.inputs), sizes(node.name))

    def in_channels(self, node: Node) -> int:
        """Channels that an operator's weights see: those of its first input (0 for an input)."""
        return self.channels(node.inputs[0]) if node.inputs else 0
