"""A weight under spectral normalisation becomes the weight that it is divided into."""

from dataclasses import dataclass, replace

import numpy as np

from catdsl.ir.graph import Graph, Node
from catdsl.passes.rewriting import SPECTRAL, Draft, Recipe, Rewritten, Weights


@dataclass(frozen=True, slots=True)
class SettleSpectralNorms:
    """weight / (u W v), with the vectors as training left them (Miyato et al., ICLR 2018).

    For inference only: training moves the vectors on.
    """

    name: str = "settle spectral norms"

    def run(self, graph: Graph) -> Rewritten:
        draft = Draft(graph)
        for node in graph.nodes:
            if node.attrs.get("spectral"):
                draft.put(replace(node, attrs={**node.attrs, "spectral": False}), {"weight": _divided(node)})
        return draft.finish()


def _divided(conv: Node) -> Recipe:
    # PyTorch takes the axis of output channels for the rows of the matrix.
    rows = 1 if conv.op.name == "deconv" else 0

    def recipe(weights: Weights) -> np.ndarray:
        original, u, v = (weights[f"{conv.name}.{name}"] for name in SPECTRAL)
        matrix = np.moveaxis(original, rows, 0).reshape(original.shape[rows], -1)
        divided: np.ndarray = (original / (u @ matrix @ v)).astype(original.dtype)
        return divided

    return recipe
