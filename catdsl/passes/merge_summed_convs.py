"""Convs of one kernel whose results are summed become one conv over their inputs, stacked."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from catdsl.ir.graph import Graph, Node
from catdsl.ir.op import Absence
from catdsl.ir.size import Size
from catdsl.ops.joins import CONCAT
from catdsl.passes.merge_sibling_convs import window
from catdsl.passes.rewriting import Draft, Recipe, Rewritten, Weights, channels_in_turn, only_read_by, sizes_of


@dataclass(frozen=True, slots=True)
class MergeSummedConvs:
    """W a + V b = [W V] [a; b]: in an inception block, the trailing 1 x 1 convs of four branches.

    Sums within sums are taken apart where nothing else reads them. The biases become one, which
    training would move less: not for training.
    """

    name: str = "merge summed convs"

    def run(self, graph: Graph) -> Rewritten:
        draft = Draft(graph)
        sizes = sizes_of(graph)
        for node in graph.nodes:
            if node.op.name == "add" and not _within_sum(graph, node):
                _rewrite(draft, node, sizes)
        return draft.finish()


def _within_sum(graph: Graph, node: Node) -> bool:
    readers = graph.consumers[node.name]
    return len(readers) == 1 and readers[0].op.name == "add" and only_read_by(graph, node.name, readers[0].name)


def _summands(graph: Graph, total: Node) -> list[tuple[str, str]]:
    """What a sum adds up, those of sums within it in their place: (summand, the sum that reads it)."""
    found: list[tuple[str, str]] = []
    for name in total.inputs:
        node = graph.node[name]
        inner = node.op.name == "add" and only_read_by(graph, name, total.name)
        found += _summands(graph, node) if inner else [(name, total.name)]
    return found


def _rewrite(draft: Draft, total: Node, sizes: Mapping[str, Size]) -> None:
    graph = draft.graph
    summands = _summands(graph, total)
    groups: dict[tuple[object, ...], list[Node]] = defaultdict(list)
    for name, reader in summands:
        node = graph.node[name]
        if node.op.name == "conv" and not node.attrs["spectral"] and only_read_by(graph, name, reader):
            groups[(*window(node), sizes[node.inputs[0]])].append(node)
    merged = {group[0].name: _merge(draft, group) for group in groups.values() if len(group) > 1}
    if not merged:
        return
    gone = {conv.name for group in groups.values() if len(group) > 1 for conv in group}
    left = [merged.get(name, name) for name, _ in summands if name in merged or name not in gone]
    if len(left) == 1:
        draft.move(total.name, left[0])
    else:
        draft.put(replace(total, inputs=tuple(left)))


def _merge(draft: Draft, convs: list[Node]) -> str:
    graph = draft.graph
    # Slices of one tensor side by side, so that their stack is a slice again.
    convs = sorted(convs, key=lambda conv: _place(graph, conv.inputs[0]))
    names = [conv.name for conv in convs]
    sources = [graph.node[conv.inputs[0]] for conv in convs]
    first = convs[0]
    stack = Node(
        draft.fresh(names, "stack"), CONCAT, tuple(s.name for s in sources), {},
        replace(sources[0].type, channels=channels_in_turn(sources)), first.span,
    )  # fmt: skip
    draft.put(stack)
    biased = [conv.name for conv in convs if conv.attrs["bias"]]
    recipes = {"weight": _beside([f"{name}.weight" for name in names])}
    if biased:
        recipes["bias"] = _summed([f"{name}.bias" for name in biased])
    attrs = {**first.attrs, "bias": bool(biased)}
    return draft.put(replace(first, name=draft.fresh(names, "merged_conv"), inputs=(stack.name,), attrs=attrs), recipes)


def _place(graph: Graph, name: str) -> tuple[int, int]:
    """Where a tensor, or what it is a slice of, stands in the graph, and from which segment on."""
    node = graph.node[name]
    cut = node.op.absence is Absence.SLICES
    whole, start = (node.inputs[0], node.attrs["segments"][0]) if cut else (name, 0)
    return list(graph.node).index(whole), start


def _beside(names: list[str]) -> Recipe:
    def recipe(weights: Weights) -> np.ndarray:
        return np.concatenate([weights[name] for name in names], axis=1)

    return recipe


def _summed(names: list[str]) -> Recipe:
    def recipe(weights: Weights) -> np.ndarray:
        first, *rest = (weights[name] for name in names)
        return sum(rest, start=first)

    return recipe
