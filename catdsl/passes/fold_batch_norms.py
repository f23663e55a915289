"""A batch norm with running statistics becomes part of the convs before it."""

from dataclasses import dataclass, replace

import numpy as np

from catdsl.ir.graph import Graph, Node
from catdsl.ir.op import Axis
from catdsl.passes.rewriting import Draft, Recipe, Rewritten, Weights, only_read_by, until_settled

_CONVS = ("conv", "deconv", "dwconv")


@dataclass(frozen=True, slots=True)
class FoldBatchNorms:
    """norm(W x + b) = (s W) x + s (b - mean) + bias, with s = scale / deviation.

    Behind a sum of convs that nothing else reads, each conv takes the scale and one the constant.
    For inference only: training takes the statistics of each batch.
    """

    name: str = "fold batch norms"

    def run(self, graph: Graph) -> Rewritten:
        # Again, since a norm may stand behind another.
        return until_settled(_once, graph)


def _once(graph: Graph) -> Rewritten:
    draft = Draft(graph)
    for node in graph.nodes:
        if node.norm is not None and node.norm.tracked:
            convs = _convs_before(graph, node.inputs[0], node.name)
            if convs:
                _fold(draft, node, convs)
    return draft.finish()


def _convs_before(graph: Graph, name: str, reader: str) -> list[Node]:
    """The convs whose sum a norm reads; none where something else is in it, or reads it as well."""
    node = graph.node[name]
    if not only_read_by(graph, name, reader):
        return []
    if node.op.name in _CONVS:
        return [] if node.attrs["spectral"] else [node]
    if node.op.name != "add":
        return []
    parts = [_convs_before(graph, source, name) for source in node.inputs]
    return [conv for part in parts for conv in part] if all(parts) else []


def _fold(draft: Draft, norm: Node, convs: list[Node]) -> None:
    for index, conv in enumerate(convs):
        axes = next(w.axes for w in conv.op.weights(conv.attrs) if w.name == "weight")
        recipes = {"weight": _scaled(conv, norm, axes.index(Axis.OUT))}
        if index == 0 or conv.attrs["bias"]:
            recipes["bias"] = _shifted(conv, norm, constant=index == 0)
        draft.put(replace(conv, attrs={**conv.attrs, "bias": "bias" in recipes}), recipes)
    draft.move(norm.name, norm.inputs[0])


def _factor(weights: Weights, norm: Node) -> np.ndarray:
    """What the norm multiplies each channel by, in float64: the products of small numbers are rounded once."""
    variance = weights[f"{norm.name}.running_var"].astype(np.float64)
    scale = weights[f"{norm.name}.weight"].astype(np.float64) if norm.scaled else 1.0
    factor: np.ndarray = scale / np.sqrt(variance + norm.attrs["eps"])
    return factor


def _scaled(conv: Node, norm: Node, axis: int) -> Recipe:
    def recipe(weights: Weights) -> np.ndarray:
        kernel = weights[f"{conv.name}.weight"]
        shape = [1] * kernel.ndim
        shape[axis] = -1
        scaled: np.ndarray = (kernel * _factor(weights, norm).reshape(shape)).astype(kernel.dtype)
        return scaled

    return recipe


def _shifted(conv: Node, norm: Node, *, constant: bool) -> Recipe:
    def recipe(weights: Weights) -> np.ndarray:
        factor = _factor(weights, norm)
        mean = weights[f"{norm.name}.running_mean"].astype(np.float64) if constant else 0.0
        own = weights[f"{conv.name}.bias"] if conv.attrs["bias"] else 0.0
        after = weights[f"{norm.name}.bias"] if constant and norm.scaled else 0.0
        shifted: np.ndarray = (factor * (own - mean) + after).astype(weights[f"{conv.name}.weight"].dtype)
        return shifted

    return recipe
