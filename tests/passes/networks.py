"""Graphs as short text, and networks with weights that leave nothing at its neutral value."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor
from torch.fx import GraphModule

from catdsl.backend.module import build_module
from catdsl.backend.paths import module_path
from catdsl.backend.weights import state_of
from catdsl.ir.graph import Graph
from catdsl.passes.rewriting import needed_nodes

_SHOWN = ("segments",)


def shown(graph: Graph) -> str:
    """A line for each node, each after what it reads."""
    lines = []
    for node in needed_nodes(graph):
        if not node.inputs:
            continue
        attrs = {name: node.attrs[name] for name in _SHOWN if name in node.attrs}
        if "conv" in node.op.name:
            attrs["kernel"] = node.attrs["kernel"]
        if "conv" in node.op.name and node.attrs.get("padding") is not None:
            attrs["padding"] = node.attrs["padding"]
        words = [f"{node.name} = {node.op.name}({', '.join(node.inputs)})", *(f"{k} {v}" for k, v in attrs.items())]
        if node.attrs.get("spectral"):
            words.append("spectral")
        lines.append(" ".join(words))
    return "\n".join(lines)


def drawn(graph: Graph, seed: int = 0) -> dict[str, np.ndarray]:
    """Weights of a graph, by name: kernels from N(0, 0.3), scales and variances around 1."""
    rng = np.random.default_rng(seed)
    result: dict[str, np.ndarray] = {}
    for name, value in state_of(build_module(graph)).items():
        shape = tuple(value.shape)
        if name.endswith("running_var"):
            result[name] = rng.uniform(0.5, 2.0, shape)
        elif name.endswith("num_batches_tracked"):
            result[name] = value.numpy()
        elif len(shape) == 1:
            result[name] = rng.normal(1.0, 0.3, shape)
        else:
            result[name] = rng.normal(0.0, 0.3, shape)
    return result


def network(graph: Graph, weights: Mapping[str, np.ndarray]) -> GraphModule:
    """The module of a graph with these weights, in float64 and evaluation mode."""
    module = build_module(graph).double()
    module.load_state_dict({module_path(name): torch.from_numpy(np.array(v)) for name, v in weights.items()})
    return module.eval()


def images(
    graph: Graph, *, batch: int = 2, factor: tuple[int, int] = (1, 1), shrink: int = 1
) -> tuple[Tensor, ...]:  # fmt: skip
    """Random inputs, of `factor` times the declared height and width, divided by `shrink`."""
    generator = torch.Generator().manual_seed(1)
    shapes = [
        (batch, n.attrs["channels"], n.type.height * factor[0] // shrink, n.type.width * factor[1] // shrink)
        for n in graph.inputs
    ]
    return tuple(torch.randn(shape, generator=generator, dtype=torch.float64) for shape in shapes)
