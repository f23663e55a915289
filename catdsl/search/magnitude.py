"""Scores from the weights themselves: norms of filters; and random ones, for comparison.

Filter norms: Li et al., "Pruning Filters for Efficient ConvNets", ICLR 2017, section 3.1.
"""

from collections.abc import Mapping

import numpy as np

from catdsl.diagnostics import CatError
from catdsl.ir.graph import Graph
from catdsl.ir.op import Axis
from catdsl.search.scores import carried, grouped

Weights = Mapping[str, np.ndarray]


def filter_sums(graph: Graph, weights: Weights, power: int) -> dict[str, list[np.ndarray]]:
    """For each width, of every conv that makes it, the sum of |weight| ** `power` of each channel's filter."""
    found: dict[str, list[np.ndarray]] = {}
    for node in graph.nodes:
        dense = next((w for w in node.op.weights(node.attrs) if Axis.IN in w.axes), None)
        if dense is None:
            continue
        name = f"{node.name}.{dense.name}"
        if name not in weights:
            raise CatError.one(
                "E403", f"the weights have no `{name}`", node.span,
                help="are they of this spec, with the same --set values?",
            )  # fmt: skip
        values = np.abs(weights[name].astype(np.float64)) ** power
        others = tuple(i for i, axis in enumerate(dense.axes) if axis is not Axis.OUT)
        for width, sums in carried(graph, node, values.sum(axis=others)).items():
            found.setdefault(width, []).append(sums)
    return found


def filter_scores(graph: Graph, weights: Weights, *, power: int, group: str) -> dict[str, np.ndarray]:
    """For each searched width, the L1 (`power` 1) or L2 norm of the filters that make its channels.

    Of several convs that make one width, `group` takes the first, the mean or the largest.
    """
    sums = filter_sums(graph, weights, power)
    norms = {name: [part ** (1 / power) for part in parts] for name, parts in sums.items()}
    return {w.name: grouped(norms[w.name], group) for w in graph.widths if w.searched and w.name in norms}


def random_scores(graph: Graph, seed: int) -> dict[str, np.ndarray]:
    """A score between 0 and 1 for every channel of every searched width."""
    rng = np.random.default_rng(seed)
    return {w.name: rng.random(w.count) for w in graph.widths if w.searched}
